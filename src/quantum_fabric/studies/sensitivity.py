"""Which of the things that vary matter: Sobol indices with intervals.

Equation: with samples A and B and A with its column i from B, called AB_i (Saltelli et al., Comput. Phys. Commun. 181, 259 (2010)):

    first order  S_i  = mean( f(B) (f(AB_i) - f(A)) ) / V      (their table 2, b)
    total        ST_i = mean( (f(A) - f(AB_i))² ) / 2 V        (Jansen, Comput. Phys. Commun. 117, 35 (1999))

where V is the variance over A and B together. S_i is the share of the variance that goes away on average when i is known; ST_i
is the share that is left when everything but i is known. S_i < ST_i says that i acts together with others.

Limits:
    The things that vary are independent and evenly spread over their ranges (over their logarithms where the scale is one).
    Points without a value (a refused request has no fidelity) would bias every index, so an output with any is left out. The intervals
    are of a bootstrap over base samples (Archer, Saltelli, Sobol, J. Stat. Comput. Simul. 58, 99 (1997)), which takes them as
    independent; those of a Sobol sequence are more even, so the intervals are on the safe side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantum_fabric.errors import InputError
from quantum_fabric.kernel import Streams
from quantum_fabric.studies.design import blocks
from quantum_fabric.studies.loading import Study
from quantum_fabric.studies.sequences import sample
from quantum_fabric.studies.statistics import NAN, Estimate
from quantum_fabric.studies.tables import Line
from quantum_fabric.units import parse


@dataclass(frozen=True, slots=True)
class Index:
    """How much one thing matters for one output.

    Attributes:
        output, path: which, for which.
        first, total: the indices.
    """

    output: str
    path: str
    first: Estimate
    total: Estimate


def indices(study: Study, table: Sequence[Line]) -> tuple[list[Index], list[str]]:
    """Sobol indices of a study with a section ``sensitivity``.

    Args:
        study: which.
        table: its finished points.

    Returns:
        The indices, and what has to be said of outputs that have none.

    Raises:
        InputError: the study has no such section.

    Examples:
        >>> from quantum_fabric.studies.loading import load_study
        >>> indices(load_study("distance"), [])
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: found a study without sensitivity, expected sensitivity: {base: 64}
    """
    asked = study.document.sensitivity
    if asked is None:
        raise InputError("a study without sensitivity", "sensitivity: {base: 64}")
    axes = study.design.axes
    found: list[Index] = []
    remarks: list[str] = []
    level = parse(asked.level, "fraction")
    for out in study.outputs:
        if asked.outputs and out.name not in asked.outputs:
            continue
        values = np.array([line.estimates[out.name].value for line in table])
        holes = int(np.count_nonzero(~np.isfinite(values)))
        if holes:
            remarks.append(
                f"{out.name} has no value at {holes} of {len(values)} points, so it has no indices"
            )
            continue
        parts = values.reshape(len(axes) + 2, asked.base)
        if float(np.var(parts[:2])) <= 1e-24 * float(np.mean(parts[:2])) ** 2:
            remarks.append(f"{out.name} does not vary")
            continue
        made = estimated(parts[0], parts[1], parts[2:], Streams(study.document.seed), asked.bootstrap, level)
        found += [Index(out.name, axis.path, *pair) for axis, pair in zip(axes, made)]
    return found, remarks


def estimated(
    a: Any, b: Any, mixed: Any, streams: Streams, bootstrap: int = 500, level: float = 0.95
) -> list[tuple[Estimate, Estimate]]:
    """Indices from the values at A, B and the AB_i.

    Args:
        a: values at A, shape (n,).
        b: values at B.
        mixed: shape (d, n).
        streams: for the bootstrap.
        bootstrap: resamples.
        level: of the intervals, which reach from one quantile of the resamples to the other.

    Returns:
        First order and total, for each of the d things.

    Examples:
        >>> x = np.linspace(0.0, 1.0, 64)
        >>> first, total = estimated(x, x[::-1], np.array([x[::-1]]), Streams(1), 50)[0]
        >>> round(total.value, 1)  # everything depends on the one thing that varies
        2.0
    """
    n = len(a)
    centre = (math.fsum(a) + math.fsum(b)) / (2 * n)  # indices do not depend on it, rounding does
    a, b, mixed = a - centre, b - centre, mixed - centre
    first, total = _both(a, b, mixed)
    stream = streams.stream("sensitivity/bootstrap")
    draws = []
    for _ in range(bootstrap):
        rows = np.array([int(stream.uniform() * n) for _ in range(n)])
        draws.append(_both(a[rows], b[rows], mixed[:, rows]))
    spread = np.array(draws)  # (bootstrap, 2, d)
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    with np.errstate(invalid="ignore"):
        low, high = (np.nanquantile(spread, tail, axis=0) for tail in tails)
    return [
        (
            Estimate(float(first[i]), float(low[0, i]), float(high[0, i])),
            Estimate(float(total[i]), float(low[1, i]), float(high[1, i])),
        )
        for i in range(len(mixed))
    ]


def _both(a: Any, b: Any, mixed: Any) -> tuple[Any, Any]:
    variance = float(np.var(np.concatenate([a, b])))
    if variance <= 0.0:
        return np.full(len(mixed), NAN), np.full(len(mixed), NAN)
    first = np.mean(b * (mixed - a), axis=1) / variance
    total = np.mean((a - mixed) ** 2, axis=1) / (2.0 * variance)
    return first, total


def of_function(
    function: Callable[[Any], Any], dimensions: int, base: int, seed: int = 1, bootstrap: int = 200
) -> list[tuple[Estimate, Estimate]]:
    """Indices of a function on the unit cube, by the same sample and estimators as a study's.

    Args:
        function: takes points, shape (m, d), gives m values.
        dimensions: d.
        base: N; the function sees N (d + 2) points.
        seed: of the sample.
        bootstrap: resamples for the intervals.

    Examples:
        >>> pairs = of_function(lambda x: x[:, 0] + 2 * x[:, 1], 2, 256)
        >>> [round(first.value, 2) for first, _ in pairs]
        [0.2, 0.8]
    """
    streams = Streams(seed)
    both = sample("sobol", base, 2 * dimensions, streams)
    values = np.asarray(function(blocks(both[:, :dimensions], both[:, dimensions:])), dtype=float)
    parts = values.reshape(dimensions + 2, base)
    return estimated(parts[0], parts[1], parts[2:], streams, bootstrap)
