"""Double selection: batches, edges; that it is right is checked on six qubits in tests/oracles/test_purification.py."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics import bell
from quantum_fabric.physics.noise import NOISELESS, OperationNoise
from quantum_fabric.physics.selection import double_selection, selection_frame

NOISY = OperationNoise(0.01, 0.03, 0.05, 0.01)


def test_batches_broadcast():
    batch = np.random.default_rng(2).dirichlet([1.0] * 4, size=(2, 3))
    p, w = double_selection(batch, batch[0], bell.werner(0.9), NOISY, NOISELESS)
    assert (p.shape, w.shape) == ((2, 3), (2, 3, 4))
    np.testing.assert_allclose(w.sum(axis=-1), 1.0)
    one_p, one_w = double_selection(batch[1, 2], batch[0, 2], bell.werner(0.9), NOISY, NOISELESS)
    assert float(one_p) == pytest.approx(p[1, 2], abs=1e-15)
    np.testing.assert_allclose(one_w, w[1, 2], atol=1e-15)


def test_frames_are_linear():
    for one in itertools.product(range(4), repeat=3):
        for label, place in itertools.product(range(1, 4), range(3)):
            step = tuple(label if at == place else 0 for at in range(3))
            (f1, p1), (f2, p2) = selection_frame(*one), selection_frame(*step)
            both = selection_frame(*(a ^ b for a, b in zip(one, step)))
            assert both == (f1 ^ f2, (p1[0] ^ p2[0], p1[1] ^ p2[1]))


def test_without_frames_it_is_the_mean_over_frames():
    rng = np.random.default_rng(3)
    pairs = rng.dirichlet([3.0, 1.0, 1.0, 1.0], size=3)
    each = [double_selection(*pairs, NOISY, NOISY, flips) for flips in itertools.product((0, 1), repeat=2)]
    p, w = double_selection(*pairs, NOISY, NOISY)
    assert float(p) == pytest.approx(np.mean([q for q, _ in each]), abs=1e-14)
    np.testing.assert_allclose(p * w, np.mean([q * v for q, v in each], axis=0), atol=1e-14)


def test_turning_pairs_first():
    """Pairs with phase errors only: untouched, those of the kept pair pass; turned, they do not."""
    phase = [0.8, 0.2, 0.0, 0.0]
    plain = double_selection(phase, phase, phase, NOISELESS, NOISELESS)[1][0]
    turned = double_selection(phase, phase, phase, NOISELESS, NOISELESS, turns=("xzy", "xyz", "xyz"))[1][0]
    assert turned > plain + 0.1


def test_a_success_that_cannot_happen_is_uniform_and_silent():
    p, w = double_selection([1.0, 0, 0, 0], [0, 0, 1.0, 0], [1.0, 0, 0, 0], NOISELESS, NOISELESS)
    assert (float(p), w.tolist()) == (0.0, [0.25] * 4)


def test_what_is_no_distribution_is_refused():
    with pytest.raises(QuantityError):
        double_selection([0.5, 0.5, 0.5, 0.5], bell.werner(0.9), bell.werner(0.9), NOISELESS, NOISELESS)
