"""Pairs that are promoted by what becomes of them: the run of all-exact states, with less work where that is enough."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantum_fabric import documents, ensemble
from quantum_fabric.errors import InputError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.model import HeraldOutcome
from quantum_fabric.messages import LinkRequest
from quantum_fabric.montecarlo import Results
from quantum_fabric.native import look
from quantum_fabric.twin.promoted import Promoted
from quantum_fabric.units import SECOND
from random_networks import ANY_STATE, PLAIN, Case, case

HORIZON = SECOND // 20


def run(drawn: Case, seed: int, states: str) -> Results:
    """One replica on the twin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        return ensemble.run(
            replace(drawn.inventory, states=states), drawn.requests, seed=seed, first=seed, workers=1, until=HORIZON,
            keep_pairs=True, engine="twin",
        )  # fmt: skip


def same(one: Results, two: Results) -> None:
    """Every draw meant the same, and states are equal to 1e-12."""
    for name in ("sessions", "deliveries", "latencies", "intervals"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    assert np.allclose(one.states, two.states, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("seed", range(3000, 3030))
def test_it_is_the_exact_run_whatever_links_and_memories_do(seed: int) -> None:
    """Links of every kind and plain ones side by side, relaxation, lopsided readout, purifications that fail."""
    for kinds, pauli in (((*ANY_STATE, *PLAIN), False), (PLAIN, True)):
        drawn = case(seed, kinds=kinds, pauli=pauli)
        same(run(drawn, seed, "exact"), run(drawn, seed, "auto"))


def test_pairs_are_promoted_where_they_must_be_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: Counter[bool] = Counter()
    weights = Promoted.weights

    def counted(self: Promoted, told: int) -> Any:
        kept[self.plain] += 1
        return weights(self, told)

    monkeypatch.setattr(Promoted, "weights", counted)
    for seed in range(3000, 3008):
        run(case(seed, kinds=PLAIN, pauli=True), seed, "auto")
    assert kept[True] > 20 > kept[False] == 0
    kept.clear()
    for seed in range(3000, 3008):
        run(case(seed, kinds=ANY_STATE), seed, "auto")
    assert kept[False] > 20


def test_a_herald_that_leaves_a_mixture_of_bell_states_is_kept_as_one() -> None:
    half = (0.5, 0, 0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0, 0, 0.5)
    assert isinstance(Promoted.prepare(HeraldOutcome(0, 1.0, (1.0, 0.0, 0.0, 0.0), half)), tuple)
    assert isinstance(
        Promoted.prepare(HeraldOutcome(0, 1.0, (1.0, 0.0, 0.0, 0.0), (1, *[0] * 15))), np.ndarray
    )


@pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")
def test_documents_take_it_and_a_live_run_says_where_it_runs() -> None:
    document = documents.load_network("lab").model_copy(update={"states": "auto"})
    assert type(document).model_validate(document.model_dump()).states == "auto"
    with pytest.raises(InputError, match="a run on the twin"):
        ensemble.LiveFabric(documents.inventory(document))
    fabric = Fabric(documents.inventory(document), seed=1)
    fabric.submit(LinkRequest("Alice", "Bob", 0.7))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    assert fabric.twin.links["Alice~Bob"].states is Promoted
