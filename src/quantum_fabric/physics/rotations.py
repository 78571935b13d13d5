"""The best rotation before a round of purification: found, not assumed.

A round detects one kind of error of each pair (those that flip its parity) and lets one kind pass, and which kind is which is a
free choice: a bilateral Clifford rotation U ⊗ U* permutes the correlators (x, y, z) of a pair and costs at most one gate at each end.
DEJMPS always makes the same one, which is right for dephased pairs and wrong for pairs with double excitations.

There are 24 one-qubit Clifford gates for each pair. Those that differ by a Pauli permute alike and differ in signs, that is in the
announced state, which the frames keep anyway; so six by six rotations are all there is to try, as long as each pair is most likely
in the state that it is announced to be in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.physics.checks import check_weights
from quantum_fabric.physics.correlators import (
    Correlators,
    Weights,
    fidelity,
    from_weights,
    purified,
    to_weights,
)
from quantum_fabric.physics.frames import AXES, Rotation, rotation_of
from quantum_fabric.physics.noise import OperationNoise

GAIN: Final = 1e-9
"""What another rotation must gain before it takes the place of the protocol's own."""

_THREE: Final = ("xyz", "xzy", "zyx")
_NINE: Final[tuple[Rotation, ...]] = tuple((one, two) for one in _THREE for two in _THREE)
"""Which correlator of each pair becomes z: the others only change places, which perfect readout does not notice."""

_ALIKE: Final[tuple[Rotation, ...]] = tuple((each, each) for each in _THREE)

_WORTH_TRYING: Final[tuple[Rotation, ...]] = tuple((one, two) for one in _THREE for two in AXES)
"""Exchanging x and y of the kept pair first exchanges them in the result, which changes no goal: 18 of 36 are left."""

FARTHEST: Final = 3
"""Rounds that are looked at together, at most; the ones after them are left to those who come to them."""


def _hashing(state: Correlators) -> float:
    """Ebits of a pair in the hashing bound, 1 - H(weights), not below zero."""
    return max(0.0, 1.0 + math.fsum(w * math.log2(w) for w in to_weights(state) if w > 0.0))


GOALS: Final[dict[str, Callable[[float, Correlators], float]]] = {
    "fidelity": lambda _, state: fidelity(state),
    "yield": lambda chance, state: chance * _hashing(state),
}
"""What a rotation is judged by: the fidelity given success, or the chance of success times the hashing bound of the kept pair."""


def best_rotation(
    keep: Correlators,
    sacrifice: Correlators,
    kind: str,
    a: OperationNoise,
    b: OperationNoise,
    goal: str = "fidelity",
    rounds: int = 1,
    later: Correlators | None = None,
) -> tuple[Rotation, float, Correlators]:
    """The rotation of the kept and of the sacrificed pair that serves a goal best.

    Args:
        keep: correlators of the pair that is kept, relative to its announced state.
        sacrifice: of the pair that is measured.
        kind: ``"dejmps"`` (no twirl) or ``"bbpssw"`` (a twirl at the end).
        a: noise of the operations at one end.
        b: noise at the other end.
        goal: one of `GOALS`.
        rounds: rounds to come, this one included, after which the goal is counted: what is best for one round alone may leave errors
            that the next one cannot see.
        later: correlators of what the later rounds sacrifice (pumping); None for a pair like the kept one (recurrence).

    Returns:
        (rotation, chance of success, correlators given success) of this round, the last two averaged over frames. The protocol's own
        rotation stands unless another one gains more than `GAIN`; of others that are equal the one with fewer gates is taken.

    Raises:
        UnknownNameError: another kind or goal.

    Equation: enumeration; Dehaene, Van den Nest, De Moor, Verstraete, PRA 67, 022310 (2003) treat all permutations that
        local Clifford gates make of Bell-diagonal pairs, of which these are the ones on single pairs.

    Limits:
        One round: best among all 24 x 24 Clifford gates if both pairs are in their announced state with a chance of at least one half;
        else relabel them first. More rounds: pairs are taken not to age in between, at most `FARTHEST` rounds are looked at (2 with
        ``later``), and in the rounds after this one both pairs are turned alike: against an exhaustive search over two noisy rounds,
        0.7 % of the infidelity on average over random pairs, 6 % at worst.

    Examples:
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> lossy = from_weights((0.8, 0.0, 0.1, 0.1))
        >>> rotation, chance, state = best_rotation(lossy, lossy, "dejmps", NOISELESS, NOISELESS)
        >>> rotation, round(chance, 3), round(fidelity(state), 4)
        (('xyz', 'xyz'), 0.68, 0.9412)
        >>> best_rotation((0.9, 0.9, 1.0), (0.9, 0.9, 1.0), "dejmps", NOISELESS, NOISELESS)[0]  # dephased: DEJMPS is right
        ('xzy', 'xzy')
    """
    if goal not in GOALS:
        raise UnknownNameError(found=repr(goal), expected=f"one of {', '.join(GOALS)}", where="goal")
    own = rotation_of(kind)
    ahead = min(rounds, FARTHEST if later is None else 2) - 1
    circuit = (kind, a, b)
    found = purified(keep, sacrifice, kind, a, b)
    best, top = own, _worth(*found, circuit, GOALS[goal], ahead, later)
    for rotation in _WORTH_TRYING:
        chance, state = purified(keep, sacrifice, kind, a, b, None, rotation)
        gained = _worth(chance, state, circuit, GOALS[goal], ahead, later) - top
        if gained > GAIN or (gained > -GAIN and best != own and _gates(rotation) < _gates(best)):
            best, top, found = rotation, top + gained, (chance, state)
    return best, found[0], found[1]


def _worth(
    chance: float,
    state: Correlators,
    circuit: tuple[str, OperationNoise, OperationNoise],
    value: Callable[[float, Correlators], float],
    ahead: int,
    later: Correlators | None,
) -> float:
    """What a kept pair can come to in so many more rounds."""
    if ahead <= 0:
        return value(chance, state)
    best = -math.inf
    for rotation in _ALIKE if later is None else _NINE:
        p, after = purified(state, state if later is None else later, *circuit, None, rotation)
        best = max(best, _worth(chance * p, after, circuit, value, ahead - 1, later))
    return best


def _gates(rotation: Rotation) -> int:
    return sum(axes != "xyz" for axes in rotation)


def best_rotations(
    keep: ArrayLike,
    sacrifice: ArrayLike,
    kind: str,
    a: OperationNoise,
    b: OperationNoise,
    goal: str = "fidelity",
    rounds: int = 1,
    later: ArrayLike | None = None,
) -> list[Rotation]:
    """`best_rotation` for arrays of weights.

    Args:
        keep: relative weights of the kept pairs, shape ``(..., 4)``.
        sacrifice: of the measured pairs, shape ``(..., 4)``.
        kind: as for `best_rotation`.
        a: noise at one end.
        b: noise at the other end.
        goal: one of `GOALS`.
        rounds: rounds to come, this one included.
        later: relative weights of what later rounds sacrifice, shape ``(..., 4)``; None for pairs like the kept ones.

    Returns:
        One rotation for each pair of pairs, in the order of the flattened batch.

    Raises:
        QuantityError: not probability distributions.
        UnknownNameError: another kind or goal.

    Examples:
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> pairs = [[0.8, 0.2, 0.0, 0.0], [0.8, 0.0, 0.2, 0.0], [0.8, 0.0, 0.0, 0.2]]
        >>> best_rotations(pairs, pairs, "dejmps", NOISELESS, NOISELESS)
        [('xzy', 'xzy'), ('xzy', 'xzy'), ('xyz', 'xyz')]
    """
    fresh = keep if later is None else later
    k, s, f = np.broadcast_arrays(
        check_weights(keep, "keep"), check_weights(sacrifice, "sacrifice"), check_weights(fresh, "later")
    )
    found = []
    for one, two, three in zip(k.reshape(-1, 4), s.reshape(-1, 4), f.reshape(-1, 4), strict=True):
        states = from_weights(_four(one)), from_weights(_four(two))
        then = None if later is None else from_weights(_four(three))
        found.append(best_rotation(*states, kind, a, b, goal, rounds, then)[0])
    return found


def _four(row: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Weights:
    a, b, c, d = (float(value) for value in row)
    return (a, b, c, d)
