"""Where time and fidelity went: follows each delivered pair back through its swaps to the heralds that it grew from.

Time, for each delivered pair, counts from the pair before it (for the first: from the submission) and is cut into

* **queue**: submitted, but no node has been told anything yet;
* **set-up**: rules are on their way to the nodes;
* **attempting**: no half of this pair exists yet;
* **storing**: some of its elementary pairs exist and wait in memory for the others;
* **finishing**: all of them exist; swaps, purification and classical messages remain.

Fidelity is cut into losses that add up to one minus the true mean fidelity:

* **elementary pairs**: had the fresh pairs been joined at once and perfectly (product of the believed correlators);
* **memory**: what the T1 and T2 that the control plane believes take in the times that the halves really waited;
* **operations**: the remainder to the *true* fidelity: gates, readout, wrong beliefs; negative where purification gained.

Limits:
    The first two come from the beliefs that were installed in the nodes (`Prepare`), the total from the truth. With
    purification the ageing of a kept half before the round counts in full, although the round removes part of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from quantum_fabric.messages import (
    Calibration,
    Commit,
    Consume,
    Correct,
    Correlators,
    Delivered,
    Discard,
    GenerateRule,
    Heralded,
    LinkRequest,
    Measure,
    Message,
    Prepare,
    Purified,
    Swapped,
    Teleport,
    Truth,
)
from quantum_fabric.ops.requests import PairKey, pair_key
from quantum_fabric.units import Time, seconds

PHASES: Final = ("queue", "set-up", "attempting", "storing", "finishing")
"""The parts of a delivery's time, in their order."""


@dataclass(slots=True)
class TimeLoss:
    """Seconds in each of `PHASES`, summed over the delivered pairs of one request."""

    pairs: int = 0
    seconds: tuple[float, ...] = (0.0,) * len(PHASES)


@dataclass(slots=True)
class FidelityLoss:
    """Sums over the delivered pairs of one request whose truth is known; see the module for the three losses."""

    pairs: int = 0
    elementary: float = 0.0
    memory: float = 0.0
    operations: float = 0.0


class Chain:
    """What one growing pair was made of. Joined chains point to the one that goes on."""

    __slots__ = ("first", "fresh", "halves", "into", "last", "waited_t1", "waited_t2")

    def __init__(self, first: Time, last: Time, fresh: Correlators) -> None:
        self.into: Chain | None = None
        self.first, self.last = first, last
        self.fresh = fresh
        self.waited_t1 = 0.0
        self.waited_t2 = 0.0
        self.halves: list[str] = []

    def newest(self) -> Chain:
        """The chain that this one has become part of."""
        chain = self
        while chain.into is not None:
            chain = chain.into
        return chain

    def wait(self, duration: float, calibration: Calibration | None) -> None:
        """Note that a half waited this many seconds in a memory with this noise."""
        if calibration is not None:
            self.waited_t1 += duration / calibration.t1
            self.waited_t2 += duration / calibration.t2

    def absorb(self, other: Chain) -> None:
        """Join another chain to this one at a swap."""
        self.take_times(other)
        self.fresh = _product(self.fresh, other.fresh)
        self.waited_t1 += other.waited_t1
        self.waited_t2 += other.waited_t2
        self.halves += other.halves
        other.into = self

    def take_times(self, other: Chain) -> None:
        """A sacrificed pair costs time, but its state goes into the kept one in another way."""
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)


class Losses:
    """A watcher that attributes time and fidelity. Subscribe it to `SEES`.

    Attributes:
        time: for each request, where its deliveries spent their time.
        fidelity: for each request, where its pairs lost fidelity.

    Examples:
        >>> losses = Losses()
        >>> losses.time, losses.fidelity
        ({}, {})
    """

    SEES: Final = (
        LinkRequest, Prepare, Commit, Heralded, Swapped, Purified, Discard, Consume, Measure, Teleport, Correct,
        Delivered, Truth,
    )  # fmt: skip

    def __init__(self) -> None:
        self.time: dict[str, TimeLoss] = {}
        self.fidelity: dict[str, FidelityLoss] = {}
        self._marks: dict[str, tuple[Time, Time | None, Time | None]] = {}
        self._latest: dict[str, Time] = {}
        self._requests: dict[int, str] = {}
        self._noise: dict[str, Calibration] = {}
        self._fresh: dict[str, Correlators] = {}
        self._chains: dict[str, Chain] = {}
        self._stored: dict[tuple[str, int], tuple[Chain, str, Time]] = {}
        self._waiting: dict[PairKey, Delivered | Truth] = {}
        self._notes: dict[type, Callable[[Time, Any], None]] = {
            LinkRequest: self._submitted, Prepare: self._prepare, Commit: self._commit, Heralded: self._heralded,
            Swapped: self._swapped, Purified: self._purified, Discard: self._discard, Consume: self._use,
            Measure: self._use, Teleport: self._use, Correct: self._use, Delivered: self._delivered, Truth: self._truth,
        }  # fmt: skip

    def __call__(self, time: Time, place: str, message: Message) -> None:  # noqa: ARG002 (the port)
        """Note one message."""
        note = self._notes.get(type(message))
        if note is not None:
            note(time, message)

    # --------------------------------------------------------------------------------------- requests

    def _submitted(self, time: Time, message: LinkRequest) -> None:
        self._marks.setdefault(message.name, (time, None, None))

    def _prepare(self, time: Time, message: Prepare) -> None:
        self._requests[message.epoch] = message.request
        self._noise[message.node] = message.calibration
        for rule in message.rules:
            if isinstance(rule, GenerateRule):
                self._fresh[rule.link] = rule.fresh
        submitted, prepared, committed = self._marks.get(message.request, (time, None, None))
        self._marks[message.request] = (submitted, time if prepared is None else prepared, committed)

    def _commit(self, time: Time, message: Commit) -> None:
        request = self._requests.get(message.epoch)
        if request is not None and self._marks[request][2] is None:
            self._marks[request] = (*self._marks[request][:2], time)

    # ------------------------------------------------------------------------------------------ pairs

    def _heralded(self, _: Time, message: Heralded) -> None:
        chain = self._chains.get(message.pair)
        if chain is None:
            first, last = sorted((message.born, message.partner_born))
            chain = Chain(first, last, self._fresh.get(message.link, (1.0, 1.0, 1.0)))
            chain.halves.append(message.pair)
            self._chains[message.pair] = chain
        self._stored[message.node, message.slot] = (chain, message.pair, message.born)

    def _swapped(self, time: Time, message: Swapped) -> None:
        left, right = (
            self._leave(message.node, message.left, time),
            self._leave(message.node, message.right, time),
        )
        if left is None or right is None or left is right:
            return
        if message.outcome is None:
            self._forget(left)
            self._forget(right)
        else:
            left.absorb(right)

    def _purified(self, time: Time, message: Purified) -> None:
        kept = self._stored.get((message.node, message.keep))
        gone = self._leave(message.node, message.sacrifice, time)
        if kept is not None and gone is not None:
            kept[0].newest().take_times(gone)
            self._forget(gone)

    def _discard(self, _: Time, message: Discard) -> None:
        stored = self._stored.pop((message.node, message.slot), None)
        if stored is not None:
            self._chains.pop(stored[1], None)

    def _use(self, time: Time, message: Consume | Measure | Teleport | Correct) -> None:
        self._leave(message.node, message.slot, time)

    def _leave(self, node: str, slot: int, time: Time) -> Chain | None:
        """A half leaves its memory: note how long it waited there."""
        stored = self._stored.pop((node, slot), None)
        if stored is None:
            return None
        chain = stored[0].newest()
        chain.wait(seconds(time - stored[2]), self._noise.get(node))
        return chain

    def _forget(self, chain: Chain) -> None:
        for half in chain.halves:
            self._chains.pop(half, None)

    # -------------------------------------------------------------------------------------- deliveries

    def _delivered(self, _: Time, message: Delivered) -> None:
        chain = self._chains.get(message.pair.left) or self._chains.get(message.pair.right)
        if chain is not None:
            self._spend(message, chain.newest())
        self._match(pair_key(message), message)

    def _truth(self, _: Time, message: Truth) -> None:
        self._match(frozenset(message.ends), message)

    def _match(self, key: PairKey, message: Delivered | Truth) -> None:
        """Delivery and truth come in either order; the account is made when both are there."""
        other = self._waiting.pop(key, None)
        if other is None:
            self._waiting[key] = message
            return
        pair, truth = (message, other) if isinstance(message, Delivered) else (other, message)
        if not isinstance(pair, Delivered) or not isinstance(truth, Truth):
            return
        chain = self._chains.get(pair.pair.left) or self._chains.get(pair.pair.right)
        if chain is not None:
            self._account(pair.request, chain.newest(), truth.weights[0])
            self._forget(chain.newest())

    def _spend(self, pair: Delivered, chain: Chain) -> None:
        submitted, prepared, committed = self._marks.get(pair.request, (0, None, None))
        start, end = self._latest.get(pair.request, submitted), pair.delivered_at
        marks = (prepared, committed, chain.first, chain.last)
        parts, before = [], start
        for mark in marks:
            reached = before if mark is None else min(max(before, mark), max(end, start))
            parts.append(seconds(reached - before))
            before = reached
        parts.append(seconds(max(0, end - before)))
        loss = self.time.setdefault(pair.request, TimeLoss())
        loss.pairs += 1
        loss.seconds = tuple(a + b for a, b in zip(loss.seconds, parts))
        self._latest[pair.request] = max(start, end)

    def _account(self, request: str, chain: Chain, true: float) -> None:
        loss = self.fidelity.setdefault(request, FidelityLoss())
        slow, quick = math.exp(-chain.waited_t1), math.exp(-chain.waited_t2)
        joined = _fidelity(chain.fresh)
        aged = _fidelity(_product(chain.fresh, (quick, quick, slow)))
        loss.pairs += 1
        loss.elementary += 1.0 - joined
        loss.memory += joined - aged
        loss.operations += aged - true


def _product(one: Correlators, two: Correlators) -> Correlators:
    return one[0] * two[0], one[1] * two[1], one[2] * two[2]


def _fidelity(c: Correlators) -> float:
    """Fidelity to the announced state: (1 + x + y + z) / 4."""
    return (1.0 + c[0] + c[1] + c[2]) / 4.0
