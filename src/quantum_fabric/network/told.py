"""A link as somebody told it: numbers at some operating points, as a link model.

What travels of a link, or of a whole segment of another domain, is its curve. With `CurveLink` the planner plans on hearsay with the
same functions as on data sheets.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import ClassVar

from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob
from quantum_fabric.messages import CurvePoint


@dataclass(frozen=True, slots=True)
class CurveLink:
    """A link as it was told: numbers at operating points.

    Attributes:
        curve: in the order of rising settings; one point without a setting where there is no knob.
        good_end: which end of the settings gives the better fidelity.
        stepped: between two points the one with the better fidelity counts (a segment gives what was asked or better);
            otherwise success and weights are interpolated linearly.

    Raises:
        InputError: no point, or settings that do not rise.

    Limits:
        Interpolation is exact only for what is linear in the setting. Times are those of the point below.

    Examples:
        >>> one = CurvePoint(0.8, 0.1, 1000, 0, (0, 0), (1000, 1000), (0.8, 0.2, 0.0, 0.0))
        >>> two = CurvePoint(0.9, 0.05, 1000, 0, (0, 0), (1000, 1000), (0.9, 0.1, 0.0, 0.0))
        >>> CurveLink((one, two), stepped=True).heralding(0.85).fidelity
        0.9
        >>> round(CurveLink((one, two)).heralding(0.85).success, 6)
        0.075
    """

    architecture: ClassVar[str] = "told"
    stores: ClassVar[bool] = True

    curve: tuple[CurvePoint, ...]
    good_end: str = "high"
    stepped: bool = False

    def __post_init__(self) -> None:
        settings = [point.setting for point in self.curve]
        if not settings:
            raise InputError("no operating point", "at least one", "curve")
        known = [each for each in settings if each is not None]
        if len(settings) > 1 and (len(known) < len(settings) or known != sorted(set(known))):
            raise InputError(str(settings), "settings that rise", "curve")

    @property
    def knob(self) -> Knob | None:
        """The setting, where there is more than one point to choose from."""
        first, last = self.curve[0].setting, self.curve[-1].setting
        if first is None or last is None or first == last:
            return None
        return Knob("setting", first, last, self.good_end, "as its owner told it")

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link at one operating point.

        Raises:
            QuantityError: a setting beyond those that were told, or no lanes.
        """
        if lanes < 1:
            raise QuantityError(str(lanes), "at least 1 lane", "lanes")
        point = self._at(setting)
        return Heralding(
            max(point.period, lanes * point.cycle),
            point.cycle,
            point.born,
            point.heard,
            (HeraldOutcome(0, point.success, point.weights),),
        )

    def _at(self, setting: float | None) -> CurvePoint:
        points = self.curve
        best = points[0] if self.good_end == "low" else points[-1]
        if setting is None or len(points) == 1:
            return best
        settings = [point.setting or 0.0 for point in points]
        if not settings[0] <= setting <= settings[-1]:
            raise QuantityError(str(setting), f"between {settings[0]:g} and {settings[-1]:g}", "setting")
        above = bisect_left(settings, setting)
        if settings[above] == setting:
            return points[above]
        low, high = points[above - 1], points[above]
        if self.stepped:
            return low if self.good_end == "low" else high
        share = (setting - settings[above - 1]) / (settings[above] - settings[above - 1])
        return _between(low, high, setting, share)

    def under(self, conditions: Conditions) -> CurveLink:  # noqa: ARG002 - its owner tells when it changes
        """The same link: its owner tells when it changes."""
        return self

    def total_transmission(self) -> float:
        """Not told, so no bound: 1."""
        return 1.0


def _between(low: CurvePoint, high: CurvePoint, setting: float, share: float) -> CurvePoint:
    a, b, c, d = ((1.0 - share) * x + share * y for x, y in zip(low.weights, high.weights, strict=True))
    success = (1.0 - share) * low.success + share * high.success
    return CurvePoint(setting, success, low.period, low.cycle, low.born, low.heard, (a, b, c, d))


def curve_point(heralding: Heralding, setting: float | None) -> CurvePoint:
    """One operating point as it is told.

    Limits:
        Heralds of several kinds are told as one, with their mean state.
    """
    return CurvePoint(
        setting,
        heralding.success,
        heralding.period,
        heralding.cycle,
        heralding.born,
        heralding.heard,
        heralding.weights,
    )
