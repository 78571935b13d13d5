"""Links that are closed for upkeep, beside those that are dark because something broke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quantum_fabric.control.scheduling.maintenance import Upkeep, Windows
from quantum_fabric.errors import UnknownNameError
from quantum_fabric.messages import Plan, Wake
from quantum_fabric.units import Time

PURPOSE = "upkeep"
"""Of the timers at the beginning and at the end of each window."""


class Closures:
    """Which links nothing may run on, and why.

    Args:
        windows: that were announced; a target is a link, or a node or a shared station with all its links.
        ends: the two ends of every link.
        stations: links of every shared station.

    Raises:
        UnknownNameError: a target that is nothing of that.

    Examples:
        >>> closures = Closures([Upkeep("B", 100, 200, notice=10)], {"A~B": ("A", "B"), "A~C": ("A", "C")})
        >>> sorted(closures.shut(95)), closures.shut(200)
        (['A~B'], set())
    """

    def __init__(
        self, windows: Sequence[Upkeep], ends: Mapping[str, tuple[str, str]],
        stations: Mapping[str, Sequence[str]] | None = None,
    ) -> None:  # fmt: skip
        nodes = {node for pair in ends.values() for node in pair}
        self._links: dict[str, frozenset[str]] = {}
        stations = stations or {}
        for each in windows:
            if each.target not in ends and each.target not in nodes and each.target not in stations:
                expected = "a link, a node or a shared station"
                raise UnknownNameError(found=repr(each.target), expected=expected, where="upkeep")
            over = {link for link, pair in ends.items() if each.target in (link, *pair)}
            self._links[each.target] = frozenset(over | set(stations.get(each.target, ())))
        self._windows = Windows(windows)
        self._told = not windows
        self.broken: set[str] = set()

    def timers(self) -> list[Wake]:
        """Timers of all windows; asked a second time, none."""
        if self._told:
            return []
        self._told = True
        moments = sorted({moment for each in self._windows for moment in (each.drains, each.end)})
        return [Wake(moment, PURPOSE, 0) for moment in moments]

    def shut(self, now: Time) -> set[str]:
        """Links that are closed for upkeep now."""
        return {link for target in self._windows.closed(now) for link in self._links[target]}

    def reported(self, link: str, up: bool, dark: set[str], now: Time) -> bool:
        """A link broke or was mended; brings what is dark up to date.

        Returns:
            Whether anything changed for those who plan: not while it is closed anyway.
        """
        (self.broken.discard if up else self.broken.add)(link)
        before = link in dark
        self._settle(dark, now)
        return before != (link in dark)

    def turned(self, dark: set[str], now: Time) -> tuple[set[str], set[str]]:
        """A window begins or ends; brings what is dark up to date.

        Returns:
            Links that were closed now, and links that broke while they were closed and are still broken.
        """
        before = set(dark)
        self._settle(dark, now)
        return dark - before, self.broken - self.shut(now)

    def in_the_way(self, plan: Plan, now: Time, until: Time) -> Upkeep | None:
        """The first window over the path of a plan that drains it before a moment."""
        path = {link.link for link in plan.links}
        for each in self._windows:
            if now < each.end and each.drains < until and not path.isdisjoint(self._links[each.target]):
                return each
        return None

    def links(self, window: Upkeep) -> frozenset[str]:
        """Links that a window closes."""
        return self._links[window.target]

    def available(self, now: Time) -> Time | None:
        """When the windows that are in force now are over; None where there is none."""
        return max((each.end for each in self._windows if each.drains <= now < each.end), default=None)

    def _settle(self, dark: set[str], now: Time) -> None:
        dark.clear()
        dark.update(self.broken | self.shut(now))
