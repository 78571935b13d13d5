"""Cut fibres and failed nodes: what is lost, who notices when, and what goes on."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.twin.bench import Bench, fixed

from quantum_fabric.errors import ProtocolError
from quantum_fabric.messages import (
    Arm,
    Bell,
    Consume,
    Correct,
    Discard,
    Distillation,
    Heralded,
    LinkChanged,
    Measure,
    NodeFailed,
    NodeRecovered,
    Purify,
    SlotsBroken,
    Swap,
    Teleport,
)
from quantum_fabric.units import Time

LIGHT = 40
DEJMPS = Distillation.DEJMPS


def chain(light: Time = LIGHT, **more: Any) -> Bench:
    """A - B - C, heralds 20 after each attempt."""
    model = fixed(heard=(20, 20))
    return Bench("ABC", [("A", "B", model), ("B", "C", model)], light=light, **more)


def seen(bench: Bench) -> list[tuple[Time, str, str, bool]]:
    return [(at, e.node, e.link, e.up) for at, e in bench.tape if isinstance(e, LinkChanged)]


# -------------------------------------------------------------------------------------------- the fibre


def test_both_ends_notice_a_cut_and_a_repair_after_light_from_the_middle() -> None:
    bench = chain()
    bench.run(100).twin.change_link("A~B", False, 100)
    bench.run(300).twin.change_link("A~B", True, 300)
    bench.run(1000)
    assert seen(bench) == [
        (120, "A", "A~B", False), (120, "B", "A~B", False), (320, "A", "A~B", True), (320, "B", "A~B", True),
    ]  # fmt: skip
    assert bench.links[0].up


def test_changing_a_link_to_what_it_is_does_nothing() -> None:
    bench = chain()
    before = bench.snapshot()
    bench.twin.change_link("A~B", True, 0)
    assert bench.snapshot() == before
    bench.twin.change_link("A~B", False, 0)
    bench.run(50).twin.change_link("A~B", False, 50)
    bench.run(500)
    assert len(seen(bench)) == 2


def test_a_cut_leaves_memories_and_other_links_alone() -> None:
    bench = chain()
    pair = bench.pair("A", 3, "B", 3)
    for node, slot, link in (("A", 0, "A~B"), ("B", 0, "A~B"), ("B", 1, "B~C"), ("C", 0, "B~C")):
        bench.arm(node, slot, link)
    bench.twin.change_link("A~B", False, 0)
    bench.run(500)
    assert {event.link for event in bench.of(Heralded)} == {"B~C"}
    bench.do(Consume("A", 3, Bell.PHI_PLUS), Consume("B", 3, Bell.PHI_PLUS))
    assert bench.truths[0].weights == (1.0, 0.0, 0.0, 0.0)
    assert pair.ends[0].slot is None


def test_every_lane_of_a_cut_fibre_goes_dark_and_comes_back() -> None:
    bench = chain()
    for lane in (0, 1, 2):
        bench.arm("A", lane, lane=lane, lanes=3)
        bench.arm("B", lane, lane=lane, lanes=3)
    bench.run(10).twin.change_link("A~B", False, 10)
    bench.run(450).twin.change_link("A~B", True, 450)
    bench.run(499)
    assert bench.of(Heralded) == []
    bench.run(520)
    assert len(bench.of(Heralded)) == 6


# -------------------------------------------------------------------------------------------- the nodes


def busy_chain() -> Bench:
    bench = chain()
    bench.pair("A", 0, "B", 0)
    bench.pair("B", 1, "C", 1)
    bench.pair("A", 1, "C", 0)
    bench.arm("B", 2)
    return bench


def test_a_failure_empties_the_node_and_nothing_else() -> None:
    bench = busy_chain()
    bench.run(10).twin.fail_node("B", 10)
    assert not bench.nodes["B"].alive
    assert bench.empty("B")
    assert bench.half("A", 0).pair.correlators == (0.0, 0.0, 0.0)
    assert bench.half("C", 1).pair.correlators == (0.0, 0.0, 0.0)
    assert bench.half("A", 1).pair.correlators == (1.0, 1.0, 1.0)
    assert bench.tape == [(10, NodeFailed("B"))]
    assert all(link.up for link in bench.links)


def test_neighbours_notice_a_failure_and_a_recovery_after_the_light_time_of_the_link() -> None:
    bench = chain()
    bench.run(10).twin.fail_node("B", 10)
    bench.run(200).twin.recover_node("B", 200)
    bench.run(1000)
    assert bench.tape == [
        (10, NodeFailed("B")),
        (50, LinkChanged("A", "A~B", False)),
        (50, LinkChanged("C", "B~C", False)),
        (200, NodeRecovered("B")),
        (200, LinkChanged("B", "A~B", True)),  # it looks at its links as it starts
        (200, LinkChanged("B", "B~C", True)),
        (240, LinkChanged("A", "A~B", True)),
        (240, LinkChanged("C", "B~C", True)),
    ]


def test_failing_twice_and_recovering_twice_count_once() -> None:
    bench = chain()
    bench.twin.recover_node("B", 0)
    assert bench.tape == []
    bench.twin.fail_node("B", 0)
    before = bench.snapshot()
    bench.twin.fail_node("B", 0)
    assert bench.snapshot() == before
    bench.twin.recover_node("B", 0)
    before = bench.snapshot()
    bench.twin.recover_node("B", 0)
    assert bench.snapshot() == before


COMMANDS = [
    Arm("B", 3, "A~B", 0, 1, None), Swap("B", 0, 1), Purify("B", 0, 1, DEJMPS), Discard("B", 0),
    Consume("B", 0, Bell.PHI_PLUS), Measure("B", 0, "Z"), Teleport("B", 0, Bell.PHI_PLUS, (1, 0)),
    Correct("B", 0, (0, 0)), Measure("B", 99, "W"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_a_dead_node_ignores_every_command_even_a_senseless_one(command: Any) -> None:
    bench = busy_chain()
    bench.twin.fail_node("B", 0)
    before = bench.snapshot()
    bench.do(command)
    assert bench.snapshot() == before


def test_a_recovered_node_works_again() -> None:
    bench = busy_chain()
    bench.run(10).twin.fail_node("B", 10)
    bench.run(20).twin.recover_node("B", 20)
    bench.do(Discard("A", 0))
    bench.arm("A", 0)
    bench.arm("B", 0)
    bench.run(200)
    assert bench.times(Heralded) == [(120, "A"), (120, "B")]
    with pytest.raises(ProtocolError):
        bench.do(Measure("B", 99, "Z"))


def test_a_failure_after_the_photon_left_heralds_a_broken_pair_at_the_neighbour() -> None:
    bench = chain()
    bench.arm("A")
    bench.arm("B")
    bench.run(5).twin.fail_node("B", 5)
    bench.run(500)
    assert bench.times(Heralded) == [(20, "A")]
    assert bench.half("A", 0).pair.correlators == (0.0, 0.0, 0.0)


def test_a_dead_node_hears_nothing() -> None:
    model = fixed(heard=(20, 90))
    bench = Bench("AB", [("A", "B", model)], light=LIGHT)
    bench.arm("A")
    bench.arm("B")
    bench.run(50).twin.fail_node("B", 50)
    bench.run(60).twin.recover_node("B", 60)  # even if it is back by then: it has forgotten
    bench.run(500)
    assert bench.times(Heralded) == [(20, "A")]


# ----------------------------------------------------------------------------- faults on top of faults


def test_a_dead_node_sees_no_fibre_and_looks_when_it_is_back() -> None:
    bench = chain()
    bench.twin.fail_node("B", 0)
    bench.run(100).twin.change_link("A~B", False, 100)
    bench.run(200).twin.recover_node("B", 200)
    bench.run(1000)
    assert [(at, link, up) for at, node, link, up in seen(bench) if node == "B"] == [
        (200, "A~B", False), (200, "B~C", True),
    ]  # fmt: skip
    assert [(at, up) for at, node, _, up in seen(bench) if node == "A"] == [(40, False), (120, False)]


def test_a_fibre_restored_to_a_dead_node_stays_dark_until_the_node_is_back() -> None:
    bench = chain()
    bench.twin.change_link("A~B", False, 0)
    bench.run(50).twin.fail_node("B", 50)
    bench.run(100).twin.change_link("A~B", True, 100)
    bench.run(300)
    assert [(at, up) for at, node, _, up in seen(bench) if node == "A"] == [(20, False)]
    bench.twin.recover_node("B", 300)
    bench.run(500)
    assert [(at, up) for at, node, _, up in seen(bench) if node == "A"] == [(20, False), (340, True)]


def test_two_neighbours_fail_and_come_back_one_after_the_other() -> None:
    bench = chain()
    bench.twin.fail_node("A", 0)
    bench.twin.fail_node("B", 0)
    bench.run(200).twin.recover_node("A", 200)
    bench.run(300).twin.recover_node("B", 300)
    bench.run(1000)
    news = [(at, node, up) for at, node, link, up in seen(bench) if link == "A~B"]
    assert news == [(200, "A", False), (300, "B", True), (340, "A", True)]


@pytest.mark.parametrize(
    "story",
    [
        [(100, "recover"), (110, "cut")],  # light of the node, recovered at 100, is stopped by the cut at 110
        [(55, "cut"), (60, "recover"), (65, "restore")],  # an old "down" arrives after the last "up"
    ],
)  # fmt: skip
def test_the_last_news_at_a_neighbour_is_true(story: list[tuple[Time, str]]) -> None:
    bench = chain()
    bench.run(50).twin.fail_node("B", 50)
    for at, what in story:
        bench.run(at)
        if what == "recover":
            bench.twin.recover_node("B", at)
        else:
            bench.twin.change_link("A~B", what == "restore", at)
    bench.run(1000)
    last = [up for _, node, link, up in seen(bench) if (node, link) == ("A", "A~B")][-1]
    assert last == (bench.links[0].up and bench.nodes["B"].alive)


# --------------------------------------------------------------------------------- slots that break


def test_a_broken_slot_loses_its_half_and_loads_no_more() -> None:
    bench = chain()
    bench.do(Arm("A", 0, "A~B", 0, 1, None), Arm("B", 0, "A~B", 0, 1, None))
    bench.run(100)
    slot = bench.nodes["A"].slots[0]
    assert slot.half is not None
    before = slot.half.pair.weights(slot.half.pair.frame)[0]
    bench.twin.break_slots("A", (0, 0), 100)
    assert [e for at, e in bench.tape if isinstance(e, SlotsBroken)] == [SlotsBroken("A", (0,))]
    assert slot.half is not None
    assert slot.half.pair.weights(slot.half.pair.frame)[0] == pytest.approx(0.25)
    assert before > 0.9
    bench.do(Discard("A", 0))
    with pytest.raises(ProtocolError, match="cannot arm slot 0 of A: it is broken"):
        bench.do(Arm("A", 0, "A~B", 1, 1, None))
    bench.twin.break_slots("A", (0,), 100)  # nothing new, nothing told
    assert len([e for _, e in bench.tape if isinstance(e, SlotsBroken)]) == 1


def test_an_armed_slot_that_breaks_heralds_nothing_more() -> None:
    bench = chain()
    bench.do(Arm("A", 0, "A~B", 0, 1, None), Arm("B", 0, "A~B", 0, 1, None))
    bench.twin.break_slots("A", (0,), 0)
    bench.run(1000)
    assert bench.nodes["A"].slots[0].half is None
    assert not [each for each in bench.times(Heralded) if each[1] == "A"]


def test_a_node_that_starts_again_finds_its_broken_slots_broken() -> None:
    bench = chain()
    bench.twin.fail_node("A", 0)
    bench.twin.break_slots("A", (1,), 0)  # a dead node tells nothing
    assert not [e for _, e in bench.tape if isinstance(e, SlotsBroken)]
    bench.run(50).twin.recover_node("A", 50)
    assert [(at, e) for at, e in bench.tape if isinstance(e, SlotsBroken)] == [(50, SlotsBroken("A", (1,)))]


def test_a_slot_that_is_not_there_breaks_nothing() -> None:
    bench = chain()
    with pytest.raises(ProtocolError, match="has no memory slot 99"):
        bench.twin.break_slots("A", (0, 99), 0)
    assert not any(slot.broken for slot in bench.nodes["A"].slots)


# ------------------------------------------------------------------------------ operations cut short

OPERATIONS = [
    Swap("B", 0, 1), Purify("B", 0, 1, DEJMPS), Measure("B", 0, "X"), Teleport("B", 0, Bell.PHI_PLUS, (1, 0)),
]  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("back", [False, True])
def test_an_operation_that_a_failure_interrupts_reports_nothing(operation: Any, back: bool) -> None:
    bench = chain(swap_time=30, measure_time=30)
    bench.pair("A", 0, "B", 0)
    bench.pair("B", 1, "C", 0)
    bench.do(operation)
    bench.run(10).twin.fail_node("B", 10)
    if back:
        bench.run(15).twin.recover_node("B", 15)
    bench.run(500)
    assert not any(
        type(event).__name__ in ("Swapped", "Purified", "Measured", "Teleported") for _, event in bench.tape
    )
    assert bench.empty("B")
    assert bench.half("A", 0).pair.correlators == (0.0, 0.0, 0.0)
    assert bench.streams.stream("B/operations").draws == 0


@pytest.mark.parametrize("operation", OPERATIONS[:2], ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("gone", [0, 1])
def test_discarding_one_of_two_halves_frees_the_other(operation: Any, gone: int) -> None:
    bench = chain(swap_time=30)
    pairs = [bench.pair("A", 0, "B", 0), bench.pair("B", 1, "C", 0)]
    bench.do(operation)
    bench.run(10).do(Discard("B", gone))
    assert bench.nodes["B"].slots[1 - gone].busy  # the gate is still on
    bench.run(500)
    assert bench.tape == []
    kept = bench.nodes["B"].slots[1 - gone]
    assert not kept.busy
    assert kept.half is not None
    assert pairs[gone].correlators == (0.0, 0.0, 0.0)
    assert pairs[1 - gone].correlators == (1.0, 1.0, 1.0)


def test_an_operation_survives_the_failure_of_the_other_end() -> None:
    bench = chain(swap_time=30)
    bench.pair("A", 0, "B", 0)
    bench.pair("B", 1, "C", 0)
    bench.do(Swap("B", 0, 1))
    bench.run(10).twin.fail_node("A", 10)
    bench.run(100)
    assert bench.tape[1][0] == 30
    assert bench.half("C", 0).pair.correlators == (0.0, 0.0, 0.0)
    assert bench.empty("B")


def test_a_slot_that_was_interrupted_can_be_used_while_the_old_gate_would_still_run() -> None:
    bench = chain(swap_time=30)
    bench.pair("A", 0, "B", 0)
    bench.pair("B", 1, "C", 0)
    bench.do(Swap("B", 0, 1), Discard("B", 0), Discard("B", 1))
    bench.arm("B", 0)
    bench.do(Discard("A", 0))
    bench.arm("A", 0)
    bench.run(25)
    assert bench.half("B", 0).elementary == "A~B/0#0"
    bench.run(100)  # the end of the old gate at 30 finds other halves and leaves them alone
    assert bench.half("B", 0).pair.correlators == (1.0, 1.0, 1.0)
    assert bench.times(Heralded) == [(20, "A"), (20, "B")]
