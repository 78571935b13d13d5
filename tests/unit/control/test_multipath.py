"""Requests on several disjoint paths: chosen, booked, counted, repaired and given back as one."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.control.test_survival import network

from quantum_fabric.control import Controller
from quantum_fabric.control.multipath import merged, several
from quantum_fabric.control.sense import check_request
from quantum_fabric.documents import Inventory, topology
from quantum_fabric.ensemble.live import LiveFabric
from quantum_fabric.errors import InputError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Accept,
    Accepted,
    Ask,
    Code,
    Delivered,
    DryRun,
    Judged,
    LinkChanged,
    LinkRequest,
    Offered,
    Outcome,
    Outcomes,
    Plan,
    Promise,
    Refused,
    Rerouted,
    Route,
    Service,
    Status,
    Supposed,
    Survival,
    WhatIf,
)
from quantum_fabric.native import look
from quantum_fabric.network.finish import chance_by
from quantum_fabric.network.planning import plan as plan_one
from quantum_fabric.units import MS, SECOND

DIAMOND = network("AB BD AC CD", slots=8)
WIDE = network("AB BD AC CD AE ED", slots=12)
TWO = Route(paths=2)
FABRICS = [Fabric, pytest.param(LiveFabric, marks=pytest.mark.skipif(look()[0] is None, reason=look()[1]))]


def served(fabric: Fabric, request: LinkRequest, until: int = 60 * SECOND) -> list[Any]:
    name = fabric.submit(request)
    fabric.run(until, stop=lambda: name not in fabric.open_requests)
    return fabric.replies(name)


def plans_of(answer: Any) -> tuple[Plan, ...]:
    assert isinstance(answer, Accepted), answer
    return (answer.plan, *answer.others)


def nothing_stays(fabric: Fabric) -> None:
    fabric.finish()
    assert not fabric.controller.ledger.leases()
    free = fabric.controller.ledger.free()
    assert all(free[name] == node.slots for name, node in fabric.topology.nodes.items())


@pytest.mark.parametrize("kind", FABRICS)
@pytest.mark.parametrize(("net", "paths"), [(DIAMOND, 2), (WIDE, 3)])
def test_pairs_of_all_paths_count_for_one_request(kind: type[Fabric], net: Inventory, paths: int) -> None:
    fabric = kind(net, seed=1)
    replies = served(fabric, LinkRequest("A", "D", 0.9, pairs=80, route=Route(paths=paths)))
    plans = plans_of(replies[0])
    assert len(plans) == paths
    inner = [name for plan in plans for name in plan.path[1:-1]]
    assert len(set(inner)) == len(inner)
    pairs = [each for each in replies if isinstance(each, Delivered)]
    assert [each.number for each in pairs] == list(range(1, 81))
    assert {each.request for each in pairs} == {"request-1"}
    assert all(each.fidelity >= 0.9 for each in pairs)
    assert len({each.pair for each in pairs}) == 80
    outcomes = [each for each in replies if isinstance(each, Outcome)]
    assert [(each.status, each.delivered) for each in outcomes] == [(Status.COMPLETED, 80)]
    assert outcomes[0] is replies[-1]
    nothing_stays(fabric)


@pytest.mark.skipif(look()[0] is None, reason=look()[1])
@pytest.mark.parametrize("seed", [1, 2])
def test_twin_and_kernel_tell_the_same(seed: int) -> None:
    """Draw for draw: every reply of a bundle, whose one path is cut in the middle, is the same at the same time."""
    told = []
    for kind in (Fabric, LiveFabric):
        fabric = kind(WIDE, seed=seed)
        (link,) = [name for name in fabric.topology.links if {"A", "B"} <= set(name)]
        fabric.inject(LinkChanged("A", link, False), at=4 * MS)
        told.append([repr(each) for each in served(fabric, LinkRequest("A", "D", 0.9, pairs=400, route=TWO))])
        nothing_stays(fabric)
    assert told[0] == told[1]
    assert any("Rerouted" in each for each in told[0])


def test_together_they_are_faster_than_the_best_of_them_alone() -> None:
    """Slots at the ends are shared, so the rates add up only where a path cannot use all of them."""
    believed = topology(network("AB BD AC CD", slots=40))
    controller = Controller(believed)
    found = several(controller.admission, LinkRequest("A", "D", 0.9, route=TWO), {})
    assert isinstance(found, tuple)
    alone = [each.forecast.rate for each in found]
    whole = merged(found)
    assert whole.forecast.rate == pytest.approx(math.fsum(alone))
    one = plan_one(believed, LinkRequest("A", "D", 0.9))
    assert isinstance(one, Plan)
    assert whole.forecast.rate > 1.2 * one.forecast.rate
    assert controller.admission.fits(whole)


def test_the_shares_against_every_way_to_share_the_slots() -> None:
    """Oracle: every split of the slots of both ends between two paths. Even shares, left-overs handed on, keep 80 % of the best.

    A share that a lane more would not fit into is lost; with few slots one lane is much.
    """
    for slots, edges in product((4, 6), ("AB BD AC CD", "AB BD AC CE ED")):
        believed = topology(network(edges, slots=slots))
        request = LinkRequest("A", "D", 0.8, route=TWO)
        found = several(Controller(believed).admission, request, {})
        assert isinstance(found, tuple)
        best = 0.0
        ways = [set(plan.path) for plan in found]
        for here, there in product(range(1, slots), repeat=2):
            rates = []
            for way, (a, d) in zip(ways, ((here, there), (slots - here, slots - there)), strict=True):
                part = believed.without(nodes=[name for name in believed.nodes if name not in way])
                each = plan_one(
                    part, LinkRequest("A", "D", 0.8), {**dict.fromkeys(way, slots), "A": a, "D": d}
                )
                rates.append(each.forecast.rate if isinstance(each, Plan) else 0.0)
            best = max(best, sum(rates) if min(rates) > 0.0 else 0.0)
        assert merged(found).forecast.rate >= 0.8 * best


@pytest.mark.parametrize("kind", FABRICS)
def test_losing_a_path_leaves_the_other_going(kind: type[Fabric]) -> None:
    fabric = kind(DIAMOND, seed=4)
    (link,) = [name for name in fabric.topology.links if "A" in name and "B" in name]
    fabric.inject(LinkChanged("A", link, False), at=5 * MS)
    replies = served(fabric, LinkRequest("A", "D", 0.9, pairs=400, route=TWO))
    (lost,) = [each for each in replies if isinstance(each, Rerouted)]
    assert lost.plan.path == ("A", "C", "D")
    assert "A - B - D" in lost.reason
    assert "the other goes on" in lost.reason
    assert replies[-1].status is Status.COMPLETED
    pairs = [each.number for each in replies if isinstance(each, Delivered)]
    assert pairs == list(range(1, 401))
    nothing_stays(fabric)


def test_a_lost_path_is_replaced_by_one_that_meets_no_other() -> None:
    fabric = Fabric(WIDE, seed=4)
    name = fabric.submit(LinkRequest("A", "D", 0.9, pairs=400, route=TWO))
    fabric.run(2 * MS)
    first = plans_of(fabric.replies(name)[0])
    fabric.inject(LinkChanged("A", first[0].links[0].link, False))
    fabric.run(60 * SECOND, stop=lambda: name not in fabric.open_requests)
    (moved,) = [each for each in fabric.replies(name) if isinstance(each, Rerouted)]
    assert set(moved.plan.path[1:-1]).isdisjoint({*first[0].path[1:-1], *first[1].path[1:-1]})
    assert fabric.replies(name)[-1].status is Status.COMPLETED
    nothing_stays(fabric)


def test_when_all_paths_are_lost_it_fails_once() -> None:
    fabric = Fabric(DIAMOND, seed=4)
    for at, ends in ((4 * MS, "AB"), (5 * MS, "CD")):
        (link,) = [name for name in fabric.topology.links if set(ends) <= set(name)]
        fabric.inject(LinkChanged("A", link, False), at=at)
    replies = served(fabric, LinkRequest("A", "D", 0.9, pairs=5_000, route=TWO))
    outcomes = [each for each in replies if isinstance(each, Outcome)]
    assert [each.status for each in outcomes] == [Status.FAILED]
    assert outcomes[0].delivered == sum(isinstance(each, Delivered) for each in replies) > 0
    nothing_stays(fabric)


def test_refusals_name_what_binds_and_their_offers_are_accepted() -> None:
    believed = topology(DIAMOND)
    for request, code, resource in (
        (LinkRequest("A", "D", 0.9, route=Route(paths=3)), Code.NOROUTE, "3 disjoint paths"),
        (LinkRequest("A", "D", 0.99999, route=TWO), Code.UNSUPP, "path A - "),
        (LinkRequest("A", "D", 0.9, rate=1e6, route=TWO), Code.NOTIME, "path A - "),
        (LinkRequest("A", "D", 0.9, pairs=500, deadline=20 * MS, route=TWO), Code.NOTIME, "path A - "),
    ):
        answer = _dry(Controller(believed), request)
        assert isinstance(answer, Refused)
        assert answer.code is code
        assert answer.resource.startswith(resource), answer
        assert answer.offer is not None
        assert isinstance(_dry(Controller(believed), answer.offer), Accepted), answer.offer


@settings(max_examples=10, deadline=None)
@given(
    fidelity=st.sampled_from([0.7, 0.85, 0.93, 0.96, 0.99]),
    pairs=st.sampled_from([1, 10, 300]),
    rate=st.sampled_from([0.0, 50.0, 5_000.0]),
    deadline=st.sampled_from([None, 5 * MS, 50 * MS, SECOND]),
    paths=st.integers(2, 4),
    slots=st.sampled_from([2, 3]),
)
def test_every_offer_is_accepted_on_the_unchanged_network(
    fidelity: float, pairs: int, rate: float, deadline: int | None, paths: int, slots: int
) -> None:
    controller = Controller(topology(network("AB BD AC CD AE ED", slots=slots)))
    answer = _dry(
        controller, LinkRequest("A", "D", fidelity, pairs, rate, deadline, route=Route(paths=paths))
    )
    if isinstance(answer, Refused):
        assert answer.reason
        if answer.offer is not None:
            assert isinstance(_dry(controller, answer.offer), Accepted)
    else:
        whole = merged(plans_of(answer))
        assert whole.forecast.rate >= rate
        assert all(plan.forecast.fidelity_low >= fidelity for plan in plans_of(answer))
        assert controller.admission.fits(whole)


def _dry(controller: Controller, request: LinkRequest) -> Accepted | Refused:
    (sent,) = controller.handle(DryRun(request), 0)
    judged = sent.message  # type: ignore[union-attr]
    assert isinstance(judged, Judged)
    return judged.answer


def test_all_is_booked_or_nothing() -> None:
    """Slots for one path are left: a request for two is refused, names what binds, and books nothing."""
    fabric = Fabric(network("AB BD AC CD", slots=2), seed=1)
    first = fabric.submit(LinkRequest("A", "B", 0.9, pairs=10_000))
    fabric.run(3 * MS)
    before = fabric.controller.ledger.free()
    (answer, outcome) = served(fabric, LinkRequest("A", "D", 0.9, route=TWO))
    assert isinstance(answer, Refused)
    assert answer.code is Code.NORES
    assert "memory of A" in answer.resource
    assert answer.available is not None
    assert answer.available > fabric.now
    assert answer.best is not None
    assert outcome.status is Status.REFUSED
    assert fabric.controller.ledger.free() == before
    fabric.cancel(first)
    nothing_stays(fabric)


def test_a_deadline_is_met_by_all_paths_together() -> None:
    """What no plan alone would promise; and of many runs the share that is in time is no less than the confidence."""
    believed = topology(DIAMOND)
    two = LinkRequest("A", "D", 0.9, pairs=60, route=TWO)
    judged = _judged(Controller(believed), two)
    deadline = dict(judged.guaranteed.finish)[0.95]  # type: ignore[union-attr]
    for plan in plans_of(judged.answer):
        assert chance_by(plan.forecast, 60, deadline) < 0.5
    runs, done = 40, 0
    for seed in range(runs):
        fabric = Fabric(DIAMOND, seed=seed)
        replies = served(fabric, LinkRequest("A", "D", 0.9, 60, deadline=deadline + 1, route=TWO))
        assert isinstance(replies[0], Accepted)
        done += replies[-1].status is Status.COMPLETED
    # with 0.95 a run, fewer than 28 of 40 has a chance of 3e-8
    assert done >= 28


def _judged(controller: Controller, request: LinkRequest) -> Judged:
    (sent,) = controller.handle(DryRun(request), 0)
    judged = sent.message  # type: ignore[union-attr]
    assert isinstance(judged, Judged)
    assert isinstance(judged.answer, Accepted)
    return judged


def test_past_its_deadline_it_expires_once() -> None:
    fabric = Fabric(DIAMOND, seed=2)
    deadline = dict(_judged(fabric.controller, LinkRequest("A", "D", 0.9, 200, route=TWO)).guaranteed.finish)  # type: ignore[union-attr]
    request = LinkRequest("A", "D", 0.9, 200, deadline=deadline[0.95] + MS, route=TWO)
    name = fabric.submit(request)
    fabric.run(3 * MS)
    for link in fabric.topology.links:
        if "B" in link:
            fabric.inject(LinkChanged("A", link, False))
    fabric.run(60 * SECOND, stop=lambda: name not in fabric.open_requests)
    last = fabric.replies(name)[-1]
    assert isinstance(last, Outcome)
    assert last.status is Status.EXPIRED
    assert last.code is Code.TIMEOUT
    assert fabric.now == request.deadline
    nothing_stays(fabric)


def test_cancelled_half_way_and_held_until_let_go() -> None:
    fabric = Fabric(DIAMOND, seed=2)
    name = fabric.submit(LinkRequest("A", "D", 0.9, 5_000, route=TWO))
    fabric.run(20 * MS)
    fabric.cancel(name)
    fabric.run(fabric.now + 10 * MS)
    assert [each.status for each in fabric.replies(name) if isinstance(each, Outcome)] == [Status.CANCELLED]
    held = fabric.submit(LinkRequest("A", "D", 0.9, 4, hold=True, route=TWO))
    fabric.run(fabric.now + SECOND, stop=lambda: held not in fabric.open_requests)
    assert fabric.replies(held)[-1].status is Status.COMPLETED  # type: ignore[union-attr]
    slots = {each.slots for each in fabric.replies(held) if isinstance(each, Delivered)}
    assert len(slots) == 4
    assert None not in slots
    nothing_stays(fabric)


def test_measured_pairs_keep_their_bits_and_numbers() -> None:
    fabric = Fabric(DIAMOND, seed=2)
    replies = served(fabric, LinkRequest("A", "D", 0.9, 40, service=Service.MEASURE, route=TWO))
    pairs = {each.number: each.pair for each in replies if isinstance(each, Delivered)}
    bits = {each.number: each.pair for each in replies if isinstance(each, Outcomes)}
    assert pairs == bits
    assert sorted(bits) == list(range(1, 41))
    assert isinstance(replies[-1], Outcome)
    nothing_stays(fabric)


def test_an_offer_keeps_the_slots_of_all_paths() -> None:
    fabric = Fabric(DIAMOND, seed=2)
    name = fabric.submit(Ask(LinkRequest("A", "D", 0.9, 20, route=TWO)))
    fabric.run(MS)
    (offered,) = fabric.replies(name)
    assert isinstance(offered, Offered)
    assert len(offered.others) == 1
    free = fabric.controller.ledger.free()
    assert free["B"] < 8
    assert free["C"] < 8
    answer = fabric.inquire(Accept(name))
    assert plans_of(answer) == (offered.plan, *offered.others)
    fabric.run(60 * SECOND, stop=lambda: name not in fabric.open_requests)
    assert fabric.replies(name)[-1].status is Status.COMPLETED  # type: ignore[union-attr]
    nothing_stays(fabric)


def test_a_repeated_letter_and_a_key_change_nothing() -> None:
    fabric = Fabric(DIAMOND, seed=2)
    request = LinkRequest("A", "D", 0.9, 2_000, route=TWO, key="k")
    name = fabric.submit(request)
    fabric.run(2 * MS)
    assert fabric.submit(request) == name
    fabric.run(4 * MS)
    assert len([each for each in fabric.replies(name) if isinstance(each, Accepted)]) == 2
    assert len(fabric.controller.sessions) == 2
    fabric.cancel(name)
    nothing_stays(fabric)


def test_another_request_may_be_disjoint_from_all_of_its_paths() -> None:
    fabric = Fabric(network("AB BD AC CD AE ED", slots=12), seed=2)
    name = fabric.submit(LinkRequest("A", "D", 0.9, 2_000, route=TWO))
    fabric.run(2 * MS)
    used = {node for plan in plans_of(fabric.replies(name)[0]) for node in plan.path[1:-1]}
    other = fabric.submit(LinkRequest("A", "D", 0.9, 1, route=Route(disjoint=(name,))))
    fabric.run(fabric.now + SECOND, stop=lambda: other not in fabric.open_requests)
    answer = fabric.replies(other)[0]
    assert isinstance(answer, Accepted), answer
    assert used.isdisjoint(answer.plan.path[1:-1])
    fabric.cancel(name)
    nothing_stays(fabric)


def test_what_if_books_all_paths() -> None:
    asked = WhatIf("q", tuple(LinkRequest("A", "D", 0.9, name=f"r{k}", route=TWO) for k in range(3)))
    (sent,) = Controller(topology(network("AB BD AC CD", slots=2))).handle(asked, 0)
    supposed = sent.message  # type: ignore[union-attr]
    assert isinstance(supposed, Supposed)
    first, *rest = supposed.answers
    assert len(plans_of(first)) == 2
    assert all(isinstance(each, Refused) for each in rest)


@pytest.mark.parametrize(
    "more",
    [
        {"window": SECOND, "hold": True, "pairs": 2},
        {"promise": Promise.END, "hold": True, "pairs": 2},
        {"jitter": MS},
        {"survives": Survival.LINK},
        {"route": Route(paths=0)},
        {"route": Route(paths=9)},
    ],
)
def test_what_makes_no_sense_on_several_paths(more: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        check_request(LinkRequest("A", "D", 0.9, **{"route": TWO, **more}))
    assert error.value.where == "route.paths"
