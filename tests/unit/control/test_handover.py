"""What one end does with a complete pair, letter by letter."""

from __future__ import annotations

import math
from typing import Any

import pytest

from quantum_fabric.control import NodeAgent
from quantum_fabric.control.reading import Reader, epoch_key
from quantum_fabric.messages import (
    Arm,
    Bell,
    Calibration,
    Commit,
    Confirmed,
    Consume,
    Declined,
    DeliverRule,
    Discard,
    Drain,
    GenerateRule,
    Heralded,
    Lost,
    Measure,
    Measured,
    NodeFailed,
    PairId,
    Prepare,
    Read,
    Reading,
    Release,
    Released,
    Send,
    Side,
    Turn,
)
from quantum_fabric.physics.frames import expected_parity

RULE = GenerateRule("A~B", "B", Side.RIGHT, (0,), (0,), None, (0.9, 0.9, 0.9), (0.0, 0.0, 0.0))
KEY = epoch_key(b"secret", 1)
ALL = Reading(("X",), 1.0, KEY)
AGAIN = Arm("A", 0, "A~B", 0, 1, None)


def agent(t2: float = math.inf, **rule: Any) -> NodeAgent:
    made = NodeAgent("A", 1)
    deliver = DeliverRule("B", **{"hold": False, **rule})
    belief = Calibration(math.inf, t2, 0.0, 0.0, 0.0, 0.0)
    made.handle(Prepare(1, "r", "A", (RULE, deliver), belief, 10**15, 50), 0)
    made.handle(Commit(1), 0)
    return made


def herald(made: NodeAgent, number: int = 1, bell: Bell = Bell.PHI_MINUS, at: int = 10) -> list[Any]:
    return list(made.handle(Heralded("A", 0, "A~B", f"p{number}", bell, 0, 0), at))


def confirmation(actions: list[Any]) -> Confirmed:
    (found,) = [x.message for x in actions if isinstance(x, Send) and isinstance(x.message, Confirmed)]
    assert isinstance(found, Confirmed)
    return found


def test_a_half_is_measured_instead_of_being_handed_over() -> None:
    made = agent(reading=ALL)
    assert herald(made) == [Measure("A", 0, "X", "p1")]
    out = list(made.handle(Measured("A", 0, "X", 1), 40))
    assert confirmation(out).read == Read("X", 1, test=False)
    assert out[1:] == [AGAIN]


def test_what_is_said_of_it_is_said_of_the_time_when_it_was_read() -> None:
    made = agent(t2=1e-9, reading=ALL)  # 1 ns
    herald(made, at=10)
    told = confirmation(list(made.handle(Measured("A", 0, "X", 0), 1000)))
    assert told.at == 1000
    assert told.quality == pytest.approx((0.9 * math.exp(-1.0), 0.9 * math.exp(-1.0), 0.9))
    assert told.pair == PairId("p1", "p1")


def test_a_memory_that_had_lost_its_half_has_no_bit() -> None:
    made = agent(reading=ALL, bell=Bell.PSI_PLUS, turns=True)
    herald(made)
    assert confirmation(list(made.handle(Measured("A", 0, "X", None), 40))).read == Read("X", None)


def test_tests_go_before_everything_else() -> None:
    tests = Reading(("X", "Y", "Z"), 0.4, KEY)
    made, reader = agent(hold=False, tests=tests, reading=Reading(("Z",), 1.0, KEY, "source")), Reader(tests)
    seen = set()
    for number in range(40):
        (first,) = herald(made, number, at=100 * number)
        basis = reader.basis(PairId(f"p{number}", f"p{number}"))
        assert first == Measure("A", 0, basis or "Z", f"p{number}")
        out = list(made.handle(Measured("A", 0, first.basis, 0), 100 * number + 50))
        assert confirmation(out).read == Read(basis or "Z", 0, basis is not None)
        seen.add(basis is None)
    assert seen == {True, False}


def test_a_tested_pair_is_not_kept_for_the_application() -> None:
    made = agent(hold=True, tests=Reading(("Z",), 1.0, KEY))
    herald(made)
    assert list(made.handle(Measured("A", 0, "Z", 0), 40))[1:] == [AGAIN]


@pytest.mark.parametrize("bell", Bell)
@pytest.mark.parametrize("wanted", Bell)
@pytest.mark.parametrize("turns", [True, False])
def test_the_pair_is_announced_in_the_state_that_is_asked_for(bell: Bell, wanted: Bell, turns: bool) -> None:
    out = herald(agent(bell=wanted, turns=turns), bell=bell)
    acts = [Turn("A", 0, Bell(bell ^ wanted), "p1")] if turns and bell is not wanted else []
    assert out[: len(acts)] == acts
    assert confirmation(out).bell is wanted
    assert out[len(acts) + 1 :] == [Consume("A", 0, wanted), AGAIN]


@pytest.mark.parametrize("bell", Bell)
@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
def test_a_bit_is_flipped_where_the_states_differ_in_its_basis(bell: Bell, basis: str) -> None:
    wanted = Bell.PSI_MINUS
    for turns in (True, False):
        made = agent(reading=Reading((basis,), 1.0, KEY), bell=wanted, turns=turns)
        assert herald(made, bell=bell) == [Measure("A", 0, basis, "p1")]
        told = confirmation(list(made.handle(Measured("A", 0, basis, 0), 40)))
        flip = turns and expected_parity(basis, bell) != expected_parity(basis, wanted)
        assert told.bell is wanted
        assert told.read == Read(basis, int(flip))


def test_word_that_the_pair_is_gone_while_it_is_read() -> None:
    made = agent(reading=ALL)
    herald(made)
    assert list(made.handle(Lost(1, "p1", "cutoff"), 20)) == []
    assert list(made.handle(Measured("A", 0, "X", 1), 40)) == [AGAIN]  # nothing is confirmed


def test_a_drained_node_reads_to_the_end_and_makes_no_more() -> None:
    made = agent(reading=ALL)
    herald(made)
    assert list(made.handle(Drain(1), 20)) == []
    out = list(made.handle(Measured("A", 0, "X", 1), 40))
    assert confirmation(out).read == Read("X", 1)
    assert out[1:] == []
    assert list(made.handle(Release(1), 50)) == [Send("controller", Released(1, "A"))]


def test_a_released_node_lets_go_in_the_middle_and_answers_nothing_later() -> None:
    made = agent(reading=ALL)
    herald(made)
    assert list(made.handle(Release(1), 20)) == [Discard("A", 0), Send("controller", Released(1, "A"))]
    assert list(made.handle(Measured("A", 0, "X", 1), 40)) == []
    assert made.leases == {}


def test_a_node_that_failed_has_read_nothing() -> None:
    made = agent(reading=ALL)
    herald(made)
    made.handle(NodeFailed("A"), 20)
    assert list(made.handle(Measured("A", 0, "X", 1), 40)) == []


def test_an_application_measures_what_it_holds() -> None:
    made = agent(hold=True)
    herald(made)
    assert list(made.handle(Measured("A", 0, "X", 1), 40)) == [AGAIN]


def test_a_rule_that_nobody_can_follow_is_declined() -> None:
    deliver = DeliverRule("B", False, Reading(("X",), 2.0, KEY))
    belief = Calibration(math.inf, math.inf, 0.0, 0.0, 0.0, 0.0)
    made = NodeAgent("A", 1)
    (answer,) = made.handle(Prepare(1, "r", "A", (RULE, deliver), belief, 10**15, 50), 0)
    reason = "share: found 2.0, expected a share in (0, 1]"
    assert answer == Send("controller", Declined(1, "A", reason))
    assert made.leases == {}
    assert made.circuit(1) is None
