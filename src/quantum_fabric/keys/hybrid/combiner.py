"""One key from two secrets: the two-step key derivation of NIST SP 800-56C rev. 2, with HMAC-SHA-384.

Why this one
    NIST SP 800-227 (2025), section 4.6, lets a scheme join the secret of an approved KEM with others, and asks for a key
    combiner of SP 800-56C or SP 800-133 with the approved secret first. SP 800-56C rev. 2 takes the concatenation
    ``Z' = Z || T`` of an approved shared secret and another one wherever it takes ``Z``. Its two-step method with HMAC is HKDF
    (RFC 5869), which has public test vectors and is in every library. The one-step method was left because it puts secrets
    and public data into one hash call; the cascade of ETSI TS 103 744 (CasKDF) because its test vectors were not at hand, and
    a conformance that nobody has tested is none. (Sections of SP 800-227 and TS 103 744 as reported by others: R.)

Why either secret alone is enough
    Let HMAC-SHA-384 be a random oracle. An adversary who knows all of ``Z'`` but one secret of 256 bits that is uniform to it
    learns the key-derivation key only by asking for that very ``Z'``: at most ``q / 2^256`` for q questions (a Grover search
    needs about 2^128). The lengths of both parts are fixed by the transcript, so ``Z'`` has one reading. The ciphertext, the
    public key and the identifiers go into the expansion: a key is good for one exchange between two named ends, and an
    adversary who can change one of them gets another key and not a related one. Without the ciphertext in the context, breaking
    the other source would let an attack on a chosen ciphertext through (Giacon, Heuer and Poettering, PKC 2018).

Limits
    That is an argument in the random-oracle model. A QKD key with composable failure probability epsilon is uniform except with
    that probability, and one from the twin or a test source is not secret at all: the key then rests on ML-KEM alone. The
    information-theoretic security of QKD does not survive *any* derivation like this one; what survives is security against
    whoever cannot break HMAC-SHA-384.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quantum_fabric.errors import InputError
from quantum_fabric.keys.hybrid.kem import SECRET_OCTETS
from quantum_fabric.keys.hybrid.policy import Sources
from quantum_fabric.keys.hybrid.transcript import Transcript
from quantum_fabric.keys.material import KeyMaterial

TAG_OCTETS: Final = 32


@dataclass(frozen=True, slots=True)
class Combined:
    """What comes out: a key, and a secret for each end to confirm with.

    Attributes:
        transcript: what it is bound to.
        key: the key.
        confirming: of the initiator, and of the responder.
    """

    transcript: Transcript
    key: KeyMaterial
    confirming: tuple[KeyMaterial, KeyMaterial]

    def tag(self, initiator: bool) -> bytes:
        """What one end shows to prove that it has the key (SP 800-56A rev. 3, section 5.9: a MAC under a key of its own)."""
        secret = self.confirming[0 if initiator else 1]
        role = b"initiator confirms\0" if initiator else b"responder confirms\0"
        return hmac.digest(bytes(secret.octets), role + self.transcript.octets, "sha384")[:TAG_OCTETS]

    def confirms(self, initiator: bool, tag: bytes) -> bool:
        """Whether a tag is that end's; in a time that does not depend on where it differs."""
        return hmac.compare_digest(self.tag(initiator), tag)

    def wipe(self) -> None:
        """Overwrite the key and what confirms it."""
        for secret in (self.key, *self.confirming):
            secret.wipe()


def combine(kem: KeyMaterial | None, qkd: Sequence[KeyMaterial], transcript: Transcript) -> Combined:
    """Derive a key. The secrets are left as they are: the caller wipes them.

    Args:
        kem: shared secret of ML-KEM; None where the transcript says that it does not take part.
        qkd: the QKD keys, in the order of the transcript's identifiers; none where they do not take part.
        transcript: what the key is bound to.

    Raises:
        InputError: secrets that are not what the transcript says.

    Equation:
        ``Z' = K_ML-KEM || K_QKD,1 || K_QKD,2 ...``;
        ``KDK = HMAC-SHA-384(0^48, Z')`` (extraction; the salt is the default one of SP 800-56C);
        ``key || c_initiator || c_responder = HKDF-Expand(KDK, transcript)`` (RFC 5869, section 2.3).

    Examples:
        >>> from uuid import UUID
        >>> from quantum_fabric.keys.hybrid.policy import HybridPolicy
        >>> transcript = Transcript("alice", "bob", (UUID(int=1),), (32,), b"", b"",
        ...                         HybridPolicy(), Sources.QKD_ALONE, (b"n" * 16, b"m" * 16))
        >>> combine(None, [KeyMaterial(bytes(32))], transcript).key
        <256 secret bits>
    """
    if (kem is not None) is (transcript.sources is Sources.QKD_ALONE):
        raise InputError("another set of secrets", f"those of '{transcript.sources}'", "combine")
    if kem is not None and len(kem) != SECRET_OCTETS:
        raise InputError(f"{kem.bits} bits", f"{8 * SECRET_OCTETS} bits", "secret of ML-KEM")
    if tuple(len(one) for one in qkd) != transcript.qkd_sizes:
        raise InputError("QKD keys of other sizes", "those of the transcript", "combine")
    if qkd and 8 * sum(transcript.qkd_sizes) < transcript.policy.qkd_bits:
        raise InputError(
            f"{8 * sum(transcript.qkd_sizes)} bits", f"{transcript.policy.qkd_bits} or more", "QKD keys"
        )
    joined = bytearray()
    for secret in (*([kem] if kem is not None else []), *qkd):
        joined += secret.octets
    size = transcript.policy.key_bits // 8
    try:
        derived = bytearray(
            HKDF(SHA384(), size + 2 * TAG_OCTETS, salt=None, info=transcript.octets).derive(joined)
        )
    finally:
        joined[:] = bytes(len(joined))
    key, one, other = KeyMaterial(derived).split([size, TAG_OCTETS, TAG_OCTETS])
    derived[:] = bytes(len(derived))
    return Combined(transcript, key, (one, other))
