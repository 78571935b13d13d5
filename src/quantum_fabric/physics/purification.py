"""Purification (distillation) of Bell-diagonal pairs, as arrays: two pairs in, with luck a better one out.

`dejmps` and `bbpssw` are the published maps with perfect operations and two *different* inputs (copies that were stored
for different times are not identical). `purify` adds any rotation, noisy gates and readout by summing over all labels. The
scalar twin is `correlators.purified`. Neighbours: `rotations` finds the best rotation, `pumping` strings rounds together,
`selection` takes three pairs, and `epl` is for single-click pairs, which are not Bell-diagonal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.physics.bell import readout_matrix, werner
from quantum_fabric.physics.checks import Floats, check_weights
from quantum_fabric.physics.epl import epl as epl  # noqa: PLC0414  (for those who look for all the maps here)
from quantum_fabric.physics.frames import Rotation, rotation_of, turned_label
from quantum_fabric.physics.noise import OperationNoise


def dejmps(keep: ArrayLike, sacrifice: ArrayLike) -> tuple[Floats, Floats]:
    """One round of DEJMPS with perfect operations.

    Equation: Deutsch et al., PRL 77, 2818 (1996); with (A, B, C, D) = (Φ+, Ψ−, Ψ+, Φ−) of one pair and small letters for the other,
    ``N = (A+B)(a+b) + (C+D)(c+d)``, ``A' = (Aa+Bb)/N``, ``B' = (Cd+Dc)/N``, ``C' = (Cc+Dd)/N``, ``D' = (Ab+Ba)/N``.

    Args:
        keep: relative weights of the kept pair, shape ``(..., 4)``.
        sacrifice: of the measured pair, shape ``(..., 4)``.

    Returns:
        (success probability of shape ``(...)``, weights given success of shape ``(..., 4)``); where success cannot happen the weights
        are uniform.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> p, w = dejmps(werner(0.8), werner(0.8))
        >>> round(float(p), 9), round(float(w[0]), 9)
        (0.768888889, 0.838150289)
    """
    k, s = np.broadcast_arrays(check_weights(keep, "keep"), check_weights(sacrifice, "sacrifice"))
    (A, D, C, B), (a, d, c, b) = np.moveaxis(k, -1, 0), np.moveaxis(s, -1, 0)
    p = (A + B) * (a + b) + (C + D) * (c + d)
    return _normalised(p, np.stack([A * a + B * b, A * b + B * a, C * c + D * d, C * d + D * c], axis=-1))


def bbpssw(keep: ArrayLike, sacrifice: ArrayLike) -> tuple[Floats, Floats]:
    """One round of BBPSSW with perfect operations: bilateral CNOT, comparison, twirl to a Werner state.

    Equation: Bennett et al., PRL 76, 722 (1996); for two equal Werner pairs with ``e = (1-F)/3``,
    ``p = F² + 2 F e + 5 e²`` and ``F' = (F² + e²) / p``.

    Args:
        keep: relative weights of the kept pair, shape ``(..., 4)``.
        sacrifice: of the measured pair, shape ``(..., 4)``.

    Returns:
        (success probability of shape ``(...)``, weights given success of shape ``(..., 4)``); where success cannot happen the weights
        are uniform.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> p, w = bbpssw(werner(0.8), werner(0.8))
        >>> round(float(p), 9), round(float(w[0]), 9)
        (0.768888889, 0.838150289)
    """
    k, s = np.broadcast_arrays(check_weights(keep, "keep"), check_weights(sacrifice, "sacrifice"))
    even = (k[..., 0] + k[..., 1]) * (s[..., 0] + s[..., 1])
    odd = (k[..., 2] + k[..., 3]) * (s[..., 2] + s[..., 3])
    p, good = even + odd, k[..., 0] * s[..., 0] + k[..., 1] * s[..., 1]
    fidelity = np.divide(good, p, out=np.full_like(p, 0.25), where=p > 0.0)
    return (np.asarray(p, dtype=np.float64), werner(np.clip(fidelity, 0.0, 1.0)))


def purify(
    kind: str,
    keep: ArrayLike,
    sacrifice: ArrayLike,
    a: OperationNoise,
    b: OperationNoise,
    flip: int | None = None,
    rotation: Rotation | None = None,
) -> tuple[Floats, Floats]:
    """One noisy round, by summing over the 16 joint labels of the two pairs; circuit and conventions as `correlators.purified`.

    Args:
        kind: ``"dejmps"`` or ``"bbpssw"``.
        keep: relative weights of the kept pair, shape ``(..., 4)``.
        sacrifice: of the measured pair, shape ``(..., 4)``.
        a: noise of the operations at one end.
        b: noise at the other end.
        flip: expected parity of the announced bits; None averages over both.
        rotation: of the two pairs, two of `frames.AXES`; None for the protocol's own.

    Returns:
        (success probability of shape ``(...)``, weights given success of shape ``(..., 4)``); where success cannot happen the weights
        are uniform.

    Raises:
        QuantityError: not probability distributions.
        UnknownNameError: another kind, or axes that there are not.

    Limits:
        Exact for Bell-diagonal inputs, averaged over the announced bits that mean success.

    Examples:
        >>> noisy = OperationNoise(depolarising_2=0.01, readout_error_0=0.02)
        >>> p, w = purify("dejmps", werner(0.9), werner(0.9), noisy, noisy)
        >>> round(float(p), 6), round(float(w[0]), 6)
        (0.853506, 0.916597)
    """
    k, s = np.broadcast_arrays(check_weights(keep, "keep"), check_weights(sacrifice, "sacrifice"))
    one, two = rotation_of(kind, rotation)
    turned = 1.0 - (1.0 - a.depolarising_1) * (1.0 - b.depolarising_1)
    k, s = turned_weights(k, one, turned), turned_weights(s, two, turned)
    depolarised = 1.0 - (1.0 - a.depolarising_2) * (1.0 - b.depolarising_2)
    # After a depolarised CNOT all 16 joint labels are equally likely: each parity with chance 1/2, the kept label uniform.
    right, wrong = acceptance(a, b, flip)
    kept = np.full(k.shape, depolarised * (right + wrong) / 8.0)
    for i in range(4):
        for j in range(4):
            accept = wrong if (i ^ j) >> 1 else right
            kept[..., i ^ (j & 1)] += (1.0 - depolarised) * accept * k[..., i] * s[..., j]
    p, w = _normalised(kept.sum(axis=-1), kept)
    return (p, werner(np.clip(_mixed(w, turned)[..., 0], 0.0, 1.0))) if kind == "bbpssw" else (p, w)


def turned_weights(weights: ArrayLike, axes: str, depolarised: float = 0.0) -> Floats:
    """Weights of a pair after a bilateral rotation.

    Args:
        weights: relative weights, shape ``(..., 4)``.
        axes: one of `frames.AXES`.
        depolarised: probability that one of its two gates put noise in the place of the pair; ``"xyz"`` has no gates.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> turned_weights([0.7, 0.2, 0.1, 0.0], "xzy").tolist()
        [0.7, 0.0, 0.1, 0.2]
    """
    w = check_weights(weights, "weights")
    if axes == "xyz":
        return w
    turned = np.empty_like(w)
    turned[..., [turned_label(label, axes) for label in range(4)]] = w
    return _mixed(turned, depolarised)


def acceptance(a: OperationNoise, b: OperationNoise, flip: int | None = None) -> tuple[float, float]:
    """Probabilities of accepting a kept pair whose true parity is the expected one, and whose true parity is the other one.

    Args:
        a: readout errors at one end.
        b: readout errors at the other end.
        flip: expected parity; None averages over both.

    Equation: sum over the true bits, each parity having two equally likely settings, and over the announced bits.

    Examples:
        >>> e = OperationNoise(readout_error_0=0.1)
        >>> [round(chance, 3) for chance in acceptance(e, e, flip=0)], [round(chance, 3) for chance in acceptance(e, e, flip=1)]
        ([0.91, 0.1], [0.9, 0.09])
    """
    if flip is None:
        even, odd = acceptance(a, b, 0), acceptance(a, b, 1)
        return ((even[0] + odd[0]) / 2.0, (even[1] + odd[1]) / 2.0)
    read_a, read_b = readout_matrix(a), readout_matrix(b)
    chances = [0.0, 0.0]
    for wrong in (0, 1):
        for bit in (0, 1):
            for seen in (0, 1):
                chances[wrong] += float(read_a[bit, seen] * read_b[bit ^ flip ^ wrong, seen ^ flip]) / 2.0
    return (chances[0], chances[1])


def _mixed(weights: Floats, probability: float) -> Floats:
    return (1.0 - probability) * weights + probability / 4.0


def _normalised(p: Floats, joint: Floats) -> tuple[Floats, Floats]:
    p = np.asarray(p, dtype=np.float64)
    chance = p[..., None]
    return (p, np.divide(joint, chance, out=np.full_like(joint, 0.25), where=chance > 0.0))
