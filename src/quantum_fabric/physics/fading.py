"""The law by which one half of a pair fades, for the event path: an exponential part and a stretched one.

Between two times a half multiplies the correlators x and y of its pair by its *coherence* and z by its *population*
(see `quantum_fabric.physics.noise.MemoryNoise`)::

    population(t1, t2) = e^(-(t2-t1)/T1)
    coherence(t1, t2)  = e^(-(t2-t1) s) e^(-((r (t2-b))^n - (r (t1-b))^n))        b: birth

The exponential part is a semigroup: it needs no birth, and waiting may be split at will. The stretched part is not: it may be
split only if the birth is remembered, which is why every half in this program knows its own.
"""

from __future__ import annotations

from quantum_fabric.physics.correlators import Correlators
from quantum_fabric.physics.noise import MemoryNoise


def steady_rates(noise: MemoryNoise) -> Correlators:
    """Rates (1/s) of the exponential part of the decay of x, y and z while one half waits in this memory.

    Examples:
        >>> steady_rates(MemoryNoise(t1=4.0, t2=2.0)), steady_rates(MemoryNoise(t1=4.0, t2=2.0, exponent=2.0))
        ((0.5, 0.5, 0.25), (0.125, 0.125, 0.25))
    """
    steady = noise.steady_rate
    return (steady, steady, 1.0 / noise.t1)


def stretched_loss(rate: float, exponent: float, start: float, end: float) -> float:
    """What the stretched part costs between two ages: ``(r end)^n - (r start)^n``, to be taken as ``e^-loss``.

    Args:
        rate: r, 1/s (or per any unit that the ages are in), >= 0.
        exponent: n, in [1, 3].
        start: age at the beginning, >= 0.
        end: age at the end, >= start.

    Examples:
        A half that has waited before loses more in its second second than in its first:

        >>> stretched_loss(1.0, 2.0, 0.0, 1.0), stretched_loss(1.0, 2.0, 1.0, 2.0)
        (1.0, 3.0)
    """
    return float((rate * end) ** exponent - (rate * start) ** exponent)


def mean_rate(noise: MemoryNoise, seconds: float, attempts: float = 0.0) -> float:
    """Rate (1/s) of the exponential that loses as much coherence in ``seconds`` from the birth as this memory does.

    Args:
        noise: of the memory.
        seconds: over which the two agree, above 0.
        attempts: entangling attempts per second beside the half.

    Limits:
        For estimates: over shorter waits a stretched decay loses less than this rate says, over longer ones more.

    Examples:
        >>> import math
        >>> round(mean_rate(MemoryNoise(math.inf, 1.0, exponent=2.0), 0.1), 9)
        0.1
    """
    rate = noise.steady_rate + disturbance(noise, attempts)
    if noise.exponent == 1.0:
        return rate
    return rate + stretched_loss(noise.stretched_rate, noise.exponent, 0.0, seconds) / seconds


def disturbance(noise: MemoryNoise, attempts: float) -> float:
    """Rate (1/s) at which so many entangling attempts per second beside a half take its coherence: ``-ln(1 - a)`` each.

    Examples:
        >>> round(disturbance(MemoryNoise(1.0, 1.0, attempt_dephasing=1 - 2.718281828 ** -0.01), 500.0), 6)
        5.0
    """
    return attempts * noise.loss_per_attempt
