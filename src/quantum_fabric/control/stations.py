"""Analysers of shared heralding stations: which links have one, what a plan lacks, and how long it takes to connect one.

A link has an analyser as long as an installation is lent any of its lanes, so the book of leases says all there is to say: two
installations on one link share its analyser, as they share its channel, and two links never share one. An installation waits for
the switch before it is committed, so that agents and plant know nothing of it.

Limits:
    Pairs that an application holds keep the lanes of their installation, and so its analysers, until it lets go. The switch is waited
    for even where the analyser was connected to the same link before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from quantum_fabric.control.ledger import Ledger
from quantum_fabric.messages import Code, LinkRequest, Plan, Refused
from quantum_fabric.network.finish import chance_by
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import Time, show_time

QUESTIONS = 16
"""How often the planner is asked for a path that takes no more analysers of a station than there are."""


class Stations:
    """What is known of the shared stations of a network.

    Args:
        topology: what is believed.
        ledger: who has lanes of which links; it is read, never changed.

    Examples:
        >>> from quantum_fabric.documents import inventory, network_from, topology
        >>> links = [{"between": pair, "length": "2 km", "station": "hub"} for pair in (["A", "B"], ["C", "D"], ["B", "C"])]
        >>> here = topology(inventory(network_from({
        ...     "kind": "network", "version": 1, "defaults": {"profile": "ideal"}, "links": links,
        ...     "nodes": [{"name": name} for name in "ABCD"], "stations": [{"name": "hub"}],
        ... })))
        >>> book = Ledger({name: 2 for name in "ABCD"})
        >>> stations = Stations(here, book)
        >>> stations.free(), sorted(stations.shut())
        ({'hub': 1}, [])
        >>> _ = book.lease(1, {"A": 1, "B": 1}, until=10), book.lanes(1, {"A~B": 1})
        >>> stations.free(), sorted(stations.shut())
        ({'hub': 0}, ['B~C', 'C~D'])
    """

    def __init__(self, topology: Topology, ledger: Ledger) -> None:
        self._ledger = ledger
        self._stations = dict(topology.stations)
        self._of = {link: station for station in self._stations.values() for link in station.links}
        # light that was sent before its sender let go has arrived after this time
        self._flight = {
            station.name: max(
                (max(topology.links[link].model.heralding().heard) for link in station.links if link in topology.links),
                default=0,
            )
            for station in self._stations.values()
        }  # fmt: skip

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._of)

    @property
    def links(self) -> frozenset[str]:
        """All links that a shared station heralds."""
        return frozenset(self._of)

    def _busy(self, name: str) -> set[str]:
        return {link for link in self._stations[name].links if self._ledger.taken(link)}

    def _by_station(self, plan: Plan) -> dict[str, set[str]]:
        """Links of a plan by the station that heralds them."""
        found: dict[str, set[str]] = {}
        for each in plan.links if self._of else ():
            station = self._of.get(each.link)
            if station is not None:
                found.setdefault(station.name, set()).add(each.link)
        return found

    def touched(self, plan: Plan) -> tuple[str, ...]:
        """Stations that herald links of a plan."""
        return tuple(self._by_station(plan))

    def free(self) -> dict[str, int]:
        """How many analysers of each station nobody has."""
        return {name: each.analysers - len(self._busy(name)) for name, each in self._stations.items()}

    def short(self, plan: Plan) -> dict[str, int]:
        """Stations that have too few free analysers for a plan, and how many are missing."""
        return self._lacking(plan, {name: self._busy(name) for name in self._by_station(plan)})

    def too_few(self, plan: Plan) -> dict[str, int]:
        """Stations that have too few analysers for a plan even when idle, and how many are missing."""
        return self._lacking(plan, {name: set() for name in self._stations})

    def _lacking(self, plan: Plan, busy: Mapping[str, set[str]]) -> dict[str, int]:
        counts = {
            name: len(busy[name] | links) - self._stations[name].analysers
            for name, links in self._by_station(plan).items()
        }
        return {name: count for name, count in counts.items() if count > 0}

    def frees(self, plan: Plan) -> dict[str, int]:
        """How many analysers of each station come back when the installation of a plan is released."""
        lanes = {each.link: each.lanes for each in plan.links}
        found = {
            name: sum(self._ledger.taken(link) <= lanes[link] for link in links)
            for name, links in self._by_station(plan).items()
        }
        return {name: count for name, count in found.items() if count}

    def shut(self) -> frozenset[str]:
        """Links that cannot get an analyser now."""
        found: set[str] = set()
        for name, station in self._stations.items():
            busy = self._busy(name)
            if len(busy) >= station.analysers:
                found |= set(station.links) - busy
        return frozenset(found)

    def free_at(self, plan: Plan, held: Iterable[tuple[Time | None, Plan]]) -> Time | None:
        """When the analysers of a plan that lacks some are free, if nobody else takes them (ps); None where that cannot be told.

        Args:
            plan: that waits.
            held: plans that are installed, and until when.
        """
        those = list(held)
        until = {each for each, _ in those if each is not None}
        for time in sorted(until):
            left = {link.link for ends, other in those if ends is None or ends > time for link in other.links}
            busy = {name: self._busy(name) & left for name in self._by_station(plan)}
            if not self._lacking(plan, busy):
                return time
        return None

    def settling(self, plan: Plan) -> Time:
        """How long to wait for light on its way, dead detectors and the switch before a plan may be committed, ps."""
        return max(
            (self._stations[name].turnover + self._flight[name] for name in self._by_station(plan)), default=0
        )

    # ---------------------------------------------------------------------------------------- planning

    def late(self, request: LinkRequest, plan: Plan) -> Refused | None:
        """A refusal where connecting the analysers leaves too little time; None where enough is left.

        Args:
            request: whose deadline counts from now.
            plan: that is in time without that.
        """
        settling = self.settling(plan)
        if request.deadline is None or not settling:
            return None
        left = request.deadline - settling
        chance = chance_by(plan.forecast, request.pairs, left) if left > 0 else 0.0
        if chance >= request.confidence:
            return None
        name = max(self.touched(plan), key=lambda name: self._stations[name].turnover)
        reason = f"station {name} connects the links after {show_time(settling, 6)}, and {show_time(max(0, left), 6)} is left then"
        offer = replace(request, name="", key="", deadline=None)
        return Refused(request.name, Code.NOTIME, f"station {name}", reason, offer, plan.forecast)

    def apart(self, found: Plan | Refused, ask: Callable[[frozenset[str]], Plan | Refused]) -> Plan | Refused:
        """A plan that takes no more analysers of any station than there are, or the refusal that names the station.

        One link after the other is left out of those that meet at the station; of the plans that are found with the fewest left out,
        the one of the greatest rate is taken.

        Args:
            found: what the planner answered.
            ask: the planner, without some links.

        Limits:
            `QUESTIONS` are asked at most.
        """
        empty: Mapping[str, set[str]] = {name: set() for name in self._stations}
        if isinstance(found, Refused) or not (over := self._lacking(found, empty)):
            return found
        refused = self._crowded(found, next(iter(over)))
        level: list[tuple[frozenset[str], Plan]] = [(frozenset(), found)]
        asked: set[frozenset[str]] = set()
        while level and len(asked) < QUESTIONS:
            sound: list[Plan] = []
            deeper: list[tuple[frozenset[str], Plan]] = []
            for shut, plan in level:
                over = self._lacking(plan, empty)
                for link in sorted(self._by_station(plan)[next(iter(over))]):
                    closed = shut | {link}
                    if closed in asked or len(asked) >= QUESTIONS:
                        continue
                    asked.add(closed)
                    again = ask(closed)
                    if isinstance(again, Plan):
                        crowded = self._lacking(again, empty)
                        deeper.append((closed, again)) if crowded else sound.append(again)
            if sound:
                return max(sound, key=lambda plan: plan.forecast.rate)
            level = deeper
        return refused

    def _crowded(self, plan: Plan, name: str) -> Refused:
        links = sorted(self._by_station(plan)[name])
        count = self._stations[name].analysers
        reason = (
            f"{' - '.join(plan.path)} needs {len(links)} analysers of station {name} at once ({', '.join(links)}), which has "
            f"{count}, and no other way was found that would do"
        )
        return Refused("", Code.NORES, f"station {name}", reason)
