"""ETSI GS QKD 014 V1.1.1 (2019-02) in octets: reading its requests strictly, writing its answers. No I/O, no rules.

What the standard leaves open is decided here and tested: the array is called ``keys`` (as in its examples and in every client;
its table 11 says ``Keys``); the path of ``dec_keys`` names the master (as its method definition says; an example says slave);
parameters that the standard does not know are refused; consumed, expired and unknown keys are all 400, with the reason in
``details``.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from quantum_fabric.errors import InputError
from quantum_fabric.keys import Grant, KeyRequest, Refusal, Status
from quantum_fabric.keys.records import entity

LARGEST_NUMBER: Final = 2**53
"""Beyond this, readers of JSON disagree about what an integer is."""

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGITS: Final = re.compile(r"[0-9]{1,15}")
_EXTENSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_REQUEST: Final = frozenset(
    {"number", "size", "additional_slave_SAE_IDs", "extension_mandatory", "extension_optional"}
)
_MOST_ITEMS: Final = 1024


class FormatError(InputError):
    """A request that is not in the format of the standard: status 400 with this text, which quotes nothing long."""


def key_request_of_query(slave: str, query: str) -> KeyRequest:
    """Read a GET of ``enc_keys``: nothing, ``number``, ``size`` or both.

    Raises:
        FormatError: something else.

    Examples:
        >>> key_request_of_query("bob", "number=2&size=128").size
        128
    """
    values = _query(query, {"number", "size"})
    for name, text in values.items():
        if not _DIGITS.fullmatch(text):
            raise FormatError("something else", "an integer", name)
    numbers = {name: int(text) for name, text in values.items()}
    return KeyRequest(_sae(slave, "slave_SAE_ID"), numbers.get("number", 1), numbers.get("size"))


def key_request_of_body(slave: str, body: bytes) -> KeyRequest:
    """Read a POST of ``enc_keys``; an empty body asks for the defaults.

    Raises:
        FormatError: it is not the Key request data format.

    Examples:
        >>> key_request_of_body("bob", b'{"number": 3, "extension_optional": [{"acme_x": 1}]}').optional
        {'acme_x': 1}
    """
    fields = read_object(body) if body else {}
    known(fields, _REQUEST)
    more = fields.get("additional_slave_SAE_IDs", [])
    return KeyRequest(
        slave=_sae(slave, "slave_SAE_ID"),
        number=_integer(fields, "number", 1) or 0,
        size=_integer(fields, "size", None),
        additional=tuple(
            _sae(one, "additional_slave_SAE_IDs") for one in array_of(more, "additional_slave_SAE_IDs")
        ),
        mandatory=_extensions(fields, "extension_mandatory"),
        optional=_extensions(fields, "extension_optional"),
    )


def key_ids_of_query(query: str) -> list[UUID]:
    """Read a GET of ``dec_keys``: exactly one ``key_ID``.

    Raises:
        FormatError: something else.
    """
    values = _query(query, {"key_ID"})
    if "key_ID" not in values:
        raise FormatError("nothing", "one key_ID", "query")
    return [uuid_of(values["key_ID"])]


def key_ids_of_body(body: bytes) -> list[UUID]:
    """Read a POST of ``dec_keys``.

    Raises:
        FormatError: it is not the Key IDs data format.

    Examples:
        >>> key_ids_of_body(b'{"key_IDs": [{"key_ID": "550e8400-e29b-41d4-a716-446655440000"}]}')
        [UUID('550e8400-e29b-41d4-a716-446655440000')]
    """
    fields = read_object(body)
    known(fields, {"key_IDs", "key_IDs_extension"})
    is_object(fields.get("key_IDs_extension", {}), "key_IDs_extension")
    found = []
    for item in array_of(fields.get("key_IDs"), "key_IDs"):
        one = is_object(item, "key_IDs")
        known(one, {"key_ID", "key_ID_extension"})
        is_object(one.get("key_ID_extension", {}), "key_ID_extension")
        found.append(uuid_of(one.get("key_ID")))
    if not found:
        raise FormatError("no key_ID", "one or more", "key_IDs")
    return found


def status_body(status: Status) -> bytes:
    """Write the Status data format."""
    return _json(asdict(status))


def container_body(grant: Grant) -> bytes:
    """Write the Key container data format, and wipe the keys.

    Where the bits cannot be secret, the container says so in ``key_container_extension``.
    """
    keys = [
        {"key_ID": str(key.key_id), "key": base64.b64encode(key.material.octets).decode()}
        for key in grant.keys
    ]
    fields: dict[str, Any] = {"keys": keys}
    doubtful = sorted({key.provenance.origin.value for key in grant.keys if not key.provenance.origin.secret})
    if doubtful:
        fields["key_container_extension"] = {"qfabric_origin": "+".join(doubtful), "qfabric_secret": False}
    grant.wipe()
    return _json(fields)


def error_body(refusal: Refusal) -> bytes:
    """Write the Error data format."""
    fields: dict[str, Any] = {"message": refusal.message}
    if refusal.details:
        fields["details"] = list(refusal.details)
    return _json(fields)


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _query(query: str, names: set[str]) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), errors="strict", max_num_fields=8
        )
    except ValueError:
        raise FormatError("something else", "NAME=VALUE&...", "query") from None
    values = dict(pairs)
    known(values, names)
    if len(values) != len(pairs):
        raise FormatError("a parameter twice", "each once", "query")
    return values


def read_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object, strictly: UTF-8, each name once, finite numbers.

    Raises:
        FormatError: it is something else.
    """
    try:
        found = json.loads(
            body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
    except (ValueError, RecursionError):  # of the text, of its encoding, of a number of a million digits
        raise FormatError("something else", "JSON in UTF-8", "body") from None
    return is_object(found, "body")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("too large")
    return value


def known(fields: Mapping[str, Any], names: frozenset[str] | set[str]) -> None:
    """Refuse parameters that have no such name; FormatError names the first."""
    unknown = sorted(set(fields) - names)
    if unknown:
        raise FormatError(repr(unknown[0][:64]), f"one of {', '.join(sorted(names))}", "parameter")


def is_object(value: Any, where: str) -> dict[str, Any]:
    """An object inside a request; FormatError where it is something else."""
    if not isinstance(value, dict):
        raise FormatError("something else", "an object", where)
    return value


def array_of(value: Any, where: str) -> list[Any]:
    """An array inside a request, of bounded length; FormatError where it is something else."""
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise FormatError("something else", f"an array of at most {_MOST_ITEMS}", where)
    return value


def _integer(fields: Mapping[str, Any], name: str, default: int | None) -> int | None:
    value = fields.get(name, default)
    if name in fields and (type(value) is not int or abs(value) > LARGEST_NUMBER):
        raise FormatError("something else", "an integer", name)
    return value  # type: ignore[no-any-return]


def _sae(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise FormatError("something else", "a string", where)
    try:
        return entity(value, where)
    except InputError as error:
        raise FormatError("something else", error.expected, where) from None


def uuid_of(value: Any, where: str = "key_ID") -> UUID:
    """A UUID in its text form; FormatError where it is something else."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise FormatError("something else", "a UUID in its text form", where)
    return UUID(value)


def _extensions(fields: Mapping[str, Any], name: str) -> dict[str, object]:
    """An array of objects, put together; a parameter that is given twice is given wrongly."""
    found: dict[str, object] = {}
    for item in array_of(fields.get(name, []), name):
        for key, value in is_object(item, name).items():
            if not _EXTENSION.fullmatch(key) or key in found:
                raise FormatError(
                    "something else", "each parameter once, with a name of letters and digits", name
                )
            found[key] = value
    return found


def unnamed() -> Refusal:
    """For a caller whose certificate names nobody that this KME knows."""
    return Refusal(401, "the certificate does not name an SAE of this KME")


def malformed(error: FormatError) -> Refusal:
    """For a request that is not in the format."""
    return Refusal(400, f"bad request format: {error}")
