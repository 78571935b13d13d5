"""The nouns of key management: where bits came from, who a key is for, and what has become of it.

Times here are `Instant`, whole milliseconds of Unix time. The picoseconds of the rest of the program count from the start
of a run and would not fit a database's 64-bit integer as a date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeAlias
from uuid import UUID

from quantum_fabric.errors import InputError

Instant: TypeAlias = int
"""Milliseconds since 1970-01-01 UTC."""

_NAME: Final = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@%/]{1,64}")


def entity(name: str, where: str) -> str:
    """Check the name of an SAE or a KME: 1 to 64 characters of a URI (ETSI GS QKD 020 V1.1.1 on SAE IDs).

    Raises:
        InputError: it is something else.

    Examples:
        >>> entity("alice@bank", "SAE")
        'alice@bank'
    """
    if not _NAME.fullmatch(name):
        raise InputError(repr(name[:80]), "1 to 64 characters that a URI may hold", where)
    return name


class Origin(StrEnum):
    """Where key bits come from, and with that whether they can be secret at all."""

    QKD = "qkd"
    """Distilled by QKD hardware; secret under the assumptions of its proof."""

    TWIN = "twin"
    """Distilled on the simulated plant: the operator of the simulation can compute every bit."""

    TEST = "test"
    """Made from a published seed, for trials."""

    @property
    def secret(self) -> bool:
        """Whether anybody may rely on the bits."""
        return self is Origin.QKD


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known about key bits, to be handed on with them.

    Attributes:
        origin: see `Origin`.
        source: the link or session that made them.
        epsilon: composable failure probability of the block they come from, in [0, 1]; 1 promises nothing.
    """

    origin: Origin
    source: str
    epsilon: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.epsilon <= 1.0:
            raise InputError(str(self.epsilon), "a probability", "provenance.epsilon")


@dataclass(frozen=True, slots=True, order=True)
class Pool:
    """A stock of bits that two KMEs share.

    Two ends that cut keys out of one stock at the same time would use the same bits twice. So each stock belongs to one end,
    which cuts; the other only follows.

    Attributes:
        cutter: the KME that cuts keys out of it.
        follower: the KME that is told; the same one where both SAEs are at home there.
    """

    cutter: str
    follower: str


CELL_OCTETS: Final = 32
"""Blocks are cut into cells of this size, so that a key of 256 bits is one cell and nothing else need be opened."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Which octets of a block a key is made of: what one KME tells the other instead of the key.

    Attributes:
        block: name of the block, the same at both ends.
        offset: first octet.
        octets: how many.
    """

    block: UUID
    offset: int
    octets: int

    def __post_init__(self) -> None:
        if self.offset < 0 or self.octets < 1:
            raise InputError(f"{self.octets} octets from {self.offset}", "octets of a block", "slice")


@dataclass(frozen=True, slots=True)
class Cell:
    """A run of unused octets of a block.

    Attributes:
        pool: where it lies.
        block: of which block.
        offset: its first octet in the block.
        octets: how many.
        provenance: where the block came from.
    """

    pool: Pool
    block: UUID
    offset: int
    octets: int
    provenance: Provenance

    @property
    def identifier(self) -> UUID:
        """What its bits are sealed with: a name that no cell elsewhere has."""
        text = f"{self.pool.cutter}\0{self.pool.follower}\0{self.block}\0{self.offset}"
        octets = bytearray(sha256(text.encode()).digest()[:16])
        octets[6] = (octets[6] & 0x0F) | 0x80  # version 8, "custom", of RFC 9562
        octets[8] = (octets[8] & 0x3F) | 0x80
        return UUID(bytes=bytes(octets))


class State(StrEnum):
    """Where a key stands at this KME. It only ever moves forward."""

    RESERVED = "reserved"
    DELIVERED = "delivered"
    DESTROYED = "destroyed"


class End(StrEnum):
    """Why a key was destroyed."""

    CONSUMED = "consumed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """All that a KME knows of a key except its bits.

    Attributes:
        key_id: its name.
        bits: its size.
        master: the SAE that asked for it.
        slaves: every SAE that was named, here and elsewhere.
        awaiting: the SAEs at home here that have not had it yet, the master among them.
        unconfirmed: the KMEs that have yet to confirm that they hold it.
        created, expires: from when until when it may be handed out.
        provenance: the weakest of what it was cut from.
        state: see `State`.
        end: why it was destroyed; None before.
    """

    key_id: UUID
    bits: int
    master: str
    slaves: tuple[str, ...]
    awaiting: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    created: Instant
    expires: Instant
    provenance: Provenance
    state: State = State.RESERVED
    end: End | None = None

    def expired(self, now: Instant) -> bool:
        """Whether its time is over. A key from the future is treated as expired: the clock cannot be believed."""
        return now >= self.expires or now < self.created - CLOCK_TOLERANCE


CLOCK_TOLERANCE: Final[Instant] = 5_000
"""How far two readings of the clock may go backwards before keys are refused, in ms."""


def weakest(found: list[Provenance]) -> Provenance:
    """The provenance of a key that was joined from several: least trusted origin, failure probabilities added.

    Equation:
        union bound: ``epsilon = min(1, sum of distinct sources' epsilon)``.

    Examples:
        >>> a, b = Provenance(Origin.QKD, "x", 1e-10), Provenance(Origin.TEST, "y", 1.0)
        >>> weakest([a, b])
        Provenance(origin=<Origin.TEST: 'test'>, source='x+y', epsilon=1.0)
    """
    distinct = list(dict.fromkeys(found))
    if len(distinct) == 1:
        return distinct[0]
    order = (Origin.TEST, Origin.TWIN, Origin.QKD)
    return Provenance(
        min((one.origin for one in distinct), key=order.index),
        "+".join(dict.fromkeys(one.source for one in distinct)),
        min(1.0, sum(one.epsilon for one in distinct)),
    )
