"""What is so: an abstract plant, and what clients and nodes have been told of it. It judges each thing that the deciders do.

Nothing here is likely or unlikely. A lane whose two ends try may herald at any moment, the ends hear in either order, an operation may
end in any way that the scene's budget of failures allows. Physics is only what identity needs: which half is entangled with
which, in which Bell state, and whether it is still there.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

from quantum_fabric.messages import (
    Accepted,
    Arm,
    Bell,
    Commit,
    Confirmed,
    Consume,
    Delivered,
    Discard,
    Drain,
    Heralded,
    LinkChanged,
    LinkRequest,
    Lost,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Purified,
    Purify,
    Refused,
    Release,
    Send,
    Swap,
    Swapped,
    Undelivered,
    Wake,
)
from quantum_fabric.physics.frames import purify_frame
from quantum_fabric.units import Time

BELLS = tuple(Bell)
FRESH = (Bell.PSI_PLUS, Bell.PHI_MINUS)
"""Labels of the heralds of a lane, in turn: two that differ, so that a label which is lost or used twice shows."""
OUTCOME = Bell.PSI_MINUS
"""Of every swap that succeeds, for the same reason."""

TEARDOWN = (Release, Drain, NodeFailed, Undelivered)


class Half(NamedTuple):
    """One half of an elementary pair, for life."""

    pair: str
    node: str


class Event(NamedTuple):
    """Something that the plant may do now."""

    kind: str
    about: tuple[Any, ...]
    due: Time | None = None


class Violation(Exception):
    """An invariant does not hold."""


class Truth:
    """State of the plant and of what was told, with the checks.

    Args:
        links: name -> its two ends.
        heralds: how often each lane may succeed.
        budget: how many `crash`, `swap` and `purify` failures may still happen.
        transit: within which time everything that is on its way arrives; None for no bound.
    """

    def __init__(
        self, links: dict[str, tuple[str, str]], heralds: int, budget: dict[str, int], transit: Time | None
    ) -> None:
        self.links, self.heralds, self.transit = links, heralds, transit
        self.budget = dict(budget)
        self.dead: frozenset[str] = frozenset()
        self.dark: frozenset[str] = frozenset()
        self.armed: dict[tuple[str, int], dict[str, int]] = {}
        self.count: dict[tuple[str, int], int] = {}
        self.slots: dict[tuple[str, int], Half] = {}
        self.far: dict[Half, Half] = {}
        self.frame: dict[Half, int] = {}
        self.fate: dict[Half, str] = {}  # why it is not in a memory any more; nothing while it is there
        self.spoiled: frozenset[Half] = frozenset()
        self.gates: dict[
            Half, tuple[Half, Half]
        ] = {}  # far half of a half-purified pair -> what the first gate met
        self.told: dict[Half, tuple[Hashable, int, int]] = {}  # what an end has confirmed: pair, label, epoch
        self.pending: tuple[Event, ...] = ()
        self.requests: dict[str, tuple[int, int, int]] = {}  # pairs asked for, delivered, outcomes told
        self.delivered: frozenset[Hashable] = frozenset()
        self.committed = False  # whether the nodes of some installation were all prepared once

    def copy(self) -> Truth:
        """Another one in the same state."""
        made = copy.copy(self)
        for name in ("budget", "count", "slots", "far", "frame", "fate", "gates", "told", "requests"):
            setattr(made, name, dict(getattr(self, name)))
        made.armed = {lane: dict(ends) for lane, ends in self.armed.items()}
        return made

    def key(self) -> Hashable:
        """The same for equal states, whatever the order in which things happened."""
        names = ("budget", "count", "slots", "far", "frame", "fate", "gates", "told", "requests")
        parts: list[Hashable] = [self.dead, self.dark, self.spoiled, self.delivered, self.committed]
        parts += [frozenset(getattr(self, name).items()) for name in names]
        parts.append(frozenset((lane, frozenset(ends.items())) for lane, ends in self.armed.items() if ends))
        parts.append(tuple(sorted(self.pending, key=repr)))
        return tuple(parts)

    # ------------------------------------------------------------------------------------ what may happen

    def enabled(self) -> list[Event]:
        """Everything that the plant may do next."""
        found: list[Event] = []
        for lane, ends in sorted(self.armed.items()):
            if len(ends) == 2 and self.count.get(lane, 0) < self.heralds and lane[0] not in self.dark:
                found.append(Event("fire", lane))
        for event in dict.fromkeys(self.pending):
            found.append(event)
            if event.kind in ("swap", "purify") and self.budget.get(event.kind, 0) and self._fails(event):
                found.append(event._replace(kind=event.kind + " fails"))
        if self.budget.get("cut", 0):
            found += [Event("cut", (link,)) for link in sorted(self.links) if link not in self.dark]
        for node in sorted({node for ends in self.links.values() for node in ends}):
            if node in self.dead:
                found.append(Event("recover", (node,)))
            elif self.budget.get("crash", 0):
                found.append(Event("crash", (node,)))
        return found

    def _fails(self, event: Event) -> bool:
        return event.kind == "swap" or event.about[1] in self.gates

    def can_herald(self) -> bool:
        """Whether both ends of some lane try, whatever the budget."""
        return any(len(ends) == 2 and lane[0] not in self.dark for lane, ends in self.armed.items())

    def do(self, event: Event, now: Time) -> list[tuple[str, Any]]:
        """Let it happen: who is told what, at once."""
        kind = event.kind.removesuffix(" fails")
        if event.kind != kind:
            self.budget[kind] -= 1
        if kind in ("hear", "swap", "purify", "notice"):
            left = list(self.pending)
            left.remove(event._replace(kind=kind))
            self.pending = tuple(left)
        done: list[tuple[str, Any]] = getattr(self, f"_{kind}")(event, now)
        return done

    def _later(self, kind: str, *about: Any, now: Time) -> None:
        self.pending += (Event(kind, about, None if self.transit is None else now + self.transit),)

    def _fire(self, event: Event, now: Time) -> list[tuple[str, Any]]:
        link, lane = event.about
        number = self.count.get((link, lane), 0)
        self.count[link, lane] = number + 1
        name, label = f"{link}/{lane}#{number}", FRESH[number % 2]
        ends = self.armed.pop((link, lane))
        halves = [Half(name, node) for node in ends]
        for half, other in (halves, halves[::-1]):
            self.slots[half.node, ends[half.node]] = half
            self.far[half], self.frame[half] = other, int(label)
            self._later("hear", half, ends[half.node], link, label, now, now=now)
        return []

    def _hear(self, event: Event, now: Time) -> list[tuple[str, Any]]:
        half, slot, link, label, born = event.about
        if self.slots.get((half.node, slot)) != half:
            return []  # let go of before it was heard
        return [(half.node, Heralded(half.node, slot, link, half.pair, label, born, born))]

    def _swap(self, event: Event, now: Time) -> list[tuple[str, Any]]:
        command, left, right = event.about
        places = [(command.node, command.left), (command.node, command.right)]
        if [self.slots.get(place) for place in places] != [left, right]:
            return []
        for place, half in zip(places, (left, right), strict=True):
            del self.slots[place]
            self.fate[half] = "swapped"
        a, b = self.far[left], self.far[right]
        failed = event.kind != "swap"
        if failed or {left, right, a, b} & self.spoiled:
            self.spoiled |= {a, b}
        for half in (a, b):
            if half in self.told:
                raise Violation(f"{command.node} swaps a pair whose half at {half.node} has been used")
        for half in (left, right):
            if half in self.gates or self.far[half] in self.gates:
                raise Violation(f"{command.node} swaps {half.pair}, whose purification is not over")
        self.far[a], self.far[b] = b, a
        self.frame[a] = self.frame[b] = self.frame[left] ^ self.frame[right] ^ OUTCOME
        return [
            (command.node, Swapped(command.node, command.left, command.right, None if failed else OUTCOME))
        ]

    def _purify(self, event: Event, now: Time) -> list[tuple[str, Any]]:
        command, keep, spent = event.about
        places = [(command.node, command.keep), (command.node, command.sacrifice)]
        if [self.slots.get(place) for place in places] != [keep, spent]:
            return []
        del self.slots[places[1]]
        self.fate[spent] = "measured"
        first = self.gates.pop(keep, None)
        bit = 0
        if first is None:
            self.gates[self.far[keep]] = (keep, spent)
        else:
            words = None if command.rotation is None else command.rotation.words
            label, flip = purify_frame(
                command.distillation.value, BELLS[self.frame[keep]], BELLS[self.frame[spent]], words
            )
            failed = event.kind != "purify"
            bit = int(flip) ^ int(failed)
            if failed or first != (self.far[keep], self.far[spent]) or {keep, spent, *first} & self.spoiled:
                self.spoiled |= {keep, self.far[keep]}
            self.frame[keep] = self.frame[self.far[keep]] = int(label)
        return [(command.node, Purified(command.node, command.keep, command.sacrifice, bit))]

    def _crash(self, event: Event, now: Time) -> list[tuple[str, Any]]:
        (node,) = event.about
        self.budget["crash"] -= 1
        self._empty(node)
        self.dead |= {node}
        for link, ends in self.links.items():
            if node in ends:
                self._later("notice", ends[ends[0] == node], link, False, now=now)
        return [(node, NodeFailed(node))]

    def _cut(self, event: Event, now: Time) -> list[tuple[str, Any]]:
        (link,) = event.about
        self.budget["cut"] -= 1
        self.dark |= {link}
        for node in self.links[link]:
            self._later("notice", node, link, False, now=now)
        return []

    def _empty(self, node: str) -> None:
        for ends in self.armed.values():
            ends.pop(node, None)
        for place in [place for place in self.slots if place[0] == node]:
            self.fate[self.slots.pop(place)] = "crash"

    def _recover(self, event: Event, now: Time) -> list[tuple[str, Any]]:
        (node,) = event.about
        self.dead -= {node}
        for link, ends in self.links.items():
            if node in ends:
                other = ends[ends[0] == node]
                self._later("notice", node, link, other not in self.dead, now=now)
                self._later("notice", other, link, True, now=now)
        return [(node, NodeRecovered(node))]

    def _notice(self, event: Event, now: Time) -> list[tuple[str, Any]]:
        node, link, up = event.about
        if node in self.dead:
            return []
        out: list[tuple[str, Any]] = [] if up else [(node, LinkChanged(node, link, False))]
        if link not in self.dark and not self.dead & set(self.links[link]):
            out.append((node, LinkChanged(node, link, True)))
        return out

    # ------------------------------------------------------------------------------------ what is done

    def reacted(self, seat: str, cause: Any, actions: Iterable[Any], now: Time) -> None:
        """A decider answered like this: commands are executed, claims are judged.

        Raises:
            Violation: what is wrong.
        """
        for action in actions:
            match action:
                case Send(message=Confirmed() as claim):
                    self._claimed(claim)
                case Send(to="client", message=message):
                    self._said(message)
                case Send(message=Commit()):
                    self.committed = True
                case Arm() | Swap() | Purify() | Discard() | Consume() if seat not in self.dead:
                    self._execute(action, cause, now)

    def _execute(self, command: Any, cause: Any, now: Time) -> None:
        node = command.node
        match command:
            case Arm(slot=slot, link=link, lane=lane):
                ends = self.armed.setdefault((link, lane), {})
                if (node, slot) in self.slots or node in ends or self._tries(node, slot):
                    raise Violation(f"{node} arms slot {slot} for {link}/{lane}, one of which is in use")
                ends[node] = slot
            case Discard(slot=slot):
                for ends in self.armed.values():
                    if ends.get(node) == slot:
                        del ends[node]
                half = self.slots.pop((node, slot), None)
                if half is not None:
                    self._dropped(half, cause)
            case Consume(slot=slot):
                half = self._held(node, slot)
                if half not in self.told:
                    raise Violation(f"{node} uses {half.pair} and has told nobody")
                self.fate[half] = "used"
                del self.slots[node, slot]
            case Swap(left=left, right=right):
                self._later("swap", command, self._held(node, left), self._held(node, right), now=now)
            case Purify(keep=keep, sacrifice=spent):
                self._later("purify", command, self._held(node, keep), self._held(node, spent), now=now)

    def _tries(self, node: str, slot: int) -> bool:
        return any(ends.get(node) == slot for ends in self.armed.values())

    def _held(self, node: str, slot: int) -> Half:
        half = self.slots.get((node, slot))
        if half is None:
            raise Violation(f"{node} works on slot {slot}, which is empty")
        return half

    def _dropped(self, half: Half, cause: Any) -> None:
        ends = isinstance(cause, TEARDOWN) or (isinstance(cause, Wake) and cause.purpose == "lease")
        ends = ends or (isinstance(cause, Lost) and cause.why in ("expired", "below the floor"))
        self.fate[half] = "teardown" if ends else "dropped"
        other = self.far[half]
        if not ends and other in self.told:
            raise Violation(f"half-open: {half.node} drops {half.pair}, and {other.node} has used the pair")

    def _claimed(self, claim: Confirmed) -> None:
        half = self._held(claim.node, claim.slot)
        other = self.far[half]
        pair = (half.pair, other.pair)
        if pair not in (tuple(claim.pair), tuple(claim.pair)[::-1]):
            raise Violation(f"{claim.node} confirms {tuple(claim.pair)}, and its half belongs to {pair}")
        if self.fate.get(other, "used") not in ("used", "teardown", "crash"):
            raise Violation(f"half-open: {half.node} uses {pair}, whose other half was {self.fate[other]}")
        if half in self.spoiled or other in self.spoiled or half in self.gates or other in self.gates:
            raise Violation(f"{claim.node} uses {pair}, which is no entangled pair")
        if claim.bell != self.frame[half]:
            raise Violation(f"{claim.node} takes {pair} for {claim.bell.symbol}, wrongly")
        said = self.told.get(other)
        if said is not None and said != (claim.pair, int(claim.bell), claim.epoch):
            raise Violation(f"the ends of {pair} do not say the same of it")
        if half in self.told:
            raise Violation(f"{claim.node} confirms {half.pair} a second time")
        self.told[half] = (claim.pair, int(claim.bell), claim.epoch)

    def _said(self, message: Any) -> None:
        match message:
            case Accepted(request=name):
                if name in self.requests:
                    raise Violation(f"{name} is accepted a second time")
                self.requests[name] = (0, 0, 0)
            case Delivered(request=name, pair=pair, bell=bell, number=number):
                ends = [told for told in self.told.values() if told[0] == pair]
                if len(ends) != 2 or any(told[1] != bell for told in ends):
                    raise Violation(f"{tuple(pair)} is delivered, and its ends have not both confirmed it so")
                if pair in self.delivered:
                    raise Violation(f"{tuple(pair)} is delivered a second time")
                self.delivered |= {pair}
                asked, count, over = self.requests[name]
                if over or number != count + 1:
                    raise Violation(
                        f"pair {number} of {name} is delivered after {count} pairs, {over} outcomes"
                    )
                self.requests[name] = (asked, number, over)
            case Outcome(request=name, delivered=delivered):
                asked, count, over = self.requests.get(name, (0, 0, 0))
                if over:
                    raise Violation(f"{name} has a second outcome")
                if delivered != count:
                    raise Violation(
                        f"the outcome of {name} counts {delivered} pairs, and {count} were delivered"
                    )
                self.requests[name] = (asked, count, 1)
            case Refused() | LinkRequest():
                pass

    # ------------------------------------------------------------------------------------ at the end

    def open(self) -> list[str]:
        """Requests that were accepted and have no outcome."""
        return sorted(name for name, (_, _, over) in self.requests.items() if not over)

    def left(self) -> list[str]:
        """What is still in a memory or on a lane."""
        tries = [f"{node} tries on {lane}" for lane, ends in self.armed.items() for node in ends]
        return tries + [f"{half.pair} at {half.node}" for half in self.slots.values()]
