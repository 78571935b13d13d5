"""Failures as lines of the table: what is kept after any single one, and how long it takes until it is restored."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.control.failures import Tally, measure
from benchmarks.records import Goal, Row
from quantum_fabric.units import MS

if TYPE_CHECKING:
    from benchmarks.run import Run

KEPT_GOAL = 0.999
"""Share of the requests that had to survive a failure which touched them."""

NETWORKS = {True: 2, False: 20}
REPEATS = {True: 2, False: 12}
"""For ``--quick`` and without it."""


def rows(run: Run) -> list[Row]:
    """What is kept, and how soon it is restored."""
    tally = measure(range(NETWORKS[run.quick]), REPEATS[run.quick], run.progress)
    return [_kept(tally), *_times(tally)]


def _kept(tally: Tally) -> Row:
    kept = tally.counts["survivable: kept"]
    return Row(
        name="control/failures/kept",
        quantity="share of survivable requests kept",
        ours=kept / tally.touched if tally.touched else 1.0,
        goal=Goal(KEPT_GOAL, at_least=True),
        count=tally.leaked + tally.half_open,
        counted="leaked leases and half-open pairs",
        count_goal=Goal(0),
        details={
            "networks": tally.networks,
            "runs": tally.runs,
            "touched": tally.touched,
            "offers": tally.offers,
            "broken": tally.broken,
            **dict(sorted(tally.counts.items())),
        },
    )


def _times(tally: Tally) -> list[Row]:
    found = []
    for ready, name in ((True, "stood ready"), (False, "planned anew")):
        those = [each for each in tally.times if each[0] is ready]
        if not those:
            continue
        signalling = [each[2] / max(1, each[4]) for each in those]
        first = [each[3] / MS for each in those if each[3] is not None]
        found.append(
            Row(
                name=f"control/failures/restored/{name}",
                quantity="signalling in path round trips (median)",
                ours=median(signalling),
                goal=Goal(1.0) if ready else None,
                others={
                    "detection, ms": median(each[1] / MS for each in those),
                    "signalling, ms": median(each[2] / MS for each in those),
                    "first pair after the report, ms": median(first) if first else 0.0,
                    "path round trip, ms": median(each[4] / MS for each in those),
                },
                details={"restored": len(those), "worst": max(signalling)},
            )
        )
    return found
