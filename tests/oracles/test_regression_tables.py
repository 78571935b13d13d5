"""Exact numbers that must never change.

Source of every number: exact theory (closed forms or density matrices), computed to the digits given here and recomputed when these
tests were written; none is a measurement. The references are named in the docstrings of the functions under test.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.physics import bell, bounds, circuits, correlators, density, memory, merit, purification
from quantum_fabric.physics.noise import NOISELESS, MemoryNoise, OperationNoise

WERNER_SWAP_F = {  # identical Werner links, perfect swaps: fidelity of 1, 2, 4, 8 links
    0.7: [0.7, 0.52, 0.3472, 0.26259712],
    0.8: [0.8, 0.653333333, 0.466903704, 0.312729622],
    0.9: [0.9, 0.813333333, 0.673125926, 0.488714066],
    0.95: [0.95, 0.903333333, 0.819125926, 0.681872426],
    0.99: [0.99, 0.980133333, 0.960792913, 0.923635419],
}

NOISY_SWAP_F = [  # (F of both links, gate reliability, readout reliability, F after one swap)
    (0.9, 0.95, 0.99, 0.770966911111),
    (0.85, 0.98, 0.97, 0.683332480000),
    (1.0, 0.95, 0.99, 0.943595),
    (1.0, 0.98, 0.97, 0.927082),
]

PURIFICATION = {  # from Werner pairs: (F, success probability) after rounds 1, 2, 3
    "bbpssw": {
        0.6: [(0.620437956, 0.608888889), (0.644639033, 0.621977137), (0.672880399, 0.638435526)],
        0.7: [(0.735294118, 0.68), (0.773170732, 0.709342561), (0.811937766, 0.743295657)],
        0.8: [(0.838150289, 0.768888889), (0.873584515, 0.807485122), (0.904540217, 0.845651242)],
        0.9: [(0.926395939, 0.875555556), (0.947207793, 0.906676859), (0.962905351, 0.932087740)],
    },
    "dejmps": {
        0.6: [(0.620437956, 0.608888889), (0.688615966, 0.563961852), (0.771930440, 0.618129683)],
        0.7: [(0.735294118, 0.68), (0.845945946, 0.640138408), (0.934394662, 0.766252739)],
        0.8: [(0.838150289, 0.768888889), (0.943639219, 0.744595543), (0.987973563, 0.901313118)],
        0.9: [(0.926395939, 0.875555556), (0.988763545, 0.867968770), (0.999070117, 0.978563457)],
    },
}

EPL = [  # (f, coherence, relative phase (rad), F, p)
    (0.9, 0.9, 0.0, 0.905, 0.405),
    (0.9, 1.0, 0.0, 1.0, 0.405),
    (1.0, 1.0, 0.3, 0.977668244563, 0.5),
]

MEMORY = [  # (t, T1, T2, F from Phi+, F from Psi+, F twirled), both halves waiting
    (0.1, 1.0, 1.0, 0.866312044, 0.861784086, 0.864048065),
    (0.5, 1.0, 1.0, 0.564614111, 0.487205050, 0.525909581),
    (0.5, 1.0, 2.0, 0.683939721, 0.606530660, 0.645235190),
    (0.5, 10.0, 1.0, 0.660743717, 0.659554433, 0.660149075),
]

THRESHOLDS = {
    "bb84_qber": 0.110027864,
    "bb84_fidelity": 0.834958203,
    "six_state_qber": 0.126193083,
    "six_state_fidelity": 0.810710375,
    "di_qber": 0.071491759,
    "di_chsh": 2.424008665,
    "di_fidelity": 0.892762362,
    "chsh_fidelity": 0.780330086,
    "teleport_fidelity": 0.666666667,
    "deterministic_link_efficiency": 0.826017560,
}

PLOB = {  # km at 0.2 dB/km: ebit per use direct, with 1 and with 3 ideal repeaters
    10: [1.438140516, 2.281584341, 3.200925139],
    50: [0.1520030934, 0.5484122546, 1.192121929],
    100: [0.01449956970, 0.1520030934, 0.5484122546],
    200: [1.442767180e-4, 0.01449956970, 0.1520030934],
    400: [1.442695048e-8, 1.442767180e-4, 0.01449956970],
    500: [1.442695041e-10, 1.442702254e-5, 4.569431017e-3],
    1000: [1.442695041e-20, 1.442695041e-10, 1.442702254e-5],
}


@pytest.mark.parametrize("fidelity", WERNER_SWAP_F)
def test_chains_of_werner_links(fidelity):
    array, scalar = bell.werner(fidelity), correlators.werner(fidelity)
    for expected in WERNER_SWAP_F[fidelity]:
        assert array[0] == pytest.approx(expected, abs=6e-10)
        assert correlators.fidelity(scalar) == pytest.approx(expected, abs=6e-10)
        array, scalar = bell.swap(array, array), correlators.product(scalar, scalar)


@pytest.mark.parametrize(("fidelity", "gate", "reader", "expected"), NOISY_SWAP_F)
def test_noisy_swap(fidelity, gate, reader, expected):
    noise = OperationNoise(
        depolarising_2=1.0 - gate, readout_error_0=1.0 - reader, readout_error_1=1.0 - reader
    )
    pair = density.pair(bell.werner(fidelity))
    incoming = correlators.product(correlators.werner(fidelity), correlators.werner(fidelity))
    briegel = 0.25 + 0.75 * gate * (4 * reader**2 - 1) / 3 * ((4 * fidelity - 1) / 3) ** 2
    assert briegel == pytest.approx(expected, abs=1e-12)
    for outcome, (probability, factors) in enumerate(correlators.swap_table(noise)):
        assert probability == pytest.approx(0.25, abs=1e-12)
        assert correlators.fidelity(correlators.product(incoming, factors)) == pytest.approx(
            expected, abs=1e-12
        )
        _, weights = bell.noisy_swap(bell.werner(fidelity), bell.werner(fidelity), noise, outcome)
        assert weights[0] == pytest.approx(expected, abs=1e-12)
        assert density.fidelity(circuits.swap(pair, pair, noise, outcome)[1], outcome) == pytest.approx(
            expected, abs=1e-12
        )


@pytest.mark.parametrize("kind", PURIFICATION)
@pytest.mark.parametrize("fidelity", [0.6, 0.7, 0.8, 0.9])
def test_three_rounds_of_purification(kind, fidelity):
    published = {"dejmps": purification.dejmps, "bbpssw": purification.bbpssw}[kind]
    array = labels = bell.werner(fidelity)
    scalar = correlators.werner(fidelity)
    for expected, success in PURIFICATION[kind][fidelity]:
        p_array, array = published(array, array)
        p_labels, labels = purification.purify(kind, labels, labels, NOISELESS, NOISELESS)
        p_scalar, scalar = correlators.purified(scalar, scalar, kind, NOISELESS, NOISELESS)
        assert [float(p_array), float(p_labels), p_scalar] == pytest.approx([success] * 3, abs=6e-10)
        assert [array[0], labels[0], correlators.fidelity(scalar)] == pytest.approx([expected] * 3, abs=6e-10)


@pytest.mark.parametrize(("share", "coherence", "phase", "fidelity", "success"), EPL)
def test_extreme_photon_loss(share, coherence, phase, fidelity, success):
    p, weights = purification.epl(share, share, coherence, coherence, phase)
    assert (float(p), float(weights[0])) == pytest.approx((success, fidelity), abs=1e-12)
    first, second = (
        circuits.single_click_pair(share, coherence, phase),
        circuits.single_click_pair(share, coherence),
    )
    p, rho = circuits.epl(first, second, NOISELESS, NOISELESS)
    assert (p, density.fidelity(rho, 2)) == pytest.approx((success, fidelity), abs=1e-12)


@pytest.mark.parametrize(("t", "t1", "t2", "from_phi", "from_psi", "twirled"), MEMORY)
def test_both_halves_waiting(t, t1, t2, from_phi, from_psi, twirled):
    noise = MemoryNoise(t1, t2)
    for label, expected in ((0, from_phi), (1, from_phi), (2, from_psi), (3, from_psi)):
        rho = density.projector(density.bell_vector(label))
        rho = density.damped(density.damped(rho, 0, noise, t), 1, noise, t)
        assert density.fidelity(rho, label) == pytest.approx(expected, abs=6e-10)
    assert memory.idle([1, 0, 0, 0], noise, noise, t)[0] == pytest.approx(twirled, abs=6e-10)
    rates = correlators.decay_rates(noise)
    aged = correlators.aged(correlators.PERFECT, correlators.added_rates(rates, rates), t)
    assert correlators.fidelity(aged) == pytest.approx(twirled, abs=6e-10)


@pytest.mark.parametrize("name", THRESHOLDS)
def test_thresholds(name):
    assert getattr(merit.thresholds(), name) == pytest.approx(THRESHOLDS[name], abs=6e-10)


@pytest.mark.parametrize("kilometres", PLOB)
def test_plob_ladder(kilometres):
    eta = 10.0 ** (-0.02 * kilometres)
    for repeaters, expected in zip((0, 1, 3), PLOB[kilometres]):
        assert float(bounds.equal_chain(eta, repeaters)) == pytest.approx(expected, rel=6e-10)
        segment = 10.0 ** (-0.02 * kilometres / (repeaters + 1))
        assert float(bounds.chain([segment] * (repeaters + 1))) == pytest.approx(expected, rel=6e-10)


def test_published_examples_of_gate_conventions():
    """A two-qubit average gate fidelity of 0.99 is a replacement probability of 0.01333."""
    from quantum_fabric.physics.noise import depolarising_from_average_fidelity

    assert depolarising_from_average_fidelity(0.99, 2) == pytest.approx(0.04 / 3, abs=1e-15)


def test_a_werner_pair_read_by_two_imperfect_readers():
    """F = 0.92 gives S = 2.527 with ideal readout and 2.20 with readers of 0.971 and 0.963 (symmetric errors)."""
    werner = bell.werner(0.92)
    readers = [OperationNoise(readout_error_0=1 - f, readout_error_1=1 - f) for f in (0.971, 0.963)]
    assert float(merit.chsh_max(werner)) == pytest.approx(2.527, abs=5e-4)
    assert float(merit.chsh_fixed(werner, *readers)) == pytest.approx(2.20, abs=5e-3)


def test_deterministic_delivery():
    assert float(merit.deterministic_fidelity(39.0 / 5.0)) == pytest.approx(0.804, abs=5e-4)
    assert float(merit.deterministic_fidelity(1.0)) == pytest.approx((1 + 3 / math.e) / 4, abs=1e-15)
    np.testing.assert_allclose(merit.deterministic_fidelity([0.0, 1e300]), [0.25, 1.0], atol=1e-12)
