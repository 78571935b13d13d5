"""Where entanglement is believed to be: one row for each pair, a stream of changes, and questions to ask of it.

A row says what the control plane believes of one pair: its two ends, its age, the correlators from which its fidelity at any time
follows, whose it is, what it was made of, and whether each end has been told. A pair keeps its name for life: the elementary pairs
at its two ends (`quantum_fabric.messages.PairId`), so a purified pair keeps it and a swap makes a new one of two.

A `View` is a table at one moment. It is a fold over `Change` records, which are numbered from 0 without gaps: whoever has the stream
has the table at every time. `quantum_fabric.control.entangled.table` makes the stream out of what nodes report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from quantum_fabric.control.estimate import FOREVER, fidelity, interval, lifetime, stretched
from quantum_fabric.control.path_names import is_path_of
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.messages import Bell, Correlators, PairId, Stretch
from quantum_fabric.physics.correlators import added_rates, aged
from quantum_fabric.units import Time, seconds

TOLERANCE: Final = 0.05
"""Relative error that the believed losses may have, as in `quantum_fabric.control.Controller`."""

WORTHLESS: Final = 0.5
"""A Bell-diagonal pair of this fidelity may hold no entanglement: the floor of pairs that nobody asked a fidelity of."""


class PairState(Enum):
    """Where a pair stands."""

    ATTEMPTING = "attempting"
    """No pair yet: an end or both ends of a lane try."""
    ELEMENTARY = "elementary"
    """Heralded, and not swapped so far."""
    JOINED = "joined"
    """Made by swaps."""
    SWAPPING = "swapping"
    """A Bell measurement on one of its halves is running."""
    PURIFYING = "purifying"
    """Kept by a purification of which not both ends are done, or about to be sacrificed."""
    GATHERED = "gathered"
    """Complete, and nobody's yet: it waits for the others of its set (`Pair.until`)."""
    HELD = "held"
    """Complete: an application has it. It waits in memory, or one end has used its half and the other has not."""
    USING = "using"
    """One of its halves is being measured, teleported through, or fused with halves of other pairs."""
    FUSED = "fused"
    """Part of one state of several nodes (`Pair.together`): the centre's gates are done, and its far half is still in memory."""
    DELIVERED = "delivered"
    """Handed over at both ends, and the caller has been told."""
    CONSUMED = "consumed"
    """Used up: by a swap or a purification (`Pair.into` says for which pair), or by the application, alone or in a state of several
    nodes (`Pair.together`)."""
    TESTED = "tested"
    """Used up to see what it was: both ends have measured it, and nobody got it. `Pair.why` says what came of that."""
    LOST = "lost"
    """Gone; `Pair.why` says why."""


LIVING: Final = frozenset(
    {
        PairState.ELEMENTARY, PairState.JOINED, PairState.SWAPPING, PairState.PURIFYING, PairState.GATHERED, PairState.HELD,
        PairState.USING, PairState.FUSED,
    }
)  # fmt: skip
"""States of pairs that exist."""

RESTING: Final = frozenset({PairState.ELEMENTARY, PairState.JOINED, PairState.HELD})
"""States in which nothing is being done to a pair."""


class End(NamedTuple):
    """One end of a pair.

    Attributes:
        node: where.
        half: name of the elementary pair that the half was born in; empty while attempting.
        slot: memory slot; -1 where nobody knows of one.
        there: whether the half is in it (while attempting: whether the slot tries).
        knows: whether this end has been told all that the row says of who is at the other end and what was done to the pair.
        born: birth of the half, ps; while attempting, since when the slot tries.
        since: up to here its ageing is in `Pair.quality`, ps.
        rates: believed decay rates of this half (x, y, z; 1/s).
        stretch: the stretched part of its decay; None for none.
        cutoff: when its node lets go of it, if it still waits then; None where there is no such rule.
    """

    node: str
    half: str
    slot: int
    there: bool
    knows: bool
    born: Time
    since: Time
    rates: Correlators
    stretch: Stretch | None
    cutoff: Time | None


class Estimate(NamedTuple):
    """A believed fidelity with its interval (see `quantum_fabric.control.estimate.interval`)."""

    fidelity: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Pair:
    """One row.

    Attributes:
        id: name of the pair. A lane that attempts has its own name twice (``NU~StarLight/0``).
        state: where it stands.
        ends: its two ends in the direction of the path.
        request, epoch: whose it is.
        bell: the Bell state that it is announced in.
        quality: believed correlators, without the ageing of the ends after their `End.since`.
        floor: fidelity below which it is of no use: what was asked for where the ends are those of the request, else `WORTHLESS`.
        sources: elementary pairs that it was made of, sacrificed ones included.
        swaps: nodes whose Bell measurements made it.
        purifications: rounds that it is made of, those of the pairs that went into it included.
        rounds: of them on its present two ends.
        created, changed: when the row was made, and when it last changed, ps.
        number: of the delivery within its request; 0 before.
        into: the pair that it went into; None for none.
        why: why it was lost or withheld, or what a test has shown; empty otherwise.
        together: pairs that it was fused with into one state, the one whose half the centre kept first, or delivered with as one
            packet; itself among them.
        until: while it is gathered, when its window is over, ps; None for none.
        announced: what the caller was told of it when it was delivered, from models and tests together; None before.
    """

    id: PairId
    state: PairState
    ends: tuple[End, End]
    request: str
    epoch: int
    bell: Bell
    quality: Correlators
    floor: float
    sources: tuple[str, ...]
    swaps: tuple[str, ...]
    purifications: int
    rounds: int
    created: Time
    changed: Time
    number: int = 0
    into: PairId | None = None
    why: str = ""
    together: tuple[PairId, ...] = ()
    until: Time | None = None
    announced: Estimate | None = None

    @property
    def nodes(self) -> tuple[str, str]:
        """The two nodes in the direction of the path."""
        return self.ends[0].node, self.ends[1].node

    @property
    def alive(self) -> bool:
        """Whether the pair exists."""
        return self.state in LIVING

    @property
    def usable(self) -> bool:
        """Whether it may be used now: both halves are there, both ends know all of it, and nothing is being done to it.

        A pair that one end might use while the other has not been told is *half-open*, and not usable.
        """
        return self.state in RESTING and all(end.there and end.knows for end in self.ends)

    def age(self, at: Time) -> Time:
        """How long ago its older half was born, ps."""
        return at - min(end.born for end in self.ends)

    def correlators(self, at: Time) -> Correlators:
        """Believed correlators at a time, both halves kept until then. Before the last thing done to it: those of that moment."""
        quality = self.quality
        for end in self.ends:
            waited = max(0, at - end.since)
            quality = aged(quality, end.rates, seconds(waited))
            if end.stretch is not None and waited:
                quality = stretched(quality, end.stretch, end.since, at)
        return quality

    def estimate(self, at: Time, tolerance: float = TOLERANCE) -> Estimate:
        """Believed fidelity at a time, with its interval.

        Raises:
            StateError: it is no pair yet.
        """
        if self.state is PairState.ATTEMPTING:
            raise StateError(f"lane {self.id.left} has no pair yet, so there is no fidelity to tell")
        quality = self.correlators(at)
        return Estimate(fidelity(quality), *interval(quality, tolerance))

    def expires(self) -> Time | None:
        """When it can be of no use any more if nothing is done: a cutoff, the end of its window, or its estimate falls to the floor.

        Returns:
            ps since the start of the run; None where it never does, or where there is no living pair.
        """
        if not self.alive:
            return None
        now = max(end.since for end in self.ends)
        one, two = self.ends
        stretches = tuple(end.stretch for end in self.ends if end.stretch is not None)
        wait = lifetime(self.correlators(now), added_rates(one.rates, two.rates), self.floor, stretches, now)
        # a half that was in an operation at its cutoff is not asked again
        times = [end.cutoff for end in self.ends if end.cutoff is not None and end.cutoff >= self.changed]
        times += [now + wait] if wait < FOREVER else []
        times += [self.until] if self.until is not None else []
        return min(times, default=None)


class Change(NamedTuple):
    """One step of the stream.

    Attributes:
        number: 0, 1, 2, ... without gaps.
        time: ps.
        id: which row.
        pair: the row as it is from now on; None where it is forgotten.
    """

    number: int
    time: Time
    id: PairId
    pair: Pair | None


@dataclass(slots=True)
class View:
    """The table at one moment: a fold over changes.

    Attributes:
        time: of the last change, or the time that was asked for, ps.
        next: number of the change that comes next.
        pairs: rows by name, those that ended last among them.

    Examples:
        >>> view = View()
        >>> view.apply(Change(1, 0, PairId("a", "a"), None))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: change: found number 1, expected 0: the stream has a gap
    """

    time: Time = 0
    next: int = 0
    pairs: dict[PairId, Pair] = field(default_factory=dict)

    def apply(self, change: Change) -> None:
        """Take the next change.

        Raises:
            InputError: it is not the next one, or it is earlier than the last; nothing was changed.
        """
        if change.number != self.next:
            raise InputError(f"number {change.number}", f"{self.next}: the stream has a gap", "change")
        if change.time < self.time:
            raise InputError(f"a change at {change.time} ps", f"none before {self.time} ps", "change")
        self.next, self.time = change.number + 1, change.time
        if change.pair is None:
            self.pairs.pop(change.id, None)
        else:
            self.pairs[change.id] = change.pair

    def copy(self) -> View:
        """A view that stays as it is (rows are frozen)."""
        return View(self.time, self.next, dict(self.pairs))

    def select(
        self,
        *,
        node: str | None = None,
        between: tuple[str, str] | None = None,
        request: str | None = None,
        epoch: int | None = None,
        states: Iterable[PairState] | None = None,
        fidelity: float | None = None,
        younger: Time | None = None,
        usable: bool = False,
        at: Time | None = None,
        tolerance: float = TOLERANCE,
    ) -> list[Pair]:
        """Rows that fit everything that is asked, the oldest row first.

        Args:
            node: an end is there.
            between: the ends are these two nodes, in either order.
            request: whose pairs; where it runs on several paths, those of all of them (`quantum_fabric.control.path_names`).
            epoch: of the installation.
            states: one of these; the living ones where None.
            fidelity: the lower end of the estimate's interval reaches it.
            younger: no half is older than this, ps.
            usable: both ends may use it now (`Pair.usable`).
            at: when fidelity and age are asked for, not before the view's own time; that time where None.
            tolerance: relative error of the believed losses, for the interval.

        Raises:
            InputError: a time before the view's own.
        """
        when = self.time if at is None else at
        if when < self.time:
            raise InputError(
                f"{when} ps", f"{self.time} ps or later; fold the stream up to an earlier time", "at"
            )
        wanted = LIVING if states is None else frozenset(states)
        tests: list[Callable[[Pair], bool]] = [lambda pair: pair.state in wanted]
        if node is not None:
            tests.append(lambda pair: node in pair.nodes)
        if between is not None:
            ends = frozenset(between)
            tests.append(lambda pair: frozenset(pair.nodes) == ends)
        if request is not None:
            tests.append(lambda pair: pair.request == request or is_path_of(pair.request, request))
        if epoch is not None:
            tests.append(lambda pair: pair.epoch == epoch)
        if usable:
            tests.append(lambda pair: pair.usable)
        if younger is not None:
            tests.append(lambda pair: pair.age(when) <= younger)
        if fidelity is not None:
            tests.append(
                lambda pair: (
                    pair.state is not PairState.ATTEMPTING and pair.estimate(when, tolerance).low >= fidelity
                )
            )
        found = [pair for pair in self.pairs.values() if all(test(pair) for test in tests)]
        return sorted(found, key=lambda pair: (pair.created, pair.id))

    def by_node(self) -> Mapping[str, int]:
        """How many living pairs end at each node."""
        counts: dict[str, int] = {}
        for pair in self.pairs.values():
            if pair.alive:
                for node in pair.nodes:
                    counts[node] = counts.get(node, 0) + 1
        return counts


def fold(changes: Iterable[Change], until: Time | None = None) -> View:
    """The table as a stream of changes leaves it, at its end or at a time.

    Args:
        changes: from number 0 on, in order.
        until: a time, ps; what happened in that very picosecond is in.

    Raises:
        InputError: the stream has a gap or is not in order.

    Examples:
        >>> fold([]).pairs
        {}
    """
    view = View()
    for change in changes:
        if until is not None and change.time > until:
            break
        view.apply(change)
    if until is not None:
        view.time = until
    return view
