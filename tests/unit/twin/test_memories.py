"""Memories that are no plain exponentials, on the bench: birth, attempts beside a half, failing readout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.unit.twin.bench import Bench, fixed

from quantum_fabric.messages import (
    Bell,
    Consume,
    Discard,
    Distillation,
    Measure,
    Measured,
    Purified,
    Purify,
    Swap,
    Swapped,
    Teleport,
    Teleported,
)
from quantum_fabric.physics import memory
from quantum_fabric.physics.correlators import to_weights
from quantum_fabric.physics.noise import MemoryNoise
from quantum_fabric.units import MS

GAUSSIAN = MemoryNoise(t1=0.5, t2=0.05, exponent=2.0)
DISTURBED = MemoryNoise(math.inf, math.inf, attempt_dephasing=0.1)
LOSSY = MemoryNoise(math.inf, math.inf, retrieval=0.5)


@pytest.mark.parametrize("looks", [(), (3, 4, 20), (1, 2, 3, 5, 8, 13, 21)])
def test_looking_at_a_stretched_half_changes_nothing(looks: tuple[int, ...]) -> None:
    bench = Bench(memory=GAUSSIAN)
    pair = bench.pair("A", 0, "B", 0, correlators=(0.9, 0.85, 0.9))
    for look in looks:
        pair.ends[0].age(look * MS)
    for half in pair.ends:
        half.age(30 * MS)
    start = np.array(to_weights((0.9, 0.85, 0.9)))
    assert pair.weights(0) == pytest.approx(tuple(memory.idle(start, GAUSSIAN, GAUSSIAN, 0.03)), abs=1e-12)


def test_a_swap_does_not_make_the_outer_halves_young() -> None:
    bench = Bench("AMB", memory=GAUSSIAN)
    bench.pair("A", 0, "M", 0)
    bench.run(10 * MS)
    bench.pair("M", 1, "B", 0)
    bench.run(20 * MS)
    bench.do(Swap("M", 0, 1))
    bench.run(40 * MS)
    pair = bench.half("A", 0).pair
    for half in pair.ends:
        half.age(40 * MS)
    kept = [float(memory.coherence(GAUSSIAN, seconds)) for seconds in (0.04, 0.02, 0.01, 0.03)]
    assert pair.x == pytest.approx(math.prod(kept), rel=1e-12)  # type: ignore[attr-defined]


def test_attempts_on_every_lane_of_the_node_count_and_a_cut_stops_them() -> None:
    """Attempts every 100 ps at B: on one lane from 0, on another from 500, none while the fibre is cut."""
    bench = Bench("ABC", [("A", "B", fixed(success=1e-12, period=100))], memory=DISTURBED)
    pair = bench.pair("B", 3, "C", 0)
    bench.arm("A", 0, lane=0, lanes=2)
    bench.arm("B", 0, lane=0, lanes=2)
    bench.run(450)
    bench.arm("A", 1, lane=1, lanes=2)
    bench.arm("B", 1, lane=1, lanes=2)
    bench.run(1050)
    bench.twin.change_link("A~B", up=False, now=1050)
    bench.run(2000)
    bench.twin.change_link("A~B", up=True, now=2000)
    bench.run(3030)
    bench.do(Discard("A", 0))
    bench.run(4000)
    for half in pair.ends:
        half.age(4000)
    first = len(range(0, 1050, 100)) + len(range(2000, 3030, 100))
    second = len(range(500, 1050, 100)) + len(range(2000, 4001, 100))
    assert pair.x == pytest.approx(0.9 ** (first + second), rel=1e-12)
    assert pair.z == 1.0


def test_attempts_are_counted_from_the_birth_of_each_half() -> None:
    """A herald tells of a birth in the past: attempts in between on other lanes have hurt the half already."""
    links: list[Any] = [
        ("A", "B", fixed(success=1.0, period=1000, heard=(1000, 1000))),
        ("B", "C", fixed(success=1e-12, period=100)),
    ]
    bench = Bench("ABC", links, memory=DISTURBED)
    for node, link in (("A", "A~B"), ("B", "A~B"), ("C", "B~C")):
        bench.arm(node, 0, link)
    bench.arm("B", 1, "B~C")
    bench.run(1000)
    half = bench.half("B", 0)
    assert half.born == 0
    half.age(1000)
    assert half.pair.x == pytest.approx(0.9**10, rel=1e-12)  # type: ignore[attr-defined]


def lossy(seed: int) -> Bench:
    return Bench("AMB", memory=LOSSY, seed=seed)


def share(outcomes: list[bool], expected: float) -> bool:
    error = math.sqrt(expected * (1.0 - expected) / len(outcomes))
    return abs(sum(outcomes) / len(outcomes) - expected) < 5.0 * error


def test_a_lost_qubit_is_heralded_by_the_readout_that_misses_it() -> None:
    swapped, measured, teleported = [], [], []
    for seed in range(300):
        bench = lossy(seed)
        bench.pair("A", 0, "M", 0)
        bench.pair("M", 1, "B", 0)
        bench.pair("A", 1, "B", 1)
        bench.do(Swap("M", 0, 1), Measure("A", 1, "Z"), Teleport("B", 1, Bell.PHI_PLUS, (1.0, 0.0)))
        bench.run(1)
        swapped.append(bench.of(Swapped)[0].outcome is not None)
        measured.append(bench.of(Measured)[0].bit is not None)
        teleported.append(bench.of(Teleported)[0].bits is not None)
        assert bench.empty("M")
        assert (bench.half("A", 0).pair is bench.half("B", 0).pair) == swapped[-1]
    assert share(swapped, 0.25)
    assert share(measured, 0.5)
    assert share(teleported, 0.5)


def test_a_purification_that_misses_its_qubit_says_so() -> None:
    missed = []
    for seed in range(200):
        bench = lossy(seed)
        keep, _ = bench.pair("A", 0, "B", 0), bench.pair("A", 1, "B", 1)
        bench.do(Purify("A", 0, 1, Distillation.DEJMPS))
        bench.run(1)
        missed.append(bench.of(Purified)[0].bit is None)
        if missed[-1]:
            assert keep.correlators == (0.0, 0.0, 0.0)
            assert keep.purification is None
    assert share(missed, 0.5)


def test_loss_is_no_dephasing() -> None:
    bench = Bench(memory=MemoryNoise(math.inf, math.inf, retrieval=0.5, retrieval_lifetime=1e-3))
    bench.pair("A", 0, "B", 0)
    bench.run(5 * MS)
    for node in "AB":
        bench.do(Consume(node, 0, Bell.PHI_PLUS))
    assert bench.truths[0].weights[0] == 1.0
