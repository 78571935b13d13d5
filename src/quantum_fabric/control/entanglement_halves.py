"""What the entanglement table keeps while it folds: installations, the halves in memories, and rows in the making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from quantum_fabric.control.distil import operation_noise
from quantum_fabric.control.entanglement import WORTHLESS, End, Pair, PairState
from quantum_fabric.control.estimate import stretched
from quantum_fabric.messages import (
    Bell,
    Correlators,
    CutoffRule,
    DeliverRule,
    GenerateRule,
    Joined,
    LinkRequest,
    PairId,
    Prepare,
    Purify,
    Side,
    Stretch,
)
from quantum_fabric.physics.correlators import aged, purified
from quantum_fabric.physics.fading import steady_rates
from quantum_fabric.physics.frames import purify_frame
from quantum_fabric.physics.noise import MemoryNoise
from quantum_fabric.units import Time, seconds


class Installation:
    """What a `Prepare` says of one node, as far as the table needs it.

    Attributes:
        request, epoch: whose.
        calibration: believed noise of the node.
        rules: how pairs are made, by slot.
        cutoff: how long a half may wait here; None where nothing is cut off.
    """

    def __init__(self, prepare: Prepare, request: LinkRequest | None) -> None:
        self.request, self.epoch = prepare.request, prepare.epoch
        self.calibration = prepare.calibration
        self.rules: dict[int, GenerateRule] = {}
        self.cutoff: Time | None = None
        self._asked = request
        delivers = False
        for rule in prepare.rules:
            if isinstance(rule, GenerateRule):
                self.rules.update(dict.fromkeys(rule.slots, rule))
            elif isinstance(rule, CutoffRule):
                self.cutoff = rule.age
            delivers = delivers or isinstance(rule, DeliverRule)
        if delivers:
            self.cutoff = None
        memory = MemoryNoise(self.calibration.t1, self.calibration.t2, self.calibration.exponent)
        self._steady, _, self._relaxation = steady_rates(memory)
        self._stretched, self._exponent = memory.stretched_rate, memory.exponent

    def rates(self, slot: int) -> Correlators:
        """Believed decay rates of a half in this slot (x, y, z; 1/s)."""
        rule = self.rules.get(slot)
        rate = self._steady + (0.0 if rule is None else rule.disturbance)
        return (rate, rate, self._relaxation)

    def stretch(self, birth: Time) -> Stretch | None:
        """The stretched part of the decay of a half that was born then."""
        return Stretch(self._stretched, self._exponent, birth) if self._stretched > 0.0 else None

    def floor_between(self, a: str, b: str) -> float:
        """Fidelity below which a pair between two nodes is of no use to the request."""
        asked = self._asked
        if asked is None or {a, b} != {asked.source, asked.destination}:
            return WORTHLESS
        return asked.fidelity


class Installed:
    """Which installation each slot of each node is lent to, as `Prepare`, `Commit` and `Release` say when they arrive.

    Attributes:
        requests: that have had no outcome yet, by name.
    """

    def __init__(self) -> None:
        self.requests: dict[str, LinkRequest] = {}
        self._prepared: dict[tuple[str, int], Installation] = {}
        self._leases: dict[tuple[str, int], Installation] = {}

    def at(self, node: str, slot: int) -> Installation | None:
        """The installation that a slot is lent to."""
        return self._leases.get((node, slot))

    def prepare(self, node: str, message: Prepare) -> None:
        """A node has been told its rules; a letter that comes twice changes nothing."""
        known = self.requests.get(message.request)
        self._prepared.setdefault((node, message.epoch), Installation(message, known))

    def commit(self, node: str, epoch: int) -> None:
        """It may act on them."""
        installation = self._prepared.get((node, epoch))
        if installation is not None:
            for slot in installation.rules:
                self._leases[node, slot] = installation

    def let_go(self, node: str, epoch: int) -> None:
        """Its slots are free; twice changes nothing."""
        installation = self._prepared.pop((node, epoch), None)
        if installation is not None:
            for slot in installation.rules:
                if self._leases.get((node, slot)) is installation:
                    del self._leases[node, slot]

    def fail(self, node: str) -> None:
        """A node has forgotten everything."""
        for each, epoch in [key for key in self._prepared if key[0] == node]:
            self.let_go(each, epoch)


class Half:
    """One half in a memory, as its node and the table know it.

    Attributes:
        node, name, slot: where, and the elementary pair it was born in.
        born, since: birth, and up to when its ageing is in the quality of its row.
        calibration: believed noise of its node.
        rates, stretch, cutoff: how it fades, and when its node lets go of it.
        partner, far: who this end takes to be at the other end, by what it has been told.
        heard, heard_at: whether its node has heard the herald, and when.
        asked: whether its node waits for the answer to a purification.
        early: news that follows on news that has not come yet.
        doing: the operation that runs on it.
        purify: the last purification that was begun on it.
        why: why it is given up, if its node has been told.
        there: whether it is in its slot.
        row: the pair that it is an end of.
    """

    __slots__ = (
        "asked", "born", "calibration", "cutoff", "doing", "early", "far", "heard", "heard_at", "name", "node", "partner", "purify",
        "rates", "row", "since", "slot", "stretch", "there", "why",
    )  # fmt: skip

    def __init__(
        self, node: str, name: str, slot: int, born: Time, installation: Installation, partner: str
    ) -> None:
        self.node, self.name, self.slot = node, name, slot
        self.born = self.since = born
        self.calibration = installation.calibration
        self.rates, self.stretch = installation.rates(slot), installation.stretch(born)
        self.cutoff = None if installation.cutoff is None else born + installation.cutoff
        self.partner, self.far = partner, name
        self.heard = self.asked = False
        self.heard_at: Time = 0
        self.early: list[Joined] = []
        self.doing: PairState | None = None
        self.purify: Purify | None = None
        self.why = ""
        self.there = True
        self.row: Row

    def ageing(self, now: Time) -> Correlators:
        """Believed factor of this half from `since` to now."""
        waited = max(0, now - self.since)
        factors = aged((1.0, 1.0, 1.0), self.rates, seconds(waited))
        if self.stretch is not None and waited:
            factors = stretched(factors, self.stretch, self.since, now)
        return factors

    def follow(self) -> None:
        """Take the news that has come, as far as it follows on what is known here; nothing before the herald."""
        while self.heard:
            news = next((each for each in self.early if each.was == self.far), None)
            if news is None:
                return
            self.early.remove(news)
            self.partner, self.far = news.partner, news.far

    def end(self, row: Row) -> End:
        """This half as an end of a row."""
        other = row.other(self)
        told = self.heard and not self.asked and (self.partner, self.far) == (other.node, other.name)
        return End(
            self.node, self.name, self.slot, self.there, told and not row.ended, self.born, self.since, self.rates, self.stretch,
            self.cutoff,
        )  # fmt: skip


class Row:
    """A pair in the making of its record; see `quantum_fabric.control.entanglement.Pair` for the fields that both have.

    Attributes:
        halves: its ends in the direction of the path.
        installation: that it belongs to.
        gate: the purification that one end has done: its half, its bit, the sacrificed row.
        complete: whether an end has said so, or has handed its half over.
        kept: whether it was delivered to be kept in memory.
        told, closed: whether the stream knows it, and whether it has ended for good.
    """

    def __init__(
        self, name: PairId, halves: tuple[Half, Half], installation: Installation, bell: Bell, quality: Correlators, now: Time
    ) -> None:  # fmt: skip
        self.id, self.halves, self.installation = name, halves, installation
        self.bell, self.quality, self.created = bell, quality, now
        self.floor = installation.floor_between(halves[0].node, halves[1].node)
        self.sources: tuple[str, ...] = ()
        self.swaps: tuple[str, ...] = ()
        self.purifications = self.rounds = self.number = 0
        self.into: PairId | None = None
        self.why = ""
        self.gate: tuple[Half, int, Row] | None = None
        self.complete = self.kept = self.told = self.closed = False
        self._certain = False
        self._ended: PairState | None = None
        self._frozen: tuple[End, End] | None = None
        for half in halves:
            half.row = self
            half.doing = None

    @property
    def ended(self) -> bool:
        """Whether the pair is no more."""
        return self._ended is not None

    @property
    def orphaned(self) -> bool:
        """Whether a half of it is still in a memory."""
        return self._frozen is None and any(half.there for half in self.halves)

    def other(self, half: Half) -> Half:
        """The half at the other end."""
        return self.halves[1] if self.halves[0] is half else self.halves[0]

    def end(self, state: PairState, why: str, certain: bool = True) -> None:
        """The pair is no more; the first reason stands, unless it was a guess."""
        if self._ended is None:
            self._ended, self.why, self._certain = state, self.why or why, certain

    def because(self, why: str) -> None:
        """A node has been told the reason."""
        if self._ended is PairState.LOST and not self._certain:
            self.why, self._certain = why, True

    def freeze(self) -> None:
        """Its far halves live on in another row: here they stay as they were."""
        one, two = (half.end(self)._replace(there=False) for half in self.halves)
        self._frozen = (one, two)

    def made_of(self, one: Row, two: Row, node: str) -> None:
        """It was joined from two others by a swap at this node."""
        self.sources = (*one.sources, *two.sources)
        self.swaps = (*one.swaps, node, *two.swaps)
        self.purifications = one.purifications + two.purifications

    def spend(self, other: Row) -> None:
        """Another pair was sacrificed for it."""
        self.sources = (*self.sources, *other.sources)
        self.swaps = (*self.swaps, *other.swaps)
        self.purifications += other.purifications + 1

    def compare(self, keep: Half, bit: int, gone: Row) -> None:
        """Both ends are done: the bits agree, or the pair is lost."""
        assert self.gate is not None
        assert keep.purify is not None
        (asker, asked_bit, spent), self.gate = self.gate, None
        command = keep.purify
        words = None if command.rotation is None else command.rotation.words
        kind = command.distillation.value
        label, flip = purify_frame(kind, self.bell, gone.bell, words)
        if spent is not gone or bit ^ asked_bit != flip:
            self.end(PairState.LOST, "the purification failed: the bits of the two ends differ")
            return
        noises = operation_noise(asker.calibration), operation_noise(keep.calibration)
        _, self.quality = purified(self.quality, gone.quality, kind, *noises, flip, words)
        self.bell = Bell(label)
        self.rounds += 1
        self.spend(gone)

    def _state(self) -> PairState:
        if self._ended is not None:
            handed = self._ended is PairState.CONSUMED and self.number and not self.kept and self.into is None
            return PairState.DELIVERED if handed else self._ended
        doing = {half.doing for half in self.halves}
        if PairState.SWAPPING in doing:
            return PairState.SWAPPING
        if PairState.PURIFYING in doing or self.gate is not None:
            return PairState.PURIFYING
        if self.complete:
            return PairState.HELD
        return PairState.JOINED if self.swaps else PairState.ELEMENTARY

    def record(self, now: Time, old: Pair | None) -> Pair:
        """The row as it is now; ``old`` itself where nothing has changed."""
        one, two = self.halves
        new = Pair(
            self.id, self._state(), self._frozen or (one.end(self), two.end(self)), self.installation.request,
            self.installation.epoch, self.bell, self.quality, self.floor, self.sources, self.swaps, self.purifications, self.rounds,
            self.created, now if old is None else old.changed, self.number, self.into, self.why,
        )  # fmt: skip
        if new == old:
            assert old is not None
            return old
        return replace(new, changed=now)


class Arming(NamedTuple):
    """A slot that tries: which, since when, and by whose rules."""

    slot: int
    since: Time
    installation: Installation


def attempting(lane: str, arms: Mapping[str, Arming], now: Time) -> Pair:
    """The row of a lane at one or both of whose ends a slot tries.

    Args:
        lane: its name, ``LINK/NUMBER``.
        arms: what tries, by node; at least one.
        now: ps.
    """
    node, (first, _, mine) = next(iter(arms.items()))
    rule = mine.rules[first]
    both = (node, rule.partner) if rule.side is Side.RIGHT else (rule.partner, node)
    ends = []
    for each in both:
        slot, since, theirs = arms.get(each, Arming(-1, now, mine))
        tries = each in arms
        ends.append(End(each, "", slot, tries, tries, since, since, theirs.rates(slot), None, None))
    return Pair(
        PairId(lane, lane), PairState.ATTEMPTING, (ends[0], ends[1]), mine.request, mine.epoch, Bell.PHI_PLUS, (0.0, 0.0, 0.0),
        mine.floor_between(*both), (), (), 0, 0, now, now,
    )  # fmt: skip
