"""From bytes to a tree of values that remembers its lines: the one place that reads YAML.

YAML 1.2 with the core schema (so ``no`` is text and ``1e-3`` a number), and less than YAML offers: no tags, no
second document, text keys only. A document from a stranger cannot hurt: its size, depth, number of values and
number of aliases are bounded, and nothing in it is executed. JSON is a part of YAML 1.2 and is read as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from quantum_fabric.errors import DocumentError, Finding

Scalar: TypeAlias = str | int | float | bool | None
Plain: TypeAlias = Any
"""JSON-shaped data: dictionaries with text keys, lists, and scalars."""
Place: TypeAlias = tuple[str | int, ...]
"""Where a value is: keys and indices from the root."""

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_VALUES: Final = 250_000
MAX_ALIASES: Final = 1_000
MAX_DEPTH: Final = 40

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL: Final = {text: text.lower() == "true" for text in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INT: Final = re.compile(r"[-+]?[0-9]+", re.ASCII)
_RADIX: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)


@dataclass(slots=True)
class Tree:
    """One value of a document and the lines on which it and its keys stand.

    Attributes:
        value: a scalar, a list of trees, or a mapping from key to tree.
        line: one-based line where the value starts.
        keys: line of each key of a mapping.
        size: number of values in it, itself included, with aliases written out.
    """

    value: Scalar | list[Tree] | dict[str, Tree]
    line: int
    keys: dict[str, int] = field(default_factory=dict)
    size: int = 1

    def plain(self) -> Plain:
        """The same as dictionaries, lists and scalars.

        Examples:
            >>> compose("{a: [1, two]}", "net.yaml")[0].plain()
            {'a': [1, 'two']}
        """
        if isinstance(self.value, dict):
            return {key: tree.plain() for key, tree in self.value.items()}
        if isinstance(self.value, list):
            return [tree.plain() for tree in self.value]
        return self.value

    def line_of(self, place: Place) -> int:
        r"""Line of a place; for one that is not there, the line of the last part of the way that is.

        Examples:
            >>> tree, _ = compose("nodes:\n- name: A\n- name: B\n", "net.yaml")
            >>> tree.line_of(("nodes", 1, "name")), tree.line_of(("nodes", 1, "slots")), tree.line_of(("title",))
            (3, 3, 1)
        """
        here, line = self, self.line
        for part in place:
            if isinstance(here.value, dict) and isinstance(part, str) and part in here.value:
                line, here = here.keys[part], here.value[part]
            elif isinstance(here.value, list) and isinstance(part, int) and 0 <= part < len(here.value):
                here = here.value[part]
                line = here.line
            else:
                break
        return line


def plain_scalar(text: str) -> Scalar:
    """What text without quotes stands for in the core schema of YAML 1.2.

    Examples:
        >>> [plain_scalar(text) for text in ("no", "25 km", "1e-3", "0x10", "true", "~", ".inf", "012")]
        ['no', '25 km', 0.001, 16, True, None, inf, 12]
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    if _INT.fullmatch(text) or _RADIX.fullmatch(text):
        return int(text, 10 if _INT.fullmatch(text) else 0) if len(text) <= 20 else math.inf
    return float(text) if _FLOAT.fullmatch(text) else text


def dotted(place: Sequence[str | int]) -> str:
    """Write a place as people do.

    Examples:
        >>> dotted(("links", 3, "station", "arms", 0))
        'links[3].station.arms[0]'
    """
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def quoted(value: object, limit: int = 60) -> str:
    """What was found, short enough for one line.

    Examples:
        >>> quoted("25 km"), quoted(None), quoted({"a": 1}), quoted("x" * 100, limit=10)
        ("'25 km'", 'nothing', 'a mapping', "'xxxxxxxx…")
    """
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def read_text(path: Path, most: int = MAX_BYTES) -> str:
    """Read a document's text.

    Args:
        path: a file in UTF-8.
        most: bytes that it may have.

    Raises:
        DocumentError: missing, a directory, unreadable, too large, not UTF-8.

    Examples:
        >>> read_text(Path("/nowhere/net.yaml"))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.DocumentError: /nowhere/net.yaml: found no such file, expected a YAML document
    """

    def refuse(found: str, expected: str, line: int = 0) -> DocumentError:
        return DocumentError([Finding(str(path), line, "", found, expected)])

    too_large = f"a document of at most {_size(most)}"
    try:
        if path.is_dir():
            raise refuse("a directory", "a YAML document")
        size = path.stat().st_size
        if size > most:
            raise refuse(_size(size), too_large)
        with path.open("rb") as file:
            data = file.read(most + 1)
    except DocumentError:
        raise
    except FileNotFoundError:
        raise refuse("no such file", "a YAML document") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise refuse(f"a file that cannot be read ({reason})", "a YAML document") from None
    if len(data) > most:
        raise refuse("endless data", too_large)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refuse(f"byte 0x{data[error.start]:02x}, which is not UTF-8", "text in UTF-8", line) from None


def _size(count: int) -> str:
    return f"{count / 2**20:.0f} MiB" if count >= 2**20 else f"{count / 2**10:.0f} KiB"


def compose(text: str, file: str) -> tuple[Tree, list[Finding]]:
    r"""Read YAML into a tree.

    Args:
        text: the document.
        file: its name, for findings.

    Returns:
        The tree, and what is wrong with it that does not keep it from being read: keys that stand twice (the first
        one counts), tags, numbers that are not finite.

    Raises:
        DocumentError: it cannot be read: a syntax error, nothing in it, beyond a bound.

    Examples:
        >>> tree, findings = compose("title: lab\ntitle: Lab\n", "net.yaml")
        >>> tree.plain(), str(findings[0])
        ({'title': 'lab'}, "net.yaml:2: title: found the key 'title' a second time (first on line 1), expected each key once")
    """
    builder = _Builder(file)
    try:
        for event in _events(text):
            builder.take(event)
    except _Unreadable as problem:
        builder.findings.append(Finding(file, problem.line, "", problem.found, problem.expected))
        raise DocumentError(builder.findings) from None
    if builder.root is None:
        raise DocumentError([Finding(file, 1, "", "nothing", "a document that starts with 'kind:'")])
    return builder.root, builder.findings


class _Unreadable(Exception):  # noqa: N818  # never leaves this file
    def __init__(self, line: int, found: str, expected: str) -> None:
        self.line, self.found, self.expected = line, found, expected


def _events(text: str) -> Iterator[Any]:
    """Parser events; every failure of the parser comes out as `_Unreadable`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    line = 1
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            line = event.start_mark.line + 1
            yield event
    except MarkedYAMLError as error:
        raise _explain(error, line) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _Unreadable(line, f"the control character {text[error.position]!r}", "printable text") from None
    except _Unreadable:
        raise
    except Exception:
        # The parser itself stumbles over a few inputs (an escape beyond Unicode, for example).
        raise _Unreadable(line, "something after this line that is not YAML", "valid YAML") from None


def _explain(error: Any, line: int) -> _Unreadable:
    """Say in our words what the parser says in its own."""
    problem, context = str(error.problem or ""), str(error.context or "")
    line = error.problem_mark.line + 1 if error.problem_mark else line
    opened = error.context_mark.line + 1 if error.context_mark else line
    if "'\\t'" in problem:
        return _Unreadable(line, "a tab", "spaces (YAML does not allow tabs for indentation)")
    if problem.startswith("mapping values"):
        return _Unreadable(
            line, "a ':' where none may stand", "one 'key: value' on a line, or quotes around the text"
        )
    if "quoted scalar" in context:
        return _Unreadable(
            line, "no closing quotation mark", f"the end of the quoted text that starts on line {opened}"
        )
    if "flow sequence" in context:
        return _Unreadable(line, "no ',' or ']'", f"the end of the list that starts on line {opened}")
    if "flow mapping" in context:
        return _Unreadable(line, "no ',' or '}'", f"the end of the '{{...}}' that starts on line {opened}")
    if "block" in context:
        return _Unreadable(line, "a line that does not fit in", f"the indentation of line {opened}")
    if "undefined alias" in problem:
        return _Unreadable(line, problem.removeprefix("found "), "an anchor '&name' before it")
    return _Unreadable(line, problem.removeprefix("found ") or context, "valid YAML")


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been seen yet."""

    tree: Tree
    anchor: str | None
    key: str | None = None
    key_line: int = 0


class _Builder:
    """Builds the tree from parser events without recursion, so depth is a bound and not a crash."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Tree | None = None
        self.findings: list[Finding] = []
        self.open: list[_Open] = []
        self.anchors: dict[str, Tree] = {}
        self.aliases = 0
        self.values = 0

    def take(self, event: Any) -> None:
        kind, line = type(event).__name__, event.start_mark.line + 1
        if kind == "DocumentStartEvent" and self.root is not None:
            raise _Unreadable(line, "a second document", "one document in a file")
        if kind == "AliasEvent":
            self.add(self.alias(event.anchor, line))
        elif kind == "ScalarEvent":
            tree = Tree(self.scalar(event, line), line)
            if event.anchor:
                self.anchors[event.anchor] = tree
            self.add(tree)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self.untagged(event, line)
            if len(self.open) >= MAX_DEPTH:
                raise _Unreadable(
                    line, f"more than {MAX_DEPTH} levels", "lists and mappings that are less deep"
                )
            value: dict[str, Tree] | list[Tree] = {} if kind == "MappingStartEvent" else []
            self.open.append(_Open(Tree(value, line), event.anchor))
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            done = self.open.pop()
            if done.anchor:
                self.anchors[done.anchor] = done.tree
            self.add(done.tree)

    def add(self, tree: Tree) -> None:
        self.values += 1 if isinstance(tree.value, dict | list) else tree.size
        if self.values > MAX_VALUES:
            raise _Unreadable(tree.line, f"more than {MAX_VALUES:,} values", "a smaller document")
        if not self.open:
            self.root = tree
            return
        parent = self.open[-1]
        inside = parent.tree
        if isinstance(inside.value, list):
            inside.value.append(tree)
        elif isinstance(inside.value, dict):
            if parent.key is None:
                parent.key, parent.key_line = self.key(tree), tree.line
                return
            key, parent.key = parent.key, None
            if key in inside.value:
                first = inside.keys[key]
                found = f"the key {key!r} a second time (first on line {first})"
                self.note(parent.key_line, found, "each key once", key)
                return
            inside.value[key], inside.keys[key] = tree, parent.key_line
        inside.size += tree.size

    def key(self, tree: Tree) -> str:
        if isinstance(tree.value, dict | list):
            raise _Unreadable(tree.line, f"{quoted(tree.plain())} as a key", "text as a key")
        return tree.value if isinstance(tree.value, str) else quoted(tree.value)

    def alias(self, name: str, line: int) -> Tree:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise _Unreadable(line, f"more than {MAX_ALIASES:,} aliases", "values written out")
        if name not in self.anchors:
            raise _Unreadable(line, f"the alias '*{name}'", f"an anchor '&{name}' that ends before it")
        # Shared trees are cheap here but not for whoever walks them, so they count in full.
        tree = self.anchors[name]
        self.values += tree.size - 1 if isinstance(tree.value, dict | list) else 0
        return tree

    def scalar(self, event: Any, line: int) -> Scalar:
        self.untagged(event, line)
        text = str(event.value)
        if not event.implicit[0]:
            return self.encodable(text, line)
        value = plain_scalar(text)
        if isinstance(value, str):
            return self.encodable(value, line)
        if isinstance(value, float) and not math.isfinite(value):
            expected = "a finite number"
            if _NOT_FINITE.fullmatch(text):
                expected += ", or a quantity in quotes such as 'inf s'"
            self.note(line, quoted(text, 30), expected)
            return 0
        return value

    def encodable(self, text: str, line: int) -> str:
        if text.isascii():
            return text
        try:  # JSON writes letters beyond the basic plane as two surrogates
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.note(line, "half of a surrogate pair", "Unicode text")
            return text.encode(errors="replace").decode()

    def untagged(self, event: Any, line: int) -> None:
        if event.tag is not None and not (event.tag == "!" and type(event).__name__ == "ScalarEvent"):
            self.note(line, f"the tag {str(event.tag)!r}", "no tags")

    def note(self, line: int, found: str, expected: str, key: str | None = None) -> None:
        place: list[str | int] = []
        for level in self.open:
            if isinstance(level.tree.value, list):
                place.append(len(level.tree.value))
            elif level.key is not None:
                place.append(level.key)
        if key is not None:
            place.append(key)
        self.findings.append(Finding(self.file, line, dotted(place), found, expected))
