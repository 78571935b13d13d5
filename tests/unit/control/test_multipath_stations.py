"""Paths of one request that meet at a shared heralding station, or at an engine that knows one path only."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from builders import inventory, link, node
from quantum_fabric import ensemble
from quantum_fabric.documents import Inventory
from quantum_fabric.errors import InputError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.hub import SharedStation
from quantum_fabric.messages import (
    Accepted,
    Code,
    Delivered,
    DryRun,
    Heralded,
    Judged,
    LinkRequest,
    Message,
    Outcome,
    Refused,
    Route,
    Status,
)
from quantum_fabric.network.finish import NEVER
from quantum_fabric.network.joint import finished_together
from quantum_fabric.units import MS, SECOND, US, Time

WISH = LinkRequest("A", "D", 0.8, pairs=40, route=Route(paths=2))
EDGES = ("AB", "BD", "AC", "CD")


def diamond(analysers: int, switching: Time = 2 * MS) -> Inventory:
    """Two ways from A to D; one station heralds the first link of each."""
    made = inventory(
        {name: node(slots=8, t2=1.0) for name in "ABCD"},
        [(*sorted(each), link(0.2, 50 * US, 0.98)) for each in EDGES],  # type: ignore[misc]
        delay=10 * US,
        light=10 * US,
    )
    return replace(made, stations={"hub": SharedStation("hub", ("A~B", "A~C"), analysers, switching, 0)})


def answer(net: Inventory, request: LinkRequest) -> Accepted | Refused:
    judged = Fabric(net, seed=1).inquire(DryRun(request))
    assert isinstance(judged, Judged)
    return judged.answer


def test_with_an_analyser_for_each_path_both_run_at_once() -> None:
    fabric = Fabric(diamond(2), seed=1)
    seen: list[tuple[Time, str]] = []

    def note(now: Time, place: str, message: Message) -> None:
        assert isinstance(message, Heralded)
        seen.append((now, message.link))

    fabric.watch(note, Heralded)
    name = fabric.submit(WISH)
    fabric.run(10 * SECOND, stop=lambda: name not in fabric.open_requests)
    last = fabric.replies(name)[-1]
    assert isinstance(last, Outcome)
    assert last.status is Status.COMPLETED
    assert sum(isinstance(each, Delivered) for each in fabric.replies(name)) == 40
    assert {link for _, link in seen} == {"A~B", "B~D", "A~C", "C~D"}
    first = {link: min(time for time, each in seen if each == link) for link in ("A~B", "A~C")}
    assert all(time > 2 * MS for time in first.values())  # the switch was waited for
    turns = [link for _, link in seen if link in first]
    assert sum(a != b for a, b in pairwise(turns)) > 2  # neither waited for the other
    fabric.finish()
    assert not fabric.controller.ledger.leases()


def test_with_one_analyser_for_both_it_is_refused_and_one_path_is_offered() -> None:
    refused = answer(diamond(1), WISH)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.resource) == (Code.UNSUPP, "station hub")
    assert "1 more analyser of station hub than it has" in refused.reason
    assert refused.offer is not None
    assert refused.offer.route.paths == 1
    assert isinstance(answer(diamond(1), refused.offer), Accepted)


def test_a_deadline_reckons_with_the_switch() -> None:
    """Two paths with a slow switch: what would do without it is refused, and what is offered instead is later by as much."""
    plans = answer(diamond(2, switching=0), WISH)
    assert isinstance(plans, Accepted)
    surely = finished_together([plans.plan.forecast, plans.others[0].forecast], 40)
    assert surely < NEVER
    tight = replace(WISH, deadline=surely + MS)
    assert isinstance(answer(diamond(2, switching=0), tight), Accepted)
    refused = answer(diamond(2, switching=20 * MS), tight)
    assert isinstance(refused, Refused)
    assert refused.code is Code.NOTIME
    assert refused.offer is not None
    assert refused.offer.deadline is not None
    assert refused.offer.deadline > surely + 20 * MS
    assert isinstance(answer(diamond(2, switching=20 * MS), refused.offer), Accepted)


def test_word_of_a_pair_takes_time_too() -> None:
    """A controller far away: a deadline that the ends keep and that it hears of too late is refused."""
    near = diamond(2, switching=0)
    far = replace(near, delays={ends: 0 if ends[0] == ends[1] else 30 * MS for ends in near.delays})
    plans = answer(far, WISH)
    assert isinstance(plans, Accepted)
    surely = finished_together([plans.plan.forecast, plans.others[0].forecast], 40)
    refused = answer(far, replace(WISH, deadline=surely + MS))
    assert isinstance(refused, Refused)
    assert refused.code is Code.NOTIME
    assert refused.offer is not None
    assert refused.offer.deadline is not None
    assert refused.offer.deadline >= surely + 30 * MS
    assert isinstance(answer(far, refused.offer), Accepted)


def test_the_engine_for_many_replicas_says_that_it_knows_one_path_only() -> None:
    with pytest.raises(InputError, match="found 2 paths, expected one path") as error:
        ensemble.scenario(replace(diamond(2), stations={}), [(0, replace(WISH, name="both"))])
    assert error.value.where == "both"
