"""Stars: several arms meet at a hub, which joins what they bring into one GHZ state of the far ends.

An arm is any tree of links, swaps and purification that ends at the hub. When all are there the hub measures its halves together
(GHZ fusion); that works with a probability, else all arms start anew. Every qubit of the GHZ state is thereby teleported over its
arm, so a stabiliser keeps, of each arm, the correlator of the Pauli operator that it has there; operations are linear in each arm,
so the law of time and fidelity is exact, like that of chains.

Equation: over n arms with correlators (x, y, z) the GHZ fidelity is

    F = 2^-n ½ [Π (1 + z_i) + Π (1 - z_i) + Π (x_i + y_i) + Π (x_i - y_i)],

the mean of the stabilisers: Z on an even set, and X on all with Y instead of X on an even set. For two arms it is (1+x+y+z)/4 of the
swapped pair.

Limits:
    Plans of the control plane are paths; no agent carries out a star yet. The hub's operation is taken as depolarising (`keeps`).
    Arms start together, on grids in step, and after a failure start anew together; what is news travels within `takes` and `fails`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.exact.nodes import Node
from quantum_fabric.network.exact.series import Array, Series, compounded, faded, fitted
from quantum_fabric.network.exact.tree import MOST_TICKS, WORST, Solver, UnsuitableError
from quantum_fabric.physics.correlators import Correlators

MOST_ARMS = 12
"""More arms give the deepest GHZ state that anybody asks for."""

LENGTH = 12.0
"""Mean times of the slowest arm that are kept at first, for each expected attempt at fusion."""


@dataclass(frozen=True, slots=True)
class Star:
    """Arms to a hub.

    Attributes:
        arms: from the hub outwards, at least 2.
        waits: decay per tick of a pair that waits at the hub, both its halves; one for each arm.
        success: of the fusion, in (0, 1].
        keeps: what the fusion leaves of every stabiliser but the identity, in [0, 1].
        takes: from when all arms are there until the state can be used, ticks.
        fails: from when all are there until all arms start anew, ticks.

    Raises:
        QuantityError: a number outside its domain.

    Examples:
        >>> from quantum_fabric.network.exact import steps
        >>> star = Star((steps.link(0.5),) * 3, ((0.0, 0.0, 0.0),) * 3)
        >>> found = law(star)
        >>> round(found.mean(), 9), round(22 / 7, 9)  # the slowest of three links
        (3.142857143, 3.142857143)
    """

    arms: tuple[Node, ...]
    waits: tuple[Correlators, ...]
    success: float = 1.0
    keeps: float = 1.0
    takes: int = 0
    fails: int = 0

    def __post_init__(self) -> None:
        if not 2 <= len(self.arms) <= MOST_ARMS:
            raise QuantityError(f"{len(self.arms)} arms", f"2 to {MOST_ARMS}", "star")
        if len(self.waits) != len(self.arms):
            raise QuantityError(f"{len(self.waits)} waits", f"{len(self.arms)}, one for each arm", "star")
        if not (0.0 < self.success <= 1.0 and 0.0 <= self.keeps <= 1.0):
            raise QuantityError(f"{self.success}, {self.keeps}", "probabilities, success above 0", "star")
        if min(self.takes, self.fails) < 0:
            raise QuantityError(f"{self.takes}, {self.fails}", "ticks, 0 or more", "star")


def ghz_fidelity(arms: Sequence[Correlators]) -> float:
    """Fidelity of the GHZ state that perfect fusion makes of pairs with these correlators.

    Examples:
        >>> ghz_fidelity([(1.0, 1.0, 1.0)] * 4)
        1.0
        >>> a, b = (0.9, 0.8, 0.95), (0.7, 0.6, 0.5)
        >>> round(ghz_fidelity([a, b]) - (1 + 0.9 * 0.7 + 0.8 * 0.6 + 0.95 * 0.5) / 4, 15)  # two arms are a swap
        0.0
    """
    total = sum(float(np.prod([_term(k, 1.0, *arm) for arm in arms])) for k in range(4))
    return float(total / 2.0 ** (len(arms) + 1))


def _term(kind: int, one: float, x: float, y: float, z: float) -> float:
    return (one + z, one - z, x + y, x - y)[kind]


def law(star: Star, most: int = MOST_TICKS) -> Series:
    """Law of a star: chance and fidelity times chance, by tick.

    Args:
        star: the arms and their hub.
        most: ticks; longer laws are refused.

    Returns:
        Two channels: ``P(T = t)`` and ``E[F; T = t]``.

    Raises:
        UnsuitableError: the law is too long.
    """
    solver = Solver(most)
    parts = [solver.law(arm) for arm in star.arms]
    slowest = max(part.mean() for part in parts)
    ticks = (
        round(LENGTH * (slowest * (1.0 + np.log(len(parts))) + star.fails) / star.success) + 64 + star.takes
    )
    inherited = 4.0 * sum(part.error for part in parts)
    while True:
        if ticks > most:
            raise UnsuitableError(f"a law of {ticks} ticks or more", f"up to {most}", "star")
        found = _law(star, parts, ticks)
        if found.error < WORST + inherited and found.left() < 1e-3:
            return found
        ticks *= 2


def _law(star: Star, parts: Sequence[Series], ticks: int) -> Series:
    once = _fused(star, parts, ticks)
    lost = _later((1.0 - star.success) * once[0], star.fails)
    won = np.stack([_later(star.success * each, star.takes) for each in once])
    if star.success < 1.0:
        won = compounded([won], [[lost]])[0]
    return fitted(np.maximum(won, 0.0))


def _fused(star: Star, parts: Sequence[Series], ticks: int) -> Array:
    """When all arms are there, and the fidelity of what fusion makes of them: channels are chance and fidelity times chance.

    What all arms have brought by a tick, faded up to it, is a product; so is what all had brought by the tick before, faded up to
    this one. The difference is what was completed at this tick.
    """
    by_now, before = np.ones((5, ticks)), np.ones((5, ticks))
    for part, wait in zip(parts, star.waits, strict=True):
        values = part.upto(ticks)
        past = np.stack([faded(each, rate) for each, rate in zip(values, (0.0, *wait), strict=True)])
        for sums, product in ((past + values, by_now), (past, before)):
            product[0] *= sums[0]
            for kind in range(4):
                product[1 + kind] *= _term(kind, *sums)
    done = by_now - before
    n = len(parts)
    mixed = 2.0**-n  # the identity is one of 2^n stabilisers, and nothing takes it away
    whole = done[1:].sum(axis=0) / 2.0 ** (n + 1)
    fidelity = mixed * done[0] + star.keeps * (whole - mixed * done[0])
    return np.stack([done[0], fidelity])


def _later(values: Array, ticks: int) -> Array:
    if ticks == 0:
        return values
    moved = np.zeros_like(values)
    moved[ticks:] = values[: len(values) - ticks]
    return moved
