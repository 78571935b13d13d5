"""Key streams at work: the rules of `quantum_fabric.keys.streams_open` and ``streams_read``, with waiting and the other KME.

The two KMEs of a stream say three things to each other, in JSON at ``/qfabric/v1/streams``: an end opens, an end wants a chunk, an
end is closed. No key goes that way: chunks travel as all keys do, as places in the common stock, or by ETSI GS QKD 020 to a
neighbour. Every answer comes at once; who waits is the KME of the caller.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from quantum_fabric.keys import Refusal, Shelf
from quantum_fabric.keys.streams import Code, Quality, Stream, StreamEnd
from quantum_fabric.keys.streams_answers import Elsewhere, Given, Opened, Refused, Wait
from quantum_fabric.keys.streams_open import close_end, find, finish, open_end, remember, untold
from quantum_fabric.keys.streams_read import read, want
from quantum_fabric.server.courier import Line, LineError
from quantum_fabric.server.etsi004 import GetCall, OpenCall, excess, quality_in, quality_out
from quantum_fabric.server.etsi014 import FormatError, read_object, uuid_of
from quantum_fabric.server.kme import Kme
from quantum_fabric.server.store import StoreError

log = logging.getLogger("quantum_fabric.server.streams")

PATH: Final = ("qfabric", "v1", "streams")
AGAIN_SECONDS: Final = 2.0
"""How often a home that did not hear of a closed end is told again."""

_GLANCE: Final = 0.25
"""Seconds after which a waiting call looks again, whatever it was told."""


class Streams:
    """What the listeners call.

    Args:
        kme: whose streams they are.
        lines: to the other KMEs; not those of the couriers, which may be busy.
    """

    def __init__(self, kme: Kme, lines: Mapping[str, Line]) -> None:
        self._kme, self._lines = kme, lines
        self._closing = asyncio.Event()
        self._teller: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to tell homes of ends that were closed, also those from before a restart."""
        self._teller = asyncio.create_task(self._tell())

    async def stop(self) -> None:
        """Let nobody wait any longer, and hang up."""
        self._closing.set()
        self._kme.stir()
        if self._teller is not None:
            self._teller.cancel()
            with suppress(asyncio.CancelledError):
                await self._teller
        for line in self._lines.values():
            await line.close()

    # --------------------------------------------------------------------------------------------------- SAEs

    async def open(self, caller: str, call: OpenCall) -> Opened | Refused | Refusal:
        """OPEN_CONNECT. It does not wait for the other end: status 1 says that it is not there yet."""
        if caller not in (call.source, call.destination) or call.source == call.destination:
            return Refusal(401, "the caller is neither the source nor the destination")
        peer = call.destination if caller == call.source else call.source
        kme, now = self._kme, self._kme.clock()
        answer = await kme.store.transact(
            lambda shelf: open_end(kme.desk, shelf, caller, peer, call.name, call.quality, now)
        )
        if isinstance(answer, Elsewhere):
            answer = await self._open_there(answer.kme, caller, peer, call)
        kme.stir()
        return answer

    async def _open_there(self, home: str, caller: str, peer: str, call: OpenCall) -> Opened | Refused:
        about = {"act": "open", "sae": caller, "peer": peer, "key_stream_id": str(call.name)}
        found = await self._ask(home, about | {"qos": quality_out(call.quality)})
        code = Code(found["status"])
        if code not in (Code.SUCCESSFUL, Code.PEER_ABSENT):
            quality = quality_in(found["qos"]) if code is Code.QUALITY and "qos" in found else None
            return Refused(code, str(found.get("message", ""))[:200], quality)
        kme, now = self._kme, self._kme.clock()
        master, slave = str(found["master"]), peer if str(found["master"]) == caller else caller
        quality = quality_in(found["qos"])
        name, incarnation = uuid_of(found["key_stream_id"]), uuid_of(found["incarnation"])
        stream = Stream(name, incarnation, quality, (StreamEnd(master), StreamEnd(slave)), now, now)
        timeout = call.quality.timeout
        await kme.store.transact(lambda shelf: remember(kme.desk, shelf, stream, caller, timeout, now))
        return Opened(code, stream)

    async def get(self, caller: str, call: GetCall) -> Given | Refused:
        """GET_KEY: waits as long as this end's Timeout allows, for the other end, for bits, for another KME."""
        kme, loop = self._kme, asyncio.get_running_loop()
        begun, begin = loop.time(), 0
        while True:
            stirring = kme.stirring()
            answer, patience = await self._read(caller, call, begin)
            if isinstance(answer, Elsewhere):
                answer = await self._want(caller, call, answer)
                if isinstance(answer, Refused) and answer.code is Code.INSUFFICIENT:
                    last, _ = await self._read(caller, call, begin)  # it may have come while we asked
                    return last if isinstance(last, Given) else answer
                begin = max(
                    begin, (answer.index or 0) if isinstance(answer, Wait) and call.index is None else 0
                )
            if not isinstance(answer, Wait):
                return answer
            # a chunk that is on its way is waited for even where the caller named no time
            allowed = patience or (kme.patience if answer.index is not None else 0.0)
            left = begun + allowed - loop.time()
            if left <= 0 or self._closing.is_set():
                return self._late(answer, patience)
            await asyncio.wait([stirring], timeout=min(left, _GLANCE))

    async def _read(
        self, caller: str, call: GetCall, begin: int
    ) -> tuple[Given | Refused | Wait | Elsewhere, float]:
        """One look, and how long this end is willing to wait, in s."""
        kme, now, fits = self._kme, self._kme.clock(), partial(excess, call.room)

        def work(shelf: Shelf) -> tuple[Given | Refused | Wait | Elsewhere, float]:
            answer = read(kme.desk, shelf, caller, call.name, call.index, now, fits)
            if isinstance(answer, Elsewhere) and answer.index < begin:
                answer = read(kme.desk, shelf, caller, call.name, call.index, now, fits, begin)
            if isinstance(answer, Given | Refused):
                return answer, 0.0
            stream = find(shelf, call.name)
            end = stream.end(caller) if stream is not None else None
            return answer, end.timeout / 1000 if end is not None else 0.0

        answer, patience = await kme.store.transact(work)
        if isinstance(answer, Wait) and answer.index is not None:
            kme.nudge()
        return answer, patience

    async def _want(self, caller: str, call: GetCall, where: Elsewhere) -> Wait | Refused:
        found = await self._ask(
            where.kme,
            {
                "act": "want", "sae": caller, "key_stream_id": str(call.name), "incarnation": str(where.incarnation),
                "index": where.index, "fixed": call.index is not None,
            },
        )  # fmt: skip
        code, why = Code(found["status"]), str(found.get("message", ""))[:200]
        if code is Code.SUCCESSFUL:
            return Wait(Code.INSUFFICIENT, "the chunk is on its way", int(found["index"]))
        return Wait(code, why) if found.get("wait") is True else Refused(code, why)

    @staticmethod
    def _late(answer: Wait, patience: float) -> Refused:
        if answer.code is Code.INSUFFICIENT and patience:
            return Refused(Code.TIMEOUT, f"{answer.why}; the Timeout is over")
        return Refused(answer.code, answer.why)

    async def close(self, caller: str, name: UUID) -> Refused | None:
        """CLOSE. The end is closed at once; a home that cannot be reached is told as soon as it can."""
        kme, now = self._kme, self._kme.clock()
        answer = await kme.store.transact(lambda shelf: close_end(kme.desk, shelf, caller, name, now))
        kme.stir()
        if not isinstance(answer, Elsewhere):
            return answer
        with suppress(LineError):
            await self._tell_once()
        return None

    # ------------------------------------------------------------------------------------------- the other KME

    async def _ask(self, home: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask a home; a fault of it is status 4."""
        line = self._lines.get(home)
        try:
            if line is None:
                raise LineError(f"KME {home} is no peer")
            status, text = await line.post("/" + "/".join(PATH), json.dumps(body).encode())
            found = read_object(text)
            if status == 200 and found.get("status") in set(Code):
                return found
        except (LineError, FormatError) as error:
            log.warning("a stream waits for its home: %s", error)
        return {"status": int(Code.NO_CONNECTION), "message": f"KME {home} does not answer"}

    async def _tell(self) -> None:
        while True:
            with suppress(StoreError, LineError):
                await self._tell_once()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _tell_once(self) -> None:
        kme = self._kme
        for home, sae, stream in await kme.store.transact(lambda shelf: untold(kme.desk, shelf)):
            about = {"act": "close", "sae": sae, "key_stream_id": str(stream.name)}
            found = await self._ask(home, about | {"incarnation": str(stream.incarnation)})
            if found["status"] == 0:
                now = kme.clock()
                await kme.store.transact(partial(_finish, kme, stream, sae, now))

    async def peer(self, caller: str, body: bytes) -> bytes:
        """Answer another KME, at once.

        Raises:
            FormatError: it says something else than the three things.
        """
        fields = read_object(body)
        kme, now, sae = self._kme, self._kme.clock(), str(fields.get("sae", ""))
        name = uuid_of(fields.get("key_stream_id"), "key_stream_id")
        match fields:
            case {"act": "open", "peer": str(other), "qos": qos}:
                work = partial(_open_for, kme, caller, sae, other, name, quality_in(qos), now)
            case {"act": "want", "incarnation": which, "index": int(index), "fixed": bool(fixed)} if (
                0 <= index < 2**32
            ):
                work = partial(_want_for, kme, caller, sae, name, uuid_of(which), index, fixed, now)
            case {"act": "close", "incarnation": which}:
                work = partial(_close_for, kme, caller, sae, name, uuid_of(which), now)
            case _:
                raise FormatError("something else", "open, want or close", "act")
        answer = await kme.store.transact(work)
        kme.stir()
        kme.nudge()
        return json.dumps(answer).encode()


def _open_for(
    kme: Kme, sender: str, sae: str, other: str, name: UUID, quality: Quality, now: int, shelf: Shelf
) -> dict[str, Any]:
    answer = open_end(kme.desk, shelf, sae, other, name, quality, now, sender)
    match answer:
        case Opened(code, stream):
            return {
                "status": int(code), "key_stream_id": str(stream.name), "incarnation": str(stream.incarnation),
                "master": stream.master, "qos": quality_out(stream.quality),
            }  # fmt: skip
        case Refused(code, why, None):
            return {"status": int(code), "message": why}
        case Refused(code, why, Quality() as best):
            return {"status": int(code), "message": why, "qos": quality_out(best)}
    return {"status": int(Code.NO_CONNECTION), "message": "the home of the stream does not allow it"}


def _want_for(
    kme: Kme, sender: str, sae: str, name: UUID, which: UUID, index: int, fixed: bool, now: int, shelf: Shelf
) -> dict[str, Any]:
    answer = want(kme.desk, shelf, sender, sae, name, which, index, fixed, now)
    found: dict[str, Any] = {
        "status": int(answer.code),
        "message": answer.why,
        "wait": isinstance(answer, Wait),
    }
    return found | ({"index": answer.index} if isinstance(answer, Wait) and answer.index is not None else {})


def _close_for(
    kme: Kme, sender: str, sae: str, name: UUID, which: UUID, now: int, shelf: Shelf
) -> dict[str, Any]:
    close_end(kme.desk, shelf, sae, name, now, which, sender)
    return {"status": 0}


def _finish(kme: Kme, stream: Stream, sae: str, now: int, shelf: Shelf) -> None:
    known = find(shelf, stream.name)
    if known is not None and known.incarnation == stream.incarnation:
        finish(kme.desk, shelf, stream, sae, now)


def settled_for(opened: Opened, timeout: int) -> Quality:
    """The QoS as one end sees it: with its own timeout."""
    return replace(opened.stream.quality, timeout=timeout)
