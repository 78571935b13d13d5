"""The scheduling of a controller: what begins, what waits, what is put off, and what is closed for upkeep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from quantum_fabric.control.admission import Admission, Verdict
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.outliving import chance_though_failed, switching
from quantum_fabric.control.promises import foremost
from quantum_fabric.control.rules import lane_room, slots_wanted
from quantum_fabric.control.scheduling.closing import Closures
from quantum_fabric.control.scheduling.limits import QUEUE
from quantum_fabric.control.scheduling.maintenance import Upkeep
from quantum_fabric.control.scheduling.tenancy import Usage
from quantum_fabric.control.scheduling.turns import Scheduling, Turns, analysers_of, missing
from quantum_fabric.control.session import Ends, Phase, Session
from quantum_fabric.control.telling import telling
from quantum_fabric.messages import Code, LinkRequest, Plan, Refused, Status
from quantum_fabric.network.finish import chance_by
from quantum_fabric.network.topology import Topology
from quantum_fabric.ports import Action
from quantum_fabric.units import Time, show_time

DETOURS = 4
"""How many windows of upkeep a path is planned around."""


class Office(Ends, Protocol):
    """What is needed of the controller."""

    topology: Topology
    ledger: Ledger
    admission: Admission
    sessions: dict[str, Session]

    def install(self, session: Session, now: Time, out: list[Action]) -> None:
        """Lease what a session's plan needs and tell its nodes."""

    def retire(self, session: Session, now: Time, out: list[Action]) -> None:
        """Stop a session's installation; delivered pairs are kept."""

    def repair(self, session: Session, why: str, now: Time, out: list[Action]) -> None:
        """Another path for what is still owed, or an end with the reason."""

    def move(self, session: Session, plan: Plan, why: str, must: bool, now: Time, out: list[Action]) -> bool:
        """Make another path before the old one is broken, where there is room for both."""


class Dispatch:
    """Decides what begins and what waits.

    Args:
        office: the controller.
        policy: disciplines, tenants, upkeep.
    """

    def __init__(self, office: Office, policy: Scheduling) -> None:
        self._office = office
        self._turns = Turns(policy, office.admission.stations.touched)
        ends = {name: (link.a, link.b) for name, link in office.topology.links.items()}
        stations = {name: station.links for name, station in office.topology.stations.items()}
        self._closures = Closures(policy.upkeep, ends, stations)
        self._slots = {name: node.slots for name, node in office.topology.nodes.items()}
        self._lacks: dict[
            str, tuple[Plan, dict[str, int]]
        ] = {}  # of who waits: where it lacked slots when last tried

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._turns)

    # --------------------------------------------------------------------------------------- admission

    def stranger(self, request: LinkRequest) -> Refused | None:
        """The refusal of a tenant that nobody knows."""
        return self._turns.stranger(request)

    def admit(
        self, request: LinkRequest, relative: LinkRequest, beside: Mapping[str, Plan], now: Time
    ) -> Verdict:
        """What admission says, within the quotas and around windows of upkeep; nothing changes.

        Args:
            request: with its absolute deadline.
            relative: the same, with the deadline from now.
            beside: plans of the requests that its path must not meet.
            now: ps.
        """
        found = self._office.admission.admit(relative, beside)
        if isinstance(found.answer, Plan) and request.deadline is not None:
            found = self._around(request, relative, beside, found, now)
        if isinstance(found.answer, Refused):
            reopens = self._closures.available(now)
            if reopens is not None and found.answer.available is None:
                return Verdict(replace(found.answer, available=reopens))
            return found
        return self._in_turn(request, found, found.answer, now)

    def _in_turn(self, request: LinkRequest, found: Verdict, plan: Plan, now: Time) -> Verdict:
        """What becomes of a plan where tenants have limits and others wait."""
        refused = foremost(self._turns.over_quota(request, plan), self._turns.too_soon(request, now))
        if refused is not None:
            return Verdict(refused)
        if not found.queued and not self._turns.may_overtake(plan):
            found = found._replace(queued=True)
        if found.queued and any(
            each.request is request for each in self._turns.shed(self._slots, (request, plan))
        ):
            reason = (
                f"{self.waiting} requests wait already, and those that stay are worth more for what they take"
            )
            return Verdict(Refused(request.name, Code.NORES, QUEUE, reason, best=plan.forecast))
        return found

    def over_quota(self, request: LinkRequest, plan: Plan) -> Refused | None:
        """Why a request may not change to another plan; None where it may."""
        quota = self._turns.over_quota(request, plan, request.name)
        return foremost(self._turns.stranger(request), quota)

    def replanned(self, session: Session, now: Time) -> None:
        """A session that waits has another request or plan."""
        self._turns.replanned(session, now)

    def at_odds(self, request: LinkRequest, plan: Plan, now: Time) -> Refused | None:
        """Why a plan that cannot wait is refused: a quota, a pace, or upkeep of its path before it is done; None where nothing is."""
        over = foremost(self._turns.over_quota(request, plan), self._turns.too_soon(request, now))
        if over is not None or request.deadline is None:
            return over
        window = self._interrupts(request, plan, now)
        return None if window is None else _closed(request, plan, window)

    def may_begin(self, plan: Plan) -> bool:
        """Whether a plan that fits may begin at once, though others wait."""
        return self._turns.may_overtake(plan)

    def usage(self) -> Usage:
        """A copy of what the tenants have."""
        return self._turns.usage()

    def _around(
        self,
        request: LinkRequest,
        relative: LinkRequest,
        beside: Mapping[str, Plan],
        found: Verdict,
        now: Time,
    ) -> Verdict:
        """A plan that is done by its deadline whatever is closed until then."""
        dark, before = self._office.admission.dark, set(self._office.admission.dark)
        first: Refused | None = None
        try:
            for _ in range(DETOURS):
                if isinstance(found.answer, Refused):
                    return Verdict(first) if first is not None else found
                window = self._interrupts(request, found.answer, now)
                if window is None and found.backup is not None:
                    window = self._interrupts_backup(request, found.answer, found.backup, now)
                if window is None:
                    return found
                first = first or _closed(request, found.answer, window)
                dark |= self._closures.links(window)
                found = self._office.admission.admit(relative, beside)
        finally:
            dark.clear()
            dark |= before
        assert first is not None
        return Verdict(first)

    def _interrupts(self, request: LinkRequest, plan: Plan, now: Time) -> Upkeep | None:
        """A window that comes before a plan is done with confidence, and before the deadline."""
        assert request.deadline is not None
        window = self._closures.in_the_way(plan, now, request.deadline)
        if window is None:
            return None
        word = telling(request, self._office.topology)  # a pair counts when the controller knows of it
        done = chance_by(plan.forecast, request.pairs, window.drains - word - now)
        return None if done >= request.confidence else window

    def _interrupts_backup(self, request: LinkRequest, first: Plan, backup: Plan, now: Time) -> Upkeep | None:
        """The same of what stands ready: it may be needed from the worst moment on."""
        assert request.deadline is not None
        window = self._closures.in_the_way(backup, now, request.deadline)
        if window is None:
            return None
        topology = self._office.topology
        left = window.drains - telling(request, topology) - now
        done = chance_though_failed(
            request, first.forecast, backup.forecast, switching(first, topology), max(1, left)
        )
        return None if done >= request.confidence else window

    # -------------------------------------------------------------------------------------------- turns

    def begin(self, session: Session, queued: bool, now: Time, out: list[Action]) -> None:
        """Serve a session, now or when its turn has come."""
        out.extend(self._closures.timers())
        known = self._office.sessions.get(session.request.name)
        follows = known is not None and known is not session and known.installation is not None
        if not queued and (follows or self._turns.may_overtake(session.plan)):
            self._install(session, now, out)
            return
        session.phase = Phase.QUEUED
        self._turns.wait(session, now)
        self._shed(now, out)
        self._make_room(session, now, out)
        if not queued:
            out.extend(self.serve(now))

    def at_once(self, session: Session, now: Time, out: list[Action]) -> None:
        """Install a session, whoever waits: slots were set aside for it."""
        self._install(session, now, out)

    def _shed(self, now: Time, out: list[Action]) -> None:
        for session in self._turns.shed(self._slots):
            reason = "too much waits, and what stays is worth more for what it takes"
            self._office.end(session, Status.FAILED, reason, now, out, Code.NORES)

    def stopped(self, session: Session, now: Time) -> None:
        """A session neither runs nor waits."""
        self._turns.stopped(session, now)

    def over(self, session: Session, now: Time, out: list[Action]) -> None:
        """A session is over; if others were put off for it in vain, they go on."""
        self._lacks.pop(session.request.name, None)
        if self._turns.over(session, now):
            out.extend(self.serve(now))

    def serve(self, now: Time) -> list[Action]:
        """Install what fits, in the order of the discipline."""
        out: list[Action] = []
        if not self._turns:
            return out

        def install(session: Session) -> bool:
            admission, ledger, name = self._office.admission, self._office.ledger, session.request.name
            lacks = self._lacks.get(name)
            if lacks is not None and lacks[0] is session.plan and not ledger.fits(lacks[1]):
                return False  # looked at with each release, for thousands that wait
            shut = not admission.dark.isdisjoint(link.link for link in session.plan.links)
            if shut or not admission.fits(session.plan):
                lacking = ({node: count} for node, count in slots_wanted(session.plan).items())
                for need in lacking:
                    if not ledger.fits(need):
                        self._lacks[name] = session.plan, need
                        break
                return False
            self._install(session, now, out)
            return True

        for late in self._turns.serve(install, now):
            reason = "it cannot be done by its deadline any more"
            self._office.end(late, Status.EXPIRED, reason, now, out, Code.TIMEOUT)
        return out

    def _install(self, session: Session, now: Time, out: list[Action]) -> None:
        self._lacks.pop(session.request.name, None)
        self._office.install(session, now, out)
        self._turns.begun(session, now)

    def _make_room(self, session: Session, now: Time, out: list[Action]) -> None:
        """Put off what may be put off for a session that waits."""
        office, stations = self._office, self._office.admission.stations
        short = missing(session.plan, office.ledger, lane_room(session.plan, office.topology))
        short |= {analysers_of(name): count for name, count in stations.short(session.plan).items()}
        for victim in self._turns.put_off_for(session, office.sessions, short, now, stations.frees):
            self._put_off(victim, now, out)

    def _put_off(self, session: Session, now: Time, out: list[Action]) -> None:
        """Stop it; what it delivered stays, what it owes waits."""
        self._office.retire(session, now, out)
        self._turns.stopped(session, now)
        session.phase = Phase.QUEUED
        self._turns.put_off(session, now)

    # ------------------------------------------------------------------------------------------- upkeep

    def reported(self, link: str, up: bool, now: Time) -> bool:
        """A link broke or was mended.

        Returns:
            Whether it is dark now and was not, or the other way round.
        """
        return self._closures.reported(link, up, self._office.admission.dark, now)

    def upkeep(self, now: Time) -> list[Action]:
        """A window begins or ends: what runs there takes another path, or waits."""
        office = self._office
        closed, broken = self._closures.turned(office.admission.dark, now)
        out: list[Action] = []
        for session in list(office.sessions.values()):
            path = {link.link for link in session.plan.links}
            if not session.open or path.isdisjoint(closed | broken):
                continue
            if not path.isdisjoint(broken):
                office.repair(session, f"link {min(path & broken)} went dark", now, out)
            elif session.installation is not None:
                self._elsewhere(session, now, out)
        return [*out, *self.serve(now)]

    def _elsewhere(self, session: Session, now: Time, out: list[Action]) -> None:
        """Another path where there is one, made before this one is left where there is room; else it waits for its own."""
        deadline = None if session.request.deadline is None else session.request.deadline - now
        owed = replace(session.request, pairs=session.request.pairs - session.delivered, deadline=deadline)
        found = self._office.admission.planned(owed, self._office.ledger.free())
        if isinstance(found, Plan) and self._office.move(
            session, found, "upkeep of its path", True, now, out
        ):
            return
        self._office.retire(session, now, out)
        self._turns.stopped(session, now)
        found = self._office.admission.planned(owed)
        if isinstance(found, Plan):
            session.plan = found
        self.begin(session, True, now, out)


def _closed(request: LinkRequest, plan: Plan, window: Upkeep) -> Refused:
    what = f"{window.purpose.value} of {window.target}"
    begins, ends = show_time(window.start, 6), show_time(window.end, 6)
    reason = f"{what} begins at {begins}, before it would be done with confidence; it ends at {ends}"
    offer = replace(request, name="", key="", deadline=None)
    return Refused(request.name, Code.NOTIME, what, reason, offer, plan.forecast, window.end)
