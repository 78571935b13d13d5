"""What the control plane may say of a pair's fidelity, from believed models alone.

It never sees the state. The estimate is the product of everything believed about the pair; its interval says how far off
that is if each believed loss of correlation is wrong by the calibration tolerance.
"""

from __future__ import annotations

from math import exp

from quantum_fabric.messages import Correlators
from quantum_fabric.units import SECOND, Time

FOREVER: Time = 10 * 365 * 86_400 * SECOND
"""Expiry of a pair that does not decay, as an age."""


def fidelity(quality: Correlators) -> float:
    """Fidelity to the announced Bell state, ``(1 + x + y + z)/4``."""
    return (1.0 + quality[0] + quality[1] + quality[2]) / 4.0


def interval(quality: Correlators, tolerance: float) -> tuple[float, float]:
    """Fidelity if every loss were (1 + tolerance) and (1 − tolerance) times what is believed.

    A correlator is ``exp(−loss)``, so a relative error of the loss is a power: ``c^(1 ± tolerance)``. This is not a sampling
    error: it says nothing about pairs that were not measured.

    Examples:
        >>> low, high = interval((0.9, 0.9, 0.9), 0.1)
        >>> low < 0.925 < high
        True
    """
    low = [_power(c, 1.0 + tolerance) for c in quality]
    high = [_power(c, 1.0 - tolerance) for c in quality]
    return (fidelity((low[0], low[1], low[2])), fidelity((high[0], high[1], high[2])))


def _power(correlator: float, exponent: float) -> float:
    # a correlator at or below 0 carries no usable exponent; it stands as it is
    return float(correlator**exponent) if correlator > 0.0 else correlator


def lifetime(quality: Correlators, decay: Correlators, floor: float) -> Time:
    """How long until the believed fidelity falls to ``floor`` in memory (0 when it is there already).

    Bisection on ``F(t) = (1 + Σ cᵢ exp(−rᵢ t))/4``, which falls with t as long as no correlator is negative.

    Examples:
        >>> from math import log
        >>> t = lifetime((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 0.625)
        >>> abs(t - log(2) * SECOND) < 10
        True
    """
    if fidelity(quality) <= floor:
        return 0
    if _later(quality, decay, FOREVER / SECOND) > floor:
        return FOREVER
    low, high = 0.0, 1e-9
    while _later(quality, decay, high) > floor:
        low, high = high, 2.0 * high
    for _ in range(40):
        middle = 0.5 * (low + high)
        if _later(quality, decay, middle) > floor:
            low = middle
        else:
            high = middle
    return int(low * SECOND)


def _later(quality: Correlators, decay: Correlators, t: float) -> float:
    x, y, z = (c * exp(-r * t) for c, r in zip(quality, decay, strict=True))
    return (1.0 + x + y + z) / 4.0
