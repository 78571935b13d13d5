"""Answers that change nothing: what a plan guarantees, why it was chosen, what would be on another network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from quantum_fabric.control.admission import Admission, Planner, Verdict, asked
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.multipath import merged, several
from quantum_fabric.control.promises import reached
from quantum_fabric.control.rules import lanes_wanted, slots_wanted
from quantum_fabric.control.scheduling.tenancy import Usage
from quantum_fabric.control.scheduling.turns import enter, excess_of
from quantum_fabric.control.session import Session
from quantum_fabric.messages import (
    Accepted,
    Code,
    Explained,
    Guarantee,
    LinkPlan,
    LinkRequest,
    PassedOver,
    Plan,
    Refused,
    Supposed,
    WhatIf,
)
from quantum_fabric.network.finish import NEVER, finished_by
from quantum_fabric.network.joint import finished_together, joint
from quantum_fabric.network.planning import survey
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import Time, show_time

LEVELS = (0.5, 0.9, 0.95, 0.99)
"""Probabilities for which a guarantee names a time, beside the confidence that was asked for."""


def guaranteed(request: LinkRequest, plan: Plan, news: Time = 0, others: Sequence[Plan] = ()) -> Guarantee:
    """What a plan promises to a request, or several that serve it together.

    Args:
        request: with its confidence.
        plan: that would serve it.
        news: for how long word of a pair is on its way to the controller, ps.
        others: plans of the other paths, for a request on several.
    """
    forecasts = [each.forecast for each in (plan, *others)]
    forecast = joint(forecasts)
    levels = sorted({*LEVELS, request.confidence})
    finish = [
        (
            level,
            finished_together(forecasts, request.pairs, level)
            if others
            else finished_by(forecast, request.pairs, level),
        )
        for level in levels
    ]
    return Guarantee(
        request.confidence,
        forecast.rate,
        min(reached(each, request.confidence) for each in forecasts),
        forecast.fidelity,
        tuple((level, time + news) for level, time in finish if time < NEVER),
    )


def explained(
    request: LinkRequest,
    answer: Accepted | Refused,
    topology: Topology,
    free: Mapping[str, int],
    waits_for: tuple[str, ...] = (),
    why: str = "",
) -> Explained:
    """Why a request is answered as it is.

    Args:
        request: whose deadline counts from now.
        answer: to it.
        topology: what was open to it.
        free: free slots by node.
        waits_for: requests that hold what it has to wait for.
        why: what was said of the slots that are free now, where it has to wait.
    """
    if request.source not in topology.nodes or request.destination not in topology.nodes:
        assert isinstance(answer, Refused)
        return Explained(request.name, answer, "", answer.resource)
    idle = isinstance(answer, Refused) or answer.queued
    found = survey(topology, asked(request), None if idle else free)
    lost = tuple(
        PassedOver(each.plan.path, each.label, each.reason, each.plan.forecast) for each in found.alternatives
    )
    if isinstance(answer, Refused):
        return Explained(request.name, answer, "", answer.resource, lost)
    slowest = max(answer.plan.links, key=_pair_time)
    binding = (
        f"link {slowest.link}: a pair there takes {show_time(round(_pair_time(slowest)))} on average, with {slowest.lanes} "
        f"lane{'s' if slowest.lanes != 1 else ''}"
    )
    if why:
        binding += f"; it waits, for now {why}"
    label = found.label if found.chosen == answer.plan else ""
    return Explained(request.name, answer, label, binding, lost, waits_for)


def _pair_time(link: LinkPlan) -> float:
    return link.period / max(1e-30, link.success * link.lanes)


def supposed(
    message: WhatIf, now: Time, admission: Admission, sessions: Mapping[str, Session], kept: Sequence[Plan], planner: Planner,
    usage: Usage,
) -> Supposed:  # fmt: skip
    """What would be answered on a changed network.

    Args:
        message: what is changed, and what is asked there.
        now: from which deadlines count, ps.
        admission: of the network as it is.
        sessions: that are served.
        kept: plans whose slots are kept for offers.
        planner: answers one question on one topology.
        usage: what tenants have; it is written into. What is only supposed to run there besides has no limits.
    """
    whole = admission.topology
    strange = [name for name in message.without if name not in whole.nodes and name not in whole.links]
    if strange:
        refused = Refused("", Code.OTHER, "network", f"no node or link is called {strange[0]}")
        return Supposed(
            message.request, tuple(replace(refused, request=each.name) for each in message.requests)
        )
    topology = whole.without(links=message.without, nodes=message.without)
    room = _Room(
        Admission(topology, Ledger({name: node.slots for name, node in topology.nodes.items()}), planner)
    )
    room.admission.dark |= admission.dark
    room.plans = {name: session.plan for name, session in sessions.items() if session.open}
    moved, lost = room.settle(sessions, kept, now)
    for each in message.load:
        room.ask(each, now)
    answers = tuple(room.limited(each, now, usage) for each in message.requests)
    return Supposed(message.request, answers, tuple(moved), tuple(lost))


class _Room:
    """A network that is only thought of."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.plans: dict[str, Plan] = {}
        self._epoch = 0

    def take(self, plan: Plan) -> None:
        """Let a plan hold its slots, if they are free."""
        ledger = self.admission.ledger
        if self.admission.fits(plan):
            self._epoch += 1
            ledger.lease(self._epoch, slots_wanted(plan), NEVER)
            ledger.lanes(self._epoch, lanes_wanted(plan))

    def settle(
        self, sessions: Mapping[str, Session], kept: Sequence[Plan], now: Time
    ) -> tuple[list[str], list[str]]:
        """Seat what runs: first what is untouched, then what has to move. Names of what moved, and of what found no plan."""
        here = self.admission.topology
        running = [
            (name, each) for name, each in sessions.items() if each.open and each.installation is not None
        ]
        whole = [entry for entry in running if self._stands(entry[1].plan, here)]
        for _, session in whole:
            self.take(session.plan)
        for plan in kept:
            if self._stands(plan, here):
                self.take(plan)
        moved: list[str] = []
        lost: list[str] = []
        for name, session in running:
            if self._stands(session.plan, here):
                continue
            owed = replace(session.request, pairs=session.request.pairs - session.delivered, name=name)
            answer = self.ask(owed, now)
            (moved if isinstance(answer, Accepted) else lost).append(name)
        return moved, lost

    @staticmethod
    def _stands(plan: Plan, topology: Topology) -> bool:
        return all(link.link in topology.links for link in plan.links)

    def limited(self, request: LinkRequest, now: Time, usage: Usage) -> Accepted | Refused:
        """Answer within the limits of its tenant."""
        if not usage.tenancy.knows(request.tenant):
            reason = f"no tenant {request.tenant!r} in the policy"
            return Refused(request.name, Code.REJECTED, f"tenant {request.tenant!r}", reason)
        answer = self.ask(request, now, lambda plan: excess_of(usage, request, plan, request.name))
        if isinstance(answer, Accepted):
            enter(usage, request, answer.plan)
        return answer

    def ask(
        self, request: LinkRequest, now: Time, quota: Callable[[Plan], Refused | None] = lambda _: None
    ) -> Accepted | Refused:
        """Answer, and let the plan hold its slots."""
        missing = [
            name
            for name in (request.source, request.destination)
            if name not in self.admission.topology.nodes
        ]
        if missing:
            return Refused(request.name, Code.NOROUTE, f"node {missing[0]}", f"{missing[0]} is not there")
        deadline = request.deadline
        relative = request if deadline is None else replace(request, deadline=deadline - now)
        beside = {name: self.plans[name] for name in request.route.disjoint if name in self.plans}
        if request.route.paths > 1:
            return self._ask_several(request, relative, beside, quota)
        verdict: Verdict = self.admission.admit(relative, beside)
        if isinstance(verdict.answer, Refused):
            offer = verdict.answer.offer
            if offer is not None and offer.deadline is not None:
                offer = replace(offer, deadline=offer.deadline + now)
            return replace(verdict.answer, request=request.name, offer=offer)
        over = quota(verdict.answer)
        if over is not None:
            return over
        self.plans[request.name] = verdict.answer
        if not verdict.queued:
            self.take(verdict.answer)
        if verdict.backup is not None:
            self.admission.spares.put(request.name, verdict.answer, verdict.backup)
        return Accepted(request.name, verdict.answer, verdict.queued, verdict.backup)

    def _ask_several(
        self, request: LinkRequest, relative: LinkRequest, beside: Mapping[str, Plan], quota: Callable[[Plan], Refused | None]
    ) -> Accepted | Refused:  # fmt: skip
        """The same for a request on several paths: all of them now, or none."""
        found = several(self.admission, relative, beside)
        if isinstance(found, Refused):
            return replace(found, request=request.name, offer=None)
        whole = merged(found)
        over = quota(whole)
        if over is not None:
            return over
        if not self.admission.fits(whole):
            reason = "there are too few free slots for all paths at once"
            return Refused(
                request.name, Code.NORES, f"memory of {request.source}", reason, best=whole.forecast
            )
        self.plans[request.name] = whole
        for plan in found:
            self.take(plan)
        return Accepted(request.name, found[0], others=found[1:])
