"""The twin as the engine of a study: the whole fabric, message by message, in virtual time; one row a run.

Limits:
    A run of one request ends with its outcome, or after ``limits.network_time``. Its rate is the number of pairs over the time from
    the request to the last pair; that of a workload is all pairs over its duration. Fidelities and the key rate are of the true
    states of pairs that were consumed, which only a simulation knows. Each run plans its requests anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from quantum_fabric import documents
from quantum_fabric.documents import Fault, FaultKind, Inventory, Workload
from quantum_fabric.documents.policy import PolicySpec
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Calibrate,
    Event,
    LinkChanged,
    LinkRequest,
    NodeFailed,
    NodeRecovered,
    Refused,
    SlotsBroken,
    Status,
)
from quantum_fabric.ops.requests import Histories, History
from quantum_fabric.ops.summary import quantile
from quantum_fabric.physics.merit import bb84_fraction, qber
from quantum_fabric.policies import scheduling_of
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.papers import Papers
from quantum_fabric.units import Time, seconds

NAN: Final = math.nan

FAULTS: Final[dict[FaultKind, Callable[[Fault], Event | Calibrate]]] = {
    FaultKind.CUT: lambda fault: LinkChanged("", fault.target, up=False),
    FaultKind.RESTORE: lambda fault: LinkChanged("", fault.target, up=True),
    FaultKind.FAIL: lambda fault: NodeFailed(fault.target),
    FaultKind.RECOVER: lambda fault: NodeRecovered(fault.target),
    FaultKind.CALIBRATE: lambda fault: Calibrate("", fault.target),
    FaultKind.BREAK: lambda fault: SlotsBroken(fault.target, fault.slots),
}


@dataclass(frozen=True)
class TwinEngine:
    """The fabric in virtual time.

    Examples:
        >>> base = {"link": {"distance": "40 km", "segments": 2}, "request": {"fidelity": 0.9, "pairs": 5}}
        >>> rows = ENGINE.rows(Papers(base), (1, 2), frozenset())
        >>> [row["pairs"] for row in rows], rows[0]["rate"] != rows[1]["rate"]
        ([5.0, 5.0], True)
    """

    name: str = "twin"
    outputs: frozenset[str] = frozenset(
        {
            "accepted",
            "rate",
            "fidelity",
            "first_delivery",
            "wait_p50",
            "wait_p99",
            "key_rate",
            "completed",
            "pairs",
        }
    )
    repeats: bool = True
    plans: bool = False
    workloads: bool = True

    def ready(self) -> str:
        """It runs everywhere."""
        return ""

    def rows(self, papers: Papers, seeds: Sequence[int], wanted: frozenset[str]) -> list[Row]:  # noqa: ARG002
        """Run the point once for each seed.

        Raises:
            InputError: the point makes no sense.
        """
        inventory = self.inventory(papers)
        if inventory is None:
            assert papers.request is not None, "a line has a request"
            return [_row([_refused(papers.request)], None) for _ in seeds]
        return [_run(inventory, papers, seed) for seed in seeds]

    def inventory(self, papers: Papers) -> Inventory | None:
        """The plant; None where no number of segments serves the request."""
        if papers.line is None or papers.segments is not None:
            return papers.inventory()
        count = _segments(_Key(papers))
        return papers.inventory(count) if count else None


ENGINE: Final = TwinEngine()


class _Key:
    """Papers as a key: the base is a mapping, which has no hash."""

    def __init__(self, papers: Papers) -> None:
        self.papers = papers
        self._text = repr((papers.base, papers.settings))

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other._text == self._text


@lru_cache(maxsize=64)
def _segments(key: _Key) -> int:
    from quantum_fabric.studies.forecast_engine import planned

    request = key.papers.request
    assert request is not None, "a line has a request"
    found, _ = planned(key.papers, request)
    return 0 if isinstance(found, Refused) else len(found.links)


def _run(inventory: Inventory, papers: Papers, seed: int) -> Row:
    policy = PolicySpec() if papers.workload is None else papers.workload.policy
    fabric = Fabric(inventory, seed=seed, scheduling=scheduling_of(policy))
    histories = Histories()
    fabric.watch(histories, *histories.SEES)
    workload, request = papers.workload, papers.request
    if workload is not None:
        until = _schedule(fabric, workload, inventory)
        fabric.run(until)
    else:
        assert request is not None, "there is a request or a workload"
        fabric.submit(request)
        fabric.run(papers.network_time, stop=lambda: not fabric.open_requests)
        until = None
    for name in fabric.open_requests:
        if name in histories:
            histories[name].unfinished = True
    fabric.finish()
    return _row(list(histories), until)


def _schedule(fabric: Fabric, workload: Workload, inventory: Inventory) -> Time:
    documents.check_workload(workload, inventory)
    streams = fabric.streams
    for arrival in workload.arrivals(lambda name: streams.stream(f"workload/{name}").uniform):
        if arrival.at < workload.duration:
            fabric.submit(arrival.request, arrival.at)
    for fault in workload.faults:
        fabric.inject(FAULTS[fault.kind](fault), fault.at)
    return workload.duration


def _refused(request: LinkRequest) -> History:
    from quantum_fabric.messages import Code

    return History(request, 0, refused=Refused(request.name, Code.UNSUPP, "", "", None))


def _row(histories: list[History], duration: Time | None) -> Row:
    asked = len(histories)
    pairs = sum(len(one.pairs) for one in histories)
    truths = [truth for one in histories for truth in one.truths if truth is not None]
    waits = sorted(seconds(wait) for one in histories for wait in one.waits)
    firsts = [
        seconds(min(pair.delivered_at for pair in one.pairs) - one.submitted)
        for one in histories
        if one.pairs
    ]
    refused = sum(one.refused is not None and one.plan is None for one in histories)
    done = sum(one.outcome is not None and one.outcome.status is Status.COMPLETED for one in histories)
    rate = _rate(histories, pairs, duration)
    return {
        "accepted": 1.0 - refused / asked if asked else NAN,
        "rate": rate,
        "fidelity": _mean([truth.weights[0] for truth in truths]),
        "first_delivery": _mean(firsts),
        "wait_p50": quantile(waits, 0.5) if waits else NAN,
        "wait_p99": quantile(waits, 0.99) if waits else NAN,
        "key_rate": rate * secret_fraction([truth.weights for truth in truths]),
        "completed": done / asked if asked else NAN,
        "pairs": float(pairs),
    }


def _rate(histories: list[History], pairs: int, duration: Time | None) -> float:
    if duration is not None:
        return pairs / seconds(duration)
    if not pairs:
        return 0.0
    last = max(pair.delivered_at for one in histories for pair in one.pairs)
    return pairs / seconds(last - histories[0].submitted)


def secret_fraction(weights: list[tuple[float, float, float, float]]) -> float:
    """Secret bits of a pair, from the mean state of those that were delivered."""
    if not weights:
        return 0.0
    mean = [math.fsum(row[index] for row in weights) for index in range(4)]
    total = math.fsum(mean)
    error_x, _, error_z = qber([value / total for value in mean])
    return float(bb84_fraction(error_z, error_x))


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else NAN
