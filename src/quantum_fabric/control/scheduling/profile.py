"""How much of one resource is taken, as a function of time: a step function that answers in logarithmic time.

A balanced search tree (a treap, whose balance comes from mixing a counter, so that the same calls always build the same tree) of the
moments at which use changes. Each subtree knows the sum of its changes, the highest and lowest partial sum, and the sum of change
times moment: so the level at a moment, the peak in a window, the area below and the next moment below a level are all one
descent.
"""

from __future__ import annotations

from quantum_fabric.units import Time

_MASK = (1 << 64) - 1


class _Step:
    """A moment at which use changes, and what is known of the changes in its subtree."""

    __slots__ = ("change", "dip", "left", "moment", "peak", "right", "time", "total", "weight")

    def __init__(self, time: Time, change: int, weight: int) -> None:
        self.time, self.change, self.weight = time, change, weight
        self.left: _Step | None = None
        self.right: _Step | None = None
        self.total = self.peak = self.dip = change
        self.moment = change * time

    def sum_up(self) -> None:
        """Work out what is known of the subtree from its two halves."""
        left, right = self.left, self.right
        here = self.change + (left.total if left else 0)
        peak = max(here, left.peak) if left else here
        dip = min(here, left.dip) if left else here
        total, moment = here, self.change * self.time + (left.moment if left else 0)
        if right:
            peak, dip = max(peak, here + right.peak), min(dip, here + right.dip)
            total, moment = here + right.total, moment + right.moment
        self.total, self.moment, self.peak, self.dip = total, moment, peak, dip


class Profile:
    """Use of one resource over time.

    Every method but `next_fit` takes O(log n) steps for n moments of change; `next_fit` takes O(log n) for each busy stretch that it
    passes over.

    Examples:
        >>> use = Profile()
        >>> use.add(10, 20, 2); use.add(15, 30, 1)
        >>> [use.level(t) for t in (9, 10, 15, 20, 30)]
        [0, 2, 3, 1, 0]
        >>> use.peak(0, 15), use.area(0, 100)
        (2, 35)
        >>> use.next_fit(12, 5, most=1)  # five units of time with no more than one in use
        20
    """

    def __init__(self) -> None:
        self._root: _Step | None = None
        self._counter = 0

    def add(self, start: Time, end: Time, amount: int) -> None:
        """Use more in [start, end); a negative amount takes use back."""
        if start < end and amount:
            self._root = self._change(self._root, start, amount)
            self._root = self._change(self._root, end, -amount)

    def level(self, time: Time) -> int:
        """How much is in use at a moment."""
        return self._before(time)[0]

    def area(self, start: Time, end: Time) -> int:
        """Use integrated over [start, end) (units times ps)."""
        return self._area(end) - self._area(start)

    def peak(self, start: Time, end: Time) -> int:
        """The most that is in use at any moment of [start, end), where start < end."""
        found = self._peak(self._root, 0, start, end)
        here = self.level(start)
        return here if found is None else max(here, found)

    def next_above(self, time: Time, level: int) -> Time | None:
        """The first moment from `time` on at which more than `level` is in use; None where there is none."""
        return time if self.level(time) > level else self._first_above(self._root, 0, time, level)

    def next_within(self, time: Time, level: int) -> Time | None:
        """The first moment from `time` on at which no more than `level` is in use; None where there is none."""
        return time if self.level(time) <= level else self._first_within(self._root, 0, time, level)

    def next_fit(self, time: Time, length: Time, most: int) -> Time | None:
        """The first start from `time` on of a window of this length in which never more than `most` is in use."""
        start = self.next_within(time, most)
        while start is not None:
            blocked = self.next_above(start, most)
            if blocked is None or blocked >= start + length:
                return start
            start = self.next_within(blocked, most)
        return None

    def forget(self, before: Time) -> None:
        """Drop what is over, keeping the level from then on."""
        level = self.level(before)
        while self._root is not None:
            first = self._root
            while first.left is not None:
                first = first.left
            if first.time > before:
                break
            self._root = self._change(self._root, first.time, -first.change)
        if level:
            self._root = self._change(self._root, before, level)

    def __len__(self) -> int:
        """Number of moments at which use changes."""
        return _count(self._root)

    # ----------------------------------------------------------------------------------------------- descents

    def _before(self, time: Time) -> tuple[int, int]:
        """Sum of the changes up to a moment, and of change times moment."""
        node, total, moment = self._root, 0, 0
        while node is not None:
            if node.time > time:
                node = node.left
                continue
            total += node.change + (node.left.total if node.left else 0)
            moment += node.change * node.time + (node.left.moment if node.left else 0)
            node = node.right
        return total, moment

    def _area(self, time: Time) -> int:
        """Use integrated up to a moment: the sum of change (time - moment) over the changes before."""
        total, moment = self._before(time)
        return time * total - moment

    def _peak(self, node: _Step | None, base: int, after: Time, before: Time) -> int | None:
        """Highest partial sum at a change in (after, before)."""
        if node is None:
            return None
        if node.time <= after:
            return self._peak(node.right, base + _total(node.left) + node.change, after, before)
        if node.time >= before:
            return self._peak(node.left, base, after, before)
        here = base + _total(node.left) + node.change
        found = [here]
        left, right = self._tail(node.left, base, after), self._head(node.right, here, before)
        return max([*found, *(each for each in (left, right) if each is not None)])

    def _tail(self, node: _Step | None, base: int, after: Time) -> int | None:
        """Highest partial sum at a change after a moment."""
        best: int | None = None
        while node is not None:
            here = base + _total(node.left) + node.change
            if node.time > after:
                top = max(here, here + node.right.peak) if node.right else here
                best = top if best is None else max(best, top)
                node = node.left
            else:
                base, node = here, node.right
        return best

    def _head(self, node: _Step | None, base: int, before: Time) -> int | None:
        """Highest partial sum at a change before a moment."""
        best: int | None = None
        while node is not None:
            if node.time < before:
                here = base + _total(node.left) + node.change
                top = max(here, base + node.left.peak) if node.left else here
                best = top if best is None else max(best, top)
                base, node = here, node.right
            else:
                node = node.left
        return best

    def _first_above(self, node: _Step | None, base: int, after: Time, level: int) -> Time | None:
        if node is None or base + node.peak <= level:
            return None
        here = base + _total(node.left) + node.change
        if node.time > after:
            found = self._first_above(node.left, base, after, level)
            if found is not None:
                return found
            if here > level:
                return node.time
        return self._first_above(node.right, here, after, level)

    def _first_within(self, node: _Step | None, base: int, after: Time, level: int) -> Time | None:
        if node is None or base + node.dip > level:
            return None
        here = base + _total(node.left) + node.change
        if node.time > after:
            found = self._first_within(node.left, base, after, level)
            if found is not None:
                return found
            if here <= level:
                return node.time
        return self._first_within(node.right, here, after, level)

    # ----------------------------------------------------------------------------------------------- changes

    def _change(self, node: _Step | None, time: Time, amount: int) -> _Step | None:
        """Add to the change at a moment; a change of zero is taken out."""
        if node is None:
            self._counter += 1
            return _Step(time, amount, _mixed(self._counter))
        if time == node.time:
            node.change += amount
            if node.change == 0:
                return _merged(node.left, node.right)
        elif time < node.time:
            node.left = self._change(node.left, time, amount)
            if node.left is not None and node.left.weight > node.weight:
                child = node.left
                node.left, child.right = child.right, node
                node.sum_up()
                node = child
        else:
            node.right = self._change(node.right, time, amount)
            if node.right is not None and node.right.weight > node.weight:
                child = node.right
                node.right, child.left = child.left, node
                node.sum_up()
                node = child
        node.sum_up()
        return node


def _total(node: _Step | None) -> int:
    return node.total if node else 0


def _count(node: _Step | None) -> int:
    return 0 if node is None else 1 + _count(node.left) + _count(node.right)


def _merged(left: _Step | None, right: _Step | None) -> _Step | None:
    """One tree of two, the first of which lies before the second."""
    if left is None or right is None:
        return left or right
    if left.weight > right.weight:
        left.right = _merged(left.right, right)
        left.sum_up()
        return left
    right.left = _merged(left, right.left)
    right.sum_up()
    return right


def _mixed(counter: int) -> int:
    """A counter, mixed (the finaliser of SplitMix64: Steele, Lea and Flood, OOPSLA 2014): looks random, and is always the same."""
    z = (counter * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
