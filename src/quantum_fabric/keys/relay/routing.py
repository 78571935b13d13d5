"""Which ways a key goes: as few paths as keep it from those it is guarded against, along the links with most key to spare.

The cost of a hop is the part of its stock that the key would use up, so that a link that runs low is avoided before it is dry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from quantum_fabric.errors import InputError
from quantum_fabric.keys.records import Provenance
from quantum_fabric.keys.relay.bundle import LARGEST, SPENT_BACKWARD, spent_forward
from quantum_fabric.keys.relay.knowledge import learns
from quantum_fabric.keys.relay.paths import Path, Weigh, disjoint, most_flow, reach, unavoidable
from quantum_fabric.keys.relay.supply import KeyNetwork, pairs

MOST_SETS: Final = 12
"""Declared coalitions for one request: the smallest cover is searched over all their subsets."""

_SCALE: Final = 1_000_000
_HOP: Final = 1_000
_HORIZON: Final = 60.0
"""Seconds of new key that count as stock in the cost of a link, and not in what may be spent."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Against whom a key is guarded.

    Attributes:
        any_nodes: no coalition of so many inner nodes may know the key; 0: every node may.
        sets: declared coalitions, such as all nodes of one operator: none of them may know it either.
        accepted: nodes that may know every key: trusted whatever happens.

    Raises:
        InputError: a number below 0, or more than `MOST_SETS` coalitions.
    """

    any_nodes: int = 1
    sets: tuple[frozenset[str], ...] = ()
    accepted: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.any_nodes < 0 or len(self.sets) > MOST_SETS:
            raise InputError(
                f"{self.any_nodes} nodes, {len(self.sets)} coalitions",
                f"0 nodes or more, at most {MOST_SETS} coalitions",
                "guard",
            )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key to be relayed.

    Attributes:
        source, target: two different nodes.
        octets: of the key.
        guard: see `Guard`.
    """

    source: str
    target: str
    octets: int = 32
    guard: Guard = field(default_factory=Guard)

    def __post_init__(self) -> None:
        if self.source == self.target:
            raise InputError(f"{self.source} twice", "two different nodes", "relayed key")
        if not 1 <= self.octets <= LARGEST:
            raise InputError(f"{self.octets} octets", f"1 to {LARGEST} octets", "relayed key")


@dataclass(frozen=True, slots=True)
class Route:
    """The ways of one key.

    Attributes:
        octets: of the key.
        paths: one for each share; a single hop needs no other.
        uses: (spender, towards) -> bits of link key that a delivery without loss costs.
        provenance: of the relayed key.
    """

    octets: int
    paths: tuple[Path, ...]
    uses: Mapping[tuple[str, str], int]
    provenance: Provenance


class Short(StrEnum):
    """What there is too little of."""

    PATH = "no path"
    GUARD = "no guarded path"
    SUPPLY = "supply"


@dataclass(frozen=True, slots=True)
class NoRoute:
    """The answer no, with the best that can be had instead.

    Attributes:
        short: what is missing.
        reason: in words.
        must_trust: nodes that every path passes: accept them, or there is no route whatever the supply.
        any_nodes: the largest number of nodes that the network can guard against between these ends, whatever the supply.
        octets: the largest key that can go now under the guard that was asked; 0 for none.
        wait: seconds until the stock would be enough at the believed rates; None for never.
        ceiling: bits of link key that can flow from the source to the target now, over all paths together: no choice of routes
            delivers more shares than that.
    """

    short: Short
    reason: str
    must_trust: frozenset[str] = frozenset()
    any_nodes: int = 0
    octets: int = 0
    wait: float | None = None
    ceiling: int = 0


def plan(network: KeyNetwork, wanted: Wanted) -> Route | NoRoute:
    """Choose the ways of a key.

    Args:
        network: what is believed to be there, less what is promised already.
        wanted: the key.

    Returns:
        A route with the fewest paths that meet the guard: exactly ``any_nodes + 1`` without common nodes (fewer cannot do: one
        node of each path would know the key), or one for each group of coalitions that one path can avoid together. A direct
        link needs nobody's trust and stands alone, and so does a path over accepted nodes. Where both kinds are asked, the paths
        for the coalitions are added to the first and superfluous ones are dropped: then none can be spared, but a smaller set
        may exist.

    Raises:
        UnknownNameError: an end without a link.

    Examples:
        >>> from quantum_fabric.keys.relay.supply import KeyLink
        >>> ring = KeyNetwork(tuple(KeyLink(a, b, 4096, 4096) for a, b in ("AR", "RB", "AS", "SB")), frozenset("RS"))
        >>> plan(ring, Wanted("A", "B")).paths
        (('A', 'R', 'B'), ('A', 'S', 'B'))
        >>> no = plan(ring, Wanted("A", "B", guard=Guard(2)))
        >>> no.short, no.any_nodes
        (<Short.GUARD: 'no guarded path'>, 1)
        >>> no = plan(ring, Wanted("A", "B", octets=1024))
        >>> no.short, no.octets, no.wait
        (<Short.SUPPLY: 'supply'>, 336, None)
    """
    network.known(wanted.source, wanted.target)
    return _now(network, wanted) or _refuse(network, wanted)


def _now(network: KeyNetwork, wanted: Wanted) -> Route | None:
    """A route for which the stock is enough, hops that several paths share included."""
    paths = _choose(network, wanted, _supply(network, wanted.octets))
    route = None if paths is None else _route(network, wanted.octets, paths)
    fits = route is not None and all(bits <= network.stored(*hop) for hop, bits in route.uses.items())
    return route if fits else None


def _route(network: KeyNetwork, octets: int, paths: tuple[Path, ...]) -> Route:
    uses: Counter[tuple[str, str]] = Counter()
    for path in paths:
        for here, there in pairs(path):
            uses[here, there] += spent_forward(octets)
            uses[there, here] += SPENT_BACKWARD
    return Route(octets, paths, dict(uses), network.provenance(paths))


def _supply(network: KeyNetwork, octets: int) -> Weigh:
    forward = spent_forward(octets)

    def weigh(here: str, there: str) -> tuple[int, int]:
        link = network.link(here, there)
        ahead, back = link.stored(here), link.stored(there)
        soon = int(link.rate * _HORIZON / 2.0)
        part = forward * _SCALE // max(1, ahead + soon) + SPENT_BACKWARD * _SCALE // max(1, back + soon)
        return min(ahead // forward, back // SPENT_BACKWARD), _HOP + part

    return weigh


def _any(here: str, there: str) -> tuple[int, int]:  # noqa: ARG001
    """Whatever the supply."""
    return 1 << 20, 1


def _choose(network: KeyNetwork, wanted: Wanted, weigh: Weigh) -> tuple[Path, ...] | None:
    source, target, guard = wanted.source, wanted.target, wanted.guard
    if target in network.neighbours(source) and weigh(source, target)[0] > 0:
        return ((source, target),)
    if guard.accepted:
        # nodes that may know everything are as good as none: one path over them alone is enough
        def inside(here: str, there: str) -> tuple[int, int]:
            return weigh(here, there) if there in guard.accepted or there == target else (0, 1)

        alone = disjoint(network, source, target, 1, inside)
        if alone:
            return tuple(alone)
    sets = [one - guard.accepted - {source, target} for one in guard.sets]
    sets = [one for one in sets if one]
    base: list[Path] = []
    if guard.any_nodes or not sets:
        base = disjoint(network, source, target, guard.any_nodes + 1, weigh, guard.accepted)
        if len(base) <= guard.any_nodes:
            return None
    bare = [one for one in sets if learns(base, one).key]
    left = _less(weigh, base)
    more = _cover(network, source, target, left, bare)
    if more is None:
        return None
    return tuple(_prune([*base, *more], guard, sets))


def _less(weigh: Weigh, taken: list[Path]) -> Weigh:
    used = Counter(hop for path in taken for hop in pairs(path))

    def rest(here: str, there: str) -> tuple[int, int]:
        capacity, cost = weigh(here, there)
        return capacity - used[here, there] - used[there, here], cost

    return rest


def _cover(
    network: KeyNetwork, source: str, target: str, weigh: Weigh, sets: list[frozenset[str]]
) -> list[Path] | None:
    """The fewest paths such that each coalition is avoided by one of them (dynamic programme over sets of coalitions)."""
    every = (1 << len(sets)) - 1
    ways: dict[int, Path | None] = {}

    def way(group: int) -> Path | None:
        if group not in ways:
            avoided = frozenset[str]().union(*(one for place, one in enumerate(sets) if group >> place & 1))

            def around(here: str, there: str) -> tuple[int, int]:
                return (0, 1) if there in avoided else weigh(here, there)

            found = disjoint(network, source, target, 1, around)
            ways[group] = found[0] if found else None
        return ways[group]

    best: dict[int, list[Path]] = {0: []}
    for group in range(1, every + 1):
        first = group & -group
        part = group
        while part:  # every part of the group that holds its first coalition
            path = way(part) if part & first else None
            rest = best.get(group ^ part)
            if path is not None and rest is not None and len(rest) + 1 < len(best.get(group, [path] * 99)):
                best[group] = [*rest, path]
            part = (part - 1) & group
    return best.get(every)


def _prune(paths: list[Path], guard: Guard, sets: list[frozenset[str]]) -> list[Path]:
    """Drop paths that the guard does not need, longest first."""
    for path in sorted(paths, key=len, reverse=True):
        fewer = [one for one in paths if one is not path]
        apart = not guard.any_nodes or _apart(fewer, guard)
        if fewer and apart and not any(learns(fewer, one).key for one in sets):
            paths = fewer
    return paths


def _apart(paths: list[Path], guard: Guard) -> bool:
    """Whether so many of the paths share no node that none of the nodes may know."""
    chosen: list[frozenset[str]] = []
    for path in paths:
        inner = frozenset(path[1:-1]) - guard.accepted
        if not inner:
            return True  # nobody who is not accepted sees this one
        if not any(inner & other for other in chosen):
            chosen.append(inner)
    return len(chosen) > guard.any_nodes


# ---------------------------------------------------------------------------------------------------- refusals


def _refuse(network: KeyNetwork, wanted: Wanted) -> NoRoute:
    source, target, guard = wanted.source, wanted.target, wanted.guard
    ends = f"{source} and {target}"
    if reach(network, source, target, _any) is None:
        return NoRoute(Short.PATH, f"no chain of relays joins {ends}")
    most = len(disjoint(network, source, target, len(network.nodes), _any, guard.accepted)) - 1
    if _choose(network, wanted, _any) is None:
        must = unavoidable(network, source, target, _any) - guard.accepted
        why = (
            f"every path passes {', '.join(sorted(must))}"
            if must
            else f"{ends} have {most + 1} paths without common nodes"
        )
        least = replace(wanted, guard=replace(guard, any_nodes=min(most, guard.any_nodes), sets=()))
        return NoRoute(Short.GUARD, why, must, most, _largest(network, least), 0.0, _ceiling(network, wanted))
    octets = _largest(network, wanted)
    reason = f"{wanted.octets} octets between {ends} need more link key than is stored"
    ceiling = _ceiling(network, wanted)
    return NoRoute(Short.SUPPLY, reason, frozenset(), most, octets, _wait(network, wanted), ceiling)


def _ceiling(network: KeyNetwork, wanted: Wanted) -> int:
    ways = [hop for link in network.links for hop in ((link.a, link.b), (link.b, link.a))]
    return most_flow(network, wanted.source, wanted.target, {hop: network.stored(*hop) for hop in ways})


def _largest(network: KeyNetwork, wanted: Wanted) -> int:
    """Octets of the largest key that has a route now."""
    low, high = 0, LARGEST
    while low < high:
        middle = (low + high + 1) // 2
        if _now(network, replace(wanted, octets=middle)) is None:
            high = middle - 1
        else:
            low = middle
    return low


def _wait(network: KeyNetwork, wanted: Wanted, most: float = 3.2e7) -> float | None:
    """Seconds until there is a route, to 1 %; None where there is none within a year."""

    def enough(seconds: float) -> bool:
        return _now(network.after(seconds), wanted) is not None

    if not enough(most):
        return None
    low, high = 0.0, most
    while high - low > max(0.01 * high, 1e-3):
        middle = (low + high) / 2.0
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
