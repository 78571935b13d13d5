"""MDI-QKD: what a Bell station announces against closed forms, and decoy bounds against photon numbers that a simulation knows.

Statistical tests: intervals and bounds fail with 1e-10 each; with fewer than 1e3 of them the false-alarm rate is below 1e-6.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.physics.qkd.concentration import mean_from_count
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.mdi import BellStation, key_basis_gain, photon_pair
from quantum_fabric.physics.qkd.untrusted_key import PairCounts, announced_chances, pair_bounds, untrusted_key

MU = np.array([0.4, 0.1, 0.01])
P = np.array([0.3, 0.4, 0.3])


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (0.01, 0.2), (1.0, 0.3)])
@pytest.mark.parametrize("dark", [0.0, 1e-4])
def test_the_key_basis_is_that_of_ma_and_razavi(a: float, b: float, dark: float) -> None:
    """Their closed forms have Bessel functions, ours a quadrature over the phase."""
    station = BellStation(dark, 0.02)
    for mu in (0.05, 0.5, 2.0):
        table = announced_chances(station, (a, b), (mu, mu))[0]
        gain, wrong = key_basis_gain(station, a, b, mu)
        assert table.sum() == pytest.approx(float(gain), rel=1e-9)
        assert table[:, 0].sum() == pytest.approx(float(wrong), rel=1e-9)


@pytest.mark.parametrize("basis", [0, 1])
@pytest.mark.parametrize("dark", [0.0, 1e-3])
def test_the_single_photons_of_faint_pulses(basis: int, dark: float) -> None:
    """The mixed second difference of the scaled gains at vacuum is the yield of one photon from each end (Ma and Razavi 2012)."""
    station, step = BellStation(dark, 0.02), 1e-3
    y, e = photon_pair(station, 0.3, 0.2)
    scaled = {
        (i, j): math.exp(step * (i + j)) * announced_chances(station, (0.3, 0.2), (step * i, step * j))[basis]
        for i in (0, 1, 2)
        for j in (0, 1, 2)
    }

    def second(k: int) -> np.ndarray:
        return (scaled[k, k] + scaled[0, 0] - scaled[k, 0] - scaled[0, k]) / (k * step) ** 2

    single = 2.0 * second(1) - second(2)  # Richardson: the error of first order goes
    assert single.sum() == pytest.approx(float(y), rel=1e-4)
    if basis == 1:
        assert (single[0, 1] + single[1, 0]) / single.sum() == pytest.approx(float(e), rel=1e-3)


@pytest.mark.parametrize("seed", range(40))
def test_no_station_gets_more_past_the_bounds_than_it_may(seed: int) -> None:
    """Any yields of photon numbers, drawn at random, some of them an adversary's: s11 and its errors stay inside their bounds."""
    rng = np.random.default_rng(seed)
    photons = 6
    poisson = np.array([[math.exp(-k) * k**n / math.factorial(n) for n in range(photons)] for k in MU])
    yields = rng.random((photons, photons)) ** rng.integers(1, 8)
    if seed % 4 == 1:
        yields[1, 1] = 0.0  # blocks what would give key
    if seed % 4 == 2:
        yields[2:, 2:] = 1.0
    errors = rng.random((photons, photons))
    counts, wrong = np.zeros((3, 3)), np.zeros((3, 3))
    single = bad = 0
    for i in range(3):
        for j in range(3):
            sent = rng.multinomial(
                int(10**7 * P[i] * P[j]),
                np.append(both := np.outer(poisson[i], poisson[j]).ravel(), max(1.0 - both.sum(), 0.0)),
            )[:-1]
            seen = rng.binomial(sent, yields.ravel())
            bits = rng.binomial(seen, errors.ravel())
            counts[i, j], wrong[i, j] = seen.sum(), bits.sum()
            single += int(seen[photons + 1])
            bad += int(bits[photons + 1])
    low, high = pair_bounds(counts, wrong, MU, P, 1e-10)
    assert low <= single
    assert high >= bad


def test_the_bounds_are_of_use() -> None:
    """With many windows the bound on single photons is near their number, and the phase error far below one half."""
    station, mu, p, n, q = (
        BellStation(1e-7, 0.01),
        np.array([0.4, 0.05, 0.0]),
        np.array([0.4, 0.3, 0.3]),
        1e12,
        0.6,
    )
    table = np.array([[announced_chances(station, (0.4, 0.4), (x, y)) for y in mu] for x in mu])
    sent = np.outer(p, p) * n
    key = np.floor(sent * q * q * table[:, :, 0].sum(axis=(-1, -2)))
    test = np.floor(sent * (1 - q) ** 2 * table[:, :, 1].sum(axis=(-1, -2)))
    wrong = np.floor(sent * (1 - q) ** 2 * (table[:, :, 1, 0, 1] + table[:, :, 1, 1, 0]))
    worth = untrusted_key(PairCounts(key, test, wrong), mu, p, Security(1e-9, 1e-12), 0.0)
    y, e = photon_pair(station, 0.4, 0.4)
    single = n * q * q * (p[0] * mu[0] * math.exp(-mu[0])) ** 2 * float(y)
    assert 0.9 * single < float(worth.single) < single
    assert float(e) < float(worth.phase_error) < 0.1


def test_nothing_is_worth_nothing() -> None:
    empty = np.zeros((3, 3))
    assert untrusted_key(PairCounts(empty, empty, empty), MU, P, Security(1e-9, 1e-12), 0.0).length == 0


def test_sampled_counts_are_those_of_the_chances() -> None:
    """Every cell of 3 x 3 intensities, 2 bases, 2 states, 2 relations of bits: 72 intervals."""
    pytest.importorskip("cryptography")
    from quantum_fabric.physics.qkd.finite_rate import Setting
    from quantum_fabric.services.qkd.station_sources import announce, announced_table

    table = announced_table(BellStation(1e-5, 0.01), (0.6, 0.3), Setting(0.6, tuple(MU), tuple(P)))
    windows = 10**8
    seen = announce(table, windows, np.random.default_rng(11))
    found = np.zeros_like(table)
    np.add.at(found, (seen.strong[0], seen.strong[1], seen.bases, seen.states, seen.first ^ seen.second), 1)
    low, high = mean_from_count(found, 1e-10)
    assert np.all((low <= windows * table) & (windows * table <= high))
    assert found.sum() == len(seen.bases)
