"""A heralding station that several links share: a few analysers, and a switch that connects links to them.

An analyser looks at the light of one link at a time. Which one is decided by whoever leases them
(`quantum_fabric.control.stations`); attempts of a link that has one are independent of all others, so that nothing couples links
while they run.
"""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class SharedStation:
    """Analysers of one place, and the links whose light ends there.

    Attributes:
        name: unique in the network.
        links: names of the links that it heralds, each once.
        analysers: how many links it heralds at the same time, at least 1.
        switching: time to connect an analyser to another link, ps, 0 or more.
        dead_time: after the last click of one link before a detector may click for another, ps, 0 or more.

    Raises:
        QuantityError: no analyser, or a negative time.
        InputError: a link that stands twice.

    Limits:
        A detector's dead time between two attempts of *one* link is the link model's business. Light that leaks from other links
        through the switch is not looked at here (`switches` of a link take it into account).

    Examples:
        >>> SharedStation("hub", ("A~B", "C~D"), analysers=1, switching=5, dead_time=2).turnover
        7
    """

    name: str
    links: tuple[str, ...]
    analysers: int = 1
    switching: Time = 0
    dead_time: Time = 0

    def __post_init__(self) -> None:
        where = f"station {self.name}"
        if self.analysers < 1:
            raise QuantityError(found=str(self.analysers), expected="1 analyser or more", where=where)
        for name, value in (("switching", self.switching), ("dead_time", self.dead_time)):
            if value < 0:
                raise QuantityError(
                    found=f"{value} ps", expected="a time of 0 or more", where=f"{where}: {name}"
                )
        if len(set(self.links)) != len(self.links):
            raise InputError(found=", ".join(self.links), expected="each link once", where=where)

    @property
    def turnover(self) -> Time:
        """From the last light of one link to the first of another in the same analyser, ps."""
        return self.switching + self.dead_time
