"""The door of a listener: TLS connections, bounded in number, time and size, each request with the name of its caller.

aiohttp's low-level server is used without its application layer: the peer's certificate is at hand (no ASGI server gives it),
and what is not there cannot be attacked.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from quantum_fabric.errors import FabricError
from quantum_fabric.keys import Refusal
from quantum_fabric.server.etsi014 import error_body
from quantum_fabric.server.identity import Naming, name_in
from quantum_fabric.server.store import StoreError

log = logging.getLogger("quantum_fabric.server.door")

LARGEST_BODY: Final = 256 * 1024
"""Octets of a request's body."""

_JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store", "Server": "qfabric"}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds; a caller that is slower is cut off.

    Attributes:
        handshake: TLS.
        first: from the connection to the first whole header.
        body: of one request.
        idle: between requests.
        drain: for requests that are being answered when the server stops.
    """

    handshake: float = 10.0
    first: float = 10.0
    body: float = 10.0
    idle: float = 75.0
    drain: float = 10.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read.

    Attributes:
        caller: the one name in the certificate; None where it names nobody.
        method: of HTTP.
        path: its segments, each decoded once, after it was split.
        query: undecoded.
        body: all of it.
    """

    caller: str | None
    method: str
    path: tuple[str, ...]
    query: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def said(refusal: Refusal) -> Reply:
    """A refusal in the error format of ETSI GS QKD 014."""
    more = (("Retry-After", "1"),) if refusal.status == 503 else ()
    return Reply(refusal.status, error_body(refusal), more)


Answer = Callable[[Call], Awaitable[Reply]]


class _Guarded(RequestHandler):
    """A connection that must say something whole before its time is over."""

    __slots__ = ("_door", "_first", "_name", "_until", "_wire")

    def __init__(self, server: web.Server, door: Door, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._door = door
        self._first: asyncio.TimerHandle | None = None
        self._name: str | None = None
        self._until = -1.0
        self._wire: asyncio.BaseTransport | None = None

    def caller(self, kind: str, naming: Naming) -> str | None:
        """The name in the certificate, which cannot change while the connection lasts; None once its time is over."""
        if self._until < 0.0:
            tls = self.transport.get_extra_info("ssl_object") if self.transport is not None else None
            certificate = tls.getpeercert() if tls is not None else None
            self._until = ssl.cert_time_to_seconds(certificate["notAfter"]) if certificate else 0.0
            self._name = name_in(certificate, kind, naming)
        return self._name if time.time() < self._until else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wire = transport
        if not self._door.admit(self):
            self.force_close()
            return
        self._first = asyncio.get_running_loop().call_later(self._door.timeouts.first, self.force_close)

    def cut(self) -> None:
        """End it at once, whether the other side has said goodbye or not."""
        if isinstance(self._wire, asyncio.Transport):
            self._wire.abort()

    def heard(self) -> None:
        if self._first is not None:
            self._first.cancel()
            self._first = None

    def connection_lost(self, exc: BaseException | None) -> None:
        self.heard()
        self._door.leave(self)
        super().connection_lost(exc)


class Door:
    """One listener.

    Args:
        answer: does the work.
        kind: of the callers, ``"sae"`` or ``"kme"``; certificates of other kinds name nobody.
        naming: where their names stand.
        connections: at the same time, at most.
        timeouts: see `Timeouts`.

    Attributes:
        port: where it listens.
    """

    def __init__(
        self,
        answer: Answer,
        kind: str,
        naming: Naming = Naming.URI,
        connections: int = 1024,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._answer, self._kind, self._naming = answer, kind, naming
        self._most, self._open = connections, set[_Guarded]()
        self.timeouts = timeouts or Timeouts()
        self._server: web.Server | None = None
        self._socket: asyncio.Server | None = None
        self.port = 0

    async def open(self, host: str, port: int, context: ssl.SSLContext | None, several: bool = False) -> None:
        """Listen.

        Args:
            host: address.
            port: 0 for a free one; `port` says which afterwards.
            context: TLS.
            several: whether other processes may listen there too; the kernel then shares the callers out.

        Raises:
            OSError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        settings: dict[str, Any] = {
            "keepalive_timeout": self.timeouts.idle,
            "access_log": None,  # a log of requests is a log of key identifiers and of who talks to whom: the audit book has it
            "debug": False,
            "max_line_size": 4096,
            "max_field_size": 4096,
            "max_headers": 64,
            "auto_decompress": False,
            "lingering_time": 0.25,  # a caller may read the refusal of a body that it is still sending
        }
        self._server = server = web.Server(self._handle)

        def connection() -> _Guarded:
            return _Guarded(server, self, loop=loop, **settings)

        secure: dict[str, Any] = (
            {"ssl": context, "ssl_handshake_timeout": self.timeouts.handshake, "ssl_shutdown_timeout": 2.0}
            if context
            else {}
        )
        self._socket = await loop.create_server(
            connection, host, port, backlog=256, reuse_port=several or None, **secure
        )
        self.port = self._socket.sockets[0].getsockname()[1]

    def admit(self, connection: _Guarded) -> bool:
        """Count a connection in; False where there are too many."""
        if len(self._open) >= self._most:
            return False
        self._open.add(connection)
        return True

    def leave(self, connection: _Guarded) -> None:
        """Count it out."""
        self._open.discard(connection)

    async def close(self) -> None:
        """Let nobody in, finish what is being answered, close."""
        if self._socket is not None:
            self._socket.close()
        if self._server is not None:
            self._server.pre_shutdown()
            await self._server.shutdown(self.timeouts.drain)
        for _ in range(20):  # a caller that does not read its connection will never say goodbye
            if not self._open:
                break
            await asyncio.sleep(0.01)
        for connection in list(self._open):
            connection.cut()
        if self._socket is not None:
            await self._socket.wait_closed()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if isinstance(request.protocol, _Guarded):
            request.protocol.heard()
        try:
            reply = await self._reply(request)
        except TimeoutError:
            reply = said(Refusal(400, "the request did not come to an end in time"))
        except StoreError as error:
            reply = said(Refusal(503, str(error)))
        except Exception as error:
            # a traceback shows values; the kind of the fault and its place are enough to find it
            log.error("a request failed: %s%s", type(error).__name__, _place(error))
            reply = said(Refusal(503, "the KME cannot answer now"))
        response = web.Response(
            status=reply.status, body=reply.body, headers=dict([*_JSON.items(), *reply.headers])
        )
        if request.protocol.transport is not None and not request.content.at_eof():
            response.force_close()  # what it did not read it will not take for the next request
        return response

    async def _reply(self, request: web.BaseRequest) -> Reply:
        connection = request.protocol
        caller = connection.caller(self._kind, self._naming) if isinstance(connection, _Guarded) else None
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return said(Refusal(400, "bad request format: compressed bodies are not read"))
        if (request.content_length or 0) > LARGEST_BODY:
            return said(Refusal(400, "bad request format: the body is too large"))
        body = bytearray()
        if request.body_exists:
            async with asyncio.timeout(self.timeouts.body):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > LARGEST_BODY:
                        return said(Refusal(400, "bad request format: the body is too large"))
        raw, _, query = request.raw_path.partition("?")
        try:
            # split first: an encoded slash is part of a name
            path = tuple(unquote_to_bytes(part).decode("utf-8") for part in raw.lstrip("/").split("/"))
        except UnicodeError:
            return said(Refusal(400, "bad request format: the path is not UTF-8"))
        return await self._answer(Call(caller, request.method, path, query, bytes(body)))


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else ""
    # our own faults name things and not bits; others may quote anything
    return f"{where}: {error}" if isinstance(error, FabricError) else where
