"""The path for what makes key bits: QKD systems, or the twin. Blocks come in over mutual TLS, each once, whatever is repeated.

``POST /qfabric/v1/blocks`` with ``{"block": UUID, "cutter": KME, "follower": KME, "session": TEXT, "epsilon": NUMBER,
"octets": BASE64}``. Answers 200 with ``{"taken": OCTETS}``, 0 where the block was taken before: a source that got no answer sends it
again. Only when it is answered is a block on disk.

What a source may deliver is a rule of the KME and nothing that it says of itself: for which other KMEs, and of which origin its bits
are. So no simulation passes for hardware.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from quantum_fabric.errors import InputError
from quantum_fabric.keys import Block, KeyMaterial, Origin, Pool, Provenance, Refusal
from quantum_fabric.keys.records import entity
from quantum_fabric.server.door import Call, Reply, said
from quantum_fabric.server.etsi014 import FormatError, known, read_object, uuid_of
from quantum_fabric.server.kme import Kme

PATH: Final = ("qfabric", "v1", "blocks")

LARGEST_DELIVERY: Final = 1 << 17
"""Octets of one block that comes in this way; in base64 it fits into the largest body."""


@dataclass(frozen=True, slots=True)
class Delivers:
    """What a source may deliver.

    Attributes:
        origin: of its bits.
        kmes: the other end of the pools that it fills.
    """

    origin: Origin
    kmes: frozenset[str]


class SupplyApi:
    """Answers the calls of sources.

    Args:
        kme: takes the bits.
        sources: their names, and what each may deliver.
    """

    def __init__(self, kme: Kme, sources: Mapping[str, Delivers]) -> None:
        self._kme, self._sources = kme, sources

    async def __call__(self, call: Call) -> Reply:
        """Answer one call."""
        if call.path != PATH:
            return said(Refusal(404, "there is no such path"))
        if call.method != "POST" or call.query:
            return said(Refusal(405, "blocks are delivered with POST, without a query"))
        may = self._sources.get(call.caller or "")
        if call.caller is None or may is None:
            return said(Refusal(401, "the certificate does not name a source of this KME"))
        try:
            block = read_block(call.body, call.caller, may.origin)
        except FormatError as error:
            return said(Refusal(400, f"bad request format: {error}"))
        here = self._kme.desk.policy.kme
        ends = {block.pool.cutter, block.pool.follower}
        if here not in ends or not (ends - {here} or {here}) <= may.kmes:
            block.material.wipe()
            return said(Refusal(401, "this source does not deliver for that pair of KMEs"))
        try:
            taken = await self._kme.feed(block)
        except InputError as error:  # names an origin or a pool, no bits
            return said(Refusal(401, str(error)))
        finally:
            block.material.wipe()
        if isinstance(taken, Refusal):
            return said(taken)
        return Reply(200, json.dumps({"taken": taken}).encode())


def read_block(body: bytes, source: str, origin: Origin) -> Block:
    """Read a delivery.

    Args:
        body: of the request.
        source: who delivers, as its certificate says.
        origin: of its bits, as the rules say.

    Raises:
        FormatError: something else; it quotes nothing.
    """
    fields = read_object(body)
    known(fields, {"block", "cutter", "follower", "session", "epsilon", "octets"})
    session, epsilon = fields.get("session"), fields.get("epsilon")
    if not isinstance(session, str) or not 0 < len(session) <= 64 or not session.isprintable():
        raise FormatError("something else", "1 to 64 characters", "session")
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float) or not 0.0 <= epsilon <= 1.0:
        raise FormatError("something else", "a probability", "epsilon")
    pool = Pool(_kme(fields, "cutter"), _kme(fields, "follower"))
    try:
        octets = base64.b64decode(fields.get("octets"), validate=True)  # type: ignore[arg-type]
    except (binascii.Error, ValueError, TypeError):
        raise FormatError("something else", "base64", "octets") from None
    if not 0 < len(octets) <= LARGEST_DELIVERY:
        raise FormatError("another size", f"1 to {LARGEST_DELIVERY} octets", "octets")
    provenance = Provenance(origin, f"{source}/{session}"[:64], float(epsilon))
    return Block(uuid_of(fields.get("block"), "block"), pool, KeyMaterial(octets), provenance)


def written(block: Block, session: str) -> dict[str, Any]:
    """A delivery as it is sent; it holds the bits."""
    return {
        "block": str(block.name), "cutter": block.pool.cutter, "follower": block.pool.follower, "session": session[:64],
        "epsilon": block.provenance.epsilon, "octets": base64.b64encode(block.material.octets).decode(),
    }  # fmt: skip


def _kme(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise FormatError("something else", "the name of a KME", name)
    try:
        return entity(value, name)
    except InputError as error:
        raise FormatError("something else", error.expected, name) from None
