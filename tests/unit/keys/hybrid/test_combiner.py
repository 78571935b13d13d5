"""The combiner: known answers, an independent calculation, and that nothing can be changed without changing the key."""

from __future__ import annotations

import hmac
from hashlib import sha256
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import InputError
from quantum_fabric.keys import KeyMaterial
from quantum_fabric.keys.hybrid import HybridPolicy, ParameterSet, Sources, Transcript, WhenDown, combine

KEM = bytes(range(32))
QKD = bytes(range(100, 132))


def transcript(**changes: object) -> Transcript:
    given = {
        "initiator": "alice", "responder": "bob", "key_ids": (UUID(int=1),), "qkd_sizes": (32,), "public": b"p" * 1184,
        "ciphertext": b"c" * 1088, "policy": HybridPolicy(), "sources": Sources.BOTH, "nonces": (b"n" * 16, b"m" * 16),
    }  # fmt: skip
    return Transcript(**{**given, **changes})  # type: ignore[arg-type]


def key(kem: bytes, qkd: bytes, about: Transcript) -> bytes:
    """All that comes out, as octets."""
    out = combine(KeyMaterial(kem), [KeyMaterial(qkd)], about)
    return b"".join(bytes(one.octets) for one in (out.key, *out.confirming))


def expected(secret: bytes, info: bytes, size: int) -> bytes:
    """HKDF-SHA-384 with the default salt, written down from RFC 5869 with nothing but `hmac`."""
    prk = hmac.digest(bytes(48), secret, "sha384")
    out, block = b"", b""
    for number in range(1, 256):
        if len(out) >= size:
            break
        block = hmac.digest(prk, block + info + bytes([number]), "sha384")
        out += block
    return out[:size]


# RFC 5869, appendix A.1 to A.3 (S): the library's HKDF, which the combiner uses with another hash
RFC5869 = [
    (
        "0b" * 22, "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)).hex(), bytes(range(0x60, 0xB0)).hex(), bytes(range(0xB0, 0x100)).hex(), 82,
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        "0b" * 22, "", "", 42,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("secret", "salt", "info", "size", "out"), RFC5869)
def test_hkdf_as_its_rfc_has_it(secret: str, salt: str, info: str, size: int, out: str) -> None:
    made = HKDF(SHA256(), size, bytes.fromhex(salt) or None, bytes.fromhex(info)).derive(
        bytes.fromhex(secret)
    )
    assert made.hex() == out


@given(bits=st.sampled_from([128, 256, 512, 4096]), seed=st.integers(0, 1 << 30))
def test_the_same_as_by_hand(bits: int, seed: int) -> None:
    kem, qkd = sha256(b"k%d" % seed).digest(), sha256(b"q%d" % seed).digest()
    about = transcript(policy=HybridPolicy(key_bits=bits))
    assert key(kem, qkd, about) == expected(kem + qkd, about.octets, bits // 8 + 64)


def test_a_known_answer() -> None:
    """So that a change of the code, however well meant, does not go unseen: peers of another version must not agree."""
    assert (
        sha256(key(KEM, QKD, transcript())).hexdigest()
        == "ccfd7531e67ad5e28fc9e347dd3a91afd7e249bc9c44210f21d31a152bdbef6e"
    )


@given(place=st.integers(0, 31), flip=st.integers(1, 255))
def test_a_change_of_either_secret_changes_everything(place: int, flip: int) -> None:
    about = transcript()
    changed_kem, changed_qkd = bytearray(KEM), bytearray(QKD)
    changed_kem[place] ^= flip
    changed_qkd[place] ^= flip
    made = [
        key(KEM, QKD, about),
        key(changed_kem, QKD, about),
        key(KEM, changed_qkd, about),
        key(QKD, KEM, about),
    ]
    parts = {one[at : at + 32] for one in made for at in (0, 32, 64)}
    assert len(parts) == 12, "key and confirmation secrets, four times, all different"


@given(place=st.integers(0, 1183), other=st.integers(0, 1087), flip=st.integers(1, 255))
def test_a_change_of_any_octet_of_the_transcript_changes_the_key(place: int, other: int, flip: int) -> None:
    def flipped(octets: bytes, at: int) -> bytes:
        changed = bytearray(octets)
        changed[at] ^= flip
        return bytes(changed)

    base = transcript()
    variants = [
        base,
        transcript(public=flipped(base.public, place)),
        transcript(ciphertext=flipped(base.ciphertext, other)),
        transcript(key_ids=(UUID(bytes=flipped(base.key_ids[0].bytes, other % 16)),)),
        transcript(nonces=(flipped(base.nonces[0], other % 16), base.nonces[1])),
        transcript(nonces=(base.nonces[0], flipped(base.nonces[1], other % 16))),
    ]
    assert len({key(KEM, QKD, one) for one in variants}) == len(variants)


def test_every_field_is_bound() -> None:
    variants = [
        transcript(),
        transcript(initiator="alicf"),
        transcript(responder="boc"),
        transcript(initiator="bob", responder="alice"),
        transcript(initiator="aliceb", responder="ob"),
        transcript(key_ids=(UUID(int=2),)),
        transcript(policy=HybridPolicy(when_qkd_down=WhenDown.OTHER_ALONE)),
        transcript(policy=HybridPolicy(when_kem_down=WhenDown.OTHER_ALONE)),
        transcript(policy=HybridPolicy(qkd_bits=128)),
        transcript(nonces=(b"m" * 16, b"n" * 16)),
    ]
    assert len({key(KEM, QKD, one) for one in variants}) == len(variants)
    assert len({one.name for one in variants}) == len(variants)
    longer = transcript(policy=HybridPolicy(key_bits=512))
    assert not key(KEM, QKD, longer).startswith(key(KEM, QKD, transcript())[:32]), (
        "no key is a part of a longer one"
    )


def test_how_the_octets_fall_into_keys_is_bound() -> None:
    """The same bits from QKD as one key, as two, and as two others are three different keys."""
    ids = (UUID(int=1), UUID(int=2))
    whole = [KeyMaterial(QKD + KEM)]
    two = [KeyMaterial(QKD), KeyMaterial(KEM)]
    other = [KeyMaterial((QKD + KEM)[:24]), KeyMaterial((QKD + KEM)[24:])]
    made = [
        combine(
            KeyMaterial(KEM), parts, transcript(key_ids=ids[: len(parts)], qkd_sizes=tuple(map(len, parts)))
        ).key
        for parts in (whole, two, other)
    ]
    assert len({bytes(one.octets) for one in made}) == 3


def test_neither_secret_shows() -> None:
    """Structural: what comes out depends on both through HMAC only, and a hundred keys of one known secret have nothing in common."""
    about = transcript()
    known_kem = [key(KEM, sha256(b"%d" % one).digest(), about) for one in range(100)]
    known_qkd = [key(sha256(b"%d" % one).digest(), QKD, about) for one in range(100)]
    for many in (known_kem, known_qkd):
        assert len(set(many)) == 100
        # ones among 100 * 96 * 8 fair bits: outside of 6.5 sigma once in 1e10
        ones = sum(bin(int.from_bytes(one, "big")).count("1") for one in many)
        assert abs(ones - 38_400) < 6.5 * (76_800 / 4) ** 0.5
        # no bit position is the same in all: false alarm 768 * 2 * 2^-100
        both = int.from_bytes(many[0], "big")
        either = both
        for one in many:
            both &= int.from_bytes(one, "big")
            either |= int.from_bytes(one, "big")
        assert both == 0
        assert either == (1 << 768) - 1
    xored = bytes(a ^ b for a, b in zip(KEM, QKD, strict=True))
    assert key(KEM, QKD, about)[:32] not in (KEM, QKD, xored)


def test_tags_are_of_a_role_and_an_exchange() -> None:
    one = combine(KeyMaterial(KEM), [KeyMaterial(QKD)], transcript())
    other = combine(KeyMaterial(KEM), [KeyMaterial(QKD)], transcript(nonces=(b"x" * 16, b"m" * 16)))
    tags = {one.tag(True), one.tag(False), other.tag(True), other.tag(False)}
    assert len(tags) == 4
    assert one.confirms(True, one.tag(True))
    assert not one.confirms(True, one.tag(False))
    assert not one.confirms(False, one.tag(False)[:-1])
    assert "secret bits" in repr(one)
    assert KEM.hex() not in repr(one)
    one.wipe()
    assert repr(one.key) == "<wiped>"


def test_what_does_not_fit_is_refused() -> None:
    kem, qkd = KeyMaterial(KEM), KeyMaterial(QKD)
    with pytest.raises(InputError, match="set"):
        combine(None, [qkd], transcript())
    with pytest.raises(InputError, match="set"):
        combine(kem, [qkd], transcript(sources=Sources.QKD_ALONE, public=b"", ciphertext=b""))
    with pytest.raises(InputError, match="sizes"):
        combine(kem, [], transcript())
    with pytest.raises(InputError, match="sizes"):
        combine(kem, [KeyMaterial(QKD[:31])], transcript())
    with pytest.raises(InputError, match="secret of ML-KEM"):
        combine(KeyMaterial(KEM[:31]), [qkd], transcript())
    with pytest.raises(InputError, match="QKD keys"):
        combine(kem, [qkd], transcript(policy=HybridPolicy(qkd_bits=512)))


@pytest.mark.parametrize(
    "changes",
    [
        {"key_ids": ()},
        {"key_ids": (), "qkd_sizes": ()},
        {"key_ids": (UUID(int=1), UUID(int=1)), "qkd_sizes": (32, 32)},
        {"sources": Sources.KEM_ALONE},
        {"sources": Sources.QKD_ALONE},
        {"public": b""},
        {"ciphertext": b"c" * 1568},
        {"policy": HybridPolicy(kem=ParameterSet.ML_KEM_1024)},
        {"initiator": ""},
        {"responder": "bob\0"},
        {"nonces": (b"", b"m" * 16)},
    ],
)
def test_a_transcript_that_contradicts_itself(changes: dict) -> None:
    with pytest.raises(InputError):
        transcript(**changes)
