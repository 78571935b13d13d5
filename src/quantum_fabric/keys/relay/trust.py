"""The trust boundary of a network: between which ends keys need nobody else, and what each node, operator and domain could read.

Key between two nodes needs nobody's trust where they have a link of their own, or where links that store entanglement join them over
nodes that swap: a repeater that lies spoils the test of the ends and learns nothing. So does a station that measures what both ends
send (MDI, twin field): it may stop a key, and never reads one. Everywhere else keys are relayed by nodes
that see them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from quantum_fabric.errors import InputError
from quantum_fabric.keys.relay.paths import Path, disjoint
from quantum_fabric.keys.relay.supply import KeyLink, KeyNetwork


@dataclass(frozen=True, slots=True)
class Site:
    """A node, as its owner declares it.

    Attributes:
        name: of the node.
        relays: whether it may stand inside a path at all.
        trusted: True: it may see keys that it relays; False: none is relayed through it; None: nobody has said.
        operator, domain: whose it is, and in which security domain; empty where nobody has said.
    """

    name: str
    relays: bool = True
    trusted: bool | None = None
    operator: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Tie:
    """A quantum link.

    Attributes:
        a, b: its ends.
        stores: True where memories hold its pairs, so that they can be swapped; False where photons are measured at once.
        station: node between them that measures what both send and announces the result, as in MDI and twin-field sessions: no link
            of their own, and yet nobody else sees the key; empty for a link.
    """

    a: str
    b: str
    stores: bool
    station: str = ""


class Need(StrEnum):
    """What key between two ends rests on, beside the ends."""

    DIRECT = "a link of their own"
    STATION = "a station that nobody needs to trust"
    ENTANGLED = "entanglement from end to end"
    RELAYED = "trusted nodes"
    NONE = "no way"


@dataclass(frozen=True, slots=True)
class PairTrust:
    """Two ends.

    Attributes:
        ends: by name.
        need: see `Need`.
        must_trust: nodes that see every key between them, whatever the routes.
        survives: how many nodes may be compromised at once, whichever they are, before a key over as many paths as there are is
            known; of `Need.RELAYED` only, 0 elsewhere. Not counted beyond 1 where there are more than `MOST_COUNTED` pairs.
        single: the path of fewest trusted nodes: all inner ones see a key that takes one path only.
    """

    ends: tuple[str, str]
    need: Need
    must_trust: tuple[str, ...] = ()
    survives: int = 0
    single: Path = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a set of nodes under one hand could read.

    Attributes:
        name: the node, operator or domain.
        nodes: which they are.
        own: pairs of which one end is among them: every key of theirs.
        certain: pairs of others whose keys it reads whatever the routes.
        single: pairs of others whose keys it reads where they take one path of fewest nodes.
    """

    name: str
    nodes: tuple[str, ...]
    own: tuple[tuple[str, str], ...]
    certain: tuple[tuple[str, str], ...]
    single: tuple[tuple[str, str], ...]


MOST_COUNTED: Final = 3_000
"""Pairs for which disjoint paths are counted one by one."""


def _any(here: str, there: str) -> tuple[int, int]:  # noqa: ARG001
    return 1 << 20, 1


class Boundary:
    """The trust boundary of a network.

    Args:
        sites: every node.
        ties: every link that makes key or pairs between its ends, and every two ends that a station serves.
        ends: between whom keys are wanted; where None, the nodes that relay nothing, or all where those are fewer than two.

    Attributes:
        ends: by name.
        keys: the key network: who can share key without anybody else, and who relays.
        pairs: every two ends.
        served: station -> the pairs of nodes that it serves, sorted.

    Raises:
        InputError: two sites of one name, a tie, a station or an end that leads nowhere.

    Examples:
        >>> sites = [Site("A", relays=False), Site("R", trusted=True, operator="X"), Site("B", relays=False)]
        >>> measured = Boundary(sites, [Tie("A", "R", stores=False), Tie("R", "B", stores=False)])
        >>> measured.pairs[0].need.value, measured.pairs[0].must_trust, measured.of_node("R").certain
        ('trusted nodes', ('R',), (('A', 'B'),))
        >>> stored = Boundary(sites, [Tie("A", "R", stores=True), Tie("R", "B", stores=True)])
        >>> stored.pairs[0].need.value, stored.of_node("R").certain
        ('entanglement from end to end', ())
        >>> served = Boundary(sites, [Tie("A", "B", stores=False, station="R")])
        >>> served.pairs[0].need.value, served.of_node("R").certain, served.served
        ('a station that nobody needs to trust', (), {'R': (('A', 'B'),)})
    """

    def __init__(
        self, sites: Sequence[Site], ties: Sequence[Tie], ends: Collection[str] | None = None
    ) -> None:
        self.sites = {site.name: site for site in sites}
        if len(self.sites) != len(sites):
            raise InputError("two nodes of one name", "each name once", "sites")
        named = {name for tie in ties for name in (tie.a, tie.b, tie.station) if name}
        lost = sorted((named | set(ends or ())) - set(self.sites))
        if lost:
            raise InputError(repr(lost[0]), "a node of the network", "ties and ends")
        leaves = [site.name for site in sites if not site.relays]
        chosen = ends if ends is not None else leaves if len(leaves) > 1 else self.sites
        self.ends = tuple(sorted(set(chosen)))
        self._ties = {frozenset((tie.a, tie.b)) for tie in ties if not tie.station}
        self._served = {frozenset((tie.a, tie.b)) for tie in ties if tie.station}
        by_station: dict[str, set[tuple[str, str]]] = {}
        for tie in ties:
            if tie.station:
                by_station.setdefault(tie.station, set()).add((min(tie.a, tie.b), max(tie.a, tie.b)))
        self.served = {name: tuple(sorted(pairs)) for name, pairs in sorted(by_station.items())}
        self.keys = self._key_network([tie for tie in ties if tie.stores])
        counted = len(self.ends) * (len(self.ends) - 1) // 2 <= MOST_COUNTED
        cuts = {name: self._islands((name,)) for name in self.keys.relays}
        self.pairs = tuple(
            pair
            for index, a in enumerate(self.ends)
            for pair in self._from(a, self.ends[index + 1 :], cuts, counted)
        )
        self._own: dict[str, list[tuple[str, str]]] = {name: [] for name in self.sites}
        self._certain: dict[str, list[tuple[str, str]]] = {name: [] for name in self.sites}
        self._single: dict[str, list[tuple[str, str]]] = {name: [] for name in self.sites}
        for pair in self.pairs:
            for name in pair.ends if pair.need is not Need.NONE else ():
                self._own[name].append(pair.ends)
            for name in pair.must_trust:
                self._certain[name].append(pair.ends)
            for name in pair.single[1:-1]:
                self._single[name].append(pair.ends)

    def _key_network(self, storing: Sequence[Tie]) -> KeyNetwork:
        around: dict[str, set[str]] = {}
        for tie in storing:
            around.setdefault(tie.a, set()).add(tie.b)
            around.setdefault(tie.b, set()).add(tie.a)
        joined = self._ties | self._served
        for start in around:
            seen, queue = {start}, deque([start])
            while queue:
                here = queue.popleft()
                if here != start and not self.sites[here].relays:
                    continue  # it has a pair, and swaps for nobody
                fresh = around[here] - seen
                seen |= fresh
                queue.extend(sorted(fresh))
            joined |= {frozenset((start, other)) for other in seen if other != start}
        rows = sorted(tuple(sorted(ends)) for ends in joined)
        links = tuple(KeyLink(one, other) for one, other in rows)
        relays = frozenset(
            site.name for site in self.sites.values() if site.relays and site.trusted is not False
        )
        return KeyNetwork(links, relays)

    def _from(
        self, a: str, others: Sequence[str], cuts: Mapping[str, Mapping[str, frozenset[int]]], counted: bool
    ) -> Iterator[PairTrust]:
        """Every pair of one end, along one tree of shortest paths."""
        before = self._tree(a)
        for b in others:
            if b in self.keys.neighbours(a):
                yield PairTrust((a, b), self._alone(a, b))
                continue
            if b not in before:
                yield PairTrust((a, b), Need.NONE)
                continue
            single = [b]
            while single[-1] != a:
                single.append(before[single[-1]])
            must = tuple(sorted(name for name in single[1:-1] if not cuts[name][a] & cuts[name][b]))
            # one unavoidable node is one too many; without any there are two paths (Menger)
            survives = 0 if must else 1
            if survives and counted:
                survives = len(disjoint(self.keys, a, b, len(self.keys.neighbours(a)), _any)) - 1
            yield PairTrust((a, b), Need.RELAYED, must, survives, tuple(reversed(single)))

    def _alone(self, a: str, b: str) -> Need:
        """What key of two nodes rests on that need nobody's trust."""
        both = frozenset((a, b))
        return Need.DIRECT if both in self._ties else Need.STATION if both in self._served else Need.ENTANGLED

    def _tree(self, start: str) -> dict[str, str]:
        before = {start: ""}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for there in self.keys.neighbours(here) if here == start or here in self.keys.relays else ():
                if there not in before:
                    before[there] = here
                    queue.append(there)
        return before

    def _islands(self, without: Collection[str]) -> dict[str, frozenset[int]]:
        """Node -> the islands of relays that it belongs to or touches, once some nodes are gone."""
        island: dict[str, int] = {}
        for number, start in enumerate(sorted(self.keys.relays - set(without))):
            queue = deque([start] if start not in island else [])
            while queue:
                here = queue.popleft()
                if here not in island:
                    island[here] = number
                    queue.extend(
                        n for n in self.keys.neighbours(here) if n in self.keys.relays and n not in without
                    )
        return {
            name: frozenset({island[name]})
            if name in island
            else frozenset(island[other] for other in self.keys.neighbours(name) if other in island)
            for name in self.sites
            if name not in without
        }

    def count(self, need: Need) -> int:
        """How many pairs rest on this."""
        return sum(pair.need is need for pair in self.pairs)

    def exposure(self, name: str, nodes: Collection[str]) -> Exposure:
        """What nodes under one hand could read.

        Args:
            name: of the hand.
            nodes: which they are.
        """
        under = frozenset(nodes)
        islands = self._islands(under)
        own, certain, single = [], [], []
        for pair in self.pairs:
            a, b = pair.ends
            if under & {a, b}:
                if pair.need is not Need.NONE:
                    own.append(pair.ends)
            elif pair.need is Need.RELAYED:
                if not islands[a] & islands[b]:
                    certain.append(pair.ends)
                if under & set(pair.single[1:-1]):
                    single.append(pair.ends)
        return Exposure(name, tuple(sorted(under)), tuple(own), tuple(certain), tuple(single))

    def of_node(self, name: str) -> Exposure:
        """What one compromised node could read.

        Raises:
            KeyError: there is no such node.
        """
        return Exposure(
            name, (name,), tuple(self._own[name]), tuple(self._certain[name]), tuple(self._single[name])
        )

    def operators(self) -> list[Exposure]:
        """What each declared operator could read with all its nodes."""
        return self._hands({site.name: site.operator for site in self.sites.values()})

    def domains(self) -> list[Exposure]:
        """What each declared domain could read with all its nodes."""
        return self._hands({site.name: site.domain for site in self.sites.values()})

    def _hands(self, whose: dict[str, str]) -> list[Exposure]:
        names = sorted(set(whose.values()) - {""})
        return [self.exposure(name, [node for node, hand in whose.items() if hand == name]) for name in names]

    def ways(self, pair: PairTrust) -> list[Path]:
        """Paths of a pair that share no node but those that cannot be avoided, fewest hops first.

        Nodes that cannot be avoided cut the way into stretches; where one stretch has fewer ways than another, paths share it.
        """
        if pair.need is not Need.RELAYED:
            return [pair.ends] if pair.need is not Need.NONE else []
        if not pair.must_trust:
            return disjoint(self.keys, *pair.ends, pair.survives + 1, _any)
        return list(dict.fromkeys(disjoint(self.keys, *pair.ends, 2, _any, pair.must_trust)))

    @property
    def undeclared(self) -> tuple[str, ...]:
        """Nodes that keys may be relayed through and of which nobody has said that they may see them."""
        if not self.count(Need.RELAYED):
            return ()
        between = {name for name in self.keys.relays if len(self.keys.neighbours(name)) > 1}
        return tuple(sorted(name for name in between if self.sites[name].trusted is None))
