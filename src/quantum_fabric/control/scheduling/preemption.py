"""Putting off what can wait: whose slots a more urgent request may have, and how often."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quantum_fabric.control.scheduling.tenancy import Tenancy
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Running:
    """A request that holds something.

    Attributes:
        name: unique.
        tenant: whose.
        priority: of the request.
        preemptible: whether its caller lets it be put off.
        holds: how much of each resource.
        left: pairs that it still owes.
    """

    name: str
    tenant: str
    priority: int
    preemptible: bool
    holds: Mapping[str, int] = field(hash=False)
    left: int = 1


class Budgets:
    """How often each tenant's requests have put others off, and been put off and for how long, within its window.

    Examples:
        >>> from quantum_fabric.control.scheduling.tenancy import Tenancy, Tenant
        >>> budgets = Budgets(Tenancy.of([Tenant("a", put_off=1, window=100), Tenant("b")]))
        >>> budgets.spend("b", ["a"], now=10)
        >>> budgets.may_be_put_off("a", now=109), budgets.may_be_put_off("a", now=110)
        (False, True)
    """

    def __init__(self, tenancy: Tenancy) -> None:
        self._tenancy = tenancy
        self._did: dict[str, deque[Time]] = {}
        self._bore: dict[str, deque[Time]] = {}
        self._off: dict[str, tuple[str, Time]] = {}  # request that is put off -> its tenant, and since when
        self._spells: dict[str, list[tuple[Time, Time]]] = {}  # tenant -> from when to when its requests were

    def may_preempt(self, tenant: str, now: Time) -> bool:
        """Whether a request of this tenant may put others off."""
        limits = self._tenancy.tenant(tenant)
        return limits.preempts is None or _recent(self._did, tenant, now - limits.window) < limits.preempts

    def may_be_put_off(self, tenant: str, now: Time, times: int = 1, length: Time = 0) -> bool:
        """Whether so many more requests of this tenant may be put off, each for about so long (ps)."""
        limits = self._tenancy.tenant(tenant)
        if limits.put_off_for is not None and self.put_off(tenant, now) + times * length > limits.put_off_for:
            return False
        return (
            limits.put_off is None
            or _recent(self._bore, tenant, now - limits.window) + times <= limits.put_off
        )

    def put_off(self, tenant: str, now: Time) -> Time:
        """For how long requests of this tenant were put off within its window, all together, ps."""
        since = now - self._tenancy.tenant(tenant).window
        spells = [spell for spell in self._spells.get(tenant, ()) if spell[1] > since]
        if tenant in self._spells:
            self._spells[tenant] = spells
        spells = spells + [(start, now) for who, start in self._off.values() if who == tenant]
        return sum(end - max(start, since) for start, end in spells)

    def stopped(self, name: str, tenant: str, now: Time) -> None:
        """A request is put off from now on."""
        self._off[name] = (tenant, now)

    def went_on(self, name: str, now: Time) -> None:
        """A request is not put off any more: it goes on, or is over. Twice changes nothing."""
        tenant, start = self._off.pop(name, ("", now))
        if now > start and self._tenancy.tenant(tenant).put_off_for is not None:
            self._spells.setdefault(tenant, []).append((start, now))

    def spend(self, tenant: str, victims: Sequence[str], now: Time) -> None:
        """A request of a tenant has put others off: their tenants, one entry for each request."""
        self._did.setdefault(tenant, deque()).append(now)
        for victim in victims:
            self._bore.setdefault(victim, deque()).append(now)

    def victims(
        self,
        tenant: str,
        priority: int,
        short: Mapping[str, int],
        running: Sequence[Running],
        now: Time,
        length: Time = 0,
    ) -> tuple[Running, ...]:
        """Whom to put off for a request: preemptible ones of lower priority, within the budgets; () where that does not help.

        Lowest priority first, then whoever owes most. Nobody is put off in vain: without any one of them something would still be
        short.

        Args:
            tenant: who asks.
            priority: of its request.
            short: how much more of each resource it needs than is free.
            running: what holds something.
            now: ps.
            length: for how long it is expected to run, ps.
        """
        if not self.may_preempt(tenant, now):
            return ()
        chosen: list[Running] = []
        taken: dict[str, int] = {}
        left = {resource: count for resource, count in short.items() if count > 0}
        for each in sorted(running, key=lambda each: (each.priority, -each.left, each.name)):
            if not left:
                break
            if not each.preemptible or each.priority >= priority:
                continue
            helps = any(resource in left for resource in each.holds)
            again = taken.get(each.tenant, 0) + 1
            if helps and self.may_be_put_off(each.tenant, now, again, length):
                chosen.append(each)
                taken[each.tenant] = again
                left = _still_short(short, chosen)
        if left:
            return ()
        for each in list(chosen):  # the first chosen may have become superfluous
            fewer = [other for other in chosen if other is not each]
            if not _still_short(short, fewer):
                chosen = fewer
        return tuple(chosen)


def _still_short(short: Mapping[str, int], chosen: Sequence[Running]) -> dict[str, int]:
    left = {
        resource: count - sum(each.holds.get(resource, 0) for each in chosen)
        for resource, count in short.items()
    }
    return {resource: count for resource, count in left.items() if count > 0}


def _recent(times: Mapping[str, deque[Time]], tenant: str, since: Time) -> int:
    """How many of a tenant's times lie after a moment; older ones are forgotten."""
    mine = times.get(tenant)
    if mine is None:
        return 0
    while mine and mine[0] <= since:
        mine.popleft()
    return len(mine)
