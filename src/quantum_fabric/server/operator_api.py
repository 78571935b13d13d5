"""The paths for operators: what is stored, who may have how much, the audit book; revoke and rotate. No key leaves here.

=============================================  ========================================================================
``GET /qfabric/v1/operator/status``            stock, keys, pairs with their quotas, streams, KEKs, end of the book
``GET /qfabric/v1/operator/audit?after=N``     entries of the book, `PAGE` at a time
``POST /qfabric/v1/operator/revoke``           ``key_ids``, ``sae`` or ``pair``: destroyed here and at every KME that holds them
``POST /qfabric/v1/operator/rotate``           ``new``: make a KEK in the KEK file; in any case read KEKs again and seal anew
=============================================  ========================================================================

Each act stands in the audit book under the name in the operator's certificate.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import parse_qs

from quantum_fabric.errors import FabricError, InputError
from quantum_fabric.keys import Act, Refusal, revoke, revoke_sae
from quantum_fabric.keys.policy import Usage, draw
from quantum_fabric.keys.records import entity
from quantum_fabric.keys.streams import stream_of
from quantum_fabric.keys.upkeep import revoke_pair
from quantum_fabric.server.door import Call, Reply, said
from quantum_fabric.server.etsi014 import FormatError, array_of, known, malformed, read_object, uuid_of
from quantum_fabric.server.kme import Kme
from quantum_fabric.server.sql import SqlShelf

PREFIX: Final = ("qfabric", "v1", "operator")
_METHODS: Final = {"status": "GET", "audit": "GET", "revoke": "POST", "rotate": "POST"}
PAGE: Final = 1000
"""Entries of the book in one answer."""


class OperatorApi:
    """Answers the calls of operators.

    Args:
        kme: theirs.
        rekey: reads the KEKs again; with True after it has made a new one.
    """

    def __init__(self, kme: Kme, rekey: Callable[[bool], Awaitable[None]]) -> None:
        self._kme, self._rekey = kme, rekey

    async def __call__(self, call: Call) -> Reply:
        """Answer one call."""
        if call.caller is None:
            return said(Refusal(401, "the certificate does not name an operator"))
        method = _METHODS.get(call.path[-1])
        if call.path[:-1] != PREFIX or method is None:
            return _reply(404, {"message": "there is no such path"})
        if call.method != method:
            return Reply(405, json.dumps({"message": f"called with {method}"}).encode(), (("Allow", method),))
        try:
            return _reply(200, await self._answer(call, f"operator {call.caller}"))
        except FormatError as error:
            return said(malformed(error))
        except (InputError, FileExistsError) as error:
            return said(Refusal(400, str(error)))

    async def _answer(self, call: Call, actor: str) -> dict[str, Any]:
        match call.path[-1]:
            case "status":
                kme, now = self._kme, self._kme.clock()
                return await kme.store.transact(lambda shelf: facts(kme, shelf, now))
            case "audit":
                return await self._audit(call.query)
            case "revoke":
                return await self._revoke(actor, call.body)
        return await self._rotate(actor, call.body)

    async def _audit(self, query: str) -> dict[str, Any]:
        given = parse_qs(query, keep_blank_values=True, max_num_fields=4) if query else {}
        known(given, {"after"})
        after = given.get("after", ["0"])[-1]
        if not after.isdecimal() or len(after) > 15:
            raise FormatError("something else", "the number of an entry", "after")
        book = await self._kme.store.transact(lambda shelf: (shelf.book(int(after), PAGE), shelf.head()))
        return {"entries": [asdict(one) for one in book[0]], "head": asdict(book[1])}

    async def _revoke(self, actor: str, body: bytes) -> dict[str, Any]:
        fields = read_object(body)
        known(fields, {"key_ids", "sae", "pair"})
        desk, now = self._kme.desk, self._kme.clock()
        match fields:
            case {"key_ids": list(named), **rest} if not rest and named:
                ids = [uuid_of(one, "key_ids") for one in array_of(named, "key_ids")]
                work: Callable[[SqlShelf], int] = lambda shelf: sum(  # noqa: E731
                    revoke(desk, shelf, one, actor, now) for one in ids
                )
            case {"sae": str(sae), **rest} if not rest:
                entity(sae, "sae")
                work = lambda shelf: revoke_sae(desk, shelf, sae, actor, now)  # noqa: E731
            case {"pair": [str(master), str(slave)], **rest} if not rest:
                work = lambda shelf: revoke_pair(desk, shelf, master, slave, actor, now)  # noqa: E731
            case _:
                raise FormatError("something else", "key_ids, sae, or pair: [master, slave]", "body")
        destroyed = await self._kme.store.transact(work)
        self._kme.nudge()
        return {"destroyed": destroyed}

    async def _rotate(self, actor: str, body: bytes) -> dict[str, Any]:
        fields = read_object(body) if body else {}
        known(fields, {"new"})
        new = fields.get("new", False)
        if not isinstance(new, bool):
            raise FormatError("something else", "true or false", "new")
        try:
            await self._rekey(new)
        except OSError as error:
            raise InputError(type(error).__name__, "KEKs that can be read again", "kek") from None
        except InputError:
            raise
        except FabricError as error:
            raise InputError(str(error), "KEKs that open what is stored", "kek") from None
        desk, now = self._kme.desk, self._kme.clock()
        await self._kme.store.transact(
            lambda shelf: desk.note(shelf, now, Act.ROTATED, actor, kek=desk.ring.current.name, rows=0)
        )
        return {"kek": self._kme.desk.ring.current.name}


def facts(kme: Kme, shelf: SqlShelf, now: int) -> dict[str, Any]:
    """What an operator may know: sizes, counts and names, and nothing of a key."""
    policy, ring = kme.desk.policy, kme.desk.ring
    pairs = []
    for (master, slave), quota in sorted(policy.pairs.items()):
        if policy.lives_here(master):
            left = draw(quota, shelf.usage(master, slave), 0, now) or Usage(0.0, now)
            about = {"master": master, "slave": slave, "waiting": shelf.waiting(master, slave)}
            pairs.append(about | {"tokens": round(left.tokens, 1), "quota": asdict(quota)})
    streams = []
    for one in map(stream_of, shelf.streams()):
        ends = {end.sae: end.state.value for end in one.ends}
        streams.append(
            {"key_stream_id": str(one.name), "ends": ends, "cut": one.cut, "qos": asdict(one.quality)}
        )
    return {
        "kme": policy.kme,
        "mode": policy.mode.value,
        "pools": [
            {"cutter": p.cutter, "follower": p.follower, "octets": octets} for p, octets in shelf.pools()
        ],
        "keys": shelf.states(),
        "pairs": pairs,
        "streams": streams,
        "kek": {"current": ring.current.name, "needed": sorted(shelf.keks())},
        "audit": asdict(shelf.head()),
    }


def _reply(status: int, fields: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(fields, separators=(",", ":")).encode())
