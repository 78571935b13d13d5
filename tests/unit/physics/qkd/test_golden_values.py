"""Published and independently computed values of key rates, row by row.

Rows that stand beside their formulas already are not repeated (test_decoy, test_finite_key, test_entangled, test_twin_field,
test_time_bin).
Where nothing else is said, values were computed outside this package from the formulas of the papers (standing C); those with a
paper behind the number name it (S: primary text, R: through others). Closed forms agree to the digits that are written, optimised
rates to 1 %. Rates of phase matching (Ma, Zeng, Zhou 2018) stand in no row: the twin fields here are those of Wang 2018 and
Curty 2019, whose curves differ; what is common to all is their slope, which is tested beside them.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from quantum_fabric.physics.bounds import equal_chain, plob
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.optimum import reach
from quantum_fabric.physics.qkd import decoy, mdi
from quantum_fabric.physics.qkd.concentration import published_gap
from quantum_fabric.physics.qkd.continuous_variable import Homodyne, best_modulation
from quantum_fabric.physics.qkd.distance import HARDWARE
from quantum_fabric.physics.qkd.entanglement import PairReceivers, pair_fractions, source_gain, source_rate
from quantum_fabric.physics.qkd.finite_rate import GatedReceiver, best_setting, expected_rates

LIM = GatedReceiver(dark=6e-7, afterpulse=4e-2, misalignment=5e-3, inefficiency=1.16)


def werner(error: float) -> tuple[float, float, float, float]:
    """Bell weights of a state whose error rate is the same in every basis."""
    return (1.0 - 1.5 * error, error / 2.0, error / 2.0, error / 2.0)


def one_way(error: float, inefficiency: float = 1.0) -> float:
    return 1.0 - (1.0 + inefficiency) * float(binary_entropy(error))


# ---------------------------------------------------------------------------------------- thresholds and bounds


@pytest.mark.parametrize(("inefficiency", "error"), [(1.0, 0.110028), (1.16, 0.09811), (1.22, 0.09424)])
def test_threshold_of_two_bases(inefficiency: float, error: float) -> None:
    """1 - (1 + f) h(e) = 0; the fraction of the package for the same state changes its sign there."""
    assert brentq(lambda e: one_way(e, inefficiency), 0.01, 0.3) == pytest.approx(error, abs=5e-6)
    below, above = (float(pair_fractions(werner(error + d), inefficiency).bbm92) for d in (-2e-5, 2e-5))
    assert below > 0.0 >= above


@pytest.mark.parametrize(("name", "error"), [("six_state", 0.12619), ("device_independent", 0.07149)])
def test_thresholds_of_other_fractions(name: str, error: float) -> None:
    """Six states, one way; device-independent (Acin et al. 2007: 7.1 %, S)."""
    fractions = [float(getattr(pair_fractions(werner(error + d)), name)) for d in (-2e-5, 2e-5)]
    assert fractions[0] > 0.0 >= fractions[1]


@pytest.mark.parametrize(("bases", "fidelity"), [("bbm92", 0.835), ("six_state", 0.811)])
def test_least_fidelity_of_a_werner_pair(bases: str, fidelity: float) -> None:
    """Q = 2 (1 - F) / 3 at the thresholds above."""
    below, above = (
        float(getattr(pair_fractions(werner(2.0 * (1.0 - f) / 3.0)), bases))
        for f in (fidelity - 1e-3, fidelity + 1e-3)
    )
    assert below <= 0.0 < above


@pytest.mark.parametrize(
    ("km", "bits"),
    [
        (50, 0.15200),
        (100, 1.4500e-2),
        (200, 1.4428e-4),
        (300, 1.4427e-6),
        (400, 1.4427e-8),
        (500, 1.4427e-10),
    ],
)
def test_bound_without_repeaters(km: float, bits: float) -> None:
    """Pirandola et al. 2017 at 0.2 dB/km."""
    assert float(plob(10.0 ** (-0.02 * km))) == pytest.approx(bits, rel=5e-5)


@pytest.mark.parametrize(
    ("km", "bits"), [(100, 0.15200), (200, 1.4500e-2), (300, 1.4434e-3), (400, 1.4428e-4), (500, 1.4427e-5)]
)
def test_bound_with_one_repeater(km: float, bits: float) -> None:
    assert float(equal_chain(10.0 ** (-0.02 * km), 1)) == pytest.approx(bits, rel=5e-5)


# ------------------------------------------------------------------------------------- decoys: Ma, Qi, Zhao, Lo 2005


@pytest.mark.parametrize(
    ("km", "infinite"),
    [(0, 2.55458e-3), (20, 9.6245e-4), (50, 2.2260e-4), (100, 1.7184e-5), (120, 4.8145e-6)],
)
def test_decoys_without_number(km: float, infinite: float) -> None:
    """Parameters of Gobby, Yuan, Shields 2004 at an intensity of 0.48."""
    gys = HARDWARE["gys"]
    assert float(decoy.infinite_decoy_rate(gys.receiver, gys.channel(km * 1e3) * gys.efficiency, 0.48)) == (
        pytest.approx(infinite, rel=5e-5)
    )


@pytest.mark.parametrize(("inefficiency", "intensity"), [(1.0, 0.5441), (1.22, 0.4789)])
def test_best_intensity_in_closed_form(inefficiency: float, intensity: float) -> None:
    """(1 - mu) exp(-mu) = f h(ed) / (1 - h(ed)) for ed of 3.3 %; the paper rounds to 0.54 and 0.48."""
    assert decoy.closed_form_intensity(0.033, inefficiency) == pytest.approx(intensity, abs=5e-5)


# -------------------------------------------------------------------------- finite blocks: Lim et al. 2014, 0.2 dB/km


def finite(km: float, block: float) -> float:
    _, key, pulses = best_setting(LIM, 0.1 * 10.0 ** (-0.02 * km), block, decoys=2, sampling=published_gap)
    return float(key.length) / pulses


@pytest.mark.parametrize(
    ("block", "rates"),
    [
        (1e4, (2.084e-4, 1.883e-5, 9.913e-7, 0.0)),
        (1e6, (3.193e-3, 3.049e-4, 2.755e-5, 1.104e-6)),
        (1e8, (7.398e-3, 7.128e-4, 6.747e-5, 4.294e-6)),
    ],
)
def test_finite_blocks(block: float, rates: tuple[float, ...]) -> None:
    """At 0, 50, 100 and 150 km; blocks of 1e5, 1e7 and 1e9 stand in test_finite_key.py."""
    assert [finite(km, block) for km in (0, 50, 100, 150)] == pytest.approx(rates, rel=0.01)


@pytest.mark.parametrize(
    ("block", "km"), [(1e4, 127.8), (1e5, 160.0), (1e6, 169.7), (1e7, 178.4), (1e8, 181.6), (1e9, 184.1)]
)
def test_reach_of_finite_blocks(block: float, km: float) -> None:
    """The paper draws 135 km for 1e4; the same formulas give 127.8 km, for a reason not found."""
    assert finite(0.985 * km, block) > 0.0
    assert finite(1.015 * km, block) <= finite(0.985 * km, block) / 5.0


def test_the_optimum_at_a_hundred_kilometres() -> None:
    """The optimum is flat: where it lies agrees to a few per cent, what it gives to one."""
    setting, key, pulses = best_setting(LIM, 0.1 * 10.0**-2.0, 1e7, decoys=2, sampling=published_gap)
    assert float(key.length) == pytest.approx(2.479e6, rel=0.01)
    assert pulses == pytest.approx(5.2e10, rel=0.02)
    assert setting.key_basis == pytest.approx(0.8505, abs=0.02)
    assert setting.intensities[:2] == pytest.approx((0.4144, 0.2164), rel=0.06)
    assert setting.probabilities[:2] == pytest.approx((0.3844, 0.4392), rel=0.06)
    assert float(key.phase_error) == pytest.approx(0.0553, abs=0.003)
    detections, wrong = expected_rates(LIM, 1e-3, np.array(setting.intensities))
    share = np.array(setting.probabilities)
    assert float((share * wrong).sum() / (share * detections).sum()) == pytest.approx(0.0263, abs=0.001)


# ------------------------------------------------------------ a source of pairs in the middle: Ma, Fung, Lo 2007


def test_where_the_source_is_best_and_what_errs() -> None:
    """Without loss: mu = 2 l = 0.118 and an error rate of 5.7 %."""
    receivers = PairReceivers(6.02e-6, 0.015, 1.22)
    means = np.linspace(0.05, 0.25, 2001)
    best = float(means[np.argmax(source_rate(receivers, 0.145, 0.145, means))])
    assert best == pytest.approx(0.118, abs=0.002)
    gain, wrong = source_gain(receivers, 0.145, 0.145, best)
    assert float(wrong / gain) == pytest.approx(0.057, abs=0.0005)


# --------------------------------------------------------------- an untrusted station: Lo, Curty, Qi 2012, 0.2 dB/km


BELL = mdi.BellStation(dark=3.01e-6, misalignment=0.015)


@pytest.mark.parametrize(
    ("km", "bits"),
    [(0, 2.876e-4), (50, 2.649e-5), (100, 2.467e-6), (150, 2.075e-7), (200, 1.075e-8)],
)
def test_an_untrusted_station(km: float, bits: float) -> None:
    arm = 0.145 * 10.0 ** (-0.01 * km)
    intensity, found = mdi.best_untrusted_rate(BELL, arm, arm)
    assert found == pytest.approx(bits, rel=0.01)
    if km == 0:
        assert intensity == pytest.approx(0.599, abs=0.005)


def test_reach_over_an_untrusted_station() -> None:
    """The paper says more than 200 km and 40 dB (S)."""

    def bits(km: float) -> float:
        arm = 0.145 * 10.0 ** (-0.01 * km)
        return mdi.best_untrusted_rate(BELL, arm, arm)[1]

    found = reach(bits, 300.0, tolerance=0.2, samples=12)
    assert found == pytest.approx(232.0, rel=0.01)
    assert 0.2 * found == pytest.approx(46.4, rel=0.01)


# ------------------------------------------------------------------------------- Gaussian modulation, 0.2 dB/km


@pytest.mark.parametrize(
    ("km", "bits", "modulation"),
    [
        (10, 0.3338, 29.5),
        (25, 0.09887, 8.75),
        (50, 0.02299, 4.68),
        (80, 0.00513, 3.92),
        (100, 0.001969, 3.79),
    ],
)
def test_gaussian_states(km: float, bits: float, modulation: float) -> None:
    """Homodyne, reverse, collective, trusted receiver; the optimum is flat in the modulation."""
    found, rate_there = best_modulation(Homodyne(0.6, 0.01, 0.01, 0.95), 10.0 ** (-0.02 * km))
    assert rate_there == pytest.approx(bits, rel=2e-3)
    assert found == pytest.approx(modulation, rel=0.01)
