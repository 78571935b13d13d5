"""``qfabric bench``: the benchmarks of a checkout, with goals, event counts and peers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import click

EPILOG = """\b
Examples:
  qfabric bench --list               what there is
  qfabric bench w1 w2                one dim link; a chain of 17 nodes
  qfabric bench --quick              does everything work? (its times mean little)
  qfabric bench --install-peers      other simulators, each in an environment of its own
  qfabric bench w3 --json            machine-readable on stdout
  qfabric bench --keep               all, kept; docs/explanation/performance.md is written anew

The benchmarks are in the repository and not in the installed package: call this inside a checkout. Times are CPU time of one
core. Exit code: 0 when everything was measured and every event count is right, 1 otherwise. A missed time goal is only reported.
"""

MARK = Path("benchmarks") / "suites.py"


@click.command("bench", epilog=EPILOG)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--list", "listing", is_flag=True, help="Say what there is, and measure nothing.")
@click.option("--quick", is_flag=True, help="Few pairs, one repetition: does everything work?")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; the table goes to stderr.")
@click.option("--keep", is_flag=True, help="Keep the results, and write the page of the docs from them.")
@click.option("--install-peers", is_flag=True, help="Install the peers, and measure nothing.")
def command(
    names: tuple[str, ...], listing: bool, quick: bool, as_json: bool, keep: bool, install_peers: bool
) -> int:
    """Measure ours and the installed peers; print both, the ratio and the goal.

    NAME is a benchmark; all where none is given.
    """
    folder = checkout(Path.cwd())
    if folder is None:
        raise click.ClickException(
            "found no benchmarks here or above: they are in the repository of Quantum Fabric and not in the installed package. "
            "Call this inside a checkout"
        )
    chosen = {"--list": listing, "--quick": quick, "--keep": keep, "--install-peers": install_peers}
    arguments = [*names, *(option for option, on in chosen.items() if on)]
    program = [sys.executable, "-m", "benchmarks", *arguments]
    if not as_json:
        return subprocess.run(program, cwd=folder, check=False).returncode
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "results.json"
        code = subprocess.run(
            [*program, "--json", str(out)], cwd=folder, check=False, stdout=sys.stderr.fileno()
        ).returncode
        if out.exists():
            click.echo(out.read_text(encoding="utf-8"), nl=False)
    return code


def checkout(start: Path) -> Path | None:
    """The checkout that holds a folder, else the one that this program runs from; None where there is neither.

    Examples:
        >>> checkout(Path("/")) in (None, *Path(__file__).resolve().parents)
        True
    """
    places = [start.resolve(), *start.resolve().parents, *Path(__file__).resolve().parents]
    return next((place for place in places if (place / MARK).is_file()), None)
