"""Three-state time-bin links: published distances, dead time, the end of key."""

from __future__ import annotations

import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.time_bin import TimeBinSystem, time_bin_block

SECURITY = Security(1e-9, 1e-15)
SYSTEM = TimeBinSystem(
    clock=2.5e9, efficiency=0.5, dark_rate=0.1, window=0.5, key_misalignment=0.004, test_misalignment=0.015
)


def best(loss, intensities, block, system=SYSTEM):
    settings = [
        Setting(q / 20, intensities, (p / 10, 1 - p / 10)) for q in range(8, 20) for p in range(4, 10)
    ]
    return max(
        (time_bin_block(system, 10 ** (-loss / 10), s, block, SECURITY) for s in settings),
        key=lambda b: b.rate,
    )


@pytest.mark.parametrize(
    ("loss", "intensities", "block", "published"),
    [
        (42.7, (0.49, 0.18), 8.2e6, 4.9e3),
        (51.3, (0.48, 0.18), 8.2e6, 790.0),
        (60.6, (0.35, 0.15), 6.2e6, 62.0),
        (69.3, (0.35, 0.15), 4.1e5, 6.5),
    ],
)
def test_published_distances_within_a_factor(loss, intensities, block, published):
    """Boaron 2018, transcribed by third parties; nothing is fitted, the receiver is assumed (half efficient, 0.1 Hz)."""
    assert published / 1.5 < best(loss, intensities, block).rate < published * 1.5


def test_the_error_rate_rises_when_dark_counts_take_over():
    errors = [best(loss, (0.35, 0.15), 4e5).key_error for loss in (40.0, 60.0, 70.0)]
    assert 0.004 < errors[0] < errors[1] < errors[2]


def test_dead_time_caps_the_rate_of_a_short_link():
    setting = Setting(0.9, (0.49, 0.18), (0.7, 0.3))
    slow = TimeBinSystem(clock=2.5e9, efficiency=0.5, dark_rate=0.1, dead_time=1e-6)
    fast = TimeBinSystem(clock=2.5e9, efficiency=0.5, dark_rate=0.1)
    capped = time_bin_block(slow, 0.01, setting, 1e7, SECURITY)
    free = time_bin_block(fast, 0.01, setting, 1e7, SECURITY)
    assert capped.live < 0.5
    assert capped.rate < free.rate * capped.live * 1.2
    assert [c.where for c in capped.cautions] == ["detector.dead_time"]
    assert free.cautions == ()


def test_too_long_a_fibre_gives_nothing():
    assert best(90.0, (0.35, 0.15), 1e5).rate == 0.0


def test_domains():
    with pytest.raises(QuantityError, match="efficiency"):
        TimeBinSystem(clock=1e9, efficiency=0.0, dark_rate=1.0)
    with pytest.raises(QuantityError, match="dead_time"):
        TimeBinSystem(clock=1e9, efficiency=0.5, dark_rate=1.0, dead_time=-1.0)
    with pytest.raises(QuantityError, match="intensities"):
        time_bin_block(SYSTEM, 0.1, Setting(0.9, (0.5, 0.2, 0.1), (0.5, 0.3, 0.2)), 1e6, SECURITY)
