"""Candidate schemes of a request: paths x strategies x lanes x settings, with their estimates.

A `Group` is everything but the setting of the knobs; all links of a path turn theirs together, by the same step of their
grids (step 0 is the best for rate). Groups are ranked by estimate; `quantum_fabric.network.search` samples them.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from quantum_fabric.links.model import LinkModel
from quantum_fabric.network.atlas import atlas
from quantum_fabric.network.chain import Chain, Hop, Route, assemble, hop, route
from quantum_fabric.network.cutoff import choices
from quantum_fabric.network.estimate import BUFFER, STEADY, Estimate, estimate, growth
from quantum_fabric.network.paths import Path, best_paths
from quantum_fabric.network.purify import Strategy, lanes_needed, pumped, spread, strategies
from quantum_fabric.network.scheme import Scheme, turnings
from quantum_fabric.network.settings import grid, operating_point
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics.correlators import fidelity
from quantum_fabric.units import SECOND, Time

MOST_LANES = 32
"""Lanes of one hop that a single request may take: more make forecasts long and starve everybody else."""


PLAIN_SLACK = 0.1
"""Share of the infidelity by which the estimate of a chain without purification may be too low."""

SLACK = 0.35
"""The same with purification."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A path with a strategy, lanes and a cutoff; what is left to choose is the step of the knobs.

    Attributes:
        path: the path.
        strategy: order and purification.
        lanes: of each hop.
        cutoff: ps, or None.
    """

    path: Path
    strategy: Strategy
    lanes: tuple[int, ...]
    cutoff: Time | None = None


class Candidates:
    """Candidate groups between two nodes and their estimates, each worked out once.

    Args:
        topology: what is believed.
        source, destination: the ends.
        slots: free slots of the nodes; nodes that are not named have all theirs.
        paths: to consider; by default the best paths under several metrics.

    Attributes:
        believed: the topology as given.

    Raises:
        UnknownNameError: an end is not in the topology.
    """

    def __init__(
        self,
        topology: Topology,
        source: str,
        destination: str,
        slots: Mapping[str, int] | None = None,
        paths: tuple[Path, ...] | None = None,
    ) -> None:
        self.believed, self._free = topology, slots
        if paths is None:
            busy = [name for name, free in (slots or {}).items() if free < 2]
            paths = best_paths(topology, source, destination, busy=busy)
        self.paths = paths
        self._routes: dict[tuple[str, ...], Route] = {}
        self._grids = {
            name: grid(topology.link(name).model)
            for name in sorted({link for path in self.paths for link in path.links})
        }
        self.steps = max((len(settings) for settings in self._grids.values()), default=1)
        self._shortest: dict[str, float] = {}
        self._estimates: dict[tuple[Group, int], Estimate] = {}
        self._cuts: dict[tuple[Group, int], tuple[Group, ...]] = {}
        self._hops: dict[tuple[int, bool, int, int, int], Hop] = {}
        self._kinds = _kinds({name: topology.link(name).model for name in self._grids})

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All groups, path by path, the cheapest strategies first."""
        return tuple(group for path in self.paths for group in self._on(path))

    @cached_property
    def topology(self) -> Topology:
        """What is believed, as if the free slots were all that there are: for explanations, since it is made anew."""
        return _limited(self.believed, self._free)

    def slots(self, name: str) -> int:
        """Free slots of a node."""
        whole = self.believed.nodes[name].slots
        return whole if self._free is None else min(whole, max(0, self._free.get(name, whole)))

    def route(self, path: Path) -> Route:
        """Stations and delays of a path."""
        found = self._routes.get(path.nodes)
        if found is None:
            found = self._routes[path.nodes] = route(self.believed, path.nodes)
        return found

    def scheme(self, group: Group, step: int) -> Scheme:
        """The scheme of a group at a step of the knobs, with the rotations that its estimate found best."""
        bare = self.bare(group, step)
        if not bare.purifies:
            return bare
        return replace(bare, turnings=turnings(bare.path, self.estimate(group, step).turns))

    def bare(self, group: Group, step: int) -> Scheme:
        """The same with the rotations of the recurrence."""
        strategy = group.strategy
        settings = tuple(
            settings[min(step, len(settings) - 1)]
            for settings in (self._grids[name] for name in group.path.links)
        )
        return Scheme(
            path=group.path.nodes,
            links=group.path.links,
            lanes=group.lanes,
            settings=settings,
            rounds=strategy.rounds,
            order=strategy.order,
            joins=strategy.joins,
            end_rounds=strategy.end_rounds,
            cutoff=group.cutoff,
            pumped=strategy.pumped,
        )

    def numbers(self, group: Group, step: int) -> Chain:
        """The chain of a group at a step."""
        return self.chain_of(group, step, self.scheme(group, step))

    def chain_of(self, group: Group, step: int, scheme: Scheme) -> Chain:
        """The chain of a scheme of a group at a step."""
        hops = tuple(
            self._hop(name, left, step, lanes, rounds)
            for name, left, lanes, rounds in zip(
                group.path.links, group.path.nodes, group.lanes, group.strategy.rounds, strict=False
            )
        )
        return assemble(scheme, self.route(group.path), hops)

    def _hop(self, name: str, left: str, step: int, lanes: int, rounds: int) -> Hop:
        """Numbers of a link; equal links share one record."""
        link, settings = self.believed.link(name), self._grids[name]
        key = (self._kinds[name], left == link.a, step, lanes, rounds)
        found = self._hops.get(key)
        if found is None:
            setting = settings[min(step, len(settings) - 1)]
            found = self._hops[key] = hop(operating_point(link, left, setting, lanes), lanes, rounds)
        return found

    def estimate(self, group: Group, step: int) -> Estimate:
        """Mean-field estimate of a group at a step."""
        found = self._estimates.get((group, step))
        if found is None:
            found = self._estimates[group, step] = estimate(
                self.chain_of(group, step, self.bare(group, step)), find=True
            )
        return found

    def most(self, group: Group) -> float:
        """A rate (1/s) that no estimate of this group exceeds, at any step of the knobs and with any cutoff.

        Of each hop alone: waiting for other hops, cutoffs, news, failing swaps and failing rounds only add to the time of a delivery.
        """
        strategy = group.strategy
        most = 1 if strategy.pumped else MOST_LANES
        shares = [
            max(1.0, lanes / (1 + min(rounds, most)))
            for lanes, rounds in zip(group.lanes, strategy.rounds, strict=True)
        ]
        buffer = STEADY * min(shares) ** -BUFFER
        longer = {
            rounds: growth(rounds, buffer, strategy.pumped)
            for rounds in {*strategy.rounds, strategy.end_rounds}
        }
        slowest = max(
            self._time(name) * longer[rounds] / share
            for name, share, rounds in zip(group.path.links, shares, strategy.rounds, strict=True)
        )
        return 1.0 / (slowest * longer[strategy.end_rounds]) if slowest > 0.0 else math.inf

    def _time(self, name: str) -> float:
        """Mean time of a pair of a link on one lane where its knob is turned for rate, s."""
        if name not in self._shortest:
            settings = self._grids[name]
            link = self.believed.link(name)
            point = operating_point(link, link.a, settings[0], 1)
            self._shortest[name] = point.period / SECOND / max(point.success, 1e-30)
        return self._shortest[name]

    def first_step(self, group: Group, target: float) -> int | None:
        """The step with the best rate whose estimated fidelity may reach ``target``; None if none does.

        By bisection: fidelity grows along the grid, but for its far end, where dark counts win; so if the far end fails,
        the step with the greatest fidelity on a coarse grid is tried.
        """
        low, high = 0, self.steps_of(group) - 1
        if not self._may_reach(group, high, target):
            coarse = range(0, high, max(1, high // 4))
            high = max(coarse, key=lambda step: self.estimate(group, step).usual, default=0)
            if not self._may_reach(group, high, target):
                return None
        while low < high:
            middle = (low + high) // 2
            if self._may_reach(group, middle, target):
                high = middle
            else:
                low = middle + 1
        return high

    def finest_step(self, group: Group) -> int:
        """The step with the greatest estimated fidelity."""
        high = self.steps_of(group) - 1
        tried = {0, high, *range(0, high, max(1, high // 5))}
        best: int = max(sorted(tried), key=lambda step: self.estimate(group, step).usual)
        return best

    def with_cutoffs(self, group: Group, step: int) -> tuple[Group, ...]:
        """The same group with each cutoff worth trying; empty where nothing waits in a repeater."""
        found = self._cuts.get((group, step))
        if found is None:
            cutoffs = choices(self.numbers(group, step))
            found = tuple(replace(group, cutoff=cutoff) for cutoff in cutoffs if cutoff is not None)
            self._cuts[group, step] = found
        return found

    def steps_of(self, group: Group) -> int:
        """Settings of the knobs of a group."""
        return max(len(self._grids[name]) for name in group.path.links)

    def _may_reach(self, group: Group, step: int, target: float) -> bool:
        found = self.estimate(group, step).usual
        slack = SLACK if group.strategy.total else PLAIN_SLACK
        return found + slack * (1.0 - found) + 1e-6 >= target

    def links_on(self, path: Path) -> tuple[list[float], list[float], list[int]]:
        """Of each hop, its knob in the middle: mean time of a pair (ps), fidelity, lanes beyond which it gains nothing."""
        points = [atlas(self.believed).quality[name].point for name in path.links]
        times = [point.period / max(point.success, 1e-30) for point in points]
        caps = [
            min(MOST_LANES, max(1, point.period // point.cycle) if point.cycle else MOST_LANES)
            for point in points
        ]
        return times, [fidelity(point.fresh) for point in points], caps

    def _on(self, path: Path) -> list[Group]:
        """Groups on one path: strategies that its slots can hold, with as many lanes as fit and with as few as needed."""
        times, fidelities, caps = self.links_on(path)
        slots = [self.slots(name) for name in path.nodes]
        found = []
        for strategy in strategies(path.nodes, times, fidelities):
            needs = lanes_needed(path.nodes, strategy)
            lanes = spread(needs, slots, times, caps)
            if lanes is None and (instead := pumped(strategy)) is not None:
                strategy, needs = instead, lanes_needed(path.nodes, instead)
                lanes = spread(needs, slots, times, caps)
            if lanes is not None:
                found.append(Group(path, strategy, lanes))
                if needs != lanes:
                    found.append(Group(path, strategy, needs))
        return found


def _kinds(models: Mapping[str, LinkModel]) -> dict[str, int]:
    """A number for each link, the same for links with equal models."""
    seen: dict[object, int] = {}
    kinds = {}
    for name, model in models.items():
        key: object = model if isinstance(model, Hashable) else name
        kinds[name] = seen.setdefault(key, len(seen))
    return kinds


def _limited(topology: Topology, slots: Mapping[str, int] | None) -> Topology:
    """The topology with only the free slots of each node."""
    if slots is None:
        return topology
    nodes = {
        name: replace(node, slots=min(node.slots, max(0, slots.get(name, node.slots))))
        for name, node in topology.nodes.items()
    }
    return replace(topology, nodes=nodes)
