"""The paths of ETSI GS QKD 014 V1.1.1, for SAEs."""

from __future__ import annotations

from quantum_fabric.keys import Grant, Refusal, Status
from quantum_fabric.server import etsi004, etsi014
from quantum_fabric.server.door import Call, Reply, said
from quantum_fabric.server.etsi004_api import StreamApi
from quantum_fabric.server.kme import Kme


class SaeApi:
    """Answers the calls of SAEs.

    Args:
        kme: whose they are.
        streams: answers ETSI GS QKD 004; None where it is not offered.
    """

    def __init__(self, kme: Kme, streams: StreamApi | None = None) -> None:
        self._kme, self._streams = kme, streams

    async def __call__(self, call: Call) -> Reply:
        """Answer one call."""
        if self._streams is not None and call.path[:-1] == etsi004.PREFIX:
            return await self._streams(call)
        match call.path:
            case ("api", "v1", "keys", other, ("status" | "enc_keys" | "dec_keys") as method):
                pass
            case _:
                return Reply(404, etsi014.error_body(Refusal(404, "there is no such path")))
        allowed = ("GET",) if method == "status" else ("GET", "POST")
        if call.method not in allowed:
            body = etsi014.error_body(Refusal(405, f"{method} is called with {' or '.join(allowed)}"))
            return Reply(405, body, (("Allow", ", ".join(allowed)),))
        if call.caller is None or not self._kme.desk.policy.lives_here(call.caller):
            return said(etsi014.unnamed())
        if call.method == "GET" and call.body:
            return said(Refusal(400, "bad request format: GET has no body"))
        if call.method == "POST" and call.query:
            return said(Refusal(400, "bad request format: POST has no query"))
        try:
            answer = await self._answer(call.caller, other, method, call)
        except etsi014.FormatError as error:
            return said(etsi014.malformed(error))
        if isinstance(answer, Refusal):
            return said(answer)
        body = etsi014.status_body(answer) if isinstance(answer, Status) else etsi014.container_body(answer)
        return Reply(200, body)

    async def _answer(self, caller: str, other: str, method: str, call: Call) -> Grant | Status | Refusal:
        if method == "status":
            if call.query:
                raise etsi014.FormatError("a query", "none", "status")
            return await self._kme.status(caller, other)
        if method == "enc_keys":
            if call.method == "GET":
                return await self._kme.get_key(caller, etsi014.key_request_of_query(other, call.query))
            return await self._kme.get_key(caller, etsi014.key_request_of_body(other, call.body))
        if call.method == "GET":
            key_ids = etsi014.key_ids_of_query(call.query)
        else:
            key_ids = etsi014.key_ids_of_body(call.body)
        return await self._kme.get_key_with_ids(other, caller, key_ids)
