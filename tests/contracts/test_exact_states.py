"""Exact states against Bell-diagonal ones: the same run where the noise is Pauli noise, and the size of the difference where not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.contracts.test_frames_and_belief import random_chain
from tests.contracts.test_link_catalogue import EVERY, points

from builders import Tape, chain, link, names, node, plan, request
from quantum_fabric import documents
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.errors import DocumentError, UnknownNameError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links import Architecture
from quantum_fabric.messages import Truth
from quantum_fabric.physics.instruments import from_entries, weights_of
from quantum_fabric.units import MS, SECOND, US


def served(
    network: Inventory, seed: int, states: str, pairs: int = 8, hold: bool = False
) -> tuple[Fabric, Tape]:
    fabric = Fabric(network, seed=seed, states=states)
    tape = Tape(fabric)
    fabric.submit(request(min(network.nodes), max(network.nodes), pairs, hold=hold, fidelity=0.5000001))
    fabric.run(200 * SECOND, stop=lambda: not fabric.open_requests)
    return fabric, tape


def pauli_only(network: Inventory, lopsided: bool) -> Inventory:
    """The same network without relaxation; readout alike for both states where it is not to be lopsided."""

    def turned(each: Any) -> Any:
        gates = each.gates if lopsided else replace(each.gates, readout_error_1=each.gates.readout_error_0)
        return replace(each, memory=replace(each.memory, t1=math.inf), gates=gates)

    return replace(network, nodes={name: turned(each) for name, each in network.nodes.items()})


@pytest.mark.parametrize("seed", range(60))
def test_the_same_run_where_noise_is_pauli_noise(seed: int, planned: Callable[[Any], None]) -> None:
    network, chosen = random_chain(seed)
    purifies = any(each.rounds for each in (*chosen.links, *chosen.joins)) or chosen.end_rounds > 0
    network = pauli_only(network, lopsided=not purifies)
    planned(chosen)
    (_, fast), (_, exact) = (served(network, seed, states) for states in ("bell-diagonal", "exact"))
    assert len(fast.entries) == len(exact.entries) > 0
    for (time, place, said), (other_time, other_place, other) in zip(
        fast.entries, exact.entries, strict=True
    ):
        assert (time, place, type(said)) == (other_time, other_place, type(other))
        if isinstance(said, Truth):
            assert isinstance(other, Truth)
            assert (said.ends, said.bell) == (other.ends, other.bell)
            assert other.weights == pytest.approx(said.weights, abs=1e-10)
        else:
            assert said == other
    assert fast.of(Truth)


def relaxing(t1: float) -> Inventory:
    """A repeater chain whose memories wait long beside T1."""
    slow = link(0.02, MS, 1.0)
    return chain(4, slow, node(2, t1=t1, t2=t1), hop_delay=50 * US)


def test_a_run_where_the_twirl_is_wrong(planned: Callable[[Any], None]) -> None:
    """The same request with the same seed: fidelities differ by more than a control plane could overlook, and it is said."""
    network = relaxing(0.2)
    planned(plan(network, names(4)))
    fidelities = {}
    for states in ("bell-diagonal", "exact"):
        fabric, tape = served(network, 3, states, pairs=40)
        fidelities[states] = [truth.weights[0] for _, _, truth in tape.of(Truth)]
        cautions = [str(caution) for caution in fabric.cautions]
        assert len(cautions) == (states == "bell-diagonal"), cautions
        assert all("T1" in caution and "exact" in caution for caution in cautions)
    fast, exact = fidelities["bell-diagonal"], fidelities["exact"]
    assert len(exact) >= 40
    differences = [a - b for a, b in zip(sorted(exact), sorted(fast), strict=False)]
    assert max(map(abs, differences)) > 5e-3


def test_no_caution_where_memories_hardly_relax(planned: Callable[[Any], None]) -> None:
    network = relaxing(500.0)
    planned(plan(network, names(4)))
    fabric, _ = served(network, 3, "bell-diagonal", pairs=10)
    assert fabric.cautions == ()


def test_the_announced_error_covers_the_true_one(planned: Callable[[Any], None]) -> None:
    """Chains of the same labels drawn: the difference to exact states stays below what the Bell-diagonal run says of itself."""
    for t1 in (0.5, 2.0, 8.0):
        network = relaxing(t1)
        planned(plan(network, names(4)))
        runs = {states: served(network, 5, states, pairs=15) for states in ("bell-diagonal", "exact")}
        fast, exact = (
            {truth.ends: (truth.bell, truth.weights[0]) for _, _, truth in tape.of(Truth)}
            for _, tape in runs.values()
        )
        told = runs["bell-diagonal"][0].twin._applications.twirl_error
        same = [
            abs(fast[ends][1] - exact[ends][1])
            for ends in fast
            if ends in exact and fast[ends][0] == exact[ends][0]
        ]
        assert len(same) >= 5
        assert max(same) <= told


def test_states_are_chosen_by_the_document_or_the_caller() -> None:
    paper = {
        "kind": "network", "version": 1, "states": "exact",
        "nodes": [{"name": "A"}, {"name": "B"}], "links": [{"between": ["A", "B"], "length": "1 km"}],
    }  # fmt: skip
    plant = documents.inventory(documents.network_from(paper))
    assert Fabric(plant).states == "exact"
    assert Fabric(plant, states="bell-diagonal").states == "bell-diagonal"
    with pytest.raises(UnknownNameError, match="bell-diagonal, exact"):
        Fabric(plant, states="tensor-network")
    with pytest.raises(DocumentError, match="states: found 'fuzzy'"):
        documents.network_from({**paper, "states": "fuzzy"})


@EVERY
def test_the_whole_state_of_a_herald_agrees_with_its_weights(architecture: Architecture) -> None:
    """What the exact twin takes is a state, and its Bell-diagonal part is what the fast twin takes."""
    for _, _, heralding in points(architecture):
        for outcome in heralding.outcomes:
            if outcome.state is None:
                continue
            rho = np.array(outcome.state).reshape(4, 4)
            assert rho == pytest.approx(rho.conj().T, abs=1e-12)
            assert np.trace(rho).real == pytest.approx(1.0, abs=1e-12)
            assert np.linalg.eigvalsh(rho).min() > -1e-12
            found = weights_of(from_entries(outcome.state), outcome.bell)
            assert tuple(found) == pytest.approx(outcome.weights, abs=1e-9)
