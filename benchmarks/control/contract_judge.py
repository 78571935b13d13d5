"""What was promised, beside what came: a watcher of a fabric that keeps the books of each request, and a judge of all of them.

The judge knows what was asked, what the plant really delivered (`Truth`), and when. It does not know plans or forecasts.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from scipy.stats import binom

from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Accepted,
    Consume,
    Delivered,
    LinkRequest,
    Message,
    Outcome,
    Promise,
    Refused,
    Status,
    Truth,
)
from quantum_fabric.units import SECOND, Time

ALARM = 1e-6
"""Probability with which one statistical verdict is wrong."""

SIGMAS = 4.9
"""Of a normal variable, exceeded with about that probability on one side."""

FEW = 100
"""Samples below which a mean is not judged as normal."""

ROUNDING = 1e-9
"""By which a fidelity may be less than promised: floating point."""


@dataclass(slots=True)
class Account:
    """What is known of one request.

    Attributes:
        request: as asked.
        accepted: when; None where it was refused.
        queued: whether it had to wait.
        replies: first answers and outcomes, in order.
        records: deliveries.
        truths: true fidelity of each, by its number.
    """

    request: LinkRequest
    accepted: Time | None = None
    queued: bool = False
    answers: int = 0
    refusal: Refused | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    records: list[Delivered] = field(default_factory=list)
    truths: dict[int, float] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """All pairs were there by the deadline."""
        last, deadline = self.records[-1].delivered_at if self.records else 0, self.request.deadline
        return len(self.records) >= self.request.pairs and (deadline is None or last <= deadline)


class Books:
    """Watches a fabric and keeps an account for each request.

    Args:
        fabric: watched from now on. Pairs that are held are used when the client hears of them.
    """

    def __init__(self, fabric: Fabric) -> None:
        self.accounts: dict[str, Account] = {}
        self._fabric = fabric
        self._waiting: dict[frozenset[tuple[str, str]], float] = {}
        self._told: dict[frozenset[tuple[str, str]], tuple[Account, int]] = {}
        fabric.watch(self, Accepted, Refused, Outcome, Delivered, Truth)

    def expect(self, request: LinkRequest) -> None:
        """Open an account."""
        self.accounts[request.name] = Account(request)

    def __call__(self, time: Time, place: str, message: Message) -> None:
        match message:
            case Accepted():
                account = self.accounts[message.request]
                account.accepted, account.queued, account.answers = time, message.queued, account.answers + 1
            case Refused():
                account = self.accounts[message.request]
                account.refusal, account.answers = message, account.answers + 1
            case Outcome():
                self.accounts[message.request].outcomes.append(message)
            case Delivered():
                self._delivered(message)
            case Truth():
                self._true(frozenset(message.ends), message.weights[0])

    def _delivered(self, record: Delivered) -> None:
        account = self.accounts[record.request]
        account.records.append(record)
        ends = frozenset(zip(record.ends, record.pair, strict=True))
        known = self._waiting.pop(ends, None)
        if known is not None:
            account.truths[record.number] = known
            return
        self._told[ends] = (account, record.number)
        if record.slots is not None:
            for node, slot in zip(record.ends, record.slots, strict=True):
                self._fabric.perform(Consume(node, slot, record.bell))

    def _true(self, ends: frozenset[tuple[str, str]], fidelity: float) -> None:
        told = self._told.pop(ends, None)
        if told is None:
            self._waiting[ends] = fidelity  # handed over before the controller knows
        else:
            told[0].truths[told[1]] = fidelity


@dataclass(slots=True)
class Verdict:
    """Counts over many requests, and what was broken.

    Attributes:
        counts: of requests, sessions, outcomes.
        deadlines: by confidence: how many were missed, of how many.
        short: by confidence: pairs below the promised fidelity, of how many.
        paces: of requests with a rate: mean time between deliveries times the rate, and the number of gaps.
        jitters: of requests with a jitter: square of each deviation from the mean gap over that of the jitter.
        broken: what was broken beyond doubt, each in a sentence.
    """

    counts: Counter[str] = field(default_factory=Counter)
    deadlines: dict[float, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    short: dict[float, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    paces: list[tuple[float, int]] = field(default_factory=list)
    jitters: list[tuple[float, int]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, accounts: Iterable[Account], where: str, faults: bool = False) -> None:
        """Count these, and look at each for what must hold without exception.

        Args:
            accounts: of one run that is over.
            where: for the sentences.
            faults: whether the plant failed meanwhile: then a request may end as failed, with a reason.
        """
        for account in accounts:
            self.counts["requests"] += 1
            self._order(account, where)
            if account.accepted is None:
                code = account.refusal.code.name if account.refusal is not None else "none"
                self.counts[f"refused {code}"] += 1
                continue
            self.counts["sessions"] += 1
            self.counts["queued"] += account.queued
            self.counts["pairs"] += len(account.records)
            if account.outcomes:
                self.counts[account.outcomes[0].status.value] += 1
                if account.outcomes[0].status is Status.FAILED and not faults:
                    self.broken.append(
                        f"{where} {account.request.name}: failed ({account.outcomes[0].reason})"
                    )
            self._promises(account, where, faults)

    def _order(self, account: Account, where: str) -> None:
        request, wrong = account.request, []
        if account.answers != 1:
            wrong.append(f"{account.answers} answers")
        if len(account.outcomes) != 1:
            wrong.append(f"{len(account.outcomes)} outcomes")
        if [record.number for record in account.records] != list(range(1, len(account.records) + 1)):
            wrong.append("deliveries out of order")
        if len(account.records) > request.pairs:
            wrong.append(f"{len(account.records)} pairs of {request.pairs}")
        if len({record.pair for record in account.records}) != len(account.records):
            wrong.append("a pair delivered twice")
        if account.accepted is None and account.records:
            wrong.append("deliveries without acceptance")
        for outcome in account.outcomes:
            full = len(account.records) == request.pairs
            if (outcome.status is Status.COMPLETED) != full or outcome.delivered != len(account.records):
                wrong.append(f"{outcome.status.value} with {len(account.records)} of {request.pairs} pairs")
        if len(account.truths) != len(account.records):
            wrong.append(f"{len(account.records) - len(account.truths)} delivered pairs that nobody had")
        self.broken += [f"{where} {request.name}: {each}" for each in wrong]

    def _promises(self, account: Account, where: str, faults: bool) -> None:
        request, records = account.request, account.records
        ended = account.outcomes[0].status if account.outcomes else None
        if request.deadline is not None and ended is not Status.CANCELLED and not faults:
            missed = self.deadlines[request.confidence]
            missed[0] += not account.met
            missed[1] += 1
        self._fidelities(account, where)
        if request.window is not None and records:
            oldest, last = (
                min(each.created_at for each in records),
                max(each.delivered_at for each in records),
            )
            if last - oldest > request.window:
                self.broken.append(f"{where} {request.name}: a packet older than its window")
        gaps = [two.delivered_at - one.delivered_at for one, two in pairwise(records)]
        if len(gaps) < 1 or len(records) < request.pairs or faults or request.hold:
            return
        if request.rate > 0.0:
            self.paces.append((request.rate * sum(gaps) / SECOND, len(gaps)))
        if request.jitter is not None and len(gaps) > 1:
            mean = sum(gaps) / len(gaps)
            spread = sum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1)
            self.jitters.append((len(gaps) * spread / max(1, request.jitter) ** 2, len(gaps)))

    def _fidelities(self, account: Account, where: str) -> None:
        request, found = account.request, list(account.truths.values())
        if request.promise is Promise.AVERAGE:
            if found and len(found) == request.pairs:
                self.counts["averages"] += 1
                mean = sum(found) / len(found)
                if mean < request.fidelity - ROUNDING:
                    self.counts["averages short"] += 1
                    self.broken.append(
                        f"{where} {request.name}: {mean:.6f} on average, {request.fidelity:g} asked"
                    )
            return
        short = self.short[request.confidence]
        short[0] += sum(each < request.fidelity - ROUNDING for each in found)
        short[1] += len(found)

    def judge(self) -> list[str]:
        """Everything that is broken, with what is so beyond chance."""
        out = list(self.broken)
        for what, table in (("deadlines missed", self.deadlines), ("pairs below their fidelity", self.short)):
            for confidence, (missed, of) in sorted(table.items()):
                chance = float(binom.sf(missed - 1, of, 1.0 - confidence)) if missed else 1.0
                if chance < ALARM:
                    out.append(f"{missed} of {of} {what} at confidence {confidence:g} (chance {chance:.1g})")
        out += _slower("time between deliveries over what the rate allows", self.paces)
        out += _slower("variance of the time between deliveries over what the jitter allows", self.jitters)
        return out

    def numbers(self) -> dict[str, Any]:
        """For the report."""
        return {
            "counts": dict(self.counts),
            "deadlines": {str(key): list(value) for key, value in sorted(self.deadlines.items())},
            "short": {str(key): list(value) for key, value in sorted(self.short.items())},
            "pace": _mean(self.paces),
            "jitter": _mean(self.jitters),
        }

    def merge(self, other: Verdict) -> None:
        """Add the counts of another one."""
        self.counts += other.counts
        for mine, theirs in ((self.deadlines, other.deadlines), (self.short, other.short)):
            for key, (missed, of) in theirs.items():
                mine[key][0] += missed
                mine[key][1] += of
        self.paces += other.paces
        self.jitters += other.jitters
        self.broken += other.broken


def _mean(found: list[tuple[float, int]]) -> tuple[float, float] | None:
    """Weighted mean and its standard error, requests being independent; None for too few."""
    weight = sum(count for _, count in found)
    if len(found) < 2:
        return None
    # a pace is a sum over its gaps, a variance a mean over them: both are given per request
    values = [value for value, _ in found]
    mean = sum(values) / weight
    error = math.sqrt(sum((value - mean * count) ** 2 for value, count in found)) / weight
    return mean, error


def _slower(what: str, found: list[tuple[float, int]]) -> list[str]:
    measured = _mean(found)
    if measured is None or len(found) < FEW:
        return []
    mean, error = measured
    return [f"{what}: {mean:.4f} ± {error:.4f}"] if mean - SIGMAS * error > 1.0 else []
