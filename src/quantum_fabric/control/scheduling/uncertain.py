"""Feasibility where sessions end at random times: the chance that enough is free at a moment, and the first moment at which it is.

Each session that holds something ends by a law (`quantum_fabric.network.finish.chance_by` of its plan). For one resource the number
of units in use is a sum of independent variables, whose law is worked out exactly; over several resources the chances of
falling short are added (Boole's inequality), which never promises too much however the resources hang together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import Forecast
from quantum_fabric.network.finish import chance_by
from quantum_fabric.units import Time

Ended: TypeAlias = Callable[[Time], float]
"""Chance that a session has ended by an absolute time (ps); never falls with the time."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What one session keeps until it ends.

    Attributes:
        needs: how much of each resource.
        ended: law of its end.
    """

    needs: Mapping[str, int] = field(hash=False)
    ended: Ended


def ends(forecast: Forecast, pairs: int, start: Time) -> Ended:
    """Law of the end of a session that is to deliver so many pairs, begun at `start`.

    Limits:
        That of `quantum_fabric.network.finish.chance_by`; the time in which releases travel is not in it.

    Examples:
        >>> law = ends(Forecast(2.0, 0.0, 1.0, 1.0, 10**12 // 2), 1, start=10**12)
        >>> law(10**12), round(law(2 * 10**12), 3)
        (0.0, 0.865)
    """

    def ended(time: Time) -> float:
        return chance_by(forecast, pairs, time - start)

    return ended


def overlap(ended: Ended, start: Time) -> float:
    """Chance that a session still holds what it has when a window begins.

    Examples:
        >>> overlap(lambda time: min(1.0, time / 100), 25)
        0.75
    """
    return 1.0 - ended(start)


def chance_free(
    capacities: Mapping[str, int], holdings: Sequence[Holding], needs: Mapping[str, int], at: Time
) -> float:
    """Chance that all that is needed is free at a moment, given that nothing new begins.

    Equation: units in use of one resource are Σ k_i B_i with independent B_i of P(B_i = 1) = 1 - `ended`; their law is the
    product of the generating functions (1 - q_i + q_i z^k_i). Over resources: P(all) ≥ 1 - Σ P(short).

    Limits:
        Independence of the sessions' ends: true of the plant as long as no failure ends several at once. Exact for one resource, a
        lower bound for several.

    Examples:
        >>> coin = lambda time: 0.5
        >>> chance_free({"A": 2}, [Holding({"A": 1}, coin), Holding({"A": 1}, coin)], {"A": 1}, 0)
        0.75
    """
    short = 0.0
    for resource, count in needs.items():
        spare = capacities[resource] - count
        if spare < 0:
            return 0.0
        law = [1.0] + [0.0] * spare  # chance that so many units are in use, cut off where there are too many
        for holding in holdings:
            units = holding.needs.get(resource, 0)
            if units:
                stays = overlap(holding.ended, at)
                law = [
                    (1.0 - stays) * share + (stays * law[n - units] if n >= units else 0.0)
                    for n, share in enumerate(law)
                ]
        short += max(0.0, 1.0 - sum(law))
    return max(0.0, 1.0 - short)


def next_free(
    capacities: Mapping[str, int],
    holdings: Sequence[Holding],
    needs: Mapping[str, int],
    *,
    confidence: float,
    after: Time,
    horizon: Time,
) -> Time | None:
    """The first moment by which all that is needed is free with a confidence; None where it is not before the horizon.

    The chance never falls with time, so it is found by halving, to within one part in 2^30 of the horizon.

    Raises:
        QuantityError: a confidence outside (0, 1).

    Examples:
        >>> ramp = lambda time: min(1.0, time / 100)
        >>> next_free({"A": 1}, [Holding({"A": 1}, ramp)], {"A": 1}, confidence=0.9, after=0, horizon=1000)
        90
    """
    if not 0.0 < confidence < 1.0:
        raise QuantityError(found=repr(confidence), expected="a confidence in (0, 1)", where="confidence")

    def enough(at: Time) -> bool:
        return chance_free(capacities, holdings, needs, at) >= confidence

    if enough(after):
        return after
    if not enough(horizon):
        return None
    low, high = after, horizon
    grain = max(1, (horizon - after) >> 30)
    while high - low > grain:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
