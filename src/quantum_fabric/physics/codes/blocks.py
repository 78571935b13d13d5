"""Encoded Bell pairs and encoded swaps as Pauli frames, sampled by Stim.

The state of a round is an ideal logical Bell pair times a pattern of Pauli errors, the *frame*: which qubits have an X, which a
Z. Stim's flip simulator carries frames of many shots through the circuits, with the noise of gates and readout; what is not a
circuit (which pairs have which Bell error, which preparations were kept) is put in between.

Protocol: Jiang, Taylor, Nemoto, Munro, Van Meter, Lukin, PRA 79, 032325 (2009): (1) each end prepares a block, logical |+> at a
and logical |0> at b; (2) n heralded pairs make the transversal CNOT gate between the blocks by teleported gates: an encoded Bell
pair; (3) a station joins two encoded pairs by a transversal CNOT gate and reads one block in X and the other in Z, each string
decoded there and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_weights
from quantum_fabric.physics.codes.catalogue import Bools, Code, Step
from quantum_fabric.physics.codes.decoding import logical_flips
from quantum_fabric.physics.extras import extra
from quantum_fabric.physics.noise import OperationNoise

STUBBORN = 1000
"""Batches after which a preparation that is never accepted is given up."""


@dataclass(frozen=True, slots=True)
class Block:
    """Pauli errors of blocks of n qubits, one block for each shot.

    Attributes:
        x: where there is an X, shape (shots, n).
        z: where there is a Z, shape (shots, n).
    """

    x: Bools
    z: Bools


def bell_errors(weights: Floats, shots: int, n: int, rng: np.random.Generator) -> Block:
    """Errors of heralded pairs, as Paulis on their second halves: Φ− a Z, Ψ+ an X, Ψ− both.

    Args:
        weights: relative Bell weights, shape (4,) for all pairs alike.
        shots: number of blocks of pairs.
        n: pairs of a block.
        rng: draws the labels.

    Examples:
        >>> bell_errors(np.array([0.0, 1.0, 0.0, 0.0]), 1, 2, np.random.default_rng(1)).z.tolist()
        [[True, True]]
    """
    edges = np.cumsum(check_weights(weights, "weights"))
    label = np.minimum(np.searchsorted(edges, rng.random((shots, n)), side="right"), 3)
    return Block(label >= 2, (label & 1) == 1)


def prepared(code: Code, state: str, noise: OperationNoise, shots: int, seed: int) -> tuple[Block, float]:
    """Frames of freshly prepared logical states; where the code's check fails the block is prepared again.

    Args:
        code: the code.
        state: ``"zero"`` or ``"plus"``.
        noise: of the node; fresh physical qubits are perfect |0>.
        shots: how many blocks.
        seed: of Stim's generator.

    Returns:
        (frames, share of preparations that passed).

    Raises:
        QuantityError: a check that practically never passes.
        InputError: Stim is not installed.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> block, passed = prepared(CODES["steane"], "zero", OperationNoise(depolarising_2=0.01), 1000, 1)
        >>> block.x.shape, 0.85 < passed < 0.99
        ((1000, 7), True)
    """
    circuit = _preparation(code.zero if state == "zero" else code.plus, code.n, noise)
    xs: list[Bools] = []
    zs: list[Bools] = []
    have = tried = 0
    for batch in range(STUBBORN):
        simulator = _simulator(max(256, shots - have), seed * STUBBORN + batch, code.n + 1)
        simulator.do(circuit)
        x, z = _frames(simulator)
        good: Bools = np.logical_not(np.any(simulator.get_measurement_flips(), axis=0))
        xs.append(x[good, : code.n])
        zs.append(z[good, : code.n])
        have, tried = have + int(good.sum()), tried + good.size
        if have >= shots:
            break
    else:
        raise QuantityError(
            f"{have} of {tried} preparations that pass", "gates that prepare a block", "depolarising_2"
        )
    return Block(np.concatenate(xs)[:shots], np.concatenate(zs)[:shots]), have / tried


def encoded_pairs(
    code: Code, pairs: Block, a: OperationNoise, b: OperationNoise, idle: Sequence[float], seed: int
) -> tuple[Block, Block]:
    """Encoded Bell pairs over one segment: blocks prepared, then joined by n teleported CNOT gates.

    Args:
        code: the code.
        pairs: errors of the n physical pairs, one block for each shot (`bell_errors`).
        a: noise of the left node.
        b: noise of the right node.
        idle: probabilities of (I, Z, X, Y) on every data qubit while it waits for gates and readout.
        seed: of Stim's generator.

    Returns:
        (frames of the left block, of the right block) relative to the logical Φ+.

    Raises:
        InputError: Stim is not installed.

    Limits:
        Readout errors enter as their mean (the bits are 0 and 1 equally often). The Paulis that the teleported gates ask for are
        frames, not gates.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> bad = Block(np.eye(3, dtype=bool)[:1], np.zeros((1, 3), dtype=bool))  # the first pair is a Ψ+
        >>> left, right = encoded_pairs(CODES["repetition-3"], bad, OperationNoise(), OperationNoise(), (1, 0, 0, 0), 1)
        >>> bool(left.x.any()), right.x.tolist()
        (False, [[True, False, False]])
    """
    n, shots = code.n, len(pairs.x)
    plus, _ = prepared(code, "plus", a, shots, 2 * seed)
    zero, _ = prepared(code, "zero", b, shots, 2 * seed + 1)
    clean = np.zeros((shots, n), dtype=np.bool_)
    simulator = _simulator(shots, seed, 4 * n)
    # qubits: data of a, halves at a, halves at b, data of b
    _put(simulator, (plus.x, clean, pairs.x, zero.x), (plus.z, clean, pairs.z, zero.z))
    simulator.do(_joining(code, a, b, tuple(float(p) for p in idle)))
    x, z = _frames(simulator)
    return Block(x[:, :n], z[:, :n]), Block(x[:, 3 * n :], z[:, 3 * n :])


def encoded_swap(
    code: Code, left: Block, right: Block, noise: OperationNoise, seed: int
) -> tuple[Bools, Bools]:
    """A station joins two encoded pairs: transversal CNOT gate, one block read in X, the other in Z, both decoded.

    Args:
        code: the code.
        left: frames of the block that belongs to the left encoded pair.
        right: of the block that belongs to the right one.
        noise: of the station.
        seed: of Stim's generator.

    Returns:
        (the parity bit is wrong, the phase bit is wrong), each of shape (shots,).

    Raises:
        InputError: Stim (or PyMatching, where the code needs it) is not installed.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> clean = np.zeros((1, 7), dtype=bool)
        >>> two = Block(np.arange(7)[None] < 2, clean)  # two bit flips are too many
        >>> [bool(w[0]) for w in encoded_swap(CODES["steane"], two, Block(clean, clean), OperationNoise(), 1)]
        [True, False]
    """
    n = code.n
    simulator = _simulator(len(left.x), seed, 2 * n)
    _put(simulator, (left.x, right.x), (left.z, right.z))
    simulator.do(_swapping(code, noise))
    flips = np.asarray(simulator.get_measurement_flips()).T
    return logical_flips(code, "x", flips[:, n:]), logical_flips(code, "z", flips[:, :n])


def waited(block: Block, idle: Sequence[float], rng: np.random.Generator) -> Block:
    """Frames of blocks whose qubits waited: (I, Z, X, Y) with these probabilities on each.

    Examples:
        >>> clean = np.zeros((1, 2), dtype=bool)
        >>> waited(Block(clean, clean), (0.0, 1.0, 0.0, 0.0), np.random.default_rng(1)).z.tolist()
        [[True, True]]
    """
    shots, n = block.x.shape
    errors = bell_errors(np.asarray(idle, dtype=np.float64), shots, n, rng)
    return Block(block.x ^ errors.x, block.z ^ errors.z)


@lru_cache(maxsize=256)
def _joining(code: Code, a: OperationNoise, b: OperationNoise, idle: tuple[float, ...]) -> Any:
    """Teleported CNOT gates from the block of a to that of b; qubits as in `encoded_pairs`."""
    n = code.n
    circuit = extra("stim").Circuit()
    rec = extra("stim").target_rec
    for k in range(n):
        circuit.append("CX", [k, n + k])
        circuit.append("DEPOLARIZE2", [k, n + k], 0.9375 * a.depolarising_2)
        circuit.append("M", [n + k], _mean_flip(a))
        circuit.append("CX", [rec(-1), 2 * n + k])
        circuit.append("CX", [2 * n + k, 3 * n + k])
        circuit.append("DEPOLARIZE2", [2 * n + k, 3 * n + k], 0.9375 * b.depolarising_2)
        circuit.append("H", [2 * n + k])
        circuit.append("DEPOLARIZE1", [2 * n + k], 0.75 * b.depolarising_1)
        circuit.append("M", [2 * n + k], _mean_flip(b))
        circuit.append("CZ", [rec(-1), k])
    _wait(circuit, [*range(n), *range(3 * n, 4 * n)], idle)
    return circuit


@lru_cache(maxsize=256)
def _swapping(code: Code, noise: OperationNoise) -> Any:
    """Transversal CNOT gate and readout of both blocks; qubits as in `encoded_swap`."""
    n = code.n
    circuit = extra("stim").Circuit()
    first, second = list(range(n)), list(range(n, 2 * n))
    couples = [q for pair in zip(first, second, strict=True) for q in pair]
    circuit.append("CX", couples)
    circuit.append("DEPOLARIZE2", couples, 0.9375 * noise.depolarising_2)
    circuit.append("H", first)
    circuit.append("DEPOLARIZE1", first, 0.75 * noise.depolarising_1)
    circuit.append("M", [*first, *second], _mean_flip(noise))
    return circuit


@lru_cache(maxsize=256)
def _preparation(steps: Sequence[Step], n: int, noise: OperationNoise) -> Any:
    circuit = extra("stim").Circuit()

    def gate(name: str, qubits: Sequence[int]) -> None:
        circuit.append(name, qubits)
        if name == "H":
            circuit.append("DEPOLARIZE1", qubits, 0.75 * noise.depolarising_1)
        else:
            circuit.append("DEPOLARIZE2", qubits, 0.9375 * noise.depolarising_2)

    for name, qubits in steps:
        if name in ("H", "CX"):
            gate(name, qubits)
        elif name == "CHECK_Z":  # the helper, in |0>, collects the parity
            circuit.append("R", [n])
            for q in qubits:
                gate("CX", [q, n])
            circuit.append("M", [n], _mean_flip(noise))
        else:  # a helper in |+> controls, and is read in X
            circuit.append("R", [n])
            gate("H", [n])
            for q in qubits:
                gate("CX", [n, q])
            gate("H", [n])
            circuit.append("M", [n], _mean_flip(noise))
    return circuit


def _simulator(shots: int, seed: int, qubits: int) -> Any:
    # without randomisation the flips are the errors themselves and not errors times stabilisers
    return extra("stim").FlipSimulator(
        batch_size=shots, disable_stabilizer_randomization=True, num_qubits=qubits, seed=seed % 2**63
    )


def _put(simulator: Any, xs: Sequence[Bools], zs: Sequence[Bools]) -> None:
    simulator.broadcast_pauli_errors(pauli="X", mask=np.ascontiguousarray(np.concatenate(xs, axis=1).T))
    simulator.broadcast_pauli_errors(pauli="Z", mask=np.ascontiguousarray(np.concatenate(zs, axis=1).T))


def _frames(simulator: Any) -> tuple[Bools, Bools]:
    xs, zs, *_ = simulator.to_numpy(output_xs=True, output_zs=True)
    return np.asarray(xs, dtype=np.bool_).T, np.asarray(zs, dtype=np.bool_).T


def _wait(circuit: Any, qubits: Sequence[int], idle: Sequence[float]) -> None:
    _, z, x, y = (float(p) for p in idle)
    if x + y + z > 0.0:
        circuit.append("PAULI_CHANNEL_1", qubits, [x, y, z])


def _mean_flip(noise: OperationNoise) -> float:
    return (noise.readout_error_0 + noise.readout_error_1) / 2.0
