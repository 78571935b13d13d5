"""Requests over several domains on the twin: served, refused, parted, restarted, told twice; nothing leaks, nothing secret is told."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from audit import Auditor
from builders import chain, inventory, link, names, node
from quantum_fabric.documents import Inventory
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.federation import Domain, Federation
from quantum_fabric.messages import (
    Accepted,
    Ask,
    Code,
    Commit,
    Delivered,
    DryRun,
    Explain,
    Explained,
    Judged,
    LinkChanged,
    LinkRequest,
    LinkState,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Partition,
    Prepare,
    Refused,
    Renegotiate,
    Route,
    SegmentAccept,
    SegmentAsk,
    SegmentOffered,
    Send,
    Service,
    Status,
)
from quantum_fabric.units import MS, SECOND, US, Time

THREE = {
    "west": Domain(("A", "B", "C"), public=("A",)),
    "mid": Domain(("D", "E", "F"), public=()),
    "east": Domain(("G", "H", "I"), public=("I",)),
}


def row(fidelity: float = 0.985, success: float = 0.05, slots: int = 8, hop: Time = 50 * US) -> Inventory:
    return chain(9, link(success, 10 * US, fidelity), node(slots=slots, t2=1.0), hop_delay=hop)


class Inspector(Auditor):
    """An auditor who knows that a link state is passed on as it is, by several seats at once."""

    def _check_speed(self, time: Time, place: str, message: Any) -> None:
        if not isinstance(message, LinkState):
            super()._check_speed(time, place, message)


class Watched:
    """A federation under audit."""

    def __init__(self, network: Inventory, domains: dict[str, Domain], **more: Any) -> None:
        self.fabric = Federation(network, domains, **more)
        self.audit = Inspector(self.fabric)
        self.seen: list[tuple[Time, str, Any]] = []
        self.fabric.watch(lambda at, place, message: self.seen.append((at, place, message)))
        self.fabric.run(10 * MS)  # they get to know each other

    def ask(self, *requests: LinkRequest) -> list[str]:
        made = []
        for request in requests:
            name = self.fabric.submit(request)
            self.audit.requests[name] = request
            made.append(name)
        return made

    def serve(self, seconds: float = 5.0) -> None:
        until = self.fabric.now + int(seconds * SECOND)
        self.fabric.run(until, stop=lambda: not self.fabric.open_requests)
        self.audit.check()

    def outcome(self, name: str) -> Outcome:
        last = self.fabric.replies(name)[-1]
        assert isinstance(last, Outcome)
        return last

    def rest(self) -> None:
        """At the end nothing is leased, held or known of any installation."""
        self.fabric.finish()
        self.audit.check()
        self.fabric.run(self.fabric.now + 10 * SECOND)
        assert self.fabric.controller.ledger.leases() == []
        for agent in self.fabric.agents.values():
            assert agent.leases == {}
        for decider in self.fabric.deciders.values():
            assert decider.segments.open == {}
        for place in self.fabric.twin.nodes.values():
            assert all(slot.half is None and slot.lane is None for slot in place.slots)

    def count(self, kind: type) -> int:
        return sum(isinstance(message, kind) for _, _, message in self.seen)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_pairs_over_two_to_four_domains_keep_what_was_promised(count: int) -> None:
    line = names(9 if count < 4 else 8)
    size = len(line) // count
    domains = {f"d{k}": Domain(tuple(line[k * size : (k + 1) * size])) for k in range(count - 1)}
    domains[f"d{count - 1}"] = Domain(tuple(line[(count - 1) * size :]))
    network = chain(len(line), link(0.05, 10 * US, 0.985), node(slots=8, t2=1.0), hop_delay=20 * US)
    net = Watched(network, domains, seed=count)
    (name,) = net.ask(LinkRequest(line[0], line[-1], 0.8, pairs=60))
    net.serve()
    first = net.fabric.replies(name)[0]
    assert isinstance(first, Accepted)
    assert net.outcome(name).status is Status.COMPLETED
    pairs = [each for each in net.fabric.replies(name) if isinstance(each, Delivered)]
    assert len(pairs) == 60
    # what was promised is pessimistic: a lane a segment, Werner states of the worse fidelity
    seconds = (pairs[-1].delivered_at - pairs[0].delivered_at) / SECOND
    assert 59 / seconds > 0.7 * first.plan.forecast.rate
    assert sum(each.fidelity for each in pairs) / 60 > first.plan.forecast.fidelity_low
    net.rest()


def test_what_is_told_of_a_domain_names_no_inner_node_or_link() -> None:
    net = Watched(row(), THREE, seed=1)
    (name,) = net.ask(LinkRequest("A", "I", 0.8, pairs=3))
    net.serve()
    assert net.outcome(name).status is Status.COMPLETED
    for _, place, message in net.seen:
        if isinstance(message, LinkState | SegmentAsk | SegmentOffered | SegmentAccept) and place in THREE:
            text = repr(message)
            for inner in ("'B'", "'E'", "'H'", "A~B", "B~C", "D~E", "E~F", "G~H", "H~I"):
                assert inner not in text, (inner, place)
    told = net.fabric.replies(name)[0]
    assert isinstance(told, Accepted)
    assert told.plan.path == ("A", "C", "D", "F", "G", "I")


def test_epochs_of_all_seats_differ() -> None:
    net = Watched(row(slots=12), THREE, seed=2)
    wishes = [
        LinkRequest("A", "I", 0.75, pairs=2),
        LinkRequest("I", "A", 0.75, pairs=2),
        LinkRequest("D", "F", 0.75, pairs=2),
    ]
    net.ask(*wishes, LinkRequest("A", "C", 0.75, pairs=2))
    net.serve(20.0)
    net.rest()
    epochs: dict[int, set[str]] = {}
    for _, _, message in net.seen:
        if isinstance(message, Prepare):
            epochs.setdefault(message.epoch, set()).add(message.request)
    assert len(epochs) >= 4
    assert all(len(each) == 1 for each in epochs.values())


def test_held_pairs_and_measured_ones() -> None:
    net = Watched(row(), THREE, seed=3)
    held, read = net.ask(
        LinkRequest("A", "I", 0.8, pairs=1, hold=True), LinkRequest("A", "I", 0.8, 4, service=Service.MEASURE)
    )
    net.serve()
    assert net.outcome(held).status is Status.COMPLETED
    assert net.outcome(read).status is Status.COMPLETED
    pair = next(each for each in net.fabric.replies(held) if isinstance(each, Delivered))
    assert pair.slots is not None
    assert net.fabric.twin.nodes["A"].slots[pair.slots[0]].half is not None
    net.fabric.cancel(held)
    net.fabric.run(net.fabric.now + 10 * MS)
    assert net.fabric.twin.nodes["A"].slots[pair.slots[0]].half is None
    net.rest()


def test_refusals_are_typed_and_cost_nothing() -> None:
    net = Watched(row(), THREE, seed=1)
    wishes = {
        LinkRequest("A", "I", 0.99): Code.UNSUPP,
        LinkRequest("A", "I", 0.8, rate=1e6): Code.NOTIME,
        LinkRequest("A", "H", 0.8): Code.NOROUTE,  # H is not public: nobody is told that it is there
        LinkRequest("A", "I", 0.8, window=SECOND, hold=True): Code.UNSUPP,
        LinkRequest("A", "I", 0.8, tenant="physics"): Code.UNSUPP,
        LinkRequest("A", "I", 0.8, route=Route(paths=2)): Code.UNSUPP,
    }
    for request, code in wishes.items():
        (name,) = net.ask(request)
        net.serve(0.1)
        refused = net.fabric.replies(name)[0]
        assert isinstance(refused, Refused), request
        assert refused.code is code, refused
        assert net.outcome(name).status is Status.REFUSED
    assert net.count(SegmentAsk) == 0
    net.rest()


def test_asking_without_taking() -> None:
    net = Watched(row(), THREE, seed=1)
    tried = net.fabric.inquire(DryRun(LinkRequest("A", "I", 0.8)))
    assert isinstance(tried, Judged)
    assert isinstance(tried.answer, Accepted)
    told = net.fabric.inquire(Explain(LinkRequest("A", "I", 0.99)))
    assert isinstance(told, Explained)
    assert isinstance(told.answer, Refused)
    several = net.fabric.inquire(DryRun(LinkRequest("A", "I", 0.8, route=Route(paths=2))))
    assert isinstance(several, Judged)
    assert isinstance(several.answer, Refused)
    assert (several.answer.code, several.answer.resource) == (Code.UNSUPP, "2 paths")
    offer = several.answer.offer
    assert offer is not None
    again = net.fabric.inquire(DryRun(offer))
    assert isinstance(again, Judged)
    assert isinstance(again.answer, Accepted)
    (name,) = [net.fabric.submit(Ask(LinkRequest("A", "I", 0.8)))]
    net.fabric.run(net.fabric.now + MS)
    assert isinstance(net.fabric.replies(name)[0], Refused)
    with pytest.raises(InputError, match="one domain"):
        net.fabric.inquire(Renegotiate(name, LinkRequest("A", "I", 0.7)))
    assert net.count(SegmentAsk) == 0


@pytest.mark.parametrize("moment", [SegmentAsk, SegmentOffered, SegmentAccept, Commit, Delivered])
def test_a_partition_at_any_moment_ends_in_one_outcome_and_leaks_nothing(moment: type) -> None:
    net = Watched(row(), THREE, seed=4)
    fabric = net.fabric
    (name,) = net.ask(LinkRequest("A", "I", 0.8, pairs=400, deadline=fabric.now + 3 * SECOND))
    before = net.count(moment)
    fabric.run(fabric.now + SECOND, stop=lambda: net.count(moment) > before)
    assert net.count(moment) > before
    fabric.inject(Partition(("east",), fabric.now + 60 * SECOND))
    net.serve(20.0)
    outcome = net.outcome(name)
    told = any(isinstance(each, Accepted) for each in fabric.replies(name))
    assert outcome.status in ((Status.FAILED, Status.EXPIRED) if told else (Status.REFUSED,))
    assert told == (moment is Delivered or moment is Commit)
    fabric.run(fabric.now + 20 * SECOND)
    assert fabric.controller.ledger.leases() == [], "also on the side that nobody could tell"
    local, far = net.ask(LinkRequest("G", "I", 0.8, pairs=2), LinkRequest("A", "I", 0.8))
    net.serve(10.0)
    assert net.outcome(local).status is Status.COMPLETED, "each side goes on by itself"
    assert net.outcome(far).status is Status.REFUSED
    fabric.run(120 * SECOND)  # healed, and told anew
    (again,) = net.ask(LinkRequest("A", "I", 0.8, pairs=2))
    net.serve(10.0)
    assert net.outcome(again).status is Status.COMPLETED
    net.rest()


@pytest.mark.parametrize("who", ["west", "mid", "east"])
@pytest.mark.parametrize("moment", [SegmentOffered, SegmentAccept, Commit, Delivered])
def test_a_controller_that_restarts(who: str, moment: type) -> None:
    net = Watched(row(), THREE, seed=5)
    fabric = net.fabric
    (name,) = net.ask(LinkRequest("A", "I", 0.8, pairs=200, deadline=fabric.now + 20 * SECOND))
    before = net.count(moment)
    fabric.run(fabric.now + SECOND, stop=lambda: net.count(moment) > before)
    fabric.restart_domain(who, 5 * MS)
    net.audit.punctual = False
    fabric.run(fabric.now + 30 * SECOND, stop=lambda: not fabric.open_requests)
    assert net.outcome(name).status in (Status.COMPLETED, Status.EXPIRED, Status.FAILED, Status.REFUSED)
    if moment in (Commit, Delivered):
        assert net.outcome(name).status is Status.COMPLETED
    fabric.run(fabric.now + 5 * SECOND)  # it is back, and what nobody released has run out
    (again,) = net.ask(LinkRequest("A", "I", 0.8, pairs=2))
    fabric.run(fabric.now + 10 * SECOND, stop=lambda: not fabric.open_requests)
    assert net.outcome(again).status is Status.COMPLETED
    net.rest()


def test_every_letter_between_domains_twice_changes_nothing() -> None:
    results = []
    for share in (0.0, 0.999):
        net = Watched(row(), THREE, seed=6, duplication=share)
        (name,) = net.ask(LinkRequest("A", "I", 0.8, pairs=30))
        net.serve()
        replies = net.fabric.replies(name)
        assert net.outcome(name).status is Status.COMPLETED
        results.append([each for each in replies if isinstance(each, Delivered)])
        net.rest()
    assert results[0] == results[1]


def test_a_node_that_answers_twice_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Watched(row(), THREE, seed=6)
    carry = net.fabric._carry

    def twice(seat: str, send: Send) -> None:
        carry(seat, send)
        if seat in net.fabric.agents and send.to == "controller":
            carry(seat, send)

    monkeypatch.setattr(net.fabric, "_carry", twice)
    net.audit.punctual = False
    (name,) = net.ask(LinkRequest("A", "I", 0.8, pairs=30))
    net.serve()
    assert net.outcome(name).status is Status.COMPLETED
    assert sum(isinstance(each, Delivered) for each in net.fabric.replies(name)) == 30
    net.rest()


@pytest.mark.parametrize("seed", range(6))
def test_lost_letters_between_domains_leak_nothing(seed: int) -> None:
    net = Watched(row(slots=12), THREE, seed=seed, loss=0.25, duplication=0.2, refresh=20 * MS)
    net.fabric.run(200 * MS)
    ends = [("A", "I"), ("I", "A"), ("C", "I"), ("D", "A"), ("A", "C")]
    wishes = [LinkRequest(a, b, 0.75, pairs=5, deadline=net.fabric.now + 4 * SECOND) for a, b in ends]
    made = net.ask(*wishes)
    net.serve(10.0)
    assert all(isinstance(net.fabric.replies(name)[-1], Outcome) for name in made)
    net.rest()


def ring(slots: int = 8) -> tuple[Inventory, dict[str, Domain]]:
    """Four domains of three nodes around a ring: two ways to everywhere."""
    line = names(12)
    hops = [*pairwise(line), (line[-1], line[0])]
    network = inventory(
        dict.fromkeys(line, node(slots=slots, t2=1.0)),
        [(a, b, link(0.05, 10 * US, 0.99)) for a, b in hops],
        30 * US,
    )
    return network, {f"d{k}": Domain(tuple(line[3 * k : 3 * k + 3])) for k in range(4)}


def test_a_cut_inside_another_domain_is_repaired_around_it() -> None:
    network, domains = ring()
    net = Watched(network, domains, seed=7)
    (name,) = net.ask(LinkRequest("B", "H", 0.7, pairs=2000, deadline=net.fabric.now + 20 * SECOND))
    net.fabric.run(net.fabric.now + 20 * MS)
    first = net.fabric.replies(name)[0]
    assert isinstance(first, Accepted)
    inside = "E" if "D" in first.plan.path else "K"
    neighbour = chr(ord(inside) + 1)
    net.fabric.inject(LinkChanged("A", f"{inside}~{neighbour}", False))
    net.serve(30.0)
    assert net.outcome(name).status is Status.COMPLETED
    second = {
        rule.request for _, _, rule in net.seen if isinstance(rule, Prepare) and rule.node in ("E", "K")
    }
    assert second == {name}, "both ways round were used"
    net.rest()


def test_a_node_of_another_domain_that_fails_and_lives_again() -> None:
    network, domains = ring()
    net = Watched(network, domains, seed=8)
    (name,) = net.ask(LinkRequest("B", "H", 0.7, pairs=1000, deadline=net.fabric.now + 20 * SECOND))
    net.fabric.run(net.fabric.now + 20 * MS)
    first = net.fabric.replies(name)[0]
    assert isinstance(first, Accepted)
    victim = "E" if "D" in first.plan.path else "K"
    net.fabric.inject(NodeFailed(victim))
    net.fabric.inject(NodeRecovered(victim), net.fabric.now + 50 * MS)
    net.serve(30.0)
    assert net.outcome(name).status is Status.COMPLETED
    net.rest()


def test_many_requests_at_once_compete_without_deadlock() -> None:
    network, domains = ring(slots=4)
    net = Watched(network, domains, seed=9)
    line = names(12)
    ends = [(line[k], line[(k + 3 + k % 5) % 12]) for k in range(12)] * 2
    made = net.ask(*(LinkRequest(a, b, 0.7, pairs=3, deadline=net.fabric.now + 10 * SECOND) for a, b in ends))
    net.serve(20.0)
    said = [net.outcome(name).status for name in made]
    assert said.count(Status.COMPLETED) >= 6
    assert set(said) <= {Status.COMPLETED, Status.REFUSED, Status.EXPIRED}
    net.rest()


def test_domains_that_make_no_sense() -> None:
    network = chain(2, link())
    with pytest.raises(InputError, match="no domain"):
        Federation(network, {"one": Domain(("A",))})
    with pytest.raises(InputError, match="one domain"):
        Federation(network, {"one": Domain(("A", "B")), "two": Domain(("B",))})
    with pytest.raises(InputError, match="one of its nodes"):
        Federation(network, {"one": Domain(("A",), home="B"), "two": Domain(("B",))})
    with pytest.raises(InputError, match="nothing else"):
        Federation(network, {"A": Domain(("A", "B"))})
    with pytest.raises(UnknownNameError):
        Federation(network, {"one": Domain(("A", "B", "Z"))})
    with pytest.raises(InputError, match="loss"):
        Federation(network, {"one": Domain(("A", "B"))}, loss=1.0)
    net = Federation(network, {"one": Domain(("A",)), "two": Domain(("B",))})
    with pytest.raises(UnknownNameError):
        net.restart_domain("three", 0)
    with pytest.raises(UnknownNameError):
        net.inject(Partition(("three",), 1))


def test_a_controller_at_each_node_knows_its_own_slots_and_no_more() -> None:
    """The smallest domains: every node decides for the requests that start there, and is the judge of its own slots."""
    line = names(6)
    hops = [*pairwise(line), (line[-1], line[0])]
    network = inventory(
        dict.fromkeys(line, node(slots=4, t2=1.0)),
        [(a, b, link(0.05, 10 * US, 0.99)) for a, b in hops],
        30 * US,
    )
    net = Watched(network, {f"at {name}": Domain((name,)) for name in line}, seed=11)
    ends = [(line[k], line[(k + shift) % 6]) for shift in (1, 2, 3) for k in range(6)]
    deadline = net.fabric.now + 20 * SECOND
    made = net.ask(*(LinkRequest(a, b, 0.75, pairs=3, deadline=deadline) for a, b in ends))
    net.serve(30.0)
    said = [net.outcome(name).status for name in made]
    assert said.count(Status.COMPLETED) >= 15
    assert set(said) <= {Status.COMPLETED, Status.REFUSED, Status.EXPIRED}
    for seat, decider in net.fabric.deciders.items():
        assert list(decider.ledger.free()) == [seat.removeprefix("at ")]
    net.rest()


@pytest.mark.parametrize("seed", range(8))
def test_random_schedules_of_competing_seats_end(seed: int) -> None:
    """Requests both ways over the same few slots, letters lost and doubled: everybody gets an answer, nothing is left."""
    dice = random.Random(seed)
    line = names(5)
    network = chain(
        5, link(0.2, 10 * US, 0.99), node(slots=2, t2=1.0), hop_delay=dice.choice((1, 50, 500)) * US
    )
    domains = {f"at {name}": Domain((name,)) for name in line}
    net = Watched(network, domains, seed=seed, loss=0.1, duplication=0.1, refresh=30 * MS)
    net.fabric.run(300 * MS)
    made = []
    for _ in range(12):
        a, b = dice.sample(line, 2)
        request = LinkRequest(a, b, 0.75, pairs=2, deadline=net.fabric.now + 15 * SECOND)
        made += net.ask(request)
        net.fabric.run(net.fabric.now + dice.randrange(20) * MS)
    net.serve(20.0)
    said = [net.outcome(name).status for name in made]
    assert said.count(Status.COMPLETED) >= 1
    net.rest()
