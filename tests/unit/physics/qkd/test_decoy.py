"""Decoy BB84, asymptotic: published values of Ma et al. 2005, limits, order of the three rates, domains."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.bounds import plob
from quantum_fabric.physics.merit import bb84_fraction
from quantum_fabric.physics.optimum import golden, reach
from quantum_fabric.physics.qkd.decoy import (
    PulseReceiver,
    best_intensity,
    closed_form_intensity,
    infinite_decoy_rate,
    no_decoy_rate,
    pulse_gain,
    single_photons,
    vacuum_weak_bounds,
    vacuum_weak_rate,
)

GYS = PulseReceiver(background=1.7e-6, misalignment=0.033, inefficiency=1.22)


def gys(kilometres):
    return 0.045 * 10.0 ** (-0.021 * kilometres)


@pytest.mark.parametrize(
    ("kilometres", "infinite", "weak"),
    [
        (0, 2.55458e-3, 2.4142e-3),
        (50, 2.225961e-4, 2.0962e-4),
        (100, 1.718444e-5, 1.6020e-5),
        (120, 4.8145e-6, 4.3686e-6),
    ],
)
def test_published_parameters_give_the_known_rates(kilometres, infinite, weak):
    assert float(infinite_decoy_rate(GYS, gys(kilometres), 0.48)) == pytest.approx(infinite, rel=2e-5)
    assert float(vacuum_weak_rate(GYS, gys(kilometres), 0.48, 0.05)) == pytest.approx(weak, rel=3e-5)


def test_two_rates_to_the_last_known_digit():
    found = infinite_decoy_rate(GYS, gys(np.array([50.0, 100.0])), 0.48)
    assert found.tolist() == pytest.approx([2.225961e-4, 1.718444e-5], rel=1e-6)


def test_published_reach():
    assert reach(lambda x: float(infinite_decoy_rate(GYS, gys(x), 0.48)), 300.0) == pytest.approx(
        142.05, abs=0.1
    )
    assert reach(lambda x: float(vacuum_weak_rate(GYS, gys(x), 0.48, 0.05)), 300.0) == pytest.approx(
        140.55, abs=0.1
    )


def test_without_decoys_the_same_hardware_dies_near_forty_kilometres():
    def best(x):
        return float(no_decoy_rate(GYS, gys(x), np.geomspace(1e-5, 0.3, 4000)).max())

    assert reach(best, 300.0, tolerance=1e-2) == pytest.approx(40.0, abs=1.0)


def test_best_intensity_by_search_and_in_closed_form():
    assert best_intensity(GYS, gys(50)) == pytest.approx(0.479, abs=1e-3)
    quiet = PulseReceiver(background=1e-15, misalignment=0.033, inefficiency=1.22)
    assert best_intensity(quiet, 1e-7) == pytest.approx(closed_form_intensity(0.033, 1.22), abs=1e-4)
    assert closed_form_intensity(0.2, 1.2) == 0.0


def test_a_perfect_receiver_gives_the_poisson_share_of_single_photons():
    clean = PulseReceiver(background=0.0, misalignment=0.0, inefficiency=1.0)
    assert float(infinite_decoy_rate(clean, 1.0, 0.7)) == pytest.approx(0.5 * 0.7 * math.exp(-0.7))


def test_weak_decoys_tend_to_the_true_single_photons():
    eta = gys(60)
    y1, e1 = single_photons(GYS, eta)
    for weak, tolerance in [(0.05, 0.05), (0.001, 2e-3)]:
        q, w = pulse_gain(GYS, eta, [0.48, weak])
        bound, error = vacuum_weak_bounds((0.48, q[0]), (weak, q[1], w[1]), GYS.background)
        assert bound <= y1
        assert error >= e1
        assert float(bound) == pytest.approx(float(y1), rel=tolerance)


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0.0, 60.0),
    st.floats(1e-9, 1e-4),
    st.floats(0.0, 0.1),
    st.floats(0.1, 0.9),
    st.floats(0.02, 0.9),
)
def test_knowing_more_never_gives_less_and_nothing_beats_the_capacity(loss, dark, misalignment, mu, share):
    receiver = PulseReceiver(dark, misalignment, 1.1, 1.0)
    eta = 10 ** (-loss / 10)
    best = float(infinite_decoy_rate(receiver, eta, mu))
    assert float(vacuum_weak_rate(receiver, eta, mu, share * mu)) <= best * (1 + 1e-9) + 1e-15
    assert float(no_decoy_rate(receiver, eta, mu)) <= best * (1 + 1e-9) + 1e-15
    assert best <= float(plob(min(eta, 1.0)))
    error = float(single_photons(receiver, eta)[1])
    assert best <= float(bb84_fraction(min(error, 0.5), min(error, 0.5))) + 1.0


def test_without_decoys_the_rate_falls_with_the_square():
    clean = PulseReceiver(background=0.0, misalignment=0.0, inefficiency=1.0)

    def best(eta):
        mu = golden(lambda m: float(no_decoy_rate(clean, eta, m)), 1e-9, 4 * eta)
        return float(no_decoy_rate(clean, eta, mu))

    slope = math.log10(best(1e-3) / best(1e-5)) / 2
    assert slope == pytest.approx(2.0, abs=0.01)


def test_batches():
    rate = infinite_decoy_rate(GYS, gys(np.linspace(0, 100, 5))[:, None], [0.3, 0.48])
    assert rate.shape == (5, 2)
    assert (np.diff(rate, axis=0) < 0).all()


def test_domains():
    with pytest.raises(QuantityError, match="transmission"):
        infinite_decoy_rate(GYS, 1.2, 0.5)
    with pytest.raises(QuantityError, match="intensity"):
        pulse_gain(GYS, 0.1, -0.5)
    with pytest.raises(QuantityError, match="weak decoy"):
        vacuum_weak_rate(GYS, 0.1, 0.4, 0.4)
    for wrong in ({"background": -1.0}, {"misalignment": 0.6}, {"inefficiency": 0.9}, {"sifting": 2.0}):
        with pytest.raises(QuantityError, match=next(iter(wrong))):
            PulseReceiver(**{"background": 1e-6, "misalignment": 0.01} | wrong)
