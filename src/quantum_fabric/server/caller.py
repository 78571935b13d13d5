"""A caller of a running KME over mutual TLS: what `qfabric keys` speaks with. It keeps one connection and prints nothing."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from quantum_fabric.errors import FabricError, InputError
from quantum_fabric.server.identity import CIPHERS
from quantum_fabric.server.kek import private

LARGEST_ANSWER: Final = 8 << 20
"""Octets of an answer that are read."""


class CallError(FabricError):
    """The KME cannot be reached, or is not who it should be."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer.

    Attributes:
        status: of HTTP.
        fields: the JSON object. It may hold keys: it is never printed as it is.
    """

    status: int
    fields: dict[str, Any]

    def __repr__(self) -> str:
        """The status; what it says may be secret."""
        return f"<answer {self.status}>"


class Caller:
    """One end that asks.

    Args:
        url: ``https://HOST:PORT`` of a listener.
        certificate: ours, PEM.
        key: its private key, PEM; nobody else may read it.
        authority: the CA of the KMEs, PEM.
        timeout: of each step, in s.

    Raises:
        InputError: something else than a URL, or others may read the key.
        OSError: a file cannot be read.
    """

    def __init__(
        self, url: str, certificate: Path, key: Path, authority: Path, timeout: float = 75.0
    ) -> None:
        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.scheme != "https" or not host or parts.path not in ("", "/"):
            raise InputError(repr(url), "https://HOST:PORT", "--url")
        private(key, "private key")
        context = ssl.create_default_context(cafile=str(authority))
        context.set_ciphers(CIPHERS)
        context.load_cert_chain(certificate, key)
        self.where = f"{host}:{port or 443}"
        self._connection = http.client.HTTPSConnection(host, port or 443, context=context, timeout=timeout)

    def get(self, path: str) -> Said:
        """Ask.

        Raises:
            CallError: no answer.
        """
        return self._call("GET", path, None)

    def post(self, path: str, fields: dict[str, Any]) -> Said:
        """Ask with a body.

        Raises:
            CallError: no answer.
        """
        return self._call("POST", path, json.dumps(fields).encode())

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _call(self, method: str, path: str, body: bytes | None) -> Said:
        try:
            self._connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = self._connection.getresponse()
            text = answer.read(LARGEST_ANSWER)
        except ssl.SSLCertVerificationError as error:
            raise CallError(f"{self.where} is not a KME of this CA: {error.verify_message}") from None
        except ssl.SSLError as error:
            reason = (error.reason or type(error).__name__).lower().replace("_", " ")
            raise CallError(f"{self.where} does not accept this certificate ({reason})") from None
        except (OSError, http.client.HTTPException) as error:
            raise CallError(f"{self.where} does not answer: {type(error).__name__}") from None
        try:
            fields = json.loads(text) if text else {}
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            raise CallError(f"{self.where} answers {answer.status} with something that is no JSON object")
        return Said(answer.status, fields)


def keys_path(sae: str, method: str) -> str:
    """A path of ETSI GS QKD 014.

    Examples:
        >>> keys_path("anna@bank/1", "status")
        '/api/v1/keys/anna%40bank%2F1/status'
    """
    return f"/api/v1/keys/{quote(sae, safe='')}/{method}"
