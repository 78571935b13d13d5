"""A domain as one node of a longer path: it offers segments, prepares them, and answers for all its nodes.

To whoever asks, the domain behaves as a node does: `Prepared` or `Declined`, `Commit`, `Renew`, `Drain`, `Release`, `Released`. What
it does for that inside (paths, swaps, purification) is not told.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from quantum_fabric.control.distributed.territory import Surveyor, Territory, offered_point
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.rules import (
    UNBOUNDED,
    calibration,
    compile_rules,
    lane_room,
    lanes_wanted,
    retention,
    slots_wanted,
)
from quantum_fabric.messages import (
    Code,
    Commit,
    Confirmed,
    CurvePoint,
    Declined,
    DeliverRule,
    Drain,
    GenerateRule,
    Message,
    Plan,
    Prepare,
    Prepared,
    Refused,
    Release,
    Released,
    Renew,
    Rule,
    SegmentAccept,
    SegmentAsk,
    SegmentConfirmed,
    SegmentDown,
    SegmentOffered,
    SegmentRefused,
    Send,
    Stale,
    Wake,
)
from quantum_fabric.ports import Action
from quantum_fabric.units import SECOND, Time

LASTS: Time = 2 * SECOND
"""For how long a segment that was offered is kept."""

MOST_REMEMBERED = 10_000
"""Epochs that are over and are known for it: a letter of theirs may still be on its way."""


@dataclass(slots=True)
class Segment:
    """A segment that was offered, or is in force.

    Attributes:
        ask: what was asked.
        plan: between entry and exit; None where they are the same.
        slots: leased at each node; the first of them are the plan's.
        answer: what was offered.
        waiting: nodes that have not yet said `Prepared`; None before it was accepted.
        held: nodes that have not yet let go.
        ends: nodes that deliver, and keep pairs when it is drained.
        down: whether it was said that it cannot be kept up.
    """

    ask: SegmentAsk
    plan: Plan | None
    slots: dict[str, tuple[int, ...]]
    answer: SegmentOffered
    waiting: set[str] | None = None
    held: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    down: bool = False


class Segments:
    """Answers heads.

    Args:
        territory: the domain.
        ledger: of its slots.
        surveyor: plans within it.
        dark: links that are out of service.

    Attributes:
        open: by epoch.
    """

    def __init__(self, territory: Territory, ledger: Ledger, surveyor: Surveyor, dark: set[str]) -> None:
        self._territory = territory
        self._ledger = ledger
        self._surveyor = surveyor
        self._dark = dark
        self.open: dict[int, Segment] = {}
        self._over: OrderedDict[int, None] = OrderedDict()

    def handlers(self) -> dict[type, Callable[[Any, Time], list[Action]]]:
        """What heads say, by type."""
        return {
            SegmentAsk: self.asked,
            SegmentAccept: self.accepted,
            Commit: self._passed_on,
            Renew: self._renewed,
            Drain: self._drained,
            Release: self._released_by_head,
        }

    # -------------------------------------------------------------------------------------------- offer

    def asked(self, ask: SegmentAsk, now: Time) -> list[Action]:
        """Offer, and keep the slots for it; or refuse."""
        known = self.open.get(ask.epoch)
        if known is not None:
            return [Send(ask.head, known.answer)]
        if ask.epoch in self._over:
            return [Stale(self._territory.seat, "SegmentAsk", ask.epoch)]
        wanted: dict[str, int] = {ask.entry: 0, ask.exit: 0}
        for _, port in ask.crossings:
            wanted[port] = wanted.get(port, 0) + 1
        found = self._inside(ask, wanted)
        if isinstance(found, Refused):
            # what binds inside is nobody else's business
            kind = "busy" if found.code is Code.NORES else "not possible"
            return [
                Send(ask.head, SegmentRefused(ask.epoch, ask.domain, found.code, f"{ask.domain}: {kind}"))
            ]
        lanes = dict.fromkeys((link for link, _ in ask.crossings), 1)
        topology = self._territory.topology
        keep: Time = 0
        point: CurvePoint | None = None
        if found is not None:
            for name, count in slots_wanted(found).items():
                wanted[name] = wanted.get(name, 0) + count
            lanes.update(lanes_wanted(found))
            keep, point = retention(found, topology), offered_point(found.forecast, ask.fidelity)
        until = now + LASTS
        slots = self._ledger.lease(ask.epoch, wanted, until)
        self._ledger.lanes(ask.epoch, lanes)
        answer = SegmentOffered(ask.epoch, ask.domain, point, keep, until)
        self.open[ask.epoch] = Segment(ask, found, slots, answer, held=set(slots))
        return [Send(ask.head, answer), Wake(until, "segment", ask.epoch)]

    def _inside(self, ask: SegmentAsk, wanted: dict[str, int]) -> Plan | Refused | None:
        """The plan between entry and exit; None where there is nothing to plan."""
        busy = Refused("", Code.NORES, "", "busy")
        nodes = self._territory.topology.nodes
        known = nodes if ask.head == self._territory.seat else self._territory.ports
        if any(name not in known for name in wanted):
            return Refused("", Code.NOROUTE, "", "not here")
        dark = [
            link for link, _ in ask.crossings if link in self._dark or link not in self._territory.crossings
        ]
        if dark:
            return Refused("", Code.NOROUTE, "", "dark")
        room = {link: self._room(link) for link, _ in ask.crossings}
        if not self._ledger.fits(wanted) or not self._ledger.carries(dict.fromkeys(room, 1), room):
            return busy
        if ask.entry == ask.exit:
            return None
        found = self._surveyor.plan(ask.entry, ask.exit, ask.fidelity, ask.rate, wanted)
        if isinstance(found, Refused):
            return found
        total = {name: count + wanted.get(name, 0) for name, count in slots_wanted(found).items()}
        fits = self._ledger.fits(total) and self._ledger.carries(
            lanes_wanted(found), lane_room(found, self._territory.topology)
        )
        return found if fits else busy

    def _room(self, link: str) -> int:
        heralding = self._territory.crossings[link].model.heralding(None, 1)
        return heralding.period // heralding.cycle if heralding.cycle else UNBOUNDED

    def ran_out(self, epoch: int, now: Time) -> list[Action]:
        """The time of an offer is over."""
        segment = self.open.get(epoch)
        if segment is None or segment.waiting is not None or segment.answer.expires > now:
            return []
        return self._dropped(epoch, segment)

    def _dropped(self, epoch: int, segment: Segment) -> list[Action]:
        """Nobody inside has heard of it: its slots are free at once."""
        for name in segment.slots:
            self._ledger.release(epoch, name)
        return self._over_with(epoch, segment)

    def _over_with(self, epoch: int, segment: Segment) -> list[Action]:
        del self.open[epoch]
        self._over[epoch] = None
        if len(self._over) > MOST_REMEMBERED:
            self._over.popitem(last=False)
        return [Send(segment.ask.head, Released(epoch, segment.ask.domain))]

    # -------------------------------------------------------------------------------------- installation

    def accepted(self, message: SegmentAccept, now: Time) -> list[Action]:
        """Have the nodes prepare."""
        segment = self.open.get(message.epoch)
        if segment is None:
            head = Stale(self._territory.seat, "SegmentAccept", message.epoch)
            return [head]
        head_seat = segment.ask.head
        if segment.waiting is not None:  # a letter that comes twice
            if segment.waiting:
                return []
            return [Send(head_seat, Prepared(message.epoch, message.domain))]
        if segment.down:
            return [Send(head_seat, Declined(message.epoch, message.domain, "the segment went dark"))]
        rules = self._rules(segment, message)
        self._ledger.renew(message.epoch, message.lease_until)
        segment.waiting = set(rules)
        segment.ends = {
            name for name, those in rules.items() if any(isinstance(each, DeliverRule) for each in those)
        }
        nodes = self._territory.topology.nodes
        out: list[Action] = [
            Send(
                name,
                Prepare(
                    message.epoch, message.request, name, those, calibration(nodes[name]), message.lease_until, message.retention
                ),
            )
            for name, those in rules.items()
        ]  # fmt: skip
        return [*out, Wake(message.lease_until, "expire", message.epoch)]

    def _rules(self, segment: Segment, message: SegmentAccept) -> dict[str, tuple[Rule, ...]]:
        """Rules of the plan inside, without its delivery, and the duties of the ports."""
        plan, slots = segment.plan, segment.slots
        rules: dict[str, list[Rule]] = {name: [] for name in slots}
        used = dict.fromkeys(slots, 0)
        if plan is not None:
            lanes = {link.link: self._lanes(message.epoch, link.link, link.lanes) for link in plan.links}
            for name, those in compile_rules(
                plan, self._territory.topology, slots, lanes, hold=False
            ).items():
                rules[name] = [each for each in those if not isinstance(each, DeliverRule)]
            used.update(slots_wanted(plan))
        for duty in message.duties:
            for rule in duty.rules:
                if isinstance(rule, GenerateRule):
                    start = used[duty.node]
                    used[duty.node] = start + len(rule.slots)
                    rule = replace(rule, slots=slots[duty.node][start : used[duty.node]])
                rules[duty.node].append(rule)
        return {name: tuple(those) for name, those in rules.items() if those}

    def _lanes(self, epoch: int, link: str, count: int) -> tuple[int, ...]:
        """Lanes that no other installation has: epochs are unique, and so are these numbers."""
        return tuple((epoch << 8) + number for number in range(count))

    def prepared(self, message: Prepared, now: Time) -> list[Action]:
        """A node is ready; when all are, the domain is."""
        segment = self.open[message.epoch]
        if not segment.waiting:
            return [Stale(self._territory.seat, "Prepared", message.epoch)]
        segment.waiting.discard(message.node)
        if segment.waiting:
            return []
        return [Send(segment.ask.head, Prepared(message.epoch, segment.ask.domain))]

    def declined(self, message: Declined, now: Time) -> list[Action]:
        """A node cannot."""
        segment = self.open[message.epoch]
        return [
            Send(
                segment.ask.head, Declined(message.epoch, segment.ask.domain, "a node of the domain declined")
            )
        ]

    # --------------------------------------------------------------------------------------------- life

    def _passed_on(self, message: Message, now: Time) -> list[Action]:
        epoch: int = message.epoch  # type: ignore[union-attr]
        segment = self.open.get(epoch)
        if segment is None or segment.waiting is None:
            return [Stale(self._territory.seat, type(message).__name__, epoch)]
        return [Send(name, message) for name in sorted(segment.held)]

    def _renewed(self, message: Renew, now: Time) -> list[Action]:
        segment = self.open.get(message.epoch)
        if segment is None:
            return [Stale(self._territory.seat, "Renew", message.epoch)]
        self._ledger.renew(message.epoch, message.lease_until)
        return [*self._passed_on(message, now), Wake(message.lease_until, "expire", message.epoch)]

    def _drained(self, message: Drain, now: Time) -> list[Action]:
        segment = self.open.get(message.epoch)
        if segment is None:
            return [Stale(self._territory.seat, "Drain", message.epoch)]
        segment.down = True
        return [
            Send(name, message if name in segment.ends else Release(message.epoch))
            for name in sorted(segment.held)
        ]

    def _released_by_head(self, message: Release, now: Time) -> list[Action]:
        epoch = message.epoch
        segment = self.open.get(epoch)
        if segment is None:
            self._over[epoch] = None  # its ask may still be on its way
            return []
        if segment.waiting is None:
            return self._dropped(epoch, segment)
        segment.down = True
        return [Send(name, message) for name in sorted(segment.held)]

    def released(self, message: Released, now: Time) -> list[Action]:
        """A node has let go: told to, or because its lease ran out."""
        epoch = message.epoch
        segment = self.open[epoch]
        segment.held.discard(message.node)
        out: list[Action] = []
        if not segment.down and segment.waiting is not None and message.node not in segment.ends:
            segment.down = True  # unasked: its lease ran out
            out.append(Send(segment.ask.head, SegmentDown(epoch, segment.ask.domain, "a node let go")))
        return [*out, *self.settled(epoch)]

    def settled(self, epoch: int) -> list[Action]:
        """Forget a segment that holds nothing any more."""
        segment = self.open.get(epoch)
        if segment is None or self._ledger.holds(epoch):
            return []
        return self._over_with(epoch, segment)

    def confirmed(self, message: Confirmed, now: Time) -> list[Action]:
        """An end here has a pair: the head counts it."""
        segment = self.open[message.epoch]
        return [Send(segment.ask.head, SegmentConfirmed(message.epoch, segment.ask.domain, message))]

    def broken(self, link: str = "", node: str = "") -> list[Action]:
        """A link went dark, or a node lives again and holds nothing: tell the heads of all segments over it."""
        out: list[Action] = []
        for epoch, segment in self.open.items():
            links = {name for name, _ in segment.ask.crossings}
            if segment.plan is not None:
                links |= {each.link for each in segment.plan.links}
            if segment.down or not (link in links or node in segment.slots):
                continue
            segment.down = True
            down = SegmentDown(epoch, segment.ask.domain, "a part of it failed")
            out.append(Send(segment.ask.head, down))
        return out
