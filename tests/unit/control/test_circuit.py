"""The fast path at one node: messages in, the exact list of actions out."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product as every

import pytest

from quantum_fabric.control.circuit import Circuit
from quantum_fabric.control.qubit import State
from quantum_fabric.messages import (
    Arm,
    Bell,
    Calibration,
    Confirmed,
    Consume,
    Correlators,
    CutoffRule,
    DeliverRule,
    Discard,
    GenerateRule,
    Heralded,
    Joined,
    Lost,
    PairId,
    Prepare,
    Rule,
    Send,
    Side,
    Stale,
    Swap,
    Swapped,
    SwapRule,
    Wake,
)
from quantum_fabric.physics.correlators import aged, product, swap_table
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.units import MS, SECOND, US

PERFECT = Calibration(math.inf, math.inf, 0.0, 0.0, 0.0, 0.0)
NOISY = Calibration(2.0, 0.5, 0.001, 0.02, 0.03, 0.01)
FRESH: Correlators = (0.9, 0.8, 0.95)
FAR: Correlators = (3.0, 3.0, 1.0)
ONE: Correlators = (1.0, 1.0, 1.0)
STAYS: Correlators = (0.0, 0.0, 0.0)
KEEP = MS


def generate(partner: str, side: Side, slots: tuple[int, ...]) -> GenerateRule:
    lanes = tuple(slot + 10 for slot in slots)
    return GenerateRule(f"~{partner}", partner, side, slots, lanes, 0.25, FRESH, FAR)


def circuit(node: str, *rules: Rule, noise: Calibration = PERFECT) -> Circuit:
    made = Circuit(Prepare(4, "r", node, rules, noise, SECOND, KEEP))
    made.start()
    return made


def repeater(
    count: int = 1, *more: Rule, swap: SwapRule | None = None, noise: Calibration = PERFECT
) -> Circuit:
    """Node M of L-K-M-N-O; slots 0.. to K on its left, then those to N on its right."""
    return circuit(
        "M",
        generate("K", Side.LEFT, tuple(range(count))),
        generate("N", Side.RIGHT, tuple(range(count, 2 * count))),
        swap or SwapRule(("L", "K"), ("N", "O")),
        *more,
        noise=noise,
    )


def end(count: int = 1, hold: bool = False, noise: Calibration = PERFECT, side: Side = Side.RIGHT) -> Circuit:
    """Node A, whose neighbour is B; it delivers pairs with Z."""
    return circuit("A", generate("B", side, tuple(range(count))), DeliverRule("Z", hold), noise=noise)


def herald(slot: int, partner: str, number: int = 1, born: int = 0, bell: int = 0) -> Heralded:
    return Heralded("M", slot, f"~{partner}", f"{partner}#{number}", Bell(bell), born, born + 7)


def both_live(made: Circuit, frames: tuple[int, int] = (0, 0), now: int = 0) -> list[object]:
    made.heralded(herald(0, "K", bell=frames[0]), now)
    return made.heralded(herald(1, "N", bell=frames[1]), now)


def joined(
    mine: str, was: str, partner: str = "Z", far: str = "z", frame: int = 0, quality: Correlators = ONE
) -> Joined:
    return Joined(4, mine, was, partner, far, Bell(frame), quality, 50, STAYS)


def arm(slot: int, partner: str, of: int = 1, node: str = "M") -> Arm:
    return Arm(node, slot, f"~{partner}", slot + 10, of, 0.25)


# ------------------------------------------------------------------------------------------------- heralds


def test_commit_arms_every_slot_once() -> None:
    made = Circuit(Prepare(4, "r", "A", (generate("B", Side.RIGHT, (2, 5)),), PERFECT, SECOND, KEEP))
    assert not made.active
    assert made.start() == [arm(2, "B", 2, "A"), arm(5, "B", 2, "A")]
    assert made.start() == []
    assert {qubit.state for qubit in made.qubits.values()} == {State.ARMED}


def test_a_herald_makes_a_live_half() -> None:
    made = repeater()
    assert made.heralded(herald(0, "K", born=100, bell=2), 400) == []
    qubit = made.find("K#1")
    assert qubit is made.qubits[0]
    assert qubit.state is State.LIVE
    assert (qubit.mine, qubit.far, qubit.partner, qubit.frame) == ("K#1", "K#1", "K", Bell.PSI_PLUS)
    assert (qubit.quality, qubit.born, qubit.far_born, qubit.far_decay) == (FRESH, 100, 107, FAR)


def test_a_herald_that_nobody_waits_for_is_stale() -> None:
    made = repeater()
    made.heralded(herald(0, "K"), 0)
    assert made.heralded(herald(0, "K", 2), 0) == [Stale("M", "Heralded", 4)]
    assert made.heralded(herald(1, "K", 3), 0) == [Stale("M", "Heralded", 4)]  # slot 1 serves the other link
    assert made.qubits[0].mine == "K#1"


# --------------------------------------------------------------------------------------------------- swaps


def test_a_swap_starts_when_both_sides_are_ready() -> None:
    made = repeater()
    assert both_live(made) == [Swap("M", 0, 1)]
    assert {made.qubits[slot].state for slot in (0, 1)} == {State.SWAPPING}


def test_the_oldest_halves_swap_first() -> None:
    made = repeater(3)
    for slot, born in ((0, 30), (1, 10), (2, 20)):
        assert made.heralded(herald(slot, "K", slot, born), 40) == []
    assert made.heralded(herald(4, "N", 4, 35), 40) == [Swap("M", 1, 4)]
    assert made.heralded(herald(3, "N", 3, 5), 41) == [Swap("M", 2, 3)]
    assert made.heralded(herald(5, "N", 5, 36), 42) == [Swap("M", 0, 5)]


def test_as_soon_as_possible_and_nested_differ_in_whom_they_swap() -> None:
    asap, nested = repeater(), repeater(swap=SwapRule(("L",), ("O",)))
    assert both_live(asap) == [Swap("M", 0, 1)]
    assert both_live(nested) == []
    assert nested.joined(joined("K#1", "K#1", "L", "l"), 5) == []
    assert nested.joined(joined("N#1", "N#1", "O", "o"), 6) == [Swap("M", 0, 1)]


def test_a_stranger_at_the_other_end_is_not_swapped() -> None:
    made = repeater()
    made.heralded(herald(0, "K"), 0)
    assert made.joined(joined("K#1", "K#1", "X", "x"), 5) == []
    assert made.heralded(herald(1, "N"), 6) == []


@pytest.mark.parametrize(("a", "b", "outcome"), list(every(range(4), range(4), range(4))))
def test_each_end_is_told_the_other_sides_frame_and_the_outcome(a: int, b: int, outcome: int) -> None:
    made = repeater()
    both_live(made, (a, b))
    out = made.swapped(Swapped("M", 0, 1, Bell(outcome)), 0)
    assert out == [
        Send("K", Joined(4, "K#1", "K#1", "N", "N#1", Bell(b ^ outcome), FRESH, 7, FAR)),
        Send("N", Joined(4, "N#1", "N#1", "K", "K#1", Bell(a ^ outcome), FRESH, 7, FAR)),
        arm(0, "K"),
        arm(1, "N"),
    ]


def test_a_swap_tells_the_chain_as_it_is_and_the_noise_of_this_node() -> None:
    made = repeater(noise=NOISY)
    made.heralded(herald(0, "K", born=0), 10 * US)
    made.joined(joined("K#1", "K#1", "L", "l", 3, (0.7, 0.6, 0.5)), 20 * US)
    made.heralded(herald(1, "N", born=40 * US), 50 * US)
    out = made.swapped(Swapped("M", 0, 1, Bell.PHI_MINUS), 90 * US)
    noise = OperationNoise(0.001, 0.02, 0.03, 0.01)
    decay = (2.0, 2.0, 0.5)
    here = product(swap_table(noise)[1][1], product(aged(ONE, decay, 90e-6), aged(ONE, decay, 50e-6)))
    right = pytest.approx(product(FRESH, here), rel=1e-14)
    left = pytest.approx(product(product(FRESH, (0.7, 0.6, 0.5)), here), rel=1e-14)
    assert out[:2] == [
        Send("L", Joined(4, "l", "K#1", "N", "N#1", Bell.PHI_MINUS, right, 40 * US + 7, FAR)),
        Send("N", Joined(4, "N#1", "N#1", "L", "l", Bell(3 ^ 1), left, 50, STAYS)),
    ]


def test_a_failed_swap_breaks_both_chains() -> None:
    made = repeater()
    both_live(made)
    assert made.swapped(Swapped("M", 0, 1, None), 9) == [
        Send("K", Lost(4, "K#1", "swap failed")),
        Send("N", Lost(4, "N#1", "swap failed")),
        arm(0, "K"),
        arm(1, "N"),
    ]
    assert made.joined(joined("K#1", "K#1"), 10) == [Stale("M", "Joined", 4)]


def test_a_chain_that_breaks_during_a_swap_breaks_the_other_side() -> None:
    made = repeater()
    both_live(made)
    assert made.lost(Lost(4, "K#1", "cutoff"), 5) == []
    assert made.qubits[0].broken
    assert made.swapped(Swapped("M", 0, 1, Bell.PHI_PLUS), 9) == [
        Send("N", Lost(4, "N#1", "chain broken")),
        arm(0, "K"),
        arm(1, "N"),
    ]
    assert not made.qubits[0].broken


# ---------------------------------------------------------------------------------------------------- news


@pytest.mark.parametrize(("mine", "told"), list(every(range(4), range(4))))
def test_news_composes_frame_and_quality(mine: int, told: int) -> None:
    made = end()
    made.heralded(Heralded("A", 0, "~B", "B#1", Bell(mine), 0, 7), 10)
    assert made.joined(joined("B#1", "B#1", "C", "c", told, (0.5, 0.6, 0.7)), 20) == []
    qubit = made.qubits[0]
    assert (qubit.partner, qubit.far, qubit.frame) == ("C", "c", Bell(mine ^ told))
    assert isinstance(qubit.frame, Bell)
    assert qubit.quality == pytest.approx((0.45, 0.48, 0.665), rel=1e-14)
    assert (qubit.far_born, qubit.far_decay) == (50, STAYS)


def test_late_news_follows_the_half_through_the_swap() -> None:
    made = repeater()
    both_live(made)
    made.swapped(Swapped("M", 0, 1, Bell.PHI_PLUS), 9)
    news = joined("K#1", "K#1", "L", "l", 2, (0.5, 0.6, 0.7))
    assert made.joined(news, 12) == [Send("N", replace(news, mine="N#1"))]
    assert made.lost(Lost(4, "N#1", "cutoff"), 13) == [Send("K", Lost(4, "K#1", "cutoff"))]


def test_news_that_comes_during_a_swap_is_told_by_the_swap() -> None:
    made = repeater()
    both_live(made)
    assert made.joined(joined("K#1", "K#1", "L", "l", 2), 5) == []
    out = made.swapped(Swapped("M", 0, 1, Bell.PHI_PLUS), 9)
    assert out[0] == Send("L", Joined(4, "l", "K#1", "N", "N#1", Bell.PHI_PLUS, FRESH, 7, FAR))
    assert out[1] == Send("N", Joined(4, "N#1", "N#1", "L", "l", Bell.PSI_PLUS, FRESH, 50, STAYS))


def test_news_that_overtook_other_news_goes_on_when_the_half_is_swapped() -> None:
    made = repeater()
    both_live(made)
    ahead = joined("K#1", "j", "L", "l", 2)
    assert made.joined(ahead, 5) == []
    out = made.swapped(Swapped("M", 0, 1, Bell.PHI_PLUS), 9)
    assert out[:3] == [
        Send("K", Joined(4, "K#1", "K#1", "N", "N#1", Bell.PHI_PLUS, FRESH, 7, FAR)),
        Send("N", Joined(4, "N#1", "N#1", "K", "K#1", Bell.PHI_PLUS, FRESH, 7, FAR)),
        Send("N", replace(ahead, mine="N#1")),
    ]
    assert not [each for each in out if isinstance(each, Stale)]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_news_in_any_order_gives_the_same_chain(order: tuple[int, ...]) -> None:
    made = end()
    made.heralded(Heralded("A", 0, "~B", "B#1", Bell(1), 0, 7), 10)
    news = (
        joined("B#1", "B#1", "C", "c", 1, (0.9, 0.9, 0.9)),
        joined("B#1", "c", "D", "d", 2, (0.8, 0.8, 0.8)),
        joined("B#1", "d", "E", "e", 3, (0.5, 1.0, 1.0)),
    )
    for place in order:
        assert made.joined(news[place], 20) == []
    qubit = made.qubits[0]
    assert (qubit.partner, qubit.far, qubit.frame, qubit.early) == ("E", "e", Bell(1 ^ 1 ^ 2 ^ 3), ())
    assert qubit.quality == pytest.approx((0.9 * 0.36, 0.8 * 0.72, 0.95 * 0.72), rel=1e-13)


def test_news_before_the_herald_waits_for_it() -> None:
    made = end()
    assert made.joined(joined("B#1", "B#1", "C", "c", 2), 5) == []
    assert made.joined(joined("B#1", "c", "Z", "z", 1), 6) == []
    out = made.heralded(Heralded("A", 0, "~B", "B#1", Bell(0), 0, 7), 10)
    assert [type(each) for each in out] == [Send, Consume, Arm]
    assert out[0].message.pair == PairId("B#1", "z")
    assert out[1] == Consume("A", 0, Bell.PSI_MINUS)


def test_a_loss_before_the_herald_waits_for_it() -> None:
    made = repeater()
    assert made.lost(Lost(4, "K#1", "cutoff"), 5) == []
    assert made.heralded(herald(0, "K"), 10) == [Discard("M", 0), arm(0, "K")]


def test_news_of_a_half_that_never_came_is_given_up_after_the_retention() -> None:
    made = repeater()
    made.joined(joined("K#8", "K#8"), 0)
    made.lost(Lost(4, "K#8", "cutoff"), 1)
    assert made.lost(Lost(4, "K#9", "cutoff"), KEEP) == []
    assert made.lost(Lost(4, "K#10", "cutoff"), KEEP + 2) == [Stale("M", "Joined", 4), Stale("M", "Lost", 4)]


def test_a_repeater_forgets_where_a_chain_went_after_the_retention() -> None:
    made = repeater()
    both_live(made)
    made.swapped(Swapped("M", 0, 1, Bell.PHI_PLUS), 0)
    made.heralded(herald(0, "K", 2), KEEP)
    made.cutoff("K#2", KEEP)
    assert not made.awaits("K#1")
    made.heralded(herald(0, "K", 3), KEEP + 1)
    made.cutoff("K#3", KEEP + 1)
    assert made.awaits("K#1")
    assert not made.awaits("K#2")


def test_a_loss_empties_a_live_half() -> None:
    made = repeater()
    made.heralded(herald(0, "K"), 0)
    assert made.lost(Lost(4, "K#1", "cutoff"), 5) == [Discard("M", 0), arm(0, "K")]
    assert made.lost(Lost(4, "K#1", "cutoff"), 6) == [Stale("M", "Lost", 4)]


# ------------------------------------------------------------------------------------- cutoff, drain, stop


def test_a_cutoff_is_measured_from_birth_and_tells_the_other_end() -> None:
    made = repeater(1, CutoffRule(30))
    assert made.heralded(herald(0, "K", born=10), 20) == [Wake(40, "cutoff", 4, "K#1")]
    assert made.cutoff("K#1", 40) == [
        Send("K", Lost(4, "K#1", "cutoff")),
        Discard("M", 0),
        arm(0, "K"),
    ]
    assert made.cutoff("K#1", 41) == []


def test_a_half_that_is_too_old_at_its_herald_wakes_at_once() -> None:
    assert repeater(1, CutoffRule(30)).heralded(herald(0, "K", born=10), 70) == [Wake(70, "cutoff", 4, "K#1")]


def test_a_cutoff_leaves_a_running_swap_alone_and_ends_set_none() -> None:
    made = repeater(1, CutoffRule(30))
    both_live(made)
    assert made.cutoff("K#1", 40) == []
    edge = circuit("A", generate("B", Side.RIGHT, (0,)), DeliverRule("Z", False), CutoffRule(30))
    assert edge.heralded(Heralded("A", 0, "~B", "B#1", Bell(0), 0, 7), 10) == []


def test_a_cutoff_tells_the_far_end_of_a_longer_chain() -> None:
    made = repeater(1, CutoffRule(30))
    made.heralded(herald(0, "K"), 0)
    made.joined(joined("K#1", "K#1", "L", "l"), 5)
    assert made.cutoff("K#1", 30)[0] == Send("L", Lost(4, "l", "cutoff"))


def test_draining_empties_what_is_not_in_an_operation_or_held() -> None:
    made = repeater(2)
    made.heralded(herald(0, "K", 1), 0)
    made.heralded(herald(2, "N", 1), 0)  # these two swap
    made.heralded(herald(1, "K", 2), 0)
    assert made.drain(5) == [Discard("M", 1), Discard("M", 3)]
    out = made.swapped(Swapped("M", 0, 2, Bell.PHI_PLUS), 9)
    assert [type(each) for each in out] == [Send, Send]  # told, and not armed again
    assert {qubit.state for qubit in made.qubits.values()} == {State.IDLE}
    assert made.drain(10) == []


def test_stopping_discards_all_and_counts_news_that_waited() -> None:
    made = repeater(2)
    made.heralded(herald(0, "K", 1), 0)
    made.joined(joined("K#1", "other"), 1)
    made.joined(joined("unborn", "unborn"), 1)
    assert made.stop() == [*(Discard("M", slot) for slot in range(4)), *[Stale("M", "Joined", 4)] * 2]
    assert (
        Circuit(Prepare(4, "r", "A", (generate("B", Side.LEFT, (0,)),), PERFECT, SECOND, KEEP)).stop() == []
    )


# ------------------------------------------------------------------------------------------------ delivery


@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_an_end_delivers_a_whole_chain(hold: bool, side: Side) -> None:
    made = end(1, hold, NOISY, side)
    assert made.heralded(Heralded("A", 0, "~B", "B#1", Bell(2), 0, 7), 10 * US) == []
    out = made.joined(joined("B#1", "B#1", "Z", "z", 3, (0.5, 0.6, 0.7)), 30 * US)
    quality = product(product(FRESH, (0.5, 0.6, 0.7)), aged(ONE, (2.0, 2.0, 0.5), 30e-6))
    pair = PairId("B#1", "z") if side is Side.RIGHT else PairId("z", "B#1")
    told = Confirmed(4, "A", pair, Bell(1), pytest.approx(quality, rel=1e-14), (2.0, 2.0, 0.5), 0, 30 * US, 0)
    rest = [] if hold else [Consume("A", 0, Bell(1)), arm(0, "B", node="A")]
    assert out == [Send("controller", told), *rest]
    assert made.qubits[0].state is (State.HELD if hold else State.ARMED)


def test_the_far_half_is_not_aged_before_its_birth() -> None:
    made = circuit("A", generate("B", Side.RIGHT, (0,)), DeliverRule("B", False))
    (told, *_) = made.heralded(Heralded("A", 0, "~B", "B#1", Bell(0), 5, 900), 10)
    assert told.message.quality == FRESH
    assert told.message.decay == FAR
    assert told.message.born == 5


def test_a_held_half_is_freed_when_it_was_used_or_lost() -> None:
    made = end(2, hold=True)
    assert made.consumed(0, 5) == []
    for slot in (0, 1):
        made.heralded(Heralded("A", slot, "~B", f"B#{slot}", Bell(0), 0, 7), 10)
        made.joined(joined(f"B#{slot}", f"B#{slot}"), 20)
    assert made.consumed(0, 30) == [arm(0, "B", 2, "A")]
    assert made.lost(Lost(4, "B#1", "expired"), 40) == [Discard("A", 1), arm(1, "B", 2, "A")]
    assert made.lost(Lost(4, "B#0", "expired"), 40) == [Stale("A", "Lost", 4)]
    assert made.consumed(1, 50) == []


def test_draining_keeps_a_held_half_until_it_is_used() -> None:
    made = end(2, hold=True)
    made.heralded(Heralded("A", 0, "~B", "B#0", Bell(0), 0, 7), 10)
    made.joined(joined("B#0", "B#0"), 20)
    assert made.drain(25) == [Discard("A", 1)]
    assert made.qubits[0].state is State.HELD
    assert made.consumed(0, 30) == []
    assert made.qubits[0].state is State.IDLE
