"""A link as an application sees it: something that hands out entangled pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeAlias

from quantum_fabric.errors import InputError, ProtocolError, StateError
from quantum_fabric.messages import (
    Accepted,
    Consume,
    Correct,
    Delivered,
    LinkRequest,
    Measure,
    Measured,
    Outcome,
    Outcomes,
    Packet,
    Plan,
    Received,
    Refused,
    Service,
    Teleport,
    Teleported,
)
from quantum_fabric.ports import Answer, Network
from quantum_fabric.units import Time, from_seconds, show_time

Density: TypeAlias = tuple[tuple[complex, complex], tuple[complex, complex]]

STATES: dict[str, tuple[complex, complex]] = {
    "0": (1.0, 0.0),
    "1": (0.0, 1.0),
    "+": (math.sqrt(0.5), math.sqrt(0.5)),
    "-": (math.sqrt(0.5), -math.sqrt(0.5)),
    "+i": (math.sqrt(0.5), 1j * math.sqrt(0.5)),
    "-i": (math.sqrt(0.5), -1j * math.sqrt(0.5)),
}
"""Names of the six Pauli eigenstates and their amplitudes in (|0⟩, |1⟩)."""

PATIENCE = 1000.0
"""How many mean waiting times an application waits before it takes silence for a fault (chance of an error: e^-1000)."""


@dataclass(frozen=True, slots=True)
class Teleportation:
    """What came of a teleportation.

    Attributes:
        succeeded: False when the sender's Bell measurement failed (linear optics); the state is lost then.
        bits: the two announced bits.
        density: the received qubit's density matrix (true, from the twin); None when it failed.
        fidelity: overlap of `density` with the state that was sent; 0 when it failed.
        sent_at, received_at: virtual times, ps.
    """

    succeeded: bool
    bits: tuple[int, int] | None
    density: Density | None
    fidelity: float
    sent_at: Time
    received_at: Time


@dataclass(slots=True)
class Pair:
    """One entangled pair, ready at both ends.

    Attributes:
        delivered: what the control plane said of it; its fields can be read from the pair itself.
        service: what was done with it at its ends.
    """

    delivered: Delivered
    _network: Network = field(repr=False)
    service: Service = Service.KEEP
    _used: bool = False

    @property
    def ends(self) -> tuple[str, str]:
        """The two nodes, source first."""
        return self.delivered.ends

    @property
    def bell(self) -> str:
        """The Bell state that it was announced in, by symbol: ``Φ+``, ``Φ−``, ``Ψ+`` or ``Ψ−``."""
        return self.delivered.bell.symbol

    @property
    def fidelity(self) -> float:
        """Estimated fidelity to that Bell state when it was delivered."""
        return self.delivered.fidelity

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of the estimate, from the calibration tolerance of the believed models."""
        return (self.delivered.low, self.delivered.high)

    @property
    def outcomes(self) -> Outcomes | None:
        """What its ends have read, where the request was to measure; None for a pair that is kept.

        Examples:
            >>> from quantum_fabric import Fabric, documents
            >>> fabric = Fabric(documents.inventory(documents.load_network("lab")), seed=1)
            >>> wanted = LinkRequest("Alice", "Bob", 0.8, service=Service.MEASURE, bases=("Z",))
            >>> link = open_link(fabric, wanted)
            >>> next(link).outcomes.bases
            ('Z', 'Z')
        """
        if self.service is Service.KEEP:
            return None
        name = self.delivered.request
        found = self._outcomes(name)
        if found is None:  # it is told at the same time, right after the pair
            self._network.run(self._network.now, stop=lambda: self._outcomes(name) is not None)
            found = self._outcomes(name)
        return found

    def _outcomes(self, name: str) -> Outcomes | None:
        mine = (each for each in reversed(self._network.replies(name)) if isinstance(each, Outcomes))
        return next((each for each in mine if each.number == self.delivered.number), None)

    @property
    def created_at(self) -> Time:
        """Birth of its older half, ps."""
        return self.delivered.created_at

    @property
    def delivered_at(self) -> Time:
        """From when both ends may use it, ps."""
        return self.delivered.delivered_at

    @property
    def expires_at(self) -> Time:
        """When the estimate falls below the fidelity that was asked for, ps."""
        return self.delivered.expires_at

    def teleport(self, state: str | tuple[complex, complex]) -> Teleportation:
        """Send a qubit from the source to the destination, using up the pair.

        The sender measures, its two bits travel to the receiver with the classical delay while the receiver's half ages, and
        the receiver corrects.

        Args:
            state: one of ``0 1 + - +i -i``, or two amplitudes of (|0⟩, |1⟩) with squares that sum to 1.

        Raises:
            InputError: not a state.
            StateError: the pair was used already, has expired, or a half of it was lost.
        """
        amplitudes = _amplitudes(state)
        source, destination = self._take()
        bell, (here, there) = self.delivered.bell, (self.delivered.pair.left, self.delivered.pair.right)
        sent_at = self._network.now
        sent = self._perform(Teleport(self.ends[0], source, bell, amplitudes, here))
        if not isinstance(sent, Teleported):
            raise StateError(f"{self.ends[0]} lost its half")
        if sent.bits is None:
            self._perform(Consume(self.ends[1], destination, bell, there))
            return Teleportation(False, None, None, 0.0, sent_at, self._network.now)
        self._network.run(self._network.now + self._network.delay(*self.ends))
        got = self._perform(Correct(self.ends[1], destination, sent.bits, there))
        if not isinstance(got, Received):
            raise StateError(f"{self.ends[1]} lost its half before the two bits arrived")
        a, b, c, d = got.density
        alpha, beta = amplitudes
        overlap = (
            alpha.conjugate() * (a * alpha + b * beta) + beta.conjugate() * (c * alpha + d * beta)
        ).real  # fmt: skip
        return Teleportation(True, sent.bits, ((a, b), (c, d)), overlap, sent_at, self._network.now)

    def measure(self, basis: str | tuple[str, str]) -> tuple[int, int]:
        """Measure both halves, in one basis or each in its own; returns the bits of (source, destination).

        Args:
            basis: ``X``, ``Y`` or ``Z``, or two of them: for the source and for the destination.

        Raises:
            InputError: another basis.
            StateError: the pair was used already, has expired, or a half of it was lost.
        """
        bases = (basis, basis) if isinstance(basis, str) else basis
        if len(bases) != 2 or any(each not in ("X", "Y", "Z") for each in bases):
            raise InputError(repr(basis), "'X', 'Y' or 'Z'", "basis")
        bits: list[int | None] = []
        halves = (self.delivered.pair.left, self.delivered.pair.right)
        for node, slot, half, each in zip(self.ends, self._take(), halves, bases, strict=True):
            answer = self._perform(Measure(node, slot, each, half))
            if not isinstance(answer, Measured):
                raise StateError(f"{node} lost its half")
            bits.append(answer.bit)
        first, second = bits
        if first is None or second is None:
            lost = [node for node, bit in zip(self.ends, bits, strict=True) if bit is None]
            raise StateError(f"the memory of {' and of '.join(lost)} had lost its half")
        return (first, second)

    def measure_far(self, basis: str) -> int:
        """Measure the destination's half of a pair whose source has measured already (service PREPARE); returns the bit.

        Args:
            basis: ``X``, ``Y`` or ``Z``. In the basis of ``outcomes`` a perfect pair gives the bit of ``outcomes.prepared``.

        Raises:
            InputError: another basis.
            StateError: both halves are there (or none), it was used already, has expired, or the half was lost.
        """
        if basis not in ("X", "Y", "Z"):
            raise InputError(repr(basis), "'X', 'Y' or 'Z'", "basis")
        if self.service is not Service.PREPARE:
            raise StateError(f"pair {self.delivered.number} was not prepared: its source has not measured")
        answer = self._perform(Measure(self.ends[1], self._slots()[1], basis, self.delivered.pair.right))
        if not isinstance(answer, Measured):
            raise StateError(f"{self.ends[1]} lost its half")
        if answer.bit is None:
            raise StateError(f"the memory of {self.ends[1]} had lost its half")
        return answer.bit

    def _perform(self, command: Consume | Measure | Teleport | Correct) -> Answer | None:
        try:
            return self._network.perform(command)
        except ProtocolError as error:  # a fault, an expiry or a cancellation emptied the slot
            raise StateError(f"pair {self.delivered.number} is gone: {error}") from error

    def _take(self) -> tuple[int, int]:
        if self.service is not Service.KEEP:
            raise StateError(f"pair {self.delivered.number} was measured by its ends: see `outcomes`")
        return self._slots()

    def _slots(self) -> tuple[int, int]:
        if self._used:
            raise StateError(f"pair {self.delivered.number} was used already")
        if self._network.now > self.expires_at:
            late = show_time(self._network.now - self.expires_at)
            raise StateError(f"pair {self.delivered.number} expired {late} ago")
        if self.delivered.slots is None:
            raise StateError(f"pair {self.delivered.number} is not held in memory; ask with hold=True")
        self._used = True
        return self.delivered.slots


class Link:
    """Entangled pairs between two nodes, handed out one by one. A context manager and an iterator.

    Attributes:
        request: what was asked for.
        plan: how it is served.
        others: plans of its other paths, where it is served on several at once.
        expired: pairs that were passed over, because they expired before anybody took them and fresher ones wait. A pair that
            may only just be reached can expire on its way to the caller; it is handed out, and its ``expires_at`` says so.
    """

    def __init__(self, network: Network, request: LinkRequest, accepted: Accepted) -> None:
        self._network = network
        self._read = 0  # replies looked at so far
        self._taken = 0
        self._closed = False
        self.expired = 0
        self.request = request
        self.name = accepted.request
        self.plan: Plan = accepted.plan
        self.others: tuple[Plan, ...] = accepted.others

    @property
    def outcome(self) -> Outcome | None:
        """How the request ended; None while it is open."""
        found = [reply for reply in self._network.replies(self.name) if isinstance(reply, Outcome)]
        return found[0] if found else None

    @property
    def packet(self) -> Packet | None:
        """The packet that was asked for (`LinkRequest.window`); None until all its pairs are alive together."""
        return next((each for each in self._network.replies(self.name) if isinstance(each, Packet)), None)

    @property
    def network(self) -> Network:
        """The running network that serves this link."""
        return self._network

    def __iter__(self) -> Iterator[Pair]:
        return self

    def __next__(self) -> Pair:
        if self._closed:
            raise StateError("the link is closed")
        replies = self._network.replies(self.name)
        expected = self.plan.forecast
        wait = from_seconds(PATIENCE / expected.rate) + int(PATIENCE) * expected.latency
        limit = self._network.now + wait
        while True:
            while self._read < len(replies):
                reply = replies[self._read]
                if isinstance(reply, Outcome):
                    raise StopIteration
                self._read += 1
                if isinstance(reply, Delivered):
                    bits = self.request.service is Service.MEASURE  # they do not fade
                    late = not bits and self._network.now > reply.expires_at
                    if late and any(isinstance(each, Delivered) for each in replies[self._read :]):
                        self.expired += 1  # a fresher pair waits behind it
                        continue
                    self._taken += 1
                    return Pair(reply, self._network, self.request.service)
            if self._network.now >= limit:
                raise StateError(
                    f"request {self.name} gave no pair within {show_time(wait)}; "
                    "if pairs that were taken are still held, use them or close the link: they fill the memories"
                )
            self._network.run(limit, stop=lambda: len(replies) > self._read)

    def close(self) -> None:
        """Give back whatever the link still holds. Closing twice is harmless."""
        if not self._closed:
            self._closed = True
            self._network.cancel(self.name)
            self._network.run(self._network.now)

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        path = " – ".join(self.plan.path)
        return f"<Link {self.name}: {path}, {self._taken} of {self.request.pairs} pairs taken>"


def open_link(network: Network, request: LinkRequest) -> Link | Refused:
    """Ask a running network for a link and wait for its answer.

    Args:
        network: a running fabric.
        request: what to ask; ask for pairs that are held in memory (``hold``), or that are measured by their ends.

    Returns:
        A `Link`, or the refusal.

    Raises:
        InputError: the request makes no sense.
    """
    name = network.submit(request)
    replies = network.replies(name)
    network.run(network.now, stop=lambda: bool(replies))  # the client sits beside the controller
    first = replies[0]
    if isinstance(first, Accepted):
        return Link(network, request, first)
    assert isinstance(first, Refused)
    return first


def _amplitudes(state: str | tuple[complex, complex]) -> tuple[complex, complex]:
    if isinstance(state, str):
        found = STATES.get(state)
        if found is None:
            raise InputError(repr(state), f"one of {', '.join(STATES)}, or two amplitudes", "state")
        return (complex(found[0]), complex(found[1]))
    try:
        alpha, beta = (complex(entry) for entry in state)
    except (TypeError, ValueError):
        raise InputError(repr(state), "two complex amplitudes of (|0⟩, |1⟩)", "state") from None
    norm = abs(alpha) ** 2 + abs(beta) ** 2
    if not math.isclose(norm, 1.0, abs_tol=1e-9):
        raise InputError(f"amplitudes with squares that sum to {norm:.6g}", "a sum of 1", "state")
    return (alpha, beta)
