"""A fabric on a classical plane that fails: what is promised on a perfect one is kept, or ends with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from builders import Tape, inventory, link, node, nothing_left
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    ClockStep,
    ControllerFailed,
    ControllerRecovered,
    Delivered,
    Deposed,
    LinkRequest,
    NodeFailed,
    Outcome,
    Partition,
    Status,
    Undelivered,
)
from quantum_fabric.post import Channel
from quantum_fabric.units import MS, SECOND, US

NETWORK = inventory(
    dict.fromkeys("ABC", node(4)), [("A", "B", link(0.5)), ("B", "C", link(0.5))], 50 * US, "A"
)


def asked(fabric: Fabric, pairs: int = 30, **more: Any) -> str:
    return fabric.submit(LinkRequest("A", "C", 0.6, pairs=pairs, **more))


def ended(fabric: Fabric, name: str) -> Outcome:
    """The one outcome, after every pair in its order; and nothing is left behind."""
    fabric.run(fabric.now + 20 * SECOND, stop=lambda: not fabric.open_requests)
    fabric.finish()
    assert nothing_left(fabric)
    replies = fabric.replies(name)
    (outcome,) = [each for each in replies if isinstance(each, Outcome)]
    numbers = [each.number for each in replies if isinstance(each, Delivered)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert outcome.delivered == len(numbers)
    return outcome


def told(fabric: Fabric, name: str) -> list[Any]:
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    return fabric.replies(name)


def test_on_a_perfect_plane_endpoints_change_nothing_that_anybody_is_told() -> None:
    plain, careful = Fabric(NETWORK, seed=3), Fabric(NETWORK, seed=3, channel=Channel())
    assert told(plain, asked(plain)) == told(careful, asked(careful))


@pytest.mark.parametrize("seed", range(5))
def test_what_is_lost_doubled_and_late_holds_up_nobody(seed: int) -> None:
    fabric = Fabric(NETWORK, seed=seed, channel=Channel(loss=0.3, duplication=0.3, jitter=MS))
    assert ended(fabric, asked(fabric)).status is Status.COMPLETED
    assert fabric._post is not None
    assert fabric._post.count["lost"] > 10


def test_the_same_seed_gives_the_same_run() -> None:
    runs = []
    for _ in range(2):
        fabric = Fabric(NETWORK, seed=1, channel=Channel(loss=0.3, duplication=0.3, jitter=MS))
        runs.append(told(fabric, asked(fabric)))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("at", [0, 30 * US, 75 * US, 120 * US, 180 * US, 400 * US, 700 * US])
@pytest.mark.parametrize("survives", [False, True])
def test_a_controller_may_start_again_at_any_moment(at: int, survives: bool) -> None:
    fabric = Fabric(NETWORK, seed=2)
    name = asked(fabric)
    tape = Tape(fabric, ControllerFailed, ControllerRecovered)
    fabric.restart_controller(300 * US, at, survives)
    fabric.restart_controller(5 * MS, 2 * MS)
    assert ended(fabric, name).status is Status.COMPLETED
    assert [type(each).__name__ for _, _, each in tape.entries] == [
        "ControllerFailed",
        "ControllerRecovered",
    ] * 2


def test_of_two_controllers_one_is_obeyed() -> None:
    fabric = Fabric(NETWORK, seed=2)
    name = asked(fabric, pairs=10**6)
    tape = Tape(fabric, Deposed)
    fabric.restart_controller(0, MS, survives=True)
    fabric.run(5 * SECOND)
    assert fabric._post is not None
    assert fabric._post.count["former"] > 0  # it went on, by renewing its leases
    assert [each for _, _, each in tape.entries] == [Deposed("controller", 1, 2)]
    fabric.cancel(name)
    assert ended(fabric, name).status is Status.CANCELLED


def test_what_is_asked_while_no_controller_is_there_waits_for_one() -> None:
    fabric = Fabric(NETWORK, seed=2)
    fabric.restart_controller(10 * MS)
    fabric.run(MS)
    name = asked(fabric)
    fabric.run(9 * MS)
    assert not fabric.replies(name)
    assert ended(fabric, name).status is Status.COMPLETED


def test_a_partition_ends_in_outcomes_and_both_sides_agree_after_it() -> None:
    fabric = Fabric(NETWORK, seed=2)
    tape = Tape(fabric, Undelivered)
    lasting, short = asked(fabric, pairs=10**6, deadline=4 * SECOND), asked(fabric, pairs=3)
    fabric.inject(Partition(("C",), 3 * SECOND), at=300 * US)
    fabric.run(4 * SECOND + MS)
    assert {fabric.replies(name)[-1].status for name in (lasting, short)} <= set(Status)  # type: ignore[union-attr]
    assert tape.entries
    after = asked(fabric)
    assert ended(fabric, after).status is Status.COMPLETED


@pytest.mark.parametrize("offset", [MS, -MS])
def test_a_clock_that_is_wrong_within_the_guard_costs_nothing(offset: int) -> None:
    fabric = Fabric(NETWORK, seed=2, channel=Channel(guard=MS))
    fabric.inject(ClockStep("B", offset))
    name = asked(fabric)
    assert ended(fabric, name).status is Status.COMPLETED


def test_a_clock_that_is_more_wrong_than_the_guard_lets_its_node_start_again() -> None:
    fabric = Fabric(NETWORK, seed=2, channel=Channel(guard=MS))
    tape = Tape(fabric, NodeFailed)
    name = asked(fabric)
    fabric.inject(ClockStep("B", 2 * MS), at=300 * US)
    assert ended(fabric, name).status in (
        Status.COMPLETED,
        Status.FAILED,
    )  # its links went dark, and there is no other path
    assert [place for _, place, _ in tape.entries] == ["B"]


def test_bad_input() -> None:
    fabric = Fabric(NETWORK)
    with pytest.raises(UnknownNameError):
        fabric.inject(Partition(("A", "Z"), MS))
    with pytest.raises(UnknownNameError):
        fabric.inject(ClockStep("Z", 1))
    with pytest.raises(InputError):
        fabric.restart_controller(-1)
    for wrong in ({"loss": 1.0}, {"duplication": -0.1}, {"jitter": -1}, {"guard": SECOND}, {"patience": 0}):
        with pytest.raises(InputError):
            Channel(**wrong)  # type: ignore[arg-type]
