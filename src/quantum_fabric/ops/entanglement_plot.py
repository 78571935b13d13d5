"""How many pairs live at each node against time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quantum_fabric.ops.plots import COLOURS, _figure, _time_unit
from quantum_fabric.units import Time, seconds

MOST = 8
"""Nodes that are drawn, those with most pairs at any time first: more curves cannot be told apart."""


def write(path: str, steps: Mapping[str, Sequence[tuple[Time, int]]], until: Time, title: str) -> int:
    """Draw the counts as steps into a file whose ending chooses the format (svg, png, pdf).

    Args:
        path: of the file.
        steps: for each node, (time in ps, how many pairs live there from then on), in order of time.
        until: end of the axis, ps.
        title: stands above the figure.

    Returns:
        How many nodes were drawn.
    """
    factor, unit = _time_unit(seconds(until))
    shown = sorted(steps, key=lambda node: (-max(count for _, count in steps[node]), node))[:MOST]
    with _figure(height=4.0, salt="entanglement") as (figure, axes):
        figure.patch.set_facecolor("white")
        figure.patch.set_alpha(1.0)
        for node, colour in zip(shown, COLOURS, strict=False):
            times = [0.0, *(seconds(at) * factor for at, _ in steps[node]), seconds(until) * factor]
            counts = [0, *(count for _, count in steps[node]), steps[node][-1][1]]
            axes.step(times, counts, where="post", color=colour, lw=1.3, label=node)
        axes.set_xlim(0.0, max(seconds(until) * factor, 1e-12))
        axes.set_ylim(bottom=0.0)
        axes.locator_params(axis="y", integer=True)
        axes.set_xlabel(f"time / {unit}")
        axes.set_ylabel("living pairs that end here")
        if shown:
            axes.legend(frameon=False, fontsize=8, ncols=2)
        figure.suptitle(title, fontsize=10)
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.endswith(".svg") else None)
    return len(shown)
