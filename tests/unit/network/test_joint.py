"""Several paths together, against closed forms and against samples of the renewal processes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import DeliveryLaw, Forecast
from quantum_fabric.network.finish import NEVER, chance_by
from quantum_fabric.network.joint import EXACT, chance_together, finished_together, joint
from quantum_fabric.units import SECOND, from_seconds

SHOTS = 40_000

ALARM = 5.0
"""Standard errors: a false alarm of 6e-7 for each comparison."""


def exponential(rate: float) -> Forecast:
    return Forecast(rate, 0.0, 0.9, 0.88, from_seconds(1.0 / rate))


def gamma(rate: float, shape: float) -> Forecast:
    """A path whose gaps, the first among them, are gamma distributed: its law says so."""
    deviation = 1.0 / rate / math.sqrt(shape)
    grid = np.linspace(0.02, 6.0, 300) / rate
    draws = np.sort(np.random.default_rng(5).gamma(shape, 1.0 / rate / shape, 400_000))
    shares = np.searchsorted(draws, grid) / len(draws)
    law = DeliveryLaw(
        "closed form", (), tuple(from_seconds(t) for t in grid), tuple(shares), (0.9,) * len(grid),
        deviation, deviation, (0.86, 0.88, 0.9), 0.0, 0, 9.0, 0.0,
    )  # fmt: skip
    return Forecast(rate, 0.0, 0.9, 0.88, from_seconds(1.0 / rate), law)


@pytest.mark.parametrize("pairs", [1, 2, 7, 40, EXACT, EXACT + 1, 700])
def test_exponential_paths_add_up_to_a_poisson_process(pairs: int) -> None:
    """Three paths of rates 1, 2 and 4: a Poisson process of rate 7."""
    paths = [exponential(1.0), exponential(2.0), exponential(4.0)]
    for time in (0.5 * pairs / 7.0, pairs / 7.0, 1.6 * pairs / 7.0):
        term = total = math.exp(-7.0 * time)
        for k in range(1, pairs):
            term *= 7.0 * time / k
            total += term
        found = chance_together(paths, pairs, from_seconds(time))
        if pairs <= EXACT:
            # the gamma law beyond sixty pairs of one path is good to 2e-4 (see finish)
            assert found == pytest.approx(1.0 - total, abs=1e-3)
        else:
            assert found <= 1.0 - total + 1e-3  # a bound from below, and not a bad one
            assert found >= 1.0 - _poisson_below(7.0 * time, round(pairs * 1.06)) - 1e-3


def _poisson_below(mean: float, pairs: int) -> float:
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(pairs))


@pytest.mark.parametrize("pairs", [1, 3, 12])
@pytest.mark.parametrize("shapes", [(1.0, 1.0), (4.0, 0.6), (9.0, 3.0)])
def test_renewal_processes_that_are_sampled(pairs: int, shapes: tuple[float, float]) -> None:
    """Gaps drawn one by one, the counts of both paths added; the forecast may err by what a gamma law of the n-th pair errs."""
    rates = (3.0, 1.5)
    paths = [gamma(rate, shape) for rate, shape in zip(rates, shapes, strict=True)]
    rng = np.random.default_rng(11)
    times = [
        np.cumsum(rng.gamma(shape, 1.0 / rate / shape, (SHOTS, pairs)), axis=1)
        for rate, shape in zip(rates, shapes, strict=True)
    ]
    for at in (0.6 * pairs / 4.5, pairs / 4.5, 2.0 * pairs / 4.5):
        counts = sum((each < at).sum(axis=1) for each in times)
        share = float((counts >= pairs).mean())
        error = math.sqrt(max(share * (1.0 - share), 1e-4) / SHOTS)
        found = chance_together(paths, pairs, from_seconds(at))
        # the law of the first pair is a table of 300 steps, which counts a pair from the end of its step on
        assert abs(found - share) <= ALARM * error + 0.02


def test_one_path_is_itself() -> None:
    one = gamma(2.0, 3.0)
    assert joint([one]) is one
    for pairs in (1, 5, 100):
        time = from_seconds(pairs / 2.0)
        assert chance_together([one], pairs, time) == pytest.approx(chance_by(one, pairs, time), abs=1e-12)


def test_more_paths_are_never_later() -> None:
    paths = [gamma(2.0, 3.0), exponential(0.5), gamma(0.1, 1.0)]
    for pairs in (1, 10, 300):
        times = [finished_together(paths[:count], pairs) for count in (1, 2, 3)]
        assert times == sorted(times, reverse=True)
        for count, time in enumerate(times, 1):
            assert chance_together(paths[:count], pairs, time) >= 0.95


def test_the_joint_law_is_that_of_whoever_is_first() -> None:
    paths = [gamma(3.0, 4.0), gamma(1.5, 0.6)]
    both = joint(paths)
    assert both.law is not None
    rng = np.random.default_rng(3)
    first = np.minimum(rng.gamma(4.0, 1 / 12.0, SHOTS), rng.gamma(0.6, 1 / 0.9, SHOTS))
    for time in (0.1, 0.2, 0.4):
        share = float((first < time).mean())
        assert chance_by(both, 1, from_seconds(time)) == pytest.approx(share, abs=0.02)
    assert both.latency / SECOND == pytest.approx(float(first.mean()), rel=0.05)
    assert both.law.deviation == pytest.approx(float(first.std()), rel=0.05)
    assert both.rate == 4.5
    assert both.fidelity_low == 0.88


def test_the_deviation_of_a_long_stream() -> None:
    """Counts of long streams, as the gap deviation of the joint law has them: Var N(t) = rate³ s² t."""
    paths = [gamma(3.0, 4.0), gamma(1.5, 0.6)]
    law = joint(paths).law
    assert law is not None
    rng = np.random.default_rng(8)
    span, shots = 100.0, 4_000
    counts = np.zeros(shots)
    for rate, shape in ((3.0, 4.0), (1.5, 0.6)):
        times = np.cumsum(rng.gamma(shape, 1.0 / rate / shape, (shots, round(2.2 * rate * span))), axis=1)
        counts += (times < span).sum(axis=1)
    expected = 4.5**3 * law.gap_deviation**2 * span
    assert counts.var() == pytest.approx(expected, rel=ALARM * math.sqrt(2.0 / shots) + 0.02)


def test_dead_paths_and_nonsense() -> None:
    dead = Forecast(0.0, 0.0, 0.0, 0.0, 0)
    assert finished_together([dead, dead], 1) == NEVER
    assert chance_together([dead, exponential(1.0)], 1, SECOND) == pytest.approx(1 - math.exp(-1))
    for bad in (
        lambda: joint([]),
        lambda: chance_together([dead], 0, 1),
        lambda: finished_together([dead], 1, 1.0),
    ):
        with pytest.raises(QuantityError):
            bad()
