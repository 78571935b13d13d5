"""The optional packages for codes and large Clifford networks, imported late: ``pip install quantum-fabric[codes]``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from quantum_fabric.errors import InputError, QuantityError

PACKAGES: Final[Mapping[str, str]] = {
    "stim": "samples Clifford circuits (Gidney, Quantum 5, 497 (2021))",
    "pymatching": "decodes by minimum-weight perfect matching (Higgott & Gidney, Quantum 9, 1600 (2025))",
}
"""Name of the module -> what it is for."""

SIGMAS: Final = 1.959963984540054
"""Of the intervals of sampled fractions: 95 % of a normal distribution lie within."""


def extra(name: str) -> Any:
    """Import an optional package, or say how to get it.

    Args:
        name: a key of `PACKAGES`.

    Raises:
        InputError: it is not installed; the message names the command that installs it.

    Examples:
        >>> extra("stim").Circuit("H 0").num_qubits
        1
    """
    try:
        return import_module(name)
    except ImportError:
        expected = f"it installed (pip install 'quantum-fabric[codes]'): it {PACKAGES[name]}"
        raise InputError(found=f"no package {name}", expected=expected, where="codes") from None


@dataclass(frozen=True, slots=True)
class Sampled:
    """A fraction that was sampled.

    Attributes:
        value: hits / shots.
        low, high: Wilson's interval of 95 %.
        shots: how many samples.
    """

    value: float
    low: float
    high: float
    shots: int


def sampled(hits: int, shots: int, sigmas: float = SIGMAS) -> Sampled:
    """A fraction with its interval.

    Equation: Wilson, J. Am. Stat. Assoc. 22, 209 (1927); it stays inside [0, 1] and is not empty at 0 or all hits.

    Args:
        hits: at most ``shots``.
        shots: at least 1.
        sigmas: half width in standard deviations.

    Raises:
        QuantityError: no shots, or more hits than shots.

    Examples:
        >>> one = sampled(1000, 1000)
        >>> one.value, round(one.low, 4), one.high
        (1.0, 0.9962, 1.0)
    """
    if shots < 1 or not 0 <= hits <= shots:
        raise QuantityError(f"{hits} of {shots}", "hits among at least 1 shot", "samples")
    p, z2 = hits / shots, sigmas * sigmas / shots
    middle = (p + z2 / 2.0) / (1.0 + z2)
    half = math.sqrt(z2 * (p * (1.0 - p) + z2 / 4.0)) / (1.0 + z2)
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    return Sampled(p, low, 1.0 if hits == shots else min(1.0, middle + half), shots)
