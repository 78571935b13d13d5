"""The exact event path: what operations do to pairs that are 4 × 4 density matrices, as small tensors made once for each node.

A pair is an array ``rho[a, b, a', b']`` of shape (2, 2, 2, 2): kets of its first and second half, then bras. A measurement that
drops its qubits is an *effect*, a gate with a readout that leaves a qubit is an *instrument*; both hold all noise of their node, so
an operation is one contraction. The Bell-diagonal rooms (`correlators`) compute the same things for Bell-diagonal pairs,
and the oracle (`circuits`) with Kraus operators for any; the tests hold the three to each other.

Conventions are those of `density`: amplitude damping goes to |0>; Bell labels are (parity bit, phase bit); nothing is checked here,
this is the event path.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from quantum_fabric.physics.noise import OperationNoise

Array: TypeAlias = npt.NDArray[np.complex128]

_I: Final = np.eye(2, dtype=np.complex128)
_X: Final = np.array([[0, 1], [1, 0]], dtype=np.complex128)
_Y: Final = np.array([[0, -1j], [1j, 0]], dtype=np.complex128)
_Z: Final = np.array([[1, 0], [0, -1]], dtype=np.complex128)
_HADAMARD: Final = (_X + _Z) / math.sqrt(2.0)
_CNOT: Final = np.eye(4, dtype=np.complex128)[[0, 1, 3, 2]]

PAULIS: Final = (_I, _Z, _X, _X @ _Z)
"""By Bell label: each turns Φ+ into the Bell state with that label."""

_ROTATIONS: Final = {
    "xyz": _I,
    "xzy": (_I - 1j * _X) / math.sqrt(2.0),
    "zyx": (_I - 1j * _Y) / math.sqrt(2.0),
    "yxz": (_I - 1j * _Z) / math.sqrt(2.0),
    "yzx": (_I + 1j * (_X + _Y + _Z)) / 2.0,
    "zxy": (_I - 1j * (_X + _Y + _Z)) / 2.0,
}
"""The gate U of each bilateral rotation U ⊗ U*: see `quantum_fabric.physics.frames.AXES`."""

_AXES: Final = {"X": _X, "Y": _Y, "Z": _Z, "W": (_Z + _X) / np.sqrt(2.0), "V": (_Z - _X) / np.sqrt(2.0)}


def from_entries(entries: tuple[complex, ...]) -> Array:
    """A pair from the 16 entries of its density matrix, row by row, in the order |00>, |01>, |10>, |11>.

    Examples:
        >>> from_entries((1, *[0] * 15))[0, 0, 0, 0]
        np.complex128(1+0j)
    """
    return np.array(entries, dtype=np.complex128).reshape(2, 2, 2, 2)


@lru_cache(maxsize=1)
def _bell_projectors() -> Array:
    """The four Bell states as pairs, shape (4, 2, 2, 2, 2)."""
    plus = np.array([1, 0, 0, 1], dtype=np.complex128) / math.sqrt(2.0)
    vectors = [np.kron(_I, pauli) @ plus for pauli in PAULIS]
    return np.array([np.outer(v, v.conj()).reshape(2, 2, 2, 2) for v in vectors])


def bell_mixture(weights: tuple[float, float, float, float], frame: int) -> Array:
    """A Bell-diagonal pair, from its weights relative to a label.

    Examples:
        >>> weights_of(bell_mixture((0.7, 0.1, 0.2, 0.0), 2), 2).round(9).tolist()
        [0.7, 0.1, 0.2, 0.0]
    """
    absolute = np.array([weights[label ^ frame] for label in range(4)])
    return np.asarray(np.tensordot(absolute, _bell_projectors(), axes=1), dtype=np.complex128)


def weights_of(rho: Array, frame: int) -> npt.NDArray[np.float64]:
    """Fidelities of a pair to the four Bell states, relative to a label, shape (4,).

    Examples:
        >>> weights_of(from_entries((1, *[0] * 15)), 0).round(9).tolist()
        [0.5, 0.5, 0.0, 0.0]
    """
    flat = np.tensordot(_bell_projectors().reshape(4, 16).conj(), rho.reshape(16), axes=1).real
    return np.asarray(flat[[frame, frame ^ 1, frame ^ 2, frame ^ 3]], dtype=np.float64)


def reversed_ends(rho: Array) -> Array:
    """The same pair with its second half first.

    Examples:
        >>> reversed_ends(from_entries((0, 0, 0, 0, 0, 1, *[0] * 10)))[1, 0, 1, 0].real
        np.float64(1.0)
    """
    return rho.transpose(1, 0, 3, 2)


def faded(rho: Array, which: int, coherence: float, population: float) -> Array:
    """One half has waited: amplitude damping to |0> and dephasing, exact.

    Equation: ``|1><1|`` keeps ``population`` and gives the rest to ``|0><0|``; ``|0><1|`` keeps ``coherence``. It is a channel as long
    as ``coherence² <= population`` (Nielsen & Chuang, section 8.3), which `quantum_fabric.physics.noise.MemoryNoise` sees to.

    Args:
        rho: shape (2, 2, 2, 2).
        which: half that waits, 0 or 1.
        coherence: factor of its coherence, in [0, 1].
        population: factor of its excited population, in [0, 1].

    Examples:
        >>> gamma = math.exp(-0.5)
        >>> rho = faded(faded(bell_mixture((1, 0, 0, 0), 0), 0, gamma, gamma), 1, gamma, gamma)
        >>> round(float(weights_of(rho, 0)[0]), 9)
        0.564614111
    """
    old = rho if which == 0 else reversed_ends(rho)
    new = old * coherence
    new[1, :, 1, :] = population * old[1, :, 1, :]
    new[0, :, 0, :] = old[0, :, 0, :] + (1.0 - population) * old[1, :, 1, :]
    return new if which == 0 else reversed_ends(new)


def without(rho: Array, which: int) -> Array:
    """A half is lost without a record: the maximally mixed state stands in its place.

    Examples:
        >>> without(bell_mixture((1, 0, 0, 0), 0), 0).reshape(4, 4).real.diagonal().tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    rest = np.trace(rho, axis1=which, axis2=which + 2)
    return beside(rest / np.trace(rest), which)


def beside(qubit: Array, which: int) -> Array:
    """A single qubit as a pair whose half ``which`` is maximally mixed.

    Examples:
        >>> beside(np.diag([1.0, 0.0]), 1).reshape(4, 4).real.diagonal().tolist()
        [0.5, 0.5, 0.0, 0.0]
    """
    both = np.multiply.outer(_I / 2.0, qubit).transpose(0, 2, 1, 3)
    return both if which == 0 else reversed_ends(both)


def marginal(rho: Array, which: int) -> Array:
    """Density matrix of one half, shape (2, 2).

    Examples:
        >>> marginal(bell_mixture((1, 0, 0, 0), 0), 0).real.diagonal().round(9).tolist()
        [0.5, 0.5]
    """
    return np.asarray(np.trace(rho, axis1=1 - which, axis2=3 - which), dtype=np.complex128)


def _reading(noise: OperationNoise, bit: int) -> Array:
    """Effect of announcing ``bit`` on the qubit that is read."""
    right, wrong = 1.0 - noise.readout_error_0, noise.readout_error_1
    chances = (1.0 - right, 1.0 - wrong) if bit else (right, wrong)
    return np.diag(np.array(chances, dtype=np.complex128))


@lru_cache(maxsize=1024)
def bell_effects(noise: OperationNoise) -> Array:
    """Effects of a noisy Bell measurement on (control, target) by announced label, shape (4, 2, 2, 2, 2): kets, then bras.

    The circuit is that of `quantum_fabric.physics.correlators.swap_table`, taken backwards: readout, Hadamard gate, CNOT.

    Examples:
        >>> bool(np.allclose(bell_effects(OperationNoise(depolarising_2=0.1)).sum(axis=0).reshape(4, 4), np.eye(4)))
        True
    """
    effects = []
    for label in range(4):
        parity, phase = _reading(noise, label >> 1), _reading(noise, label & 1)
        turned = (1.0 - noise.depolarising_1) * phase + noise.depolarising_1 * np.trace(phase) / 2.0 * _I
        both = np.kron(_HADAMARD @ turned @ _HADAMARD, parity)
        both = (1.0 - noise.depolarising_2) * both + noise.depolarising_2 * np.trace(both) / 4.0 * np.eye(4)
        effects.append((_CNOT @ both @ _CNOT).reshape(2, 2, 2, 2))
    return np.array(effects)


def swap_chances(left: Array, right: Array, effects: Array) -> list[float]:
    """Probabilities of the four announced labels, for pairs (far, near) and (near, far).

    Examples:
        >>> werner = bell_mixture((0.7, 0.1, 0.1, 0.1), 0)
        >>> [round(p, 9) for p in swap_chances(werner, werner, bell_effects(OperationNoise()))]
        [0.25, 0.25, 0.25, 0.25]
    """
    return _chances(marginal(left, 1), marginal(right, 0), effects)


def swapped(left: Array, right: Array, effect: Array) -> Array:
    """The pair of the outer halves of (far, near) and (near, far), given that the effect happened; no correction.

    Examples:
        >>> perfect = bell_mixture((1, 0, 0, 0), 0)
        >>> weights_of(swapped(perfect, perfect, bell_effects(OperationNoise())[3]), 0).round(9).tolist()
        [0.0, 0.0, 0.0, 1.0]
    """
    # outer (a, A) by inner (b, B) of the left pair; inner (c, C) by outer (d, D) of the right one
    one = left.transpose(0, 2, 1, 3).reshape(4, 4)
    two = right.transpose(0, 2, 1, 3).reshape(4, 4)
    middle = effect.transpose(2, 0, 3, 1).reshape(4, 4)  # (b, B) by (c, C)
    out = (one @ middle @ two).reshape(2, 2, 2, 2).transpose(0, 2, 1, 3)
    return _normal(out)


def teleport_chances(amplitudes: tuple[complex, complex], half: Array, effects: Array) -> list[float]:
    """Probabilities of the four announced labels when these amplitudes are measured with a half in this state (2, 2).

    Examples:
        >>> chances = teleport_chances((1, 0), np.diag([1.0, 0.0]), bell_effects(OperationNoise()))
        >>> [round(chance, 9) for chance in chances]
        [0.5, 0.5, 0.0, 0.0]
    """
    psi = np.array(amplitudes, dtype=np.complex128)
    return _chances(np.outer(psi, psi.conj()), half, effects)


def teleported(amplitudes: tuple[complex, complex], pair: Array, effect: Array) -> Array:
    """The receiver's qubit before any correction, for a pair (sender, receiver), given that the effect happened. Shape (2, 2).

    Examples:
        >>> rho = teleported((0.6, 0.8), bell_mixture((1, 0, 0, 0), 0), bell_effects(OperationNoise())[0])
        >>> rho.real.round(9).tolist()
        [[0.36, 0.48], [0.48, 0.64]]
    """
    psi = np.array(amplitudes, dtype=np.complex128)
    out = np.einsum("a,A,ACac,cdCD->dD", psi, psi.conj(), effect, pair)
    return np.asarray(out / np.trace(out).real, dtype=np.complex128)


def corrected(qubit: Array, label: int) -> Array:
    """A qubit after the Pauli operator of a label. Shape (2, 2).

    Examples:
        >>> corrected(np.diag([1.0, 0.0]), 2).real.diagonal().tolist()
        [0.0, 1.0]
    """
    pauli = PAULIS[label]
    return np.asarray(pauli @ qubit @ pauli.conj().T, dtype=np.complex128)


def turned(pair: Array, which: int, label: int) -> Array:
    """A pair after the Pauli operator of a label on one half. Shape (2, 2, 2, 2).

    Examples:
        >>> after = turned(bell_mixture((0.9, 0.1, 0.0, 0.0), 0), 1, 3)
        >>> weights_of(after, 3).round(9).tolist()
        [0.9, 0.1, 0.0, 0.0]
    """
    pauli = PAULIS[label]
    ordered = pair if which == 0 else reversed_ends(pair)
    new = np.einsum("xa,abAB,XA->xbXB", pauli, ordered, pauli.conj())
    return np.asarray(new if which == 0 else reversed_ends(new), dtype=np.complex128)


def reading(pair: Array, which: int, basis: str, keep: float) -> tuple[float, Array]:
    """Measure one half: probability of a true 1, and the other half given 0 and given 1, not normalised: shape (2, 2, 2).

    Args:
        pair: shape (2, 2, 2, 2).
        which: half that is measured, 0 or 1.
        basis: ``"X"``, ``"Y"``, ``"Z"``, or half-way between Z and ±X: ``"W"``, ``"V"`` (`quantum_fabric.physics.chsh`).
        keep: what turning the basis leaves, in [0, 1].

    Examples:
        >>> one, rest = reading(bell_mixture((1, 0, 0, 0), 0), 0, "Z", 1.0)
        >>> round(one, 9), rest[1].real.diagonal().round(9).tolist()
        (0.5, [0.0, 0.5])
    """
    axis = keep * _AXES[basis]
    effects = np.array([(_I + axis) / 2.0, (_I - axis) / 2.0])
    ordered = pair if which == 0 else reversed_ends(pair)
    rest = np.einsum("eAa,abAB->ebB", effects, ordered)
    return float(np.trace(rest[1]).real), rest


@lru_cache(maxsize=1024)
def half_purifiers(noise: OperationNoise, axes: tuple[str, str], conjugate: bool) -> Array:
    """One end's part of a purification, by announced bit: shape (2, 4, 16), (kept ket, bra) by (kept, spent kets, kept, spent bras).

    A rotation of both qubits, a CNOT from the kept to the spent one, and the readout of the latter.

    Args:
        noise: of the end.
        axes: rotation of (the kept, the spent) qubit: see `quantum_fabric.physics.frames.AXES`; ``"xyz"`` takes no gate.
        conjugate: True at the end that makes U*, False at the one that makes U.

    Examples:
        >>> half_purifiers(OperationNoise(), ("xzy", "xzy"), False).shape
        (2, 4, 16)
    """
    gates = [_ROTATIONS[each].conj() if conjugate else _ROTATIONS[each] for each in axes]
    gate = _CNOT @ np.kron(gates[0], gates[1])
    columns = []
    for element in np.eye(16, dtype=np.complex128).reshape(16, 4, 4):
        # depolarising commutes with the one-qubit gates, so all gates may come first, up to the CNOT
        rho = element
        for place, each in enumerate(axes):
            if each != "xyz":
                rho = _depolarised(rho, place, noise.depolarising_1)
        rho = gate @ rho @ gate.conj().T
        mixed = np.trace(rho) / 4.0 * np.eye(4)
        rho = (1.0 - noise.depolarising_2) * rho + noise.depolarising_2 * mixed
        tensor = rho.reshape(2, 2, 2, 2)
        columns.append([np.einsum("ksKs,s->kK", tensor, _reading(noise, bit).diagonal()) for bit in (0, 1)])
    return np.array(columns).transpose(1, 2, 3, 0).reshape(2, 4, 16)


def bit_chance(keep: Array, spent: Array, purifier: Array) -> float:
    """Probability of the bit of a purifier (4, 16), from the states of the two qubits at its end, shape (2, 2) each.

    Examples:
        >>> round(bit_chance(np.eye(2) / 2, np.eye(2) / 2, half_purifiers(OperationNoise(), ("xyz", "xyz"), False)[1]), 9)
        0.5
    """
    both = np.einsum("xX,uU->xuXU", keep, spent).reshape(16)
    kept = (purifier @ both).reshape(2, 2)
    return float(np.trace(kept).real)


def purified(keep: Array, spent: Array, a: Array, b: Array) -> tuple[float, Array]:
    """Both ends' parts of a purification: probability of these two bits, and the kept pair given them.

    Args:
        keep: pair (a's half, b's half).
        spent: the same of the pair that is measured.
        a: purifier of one end for its bit, shape (4, 16).
        b: purifier of the other end for its bit.

    Examples:
        >>> werner = bell_mixture((0.8, 0.2 / 3, 0.2 / 3, 0.2 / 3), 0)
        >>> ends = [half_purifiers(OperationNoise(), ("xzy", "xzy"), conjugate) for conjugate in (False, True)]
        >>> p, rho = purified(werner, werner, ends[0][1], ends[1][1])
        >>> round(2 * p, 9), round(float(weights_of(rho, 0)[0]), 9)
        (0.768888889, 0.838150289)
    """
    joint = np.einsum("xyXY,uvUV->xuXUyvYV", keep, spent).reshape(16, 16)
    out = (a @ joint @ b.T).reshape(2, 2, 2, 2).transpose(0, 2, 1, 3)
    chance = float(np.einsum("abab->", out).real)
    return chance, (_normal(out) if chance > 0.0 else out)


def twirled(rho: Array, frame: int, keep: float) -> Array:
    """The Werner state of the same fidelity to a label, of which two gates leave ``keep``.

    Examples:
        >>> weights_of(twirled(bell_mixture((0.7, 0.3, 0, 0), 1), 1, 1.0), 1).round(9).tolist()
        [0.7, 0.1, 0.1, 0.1]
    """
    excess = (4.0 * float(weights_of(rho, frame)[0]) - 1.0) / 3.0 * keep
    rest = (1.0 - excess) / 4.0
    return bell_mixture((excess + rest, rest, rest, rest), frame)


def _depolarised(rho: Array, place: int, probability: float) -> Array:
    tensor = rho.reshape(2, 2, 2, 2)
    rest = np.trace(tensor, axis1=place, axis2=place + 2)
    return np.asarray((1.0 - probability) * rho + probability * beside(rest, place).reshape(4, 4))


def _chances(one: Array, two: Array, effects: Array) -> list[float]:
    chances = np.einsum("mBCbc,bB,cC->m", effects, one, two).real
    return [float(chance) for chance in chances]


def _normal(rho: Array) -> Array:
    return np.asarray(rho / np.einsum("abab->", rho).real, dtype=np.complex128)
