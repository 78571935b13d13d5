"""Chains as trees: ticks, lags, windows, by hand."""

from __future__ import annotations

import pytest

import builders
from quantum_fabric import documents
from quantum_fabric.messages import Order
from quantum_fabric.network.chain import Chain, Hop, chain
from quantum_fabric.network.exact.nodes import Link, Purify, Swap
from quantum_fabric.network.exact.timed import common_tick, in_step, together, tree
from quantum_fabric.network.scheme import from_plan
from quantum_fabric.units import MS, US


def chain_on(hops: int, delay: int = MS // 5, **how: object) -> Chain:
    each = builders.node(slots=8, t2=0.1, swap_time=20 * US, swap_success=0.5)
    model = builders.link(0.25, period=MS, fidelity=0.97, heard=(MS // 5, MS // 5))
    network = builders.chain(hops + 1, model, each, hop_delay=delay)
    plan = builders.plan(network, builders.names(hops + 1), **how)  # type: ignore[arg-type]
    return chain(documents.topology(network), from_plan(plan))


def test_the_tick_divides_every_time() -> None:
    assert common_tick(chain_on(2)) == 20 * US
    assert common_tick(chain_on(2, delay=MS // 5 + 1)) == 1
    assert common_tick(chain_on(2, cutoff=5 * MS + 10 * US)) == 10 * US


def test_a_swap_with_its_news() -> None:
    found = tree(chain_on(2), 20 * US)
    node = found.node
    assert isinstance(node, Swap)
    assert isinstance(node.left, Link)
    assert (node.left.period, node.left.ready) == (50, 10)
    assert (node.takes, node.fails) == (11, 1)  # 20 us for the swap, 200 us for the news
    assert node.lags == (10, 10)  # each end hears of a failure 200 us later
    assert found.again == (11, 11)
    assert found.remarks == ()


def test_links_beside_the_middle_start_before_those_at_the_ends() -> None:
    node = tree(chain_on(4, order=Order.NESTED), 20 * US).node
    assert isinstance(node, Swap)
    assert node.lags == (20, 0, 0, 20)
    assert isinstance(node.left, Swap)
    assert node.left.takes == 11  # until the middle of the chain has heard
    assert node.takes == 21


def test_windows_count_from_birth() -> None:
    node = tree(chain_on(2, cutoff=3 * MS), 20 * US).node
    assert isinstance(node, Swap)
    assert node.windows == (140, 140)  # 3 ms less the 200 us until it was heard
    assert node.dropped == ((10, None), (None, 10))


def test_a_round_on_a_link() -> None:
    found = tree(chain_on(1, lanes=2, rounds=1), 20 * US)
    node = found.node
    assert isinstance(node, Purify)
    assert node.takes == 22  # 20 us here, 200 us there, 20 us there, 200 us back
    assert node.lags == (22, 12)  # the measured copy's slots are free before the kept one's
    assert found.again == node.lags


def hop(lanes: int, cycle: float, period: float = 1.0) -> Hop:
    return Hop(0.5, period, cycle, (0.0, 0.0), (1.0, 1.0), (1.0, 1.0, 1.0), lanes, 0)


def test_lanes_together() -> None:
    assert together(hop(2, 0.0)) == (1.0, 0.75)
    assert together(hop(4, 0.25)) == (0.25, 0.5)  # one after the other
    assert together(hop(4, 0.0), copies=2) == (1.0, 0.75)
    assert in_step(hop(1, 0.3))
    assert in_step(hop(4, 0.25))
    assert not in_step(hop(2, 0.3))


def test_coarse_ticks_say_so_and_wait_for_the_grid() -> None:
    found = tree(chain_on(2), 300 * US)
    assert found.spread > 0.0
    assert any("rounded" in remark for remark in found.remarks)
    node = found.node
    assert isinstance(node, Swap)
    assert all(link.loose for link in node.leaves)
    # a swap ends 220 us after a grid point; its failure is known 200 us later, and the next attempt starts at 1 ms
    assert node.fails + node.lags[0] == pytest.approx((20 + 780) / 300)
