"""What a head remembers of requests over several domains, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from builders import chain, link, node
from quantum_fabric.control.distributed import journey
from quantum_fabric.federation import Domain, Federation
from quantum_fabric.messages import LinkRequest, Outcome, Stale, Status
from quantum_fabric.units import MS, US

TWO = {"west": Domain(("A", "B")), "east": Domain(("C", "D"))}


def federation() -> Federation:
    made = Federation(
        chain(4, link(0.2, 10 * US, 0.99), node(slots=8, t2=1.0), hop_delay=10 * US), TWO, seed=5
    )
    made.run(10 * MS)
    return made


def ask(made: Federation, name: str, **more: Any) -> Outcome:
    made.submit(LinkRequest("A", "D", 0.8, name=name, **more))
    made.run(made.now + 50 * MS, stop=lambda: not made.open_requests)
    last = made.replies(name)[-1]
    assert isinstance(last, Outcome)
    return last


def test_what_is_kept_of_requests_does_not_grow_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journey, "REMEMBERED", 20 * MS)
    made, most = federation(), 0
    head = made.deciders["west"].head
    for number in range(60):
        assert ask(made, f"r{number}", pairs=2).status is Status.COMPLETED
        made.run(made.now + 5 * MS)
        most = max(most, len(head.journeys))
        assert len(head._attempts) <= len(head.journeys)
    assert 1 < most < 10  # as many as there are in 20 ms
    made.run(made.now + 30 * MS)
    assert ask(made, "last").status is Status.COMPLETED
    assert set(head.journeys) == {"last"}
    assert len(head._attempts) <= 1
    made.finish()
    assert not made.controller.ledger.leases()


def test_a_request_that_comes_again_is_known_while_it_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journey, "REMEMBERED", 20 * MS)
    made = federation()
    head, wish = made.deciders["west"].head, LinkRequest("A", "D", 0.8, name="r", deadline=10**15)
    assert ask(made, "r").status is Status.COMPLETED
    (stale,) = head.requested(wish, made.now)
    assert isinstance(stale, Stale)
    later = head.requested(wish, made.now + 21 * MS)
    assert not any(isinstance(each, Stale) for each in later)


def test_timers_of_requests_that_are_forgotten_find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journey, "REMEMBERED", MS)
    made = federation()
    assert ask(made, "short", deadline=made.now + 400 * MS).status is Status.COMPLETED
    made.run(made.now + 5 * MS)
    assert ask(made, "next").status is Status.COMPLETED
    assert "short" not in made.deciders["west"].head.journeys
    made.run(made.now + 500 * MS)  # its deadline comes
    assert sum(isinstance(each, Outcome) for each in made.replies("short")) == 1
