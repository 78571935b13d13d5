"""``qfabric repeaters``: repeaters that tell each other what failed, beside repeaters that correct errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from quantum_fabric.network.crossover import Crossing, Point

DISTANCES = ("50 km", "100 km", "200 km", "400 km")

EPILOG = """\b
Examples:
  qfabric repeaters
  qfabric repeaters --t2 "50 ms" --distance "50 km" --distance "100 km" --distance "200 km"
  qfabric repeaters --code steane --code bacon-shor --memories 96 --fidelity 0.99 --out repeaters.png

\b
Codes:
  bare                 none at all (the null model: one-way, but nothing corrected)
  repetition-3, -5     against bit flips
  phase-repetition-3, -5
                       against phase flips
  steane               [[7,1,3]]
  bacon-shor           [[9,1,3]]

Every scheme has the same fibre, devices and number of memories in each node. Codes need the extra: pip install 'quantum-fabric[codes]'
"""


@click.command("repeaters", epilog=EPILOG)
@click.option(
    "--distance", "-l", "distances", metavar="LENGTH", multiple=True, help='Fibre between the ends, such as "200 km"; may be repeated.'
)  # fmt: skip
@click.option(
    "--fidelity", "-f", type=float, default=0.95, show_default=True, help="Least fidelity of each pair."
)
@click.option(
    "--code",
    "-c",
    "codes",
    multiple=True,
    default=("bare", "phase-repetition-3", "steane"),
    show_default=True,
    help="May be repeated.",
)
@click.option(
    "--hardware", type=click.Choice(["today", "lab-best", "future"]), default="future", show_default=True, help="Devices of the chain."
)  # fmt: skip
@click.option("--memories", "-m", type=int, default=64, show_default=True, help="Memory slots of each node.")
@click.option(
    "--t2",
    metavar="TIME",
    help='Coherence time of the memories instead of the data sheet\'s, such as "50 ms".',
)
@click.option(
    "--out",
    "-o",
    default="repeaters.svg",
    show_default=True,
    metavar="FILE",
    help="The figure: .svg, .png or .pdf.",
)
def command(
    distances: tuple[str, ...], fidelity: float, codes: tuple[str, ...], hardware: str, memories: int, t2: str | None,
    out: str,
) -> int:  # fmt: skip
    """Compare rate and error of two-way and encoded repeaters over distance, and find where they cross."""
    from quantum_fabric.api import Line
    from quantum_fabric.cli.screen import console
    from quantum_fabric.control.sense import check_request
    from quantum_fabric.errors import InputError
    from quantum_fabric.messages import LinkRequest
    from quantum_fabric.network.crossover import compare, crossings
    from quantum_fabric.units import parse

    check_request(LinkRequest("Alice", "Bob", fidelity))
    if not out.endswith((".svg", ".png", ".pdf")):
        raise InputError(repr(out), "a file that ends with .svg, .png or .pdf", "--out")
    metres = sorted({parse(text, "length") for text in distances or DISTANCES})
    if not metres[0] > 0.0:
        raise InputError(repr(metres[0]), "a distance above 0", "--distance")
    overrides = {"memory.t2": t2} if t2 else {}
    points = compare(
        lambda length: Line(length, hardware, "Alice", "Bob", memories, overrides).topology,
        metres, fidelity, tuple(dict.fromkeys(codes)),
    )  # fmt: skip
    screen = console()
    found = crossings(points)
    screen.print(f"pairs of mean fidelity {fidelity:g} or more")
    screen.print(_table(points))
    screen.print()
    for line in (*refusals(points), *verdicts(points, found)):
        screen.print(line, highlight=False)
    title = f"{hardware} hardware, {memories} memories a node, fidelity at least {fidelity:g}" + (
        f", T2 {t2}" if t2 else ""
    )
    draw(out, points, found, 1.0 - fidelity, title)
    screen.print(f"figure: {out}")
    return 0


def verdicts(points: list[Point], found: list[Crossing]) -> list[str]:
    """What the comparison says, one line for each code; that nothing crosses is said too."""
    from quantum_fabric.network.crossover import LEAST, TWO_WAY
    from quantum_fabric.units import show

    last = max(point.metres for point in points)
    lines = []
    for scheme in dict.fromkeys(point.scheme for point in points if point.scheme != TWO_WAY):
        own = [point for point in points if point.scheme == scheme]
        two = {point.metres: point.rate for point in points if point.scheme == TWO_WAY}
        ahead = [point for point in own if point.rate >= LEAST and point.rate > two[point.metres]]
        crossing = next((each for each in found if each.scheme == scheme), None)
        if crossing is not None:
            between = f"between {show(crossing.low, 'length', 3)} and {show(crossing.high, 'length', 3)}"
            about = f", at about {show(crossing.at, 'length', 2)}" if crossing.at is not None else ""
            lines.append(f"{scheme} overtakes the two-way scheme {between}{about}")
        elif ahead:
            lines.append(f"{scheme} is ahead of the two-way scheme from the shortest distance on")
        else:
            lines.append(f"{scheme} never overtakes the two-way scheme up to {show(last, 'length', 3)}")
    return lines


def draw(path: str, points: list[Point], found: list[Crossing], allowed: float, title: str) -> None:
    """Write the figure."""
    from quantum_fabric.network.crossover import LEAST, TWO_WAY
    from quantum_fabric.ops.repeater_plot import Curve, write

    curves = []
    for scheme in dict.fromkeys(point.scheme for point in points):
        own = [point for point in points if point.scheme == scheme]
        label = {"bare": "bare (no code)", TWO_WAY: "two-way, purified"}.get(scheme, scheme)
        curves.append(
            Curve(
                label,
                [point.metres / 1000.0 for point in own],
                [point.rate if point.rate >= LEAST else 0.0 for point in own],
                [point.error for point in own],
                scheme == TWO_WAY,
            )
        )
    marks = [(each.scheme, (each.at or each.low) / 1000.0, (each.at or each.high) / 1000.0) for each in found]
    write(path, curves, allowed, marks, title)


def _table(points: list[Point]) -> object:
    from quantum_fabric.cli.screen import table
    from quantum_fabric.units import show

    rows = table(
        "Distance", "Scheme", "Segments", "Rate /s", "Mean error",
        right=("Distance", "Segments", "Rate /s", "Mean error"),
    )  # fmt: skip
    before = 0.0
    for point in points:
        place = show(point.metres, "length", 4) if point.metres != before else ""
        before = point.metres
        numbers = (
            (str(point.segments), f"{point.rate:.3g}", f"{point.error:.4f}")
            if point.rate > 0.0
            else ("–",) * 3
        )
        rows.add_row(place, point.scheme, *numbers)
    return rows


def refusals(points: list[Point]) -> list[str]:
    """Why a scheme gives nothing, one line for each."""
    from quantum_fabric.network.crossover import LEAST
    from quantum_fabric.units import show

    lines = []
    for point in points:
        if point.rate >= LEAST:
            continue
        why = point.reason or f"{point.rate:.1g} pairs/s, counted as none"
        lines.append(f"{point.scheme} over {show(point.metres, 'length', 4)}: {why}")
    return lines
