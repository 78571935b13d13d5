"""The link layer of one node as a state machine: CREATE becomes a `LinkRequest`, what the network answers becomes OK, ERR, EXPIRE.

It owns no clock and no socket: every call says what happened and gets what is to be told. Two nodes agree on the name of a pair (node,
node, sequence number) without a word to each other: both count the pairs that are delivered between them, in the order in which the
network tells them, modulo 2^16; a number that is still in use is not given again.

===========================  =============================================================================================
in the CREATE                in the request
===========================  =============================================================================================
remote_node_id               ``destination``, by the table of numbers
minimum_fidelity             ``fidelity``; one of 0.5 or less asks for what is just above (there is no entanglement below)
max_time                     ``deadline``: now and so long
number, priority             ``pairs``, ``priority``
atomic                       ``window``: all alive together, none older than the time that is left, or `Carried.window` without a limit
consecutive                  ``jitter``: `Carried.jitter`, where there are several; nothing more with `Carried.each`
purpose_id                   in ``name``: ``egp/NODE/SERIAL/PURPOSE``, which tells the peer whose pair it is (create id: serial mod
2^16)
type K, M, R                 ``service``; K (and the far half of R) holds the pair until it is consumed
local, remote                ``bases``: the same even choice at both ends, or one basis that rotations of π/2 make of Z
===========================  =============================================================================================

What the network below cannot carry (`Carried`) is refused with UNSUPP and never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.messages import (
    Bell,
    Code,
    Delivered,
    LinkRequest,
    Outcome,
    Outcomes,
    Refused,
    Service,
    Status,
)
from quantum_fabric.standards.egp import (
    U16,
    Ack,
    Basis,
    Create,
    CreateKeep,
    CreateMeasure,
    CreatePrepare,
    Err,
    ErrorCode,
    Measurement,
    OkKeep,
    OkMeasure,
    OkPrepare,
    RandomBasis,
    Receive,
    StopReceive,
)
from quantum_fabric.standards.reading import shown
from quantum_fabric.units import SECOND, Time

LEAST_FIDELITY: Final = 0.5 + 1e-6
"""What a request asks for at least."""

_SERVICES: Final[Mapping[type[Create], Service]] = {
    CreateKeep: Service.KEEP, CreateMeasure: Service.MEASURE, CreatePrepare: Service.PREPARE,
}  # fmt: skip
_CODES: Final[Mapping[str, ErrorCode]] = {
    Code.UNSUPP.name: ErrorCode.UNSUPP, Code.NOROUTE.name: ErrorCode.UNSUPP, Code.NOTIME.name: ErrorCode.NOTIME,
    Code.NORES.name: ErrorCode.NORES, "TIMEOUT": ErrorCode.TIMEOUT, "EXPIRE": ErrorCode.TIMEOUT,
    "REJECTED": ErrorCode.REJECTED,
}  # fmt: skip
"""Why the network refused, as the link layer says it; what is not here is OTHER."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What the network below does with the fields of a CREATE.

    Attributes:
        services: of the three types, those that it serves.
        window: longest age of the oldest pair of an atomic request without a limit, ps; None where it cannot do atomic ones.
        jitter: what "close in time" means to it, ps; None where it is not said.
        each: whether *consecutive* is meant as in the draft: an OK for each pair as it comes, which is what this service gives.
            Otherwise it is meant as in QLink-Interface, pairs close in time; several of them need ``jitter`` then, because neither
            source has a number for "close", and are refused without it.
    """

    services: frozenset[Service] = frozenset(Service)
    window: Time | None = SECOND
    jitter: Time | None = None
    each: bool = False


EVEN: Final = {RandomBasis.XZ: ("X", "Z"), RandomBasis.XYZ: ("X", "Y", "Z")}
"""Sets from which nodes draw, each basis as likely as any other: the weights must say so, to a step of 1/255."""

TURNS: Final = {(0, 0, 0): "Z", (0, 64, 0): "X", (192, 0, 0): "Y", (0, 0, 192): "Y"}
"""Rotations (about X, Y, X; in 2π/256) after which Z is one of the bases that nodes measure in."""


@dataclass(slots=True)
class _Asked:
    """A request that this node made."""

    create_id: int
    wish: Create


@dataclass(frozen=True, slots=True)
class _Kept:
    """A pair that may still be taken back: whose, its number, and until when it is good."""

    origin: int
    create_id: int
    peer: str
    number: int
    expires_at: Time


@dataclass(slots=True)
class EgpService:
    """The link layer of one node.

    Attributes:
        node: name of the node.
        numbers: node identifier of each node of the network, 32 bits.
        carried: what the network can do.

    Raises:
        UnknownNameError: the node has no number.
        InputError: two nodes have the same number.

    Examples:
        >>> alice = EgpService("Alice", {"Alice": 1, "Bob": 2})
        >>> ack, request = alice.create(CreateKeep(2, 0.9, purpose_id=7), now=0)
        >>> ack, request.name, request.destination, request.hold
        (Ack(create_id=0), 'egp/Alice/0/7', 'Bob', True)
        >>> alice.create(CreateKeep(2, 0.9, number=3, consecutive=True), now=0)
        (Err(create_id=1, code=<ErrorCode.UNSUPP: 'UNSUPP'>, origin_node_id=1, sequence=None), None)
        >>> alice = EgpService("Alice", {"Alice": 1, "Bob": 2}, Carried(each=True))
        >>> alice.create(CreateKeep(2, 0.9, number=3, consecutive=True), now=0)[1].pairs
        3
    """

    node: str
    numbers: Mapping[str, int]
    carried: Carried = Carried()
    _names: dict[int, str] = field(init=False, repr=False)
    _next: int = field(init=False, default=0)
    _open: dict[str, _Asked] = field(init=False, default_factory=dict)
    _wanted: set[tuple[int, int]] = field(init=False, default_factory=set)
    _counts: dict[str, int] = field(init=False, default_factory=dict)
    _kept: list[_Kept] = field(init=False, default_factory=list)
    _unread: dict[tuple[str, int], tuple[Delivered, int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._names = {number: name for name, number in self.numbers.items()}
        if len(self._names) < len(self.numbers):
            raise InputError(shown(dict(self.numbers)), "a different number for each node", "numbers")
        if self.node not in self.numbers:
            raise UnknownNameError(repr(self.node), f"one of {', '.join(self.numbers)}", "numbers")

    @property
    def number(self) -> int:
        """The identifier of this node."""
        return self.numbers[self.node]

    # ---------------------------------------------------------------------------------- the higher layer

    def create(self, wish: Create, now: Time) -> tuple[Ack, LinkRequest] | tuple[Err, None]:
        """CREATE: an ACK and what to ask of the network, or an ERR.

        Args:
            wish: the CREATE.
            now: ps.
        """
        serial, create_id = self._next, self._next % (U16 + 1)
        self._next += 1
        code = self._refusal(wish)
        if code is None and any(asked.create_id == create_id for asked in self._open.values()):
            code = ErrorCode.NORES  # 65536 requests are open
        if code is not None:
            return Err(create_id, code, self.number), None
        request = self._request(wish, serial, now)
        self._open[request.name] = _Asked(create_id, wish)
        return Ack(create_id), request

    def _refusal(self, wish: Create) -> ErrorCode | None:
        """Why nobody need be asked; None where the network must say."""
        peer = self._names.get(wish.remote_node_id)
        carried = (
            peer is not None
            and peer != self.node
            and wish.minimum_fidelity < 1.0
            and _SERVICES.get(type(wish)) in self.carried.services
            and not (wish.atomic and self.carried.window is None)
            and not (self._close(wish) and self.carried.jitter is None)
            and bases_of(wish) is not None
        )
        return None if carried else ErrorCode.UNSUPP

    def _close(self, wish: Create) -> bool:
        """Whether pairs have to come close to each other; one alone does, and an OK for each is what there is anyway."""
        return wish.consecutive and wish.number > 1 and not self.carried.each

    def _request(self, wish: Create, serial: int, now: Time) -> LinkRequest:
        patience = wish.patience
        return LinkRequest(
            source=self.node,
            destination=self._names[wish.remote_node_id],
            fidelity=max(LEAST_FIDELITY, wish.minimum_fidelity),
            pairs=wish.number,
            deadline=None if patience is None else now + patience,
            hold=not isinstance(wish, CreateMeasure),
            name=f"egp/{self.node}/{serial}/{wish.purpose_id}",
            service=_SERVICES[type(wish)],
            window=(patience or self.carried.window) if wish.atomic else None,
            jitter=self.carried.jitter if self._close(wish) else None,
            priority=wish.priority,
            bases=bases_of(wish) or ("X", "Z"),
        )

    def receive(self, wish: Receive) -> None:
        """RECV or STOP_RECV: take pairs of that peer and purpose, or take no more of them."""
        key = (wish.remote_node_id, wish.purpose_id)
        if isinstance(wish, StopReceive):
            self._wanted.discard(key)
        else:
            self._wanted.add(key)

    def takes(self, origin: int, purpose_id: int) -> bool:
        """Whether a request of that node with that purpose is welcome here."""
        return (origin, purpose_id) in self._wanted

    # --------------------------------------------------------------------------------------- the network

    def rejected(self, name: str) -> Err:
        """The peer does not want a request of this node."""
        asked = self._open.pop(name)
        return Err(asked.create_id, ErrorCode.REJECTED, self.number)

    def refused(self, message: Refused) -> Err | None:
        """The network refused; None where it was not asked by this node."""
        asked = self._open.pop(message.request, None)
        if asked is None:
            return None
        return Err(asked.create_id, _CODES.get(message.code.name, ErrorCode.OTHER), self.number)

    def ended(self, message: Outcome) -> Err | None:
        """The request is over; an ERR where not all of its pairs came, None where they did or all has been said."""
        asked = self._open.pop(message.request, None)
        if asked is None or message.status is Status.COMPLETED:
            return None
        code = ErrorCode.TIMEOUT if message.status is Status.EXPIRED else ErrorCode.OTHER
        return Err(asked.create_id, code, self.number)

    def delivered(self, message: Delivered, service: Service = Service.KEEP) -> OkKeep | None:
        """A pair is there: the OK of this end.

        Args:
            message: what the network says.
            service: of the request.

        Returns:
            None where the pair is not of this node, and where this end measures: its OK comes with what was read (`read`).

        Raises:
            InputError: the half is to be kept, and the network does not say where.
        """
        place = place_of(message.request)
        if place is None or self.node not in message.ends:
            return None
        origin, create_id, _ = place
        peer = message.ends[message.ends[0] == self.node]
        sequence = self._number(peer)
        if service is Service.MEASURE or (service is Service.PREPARE and origin == self.node):
            self._unread[message.request, message.number] = (message, sequence)
            return None
        if message.slots is None:
            raise InputError(
                "no memory slots", "where the halves are", f"pair {message.pair} of {message.request}"
            )
        slot = message.slots[message.ends[1] == self.node]
        self._kept.append(_Kept(self.numbers[origin], create_id, peer, sequence, message.expires_at))
        return OkKeep(*self._common(message, sequence), slot, message.delivered_at)

    def _common(self, message: Delivered, sequence: int) -> tuple[int, bool, int, int, int, float, Bell]:
        place = place_of(message.request)
        assert place is not None, "only pairs of this service have numbers"
        origin, create_id, purpose = place
        peer = message.ends[message.ends[0] == self.node]
        goodness = min(1.0, max(0.0, message.fidelity))
        return create_id, origin != self.node, sequence, purpose, self.numbers[peer], goodness, message.bell

    def read(self, message: Outcomes) -> OkMeasure | None:
        """What the ends have read of a delivered pair: the OK of this end; None where it keeps its half, or has no such pair."""
        found = self._unread.pop((message.request, message.number), None)
        if found is None:
            return None
        pair, sequence = found
        end = int(pair.ends[1] == self.node)
        bit = message.bits[end]
        assert bit is not None, "a pair that was not read is not delivered"
        common = (*self._common(pair, sequence)[:-1], message.bell)
        kind = OkPrepare if message.prepared else OkMeasure
        return kind(*common, bit, Basis[message.bases[end]])

    def _number(self, peer: str) -> int:
        """The next number of a pair with this peer that no living pair has."""
        taken = {kept.number for kept in self._kept if kept.peer == peer}
        number = self._counts.get(peer, 0)
        while number in taken:
            number = (number + 1) % (U16 + 1)
        self._counts[peer] = (number + 1) % (U16 + 1)
        return number

    def consumed(self, peer: str, sequence_number: int) -> None:
        """The application has used its half: there is nothing to take back any more."""
        self._kept = [kept for kept in self._kept if (kept.peer, kept.number) != (peer, sequence_number)]

    def expired(self, now: Time) -> list[Err]:
        """EXPIRE for pairs whose estimate has fallen below what was asked for, neighbours in one range.

        Args:
            now: ps.
        """
        over = [kept for kept in self._kept if kept.expires_at <= now]
        self._kept = [kept for kept in self._kept if kept.expires_at > now]
        out: list[Err] = []
        for kept in sorted(over, key=lambda kept: (kept.origin, kept.create_id, kept.peer, kept.number)):
            last = out[-1] if out else None
            beyond = (kept.number + 1) % (U16 + 1)
            same = last is not None and (last.origin_node_id, last.create_id) == (kept.origin, kept.create_id)
            if same and last is not None and last.sequence is not None and last.sequence[1] == kept.number:
                out[-1] = Err(kept.create_id, ErrorCode.EXPIRE, kept.origin, (last.sequence[0], beyond))
            else:
                out.append(Err(kept.create_id, ErrorCode.EXPIRE, kept.origin, (kept.number, beyond)))
        return out


def bases_of(wish: Create) -> tuple[str, ...] | None:
    """Among which of X, Y and Z the ends are to choose; None where nodes cannot be told so.

    Nodes choose evenly, and both ends among the same bases; one basis is no choice.

    Examples:
        >>> xz = Measurement(RandomBasis.XZ, weights=(128, 0))
        >>> bases_of(CreateMeasure(1, 0.9, local=xz, remote=xz)), bases_of(CreateMeasure(1, 0.9, local=xz))
        (('X', 'Z'), None)
        >>> bases_of(CreatePrepare(1, 0.9, local=Measurement(rotations=(0, 64, 0))))
        ('X',)
    """
    if isinstance(wish, CreateMeasure):
        local, remote = _choice(wish.local), _choice(wish.remote)
        return local if local == remote else None
    return _choice(wish.local) if isinstance(wish, CreatePrepare) else ()


def _choice(how: Measurement) -> tuple[str, ...] | None:
    if how.random is RandomBasis.NONE:
        found = TURNS.get(how.rotations)
        return None if found is None else (found,)
    bases = EVEN.get(how.random)
    if bases is None:
        return None
    stated = how.weights[: len(bases) - 1]
    return bases if all(abs(weight - 255 / len(bases)) < 1.0 for weight in stated) else None


def place_of(name: str) -> tuple[str, int, int] | None:
    """(Node that asked, create id, purpose) of a request; None where it is not of this service.

    Examples:
        >>> place_of("egp/Alice/65537/7"), place_of("video")
        (('Alice', 1, 7), None)
    """
    parts = name.split("/")
    if len(parts) < 4 or parts[0] != "egp" or not (parts[-1].isdecimal() and parts[-2].isdecimal()):
        return None
    return "/".join(parts[1:-2]), int(parts[-2]) % (U16 + 1), int(parts[-1])
