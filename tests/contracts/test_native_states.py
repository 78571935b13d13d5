"""Whatever the representation of states: the native engine is the twin, and representations agree where all of them are exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantum_fabric import ensemble
from quantum_fabric.errors import InputError
from quantum_fabric.montecarlo import Results, Scenario
from quantum_fabric.montecarlo.representations import x_states_suffice
from quantum_fabric.native import look
from quantum_fabric.units import SECOND
from random_networks import ANY_STATE, PLAIN, X_SHAPED, Case, case

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

HORIZON = SECOND // 20
EXACT = range(1000, 1070)
SEEDS = range(2000, 2060)


def run(drawn: Case, seed: int, states: str, engine: str = "native") -> Results:
    """One replica of a network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        return ensemble.run(
            replace(drawn.inventory, states=states), drawn.requests, seed=seed, first=seed, workers=1, until=HORIZON,
            keep_pairs=True, engine=engine,
        )  # fmt: skip


def scenario_of(drawn: Case, states: str) -> Scenario:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        return ensemble.scenario(replace(drawn.inventory, states=states), drawn.requests)


def x_run(drawn: Case, seed: int) -> Results | None:
    """The same with X-states; None where they cannot hold what comes up."""
    rules = scenario_of(drawn, "exact").installations
    if x_states_suffice(rules, []):
        return run(drawn, seed, "x")
    with pytest.raises(InputError, match="before they are purified"):
        run(drawn, seed, "x")
    return None


def same(one: Results, two: Results) -> None:
    """Everything that is counted or timed is equal, and states are equal but for rounding."""
    for name in ("sessions", "deliveries", "latencies", "intervals"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    for name in ("sums", "states"):
        assert np.allclose(getattr(one, name), getattr(two, name), rtol=1e-10, atol=1e-10), name


@pytest.mark.parametrize("seed", EXACT)
def test_exact_states_are_the_twins(seed: int) -> None:
    """Heralds of any state, relaxation, lopsided readout, turned purifications."""
    drawn = case(seed, kinds=ANY_STATE)
    same(run(drawn, seed, "exact", "twin"), run(drawn, seed, "exact"))


def test_the_networks_exercise_everything() -> None:
    total: dict[str, int] = {}
    off = 0.0
    for seed in EXACT:
        drawn = case(seed, kinds=ANY_STATE)
        found = run(drawn, seed, "exact")
        for name, count in found.counts.items():
            total[name] = total.get(name, 0) + count
        rough = run(drawn, seed, "bell-diagonal")
        if len(found.states) == len(rough.states) > 0:
            off = max(off, float(np.abs(found.states - rough.states).max()))
    for name in ("deliveries", "withheld", "cutoffs", "purifications", "failed_swaps", "stale"):
        assert total[name] > 20, (name, total)
    assert off > 1e-3  # what is compared is not Bell-diagonal


def test_x_states_are_exact_where_they_are_said_to_suffice() -> None:
    """Relaxation, heralds with |11> and |00>, phases, lopsided readout."""
    done = purified = 0
    for seed in SEEDS:
        drawn = case(seed, kinds=X_SHAPED)
        found = x_run(drawn, seed)
        if found is None:
            continue
        same(run(drawn, seed, "exact"), found)
        done += 1
        purified += found.counts["purifications"]
    assert done > 30
    assert purified > 20


def test_three_representations_agree_under_pauli_noise() -> None:
    done = pairs = purified = 0
    for seed in SEEDS:
        drawn = case(seed, kinds=PLAIN, pauli=True)
        plain, exact, narrow = (
            run(drawn, seed, "bell-diagonal"),
            run(drawn, seed, "exact"),
            x_run(drawn, seed),
        )
        same(plain, exact)
        pairs += plain.pairs
        purified += plain.counts["purifications"]
        if narrow is not None:
            same(plain, narrow)
            done += 1
    assert done > 30
    assert pairs > 100
    assert purified > 20


def test_perfect_pairs_draw_the_same_whatever_rounds() -> None:
    """What is certain draws nothing, in any representation."""
    for seed in range(3000, 3020):
        drawn = case(seed, perfect=True)
        one = run(drawn, seed, "exact", "twin")
        same(one, run(drawn, seed, "exact"))
        same(one, run(drawn, seed, "bell-diagonal"))


def test_auto_takes_what_is_exact() -> None:
    """Whatever is chosen gives the numbers of exact states, and all three are chosen for some networks."""
    chosen = []
    for seed in SEEDS:
        for kinds, pauli in ((PLAIN, True), (X_SHAPED, False), (ANY_STATE, True)):
            drawn = case(seed, kinds=kinds, pauli=pauli)
            states = scenario_of(drawn, "auto").states
            chosen.append(states)
            if states == "bell-diagonal" and seed % 4 == 0:
                same(run(drawn, seed, "auto"), run(drawn, seed, "exact"))
    assert {chosen.count(name) > 20 for name in ("bell-diagonal", "x", "exact")} == {True}


def test_a_run_of_x_states_refuses_rules_that_would_leave_them() -> None:
    """The kernel looks for itself, whoever has compiled the scenario."""
    seed = next(
        seed for seed in SEEDS
        if not x_states_suffice(scenario_of(case(seed), "exact").installations, [])
    )  # fmt: skip
    drawn = case(seed)
    scenario = scenario_of(drawn, "exact")
    module, _ = look()
    assert module is not None
    plant = {
        name: list(table) if isinstance(table, tuple) else table for name, table in scenario.plant.items()
    }
    outcomes = np.ascontiguousarray(scenario.plant["outcomes"][:, :8])
    opened = module.XRun({**plant, "outcomes": outcomes})
    with pytest.raises(ValueError, match="cannot hold"):
        any(opened.install(dict(tables)) for tables in scenario.installations)
