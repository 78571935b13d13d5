"""Graphs of the package ``topohub``: 707 topologies of telecom networks, most with coordinates.

The data are read from the installed package and not copied. Lengths in it are great circles between the nodes: fibre is
1.2 to 3 times longer (Delft to Den Haag: 8.7 km against 25 km), so they are multiplied by a detour factor.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import resources
from typing import Any, Final

from quantum_fabric.documents.findings import nearest
from quantum_fabric.documents.reading import quoted
from quantum_fabric.documents.sketch import Sketch, Span, Spot, check_detour, printable
from quantum_fabric.errors import InputError, UnknownNameError

ABSTRACT: Final = frozenset(
    (
        "atlanta",
        "brain",
        "di-yuan",
        "france",
        "giul39",
        "newyork",
        "norway",
        "pioro40",
        "sun",
        "ta1",
        "ta2",
        "zib54",
    )
)
"""SNDlib graphs whose x and y in the plane were taken for longitude and latitude, which makes their lengths absurd."""

_KEY: Final = re.compile(r"[\w-]+(?:/[\w.-]+)+", re.ASCII)


def read_atlas(key: str, detour: float, *, merge: bool = False) -> Sketch:
    """Read one graph.

    Args:
        key: collection and name, such as ``"sndlib/germany50"`` or ``"topozoo/Surfnet"``.
        detour: fibre length over great circle, from 1 to 10.
        merge: True for a graph with edges of length 0, whose ends will be merged.

    Returns:
        Nodes with positions and spans with fibre lengths.

    Raises:
        UnknownNameError: no such graph.
        InputError: no package topohub, a graph with abstract coordinates, or edges of length 0 that are not to be merged.
        QuantityError: a detour factor outside its domain.

    Examples:
        >>> germany = read_atlas("sndlib/germany50", 1.5)
        >>> len(germany.spots), len(germany.spans), round(germany.spans[0].length)
        (50, 88, 92445)
        >>> read_atlas("sndlib/newyork", 1.5)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: found 'sndlib/newyork', whose coordinates are abstract and whose lengths are \
therefore wrong, expected a graph with longitude and latitude such as 'sndlib/germany50'
    """
    check_detour(detour)
    data = _data(key)
    flat = key.startswith("gabriel/")
    names = _names(data["nodes"])
    spots = tuple(Spot(names[node["id"]], _position(node, flat=flat)) for node in data["nodes"])
    spans = tuple(
        Span(names[edge["source"]], names[edge["target"]], detour * 1000.0 * float(edge["dist"]))
        for edge in data["edges"]
        if edge["source"] != edge["target"]
    )
    empty = [span for span in spans if span.length == 0.0]
    if empty and not merge:
        found = f"{len(empty)} edges of length 0 in {key!r} ({empty[0].a!r} and {empty[0].b!r} stand at one place)"
        raise InputError(found=found, expected="merge: true, which makes one node of nodes at one place")
    return Sketch(spots, spans)


def keys() -> list[str]:
    """List all graphs, those with abstract coordinates left out.

    Examples:
        >>> "sndlib/germany50" in keys(), "sndlib/newyork" in keys()
        (True, False)
    """
    root = _root()
    found: list[str] = []
    waiting: list[tuple[str, Any]] = [("", root)]
    while waiting:
        prefix, folder = waiting.pop()
        for item in folder.iterdir():
            if item.is_dir():
                waiting.append((f"{prefix}{item.name}/", item))
            elif item.name.endswith(".json"):
                found.append(prefix + item.name.removesuffix(".json"))
    return sorted(key for key in found if not _is_abstract(key))


def _is_abstract(key: str) -> bool:
    collection, _, name = key.partition("/")
    return collection == "sndlib" and name in ABSTRACT


def _root() -> Any:
    """Folder of the graphs. The package is an extra: it is larger than all of Quantum Fabric."""
    try:
        return resources.files("topohub") / "data"
    except ModuleNotFoundError:
        expected = "the package topohub, which comes with: pip install 'quantum-fabric[topologies]'"
        raise InputError(found="no package topohub", expected=expected) from None


def _data(key: str) -> Any:
    if _is_abstract(key):
        found = f"{key!r}, whose coordinates are abstract and whose lengths are therefore wrong"
        raise InputError(
            found=found, expected="a graph with longitude and latitude such as 'sndlib/germany50'"
        )
    file = _root() / f"{key}.json"
    if not _KEY.fullmatch(key) or ".." in key or not file.is_file():
        raise UnknownNameError(found=quoted(key), expected=nearest("a graph of topohub", key, keys()))
    return json.loads(file.read_text("utf-8"))


def _names(nodes: list[dict[str, Any]]) -> dict[Any, str]:
    """A name for each id, unique where the atlas has none or the same one twice."""
    wished = {node["id"]: printable(str(node.get("name") or f"node {node['id']}")) for node in nodes}
    often = Counter(wished.values())
    return {key: f"{name} ({key})" if often[name] > 1 else name for key, name in wished.items()}


def _position(node: dict[str, Any], *, flat: bool) -> dict[str, Any]:
    x, y = node["pos"]
    return {"position": {"x": f"{x} km", "y": f"{y} km"} if flat else {"lon": x, "lat": y}}
