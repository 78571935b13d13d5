"""What the two ends say to each other. Nothing in it is secret; each message has one code in octets, to be sent and signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from quantum_fabric.errors import InputError
from quantum_fabric.keys.hybrid.framing import pack, texts, unpack, words
from quantum_fabric.keys.hybrid.policy import Sources
from quantum_fabric.keys.records import entity

_OFFER: Final = b"quantum-fabric hybrid offer 1"
_ANSWER: Final = b"quantum-fabric hybrid answer 1"
_CONFIRMATION: Final = b"quantum-fabric hybrid confirmation 1"


@dataclass(frozen=True, slots=True)
class Offer:
    """The initiator begins.

    Attributes:
        initiator, responder: who wants a key with whom.
        policy: its rule, `HybridPolicy.text`.
        sources: what the key is to be made from.
        key_ids: the QKD keys that it took ("Get key"), which the responder takes by these names.
        public: its ML-KEM encapsulation key; empty where ML-KEM does not take part.
        nonce: 16 random octets.

    Examples:
        >>> offer = Offer("alice", "bob", "...", Sources.QKD_ALONE, (UUID(int=1),), b"", b"n" * 16)
        >>> Offer.read(offer.octets) == offer
        True
    """

    initiator: str
    responder: str
    policy: str
    sources: Sources
    key_ids: tuple[UUID, ...]
    public: bytes
    nonce: bytes

    @property
    def octets(self) -> bytes:
        """As it is sent."""
        names = words([self.initiator, self.responder, self.policy, self.sources.value])
        return pack([_OFFER, names, pack([one.bytes for one in self.key_ids]), self.public, self.nonce])

    @classmethod
    def read(cls, octets: bytes) -> Offer:
        """Read one.

        Raises:
            InputError: something else.
        """
        _, names, key_ids, public, nonce = _parts(octets, _OFFER, 5, "offer")
        found = texts(names, "offer")
        if len(found) != 4 or found[3] not in set(Sources) or len(nonce) != 16 or len(public) > 1568:
            raise InputError("something else", "names, policy, sources, public key, nonce", "offer")
        ids = unpack(key_ids, "offer")
        if any(len(one) != 16 for one in ids):
            raise InputError("something else", "key identifiers", "offer")
        return cls(
            entity(found[0], "initiator"),
            entity(found[1], "responder"),
            found[2],
            Sources(found[3]),
            tuple(UUID(bytes=one) for one in ids),
            public,
            nonce,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The responder's part, and the proof that it has the key.

    Attributes:
        ciphertext: of ML-KEM; empty where ML-KEM does not take part.
        nonce: 16 random octets.
        tag: `Combined.tag` of the responder.
    """

    ciphertext: bytes
    nonce: bytes
    tag: bytes

    @property
    def octets(self) -> bytes:
        """As it is sent."""
        return pack([_ANSWER, self.ciphertext, self.nonce, self.tag])

    @classmethod
    def read(cls, octets: bytes) -> Answer:
        """Read one.

        Raises:
            InputError: something else.
        """
        _, ciphertext, nonce, tag = _parts(octets, _ANSWER, 4, "answer")
        if len(nonce) != 16 or len(tag) != 32 or len(ciphertext) > 1568:
            raise InputError("something else", "ciphertext, nonce, tag", "answer")
        return cls(ciphertext, nonce, tag)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The initiator's proof that it has the key.

    Attributes:
        tag: `Combined.tag` of the initiator.
    """

    tag: bytes

    @property
    def octets(self) -> bytes:
        """As it is sent."""
        return pack([_CONFIRMATION, self.tag])

    @classmethod
    def read(cls, octets: bytes) -> Confirmation:
        """Read one.

        Raises:
            InputError: something else.
        """
        _, tag = _parts(octets, _CONFIRMATION, 2, "confirmation")
        if len(tag) != 32:
            raise InputError("something else", "a tag", "confirmation")
        return cls(tag)


def _parts(octets: bytes, label: bytes, number: int, where: str) -> list[bytes]:
    parts = unpack(octets, where)
    if len(parts) != number or parts[0] != label:
        raise InputError("another message", where, where)
    return parts
