"""Into how many segments to cut a distance: more segments are shorter and faster, but swaps and waiting cost fidelity.

Schemes of all counts on a coarse ladder race in one queue, then with those of the counts beside the best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import Code, LinkRequest, Plan, Refused
from quantum_fabric.network.candidates import Candidates
from quantum_fabric.network.planning import decide, serving
from quantum_fabric.network.scheme import to_plan
from quantum_fabric.network.search import Found, Search, Serves, race
from quantum_fabric.network.topology import Topology

LADDER = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128)
"""Counts that are estimated."""

BUDGET = 160
"""Units of work for all counts together (see `quantum_fabric.network.search`)."""

GIVEN_UP = 0.3
"""The ladder is climbed until the estimate falls to this share of the best."""


def segment(
    distance_m: float,
    fidelity: float,
    make: Callable[[int], Topology],
    source: str,
    destination: str,
    request: LinkRequest,
    max_segments: int = 64,
) -> tuple[int, Plan] | Refused:
    """Choose the number of segments with the best rate, and its plan.

    Args:
        distance_m: from end to end (m); for messages only, ``make`` knows it.
        fidelity: least fidelity of a delivered pair.
        make: builds the chain with so many segments.
        source: first node of that chain.
        destination: last node of that chain.
        request: rate, pairs, deadline; its ends and fidelity are set to the ones given here.
        max_segments: largest count, at least 1.

    Returns:
        (segments, plan), or the refusal that comes closest. The offer of a refusal is accepted when it is asked instead.

    Raises:
        QuantityError: a distance of 0 or less, or fewer than one segment.
        UnknownNameError: the chain has no such ends.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> from quantum_fabric.network.topology import LinkView, NodeModel
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> def make(n: int) -> Topology:
        ...     names = ["A", *(f"R{i}" for i in range(1, n)), "B"]
        ...     nodes = {x: NodeModel(x, 2, MemoryNoise(math.inf, 10.0), OperationNoise(), 0) for x in names}
        ...     km, w = 100 / n, (0.99, 0.01, 0.0, 0.0)
        ...     model = FixedLink(10 ** (-km / 50), w, period=round(1e7 * km))  # 0.2 dB/km, 10 us/km
        ...     links = {f"L{i}": LinkView(f"L{i}", a, b, model, 0, km)
        ...              for i, (a, b) in enumerate(zip(names, names[1:]))}
        ...     return Topology(nodes, links, {(a, b): 0 for a in names for b in names}, "A")
        >>> count, plan = segment(100e3, 0.9, make, "A", "B", LinkRequest("A", "B", 0.9))
        >>> 2 <= count <= 10, plan.forecast.fidelity_low >= 0.9
        (True, True)
    """
    if not distance_m > 0.0:
        raise QuantityError(found=str(distance_m), expected="a distance above 0", where="distance")
    if max_segments < 1:
        raise QuantityError(found=str(max_segments), expected="1 or more segments", where="max_segments")
    asked = replace(request, source=source, destination=destination, fidelity=fidelity)
    counts = _Counts(make, asked)
    ladder = [count for count in LADDER if count <= max_segments]
    if ladder[-1] < max_segments < LADDER[-1]:
        ladder.append(max_segments)
    best = counts.fastest(ladder, max_segments)
    if best is not None:
        return best[0], counts.plan(*best)
    refusals = []
    for count in counts.to_refuse(ladder):
        found = counts.decide(count)
        if isinstance(found, Found):
            return count, counts.plan(count, found)
        refusals.append((count, found))
        if found.code is Code.NOTIME:  # the fidelity can be had here, so nothing comes closer elsewhere
            break
    return _closest(refusals, distance_m)


def _closest(refusals: list[tuple[int, Refused]], distance_m: float) -> Refused:
    """The refusal whose offer is the closest to what was asked."""

    def closeness(entry: tuple[int, Refused]) -> tuple[bool, float, float, int]:
        count, refused = entry
        offer = refused.offer
        reached = (0.0, 0.0) if offer is None else (offer.fidelity, offer.rate)
        return (refused.code is Code.NOTIME, *reached, -count)

    count, refused = max(refusals, key=closeness)
    tried = f"{distance_m / 1000:g} km in {count} segment{'s' if count > 1 else ''} (the best count): "
    return replace(refused, reason=tried + refused.reason)


class _Counts:
    """Searches for counts of segments, each made once."""

    def __init__(self, make: Callable[[int], Topology], request: LinkRequest) -> None:
        self._make = make
        self._request = request
        self._searches: dict[int, Search] = {}

    def by_rate(self, counts: list[int]) -> list[int]:
        """Counts whose estimate may reach the fidelity, the fastest first; given up when they get much slower."""
        rated: list[tuple[float, int]] = []
        for count in counts:
            ranked = self.search(count).ranked(self._request.fidelity)
            rate = ranked[0][0] if ranked else 0.0
            if rate > 0.0:
                rated.append((rate, count))
            if rated and 0.0 < rate < GIVEN_UP * max(rated)[0] and count > max(rated)[1]:
                break
        return [count for _, count in sorted(rated, reverse=True)]

    def by_fidelity(self, counts: list[int]) -> list[int]:
        """Counts in the order of the best fidelity that is estimated, the finest first."""
        rated = []
        for count in counts:
            search = self.search(count)
            options = search.by_fidelity()
            if options:
                rated.append((search.candidates.estimate(*options[0]).usual, count))
        return [count for _, count in sorted(rated, reverse=True)]

    def fastest(self, ladder: list[int], most: int) -> tuple[int, Found] | None:
        """The count with the fastest scheme: of the ladder, then with the counts beside the best one."""
        request = self._request
        serves = serving(request)
        counts = self.by_rate(ladder)
        best = self._race(counts, serves)
        if best is None:
            return None
        near = [each for each in (best[0] + 1, best[0] - 1) if 1 <= each <= most and each not in ladder]
        return self._race([*counts, *self.by_rate(near)], serves) if near else best

    def _race(self, counts: list[int], serves: Serves, budget: int = BUDGET) -> tuple[int, Found] | None:
        searches = [self.search(count) for count in counts]
        best = race(searches, self._request.fidelity, serves, budget)
        return None if best is None else (counts[searches.index(best[0])], best[1])

    def to_refuse(self, ladder: list[int]) -> Iterator[int]:
        """Counts that may come closest: the fastest that is too slow, or else the finest ones."""
        slow = self._race(self.by_rate(ladder), lambda forecast: forecast.rate > 0.0, budget=0)
        if slow is not None:
            yield slow[0]
        yield from (count for count in self.by_fidelity(ladder)[:2] if slow is None or count != slow[0])

    def decide(self, count: int) -> Found | Refused:
        """The full decision for a count."""
        return decide(self.search(count), self._request)

    def plan(self, count: int, found: Found) -> Plan:
        """What was found with so many segments, as a plan."""
        search = self.search(count)
        return to_plan(search.candidates.believed, found.scheme, search.completed(found).forecast)

    def search(self, count: int) -> Search:
        """The search over the chain with so many segments."""
        found = self._searches.get(count)
        if found is None:
            chain = self._make(count)
            ends = (self._request.source, self._request.destination)
            found = self._searches[count] = Search(Candidates(chain, *ends))
        return found
