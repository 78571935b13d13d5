"""Finding the useful range of a knob."""

from __future__ import annotations

import math
from collections.abc import Callable


def best_setting(fidelity: Callable[[float], float], lowest: float, highest: float) -> float:
    """Setting with the best fidelity, by golden-section search on its logarithm.

    Args:
        fidelity: function of the setting with one maximum (dark counts win below it, several photons above it).
        lowest: smallest setting to look at, above 0.
        highest: largest setting to look at.

    Returns:
        The setting, good to a part in 10^7 of the range's logarithm.

    Examples:
        >>> round(best_setting(lambda setting: -abs(setting - 0.01), 1e-6, 1.0), 6)
        0.01
    """
    low, high = math.log(lowest), math.log(highest)
    ratio = 0.5 * (math.sqrt(5.0) - 1.0)
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if fidelity(math.exp(left)) >= fidelity(math.exp(right)):
            high = right
        else:
            low = left
    return min(math.exp(0.5 * (low + high)), highest)
