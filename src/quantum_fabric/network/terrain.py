"""A path as a quick look sees it: what does not depend on lanes and rounds is worked out once and kept with the topology.

The same path is looked at several times in one decision (without purification and with it, for an idle network and for a busy one) and
often by the next one, too.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Sequence
from functools import cached_property
from itertools import repeat

from quantum_fabric.messages import Join, Order
from quantum_fabric.network.atlas import atlas
from quantum_fabric.network.candidates import MOST_LANES
from quantum_fabric.network.chain import Chain, Station, assemble, hop, route
from quantum_fabric.network.order import asap
from quantum_fabric.network.paths import Path
from quantum_fabric.network.scheme import Scheme
from quantum_fabric.network.settings import OperatingPoint, grid, operating_point
from quantum_fabric.network.surely import Track, track
from quantum_fabric.network.topology import Topology

MOST_KEPT = 256
"""Paths that are kept with a topology."""


class Terrain:
    """What all ways to use a path with swaps as soon as possible have in common.

    Args:
        topology: what is believed.
        path: in it.

    Attributes:
        path: as given.
        times: mean time of a pair on one lane of each hop, its knob in the middle (ps).
        caps: lanes beyond which a hop gains nothing.
        steps: settings of the knobs; all links turn theirs together, step 0 is the best for rate.
        setup: time from the request until the last node may start, s.
        failing: whether swaps fail or repeaters lose what they hold.
        uneven: that, or memories that do not decay exponentially.

    Raises:
        UnknownNameError: the path uses what the topology does not have.
    """

    def __init__(self, topology: Topology, path: Path) -> None:
        self.path = path
        self._links = [topology.link(name) for name in path.links]
        points = [atlas(topology).quality[name].point for name in path.links]
        self.times = [point.period / max(point.success, 1e-30) for point in points]
        self.caps = [
            min(MOST_LANES, max(1, point.period // point.cycle) if point.cycle else MOST_LANES)
            for point in points
        ]
        self._grids = [grid(link.model) for link in self._links]
        self.steps = max(map(len, self._grids))
        self._route = route(topology, path.nodes, whole=False)
        self.setup = self._route.setup
        stations = self._route.stations
        self.failing, self.uneven = repeaters(stations)
        self._free = all(here.memory.simple and here.memory.lossless for here in stations)
        self._tracks: dict[int, tuple[Track, list[int]]] = {}

    def track(self, lanes: Sequence[int], step: int) -> Track:
        """The path in arrays, with so many lanes on each hop and the knobs at a step."""
        if not self._free:
            return track(self._chain(lanes, step))
        if step not in self._tracks:
            points = self._points([1] * len(lanes), step)
            made = Track([hop(each, 1, 0) for each in points], self._route.stations, self._route.delay)
            # lanes that fit into the attempt period side by side change nothing
            room = [each.period // each.cycle if each.cycle else sys.maxsize for each in points]
            self._tracks[step] = made, room
        found, room = self._tracks[step]
        if any(map(operator.gt, lanes, room)):
            return track(self._chain(lanes, step))
        return found

    def scheme(self, lanes: Sequence[int], step: int, rounds: int = 0, end_rounds: int = 0) -> Scheme:
        """What is done on the path.

        Args:
            lanes: of each hop.
            step: of the knobs.
            rounds: on the pairs of each hop.
            end_rounds: on pairs end to end.
        """
        return Scheme(
            path=self.path.nodes,
            links=self.path.links,
            lanes=tuple(lanes),
            settings=self._settings(step),
            rounds=(rounds,) * len(lanes),
            order=Order.ASAP,
            joins=self._joins,
            end_rounds=end_rounds,
        )

    @cached_property
    def _joins(self) -> tuple[Join, ...]:
        return asap(self.path.nodes)

    def _settings(self, step: int) -> tuple[float | None, ...]:
        return tuple(settings[min(step, len(settings) - 1)] for settings in self._grids)

    def _points(self, lanes: Sequence[int], step: int) -> list[OperatingPoint]:
        return [
            operating_point(link, left, setting, count)
            for link, left, setting, count in zip(
                self._links, self.path.nodes, self._settings(step), lanes, strict=False
            )
        ]

    def _chain(self, lanes: Sequence[int], step: int) -> Chain:
        hops = tuple(map(hop, self._points(lanes, step), lanes, repeat(0)))
        return assemble(self.scheme(lanes, step), self._route, hops)


def repeaters(stations: Sequence[Station]) -> tuple[bool, bool]:
    """Whether swaps fail or repeaters lose what they hold, and whether that or memories do not decay exponentially."""
    failing = any(here.swap_success < 1.0 or not here.memory.lossless for here in stations[1:-1])
    return failing, failing or not all(here.memory.simple for here in stations)


def terrain(topology: Topology, path: Path) -> Terrain:
    """The terrain of a path, made when it is asked for first."""
    kept = topology.kept.setdefault("terrain", {})
    assert isinstance(kept, dict)
    found = kept.get(path)
    if not isinstance(found, Terrain):
        if len(kept) >= MOST_KEPT:
            kept.clear()
        found = kept[path] = Terrain(topology, path)
    return found
