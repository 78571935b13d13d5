"""Stars of heralded links fused into GHZ states: against density matrices, enumeration and a slot-by-slot simulator.

The sampled comparison has a fixed seed and 5 standard errors (false-alarm rate below 1e-6 with a fresh one).
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.exact import steps
from quantum_fabric.network.exact.nodes import Link
from quantum_fabric.network.exact.star import Star, ghz_fidelity, law
from quantum_fabric.network.exact.tree import UnsuitableError
from quantum_fabric.physics.correlators import Correlators, from_weights

X = np.array([[0, 1], [1, 0]], dtype=complex)
Z = np.diag([1.0 + 0j, -1.0])
Y = 1j * X @ Z
PAULIS = (np.eye(2, dtype=complex), Z, X, X @ Z)  # Φ+, Φ-, Ψ+, Ψ- are these on one half of Φ+


def fused(weights: list[tuple[float, ...]]) -> float:
    """GHZ fidelity by density matrices: pairs (hub, end), projected on GHZ at the hub, the plus branch."""
    count = len(weights)
    phi = np.zeros(4, dtype=complex)
    phi[[0, 3]] = 1 / math.sqrt(2)
    rho = np.eye(1, dtype=complex)
    for each in weights:
        pair = np.zeros((4, 4), dtype=complex)
        for chance, pauli in zip(each, PAULIS, strict=True):
            vector = np.kron(np.eye(2), pauli) @ phi
            pair += chance * np.outer(vector, vector.conj())
        rho = np.kron(rho, pair)
    ghz = np.zeros(2**count, dtype=complex)
    ghz[[0, -1]] = 1 / math.sqrt(2)
    # qubits are hub 1, end 1, hub 2, end 2, ...
    tensor = rho.reshape((2,) * (4 * count))
    hubs, ends = list(range(0, 2 * count, 2)), list(range(1, 2 * count, 2))
    order = hubs + ends + [2 * count + q for q in hubs] + [2 * count + q for q in ends]
    matrix = tensor.transpose(order).reshape((2**count,) * 4)
    left = np.einsum("a,abcd,c->bd", ghz.conj(), matrix, ghz)
    left /= np.trace(left)
    return float((ghz.conj() @ left @ ghz).real)


@st.composite
def bell(draw: st.DrawFn) -> tuple[float, ...]:
    parts = draw(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4))
    return tuple(part / sum(parts) for part in parts)


@given(st.lists(bell(), min_size=2, max_size=4))
@settings(max_examples=40, deadline=None)
def test_the_formula_is_that_of_density_matrices(weights: list[tuple[float, ...]]) -> None:
    correlators = [from_weights(each) for each in weights]  # type: ignore[arg-type]
    assert ghz_fidelity(correlators) == pytest.approx(fused(weights), abs=1e-12)


BELL: Correlators = (0.9, 0.86, 0.93)
RATES: tuple[Correlators, ...] = ((0.02, 0.02, 0.01), (0.0, 0.01, 0.02), (0.05, 0.04, 0.03))


def arms() -> tuple[Link, ...]:
    return tuple(steps.link(p, BELL) for p in (0.3, 0.6, 0.4))


def enumerated(star: Star, horizon: int) -> np.ndarray:
    """By the definition: sums over all times of all arms, then try after try."""
    once, lost = np.zeros((2, horizon)), np.zeros(horizon)
    for times in itertools.product(range(1, horizon), repeat=len(star.arms)):
        chance, states = 1.0, []
        last = max(times)
        for arm, time, rate in zip(star.arms, times, star.waits, strict=True):
            assert isinstance(arm, Link)
            chance *= arm.success * (1 - arm.success) ** (time - 1)
            states.append(
                tuple(c * math.exp(-r * (last - time)) for c, r in zip(arm.fresh, rate, strict=True))
            )
        fidelity = ghz_fidelity(states)  # type: ignore[arg-type]
        fidelity = 2.0 ** -len(states) + star.keeps * (fidelity - 2.0 ** -len(states))
        if last + star.takes < horizon:
            once[:, last + star.takes] += star.success * chance * np.array([1.0, fidelity])
        if last + star.fails < horizon:
            lost[last + star.fails] += (1 - star.success) * chance
    total, started = np.zeros((2, horizon)), np.zeros(horizon)
    started[0] = 1.0
    for begin in range(horizon):
        rest = horizon - begin
        total[:, begin:] += started[begin] * once[:, :rest]
        started[begin:] += started[begin] * lost[:rest]
    return total


@pytest.mark.parametrize(("success", "takes", "fails"), [(1.0, 0, 0), (0.5, 0, 0), (0.7, 2, 3)])
def test_every_chance_and_fidelity_against_enumeration(success: float, takes: int, fails: int) -> None:
    star = Star(arms(), RATES, success, 0.97, takes, fails)
    exact = enumerated(star, 24)
    found = law(star)
    assert np.abs(found.upto(24) - exact).max() < 1e-13
    assert found.error < 1e-8


def test_two_arms_are_a_swap() -> None:
    rate = (0.01, 0.01, 0.005)
    both = tuple(2 * each for each in rate)
    star = law(Star((steps.link(0.2, BELL), steps.link(0.3, BELL)), (both,) * 2, 0.6))  # type: ignore[arg-type]
    node = steps.swap(steps.link(0.2, BELL), steps.link(0.3, BELL), 0.6, (rate,) * 3)
    from quantum_fabric.network.exact.law import Law
    from quantum_fabric.network.exact.tree import Solver

    chain = Law(Solver().law(node), 1.0)
    assert star.mean() == pytest.approx(chain.mean, rel=1e-9)
    assert float(star.total(1).real) == pytest.approx(chain.fidelity, abs=1e-9)


def test_arms_of_swapped_and_purified_pairs_against_a_simulator() -> None:
    """Arms of two links each, one with a failing swap: sampled from their own laws, attempt after attempt at the hub."""
    rate = (0.004, 0.004, 0.002)
    long = steps.swap(steps.link(0.3, BELL), steps.link(0.4, BELL), 0.7, (rate,) * 3)
    pure = steps.purify(steps.link(0.5, BELL), rates=(rate, rate))
    star = Star((long, pure, steps.link(0.2, BELL)), ((0.008, 0.008, 0.004),) * 3, 0.5, 0.99)
    found = law(star)
    from quantum_fabric.network.exact.tree import Solver

    random = np.random.default_rng(20_301)
    tables = [Solver().law(arm).upto(400) for arm in star.arms]
    count = 4_000
    times, fidelities = np.zeros(count), np.zeros(count)
    for run in range(count):
        while True:
            drawn = [int(random.choice(400, p=table[0] / table[0].sum())) for table in tables]
            last = max(drawn)
            times[run] += last
            if random.random() < star.success:
                break
        states = [
            tuple(table[1:, at] / table[0, at] * np.exp(-np.array(rates) * (last - at)))
            for table, at, rates in zip(tables, drawn, star.waits, strict=True)
        ]
        fidelities[run] = 0.125 + 0.99 * (ghz_fidelity(states) - 0.125)
    for values, mean in ((times, found.mean()), (fidelities, float(found.total(1).real))):
        assert abs(values.mean() - mean) < 5 * values.std(ddof=1) / math.sqrt(count)


def test_bounds_on_what_is_asked() -> None:
    with pytest.raises(QuantityError, match="arms"):
        Star((steps.link(0.5),), ((0.0,) * 3,))
    with pytest.raises(QuantityError, match="waits"):
        Star((steps.link(0.5),) * 2, ((0.0, 0.0, 0.0),))
    with pytest.raises(QuantityError, match="success"):
        Star((steps.link(0.5),) * 2, ((0.0, 0.0, 0.0),) * 2, success=0.0)
    with pytest.raises(UnsuitableError):
        law(Star((steps.link(1e-5),) * 2, ((0.0, 0.0, 0.0),) * 2), most=1000)
