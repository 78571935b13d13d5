"""Carries what one other KME must be told, until it has confirmed: the outbox survives a restart, and so does the courier's duty."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import random
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from quantum_fabric.errors import FabricError
from quantum_fabric.keys import Consignment, Errand, KeyRecord, Recall, Refusal, Shelf, State
from quantum_fabric.keys.combining import Offers
from quantum_fabric.keys.hybrid import Confirmation, QkdKey
from quantum_fabric.server import peer_format as wire
from quantum_fabric.server.identity import name_in
from quantum_fabric.server.kme import Kme

log = logging.getLogger("quantum_fabric.server.courier")

AT_ONCE: Final = 64
"""Errands in one call."""

AGAIN_SECONDS: Final = 5.0
"""After so long an errand that was taken but not acknowledged is sent again; the far end takes it for the same."""

LONGEST_PAUSE: Final = 5.0
"""Seconds between calls to a KME that does not answer."""


class LineError(FabricError):
    """The other KME cannot be reached, or is not the one it should be."""


class Line:
    """One connection to another KME; before anything is said, its certificate must name it.

    Args:
        kme: its name.
        url: ``https://HOST:PORT``.
        context: TLS, mutual.
        timeout: of each step, in s.
    """

    def __init__(self, kme: str, url: str, context: ssl.SSLContext, timeout: float = 5.0) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None, "settings have checked it"
        self.kme = kme
        self._connection = http.client.HTTPSConnection(
            parts.hostname, parts.port or 443, context=context, timeout=timeout
        )
        self._lock = asyncio.Lock()

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Call it.

        Raises:
            LineError: it cannot be reached, or somebody else answers there.
        """
        async with self._lock:
            return await asyncio.to_thread(self._post, path, body)

    def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        try:
            if self._connection.sock is None:
                self._connection.connect()
                tls: Any = self._connection.sock
                certificate = tls.getpeercert()
                if name_in(certificate, "kme") != self.kme:
                    raise LineError(f"the certificate at the address of {self.kme} names somebody else")
            self._connection.request("POST", path, body, {"Content-Type": "application/json; charset=UTF-8"})
            answer = self._connection.getresponse()
            return answer.status, answer.read(1 << 20)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise LineError(f"KME {self.kme} does not answer: {type(error).__name__}") from None
        except LineError:
            self._connection.close()
            raise

    async def close(self) -> None:
        """Hang up."""
        async with self._lock:
            self._connection.close()


@dataclass(frozen=True, slots=True)
class _Load:
    parcels: list[Consignment]
    recalls: list[Recall]
    proofs: list[tuple[UUID, Confirmation]] = field(default_factory=list)
    never: list[UUID] = field(default_factory=list)


class Courier:
    """Serves the outbox of one KME.

    Args:
        kme: ours.
        line: to the other.
        callback: where it reaches us, for acknowledgements by ETSI GS QKD 020.

    Attributes:
        offers: exchanges of ML-KEM that were begun with the other.
    """

    def __init__(self, kme: Kme, line: Line, callback: str) -> None:
        self._kme, self._line, self._callback = kme, line, callback
        self._near = line.kme in kme.desk.policy.neighbours
        self._nudge = kme.nudges.setdefault(line.kme, asyncio.Event())
        self._sent: dict[tuple[UUID, bool], float] = {}
        self.offers = Offers(kme.desk.policy.kme, line.kme)

    async def run(self) -> None:
        """For ever; faults of the other end are waited out."""
        pause = 0.0
        while True:
            self._nudge.clear()
            try:
                more = await self._round()
                pause = 0.0
            except FabricError as error:
                log.warning("errands to %s wait: %s", self._line.kme, error)
                more = False
                pause = min(LONGEST_PAUSE, 2 * pause or 0.1)
            if pause:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            elif not more:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._nudge.wait(), AGAIN_SECONDS / 2)

    async def _round(self) -> bool:
        now, clock = self._kme.clock(), asyncio.get_running_loop().time()
        errands = await self._kme.store.transact(lambda shelf: shelf.errands(self._line.kme, 16 * AT_ONCE))
        held = {(one.key_id, one.void) for one in errands}
        self.offers.keep({key_id for key_id, gone in held if not gone})
        self._sent = {key: at for key, at in self._sent.items() if key in held and clock - at < AGAIN_SECONDS}
        due = [one for one in errands if (one.key_id, one.void) not in self._sent]
        if not due:
            return False
        load = await self._kme.store.transact(lambda shelf: self._pack(shelf, due[:AT_ONCE], now))
        await (self._near_by(load) if self._near else self._far(load))
        return len(due) > AT_ONCE

    def _pack(self, shelf: Shelf, errands: list[Errand], now: int) -> _Load:
        load = _Load([], [])
        for read in errands:
            # as it is now: the key may have been taken back since the errands were read, and the recall stands in the parcel's place
            errand = shelf.errand(read.kme, read.key_id)
            if errand is None:
                continue
            record = shelf.key(errand.key_id)
            if record is None or (not errand.void and record.state is State.DESTROYED):
                shelf.done(errand.kme, errand.key_id)
            elif errand.void:
                load.recalls.append(Recall(errand.key_id, record.master, record.slaves, errand.slices))
            elif proof := self.offers.confirmation(errand.key_id):
                load.proofs.append((errand.key_id, proof))
            else:
                content: Any = errand.slices
                if self._near:
                    sealed = shelf.sealed(errand.key_id)
                    assert sealed is not None, "it is not destroyed"
                    content = self._kme.desk.ring.open(errand.key_id, sealed)
                offer = self._offered(shelf, errand, record)
                if isinstance(offer, Refusal):
                    load.never.append(errand.key_id)
                    continue
                load.parcels.append(
                    Consignment(
                        errand.key_id, record.master, record.slaves, max(0, record.expires - now), content,
                        errand.masked, record.provenance, offer,
                    )
                )  # fmt: skip
        return load

    def _offered(self, shelf: Shelf, errand: Errand, record: KeyRecord) -> bytes | Refusal:
        """The offer of ML-KEM that goes with a parcel; nothing where the rules ask for none."""
        desk = self._kme.desk
        kem = desk.policy.hybrid.get(self._line.kme)
        if kem is None:
            return b""
        sealed = shelf.sealed(errand.key_id)
        assert sealed is not None, "it is not destroyed"
        qkd = QkdKey(errand.key_id, desk.ring.open(errand.key_id, sealed), record.provenance.origin)
        offer = self.offers.offer(errand.key_id, record.master, record.slaves, errand.slices, qkd, kem)
        return offer if isinstance(offer, Refusal) else offer.octets

    async def _far(self, load: _Load) -> None:
        body = {
            "parcels": [wire.parcel_out(one) for one in load.parcels],
            "recalls": [wire.recall_out(one) for one in load.recalls],
        }
        if load.proofs:
            body["confirmations"] = [wire.confirmation_out(*one) for one in load.proofs]
        if load.never:
            await self._kme.give_up(load.never)
        status, text = await self._line.post(wire.path(wire.PARCELS), json.dumps(body).encode())
        if status != 200:
            raise LineError(f"KME {self._line.kme} answers {status}")
        answer = wire.read(text)
        combined, failed = await self._finish(answer)
        held = [one for one in _ids(answer, "held") if one not in combined and one not in failed]
        held += _ids(answer, "proved")
        forgotten = _ids(answer, "forgotten")
        if held:
            await self._kme.confirm(self._line.kme, held)
        refused = {UUID(one["key_id"]): int(one["status"]) for one in answer.get("refused", [])}
        recalled = {one.key_id for one in load.recalls}
        never = [one for one, why in refused.items() if why in (400, 401) and one not in recalled] + failed
        spent = [*forgotten, *(one for one in refused if one in recalled)]
        await self._kme.store.transact(partial(_strike, self._line.kme, spent))
        if refused:
            log.warning(
                "KME %s refuses %d keys: %s", self._line.kme, len(refused), sorted(set(refused.values()))
            )
        if never:
            await self._kme.give_up(never)
        clock = asyncio.get_running_loop().time()
        for key_id, why in refused.items():
            if why == 503:  # its stock may still be on the way: soon again, not at once
                self._sent[key_id, False] = clock - AGAIN_SECONDS + 0.2

    async def _finish(self, said: dict[str, Any]) -> tuple[list[UUID], list[UUID]]:
        """Combine what the far end has combined. Keys whose confirmation is to be sent now, and keys that will never be."""
        combined: list[UUID] = []
        failed: list[UUID] = []
        kem = self._kme.desk.policy.hybrid.get(self._line.kme)
        for one in said.get("held", []) if kem is not None else []:
            key_id, part = UUID(one["key_id"]), wire.answer_in(one.get("answer"))
            good = part is not None and self.offers.finish(key_id, part)
            (combined if good else failed).append(key_id)
        if combined:
            now, desk = self._kme.clock(), self._kme.desk

            def store(shelf: Shelf) -> None:
                for key_id in combined:
                    self.offers.store(desk, shelf, key_id, now)

            await self._kme.store.transact(store)
            for key_id in combined:
                self.offers.stored(key_id)
            self._nudge.set()  # the confirmations go at once
        return combined, failed

    async def _near_by(self, load: _Load) -> None:
        groups: dict[tuple[str, tuple[str, ...]], _Load] = {}
        for parcel in load.parcels:
            groups.setdefault((parcel.master, parcel.slaves), _Load([], [])).parcels.append(parcel)
        for recall in load.recalls:
            groups.setdefault((recall.master, recall.slaves), _Load([], [])).recalls.append(recall)
        callback = self._callback + wire.path(wire.ACK)
        for (master, slaves), group in groups.items():
            if group.recalls:
                void = {
                    "key_ids": [str(one.key_id) for one in group.recalls], "initiator_sae_id": master,
                    "target_sae_ids": slaves, "ack_callback_url": callback,
                }  # fmt: skip
                await self._deliver(
                    wire.VOID, json.dumps(void).encode(), [one.key_id for one in group.recalls], True
                )
            if group.parcels:
                key_ids = [one.key_id for one in group.parcels]
                await self._deliver(wire.EXT_KEYS, wire.ext_keys_out(group.parcels, callback), key_ids, False)

    async def _deliver(self, where: tuple[str, ...], body: bytes, key_ids: list[UUID], void: bool) -> None:
        clock = asyncio.get_running_loop().time()
        for key_id in key_ids:  # an acknowledgement may overtake the answer
            self._sent[key_id, void] = clock
        status, _ = await self._line.post(wire.path(where), body)
        if status in (200, 202):
            return
        if status in (400, 401) and not void:
            await self._kme.give_up(key_ids)  # the callee holds nothing after these
        elif status in (400, 401):
            await self._kme.store.transact(partial(_strike, self._line.kme, key_ids))
        else:
            raise LineError(f"KME {self._line.kme} answers {status}")


def _ids(answer: dict[str, Any], name: str) -> list[UUID]:
    return [UUID(one["key_id"]) for one in answer.get(name, [])]


def _strike(kme: str, key_ids: list[UUID], shelf: Shelf) -> None:
    for key_id in key_ids:
        shelf.done(kme, key_id)
