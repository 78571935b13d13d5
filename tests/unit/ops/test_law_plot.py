"""The figure of a law: what it shows, the same bytes each time, nothing for a forecast without one."""

from __future__ import annotations

from pathlib import Path

from quantum_fabric.messages import DeliveryLaw, Forecast
from quantum_fabric.ops.law_plot import write
from quantum_fabric.units import MS

LAW = DeliveryLaw(
    "convolution", (), (2 * MS, 5 * MS, 9 * MS), (0.5, 0.9, 1.0), (0.93, 0.92, 0.91), 1e-3, 1e-3, (0.9, 0.91, 0.92),
    1e-9, 0, 1.0, 0.0,
)  # fmt: skip
KNOWN = Forecast(500.0, 0.0, 0.92, 0.9, 3 * MS, LAW)


def test_the_figure_says_what_it_shows_and_is_reproducible(tmp_path: Path) -> None:
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    for path in (one, two):
        write(str(path), KNOWN, 0.9, 0.008, "A – B")
    assert one.read_bytes() == two.read_bytes()
    text = one.read_text(encoding="utf-8")
    for words in ("probability that the first pair is not there yet", "asked for", "A – B", "request / ms"):
        assert words in text
    png = tmp_path / "one.png"
    write(str(png), KNOWN, 0.9, None, "A – B")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_without_a_law_nothing_is_drawn(tmp_path: Path) -> None:
    write(str(tmp_path / "none.svg"), Forecast(1.0, 0.0, 0.9, 0.9, MS), 0.9, None, "A – B")
    assert not list(tmp_path.iterdir())
