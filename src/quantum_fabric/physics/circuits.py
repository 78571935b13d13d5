"""The independent oracle, part 2: the network's operations as circuits on density matrices.

Swap, purification, extreme photon loss and teleportation, each with its gates, its depolarising and its asymmetric readout, branch by
announced branch. Nothing here is Bell-diagonal and nothing from the Bell-diagonal rooms is imported; inputs may be any states.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.physics.checks import Complexes
from quantum_fabric.physics.density import (
    CNOT,
    HADAMARD,
    I,
    X,
    Y,
    Z,
    apply,
    depolarised,
    joined,
    noisy_gate,
    projector,
    read,
    rotation_x,
)
from quantum_fabric.physics.noise import OperationNoise

Branch = tuple[float, Complexes]
"""(probability of the announcement, normalised state given it); a branch that cannot happen holds the zero matrix."""


def pauli(label: int) -> Complexes:
    """Pauli operator with a Bell label: I, Z, X, XZ; it turns Φ+ into that Bell state. Shape (2, 2).

    Examples:
        >>> np.allclose(pauli(3), X @ Z)
        True
    """
    return np.asarray((X if label & 2 else I) @ (Z if label & 1 else I), dtype=np.complex128)


def bell_measurement(
    rho: Complexes, control: int, target: int, noise: OperationNoise, outcome: int
) -> Complexes:
    """CNOT, Hadamard gate on the control, two readouts: the branch that announces ``outcome``; its trace is the probability.

    Args:
        rho: shape ``(2^n, 2^n)``.
        control: qubit whose readout is the phase bit.
        target: qubit whose readout is the parity bit; both qubits are dropped.
        noise: of the node.
        outcome: announced Bell label, 0 to 3.

    Returns:
        Unnormalised, shape ``(2^(n-2), 2^(n-2))``.

    Examples:
        >>> from quantum_fabric.physics.density import pair
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> state = joined(pair([0, 0, 0, 1]), projector([1, 0]))
        >>> float(bell_measurement(state, 0, 1, NOISELESS, 3).real.trace().round(9))
        1.0
    """
    rho = noisy_gate(rho, CNOT, (control, target), noise)
    rho = noisy_gate(rho, HADAMARD, (control,), noise)
    rho = read(rho, target, outcome >> 1, noise)
    return read(rho, control - (target < control), outcome & 1, noise)


def swap(left: Complexes, right: Complexes, noise: OperationNoise, outcome: int) -> Branch:
    """Bell measurement on the inner halves of two pairs; the outer halves are left as they are (no correction).

    Args:
        left: state of qubits (far, near), shape (4, 4).
        right: state of qubits (near, far), shape (4, 4).
        noise: of the node in the middle.
        outcome: announced Bell label, 0 to 3.

    Examples:
        >>> from quantum_fabric.physics.density import pair
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> p, rho = swap(pair([1, 0, 0, 0]), pair([0, 1, 0, 0]), NOISELESS, outcome=2)
        >>> round(p, 9), np.allclose(rho, pair([0, 0, 0, 1]))
        (0.25, True)
    """
    return _branch(bell_measurement(joined(left, right), 1, 2, noise, outcome))


def teleport(
    amplitudes: ArrayLike, resource: Complexes, frame: int, noise: OperationNoise, outcome: int
) -> Branch:
    """Three-qubit teleportation, with the correction for a resource announced ``frame`` and the announced outcome.

    Args:
        amplitudes: of the input, shape (2,).
        resource: state of (sender's half, receiver's half), shape (4, 4).
        frame: label the resource is announced to have.
        noise: of the sender.
        outcome: announced label: parity bit from the sender's half, phase bit from the input.

    Returns:
        (probability, receiver's state of shape (2, 2)).

    Examples:
        >>> from quantum_fabric.physics.density import pair
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> p, rho = teleport([0.6, 0.8j], pair([0, 0, 1, 0]), 2, NOISELESS, outcome=3)
        >>> round(p, 9), np.allclose(rho, projector([0.6, 0.8j]))
        (0.25, True)
    """
    rho = bell_measurement(joined(projector(amplitudes), resource), 0, 1, noise, outcome)
    rho = apply(rho, pauli(frame).conj().T @ pauli(outcome).conj().T, (0,))
    return _branch(rho)


def purify(
    kind: str,
    keep: Complexes,
    sacrifice: Complexes,
    a: OperationNoise,
    b: OperationNoise,
    bits: tuple[int, int],
) -> Branch:
    """The local operations and the readout of one round of DEJMPS or BBPSSW, for one pair of announced bits.

    BBPSSW is returned *before* its twirl (`twirled` does that), since whether to twirl is decided after the comparison.

    Args:
        kind: ``"dejmps"`` (quarter turns about X first, + at end a, - at end b) or ``"bbpssw"``.
        keep: state of (a's half, b's half), shape (4, 4).
        sacrifice: the same for the pair that is measured.
        a: noise at one end.
        b: noise at the other.
        bits: announced by (a, b).

    Raises:
        UnknownNameError: another kind.

    Examples:
        >>> from quantum_fabric.physics.density import pair
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> werner = pair([0.8, 0.2 / 3, 0.2 / 3, 0.2 / 3])
        >>> branches = [purify("dejmps", werner, werner, NOISELESS, NOISELESS, bits) for bits in ((0, 0), (1, 1))]
        >>> round(sum(p for p, _ in branches), 9)
        0.768888889
    """
    rho = joined(keep, sacrifice)  # qubits: keep a, keep b, sacrifice a, sacrifice b
    if kind == "dejmps":
        for target in (0, 2):
            rho = noisy_gate(rho, rotation_x(math.pi / 2), (target,), a)
            rho = noisy_gate(rho, rotation_x(-math.pi / 2), (target + 1,), b)
    elif kind != "bbpssw":
        raise UnknownNameError(found=repr(kind), expected="'dejmps' or 'bbpssw'", where="kind")
    rho = noisy_gate(rho, CNOT, (0, 2), a)
    rho = noisy_gate(rho, CNOT, (1, 3), b)
    rho = read(rho, 3, bits[1], b)
    return _branch(read(rho, 2, bits[0], a))


def twirled(rho: Complexes, frame: int, a: OperationNoise, b: OperationNoise) -> Complexes:
    """Twirl a pair to a Werner state about the Bell state ``frame``: the mean over the 12 bilateral rotations of the tetrahedron.

    Each end applies one (depolarising) gate. The rotation U at one end and ``P U* P†`` at the other leave ``P Φ+`` alone.

    Args:
        rho: shape (4, 4).
        frame: label of the Bell state that is kept.
        a: noise at one end.
        b: noise at the other.

    Examples:
        >>> from quantum_fabric.physics.density import pair
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> np.allclose(twirled(pair([0.7, 0.3, 0, 0]), 0, NOISELESS, NOISELESS), pair([0.7, 0.1, 0.1, 0.1]))
        True
    """
    cycle = (I - 1j * (X + Y + Z)) / 2.0  # a third of a turn about (1, 1, 1): X -> Y -> Z
    turns = [np.linalg.matrix_power(cycle, power) for power in range(3)]
    out = np.zeros_like(rho)
    for turn in turns:
        for label in range(4):
            u = pauli(label) @ turn
            v = pauli(frame) @ u.conj() @ pauli(frame).conj().T
            out = out + apply(rho, np.kron(u, v), (0, 1)) / 12.0
    return depolarised(depolarised(out, (0,), a.depolarising_1), (1,), b.depolarising_1)


def single_click_pair(share: float, coherence: float = 1.0, phase: float = 0.0) -> Complexes:
    """``f Ψ_θ + (1-f) |11><11|`` with the coherence between |01> and |10> scaled by ``coherence``. Shape (4, 4).

    Args:
        share: f, in [0, 1].
        coherence: in [0, 1].
        phase: θ (rad) of |10> against |01>.

    Examples:
        >>> single_click_pair(0.9).real.diagonal().round(9).tolist()
        [0.0, 0.45, 0.45, 0.1]
    """
    rho = np.diag([0.0, share / 2, share / 2, 1.0 - share]).astype(np.complex128)
    rho[2, 1] = share / 2 * coherence * np.exp(1j * phase)
    rho[1, 2] = np.conj(rho[2, 1])
    return rho


def epl(keep: Complexes, sacrifice: Complexes, a: OperationNoise, b: OperationNoise) -> Branch:
    """Extreme photon loss: bilateral CNOT, and both ends announce 1.

    Args:
        keep: state of (a's half, b's half), shape (4, 4).
        sacrifice: the same for the pair that is measured.
        a: noise at one end.
        b: noise at the other.

    Examples:
        >>> from quantum_fabric.physics.density import pair
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> p, rho = epl(single_click_pair(0.9), single_click_pair(0.9), NOISELESS, NOISELESS)
        >>> round(p, 9), np.allclose(rho, pair([0, 0, 1, 0]))
        (0.405, True)
    """
    return purify("bbpssw", keep, sacrifice, a, b, (1, 1))


def _branch(rho: Complexes) -> Branch:
    probability = float(np.trace(rho).real)
    return (probability, rho / probability) if probability > 0.0 else (0.0, np.zeros_like(rho))
