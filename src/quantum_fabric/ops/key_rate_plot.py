"""Key rate against distance: the figure, and the same numbers as a table on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quantum_fabric.ops.plots import COLOURS, INK, MUTED, _figure
from quantum_fabric.ops.tables import write_text


@dataclass(frozen=True, slots=True)
class RateCurve:
    """One protocol over distances.

    Attributes:
        name: of the protocol.
        title: for people.
        kilometres: ascending.
        rates: secret bits for each pulse; 0 where there is no key.
        bound: True for a bound.
        finite: True for finite blocks.
    """

    name: str
    title: str
    kilometres: Sequence[float]
    rates: Sequence[float]
    bound: bool = False
    finite: bool = False


def write_figure(path: str, curves: Sequence[RateCurve], title: str) -> None:
    """Draw the curves into a file; its ending chooses the format (svg, png, pdf).

    Args:
        path: of the file.
        curves: at least one; bounds are drawn grey, finite blocks dashed.
        title: stands above the figure.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "rates.svg"
        >>> write_figure(str(path), [RateCurve("bb84", "BB84", [0.0, 50.0], [1e-3, 1e-4])], "an example")
        >>> path.read_text()[:5]
        '<?xml'
    """
    with _figure(height=5.4, salt="key rates") as (figure, axes):
        figure.patch.set_facecolor("white")
        figure.patch.set_alpha(1.0)
        colours = iter(COLOURS[index % len(COLOURS)] for index in range(len(curves)))
        grey = iter((INK, MUTED) * len(curves))
        for curve in curves:
            points = [
                (x, y) for x, y in zip(curve.kilometres, curve.rates, strict=True) if 0.0 < y < float("inf")
            ]
            if not points:
                continue
            colour = next(grey) if curve.bound else next(colours)
            style = (0, (1, 1.5)) if curve.bound else (0, (4, 2)) if curve.finite else "-"
            axes.plot(*zip(*points, strict=True), color=colour, lw=1.8, ls=style, label=curve.title)
        axes.set_yscale("log")
        axes.set_xlabel("distance / km")
        axes.set_ylabel("secret bits for each pulse sent")
        axes.set_xlim(left=0.0)
        if axes.has_data():
            axes.legend(frameon=False, fontsize=8, loc="upper right")
        axes.set_title(title, fontsize=10, loc="left")
        metadata = {"Date": None} if path.endswith(".svg") else None  # the same data give the same bytes
        figure.savefig(path, dpi=150, metadata=metadata)


def write_csv(path: Path, curves: Sequence[RateCurve]) -> None:
    """Write one row for each point.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "rates.csv"
        >>> write_csv(path, [RateCurve("bb84", "BB84", [0.0], [1e-3])])
        >>> print(path.read_text())
        protocol,distance_km,bits_per_pulse
        bb84,0.0,0.001
        <BLANKLINE>
    """
    lines = ["protocol,distance_km,bits_per_pulse"]
    lines += [
        f"{curve.name},{x!r},{y!r}"
        for curve in curves
        for x, y in zip(curve.kilometres, curve.rates, strict=True)
    ]
    write_text("\n".join(lines) + "\n", path)


def write_parquet(path: Path, curves: Sequence[RateCurve]) -> None:
    """Write one row for each point, at once: the file is whole or not there."""
    import duckdb
    import numpy as np

    rows = [
        (curve.name, x, y) for curve in curves for x, y in zip(curve.kilometres, curve.rates, strict=True)
    ]
    columns = {
        "protocol": np.array([row[0] for row in rows], dtype=object),
        "distance_km": np.array([row[1] for row in rows], dtype="float64"),
        "bits_per_pulse": np.array([row[2] for row in rows], dtype="float64"),
    }
    partial = path.with_name(f".{path.name}.part")
    with duckdb.connect() as database:
        database.register("rates", columns)
        target = str(partial).replace("'", "''")
        casts = "CAST(protocol AS VARCHAR) AS protocol, distance_km, bits_per_pulse"
        database.execute(f"COPY (SELECT {casts} FROM rates) TO '{target}' (FORMAT parquet)")
    os.replace(partial, path)
