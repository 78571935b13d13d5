"""Windows in which a resource is not for users: what may still begin before one, and when to drain it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quantum_fabric.control.scheduling.calendar import Purpose
from quantum_fabric.control.scheduling.uncertain import Ended, overlap
from quantum_fabric.errors import QuantityError
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Upkeep:
    """A window that was announced.

    Attributes:
        target: name of the link, node or station.
        start, end: [start, end), ps.
        purpose: calibration or maintenance.
        notice: how long before the start what still runs is put off (ps): its pairs and releases need so long to come in.
    """

    target: str
    start: Time
    end: Time
    purpose: Purpose = Purpose.MAINTENANCE
    notice: Time = 0

    def __post_init__(self) -> None:
        if not self.start < self.end or self.notice < 0:
            found = f"{self.start} to {self.end} ps with {self.notice} ps of notice"
            raise QuantityError(
                found=found, expected="a window, and a notice of 0 or more", where=self.target
            )
        if self.purpose is Purpose.SESSION:
            raise QuantityError(found="a session", expected="calibration or maintenance", where=self.target)

    @property
    def drains(self) -> Time:
        """From when on nothing may run there."""
        return self.start - self.notice


class Windows:
    """All windows that were announced.

    Examples:
        >>> windows = Windows([Upkeep("A~B", 1000, 2000, notice=100)])
        >>> windows.closed(899), windows.closed(900), windows.closed(2000)
        (frozenset(), frozenset({'A~B'}), frozenset())
        >>> windows.may_begin(["A~B"], lambda time: min(1.0, time / 1000), now=0, confidence=0.95)
        False
    """

    def __init__(self, windows: Sequence[Upkeep] = ()) -> None:
        self._windows = sorted(windows, key=lambda each: (each.drains, each.target))

    def __iter__(self) -> Iterator[Upkeep]:
        """In order of their drain."""
        return iter(self._windows)

    def closed(self, now: Time) -> frozenset[str]:
        """What nothing may run on now."""
        return frozenset(each.target for each in self._windows if each.drains <= now < each.end)

    def next_for(self, targets: Sequence[str], now: Time) -> Upkeep | None:
        """The next window of any of these that is not over."""
        return next((each for each in self._windows if each.target in targets and now < each.end), None)

    def may_begin(self, targets: Sequence[str], ended: Ended, now: Time, confidence: float) -> bool:
        """Whether something over these is over before the next window drains them, with a confidence.

        Args:
            targets: links and nodes that it uses.
            ended: law of its end, if it begins now.
            now: ps.
            confidence: in (0, 1).
        """
        window = self.next_for(targets, now)
        if window is None:
            return True
        return window.drains > now and overlap(ended, window.drains) <= 1.0 - confidence

    def over(self, targets: Sequence[str], now: Time) -> Time:
        """When the windows of these that run into each other from now on are over: when something long may begin."""
        at = now
        for each in self._windows:
            if each.target in targets and each.drains <= at < each.end:
                at = each.end
        return at
