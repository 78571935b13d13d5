"""Key streams in the words of ETSI GS QKD 004 V2.1.1 (2020-08): two ends that read the same chunks by their index. Nouns only.

A chunk is an ordinary key of this room: cut once, sealed, handed to each end once, expired, revoked and audited as any other.
Its identifier is made of the stream and the index, so that both ends mean the same chunk without telling each other.
`quantum_fabric.keys.streams_open` and `quantum_fabric.keys.streams_read` have the rules.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import IntEnum, StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

from quantum_fabric.errors import InputError
from quantum_fabric.keys.policy import Usage
from quantum_fabric.keys.records import Instant

LARGEST: Final = 2**32 - 1
"""Every number of the standard is an unsigned integer of 32 bits."""

JSON_TYPE: Final = "application/json"
"""The one kind of metadata that is offered."""

NOBODY: Final = UUID(int=0)
"""The Key_stream_ID that asks for a new one."""


class Code(IntEnum):
    """The statuses of the standard, all of them."""

    SUCCESSFUL = 0
    PEER_ABSENT = 1
    """OPEN_CONNECT: connected, the other end is not yet."""
    INSUFFICIENT = 2
    """GET_KEY: there is not enough key now, or never again at this index."""
    PEER_NOT_CONNECTED = 3
    """GET_KEY: the other end is not connected, so nothing is cut."""
    NO_CONNECTION = 4
    """There is no such stream for this caller, or its other KME does not answer."""
    IN_USE = 5
    """OPEN_CONNECT: that Key_stream_ID belongs to others, or this end is open already."""
    TIMEOUT = 6
    """The call waited as long as it was allowed to."""
    QUALITY = 7
    """OPEN_CONNECT: the QoS cannot be met; what can be comes back."""
    METADATA = 8
    """GET_KEY: the metadata does not fit; the size that it needs comes back, and the chunk stays."""


@dataclass(frozen=True, slots=True)
class Quality:
    """QoS. A zero, or an empty text, asks for what the KME thinks best.

    Attributes:
        chunk: Key_chunk_size, in octets.
        max_bps, min_bps: bits per second that are cut at most, and that are kept back for this stream at least.
        jitter: bits per second; kept and shown. Chunks are cut when they are asked for, so nothing is scheduled by it.
        priority: a stream with a higher number may use what is kept back for lower ones.
        timeout: of a call, in ms.
        ttl: of a chunk that is not read, in s.
        mimetype: of the metadata.

    Raises:
        InputError: a number outside of 32 bits.
    """

    chunk: int = 0
    max_bps: int = 0
    min_bps: int = 0
    jitter: int = 0
    priority: int = 0
    timeout: int = 0
    ttl: int = 0
    mimetype: str = ""

    def __post_init__(self) -> None:
        numbers = (self.chunk, self.max_bps, self.min_bps, self.jitter, self.priority, self.timeout, self.ttl)
        if any(not 0 <= number <= LARGEST for number in numbers) or len(self.mimetype) > 255:
            raise InputError(
                "a number outside of 32 bits", "0 to 4294967295, and a type of 255 octets", "QoS"
            )

    @property
    def chunks_per_second(self) -> float:
        """What `max_bps` allows; of a quality that is settled."""
        return self.max_bps / (8 * self.chunk)


class EndState(StrEnum):
    """Where one end of a stream stands."""

    ABSENT = "absent"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """One end.

    Attributes:
        sae: who.
        state: see `EndState`.
        next: the index that is read where none is named.
        timeout: of this end's calls, in ms.
    """

    sae: str
    state: EndState = EndState.ABSENT
    next: int = 0
    timeout: int = 0


@dataclass(frozen=True, slots=True)
class Stream:
    """A key stream, as one KME knows it.

    The KME of the first end cuts; it alone knows both ends. The other KME knows its own end, and holds its chunks.

    Attributes:
        name: Key_stream_ID.
        incarnation: a random name that no other stream ever has: a Key_stream_ID that was closed may be used again, and its
            chunks are others.
        quality: settled when the first end opened.
        ends: the master of the pair, the slave.
        usage: of the rate that `max_bps` allows.
        cut: chunks so far.
        created, touched: when it was opened, and last used.
    """

    name: UUID
    incarnation: UUID
    quality: Quality
    ends: tuple[StreamEnd, StreamEnd]
    created: Instant
    touched: Instant
    usage: Usage | None = None
    cut: int = 0

    @property
    def master(self) -> str:
        """At whose KME chunks are cut."""
        return self.ends[0].sae

    @property
    def slave(self) -> str:
        """The other end."""
        return self.ends[1].sae

    def end(self, sae: str) -> StreamEnd | None:
        """The end of an SAE; None where it is none."""
        return next((end for end in self.ends if end.sae == sae), None)

    def other(self, sae: str) -> StreamEnd:
        """The end across."""
        return self.ends[1] if self.ends[0].sae == sae else self.ends[0]

    def with_end(self, end: StreamEnd) -> Stream:
        """The same stream after one end moved."""
        first, second = self.ends
        return replace(self, ends=(end, second) if first.sae == end.sae else (first, end))

    def text(self) -> str:
        """For a store. It names things and holds nothing derived from a key.

        Examples:
            >>> ends = (StreamEnd("alice", EndState.OPEN), StreamEnd("bob"))
            >>> one = Stream(UUID(int=1), UUID(int=2), Quality(chunk=32), ends, 5, 6, Usage(1.0, 5), 3)
            >>> stream_of(one.text()) == one
            True
        """
        fields = asdict(self) | {"name": str(self.name), "incarnation": str(self.incarnation)}
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def stream_of(text: str) -> Stream:
    """Read what `Stream.text` wrote."""
    fields = json.loads(text)
    first, second = (StreamEnd(**{**one, "state": EndState(one["state"])}) for one in fields.pop("ends"))
    usage = fields.pop("usage")
    return Stream(
        name=UUID(fields.pop("name")),
        incarnation=UUID(fields.pop("incarnation")),
        quality=Quality(**fields.pop("quality")),
        ends=(first, second),
        usage=None if usage is None else Usage(**usage),
        **fields,
    )


def chunk_id(incarnation: UUID, index: int) -> UUID:
    """The key identifier of a chunk: a UUID of version 8, "custom" (RFC 9562).

    Equation:
        the first 90 free bits of ``SHA-256("key stream" || incarnation)``, then the index in 32 bits.

    Examples:
        >>> one = chunk_id(UUID(int=7), 5)
        >>> one.version, one.int & LARGEST, of_stream(one, UUID(int=7)), of_stream(one, UUID(int=8))
        (8, 5, True, False)
    """
    octets = bytearray(sha256(b"key stream" + incarnation.bytes).digest()[:16])
    octets[6] = (octets[6] & 0x0F) | 0x80
    octets[8] = (octets[8] & 0x3F) | 0x80
    octets[12:] = index.to_bytes(4, "big")
    return UUID(bytes=bytes(octets))


def of_stream(key_id: UUID, incarnation: UUID) -> bool:
    """Whether a key is a chunk of a stream."""
    return key_id.bytes[:12] == chunk_id(incarnation, 0).bytes[:12]


def is_chunk(key_id: UUID) -> bool:
    """Whether a key is a chunk of some stream: keys of ETSI GS QKD 014 have random identifiers, of version 4."""
    return key_id.version == 8
