"""ML-KEM against published vectors, an implementation that shares no code, and the formulas of FIPS 203."""

from __future__ import annotations

import base64
import json
from hashlib import sha256, shake_256
from pathlib import Path

import pytest

from quantum_fabric.errors import InputError
from quantum_fabric.keys import KeyMaterial
from quantum_fabric.keys.hybrid import KemKey, ParameterSet, encapsulate

BOTH = list(ParameterSet)
FOREIGN = json.loads(Path(__file__).with_name("mlkem_vectors.json").read_text())["cases"]

# C2SP Wycheproof, mlkem_768_test.json and mlkem_1024_test.json, tcId 1 (S): seed d || z, then the first and last octets of the
# encapsulation key. The files of NIST's ACVP-Server that we could reach date from before FIPS 203 was final (their key generation
# leaves out the octet k of its algorithm 13, line 1), so they are no vectors of ML-KEM.
PUBLISHED = {
    ParameterSet.ML_KEM_768: (
        "cbfc4405d1b2a3a386c94c25e0f2d5f5ee92cb0388ff4d6aa04223086d51c3fd"
        "24752da14c9fc3b8ae0d9e4a8b1016b8d8fc69e229c03ea2ef08a4ae0cffc37f",
        "8b9a7354e8c1c17a9898f96caf99bba1c625ae0983c4d26e60c12f59bc25d756",
        "bf59fbfcaedc13284b9813cabdd526e326a6832d3b36efc3102ef",
    ),
    ParameterSet.ML_KEM_1024: (
        "8247c17686a8bc0b3afebe6bed1df1dc3ff7fa07c3670f624930235f20aecb43"
        "53ece11faa61f47d946ee501abb9a48029096de63b243a1794c4a760f98cc157",
        "a22bc758f65682632313e5c786952a5a144e9747791a4a382c74618b879e6fd8",
        "a862d128410ed993d5e6b3f011342518beb7be48573d1adb2b712ebe6f7b79802ff3",
    ),
}


def octets(name: str, number: int, what: str) -> bytes:
    """Seeds of the foreign vectors."""
    return sha256(f"quantum-fabric {name} {number} {what}".encode()).digest()


@pytest.mark.parametrize("parameters", BOTH)
def test_key_generation_as_published(parameters: ParameterSet) -> None:
    seed, begin, end = PUBLISHED[parameters]
    public = KemKey(parameters, KeyMaterial(bytes.fromhex(seed))).public
    assert public.hex().startswith(begin)
    assert public.hex().endswith(end)


@pytest.mark.parametrize("case", FOREIGN, ids=lambda case: f"{case['parameters']} {case['number']}")
def test_what_another_implementation_encapsulated(case: dict) -> None:
    name, number = case["parameters"], case["number"]
    seed = octets(name, number, "d") + octets(name, number, "z")
    key = KemKey(ParameterSet(name), KeyMaterial(seed))
    assert sha256(key.public).hexdigest() == case["public_sha256"]
    secret = key.open(base64.b64decode(case["ciphertext"]))
    assert secret.octets.hex() == case["secret"]


@pytest.mark.parametrize("parameters", BOTH)
def test_a_changed_ciphertext_is_rejected_implicitly(parameters: ParameterSet) -> None:
    """FIPS 203, algorithm 18: the secret is then J(z || c) = SHAKE-256(z || c)."""
    z = bytes(range(32))
    key = KemKey(parameters, KeyMaterial(b"d" * 32 + z))
    secret, ciphertext = encapsulate(parameters, key.public)
    assert key.open(ciphertext) == secret
    for at in (0, 500, len(ciphertext) - 1):
        changed = bytearray(ciphertext)
        changed[at] ^= 1
        assert key.open(bytes(changed)) == KeyMaterial(shake_256(z + changed).digest(32))


@pytest.mark.parametrize("parameters", BOTH)
def test_sizes(parameters: ParameterSet) -> None:
    key = KemKey(parameters)
    secret, ciphertext = encapsulate(parameters, key.public)
    assert (len(key.public), len(ciphertext), len(secret)) == (
        parameters.public_octets, parameters.ciphertext_octets, 32
    )  # fmt: skip
    for wrong in (b"", ciphertext[:-1], ciphertext + b"\0"):
        with pytest.raises(InputError, match="ciphertext"):
            key.open(wrong)
    for wrong in (b"", key.public[:-1], key.public + b"\0"):
        with pytest.raises(InputError, match="public key"):
            encapsulate(parameters, wrong)
    with pytest.raises(InputError, match="seed"):
        KemKey(parameters, KeyMaterial(bytes(63)))


@pytest.mark.parametrize("parameters", BOTH)
@pytest.mark.parametrize(("place", "good"), [(0, True), (0, False), (383, False), (1, False)])
def test_a_public_key_that_is_not_reduced_is_refused(
    parameters: ParameterSet, place: int, good: bool
) -> None:
    """FIPS 203, section 7.2: every coefficient must be below q = 3329. 3328 is taken, 3329 is not, in either half."""
    public = bytearray(KemKey(parameters).public)
    low = 3328 if good else 3329
    at = 3 * (place // 2)
    if place % 2 == 0:
        public[at], public[at + 1] = low & 0xFF, (public[at + 1] & 0xF0) | low >> 8
    else:
        public[at + 1], public[at + 2] = (public[at + 1] & 0x0F) | (low & 0x0F) << 4, low >> 4
    if good:
        encapsulate(parameters, bytes(public))
    else:
        with pytest.raises(InputError, match="3329"):
            encapsulate(parameters, bytes(public))


def test_the_private_half_does_not_print() -> None:
    seed = bytes(range(64))
    key = KemKey(ParameterSet.ML_KEM_768, KeyMaterial(seed))
    assert f"{key} {key!r}" == "<private key of ML-KEM-768> <private key of ML-KEM-768>"
    assert not hasattr(key, "__dict__"), "no tool that lists fields finds it"
