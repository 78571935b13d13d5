"""The service of the link layer: CREATE, RECV, STOP_RECV, and the answers ACK, OK, ERR, as records.

Read (S): draft-dahlberg-ll-quantum-03, the XML source in the authors' repository (SoftwareQuTech/draft-dahlberg-qirg-ll-quantum,
commit
065ee7d: sections 4.1 and 4.2, figures 1 to 5), and ``qlink_interface`` 1.0.0, the interface that QuTech's programs use. Where they
differ:

* The draft knows the types K and M; R (remote state preparation), RECV and STOP_RECV are of QLink-Interface.
* The draft has the errors UNSUPP, CREATE, REJECTED, OTHER, EXPIRE, TIMEOUT; NOTIME and NORES are of QLink-Interface (and of Dahlberg
  et
  al. 2019, R).
* *Atomic*: the draft says that no other request may come between; QLink-Interface says that all pairs are in memory at the same time.
  *Consecutive*: the draft says an OK for each pair; QLink-Interface says pairs close in time. Both are taken as in QLink-Interface,
  unless it is said that *consecutive* is meant as in the draft (`quantum_fabric.standards.egp_service.Carried.each`).
* An OK of the draft has no Bell state; QLink-Interface has a number, without a map. Here it is a name
  (`quantum_fabric.standards.bell`).
* A maximum time of 0 means no limit (D: neither source says what it means, and 0 is QLink-Interface's default).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import ClassVar, Final, TypeAlias

from quantum_fabric.errors import InputError
from quantum_fabric.messages import Bell
from quantum_fabric.standards import reading
from quantum_fabric.units import MS, SECOND, US, Time

U16: Final = 2**16 - 1
U32: Final = 2**32 - 1
FOREVER: Final = 2**63 - 1
"""Largest time, ps: a hundred days."""


class TimeUnit(IntEnum):
    """Unit of `Create.max_time`."""

    MICRO = 0
    MILLI = 1
    SECOND = 2

    @property
    def time(self) -> Time:
        """In ps."""
        return (US, MS, SECOND)[self]


class RandomBasis(IntEnum):
    """Set of bases of which one is drawn for each pair; `NONE` measures in the basis that the rotations give."""

    NONE = 0
    XZ = 1
    XYZ = 2
    CHSH = 3
    """The Z basis turned by +π/4 or −π/4 about the Y axis."""


class Basis(IntEnum):
    """In which basis a half was measured."""

    Z = 0
    X = 1
    Y = 2
    Z_PLUS_X = 3
    """Z turned by π/4 about the Y axis."""
    Z_MINUS_X = 4
    """Z turned by −π/4 about the Y axis."""


class ErrorCode(Enum):
    """Why there is no pair, or no longer one."""

    UNSUPP = "UNSUPP"
    """Not possible here, even on an idle node."""
    NOTIME = "NOTIME"
    """Possible, but not in the time that is asked for."""
    NORES = "NORES"
    """No qubits for it."""
    TIMEOUT = "TIMEOUT"
    """The time is over, and not all pairs are there."""
    REJECTED = "REJECTED"
    """The peer did not want it."""
    OTHER = "OTHER"
    EXPIRE = "EXPIRE"
    """Takes back OKs that were given."""
    CREATE = "CREATE"
    """The CREATE could not be understood."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """How one end measures its half.

    Attributes:
        random: set that the basis is drawn from.
        rotations: about X, then Y, then X, in steps of 2π/256; of no meaning where the basis is random.
        weights: probabilities of the first and of the second basis of the set, in 1/255.

    Raises:
        InputError: out of range, or probabilities that exceed 1 together.

    Examples:
        >>> Measurement(RandomBasis.XYZ, weights=(200, 100))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: measurement.weights: found (200, 100), expected at most 255 together
    """

    random: RandomBasis = RandomBasis.NONE
    rotations: tuple[int, int, int] = (0, 0, 0)
    weights: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        for angle in self.rotations:
            reading.integer(angle, 0, 255, "measurement.rotations")
        for weight in self.weights:
            reading.integer(weight, 0, 255, "measurement.weights")
        if self.random is RandomBasis.XYZ and sum(self.weights) > 255:
            raise InputError(reading.shown(self.weights), "at most 255 together", "measurement.weights")


@dataclass(frozen=True, slots=True)
class Create:
    """What all CREATE messages say; itself none.

    Attributes:
        remote_node_id: the peer, 32 bits.
        minimum_fidelity: of each pair, in [0, 1].
        time_unit, max_time: how long the caller is willing to wait; 14 bits, 0 for no limit.
        purpose_id: port of the consumer, 16 bits.
        number: of pairs, 1 to 65535.
        priority: 0 to 7, higher is earlier.
        atomic: all pairs are in memory at the same time.
        consecutive: pairs are close together in time.

    Raises:
        InputError: a field outside its domain.
    """

    remote_node_id: int
    minimum_fidelity: float
    time_unit: TimeUnit = TimeUnit.MICRO
    max_time: int = 0
    purpose_id: int = 0
    number: int = 1
    priority: int = 0
    atomic: bool = False
    consecutive: bool = False

    KIND: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, most in (
            ("remote_node_id", U32),
            ("max_time", 2**14 - 1),
            ("purpose_id", U16),
            ("priority", 7),
        ):
            reading.integer(getattr(self, name), 0, most, f"CREATE.{name}")
        reading.integer(self.number, 1, U16, "CREATE.number")
        reading.number(self.minimum_fidelity, 0.0, 1.0, "CREATE.minimum_fidelity")

    @property
    def patience(self) -> Time | None:
        """How long the caller waits, ps; None for no limit."""
        return self.max_time * self.time_unit.time if self.max_time else None


@dataclass(frozen=True, slots=True)
class CreateKeep(Create):
    """CREATE of type K: keep the halves.

    Examples:
        >>> CreateKeep(2, 0.9, TimeUnit.MILLI, 500).patience
        500000000000
        >>> CreateKeep(2, 1.9)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: CREATE.minimum_fidelity: found 1.9, expected a number from 0 to 1
    """

    KIND: ClassVar[str] = "CREATE_K"


@dataclass(frozen=True, slots=True)
class CreateMeasure(Create):
    """CREATE of type M: measure both halves at once.

    Attributes:
        local, remote: how.
    """

    KIND: ClassVar[str] = "CREATE_M"
    local: Measurement = Measurement()
    remote: Measurement = Measurement()


@dataclass(frozen=True, slots=True)
class CreatePrepare(Create):
    """CREATE of type R: measure the local half at once, so that the remote one is in a state that the outcome tells.

    Attributes:
        local: how.
    """

    KIND: ClassVar[str] = "CREATE_R"
    local: Measurement = Measurement()


@dataclass(frozen=True, slots=True)
class Receive:
    """RECV: this node takes pairs of the peer's requests with this purpose."""

    remote_node_id: int
    purpose_id: int = 0

    KIND: ClassVar[str] = "RECV"

    def __post_init__(self) -> None:
        reading.integer(self.remote_node_id, 0, U32, f"{self.KIND}.remote_node_id")
        reading.integer(self.purpose_id, 0, U16, f"{self.KIND}.purpose_id")


@dataclass(frozen=True, slots=True)
class StopReceive(Receive):
    """STOP_RECV: it takes no more of them."""

    KIND: ClassVar[str] = "STOP_RECV"


@dataclass(frozen=True, slots=True)
class Ack:
    """The request will be tried; its answers carry this number, which is unique at the node that asked."""

    create_id: int

    KIND: ClassVar[str] = "ACK"

    def __post_init__(self) -> None:
        reading.integer(self.create_id, 0, U16, "ACK.create_id")


@dataclass(frozen=True, slots=True)
class Ok:
    """What all OK messages say; itself none.

    Attributes:
        create_id: of the request, unique at the node that asked.
        from_remote: True at the node that did not ask (the directionality flag).
        sequence_number: with the two nodes, the name of the pair: the same at both ends.
        purpose_id: of the request.
        remote_node_id: the other end.
        goodness: estimate of the fidelity to `bell`.
        bell: the Bell state that the pair is announced in.
    """

    create_id: int
    from_remote: bool
    sequence_number: int
    purpose_id: int
    remote_node_id: int
    goodness: float
    bell: Bell

    KIND: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, most in (
            ("create_id", U16),
            ("sequence_number", U16),
            ("purpose_id", U16),
            ("remote_node_id", U32),
        ):
            reading.integer(getattr(self, name), 0, most, f"OK.{name}")
        reading.number(self.goodness, 0.0, 1.0, "OK.goodness")


@dataclass(frozen=True, slots=True)
class OkKeep(Ok):
    """OK of type K.

    Attributes:
        logical_qubit_id: memory slot of the half.
        time_of_goodness: of which `goodness` speaks, ps since the start of the node's clock.
    """

    KIND: ClassVar[str] = "OK_K"
    logical_qubit_id: int = 0
    time_of_goodness: Time = 0

    def __post_init__(self) -> None:
        Ok.__post_init__(self)
        reading.integer(self.logical_qubit_id, 0, U16, "OK.logical_qubit_id")
        reading.integer(self.time_of_goodness, 0, FOREVER, "OK.time_of_goodness")


@dataclass(frozen=True, slots=True)
class OkMeasure(Ok):
    """OK of type M.

    Attributes:
        outcome: the bit.
        basis: where it was measured; turned by the rotations of the CREATE where that asked for no random one.
    """

    KIND: ClassVar[str] = "OK_M"
    outcome: int = 0
    basis: Basis = Basis.Z

    def __post_init__(self) -> None:
        Ok.__post_init__(self)
        reading.integer(self.outcome, 0, 1, "OK.outcome")


@dataclass(frozen=True, slots=True)
class OkPrepare(OkMeasure):
    """OK of type R, at the node that asked; the other node gets an `OkKeep`."""

    KIND: ClassVar[str] = "OK_R"


@dataclass(frozen=True, slots=True)
class Err:
    """ERR.

    Attributes:
        create_id: of the request.
        code: why.
        origin_node_id: the node that asked.
        sequence: (low, high) of an EXPIRE: takes back low, low + 1, ... but not high, modulo 2^16; None for the whole request.

    Raises:
        InputError: out of range, or a range of sequence numbers with another code than EXPIRE.

    Examples:
        >>> Err(1, ErrorCode.EXPIRE, 7, (65535, 2)).expired()
        [65535, 0, 1]
    """

    create_id: int
    code: ErrorCode
    origin_node_id: int
    sequence: tuple[int, int] | None = None

    KIND: ClassVar[str] = "ERR"

    def __post_init__(self) -> None:
        reading.integer(self.create_id, 0, U16, "ERR.create_id")
        reading.integer(self.origin_node_id, 0, U32, "ERR.origin_node_id")
        if self.sequence is not None:
            for each in self.sequence:
                reading.integer(each, 0, U16, "ERR.sequence")
            if self.code is not ErrorCode.EXPIRE or self.sequence[0] == self.sequence[1]:
                found = f"{self.code.name} {self.sequence}"
                raise InputError(found, "a range that is not empty, with EXPIRE only", "ERR.sequence")

    def expired(self) -> list[int]:
        """The sequence numbers that are taken back; empty where the whole request is."""
        if self.sequence is None:
            return []
        low, high = self.sequence
        return [(low + step) % (U16 + 1) for step in range((high - low) % (U16 + 1))]


Asked: TypeAlias = CreateKeep | CreateMeasure | CreatePrepare | Receive | StopReceive
"""From the higher layer."""

Answer: TypeAlias = Ack | OkKeep | OkMeasure | OkPrepare | Err
"""To it."""
