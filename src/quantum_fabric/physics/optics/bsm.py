"""A Bell measurement between two pair sources, and what it really heralds.

Two polarisation sources each keep one photon of a pair and send its twin to a station: balanced splitter, a polariser behind each
output, four detectors. Two clicks with different polarisation announce Ψ+ (same output) or Ψ− (different outputs).

The trap: two pairs of *one* source give the same clicks as one pair of each, and are as likely. Without memories that absorb single
photons, or detectors that look at what was kept, the herald is no entanglement: its fidelity is 1/2 at best, and only events in
which both ends find a photon (post-selection) show more. See Sangouard et al., Rev. Mod. Phys. 83, 33 (2011).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.physics.checks import Floats


@dataclass(frozen=True, slots=True)
class BellHerald:
    """What a station heralds with two pair sources, all four announcements together.

    Attributes:
        probability: of a herald in one pulse, in [0, 1].
        fidelity: to the announced Bell state of what is kept, *all* heralds counted.
        one_each: share of the heralds with exactly one kept photon on each side.
        double: share with two or more on one side and none on the other: the trap.
        dark: share with at most one photon in all, so that a detector clicked falsely.
        left_out: probability that a mode holds more pairs than were counted.
        cautions: where ``left_out`` is no longer small beside the herald.
    """

    probability: float
    fidelity: float
    one_each: float
    double: float
    dark: float
    left_out: float
    cautions: tuple[Caution, ...] = ()

    @property
    def postselected(self) -> float:
        """Fidelity among the events in which each side finds exactly one photon."""
        return self.fidelity / self.one_each if self.one_each > 0.0 else 0.25


def two_source_bsm(
    mean_a: float,
    mean_b: float,
    eta: float = 1.0,
    dark: float = 0.0,
    counting: bool = False,
    largest: int = 6,
) -> BellHerald:
    """Heralds of a station between two polarisation sources, by a sum over all photon numbers up to a largest one.

    Equation: horizontal and vertical light are independent, each two two-mode squeezed vacua whose idlers meet on the splitter.
    For one of them, with U the splitter for N photons and w the probability of the wanted click with j and N - j photons behind it::

        ρ[(n,m),(n',m')] = sqrt(p_n p_m p_n' p_m') Σ_j U_jn U_jn' w(j, N-j),   n + m = n' + m' = N

    For λ → 0 (no dark counts) the probability is 2 λ² η² (one pair each) + 2 λ² η² (two of one source).

    Args:
        mean_a: λ of source a, mean number of pairs for each polarisation, at least 0.
        mean_b: the same for b.
        eta: probability that a photon sent to the station makes its detector click, in [0, 1].
        dark: probability of a false click of one detector, in [0, 1].
        counting: True for detectors that tell one photon from two, and then want exactly one.
        largest: largest number of pairs in one mode that is counted, at least 1.

    Raises:
        QuantityError: a value outside its domain.

    Limits:
        Photons of both sources are alike (visibility 1). A counting detector with a photon *and* a dark count counts two.

    Examples:
        >>> herald = two_source_bsm(0.001, 0.001, eta=0.1)
        >>> round(herald.one_each, 3), round(herald.double, 3), round(herald.fidelity, 3), round(herald.postselected, 3)
        (0.497, 0.499, 0.497, 1.0)
    """
    for name, mean in (("mean_a", mean_a), ("mean_b", mean_b)):
        if not 0.0 <= mean < math.inf:
            raise QuantityError(str(mean), "a mean number of at least 0", name)
    for name, share in (("eta", eta), ("dark", dark)):
        if not 0.0 <= share <= 1.0:
            raise QuantityError(str(share), "a probability in [0, 1]", name)
    if largest < 1:
        raise QuantityError(str(largest), "at least 1", "largest")
    first = _heralded(mean_a, mean_b, eta, dark, counting, largest, swapped=False)
    second = _heralded(mean_a, mean_b, eta, dark, counting, largest, swapped=True)
    numbers = np.zeros((2 * largest + 1, 2 * largest + 1))
    right = 0.0
    # same output twice: Ψ+; different outputs: Ψ−; H and V obey the same formula
    for horizontal, vertical, sign in (
        (first, first, 1.0),
        (second, second, 1.0),
        (first, second, -1.0),
        (second, first, -1.0),
    ):
        numbers += _totals(horizontal, vertical)
        right += 0.5 * horizontal[1, 0, 1, 0] * vertical[0, 1, 0, 1]
        right += 0.5 * horizontal[0, 1, 0, 1] * vertical[1, 0, 1, 0]
        right += sign * horizontal[1, 0, 0, 1] * vertical[0, 1, 1, 0]
    total = float(numbers.sum())
    left_out = _beyond(mean_a, mean_b, largest)
    if total == 0.0:
        return BellHerald(0.0, 0.25, 0.0, 0.0, 0.0, left_out)
    return BellHerald(
        probability=total,
        fidelity=float(right) / total,
        one_each=float(numbers[1, 1]) / total,
        double=float(numbers[0, 2:].sum() + numbers[2:, 0].sum()) / total,
        dark=float(numbers[0, 0] + numbers[0, 1] + numbers[1, 0]) / total,
        left_out=left_out,
        cautions=_cautions(left_out, total),
    )


def _heralded(
    mean_a: float, mean_b: float, eta: float, dark: float, counting: bool, largest: int, *, swapped: bool
) -> Floats:
    """Unnormalised state of the kept modes (n, m; n', m') when the first output clicks alone, or the second (``swapped``)."""
    size = largest + 1
    roots = [np.sqrt(_thermal(mean, largest)) for mean in (mean_a, mean_b)]
    state = np.zeros((size, size, size, size))
    for total in range(2 * largest + 1):
        splitter = balanced_splitter(total)
        wanted = np.array([_click(j, total - j, eta, dark, counting) for j in range(total + 1)])
        block = splitter.T @ np.diag(wanted[::-1] if swapped else wanted) @ splitter
        inside = [n for n in range(total + 1) if n <= largest and total - n <= largest]
        for n in inside:
            for k in inside:
                weight = roots[0][n] * roots[1][total - n] * roots[0][k] * roots[1][total - k]
                state[n, total - n, k, total - k] = weight * block[n, k]
    return state


def balanced_splitter(total: int) -> Floats:
    """Amplitudes of a balanced beam splitter for a given number of photons.

    Equation: a → (c + d)/√2, b → (c − d)/√2.

    Args:
        total: number of photons N, at least 0.

    Returns:
        Shape ``(N+1, N+1)``: entry ``[j, n]`` is the amplitude of j photons at c when n of the N came by a; orthogonal.

    Examples:
        >>> np.round(balanced_splitter(2)[:, 1], 6).tolist()  # one from each side: never one at each output
        [-0.707107, 0.0, 0.707107]
    """
    table = np.zeros((total + 1, total + 1))
    for n in range(total + 1):
        for j in range(total + 1):
            paths = sum(
                math.comb(n, r) * math.comb(total - n, j - r) * (-1) ** (total - n - j + r)
                for r in range(max(0, j - total + n), min(n, j) + 1)
            )
            share = math.comb(total, n) / math.comb(total, j) / 2.0**total
            table[j, n] = paths * math.sqrt(share)
    return table


def _click(clicking: int, silent: int, eta: float, dark: float, counting: bool) -> float:
    """Probability that one detector clicks with so many photons before it and the other does not."""
    dim = 1.0 - eta
    quiet = (1.0 - dark) * dim**silent
    if not counting:
        return (1.0 - (1.0 - dark) * dim**clicking) * quiet
    one = clicking * eta * dim ** (clicking - 1) if clicking else 0.0
    return ((1.0 - dark) * one + dark * dim**clicking) * quiet


def _thermal(mean: float, largest: int) -> Floats:
    ratio = mean / (1.0 + mean)
    return np.asarray([ratio**n / (1.0 + mean) for n in range(largest + 1)])


def _totals(horizontal: Floats, vertical: Floats) -> Floats:
    """Joint distribution of the photons kept at a and at b, both polarisations together."""
    first = np.einsum("nmnm->nm", horizontal)
    second = np.einsum("nmnm->nm", vertical)
    size = 2 * first.shape[0] - 1
    totals = np.zeros((size, size))
    for n, m in np.ndindex(*first.shape):
        totals[n : n + first.shape[0], m : m + first.shape[1]] += first[n, m] * second
    return totals


def _beyond(mean_a: float, mean_b: float, largest: int) -> float:
    """Probability that any of the four modes holds more than the largest number."""
    ratios = [(mean / (1.0 + mean)) ** (largest + 1) for mean in (mean_a, mean_b)]
    return -math.expm1(2.0 * math.fsum(math.log1p(-ratio) for ratio in ratios))


def _cautions(left_out: float, total: float) -> tuple[Caution, ...]:
    if left_out <= 1e-6 * total:
        return ()
    effect = f"herald probability and shares are wrong by up to {left_out / total:.1g} of themselves; count more pairs"
    return (
        Caution("pairs beyond the largest number", f"{left_out:.2g}", f"at most {1e-6 * total:.2g}", effect),
    )
