"""Virtual circuits: plans there and back, requests, and TRACK records that agree with what both ends of a run were told."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import chain, link, node, plan
from quantum_fabric.documents import inventory, load_network, topology
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Bell, Delivered, LinkRequest, Order, Plan, Service
from quantum_fabric.network import plan as planned_for
from quantum_fabric.standards.qnp import (
    Entry,
    Kind,
    Request,
    circuit_of,
    entry_of,
    link_request,
    plain,
    plan_of,
    request_of,
)
from quantum_fabric.standards.qnp_tracks import Complete, Expire, Forward, Track, Tracks
from quantum_fabric.units import MS, SECOND, US


def test_entries_say_what_the_plan_says() -> None:
    network = chain(4, link(0.1, 10 * US, 0.95), node(slots=8))
    made = plan(network, "ABCD", lanes=[1, 2, 3], cutoff=7 * MS)
    head, b, c, tail = circuit_of(made, 9)
    assert [entry.node for entry in (head, b, c, tail)] == list("ABCD")
    assert (head.upstream, head.downstream, head.upstream_label, head.downstream_label) == (
        None,
        "B",
        None,
        "A~B",
    )
    assert (c.upstream, c.downstream, c.upstream_label, c.downstream_label) == ("B", "D", "B~C", "C~D")
    assert (tail.downstream, tail.downstream_fidelity, tail.downstream_rate) == (None, 0.0, 0.0)
    assert [entry.cutoff for entry in (head, b, c, tail)] == [None, 7 * MS, 7 * MS, None]
    for lanes, entry in zip((1, 2, 3), (head, b, c), strict=True):
        assert entry.downstream_fidelity == pytest.approx(0.95)
        assert entry.downstream_rate == pytest.approx(lanes * 0.1 / 10e-6)
        assert entry.circuit_rate == made.forecast.rate


def test_a_circuit_comes_back_as_the_plan_that_it_was() -> None:
    network = chain(4, link(0.1, 10 * US, 0.95), node(slots=8))
    made = plan(network, "ABCD", lanes=[1, 2, 3], cutoff=7 * MS)
    shapes = json.loads(json.dumps([plain(entry) for entry in circuit_of(made, 9)]))
    again = plan_of([entry_of(shape) for shape in shapes], topology(network))
    assert (again.path, again.links, again.joins, again.order, again.cutoff) == (
        made.path, made.links, made.joins, made.order, made.cutoff,
    )  # fmt: skip
    assert again.forecast.rate > 0.0
    assert 0.8 < again.forecast.fidelity < 0.95


def test_links_with_a_knob_are_set_by_the_fidelity_that_is_asked_of_them() -> None:
    net = topology(inventory(load_network("lab")))
    view = next(view for view in net.links.values() if view.model.knob is not None)
    low, high = (
        plan_of(
            [
                Entry(1, view.a, None, view.b, None, view.name, asked, 1e9, 1.0, None),
                Entry(1, view.b, view.a, None, view.name, None, 0.0, 0.0, 1.0, None),
            ],
            net,
            lanes=1,
        ).links[0]
        for asked in (0.6, 0.8)
    )
    assert low.fidelity >= 0.6
    assert high.fidelity >= 0.8
    assert low.success > high.success, "a better pair takes longer"


def test_a_plan_of_the_planner_goes_through_a_circuit() -> None:
    net = topology(inventory(load_network("chicago")))
    made = planned_for(net, LinkRequest("NU", "UChicago_PME", 0.7))
    assert isinstance(made, Plan)
    entries = circuit_of(made, 3)
    again = plan_of(entries, net)
    assert again.path == made.path
    for one, other in zip(again.links, made.links, strict=True):
        assert one.fidelity >= other.fidelity - 1e-9


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"order": Order.NESTED}, "nested"), ({"end_rounds": 1}, "between the ends"), ({"rounds": 1}, "on a link"),
        ({"order": Order.NESTED, "inner": 1}, "nested"),
    ],
)  # fmt: skip
def test_what_no_circuit_says_is_refused(more: dict[str, Any], word: str) -> None:
    network = chain(4, link(), node(slots=8))
    with pytest.raises(InputError, match=word):
        circuit_of(plan(network, "ABCD", lanes=4, **more), 1)


def test_circuits_that_are_none() -> None:
    network = chain(4, link(0.1, 10 * US, 0.95), node(slots=8))
    net = topology(network)
    good = list(circuit_of(plan(network, "ABCD"), 1))
    for wrong in (good[:1], [good[0], good[2], good[3]], [*good, good[0]], good[::-1], []):
        with pytest.raises(InputError):
            plan_of(wrong, net)
    shape = plain(good[1])
    for change in (
        {"circuit_id": 2**16}, {"node": ""}, {"upstream": None}, {"downstream_fidelity": 1.1}, {"downstream_rate": -1},
        {"cutoff": 0.5}, {"cutoff": -1}, {"colour": 1}, {"circuit_rate": float("nan")}, {"node": "x" * 300}, {"downstream_label": 3},
    ):  # fmt: skip
        with pytest.raises(InputError):
            entry_of(shape | change)
    with pytest.raises(InputError, match=r"at most 0\.95"):
        plan_of([entry_of(plain(good[0]) | {"downstream_fidelity": 0.99}), *good[1:]], net)
    with pytest.raises(UnknownNameError):
        plan_of(
            [
                entry_of(plain(good[0]) | {"downstream_label": "X"}),
                entry_of(plain(good[1]) | {"upstream_label": "X"}),
                *good[2:],
            ],
            net,
        )
    with pytest.raises(InputError, match="cutoffs"):
        plan_of([good[0], entry_of(shape | {"cutoff": 5}), *good[2:]], net)


requests = st.builds(
    Request, st.integers(0, 2**16 - 1), st.sampled_from(Kind), st.integers(1, 10**6), st.none() | st.sampled_from(Bell),
    st.none() | st.integers(0, 10**18), st.floats(0.0, 1e9),
)  # fmt: skip


@given(requests)
def test_requests_read_back(request: Request) -> None:
    assert request_of(json.loads(json.dumps(plain(request)))) == request


def test_requests_become_ours() -> None:
    entries = circuit_of(plan(chain(3, link(), node(slots=4)), "ABC"), 4)
    ours = link_request(Request(7, Kind.MEASURE, 3, Bell.PSI_PLUS, SECOND, 2.0), entries, 0.9)
    assert (ours.source, ours.destination, ours.pairs, ours.rate, ours.deadline) == ("A", "C", 3, 2.0, SECOND)
    assert (ours.service, ours.hold, ours.bell, ours.name) == (
        Service.MEASURE,
        False,
        Bell.PSI_PLUS,
        "qnp/4/7",
    )
    assert link_request(Request(7, Kind.KEEP, 3), entries, 0.9).hold
    with pytest.raises(InputError, match="EARLY"):
        link_request(Request(7, Kind.EARLY, 3), entries, 0.9)
    for shape in ({}, {"kind": "LATE"}, None):
        with pytest.raises(InputError):
            request_of(plain(Request(1, Kind.KEEP, 1)) | shape if shape else shape)


@pytest.mark.parametrize("seed", range(12))
def test_tracks_agree_with_what_both_ends_were_told(seed: int, planned: Any) -> None:
    """A second computation of every frame: links and swaps, summed up along the way, give the announced state."""
    dice = random.Random(seed)
    count = dice.choice((2, 3, 4, 6))
    links = [link(dice.uniform(0.1, 0.6), 20 * US) for _ in range(count - 1)]
    network = chain(
        count, links, node(slots=6, swap_success=dice.choice((1.0, 0.7))), dice.choice((0, 90 * US))
    )
    made = plan(network, list(network.nodes), lanes=dice.randint(1, 3), cutoff=dice.choice((None, MS)))
    planned(made)
    fabric, tracks, told = Fabric(network, seed=seed), Tracks(), {}
    fabric.watch(tracks)
    fabric.watch(lambda _t, _p, pair: told.update({pair.number: pair}), Delivered)
    fabric.submit(LinkRequest("A", made.path[-1], 0.500001, pairs=25, name="x"))
    fabric.run(2 * SECOND)
    fabric.finish()
    found = {record.epoch: record for record in tracks.records if isinstance(record, Track)}
    assert tracks.untracked == 0
    assert found.keys() == told.keys()
    assert len(found) == 25
    for number, track in found.items():
        pair = told[number]
        assert (track.state, track.origin, track.link, track.at) == (pair.bell, *pair.pair, pair.delivered_at)
        assert [node for node, *_ in track.swaps] == list(made.path[1:-1])
    if count > 2:
        assert len({track.state for track in found.values()}) == 4, (
            "all frames occur (false alarm below 4 (3/4)^25 = 0.3 %; seeds are fixed)"
        )
    kinds = [type(record) for record in tracks.records]
    assert (kinds[0], kinds.count(Complete)) == (Forward, 1)
    if count > 2 and network.nodes["A"].gates.swap_success < 1.0:
        assert Expire in kinds


def test_purified_pairs_are_not_tracked_and_counted(planned: Any) -> None:
    network = chain(2, link(0.5, 20 * US, 0.9), node(slots=4))
    planned(plan(network, "AB", lanes=4, rounds=1))
    fabric, tracks = Fabric(network, seed=1), Tracks()
    fabric.watch(tracks)
    fabric.submit(LinkRequest("A", "B", 0.500001, pairs=5))
    fabric.run(SECOND)
    assert tracks.untracked == 5
    assert not any(isinstance(record, Track) for record in tracks.records)
