"""From JSON-shaped data to YAML that people like to read and that reads back as the same data.

Short records stand on one line, long ones on several; prose is folded; text is quoted wherever a reader could take it for
something else.
"""

from __future__ import annotations

import re
from textwrap import wrap
from typing import Final

from quantum_fabric.documents.reading import Plain, plain_scalar

WIDTH: Final = 110
_BARE: Final = re.compile(r"(?:[A-Za-z]|-?[0-9])(?:[A-Za-z0-9_./~+()*%-]| (?! ))*", re.ASCII)
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def to_yaml(data: dict[str, Plain]) -> str:
    r"""Write a document.

    Args:
        data: dictionaries with text keys, lists and scalars.

    Returns:
        YAML; `quantum_fabric.documents.reading.compose` gives the same data.

    Examples:
        >>> print(to_yaml({"title": "no", "nodes": [{"name": "A", "slots": 2}], "links": []}), end="")
        title: no
        nodes:
        - {name: A, slots: 2}
        links: []
        >>> print(to_yaml({"title": "2", "note": "a: b\n"}), end="")
        title: "2"
        note: "a: b\n"
    """
    return "".join(f"{line}\n" for line in _mapping(data, 0))


def _mapping(data: dict[str, Plain], indent: int) -> list[str]:
    lines = []
    for key, value in data.items():
        head = " " * indent + _text(key) + ":"
        if isinstance(value, str) and (folded := _folded(value, indent)):
            lines += [f"{head} {folded[0]}", *folded[1:]]
        elif len(short := f"{head} {_flow(value)}") <= WIDTH and not _long(value):
            lines.append(short)
        elif isinstance(value, dict):
            lines += [head, *_mapping(value, indent + 2)]
        elif isinstance(value, list):
            lines += [head, *_list(value, indent)]
        else:
            lines.append(short)
    return lines


def _list(values: list[Plain], indent: int) -> list[str]:
    lines = []
    for value in values:
        short = " " * indent + "- " + _flow(value)
        if isinstance(value, dict) and value and len(short) > WIDTH:
            inner = _mapping(value, indent + 2)
            lines += [" " * indent + "- " + inner[0].lstrip(), *inner[1:]]
        else:
            lines.append(short)
    return lines


def _long(value: Plain) -> bool:
    """Lists of records take a line for each; so do mappings that hold mappings."""
    if isinstance(value, list):
        return any(isinstance(inner, dict) for inner in value)
    return isinstance(value, dict) and any(isinstance(inner, dict | list) for inner in value.values())


def _flow(value: Plain) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(inner) for inner in value) + "]"
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _text(value: str) -> str:
    """Text as it is where nobody can mistake it, else in double quotes."""
    if _BARE.fullmatch(value) and not value.endswith(" ") and isinstance(plain_scalar(value), str):
        return value
    return '"' + "".join(map(_letter, value)) + '"'


def _letter(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _folded(value: str, indent: int) -> list[str]:
    """Prose of more than a line as a folded block; nothing where folding would change it."""
    body = value.removesuffix("\n")
    words = body.split(" ")
    if len(body) + indent < WIDTH - 20 or not all(word and word.isprintable() for word in words):
        return []
    margin = " " * (indent + 2)
    lines = wrap(body, WIDTH - len(margin), break_long_words=False, break_on_hyphens=False)
    return [">" if value.endswith("\n") else ">-", *(margin + line for line in lines)]
