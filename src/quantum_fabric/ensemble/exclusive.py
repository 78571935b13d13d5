"""What only one may use, in a live run: memory slots, lanes, and the analysers of shared stations.

The twin sees each use of a slot and of an analyser, and raises where there are two. The kernel sees slots (a node declines what is
leased) and knows no stations; so a live run looks at what the controller's letters say, which is what everybody acts on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from quantum_fabric.errors import ProtocolError
from quantum_fabric.links.hub import SharedStation
from quantum_fabric.messages import GenerateRule, Prepare
from quantum_fabric.units import Time


class Exclusive:
    """Follows installations from `Prepare` to `Released`, or to the end of their leases.

    Args:
        stations: shared stations of the network.

    Limits:
        An installation is taken to use the analysers of its links from its first `Commit` until both ends of the link have said that
        they let go. Each use lies within that, so two that overlap here may just miss each other in the plant; a controller that
        waits for `Released` never comes to that. Whether the switch has had its time is not looked at: the twin does.

    Examples:
        >>> import math
        >>> from quantum_fabric.messages import Calibration, Side
        >>> def letters(epoch, link):
        ...     rule = GenerateRule(link, "", Side.RIGHT, (0,), (0,), None, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
        ...     ideal = Calibration(math.inf, math.inf, 0.0, 0.0, 0.0, 0.0)
        ...     return [Prepare(epoch, "r", node, (rule,), ideal, 100, 0) for node in link.split("~")]
        >>> book = Exclusive([SharedStation("hub", ("A~B", "C~D"), analysers=1)])
        >>> book.installed(letters(1, "A~B"), now=0); book.committed(1, now=5)
        >>> book.installed(letters(2, "C~D"), now=5)
        >>> book.committed(2, now=6)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.ProtocolError: epochs 1, 2 use 2 links of station hub at once (A~B, C~D), which has 1 analyser
        >>> book.installed(letters(3, "A~B"), now=7)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.ProtocolError: slot 0 of A is given to epoch 3 and belongs to epoch 1
        >>> book.released(1, "A"); book.released(1, "B"); book.committed(2, now=8)
    """

    def __init__(self, stations: Iterable[SharedStation]) -> None:
        self._stations = tuple(stations)
        self._until: dict[int, dict[str, Time]] = {}  # epoch -> node that has not let go -> end of its lease
        self._owner: dict[tuple[str, str, int], int] = {}  # (node, "" or a link, slot or lane) -> epoch
        self._ends: dict[int, dict[str, tuple[str, ...]]] = {}  # epoch -> link -> its ends there
        self._running: dict[int, None] = {}  # committed epochs on links of shared stations

    def _holds(self, epoch: int, node: str, now: Time) -> bool:
        return self._until.get(epoch, {}).get(node, now) > now

    def installed(self, letters: Sequence[Prepare], now: Time) -> None:
        """An installation is told to its nodes.

        Raises:
            ProtocolError: it is given a slot or a lane that another one has.
        """
        ends: dict[str, tuple[str, ...]] = {}
        for letter in letters:
            for rule in letter.rules:
                if isinstance(rule, GenerateRule):
                    ends[rule.link] = (*ends.get(rule.link, ()), letter.node)
                    for what, numbers in (("", rule.slots), (rule.link, rule.lanes)):
                        for number in numbers:
                            self._give((letter.node, what, number), letter.epoch, now)
        for letter in letters:
            self._until.setdefault(letter.epoch, {})[letter.node] = letter.lease_until
            self._ends[letter.epoch] = ends

    def _give(self, thing: tuple[str, str, int], epoch: int, now: Time) -> None:
        node, link, number = thing
        other = self._owner.get(thing)
        if other is not None and other != epoch and self._holds(other, node, now):
            what = f"lane {number} of link {link} at {node}" if link else f"slot {number} of {node}"
            raise ProtocolError(f"{what} is given to epoch {epoch} and belongs to epoch {other}")
        self._owner[thing] = epoch

    def renewed(self, epoch: int, node: str, until: Time) -> None:
        """A lease runs longer."""
        leases = self._until.get(epoch, {})
        if node in leases:
            leases[node] = max(leases[node], until)

    def released(self, epoch: int, node: str) -> None:
        """A node has let go."""
        leases = self._until.get(epoch, {})
        leases.pop(node, None)
        if not leases:
            self._until.pop(epoch, None)
            self._ends.pop(epoch, None)
            self._running.pop(epoch, None)

    def committed(self, epoch: int, now: Time) -> None:
        """An installation begins to attempt.

        Raises:
            ProtocolError: more links of a station are used than it has analysers.
        """
        if epoch in self._running or not self._stations or epoch not in self._until:
            return
        self._running[epoch] = None
        for station in self._stations:
            users = {each: self._used(each, station.links, now) for each in self._running}
            links = sorted(set().union(*users.values()))
            if len(links) > station.analysers:
                del self._running[epoch]
                who = ", ".join(str(each) for each, used in users.items() if used)
                has = f"{station.analysers} analyser{'s' if station.analysers > 1 else ''}"
                raise ProtocolError(
                    f"epochs {who} use {len(links)} links of station {station.name} at once ({', '.join(links)}), which has {has}"
                )

    def _used(self, epoch: int, links: Sequence[str], now: Time) -> set[str]:
        """Those of some links that an epoch uses: an end of theirs has not let go."""
        ends: Mapping[str, tuple[str, ...]] = self._ends.get(epoch, {})
        return {link for link in links if any(self._holds(epoch, node, now) for node in ends.get(link, ()))}
