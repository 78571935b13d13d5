"""Every single failure on random networks: what had to survive it keeps its promise, the rest ends with a reason, nothing is left.

The auditor checks every message on the way. It runs what the evidence runs on many networks, `benchmarks/control/failures.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.control.failures import measure

from audit import Auditor
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import LinkRequest


def audited(fabric: Fabric, asked: dict[str, LinkRequest]) -> Any:
    auditor = Auditor(fabric)
    auditor.requests.update(asked)
    return auditor


@pytest.mark.parametrize(
    "seeds", [(0,), pytest.param(tuple(range(3, 20)), marks=pytest.mark.soak)], ids=["few", "many"]
)
def test_what_must_survive_a_failure_keeps_its_promise(seeds: tuple[int, ...]) -> None:
    tally = measure(seeds, repeats=2, watch=audited)
    assert tally.broken == []
    assert tally.touched >= 2 * len(seeds)
    assert tally.counts["survivable: kept"] == tally.touched
    assert (tally.leaked, tally.half_open) == (0, 0)
    assert tally.offers[0] == tally.offers[1] > 0
