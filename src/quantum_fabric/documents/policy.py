"""Who shares the network and how, as a workload document writes it down, and as plain records in base units.

The records say what is wished. `quantum_fabric.policies` makes of them what a controller acts on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.documents.fields import Count, Delay, Duration, Entry, Flag, Name, Rate, Text
from quantum_fabric.documents.findings import Report, nearest
from quantum_fabric.documents.reading import quoted
from quantum_fabric.errors import InputError
from quantum_fabric.units import Time, parse, parse_time

Discipline = Literal[
    "first come", "in line", "strict priority", "earliest deadline", "longest queue", "weighted fair",
    "proportional share", "max-min",
]  # fmt: skip

Whole = Annotated[int, Field(strict=True, ge=0)]
Weight = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]

MINUTE: Final = "60 s"


class TenantEntry(Entry):
    """One tenant, its weight and its limits. What is left out has no limit."""

    name: Text = Field(description="as requests name it; '' for those that name nobody")
    weight: Weight = Field(1.0, description="its share beside others")
    slots: Whole | None = Field(None, description="memory slots that its open requests may need together")
    rate: Rate | None = Field(None, description="pairs per second of its open requests together")
    requests: Whole | None = Field(None, description="open requests at a time")
    asks: Rate | None = Field(None, description="requests per second that are taken on in the long run")
    burst: Count = Field(1, description="how many of them at once")
    preempts: Whole | None = Field(None, description="how often its requests may put others off")
    put_off: Whole | None = Field(None, description="how often its requests may be put off")
    put_off_for: Duration | None = Field(None, description="for how long they may be, all together")
    window: Duration = Field(MINUTE, description="time over which that is counted")
    note: Text | None = None

    @field_validator("asks")
    @classmethod
    def _some(cls, value: str | None) -> str | None:
        if value is not None and parse(value, "frequency") <= 0.0:
            raise InputError(found=quoted(value), expected="a rate above 0, such as '5 Hz'")
        return value


class UpkeepEntry(Entry):
    """A window in which something is not for users, announced beforehand."""

    of: Name = Field(description="a link, a node or a shared station")
    start: Delay = Field(description="when it begins")
    end: Duration = Field(description="when it ends")
    purpose: Literal["maintenance", "calibration"] = "maintenance"
    notice: Delay | None = Field(None, description="how long before the start nothing may run there")
    note: Text | None = None

    @model_validator(mode="after")
    def _some_time(self) -> UpkeepEntry:
        if parse_time(self.end) <= parse_time(self.start):
            raise InputError(found=f"end {self.end!r}", expected=f"a time after the start, {self.start}")
        return self


class SheddingEntry(Entry):
    """Who leaves a queue that is too long."""

    most: Whole = Field(description="requests that may wait")
    within: Duration = Field("10 s", description="what stays must be served within this time")
    by: Literal["value", "arrival"] = Field(
        "value",
        description="who stays: those of most pairs for their slots and time, or those that came first",
    )


@dataclass(frozen=True, slots=True)
class TenantSpec:
    """A tenant in base units: rates per second, times in ps."""

    name: str
    weight: float
    slots: int | None
    rate: float | None
    requests: int | None
    asks: float | None
    burst: int
    preempts: int | None
    put_off: int | None
    put_off_for: Time | None
    window: Time


@dataclass(frozen=True, slots=True)
class UpkeepSpec:
    """A window of upkeep: what, from when to when (ps), what for, with how much notice (ps)."""

    target: str
    start: Time
    end: Time
    purpose: str
    notice: Time


@dataclass(frozen=True, slots=True)
class SheddingSpec:
    """How many may wait, within what time (ps) they must be served, and who stays."""

    most: int
    within: Time
    by: str


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """How the network is shared.

    Attributes:
        discipline: of the queue; as the controller has it where None.
        tenants: who is known; everybody where None.
        strangers: ``"welcome"``: others are too, without limits; ``"refused"``: they are not; None: no request may be theirs.
        preempts: whether requests of higher priority may put off preemptible ones.
        upkeep: windows that are known in advance.
        shedding: who leaves a queue that is too long; None where nobody has to.
    """

    discipline: str | None = None
    tenants: tuple[TenantSpec, ...] | None = None
    strangers: str | None = None
    preempts: bool = True
    upkeep: tuple[UpkeepSpec, ...] = ()
    shedding: SheddingSpec | None = None


class PolicyFields(Entry):
    """What a workload document says of it."""

    discipline: Discipline | None = Field(
        None, description="in which order requests that wait are tried; 'strict priority' without one"
    )
    tenants: tuple[TenantEntry, ...] | None = Field(
        None, description="who shares the network; everybody, without limits, where it is left out"
    )
    strangers: Literal["welcome", "refused"] | None = Field(
        None,
        description="what becomes of requests of other tenants; without it such a request is a fault of the document",
    )
    preempts: Flag = Field(
        True, description="false: requests of higher priority never put off preemptible ones"
    )
    upkeep: tuple[UpkeepEntry, ...] = Field((), description="windows of maintenance and calibration")
    shedding: SheddingEntry | None = Field(None, description="who leaves a queue that is too long")


def policy_of(fields: PolicyFields) -> PolicySpec:
    """In base units.

    Examples:
        >>> fields = PolicyFields.model_validate({"discipline": "max-min", "tenants": [{"name": "gold", "asks": "5 Hz"}]})
        >>> policy_of(fields).tenants[0].asks
        5.0
    """
    shed = fields.shedding
    return PolicySpec(
        fields.discipline,
        None if fields.tenants is None else tuple(map(_tenant, fields.tenants)),
        fields.strangers,
        fields.preempts,
        tuple(
            UpkeepSpec(each.of, parse_time(each.start), parse_time(each.end), each.purpose, parse_time(each.notice or "0 s"))
            for each in fields.upkeep
        ),
        None if shed is None else SheddingSpec(shed.most, parse_time(shed.within), shed.by),
    )  # fmt: skip


def _tenant(entry: TenantEntry) -> TenantSpec:
    return TenantSpec(
        entry.name,
        entry.weight,
        entry.slots,
        None if entry.rate is None else parse(entry.rate, "frequency"),
        entry.requests,
        None if entry.asks is None else parse(entry.asks, "frequency"),
        entry.burst,
        entry.preempts,
        entry.put_off,
        None if entry.put_off_for is None else parse_time(entry.put_off_for),
        parse_time(entry.window),
    )


def check_policy(policy: PolicySpec, asking: Sequence[str], inventory: Inventory, report: Report) -> None:
    """Report tenants that stand twice or that nobody knows, and upkeep of what is not there.

    Args:
        policy: of the document.
        asking: the tenant of each of its requests.
        inventory: of the network.
        report: told of each fault.
    """
    names = [each.name for each in policy.tenants or ()]
    for number, name in enumerate(names):
        first = names.index(name)
        if first != number:
            found = f"a second tenant {name!r} (first is tenants[{first}])"
            report(("tenants", number, "name"), found, "each name once")
    if policy.tenants is not None and policy.strangers is None:
        for number, name in enumerate(asking):
            if name not in names:
                what = "a tenant of 'tenants', or 'strangers: welcome' or 'refused'"
                report(("requests", number, "tenant"), quoted(name), nearest(what, name, names))
    known = sorted({*inventory.links, *inventory.nodes, *inventory.stations})
    for number, window in enumerate(policy.upkeep):
        if window.target not in known:
            what = "a link, a node or a station of the network"
            report(("upkeep", number, "of"), quoted(window.target), nearest(what, window.target, known))
