"""All that both ends must agree on before their keys are equal: who, from what, under which rule."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha384
from typing import Final
from uuid import UUID

from quantum_fabric.errors import InputError
from quantum_fabric.keys.hybrid.framing import pack, words
from quantum_fabric.keys.hybrid.policy import HybridPolicy, Sources
from quantum_fabric.keys.records import entity

VERSION: Final = b"quantum-fabric hybrid key 1"
"""First part of every transcript; another version is another key."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is bound into a key.

    Attributes:
        initiator, responder: SAE (or KME) identifiers. Their order counts: a key of alice to bob is none of bob to alice.
        key_ids: of the QKD keys that go in, in the order in which their bits are joined.
        qkd_sizes: octets of each of them, so that the joined bits have one reading.
        public: the initiator's ML-KEM encapsulation key; empty where ML-KEM does not take part.
        ciphertext: the responder's answer to it.
        policy: the rule of both ends.
        sources: what the key is made from.
        nonces: a random one of each end, so that no two exchanges are alike even where ML-KEM does not take part.

    Raises:
        InputError: parts that contradict `sources`, or a name that is none.

    Equation:
        ``octets`` is an injective code of all fields (`quantum_fabric.keys.hybrid.framing`), beginning with the version.

    Examples:
        >>> transcript = Transcript("alice", "bob", (UUID(int=1),), (32,), b"", b"",
        ...                         HybridPolicy(), Sources.QKD_ALONE, (b"n" * 16, b"m" * 16))
        >>> transcript.name
        UUID('8e5d2cc6-b298-8d35-ac1e-6843f33182dc')
    """

    initiator: str
    responder: str
    key_ids: tuple[UUID, ...]
    qkd_sizes: tuple[int, ...]
    public: bytes
    ciphertext: bytes
    policy: HybridPolicy
    sources: Sources
    nonces: tuple[bytes, bytes]

    def __post_init__(self) -> None:
        entity(self.initiator, "initiator")
        entity(self.responder, "responder")
        qkd, kem = self.sources is not Sources.KEM_ALONE, self.sources is not Sources.QKD_ALONE
        if len(self.key_ids) != len(self.qkd_sizes) or bool(self.key_ids) != qkd:
            raise InputError(f"{len(self.key_ids)} QKD keys", f"what '{self.sources}' needs", "transcript")
        sizes = (len(self.public), len(self.ciphertext))
        wanted = (self.policy.kem.public_octets, self.policy.kem.ciphertext_octets) if kem else (0, 0)
        if sizes != wanted:
            raise InputError(f"ML-KEM parts of {sizes} octets", f"{wanted} octets", "transcript")
        if len(set(self.key_ids)) != len(self.key_ids):
            raise InputError("one QKD key twice", "different ones", "transcript")
        if any(len(nonce) != 16 for nonce in self.nonces):
            raise InputError("nonces of another size", "16 octets each", "transcript")

    @property
    def octets(self) -> bytes:
        """The injective code."""
        return pack(
            [
                VERSION,
                self.initiator.encode(),
                self.responder.encode(),
                pack([one.bytes for one in self.key_ids]),
                words([str(size) for size in self.qkd_sizes]),
                self.public,
                self.ciphertext,
                self.policy.text.encode(),
                self.sources.value.encode(),
                *self.nonces,
            ]
        )

    @property
    def name(self) -> UUID:
        """A name for the key, the same at both ends; says nothing about it."""
        octets = bytearray(sha384(b"name\0" + self.octets).digest()[:16])
        octets[6] = (octets[6] & 0x0F) | 0x80  # version 8, "custom", of RFC 9562
        octets[8] = (octets[8] & 0x3F) | 0x80
        return UUID(bytes=bytes(octets))
