"""Engines: what they promise, that they agree, and that another one is one module."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from types import ModuleType

import pytest

from quantum_fabric.errors import InputError
from quantum_fabric.studies import OUTPUTS, Papers
from quantum_fabric.studies import engine as engine_of
from quantum_fabric.studies.engine import NAMES, Row, chosen, missing_of
from quantum_fabric.studies.reduction import estimate
from quantum_fabric.studies.work import seed_of

BASE = {"link": {"distance": "40 km", "segments": 2}, "request": {"fidelity": 0.9, "pairs": 20}}


@pytest.mark.parametrize("name", [name for name in NAMES if not missing_of(name)])
def test_rows_have_what_is_promised(name: str) -> None:
    engine = engine_of(name)
    row = engine.rows(Papers(BASE), (1,), engine.outputs)[0]
    assert engine.outputs <= row.keys()
    assert all(math.isfinite(row[out]) for out in engine.outputs)
    assert engine.outputs <= OUTPUTS.keys()


@pytest.mark.skipif(bool(missing_of("montecarlo")), reason="the native kernel is not installed")
@pytest.mark.parametrize(
    "base",
    [
        BASE,
        {"link": {"distance": "400 km", "devices": "today"}, "request": {"fidelity": 0.99}},
        {
            "link": {"distance": "100 km", "segments": 4, "memories": 6},
            "request": {"fidelity": 0.95, "pairs": 30},
        },
    ],
)
def test_the_kernel_gives_the_rows_of_the_twin(base: dict[str, object]) -> None:
    one, two = (engine_of(name).rows(Papers(base), (1, 2, 3), frozenset()) for name in ("twin", "montecarlo"))
    for mine, other in zip(one, two, strict=True):
        assert mine.keys() == other.keys()
        for name in mine:
            assert mine[name] == pytest.approx(other[name], rel=1e-9, nan_ok=True), name


@pytest.mark.parametrize("distance", ["20 km", "60 km"])
def test_forecast_and_twin_agree(distance: str) -> None:
    """40 runs of 60 pairs against the forecast, within its stated errors (rate 15 %, fidelity 0.005) and five standard errors of
    the runs (two-sided false-alarm rate below 1e-6). First deliveries have the forecast's law: its median lies within the
    distribution-free interval of level 1 - 1e-6."""
    base = {"link": {"distance": distance, "segments": 2}, "request": {"fidelity": 0.9, "pairs": 60}}
    forecast = engine_of("forecast").rows(Papers(base), (0,), frozenset({"first_p50"}))[0]
    twin = engine_of("twin").rows(Papers(base), [seed_of(1, 0, run) for run in range(40)], frozenset())
    for name, tolerance in (("rate", 0.15 * forecast["rate"]), ("fidelity", 0.005)):
        found = estimate(twin, OUTPUTS[name], 1.0 - 1e-6)
        assert abs(found.value - forecast[name]) <= found.half + tolerance
    median = estimate(twin, OUTPUTS["first_p50"], 1.0 - 1e-6)
    assert median.low * 0.98 <= forecast["first_p50"] <= median.high * 1.02
    assert forecast["key_rate"] == pytest.approx(estimate(twin, OUTPUTS["key_rate"]).value, rel=0.25)


def test_runs_depend_on_their_seed_alone() -> None:
    twin = engine_of("twin")
    together = twin.rows(Papers(BASE), (5, 6, 7), frozenset())
    alone = [twin.rows(Papers(BASE), (seed,), frozenset())[0] for seed in (7, 5, 6)]
    assert [together[2], together[0], together[1]] == alone


@pytest.mark.parametrize("name", ["forecast", "twin"])
def test_a_refused_request_is_a_row(name: str) -> None:
    base = {"link": {"distance": "400 km", "devices": "today"}, "request": {"fidelity": 0.99}}
    row = engine_of(name).rows(Papers(base), (1,), frozenset({"rate"}))[0]
    assert row["accepted"] == 0.0
    assert row["rate"] == 0.0
    assert math.isnan(row["fidelity"])


def test_decisions_of_the_planner_can_be_made_instead() -> None:
    forecast = engine_of("forecast")
    base = {"link": {"distance": "80 km", "segments": 4}, "request": {"fidelity": 0.8}}
    free = forecast.rows(Papers(base), (0,), frozenset())[0]
    tight = forecast.rows(Papers(base, (("plan.cutoff", "0.3 ms"),)), (0,), frozenset())[0]
    nested = forecast.rows(Papers(base, (("plan.order", "nested"),)), (0,), frozenset())[0]
    assert tight["rate"] < free["rate"]
    assert nested["rate"] != free["rate"]
    rounds = forecast.rows(Papers(base, (("plan.rounds", 1),)), (0,), frozenset())[0]
    assert rounds["rate"] < free["rate"]


def test_the_finest_plan_is_at_least_as_fine() -> None:
    row = engine_of("forecast").rows(Papers(BASE), (0,), frozenset({"finest_fidelity"}))[0]
    assert row["finest_fidelity"] >= row["fidelity_low"]


class Echo:
    """An engine that says its seed."""

    name = "montecarlo"
    outputs = frozenset({"rate"})
    repeats = True
    plans = False
    workloads = True

    def ready(self) -> str:
        return ""

    def rows(self, papers: Papers, seeds: Sequence[int], wanted: frozenset[str]) -> list[Row]:
        return [{"rate": float(seed)} for seed in seeds]


def test_another_engine_is_one_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("quantum_fabric.studies.montecarlo_engine")
    module.ENGINE = Echo()  # type: ignore[attr-defined]
    module.__spec__ = sys.modules["quantum_fabric.studies.twin_engine"].__spec__
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert missing_of("montecarlo") == ""
    assert chosen("auto", frozenset({"rate"}), True, False, False).name == "montecarlo"
    assert chosen("auto", frozenset({"rate", "completed"}), True, False, False).name == "twin"


def test_engines_that_cannot_do_what_is_wanted_say_so() -> None:
    for name in NAMES:
        assert missing_of(name) or engine_of(name).name == name
    with pytest.raises(InputError, match="does not give completed"):
        chosen("forecast", frozenset({"completed"}), False, False, False)
    with pytest.raises(InputError, match="with a workload"):
        chosen("forecast", frozenset({"rate"}), False, True, False)


def test_a_workload_with_faults() -> None:
    from quantum_fabric import documents

    base = {
        "network": documents.load_network("chicago").plain(),
        "workload": {
            **documents.load_workload("chicago-cut").plain(),
            "duration": "300 ms",
            "requests": [],
            "faults": [],
        },
    }
    base["workload"]["requests"] = [
        {"from": "NU", "to": "StarLight", "pairs": 5, "fidelity": 0.9},
        {"from": "NU", "to": "StarLight", "pairs": 5, "fidelity": 0.99999},
    ]
    row = engine_of("twin").rows(Papers(base), (3,), frozenset())[0]
    assert row["accepted"] == 0.5
    assert row["completed"] == 0.5
    assert row["rate"] == pytest.approx(5 / 0.3)
