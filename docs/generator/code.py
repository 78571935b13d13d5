"""Pages about names in the code: the Python API, the rooms, the messages, the errors."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import quantum_fabric
from generator.markdown import Docstring, code, fenced, page, prose, read, table

ROOMS = (
    "units", "errors", "native", "messages", "ports", "wire", "physics", "devices", "links", "kernel", "twin", "network", "control",
    "documents", "encoded", "plant", "post", "faults", "hands", "fabric", "policies", "federation", "montecarlo", "ensemble",
    "services", "standards", "keys", "server", "ops", "studies", "validation", "api", "cli",
)  # fmt: skip
"""Every room, the ones below first."""


def api() -> str:
    """The page of the Python API."""
    names = [name for name in quantum_fabric.__all__ if not name.startswith("__")]
    verbs_first = sorted(
        names, key=lambda name: (inspect.isclass(getattr(quantum_fabric, name)), names.index(name))
    )
    intro = (
        "The public nouns and verbs of `import quantum_fabric`. Times are integers of picoseconds, all other numbers are in "
        "SI units. The records are described on the page of the [messages](messages.md), the exceptions on that of the "
        "[errors](errors.md)."
    )
    return page("Python API", intro, *(_name(name, getattr(quantum_fabric, name)) for name in verbs_first))


def _name(name: str, thing: Any) -> list[str]:
    if not inspect.isclass(thing):
        return [f"## {name}", *fenced(signature(name, thing), "python"), *description(read(thing))]
    if thing.__module__.startswith("quantum_fabric.messages"):
        text = f"{read(thing).summary} See [its fields](messages.md#{name.lower()})."
        return [f"## {name}", "", text, ""]
    if issubclass(thing, Exception):
        return [f"## {name}", "", f"{read(thing).summary} See [the tree](errors.md).", ""]
    lines = [f"## {name}", "", f"From `{thing.__module__}`.", ""]
    public = [(key, value) for key, value in vars(thing).items() if not key.startswith("_")]
    methods = [(key, value) for key, value in public if inspect.isfunction(value)]
    properties = [(key, value) for key, value in public if isinstance(value, property)]
    constructed = "__init__" in vars(thing) and inspect.getdoc(thing) and "Args:" in (thing.__doc__ or "")
    if constructed:
        lines += fenced(signature(name, thing), "python")
    lines += description(read(thing))
    if properties:
        rows = [(code(key), code(_annotation(value.fget)), read(value).summary) for key, value in properties]
        lines += table(("property", "type", "meaning"), rows)
    for key, value in methods:
        lines += [f"### {name}.{key}", *fenced(signature(key, value), "python"), *description(read(value))]
    return lines


def description(doc: Docstring) -> list[str]:
    """A docstring below its heading."""
    lines = ["", prose(doc.prose), ""]
    for section in ("Args", "Attributes"):
        entries = doc.entries(section)
        if entries:
            lines += table(("argument" if section == "Args" else "attribute", "meaning"), _coded(entries))
    if "Returns" in doc.sections:
        lines += ["", f"**Returns.** {' '.join(prose(doc.sections['Returns']).split())}", ""]
    raises = doc.entries("Raises")
    if raises:
        lines += table(("raises", "when"), _coded(raises))
    if "Limits" in doc.sections:
        lines += ["", "**Limits.**", "", prose(doc.sections["Limits"]), ""]
    if "Examples" in doc.sections:
        lines += fenced(doc.sections["Examples"], "pycon")
    return lines


def _coded(entries: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(", ".join(code(part) for part in names.split(", ")), text) for names, text in entries]


def signature(name: str, thing: Any) -> str:
    """A signature as one would write it, wrapped where it is long."""
    found = inspect.signature(thing)
    parts: list[str] = []
    for parameter in found.parameters.values():
        if (
            parameter.kind is parameter.KEYWORD_ONLY
            and "*" not in parts
            and not any(p.startswith("*") for p in parts)
        ):
            parts.append("*")
        star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        text = star + parameter.name
        if parameter.annotation is not parameter.empty:
            text += f": {_text(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {parameter.default!r}"
        if parameter.name != "self":
            parts.append(text)
    result = (
        ""
        if inspect.isclass(thing) or found.return_annotation is found.empty
        else f" -> {_text(found.return_annotation)}"
    )
    line = f"{name}({', '.join(parts)}){result}"
    return (
        line
        if len(line) <= 100
        else f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){result}"
    )


def _annotation(function: Any) -> str:
    return _text(function.__annotations__.get("return", ""))


def _text(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def rooms() -> str:
    """The page of the rooms and their public names."""
    intro = (
        "One section for each room of the package, from the ground up. [Architecture](../explanation/architecture.md) says "
        "who may import whom. The names without a leading underscore are public; those in the tables are the ones that a room "
        "offers to others."
    )
    return page("Rooms and their public names", intro, *(_room(name) for name in ROOMS))


def _room(name: str) -> Iterator[str]:
    module = import_module(f"quantum_fabric.{name}")
    yield f"## {name}"
    yield ""
    yield read(module).summary
    yield ""
    rows: list[tuple[str, str, str]] = []
    for public in sorted(public_names(module)):
        thing = getattr(module, public)
        rows.append((code(public), _sort(thing), _meaning(module, public, thing)))
    if rows:
        yield from table(("name", "what", "meaning"), rows)
    below = [part for part in submodules(name) if read(import_module(part)).prose]
    if below:
        rows_below = [
            (code(part.removeprefix("quantum_fabric.")), read(import_module(part)).summary) for part in below
        ]
        yield from table(("module", "purpose"), rows_below)


def submodules(room: str) -> list[str]:
    """Names of the modules of a room, sorted; none for a room that is one file."""
    folder = Path(quantum_fabric.__file__).parent / room
    return sorted(
        f"quantum_fabric.{room}.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"
    )


def public_names(module: types.ModuleType) -> list[str]:
    """What a module offers: its ``__all__``, or what it defines itself."""
    if hasattr(module, "__all__"):
        return [name for name in module.__all__ if name in vars(module) or hasattr(module, name)]
    return [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    ]


def _sort(thing: Any) -> str:
    if inspect.isclass(thing):
        return "exception" if issubclass(thing, Exception) else "enum" if issubclass(thing, Enum) else "class"
    return (
        "function" if callable(thing) and hasattr(thing, "__name__") and inspect.isroutine(thing) else "value"
    )


def _meaning(module: types.ModuleType, name: str, thing: Any) -> str:
    if _sort(thing) == "value":
        return _note(module, name)
    return read(thing).summary


def _note(module: types.ModuleType, name: str) -> str:
    """The text below an assignment, in the module or in one of those that it takes its names from."""
    found = assigned(module).get(name)
    if found is not None:
        return found
    homes = [import_module(part) for part in submodules(module.__name__.removeprefix("quantum_fabric."))]
    return next((notes[name] for home in homes if (notes := assigned(home)).get(name)), "")


def assigned(source: Any) -> dict[str, str]:
    """Assignments of a module or class -> the text that stands below them (empty where none does)."""
    tree = ast.parse(
        inspect.cleandoc("\n" + inspect.getsource(source))
        if inspect.isclass(source)
        else inspect.getsource(source)
    )
    body = (
        tree.body[0].body if inspect.isclass(source) and isinstance(tree.body[0], ast.ClassDef) else tree.body
    )
    notes: dict[str, str] = {}
    for here, below in zip(body, [*body[1:], None]):
        targets = (
            here.targets
            if isinstance(here, ast.Assign)
            else [here.target]
            if isinstance(here, ast.AnnAssign)
            else []
        )
        text = ""
        if (
            isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            text = read(below.value.value).summary
        notes |= {target.id: text for target in targets if isinstance(target, ast.Name)}
    return notes


WORDS = {
    "basis": "X, Y, Z, W or V",
    "bell": "the Bell state that the pair is taken to be in",
    "bit": "0 or 1, as read out",
    "born": "birth of this half, ps",
    "calibration": "what is believed of the noise of the node",
    "decay": "decay rates of both halves together (x, y, z; 1/s)",
    "depolarising_1": "probability for a one-qubit gate",
    "depolarising_2": "probability for a two-qubit gate",
    "distillation": "which recurrence",
    "epoch": "number of the installation",
    "hold": "keep pairs in memory until they are consumed",
    "key": "tells wakes of one purpose apart",
    "lane": "number of the lane on its link, from 0",
    "lanes": "how many lanes share the link",
    "lease_until": "when the lease runs out, ps",
    "link": "name of the link",
    "node": "name of the node",
    "pair": "identity of the pair",
    "partner": "node at the other end",
    "partner_calibration": "what is believed of the noise of the partner",
    "plan": "how it is served",
    "quality": "believed correlators (x, y, z)",
    "readout_error_0": "P(read 1, state 0)",
    "readout_error_1": "P(read 0, state 1)",
    "reason": "in words",
    "request": "name of the request",
    "retention": "how long a consumed half is remembered, ps",
    "rules": "what the node is to do in this epoch",
    "setting": "of the link's knob; None where it has none",
    "slot": "memory slot of the node",
    "status": "how it ended",
    "t1": "s",
    "t2": "s",
    "up": "True where the light is there",
    "why": "in words",
}
"""What a field means where its record does not say: words that mean the same in every record."""

FAMILIES = {
    "keys": "Key services: what watchers are told",
    "requests": "Requests and answers: caller and controller",
    "asking": "Offers, trials, explanations and changes: caller and controller",
    "readings": "Readings at the ends: what is measured, tested and delivered together",
    "verification": "Honest fidelity: what tests say",
    "failures": "What fails, and what is done about it",
    "letters": "A classical plane that fails: letters, receipts, lives of seats",
    "installation": "Installation: controller and node agents",
    "coordination": "Coordination: node agent and node agent",
    "commands": "Commands: node agent (or a service) to plant",
    "events": "Events: plant to node agents, and what only watchers see",
    "domains": "Domains: controller and controller, where there are several",
    "states": "Words: Bell states, identities, choices",
}
"""Module of the messages -> heading."""


def messages() -> str:
    """The page of the messages."""
    module = import_module("quantum_fabric.messages")
    intro = prose(read(module).prose).replace("\n    ", "\n")
    unions = [(code(name), _members(module, name)) for name in unions_of(module)]
    own = [
        name for name in module.__all__ if getattr(getattr(module, name), "__module__", "") == module.__name__
    ]
    carried = [line for name in own for line in _record(getattr(module, name))]
    seats = [
        (code(name), code(repr(getattr(module, name))), _note(module, name))
        for name in ("CONTROLLER", "CLIENT")
    ]
    return page(
        "Messages",
        intro,
        ["## Unions", *table(("name", "members"), unions)],
        *(_family(name, heading) for name, heading in FAMILIES.items()),
        ["## Carrying", "", *carried, *table(("seat", "value", "meaning"), seats)],
    )


def unions_of(module: types.ModuleType) -> list[str]:
    """Names of the unions of messages."""
    return [name for name in module.__all__ if typing.get_args(getattr(module, name)) and name[0].isupper()
            and typing.get_origin(getattr(module, name)) in (typing.Union, types.UnionType)]  # fmt: skip


def _members(module: types.ModuleType, name: str) -> str:
    members = typing.get_args(getattr(module, name))
    return ", ".join(f"[{member.__name__}](#{member.__name__.lower()})" for member in members)


def _family(name: str, heading: str) -> Iterator[str]:
    module = import_module(f"quantum_fabric.messages.{name}")
    yield f"## {heading}"
    yield ""
    aliases = {key: note for key, note in assigned(module).items() if note and not key.startswith("_")}
    if aliases:
        yield from table(("alias", "meaning"), [(code(key), note) for key, note in aliases.items()])
    for key, thing in vars(module).items():
        if inspect.isclass(thing) and thing.__module__ == module.__name__ and not key.startswith("_"):
            yield from _record(thing)


def _record(cls: type[Any]) -> Iterator[str]:
    doc = read(cls)
    yield f"### {cls.__name__}"
    yield ""
    yield prose(doc.prose)
    yield ""
    if issubclass(cls, Enum):
        notes = assigned(cls)
        rows = [(code(member.name), code(repr(member.value)), notes.get(member.name, "")) for member in cls]
        told = 3 if any(row[2] for row in rows) else 2
        yield from table(("member", "value", "meaning")[:told], [row[:told] for row in rows])
        return
    meanings = {part: text for names, text in doc.entries("Attributes") for part in names.split(", ")}
    yield from table(
        ("field", "type", "default", "meaning"),
        [
            (code(name), code(kind), code(default), meanings.get(name, WORDS.get(name, "")))
            for name, kind, default in fields_of(cls)
        ],
    )


def fields_of(cls: type[Any]) -> list[tuple[str, str, str]]:
    """(name, type, default) of each field of a record."""
    if not dataclasses.is_dataclass(cls):
        return [
            (name, _text(getattr(kind, "__forward_arg__", kind)), "")
            for name, kind in cls.__annotations__.items()
        ]
    missing = dataclasses.MISSING
    return [
        (one.name, _text(one.type), "" if one.default is missing else repr(one.default))
        for one in dataclasses.fields(cls)
    ]


def errors() -> str:
    """The page of the errors."""
    module = import_module("quantum_fabric.errors")
    code_enum = import_module("quantum_fabric.messages").Code
    intro = prose(read(module).prose)
    classes = [
        thing
        for thing in vars(module).values()
        if inspect.isclass(thing) and thing.__module__ == module.__name__
    ]
    parts = []
    for cls in classes:
        bases = ", ".join(code(base.__name__) for base in cls.__bases__ if base is not object)
        head = [f"## {cls.__name__}", "", f"A subclass of {bases}." if bases else "A record.", ""]
        parts.append([*head, *description(read(cls))])
    notes = assigned(code_enum)
    rows = [(code(member.name), notes.get(member.name, "")) for member in code_enum]
    refusals = [
        "## Codes of refusals",
        "",
        "A refusal is a value, [Refused](messages.md#refused); its code is one of these.",
        "",
    ]
    return page(
        "Errors and refusals", intro, *parts, [*refusals, *table(("code", "meaning"), rows)], exit_codes()
    )


def exit_codes() -> list[str]:
    """What ``qfabric`` returns to the shell."""
    rows = [
        ("0", "done"),
        ("1", "refused, or a replay that differs from its journal"),
        ("2", "the input cannot be used: one line for each fault on stderr, nothing is written"),
        ("130", "interrupted with Ctrl-C: what was written so far is complete and readable"),
    ]
    return ["## Exit codes of qfabric", *table(("code", "meaning"), rows)]
