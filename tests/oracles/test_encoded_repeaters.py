"""Encoded repeaters computed twice: order statistics by summing over histories, ageing by quadrature, plans by executions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from quantum_fabric import documents
from quantum_fabric.api import Line as Distance
from quantum_fabric.encoded import EncodedLink
from quantum_fabric.messages import LinkRequest
from quantum_fabric.network.collecting import block_chance, collected, filled, mean_attempts
from quantum_fabric.network.encoded import evaluated, schemes
from quantum_fabric.network.waiting import parallel_mean
from quantum_fabric.physics.codes.catalogue import CODES
from quantum_fabric.physics.codes.decoding import logical_error
from quantum_fabric.physics.codes.repeater import NO_WAIT, Line, sample_line
from quantum_fabric.physics.noise import NOISELESS
from quantum_fabric.units import SECOND

SIX = 6.0


# ------------------------------------------------------------------------------------------ waiting


@pytest.mark.parametrize(("lanes", "needed"), [(1, 1), (3, 2), (4, 4), (5, 3)])
def test_a_block_is_complete_as_often_as_all_histories_say(lanes: int, needed: int) -> None:
    """Every combination of birth times of the lanes, up to the end of the window."""
    p, attempts = 0.3, 3
    law = [p * (1 - p) ** k for k in range(attempts)] + [(1 - p) ** attempts]
    total = 0.0
    for births in itertools.product(range(attempts + 1), repeat=lanes):
        if sum(birth < attempts for birth in births) >= needed:
            total += math.prod(law[birth] for birth in births)
    assert block_chance(lanes, filled(p, attempts), (), needed) == pytest.approx(total, abs=1e-13)


@pytest.mark.parametrize("p", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_the_slowest_of_all_lanes_is_the_known_closed_form(p: float, n: int) -> None:
    assert mean_attempts(p, n, n) == pytest.approx(float(parallel_mean(p, n)), rel=1e-12)


def test_order_statistics_in_between_agree_with_a_simulation() -> None:
    rng = np.random.default_rng(4)
    draws = np.sort(rng.geometric(0.07, size=(200_000, 9)), axis=1)[:, 4]
    error = draws.std() / math.sqrt(len(draws))
    assert abs(draws.mean() - mean_attempts(0.07, 9, 5)) < SIX * error


def test_two_rounds_of_purification_agree_with_a_simulation() -> None:
    rng = np.random.default_rng(5)
    have = rng.binomial(20, 0.8, size=400_000)
    for q in (0.9, 0.7):
        have = rng.binomial(have // 2, q)
    truth = block_chance(20, 0.8, (0.9, 0.7), 3)
    assert abs((have >= 3).mean() - truth) < SIX * math.sqrt(truth * (1 - truth) / 400_000)


@pytest.mark.parametrize("attempts", [1, 2, 7, 200])
def test_ageing_in_the_window_is_the_sum_over_births(attempts: int) -> None:
    p, period, ages, rates = 0.04, 0.01, (0.002, 0.005), ((2.0, 2.0, 0.1), (0.5, 0.5, 0.0))
    total = np.zeros(3)
    for k in range(1, attempts + 1):
        chance = p * (1 - p) ** (k - 1) / (1 - (1 - p) ** attempts)
        for axis in range(3):
            wait = (attempts - k) * period
            total[axis] += chance * math.exp(
                -rates[0][axis] * (ages[0] + wait) - rates[1][axis] * (ages[1] + wait)
            )
    found = collected((0.9, 0.8, 0.95), rates, p, attempts, period, ages)
    assert found == pytest.approx(tuple(total * (0.9, 0.8, 0.95)), abs=1e-13)


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize("hops", [1, 2, 5])
def test_a_line_with_errors_of_pairs_alone_is_the_product_of_its_blocks(hops: int) -> None:
    """Bit flips of pairs only: each segment's flips are read once, so the parities multiply: exact by enumeration."""
    p, shots, code = 0.05, 60_000, CODES["steane"]
    # errors of pair k sit on the right block of segment k and are carried on by the CNOT to the next block that is read in Z
    line = Line(
        ((1 - p, 0.0, p, 0.0),) * hops, (NOISELESS,) * (hops + 1), (NO_WAIT,) * (hops + 1), (NO_WAIT, NO_WAIT)
    )
    found = sample_line(code, line, shots, 8).fidelity.value
    truth = (1.0 + (1.0 - 2.0 * logical_error(code, "x", p)) ** hops) / 2.0
    assert abs(found - truth) < SIX * math.sqrt(truth * (1 - truth) / shots)


def test_without_a_code_a_line_is_a_chain_of_swaps() -> None:
    """The bare code against the Bell-diagonal algebra: pairs convolved, nothing else."""
    weights, hops, shots = (0.9, 0.05, 0.03, 0.02), 4, 100_000
    line = Line((weights,) * hops, (NOISELESS,) * (hops + 1), (NO_WAIT,) * (hops + 1), (NO_WAIT, NO_WAIT))
    found = sample_line(CODES["bare"], line, shots, 3).weights
    walsh = np.array([[(-1) ** (i & j).bit_count() for j in range(4)] for i in range(4)])
    truth = walsh @ (walsh @ np.array(weights)) ** hops / 4.0
    for one, two in zip(found, truth, strict=True):
        assert abs(one - two) < SIX * math.sqrt(two * (1 - two) / shots)


# ------------------------------------------------------------------------------------------ plan against execution


@pytest.mark.parametrize(
    ("name", "rounds", "hardware", "t2"),
    [("phase-repetition-3", 0, "future", "5 ms"), ("phase-repetition-3", 1, "lab-best", "50 s"), ("steane", 0, "lab-best", "50 s")],
)  # fmt: skip
def test_an_execution_gives_the_rate_and_the_errors_of_its_plan(
    name: str, rounds: int, hardware: str, t2: str
) -> None:
    """The plan sums over births and mean states; the execution draws each lane, herald, age, gate and readout on its own."""
    topology = Distance(60e3, hardware, "Alice", "Bob", 40, {"memory.t2": t2}).topology(3)
    path = tuple(topology.nodes)
    links = [topology.between(a, b)[0].name for a, b in itertools.pairwise(path)]
    scheme = next(each for each in schemes(topology, path, links, CODES[name]) if each.rounds == rounds)
    plan = evaluated(scheme, scheme.best_window(), 40_000)
    pairs = 800
    link = EncodedLink(topology, LinkRequest("Alice", "Bob", 0.6, pairs=pairs), plan, seed=2)
    got = list(link)
    wrong = sum(pair.error != 0 for pair in got)
    truth = 1.0 - plan.logical.fidelity.value
    assert abs(wrong / pairs - truth) < SIX * math.sqrt(truth * (1 - truth) / pairs) + 0.002
    share = (link.rounds - link.incomplete) / link.rounds
    assert abs(share - plan.success) < SIX * math.sqrt(plan.success * (1 - plan.success) / link.rounds) + 1e-9
    lasted = (got[-1].delivered_at - got[0].delivered_at) / SECOND
    rate = (pairs - 1) / lasted
    assert rate == pytest.approx(plan.rate, rel=SIX * math.sqrt((1 - plan.success) / pairs) + 0.005)
    assert all(one.delivered_at < two.delivered_at for one, two in itertools.pairwise(got))
    assert min(pair.delivered_at - pair.created_at for pair in got) >= plan.latency


def test_readings_of_both_ends_agree_as_often_as_the_weights_say() -> None:
    topology = Distance(40e3, "lab-best", "Alice", "Bob", 40, {}).topology(2)
    path = tuple(topology.nodes)
    links = [topology.between(a, b)[0].name for a, b in itertools.pairwise(path)]
    scheme = next(schemes(topology, path, links, CODES["steane"]))
    plan = evaluated(scheme, scheme.best_window(), 40_000)
    link = EncodedLink(topology, LinkRequest("Alice", "Bob", 0.6, pairs=1500), plan, seed=9)
    missed = {"X": 0, "Z": 0}
    for pair in link:
        basis = "XZ"[pair.number % 2]
        a, b = pair.measure(basis)
        missed[basis] += a ^ b ^ int(bool(pair.bell & (2 if basis == "Z" else 1)))
    w = plan.logical.weights
    for basis, truth in (("Z", w[2] + w[3]), ("X", w[1] + w[3])):  # readout errors are 1e-3: corrected
        assert abs(missed[basis] / 750 - truth) < SIX * math.sqrt(truth * (1 - truth) / 750) + 0.003


def test_bundled_hardware_is_what_the_chain_is_made_of() -> None:
    assert documents.topology(documents.inventory(documents.chain(60e3, 3))).node("R1").slots == 16
