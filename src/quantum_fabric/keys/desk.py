"""The desk: the rules by which keys are reserved, handed out once, and destroyed. No clock, no file, no network.

Each act runs inside one transaction of a shelf and answers with a value. A caller commits the transaction *before* it lets
the answer out; if it cannot, the answer is wiped and nothing has happened. A key whose delivery is uncertain is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from quantum_fabric.keys import life
from quantum_fabric.keys.answers import (
    MANDATORY_UNMET,
    NOT_FOUND,
    SIZE_NOT_OCTETS,
    DeliveredKey,
    Detail,
    Grant,
    KeyRequest,
    Promise,
    Refusal,
    Status,
)
from quantum_fabric.keys.audit import Act, entry
from quantum_fabric.keys.cutting import Cut, cut, plan, provenance_of, xor
from quantum_fabric.keys.extensions import Wish, wish
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.policy import Policy, Usage, draw
from quantum_fabric.keys.records import Cell, Instant, KeyRecord, Pool, Slice, State
from quantum_fabric.keys.sealing import KeyRing
from quantum_fabric.keys.shelf import Errand, Shelf

DRY: Final = "not enough key material is stored for this pair"


class Desk:
    """The rules of one KME.

    Args:
        policy: who may have what.
        ring: seals and opens.
        new_id: makes key identifiers that were never used; random UUIDs outside of tests.
    """

    def __init__(self, policy: Policy, ring: KeyRing, new_id: Callable[[], UUID]) -> None:
        self.policy = policy
        self.ring = ring
        self.new_id = new_id

    def note(self, shelf: Shelf, now: Instant, act: Act, actor: str, **facts: object) -> None:
        """Write an act into the audit book."""
        shelf.write(entry(shelf.head(), now, act, actor, facts))

    def refuse(
        self, shelf: Shelf, now: Instant, actor: str, asked: str, refusal: Refusal, **facts: object
    ) -> Refusal:
        """Write a refusal into the audit book, and answer it."""
        self.note(
            shelf, now, Act.REFUSED, actor, asked=asked, status=refusal.status, why=refusal.message, **facts
        )
        return refusal

    # ------------------------------------------------------------------------------------------------- status

    def status(self, shelf: Shelf, master: str, slave: str) -> Status | Refusal:
        """What there is for a pair (ETSI GS QKD 014, "Get status")."""
        if not self.policy.allows(master, slave):
            return Refusal(401, "this SAE may not share keys with that one")
        limits = self.policy.limits
        stored = shelf.stock(self.policy.pool((slave,))) * 8 // limits.default_size
        return Status(
            source_KME_ID=self.policy.kme,
            target_KME_ID=self.policy.homes[slave],
            master_SAE_ID=master,
            slave_SAE_ID=slave,
            key_size=limits.default_size,
            stored_key_count=stored,
            max_key_count=limits.stock,
            max_key_per_request=limits.per_request,
            max_key_size=limits.largest,
            min_key_size=limits.smallest,
            max_SAE_ID_count=limits.slaves,
        )

    # ------------------------------------------------------------------------------------------------ get key

    def issue(
        self, shelf: Shelf, master: str, request: KeyRequest, now: Instant
    ) -> Grant | Promise | Refusal:
        """Reserve keys, and hand them to the master unless another KME must hold them first ("Get key").

        Args:
            shelf: the open transaction.
            master: who asks, as its certificate says.
            request: what it asks.
            now: the time.

        Raises:
            SealError: the store was tampered with; the transaction is to be rolled back.
        """
        slaves = (request.slave, *request.additional)
        wanted = self._judge(master, slaves, request)
        if isinstance(wanted, Refusal):
            return self.refuse(shelf, now, master, "issue", wanted, slaves=list(slaves))
        octets = (request.size or self.policy.limits.default_size) // 8
        charges = self.ration(shelf, master, slaves, request.number, now)
        if isinstance(charges, Refusal):
            return self.refuse(shelf, now, master, "issue", charges, slaves=list(slaves))
        cuts = self.take(shelf, slaves, octets, request.number, wanted)
        if isinstance(cuts, Refusal):
            return self.refuse(shelf, now, master, "issue", cuts, slaves=list(slaves))
        for slave, usage in charges:
            shelf.set_usage(master, slave, usage)
        return self._reserve(shelf, master, slaves, cuts, now, wanted)

    def _judge(self, master: str, slaves: tuple[str, ...], request: KeyRequest) -> Wish | Refusal:
        """Everything that can be said without looking at the store."""
        limits = self.policy.limits
        size = limits.default_size if request.size is None else request.size
        if not all(self.policy.allows(master, slave) for slave in slaves):
            return Refusal(401, "this SAE may not share keys with every slave named")
        if len(set(slaves)) != len(slaves):
            return Refusal(400, "a slave SAE is named twice")
        if len(request.additional) > limits.slaves:
            return Refusal(400, "too many additional slave SAEs", ({"max_SAE_ID_count": limits.slaves},))
        if not 1 <= request.number <= limits.per_request:
            return Refusal(400, "number is out of range", ({"max_key_per_request": limits.per_request},))
        if size % 8:
            return Refusal(400, SIZE_NOT_OCTETS)
        if not limits.smallest <= size <= limits.largest:
            bounds: Detail = {"min_key_size": limits.smallest, "max_key_size": limits.largest}
            return Refusal(400, "size is out of range", (bounds,))
        wanted = wish(request.mandatory, request.optional, limits)
        if isinstance(wanted, Refusal):
            return wanted
        abroad = self.policy.abroad(slaves)
        kem = self.policy.hybrid.get(abroad[0]) if abroad else None
        if not wanted.combined(kem):
            return Refusal(400, MANDATORY_UNMET, ({"parameter": "qfabric_hybrid"},))
        return self.policy.combinable(slaves, size) or wanted

    def ration(
        self, shelf: Shelf, master: str, slaves: tuple[str, ...], number: int, now: Instant
    ) -> list[tuple[str, Usage]] | Refusal:
        """What the quota of each pair will be charged; a refusal where one of them does not allow it."""
        charges = []
        for slave in slaves:
            quota = self.policy.pairs[master, slave]
            if shelf.waiting(master, slave) + number > quota.waiting:
                return Refusal(503, "too many keys of this pair wait to be collected", ({"slave": slave},))
            usage = draw(quota, shelf.usage(master, slave), number, now)
            if usage is None:
                return Refusal(503, "this pair asks for keys faster than its quota", ({"slave": slave},))
            charges.append((slave, usage))
        return charges

    def take(
        self, shelf: Shelf, slaves: tuple[str, ...], octets: int, number: int, wanted: Wish
    ) -> list[tuple[Cut, tuple[Errand, ...]]] | Refusal:
        """Cut the keys, and a pad for each far KME beyond the first; all or nothing."""
        pool = self.policy.pool(slaves)
        pads = [
            Pool(self.policy.kme, kme)
            for kme in self.policy.abroad(slaves)
            if kme not in self.policy.neighbours and kme != pool.follower
        ]
        planned, seen = {}, {}
        for one in (pool, *pads):
            cells = shelf.cells(one, octets * number)
            seen[one] = {(stored[0].block, stored[0].offset): stored for stored in cells}
            parts = plan([cell for cell, _ in cells], octets, number)
            if parts is None:
                return Refusal(503, DRY)
            if not all(self._usable(wanted, key) for key in parts):
                return Refusal(400, MANDATORY_UNMET)
            planned[one] = parts
        made = []
        for index in range(number):
            taken = {}
            for one, parts in planned.items():
                piece = cut(shelf, self.ring, one, tuple(piece for _, piece in parts[index]), seen[one])
                assert piece is not None, "planned from this transaction's own reading"
                taken[one] = piece
            made.append((taken[pool], tuple(self._errand(taken, pool, one) for one in taken)))
            for pad in pads:
                taken[pad].material.wipe()
        return made

    def _usable(self, wanted: Wish, parts: list[tuple[Cell, Slice]]) -> bool:
        provenance = provenance_of(parts)
        return wanted.fits(provenance) and self.policy.accepts(provenance.origin)

    @staticmethod
    def _errand(taken: dict[Pool, Cut], main: Pool, pool: Pool) -> Errand:
        masked = b"" if pool == main else xor(taken[main].material, taken[pool].material)
        return Errand(pool.follower, UUID(int=0), taken[pool].slices, masked)

    def _reserve(
        self,
        shelf: Shelf,
        master: str,
        slaves: tuple[str, ...],
        cuts: list[tuple[Cut, tuple[Errand, ...]]],
        now: Instant,
        wanted: Wish,
    ) -> Grant | Promise:
        abroad = self.policy.abroad(slaves)
        here = tuple(slave for slave in slaves if self.policy.lives_here(slave))
        records = []
        for piece, errands in cuts:
            record = KeyRecord(
                key_id=self.new_id(),
                bits=piece.material.bits,
                master=master,
                slaves=slaves,
                awaiting=(master, *here),
                unconfirmed=abroad,
                created=now,
                expires=now + wanted.lifetime,
                provenance=piece.provenance,
            )
            if not abroad:
                record = life.hand_over(
                    record, master, now
                )  # one write: it is reserved and delivered at once
            self.shelve(shelf, record, piece, errands)
            records.append(record)
        names = [str(record.key_id) for record in records]
        act = Act.RESERVED if abroad else Act.ISSUED
        self.note(
            shelf, now, act, master, slaves=list(slaves), keys=names, bits=records[0].bits, kmes=list(abroad)
        )
        if abroad:
            for piece, _ in cuts:
                piece.material.wipe()
            return Promise(tuple(record.key_id for record in records), abroad)
        return Grant(
            tuple(
                DeliveredKey(record.key_id, piece.material, record.provenance)
                for record, (piece, _) in zip(records, cuts, strict=True)
            )
        )

    def shelve(self, shelf: Shelf, record: KeyRecord, piece: Cut, errands: tuple[Errand, ...]) -> None:
        """Store a key that was cut, and send word of it to every KME that must hold it too."""
        shelf.add_key(record, self.ring.seal(record.key_id, piece.material))
        told = {errand.kme: replace(errand, key_id=record.key_id) for errand in errands}
        for kme in self.policy.abroad(record.slaves):
            shelf.send(told.get(kme, Errand(kme, record.key_id)))

    def release(self, shelf: Shelf, master: str, key_ids: Sequence[UUID], now: Instant) -> Grant | Refusal:
        """Hand promised keys to their master, once every KME has confirmed them.

        Returns:
            The keys; a refusal where one is not confirmed, expired or gone.
        """
        records = [shelf.key(key_id) for key_id in key_ids]
        ready = [
            record
            for record in records
            if record is not None
            and record.master == master
            and master in record.awaiting
            and not record.unconfirmed
            and not record.expired(now)
        ]
        names = [str(key_id) for key_id in key_ids]
        if len(ready) != len(key_ids):
            refusal = Refusal(503, "another KME has not confirmed these keys")
            return self.refuse(shelf, now, master, "release", refusal, keys=names)
        grant = self.give(shelf, master, ready, now)
        self.note(shelf, now, Act.ISSUED, master, keys=names)
        return grant

    # ----------------------------------------------------------------------------------- get key with key IDs

    def collect(
        self, shelf: Shelf, master: str, slave: str, key_ids: Sequence[UUID], now: Instant
    ) -> Grant | Refusal:
        """Hand keys to a slave, each once ("Get key with key IDs"): all of them or none.

        Args:
            shelf: the open transaction.
            master: the SAE of the path.
            slave: who asks, as its certificate says.
            key_ids: which keys.
            now: the time.
        """
        names = [str(key_id) for key_id in key_ids]
        refusal, records = self._find(shelf, master, slave, key_ids, now)
        if refusal is not None:
            return self.refuse(shelf, now, slave, "collect", refusal, keys=names, master=master)
        grant = self.give(shelf, slave, records, now)
        self.note(shelf, now, Act.COLLECTED, slave, keys=names, master=master)
        return grant

    def _find(
        self, shelf: Shelf, master: str, slave: str, key_ids: Sequence[UUID], now: Instant
    ) -> tuple[Refusal | None, list[KeyRecord]]:
        limits = self.policy.limits
        if not (self.policy.lives_here(slave) and (master, slave) in self.policy.pairs):
            return Refusal(401, "this SAE may not share keys with that one"), []
        if not 1 <= len(key_ids) <= limits.per_request:
            detail: Detail = {"max_key_per_request": limits.per_request}
            return Refusal(400, "number of key IDs is out of range", (detail,)), []
        if len(set(key_ids)) != len(key_ids):
            return Refusal(400, "a key ID is named twice"), []
        found = [shelf.key(key_id) for key_id in key_ids]
        if any(record is not None and slave not in record.slaves for record in found):
            return Refusal(401, "this SAE was not named when one of the keys was issued"), []
        missing: list[Detail] = []
        ready = []
        for key_id, record in zip(key_ids, found, strict=True):
            why = _missing(record, master, slave, now)
            if why or record is None:
                missing.append({"key_ID": str(key_id), "reason": why})
            else:
                ready.append(record)
        return (Refusal(400, NOT_FOUND, tuple(missing)) if missing else None), ready

    def give(self, shelf: Shelf, sae: str, records: Sequence[KeyRecord], now: Instant) -> Grant:
        """Hand keys that wait for an SAE to it; whether it may have them was looked at before."""
        keys = []
        for record in records:
            sealed = shelf.sealed(record.key_id)
            assert sealed is not None, "a key that waits for somebody has its bits"
            material: KeyMaterial = self.ring.open(record.key_id, sealed)
            shelf.move(life.hand_over(record, sae, now))
            keys.append(DeliveredKey(record.key_id, material, record.provenance))
        return Grant(tuple(keys))


def _missing(record: KeyRecord | None, master: str, slave: str, now: Instant) -> str:
    """Why a slave cannot have a key; empty where it can."""
    if record is None or record.master != master:
        return "unknown"
    if record.state is State.DESTROYED:
        return str(record.end)
    if slave not in record.awaiting:
        return "collected before"
    if record.expired(now):
        return "expired"
    return "not released yet" if record.unconfirmed else ""
