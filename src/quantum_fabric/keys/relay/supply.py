"""A key network as its planner believes it: which nodes share key over one link, how much of it, and how fast more comes in.

Bits of a link belong to one of two directions, because a pool has one cutter (`quantum_fabric.keys.Pool`): what A may spend
towards B is no business of B.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.keys.records import Origin, Provenance, weakest

TEST: Final = Provenance(Origin.TEST, "nobody said")


@dataclass(frozen=True, slots=True)
class KeyLink:
    """Pairwise key of two nodes, as it is believed to be.

    Attributes:
        a, b: two different nodes.
        forward, backward: stored bits that a may spend towards b, and b towards a.
        rate: new bits per second, both directions together; half of it for each.
        provenance: where the bits come from; its epsilon is that of the whole stock.

    Raises:
        InputError: one node twice, or a number below 0.

    Examples:
        >>> link = KeyLink("Graz", "Wien", forward=4096, backward=1024, rate=2000.0)
        >>> link.stored("Wien"), link.stored("Graz")
        (1024, 4096)
    """

    a: str
    b: str
    forward: int = 0
    backward: int = 0
    rate: float = 0.0
    provenance: Provenance = TEST

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise InputError(f"{self.a} twice", "two different nodes", "key link")
        if min(self.forward, self.backward) < 0 or not 0.0 <= self.rate < float("inf"):
            raise InputError(str(self), "stored bits and a rate of 0 or more", "key link")

    def stored(self, spender: str) -> int:
        """Bits that one of the two may spend towards the other.

        Raises:
            UnknownNameError: another node.
        """
        if spender not in (self.a, self.b):
            raise UnknownNameError(repr(spender), f"{self.a} or {self.b}", "spender")
        return self.forward if spender == self.a else self.backward

    def after(self, seconds: float) -> KeyLink:
        """With what comes in meanwhile, in whole bits, rounded down."""
        more = int(self.rate * seconds / 2.0)
        return replace(self, forward=self.forward + more, backward=self.backward + more)


@dataclass(frozen=True, slots=True)
class KeyNetwork:
    """Nodes that relay keys for others, and the links between them.

    Attributes:
        links: at most one for each pair of nodes.
        relays: nodes that may stand inside a path. All others are ends only: a node that is not trusted is never one of these.

    Raises:
        InputError: two links between one pair of nodes.

    Examples:
        >>> network = KeyNetwork((KeyLink("A", "R", 512, 512), KeyLink("R", "B", 256, 512)), frozenset({"R"}))
        >>> network.nodes, network.neighbours("R"), network.stored("R", "B")
        (('A', 'B', 'R'), ('A', 'B'), 256)
        >>> network.spend({("R", "B"): 200}).stored("R", "B")
        56
    """

    links: tuple[KeyLink, ...]
    relays: frozenset[str]
    _by_ends: Mapping[frozenset[str], KeyLink] = field(init=False, repr=False, compare=False)
    _around: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_ends: dict[frozenset[str], KeyLink] = {}
        around: dict[str, list[str]] = {}
        for link in self.links:
            ends = frozenset((link.a, link.b))
            if ends in by_ends:
                raise InputError(
                    f"a second link of {link.a} and {link.b}", "one for each pair of nodes", "links"
                )
            by_ends[ends] = link
            around.setdefault(link.a, []).append(link.b)
            around.setdefault(link.b, []).append(link.a)
        object.__setattr__(self, "_by_ends", by_ends)
        object.__setattr__(self, "_around", {name: tuple(sorted(row)) for name, row in around.items()})

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node that has a link, by name."""
        return tuple(sorted(self._around))

    def neighbours(self, node: str) -> tuple[str, ...]:
        """Nodes that share key with this one, by name; none where there is no such node."""
        return self._around.get(node, ())

    def link(self, one: str, other: str) -> KeyLink:
        """The link of two neighbours.

        Raises:
            UnknownNameError: they share no key.
        """
        found = self._by_ends.get(frozenset((one, other)))
        if found is None:
            raise UnknownNameError(f"{one} and {other}", "two nodes that share key", "key link")
        return found

    def stored(self, spender: str, towards: str) -> int:
        """Bits that a node may spend towards its neighbour."""
        return self.link(spender, towards).stored(spender)

    def known(self, *names: str) -> None:
        """Check names of nodes.

        Raises:
            UnknownNameError: one of them has no link.
        """
        for name in names:
            if name not in self._around:
                raise UnknownNameError(repr(name), "a node of the key network", "node")

    def spend(self, uses: Mapping[tuple[str, str], int]) -> KeyNetwork:
        """What is left after bits are spent: (spender, towards) -> bits.

        Raises:
            InputError: more than there is; bits below 0.
        """
        changed = dict(self._by_ends)
        for (spender, towards), bits in uses.items():
            link = changed.get(frozenset((spender, towards))) or self.link(spender, towards)
            left = link.stored(spender) - bits
            if bits < 0 or left < 0:
                raise InputError(
                    f"{bits} bits", f"0 to {link.stored(spender)} bits", f"{spender} → {towards}"
                )
            one = {"forward": left} if spender == link.a else {"backward": left}
            changed[frozenset((spender, towards))] = replace(link, **one)  # type: ignore[arg-type]
        return replace(self, links=tuple(changed[frozenset((link.a, link.b))] for link in self.links))

    def after(self, seconds: float) -> KeyNetwork:
        """The same network with what comes in meanwhile."""
        return replace(self, links=tuple(link.after(seconds) for link in self.links))

    def provenance(self, paths: Iterable[tuple[str, ...]]) -> Provenance:
        """Of a key that went these ways: the least trusted origin, failure probabilities of all links added.

        Limits:
            With several paths the key stays secret where one of them does; this bound ignores that and adds them all.
        """
        hops = {frozenset(hop) for path in paths for hop in pairs(path)}
        found = [self._by_ends[hop].provenance for hop in sorted(hops, key=sorted)]
        joined = weakest([replace(one, source=f"{one.source}#{index}") for index, one in enumerate(found)])
        return Provenance(joined.origin, f"relayed over {len(hops)} links"[:64], joined.epsilon)


def pairs(path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The hops of a path, in its direction.

    Examples:
        >>> list(pairs(("A", "R", "B")))
        [('A', 'R'), ('R', 'B')]
    """
    return pairwise(path)
