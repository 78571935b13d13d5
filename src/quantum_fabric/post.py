"""Letters over a classical plane that loses, doubles and delays them, clocks that are wrong, and a controller that starts again.

On a perfect plane a fabric carries each message itself, once, after its delay, and none of this exists. Here every seat gets an
endpoint (`quantum_fabric.control.transport`) and the controller a journal (`quantum_fabric.control.recovery`); what happens to a
letter on its way is drawn from a stream of its own for each pair of seats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from quantum_fabric.control import Controller, NodeAgent
from quantum_fabric.control.recovery import Journal
from quantum_fabric.control.transport import Correspondent, Endpoint
from quantum_fabric.errors import InputError
from quantum_fabric.kernel import Clock, Priority, Streams
from quantum_fabric.kernel.order import ranked
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    ClockStep,
    ControllerFailed,
    ControllerRecovered,
    Letter,
    Message,
    Partition,
    Receipt,
    Send,
    Wake,
)
from quantum_fabric.ports import Action
from quantum_fabric.twin import Twin
from quantum_fabric.units import MS, SECOND, US, Time

MESSAGE = ranked(Priority.MESSAGE)
TIMER = ranked(Priority.TIMER)
FAULT = ranked(Priority.FAULT)

LEAST_WAIT: Time = 20 * US
"""For which a receipt is waited at least, beyond the way there and back."""


@dataclass(frozen=True, slots=True)
class Channel:
    """The classical plane as it is: what may happen to a letter, and what the control plane is told to reckon with.

    Attributes:
        loss: probability that a letter is lost on its way.
        duplication: probability that it arrives twice.
        jitter: it takes up to this much longer than its delay (ps), evenly; so letters overtake each other.
        partitions: when some nodes are cut off from all others.
        patience: for how long a letter is sent again before it is given up (ps); at most a quarter of the shortest lease.
        guard: by how much clocks of nodes may be wrong (ps). Nodes are told that their leases end this much earlier than they do.

    Raises:
        InputError: a probability outside [0, 1), or a negative time.

    Examples:
        >>> Channel(loss=0.1).patience == SECOND // 2
        True
        >>> Channel(loss=1.0)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: loss: found 1.0, expected a probability in [0, 1)
    """

    loss: float = 0.0
    duplication: float = 0.0
    jitter: Time = 0
    partitions: tuple[Partition, ...] = ()
    patience: Time = SECOND // 2
    guard: Time = MS

    def __post_init__(self) -> None:
        for name in ("loss", "duplication"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(str(getattr(self, name)), "a probability in [0, 1)", name)
        for name in ("jitter", "guard"):
            if getattr(self, name) < 0:
                raise InputError(f"{getattr(self, name)} ps", "a time that is not negative", name)
        if not 0 < self.patience <= SECOND // 2:
            raise InputError(f"{self.patience} ps", "a time above 0 and up to half a second", "patience")
        if self.guard > SECOND // 2:
            raise InputError(f"{self.guard} ps", "at most half a second", "guard")


class House(Protocol):
    """What is needed of the fabric whose letters are carried."""

    clock: Clock
    streams: Streams
    twin: Twin
    controller: Controller

    def delay(self, sender: str, receiver: str) -> Time:
        """One-way classical delay between two seats, ps."""

    def tell(self, place: str, message: Message) -> None:
        """Show the watchers a message."""

    def act(self, seat: str, actions: Sequence[Action]) -> None:
        """Do, carry and remember what a decider answered."""

    def _arrive(self, letter: tuple[str, Any]) -> None: ...


class Post:
    """Seats with endpoints, the way between them, and the controller's journal.

    Args:
        house: the fabric.
        channel: the classical plane.
        seats: what each seat's decider is.

    Attributes:
        count: of letters and receipts that were sent, doubled, lost, and sent by controllers that were replaced.
        last_back: when the last restart of the controller that is planned will be over, ps.
    """

    def __init__(self, house: House, channel: Channel, seats: Mapping[str, NodeAgent | Controller]) -> None:
        self.channel = channel
        self.count: Counter[str] = Counter()
        self.last_back: Time = 0
        self._house, self._clock = house, house.clock
        self._delay, self._told, self._act = house.delay, house.tell, house.act
        self._partitions = list(channel.partitions)
        self._offsets: dict[str, Time] = {}
        self._seats = {name: self._seated(name, decider, seats) for name, decider in seats.items()}
        house.controller.bear(channel.patience, channel.guard)
        self._fixed = house.controller.configuration
        self._journal = Journal(self._seats[CONTROLLER], self._fixed)
        self._down = False
        self._former: list[Correspondent] = []  # controllers that were replaced while they live
        self._waiting: list[Message] = []  # what clients said while no controller was there

    def _alive(self, node: str) -> bool:
        return self._house.twin.nodes[node].alive

    def _seated(self, name: str, decider: Any, seats: Iterable[str]) -> Correspondent:
        jitter = 2 * self.channel.jitter
        waits = {}
        for to in seats:
            way = self._delay(name, to) + self._delay(to, name)
            waits[to] = way + jitter + max(way // 4, LEAST_WAIT)
        return Correspondent(decider, Endpoint(name, waits, self.channel.patience, exact=name == CONTROLLER))

    # ------------------------------------------------------------------------------------------ on the way

    def carry(self, seat: str, send: Send) -> None:
        """Let a letter go: it arrives later, twice, or never."""
        self.count["sent"] += 1
        stream = self._house.streams.stream(f"letters {seat}>{send.to}")
        copies = 1 + stream.flip(self.channel.duplication)
        self.count["doubled"] += copies - 1
        for _ in range(copies):
            if stream.flip(self.channel.loss) or self._cut(seat, send.to):
                self.count["lost"] += 1
                continue
            late = int(self.channel.jitter * stream.uniform()) if self.channel.jitter else 0
            at = self._clock.now + self._delay(seat, send.to) + late
            self._clock.schedule(at, MESSAGE, self._arrived, (seat, send.to, send.message))

    def _arrived(self, letter: tuple[str, str, Message]) -> None:
        sender, seat, message = letter
        deaf = self._down if seat == CONTROLLER else not self._alive(seat)
        if deaf or self._cut(sender, seat):
            self.count["lost"] += 1
        elif seat == CONTROLLER and isinstance(message, Receipt) and (former := self._former_of(message)):
            self._former_acts(former, former.handle(message, self._clock.now, self._notice(seat)))
        else:
            self._act(seat, self.ask(seat, message))

    def _former_of(self, receipt: Receipt) -> Correspondent | None:
        """The controller of an earlier life that wrote the letter, if it goes on."""
        return next((each for each in self._former if each.endpoint.life == receipt.of), None)

    def part(self, event: Partition) -> None:
        """From now on nothing passes between these nodes and the others, until its end."""
        self._told("plant", event)
        self._partitions.append(event)

    def _cut(self, one: str, two: str) -> bool:
        now = self._clock.now
        return any(
            now < each.until and (one in each.nodes) != (two in each.nodes) for each in self._partitions
        )

    # ------------------------------------------------------------------------------------------ at a seat

    def ask(self, seat: str, message: Message, now: Time | None = None) -> Sequence[Action]:
        """What a seat answers to a message; a controller's inputs go into its journal first."""
        now = self._clock.now if now is None else now
        notice = self._notice(seat)
        if seat != CONTROLLER:
            return self._seats[seat].handle(message, now, notice)
        if self._down:
            if not isinstance(message, Letter | Receipt | Wake):
                self._waiting.append(message)
            return ()
        self._journal.write(message, now)
        actions = self._seats[seat].handle(message, now, notice)
        self._journal.acted(self._seats[seat], message, actions)
        return actions

    def _notice(self, seat: str) -> Callable[[Message], None]:
        return lambda inside: self._told(seat, inside)

    def remind(self, seat: str, wake: Wake, of: Correspondent | None = None) -> None:
        """Wake a seat when its own clock says so."""
        who = of or self._seats[seat]
        at = max(self._clock.now, wake.at - self._offsets.get(seat, 0))
        self._clock.schedule(at, TIMER, self._ring, (seat, who, who.endpoint.life, wake))

    def _ring(self, reminder: tuple[str, Correspondent, int, Wake]) -> None:
        seat, who, life, wake = reminder
        now = self._clock.now
        if seat == CONTROLLER:
            if who in self._former:
                self._former_acts(who, who.handle(wake, now))
            elif who is self._seats[seat] and life == who.endpoint.life and not self._down:
                self._act(seat, self.ask(seat, wake))
            return
        local = now + self._offsets.get(seat, 0)
        if local < wake.at:  # its clock was set back meanwhile
            self.remind(seat, wake)
        elif self._alive(seat):
            self._act(seat, self.ask(seat, wake, wake.at if wake.purpose == "lease" else now))

    def step_clock(self, event: ClockStep) -> None:
        """A clock is wrong from now on. If it is more wrong than the guard allows for, its node finds that out and starts again."""
        self._told("plant", event)
        node, now, twin = event.node, self._clock.now, self._house.twin
        self._offsets[node] = event.offset
        if abs(event.offset) > self.channel.guard and self._alive(node):
            self._offsets[node] = 0
            twin.fail_node(node, now)
            twin.recover_node(node, now)

    # -------------------------------------------------------------------------------- another controller

    def restart_controller(self, at: Time, down_for: Time, survives: bool) -> None:
        """Have the controller stop, and another come back from its journal.

        Raises:
            InputError: a negative time.
        """
        if down_for < 0:
            raise InputError(f"{down_for} ps", "a time that is not negative", "down_for")
        self.last_back = max(self.last_back, at + down_for)
        self._clock.schedule(at, FAULT, lambda _: self._fail(down_for, survives))

    def _fail(self, down_for: Time, survives: bool) -> None:
        if self._down:
            return  # it fails while it is down
        old = self._seats[CONTROLLER]
        self._told(CONTROLLER, ControllerFailed(old.endpoint.life))
        if survives:
            self._former.append(old)
        self._down = True
        self._clock.schedule(self._clock.now + down_for, FAULT, self._recover, old.endpoint.life + 1)

    def _recover(self, life: int) -> None:
        replayed = self._journal.inputs
        seat, wakes = self._journal.restored()
        assert isinstance(seat.decider, Controller)
        self._seats[CONTROLLER], self._house.controller = seat, seat.decider
        self._journal = Journal(seat, self._fixed, waking=wakes)
        self._down = False
        news = ControllerRecovered(life, replayed)
        self._told(CONTROLLER, news)
        actions = self.ask(CONTROLLER, news)  # which begins its next life
        for wake in wakes:
            self.remind(CONTROLLER, wake)
        self._act(CONTROLLER, actions)
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self._act(CONTROLLER, self.ask(CONTROLLER, message))

    def _former_acts(self, who: Correspondent, actions: Sequence[Action]) -> None:
        """A controller that was replaced goes on: its letters travel, and clients listen to the later one alone."""
        for action in actions:
            if isinstance(action, Wake):
                self.remind(CONTROLLER, action, who)
            elif isinstance(action, Send) and action.to != CLIENT:
                self.count["former"] += 1
                self.carry(CONTROLLER, action)
