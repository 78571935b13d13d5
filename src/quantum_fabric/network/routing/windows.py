"""Our router: short reliable paths first, windows of common knowledge around them, and as many connections as channels allow.

It reserves the cheapest paths of all demands in one queue (creation rate, as wide as there is room) and gives what is left first to
demands that can still have a path, by the exact search of `quantum_fabric.network.routing.search`, then to windows. In
phase 4 there are no main paths any more: the nodes of a *window* join what is up, whichever way it runs.

A window is a set of channels of which every node that acts in it hears (`SlottedNetwork.knows`). So all of them work
out the same connections without a further message. A demand whose paths are short enough is one window; a long path is a
series of windows that meet in one node, which hears both and joins what they deliver. Channels that no window used are
joined segment by segment, as Q-PASS does it.

Where a floor of fidelity is asked, the main paths keep it by the search, windows of a series share it in the proportion in which
the main path uses it, and a connection is made only if it keeps the share. So no delivered pair is below the floor.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Container, Sequence
from math import ceil, log, prod

from quantum_fabric.network.routing.decoherence import Decay, werner
from quantum_fabric.network.routing.search import Chart, best_of_widths, cheapest_paths
from quantum_fabric.network.routing.segments import heard, joined, shortest
from quantum_fabric.network.routing.simple import Metric
from quantum_fabric.network.routing.slot import Up
from quantum_fabric.network.routing.slotted import (
    Connection,
    Demand,
    Residual,
    Route,
    Series,
    SlotPlan,
    SlottedNetwork,
    Window,
)

SLACK = 2
"""Hops by which a way through a window may be longer than its longest main path."""

CANDIDATES = 25
"""Cheap paths for a pair of nodes."""

REPEAT = 0.5
"""A further channel of an edge counts as so many hops of detour."""


class Windowed:
    """Our router.

    Args:
        network: the topology.
        decay: what delays and memories do to fidelity; None where pairs are perfect.
        floor: least fidelity of a delivered pair.
        shared: whether channels that no window used are joined too. Without, every decision is taken on what the
            deciding nodes hear, strictly.

    Examples:
        >>> from quantum_fabric.network.routing import random_demands, waxman
        >>> net = waxman(30, seed=1)
        >>> plan = Windowed(net).plan(random_demands(net, 2, seed=1))
        >>> all(used <= edge.channels for used, edge in zip(plan.reserved, net.edges))
        True
    """

    def __init__(
        self,
        network: SlottedNetwork,
        *,
        decay: Decay | None = None,
        floor: float = 0.0,
        shared: bool = True,
    ) -> None:
        self.network = network
        self.shared = shared
        self._costs = tuple(Metric.CREATION_RATE.cost(edge) for edge in network.edges)
        self._paths: dict[tuple[int, int], list[tuple[int, ...]]] = {}
        self._heard = heard(network)
        self._chart = Chart(network, decay.factors(network) if decay else None)
        self._decay, self._floor = decay, floor
        self._telling = decay.telling(network) if decay else 0.0
        self._least = max(0.0, werner(floor)) if floor > 0.25 else 0.0
        self._known = [sum(1 << edge for edge in edges) for edges in self._heard]

    @property
    def name(self) -> str:
        """For tables."""
        return "ours" if self.shared else "ours, windows only"

    # ------------------------------------------------------------------------------------------- phase 2

    def plan(self, demands: Sequence[Demand]) -> SlotPlan:
        """Main paths, windows around them, and what is left of the channels shared among the windows."""
        free = Residual(self.network)
        routes = self._routes(free, demands)
        drafts = self._drafts(routes)
        self._fill(free, drafts)
        windows: dict[int, list[Window]] = {}
        for draft in drafts:
            windows.setdefault(draft.series, []).append(draft.window())
        series = tuple(
            Series(next(d.demand for d in drafts if d.series == key), tuple(each))
            for key, each in windows.items()
        )
        return SlotPlan(tuple(demands), tuple(routes), (), free.reserved(), series)

    def _routes(self, free: Residual, demands: Sequence[Demand]) -> list[Route]:
        routes: list[Route] = []
        queue = sorted(
            (sum(self._costs[edge] for edge in self.network.along(nodes)), index, nodes)
            for index, demand in enumerate(demands)
            for nodes in self._candidates(*demand)
        )
        for _, index, nodes in queue:
            width = free.widest(nodes)
            if width:
                free.take(nodes, width)
                routes.append(Route(index, nodes, width))
        waiting = list(range(len(demands)))
        while waiting:
            waiting = [index for index in waiting if self._further(free, index, demands[index], routes)]
        return routes

    def _candidates(self, source: int, target: int) -> list[tuple[int, ...]]:
        """Cheap paths that keep the floor, worked out once."""
        key = (source, target)
        if key not in self._paths:
            found = cheapest_paths(self.network, self._costs, source, target, CANDIDATES)
            self._paths[key] = [nodes for nodes in found if self._good(nodes)]
        return self._paths[key]

    def _further(self, free: Residual, index: int, demand: Demand, routes: list[Route]) -> bool:
        found = best_of_widths(self._chart, free, *demand, self._least)
        if found is None:
            return False
        free.take(found.nodes, found.width)
        routes.append(Route(index, found.nodes, found.width))
        return True

    def _good(self, nodes: Sequence[int]) -> bool:
        """Whether a pair of this connection would keep the floor."""
        if self._decay is None or self._least <= 0.0:
            return True
        return self._decay.fidelity(self.network, nodes, self._telling) >= self._floor

    def _drafts(self, routes: Sequence[Route]) -> list[_Draft]:
        """Windows of the main paths: paths of a demand that fit into one window share it."""
        drafts: list[_Draft] = []
        for number, route in enumerate(routes):
            blocks = self._blocks(route.nodes)
            if len(blocks) == 1:
                for draft in drafts:
                    if (
                        draft.whole
                        and draft.demand == route.demand
                        and self._add(draft, route.nodes, route.width)
                    ):
                        break
                else:
                    drafts.append(self._draft(number, route, route.nodes, True, self._least))
                continue
            shares = self._shares(blocks)
            drafts += [
                self._draft(number, route, nodes, False, share)
                for nodes, share in zip(blocks, shares, strict=True)
            ]
        return drafts

    def _blocks(self, nodes: tuple[int, ...]) -> list[tuple[int, ...]]:
        """A path cut into as few equal parts as make windows."""
        hops = len(nodes) - 1
        for parts in range(max(1, ceil(hops / (self.network.knowledge + 2))), hops + 1):
            cuts = [round(hops * part / parts) for part in range(parts + 1)]
            blocks = [nodes[a : b + 1] for a, b in itertools.pairwise(cuts)]
            if all(self._closed(block, self.network.along(block)) for block in blocks):
                return blocks
        return [nodes[i : i + 2] for i in range(hops)]

    def _closed(self, nodes: Sequence[int], edges: Sequence[int]) -> bool:
        """Whether all the nodes hear of all the edges."""
        mask = sum(1 << edge for edge in edges)
        return all(self._known[node] & mask == mask for node in nodes)

    def _shares(self, blocks: Sequence[tuple[int, ...]]) -> list[float]:
        """Least factors of the windows of a series, whose product is the least factor of the whole."""
        if self._least <= 0.0:
            return [0.0] * len(blocks)
        kept = [prod(self._chart.factors[edge] for edge in self.network.along(block)) for block in blocks]
        total = sum(log(each) for each in kept)
        if total > -1e-12:
            return [self._least ** (1 / len(blocks))] * len(blocks)
        return [each ** (log(self._least) / total) for each in kept]

    def _draft(self, number: int, route: Route, nodes: tuple[int, ...], whole: bool, least: float) -> _Draft:
        draft = _Draft(number, route.demand, nodes[0], nodes[-1], whole, least)
        self._add(draft, nodes, route.width)
        return draft

    def _add(self, draft: _Draft, nodes: tuple[int, ...], width: int) -> bool:
        edges = self.network.along(nodes)
        if not self._closed([*draft.nodes, *nodes], [*draft.owned, *edges]):
            return False
        draft.nodes.update(nodes)
        draft.longest = max(draft.longest, len(edges))
        for edge in edges:
            draft.owned[edge] = draft.owned.get(edge, 0) + width
        return True

    def _fill(self, free: Residual, drafts: Sequence[_Draft]) -> None:
        """One channel after the other to each window in turn, first where ways through the window are short."""
        waiting = [(draft, self._wanted(free, draft)) for draft in drafts]
        while waiting:
            waiting = [(draft, heap) for draft, heap in waiting if self._fed(free, draft, heap)]

    def _fed(self, free: Residual, draft: _Draft, heap: list[tuple[float, float, int]]) -> bool:
        """Give a window the best channel that is still there."""
        while heap:
            way, luck, edge = heapq.heappop(heap)
            if free.open(edge) and self._joins(draft, edge):
                free.take_edge(edge)
                draft.owned[edge] = draft.owned.get(edge, 0) + 1
                heapq.heappush(heap, (way + REPEAT, luck, edge))
                return True
        return False

    def _joins(self, draft: _Draft, edge: int) -> bool:
        if edge in draft.owned:
            return True
        a, b, *_ = self.network.edges[edge]
        if not self._closed([*draft.nodes, a, b], [*draft.owned, edge]):
            return False
        draft.nodes.update((a, b))
        return True

    def _wanted(self, free: Residual, draft: _Draft) -> list[tuple[float, float, int]]:
        """Edges on short ways through a window as a heap, the shortest ways first."""
        hops = self.network.hops
        start, end = hops[draft.entry], hops[draft.exit]
        heap = []
        for index, edge in enumerate(self.network.edges):
            if free.open(index):
                way = 1 + min(start[edge.a] + end[edge.b], start[edge.b] + end[edge.a])
                if way <= draft.longest + SLACK:
                    heap.append((float(way), -edge.success, index))
        heapq.heapify(heap)
        return heap

    # ------------------------------------------------------------------------------------------- phase 4

    def connect(self, plan: SlotPlan, up: Up) -> list[Connection]:
        """In each window as many connections as it allows, shortest first; a series joins the shortest with the shortest."""
        used = [0] * len(self.network.edges)
        made = []
        for series in plan.series:
            parts = []
            for window in series.windows:
                pool: dict[int, int] = {}
                for edge, number in window.owned:
                    pool[edge] = sum(up[edge][used[edge] : used[edge] + number])
                    used[edge] += number
                parts.append(self._through(window, pool, len(series.windows) == 1))
            for nodes in zip(*parts, strict=False):
                whole = nodes[0] + tuple(node for part in nodes[1:] for node in part[1:])
                made.append(Connection(series.demand, whole))
        return made + self._leftovers(plan, up, made) if self.shared else made

    def _leftovers(self, plan: SlotPlan, up: Up, made: Sequence[Connection]) -> list[Connection]:
        """Connections over channels that no window used, of short routes first."""
        pool = [sum(row) for row in up]
        for each in made:
            for edge in self.network.along(each.nodes):
                pool[edge] -= 1
        more = []
        for route in sorted(plan.routes, key=lambda route: len(route.nodes)):
            while (nodes := joined(self.network, self._heard, route.nodes, pool)) is not None:
                if not self._good(nodes):
                    break
                for edge in self.network.along(nodes):
                    pool[edge] -= 1
                more.append(Connection(route.demand, nodes))
        return more

    def _through(self, window: Window, pool: dict[int, int], alone: bool) -> list[tuple[int, ...]]:
        made: list[tuple[int, ...]] = []
        while (nodes := self._best(window, pool, alone)) is not None:
            for edge in self.network.along(nodes):
                pool[edge] -= 1
            made.append(nodes)
        return made

    def _best(self, window: Window, pool: dict[int, int], alone: bool) -> tuple[int, ...] | None:
        """Fewest hops; where that keeps too little fidelity, most fidelity."""
        up = {edge for edge, number in pool.items() if number}
        nodes = shortest(self.network, up, window.entry, window.exit)
        if nodes is None or self._keeps(nodes, window, alone):
            return nodes
        nodes = self._finest(window, up)
        return nodes if self._keeps(nodes, window, alone) else None

    def _keeps(self, nodes: Sequence[int], window: Window, alone: bool) -> bool:
        """A whole connection is judged by its fidelity, a part of one by its share."""
        if alone:
            return self._good(nodes)
        return prod(self._chart.factors[edge] for edge in self.network.along(nodes)) >= window.least

    def _finest(self, window: Window, up: Container[int]) -> tuple[int, ...]:
        """The way that keeps most, where there is one."""
        before: dict[int, int] = {}
        heap = [(-1.0, window.entry, window.entry)]
        while True:
            minus, node, previous = heapq.heappop(heap)
            if node in before:
                continue
            before[node] = previous
            if node == window.exit:
                return _back(before, window)
            for other, edge in self.network.neighbours[node]:
                if other not in before and edge in up:
                    heapq.heappush(heap, (minus * self._chart.factors[edge], other, node))


def _back(before: dict[int, int], window: Window) -> tuple[int, ...]:
    nodes = [window.exit]
    while nodes[-1] != window.entry:
        nodes.append(before[nodes[-1]])
    return tuple(reversed(nodes))


class _Draft:
    """A window while it is being filled."""

    __slots__ = ("demand", "entry", "exit", "least", "longest", "nodes", "owned", "series", "whole")

    def __init__(self, series: int, demand: int, entry: int, exit_: int, whole: bool, least: float) -> None:
        self.series, self.demand, self.entry, self.exit = series, demand, entry, exit_
        self.whole, self.least = whole, least
        self.owned: dict[int, int] = {}
        self.nodes: set[int] = set()
        self.longest = 0

    def window(self) -> Window:
        return Window(self.entry, self.exit, tuple(self.owned.items()), self.least)
