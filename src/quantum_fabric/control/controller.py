"""The slow path: admits requests, installs plans, counts what is delivered, repairs, releases.

It is a decider: a message comes in with the time, messages go out. It knows topology and heralded links only as beliefs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from quantum_fabric.control.admission import Admission
from quantum_fabric.control.bundles import Bundles
from quantum_fabric.control.delivery import Deliveries
from quantum_fabric.control.installations import Installations
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.northbound import Northbound
from quantum_fabric.control.recovery import Recovery
from quantum_fabric.control.renegotiation import Renegotiation
from quantum_fabric.control.repair import Repair
from quantum_fabric.control.scheduling.dispatch import Dispatch
from quantum_fabric.control.scheduling.turns import DEFAULT, Scheduling
from quantum_fabric.control.session import Installation, Phase, Session
from quantum_fabric.control.verification.policy import Verification
from quantum_fabric.messages import (
    CLIENT,
    Accepted,
    Cancel,
    Code,
    Confirmed,
    ControllerRecovered,
    Declined,
    Deposed,
    Holding,
    LinkReport,
    LinkRequest,
    LinkWorn,
    Message,
    Outcome,
    Plan,
    Prepared,
    Refused,
    Released,
    Renegotiate,
    Restarted,
    Send,
    SlotsLost,
    Status,
    Undelivered,
    Wake,
)
from quantum_fabric.network.methods import Method, usual
from quantum_fabric.network.planning import plan as make_plan
from quantum_fabric.network.swift import swift
from quantum_fabric.network.topology import Topology
from quantum_fabric.ports import Action
from quantum_fabric.units import SECOND, Time

if TYPE_CHECKING:
    from quantum_fabric.control.verification.verifier import Verifier


def _asked_planner(
    topology: Topology, request: LinkRequest, free: Mapping[str, int] | None, method: Method
) -> Plan | Refused:
    return make_plan(topology, request, free, method=method)


def _verifier(policy: Verification, tolerance: float, topology: Topology) -> Verifier:
    """Loaded late: it needs numpy, and nobody else here does."""
    from quantum_fabric.control.verification.verifier import Verifier

    return Verifier(policy, tolerance, topology)


class Controller:
    """Decides for the whole network.

    Args:
        topology: what is believed of the network when everything works.
        lease: for how long slots are lent at least before they must be renewed, ps.
        tolerance: relative error that the believed losses may have; gives the interval of every estimate.
        secret: at most 64 bytes, from which the keys follow that say which pairs are measured and how; never shown. Whoever knows
            it can foresee that.
        scheduling: whose turn it is, what tenants may have, when what is closed for upkeep.
        verification: how pairs are tested; None for no tests.
        planning: how plans are looked for; None for thoroughly in a small network and swiftly in a large one (`usual`). What a swift
            look cannot promise is planned thoroughly anyway.
    """

    def __init__(
        self, topology: Topology, lease: Time = 2 * SECOND, tolerance: float = 0.05, secret: bytes = b"",
        scheduling: Scheduling = DEFAULT, verification: Verification | None = None,
        planning: Method | None = None,
    ) -> None:  # fmt: skip
        self.topology = topology
        self._secret = secret
        method = planning or usual(topology)
        planner = partial(_asked_planner, method=method)
        self.ledger = Ledger({name: node.slots for name, node in topology.nodes.items()})
        swiftly = partial(_asked_planner, method=Method.SWIFT)
        self.admission = Admission(
            topology, self.ledger, planner, swiftly if method is Method.THOROUGH else None,
            partial(swift, detour=math.inf) if method is Method.SWIFT else None,
        )  # fmt: skip
        self.sessions: dict[str, Session] = {}
        self.verifier = None if verification is None else _verifier(verification, tolerance, topology)
        self.installations = Installations(self, lease, secret)
        self.dispatch = Dispatch(self, scheduling)
        self._deliveries = Deliveries(self, tolerance, self.installations.patience, self.verifier)
        self._recovery = Recovery(self)
        self._northbound = Northbound(self, planner)
        self._renegotiation = Renegotiation(self)
        self._repair = Repair(self)
        self.bundles = Bundles(self)
        self._handlers: dict[type, Callable[[Any, Time], list[Action]]] = {
            **self._northbound.handlers(),
            Renegotiate: self._changed,
            Cancel: self.cancelled,
            Prepared: self.installations.prepared,
            Declined: self.installations.declined,
            Confirmed: self._deliveries.confirmed,
            Released: self.installations.released,
            LinkReport: self._repair.reported,
            LinkWorn: self._repair.worn,
            SlotsLost: self._repair.lost,
            Wake: self._woken,
            Restarted: self._recovery.restarted,
            Holding: self._recovery.holding,
            Undelivered: self._recovery.undelivered,
            Deposed: self._recovery.deposed,
            ControllerRecovered: self._recovery.recovered,
        }

    def handle(self, message: Message, now: Time) -> Sequence[Action]:
        """Answer one message."""
        return self.bundles.told(self._handlers[type(message)](message, now), now)

    def bear(self, tardy: Time, guard: Time) -> None:
        """From now on reckon with letters that take long and with clocks of nodes that are wrong.

        Args:
            tardy: for how long a letter may be on its way, ps.
            guard: by how much a node's clock may be behind, ps.
        """
        self.installations.bear(tardy, guard)
        self._recovery.guard = guard
        self._deliveries.patience = self.installations.patience

    @property
    def configuration(self) -> tuple[object, ...]:
        """What no message changes, secrets among it: a journal does not hold it."""
        return self.topology, self._secret

    def count_from(self, epoch: int) -> int:
        """Give the coming epochs numbers above this one; returns the last that was given."""
        return self.installations.count_from(epoch)

    @property
    def deliveries(self) -> Deliveries:
        """Who decides what is told of each pair."""
        return self._deliveries

    def let_go(self, epoch: int, out: list[Action]) -> None:
        """Release an epoch that only keeps delivered pairs."""
        self._deliveries.past_holding(epoch, out)

    # ---------------------------------------------------------------------------------------- admission

    @property
    def waiting(self) -> int:
        """How many requests wait for slots."""
        return self.dispatch.waiting

    def begin(self, session: Session, queued: bool, now: Time, out: list[Action]) -> None:
        """Serve a session, now or when its slots are free."""
        self.dispatch.begin(session, queued, now, out)

    def _changed(self, message: Renegotiate, now: Time) -> list[Action]:
        several = self.bundles.renegotiate(message, now)
        return self._renegotiation.renegotiate(message, now) if several is None else several

    def cancelled(self, message: Cancel, now: Time) -> list[Action]:
        """Withdraw a request or an offer, or let go of the pairs that a request holds."""
        session = self.sessions.get(message.request)
        if session is None:
            several = self.bundles.cancelled(message.request, now)
            if several is not None:
                return several
            out = self._northbound.withdrawn(
                message.request, Status.CANCELLED, None, "withdrawn by the caller"
            )
            return [*out, *self.serve_queue(now)] if out else []
        out = []
        if session.open:
            self.end(session, Status.CANCELLED, "withdrawn by the caller", now, out)
        else:
            self.installations.let_go(session, out)
            session.phase = Phase.ENDED
        return out

    # ------------------------------------------------------------------------------------- installation

    def install(self, session: Session, now: Time, out: list[Action]) -> None:
        """Phase one: lease the slots and tell every node of the path its rules."""
        self.installations.install(session, now, out)

    def runs(self, session: Session, now: Time, out: list[Action]) -> None:
        """Every node acts on the rules of a session now."""
        self._renegotiation.running(session, now, out)
        self.bundles.running(session, now, out)

    def current(self, epoch: int) -> Session | None:
        """The session that this epoch serves now; None when it was replaced or is over."""
        return self.installations.current(epoch)

    def standing(self, epoch: int) -> tuple[Session, Installation] | None:
        """The session and installation of an epoch that is in force or keeps delivered pairs; None when it was released."""
        return self.installations.standing(epoch)

    def retire(self, session: Session, now: Time, out: list[Action]) -> None:
        """Stop the epoch in force. Pairs that it delivered and holds are the application's: its ends keep them until they expire."""
        self.installations.retire(session, now, out)

    def serve_queue(self, now: Time) -> list[Action]:
        """Install what fits, in the order of the discipline."""
        return self.dispatch.serve(now)

    def end(
        self, session: Session, status: Status, reason: str, now: Time, out: list[Action], code: Code | None = None,
    ) -> None:  # fmt: skip
        """Tell the one outcome and give back what the request holds."""
        if self._renegotiation.failed(session, reason, code, now, out):
            return
        request = session.request
        if status is Status.CANCELLED:
            self.installations.let_go(session, out)
        else:
            self.retire(session, now, out)
        session.phase = Phase.HOLDING if session.kept else Phase.ENDED
        out.append(Send(CLIENT, Outcome(request.name, status, session.delivered, reason, code)))
        self._renegotiation.over(request.name, out)
        self.admission.spares.drop(request.name)
        if self.verifier is not None:
            self.verifier.over(session)
        self.dispatch.over(session, now, out)

    def drop(self, session: Session, out: list[Action]) -> None:
        """Stop a session without an outcome."""
        self.installations.let_go(session, out)
        session.phase = Phase.ENDED

    def succeed(self, old: Session, new: Session, now: Time, out: list[Action]) -> None:
        """Let a session take the place of another, which stops; what the other delivered counts, and stays held."""
        self.retire(old, now, out)
        new.kept, new.delivered, new.credit = old.kept, old.delivered, old.credit
        for kept in new.kept:
            self.installations.moved(kept.epoch, new)
        old.phase = Phase.ENDED
        self.sessions[new.request.name] = new

    def is_old(self, message: LinkReport) -> bool:
        """Whether a report is overtaken by a later one."""
        return self._recovery.is_old(message)

    def darkened(self, what: str) -> list[Action]:
        """A link went dark, or a node lost slots: what was offered over it is gone."""
        return self._northbound.darkened(what)

    def verdict(self, request: LinkRequest, now: Time) -> Accepted | Refused:
        """What would be answered to a request now; nothing changes."""
        return self._northbound.verdict(request, now)

    def everyone(self) -> list[Session]:
        """All sessions, those among them that are to follow others first."""
        return [*self._renegotiation.successors(), *self.sessions.values()]

    @property
    def patience(self) -> Time:
        """Within which nodes answer, ps."""
        return self.installations.patience

    def beside(self, request: LinkRequest) -> dict[str, Plan]:
        """Plans of the open requests that a request must not meet, by name."""
        return self._northbound.beside(request)

    # ------------------------------------------------------------------------------------------- repair

    def repair(self, session: Session, why: str, now: Time, out: list[Action]) -> None:
        """Another path for the pairs that are still owed, or an end with the reason."""
        if self._renegotiation.failed(session, why, Code.OTHER, now, out):
            return
        if self.bundles.failed(session, why, Code.OTHER, now, out):
            return
        self.retire(session, now, out)
        self.dispatch.stopped(session, now)
        self._repair.repair(session, why, now, out)

    def move(self, session: Session, plan: Plan, why: str, must: bool, now: Time, out: list[Action]) -> bool:
        """Make another path before the old one is broken, where there is room for both."""
        return self._renegotiation.move(session, plan, why, must, now, out)

    def followed(self, session: Session, why: str, now: Time, out: list[Action]) -> bool:
        """Whether another path is being made already; then the old one stops, and it is waited for."""
        followed = session.installation is not None and self.sessions.get(session.request.name) is session
        if not followed or not self._renegotiation.followed(session.request.name):
            return False
        self.retire(session, now, out)
        self.dispatch.stopped(session, now)
        return True

    def protect(self, session: Session, out: list[Action]) -> None:
        """Let something stand ready for the next failure, where that was asked for."""
        self._repair.protect(session, out)

    # ------------------------------------------------------------------------------------------- timers

    def _woken(self, message: Wake, now: Time) -> list[Action]:
        out: list[Action] = []
        match message.purpose:
            case "deadline":
                self._past_deadline(message, now, out)
            case "offer":
                out += self._northbound.ran_out(message.key, now)
                out += self.serve_queue(now)
            case "upkeep":
                out += self.dispatch.upkeep(now)
            case "pair":
                self._deliveries.pair_expired(message, now, out)
            case "held":
                self._deliveries.past_holding(message.epoch, out)
            case "prepared":
                self.installations.past_patience(message.epoch, now, out)
            case "degraded":
                self._repair.degraded(message.key, now, out)
            case "suspected":
                self._repair.suspected(message.key, now, out)
            case "settled":
                out += self.installations.settled(message.epoch, now)
            case "renew":
                self.installations.renew(message.epoch, now, out)
            case "expire":
                out += self.installations.expire(now)
        return out

    def _past_deadline(self, message: Wake, now: Time, out: list[Action]) -> None:
        session = self.sessions.get(message.key)
        if session is None:
            self.bundles.past_deadline(message.key, message.at, now, out)
        if session is None or not session.open:
            return
        if session.request.deadline == message.at:  # else it was put off
            reason = f"{session.delivered} of {session.request.pairs} pairs by the deadline"
            self.end(session, Status.EXPIRED, reason, now, out, Code.TIMEOUT)
