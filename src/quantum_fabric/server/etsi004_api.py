"""The paths of ETSI GS QKD 004 V2.1.1, for SAEs."""

from __future__ import annotations

from quantum_fabric.keys import Refusal
from quantum_fabric.keys.streams_answers import Opened, Refused
from quantum_fabric.server import etsi004
from quantum_fabric.server.door import Call, Reply, said
from quantum_fabric.server.etsi014 import FormatError, error_body, malformed, unnamed
from quantum_fabric.server.kme import Kme
from quantum_fabric.server.streams import Streams, settled_for


class StreamApi:
    """Answers the calls of SAEs about key streams.

    Args:
        kme: whose they are.
        streams: does the work.
    """

    def __init__(self, kme: Kme, streams: Streams) -> None:
        self._kme, self._streams = kme, streams

    async def __call__(self, call: Call) -> Reply:
        """Answer one call."""
        method = call.path[-1]
        if call.path[:-1] != etsi004.PREFIX or method not in etsi004.METHODS:
            return Reply(404, error_body(Refusal(404, "there is no such path")))
        if call.method != "POST":
            return Reply(405, error_body(Refusal(405, f"{method} is called with POST")), (("Allow", "POST"),))
        if call.caller is None or not self._kme.desk.policy.lives_here(call.caller):
            return said(unnamed())
        if call.query:
            return said(Refusal(400, "bad request format: POST has no query"))
        try:
            return await self._answer(call.caller, method, call.body)
        except FormatError as error:
            return said(malformed(error))

    async def _answer(self, caller: str, method: str, body: bytes) -> Reply:
        if method == "open-connect":
            wanted = etsi004.open_call(body)
            opened = await self._streams.open(caller, wanted)
            if isinstance(opened, Refusal):
                return said(opened)
            if isinstance(opened, Opened):
                return Reply(200, etsi004.opened_body(opened, settled_for(opened, wanted.quality.timeout)))
            return Reply(200, etsi004.refused_body(opened))
        if method == "get-key":
            asked = etsi004.get_call(body)
            found = await self._streams.get(caller, asked)
            if isinstance(found, Refused):
                return Reply(200, etsi004.refused_body(found))
            return Reply(200, etsi004.given_body(found, asked.room))
        refused = await self._streams.close(caller, etsi004.close_call(body))
        return Reply(200, etsi004.closed_body() if refused is None else etsi004.refused_body(refused))
