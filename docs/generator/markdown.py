"""Markdown out of docstrings and tables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

SECTIONS = ("Args", "Returns", "Raises", "Attributes", "Examples", "Limits", "Equation", "Source")
_HEADING = re.compile(rf"({'|'.join(SECTIONS)}):\s*$")
_ENTRY = re.compile(r"(\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*): (.*)")


@dataclass(frozen=True)
class Docstring:
    """A docstring, taken apart: ``prose`` before the sections, and each section's lines without their indent."""

    prose: str = ""
    sections: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The first paragraph on one line."""
        return plain(" ".join(self.prose.split("\n\n")[0].split()))

    def entries(self, section: str) -> list[tuple[str, str]]:
        """``name: text`` entries of a section, in order; names that share a line stay together."""
        found: list[tuple[str, str]] = []
        for line in self.sections.get(section, "").splitlines():
            match = _ENTRY.match(line)
            if match:
                found.append((match[1], match[2]))
            elif found and line.startswith(" "):
                name, text = found[-1]
                found[-1] = (name, f"{text} {line.strip()}")
        return [(name, plain(text)) for name, text in found]


def read(thing: object) -> Docstring:
    """Take the docstring of a thing apart; of a text, where one is given."""
    text = thing if isinstance(thing, str) else _own(thing)
    prose: list[str] = []
    sections: dict[str, list[str]] = {}
    target = prose
    for line in inspect.cleandoc(text).splitlines():
        match = _HEADING.fullmatch(line)
        if match:
            target = sections.setdefault(match[1], [])
        elif target is not prose and line and not line.startswith(" "):
            target = prose
            target += ["", line]
        else:
            target.append(line)
    cut = {name: inspect.cleandoc("\n".join(["", *lines])) for name, lines in sections.items()}
    return Docstring("\n".join(prose).strip(), cut)


def _own(thing: object) -> str:
    text = getattr(thing, "__doc__", None) or ""
    made = isinstance(thing, type) and text.startswith(
        f"{thing.__name__}("
    )  # what dataclasses write by themselves
    return "" if made else text


def plain(text: str) -> str:
    """Turn the little reStructuredText that docstrings use into Markdown."""
    return text.replace("``", "`")


def prose(text: str) -> str:
    """Prose of a docstring as Markdown: literal blocks and plain tables become fenced blocks."""
    out: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines = block.splitlines()
        opened = bool(out) and out[-1].endswith("::")
        if opened:
            out[-1] = out[-1][:-1] if out[-1] != "::" else ""
        below = inspect.cleandoc("\n".join(["", *lines[1:]]))
        if lines[0].startswith(("    ", "====")):
            out.append("\n".join(fenced(inspect.cleandoc("\n".join(["", *lines])))).strip())
        elif lines[0].endswith(":") and lines[1:] and lines[1].startswith("    "):
            columns = re.search(r"\S {2,}\S", below)
            out += [lines[0], "\n".join(fenced(below)).strip() if columns else plain(below)]
        else:
            out.append(plain(block))
    return "\n\n".join(part for part in out if part)


def fenced(text: str, language: str = "text") -> list[str]:
    """Lines of a fenced block, with an empty line on each side."""
    return ["", f"```{language}", text.strip("\n"), "```", ""]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table, with an empty line on each side."""
    lines = [f"| {' | '.join(map(cell, row))} |" for row in rows]
    return ["", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines, ""]


def cell(text: str) -> str:
    """Text that cannot break a table."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Text as code, in a line."""
    return f"`{text}`" if text else ""


def page(title: str, intro: str, *parts: Iterable[str]) -> str:
    """A page: title, introduction, note, and the parts; runs of empty lines become one."""
    note = "<!-- Written by docs/generate.py from the code. Do not edit. -->"
    # ruff formats code in Markdown too; what is generated stays as it was generated
    lines = [
        "<!-- fmt: off -->",
        note,
        "",
        f"# {title}",
        "",
        intro.strip(),
        "",
        *(line for part in parts for line in part),
    ]
    spaced = (f"\n{line}\n" if line.startswith("#") else line for line in lines)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(spaced)).strip() + "\n"
