"""The plots of a report, made by matplotlib and put into the page as SVG with its text as text.

Every function takes `Group` records and returns one ``<svg>`` element, or an empty string where there is nothing to show.
The same data give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from quantum_fabric.ops.losses import PHASES
from quantum_fabric.ops.summary import show_wait
from quantum_fabric.units import from_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK: Final = "#1d2733"
MUTED: Final = "#667085"
FLOOR: Final = "#b4341f"
COLOURS: Final = ("#1f5f8b", "#d98a1f", "#2f8f6b", "#a3477f", "#5b6bbf", "#8a6d3b", "#3aa0b5", "#7a7f87")
"""Told apart also by most colour-blind readers; groups are labelled directly as well."""

PHASE_COLOURS: Final = dict(zip(PHASES, ("#c9ccd1", "#9aa3ad", "#1f5f8b", "#8fb8d6", "#d98a1f")))
LOSS_COLOURS: Final = {
    "elementary pairs": "#1f5f8b",
    "memory": "#8fb8d6",
    "operations, net of purification": "#d98a1f",
}

STYLE: Final[Any] = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10,
    "text.color": INK, "axes.labelcolor": MUTED, "axes.edgecolor": "#c4cad1", "xtick.color": MUTED,
    "ytick.color": MUTED, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#e8ebef", "grid.linewidth": 0.8, "axes.axisbelow": True,
}  # fmt: skip
"""The house style of figures, as matplotlib's settings; a salt for the names inside an SVG comes on top."""


@dataclass(slots=True)
class Group:
    """One request, or several that are shown together.

    Attributes:
        label: for people.
        submitted: first submission, in s.
        delivered: moments of delivery in s, ascending.
        fidelities: true fidelities of the consumed pairs.
        floors: fidelities that were asked for.
        time: mean seconds per pair in each of `PHASES`; None without pairs.
        fidelity: mean loss by elementary pairs, memory and operations; None without known pairs.
        truths: moment (s) and true fidelity of the pairs that were handed over and used, in order of time.
    """

    label: str
    submitted: float = 0.0
    delivered: list[float] = field(default_factory=list)
    fidelities: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
    time: tuple[float, ...] | None = None
    fidelity: tuple[float, float, float] | None = None
    truths: list[tuple[float, float]] = field(default_factory=list)


def delivery(groups: Sequence[Group], until: float) -> str:
    """Pairs delivered up to each moment, one line a group.

    Args:
        groups: to be shown; those without pairs are left out.
        until: end of the run in s.
    """
    shown = [group for group in groups if group.delivered]
    if not shown:
        return ""
    last = max(group.delivered[-1] for group in shown)
    until = until if last > 0.5 * until else min(until, 1.12 * last)  # an idle rest says nothing
    factor, unit = _time_unit(until)
    with _figure(height=3.5, salt="delivery") as (figure, axes):
        for colour, group in zip(_cycle(), shown):
            times = [group.submitted, *group.delivered, max(until, group.delivered[-1])]
            counts = [*range(len(group.delivered) + 1), len(group.delivered)]
            axes.step(
                [t * factor for t in times], counts, where="post", color=colour, lw=1.8, label=group.label
            )
        axes.set_xlabel(f"time / {unit}")
        axes.set_ylabel("pairs delivered")
        axes.set_xlim(0, until * factor)
        axes.set_ylim(bottom=0)
        columns = max(1, min(4, 96 // (max(len(group.label) for group in shown) + 8)))
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize=9, ncols=columns)
        return svg(figure)


def fidelities(groups: Sequence[Group]) -> str:
    """Distribution of the true fidelity of the pairs, one row a group, with the fidelity that was asked for."""
    import numpy as np

    shown = [group for group in groups if group.fidelities]
    if not shown:
        return ""
    values = [value for group in shown for value in (*group.fidelities, *group.floors)]
    low, high = min(values), max(values)
    margin = max(0.06 * (high - low), 0.002)
    low, high = max(0.0, low - margin), min(1.0, high + margin)
    edges = np.linspace(low, high, 61)
    with _figure(height=0.9 + 0.62 * len(shown), salt="fidelity") as (figure, axes):
        for row, (colour, group) in enumerate(zip(_cycle(), shown)):
            base = len(shown) - 1 - row
            counts, _ = np.histogram(group.fidelities, edges)
            tall = 0.74 * counts / counts.max()
            axes.stairs(base + tall, edges, baseline=base, fill=True, color=colour, alpha=0.75, lw=0)
            mean = float(np.mean(group.fidelities))
            axes.plot([mean, mean], [base, base + 0.8], color=INK, lw=1.4, label="mean" if row == 0 else None)
            for floor in sorted(set(group.floors)):
                label = "asked for" if row == 0 and floor == min(group.floors) else None
                axes.plot(
                    [floor, floor],
                    [base - 0.04, base + 0.86],
                    color=FLOOR,
                    lw=1.4,
                    ls=(0, (3, 2)),
                    label=label,
                )
        _rows(axes, [group.label for group in shown])
        axes.set_xlim(low, high)
        axes.set_ylim(-0.15, len(shown) + 0.05)
        axes.set_xlabel("true fidelity of a delivered pair")
        axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0), fontsize=9)
        return svg(figure)


def drift(groups: Sequence[Group], calibrations: Sequence[float]) -> str:
    """True fidelity over time: the mean of each fiftieth of the run, and its lowest and highest; calibrations are marked.

    Args:
        groups: to be shown; those without known pairs are left out.
        calibrations: their ends, s.
    """
    shown = [group for group in groups if group.truths]
    if not shown:
        return ""
    first, last = (edge(at for group in shown for at, _ in group.truths) for edge in (min, max))
    width = (last - first) / 50 or 1.0
    factor, unit = _time_unit(last)
    with _figure(height=3.5, salt="drift") as (figure, axes):
        for number, at in enumerate(at for at in calibrations if first <= at <= last):
            label = "calibrated" if number == 0 else None
            axes.axvline(at * factor, color=FLOOR, lw=0.9, ls=(0, (3, 2)), label=label)
        for colour, group in zip(_cycle(), shown):
            bins: dict[int, list[tuple[float, float]]] = {}
            for at, value in group.truths:
                bins.setdefault(min(int((at - first) / width), 49), []).append((at * factor, value))
            rows = [list(zip(*bins[number])) for number in sorted(bins)]
            times = [sum(moments) / len(moments) for moments, _ in rows]
            lowest, highest = [min(row) for _, row in rows], [max(row) for _, row in rows]
            axes.fill_between(times, lowest, highest, color=colour, alpha=0.18, lw=0)
            means = [sum(row) / len(row) for _, row in rows]
            axes.plot(times, means, color=colour, lw=1.6, marker=".", ms=4, label=group.label)
        axes.set_xlabel(f"time / {unit}")
        axes.set_ylabel("true fidelity")
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize=9, ncols=4)
        return svg(figure)


def time_lost(groups: Sequence[Group]) -> str:
    """Share of each phase in the time of a delivered pair, one stacked bar a group, its mean time beside it."""
    shown = [group for group in groups if group.time is not None and sum(group.time) > 0.0]
    totals = [sum(group.time or ()) for group in shown]
    bars = {
        phase: [(group.time or ())[index] / total for group, total in zip(shown, totals)]
        for index, phase in enumerate(PHASES)
    }
    notes = [f"{show_wait(from_seconds(total))} a pair" for total in totals]
    return _stacked(
        shown, bars, PHASE_COLOURS, "share of the mean time per delivered pair / %", "time", notes
    )


def fidelity_lost(groups: Sequence[Group]) -> str:
    """Mean loss of fidelity of a delivered pair by cause, one stacked bar a group; a gain points to the left."""
    shown = [group for group in groups if group.fidelity is not None]
    bars = {
        cause: [(group.fidelity or (0.0, 0.0, 0.0))[index] for group in shown]
        for index, cause in enumerate(LOSS_COLOURS)
    }
    return _stacked(shown, bars, LOSS_COLOURS, "mean loss of fidelity / percentage points", "loss")


def _stacked(
    shown: Sequence[Group],
    bars: dict[str, list[float]],
    colours: dict[str, str],
    title: str,
    salt: str,
    notes: Sequence[str] = (),
) -> str:
    """Horizontal bars in percent, what is negative to the left; `notes` stand to the right of the bars."""
    if not shown:
        return ""
    with _figure(height=1.05 + 0.42 * len(shown), salt=salt) as (figure, axes):
        rows = [len(shown) - 1 - row + 0.4 for row in range(len(shown))]
        right, left = [0.0] * len(shown), [0.0] * len(shown)
        for name, values in bars.items():
            scaled = [100.0 * value for value in values]
            starts = [high if value >= 0 else low for value, high, low in zip(scaled, right, left)]
            axes.barh(rows, scaled, left=starts, height=0.56, color=colours[name], label=name, lw=0)
            right = [high + max(value, 0.0) for value, high in zip(scaled, right)]
            left = [low + min(value, 0.0) for value, low in zip(scaled, left)]
        for row, end, note in zip(rows, right, notes):
            axes.annotate(note, (end, row), (6, 0), textcoords="offset points", va="center", fontsize=9)
        _rows(axes, [group.label for group in shown])
        axes.axvline(0.0, color=INK, lw=0.8)
        axes.set_ylim(-0.1, len(shown) - 0.1)
        if notes:
            axes.set_xlim(0.0, 116.0)
            axes.set_xticks(range(0, 101, 20))
        axes.set_xlabel(title)
        axes.legend(
            frameon=False, ncols=5, loc="lower right", bbox_to_anchor=(1.0, 1.0), fontsize=9, handlelength=1.0,
            columnspacing=1.2,
        )  # fmt: skip
        return svg(figure)


def _rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks([len(labels) - 1 - row + 0.4 for row in range(len(labels))], labels)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", visible=False)


def _cycle() -> Iterator[str]:
    while True:
        yield from COLOURS


def _time_unit(longest: float) -> tuple[float, str]:
    return next(((f, u) for f, u in ((1.0, "s"), (1e3, "ms"), (1e6, "us")) if longest * f >= 1), (1e9, "ns"))


@contextmanager
def _figure(height: float, salt: str) -> Iterator[tuple[Figure, Axes]]:
    """A bare figure in the house style, without pyplot and its global state."""
    import matplotlib
    from matplotlib.figure import Figure as NewFigure

    with matplotlib.rc_context({**STYLE, "svg.hashsalt": salt}):
        figure = NewFigure(figsize=(9.2, height), layout="constrained")
        figure.patch.set_alpha(0.0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0.0)
        yield figure, axes


def svg(figure: Figure) -> str:
    """The figure as an element of a page: no XML declaration, no addresses, and no size but that of its frame."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    start = text.index(">") + 1
    frame = re.sub(r' (?:xmlns(?::\w+)?|width|height|version)="[^"]*"', "", text[:start])
    return frame + text[start:]
