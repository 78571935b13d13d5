"""Chains: which have an exact law, what is remarked where they have not, bounds, coarser ticks."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from benchmarks.exact_forecast import CASES, law_of

import builders
from quantum_fabric import documents
from quantum_fabric.messages import Order
from quantum_fabric.network.chain import Chain, chain
from quantum_fabric.network.exact import solve, why_not
from quantum_fabric.network.exact.timed import common_tick
from quantum_fabric.network.scheme import from_plan
from quantum_fabric.physics.noise import MemoryNoise
from quantum_fabric.units import MS, US


def chain_on(
    hops: int,
    success: float = 0.15,
    t2: float = 0.5,
    delay: int = MS // 5,
    period: int = MS,
    swap: float = 1.0,
    **how: object,
) -> Chain:
    each = builders.node(slots=16, t2=t2, swap_time=20 * US, swap_success=swap)
    model = builders.link(success, period=period, fidelity=0.97, heard=(MS // 5, MS // 5))
    network = builders.chain(hops + 1, model, each, hop_delay=delay)
    plan = builders.plan(network, builders.names(hops + 1), **how)  # type: ignore[arg-type]
    return chain(documents.topology(network), from_plan(plan))


EXACT = {
    "lanes": chain_on(2, lanes=3),
    "a failing swap": chain_on(2, swap=0.5),
    "a cutoff": chain_on(2, cutoff=8 * MS),
    "as soon as possible": chain_on(4),
    "nested": chain_on(4, order=Order.NESTED, swap=0.5),
    "nested, sure": chain_on(8, order=Order.NESTED),
    "a round": chain_on(1, lanes=2, rounds=1),
}
OTHERWISE = {
    "run ahead": (chain_on(8, order=Order.NESTED, swap=0.5), "run ahead"),
    "cutoffs above": (chain_on(4, order=Order.NESTED, cutoff=20 * MS), "cutoffs count"),
    "rounds at the end": (chain_on(2, lanes=2, end_rounds=1), "independent"),
    "several rounds": (chain_on(1, lanes=4, rounds=2), "several rounds"),
    "lanes beside failures": (chain_on(2, lanes=2, swap=0.5), "lanes run ahead"),
}
OUT_OF_STEP = chain(
    documents.topology(
        network := builders.chain(
            3,
            [builders.link(0.003, period=period, heard=(period, period)) for period in (MS, 730_001_003)],
            builders.node(slots=2, swap_success=0.5),
        )
    ),
    from_plan(builders.plan(network, builders.names(3))),
)
NEVER = {
    "no success": (replace(chain_on(1), hops=(replace(chain_on(1).hops[0], success=0.0),)), "never succeeds"),
    "pumping": (replace(chain_on(1, lanes=3, rounds=2), pumped=True), "pumping"),
    "as soon as possible, failing": (chain_on(3, swap=0.5), "messages"),
    "cutoff as soon as possible": (chain_on(3, cutoff=8 * MS), "cutoff"),
    "rounds as soon as possible": (chain_on(3, lanes=2, end_rounds=1), "purification"),
}


@pytest.mark.parametrize("name", list(EXACT))
def test_exact(name: str) -> None:
    found = solve(EXACT[name])
    assert found is not None
    assert found.exact
    assert why_not(EXACT[name]) == ""
    assert found.first.truncation < 1e-9
    assert found.first.spread == 0.0
    assert found.bounds.slowest <= found.first.mean


@pytest.mark.parametrize("name", list(OTHERWISE))
def test_what_is_taken_otherwise_is_said(name: str) -> None:
    numbers, words = OTHERWISE[name]
    found = solve(numbers)
    assert found is not None
    assert not found.exact
    assert any(words in remark for remark in found.remarks)


@pytest.mark.parametrize("name", list(NEVER))
def test_what_has_no_exact_law(name: str) -> None:
    numbers, words = NEVER[name]
    assert words in why_not(numbers)
    assert solve(numbers) is None


def test_memories_that_are_not_simple() -> None:
    numbers = chain_on(2)
    odd = replace(numbers.stations[1], memory=MemoryNoise(math.inf, 1.0, exponent=2.0))
    assert "memory" in why_not(replace(numbers, stations=(numbers.stations[0], odd, numbers.stations[2])))


def test_one_link_by_hand() -> None:
    found = solve(chain_on(1, success=0.25, t2=0.1))
    assert found is not None
    # set-up takes 0.6 ms, so the first attempt starts at 1 ms
    assert found.first.mean == pytest.approx(1e-3 + 3e-3 + 0.2e-3)
    assert found.between is not None
    assert found.between.mean == pytest.approx(4e-3)
    x = (4 * 0.97 - 1) / 3
    assert found.first.fidelity == pytest.approx(
        (1 + 2 * x * math.exp(-0.4e-3 / 0.1) + x) / 4
    )  # z is not lost: no T1


def test_links_out_of_step_on_a_coarse_grid_are_remarked() -> None:
    """Mean of two exponential times over the chance of a swap, but for what waits for a grid."""
    found = solve(OUT_OF_STEP)
    assert found is not None
    assert any("out of step on a coarse grid" in each for each in found.remarks)
    one, two = 1e-3 / 0.003, 730.001003e-6 / 0.003
    assert found.first.mean == pytest.approx((one + two - one * two / (one + two)) / 0.5, rel=0.02)


def test_a_fresh_start_after_each_delivery() -> None:
    two = solve(replace(chain_on(2, swap=0.5), begins=()))  # as if all began together
    assert two is not None
    assert two.between is not None
    assert 0.0 < two.between.mean - two.first.mean < 1e-3
    assert two.between.fidelity == pytest.approx(two.first.fidelity, abs=1e-9)
    lanes = solve(EXACT["lanes"])
    assert lanes is not None
    assert lanes.between is None  # lanes run ahead of a delivery


def test_a_coarser_tick_keeps_the_means() -> None:
    numbers = chain_on(4, order=Order.NESTED, swap=0.5)
    fine, coarse = solve(numbers), solve(numbers, most=4_000)
    assert fine is not None
    assert coarse is not None
    assert fine.exact
    assert any("rounded" in remark for remark in coarse.remarks)
    assert coarse.first.tick > 1e-12 * common_tick(numbers)
    assert coarse.first.mean == pytest.approx(fine.first.mean, rel=5e-3)
    assert coarse.first.fidelity == pytest.approx(fine.first.fidelity, abs=5e-4)
    assert coarse.first.quantile(0.95) == pytest.approx(fine.first.quantile(0.95), rel=0.01)


def test_rare_success_takes_many_attempts_as_one() -> None:
    """The law in units of 1/p hardly depends on p: two hundred times rarer, two hundred times longer."""
    rare, often = (
        solve(chain_on(4, success=p, order=Order.NESTED, swap=0.5, delay=0, t2=500.0 * 0.01 / p))
        for p in (5e-5, 0.01)
    )
    assert rare is not None
    assert often is not None
    assert rare.first.series.ticks < 1 << 18
    assert rare.first.mean * 5e-5 == pytest.approx(often.first.mean * 0.01, rel=0.01)
    assert rare.first.fidelity == pytest.approx(often.first.fidelity, abs=1e-3)


def test_bounds() -> None:
    still = chain_on(4, order=Order.NESTED, swap=0.5, delay=0)
    found = solve(still, transmissions=[0.5, 0.5, 0.25, 0.5])
    assert found is not None
    assert found.first.mean <= found.bounds.three_over_two < 2.0 * found.first.mean
    assert found.bounds.capacity == pytest.approx(-math.log2(0.75) * 1000.0)
    assert found.first.rate < found.bounds.capacity
    other = solve(chain_on(4))
    assert other is not None
    assert math.isinf(other.bounds.three_over_two)
    assert math.isinf(other.bounds.capacity)


@pytest.mark.parametrize("delay", [0, MS // 5])
def test_the_law_of_the_fidelity(delay: int) -> None:
    """With messages that take time the link beside the controller begins a period earlier."""
    found = solve(chain_on(2, period=MS, swap=0.5, delay=delay))
    assert found is not None
    law = found.fidelities()
    assert law is not None
    assert law.mean == pytest.approx(found.first.fidelity, abs=1e-7)
    assert law.quantile(0.05) < law.mean < law.quantile(0.95)
    rounds = solve(EXACT["a round"])
    assert rounds is not None
    assert rounds.fidelities() is None


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_benchmark_keeps_no_more_ticks_than_it_may(case: object) -> None:
    found = law_of(case.make())  # type: ignore[attr-defined]
    assert found.series.ticks <= case.ticks  # type: ignore[attr-defined]
    assert found.truncation < 1e-8
