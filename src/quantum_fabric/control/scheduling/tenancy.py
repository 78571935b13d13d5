"""Tenants: what each may have at once, and how much it weighs beside others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from quantum_fabric.errors import QuantityError, UnknownNameError
from quantum_fabric.units import SECOND, Time


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant and its limits. None is no limit.

    Attributes:
        name: as in `LinkRequest.tenant`; "" for requests that name nobody.
        weight: its share beside others, above 0.
        slots: memory slots that its open requests may need together, over all nodes.
        rate: pairs per second of its open requests together: what each asks for, or what its plan should give where it asks for none.
        requests: open requests at a time.
        preempts: how often its requests may put others off, within `window`.
        put_off: how often its requests may be put off, within `window`.
        window: ps.
        put_off_for: for how long its requests may be put off in all, within `window` (ps).
        asks: requests per second that are taken on in the long run.
        burst: how many of them at once, 1 or more.
    """

    name: str
    weight: float = 1.0
    slots: int | None = None
    rate: float | None = None
    requests: int | None = None
    preempts: int | None = None
    put_off: int | None = None
    window: Time = 60 * SECOND
    put_off_for: Time | None = None
    asks: float | None = None
    burst: float = 1.0

    def __post_init__(self) -> None:
        where = f"tenant {self.name!r}"
        if not 0.0 < self.weight < math.inf:
            raise QuantityError(found=repr(self.weight), expected="a weight above 0", where=where)
        for limit in (self.slots, self.rate, self.requests, self.preempts, self.put_off, self.put_off_for):
            if limit is not None and not 0 <= limit < math.inf:
                raise QuantityError(found=repr(limit), expected="a limit of 0 or more", where=where)
        if self.asks is not None and not 0.0 < self.asks < math.inf:
            raise QuantityError(
                found=repr(self.asks), expected="more than 0 requests per second", where=where
            )
        if not 1.0 <= self.burst < math.inf:
            raise QuantityError(found=repr(self.burst), expected="a burst of 1 or more", where=where)
        if self.window < 1:
            raise QuantityError(found=f"{self.window} ps", expected="a window above 0", where=where)


@dataclass(frozen=True)
class Tenancy:
    """Who is known.

    Attributes:
        tenants: by name.
        closed: whether a request of a tenant that is not known is refused. Otherwise it has no limits and weighs 1.

    Examples:
        >>> policy = Tenancy.of([Tenant("gold", weight=3.0)])
        >>> policy.knows("gold"), policy.knows("tin"), policy.knows("")
        (True, False, False)
        >>> OPEN.knows("tin")
        True
    """

    tenants: Mapping[str, Tenant] = field(default_factory=dict, hash=False)
    closed: bool = False

    @staticmethod
    def of(tenants: Iterable[Tenant]) -> Tenancy:
        """A closed policy of these tenants.

        Raises:
            UnknownNameError: a name twice.
        """
        found: dict[str, Tenant] = {}
        for tenant in tenants:
            if tenant.name in found:
                raise UnknownNameError(found=f"tenant {tenant.name!r} twice", expected="each tenant once")
            found[tenant.name] = tenant
        return Tenancy(found, closed=True)

    def knows(self, name: str) -> bool:
        """Whether requests of this tenant are admitted at all."""
        return not self.closed or name in self.tenants

    def tenant(self, name: str) -> Tenant:
        """The tenant; one without limits where the policy is open and does not name it.

        Raises:
            UnknownNameError: not known, and the policy is closed.
        """
        found = self.tenants.get(name)
        if found is not None:
            return found
        if self.closed:
            known = ", ".join(repr(each) for each in sorted(self.tenants)) or "none"
            raise UnknownNameError(found=f"tenant {name!r}", expected=f"a tenant of the policy: {known}")
        return Tenant(name)

    @property
    def weights(self) -> dict[str, float]:
        """Weight of every tenant that is named."""
        return {name: tenant.weight for name, tenant in self.tenants.items()}


OPEN = Tenancy()
"""Everybody is known, and nobody limited."""


@dataclass(frozen=True, slots=True)
class Excess:
    """A quota would be exceeded. A value, not an exception.

    Attributes:
        tenant: whose.
        quota: which: ``"memory slots"``, ``"pairs per second"`` or ``"open requests"``.
        limit: the quota.
        held: what its open requests have of it.
        wanted: what the new one adds.
        available: when enough of the open ones are expected to have ended (ps); None where nobody can say, or where the new one alone
            is too much.
    """

    tenant: str
    quota: str
    limit: float
    held: float
    wanted: float
    available: Time | None

    @property
    def resource(self) -> str:
        """What binds, in words."""
        return f"quota of tenant {self.tenant}: {self.quota}" if self.tenant else f"quota: {self.quota}"

    def __str__(self) -> str:
        """One sentence with the numbers."""
        return f"{self.wanted:g} {self.quota} wanted, {self.held:g} of {self.limit:g} held by {self.tenant or 'nobody'}"


@dataclass(frozen=True, slots=True)
class _Open:
    tenant: str
    slots: int
    rate: float
    ends: Time | None


class Usage:
    """What the open requests of every tenant have together.

    Examples:
        >>> usage = Usage(Tenancy.of([Tenant("gold", slots=4)]))
        >>> usage.opened("r1", "gold", slots=3, rate=0.0, ends=500)
        >>> excess = usage.excess("gold", slots=2, rate=0.0)
        >>> excess.resource, excess.held, excess.available
        ('quota of tenant gold: memory slots', 3, 500)
        >>> usage.closed("r1"); usage.excess("gold", slots=2, rate=0.0) is None
        True
    """

    def __init__(self, tenancy: Tenancy = OPEN) -> None:
        self.tenancy = tenancy
        self._open: dict[str, _Open] = {}

    def opened(self, name: str, tenant: str, slots: int, rate: float, ends: Time | None = None) -> None:
        """A request was accepted, or has another plan now; `ends` is when it is expected to be over."""
        self._open[name] = _Open(tenant, slots, rate, ends)

    def closed(self, name: str) -> None:
        """It is over. Closing twice changes nothing."""
        self._open.pop(name, None)

    def held(self, tenant: str) -> tuple[int, float, int]:
        """Memory slots, pairs per second and number of the open requests of a tenant."""
        mine = [each for each in self._open.values() if each.tenant == tenant]
        return sum(each.slots for each in mine), math.fsum(each.rate for each in mine), len(mine)

    def copied(self) -> Usage:
        """The same books, to be written into without effect."""
        other = Usage(self.tenancy)
        other._open = dict(self._open)
        return other

    def excess(self, tenant: str, slots: int, rate: float, instead: str = "") -> Excess | None:
        """Which quota one more request would exceed; None where it exceeds none.

        Args:
            tenant: who asks.
            slots: memory slots that it needs.
            rate: pairs per second.
            instead: name of an open request that it would replace.

        Raises:
            UnknownNameError: the policy is closed and does not know the tenant.
        """
        limits = self.tenancy.tenant(tenant)
        before = self._open.pop(instead, None)
        try:
            return self._excess(tenant, limits, slots, rate)
        finally:
            if before is not None:
                self._open[instead] = before

    def _excess(self, tenant: str, limits: Tenant, slots: int, rate: float) -> Excess | None:
        has = self.held(tenant)
        for quota, limit, held, wanted, part in (
            ("open requests", limits.requests, has[2], 1, lambda _: 1),
            ("memory slots", limits.slots, has[0], slots, lambda each: each.slots),
            ("pairs per second", limits.rate, has[1], rate, lambda each: each.rate),
        ):
            if limit is not None and held + wanted > limit * (1.0 + 1e-12):
                mine = [(each.ends, part(each)) for each in self._open.values() if each.tenant == tenant]
                available = _when(mine, held + wanted - limit) if wanted <= limit else None
                return Excess(tenant, quota, limit, held, wanted, available)
        return None


def _when(mine: list[tuple[Time | None, float]], over: float) -> Time | None:
    """When the open ones that end first will have given back so much."""
    for ends, part in sorted((ends, part) for ends, part in mine if ends is not None):
        over -= part
        if over <= 1e-12:
            return ends
    return None
