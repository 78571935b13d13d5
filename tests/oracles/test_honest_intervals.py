"""Intervals of fidelity beside an exact Bayesian calculation, and how often they hold a truth drawn from what is believed.

Independent of the filter: histories (losses at first, when they jump, by how much) are drawn from the stated prior, each is weighed
by the binomial probability of the tests (importance sampling, no Gaussians, no filter, no merging of runs).
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from quantum_fabric.control.verification import Verification
from quantum_fabric.control.verification.belief import EXPLANATIONS, FLOOR, WEIGHTS, Belief, quantiles
from quantum_fabric.control.verification.jumps import JUMP
from quantum_fabric.control.verification.readout import Contrast
from quantum_fabric.units import SECOND

Q = (0.88, 0.84, 0.93)
KEPT = 0.96
MINUTE = 60 * SECOND
HAZARD = 0.1
"""Changes per hour: many, so that they matter in few tests."""

PARTS = 4
"""Of a history: it jumps three times at most."""

TOLERANCE = 0.1
FOURFOLD = 3
"""Index of the explanation that is 4 tolerances off and does not wander."""


def three(rng: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    """Standard normals of which every two of three are correlated by a half."""
    return np.sqrt(0.5) * (rng.standard_normal((*shape, 1)) + rng.standard_normal((*shape, 3)))


def correlators(x: NDArray[np.float64]) -> NDArray[np.float64]:
    loss = -np.log(np.array(Q))
    return np.exp(-np.maximum(loss * np.exp(x) + FLOOR * np.expm1(x), 0.0))


def histories(
    count: int, tests: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Correlators in `PARTS` parts, shape (parts, count, 3), and with which test each begins; tests are a minute apart."""
    x = 4.0 * TOLERANCE / 2.0 * three(rng, count) + np.zeros((PARTS, count, 3))
    for part in range(1, PARTS):
        x[part:] += JUMP * three(rng, count)
    begin = np.zeros((PARTS + 1, count))
    begin[1:] = np.cumsum(rng.exponential(60.0 / HAZARD, (PARTS, count)), axis=0)
    begin[PARTS] = tests  # a jump more is as rare as one in 3,000 histories
    return correlators(x), np.minimum(np.ceil(begin), tests).astype(np.int64)


def belief() -> Belief:
    weights = [0.0] * len(WEIGHTS)
    assert EXPLANATIONS[FOURFOLD][:2] == (4.0, 0.0)
    weights[FOURFOLD] = 1.0
    return Belief(Verification(drift=0.0, jumps=HAZARD), TOLERANCE, 0, 0, weights=weights)


def told(bits: NDArray[np.bool_]) -> Belief:
    found = belief()
    for number, agree in enumerate(bits):
        found.observe(number % 3, bool(agree), Q, Contrast(KEPT, 0.0, 0.0), number * MINUTE)
    return found


def latest(parts: NDArray[np.float64], begin: NDArray[np.int64], test: int) -> NDArray[np.float64]:
    """Correlators at a test, shape (count, 3)."""
    found = parts[0].copy()
    for part in range(1, PARTS):
        found[begin[part] <= test] = parts[part, begin[part] <= test]
    return found


@pytest.mark.parametrize(("jump", "seed"), [(None, 1), (60, 2), (90, 3), (110, 4)])
def test_the_interval_is_that_of_an_exact_calculation(jump: int | None, seed: int) -> None:
    """120 tests; a jump to half the correlators after ``jump`` of them; 400,000 histories drawn from the prior.

    With at least 1,000 histories that count, an end of the interval is known to some 0.01; the filter is to be within 0.02
    of it, or 15 % of the width where a late change makes it wide (changes are looked for at every fifth test only).
    """
    tests, rng = 120, np.random.default_rng(seed)
    number = np.arange(tests)
    chance = 0.5 * (
        1.0 + KEPT * np.array(Q)[number % 3] * np.where(number >= (tests if jump is None else jump), 0.5, 1.0)
    )
    bits = rng.random(tests) < chance
    parts, begin = histories(400_000, tests, rng)
    logs = np.zeros(parts.shape[1])
    for basis in range(3):
        yes = np.concatenate([[0], np.cumsum(bits & (number % 3 == basis))])
        count = np.concatenate([[0], np.cumsum(number % 3 == basis)])
        for part in range(PARTS):
            p = 0.5 * (1.0 + KEPT * parts[part, :, basis])
            n, k = (sums[begin[part + 1]] - sums[begin[part]] for sums in (count, yes))
            logs += k * np.log(p) + (n - k) * np.log1p(-p)
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    assert 1.0 / (mass**2).sum() > 1000
    fidelity = (1.0 + latest(parts, begin, tests - 1).sum(axis=1)) / 4.0
    exact = quantiles(fidelity, mass, 0.95)
    found = told(bits)
    outlook = found.outlook(Q)
    assert abs(outlook.fidelity - fidelity @ mass) < 0.02
    allowed = max(0.02, 0.15 * (exact[1] - exact[0]))
    assert abs(outlook.low - exact[0]) < allowed
    assert abs(outlook.high - exact[1]) < allowed
    assert abs(outlook.changed - mass[begin[1] < tests].sum()) < 0.1


def test_truths_from_the_prior_are_inside_as_often_as_is_said() -> None:
    """Simulation-based calibration (Talts et al. 2018): 150 histories of the prior, 60 tests each, every tenth with a jump.

    95 % of 150 has a standard error of 1.78 %; 5 of them would be missed by chance once in 1.7 million (normal).
    """
    rng, held, sessions, tests = np.random.default_rng(5), 0, 150, 60
    parts, begin = histories(sessions, tests, rng)
    truths = np.array([latest(parts, begin, test) for test in range(tests)])
    number = np.arange(tests)
    for session in range(sessions):
        now = truths[:, session]
        bits = rng.random(tests) < 0.5 * (1.0 + KEPT * now[number, number % 3])
        outlook = told(bits).outlook(Q)
        held += outlook.low <= (1.0 + now[-1].sum()) / 4.0 <= outlook.high
    assert abs(held / sessions - 0.95) < 5 * 0.0178
