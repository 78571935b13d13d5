"""The map: every node and link is there, and names do not lie on one another."""

from __future__ import annotations

import math
import random
import xml.etree.ElementTree as ET

import pytest

from quantum_fabric import documents
from quantum_fabric.cli.page import positions
from quantum_fabric.ops.drawing import NAMED, WIDTH, Drawing, draw, overlap, place_labels, spread

TRIANGLE = {"A~B": ("A", "B", 10e3), "B~C": ("B", "C", 20e3), "A~C": ("A", "C", 500.0)}


def test_everything_is_drawn_once_and_is_xml() -> None:
    places = {"A": (0.0, 0.0), "B": (1.0, 0.0), "C": (0.5, 1.0)}
    picture = draw(Drawing(places, TRIANGLE, {"A~B": 50, "B~C": 2}, cut={"B~C"}, failed={"C"}, ends={"A"}))
    tree = ET.fromstring(picture)
    assert len(tree.findall(".//line")) == 3
    assert len(tree.findall(".//circle")) == 3
    assert len(tree.findall(".//*[@class='cut']")) == 2
    assert len(tree.findall(".//*[@class='end']")) == 1
    assert {text.text for text in tree.findall(".//text")} == {"A", "B", "C", "10 km", "20 km", "500 m"}
    titles = " ".join(title.text or "" for title in tree.findall(".//title"))
    assert "A~B: 10 km, 50 elementary pairs" in titles
    assert "B~C: 20 km, 2 elementary pairs, cut for some time" in titles


def test_more_use_is_thicker_and_darker() -> None:
    places = {"A": (0.0, 0.0), "B": (1.0, 0.0), "C": (0.5, 1.0)}
    lines = ET.fromstring(draw(Drawing(places, TRIANGLE, {"A~B": 100, "B~C": 10}))).findall(".//line")
    widths = [float(line.get("stroke-width", "0")) for line in lines]
    assert widths == sorted(widths)
    assert len({line.get("stroke") for line in lines}) == 3


def test_names_are_escaped() -> None:
    picture = draw(Drawing({"<b>&": (0, 0), "B": (1, 0)}, {"x": ("<b>&", "B", 1e3)}))
    assert "<b>" not in picture
    assert "<b>&" in {text.text for text in ET.fromstring(picture).findall(".//text")}


@pytest.mark.parametrize(
    "places", [{}, {"A": (0.0, 0.0)}, {"A": (3.0, 3.0), "B": (3.0, 3.0), "C": (3.0, 3.0)}]
)
def test_missing_and_equal_positions_still_give_a_picture(places: dict[str, tuple[float, float]]) -> None:
    circles = ET.fromstring(draw(Drawing(places, TRIANGLE))).findall(".//circle")
    spots = [(float(circle.get("cx", "nan")), float(circle.get("cy", "nan"))) for circle in circles]
    assert len(spots) == 3
    assert all(0 <= x <= WIDTH and math.isfinite(y) for x, y in spots)
    assert min(math.dist(a, b) for i, a in enumerate(spots) for b in spots[i + 1 :]) > 30


def test_crowded_dots_are_spread_and_others_stay() -> None:
    draws = random.Random(5)
    places = {f"n{i}": (draws.uniform(0, 60), draws.uniform(0, 60)) for i in range(8)} | {
        "far": (500.0, 500.0)
    }
    apart = spread(places, 30.0)
    gaps = [math.dist(apart[a], apart[b]) for a in apart for b in apart if a < b]
    assert min(gaps) > 29.0
    assert apart["far"] == (500.0, 500.0)


def test_names_of_a_dense_network_do_not_overlap() -> None:
    draws = random.Random(11)
    places = {
        f"Node-{i}": (40 + 120 * (i % 7) + draws.uniform(-20, 20), 40 + 90 * (i // 7)) for i in range(42)
    }
    boxes = list(place_labels(places, [], 10.5, (920.0, 640.0)).values())
    assert sum(overlap(a, b) > 0 for i, a in enumerate(boxes) for b in boxes[i + 1 :]) == 0


def test_a_name_keeps_off_a_link() -> None:
    boxes = place_labels({"A": (100.0, 100.0)}, [((100.0, 100.0), (100.0, 0.0))], 12.0, (300.0, 200.0))
    left, top, right, bottom = boxes["A"]
    assert not (left < 100.0 < right and top < 100.0)
    assert bottom > 100.0


def test_repeaters_on_the_way_are_dots_in_a_large_network_only() -> None:
    def line(count: int) -> Drawing:
        places = {f"R{i:02}": (float(i), 0.0) for i in range(count)}
        links = {f"l{i:02}": (f"R{i:02}", f"R{i + 1:02}", 1e3) for i in range(count - 1)}
        return Drawing(places, links, ends={"R00"}, failed={"R07"})

    small, large = (ET.fromstring(draw(line(count))) for count in (NAMED, NAMED + 1))
    assert len(small.findall(".//text[@class='label']")) == NAMED
    assert {text.text for text in large.findall(".//text[@class='label']")} == {"R00", "R07", f"R{NAMED:02}"}
    assert len(large.findall(".//circle")) == NAMED + 1


@pytest.mark.parametrize("name", [entry.name for entry in documents.bundled()])
def test_the_bundled_networks_have_readable_maps(name: str) -> None:
    """Names may come near each other on a national map, but no two may cover one another by more than a hairline."""
    document = documents.load_network(name)
    inventory = documents.inventory(document)
    links = {link.name: (link.a, link.b, link.length) for link in inventory.links.values()}
    tree = ET.fromstring(draw(Drawing(positions(document, inventory.positions), links)))
    assert len(tree.findall(".//line")) == len(inventory.links)
    assert len(tree.findall(".//circle")) == len(inventory.nodes)
    size = float(tree.get("font-size", "0"))
    boxes = []
    for text in tree.findall(".//text[@class='label']"):
        x, y = float(text.get("x", "nan")), float(text.get("y", "nan"))
        half = 0.3 * size * len(text.text or "")
        boxes.append((x - half, y - 0.4 * size, x + half, y + 0.4 * size))
        assert 0 <= x <= WIDTH
    assert 2 <= len(boxes) <= 60
    hidden = [overlap(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
    assert max(hidden, default=0.0) <= 0.25 * size * size
