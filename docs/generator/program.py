"""Pages about the program: commands, files of a run, metrics."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from generator.code import exit_codes
from generator.markdown import cell, code, fenced, page, plain, prose, read, table
from quantum_fabric.cli import app as cli
from quantum_fabric.ops import journal, losses, tables
from quantum_fabric.ops import metrics as counters


def commands() -> str:
    """The page of the command line."""
    context = click.Context(cli.app, info_name="qfabric")
    intro = prose(_unwrapped(cli.app.help or ""))
    parts = [list(_command(name, context)) for name in cli.app.list_commands(context)]
    rows = [(f"[{name}](#qfabric-{name})", cli.COMMANDS[name]) for name in cli.app.list_commands(context)]
    return page("qfabric", intro, table(("command", "what it does"), rows), *parts, exit_codes())


def _command(name: str, context: click.Context) -> Iterator[str]:
    command = cli.app.get_command(context, name)
    assert command is not None
    inner = click.Context(command, info_name=name, parent=context)
    yield f"## qfabric {name}"
    yield from _one(command, inner)
    if isinstance(command, click.Group):
        for below in command.list_commands(inner):
            found = command.get_command(inner, below)
            assert found is not None
            yield f"### qfabric {name} {below}"
            yield from _one(found, click.Context(found, info_name=below, parent=inner))


def _one(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from fenced(
        " ".join(["qfabric", *context.command_path.split()[1:], *command.collect_usage_pieces(context)])
    )
    yield from prose(_unwrapped(command.help or "")).splitlines()
    options = [one for one in command.params if isinstance(one, click.Option)]
    rows = []
    for option in options:
        names, text = option.get_help_record(context) or ("", "")
        rows.append((code(names), cell(plain(text))))
    if rows:
        yield from table(("option", "meaning"), rows)
    yield from _epilog(command.epilog or "")


def _unwrapped(text: str) -> str:
    return inspect.cleandoc(text).replace("\b\n", "").replace("\f", "")


def _epilog(text: str) -> Iterator[str]:
    """An epilog: paragraphs that must keep their lines are fenced, the others are prose."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            yield from fenced(paragraph.removeprefix("\b\n"))
        elif paragraph.strip():
            yield from ["", plain(" ".join(paragraph.split())), ""]


def files() -> str:
    """The page of the files that a run writes."""
    intro = (
        "`qfabric run` writes three files: `journal.jsonl`, `pairs.parquet` and `report.html`. The Parquet file and the "
        "report are written at once at the end: they are whole or not there. The journal grows line by line."
    )
    kept = [(code(f"--journal {name}"), _names(types)) for name, types in journal.KEEPS.items()]
    rows = [(code(name), code(kind), PAIR_COLUMNS[name]) for name, kind in tables.COLUMNS.items()]
    return page(
        "Files of a run",
        intro,
        ["## journal.jsonl", "", *prose(read(journal).prose).splitlines(), ""],
        ["What it keeps:", *table(("option", "messages"), kept)],
        ["## pairs.parquet", "", read(tables).summary, *table(("column", "SQL type", "meaning"), rows)],
        ["## report.html", "", "One page with the network, the table of requests and plots. It holds its styles and pictures and "
         "asks nothing from anywhere. [Reading the report](../explanation/reading-the-report.md) explains it."],
    )  # fmt: skip


PAIR_COLUMNS = {
    "request": "name of the request",
    "number": "1, 2, 3, ... within the request",
    "source": "node that asked",
    "destination": "the other node",
    "pair_left": "name of the elementary pair at the source",
    "pair_right": "name of the elementary pair at the destination",
    "bell": "announced Bell state",
    "created_at_ps": "birth of the older half, ps",
    "delivered_at_ps": "from when both ends may use it, ps",
    "expires_at_ps": "when the estimate falls below the fidelity that was asked for, ps",
    "fidelity_asked": "least fidelity of the request",
    "fidelity_estimate": "what the control plane says of the pair at delivery",
    "fidelity_low": "lower end of the interval of the estimate",
    "fidelity_high": "upper end of the interval of the estimate",
    "fidelity_true": "what the twin knows; NULL for a pair that nobody consumed",
}


def _names(types: tuple[type, ...]) -> str:
    return ", ".join(
        f"[{one.__name__}](messages.md#{one.__name__.lower()})"
        for one in sorted(types, key=lambda t: t.__name__)
    )


def metrics() -> str:
    """The page of the counters."""
    rows = [(code(one.name), one.label or "–", one.doc) for one in counters.METRICS]
    return page(
        "Metrics",
        read(counters).summary,
        ["## Counters", *table(("name", "label", "counts"), rows)],
        ["## Where time and fidelity went", "", *prose(read(losses).prose).splitlines()],
        ["", *_limits(read(losses).sections.get("Limits", ""))],
    )


def _limits(text: str) -> list[str]:
    return ["**Limits.**", "", *prose(text).splitlines(), ""] if text else []
