"""The best operating point of a continuous pair source."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics.brightness import Receiver, best_brightness, cw_key_rate


def by_grid(a: Receiver, b: Receiver, width: float, error: float) -> float:
    """The whole plane of windows and pair rates at once, written out anew."""
    window = width * np.geomspace(0.05, 20.0, 700)[:, None]
    rate = np.geomspace(1e-9, 10.0, 1500)[None, :] / width
    kept = np.vectorize(math.erf)(math.sqrt(math.log(2.0)) * window / width)
    true = rate * a.eta * b.eta * kept
    chance = (rate * a.eta + a.dark) * (rate * b.eta + b.dark) * window
    e = np.clip((error * true + 0.5 * chance) / (true + chance), 1e-12, 0.5)
    h = -e * np.log2(e) - (1.0 - e) * np.log2(1.0 - e)
    return float(np.max(0.5 * (true + chance) * (1.0 - 2.1 * h)))


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        (Receiver(0.1, 250.0), Receiver(0.01, 250.0), 0.01),
        (Receiver(0.1, 0.0), Receiver(0.1, 0.0), 0.03),
        (Receiver(1e-3, 300.0), Receiver(1e-3, 300.0), 0.02),
    ],
)
def test_no_point_of_a_grid_is_better(a: Receiver, b: Receiver, error: float) -> None:
    best = best_brightness(a, b, 0.3e-9, error)
    assert best.key_rate == pytest.approx(by_grid(a, b, 0.3e-9, error), rel=2e-4)
    assert best.key_rate >= by_grid(a, b, 0.3e-9, error) * (1.0 - 1e-9)
    around = [
        cw_key_rate(best.pair_rate * x, best.window * y, a, b, 0.3e-9, error)
        for x in (0.97, 1.0, 1.03)
        for y in (0.97, 1.0, 1.03)
    ]
    assert max(around) <= best.key_rate * (1.0 + 1e-9)


def test_better_timing_allows_a_brighter_source() -> None:
    ends = Receiver(0.1, 0.0), Receiver(0.1, 0.0)
    fast, slow = (best_brightness(*ends, width, 0.01) for width in (0.1e-9, 0.4e-9))
    assert fast.pair_rate == pytest.approx(4.0 * slow.pair_rate, rel=1e-3)
    assert fast.key_rate == pytest.approx(4.0 * slow.key_rate, rel=1e-6)


def test_hopeless_links_have_no_key() -> None:
    assert best_brightness(Receiver(1e-5, 1e6), Receiver(1e-5, 1e6), 0.3e-9, 0.01).key_rate == 0.0


def test_domains() -> None:
    good = Receiver(0.1, 0.0)
    with pytest.raises(QuantityError, match=r"^width: found"):
        best_brightness(good, good, 0.0, 0.01)
    with pytest.raises(QuantityError, match=r"^b: found"):
        best_brightness(good, Receiver(0.0, 0.0), 1e-9, 0.01)
