"""Purification between two ends: ask, answer, and everything that can come between."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product as every
from typing import Any

import pytest

from quantum_fabric.control.circuit import Circuit
from quantum_fabric.control.distil import rotation_before
from quantum_fabric.control.qubit import State
from quantum_fabric.messages import (
    Arm,
    Axes,
    Bell,
    Calibration,
    Correlators,
    Discard,
    Distillation,
    GenerateRule,
    Heralded,
    Joined,
    Lost,
    Prepare,
    Purified,
    Purify,
    PurifyAnswer,
    PurifyAsk,
    PurifyRule,
    Rotation,
    Send,
    Side,
    Stale,
)
from quantum_fabric.physics.correlators import aged, product, purified
from quantum_fabric.physics.frames import purify_frame
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.ports import Action
from quantum_fabric.units import SECOND, US

FRESH: Correlators = (0.9, 0.8, 0.95)
STAYS: Correlators = (0.0, 0.0, 0.0)
ZERO: Correlators = (0.0, 0.0, 0.0)
ONE: Correlators = (1.0, 1.0, 1.0)
PERFECT = Calibration(math.inf, math.inf, 0.0, 0.0, 0.0, 0.0)
HERE = Calibration(2.0, 0.5, 0.001, 0.02, 0.03, 0.01)
THERE = Calibration(9.0, 9.0, 0.002, 0.01, 0.0, 0.05)
DECAY = (2.0, 2.0, 0.5)


def end(
    name: str,
    partner: str,
    initiator: bool,
    rounds: int = 1,
    slots: int = 2,
    noise: Calibration = PERFECT,
    far: Calibration = PERFECT,
    kind: Distillation = Distillation.DEJMPS,
    neighbour: str = "",
) -> Circuit:
    numbers = tuple(range(slots))
    side = Side.RIGHT if initiator else Side.LEFT
    rules = (
        GenerateRule("L", neighbour or partner, side, numbers, numbers, None, FRESH, STAYS),
        PurifyRule(partner, rounds, kind, initiator, far),
    )
    made = Circuit(Prepare(4, "r", name, rules, noise, SECOND, 1000))
    made.start()
    return made


def ends(**more: Any) -> tuple[Circuit, Circuit]:
    return end("A", "B", True, **more), end("B", "A", False, **more)


def herald(made: Circuit, slot: int, born: int = 0, bell: int = 0, now: int = 10) -> list[Action]:
    return made.heralded(Heralded(made.node, slot, "L", f"p{slot}", Bell(bell), born, born), now)


def gate(made: Circuit, keep: int, sacrifice: int, bit: int = 0, now: int = 20) -> list[Action]:
    out: list[Action] = []
    made.distiller.purified(Purified(made.node, keep, sacrifice, bit), now, out)
    made.react(now, out)
    return out


def asked(made: Circuit, ask: PurifyAsk, now: int = 30) -> list[Action]:
    out: list[Action] = []
    made.distiller.asked(ask, now, out)
    made.react(now, out)
    return out


def answered(made: Circuit, answer: PurifyAnswer, now: int = 50) -> list[Action]:
    out: list[Action] = []
    made.distiller.answered(answer, now, out)
    made.react(now, out)
    return out


def arm(node: str, slot: int, of: int = 2) -> Arm:
    return Arm(node, slot, "L", slot, of, None)


ASK = PurifyAsk(4, "p1", "p0", "A", "p1", 0, 0, FRESH, FRESH, 20)
"""What A asks when p0 is older than p1."""


def decline(ask: PurifyAsk, now: int) -> Send:
    return Send("A", PurifyAnswer(4, ask.answer_to, False, Bell.PHI_PLUS, ZERO, now))


def test_the_initiator_measures_the_older_and_asks() -> None:
    made = end("A", "B", True, noise=HERE)
    assert herald(made, 0, born=0) == []
    assert herald(made, 1, born=4 * US, now=10 * US) == [Purify("A", 1, 0, Distillation.DEJMPS)]
    assert {qubit.state for qubit in made.qubits.values()} == {State.ASKING}
    keep = pytest.approx(product(FRESH, aged(ONE, DECAY, 16e-6)), rel=1e-14)
    spent = pytest.approx(product(FRESH, aged(ONE, DECAY, 20e-6)), rel=1e-14)
    assert gate(made, 1, 0, bit=1, now=20 * US) == [
        Send("B", PurifyAsk(4, "p1", "p0", "A", "p1", 1, 0, keep, spent, 20 * US)),
        arm("A", 0),
    ]
    assert (made.qubits[1].state, made.qubits[1].born) == (State.ASKED, 20 * US)


def test_the_responder_never_starts() -> None:
    made = end("B", "A", False)
    assert herald(made, 0) == herald(made, 1) == []
    assert asked(made, ASK) == [Purify("B", 1, 0, Distillation.DEJMPS)]
    assert {qubit.state for qubit in made.qubits.values()} == {State.ANSWERING}


@pytest.mark.parametrize("kind", list(Distillation))
@pytest.mark.parametrize(("keep", "spent", "bits"), list(every(range(4), range(4), range(4))))
def test_ask_and_answer_for_every_frame(kind: Distillation, keep: int, spent: int, bits: int) -> None:
    """Success is the parity that the frames say; both ends then hold the same frame and the same belief."""
    one = end("A", "B", True, noise=HERE, far=THERE, kind=kind)
    two = end("B", "A", False, noise=THERE, far=HERE, kind=kind)
    for made in (one, two):
        herald(made, 0, bell=spent)
        herald(made, 1, born=5, bell=keep)
    (asks, _) = gate(one, 1, 0, bits >> 1)
    assert asked(two, asks.message) == [Purify("B", 1, 0, kind)]
    (tells, rearm, *rest) = gate(two, 1, 0, bits & 1, now=40)
    frame, flip = purify_frame(kind.value, keep, spent)
    success = (bits >> 1) ^ (bits & 1) == flip
    near, far = (
        OperationNoise(x.depolarising_1, x.depolarising_2, x.readout_error_0, x.readout_error_1)
        for x in (HERE, THERE)
    )
    ageing = aged(ONE, (1 / 9, 1 / 9, 1 / 9), 40e-12)
    ask = asks.message
    _, quality = purified(
        product(ask.quality_keep, ageing), product(ask.quality_sacrifice, ageing), kind.value, near, far, flip
    )
    assert tells.to == "A"
    assert tells.message == PurifyAnswer(4, "p1", success, Bell(frame), pytest.approx(quality, rel=1e-10), 40)
    assert rearm == arm("B", 0)
    done = answered(one, tells.message)
    if not success:
        assert rest == [Discard("B", 1), arm("B", 1)]
        assert done == [Discard("A", 1), arm("A", 1)]
        return
    assert rest == done == []
    mine, theirs = one.qubits[1], two.qubits[1]
    assert mine.state is theirs.state is State.LIVE
    assert mine.frame is theirs.frame is Bell(frame)
    assert mine.quality == theirs.quality == tells.message.quality
    assert (mine.born, mine.far_born, mine.rounds) == (20, 40, 1)
    assert (theirs.born, theirs.far_born, theirs.rounds) == (40, 20, 1)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_rounds_are_counted_and_pairs_of_like_rounds_meet(rounds: int) -> None:
    """Two ends, perfect gates: a pair of n rounds takes 2^n elementary pairs, and only likes are joined."""
    one, two = ends(rounds=rounds, slots=rounds + 1)
    gates = 0
    for number in range(2**rounds):
        slot = next(q.slot for q in one.qubits.values() if q.state is State.ARMED)
        news = Heralded("A", slot, "L", f"p{number}", Bell(0), number, number)
        two.heralded(replace(news, node="B"), 10)
        out = one.heralded(news, 10)
        while purify := next((each for each in out if isinstance(each, Purify)), None):
            assert one.qubits[purify.keep].rounds == one.qubits[purify.sacrifice].rounds
            gates += 1
            (ask, *_) = gate(one, purify.keep, purify.sacrifice)
            (command,) = asked(two, ask.message)
            (answer, *_) = gate(two, command.keep, command.sacrifice)
            out = answered(one, answer.message)
    (kept,) = [q for q in one.qubits.values() if q.state is State.LIVE]
    assert (kept.rounds, gates) == (rounds, 2**rounds - 1)
    assert [q.rounds for q in two.qubits.values() if q.state is State.LIVE] == [rounds]


def test_two_purifications_run_side_by_side_oldest_first() -> None:
    made = end("A", "B", True, slots=4)
    made.generating = False  # so that pairs pile up
    for slot in range(3):
        assert herald(made, slot, born=100 - 10 * slot) == []
    made.generating = True
    assert herald(made, 3, born=70) == [
        Purify("A", 2, 3, Distillation.DEJMPS),
        Purify("A", 0, 1, Distillation.DEJMPS),
    ]


# --------------------------------------------------------------------------------------- declined and early


@pytest.mark.parametrize("gone", ["p0", "p1"])
def test_declined_when_one_of_the_pairs_is_gone(gone: str) -> None:
    made = end("B", "A", False)
    herald(made, 0)
    herald(made, 1)
    made.lost(Lost(4, gone, "cutoff"), 20)
    other = 1 - int(gone[1])
    assert asked(made, ASK) == [Discard("B", other), arm("B", other), decline(ASK, 30)]


def test_declined_when_both_are_gone_or_busy_or_unlike() -> None:
    made = end("B", "A", False)
    for slot in (0, 1):
        herald(made, slot)
        made.lost(Lost(4, f"p{slot}", "cutoff"), 20)
    assert asked(made, ASK) == [decline(ASK, 30)]
    busy = end("B", "A", False)
    herald(busy, 0)
    herald(busy, 1)
    assert len(asked(busy, ASK)) == 1
    other = replace(ASK, keep=ASK.sacrifice, sacrifice=ASK.keep)
    assert asked(busy, other) == [decline(other, 30)]
    unlike = end("B", "A", False, rounds=2)
    herald(unlike, 0)
    herald(unlike, 1)
    later = replace(ASK, rounds=1)
    assert asked(unlike, later) == [
        Discard("B", 1), arm("B", 1), Discard("B", 0), arm("B", 0), decline(later, 30),
    ]  # fmt: skip


def test_the_initiator_lets_go_when_it_is_declined() -> None:
    made = end("A", "B", True)
    herald(made, 0)
    herald(made, 1)
    gate(made, 1, 0)
    no = PurifyAnswer(4, "p1", False, Bell.PHI_PLUS, ZERO, 30)
    assert answered(made, no) == [Discard("A", 1), arm("A", 1)]
    assert answered(made, no) == [Stale("A", "PurifyAnswer", 4)]


def test_an_answer_for_a_pair_that_broke_meanwhile_is_stale() -> None:
    made = end("A", "B", True)
    herald(made, 0)
    herald(made, 1)
    gate(made, 1, 0)
    assert made.lost(Lost(4, "p1", "cutoff"), 30) == [Discard("A", 1), arm("A", 1)]
    yes = PurifyAnswer(4, "p1", True, Bell.PHI_PLUS, ONE, 30)
    assert answered(made, yes) == [Stale("A", "PurifyAnswer", 4)]


def test_an_ask_before_the_herald_waits_for_it() -> None:
    made = end("B", "A", False)
    herald(made, 0)
    assert asked(made, ASK) == []
    assert herald(made, 1, now=60) == [Purify("B", 1, 0, Distillation.DEJMPS)]


def test_an_ask_before_the_news_of_the_segment_waits_for_it() -> None:
    made = end("B", "A", False, neighbour="M")
    herald(made, 0)
    herald(made, 1)
    assert asked(made, ASK) == []
    for slot, out in ((0, []), (1, [Purify("B", 1, 0, Distillation.DEJMPS)])):
        news = Joined(4, f"p{slot}", f"p{slot}", "A", f"a{slot}", Bell(0), ONE, 5, STAYS)
        assert made.joined(news, 60) == out


def test_an_ask_that_waited_is_declined_when_its_pair_breaks_instead() -> None:
    made = end("B", "A", False)
    herald(made, 0)
    assert asked(made, ASK) == []
    made.lost(Lost(4, "p1", "cutoff"), 40)
    out = herald(made, 1, now=60)
    assert decline(ASK, 60) in out
    assert {qubit.state for qubit in made.qubits.values()} == {State.ARMED}


# --------------------------------------------------------------------------------- broken during the gate


@pytest.mark.parametrize("which", ["p0", "p1"])
def test_the_initiator_tells_of_the_whole_one_when_the_other_broke(which: str) -> None:
    made = end("A", "B", True)
    herald(made, 0)
    herald(made, 1)
    assert made.lost(Lost(4, which, "cutoff"), 15) == []
    whole = f"p{1 - int(which[1])}"
    assert gate(made, 1, 0) == [
        Send("B", Lost(4, whole, "purification broken")),
        arm("A", 0),
        Discard("A", 1),
        arm("A", 1),
    ]


@pytest.mark.parametrize("which", ["p0", "p1"])
def test_the_responder_says_no_when_a_pair_broke_during_its_gate(which: str) -> None:
    made = end("B", "A", False)
    herald(made, 0)
    herald(made, 1)
    asked(made, ASK)
    assert made.lost(Lost(4, which, "cutoff"), 35) == []
    answer, *rest = gate(made, 1, 0, now=40)
    assert (answer.to, answer.message.keep, answer.message.success) == ("A", "p1", False)
    assert rest == [arm("B", 0), Discard("B", 1), arm("B", 1)]


def test_a_purified_pair_is_not_purified_beyond_its_rounds() -> None:
    made = end("A", "B", True, slots=3)
    herald(made, 0)
    herald(made, 1)
    gate(made, 1, 0)
    answered(made, PurifyAnswer(4, "p1", True, Bell.PHI_PLUS, ONE, 30))
    assert herald(made, 2) == []


def test_a_longer_chain_starts_its_rounds_anew() -> None:
    made = end("A", "B", True)
    herald(made, 0)
    herald(made, 1)
    gate(made, 1, 0)
    answered(made, PurifyAnswer(4, "p1", True, Bell.PHI_PLUS, ONE, 30))
    made.joined(Joined(4, "p1", "p1", "C", "c", Bell(0), ONE, 5, STAYS), 60)
    assert (made.qubits[1].rounds, made.qubits[1].partner) == (0, "C")


# ------------------------------------------------------------------------------- rotations, pumping, lost memories

TURNS = (Rotation(Axes.XYZ, Axes.ZYX), Rotation(Axes.YZX, Axes.XYZ))


def turning(made: Circuit, **changes: Any) -> Circuit:
    """The same end with changed rules, before anything has happened."""
    rules = made.distiller._rules
    made.distiller._rules = {partner: replace(rule, **changes) for partner, rule in rules.items()}
    return made


@pytest.mark.parametrize(("keep", "spent"), list(every(range(4), range(4))))
def test_a_stated_rotation_is_made_by_both_ends_and_believed(keep: int, spent: int) -> None:
    one, two = (turning(each, rotations=TURNS) for each in ends(noise=HERE, far=HERE))
    for made in (one, two):
        herald(made, 0, bell=spent)
        out = herald(made, 1, born=5, bell=keep)
        assert out == ([Purify(made.node, 1, 0, Distillation.DEJMPS, TURNS[0])] if made is one else [])
    frame, flip = purify_frame("dejmps", keep, spent, TURNS[0].words)
    (asks, _) = gate(one, 1, 0, 1, now=5)
    ask = asks.message
    assert asked(two, ask) == [Purify("B", 1, 0, Distillation.DEJMPS, TURNS[0])]
    (tells, *_) = gate(two, 1, 0, 1 ^ flip, now=5)
    noise = OperationNoise(
        HERE.depolarising_1, HERE.depolarising_2, HERE.readout_error_0, HERE.readout_error_1
    )
    _, quality = purified(
        ask.quality_keep, ask.quality_sacrifice, "dejmps", noise, noise, flip, TURNS[0].words
    )
    assert (tells.message.success, tells.message.frame) == (True, Bell(frame))
    assert tells.message.quality == pytest.approx(quality, rel=1e-9)


def test_each_round_has_its_rotation_and_the_rest_the_protocols_own() -> None:
    rule = next(iter(turning(end("A", "B", True, rounds=3), rotations=TURNS).distiller._rules.values()))
    assert [rotation_before(rule, rounds) for rounds in range(3)] == [*TURNS, None]


@pytest.mark.parametrize("rounds", [1, 2, 3, 4])
def test_pumping_takes_one_pair_more_for_each_round_on_two_slots(rounds: int) -> None:
    one, two = (turning(each, pumped=True) for each in ends(rounds=rounds, slots=2))
    kept: list[int] = []
    for number in range(rounds + 1):
        slot = next(q.slot for q in one.qubits.values() if q.state is State.ARMED)
        news = Heralded("A", slot, "L", f"p{number}", Bell(0), 10 * number, 10 * number)
        two.heralded(replace(news, node="B"), 10 * number)
        out = one.heralded(news, 10 * number)
        if number == 0:
            continue
        purify = next(each for each in out if isinstance(each, Purify))
        kept.append(purify.keep)
        assert one.qubits[purify.keep].rounds == number - 1
        assert one.qubits[purify.sacrifice].rounds == 0
        (ask, *_) = gate(one, purify.keep, purify.sacrifice)
        (command,) = asked(two, ask.message)
        assert (command.keep, command.sacrifice) == (purify.keep, purify.sacrifice)
        (answer, *_) = gate(two, command.keep, command.sacrifice)
        answered(one, answer.message)
    assert len(set(kept)) == 1  # one pair is kept all the time
    assert [q.rounds for q in one.qubits.values() if q.state is State.LIVE] == [rounds]
    assert [q.rounds for q in two.qubits.values() if q.state is State.LIVE] == [rounds]


def test_pumping_spends_fresh_pairs_on_those_with_most_rounds() -> None:
    made = turning(end("A", "B", True, rounds=3, slots=5), pumped=True)
    made.generating = False
    for slot, rounds in enumerate((1, 2, 0, 0, 0)):
        made.heralded(Heralded("A", slot, "L", f"p{slot}", Bell(0), slot, slot), 10)
        made.qubits[slot].rounds = rounds
    made.generating = True
    out: list[Action] = []
    made.react(20, out)
    met = [(each.keep, each.sacrifice) for each in out if isinstance(each, Purify)]
    assert met == [(1, 2), (0, 3)]


def test_a_pumped_ask_wants_a_fresh_pair_to_be_spent() -> None:
    made = turning(end("B", "A", False, rounds=3), pumped=True)
    herald(made, 0)
    herald(made, 1)
    made.qubits[1].rounds = 2
    assert asked(made, replace(ASK, rounds=2)) == [Purify("B", 1, 0, Distillation.DEJMPS)]
    other = turning(end("B", "A", False, rounds=3), pumped=True)
    herald(other, 0)
    herald(other, 1)
    other.qubits[0].rounds = other.qubits[1].rounds = 2
    assert decline(replace(ASK, rounds=2), 30) in asked(other, replace(ASK, rounds=2))


def test_the_initiator_gives_up_both_pairs_if_its_memory_lost_one() -> None:
    made = end("A", "B", True)
    herald(made, 0)
    herald(made, 1)
    out: list[Action] = []
    made.distiller.purified(Purified("A", 1, 0, None), 20, out)
    lost = [Send("B", Lost(4, name, "purification broken")) for name in ("p1", "p0")]
    assert out[:2] == lost
    assert {qubit.state for qubit in made.qubits.values()} == {State.ARMED}


def test_the_responder_says_no_if_its_memory_lost_one() -> None:
    made = end("B", "A", False)
    herald(made, 0)
    herald(made, 1)
    asked(made, ASK)
    out: list[Action] = []
    made.distiller.purified(Purified("B", 1, 0, None), 40, out)
    assert isinstance(out[0], Send)
    assert isinstance(out[0].message, PurifyAnswer)
    assert not out[0].message.success
    assert {qubit.state for qubit in made.qubits.values()} == {State.ARMED}
