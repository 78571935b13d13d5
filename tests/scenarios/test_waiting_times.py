"""The twin with the standard agents against exact waiting times and exact decay.

Convention of the exact results (Shchukin, Schmidt, van Loock, PRA 100, 032322 (2019); Brand, Coopmans, Elkouss, IEEE JSAC 38,
619 (2020)): integer steps; a link needs Geometric(p) steps; swaps and messages take no time; a failed swap destroys both inputs and
generation restarts at the next step. It is reached with

    * links of period STEP that are born at the start of an attempt and heard one STEP later, at both ends
    * no classical delay, no swap time, one lane for each link.

With these, everything that a herald sets off happens at the herald's own picosecond, so slots that are freed take part in
the attempt that starts then: "at the next step". `test_every_delivery_is_a_fresh_start` checks for which chains all lanes restart at
a delivery, so that the deliveries of one long run are independent and identically distributed. Longer chains run ahead with the
next pair; there every run is a request of its own.

Seeds are fixed, so the tests are deterministic: they cannot fail by chance. Each of the 39 comparisons asks for 4 standard
errors, which a fresh seed would miss once in 16 000 times; a whole new set of seeds would miss one once in 400 times.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from statistics import fmean, stdev
from typing import Any

import pytest

from builders import chain, halved, link, names, node, plan, request
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Delivered, Order, Plan, Truth
from quantum_fabric.units import SECOND, US, Time

STEP: Time = US
FOREVER = 10_000 * SECOND


def row_of(models: Sequence[FixedLink], swap_success: float = 1.0, memory: float = math.inf) -> Inventory:
    return chain(len(models) + 1, models, node(2, t1=memory, t2=memory, swap_success=swap_success))


def deliveries(network: Inventory, chosen: Plan, count: int, seed: int) -> tuple[list[float], list[float]]:
    """Steps between pairs of one long run, and the correlator of each pair when both ends had taken it."""
    fabric = Fabric(network, seed=seed)
    times: list[Time] = [0]
    correlators: list[float] = []

    def note(time: Time, _place: str, message: Any) -> None:
        times.append(time)
        correlators.append((4.0 * message.weights[0] - 1.0) / 3.0)

    fabric.watch(note, Truth)
    fabric.submit(request(chosen.path[0], chosen.path[-1], count))
    fabric.run(FOREVER, stop=lambda: len(times) > count)
    assert len(times) == count + 1
    assert all(time % STEP in range(4) for time in times)
    steps = [(after - before) / STEP for before, after in itertools.pairwise(times)]
    return steps, correlators[:count]


def separate_runs(network: Inventory, chosen: Plan, count: int, seed: int) -> list[float]:
    """Steps to the first pair of each of many requests, one after the other; each finds the network empty."""
    fabric = Fabric(network, seed=seed)
    steps = []
    for _ in range(count):
        start = fabric.now
        fabric.submit(request(chosen.path[0], chosen.path[-1]))
        fabric.run(FOREVER, stop=lambda: not fabric.open_requests and not fabric.controller.ledger.leases())
        steps.append((fabric.now - start) / STEP)
    return steps


def assert_mean(samples: Sequence[float], exact: float | Fraction) -> None:
    """Within 4 standard errors."""
    error = stdev(samples) / math.sqrt(len(samples))
    mean = fmean(samples)
    if error == 0.0:
        assert mean == pytest.approx(float(exact), abs=1e-9)
    else:
        assert abs(mean - float(exact)) <= 4.0 * error, f"{mean} ± {error}, exact {float(exact)}"


# ----------------------------------------------------------------------------------------------- fresh starts

SHAPES = [(2, Order.ASAP, 0.75), (3, Order.ASAP, 0.75), (4, Order.NESTED, 0.75)]


@pytest.mark.parametrize(("segments", "order", "swap_success"), SHAPES)
def test_every_delivery_is_a_fresh_start(
    segments: int, order: Order, swap_success: float, planned: Callable[[Any], None]
) -> None:
    """When a pair has been delivered, every lane begins anew at that same instant, whatever went before."""
    network = row_of([link(0.5, STEP)] * segments, swap_success)
    planned(plan(network, names(segments + 1), order))
    fabric = Fabric(network, seed=7)
    fresh = []

    def look(time: Time, _place: str, message: Any) -> None:
        slots = [slot for name in "ABCDEFGHI"[: segments + 1] for slot in fabric.twin.nodes[name].slots]
        leased = [slot for slot in slots if slot.number in fabric.agents[slot.node.name].leases]
        assert len(leased) == 2 * segments
        fresh.append(all(slot.lane is not None and slot.half is None for slot in leased))

    fabric.watch(look, Delivered)
    fabric.submit(request("A", names(segments + 1)[-1], 100))
    fabric.run(FOREVER, stop=lambda: len(fresh) >= 99)
    assert all(fresh)


# --------------------------------------------------------------------------------------------- parallel links


def mean_of_slowest(*chances: float) -> float:
    """Mean of the maximum of independent geometric numbers, by inclusion and exclusion over subsets."""
    total = 0.0
    for subset in range(1, 1 << len(chances)):
        chosen = [p for place, p in enumerate(chances) if subset >> place & 1]
        total -= (-1) ** len(chosen) / (1.0 - math.prod(1.0 - p for p in chosen))
    return total


PARALLEL = [
    # links, p, exact mean, deliveries
    (1, 0.5, Fraction(2), 20_000),
    (1, 0.1, Fraction(10), 20_000),
    (2, 0.5, Fraction(8, 3), 20_000),
    (3, 0.5, Fraction(22, 7), 10_000),
    (3, 0.1, Fraction(92170, 5149), 10_000),
    (4, 0.5, Fraction(368, 105), 6_000),
    (4, 0.1, Fraction(18894160, 931969), 6_000),
]


@pytest.mark.parametrize(("links", "p", "exact", "count"), PARALLEL)
def test_perfect_swaps_wait_for_the_slowest_link(
    links: int, p: float, exact: Fraction, count: int, planned: Callable[[Any], None]
) -> None:
    """Swap order does not matter if swaps cannot fail; nested, so that no inner link runs ahead with four."""
    assert mean_of_slowest(*[p] * links) == pytest.approx(float(exact), rel=1e-12)
    network = row_of([link(p, STEP)] * links)
    chosen = plan(network, names(links + 1), Order.NESTED)
    planned(chosen)
    steps, _ = deliveries(network, chosen, count, seed=1)
    assert_mean(steps, exact)


@pytest.mark.slow
@pytest.mark.parametrize(("p", "exact"), [(0.5, Fraction(8, 3)), (0.1, Fraction(280, 19))])
def test_two_links_in_a_hundred_thousand_runs(
    p: float, exact: Fraction, planned: Callable[[Any], None]
) -> None:
    network = row_of([link(p, STEP)] * 2)
    chosen = plan(network, "ABC")
    planned(chosen)
    steps, _ = deliveries(network, chosen, 100_000, seed=2)
    assert_mean(steps, exact)
    second = mean_of_squares_of_slower(p)
    assert_mean([step**2 for step in steps], second)


def mean_of_squares_of_slower(p: float) -> float:
    """E[max²] of two geometric numbers from P(max > t) = 1 − (1 − (1−p)^t)²."""
    q = 1.0 - p
    return sum((2 * t + 1) * (2 * q**t - q ** (2 * t)) for t in range(2000))


UNEQUAL = [((0.5, 0.25), Fraction(22, 5)), ((0.5, 1 / 3, 0.2), Fraction(2797, 462))]


@pytest.mark.parametrize(("chances", "exact"), UNEQUAL)
def test_unequal_links(chances: tuple[float, ...], exact: Fraction, planned: Callable[[Any], None]) -> None:
    assert mean_of_slowest(*chances) == pytest.approx(float(exact), rel=1e-12)
    network = row_of([link(p, STEP) for p in chances])
    chosen = plan(network, names(len(chances) + 1))
    planned(chosen)
    steps, _ = deliveries(network, chosen, 10_000, seed=3)
    assert_mean(steps, exact)


# ------------------------------------------------------------------------------------------------ failing swaps


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.75), (0.1, 0.5)])
def test_two_segments_with_failing_swaps(p: float, q: float, planned: Callable[[Any], None]) -> None:
    network = row_of([link(p, STEP)] * 2, q)
    chosen = plan(network, "ABC")
    planned(chosen)
    steps, _ = deliveries(network, chosen, 8_000, seed=4)
    assert_mean(steps, mean_of_slowest(p, p) / q)


NESTED = [
    (4, 0.5, 0.75, Fraction(103168, 15921), 8_000),
    (4, 0.5, 0.5, Fraction(21056, 1395), 5_000),
    (4, 0.1, 0.75, Fraction(31605489920, 857074857), 4_000),
    (4, 0.1, 0.5, Fraction(6108244160, 72016251), 3_000),
    (8, 0.5, 0.75, 11.760871123, 2_000),
    (8, 0.5, 0.5, 42.999865225, 1_000),
    (8, 0.1, 0.75, 67.558497496, 1_500),
]


@pytest.mark.parametrize(("segments", "p", "q", "exact", "count"), NESTED)
def test_nested_swaps_that_fail(
    segments: int, p: float, q: float, exact: float, count: int, planned: Callable[[Any], None]
) -> None:
    """A repeater of a higher level swaps only when both its segments are complete, and it is told so at once."""
    assert len(halved(0, segments)) == segments - 1
    network = row_of([link(p, STEP)] * segments, q)
    chosen = plan(network, names(segments + 1), Order.NESTED)
    planned(chosen)
    if segments == 8:  # the repeaters within a complete half are free to run ahead
        steps = separate_runs(network, chosen, count, seed=5)
    else:
        steps, _ = deliveries(network, chosen, count, seed=5)
    assert_mean(steps, exact)


# --------------------------------------------------------------------------------- three segments, swap as soon as possible


def three_segments(p: Fraction, q: Fraction, together: bool) -> Fraction:
    """Mean steps of three segments A B C D that are swapped as soon as possible, from the chain of ready links.

    Args:
        p: success of an attempt.
        q: success of a swap.
        together: what happens if both repeaters can swap in the same step. True: both do, and one failure loses everything.
            False: B is first, and if it fails, C keeps its pair with D.
    """
    # (AB, BC, CD) ready; (2, 0, c) and (a, 0, 2): two links are swapped already, the third is awaited
    states = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (2, 0, 0), (0, 0, 2)]
    done = "done"

    def swapped(a: int, b: int, c: int) -> dict[Any, Fraction]:
        if a and b and c:
            if together:
                return {done: q * q, (0, 0, 0): 1 - q * q}
            return {(0, 0, c): 1 - q, done: q * q, (0, 0, 0): q * (1 - q)}
        if a and b:
            return {(2, 0, c): q, (0, 0, c): 1 - q}
        if b and c:
            return {(a, 0, 2): q, (a, 0, 0): 1 - q}
        return {(a, b, c): Fraction(1)}

    def after(state: tuple[int, int, int]) -> dict[Any, Fraction]:
        a, b, c = state
        if 2 in state:  # the last link comes with p, then the last swap works with q
            return {state: 1 - p, done: p * q, (0, 0, 0): p * (1 - q)}
        result: dict[Any, Fraction] = {}
        for x in (0, 1) if not a else (1,):
            for y in (0, 1) if not b else (1,):
                for z in (0, 1) if not c else (1,):
                    chance = Fraction(1)
                    for was, now in zip((a, b, c), (x, y, z), strict=True):
                        chance *= 1 if was else p if now else 1 - p
                    for to, weight in swapped(x, y, z).items():
                        result[to] = result.get(to, Fraction(0)) + chance * weight
        return result

    size = len(states)
    rows = []
    for place, state in enumerate(states):
        onward = after(state)
        rows.append(
            [Fraction(int(place == k)) - onward.get(to, Fraction(0)) for k, to in enumerate(states)]
            + [Fraction(1)]
        )
    for place in range(size):
        pivot = next(k for k in range(place, size) if rows[k][place] != 0)
        rows[place], rows[pivot] = rows[pivot], rows[place]
        rows[place] = [entry / rows[place][place] for entry in rows[place]]
        for k in range(size):
            if k != place:
                factor = rows[k][place]
                rows[k] = [x - factor * y for x, y in zip(rows[k], rows[place], strict=True)]
    return rows[0][-1]


ASAP = [
    (0.5, 0.75, Fraction(11080, 2187)),
    (0.5, 0.5, Fraction(1204, 117)),
    (0.1, 0.75, Fraction(96521320, 3381867)),
    (0.1, 0.5, Fraction(10276100, 180101)),
]


@pytest.mark.parametrize(("p", "q", "exact"), ASAP)
def test_three_segments_leftmost_swap_first(
    p: float, q: float, exact: Fraction, planned: Callable[[Any], None]
) -> None:
    """The published convention: B's swap is decided before C begins.

    C hears of B~C one picosecond after B, when B's result has already reached it. What C sets off then happens one picosecond
    after the step; halves are emitted two picoseconds after an attempt starts, so those slots still take part in it.
    """
    assert three_segments(Fraction(str(p)), Fraction(str(q)), together=False) == exact
    at_once = link(p, STEP, born=(2, 2))
    network = row_of([at_once, link(p, STEP, born=(2, 2), heard=(STEP, STEP + 1)), at_once], q)
    chosen = plan(network, "ABCD")
    planned(chosen)
    steps, _ = deliveries(network, chosen, 4_000, seed=6)
    assert_mean(steps, exact)


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.1, 0.75)])
def test_three_segments_swap_together(p: float, q: float, planned: Callable[[Any], None]) -> None:
    """What equal links do: both repeaters hear at the same picosecond and neither knows of the other's swap."""
    network = row_of([link(p, STEP)] * 3, q)
    chosen = plan(network, "ABCD")
    planned(chosen)
    steps, _ = deliveries(network, chosen, 3_000, seed=8)
    assert_mean(steps, three_segments(Fraction(str(p)), Fraction(str(q)), together=True))


# ---------------------------------------------------------------------------------------------- decay and cutoff

TAU = 20  # steps in which one waiting pair (both its halves) loses a factor e of its correlators
CUTOFF = [
    # steps that the first link may wait, mean steps, mean decay, deliveries; p = 0.1
    (0, 100.0, 1.0, 2_000),
    (1, 42.142857143, 0.968647487, 3_000),
    (5, 20.751172475, 0.887216432, 5_000),
    (20, 15.353439992, 0.735620350, 5_000),
    (None, 14.736842105, 0.678903513, 5_000),
]


@pytest.mark.parametrize(("wait", "mean", "decay", "count"), CUTOFF)
def test_two_segments_with_a_cutoff(
    wait: int | None, mean: float, decay: float, count: int, planned: Callable[[Any], None]
) -> None:
    """Discard a link that has waited ``wait`` steps after it was heard.

    A half is born at the start of its attempt, one step before it is heard, and our cutoff counts from birth: it is
    (wait + 1) steps. It is a timer, so a herald at that very instant still finds the half there. For the same reason each
    of the two pairs is one step older than in the convention: a factor of exp(-2/tau) in every sample.
    """
    memory = 2 * TAU * STEP / SECOND  # each half loses at half the rate of a pair
    network = row_of([link(0.1, STEP)] * 2, memory=memory)
    chosen = plan(network, "ABC", cutoff=None if wait is None else (wait + 1) * STEP)
    planned(chosen)
    steps, correlators = deliveries(network, chosen, count, seed=9)
    assert_mean(steps, mean)
    assert_mean([each * math.exp(2.0 / TAU) for each in correlators], decay)


DECAY = [(0.5, 10.0, 0.884141912161), (0.1, 100.0, 0.913482994401)]


@pytest.mark.parametrize(("p", "tau", "exact"), DECAY)
def test_decay_while_the_first_link_waits(
    p: float, tau: float, exact: float, planned: Callable[[Any], None]
) -> None:
    """E[λ^|T1 − T2|] = p/(2−p) · (1 + (1−p)λ)/(1 − (1−p)λ) with λ = exp(−1/τ)."""
    lam = math.exp(-1.0 / tau)
    assert p / (2 - p) * (1 + (1 - p) * lam) / (1 - (1 - p) * lam) == pytest.approx(exact, rel=1e-11)
    network = row_of([link(p, STEP)] * 2, memory=2 * tau * STEP / SECOND)
    chosen = plan(network, "ABC")
    planned(chosen)
    _, correlators = deliveries(network, chosen, 5_000, seed=10)
    assert_mean([each * math.exp(2.0 / tau) for each in correlators], exact)
