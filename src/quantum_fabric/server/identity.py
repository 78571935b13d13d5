"""Who is at the other end: the one name in the certificate that TLS has verified. Nothing in a request says who sent it.

A name is a URI in the subject alternative names: ``qkd://sae/NAME`` or ``qkd://kme/NAME``, with NAME percent-encoded. A
certificate with none or several of them is nobody. Where certificates of another issuer are to be used, the common name can
be taken instead; that is a setting of the KME and never a fallback.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from quantum_fabric.errors import InputError
from quantum_fabric.keys.records import entity
from quantum_fabric.server.kek import private

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of TLS 1.3 are all good. Forward secrecy and authenticated encryption only."""


class Naming(StrEnum):
    """Where in a certificate the name stands."""

    URI = "uri"
    COMMON_NAME = "common-name"


def uri(kind: str, name: str) -> str:
    """The URI of an SAE or a KME.

    Examples:
        >>> uri("sae", "alice@bank/1")
        'qkd://sae/alice%40bank%2F1'
    """
    return f"qkd://{kind}/{quote(entity(name, kind), safe='')}"


def name_in(certificate: Mapping[str, Any] | None, kind: str, naming: Naming = Naming.URI) -> str | None:
    """The name in a verified certificate.

    Args:
        certificate: what `ssl.SSLObject.getpeercert` gives.
        kind: ``"sae"`` or ``"kme"``; a certificate of the other kind is nobody here.
        naming: where the name stands.

    Returns:
        The name; None where there is no certificate, no such name, or more than one.

    Examples:
        >>> name_in({"subjectAltName": (("DNS", "a"), ("URI", "qkd://sae/alice"))}, "sae")
        'alice'
        >>> name_in({"subjectAltName": (("URI", "qkd://sae/alice"),)}, "kme") is None
        True
    """
    if not certificate:
        return None
    if naming is Naming.URI:
        before = f"qkd://{kind}/"
        uris = [value for sort, value in certificate.get("subjectAltName", ()) if sort == "URI"]
        names = [unquote(value.removeprefix(before)) for value in uris if value.startswith(before)]
        names = names if len(uris) == 1 else []
    else:
        parts = [part for part in certificate.get("subject", ()) for part in part]
        names = [value for key, value in parts if key == "commonName"]
    if len(names) != 1:
        return None
    try:
        return entity(names[0], kind)
    except InputError:
        return None


@dataclass(frozen=True, slots=True)
class Credentials:
    """The files of one end of a TLS connection.

    Attributes:
        certificate: our chain, PEM.
        key: our private key, PEM; no other user may read it.
        authority: the CA whose certificates are let in, PEM.
        revoked: a list of that CA, PEM; None where there is none.
    """

    certificate: Path
    key: Path
    authority: Path
    revoked: Path | None = None


def listening(files: Credentials, oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    """TLS for a listener: mutual, without tickets or compression.

    Args:
        files: our certificate and the CA of the callers.
        oldest: version of TLS (1.2 for ETSI GS QKD 014, 1.3 for 020).

    Raises:
        InputError: others may read the private key.
        OSError: a file cannot be read or is no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0  # each connection proves itself anew; no state to steal
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    return _filled(context, files, oldest)


def calling(files: Credentials) -> ssl.SSLContext:
    """TLS 1.3 for a call to another KME, mutual, with its name checked by the caller."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _filled(context, files, ssl.TLSVersion.TLSv1_3)


def _filled(context: ssl.SSLContext, files: Credentials, oldest: ssl.TLSVersion) -> ssl.SSLContext:
    context.minimum_version = oldest
    context.set_ciphers(CIPHERS)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    private(files.key, "private key")
    context.load_cert_chain(files.certificate, files.key)
    context.load_verify_locations(files.authority)
    if files.revoked is not None:
        context.load_verify_locations(files.revoked)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context
