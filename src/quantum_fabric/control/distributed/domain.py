"""The decider of one domain: its own controller inside, a node of longer paths and a head of its own requests towards others.

It is one decider with four parts, and a message goes to the part that its epoch, name or type belongs to:

    what is asked within the domain, and every lease    `quantum_fabric.control.Controller`, unchanged
    segments that others ask for                        `Segments`
    requests that leave the domain                      `Head`
    what is known of the others                         `Flood`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from quantum_fabric.control.controller import Controller
from quantum_fabric.control.distributed.flooding import REFRESH, TELL, Flood
from quantum_fabric.control.distributed.head import SEAT_BITS, Head
from quantum_fabric.control.distributed.segments import Segments
from quantum_fabric.control.distributed.territory import Surveyor, Territory
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.messages import (
    CLIENT,
    Accepted,
    Ask,
    Cancel,
    Code,
    Confirmed,
    ControllerRecovered,
    Declined,
    DryRun,
    Explain,
    Explained,
    Holding,
    Judged,
    LinkReport,
    LinkRequest,
    LinkState,
    Message,
    Outcome,
    Prepared,
    Refused,
    Released,
    Restarted,
    Send,
    Stale,
    Status,
    Wake,
)
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


class DomainController:
    """Decides for one domain.

    Args:
        territory: the domain.
        number: of the seat, at least 1 and different from all others; its epochs begin with it.
        secret: as for `quantum_fabric.control.Controller`.
        refresh: how often it tells the others of itself, ps.

    Attributes:
        inside: the controller of what happens within.
        flood: what is known of the others.
    """

    def __init__(
        self, territory: Territory, number: int, secret: bytes = b"", refresh: Time = REFRESH
    ) -> None:
        self.territory = territory
        self.seat = territory.seat
        self._number = number
        self._secret = secret
        self.inside = Controller(territory.topology, secret=secret)
        self.inside.count_from(number << SEAT_BITS | 1 << (SEAT_BITS - 1))
        self._dark = self.inside.admission.dark
        self._surveyor = Surveyor(territory, self.inside.ledger, self._dark)
        self.segments = Segments(territory, self.inside.ledger, self._surveyor, self._dark)
        topology = territory.topology
        self.head = Head(self.seat, number, topology.controller, topology.delays, self._states, secret)
        self.flood = Flood(self.seat, territory.neighbours, refresh)
        self._told_dark: set[str] | None = None
        self._handlers: dict[type, Callable[[Any, Time], list[Action]]] = {
            **self.segments.handlers(),
            **self.head.handlers(),
            LinkRequest: self._requested,
            Ask: self._asked,
            DryRun: self._tried,
            Explain: self._explained,
            Cancel: self._cancelled,
            Prepared: self._prepared,
            Declined: self._declined,
            Released: self._released,
            Confirmed: self._confirmed,
            LinkReport: self._reported,
            Restarted: self._restarted,
            Holding: self._holding,
            LinkState: self._heard,
            Wake: self._woken,
            ControllerRecovered: self._recovered,
        }

    @property
    def ledger(self) -> Ledger:
        """The book of leases of the domain's nodes."""
        return self.inside.ledger

    @property
    def configuration(self) -> tuple[object, ...]:
        """What no message changes."""
        return self.territory, *self.inside.configuration

    def handle(self, message: Message, now: Time) -> Sequence[Action]:
        """Answer one message."""
        handler = self._handlers.get(type(message))
        return self.inside.handle(message, now) if handler is None else handler(message, now)

    def _own(self, message: Message, now: Time) -> list[Action]:
        return list(self.inside.handle(message, now))

    # --------------------------------------------------------------------------------------------- asked

    def _leaves(self, request: LinkRequest) -> bool:
        return request.destination not in self.territory.topology.nodes

    def _requested(self, request: LinkRequest, now: Time) -> list[Action]:
        if self._leaves(request) and request.route.paths > 1:
            refused = _one_path(request)
            ended = Outcome(request.name, Status.REFUSED, 0, refused.reason, refused.code)
            return [Send(CLIENT, refused), Send(CLIENT, ended)]
        return (self.head.requested if self._leaves(request) else self._own)(request, now)

    def _asked(self, message: Ask, now: Time) -> list[Action]:
        request = message.request
        if not self._leaves(request):
            return self._own(message, now)
        reason = (
            "over several domains a request is taken at once or refused; an offer would be a lease of leases"
        )
        refused = Refused(request.name, Code.UNSUPP, "offer", reason, request)
        return [
            Send(CLIENT, refused),
            Send(CLIENT, Outcome(request.name, Status.REFUSED, 0, reason, refused.code)),
        ]

    def _judged(self, request: LinkRequest, now: Time) -> Accepted | Refused:
        if request.route.paths > 1:
            return _one_path(request)
        found = self.head.look(request, now)
        return found if isinstance(found, Refused) else Accepted(request.name, found.plan)

    def _tried(self, message: DryRun, now: Time) -> list[Action]:
        request = message.request
        if not self._leaves(request):
            return self._own(message, now)
        return [Send(CLIENT, Judged(request.name, self._judged(request, now)))]

    def _explained(self, message: Explain, now: Time) -> list[Action]:
        request = message.request
        if not self._leaves(request):
            return self._own(message, now)
        answer = self._judged(request, now)
        heard = sorted(self.flood.valid(now).keys() - {self.seat})
        binding = (
            answer.resource if isinstance(answer, Refused) else "what the other domains tell of themselves"
        )
        return [Send(CLIENT, Explained(request.name, answer, f"domains heard: {', '.join(heard)}", binding))]

    def _cancelled(self, message: Cancel, now: Time) -> list[Action]:
        if message.request in self.head.journeys:
            return self.head.cancelled(message, now)
        return self._own(message, now)

    # --------------------------------------------------------------------- from own nodes, and from domains

    def _mine(self, node: str) -> bool:
        return node in self.territory.topology.nodes

    def _prepared(self, message: Prepared, now: Time) -> list[Action]:
        if not self._mine(message.node):
            return self.head.prepared(message, now)
        known = message.epoch in self.segments.open
        return (self.segments.prepared if known else self._own)(message, now)

    def _declined(self, message: Declined, now: Time) -> list[Action]:
        if not self._mine(message.node):
            return self.head.declined(message, now)
        known = message.epoch in self.segments.open
        return (self.segments.declined if known else self._own)(message, now)

    def _released(self, message: Released, now: Time) -> list[Action]:
        if not self._mine(message.node):
            return self.head.released(message, now)
        out = self._own(message, now)  # the ledger is one
        return [*out, *self.segments.released(message, now)] if message.epoch in self.segments.open else out

    def _confirmed(self, message: Confirmed, now: Time) -> list[Action]:
        known = message.epoch in self.segments.open
        return (self.segments.confirmed if known else self._own)(message, now)

    def _reported(self, message: LinkReport, now: Time) -> list[Action]:
        crossing = self.territory.crossings.get(message.link)
        out: list[Action] = []
        if crossing is None:
            out = self._own(message, now)
        elif self.inside.is_old(message):
            return [Stale(self.seat, "LinkReport", 0)]
        elif message.up:
            self._dark.discard(message.link)
        else:
            self._dark.add(message.link)
        if not message.up:
            out += self.segments.broken(link=message.link)
        if self._told_dark != self._dark:
            out += self._tell(now)
        return out

    def _restarted(self, message: Restarted, now: Time) -> list[Action]:
        return [*self._own(message, now), *self.segments.broken(node=message.node)]

    def _holding(self, message: Holding, now: Time) -> list[Action]:
        return self._own(message, now)

    def _recovered(self, message: ControllerRecovered, now: Time) -> list[Action]:
        self.head.fence(message.life)
        self.flood.life = max(self.flood.life, message.life)
        last = self.inside.count_from(0)
        later = (last >> 32 << 32) + (1 << 32)
        self.inside.count_from(later)
        out = self._own(ControllerRecovered(0, message.replayed), now)
        return [*out, *self._tell(now)]

    # ------------------------------------------------------------------------------------- what is known

    def _tell(self, now: Time) -> list[Action]:
        self._told_dark = set(self._dark)
        return list(self.flood.tell(*self._surveyor.news(), now))

    def _heard(self, state: LinkState, now: Time) -> list[Action]:
        return list(self.flood.hear(state, now))

    def _states(self, source: str, now: Time) -> list[LinkState]:
        """What counts now, the own domain as it is this moment with the source as a port."""
        nodes, links = self._surveyor.news(source)
        others = [state for origin, state in self.flood.valid(now).items() if origin != self.seat]
        return [LinkState(self.seat, self.flood.life, 0, now, nodes, links), *others]

    # -------------------------------------------------------------------------------------------- timers

    def _woken(self, message: Wake, now: Time) -> list[Action]:
        if message.purpose == TELL:
            return [*self._tell(now), self.flood.again(now)]
        if message.purpose == "segment":
            return [*self.segments.ran_out(message.epoch, now), *self.inside.serve_queue(now)]
        if message.purpose.startswith("head ") or (
            message.purpose == "pair" and self.head.knows(message.epoch)
        ):
            return self.head.woken(message, now)
        out = self._own(message, now)
        if message.purpose == "expire":
            for epoch in list(self.segments.open):
                out += self.segments.settled(epoch)
        return out


def numbered(territories: Mapping[str, Territory]) -> dict[str, int]:
    """A number for each seat, in the order of their names.

    Examples:
        >>> numbered({})
        {}
    """
    return {seat: place + 1 for place, seat in enumerate(sorted(territories))}


def _one_path(request: LinkRequest) -> Refused:
    """The refusal of several paths over several domains."""
    reason = "over several domains a request has one path"
    one = replace(request, name="", key="", route=replace(request.route, paths=1))
    return Refused(request.name, Code.UNSUPP, f"{request.route.paths} paths", reason, one)
