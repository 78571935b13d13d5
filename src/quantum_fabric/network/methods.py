"""How a plan is looked for: thoroughly, swiftly, or on the one path that a single metric likes best.

The single metrics are what others plan by. They choose the path; what is done on it (lanes, knobs, rounds, cutoff) is then searched as
ever, so that a comparison is about the path alone.

    hop count        links
    creation rate    Σ mean time of a pair of each link, whatever its fidelity
    Van Meter        Σ seconds per Bell pair of fidelity `GOOD` of each link, purified up to it
    EXT              -log Π q p: the expected throughput of one channel in a slot, which lasts as long as a mean link takes
    bottleneck       the slowest link counts, then hops

References: Van Meter, Satoh, Ladd, Munro, Nemoto, Networking Science 3, 82 (2013), arXiv:1206.5655 (seconds per Bell pair); Shi, Qian,
SIGCOMM 2020 (creation rate, EXT; wider paths are in `quantum_fabric.network.routing`); provenance R.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from enum import Enum

from quantum_fabric.network.atlas import SLOWEST, Atlas, Way, atlas
from quantum_fabric.network.paths import Path
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics.correlators import fidelity, purified
from quantum_fabric.physics.noise import NOISELESS

GOOD = 0.98
"""Fidelity that Van Meter's cost asks of each link."""

SWIFT_ABOVE = 300
"""Nodes above which a controller that was told nothing else decides swiftly."""

MOST = 8
"""Rounds of purification after which a link is given up: its pairs do not get better."""

FUTILE = 1e6
"""So many times the mean time of a link costs one that never reaches `GOOD`: the last resort."""


class Method(Enum):
    """How a plan is looked for."""

    THOROUGH = "thorough"
    """The k best paths under several metrics, all strategies, sampled."""
    SWIFT = "swift"
    """A quick look without samples (`quantum_fabric.network.swift`), where it can answer all that is asked; else as THOROUGH."""
    HOPS = "hop count"
    CREATION = "creation rate"
    VAN_METER = "Van Meter"
    EXT = "EXT"
    BOTTLENECK = "bottleneck"

    @property
    def single(self) -> bool:
        """True where one metric chooses the one path."""
        return self not in (Method.THOROUGH, Method.SWIFT)


def usual(topology: Topology) -> Method:
    """How a controller plans that was told nothing: thoroughly up to `SWIFT_ABOVE` nodes, swiftly above.

    The whole network counts, whatever is out of service, so that an offer is judged as the refusal was that made it.
    """
    return Method.SWIFT if len(topology.nodes) > SWIFT_ABOVE else Method.THOROUGH


def chosen_path(
    topology: Topology, source: str, destination: str, method: Method, busy: Collection[str] = ()
) -> tuple[Path, ...]:
    """The path that a single metric likes best; none if the ends are not connected.

    Args:
        topology: what is believed.
        source: one end.
        destination: the other.
        method: one that is `Method.single`.
        busy: nodes that have no slots left to relay with.

    Raises:
        UnknownNameError: an end is not in the topology.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> from quantum_fabric.network.topology import LinkView, NodeModel
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> nodes = {n: NodeModel(n, 2, MemoryNoise(math.inf, 1.0), OperationNoise(), 0) for n in "ABC"}
        >>> fast, slow = (FixedLink(p, (1.0, 0.0, 0.0, 0.0), 1_000) for p in (0.5, 0.01))
        >>> links = {n: LinkView(n, n[0], n[1], slow if n == "AC" else fast, 0, 0.0) for n in ("AB", "BC", "AC")}
        >>> network = Topology(nodes, links, {}, "A")
        >>> for method in (Method.HOPS, Method.CREATION):
        ...     print(chosen_path(network, "A", "C", method)[0].nodes)
        ('A', 'C')
        ('A', 'B', 'C')
    """
    for end in (source, destination):
        topology.node(end)
    chart = atlas(topology)
    weights = _weights(topology, chart, method)
    costs = [min(weights[name] for name in links) for links in chart.links]
    start, goal = chart.index[source], chart.index[destination]
    closed = chart.shut(busy, (source, destination))
    if method is Method.BOTTLENECK:
        costs = _capped(chart, costs, start, goal, closed)
    best: Way | None = next(chart.search(costs, start, goal, closed, [0.0] * len(chart.names)), None)
    if best is None:
        return ()
    links = tuple(min(chart.links[edge], key=lambda name: weights[name]) for edge in best[2])
    return (Path(tuple(chart.names[node] for node in best[1]), links),)


def seconds_per_pair(topology: Topology, name: str, good: float = GOOD) -> float:
    """Time in which a link makes a Bell pair of a fidelity, s: Van Meter's cost.

    Args:
        topology: what is believed.
        name: of the link.
        good: fidelity, reached by rounds of DEJMPS of equal pairs without noise; infinite where it is out of reach.

    Equation: T 2^k / Π p_i over k rounds with chances p_i; arXiv:1206.5655, section 3 (R).
    """
    quality = atlas(topology).quality[name]
    time, state = min(quality.time, SLOWEST), quality.point.fresh
    for _ in range(MOST):
        if fidelity(state) >= good:
            return time
        chance, after = purified(state, state, "dejmps", NOISELESS, NOISELESS)
        if chance <= 0.0 or (fidelity(after) <= fidelity(state) and fidelity(after) < good):
            break
        time, state = 2.0 * time / chance, after
    return time if fidelity(state) >= good else math.inf


def _weights(topology: Topology, chart: Atlas, method: Method) -> dict[str, float]:
    """Cost of each link."""
    times = {name: min(quality.time, SLOWEST) for name, quality in chart.quality.items()}
    if method is Method.HOPS:
        return dict.fromkeys(times, 1.0)
    if method is Method.VAN_METER:
        costs = {name: seconds_per_pair(topology, name) for name in times}
        return {name: cost if cost < math.inf else FUTILE * times[name] for name, cost in costs.items()}
    if method is Method.EXT:
        # a swap at the far end of each link; the one too many is the same for all paths of equal length, and costs the longer more
        slot = chart.scale.time
        chances = [each.operations.swap_success for each in topology.nodes.values() if each.relays]
        swap = math.fsum(chances) / len(chances) if chances else 1.0
        return {
            name: -math.log(max(swap * -math.expm1(-slot / time), 1e-300)) + 1e-12
            for name, time in times.items()
        }
    return times


def _capped(chart: Atlas, costs: list[float], start: int, goal: int, closed: set[int]) -> list[float]:
    """One for each edge that is no slower than the bottleneck must be, and more than all of these for the others."""
    levels = sorted(set(costs))
    low, high = 0, len(levels) - 1
    nowhere = [0.0] * len(chart.names)
    while low < high:
        middle = (low + high) // 2
        barred = [1.0 if cost <= levels[middle] else math.inf for cost in costs]
        found = next(chart.search(barred, start, goal, closed, nowhere), None)
        if found is not None and found[0] < math.inf:
            high = middle
        else:
            low = middle + 1
    return [1.0 if cost <= levels[high] else float(len(costs) + 1) for cost in costs]
