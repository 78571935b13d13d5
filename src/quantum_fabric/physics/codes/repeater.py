"""A whole line of encoded repeaters: from the noise of its parts to the logical Bell weights between its ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.codes.blocks import (
    Block,
    bell_errors,
    encoded_pairs,
    encoded_swap,
    waited,
)
from quantum_fabric.physics.codes.catalogue import Bools, Code
from quantum_fabric.physics.codes.decoding import logical_error, logical_flips
from quantum_fabric.physics.extras import Sampled, sampled
from quantum_fabric.physics.noise import OperationNoise

CHUNK = 20_000
"""Shots of the whole line that are sampled together."""

NO_WAIT = (1.0, 0.0, 0.0, 0.0)
"""Probabilities of (I, Z, X, Y) on a qubit that does not wait."""


@dataclass(frozen=True, slots=True)
class Line:
    """Noise of a line of N segments.

    Attributes:
        pairs: relative Bell weights of the physical pairs when they are used, one row for each segment, shape (N, 4).
        nodes: noise of the N + 1 nodes.
        idle: (I, Z, X, Y) on each data qubit while gates and readout take their time, one for each node.
        ends: (I, Z, X, Y) on each qubit of an end's block until the news of all stations are there; source, destination.
    """

    pairs: tuple[tuple[float, ...], ...]
    nodes: tuple[OperationNoise, ...]
    idle: tuple[tuple[float, ...], ...]
    ends: tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Logical:
    """What a line gives.

    Attributes:
        weights: relative Bell weights of the logical pair (Φ+, Φ−, Ψ+, Ψ−).
        fidelity: the first one, with its interval.
        per_segment: infidelity of one segment if N alike Werner pairs, swapped without noise, gave this fidelity:
            ``3 (1 - ((4F-1)/3)^(1/N)) / 4``. A single swap's result has no meaning: errors of a block may cancel with those of
            the segment's other end.
    """

    weights: tuple[float, float, float, float]
    fidelity: Sampled
    per_segment: float


def sample_line(code: Code, line: Line, shots: int, seed: int = 0) -> Logical:
    """Sample logical Bell pairs between the ends of a line.

    Args:
        code: of every block.
        line: the noise.
        shots: rounds, at least 1.
        seed: of Stim's and numpy's generators.

    Returns:
        The logical weights as they would come out of a perfect decoder at each end (a bare pair's fidelity leaves the reading of
        it out, too).

    Raises:
        QuantityError: numbers of nodes and segments that do not fit, or no shots.
        InputError: Stim (or PyMatching) is not installed.

    Limits:
        Errors of different segments are independent. Each station decodes for itself, with equal weights for all places: what
        neighbours could tell each other is not used.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> noise = OperationNoise(depolarising_2=1e-3)
        >>> line = Line(((0.97, 0.01, 0.01, 0.01),) * 4, (noise,) * 5, (NO_WAIT,) * 5, (NO_WAIT, NO_WAIT))
        >>> bare, coded = (sample_line(CODES[name], line, 5000, 1).fidelity.value for name in ("bare", "steane"))
        >>> bare < 0.9 < 0.92 < coded
        True
    """
    hops = len(line.pairs)
    if hops < 1 or len(line.nodes) != hops + 1 or len(line.idle) != hops + 1 or shots < 1:
        found = f"{hops} segments, {len(line.nodes)} nodes, {shots} shots"
        raise QuantityError(found, "one node more than segments, and a shot", "line")
    counts = np.zeros(4, dtype=np.int64)
    done = 0
    while done < shots:
        size = min(CHUNK, shots - done)
        rng = np.random.default_rng((seed, done))
        counts += np.bincount(_chunk(code, line, size, rng), minlength=4)
        done += size
    a, b, c, d = (float(count) / shots for count in counts)
    werner = max(0.0, (4.0 * a - 1.0) / 3.0)
    return Logical((a, b, c, d), sampled(int(counts[0]), shots), 0.75 * (1.0 - math.pow(werner, 1.0 / hops)))


def _chunk(code: Code, line: Line, shots: int, rng: np.random.Generator) -> NDArray[np.int64]:
    def seed() -> int:
        return int(rng.integers(2**40))

    segments = []
    for k, (a, b) in enumerate(pairwise(line.nodes)):
        pairs = bell_errors(np.asarray(line.pairs[k]), shots, code.n, rng)
        left, right = encoded_pairs(code, pairs, a, b, NO_WAIT, seed())
        segments.append((waited(left, line.idle[k], rng), waited(right, line.idle[k + 1], rng)))
    joined = [
        encoded_swap(code, segments[k - 1][1], segments[k][0], line.nodes[k], seed())
        for k in range(1, len(segments))
    ]
    ends = (waited(segments[0][0], line.ends[0], rng), waited(segments[-1][1], line.ends[1], rng))
    parity, phase = end_errors(code, *ends)
    for one, two in joined:
        parity, phase = parity ^ one, phase ^ two
    return 2 * parity.astype(np.int64) + phase


def end_errors(code: Code, source: Block, destination: Block) -> tuple[Bools, Bools]:
    """Logical errors of the blocks at both ends as a perfect decoder sees them: (parity is wrong, phase is wrong).

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> clean, full = np.zeros((1, 3), dtype=bool), np.ones((1, 3), dtype=bool)
        >>> parity, phase = end_errors(CODES["repetition-3"], Block(full, clean), Block(clean, clean))
        >>> bool(parity[0]), bool(phase[0])
        (True, False)
    """
    x = [logical_flips(code, "x", block.x) for block in (source, destination)]
    z = [logical_flips(code, "z", block.z) for block in (source, destination)]
    return x[0] ^ x[1], z[0] ^ z[1]


def rough_fidelity(code: Code, line: Line) -> float:
    """A quick estimate of the logical fidelity, to rank plans before they are sampled.

    Each block that is read has independent flips whose chance is added up to first order (pair, gates of preparation, teleported CNOT
    and swap, readouts, waiting); the codes' exact failure polynomials do the rest.

    Limits:
        An estimate: correlations between places of a block and between blocks are left out.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> line = Line(((0.97, 0.01, 0.01, 0.01),) * 4, (OperationNoise(),) * 5, (NO_WAIT,) * 5, (NO_WAIT, NO_WAIT))
        >>> round(rough_fidelity(CODES["bare"], line), 2)
        0.86
    """
    keep = {"x": 1.0, "z": 1.0}
    hops = len(line.pairs)
    for k in range(hops + 1):
        node = line.nodes[k]
        readout = (node.readout_error_0 + node.readout_error_1) / 2.0
        inner = 0 < k < hops
        last = line.ends[0 if k == 0 else 1]
        for kind, label in (("x", 2), ("z", 1)):
            pair = line.pairs[min(k, hops - 1) if kind == "z" else max(k - 1, 0)]
            own = pair[label] + pair[3]
            p = (own if inner or (k == hops) == (kind == "x") else 0.0) + readout
            p += node.depolarising_2 * (2.5 if inner else 1.0) + (readout if inner else 0.0)
            p += (2.0 if inner else 1.0) * (line.idle[k][label] + line.idle[k][3])
            p += 0.0 if inner else last[label] + last[3]
            keep[kind] *= 1.0 - 2.0 * min(0.5, logical_error(code, kind, min(p, 0.5)))
    x, z = ((1.0 + keep[kind]) / 2.0 for kind in ("x", "z"))
    return x * z
