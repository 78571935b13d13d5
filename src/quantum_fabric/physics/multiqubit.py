"""Density matrices of up to ten qubits: GHZ and graph states, noise, measurement, fusion of Bell pairs.

The state of n qubits has shape ``(2^n, 2^n)``; inside, it is a tensor with one axis of size 2 for each row bit and each column
bit, and an operator is contracted with the axes of its own qubits only. No ``2^n × 2^n`` operator is ever made: a gate costs
O(4^n), not O(8^n).
`quantum_fabric.physics.density` does the same with full matrices and is the oracle.

Conventions: qubit 0 is the most significant bit of an index; amplitude damping goes to |0>; depolarising with probability p replaces
the qubits by the maximally mixed state with probability p; ``readout_error_0`` is P(read 1 | 0).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from string import ascii_letters
from typing import Final, TypeAlias

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Complexes, check_range, check_weights
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise

MOST: Final = 10
"""Qubits: a density matrix of ten takes 16 MiB. Larger Clifford networks go to `quantum_fabric.physics.stabilisers`."""

MATRICES: Final[dict[str, Complexes]] = {
    "I": np.eye(2, dtype=np.complex128),
    "X": np.array([[0, 1], [1, 0]], dtype=np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
    "Z": np.array([[1, 0], [0, -1]], dtype=np.complex128),
    "H": np.array([[1, 1], [1, -1]], dtype=np.complex128) / math.sqrt(2.0),
    "CX": np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], dtype=np.complex128),
    "CZ": np.diag([1, 1, 1, -1]).astype(np.complex128),
}
"""Gates by name; the first qubit of CX controls."""

Edge: TypeAlias = tuple[int, int]


def qubits_of(rho: Complexes) -> int:
    """Number of qubits of a state.

    Args:
        rho: shape ``(2^n, 2^n)``, n from 1 to 10.

    Raises:
        QuantityError: not square, not a power of two, or more than ten qubits.

    Examples:
        >>> qubits_of(np.eye(8) / 8)
        3
    """
    size = rho.shape[0] if rho.ndim == 2 else 0
    n = size.bit_length() - 1
    if rho.ndim != 2 or rho.shape[1] != size or size != 2**n or not 1 <= n <= MOST:
        expected = f"shape (2^n, 2^n) with n from 1 to {MOST}"
        raise QuantityError(found=f"shape {rho.shape}", expected=expected, where="state")
    return n


def pure(vector: Complexes) -> Complexes:
    """The density matrix of a state vector, shape ``(2^n,)`` -> ``(2^n, 2^n)``.

    Examples:
        >>> pure(ghz_vector(2)).real.round(3).tolist()[0]
        [0.5, 0.0, 0.0, 0.5]
    """
    return np.outer(vector, vector.conj())


def ghz_vector(n: int) -> Complexes:
    """Amplitudes of ``(|0...0> + |1...1>)/√2``, shape ``(2^n,)`` (Greenberger, Horne, Zeilinger 1989).

    Raises:
        QuantityError: n outside 1 to 10.

    Examples:
        >>> ghz_vector(3)[[0, 7]].real.round(3).tolist()
        [0.707, 0.707]
    """
    _count(n)
    vector = np.zeros(2**n, dtype=np.complex128)
    vector[0] = vector[-1] = math.sqrt(0.5)
    return vector


def graph_vector(n: int, edges: Iterable[Edge]) -> Complexes:
    """Amplitudes of a graph state: all qubits in |+>, then CZ along each edge. Shape ``(2^n,)``.

    Equation: ``Π CZ_ab |+>^n`` (Hein, Eisert, Briegel, PRA 69, 062311 (2004)).

    Args:
        n: number of qubits, 1 to 10.
        edges: pairs of different qubits; an edge that is named twice cancels, as CZ does.

    Raises:
        QuantityError: n outside 1 to 10, or an edge that is none.

    Examples:
        >>> (2 * graph_vector(2, [(0, 1)])).real.round(12).tolist()
        [1.0, 1.0, 1.0, -1.0]
    """
    _count(n)
    index = np.arange(2**n)
    sign = np.zeros(2**n, dtype=np.int64)
    for a, b in edges:
        _targets(n, (a, b))
        sign += (index >> (n - 1 - a)) & (index >> (n - 1 - b)) & 1
    return np.asarray((-1.0) ** sign / math.sqrt(2.0**n), dtype=np.complex128)


def fidelity(rho: Complexes, vector: Complexes) -> float:
    """``<v|rho|v>``: overlap of a state with a pure one.

    Args:
        rho: shape ``(2^n, 2^n)``.
        vector: shape ``(2^n,)``.

    Raises:
        QuantityError: the shapes do not fit.

    Examples:
        >>> round(fidelity(np.eye(8) / 8, ghz_vector(3)), 12)
        0.125
    """
    qubits_of(rho)
    if vector.shape != rho.shape[:1]:
        raise QuantityError(f"shape {vector.shape}", f"shape {rho.shape[:1]}", "vector")
    return float((vector.conj() @ rho @ vector).real)


def joined(left: Complexes, right: Complexes) -> Complexes:
    """The product of two states, the left one's qubits first.

    Raises:
        QuantityError: more than ten qubits together.

    Examples:
        >>> joined(pure(ghz_vector(1)), pure(ghz_vector(2))).shape
        (8, 8)
    """
    _count(qubits_of(left) + qubits_of(right))
    return np.asarray(np.kron(left, right), dtype=np.complex128)


def apply(rho: Complexes, operator: Complexes | str, targets: Sequence[int]) -> Complexes:
    """``O rho O†`` with an operator on a few qubits; not normalised if O is a projector or a Kraus operator.

    Args:
        rho: shape ``(2^n, 2^n)``.
        operator: a name out of `MATRICES`, or shape ``(2^k, 2^k)``.
        targets: k different qubits, in the operator's order.

    Raises:
        QuantityError: targets that are not there, or a wrong number of them.

    Examples:
        >>> rho = apply(pure(ghz_vector(2)), "X", (1,))
        >>> rho.real.diagonal().round(3).tolist()
        [0.0, 0.5, 0.5, 0.0]
    """
    n, k = qubits_of(rho), len(targets)
    matrix = MATRICES[operator] if isinstance(operator, str) else operator
    _targets(n, targets)
    if matrix.shape != (2**k, 2**k):
        raise QuantityError(f"an operator of shape {matrix.shape}", f"shape {(2**k, 2**k)}", "operator")
    tensor = rho.reshape((2,) * (2 * n))
    gate = matrix.reshape((2,) * (2 * k))
    inner = list(range(k, 2 * k))
    rows, columns = list(targets), [n + target for target in targets]
    tensor = np.moveaxis(np.tensordot(gate, tensor, axes=(inner, rows)), range(k), rows)
    tensor = np.moveaxis(np.tensordot(gate.conj(), tensor, axes=(inner, columns)), range(k), columns)
    return np.ascontiguousarray(tensor).reshape(rho.shape)


def kept(rho: Complexes, keep: Sequence[int]) -> Complexes:
    """Partial trace: the state of the qubits ``keep``, in that order.

    Args:
        rho: shape ``(2^n, 2^n)``.
        keep: k different qubits, at least one.

    Returns:
        Shape ``(2^k, 2^k)``.

    Raises:
        QuantityError: qubits that are not there.

    Examples:
        >>> kept(pure(ghz_vector(3)), (2,)).real.tolist()
        [[0.5000000000000001, 0.0], [0.0, 0.5000000000000001]]
    """
    n, k = qubits_of(rho), len(keep)
    _targets(n, keep)
    rows = ascii_letters[:n]
    columns = "".join(ascii_letters[n + q] if q in keep else rows[q] for q in range(n))
    out = "".join(rows[q] for q in keep) + "".join(columns[q] for q in keep)
    # an axis that is named twice is summed over
    found = np.einsum(f"{rows}{columns}->{out}", rho.reshape((2,) * (2 * n)))
    return np.asarray(found, dtype=np.complex128).reshape(2**k, 2**k)


def depolarised(rho: Complexes, targets: Sequence[int], probability: float) -> Complexes:
    """With this probability the target qubits are replaced by the maximally mixed state.

    Args:
        rho: shape ``(2^n, 2^n)``.
        targets: different qubits, depolarised together.
        probability: in [0, 1].

    Raises:
        QuantityError: a probability outside [0, 1], or qubits that are not there.

    Examples:
        >>> round(fidelity(depolarised(pure(ghz_vector(2)), (0,), 0.2), ghz_vector(2)), 12)
        0.85
    """
    n, k = qubits_of(rho), len(targets)
    check_range(probability, 0.0, 1.0, "probability")
    _targets(n, targets)
    if probability == 0.0:
        return rho
    rest = [q for q in range(n) if q not in targets]
    mixed = np.eye(2**k, dtype=np.complex128) / 2**k
    whole = mixed if not rest else np.kron(mixed, kept(rho, rest))
    order = [*targets, *rest]
    place = [order.index(q) for q in range(n)]
    whole = whole * (rho.trace() if not rest else 1.0)
    whole = whole.reshape((2,) * (2 * n)).transpose(*place, *(n + p for p in place)).reshape(rho.shape)
    return np.asarray((1.0 - probability) * rho + probability * whole, dtype=np.complex128)


def gate(
    rho: Complexes, operator: Complexes | str, targets: Sequence[int], noise: OperationNoise
) -> Complexes:
    """A one- or two-qubit gate, then the depolarising of its kind.

    Examples:
        >>> noisy = OperationNoise(depolarising_2=0.1)
        >>> rho = gate(pure(np.array([1, 0, 0, 0])), "CX", (0, 1), noisy)
        >>> rho.real.diagonal().round(3).tolist()
        [0.925, 0.025, 0.025, 0.025]
    """
    chance = noise.depolarising_1 if len(targets) == 1 else noise.depolarising_2
    return depolarised(apply(rho, operator, targets), targets, chance)


def pauli_channel(rho: Complexes, target: int, weights: Sequence[float]) -> Complexes:
    """One qubit suffers I, Z, X or Y with these probabilities (the order of Bell labels 0 to 3).

    Raises:
        QuantityError: not four probabilities that sum to one.

    Examples:
        >>> round(fidelity(pauli_channel(pure(ghz_vector(2)), 0, (0.7, 0.3, 0, 0)), ghz_vector(2)), 12)
        0.7
    """
    w = check_weights(weights, "weights")
    parts = [float(w[k]) * apply(rho, name, (target,)) for k, name in enumerate("IZXY") if w[k] > 0.0]
    return np.asarray(sum(parts), dtype=np.complex128)


def damped(rho: Complexes, target: int, noise: MemoryNoise, seconds: float) -> Complexes:
    """One qubit waits: exact amplitude damping and dephasing.

    Equation: ``rho_11 -> rho_11 e^(-t/T1)``, what is lost goes to ``rho_00``, ``rho_01 -> rho_01 e^(-t/T2)``.

    Args:
        rho: shape ``(2^n, 2^n)``.
        target: which qubit waits.
        noise: of its memory.
        seconds: how long, >= 0.

    Raises:
        QuantityError: a negative time, or a qubit that is not there.

    Examples:
        >>> rho = pure(ghz_vector(3))
        >>> for q in range(3):
        ...     rho = damped(rho, q, MemoryNoise(math.inf, 1.0), 0.1)
        >>> round(fidelity(rho, ghz_vector(3)), 9), round((1 + math.exp(-0.3)) / 2, 9)
        (0.87040911, 0.87040911)
    """
    n = qubits_of(rho)
    check_range(seconds, 0.0, math.inf, "seconds")
    _targets(n, (target,))
    high, low = 2**target, 2 ** (n - 1 - target)
    tensor = rho.reshape(high, 2, low, high, 2, low).copy()
    stay = math.exp(-seconds / noise.t1)
    tensor[:, 0, :, :, 0, :] += (1.0 - stay) * tensor[:, 1, :, :, 1, :]
    tensor[:, 1, :, :, 1, :] *= stay
    coherence = math.exp(-seconds / noise.t2)
    tensor[:, 0, :, :, 1, :] *= coherence
    tensor[:, 1, :, :, 0, :] *= coherence
    return tensor.reshape(rho.shape)


def measured(
    rho: Complexes, target: int, noise: OperationNoise, basis: str = "Z"
) -> tuple[tuple[float, Complexes], tuple[float, Complexes]]:
    """Read one qubit and drop it: for each *announced* bit, its probability and the state of the others.

    Args:
        rho: shape ``(2^n, 2^n)``, n at least 2, of trace 1.
        target: which qubit.
        noise: its readout errors; in X and Y also the depolarising of the gate that turns the basis.
        basis: ``X``, ``Y`` or ``Z``.

    Returns:
        ((p(0), state), (p(1), state)), states normalised; the state of a bit that never comes is zero.

    Raises:
        QuantityError: the only qubit, or another basis.

    Examples:
        >>> (p, left), _ = measured(pure(ghz_vector(3)), 0, OperationNoise(), "X")
        >>> round(p, 12), round(fidelity(left, ghz_vector(2)), 12)
        (0.5, 1.0)
    """
    n = qubits_of(rho)
    if n < 2 or basis not in ("X", "Y", "Z"):
        raise QuantityError(f"{n} qubits, basis {basis!r}", "two or more qubits and X, Y or Z", "measured")
    _targets(n, (target,))
    if basis == "Y":  # (H S†) turns Y into Z
        turn = np.array([[1, -1j], [1, 1j]], dtype=np.complex128) / math.sqrt(2.0)
        rho = gate(rho, turn, (target,), noise)
    elif basis == "X":
        rho = gate(rho, "H", (target,), noise)
    high, low = 2**target, 2 ** (n - 1 - target)
    tensor = rho.reshape(high, 2, low, high, 2, low)
    zero, one = (tensor[:, bit, :, :, bit, :].reshape(high * low, high * low) for bit in (0, 1))
    e0, e1 = noise.readout_error_0, noise.readout_error_1
    return (_branch((1.0 - e0) * zero + e1 * one), _branch(e0 * zero + (1.0 - e1) * one))


def fuse(
    rho: Complexes, keep: int, drop: int, corrections: Sequence[tuple[str, int]], noise: OperationNoise
) -> Complexes:
    """Fusion: CX from ``keep`` to ``drop``, ``drop`` is read in Z, and Pauli corrections follow if it announces 1.

    It projects on equal values of both qubits. A GHZ state and a Bell pair Φ+ become one larger GHZ state (correction: X on the pair's
    other half); two vertices of a graph state become one with the edges of both (correction: Z on the neighbours of ``drop``).

    Equation: Browne & Rudolph, PRL 95, 010501 (2005), with a gate instead of linear optics.

    Args:
        rho: shape ``(2^n, 2^n)``.
        keep: qubit that stays.
        drop: qubit that is read; it leaves the state and later qubits move up by one.
        corrections: (``X`` or ``Z``, qubit), numbered as before the drop; Pauli frames, hence without noise.
        noise: of the node that holds both.

    Returns:
        The state averaged over both announcements, shape ``(2^(n-1), 2^(n-1))``.

    Raises:
        QuantityError: qubits that are not there.

    Examples:
        >>> two = joined(pure(ghz_vector(2)), pure(ghz_vector(2)))
        >>> round(fidelity(fuse(two, 1, 2, [("X", 3)], OperationNoise()), ghz_vector(3)), 12)
        1.0
    """
    rho = gate(rho, "CX", (keep, drop), noise)
    (p0, state0), (p1, state1) = measured(rho, drop, noise)
    for name, qubit in corrections:
        state1 = apply(state1, name, (qubit - (drop < qubit),))
    return np.asarray(p0 * state0 + p1 * state1, dtype=np.complex128)


def _branch(rho: Complexes) -> tuple[float, Complexes]:
    p = float(rho.trace().real)
    return (p, rho / p if p > 0.0 else rho)


def _count(n: int) -> None:
    if not 1 <= n <= MOST:
        raise QuantityError(f"{n} qubits", f"1 to {MOST} qubits", "qubits")


def _targets(n: int, targets: Sequence[int]) -> None:
    if len(set(targets)) != len(targets) or not targets or not all(0 <= t < n for t in targets):
        raise QuantityError(f"qubits {tuple(targets)}", f"different ones from 0 to {n - 1}", "targets")
