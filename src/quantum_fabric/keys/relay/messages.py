"""What the nodes of a key network say to each other, and what a node tells its own house.

A payload (`Carry`, `Receipt`, `Settle`) goes from neighbour to neighbour inside an `Envelope`, which is under a one-time tag and
is sent again until its `Ack` is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.records import Instant, Slice
from quantum_fabric.keys.relay.paths import Path


class Outcome(StrEnum):
    """What became of a relayed key, at the end that says so."""

    ARRIVED = "arrived"
    """Whole and unchanged at the target."""

    CHANGED = "changed on the way"
    EXPIRED = "out of time"
    DRY = "a relay has no link key left"
    UNWILLING = "a node does not relay"
    QUOTA = "beyond the quota of these ends"
    WITHDRAWN = "withdrawn by its source"


@dataclass(frozen=True, slots=True)
class Carry:
    """One share on one hop.

    Attributes:
        transfer: the key.
        share, shares: number of this one, from 0, and how many there are.
        octets: of the key.
        path: from the source to the target.
        expires: whoever gets it later destroys it.
        pad: which octets of the link key it is under.
        body: the share XOR the pad.
    """

    transfer: UUID
    share: int
    shares: int
    octets: int
    path: Path
    expires: Instant
    pad: tuple[Slice, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """From the target, or from a relay that cannot go on, back to the source.

    Attributes:
        transfer, share, path: of what.
        outcome: see `Outcome`.
        by: who says so.
        password: of the target, where it has the key; nobody else can know it.
    """

    transfer: UUID
    share: int
    path: Path
    outcome: Outcome
    by: str
    password: bytes = b""


@dataclass(frozen=True, slots=True)
class Settle:
    """From the source to the target: use the key, or destroy it.

    Attributes:
        transfer, share, path: of what.
        expires: as of the key.
        release: whether it may be used.
        password: of the source, for the one or the other.
    """

    transfer: UUID
    share: int
    path: Path
    expires: Instant
    release: bool
    password: bytes


Payload: TypeAlias = Carry | Receipt | Settle


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload between neighbours.

    Attributes:
        sender, receiver: of this hop.
        number: of the sender's envelopes to this receiver, from 1.
        floor: all envelopes below this number are acknowledged and will not come again.
        payload: what is said.
        lock: which octets of the link key the tag is made with.
        tag: 16 octets.
    """

    sender: str
    receiver: str
    number: int
    floor: int
    payload: Payload
    lock: tuple[Slice, ...]
    tag: bytes = b""


@dataclass(frozen=True, slots=True)
class Ack:
    """An envelope is taken over: its sender may forget it.

    Attributes:
        sender, receiver: of the acknowledgement.
        number: of the envelope.
        lock, tag: as in `Envelope`.
    """

    sender: str
    receiver: str
    number: int
    lock: tuple[Slice, ...]
    tag: bytes = b""


@dataclass(frozen=True, slots=True)
class Start:
    """The house asks its node to send a key.

    Attributes:
        transfer: a name that was never used.
        paths: of the route.
        octets: of the key.
        noise: random octets, as many as `quantum_fabric.keys.relay.bundle.noise_octets` says; wiped.
        expires: when to give up.
    """

    transfer: UUID
    paths: tuple[Path, ...]
    octets: int
    noise: KeyMaterial
    expires: Instant


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: what is due is sent again, what is overdue is given up."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A key is there for the house of an end. Each end is told once.

    Attributes:
        transfer: its name, the same at both ends.
        source, target: the ends.
        material: the bits, the same at both ends; the receiver of this wipes them.
        paths: all ways, at the source; those that this end has seen, at the target.
    """

    transfer: UUID
    source: str
    target: str
    material: KeyMaterial
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """A key came to nothing; its bits are destroyed here.

    Attributes:
        transfer: its name.
        outcome: why.
        by: the node that said so.
    """

    transfer: UUID
    outcome: Outcome
    by: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that honest nodes on a quiet line do not do.

    Attributes:
        node: who noticed.
        peer: the neighbour concerned.
        what: in words, without anything secret.
    """

    node: str
    peer: str
    what: str


Message: TypeAlias = Envelope | Ack | Start | Tick
Answer: TypeAlias = Envelope | Ack | Delivered | Failed | Alarm
