"""A node of a key network: hands shares on, makes keys of them at the ends, and never keeps what it has handed on.

`RelayNode.handle(message, now)` is atomic: its house commits the changed state before it lets the answers out (`ShelfPads` in one
transaction). Then a crash before the commit is a message that was lost on its way here, a crash after it one that was lost on its
way from here, and both are covered by sending again. What is refused is refused by a `Receipt`, and its source says so: a key
is delivered at both ends, or destroyed and reported.

The source settles: only after the target's receipt does it use the key, and the target uses it only when it is told so. Where the
receipt does not come in time the source withdraws the key, and the target destroys it. A key that is released is never withdrawn.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

from quantum_fabric.errors import InputError
from quantum_fabric.keys.cutting import xor
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.records import Instant
from quantum_fabric.keys.relay.bundle import LARGEST, LOCK, OVERHEAD, Bundle, noise_octets, pack, unpack
from quantum_fabric.keys.relay.custody import Book, Form
from quantum_fabric.keys.relay.line import Line
from quantum_fabric.keys.relay.messages import (
    Ack,
    Alarm,
    Answer,
    Carry,
    Delivered,
    Envelope,
    Failed,
    Message,
    Outcome,
    Payload,
    Receipt,
    Settle,
    Start,
    Tick,
)
from quantum_fabric.keys.relay.pads import Pad, PadStore
from quantum_fabric.keys.relay.paths import Path

LONGEST: Final = 64
"""Nodes of a path, and paths of a key."""

Ration: TypeAlias = Callable[[str, str, int, Instant], bool]
"""(source, target, octets of key, now) -> whether a relay hands a share of theirs on; what it allows, it has counted."""

LONGEST_LIFE: Final[Instant] = 86_400_000
"""How far ahead the end of a transfer may lie, in ms: nobody makes a node keep something for ever."""


@dataclass(slots=True)
class Sending:
    """A key on its way from here, until it is settled."""

    bundle: Bundle
    paths: tuple[Path, ...]
    expires: Instant


@dataclass(slots=True)
class Arriving:
    """A key on its way to here: its shares, then the whole until it is settled."""

    octets: int
    count: int
    expires: Instant
    shares: dict[int, KeyMaterial] = field(default_factory=dict)
    paths: dict[int, Path] = field(default_factory=dict)
    bundle: Bundle | None = None

    @property
    def ways(self) -> tuple[Path, ...]:
        """The paths that shares came by."""
        return tuple(self.paths[number] for number in sorted(self.paths))


class RelayNode:
    """One node, as source, relay and target.

    Args:
        name: of the node.
        pads: its link keys.
        relays: False where it is an end only and hands nothing on.
        patience: after so long a message is sent again, in ms.
        ration: asked for each share of others; None for as much as there is link key.

    Attributes:
        pads: its link keys.
        book: who holds what.
        lines: neighbour -> line.
        sending, arriving: keys of which this node is an end, until they are settled.
        over, refused: what must not begin again, and until when that is remembered.
    """

    def __init__(
        self,
        name: str,
        pads: PadStore,
        relays: bool = True,
        patience: Instant = 1000,
        ration: Ration | None = None,
    ) -> None:
        self.name = name
        self.book = Book(name)
        self.lines: dict[str, Line] = {}
        self.pads, self._relays, self._patience, self._ration = pads, relays, patience, ration
        self.sending: dict[UUID, Sending] = {}
        self.arriving: dict[UUID, Arriving] = {}
        self.over: dict[UUID, Instant] = {}
        self.refused: dict[tuple[UUID, int], Instant] = {}

    def handle(self, message: Message, now: Instant) -> list[Answer]:
        """Take a message, and answer.

        Args:
            message: from a neighbour, or from the house.
            now: ms.

        Raises:
            InputError: a `Start` that cannot be; nothing was changed.
        """
        match message:
            case Envelope() if message.receiver == self.name and message.sender != self.name:
                payload, answers = self.line(message.sender).take(message)
                return [*answers, *(self._take(message.sender, payload, now) if payload else [])]
            case Ack() if message.receiver == self.name and message.sender != self.name:
                return self._acknowledged(message, now)
            case Start():
                return self._start(message, now)
            case Tick():
                return self._tick(now)
        return [Alarm(self.name, message.sender, "a message for somebody else")]

    @property
    def quiet(self) -> bool:
        """Whether nothing is held, on its way or waiting."""
        return not self.book.held and all(line.idle for line in self.lines.values())

    def line(self, peer: str) -> Line:
        """The line to a neighbour."""
        if peer not in self.lines:
            self.lines[peer] = Line(self.name, peer, self.pads)
        return self.lines[peer]

    def _acknowledged(self, ack: Ack, now: Instant) -> list[Answer]:
        what = self.line(ack.sender).acknowledged(ack)
        if isinstance(what, Carry):
            self.book.close(what.transfer, what.share, Form.CIPHER, now, f"{ack.sender} has it")
        return [what] if isinstance(what, Alarm) else []

    # -------------------------------------------------------------------------------------------------- source

    def _start(self, start: Start, now: Instant) -> list[Answer]:
        self._judge(start)
        size = start.octets + OVERHEAD
        if not now < start.expires <= now + LONGEST_LIFE:
            return [Failed(start.transfer, Outcome.EXPIRED, self.name)]
        firsts = Counter(path[1] for path in start.paths)
        if not all(self.line(peer).ready(n * size + (n - 1) * LOCK) for peer, n in firsts.items()):
            return [Failed(start.transfer, Outcome.DRY, self.name)]
        bundle, shares = pack(start.noise, start.octets, len(start.paths))
        self.sending[start.transfer] = Sending(bundle, start.paths, start.expires)
        self.book.open(start.transfer, None, Form.WHOLE, now)
        answers: list[Answer] = []
        for number, (path, share) in enumerate(zip(start.paths, shares, strict=True)):
            carry = partial(Carry, start.transfer, number, len(shares), start.octets, path, start.expires)
            answers += self._cover(path[1], carry, share, number, start.transfer, now)
        return answers

    def _judge(self, start: Start) -> None:
        sound = all(
            2 <= len(path) <= LONGEST and len(set(path)) == len(path) and path[0] == self.name
            for path in start.paths
        )
        if not sound or len({path[-1] for path in start.paths}) != 1 or len(start.paths) > LONGEST:
            raise InputError("other paths", f"paths from {self.name} to one node, without circles", "start")
        if start.transfer in self.over or start.transfer in self.sending:
            raise InputError(f"transfer {start.transfer} again", "a name that was never used", "start")
        wanted = noise_octets(start.octets, len(start.paths)) if 1 <= start.octets <= LARGEST else 0
        if len(start.noise) != wanted:
            raise InputError(f"{len(start.noise)} octets", f"{wanted} random octets", "start.noise")

    def _cover(
        self,
        peer: str,
        carry: Callable[..., Carry],
        share: KeyMaterial,
        number: int,
        transfer: UUID,
        now: Instant,
    ) -> list[Envelope]:
        """Put a share under a pad, destroy both, and send what is left of them."""
        pad: Pad | None = self.pads.cut(peer, len(share))
        assert pad is not None, "the line was ready"
        body = xor(share, pad.material)
        share.wipe()
        pad.material.wipe()
        self.book.open(transfer, number, Form.CIPHER, now)
        return self.line(peer).send(carry(pad=pad.places, body=body), now)

    def _settle(self, transfer: UUID, outcome: Outcome, by: str, now: Instant) -> list[Answer]:
        """Release or withdraw, for good."""
        sending = self.sending.pop(transfer)
        self.over[transfer] = sending.expires
        release = outcome is Outcome.ARRIVED
        bundle = sending.bundle
        password = bytes((bundle.release if release else bundle.withdraw).octets)
        self.book.close(transfer, None, Form.WHOLE, now, "released" if release else outcome.value)
        answers: list[Answer] = []
        if release:
            target, material = sending.paths[0][-1], KeyMaterial(bundle.key.octets)
            answers.append(Delivered(transfer, self.name, target, material, sending.paths))
        else:
            answers.append(Failed(transfer, outcome, by))
        bundle.wipe()
        for number, path in enumerate(sending.paths):
            word = Settle(transfer, number, path, sending.expires, release, password)
            answers += self.line(path[1]).send(word, now)
        return answers

    def _received(self, peer: str, receipt: Receipt, now: Instant) -> list[Answer]:
        sending = self.sending.get(receipt.transfer)
        if sending is None or receipt.path not in sending.paths:
            return []  # settled before: another path was faster
        if receipt.outcome is Outcome.ARRIVED:
            ours = bytes(sending.bundle.receipt.octets)
            if not hmac.compare_digest(ours, receipt.password):
                return [Alarm(self.name, peer, "a receipt that the target did not write")]
        return self._settle(receipt.transfer, receipt.outcome, receipt.by, now)

    # --------------------------------------------------------------------------------------------------- relay

    def _take(self, peer: str, payload: Payload, now: Instant) -> list[Answer]:
        path = payload.path
        ahead = not isinstance(payload, Receipt)
        place = path.index(self.name) if self.name in path else -1
        before = place - 1 if ahead else place + 1
        sound = 2 <= len(path) <= LONGEST and len(set(path)) == len(path) and place >= 0
        if not sound or not 0 <= before < len(path) or path[before] != peer:
            return [Alarm(self.name, peer, "a payload whose path does not lead here")]
        match payload:
            case Carry():
                return self._carry(peer, payload, place, now)
            case Receipt():
                if place == 0:
                    return self._received(peer, payload, now)
                return [*self.line(path[place - 1]).send(payload, now)]
            case Settle():
                if place == len(path) - 1:
                    return self._settled(peer, payload, now)
                if (payload.transfer, payload.share) in self.refused:
                    return []  # nobody beyond this node has heard of the share
                return [*self.line(path[place + 1]).send(payload, now)]

    def _carry(self, peer: str, carry: Carry, place: int, now: Instant) -> list[Answer]:
        share = self._uncover(peer, carry)
        if share is None:
            return [Alarm(self.name, peer, "a share whose pad is not here")]
        if any(self.book.holds(carry.transfer, carry.share, form) for form in (Form.CLEAR, Form.CIPHER)):
            share.wipe()
            return [Alarm(self.name, peer, "a share that is here already")]
        last = place == len(carry.path) - 1
        ahead = self.line(carry.path[place + 1]) if not last else None
        why: Outcome | None = None
        if not now < carry.expires <= now + LONGEST_LIFE:
            why = Outcome.EXPIRED
        elif ahead is not None and not self._relays:
            why = Outcome.UNWILLING
        elif ahead is not None and not ahead.ready(len(share)):
            why = Outcome.DRY
        elif ahead is not None and self._ration is not None:
            ends = (carry.path[0], carry.path[-1])
            why = None if self._ration(*ends, carry.octets, now) else Outcome.QUOTA
        self.book.open(carry.transfer, carry.share, Form.CLEAR, now)
        if why is not None:
            share.wipe()
            self.book.close(carry.transfer, carry.share, Form.CLEAR, now, why.value)
            self.refused[carry.transfer, carry.share] = min(carry.expires, now + LONGEST_LIFE)
            return [*self._back(carry.transfer, carry.share, carry.path, why, now)]
        if last:
            return self._arrived(carry, share, now)
        onward = partial(
            Carry, carry.transfer, carry.share, carry.shares, carry.octets, carry.path, carry.expires
        )
        self.book.close(carry.transfer, carry.share, Form.CLEAR, now, "under the next pad")
        return [*self._cover(carry.path[place + 1], onward, share, carry.share, carry.transfer, now)]

    def _uncover(self, peer: str, carry: Carry) -> KeyMaterial | None:
        sizes = {len(carry.body), sum(one.octets for one in carry.pad), carry.octets + OVERHEAD}
        pad = self.pads.look(peer, carry.pad) if len(sizes) == 1 and carry.octets <= LARGEST else None
        if pad is None:
            return None
        self.pads.spend(peer, carry.pad)
        body = KeyMaterial(carry.body)
        share = KeyMaterial(xor(pad, body))
        pad.wipe()
        return share

    def _back(
        self, transfer: UUID, share: int, path: Path, outcome: Outcome, now: Instant, password: bytes = b""
    ) -> list[Envelope]:
        receipt = Receipt(transfer, share, path, outcome, self.name, password)
        return self.line(path[path.index(self.name) - 1]).send(receipt, now)

    # -------------------------------------------------------------------------------------------------- target

    def _arrived(self, carry: Carry, share: KeyMaterial, now: Instant) -> list[Answer]:
        about = (carry.octets, carry.shares, carry.expires)
        arriving = self.arriving.setdefault(carry.transfer, Arriving(*about))
        odd = about != (arriving.octets, arriving.count, arriving.expires)
        source = {path[0] for path in (carry.path, *arriving.paths.values())}
        if carry.transfer in self.over or arriving.bundle is not None or carry.share in arriving.shares:
            odd = True
        if odd or len(source) != 1 or not 0 <= carry.share < carry.shares <= LONGEST:
            share.wipe()
            self.book.close(carry.transfer, carry.share, Form.CLEAR, now, "of a key that is over")
            if not arriving.paths:
                del self.arriving[carry.transfer]
            return []
        arriving.shares[carry.share], arriving.paths[carry.share] = share, carry.path
        if len(arriving.shares) < arriving.count:
            return []
        arriving.bundle = unpack(tuple(arriving.shares.values()), arriving.octets)
        for number in arriving.shares:
            self.book.close(carry.transfer, number, Form.CLEAR, now, "put together")
        arriving.shares.clear()
        if arriving.bundle is None:
            return self._give_up(carry.transfer, Outcome.CHANGED, now)
        self.book.open(carry.transfer, None, Form.WHOLE, now)
        word = bytes(arriving.bundle.receipt.octets)
        return [
            envelope
            for number, path in arriving.paths.items()
            for envelope in self._back(carry.transfer, number, path, Outcome.ARRIVED, now, word)
        ]

    def _give_up(self, transfer: UUID, outcome: Outcome, now: Instant) -> list[Answer]:
        """Destroy the shares of a key that will not be whole, and say so on every path that is known."""
        arriving = self.arriving.pop(transfer)
        self.over[transfer] = arriving.expires
        for number, share in arriving.shares.items():
            share.wipe()
            self.book.close(transfer, number, Form.CLEAR, now, outcome.value)
        answers: list[Answer] = [Failed(transfer, outcome, self.name)]
        for number, path in arriving.paths.items():
            answers += self._back(transfer, number, path, outcome, now)
        return answers

    def _settled(self, peer: str, word: Settle, now: Instant) -> list[Answer]:
        arriving = self.arriving.get(word.transfer)
        if arriving is None:
            # shares that come later are destroyed
            self.over.setdefault(word.transfer, min(word.expires, now + LONGEST_LIFE))
            return []
        bundle = arriving.bundle
        if bundle is None:
            if word.release:
                return [Alarm(self.name, peer, "the release of a key that is not whole")]
            answers = self._give_up(word.transfer, Outcome.WITHDRAWN, now)
            return answers[:1]  # its source knows
        ours = bytes((bundle.release if word.release else bundle.withdraw).octets)
        if not hmac.compare_digest(ours, word.password):
            return [Alarm(self.name, peer, "a settlement that the source did not write")]
        del self.arriving[word.transfer]
        self.over[word.transfer] = arriving.expires
        fate = "released" if word.release else Outcome.WITHDRAWN.value
        self.book.close(word.transfer, None, Form.WHOLE, now, fate)
        source = word.path[0]
        material = KeyMaterial(bundle.key.octets)
        bundle.wipe()
        if word.release:
            return [Delivered(word.transfer, source, self.name, material, arriving.ways)]
        material.wipe()
        return [Failed(word.transfer, Outcome.WITHDRAWN, source)]

    # ---------------------------------------------------------------------------------------------------- time

    def _tick(self, now: Instant) -> list[Answer]:
        answers: list[Answer] = []
        for transfer in [name for name, one in self.sending.items() if now >= one.expires]:
            answers += self._settle(transfer, Outcome.EXPIRED, self.name, now)
        late = [name for name, one in self.arriving.items() if now >= one.expires and one.bundle is None]
        for transfer in late:
            answers += self._give_up(transfer, Outcome.EXPIRED, now)
        for line in self.lines.values():
            answers += line.due(now, self._patience)
        old = now - LONGEST_LIFE
        self.over = {name: expires for name, expires in self.over.items() if expires > old}
        self.refused = {name: expires for name, expires in self.refused.items() if expires > old}
        return answers
