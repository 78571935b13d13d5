"""From what pydantic says to what a person can use: file, line, field, found, expected."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from quantum_fabric.documents.reading import Place, Plain, Tree, dotted, quoted
from quantum_fabric.errors import DocumentError, Finding, InputError

Report: TypeAlias = Callable[[Place, str, str], None]
"""Takes a place, what was found there and what was expected."""

_EXPECTED: Final = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
}


class Findings:
    r"""Collects what is wrong with one document.

    Args:
        file: name of the document.
        tree: its values with their lines; None for a document that was never a file.
        already: findings from reading it.

    Examples:
        >>> from quantum_fabric.documents.reading import compose
        >>> tree, already = compose("title: lab\n\nlinks: []", "net.yaml")
        >>> findings = Findings("net.yaml", tree, already)
        >>> findings.report(("links",), "an empty list", "a link")
        >>> findings.stop()
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.DocumentError: net.yaml:3: links: found an empty list, expected a link
    """

    def __init__(self, file: str, tree: Tree | None = None, already: Iterable[Finding] = ()) -> None:
        self.file, self.tree = file, tree
        self._all = list(already)

    def report(self, place: Place, found: str, expected: str) -> None:
        """Note one finding."""
        line = self.tree.line_of(place) if self.tree else 0
        self._all.append(Finding(self.file, line, dotted(place), found, expected))

    def include(self, findings: Iterable[Finding]) -> None:
        """Take over what was found in another file that belongs to this document."""
        self._all.extend(findings)

    def __bool__(self) -> bool:
        """True where something was noted."""
        return bool(self._all)

    def stop(self) -> None:
        """Raise what was noted, in the order of the file.

        Raises:
            DocumentError: something was noted.
        """
        if self._all:
            unique = dict.fromkeys(self._all)
            raise DocumentError(sorted(unique, key=lambda one: (one.file != self.file, one.file, one.line)))


def nearest(what: str, name: str, known: Iterable[str]) -> str:
    """Say what is expected, which names are known and which of them may have been meant.

    Args:
        what: is expected, in words.
        name: was found.
        known: in the order in which to show them.

    Examples:
        >>> nearest("a field", "lenght", ["length", "loss"])
        "a field (did you mean 'length'?): length, loss"
        >>> nearest("a field", "colour", ["length", "loss"])
        'a field: length, loss'
        >>> nearest("a node", "x", [])
        'a node, but there is none'
    """
    names = list(dict.fromkeys(known))
    if not names:
        return f"{what}, but there is none"
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"{what} (did you mean '{close[0]}'?): {shown}" if close else f"{what}: {shown}"


def translate(model: type[BaseModel], error: ValidationError, report: Report) -> set[Place]:
    """Report every fault that pydantic found.

    Args:
        model: what the document was checked against.
        error: what came of it.
        report: told of each fault.

    Returns:
        The places that are wrong.
    """
    places = set()
    for detail in error.errors(include_url=False):
        place: Place = tuple(detail["loc"])
        found, expected = _words(model, place, detail)
        if detail["type"] == "extra_forbidden" and isinstance(place[-1], str):
            found = f"the unknown field {quoted(place[-1])}"
        report(place, found, expected)
        places.add(place)
    return places


def _words(model: type[BaseModel], place: Place, detail: Any) -> tuple[str, str]:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "value_error" and isinstance(context.get("error"), InputError):
        return context["error"].found, context["error"].expected
    if kind == "missing":
        return "nothing", _missing(model, place)
    if kind == "extra_forbidden":
        parent = _model_at(model, place[:-1])
        return "", nearest("a field", str(place[-1]), _aliases(parent) if parent else ())
    if kind == "model_type":
        inner = _model_at(model, place)
        return quoted(value), f"a mapping with {', '.join(_aliases(inner))}" if inner else "a mapping"
    if kind in ("too_long", "too_short"):
        return quoted(value), f"a list of {context.get('max_length', context.get('min_length'))}"
    bounds = {
        "greater_than": "a number above {gt:g}",
        "greater_than_equal": "a number of at least {ge:g}",
        "less_than": "a number below {lt:g}",
        "less_than_equal": "a number of at most {le:g}",
        "literal_error": "{expected}",
    }
    if kind in bounds:
        return quoted(value), bounds[kind].format_map(context)
    return quoted(value), _EXPECTED.get(kind, str(detail["msg"]).removeprefix("Input should be ").lower())


def _missing(model: type[BaseModel], place: Place) -> str:
    if isinstance(place[-1], int):
        return f"a list of {place[-1] + 1}"
    parent = _model_at(model, place[:-1])
    for name, field in parent.model_fields.items() if parent else ():
        if (field.alias or name) == place[-1] and field.description:
            return field.description
    return f"the field '{place[-1]}'"


def _aliases(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel], place: Sequence[str | int]) -> type[BaseModel] | None:
    """Follow a place through the declared fields to the record that should stand there."""
    here: Any = model
    for part in place:
        if isinstance(part, int):
            arguments = [argument for argument in typing.get_args(here) if argument is not Ellipsis]
            here = arguments[min(part, len(arguments) - 1)] if arguments else None
        elif isinstance(here, type) and issubclass(here, BaseModel):
            fields = {field.alias or name: field for name, field in here.model_fields.items()}
            here = _bare(fields[part]) if part in fields else None
        else:
            return None
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _bare(field: FieldInfo) -> Any:
    """The annotation of a field without ``| None``."""
    annotation: Any = field.annotation
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next(a for a in typing.get_args(annotation) if a is not type(None))
    return annotation


def kind_of(data: Plain) -> str:
    """The ``kind`` of a document, empty where it has none."""
    kind = data.get("kind") if isinstance(data, dict) else None
    return kind if isinstance(kind, str) else ""
