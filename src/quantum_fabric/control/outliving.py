"""Whether a promise holds though its path fails at the worst moment: what one path has delivered until then, another after."""

from __future__ import annotations

from quantum_fabric.control.meaning import gathers
from quantum_fabric.messages import Forecast, LinkRequest, Plan
from quantum_fabric.network.finish import NEVER, chance_by
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import Time

CELLS = 24
"""Parts into which the time until the deadline is cut; the failure is taken to come at the worst moment of each."""

FEW = 12
"""Up to so many pairs all ways to share them out are summed; beyond, the chance is bounded."""


def switching(primary: Plan, topology: Topology) -> Time:
    """Longest time from a failure on a path until the controller hears of it, ps.

    Args:
        primary: plan whose path fails.
        topology: what is believed.
    """
    light = max(topology.links[link.link].light_time for link in primary.links)
    return light + max(topology.delay(node, topology.controller) for node in primary.path)


def chance_though_failed(
    request: LinkRequest, first: Forecast, second: Forecast, switch: Time, deadline: Time
) -> float:
    """Least probability that all pairs are there by a deadline, whenever the first plan fails.

    Args:
        request: how many pairs, and whether they count one by one or only all together.
        first: forecast of the plan that fails.
        second: of the plan that takes over; its set-up is in it.
        switch: from the failure until the second begins, ps.
        deadline: from the start, ps.

    Equation:
        ``min over t of P(N1(t) + N2(D - t - s) >= n)``, N1 and N2 independent. In each cell [a, b] of times N1 is taken at a and N2 at
        ``D - b - s``, which is less than either is at any t of the cell: a bound from below. For many pairs
        ``P(N1 >= k) + P(N2 >= n - k) - 1``, with the best of some k, is another.

    Limits:
        Pairs under way when the path fails are lost and not counted. The laws are those of the forecasts (see
        `quantum_fabric.network.finish`).

    Examples:
        >>> from quantum_fabric.units import SECOND
        >>> swift = Forecast(1.0, 0.0, 1.0, 1.0, SECOND)  # one pair, exponential: the second goes on where the first ends
        >>> wish = LinkRequest("A", "B", 0.9)
        >>> round(chance_though_failed(wish, swift, swift, 0, 4 * SECOND), 2)  # 1 - exp(-4) = 0.98 without cells
        0.98
    """
    pairs = request.pairs
    worst = 1.0
    for cell in range(CELLS):
        before, after = deadline * cell // CELLS, deadline * (cell + 1) // CELLS
        left = deadline - after - switch
        if gathers(request) and pairs > 1:  # a set that was begun is begun anew
            done = chance_by(first, pairs, before)
            worst = min(worst, done + (1.0 - done) * chance_by(second, pairs, left))
        elif pairs <= FEW:
            worst = min(worst, _summed(first, second, pairs, before, left))
        else:
            worst = min(worst, _bounded(first, second, pairs, before, left))
    return worst


def _by(forecast: Forecast, pairs: int, time: Time) -> float:
    return 1.0 if pairs <= 0 else chance_by(forecast, pairs, time)


def _summed(first: Forecast, second: Forecast, pairs: int, before: Time, left: Time) -> float:
    total, at_least = 0.0, 1.0
    for k in range(pairs):
        more = _by(first, k + 1, before)
        total += max(0.0, at_least - more) * _by(second, pairs - k, left)
        at_least = min(at_least, more)
    return total + at_least


def _bounded(first: Forecast, second: Forecast, pairs: int, before: Time, left: Time) -> float:
    """The chance of the first falls with its share and that of the second rises: the best share is where they meet."""
    low, high = 0, pairs
    while high - low > 1:
        middle = (low + high) // 2
        if _by(first, middle, before) >= _by(second, pairs - middle, left):
            low = middle
        else:
            high = middle
    return max(0.0, *(_by(first, k, before) + _by(second, pairs - k, left) - 1.0 for k in (low, high)))


def surest_deadline(
    request: LinkRequest, first: Forecast, second: Forecast, switch: Time, least: Time
) -> Time | None:
    """A deadline, not much later than need be, by which all pairs are there with the confidence asked for; None where there is none.

    Args:
        request: see `chance_though_failed`.
        first: as there.
        second: as there.
        switch: as there.
        least: where to begin, ps.
    """
    deadline = least
    while deadline < NEVER:
        if chance_though_failed(request, first, second, switch, deadline) >= request.confidence:
            return deadline
        deadline += deadline // 4 + 1
    return None
