"""Where in the documents a value stands: ``links[0].length``, ``nodes.*.memory.t2``, ``request.fidelity``, ``plan.cutoff``.

The first word says which document is meant:

    nodes, links, defaults, classical, controller, states    the network
    requests, faults, duration                               the workload
    link                                                     the question over a distance: distance, segments, memories, ...
    request                                                  the request of each point
    plan                                                     what the planner decides: cutoff, order, rounds, end_rounds

An entry of a list is named by its number, by its name in brackets, or by ``*`` for all. What is no field of an entry of the
document is a field of its device: ``nodes.*.memory.t2`` overrides ``t2`` of the memory in the node's data sheet.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from quantum_fabric.documents.findings import nearest
from quantum_fabric.documents.network_document import Choice, NetworkDocument
from quantum_fabric.documents.reading import Plain, quoted
from quantum_fabric.documents.study_document import Ask, LinkQuestion
from quantum_fabric.documents.workload_document import WorkloadDocument
from quantum_fabric.errors import InputError, UnknownNameError

NETWORK: Final = ("nodes", "links", "defaults", "classical", "controller", "states")
WORKLOAD: Final = ("requests", "faults", "duration")
ROOTS: Final = (*NETWORK, *WORKLOAD, "link", "request", "plan")
PLAN: Final = ("cutoff", "order", "rounds", "end_rounds")

_PART = re.compile(r"\[([^\[\]]+)\]|([^.\[\]\s]+)")
_PATH = re.compile(r"[^.\[\]\s]+(?:\.[^.\[\]\s]+|\[[^\[\]]+\])*")


@dataclass(frozen=True, slots=True)
class Place:
    """A path that was read.

    Attributes:
        text: as it was written.
        parts: its steps; a number, a name or ``*``.
    """

    text: str
    parts: tuple[str, ...]

    @property
    def document(self) -> str:
        """Which document it is in: ``network``, ``workload``, ``link``, ``request`` or ``plan``."""
        root = self.parts[0]
        return "network" if root in NETWORK else "workload" if root in WORKLOAD else root

    @property
    def slug(self) -> str:
        """A name for a column.

        Examples:
            >>> place("links[0].length").slug, place("nodes.*.memory.T2").slug
            ('links_0_length', 'nodes_memory_t2')
        """
        words = [re.sub(r"\W+", "_", part).strip("_") for part in self.parts if part != "*"]
        return "_".join(word for word in words if word).lower()


def place(text: str) -> Place:
    """Read a path.

    Raises:
        InputError: not a path, or its first word says no document.

    Examples:
        >>> place("links[Alice~Bob].length").parts
        ('links', 'Alice~Bob', 'length')
        >>> place("likns[0].length")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.UnknownNameError: found 'likns', expected a path that starts with (did you mean 'links'?): nodes, \
links, defaults, classical, controller, states, requests, faults, duration, link, request, plan
    """
    if not _PATH.fullmatch(text.strip()):
        raise InputError(quoted(text), "a path such as 'links[0].length'")
    parts = tuple(name or word for name, word in _PART.findall(text))
    if parts[0] not in ROOTS:
        raise UnknownNameError(quoted(parts[0]), nearest("a path that starts with", parts[0], ROOTS))
    if parts[0] == "plan" and parts[1:] not in {(name,) for name in PLAN}:
        what = "a decision of the planner"
        raise UnknownNameError(quoted(".".join(parts[1:])), nearest(what, ".".join(parts[1:]), PLAN))
    return Place(text.strip(), parts)


def put(document: Plain, where: Place, value: Plain) -> Plain:
    """A copy of a document with a value put in a place.

    Args:
        document: JSON-shaped, of the kind that the place is in.
        where: the place.
        value: to be put there.

    Raises:
        UnknownNameError: no such field or entry.
        InputError: a path that ends too early or leads through a value.

    Examples:
        >>> lab = {"nodes": [{"name": "A"}, {"name": "B"}], "links": [{"between": ["A", "B"], "length": "2 m"}]}
        >>> put(lab, place("links[0].length"), "5 m")["links"][0]["length"]
        '5 m'
        >>> put(lab, place("nodes.*.memory.T2"), "5 ms")["nodes"][1]
        {'name': 'B', 'overrides': {'memory.t2': '5 ms'}}
        >>> put(lab, place("links[C~D].length"), "5 m")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.UnknownNameError: found 'C~D', expected an entry of links: A~B
    """
    models: dict[str, type[BaseModel]] = {
        "network": NetworkDocument, "workload": WorkloadDocument, "link": LinkQuestion, "request": Ask,
    }  # fmt: skip
    model = models[where.document]
    copy = deepcopy(document)
    parts = where.parts[1:] if where.document in ("link", "request") else where.parts
    if not parts:
        raise InputError(quoted(where.text), "a path that ends at a value")
    _put(copy, model, parts, value, where)
    return copy


def _put(data: Any, model: type[BaseModel], parts: tuple[str, ...], value: Plain, where: Place) -> None:
    head, rest = parts[0], parts[1:]
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    if head == "detector" and "station" in fields:  # a link's detectors stand in its station
        return _put(data, model, ("station", *parts), value, where)
    if head not in fields:
        if "overrides" not in fields:
            raise UnknownNameError(quoted(head), nearest("a field", head, fields))
        data.setdefault("overrides", {})[".".join(parts).lower()] = value
        return None
    annotation = _bare(fields[head].annotation)
    inner, many = _record(annotation)
    if not rest:
        if inner is not None and not issubclass(inner, Choice):
            raise InputError(quoted(where.text), f"a path that ends at a value: {head} has several")
        data[head] = value
        return None
    if many:
        entries = data.get(head) or []
        for entry in _chosen(entries, head, rest[0]):
            if inner is None or len(rest) < 2:
                raise InputError(quoted(where.text), "a path that ends at a value")
            _put(entry, inner, rest[1:], value, where)
        return None
    if inner is None:
        if head == "overrides":
            data.setdefault("overrides", {})[".".join(rest).lower()] = value
            return None
        raise InputError(quoted(where.text), f"a path that ends at {head}")
    if isinstance(data.get(head), str):  # the bare name of a sheet
        data[head] = {"sheet": data[head]}
    return _put(data.setdefault(head, {}), inner, rest, value, where)


def _chosen(entries: list[Any], head: str, key: str) -> Iterator[Any]:
    """The entries of a list that a step of a path means."""
    if key == "*":
        yield from entries
        return
    if re.fullmatch(r"\d+", key):
        if int(key) >= len(entries):
            raise UnknownNameError(
                f"{head}[{key}]", f"a number below {len(entries)}: there are {len(entries)} {head}"
            )
        yield entries[int(key)]
        return
    names = [_label(entry) for entry in entries]
    if key not in names:
        raise UnknownNameError(
            quoted(key), nearest(f"an entry of {head}", key, [name for name in names if name])
        )
    yield entries[names.index(key)]


def _label(entry: Any) -> str:
    if not isinstance(entry, dict):
        return ""
    ends = entry.get("between")
    named = entry.get("name")
    if named is None and isinstance(ends, list) and len(ends) == 2:
        return f"{ends[0]}~{ends[1]}"
    return str(named or "")


def _bare(annotation: Any) -> Any:
    """An annotation without ``| None``."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next(a for a in typing.get_args(annotation) if a is not type(None))
    return annotation


def _record(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The record that stands in a field, and whether there is a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    if typing.get_origin(annotation) is tuple:
        inner = typing.get_args(annotation)[0]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner, True
    return None, False
