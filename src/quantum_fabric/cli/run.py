"""``qfabric run``: the main job."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from quantum_fabric.cli.quantities import TIME
from quantum_fabric.errors import FabricError, InputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from quantum_fabric.cli.entanglement import Recording
    from quantum_fabric.cli.session import Scenario, Session
    from quantum_fabric.fabric import Fabric
    from quantum_fabric.messages import Message
    from quantum_fabric.services.qkd.session import Delivery, Hand
    from quantum_fabric.units import Time

FIRST_PAIRS = 3
"""Delivered pairs that are printed as they come; the bar counts the others."""

EPILOG = """\b
Examples:
  qfabric run                                     nine nodes around Chicago, their own workload
  qfabric run --seed 7 --duration "20 s"          other draws, a shorter run
  qfabric run chicago --workload chicago-cut      a bundled workload by name: a fibre is cut
  qfabric run my-net.yaml --workload my-load.yaml --out results
  qfabric run vienna-bratislava --feed St_Poelten=feed-kme-a.yaml --feed Bratislava=feed-kme-b.yaml --pace "1 h"

\b
What comes out, in --out (without it ./runs/NETWORK-seedN, or NETWORK-WORKLOAD-seedN):
  journal.jsonl    every message that changed a request; 'qfabric replay' runs it again, bit for bit
  pairs.parquet    one row for each delivered pair
  report.html      one page with the network, the table and plots; open it in any browser

Ctrl-C ends the run early and orderly: the files are complete up to that moment (exit code 130).
"""


@click.command("run", epilog=EPILOG)
@click.argument("network", default="chicago")
@click.option(
    "--workload", "-w", metavar="FILE", help="Requests and faults over time: a file or a bundled name."
)
@click.option("--seed", "-s", type=int, default=1, show_default=True, help="Of every random draw.")
@click.option(
    "--duration",
    "-d",
    metavar="T",
    type=TIME,
    help='Simulated time, such as "20 s"; as the workload says by default.',
)
@click.option(
    "--out", "-o", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Where files go."
)
@click.option(
    "--journal",
    "keeps",
    type=click.Choice(["requests", "full"]),
    default="requests",
    show_default=True,
    help="What the journal keeps: what concerns requests, or every message.",
)
@click.option(
    "--entanglement",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every change of the entanglement table: .jsonl (for 'qfabric entanglement'), .parquet or .csv.",
)
@click.option(
    "--states",
    type=click.Choice(["bell-diagonal", "exact", "auto"]),
    help="How the states of pairs are kept: fast; exact and slower; exact where it must be; as the network says by default.",
)
@click.option(
    "--feed", multiple=True, metavar="NODE=FEED",
    help="Who takes the keys of QKD sessions at a node, as they come: a feed document of 'qfabric kme init' (a KME that serves, "
    "over TLS), or the settings of a KME (into its store); one for each end.",
)  # fmt: skip
@click.option(
    "--pace", metavar="T", type=TIME,
    help="Network time that passes in a second, such as '1 h'; as fast as it goes without one.",
)  # fmt: skip
def command(
    network: str, workload: str | None, seed: int, duration: Time | None, out: Path | None, keeps: str,
    entanglement: Path | None, states: str | None, feed: tuple[str, ...], pace: Time | None,
) -> int:  # fmt: skip
    """Run a workload of requests on a network and account for every pair.

    NETWORK is a bundled name ('qfabric networks' lists them) or a document. Each request is planned, admitted or
    refused with a reason, served by the twin of the plant, and put against what was asked in a table.
    """
    from quantum_fabric.cli.session import Session

    scenario = _scenario(network, workload, seed, duration, states)
    ticker = Ticker(pace)
    session = Session(scenario, _paced(feed, scenario, ticker) if feed else None)
    recording = None if entanglement is None else _record(session, entanglement)
    folder = out or Path("runs") / f"{run_name(network, workload)}-seed{seed}"
    session.journal(folder / "journal.jsonl", scenario.header(keeps))
    again = f"qfabric replay {folder / 'journal.jsonl'}"
    with _orderly_interrupt(ticker):
        try:
            _live(session, ticker, shows_keys=bool(feed or pace))
        except FabricError:  # a fault of the program itself: what was seen before it is worth having
            _account(session, folder, again)
            raise
        finally:
            if recording is not None:
                recording.close()
        return _account(session, folder, again)


def _record(session: Session, path: Path) -> Recording:
    from quantum_fabric.cli.entanglement import Recording

    return Recording(session.fabric, path)


def run_name(network: str, workload: str | None) -> str:
    """Name of a run's folder, so that other workloads of one network do not overwrite each other.

    Examples:
        >>> run_name("chicago", None), run_name("chicago", "chicago-cut"), run_name("nets/my.yaml", "load.yaml")
        ('chicago', 'chicago-cut', 'my-load')
    """
    net, load = Path(network).stem, Path(workload or "").stem
    return (load or net) if load.startswith(net) or not load else f"{net}-{load}"


def _scenario(
    network: str, workload: str | None, seed: int, duration: Time | None, states: str | None = None
) -> Scenario:
    from quantum_fabric import documents
    from quantum_fabric.cli.session import scenario

    document = documents.load_network(network)
    if states is not None:  # written into the document, so that the journal holds it
        document = document.model_copy(update={"states": states})
    if workload is None:
        known = {entry.name: entry.workloads for entry in documents.bundled()}
        if not known.get(network):
            raise InputError(
                "none",
                "a document of kind workload, such as: {kind: workload, version: 1, duration: 10 s, "
                "requests: [{from: A, to: B, fidelity: 0.9, pairs: 10}]}",
                "--workload",
            )
        workload = known[network][0]
    return scenario(document, documents.load_workload(workload), seed, duration)


def _paced(feed: tuple[str, ...], scenario: Scenario, ticker: Ticker) -> Hand:
    """What takes the keys of a run, each when its time has come."""
    from quantum_fabric.cli.key_feed import feeders
    from quantum_fabric.cli.keying import need_keys

    need_keys()
    feed_them = feeders(feed, scenario.workload.qkd)

    def hand(delivery: Delivery) -> None:
        ticker.wait()
        feed_them(delivery)

    return hand


def _live(session: Session, ticker: Ticker, shows_keys: bool = False) -> None:
    """Run with a progress bar over simulated time and the first pairs as they come."""
    from quantum_fabric.cli.key_screen import key_line
    from quantum_fabric.cli.screen import console, count, pair_line, plain
    from quantum_fabric.messages import Delivered, KeyAlarm, KeyBlock
    from quantum_fabric.units import seconds

    ticker.fabric = session.fabric
    err = console(stderr=True)
    scenario = session.scenario
    title = scenario.network.title or "A network"
    err.print(
        f"[bold]{plain(title)}[/]: {count(len(scenario.network.nodes), 'node')}, "
        f"{count(len(scenario.network.links), 'link')}; {count(session.requests, 'request')} in "
        f"{seconds(scenario.duration):g} s of network time, seed {scenario.seed}"
    )
    with _progress(err, seconds(scenario.duration)) as progress:

        def show_first(time: Time, place: str, message: Message) -> None:  # noqa: ARG001 (the port)
            ticker.pairs += 1
            if ticker.pairs <= FIRST_PAIRS and isinstance(message, Delivered):
                asked = (
                    session.histories[message.request].request.pairs
                    if message.request in session.histories
                    else 0
                )
                progress.console.print("  " + pair_line(message, asked))

        def show_keys(time: Time, place: str, message: Message) -> None:  # noqa: ARG001 (the port)
            ticker.wait()
            progress.console.print(f"  {key_line(time, message)}", soft_wrap=True)

        session.fabric.watch(show_first, Delivered)
        if shows_keys:
            session.fabric.watch(show_keys, KeyAlarm, KeyBlock)
        task = progress.add_task("", total=seconds(scenario.duration), pairs=0)

        def show() -> None:
            progress.update(task, completed=seconds(session.fabric.now), pairs=ticker.pairs)

        ticker.show = show
        session.run(ticker)
        progress.update(task, completed=seconds(session.reached), pairs=ticker.pairs)


class Ticker:
    """Asked after every event: keeps the bar moving and the pace, and stops the run once somebody pressed Ctrl-C.

    Args:
        pace: network time, ps, that passes in a second; None for as fast as it goes.
    """

    EVERY = 256
    PAUSE = 0.1

    def __init__(self, pace: Time | None = None) -> None:
        self.stopped = False
        self.pairs = 0
        self.show: Any = lambda: None
        self.fabric: Fabric | None = None
        self._pace, self._began = pace, time.monotonic()
        self._left = self.EVERY
        self._next = 0.0

    def wait(self) -> None:
        """Wait until the clock on the wall has come as far as the network, or until somebody is tired of it."""
        if self._pace is None or self.fabric is None:
            return
        due = self._began + self.fabric.now / self._pace
        while not self.stopped and (left := due - time.monotonic()) > 0.0:
            self.show()
            time.sleep(min(left, self.PAUSE))

    def __call__(self) -> bool:
        """True ends the run."""
        self.wait()
        self._left -= 1
        if not self._left:
            self._left = self.EVERY
            now = time.monotonic()
            if now >= self._next:
                self._next = now + self.PAUSE
                self.show()
        return self.stopped


@contextmanager
def _orderly_interrupt(ticker: Ticker | None = None) -> Iterator[Ticker]:
    """The first Ctrl-C ends the run after the present event and lets the files be finished, a second one ends all."""
    ticker = ticker or Ticker()

    def stop(_: int, __: FrameType | None) -> None:
        ticker.stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield ticker
    finally:
        signal.signal(signal.SIGINT, before)


def _progress(err: Console, total: float) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("  {task.completed:8.3f} s"),
        BarColumn(bar_width=40),
        TextColumn("{task.percentage:3.0f} % of " + f"{total:g} s"),
        TextColumn("[bold]{task.fields[pairs]}[/] pairs"),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )


def _account(session: Session, folder: Path, again: str) -> int:
    """Write what was seen, print the table, say where things are."""
    from quantum_fabric.cli.key_screen import show_keys
    from quantum_fabric.cli.page import page
    from quantum_fabric.cli.screen import MOST_ROWS, console, request_table, show_cautions
    from quantum_fabric.ops.report import lead
    from quantum_fabric.ops.summary import pool
    from quantum_fabric.ops.tables import write_pairs, write_text

    rows = pool(list(session.histories), session.reached)
    out = console()
    out.print()
    if rows or not session.supply.sessions:
        out.print(request_table(rows))
    if len(rows) > MOST_ROWS:
        out.print(f"… and {len(rows) - MOST_ROWS} more rows; the report has all")
    said = lead(session.histories, session.reached) if rows or not session.supply.sessions else ""
    if said or session.interrupted:
        out.print(("[yellow]interrupted.[/] " if session.interrupted else "") + said)
    if session.supply.sessions:
        show_keys(out, session)
    show_cautions(out, session.cautions)
    write_pairs(session.histories, folder / "pairs.parquet")
    write_text(page(session, again), folder / "report.html")
    for name, what in (
        ("report.html", "the report, for a browser"),
        ("pairs.parquet", "one row for each delivered pair"),
        ("journal.jsonl", f"what happened; again with: {again}"),
    ):
        out.print(f"  {folder / name}  [dim]{what}[/]", soft_wrap=True)
    return 130 if session.interrupted else 0
