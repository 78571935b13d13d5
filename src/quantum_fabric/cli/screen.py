"""What commands put on the screen: tables and lines that several of them share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from quantum_fabric.errors import Caution
from quantum_fabric.messages import Delivered, Plan, Refused
from quantum_fabric.ops.summary import Summary, show_number, show_wait
from quantum_fabric.units import Time, seconds, show_time

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from quantum_fabric.documents import Inventory

STATUS_STYLE: Final = {
    "completed": "green", "refused": "yellow", "expired": "red", "failed": "red", "cancelled": "dim", "open": "cyan",
}  # fmt: skip

MOST_ROWS: Final = 40
"""Requests that a table on the screen shows; the report shows all."""


def console(*, stderr: bool = False) -> Console:
    """A console; as wide as a wide page where the output is a file or a pipe."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=132)


def progress_bar(out: Console) -> Progress:
    """A bar that goes away at the end; nothing where nobody looks.

    Where the output is a terminal too, lines and bar go through one console, or they would overwrite each other.

    Args:
        out: where lines go while the bar stands.
    """
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    shown = out if out.is_terminal else console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=shown, disable=not shown.is_terminal, transient=True,
    )  # fmt: skip


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table in the house style; the columns in ``right`` are numbers."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for name in columns:
        number = name in right
        made.add_column(name, justify="right" if number else "left", no_wrap=number, overflow="fold")
    return made


def request_table(rows: Sequence[Summary], *, most: int = MOST_ROWS) -> Table:
    """Asked (dim) against delivered, a row for each request; those that were not completed give their reason."""
    made = table(
        "Request", "Pairs", "Fidelity", "Rate /s", "Latency p50", "p99", "Outcome",
        right=("Pairs", "Fidelity", "Rate /s", "Latency p50", "p99"),
    )  # fmt: skip
    for row in rows[:most]:
        made.add_row(
            f"[bold]{plain(row.name)}[/]\n[dim]{plain(row.source)} → {plain(row.destination)}[/]",
            f"{row.delivered:,}\n[dim]of {row.asked_pairs:,}[/]",
            f"{_fidelity(row)}\n[dim]≥ {row.asked_fidelity:.4g}[/]",
            show_number(row.rate) + (f"\n[dim]≥ {show_number(row.asked_rate)}[/]" if row.asked_rate else ""),
            _time(row.latency_p50),
            _time(row.latency_p99),
            _outcome(row),
        )
    return made


def _fidelity(row: Summary) -> str:
    """Mean and half the width of its 95 % interval."""
    if row.fidelity is None:
        return "–"
    mean = row.fidelity
    value = f"[red]{mean.value:.4f}[/]" if mean.value < row.asked_fidelity else f"{mean.value:.4f}"
    half = (mean.high - mean.low) / 2
    width = f"{half:.4f}" if half >= 5e-5 else "<0.0001"
    return f"{value} ± {width}" if mean.samples > 1 else value


def _outcome(row: Summary) -> str:
    style = STATUS_STYLE.get(row.status, "")
    text = f"[{style}]{plain(row.status)}[/]" if style else plain(row.status)
    if row.reason and row.status != "completed":
        text += f"\n[dim]{plain(row.reason)}[/]"
    if row.offer:
        text += f"\n[dim]would be accepted:[/] {plain(row.offer)}"
    return text


def _time(time: Time | None) -> str:
    return "–" if time is None else show_wait(time)


def pair_line(pair: Delivered, of: int) -> str:
    r"""One delivered pair as a line, in markup.

    Examples:
        >>> from quantum_fabric.messages import Bell, PairId
        >>> print(pair_line(Delivered("r", 1, PairId("a", "b"), ("A", "B"), Bell.PSI_PLUS, .93, .92, .94, 0, 10**12, 0), 5))
        1.000000 s  A – B  Ψ+  fidelity 0.930 \[0.920, 0.940]  [dim]r 1/5[/]
    """
    return (
        f"{seconds(pair.delivered_at):.6f} s  {plain(pair.ends[0])} – {plain(pair.ends[1])}  {pair.bell.symbol}  "
        f"fidelity {pair.fidelity:.3f} \\[{pair.low:.3f}, {pair.high:.3f}]  "
        f"[dim]{plain(pair.request)} {pair.number}/{of}[/]"
    )


def show_refusal(out: Console, refused: Refused, command: str = "") -> None:
    """A refusal with its reason and, where there is one, its offer as something to type."""
    out.print(f"[yellow]refused[/] ({refused.code.value}): {plain(refused.reason)}")
    if refused.resource:
        out.print(f"what binds: {plain(refused.resource)}")
    best = refused.best
    if best is not None:
        out.print(
            f"best that was found: {show_number(best.rate)} pairs/s, fidelity {best.fidelity:.4f} (at least {best.fidelity_low:.4f}), "
            f"first pair after {show_wait(best.latency)}"
        )
    if refused.available is not None:
        out.print(f"what binds is likely free again after {show_wait(refused.available)}")
    offer = refused.offer
    if offer is None:
        out.print("no offer: nothing like it can be had here now")
        return
    parts = [f"fidelity {offer.fidelity:.4g}", f"{offer.pairs} pair{'s' if offer.pairs != 1 else ''}"]
    parts += [f"rate {offer.rate:.4g} /s"] if offer.rate else []
    parts += [f"deadline {show_time(offer.deadline, 6)}"] if offer.deadline is not None else []
    out.print(f"would be accepted: {', '.join(parts)}")
    if command:
        out.print(f"  [bold]{plain(command)}[/]")


def show_forecast(out: Console, plan: Plan) -> None:
    """What a plan is expected to give, with its errors."""
    forecast = plan.forecast
    error = f" ± {show_number(float(f'{forecast.rate_error:.2g}'))}" if forecast.rate_error else ""
    out.print(
        f"expected: [bold]{show_number(forecast.rate)}{error} pairs/s[/], fidelity [bold]{forecast.fidelity:.4f}[/] "
        f"(at least {forecast.fidelity_low:.4f}), first pair after {show_wait(forecast.latency)}"
    )


def fleeting(inventory: Inventory) -> list[str]:
    """One line for each link whose pairs no memory holds: how many there are, and what they are good for.

    Examples:
        >>> from quantum_fabric import documents
        >>> fleeting(documents.inventory(documents.load_network("lab")))
        []
    """
    said = []
    for name, link in inventory.links.items():
        if link.model.stores:
            continue
        straight = link.model.architecture == "direct_transmission"
        where, what = ("at one end", "results") if straight else ("at both ends", "coincidences")
        said.append(
            f"{name}: photons are measured {where}, no memory holds a pair: {show_number(link.pairs_per_second)} {what}/s "
            f"of fidelity {link.model.heralding().fidelity:.4f}, for keys and tests; no path can use them"
        )
    return said


def show_cautions(out: Console, cautions: Iterable[Caution]) -> None:
    """Where models are used outside of what they can say: each thing once, nothing where all is well."""
    for caution in dict.fromkeys(cautions):
        out.print(f"[yellow]caution[/] {plain(str(caution))}", soft_wrap=True)


def plain(text: str) -> str:
    r"""Text from outside, without power over the markup.

    Examples:
        >>> print(plain("[bold]x"))
        \[bold]x
    """
    from rich.markup import escape

    return escape(text)


def count(number: int, noun: str) -> str:
    """A number of things.

    Examples:
        >>> count(1, "link"), count(1000, "link")
        ('1 link', '1,000 links')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short_path(path: Sequence[str], most: int = 7) -> str:
    """A path for a cell of a table: its ends, and what fits between them.

    Examples:
        >>> short_path("ABC"), short_path("ABCDEFGHIJ", most=5)
        ('A – B – C', 'A – B – … 6 more … – I – J')
    """
    if len(path) <= most:
        return " – ".join(path)
    return " – ".join([*path[:2], f"… {len(path) - 4} more …", *path[-2:]])
