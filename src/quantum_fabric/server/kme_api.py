"""The paths for other KMEs: parcels of far ones, ETSI GS QKD 020 of neighbours. SAEs have no business here."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from quantum_fabric.keys import Consignment, Fate, KeyMaterial, Recall, Refusal, Shelf, accept, forget
from quantum_fabric.keys.combining import Answers
from quantum_fabric.keys.hybrid import Answer
from quantum_fabric.server import peer_format as wire
from quantum_fabric.server.door import Call, Reply, said
from quantum_fabric.server.etsi014 import FormatError, array_of, is_object
from quantum_fabric.server.kme import Kme
from quantum_fabric.server.streams import PATH as STREAMS
from quantum_fabric.server.streams import Streams

Acknowledge = Callable[[str, str, list[dict[str, Any]]], Coroutine[Any, Any, None]]
"""Send an acknowledgement: to which KME, at which path, what."""


class _UndoneError(Exception):
    """Roll the transaction back: after 400 and 401 the callee holds no association."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class KmeApi:
    """Answers the calls of KMEs.

    Args:
        kme: whose they are.
        peers: the KMEs that may call, and the address of each: acknowledgements go nowhere else.
        acknowledge: sends them.
        streams: answers what they say about key streams; None where there are none.

    Attributes:
        answers: exchanges of ML-KEM that other KMEs began.
    """

    def __init__(
        self, kme: Kme, peers: dict[str, str], acknowledge: Acknowledge, streams: Streams | None = None
    ) -> None:
        self._kme, self._peers, self._acknowledge, self._streams = kme, peers, acknowledge, streams
        self._sending: set[asyncio.Task[None]] = set()
        self.answers = Answers()

    async def __call__(self, call: Call) -> Reply:
        """Answer one call."""
        routes = {
            wire.PARCELS: self._parcels,
            wire.EXT_KEYS: self._ext_keys,
            wire.ACK: self._ack,
            wire.VOID: self._void,
            STREAMS: self._about_streams,
        }
        if call.caller not in self._peers:
            return _problem(401, "unauthorized", "the certificate does not name a peer of this KME")
        if call.path == wire.VERSIONS and call.method == "GET":
            return Reply(200, json.dumps({"versions": ["v1"]}).encode())
        answer = routes.get(call.path)
        if answer is None:
            return _problem(404, "not-found", "there is no such path")
        if call.method != "POST":
            return _problem(405, "method-not-allowed", "this is called with POST")
        assert call.caller is not None
        near = call.caller in self._kme.desk.policy.neighbours
        if call.path != STREAMS and near is (call.path == wire.PARCELS):
            return _problem(401, "unauthorized", "neighbours call by ETSI GS QKD 020, far KMEs by parcels")
        try:
            return await answer(call.caller, call.body)
        except FormatError as error:
            return _problem(400, "missing-parameters", str(error))
        except _UndoneError as undone:
            refusal = undone.refusal
            kind = {400: "invalid-request", 401: "unauthorized"}.get(
                refusal.status, "insufficient-key-material"
            )
            return _problem(refusal.status, kind, refusal.message)

    # ------------------------------------------------------------------------------------------------ far KMEs

    async def _parcels(self, caller: str, body: bytes) -> Reply:
        fields = wire.read(body)
        parcels = [wire.parcel_in(one) for one in array_of(fields.get("parcels", []), "parcels")]
        recalls = [wire.recall_in(one) for one in array_of(fields.get("recalls", []), "recalls")]
        proofs = [
            wire.confirmation_in(one) for one in array_of(fields.get("confirmations", []), "confirmations")
        ]
        kme, now = self._kme, self._kme.clock()

        def work(shelf: Shelf) -> dict[str, Any]:
            held: list[dict[str, Any]] = []
            refused: list[dict[str, Any]] = []
            forgotten: list[dict[str, Any]] = []
            proved: list[dict[str, Any]] = []
            for recall in recalls:
                fate = forget(kme.desk, shelf, caller, recall, now)
                (refused if isinstance(fate, Refusal) else forgotten).append(_said(recall.key_id, fate))
            for parcel in parcels:
                found: Answer | Refusal | None = (
                    self.answers.accept(kme.desk, shelf, caller, parcel, now)
                    if parcel.offer
                    else accept(kme.desk, shelf, caller, parcel, now)
                )
                (refused if isinstance(found, Refusal) else held).append(_said(parcel.key_id, found))
            for key_id, proof in proofs:
                refusal = self.answers.confirm(kme.desk, shelf, caller, key_id, proof, now)
                (proved if refusal is None else refused).append(_said(key_id, refusal))
            return {"held": held, "forgotten": forgotten, "refused": refused, "proved": proved}

        answer = await kme.store.transact(work)
        for key_id, _ in proofs:
            self.answers.done(caller, key_id)
        kme.stir()
        return Reply(200, json.dumps(answer).encode())

    async def _about_streams(self, caller: str, body: bytes) -> Reply:
        if self._streams is None:
            return _problem(404, "not-found", "there are no key streams here")
        return Reply(200, await self._streams.peer(caller, body))

    # ---------------------------------------------------------------------------------------- ETSI GS QKD 020

    def _callback(self, caller: str, fields: dict[str, Any]) -> str:
        """The path to acknowledge at. The address must be the caller's own: nobody sends us elsewhere."""
        url = fields.get("ack_callback_url")
        if not isinstance(url, str) or not 0 < len(url) <= 1024:
            raise FormatError("nothing", "a URL: only the asynchronous mode is offered", "ack_callback_url")
        try:
            found, known = urlsplit(url), urlsplit(self._peers[caller])
            same = (found.scheme, found.hostname, found.port) == (known.scheme, known.hostname, known.port)
        except ValueError:
            same = False
        if (
            not same
            or found.username is not None
            or found.query
            or found.fragment
            or not found.path.isprintable()
        ):
            raise FormatError("another address", "the address of the calling KME", "ack_callback_url")
        return found.path or "/"

    async def _ext_keys(self, caller: str, body: bytes) -> Reply:
        fields = wire.read(body)
        callback = self._callback(caller, fields)
        if is_object(fields.get("extension_mandatory", {}), "extension_mandatory"):
            return _problem(503, "unsupported-mandatory-extension", "no mandatory extension is supported")
        kme, now = self._kme, self._kme.clock()
        parcels = wire.ext_keys_in(fields, kme.desk.policy.limits.lifetime)

        def work(shelf: Shelf) -> None:
            for parcel in parcels:
                refusal = accept(kme.desk, shelf, caller, parcel, now)
                if refusal is not None:
                    raise _UndoneError(refusal)

        try:
            await kme.store.transact(work)
        finally:
            _wipe(parcels)
        kme.stir()
        first = parcels[0]
        self._later(
            caller, callback, [_ack([one.key_id for one in parcels], "relayed", first.master, first.slaves)]
        )
        return Reply(202, b"{}")

    async def _void(self, caller: str, body: bytes) -> Reply:
        fields = wire.read(body)
        callback = self._callback(caller, fields)
        master = wire.names([fields.get("initiator_sae_id")], "initiator_sae_id")[0]
        slaves = wire.names(fields.get("target_sae_ids"), "target_sae_ids")
        named = wire.ids(fields.get("key_ids"), "key_ids")
        if not named and fields.get("all_confirmation") is not True:
            raise FormatError("no key_ids", "key_ids, or all_confirmation: true", "key_ids")
        kme, now = self._kme, self._kme.clock()

        def work(shelf: Shelf) -> dict[Fate, list[UUID]]:
            wanted = named or [
                one.key_id
                for one in shelf.living(master)
                if one.master == master and set(one.slaves) <= set(slaves)
            ]
            fates: dict[Fate, list[UUID]] = {}
            for key_id in wanted:
                fate = forget(kme.desk, shelf, caller, Recall(key_id, master, slaves), now)
                if isinstance(fate, Refusal):
                    raise _UndoneError(fate)
                fates.setdefault(fate, []).append(key_id)
            return fates

        fates = await kme.store.transact(work)
        self._later(
            caller, callback, [_ack(found, fate.value, master, slaves) for fate, found in fates.items()]
        )
        return Reply(202, b"{}")

    async def _ack(self, caller: str, body: bytes) -> Reply:
        # the body is an array, which the strict reader takes inside an object only
        fields = wire.read(b'{"acks":' + body + b"}")
        acks = []
        for item in array_of(fields.get("acks"), "body"):
            one = is_object(item, "body")
            containers = array_of(one.get("key_id_container"), "key_id_container")
            found = [is_object(each, "key_id_container").get("key_id") for each in containers]
            acks.append((wire.ids(found, "key_id"), one.get("ack_status")))
        for key_ids, status in acks:
            if status == "relayed":
                await self._kme.confirm(caller, key_ids)
            elif status == "failed":
                await self._kme.give_up(key_ids)
            elif status in set(Fate):
                await self._kme.store.transact(partial(_strike, caller, key_ids))
            else:
                raise FormatError("something else", "a status of the standard", "ack_status")
        return Reply(200, b"{}")

    def _later(self, caller: str, callback: str, acks: list[dict[str, Any]]) -> None:
        """Acknowledge after the answer. One that is lost is asked for again: the caller sends the same keys again."""
        task = asyncio.create_task(self._acknowledge(caller, callback, acks))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)


def _strike(kme: str, key_ids: list[UUID], shelf: Shelf) -> None:
    for key_id in key_ids:
        errand = shelf.errand(kme, key_id)
        if errand is not None and errand.void:
            shelf.done(kme, key_id)


def _wipe(parcels: list[Consignment]) -> None:
    for parcel in parcels:
        if isinstance(parcel.content, KeyMaterial):
            parcel.content.wipe()


def _ack(key_ids: list[UUID], status: str, master: str, slaves: tuple[str, ...]) -> dict[str, Any]:
    container = [{"key_id": str(key_id)} for key_id in key_ids]
    return {
        "key_id_container": container,
        "ack_status": status,
        "initiator_sae_id": master,
        "target_sae_ids": slaves,
    }


def _said(key_id: UUID, answer: Refusal | Fate | Answer | None) -> dict[str, Any]:
    if isinstance(answer, Refusal):
        return {"key_id": str(key_id), "status": answer.status, "message": answer.message}
    if isinstance(answer, Answer):
        return {"key_id": str(key_id), "answer": base64.b64encode(answer.octets).decode()}
    return {"key_id": str(key_id)}


def _problem(status: int, name: str, title: str) -> Reply:
    more = said(Refusal(status, title)).headers
    return Reply(
        status, wire.problem(status, name, title), (("Content-Type", "application/problem+json"), *more)
    )
