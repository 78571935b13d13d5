"""Figures of the validation page: the house style, and the pictures that several experiments share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from quantum_fabric.ops.plots import COLOURS, FLOOR, INK, STYLE, svg
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
FRAME: Final = 6.5
"""Tolerances that a `forest` shows to either side."""


def figure(result: Result) -> str:
    """The figure of one experiment as an SVG element; the same result gives the same bytes."""
    import matplotlib
    from matplotlib.figure import Figure as NewFigure

    style: Any = {
        **STYLE, "svg.hashsalt": result.file.name, "axes.titlesize": 10, "axes.titlelocation": "left",
        "legend.frameon": False, "legend.fontsize": 9,
    }  # fmt: skip
    with matplotlib.rc_context(style):
        made = NewFigure(figsize=(9.2, result.experiment.height), layout="constrained")
        made.patch.set_alpha(0.0)
        result.experiment.draw(result, made)
        for axes in made.axes:
            axes.patch.set_alpha(0.0)
        return svg(made)


def point(axes: Axes, x: float, row: Comparison, label: str | None = None) -> None:
    """A measured value with its error bar, in the unit of the result: a filled point if it was sourced, hollow if recalled.

    Without a label it is called what it is.
    """
    number = row.measured.number
    recalled = number.letter == "M"
    bar = number.error or number.rounding
    label = label or ("recalled" if recalled else "measured")
    if label in axes.get_legend_handles_labels()[1]:
        label = None  # once is enough
    axes.errorbar(
        [x], [number.value / number.factor], yerr=[bar / number.factor] if bar else None, fmt="o", ms=6, capsize=3,
        color=MEASURED, mfc="white" if recalled else MEASURED, label=label, zorder=5,
    )  # fmt: skip


def forest(result: Result, figure: Figure) -> None:
    """Every comparison on a line of its own, in units of its tolerance: 0 is the result, the grey band what passes.

    Where the tolerance is a factor, the scale is logarithmic: at 1 the prediction is too large by that factor.
    """
    axes = figure.add_subplot()
    rows = [row for row in result.comparisons if row.measured.tolerance.kind != "exact"]
    axes.axvspan(-1.0, 1.0, color="#e9edf1", lw=0, zorder=0)
    axes.axvline(0.0, color=MEASURED, lw=1.0)
    for place, row in enumerate(reversed(rows)):
        number = row.measured.number
        if number.error:
            ends = [_place(row, number.value + sign * number.error) for sign in (-1.0, 1.0)]
            axes.plot(ends, [place, place], color=MEASURED, lw=5, alpha=0.35, solid_capstyle="butt")
        if row.null is not None:
            at = _place(row, row.null)
            if abs(at) <= FRAME:
                axes.plot([at], [place], "D", ms=5, color=NULL, mfc="white")
            else:
                axes.annotate(
                    "▶" if at > 0 else "◀",
                    (math.copysign(FRAME, at), place),
                    color=NULL,
                    ha="center",
                    va="center",
                )
        low, middle, high = (
            _place(row, row.predicted + sign * row.predicted_error) for sign in (-1.0, 0.0, 1.0)
        )
        where = max(-FRAME, min(FRAME, middle))
        axes.errorbar(
            [where], [place], xerr=[[middle - low], [high - middle]], fmt="o", ms=6, capsize=3,
            color=MODEL if row.passed else FAILED,
        )  # fmt: skip
    labels = [_row_label(row) for row in reversed(rows)]
    axes.set_yticks(range(len(rows)), labels)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.grid(axis="y", visible=False)
    axes.set_xlim(-FRAME - 0.2, FRAME + 0.2)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(
        "predicted less measured, in tolerances (rates: logarithmic, 1 is the factor that is allowed)"
    )
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
    axes.set_xlabel("largest deviation; grey up to the tolerance")
    axes.plot([], [], "o", color=MODEL, label="model")
    axes.plot([], [], "D", color=NULL, mfc="white", label="null model")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)


def _place(row: Comparison, value: float) -> float:
    """Where a value stands, in tolerances from the result."""
    number, tolerance = row.measured.number, row.measured.tolerance
    away = value - number.value
    match tolerance.kind:
        case "relative":
            return away / (tolerance.value * abs(number.value))
        case "factor":
            ratio = value / number.value
            return math.log(ratio) / math.log(tolerance.value) if ratio > 0.0 else -math.inf
        case "sigmas":
            return away / (tolerance.value * math.hypot(row.predicted_error, number.error))
        case _:
            return away / (tolerance.value or abs(number.value))


def _row_label(row: Comparison) -> str:
    kind = {Standing.RECALLED: " (recalled)", Standing.FITTED: " (fitted)"}.get(row.standing, "")
    return row.measured.label + kind


def lines(axes: Axes, x: ArrayLike, model: Sequence[float], null: Sequence[float] | None = None) -> None:
    """A predicted curve, and that of the null model."""
    axes.plot(x, model, color=MODEL, lw=1.8, label="model")
    if null is not None:
        axes.plot(x, null, color=NULL, lw=1.4, ls=(0, (4, 2)), label="null model")
