"""Operating points of links: the knob's grid, and a link's numbers seen along a path.

Some links trade rate for fidelity with one knob (the bright-state population of single-click links). The planner
tries a logarithmic grid of settings for each request, and asks a link model for the same numbers only once.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache

from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.links.model import Heralding, LinkModel
from quantum_fabric.messages import Correlators
from quantum_fabric.network.topology import LinkView
from quantum_fabric.physics.correlators import from_weights
from quantum_fabric.units import Time

GRID = 125
"""Settings on the grid of a knob: over three decades neighbours differ by a quarter, which is the most rate that is lost."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A link at one setting and number of lanes, its ends in the direction of the path.

    Attributes:
        setting: of the knob; None where there is none.
        success: probability of one attempt on one lane.
        period, cycle: between attempts on a lane, and between the starts of neighbouring lanes (ps).
        born, heard: (left, right), ps after the start of the attempt.
        fresh: correlators at birth, averaged over the heralds.
        cautions: where the link's model is outside its validity at this setting.

    Limits:
        Heralds of one link may leave different states; planning keeps their mean, which is exact for everything
        linear (swaps, ageing) and an approximation under purification.
    """

    setting: float | None
    success: float
    period: Time
    cycle: Time
    born: tuple[Time, Time]
    heard: tuple[Time, Time]
    fresh: Correlators
    cautions: tuple[Caution, ...] = ()


def operating_point(link: LinkView, left: str, setting: float | None, lanes: int) -> OperatingPoint:
    """The numbers of a link, its end at node ``left`` first.

    Args:
        link: the link.
        left: name of the end that comes first along the path.
        setting: of its knob, None for the sheet's value.
        lanes: memory pairs that share it, at least 1.

    Raises:
        QuantityError: from the link model, for a setting or a number of lanes that it cannot have.
        UnknownNameError: ``left`` is no end of the link.

    Examples:
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> model = FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), 1_000, born=(0, 20), heard=(500, 900))
        >>> operating_point(LinkView("A~B", "A", "B", model, 400, 80.0), "B", None, 1).heard
        (900, 500)
    """
    link.other(left)
    return _oriented(link.model, left == link.a, setting, lanes)


def _oriented(model: LinkModel, forward: bool, setting: float | None, lanes: int) -> OperatingPoint:
    if not isinstance(model, Hashable):
        return _point(model, forward, setting, lanes)  # asked each time
    alone = _cached(model, forward, setting, 1)
    # lanes that fit into the attempt period side by side change nothing
    return (
        alone
        if lanes >= 1 and lanes * alone.cycle <= alone.period
        else _cached(model, forward, setting, lanes)
    )


def _point(model: LinkModel, forward: bool, setting: float | None, lanes: int) -> OperatingPoint:
    found: Heralding = model.heralding(setting, lanes)
    born, heard = found.born, found.heard
    if not forward:
        born, heard = (born[1], born[0]), (heard[1], heard[0])
    fresh = from_weights(found.weights)
    return OperatingPoint(
        setting, found.success, found.period, found.cycle, born, heard, fresh, found.cautions
    )


_cached = lru_cache(maxsize=65_536)(_point)


def grid(model: LinkModel, points: int = GRID) -> tuple[float | None, ...]:
    """Settings worth trying, the ones for the best rate first; ``(None,)`` for a link without a knob.

    Args:
        model: the link's model.
        points: how many, at least 2.

    Returns:
        A grid over the knob's range, logarithmic where the range is above 0 and linear otherwise. Only its upper or
        lower end is the good one for fidelity (`Knob.good_end`); the grid starts at the other.

    Raises:
        QuantityError: fewer than 2 points.

    Examples:
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> grid(FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), 1_000))
        (None,)
    """
    if points < 2:
        raise QuantityError(found=str(points), expected="2 or more points", where="settings")
    knob = model.knob
    if knob is None:
        return (None,)
    if knob.low > 0.0:
        step = math.log(knob.high / knob.low) / (points - 1)
        values = [knob.low * math.exp(step * index) for index in range(points)]
    else:
        values = [knob.low + (knob.high - knob.low) * index / (points - 1) for index in range(points)]
    values[0], values[-1] = knob.low, knob.high
    return tuple(values if knob.good_end == "high" else reversed(values))


def middle(model: LinkModel) -> float | None:
    """The setting in the middle of a link's grid, by which links are compared before anything is decided.

    Examples:
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> middle(FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), 1_000)) is None
        True
    """
    settings = grid(model)
    return settings[len(settings) // 2]
