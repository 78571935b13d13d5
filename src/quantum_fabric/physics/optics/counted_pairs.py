"""Coincidences of a pair source when detectors count photons: events with more than one photon at an end are thrown away.

The same sources as in `quantum_fabric.physics.optics.pair_source`; there, one photon or many make one click.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.optics.pair_source import Coincidences
from quantum_fabric.physics.optics.photon_statistics import log_silent


def counted_pulse(
    mean: ArrayLike,
    eta_a: ArrayLike,
    eta_b: ArrayLike,
    dark_a: ArrayLike = 0.0,
    dark_b: ArrayLike = 0.0,
    contrast: ArrayLike = 1.0,
    modes: ArrayLike = 1.0,
) -> Coincidences:
    """Exactly one count at each end of a pulsed polarisation source, exact in all photon numbers.

    Equation: for one polarisation, l = λ/K, ``D = 1 + l (η_a + η_b - η_a η_b)``, C_ij the probability of i counts at a and j at b::

        C_00 = D^-K,  C_10 = λ η_a (1-η_b) D^-(K+1),  C_11 = λ η_a η_b [D^-(K+1) + (l + λ) (1-η_a)(1-η_b) D^-(K+2)]

    a dark count makes a count of none, and Q = 2 C_11 C_00 + 2 C_10 C_01, contrast x Q = 2 C_11 C_00 - 2 C_10 C_01.

    Args:
        mean: λ, mean number of pairs for each polarisation, at least 0.
        eta_a: probability that a photon sent to a is counted, in [0, 1].
        eta_b: the same for b.
        dark_a: probability of a dark count of one detector of a in a pulse, in [0, 1].
        dark_b: the same for b.
        contrast: 1 - 2 x error of a single pair, in [-1, 1].
        modes: K, equally filled modes, at least 1; infinite for Poissonian pairs.

    Raises:
        QuantityError: a value outside its domain.

    Limits:
        At most one dark count of a detector in a pulse.

    Examples:
        >>> seen = counted_pulse(0.1, 1.0, 1.0)  # perfect counting leaves single pairs only
        >>> round(float(seen.probability), 9), float(seen.contrast)
        (0.15026296, 1.0)
    """
    lam = check_range(mean, 0.0, math.inf, "mean")
    a, b = check_range(eta_a, 0.0, 1.0, "eta_a"), check_range(eta_b, 0.0, 1.0, "eta_b")
    count = check_range(modes, 1.0, math.inf, "modes")
    each = lam / count
    either = a + b - a * b
    with np.errstate(invalid="ignore"):
        none = np.where(np.isinf(count), np.exp(-lam * either), np.exp(-count * np.log1p(each * either)))
    bottom = 1.0 + each * either
    one = lam * none / bottom
    table = (
        none,
        one * a * (1.0 - b),
        one * b * (1.0 - a),
        one * a * b * (1.0 + (each + lam) * (1.0 - a) * (1.0 - b) / bottom),
    )
    alone = [(np.exp(log_silent(lam, eta, count)), lam * eta / (1.0 + each * eta)) for eta in (a, b)]
    lone_a, lone_b = ((silent, silent * odds) for silent, odds in alone)
    return _counted(table, lone_a, lone_b, dark_a, dark_b, contrast)


def counted_window(
    singles_a: ArrayLike, singles_b: ArrayLike, tied: ArrayLike, contrast: ArrayLike = 1.0
) -> Coincidences:
    """Exactly one count at each end in one window of a continuous source whose pairs are Poissonian.

    Equation: `counted_pulse` for one polarisation with ``C_00 = e^(-(s_a + s_b - c)/2)`` and, in units of it,
    ``C_10 = (s_a - c)/2``, ``C_01 = (s_b - c)/2``, ``C_11 = c/2 + (s_a - c)(s_b - c)/4``.

    Args:
        singles_a: s_a, mean counts at a in a window, both detectors and all causes, at least 0.
        singles_b: the same for b.
        tied: c, mean number of pairs of which both photons are counted, at most the smaller of the singles.
        contrast: 1 - 2 x error of a single pair, in [-1, 1].

    Raises:
        QuantityError: a value outside its domain.

    Examples:
        >>> seen = counted_window(1e-4, 1e-5, 1e-6)
        >>> f"{float(seen.probability):.4e}", round(float(seen.contrast), 6)
        ('1.0008e-06', 0.99911)
    """
    a, b = (
        0.5 * check_range(singles_a, 0.0, math.inf, "singles_a"),
        0.5 * check_range(singles_b, 0.0, math.inf, "singles_b"),
    )
    c = 0.5 * check_range(tied, 0.0, float(np.min(2.0 * np.minimum(a, b))) * (1.0 + 1e-12), "tied")
    none = np.exp(-(a + b - c))
    only_a, only_b = np.maximum(a - c, 0.0), np.maximum(b - c, 0.0)
    table = (none, none * only_a, none * only_b, none * (c + only_a * only_b))
    lone_a, lone_b = ((np.exp(-mean), mean * np.exp(-mean)) for mean in (a, b))
    return _counted(table, lone_a, lone_b, 0.0, 0.0, contrast)


def _counted(
    table: tuple[Floats, Floats, Floats, Floats],
    lone_a: tuple[Floats, Floats],
    lone_b: tuple[Floats, Floats],
    dark_a: ArrayLike,
    dark_b: ArrayLike,
    contrast: ArrayLike,
) -> Coincidences:
    """Add dark counts to the counts (0, 0), (1, 0), (0, 1), (1, 1) of one polarisation, then put two together.

    ``lone_a`` and ``lone_b`` are the probabilities of no and of one count at one end alone.
    """
    d, e = check_range(dark_a, 0.0, 1.0, "dark_a"), check_range(dark_b, 0.0, 1.0, "dark_b")
    pure = check_range(contrast, -1.0, 1.0, "contrast")
    c_00, c_10, c_01, c_11 = table
    quiet_a, quiet_b = 1.0 - d, 1.0 - e
    none = quiet_a * quiet_b * c_00
    at_a = quiet_b * (quiet_a * c_10 + d * c_00)
    at_b = quiet_a * (quiet_b * c_01 + e * c_00)
    both = quiet_a * quiet_b * c_11 + quiet_a * e * c_10 + d * quiet_b * c_01 + d * e * c_00
    same, different = 2.0 * both * none, 2.0 * at_a * at_b
    total = same + different
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # dark counts are tied to nothing: what they add to either side is the same, so it leaves the difference to the pairs
        tied = 2.0 * (quiet_a * quiet_b) ** 2 * (c_11 * c_00 - c_10 * c_01)
        kept = np.where(total > 0.0, pure * tied / total, 0.0)
    click_a, click_b = (
        2.0 * (q * p_1 + (1.0 - q) * p_0) * q * p_0
        for q, (p_0, p_1) in ((quiet_a, lone_a), (quiet_b, lone_b))
    )
    return Coincidences(np.asarray(total), np.asarray(kept), np.asarray(click_a), np.asarray(click_b))
