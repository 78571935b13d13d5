"""ETSI GS QKD 015 for an SDN controller: RESTCONF (RFC 8040) over mutual TLS, read-only.

``GET`` and ``HEAD`` of ``/restconf/data/etsi-qkd-sdn-node:qkd_node`` and everything below it, with the parameters ``content`` and
``depth``; list entries by their key (``qkd_link=UUID``). Whatever would change something gets 405: links are made where the KME
is configured. There is no notification stream; a controller polls. The listener has a CA of its own, and lets in certificates with
one URI ``qkd://sdn/NAME`` only: they open no path of SAEs, KMEs or operators.
"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final
from urllib.parse import parse_qsl

from quantum_fabric.keys.streams import stream_of
from quantum_fabric.server.door import Call, Reply
from quantum_fabric.server.etsi015 import Seen, node
from quantum_fabric.server.etsi015_tree import MODULE, NODE, Inner, Leaf
from quantum_fabric.server.kme import Kme
from quantum_fabric.server.settings import NodeSettings
from quantum_fabric.server.sql import SqlShelf

ROOT: Final = ("restconf", "data")
TOP: Final = f"{MODULE}:qkd_node"
_READ: Final = "GET, HEAD, OPTIONS"
_TYPE: Final = ("Content-Type", "application/yang-data+json")
_DEEPEST: Final = 65_535
_XRD: Final = b"""<?xml version="1.0" encoding="UTF-8"?>
<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="restconf" href="/restconf"/></XRD>"""


class _NotThereError(Exception):
    """There is no such resource."""


class _ParameterError(Exception):
    """A query parameter is not understood."""


class NodeApi:
    """Answers an SDN controller.

    Args:
        kme: what it is told of.
        settings: what the settings say of this node.
    """

    def __init__(self, kme: Kme, settings: NodeSettings) -> None:
        self._kme, self._settings = kme, settings

    async def __call__(self, call: Call) -> Reply:
        """Answer one call."""
        if call.caller is None:
            return _error(401, "access-denied", "the certificate does not name an SDN controller")
        if call.method == "OPTIONS":
            return Reply(200, b"", (("Allow", _READ),))
        if call.method not in ("GET", "HEAD"):
            return _error(405, "operation-not-supported", "this node is read-only", (("Allow", _READ),))
        if call.path == (".well-known", "host-meta"):
            return Reply(200, _XRD, (("Content-Type", "application/xrd+xml"),))
        if call.path == ("restconf",):
            about = {"data": {}, "operations": {}, "yang-library-version": "2019-01-04"}
            return _said({"ietf-restconf:restconf": about})
        if call.path[:2] != ROOT:
            return _error(404, "invalid-value", "there is no such resource")
        try:
            content, depth = parameters(call.query)
            return _said(select(await self._tree(), call.path[2:], content, depth))
        except _ParameterError as error:
            return _error(400, "invalid-value", str(error))
        except _NotThereError:
            return _error(404, "invalid-value", "there is no such resource")

    async def _tree(self) -> dict[str, Any]:
        kme, now = self._kme, self._kme.clock()
        policy = kme.desk.policy

        def look(shelf: SqlShelf) -> Seen:
            waiting = {pair: shelf.waiting(*pair) for pair in policy.pairs if policy.lives_here(pair[0])}
            streams = [stream_of(text) for text in shelf.streams()]
            return Seen(shelf.pools(), streams, tuple(kme.supplied), waiting)

        return node(policy, self._settings, _version(), await kme.store.transact(look), now)


def parameters(query: str) -> tuple[str, int]:
    """Read ``content`` and ``depth`` (RFC 8040, section 4.8).

    Examples:
        >>> parameters("content=config&depth=2"), parameters("")
        (('config', 2), ('all', 65535))
    """
    found = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=4))
    content, depth = found.pop("content", "all"), found.pop("depth", "unbounded")
    if found or content not in ("all", "config", "nonconfig"):
        raise _ParameterError("content (all, config, nonconfig) and depth are understood")
    if depth == "unbounded":
        return content, _DEEPEST
    if not depth.isdecimal() or not 1 <= int(depth[:6]) <= _DEEPEST:
        raise _ParameterError("depth is 'unbounded', or from 1 to 65535")
    return content, int(depth)


def select(tree: dict[str, Any], path: tuple[str, ...], content: str, depth: int) -> dict[str, Any]:
    """The resource at a path below ``/restconf/data``, in its envelope.

    Args:
        tree: below ``qkd_node``.
        path: segments, decoded; an entry of a list is ``NAME=KEY``.
        content: ``all``, ``config`` or ``nonconfig``.
        depth: levels, the resource itself being the first.
    """
    if not path or path == ("",):
        return {"ietf-restconf:data": {TOP: prune(NODE, tree, content, depth - 1)}}
    if path[0] != TOP:
        raise _NotThereError
    schema: Inner | Leaf = NODE
    value: Any = tree
    name = "qkd_node"
    for last, part in zip(range(len(path) - 2, -1, -1), path[1:], strict=True):
        name, equals, key = part.removeprefix(f"{MODULE}:").partition("=")
        if not isinstance(schema, Inner) or not isinstance(value, dict) or name not in schema.children:
            raise _NotThereError
        schema, value = schema.children[name], value.get(name)
        if isinstance(schema, Inner) and schema.key and equals:
            value = [one for one in value or () if str(one[schema.key]) in (key, key.lower())]
            if not value:
                raise _NotThereError
            if last:
                value = value[0]
        elif equals:
            raise _NotThereError
    if value is None:
        raise _NotThereError
    return {f"{MODULE}:{name}": prune(schema, value, content, depth)}


def prune(schema: Inner | Leaf, value: Any, content: str, depth: int) -> Any:
    """Leave out what is too deep, and state or configuration where only the other is wanted. Keys of lists stay."""
    if isinstance(schema, Leaf):
        return value
    if isinstance(value, list):
        return [prune(schema, one, content, depth) for one in value]
    kept = {}
    for name, inner in value.items():
        child = schema.children[name]
        is_key = name == schema.key
        if depth <= 1 and not is_key:
            continue
        if isinstance(child, Leaf):
            if is_key or content == "all" or (child.config and schema.config) is (content == "config"):
                kept[name] = inner
        elif content != "config" or child.config:
            kept[name] = prune(child, inner, content, depth - 1)
    return kept


def _version() -> str:
    try:
        return version("quantum-fabric")
    except PackageNotFoundError:
        return "unknown"


def _said(fields: dict[str, Any]) -> Reply:
    return Reply(200, json.dumps(fields, separators=(",", ":")).encode(), (_TYPE,))


def _error(status: int, tag: str, message: str, more: tuple[tuple[str, str], ...] = ()) -> Reply:
    found = {"error-type": "protocol", "error-tag": tag, "error-message": message}
    body = json.dumps({"ietf-restconf:errors": {"error": [found]}}).encode()
    return Reply(status, body, (_TYPE, *more))
