"""The plots: SVG that stands in a page, the same bytes for the same data, whatever the data."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from quantum_fabric.ops import plots
from quantum_fabric.ops.plots import Group

GROUPS = [
    Group(
        "alpha",
        0.0,
        [1.0, 2.0, 3.5],
        [0.91, 0.92, 0.95],
        [0.9],
        (0.0, 0.01, 0.3, 0.2, 0.05),
        (0.05, 0.02, 0.01),
        [(1.0, 0.91), (2.0, 0.92), (3.5, 0.95)],
    ),
    Group(
        "beta & <co>",
        1.0,
        [2.5],
        [0.85],
        [0.8, 0.82],
        (0.1, 0.01, 0.3, 0.2, 0.05),
        (0.08, 0.02, -0.01),
        [(2.5, 0.85)],
    ),
    Group("empty", 2.0),
]

DRAWINGS = {
    "delivery": lambda groups: plots.delivery(groups, 4.0),
    "fidelities": plots.fidelities,
    "time_lost": plots.time_lost,
    "fidelity_lost": plots.fidelity_lost,
    "drift": lambda groups: plots.drift(groups, [0.5, 1.5, 3.0]),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_one_element_without_addresses_or_size(name: str) -> None:
    svg = DRAWINGS[name](GROUPS)
    frame = svg[: svg.index(">")]
    assert frame.startswith("<svg ")
    assert "viewBox" in frame
    assert not re.search(r"width=|height=|xmlns", frame)
    assert "http" not in svg
    tree = ET.fromstring(svg.replace("xlink:href", "href"))
    text = "".join(element.text or "" for element in tree.iter())
    assert "alpha" in text
    assert "beta & <co>" in text
    assert "empty" not in text


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_same_data_give_the_same_bytes(name: str) -> None:
    assert DRAWINGS[name](GROUPS) == DRAWINGS[name](GROUPS)


def test_ids_differ_between_plots_of_one_page() -> None:
    """Two pictures in one page must not share the names of their clip paths."""
    ids = [set(re.findall(r'<clipPath id="([^"]+)"', drawing(GROUPS))) for drawing in DRAWINGS.values()]
    for index, one in enumerate(ids):
        for two in ids[index + 1 :]:
            assert not one & two


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_to_show_is_no_picture(name: str) -> None:
    assert DRAWINGS[name]([Group("empty")]) == ""


def test_equal_fidelities_and_an_idle_rest() -> None:
    one = Group("one", 0.0, [0.1] * 3, [0.9] * 3, [0.9])
    assert "<svg" in plots.fidelities([one])
    assert "time / ms" in plots.delivery([one], 60.0)
    assert "time / s" in plots.delivery([Group("late", 0.0, [50.0])], 60.0)


def test_the_mean_time_of_a_pair_stands_beside_its_bar() -> None:
    svg = plots.time_lost(GROUPS)
    assert "560 ms a pair" in svg
    assert "660 ms a pair" in svg


def test_calibrations_are_marked_within_the_time_that_is_shown() -> None:
    marked = plots.drift(GROUPS, [1.5, 3.0])
    assert plots.drift(GROUPS, [0.1, 1.5, 3.0, 99.0]) == marked
    assert marked.count("stroke-dasharray") > plots.drift(GROUPS, [1.5]).count("stroke-dasharray") > 0
    assert "calibrated" in marked
    assert "calibrated" not in plots.drift(GROUPS, [])
