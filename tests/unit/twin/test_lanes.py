"""Attempts on a lane: when heralds come, and what stops them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.twin.bench import Bench, fixed, near

from quantum_fabric.errors import ProtocolError
from quantum_fabric.kernel import Streams
from quantum_fabric.links.model import Heralding, HeraldOutcome
from quantum_fabric.messages import Arm, Bell, Consume, Discard, Heralded
from quantum_fabric.physics.correlators import from_weights
from quantum_fabric.units import Time


class Custom:
    """A link model that hands out one heralding and counts how often it is asked."""

    architecture, knob, stores = "custom", None, True

    def __init__(self, *outcomes: HeraldOutcome, period: Time = 100) -> None:
        self.point = Heralding(period, 0, (0, 0), (0, 0), outcomes)
        self.asked: list[Any] = []

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        self.asked.append((setting, lanes))
        return self.point


def one_link(seed: int = 1, **model: Any) -> Bench:
    return Bench("AB", [("A", "B", fixed(**model))], seed=seed)


def both(bench: Bench, lane: int = 0, lanes: int = 1) -> None:
    bench.arm("A", lane, lane=lane, lanes=lanes)
    bench.arm("B", lane, lane=lane, lanes=lanes)


def keep_trying(bench: Bench) -> None:
    """Whoever hears of a pair throws it away and arms again."""

    def again(event: Any) -> None:
        if isinstance(event, Heralded):
            bench.do(
                Discard(event.node, event.slot), Arm(event.node, event.slot, event.link, event.slot, 1, None)
            )

    bench.react = again


# ---------------------------------------------------------------------------------------- the grid


def test_the_letters_of_one_herald() -> None:
    bench = one_link(cycle=30, born=(3, 0), heard=(40, 50), bell=2)
    both(bench, lane=1, lanes=2)
    bench.run(1000)
    assert bench.tape == [  # lane 1 starts its first attempt at 30
        (70, Heralded("A", 1, "A~B", "A~B/1#0", Bell.PSI_PLUS, 33, 30)),
        (80, Heralded("B", 1, "A~B", "A~B/1#0", Bell.PSI_PLUS, 30, 33)),
    ]
    assert (bench.half("A", 1).since, bench.half("B", 1).since) == (33, 30)
    assert bench.half("A", 1).elementary == "A~B/1#0"
    assert all(node.slots[1].lane is None for node in bench.nodes.values())


SMALL = st.integers(0, 400)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 200), st.integers(0, 150), st.integers(0, 3), st.tuples(SMALL, SMALL), st.tuples(SMALL, SMALL),
    st.tuples(SMALL, SMALL),
)  # fmt: skip
def test_the_first_attempt_is_the_first_on_the_grid_that_finds_both_armed(
    period: int, cycle: int, lane: int, born: tuple[int, int], wait: tuple[int, int], armed: tuple[int, int]
) -> None:
    heard = (max(born) + wait[0], max(born) + wait[1])  # nobody hears of a photon that has not been sent
    bench = one_link(period=period, cycle=cycle, born=born, heard=heard)
    period = max(period, 4 * cycle)
    for at, node in sorted(zip(armed, "AB", strict=True)):
        bench.run(at).arm(node, lane=lane, lanes=4)
    bench.run(10_000)
    times = {event.node: (time, event) for time, event in bench.tape}
    starts = {times["A"][0] - heard[0], times["B"][0] - heard[1]}
    assert len(starts) == 1
    start = starts.pop()
    assert (start - lane * cycle) % period == 0
    assert all(start + b >= at for b, at in zip(born, armed, strict=True))
    assert any(start - period + b < at for b, at in zip(born, armed, strict=True))
    assert (times["A"][1].born, times["B"][1].born) == (start + born[0], start + born[1])
    assert (times["A"][1].partner_born, times["B"][1].partner_born) == (start + born[1], start + born[0])


def test_the_number_of_the_successful_attempt_is_one_draw_of_the_lane() -> None:
    bench = one_link(success=0.05, heard=(7, 7), seed=9)
    both(bench)
    bench.run(100_000)
    attempt = Streams(9).stream("A~B/0/attempts").geometric(0.05)
    assert bench.times(Heralded) == [((attempt - 1) * 100 + 7, "A"), ((attempt - 1) * 100 + 7, "B")]
    assert bench.clock.events == 2  # failures cost nothing


@pytest.mark.parametrize("offset", [0, 5, 130])
def test_never_two_attempts_in_one_slot_of_the_grid(offset: Time) -> None:
    bench = one_link(born=(offset, offset), heard=(offset, offset))
    keep_trying(bench)
    both(bench)
    bench.run(1000)
    times = [time for time, node in bench.times(Heralded) if node == "A"]
    # photons leave `offset` after the start, so whoever arms again when it hears can make the very next attempt
    assert times == list(range(offset % 100, 1001, 100))
    names = [event.pair for event in bench.of(Heralded) if event.node == "A"]
    assert names == [f"A~B/0#{n}" for n in range(len(times))]


def test_a_busy_lane_makes_an_attempt_only_once_the_later_end_is_back() -> None:
    bench = one_link(heard=(20, 170))
    keep_trying(bench)
    both(bench)
    bench.run(600)
    assert bench.times(Heralded) == [(20, "A"), (170, "B"), (220, "A"), (370, "B"), (420, "A"), (570, "B")]


def test_interrupted_lanes_stay_memoryless() -> None:
    """Each slot of the grid is one trial of chance p, however often an end lets go between two attempts."""
    slots, p = 4_000, 0.2
    bench = one_link(success=p, seed=4)
    keep_trying(bench)
    both(bench)
    for slot in range(slots):
        bench.run(slot * 100 + 10)
        if slot % 3 == 0:  # let go after this attempt and be back before the next
            node = "AB"[slot % 2]
            bench.do(Discard(node, 0))
            bench.run(slot * 100 + 20).arm(node)
    assert near(len(bench.of(Heralded)) // 2, slots, p)


# ---------------------------------------------------------------------------------------- letting go


def test_letting_go_before_the_photon_leaves_ends_the_attempt() -> None:
    bench = one_link(born=(50, 0), heard=(60, 60))
    both(bench)
    bench.run(40).do(Discard("A", 0))
    bench.run(45).arm("A")  # in time for its photon at 50, but this attempt is over
    bench.run(300)
    assert bench.times(Heralded) == [(160, "A"), (160, "B")]


def test_letting_go_after_the_photon_left_heralds_a_broken_pair_at_the_other_end() -> None:
    bench = one_link(heard=(60, 70))
    both(bench)
    bench.run(10).do(Discard("A", 0))
    bench.run(500)
    assert bench.times(Heralded) == [(70, "B")]
    assert bench.half("B", 0).pair.correlators == (0.0, 0.0, 0.0)
    assert bench.empty("A")
    bench.do(Consume("B", 0, Bell.PHI_PLUS))
    assert bench.truths == []


def test_an_end_that_is_back_before_the_news_has_no_part_in_that_pair() -> None:
    bench = one_link(heard=(60, 60))
    both(bench)
    bench.run(10).do(Discard("A", 0))
    bench.run(20).arm("A", slot=1)
    bench.run(90)
    assert bench.times(Heralded) == [(60, "B")]
    assert bench.half("B", 0).pair.correlators == (0.0, 0.0, 0.0)
    bench.do(Discard("B", 0))
    bench.arm("B")
    bench.run(300)
    assert bench.times(Heralded)[1:] == [(160, "A"), (160, "B")]
    assert bench.half("A", 1).pair is bench.half("B", 0).pair
    assert bench.half("A", 1).elementary == "A~B/0#1"


def test_both_let_go_after_their_photons_left_and_both_are_back() -> None:
    bench = one_link(heard=(60, 60))
    both(bench)
    bench.run(10).do(Discard("A", 0), Discard("B", 0))
    bench.run(20)
    both(bench)
    bench.run(300)
    assert bench.times(Heralded) == [(160, "A"), (160, "B")]
    assert bench.half("A", 0).pair.correlators == (1.0, 1.0, 1.0)


def test_the_later_end_lets_go_between_the_two_letters() -> None:
    bench = one_link(heard=(40, 90))
    both(bench)
    bench.run(60).do(Discard("B", 0))
    bench.run(500)
    assert bench.times(Heralded) == [(40, "A")]
    assert bench.half("A", 0).pair.correlators == (0.0, 0.0, 0.0)


def test_the_first_end_may_discard_at_once_and_the_second_is_told_all_the_same() -> None:
    bench = one_link(heard=(40, 40))
    bench.react = lambda event: bench.do(Discard("A", 0)) if event.node == "A" else None
    both(bench)
    bench.run(90)
    assert bench.times(Heralded) == [(40, "A"), (40, "B")]
    assert bench.half("B", 0).pair.correlators == (0.0, 0.0, 0.0)


def test_letting_go_of_an_idle_lane_does_nothing() -> None:
    bench = one_link()
    bench.arm("A")
    bench.do(Discard("A", 0), Discard("A", 0))
    bench.arm("B")
    bench.run(1000)
    assert bench.tape == []
    assert bench.links[0].lanes[0].arms == [None, bench.nodes["B"].slots[0]]


def test_an_end_arms_a_lane_once() -> None:
    bench = one_link()
    bench.arm("A", slot=0)
    before = bench.snapshot()
    with pytest.raises(ProtocolError, match="lane 0 of link A~B is armed at A already"):
        bench.arm("A", slot=1)
    assert bench.snapshot() == before


# ----------------------------------------------------------------------------------------- the fibre


@pytest.mark.parametrize(
    ("cut", "restored", "heralds"),
    [
        (10, 30, [160, 180]),  # the attempt in flight is lost, the next is on the grid
        (10, 100, [160, 180]),  # restored at the very moment of an attempt
        (10, 101, [260, 280]),
        (70, 75, [60, 80]),  # the first end heard before the cut: news is classical and goes on
    ],
)
def test_a_cut_loses_what_nobody_has_heard_of(cut: Time, restored: Time, heralds: list[Time]) -> None:
    bench = one_link(heard=(60, 80))
    both(bench)
    bench.run(cut).twin.change_link("A~B", False, cut)
    bench.run(restored).twin.change_link("A~B", True, restored)
    bench.run(1000)
    assert bench.times(Heralded) == [(heralds[0], "A"), (heralds[1], "B")]


def test_a_restored_fibre_draws_afresh() -> None:
    bench = one_link(success=0.01, seed=3)
    both(bench)
    first, second = (lambda s: (s.geometric(0.01), s.geometric(0.01)))(Streams(3).stream("A~B/0/attempts"))
    assert first > 2
    bench.run(110).twin.change_link("A~B", False, 110)
    bench.run(5_010).twin.change_link("A~B", True, 5_010)
    bench.run(1_000_000)
    assert bench.times(Heralded)[0][0] == 5_100 + (second - 1) * 100


def test_a_dark_lane_can_be_armed_and_waits() -> None:
    bench = one_link()
    bench.twin.change_link("A~B", False, 0)
    both(bench)
    bench.run(1_010)
    assert bench.of(Heralded) == []
    bench.twin.change_link("A~B", True, 1_010)
    bench.run(1_150)
    assert bench.times(Heralded) == [(1_100, "A"), (1_100, "B")]


# -------------------------------------------------------------------------- order, outcomes, settings


def test_simultaneous_heralds_come_by_link_then_lane_however_they_were_armed() -> None:
    bench = Bench("ABC", [("B", "C", fixed(heard=(9, 9))), ("A", "B", fixed(heard=(9, 9)))])
    for link in ("A~B", "B~C"):
        for lane in (1, 0):
            for node in (link[2], link[0]):
                bench.arm(node, slot=lane + 2 * (link == "A~B"), link=link, lane=lane, lanes=2)
    bench.run(50)
    order = [(event.link, event.pair[-3], event.node) for event in bench.of(Heralded)]
    assert order == [
        ("B~C", "0", "B"), ("B~C", "0", "C"), ("B~C", "1", "B"), ("B~C", "1", "C"),
        ("A~B", "0", "A"), ("A~B", "0", "B"), ("A~B", "1", "A"), ("A~B", "1", "B"),
    ]  # fmt: skip


def test_outcomes_come_by_their_share_with_their_label_and_state() -> None:
    outcomes = (
        HeraldOutcome(2, 0.3, (0.9, 0.1, 0.0, 0.0)),
        HeraldOutcome(3, 0.1, (0.7, 0.0, 0.3, 0.0)),
    )
    bench = Bench("AB", [("A", "B", Custom(*outcomes))])
    seen: list[Any] = []

    def note(event: Any) -> None:
        if event.node == "A":
            seen.append((event.bell, bench.half("A", 0).pair.correlators, bench.half("A", 0).pair.frame))

    keep_trying(bench)
    again = bench.react
    bench.react = lambda event: (note(event), again(event))[1]
    both(bench)
    bench.run(500_000)
    assert near(len(seen), 5_001, 0.4)
    states = {outcome.bell: from_weights(outcome.weights) for outcome in outcomes}
    assert all(state == states[label] and frame == label for label, state, frame in seen)
    assert near(sum(label == 2 for label, _, _ in seen), len(seen), 0.75)


def test_a_link_that_cannot_succeed_is_never_tried() -> None:
    bench = Bench("AB", [("A", "B", Custom())])
    both(bench)
    bench.run(10**12)
    assert (bench.tape, bench.clock.events) == ([], 0)


def test_the_model_is_asked_once_for_each_setting_and_number_of_lanes() -> None:
    model = Custom(HeraldOutcome(0, 1.0, (1.0, 0.0, 0.0, 0.0)))
    bench = Bench("AB", [("A", "B", model)])
    both(bench, lane=0, lanes=2)
    both(bench, lane=1, lanes=2)
    bench.do(Arm("A", 2, "A~B", 2, 2, 0.3), Arm("B", 2, "A~B", 2, 2, 0.3))
    assert model.asked == [(None, 2), (0.3, 2)]


def test_ends_of_a_link_may_be_named_in_either_order() -> None:
    bench = Bench("AB", [("B", "A", fixed(born=(0, 10), heard=(20, 30)))])
    bench.arm("A", link="B~A")
    bench.arm("B", link="B~A")
    bench.run(99)
    assert bench.times(Heralded) == [(20, "B"), (30, "A")]
    assert [event.born for event in bench.of(Heralded)] == [0, 10]
