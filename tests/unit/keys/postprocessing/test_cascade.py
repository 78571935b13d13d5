"""Cascade: the same messages compiled and in NumPy, counted bits, bursts, wrong guesses, failure rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import ProtocolError, QuantityError
from quantum_fabric.keys.postprocessing.cascade import CascadeEnd, frames_for
from quantum_fabric.keys.postprocessing.cascade_plan import CascadePlan, plan_for
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.native import native

compiled_only = pytest.mark.skipif(native() is None, reason="kernels are not installed")


def strings(size: int, rate: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, size, dtype=np.uint8), (rng.random(size) < rate).astype(np.uint8)


def correct(
    ours: np.ndarray,
    errors: np.ndarray,
    guess: float,
    seed: int = 1,
    compiled: tuple[bool, bool] = (True, True),
    frame: int = 131_072,
) -> tuple[CascadeEnd, CascadeEnd, list[bytes]]:
    a = CascadeEnd(SecretBits.of(ours), guess, seed, False, compiled=compiled[0], frame=frame)
    b = CascadeEnd(SecretBits.of(ours ^ errors), guess, seed, True, compiled=compiled[1], frame=frame)
    said = []
    while not a.done:
        from_a, from_b = a.speak(), b.speak()
        assert a.spoken == b.spoken
        said.append(from_a)
        a.hear(from_b)
        b.hear(from_a)
    assert b.done
    return a, b, said


@compiled_only
@pytest.mark.parametrize(
    ("size", "rate", "guess"), [(9_000, 0.03, 0.03), (9_000, 0.05, 0.005), (20_001, 0.01, 0.08)]
)
def test_compiled_and_reference_say_the_same(size: int, rate: float, guess: float) -> None:
    ours, errors = strings(size, rate, seed=7)
    runs = [
        correct(ours, errors, guess, compiled=pair, frame=4096)
        for pair in ((True, True), (False, False), (True, False))
    ]
    for a, b, said in runs:
        assert said == runs[0][2]
        assert b.result() == SecretBits.of(ours)
        assert a.told == b.told == runs[0][0].told
        assert b.corrections == a.corrections == errors.sum()
        assert a.rounds == runs[0][0].rounds


@given(
    size=st.integers(64, 3000),
    rate=st.floats(0.0, 0.2),
    guess=st.floats(0.0, 0.3),
    seed=st.integers(0, 2**64 - 1),
)
@settings(max_examples=60, deadline=None)
def test_corrects_whatever_the_guess(size: int, rate: float, guess: float, seed: int) -> None:
    """A frame is wrong with at most 2^-11 (times few batches); a wrong one would not be a bug, so it must be found by count."""
    ours, errors = strings(size, rate, seed % 1000)
    a, b, _ = correct(ours, errors, guess, seed)
    left = int((b.result().array() ^ ours).sum())
    assert b.corrections == errors.sum() - left
    assert a.result() == SecretBits.of(ours)
    assert left % 2 == 0, "an odd rest is always seen"


@pytest.mark.parametrize("burst", [1, 2, 64, 2000])
def test_bursts(burst: int) -> None:
    ours, errors = strings(12_000, 0.01, seed=3)
    errors[5000 : 5000 + burst] = 1
    _, b, _ = correct(ours, errors, 0.01, seed=11)
    assert b.result() == SecretBits.of(ours)


def test_told_is_what_was_said() -> None:
    ours, errors = strings(10_000, 0.03, seed=5)
    a = CascadeEnd(SecretBits.of(ours), 0.03, 1, False)
    b = CascadeEnd(SecretBits.of(ours ^ errors), 0.03, 1, True)
    total = 0
    while not a.done:
        from_a, from_b = a.speak(), b.speak()
        total += a.spoken
        assert len(from_a) == (a.spoken + 7) // 8
        a.hear(from_b)
        b.hear(from_a)
    assert a.told == b.told == total


def test_no_errors_cost_the_first_parities_and_the_checks() -> None:
    ours, errors = strings(10_000, 0.0, seed=5)
    a, _, _ = correct(ours, errors, 0.02)
    blocks = a.plan.blocks
    assert a.told == blocks[0] + sum(count - 1 for count in blocks[1:]) + a.plan.checks


def test_only_the_corrector_changes() -> None:
    ours, errors = strings(5_000, 0.03, seed=9)
    a, _, _ = correct(ours, errors, 0.03)
    assert a.result() == SecretBits.of(ours)


def test_message_of_another_length_is_refused() -> None:
    ours, _ = strings(500, 0.0, seed=1)
    for compiled in (True, False):
        end = CascadeEnd(SecretBits.of(ours), 0.02, 1, False, compiled=compiled)
        end.speak()
        with pytest.raises(ProtocolError):
            end.hear(b"\x00")
        with pytest.raises(ProtocolError):
            end.result()


def test_frames_cover_the_string() -> None:
    for bits in (1, 64, 131_072, 200_000, 1_000_003):
        count, length = frames_for(bits)
        assert bits <= count * length
        assert count * length - bits < max(count, 64)


@pytest.mark.parametrize(
    "wrong",
    [
        {"length": 63}, {"blocks": ()}, {"blocks": (501,)}, {"waves": (0,)}, {"checks": 64},
        {"checks": 0}, {"batches": 0}, {"seed": 2**64},
    ],
)  # fmt: skip
def test_plan_is_checked(wrong: dict[str, object]) -> None:
    good: dict[str, object] = {
        "length": 1000,
        "blocks": (50,),
        "waves": (1,),
        "checks": 11,
        "batches": 4,
        "seed": 1,
    }
    CascadePlan(**good)  # type: ignore[arg-type]
    with pytest.raises(QuantityError):
        CascadePlan(**{**good, **wrong})  # type: ignore[arg-type]


def test_guess_is_checked() -> None:
    with pytest.raises(QuantityError):
        plan_for(1000, 0.5, 1)
