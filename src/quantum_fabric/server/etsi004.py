"""ETSI GS QKD 004 V2.1.1 (2020-08) in JSON: reading its calls strictly, writing its answers. No I/O, no rules.

The standard fixes functions, parameters and statuses, and no form on the wire. Of the public implementations one family sends
binary records over TLS (the C code of the ETSI Forge), one uses gRPC (Quditto), and one is a published OpenAPI description in
JSON over HTTPS (AIT, "ETSI GS QKD 004 push mode"). Here it is JSON over the same mutual TLS as ETSI GS QKD 014, for one port, one
identity and one set of bounds; the names of the three calls and of all fields are those of the AIT description.

========================================  =========================================================================
``POST /api/v1/etsi004/open-connect``     ``source``, ``destination``, ``qos``, ``key_stream_id``; back ``status``, ``key_stream_id``,
                                          ``qos``
``POST /api/v1/etsi004/get-key``          ``key_stream_id``, ``index``, ``metadata.size``; back ``status``, ``index``,
                                          ``key_buffer``, ``metadata``
``POST /api/v1/etsi004/close``            ``key_stream_id``; back ``status``
========================================  =========================================================================

A call that was understood is answered with HTTP 200 and the ``status`` of the standard, 0 to 8; ``message`` says more where it is
not 0. HTTP 400 means that the call is not in this format, 401 that the caller may not, 503 that the KME cannot answer now.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID

from quantum_fabric.errors import InputError
from quantum_fabric.keys.records import Instant, Provenance, entity
from quantum_fabric.keys.streams import LARGEST, NOBODY, Quality
from quantum_fabric.keys.streams_answers import Given, Opened, Refused
from quantum_fabric.server.etsi014 import FormatError, is_object, known, read_object, uuid_of

PREFIX: Final = ("api", "v1", "etsi004")
METHODS: Final = ("open-connect", "get-key", "close")

_QOS: Final = {
    "key_chunk_size": "chunk", "max_bps": "max_bps", "min_bps": "min_bps", "jitter": "jitter", "priority": "priority",
    "timeout": "timeout", "ttl": "ttl",
}  # fmt: skip
_URI: Final = "qkd://sae/"


@dataclass(frozen=True, slots=True)
class OpenCall:
    """An OPEN_CONNECT, read."""

    source: str
    destination: str
    name: UUID
    quality: Quality


@dataclass(frozen=True, slots=True)
class GetCall:
    """A GET_KEY, read.

    Attributes:
        name: Key_stream_ID.
        index: None for the next.
        room: characters of metadata that the caller takes; 0 for none.
    """

    name: UUID
    index: int | None
    room: int


def open_call(body: bytes) -> OpenCall:
    """Read an OPEN_CONNECT. A missing, null or all-zero ``key_stream_id`` asks for a new one.

    Raises:
        FormatError: it is none.

    Examples:
        >>> call = open_call(b'{"source": "qkd://sae/alice", "destination": "bob", "qos": {"key_chunk_size": 32}}')
        >>> call.source, call.destination, call.quality.chunk
        ('alice', 'bob', 32)
    """
    fields = read_object(body)
    known(fields, {"source", "destination", "qos", "key_stream_id"})
    return OpenCall(
        sae_of(fields.get("source"), "source"),
        sae_of(fields.get("destination"), "destination"),
        _stream(fields, needed=False),
        quality_in(fields.get("qos")),
    )


def get_call(body: bytes) -> GetCall:
    """Read a GET_KEY.

    Raises:
        FormatError: it is none.
    """
    fields = read_object(body)
    known(fields, {"key_stream_id", "index", "metadata"})
    wanted = is_object({} if fields.get("metadata") is None else fields["metadata"], "metadata")
    known(wanted, {"size", "buffer"})
    index = None if fields.get("index") is None else _number(fields["index"], "index")
    return GetCall(_stream(fields, needed=True), index, _number(wanted.get("size", 0), "metadata.size"))


def close_call(body: bytes) -> UUID:
    """Read a CLOSE.

    Raises:
        FormatError: it is none.
    """
    fields = read_object(body)
    known(fields, {"key_stream_id"})
    return _stream(fields, needed=True)


def quality_in(value: Any) -> Quality:
    """Read a QoS; what is missing or null is for the KME to choose.

    Raises:
        FormatError: it is none.
    """
    fields = is_object({} if value is None else value, "qos")
    known(fields, {*_QOS, "metadata_mimetype"})
    numbers = {
        ours: _number(fields[name], name) for name, ours in _QOS.items() if fields.get(name) is not None
    }
    mimetype = fields.get("metadata_mimetype") or ""
    if not isinstance(mimetype, str) or len(mimetype) > 255:
        raise FormatError("something else", "a type of at most 255 characters", "metadata_mimetype")
    return Quality(**numbers, mimetype=mimetype)


def quality_out(quality: Quality) -> dict[str, Any]:
    """Write a QoS."""
    return {name: getattr(quality, ours) for name, ours in _QOS.items()} | {
        "metadata_mimetype": quality.mimetype
    }


def opened_body(opened: Opened, quality: Quality) -> bytes:
    """Answer an OPEN_CONNECT; `quality` is this end's, with its own timeout."""
    return _json(
        {"status": int(opened.code), "key_stream_id": str(opened.stream.name), "qos": quality_out(quality)}
    )


def given_body(given: Given, room: int) -> bytes:
    """Answer a GET_KEY, and wipe the key. Where the bits cannot be secret, the answer says so."""
    key = given.grant.keys[0].material
    fields: dict[str, Any] = {
        "status": 0,
        "index": given.index,
        "key_buffer": base64.b64encode(key.octets).decode(),
    }
    if room:
        text = metadata(given.provenance, given.age)
        fields["metadata"] = {"size": len(text), "buffer": text}
    if not given.provenance.origin.secret:
        fields |= {"qfabric_origin": given.provenance.origin.value, "qfabric_secret": False}
    given.grant.wipe()
    return _json(fields)


def refused_body(refused: Refused) -> bytes:
    """Answer with a status that is not 0."""
    fields: dict[str, Any] = {"status": int(refused.code), "message": refused.why}
    if refused.quality is not None:
        fields["qos"] = quality_out(refused.quality)
    if refused.needed:
        fields["metadata"] = {"size": refused.needed, "buffer": ""}
    return _json(fields)


def closed_body() -> bytes:
    """Answer a CLOSE."""
    return _json({"status": 0})


def metadata(provenance: Provenance, age: Instant) -> str:
    """What goes with a chunk: its age in ms, where its bits came from, and their failure probability.

    Examples:
        >>> from quantum_fabric.keys import Origin
        >>> metadata(Provenance(Origin.QKD, "link 1", 1e-10), 12)
        '{"age":12,"epsilon":1e-10,"origin":"qkd"}'
    """
    about = {"age": age, "epsilon": provenance.epsilon, "origin": provenance.origin.value}
    return json.dumps(about, separators=(",", ":"))


def excess(room: int, provenance: Provenance, age: Instant) -> int:
    """How many characters the metadata needs where that is more than there is room for, else 0.

    The age may grow a digit before the answer is written, so its longest form is reckoned.
    """
    needed = len(metadata(provenance, max(age, 999_999_999)))
    return needed if 0 < room < needed else 0


def sae_of(value: Any, where: str) -> str:
    """The SAE of an application's URI: ``qkd://sae/NAME`` as in its certificate, or its bare name.

    Raises:
        FormatError: it is neither.
    """
    if not isinstance(value, str):
        raise FormatError("something else", "the URI of an application", where)
    name = unquote(value.removeprefix(_URI)) if value.startswith(_URI) else value
    try:
        return entity(name, where)
    except InputError as error:
        raise FormatError("something else", error.expected, where) from None


def _stream(fields: Mapping[str, Any], needed: bool) -> UUID:
    value = fields.get("key_stream_id")
    if value is None and not needed:
        return NOBODY
    return uuid_of(value, "key_stream_id")


def _number(value: Any, where: str) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise FormatError("something else", f"an integer from 0 to {LARGEST}", where)
    return value


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()
