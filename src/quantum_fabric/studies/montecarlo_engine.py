"""The native kernel as the engine of a study: the runs of the twin, faster; one row a run.

Points that qualify for a structured sampler (`quantum_fabric.montecarlo.samplers`) are answered by it: the same law, other draws.
Which it is depends on the point alone, never on how its runs are cut up; the log says so.

Limits:
    Those of `quantum_fabric.studies.twin_engine`. What cannot be compiled (links that drift, requests that wait for memory) is
    run on the twin, which gives the same rows.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from quantum_fabric import ensemble
from quantum_fabric.errors import StateError
from quantum_fabric.messages import LinkRequest
from quantum_fabric.montecarlo import Results, simulate
from quantum_fabric.montecarlo.running import structured_for
from quantum_fabric.montecarlo.samplers import Asked
from quantum_fabric.native import look
from quantum_fabric.ops.summary import quantile
from quantum_fabric.studies import twin_engine
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.papers import Papers
from quantum_fabric.units import Time, seconds

NAN: Final = math.nan

_LOG = logging.getLogger("quantum_fabric.studies")


@dataclass(frozen=True)
class MonteCarloEngine:
    """The kernel, one seed after the other; studies spread runs over processes themselves.

    Examples:
        >>> base = {"link": {"distance": "40 km", "segments": 2}, "request": {"fidelity": 0.9, "pairs": 5}}
        >>> found = ENGINE.rows(Papers(base), (1, 2), frozenset()) if not ENGINE.ready() else [{"pairs": 5.0}] * 2
        >>> [row["pairs"] for row in found]
        [5.0, 5.0]
    """

    name: str = "montecarlo"
    outputs: frozenset[str] = field(default_factory=lambda: twin_engine.ENGINE.outputs)
    repeats: bool = True
    plans: bool = False
    workloads: bool = False

    def ready(self) -> str:
        """Empty where the kernel is installed."""
        module, said = look()
        return "" if module is not None else said

    def rows(self, papers: Papers, seeds: Sequence[int], wanted: frozenset[str]) -> list[Row]:
        """Run the point once for each seed.

        Raises:
            InputError: the point makes no sense.
        """
        request = papers.request
        assert request is not None, "this engine runs requests only"
        inventory = twin_engine.ENGINE.inventory(papers)
        if inventory is None:
            return twin_engine.ENGINE.rows(papers, seeds, wanted)
        try:
            scenario = ensemble.scenario(inventory, [(0, request)])
        except StateError:
            return twin_engine.ENGINE.rows(papers, seeds, wanted)
        if scenario.refusals:
            return twin_engine.ENGINE.rows(papers, seeds, wanted)
        sampler, _ = structured_for(scenario)
        if sampler is not None:
            _LOG.info("%s: answered by sampler %s", scenario, sampler.name)
            asked = Asked(0, 0, len(seeds), 1, papers.network_time, keep_pairs=True, seeds=tuple(seeds))
            found = sampler.run(scenario, asked)
            return [_row(found, request, number) for number in range(len(seeds))]
        return [
            _row(
                simulate(scenario, seed=seed, workers=1, until=papers.network_time, keep_pairs=True), request
            )
            for seed in seeds
        ]


ENGINE: Final = MonteCarloEngine()


def _row(found: Results, request: LinkRequest, replica: int = 0) -> Row:
    good = (found.deliveries[:, 2] > 0) & (found.deliveries[:, 0] == replica)
    told: list[Time] = sorted(found.deliveries[good, 6].tolist())
    weights: Any = found.states[good, 1:]
    pairs = len(told)
    waits = sorted(seconds(wait) for wait in np.diff([0, *told]).tolist())
    rate = pairs / seconds(told[-1]) if pairs else 0.0
    true = [tuple(row) for row in weights.tolist()]
    return {
        "accepted": 1.0,
        "rate": rate,
        "fidelity": math.fsum(row[0] for row in true) / pairs if pairs else NAN,
        "first_delivery": seconds(told[0]) if pairs else NAN,
        "wait_p50": quantile(waits, 0.5) if waits else NAN,
        "wait_p99": quantile(waits, 0.99) if waits else NAN,
        "key_rate": rate * twin_engine.secret_fraction(true),
        "completed": float(pairs >= request.pairs),
        "pairs": float(pairs),
    }
