"""Toeplitz, polynomial and verification hashes: all ways agree, bounds hold, standards' vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.keys.postprocessing.polynomial import collision_bound, polynomial_hash
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.keys.postprocessing.sifting import packed
from quantum_fabric.keys.postprocessing.toeplitz import by_fft, by_matrix, hashed, rounding_bound
from quantum_fabric.keys.postprocessing.verification import VerificationHash
from quantum_fabric.native import native

compiled_only = pytest.mark.skipif(native() is None, reason="kernels are not installed")


@given(n=st.integers(1, 700), m=st.integers(1, 900), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_all_ways_agree(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, key = rng.integers(0, 2, n + m - 1, dtype=np.uint8), rng.integers(0, 2, n, dtype=np.uint8)
    expected = by_matrix(matrix, key, m)
    assert (by_fft(matrix, key, m) == expected).all()
    for compiled in (True, False):
        assert hashed(packed(matrix), packed(key), n, m, compiled) == packed(expected)


@compiled_only
@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("levels", [4, 7, 10])
def test_every_kernel_agrees(kind: int, levels: int) -> None:
    kernel = native()
    assert kernel is not None
    rng = np.random.default_rng(6)
    n, m = 40_003, 9_001
    matrix, key = rng.integers(0, 2, n + m - 1, dtype=np.uint8), rng.integers(0, 2, n, dtype=np.uint8)
    expected = packed(by_fft(matrix, key, m))
    assert kernel.toeplitz(packed(matrix), packed(key), n, m, levels, kind) == expected


def test_definition_by_hand() -> None:
    # rows of T: s2 s1 s0 / s3 s2 s1
    seed, key = np.array([0, 1, 1, 0], dtype=np.uint8), np.array([1, 0, 1], dtype=np.uint8)
    assert by_matrix(seed, key, 2).tolist() == [1 ^ 0, 0 ^ 1]


def test_rounding_is_far_inside_its_bound() -> None:
    rng = np.random.default_rng(1)
    n, m = 60_000, 20_000
    size = 1 << 17
    seed, key = rng.integers(0, 2, n + m - 1), rng.integers(0, 2, n)
    found = np.fft.irfft(np.fft.rfft(seed.astype(float), size) * np.fft.rfft(key.astype(float), size), size)
    error = np.abs(found - np.rint(found)).max()
    assert 0.0 < error < rounding_bound(n, m) < 1e-6


def test_refused_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    from quantum_fabric.keys.postprocessing import toeplitz

    monkeypatch.setattr(toeplitz, "_UNIT", 1e-4)
    with pytest.raises(QuantityError, match="proven"):
        by_fft(np.ones(99, dtype=np.uint8), np.ones(50, dtype=np.uint8), 50)


@pytest.mark.parametrize(
    ("seed", "key", "n", "m"),
    [(b"\x00", b"\x00", 8, 2), (b"\x00", b"", 1, 1), (b"", b"\x00", 1, 1), (b"", b"", 0, 1)],
)
def test_lengths_must_fit(seed: bytes, key: bytes, n: int, m: int) -> None:
    with pytest.raises(QuantityError):
        hashed(seed, key, n, m)


def test_hash_is_linear_and_ignores_bits_beyond_the_end() -> None:
    assert hashed(b"\xff", b"\xf3", 3, 2) == hashed(b"\x0f", b"\x03", 3, 2)


@pytest.mark.parametrize("compiled", [True, False])
def test_poly1305_vector(compiled: bool) -> None:
    """RFC 8439, section 2.5.2."""
    point = bytes.fromhex("85d6be7857556d337f4452fe42d506a8")
    pad = int.from_bytes(bytes.fromhex("0103808afb0db2fd4abff6af4149f51b"), "little")
    tag = (polynomial_hash(point, b"Cryptographic Forum Research Group", compiled) + pad) % 2**128
    assert tag.to_bytes(16, "little").hex() == "a8061dc1305136c6c22b8baf0c0127a9"


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_polynomial_compiled_as_in_python(point: bytes, text: bytes) -> None:
    assert polynomial_hash(point, text) == polynomial_hash(point, text, compiled=False)


@pytest.mark.parametrize("text", [b"\xff" * 64, b"\xfb" + b"\xff" * 15, b"\x00" * 33, b"\xff" * 4096])
def test_polynomial_at_the_edges(text: bytes) -> None:
    for point in (b"\xff" * 16, b"\x02" + bytes(15), bytes(16)):
        assert polynomial_hash(point, text) == polynomial_hash(point, text, compiled=False)


def test_point_must_have_its_length() -> None:
    with pytest.raises(QuantityError):
        polynomial_hash(b"", b"")


def test_collision_bound() -> None:
    assert collision_bound(1024) == 8 * 64 / 2.0**106
    assert collision_bound(0) == collision_bound(16) == 8 / 2.0**106


def test_verification_finds_differences() -> None:
    rng = np.random.default_rng(2)
    key = rng.integers(0, 2, 5000)
    for _ in range(200):
        chosen = VerificationHash.drawn(rng.bytes(60), 1e-10)
        other = key.copy()
        other[rng.integers(0, 5000, 3)] ^= 1
        if (other != key).any():
            assert chosen.tag(SecretBits.of(key)) != chosen.tag(SecretBits.of(other))
        assert chosen.tag(SecretBits.of(key)) == chosen.tag(SecretBits.of(key.copy()))


def test_short_tag_collides_as_often_as_it_may() -> None:
    """Tags of 3 bits: each pair collides with 1/8. 4000 draws, 5.1 standard errors: false alarm 3e-7."""
    rng = np.random.default_rng(3)
    a, b = SecretBits.of([1, 0, 1]), SecretBits.of([1, 1, 1])
    hits = 0
    for _ in range(4000):
        chosen = VerificationHash.drawn(rng.bytes(40), 0.25)
        assert chosen.length == 3
        hits += chosen.tag(a) == chosen.tag(b)
    assert abs(hits - 500) < 5.1 * (4000 * 7 / 64) ** 0.5


def test_failure_of_verification_is_within_what_was_asked() -> None:
    chosen = VerificationHash.drawn(bytes(60), 1e-15)
    assert chosen.failure(10**8) <= 1e-15
    with pytest.raises(QuantityError):
        VerificationHash.drawn(b"", 1e-15)
