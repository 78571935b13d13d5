"""The independent oracle, part 1: density matrices of n qubits, gates, channels and measurements.

Everything here is a ``2^n × 2^n`` matrix and an explicit operator; nothing knows what a Bell label composes to. The Bell-diagonal
rooms are tested against this one, so it imports none of them. `circuits` builds the network's operations out of these parts.

Conventions: qubit 0 is the most significant bit of an index; ``rho`` has shape ``(2^n, 2^n)``; no batch axes (it is an oracle, not
an engine). Bell labels count (parity bit, phase bit): Φ+ 0, Φ− 1, Ψ+ 2, Ψ− 3. Amplitude damping goes to |0>.
"""

from __future__ import annotations

import itertools
import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.checks import Complexes, Floats, check_shape
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise

I: Final[Complexes] = np.eye(2, dtype=np.complex128)  # noqa: E741  (the field's name for it)
X: Final[Complexes] = np.array([[0, 1], [1, 0]], dtype=np.complex128)
Y: Final[Complexes] = np.array([[0, -1j], [1j, 0]], dtype=np.complex128)
Z: Final[Complexes] = np.array([[1, 0], [0, -1]], dtype=np.complex128)
HADAMARD: Final[Complexes] = np.array([[1, 1], [1, -1]], dtype=np.complex128) / math.sqrt(2.0)
CNOT: Final[Complexes] = np.array(
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], dtype=np.complex128
)
"""Control first."""

PAULIS: Final = (I, X, Y, Z)


def rotation_x(angle: float) -> Complexes:
    """Rotation about X by ``angle`` (rad): ``exp(-i angle X / 2)``, shape (2, 2).

    Examples:
        >>> np.allclose(rotation_x(math.pi), -1j * X)
        True
    """
    return np.asarray(math.cos(angle / 2) * I - 1j * math.sin(angle / 2) * X, dtype=np.complex128)


def bell_vector(label: int) -> Complexes:
    """State vector of a Bell state, basis |00>, |01>, |10>, |11>, shape (4,).

    Examples:
        >>> bell_vector(3).real.round(3).tolist()
        [0.0, 0.707, -0.707, 0.0]
    """
    sign = -1.0 if label & 1 else 1.0
    vector = (0, 1, sign, 0) if label & 2 else (1, 0, 0, sign)
    return np.array(vector, dtype=np.complex128) / math.sqrt(2.0)


def projector(vector: ArrayLike) -> Complexes:
    """``|v><v|`` of a state vector, shape ``(d,)`` -> ``(d, d)``.

    Examples:
        >>> projector([1.0, 0.0]).real.tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """
    v = np.asarray(vector, dtype=np.complex128)
    return np.outer(v, v.conj())


def pair(weights: ArrayLike) -> Complexes:
    """Mixture of the four Bell states with these weights of (Φ+, Φ−, Ψ+, Ψ−), shape (4,) -> (4, 4).

    Raises:
        QuantityError: another shape.

    Examples:
        >>> np.allclose(pair([0.25] * 4), np.eye(4) / 4)
        True
    """
    w = np.asarray(weights, dtype=np.float64)
    check_shape(w, (4,), "weights")
    return np.asarray(sum(w[k] * projector(bell_vector(k)) for k in range(4)), dtype=np.complex128)


def fidelity(rho: Complexes, label: int) -> float:
    """Fidelity ``<B|rho|B>`` of a two-qubit state to a Bell state.

    Examples:
        >>> round(fidelity(pair([0.7, 0.1, 0.1, 0.1]), 0), 12)
        0.7
    """
    vector = bell_vector(label)
    return float((vector.conj() @ rho @ vector).real)


def bell_weights(rho: Complexes) -> Floats:
    """The four fidelities: the weights of a two-qubit state if it is Bell-diagonal, of its Pauli twirl if it is not. Shape (4,).

    Examples:
        >>> bell_weights(pair([0.7, 0.3, 0.0, 0.0])).round(12).tolist()
        [0.7, 0.3, 0.0, 0.0]
    """
    return np.array([fidelity(rho, label) for label in range(4)])


def embed(operator: Complexes, targets: tuple[int, ...], qubits: int) -> Complexes:
    """Operator on ``targets`` (in this order) as a matrix on all ``qubits``, shape ``(2^n, 2^n)``.

    Examples:
        >>> np.allclose(embed(X, (1,), 2), np.kron(I, X))
        True
        >>> embed(CNOT, (1, 0), 2).real[1].tolist()
        [0.0, 0.0, 0.0, 1.0]
    """
    size = 2**qubits
    out = np.zeros((size, size), dtype=np.complex128)
    shifts = [qubits - 1 - target for target in targets]
    rest = (size - 1) ^ sum(1 << shift for shift in shifts)
    for column in range(size):
        inside = 0
        for shift in shifts:
            inside = (inside << 1) | ((column >> shift) & 1)
        for result in range(2 ** len(targets)):
            bits = sum(
                ((result >> (len(targets) - 1 - place)) & 1) << shift for place, shift in enumerate(shifts)
            )
            out[(column & rest) | bits, column] = operator[result, inside]
    return out


def qubits_of(rho: Complexes) -> int:
    """Number of qubits of a density matrix.

    Examples:
        >>> qubits_of(pair([1, 0, 0, 0]))
        2
    """
    return int(rho.shape[0]).bit_length() - 1


def apply(rho: Complexes, operator: Complexes, targets: tuple[int, ...]) -> Complexes:
    """``O rho O†`` with an operator on ``targets``; not normalised if the operator is a Kraus operator or a projector.

    Examples:
        >>> np.allclose(apply(projector(bell_vector(0)), Z, (0,)), projector(bell_vector(1)))
        True
    """
    full = embed(operator, targets, qubits_of(rho))
    return np.asarray(full @ rho @ full.conj().T, dtype=np.complex128)


def depolarised(rho: Complexes, targets: tuple[int, ...], probability: float) -> Complexes:
    """With this probability the target qubits are replaced by the maximally mixed state: a uniform mixture of all Paulis.

    Examples:
        >>> round(fidelity(depolarised(pair([1, 0, 0, 0]), (0,), 0.2), 0), 12)
        0.85
    """
    twirled = np.zeros_like(rho)
    for paulis in itertools.product(PAULIS, repeat=len(targets)):
        kicked = rho
        for pauli, target in zip(paulis, targets, strict=True):
            kicked = apply(kicked, pauli, (target,))
        twirled = twirled + kicked / 4 ** len(targets)
    return np.asarray((1.0 - probability) * rho + probability * twirled, dtype=np.complex128)


def noisy_gate(
    rho: Complexes, operator: Complexes, targets: tuple[int, ...], noise: OperationNoise
) -> Complexes:
    """A one- or two-qubit gate, then its depolarising.

    Examples:
        >>> rho = noisy_gate(projector([1, 0]), X, (0,), OperationNoise(depolarising_1=0.1))
        >>> rho.real.diagonal().round(3).tolist()
        [0.05, 0.95]
    """
    probability = noise.depolarising_1 if len(targets) == 1 else noise.depolarising_2
    return depolarised(apply(rho, operator, targets), targets, probability)


def damped(rho: Complexes, target: int, noise: MemoryNoise, seconds: float, age: float = 0.0) -> Complexes:
    """One qubit waits in its memory: exact amplitude damping and dephasing, as Kraus operators.

    Equation: damping ``gamma = 1 - e^(-t/T1)``, then a phase flip that makes up the coherence ``e^(-t/T2)``; T2 <= 2 T1
    makes that flip a probability (Nielsen & Chuang, section 8.3). A stretched dephasing makes ``e^(-t/(2 T1) - ((a+t)/Tφ)^n +
    (a/Tφ)^n)`` of a qubit of age a, with Tφ such that 1/e is left at T2.

    Args:
        rho: shape ``(2^n, 2^n)``.
        target: which qubit waits.
        noise: of its memory.
        seconds: how long, >= 0.
        age: how old the qubit was before, s, >= 0.

    Examples:
        >>> noise = MemoryNoise(t1=1.0, t2=1.0)
        >>> rho = damped(damped(pair([1, 0, 0, 0]), 0, noise, 0.5), 1, noise, 0.5)
        >>> round(fidelity(rho, 0), 9)
        0.564614111
    """
    stay = math.exp(-seconds / noise.t1)
    decayed = apply(rho, np.array([[1, 0], [0, math.sqrt(stay)]], dtype=np.complex128), (target,)) + apply(
        rho, np.array([[0, math.sqrt(1.0 - stay)], [0, 0]], dtype=np.complex128), (target,)
    )
    n, share = noise.exponent, 1.0 - noise.t2 / (2.0 * noise.t1) if noise.t2 < math.inf else 0.0
    pure = share * (((age + seconds) / noise.t2) ** n - (age / noise.t2) ** n)  # (t/Tφ)^n = share (t/T2)^n
    ratio = math.exp(-pure)
    flip = (1.0 - ratio) / 2.0
    return np.asarray((1.0 - flip) * decayed + flip * apply(decayed, Z, (target,)), dtype=np.complex128)


def joined(*states: Complexes) -> Complexes:
    """Tensor product of states, the first one's qubits first.

    Examples:
        >>> joined(projector([1, 0]), projector([0, 1])).real.diagonal().tolist()
        [0.0, 1.0, 0.0, 0.0]
    """
    out: Complexes = np.ones((1, 1), dtype=np.complex128)
    for state in states:
        out = np.asarray(np.kron(out, state), dtype=np.complex128)
    return out


def traced(rho: Complexes, target: int) -> Complexes:
    """Partial trace over one qubit: shape ``(2^n, 2^n)`` -> ``(2^(n-1), 2^(n-1))``.

    Examples:
        >>> np.allclose(traced(pair([1, 0, 0, 0]), 0), I / 2)
        True
    """
    qubits = qubits_of(rho)
    high, low = 2**target, 2 ** (qubits - 1 - target)
    tensor = rho.reshape(high, 2, low, high, 2, low)
    kept = tensor[:, 0, :, :, 0, :] + tensor[:, 1, :, :, 1, :]
    return np.asarray(kept.reshape(high * low, high * low), dtype=np.complex128)


def read(rho: Complexes, target: int, bit: int, noise: OperationNoise) -> Complexes:
    """Measure one qubit in Z, keep the branch that *announces* ``bit``, and drop the qubit.

    The trace of the result is the probability of the announcement (times the trace before).

    Examples:
        >>> float(read(projector([1, 0]), 0, 1, OperationNoise(readout_error_0=0.05)).real.trace())
        0.05
    """
    p0, p1 = noise.readout_error_0, noise.readout_error_1
    chances = (p0, 1.0 - p1) if bit else (1.0 - p0, p1)
    branches = [chances[true] * apply(rho, projector(I[true]), (target,)) for true in (0, 1)]
    return traced(branches[0] + branches[1], target)


def correlation_matrix(rho: Complexes) -> Floats:
    """``T[i, j] = tr(rho σ_i ⊗ σ_j)`` of a two-qubit state over X, Y, Z, shape (3, 3).

    Examples:
        >>> correlation_matrix(pair([1, 0, 0, 0])).round(12).diagonal().tolist()
        [1.0, -1.0, 1.0]
    """
    axes = PAULIS[1:]
    return np.array([[np.trace(rho @ np.kron(a, b)).real for b in axes] for a in axes])


def chsh_max(rho: Complexes) -> float:
    """Largest CHSH value over all settings: ``2 sqrt(s1² + s2²)``, singular values of `correlation_matrix` (Horodecki 1995).

    Examples:
        >>> round(chsh_max(pair([1, 0, 0, 0])), 9)
        2.828427125
    """
    s = np.linalg.svd(correlation_matrix(rho), compute_uv=False)
    return float(2.0 * math.hypot(s[0], s[1]))
