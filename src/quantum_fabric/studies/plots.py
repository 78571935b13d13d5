"""The plots of a study, in the house style: each is one ``<svg>`` element, or nothing where there is nothing to show.

The same table gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from quantum_fabric.ops.plots import COLOURS, FLOOR, INK, MUTED, STYLE, svg
from quantum_fabric.studies.design import Axis
from quantum_fabric.studies.outputs import Output
from quantum_fabric.studies.sensitivity import Index
from quantum_fabric.studies.tables import Line
from quantum_fabric.units import show

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CURVES: Final = 8
MAP: Final = "cividis"
"""Of heat maps: even in brightness, and the same to colour-blind readers."""


def curves(axis: Axis, by: Axis | None, out: Output, table: Sequence[Line], index: tuple[int, int]) -> str:
    """One output over one axis, a line for each value of another one, with intervals.

    Args:
        axis: to the right; numbers.
        by: a line each; None for one line.
        out: upwards.
        table: of the study.
        index: numbers of both axes (the second one is ignored where ``by`` is None).
    """
    groups: dict[Any, list[Line]] = {}
    for line in table:
        groups.setdefault(line.coordinates[index[1]] if by is not None else "", []).append(line)
    shown = list(groups.items())[:MOST_CURVES]
    if not any(math.isfinite(line.estimates[out.name].value) for _, rows in shown for line in rows):
        return ""
    with figure(3.6, f"curve-{out.name}") as (made, axes):
        for colour, (value, rows) in zip(_cycle(), shown):
            rows = sorted(rows, key=lambda line: line.coordinates[index[0]])
            known = [line for line in rows if math.isfinite(line.estimates[out.name].value)]
            x = [float(line.coordinates[index[0]]) / axis.factor for line in known]
            found = [line.estimates[out.name] for line in known]
            label = f"{by.label.split(' / ')[0]} {_shown(by, value)}" if by is not None else None
            axes.plot(x, [each.value for each in found], color=colour, marker="o", ms=4, lw=1.6, label=label)
            if any(math.isfinite(each.half) for each in found):
                axes.fill_between(
                    x,
                    [each.low for each in found],
                    [each.high for each in found],
                    color=colour,
                    alpha=0.18,
                    lw=0,
                )
        axes.set_xlabel(axis.label)
        axes.set_ylabel(_label(out))
        _scaled(axes, axis, out, [line.estimates[out.name].value for line in table])
        if by is not None:
            axes.legend(frameon=False, fontsize=9, ncols=4, loc="lower left", bbox_to_anchor=(0.0, 1.0))
        return svg(made)


def heat_map(across: Axis, up: Axis, out: Output, table: Sequence[Line], index: tuple[int, int]) -> str:
    """One output over two grids; what has no value is left white, and each field says its number where there is room."""
    import numpy as np

    columns, rows = ([axis.number(value) for value in axis.values or ()] for axis in (across, up))
    field = np.full((len(rows), len(columns)), np.nan)
    for line in table:
        field[rows.index(line.coordinates[index[1]]), columns.index(line.coordinates[index[0]])] = (
            line.estimates[out.name].value
        )
    field[~np.isfinite(field)] = np.nan
    if not np.isfinite(field).any() or np.nanmin(field) == np.nanmax(field):
        return ""  # one colour says nothing that the table does not
    with figure(1.5 + 0.42 * min(len(rows), 14), f"heat-{out.name}") as (made, axes):
        from matplotlib.colors import LogNorm

        low, high = float(np.nanmin(field)), float(np.nanmax(field))
        wide = low > 0.0 and high / low > 30.0
        image = axes.imshow(
            field, aspect="auto", origin="lower", cmap=MAP, norm=LogNorm(low, high) if wide else None
        )
        axes.set_xticks(
            range(len(columns)),
            [_shown(across, value) for value in columns],
            rotation=30 if len(columns) > 8 else 0,
        )
        axes.set_yticks(range(len(rows)), [_shown(up, value) for value in rows])
        axes.set_xlabel(across.label.split(" / ")[0])
        axes.set_ylabel(up.label.split(" / ")[0])
        axes.grid(visible=False)
        if len(rows) * len(columns) <= 120:
            _numbers(axes, field, image)
        made.colorbar(image, ax=axes, label=_label(out), pad=0.015)
        return svg(made)


def _numbers(axes: Axes, field: Any, image: Any) -> None:
    for row in range(field.shape[0]):
        for column in range(field.shape[1]):
            value = float(field[row, column])
            if math.isfinite(value):
                dark = float(image.norm(value)) < 0.55
                text = f"{value:.3g}"
                axes.text(
                    column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else INK
                )


def front(points: Sequence[tuple[float, float]], better: tuple[str, str]) -> list[int]:
    """Numbers of the points that no other point beats in both ways, in the order of the first.

    Args:
        points: two numbers each; those that are not numbers are on no front.
        better: ``"high"`` or ``"low"`` for each of the two.

    Examples:
        >>> front([(1, 5), (2, 4), (1.5, 3), (3, 1)], ("high", "high"))
        [0, 1, 3]
    """
    signs = [1.0 if way == "high" else -1.0 for way in better]
    known = [n for n, point in enumerate(points) if all(math.isfinite(value) for value in point)]
    order = sorted(known, key=lambda n: (-signs[0] * points[n][0], -signs[1] * points[n][1]))
    found: list[int] = []
    best = -math.inf
    for n in order:
        height = signs[1] * points[n][1]
        if height > best:
            found.append(n)
            best = height
    return sorted(found, key=lambda n: points[n][0])


def pareto(a: Output, b: Output, table: Sequence[Line]) -> str:
    """Every point by two outputs, and the front of those that none beats in both."""
    points = [(line.estimates[a.name].value, line.estimates[b.name].value) for line in table]
    best = front(points, (a.better, b.better))
    if len(best) < 2:
        return ""
    with figure(3.8, f"front-{a.name}-{b.name}") as (made, axes):
        known = [point for point in points if all(math.isfinite(value) for value in point)]
        axes.plot(*zip(*known), ls="", marker="o", ms=4, color=MUTED, alpha=0.5, label="a point")
        axes.plot(
            *zip(*(points[n] for n in best)),
            marker="o",
            ms=5,
            lw=1.4,
            color=COLOURS[0],
            label="beaten by none",
        )
        for n in best[:: max(1, len(best) // 10)]:
            axes.annotate(
                str(table[n].point), points[n], (5, 4), textcoords="offset points", fontsize=8, color=INK
            )
        axes.set_xlabel(_label(a))
        axes.set_ylabel(_label(b))
        for scale, out, values in (
            (axes.set_xscale, a, [p[0] for p in known]),
            (axes.set_yscale, b, [p[1] for p in known]),
        ):
            if _wide(out, values):
                scale("log")
        axes.legend(frameon=False, fontsize=9, ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0))
        return svg(made)


def sensitivity(found: Sequence[Index], names: dict[str, str], out: Output) -> str:
    """First-order and total indices of one output as bars with intervals, the most important thing on top."""
    rows = sorted((index for index in found if index.output == out.name), key=lambda index: index.total.value)
    if not rows:
        return ""
    with figure(1.2 + 0.5 * len(rows), f"sobol-{out.name}") as (made, axes):
        for shift, colour, label, part in ((0.2, COLOURS[0], "alone (first order)", "first"),
                                           (-0.2, COLOURS[1], "with all it acts together with (total)", "total")):  # fmt: skip
            places = [number + shift for number in range(len(rows))]
            values = [getattr(index, part) for index in rows]
            axes.barh(places, [value.value for value in values], height=0.36, color=colour, lw=0, label=label)
            for place, value in zip(places, values):
                axes.plot([value.low, value.high], [place, place], color=INK, lw=1.1)
        axes.set_yticks(range(len(rows)), [names.get(index.path, index.path) for index in rows])
        axes.axvline(0.0, color=INK, lw=0.8)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"share of the variance of {out.name}")
        axes.legend(frameon=False, fontsize=9, ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0))
        return svg(made)


def steps(rows: Sequence[tuple[str, float, str]]) -> str:
    """How far each parameter goes from what it is to the best that can be had, and what it costs there.

    Args:
        rows: name, share of the way in [0, 1], text beside the bar.
    """
    if not rows:
        return ""
    with figure(1.0 + 0.42 * len(rows), "steps") as (made, axes):
        places = list(range(len(rows)))[::-1]
        axes.barh(places, [1.0] * len(rows), height=0.5, color="#eceff3", lw=0)
        axes.barh(places, [share for _, share, _ in rows], height=0.5, color=COLOURS[0], lw=0)
        for place, (_, share, text) in zip(places, rows):
            axes.annotate(
                text, (max(share, 0.0), place), (6, 0), textcoords="offset points", va="center", fontsize=9
            )
        axes.set_yticks(places, [name for name, _, _ in rows])
        axes.set_xlim(0.0, 1.0)
        axes.set_xticks([0.0, 1.0], ["as it is", "best that can be had"])
        axes.axvline(1.0, color=FLOOR, lw=1.0, ls=(0, (3, 2)))
        axes.grid(visible=False)
        return svg(made)


@contextmanager
def figure(height: float, salt: str) -> Iterator[tuple[Figure, Axes]]:
    """A bare figure in the house style."""
    import matplotlib
    from matplotlib.figure import Figure as NewFigure

    with matplotlib.rc_context({**STYLE, "svg.hashsalt": salt}):
        made = NewFigure(figsize=(9.2, height), layout="constrained")
        made.patch.set_alpha(0.0)
        axes = made.add_subplot()
        axes.patch.set_alpha(0.0)
        yield made, axes


def _scaled(axes: Axes, axis: Axis, out: Output, values: Sequence[float]) -> None:
    if axis.log:
        axes.set_xscale("log")
    if _wide(out, values):
        axes.set_yscale("log")


def _wide(out: Output, values: Sequence[float]) -> bool:
    """Whether values are so far apart that only a logarithm shows them all."""
    known = [value for value in values if math.isfinite(value)]
    return out.kind != "fraction" and bool(known) and min(known) > 0.0 and max(known) / min(known) > 30.0


def _label(out: Output) -> str:
    unit = {"time": "s", "frequency": "bit/s" if out.name == "key_rate" else "pairs/s"}.get(out.kind, "")
    return f"{out.name.replace('_', ' ')}{f' / {unit}' if unit else ''}"


def _shown(axis: Axis, value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.4g}" if axis.kind == "fraction" else show(value, axis.kind, 3)


def _cycle() -> Iterator[str]:
    while True:
        yield from COLOURS
