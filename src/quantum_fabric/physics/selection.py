"""Double selection: one pair is kept, two are measured, and the second watches the first.

In a round with two pairs a phase error of the measured pair slips onto the kept one unseen, and so does half of what the CNOTs add.
Double selection lets a third pair look for just that, so that no single error passes but those of the kept pair and of its own gates
that no parity can show. It costs three pairs for one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.checks import Floats, check_weights
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.physics.purification import acceptance, turned_weights

Turns = tuple[str, str, str]
"""Bilateral rotation of (kept, first measured, second measured) before the round: three of `frames.AXES`."""

PLAIN: Final[Turns] = ("xyz", "xyz", "xyz")
"""Nothing is turned."""

_LABELS: Final = np.arange(4)


def double_selection(
    keep: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    a: OperationNoise,
    b: OperationNoise,
    flips: tuple[int, int] | None = None,
    turns: Turns = PLAIN,
) -> tuple[Floats, Floats]:
    """One round of double selection on three Bell-diagonal pairs, by summing over the 64 joint labels.

    Both ends do a CNOT from the kept to the first pair, then one from the second to the first pair (`depolarising_2` each), read the
    first in Z and the second in X (a Hadamard gate before it: `depolarising_1`), and keep the pair if both parities are as expected.

    Args:
        keep: relative weights of the kept pair, shape ``(..., 4)``.
        first: of the pair that is compared with it, shape ``(..., 4)``.
        second: of the pair that watches the first, shape ``(..., 4)``.
        a: noise of the operations at one end.
        b: noise at the other end.
        flips: expected parities of the bits of (first, second), `selection_frame`; None averages over them.
        turns: rotation of each pair before the round.

    Returns:
        (success probability of shape ``(...)``, weights given success of shape ``(..., 4)``); uniform where it cannot happen.

    Raises:
        QuantityError: not probability distributions.

    Equation: Fujii & Yamamoto, PRA 80, 042308 (2009), their idea; the order of gates here is derived from it: with labels
        (parity, phase), the first CNOT adds the kept parity to the first pair and the first phase to the kept one, the second CNOT
        adds the second parity to the first pair and the first phase to the second. Success: ``p0 + p1 + p2 = 0``, ``f1 + f2 = 0``.

    Limits:
        Exact for Bell-diagonal inputs, averaged over the announced bits that mean success.

    Examples:
        >>> from quantum_fabric.physics.bell import werner
        >>> from quantum_fabric.physics.noise import NOISELESS
        >>> p, w = double_selection(werner(0.9), werner(0.9), werner(0.9), NOISELESS, NOISELESS)
        >>> round(float(p), 6), round(float(w[0]), 6)
        (0.763259, 0.956522)
    """
    pairs = [
        turned_weights(weights, axes, 1.0 - (1.0 - a.depolarising_1) * (1.0 - b.depolarising_1))
        for weights, axes in zip((keep, first, second), turns, strict=True)
    ]
    one, two, three = np.broadcast_arrays(*(check_weights(pair, "pair") for pair in pairs))
    joint = one[..., :, None, None] * two[..., None, :, None] * three[..., None, None, :]
    bad = 1.0 - (1.0 - a.depolarising_2) * (1.0 - b.depolarising_2)
    k, f, s = np.meshgrid(_LABELS, _LABELS, _LABELS, indexing="ij")
    joint = _moved(joint, (k ^ (f & 1), f ^ (k & 2), s))
    joint = (1.0 - bad) * joint + bad * joint.sum(axis=(-3, -2), keepdims=True) / 16.0
    joint = _moved(joint, (k, f ^ (s & 2), s ^ (f & 1)))
    joint = (1.0 - bad) * joint + bad * joint.sum(axis=(-2, -1), keepdims=True) / 16.0
    turned = 1.0 - (1.0 - a.depolarising_1) * (1.0 - b.depolarising_1)
    joint = (1.0 - turned) * joint + turned * joint.sum(axis=-1, keepdims=True) / 4.0
    read = [acceptance(a, b, flip) for flip in (flips or (None, None))]
    accept = np.array([read[0][label >> 1] for label in range(4)])[:, None]
    accept = accept * np.array([read[1][label & 1] for label in range(4)])
    kept = (joint * accept).sum(axis=(-2, -1))
    p = np.asarray(kept.sum(axis=-1), dtype=np.float64)
    return (p, np.divide(kept, p[..., None], out=np.full_like(kept, 0.25), where=p[..., None] > 0.0))


def selection_frame(keep: int, first: int, second: int) -> tuple[int, tuple[int, int]]:
    """What double selection without rotations must give if all three pairs are perfect.

    Args:
        keep: announced label of the kept pair, 0 to 3.
        first: of the first measured pair.
        second: of the second measured pair.

    Returns:
        (label of the kept pair afterwards, expected parities of the bits of the first and of the second pair).

    Examples:
        >>> selection_frame(0, 0, 0), selection_frame(2, 1, 3)
        ((0, (0, 0)), (3, (0, 0)))
    """
    return (keep ^ (first & 1), ((keep ^ first ^ second) >> 1, (first ^ second) & 1))


def _moved(joint: Floats, to: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Floats:
    """Joint weights after each label triple went ``to`` another one (a permutation)."""
    out = np.empty_like(joint)
    out[(..., *to)] = joint
    return out
