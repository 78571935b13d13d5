"""What KMEs say to each other, in JSON.

Between KMEs of different sites: *places* in the stock that both hold, over this project's own path ``/qfabric/v1/parcels``; a
key never crosses. Between neighbours in one protected site: the key by value, by ETSI GS QKD 020 V1.1.1 (2026-06), asynchronous
mode. Of that standard the paths, the names of the fields, the states of an acknowledgement and the statuses are followed;
its OpenAPI file was not at hand when this was written, so details beyond those are to be checked against it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from quantum_fabric.errors import InputError
from quantum_fabric.keys import Consignment, KeyMaterial, Origin, Provenance, Recall, Slice
from quantum_fabric.keys.hybrid import Answer, Confirmation
from quantum_fabric.keys.records import entity
from quantum_fabric.server.etsi014 import FormatError, array_of, is_object, read_object, uuid_of

PARCELS: Final = ("qfabric", "v1", "parcels")
VERSIONS: Final = ("kmapi", "versions")
EXT_KEYS: Final = ("kmapi", "v1", "ext_keys")
ACK: Final = ("kmapi", "v1", "ext_keys", "ack")
VOID: Final = ("kmapi", "v1", "ext_keys", "void")

PROVENANCE: Final = "E32473_qfabric_provenance"
"""Extension with origin, source, epsilon and lifetime; 32473 is the enterprise number for documentation."""

PROBLEMS: Final = "https://qkd.etsi.org/gs020-interop-kms/"


def path(parts: Sequence[str]) -> str:
    """As on the wire."""
    return "/" + "/".join(parts)


def read(body: bytes) -> dict[str, Any]:
    """An object.

    Raises:
        FormatError: something else.
    """
    return read_object(body)


def names(value: Any, where: str) -> tuple[str, ...]:
    """Names of SAEs."""
    try:
        found = tuple(entity(one, where) for one in array_of(value, where))
    except (InputError, TypeError):
        raise FormatError("something else", "an array of SAE IDs", where) from None
    if not found:
        raise FormatError("none", "one or more", where)
    return found


def ids(value: Any, where: str) -> list[UUID]:
    """Key identifiers."""
    return [uuid_of(one) for one in array_of(value, where)]


# -------------------------------------------------------------------------------------------------- far KMEs


def parcel_out(parcel: Consignment) -> dict[str, Any]:
    """A key as places in the common stock."""
    assert not isinstance(parcel.content, KeyMaterial), "a key never crosses to another site"
    offer = {"offer": base64.b64encode(parcel.offer).decode()} if parcel.offer else {}
    return {
        "key_id": str(parcel.key_id), "master": parcel.master, "slaves": parcel.slaves, "lifetime_ms": parcel.lifetime,
        "slices": [(str(one.block), one.offset, one.octets) for one in parcel.content],
        "masked": base64.b64encode(parcel.masked).decode(), **offer,
    }  # fmt: skip


def parcel_in(value: Any) -> Consignment:
    """Read one.

    Raises:
        FormatError: it is none.
    """
    fields = is_object(value, "parcels")
    lifetime = fields.get("lifetime_ms")
    if type(lifetime) is not int or not 0 <= lifetime < 2**53:
        raise FormatError("something else", "milliseconds", "lifetime_ms")
    return Consignment(
        uuid_of(fields.get("key_id")), names([fields.get("master")], "master")[0], names(fields.get("slaves"), "slaves"),
        lifetime, _slices(fields.get("slices")), _octets(fields.get("masked", ""), "masked"),
        offer=_octets(fields.get("offer", ""), "offer"),
    )  # fmt: skip


def confirmation_out(key_id: UUID, confirmation: Confirmation) -> dict[str, Any]:
    """The proof that a key was combined here as there."""
    return {"key_id": str(key_id), "confirmation": base64.b64encode(confirmation.octets).decode()}


def confirmation_in(value: Any) -> tuple[UUID, Confirmation]:
    """Read one.

    Raises:
        FormatError: it is none.
    """
    fields = is_object(value, "confirmations")
    try:
        found = Confirmation.read(_octets(fields.get("confirmation"), "confirmation"))
    except InputError:
        raise FormatError("something else", "a confirmation", "confirmation") from None
    return uuid_of(fields.get("key_id")), found


def answer_in(value: Any) -> Answer | None:
    """The far end's part of a combined key; None where it sent none that can be read."""
    try:
        return Answer.read(_octets(value, "answer"))
    except InputError:
        return None


def recall_out(recall: Recall) -> dict[str, Any]:
    """A key that is taken back."""
    slices = [(str(one.block), one.offset, one.octets) for one in recall.slices]
    return {"key_id": str(recall.key_id), "master": recall.master, "slaves": recall.slaves, "slices": slices}


def recall_in(value: Any) -> Recall:
    """Read one.

    Raises:
        FormatError: it is none.
    """
    fields = is_object(value, "recalls")
    return Recall(
        uuid_of(fields.get("key_id")), names([fields.get("master")], "master")[0], names(fields.get("slaves"), "slaves"),
        _slices(fields.get("slices")),
    )  # fmt: skip


def _slices(value: Any) -> tuple[Slice, ...]:
    found = []
    for one in array_of(value, "slices"):
        match one:
            case [str(block), int(offset), int(octets)] if 0 <= offset < 2**53 and 0 < octets < 2**32:
                found.append(Slice(uuid_of(block), offset, octets))
            case _:
                raise FormatError("something else", "[block, offset, octets]", "slices")
    return tuple(found)


def _octets(value: Any, where: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise FormatError("something else", "base64", where) from None


# ------------------------------------------------------------------------------------------- ETSI GS QKD 020


def ext_keys_out(parcels: Sequence[Consignment], callback: str) -> bytes:
    """Keys of one master and the same slaves, by value. Wipes them."""
    first = parcels[0]
    keys = []
    for parcel in parcels:
        assert isinstance(parcel.content, KeyMaterial)
        assert parcel.provenance is not None
        about = {
            "origin": parcel.provenance.origin.value, "source": parcel.provenance.source,
            "epsilon": parcel.provenance.epsilon, "lifetime_ms": parcel.lifetime,
        }  # fmt: skip
        value = base64.b64encode(parcel.content.octets).decode()
        keys.append({"key_id": str(parcel.key_id), "value": value, "extension": {PROVENANCE: about}})
        parcel.content.wipe()
    return json.dumps(
        {
            "keys": keys, "initiator_sae_id": first.master, "target_sae_ids": first.slaves,
            "ack_callback_url": callback,
        }
    ).encode()  # fmt: skip


def ext_keys_in(fields: Mapping[str, Any], lifetime: int) -> list[Consignment]:
    """Read them.

    Args:
        fields: the body.
        lifetime: for keys that bring none, in ms.

    Raises:
        FormatError: it is not in the format.
    """
    master = names([fields.get("initiator_sae_id")], "initiator_sae_id")[0]
    slaves = names(fields.get("target_sae_ids"), "target_sae_ids")
    found = []
    for item in array_of(fields.get("keys"), "keys"):
        one = is_object(item, "keys")
        material = _octets(one.get("value"), "value")
        if not material:
            raise FormatError("nothing", "a key", "value")
        about = is_object(is_object(one.get("extension", {}), "extension").get(PROVENANCE, {}), PROVENANCE)
        given = about.get("lifetime_ms", lifetime)
        if type(given) is not int:
            raise FormatError("something else", "milliseconds", "lifetime_ms")
        key_id = uuid_of(one.get("key_id"))
        found.append(
            Consignment(key_id, master, slaves, given, KeyMaterial(material), provenance=_provenance(about))
        )
    if not found:
        raise FormatError("no keys", "one or more", "keys")
    return found


def _provenance(about: Mapping[str, Any]) -> Provenance | None:
    match about:
        case {"origin": str(origin), "source": str(source), "epsilon": int() | float() as epsilon}:
            try:
                return Provenance(Origin(origin), source[:64], float(epsilon))
            except (InputError, ValueError):
                return None
    return None


def problem(status: int, name: str, title: str) -> bytes:
    """RFC 9457 problem details."""
    return json.dumps({"type": PROBLEMS + name, "title": title, "status": status}).encode()
