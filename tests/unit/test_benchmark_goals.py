"""The goal workloads: counts and physics, no clocks; and the page of the docs is what was kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # the benchmarks are no part of the installed package

from benchmarks import engines, goals, networks, page, prototype, turns  # noqa: E402
from benchmarks.processes import MeasurementError  # noqa: E402
from benchmarks.run import Run  # noqa: E402
from benchmarks.workload import DIM, Chain  # noqa: E402

from quantum_fabric.native import look  # noqa: E402

needs_native = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")


def test_the_page_is_what_was_kept() -> None:
    kept = page.read()
    assert kept, "benchmarks/measured.json is empty: run qfabric bench --keep"
    assert page.PAGE.read_text(encoding="utf-8") == page.page(kept)
    assert page.FIGURE.exists() or "growth/native" not in kept


def test_results_are_kept_by_name(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    row = {"name": "a", "failure": "", "ours": 1.0}
    page.keep([row, {"name": "b", "failure": "why"}], {"at": "now"}, path)
    found = page.keep([{**row, "ours": 2.0}], {"at": "later"}, path)
    assert {name: (each["ours"], each["machine"]["at"]) for name, each in found.items()} == {
        "a": (2.0, "later")
    }
    assert json.loads(path.read_text(encoding="utf-8")) == found


def test_exponent_of_a_power() -> None:
    assert goals.exponent([(n, 3.0 * n**1.5) for n in (10, 100, 1000)]) == pytest.approx(1.5)


def test_fifty_is_the_workload() -> None:
    job = networks.fifty()
    assert (len(job.inventory.nodes), len(job.inventory.links), len(job.requests)) == (50, 74, 10)
    assert sorted(len(plan.links) for plan in job.plans.values()) == [2, 2, 3, 3, 3, 4, 4, 4, 4, 5]
    assert {link.lanes for plan in job.plans.values() for link in plan.links} == {2}
    assert {link.length for link in job.inventory.links.values()} == {20e3}


def test_dim_link() -> None:
    assert Chain(2, emission=DIM).success == pytest.approx(4.031e-4, rel=1e-4)


@pytest.mark.parametrize("make", [networks.mesh, networks.waxman])
def test_networks_hang_together(make: object) -> None:
    job = make(60, 20)  # type: ignore[operator]
    around: dict[str, set[str]] = {name: set() for name in job.inventory.nodes}
    for link in job.inventory.links.values():
        around[link.a].add(link.b)
        around[link.b].add(link.a)
    seen, row = {"n00000", "n0000"} & set(around), list({"n00000", "n0000"} & set(around))
    while row:
        new = around[row.pop()] - seen
        seen |= new
        row += new
    assert len(seen) == 60
    assert all(2 <= len(plan.links) <= 8 for plan in job.plans.values())


@needs_native
def test_events_of_the_goal_workloads() -> None:
    dim = engines.native("link", pairs=500, keep=True)
    assert dim["events"] / dim["pairs"] == pytest.approx(4.0, rel=0.02)
    assert dim["listed"] == dim["pairs"] == 500
    chain = engines.native("chain", nodes=17, rules="messages", pairs=200)
    assert 3 * 16 + 3 <= chain["events"] / chain["pairs"] < 1.1 * (3 * 16 + 3)
    carried = engines.native("chain", nodes=17, rules="messages", pairs=200, letters=True)
    assert 79 < carried["events"] / carried["pairs"] < 1.35 * 80
    fifty = engines.native("fifty", span=0.1)
    assert fifty["events"] / fifty["pairs"] < 20.0


@needs_native
def test_one_pair_over_many_nodes() -> None:
    """Nested: two heralds for each link, three events for a swap, and little else."""
    found = engines.native("synchronised", nodes=100, nested=True)
    assert found["pairs"] == 1
    assert found["events"] < 9 * 100
    assert found["heralds"] == 99


@needs_native
def test_an_empty_function_is_called() -> None:
    assert engines.hooked(20)["calls"] > engines.hooked(20)["pairs"] * 40
    assert engines.hooked(20, calls=False)["calls"] == 0


@needs_native
def test_two_cores_give_the_same_bits() -> None:
    assert engines.cores(4, 20)["same"]


@needs_native
def test_a_live_mesh_admits_everybody() -> None:
    found = engines.live(60, 20, 0.02)
    assert (found["accepted"], found["queued"], found["refused"]) == (20, 0, 0)
    assert found["pairs"] > 20


def test_a_measurement_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **question: object) -> dict[str, object]:
        raise MeasurementError("exit code 1: boom")

    for module, name in ((goals, "ours"), (goals, "ask"), (turns, "ask"), (prototype, "ours")):
        monkeypatch.setattr(module, name, broken)
    monkeypatch.setattr(turns, "interpreter", lambda peer: None)
    run = Run(quick=True, progress=lambda text: None)
    for suite in (
        goals.w1,
        goals.w2,
        goals.w3,
        goals.long,
        goals.mesh,
        goals.growth,
        prototype.rows,
        goals.hook,
    ):
        rows = suite(run)
        assert rows
        assert {row.verdict() for row in rows} == {"failed"}
        assert all("boom" in row.failure for row in rows)


@needs_native
def test_chains_of_the_prototype_are_asked_of_any_engine() -> None:
    """Samplers answer for three of them at least, in the law of the event kernel that answers beside them."""
    for job, _ in prototype.CHAINS.values():
        found = engines.native("tower", replicas=20, sampler="auto", **job)
        assert found["engine"] != "native"
        assert found["pairs"] == 20 * 1000


def test_a_share_of_the_prototype_says_who_answered() -> None:
    answer = {"pairs": 10, "events": 400, "cpu": 0.5, "engine": "native, asap"}
    row = prototype.share("x", "pairs", [answer], 40.0, None, "")
    assert (row.ours, row.count, row.details["ours"]["engine"]) == (0.5, 40.0, "native, asap")
    assert prototype.share("x", "pairs", [], 40.0, None, "boom").failure == "boom"
