"""LDPC codes and their decoder: no short cycles, rows told later, check sums, compiled as in NumPy, blind correction."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from quantum_fabric.errors import ProtocolError, QuantityError
from quantum_fabric.keys.postprocessing import ldpc
from quantum_fabric.keys.postprocessing.ldpc import LdpcReceiver, LdpcSender, check_sum
from quantum_fabric.keys.postprocessing.ldpc_code import COLUMNS, FEWEST, MOST_ROWS, mother
from quantum_fabric.keys.postprocessing.ldpc_decoder import both, decode
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.native import native


@pytest.mark.parametrize("rows", [51, 111, 158])
def test_no_cycle_of_four_and_columns_in_every_row(rows: int) -> None:
    code = mother(rows, 256)
    assert code.proper == rows
    assert all(len(row) >= 2 for row in code.rows)
    shifts: dict[int, list[tuple[int, int]]] = {}
    for r, row in enumerate(code.rows):
        assert len({column for column, _ in row}) == len(row)
        for column, shift in row:
            shifts.setdefault(column, []).append((r, shift))
    assert len(shifts) == COLUMNS
    seen: set[tuple[int, int, int]] = set()
    cycles = 0
    for met in shifts.values():
        for (r1, s1), (r2, s2) in combinations(met, 2):
            distance = (r1, r2, (s1 - s2) % code.z)
            cycles += distance in seen
            seen.add(distance)
    assert cycles == 0


@pytest.mark.parametrize("rows", [FEWEST, 7, MOST_ROWS])
def test_codes_at_the_edges_exist(rows: int) -> None:
    code = mother(rows, 16)
    assert len(code.rows) == 2 * rows
    assert all(len({column for column, _ in row}) == len(row) >= 2 for row in code.rows)
    with pytest.raises(QuantityError):
        mother(FEWEST - 1, 16)


def test_syndrome_is_the_matrix() -> None:
    code = mother(64, 16)
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, code.length, dtype=np.uint8)
    expected = np.zeros((128, 16), dtype=np.uint8)
    for r, row in enumerate(code.rows):
        for i in range(16):
            expected[r, i] = sum(int(bits[c * 16 + (i + s) % 16]) for c, s in row) % 2
    assert (code.syndrome(bits) == expected).all()
    assert (code.syndrome(bits, slice(60, 70)) == expected[60:70]).all()


def test_belief_of_a_parity_is_near_the_true_one_and_never_above_the_lesser() -> None:
    """2 artanh(tanh(a/2) tanh(b/2)): within a tenth of a natural unit of it."""
    a, b = (x.reshape(-1).astype(np.int16) for x in np.meshgrid(np.arange(0, 500, 7), np.arange(0, 500, 7)))
    found = both(a, b)
    t = np.tanh(a / 64.0) * np.tanh(b / 64.0)
    assert (found <= np.minimum(a, b)).all()
    assert np.abs(found / 32.0 - 2.0 * np.arctanh(np.minimum(t, 1.0 - 1e-15))).max() < 0.16


def test_the_check_sum_is_linear_so_it_tells_32_bits() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.integers(0, 2, (2, 8192), dtype=np.uint8)
    zero = check_sum(np.zeros(8192, dtype=np.uint8))
    assert ((check_sum(x) ^ check_sum(y)) == (check_sum(x ^ y) ^ zero)).all()


def test_another_word_that_fits_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that ends in the wrong word of the code: the check sum shows it, more is asked for, and the frame comes out right."""
    rng = np.random.default_rng(4)
    ours, errors = rng.integers(0, 2, 8192, dtype=np.uint8), (rng.random(8192) < 0.02).astype(np.uint8)
    a, b = LdpcSender(SecretBits.of(ours), 0.02, 5), LdpcReceiver(SecretBits.of(ours ^ errors), 0.02, 5)
    lies = [True, True]

    def decoded(*arguments, **named):
        needed, wrong = decode(*arguments, **named)
        if needed > 0 and lies:
            lies.pop()
            wrong[:6] ^= 1
        return needed, wrong

    monkeypatch.setattr(ldpc, "decode", decoded)
    while not a.done:
        b.hear(a.speak())
        a.hear(b.speak())
    assert not lies
    assert a.rounds >= 3
    assert not b.failed
    assert b.result() == SecretBits.of(ours)


@pytest.mark.skipif(
    not hasattr(getattr(native(), "LdpcGraph", None), "solve"),
    reason="kernels are not installed, or older ones",
)
@pytest.mark.parametrize(("rate", "rounds"), [(0.01, 10), (0.035, 4), (0.06, 6)])
def test_compiled_decoder_does_the_same(rate: float, rounds: int) -> None:
    """Also where it fails: what is believed after the last round is equal."""
    code = mother(128, 16)
    errors = (np.random.default_rng(3).random(code.length) < rate).astype(np.uint8)
    rows = code.rows[:134]
    odd = code.syndrome(errors)[:134]
    belief = np.full(code.length, 110, dtype=np.int16)
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
