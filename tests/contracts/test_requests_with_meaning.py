"""Requests with meaning on the twin: what is delivered is what was asked for, by statistics and by exact states."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from builders import Tape, chain, link, node, nothing_left
from quantum_fabric.control import installations, meaning
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.errors import InputError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Bell,
    Consume,
    Delivered,
    LinkChanged,
    LinkRequest,
    Measure,
    Measured,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Outcomes,
    Packet,
    Promise,
    Reading,
    Refused,
    Service,
    Status,
    Tested,
    Truth,
    Unread,
)
from quantum_fabric.physics.frames import expected_parity
from quantum_fabric.units import MS, SECOND, US, Time

SIGMAS = 5.0
"""A check by counts fails by chance once in 1.7 million (normal law)."""

FRESH, READOUT, GATE = 0.95, 0.02, 0.01
STEADY = node(
    8,
    measure_time=2 * US,
    swap_time=2 * US,
    readout_error_0=READOUT,
    readout_error_1=READOUT,
    depolarising_1=GATE,
)
STILL = chain(2, link(0.2, 100 * US, FRESH), STEADY, hop_delay=50 * US)
"""Nothing fades in it, so every probability can be written down."""
FADING = chain(
    3,
    link(0.05, 100 * US, FRESH),
    node(8, t2=0.05, t1=0.5, swap_time=5 * US, measure_time=2 * US),
    hop_delay=50 * US,
)
STATES = ("bell-diagonal", "exact")


def agreement(basis: str) -> float:
    """Probability that two ends agree on a pair of `STILL`: (1 + c·(1-2e)²·g²)/2, with g for the turn to X or Y."""
    correlator = (4.0 * FRESH - 1.0) / 3.0
    turned = 1.0 if basis == "Z" else (1.0 - GATE) ** 2
    return 0.5 * (1.0 + correlator * turned * (1.0 - 2.0 * READOUT) ** 2)


def near(found: int, trials: int, chance: float) -> bool:
    return abs(found - trials * chance) <= SIGMAS * math.sqrt(trials * chance * (1.0 - chance))


def run(
    network: Inventory, states: str = "bell-diagonal", seed: int = 1, until: Time = 60 * SECOND, **asked: Any
) -> Any:
    """A finished run: (fabric, its replies by kind, tape)."""
    fabric = Fabric(network, seed=seed, states=states)
    tape = Tape(fabric, Truth, Measured, Consume)
    names = sorted(network.nodes)
    name = fabric.submit(LinkRequest(names[0], names[-1], **{"fidelity": 0.8, **asked}))
    fabric.run(until, stop=lambda: not fabric.open_requests)
    return fabric, fabric.replies(name), tape


def of(replies: list[Any], kind: type) -> list[Any]:
    return [each for each in replies if isinstance(each, kind)]


def more_than(replies: list[Any], done: int) -> bool:
    return len(of(replies, Outcomes)) > done


def ended(fabric: Fabric, replies: list[Any], status: Status = Status.COMPLETED) -> None:
    assert of(replies, Outcome)[0].status is status
    fabric.finish()
    assert nothing_left(fabric)


# ------------------------------------------------------------------------------------------------- measured


@pytest.mark.parametrize("states", STATES)
def test_pairs_that_are_measured_directly(states: str) -> None:
    fabric, replies, tape = run(STILL, states, pairs=4000, service=Service.MEASURE, bases=("X", "Y", "Z"))
    bits, pairs = of(replies, Outcomes), of(replies, Delivered)
    assert [each.pair for each in bits] == [each.pair for each in pairs]
    assert len(bits) == len({each.pair for each in pairs}) == 4000
    assert all(each.slots is None for each in pairs)
    chosen = Counter(each.bases for each in bits)
    assert all(near(chosen[a, b], 4000, 1 / 9) for a in "XYZ" for b in "XYZ")
    for basis in "XYZ":
        same = [each for each in bits if each.bases == (basis, basis)]
        agree = sum(each.bits[0] ^ each.bits[1] == expected_parity(basis, each.bell) for each in same)
        assert near(agree, len(same), agreement(basis))
    crossed = [each for each in bits if each.bases[0] != each.bases[1]]
    assert near(sum(each.bits[0] ^ each.bits[1] for each in crossed), len(crossed), 0.5)
    assert tape.of(Consume) == []
    ended(fabric, replies)


@pytest.mark.parametrize("states", STATES)
def test_bits_are_those_of_the_bell_state_that_was_asked_for(states: str) -> None:
    wanted = Bell.PSI_MINUS
    fabric, replies, _ = run(STILL, states, pairs=1500, service=Service.MEASURE, bases=("Y",), bell=wanted)
    bits = of(replies, Outcomes)
    assert {each.bell for each in bits} == {wanted}
    agree = sum(each.bits[0] ^ each.bits[1] == expected_parity("Y", wanted) for each in bits)
    assert near(agree, 1500, agreement("Y"))
    ended(fabric, replies)


@pytest.mark.parametrize("states", STATES)
def test_the_destination_holds_the_state_that_was_prepared(states: str) -> None:
    fabric = Fabric(STILL, seed=3, states=states)
    request = LinkRequest("A", "B", 0.8, pairs=600, hold=True, service=Service.PREPARE, bases=("X", "Y", "Z"))
    name = fabric.submit(request)
    replies, right, seen, done = fabric.replies(name), Counter[str](), Counter[str](), 0
    while done < 600:
        fabric.run(fabric.now + SECOND, stop=partial(more_than, replies, done))
        for pair, bits in list(zip(of(replies, Delivered), of(replies, Outcomes), strict=True))[done:]:
            answer = fabric.perform(Measure("B", pair.slots[1], bits.bases[0], pair.pair.right))
            eigenstate = "01" if bits.bases[0] == "Z" else ("+i", "-i") if bits.bases[0] == "Y" else "+-"
            assert isinstance(answer, Measured)
            right[bits.bases[0]] += bits.prepared == eigenstate[answer.bit or 0]
            seen[bits.bases[0]] += 1
            done += 1
    assert all(near(right[basis], seen[basis], agreement(basis)) for basis in "XYZ")
    ended(fabric, replies)


def test_a_lost_half_is_told_and_made_up_for() -> None:
    lossy = replace(STEADY, memory=replace(STEADY.memory, retrieval=0.8))
    network = chain(2, link(0.2, 100 * US, FRESH), lossy, hop_delay=50 * US)
    fabric, replies, _ = run(network, pairs=400, service=Service.MEASURE)
    lost, found = of(replies, Unread), of(replies, Outcomes)
    assert len(found) == 400
    assert near(len(lost), len(lost) + 400, 1.0 - 0.8**2)
    only_a = [each for each in lost if each.nodes == ("A",)]
    assert near(len(only_a), len(lost), 0.2 * 0.8 / 0.36)
    ended(fabric, replies)


# --------------------------------------------------------------------------------------------------- tests


def sample_pairs(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    rule = Reading(("X", "Y", "Z"), share)
    monkeypatch.setattr(
        installations, "end_rules", lambda request, key, _: meaning.end_rules(request, key, rule)
    )


@pytest.mark.parametrize("states", STATES)
def test_some_pairs_are_tested_and_the_others_delivered(states: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sample_pairs(monkeypatch, 0.3)
    fabric, replies, tape = run(STILL, states, pairs=4000)
    tests, pairs = of(replies, Tested), of(replies, Delivered)
    assert not {each.pair for each in tests} & {each.pair for each in pairs}
    assert near(len(tests), len(tests) + len(pairs), 0.3)
    for basis in "XYZ":
        those = [each.agree for each in tests if each.basis == basis]
        assert near(len(those), len(tests), 1 / 3)
        assert near(sum(those), len(those), agreement(basis))
    assert len(tape.of(Truth)) in (4000, 4001, 4002)  # each delivered pair was handed over, and no tested one
    ended(fabric, replies)


def test_both_ends_always_agree_which_pair_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    sample_pairs(monkeypatch, 0.5)
    fabric, replies, _ = run(FADING, pairs=300, fidelity=0.7)
    assert None not in {each.agree for each in of(replies, Tested)}
    assert len(of(replies, Tested)) > 100
    ended(fabric, replies)


# ---------------------------------------------------------------------------------------------- Bell state


@pytest.mark.parametrize("wanted", Bell)
@pytest.mark.parametrize("states", STATES)
def test_every_pair_is_in_the_bell_state_that_was_asked_for(states: str, wanted: Bell) -> None:
    fabric, replies, tape = run(FADING, states, pairs=60, fidelity=0.7, bell=wanted)
    truths = {truth.ends: truth for _, _, truth in tape.of(Truth)}
    pairs = of(replies, Delivered)
    assert {each.bell for each in pairs} == {wanted}
    assert {truth.bell for truth in truths.values()} == {wanted}
    believed = sum(each.fidelity for each in pairs) / len(pairs)
    true = sum(truth.weights[0] for truth in truths.values()) / len(truths)
    assert true == pytest.approx(believed, abs=2e-3)  # t1: what is believed of it is twirled
    ended(fabric, replies)


def test_without_a_wish_all_four_states_come() -> None:
    _, replies, _ = run(FADING, pairs=60, fidelity=0.7)
    assert len({each.bell for each in of(replies, Delivered)}) == 4


# ------------------------------------------------------------------------------------------- set and packet


def born_in(fabric: Fabric, end: str, slot: int) -> str:
    half = fabric.twin.nodes[end].slots[slot].half
    assert half is not None
    return half.elementary


@pytest.mark.parametrize("seed", range(4))
def test_all_pairs_of_a_packet_are_alive_when_it_is_told(seed: int) -> None:
    window = 12 * MS
    fabric, replies, tape = run(FADING, seed=seed, pairs=3, fidelity=0.7, hold=True, window=window)
    (packet,) = of(replies, Packet)
    pairs = of(replies, Delivered)
    assert packet.pairs == tuple(each.pair for each in pairs)
    assert len(set(packet.pairs)) == 3
    assert packet.at == fabric.now
    assert packet.at - packet.oldest < window
    assert packet.oldest == min(each.created_at for each in pairs)
    for each in pairs:
        assert (born_in(fabric, "A", each.slots[0]), born_in(fabric, "C", each.slots[1])) == each.pair
        assert each.fidelity >= 0.7
        for end, slot, half in zip(each.ends, each.slots, each.pair, strict=True):
            fabric.perform(Consume(end, slot, each.bell, half))
    truths = [truth.weights[0] for _, _, truth in tape.of(Truth)]
    assert truths == pytest.approx([each.fidelity for each in pairs], abs=1e-3)
    ended(fabric, replies)


def test_pairs_that_grow_too_old_are_replaced() -> None:
    fabric, replies, _ = run(FADING, seed=2, pairs=4, fidelity=0.7, hold=True, window=3 * MS, confidence=1e-6)
    (packet,) = of(replies, Packet)
    assert packet.at - packet.oldest < 3 * MS
    numbers = [int(pair.left.split("#")[1]) for pair in packet.pairs]
    assert min(numbers) > 0  # whatever was made first has been given up
    ended(fabric, replies)


@pytest.mark.parametrize("states", STATES)
def test_every_pair_is_good_when_the_set_is_complete(states: str) -> None:
    fabric, replies, tape = run(FADING, states, pairs=4, fidelity=0.75, hold=True, promise=Promise.END)
    pairs = of(replies, Delivered)
    assert [each.number for each in pairs] == [1, 2, 3, 4]
    assert {each.delivered_at for each in pairs} == {fabric.now}
    assert of(replies, Packet) == []
    for each in pairs:
        for end, slot, half in zip(each.ends, each.slots, each.pair, strict=True):
            fabric.perform(Consume(end, slot, each.bell, half))
    truths = [truth.weights[0] for _, _, truth in tape.of(Truth)]
    assert truths == pytest.approx([each.fidelity for each in pairs], abs=3e-3)
    assert min(each.fidelity for each in pairs) >= 0.75
    ended(fabric, replies)


def test_a_set_that_the_ends_cannot_hold_is_refused_with_one_that_they_can() -> None:
    _, (refused, _), _ = run(FADING, pairs=40, fidelity=0.7, hold=True, window=SECOND)
    assert isinstance(refused, Refused)
    assert refused.offer is not None
    fabric = Fabric(FADING)
    name = fabric.submit(refused.offer)
    fabric.run(60 * SECOND, stop=lambda: not fabric.open_requests)
    assert of(fabric.replies(name), Outcome)[0].status is Status.COMPLETED


# --------------------------------------------------------------------------------------------- whatever comes


ASKED: list[dict[str, Any]] = [
    {"service": Service.MEASURE},
    {"service": Service.PREPARE},
    {"service": Service.PREPARE, "hold": True},
    {"bell": Bell.PSI_PLUS},
    {"bell": Bell.PHI_MINUS, "hold": True},
    {"window": 20 * MS, "hold": True},
    {"promise": Promise.END, "hold": True},
    {"promise": Promise.AVERAGE},
]


def trouble(fabric: Fabric, dice: random.Random) -> Iterator[str]:
    """Faults at random times, each mended."""
    for _ in range(dice.randint(0, 4)):
        at = dice.randrange(60 * MS)
        if dice.random() < 0.5:
            name = dice.choice(sorted(fabric.twin.links))
            end = fabric.twin.links[name].ends[0].name
            fabric.inject(LinkChanged(end, name, up=False), at)
            fabric.inject(LinkChanged(end, name, up=True), at + dice.randrange(1, 10 * MS))
        else:
            name = dice.choice(sorted(fabric.agents))
            fabric.inject(NodeFailed(name), at)
            fabric.inject(NodeRecovered(name), at + dice.randrange(1, 10 * MS))
        yield name


@pytest.mark.parametrize("asked", ASKED, ids=lambda each: " ".join(map(str, each)))
@pytest.mark.parametrize("tests", [0.0, 0.3])
def test_nothing_is_left_and_nothing_used_twice_whatever_happens(
    asked: dict[str, Any], tests: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    if tests:
        sample_pairs(monkeypatch, tests)
    for seed in range(6):
        dice = random.Random(f"{seed} {asked} {tests}")
        fabric = Fabric(FADING, seed=seed)
        list(trouble(fabric, dice))
        first = fabric.submit(LinkRequest("A", "C", 0.7, pairs=3, **asked), at=dice.randrange(MS))
        other = fabric.submit(LinkRequest("C", "A", 0.7, pairs=20), at=dice.randrange(5 * MS))
        fabric.run(dice.randrange(80 * MS), stop=lambda: False)
        if dice.random() < 0.5:
            fabric.cancel(first)
        fabric.run(fabric.now + dice.randrange(80 * MS))
        fabric.finish()
        assert nothing_left(fabric)
        for name in (first, other):
            replies = fabric.replies(name)
            told = [each.pair for each in replies if isinstance(each, Delivered | Tested | Unread)]
            assert len(told) == len(set(told))
            assert len(of(replies, Outcome)) == 1
            assert of(replies, Outcome)[0].delivered == len(of(replies, Delivered))


def test_what_contradicts_itself_is_refused_before_anybody_plans() -> None:
    fabric = Fabric(STILL)
    with pytest.raises(InputError, match="hold"):
        fabric.submit(LinkRequest("A", "B", 0.8, window=MS))
