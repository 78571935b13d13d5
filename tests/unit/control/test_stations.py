"""Shared heralding stations: who has an analyser, who waits, and that two links never use one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from builders import inventory, link, node
from quantum_fabric.control.scheduling.blocking import erlang_b
from quantum_fabric.documents import Inventory
from quantum_fabric.errors import ProtocolError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.hub import SharedStation
from quantum_fabric.messages import (
    Accept,
    Accepted,
    Arm,
    Ask,
    Code,
    Commit,
    Discard,
    DryRun,
    Explain,
    Explained,
    Heralded,
    Judged,
    LinkChanged,
    LinkRequest,
    Message,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Protected,
    Refused,
    Rerouted,
    Status,
    Survival,
)
from quantum_fabric.units import MS, SECOND, US, Time

TURN = 2 * MS


def hub(
    links: tuple[str, ...] = ("AB", "CD", "EF"), analysers: int = 1, switching: Time = TURN, dead_time: Time = 0, slots: int = 4
) -> Inventory:  # fmt: skip
    """Links whose light all goes to one station."""
    names = sorted({name for each in links for name in each})
    made = inventory(
        {name: node(slots=slots) for name in names},
        [(a, b, link(success=0.01, period=10 * US)) for a, b in links],
        delay=5 * US,
    )
    station = SharedStation("hub", tuple(f"{a}~{b}" for a, b in links), analysers, switching, dead_time)
    return replace(made, stations={"hub": station})


def watched(fabric: Fabric) -> list[tuple[Time, str]]:
    """When each link heralds."""
    seen: list[tuple[Time, str]] = []

    def note(now: Time, _: str, message: Message) -> None:
        assert isinstance(message, Heralded)
        seen.append((now, message.link))

    fabric.watch(note, Heralded)
    return seen


def outcome(fabric: Fabric, name: str) -> Outcome:
    last = fabric.replies(name)[-1]
    assert isinstance(last, Outcome)
    return last


def test_three_links_take_turns_at_one_analyser_with_the_switch_between() -> None:
    fabric = Fabric(hub(dead_time=30 * US), seed=1)
    seen = watched(fabric)
    for a, b in ("AB", "CD", "EF"):
        fabric.submit(LinkRequest(a, b, 0.9, pairs=50, name=a + b))
    fabric.run(until=10 * SECOND)
    answers = [fabric.replies(name)[0] for name in ("AB", "CD", "EF")]
    assert [each.queued for each in answers if isinstance(each, Accepted)] == [False, True, True]
    assert all(outcome(fabric, name).status is Status.COMPLETED for name in ("AB", "CD", "EF"))
    turns = [seen[0][1]]
    gaps: list[Time] = []
    for (before, a), (after, b) in pairwise(seen):
        if a != b:
            turns.append(b)
            gaps.append(after - before)
    assert turns == ["A~B", "C~D", "E~F"]  # nobody comes back: an analyser is kept until it is released
    assert min(gaps) >= TURN + 30 * US
    assert fabric.controller.admission.stations.free() == {"hub": 1}


def test_the_first_attempt_waits_for_the_switch() -> None:
    commits: dict[bool, Time] = {}
    for shared in (False, True):
        made = hub(("AB",)) if shared else replace(hub(("AB",)), stations={})
        fabric = Fabric(made, seed=1)
        fabric.watch(lambda now, _, __, shared=shared: commits.setdefault(shared, now), Commit)
        fabric.submit(LinkRequest("A", "B", 0.9))
        fabric.run(until=SECOND)
    # and for light that may still have been on its way: one period
    assert commits[True] - commits[False] == TURN + 10 * US


def test_as_many_links_as_analysers_run_side_by_side() -> None:
    fabric = Fabric(hub(analysers=2), seed=3)
    for a, b in ("AB", "CD", "EF"):
        fabric.submit(LinkRequest(a, b, 0.9, pairs=100, name=a + b))
    fabric.run(until=4 * MS)
    queued = [
        each.queued for name in ("AB", "CD", "EF") if isinstance(each := fabric.replies(name)[0], Accepted)
    ]
    assert queued == [False, False, True]
    assert set(fabric.twin.links["A~B"].station.serving) <= {"A~B", "C~D"}  # type: ignore[union-attr]


def test_two_requests_on_one_link_share_its_analyser() -> None:
    fabric = Fabric(hub(), seed=3)
    fabric.submit(LinkRequest("A", "B", 0.9, pairs=10**6, name="one"))
    fabric.run(until=SECOND // 100)
    stations = fabric.controller.admission.stations
    assert (stations.free(), stations.shut()) == ({"hub": 0}, {"C~D", "E~F"})
    plan = fabric.controller.sessions["one"].plan
    assert stations.short(plan) == {}


def test_a_refusal_names_the_station_and_when_it_is_free() -> None:
    fabric = Fabric(hub(), seed=3)
    fabric.submit(LinkRequest("A", "B", 0.9, pairs=20_000, name="long"))
    fabric.run(until=MS)
    fabric.submit(Ask(LinkRequest("C", "D", 0.9, name="offer")))
    fabric.submit(LinkRequest("E", "F", 0.9, deadline=100 * MS, name="late"))
    fabric.run(until=2 * MS)
    for name, code in (("offer", Code.NORES), ("late", Code.NOTIME)):
        refused = fabric.replies(name)[0]
        assert isinstance(refused, Refused)
        assert (refused.code, refused.resource) == (code, "station hub")
        assert refused.available is not None
        assert refused.available > fabric.now
        assert "analysers" in refused.reason
    said = fabric.inquire(Explain(LinkRequest("C", "D", 0.9)))
    assert isinstance(said, Explained)
    assert said.waits_for == ("long",)


def test_a_deadline_that_the_switch_does_not_leave_time_for_is_refused_with_an_offer_that_works() -> None:
    fabric = Fabric(hub(("AB",), switching=SECOND), seed=1)
    judged = fabric.inquire(DryRun(LinkRequest("A", "B", 0.9, deadline=SECOND // 2)))
    assert isinstance(judged, Judged)
    refused = judged.answer
    assert isinstance(refused, Refused)
    assert (refused.code, refused.resource) == (Code.NOTIME, "station hub")
    assert refused.offer is not None
    again = fabric.inquire(DryRun(replace(refused.offer, name="again")))
    assert isinstance(again, Judged)
    assert isinstance(again.answer, Accepted)
    soon = fabric.inquire(DryRun(LinkRequest("A", "B", 0.9, deadline=3 * SECOND, name="soon")))
    assert isinstance(soon, Judged)
    assert isinstance(soon.answer, Accepted)


def test_a_path_that_needs_more_analysers_than_there_are_takes_another_way() -> None:
    # A - B - C has both links at the station; A - X - C has its own
    made = inventory(
        {name: node(slots=4) for name in "ABCX"},
        [
            (a, b, link(success=p, period=10 * US))
            for a, b, p in (("A", "B", 0.5), ("B", "C", 0.5), ("A", "X", 0.01), ("X", "C", 0.01))
        ],
        delay=5 * US,
    )
    request = LinkRequest("A", "C", 0.9, name="r")
    for analysers, expected in ((2, ("A", "B", "C")), (1, ("A", "X", "C"))):
        shared = replace(made, stations={"hub": SharedStation("hub", ("A~B", "B~C"), analysers)})
        answer = Fabric(shared, seed=1).inquire(DryRun(request))
        assert isinstance(answer, Judged)
        assert isinstance(answer.answer, Accepted)
        assert answer.answer.plan.path == expected
    alone = replace(
        made, links={name: made.links[name] for name in ("A~B", "B~C")},
        stations={"hub": SharedStation("hub", ("A~B", "B~C"), 1)},
    )  # fmt: skip
    answer = Fabric(alone, seed=1).inquire(DryRun(request))
    assert isinstance(answer, Judged)
    assert isinstance(answer.answer, Refused)
    assert (answer.answer.code, answer.answer.resource) == (Code.NORES, "station hub")


def test_a_free_station_is_preferred_to_waiting() -> None:
    made = inventory(
        {name: node(slots=32 if name == "C" else 4) for name in "ABCD"},
        [("A", "B", link(success=0.5, period=10 * US)), ("C", "D", link(success=0.5, period=10 * US)),
         ("A", "C", link(success=0.01, period=10 * US)), ("C", "B", link(success=0.01, period=10 * US))],
        delay=5 * US,
    )  # fmt: skip
    shared = replace(made, stations={"hub": SharedStation("hub", ("A~B", "C~D"), 1)})
    fabric = Fabric(shared, seed=1)
    fabric.submit(LinkRequest("C", "D", 0.9, pairs=10**6, name="first"))
    fabric.run(until=MS)
    fabric.submit(LinkRequest("A", "B", 0.9, name="second"))
    fabric.run(until=2 * MS)
    answer = fabric.replies("second")[0]
    assert isinstance(answer, Accepted)
    assert (answer.queued, answer.plan.path) == (False, ("A", "C", "B"))


def test_priority_takes_an_analyser_from_one_that_is_preemptible() -> None:
    fabric = Fabric(hub(), seed=1)
    fabric.submit(LinkRequest("A", "B", 0.9, pairs=5000, preemptible=True, name="low"))
    fabric.submit(LinkRequest("C", "D", 0.9, pairs=20, priority=1, name="high"), at=20 * MS)
    fabric.run(until=60 * SECOND)
    assert outcome(fabric, "high").status is Status.COMPLETED
    assert (outcome(fabric, "low").status, outcome(fabric, "low").delivered) == (Status.COMPLETED, 5000)


def test_a_spare_at_a_shared_station_is_not_promised() -> None:
    made = inventory(
        {name: node(slots=8) for name in "ABC"},
        [(a, b, link(success=0.5, period=10 * US)) for a, b in ("AB", "AC", "CB")],
        delay=5 * US,
    )
    shared = replace(made, stations={"hub": SharedStation("hub", ("A~C", "C~B"), 2)})
    answer = Fabric(shared, seed=1).inquire(DryRun(LinkRequest("A", "B", 0.9, survives=Survival.LINK)))
    assert isinstance(answer, Judged)
    assert isinstance(answer.answer, Refused)
    assert answer.answer.code is Code.UNSUPP


def test_a_spare_takes_the_way_that_needs_no_analyser() -> None:
    # from A to B directly, over C with light to the station, or over D or over E without
    made = inventory(
        {name: node(slots=8) for name in "ABCDE"},
        [
            (a, b, link(success=0.5 if "C" in (a, b) else 0.2, period=10 * US))
            for a, b in ("AB", "AC", "CB", "AD", "DB", "AE", "EB")
        ],
        delay=5 * US,
    )
    shared = replace(made, stations={"hub": SharedStation("hub", ("A~C", "C~B"), 2)})
    fabric = Fabric(shared, seed=3)
    name = fabric.submit(LinkRequest("A", "B", 0.7, pairs=2000, survives=Survival.LINK))
    fabric.run(MS)
    accepted = fabric.replies(name)[0]
    assert isinstance(accepted, Accepted)
    assert accepted.backup is not None
    touched = fabric.controller.admission.stations.touched
    assert touched(accepted.backup) == ()
    fabric.inject(LinkChanged("", accepted.plan.links[0].link, False))
    fabric.run(20 * MS)
    assert [each.ready for each in fabric.replies(name) if isinstance(each, Rerouted)] == [True]
    after = [each.backup for each in fabric.replies(name) if isinstance(each, Protected)]
    assert after
    assert all(plan is None or touched(plan) == () for plan in after)


def test_the_twin_notices_two_links_at_one_analyser() -> None:
    fabric = Fabric(hub(switching=0), seed=1)
    fabric.twin.execute(Arm("A", 0, "A~B", 0, 1, None), 0)
    fabric.twin.execute(Arm("C", 0, "C~D", 0, 1, None), 0)
    fabric.twin.execute(Arm("B", 0, "A~B", 0, 1, None), 0)
    with pytest.raises(ProtocolError, match="C~D sends light to station hub"):
        fabric.twin.execute(Arm("D", 0, "C~D", 0, 1, None), 0)


def test_the_twin_notices_an_attempt_before_the_switch_is_there() -> None:
    for wait, fine in ((TURN, False), (TURN + 20 * US, True)):
        fabric = Fabric(hub(), seed=1)
        for name in "AB":
            fabric.twin.execute(Arm(name, 0, "A~B", 0, 1, None), 0)
        for name in "AB":
            fabric.twin.execute(Discard(name, 0), 5 * US)
        fabric.twin.execute(Arm("C", 0, "C~D", 0, 1, None), wait)
        if fine:
            fabric.twin.execute(Arm("D", 0, "C~D", 0, 1, None), wait)
        else:
            with pytest.raises(ProtocolError):
                fabric.twin.execute(Arm("D", 0, "C~D", 0, 1, None), wait)


def _arrivals(draws: np.random.Generator, count: int, span: Time) -> Iterator[tuple[Time, str, int]]:
    for at in sorted(draws.integers(0, span, count)):
        yield int(at), str(draws.choice(["AB", "CD", "EF", "AC", "BD"])), int(draws.integers(1, 60))


@pytest.mark.parametrize("seed", range(12))
def test_no_analyser_is_ever_used_twice_whatever_happens(seed: int) -> None:
    """The twin raises if it is; cuts, failing nodes, cancelled, preempted and held requests included."""
    draws = np.random.default_rng([20_261_122, seed])
    made = hub(
        ("AB", "CD", "EF", "AC", "BD"), analysers=1 + seed % 3, switching=int(draws.integers(0, 3)) * MS
    )
    fabric = Fabric(made, seed=seed)
    names = []
    for number, (at, ends, pairs) in enumerate(_arrivals(draws, 40, SECOND)):
        name = f"r{number}"
        names.append(name)
        fabric.submit(
            LinkRequest(
                *ends, 0.9, pairs=min(pairs, 3) if number % 10 == 0 else pairs, priority=int(draws.integers(0, 3)),
                preemptible=bool(draws.integers(0, 2)), hold=number % 10 == 0, name=name,
            ),
            at=at,
        )  # fmt: skip
    for number in range(4):
        at = int(draws.integers(0, SECOND))
        name = f"{made.links['A~B'].name}" if number % 2 else "C~D"
        fabric.inject(LinkChanged("", name, up=False), at=at)
        fabric.inject(LinkChanged("", name, up=True), at=at + 50 * MS)
    fabric.inject(NodeFailed("B"), at=int(draws.integers(0, SECOND)))
    fabric.inject(NodeRecovered("B"), at=SECOND + 10 * MS)
    for name in names[::5]:
        fabric.run(until=fabric.now + int(draws.integers(0, 100 * MS)))
        fabric.cancel(name)
    fabric.run(until=3 * SECOND)
    fabric.finish()
    assert fabric.controller.admission.stations.free() == {"hub": 1 + seed % 3}
    delivered = sum(outcome(fabric, name).delivered for name in names)
    assert delivered > 50


def _mean_holding(made: Inventory, ends: str) -> Time:
    """How long one pair takes an analyser on average: letters, measured once where every attempt succeeds, and failed attempts."""
    sure = {name: replace(each, model=link(success=1.0, period=10 * US)) for name, each in made.links.items()}
    fabric = Fabric(replace(made, links=sure), seed=1)
    fabric.submit(LinkRequest(*ends, 0.9))
    fabric.run(until=SECOND, stop=lambda: bool(fabric.controller.ledger.leases()))
    begun = fabric.now
    fabric.run(until=SECOND, stop=lambda: not fabric.controller.ledger.leases())
    return fabric.now - begun + 99 * 10 * US


@pytest.mark.parametrize(("analysers", "load"), [(1, 0.6), (2, 1.5), (4, 3.0)])
def test_blocking_of_a_hub_is_that_of_erlang(analysers: int, load: float) -> None:
    """Poisson arrivals on links of their own; who finds no analyser goes away. Erlang's formula holds for any law of service.

    False alarms: 6.5 standard errors of 30 batches (t with 29 degrees of freedom): 4e-7 a case; the seeds are fixed.
    """
    ends = [chr(0x100 + 2 * k) + chr(0x101 + 2 * k) for k in range(10)]
    made = hub(tuple(ends), analysers=analysers, switching=0, slots=1)
    mean = _mean_holding(made, ends[0])
    fabric = Fabric(made, seed=11)
    draws = np.random.default_rng([20_261_122, analysers])
    at, lost = 0.0, []
    for number in range(900):
        at += draws.exponential(mean / load)
        fabric.run(until=int(at))
        idle = [each for each in ends if not fabric.controller.ledger.taken(f"{each[0]}~{each[1]}")]
        name, pair = f"r{number}", idle[int(draws.integers(len(idle)))]
        fabric.submit(Ask(LinkRequest(*pair, 0.9, name=name)))
        fabric.run(until=int(at), stop=lambda name=name: bool(fabric.replies(name)))  # type: ignore[misc]
        refused = isinstance(fabric.replies(name)[0], Refused)
        lost.append(refused)
        if not refused:
            fabric.inquire(Accept(name))
    rates = np.array(lost, float).reshape(30, -1).mean(axis=1)
    error = rates.std(ddof=1) / np.sqrt(30)
    assert error < 0.03
    assert abs(rates.mean() - erlang_b(analysers, load)) <= 6.5 * error
