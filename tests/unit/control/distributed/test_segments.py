"""A domain as a node: offers are leases, letters that come twice change nothing, nothing of the inside is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import chain, link, node
from quantum_fabric.control.distributed.domain import DomainController
from quantum_fabric.control.distributed.segments import LASTS
from quantum_fabric.control.distributed.territory import LANES, Territory, segment_name
from quantum_fabric.documents import topology
from quantum_fabric.errors import InputError
from quantum_fabric.federation import Domain, split
from quantum_fabric.messages import (
    Code,
    Commit,
    Declined,
    Duty,
    LinkReport,
    LinkState,
    Prepare,
    Prepared,
    Release,
    Released,
    Renew,
    SegmentAccept,
    SegmentAsk,
    SegmentDown,
    SegmentOffered,
    SegmentRefused,
    Send,
    Stale,
    SwapRule,
    Wake,
)
from quantum_fabric.units import SECOND, US

ASK = SegmentAsk(5, "west", "mid", "C", "E", 0.8, 0.0, (("B~C", "C"), ("E~F", "E")))
ACCEPT = SegmentAccept(5, "mid", "r", (Duty("C", (SwapRule(("B",), ("E",)),)),), 10**9, 10 * SECOND)


def territory() -> Territory:
    """C, D, E of a chain of seven."""
    whole = topology(chain(7, link(0.05, 10 * US, 0.99), node(slots=6), hop_delay=20 * US))
    domains = {
        "west": Domain(("A", "B")),
        "mid": Domain(("C", "D", "E"), public=()),
        "east": Domain(("F", "G")),
    }
    seats = {name: seat for seat, domain in domains.items() for name in domain.nodes}
    return split(whole, domains, seats)["mid"]


@pytest.fixture
def domain() -> DomainController:
    return DomainController(territory(), 2)


def letters(actions: Any, kind: type) -> list[Any]:
    return [each.message for each in actions if isinstance(each, Send) and isinstance(each.message, kind)]


def prepared(domain: DomainController) -> list[Any]:
    """Offered, accepted, and all nodes ready; returns what was said last."""
    domain.handle(ASK, 0)
    asked = letters(domain.handle(ACCEPT, 1), Prepare)
    assert {each.node for each in asked} == {"C", "D", "E"}
    out: list[Any] = []
    for each in asked:
        assert out == []
        out = list(domain.handle(Prepared(5, each.node), 2))
    return out


def test_an_offer_is_a_lease_that_runs_out(domain: DomainController) -> None:
    before = domain.ledger.free()
    (offer,) = letters(domain.handle(ASK, 0), SegmentOffered)
    assert offer.point is not None
    assert offer.expires == LASTS
    assert domain.ledger.free() != before
    assert letters(domain.handle(ASK, 1), SegmentOffered) == [offer], "asked twice, offered once"
    assert domain.handle(Wake(LASTS - 1, "segment", 5), LASTS - 1) == []
    assert letters(domain.handle(Wake(LASTS, "segment", 5), LASTS), Released) == [Released(5, "mid")]
    assert domain.ledger.free() == before
    assert domain.handle(ASK, LASTS + 1) == [Stale("mid", "SegmentAsk", 5)], "its epoch is over"
    assert domain.handle(ACCEPT, LASTS + 1) == [Stale("mid", "SegmentAccept", 5)]
    assert domain.ledger.free() == before


def test_a_release_that_overtakes_its_ask(domain: DomainController) -> None:
    assert domain.handle(Release(5), 0) == []
    assert domain.handle(ASK, 1) == [Stale("mid", "SegmentAsk", 5)]
    assert domain.ledger.leases() == []


def test_it_answers_as_one_node(domain: DomainController) -> None:
    assert prepared(domain) == [Send("west", Prepared(5, "mid"))]
    assert letters(domain.handle(ACCEPT, 3), Prepare) == []
    assert letters(domain.handle(ACCEPT, 3), Prepared) == [Prepared(5, "mid")]
    assert {each.to for each in domain.handle(Commit(5), 4)} == {"C", "D", "E"}
    domain.handle(Renew(5, 20 * SECOND), 5)
    assert {lease.until for lease in domain.ledger.leases()} == {20 * SECOND}
    assert {each.to for each in domain.handle(Release(5), 6)} == {"C", "D", "E"}
    said: list[Any] = []
    for name in "CDE":
        assert letters(said, Released) == []
        said = list(domain.handle(Released(5, name), 7))
    assert letters(said, Released) == [Released(5, "mid")]
    assert domain.ledger.leases() == []
    assert domain.segments.open == {}


def test_the_rules_of_ports_are_those_inside_and_those_of_the_head(domain: DomainController) -> None:
    domain.handle(ASK, 0)
    rules = {each.node: each.rules for each in letters(domain.handle(ACCEPT, 1), Prepare)}
    assert SwapRule(("B",), ("E",)) in rules["C"]
    for those in rules.values():
        slots = [slot for rule in those for slot in getattr(rule, "slots", ())]
        assert len(slots) == len(set(slots))
        assert not any(type(rule).__name__ == "DeliverRule" for rule in those)


def test_a_node_that_declines_speaks_for_the_domain(domain: DomainController) -> None:
    domain.handle(ASK, 0)
    domain.handle(ACCEPT, 1)
    (said,) = letters(domain.handle(Declined(5, "D", "slots [3] are leased already"), 2), Declined)
    assert said.node == "mid"
    assert "D" not in said.reason
    assert "3" not in said.reason


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (replace(ASK, fidelity=0.9999), Code.UNSUPP),
        (replace(ASK, entry="D"), Code.NOROUTE),  # no port
        (replace(ASK, entry="X"), Code.NOROUTE),
        (replace(ASK, crossings=(("C~D", "C"),)), Code.NOROUTE),  # no link of others
        (replace(ASK, rate=1e9), Code.NOTIME),
    ],
)
def test_refusals_say_a_code_and_nothing_of_the_inside(
    domain: DomainController, ask: SegmentAsk, code: Code
) -> None:
    (refused,) = letters(domain.handle(ask, 0), SegmentRefused)
    assert refused.code is code
    assert refused.reason in ("mid: busy", "mid: not possible")
    assert domain.ledger.leases() == []


def test_several_have_segments_at_once_until_it_is_busy(domain: DomainController) -> None:
    answers = []
    for epoch in range(10, 16):
        out = domain.handle(replace(ASK, epoch=epoch), 0)
        answers.append(type(next(each.message for each in out if isinstance(each, Send))))
    given = answers.count(SegmentOffered)
    assert given == 6 // (LANES + 1)
    assert answers == [SegmentOffered] * given + [SegmentRefused] * (6 - given)


def test_a_dark_link_is_told_to_the_head_once_and_to_the_neighbours(domain: DomainController) -> None:
    prepared(domain)
    out = domain.handle(LinkReport("C", "C~D", False, 1, 1), 5)
    assert letters(out, SegmentDown) == [SegmentDown(5, "mid", "a part of it failed")]
    told = letters(out, LinkState)
    assert told
    assert segment_name("mid", "C", "E") not in {each.name for each in told[0].links}
    crossing = domain.handle(LinkReport("C", "B~C", False, 2, 1), 6)
    assert letters(crossing, SegmentDown) == []
    assert not next(each for each in letters(crossing, LinkState)[0].links if each.name == "B~C").curve
    back = letters(domain.handle(LinkReport("C", "C~D", True, 3, 1), 7), LinkState)
    assert segment_name("mid", "C", "E") in {each.name for each in back[0].links}


def test_crossings_have_one_end_in_the_domain() -> None:
    whole = territory()
    inner = next(iter(whole.topology.links.values()))
    with pytest.raises(InputError, match="one end in mid"):
        replace(whole, crossings={inner.name: inner})
