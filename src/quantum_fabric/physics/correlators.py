"""The event path: Bell-diagonal pairs as three plain floats.

A Bell-diagonal pair is a mixture of the four Bell states. Counted from its announced state, it is four weights
(Φ+, Φ−, Ψ+, Ψ−), or equally three *correlators* ``(x, y, z)``::

    x = Σ w (-1)^phase      y = Σ w (-1)^(parity ⊕ phase)      z = Σ w (-1)^parity

A perfect pair is (1, 1, 1). Everything that happens to pairs multiplies correlators, which is why the event path keeps
them: Pauli noise multiplies each by its own factor, a swap multiplies two pairs component by component.

The array rooms (`bell`, `memory`, `purification`) compute the same things from weights, independently, and the tests hold
the two to each other and to density matrices.

Limits:
    Exact under depolarising and dephasing noise. Amplitude damping is Pauli-twirled (see `memory` for the size of the error).
"""

from __future__ import annotations

from math import exp
from typing import Final, TypeAlias

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.physics.frames import AXES, Rotation, rotation_of
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise

Weights: TypeAlias = tuple[float, float, float, float]
"""Probabilities of (Φ+, Φ−, Ψ+, Ψ−), summing to one; relative weights count from the announced state."""

Correlators: TypeAlias = tuple[float, float, float]
"""(x, y, z); (1, 1, 1) for a perfect pair, (0, 0, 0) for the maximally mixed one."""

PERFECT: Final[Correlators] = (1.0, 1.0, 1.0)
"""Correlators of a pair that is exactly in its announced state."""


def from_weights(weights: Weights) -> Correlators:
    """Correlators of four weights (fractions that sum to one; not checked here, this is the event path).

    Examples:
        >>> from_weights((1.0, 0.0, 0.0, 0.0)), from_weights((0.0, 1.0, 0.0, 0.0))
        ((1.0, 1.0, 1.0), (-1.0, -1.0, 1.0))
    """
    a, b, c, d = weights
    return (a - b + c - d, a - b - c + d, a + b - c - d)


def to_weights(correlators: Correlators) -> Weights:
    """Weights of (Φ+, Φ−, Ψ+, Ψ−) relative to the announced state; the inverse of `from_weights`.

    Examples:
        >>> to_weights((0.5, 0.5, 1.0))
        (0.75, 0.25, 0.0, 0.0)
    """
    x, y, z = correlators
    return ((1.0 + x + y + z) / 4, (1.0 - x - y + z) / 4, (1.0 + x - y - z) / 4, (1.0 - x + y - z) / 4)


def fidelity(correlators: Correlators) -> float:
    """Fidelity to the announced state: ``(1 + x + y + z) / 4``.

    Examples:
        >>> fidelity((0.5, 0.5, 1.0))
        0.75
    """
    x, y, z = correlators
    return (1.0 + x + y + z) / 4


def werner(fidelity: float) -> Correlators:
    """Correlators of a Werner pair of this fidelity: ``(4F - 1)/3``, three times.

    Examples:
        >>> werner(0.25), werner(1.0)
        ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    """
    w = (4.0 * fidelity - 1.0) / 3.0
    return (w, w, w)


def decay_rates(noise: MemoryNoise) -> Correlators:
    """Decay rates (1/s) of x, y and z of a pair while *one* of its halves waits in this memory: (1/T2, 1/T2, 1/T1).

    Equation: Pauli twirl of amplitude and phase damping, ``p_x = p_y = (1-e^(-t/T1))/4``,
    ``p_z = (1-e^(-t/T2))/2 - p_x`` (Sarvepalli, Klappenecker, Roetteler, Proc. R. Soc. A 465, 1645 (2009)).

    Limits:
        A stretched decay (``exponent`` above 1) is taken for an exponential with the same T2; `fading.steady_rates` and
        `fading.stretched_loss` hold the law itself.
        The fidelity is exact for one waiting half of any Bell state. With both halves waiting it is off by at most
        ``(1-e^(-t/T1))² / 4`` (plus for Φ, minus for Ψ).

    Examples:
        >>> decay_rates(MemoryNoise(t1=4.0, t2=2.0))
        (0.5, 0.5, 0.25)
    """
    dephasing = 1.0 / noise.t2
    return (dephasing, dephasing, 1.0 / noise.t1)


def added_rates(a: Correlators, b: Correlators) -> Correlators:
    """Decay rates (1/s) of a pair whose halves decay with rates ``a`` and ``b``: exponentials multiply, so rates add.

    Examples:
        >>> added_rates((0.5, 0.5, 0.25), (1.0, 1.0, 0.0))
        (1.5, 1.5, 0.25)
    """
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def aged(correlators: Correlators, rates: Correlators, seconds: float) -> Correlators:
    """Correlators after waiting ``seconds`` (>= 0) at decay ``rates`` (1/s). Ageing is a semigroup: steps may be split at will.

    Examples:
        >>> aged((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 1e9)
        (1.0, 1.0, 1.0)
    """
    x, y, z = correlators
    rate_x, rate_y, rate_z = rates
    fade = exp(-rate_x * seconds)
    return (
        x * fade,
        y * (fade if rate_y == rate_x else exp(-rate_y * seconds)),
        z * exp(-rate_z * seconds),
    )


def product(a: Correlators, b: Correlators) -> Correlators:
    """Component by component: an ideal swap of two pairs, or Pauli noise on a pair.

    Equation: XOR convolution of the weights is a product of their Walsh-Hadamard transforms, the correlators.

    Examples:
        >>> product((0.5, 0.5, 1.0), (0.5, 0.25, 1.0))
        (0.25, 0.125, 1.0)
    """
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


def depolarised(correlators: Correlators, probability: float) -> Correlators:
    """After one of the two halves was replaced by the maximally mixed state with this probability.

    Examples:
        >>> depolarised((1.0, 1.0, 1.0), 0.25)
        (0.75, 0.75, 0.75)
    """
    keep = 1.0 - probability
    return (correlators[0] * keep, correlators[1] * keep, correlators[2] * keep)


def measured_flip(noise: OperationNoise) -> float:
    """Probability that reading a qubit that is 0 or 1 with equal chance gives the wrong bit: the mean of both readout errors.

    Examples:
        >>> round(measured_flip(OperationNoise(readout_error_0=0.05, readout_error_1=0.005)), 6)
        0.0275
    """
    return (noise.readout_error_0 + noise.readout_error_1) / 2


SwapRow: TypeAlias = tuple[float, Correlators]
"""(probability of announcing this label, factors of the correlators given that it was announced)."""


def swap_table(noise: OperationNoise) -> tuple[SwapRow, SwapRow, SwapRow, SwapRow]:
    """What a noisy Bell measurement does, by announced label.

    The circuit is a CNOT (`depolarising_2`), a Hadamard gate on its control (`depolarising_1`), and the readout of both qubits:
    the target gives the parity bit, the control the phase bit. Row ``m`` holds the probability of announcing ``m`` and the
    factors that multiply the product of the two input correlators, relative to the frame ``a ^ b ^ m``. All this holds given
    that the measurement announces something (`swap_success` is not in here).

    Equation: the true bits of a Bell-diagonal input are uniform, so by Bayes an announced bit b is right by a bias of
    ``(1 - r_b - r_(1-b)) / (1 - r_b + r_(1-b))``; with symmetric readout of reliability eta this gives Briegel et al.,
    PRL 81, 5932 (1998), eq. for F_L.

    Limits:
        Exact, asymmetric readout included, for Bell-diagonal inputs. An announced label that cannot occur has probability 0
        and factors 0.

    Examples:
        >>> swap_table(OperationNoise())[3]
        (0.25, (1.0, 1.0, 1.0))
        >>> probability, (x, y, z) = swap_table(OperationNoise(readout_error_0=0.1))[0]
        >>> round(probability, 4), round(z, 4), round(y, 4)
        (0.2025, 1.0, 1.0)
    """
    gate = 1.0 - noise.depolarising_2
    turn = 1.0 - noise.depolarising_1
    bits = (_announced(noise, 0), _announced(noise, 1))

    def row(label: int) -> SwapRow:
        chance_parity, bias_parity = bits[label >> 1]
        chance_phase, bias_phase = bits[label & 1]
        z = gate * bias_parity
        x = gate * turn * bias_phase
        return (chance_parity * chance_phase, (x, x * bias_parity, z))

    return (row(0), row(1), row(2), row(3))


def _announced(noise: OperationNoise, bit: int) -> tuple[float, float]:
    """Probability of announcing ``bit`` for a uniform true bit, and P(it is right) - P(it is wrong) given that."""
    right = 1.0 - (noise.readout_error_1 if bit else noise.readout_error_0)
    wrong = noise.readout_error_0 if bit else noise.readout_error_1
    total = right + wrong
    return (total / 2, (right - wrong) / total if total else 0.0)


def purified(
    keep: Correlators,
    sacrifice: Correlators,
    kind: str,
    a: OperationNoise,
    b: OperationNoise,
    flip: int | None = None,
    rotation: Rotation | None = None,
) -> tuple[float, Correlators]:
    """One noisy round of recurrence purification: success probability, and correlators of the kept pair given success.

    Both ends (noise ``a`` and ``b``) rotate their two qubits by a Clifford gate, U at one end and U* at the other (`depolarising_1`
    each; DEJMPS: a quarter turn about X; none where nothing is turned), do a CNOT from the kept to the sacrificed qubit
    (`depolarising_2`) and read the latter. They succeed if the parity of the two announced bits is the expected one,
    ``purify_frame(...)[1]``. BBPSSW ends with a twirl, one gate at each end.

    Args:
        keep: correlators of the pair that is kept, relative to its announced state.
        sacrifice: correlators of the pair that is measured.
        kind: ``"dejmps"`` or ``"bbpssw"``.
        a: noise of the operations at one end.
        b: noise at the other end.
        flip: expected parity of the announced bits, which matters when both ends have asymmetric readout; None averages over
            both (a planner does not know frames).
        rotation: which correlators of (kept, sacrificed) become x, y, z: two of `frames.AXES`; None for the protocol's own.

    Returns:
        (probability, (x, y, z)), relative to the frame ``purify_frame(...)[0]`` and averaged over the announced bits that
        mean success. A success that cannot happen is (0.0, (0, 0, 0)).

    Equation:
        Deutsch et al., PRL 77, 2818 (1996) and Bennett et al., PRL 76, 722 (1996), written with correlators. With g the
        probability that no CNOT depolarised, and s and d half the sum and half the difference of the probabilities of
        accepting a right and a wrong parity: ``p = s + d g z z'``, ``p x = g (s x x' + d y y')``,
        ``p y = g (s y x' + d x y')``, ``p z = g (s z + d z')``.

    Limits:
        Exact for Bell-diagonal inputs. The state still depends on *which* two bits were announced if readout is asymmetric at
        both ends; that is averaged.

    Raises:
        UnknownNameError: another kind, or axes that there are not.

    Examples:
        >>> p, c = purified(werner(0.8), werner(0.8), "dejmps", OperationNoise(), OperationNoise())
        >>> round(p, 9), round(fidelity(c), 9)
        (0.768888889, 0.838150289)
        >>> lossy = (0.8, 0.8, 0.6)  # a fifth of double excitations: turning them is wrong
        >>> for rotation in (None, ("xyz", "xyz")):
        ...     p, c = purified(lossy, lossy, "dejmps", OperationNoise(), OperationNoise(), rotation=rotation)
        ...     print(round(p, 3), round(fidelity(c), 4))
        0.82 0.7927
        0.68 0.9412
    """
    one, two = rotation_of(kind, rotation)
    turn = (1.0 - a.depolarising_1) * (1.0 - b.depolarising_1)
    gate = (1.0 - a.depolarising_2) * (1.0 - b.depolarising_2)
    s, d = _acceptance(a, b, flip)
    x1, y1, z1 = keep if one == "xyz" else _turned(keep, one, turn)
    x2, y2, z2 = sacrifice if two == "xyz" else _turned(sacrifice, two, turn)
    chance = s + d * gate * z1 * z2
    if chance <= 0.0:
        return (0.0, (0.0, 0.0, 0.0))
    scale = gate / chance
    x = scale * (s * x1 * x2 + d * y1 * y2)
    y = scale * (s * y1 * x2 + d * x1 * y2)
    z = scale * (s * z1 + d * z2)
    if kind == "bbpssw":
        x = y = z = (x + y + z) / 3.0 * turn
    return (chance, (x, y, z))


def _turned(correlators: Correlators, axes: str, keep: float) -> Correlators:
    """After a bilateral rotation whose two gates leave this much."""
    first, second, third = AXES[axes]
    return (correlators[first] * keep, correlators[second] * keep, correlators[third] * keep)


def _acceptance(a: OperationNoise, b: OperationNoise, flip: int | None) -> tuple[float, float]:
    """Half the sum and half the difference of the probabilities of accepting a right and a wrong parity."""
    a0, a1 = 1.0 - 2.0 * a.readout_error_0, 1.0 - 2.0 * a.readout_error_1
    b0, b1 = 1.0 - 2.0 * b.readout_error_0, 1.0 - 2.0 * b.readout_error_1
    lean = 0.0 if flip is None else (a0 - a1) * (b0 - b1) / 8
    return (0.5 - lean if flip else 0.5 + lean, (a0 + a1) * (b0 + b1) / 8)


_KEPT: Final[dict[str, tuple[int, int]]] = {"X": (0, 0), "Y": (1, 1), "Z": (2, 0)}
"""Basis -> (its correlator, parity of the two bits of a perfect Φ+ pair)."""


def measured(
    correlators: Correlators, label: int, basis: str, a: OperationNoise, b: OperationNoise
) -> tuple[float, float, float, float]:
    """Probabilities of the announced bits when both ends measure a pair in the same basis.

    Args:
        correlators: of the pair, relative to ``label``.
        label: Bell label the correlators count from, 0 to 3.
        basis: ``"X"``, ``"Y"`` or ``"Z"``; X and Y cost a one-qubit gate at each end before the readout.
        a: noise of the operations at one end.
        b: noise at the other end.

    Returns:
        Probabilities of (00, 01, 10, 11), the bit of end ``a`` first; asymmetric readout is exact.

    Equation: ``P(i, j) = (1 ± c)/4`` with c the correlator of the basis, then each bit is misread on its own.

    Raises:
        UnknownNameError: another basis.

    Examples:
        >>> measured((1.0, 1.0, 1.0), 0, "Y", OperationNoise(), OperationNoise())
        (0.0, 0.5, 0.5, 0.0)
    """
    if basis not in _KEPT:
        raise UnknownNameError(found=repr(basis), expected="'X', 'Y' or 'Z'", where="basis")
    axis, parity = _KEPT[basis]
    parity ^= (label & 1, (label >> 1) ^ (label & 1), label >> 1)[axis]
    turn = 1.0 if basis == "Z" else (1.0 - a.depolarising_1) * (1.0 - b.depolarising_1)
    c = correlators[axis] * turn * (-1.0 if parity else 1.0)
    same, differ = (1.0 + c) / 4, (1.0 - c) / 4
    a0, a1, b0, b1 = a.readout_error_0, a.readout_error_1, b.readout_error_0, b.readout_error_1

    def chance(i: int, j: int) -> float:
        read_a = (a0, 1.0 - a1) if i else (1.0 - a0, a1)
        read_b = (b0, 1.0 - b1) if j else (1.0 - b0, b1)
        return same * (read_a[0] * read_b[0] + read_a[1] * read_b[1]) + differ * (
            read_a[0] * read_b[1] + read_a[1] * read_b[0]
        )

    return (chance(0, 0), chance(0, 1), chance(1, 0), chance(1, 1))
