"""``qfabric entanglement``: where entanglement was believed to be at a time, how fresh it was, and whether it could be used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quantum_fabric.cli.quantities import TIME, Quantity

if TYPE_CHECKING:
    from quantum_fabric.control.entangled import Change, Pair, View
    from quantum_fabric.fabric import Fabric
    from quantum_fabric.units import Time

MOST = 40
"""Rows on the screen; ``--json`` has all."""

STATES = (
    "attempting", "elementary", "joined", "swapping", "purifying", "gathered", "held", "using", "fused",
    "delivered", "consumed", "tested", "lost",
)  # fmt: skip

EPILOG = """\b
Examples:
  qfabric run chicago --duration "0.2 s" --entanglement pairs.jsonl
  qfabric entanglement pairs.jsonl --at "50 ms"                    where is entanglement at 50 ms
  qfabric entanglement pairs.jsonl --at "50 ms" --node StarLight   ... that ends at this node
  qfabric entanglement pairs.jsonl --at "50 ms" --usable --fidelity 0.9 --younger "2 ms"
  qfabric entanglement pairs.jsonl --state lost                    what was lost last, and why
  qfabric entanglement pairs.jsonl --plot pairs.svg                living pairs at each node against time

\b
How to read it:
  fidelity   what is believed at that time, with the interval of the calibration tolerance; nobody measured it
  age        since the older half was born
  of use     until a cutoff, or until the estimate falls to what was asked for (0.5 where nobody asked)
  told       both: each end knows who is at the other and what was done. A pair of which one end has not been told
             is half-open: no application should touch it. --usable leaves such pairs out
  made of    elementary pairs, swaps, rounds of purification

A row is what the nodes together knew at that moment, not what was true: a table of a real network could say the same.
Exit code 0; 2 when the file or an option cannot be used.
"""


@click.command("entanglement", epilog=EPILOG)
@click.argument("source", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--at", type=Quantity("time", -1.0), metavar="T", help='A time, such as "1.2 s"; the end by default.'
)
@click.option("--node", metavar="X", help="Pairs that end here.")
@click.option("--between", nargs=2, metavar="A B", help="Pairs between these two nodes.")
@click.option("--request", metavar="NAME", help="Pairs of this request.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(STATES), help="Pairs in this state; the living ones by default."
)  # fmt: skip
@click.option("--fidelity", type=click.FloatRange(0.0, 1.0), help="The low end of the estimate reaches this.")
@click.option("--younger", type=TIME, metavar="T", help="No half is older than this.")
@click.option("--usable", is_flag=True, help="Whole, idle, and both ends have been told.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row, instead of a table.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw living pairs by node (svg, png, pdf).",
)
def command(
    source: Path,
    at: Time | None,
    node: str | None,
    between: tuple[str, str] | None,
    request: str | None,
    states: tuple[str, ...],
    fidelity: float | None,
    younger: Time | None,
    usable: bool,
    as_json: bool,
    plot: Path | None,
) -> int:
    """Say where entanglement is believed to be, how fresh it is, and whether it can be used.

    SOURCE is a stream of changes ('qfabric run --entanglement FILE.jsonl') or a journal that holds every message
    ('qfabric run --journal full').
    """
    from quantum_fabric.control.entangled import PairState, View

    view = View()
    steps: dict[str, list[tuple[Time, int]]] = {}
    for change in _changes(source):
        if at is not None and change.time > at:
            break
        before = view.pairs.get(change.id)
        view.apply(change)
        if plot is not None:
            _step(steps, before, change)
    view.time = view.time if at is None else at
    wanted = [PairState(each) for each in states] or None
    found = view.select(
        node=node, between=between or None, request=request, states=wanted, fidelity=fidelity, younger=younger, usable=usable,
    )  # fmt: skip
    if plot is not None:
        from quantum_fabric.ops.entanglement_plot import write

        drawn = write(str(plot), steps, view.time, f"Living pairs, {source.name}")
        click.echo(f"{plot}: {drawn} nodes", err=True)
    (_json if as_json else _show)(view, found)
    return 0


def _changes(source: Path) -> Iterator[Change]:
    """The stream in a file: as it stands there, or folded out of a journal."""
    from quantum_fabric.control.entangled.shapes import change_of
    from quantum_fabric.errors import InputError, JournalError
    from quantum_fabric.ops import entanglement

    if not entanglement.is_stream(source):
        yield from _folded(source)
        return
    for number, shape in enumerate(entanglement.read(source), start=2):
        try:
            change = change_of(shape)
        except InputError as error:
            raise JournalError(f"{source}:{number}: {error}") from error
        yield change


def _folded(source: Path) -> Iterator[Change]:
    from quantum_fabric.control.entangled.table import EntanglementTable
    from quantum_fabric.errors import InputError
    from quantum_fabric.ops.journal import read

    journal = read(source)
    if journal.header.keeps != "full":
        raise InputError(
            f"a journal that keeps {journal.header.keeps!r}",
            "one that holds every message (qfabric run --journal full), or a stream of changes (--entanglement FILE.jsonl)",
            str(source),
        )
    changes: list[Change] = []
    table = EntanglementTable(listener=changes.append)
    for entry in journal.entries:
        table(entry.time, entry.place, entry.message)
        yield from changes
        changes.clear()


def _step(steps: dict[str, list[tuple[Time, int]]], before: Pair | None, change: Change) -> None:
    """Count living pairs by node through one change."""
    for pair, by in ((before, -1), (change.pair, 1)):
        if pair is not None and pair.alive:
            for node in pair.nodes:
                counted = steps.setdefault(node, [])
                count = (counted[-1][1] if counted else 0) + by
                if counted and counted[-1][0] == change.time:
                    counted.pop()
                counted.append((change.time, count))


def _json(view: View, found: list[Pair]) -> None:
    from quantum_fabric.control.entangled import Change, PairState
    from quantum_fabric.control.entangled.shapes import plain

    for pair in found:
        shape = plain(Change(0, view.time, pair.id, pair))["pair"] | {"id": list(pair.id), "at": view.time}
        if pair.state is not PairState.ATTEMPTING:
            shape |= {
                "estimate": list(pair.estimate(view.time)),
                "age": pair.age(view.time),
                "expires": pair.expires(),
            }
        click.echo(json.dumps(shape, ensure_ascii=False))


def _show(view: View, found: list[Pair]) -> None:
    from quantum_fabric.cli.screen import console, count, plain, table
    from quantum_fabric.control.entangled import PairState
    from quantum_fabric.units import show_time

    out = console()
    living = [pair for pair in view.pairs.values() if pair.alive]
    trying = sum(pair.state is PairState.ATTEMPTING for pair in view.pairs.values())
    out.print(
        f"at {show_time(view.time)}: {count(len(living), 'living pair')}, {sum(pair.usable for pair in living)} usable, "
        f"{count(trying, 'lane')} attempting; {count(len(found), 'row')} shown"
        if len(found) <= MOST
        else f"at {show_time(view.time)}: {count(len(living), 'living pair')}; the last {MOST} of {len(found)} rows"
    )
    rows = table(
        "Between",
        "State",
        "Fidelity",
        "Age",
        "Of use",
        "Told",
        "Made of",
        "Request",
        right=("Fidelity", "Age"),
    )
    for pair in found[-MOST:]:
        name = pair.id.left if pair.id.left == pair.id.right else f"{pair.id.left} .. {pair.id.right}"
        tries = pair.state is PairState.ATTEMPTING
        made = f"{len(pair.sources)} + {len(pair.swaps)} + {pair.purifications}"
        rows.add_row(
            f"{plain(pair.nodes[0])} – {plain(pair.nodes[1])}\n[dim]{plain(name)}[/]",
            pair.state.value + (f"\n[dim]{plain(pair.why)}[/]" if pair.why else ""),
            "–" if tries else _fidelity(pair, _when(pair, view)),
            show_time(max(0, pair.age(_when(pair, view))), 3),
            _use(pair, view.time),
            _told(pair),
            "–" if tries else made,
            plain(pair.request),
        )
    if found:
        out.print(rows)
    elif not living and view.next:
        out.print("nothing lives here: a run that has ended has let go of everything; say a time with --at")


def _when(pair: Pair, view: View) -> Time:
    """For which time a row is shown: what has ended ages no more."""
    from quantum_fabric.control.entangled import PairState

    return view.time if pair.alive or pair.state is PairState.ATTEMPTING else pair.changed


def _fidelity(pair: Pair, at: Time) -> str:
    value, low, high = pair.estimate(at)
    return f"{value:.4f}\n[dim]{low:.4f} … {high:.4f}[/]"


def _use(pair: Pair, at: Time) -> str:
    from quantum_fabric.units import show_time

    if not pair.alive:
        return "–"
    ends = pair.expires()
    if ends is None:
        return "always"
    return f"{show_time(ends - at, 3)} more" if ends > at else "no more"


def _told(pair: Pair) -> str:
    if not pair.alive:
        return "–"
    missing = [end.node for end in pair.ends if end.there and not end.knows]
    return "both" if not missing else "not yet " + " ".join(missing)


class Recording:
    """The change stream of a running fabric, written to a file while it runs.

    Args:
        fabric: nothing has happened in it yet.
        path: of the file; its ending chooses the format (.jsonl, .parquet, .csv).

    Raises:
        InputError: another ending.
        OSError: the file cannot be made.
    """

    def __init__(self, fabric: Fabric, path: Path) -> None:
        from quantum_fabric.control.entangled.shapes import COLUMNS, flat, plain
        from quantum_fabric.control.entangled.table import EntanglementTable
        from quantum_fabric.ops.entanglement import StreamWriter, TableWriter, check_ending

        check_ending(path)
        write: Callable[[Any], None]
        if path.suffix == ".jsonl":
            self._writer: StreamWriter | TableWriter = StreamWriter(path)
            shape: Callable[[Change], dict[str, Any]] = plain
        else:
            self._writer, shape = TableWriter(path, COLUMNS), flat
        write = self._writer
        self.table = EntanglementTable(remembered=0, listener=lambda change: write(shape(change)))
        fabric.watch(self.table, *EntanglementTable.SEES)
        self._fabric = fabric

    def close(self) -> None:
        """Finish the file."""
        self._writer.close(self._fabric.now)
