"""Waiting times that were sampled, drawn as the share that takes longer: the tail is where the surprises are."""

from __future__ import annotations

from collections.abc import Sequence

from quantum_fabric.ops.plots import COLOURS, _figure, _time_unit

POINTS = 2000
"""Steps of a curve at most; of more times, these are picked."""


def write(path: str, named: Sequence[tuple[str, Sequence[float]]], what: str, title: str) -> None:
    """Draw the share of waits that are longer, on a logarithmic scale, into a file whose ending chooses the format (svg, png, pdf).

    Args:
        path: of the file.
        named: name and waiting times (s) of each curve.
        what: the times are of.
        title: stands above the figure.
    """
    factor, unit = _time_unit(max((max(times) for _, times in named if times), default=1.0))
    with _figure(height=4.0, salt="waiting") as (figure, axes):
        figure.patch.set_facecolor("white")
        figure.patch.set_alpha(1.0)
        for (name, times), colour in zip(named, COLOURS * len(named), strict=False):
            rising = sorted(times)
            places = (
                sorted({round(k * (len(rising) - 1) / POINTS) for k in range(POINTS + 1)}) if rising else []
            )
            later = [1.0 - place / len(rising) for place in places]
            axes.step(
                [0.0, *(rising[k] * factor for k in places)],
                [1.0, *later],
                where="post",
                color=colour,
                lw=1.6,
                label=name,
            )
        axes.set_yscale("log")
        axes.set_xlim(left=0.0)
        axes.set_xlabel(f"{what} / {unit}")
        axes.set_ylabel("share that takes longer")
        if len(named) > 1:
            axes.legend(frameon=False, fontsize=8)
        figure.suptitle(title, fontsize=10)
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.endswith(".svg") else None)
