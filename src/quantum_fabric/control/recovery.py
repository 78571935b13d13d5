"""What a controller does when something lives again: a node that holds nothing any more, or itself, from its journal.

The journal is an image of the seat's state and every input since. A seat is a decider, so the same inputs lead to the same
state and to the same letters, which were sent already or are sent again by its endpoint. What the nodes hold is asked for
nevertheless: the end of a journal may be lost, and leases run out while nobody renews them.
"""

from __future__ import annotations

import io
import pickle
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.session import Installation, Phase, Session
from quantum_fabric.control.transport import Correspondent
from quantum_fabric.errors import StateError
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Commit,
    ControllerRecovered,
    Deposed,
    Holding,
    Inquire,
    LinkReport,
    Message,
    Prepare,
    Release,
    Restarted,
    Send,
    Stale,
    Undelivered,
    Wake,
)
from quantum_fabric.ports import Action, Log
from quantum_fabric.units import Time

EPOCHS_OF_A_LIFE = 32
"""Bits of an epoch's number that count within one life of the controller; two lives never give the same number."""


class Books(Protocol):
    """What is needed of the controller whose books are put right."""

    ledger: Ledger
    sessions: dict[str, Session]

    def current(self, epoch: int) -> Session | None:
        """The session that this epoch serves now."""

    def standing(self, epoch: int) -> tuple[Session, Installation] | None:
        """Session and installation of an epoch that is in force or keeps delivered pairs."""

    def repair(self, session: Session, why: str, now: Time, out: list[Action]) -> None:
        """Another installation for what is still owed, or an end with the reason."""

    def everyone(self) -> list[Session]:
        """All sessions, those among them that are to follow others first."""

    def let_go(self, epoch: int, out: list[Action]) -> None:
        """Release an epoch that only keeps delivered pairs."""

    def count_from(self, epoch: int) -> int:
        """Give the coming epochs numbers above this one; returns the last that was given."""


class Recovery:
    """Puts the books right.

    Args:
        books: the controller.

    Attributes:
        guard: by how much the clocks of nodes may be wrong, ps.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self.guard: Time = 0
        self._lives: dict[str, int] = {}
        self._heard: dict[tuple[str, str], tuple[int, int]] = {}

    def is_old(self, report: LinkReport) -> bool:
        """Whether newer news of this link has come from this node (and remember this one, if it has not)."""
        if not report.number:
            return False
        key, stamp = (report.node, report.link), (report.life, report.number)
        if stamp <= self._heard.get(key, (0, 0)):
            return True
        self._heard[key] = stamp
        return False

    def restarted(self, message: Restarted, now: Time) -> list[Action]:
        """A node has lost all that it held: what ran over it is installed anew, and its slots come back at its word."""
        node = message.node
        if message.life <= self._lives.get(node, 1):
            return [Stale(CONTROLLER, "Restarted", 0)]
        self._lives[node] = message.life
        books, out = self._books, list[Action]()
        before = [
            epoch
            for epoch in sorted({lease.epoch for lease in books.ledger.leases() if lease.node == node})
            if (standing := books.standing(epoch)) is None or standing[1].since < message.at + self.guard
        ]
        for session in books.everyone():
            installation = session.installation  # what was sent to its new life is not lost
            lost = installation is not None and installation.since < message.at + self.guard
            if session.open and lost and node in session.plan.path:
                books.repair(session, f"{node} lives again and holds nothing", now, out)
            for each in list(session.kept):
                if node in (each.plan.path[0], each.plan.path[-1]):  # the halves that it kept are gone
                    books.let_go(each.epoch, out)
        return [*out, *self._release(node, before, out)]

    @staticmethod
    def _release(node: str, epochs: Sequence[int], out: Sequence[Action]) -> list[Action]:
        """Have a node say that it has let go of epochs, unless it is asked to already."""
        asked = {
            action.message.epoch
            for action in out
            if isinstance(action, Send) and action.to == node and isinstance(action.message, Release)
        }
        return [Send(node, Release(epoch)) for epoch in epochs if epoch not in asked]

    def recovered(self, message: ControllerRecovered, now: Time) -> list[Action]:
        """The controller itself lives again: ask everybody what is held."""
        upto = self._books.count_from(message.life << EPOCHS_OF_A_LIFE)
        return [Send(node, Inquire(upto)) for node in self._books.ledger.free()]

    def holding(self, message: Holding, now: Time) -> list[Action]:
        """A node says what it holds: release what is in no book, and install anew what it has let go of."""
        node, books, out = message.node, self._books, list[Action]()
        booked = {lease.epoch for lease in books.ledger.leases() if lease.node == node}
        unknown = [epoch for epoch in message.epochs if epoch not in booked]
        gone = [epoch for epoch in sorted(booked - set(message.epochs)) if epoch <= message.upto]
        for epoch in list(gone):
            session = books.current(epoch)
            if session is None or not session.open:
                continue
            assert session.installation is not None
            if session.phase is Phase.PREPARING and node in session.installation.waiting:
                gone.remove(epoch)  # its `Prepare` may still be on its way
            else:
                books.repair(session, f"{node} has let go of its slots", now, out)
        return [*out, *self._release(node, [*unknown, *gone], out)]

    def undelivered(self, message: Undelivered, now: Time) -> list[Action]:
        """A letter was given up. What is not said here ends by itself: by a patience, a deadline or the end of a lease."""
        content = message.content
        if not isinstance(content, Commit | Prepare) or (
            isinstance(content, Prepare) and message.why != "outlived"
        ):
            return []
        out: list[Action] = []
        session = self._books.current(content.epoch)
        if session is not None and session.open:
            kind = type(content).__name__
            self._books.repair(session, f"{message.receiver} did not get its {kind}", now, out)
        return out

    def deposed(self, message: Deposed, now: Time) -> list[Action]:
        """Another controller is obeyed now: nothing that this one says is heard any more."""
        return []


class Journal:
    """What outlives a controller: an image of its seat, and all inputs since.

    Args:
        seat: whose inputs are to be kept.
        fixed: objects that no input changes (the believed topology); they are configuration and are not written.
        waking: reminders that it waits for.
        every: inputs after which there is another image.
        log: where it outlives the process too; None keeps it in memory.

    Attributes:
        unsaid: after `restored`: what the last input told clients. The process may have ended before that was carried, so it is told
            again: clients know a pair that comes twice by its number.

    Raises:
        TypeError, AttributeError, pickle.PicklingError: the seat holds something that cannot be written.

    Limits:
        An image is a pickle: who can write a log can make its controller do anything. The log has to know its own records
        (`quantum_fabric.ops.controller_log` does by a key).
    """

    def __init__(
        self,
        seat: Correspondent,
        fixed: Sequence[object] = (),
        waking: Sequence[Wake] = (),
        every: int = 4096,
        log: Log | None = None,
    ) -> None:
        self._fixed = tuple(fixed)
        self._every = every
        self._log = log
        self._waking: Counter[Wake] = Counter(waking)
        self.unsaid: list[Send] = []
        self._keep(seat)

    @classmethod
    def reopened(cls, log: Log, fixed: Sequence[object] = ()) -> Journal:
        """The journal that a process that ended has left in a log; ask it for what it has `restored`.

        Raises:
            StateError: there is none.
        """
        image, records = log.read()
        if not image:
            raise StateError("the log holds no image of a controller: nothing to come back from")
        made = cls.__new__(cls)
        made._fixed, made._every, made._log, made.unsaid = tuple(fixed), 0, None, []
        made._image, made._waking = image, Counter()
        made._since = [pickle.loads(record) for record in records]
        return made

    def _keep(self, seat: Correspondent) -> None:
        file = io.BytesIO()
        writer = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
        places = {id(each): place for place, each in enumerate(self._fixed)}
        writer.persistent_id = lambda thing: places.get(id(thing))  # type: ignore[method-assign]
        writer.dump((seat, dict(self._waking)))
        self._image = file.getvalue()
        self._since: list[tuple[Time, Message]] = []
        if self._log is not None:
            self._log.renew(self._image)

    @property
    def inputs(self) -> int:
        """How many inputs there are since the last image."""
        return len(self._since)

    def write(self, message: Message, now: Time) -> None:
        """Keep an input, before it is acted on."""
        self._since.append((now, message))
        if self._log is not None:
            self._log.append(pickle.dumps((now, message), pickle.HIGHEST_PROTOCOL))

    def acted(self, seat: Correspondent, message: Message, actions: Sequence[Action]) -> None:
        """Note what an input has led to, before any of it is done; now and then there is another image.

        What an input leads to may be seen outside only after the input is where it cannot be lost. One that leads to nothing but
        reminders may be lost with them: nobody has been told that it came.
        """
        note_wakes(self._waking, message, actions)
        if self._log is not None and not all(isinstance(action, Wake | Stale) for action in actions):
            self._log.sync()
        if len(self._since) >= self._every:
            self._keep(seat)

    def restored(self) -> tuple[Correspondent, list[Wake]]:
        """The seat as it was after its last input, and the reminders that it waits for.

        What the inputs led to is not done again: letters that nobody acknowledged are in the endpoint, and clients were told (but
        for `unsaid`, where the process itself has ended).
        """
        reader = pickle.Unpickler(io.BytesIO(self._image))
        reader.persistent_load = self._fixed.__getitem__  # type: ignore[method-assign]
        seat, waking = reader.load()
        wakes: Counter[Wake] = Counter(waking)
        for at, message in self._since:
            actions = seat.handle(message, at)
            note_wakes(wakes, message, actions)
            self.unsaid = [each for each in actions if isinstance(each, Send) and each.to == CLIENT]
        left: list[Wake] = sorted(
            wakes.elements(), key=lambda wake: (wake.at, wake.epoch, wake.purpose, wake.key)
        )
        return seat, left


def note_wakes(wakes: Counter[Wake], message: Message, actions: Sequence[Any]) -> None:
    """Count the reminders that are still to come."""
    if isinstance(message, Wake) and wakes[message] > 0:
        wakes[message] -= 1
        if not wakes[message]:
            del wakes[message]
    for action in actions:
        if isinstance(action, Wake):
            wakes[action] += 1
