"""What waits for slots in the controller: whose turn it is, who may put whom off, who has had enough.

The policy (`Scheduling`) is given once. Without one, higher priorities go first and the oldest first among equals; a later request may
go ahead of one that does not fit; everybody is known and nobody limited; and a request of higher priority may put off those whose
callers said that they are preemptible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.rules import lanes_wanted, slots_wanted
from quantum_fabric.control.scheduling.catalogue import make
from quantum_fabric.control.scheduling.disciplines import Waiting, serve
from quantum_fabric.control.scheduling.limits import Doors, Queued, Shedding, staying
from quantum_fabric.control.scheduling.maintenance import Upkeep
from quantum_fabric.control.scheduling.preemption import Budgets, Running
from quantum_fabric.control.scheduling.tenancy import OPEN, Tenancy, Usage
from quantum_fabric.control.session import Phase, Session
from quantum_fabric.messages import Code, LinkRequest, Plan, Refused
from quantum_fabric.network.finish import NEVER, finish_time, finished_by
from quantum_fabric.units import SECOND, Time


@dataclass(frozen=True)
class Scheduling:
    """Policy of a controller.

    Attributes:
        tenancy: who is known, with weights, quotas and budgets.
        discipline: of the queue, by its name in `quantum_fabric.control.scheduling.catalogue.DISCIPLINES`.
        preempts: whether requests of higher priority may put off preemptible ones.
        upkeep: windows of calibration and maintenance that are known in advance.
        shedding: who leaves a queue that is too long; None where nobody has to.

    Examples:
        >>> from quantum_fabric.control.scheduling.tenancy import Tenant
        >>> Scheduling(Tenancy.of([Tenant("gold", weight=3.0)]), discipline="weighted fair").preempts
        True
    """

    tenancy: Tenancy = OPEN
    discipline: str = "strict priority"
    preempts: bool = True
    upkeep: tuple[Upkeep, ...] = ()
    shedding: Shedding | None = None


DEFAULT = Scheduling()
"""What a controller does that was told nothing."""


class Turns:
    """The queue of a controller, and the books of its tenants.

    Args:
        policy: see there.
        touched: names of the shared stations that a plan needs.
    """

    def __init__(self, policy: Scheduling, touched: Callable[[Plan], tuple[str, ...]] | None = None) -> None:
        self.policy = policy
        self._touched = touched
        self._discipline = make(policy.discipline, policy.tenancy.weights)
        self._usage = Usage(policy.tenancy)
        self._budgets = Budgets(policy.tenancy)
        self._queue: dict[str, tuple[Session, Waiting]] = {}
        # what may be put off, or has to be accounted for
        self._begun: dict[str, Waiting] = {}
        self._accounts = policy.tenancy != OPEN or policy.discipline != DEFAULT.discipline
        self._claims: dict[str, frozenset[str]] = {}
        self._doors = Doors(policy.tenancy)
        self._served: set[str] = set()  # begun once, where shedding has to know

    def __len__(self) -> int:
        """How many sessions wait."""
        return len(self._queue)

    # ------------------------------------------------------------------------------------------ tenants

    def stranger(self, request: LinkRequest) -> Refused | None:
        """The refusal of a tenant that nobody knows."""
        tenancy = self.policy.tenancy
        if tenancy.knows(request.tenant):
            return None
        known = ", ".join(repr(name) for name in sorted(tenancy.tenants)) or "none"
        reason = f"no tenant {request.tenant!r} in the policy, which knows {known}"
        return Refused(request.name, Code.REJECTED, f"tenant {request.tenant!r}", reason)

    def too_soon(self, request: LinkRequest, now: Time) -> Refused | None:
        """The refusal of a request whose tenant asks too often; it says when it may ask again."""
        return self._doors.refusal(request, now)

    def over_quota(self, request: LinkRequest, plan: Plan, instead: str = "") -> Refused | None:
        """The refusal of a request that would take its tenant over a quota; it says when there is likely room again.

        Args:
            request: who asks, and for what.
            plan: what would serve it.
            instead: name of an open request that it would replace.
        """
        return excess_of(self._usage, request, plan, instead)

    def usage(self) -> Usage:
        """A copy of the books of the tenants."""
        return self._usage.copied()

    # -------------------------------------------------------------------------------------------- queue

    def wait(self, session: Session, now: Time) -> None:
        """A session begins to wait (again)."""
        request, forecast = session.request, session.plan.forecast
        owed = max(1, request.pairs - session.delivered)
        length = finish_time(forecast, owed)
        path = session.plan.links
        job = Waiting(
            request.name, request.tenant, request.priority, now, request.deadline, length,
            cost=max(1e-12, _slots(session.plan) * length / SECOND), queue=path[0].link if path else "",
        )  # fmt: skip
        self._queue[request.name] = (session, job)
        self._doors.passed(request.name, request.tenant, now)
        self._discipline.arrived(job, now)
        self._open(session, None)

    def replanned(self, session: Session, now: Time) -> None:
        """A session that waits or runs is about something else than before; it keeps its place."""
        waited = self._queue.get(session.request.name)
        if waited is not None:
            self.wait(session, waited[1].arrived)
        else:
            self._account(session, now)

    def put_off(self, session: Session, now: Time) -> None:
        """A session that ran waits, so that another may run."""
        self._budgets.stopped(session.request.name, session.request.tenant, now)
        self.wait(session, now)

    def shed(
        self, slots: Mapping[str, int], newcomer: tuple[LinkRequest, Plan] | None = None
    ) -> list[Session]:
        """Who would have to leave, by the policy, because too much waits.

        Args:
            slots: of each node, all in all.
            newcomer: that would wait too. If it is itself what has to leave, a session that is no open one stands for it.
        """
        policy = self.policy.shedding
        if policy is None:
            return []
        safe = self._served | set(self._claims)
        waits = [session for name, (session, _) in self._queue.items() if name not in safe]
        if newcomer is not None:
            waits.append(Session(*newcomer))
        stay = staying([self._as_queued(each) for each in waits], policy, slots)
        return [each for each in waits if each.request.name not in stay]

    def _as_queued(self, session: Session) -> Queued:
        request, owed = session.request, max(1, session.request.pairs - session.delivered)
        value = owed * self.policy.tenancy.tenant(request.tenant).weight
        length = finish_time(session.plan.forecast, owed)
        return Queued(request.name, request.priority, value, slots_wanted(session.plan), length)

    def begun(self, session: Session, now: Time) -> None:
        """A session was installed, whether it waited or not."""
        name = session.request.name
        waited = self._queue.pop(name, None)
        if waited is None:
            self.wait(session, now)
            waited = self._queue.pop(name)
            self._discipline.started(waited[1], now)
        if self._accounts or session.request.preemptible:
            self._begun[name] = waited[1]
        self._claims.pop(name, None)
        if self.policy.shedding is not None:
            self._served.add(name)
        self._budgets.went_on(name, now)
        self._account(session, now)

    def _account(self, session: Session, now: Time) -> None:
        if not self._accounts:
            return
        owed = max(1, session.request.pairs - session.delivered)
        ends = finished_by(session.plan.forecast, owed, session.request.confidence)
        self._open(session, now + ends if ends < NEVER else None)

    def stopped(self, session: Session, now: Time) -> None:
        """A session was stopped, and may wait again."""
        name = session.request.name
        waited = self._queue.pop(name, None)
        job = self._begun.pop(name, None) or (waited[1] if waited else None)
        if job is not None:
            self._discipline.ended(job, now)

    def over(self, session: Session, now: Time) -> bool:
        """A session is over.

        Returns:
            Whether others were put off for it that it did not come to need.
        """
        self.stopped(session, now)
        self._usage.closed(session.request.name)
        self._doors.gone((session.request.name,))
        self._served.discard(session.request.name)
        self._budgets.went_on(session.request.name, now)
        return self._claims.pop(session.request.name, None) is not None

    def may_overtake(self, plan: Plan) -> bool:
        """Whether a new request that fits may begin at once, though others wait."""
        return not (self._queue and not self._discipline.overtakes) and self._unclaimed("", plan)

    def serve(self, install: Callable[[Session], bool], now: Time) -> list[Session]:
        """Try all that waits, in the order of the discipline; those who put others off come first.

        Args:
            install: installs a session where it fits, and says whether it did.
            now: ps.

        Returns:
            Those whose time is up.
        """
        if not self._queue:
            return []

        def begin(job: Waiting) -> bool:
            session, _ = self._queue[job.name]
            return self._unclaimed(job.name, session.plan) and install(session)

        for name in [name for name in self._claims if name in self._queue]:
            session, job = self._queue[name]
            if install(session):
                self._discipline.started(job, now)
        waiting = [job for _, job in self._queue.values()]
        sessions = {name: session for name, (session, _) in self._queue.items()}
        return [sessions[job.name] for job in serve(self._discipline, waiting, begin, now).dropped]

    # --------------------------------------------------------------------------------------- preemption

    def put_off_for(
        self, session: Session, sessions: Mapping[str, Session], short: Mapping[str, int], now: Time,
        frees: Callable[[Plan], Mapping[str, int]] | None = None,
    ) -> tuple[Session, ...]:  # fmt: skip
        """Whom to put off for a session that waits; it has a claim on the nodes and stations of its path from now on.

        Args:
            session: that waits.
            sessions: all, by name.
            short: what is missing, by `slots_of`, `lanes_of` and `analysers_of`; anything not above 0 is not missing.
            now: ps.
            frees: how many analysers of each station come back with a plan.
        """
        request = session.request
        if not self.policy.preempts or not any(count > 0 for count in short.values()):
            return ()
        running = [
            Running(
                name, each.request.tenant, each.request.priority, each.request.preemptible, _holds(each.plan, frees),
                each.request.pairs - each.delivered,
            )
            for name, each in ((name, sessions[name]) for name in self._begun if name in sessions)
            if each.request.preemptible and each.phase in (Phase.PREPARING, Phase.RUNNING)
        ]  # fmt: skip
        if not running:
            return ()
        victims = self._budgets.victims(
            request.tenant, request.priority, short, running, now, _length(session)
        )
        if victims:
            self._budgets.spend(request.tenant, [each.tenant for each in victims], now)
            self._claims[request.name] = self._needs(session.plan)
        return tuple(sessions[each.name] for each in victims)

    def _unclaimed(self, name: str, plan: Plan) -> bool:
        """Whether nobody else has a claim on a node or a station of this path."""
        others = [needs for who, needs in self._claims.items() if who != name]
        return not others or self._needs(plan).isdisjoint(frozenset().union(*others))

    def _needs(self, plan: Plan) -> frozenset[str]:
        """Nodes and stations of a path."""
        stations = self._touched(plan) if self._touched is not None else ()
        return frozenset(plan.path).union(analysers_of(name) for name in stations)

    def _open(self, session: Session, ends: Time | None) -> None:
        if not self._accounts:
            return
        request, plan = session.request, session.plan
        self._usage.opened(request.name, request.tenant, _slots(plan), _rate(request, plan), ends)


def excess_of(usage: Usage, request: LinkRequest, plan: Plan, instead: str = "") -> Refused | None:
    """The refusal of a request that would take its tenant over a quota, by these books."""
    excess = usage.excess(request.tenant, _slots(plan), _rate(request, plan), instead)
    if excess is None:
        return None
    return Refused(
        request.name, Code.NORES, excess.resource, str(excess), best=plan.forecast, available=excess.available
    )  # fmt: skip


def enter(usage: Usage, request: LinkRequest, plan: Plan) -> None:
    """Write a request into books."""
    usage.opened(request.name, request.tenant, _slots(plan), _rate(request, plan))


def _length(session: Session) -> Time:
    return finish_time(session.plan.forecast, max(1, session.request.pairs - session.delivered))


def _slots(plan: Plan) -> int:
    return sum(slots_wanted(plan).values())


def _rate(request: LinkRequest, plan: Plan) -> float:
    """What it asks for, or where it asks for none, what its plan is expected to give."""
    return request.rate or plan.forecast.rate


def slots_of(node: str) -> str:
    """Name of the slots of a node as a resource."""
    return f"slots of {node}"


def lanes_of(link: str) -> str:
    """Name of the lanes of a link as a resource."""
    return f"lanes of {link}"


def analysers_of(station: str) -> str:
    """Name of the analysers of a shared station as a resource."""
    return f"analysers of {station}"


def _holds(plan: Plan, frees: Callable[[Plan], Mapping[str, int]] | None) -> dict[str, int]:
    stations = {} if frees is None else frees(plan)
    return {**holds(plan), **{analysers_of(name): count for name, count in stations.items()}}


def holds(plan: Plan) -> dict[str, int]:
    """What a plan holds while it is installed."""
    slots = {slots_of(node): count for node, count in slots_wanted(plan).items()}
    return {**slots, **{lanes_of(link): count for link, count in lanes_wanted(plan).items()}}


def missing(plan: Plan, ledger: Ledger, room: Mapping[str, int]) -> dict[str, int]:
    """What has to be given back before a plan fits; anything not above 0 is not missing.

    Args:
        plan: that is to be installed.
        ledger: of slots and lanes.
        room: lanes that each link of its path has time for.
    """
    free = ledger.free()
    short = {slots_of(node): count - free[node] for node, count in slots_wanted(plan).items()}
    for link, count in lanes_wanted(plan).items():
        taken = ledger.taken(link)
        short[lanes_of(link)] = min(taken, taken + count - room[link])
    return short
