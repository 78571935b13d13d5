"""Extreme photon loss: two single-click pairs with the same unknown phase make one good pair.

A single-click pair is not Bell-diagonal: it has a |11> component (both emitters bright), some |00> (dark counts), and an optical
phase between |01> and |10>. Two of them go through a bilateral CNOT, and one is kept if both ends read 1: |11> and |00> drop out, and
so does the phase, as far as both have it. `epl` is the closed form with perfect operations; `compared` takes any two density
matrices and noisy operations; `epl_density` splits the phase into a *slow* part, which both pairs share, and a *fast* one of each.

Labels and conventions as in `density`: index ``2 a + b`` for |ab>, with a the qubit at one end and b the one at the other.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.bell import readout_matrix
from quantum_fabric.physics.checks import ROUNDING, Complexes, Floats, check_range, check_shape
from quantum_fabric.physics.noise import NOISELESS, OperationNoise

_TURN: Final = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [-1, -1, 0, 0], [-1, -1, 0, 0]])
"""How often a phase on |1> at end a turns each element of a density matrix, up to sign."""


def epl(
    share_a: ArrayLike,
    share_b: ArrayLike,
    coherence_a: ArrayLike = 1.0,
    coherence_b: ArrayLike = 1.0,
    phase: ArrayLike = 0.0,
) -> tuple[Floats, Floats]:
    """Extreme photon loss in closed form: two single-click pairs of unknown but common phase, perfect operations.

    Each input is ``f Ψ_θ + (1-f) |11><11|``; bilateral CNOT, and success if both ends read 1. The double excitations and the common
    phase drop out.

    Equation: Campbell & Benjamin, PRL 101, 130502 (2008): ``p = f_a f_b / 2``, ``F = (1 + v_a v_b cos(θ_a - θ_b)) / 2``.

    Args:
        share_a: f of the kept pair, in [0, 1], shape ``(...)``.
        share_b: f of the measured pair.
        coherence_a: v, factor of the coherence between |01> and |10> of the kept pair, in [0, 1].
        coherence_b: v of the measured pair.
        phase: θ_a - θ_b (rad), what drifted between the two heralds.

    Returns:
        (success probability of shape ``(...)``, weights relative to Ψ+ given success, of shape ``(..., 4)``).

    Raises:
        QuantityError: a share or a coherence outside [0, 1].

    Limits:
        Perfect gates and readout; no |00> component (dark counts, unequal excitation); for ``phase != 0`` the imaginary part
        of the coherence is dropped, the fidelity is exact. `epl_density` has none of these limits.

    Examples:
        >>> p, w = epl(0.9, 0.9, 0.9, 0.9)
        >>> round(float(p), 3), round(float(w[0]), 3)
        (0.405, 0.905)
    """
    f_a, f_b = check_range(share_a, 0.0, 1.0, "share_a"), check_range(share_b, 0.0, 1.0, "share_b")
    v_a = check_range(coherence_a, 0.0, 1.0, "coherence_a")
    v_b = check_range(coherence_b, 0.0, 1.0, "coherence_b")
    p, v = np.broadcast_arrays(f_a * f_b / 2.0, v_a * v_b * np.cos(np.asarray(phase, dtype=np.float64)))
    zero = np.zeros_like(v)
    return (np.asarray(p), np.stack([(1.0 + v) / 2.0, (1.0 - v) / 2.0, zero, zero], axis=-1))


def single_click(populations: ArrayLike, coherence: ArrayLike = 1.0, phase: ArrayLike = 0.0) -> Complexes:
    """Density matrix of a single-click pair from what is measured of it: four populations and one coherence.

    Args:
        populations: of |00>, |01>, |10>, |11>, shape ``(..., 4)``.
        coherence: of |01> and |10>, as a fraction of the greatest that the populations allow, in [0, 1], shape ``(...)``.
        phase: of |10> against |01> (rad), shape ``(...)``; 0 is Ψ+, π is Ψ-.

    Returns:
        Shape ``(..., 4, 4)``.

    Raises:
        QuantityError: populations that are no distribution, or a coherence outside [0, 1].

    Examples:
        >>> single_click([0.0, 0.45, 0.45, 0.1], coherence=0.8)[1, 2].real.round(3).item()
        0.36
    """
    p = check_range(populations, 0.0, 1.0, "populations")
    check_shape(p, (4,), "populations")
    if np.any(np.abs(p.sum(axis=-1) - 1.0) > ROUNDING):
        raise QuantityError(found="populations with another sum", expected="a sum of 1", where="populations")
    v = check_range(coherence, 0.0, 1.0, "coherence") * np.sqrt(p[..., 1] * p[..., 2])
    element = v * np.exp(1j * np.asarray(phase, dtype=np.float64))
    rho = np.zeros((*np.broadcast_shapes(element.shape, p.shape[:-1]), 4, 4), dtype=np.complex128)
    for index in range(4):
        rho[..., index, index] = p[..., index]
    rho[..., 2, 1] = element
    rho[..., 1, 2] = element.conj()
    return rho


def compared(
    keep: ArrayLike,
    sacrifice: ArrayLike,
    a: OperationNoise,
    b: OperationNoise,
    bits: tuple[int, int] = (1, 1),
    common: ArrayLike = 0.0,
) -> tuple[Floats, Complexes]:
    """Bilateral CNOT from the kept to the sacrificed pair, readout of the latter: any two states, one pair of announced bits.

    Equation: with true bits m the kept pair becomes ``ρ[k, k'] σ[m⊕k, m⊕k']``, element by element. An end whose CNOT depolarised
    has a fair bit and a maximally mixed kept qubit, and the other end's reduced states go through the same product. Readout then mixes
    the true bits. A phase θ that both pairs have at end a turns an element by ``2θ`` if the true bit there is 0, and not at all
    if it is 1: that is how a common phase cancels.

    Args:
        keep: density matrices of the kept pair, shape ``(..., 4, 4)``.
        sacrifice: of the measured pair, shape ``(..., 4, 4)``.
        a: noise at one end.
        b: noise at the other end.
        bits: announced by (a, b).
        common: standard deviation (rad) of a Gaussian phase at end a that *both* pairs have on top, shape ``(...)``; ``inf`` for one
            that nobody knows.

    Returns:
        (probability of these bits, shape ``(...)``; state given them, shape ``(..., 4, 4)``, zero where they cannot occur).

    Raises:
        QuantityError: other shapes, or a negative spread.

    Examples:
        >>> pair = single_click([0.0, 0.5, 0.5, 0.0], phase=1.0)
        >>> p, rho = compared(pair, pair, NOISELESS, NOISELESS)
        >>> round(float(p), 6), round(float(rho[1, 2].real), 6)
        (0.5, 0.5)
    """
    k, s = np.asarray(keep, dtype=np.complex128), np.asarray(sacrifice, dtype=np.complex128)
    check_shape(k, (4, 4), "keep")
    check_shape(s, (4, 4), "sacrifice")
    spread = check_range(common, 0.0, np.inf, "common")
    fade = np.where((_TURN == 0), 1.0, np.exp(-2.0 * spread**2)[..., None, None])
    read_a, read_b = readout_matrix(a), readout_matrix(b)
    total: Complexes | float = 0.0
    for m_a in (0, 1):
        for m_b in (0, 1):
            branch = _branch(k, s, (a, b), (m_a, m_b))
            chance = float(read_a[m_a, bits[0]] * read_b[m_b, bits[1]])
            total = total + chance * (branch if m_a else branch * fade)
    joint = np.asarray(total, dtype=np.complex128)
    p = np.trace(joint, axis1=-2, axis2=-1).real
    whole = p[..., None, None]
    return (p, np.divide(joint, whole, out=np.zeros_like(joint), where=whole > 0.0))


def _branch(
    k: Complexes, s: Complexes, ends: tuple[OperationNoise, OperationNoise], true: tuple[int, int]
) -> Complexes:
    """Kept state, not normalised, with these true bits of the measured pair: four cases of which CNOT depolarised."""
    bad_a, bad_b = ends[0].depolarising_2, ends[1].depolarising_2
    order = np.arange(4) ^ (2 * true[0] + true[1])
    out = (1.0 - bad_a) * (1.0 - bad_b) * k * s[..., order[:, None], order]
    mixed = np.eye(2) / 4.0  # a fair bit, and a mixed qubit
    at_b = _reduced(k, 1) * _flipped(_reduced(s, 1), true[1])
    out = out + bad_a * (1.0 - bad_b) * _kron(mixed, at_b)
    at_a = _reduced(k, 0) * _flipped(_reduced(s, 0), true[0])
    out = out + (1.0 - bad_a) * bad_b * _kron(at_a, mixed)
    weight = np.trace(k, axis1=-2, axis2=-1) * np.trace(s, axis1=-2, axis2=-1)
    return np.asarray(out + bad_a * bad_b * weight[..., None, None] * np.eye(4) / 16.0)


def _reduced(rho: Complexes, qubit: int) -> Complexes:
    parts = rho.reshape((*rho.shape[:-2], 2, 2, 2, 2))  # a, b, a', b'
    return np.asarray(np.einsum("...abcb->...ac" if qubit == 0 else "...abad->...bd", parts))


def _flipped(rho: Complexes, bit: int) -> Complexes:
    return rho[..., ::-1, ::-1] if bit else rho


def _kron(left: ArrayLike, right: ArrayLike) -> Complexes:
    product = np.einsum("...ac,...bd->...abcd", np.asarray(left), np.asarray(right))
    return np.asarray(product.reshape((*product.shape[:-4], 4, 4)), dtype=np.complex128)


def dephased(rho: ArrayLike, spread: ArrayLike) -> Complexes:
    """A pair whose phase at end a has a Gaussian spread of its own.

    Args:
        rho: shape ``(..., 4, 4)``.
        spread: standard deviation (rad), shape ``(...)``.

    Raises:
        QuantityError: another shape, or a negative spread.

    Examples:
        >>> dephased(single_click([0.0, 0.5, 0.5, 0.0]), 1.0)[1, 2].real.round(4).item()  # exp(-1/2) / 2
        0.3033
    """
    state = np.asarray(rho, dtype=np.complex128)
    check_shape(state, (4, 4), "rho")
    sigma = check_range(spread, 0.0, np.inf, "spread")
    return np.asarray(state * np.where(_TURN == 0, 1.0, np.exp(-(sigma**2) / 2.0)[..., None, None]))


def epl_density(
    keep: ArrayLike,
    sacrifice: ArrayLike,
    a: OperationNoise = NOISELESS,
    b: OperationNoise = NOISELESS,
    slow: ArrayLike = 0.0,
    fast: ArrayLike = 0.0,
) -> tuple[Floats, Complexes]:
    """Extreme photon loss on any two states, with noisy operations and the phase noise split in two.

    Args:
        keep: density matrices of the kept pair before phase noise, shape ``(..., 4, 4)``.
        sacrifice: of the measured pair.
        a: noise at one end.
        b: noise at the other end.
        slow: standard deviation (rad) of the phase that both pairs share, because it drifts little between the two heralds.
        fast: standard deviation (rad) of the phase that each attempt draws anew.

    Returns:
        (success probability, state given success), shapes ``(...)`` and ``(..., 4, 4)``.

    Raises:
        QuantityError: other shapes, or a negative spread.

    Equation: Campbell & Benjamin, PRL 101, 130502 (2008), both ends announcing 1, averaged over ``θ = slow + fast_i``. The fidelity
        to Ψ+ of two perfect inputs is ``(1 + exp(-fast²))/2`` whatever ``slow`` is; one single-click pair alone has
        ``(1 + exp(-(slow² + fast²)/2))/2``.

    Limits:
        Gaussian phases. A slow part that drifts between the two heralds by a variance v counts as ``fast² = v/2``.
        Symmetric readout errors let a little of the slow part back in: a misread 0 keeps a state whose phase has doubled.

    Examples:
        >>> real = single_click([0.01, 0.44, 0.45, 0.10], coherence=0.95)
        >>> steady, drifting = (epl_density(real, real, slow=slow)[1] for slow in (0.0, 2.0))
        >>> bool(np.allclose(steady, drifting))
        True
        >>> p, rho = epl_density(real, real, fast=0.2)
        >>> round(float(p), 4), round(float((rho[1, 1] + rho[2, 2] + 2 * rho[1, 2]).real / 2), 4)
        (0.398, 0.9289)
    """
    spread = np.asarray(fast, dtype=np.float64)
    return compared(dephased(keep, spread), dephased(sacrifice, spread), a, b, (1, 1), slow)
