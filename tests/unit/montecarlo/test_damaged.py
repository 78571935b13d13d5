"""Scenarios that somebody has damaged are refused before they run, and callbacks that fail leave a run usable or clearly dead."""

from __future__ import annotations

import gc
import random
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantum_fabric import ensemble
from quantum_fabric.montecarlo import Scenario, opened
from quantum_fabric.native import look
from quantum_fabric.units import SECOND
from random_networks import case

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

HORIZON = SECOND // 1000
REFUSED = (ValueError, TypeError)
EXTREME = (-1, -2, 1 << 31, -(1 << 31), 1 << 40, 1 << 62, -(1 << 63), (1 << 63) - 1)
ODD = (float("nan"), float("inf"), -float("inf"), -1.0, 2.0, 1e300)


def scenario_of(seed: int) -> Scenario:
    drawn = case(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        return ensemble.scenario(drawn.inventory, drawn.requests)


PURIFIED = next(
    s
    for s in map(scenario_of, range(50))
    if len(s.installations) > 1 and len(s.installations[0]["rotations"])
)


def tables_of(scenario: Scenario) -> list[tuple[int, str]]:
    """Where the tables with rows are: -1 for the plant, or the number of the installation."""
    parts = (scenario.plant, *scenario.installations)
    return [(at - 1, name) for at, part in enumerate(parts) for name in part if len(part[name])]


def damaged(scenario: Scenario, at: int, name: str, table: Any) -> Scenario:
    """The same with another table."""
    if at < 0:
        return replace(scenario, plant={**scenario.plant, name: table})
    rules = list(scenario.installations)
    rules[at] = {**rules[at], name: table}
    return replace(scenario, installations=tuple(rules))


def survives(scenario: Scenario) -> bool:
    """Whether it is taken; then it also runs, or says why not."""
    try:
        run = opened(scenario)
    except REFUSED:
        return False
    run.begin("1", 0)
    try:
        run.run(HORIZON, 20_000)
    except RuntimeError:
        with pytest.raises(RuntimeError, match="begin anew"):
            run.run(HORIZON)
    return True


@pytest.mark.parametrize(("at", "name"), tables_of(PURIFIED))
def test_tables_of_another_shape_are_refused(at: int, name: str) -> None:
    table = (PURIFIED.plant if at < 0 else PURIFIED.installations[at])[name]
    if isinstance(table, tuple):
        shapes: list[Any] = [table[:-1], (*table, "more"), (1, 2), "name", None, {}]
    else:
        shapes = [
            table[:, :-1], np.hstack([table, table]), table.ravel(), table[None],
            np.zeros(table.shape, np.int32), table.astype(complex), table[::-1][:, ::-1],
            np.asfortranarray(np.vstack([table, table])), None, "table", [[1, 2]],
        ]  # fmt: skip
    missing = {
        k: v for k, v in (PURIFIED.plant if at < 0 else PURIFIED.installations[at]).items() if k != name
    }
    lost = replace(PURIFIED, plant=missing) if at < 0 else replace(PURIFIED, installations=(missing,))
    for broken in (*(damaged(PURIFIED, at, name, shape) for shape in shapes), lost):
        taken = survives(broken)
        table_taken = (
            broken.plant if at < 0 else broken.installations[min(at, len(broken.installations) - 1)]
        ).get(name)
        # what is contiguous, of the right type and width may be a scenario; everything else is none
        assert not taken or (
            isinstance(table_taken, np.ndarray) and table_taken.ndim == 2 and table_taken.dtype == table.dtype
        )


@pytest.mark.parametrize(
    ("at", "name"), [each for each in tables_of(PURIFIED) if not each[1].endswith("names")]
)
def test_every_row_must_be_there(at: int, name: str) -> None:
    table = (PURIFIED.plant if at < 0 else PURIFIED.installations[at])[name]
    assert isinstance(table, np.ndarray)
    assert not survives(damaged(PURIFIED, at, name, np.ascontiguousarray(table[:-1])))


@pytest.mark.parametrize(
    ("at", "name"), [each for each in tables_of(PURIFIED) if not each[1].endswith("names")]
)
def test_numbers_out_of_their_range_are_refused(at: int, name: str) -> None:
    """Each column in turn: an index that is not there, a huge count, a negative time, a number that is none."""
    table = (PURIFIED.plant if at < 0 else PURIFIED.installations[at])[name]
    assert isinstance(table, np.ndarray)
    whole = table.dtype == np.int64
    flags = {"circuits": (1, 7), "qubits": (4,), "purify": (3, 4, 5), "nodes": (2, 3, 4, 5)}.get(name, ())
    times = {
        "nodes": (1,),
        "links": (2,),
        "points": range(1, 7),
        "circuits": (8, 9),
        "home": (0, 1),
        "along": (0,),
        "delays": range(99),
    }
    optional = {"circuits": (6, 8)}.get(name, ())  # -1 says that there is none
    draw = random.Random(f"{at} {name}")
    for column in range(table.shape[1]):
        if column in flags:
            continue
        for value in EXTREME if whole else ODD:
            if (value == -1 and column in optional) or (not whole and value == 2.0 and name != "outcomes"):
                continue
            if column in times.get(name, ()) and 0 < value < 1 << 60:
                continue
            if (
                not whole and name == "node_noise" and column == 6 and value > 0.0
            ):  # a lifetime may be anything above 0
                continue
            if (
                not whole
                and value == -1.0
                and name in ("outcomes", "circuit_noise", "purify_noise", "node_noise", "qubit_beliefs")
            ):
                continue  # a correlator
            other = table.copy()
            other[draw.randrange(len(table)), column] = value
            assert not survives(damaged(PURIFIED, at, name, other)), (name, column, value)


@pytest.mark.parametrize("seed", range(12))
def test_random_damage_never_crashes(seed: int) -> None:
    """Any number of wrong numbers anywhere: refused, or a run that ends or says why not."""
    draw = random.Random(seed)
    scenario = PURIFIED if seed % 2 else scenario_of(seed)
    taken = 0
    for _ in range(40):
        broken = scenario
        for _ in range(draw.choice((1, 1, 2, 5))):
            at, name = draw.choice([each for each in tables_of(broken) if not each[1].endswith("names")])
            table = (broken.plant if at < 0 else broken.installations[at])[name].copy()  # type: ignore[union-attr]
            row, column = draw.randrange(len(table)), draw.randrange(table.shape[1])
            if table.dtype == np.int64:
                table[row, column] = draw.choice((*EXTREME, 0, 1, 2, 3, 35, 4095, 4096, draw.randrange(50)))
            else:
                table[row, column] = draw.choice((*ODD, 0.0, 0.5, 1.0))
            broken = damaged(broken, at, name, table)
        taken += survives(broken)
    assert taken < 40


@pytest.mark.parametrize("what", ["installation", "at", "pairs", "floor", "deadline"])
def test_sessions_that_make_no_sense(what: str) -> None:
    values: tuple[Any, ...] = {
        "floor": ODD,
        "installation": (-1, 7, 1 << 31),
        "pairs": (0, -1, 1 << 62),
        "at": EXTREME[:2],
        "deadline": (-2,),
    }[what]
    for value in values:
        one = replace(PURIFIED.sessions[0], **{what: value})
        assert not survives(replace(PURIFIED, sessions=(one, *PURIFIED.sessions[1:])))
    assert not survives(replace(PURIFIED, sessions=(PURIFIED.sessions[0], PURIFIED.sessions[0])))


def test_an_installation_that_is_refused_leaves_nothing_behind() -> None:
    run, clean = opened(PURIFIED), opened(PURIFIED)
    rules = {k: v.copy() for k, v in PURIFIED.installations[0].items()}  # type: ignore[union-attr]
    rules["purify"][-1, 1] = 99
    for _ in range(3):
        with pytest.raises(ValueError, match="partner"):
            run.install(rules)
    for each in (run, clean):
        each.begin("1", 0)
        each.run(HORIZON)
    assert run.counts == clean.counts
    assert len(run.view("life")) == len(clean.view("life"))


def test_commands_with_wrong_numbers_are_refused() -> None:
    run = opened(PURIFIED)
    run.begin("1", 0)
    for name in ("fail_node", "recover_node", "renew_link", "pause_link", "resume_link"):
        for number in (-1, 10**6):
            with pytest.raises(ValueError, match="that it has not"):
                getattr(run, name)(number)
    for wrong in (
        lambda: run.set_link(99, True), lambda: run.post(5, 99, 0, 0, 0), lambda: run.post(5, 0, 99, 0, 0),
        lambda: run.post(1, 0, 0, 0, 0), lambda: run.call_at(-1, 0, 0, 0), lambda: run.call_at(0, 9, 0, 0),
        lambda: run.rule(0, 7, -1), lambda: run.rule(999, 0, -1), lambda: run.run(-1), lambda: run.run(1 << 62),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"expected|has not"):
            wrong()
    found = run.sample("1", 0, 3, 100_000, HORIZON, 1 << 40, False)  # as many threads as are of use
    assert len(found["sessions"]) == 3 * len(PURIFIED.sessions)


def test_a_success_beyond_all_times_never_comes() -> None:
    """A chance so small that its first success lies behind what 64 bits can count of picoseconds."""
    plant = dict(PURIFIED.plant)
    outcomes = plant["outcomes"].copy()  # type: ignore[union-attr]
    outcomes[:, 0] *= 1e-30
    run = opened(replace(PURIFIED, plant={**plant, "outcomes": outcomes}))
    run.begin("1", 0)
    run.run(10**6 * SECOND)
    assert run.counts["heralds"] == 0
    assert run.now == 10**6 * SECOND


class Angry(Exception):
    """What callbacks raise here."""


def test_after_an_exception_in_a_callback_the_run_goes_on() -> None:
    run, calm = opened(PURIFIED), opened(PURIFIED)
    left = 3

    def watcher(*seen: Any) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise Angry

    run.watch(watcher, 1)
    for each in (run, calm):
        each.begin("1", 0)
    for _ in range(3):
        with pytest.raises(Angry):
            run.run(HORIZON * 100)
    run.run(HORIZON * 100)
    calm.run(HORIZON * 100)
    assert run.counts == calm.counts
    assert left < 0


def test_a_watcher_cannot_change_what_it_sees() -> None:
    run = opened(PURIFIED)
    tried = []

    def meddle(*seen: Any) -> None:
        for act in (
            lambda: run.run(HORIZON), lambda: run.begin("1", 0), lambda: run.install(dict(PURIFIED.installations[0])),
            lambda: run.fail_node(0), run.fork, lambda: run.session(0, 0, 1, 0.5, -1), lambda: run.redraw("1", 1),
            lambda: run.sample("1", 0, 1, 1, 10, 10, False),
        ):  # fmt: skip
            with pytest.raises(RuntimeError, match=r"looks on|goes on"):
                act()
            tried.append(act)

    run.watch(meddle, 1)
    run.begin("1", 0)
    run.run(HORIZON)
    assert len(tried) >= 8


def test_callbacks_that_refer_to_their_run_are_no_leak() -> None:
    run = opened(PURIFIED)

    class Watcher:
        def __init__(self, of: Any) -> None:
            self.run = of

        def see(self, *seen: Any) -> None:
            raise Angry

    watcher = Watcher(run)
    gone = weakref.ref(watcher)
    run.watch(watcher.see, 1)
    run.begin("1", 0)
    with pytest.raises(Angry):
        run.run(HORIZON)
    del run, watcher
    gc.collect()
    assert gone() is None
