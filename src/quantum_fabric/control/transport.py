"""Letters that arrive although the classical plane loses, doubles and delays them: one endpoint for each seat.

A letter is numbered within a life of its sender, sent again until it is acknowledged or has expired, and acted on once. A seat that
starts again begins another life: what its earlier lives wrote is refused, and so is what was written to them. The same fence keeps
two controllers that both take themselves for the one in charge from both being obeyed: a node listens to the later life only.

Order is not restored; the protocols bear letters that overtake each other (docs/explanation/reservation.md). Between two lives of
one sender a letter may be acted on twice: whoever remembers what it wrote writes it again in its next life. They bear that too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from quantum_fabric.messages import (
    CLIENT,
    ControllerRecovered,
    Deposed,
    Letter,
    Message,
    NodeRecovered,
    Receipt,
    Send,
    Undelivered,
    Verdict,
    Wake,
)
from quantum_fabric.messages.letters import Carried
from quantum_fabric.ports import Action, Decider
from quantum_fabric.units import Time

RESEND = "resend"
"""Purpose of the reminders of endpoints; no decider has one of that name."""

SLOWEST = 6
"""The wait for a receipt doubles at each try, this many times at most."""

WINDOW = 1 << 16
"""So many letters of one sender are told apart; one that is further ahead has to come again later."""

Word = Undelivered | Deposed
"""What an endpoint tells its own decider."""

Mail = tuple[list[Action], list[Word]]
"""What an endpoint does, and what it tells its decider."""


class Pending(NamedTuple):
    """A letter that is not acknowledged yet."""

    letter: Letter
    tries: int


@dataclass(slots=True)
class Peer:
    """What an endpoint keeps of one other seat.

    Attributes:
        life: the latest life of it that was heard of. This survives a restart, and so nobody goes back behind a fence.
        sent: number of the last letter to it.
        pending: letters to it that are not acknowledged, by number.
        floor: every letter of it up to here is known.
        seen: numbers of letters of it above the floor.
    """

    life: int = 1
    sent: int = 0
    pending: dict[int, Pending] = field(default_factory=dict)
    floor: int = 0
    seen: set[int] = field(default_factory=set)


class Endpoint:
    """Sends, receives and remembers the letters of one seat.

    Args:
        name: the seat.
        waits: for how long a receipt of each other seat is waited for at first, ps.
        patience: for how long a letter is worth acting on, ps.
        exact: whether its letters are for the life of the receiver that it has heard of, and for no later one.

    Examples:
        >>> from quantum_fabric.messages import Commit
        >>> one, two = Endpoint("A", {"B": 10}, 1000), Endpoint("B", {"A": 10}, 1000)
        >>> sent, reminder = one.post("B", Commit(7), now=0)
        >>> content, (answer,) = two.receive(sent.message, now=3)
        >>> content, answer.message.verdict
        (Commit(epoch=7), <Verdict.RECEIVED: 'received'>)
        >>> two.receive(sent.message, now=4)[0] is None   # a letter that comes twice
        True
        >>> one.acknowledged(answer.message), one.woken(reminder, now=10)
        (([], []), ([], []))
    """

    def __init__(self, name: str, waits: Mapping[str, Time], patience: Time, exact: bool = False) -> None:
        self.name = name
        self.life = 1
        self.deposed_by = 0
        self._waits = dict(waits)
        self._patience = patience
        self._exact = exact
        self._peers: dict[str, Peer] = {}

    def _peer(self, seat: str) -> Peer:
        found = self._peers.get(seat)
        if found is None:
            found = self._peers[seat] = Peer()
        return found

    @property
    def waiting(self) -> int:
        """How many letters are not acknowledged yet."""
        return sum(len(peer.pending) for peer in self._peers.values())

    def moot(self, wake: Wake) -> bool:
        """Whether a reminder has nothing left to do."""
        life, _, to = wake.key.partition(" ")
        peer = self._peers.get(to)
        return int(life) != self.life or peer is None or wake.epoch not in peer.pending

    # ------------------------------------------------------------------------------------------- lives

    def reborn(self) -> None:
        """Another life, in which nothing of the earlier one is remembered but the numbers of lives."""
        self.life += 1
        self._peers = {seat: Peer(peer.life) for seat, peer in self._peers.items()}

    def resume(self, life: int, now: Time) -> list[Action]:
        """Another life that remembers everything: it writes again what is not acknowledged."""
        self.life = life
        out: list[Action] = []
        for to, peer in self._peers.items():
            waiting, peer.pending, peer.sent = list(peer.pending.values()), {}, 0
            for each in waiting:
                out += self.post(to, each.letter.content, now, each.letter.expires_at)
        return out

    def _deposed(self, by: int) -> Mail:
        if self.deposed_by >= by:
            return [], []
        self.deposed_by = by
        for peer in self._peers.values():
            peer.pending.clear()
        return [], [Deposed(self.name, self.life, by)]

    # ----------------------------------------------------------------------------------------- sending

    def post(self, to: str, content: Carried, now: Time, expires_at: Time | None = None) -> list[Action]:
        """Write a letter; nobody acts on it from `expires_at` on (after the patience, where it is not given)."""
        if self.deposed_by:
            return []
        peer = self._peer(to)
        peer.sent += 1
        until = now + self._patience if expires_at is None else expires_at
        lowest = min(peer.pending, default=peer.sent)
        known = peer.life if self._exact else 0
        letter = Letter(self.name, to, self.life, known, peer.sent, lowest, until, content)
        peer.pending[peer.sent] = Pending(letter, 1)
        return [Send(to, letter), self._reminder(letter, 1, now)]

    def _reminder(self, letter: Letter, tries: int, now: Time) -> Wake:
        wait = self._waits[letter.receiver] << min(tries - 1, SLOWEST)
        at = max(now, min(now + wait, letter.expires_at))
        return Wake(at, RESEND, letter.number, f"{letter.life} {letter.receiver}")

    def woken(self, wake: Wake, now: Time) -> Mail:
        """No receipt has come in time: send the letter again, or give it up."""
        if self.moot(wake):
            return [], []
        to = wake.key.partition(" ")[2]
        peer = self._peers[to]
        letter, tries = peer.pending[wake.epoch]
        if now >= letter.expires_at:
            return [], [self._given_up(peer, letter.number, "expired")]
        again = replace(letter, lowest=min(peer.pending))
        peer.pending[letter.number] = Pending(letter, tries + 1)
        return [Send(to, again), self._reminder(letter, tries + 1, now)], []

    def acknowledged(self, receipt: Receipt) -> Mail:
        """The receiver says what became of a letter."""
        if receipt.fence > self.life:
            return self._deposed(receipt.fence)
        peer = self._peer(receipt.sender)
        lost: list[Word] = self._heard_of(peer, receipt.life)
        if receipt.of == self.life and receipt.number in peer.pending:
            if receipt.verdict is Verdict.RECEIVED:
                del peer.pending[receipt.number]
            else:
                lost.append(self._given_up(peer, receipt.number, receipt.verdict.value))
        return [], lost

    def _given_up(self, peer: Peer, number: int, why: str) -> Undelivered:
        letter, tries = peer.pending.pop(number)
        return Undelivered(self.name, letter.receiver, letter.content, why, tries)

    def _heard_of(self, peer: Peer, life: int) -> list[Word]:
        """Another life of a seat begins with no letters, and will not accept what was written to an earlier one."""
        if life <= peer.life:
            return []
        peer.life, peer.floor = life, 0
        peer.seen.clear()
        old = [number for number, each in peer.pending.items() if 0 < each.letter.known < life]
        return [self._given_up(peer, number, Verdict.OUTLIVED.value) for number in old]

    # --------------------------------------------------------------------------------------- receiving

    def receive(self, letter: Letter, now: Time) -> tuple[Carried | None, list[Action]]:
        """What a letter says, if it is to be acted on now, and the receipt for it."""
        content, actions, _ = self.opened(letter, now)
        return content, actions

    def opened(self, letter: Letter, now: Time) -> tuple[Carried | None, list[Action], list[Word]]:
        """As `receive`, with the letters to the sender that are given up because it lives again."""
        if self.deposed_by:
            return None, [], []
        peer = self._peer(letter.sender)
        lost: list[Word] = []
        if letter.life < peer.life:
            verdict = Verdict.FENCED
        else:
            lost = self._heard_of(peer, letter.life)
            verdict = self._judged(peer, letter, now)
        content = None
        if verdict is Verdict.RECEIVED and self._is_new(peer, letter):
            if letter.number > peer.floor + WINDOW:
                return None, [], lost
            content = letter.content
            self._note(peer, letter)
        receipt = Receipt(self.name, letter.sender, self.life, letter.life, letter.number, verdict, peer.life)
        return content, [Send(letter.sender, receipt)], lost

    def _judged(self, peer: Peer, letter: Letter, now: Time) -> Verdict:
        if 0 < letter.known < self.life:
            return Verdict.OUTLIVED
        if now >= letter.expires_at and self._is_new(peer, letter):
            return Verdict.EXPIRED
        return Verdict.RECEIVED

    @staticmethod
    def _is_new(peer: Peer, letter: Letter) -> bool:
        return letter.number > peer.floor and letter.number not in peer.seen

    @staticmethod
    def _note(peer: Peer, letter: Letter) -> None:
        peer.seen.add(letter.number)
        peer.floor = max(peer.floor, letter.lowest - 1)
        while peer.floor + 1 in peer.seen:
            peer.floor += 1
        peer.seen = {number for number in peer.seen if number > peer.floor}


class Correspondent:
    """A decider whose letters arrive: it and its endpoint, as one decider.

    Args:
        decider: which writes and reads plain messages.
        endpoint: of its seat.
    """

    def __init__(self, decider: Decider, endpoint: Endpoint) -> None:
        self.decider = decider
        self.endpoint = endpoint

    def handle(
        self, message: Message, now: Time, notice: Callable[[Message], None] | None = None
    ) -> Sequence[Action]:
        """Answer one message; `notice` is shown what comes in a letter, or back from one, before the decider is."""
        out: list[Action] = []
        inside: list[Message] = []
        match message:
            case Letter():
                content, out, lost = self.endpoint.opened(message, now)
                inside = [*lost, *([] if content is None else [content])]
            case Receipt():
                out, lost = self.endpoint.acknowledged(message)
                inside = [*lost]
            case Wake(purpose="resend"):
                out, lost = self.endpoint.woken(message, now)
                inside = [*lost]
            case NodeRecovered():
                self.endpoint.reborn()
                out = self._posted(self.decider.handle(message, now), now)
            case ControllerRecovered(life=life):
                out = self.endpoint.resume(life, now)
                out += self._posted(self.decider.handle(message, now), now)
            case _:
                out = self._posted(self.decider.handle(message, now), now)
        for each in inside:
            if notice is not None:
                notice(each)
            out += self._posted(self.decider.handle(each, now), now)
        return out

    def _posted(self, actions: Sequence[Action], now: Time) -> list[Action]:
        out: list[Action] = []
        for action in actions:
            if isinstance(action, Send) and action.to != CLIENT:
                content: Any = action.message
                out += self.endpoint.post(action.to, content, now)
            elif not (isinstance(action, Send) and self.endpoint.deposed_by):
                out.append(action)
        return out
