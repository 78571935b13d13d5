"""What a search keeps in its queue and what it brings home."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from quantum_fabric.messages import Forecast
from quantum_fabric.network.candidates import Group
from quantum_fabric.network.scheme import Scheme

RETRIES = 3
"""Further steps of the knobs that are sampled in full where the quick sample had promised too much."""

Place: TypeAlias = tuple[int, int, int, int]
"""Who goes first among equals."""

Serves: TypeAlias = Callable[[Forecast], bool]
"""Whether a forecast satisfies what a request asks besides fidelity."""


@dataclass(frozen=True, slots=True)
class Found:
    """A scheme that was sampled."""

    scheme: Scheme
    forecast: Forecast
    label: str


def sure_rate(forecast: Forecast) -> float:
    """Rate less one standard error: what schemes are compared by, lest the luckiest sample wins.

    Examples:
        >>> sure_rate(Forecast(4.0, 0.5, 0.95, 0.95, 0))
        3.5
    """
    return forecast.rate - forecast.rate_error


@dataclass(frozen=True, slots=True)
class Trial:
    """A group in the queue: looked at so far by estimate, or by a quick sample.

    Attributes:
        group: with everything but the step.
        step: to look at next; once sampled, the fastest step known that may reach the target.
        rate: that can be hoped of it.
        missed: greatest step below that is known to miss the target, -1 for none.
        sampled: it was.
        retries: full samples that it may still have after the first.
    """

    group: Group
    step: int
    rate: float
    missed: int = -1
    sampled: bool = False
    retries: int = RETRIES
