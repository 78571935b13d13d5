"""Twin-field and measurement-device-independent rates: scaling, crossing of the capacity, the thousand kilometres, domains."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.bounds import equal_chain, plob
from quantum_fabric.physics.optimum import reach
from quantum_fabric.physics.qkd import coherent_twin_field as signs
from quantum_fabric.physics.qkd import mdi
from quantum_fabric.physics.qkd import twin_field as twin

QUIET = twin.MiddleStation(dark=1e-12, misalignment=0.03)
MDI = mdi.BellStation(dark=3.01e-6, misalignment=0.015)


def half(kilometres, efficiency=1.0):
    """One arm of a fibre of 0.2 dB/km with a detector."""
    return efficiency * 10.0 ** (-0.01 * kilometres)


def slope(rate, near, far):
    """Fall of log10(rate) per decade of the transmission from end to end, at 0.2 dB/km."""
    return math.log10(rate(near) / rate(far)) / (0.02 * (far - near))


def test_the_rate_falls_with_the_square_root():
    assert slope(lambda x: twin.best_sending(QUIET, half(x))[2], 200, 400) == pytest.approx(0.5, abs=0.01)
    assert slope(lambda x: signs.best_sign_rate(QUIET, half(x))[1], 200, 400) == pytest.approx(0.5, abs=0.01)
    quiet = mdi.BellStation(dark=1e-12, misalignment=0.015)
    assert slope(lambda x: mdi.best_untrusted_rate(quiet, half(x), half(x))[1], 150, 300) == pytest.approx(
        1.0, abs=0.01
    )


@pytest.mark.parametrize("kind", ["sent", "paired", "signs"])
def test_the_capacity_is_crossed_once_and_only_far_out(kind):
    rates = {
        "sent": lambda x: twin.best_sending(QUIET, half(x), paired=False)[2],
        "paired": lambda x: twin.best_sending(QUIET, half(x))[2],
        "signs": lambda x: signs.best_sign_rate(QUIET, half(x))[1],
    }
    above = [rates[kind](x) > float(plob(10 ** (-0.02 * x))) for x in range(0, 501, 20)]
    assert not any(above[:7])
    assert all(above[18:])
    assert above == sorted(above)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.0, 100.0), st.floats(1e-12, 1e-5), st.floats(0.0, 0.1), st.floats(0.1, 1.0))
def test_no_protocol_with_one_station_beats_one_ideal_repeater(loss, dark, misalignment, efficiency):
    eta = 10 ** (-loss / 10)
    arm = efficiency * math.sqrt(eta)
    bound = float(equal_chain(eta, 1))
    station = twin.MiddleStation(dark, misalignment, 1.0)
    assert twin.best_sending(station, arm)[2] <= bound
    assert twin.best_sending(station, arm, paired=False)[2] <= bound
    assert signs.best_sign_rate(station, arm)[1] <= bound
    pair = mdi.BellStation(dark, misalignment, 1.0, 1.0)
    assert mdi.best_untrusted_rate(pair, arm, arm)[1] <= float(plob(eta)) + 1e-15


def test_the_thousand_kilometres():
    """Liu 2023: 156.5 dB, noise 0.02 Hz, 9.53e-12 per pulse without finite-size terms. Efficiency, window, misalignment: assumed."""
    station = twin.MiddleStation(dark=0.02 / 1e9, misalignment=0.05)
    _, _, rate = twin.best_sending(station, 0.5 * 10 ** (-156.5 / 20))
    assert 9.53e-12 / 3 < rate < 9.53e-12 * 3
    assert rate > 1e4 * float(plob(10**-15.65))
    assert twin.best_sending(station, 0.5 * 10 ** (-156.5 / 20), paired=False)[2] < rate


def test_pairing_helps_where_errors_hurt():
    noisy = twin.MiddleStation(1e-8, 0.05)
    assert twin.best_sending(noisy, 1e-4)[2] > 1.5 * twin.best_sending(noisy, 1e-4, paired=False)[2]


def test_windows_without_light_are_dark_counts():
    station = twin.MiddleStation(1e-3, 0.1)
    windows = twin.sending_windows(station, 0.5, 0.0, 0.3)
    assert float(windows.reported) == pytest.approx(2e-3 * (1 - 1e-3), rel=1e-9)
    assert float(windows.single) == 0.0
    assert float(twin.sending_windows(station, 0.0, 0.4, 0.3).phase_error) == 0.5


def test_hong_ou_mandel():
    for n, m in [(1, 1), (2, 2), (3, 3)]:
        both = 1.0 - 2.0 * signs.only_click(0.0, 1.0, 1.0, n, m)
        assert both == pytest.approx(0.0 if n == m == 1 else both)
    assert 1.0 - 2.0 * signs.only_click(0.0, 1.0, 1.0, 1, 1) == pytest.approx(0.0, abs=1e-15)
    # |2,2> on a balanced splitter: 3/8, 0, 1/4, 0, 3/8 for 4, 3, 2, 1, 0 photons in one output
    assert signs.only_click(0.0, 1.0, 1.0, 2, 2) == pytest.approx(3 / 8)


def test_phase_errors_of_weak_signs_grow_with_the_intensity():
    quiet = twin.MiddleStation(0.0, 0.0)
    for mu in (1e-3, 1e-2):
        assert signs.phase_error(quiet, 1e-4, mu) == pytest.approx(3.0 * mu, rel=0.05)


@pytest.mark.parametrize(
    ("kilometres", "expected"),
    [(0, 2.876e-4), (50, 2.649e-5), (100, 2.467e-6), (150, 2.073e-7), (200, 1.071e-8)],
)
def test_published_parameters_of_untrusted_stations(kilometres, expected):
    arm = half(kilometres, 0.145)
    assert mdi.best_untrusted_rate(MDI, arm, arm)[1] == pytest.approx(expected, rel=1e-3)


def test_reach_with_an_untrusted_station():
    """Lo, Curty, Qi 2012 claim more than 200 km (40 dB); their formula ends at 232 km."""
    end = reach(lambda x: mdi.best_untrusted_rate(MDI, half(x, 0.145), half(x, 0.145))[1], 300.0, 1e-2)
    assert end == pytest.approx(232.0, abs=0.5)


def test_unequal_arms_and_batches():
    rate = mdi.untrusted_rate(MDI, np.array([0.1, 0.01])[:, None], [0.1, 0.01, 0.001], 0.5)
    assert rate.shape == (2, 3)
    assert rate[0, 1] == pytest.approx(rate[1, 0])
    assert twin.paired_rate(QUIET, np.array([0.1, 0.01])[:, None], [0.3, 0.4, 0.5], 0.25).shape == (2, 3)


def test_domains():
    with pytest.raises(QuantityError, match="misalignment"):
        twin.MiddleStation(1e-9, 0.6)
    with pytest.raises(QuantityError, match="sending"):
        twin.sending_rate(QUIET, 0.1, 0.4, 1.5)
    with pytest.raises(QuantityError, match="intensity"):
        twin.sending_rate(QUIET, 1.0, 30.0, 0.5)
    with pytest.raises(QuantityError, match="photons"):
        signs.only_click(0.0, 0.5, 1.0, -1, 0)
    with pytest.raises(QuantityError, match="transmission"):
        signs.sign_rate(QUIET, 1.5, 0.1)
    with pytest.raises(QuantityError, match="dark"):
        mdi.BellStation(-1.0, 0.1)
    with pytest.raises(QuantityError, match=r"^b:"):
        mdi.photon_pair(MDI, 0.1, 2.0)
