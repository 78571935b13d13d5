"""The search for the best setting."""

from __future__ import annotations

import math

import pytest

from quantum_fabric.links.knobs import best_setting


@pytest.mark.parametrize("peak", [1e-5, 0.003, 0.2])
def test_one_maximum_is_found(peak: float) -> None:
    assert best_setting(lambda x: -((math.log(x / peak)) ** 2), 1e-6, 0.5) == pytest.approx(peak, rel=1e-5)


def test_a_fidelity_without_a_maximum_inside_gives_an_end() -> None:
    assert best_setting(lambda x: -x, 1e-6, 0.5) == pytest.approx(1e-6, rel=1e-5)
    assert best_setting(lambda x: x, 1e-6, 0.5) == pytest.approx(0.5, rel=1e-5)
    assert best_setting(lambda x: x, 1e-6, 0.5) <= 0.5
