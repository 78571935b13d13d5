"""The deciders that run, an abstract plant, and letters on their way: one step of the whole.

A state is a few numbers, so a search can keep millions. Time moves only when a timer fires, and then to that timer's time; no timer
fires before what has to arrive until then has arrived (``transit``). Everything else may happen in any order.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest.mock import patch

from builders import inventory, link, node, plan
from model.parts import Once, Shelf, Table, frozen
from model.truth import Event, Truth, Violation
from quantum_fabric.control import Controller, NodeAgent
from quantum_fabric.control.transport import RESEND, Correspondent, Endpoint
from quantum_fabric.documents import topology
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Accept,
    Ask,
    Cancel,
    ControllerRecovered,
    LinkRequest,
    LinkWorn,
    Plan,
    Receipt,
    Refused,
    Renegotiate,
    Send,
    Survival,
    Wake,
)
from quantum_fabric.messages import Letter as Envelope
from quantum_fabric.units import MS, US, Time

LEASE: Time = 4 * MS
BELIEVED: Time = 10 * US
"""Delay that the deciders take the classical plane to have."""
WAIT: Time = 30 * US
"""For which endpoints wait for a receipt at first,"""
PATIENCE: Time = 200 * US
"""and for how long they go on."""


class Heard:
    """Stands before a decider and notes what it is asked and what it answers."""

    def __init__(self, decider: Any) -> None:
        self.decider = decider
        self.said: list[tuple[Any, tuple[Any, ...]]] = []

    def handle(self, message: Any, now: Time) -> Any:
        actions = tuple(self.decider.handle(message, now))
        self.said.append((message, actions))
        return actions


def inner(seat: Any) -> Any:
    """The decider of a seat."""
    return seat.decider if isinstance(seat, Correspondent) else seat


def content(message: Any) -> Any:
    """What a letter says."""
    return message.content if isinstance(message, Envelope) else message


@dataclass(frozen=True)
class Scene:
    """What is explored.

    Attributes:
        slots: memory slots of each node.
        links: by their ends.
        paths: path, and how `builders.plan` is to plan along it, for each request. Requests go from its first to its last node.
        pairs: how many each request asks for.
        deadlines: of each request (ps), or None.
        heralds: how often each lane may succeed.
        transit: bound of everything's time on its way (ps); None lets timers overtake anything.
        lose, repeat: how many letters may be lost, may come twice.
        only: kinds of letters that may; all where it is empty.
        crash, swap, purify: how many nodes, Bell measurements, rounds of purification may fail.
        cancel: whether the first request may be withdrawn at any moment.
        later: what else clients say to the controller, at any moment once it was asked.
        cut: how many links may go dark for good.
        survives: what every request has to outlive.
        restart: how often the controller may start again: with empty books, or from its journal where letters are reliable.
        reliable: whether every seat has an endpoint, so that letters are acknowledged and sent again.
        skew: by how much the clocks of nodes are behind (ps; ahead where it is negative).
        guard: by how much the controller takes them to be wrong (ps).
        until: no timer later than this fires (ps).
        unbroken: whether what runs must be served all the while, because a new path is made before the old one is broken.
        settled: begin when every node has had its `Commit`, so that only what comes after is explored.
        domains: nodes of each domain, where there are several controllers (`model.domains`).
        part: whether these may be cut off from each other for a while.
        agent, controller: the deciders.
    """

    slots: Mapping[str, int]
    links: tuple[str, ...]
    paths: tuple[tuple[str, Mapping[str, Any]], ...]
    pairs: tuple[int, ...] = (1,)
    deadlines: tuple[Time | None, ...] = (5 * MS,)
    heralds: int = 1
    transit: Time | None = BELIEVED
    lose: int = 0
    repeat: int = 0
    only: frozenset[str] = frozenset()
    crash: int = 0
    swap: int = 0
    purify: int = 0
    cancel: bool = False
    later: tuple[Any, ...] = ()
    cut: int = 0
    survives: Survival = Survival.NOTHING
    restart: int = 0
    reliable: bool = False
    skew: Time = 0
    guard: Time = 0
    until: Time = 40 * MS
    unbroken: bool = False
    settled: bool = False
    domains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    part: bool = False
    agent: type[NodeAgent] = NodeAgent
    controller: type[Controller] = Controller


class Letter(NamedTuple):
    """A message on its way to a seat, and by when it has arrived."""

    to: str
    message: Any
    due: Time | None


class State(NamedTuple):
    """All there is, in numbers of what a `World` keeps."""

    now: Time
    seats: tuple[int, ...]
    truth: int
    letters: tuple[int, ...]
    timers: tuple[int, ...]
    spare: tuple[int, ...]  # letters that may still be lost, may still come twice; restarts; withdrawals


class Choice(NamedTuple):
    """What happens next."""

    verb: str
    what: Any


@dataclass
class Numbers:
    """Things under numbers."""

    things: list[Any] = field(default_factory=list)
    numbers: dict[Hashable, int] = field(default_factory=dict)

    def of(self, thing: Hashable) -> int:
        number = self.numbers.get(thing)
        if number is None:
            number = self.numbers[thing] = len(self.things)
            self.things.append(thing)
        return number


class Loose(Numbers):
    """Numbers of things that hardly ever come twice: nothing is compared."""

    def of(self, thing: Any) -> int:
        self.things.append(thing)
        return len(self.things) - 1


class World:
    """Steps of a scene.

    Args:
        scene: what is explored.
        walk: never go back to a state: deciders are used as they are, which is fast where hardly a state is met twice.
    """

    def __init__(self, scene: Scene, walk: bool = False) -> None:
        self.scene = scene
        self.network = inventory(
            {name: node(count) for name, count in scene.slots.items()},
            [(ends[0], ends[1], link()) for ends in scene.links],
            delay=BELIEVED if scene.transit is None else scene.transit,
        )
        self.topology = topology(self.network)
        self.names = (CONTROLLER, *scene.slots)
        self.place = {name: place for place, name in enumerate(self.names)}
        self.requests = [
            LinkRequest(
                path[0],
                path[-1],
                0.6,
                pairs,
                deadline=deadline,
                name=f"r{number + 1}",
                survives=scene.survives,
            )
            for number, ((path, _), pairs, deadline) in enumerate(
                zip(scene.paths, scene.pairs, scene.deadlines, strict=False)
            )
        ]
        self.walk = walk
        self.worn = frozenset(each.link for each in scene.later if isinstance(each, LinkWorn) and each.worn)
        self._number()
        known: OrderedDict[Any, Any] = OrderedDict()
        self._known = known
        self.shelf = Table(self.topology, known) if walk else Shelf(self.topology, known)
        self.truths: list[Truth] = []
        self._truth_numbers: dict[Hashable, int] = {}
        once: Callable[[Callable[..., Any]], Callable[..., Any]] = (lambda work: work) if walk else Once
        self._handled = once(self._handle)
        self._judged = once(self._judge)
        self._done = once(self._do)
        self.enabled = once(lambda truth: tuple(self.truths[truth].enabled()))
        self.leases = Once(self._leases)
        self._moot = once(
            lambda seat, timer: self.shelf.take(seat).endpoint.moot(self.timers.things[timer][2])
        )
        self.dark = once(lambda seat: frozenset(inner(self.shelf.take(seat)).admission.dark))

    def _number(self) -> None:
        self.letters, self.timers = Numbers(), Numbers()
        self.messages, self.answers = (Loose(), Loose()) if self.walk else (Numbers(), Numbers())

    def _seat(self, name: str, decider: Any) -> Any:
        if not self.scene.reliable:
            return decider
        if name == CONTROLLER:
            decider.bear(PATIENCE, self.scene.guard)
        waits = dict.fromkeys(self.names, WAIT)
        return Correspondent(decider, Endpoint(name, waits, PATIENCE, exact=name == CONTROLLER))

    # ------------------------------------------------------------------------------------- planning

    @contextmanager
    def planning(self) -> Iterator[None]:
        """Let every controller take the scene's paths: the first one of the request's ends that is lit and fits."""
        plans = [(path, plan(self.network, path, **how)) for path, how in self.scene.paths]

        def answer(
            topology: Any, wanted: LinkRequest, free: Mapping[str, int] | None = None, **_: Any
        ) -> Plan | Refused:
            from quantum_fabric.control.rules import slots_wanted
            from quantum_fabric.messages import Code

            for path, made in plans:
                if (path[0], path[-1]) == (wanted.source, wanted.destination) and all(
                    each.link in topology.links for each in made.links
                ):
                    wants = slots_wanted(made)
                    if free is None or all(free[name] >= count for name, count in wants.items()):
                        return made
            return Refused("", Code.NOROUTE, "network", "no working path")

        with patch("quantum_fabric.control.controller.make_plan", answer):
            yield

    # ---------------------------------------------------------------------------------------- steps

    def start(self) -> State:
        """Everybody idle, and the requests on their way."""
        scene = self.scene
        ends = {f"{each[0]}~{each[1]}": (each[0], each[1]) for each in scene.links}
        budget = {"crash": scene.crash, "swap": scene.swap, "purify": scene.purify, "cut": scene.cut}
        truth = self._keep(Truth(ends, scene.heralds, budget, scene.transit))
        seats = (
            self.shelf.put(self._seat(CONTROLLER, self._fresh())),
            *[
                self.shelf.put(self._seat(name, scene.agent(name, count)))
                for name, count in scene.slots.items()
            ],
        )
        said = (*self.requests, *scene.later)
        asks = [self.letters.of(Letter(CONTROLLER, each, scene.transit)) for each in said]
        spare = (scene.lose, scene.repeat, scene.restart, int(scene.cancel))
        state = State(0, seats, truth, tuple(sorted(asks)), (), spare)
        later = {self.letters.of(Letter(CONTROLLER, each, scene.transit)) for each in scene.later}
        while scene.settled and (now := [each for each in state.letters if each not in later]):
            state = self.step(state, Choice("deliver", now[0]))
        return state

    def apart(self, state: State) -> State:
        """A state that may be gone on from without touching this one."""
        if not isinstance(self.shelf, Table):
            return state
        self.truths.append(self.truths[state.truth].copy())
        return state._replace(seats=tuple(map(self.shelf.copied, state.seats)), truth=len(self.truths) - 1)

    def clear(self) -> None:
        """Forget every state of a walk."""
        if isinstance(self.shelf, Table):
            self.shelf.clear()
        self._number()
        self.leases.known.clear()
        self.truths.clear()

    def choices(self, state: State) -> list[Choice]:
        """Everything that may happen next."""
        found: list[Choice] = []
        letters = self.letters.things
        bound: Time | None = None
        last = -1
        lose, repeat, restart, cancel = state.spare
        hurried = self._receipt(state) if self.scene.reliable and self.scene.transit is not None else None
        for number in state.letters if hurried is None else (hurried,):
            due = letters[number].due
            if due is not None and (bound is None or due < bound):
                bound = due
            if number == last:
                continue
            last = number
            found.append(Choice("deliver", number))
            if (lose or repeat) and self._may_fail(letters[number].message):
                if lose:
                    found.append(Choice("lose", number))
                if repeat and hurried is None:
                    found.append(Choice("repeat", number))
        if hurried is not None:
            return found
        for event in self.enabled(state.truth):
            if event.due is not None and (bound is None or event.due < bound):
                bound = event.due
            found.append(Choice("plant", event))
        if restart:
            found.append(Choice("restart", 0))
            if self.scene.reliable:
                found.append(Choice("outage", 0))
        if cancel and self.truths[state.truth].open():
            found.append(Choice("cancel", 0))
        if state.timers:
            timers = self.timers.things
            at = max(state.now, min(timers[number][0] for number in state.timers))
            if at <= self.scene.until and (bound is None or bound > at):
                found += [
                    Choice("timer", each) for each in sorted({n for n in state.timers if timers[n][0] <= at})
                ]
        return found

    def _receipt(self, state: State) -> int | None:
        """A receipt under way, if there is one: it goes first.

        All that a receipt does is to let an endpoint forget a letter (a crash would do that too), and within a bounded transit no
        reminder of the letter comes before it. So it commutes with everything else that can happen, and one order of them is enough.
        """
        things = self.letters.things
        return next((each for each in state.letters if isinstance(things[each].message, Receipt)), None)

    def _may_fail(self, message: Any) -> bool:
        message = content(message)
        only = self.scene.only
        if isinstance(message, LinkRequest | Cancel | Ask | Accept | Renegotiate):
            return False  # the caller sits beside the controller
        return not only or type(message).__name__ in only

    def step(self, state: State, choice: Choice) -> State:
        """What it leads to.

        Raises:
            Violation: an invariant is broken.
        """
        verb, what = choice
        if verb == "deliver":
            letter = self.letters.things[what]
            return self._tell(self._without(state, what), letter.to, letter.message)
        if verb == "plant":
            truth, told = self._done(state.truth, what, state.now)
            state = state._replace(truth=truth)
            for seat, message in told:
                state = self._tell(state, seat, message, local=True)
            return state
        if verb == "timer":
            at, seat, wake = self.timers.things[what]
            timers = list(state.timers)
            timers.remove(what)
            now = at - self.scene.skew if wake.purpose == "lease" and seat != CONTROLLER else at
            return self._tell(
                state._replace(now=max(at, state.now), timers=tuple(timers)), seat, wake, at=max(now, wake.at)
            )
        lose, repeat, restart, cancel = state.spare
        if verb == "lose":
            return self._without(state, what)._replace(spare=(lose - 1, repeat, restart, cancel))
        if verb == "repeat":
            letters = tuple(sorted((*state.letters, what)))
            return state._replace(letters=letters, spare=(lose, repeat - 1, restart, cancel))
        if verb in ("restart", "outage") and self.scene.reliable:
            # what comes back from a journal is what there was (tests/unit/control/test_recovery.py); it begins another life
            things = self.letters.things
            here = tuple(
                n
                for n in state.letters
                if verb == "restart"
                or things[n].to != CONTROLLER
                or isinstance(things[n].message, LinkRequest)
            )
            state = state._replace(letters=here, spare=(lose, repeat, restart - 1, cancel))
            return self._tell(state, CONTROLLER, ControllerRecovered(scene_restarts(self.scene, restart), 0))
        if verb == "restart":
            seats = (self.shelf.put(self._fresh()), *state.seats[1:])
            timers = tuple(n for n in state.timers if self.timers.things[n][1] != CONTROLLER)
            return state._replace(seats=seats, timers=timers, spare=(lose, repeat, restart - 1, cancel))
        state = state._replace(spare=(lose, repeat, restart, cancel - 1))
        return self._tell(state, CONTROLLER, Cancel(self.requests[0].name))

    def _fresh(self) -> Controller:
        made = self.scene.controller(self.topology, LEASE)
        made.admission.memory._known = self._known
        return made

    def _without(self, state: State, letter: int) -> State:
        letters = list(state.letters)
        letters.remove(letter)
        return state._replace(letters=tuple(letters))

    def _tell(
        self, state: State, seat: str, message: Any, local: bool = False, at: Time | None = None
    ) -> State:
        truth = self.truths[state.truth]
        if seat in truth.dead and type(message).__name__ != "NodeFailed":
            return state
        place = self.place[seat]
        now = state.now if at is None else at
        number, answer = self._handled(state.seats[place], self.messages.of(message), now)
        said, letters, timers = self.answers.things[answer]
        seats = state.seats
        if number != seats[place]:
            seats = (*seats[:place], number, *seats[place + 1 :])
        if self.scene.reliable and number != state.seats[place]:
            state = state._replace(timers=self._still(state.timers, seat, number))
        if not (letters or timers or any(actions for _, actions in said)):
            return state if seats is state.seats else state._replace(seats=seats)
        told = self._judged(state.truth, seat, answer, state.now)
        sent = self._sent(state, seat, letters)
        return State(
            state.now,
            seats,
            told,
            tuple(sorted((*state.letters, *sent))) if sent else state.letters,
            tuple(sorted((*state.timers, *[self.timers.of(self._reminder(seat, wake)) for wake in timers])))
            if timers
            else state.timers,
            state.spare,
        )

    def _sent(self, state: State, seat: str, letters: tuple[tuple[str, Any], ...]) -> list[int]:
        """Numbers of letters that a seat wrote."""
        due = None if self.scene.transit is None else state.now + self.scene.transit
        return [self.letters.of(Letter(to, news, due)) for to, news in letters]

    def controllers(self) -> range:
        """Places of the controllers."""
        return range(1)

    def _reminder(self, seat: str, wake: Wake) -> tuple[Time, str, Wake]:
        """When it comes by the true clock."""
        wrong = self.scene.skew if wake.purpose == "lease" and seat != CONTROLLER else 0
        return wake.at + wrong, seat, wake

    def _still(self, timers: tuple[int, ...], seat: str, number: int) -> tuple[int, ...]:
        """The timers without reminders of letters that were acknowledged: they would do nothing."""
        things = self.timers.things
        return tuple(
            each
            for each in timers
            if things[each][1] != seat or things[each][2].purpose != RESEND or not self._moot(number, each)
        )

    # ------------------------------------------------------------------------- each worked out once

    def _handle(self, decider: int, message: int, now: Time) -> tuple[int, int]:
        who = self.shelf.take(decider)
        told = self.messages.things[message]
        others = self._others(who, told)
        try:
            if isinstance(who, Correspondent):
                who.decider = heard = Heard(who.decider)
                actions = tuple(who.handle(told, now))
                who.decider, said = heard.decider, tuple(heard.said)
            else:
                actions = tuple(who.handle(told, now))
                said = ((told, actions),)
        except Exception as error:
            raise Violation(f"{type(error).__name__} in answer to {told}: {error}") from error
        if others != self._others(who, told):
            raise Violation(f"{type(content(told)).__name__} changes what is of another epoch")
        letters = tuple(
            (each.to, each.message) for each in actions if isinstance(each, Send) and each.to != CLIENT
        )
        timers = tuple(each for each in actions if isinstance(each, Wake))
        return self.shelf.put(who), self.answers.of((said, letters, timers))

    def _others(self, who: Any, told: Any) -> Hashable:
        """What an agent holds of other epochs than that of a letter."""
        epoch, who = getattr(content(told), "epoch", None), inner(who)
        if epoch is None or not isinstance(who, NodeAgent) or getattr(told, "purpose", "") == RESEND:
            return None
        return tuple((each, frozen(circuit, {})) for each, circuit in who._circuits.items() if each != epoch)

    def _judge(self, truth: int, seat: str, answer: int, now: Time) -> int:
        made = self._to_change(truth)
        for cause, actions in self.answers.things[answer][0]:
            made.reacted(seat, cause, actions, now)
        return truth if self.walk else self._keep(made)

    def _to_change(self, truth: int) -> Truth:
        """A truth that may be changed: in a walk, which never goes back, the truth itself."""
        return self.truths[truth] if self.walk else self.truths[truth].copy()

    def _do(self, truth: int, event: Event, now: Time) -> tuple[int, tuple[tuple[str, Any], ...]]:
        made = self._to_change(truth)
        told = tuple(made.do(event, now))
        return truth if self.walk else self._keep(made), told

    def _keep(self, truth: Truth) -> int:
        if self.walk:
            self.truths.append(truth)
            return len(self.truths) - 1
        key = truth.key()
        number = self._truth_numbers.get(key)
        if number is None:
            number = self._truth_numbers[key] = len(self.truths)
            self.truths.append(truth)
        return number

    def _leases(self, place: int, decider: int) -> dict[tuple[str, int], tuple[int, Time]]:
        """(node, slot) -> (epoch, until), as the controller's book or an agent sees it."""
        who = inner(self.shelf.take(decider))
        found: dict[tuple[str, int], tuple[int, Time]] = {}
        if not isinstance(who, NodeAgent):
            for lease in who.ledger.leases():
                if (lease.node, lease.slot) in found:
                    raise Violation(f"the ledger lends slot {lease.slot} of {lease.node} twice")
                if lease.slot in who.ledger._free[lease.node]:
                    raise Violation(
                        f"the ledger lends slot {lease.slot} of {lease.node}, and has it for free"
                    )
                found[lease.node, lease.slot] = (lease.epoch, lease.until)
            return found
        for slot, epoch in who.leases.items():
            found[who.name, slot] = (epoch, who.circuit(epoch).lease_until)
        for epoch, circuit in who._circuits.items():
            for slot in circuit.qubits:
                if who.leases.get(slot) != epoch:
                    raise Violation(f"two epochs of {who.name} use slot {slot}")
        return found


def scene_restarts(scene: Scene, left: int) -> int:
    """Which life of the controller the next one is."""
    return 2 + scene.restart - left


Probe = Callable[[World, State], None]
