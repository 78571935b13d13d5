"""Running scenarios: forks, limits, bad input."""

from __future__ import annotations

import heapq
import random

import numpy as np
import pytest
from benchmarks.chain import inventory
from benchmarks.workload import Chain

from quantum_fabric import ensemble
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.kernel import Streams
from quantum_fabric.messages import LinkRequest
from quantum_fabric.montecarlo import Scenario, opened, simulate
from quantum_fabric.montecarlo.results import bin_edges, merged
from quantum_fabric.montecarlo.running import FOREVER
from quantum_fabric.native import look
from quantum_fabric.units import SECOND
from random_networks import case

native = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")


def chain(nodes: int, pairs: int) -> Scenario:
    """The benchmark's chain: one memory for each link end, perfect swaps."""
    workload = Chain(nodes)
    asked = [(0, LinkRequest(workload.names[0], workload.names[-1], 0.51, pairs=pairs))]
    return ensemble.scenario(inventory(workload, "messages"), asked)


@native
def test_streams_are_those_of_the_reference() -> None:
    module, _ = look()
    assert module is not None
    for name in ("A~B/0/attempts", "é", "x" * 127, "x" * 128, "x" * 500):
        stream = Streams(7, 3).stream(name)
        assert module.stream(f"7/3/{name}", 50) == [stream.uniform() for _ in range(50)]
        for p in (1e-9, 1e-4, 0.2, 0.25, 0.2500001, 0.9, 1.0):
            stream = Streams(-1, 0).stream(name)
            assert module.geometric(f"-1/0/{name}", p, 20) == [stream.geometric(p) for _ in range(20)]


@native
@pytest.mark.parametrize("seed", range(12))
def test_events_come_in_the_order_of_the_clock(seed: int) -> None:
    """By time, order, then the order in which they were pushed, however many are pending and however far apart."""
    module, _ = look()
    assert module is not None
    draw = random.Random(seed)
    reach = 1 << draw.randint(0, 30)
    steps: list[int] = []
    pending: list[tuple[int, int, int]] = []
    expected, now = [], 0
    for number in range(12_000):
        if draw.random() < (0.7 if number // 3000 % 2 == 0 else 0.3):
            wait, order = draw.randrange(reach) * draw.choice((0, 1, 1, 1, 4000)), draw.randrange(4)
            steps += [wait, order]
            heapq.heappush(pending, (now + wait, order, number))
        else:
            steps += [-1, 0]
            if pending:
                now, _, taken = heapq.heappop(pending)
                expected.append(taken)
    assert module.queued(steps) == expected


@native
def test_a_fork_lives_on_as_its_original_would_have() -> None:
    run = opened(chain(5, 200))
    run.begin("3", 0)
    run.run(SECOND // 50)
    twin = run.fork()
    for each in (run, twin):
        each.run(FOREVER, while_open=True)
    assert np.array_equal(run.deliveries()[0], twin.deliveries()[0])
    assert np.array_equal(run.deliveries()[1], twin.deliveries()[1])


@native
def test_a_fork_with_another_future_shares_the_past_only() -> None:
    run = opened(chain(5, 200))
    run.begin("3", 0)
    run.run(SECOND // 50)
    told = len(run.deliveries()[0])
    other = run.fork()
    other.redraw("3", 1)
    for each in (run, other):
        each.run(FOREVER, while_open=True)
    one, two = run.deliveries()[0], other.deliveries()[0]
    assert told > 3
    assert np.array_equal(one[:told], two[:told])
    assert len(one) == len(two) == 200
    assert not np.array_equal(one[told + 2 :, 6], two[told + 2 :, 6])


@native
def test_forks_with_other_futures_follow_the_law_of_the_original() -> None:
    """Redrawing what has not begun changes nothing in law: mean times to the end agree within five standard errors (6e-7)."""
    scenario = chain(3, 20)
    run = opened(scenario)
    ends = []
    for replica in range(600):
        run.begin("5", replica)
        run.run(SECOND // 200)  # in the middle
        fork = run.fork()
        fork.redraw("6", replica)
        fork.run(FOREVER, while_open=True)
        ends.append(fork.sessions()[0][3])
    straight = simulate(scenario, seed=9, replicas=4000).column("ended")
    mine = np.array(ends)
    error = np.hypot(mine.std() / np.sqrt(len(mine)), straight.std() / np.sqrt(len(straight)))
    assert abs(mine.mean() - straight.mean()) < 5 * error


@native
def test_a_run_in_steps_is_the_same_run() -> None:
    one, two = opened(chain(5, 50)), opened(chain(5, 50))
    for each in (one, two):
        each.begin("1", 0)
    one.run(FOREVER, while_open=True)
    while two.open_sessions:
        two.run(FOREVER, 7, True)
    assert np.array_equal(one.deliveries()[0], two.deliveries()[0])
    assert one.counts == two.counts


@native
def test_nothing_is_left_when_all_is_over() -> None:
    for seed in range(12):
        drawn = case(seed)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
            run = opened(ensemble.scenario(drawn.inventory, drawn.requests))
        run.begin("0", seed)
        run.run(SECOND // 20)
        if run.open_sessions:
            continue
        run.run(SECOND)
        assert run.pairs_alive == 0
        assert run.letters_out == 0
        assert run.next == -1


@native
def test_most_events_end_a_replica() -> None:
    found = simulate(chain(5, 10_000), replicas=3, most_events=1000)
    assert found.counts["events"] == 3000
    assert found.column("status").tolist() == [0, 0, 0]


@native
@pytest.mark.parametrize("what", [{"replicas": 0}, {"workers": 0}, {"replicas": -3}])
def test_numbers_that_make_no_sense(what: dict[str, int]) -> None:
    with pytest.raises(InputError, match="at least 1"):
        simulate(chain(3, 1), **what)  # type: ignore[arg-type]


@native
def test_a_damaged_scenario_is_refused_and_not_run() -> None:
    scenario = chain(3, 1)
    nodes = scenario.plant["nodes"].copy()  # type: ignore[union-attr]
    for plant, message in (
        ({**scenario.plant, "links": scenario.plant["links"] + 100}, "names a node"),  # type: ignore[operator]
        ({**scenario.plant, "nodes": nodes[:, :-1]}, "has 5 columns, expected 6"),
        ({name: table for name, table in scenario.plant.items() if name != "points"}, "no table points"),
    ):
        broken = Scenario(
            {k: np.ascontiguousarray(v) if isinstance(v, np.ndarray) else v for k, v in plant.items()}, (), ()
        )
        with pytest.raises(ValueError, match=message):
            opened(broken)


def test_without_the_kernel_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTUM_FABRIC_NATIVE", "off")
    with pytest.raises(StateError, match="switched off"):
        opened(chain(3, 1))
    found = ensemble.run(
        inventory(Chain(3), "messages"), [(0, LinkRequest("n00", "n02", 0.51, pairs=2))], workers=1
    )
    assert found.engine == "twin"
    assert found.pairs == 2


def test_a_digest_changes_with_anything_that_matters() -> None:
    one, two, three = chain(3, 1), chain(3, 2), chain(5, 1)
    assert one.digest == chain(3, 1).digest
    assert len({one.digest, two.digest, three.digest}) == 3


def test_bins_hold_their_times() -> None:
    edges = bin_edges()
    assert np.all(np.diff(edges) > 0)
    assert np.all(np.diff(edges)[16:] <= edges[16:-1] / 8)


@native
def test_replicas_in_parts_are_the_same_as_in_one() -> None:
    scenario = chain(3, 5)
    whole = simulate(scenario, seed=2, replicas=30, keep_pairs=True)
    parts = merged(
        [simulate(scenario, seed=2, replicas=10, first=first, keep_pairs=True) for first in (0, 10, 20)]
    )
    for name in ("sessions", "sums", "latencies", "intervals", "deliveries", "states"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
