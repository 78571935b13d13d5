"""How a network is shared: from what a document wishes to what a controller acts on."""

from __future__ import annotations

from quantum_fabric.control.scheduling.calendar import Purpose
from quantum_fabric.control.scheduling.limits import Shedding
from quantum_fabric.control.scheduling.maintenance import Upkeep
from quantum_fabric.control.scheduling.tenancy import OPEN, Tenancy, Tenant
from quantum_fabric.control.scheduling.turns import DEFAULT, Scheduling
from quantum_fabric.documents.policy import PolicySpec, TenantSpec


def scheduling_of(policy: PolicySpec) -> Scheduling:
    """The scheduling of a controller.

    Args:
        policy: of a workload (`quantum_fabric.documents.Workload.policy`).

    Examples:
        >>> scheduling_of(PolicySpec()) == DEFAULT
        True
        >>> scheduling_of(PolicySpec(tenants=(), strangers="refused")).tenancy.knows("gold")
        False
    """
    tenancy = OPEN
    if policy.tenants is not None:
        known = Tenancy.of(_tenant(each) for each in policy.tenants)
        tenancy = Tenancy(known.tenants, closed=policy.strangers != "welcome")
    shed = policy.shedding
    return Scheduling(
        tenancy,
        policy.discipline or DEFAULT.discipline,
        policy.preempts,
        tuple(
            Upkeep(each.target, each.start, each.end, Purpose(each.purpose), each.notice)
            for each in policy.upkeep
        ),
        None if shed is None else Shedding(shed.most, shed.within, shed.by),
    )


def _tenant(spec: TenantSpec) -> Tenant:
    return Tenant(
        spec.name, spec.weight, spec.slots, spec.rate, spec.requests, spec.preempts, spec.put_off, spec.window,
        spec.put_off_for, spec.asks, float(spec.burst),
    )  # fmt: skip
