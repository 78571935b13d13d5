"""``python -m benchmarks``: see the package's docstring."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from benchmarks import page, report
from benchmarks.control import page as evidence
from benchmarks.peers import ABSENT, PEERS, PeerError, install, said_of
from benchmarks.processes import ROOT
from benchmarks.records import Row
from benchmarks.run import Run
from benchmarks.suites import SINGLE, SUITES


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice((*SUITES, *SINGLE)))
@click.option("--quick", is_flag=True, help="Few pairs, one repetition: does everything work?")
@click.option(
    "--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write the results there."
)
@click.option(
    "--keep",
    is_flag=True,
    help="Keep the results in benchmarks/measured.json, and write the page of the docs from it.",
)
@click.option("--list", "listing", is_flag=True, help="Say what there is, and measure nothing.")
@click.option(
    "--install-peers", is_flag=True, help="Install the peers from the package index, and measure nothing."
)
def main(
    names: tuple[str, ...], quick: bool, out: Path | None, keep: bool, listing: bool, install_peers: bool
) -> None:
    """Run benchmarks (all, where none is NAMEd), each with its goal and, where installed, its peer.

    Exits with 1 where a measurement failed or an event count is off; a slow machine is only reported.
    """
    console = Console(width=None if sys.stdout.isatty() else 160)
    if install_peers:
        _install(console)
        return
    if listing:
        for name, suite in SUITES.items():
            console.print(f"{name:<10} {(suite.__doc__ or '').splitlines()[0]}", highlight=False)
        console.print(f"parts of control: {', '.join(SINGLE)}", highlight=False)
        return
    if keep and quick:
        raise click.UsageError("--keep keeps results that mean something: leave out --quick")
    rows: list[Row] = []
    with console.status("") as status:
        run = Run(quick=quick, progress=lambda text: status.update(f"measuring: {text}"))
        for name in names or SUITES:
            rows += {**SUITES, **SINGLE}[name](run)
    report.show(console, rows, run)
    if out is not None:
        report.write(out, rows, run)
        console.print(f"results in {out}")
    if keep:
        told = report.as_json(rows, run)
        decided = [row for row in told["rows"] if row["name"].startswith("control/")]
        timed = [row for row in told["rows"] if row not in decided]
        for kept, at in ((timed, page), (decided, evidence)):
            if kept:
                at.write(page.keep(kept, told["machine"], at.KEPT))
                console.print(
                    f"kept in {at.KEPT.relative_to(ROOT)}; {at.PAGE.relative_to(ROOT)} is written anew"
                )
    if not all(row.sound for row in rows):
        sys.exit(1)


def _install(console: Console) -> None:
    for peer in PEERS:
        with console.status(f"installing {peer.requirement} ({peer.size})"):
            try:
                python = install(peer)
                version = said_of(peer, python)
            except PeerError as error:
                raise click.ClickException(str(error)) from error
        console.print(f"{version} is in {python.parent.parent}")
    console.print(ABSENT)


if __name__ == "__main__":
    main()
