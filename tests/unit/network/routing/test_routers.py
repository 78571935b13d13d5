"""What every router must keep: memories, channels, knowledge; and what each does in the smallest network that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.routing import (
    Demand,
    Edge,
    Greedy,
    Luck,
    Metric,
    QCast,
    QPass,
    Router,
    SinglePath,
    SlottedNetwork,
    Windowed,
    random_demands,
    run_slot,
    waxman,
)
from quantum_fabric.network.routing.decoherence import Decay, werner
from quantum_fabric.network.routing.qcast import repaired
from quantum_fabric.network.routing.slotted import Detour, Residual

MAKERS: dict[str, Callable[[SlottedNetwork], Router]] = {
    "ours": Windowed,
    "ours, windows only": lambda net: Windowed(net, shared=False),
    "Q-CAST": QCast,
    "Q-CAST without recovery": lambda net: QCast(net, recovery=False),
    "SLMP": lambda net: QCast(net, single=True),
    "Q-PASS": QPass,
    "greedy, hops": Greedy,
    "greedy, geographic": lambda net: Greedy(net, geographic=True),
    "single path, hop count": lambda net: SinglePath(net, Metric.HOPS),
    "single path, Van Meter": lambda net: SinglePath(net, Metric.VAN_METER),
}


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 500), pairs=st.integers(1, 6))
def test_no_memory_or_channel_is_used_twice(name: str, seed: int, pairs: int) -> None:
    network = waxman(25, seed % 7)
    router = MAKERS[name](network)
    assert router.name == name
    demands = random_demands(network, pairs, seed)
    plan = router.plan(demands)
    held = Counter[int]()
    for edge, number in zip(network.edges, plan.reserved, strict=True):
        assert 0 <= number <= edge.channels
        held[edge.a] += number
        held[edge.b] += number
    assert all(held[node] <= room for node, room in enumerate(network.memories))
    up = Luck(network, seed).up(plan.reserved)
    used = Counter[int]()
    for each in router.connect(plan, up):
        assert (each.nodes[0], each.nodes[-1]) == demands[each.demand]
        used.update(network.along(each.nodes))
    assert all(number <= sum(up[edge]) for edge, number in used.items())
    assert plan == MAKERS[name](network).plan(demands)  # the same question, the same plan


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 200))
def test_all_who_act_in_a_window_hear_all_of_it(seed: int) -> None:
    network = waxman(60, seed % 5, knowledge=seed % 4)
    plan = Windowed(network).plan(random_demands(network, 4, seed))
    for series in plan.series:
        ends = [series.windows[0].entry, *(window.exit for window in series.windows)]
        assert (ends[0], ends[-1]) == plan.demands[series.demand]
        assert all(window.entry == before for window, before in zip(series.windows, ends, strict=False))
        for window in series.windows:
            if network.knowledge == 0 and len(window.owned) > 1:
                continue  # a block of one hop is the least there is; what is added to it must still be heard
            for edge, _ in window.owned:
                for other, _ in window.owned:
                    assert all(network.knows(node, other) for node in network.edges[edge][:2])


@pytest.mark.parametrize("decay", [Decay(), Decay(0.02)])
def test_no_pair_of_ours_is_below_the_floor(decay: Decay) -> None:
    delivered = lower = 0
    for seed in range(3):
        network = waxman(60, seed, fidelities=(0.93, 1.0))
        ours = Windowed(network, decay=decay, floor=0.8)
        for slot in range(4):
            demands = random_demands(network, 5, 10 * seed + slot)
            for router, mine in ((ours, True), (QPass(network), False)):
                result = run_slot(network, router, router.plan(demands), Luck(network, slot))
                below = sum(decay.fidelity(network, each.nodes) < 0.8 - 1e-12 for each in result.delivered)
                delivered += len(result.delivered) if mine else 0
                lower += 0 if mine else below
                assert not (mine and below)
    assert delivered > 50
    assert lower > 0  # the floor binds: routers that know of none break it


def ring(width: int = 1) -> SlottedNetwork:
    """0-1-2-3 as the short way and 1-4-2 beside its middle hop."""
    edges = tuple(Edge(a, b, width, 0.5) for a, b in ((0, 1), (1, 2), (1, 4), (2, 3), (2, 4)))
    return SlottedNetwork(((0, 0), (1, 0), (2, 0), (3, 0), (1.5, 1)), (4,) * 5, edges, 0.9, 3)


def test_a_broken_hop_is_replaced_by_xor_with_the_cycle() -> None:
    network, detour = ring(), Detour(0, (1, 4, 2), 1)
    assert repaired(network, (0, 1, 2, 3), [detour], [1], [1, 1, 1, 1, 1]) == (0, 1, 2, 3)
    left = [1]
    assert repaired(network, (0, 1, 2, 3), [detour], left, [1, 0, 1, 1, 1]) == (0, 1, 4, 2, 3)
    assert left == [0]
    assert repaired(network, (0, 1, 2, 3), [detour], left, [1, 0, 1, 1, 1]) is None  # used up
    assert repaired(network, (0, 1, 2, 3), [detour], [1], [1, 0, 0, 1, 1]) is None  # the detour is down too
    assert repaired(network, (0, 1, 2, 3), [detour], [1], [0, 1, 1, 1, 1]) is None  # no detour there


def test_recovery_paths_help() -> None:
    network = waxman(40, 2)
    kinds = (QCast(network), QCast(network, recovery=False))
    totals = [0.0, 0.0]
    for slot in range(15):
        demands = random_demands(network, 4, slot)
        for index, router in enumerate(kinds):
            totals[index] += run_slot(network, router, router.plan(demands), Luck(network, slot)).expected
    assert totals[0] > totals[1]


def test_greedy_gives_up_where_it_would_turn_back() -> None:
    edges = (Edge(0, 1, 1, 0.5), Edge(0, 2, 1, 0.5), Edge(2, 3, 1, 0.5))
    network = SlottedNetwork(((0, 0), (3, 0), (0, 5), (4, 0)), (4,) * 4, edges, 0.9, 3)
    demands = (Demand(0, 3),)
    assert Greedy(network, geographic=True).plan(demands).routes == ()  # 1 is near and a dead end
    assert Greedy(network).plan(demands).routes[0].nodes == (0, 2, 3)


def test_expected_is_the_mean_over_swaps() -> None:
    """The draws of swaps differ by seed; 4,000 slots, 6.0 standard errors: a false alarm in 5e8 runs."""
    edges = (Edge(0, 1, 3, 1.0), Edge(1, 2, 3, 1.0))
    network = SlottedNetwork(((0, 0), (1, 0), (2, 0)), (3, 6, 3), edges, 0.8, 3)
    router = SinglePath(network, Metric.HOPS)
    plan = router.plan((Demand(0, 2),))
    results = [run_slot(network, router, plan, Luck(network, seed)) for seed in range(4000)]
    assert {round(result.expected, 12) for result in results} == {2.4}
    mean = sum(len(result.delivered) for result in results) / 4000
    assert abs(mean - 2.4) < 6.0 * (3 * 0.16 / 4000) ** 0.5


def test_residual_spends_both_ends() -> None:
    free = Residual(ring(2))
    free.take((0, 1, 2, 3), 2)
    assert free.memories == [2, 0, 0, 2, 4]
    assert free.reserved() == (2, 2, 0, 2, 0)
    assert not free.open(2)


@pytest.mark.parametrize(
    "bad",
    [
        {"swap": 0.0}, {"knowledge": -1}, {"memories": (1, 1)}, {"edges": (Edge(0, 0, 1, 0.5),)},
        {"edges": (Edge(0, 9, 1, 0.5),)}, {"edges": (Edge(0, 1, 0, 0.5),)}, {"edges": (Edge(0, 1, 1, 1.5),)},
        {"edges": (Edge(0, 1, 1, 0.5), Edge(0, 1, 2, 0.5))}, {"edges": (Edge(0, 1, 1, 0.5, 1.0, 0.2),)},
    ],
)  # fmt: skip
def test_what_is_no_network_is_refused(bad: dict[str, object]) -> None:
    good: dict[str, object] = {
        "positions": ((0, 0), (1, 0), (2, 0)), "memories": (1, 2, 1), "edges": (Edge(0, 1, 1, 0.5),), "swap": 0.9,
        "knowledge": 3,
    }  # fmt: skip
    with pytest.raises(QuantityError):
        SlottedNetwork(**{**good, **bad})  # type: ignore[arg-type]


def test_random_networks_have_what_was_asked() -> None:
    plain = waxman(100, 3, success=0.3, topped=False)
    assert 2 * len(plain.edges) / 100 == pytest.approx(6.0, abs=0.4)
    assert sum(e.channels * e.success for e in plain.edges) / sum(
        e.channels for e in plain.edges
    ) == pytest.approx(0.3, abs=1e-6)
    assert max(max(row) for row in plain.hops) < 100  # connected
    assert set(plain.memories) <= set(range(10, 15))
    assert {e.channels for e in plain.edges} <= set(range(3, 8))
    topped = waxman(100, 3)
    assert sum(e.channels for e in topped.edges) > 1.4 * sum(e.channels for e in plain.edges)
    with pytest.raises(QuantityError):
        waxman(3, 1)
    with pytest.raises(QuantityError):
        random_demands(plain, 51, 1)


@pytest.mark.parametrize(("coherence", "speed"), [(0.0, 1.0), (1.0, -1.0)])
def test_times_are_above_zero(coherence: float, speed: float) -> None:
    with pytest.raises(QuantityError):
        Decay(coherence, speed)


def test_factors_are_never_too_kind() -> None:
    network = waxman(40, 1, fidelities=(0.9, 1.0))
    decay = Decay(0.01)
    factors, router = decay.factors(network), QCast(network)
    demands = random_demands(network, 6, 1)
    for route in router.plan(demands).routes:
        bound = 1.0
        for edge in network.along(route.nodes):
            bound *= factors[edge]
        assert bound <= werner(decay.fidelity(network, route.nodes)) + 1e-12
