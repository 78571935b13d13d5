"""Finite keys: ledgers, published rates of Lim et al. 2014, the limit of long blocks, one decoy against two."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.bounds import plob
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.optimum import reach
from quantum_fabric.physics.qkd.concentration import published_gap, sampling_gap
from quantum_fabric.physics.qkd.finite_key import Counts, photon_number_share, two_decoy_key
from quantum_fabric.physics.qkd.finite_rate import (
    GatedReceiver,
    Setting,
    best_setting,
    expected_key,
    expected_rates,
)
from quantum_fabric.physics.qkd.ledger import Ledger, Security
from quantum_fabric.physics.qkd.one_decoy import one_decoy_key

LIM = GatedReceiver(dark=6e-7, afterpulse=4e-2, misalignment=5e-3, inefficiency=1.16)
QUIET = GatedReceiver(dark=1e-8, afterpulse=0.0, misalignment=1e-2, inefficiency=1.16)
SECURITY = Security(1e-9, 1e-15)


def lim(kilometres):
    return 0.1 * 10.0 ** (-0.02 * kilometres)


def best_rate(receiver, eta, block, decoys=2, sampling=published_gap):
    _, key, pulses = best_setting(receiver, eta, block, decoys=decoys, sampling=sampling)
    return float(key.length) / pulses


def test_the_ledger_adds_up_and_composes():
    ledger = Security(2.1e-9, 1e-15, authentication=1e-12).in_equal_shares(21)
    assert ledger.secrecy == pytest.approx(2.1e-9, rel=1e-12)
    assert ledger.total == pytest.approx(2.1e-9 + 1e-15 + 1e-12, rel=1e-12)
    assert ledger.and_then(ledger).total == pytest.approx(2 * ledger.total, rel=1e-12)


@pytest.mark.parametrize("wrong", [{"estimation": -1e-9}, {"amplification": 1.0}, {"sifting": math.nan}])
def test_a_ledger_refuses_what_is_no_probability(wrong):
    with pytest.raises(QuantityError, match=next(iter(wrong))):
        Ledger(**wrong)


def test_a_ledger_that_promises_nothing_is_refused():
    with pytest.raises(QuantityError, match="sum"):
        Ledger(estimation=0.6, amplification=0.5)
    with pytest.raises(QuantityError, match="secrecy"):
        Security(0.0, 1e-15)


@pytest.mark.parametrize(
    ("block", "published"),
    [
        (1e5, (1.308e-3, 1.236e-4, 1.040e-5, 1.176e-7)),
        (1e7, (5.355e-3, 5.139e-4, 4.766e-5, 2.635e-6)),
        (1e9, (9.203e-3, 8.897e-4, 8.537e-5, 5.861e-6)),
    ],
)
def test_rates_of_an_independent_optimisation(block, published):
    found = [best_rate(LIM, lim(x), block) for x in (0, 50, 100, 150)]
    assert found == pytest.approx(published, rel=0.01)


def test_published_statements():
    """At 100 km 1e9 gives about 1.75 times the rate of 1e7; blocks of 1e4 end near 130 km."""
    assert 1.70 < best_rate(LIM, lim(100), 1e9) / best_rate(LIM, lim(100), 1e7) < 1.85
    assert 125.0 < reach(lambda x: best_rate(LIM, lim(x), 1e4), 160.0, tolerance=0.5, samples=8) < 137.0


def test_the_sound_sampling_bound_costs_nothing():
    for block in (1e5, 1e7, 1e9):
        sound = best_rate(LIM, lim(50), block, sampling=sampling_gap)
        assert 1.0 < sound / best_rate(LIM, lim(50), block) < 1.2


def test_the_printed_error_model_cannot_be_what_was_meant():
    """With the channel's transmission in the error term every click of a short fibre would be wrong."""
    eta_channel, eta_detector = 10**-0.2, 0.1
    clicks = 1 - math.exp(-eta_channel * eta_detector * 0.4)
    printed = LIM.dark + LIM.misalignment * (1 - math.exp(-eta_channel * 0.4)) + LIM.afterpulse * clicks / 2
    _, meant = expected_rates(LIM, eta_channel * eta_detector, 0.4)
    assert printed > 2.5 * float(meant) / (1 + LIM.afterpulse)


@pytest.mark.parametrize("decoys", [1, 2])
def test_long_blocks_tend_to_the_rate_without_fluctuations(decoys):
    setting = (
        Setting(0.9, (0.45, 0.1), (0.7, 0.3))
        if decoys == 1
        else Setting(0.9, (0.45, 0.1, 0.001), (0.7, 0.2, 0.1))
    )
    eta = 1e-3
    mu, p = np.array(setting.intensities), np.array(setting.probabilities)
    detections, wrong = expected_rates(QUIET, eta, mu)
    gain, errors = detections * np.exp(mu), wrong * np.exp(mu)
    tau1 = float(photon_number_share(mu, p, 1))
    if decoys == 2:
        y0 = max(0.0, (mu[1] * gain[2] - mu[2] * gain[1]) / (mu[1] - mu[2]))
        y1 = (
            mu[0]
            * (gain[1] - gain[2] - (mu[1] ** 2 - mu[2] ** 2) / mu[0] ** 2 * (gain[0] - y0))
            / (mu[0] * (mu[1] - mu[2]) - mu[1] ** 2 + mu[2] ** 2)
        )
        e1 = (errors[1] - errors[2]) / (mu[1] - mu[2]) / y1
        empty = float(photon_number_share(mu, p, 0)) * y0
    else:
        most = 2 * errors.min()
        ratio = (mu[1] / mu[0]) ** 2
        y1 = mu[0] / (mu[1] * (mu[0] - mu[1])) * (gain[1] - ratio * gain[0] - (1 - ratio) * most)
        e1 = (errors[0] - errors[1]) / (mu[0] - mu[1]) / y1
        empty = max(
            0.0,
            float(photon_number_share(mu, p, 0)) * (mu[0] * gain[1] - mu[1] * gain[0]) / (mu[0] - mu[1]),
        )
    total = float((p * detections).sum())
    leak = 1.16 * total * float(binary_entropy(float((p * wrong).sum()) / total))
    limit = 0.81 * (empty + tau1 * y1 * (1 - float(binary_entropy(e1))) - leak)
    rates = []
    for block in (1e8, 1e12, 1e17):
        key, pulses = expected_key(QUIET, eta, setting, block, SECURITY)
        rates.append(float(key.signed_length) / pulses)
    assert rates[0] < rates[1] < rates[2] < limit * (1 + 1e-9)
    assert rates[2] == pytest.approx(limit, rel=1e-4)


@settings(max_examples=150, deadline=None)
@given(
    st.floats(0.0, 50.0),
    st.floats(0.1, 0.95),
    st.floats(0.1, 1.0),
    st.floats(0.1, 0.9),
    st.floats(0.1, 0.9),
    st.floats(4.0, 15.0),
    st.booleans(),
)
def test_no_finite_block_beats_the_capacity_or_perfect_knowledge(loss, q, mu, ratio, p, log_block, two):
    receiver = GatedReceiver(1e-9, 0.0, 0.0, 1.0)
    setting = (
        Setting(q, (mu, mu * ratio * 0.9, mu * 1e-3), (p, (1 - p) / 2, (1 - p) / 2))
        if two
        else Setting(q, (mu, mu * ratio), (p, 1 - p))
    )
    eta = 10 ** (-loss / 10)
    key, pulses = expected_key(receiver, eta, setting, 10**log_block, SECURITY)
    singles = float(photon_number_share(setting.intensities, setting.probabilities, 1))
    empties = float(photon_number_share(setting.intensities, setting.probabilities, 0))
    known = q**2 * (singles * (eta + 2e-9) + empties * 2e-9)
    assert float(key.length) / pulses <= min(known * (1 + 1e-9), float(plob(eta)) * (1 + 1e-6) + 1e-8)


@pytest.mark.parametrize("block", [1e5, 1e7])
def test_one_decoy_is_the_better_choice_for_usual_blocks_of_a_quiet_receiver(block):
    one, two = best_rate(QUIET, 2e-3, block, decoys=1), best_rate(QUIET, 2e-3, block)
    assert two < one < 1.3 * two


def test_more_security_costs_key_and_a_longer_block_does_not():
    setting = Setting(0.7, (0.45, 0.1), (0.7, 0.3))
    key, _ = expected_key(QUIET, 1e-3, setting, 1e6, SECURITY)
    stricter, _ = expected_key(QUIET, 1e-3, setting, 1e6, Security(1e-12, 1e-15))
    longer, _ = expected_key(QUIET, 1e-3, setting, 1e7, SECURITY)
    assert 0 < stricter.length < key.length
    assert longer.length > 10 * key.length


def test_a_satellite_pass():
    """Liao 2017 as remembered: 100 MHz, 0.8/0.1/0 at 50/25/25 %, 273 s, 1.67 Mbit sifted at 1.1 %: 300,939 bits from both bases.

    The mean transmission is set so that the sifted bits of the signal come out; inefficiency of correction is assumed.
    """
    receiver = GatedReceiver(dark=1e-7, afterpulse=0.0, misalignment=0.01, inefficiency=1.4)
    setting = Setting(0.5, (0.8, 0.1, 1e-5), (0.5, 0.25, 0.25))
    detections, wrong = expected_rates(receiver, 3.06e-4, np.array(setting.intensities))
    block = 273e8 * 0.25 * float((np.array(setting.probabilities) * detections).sum())
    key, pulses = expected_key(receiver, 3.06e-4, setting, block, SECURITY)
    assert pulses == pytest.approx(273e8)
    assert float(wrong[0] / detections[0]) == pytest.approx(0.011, abs=0.001)
    assert 2 * float(key.length) == pytest.approx(300_939, rel=0.1)


def test_batches_and_no_key():
    counts = Counts(
        np.ones((4, 3)) * [1e6, 2e5, 1e4], np.zeros((4, 3)), np.ones((4, 3)) * 1e5, np.zeros((4, 3))
    )
    key = two_decoy_key(counts, [0.5, 0.2, 0.001], [0.6, 0.3, 0.1], SECURITY, [0.0, 1e5, 1e6, 1e7])
    assert key.length.shape == (4,)
    assert key.length[-1] == 0.0 > key.signed_length[-1]


def test_domains():
    counts = Counts([1e6, 1e5], [1e4, 1e3], [1e5, 1e4], [1e3, 1e2])
    with pytest.raises(QuantityError, match="intensities"):
        one_decoy_key(counts, [0.2, 0.5], [0.5, 0.5], SECURITY, 0.0)
    with pytest.raises(QuantityError, match="intensities"):
        one_decoy_key(counts, [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], SECURITY, 0.0)
    with pytest.raises(QuantityError, match="probabilities"):
        one_decoy_key(counts, [0.5, 0.2], [1.0, 0.0], SECURITY, 0.0)
    with pytest.raises(QuantityError, match="key_errors"):
        Counts([1.0], [-1.0], [1.0], [1.0])
    with pytest.raises(QuantityError, match="counts"):
        Counts([1.0, 2.0], [1.0], [1.0], [1.0])
    with pytest.raises(QuantityError, match="order"):
        two_decoy_key(
            Counts([1.0] * 3, [0.0] * 3, [1.0] * 3, [0.0] * 3),
            [0.5, 0.4, 0.2],
            [0.4, 0.3, 0.3],
            SECURITY,
            0.0,
        )
    with pytest.raises(QuantityError, match="probabilities"):
        Setting(0.5, (0.5, 0.1), (0.5, 0.4))
    with pytest.raises(QuantityError, match="decoys"):
        best_setting(LIM, 0.1, 1e6, decoys=3)
