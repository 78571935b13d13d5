"""One click behind a beam splitter, when each side sends half of a two-mode squeezed state.

That is what ensembles (DLCZ) and down-conversion into absorptive memories do: a *signal* stays (a spin wave, a stored photon),
its twin, the *idler*, travels to a station. Unlike an emitter with two levels, a side can hold any number of pairs:
``sqrt(1-λ) Σ λ^(n/2) |n, n>``, mean number ``λ/(1-λ)``. Everything here is exact in all photon numbers, because silent detectors turn
such states into states of the same family.

References: Duan, Lukin, Cirac, Zoller, Nature 414, 413 (2001); Simon et al., PRL 98, 190503 (2007); for the algebra, second
quantisation of a matrix M, ``Γ(M)``, with ``<1_i|Γ(M)|1_j> = M_ij`` and ``Tr Γ(M) = 1/det(1-M)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

from quantum_fabric.errors import QuantityError

Number: TypeAlias = "float | complex"

_STEP: Final = 1e-30
"""Step of the complex-step derivative: below it, rounding plays no part."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sources.

    Attributes:
        excitation: λ, ratio of the probabilities of n+1 and n pairs, in [0, 1).
        eta: probability that an idler photon makes its detector click, in [0, 1].
        kept: probability that a signal photon is kept (stored), in [0, 1].

    Raises:
        QuantityError: a value outside its domain.

    Examples:
        >>> Side(excitation=0.2, eta=0.1).mean_pairs
        0.25
    """

    excitation: float
    eta: float
    kept: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no source does."""
        if not 0.0 <= self.excitation < 1.0:
            raise QuantityError(str(self.excitation), "a ratio in [0, 1)", "excitation")
        for name, value in (("eta", self.eta), ("kept", self.kept)):
            if not 0.0 <= value <= 1.0:
                raise QuantityError(str(value), "a probability in [0, 1]", name)

    @property
    def mean_pairs(self) -> float:
        """Mean number of pairs, λ/(1-λ)."""
        return self.excitation / (1.0 - self.excitation)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the two sides keep when one given detector has clicked and the other has not.

    Attributes:
        probability: of that click, in [0, 1].
        none, only_b, only_a, both: probabilities, together with the click, that neither side, b only, a only, both hold at
            least one excitation; they sum to ``probability``.
        coherence: between exactly one excitation at a and exactly one at b, at least 0; its sign is that of the detector.
        single: probability, together with the click, that exactly one excitation is kept in all.
    """

    probability: float
    none: float
    only_b: float
    only_a: float
    both: float
    coherence: float
    single: float


def one_click(
    a: Side, b: Side, visibility: float = 1.0, dark: float = 0.0, number_resolving: bool = False
) -> Kept:
    """State of both sides, given a click of one detector and silence of the other.

    Equation: a silent detector with matrix E (``E_ij = sqrt(η_i η_j) V_ij / 2``, off-diagonals ``∓ sqrt(V)``) leaves
    ``(1-λ_a)(1-λ_b) Γ(M)``, ``M = sqrt(λ)(1-E)sqrt(λ)``; a bucket detector that clicks is one minus silence. Losses of the kept signal
    map ``N = M/(1-M)`` to ``sqrt(s) N sqrt(s)``. A detector that counts exactly one photon is the derivative with respect to its
    efficiency.

    Args:
        a: the source at a.
        b: the source at b.
        visibility: V, squared overlap of the two idlers, in [0, 1].
        dark: probability of a false count of one detector, in [0, 1).
        number_resolving: True for detectors that tell one photon from two.

    Raises:
        QuantityError: visibility or dark outside its domain.

    Limits:
        Coherences between states with several excitations are left out of ``coherence`` (they are of second order in λ).

    Examples:
        >>> click = one_click(Side(0.01, 0.1), Side(0.01, 0.1))
        >>> round(2 * click.probability, 6), round((click.only_a + click.only_b + 2 * click.coherence) / 2 / click.probability, 4)
        (0.002016, 0.9814)
    """
    for name, value, top in (("visibility", visibility, "1]"), ("dark", dark, "1)")):
        if not 0.0 <= value <= 1.0 or (name == "dark" and value == 1.0):
            raise QuantityError(str(value), f"a number in [0, {top}", name)
    silent = 1.0 - dark
    nothing = _silent(a, b, visibility, 1.0, 1.0)
    if number_resolving:
        # exactly one photon there: minus the derivative of silence with respect to that detector's efficiency
        one = [-value.imag / _STEP for value in _silent(a, b, visibility, complex(1.0, _STEP), 1.0)]
        parts = [silent * silent * x + dark * silent * _real(y) for x, y in zip(one, nothing, strict=True)]
    else:
        quiet = _silent(a, b, visibility, 0.0, 1.0)
        parts = [silent * _real(x) - silent * silent * _real(y) for x, y in zip(quiet, nothing, strict=True)]
    total, no_a, no_b, none, coherence, single = parts
    only_b, only_a = max(no_a - none, 0.0), max(no_b - none, 0.0)
    both = max(total - no_a - no_b + none, 0.0)
    return Kept(total, max(none, 0.0), only_b, only_a, both, max(coherence, 0.0), single)


def _silent(
    a: Side, b: Side, visibility: float, clicker: Number, other: Number
) -> tuple[Number, Number, Number, Number, Number, Number]:
    """Weights of the state that is left when both detectors stay silent, at these shares of their efficiency.

    Returns (trace, no excitation at a, none at b, none at all, coherence, exactly one in all).
    """
    mean = 0.5 * (clicker + other)  # the two detectors see opposite signs of the interference
    cross = 0.5 * (clicker - other) * math.sqrt(a.eta * b.eta * visibility)
    m_aa = a.excitation * (1.0 - mean * a.eta)
    m_bb = b.excitation * (1.0 - mean * b.eta)
    m_ab = -math.sqrt(a.excitation * b.excitation) * cross
    gap = (1.0 - m_aa) * (1.0 - m_bb) - m_ab * m_ab
    trace = (1.0 - a.excitation) * (1.0 - b.excitation) / gap
    # N = M/(1-M) = 1/(1-M) - 1, thinned by the losses of the kept signals
    n_aa = a.kept * ((1.0 - m_bb) / gap - 1.0)
    n_bb = b.kept * ((1.0 - m_aa) / gap - 1.0)
    n_ab = math.sqrt(a.kept * b.kept) * m_ab / gap
    room = (1.0 + n_aa) * (1.0 + n_bb) - n_ab * n_ab
    none = trace / room
    # M' = N'/(1+N')
    kept_ab = n_ab / room
    single = none * ((n_aa * (1.0 + n_bb) - n_ab * n_ab) + (n_bb * (1.0 + n_aa) - n_ab * n_ab)) / room
    return (trace, trace / (1.0 + n_aa), trace / (1.0 + n_bb), none, none * kept_ab, single)


def _real(value: Number) -> float:
    return value.real
