"""Odd parameters that are in no data file: the functions behind the rows against calculations of their own."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.links.double_click import double_click
from quantum_fabric.links.single_click import Emission, single_click
from quantum_fabric.links.station import Window
from quantum_fabric.network import waiting
from quantum_fabric.physics import bell, merit
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.physics.optics.pair_source import cw_rates, pulsed_coincidences
from quantum_fabric.physics.optimum import reach
from quantum_fabric.physics.qkd import decoy
from quantum_fabric.validation import load
from quantum_fabric.validation.chain_laws import Chain, chi_square, law, normal_deviate
from quantum_fabric.validation.experiments import (
    humphreys2018,
    ion_links,
    key_distribution,
    pairs,
    waiting_times,
)

TIGHT = 1e-10
CHANCE = st.fractions(min_value=Fraction(1, 9), max_value=Fraction(8, 9), max_denominator=60)


@settings(max_examples=60, deadline=None)
@given(st.lists(CHANCE, min_size=2, max_size=3), CHANCE)
def test_mean_of_the_law_is_the_solvers_mean(successes: list[Fraction], swap: Fraction) -> None:
    """Stepping the chain in floats, summing 1 - P(T <= t), against rational elimination."""
    from quantum_fabric.network.absorption import swap_asap_mean

    stepped = law(Chain("any", tuple(successes), swap), -1, 4000)
    mean = float((stepped * np.arange(stepped.size)).sum())
    if stepped.sum() > 1.0 - 1e-13:
        assert mean == pytest.approx(float(swap_asap_mean(successes, swap)), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(CHANCE, st.integers(0, 25))
def test_mean_with_a_cutoff(success: Fraction, cutoff: int) -> None:
    stepped = law(Chain("two", (success, success)), cutoff, 4000)
    mean = float((stepped * np.arange(stepped.size)).sum())
    assert mean == pytest.approx(float(waiting.cutoff_mean(success, cutoff)), rel=1e-6)


@pytest.mark.parametrize(("p", "q"), [(Fraction(3, 7), Fraction(5, 8)), (Fraction(2, 9), Fraction(9, 10))])
def test_nested_four_by_stepping(p: Fraction, q: Fraction) -> None:
    from quantum_fabric.network.absorption import nested_four_mean

    stepped = law(Chain("nested_four", (p,) * 4, q), -1, 4000)
    assert float((stepped * np.arange(stepped.size)).sum()) == pytest.approx(
        float(nested_four_mean(p, q)), rel=1e-6
    )
    assert waiting.nested_mean(float(p), float(q), 2) == pytest.approx(
        float(nested_four_mean(p, q)), rel=1e-6
    )


def test_the_whole_stack_on_an_odd_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two unequal links and a swap that fails, in no table: 4 standard errors, and the law by chi-square; seed fixed."""
    odd = Chain("odd", (Fraction(3, 11), Fraction(5, 13)), Fraction(6, 7))
    monkeypatch.setattr(waiting_times, "CHAINS", (odd,))
    runs = waiting_times.sample({"runs": 16_000.0, "seed": 99.0}, 0)
    steps = np.arange(runs.counts.size)
    total = runs.counts.sum()
    mean = float((runs.counts * steps).sum() / total)
    error = math.sqrt(float((runs.counts * (steps - mean) ** 2).sum()) / total / total)
    assert abs(mean - float(waiting.heterogeneous_mean(odd.successes) / odd.swap)) < 4.0 * error
    assert abs(normal_deviate(*chi_square(runs.counts, law(odd, -1, 2000)))) < 4.0


def test_the_chi_square_sees_a_wrong_law() -> None:
    rng = np.random.default_rng(5)
    counts = np.bincount(rng.geometric(0.3, 20_000)).astype(float)
    for p, good in ((0.3, True), (0.33, False)):
        exact = np.concatenate([[0.0], p * (1 - p) ** np.arange(200)])
        assert (abs(normal_deviate(*chi_square(counts, exact))) < 4.0) is good


@settings(max_examples=80, deadline=None)
@given(
    st.floats(0.001, 0.5), st.floats(1e-5, 1.0), st.floats(1e-5, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.5),
    st.floats(0.0, 0.3), st.floats(0.0, 0.01),
)  # fmt: skip
def test_single_click_by_counting_photons(alpha, eta_a, eta_b, visibility, phase, double, dark) -> None:
    """Every pattern of emission and loss one by one, two detectors with their dark counts; the coherence apart."""
    success = odd = 0.0
    for first in (0, 1):
        for second in (0, 1):
            weight = (alpha if first else 1 - alpha) * (alpha if second else 1 - alpha)
            one = 0.0
            for a in range(first + 1):
                for b in range(second + 1):
                    chance = (eta_a if a else 1 - eta_a * first) * (eta_b if b else 1 - eta_b * second)
                    silent = 1.0 - dark
                    if a and b:  # bunched: one bucket fires if the other stays dark
                        one += chance * 0.5 * (1 + visibility) * silent
                    elif a or b:
                        one += chance * silent
                    else:
                        one += chance * 2.0 * dark * silent
            success += weight * one
            odd += weight * one * (first != second)
    coherence = alpha * (1 - alpha) * math.sqrt(eta_a * eta_b * visibility)
    coherence *= math.exp(-(phase**2) / 2) * (1 - double) ** 2 * (1 - dark)
    point = Emission(alpha, alpha, eta_a, eta_b, phase, double, double)
    p, weights = single_click(point, Window(dark, visibility, number_resolving=False))
    assert p == pytest.approx(success, rel=TIGHT)
    assert weights[0] == pytest.approx((0.5 * odd + coherence) / success, abs=TIGHT)


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-4, 1.0), st.floats(1e-4, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 0.1))
def test_double_click_by_its_published_formula(eta_a, eta_b, visibility, dark) -> None:
    def one(eta: float) -> float:
        return (eta + (1 - eta) * 2 * dark) * (1 - dark)

    both = eta_a * eta_b * (1 + visibility) / 2 + eta_a * (1 - eta_b) + eta_b * (1 - eta_a)
    even = (both + (1 - eta_a) * (1 - eta_b) * 2 * dark) * (1 - dark) ** 2 * 2 * dark
    odd = one(eta_a) * one(eta_b)
    p, weights = double_click(eta_a, eta_b, Window(dark, visibility, number_resolving=False))
    assert p == pytest.approx((odd + even) / 2, rel=TIGHT)
    assert weights[0] == pytest.approx(
        (odd + visibility * eta_a * eta_b * (1 - dark) ** 2) / (2 * (odd + even)), abs=TIGHT
    )


@settings(max_examples=20, deadline=None)
@given(st.floats(0.02, 0.5), st.floats(1.0, 30.0), st.floats(0.01, 0.5))
def test_delivery_on_a_clock_by_quadrature(alpha, gamma, tick) -> None:
    """The closed form of the first pair of a tick, decayed, against a sum over short time steps."""
    values = {**load("humphreys2018").values(), "decoherence": gamma, "clock": tick}
    rate, fidelity = humphreys2018.rate_and_fidelity(values, alpha)
    if abs(rate - gamma) < 0.05:
        return
    u = (np.arange(200_000) + 0.5) * tick / 200_000
    kept = float((rate * np.exp(-rate * u) * np.exp(-gamma * (tick - u))).mean() * tick)
    assert humphreys2018.clocked(values, alpha) == pytest.approx(0.25 + (fidelity - 0.25) * kept, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.001, 1.0), st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.floats(0.0, 0.1))
def test_pair_sources_by_photon_numbers(mean, eta_a, eta_b, dark) -> None:
    gain, error = pairs.fock_sum(mean, eta_a, eta_b, dark)
    seen = pulsed_coincidences(mean, eta_a, eta_b, dark, dark)
    assert float(seen.probability) == pytest.approx(gain, rel=1e-6)
    assert float(seen.qber) == pytest.approx(error, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.floats(1e3, 1e7), st.floats(0.001, 1.0), st.floats(0.0, 1e4), st.floats(1e-11, 1e-8))
def test_accidentals_are_products_of_singles(rate, eta, dark, window) -> None:
    seen = cw_rates(rate, eta, eta / 3, dark, 2 * dark, window)
    assert float(seen.true) == pytest.approx(rate * eta * eta / 3, rel=1e-12)
    assert float(seen.accidental) == pytest.approx(
        (rate * eta + dark) * (rate * eta / 3 + 2 * dark) * window, rel=1e-12
    )


def entropy(x: float) -> float:
    return 0.0 if x in (0.0, 1.0) else -x * math.log2(x) - (1 - x) * math.log2(1 - x)


@pytest.mark.parametrize(
    ("y0", "error", "f", "mu", "eta_0", "alpha"),
    [(3.1e-6, 0.021, 1.17, 0.55, 0.11, 0.19), (8e-7, 0.04, 1.3, 0.37, 0.07, 0.23)],
)
def test_reach_of_decoys_with_other_parameters(y0, error, f, mu, eta_0, alpha) -> None:
    """The rate written out once more, and its zero by bisection: to 0.1 km and 1e-6."""

    def rate(km: float) -> float:
        eta = eta_0 * 10 ** (-alpha * km / 10)
        gain = y0 + 1 - math.exp(-eta * mu)
        wrong = (0.5 * y0 + error * (1 - math.exp(-eta * mu))) / gain
        y1 = y0 + eta
        e1 = (0.5 * y0 + error * eta) / y1
        return 0.5 * (-gain * f * entropy(wrong) + mu * math.exp(-mu) * y1 * (1 - entropy(e1)))

    low, high = 0.0, 400.0
    while high - low > 1e-6:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if rate(middle) > 0 else (low, middle)
    receiver = decoy.PulseReceiver(y0, error, f)

    def ours(km: float) -> float:
        return float(decoy.infinite_decoy_rate(receiver, eta_0 * 10 ** (-alpha * km / 10), mu))

    assert reach(ours, 400.0) == pytest.approx(low, abs=0.1)
    assert ours(0.3 * low) == pytest.approx(rate(0.3 * low), rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 1.0), st.floats(0.0, 1.0))
def test_chsh_and_error_rate_of_any_pair(fidelity, dephased) -> None:
    """Correlators from the density matrix, the two largest singular values."""
    from quantum_fabric.physics import density

    state = ion_links.pair(fidelity, dephased)
    rho = density.pair(state)
    singular = np.linalg.svd(density.correlation_matrix(rho), compute_uv=False)
    assert float(merit.chsh_max(state)) == pytest.approx(2 * math.hypot(*singular[:2]), abs=TIGHT)
    assert float(merit.qber(state)[2]) == pytest.approx(float(rho[1, 1].real + rho[2, 2].real), abs=TIGHT)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.6, 1.0), st.floats(0.8, 1.0), st.floats(0.8, 1.0), st.integers(2, 5))
def test_noisy_swaps_in_a_row(fidelity, gate, reader, links) -> None:
    """Misread bits are no white noise: each correlator shrinks by its own factor, so Briegel's formula holds for two links only."""
    noise = OperationNoise(depolarising_2=1 - gate, readout_error_0=1 - reader, readout_error_1=1 - reader)
    chain = bell.werner(fidelity)
    for _ in range(links - 1):
        outcomes = [bell.noisy_swap(chain, bell.werner(fidelity), noise, outcome) for outcome in range(4)]
        chain = sum(float(p) * np.asarray(weights) for p, weights in outcomes)
    w, flip = (4 * fidelity - 1) / 3, 2 * reader - 1
    shrunk = [flip, flip, flip**2]
    exact = 0.25 + 0.25 * w**links * sum((gate * r) ** (links - 1) for r in shrunk)
    assert chain[0] == pytest.approx(exact, abs=TIGHT)
    twirled = 0.25 + 0.75 * w**links * (gate * (4 * reader**2 - 1) / 3) ** (links - 1)
    assert links > 2 or exact == pytest.approx(twirled, abs=TIGHT)
    assert exact > twirled - TIGHT  # twirling after every swap can only lose


def test_the_slope_of_twin_field_key_bends_where_noise_counts() -> None:
    """The range of the frozen comparison is one without noise; beyond it the square root is lost, as in the experiment."""
    values = load("liu2023-tf").values()

    def slope(near: float, far: float, **changed: float) -> float:
        rates = [key_distribution._sending({**values, **changed}, loss) for loss in (near, far)]
        return math.log10(rates[0] / rates[1]) / ((far - near) / 10.0)

    assert slope(40.0, 120.0) == pytest.approx(0.5, rel=0.02)
    assert slope(100.0, 150.0) > 0.54
    assert slope(100.0, 150.0, noise=1e-9) == pytest.approx(0.5, rel=1e-3)
