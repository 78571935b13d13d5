"""``qfabric replay``: the same run again, compared line by line with its journal."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  qfabric replay runs/chicago-seed1/journal.jsonl

The journal holds its documents and seed, so nothing else is needed. Exit code 0 when every line is the same, 1 at the
first difference, 2 when the journal cannot be read. The journal of an interrupted or killed run is compared as far as
it got.
"""


@click.command("replay", epilog=EPILOG)
@click.argument("journal", type=click.Path(dir_okay=False, path_type=Path))
def command(journal: Path) -> int:
    """Run JOURNAL again and compare, bit for bit."""
    from quantum_fabric import __version__
    from quantum_fabric.cli.session import Session, scenario_of
    from quantum_fabric.ops.comparison import Comparison
    from quantum_fabric.ops.journal import read

    old = read(journal)
    if old.header.program != __version__:
        click.echo(f"note: written by version {old.header.program}, run again by {__version__}", err=True)
    if not old.complete:
        click.echo(f"note: the journal is {old.state}; it is compared as far as it got", err=True)
    session = Session(scenario_of(old.header, old.end.until if old.end is not None else None))
    with Comparison(journal) as comparison:
        session.journal(comparison, old.header)
        session.run(lambda: comparison.settled)
    difference = comparison.difference
    if difference is not None:
        click.echo(f"{journal}:{difference.line}: the runs differ here")
        click.echo(f"  was: {difference.was or '(nothing)'}")
        click.echo(f"  now: {difference.now or '(nothing)'}")
        return 1
    click.echo(f"{journal}: {comparison.matched:,} messages, all the same, bit for bit")
    return 0
