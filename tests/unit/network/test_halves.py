"""Ageing in a rehearsal: by the birth of each half, and with the attempts beside it."""

from __future__ import annotations

import math

import pytest
from tests.unit.network.believed import fixed, network

from quantum_fabric.network.chain import Chain, chain
from quantum_fabric.network.halves import Half, Memories, Pair
from quantum_fabric.network.scheme import simple
from quantum_fabric.network.topology import NodeModel
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise


def two_hops(memory: MemoryNoise) -> Chain:
    nodes = [NodeModel(name, 2, memory, OperationNoise(), 0) for name in "ABC"]
    believed = network({("A", "B"): fixed(0.5), ("B", "C"): fixed(0.5)}, nodes=nodes)
    return chain(believed, simple(("A", "B", "C"), ("A~B", "B~C")))


def pair(born: float = 0.0) -> Pair:
    return Pair(Half(0, 0, 0, True, born), Half(1, 0, 0, False, born), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_ageing_in_steps_is_ageing_at_once(exponent: float) -> None:
    memories = Memories(two_hops(MemoryNoise(2.0, 0.5, exponent)))
    walked, jumped = pair(0.1), pair(0.1)
    for time in (0.2, 0.35, 0.5):
        memories.aged(walked, time, time + 0.1)
    memories.aged(jumped, 0.5, 0.6)
    assert walked.state == pytest.approx(jumped.state, rel=1e-12)
    noise = MemoryNoise(2.0, 0.5, exponent)
    loss = sum(t * noise.steady_rate + (noise.stretched_rate * t) ** exponent for t in (0.4, 0.5))
    assert walked.state[:2] == pytest.approx((math.exp(-loss),) * 2, rel=1e-12)
    assert walked.state[2] == pytest.approx(math.exp(-0.9 / 2.0), rel=1e-12)


def test_attempts_of_either_hop_disturb_the_middle_only() -> None:
    chosen = two_hops(MemoryNoise(math.inf, math.inf, attempt_dephasing=0.1))
    memories, period = Memories(chosen), chosen.hops[1].period
    held = pair()
    memories.disturb(1, 0, 1.0 * period, 20.0 * period)
    memories.aged(held, 5.0 * period, 5.0 * period)
    memories.aged(held, 5.0 * period, 9.5 * period)
    assert held.state == pytest.approx((0.9**9, 0.9**9, 1.0), rel=1e-12)


def test_readout_finds_a_half_by_its_age() -> None:
    memories = Memories(two_hops(MemoryNoise(math.inf, math.inf, retrieval=0.8, retrieval_lifetime=0.5)))
    held = pair(0.1)
    memories.aged(held, 0.1, 0.35)
    assert memories.read(held.left) == pytest.approx(0.8)
    assert memories.read(held.right) == pytest.approx(0.8 * math.exp(-0.5))
