"""The rules of one installation at one node, acted on: the fast path.

A circuit answers heralds, results and news at once, without asking the controller. It swaps what is ready to be swapped, tells
the ends of the chain, follows news through its own earlier swaps, discards what is too old, and delivers at the ends.

How identity and frame are kept:
    A half keeps for life the name of the elementary pair it was born in. Each message names the receiver's own half by that
    name, so it can arrive late, or after the half was swapped away: then `Circuit` forwards it to the other side of that swap.
    It can also arrive early, because delays need not obey the triangle inequality: news of a half whose herald is still on its
    way waits for the herald, and news of a swap waits for the news of the swaps before it. Bell labels compose by XOR and
    believed correlators by product, so each swap's contribution reaches each end exactly once and in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import replace

from quantum_fabric.control.ageing import Ageing
from quantum_fabric.control.choosing import Policy, choose
from quantum_fabric.control.distil import Distiller, operation_noise
from quantum_fabric.control.estimate import fidelity
from quantum_fabric.control.handover import Handover
from quantum_fabric.control.qubit import RUNNING, Qubit, State
from quantum_fabric.messages import (
    Arm,
    Bell,
    Choice,
    Correlators,
    CutoffRule,
    DeliverRule,
    Discard,
    GenerateRule,
    Heralded,
    Joined,
    Lost,
    Measured,
    Prepare,
    PurifyRule,
    Send,
    Side,
    Stale,
    Swap,
    Swapped,
    SwapRule,
    Wake,
)
from quantum_fabric.physics.correlators import product, swap_table
from quantum_fabric.physics.frames import swap_frame
from quantum_fabric.ports import Action
from quantum_fabric.units import Time

Beyond = tuple[str, str]
"""Where news about a consumed half goes on to: (node, elementary pair there)."""

BELLS = tuple(Bell)

NOWHERE: Beyond = ("", "")
"""The chain ended here, and whoever had to know was told."""


class Circuit:
    """One node's part of one installation.

    Attributes:
        node, epoch: whose rules these are.
        active: True between commit and release.
        generating: True between commit and drain or release.
        qubits: the leased slots by number.
        ageing: what is believed of how halves fade.
        noise: believed noise of this node's operations.
    """

    def __init__(self, prepare: Prepare, policy: Policy | None = None, useless: Collection[int] = ()) -> None:
        self._policy = policy
        self._useless = useless  # the node's slots that load no more
        self._choice = Choice.OLDEST
        self.node = prepare.node
        self.epoch = prepare.epoch
        self.lease_until = prepare.lease_until
        self.active = self.generating = False
        calibration = prepare.calibration
        self.noise = operation_noise(calibration)
        self._outcomes = swap_table(self.noise)
        self._retention = prepare.retention
        self.qubits: dict[int, Qubit] = {}
        purify: dict[str, PurifyRule] = {}
        self._generate: dict[int, GenerateRule] = {}
        self._lefts: frozenset[str] = frozenset()
        self._rights: frozenset[str] = frozenset()
        self._cutoff: Time | None = None
        self._by_name: dict[str, Qubit] = {}
        self._beyond: dict[str, Beyond] = {}
        self._forget: deque[tuple[Time, str]] = deque()
        self._unborn: dict[str, list[Joined | Lost]] = {}  # news of halves whose herald has not come yet
        self._expecting: deque[tuple[Time, str]] = deque()
        for rule in prepare.rules:
            self._take(rule, purify)
        self.ageing = Ageing(calibration, self._generate)
        deliver = self._deliver = next(
            (each for each in prepare.rules if isinstance(each, DeliverRule)), None
        )
        self._handover = (
            None if deliver is None else Handover(self.node, self.epoch, deliver, self.ageing, self)
        )
        self._rounds = {partner: rule.rounds for partner, rule in purify.items()}
        self.distiller = Distiller(self.node, self.epoch, self.noise, purify, self, self._retention)

    def _take(self, rule: object, purify: dict[str, PurifyRule]) -> None:
        match rule:
            case GenerateRule():
                for lane, slot in zip(rule.lanes, rule.slots, strict=True):
                    self._generate[slot] = rule
                    self.qubits[slot] = Qubit(slot, rule.side, rule.link, lane)
            case PurifyRule():
                purify[rule.partner] = rule
            case SwapRule():
                self._lefts, self._rights = frozenset(rule.left), frozenset(rule.right)
                self._choice = rule.choice
            case CutoffRule():
                self._cutoff = rule.age

    # -------------------------------------------------------------------------------------------- life

    def start(self) -> list[Action]:
        """Commit: try on every slot."""
        if self.active:
            return []
        self.active = self.generating = True
        return [self._arm(qubit) for qubit in self.qubits.values() if qubit.slot not in self._useless]

    def stop(self) -> list[Action]:
        """Release: let go of every slot."""
        self.active = self.generating = False
        waiting = sum(map(len, self._unborn.values())) + sum(len(q.early) for q in self.qubits.values())
        return [
            *(Discard(self.node, q.slot) for q in self.qubits.values() if q.state is not State.IDLE),
            *[Stale(self.node, "Joined", self.epoch)] * waiting,
        ]

    def drain(self, now: Time) -> list[Action]:
        """Generate no more: let go of every slot but those that hold a delivered pair."""
        self.generating = False
        out: list[Action] = []
        for qubit in self.qubits.values():
            if qubit.state in (State.ARMED, State.LIVE, State.ASKED):
                self.free(qubit, now, out, discard=True)
        return out

    def _arm(self, qubit: Qubit) -> Arm:
        qubit.move(State.ARMED)
        rule = self._generate[qubit.slot]
        return Arm(self.node, qubit.slot, rule.link, qubit.lane, len(rule.slots), rule.setting)

    def free(self, qubit: Qubit, now: Time, out: list[Action], discard: bool = False) -> None:
        """The slot is empty (or is emptied now): forget the half and try again."""
        if self._by_name.pop(qubit.mine, None) is not None and qubit.mine not in self._beyond:
            self._remember(qubit, NOWHERE, now)
        if qubit.early:
            out.extend(Stale(self.node, "Joined", self.epoch) for _ in qubit.early)
        qubit.move(State.IDLE)
        qubit.clear()
        if discard:
            out.append(Discard(self.node, qubit.slot))
        if self.generating and qubit.slot not in self._useless:
            out.append(self._arm(qubit))

    def find(self, name: str) -> Qubit | None:
        """The slot that holds the half born in this elementary pair."""
        return self._by_name.get(name)

    def awaits(self, name: str) -> bool:
        """Whether a half of that name is not here yet: it is not here, and was not within the retention time."""
        return name not in self._by_name and name not in self._beyond

    # ------------------------------------------------------------------------------------------- events

    def heralded(self, event: Heralded, now: Time) -> list[Action]:
        """A new elementary pair."""
        qubit = self.qubits[event.slot]
        if qubit.state is not State.ARMED or qubit.link != event.link:
            return [Stale(self.node, "Heralded", self.epoch)]
        rule = self._generate[event.slot]
        qubit.move(State.LIVE)
        qubit.mine = qubit.far = event.pair
        qubit.partner = rule.partner
        qubit.frame = event.bell
        qubit.quality = rule.fresh
        qubit.born, qubit.far_born = event.born, event.partner_born
        qubit.birth = event.born
        qubit.far_decay = rule.partner_decay
        if rule.partner_stretch is not None:
            qubit.far_stretch = rule.partner_stretch._replace(birth=event.partner_born)
        self._by_name[event.pair] = qubit
        out: list[Action] = []
        if self._cutoff is not None and self._deliver is None:
            out.append(Wake(max(now, event.born + self._cutoff), "cutoff", self.epoch, event.pair))
        for news in self._unborn.pop(event.pair, ()):
            out.extend(self.joined(news, now) if isinstance(news, Joined) else self.lost(news, now))
        self.react(now, out)
        return out

    def swapped(self, event: Swapped, now: Time) -> list[Action]:
        """This node's Bell measurement is done: tell both ends what their chain is now."""
        left, right = self.qubits[event.left], self.qubits[event.right]
        out: list[Action] = []
        if event.outcome is None or left.broken or right.broken:
            why = "swap failed" if event.outcome is None else "chain broken"
            for qubit in (left, right):
                if not qubit.broken:
                    out.append(Send(qubit.partner, Lost(self.epoch, qubit.far, why)))
                self._remember(qubit, NOWHERE, now)
        else:
            factors = self._outcomes[event.outcome][1]
            here = product(factors, product(self.own_ageing(left, now), self.own_ageing(right, now)))
            out.append(Send(left.partner, self._extension(left, right, here, event.outcome)))
            out.append(Send(right.partner, self._extension(right, left, here, event.outcome)))
            for qubit, beyond in ((left, right), (right, left)):
                self._remember(qubit, (beyond.partner, beyond.far), now)
                out.extend(Send(beyond.partner, replace(news, mine=beyond.far)) for news in qubit.early)
                qubit.early = ()
        self.free(left, now, out)
        self.free(right, now, out)
        self.react(now, out)
        return out

    def _extension(self, to: Qubit, beyond: Qubit, here: Correlators, outcome: Bell) -> Joined:
        return Joined(
            self.epoch,
            to.far,
            to.mine,
            beyond.partner,
            beyond.far,
            BELLS[swap_frame(beyond.frame, 0, outcome)],
            product(beyond.quality, here),
            beyond.far_born,
            beyond.far_decay,
            beyond.far_stretch,
        )

    def own_ageing(self, qubit: Qubit, now: Time) -> Correlators:
        """Believed factor of this node's half of a pair, from its birth to now."""
        return self.ageing.here(qubit, now)

    def _remember(self, qubit: Qubit, beyond: Beyond, now: Time) -> None:
        """Keep, for as long as news can be on its way, where the chain of a consumed half goes on."""
        forget = self._forget
        while forget and forget[0][0] < now:
            self._beyond.pop(forget.popleft()[1], None)
        self._beyond[qubit.mine] = beyond
        forget.append((now + self._retention, qubit.mine))

    # --------------------------------------------------------------------------------------------- news

    def joined(self, news: Joined, now: Time) -> list[Action]:
        """A repeater further on has swapped: the chain is longer now, or the news goes on to where the half went."""
        qubit = self._by_name.get(news.mine)
        if qubit is None:
            return self._forward(news, now)
        if news.was != qubit.far or qubit.state is State.ASKED:
            qubit.early = (*qubit.early, news)  # in ASKED it is the answer to the ask that comes before it
            return []
        qubit.follow(news)
        out: list[Action] = []
        self.react(now, out)
        return out

    def lost(self, news: Lost, now: Time) -> list[Action]:
        """The chain is broken further on: drop this half, or pass the news on."""
        qubit = self._by_name.get(news.mine)
        if qubit is None:
            return self._forward(news, now)
        out: list[Action] = []
        if qubit.state in RUNNING:
            qubit.broken = True
        else:
            self.free(qubit, now, out, discard=True)
            self.react(now, out)
        return out

    def _forward(self, news: Joined | Lost, now: Time) -> list[Action]:
        beyond = self._beyond.get(news.mine)
        if beyond is None:
            self._unborn.setdefault(news.mine, []).append(news)
            self._expecting.append((now + self._retention, news.mine))
            return self._give_up(now)
        if beyond == NOWHERE:
            return [Stale(self.node, type(news).__name__, self.epoch)]
        node, far = beyond
        if isinstance(news, Joined):
            onwards: Joined | Lost = Joined(
                news.epoch, far, news.was, news.partner, news.far, news.frame, news.quality,
                news.far_born, news.far_decay, news.far_stretch,
            )  # fmt: skip
        else:
            onwards = Lost(news.epoch, far, news.why)
        return [Send(node, onwards)]

    def _give_up(self, now: Time) -> list[Action]:
        """Halves that were never heralded here: their news was for nobody."""
        out: list[Action] = []
        while self._expecting and self._expecting[0][0] < now:
            given_up = self._unborn.pop(self._expecting.popleft()[1], ())
            out.extend(Stale(self.node, type(news).__name__, self.epoch) for news in given_up)
        return out

    def cutoff(self, name: str, now: Time) -> list[Action]:
        """A half has waited as long as it may."""
        qubit = self._by_name.get(name)
        if qubit is None or qubit.state is not State.LIVE:
            return []
        out: list[Action] = [Send(qubit.partner, Lost(self.epoch, qubit.far, "cutoff"))]
        self.free(qubit, now, out, discard=True)
        self.react(now, out)
        return out

    def broke(self, slot: int, now: Time) -> list[Action]:
        """A slot stores nothing any more: its half is lost, and it is not armed again. A delivered half is the application's."""
        qubit = self.qubits[slot]
        out: list[Action] = []
        if qubit.state in (State.IDLE, State.HELD):
            return out
        if qubit.state is not State.ARMED and not qubit.broken:
            out.append(Send(qubit.partner, Lost(self.epoch, qubit.far, "memory broke")))
        if qubit.state in RUNNING:
            qubit.broken = True
        else:
            self.free(qubit, now, out, discard=True)
        return out

    def measured(self, event: Measured, now: Time) -> list[Action]:
        """A half has been read: by rule, or by the application that held it."""
        qubit = self.qubits[event.slot]
        if qubit.state is not State.READING:
            return self.consumed(event.slot, now)
        assert self._handover is not None
        out: list[Action] = []
        self._handover.measured(qubit, event, now, out)
        self.react(now, out)
        return out

    def consumed(self, slot: int, now: Time) -> list[Action]:
        """The application has used a held half."""
        qubit = self.qubits[slot]
        out: list[Action] = []
        if qubit.state is State.HELD:
            self.free(qubit, now, out)
            self.react(now, out)
        return out

    # -------------------------------------------------------------------------------------------- rules

    def react(self, now: Time, out: list[Action]) -> None:
        """Apply the rules until none applies: purify, swap, deliver."""
        if not self.generating:
            return
        if self._rounds:
            self.distiller.react(self.qubits.values(), now, out)
        if self._deliver is not None:
            self._deliver_what_can(self._deliver, now, out)
        elif self._lefts:
            self._swap_what_can(now, out)

    def _ready(self, side: Side, partners: frozenset[str]) -> list[Qubit]:
        """Halves that may be swapped towards a side."""
        return [
            qubit
            for qubit in self.qubits.values()
            if qubit.state is State.LIVE
            and qubit.side is side
            and qubit.partner in partners
            and (not self._rounds or qubit.rounds >= self._rounds.get(qubit.partner, 0))
        ]

    def _fidelity(self, qubit: Qubit, now: Time) -> float:
        """That a pair is believed to have now."""
        return fidelity(
            product(qubit.quality, product(self.own_ageing(qubit, now), self.ageing.there(qubit, now)))
        )

    def _swap_what_can(self, now: Time, out: list[Action]) -> None:
        while True:
            lefts = self._ready(Side.LEFT, self._lefts)
            if not lefts:
                return
            rights = self._ready(Side.RIGHT, self._rights)
            if not rights:
                return
            asks = self._policy is not None or self._choice is Choice.BEST
            one, two = (
                [(qubit, self._fidelity(qubit, now) if asks else 0.0) for qubit in side]
                for side in (lefts, rights)
            )
            chosen = choose(self._policy, self._choice, self.node, one, two, now)
            if chosen is None:
                return
            for qubit in chosen:
                qubit.move(State.SWAPPING)
            out.append(Swap(self.node, chosen[0].slot, chosen[1].slot))

    def _deliver_what_can(self, rule: DeliverRule, now: Time, out: list[Action]) -> None:
        handover = self._handover
        assert handover is not None
        for qubit in list(self.qubits.values()):
            if qubit.state is not State.LIVE or qubit.partner != rule.partner:
                continue
            if qubit.rounds < self._rounds.get(qubit.partner, 0):
                continue
            handover.complete(qubit, now, out)
