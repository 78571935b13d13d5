"""How bright a continuous pair source should be, and how wide the coincidence window, for the most key.

More pairs and wider windows bring more coincidences and more accidentals; narrower windows lose true ones to jitter. Neumann et al.,
PRA 104, 022406 (2021), optimise both together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.optics.pair_source import cw_cautions, cw_rates
from quantum_fabric.physics.optimum import golden


@dataclass(frozen=True, slots=True)
class Receiver:
    """One end of a continuous pair link.

    Attributes:
        eta: probability that a photon sent there makes a click, in (0, 1].
        dark: false clicks per s of all its detectors together, at least 0.
    """

    eta: float
    dark: float


@dataclass(frozen=True, slots=True)
class Brightness:
    """An operating point of a continuous pair source.

    Attributes:
        window: full width of the coincidence window, s.
        pair_rate: pairs per s.
        key_rate: secret bits per s; 0 where no point gives any, and then the other numbers mean nothing.
        cautions: where the first-order rates no longer hold.
    """

    window: float
    pair_rate: float
    key_rate: float
    cautions: tuple[Caution, ...] = ()


def cw_key_rate(
    pair_rate: float,
    window: float,
    a: Receiver,
    b: Receiver,
    width: float,
    error: float,
    correction: float = 1.1,
) -> float:
    """Asymptotic BBM92 key of a continuous source: R/2 [1 − (1+f) h(E)], not below 0.

    Equation: R and E of `cw_rates`; half of the coincidences are measured in unlike bases.

    Args:
        pair_rate: pairs per s.
        window: full width of the coincidence window, s.
        a: one end.
        b: the other.
        width: FWHM of the difference of both detection times, s.
        error: error rate of a single pair, in [0, 1/2].
        correction: f, inefficiency of error correction, at least 1.

    Examples:
        >>> ends = Receiver(0.1, 250.0), Receiver(0.01, 250.0)
        >>> round(cw_key_rate(1e7, 0.5e-9, *ends, 0.3e-9, 0.01))
        3800
    """
    rates = cw_rates(pair_rate, a.eta, b.eta, a.dark, b.dark, window, width)
    if float(rates.total) == 0.0:
        return 0.0
    kept = 1.0 - (1.0 + correction) * float(binary_entropy(min(float(rates.qber(error)), 0.5)))
    return max(0.0, 0.5 * float(rates.total) * kept)


def best_brightness(
    a: Receiver, b: Receiver, width: float, error: float, correction: float = 1.1
) -> Brightness:
    """Find the coincidence window and the pair rate with the most key.

    Equation: `cw_key_rate` at its maximum. Without dark counts the best pair rate is set by accidentals of pairs alone, and scales
    as 1/width.

    Args:
        a: one end.
        b: the other.
        width: FWHM of the difference of both detection times, s, above 0.
        error: error rate of a single pair, in [0, 1/2].
        correction: f, at least 1.

    Raises:
        QuantityError: no width, or an end that never clicks.

    Limits:
        First order in the clicks of a window; the result says where that fails. No dead time.

    Examples:
        >>> best = best_brightness(Receiver(0.1, 250.0), Receiver(0.01, 250.0), 0.3e-9, 0.01)
        >>> round(best.window / 0.3e-9, 2), f"{best.pair_rate:.2e}", f"{best.key_rate:.3e}"
        (1.19, '2.53e+08', '3.905e+04')
    """
    if width <= 0.0:
        raise QuantityError(f"{width:g} s", "a width above 0 s", "width")
    for name, one in (("a", a), ("b", b)):
        if not 0.0 < one.eta <= 1.0 or not 0.0 <= one.dark < math.inf:
            raise QuantityError(f"{one}", "an eta in (0, 1] and finite dark counts", name)

    def key(log_window: float, log_rate: float) -> float:
        window, rate = width * math.exp(log_window), math.exp(log_rate) / width
        return _signed(rate, window, a, b, width, error, correction)

    def best_rate(log_window: float) -> float:
        return _maximum(lambda log_rate: key(log_window, log_rate), -30.0, 5.0)

    log_window = _maximum(lambda x: key(x, best_rate(x)), -4.0, 4.0)
    window, rate = width * math.exp(log_window), math.exp(best_rate(log_window)) / width
    found = cw_key_rate(rate, window, a, b, width, error, correction)
    singles = [(rate * one.eta + one.dark) * window for one in (a, b)]
    return Brightness(window, rate, found, cw_cautions(singles[0], singles[1]))


def _signed(
    rate: float, window: float, a: Receiver, b: Receiver, width: float, error: float, correction: float
) -> float:
    """Figure to climb: the key, and below zero the share that is missing, so that a search finds its way to the key."""
    rates = cw_rates(rate, a.eta, b.eta, a.dark, b.dark, window, width)
    kept = 1.0 - (1.0 + correction) * float(binary_entropy(min(float(rates.qber(error)), 0.5)))
    return 0.5 * float(rates.total) * kept if kept > 0.0 else -1e3 + kept


def _maximum(function: Callable[[float], float], low: float, high: float) -> float:
    """Place of the only maximum of a function: a coarse grid, then golden-section search."""
    steps = 40
    grid = [low + (high - low) * step / steps for step in range(steps + 1)]
    values = [function(x) for x in grid]
    top = values.index(max(values))
    low, high = grid[max(top - 1, 0)], grid[min(top + 1, steps)]
    return golden(function, low, high, 2e-7)
