"""What far KMEs say to each other, signed one by one with ML-DSA where certificates say so, inside the TLS that carries it.

Python's TLS cannot authenticate with ML-DSA yet, so whoever can forge ECDSA (a quantum computer) could pose as a KME inside
TLS. A peer for which signature certificates are held must sign every call and every answer; an unsigned one is refused, and so
is one under a weaker algorithm than its certificates name (`quantum_fabric.keys.hybrid.signing`). Whether that is so is a
setting at both ends and is never asked of the other end: there is nothing to negotiate down.

A signed body is ``{"signed": BASE64}``. That holds for calls by ETSI GS QKD 020 too, where certificates of the neighbour are held: the
standard's body is inside. A neighbour without them, as one of another make, is called with the standard's bodies.

Limits:
    Numbers that were used are remembered while the process runs. After a restart an old call could be played again by whoever can
    forge TLS; parcels and recalls that were played again change nothing, as they name keys that are known.
"""

from __future__ import annotations

import base64
import binascii
import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from quantum_fabric.errors import InputError
from quantum_fabric.keys.hybrid import Certified, Signed, Signer, certified, verify
from quantum_fabric.keys.hybrid.signing import SignatureError
from quantum_fabric.server import peer_format as wire
from quantum_fabric.server.courier import Line, LineError
from quantum_fabric.server.door import Answer, Call, Reply
from quantum_fabric.server.identity import uri
from quantum_fabric.server.kek import private

_REMEMBERED: Final = 4096
"""Numbers of a peer's last calls; older ones than all of them are refused unseen."""


@dataclass(slots=True)
class _Peer:
    held: list[tuple[Certified, datetime]]
    sent: int = 0
    seen: set[int] = field(default_factory=set)
    floor: int = 0

    def valid(self) -> list[Certified]:
        """Its keys whose certificates are still good."""
        now = datetime.now(UTC)
        return [key for key, end in self.held if now <= end]

    def fresh(self, number: int) -> None:
        """Note a number.

        Raises:
            SignatureError: it was used before.
        """
        if number <= self.floor or number in self.seen:
            raise SignatureError(f"call {number} came before: a replay")
        self.seen.add(number)
        if len(self.seen) > _REMEMBERED:
            ranked = sorted(self.seen)
            self.floor = ranked[_REMEMBERED // 2]
            self.seen = set(ranked[_REMEMBERED // 2 + 1 :])


class Signing:
    """The signatures of one KME.

    Args:
        kme: its name.
        signer: its keys; None where it has none.
        peers: the KMEs that must sign, and what they are certified for until when.

    Raises:
        InputError: peers that must sign, and no keys to sign the answers with.
    """

    def __init__(
        self, kme: str, signer: Signer | None, peers: Mapping[str, list[tuple[Certified, datetime]]]
    ) -> None:
        if peers and signer is None:
            raise InputError("peers with signature certificates", "signature keys of this KME too", "signing")
        self.kme, self._signer = kme, signer
        self._peers = {name: _Peer(held) for name, held in peers.items()}

    def __contains__(self, peer: object) -> bool:
        """Whether calls of that peer, and to it, are signed."""
        return peer in self._peers

    def call(self, peer: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Sign a call.

        Returns:
            Its number, and the body to send.
        """
        known = self._peers[peer]
        known.sent = max(known.sent + 1, time.time_ns() // 1000)
        return known.sent, self._wrapped(peer, f"POST {path}", known.sent, body)

    def called(self, peer: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Check a call.

        Returns:
            Its number, and what it says.

        Raises:
            SignatureError: it is not signed as it must be, or came before.
        """
        message, plain = self._checked(peer, f"POST {path}", body)
        self._peers[peer].fresh(message.number)
        return message.number, plain

    def answer(self, peer: str, path: str, number: int, status: int, body: bytes) -> bytes:
        """Sign the answer to a call."""
        return self._wrapped(peer, f"{status} to POST {path}", number, body)

    def answered(self, peer: str, path: str, number: int, status: int, body: bytes) -> bytes:
        """Check the answer to a call.

        Raises:
            SignatureError: it is not signed as it must be, or answers something else.
        """
        message, plain = self._checked(peer, f"{status} to POST {path}", body)
        if message.number != number:
            raise SignatureError(f"KME {peer} answers call {message.number}, and not {number}")
        return plain

    def _wrapped(self, peer: str, purpose: str, number: int, body: bytes) -> bytes:
        assert self._signer is not None, "checked when it was made"
        message = self._signer.sign(peer, purpose, number, body)
        return json.dumps({"signed": base64.b64encode(message.octets).decode()}).encode()

    def _checked(self, peer: str, purpose: str, body: bytes) -> tuple[Signed, bytes]:
        try:
            outer: Any = json.loads(body)
            if not isinstance(outer, dict) or set(outer) != {"signed"}:
                raise SignatureError(f"KME {peer} must sign, and did not")
            message = Signed.read(base64.b64decode(outer["signed"], validate=True))
        except (ValueError, TypeError, RecursionError, binascii.Error):
            raise SignatureError(f"KME {peer} must sign, and did not") from None
        return message, verify(message, self._peers[peer].valid(), self.kme, purpose, after=0)


class SignedLine(Line):
    """A connection to another KME that signs.

    Args:
        signing: ours.
        kme, url, context, timeout: see `Line`.
    """

    def __init__(
        self, signing: Signing, kme: str, url: str, context: ssl.SSLContext, timeout: float = 5.0
    ) -> None:
        super().__init__(kme, url, context, timeout)
        self._signing = signing

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Call it; what is not signed as it must be has not been said.

        Raises:
            LineError: it cannot be reached, somebody else answers, or the answer is not signed.
        """
        number, wrapped = self._signing.call(self.kme, path, body)
        status, text = await super().post(path, wrapped)
        try:
            return status, self._signing.answered(self.kme, path, number, status, text)
        except SignatureError as error:
            raise LineError(f"the answer of KME {self.kme} is not taken: {error}") from None


class SignedApi:
    """Takes the signatures off what KMEs say, and puts ours on the answers, in front of the paths for KMEs.

    Args:
        signing: ours.
        others: answers what is said.
    """

    def __init__(self, signing: Signing, others: Answer) -> None:
        self._signing, self._others = signing, others

    async def __call__(self, call: Call) -> Reply:
        """Answer one call."""
        peer = call.caller
        if peer is None or peer not in self._signing or (call.method == "GET" and call.path == wire.VERSIONS):
            return await self._others(call)
        path = wire.path(call.path)
        try:
            number, plain = self._signing.called(peer, path, call.body)
        except SignatureError as error:
            return Reply(401, json.dumps({"detail": str(error)}).encode())
        reply = await self._others(Call(call.caller, call.method, call.path, call.query, plain))
        body = self._signing.answer(peer, path, number, reply.status, reply.body)
        return Reply(reply.status, body, reply.headers)


def load_signer(kme: str, keys: Sequence[Path]) -> Signer | None:
    """Read this KME's signature keys, PEM, mode 0600; None where there are none.

    Raises:
        InputError: others may read one, or it is no key for signatures.
    """
    if not keys:
        return None
    found: list[Any] = []
    for path in keys:
        text = private(path, "signature key")
        try:
            found.append(load_pem_private_key(text, None))
        except (ValueError, TypeError):
            raise InputError("something else", "a private key, PEM", f"signature key {path}") from None
    try:
        return Signer(kme, found)
    except SignatureError as error:
        raise InputError("a key of another kind", f"keys for signatures ({error})", "signing.keys") from None


def load_held(kme: str, certificates: Sequence[Path], authority: Path) -> list[tuple[Certified, datetime]]:
    """Read a peer's signature certificates, PEM, and check them against the CA of KMEs.

    Raises:
        InputError: one is not of that CA, not of that peer, or not for signatures now.
    """
    found = []
    for path in certificates:
        try:
            issuer = x509.load_pem_x509_certificate(authority.read_bytes())
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            key = certified(certificate, issuer, uri("kme", kme), datetime.now(UTC))
        except (ValueError, SignatureError) as error:
            raise InputError(str(error), f"a signature certificate of {kme}", str(path)) from None
        found.append((key, certificate.not_valid_after_utc))
    return found
