"""``qfabric validate``: predictions against exact theory and published experiments."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from quantum_fabric.validation import Comparison, Result

EPILOG = """\b
Examples:
  qfabric validate                                the whole table, on all cores
  qfabric validate --list                         what there is, and what cannot be compared yet
  qfabric validate humphreys2018 stephenson2020   two experiments
  qfabric validate --out results --json           machine-readable on stdout, pages in ./results

\b
What comes out, in --out (without it ./runs/validation):
  validation.html      one page: parameters, predictions, residuals, null models, figures, hashes
  validation.md        the same for documentation, with figures/*.svg beside it
  validation.parquet   one row for each comparison, SI units; validation.csv holds the same

The SHA-256 of every parameter file is compared with the lock before anything is computed. Exit code: 0 when all
claims hold, 1 when one fails, 2 when a parameter file is not the frozen one. A claim is exact theory, or a sourced result
with sourced parameters; what disagrees with soft parameters or a recalled result is shown, counted and no claim.
"""


@click.command("validate", epilog=EPILOG)
@click.argument("names", nargs=-1)
@click.option("--list", "listing", is_flag=True, help="List the experiments and run nothing.")
@click.option(
    "--out", "-o", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Where files go."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every comparison.")
@click.option(
    "--workers",
    "-j",
    type=click.IntRange(1),
    default=None,
    help="Processes; all cores by default. Results do not depend on it.",
)
def command(
    names: tuple[str, ...], listing: bool, out: Path | None, as_json: bool, workers: int | None
) -> int:
    """Compare what the models predict with exact theory and published experiments.

    NAMES are experiments; all where none is given. Each has frozen parameters with provenance, a null model, a tolerance that
    was fixed before, and at most one fitted parameter. Failures stay in the table.
    """
    if listing:
        return _list(as_json)
    from quantum_fabric.validation import validate

    results = _run(validate, names, workers or os.cpu_count() or 1)
    folder = out or Path("runs") / "validation"
    _write(results, folder, whole=not names)
    good = all(result.passed for result in results)
    if as_json:
        _json(results)
    else:
        _table(results, folder, whole=not names)
    return 0 if good else 1


def _run(validate: Any, names: tuple[str, ...], workers: int) -> list[Result]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from quantum_fabric.cli.screen import console

    err = console(stderr=True)
    with Progress(
        BarColumn(bar_width=40),
        TextColumn("{task.percentage:3.0f} %"),
        TextColumn("[bold]{task.fields[name]}[/]"),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    ) as progress:
        task = progress.add_task("", total=None, name="verifying hashes")

        def tell(name: str, done: int, total: int) -> None:
            progress.update(task, completed=done, total=max(total, 1), name=name or "drawing conclusions")

        results: list[Result] = validate(names, workers, tell=tell)
    return results


def _write(results: list[Result], folder: Path, whole: bool) -> None:
    from quantum_fabric import __version__
    from quantum_fabric.ops.tables import write_text
    from quantum_fabric.validation import markdown, not_comparable, page
    from quantum_fabric.validation import results as tables

    folder.mkdir(parents=True, exist_ok=True)
    missing = not_comparable() if whole else ()
    facts = [*page.frozen_facts([result.file for result in results]), ("program", f"qfabric {__version__}")]
    write_text(page.render(results, missing, facts), folder / "validation.html")
    markdown.write(results, missing, folder)
    tables.write(results, folder)


def _table(results: list[Result], folder: Path, whole: bool) -> None:
    """All experiments, a line each, with the comparisons that failed; or every comparison of those that were named."""
    from quantum_fabric.cli.screen import console, plain, table
    from quantum_fabric.validation import wording

    out = console()
    if whole:
        right = ("Row", "Claims", "Soft", "Recalled")
        made = table("Row", "Experiment", "What", "Claims", "Soft", "Recalled", "Verdict", right=right)
        for result in results:
            made.add_row(
                str(result.file.row or "+"), f"[bold]{plain(result.file.name)}[/]", plain(result.file.title),
                *wording.columns(result), _verdict(result),
            )  # fmt: skip
        out.print(made)
    detailed = [(r, row) for r in results for row in r.comparisons if not whole or not row.passed]
    if detailed:
        out.print(_comparisons(detailed))
    for result in results:
        out.print(f"[dim]{result.file.digest}  {plain(result.file.name)}.yaml[/]", soft_wrap=True)
    out.print(wording.lead(results))
    _where(out, folder)


def _verdict(result: Result) -> str:
    from quantum_fabric.validation import wording

    colour = "red" if not result.passed else "yellow" if result.against or not result.claims else "green"
    return f"[{colour}]{wording.standing(result)}[/]"


def _comparisons(rows: Sequence[tuple[Result, Comparison]]) -> Table:
    from quantum_fabric.cli.screen import plain, table
    from quantum_fabric.validation import wording

    made = table("Experiment", "Result", "Predicted", "Measured", "Residual", "Tolerance", "Verdict")
    before = ""
    for result, row in rows:
        style = (
            "dim"
            if row.verdict == "fitted"
            else "red"
            if not row.passed
            else "green"
            if row.claims
            else "yellow"
        )
        name = result.file.name if result.file.name != before else ""
        before = result.file.name
        made.add_row(
            f"[bold]{plain(name)}[/]",
            plain(row.measured.label),
            plain(wording.predicted(row)),
            plain(f"{wording.measured(row.measured.number)} {row.measured.number.letter}"),
            plain(wording.residual(row)),
            plain(wording.tolerance(row)),
            f"[{style}]{wording.verdict(row)}[/] [dim]{row.standing.value}[/]",
        )
    return made


def _where(out: Console, folder: Path) -> None:
    for name, what in (
        ("validation.html", "the page, for a browser"),
        ("validation.md", "for documentation, figures beside it"),
        ("validation.parquet", "one row for each comparison, and validation.csv"),
    ):
        out.print(f"  {folder / name}  [dim]{what}[/]", soft_wrap=True)


def _json(results: list[Result]) -> None:
    from quantum_fabric.validation.results import records

    passed = all(result.passed for result in results)
    click.echo(json.dumps({"passed": passed, "comparisons": records(results)}, indent=2))


def _list(as_json: bool) -> int:
    from quantum_fabric.cli.screen import console, plain, table
    from quantum_fabric.validation import load, names, not_comparable, verify

    verify()
    files = [load(name) for name in names()]
    missing = not_comparable()
    if as_json:
        known = [
            {"name": f.name, "row": f.row, "title": f.title, "cite": f.cite, "sha256": f.digest}
            for f in files
        ]
        absent = [{"name": each.name, "cite": each.cite, "missing": each.missing} for each in missing]
        click.echo(json.dumps({"experiments": known, "not_comparable": absent}, indent=2))
        return 0
    out = console()
    made = table("Row", "Experiment", "What", "Results", "Fitted", right=("Row", "Results"))
    for file in files:
        made.add_row(
            str(file.row or "+"), f"[bold]{plain(file.name)}[/]", plain(file.title), str(len(file.measured)),
            plain(file.fit.parameter) if file.fit else "–",
        )  # fmt: skip
    out.print(made)
    out.print()
    rest = table("Not comparable", "What is missing")
    for each in missing:
        rest.add_row(plain(each.name), plain(each.missing))
    out.print(rest)
    return 0
