"""Memories that are no plain exponentials: what is told, what is forecast and what is true, over whole networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.contracts.test_frames_and_belief import matched, random_chain, serve, waits

from builders import Tape, chain, link, names, node, nothing_left, plan, request
from quantum_fabric.devices import Memory
from quantum_fabric.documents.assembly import Inventory, topology
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Confirmed, Delivered, Order, Outcome, Plan, Status, Swapped, Truth
from quantum_fabric.network.chain import chain as chain_of
from quantum_fabric.network.estimate import estimate
from quantum_fabric.network.forecast import FULL, forecast, judge
from quantum_fabric.network.scheme import from_plan
from quantum_fabric.units import MS, SECOND, US

GAUSSIAN = Memory(t1=0.4, t2=0.1, decay=2.0)
DISTURBED = Memory(t1=math.inf, t2=math.inf, attempt_dephasing=0.02)
FADING = Memory(t1=0.04, t2=0.008, decay=2.0)  # within the few milliseconds that pairs wait below
LOSSY = Memory(t1=math.inf, t2=0.3, retrieval=0.9, retrieval_lifetime=0.05)


def remembering(network: Inventory, memory: Memory) -> Inventory:
    return replace(
        network, nodes={name: replace(each, memory=memory) for name, each in network.nodes.items()}
    )


# -------------------------------------------------------------------------------------------- what is told


@pytest.mark.parametrize("decay", [2.0, 3.0])
@pytest.mark.parametrize("seed", range(0, 250, 5))
def test_told_state_is_the_true_state(seed: int, decay: float, planned: Callable[[Any], None]) -> None:
    """As for exponential memories: equal where both ends take the pair at once, too low by the wait of the first end else."""
    network, chosen = random_chain(seed)
    network = remembering(network, replace(GAUSSIAN, decay=decay))
    planned(chosen)
    fabric, tape, name = serve(network, seed)
    outcome = fabric.replies(name)[-1]
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.COMPLETED, outcome
    wait, at_once = waits(tape), 0
    for told, truth in matched(fabric, tape, name):
        assert told.bell is truth.bell
        gap = truth.weights[0] - told.fidelity
        # steepest slope of exp(-(t/T)^n) is below 1.2/T for n <= 3
        assert -1e-12 <= gap <= 0.75 * wait[told.pair] * 1.3 / GAUSSIAN.t2 + 1e-12
        at_once += wait[told.pair] == 0.0
    fabric.finish()
    assert nothing_left(fabric)


def test_both_ends_at_once_are_told_exactly(planned: Callable[[Any], None]) -> None:
    """A symmetric chain: every pair is told to 1e-12, purified ones included."""
    network = remembering(
        chain(3, link(0.2, 100 * US, 0.99), node(6), hop_delay=30 * US, controller="B"), GAUSSIAN
    )
    for rounds in (0, 1):
        planned(plan(network, names(3), Order.NESTED, lanes=3, rounds=rounds))
        fabric, tape, name = serve(network, 4)
        wait = waits(tape)
        checked = [(told, truth) for told, truth in matched(fabric, tape, name) if wait[told.pair] == 0.0]
        assert len(checked) >= 8
        assert all(truth.weights[0] == pytest.approx(told.fidelity, abs=1e-12) for told, truth in checked)


def test_a_gaussian_pair_expires_when_it_is_said_to(planned: Callable[[Any], None]) -> None:
    network = remembering(chain(2, link(1.0, 100 * US, 0.99), node(2)), replace(GAUSSIAN, t1=math.inf))
    planned(plan(network, names(2)))
    fabric = Fabric(network, seed=1)
    name = fabric.submit(request("A", "B", 1, hold=True, fidelity=0.8))
    fabric.run(SECOND, stop=lambda: any(isinstance(each, Delivered) for each in fabric.replies(name)))
    pair = next(each for each in fabric.replies(name) if isinstance(each, Delivered))
    half = fabric.twin.nodes["A"].slots[pair.slots[0]].half  # type: ignore[index]
    assert half is not None
    for end in half.pair.ends:
        end.age(pair.expires_at)
    assert half.pair.weights(int(pair.bell))[0] == pytest.approx(0.8, abs=1e-9)
    assert pair.expires_at > 40 * MS  # an exponential memory of the same T2 would have let it go after 13 ms


# ------------------------------------------------------------------------------------ attempts beside a half


def test_each_attempt_costs_what_it_costs(planned: Callable[[Any], None]) -> None:
    """One repeater, one lane on each side: the half that waits has suffered every attempt of the other lane, and no other."""
    network = remembering(chain(3, link(0.05, 100 * US, 1.0), node(2)), DISTURBED)
    planned(plan(network, names(3)))
    fabric = Fabric(network, seed=5)
    tape = Tape(fabric)
    fabric.submit(request("A", "C", 30))
    fabric.run(60 * SECOND, stop=lambda: not fabric.open_requests)
    births: dict[str, int] = {}
    for time, place, message in tape.entries:
        if type(message).__name__ == "Heralded" and place == "B":
            births[message.pair] = message.born  # type: ignore[union-attr]
            assert time == message.born + 100 * US  # type: ignore[union-attr]
    assert len(tape.of(Truth)) >= 30
    for _, _, truth in tape.of(Truth):
        (_, left), (_, right) = truth.ends
        gap = abs(births[left] - births[right])
        # attempts of the later lane after the birth of the earlier half, one each 100 us, the successful one included
        assert truth.weights[0] == pytest.approx((1.0 + 0.98 ** (gap // (100 * US))) / 2.0, abs=1e-12)


def test_agents_expect_no_less_disturbance_than_there_is(planned: Callable[[Any], None]) -> None:
    network = remembering(chain(4, link(0.05, 100 * US, 1.0), node(2), hop_delay=20 * US), DISTURBED)
    planned(plan(network, names(4)))
    fabric, tape, name = serve(network, 6, pairs=40)
    gaps = [truth.weights[0] - told.fidelity for told, truth in matched(fabric, tape, name)]
    assert len(gaps) == 40
    assert min(gaps) >= -1e-9
    # three halves at most wait a period too long in the belief: an attempt or two each
    assert max(gaps) <= 6 * 0.02
    assert np.mean([truth.weights[0] for _, _, truth in tape.of(Truth)]) < 0.9


def test_exponential_memories_count_no_attempts(planned: Callable[[Any], None]) -> None:
    network = chain(3, link(0.05, 100 * US, 1.0), node(2))
    planned(plan(network, names(3)))
    fabric, _, _ = serve(network, 6)
    assert all(not each.lanes for each in fabric.twin.nodes.values())


# ----------------------------------------------------------------------------------------- failing readout


def test_a_photon_that_does_not_come_back_fails_the_swap(planned: Callable[[Any], None]) -> None:
    network = remembering(chain(3, link(0.5, 100 * US, 1.0), node(4)), LOSSY)
    planned(plan(network, names(3), lanes=2))
    fabric, tape, name = serve(network, 7, pairs=600)
    outcome = fabric.replies(name)[-1]
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.COMPLETED
    swaps = [message.outcome is not None for _, _, message in tape.of(Swapped)]
    share, most = sum(swaps) / len(swaps), 0.9**2
    error = math.sqrt(most * (1.0 - most) / len(swaps))
    # halves are 0.1 ms old when they are heard of, and wait 0.2 ms more in the mean
    assert abs(share - most * math.exp(-0.4 / 50)) < 5.0 * error
    fabric.finish()
    assert nothing_left(fabric)


@pytest.mark.parametrize("seed", range(0, 60, 4))
def test_lossy_memories_leave_nothing_behind(seed: int, planned: Callable[[Any], None]) -> None:
    """Whatever fails to be read, purifications included: told and true states agree, and every slot comes home."""
    network, chosen = random_chain(seed)
    network = remembering(network, replace(LOSSY, retrieval=0.9))
    planned(chosen)
    fabric = Fabric(network, seed=seed)
    tape = Tape(fabric)
    name = fabric.submit(request(min(network.nodes), max(network.nodes), 6, fidelity=0.5000001))
    fabric.run(200 * MS, stop=lambda: not fabric.open_requests)
    for told, truth in matched(fabric, tape, name):
        assert told.bell is truth.bell
        assert truth.weights[0] - told.fidelity >= -1e-12
    fabric.finish()
    assert nothing_left(fabric)


# ------------------------------------------------------------------------------------------------ forecasts


def true_means(network: Inventory, seed: int, pairs: int) -> tuple[float, float, float]:
    """Rate (1/s) and mean true fidelity of a served request, with the standard error of the latter."""
    fabric = Fabric(network, seed=seed)
    tape = Tape(fabric, Truth, Confirmed)
    fabric.submit(request(min(network.nodes), max(network.nodes), pairs, fidelity=0.5000001))
    fabric.run(4000 * SECOND, stop=lambda: not fabric.open_requests)
    truths = tape.of(Truth)
    values = [truth.weights[0] for _, _, truth in truths]
    span = (truths[-1][0] - truths[0][0]) / SECOND
    return (len(truths) - 1) / span, float(np.mean(values)), float(np.std(values)) / math.sqrt(len(values))


@pytest.mark.parametrize("memory", [FADING, DISTURBED, LOSSY], ids=["gaussian", "disturbed", "lossy"])
@pytest.mark.parametrize("scheme", ["swaps", "cutoff", "purified"])
def test_forecasts_hold(memory: Memory, scheme: str, planned: Callable[[Any], None]) -> None:
    """Against the twin: rate within 15 %, fidelity within 0.005, as for exponential memories."""
    lanes = 2 if scheme == "purified" else 1
    each = node(2 * lanes)
    network = remembering(chain(3, link(0.03, 100 * US, 0.98), each, hop_delay=50 * US), memory)
    chosen: Plan = plan(
        network,
        names(3),
        lanes=lanes,
        rounds=int(scheme == "purified"),
        cutoff=4 * MS if scheme == "cutoff" else None,
    )
    planned(chosen)
    expected = forecast(topology(network), chosen, FULL)
    rate, fidelity, error = true_means(network, 11, 700)
    assert rate == pytest.approx(expected.rate, rel=0.15)
    assert fidelity == pytest.approx(expected.fidelity, abs=0.005 + 3.0 * error)


@pytest.mark.parametrize("memory", [FADING, DISTURBED, LOSSY], ids=["gaussian", "disturbed", "lossy"])
def test_estimates_rank(memory: Memory) -> None:
    """The mean-field estimate is good enough to rank: rate within a factor of 2, infidelity within a factor of 2."""
    network = remembering(chain(4, link(0.05, 100 * US, 0.99), node(2), hop_delay=20 * US), memory)
    numbers = chain_of(topology(network), from_plan(plan(network, names(4))))
    rough, fine = estimate(numbers), judge(numbers, FULL)
    assert 0.5 < rough.rate / fine.rate < 2.0
    assert 0.5 < (1.0 - rough.fidelity) / (1.0 - fine.fidelity) < 2.0


def test_one_link_is_exact() -> None:
    """A single hop ages from herald to delivery by the law itself."""
    network = remembering(chain(2, link(0.1, 10 * MS, 1.0), node(1)), replace(GAUSSIAN, t1=math.inf))
    found = forecast(topology(network), plan(network, names(2)))
    assert found.fidelity == pytest.approx((1.0 + math.exp(-2 * 0.1**2)) / 2.0, rel=1e-12)
