"""The page of a validation as Markdown, with its figures as files beside it, for the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from quantum_fabric.validation import wording
from quantum_fabric.validation.comparison import MEANING
from quantum_fabric.validation.drawing import figure
from quantum_fabric.validation.experiment import Result
from quantum_fabric.validation.frozen import NotComparable
from quantum_fabric.validation.page import MANY, RULES, fit_text
from quantum_fabric.validation.parameters import LETTERS

FIGURES: Final = "figures"
"""Folder of the figures, beside the page."""


def write(results: Sequence[Result], missing: Sequence[NotComparable], folder: Path) -> Path:
    """Write ``validation.md`` and its figures; returns the path of the page."""
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    for result in results:
        path = folder / FIGURES / f"{result.file.name}.svg"
        path.write_text(_standalone(figure(result)), encoding="utf-8")
    path = folder / "validation.md"
    path.write_text(render(results, missing), encoding="utf-8")
    return path


def render(results: Sequence[Result], missing: Sequence[NotComparable]) -> str:
    """The page as Markdown.

    Examples:
        >>> render([], []).splitlines()[0]
        '# Validation'
    """
    lines = [
        "# Validation", "",
        "What the models predict, against exact theory and published experiments. Written by `qfabric validate`.", "",
        f"**{wording.lead(list(results))}**", "",
        *(f"- {rule}" for rule in RULES), "",
        *_table(("row", "experiment", "claims that hold", "soft: agree", "recalled: agree", "verdict"), (
            (str(r.file.row or "+"), f"[{r.file.name}](#{r.file.name})<br>{r.file.title}", *wording.columns(r),
             wording.standing(r)) for r in results)),
        *(f"- **{wording.STANDINGS[each]}**: {text}" for each, text in MEANING.items()), "",
    ]  # fmt: skip
    for result in results:
        lines += _section(result)
    if missing:
        lines += ["## Not comparable", ""]
        rows = ((f"{each.name}<br>{each.cite}", each.missing) for each in missing)
        lines += _table(("experiment", "what is missing"), rows)
    lines += ["Letters of provenance: " + "; ".join(f"**{a}** {b}" for a, b in LETTERS.items()) + "."]
    return "\n".join(lines).rstrip() + "\n"


def _section(result: Result) -> Iterator[str]:
    file = result.file
    yield from (f"## {file.name}", "", f"{file.title}. {file.cite}.", "")
    yield from (
        f"**Model.** {result.experiment.model}.",
        "",
        f"**Null model.** {result.experiment.null_model}.",
        "",
    )
    yield from (fit_text(result), "", f"![{file.title}]({FIGURES}/{file.name}.svg)", "")
    yield from _table(
        ("result", "predicted", "measured", "letter", "residual", "tolerance", "null model", "verdict"),
        (
            (
                row.measured.label, wording.predicted(row), wording.measured(row.measured.number),
                row.measured.number.letter, wording.residual(row), wording.tolerance(row), wording.null_of(row),
                f"{wording.verdict(row)}<br>{wording.STANDINGS[row.standing]}",
            )
            for row in result.comparisons
        ),
    )  # fmt: skip
    shown = list(result.parameters.items())
    if len(shown) > MANY:
        yield f"{len(shown)} parameters, too many for this page: the first few are"
        yield ""
        shown = shown[:4]
    rows = (
        (
            f"`{name}`",
            wording.measured(number),
            number.letter,
            number.source + (f"; {number.note}" if number.note else ""),
        )
        for name, number in shown
    )
    if shown:
        yield from _table(("parameter", "value", "letter", "source"), rows)
    yield from ("### What was chosen after looking", "", wording.chosen_after(file), "")
    if file.missing:
        yield from (f"**Missing.** {'; '.join(file.missing)}.", "")
    yield from (f"SHA-256 of the parameter file: `{file.digest}`", "")


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def _standalone(svg: str) -> str:
    """An SVG file of its own: names of the dialect, a white ground, a typeface."""
    start = svg.index(">") + 1
    frame = svg[: start - 1].replace(
        "<svg", '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', frame)
    size = f' width="{box[1]}" height="{box[2]}"' if box else ""
    style = "<style>text { font-family: system-ui, 'Helvetica Neue', 'DejaVu Sans', sans-serif !important; }</style>"
    return f'{frame}{size}>{style}<rect width="100%" height="100%" fill="#fff"/>{svg[start:]}\n'
