"""How the controller's time for a request grows: with nodes, with active requests, with the links of the path.

    qfabric bench control/growth                    some minutes
    qfabric bench control/growth --keep             kept, with page and figure of the docs

The decisions are those of `benchmarks.control.latency`. An exponent is the slope of the least-squares line through the logarithms of
the medians, with its standard error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.control.latency import Scene, at_size
from benchmarks.processes import ROOT
from benchmarks.records import Row

if TYPE_CHECKING:
    from benchmarks.run import Run

FIGURE = ROOT / "docs" / "explanation" / "figures" / "decision-latency.png"

SIZES, LOADS = (100, 300, 1000, 3000, 10000), (50, 100, 200, 500, 1000, 2000)

Curve = dict[int, tuple[float, float, int]]
"""Over nodes, active requests or links: median and 99 % (ms of the processor), and how many decisions."""

LENGTHS = (1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90)
"""Beginnings of the bins of path lengths, in links."""

LEAST = 8
"""Decisions that a point must have."""

TITLES = {
    "nodes, near": "2 to 8 links apart",
    "nodes, any": "any two nodes",
    "active": "2 to 8 links apart",
    "links": "any two nodes",
}
"""What the requests of each curve are."""

LABELS = {
    "nodes, near": "nodes; requests 2 to 8 links apart",
    "nodes, any": "nodes; requests between any two",
    "active": "active requests at 1,000 nodes; 2 to 8 links apart",
    "links": "links of the path; between any two nodes",
}
"""The same for the page."""


def exponent(sizes: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Slope of the least-squares line through the logarithms, and its standard error."""
    x, y = np.log(sizes), np.log(values)
    (slope, start), centred = np.polyfit(x, y, 1), x - x.mean()
    rest = y - slope * x - start
    error = math.sqrt(float(rest @ rest) / (len(x) - 2) / float(centred @ centred))
    return float(slope), error


def _point(times: Sequence[float]) -> tuple[float, float, int]:
    median, most = np.quantile(times, (0.5, 0.99)) * 1e3
    return float(median), float(most), len(times)


def growth(
    count: int, sizes: Sequence[int] = SIZES, loads: Sequence[int] = LOADS, say: Callable[[str], None] = print
) -> dict[str, Curve]:
    """Decisions over sizes of networks, loads and lengths of paths.

    Args:
        count: decisions of each kind at each size.
        sizes: nodes, with half as many active requests but at most 500.
        loads: active requests at 1,000 nodes.
        say: told what is going on.
    """
    curves: dict[str, Curve] = {name: {} for name in TITLES}
    lengths: dict[int, list[float]] = {}
    for nodes in sizes:
        say(f"decisions at {nodes:,} nodes")
        found = at_size(nodes, min(500, nodes // 2), count)
        near, anywhere = found["2 to 8 links apart"], found["any two nodes"]
        curves["nodes, near"][nodes], curves["nodes, any"][nodes] = (
            _point(each.processor) for each in (near, anywhere)
        )
        if nodes >= 1000:
            for time_, hops in zip(anywhere.processor, anywhere.hops, strict=True):
                if hops:
                    lengths.setdefault(max(low for low in LENGTHS if low <= hops), []).append(time_)
    for active in loads:
        say(f"decisions with {active:,} active requests")
        scene = Scene(1000, active)
        scene.timed(scene.near(20))
        curves["active"][scene.active] = _point(scene.timed(scene.near(count)).processor)
    curves["links"] = {low: _point(times) for low, times in sorted(lengths.items()) if len(times) >= LEAST}
    return curves


def grown(curves: Mapping[str, Curve]) -> list[Row]:
    """A line for each curve: the exponent of its median, its standard error, and all its points."""
    lines = []
    for name, curve in curves.items():
        slope, error = exponent(list(curve), [median for median, _, _ in curve.values()])
        points = {str(at): list(values) for at, values in curve.items()}
        lines.append(
            Row(
                name=f"control/growth/{name}",
                quantity="exponent of the median",
                ours=slope,
                goal=None,
                details={"error": error, "points": points},
            )
        )
    return lines


def rows(run: Run) -> list[Row]:
    """Lines for `qfabric bench control`: how the time for a decision grows."""
    if run.quick:
        return grown(growth(20, (100, 300, 1000), (50, 200, 500), run.progress))
    return grown(growth(100, say=run.progress))


def plot(kept: Mapping[str, Any], figure: Path = FIGURE) -> None:
    """Draw the kept curves: nodes, active requests, links of the path."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    made, panels = pyplot.subplots(1, 3, figsize=(11, 4), sharey=True, layout="constrained")
    where = {"nodes, near": 0, "nodes, any": 0, "active": 1, "links": 2}
    labels = (
        "nodes of the network",
        "active requests, 1,000 nodes",
        "links of the path, 1,000 nodes and more",
    )
    for name, panel in where.items():
        row = kept[f"control/growth/{name}"]
        points = row["details"]["points"]
        at, axis = [int(each) for each in points], panels[panel]
        mark, colour = ("s", "C1") if "any" in TITLES[name] else ("o", "C0")
        told = f"{TITLES[name]}: median\n~ x^({row['ours']:.2f} ± {row['details']['error']:.2f}), x = {min(at):,} to {max(at):,}"
        for place, line, label in ((0, "-", told), (1, "--", "99 %")):
            values = [each[place] for each in points.values()]
            axis.loglog(
                at, values, mark + line, color=colour, mfc=None if place == 0 else "none", label=label
            )
        axis.set_xticks(at, [f"{each:,}" for each in at], fontsize=8)
        axis.minorticks_off()
    for axis, label in zip(panels, labels, strict=True):
        axis.axhline(5.0, color="grey", linestyle=":", linewidth=1, label="goal of the 99 % at 1,000 nodes")
        axis.set_xlabel(label)
        axis.grid(True, which="both", alpha=0.2)
        axis.yaxis.set_major_formatter("{x:g}")
        axis.legend(fontsize=7, loc="upper left")
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low, high * 6.0)  # room for the legends
    panels[0].set_ylabel("one decision, ms of one processor")
    figure.parent.mkdir(exist_ok=True)
    made.savefig(figure, dpi=110, metadata={"Software": None})
    pyplot.close(made)
