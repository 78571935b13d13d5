"""AES-256 key wrap: against the published vectors and an independent RFC 5649, and bound to the identifier."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from hypothesis import given
from hypothesis import strategies as st

from keydesk import kek, ring
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.keys import Kek, KeyMaterial, KeyRing, Sealed, SealError


def kwp(key: bytes, plain: bytes) -> bytes:
    """RFC 5649, section 4.1, written from its text: the oracle."""
    ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    a = bytes.fromhex("a65959a6") + len(plain).to_bytes(4, "big")
    padded = plain + bytes(-len(plain) % 8)
    if len(padded) == 8:
        return ecb.update(a + padded)
    blocks = [padded[i : i + 8] for i in range(0, len(padded), 8)]
    for j in range(6):
        for i, block in enumerate(blocks):
            both = ecb.update(a + block)
            step = len(blocks) * j + i + 1
            a, blocks[i] = (int.from_bytes(both[:8], "big") ^ step).to_bytes(8, "big"), both[8:]
    return a + b"".join(blocks)


@pytest.mark.parametrize(
    ("plain", "wrapped"),
    [
        (
            "c37b7e6492584340bed12207808941155068f738",
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
        ),
        ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
    ],
)
def test_the_vectors_of_rfc_5649(plain: str, wrapped: str) -> None:
    """Section 6 of RFC 5649 (a 192-bit KEK): the library and the oracle both follow the text."""
    key = bytes.fromhex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")
    assert aes_key_wrap_with_padding(key, bytes.fromhex(plain)).hex() == wrapped
    assert kwp(key, bytes.fromhex(plain)).hex() == wrapped


@given(st.binary(min_size=1, max_size=70), st.binary(min_size=32, max_size=32), st.uuids())
def test_what_is_stored_is_identifier_and_key_under_the_oracle(secret: bytes, key: bytes, name: UUID) -> None:
    one = KeyRing(Kek("k", KeyMaterial(key)))
    sealed = one.seal(name, KeyMaterial(secret))
    assert sealed.octets == kwp(key, name.bytes + secret)
    assert one.open(name, sealed) == KeyMaterial(secret)


@given(st.binary(min_size=8, max_size=40), st.integers(0, 10_000))
def test_one_changed_bit_does_not_open(secret: bytes, where: int) -> None:
    sealed = ring().seal(UUID(int=1), KeyMaterial(secret))
    changed = bytearray(sealed.octets)
    changed[where // 8 % len(changed)] ^= 1 << where % 8
    with pytest.raises(SealError):
        ring().open(UUID(int=1), Sealed("test", bytes(changed)))


def test_a_row_in_anothers_place_does_not_open() -> None:
    sealed = ring().seal(UUID(int=1), KeyMaterial(b"secret.."))
    with pytest.raises(SealError, match="another identifier"):
        ring().open(UUID(int=2), sealed)


@pytest.mark.parametrize("octets", [b"", b"x", b"x" * 16, b"x" * 24, b"x" * 1000])
def test_rubbish_does_not_open(octets: bytes) -> None:
    with pytest.raises(SealError):
        ring().open(UUID(int=1), Sealed("test", octets))


def test_a_wrong_kek_of_the_right_name_does_not_open() -> None:
    sealed = ring().seal(UUID(int=1), KeyMaterial(b"secret.."))
    other = KeyRing(Kek("test", KeyMaterial(bytes(31) + b"x")))
    with pytest.raises(SealError):
        other.open(UUID(int=1), sealed)
    with pytest.raises(UnknownNameError):
        ring("other").open(UUID(int=1), sealed)


def test_rotation_opens_the_old_and_seals_under_the_new() -> None:
    name = uuid4()
    sealed = ring("old").seal(name, KeyMaterial(b"secret.."))
    both = ring("new", older=(kek("old"),))
    renewed = both.renew(name, sealed)
    assert renewed.kek == "new"
    assert both.renew(name, renewed) is renewed
    assert ring("new").open(name, renewed) == KeyMaterial(b"secret..")


def test_what_is_no_kek() -> None:
    for name, octets in (("", 32), ("a b", 32), ("x" * 65, 32), ("ok", 16), ("ok", 33)):
        with pytest.raises(InputError):
            Kek(name, KeyMaterial(bytes(octets)))
    with pytest.raises(InputError, match="two KEKs"):
        KeyRing(kek("a"), [kek("a")])
