"""The figure of repeater schemes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from quantum_fabric.ops.repeater_plot import Curve, write

CURVES = [
    Curve("two-way", (50.0, 100.0, 200.0), (1e4, 1e2, 0.0), (0.04, 0.04, math.nan), plain=True),
    Curve("steane", (50.0, 100.0, 200.0), (1e3, 9e2, 0.0), (0.03, 0.04, 0.09)),
]


def test_it_names_curves_axes_and_crossings(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    write(str(path), CURVES, 0.05, [("steane", 75.0, 75.0), ("other", 50.0, 100.0)], "a title")
    text = path.read_text(encoding="utf-8")
    for word in (
        "two-way",
        "steane",
        "pairs delivered per second",
        "asked for, at most",
        "a title",
        "distance / km",
    ):
        assert word in text
    assert "steane overtakes at 75 km" in text
    assert "other overtakes at 50 to 100 km" in text


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_other_formats(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"figure.{kind}"
    write(str(path), CURVES[:1], 0.05, [], "a title")
    assert path.stat().st_size > 5000
