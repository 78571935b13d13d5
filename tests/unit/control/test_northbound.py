"""What callers may ask of the controller, on the twin: offers, keys, trials without effect, constraints, changes of what runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import inventory, link, node, nothing_left
from quantum_fabric.control.controller import Controller
from quantum_fabric.control.northbound import LASTS, Northbound
from quantum_fabric.documents import topology
from quantum_fabric.errors import InputError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Accept,
    Accepted,
    Ask,
    Cancel,
    Code,
    Declined,
    Delivered,
    DryRun,
    Explain,
    Explained,
    Judged,
    Kept,
    LinkChanged,
    LinkRequest,
    Offered,
    Outcome,
    Prepare,
    Prepared,
    Promise,
    Refused,
    Released,
    Renegotiate,
    Renegotiated,
    Route,
    Send,
    Status,
    Supposed,
    Wake,
    WhatIf,
)
from quantum_fabric.units import MS, SECOND, US

DIAMOND = inventory(
    dict.fromkeys("ABCD", node(2, t2=1.0)),
    [
        (*ends, link(success, fidelity=0.95))
        for ends, success in (("AB", 0.05), ("BD", 0.05), ("AC", 0.1), ("CD", 0.1))
    ],
    delay=10 * US,
    light=10 * US,
)
MODEL = topology(DIAMOND)
WISH = LinkRequest("A", "D", 0.8, pairs=3, name="r")


def decider() -> Controller:
    return Controller(MODEL)


def client(out: Any) -> list[Any]:
    return [each.message for each in out if isinstance(each, Send) and each.to == "client"]


def tell(made: Controller, message: Any, now: int = 0) -> list[Any]:
    return client(made.handle(message, now))


# -------------------------------------------------------------------------------------------------- offers


def test_an_offer_keeps_its_slots_and_is_accepted() -> None:
    fabric = Fabric(DIAMOND, seed=1)
    name = fabric.submit(Ask(WISH))
    fabric.run(0)
    (offer,) = fabric.replies(name)
    assert isinstance(offer, Offered)
    assert offer.expires == LASTS
    held = len(fabric.controller.ledger.leases())
    assert held == sum(2 * each.lanes for each in offer.plan.links)
    assert fabric.open_requests == {"r"}
    assert isinstance(fabric.inquire(Accept(name)), Accepted)
    assert len(fabric.controller.ledger.leases()) == held
    fabric.run(60 * SECOND, stop=lambda: not fabric.open_requests)
    assert fabric.replies(name)[-1] == Outcome("r", Status.COMPLETED, 3, "all pairs delivered")
    fabric.finish()
    nothing_left(fabric)


def test_an_offer_that_nobody_takes_runs_out_and_leaks_nothing() -> None:
    fabric = Fabric(DIAMOND, seed=1)
    name = fabric.submit(Ask(WISH))
    fabric.run(LASTS)
    _, refused, outcome = fabric.replies(name)
    assert isinstance(refused, Refused)
    assert (refused.code, outcome.status, outcome.code) == (Code.EXPIRE, Status.REFUSED, Code.EXPIRE)
    assert fabric.controller.ledger.leases() == []
    assert fabric.inquire(Accept(name)) is None  # too late: stale
    nothing_left(fabric)


@pytest.mark.parametrize("how", ["cancel", "dark", "finish"])
def test_an_offer_can_be_withdrawn(how: str) -> None:
    fabric = Fabric(DIAMOND, seed=1)
    name = fabric.submit(Ask(WISH))
    fabric.run(0)
    (offer,) = fabric.replies(name)
    assert isinstance(offer, Offered)
    if how == "cancel":
        fabric.cancel(name)
    elif how == "dark":
        fabric.inject(LinkChanged("", offer.plan.links[0].link, False))
    if how == "finish":
        fabric.finish()
    else:
        fabric.run(MS)
    last = fabric.replies(name)[-1]
    assert isinstance(last, Outcome)
    assert last.status is (Status.REFUSED if how == "dark" else Status.CANCELLED)
    assert fabric.controller.ledger.leases() == []


def test_no_slots_no_offer_but_when_they_may_be_free() -> None:
    made = decider()
    (first,) = tell(made, replace(WISH, pairs=1000))[:1]
    assert isinstance(first, Accepted)
    busy = {name for name, count in made.ledger.free().items() if count == 0}
    if not busy & {"A", "D"}:
        tell(made, replace(WISH, name="second", pairs=1000))
    refused, outcome = tell(made, Ask(replace(WISH, name="late")))
    assert isinstance(refused, Refused)
    assert (refused.code, outcome.code) == (Code.NORES, Code.NORES)
    assert refused.available is not None
    assert refused.available > 0
    assert refused.best is not None


def test_a_guarantee_holds_at_the_confidence_asked_for() -> None:
    (judged,) = tell(decider(), DryRun(replace(WISH, confidence=0.9)))
    promise = judged.guaranteed
    assert promise.confidence == 0.9
    assert promise.fidelity >= 0.8
    levels = [level for level, _ in promise.finish]
    assert 0.9 in levels
    assert levels == sorted(levels)
    assert [time for _, time in promise.finish] == sorted(time for _, time in promise.finish)
    # a deadline at the time of a level is admitted with that level and refused with a higher one
    book = dict(promise.finish)
    (good,) = tell(decider(), DryRun(replace(WISH, confidence=0.9, deadline=book[0.9] + 1000)))
    (bad,) = tell(decider(), DryRun(replace(WISH, confidence=0.99, deadline=book[0.9] + 1000)))
    assert isinstance(good.answer, Accepted)
    assert (bad.answer.code, bad.answer.offer.deadline > book[0.9]) == (Code.NOTIME, True)


# --------------------------------------------------------------------------------------------------- keys


def test_the_same_key_is_the_same_request() -> None:
    fabric = Fabric(DIAMOND, seed=1)
    wish = replace(WISH, name="", key="order-7")
    names = [fabric.submit(wish) for _ in range(3)]
    fabric.run(0)
    assert len(set(names)) == 1
    assert [type(each) for each in fabric.replies(names[0])] == [Accepted] * 3
    assert list(fabric.controller.sessions) == names[:1]


def test_another_request_with_the_same_key_is_refused() -> None:
    fabric = Fabric(DIAMOND, seed=1)
    fabric.submit(replace(WISH, key="order-7"))
    other = fabric.submit(replace(WISH, name="s", key="order-7", fidelity=0.85))
    fabric.run(0)
    refused, outcome = fabric.replies(other)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.resource) == (Code.OTHER, "key")
    assert "r, which asks for something else" in refused.reason
    assert isinstance(outcome, Outcome)
    assert list(fabric.controller.sessions) == ["r"]


def test_a_key_remembers_a_refusal_and_an_offer() -> None:
    made = decider()
    wish = replace(WISH, fidelity=0.9999, key="k")
    first = tell(made, wish)[0]
    assert tell(made, wish) == [first]
    offered = tell(made, Ask(replace(WISH, key="o")))
    assert tell(made, Ask(replace(WISH, key="o"))) == offered
    assert len(made.ledger.leases()) == sum(2 * each.lanes for each in offered[0].plan.links)


# ------------------------------------------------------------------------------------------ without effect


def state(made: Controller) -> tuple[Any, ...]:
    return made.ledger.free(), list(made.sessions), made.waiting, made.count_from(0)


def test_trials_have_no_effect() -> None:
    made = decider()
    tell(made, WISH)
    before = state(made)
    (judged,) = tell(made, DryRun(replace(WISH, name="q")))
    (why,) = tell(made, Explain(replace(WISH, name="q")))
    (what,) = tell(made, WhatIf("q", (replace(WISH, name="s"),), ("B",)))
    assert isinstance(judged, Judged)
    assert isinstance(why, Explained)
    assert isinstance(what, Supposed)
    assert state(made) == before


def test_a_dry_run_says_what_would_be_answered() -> None:
    made = decider()
    for wish in (WISH, replace(WISH, fidelity=0.9999), replace(WISH, deadline=1000)):
        (judged,) = tell(made, DryRun(wish))
        answer = tell(decider(), wish)[0]
        assert judged.answer == answer
        assert (judged.guaranteed is None) == isinstance(answer, Refused)


def test_an_explanation_names_what_binds_and_what_lost() -> None:
    (why,) = tell(decider(), Explain(WISH))
    assert why.binding.startswith("link ")
    assert why.lost
    assert all(each.reason for each in why.lost)
    (refused,) = tell(decider(), Explain(replace(WISH, fidelity=0.9999)))
    assert (refused.binding, refused.label) == (refused.answer.resource, "")


def test_an_explanation_names_who_is_waited_for() -> None:
    made = decider()
    for name in "abc":
        tell(made, replace(WISH, name=name, pairs=10_000))
    (why,) = tell(made, Explain(WISH))
    assert why.answer.queued
    assert set(why.waits_for) <= {"a", "b", "c"}
    assert why.waits_for


def test_what_if_a_node_is_taken_away() -> None:
    made = decider()
    (accepted,) = tell(made, WISH)
    middle = accepted.plan.path[1]
    other = {"B": "C", "C": "B"}[middle]
    (one,) = tell(made, WhatIf("q", (), (middle,)))
    assert (one.moved, one.lost) == (("r",), ())
    (two,) = tell(made, WhatIf("q", (replace(WISH, name="s"),), ("B", "C")))
    assert (two.moved, two.lost, two.answers[0].code) == ((), ("r",), Code.NOROUTE)
    (far,) = tell(made, WhatIf("q", (), (other,)))
    assert (far.moved, far.lost) == ((), ())
    (odd,) = tell(made, WhatIf("q", (WISH,), ("Mars",)))
    assert odd.answers[0].reason == "no node or link is called Mars"


def test_what_if_there_were_more_load() -> None:
    made = decider()
    load = tuple(replace(WISH, name=f"l{n}", pairs=100) for n in range(4))
    (calm,) = tell(made, WhatIf("q", (WISH,)))
    (busy,) = tell(made, WhatIf("q", (WISH,), load=load))
    assert not calm.answers[0].queued
    assert busy.answers[0].queued


# --------------------------------------------------------------------------------------------- constraints


def test_a_path_avoids_what_it_is_told_to() -> None:
    for name in ("B", "A~B", "B~D"):
        (accepted,) = tell(decider(), replace(WISH, route=Route(avoid=(name,))))[:1]
        assert accepted.plan.path == ("A", "C", "D")
    (accepted,) = tell(decider(), replace(WISH, route=Route(trusted=("C",))))[:1]
    assert accepted.plan.path == ("A", "C", "D")


def test_a_constraint_that_binds_is_named_and_the_offer_gives_up_no_more_than_it_must() -> None:
    made = decider()
    refused = tell(made, replace(WISH, route=Route(avoid=("B", "C"))))[0]
    assert refused.code is Code.NOROUTE
    assert refused.resource.startswith("constraint avoid ")
    assert len(refused.offer.route.avoid) == 1
    assert isinstance(tell(made, replace(refused.offer, name="again"))[0], Accepted)
    made = decider()
    refused = tell(made, replace(WISH, route=Route(trusted=())))[0]
    assert refused.resource.startswith("constraint trusted without ")
    assert len(refused.offer.route.trusted) == 1
    assert isinstance(tell(made, replace(refused.offer, name="again"))[0], Accepted)


def test_disjoint_requests_share_nothing() -> None:
    made = decider()
    (one,) = tell(made, WISH)
    (two,) = tell(made, replace(WISH, name="s", route=Route(disjoint=("r",))))
    assert set(one.plan.path[1:-1]).isdisjoint(two.plan.path[1:-1])
    refused = tell(made, replace(WISH, name="t", route=Route(disjoint=("r", "s"))))[0]
    assert "disjoint from" in refused.resource
    assert len(refused.offer.route.disjoint) == 1
    refused = tell(made, replace(WISH, name="u", route=Route(disjoint=("nobody",))))[0]
    assert (refused.code, refused.offer.route) == (Code.OTHER, Route())


def test_names_that_are_not_there() -> None:
    for route, what in (
        (Route(avoid=("Mars",)), "no node or link is called Mars"),
        (Route(trusted=("A~B",)), "A~B is a link; nodes are trusted"),
    ):
        refused = tell(decider(), replace(WISH, route=route))[0]
        assert (refused.code, refused.reason) == (Code.OTHER, what)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"route": Route(avoid=("A",))}, "route.avoid"),
        ({"route": Route(avoid=("B",), trusted=("B",))}, "route.avoid"),
        ({"route": Route(disjoint=("r",))}, "route.disjoint"),
        ({"route": Route(avoid=("B",) * 10_001)}, "route"),
        ({"confidence": 1.0}, "confidence"),
        ({"confidence": 0.0}, "confidence"),
        ({"confidence": float("nan")}, "confidence"),
        ({"jitter": -1}, "jitter"),
        ({"priority": 1.5}, "priority"),
        ({"key": "k" * 201}, "key"),
        ({"deadline": 0}, "deadline"),
        ({"deadline": -5}, "deadline"),
    ],
)
def test_contradictions_are_errors_for_who_can_see_them_and_refusals_from_the_controller(
    more: dict[str, Any], where: str
) -> None:
    wish = replace(WISH, **more)
    with pytest.raises(InputError) as error:
        Fabric(DIAMOND).submit(wish)
    assert error.value.where == where
    refused, outcome = tell(decider(), wish)
    assert isinstance(refused, Refused)
    assert refused.code is (Code.NOTIME if where == "deadline" else Code.OTHER)
    assert outcome.status is Status.REFUSED


@pytest.mark.parametrize(
    "more",
    [
        {"confidence": 0.999},
        {"jitter": 1},
    ],
)
def test_what_cannot_be_honoured_is_refused_with_an_offer_that_is_accepted(more: dict[str, Any]) -> None:
    made = decider()
    refused = tell(made, replace(WISH, **more))[0]
    assert isinstance(refused, Refused)
    assert refused.code is Code.UNSUPP
    assert isinstance(tell(made, replace(refused.offer, name="again"))[0], Accepted)


def test_a_tenant_is_harmless() -> None:
    assert isinstance(tell(decider(), replace(WISH, tenant="physics"))[0], Accepted)


def test_more_confidence_in_the_fidelity_needs_better_pairs() -> None:
    (usual,) = tell(decider(), DryRun(WISH))
    edge = usual.guaranteed.fidelity
    asked = replace(WISH, fidelity=round(edge - 1e-4, 4))
    (sure,) = tell(decider(), DryRun(replace(asked, confidence=0.99)))
    if isinstance(sure.answer, Accepted):
        assert sure.guaranteed.fidelity >= asked.fidelity
    else:
        assert sure.answer.offer.confidence == 0.95


def test_a_set_that_is_to_be_good_at_its_end_counts_the_wait() -> None:
    wish = replace(WISH, pairs=2, hold=True, promise=Promise.END)
    (judged,) = tell(decider(), DryRun(wish))
    plain = tell(decider(), DryRun(replace(WISH, pairs=2)))[0]
    if isinstance(judged.answer, Accepted):
        assert judged.guaranteed.fidelity > 0.8
    else:
        assert judged.answer.offer is not None
    assert isinstance(plain.answer, Accepted)


# ------------------------------------------------------------------------------------------------- bounds


def test_a_full_queue_refuses_without_memory() -> None:
    made = decider()
    made._northbound = Northbound(made, lambda *_: pytest.fail("not asked"), most_waiting=3)
    made._handlers.update(made._northbound.handlers())
    answers = [tell(made, replace(WISH, name=f"n{n}", pairs=1000))[0] for n in range(200)]
    accepted = [each for each in answers if isinstance(each, Accepted)]
    refused = answers[len(accepted) :]
    assert sum(each.queued for each in accepted) == 3
    assert {each.code for each in refused} == {Code.NORES}
    assert "3 requests wait already" in refused[0].reason
    assert len(made.sessions) == len(accepted)


def test_a_deadline_that_nobody_can_promise_to_a_request_that_waits_is_refused() -> None:
    made = decider()
    for name in "abc":
        tell(made, replace(WISH, name=name, pairs=100_000))
    refused = tell(made, replace(WISH, deadline=SECOND))[0]
    assert (refused.code, refused.offer.deadline) == (Code.NOTIME, None)
    assert tell(made, replace(refused.offer, name="again"))[0].queued


# ------------------------------------------------------------------------------------------- renegotiation


def test_terms_that_the_plan_keeps_are_taken_at_once() -> None:
    made = decider()
    (accepted,) = tell(made, WISH)
    (told,) = tell(made, Renegotiate("r", replace(WISH, pairs=9)))
    assert told == Renegotiated("r", accepted.plan, False)
    assert made.sessions["r"].request.pairs == 9


def test_another_plan_is_made_before_the_old_one_is_broken() -> None:
    fabric = Fabric(DIAMOND, seed=2)
    name = fabric.submit(replace(WISH, pairs=60))
    fabric.run(20 * SECOND, stop=lambda: len(fabric.replies(name)) > 5)
    (accepted, *_) = fabric.replies(name)
    assert isinstance(accepted, Accepted)
    wish = replace(WISH, pairs=60, route=Route(avoid=(accepted.plan.path[1],)))
    told = fabric.inquire(Renegotiate(name, wish))
    if isinstance(told, Kept):  # the ends have no slots beside the old plan
        assert told.refusal.code is Code.NORES
    fabric.run(60 * SECOND, stop=lambda: not fabric.open_requests)
    replies = fabric.replies(name)
    numbers = [each.number for each in replies if isinstance(each, Delivered)]
    assert numbers == list(range(1, 61))
    assert replies[-1] == Outcome(name, Status.COMPLETED, 60, "all pairs delivered")
    fabric.finish()
    nothing_left(fabric)


def test_wishes_that_cannot_be_met_leave_the_request_as_it_was() -> None:
    made = decider()
    (accepted,) = tell(made, WISH)
    for wish, code in (
        (replace(WISH, fidelity=0.9999), Code.UNSUPP),
        (replace(WISH, destination="C"), Code.OTHER),
        (replace(WISH, deadline=0), Code.NOTIME),
    ):
        (kept,) = tell(made, Renegotiate("r", wish))
        assert isinstance(kept, Kept)
        assert kept.refusal.code is code
    assert (made.sessions["r"].request, made.sessions["r"].plan) == (WISH, accepted.plan)
    (kept,) = tell(made, Renegotiate("nobody", WISH))
    assert kept.refusal.code is Code.OTHER


WIDE = inventory(
    dict.fromkeys("ABCD", node(8, t2=1.0)),
    [(*ends, link(0.05, 50 * US, fidelity=0.95, cycle=50 * US)) for ends in ("AB", "BD", "AC", "CD")],
    delay=10 * US,
    light=10 * US,
)


def moving(made: Controller) -> tuple[Accepted, list[Prepare]]:
    """A running request that is asked to go another way, and what the nodes are told."""
    accepted = client(made.handle(replace(WISH, pairs=1000), 0))[0]
    for name in accepted.plan.path:
        made.handle(Prepared(1, name), 10)
    wish = replace(WISH, pairs=1000, route=Route(avoid=(accepted.plan.path[1],)))
    out = made.handle(Renegotiate("r", wish), 20)
    return accepted, [
        each.message for each in out if isinstance(each, Send) and isinstance(each.message, Prepare)
    ]


def test_the_old_plan_goes_on_until_every_node_of_the_new_one_is_prepared() -> None:
    made = Controller(topology(WIDE))
    accepted, prepares = moving(made)
    assert len(prepares) == 3
    assert made.sessions["r"].plan == accepted.plan
    epoch = prepares[0].epoch
    for each in prepares[:2]:
        assert made.handle(Prepared(epoch, each.node), 30) == []
    out = made.handle(Prepared(epoch, prepares[2].node), 40)
    letters = [
        (type(each.message).__name__, each.message.epoch)
        for each in out
        if isinstance(each, Send) and each.to != "client"
    ]
    assert letters == [("Commit", epoch)] * 3 + [("Release", 1)] * 3
    (told,) = client(out)
    assert isinstance(told, Renegotiated)
    assert told.replaced
    assert made.sessions["r"].plan == told.plan != accepted.plan


@pytest.mark.parametrize("how", ["declined", "silent", "cancelled"])
def test_a_new_plan_that_comes_to_nothing_leaves_the_old_one(how: str) -> None:
    made = Controller(topology(WIDE))
    accepted, prepares = moving(made)
    epoch = prepares[0].epoch
    if how == "declined":
        (told,) = client(made.handle(Declined(epoch, "A", "no slot"), 30))
        assert told.refusal.code is Code.REJECTED
    elif how == "silent":
        (told,) = client(made.handle(Wake(SECOND, "prepared", epoch), SECOND))
        assert told.refusal.code is Code.TIMEOUT
    else:
        told = client(made.handle(Cancel("r"), 30))[0]
        assert isinstance(told, Outcome)
    assert made.current(epoch) is None
    assert (made.current(1) is None) == (how == "cancelled")
    for each in prepares:
        made.handle(Released(epoch, each.node), 50)
    assert not made.ledger.holds(epoch)
    assert made.sessions["r"].plan == accepted.plan
