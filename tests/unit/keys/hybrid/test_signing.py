"""ML-DSA where a certificate says so, and every way round it that we could think of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import InputError
from quantum_fabric.keys.hybrid import Algorithm, Certified, Signed, Signer, certified, required, verify
from quantum_fabric.keys.hybrid.signing import ALL, SignatureError

NOW = datetime.now(UTC)
KEYS = {
    Algorithm.ECDSA_P256: ec.generate_private_key(ec.SECP256R1()),
    Algorithm.ML_DSA_44: mldsa.MLDSA44PrivateKey.generate(),
    Algorithm.ML_DSA_65: mldsa.MLDSA65PrivateKey.generate(),
    Algorithm.ML_DSA_87: mldsa.MLDSA87PrivateKey.generate(),
}
CLASSICAL, MIXED = [Algorithm.ECDSA_P256], [Algorithm.ECDSA_P256, Algorithm.ML_DSA_65]
CA = {"ec": ec.generate_private_key(ec.SECP256R1()), "ml-dsa": mldsa.MLDSA87PrivateKey.generate()}


def certificate(
    key, issuer: str = "ec", uri: str = "qkd://kme/kme-a", days: int = 1, signs: bool = True, ca: bool = False
):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    usage = x509.KeyUsage(signs, False, False, False, False, ca, ca, False, False)
    private = CA[issuer]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=2))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False)
        .add_extension(usage, critical=True)
        .sign(private, SHA256() if issuer == "ec" else None)
    )


def held(algorithms, name: str = "kme-a") -> list[Certified]:
    return [Certified(name, one, KEYS[one].public_key()) for one in algorithms]


def signer(algorithms=MIXED) -> Signer:
    return Signer("kme-a", [KEYS[one] for one in algorithms])


@pytest.mark.parametrize("issuer", ["ec", "ml-dsa"])
@pytest.mark.parametrize("algorithm", ALL)
def test_a_certificate_says_what_signatures_are(issuer: str, algorithm: Algorithm) -> None:
    authority = certificate(CA[issuer], issuer, ca=True)
    found = certified(certificate(KEYS[algorithm], issuer), authority, "qkd://kme/kme-a", NOW)
    assert (found.name, found.algorithm) == ("kme-a", algorithm)
    message = signer([algorithm]).sign("kme-b", "offer", 1, b"body")
    assert verify(Signed.read(message.octets), [found], "kme-b", "offer", 0) == b"body"


def test_certificates_that_are_not_taken() -> None:
    key, authority = KEYS[Algorithm.ML_DSA_65], certificate(CA["ec"], "ec", ca=True)
    other = certificate(CA["ml-dsa"], "ml-dsa", ca=True)
    uri = "qkd://kme/kme-a"
    with pytest.raises(SignatureError, match="this CA"):
        certified(certificate(key), other, uri, NOW)
    with pytest.raises(SignatureError, match="time"):
        certified(certificate(key, days=-1), authority, uri, NOW)
    with pytest.raises(SignatureError, match="signatures of"):
        certified(certificate(key, uri="qkd://sae/kme-a"), authority, uri, NOW)
    with pytest.raises(SignatureError, match="signatures of"):
        certified(certificate(key, signs=False), authority, uri, NOW)
    with pytest.raises(SignatureError, match="no algorithm"):
        certified(certificate(ec.generate_private_key(ec.SECP384R1())), authority, uri, NOW)


@pytest.mark.parametrize("mine", [[one] for one in ALL] + [MIXED, list(ALL)])
def test_the_strongest_that_both_know_is_negotiated(mine: list[Algorithm]) -> None:
    message = signer(mine).sign("kme-b", "offer", 7, b"body")
    assert message.algorithm is max(mine, key=lambda one: one.rank)
    assert verify(message, held(mine), "kme-b", "offer", 6) == b"body"


def test_a_receiver_that_knows_less() -> None:
    """Negotiated down by the receiver's own setting, by nobody else."""
    message = signer().sign("kme-b", "offer", 1, b"x", known=CLASSICAL)
    assert message.algorithm is Algorithm.ECDSA_P256
    assert verify(message, held(MIXED), "kme-b", "offer", 0, known=CLASSICAL) == b"x"
    with pytest.raises(SignatureError, match="ask for ML-DSA-65"):
        verify(message, held(MIXED), "kme-b", "offer", 0)
    with pytest.raises(SignatureError, match="no algorithm"):
        signer(CLASSICAL).sign("kme-b", "offer", 1, b"x", known=[Algorithm.ML_DSA_65])
    with pytest.raises(SignatureError, match="allowed here"):
        required(held(CLASSICAL), known=[Algorithm.ML_DSA_65])


def test_no_downgrade() -> None:
    """An adversary who can forge ECDSA (a quantum computer) signs as kme-a with its broken ECDSA key."""
    broken = signer(CLASSICAL).sign("kme-b", "offer", 1, b"evil")
    claims = [broken, replace(broken, algorithm=Algorithm.ML_DSA_65), replace(broken, offered=tuple(MIXED))]
    relabelled = Signer("kme-a", [KEYS[Algorithm.ECDSA_P256]])
    relabelled.offered = tuple(MIXED)
    claims.append(relabelled.sign("kme-b", "offer", 1, b"evil", known=CLASSICAL))
    for forged in claims:
        with pytest.raises(SignatureError):
            verify(forged, held(MIXED), "kme-b", "offer", 0)


def test_a_certificate_that_was_kept_from_us_shows() -> None:
    """The receiver was only ever shown the classical certificate; the sender's list, under its signature, names both."""
    message = signer().sign("kme-b", "offer", 1, b"x", known=CLASSICAL)
    with pytest.raises(SignatureError, match="kept from us"):
        verify(message, held(CLASSICAL), "kme-b", "offer", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": "kme-c"}, {"receiver": "kme-c"}, {"purpose": "answer"}, {"number": 2}, {"body": b"other"},
        {"signature": b""}, {"signature": bytes(3309)}, {"offered": (Algorithm.ML_DSA_65,)},
        {"algorithm": Algorithm.ML_DSA_87},
    ],
)  # fmt: skip
def test_every_part_is_covered(changes: dict) -> None:
    message = signer().sign("kme-b", "offer", 1, b"body")
    assert verify(message, held(MIXED), "kme-b", "offer", 0) == b"body"
    with pytest.raises(SignatureError):
        verify(replace(message, **changes), held(MIXED), "kme-b", "offer", 0)


def test_replays_and_strangers() -> None:
    message = signer().sign("kme-b", "offer", 5, b"body")
    for after, receiver, purpose in (
        (5, "kme-b", "offer"),
        (9, "kme-b", "offer"),
        (0, "kme-c", "offer"),
        (0, "kme-b", "x"),
    ):
        with pytest.raises(SignatureError):
            verify(message, held(MIXED), receiver, purpose, after)
    with pytest.raises(SignatureError):
        verify(message, held(MIXED, "kme-c"), "kme-b", "offer", 0)
    with pytest.raises(SignatureError):
        verify(message, [], "kme-b", "offer", 0)
    with pytest.raises(SignatureError):
        verify(message, held(CLASSICAL) + held([Algorithm.ML_DSA_65], "kme-c"), "kme-b", "offer", 0)


@given(at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_octet_of_a_signed_message(at: int, flip: int) -> None:
    octets = bytearray(signer().sign("kme-b", "offer", 1, b"body").octets)
    octets[at % len(octets)] ^= flip
    with pytest.raises((SignatureError, InputError)):
        verify(Signed.read(bytes(octets)), held(MIXED), "kme-b", "offer", 0)


@given(octets=st.binary(max_size=200))
def test_rubbish(octets: bytes) -> None:
    with pytest.raises(InputError):
        Signed.read(octets)


def test_a_signer_does_not_print_its_keys() -> None:
    assert repr(signer()) == "<signer kme-a: ECDSA-P256-SHA256, ML-DSA-65>"
    with pytest.raises(InputError):
        Signer("kme-a", [])
    with pytest.raises(InputError):
        Signer("kme-a", [KEYS[Algorithm.ECDSA_P256]] * 2)
