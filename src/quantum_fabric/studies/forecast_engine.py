"""The forecast as the engine of a study: planning and its forecast, one row a point.

Limits:
    Numbers are those of `quantum_fabric.network.forecast`, with its errors; `rate~error` has the one that it knows. The key rate
    takes delivered pairs as Werner states of the forecast fidelity. Quantiles of the first delivery are read off the law that the
    forecast has of it: the first of its points at which the share is reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from quantum_fabric.errors import InputError
from quantum_fabric.messages import Code, Forecast, LinkRequest, Plan, Refused
from quantum_fabric.network.candidates import Candidates
from quantum_fabric.network.forecast import forecast
from quantum_fabric.network.planning import plan
from quantum_fabric.network.scheme import Scheme, from_plan
from quantum_fabric.network.search import Search
from quantum_fabric.network.segmentation import segment
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics.merit import bb84_fraction
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.outputs import OUTPUTS
from quantum_fabric.studies.papers import Papers
from quantum_fabric.units import seconds

NAN: Final = math.nan
QUANTILES: Final = {name: out.quantile for name, out in OUTPUTS.items() if out.quantile is not None}
OFFERED: Final = "offered_fidelity"
"""Of a refused request: the fidelity that it would be given; the one that is asked for where that is not what binds."""

LADDER: Final = (1, 2, 4, 8, 16, 32, 64)
"""Counts of segments among which the finest plan is looked for where a line leaves them open."""


@dataclass(frozen=True)
class ForecastEngine:
    """Planning and its forecast.

    Examples:
        >>> base = {"link": {"distance": "40 km", "segments": 2}, "request": {"fidelity": 0.9}}
        >>> row = ENGINE.rows(Papers(base), (0,), frozenset({"rate", "fidelity"}))[0]
        >>> row["accepted"], row["fidelity"] > 0.9, row["segments"]
        (1.0, True, 2.0)
    """

    name: str = "forecast"
    outputs: frozenset[str] = frozenset(
        {
            "accepted",
            "rate",
            "fidelity",
            "fidelity_low",
            "finest_fidelity",
            "first_delivery",
            "key_rate",
            "segments",
        }
        | QUANTILES.keys()
    )
    repeats: bool = False
    plans: bool = True
    workloads: bool = False

    def ready(self) -> str:
        """It runs everywhere."""
        return ""

    def rows(self, papers: Papers, seeds: Sequence[int], wanted: frozenset[str]) -> list[Row]:
        """The row of a point, as often as it is asked for: nothing in it is drawn.

        Raises:
            InputError: the point makes no sense.
        """
        if papers.request is None:
            raise InputError("a workload", "a request", "engine forecast")
        row = self._row(papers, papers.request, wanted)
        return [row for _ in seeds]

    def _row(self, papers: Papers, request: LinkRequest, wanted: frozenset[str]) -> Row:
        found, topology = planned(papers, request)
        row = dict.fromkeys(self.outputs, NAN)
        if isinstance(found, Refused):
            row |= {"accepted": 0.0, "rate": 0.0, "key_rate": 0.0, OFFERED: _offered(found, request)}
        else:
            scheme = _changed(found, papers)
            known = forecast(topology, scheme) if papers.plan else found.forecast
            row |= _numbers(known, len(scheme.links))
            row |= _quantiles(known)
        if "finest_fidelity" in wanted:
            row["finest_fidelity"] = _finest(papers, request)
        return row


ENGINE: Final = ForecastEngine()


def planned(papers: Papers, request: LinkRequest) -> tuple[Plan | Refused, Topology]:
    """The planner's answer to the question of a point, and the topology that it is about.

    Examples:
        >>> papers = Papers({"link": {"distance": "40 km"}, "request": {"fidelity": 0.9}})
        >>> found, topology = planned(papers, papers.request)
        >>> len(found.links) == len(topology.links)
        True
    """
    if papers.line is None or papers.segments is not None:
        topology = papers.topology()
        return plan(topology, request), topology
    ends = (request.source, request.destination)
    answer = segment(papers.metres, request.fidelity, papers.topology, *ends, request)
    if isinstance(answer, Refused):
        return answer, papers.topology(1)
    return answer[1], papers.topology(answer[0])


def _changed(found: Plan, papers: Papers) -> Scheme:
    """The scheme of a plan with the decisions that the point makes instead."""
    scheme = from_plan(found)
    changes = dict(papers.plan)
    if "rounds" in changes:
        changes["rounds"] = (changes["rounds"],) * len(scheme.links)
        changes["turnings"] = ()
    if "order" in changes and changes["order"] is not scheme.order:
        from quantum_fabric.messages import Order
        from quantum_fabric.network.order import asap, nested

        make = nested if changes["order"] is Order.NESTED else asap
        changes["joins"] = make(scheme.path)
    return replace(scheme, **changes)


def _numbers(known: Forecast, links: int) -> dict[str, float]:
    error = 2.0 / 3.0 * (1.0 - known.fidelity)  # of a Werner state, in every basis
    return {
        "accepted": 1.0,
        "rate": known.rate,
        "rate~error": known.rate_error,
        "fidelity": known.fidelity,
        "fidelity_low": known.fidelity_low,
        "first_delivery": seconds(known.latency),
        "key_rate": known.rate * float(bb84_fraction(error, error)),
        "segments": float(links),
    }


def _quantiles(known: Forecast) -> dict[str, float]:
    """Times of the law of the first delivery by which so many have their pair."""
    law = known.law
    if law is None:
        return {}
    return {
        name: next((seconds(time) for time, reached in zip(law.times, law.shares) if reached >= share), NAN)
        for name, share in QUANTILES.items()
    }


def _offered(refused: Refused, request: LinkRequest) -> float:
    if refused.code is not Code.UNSUPP:
        return request.fidelity
    return refused.offer.fidelity if refused.offer is not None else 0.5


def _finest(papers: Papers, request: LinkRequest) -> float:
    counts = (papers.segments,) if papers.line is None or papers.segments is not None else LADDER
    best = NAN
    for count in counts:
        search = Search(Candidates(papers.topology(count), request.source, request.destination))
        found = search.finest() if search.candidates.groups else None
        if found is not None and not best >= found.forecast.fidelity_low:
            best = found.forecast.fidelity_low
    return best
