"""LDPC codes and their decoder: no short cycles, combined rows, compiled as in NumPy, blind correction."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from quantum_fabric.errors import ProtocolError, QuantityError
from quantum_fabric.keys.postprocessing.ldpc import LdpcReceiver, LdpcSender
from quantum_fabric.keys.postprocessing.ldpc_code import COLUMNS, MOTHERS, mother
from quantum_fabric.keys.postprocessing.ldpc_decoder import combine, decode
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.native import native


@pytest.mark.parametrize("rows", MOTHERS)
def test_pairs_share_no_column_and_nothing_has_a_cycle_of_four(rows: int) -> None:
    code = mother(rows, 256)
    half = rows // 2
    for r in range(half):
        assert not {c for c, _ in code.rows[r]} & {c for c, _ in code.rows[r + half]}
    seen = set()
    shifts: dict[int, list[tuple[int, int]]] = {}
    for r, row in enumerate(code.rows):
        for column, shift in row:
            shifts.setdefault(column, []).append((r, shift))
    for met in shifts.values():
        for (r1, s1), (r2, s2) in combinations(met, 2):
            distance = (r1, r2, (s1 - s2) % code.z)
            assert distance not in seen
            seen.add(distance)


def test_syndrome_is_the_matrix() -> None:
    code = mother(64, 16)
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, code.length, dtype=np.uint8)
    expected = np.zeros((64, 16), dtype=np.uint8)
    for r, row in enumerate(code.rows):
        for i in range(16):
            expected[r, i] = sum(int(bits[c * 16 + (i + s) % 16]) for c, s in row) % 2
    assert (code.syndrome(bits) == expected).all()


def test_combined_rows_are_sums() -> None:
    code = mother(64, 16)
    bits = np.random.default_rng(2).integers(0, 2, code.length, dtype=np.uint8)
    for pairs in (0, 5, 32):
        rows = code.combined(pairs)
        told = combine(code.syndrome(bits), pairs)
        assert len(rows) == len(told) == 64 - pairs
        twice = np.tile(bits.reshape(COLUMNS, 16), 2)
        for row, parity in zip(rows, told):
            assert (np.bitwise_xor.reduce([twice[c, s : s + 16] for c, s in row]) == parity).all()
    with pytest.raises(QuantityError):
        code.combined(33)


@pytest.mark.skipif(native() is None, reason="kernels are not installed")
@pytest.mark.parametrize(("rate", "rounds"), [(0.01, 10), (0.035, 4), (0.06, 6)])
def test_compiled_decoder_does_the_same(rate: float, rounds: int) -> None:
    """Also where it fails: what is believed after the last round is equal."""
    code = mother(128, 16)
    errors = (np.random.default_rng(3).random(code.length) < rate).astype(np.uint8)
    rows = code.combined(10)
    odd = combine(code.syndrome(errors), 10)
    belief = np.full(code.length, 16, dtype=np.int16)
    results = [decode(code, rows, belief, odd, rounds, compiled) for compiled in (True, False)]
    assert results[0][0] == results[1][0]
    assert (results[0][1] == results[1][1]).all()


@pytest.mark.parametrize(("rate", "guess"), [(0.02, 0.02), (0.03, 0.015), (0.02, 0.04)])
def test_blind_correction(rate: float, guess: float) -> None:
    rng = np.random.default_rng(4)
    ours, errors = rng.integers(0, 2, 20_000, dtype=np.uint8), (rng.random(20_000) < rate).astype(np.uint8)
    a = LdpcSender(SecretBits.of(ours), guess, 5)
    b = LdpcReceiver(SecretBits.of(ours ^ errors), guess, 5)
    told = 0
    while not a.done:
        said = a.speak()
        told += a.spoken
        b.hear(said)
        a.hear(b.speak())
    assert b.done
    assert not b.failed
    assert a.told == b.told == told
    assert b.result() == SecretBits.of(ours)


def test_hopeless_frame_is_given_up() -> None:
    rng = np.random.default_rng(4)
    ours, other = rng.integers(0, 2, (2, 9000), dtype=np.uint8)
    a, b = (
        LdpcSender(SecretBits.of(ours), 0.01, 5),
        LdpcReceiver(SecretBits.of(other), 0.01, 5, compiled=True),
    )
    b._step = a._step = 1000
    while not a.done:
        b.hear(a.speak())
        a.hear(b.speak())
    assert a.failed == b.failed == a.frames == 2


def test_wrong_lengths_are_refused() -> None:
    a = LdpcSender(SecretBits.of(np.zeros(9000, dtype=int)), 0.01, 5)
    b = LdpcReceiver(SecretBits.of(np.zeros(9000, dtype=int)), 0.01, 5)
    a.speak()
    with pytest.raises(ProtocolError):
        a.hear(b"")
    with pytest.raises(ProtocolError):
        b.hear(b"\x00")
    with pytest.raises(ProtocolError):
        b.result()


def test_too_many_errors_are_refused() -> None:
    with pytest.raises(QuantityError, match="Cascade"):
        LdpcSender(SecretBits.of(np.zeros(900, dtype=int)), 0.07, 5)
