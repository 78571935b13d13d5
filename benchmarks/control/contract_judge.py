"""What was promised, beside what came: a watcher of a fabric that keeps the books of each request, and a judge of all of them.

The judge knows what was asked, what the plant really delivered (`Truth`), and when. It does not know plans or forecasts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from scipy.stats import binom

from benchmarks.control.contract_sums import Sums
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Accepted,
    Consume,
    Delivered,
    LinkRequest,
    Message,
    Outcome,
    Plan,
    Promise,
    Refused,
    Status,
    Survival,
    Truth,
)
from quantum_fabric.units import SECOND, Time

ALARM = 1e-6
"""Probability with which one statistical verdict is wrong."""

ROUNDING = 1e-9
"""By which a fidelity may be less than promised: floating point."""


class Failure(NamedTuple):
    """Something that failed and came back.

    Attributes:
        what: a link or a node.
        node: whether it is a node.
        since: when it failed, ps.
        until: when all had heard that it is back, ps.
    """

    what: str
    node: bool
    since: Time
    until: Time


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
        plan: with which it was accepted.
        ended: when its outcome was told.
    """

    request: LinkRequest
    accepted: Time | None = None
    queued: bool = False
    answers: int = 0
    refusal: Refused | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    records: list[Delivered] = field(default_factory=list)
    truths: dict[int, float] = field(default_factory=dict)
    plan: Plan | None = None
    ended: Time | None = None

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
                account.plan = message.plan
            case Refused():
                account = self.accounts[message.request]
                account.refusal, account.answers = message, account.answers + 1
            case Outcome():
                account = self.accounts[message.request]
                account.outcomes.append(message)
                account.ended = time
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


def _pairs() -> dict[float, list[int]]:
    return defaultdict(lambda: [0, 0])


@dataclass(slots=True)
class Verdict:
    """Counts over many requests, and what was broken.

    Attributes:
        counts: of requests, sessions, outcomes.
        deadlines: by confidence: how many were missed, of how many.
        short: by confidence: pairs below the promised fidelity, of how many.
        paces: of requests with a rate: time between deliveries times the rate, over the gaps.
        jitters: of requests with a jitter: square of each deviation from the mean gap over that of the jitter.
        broken: what was broken beyond doubt, each in a sentence.
    """

    counts: Counter[str] = field(default_factory=Counter)
    deadlines: dict[float, list[int]] = field(default_factory=_pairs)
    short: dict[float, list[int]] = field(default_factory=_pairs)
    paces: Sums = field(default_factory=Sums)
    jitters: Sums = field(default_factory=Sums)
    broken: list[str] = field(default_factory=list)

    def add(
        self,
        accounts: Iterable[Account],
        where: str,
        faults: bool = False,
        failures: Sequence[Failure] = (),
    ) -> None:
        """Count these, and look at each for what must hold without exception.

        Args:
            accounts: of one run that is over.
            where: for the sentences.
            faults: whether the plant failed meanwhile in ways that nobody promised to survive: then a request may end as failed, with
                a reason, and deadlines are not judged.
            failures: what failed otherwise. Requests that live through one of those that they must survive are judged as if there
                were none; those that live through more, or through another one, as with ``faults``.
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
            lived = lived_through(account, failures)
            excused = faults or not covered(account, lived)
            if account.outcomes:
                self.counts[account.outcomes[0].status.value] += 1
                if account.outcomes[0].status is Status.FAILED and not excused:
                    reason = f"failed ({account.outcomes[0].reason}) {lived or ''}"
                    self.broken.append(f"{where} {account.request.name}: {reason}")
            if lived and not excused:
                self._survived(account, lived[0])
            self.counts["excused by failures"] += bool(lived) and excused
            self._promises(account, where, excused, bool(lived))

    def _survived(self, account: Account, failure: Failure) -> None:
        """One session that had to survive one failure."""
        if not _touches(account, failure):
            self.counts["beside a failure"] += 1
            return
        self.counts["touched by a failure"] += 1
        self.counts["touched by a failure, kept"] += account.request.deadline is None or account.met
        ended = account.outcomes[0].status if account.outcomes else None
        self.counts["touched by a failure, not given up"] += ended in (Status.COMPLETED, Status.EXPIRED)

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

    def _promises(self, account: Account, where: str, faults: bool, moved: bool) -> None:
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
        if len(gaps) < 1 or len(records) < request.pairs or faults or moved or request.hold:
            return
        if request.rate > 0.0:
            self.paces.add(request.rate * sum(gaps) / SECOND, len(gaps))
        if request.jitter is not None and len(gaps) > 1:
            mean = sum(gaps) / len(gaps)
            spread = sum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1)
            self.jitters.add(len(gaps) * spread / max(1, request.jitter) ** 2, len(gaps))

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
        out += self.paces.slower("time between deliveries over what the rate allows")
        out += self.jitters.slower("variance of the time between deliveries over what the jitter allows")
        return out

    def numbers(self) -> dict[str, Any]:
        """For the report."""
        return {
            "counts": dict(self.counts),
            "deadlines": {str(key): list(value) for key, value in sorted(self.deadlines.items())},
            "short": {str(key): list(value) for key, value in sorted(self.short.items())},
            "pace": self.paces.mean(),
            "jitter": self.jitters.mean(),
        }

    def merge(self, other: Verdict) -> None:
        """Add the counts of another one."""
        self.counts += other.counts
        for mine, theirs in ((self.deadlines, other.deadlines), (self.short, other.short)):
            for key, (missed, of) in theirs.items():
                mine[key][0] += missed
                mine[key][1] += of
        self.paces.merge(other.paces)
        self.jitters.merge(other.jitters)
        self.broken += other.broken

    def packed(self) -> dict[str, Any]:
        """All of it, for a file."""
        sums = {name: [each.count, each.parts, each.total, each.squares]
                for name, each in (("paces", self.paces), ("jitters", self.jitters))}  # fmt: skip
        return {
            "counts": dict(self.counts), "broken": self.broken, **sums,
            "deadlines": {str(key): value for key, value in self.deadlines.items()},
            "short": {str(key): value for key, value in self.short.items()},
        }  # fmt: skip

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> Verdict:
        """What was packed."""
        found = cls(Counter(packed["counts"]), broken=list(packed["broken"]))
        for mine, name in ((found.deadlines, "deadlines"), (found.short, "short")):
            mine.update({float(key): list(value) for key, value in packed[name].items()})
        found.paces, found.jitters = Sums(*packed["paces"]), Sums(*packed["jitters"])
        return found


def lived_through(account: Account, failures: Sequence[Failure]) -> list[Failure]:
    """Failures that fell into the life of a session."""
    if account.accepted is None:
        return []
    ended = account.accepted if account.ended is None else account.ended
    return [each for each in failures if each.since <= ended and each.until >= account.accepted]


def covered(account: Account, lived: Sequence[Failure]) -> bool:
    """Whether a session must survive what it lived through: one failure, of the kind that was asked for."""
    if len(lived) != 1:
        return not lived
    failure, request = lived[0], account.request
    if request.survives is Survival.NOTHING or failure.what in (request.source, request.destination):
        return False
    return request.survives is Survival.NODE or not failure.node


def _touches(account: Account, failure: Failure) -> bool:
    assert account.plan is not None
    if failure.node:
        return failure.what in account.plan.path
    return any(link.link == failure.what for link in account.plan.links)
