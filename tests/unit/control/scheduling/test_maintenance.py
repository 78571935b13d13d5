"""What may begin before a window, and when it drains."""

from __future__ import annotations

import pytest

from quantum_fabric.control.scheduling.calendar import Purpose
from quantum_fabric.control.scheduling.maintenance import Upkeep, Windows
from quantum_fabric.errors import QuantityError

WINDOWS = Windows([Upkeep("A~B", 1000, 2000, notice=100), Upkeep("C", 500, 600, Purpose.CALIBRATION)])


def test_closed_from_the_drain_to_the_end() -> None:
    assert [WINDOWS.closed(now) for now in (499, 500, 600, 899, 900, 1999, 2000)] == [
        set(), {"C"}, set(), set(), {"A~B"}, {"A~B"}, set(),
    ]  # fmt: skip
    assert [each.target for each in WINDOWS] == ["C", "A~B"]


def test_what_may_begin() -> None:
    def law(time: int) -> float:
        return min(1.0, time / 900)

    assert WINDOWS.may_begin(["A~B"], law, now=0, confidence=0.95)
    assert not WINDOWS.may_begin(["A~B", "C"], law, now=0, confidence=0.95)
    assert WINDOWS.may_begin(["A~B", "C"], law, now=0, confidence=0.5)
    assert not WINDOWS.may_begin(["A~B"], law, now=900, confidence=0.01)
    assert WINDOWS.may_begin(["A~B", "C"], law, now=2000, confidence=0.99)
    assert WINDOWS.may_begin(["D"], lambda time: 0.0, now=0, confidence=0.99)


def test_windows_that_run_into_each_other() -> None:
    windows = Windows([Upkeep("A", 100, 200), Upkeep("A", 190, 300), Upkeep("B", 300, 400)])
    assert windows.over(["A", "B"], 150) == 400
    assert windows.over(["A"], 150) == 300
    assert windows.over(["B"], 150) == 150


def test_bad_input() -> None:
    with pytest.raises(QuantityError, match="a window"):
        Upkeep("A", 5, 5)
    with pytest.raises(QuantityError, match="calibration or maintenance"):
        Upkeep("A", 5, 6, Purpose.SESSION)
