"""``qfabric study``: vary what is in the documents, and see what comes of it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quantum_fabric.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from quantum_fabric.studies import Answer, Bill, Executor, Index, Line, State, Study

MOST_ROWS = 30
"""Points that the table on the screen shows."""

EPILOG = """\b
Examples:
  qfabric study distance                       a bundled study: rate and fidelity over distance
  qfabric study --list                         what studies come with the program
  qfabric study my-study.yaml --dry-run        how many points and runs, for how long
  qfabric study my-study.yaml --workers 8      on eight processes; the numbers are the same on one
  qfabric study my-study.yaml --resume         go on after a crash, Ctrl-C or a full disk
  qfabric study my-study.yaml --cluster tcp://10.0.0.1:8786
  qfabric study reach                          plan backwards: what must improve, at least cost?

\b
What comes out, in --out (without it ./runs/study-NAME):
  table.parquet    one row for each point, with intervals; the whole study is in its metadata
  table.csv        the same for a spreadsheet
  runs.parquet     one row for each run
  report.html      one page with plots and the table
  chunks/          finished work; a study that was stopped goes on from there

Exit codes: 0 done; 1 a goal that cannot be reached, or a certificate that fails; 2 the study cannot be used.
"""


@click.command("study", epilog=EPILOG)
@click.argument("file", required=False)
@click.option("--list", "listing", is_flag=True, help="List the bundled studies.")
@click.option("--dry-run", is_flag=True, help="Check the study, print points, runs and an estimate of time.")
@click.option(
    "--workers",
    "-j",
    type=click.IntRange(1),
    default=None,
    help="Processes; all cores by default. Results do not depend on it.",
)
@click.option("--cluster", metavar="ADDRESS", help="Run on a Dask cluster: tcp://HOST:PORT of its scheduler.")
@click.option("--resume", is_flag=True, help="Go on where a run of the same study stopped.")
@click.option(
    "--out", "-o", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Where files go."
)
@click.option("--html/--no-html", default=True, show_default=True, help="Write the report.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with the table.")
@click.option(
    "--batch", type=click.IntRange(1), default=None, help="Runs of a chunk; by the clock without it."
)
@click.option(
    "--simulate", type=click.IntRange(0), default=16, show_default=True,
    help="Simulated runs that check the answer of a study with a goal.",
)  # fmt: skip
def command(
    file: str | None,
    listing: bool,
    dry_run: bool,
    workers: int | None,
    cluster: str | None,
    resume: bool,
    out: Path | None,
    html: bool,
    as_json: bool,
    batch: int | None,
    simulate: int,
) -> int:
    """Run a study: vary parameters, repeat, and put what comes out into a table.

    FILE is a study document or the name of a bundled study. Points are computed by the forecast or simulated by the twin, on all
    cores or on a cluster; each finished chunk is safe on the disk before the next is counted.
    """
    from quantum_fabric.studies import bill, check_limits, executor, load_study

    if listing:
        return _list(as_json)
    if file is None:
        raise InputError("nothing", "a study: a file, or a name of 'qfabric study --list'", "FILE")
    study = load_study(file)
    hands = workers or os.cpu_count() or 1
    found = bill(study, measure=False)
    if found.least > study.document.limits.runs or dry_run or study.document.limits.time is not None:
        found = bill(study)
    check_limits(study, found, hands)
    if dry_run:
        return _dry(study, found, hands, as_json)
    folder = out or Path("runs") / f"study-{Path(file).stem}"
    _fresh(folder, study, resume)
    doer = executor(hands, cluster)
    try:
        if study.document.goal:
            return _backwards(study, folder, doer, simulate, html, as_json)
        return _forwards(study, folder, doer, batch, html, as_json)
    except KeyboardInterrupt:
        click.echo(f"interrupted; what was finished is in {folder}: go on with --resume", err=True)
        return 130
    finally:
        doer.close()


def _fresh(folder: Path, study: Study, resume: bool) -> None:
    """A folder with work in it is gone on with when that is said."""
    from quantum_fabric.studies import Store

    there = Store(folder, study).holds() or (folder / "asked.jsonl").exists()
    if there and not resume:
        raise InputError(
            f"{folder} with finished work", "--resume to go on with it, or --out with another folder", "--out"
        )
    if resume and not folder.exists():
        raise InputError(f"no folder {folder}", "a folder that a study was begun in", "--resume")


def _forwards(
    study: Study, folder: Path, doer: Executor, batch: int | None, html: bool, as_json: bool
) -> int:
    from quantum_fabric.cli.screen import console, plain
    from quantum_fabric.studies import Page, Run, indices, lines, render, write

    err = console(stderr=True)
    if not as_json:
        err.print(f"[bold]{plain(study.document.title or study.file)}[/]: {_what(study)}")
    with _bar(err) as show:
        run = Run(study, folder, doer, show, batch)
        state = run.go()
    table = lines(study, state)
    paths = write(study, state, table, folder)
    found: Sequence[Index] = ()
    remarks: list[str] = []
    if study.document.sensitivity is not None:
        found, remarks = indices(study, table)
    notes = _notes(study, run, table)
    if html:
        paths.append(_page(Page(study, table, found, remarks, None, notes), folder, render))
    if as_json:
        click.echo(json.dumps(_object(study, table, found, notes), indent=1, ensure_ascii=False))
        return 0
    out = console()
    if not found:  # the points of a sensitivity analysis say little one by one
        _table(out, study, table)
    _indices(out, found, remarks)
    kept = [f"{run.kept:,} runs were there already."] if run.kept else []
    _end(out, [*kept, *notes], paths)
    return 0


def _backwards(study: Study, folder: Path, doer: Executor, simulate: int, html: bool, as_json: bool) -> int:
    from quantum_fabric.cli.screen import console, plain
    from quantum_fabric.studies import Page, Question, Store, backwards, render

    err = console(stderr=True)
    if not as_json:
        err.print(
            f"[bold]{plain(study.document.title or study.file)}[/]: {len(study.document.improve)} parameters"
        )
    store = Store(folder, study)
    with store.opened(), err.status("asking the forecast") as status:

        def tell(asked: int, cost: float) -> None:
            least = f", least cost so far {cost:.4g}" if math.isfinite(cost) else ""
            status.update(f"{asked} questions to the forecast{least}")

        answer = backwards(Question(study, folder, doer, tell), simulate)
        told = json.dumps(_told(answer), indent=1, ensure_ascii=False)
        store.save(folder / "answer.json", told + "\n")
    paths = [folder / "answer.json"]
    if html:
        paths.append(_page(Page(study, answer=answer), folder, render))
    good = answer.feasible and all(check.good for check in answer.checks)
    if as_json:
        click.echo(told)
    else:
        _answer(console(), answer)
        _end(console(), (), paths)
    return 0 if good else 1


def _page(page: Any, folder: Path, render: Any) -> Path:
    from quantum_fabric.studies import Store

    path = folder / "report.html"
    Store(folder, page.study).save(path, render(page))
    return path


# --------------------------------------------------------------------------------------------------- screen


def _what(study: Study) -> str:
    from quantum_fabric.studies import bill

    return (
        f"{bill(study, measure=False).text()} of the engine {study.engine.name}, seed {study.document.seed}"
    )


@contextmanager
def _bar(err: Console) -> Iterator[Any]:
    """A bar over the runs, with the time that is left."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with Progress(
        BarColumn(bar_width=40), TextColumn("{task.percentage:3.0f} %"), MofNCompleteColumn(), TextColumn("runs"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=err, disable=not err.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=None)

        def show(state: State) -> None:
            progress.update(task, completed=state.done, total=state.total)

        yield show


def _notes(study: Study, run: Any, table: Sequence[Line]) -> list[str]:
    notes = [
        f"{path.name} was damaged; it was put aside and its runs were done again." for path in run.damaged
    ]
    short = sum(not line.reached for line in table)
    if short:
        most = study.document.repeat.most if study.document.repeat else 0
        notes.append(f"{short} of {len(table)} points did not reach the interval within {most:,} runs.")
    return notes


def _table(out: Console, study: Study, table: Sequence[Line]) -> None:
    from quantum_fabric.cli.screen import plain
    from quantum_fabric.cli.screen import table as empty
    from quantum_fabric.studies.wording import shown

    names = [axis.label.split(" / ")[0] for axis in study.design.axes]
    titles = [out_.name.replace("_", " ") for out_ in study.outputs]
    made = empty(*names, "runs", *titles, right=("runs", *titles))
    for line in table[:MOST_ROWS]:
        cells = [plain(shown(axis, value)) for axis, value in zip(study.design.axes, line.coordinates)]
        cells.append(f"{line.runs}{'' if line.reached else ' [yellow]*[/]'}")
        for each in study.outputs:
            found = line.estimates[each.name]
            half = (
                f" [dim]± {each.text(found.half).strip()}[/]"
                if math.isfinite(found.half) and found.half
                else ""
            )
            cells.append(each.text(found.value).strip() + half)
        made.add_row(*cells)
    out.print(made)
    if len(table) > MOST_ROWS:
        out.print(f"[dim]{len(table) - MOST_ROWS:,} more points in the files[/]")


def _indices(out: Console, found: Sequence[Index], remarks: Sequence[str]) -> None:
    from quantum_fabric.cli.screen import plain, table

    if found:
        made = table("Output", "Depends on", "Alone", "With others", right=("Alone", "With others"))
        for index in sorted(found, key=lambda index: (index.output, -index.total.value)):
            cells = [
                f"{part.value:.3f} [dim]\\[{part.low:.3f}, {part.high:.3f}][/]"
                for part in (index.first, index.total)
            ]
            made.add_row(index.output, plain(index.path), *cells)
        out.print()
        out.print(made)
    for remark in remarks:
        out.print(f"[yellow]{plain(remark)}[/]")


def _answer(out: Console, answer: Answer) -> None:
    from quantum_fabric.cli.screen import plain, table

    out.print(f"[{'green' if answer.feasible else 'yellow'}]{plain(answer.sentence)}[/]")
    made = table("Parameter", "What it has to do", "Way", "Cost", right=("Way", "Cost"))
    for step in answer.steps:
        made.add_row(plain(step.name), plain(step.text), f"{100 * step.share:.0f} %", f"{step.cost:.4g}")
    out.print(made)
    if answer.checks:
        certificate = table("Certificate", "Found", "")
        for check in answer.checks:
            certificate.add_row(
                plain(check.what), plain(check.found), "[green]holds[/]" if check.good else "[red]fails[/]"
            )
        out.print(certificate)


def _end(out: Console, notes: Sequence[str], paths: Sequence[Path]) -> None:
    from quantum_fabric.cli.screen import plain

    for note in notes:
        out.print(f"[dim]{plain(note)}[/]")
    about = {
        "table.parquet": "one row for each point", "table.csv": "the same as text", "runs.parquet": "one row for each run",
        "report.html": "the report, for a browser", "answer.json": "the answer, for programs",
    }  # fmt: skip
    for path in paths:
        out.print(f"  {path}  [dim]{about[path.name]}[/]", soft_wrap=True)


def _dry(study: Study, found: Bill, workers: int, as_json: bool) -> int:
    times = found.time(workers)
    if as_json:
        told = {
            "points": found.points,
            "runs": [found.least, found.most],
            "seconds": times,
            "engine": study.engine.name,
        }
        click.echo(json.dumps(told))
    else:
        click.echo(
            f"{study.file}: a sound study: {found.text(workers)}; engine {study.engine.name}; nothing was run but one point"
        )
    return 0


def _list(as_json: bool) -> int:
    from quantum_fabric.cli.screen import console, plain, table
    from quantum_fabric.studies import bundled, load_study

    studies = {name: load_study(name) for name in bundled()}
    if as_json:
        listed = [
            {"name": name, "title": one.document.title, "engine": one.engine.name}
            for name, one in studies.items()
        ]
        click.echo(json.dumps(listed, indent=1))
        return 0
    made = table("Study", "What", "Engine", "Points", right=("Points",))
    for name, one in studies.items():
        points = "goal" if one.document.goal else f"{one.design.points:,}"
        made.add_row(f"[bold]{name}[/]", plain(one.document.title), one.engine.name, points)
    console().print(made)
    return 0


def _object(
    study: Study, table: Sequence[Line], found: Sequence[Index], notes: Sequence[str]
) -> dict[str, Any]:
    from quantum_fabric.studies.tables import columns, provenance

    return {
        "study": provenance(study) | {"base": "in table.parquet"},
        "table": columns(study, table),
        "sensitivity": [
            {"output": one.output, "path": one.path, "first": _triple(one.first), "total": _triple(one.total)}
            for one in found
        ],
        "notes": list(notes),
    }


def _triple(estimate: Any) -> list[float | None]:
    return [
        value if math.isfinite(value) else None for value in (estimate.value, estimate.low, estimate.high)
    ]


def _told(answer: Answer) -> dict[str, Any]:
    return {
        "feasible": answer.feasible,
        "sentence": answer.sentence,
        "cost": answer.cost,
        "asked": answer.asked,
        "steps": [
            {"name": s.name, "path": s.path, "share": s.share, "value": s.value, "cost": s.cost}
            for s in answer.steps
        ],
        "certificate": [{"what": c.what, "found": c.found, "holds": c.good} for c in answer.checks],
        "forecast": {k: v if math.isfinite(v) else None for k, v in answer.found.items()},
    }
