"""Endpoints: each letter is acted on once or given up, whatever the way between them does to it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.control.transport import WINDOW, Correspondent, Endpoint
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Cancel,
    Commit,
    ControllerRecovered,
    Deposed,
    Letter,
    NodeRecovered,
    Receipt,
    Release,
    Send,
    Undelivered,
    Verdict,
    Wake,
)

WAIT, PATIENCE = 10, 100


def pair(exact: bool = False) -> tuple[Endpoint, Endpoint]:
    return Endpoint("A", {"B": WAIT}, PATIENCE, exact), Endpoint("B", {"A": WAIT}, PATIENCE)


def posted(one: Endpoint, epoch: int = 1, now: int = 0) -> tuple[Letter, Wake]:
    sent, wake = one.post("B", Commit(epoch), now)
    assert isinstance(sent, Send)
    assert isinstance(wake, Wake)
    return sent.message, wake  # type: ignore[return-value]


def receipt_of(actions: list[Any]) -> Receipt:
    (answer,) = actions
    assert isinstance(answer.message, Receipt)
    return answer.message


def test_a_letter_is_sent_again_later_and_later_until_it_has_expired() -> None:
    one, _ = pair()
    letter, wake = posted(one)
    times = [wake.at]
    while True:
        actions, told = one.woken(wake, wake.at)
        if told:
            break
        again, wake = actions
        assert again == Send("B", letter)
        times.append(wake.at)
    assert times == [10, 30, 70, 100]
    assert told == [Undelivered("A", "B", Commit(1), "expired", 4)]
    assert one.waiting == 0
    assert one.woken(wake, 200) == ([], [])


def test_a_letter_that_expired_is_not_acted_on() -> None:
    one, two = pair()
    letter, _ = posted(one)
    content, actions = two.receive(letter, PATIENCE)
    assert content is None
    assert receipt_of(actions).verdict is Verdict.EXPIRED
    assert one.acknowledged(receipt_of(actions)) == ([], [Undelivered("A", "B", Commit(1), "expired", 1)])


def test_a_letter_that_was_acted_on_in_time_may_come_again_late() -> None:
    one, two = pair()
    letter, _ = posted(one)
    assert two.receive(letter, 0)[0] == Commit(1)
    content, actions = two.receive(letter, PATIENCE)
    assert content is None
    assert receipt_of(actions).verdict is Verdict.RECEIVED


def test_letters_of_an_earlier_life_are_refused() -> None:
    one, two = pair()
    old, _ = posted(one)
    one.reborn()
    new, _ = posted(one, 2)
    assert two.receive(new, 1)[0] == Commit(2)
    content, actions = two.receive(old, 2)
    assert content is None
    answer = receipt_of(actions)
    assert (answer.verdict, answer.of, answer.fence) == (Verdict.FENCED, 1, 2)


def test_letters_to_an_earlier_life_are_refused_if_they_were_for_that_life_alone() -> None:
    for exact in (False, True):
        one, two = pair(exact)
        letter, _ = posted(one)
        two.reborn()
        content, actions = two.receive(letter, 1)
        assert (content is None) == exact
        told = one.acknowledged(receipt_of(actions))[1]
        assert told == ([Undelivered("A", "B", Commit(1), "outlived", 1)] if exact else [])
        assert two.receive(posted(one, 2, 2)[0], 3)[0] == Commit(2)  # it knows better now


def test_a_seat_that_is_fenced_falls_silent_and_says_so_once() -> None:
    old, two = pair()
    first, _ = posted(old)
    new = Endpoint("A", {"B": WAIT}, PATIENCE)
    new.resume(2, 0)
    assert two.receive(posted(new, 7)[0], 1)[0] == Commit(7)
    refused = receipt_of(two.receive(first, 2)[1])
    assert old.acknowledged(refused) == ([], [Deposed("A", 1, 2)])
    assert old.acknowledged(refused) == ([], [])
    assert old.post("B", Commit(8), 3) == []
    assert old.receive(Letter("B", "A", 1, 0, 1, 1, 99, Commit(3)), 4) == (None, [])


def test_a_fence_outlives_a_restart_of_the_receiver() -> None:
    old, two = pair()
    letter, _ = posted(old)
    new = Endpoint("A", {"B": WAIT}, PATIENCE)
    new.resume(2, 0)
    two.receive(posted(new)[0], 1)
    two.reborn()
    assert two.receive(letter, 2)[0] is None


def test_another_life_that_remembers_writes_again_what_nobody_acknowledged() -> None:
    one, two = pair()
    kept, lost = posted(one, 1)[0], posted(one, 2)[0]
    one.acknowledged(receipt_of(two.receive(kept, 1)[1]))
    again = [each.message for each in one.resume(2, 5) if isinstance(each, Send)]
    assert [(each.content, each.life, each.expires_at) for each in again] == [(Commit(2), 2, lost.expires_at)]
    assert two.receive(again[0], 6)[0] == Commit(2)


def test_memory_is_bounded() -> None:
    one, two = pair()
    for number in range(1, 200):
        letter, _ = posted(one, number, number)
        if number % 7:
            one.acknowledged(receipt_of(two.receive(letter, number)[1]))
        else:  # lost and given up
            one.woken(Wake(0, "resend", number, "1 B"), number + PATIENCE)
    peer = two._peers["A"]
    assert len(peer.seen) <= 7
    far = Letter("A", "B", 1, 0, peer.floor + WINDOW + 1, 1, 10**6, Commit(1))
    assert two.receive(far, 0) == (None, [])  # it has to come again


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(1, 12))
def test_every_letter_is_acted_on_at_most_once_and_exactly_once_if_any_try_comes_through(
    fates: list[int], count: int
) -> None:
    """Fates of what is under way, in turn: lost (0), late (1), twice (2), else delivered."""
    one, two = pair()
    acted: Counter[int] = Counter()
    given_up: set[int] = set()
    way: list[tuple[int, int, Any]] = []
    tick = 0

    def go(actions: Any, now: int) -> None:
        nonlocal tick
        for action in actions:
            if isinstance(action, Wake):
                way.append((action.at, 1, action))
                continue
            fate = fates[tick % len(fates)]
            tick += 1
            arrival = (now + (40 if fate == 1 else 3), 0, action.message)
            way.extend([arrival] * (0, 1, 2, 1, 1, 1)[fate])

    for number in range(count):
        go(one.post("B", Commit(number), number), number)
    while way:
        way.sort(key=lambda each: each[:2])
        now, _, thing = way.pop(0)
        if isinstance(thing, Letter):
            content, actions = two.receive(thing, now)
            if content is not None:
                assert now < thing.expires_at
                acted[content.epoch] += 1  # type: ignore[union-attr]
            go(actions, now)
        else:
            actions, told = one.woken(thing, now) if isinstance(thing, Wake) else one.acknowledged(thing)
            given_up |= {each.content.epoch for each in told}  # type: ignore[union-attr]
            go(actions, now)
    assert all(times == 1 for times in acted.values())
    assert set(acted) | given_up == set(range(count))  # nothing is dropped in silence
    assert one.waiting == 0


class Echo:
    """Answers each message by releasing something, and notes what it was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def handle(self, message: Any, now: int) -> list[Any]:
        self.told.append(message)
        return [Send("B", Release(5)), Send(CLIENT, Cancel("r"))] if isinstance(message, Commit) else []


def test_a_correspondent_is_a_decider_with_an_endpoint() -> None:
    echo = Echo()
    seat = Correspondent(echo, Endpoint(CONTROLLER, {"B": WAIT}, PATIENCE, exact=True))
    seen: list[Any] = []
    letter = Letter("B", CONTROLLER, 1, 0, 1, 1, PATIENCE, Commit(3))
    answer, written, wake, told = seat.handle(letter, 1, seen.append)
    assert isinstance(answer.message, Receipt)  # type: ignore[union-attr]
    assert written.message.content == Release(5)  # type: ignore[union-attr]
    assert isinstance(wake, Wake)
    assert told == Send(CLIENT, Cancel("r"))  # replies to clients travel as they are
    assert (echo.told, seen) == ([Commit(3)], [Commit(3)])
    assert [type(each).__name__ for each in seat.handle(letter, 2)] == ["Send"]
    assert echo.told == [Commit(3)]
    seat.handle(wake, PATIENCE + 1, seen.append)
    assert isinstance(echo.told[-1], Undelivered)
    assert seen[-1] == echo.told[-1]


@pytest.mark.parametrize("news", [NodeRecovered("B"), ControllerRecovered(2, 0)])
def test_another_life_begins_before_the_decider_hears_of_it(news: Any) -> None:
    echo = Echo()
    seat = Correspondent(echo, Endpoint("B", {"A": WAIT}, PATIENCE))
    seat.handle(news, 1)
    assert seat.endpoint.life == 2
    assert echo.told == [news]
