"""Who knows a key that was relayed: computed from what each node holds and what crosses the wires, not argued.

A key is the XOR of as many shares as it has paths. On hop h of path i, ``share_i XOR pad_{i,h}`` crosses in the clear (whoever
listens is given every ciphertext of the network); both ends of the hop hold ``pad_{i,h}``. All pads and all shares but one are
independent and uniform. So what anybody knows is a set of sums over GF(2), and the key is either a sum of those, and known, or
uniform given all of them: there is nothing between.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from quantum_fabric.keys.relay.paths import Path

Symbol: TypeAlias = tuple[str, int, int]
"""``("share", path, 0)`` or ``("pad", path, hop)``."""

Sum: TypeAlias = frozenset[Symbol]
"""The XOR of some symbols."""


def on_the_wires(paths: Sequence[Path]) -> Iterator[Sum]:
    """What every listener has: each share under each pad that it crossed under."""
    for number, path in enumerate(paths):
        for hop in range(len(path) - 1):
            yield frozenset({("share", number, 0), ("pad", number, hop)})


def held_by(paths: Sequence[Path], coalition: Collection[str]) -> Iterator[Sum]:
    """The pads that some nodes hold."""
    for number, path in enumerate(paths):
        for hop in range(len(path) - 1):
            if path[hop] in coalition or path[hop + 1] in coalition:
                yield frozenset({("pad", number, hop)})


def key_of(paths: Sequence[Path]) -> Sum:
    """The key: the sum of all shares."""
    return frozenset(("share", number, 0) for number in range(len(paths)))


def closure(sums: Iterable[Sum]) -> frozenset[Symbol]:
    """All symbols that follow from some sums by taking known symbols out of them, until nothing new follows.

    Limits:
        Complete for the sums of relayed keys, in which each has one share and at most one pad: there a share is known
        if and only if one of its pads is. It is no general elimination; `tests/oracles` compares it with one.
    """
    known: set[Symbol] = set()
    rest = list(sums)
    while True:
        reduced = [one - known for one in rest]
        new = {next(iter(one)) for one in reduced if len(one) == 1}
        if not new:
            return frozenset(known)
        known |= new
        rest = [one for one in reduced if len(one) > 1]


@dataclass(frozen=True, slots=True)
class Learned:
    """What a coalition of nodes knows of one key.

    Attributes:
        shares: numbers of the paths whose share it knows.
        key: whether that is the key; otherwise the key is uniform given all that it knows.
    """

    shares: frozenset[int]
    key: bool


def learns(paths: Sequence[Path], coalition: Collection[str]) -> Learned:
    """What some nodes know together, with every ciphertext that crossed any wire.

    Args:
        paths: of one key, each from the source to the target.
        coalition: names of nodes; the source and the target know the key, of course.

    Examples:
        >>> two = [("A", "R", "B"), ("A", "S", "T", "B")]
        >>> learns(two, {"R"})
        Learned(shares=frozenset({0}), key=False)
        >>> learns(two, {"R", "T"}).key, learns(two, {"A"}).key, learns(two, ()).key
        (True, True, False)
    """
    known = closure([*on_the_wires(paths), *held_by(paths, coalition)])
    shares = frozenset(number for kind, number, _ in known if kind == "share")
    return Learned(shares, len(shares) == len(paths))


def exposing(paths: Sequence[Path], most: int = 1) -> list[frozenset[str]]:
    """The smallest coalitions of inner nodes that know the key: up to `most` nodes, none inside another.

    Examples:
        >>> exposing([("A", "R", "B")]), [sorted(one) for one in exposing([("A", "R", "B"), ("A", "S", "B")], most=2)]
        ([frozenset({'R'})], [['R', 'S']])
    """
    ends = {path[0] for path in paths} | {path[-1] for path in paths}
    inner = sorted({node for path in paths for node in path} - ends)
    found: list[frozenset[str]] = []
    for size in range(1, most + 1):
        for names in combinations(inner, size):
            coalition = frozenset(names)
            if not any(one <= coalition for one in found) and learns(paths, coalition).key:
                found.append(coalition)
    return found
