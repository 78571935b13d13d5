"""Key rates against computations that share no formula with them: statistics.

Decoy bounds against arbitrary photon-number yields, attacks included; concentration inequalities against exact hypergeometric and
simulated tails; complete finite-key blocks drawn pulse by pulse with the photon number known to the test; pairing by pairing;
and the capacity of the channel over random parameters of every protocol. Optics is in test_key_rate_optics.py.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.physics.bounds import equal_chain, plob
from quantum_fabric.physics.qkd import cow, decoy, dps, mdi
from quantum_fabric.physics.qkd import twin_field as twin
from quantum_fabric.physics.qkd.concentration import (
    hoeffding,
    mean_from_count,
    published_gap,
    sampling_gap,
    serfling,
)
from quantum_fabric.physics.qkd.continuous_variable import Homodyne, gaussian_rate
from quantum_fabric.physics.qkd.entanglement import PairReceivers, source_rate
from quantum_fabric.physics.qkd.finite_key import Counts, two_decoy_key
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.one_decoy import one_decoy_key

PHOTONS = np.arange(60)
LOG_FACTORIAL = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 400_001)))])


def poisson(mu):
    mu = np.asarray(mu, dtype=float)[..., None]
    return np.exp(-mu + PHOTONS * np.log(mu) - LOG_FACTORIAL[PHOTONS])


# Decoys ---------------------------------------------------------------------------------------------------------------------------


def test_gains_are_the_sum_over_photon_numbers():
    receiver = decoy.PulseReceiver(1.7e-6, 0.033)
    eta, mu = 3e-3, np.array([0.05, 0.48, 1.2])
    caught = 1 - (1 - eta) ** PHOTONS
    gain, wrong = decoy.pulse_gain(receiver, eta, mu)
    np.testing.assert_allclose(gain, poisson(mu) @ (1.7e-6 + caught), rtol=1e-12)
    np.testing.assert_allclose(wrong, poisson(mu) @ (0.85e-6 + 0.033 * caught), rtol=1e-12)


def test_vacuum_and_weak_bounds_hold_for_any_yields():
    """1e5 random eavesdroppers, who choose the yield and the error rate of every photon number."""
    rng = np.random.default_rng(20050120)
    cases = 100_000
    yields = rng.random((cases, 60)) ** rng.integers(1, 12, (cases, 1))
    yields[::4, 1] *= 1e-3  # a share of them block single photons
    yields[1::4, 2:] = 1.0  # or let all others pass
    errors = rng.random((cases, 60))
    errors[:, 0] = 0.5
    mu = rng.uniform(0.2, 1.0, cases)
    nu = mu * rng.uniform(0.02, 0.9, cases)
    signal, weak = poisson(mu), poisson(nu)
    y1, e1 = decoy.vacuum_weak_bounds(
        (mu, (signal * yields).sum(1)),
        (nu, (weak * yields).sum(1), (weak * yields * errors).sum(1)),
        yields[:, 0],
    )
    assert (y1 <= yields[:, 1] + 1e-9).all()
    assert (e1 >= errors[:, 1] - 1e-9).all()
    assert (y1 > 0.5 * yields[:, 1]).mean() > 0.1  # and say something


def test_photon_number_splitting_shows_in_the_decoys_and_not_in_the_signal():
    """The attack keeps the gain of the signal and lets through only multi-photon pulses."""
    eta, mu, nu = 1e-3, 0.5, 0.1
    signal, weak = poisson([mu])[0], poisson([nu])[0]
    honest = 1 - (1 - eta) ** PHOTONS
    passed = (signal * honest).sum() / signal[2:].sum()
    attacked = np.where(PHOTONS >= 2, passed, 0.0)
    assert (signal * attacked).sum() == pytest.approx((signal * honest).sum())
    assert (weak * attacked).sum() / (weak * honest).sum() == pytest.approx(0.26, abs=0.01)
    q_mu, q_nu = (signal * attacked).sum(), (weak * attacked).sum()
    assert float(decoy.vacuum_weak_bounds((mu, q_mu), (nu, q_nu, 0.0), 0.0)[0]) == pytest.approx(
        0.0, abs=1e-12
    )


# Concentration --------------------------------------------------------------------------------------------------------------------


def test_hoeffding_covers_and_is_not_idle():
    rng = np.random.default_rng(1963)
    draws = rng.binomial(2000, 0.5, 400_000)
    failure = 0.02
    exceeded = (draws > 1000 + float(hoeffding(2000, failure))).mean()
    assert exceeded <= failure
    assert exceeded > failure / 50


@pytest.mark.parametrize("mean", [0.5, 7.0, 300.0, 2e4])
def test_the_interval_of_a_mean_covers(mean):
    rng = np.random.default_rng(1952)
    draws = rng.binomial(10**7, mean / 1e7, 200_000).astype(float)
    failure = 0.02
    values, counts = np.unique(draws, return_counts=True)
    low, high = mean_from_count(values, failure)
    allowed = failure * 200_000 + 5 * math.sqrt(failure * 200_000)
    assert counts[low > mean].sum() <= allowed
    assert counts[high < mean].sum() <= allowed
    assert counts[(low > mean) | (high < mean)].sum() > 0 or mean < 1


def hypergeometric(total, marked, sample):
    """Exact chances of each number of marked items in a sample drawn without replacement."""

    def choose(n, k):
        return LOG_FACTORIAL[n] - LOG_FACTORIAL[k] - LOG_FACTORIAL[n - k]

    x = np.arange(max(0, sample - (total - marked)), min(sample, marked) + 1)
    return x, np.exp(choose(marked, x) + choose(total - marked, sample - x) - choose(total, sample))


@pytest.mark.parametrize("failure", [1e-2, 1e-6, 1e-10])
@pytest.mark.parametrize(("sample", "rest"), [(1_000, 5_000), (20_000, 200_000), (5_000, 5_000)])
def test_sampling_bounds_hold_exactly(sample, rest, failure):
    """Whatever the number of errors in the whole, the unseen rate exceeds the bound with at most the promised chance."""
    for share in (0.005, 0.02, 0.05, 0.11, 0.3):
        marked = round(share * (sample + rest))
        x, chance = hypergeometric(sample + rest, marked, sample)
        seen, unseen = x / sample, (marked - x) / rest
        for bound in (serfling(sample, rest, failure), sampling_gap(seen, sample, rest, failure)):
            assert chance[unseen > seen + bound].sum() <= failure
        margin = np.sqrt((sample + rest) / (sample * rest) * (sample + 1) / sample * math.log(4 / failure))
        assert chance[unseen > seen + margin].sum() <= failure  # the wider one of BBM92 blocks


def test_the_published_gap_is_no_bound_where_errors_are_few():
    """Why `sampling_gap` exists: 50 errors in two halves of 5,000, promised 1e-10."""
    x, chance = hypergeometric(10_000, 50, 5_000)
    seen, unseen = x / 5_000, (50 - x) / 5_000
    assert 1e-9 < chance[unseen > seen + published_gap(seen, 5_000, 5_000, 1e-10)].sum() < 1e-7
    assert chance[unseen > seen + sampling_gap(seen, 5_000, 5_000, 1e-10)].sum() <= 1e-10


# Finite blocks --------------------------------------------------------------------------------------------------------------------


def blocks(rng, cases, pulses, eta, mu, p, dark=1e-4, misalignment=0.02):
    """Blocks drawn photon number by photon number: counts, and what the ends cannot see."""
    share = np.asarray(p)[:, None] * poisson(mu)[:, :8]
    caught = 1 - (1 - eta) ** PHOTONS[:8]
    clicks = caught + dark * (1 - caught)
    wrong = (misalignment * caught + 0.5 * dark * (1 - caught)) / clicks
    detected = rng.poisson(pulses * share * clicks, (cases, *share.shape))
    errors = rng.binomial(detected, wrong)
    return detected, errors


@pytest.mark.parametrize("decoys", [1, 2])
def test_bounds_of_a_block_hold_as_often_as_promised(decoys):
    """Each single bound may fail with 1 in 20 here; the mean case must be far from the edge, the count of failures below it."""
    rng = np.random.default_rng(2014)
    mu, p = ([0.5, 0.1], [0.6, 0.4]) if decoys == 1 else ([0.5, 0.15, 1e-3], [0.5, 0.35, 0.15])
    cases, shares = 4000, 19 if decoys == 1 else 21
    key, key_wrong = blocks(rng, cases, 5e6, 0.05, mu, p)
    test, test_wrong = blocks(rng, cases, 5e6, 0.05, mu, p)
    counts = Counts(key.sum(2), key_wrong.sum(2), test.sum(2), test_wrong.sum(2))
    security = Security(0.05 * shares * (1 - 1e-9) if shares * 0.05 < 1 else 0.99, 1e-10)
    extract = one_decoy_key if decoys == 1 else two_decoy_key
    result = extract(counts, mu, p, security, np.zeros(cases))
    failure = security.secrecy / shares
    truth_empty, truth_single = key[:, :, 0].sum(1), key[:, :, 1].sum(1)
    # phase errors of the single photons of the key basis: same channel, drawn independently of what was counted
    truth_phase = rng.binomial(truth_single, 0.0219) / truth_single
    allowed = cases * failure + 5 * math.sqrt(cases * failure)
    assert (result.vacuum > truth_empty).sum() <= allowed
    assert (result.single > truth_single).sum() <= allowed
    assert (result.phase_error < truth_phase).sum() <= allowed
    assert 0.7 < (result.single / truth_single).mean() < 1.0
    assert result.phase_error.mean() < 0.1


def test_without_the_fluctuation_terms_half_of_the_blocks_would_fail():
    """The test above can fail: the same bounds with the means in place of the margins are wrong about every second time."""
    rng = np.random.default_rng(2015)
    mu, p = np.array([0.1, 1e-5]), np.array([0.5, 0.5])
    key, key_wrong = blocks(rng, 2000, 5e6, 0.05, mu, p)
    counts = Counts(key.sum(2), key_wrong.sum(2), key.sum(2), key_wrong.sum(2))
    bare = one_decoy_key(counts, mu, p, Security(1 - 1e-6, 1e-10), 0.0)
    tau = float((p * np.exp(-mu)).sum())
    empty = tau * (
        mu[0] * np.exp(mu[1]) * counts.key[:, 1] / p[1] - mu[1] * np.exp(mu[0]) * counts.key[:, 0] / p[0]
    )
    empty = empty / (mu[0] - mu[1])
    assert 0.25 < (empty > key[:, :, 0].sum(1)).mean() < 0.75
    assert (bare.vacuum > key[:, :, 0].sum(1)).mean() < 0.06


# Pairing --------------------------------------------------------------------------------------------------------------------------


def test_odd_parity_pairing_bit_by_bit():
    rng = np.random.default_rng(2020)
    station = twin.MiddleStation(2e-3, 0.04, 1.0)
    windows = twin.sending_windows(station, 0.02, 0.4, 0.3)
    kinds = np.array([windows.one_sent / 2, windows.one_sent / 2, windows.both_sent, windows.none_sent])
    total = 2_000_000
    drawn = rng.choice(4, size=total, p=kinds / kinds.sum())
    bob = (drawn == 0) | (drawn == 2)  # he sent
    alice_same = drawn < 2  # exactly one sent: the bits agree after one end flips
    alice = np.where(alice_same, bob, ~bob)
    zeros, ones = rng.permutation(np.flatnonzero(~bob)), rng.permutation(np.flatnonzero(bob))
    pairs = min(len(zeros), len(ones))
    a = alice[zeros[:pairs]] ^ alice[ones[:pairs]]
    survivors = a.sum()
    wrong = (alice[zeros[:pairs]] & a).sum()  # his bit is 0
    single = rng.random(total) < float(windows.single / windows.one_sent)
    secret = (alice_same & single)[zeros[:pairs]] & (alice_same & single)[ones[:pairs]]
    # rebuild the three from the rate with a free error correction and with a free phase
    half = float(windows.one_sent) / 2
    n1, n0 = half + float(windows.both_sent), half + float(windows.none_sent)
    expected_pairs = min(n0, n1) / kinds.sum() * total
    right, bad = half**2 / n0 / n1, float(windows.both_sent * windows.none_sent) / n0 / n1
    assert pairs == pytest.approx(expected_pairs, rel=0.01)
    assert survivors == pytest.approx(pairs * (right + bad), rel=0.01)
    assert wrong / survivors == pytest.approx(bad / (right + bad), abs=0.003)
    assert secret.sum() == pytest.approx(pairs * (float(windows.single) / 2) ** 2 / n0 / n1, rel=0.02)
    phase = 2 * float(windows.phase_error) * (1 - float(windows.phase_error))

    def entropy(x):
        return -x * math.log2(x) - (1 - x) * math.log2(1 - x)

    rate = secret.sum() * (1 - entropy(phase)) - survivors * entropy(wrong / survivors)
    formula = float(twin.paired_rate(station, 0.02, 0.4, 0.3)) / kinds.sum() * total
    assert max(rate, 0.0) == pytest.approx(formula, abs=0.02 * survivors)


def test_the_zero_error_attack_slot_by_slot():
    """Draw bits and decoys, measure every slot with the best unambiguous measurement, count what may be sent on."""
    rng = np.random.default_rng(2006)
    mu, decoys, bits = 1.4, 0.15, 2_000_000
    kind = rng.choice(3, bits, p=[(1 - decoys) / 2, (1 - decoys) / 2, decoys])
    slots = np.empty(2 * bits, dtype=bool)  # True where there is a pulse
    slots[0::2], slots[1::2] = kind != 0, kind != 1
    known = rng.random(2 * bits) < 1 - math.exp(-mu / 2)  # both states are told with this chance
    middle = slots[1:-1] & ~slots[:-2] & ~slots[2:] & known[1:-1] & known[:-2] & known[2:]
    gain = float(cow.zero_error_gain(mu, decoys))
    assert middle.sum() / bits == pytest.approx(gain, abs=6 * math.sqrt(gain / bits))
    assert (kind[(np.flatnonzero(middle) + 1) // 2] != 2).all()  # it never touches a decoy


# Capacity -------------------------------------------------------------------------------------------------------------------------


def test_nothing_beats_the_capacity_in_a_hundred_thousand_cases():
    rng = np.random.default_rng(2017)
    for _ in range(100):
        eta = 10 ** -rng.uniform(0, 8, 1000)
        mu = rng.uniform(1e-3, 1.5, 1000)
        dark, misalignment = 10 ** -rng.uniform(4, 12), rng.uniform(0, 0.1)
        bound = plob(eta) * (1 + 1e-9)
        receiver = decoy.PulseReceiver(dark, misalignment, 1.0, 1.0)
        assert (decoy.infinite_decoy_rate(receiver, eta, mu) <= bound).all()
        assert (decoy.vacuum_weak_rate(receiver, eta, mu, mu / 3) <= bound).all()
        assert (decoy.no_decoy_rate(receiver, eta, mu * eta) <= bound).all()
        split = rng.uniform(0, 1, 1000)
        a, b = eta**split, eta ** (1 - split)
        assert (mdi.untrusted_rate(mdi.BellStation(dark, misalignment, 1.0, 1.0), a, b, mu) <= bound).all()
        assert (source_rate(PairReceivers(dark, misalignment, 1.0, 1.0), a, b, mu) <= bound).all()
        link = Homodyne(rng.uniform(0.3, 1.0), rng.uniform(0, 0.1), rng.uniform(0, 0.05), 1.0)
        assert (
            gaussian_rate(link, np.maximum(eta, 1e-4), 10 * mu) <= plob(np.maximum(eta, 1e-4)) + 1e-9
        ).all()
        train = dps.PulseTrain(
            1.0, min(mu[0], 0.49), 1.0, dark_rate=dark, misalignment=misalignment, inefficiency=1.0
        )
        assert (dps.train_rate(train, eta).secret <= bound).all()
        # with a station in the middle the bound is that of one ideal repeater
        station, arm = twin.MiddleStation(dark, misalignment, 1.0), np.sqrt(eta)
        repeater = equal_chain(eta, 1) * (1 + 1e-9)
        assert (twin.sending_rate(station, arm, mu, split) <= repeater).all()
        assert (twin.paired_rate(station, arm, mu, split) <= repeater).all()
