"""A key server in a thread of its own, real TLS, and a plain client without any library of ours."""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quantum_fabric.server.running import Running, trial
from quantum_fabric.server.settings import KmeSettings, load

STOCK = 1 << 16
"""Octets of each pool: the trial's own megabyte takes a second to seal."""


def small(settings: KmeSettings) -> KmeSettings:
    assert settings.test_supply is not None
    return settings.model_copy(
        update={"test_supply": settings.test_supply.model_copy(update={"octets": STOCK})}
    )


class Server:
    """One or more KMEs on loopback, from settings files."""

    def __init__(self, *settings: KmeSettings) -> None:
        self.loop = asyncio.new_event_loop()
        self.kmes = [Running(one) for one in settings]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def start(self) -> None:
        for one in self.kmes:
            self.do(one.start())

    def stop(self) -> None:
        for one in self.kmes:
            self.do(one.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def free_ports(number: int) -> int:
    """The first of so many ports in a row that nobody listens on."""
    while True:
        first = random.randrange(20_000, 32_000)
        sockets = [socket.socket() for _ in range(number)]
        try:
            for offset, one in enumerate(sockets):
                one.bind(("127.0.0.1", first + offset))
            return first
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()


@contextmanager
def serving(folder: Path, kmes: dict[str, list[str]], **changes: Any) -> Iterator[Server]:
    files = trial(folder, kmes, first_port=free_ports(2 * len(kmes)) if len(kmes) > 1 else 0)
    server = Server(*(small(load(path)).model_copy(update=changes) for path in files))
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Client:
    """Keeps one connection; knows nothing of the program but the standard."""

    def __init__(self, folder: Path, port: int, certificate: str | None, **tls: Any) -> None:
        context = ssl.create_default_context(cafile=str(folder / "trial-ca-of-kmes.pem"))
        if certificate:
            context.load_cert_chain(folder / f"{certificate}.pem", folder / f"{certificate}.key")
        for name, value in tls.items():
            setattr(context, name, value)
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=15)

    def send(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        self.connection.request(method, path, data, headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text), {key.lower(): value for key, value in answer.getheaders()}

    def get(self, path: str) -> tuple[int, Any]:
        return self.send("GET", f"/api/v1/keys/{path}")[:2]

    def post(self, path: str, body: object) -> tuple[int, Any]:
        return self.send("POST", f"/api/v1/keys/{path}", body)[:2]

    def close(self) -> None:
        self.connection.close()
