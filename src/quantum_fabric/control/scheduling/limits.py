"""Rate control of the controller: how fast tenants may ask, and who leaves a queue that is too long.

Where more is asked for than there is, a queue only makes everybody late: what is begun is begun too late to be of use, and the work
is lost. So tenants are held to a rate at the door, and of what waits only as much stays as can be served while it is still wanted,
by value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from quantum_fabric.control.scheduling.overload import TokenBucket
from quantum_fabric.control.scheduling.selection import Offer, by_value
from quantum_fabric.control.scheduling.tenancy import Tenancy
from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import Code, LinkRequest, Refused
from quantum_fabric.units import SECOND, Time

QUEUE = "places in the queue"


@dataclass(frozen=True, slots=True)
class Shedding:
    """Who leaves a queue that is longer than ``most``.

    Attributes:
        most: requests that may wait, at least 0. Those that were put off, or for whom others were, do not count and never leave.
        within: what stays must be expected to be served within this time, ps.
        by: ``"value"``: pairs (times the weight of the tenant) for the slot seconds that they take, higher priorities first; or
            ``"arrival"``: whoever comes last leaves.

    Raises:
        QuantityError: a negative length, no time, or another way.
    """

    most: int
    within: Time = 10 * SECOND
    by: str = "value"

    def __post_init__(self) -> None:
        if self.most < 0 or self.within < 1 or self.by not in ("value", "arrival"):
            found = f"{self.most} requests, {self.within} ps, by {self.by!r}"
            expected = "0 requests or more, a time above 0, by 'value' or 'arrival'"
            raise QuantityError(found=found, expected=expected, where="shedding")


@dataclass(frozen=True, slots=True)
class Queued:
    """Something that waits, as shedding looks at it.

    Attributes:
        name: unique.
        priority: of the request.
        value: pairs that it still owes, times the weight of its tenant.
        slots: memory slots that it needs, by node.
        length: how long it is expected to run, ps.
    """

    name: str
    priority: int
    value: float
    slots: Mapping[str, int]
    length: Time


def staying(queue: Sequence[Queued], policy: Shedding, slots: Mapping[str, int]) -> frozenset[str]:
    """Names of those that stay.

    Args:
        queue: all that waits, in the order of arrival.
        policy: how many stay, and which.
        slots: of each node, all in all.

    Examples:
        >>> jobs = [Queued("long", 0, 5.0, {"A": 1}, 9 * SECOND), *(Queued(n, 0, 5.0, {"A": 1}, SECOND) for n in "abc")]
        >>> sorted(staying(jobs, Shedding(most=2, within=9 * SECOND), {"A": 1}))
        ['a', 'b']
        >>> sorted(staying(jobs, Shedding(most=2, within=99 * SECOND, by="arrival"), {"A": 1}))
        ['a', 'long']
    """
    if len(queue) <= policy.most:
        return frozenset(each.name for each in queue)
    if policy.by == "arrival":
        return frozenset(each.name for each in queue[: policy.most])
    left: dict[str, float] = {node: count * policy.within / SECOND for node, count in slots.items()}
    left[QUEUE] = float(policy.most)
    stay: set[str] = set()
    for priority in sorted({each.priority for each in queue}, reverse=True):
        offers = [_offer(each) for each in queue if each.priority == priority]
        for offer in by_value(offers, left, rounds=0):
            stay.add(offer.name)
            for name, load in offer.load.items():
                left[name] -= load
    return frozenset(stay)


def _offer(each: Queued) -> Offer:
    seconds = each.length / SECOND
    load = {node: count * seconds for node, count in each.slots.items()}
    return Offer(each.name, each.value, {**load, QUEUE: 1.0})


class Doors:
    """How fast each tenant may ask.

    Examples:
        >>> from quantum_fabric.control.scheduling.tenancy import Tenant
        >>> doors = Doors(Tenancy.of([Tenant("gold", asks=2.0)]))
        >>> wish = LinkRequest("A", "B", 0.9, tenant="gold", name="r")
        >>> doors.refusal(wish, now=0) is None
        True
        >>> doors.passed("r", "gold", now=0)
        >>> doors.refusal(wish, now=0).available  # half a second, in ps
        500000000000
    """

    def __init__(self, tenancy: Tenancy) -> None:
        self._buckets = {
            name: TokenBucket(tenant.asks, tenant.burst)
            for name, tenant in tenancy.tenants.items()
            if tenant.asks is not None
        }
        self._in: set[str] = set()

    def refusal(self, request: LinkRequest, now: Time) -> Refused | None:
        """Why a request comes too soon; None where it does not. Nothing is taken."""
        bucket = self._buckets.get(request.tenant)
        if bucket is None:
            return None
        available = bucket.available(1.0, now)
        if available is None or available <= now:
            return None
        reason = f"tenant {request.tenant} may ask {bucket.rate:g} times a second, {bucket.burst:g} at once, and has done so"
        resource = f"rate of tenant {request.tenant}: requests"
        return Refused(request.name, Code.NORES, resource, reason, available=available)

    def passed(self, name: str, tenant: str, now: Time) -> None:
        """A request is taken on. Twice changes nothing."""
        bucket = self._buckets.get(tenant)
        if bucket is not None and name not in self._in:
            bucket.take(1.0, now)
            self._in.add(name)

    def gone(self, names: Iterable[str]) -> None:
        """These are over."""
        self._in.difference_update(names)
