"""What comes of halves that the ends measure by rule, and of pairs that are delivered together: controller -> caller."""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.messages.states import Bell, PairId
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the ends of a delivered pair have read of it (services MEASURE and PREPARE).

    The bits are as they were read out, and they refer to the Bell state ``bell``: with both ends in one basis, a perfect pair
    gives equal bits where that state correlates in this basis, and opposite ones where it anti-correlates
    (`quantum_fabric.physics.frames.expected_parity`). Nobody has flipped anything, unless a Bell state was asked for: then the
    bit of the destination is that of the state that was asked for.

    Attributes:
        request: whose pair it is.
        number: that of its `Delivered`.
        pair: identity.
        bell: the Bell state to which the bits refer.
        bases: of (source, destination): "X", "Y" or "Z"; "" for an end that has not measured.
        bits: of (source, destination); None for an end that has not measured.
        prepared: of PREPARE: the state in which a perfect pair leaves the destination's half: one of ``0 1 + - +i -i``; "" of
            MEASURE.
        flip: of PREPARE: whether the destination turns its half by a Pauli operator to have the eigenstate 0, + or +i.
        at: when the last end had read, ps.
    """

    request: str
    number: int
    pair: PairId
    bell: Bell
    bases: tuple[str, str]
    bits: tuple[int | None, int | None]
    prepared: str
    flip: bool
    at: Time


@dataclass(frozen=True, slots=True)
class Tested:
    """A pair was measured at both ends to see what it is; it is not delivered.

    Attributes:
        request: for which it was made.
        pair: identity.
        bell: the Bell state that it was announced in.
        basis: in which both ends measured it.
        agree: whether the bits were as ``bell`` has them; None where a memory had lost its half, or the ends differ about what was
            to be done.
        fidelity: what it was believed to be when it was measured.
        at: when the last end had read, ps.
    """

    request: str
    pair: PairId
    bell: Bell
    basis: str
    agree: bool | None
    fidelity: float
    at: Time

    __test__ = False  # pytest takes the name for that of its own


@dataclass(frozen=True, slots=True)
class Unread:
    """A pair of a MEASURE or PREPARE request is not delivered: a memory had lost its half when it was read.

    Attributes:
        request: whose pair it would have been.
        pair: identity.
        nodes: whose memories had lost their halves; both ends where they differ about what was to be done.
    """

    request: str
    pair: PairId
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packet:
    """Pairs that are alive together: all of one request, whose `Delivered` came just before.

    Attributes:
        request: whose pairs they are.
        pairs: their identities, in the order of their numbers.
        oldest: birth of the oldest half among them, ps.
        at: when they were delivered, ps.
    """

    request: str
    pairs: tuple[PairId, ...]
    oldest: Time
    at: Time
