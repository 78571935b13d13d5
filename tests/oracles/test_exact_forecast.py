"""Exact forecasts against published tables, against enumeration, against independent simulators, and against the twin.

Sampled comparisons have fixed seeds, so they cannot flicker. With a fresh seed each of them would fail a right solver with a
probability below 1e-6 (5 standard errors; chi-square and Kolmogorov-Smirnov at that level).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import builders
from quantum_fabric import documents
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Delivered, Order, Truth
from quantum_fabric.network import absorption, waiting
from quantum_fabric.network.chain import Chain, chain
from quantum_fabric.network.exact import Law, segments, solve, steps
from quantum_fabric.network.exact.ages import fidelity_law
from quantum_fabric.network.exact.nodes import Link, Node, Purify, Swap
from quantum_fabric.network.exact.tree import Solver
from quantum_fabric.network.rehearsal import Stage
from quantum_fabric.network.scheme import from_plan
from quantum_fabric.physics import correlators
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.units import MS, SECOND, US

SIGMAS = 5.0
ALARM = 1e-6


def law(node: Node) -> Law:
    return Law(Solver().law(node), 1.0)


# ------------------------------------------------------------------------------------------------------ tables

PARALLEL = {  # p: {links: (mean, standard deviation)}
    0.5: {
        1: (2, 1.4142136),
        2: (8 / 3, 1.6329932),
        4: (3.5047619048, 1.7469896),
        8: (4.4210777258, 1.8060930),
    },
    0.25: {2: (5.7142857143, 3.8966233), 4: (7.7417760618, 4.1575314), 8: (9.9474329302, 4.3057127)},
    0.1: {2: (14.7368421053, 10.6154124), 4: (20.2733781918, 11.3281467), 64: (45.5253197233, 12.1189021)},
    0.01: {
        2: (149.7487437186, 111.2438204),
        8: (270.9245094367, 122.9702766),
        64: (472.5131717840, 127.0101613),
    },
}

NESTED = {  # (q, p): means of 2, 4 and 8 segments
    (0.75, 0.5): (3.555555556, 6.479994975, 11.760871123),
    (0.75, 0.25): (7.619047619, 14.154984252, 25.844251110),
    (0.75, 0.1): (19.649122807, 36.875997075, 67.558497496),
    (0.75, 0.01): (199.664991625, 376.904413654, 691.887478155),
    (0.5, 0.5): (5.333333333, 15.093906810, 42.999865225),
    (0.5, 0.25): (11.428571429, 32.694332123, 93.312813678),
    (0.5, 0.1): (29.473684211, 84.817580410, 242.348372423),
    (0.5, 0.01): (299.497487437, 864.882094397, 2472.889735581),
}


@pytest.mark.parametrize(("p", "links"), [(p, n) for p, row in PARALLEL.items() for n in row])
def test_parallel_links(p: float, links: int) -> None:
    found = law(steps.nested([steps.link(p)] * links))
    mean, deviation = PARALLEL[p][links]
    assert found.mean == pytest.approx(mean, rel=1e-9)
    assert found.deviation == pytest.approx(deviation, rel=1e-7)
    assert found.mean == pytest.approx(float(waiting.parallel_mean(p, links)), rel=1e-12)
    for step in (1, 5, 20, 400):
        miss = (1.0 - p) ** step
        assert found.survival(step) == pytest.approx(
            -math.expm1(links * math.log1p(-miss)), rel=1e-6, abs=1e-14
        )


@pytest.mark.parametrize(("q", "p"), list(NESTED))
def test_nested_swaps(q: float, p: float) -> None:
    for levels, mean in enumerate(NESTED[q, p], start=1):
        found = law(steps.nested([steps.link(p)] * 2**levels, q))
        assert found.mean == pytest.approx(mean, rel=1e-9)
        assert found.truncation < 1e-10
        assert found.mean <= float(waiting.three_over_two(p, q, levels))
        if levels == 2:
            exact = absorption.nested_four_mean(Fraction(str(p)), Fraction(str(q)))
            assert found.mean == pytest.approx(float(exact), rel=1e-11)


def test_unequal_links() -> None:
    for chances, mean in (((0.5, 0.25), 22 / 5), ((0.5, 1 / 3, 0.2), 2797 / 462)):
        assert law(steps.nested([steps.link(p) for p in chances])).mean == pytest.approx(mean, rel=1e-12)


ASAP = {
    (0.5, 1.0): "22/7", (0.5, 0.75): "11080/2187", (0.5, 0.5): "1204/117",
    (0.1, 1.0): "92170/5149", (0.1, 0.75): "96521320/3381867", (0.1, 0.5): "10276100/180101",
}  # fmt: skip


@pytest.mark.parametrize(("p", "q"), list(ASAP))
def test_swaps_as_soon_as_possible(p: float, q: float) -> None:
    assert segments.law(segments.row([p] * 3, q)).mean() == pytest.approx(
        float(Fraction(ASAP[p, q])), rel=1e-11
    )


@pytest.mark.parametrize("chances", [(0.5, 0.3), (0.2, 0.6, 0.4), (0.5, 0.4, 0.3, 0.6)])
def test_unequal_links_as_soon_as_possible(chances: tuple[float, ...]) -> None:
    exact = absorption.swap_asap_mean([Fraction(str(p)) for p in chances], Fraction(2, 3))
    assert segments.law(segments.row(chances, 2 / 3)).mean() == pytest.approx(float(exact), rel=1e-10)


CUTOFFS = {
    (0.1, 20): {
        0: (100.0, 1.0), 1: (42.142857143, 0.968647487), 5: (20.751172475, 0.887216432),
        20: (15.353439992, 0.735620350), None: (14.736842105, 0.678903513),
    },
    (0.01, 100): {
        10: (596.680041392, 0.950286439), 50: (224.986114695, 0.801863858), 200: (157.400613437, 0.567986029),
        None: (149.748743719, 0.501267810),
    },
}  # fmt: skip


@pytest.mark.parametrize(("p", "tau"), list(CUTOFFS))
def test_cutoffs_with_decay(p: float, tau: float) -> None:
    rate = (0.5 / tau,) * 3
    for cutoff, (mean, decay) in CUTOFFS[p, tau].items():
        found = law(steps.swap(steps.link(p), steps.link(p), rates=(rate,) * 3, cutoff=cutoff))
        assert found.mean == pytest.approx(mean, rel=1e-9)
        assert found.correlators == pytest.approx((decay,) * 3, abs=1e-9)


ROUNDS = {  # F and success of three rounds from Werner 0.8
    "dejmps": ((0.838150289, 0.768888889), (0.943639219, 0.744595543), (0.987973563, 0.901313118)),
    "bbpssw": ((0.838150289, 0.768888889), (0.873584515, 0.807485122), None),
}


@pytest.mark.parametrize("kind", list(ROUNDS))
def test_rounds_of_purification(kind: str) -> None:
    """Certain links: a round takes as many steps as its parts, and again as many after a failure."""
    node: Node = steps.link(1.0, correlators.werner(0.8))
    for row in ROUNDS[kind]:
        if row is None:
            break
        before = law(node)
        node = steps.purify(node, kind)
        assert law(node).fidelity == pytest.approx(row[0], abs=2e-9)
        if before.deviation == 0.0:
            assert law(node).mean == pytest.approx(1.0 / row[1], rel=1e-8)


@pytest.mark.parametrize(("fresh", "ends"), [(0.9, 0.488714066), (0.95, 0.681872426), (0.99, 0.923635419)])
def test_werner_pairs_over_eight_links(fresh: float, ends: float) -> None:
    node = steps.nested([steps.link(0.3, correlators.werner(fresh))] * 8, 0.6)
    assert law(node).fidelity == pytest.approx(ends, abs=1e-9)


# -------------------------------------------------------------------------------------------------- enumeration


def enumerated(node: Node, horizon: int) -> np.ndarray:
    """Law of a tree in steps by the definition: sums over all pairs of times, and round after round.

    Written on purpose without transforms, filters or tails: O(horizon^2) for each operation.
    """
    if isinstance(node, Link):
        found = np.zeros((4, horizon))
        for step in range(1, horizon):
            found[:, step] = node.success * (1 - node.success) ** (step - 1) * np.array([1.0, *node.fresh])
        return found
    parts = (node.part, node.part) if isinstance(node, Purify) else (node.left, node.right)
    one, two = (enumerated(part, horizon) for part in parts)
    win, lose = np.zeros((4, horizon)), np.zeros(horizon)
    for s, t in itertools.product(range(1, horizon), repeat=2):
        a, b = one[:, s].copy(), two[:, t].copy()
        later = max(s, t)
        wait = node.wait if isinstance(node, Purify) else node.wait_left if s < t else node.wait_right
        fade = np.exp(-abs(s - t) * np.array([0.0, *wait], dtype=float))
        a, b = (a * fade, b) if s < t else (a, b * fade)
        if isinstance(node, Purify):
            keep, spent = (a, b) if s >= t else (b, a)
            if keep[0] * spent[0] == 0.0:
                continue
            kind = "bbpssw" if node.round.twirl is not None else "dejmps"
            chance, state = correlators.purified(
                tuple(keep[1:] / keep[0]), tuple(spent[1:] / spent[0]), kind, NOISE, NOISE
            )
            weight = keep[0] * spent[0]
            win[:, later] += weight * chance * np.array([1.0, *state])
            lose[later] += weight * (1.0 - chance)
            continue
        if node.windows is not None and abs(s - t) > node.windows[0]:
            ended = min(s, t) + node.windows[0]
            lose[ended] += a[0] * b[0]
            continue
        joined = a * b * np.array([1.0, *node.factors], dtype=float)
        win[:, later] += node.success * joined
        lose[later] += (1.0 - node.success) * joined[0]
    if (
        isinstance(node, Swap) and node.windows is not None
    ):  # partners that come after the horizon are too late
        window = node.windows[0]
        for own, other in ((one, two), (two, one)):
            lose[window:] += own[0, : horizon - window] * (1.0 - other[0].sum())
    total = np.zeros((4, horizon))
    started = np.zeros(horizon)
    started[0] = 1.0
    for begin in range(horizon):  # a round that starts here ends later
        if started[begin]:
            rest = horizon - begin
            total[:, begin:] += started[begin] * win[:, :rest]
            started[begin:] += started[begin] * lose[:rest]
    return total


NOISE = OperationNoise(depolarising_1=0.002, depolarising_2=0.01, readout_error_0=0.02, readout_error_1=0.005)
RATE = (0.02, 0.02, 0.01)
BELL = (0.9, 0.86, 0.93)

TREES = {
    "unequal links, failing swap": steps.swap(
        steps.link(0.3, BELL), steps.link(0.6, (0.95, 0.9, 0.97)), 0.6, (RATE, (0.0, 0.01, 0.02), RATE)
    ),
    "cutoff": steps.swap(steps.link(0.3, BELL), steps.link(0.2, BELL), 0.7, (RATE,) * 3, cutoff=3),
    "dejmps": steps.purify(steps.link(0.3, BELL), "dejmps", (RATE, RATE), (NOISE, NOISE)),
    "bbpssw": steps.purify(steps.link(0.3, BELL), "bbpssw", (RATE, RATE), (NOISE, NOISE)),
    "everything": steps.nested(
        [steps.link(p, BELL) for p in (0.5, 0.3, 0.6, 0.4)],
        0.7, RATE, cutoffs=(4, 9), rounds=(1, 1, 0), noise=NOISE, factors=(0.98, 0.97, 0.99),
    ),
    "three links": steps.nested([steps.link(p, BELL) for p in (0.5, 0.3, 0.6)], 0.7, RATE),
}  # fmt: skip


@pytest.mark.parametrize("name", list(TREES))
def test_every_probability_and_state_against_enumeration(name: str) -> None:
    horizon = 48
    exact = enumerated(TREES[name], horizon)
    found = Solver().law(TREES[name]).upto(horizon)
    assert exact[0].sum() > 0.3
    assert np.abs(found - exact).max() < 1e-13


# --------------------------------------------------------------------------------------- slot by slot simulators


def sampled(node: Node, random: np.random.Generator) -> tuple[int, np.ndarray]:
    """One pair of a tree in steps, attempt after attempt: its time, and its state given all that happened."""
    if isinstance(node, Link):
        step = 1
        while random.random() >= node.success:
            step += 1
        return step, np.array(node.fresh, dtype=float)
    clock = 0
    while True:
        parts = (node.part, node.part) if isinstance(node, Purify) else (node.left, node.right)
        (s, a), (t, b) = (sampled(part, random) for part in parts)
        wait = node.wait if isinstance(node, Purify) else node.wait_left if s < t else node.wait_right
        fade = np.exp(-abs(s - t) * np.array(wait, dtype=float))
        a, b = (a * fade, b) if s < t else (a, b * fade)
        if isinstance(node, Purify):
            keep, spent = (a, b) if s >= t else (b, a)
            chance, state = correlators.purified(tuple(keep), tuple(spent), "dejmps", NOISE, NOISE)
        elif node.windows is not None and abs(s - t) > node.windows[0]:
            clock += min(s, t) + node.windows[0]
            continue
        else:
            chance, state = node.success, tuple(a * b * np.array(node.factors, dtype=float))
        clock += max(s, t)
        if random.random() < chance:
            return clock, np.array(state)


def assert_same_law(times: np.ndarray, fidelities: np.ndarray, found: Law) -> None:
    """Kolmogorov-Smirnov on the times (conservative on a grid), chi-square on their deciles, means of both."""
    count = len(times)
    points = np.unique(np.round(times / found.tick).astype(int))
    order = np.sort(np.round(times / found.tick).astype(int))
    exact = np.array([1.0 - found.survival(point * found.tick) for point in points])
    empirical = np.searchsorted(order, points, side="right") / count
    assert np.abs(empirical - exact).max() < math.sqrt(-0.5 * math.log(ALARM / 2.0) / count)
    edges = sorted({round(found.quantile(level / 10) / found.tick) for level in range(1, 10)})
    shares = np.diff([0.0, *(1.0 - found.survival(edge * found.tick) for edge in edges), 1.0])
    seen = np.histogram(order, [-1, *(edge + 0.5 for edge in edges), 1e18])[0]
    freedom = len(shares) - 1
    chi_square = float(((seen - count * shares) ** 2 / (count * shares)).sum())
    # Laurent and Massart (2000): beyond this with a probability below e^-x
    x = -math.log(ALARM)
    assert chi_square < freedom + 2.0 * math.sqrt(freedom * x) + 2.0 * x
    for values, mean in ((times, found.mean), (fidelities, found.fidelity)):
        error = float(values.std(ddof=1)) / math.sqrt(count)
        assert abs(float(values.mean()) - mean) <= SIGMAS * error + 1e-9


@pytest.mark.parametrize(("name", "count"), [("cutoff", 3_000), ("dejmps", 3_000), ("everything", 500)])
def test_against_a_slot_by_slot_simulator(name: str, count: int) -> None:
    random = np.random.default_rng(20_101)
    runs = [sampled(TREES[name], random) for _ in range(count)]
    times = np.array([float(time) for time, _ in runs])
    fidelities = np.array([(1.0 + state.sum()) / 4.0 for _, state in runs])
    found = law(TREES[name])
    assert_same_law(times, fidelities, found)
    early = times <= found.quantile(0.3)  # the state given the time: pairs that came soon are another mean
    table = found.states()[:, 0]
    upto = int(found.quantile(0.3)) + 1
    expected = float(np.nansum(table[:upto] * found.chances[:upto]) / found.chances[:upto].sum())
    error = float(fidelities[early].std(ddof=1)) / math.sqrt(early.sum())
    assert abs(float(fidelities[early].mean()) - expected) <= SIGMAS * error


def test_the_law_of_the_fidelity_against_a_simulator() -> None:
    node = steps.nested([steps.link(0.3, correlators.werner(0.95))] * 4, 0.6, (0.01, 0.01, 0.005))
    random = np.random.default_rng(20_102)
    values = np.sort([(1.0 + sampled(node, random)[1].sum()) / 4.0 for _ in range(3_000)])
    found = fidelity_law(node)
    assert found is not None
    assert found.mean == pytest.approx(law(node).fidelity, abs=1e-7)
    levels = np.cumsum(found.chances[::-1])
    exact = np.interp(values + 1e-9, found.values[::-1], levels)
    empirical = np.arange(1, len(values) + 1) / len(values)
    # between the atoms of the law the interpolated share is not a step: compare at the atoms
    atoms = found.values[::-1][(levels > 0.01) & (levels < 0.99)]
    share = np.searchsorted(values, atoms + 1e-9, side="right") / len(values)
    exact = levels[(levels > 0.01) & (levels < 0.99)]
    assert len(exact) > 5
    assert empirical[-1] == 1.0
    assert np.abs(share - exact).max() < math.sqrt(-0.5 * math.log(ALARM / 2.0) / len(values))


# ----------------------------------------------------------------------------------------- the twin's own rules

CHAINS: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
    "one link, two lanes": (1, {"lanes": 2}, {}),
    "two links, a failing swap": (2, {}, {"swap_success": 0.6}),
    "two links, a cutoff": (2, {"cutoff": 6 * MS}, {"swap_success": 0.8}),
    "four links, as soon as possible": (4, {}, {}),
    "four links, nested": (4, {"order": Order.NESTED}, {"swap_success": 0.6}),
    "one round on a link": (1, {"lanes": 2, "rounds": 1}, {}),
    "one round on each of two links": (2, {"lanes": 2, "rounds": 1}, {}),
}
TIMINGS = {
    "instant": (0, 0, MS),
    "messages": (20 * US, MS // 5, MS // 5),
    "late": (30 * US, 700 * US, 1300 * US),
}


def network_of(label: str, timing: str) -> tuple[Any, Any, list[str]]:
    hops, how, noise = CHAINS[label]
    swap_time, hop_delay, heard = TIMINGS[timing]
    each = builders.node(slots=8, t2=0.1, swap_time=swap_time, depolarising_2=0.004, **noise)
    model = builders.link(0.25, period=MS, fidelity=0.97, heard=(heard, heard))
    network = builders.chain(hops + 1, model, each, hop_delay=hop_delay)
    path = builders.names(hops + 1)
    return network, builders.plan(network, path, **how), path


def chain_of(label: str, timing: str) -> Chain:
    network, plan, _ = network_of(label, timing)
    return chain(documents.topology(network), from_plan(plan))


@pytest.mark.parametrize("timing", list(TIMINGS))
@pytest.mark.parametrize("label", list(CHAINS))
def test_first_deliveries_of_the_rehearsal(label: str, timing: str) -> None:
    numbers = chain_of(label, timing)
    found = solve(numbers)
    assert found is not None
    assert found.exact, found.remarks
    firsts = []
    for number in range(800):
        stage = Stage(numbers, 50_000 + number)
        stage.play(1, 100_000)
        firsts += stage.delivered
    times, fidelities = (np.array(column) for column in zip(*firsts, strict=True))
    assert len(times) == 800
    assert_same_law(times, fidelities, found.first)


@pytest.mark.parametrize(
    ("label", "timing"),
    [
        ("two links, a failing swap", "messages"),
        ("two links, a cutoff", "instant"),
        ("four links, nested", "late"),
        ("one round on a link", "messages"),
    ],
)
def test_deliveries_of_the_twin(label: str, timing: str, planned: Callable[[Any], None]) -> None:
    """One long request: every delivery is a fresh start, and the time between two has a law of its own.

    Where one end knows of a success before the other, its half is used at once and ages no more, while a forecast counts until
    both know, as the estimate does that is told to the client; so that one is compared after purification.
    """
    network, plan, path = network_of(label, timing)
    found = solve(chain_of(label, timing))
    assert found is not None
    assert found.between is not None
    count = 700
    planned(plan)
    fabric = Fabric(network, seed=20_103)
    taken: list[int] = []
    told: list[float] = []
    true: list[float] = []
    fabric.watch(lambda time, _place, message: true.append(message.weights[0]), Truth)
    fabric.watch(lambda time, _place, message: taken.append(message.delivered_at), Delivered)
    fabric.watch(lambda time, _place, message: told.append(message.fidelity), Delivered)
    fabric.submit(builders.request(path[0], path[-1], pairs=count))
    fabric.run(10**6 * SECOND, stop=lambda: not fabric.open_requests)
    assert len(taken) == count
    gaps = np.diff(np.array(taken) / SECOND)
    values = told if "round" in label else true
    assert_same_law(gaps, np.array(values[1:]), found.between)


def test_failing_swaps_as_soon_as_possible_against_the_rehearsal() -> None:
    """Messages take no time; inner links of long segments run ahead."""
    each = builders.node(slots=2, t2=0.1, swap_success=0.7)
    network = builders.chain(5, builders.link(0.4, period=MS, fidelity=0.97), each)
    numbers = chain(documents.topology(network), from_plan(builders.plan(network, builders.names(5))))
    found = solve(numbers)
    assert found is not None
    assert found.exact
    firsts = []
    for number in range(1_500):
        stage = Stage(numbers, 60_000 + number)
        stage.play(1, 100_000)
        firsts += stage.delivered
    times, fidelities = (np.array(column) for column in zip(*firsts, strict=True))
    assert_same_law(times, fidelities, found.first)


# ------------------------------------------------------------------------------------------------- invariances


def means(chains: Sequence[Node]) -> list[float]:
    return [law(node).mean for node in chains]


def test_what_must_not_matter_does_not_and_what_must_does() -> None:
    links = [steps.link(p, BELL) for p in (0.2, 0.5, 0.3, 0.4)]
    there, back = (steps.nested(order, 0.7, RATE, (6, 12)) for order in (links, links[::-1]))
    assert law(there).mean == pytest.approx(law(back).mean, rel=1e-12)
    assert law(there).fidelity == pytest.approx(law(back).fidelity, abs=1e-12)
    cutoffs = [steps.nested(links[:2], 1.0, RATE, (cutoff,)) for cutoff in (1, 4, 16, 64)]
    assert means(cutoffs) == sorted(means(cutoffs), reverse=True)
    qualities = [law(node).fidelity for node in cutoffs]
    assert qualities == sorted(qualities, reverse=True)
    wide = Swap(links[0], links[1], 1.0, (1.0,) * 3, RATE, RATE, windows=(10**6, 10**6))
    free = Swap(links[0], links[1], 1.0, (1.0,) * 3, RATE, RATE)
    assert law(wide).mean == pytest.approx(law(free).mean, rel=1e-12)
