"""What the control plane may say of a pair's fidelity, from believed models alone.

It never sees the state. The estimate is the product of everything believed about the pair; its interval says how far off
that is if each believed loss of correlation is wrong by the calibration tolerance.
"""

from __future__ import annotations

from math import exp

from quantum_fabric.messages import Correlators, Stretch
from quantum_fabric.physics.fading import stretched_loss
from quantum_fabric.units import SECOND, Time, seconds

FOREVER: Time = 10 * 365 * 86_400 * SECOND
"""Expiry of a pair that does not decay, as an age."""

_FOREVER = FOREVER / SECOND


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
    x, y, z = quality
    more, less = 1.0 + tolerance, 1.0 - tolerance
    if x > 0.0 and y > 0.0 and z > 0.0:
        return ((1.0 + x**more + y**more + z**more) / 4.0, (1.0 + x**less + y**less + z**less) / 4.0)
    low, high = ((_power(x, n), _power(y, n), _power(z, n)) for n in (more, less))
    return (fidelity(low), fidelity(high))


def _power(correlator: float, exponent: float) -> float:
    # a correlator at or below 0 carries no usable exponent; it stands as it is
    return float(correlator**exponent) if correlator > 0.0 else correlator


def stretched(quality: Correlators, stretch: Stretch, start: Time, end: Time) -> Correlators:
    """Correlators after the stretched part of one half's decay between two times (``start`` not before its birth).

    Examples:
        >>> x, _, z = stretched((1.0, 1.0, 1.0), Stretch(1.0, 2.0, birth=0), SECOND, 2 * SECOND)
        >>> round(x, 6), z  # e^-(2² - 1²)
        (0.049787, 1.0)
    """
    rate, exponent, birth = stretch
    keep = exp(-stretched_loss(rate, exponent, seconds(start - birth), seconds(end - birth)))
    return (quality[0] * keep, quality[1] * keep, quality[2])


def lifetime(
    quality: Correlators, decay: Correlators, floor: float, stretches: tuple[Stretch, ...] = (), now: Time = 0
) -> Time:
    """How long until the believed fidelity falls to ``floor`` in memory (0 when it is there already).

    ``F(t) = (1 + Σ cᵢ exp(−rᵢ t))/4`` falls with t, and is convex, as long as no correlator is negative: Newton's method. Else, and
    where a part of the decay is stretched: bisection.

    Args:
        quality: believed correlators now.
        decay: rates of x, y and z (1/s) of both halves together.
        floor: fidelity.
        stretches: stretched parts of the decay of the two halves.
        now: what the births in ``stretches`` are compared with, ps.

    Examples:
        >>> from math import log
        >>> t = lifetime((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 0.625)
        >>> abs(t - log(2) * SECOND) < 10
        True
    """
    if fidelity(quality) <= floor:
        return 0
    if not stretches and min(quality) >= 0.0:
        (x, y, z), (rate_x, rate_y, rate_z) = quality, decay
        x, y, z = x * exp(-rate_x * _FOREVER), y * exp(-rate_y * _FOREVER), z * exp(-rate_z * _FOREVER)
        if (1.0 + x + y + z) / 4.0 > floor:
            return FOREVER
        return _newton(quality, decay, 4.0 * floor - 1.0)
    return _bisected(quality, decay, floor, stretches, now)


def _bisected(
    quality: Correlators, decay: Correlators, floor: float, stretches: tuple[Stretch, ...], now: Time
) -> Time:
    def later(t: float) -> float:
        x, y, z = (c * exp(-r * t) for c, r in zip(quality, decay, strict=True))
        for stretch in stretches:
            x, y, z = stretched((x, y, z), stretch, now, now + int(t * SECOND))
        return (1.0 + x + y + z) / 4.0

    if later(_FOREVER) > floor:
        return FOREVER
    low, high = 0.0, 1e-9
    while later(high) > floor:
        low, high = high, 2.0 * high
    for _ in range(40):
        middle = 0.5 * (low + high)
        if later(middle) > floor:
            low = middle
        else:
            high = middle
    return int(low * SECOND)


def _newton(quality: Correlators, decay: Correlators, target: float) -> Time:
    """Steps from 0 on a convex falling function stay before the crossing and only ever approach it."""
    (x, y, z), (rate_x, rate_y, rate_z) = quality, decay
    t = 0.0
    while True:
        now_x, now_y, now_z = x * exp(-rate_x * t), y * exp(-rate_y * t), z * exp(-rate_z * t)
        step = (now_x + now_y + now_z - target) / (rate_x * now_x + rate_y * now_y + rate_z * now_z)
        t += step
        if step <= 1e-13 + 1e-12 * t:
            return int(t * SECOND)
