"""From measured parities to the logical bit: matching where it works, otherwise a table of the lightest errors.

Blocks are measured transversally, so a decoder sees one string of n bits with a few flips in it. It looks up the syndrome (the
checks' parities) and says whether the most likely flips with that syndrome turn the logical parity. The syndromes are few (at most
2^4), so each is decoded once, by PyMatching for matchable codes, and kept.
"""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import check_range
from quantum_fabric.physics.codes.catalogue import Bools, Code, Support, matrix
from quantum_fabric.physics.extras import extra


def logical_flips(code: Code, kind: str, flips: Bools) -> Bools:
    """Whether the decoder gets the logical bit wrong.

    Args:
        code: the code.
        kind: ``"x"`` for bit flips (a block read in Z), ``"z"`` for phase flips (read in X).
        flips: which bits differ from those of a code word, shape ``(..., n)``.

    Returns:
        Shape ``(...)``: the logical parity of the flips, plus that of the correction.

    Raises:
        QuantityError: another kind, or another number of qubits.
        InputError: PyMatching is not installed and the code needs it.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> one, two = np.eye(3, dtype=bool)[0], np.array([True, True, False])
        >>> [bool(logical_flips(CODES["repetition-3"], "x", flips)) for flips in (one, two)]
        [False, True]
    """
    checks, logical = _parts(code, kind)
    if flips.shape[-1] != code.n:
        raise QuantityError(f"{flips.shape[-1]} qubits", f"{code.n} qubits", "flips")
    bits = flips.astype(np.int64)
    weights = 1 << np.arange(len(checks), dtype=np.int64)
    syndrome = ((bits @ matrix(checks, code.n).T.astype(np.int64)) & 1) @ weights
    parity = bits[..., list(logical)].sum(axis=-1) & 1
    return np.asarray(parity ^ table(code, kind)[syndrome], dtype=np.bool_)


@cache
def table(code: Code, kind: str) -> Bools:
    """For each syndrome (check k is bit k), the logical parity of the correction, shape ``(2^checks,)``.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> table(CODES["repetition-3"], "x").tolist()  # only the first qubit's flip turns logical Z
        [False, True, False, False]
    """
    checks, logical = _parts(code, kind)
    corrections = by_matching(code, kind) if code.matchable and checks else by_weight(code, kind)
    return np.asarray(corrections[:, list(logical)].sum(axis=1) & 1, dtype=np.bool_)


def by_matching(code: Code, kind: str) -> Bools:
    """The correction that minimum-weight perfect matching gives to each syndrome, shape ``(2^checks, n)``.

    Raises:
        InputError: PyMatching is not installed.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> by_matching(CODES["repetition-3"], "x")[3].tolist()
        [False, True, False]
    """
    checks, _ = _parts(code, kind)
    matching = extra("pymatching").Matching(matrix(checks, code.n).astype(np.uint8))
    syndromes = np.array([[s >> k & 1 for k in range(len(checks))] for s in range(2 ** len(checks))])
    return np.asarray(matching.decode_batch(syndromes.astype(np.uint8)), dtype=np.bool_)


def by_weight(code: Code, kind: str) -> Bools:
    """The lightest error of each syndrome, by trying all errors from the lightest on, shape ``(2^checks, n)``.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> by_weight(CODES["steane"], "x").sum(axis=1).tolist()
        [0, 1, 1, 1, 1, 1, 1, 1]
    """
    checks, _ = _parts(code, kind)
    found: dict[int, list[bool]] = {}
    for weight in range(code.n + 1):
        for places in itertools.combinations(range(code.n), weight):
            syndrome = sum((len(set(check) & set(places)) & 1) << k for k, check in enumerate(checks))
            found.setdefault(syndrome, [q in places for q in range(code.n)])
        if len(found) == 2 ** len(checks):
            break
    return np.array([found[syndrome] for syndrome in range(2 ** len(checks))], dtype=np.bool_)


@cache
def failures(code: Code, kind: str) -> tuple[int, ...]:
    """How many of the errors of each weight 0..n the decoder gets wrong, by trying all 2^n.

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> failures(CODES["steane"], "x")
        (0, 0, 21, 7, 28, 0, 7, 1)
    """
    patterns = np.array(list(itertools.product((False, True), repeat=code.n)), dtype=np.bool_)
    wrong = logical_flips(code, kind, patterns)
    weight = patterns.sum(axis=1)
    return tuple(int(wrong[weight == w].sum()) for w in range(code.n + 1))


def logical_error(code: Code, kind: str, flip: float) -> float:
    """Exact chance of a wrong logical bit when each of the n bits is flipped with the same chance, independently.

    Equation: ``Σ_w A_w p^w (1-p)^(n-w)``, A_w from `failures`; for distance 3 it starts with ``A_2 p²``.

    Args:
        code: the code.
        kind: ``"x"`` or ``"z"``.
        flip: p, in [0, 1].

    Examples:
        >>> from quantum_fabric.physics.codes.catalogue import CODES
        >>> round(logical_error(CODES["repetition-3"], "x", 0.1), 12)  # 3 p² - 2 p³
        0.028
    """
    p = float(check_range(flip, 0.0, 1.0, "flip"))
    counts = failures(code, kind)
    return math.fsum(a * p**w * (1.0 - p) ** (code.n - w) for w, a in enumerate(counts))


def _parts(code: Code, kind: str) -> tuple[tuple[Support, ...], Support]:
    if kind == "x":
        return code.z_checks, code.logical_z
    if kind == "z":
        return code.x_checks, code.logical_x
    raise QuantityError(repr(kind), "'x' (bit flips) or 'z' (phase flips)", "kind")
