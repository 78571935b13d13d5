"""Where purification rounds go and what memory they need."""

from __future__ import annotations

import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.messages import Order
from quantum_fabric.network.order import asap, leveled, nested
from quantum_fabric.network.purify import Strategy, lanes_needed, pumped, spread, strategies


def plain(path: str, rounds: int = 0, end: int = 0) -> Strategy:
    return Strategy(Order.ASAP, (rounds,) * (len(path) - 1), asap(path), end, "")


@pytest.mark.parametrize(
    ("path", "rounds", "end", "needs"),
    [
        ("AB", 0, 0, (1,)),
        ("AB", 3, 0, (4,)),
        ("ABC", 0, 0, (1, 1)),
        ("ABC", 1, 0, (2, 2)),
        ("ABC", 0, 2, (3, 3)),
        ("ABCD", 1, 1, (3, 2, 3)),
    ],
)
def test_lanes_as_soon_as_possible(path: str, rounds: int, end: int, needs: tuple[int, ...]) -> None:
    assert lanes_needed(path, plain(path, rounds, end)) == needs


def test_lanes_of_nested_purification_add_up_over_the_levels() -> None:
    joins = leveled(nested("ABCDE"), (1, 2))
    strategy = Strategy(Order.NESTED, (1, 1, 1, 1), joins, 2, "")
    # A is the left end of A-B, A-C and A-E: 1 + 1 + 1 + 2; B the right end of A-B only, C of A-B-C
    assert lanes_needed("ABCDE", strategy) == (5, 3, 3, 5)


def test_only_the_rounds_of_the_last_join_count_at_the_end() -> None:
    joins = leveled(nested("ABC"), (2,))
    assert lanes_needed("ABC", Strategy(Order.NESTED, (0, 0), joins, 2, "")) == (3, 3)


FAR = [99, 99, 99, 99]


@pytest.mark.parametrize(
    ("needs", "slots", "times", "caps", "lanes"),
    [
        ([1], [5, 3], [1.0], FAR, (3,)),
        ([2], [5, 3], [1.0], FAR, (3,)),
        ([1, 1], [9, 4, 9], [1.0, 1.0], FAR, (2, 2)),
        ([1, 1], [9, 5, 9], [1.0, 1.0], FAR, (3, 2)),
        ([1, 1], [1, 9, 9], [1.0, 1.0], FAR, (1, 1)),
        ([1, 1], [1, 9, 9], [1.0, 3.5], FAR, (1, 4)),
        ([1, 1], [9, 9, 9], [1.0, 1.0], [2, 99], (2, 2)),
        ([2, 1], [9, 6, 9], [1.0, 1.0], FAR, (4, 2)),
        ([2, 2], [2, 3, 2], [1.0, 1.0], FAR, None),
        ([1], [0, 1], [1.0], FAR, None),
    ],
)
def test_slots_go_to_the_slowest_hop(
    needs: list[int], slots: list[int], times: list[float], caps: list[int], lanes: tuple[int, ...] | None
) -> None:
    assert spread(needs, slots, times, caps) == lanes


@pytest.mark.parametrize("seed", range(20))
def test_no_node_gives_more_than_it_has(seed: int) -> None:
    import random

    rnd = random.Random(seed)
    hops = rnd.randint(1, 6)
    needs = [rnd.randint(1, 3) for _ in range(hops)]
    slots = [rnd.randint(2, 12) for _ in range(hops + 1)]
    lanes = spread(
        needs, slots, [rnd.uniform(1, 9) for _ in range(hops)], [rnd.randint(1, 9) for _ in range(hops)]
    )
    if lanes is None:
        assert any(sum(needs[max(0, at - 1) : at + 1]) > have for at, have in enumerate(slots))
    else:
        assert all(have >= need for have, need in zip(lanes, needs, strict=True))
        assert all(sum(lanes[max(0, at - 1) : at + 1]) <= have for at, have in enumerate(slots))


def test_one_link_has_rounds_on_itself_only() -> None:
    found = strategies("AB", [1.0], [0.9])
    assert [(each.rounds, each.end_rounds) for each in found] == [((0,), 0), ((1,), 0), ((2,), 0), ((3,), 0)]
    assert all(each.order is Order.ASAP and each.joins == () for each in found)


def test_two_links_are_never_nested() -> None:
    found = strategies("ABC", [1.0, 1.0], [0.9, 0.9])
    assert {each.order for each in found} == {Order.ASAP}
    assert {(each.rounds[0], each.end_rounds) for each in found} == {
        (rounds, end) for rounds in range(4) for end in range(4) if rounds + end <= 4
    }


def test_strategies_are_different_and_the_cheapest_comes_first() -> None:
    found = strategies("ABCDE", [1.0, 2.0, 3.0, 40.0], [0.9, 0.99, 0.99, 0.9])
    assert len({(each.order, each.rounds, each.joins, each.end_rounds) for each in found}) == len(found)
    assert (
        len({each.label for each in found}) >= len(found) - 12
    )  # rounds on the worst links share their label
    totals = [each.total for each in found]
    assert totals == sorted(totals)
    assert totals[0] == 0


def test_nested_strategies_agree_with_their_trees() -> None:
    for each in strategies("ABCDEFGHI", [1.0] * 8, [0.9] * 8):
        if each.order is Order.NESTED:
            assert each.joins[-1].rounds == each.end_rounds
            assert (each.joins[-1].left, each.joins[-1].right) == ("A", "I")
        else:
            assert all(join.rounds == 0 for join in each.joins)


def test_unequal_times_add_the_optimal_tree() -> None:
    equal = strategies("ABCDE", [1.0] * 4, [0.9] * 4)
    unequal = strategies("ABCDEF", [9.0, 1.0, 1.0, 1.0, 1.0], [0.9] * 5)
    assert not any("optimal" in each.label for each in equal)
    assert {each.label.split(",")[0] for each in unequal} >= {"swap-asap", "nested (balanced)"}


def test_the_worst_links_alone_may_be_purified() -> None:
    found = strategies("ABC", [1.0, 1.0], [0.99, 0.9])
    assert (0, 1) in {each.rounds for each in found}
    assert (0, 1) not in {each.rounds for each in strategies("ABC", [1.0, 1.0], [0.9, 0.9])}


def test_labels_are_for_people() -> None:
    labels = {each.label for each in strategies("ABCD", [1.0] * 3, [0.9] * 3)}
    assert {
        "swap-asap",
        "swap-asap, 1 round on links",
        "swap-asap, 2 rounds on links, 1 round end to end",
    } <= labels


def test_a_bound_on_rounds() -> None:
    assert len(strategies("ABC", [1.0, 1.0], [0.9, 0.9], most=0)) == 1
    with pytest.raises(QuantityError, match="0 or more rounds"):
        strategies("AB", [1.0], [0.9], most=-1)


def test_pumping_needs_two_lanes_whatever_the_rounds() -> None:
    both = pumped(plain("ABCD", 3, 2))
    assert both is not None
    assert lanes_needed("ABCD", both) == (3, 2, 3)
    joins = leveled(nested("ABCDE"), (2, 2))
    tree = pumped(Strategy(Order.NESTED, (2, 2, 2, 2), joins, 2, "tree"))
    assert tree is not None
    assert lanes_needed("ABCDE", tree) == (4, 3, 3, 4)
    assert (tree.total, tree.label) == (8, "tree, pumped")


@pytest.mark.parametrize("rounds", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_one_round_is_the_same_pumped_or_not(rounds: tuple[int, int]) -> None:
    assert pumped(plain("ABC", *rounds)) is None
