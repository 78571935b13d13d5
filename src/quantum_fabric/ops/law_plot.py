"""The figure of a forecast: when the first pair comes, and how good the pairs are that come then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantum_fabric.messages import Forecast
from quantum_fabric.ops.plots import COLOURS, FLOOR, INK, MUTED, _figure, _time_unit
from quantum_fabric.units import seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write(path: str, forecast: Forecast, asked: float, deadline: float | None, title: str) -> None:
    """Draw the law of a forecast into a file; its ending chooses the format (svg, png, pdf).

    Args:
        path: of the file.
        forecast: with a law.
        asked: least fidelity of the request.
        deadline: of the request, s; None without one.
        title: stands above the figure.
    """
    law = forecast.law
    if law is None:
        return
    factor, unit = _time_unit(seconds(law.times[-1]))
    times = [seconds(time) * factor for time in law.times]
    with _figure(height=4.0, salt="law") as (figure, first):
        first.remove()
        when, good = figure.subplots(1, 2)
        figure.patch.set_facecolor("white")
        figure.patch.set_alpha(1.0)
        _when(when, times, law.shares, seconds(forecast.latency) * factor)
        _good(good, times, law.fidelities, forecast, asked)
        for axes in (when, good):
            axes.set_xlabel(f"time from the request / {unit}")
            axes.set_xlim(left=0.0)
            if deadline is not None:
                axes.axvline(deadline * factor, color=FLOOR, lw=1.0, ls=(0, (3, 2)))
        figure.suptitle(title, fontsize=10)
        metadata = {"Date": None} if path.endswith(".svg") else None  # the same data give the same bytes
        figure.savefig(path, dpi=150, metadata=metadata)


def _when(axes: Axes, times: list[float], shares: tuple[float, ...], mean: float) -> None:
    """What is still waited for, on a logarithmic scale, so that the tail shows."""
    later = [1.0 - share for share in shares]
    last = next((k for k, value in enumerate(later) if value <= 0.0), len(later))
    axes.plot(times[:last], later[:last], color=COLOURS[0], lw=1.8, marker="o", ms=3.0)
    axes.axvline(mean, color=MUTED, lw=1.0)
    axes.annotate("mean", (mean, 1.0), color=MUTED, fontsize=8, xytext=(3, -9), textcoords="offset points")
    axes.set_yscale("log")
    axes.set_ylim(max(1e-6, min([*later[:last], 0.01]) / 2.0), 1.3)
    axes.set_ylabel("probability that the first pair is not there yet")


def _good(
    axes: Axes, times: list[float], fidelities: tuple[float, ...], forecast: Forecast, asked: float
) -> None:
    axes.plot(times, fidelities, color=COLOURS[1], lw=1.8, marker="o", ms=3.0, label="mean, first pair")
    axes.axhline(forecast.fidelity, color=INK, lw=1.0, label="mean, steady state")
    if forecast.law is not None and forecast.law.low_fidelities[1] > 0.0:
        axes.axhline(
            forecast.law.low_fidelities[1], color=MUTED, lw=1.0, ls=":", label="19 of 20 reach, steady state"
        )
    axes.axhline(asked, color=FLOOR, lw=1.2, ls=(0, (3, 2)), label="asked for")
    axes.set_ylabel("fidelity of a pair delivered then")
    axes.legend(frameon=False, fontsize=8)
