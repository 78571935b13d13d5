"""Key rates against computations that share no formula with them: optics.

Interference at a middle station in Fock space and by averaging over phases, Bell measurements click by click, down-conversion
photon number by photon number, and Gaussian states by their covariance matrices.
"""

from __future__ import annotations

import cmath
import itertools
import math

import numpy as np
import pytest

from quantum_fabric.physics.qkd import coherent_twin_field as signs
from quantum_fabric.physics.qkd import mdi
from quantum_fabric.physics.qkd import twin_field as twin
from quantum_fabric.physics.qkd.continuous_variable import Homodyne, gaussian_information
from quantum_fabric.physics.qkd.entanglement import PairReceivers, source_gain

PHASES = (
    2 * math.pi * (np.arange(400) + 0.5) / 400
)  # equidistant: exact for periodic functions of this smoothness


# Twin fields ----------------------------------------------------------------------------------------------------------------------


def behind_splitter(n, m, overlap):
    """Chances of (photons in c, photons in d) for n photons from a and m from b, whose modes overlap by ``overlap``."""
    root, side = math.sqrt(0.5), math.sqrt(1 - overlap**2)
    columns = {"a": (root, 0.0, root, 0.0), "b": (root * overlap, root * side, -root * overlap, -root * side)}
    state = {(0, 0, 0, 0): 1.0}
    for column in [columns["a"]] * n + [columns["b"]] * m:
        following = {}
        for occupation, value in state.items():
            for mode, amplitude in enumerate(column):
                if amplitude:
                    raised = tuple(k + (i == mode) for i, k in enumerate(occupation))
                    term = value * amplitude * math.sqrt(raised[mode])
                    following[raised] = following.get(raised, 0.0) + term
        state = following
    norm = math.factorial(n) * math.factorial(m)
    chances = {}
    for (c, c2, d, d2), value in state.items():
        key = (c + c2, d + d2)
        chances[key] = chances.get(key, 0.0) + value**2 / norm
    return chances


@pytest.mark.parametrize("overlap", [1.0, 0.9, 0.0])
@pytest.mark.parametrize("eta", [1.0, 0.3])
def test_clicks_of_photon_numbers_in_fock_space(overlap, eta):
    dark = 0.01
    for n, m in itertools.product(range(5), repeat=2):
        total = 0.0
        for k, j in itertools.product(range(n + 1), range(m + 1)):
            arrive = math.comb(n, k) * math.comb(m, j) * eta ** (k + j) * (1 - eta) ** (n + m - k - j)
            for (c, d), chance in behind_splitter(k, j, overlap).items():
                clicks = (1.0 if c else dark) * (0.0 if d else 1 - dark)
                total += arrive * chance * clicks
        assert signs.only_click(dark, eta, overlap, n, m) == pytest.approx(total, abs=1e-12)


def coherent_clicks(amplitude_a, amplitude_b, dark):
    """Chances that only c, and that only d, clicks for two coherent states on a balanced splitter."""
    bright = abs(amplitude_a + amplitude_b) ** 2 / 2, abs(amplitude_a - amplitude_b) ** 2 / 2
    quiet = [(1 - dark) * math.exp(-x) for x in bright]
    return (1 - quiet[0]) * quiet[1], (1 - quiet[1]) * quiet[0]


def test_sending_windows_by_averaging_over_phases():
    station, eta, mu, eps = twin.MiddleStation(3e-4, 0.0), 0.07, 0.6, 0.3
    a = math.sqrt(eta * mu)
    one = sum(coherent_clicks(a, 0.0, station.dark))
    both = np.mean([sum(coherent_clicks(a, a * cmath.exp(1j * p), station.dark)) for p in PHASES])
    none = sum(coherent_clicks(0.0, 0.0, station.dark))
    windows = twin.sending_windows(station, eta, mu, eps)
    assert float(windows.one_sent) == pytest.approx(2 * eps * (1 - eps) * one, rel=1e-12)
    assert float(windows.both_sent) == pytest.approx(eps**2 * both, rel=1e-12)
    assert float(windows.none_sent) == pytest.approx((1 - eps) ** 2 * none, rel=1e-12)
    yield_1 = 2 * signs.only_click(station.dark, eta, 1.0, 1, 0)
    assert float(windows.single) == pytest.approx(
        2 * eps * (1 - eps) * mu * math.exp(-mu) * yield_1, rel=1e-12
    )


def test_signs_by_coherent_amplitudes_and_the_true_phase_error():
    """The error in the complementary basis is that of cat states with equal parities: exact from coherent overlaps."""
    dark, eta, mu = 1e-4, 0.05, 0.03
    station = twin.MiddleStation(dark, 0.0)
    a = math.sqrt(eta * mu)
    same, other = coherent_clicks(a, a, dark), coherent_clicks(a, -a, dark)
    chance, error = signs.sign_windows(station, eta, mu)
    assert chance == pytest.approx((same[0] + other[0]) / 2, rel=1e-12)
    assert error == pytest.approx(other[0] / (same[0] + other[0]), rel=1e-12)

    def element(left, right):
        """<left| "only c clicks" |right> for two-mode coherent states sent with amplitude ±α, traced over the loss."""
        alpha = math.sqrt(mu)
        overlap = math.exp(-mu * (2 - left[0] * right[0] - left[1] * right[1]))
        dark_c = eta * alpha**2 * (left[0] + left[1]) * (right[0] + right[1]) / 2
        dark_d = eta * alpha**2 * (left[0] - left[1]) * (right[0] - right[1]) / 2
        return overlap * (1 - dark) * (math.exp(-dark_d) - (1 - dark) * math.exp(-dark_c - dark_d))

    true = 0.0
    for parity in (1, -1):
        for left, right in itertools.product(itertools.product((1, -1), repeat=2), repeat=2):
            weight = math.prod(1.0 if s == 1 else parity for s in (*left, *right)) / 16
            true += weight * element(left, right)
    bound = signs.phase_error(station, eta, mu)
    assert true / chance <= bound < 4 * true / chance


# Bell measurements ----------------------------------------------------------------------------------------------------------------


def bell_clicks(lit, dark):
    """Chance of an announced Bell state: one H and one V detector click, no others. ``lit``: mean photons in cH, cV, dH, dV."""
    on = [1 - (1 - dark) * math.exp(-x) for x in lit]
    pairs = [(0, 1), (2, 3), (0, 3), (1, 2)]
    return sum(math.prod(on[i] if i in pair else 1 - on[i] for i in range(4)) for pair in pairs)


def test_key_basis_of_an_untrusted_station_by_averaging_over_phases():
    station, a, b, mu = mdi.BellStation(2e-4, 0.0), 0.2, 0.05, 0.6
    x, y = a * mu, b * mu
    right = bell_clicks((x / 2, y / 2, x / 2, y / 2), station.dark)
    wrong = np.mean(
        [
            bell_clicks(
                (
                    (x + y) / 2 + math.sqrt(x * y) * math.cos(p),
                    0.0,
                    (x + y) / 2 - math.sqrt(x * y) * math.cos(p),
                    0.0,
                ),
                station.dark,
            )
            for p in PHASES
        ]
    )
    gain, errors = mdi.key_basis_gain(station, a, b, mu)
    assert float(gain) == pytest.approx((right + wrong) / 2, rel=1e-10)
    assert float(errors) == pytest.approx(wrong / 2, rel=1e-10)


def test_single_photons_at_an_untrusted_station_click_by_click():
    """Different polarisations in the key basis: each photon leaves by c or d at random, or not at all."""
    station, a, b = mdi.BellStation(1e-3, 0.0), 0.4, 0.1
    d = station.dark

    def announced(occupied):
        on = [1.0 if i in occupied else d for i in range(4)]
        pairs = [(0, 1), (2, 3), (0, 3), (1, 2)]
        return sum(math.prod(on[i] if i in pair else 1 - on[i] for i in range(4)) for pair in pairs)

    def photon(eta, ports):
        return [(eta / 2, {ports[0]}), (eta / 2, {ports[1]}), (1 - eta, set())]

    differ = sum(
        p * q * announced(s | t) for (p, s), (q, t) in itertools.product(photon(a, (0, 2)), photon(b, (1, 3)))
    )
    # the same polarisation: bunching, both in cH or both in dH
    both = [(0.5, {0}), (0.5, {2})]
    alike = sum(a * b * p * announced(s) for p, s in both)
    alike += sum(a * (1 - b) * 0.5 * announced({port}) for port in (0, 2))
    alike += sum((1 - a) * b * 0.5 * announced({port}) for port in (0, 2))
    alike += (1 - a) * (1 - b) * announced(set())
    assert float(mdi.photon_pair(station, a, b)[0]) == pytest.approx((differ + alike) / 2, rel=1e-10)


# Down-conversion ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("misalignment", [0.0, 0.02])
def test_a_pair_source_photon_number_by_photon_number(misalignment):
    background, a, b, mean = 1e-3, 0.3, 0.12, 0.35
    lam = mean / 2
    dark = 1 - math.sqrt(1 - background)

    def clicks(eta, up, down):
        """Chances of (only up, only down, both) for photons in the two polarisations."""
        first = 1 - (1 - dark) * (1 - eta) ** up
        second = 1 - (1 - dark) * (1 - eta) ** down
        return first * (1 - second), (1 - first) * second, first * second

    gain, agreement = 0.0, 0.0
    for n in range(40):
        weight = lam**n / (1 + lam) ** (n + 2)  # (n + 1) of them, shared by the n + 1 terms of the state
        for m in range(n + 1):
            one, two = clicks(a, n - m, m), clicks(b, m, n - m)
            gain += weight * sum(one) * sum(two)
            # double clicks get a random bit and so drop out of the correlation; the state is anticorrelated
            agreement += weight * (one[0] - one[1]) * (two[1] - two[0])
    wrong = (gain - (1 - 2 * misalignment) * agreement) / 2
    found = source_gain(PairReceivers(background, misalignment), a, b, mean)
    assert float(found[0]) == pytest.approx(gain, rel=1e-10)
    assert float(found[1]) == pytest.approx(wrong, rel=1e-10)


# Gaussian states ------------------------------------------------------------------------------------------------------------------

FORM = np.array([[0.0, 1.0], [-1.0, 0.0]])


def gaussian_entropy(covariance):
    """Entropy (bit) from the spectrum of iΩγ."""
    modes = len(covariance) // 2
    values = np.abs(np.linalg.eigvals(1j * np.kron(np.eye(modes), FORM) @ covariance))
    total = 0.0
    for value in np.sort(values)[::2]:
        x = max((value - 1) / 2, 0.0)
        total += (x + 1) * math.log2(x + 1) - (x * math.log2(x) if x > 1e-14 else 0.0)
    return total


def squeezed(variance):
    """Covariance of a two-mode squeezed vacuum."""
    off = math.sqrt(variance**2 - 1) * np.diag([1.0, -1.0])
    return np.block([[variance * np.eye(2), off], [off, variance * np.eye(2)]])


def splitter(modes, i, j, transmission):
    t, r = math.sqrt(transmission), math.sqrt(1 - transmission)
    matrix = np.eye(modes)
    matrix[i, i] = matrix[j, j] = t
    matrix[i, j], matrix[j, i] = r, -r
    return np.kron(matrix, np.eye(2))


def joined(*blocks):
    size = sum(len(block) for block in blocks)
    total, at = np.zeros((size, size)), 0
    for block in blocks:
        total[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return total


def after_homodyne(covariance, mode):
    """Covariance of the other modes once the x quadrature of this one is known."""
    keep = [k for k in range(len(covariance)) if k // 2 != mode]
    cross = covariance[keep, 2 * mode]
    return covariance[np.ix_(keep, keep)] - np.outer(cross, cross) / covariance[2 * mode, 2 * mode]


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(("transmission", "variance"), [(0.3, 5.0), (0.05, 12.0)])
def test_gaussian_information_from_the_whole_covariance_matrix(trusted, transmission, variance):
    """Sender A, B; cloner E1 E2 (entangled, replaces the loss); detector noise F, G. Nobody's closed form."""
    link = Homodyne(0.6, 0.02, 0.03, 1.0, trusted)
    cloner = 1 + transmission * link.excess / (1 - transmission)
    noise = 1 + link.electronic / (1 - link.efficiency)
    state = joined(squeezed(variance + 1), squeezed(cloner), squeezed(noise))  # A B E1 E2 F G
    for turn in (splitter(6, 1, 2, transmission), splitter(6, 1, 4, link.efficiency)):
        state = turn @ state @ turn.T
    if trusted:
        eve = [2, 3]
        quadratures = [2 * mode + k for mode in eve for k in (0, 1)]
        before = gaussian_entropy(state[np.ix_(quadratures, quadratures)])
        measured = after_homodyne(state, 1)  # modes now A E1 E2 F G
        after = gaussian_entropy(measured[2:6, 2:6])
    else:
        # an untrusted detector: the eavesdropper purifies everything that A and B hold
        before = gaussian_entropy(state[:4, :4])
        after = gaussian_entropy(after_homodyne(state[:4, :4], 1))
    mutual, known = gaussian_information(link, transmission, variance)
    assert float(known) == pytest.approx(before - after, abs=1e-7)
    bob = state[2, 2]
    # the sender knows her modulation: what is left at the receiver is shot noise and the noise of channel and detector
    left = 1 + link.electronic + link.efficiency * transmission * link.excess
    assert float(mutual) == pytest.approx(math.log2(bob / left) / 2, rel=1e-9)


def test_entropies_of_a_perfect_channel_are_those_of_a_pure_state():
    assert gaussian_entropy(squeezed(4.0)) == pytest.approx(0.0, abs=1e-6)
