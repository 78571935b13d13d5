"""Letters that come twice or out of order, and leases that run out unnoticed: found by tests/model, held here one by one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from builders import chain, link, plan, request
from quantum_fabric.control import Controller, NodeAgent
from quantum_fabric.documents import topology
from quantum_fabric.messages import (
    Bell,
    Calibration,
    Code,
    Commit,
    Confirmed,
    Delivered,
    Discard,
    Distillation,
    GenerateRule,
    Heralded,
    Joined,
    Outcome,
    PairId,
    Prepare,
    Prepared,
    Purified,
    PurifyAnswer,
    PurifyAsk,
    PurifyRule,
    Refused,
    Release,
    Released,
    Send,
    Side,
    Stale,
    Status,
)
from quantum_fabric.units import MS, US

HOP = chain(2, link(), hop_delay=10 * US)
ONE = (1.0, 1.0, 1.0)
STAYS = (0.0, 0.0, 0.0)
PERFECT = Calibration(math.inf, math.inf, 0.0, 0.0, 0.0, 0.0)
Use = Callable[[Any], None]


def running(planned: Use, pairs: int = 3, **more: Any) -> Controller:
    planned(plan(HOP, "AB"))
    made = Controller(topology(HOP), 4 * MS)
    made.handle(request(pairs=pairs, name="r", **more), 0)
    for name in "AB":
        made.handle(Prepared(1, name), 0)
    return made


def claim(name: str, at: int = 5, pair: str = "p") -> Confirmed:
    return Confirmed(1, name, PairId(pair, pair), Bell.PSI_PLUS, ONE, STAYS, 0, at, 0)


def messages(actions: Any) -> list[Any]:
    return [each.message for each in actions if isinstance(each, Send)]


def test_a_pair_that_is_confirmed_again_is_not_delivered_again(planned: Use) -> None:
    made = running(planned)
    made.handle(claim("A"), 5)
    assert [type(each) for each in messages(made.handle(claim("B"), 5))] == [Delivered]
    for name in "ABAB":
        assert made.handle(claim(name), 6) == [Stale("controller", "Confirmed", 1)]
    assert made.sessions["r"].delivered == 1


def test_a_confirmation_that_was_long_on_its_way_is_not_believed(planned: Use) -> None:
    made = running(planned)
    made.handle(claim("A"), 5)
    made.handle(claim("B"), 5)
    made.handle(claim("A", 50 * MS, "q"), 50 * MS)
    made.handle(claim("B", 50 * MS, "q"), 50 * MS)  # by now the first pair is forgotten
    installation = made.sessions["r"].installation
    assert installation is not None
    assert list(installation.met) == [PairId("q", "q")]
    assert made.handle(claim("A"), 50 * MS) == [Stale("controller", "Confirmed", 1)]
    assert made.sessions["r"].delivered == 2


def test_a_request_that_comes_twice_is_accepted_once(planned: Use) -> None:
    made = running(planned)
    assert made.handle(request(pairs=3, name="r"), 7) == [Stale("controller", "LinkRequest", 0)]
    assert made.sessions["r"].installation is not None


def test_a_node_whose_lease_ran_out_gets_a_new_installation(planned: Use) -> None:
    made = running(planned)
    out = made.handle(Released(1, "A"), 3 * MS)
    assert [each.to for each in out if isinstance(each, Send) and each.message == Release(1)] == ["A", "B"]
    assert [each.epoch for each in messages(out) if isinstance(each, Prepare)] == [2, 2]
    assert made.handle(Released(1, "B"), 3 * MS) == []  # as it was told
    assert made.handle(Released(1, "A"), 3 * MS) == []


def test_a_node_whose_lease_ran_out_ends_a_request_that_no_plan_serves(planned: Use) -> None:
    made = running(planned, deadline=9 * MS)
    planned(Refused("", Code.NOTIME, "time", "too late"))
    made.admission.memory._known.clear()
    (*_, last) = messages(made.handle(Released(1, "A"), 3 * MS))
    assert last == Outcome("r", Status.FAILED, 0, "A let go of its slots; too late", Code.NOTIME)


def purifier(initiator: bool) -> NodeAgent:
    name, other = ("A", "B") if initiator else ("B", "A")
    made = NodeAgent(name, 4)
    side = Side.RIGHT if initiator else Side.LEFT
    slots = (0, 1, 2, 3)
    rules = (
        GenerateRule("A~B", other, side, slots, slots, None, ONE, STAYS),
        PurifyRule(other, 2, Distillation.DEJMPS, initiator, PERFECT),
    )
    made.handle(Prepare(1, "r", name, rules, PERFECT, MS, 50), 0)
    made.handle(Commit(1), 0)
    for slot in slots:
        made.handle(Heralded(name, slot, "A~B", f"p{slot}", Bell.PHI_PLUS, slot, slot), 5)
    return made


ASK = PurifyAsk(1, "p1", "p0", "A", "p1", 0, 0, ONE, ONE, 10)


def test_an_ask_that_comes_twice_takes_no_answer_back() -> None:
    made = purifier(False)
    again = Stale("B", "PurifyAsk", 1)
    assert len(made.handle(ASK, 20)) == 1
    assert made.handle(ASK, 21) == [again]  # its gate is running
    (answer,) = messages(made.handle(Purified("B", 1, 0, 0), 22))
    assert answer.success
    assert made.handle(ASK, 23) == [again]  # the pair lives on
    circuit = made.circuit(1)
    assert circuit is not None
    assert circuit.find("p1") is not None


def test_an_answer_of_the_round_before_does_not_end_this_one() -> None:
    made = purifier(True)
    for keep, spent in ((1, 0), (3, 2)):
        made.handle(Purified("A", keep, spent, 0), 10)
    answers = [PurifyAnswer(1, name, True, Bell.PHI_PLUS, ONE, 20) for name in ("p1", "p3")]
    for answer in answers:
        made.handle(answer, 30)
    made.handle(Purified("A", 3, 1, 0), 40)
    assert made.handle(answers[1], 50) == [Stale("A", "PurifyAnswer", 1)]
    out = made.handle(replace(answers[1], success=False, at=60), 70)
    assert Discard("A", 3) in out


def test_news_that_overtakes_an_answer_waits_for_it() -> None:
    made = purifier(True)
    made.handle(Purified("A", 1, 0, 0), 10)
    circuit = made.circuit(1)
    assert circuit is not None
    half = circuit.find("p1")
    assert half is not None
    made.handle(Joined(1, "p1", "p1", "C", "far", Bell.PHI_MINUS, ONE, 0, STAYS), 30)
    assert half.partner == "B"
    made.handle(PurifyAnswer(1, "p1", True, Bell.PSI_PLUS, ONE, 20), 40)
    assert (half.partner, half.far, half.frame) == ("C", "far", Bell.PSI_MINUS)
