"""Flooding: what is lost, doubled, late or parted comes right after one refresh, and costs two letters an adjacency."""

from __future__ import annotations

import random
from dataclasses import replace

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.control.distributed.flooding import OUTLASTS, TELL, Flood
from quantum_fabric.messages import LinkNews, LinkState, Send

REFRESH = 1000


def seats(graph: networkx.Graph) -> dict[str, Flood]:
    return {name: Flood(name, sorted(graph[name]), REFRESH) for name in graph}


def graph(nodes: int, extra: float, seed: int) -> networkx.Graph:
    """A random connected graph of seats."""
    dice = random.Random(seed)
    found = networkx.Graph()
    names = [f"s{place}" for place in range(nodes)]
    found.add_nodes_from(names)
    for place in range(1, nodes):
        found.add_edge(names[place], names[dice.randrange(place)])
    for a in names:
        for b in names:
            if a < b and dice.random() < extra:
                found.add_edge(a, b)
    return found


def news(number: int) -> tuple[LinkNews, ...]:
    return (LinkNews(f"link {number}", "a", "b", ()),)


def deliver(floods: dict[str, Flood], letters: list[Send], now: int, dice: random.Random) -> int:
    """Every letter arrives, in any order; returns how many there were."""
    count = 0
    while letters:
        letter = letters.pop(dice.randrange(len(letters)))
        assert isinstance(letter.message, LinkState)
        count += 1
        letters += floods[letter.to].hear(letter.message, now)
    return count


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 9), st.floats(0.0, 0.6), st.integers(0, 10**6), st.floats(0.0, 0.9))
def test_all_agree_one_refresh_after_the_last_fault(nodes: int, extra: float, seed: int, bad: float) -> None:
    dice = random.Random(seed)
    network = graph(nodes, extra, seed)
    floods = seats(network)
    late: list[Send] = []
    letters: list[Send] = []
    for step in range(
        40
    ):  # loss, repetition, any order, some letters very late; two halves parted for a while
        name = dice.choice(sorted(floods))
        if dice.random() < 0.5:
            letters += floods[name].tell((), news(step), now=step)
        if dice.random() < 0.1:
            floods[name].restart(1)
        parted = 10 < step < 25
        for _ in range(min(len(letters), 5)):
            letter = letters.pop(dice.randrange(len(letters)))
            fate = dice.random()
            assert isinstance(letter.message, LinkState)
            across = letter.to < "s4" and letter.message.origin >= "s4"
            if fate < bad / 2 or (parted and across):
                continue
            if fate < bad:
                late.append(letter)
            letters += floods[letter.to].hear(letter.message, step)
    for name, flood in floods.items():  # one refresh; what was late comes in the middle of it
        letters += flood.tell((), news(1000 + int(name[1:])), now=50)
    letters += late
    deliver(floods, letters, 51, dice)
    # a restarted seat may have been outdone by a letter of its earlier life: it answers, and that is in the letters
    own = {name: flood.heard[name] for name, flood in floods.items()}
    for flood in floods.values():
        assert flood.valid(52) == own


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.floats(0.0, 1.0), st.integers(0, 10**6))
def test_a_change_costs_at_most_two_letters_an_adjacency(nodes: int, extra: float, seed: int) -> None:
    network = graph(nodes, extra, seed)
    floods = seats(network)
    dice = random.Random(seed)
    count = deliver(floods, list(floods["s0"].tell((), (), now=0)), 1, dice)
    assert nodes - 1 <= count <= 2 * network.number_of_edges()
    assert sum(flood.sent for flood in floods.values()) == count


def test_what_is_not_refreshed_runs_out_and_is_forgotten() -> None:
    west, east = Flood("west", ["east"], REFRESH), Flood("east", ["west"], REFRESH)
    (letter,) = west.tell((), (), now=0)
    assert isinstance(letter.message, LinkState)
    east.hear(letter.message, 1)
    until = int(OUTLASTS * REFRESH)
    assert "west" in east.valid(until - 1)
    assert "west" not in east.valid(until)
    assert east.hear(replace(letter.message, sequence=2), until) == []
    assert "west" not in east.heard or east.valid(until) == {}
    east.valid(2 * until)
    assert "west" not in east.heard


def test_old_news_changes_nothing() -> None:
    east = Flood("east", ["west", "north"], REFRESH)
    west = Flood("west", ["east"], REFRESH)
    (first,) = west.tell((), news(1), now=0)
    (second,) = west.tell((), news(2), now=1)
    assert isinstance(first.message, LinkState)
    assert isinstance(second.message, LinkState)
    assert [each.to for each in east.hear(second.message, 2)] == ["north"]
    assert east.hear(first.message, 3) == []
    assert east.heard["west"].links == news(2)


def test_a_later_life_outdoes_what_its_earlier_one_told() -> None:
    west, east = Flood("west", ["east"], REFRESH), Flood("east", ["west"], REFRESH)
    for number in range(5):
        (letter,) = west.tell((), news(number), now=0)
        assert isinstance(letter.message, LinkState)
        east.hear(letter.message, 0)
    again = Flood("west", ["east"], REFRESH)  # knows neither its life nor its number
    again.tell((), news(9), now=1)
    (answer,) = again.hear(east.heard["west"], 2)
    assert isinstance(answer.message, LinkState)
    assert answer.message.life == 2
    east.hear(answer.message, 3)
    assert east.heard["west"].links == news(9)


@pytest.mark.parametrize("now", [0, 7])
def test_the_reminder_comes_after_a_refresh(now: int) -> None:
    wake = Flood("west", (), REFRESH).again(now)
    assert (wake.at, wake.purpose) == (now + REFRESH, TELL)
