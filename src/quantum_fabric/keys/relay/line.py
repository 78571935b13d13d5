"""One neighbour: payloads go out until they are acknowledged, come in once, and are under one-time tags.

A tag is ``t = h_r(text) + s mod 2^128`` with r and s fresh out of the link key for every message (Wegman, Carter, J. Comput. Syst.
Sci. 22, 265 (1981); `quantum_fabric.keys.postprocessing.polynomial`): D forgeries of texts of at most L octets succeed with at
most ``D 8 ceil(L/16)/2^106``. A message that is sent again is the same octet for octet, so nothing is used twice. A tag that
does not fit spends nothing: whoever injects rubbish burns no link key.
"""

from __future__ import annotations

import hmac
from collections import deque
from dataclasses import dataclass, replace

from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.postprocessing.polynomial import collision_bound, polynomial_hash
from quantum_fabric.keys.records import Instant
from quantum_fabric.keys.relay.bundle import LOCK
from quantum_fabric.keys.relay.messages import Ack, Alarm, Envelope, Payload
from quantum_fabric.keys.relay.pads import PadStore
from quantum_fabric.keys.relay.written import text_of


def tag(key: KeyMaterial, text: bytes) -> bytes:
    """The tag of a text under 32 octets that are used for nothing else.

    Examples:
        >>> tag(KeyMaterial(bytes(32)), b"anything").hex()
        '00000000000000000000000000000000'
    """
    octets = bytes(key.octets)
    mixed = polynomial_hash(octets[:16], text) + int.from_bytes(octets[16:], "little")
    return (mixed % 2**128).to_bytes(16, "little")


@dataclass(slots=True)
class Sent:
    """An envelope that is not acknowledged, and when it was last sent."""

    envelope: Envelope
    at: Instant


class Line:
    """This end's half of a line.

    Args:
        node: whose it is.
        peer: the neighbour.
        pads: link keys of the node.

    Attributes:
        out: what is not acknowledged, by number.
        waiting: what has no link key for its tag yet.
        last: number of the last envelope that was sent.
        floor, acks: what was taken over: everything below the one, and the other.
        failure: bound on the chance that a forgery was taken so far.
        forgeries: tags that did not fit.
    """

    def __init__(self, node: str, peer: str, pads: PadStore) -> None:
        self._node, self._peer, self._pads = node, peer, pads
        self.out: dict[int, Sent] = {}
        self.waiting: deque[Payload] = deque()
        self.last = 0
        self.floor = 1
        self.acks: dict[int, Ack] = {}
        self.failure = 0.0
        self.forgeries = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is unacknowledged."""
        return not self.out and not self.waiting

    def send(self, payload: Payload, now: Instant) -> list[Envelope]:
        """Send something; without link key for its tag it waits, in order, until `due` finds some."""
        if not self.ready():
            self.waiting.append(payload)
            return []
        lock = self._pads.cut(self._peer, LOCK)
        assert lock is not None, "it was ready"
        self.last += 1
        floor = min(self.out, default=self.last)
        bare = Envelope(self._node, self._peer, self.last, floor, payload, lock.places)
        envelope = replace(bare, tag=tag(lock.material, text_of(bare)))
        lock.material.wipe()
        self.out[self.last] = Sent(envelope, now)
        return [envelope]

    def ready(self, more: int = 0) -> bool:
        """Whether a message can go at once, with so many octets of pad beside its tag."""
        return not self.waiting and self._pads.left(self._node, self._peer) >= LOCK + more

    def take(self, envelope: Envelope) -> tuple[Payload | None, list[Ack | Alarm]]:
        """Take over what the neighbour sent.

        Returns:
            The payload, the first time only; and the acknowledgement, the same one each time. Neither where the tag does not
            fit or cannot be checked yet, and where there is no link key to acknowledge with: it will come again.
        """
        if envelope.number < self.floor:
            return None, []  # the neighbour has our acknowledgement; this is an echo
        if envelope.number in self.acks:
            return None, [self.acks[envelope.number]]
        trouble = self._check(envelope)
        if trouble is not None:
            return None, [trouble]
        key = self._pads.cut(self._peer, LOCK)
        if key is None:
            return None, [self._alarm("no link key left to acknowledge with")]
        self._pads.spend(self._peer, envelope.lock)
        bare = Ack(self._node, self._peer, envelope.number, key.places)
        ack = replace(bare, tag=tag(key.material, text_of(bare)))
        key.material.wipe()
        self.acks[envelope.number] = ack
        self.floor = max(self.floor, envelope.floor)
        self.acks = {number: one for number, one in self.acks.items() if number >= self.floor}
        return envelope.payload, [ack]

    def acknowledged(self, ack: Ack) -> Payload | Alarm | None:
        """Forget what the neighbour has taken over.

        Returns:
            What that was; None where it was forgotten before.
        """
        if ack.number not in self.out:
            return None
        trouble = self._check(ack)
        if trouble is not None:
            return trouble
        self._pads.spend(self._peer, ack.lock)
        return self.out.pop(ack.number).envelope.payload

    def due(self, now: Instant, patience: Instant) -> list[Envelope]:
        """What has waited for link key, and what was not acknowledged in time."""
        again = [sent for sent in self.out.values() if now - sent.at >= patience]
        for sent in again:
            sent.at = now
        out = [sent.envelope for sent in again]
        rest, self.waiting = self.waiting, deque()
        while rest and self.ready():
            out += self.send(rest.popleft(), now)
        self.waiting = rest
        return out

    def _check(self, message: Envelope | Ack) -> Alarm | None:
        """None where the tag fits."""
        places = message.lock
        key = self._pads.look(self._peer, places) if sum(one.octets for one in places) == LOCK else None
        if key is None:
            return self._alarm("a message whose link key is not here")
        text = text_of(message)
        fits = hmac.compare_digest(tag(key, text), message.tag)
        key.wipe()
        self.failure += collision_bound(len(text))
        if fits:
            return None
        self.forgeries += 1
        return self._alarm("a message whose tag does not fit")

    def _alarm(self, what: str) -> Alarm:
        return Alarm(self._node, self._peer, what)
