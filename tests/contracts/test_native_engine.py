"""The native engine is the twin, faster: the same draws, the same events at the same picosecond, the same states."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.chain import inventory
from benchmarks.workload import Chain

from quantum_fabric import documents, ensemble
from quantum_fabric.errors import StateError
from quantum_fabric.messages import LinkRequest
from quantum_fabric.montecarlo import Results
from quantum_fabric.native import look
from quantum_fabric.units import SECOND
from random_networks import case

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

HORIZON = SECOND // 10
NETWORKS = range(40)
MANY = range(40, 100)
SOAK = range(100, 1000)


def both(seed: int) -> tuple[Results, Results]:
    """The same replica of a random network in both engines."""
    drawn = case(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        one, two = (
            ensemble.run(
                drawn.inventory, drawn.requests, seed=seed, first=seed, workers=1, until=HORIZON, keep_pairs=True, engine=engine
            )
            for engine in ("twin", "native")
        )  # fmt: skip
    return one, two


def same(one: Results, two: Results) -> None:
    """Integers are equal; floats differ by rounding at most."""
    for name in ("sessions", "deliveries", "latencies", "intervals"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    for name in ("sums", "states"):
        assert np.allclose(getattr(one, name), getattr(two, name), rtol=1e-12, atol=1e-12), name
    assert one.twirl_error == pytest.approx(two.twirl_error, abs=1e-12)
    assert one.digest == two.digest


@pytest.mark.parametrize("seed", NETWORKS)
def test_the_same_run_as_the_twin(seed: int) -> None:
    same(*both(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY)
def test_the_same_run_as_the_twin_on_many_more(seed: int) -> None:
    same(*both(seed))


@pytest.mark.soak
@pytest.mark.parametrize("seed", SOAK)
def test_the_same_run_as_the_twin_for_hours(seed: int) -> None:
    same(*both(seed))


def test_the_networks_exercise_everything() -> None:
    """The comparison means something: pairs are delivered and withheld, cut off, purified; swaps fail; sessions end in both ways."""
    total: dict[str, int] = {}
    ends = set()
    for seed in NETWORKS:
        drawn = case(seed)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
            found = ensemble.run(
                drawn.inventory,
                drawn.requests,
                seed=seed,
                first=seed,
                workers=1,
                until=HORIZON,
                engine="native",
            )
        for name, count in found.counts.items():
            total[name] = total.get(name, 0) + count
        ends |= set(found.sessions[:, 2].tolist())
    for name in ("deliveries", "withheld", "cutoffs", "purifications", "failed_swaps", "stale"):
        assert total[name] > 20, (name, total)
    assert {0, 1, 2} <= ends


@pytest.mark.parametrize("seed", [3, 11, 17])
def test_neither_workers_nor_batches_change_a_bit(seed: int) -> None:
    drawn = case(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)

        def run(**how: object) -> Results:
            return ensemble.run(
                drawn.inventory, drawn.requests, seed=seed, replicas=60, until=HORIZON, keep_pairs=True, engine="native", **how
            )  # type: ignore[arg-type]  # fmt: skip

        one = run(workers=1)
        for other in (run(workers=2), run(workers=5), run(workers=2, progress=lambda done: None)):
            for name in ("sessions", "sums", "latencies", "intervals", "deliveries", "states"):
                assert np.array_equal(getattr(one, name), getattr(other, name)), name
            assert one.counts == other.counts


def test_replicas_of_the_twin_in_processes_are_the_same_as_in_one() -> None:
    """On a network that the planner plans for, since processes know no patch."""
    lab = documents.inventory(documents.load_network("lab"))
    asked = [(0, LinkRequest("Alice", "Bob", 0.9, pairs=5))]
    one, two = (
        ensemble.run(lab, asked, seed=4, replicas=4, workers=workers, keep_pairs=True, engine="twin") for workers in (1, 2)
    )  # fmt: skip
    native = ensemble.run(lab, asked, seed=4, replicas=4, workers=2, keep_pairs=True, engine="native")
    for other in (two, native):
        for name in ("sessions", "deliveries"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_a_request_that_would_wait_is_not_compiled() -> None:
    chain = Chain(3)
    asked = [(0, LinkRequest(chain.names[0], chain.names[-1], 0.9, pairs=5))] * 2
    with pytest.raises(StateError, match="has to wait for memory"):
        ensemble.scenario(inventory(chain, "messages"), asked)
