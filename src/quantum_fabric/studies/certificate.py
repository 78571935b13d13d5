"""The certificate of an optimum: asked again, moved a little, simulated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from quantum_fabric.studies.costs import Target, shortfall
from quantum_fabric.studies.engine import engine
from quantum_fabric.studies.question import Question
from quantum_fabric.studies.reduction import estimate
from quantum_fabric.studies.work import Order, Task, cut

FIDELITY_ERROR: Final = 0.005
RATE_ERROR: Final = 0.15
"""Stated errors of forecasts against the twin: `quantum_fabric.network.forecast`."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a certificate.

    Attributes:
        what: was checked.
        found: was seen.
        good: whether it holds.
    """

    what: str
    found: str
    good: bool


def certify(question: Question, shares: Sequence[float], back: float, simulate: int) -> Iterator[Check]:
    """The checks of an optimum.

    Args:
        question: that was answered.
        shares: the answer.
        back: share of its way by which each parameter is moved back.
        simulate: runs of the twin; 0 for none.
    """
    row = question.again(shares)
    lack = shortfall(row, question.targets, question.fidelity)
    told = ", ".join(
        f"{t.out.name} {t.out.text(row.get(t.out.name, math.nan)).strip()}" for t in question.targets
    )
    yield Check("the goal, asked again", told, lack <= 0.0)
    for number, knob in enumerate(question.knobs):
        share = shares[number]
        if knob.at(share) == knob.at(0.0):
            yield Check(f"less {knob.name}", "is as it was", True)
            continue
        moved = (*shares[:number], knob.back(share, back), *shares[number + 1 :])
        lack = question.lacks(moved)
        saved = question.cost(shares) - question.cost(moved)
        found = (
            f"{knob.at(moved[number])} misses the goal"
            if lack > 0.0
            else f"{knob.at(moved[number])} saves {saved:.4g} and meets it"
        )
        yield Check(f"a step less {knob.name}", found, lack > 0.0)
    if simulate:
        yield from _simulated(question, shares, simulate)


def _simulated(question: Question, shares: Sequence[float], runs: int) -> Iterator[Check]:
    """The twin at the optimum: what its interval says of each goal that it can see.

    A goal is contradicted where the whole interval misses it by more than the error that forecasts state for themselves.
    """
    settings = question.settings(shares)
    asked = max(
        [
            target.bound
            for target in question.targets
            if target.out.name == "finest_fidelity" and target.least
        ],
        default=None,
    )
    if asked is not None:
        settings = (*settings, ("request.fidelity", asked))
    twin = engine("twin")
    order = Order(question.study.base, twin.name, question.study.document.seed, frozenset(twin.outputs))
    rows = {}
    whole = [Task(0, settings, 0, runs)]
    for _, found in question.executor.run(order, cut(whole, max(1, runs // (2 * question.executor.workers)))):
        rows.update(found)
    listed = [rows[key] for key in sorted(rows)]
    for target in question.targets:
        seen = target
        if target.out.name in ("finest_fidelity", "fidelity_low"):
            from quantum_fabric.studies.outputs import OUTPUTS

            seen = Target(OUTPUTS["fidelity"], target.bound, target.least)
        if seen.out.name not in twin.outputs:
            continue
        found_ = estimate(listed, seen.out)
        edge = found_.high if target.least else found_.low
        error = FIDELITY_ERROR if seen.out.name == "fidelity" else RATE_ERROR * abs(seen.bound)
        good = math.isfinite(edge) and (
            edge >= seen.bound - error if seen.least else edge <= seen.bound + error
        )
        value, low, high = (seen.out.text(part).strip() for part in (found_.value, found_.low, found_.high))
        wanted = seen.text.removeprefix(seen.out.name).strip()
        text = f"{seen.out.name} {value} [{low}, {high}]"
        allowed = "0.005" if seen.out.name == "fidelity" else "15 %"
        yield Check(
            f"{runs} simulated runs", f"{text}, wanted {wanted} (forecasts may err by {allowed})", good
        )
