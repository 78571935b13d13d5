"""The report of a study: one HTML page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from typing import Final

from quantum_fabric import __version__
from quantum_fabric.documents.writing import to_yaml
from quantum_fabric.studies import plots
from quantum_fabric.studies.design import Axis
from quantum_fabric.studies.inverse import Answer
from quantum_fabric.studies.loading import Study, digest
from quantum_fabric.studies.outputs import OUTPUTS, Output
from quantum_fabric.studies.sensitivity import Index
from quantum_fabric.studies.tables import Line
from quantum_fabric.studies.wording import shown

MOST_ROWS: Final = 400
"""Of the table that the page shows; the files have all."""


@dataclass(frozen=True)
class Page:
    """All that the page is made from.

    Attributes:
        study: which.
        table: its points; empty where it plans backwards.
        indices, remarks: of the sensitivity analysis.
        answer: of planning backwards.
        notes: what has to be said first.
    """

    study: Study
    table: Sequence[Line] = ()
    indices: Sequence[Index] = ()
    remarks: Sequence[str] = field(default_factory=tuple)
    answer: Answer | None = None
    notes: Sequence[str] = field(default_factory=tuple)


def render(page: Page) -> str:
    """Make the page: styles and pictures inline, no script, no request to anywhere. The same table gives the same text.

    Examples:
        >>> from quantum_fabric.studies.loading import load_study
        >>> text = render(Page(load_study("distance")))
        >>> "<h1>Rate and fidelity over distance</h1>" in text, "http" in text
        (True, False)
    """
    css = resources.files("quantum_fabric.ops").joinpath("report.css").read_text(encoding="utf-8")
    title = page.study.document.title or page.study.file
    body = "\n".join(
        [_head(page, title), *_answer(page), *_sensitivity(page), *_plots(page), *_table(page), _foot(page)]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} – Quantum Fabric</title>\n<style>\n{css}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _head(page: Page, title: str) -> str:
    study = page.study
    facts = [
        ("engine", study.engine.name),
        ("points", f"{study.design.points:,}"),
        ("runs", f"{sum(line.runs for line in page.table):,}"),
        ("seed", str(study.document.seed)),
        ("study", study.digest[:16]),
        ("program", f"qfabric {__version__}"),
    ]
    if page.answer is not None:
        facts[1:3] = [("questions to the forecast", f"{page.answer.asked:,}")]
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    warnings = "".join(f'<p class="warning">{escape(text)}</p>' for text in page.notes)
    lead = " ".join(study.document.description.split())
    return (
        '<header><p class="kicker">Quantum Fabric · report of a study</p>'
        f'<h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p></header>{warnings}<dl class="facts">{listed}</dl>'
    )


def _answer(page: Page) -> Iterator[str]:
    answer = page.answer
    if answer is None:
        return
    yield f"<h2>The answer</h2><p>{escape(answer.sentence)}</p>"
    rows = [(step.name, step.share, f"{step.text}, cost {step.cost:.4g}") for step in answer.steps]
    yield _figure(
        "What has to improve, by how much",
        "Bars reach from what each thing is now to what it has to be.",
        plots.steps(rows),
    )
    body = "".join(
        f"<tr><td>{escape(check.what)}</td><td>{escape(check.found)}</td>"
        f'<td><span class="badge {"completed" if check.good else "failed"}">{"holds" if check.good else "fails"}</span></td></tr>'
        for check in answer.checks
    )
    yield (
        '<h2>Certificate</h2><p class="note">The optimum was asked again, simulated, and moved a little in every direction.</p>'
        f"<table><thead><tr><th>Check</th><th>Found</th><th></th></tr></thead><tbody>{body}</tbody></table>"
    )


def _sensitivity(page: Page) -> Iterator[str]:
    names = {axis.path: axis.label.split(" / ")[0] for axis in page.study.design.axes}
    for out in page.study.outputs:
        yield _figure(
            f"What {out.name.replace('_', ' ')} depends on",
            "Sobol indices with bootstrap intervals. A total index far above the first order says that the thing acts together with "
            "others.",
            plots.sensitivity(page.indices, names, out),
        )
    if page.remarks:
        yield f'<p class="note">{escape("; ".join(page.remarks))}.</p>'


def _plots(page: Page) -> Iterator[str]:
    axes = list(enumerate(page.study.design.axes))
    gridded = [(n, axis) for n, axis in axes if axis.values is not None and len(axis.values) > 1]
    numeric = [(n, axis) for n, axis in gridded if axis.kind]
    for out in page.study.outputs if page.table else ():
        if len(gridded) == len(axes) and len(gridded) in (1, 2) and numeric:
            yield _figure(_title(out), _note(page.study), _over_grid(page, out, gridded, numeric))
        if len(gridded) == len(axes) == 2:
            (i, across), (j, up) = gridded
            yield _figure(f"{_title(out)}, as a map", "", plots.heat_map(across, up, out, page.table, (i, j)))
    named = {out.name for out in page.study.outputs}
    for a, b in (("rate", "fidelity"), ("key_rate", "first_delivery")):
        if {a, b} <= named and len(page.table) >= 6:
            yield _figure(
                f"{_title(OUTPUTS[a])} against {b.replace('_', ' ')}",
                "Each dot is a point of the study, with its number in the table; those on the line are beaten by no other.",
                plots.pareto(OUTPUTS[a], OUTPUTS[b], page.table),
            )


def _over_grid(
    page: Page, out: Output, gridded: list[tuple[int, Axis]], numeric: list[tuple[int, Axis]]
) -> str:
    """Curves over the longer numeric axis, a line for each value of the other one."""
    i, across = max(numeric, key=lambda pair: len(pair[1].values or ()))
    others = [(n, axis) for n, axis in gridded if n != i]
    j, by = others[0] if others else (i, None)
    return plots.curves(across, by, out, page.table, (i, j))


def _title(out: Output) -> str:
    name = out.name.replace("_", " ")
    return name[0].upper() + name[1:]


def _note(study: Study) -> str:
    return "Bands are 95 % intervals of the mean over the runs." if study.engine.repeats else ""


def _figure(title: str, note: str, svg: str) -> str:
    if not svg:
        return ""
    caption = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<figure><h2>{escape(title)}</h2>{caption}{svg}</figure>"


def _table(page: Page) -> Iterator[str]:
    if not page.table:
        return
    study = page.study
    head = "<th class=n>Point</th>" + "".join(
        f"<th>{escape(axis.label.split(' / ')[0])}</th>" for axis in study.design.axes
    )
    head += "<th class=n>Runs</th>" + "".join(
        f'<th class=n title="{escape(out.doc)}">{escape(_title(out))}</th>' for out in study.outputs
    )
    rows = []
    for line in page.table[:MOST_ROWS]:
        cells = f"<td class=n>{line.point}</td>"
        cells += "".join(
            f"<td>{escape(shown(axis, value))}</td>"
            for axis, value in zip(study.design.axes, line.coordinates)
        )
        cells += (
            f"<td class=n>{line.runs}{'' if line.reached else '<small>interval not reached</small>'}</td>"
        )
        for out in study.outputs:
            found = line.estimates[out.name]
            between = (
                f"<small>[{out.text(found.low)}, {out.text(found.high)}]</small>"
                if math.isfinite(found.half)
                else ""
            )
            cells += f"<td class=n>{out.text(found.value)}{between}</td>"
        rows.append(f"<tr>{cells}</tr>")
    more = len(page.table) - MOST_ROWS
    rest = f'<p class="note">{more:,} more points in table.parquet and table.csv.</p>' if more > 0 else ""
    yield (
        f'<h2>Table</h2><div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>'
        + "\n".join(rows)
        + f"</tbody></table></div>{rest}"
    )


def _foot(page: Page) -> str:
    study = page.study
    hashes = "; ".join(
        f"{name} {digest(data)[:16]}" for name, data in study.base.items() if name != "network_time"
    )
    written = escape(to_yaml(study.document.plain()))
    return (
        f"<details><summary>The study as it was written</summary><pre><code>{written}</code></pre></details>"
        f"<footer>SHA-256 of the whole: <code>{study.digest}</code>; of its documents (first digits): {escape(hashes)}. "
        "The whole documents are in the metadata of table.parquet. Nothing here was measured on hardware.</footer>"
    )
