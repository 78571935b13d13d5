"""Keys between two KMEs that are made from places in their common stock *and* from ML-KEM, where the rules of both say so.

::

    master's KME: reserves, Offer with the parcel ──▶ slave's KME: cuts the places, encapsulates, holds the key
                  combines, seals it  ◀── Answer ◀──  unconfirmed: handed to nobody yet
                  Confirmation        ──▶             confirmed: its slave may have it
                  confirmed: its master may have it

What is bound into the key, beyond what `quantum_fabric.keys.hybrid.transcript` binds: the identifier, the SAEs and the places of
the parcel, because the QKD key has a name that is made of them. A parcel that was changed on its way gives two ends that do not
confirm, and no key.

There is no lesser key: a peer for which the rules ask for ML-KEM gets no parcel without an offer, and its parcels without one are
refused.

Limits:
    One far KME for each key: two of them would each have agreed on another key. Offers and answers live in memory: an exchange
    that a restart interrupts ends without a key, and its places are spent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha384
from typing import Final
from uuid import UUID

from quantum_fabric.errors import InputError
from quantum_fabric.keys import life
from quantum_fabric.keys.answers import Refusal
from quantum_fabric.keys.consignment import Consignment, Recall, accept, forget
from quantum_fabric.keys.desk import Desk
from quantum_fabric.keys.hybrid import (
    Answer,
    Combined,
    Confirmation,
    HybridPolicy,
    Initiator,
    Offer,
    ParameterSet,
    QkdKey,
    Responder,
    respond,
)
from quantum_fabric.keys.hybrid.exchange import note
from quantum_fabric.keys.hybrid.framing import pack, words
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.records import Instant, Slice, State
from quantum_fabric.keys.shelf import Shelf

MOST: Final = 16_384
"""Exchanges that are remembered; the oldest goes first, and with it its key."""


def rule(parameters: str, bits: int) -> HybridPolicy:
    """The rule for a key of so many bits: as many from QKD as the key has, and no key where one source is down.

    Raises:
        InputError: sizes that no rule allows (below 128 bits), or an unknown ML-KEM.

    Examples:
        >>> rule("ML-KEM-1024", 256).text
        'ML-KEM-1024 qkd-down=refuse kem-down=refuse qkd-bits=256 key-bits=256'
    """
    if parameters not in set(ParameterSet):
        raise InputError(repr(parameters), f"one of {', '.join(ParameterSet)}", "hybrid")
    return HybridPolicy(ParameterSet(parameters), qkd_bits=bits, key_bits=bits)


def label(key_id: UUID, master: str, slaves: tuple[str, ...], slices: tuple[Slice, ...]) -> UUID:
    """The name under which the places of a parcel go into an exchange; it says nothing about their bits.

    Examples:
        >>> one, other = (label(UUID(int=1), "alice", (slave,), ()) for slave in ("bob", "eve"))
        >>> one == other
        False
    """
    places = pack(
        [one.block.bytes + one.offset.to_bytes(8, "big") + one.octets.to_bytes(8, "big") for one in slices]
    )
    octets = bytearray(
        sha384(pack([b"parcel", key_id.bytes, master.encode(), words(slaves), places])).digest()[:16]
    )
    octets[6] = (octets[6] & 0x0F) | 0x80  # version 8, "custom", of RFC 9562
    octets[8] = (octets[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(octets))


@dataclass(slots=True)
class _Begun:
    initiator: Initiator
    qkd: QkdKey
    offer: Offer
    combined: Combined | None = None
    confirmation: Confirmation | None = None


@dataclass(slots=True)
class Offers:
    """The exchanges that this KME began with one other.

    Attributes:
        here, there: names of both KMEs.
        kem: False where ML-KEM is down here; nothing is offered then.
    """

    here: str
    there: str
    kem: bool = True
    _begun: dict[UUID, _Begun] = field(default_factory=dict)

    def offer(
        self,
        key_id: UUID,
        master: str,
        slaves: tuple[str, ...],
        slices: tuple[Slice, ...],
        qkd: QkdKey,
        kem: str,
    ) -> Offer | Refusal:
        """Begin for a key, or say the same once more.

        Args:
            key_id: of the key.
            master: who asked for it.
            slaves: for whom it is.
            slices: where its bits lie.
            qkd: its bits, which are wiped when the exchange ends.
            kem: which ML-KEM the rules ask for.
        """
        known = self._begun.get(key_id)
        if known is not None:
            qkd.material.wipe()
            return known.offer
        named = replace(qkd, key_id=label(key_id, master, slaves, slices))
        try:
            initiator = Initiator(self.here, self.there, rule(kem, named.material.bits), [named], self.kem)
        except InputError as error:
            qkd.material.wipe()
            return Refusal(400, str(error))
        offer = initiator.offer()
        if isinstance(offer, Refusal):
            qkd.material.wipe()
            return offer
        while len(self._begun) >= MOST:
            self.forget(next(iter(self._begun)))
        self._begun[key_id] = _Begun(initiator, named, offer)
        return offer

    def finish(self, key_id: UUID, answer: Answer) -> bool:
        """Take the answer. Nothing is stored yet.

        Returns:
            Whether there is a key now; False where the other end has another, or nothing was offered: it is to be taken back.
        """
        begun = self._begun.get(key_id)
        if begun is None:
            return False
        if begun.combined is None and begun.confirmation is None:
            found = begun.initiator.finish(answer)
            if isinstance(found, Refusal):
                self.forget(key_id)
                return False
            begun.combined, begun.confirmation = found
        return True

    def store(self, desk: Desk, shelf: Shelf, key_id: UUID, now: Instant) -> None:
        """Put the combined key in the place of the bits from QKD. `stored` is to be called when that is on disk."""
        begun, record = self._begun.get(key_id), shelf.key(key_id)
        if begun is None or begun.combined is None or record is None or record.state is not State.RESERVED:
            return
        shelf.reseal(key_id, desk.ring.seal(key_id, begun.combined.key))
        shelf.write(note(shelf.head(), now, desk.policy.kme, begun.combined, [begun.qkd]))

    def stored(self, key_id: UUID) -> None:
        """From now on the confirmation may be sent."""
        begun = self._begun.get(key_id)
        if begun is not None and begun.combined is not None:
            begun.combined.wipe()
            begun.combined = None

    def confirmation(self, key_id: UUID) -> Confirmation | None:
        """What is still to be sent for a key that was combined; None where it was not yet."""
        begun = self._begun.get(key_id)
        return begun.confirmation if begun is not None and begun.combined is None else None

    def forget(self, key_id: UUID) -> None:
        """The exchange is over, whatever came of it."""
        begun = self._begun.pop(key_id, None)
        if begun is not None:
            begun.qkd.material.wipe()
            if begun.combined is not None:
                begun.combined.wipe()

    def keep(self, key_ids: set[UUID]) -> None:
        """Forget all others."""
        for key_id in set(self._begun) - key_ids:
            self.forget(key_id)


@dataclass(slots=True)
class _Held:
    offer: bytes
    answer: Answer
    responder: Responder | None
    combined: Combined | None = None


@dataclass(slots=True)
class Answers:
    """The exchanges that another KME began with this one.

    Attributes:
        kem: False where ML-KEM is down here; every offer is refused then.
    """

    kem: bool = True
    _held: dict[tuple[str, UUID], _Held] = field(default_factory=dict)

    def accept(
        self, desk: Desk, shelf: Shelf, sender: str, parcel: Consignment, now: Instant
    ) -> Answer | Refusal:
        """Hold a key that is combined, until its maker confirms it. The same parcel again gets the same answer.

        Args:
            desk: the rules.
            shelf: the open transaction.
            sender: the KME, as its certificate says.
            parcel: places in the common stock, and the offer.
            now: the time.

        Returns:
            The answer; a refusal where the rules do not ask for ML-KEM with that KME, ask for another, or anything else is wrong.
            The places of a parcel that came so far are spent.
        """
        known, record = self._held.get((sender, parcel.key_id)), shelf.key(parcel.key_id)
        if known is not None and record is not None and known.offer == parcel.offer:
            return known.answer
        kem = desk.policy.hybrid.get(sender)
        if kem is None or isinstance(parcel.content, KeyMaterial) or parcel.masked:
            return Refusal(400, "the rules of this KME ask for no ML-KEM with that one")
        if record is not None:
            return Refusal(400, "this key ID was used before")
        refusal = accept(desk, shelf, sender, parcel, now, combined=True)
        if refusal is not None:
            return refusal
        found = self._combined(desk, shelf, sender, parcel, kem)
        if isinstance(found, Refusal):
            forget(desk, shelf, sender, Recall(parcel.key_id, parcel.master, parcel.slaves), now)
            return desk.refuse(shelf, now, sender, "combine", found, keys=[str(parcel.key_id)])
        while len(self._held) >= MOST:
            del self._held[next(iter(self._held))]
        self._held[sender, parcel.key_id] = found
        return found.answer

    def _combined(
        self, desk: Desk, shelf: Shelf, sender: str, parcel: Consignment, kem: str
    ) -> _Held | Refusal:
        assert not isinstance(parcel.content, KeyMaterial)
        sealed, record = shelf.sealed(parcel.key_id), shelf.key(parcel.key_id)
        assert sealed is not None, "accepted in this transaction"
        assert record is not None
        name = label(parcel.key_id, parcel.master, parcel.slaves, parcel.content)
        qkd = QkdKey(name, desk.ring.open(parcel.key_id, sealed), record.provenance.origin)
        try:
            found = respond(
                Offer.read(parcel.offer),
                desk.policy.kme,
                sender,
                rule(kem, qkd.material.bits),
                [qkd],
                self.kem,
            )
        except InputError as error:
            return Refusal(400, str(error))
        finally:
            qkd.material.wipe()
        if isinstance(found, Refusal):
            return found
        answer, responder = found
        # until the confirmation the places' own bits are stored, and handed to nobody
        shelf.move(replace(record, unconfirmed=(sender,)))
        return _Held(parcel.offer, answer, responder)

    def confirm(
        self, desk: Desk, shelf: Shelf, sender: str, key_id: UUID, confirmation: Confirmation, now: Instant
    ) -> Refusal | None:
        """Let a key be handed out, now that its maker has shown that it has the same. Twice does no harm.

        Returns:
            None where it may be; 400 where the maker has another key, or the exchange is not known any more: the key is destroyed.
        """
        record, held = shelf.key(key_id), self._held.get((sender, key_id))
        if record is None or desk.policy.homes.get(record.master) != sender:
            return desk.refuse(
                shelf, now, sender, "confirm", Refusal(401, "no key of that KME"), keys=[str(key_id)]
            )
        if held is None or (held.responder is None and held.combined is None):
            if record.state is not State.DESTROYED and not record.unconfirmed:
                return None  # it was confirmed before, and the answer was lost
            return self._never(desk, shelf, sender, key_id, now)
        if held.combined is None:
            assert held.responder is not None
            combined = held.responder.finish(confirmation)
            held.responder = None
            if isinstance(combined, Refusal):
                return self._never(desk, shelf, sender, key_id, now)
            held.combined = combined
        if record.state is State.DESTROYED or not record.unconfirmed:
            return None
        shelf.reseal(key_id, desk.ring.seal(key_id, held.combined.key))
        shelf.move(life.confirm(record, sender))
        qkd = [
            QkdKey(one, KeyMaterial(b"\0"), record.provenance.origin)
            for one in held.combined.transcript.key_ids
        ]
        shelf.write(note(shelf.head(), now, sender, held.combined, qkd))
        return None

    def done(self, sender: str, key_id: UUID) -> None:
        """A confirmation is on disk: nothing of the exchange is needed any more."""
        held = self._held.pop((sender, key_id), None)
        if held is not None and held.combined is not None:
            held.combined.wipe()

    def _never(self, desk: Desk, shelf: Shelf, sender: str, key_id: UUID, now: Instant) -> Refusal:
        record = shelf.key(key_id)
        if record is not None and record.state is not State.DESTROYED:
            forget(desk, shelf, sender, Recall(key_id, record.master, record.slaves), now)
        refusal = Refusal(400, "the other end does not have the same key")
        return desk.refuse(shelf, now, sender, "confirm", refusal, keys=[str(key_id)])
