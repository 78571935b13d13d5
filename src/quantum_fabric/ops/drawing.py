"""A network drawn as SVG: links shaded by use, cut links crossed out, labels that keep clear of each other."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final, TypeAlias

Point: TypeAlias = tuple[float, float]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""

WIDTH: Final = 920.0
MARGIN: Final = 78.0

NAMED: Final = 40
"""Networks up to this size have every node named on the map."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is to be drawn, as plain data.

    Attributes:
        positions: node -> (x, y), y upwards, in one unit; nodes without one are put on a circle.
        links: link -> (end, end, length in m).
        use: link -> elementary pairs; its shade and width.
        cut: links that were cut for some time.
        failed: nodes that stopped for some time.
        ends: nodes between which pairs were asked for.
    """

    positions: Mapping[str, Point]
    links: Mapping[str, tuple[str, str, float]]
    use: Mapping[str, int] = field(default_factory=dict)
    cut: Collection[str] = ()
    failed: Collection[str] = ()
    ends: Collection[str] = ()


def draw(drawing: Drawing) -> str:
    """Draw a network.

    Returns:
        One ``<svg>`` element with classes for a style sheet and a title (shown on hovering) on each link and node.

    Examples:
        >>> picture = draw(Drawing({"A": (0, 0), "B": (1, 0)}, {"A~B": ("A", "B", 25e3)}, {"A~B": 7}))
        >>> "25 km" in picture, picture.count("<circle")
        (True, 2)
    """
    nodes = sorted({node for a, b, _ in drawing.links.values() for node in (a, b)} | set(drawing.positions))
    size = 13.0 if len(nodes) <= 25 else 10.5
    places, height = _fit(_complete(drawing, nodes), 470.0 if len(nodes) <= 25 else 760.0)
    named = [node for node in nodes if node not in wayside(drawing, places)]
    places = places | spread({node: places[node] for node in named}, 3.2 * size if len(nodes) <= 25 else 15.0)
    parts = [
        f'<svg class="map" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-label="map of the network" font-size="{size}">'
    ]
    parts += [
        _link(drawing, name, places) for name in sorted(drawing.links, key=lambda n: drawing.use.get(n, 0))
    ]
    lengths = _lengths(drawing, places) if len(drawing.links) <= 20 else []
    segments = [(places[a], places[b]) for a, b, _ in drawing.links.values()]
    labels = place_labels({node: places[node] for node in named}, segments, size, (WIDTH, height), lengths)
    parts += [_node(node, places[node], node in drawing.ends, node not in labels) for node in nodes]
    parts += [f"<g>{_cross(places[node], 9.0)}</g>" for node in nodes if node in drawing.failed]
    parts += [_length(text, point) for text, point in lengths]
    parts += [_label(node, box) for node, box in labels.items()]
    return "\n".join([*parts, "</svg>"])


def wayside(drawing: Drawing, places: Mapping[str, Point]) -> set[str]:
    """Nodes of a large network that only stand on the way: on a straight line between their two neighbours.

    They are drawn as small dots, and named when one points at them. In a network of up to `NAMED` nodes there are none.

    Args:
        drawing: the network.
        places: node -> pixels.
    """
    if len(places) <= NAMED:
        return set()
    neighbours: dict[str, list[str]] = {node: [] for node in places}
    for a, b, _ in drawing.links.values():
        neighbours[a].append(b)
        neighbours[b].append(a)
    found = set()
    for node, around in neighbours.items():
        if len(around) == 2 and node not in drawing.ends and node not in drawing.failed:
            one, two = (places[other] for other in around)
            detour = math.dist(one, places[node]) + math.dist(places[node], two) - math.dist(one, two)
            if detour < 0.5:
                found.add(node)
    return found


def spread(places: Mapping[str, Point], least: float) -> dict[str, Point]:
    """Push dots apart that would lie on one another: buildings of one site, say, on a map of a country.

    Args:
        places: node -> pixels.
        least: distance that any two should have, in pixels.

    Limits:
        Relaxation with a fixed number of rounds; a very crowded map may stay too close.

    Examples:
        >>> apart = spread({"A": (0.0, 0.0), "B": (0.0, 0.0), "C": (500.0, 0.0)}, 40.0)
        >>> round(math.dist(apart["A"], apart["B"])), apart["C"]
        (40, (500.0, 0.0))
    """
    now = dict(places)
    names = sorted(now)
    for _ in range(60):
        moved = False
        for index, one in enumerate(names):
            for two in names[index + 1 :]:
                gap = math.dist(now[one], now[two])
                if gap >= least - 0.5:
                    continue
                moved = True
                angle = (
                    math.atan2(now[two][1] - now[one][1], now[two][0] - now[one][0]) if gap else 2.4 * index
                )
                push = (least - gap) / 2
                dx, dy = push * math.cos(angle), push * math.sin(angle)
                now[one] = (now[one][0] - dx, now[one][1] - dy)
                now[two] = (now[two][0] + dx, now[two][1] + dy)
        if not moved:
            break
    return now


def place_labels(
    places: Mapping[str, Point],
    segments: Sequence[tuple[Point, Point]],
    size: float,
    frame: Point,
    taken: Sequence[tuple[str, Point]] = (),
) -> dict[str, Box]:
    """Find a place for the name of each node: around its dot, where it covers least.

    Args:
        places: node -> centre of its dot, in pixels.
        segments: links as straight lines.
        size: of the type, in pixels.
        frame: width and height of the picture.
        taken: other texts with their centres.

    Returns:
        node -> box of its name. The most crowded nodes choose first.

    Examples:
        >>> boxes = place_labels({"A": (50.0, 50.0), "B": (60.0, 50.0)}, [], 12.0, (200.0, 100.0))
        >>> overlap(boxes["A"], boxes["B"])
        0.0
    """
    crowd = {
        node: sum(math.dist(point, other) < 90 for other in places.values()) for node, point in places.items()
    }
    dots = [(x - 7, y - 7, x + 7, y + 7) for x, y in places.values()]
    boxes: dict[str, Box] = {}
    fixed = [_box(text, point, size) for text, point in taken]
    for node in sorted(places, key=lambda name: (-crowd[name], name)):
        candidates = _candidates(node, places[node], size)
        costs = [
            _cost(box, [*fixed, *boxes.values()], dots, segments, frame) + 0.2 * rank
            for rank, box in enumerate(candidates)
        ]
        boxes[node] = candidates[costs.index(min(costs))]
    return boxes


def overlap(one: Box, two: Box) -> float:
    """Area that two boxes share, in square pixels.

    Examples:
        >>> overlap((0, 0, 2, 2), (1, 1, 3, 3))
        1.0
    """
    wide = min(one[2], two[2]) - max(one[0], two[0])
    high = min(one[3], two[3]) - max(one[1], two[1])
    return float(wide * high) if wide > 0 and high > 0 else 0.0


def _cost(
    box: Box, texts: Sequence[Box], dots: Sequence[Box], segments: Sequence[tuple[Point, Point]], frame: Point
) -> float:
    outside = (
        max(0.0, -box[0]) + max(0.0, -box[1]) + max(0.0, box[2] - frame[0]) + max(0.0, box[3] - frame[1])
    )
    hidden = sum(overlap(box, other) for other in texts) + sum(overlap(box, dot) for dot in dots)
    crossed = sum(_crosses(segment, box) for segment in segments)
    return 50 * outside + 4 * hidden + 12 * crossed


def _candidates(text: str, place: Point, size: float) -> list[Box]:
    """Boxes around a dot, the pleasant ones first: above, below, right, left, then the corners, then farther out."""
    wide, high = _extent(text, size)
    boxes: list[Box] = []
    for gap in (10.0, 18.0, 28.0):
        across, up, corner = wide / 2 + gap, high / 2 + gap, 0.7 * gap
        for dx, dy in (
            (0.0, -up), (0.0, up), (across, 0.0), (-across, 0.0),
            (wide / 2 + corner, -high / 2 - corner), (-wide / 2 - corner, -high / 2 - corner),
            (wide / 2 + corner, high / 2 + corner), (-wide / 2 - corner, high / 2 + corner),
        ):  # fmt: skip
            boxes.append(_box(text, (place[0] + dx, place[1] + dy), size))
    return boxes


def _extent(text: str, size: float) -> Point:
    """Width and height of a text: an upper estimate, since the reader's typeface is not known here."""
    return 0.66 * size * len(text), 1.25 * size


def _box(text: str, centre: Point, size: float) -> Box:
    wide, high = _extent(text, size)
    return centre[0] - wide / 2, centre[1] - high / 2, centre[0] + wide / 2, centre[1] + high / 2


def _crosses(segment: tuple[Point, Point], box: Box) -> bool:
    """Say whether a line passes through a box (Liang and Barsky 1984)."""
    (x0, y0), (x1, y1) = segment
    low, high = 0.0, 1.0
    for start, step, least, most in ((x0, x1 - x0, box[0], box[2]), (y0, y1 - y0, box[1], box[3])):
        if step == 0.0:
            if not least <= start <= most:
                return False
            continue
        enter, leave = sorted(((least - start) / step, (most - start) / step))
        low, high = max(low, enter), min(high, leave)
    return low < high


def _complete(drawing: Drawing, nodes: Sequence[str]) -> dict[str, Point]:
    """Positions of all nodes: as given, or on a circle where any is missing."""
    if all(node in drawing.positions for node in nodes):
        return {node: drawing.positions[node] for node in nodes}
    step = 2 * math.pi / max(1, len(nodes))
    return {
        node: (math.cos(math.pi - i * step), 0.55 * math.sin(math.pi - i * step))
        for i, node in enumerate(nodes)
    }


def _fit(positions: Mapping[str, Point], most: float) -> tuple[dict[str, Point], float]:
    """Scale positions into the picture, aspect kept; returns pixels and the picture's height."""
    xs = [x for x, _ in positions.values()] or [0.0]
    ys = [y for _, y in positions.values()] or [0.0]
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    room = WIDTH - 2 * MARGIN
    scale = min(room / wide if wide > 0 else math.inf, most / high if high > 0 else math.inf)
    if math.isinf(scale):
        scale = 1.0
    height = max(high * scale, 24.0) + 2 * 46.0
    shift = (WIDTH - wide * scale) / 2
    places = {
        node: (shift + (x - min(xs)) * scale, height / 2 - (y - (min(ys) + max(ys)) / 2) * scale)
        for node, (x, y) in positions.items()
    }
    return places, height


def _link(drawing: Drawing, name: str, places: Mapping[str, Point]) -> str:
    a, b, length = drawing.links[name]
    (x0, y0), (x1, y1) = places[a], places[b]
    used, most = drawing.use.get(name, 0), max([*drawing.use.values(), 1])
    share = math.sqrt(used / most)
    colour = _shade(share) if used else "#cfd4da"
    title = f"{name}: {length / 1e3:.3g} km, {used:,} elementary pairs" + (
        ", cut for some time" if name in drawing.cut else ""
    )
    lines = [
        f'<g class="link"><title>{escape(title)}</title>',
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}" '
        f'stroke-width="{1.6 + 5.4 * share:.1f}" stroke-linecap="round"'
        + (' stroke-dasharray="7 7"/>' if name in drawing.cut else "/>"),
    ]
    if name in drawing.cut:
        at = 0.3 if math.dist((x0, y0), (x1, y1)) > 84.0 else 0.5
        x, y = x0 + at * (x1 - x0), y0 + at * (y1 - y0)
        lines.append(_cross((x, y), 6.0))
    return "\n".join([*lines, "</g>"])


def _cross(place: Point, half: float) -> str:
    x, y, whole = place[0] - half, place[1] - half, 2 * half
    return f'<path class="cut" d="M{x:.1f} {y:.1f}l{whole:g} {whole:g}m0 -{whole:g}l-{whole:g} {whole:g}"/>'


def _shade(share: float) -> str:
    """From pale to deep blue."""
    pale, deep = (178, 205, 225), (24, 78, 119)
    return "#" + "".join(f"{round(p + (d - p) * share):02x}" for p, d in zip(pale, deep))


def _lengths(drawing: Drawing, places: Mapping[str, Point]) -> list[tuple[str, Point]]:
    """Texts with the lengths of the links, in the middles of those that are long enough to carry them."""
    return [
        (f"{length / 1e3:.3g} km" if length >= 1e3 else f"{length:.3g} m",
         ((places[a][0] + places[b][0]) / 2, (places[a][1] + places[b][1]) / 2))
        for a, b, length in drawing.links.values()
        if math.dist(places[a], places[b]) > 84.0
    ]  # fmt: skip


def _length(text: str, point: Point) -> str:
    x, y = point
    wide = 5.6 * len(text) + 8
    return (
        f'<rect class="plate" x="{x - wide / 2:.1f}" y="{y - 8:.1f}" width="{wide:.1f}" height="16" rx="3"/>'
        f'<text class="length" x="{x:.1f}" y="{y + 3.8:.1f}">{escape(text)}</text>'
    )


def _node(name: str, place: Point, end: bool, small: bool) -> str:
    x, y = place
    kind, radius = ("wayside", 2.2) if small else ("end", 7.0) if end else ("node", 5.5)
    title = f"<title>{escape(name)}</title>"
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">{title}</circle>'


def _label(name: str, box: Box) -> str:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return f'<text class="label" x="{x:.1f}" y="{y:.1f}" dy="0.35em">{escape(name)}</text>'
