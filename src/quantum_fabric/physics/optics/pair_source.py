"""Sources of photon pairs with all their photon numbers: what two detectors see in coincidence.

A *polarisation source* is two two-mode squeezed vacua, one for each polarisation, with a mean of λ pairs each; a pulse
holds 2λ pairs in the mean. Pulsed sources (`pulsed_coincidences`) are exact in all photon numbers. Continuous sources are given to
first order in what a window holds (`cw_rates`), and with windows that fill up (`window_coincidences`).

Each end has two detectors, one for each result. Where both click, the result is a random bit (squashing) or the event is
discarded. "Bucket" detectors: one photon or many make one click.

References: Ma, Fung, Lo, PRA 76, 012307 (2007) (pulsed); Neumann et al., PRA 104, 022406 (2021) (continuous).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.optics.photon_statistics import log_silent


@dataclass(frozen=True, slots=True)
class Coincidences:
    """Events in which both ends have a result.

    Attributes:
        probability: of such an event in one pulse or window, shape ``(...)``.
        contrast: 1 − 2 x error rate: what is left of each of the three correlators of a perfect Bell pair, ``(...)``.
        click_a: probability that end a has a click at all, ``(...)``.
        click_b: the same for b.
    """

    probability: Floats
    contrast: Floats
    click_a: Floats
    click_b: Floats

    @property
    def qber(self) -> Floats:
        """Share of the events in which the results disagree, the same in every basis: (1 − contrast)/2."""
        return np.asarray(0.5 * (1.0 - self.contrast))

    @property
    def fidelity(self) -> Floats:
        """Fidelity of the pair that the events look like, noise being white: (1 + 3 contrast)/4."""
        return np.asarray(0.25 * (1.0 + 3.0 * self.contrast))


def pulsed_coincidences(
    mean: ArrayLike,
    eta_a: ArrayLike,
    eta_b: ArrayLike,
    dark_a: ArrayLike = 0.0,
    dark_b: ArrayLike = 0.0,
    contrast: ArrayLike = 1.0,
    modes: ArrayLike = 1.0,
    double_clicks: str = "random",
) -> Coincidences:
    """Coincidences of a pulsed polarisation source, exact in all photon numbers.

    Equation: with λ/K pairs in each of K modes and polarisations, ``α = (1-d_a)(1 + η_a λ/K)^-K`` that a given detector
    of a stays silent (β for b), ``v = (1 + u)^K``, ``u = η_a η_b (λ/K)(1 + λ/K) / (1 + (η_a + η_b - η_a η_b) λ/K)``::

        random   Q = (1-α²)(1-β²) + α²β²(v²-1)
        discard  Q = αβ [4 (1-vα)(1-vβ) + 2 (v-1)]
        contrast x Q = contrast_0 x 2 αβ (v-1)

    For K = 1 and without dark counts this is the gain and the error rate of Ma, Fung, Lo, PRA 76, 012307 (2007).

    Args:
        mean: λ, mean number of pairs *for each polarisation*, at least 0.
        eta_a: probability that a photon sent to a makes its detector click, in [0, 1].
        eta_b: the same for b.
        dark_a: probability of a false click of *one* detector of a in a pulse, in [0, 1].
        dark_b: the same for b.
        contrast: 1 - 2 x error of a single pair (misalignment, state), in [-1, 1].
        modes: K, equally filled Schmidt modes of the pulse, at least 1; infinite makes the pair number Poissonian.
        double_clicks: ``random`` or ``discard``: what an end does when both of its detectors click.

    Returns:
        All shapes broadcast. Where nothing ever clicks the contrast is 0.

    Raises:
        QuantityError: a value outside its domain.

    Limits:
        The single-pair error is white. Modes are filled alike; real Schmidt numbers fall off.

    Examples:
        >>> seen = pulsed_coincidences(0.3, 0.9, 0.9)
        >>> round(float(seen.probability), 12), round(float(seen.qber), 12)
        (0.354453975762, 0.073967867611)
        >>> round(float(pulsed_coincidences(0.1, 1e-9, 1e-9).contrast), 6)  # low efficiency: (1+λ)/(1+3λ)
        0.846154
    """
    lam = check_range(mean, 0.0, math.inf, "mean")
    a = check_range(eta_a, 0.0, 1.0, "eta_a")
    b = check_range(eta_b, 0.0, 1.0, "eta_b")
    count = check_range(modes, 1.0, math.inf, "modes")
    silent_a = log_silent(lam, a, count)
    silent_b = log_silent(lam, b, count)
    each = lam / count
    shared = a * b * each * (1.0 + each) / (1.0 + (a + b - a * b) * each)
    with np.errstate(invalid="ignore"):
        tied = np.where(np.isinf(count), a * b * lam, count * np.log1p(shared))
    return _coincide(silent_a, silent_b, tied, dark_a, dark_b, contrast, double_clicks)


def ma_fung_lo(
    mean: ArrayLike, eta_a: ArrayLike, eta_b: ArrayLike, y0_a: ArrayLike, y0_b: ArrayLike, error: ArrayLike
) -> tuple[Floats, Floats]:
    """Gain and error rate of a pulsed source exactly as the paper writes them.

    Equation: Ma, Fung, Lo, PRA 76, 012307 (2007), eqs. (9) and (10), e_0 = 1/2::

        Q = 1 - (1-Y_0A)/(1+η_A λ)² - (1-Y_0B)/(1+η_B λ)² + (1-Y_0A)(1-Y_0B)/(1+η_A λ+η_B λ-η_A η_B λ)²
        E Q = Q/2 - (1 - 2 e_d) η_A η_B λ(1+λ) / [(1+η_A λ)(1+η_B λ)(1+η_A λ+η_B λ-η_A η_B λ)]

    Args:
        mean: λ, mean number of pairs for each polarisation, at least 0.
        eta_a: probability that a photon sent to a makes its detector click, in [0, 1].
        eta_b: the same for b.
        y0_a: probability of a false click at a, its *two* detectors together: 1 - (1-dark)².
        y0_b: the same for b.
        error: e_d, error rate of a single pair, in [0, 1/2].

    Returns:
        ``(Q, E)``.

    Limits:
        The paper leaves the dark counts out of the correlated term, so that E is too small by about (1-2E) Y_0/2; exact
        is `pulsed_coincidences` with ``dark = 1 - sqrt(1 - Y_0)``.

    Examples:
        >>> gain, error = ma_fung_lo(0.05, 0.1, 0.1, 1e-6, 1e-6, 0.015)
        >>> f"{float(gain):.9e}", round(float(error), 10)
        ('1.118372169e-03', 0.0534128321)
    """
    y_a, y_b = check_range(y0_a, 0.0, 1.0, "y0_a"), check_range(y0_b, 0.0, 1.0, "y0_b")
    turned = 1.0 - 2.0 * check_range(error, 0.0, 0.5, "error")
    dark_a, dark_b = 1.0 - np.sqrt(1.0 - y_a), 1.0 - np.sqrt(1.0 - y_b)
    exact = pulsed_coincidences(mean, eta_a, eta_b, dark_a, dark_b, turned)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        contrast = exact.contrast / ((1.0 - dark_a) * (1.0 - dark_b))
    return exact.probability, np.asarray(0.5 * (1.0 - contrast))


@dataclass(frozen=True, slots=True)
class CwRates:
    """Coincidences per s of a continuous source.

    Attributes:
        true: of photons of one pair, inside the window.
        accidental: of anything else.
    """

    true: Floats
    accidental: Floats

    @property
    def total(self) -> Floats:
        """True and accidental coincidences per s."""
        return np.asarray(self.true + self.accidental)

    def qber(self, error: ArrayLike = 0.0) -> Floats:
        """Error rate, with that of a true pair given: (e true + accidental/2) / total."""
        return np.asarray((np.asarray(error) * self.true + 0.5 * self.accidental) / self.total)


def cw_rates(
    pair_rate: ArrayLike,
    eta_a: ArrayLike,
    eta_b: ArrayLike,
    dark_a: ArrayLike,
    dark_b: ArrayLike,
    window: ArrayLike,
    width: ArrayLike = 0.0,
) -> CwRates:
    """True and accidental coincidences of a continuous source.

    Equation: Neumann et al., PRA 104, 022406 (2021)::

        true = B η_a η_b erf(sqrt(ln 2) t / FWHM)
        accidental = (B η_a + d_a)(B η_b + d_b) t

    Args:
        pair_rate: B, pairs per s, at least 0.
        eta_a: probability that a photon sent to a makes its detector click, in [0, 1].
        eta_b: the same for b.
        dark_a: false clicks per s of all detectors of a together, at least 0.
        dark_b: the same for b.
        window: t, full width of the coincidence window, s, at least 0.
        width: FWHM of the difference of the two detection times, s, at least 0.

    Raises:
        QuantityError: a value outside its domain.

    Limits:
        First order in the clicks that fall into one window (`cw_cautions` tells when that is too many). Dead time is not included.

    Examples:
        >>> seen = cw_rates(1e6, 0.1, 0.01, 200.0, 200.0, 1e-9, 0.3e-9)
        >>> round(float(seen.total), 9), round(float(seen.qber(0.01)), 9)
        (1000.935202139, 0.010500332)
    """
    b = check_range(pair_rate, 0.0, math.inf, "pair_rate")
    a_eta, b_eta = check_range(eta_a, 0.0, 1.0, "eta_a"), check_range(eta_b, 0.0, 1.0, "eta_b")
    a_dark = check_range(dark_a, 0.0, math.inf, "dark_a")
    b_dark = check_range(dark_b, 0.0, math.inf, "dark_b")
    t = check_range(window, 0.0, math.inf, "window")
    true = b * a_eta * b_eta * within_window(t, width)
    return CwRates(np.asarray(true), np.asarray((b * a_eta + a_dark) * (b * b_eta + b_dark) * t))


def within_window(window: ArrayLike, width: ArrayLike) -> Floats:
    """Share of a Gaussian of full width at half maximum ``width`` that a centred window keeps: erf(sqrt(ln 2) t/FWHM).

    Args:
        window: full width, s, at least 0.
        width: FWHM, s, at least 0; 0 keeps everything.

    Examples:
        >>> round(float(within_window(1.0, 1.0)), 6), float(within_window(1.0, 0.0))
        (0.760968, 1.0)
    """
    t = check_range(window, 0.0, math.inf, "window")
    fwhm = check_range(width, 0.0, math.inf, "width")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        argument = np.where(fwhm > 0.0, math.sqrt(math.log(2.0)) * t / fwhm, math.inf)
    return np.asarray(np.vectorize(math.erf, otypes=[float])(argument))


def timing_width(jitter_a: ArrayLike, jitter_b: ArrayLike, *others: ArrayLike) -> Floats:
    """Full width of the difference of two detection times: the parts add in squares.

    Args:
        jitter_a: FWHM of the detection time at a, s.
        jitter_b: the same at b.
        others: FWHM of what else blurs the difference (dispersion, synchronisation, length of the photons), s.

    Examples:
        >>> float(timing_width(3.0, 4.0)), float(timing_width(3.0, 4.0, 12.0))
        (5.0, 13.0)
    """
    parts = [check_range(part, 0.0, math.inf, "width") for part in (jitter_a, jitter_b, *others)]
    return np.asarray(np.sqrt(sum(part * part for part in parts)))


def window_coincidences(
    singles_a: ArrayLike,
    singles_b: ArrayLike,
    tied: ArrayLike,
    contrast: ArrayLike = 1.0,
    double_clicks: str = "random",
) -> Coincidences:
    """Coincidences in one window of a continuous source whose pairs are Poissonian; the window may fill up.

    Equation: `pulsed_coincidences` with ``α = e^(-s_a/2)``, ``β = e^(-s_b/2)``, ``v = e^(c/2)``. To first order that is `cw_rates`
    times the window: Q = c + s_a s_b, contrast = c/Q.

    Args:
        singles_a: s_a, mean clicks at a in a window without saturation, all detectors and causes, at least 0.
        singles_b: the same for b.
        tied: c, mean number of pairs with both photons detected in the window, at most the smaller of the singles.
        contrast: 1 - 2 x error of a single pair, in [-1, 1].
        double_clicks: ``random`` or ``discard``.

    Raises:
        QuantityError: a value outside its domain.

    Limits:
        Pairs are Poissonian: right while a window is long against the coherence time of the photons.

    Examples:
        >>> seen = window_coincidences(1e-4, 1e-5, 1e-6)
        >>> f"{float(seen.probability):.4e}", round(float(seen.contrast), 6)
        ('1.0009e-06', 0.999056)
    """
    s_a = check_range(singles_a, 0.0, math.inf, "singles_a")
    s_b = check_range(singles_b, 0.0, math.inf, "singles_b")
    c = check_range(tied, 0.0, math.inf, "tied")
    if np.any(c > np.minimum(s_a, s_b) * (1.0 + 1e-12)):
        raise QuantityError(f"{float(c.max()):g}", "at most the clicks of either side", "tied")
    return _coincide(-0.5 * s_a, -0.5 * s_b, 0.5 * c, 0.0, 0.0, contrast, double_clicks)


def cw_cautions(singles_a: float, singles_b: float, limit: float = 0.05) -> tuple[Caution, ...]:
    """Say where windows are too full for the first order that `cw_rates` keeps.

    Args:
        singles_a: mean clicks at a in one window.
        singles_b: the same for b.
        limit: up to where the relative error, of order (singles_a + singles_b)/2, is accepted.

    Examples:
        >>> cw_cautions(1e-3, 1e-4)
        ()
        >>> [caution.where for caution in cw_cautions(0.3, 1e-4)]
        ['clicks in a window']
    """
    most = max(singles_a, singles_b)
    if most <= limit:
        return ()
    effect = f"first-order coincidence rates are wrong by about {0.5 * (singles_a + singles_b):.0%}"
    return (Caution("clicks in a window", f"{most:.3g}", f"at most {limit:g}", effect),)


def _coincide(
    silent_a: Floats,
    silent_b: Floats,
    tied: Floats,
    dark_a: ArrayLike,
    dark_b: ArrayLike,
    contrast: ArrayLike,
    double_clicks: str,
) -> Coincidences:
    """Combine logarithms of silence; every difference of near-equal numbers is an expm1."""
    if double_clicks not in ("random", "discard"):
        raise QuantityError(repr(double_clicks), "random or discard", "double_clicks")
    false_a = check_range(dark_a, 0.0, 1.0, "dark_a")
    false_b = check_range(dark_b, 0.0, 1.0, "dark_b")
    pure = check_range(contrast, -1.0, 1.0, "contrast")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_a, log_b = silent_a + np.log1p(-false_a), silent_b + np.log1p(-false_b)
        click_a, click_b = -np.expm1(2.0 * log_a), -np.expm1(2.0 * log_b)
        both_silent = np.exp(log_a + log_b)
        if double_clicks == "random":
            total = click_a * click_b + both_silent**2 * np.expm1(2.0 * tied)
        else:
            lone = np.expm1(log_a + tied) * np.expm1(log_b + tied)
            total = both_silent * (4.0 * lone + 2.0 * np.expm1(tied))
        kept = np.where(total > 0.0, 2.0 * pure * both_silent * np.expm1(tied) / total, 0.0)
    shape = np.broadcast_shapes(total.shape, kept.shape)
    return Coincidences(np.broadcast_to(total, shape), kept, click_a, click_b)
