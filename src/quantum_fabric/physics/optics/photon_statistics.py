"""How many photons a pulse holds, and how well two of them interfere.

All functions take arrays (batch axes broadcast); times in s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range


def photon_numbers(mean: float, modes: float = 1.0, largest: int = 20) -> Floats:
    """Distribution of the photon number of light spread over equally filled thermal modes.

    Equation: negative binomial, P(n) = C(n+K-1, n) l^n / (1+l)^(n+K), l = mean/K. K = 1 is one arm of a two-mode squeezed
    vacuum, P(n) = λ^n/(1+λ)^(n+1); K = 2 with mean 2λ is a polarisation source, (n+1) λ^n/(1+λ)^(n+2); K infinite is a
    weak coherent pulse (Poisson).

    Args:
        mean: mean number, at least 0.
        modes: K, at least 1; infinite for Poissonian light.
        largest: largest number that is listed, at least 0.

    Returns:
        Shape ``(largest + 1,)``; the rest of the probability lies beyond.

    Raises:
        QuantityError: a value outside its domain.

    Examples:
        >>> photon_numbers(1.0, largest=3).tolist()
        [0.5, 0.25, 0.125, 0.0625]
        >>> np.round(photon_numbers(0.5, math.inf, largest=2), 6).tolist()
        [0.606531, 0.303265, 0.075816]
    """
    check_range(mean, 0.0, math.inf, "mean")
    check_range(modes, 1.0, math.inf, "modes")
    if largest < 0:
        raise QuantityError(str(largest), "at least 0", "largest")
    each = mean / modes
    chances = [math.exp(-mean) if math.isinf(modes) else math.exp(-modes * math.log1p(each))]
    for n in range(1, largest + 1):
        step = mean if math.isinf(modes) else (n - 1 + modes) * each / (1.0 + each)
        chances.append(chances[-1] * step / n)
    return np.asarray(chances)


def bunching(modes: ArrayLike) -> Floats:
    """Second-order correlation of light in K equally filled thermal modes: 1 + 1/K.

    Examples:
        >>> bunching([1.0, 2.0, math.inf]).tolist()
        [2.0, 1.5, 1.0]
    """
    return np.asarray(1.0 + 1.0 / check_range(modes, 1.0, math.inf, "modes"))


def multiphoton_share(chances: ArrayLike) -> Floats:
    """Share of two and more photons among the pulses that hold any.

    Args:
        chances: probabilities of 0 and 1 photons, shape ``(..., 2)``, in [0, 1], with a sum of at most 1.

    Raises:
        QuantityError: no probabilities, or never a photon.

    Examples:
        >>> round(float(multiphoton_share(photon_numbers(0.1, math.inf, largest=1))), 6)
        0.049167
    """
    pair = check_range(chances, 0.0, 1.0, "chances")
    some = 1.0 - pair[..., 0]
    if np.any(some <= 0.0):
        raise QuantityError("1", "below 1: a source that makes photons", "chances[0]")
    return np.asarray(np.clip((some - pair[..., 1]) / some, 0.0, 1.0))


def log_silent(mean: ArrayLike, eta: ArrayLike, modes: ArrayLike = 1.0) -> Floats:
    """Logarithm of the probability that no photon of a beam makes a click: −K ln(1 + η λ/K).

    Args:
        mean: λ, mean number of photons, at least 0.
        eta: probability that a photon makes a click, in [0, 1].
        modes: K, equally filled modes, at least 1; infinite for Poissonian light.

    Examples:
        >>> float(np.exp(log_silent(1.0, 1.0))), round(float(log_silent(0.3, 0.5, math.inf)), 12)
        (0.5, -0.15)
    """
    lam, part, count = np.broadcast_arrays(
        np.asarray(mean, float), np.asarray(eta, float), np.asarray(modes, float)
    )
    with np.errstate(invalid="ignore"):
        finite = -count * np.log1p(part * lam / count)
    return np.asarray(np.where(np.isinf(count), -part * lam, finite))


def heralded_g2(
    mean: ArrayLike, efficiency: ArrayLike = 0.0, dark: ArrayLike = 0.0, modes: ArrayLike = 1.0
) -> Floats:
    """Second-order correlation of the photons whose twins made a bucket detector click.

    Equation: with l = λ/K and ``b_j = 1 - (1-d)(1-η)^j (1+lη)^-(K+j)``::

        g2 = (1 + 1/K) b_2 b_0 / b_1²

    which for K = 1 and η → 0 is 2 λ (2+3λ)/(1+2λ)², and without herald (d = 1) the 1 + 1/K of the bare beam.

    Args:
        mean: λ, mean number of pairs, at least 0.
        efficiency: η of the herald, in [0, 1]; 0 is the limit of low efficiency (and then there are no dark counts).
        dark: probability d of a false herald, in [0, 1].
        modes: K, at least 1.

    Returns:
        Shape of the arguments together.

    Raises:
        QuantityError: a value outside its domain.

    Examples:
        >>> float(heralded_g2(0.05)), float(heralded_g2(0.1, 0.6))
        (0.1776859504132231, 0.23629228099414484)
    """
    lam = check_range(mean, 0.0, math.inf, "mean")
    eta = check_range(efficiency, 0.0, 1.0, "efficiency")
    false = check_range(dark, 0.0, 1.0, "dark")
    count = check_range(modes, 1.0, math.inf, "modes")
    lam, eta, false, count = np.broadcast_arrays(lam, eta, false, count)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        each = lam / count
        # (1+lη)^-j beside (1+lη)^-K, which is exp(-λη) for infinitely many modes
        bare = np.log1p(-false) + log_silent(lam, eta, count)
        loss = np.log1p(-eta) - np.log1p(each * eta)
        b_0, b_1, b_2 = (-np.expm1(bare + (j * loss if j else 0.0)) for j in (0, 1, 2))
        finite = (1.0 + 1.0 / count) * b_2 * b_0 / b_1**2
        weak_0, weak_1, weak_2 = (lam + j * (1.0 + each) for j in (0, 1, 2))
        weak = (1.0 + 1.0 / count) * weak_2 * weak_0 / weak_1**2
    return np.asarray(np.where(eta == 0.0, weak, np.where(lam == 0.0, _dim(eta, false, count), finite)))


def _dim(eta: Floats, false: Floats, count: Floats) -> Floats:
    """Limit λ → 0 of the heralded g2: 0 as soon as no herald is false."""
    b_0 = false
    b_1, b_2 = (1.0 - (1.0 - false) * (1.0 - eta) ** j for j in (1, 2))
    return np.asarray((1.0 + 1.0 / count) * b_2 * b_0 / np.where(b_1 > 0.0, b_1, 1.0) ** 2)


@dataclass(frozen=True, slots=True)
class Few:
    """A pulse of at most two photons.

    Attributes:
        none: probability of no photon.
        one: of one.
        two: of two.
    """

    none: float
    one: float
    two: float

    @property
    def g2(self) -> float:
        """Second-order correlation, 2 p_2/(p_1 + 2 p_2)².

        Examples:
            >>> Few(none=0.0, one=1.0, two=0.0).g2
            0.0
        """
        mean = self.one + 2.0 * self.two
        return 2.0 * self.two / (mean * mean)


def emitted(brightness: float, g2: float) -> Few:
    """Photon numbers of an emitter of which brightness and g2 are known.

    Equation: with B = p_1 + p_2 and g2 = 2 p_2/(p_1 + 2 p_2)²,

        p_2 = g2 B² / (1 - g2 B + sqrt(1 - 2 g2 B))

    Args:
        brightness: B, probability that a pulse holds any photon, in (0, 1].
        g2: second-order correlation at zero delay, at least 0.

    Raises:
        QuantityError: outside the domain, or a g2 that two photons cannot have at this brightness (2 g2 B above 1, or more
            double than single pulses).

    Limits:
        Three photons are left out: with g2 = 0.02 they are of order 1e-4 of the single ones.

    Examples:
        >>> few = emitted(0.5, 0.02)
        >>> round(few.two, 9), round(few.g2, 12)
        (0.002525317, 0.02)
    """
    check_range(brightness, 0.0, 1.0, "brightness")
    check_range(g2, 0.0, math.inf, "g2")
    if brightness == 0.0:
        raise QuantityError("0", "above 0", "brightness")
    product = g2 * brightness
    if 2.0 * product > 1.0:
        raise QuantityError(f"{g2:g}", f"at most {0.5 / brightness:g} for at most two photons", "g2")
    two = product * brightness / (1.0 - product + math.sqrt(1.0 - 2.0 * product))
    return Few(none=1.0 - brightness, one=brightness - two, two=two)


def dephased_overlap(coherence: ArrayLike, lifetime: ArrayLike) -> Floats:
    """Indistinguishability of two photons of emitters with pure dephasing: T2/(2 T1).

    Args:
        coherence: T2 of the optical transition, s, above 0, at most 2 T1.
        lifetime: T1, s, above 0.

    Raises:
        QuantityError: T2 above 2 T1.

    Examples:
        >>> float(dephased_overlap(1.0, 1.0))
        0.5
    """
    t2 = check_range(coherence, 0.0, math.inf, "coherence")
    t1 = check_range(lifetime, 0.0, math.inf, "lifetime")
    if np.any(t2 > 2.0 * t1 * (1.0 + 1e-12)):
        raise QuantityError(f"{float(t2.max()):g} s", "at most twice the lifetime", "coherence")
    return np.asarray(np.minimum(t2 / (2.0 * t1), 1.0))


def delayed_overlap(delay: ArrayLike, width: ArrayLike, shape: str = "exponential") -> Floats:
    """Overlap of two alike photons that arrive at different times.

    Equation: exponential photons of lifetime τ, e^(-|dt|/τ); Gaussian ones of rms intensity width s, e^(-dt²/(4 s²)).

    Args:
        delay: dt, s.
        width: τ or s, s, above 0.
        shape: ``exponential`` or ``gaussian``.

    Raises:
        QuantityError: no such shape, or no width.

    Examples:
        >>> round(float(delayed_overlap(1.0, 2.0)), 6), round(float(delayed_overlap(1.0, 2.0, "gaussian")), 6)
        (0.606531, 0.939413)
    """
    dt, scale = np.abs(np.asarray(delay, dtype=np.float64)), check_range(width, 0.0, math.inf, "width")
    if np.any(scale == 0.0):
        raise QuantityError("0", "above 0", "width")
    if shape == "exponential":
        return np.asarray(np.exp(-dt / scale))
    if shape == "gaussian":
        return np.asarray(np.exp(-((0.5 * dt / scale) ** 2)))
    raise QuantityError(repr(shape), "exponential or gaussian", "shape")


def filtered(coherence: ArrayLike, lifetime: ArrayLike, window: ArrayLike) -> tuple[Floats, Floats]:
    """Keep only clicks close to each other: less rate for more visibility.

    Equation: clicks of two exponential photons lie a time τ apart as e^(-|τ|/T1)/(2 T1); with pure dephasing the
    interference term falls as e^(-2|τ|/T2)/(2 T1). With |τ| < w::

        share = 1 - e^(-w/T1),   V = T2/(2 T1) (1 - e^(-2w/T2)) / (1 - e^(-w/T1))

    after Bylander, Robert-Philip, Abram, Eur. Phys. J. D 22, 295 (2003) and Legero et al., Appl. Phys. B 77, 797 (2003).

    Args:
        coherence: T2, s, above 0, at most 2 T1.
        lifetime: T1, s, above 0.
        window: w, largest time between the clicks, s, above 0.

    Returns:
        ``(share, V)``: share of the pairs of clicks that is kept, and their Hong-Ou-Mandel visibility.

    Raises:
        QuantityError: a time outside its domain.

    Examples:
        >>> share, visibility = filtered(1.0, 1.0, 0.1)
        >>> round(float(share), 6), round(float(visibility), 6)
        (0.095163, 0.952419)
    """
    full = dephased_overlap(coherence, lifetime)
    w = check_range(window, 0.0, math.inf, "window")
    if np.any(w == 0.0):
        raise QuantityError("0", "above 0", "window")
    t1, t2 = np.asarray(lifetime, dtype=np.float64), np.asarray(coherence, dtype=np.float64)
    share = -np.expm1(-w / t1)
    return np.asarray(share), np.asarray(full * -np.expm1(-2.0 * w / t2) / share)


def hom_visibility(
    overlap: ArrayLike,
    g2_a: ArrayLike = 0.0,
    g2_b: ArrayLike = 0.0,
    ratio: ArrayLike = 1.0,
    reflected: ArrayLike = 0.5,
) -> Floats:
    """Measured Hong-Ou-Mandel visibility of two independent sources at low detection efficiency.

    Equation: with coincidences C = RT (g_a m_a² + g_b m_b²) + (R² + T² - 2 RT M) m_a m_b, and C_0 the same with M = 0,

        V = 1 - C/C_0 = 2 RT M / [R² + T² + RT (g_a r + g_b/r)],   r = m_a/m_b

    which is M/(1+g) for alike sources on a balanced splitter, and 1/2 for weak coherent pulses. It follows from normally ordered
    intensities, so it is exact for any photon numbers as long as clicks are rare (Hong, Ou, Mandel, PRL 59, 2044 (1987)).

    Args:
        overlap: M, mean overlap of the photons of both sources, in [0, 1].
        g2_a: g_a, second-order correlation of the first source, at least 0.
        g2_b: g_b, of the second.
        ratio: r, mean photon number of the first over that of the second at the splitter, above 0.
        reflected: R of a splitter without loss, in (0, 1).

    Raises:
        QuantityError: a value outside its domain.

    Examples:
        >>> float(hom_visibility(1.0)), float(hom_visibility(1.0, 1.0, 1.0)), round(float(hom_visibility(0.9, 0.02, 0.02)), 6)
        (1.0, 0.5, 0.882353)
    """
    m = check_range(overlap, 0.0, 1.0, "overlap")
    a, b = check_range(g2_a, 0.0, math.inf, "g2_a"), check_range(g2_b, 0.0, math.inf, "g2_b")
    r, back = check_range(ratio, 0.0, math.inf, "ratio"), check_range(reflected, 0.0, 1.0, "reflected")
    if np.any(r == 0.0) or np.any(back * (1.0 - back) == 0.0):
        raise QuantityError("0", "light from both sources at both outputs", "ratio or reflected")
    through = back * (1.0 - back)
    return np.asarray(2.0 * through * m / (1.0 - 2.0 * through + through * (a * r + b / r)))
