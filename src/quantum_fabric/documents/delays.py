"""Classical delays between all nodes: the light time of the shortest fibre route, or what was measured."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from quantum_fabric.units import Time

Fibres = Iterable[tuple[str, str, Time]]
"""Ends and light time of each fibre."""


class Delays(Mapping[tuple[str, str], Time]):
    """One-way classical delay (ps) for each ordered pair of nodes.

    A network of a thousand nodes has a million pairs of which a run needs few, so the search from a node begins when one of its
    delays is asked for first, and goes no farther than what was asked for. From a node to itself the delay is 0.

    Args:
        nodes: their names.
        fibres: ends and light time of each fibre.
        measured: delays that hold instead of the light time, for either direction.

    Examples:
        >>> delays = Delays("ABC", [("A", "B", 5), ("B", "C", 7)], {("A", "B"): 50})
        >>> delays["A", "B"], delays["B", "A"], delays["A", "C"], len(delays)
        (50, 50, 12, 9)
    """

    __slots__ = ("_measured", "_neighbours", "_rows")

    def __init__(
        self, nodes: Iterable[str], fibres: Fibres, measured: Mapping[tuple[str, str], Time] | None = None
    ) -> None:
        self._neighbours: Final[dict[str, list[tuple[str, Time]]]] = {name: [] for name in nodes}
        for a, b, time in fibres:
            self._neighbours[a].append((b, time))
            self._neighbours[b].append((a, time))
        self._measured: Final = dict(measured or {})
        self._rows: Final[dict[str, tuple[dict[str, Time], list[tuple[Time, str]]]]] = {}

    def light(self, a: str) -> Mapping[str, Time]:
        """Light time over the shortest fibre route from ``a`` to every node that has one."""
        return self._reached(a, None)

    def __getitem__(self, pair: tuple[str, str]) -> Time:
        a, b = pair
        if self._measured:
            for key in ((a, b), (b, a)):
                if key in self._measured:
                    return self._measured[key]
        back = self._rows.get(b)
        if back is not None and a in back[0]:
            return back[0][
                a
            ]  # light takes as long both ways: one search from the controller serves all who ask about it
        if a not in self._neighbours:
            raise KeyError(pair)
        return self._reached(a, b)[b]

    @property
    def direct(self) -> bool:
        """Whether no way round is shorter than a delay: so it is with light, and not with what was measured."""
        return not self._measured

    def longest(self) -> Time:
        """The longest delay of all: exact, from few searches where nothing was measured.

        Equation: after one search from v the farthest node from any w is at most e(v) + d(v, w) away; who cannot be an end of the
            longest way drops out (the upper bound of Takes, Kosters, Proc. CIKM 2011, 1191; provenance R).

        Examples:
            >>> Delays("ABCD", [("A", "B", 5), ("B", "C", 7), ("C", "D", 1)]).longest()
            13
        """
        if self._measured:
            return max(self.values(), default=0)
        longest = 0
        left = set(self._neighbours)
        while left:
            # one start for each part that hangs together; what is farthest from one end is the next
            start, most = next(name for name in self._neighbours if name in left), dict[str, Time]()
            while True:
                done = self._whole(start)
                far = max(done.values())
                longest = max(longest, far)
                if not most:
                    left -= done.keys()
                    most = dict.fromkeys(done, 2 * far)
                most = {
                    name: bound
                    for name, old in most.items()
                    if (bound := min(old, far + done[name])) > longest and name != start
                }
                if not most:
                    break
                start = max(most, key=most.__getitem__)
        return longest

    def _whole(self, start: str) -> dict[str, Time]:
        """Light times from a node to all that it reaches; not kept, unless they are already."""
        known = start in self._rows
        done = self._reached(start, None)
        if not known:
            del self._rows[start]
        return done

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for a in self._neighbours:
            reached = self.light(a)
            yield from ((a, b) for b in self._neighbours if b in reached or self._is_measured(a, b))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"Delays({len(self._neighbours)} nodes, {len(self._measured)} measured)"

    def _is_measured(self, a: str, b: str) -> bool:
        return (a, b) in self._measured or (b, a) in self._measured

    def _reached(self, start: str, goal: str | None) -> dict[str, Time]:
        """Light times from a node to at least those that are no farther than the goal: Dijkstra, taken up where it rested."""
        if start not in self._rows:
            self._rows[start] = ({}, [(0, start)])
        done, waiting = self._rows[start]
        while waiting and goal not in done:
            time, here = heapq.heappop(waiting)
            if here in done:
                continue
            done[here] = time
            for there, step in self._neighbours[here]:
                if there not in done:
                    heapq.heappush(waiting, (time + step, there))
        return done


def parts(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Split nodes into connected parts.

    Args:
        nodes: their names, in the order of the document.
        pairs: which of them are joined.

    Returns:
        Parts in the order of their first nodes.

    Examples:
        >>> parts("ABCD", [("A", "C"), ("D", "D")])
        [['A', 'C'], ['B'], ['D']]
    """
    names = list(nodes)
    neighbours: dict[str, list[str]] = {name: [] for name in names}
    for a, b in pairs:
        if a in neighbours and b in neighbours:
            neighbours[a].append(b)
            neighbours[b].append(a)
    order = {name: number for number, name in enumerate(names)}
    seen: set[str] = set()
    found = []
    for name in names:
        if name in seen:
            continue
        part, waiting = [], [name]
        seen.add(name)
        while waiting:
            here = waiting.pop()
            part.append(here)
            fresh = [other for other in neighbours[here] if other not in seen]
            seen.update(fresh)
            waiting.extend(dict.fromkeys(fresh))
        found.append(sorted(part, key=order.__getitem__))
    return found
