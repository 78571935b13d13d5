"""Where the wings meet: who is told what, when, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from builders import Tape, chain, inventory, link, node, nothing_left, plan, request
from quantum_fabric.errors import CausalityError, InputError, ProtocolError, StateError, UnknownNameError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Accepted,
    Arm,
    Bell,
    Code,
    Consume,
    Delivered,
    Heralded,
    LinkChanged,
    LinkReport,
    LinkRequest,
    Measure,
    Measured,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Prepare,
    Refused,
    Stale,
    Status,
    Truth,
)
from quantum_fabric.ports import Network, Plant
from quantum_fabric.units import MS, SECOND, US

NETWORK = chain(2, link(1.0, 10 * US), node(4), hop_delay=20 * US)


def two_lanes(_topology: Any, asked: LinkRequest, free: Any) -> Any:
    """A planner for two requests at a time."""
    if free is not None and min(free.values()) < 2:
        return Refused(asked.name, Code.NORES, "memory of A", "full")
    return plan(NETWORK, asked.source + asked.destination, lanes=2)


@pytest.fixture
def fabric(planned: Callable[[Any], None]) -> Fabric:
    planned(two_lanes)
    return Fabric(NETWORK, seed=1)


def done(fabric: Fabric, name: str) -> Outcome:
    last = fabric.replies(name)[-1]
    assert isinstance(last, Outcome)
    return last


# ----------------------------------------------------------------------------------------------------- submit


def test_the_port_that_services_use(fabric: Fabric) -> None:
    used: Network = fabric
    assert used.now == 0
    plant: Plant = fabric.twin
    assert isinstance(plant, Plant)


def test_requests_are_named_in_order_and_keep_a_name_that_was_given(fabric: Fabric) -> None:
    names = [fabric.submit(request()), fabric.submit(request(name="mine")), fabric.submit(request())]
    assert names == ["request-1", "mine", "request-2"]
    assert fabric.open_requests == frozenset(names)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"source": "Nowhere"}, "source"),
        ({"destination": "Nowhere"}, "destination"),
        ({"destination": "A"}, "destination"),
        ({"fidelity": 0.5}, "fidelity"),
        ({"fidelity": 1.0}, "fidelity"),
        ({"fidelity": float("nan")}, "fidelity"),
        ({"pairs": 0}, "pairs"),
        ({"rate": -1.0}, "rate"),
        ({"rate": float("inf")}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"deadline": 5 * US}, "deadline"),
    ],
)
def test_a_request_that_makes_no_sense_is_a_fault_and_leaves_no_trace(
    change: dict[str, Any], where: str, fabric: Fabric
) -> None:
    fabric.run(5 * US)
    tape = Tape(fabric)
    with pytest.raises(InputError) as caught:
        fabric.submit(request(**change))
    assert caught.value.where == where
    assert isinstance(caught.value, UnknownNameError) == ("Nowhere" in change.values())
    fabric.run(MS)
    assert tape.entries == []
    assert not fabric.open_requests


def test_a_name_is_used_once(fabric: Fabric) -> None:
    fabric.submit(request(name="twice"))
    with pytest.raises(InputError, match="a name that no other request has"):
        fabric.submit(request(name="twice"))


def test_a_request_in_the_past_leaves_no_trace(fabric: Fabric) -> None:
    fabric.run(100)
    with pytest.raises(CausalityError):
        fabric.submit(request(name="late"), at=50)
    assert not fabric.open_requests
    with pytest.raises(UnknownNameError):
        fabric.replies("late")
    fabric.submit(request(name="late"))


def test_a_request_for_later_is_told_then(fabric: Fabric) -> None:
    tape = Tape(fabric, LinkRequest)
    fabric.submit(request(deadline=4 * MS), at=3 * MS)
    fabric.run(2 * MS)
    assert tape.entries == []
    fabric.run(3 * MS)
    assert tape.timeline() == [(3 * MS, CONTROLLER, "LinkRequest")]


def test_a_deadline_counts_from_the_request(fabric: Fabric) -> None:
    with pytest.raises(InputError, match="a time after the request"):
        fabric.submit(request(deadline=2 * MS), at=3 * MS)


def test_replies_of_an_unknown_request(fabric: Fabric) -> None:
    with pytest.raises(UnknownNameError, match="request"):
        fabric.replies("nobody")


def test_a_refusal_is_two_replies(planned: Callable[[Any], None]) -> None:
    planned(Refused("", Code.UNSUPP, "memory of A", "because"))
    fabric = Fabric(NETWORK)
    name = fabric.submit(request())
    fabric.run(0)
    refused, outcome = fabric.replies(name)
    assert refused == Refused(name, Code.UNSUPP, "memory of A", "because")
    assert outcome == Outcome(name, Status.REFUSED, 0, "because", Code.UNSUPP)
    assert not fabric.open_requests


# ---------------------------------------------------------------------------------------------------- watchers


def test_watchers_see_what_they_subscribed_to_in_the_same_order(fabric: Fabric) -> None:
    everything, some = Tape(fabric), Tape(fabric, Heralded, Delivered)
    fabric.submit(request(pairs=3))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    assert some.entries == [
        entry for entry in everything.entries if isinstance(entry[2], Heralded | Delivered)
    ]
    assert len(some.of(Delivered)) == 3


def test_a_watcher_hears_before_the_caller(fabric: Fabric) -> None:
    """Contract 6: the outcome is in the journal before the caller can read it."""
    unread = []

    def look(_time: int, place: str, message: Any) -> None:
        if place == CLIENT:
            unread.append(message not in fabric.replies(message.request))

    fabric.watch(look)
    fabric.submit(request(pairs=2))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    assert len(unread) == 4  # accepted, two pairs, outcome
    assert all(unread)


def test_truth_passes_watchers_and_nobody_else(fabric: Fabric) -> None:
    tape = Tape(fabric, Truth)
    told: list[Any] = []
    for decider in (fabric.controller, *fabric.agents.values()):
        honest = decider.handle

        def spy(message: Any, now: int, honest: Any = honest) -> Any:
            told.append(message)
            return honest(message, now)

        decider.handle = spy  # type: ignore[method-assign]
    fabric.submit(request(pairs=3))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    assert {place for _, place, _ in tape.entries} == {"twin"}
    assert not any(isinstance(message, Truth) for message in told)


# ------------------------------------------------------------------------------------------------------ delays


def test_messages_take_the_delay_between_the_places_of_the_seats() -> None:
    """Controller and client sit at a node and have its delays; a seat is at no distance from its neighbour at that node."""
    table = {frozenset("AB"): 3 * US, frozenset("BC"): 5 * US, frozenset("AC"): 11 * US}
    network = inventory(
        dict.fromkeys("ABC", node()), [("A", "B", link()), ("B", "C", link())], lambda a, b: table[frozenset((a, b))], "B"
    )  # fmt: skip
    fabric = Fabric(network)
    assert fabric.delay("A", "C") == 11 * US
    assert fabric.delay(CONTROLLER, "C") == fabric.delay("C", CONTROLLER) == 5 * US
    assert fabric.delay(CONTROLLER, "B") == fabric.delay(CLIENT, CONTROLLER) == fabric.delay("A", "A") == 0


# ------------------------------------------------------------------------------------------------------ faults


def test_faults_that_make_no_sense(fabric: Fabric) -> None:
    for event in (LinkChanged("x", "Z~Q", False), NodeFailed("Z"), NodeRecovered("Z")):
        with pytest.raises(UnknownNameError):
            fabric.inject(event)
    with pytest.raises(
        InputError,
        match="LinkChanged, NodeFailed, NodeRecovered, SlotsBroken, Partition, ClockStep or Calibrate",
    ):
        fabric.inject(Measured("A", 0, "X", 1))
    fabric.run(100)
    with pytest.raises(CausalityError):
        fabric.inject(NodeFailed("A"), at=50)


def test_a_cut_is_seen_at_both_ends_and_reported(planned: Callable[[Any], None]) -> None:
    network = inventory(dict.fromkeys("AB", node()), [("A", "B", link())], 20 * US, "A", light=12 * US)
    fabric = Fabric(network)
    tape = Tape(fabric)
    fabric.inject(LinkChanged("plant", "A~B", False), at=100 * US)
    fabric.run(SECOND)
    assert tape.timeline() == [
        (100 * US, "plant", "LinkChanged"),
        (106 * US, "A", "LinkChanged"),  # light from the middle
        (106 * US, "B", "LinkChanged"),
        (106 * US, CONTROLLER, "LinkReport"),
        (126 * US, CONTROLLER, "LinkReport"),
    ]


def test_a_restored_fibre_to_a_dead_node_stays_dark(planned: Callable[[Any], None]) -> None:
    fabric = Fabric(NETWORK)
    tape = Tape(fabric, LinkReport)
    fabric.inject(NodeFailed("B"), at=1)
    fabric.inject(LinkChanged("plant", "A~B", False), at=2)
    fabric.inject(LinkChanged("plant", "A~B", True), at=3)
    fabric.run(MS)
    assert [report.up for _, _, report in tape.entries] == [False, False]
    fabric.inject(NodeRecovered("B"))
    fabric.run(2 * MS)
    assert [report.up for _, _, report in tape.entries[2:]] == [True, True]


def test_a_node_that_comes_back_reports_the_links_that_it_finds_dark() -> None:
    fabric = Fabric(chain(3, link()))
    tape = Tape(fabric, LinkReport)
    fabric.inject(NodeFailed("B"), at=1)
    fabric.inject(NodeFailed("C"), at=2)
    fabric.inject(NodeRecovered("B"), at=3)
    fabric.run(MS)
    assert [(report.node, report.link, report.up) for _, _, report in tape.entries] == [
        ("A", "A~B", False), ("C", "B~C", False), ("B", "A~B", True), ("A", "A~B", True), ("B", "B~C", False)
    ]  # fmt: skip


@pytest.mark.parametrize("light", [0, 7 * US])
@pytest.mark.parametrize("dark", [0, 1, 3 * US])
def test_a_node_that_stops_for_a_moment_is_noticed(
    light: int, dark: int, planned: Callable[[Any], None]
) -> None:
    """It has forgotten its rules, so what ran over it must be installed anew, however short the darkness was.

    The neighbour's report and its own word come one after the other, and each may be the first that the controller hears of it.
    """
    network = inventory(dict.fromkeys("AB", node()), [("A", "B", link(0.5))], 5 * US, "A", light=light)
    planned(plan(network, "AB"))
    fabric = Fabric(network, seed=1)
    tape = Tape(fabric, Prepare)
    name = fabric.submit(request(pairs=500))
    fabric.run(100 * US)
    fabric.inject(NodeFailed("B"))
    fabric.inject(NodeRecovered("B"), at=fabric.now + dark)
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    assert done(fabric, name).status is Status.COMPLETED
    assert {1, 2} <= {prepare.epoch for _, _, prepare in tape.entries} <= {1, 2, 3}


def test_letters_to_a_dead_node_are_noted_not_dropped_in_silence(fabric: Fabric) -> None:
    tape = Tape(fabric, Stale)
    fabric.inject(NodeFailed("B"))
    name = fabric.submit(request())
    fabric.run(SECOND)
    assert ("B", "Prepare") in [(place, note.kind) for _, place, note in tape.entries]
    assert done(fabric, name).status is Status.FAILED


def test_a_dead_node_answers_nobody_and_keeps_nothing(fabric: Fabric) -> None:
    fabric.submit(request(pairs=10**6))
    fabric.run(MS)
    assert fabric.agents["B"].leases
    fabric.inject(NodeFailed("B"))
    fabric.run(fabric.now)
    assert not fabric.agents["B"].leases
    assert all(slot.half is None and slot.lane is None for slot in fabric.twin.nodes["B"].slots)
    tape = Tape(fabric)
    fabric.run(2 * MS)
    assert not [entry for entry in tape.entries if entry[1] == "B" and not isinstance(entry[2], Stale)]


# ------------------------------------------------------------------------------------------------------- ends


def test_cancelling_ends_a_request_once(fabric: Fabric) -> None:
    name = fabric.submit(request(pairs=10**6))
    fabric.run(MS)
    for _ in range(3):
        fabric.cancel(name)
        fabric.run(fabric.now + MS)
    assert [reply for reply in fabric.replies(name) if isinstance(reply, Outcome)] == [done(fabric, name)]
    assert done(fabric, name).status is Status.CANCELLED
    assert nothing_left(fabric)


def test_cancelling_nobody_is_harmless(fabric: Fabric) -> None:
    fabric.cancel("nobody")
    fabric.run(MS)


@pytest.mark.parametrize("at", [0, 19 * US, 20 * US, 41 * US, 65 * US, 3 * MS])
def test_finishing_at_any_moment_leaves_nothing(at: int, fabric: Fabric) -> None:
    """In the middle of both phases of the installation, of an attempt, of a delivery."""
    first, second = fabric.submit(request(pairs=10**6)), fabric.submit(request(pairs=5, hold=True))
    third = fabric.submit(request("B", "A", pairs=7), at=at)
    fabric.run(at)
    fabric.finish()
    assert nothing_left(fabric)
    assert not fabric.open_requests
    assert all(done(fabric, name) for name in (first, second, third))
    assert fabric.now <= at + 41 * US, "one release there and back is enough"


def test_finishing_when_a_node_is_dead_waits_for_its_leases(fabric: Fabric) -> None:
    name = fabric.submit(request(pairs=10**6))
    fabric.run(MS)
    fabric.inject(NodeFailed("B"))
    fabric.finish()
    assert nothing_left(fabric)
    assert done(fabric, name).status in (Status.CANCELLED, Status.FAILED)


def test_finishing_an_idle_fabric_takes_no_time(fabric: Fabric) -> None:
    fabric.finish()
    assert fabric.now <= 41 * US
    fabric.finish()


def test_a_fabric_lives_on_after_it_has_finished(fabric: Fabric) -> None:
    fabric.submit(request(pairs=10**6))
    fabric.run(MS)
    fabric.finish()
    name = fabric.submit(request(pairs=2))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    assert done(fabric, name).status is Status.COMPLETED


# ------------------------------------------------------------------------------------------------------ perform


def held(fabric: Fabric, pairs: int = 1) -> list[Delivered]:
    name = fabric.submit(request(pairs=pairs, hold=True))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    return [reply for reply in fabric.replies(name) if isinstance(reply, Delivered)]


def test_applications_measure_and_the_slot_is_free_again(fabric: Fabric) -> None:
    (pair,) = held(fabric)
    assert pair.slots is not None
    answers = [
        fabric.perform(Measure(end, slot, "Z")) for end, slot in zip(pair.ends, pair.slots, strict=True)
    ]
    bits = [answer.bit for answer in answers if isinstance(answer, Measured)]
    assert len(bits) == 2
    assert bits[0] == bits[1]
    assert fabric.twin.nodes["A"].slots[pair.slots[0]].half is None


def test_consuming_has_no_answer_and_tells_the_truth_to_watchers(fabric: Fabric) -> None:
    (pair,) = held(fabric)
    assert pair.slots is not None
    tape = Tape(fabric, Truth)
    for end, slot in zip(pair.ends, pair.slots, strict=True):
        assert fabric.perform(Consume(end, slot, pair.bell)) is None
    assert len(tape.entries) == 1


def test_only_applications_commands_are_performed(fabric: Fabric) -> None:
    with pytest.raises(StateError, match="Arm is for node agents"):
        fabric.perform(Arm("A", 0, "A~B", 0, 1, None))  # type: ignore[arg-type]


def test_an_empty_slot_cannot_be_used(fabric: Fabric) -> None:
    with pytest.raises(ProtocolError, match="it is empty"):
        fabric.perform(Measure("A", 0, "Z"))


def test_another_half_in_the_slot_is_left_alone(fabric: Fabric) -> None:
    (pair,) = held(fabric)
    assert pair.slots is not None
    for command in (
        Measure("A", pair.slots[0], "Z", "A~B/7#9"), Consume("A", pair.slots[0], Bell.PHI_PLUS, "A~B/7#9")
    ):  # fmt: skip
        with pytest.raises(ProtocolError, match="taken by another half"):
            fabric.perform(command)
    assert isinstance(fabric.perform(Measure("A", pair.slots[0], "Z", pair.pair.left)), Measured)


def test_a_dead_node_performs_nothing(fabric: Fabric) -> None:
    (pair,) = held(fabric)
    assert pair.slots is not None
    fabric.inject(NodeFailed("A"))
    fabric.run(fabric.now)
    assert fabric.perform(Measure("A", pair.slots[0], "Z")) is None


def test_a_measurement_takes_its_time(planned: Callable[[Any], None]) -> None:
    network = chain(2, link(1.0, 10 * US), node(2, swap_time=9 * US, measure_time=4 * US))
    planned(plan(network, "AB"))
    fabric = Fabric(network)
    (pair,) = held(fabric)
    start = fabric.now
    fabric.perform(Measure("A", 0, "Z", pair.pair.left))
    assert fabric.now == start + 4 * US


# --------------------------------------------------------------------------------------------- several requests


def test_two_requests_share_a_link_in_lanes_of_their_own(planned: Callable[[Any], None]) -> None:
    """Both at once, from both ends: no herald of the one is taken for the other's."""
    network = chain(2, link(0.2, 10 * US, 0.9), node(4), hop_delay=20 * US)
    planned(lambda _topology, asked, _free: plan(network, asked.source + asked.destination, lanes=2))
    fabric = Fabric(network, seed=3)
    tape = Tape(fabric, Prepare, Delivered)
    names = [fabric.submit(request(pairs=40)), fabric.submit(request("B", "A", pairs=40))]
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    accepted = [fabric.replies(name)[0] for name in names]
    assert all(isinstance(reply, Accepted) and not reply.queued for reply in accepted)
    assert [done(fabric, name).status for name in names] == [Status.COMPLETED] * 2
    lanes = {
        name: {told.pair.left.split("#")[0] for _, _, told in tape.of(Delivered) if told.request == name}
        for name in names
    }
    assert lanes == {names[0]: {"A~B/0", "A~B/1"}, names[1]: {"A~B/2", "A~B/3"}}


def test_a_request_waits_for_slots_and_is_served_then(fabric: Fabric) -> None:
    names = [fabric.submit(request(pairs=5)) for _ in range(3)]
    fabric.run(0)
    queued = [reply.queued for name in names if isinstance(reply := fabric.replies(name)[0], Accepted)]
    assert queued == [False, False, True]
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    assert {done(fabric, name).status for name in names} == {Status.COMPLETED}
