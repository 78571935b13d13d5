"""Honest fidelity around a sudden change: before it, while nobody can know, while tests say so, after the alarm."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import Row
from quantum_fabric.control.verification import Verification
from quantum_fabric.control.verification.estimator import Estimator
from quantum_fabric.control.verification.readout import Contrast
from quantum_fabric.units import SECOND

TOLERANCE = 0.05
POLICY = Verification()
CONTRAST = Contrast(0.96, 0.0, 0.01)
BEFORE, AFTER = 120, 200
"""Tests before the change and after it."""

LOOKS = (-1, 0, 5, 10, 20, 40, 80, 199)
"""Tests since the change after which one looks; -1: after the last one before it."""

SIZES = {"losses 2 times": log(2.0), "losses 4 times": log(4.0)}
PACE = 60 * SECOND
"""Between two tests: at 1.8 % that is a pair a second."""

Look = tuple[bool, float, float]
"""(whether the truth is inside, width, probability of a change)."""


def rows(sessions: int) -> list[Row]:
    """For each size of change, what the intervals do around it, and how long it takes to be told."""
    return [_row(name, size, sessions, seed) for seed, (name, size) in enumerate(SIZES.items())]


def _row(name: str, size: float, sessions: int, seed: int) -> Row:
    looks: dict[int, list[Look]] = {each: [] for each in LOOKS}
    at_alarm: list[Look] = []
    delays, false = [], 0
    for number in range(sessions):
        rng = np.random.default_rng([seed, number, 23])
        delay = _session(size, rng, looks, at_alarm)
        false += delay is not None and delay < 0
        if delay is None or delay >= 0:
            delays.append(AFTER + 1 if delay is None else delay)
    told: dict[str, Any] = {str(at): _summary(found) for at, found in looks.items()}
    return Row(
        name=f"control/fidelity/jump/{name}",
        quantity="tests until the alarm (median)",
        ours=float(np.median(delays)),
        goal=None,
        details={
            "jump": told,
            "alarm": _summary(at_alarm),
            "p90": float(np.quantile(delays, 0.9)),
            "missed": sum(each > AFTER for each in delays),
            "false": false,
            "sessions": sessions,
        },
    )


def _summary(found: Sequence[Look]) -> dict[str, float]:
    held, width, changed = (float(np.mean([each[n] for each in found])) if found else 0.0 for n in range(3))
    return {"coverage": 100.0 * held, "width": width, "changed": changed, "looks": len(found)}


def _session(
    size: float, rng: np.random.Generator, looks: dict[int, list[Look]], at_alarm: list[Look]
) -> int | None:
    """One session as calibrated, until its losses grow at once; how many tests later the alarm came (negative: before it)."""
    believed = np.exp(-rng.uniform(0.03, 0.2, 3))
    quality = (float(believed[0]), float(believed[1]), float(believed[2]))
    off = TOLERANCE / 2.0 * rng.standard_normal()
    estimator = Estimator(POLICY, TOLERANCE, 0, 0)
    delay = None
    for number in range(BEFORE + AFTER):
        since = number - BEFORE
        true: NDArray[np.float64] = believed ** exp(off + (size if since >= 0 else 0.0))
        if since == 0:  # the change has come, and no test since
            looks[0].append(_look(estimator, quality, true, number))
        basis = int(rng.integers(3))
        agree = bool(rng.random() < CONTRAST.agreement(float(true[basis])))
        found = estimator.observe(basis, agree, quality, CONTRAST, number * PACE)
        if delay is None and any(each.cause == "change" for each in found):
            delay = since + 1 if since >= 0 else -1
            if delay > 0:
                at_alarm.append(_look(estimator, quality, true, number))
        if since + 1 in looks and since + 1 != 0:
            looks[since + 1].append(_look(estimator, quality, true, number))
    return delay


def _look(
    estimator: Estimator, quality: tuple[float, float, float], true: NDArray[np.float64], number: int
) -> Look:
    outlook = estimator.outlook(quality, 0.0, number * PACE)
    return (
        outlook.low <= (1.0 + float(true.sum())) / 4.0 <= outlook.high,
        outlook.high - outlook.low,
        outlook.changed,
    )
