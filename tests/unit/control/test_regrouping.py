"""Other terms for a request on several paths: on the paths that it has, or on new ones that all run before these stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.control.test_multipath import FABRICS, TWO, nothing_stays, plans_of
from tests.unit.control.test_survival import network

from quantum_fabric.control import Controller
from quantum_fabric.control.path_names import is_path_of
from quantum_fabric.control.scheduling.tenancy import Tenancy, Tenant
from quantum_fabric.control.scheduling.turns import Scheduling
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    CONTROLLER,
    Accepted,
    Bell,
    Code,
    Declined,
    Delivered,
    Kept,
    LinkRequest,
    NodeFailed,
    Outcome,
    Renegotiate,
    Renegotiated,
    Rerouted,
    Route,
    Status,
)
from quantum_fabric.ports import Action
from quantum_fabric.units import MS, SECOND

ROOMY = network("AB BD AC CD AE ED", slots=24)
WISH = LinkRequest("A", "D", 0.9, pairs=400, route=TWO)


def begun(fabric: Fabric, request: LinkRequest = WISH, until: int = 5 * MS) -> str:
    name = fabric.submit(request)
    fabric.run(fabric.now + until)
    assert isinstance(fabric.replies(name)[0], Accepted), fabric.replies(name)[0]
    return name


def changed(fabric: Fabric, name: str, wish: LinkRequest) -> Renegotiated | Kept:
    before = len(fabric.replies(name))
    fabric.inquire(Renegotiate(name, wish))

    def told() -> list[Any]:
        return [each for each in fabric.replies(name)[before:] if isinstance(each, Renegotiated | Kept)]

    fabric.run(fabric.now + 10 * MS, stop=lambda: bool(told()))
    (answer,) = told()
    return answer


def done(fabric: Fabric, name: str) -> list[Any]:
    fabric.run(fabric.now + 60 * SECOND, stop=lambda: name not in fabric.open_requests)
    return list[Any](fabric.replies(name))


def numbers(replies: list[Any]) -> list[int]:
    return [each.number for each in replies if isinstance(each, Delivered)]


@pytest.mark.parametrize("kind", FABRICS)
def test_more_pairs_on_the_paths_that_run(kind: type[Fabric]) -> None:
    fabric = kind(ROOMY, seed=1)
    name = begun(fabric)
    epochs = len(fabric.controller.sessions)
    answer = changed(fabric, name, replace(WISH, pairs=500, rate=1.0))
    assert isinstance(answer, Renegotiated)
    assert not answer.replaced
    assert len(fabric.controller.sessions) == epochs
    replies = done(fabric, name)
    assert numbers(replies) == list(range(1, 501))
    assert [each.status for each in replies if isinstance(each, Outcome)] == [Status.COMPLETED]
    nothing_stays(fabric)


def test_fewer_paths_keep_the_fastest() -> None:
    fabric = Fabric(network("AB BD AC CE ED", slots=24), seed=1)
    name = begun(fabric)
    plans = plans_of(fabric.replies(name)[0])
    best = max(plans, key=lambda plan: plan.forecast.rate)
    answer = changed(fabric, name, replace(WISH, route=Route(paths=1)))
    assert isinstance(answer, Renegotiated)
    assert answer.plan == best
    fabric.run(fabric.now + MS)
    (other,) = [plan for plan in plans if plan != best]
    free = fabric.controller.ledger.free()
    assert all(free[inner] == 24 for inner in other.path[1:-1])
    assert numbers(done(fabric, name)) == list(range(1, 401))
    nothing_stays(fabric)


def half_free(kind: type[Fabric], **more: Any) -> tuple[Fabric, str, LinkRequest]:
    """A request on two paths, and as many free slots at its ends as it has: those of two others that have just ended."""
    plain = network("AB BD AC CD AE ED AX DY", slots=24)
    nodes = {name: replace(node, slots=12 if name in "XY" else 24) for name, node in plain.nodes.items()}
    fabric = kind(replace(plain, nodes=nodes), seed=1, **more)
    others = [fabric.submit(LinkRequest(*ends, 0.8, pairs=100_000)) for ends in ("AX", "DY")]
    fabric.run(fabric.now + MS)
    request = LinkRequest("A", "D", 0.8, pairs=3_000, rate=100.0, route=TWO)
    name = begun(fabric, request)
    for each in others:
        fabric.cancel(each)
    fabric.run(fabric.now + MS)
    return fabric, name, request


@pytest.mark.parametrize("kind", FABRICS)
@pytest.mark.parametrize("paths", [2, 3, 1])
def test_new_paths_are_made_beside_and_every_pair_counts(kind: type[Fabric], paths: int) -> None:
    fabric, name, request = half_free(kind)
    before = set(fabric.controller.sessions)
    answer = changed(fabric, name, replace(request, fidelity=0.96, pairs=1_000, route=Route(paths=paths)))
    assert isinstance(answer, Renegotiated), answer
    assert answer.replaced
    new = [each for each in fabric.controller.sessions if each not in before]
    assert len(new) == paths
    assert all(is_path_of(each, name) for each in new)
    replies = done(fabric, name)
    at = replies.index(answer)
    pairs = [each for each in replies if isinstance(each, Delivered)]
    assert [each.number for each in pairs] == list(range(1, 1_001))
    assert all(each.fidelity >= 0.96 for each in replies[at:] if isinstance(each, Delivered))
    assert any(isinstance(each, Delivered) for each in replies[:at])
    assert [each.status for each in replies if isinstance(each, Outcome)] == [Status.COMPLETED]
    nothing_stays(fabric)


def test_held_pairs_of_former_paths_stay_until_they_are_let_go() -> None:
    fabric = Fabric(network("AB BD AC CD", slots=24), seed=1)
    request = replace(WISH, pairs=200, hold=True)
    name = begun(fabric, request, 3 * MS)
    assert isinstance(changed(fabric, name, replace(request, route=Route(paths=1))), Renegotiated)
    fabric.cancel(name)
    nothing_stays(fabric)


def decline(fabric: Fabric, name: str) -> None:
    """A node of the second new path says no."""
    coming = fabric.controller.bundles._by_name[name].change
    assert coming is not None
    installation = fabric.controller.sessions[coming.made[1]].installation
    assert installation is not None
    declined = Declined(installation.epoch, installation.plan.path[1], "no")
    fabric.act(CONTROLLER, fabric.ask(CONTROLLER, declined))


@pytest.mark.parametrize("kind", FABRICS)
def test_where_a_new_path_comes_to_nothing_all_goes_on_as_it_was(kind: type[Fabric]) -> None:
    fabric, name, request = half_free(kind)
    fabric.inquire(Renegotiate(name, replace(request, fidelity=0.96)))
    decline(fabric, name)
    replies = done(fabric, name)
    (kept,) = [each for each in replies if isinstance(each, Renegotiated | Kept)]
    assert isinstance(kept, Kept)
    assert kept.refusal.code is Code.REJECTED
    assert "declined: no" in kept.refusal.reason
    assert numbers(replies) == list(range(1, 3_001))
    assert [each.status for each in replies if isinstance(each, Outcome)] == [Status.COMPLETED]
    assert not [each for each in replies if isinstance(each, Rerouted)]
    nothing_stays(fabric)


def test_where_old_and_new_paths_are_lost_it_fails_once() -> None:
    """The last old path is lost while new ones are made: they are its last hope, and when they fail it has failed."""
    fabric, name, request = half_free(Fabric)
    fabric.inquire(Renegotiate(name, replace(request, fidelity=0.96)))
    books = fabric.controller
    for each in sorted(books.bundles._by_name[name].open):
        fabric.act(CONTROLLER, books.bundles.told(_ended(books, each, fabric.now), fabric.now))
    assert name in fabric.open_requests
    decline(fabric, name)
    replies = done(fabric, name)
    assert [each.status for each in replies if isinstance(each, Outcome)] == [Status.FAILED]
    nothing_stays(fabric)


def _ended(controller: Controller, name: str, now: int) -> list[Action]:
    out: list[Action] = []
    controller.end(controller.sessions[name], Status.FAILED, "lost", now, out, Code.OTHER)
    return out


@pytest.mark.parametrize(
    ("more", "code", "resource"),
    [
        ({"destination": "B"}, Code.OTHER, "ends"),
        ({"pairs": 1}, Code.OTHER, "pairs"),
        ({"hold": True}, Code.UNSUPP, "what is done with pairs"),
        ({"bell": Bell.PSI_MINUS}, Code.UNSUPP, "what is done with pairs"),
        ({"route": Route(paths=9)}, Code.OTHER, "route.paths"),
        ({"deadline": 1}, Code.NOTIME, "deadline"),
        ({"fidelity": 0.99999}, Code.UNSUPP, "path"),
        ({"rate": 1e7}, Code.NOTIME, "path"),
        ({"route": Route(paths=3)}, Code.NORES, "memory"),
        ({"route": Route(paths=5)}, Code.NOROUTE, "5 disjoint paths"),
    ],
)
def test_what_is_refused_says_why_and_changes_nothing(
    more: dict[str, Any], code: Code, resource: str
) -> None:
    fabric = Fabric(ROOMY, seed=1)
    name = begun(fabric)
    leases = fabric.controller.ledger.leases()
    answer = changed(fabric, name, replace(WISH, **more))
    assert isinstance(answer, Kept)
    refusal = answer.refusal
    assert refusal.code is code, refusal
    assert refusal.resource.startswith(resource), refusal
    assert refusal.reason
    assert [(each.epoch, each.node) for each in fabric.controller.ledger.leases()] == [
        (each.epoch, each.node) for each in leases
    ]
    if refusal.offer is not None:
        assert isinstance(changed(fabric, name, refusal.offer), Renegotiated)
    assert done(fabric, name)[-1].status is Status.COMPLETED
    nothing_stays(fabric)


def test_a_quota_counts_the_new_paths_instead_of_the_old_ones() -> None:
    plain = network("AB BD AC CD", slots=24)
    first = replace(WISH, tenant="gold")
    probe = Fabric(plain, seed=1)
    held = sum(24 - free for free in probe_free(probe, first).values())
    for slots, wish, good in ((held, {"pairs": 500}, True), (held, {"tenant": "tin"}, False)):
        policy = Scheduling(tenancy=Tenancy.of([Tenant("gold", slots=slots), Tenant("tin", slots=3)]))
        fabric = Fabric(plain, seed=1, scheduling=policy)
        answer = changed(fabric, begun(fabric, first), replace(first, **wish))
        assert isinstance(answer, Renegotiated) is good, answer
        if isinstance(answer, Kept):
            assert "quota of tenant tin" in answer.refusal.resource


def probe_free(fabric: Fabric, request: LinkRequest) -> dict[str, int]:
    begun(fabric, request, MS)
    return dict(fabric.controller.ledger.free())


def test_a_later_deadline_and_an_earlier_one() -> None:
    fabric = Fabric(ROOMY, seed=1)
    name = begun(fabric)
    assert isinstance(changed(fabric, name, replace(WISH, deadline=SECOND)), Renegotiated)
    assert isinstance(changed(fabric, name, replace(WISH, deadline=2 * SECOND, pairs=5_000_000)), Kept)
    again = changed(fabric, name, replace(WISH, deadline=fabric.now + MS))
    assert isinstance(again, Kept)
    offer = again.refusal.offer
    assert offer is not None
    assert offer.deadline is not None
    assert isinstance(changed(fabric, name, offer), Renegotiated)
    fabric.inject(NodeFailed("B"))
    assert done(fabric, name)[-1].status in (Status.COMPLETED, Status.EXPIRED)
    assert fabric.now <= offer.deadline
    nothing_stays(fabric)


def test_one_path_does_not_become_several_nor_is_one_of_several_changed_alone() -> None:
    fabric = Fabric(ROOMY, seed=1)
    name = begun(fabric, replace(WISH, route=Route()))
    answer = changed(fabric, name, WISH)
    assert isinstance(answer, Kept)
    assert (answer.refusal.code, answer.refusal.resource) == (Code.UNSUPP, "2 paths")
    fabric.cancel(name)
    fabric.run(fabric.now + MS)
    other = begun(fabric)
    fabric.inquire(Renegotiate(f"{other}/1", WISH))
    fabric.run(fabric.now + MS)
    (kept,) = [each for each in list[Any](fabric.replies(other)) if isinstance(each, Kept)]
    assert "is one path of" in kept.refusal.reason
    fabric.cancel(other)
    nothing_stays(fabric)


def test_cancelled_while_new_paths_are_being_made() -> None:
    fabric, name, request = half_free(Fabric)
    fabric.inquire(Renegotiate(name, replace(request, fidelity=0.96)))
    fabric.cancel(name)
    fabric.run(fabric.now + 10 * MS)
    assert [each.status for each in fabric.replies(name) if isinstance(each, Outcome)] == [Status.CANCELLED]
    nothing_stays(fabric)
