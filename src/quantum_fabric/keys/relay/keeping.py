"""The state of a node as one secret, to be sealed and written down in the transaction that spends its link key, and read back.

A node that was killed goes on where its last commit was: what it had answered but not sent is sent again.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import astuple
from typing import Any
from uuid import UUID

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.relay.bundle import Bundle
from quantum_fabric.keys.relay.custody import Custody, Form
from quantum_fabric.keys.relay.line import Line, Sent
from quantum_fabric.keys.relay.messages import Ack, Envelope
from quantum_fabric.keys.relay.node import Arriving, RelayNode, Sending
from quantum_fabric.keys.relay.written import payload_in, payload_out, read, written


def keep(node: RelayNode) -> KeyMaterial:
    """Write down everything that a node must not forget.

    Returns:
        A secret: it holds shares and whole keys that wait at this node. Seal it like a key.

    Limits:
        Copies of it inside Python's JSON writer cannot be overwritten.
    """
    state = {
        "node": node.name,
        "sending": [
            [str(name), _bundle_out(one.bundle), one.paths, one.expires] for name, one in node.sending.items()
        ],
        "arriving": [
            [
                str(name), one.octets, one.count, one.expires, [[n, _out(share)] for n, share in one.shares.items()],
                list(one.paths.items()), _bundle_out(one.bundle) if one.bundle else None,
            ]
            for name, one in node.arriving.items()
        ],
        "over": [[str(name), expires] for name, expires in node.over.items()],
        "refused": [[str(name), share, expires] for (name, share), expires in node.refused.items()],
        "book": [[str(one.transfer), *astuple(one)[2:]] for one in (*node.book.held, *node.book.closed)],
        "lines": {peer: _line_out(line) for peer, line in node.lines.items()},
    }  # fmt: skip
    return KeyMaterial(json.dumps(state, separators=(",", ":")).encode())


def resume(node: RelayNode, kept: KeyMaterial) -> None:
    """Make a fresh node go on where another of its name stopped.

    Args:
        node: of the same name, that has done nothing yet; its link keys are as they were when the other was kept.
        kept: by `keep`; left as it is.

    Raises:
        StateError: the node has done something.
        InputError: the state of another node.
    """
    state = json.loads(bytes(kept.octets))
    if state["node"] != node.name:
        raise InputError(f"the state of {state['node']}", f"that of {node.name}", "relay node")
    if node.lines or node.sending or node.arriving or node.over:
        raise StateError(f"{node.name} has begun already")
    for name, bundle, paths, expires in state["sending"]:
        node.sending[UUID(name)] = Sending(_bundle_in(bundle), tuple(map(tuple, paths)), expires)
    for name, octets, count, expires, shares, paths, bundle in state["arriving"]:
        node.arriving[UUID(name)] = Arriving(
            octets, count, expires, {n: _in(share) for n, share in shares}, {n: tuple(path) for n, path in paths},
            _bundle_in(bundle) if bundle else None,
        )  # fmt: skip
    node.over = {UUID(name): expires for name, expires in state["over"]}
    node.refused = {(UUID(name), share): expires for name, share, expires in state["refused"]}
    for name, share, form, since, until, fate in state["book"]:
        node.book.enter(Custody(node.name, UUID(name), share, Form(form), since, until, fate))
    for peer, line in state["lines"].items():
        _line_in(node.line(peer), line)


def _line_out(line: Line) -> list[Any]:
    return [
        [[written(sent.envelope), sent.at] for sent in line.out.values()],
        [payload_out(one) for one in line.waiting],
        line.last, line.floor, [written(ack) for ack in line.acks.values()], line.failure, line.forgeries,
    ]  # fmt: skip


def _line_in(line: Line, state: list[Any]) -> None:
    out, waiting, line.last, line.floor, acks, line.failure, line.forgeries = state
    for message, at in out:
        envelope = read(message)
        assert isinstance(envelope, Envelope), "written by `keep`"
        line.out[envelope.number] = Sent(envelope, at)
    line.waiting = deque(payload_in(one) for one in waiting)
    for message in acks:
        ack = read(message)
        assert isinstance(ack, Ack), "written by `keep`"
        line.acks[ack.number] = ack


def _bundle_out(bundle: Bundle) -> list[str]:
    return [_out(one) for one in (bundle.key, bundle.receipt, bundle.release, bundle.withdraw)]


def _bundle_in(fields: list[str]) -> Bundle:
    return Bundle(*map(_in, fields))


def _out(material: KeyMaterial) -> str:
    return bytes(material.octets).hex()


def _in(text: str) -> KeyMaterial:
    return KeyMaterial(bytes.fromhex(text))
