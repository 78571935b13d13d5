"""What tests and calibrations make of each other."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from quantum_fabric.control.verification import Verification
from quantum_fabric.control.verification.belief import CALIBRATED, EXPLANATIONS, WEIGHTS, Belief, quantiles
from quantum_fabric.control.verification.estimator import Estimator
from quantum_fabric.control.verification.experience import Experience
from quantum_fabric.control.verification.readout import Contrast
from quantum_fabric.units import SECOND

HOUR = 3600 * SECOND
BARE = Contrast(1.0, 0.0, 0.0)
Q = (0.9, 0.85, 0.95)
MODEL = (1.0 + sum(Q)) / 4.0


def fed(
    belief: Belief, tests: int, seed: int, correlators: tuple[float, ...] = Q, step: int = SECOND
) -> Belief:
    dice = random.Random(seed)
    for number in range(tests):
        basis = number % 3
        belief.observe(basis, dice.random() < 0.5 * (1.0 + correlators[basis]), Q, BARE, number * step)
    return belief


def test_without_tests_the_calibrations_speak() -> None:
    outlook = Belief(Verification(), 0.05, 0, 0).outlook(Q)
    assert outlook.low < MODEL < outlook.high
    assert outlook.high - outlook.low < 0.5 * (outlook.measured_high - outlook.measured_low)


def test_old_calibrations_say_less_than_fresh_ones() -> None:
    widths = []
    for hours in (0, 10, 1000):
        outlook = Belief(Verification(), 0.05, hours * HOUR, 0).outlook(Q)
        widths.append(outlook.high - outlook.low)
    assert widths == sorted(widths)
    assert widths[2] > 1.5 * widths[0]


def test_explanations_weigh_one_in_all_and_the_calibrated_come_first() -> None:
    assert math.isclose(sum(WEIGHTS), 1.0)
    assert all(scale == 1.0 and drift <= 1.0 for scale, drift, _ in EXPLANATIONS[:CALIBRATED])


def test_many_tests_find_a_truth_that_nobody_believed() -> None:
    truth = (0.5, 0.4, 0.6)
    belief = fed(Belief(Verification(), 0.05, 0, 0), 3000, 1, truth)
    outlook = belief.outlook(Q)
    # ± 0.0075 is one standard error of 3,000 tests; five of them fail by chance once in 1.7 million
    assert abs(outlook.fidelity - 0.625) < 5 * 0.0075
    assert belief.trust < 1e-6
    assert belief.against > 50.0


def test_tests_that_agree_with_the_calibrations_earn_them_trust() -> None:
    belief = fed(Belief(Verification(), 0.05, 0, 0), 1500, 2)
    assert belief.trust > sum(WEIGHTS[:CALIBRATED])
    assert belief.against < -math.log(1e-4)


def test_correlators_may_be_negative_where_labels_are_wrong() -> None:
    outlook = fed(Belief(Verification(), 0.05, 0, 0), 600, 3, (0.9, -0.85, -0.95)).outlook(Q)
    assert outlook.high < 0.15


def test_without_a_model_the_posterior_is_that_of_counts() -> None:
    """Jeffreys' interval for one basis, from its incomplete beta function by summing its density."""
    belief = Belief(Verification(), 0.05, 0, 0, weights=[0.0] * (len(WEIGHTS) - 1) + [1.0])
    for number in range(40):
        for basis in range(3):
            belief.observe(basis, number >= 4, Q, BARE, 0)
    p = (np.arange(20_000) + 0.5) / 20_000
    density = p**35.5 * (1.0 - p) ** 3.5
    mean = float((p * density).sum() / density.sum())
    spread = math.sqrt(float((p**2 * density).sum() / density.sum()) - mean**2)
    outlook = belief.outlook(Q)
    assert math.isclose(outlook.fidelity, (1.0 + 3.0 * (2.0 * mean - 1.0)) / 4.0, abs_tol=2e-3)
    assert math.isclose(outlook.high - outlook.low, 2 * 1.96 * 0.5 * math.sqrt(3) * spread, rel_tol=0.05)
    assert math.isclose(outlook.low, outlook.measured_low, abs_tol=1e-3)
    assert math.isclose(outlook.high, outlook.measured_high, abs_tol=1e-3)


def test_filtering_moments_is_close_to_an_exact_grid() -> None:
    """One explanation with one correlated unknown left: brute force over a grid of three dimensions."""
    weights = [0.0] * len(WEIGHTS)
    weights[6] = 1.0  # losses of the right order, nothing wanders
    belief = fed(Belief(Verification(), 0.05, 0, 0, weights=weights), 240, 4)
    dice, counts = random.Random(4), np.zeros((3, 2))
    for number in range(240):
        counts[number % 3, int(dice.random() < 0.5 * (1.0 + Q[number % 3]))] += 1
    x = np.linspace(-3.5, 3.5, 61)
    inverse = np.linalg.inv(0.49 * (0.5 * np.ones((3, 3)) + 0.5 * np.eye(3)))
    a, b, c = np.meshgrid(x, x, x, indexing="ij")
    points = np.stack([a, b, c], axis=-1)
    logs = -0.5 * np.einsum("...i,ij,...j->...", points, inverse, points)
    fidelity = np.ones_like(a)
    for axis in range(3):
        loss = -math.log(Q[axis])
        correlator = np.exp(
            -np.maximum(loss * np.exp(points[..., axis]) + 0.01 * np.expm1(points[..., axis]), 0.0)
        )
        yes = 0.5 * (1.0 + correlator)
        logs += counts[axis, 1] * np.log(yes) + counts[axis, 0] * np.log(1.0 - yes + 1e-300)
        fidelity += correlator
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    exact = quantiles(fidelity.ravel() / 4.0, mass.ravel(), 0.95)
    found = belief.outlook(Q)
    assert abs(found.low - exact[0]) < 0.006
    assert abs(found.high - exact[1]) < 0.006


def test_an_unknown_readout_widens_what_tests_can_say() -> None:
    widths = []
    for spread in (0.0, 0.05):
        belief = Belief(Verification(), 0.05, 1000 * HOUR, 0)
        for number in range(900):
            belief.observe(number % 3, number % 20 != 0, Q, Contrast(0.95, 0.0, spread), 0)
        weights = belief.weights
        assert weights[-1] < 0.9
        outlook = belief.outlook(Q)
        widths.append(outlook.high - outlook.low)
    assert widths[1] > widths[0]


def test_a_right_model_is_seldom_dropped() -> None:
    """Ville: at most once in 10,000 sessions each; that any of 40 is has a chance of at most 0.4 %, so here none with this seed."""
    doubts = 0
    for seed in range(40):
        estimator, dice = Estimator(Verification(), 0.05, 0, 0), random.Random(seed)
        for number in range(150):
            basis = dice.randrange(3)
            agree = dice.random() < 0.5 * (1.0 + Q[basis])
            doubts += any(
                each.cause == "calibration" for each in estimator.observe(basis, agree, Q, BARE, number)
            )
    assert doubts == 0


def test_after_a_jump_only_what_came_after_it_counts() -> None:
    estimator, dice = Estimator(Verification(drift=0.0), 0.05, 0, 0), random.Random(5)
    causes = []
    for number in range(2400):
        basis = number % 3
        correlator = Q[basis] if number < 1500 else 0.2
        found = estimator.observe(basis, dice.random() < 0.5 * (1.0 + correlator), Q, BARE, number * SECOND)
        causes += [(each.cause, number, each.since) for each in found]
    changes = [each for each in causes if each[0] == "change"]
    assert changes
    assert 1500 < changes[0][1] < 1580
    assert abs(changes[0][2] / SECOND - 1500) < 60
    outlook = estimator.outlook(Q, 0.8, 2400 * SECOND)
    assert outlook.low < 0.4 < outlook.high < 0.5
    assert outlook.below > 0.999


def test_experience_learns_which_world_it_is_in() -> None:
    good, bad = Experience(0.01), Experience(0.01)
    for seed in range(12):
        for experience, truth in ((good, Q), (bad, (0.5, 0.4, 0.6))):
            estimator = Estimator(Verification(), 0.05, 0, 0)
            fed(estimator.belief, 600, seed, truth)
            experience.learn(estimator)
    assert sum(bad.weights[:CALIBRATED]) < sum(WEIGHTS[:CALIBRATED]) < sum(good.weights[:CALIBRATED])
    assert math.isclose(sum(good.weights), 1.0)


def test_changes_are_seen_before_they_are_certain_and_nobody_looking_widens_the_interval() -> None:
    belief = Belief(Verification(drift=0.0, jumps=0.02), 0.05, 0, 0)
    dice = random.Random(7)
    for number in range(200):
        basis = number % 3
        belief.observe(basis, dice.random() < 0.5 * (1.0 + Q[basis]), Q, BARE, number * 60 * SECOND)
    now = belief.outlook(Q, at=200 * 60 * SECOND)
    later = belief.outlook(Q, at=200 * 60 * SECOND + 24 * HOUR)
    assert now.changed < 1.0 - math.exp(-0.02 * 200 / 60)  # tests have spoken against it
    assert (
        now.changed < later.changed < 1.0 - math.exp(-0.02 * 24.0) + 0.02
    )  # that something has changed at all
    assert later.high - later.low > 1.5 * (now.high - now.low)
    for number in range(24):
        belief.observe(number % 3, number % 2 == 0, Q, BARE, (200 + number) * 60 * SECOND + 24 * HOUR)
    assert belief.changed > 0.9
    assert math.isclose(float(belief.weights.sum()) + belief.changed, 1.0, abs_tol=1e-9)
    assert math.isclose(float(belief.began.sum()), 1.0, abs_tol=1e-9)


def test_without_jumps_nothing_jumps() -> None:
    belief = fed(Belief(Verification(jumps=0.0), 0.05, 0, 0), 100, 8, step=60 * SECOND)
    assert belief.changed == 0.0
    assert belief.outlook(Q, at=100 * HOUR).changed == 0.0
    assert Experience(0.0).jumps == 0.0


def test_experience_learns_how_often_something_changes() -> None:
    quiet, restless = Experience(0.01), Experience(0.01)
    for seed in range(6):
        for experience, after in ((quiet, Q), (restless, (0.4, 0.3, 0.5))):
            estimator, dice = (
                Estimator(Verification(), 0.05, 0, 0, jumps=experience.jumps),
                random.Random(seed),
            )
            for number in range(240):
                basis = number % 3
                correlator = Q[basis] if number < 120 else after[basis]
                agree = dice.random() < 0.5 * (1.0 + correlator)
                estimator.observe(basis, agree, Q, BARE, number * 60 * SECOND)
            experience.learn(estimator)
    # six changes in 24 hours, beside half a one in 50 that was believed before
    assert 0.5 * 6.5 / 74 < restless.jumps < 1.5 * 6.5 / 74
    assert quiet.jumps < 0.015


def test_quantiles_of_few_points() -> None:
    low, high = quantiles(np.array([0.0, 1.0]), np.array([0.5, 0.5]), 0.5)
    assert low == pytest.approx(0.0)
    assert high == pytest.approx(1.0)
