"""Signatures of the control plane with ML-DSA (FIPS 204), where a certificate says so, and no way round them.

Python's own TLS cannot use ML-DSA before OpenSSL 3.5. So what KMEs (or SAEs) say to each other can be signed one by one, under a
key that an X.509 certificate of the same CA gives to the same name (RFC 9881 says how ML-DSA stands in certificates).

No downgrade
    What a signature must be is decided before a message is looked at: by `required`, from the certificates of the sender that the
    receiver holds and the algorithms that the receiver knows. A message says which algorithm signed it so that it can be
    refused, not so that it can choose. The signer puts the list of its algorithms under the signature; a receiver to whom some
    of its certificates were never shown sees that from the first message that arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.hashes import SHA256

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.keys.hybrid.framing import pack, texts, unpack, words
from quantum_fabric.keys.records import entity

_LABEL: Final = b"quantum-fabric control plane 1"

PrivateKey: TypeAlias = (
    ec.EllipticCurvePrivateKey | mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
)
PublicKey: TypeAlias = (
    ec.EllipticCurvePublicKey | mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
)


class SignatureError(StateError):
    """A message is not signed as its sender's certificates say that it must be."""


class Algorithm(StrEnum):
    """Of a signature; the later ones are preferred."""

    ECDSA_P256 = "ECDSA-P256-SHA256"
    """No protection from a quantum computer."""

    ML_DSA_44 = "ML-DSA-44"
    ML_DSA_65 = "ML-DSA-65"
    ML_DSA_87 = "ML-DSA-87"

    @property
    def rank(self) -> int:
        """Higher is preferred."""
        return list(Algorithm).index(self)


ALL: Final = tuple(Algorithm)


@dataclass(frozen=True, slots=True)
class Certified:
    """A key that a CA gives to a name.

    Attributes:
        name: of the KME or SAE.
        algorithm: what its signatures are.
        key: the public key.
    """

    name: str
    algorithm: Algorithm
    key: PublicKey


def certified(
    certificate: x509.Certificate, authority: x509.Certificate, uri: str, now: datetime
) -> Certified:
    """Check a certificate that is meant for signatures.

    Args:
        certificate: of the signer.
        authority: the CA that must have issued it, directly.
        uri: the one name it must have (``qkd://kme/NAME``); the name is its last part.
        now: the time, with zone.

    Raises:
        SignatureError: another issuer, another name, or not its time.
    """
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        raise SignatureError(f"the certificate for {uri} is not of this CA") from None
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SignatureError(f"the certificate for {uri} is out of its time")
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise SignatureError("a certificate without a name or a usage") from None
    if uris != [uri] or not usage.digital_signature:
        raise SignatureError(f"a certificate that is not for signatures of {uri}")
    key = certificate.public_key()
    return Certified(entity(unquote(uri.rpartition("/")[2]), "name"), _algorithm(key), key)  # type: ignore[arg-type]


def required(held: Sequence[Certified], known: Sequence[Algorithm] = ALL) -> Certified:
    """What the signatures of a sender must be: the strongest that it is certified for and the receiver knows.

    Args:
        held: the certified keys of one sender.
        known: the algorithms that the receiver can check, and allows.

    Raises:
        SignatureError: there is none, or they are of several senders.
    """
    usable = [one for one in held if one.algorithm in known]
    if not usable or len({one.name for one in held}) != 1:
        raise SignatureError("no certificate of this sender is for an algorithm that is allowed here")
    return max(usable, key=lambda one: one.algorithm.rank)


@dataclass(frozen=True, slots=True)
class Signed:
    """A message with its signature.

    Attributes:
        sender, receiver: whose, and for whom; a message to one is none to another.
        purpose: what it is; a signed offer is no signed answer.
        number: rises with each message of a sender to a receiver, so that old ones are known as such.
        algorithm: of the signature.
        offered: all algorithms that the sender is certified for.
        body: what is said.
        signature: over all of it.
    """

    sender: str
    receiver: str
    purpose: str
    number: int
    algorithm: Algorithm
    offered: tuple[Algorithm, ...]
    body: bytes
    signature: bytes

    @property
    def covered(self) -> bytes:
        """What is signed."""
        return pack(
            [
                _LABEL,
                words([self.sender, self.receiver, self.purpose, str(self.number), self.algorithm]),
                words(self.offered),
                self.body,
            ]
        )

    @property
    def octets(self) -> bytes:
        """As it is sent."""
        return pack([self.covered, self.signature])

    @classmethod
    def read(cls, octets: bytes) -> Signed:
        """Read one; nothing is checked yet but the form.

        Raises:
            InputError: something else.
        """
        whole = unpack(octets, "signed message")
        parts = unpack(whole[0], "signed message") if len(whole) == 2 else []
        head = texts(parts[1], "signed message") if len(parts) == 4 and parts[0] == _LABEL else ()
        if len(head) != 5 or not (head[3].isascii() and head[3].isdigit() and len(head[3]) < 19):
            raise InputError("something else", "a signed message", "signed message")
        try:
            algorithm = Algorithm(head[4])
            offered = tuple(Algorithm(one) for one in texts(parts[2], "signed message"))
        except ValueError:
            raise InputError("an algorithm that is not known", str(list(ALL)), "signed message") from None
        found = cls(
            entity(head[0], "sender"), entity(head[1], "receiver"), head[2], int(head[3]), algorithm, offered,
            parts[3], whole[1],
        )  # fmt: skip
        if found.covered != whole[0]:  # "01" and "1" would be two codes of one message
            raise InputError("another code of the message", "the one code it has", "signed message")
        return found


class Signer:
    """One end's private keys; signs with whatever the receiver requires of it, and no weaker.

    Args:
        name: its own.
        keys: the private keys that it is certified for.

    Raises:
        InputError: no keys, or two for one algorithm.
    """

    def __init__(self, name: str, keys: Sequence[PrivateKey]) -> None:
        self.name = entity(name, "signer")
        self.__keys = {_algorithm(key.public_key()): key for key in keys}
        if not keys or len(self.__keys) != len(keys):
            raise InputError(f"{len(keys)} keys", "one or more, of different algorithms", f"signer {name}")
        self.offered = tuple(sorted(self.__keys, key=lambda one: one.rank))

    def sign(
        self, receiver: str, purpose: str, number: int, body: bytes, known: Sequence[Algorithm] = ALL
    ) -> Signed:
        """Sign a message.

        Args:
            receiver: for whom.
            purpose: what it is.
            number: above that of the message before.
            body: what is said.
            known: what the receiver can check.

        Raises:
            SignatureError: the receiver knows none of this end's algorithms.
        """
        both = [one for one in self.offered if one in known]
        if not both:
            raise SignatureError(f"{receiver} knows no algorithm that {self.name} signs with")
        plain = Signed(self.name, receiver, purpose, number, both[-1], self.offered, body, b"")
        key = self.__keys[both[-1]]
        covered = plain.covered
        if isinstance(key, ec.EllipticCurvePrivateKey):
            signature = key.sign(covered, ec.ECDSA(SHA256()))
        else:
            signature = key.sign(covered)
        return Signed(self.name, receiver, purpose, number, both[-1], self.offered, body, signature)

    def __repr__(self) -> str:
        """Whose it is and what it can, not the keys."""
        return f"<signer {self.name}: {', '.join(self.offered)}>"


def verify(
    message: Signed,
    held: Sequence[Certified],
    receiver: str,
    purpose: str,
    after: int,
    known: Sequence[Algorithm] = ALL,
) -> bytes:
    """Check a message before anything in it is believed.

    Args:
        message: what came.
        held: the certified keys of the sender it must be from.
        receiver: this end.
        purpose: what it must be.
        after: number of the last message of this sender; this one must be above.
        known: what is allowed here.

    Returns:
        The body.

    Raises:
        SignatureError: another sender, receiver or purpose; an old message; a weaker algorithm than the sender is certified
            for; a list of algorithms that is not what its certificates say; a signature that is not good.
    """
    key = required(held, known)
    if (message.sender, message.receiver, message.purpose) != (key.name, receiver, purpose):
        raise SignatureError("a message from or for somebody else, or for another purpose")
    if message.number <= after:
        raise SignatureError(f"message {message.number} of {message.sender} comes after {after}: a replay")
    if message.algorithm is not key.algorithm:
        raise SignatureError(
            f"signed with {message.algorithm}; the certificates of {key.name} ask for {key.algorithm}"
        )
    if set(message.offered) != {one.algorithm for one in held}:
        raise SignatureError(
            f"{key.name} names other algorithms than its certificates: one of them is kept from us"
        )
    try:
        if isinstance(key.key, ec.EllipticCurvePublicKey):
            key.key.verify(message.signature, message.covered, ec.ECDSA(SHA256()))
        else:
            key.key.verify(message.signature, message.covered)
    except InvalidSignature:
        raise SignatureError(f"the signature is not that of {key.name}") from None
    return message.body


def _algorithm(key: object) -> Algorithm:
    match key:
        case mldsa.MLDSA44PublicKey():
            return Algorithm.ML_DSA_44
        case mldsa.MLDSA65PublicKey():
            return Algorithm.ML_DSA_65
        case mldsa.MLDSA87PublicKey():
            return Algorithm.ML_DSA_87
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return Algorithm.ECDSA_P256
    raise SignatureError("a key for no algorithm that is known here")
