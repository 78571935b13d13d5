"""The law of the fidelity of pairs whose whole history is known, not only when they came.

Where all memories are alike, a pair that was made by swaps alone is known by one number: how long pairs have waited for each other
on its way, in all. Its characteristic function is the mean of a product of phases, so it is a channel of the tree like a correlator
that turns where that decays; one law for each frequency, and a transform back. Exact on the grid.

Limits:
    Swap trees with equal memories, fresh pairs and timing that make waits whole numbers of one unit; nothing purified, since the
    state after a round depends on two histories.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.exact.nodes import Link, Node, Numbers, Purify, Swap
from quantum_fabric.network.exact.series import Array
from quantum_fabric.network.exact.tree import Solver

MOST_WAITS = 1 << 14
"""Different waits that are told apart at most."""

AT_ONCE = 64
"""Frequencies that are worked on together."""

REACH = 30.0
"""Mean waits, and mean times, that are kept: phases have no tail to extrapolate."""


@dataclass(frozen=True, eq=False)
class FidelityLaw:
    """Chances of fidelities, the highest first.

    Attributes:
        values: fidelities, falling.
        chances: of each.

    Examples:
        >>> import numpy as np
        >>> law = FidelityLaw(np.array([0.9, 0.8]), np.array([0.75, 0.25]))
        >>> law.mean, law.quantile(0.1), law.quantile(0.5)
        (0.875, 0.8, 0.9)
    """

    values: Array
    chances: Array

    @property
    def mean(self) -> float:
        """Mean fidelity."""
        return float(self.values @ self.chances / self.chances.sum())

    @property
    def deviation(self) -> float:
        """Standard deviation of the fidelity."""
        return math.sqrt(max(0.0, float(self.values**2 @ self.chances / self.chances.sum()) - self.mean**2))

    def quantile(self, level: float) -> float:
        """The fidelity that a share of the pairs does not exceed.

        Args:
            level: the share, in [0, 1].

        Raises:
            QuantityError: a level outside [0, 1].
        """
        if not 0.0 <= level <= 1.0:
            raise QuantityError(found=repr(level), expected="a level in [0, 1]", where="fidelity quantile")
        worst_first = np.cumsum(self.chances[::-1])
        at = int(np.searchsorted(worst_first, level * worst_first[-1]))
        return float(self.values[::-1][min(at, len(self.values) - 1)])


def fidelity_law(node: Node, starts: tuple[int, ...] = ()) -> FidelityLaw | None:
    """Law of the fidelity of the pairs of a tree; None where it is not known by one number.

    Args:
        node: the tree.
        starts: of its links, ticks; all from 0 where not given.

    Examples:
        >>> from quantum_fabric.network.exact import steps
        >>> rate = (0.025, 0.025, 0.025)  # each half of a pair that waits
        >>> two = steps.swap(steps.link(0.1), steps.link(0.1), rates=(rate,) * 3, cutoff=5)
        >>> law = fidelity_law(two)
        >>> round((4.0 * law.mean - 1.0) / 3.0, 8)  # experiments: 0.887216432
        0.88721643
    """
    wait = _wait(node)
    if wait is None or isinstance(node, Link):
        return None
    chances = waits(node, starts)
    if chances is None:
        return None
    start = np.array(_start(node))
    spent = np.exp(-np.outer(np.arange(len(chances)) * float(_unit(node, starts)), wait))
    return FidelityLaw((1.0 + spent @ start.real) / 4.0, chances)


def waits(node: Node, starts: tuple[int, ...] = ()) -> Array | None:
    """Chances that pairs have waited 0, 1, ... units for each other on the way to one pair; None if there are too many.

    Args:
        node: the tree.
        starts: of its links, ticks; all from 0 where not given.
    """
    step = _unit(node, starts)
    slow = 1e-7 / Solver().law(node, starts).mean()
    mean = float((1.0 - Solver().law(_turned(node, (slow,)), starts).total(1).real) / slow) / step
    size = 1 << max(4, math.ceil(math.log2(REACH * mean + 1.0)))
    if size > MOST_WAITS:
        return None
    spectrum = np.empty(size // 2 + 1, dtype=np.complex128)
    for first in range(0, len(spectrum), AT_ONCE):
        turns = np.arange(first, min(first + AT_ONCE, len(spectrum)))
        rates = tuple(2j * np.pi / (size * step) * turns)
        law = Solver(reach=REACH).law(_turned(node, tuple(complex(rate) for rate in rates)), starts)
        spectrum[turns] = law.values[1:].sum(axis=1)
    found: Array = np.maximum(np.fft.irfft(spectrum, size), 0.0)
    return found


def _unit(node: Node, starts: tuple[int, ...]) -> int:
    return unit(node) if len({start % node.lattice for start in starts}) < 2 else 1


def unit(node: Node) -> int:
    """Ticks that divide every wait in a tree: the common grid if parts are always ready at the same point of it, else 1."""
    return node.lattice if _residue(node) is not None else 1


def _residue(node: Node) -> int | None:
    """Where on the grid a node's pairs are ready, None if at several points."""
    if isinstance(node, Link):
        return int(node.ready) % node.lattice if node.whole else None
    if isinstance(node, Purify) or any(link.lattice != node.lattice for link in node.leaves):
        return None
    one, two = _residue(node.left), _residue(node.right)
    if one is None or one != two or not float(node.takes).is_integer():
        return None
    return int(one + node.takes) % node.lattice


def _wait(node: Node) -> Array | None:
    """Decay rates of a pair that waits, if they are the same everywhere and nothing is purified."""
    if isinstance(node, Purify):
        return None
    if isinstance(node, Link):
        return np.array([-1.0])
    rates = {node.wait_left, node.wait_right}
    for part in (node.left, node.right):
        below = _wait(part)
        if below is None:
            return None
        if isinstance(part, Swap):
            rates.add(tuple(below.tolist()))
    return np.array([complex(rate).real for rate in rates.pop()]) if len(rates) == 1 else None


def _start(node: Node) -> Numbers:
    """Correlators of a pair whose parts never waited."""
    if isinstance(node, Link):
        return node.fresh
    if isinstance(node, Purify):
        raise QuantityError(found="purification", expected="swaps alone", where="fidelity law")
    parts = zip(_start(node.left), _start(node.right), node.factors, strict=True)
    return tuple(a * b * factor for a, b, factor in parts)


def _turned(node: Node, rates: Numbers) -> Node:
    """The same tree with other channels: each loses at its rate for every tick that a pair waits."""
    ones = (1.0,) * len(rates)
    if isinstance(node, Link):
        return Link(node.success, node.period, node.ready, ones)
    if isinstance(node, Purify):
        raise QuantityError(found="purification", expected="swaps alone", where="fidelity law")
    return Swap(
        _turned(node.left, rates),
        _turned(node.right, rates),
        node.success,
        ones,
        rates,
        rates,
        node.takes,
        node.fails,
        node.lags,
        node.windows,
        node.dropped,
    )
