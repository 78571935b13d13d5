"""Disciplines that give each tenant its share: by virtual time, by what was served, by what is held now."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from quantum_fabric.control.scheduling.disciplines import Fifo, Waiting
from quantum_fabric.errors import QuantityError
from quantum_fabric.units import Time


@dataclass
class _Weighted(Fifo):
    """What has weights.

    Args:
        weights: of tenants, above 0; a tenant that is not named weighs 1.
    """

    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for tenant, weight in self.weights.items():
            if not 0.0 < weight < float("inf"):
                raise QuantityError(found=repr(weight), expected="a weight above 0", where=f"tenant {tenant}")

    def _weight(self, tenant: str) -> float:
        return self.weights.get(tenant, 1.0)


@dataclass
class _InTurns(_Weighted):
    """What gives the turn to the tenant whose clock is least, and moves that clock by cost / weight."""

    _clock: dict[str, float] = field(default_factory=dict, init=False)
    _waiting: dict[str, set[str]] = field(default_factory=dict, init=False)

    def arrived(self, job: Waiting, now: Time) -> None:
        """A tenant that had nothing waiting joins: its clock may not lie behind where the others begin."""
        mine = self._waiting.setdefault(job.tenant, set())
        if not mine:
            self._clock[job.tenant] = max(self._clock.get(job.tenant, 0.0), self._joins())
        mine.add(job.name)

    def order(self, waiting: Sequence[Waiting], now: Time) -> list[Waiting]:
        """As if each were begun in turn."""
        return _in_turns(waiting, dict(self._clock), self._weight)

    def started(self, job: Waiting, now: Time) -> None:
        """Its tenant was served; it waits no longer."""
        self._clock[job.tenant] = self._clock.get(job.tenant, 0.0) + job.cost / self._weight(job.tenant)
        self._waiting.get(job.tenant, set()).discard(job.name)

    def ended(self, job: Waiting, now: Time) -> None:
        """It may have been withdrawn before it began; then its tenant pays nothing."""
        self._waiting.get(job.tenant, set()).discard(job.name)

    def _joins(self) -> float:
        """Least clock of a tenant that joins."""
        raise NotImplementedError


@dataclass
class WeightedFair(_InTurns):
    """Start-time fair queueing: in the order of virtual start times.

    Equation: S = max(V, F) when a tenant joins, then S = F of its job before, F = S + cost / weight; V is the start tag of the job
    that began last. Goyal, Vin and Cheng, IEEE/ACM Trans. Netw. 5, 690 (1997); here tags are given to the heads of the queues only,
    so that what is withdrawn costs nothing. While two tenants both have work waiting that fits, what they are served differs by
    no more than one of each one's largest jobs, over their weights.

    Examples:
        >>> fair = WeightedFair(weights={"gold": 2.0})
        >>> jobs = [Waiting(f"{tenant}{n}", tenant, arrived=0) for tenant in ("iron", "gold") for n in (1, 2, 3)]
        >>> for job in jobs:
        ...     fair.arrived(job, 0)
        >>> [job.name for job in fair.order(jobs, 0)]
        ['iron1', 'gold1', 'gold2', 'iron2', 'gold3', 'iron3']
    """

    _virtual: float = field(default=0.0, init=False)

    def started(self, job: Waiting, now: Time) -> None:
        """Virtual time moves to its start tag, never backwards."""
        self._virtual = max(self._virtual, self._clock.get(job.tenant, 0.0))
        super().started(job, now)

    def _joins(self) -> float:
        return self._virtual


@dataclass
class ProportionalShare(_InTurns):
    """Stride scheduling: the tenant that has been served least for its weight goes first.

    Equation: Waldspurger and Weihl, MIT/LCS/TM-528 (1995): a pass value that grows by cost / weight at every turn. A tenant that
    had nothing waiting begins at the least pass of those that wait, so that no right is saved up while idle.

    Examples:
        >>> share = ProportionalShare(weights={"gold": 3.0})
        >>> jobs = [Waiting(f"{tenant}{n}", tenant) for tenant in ("gold", "iron") for n in (1, 2, 3)]
        >>> [job.name for job in share.order(jobs, 0)]
        ['gold1', 'iron1', 'gold2', 'gold3', 'iron2', 'iron3']
    """

    def _joins(self) -> float:
        return min((self._clock[tenant] for tenant, mine in self._waiting.items() if mine), default=0.0)


@dataclass
class MaxMinFair(_Weighted):
    """The tenant that holds least now, for its weight, goes first.

    What is held is what has begun and not ended. Where all jobs are small, what the tenants hold tends to the max-min fair
    allocation of `quantum_fabric.control.scheduling.allocation.water_fill`. Unlike `ProportionalShare` it has no memory of the past.

    Examples:
        >>> fair = MaxMinFair()
        >>> fair.started(Waiting("a1", "a"), 0)
        >>> [job.name for job in fair.order([Waiting("a2", "a"), Waiting("b1", "b", arrived=5)], 6)]
        ['b1', 'a2']
    """

    _held: dict[str, float] = field(default_factory=dict, init=False)
    _running: dict[str, float] = field(default_factory=dict, init=False)

    def order(self, waiting: Sequence[Waiting], now: Time) -> list[Waiting]:
        """As if each were begun in turn."""
        shares = {tenant: held / self._weight(tenant) for tenant, held in self._held.items()}
        return _in_turns(waiting, shares, self._weight)

    def started(self, job: Waiting, now: Time) -> None:
        """It holds its cost."""
        if job.name not in self._running:
            self._running[job.name] = job.cost
            self._held[job.tenant] = self._held.get(job.tenant, 0.0) + job.cost

    def ended(self, job: Waiting, now: Time) -> None:
        """It holds nothing any more."""
        cost = self._running.pop(job.name, 0.0)
        if cost:
            self._held[job.tenant] -= cost


def _in_turns(
    waiting: Sequence[Waiting], shares: dict[str, float], weight: Callable[[str], float]
) -> list[Waiting]:
    """The tenant with the least share goes, and its share grows by what it takes; equal ones by the arrival of their oldest."""
    lines: dict[str, deque[Waiting]] = {}
    for job in sorted(waiting, key=lambda job: job.arrived):
        lines.setdefault(job.tenant, deque()).append(job)
    out: list[Waiting] = []
    while lines:
        tenant = min(lines, key=lambda name: (shares.get(name, 0.0), lines[name][0].arrived))
        job = lines[tenant].popleft()
        out.append(job)
        shares[tenant] = shares.get(tenant, 0.0) + job.cost / weight(tenant)
        if not lines[tenant]:
            del lines[tenant]
    return out
