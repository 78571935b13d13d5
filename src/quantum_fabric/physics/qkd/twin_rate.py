"""What a twin field in finite blocks may expect before it runs: counts from the optics, and the settings that give most key."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.optimum import climb
from quantum_fabric.physics.qkd.finite_key import FiniteKey
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.twin_clicks import TwinStation, decoy_table
from quantum_fabric.physics.qkd.twin_field import MiddleStation
from quantum_fabric.physics.qkd.twin_key import TwinSetting, twin_key

STRONG: Final = 0.68
"""Intensity of the strongest decoy."""


def expected_key(
    station: MiddleStation, transmission: float, setting: TwinSetting, windows: float, security: Security
) -> FiniteKey:
    """The key of a block in which every count is its mean.

    Args:
        station: noise and cost.
        transmission: of one arm with the detector, in [0, 1].
        setting: of both ends.
        windows: of the block, at least 0.
        security: what is asked.

    Returns:
        The key, with ``f n h(E)`` told by error correction.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> setting = TwinSetting(0.88, 0.017, (0.68, 0.17, 0.0), (0.08, 0.27, 0.65))
        >>> key = expected_key(MiddleStation(1e-9, 0.02, 1.1), 2.25e-3, setting, 1e11, Security(1e-9, 1e-12))
        >>> f"{float(key.length) / 1e11:.2e} {float(key.phase_error):.3f}"
        '1.82e-05 0.122'
    """
    n = float(check_range(windows, 0.0, math.inf, "windows"))
    meeting = TwinStation((transmission, transmission), station.dark, station.misalignment)
    mu = setting.intensity
    right, wrong = (float(side) for side in meeting.clicks(mu, mu, np.zeros(())))
    key = n * setting.key_basis**2 * (right + wrong) * (1.0 - setting.compared)
    error = wrong / (right + wrong) if right + wrong > 0.0 else 0.5
    leak = station.inefficiency * key * float(binary_entropy(np.array(error)))
    return twin_key(key, np.round(n * decoy_table(meeting, setting)), setting, security, leak)


def best_twin(
    station: MiddleStation, transmission: float, block: float, security: Security
) -> tuple[TwinSetting, float]:
    """Settings that give most key from blocks of so many announced key windows, and the rate; the faintest decoy is empty.

    Args:
        station: noise and cost.
        transmission: of one arm with the detector, in (0, 1].
        block: announced key windows of a block, at least 1.
        security: what is asked of it.

    Returns:
        (settings, secret bits for each window, at least 0).

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        A local search from one start; the strongest decoy stands at `STRONG`, and the weak one gets three tenths of what it leaves:
        the rate is flat there.

    Examples:
        >>> setting, rate = best_twin(MiddleStation(1e-9, 0.02, 1.1), 1e-2, 1e7, Security(1e-9, 1e-12))
        >>> 0.7 < setting.key_basis < 0.95, 0.01 < setting.intensity < 0.03, f"{rate:.1e}"
        (True, True, '8.9e-05')
    """
    check_range(transmission, 1e-300, 1.0, "transmission")
    check_range(block, 1.0, math.inf, "block")
    meeting = TwinStation((transmission, transmission), station.dark, station.misalignment)

    def chosen(point: Floats) -> TwinSetting:
        p, mu, weak, first = (float(x) for x in point)
        second = (1.0 - first) * 0.3
        return TwinSetting(p, mu, (STRONG, weak, 0.0), (first, second, 1.0 - first - second))

    def rate(points: Floats) -> Floats:
        found = []
        for point in points:
            setting = chosen(point)
            announced = sum(
                float(side) for side in meeting.clicks(setting.intensity, setting.intensity, np.zeros(()))
            )
            windows = block / (setting.key_basis**2 * announced * (1.0 - setting.compared))
            key = expected_key(station, transmission, setting, windows, security)
            found.append(float(key.signed_length) / windows)
        return np.array(found)

    low, high = [0.3, 1e-3, 0.02, 0.01], [0.98, 0.1, 0.5, 0.6]
    point, value = climb(rate, low, high, [[0.85, 0.018, 0.15, 0.1]], 1e-2)
    return chosen(point), max(value, 0.0)
