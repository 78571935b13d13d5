"""The path for relay messages, in front of the other paths for KMEs."""

from __future__ import annotations

import json
from collections.abc import Collection

from quantum_fabric.errors import StateError
from quantum_fabric.keys.relay.written import written
from quantum_fabric.server import peer_format as wire
from quantum_fabric.server.door import Answer, Call, Reply
from quantum_fabric.server.etsi014 import FormatError
from quantum_fabric.server.relay_house import PATH, RelayHouse, unpack


class RelayApi:
    """Answers calls about relayed keys, and passes on all others.

    Args:
        house: does the work.
        peers: the KMEs that may call.
        others: answers everything else.
    """

    def __init__(self, house: RelayHouse, peers: Collection[str], others: Answer) -> None:
        self._house, self._peers, self._others = house, frozenset(peers), others

    async def __call__(self, call: Call) -> Reply:
        """Answer one call."""
        if call.path != PATH:
            return await self._others(call)
        if call.caller is None or call.caller not in self._peers:
            return _problem(401, "unauthorized", "the certificate does not name a peer of this KME")
        if call.method != "POST":
            return _problem(405, "method-not-allowed", "this is called with POST")
        try:
            messages = unpack(call.body, call.caller)
            back = await self._house.answer(call.caller, messages)
        except FormatError as error:
            return _problem(400, "invalid-request", str(error))
        except StateError as error:
            return _problem(503, "unavailable", str(error))
        return Reply(200, json.dumps({"messages": [written(one) for one in back]}).encode())


def _problem(status: int, name: str, title: str) -> Reply:
    body = wire.problem(status, name, title)
    return Reply(status, body, (("Content-Type", "application/problem+json"),))
