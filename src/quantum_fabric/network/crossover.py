"""Two-way against encoded: both planned for the same ends, hardware and memories over distances, and where they cross."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from quantum_fabric.messages import LinkRequest, Refused
from quantum_fabric.network.encoded_planning import plan_distance
from quantum_fabric.network.segmentation import segment
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics.codes.catalogue import code

TWO_WAY = "two-way"
"""Name of the scheme without codes: purification and swaps, with answers that travel back."""

LEAST = 1e-3
"""Pairs per second below which a scheme is counted as giving none."""

EASED = (0.0, 0.05, 0.1, 0.15, 0.25, 0.4)
"""By which shares of the allowed error the two-way planner's floor is lowered: to compare mean with mean, and because its search is a
heuristic that may miss for one floor what it finds for the next."""

Maker = Callable[[float], Callable[[int], Topology]]
"""From a distance (m) to what builds its chain for a number of segments."""


@dataclass(frozen=True, slots=True)
class Point:
    """One scheme at one distance.

    Attributes:
        scheme: `TWO_WAY` or the name of a code.
        metres: distance.
        rate: pairs per second of at least the fidelity asked for; 0 if it cannot be had.
        error: 1 - mean fidelity of what is delivered; of what is offered instead where the request is refused (nan without offer).
        segments: number of segments; 0 if refused.
        reason: of the refusal; empty where there is none.
    """

    scheme: str
    metres: float
    rate: float
    error: float
    segments: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where an encoded scheme becomes faster than the two-way one.

    Attributes:
        scheme: the code.
        low, high: the last distance (m) at which two-way leads, the first at which the code does.
        at: where the logarithms of both rates cross between these, straight lines assumed; None where one of them gives nothing.
    """

    scheme: str
    low: float
    high: float
    at: float | None


def compare(make: Maker, distances: Iterable[float], fidelity: float, codes: Sequence[str]) -> list[Point]:
    """Plan every scheme at every distance.

    Args:
        make: builds chains; source and destination are the first and the last node.
        distances: m.
        fidelity: asked of each delivered pair, in (0.5, 1).
        codes: names of codes.

    Returns:
        Points by distance, the two-way scheme first.

    Raises:
        UnknownNameError: a code that there is not.
        InputError: Stim (or PyMatching) is not installed.

    Limits:
        Both schemes have to reach the fidelity on average. The two-way planner asks for more (all but one pair in twenty, less a
        margin for calibration), so it is asked for less in `EASED` steps, and the fastest plan counts whose forecast mean is
        enough; the encoded scheme is admitted by the lower end of its sampled interval.
    """
    kinds = [code(name) for name in codes]
    found = []
    for metres in distances:
        line = make(metres)
        ends = tuple(line(1).nodes)
        request = LinkRequest(ends[0], ends[-1], fidelity)
        found.append(_two_way(line, metres, request))
        for kind in kinds:
            plan = plan_distance(line, request, kind)
            if isinstance(plan, Refused):
                found.append(_refused(kind.name, metres, plan))
            else:
                error = 1.0 - plan.logical.fidelity.value
                found.append(Point(kind.name, metres, plan.rate, error, len(plan.segments.links)))
    return found


def _two_way(line: Callable[[int], Topology], metres: float, request: LinkRequest) -> Point:
    """The fastest two-way plan whose mean fidelity is enough."""
    best: Point | None = None
    refusal: Point | None = None
    for share in EASED:
        asked = request.fidelity - share * (1.0 - request.fidelity)
        if asked <= 0.5:
            break
        found = segment(metres, asked, line, request.source, request.destination, request)
        if isinstance(found, Refused):
            refusal = refusal or _refused(TWO_WAY, metres, found)
            continue
        forecast = found[1].forecast
        if forecast.fidelity >= request.fidelity and (best is None or forecast.rate > best.rate):
            best = Point(TWO_WAY, metres, forecast.rate, 1.0 - forecast.fidelity, found[0])
    if best is not None:
        return best
    return refusal or Point(TWO_WAY, metres, 0.0, math.nan, 0, "no plan reaches the fidelity on average")


def crossings(points: Sequence[Point]) -> list[Crossing]:
    """Where codes overtake the two-way scheme; empty if none ever does, which is an answer too.

    Examples:
        >>> points = [Point(TWO_WAY, 1.0, 100.0, 0, 1), Point("c", 1.0, 10.0, 0, 1),
        ...           Point(TWO_WAY, 2.0, 1.0, 0, 1), Point("c", 2.0, 10.0, 0, 1)]
        >>> crossings(points)
        [Crossing(scheme='c', low=1.0, high=2.0, at=1.5)]
    """
    rates = {(point.scheme, point.metres): _counted(point.rate) for point in points}
    found = []
    for scheme in dict.fromkeys(point.scheme for point in points if point.scheme != TWO_WAY):
        distances = sorted(metres for name, metres in rates if name == scheme)
        for one, two in pairwise(distances):
            before, after = ((rates[scheme, d], rates[TWO_WAY, d]) for d in (one, two))
            if before[0] > before[1] or not after[0] > after[1]:
                continue
            at = None
            if min(*before, *after) > 0.0:
                here, there = math.log(before[0] / before[1]), math.log(after[0] / after[1])
                at = one + (two - one) * here / (here - there)
            found.append(Crossing(scheme, one, two, at))
    return found


def _counted(rate: float) -> float:
    return rate if rate >= LEAST else 0.0


def _refused(scheme: str, metres: float, refused: Refused) -> Point:
    error = math.nan if refused.offer is None else 1.0 - refused.offer.fidelity
    return Point(scheme, metres, 0.0, error, 0, refused.reason)
