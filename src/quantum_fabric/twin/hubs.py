"""A shared heralding station as it truly is: it sees which links use its analysers, and says so where there are too many."""

from __future__ import annotations

from quantum_fabric.errors import ProtocolError
from quantum_fabric.links.hub import SharedStation
from quantum_fabric.units import Time, show_time

LONG_AGO: Time = -(1 << 62)


class Analyser:
    """A beam splitter with its detectors, and the link that the switch connects to it.

    Attributes:
        link: whose light it gets; "" as long as it was never used.
        lanes: of this link that attempt now.
        over: when the last light of those that stopped has arrived, ps.
    """

    __slots__ = ("lanes", "link", "over")

    def __init__(self) -> None:
        self.link = ""
        self.lanes = 0
        self.over: Time = LONG_AGO


class Hub:
    """The analysers of a station. The plant obeys whoever commands it, but two links never use one analyser.

    Args:
        station: as the data sheets say.

    Examples:
        >>> hub = Hub(SharedStation("hub", ("A~B", "C~D"), analysers=1, switching=5))
        >>> hub.engage("A~B", at=0)
        >>> hub.leave("A~B", over=100)
        >>> hub.engage("C~D", at=104)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.ProtocolError: link C~D sends light to station hub at 104 ps, where no analyser of 1 is free: A~B
        >>> hub.engage("C~D", at=105)
    """

    def __init__(self, station: SharedStation) -> None:
        self.station = station
        self._analysers = [Analyser() for _ in range(station.analysers)]

    @property
    def serving(self) -> tuple[str, ...]:
        """Links that use an analyser now."""
        return tuple(each.link for each in self._analysers if each.lanes)

    def engage(self, link: str, at: Time) -> None:
        """A lane of a link attempts from a time on.

        Raises:
            ProtocolError: no analyser is connected to the link or has been free for long enough to be.
        """
        mine = next((each for each in self._analysers if each.link == link), None)
        if mine is None:
            ready = at - self.station.turnover
            free = [each for each in self._analysers if each.lanes == 0 and each.over <= ready]
            if not free:
                count, who = len(self._analysers), ", ".join(each.link for each in self._analysers)
                raise ProtocolError(
                    f"link {link} sends light to station {self.station.name} at {show_time(at)}, where no analyser of "
                    f"{count} is free: {who}"
                )
            mine = min(free, key=lambda each: each.over)
            mine.link = link
        mine.lanes += 1

    def leave(self, link: str, over: Time) -> None:
        """A lane of a link has stopped; its last light arrives by ``over``."""
        mine = next(each for each in self._analysers if each.link == link)
        mine.lanes -= 1
        mine.over = max(mine.over, over)
