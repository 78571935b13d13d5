"""Edges of photon statistics; independent calculations are in tests/oracles/test_photon_statistics.py."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics import photon_statistics as light


def test_numbers_sum_to_one() -> None:
    for modes in (1.0, 2.5, math.inf):
        assert light.photon_numbers(0.8, modes, 80).sum() == pytest.approx(1.0, abs=1e-12)
    assert light.photon_numbers(0.0, 3.0, 2).tolist() == [1.0, 0.0, 0.0]


def test_bunching_matches_the_numbers() -> None:
    for modes in (1.0, 2.0, 7.0):
        chances = light.photon_numbers(0.4, modes, 60)
        n = np.arange(61)
        assert chances @ (n * (n - 1)) / (chances @ n) ** 2 == pytest.approx(
            float(light.bunching(modes)), rel=1e-9
        )


def test_heralding_purifies() -> None:
    g2 = light.heralded_g2(np.geomspace(1e-6, 10.0, 20), 0.5)
    assert np.all(np.diff(g2) > 0.0)
    assert float(light.heralded_g2(0.0, 0.5)) == 0.0
    assert float(light.heralded_g2(0.3, 0.5, dark=1.0)) == pytest.approx(
        2.0
    )  # a herald that always fires tells nothing
    assert float(light.heralded_g2(0.05, 0.5, modes=math.inf)) == pytest.approx(
        float(light.heralded_g2(0.05, 0.5, modes=1e9)), rel=1e-6
    )


def test_multiphoton_share_is_half_the_mean_when_weak() -> None:
    chances = light.photon_numbers(1e-4, math.inf, 1)
    assert float(light.multiphoton_share(chances)) == pytest.approx(5e-5, rel=1e-3)


def test_an_unbalanced_splitter_or_unequal_beams_lower_the_visibility() -> None:
    even = float(light.hom_visibility(0.95, 0.05, 0.05))
    assert float(light.hom_visibility(0.95, 0.05, 0.05, reflected=0.6)) < even
    assert float(light.hom_visibility(0.95, 0.05, 0.05, ratio=2.0)) < even
    assert float(light.hom_visibility(1.0, reflected=0.3)) == pytest.approx(2 * 0.21 / (1 - 2 * 0.21))


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: light.photon_numbers(-1.0), "mean"),
        (lambda: light.photon_numbers(1.0, largest=-1), "largest"),
        (lambda: light.emitted(0.0, 0.1), "brightness"),
        (lambda: light.emitted(1.0, 0.6), "g2"),
        (lambda: light.dephased_overlap(2.1, 1.0), "coherence"),
        (lambda: light.delayed_overlap(1.0, 0.0), "width"),
        (lambda: light.delayed_overlap(1.0, 1.0, "square"), "shape"),
        (lambda: light.filtered(1.0, 1.0, 0.0), "window"),
        (lambda: light.hom_visibility(1.1), "overlap"),
        (lambda: light.hom_visibility(1.0, reflected=1.0), "ratio or reflected"),
        (lambda: light.multiphoton_share([1.0, 0.0]), r"chances\[0\]"),
    ],
)
def test_domains(call: object, where: str) -> None:
    with pytest.raises(QuantityError, match=rf"^{where}: found"):
        call()  # type: ignore[operator]
