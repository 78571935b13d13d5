"""Figures of the validation page: the house style, and the pictures that several experiments share."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from quantum_fabric.ops.plots import COLOURS, FLOOR, INK, MUTED
from quantum_fabric.validation.comparison import Comparison, Standing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from quantum_fabric.validation.experiment import Result

MODEL: Final = COLOURS[0]
MEASURED: Final = INK
NULL: Final = COLOURS[1]
FAILED: Final = FLOOR


def figure(result: Result) -> str:
    """The figure of one experiment as an SVG element; the same result gives the same bytes."""
    import matplotlib
    from matplotlib.figure import Figure as NewFigure

    style: Any = {
        "svg.fonttype": "none", "svg.hashsalt": result.file.name, "font.family": "sans-serif", "font.size": 10,
        "text.color": INK, "axes.labelcolor": MUTED, "axes.edgecolor": "#c4cad1", "xtick.color": MUTED,
        "ytick.color": MUTED, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
        "grid.color": "#e8ebef", "grid.linewidth": 0.8, "axes.axisbelow": True, "axes.titlesize": 10,
        "axes.titlelocation": "left", "legend.frameon": False, "legend.fontsize": 9,
    }  # fmt: skip
    with matplotlib.rc_context(style):
        made = NewFigure(figsize=(9.2, result.experiment.height), layout="constrained")
        made.patch.set_alpha(0.0)
        result.experiment.draw(result, made)
        for axes in made.axes:
            axes.patch.set_alpha(0.0)
        return _svg(made)


def _svg(made: Figure) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    canvas: Any = FigureCanvasSVG(made)
    canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    start = text.index(">") + 1
    frame = re.sub(r' (?:xmlns(?::\w+)?|width|height|version)="[^"]*"', "", text[:start])
    return frame + text[start:]


def point(axes: Axes, x: float, row: Comparison, label: str | None = None) -> None:
    """A measured value with its error bar, in the unit of the result: a filled point if it was sourced, hollow if recalled."""
    number = row.measured.number
    recalled = number.letter == "M"
    bar = number.error or number.rounding
    axes.errorbar(
        [x], [number.value / number.factor], yerr=[bar / number.factor] if bar else None, fmt="o", ms=6, capsize=3,
        color=MEASURED, mfc="white" if recalled else MEASURED, label=label, zorder=5,
    )  # fmt: skip


def forest(result: Result, figure: Figure) -> None:
    """Every comparison on a line of its own, in units of its tolerance: 0 is the result, the grey band what passes."""
    axes = figure.add_subplot()
    rows = [row for row in result.comparisons if _scale(row) > 0.0]
    axes.axvspan(-1.0, 1.0, color="#e9edf1", lw=0, zorder=0)
    axes.axvline(0.0, color=MEASURED, lw=1.0)
    for place, row in enumerate(reversed(rows)):
        scale = _scale(row)
        number = row.measured.number
        bar = number.error / scale
        axes.plot([-bar, bar], [place, place], color=MEASURED, lw=5, alpha=0.35, solid_capstyle="butt")
        if row.null is not None:
            at = (row.null - number.value) / scale
            if abs(at) <= 6.0:
                axes.plot([at], [place], "D", ms=5, color=NULL, mfc="white")
            else:
                axes.annotate(
                    "▶" if at > 0 else "◀",
                    (math.copysign(5.8, at), place),
                    color=NULL,
                    ha="center",
                    va="center",
                )
        where = max(-6.0, min(6.0, row.residual / scale))
        axes.errorbar(
            [where], [place], xerr=[row.predicted_error / scale], fmt="o", ms=6, capsize=3,
            color=MODEL if row.passed else FAILED,
        )  # fmt: skip
    labels = [_row_label(row) for row in reversed(rows)]
    axes.set_yticks(range(len(rows)), labels)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.grid(axis="y", visible=False)
    axes.set_xlim(-6.2, 6.2)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("(predicted − measured) / tolerance")
    axes.plot([], [], "o", color=MODEL, label="model")
    axes.plot([], [], "D", color=NULL, mfc="white", label="null model (arrow: beyond the frame)")
    axes.plot([], [], color=MEASURED, lw=5, alpha=0.35, label="one sigma of the result")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3)


def ratios(result: Result, figure: Figure) -> None:
    """Deviations of exact comparisons on a logarithmic scale, each with its tolerance."""
    axes = figure.add_subplot()
    rows = list(reversed(result.comparisons))
    for place, row in enumerate(rows):
        tolerance = row.measured.tolerance.value
        deviation = max(abs(row.residual), 1e-17)
        axes.barh([place], [tolerance - 1e-18], left=[1e-18], height=0.62, color="#e9edf1", lw=0)
        axes.plot([deviation], [place], "o", color=MODEL if row.passed else FAILED, ms=6)
        if row.null is not None and row.null != row.measured.number.value:
            axes.plot(
                [abs(row.null - row.measured.number.value)], [place], "D", ms=5, color=NULL, mfc="white"
            )
    axes.set_xscale("log")
    axes.set_xlim(1e-17, 3.0)
    axes.set_yticks(range(len(rows)), [row.measured.label for row in rows])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("largest deviation (at the left edge: none); grey up to the tolerance")
    axes.plot([], [], "o", color=MODEL, label="model")
    axes.plot([], [], "D", color=NULL, mfc="white", label="null model")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)


def _scale(row: Comparison) -> float:
    number, tolerance = row.measured.number, row.measured.tolerance
    match tolerance.kind:
        case "relative":
            return tolerance.value * abs(number.value) + number.rounding
        case "factor":
            return (tolerance.value - 1.0) * abs(number.value)
        case "sigmas":
            return tolerance.value * math.hypot(row.predicted_error, number.error)
        case "absolute" | "at_least" | "at_most":
            return tolerance.value + number.rounding or abs(number.value)
        case _:
            return 0.0


def _row_label(row: Comparison) -> str:
    kind = {Standing.RECALLED: " (recalled)", Standing.FITTED: " (fitted)"}.get(row.standing, "")
    return row.measured.label + kind


def lines(axes: Axes, x: ArrayLike, model: Sequence[float], null: Sequence[float] | None = None) -> None:
    """A predicted curve, and that of the null model."""
    axes.plot(x, model, color=MODEL, lw=1.8, label="model")
    if null is not None:
        axes.plot(x, null, color=NULL, lw=1.4, ls=(0, (4, 2)), label="null model")
