"""Rate control: tenants are held to their rate, too long a queue is cut by value, and goodput does not collapse under overload."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from builders import inventory, link, node, nothing_left
from quantum_fabric.control.scheduling.limits import Queued, Shedding, staying
from quantum_fabric.control.scheduling.tenancy import Tenancy, Tenant
from quantum_fabric.control.scheduling.turns import Scheduling
from quantum_fabric.errors import QuantityError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Accepted,
    Ask,
    Code,
    DryRun,
    Judged,
    Kept,
    LinkRequest,
    Outcome,
    Refused,
    Renegotiate,
    Status,
    Supposed,
    WhatIf,
)
from quantum_fabric.units import MS, SECOND, US

PAIR = inventory(
    {"A": node(1), "B": node(1)}, [("A", "B", link(0.02, period=10 * US, fidelity=0.95))], delay=10 * US
)


def ask(name: str, pairs: int = 5, **more: Any) -> LinkRequest:
    return LinkRequest("A", "B", 0.9, pairs=pairs, name=name, **more)


def said(fabric: Fabric, request: LinkRequest) -> Accepted | Refused:
    found = fabric.inquire(DryRun(request))
    assert isinstance(found, Judged)
    return found.answer


def test_a_tenant_asks_no_faster_than_it_may_and_is_told_when_again() -> None:
    tenancy = Tenancy.of([Tenant("gold", asks=10.0, burst=2.0), Tenant("iron")])
    fabric = Fabric(PAIR, seed=1, scheduling=Scheduling(tenancy))
    for number in range(3):
        fabric.submit(ask(f"g{number}", pairs=1, tenant="gold"))
    fabric.submit(ask("i", pairs=1, tenant="iron"))
    fabric.run(until=MS)
    first = [fabric.replies(name)[0] for name in ("g0", "g1", "g2", "i")]
    assert [isinstance(each, Accepted) for each in first] == [True, True, False, True]
    refused = first[2]
    assert isinstance(refused, Refused)
    assert (refused.code, refused.resource) == (Code.NORES, "rate of tenant gold: requests")
    assert refused.available == SECOND // 10
    fabric.run(until=refused.available - 1)
    assert isinstance(said(fabric, ask("before", tenant="gold")), Refused)
    fabric.run(until=refused.available)
    for _ in range(3):  # asking costs nothing
        assert isinstance(said(fabric, ask("again", tenant="gold")), Accepted)
    fabric.submit(ask("g3", pairs=1, tenant="gold"))
    fabric.run(until=SECOND)
    assert isinstance(fabric.replies("g3")[0], Accepted)


def test_in_a_long_run_a_tenant_gets_its_rate() -> None:
    tenancy = Tenancy.of([Tenant("gold", asks=50.0, burst=3.0)])
    fabric = Fabric(PAIR, seed=1, scheduling=Scheduling(tenancy))
    draws = np.random.default_rng(20_261_122)
    for number, at in enumerate(np.sort(draws.uniform(0, 2 * SECOND, 1000))):
        fabric.submit(ask(f"g{number}", pairs=1, tenant="gold"), at=int(at))
    fabric.run(until=3 * SECOND)
    done = sum(isinstance(fabric.replies(f"g{number}")[0], Accepted) for number in range(1000))
    assert 97 <= done <= 103  # at most burst + rate times 2 s, and with ten times as many asking, hardly less


# ------------------------------------------------------------------------------------------------- shedding


def test_what_is_worth_least_for_its_slots_leaves_and_nobody_who_ran() -> None:
    policy = Scheduling(shedding=Shedding(most=1, within=10 * SECOND))
    fabric = Fabric(PAIR, seed=1, scheduling=policy)
    fabric.submit(ask("runs", pairs=100, preemptible=True))
    fabric.run(until=MS)
    fabric.submit(ask("dear", pairs=2000))
    fabric.run(until=2 * MS)
    assert isinstance(said(fabric, ask("dearer", pairs=20_000)), Refused)
    fabric.submit(ask("urgent", pairs=10, priority=1))  # puts off the one that runs
    fabric.run(until=60 * SECOND)
    ends = {name: fabric.replies(name)[-1] for name in ("runs", "dear", "urgent")}
    status = {name: end.status for name, end in ends.items() if isinstance(end, Outcome)}
    assert status["runs"] is Status.COMPLETED
    assert status["urgent"] is Status.COMPLETED
    nothing_left(fabric)


def test_a_newcomer_that_is_worth_more_takes_the_place_of_another() -> None:
    wide = inventory(
        {"A": node(2), "B": node(1), "C": node(1)}, [("A", "B", link(0.02)), ("A", "C", link(0.0002))]
    )
    policy = Scheduling(shedding=Shedding(most=1, within=100 * SECOND))
    fabric = Fabric(wide, seed=1, scheduling=policy)
    for name, end, pairs in (("b", "B", 10_000), ("c", "C", 1000), ("slow", "C", 100), ("swift", "B", 100)):
        fabric.submit(LinkRequest("A", end, 0.9, pairs=pairs, name=name))
        fabric.run(until=fabric.now + US)
    lost = fabric.replies("slow")[-1]
    assert isinstance(lost, Outcome)
    assert (lost.status, lost.code) == (Status.FAILED, Code.NORES)
    assert isinstance(fabric.replies("swift")[0], Accepted)
    refused = said(fabric, LinkRequest("A", "C", 0.9, pairs=100, name="slower"))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.resource) == (Code.NORES, "places in the queue")


@pytest.mark.parametrize("seed", range(20))
def test_those_who_stay_fit_and_a_higher_priority_goes_before(seed: int) -> None:
    draws = np.random.default_rng([20_261_122, seed])
    jobs = [
        Queued(
            str(number), int(draws.integers(0, 3)), float(draws.uniform(1, 9)),
            {str(name): int(draws.integers(1, 3)) for name in draws.choice(list("ABCD"), 2, replace=False)},
            int(draws.integers(1, SECOND)),
        )
        for number in range(30)
    ]  # fmt: skip
    policy = Shedding(most=10, within=2 * SECOND)
    slots = dict.fromkeys("ABCD", 2)
    stay = staying(jobs, policy, slots)
    kept = [job for job in jobs if job.name in stay]
    assert 0 < len(kept) <= 10
    for name in "ABCD":
        assert sum(job.slots.get(name, 0) * job.length for job in kept) <= 2 * policy.within * (1 + 1e-9)
    above = [job for job in jobs if job.priority > 0]
    urgent = {job.name for job in jobs if job.priority == 2}
    assert len(above) > policy.most
    assert stay & urgent == staying(above, policy, slots) & urgent  # whoever is below makes no difference
    assert staying(jobs, replace(policy, by="arrival"), slots) == {str(number) for number in range(10)}


def test_a_policy_that_makes_no_sense() -> None:
    for change in ({"most": -1}, {"within": 0}, {"by": "lot"}):
        with pytest.raises(QuantityError, match="shedding"):
            Shedding(**{"most": 1, **change})  # type: ignore[arg-type]
    for limits in ({"asks": 0.0}, {"burst": 0.5}):
        with pytest.raises(QuantityError, match="tenant 'gold'"):
            Tenant("gold", **limits)


def goodput(load: float, policy: Scheduling) -> float:
    """Completed requests per second of callers who wait 40 ms and go away; one takes about 5.1 ms."""
    fabric = Fabric(PAIR, seed=5, scheduling=policy)
    draws = np.random.default_rng([20_261_122, round(10 * load)])
    at, number = 0.0, 0
    while True:
        at += draws.exponential(5.1 * MS / load)
        if at > SECOND // 3:
            break
        fabric.run(until=int(at))
        fabric.submit(ask(f"r{number}", pairs=10))
        fabric.clock.schedule(int(at) + 40 * MS, 0, lambda name: fabric.cancel(str(name)), f"r{number}")
        number += 1
    fabric.run(until=SECOND // 3 + 50 * MS)
    ends = [fabric.replies(f"r{each}")[-1] for each in range(number)]
    return sum(isinstance(end, Outcome) and end.status is Status.COMPLETED for end in ends)


def test_goodput_does_not_collapse_as_more_is_asked_for() -> None:
    plain = {load: goodput(load, Scheduling(discipline="first come")) for load in (0.8, 8.0)}
    shed = {
        load: goodput(load, Scheduling(discipline="first come", shedding=Shedding(most=4, within=30 * MS)))
        for load in (0.8, 2.0, 8.0)
    }
    assert plain[8.0] < 0.6 * plain[0.8]
    assert min(shed.values()) > 0.9 * plain[0.8]
    door = Scheduling(Tenancy.of([Tenant("", asks=150.0, burst=3.0)]), discipline="first come")
    assert goodput(8.0, door) > 0.8 * plain[0.8]


# ------------------------------------------------------------------------------------- what is said beforehand


def test_who_has_to_wait_in_line_is_told_so() -> None:
    two = inventory(
        {"A": node(3), "B": node(1), "C": node(2)},
        [("A", "B", link(0.02)), ("A", "C", link(0.02))],
        delay=10 * US,
    )
    fabric = Fabric(two, seed=1, scheduling=Scheduling(discipline="in line"))
    fabric.submit(ask("first", pairs=1000))
    fabric.submit(ask("second", pairs=1))
    fabric.submit(LinkRequest("A", "C", 0.9, name="third"))
    fabric.run(until=MS)
    answers = [fabric.replies(name)[0] for name in ("first", "second", "third")]
    assert [each.queued for each in answers if isinstance(each, Accepted)] == [False, True, True]
    fabric.submit(Ask(LinkRequest("A", "C", 0.9, name="offer")))
    fabric.run(until=2 * MS)
    refused = fabric.replies("offer")[0]
    assert isinstance(refused, Refused)
    assert (refused.code, refused.resource) == (Code.NORES, "the queue")


def test_quotas_hold_for_changes_and_for_what_is_only_supposed() -> None:
    tenancy = Tenancy.of([Tenant("gold", rate=300.0, requests=2), Tenant("iron")])
    fabric = Fabric(PAIR, seed=1, scheduling=Scheduling(tenancy))
    fabric.submit(ask("g", pairs=5000, rate=200.0, tenant="gold"))
    fabric.run(until=MS)
    wish = ask("g", pairs=5000, rate=400.0, tenant="gold")
    kept = fabric.inquire(Renegotiate("g", wish))
    assert isinstance(kept, Kept)
    assert kept.refusal.resource == "quota of tenant gold: pairs per second"
    assert not isinstance(fabric.inquire(Renegotiate("g", replace(wish, rate=290.0))), Kept)
    asked = [ask(f"w{n}", rate=5.0, tenant=who) for n, who in enumerate(("gold", "gold", "iron", "tin"))]
    supposed = fabric.inquire(WhatIf("what", tuple(asked)))
    assert isinstance(supposed, Supposed)
    told = [getattr(each, "resource", "") for each in supposed.answers]
    assert told == ["", "quota of tenant gold: open requests", "", "tenant 'tin'"]


def test_a_tenant_is_put_off_no_longer_than_its_budget() -> None:
    tenancy = Tenancy.of([Tenant("low", put_off_for=15 * MS, window=10 * SECOND), Tenant("high")])
    fabric = Fabric(PAIR, seed=1, scheduling=Scheduling(tenancy))
    fabric.submit(ask("long", pairs=2000, tenant="low", preemptible=True))
    waits = []
    for number in range(6):
        fabric.run(until=(number + 1) * 100 * MS)
        fabric.submit(ask(f"h{number}", pairs=10, priority=1, tenant="high"))
        fabric.run(until=fabric.now + 50 * MS)
        ends = fabric.replies(f"h{number}")
        waits.append(isinstance(ends[-1], Outcome))
    assert waits[:2] == [True, True]  # about 5 ms each
    assert waits[-1] is False
    assert sum(waits) <= 3
