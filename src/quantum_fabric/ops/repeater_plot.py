"""The figure of repeater schemes: rate and error of a delivered pair against distance, crossings marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quantum_fabric.ops.plots import COLOURS, FLOOR, INK, MUTED, _figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Curve:
    """One scheme over distances.

    Attributes:
        label: for people.
        kilometres: ascending.
        rates: pairs per second; 0 where the fidelity cannot be had.
        errors: 1 - fidelity of what is delivered; nan where nothing is known.
        plain: True for the scheme that the others are compared with.
    """

    label: str
    kilometres: Sequence[float]
    rates: Sequence[float]
    errors: Sequence[float]
    plain: bool = False


def write(
    path: str, curves: Sequence[Curve], allowed: float, marks: Sequence[tuple[str, float, float]], title: str
) -> None:
    """Draw the figure into a file; its ending chooses the format (svg, png, pdf).

    Args:
        path: of the file.
        curves: of at least one point each.
        allowed: the error (1 - fidelity) that was asked for at most.
        marks: (label, from, to) in km: where a code overtakes; a line where both are equal, a band otherwise.
        title: stands above the figure.

    Limits:
        A curve ends where its scheme cannot reach the fidelity; a hollow circle in the right panel shows what it offers instead.
    """
    with _figure(height=4.4, salt="repeaters") as (figure, first):
        first.remove()
        rate, error = figure.subplots(1, 2)
        figure.patch.set_facecolor("white")
        figure.patch.set_alpha(1.0)
        colours = iter(COLOURS[index % len(COLOURS)] for index in range(len(curves)))
        for curve in curves:
            _draw(rate, error, curve, INK if curve.plain else next(colours))
        for row, mark in enumerate(marks):
            _mark(rate, row, *mark)
        error.axhline(allowed, color=FLOOR, lw=1.2, ls=(0, (3, 2)), label="asked for, at most")
        for axes, text in ((rate, "pairs delivered per second"), (error, "1 − fidelity of a delivered pair")):
            axes.set_yscale("log")
            axes.set_xlabel("distance / km")
            axes.set_ylabel(text)
            axes.set_xlim(left=0.0)
        handles, labels = rate.get_legend_handles_labels()
        more = error.get_legend_handles_labels()
        figure.legend(
            [*handles, *more[0]], [*labels, *more[1]], frameon=False, ncols=5, fontsize=9, loc="outside upper center",
            title=title, title_fontsize=10,
        )  # fmt: skip
        metadata = {"Date": None} if path.endswith(".svg") else None  # the same data give the same bytes
        figure.savefig(path, dpi=150, metadata=metadata)


def _draw(rate: Axes, error: Axes, curve: Curve, colour: str) -> None:
    far, width = curve.kilometres, 2.4 if curve.plain else 1.6
    served = [index for index, value in enumerate(curve.rates) if value > 0.0]
    x, rates, errors = ([values[k] for k in served] for values in (far, curve.rates, curve.errors))
    rate.plot(x, rates, color=colour, lw=width, marker="o", ms=4.0, label=curve.label)
    error.plot(x, errors, color=colour, lw=width, marker="o", ms=4.0)
    missed = [k for k in range(len(far)) if k not in served and not math.isnan(curve.errors[k])]
    x, errors = ([values[k] for k in missed] for values in (far, curve.errors))
    error.plot(x, errors, ls="", marker="o", mfc="none", color=colour, ms=5.0)


def _mark(axes: Axes, row: int, label: str, low: float, high: float) -> None:
    if high > low:
        axes.axvspan(low, high, color=MUTED, alpha=0.10, lw=0)
    else:
        axes.axvline(low, color=MUTED, lw=1.0, ls=(0, (2, 2)))
    place = f"{low:.0f} km" if high == low else f"{low:.0f} to {high:.0f} km"
    axes.text(
        0.02, 0.03 + 0.06 * row, f"{label} overtakes at {place}", transform=axes.transAxes, fontsize=8, color=MUTED,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
    )  # fmt: skip
