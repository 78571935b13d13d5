"""The classical channel between the two ends: their state machines, the clock and the delays of a network, and enemies on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np

from quantum_fabric.errors import ProtocolError, StateError
from quantum_fabric.keys.postprocessing.authentication import KeyShortageError
from quantum_fabric.keys.postprocessing.line import Enemy, Line
from quantum_fabric.keys.postprocessing.messages import Kind, Message
from quantum_fabric.keys.postprocessing.session import Receiver, Sender
from quantum_fabric.keys.postprocessing.terms import Outcome
from quantum_fabric.physics.qkd.attacks import Attack, Jamming, ManInTheMiddle, Replay
from quantum_fabric.units import MS, Time


class Wires(Protocol):
    """What a service needs of a network to talk over it in its time."""

    @property
    def now(self) -> Time:
        """Virtual time, ps."""
        ...

    def delay(self, sender: str, receiver: str) -> Time:
        """One-way classical delay between two nodes, ps."""
        ...

    def later(self, at: Time, act: Callable[[], None]) -> None:
        """Act at a time that is not past."""
        ...


@dataclass(frozen=True, slots=True)
class Talk:
    """How a conversation ended.

    Attributes:
        sender, receiver: what each end has; None where it never came to an end.
        fault: ``""``, ``forged`` (a message or seal that does not fit), ``silent`` (a message was lost, or nothing came any more) or
            ``spent`` (no authentication key left).
        detail: what was said, in words.
    """

    sender: Outcome | None
    receiver: Outcome | None
    fault: str = ""
    detail: str = ""


Finished: TypeAlias = Callable[[Talk], None]


class Conversation:
    """One block of post-processing, message by message, in the time of a network.

    Args:
        ends: the two state machines.
        names: nodes of the sender and of the receiver.
        wires: clock and delays.
        line: counts what crosses, and may be in an enemy's hand; its delay is set here.
        finished: called once, when both ends are done or one has given up.

    Limits:
        Computing takes no time. Where one end has refused a message, the other would learn of it by silence; both are taken to have
        given up at once.
    """

    def __init__(
        self,
        ends: tuple[Sender, Receiver],
        names: tuple[str, str],
        wires: Wires,
        line: Line,
        finished: Finished,
    ) -> None:
        self._ends, self._wires, self._line = ends, wires, line
        self._finished: Finished | None = finished
        self._heard = wires.now
        self._names, self._due = names, [0, 0]  # the number of the message that each end waits for
        line.delay = wires.delay(*names)
        self._patience = max(100 * MS, 100 * line.delay)

    def start(self) -> None:
        """Say the first words."""
        for who, end in enumerate(self._ends):
            self._guarded(lambda who=who, end=end: self._send(who, end.start()))  # type: ignore[misc]
        self._wires.later(self._heard + self._patience, self._look)

    def _send(self, who: int, written: list[bytes]) -> None:
        for each in written:
            self._line.send(who, each, self._wires.now)
        if written:
            self._wires.later(self._wires.now + self._line.delay, lambda: self._listen(1 - who))

    def _listen(self, who: int) -> None:
        while self._finished is not None:
            arrival = self._line.next_arrival(who)
            if arrival is None or arrival > self._wires.now:
                break
            number, heard = self._line.next_number(who), self._line.receive(who)
            assert number is not None
            assert heard is not None
            if number > self._due[who]:  # its place in the protocol would make a sound message look forged
                lost = f"{number - self._due[who]} of the messages from {self._names[1 - who]}"
                self._end("silent", f"{lost} did not arrive")
                break
            self._due[who] = number + 1
            self._heard = self._wires.now
            self._guarded(lambda: self._send(who, self._ends[who].handle(heard[1])))  # noqa: B023 (called at once)
        if self._ends[0].outcome is not None and self._ends[1].outcome is not None:
            self._end()

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except KeyShortageError as error:
            self._end("spent", str(error))
        except (ProtocolError, StateError) as error:
            self._end("forged", str(error))

    def _look(self) -> None:
        """Silence is noticed by a timer at each end, which starts anew with every message."""
        if self._finished is None:
            return
        due = self._heard + self._patience
        if self._wires.now >= due:
            self._end("silent", f"nothing was heard for {self._patience / 1e12:g} s")
        else:
            self._wires.later(due, self._look)

    def _end(self, fault: str = "", detail: str = "") -> None:
        finished, self._finished = self._finished, None
        if finished is not None:
            finished(Talk(self._ends[0].outcome, self._ends[1].outcome, fault, detail))


ANNOUNCED = frozenset({Kind.SETTINGS, Kind.TEST_BITS, Kind.SEED})
"""What a man in the middle changes: settings, compared bits, the seed of privacy amplification."""


@dataclass(slots=True)
class Wiretap:
    """Somebody on the classical line, who listens always and acts while an attack is on.

    Attributes:
        rng: source of draws.
        attack: what is done at present; None for listening only.
    """

    rng: np.random.Generator
    attack: Attack | None = None
    _before: dict[tuple[int, Kind], bytes] = field(default_factory=dict)
    _now: dict[tuple[int, Kind], bytes] = field(default_factory=dict)

    def next_block(self) -> None:
        """What was heard so far becomes what may be replayed."""
        self._before.update(self._now)
        self._now.clear()

    def __call__(self, who: int, written: bytes) -> list[bytes]:
        """What arrives instead of a message; an `Enemy` of a `Line`."""
        kind = Message.read(written).kind
        self._now.setdefault((who, kind), written)
        match self.attack:
            case Jamming(channel="classical", fraction=p) if self.rng.random() < p:
                return []
            case Replay() if (who, kind) in self._before:
                return [self._before[who, kind]]
            case ManInTheMiddle(fraction=p) if kind in ANNOUNCED and self.rng.random() < p:
                return [self._changed(Message.read(written))]
            case _:
                return [written]

    def _changed(self, said: Message) -> bytes:
        """One bit flipped."""
        if not said.bits:
            return said.written()
        place = int(self.rng.integers(said.bits))
        data = bytearray(said.data)
        data[place // 8] ^= 1 << (place % 8)
        return Message(said.kind, said.bits, bytes(data)).written()


def enemy_of(tap: Wiretap) -> Enemy:
    """A wiretap as a line takes it.

    Examples:
        >>> enemy_of(Wiretap(np.random.default_rng(1)))(0, Message(Kind.NEED, 3, bytes(1)).written())[0][0]
        7
    """
    return tap
