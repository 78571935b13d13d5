"""Complete pairs in the table: gathered, fused, turned, tested, and what of them is told when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import chain, inventory, link, node
from quantum_fabric.control.entangled import Pair, PairState
from quantum_fabric.control.entangled.shared import shared
from quantum_fabric.control.entangled.table import EntanglementTable
from quantum_fabric.control.verification import Verification
from quantum_fabric.errors import ProtocolError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Bell,
    Consume,
    Delivered,
    Fuse,
    LinkRequest,
    Measure,
    NodeFailed,
    PairId,
    Renegotiate,
    Service,
    SharedTruth,
    SlotsBroken,
    Turn,
)
from quantum_fabric.units import MS, SECOND, US

STAR = inventory(
    {
        name: node(slots=24 if name == "A" else 4, t2=0.5, swap_time=5 * US, measure_time=2 * US)
        for name in "ABCD"
    },
    [("A", other, link(0.05, 10 * US, 0.95)) for other in "BCD"],
    delay=20 * US,
)


def watched(fabric: Fabric) -> EntanglementTable:
    table = EntanglementTable()
    fabric.watch(table, *table.SEES)
    return table


def held(fabric: Fabric, *others: str) -> list[Delivered]:
    names = [fabric.submit(LinkRequest("A", other, 0.7, hold=True)) for other in others]
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    return [each for name in names for each in fabric.replies(name) if isinstance(each, Delivered)]


def fuse(fabric: Fabric, pairs: list[Delivered]) -> None:
    slots = [each.slots[0] for each in pairs if each.slots]
    fabric.perform(Fuse("A", slots[0], tuple(slots[1:]), tuple(each.pair.left for each in pairs)))


def test_the_life_of_a_state_of_four_nodes() -> None:
    fabric = Fabric(STAR, seed=1, states="exact")
    table, truths = watched(fabric), list[SharedTruth]()
    fabric.watch(lambda time, place, message: truths.append(message), SharedTruth)
    pairs = held(fabric, "B", "C", "D")
    assert shared(table.view) == []
    seen: list[PairState] = []
    table._listener = lambda change: seen.append(change.pair.state) if change.pair else None
    fuse(fabric, pairs)
    assert [each for each in seen if each is not PairState.ATTEMPTING][:4] == [PairState.USING] * 3 + [
        PairState.FUSED
    ]
    rows = [table.view.pairs[each.pair] for each in pairs]
    names = tuple(each.pair for each in pairs)
    assert {(row.state, row.together, row.usable) for row in rows} == {(PairState.FUSED, names, False)}
    (found,) = shared(table.view, fabric.now)
    assert (found.nodes, found.pairs, found.waiting) == (("A", "B", "C", "D"), names, ("B", "C", "D"))
    assert found.least == pytest.approx(1 - sum(1 - row.estimate(fabric.now).fidelity for row in rows))
    at_first = [row.estimate(fabric.now).fidelity for row in rows]
    later = fabric.now + 5 * MS
    for row, before in zip(
        rows, at_first, strict=True
    ):  # one half is in memory: it fades half as fast as two
        one, two = row.ends
        assert (one.there, two.there, one.rates) == (False, True, (0.0, 0.0, 0.0))
        assert row.estimate(later).fidelity < before
    for each in pairs:
        assert each.slots is not None
        fabric.perform(Consume(each.ends[1], each.slots[1], each.bell, each.pair.right))
    assert {table.view.pairs[name].state for name in names} == {PairState.CONSUMED}
    assert shared(table.view) == []
    assert truths[0].fidelity >= found.least - 0.05  # gates here are perfect; the estimates are beliefs


def test_a_state_of_which_a_part_is_lost_is_no_state() -> None:
    fabric = Fabric(STAR, seed=2)
    table = watched(fabric)
    pairs = held(fabric, "B", "C", "D")
    fuse(fabric, pairs)
    fabric.inject(NodeFailed("C"))
    fabric.run(fabric.now + US)
    for each in pairs:
        row = table.view.pairs[each.pair]
        assert row.state is PairState.LOST
        assert "C failed" in row.why


def test_a_fusion_of_which_a_half_is_let_go_comes_to_nothing() -> None:
    """The others wait as before."""
    slow = {name: node(slots=24 if name == "A" else 4, t2=0.5, swap_time=5 * MS) for name in STAR.nodes}
    network = replace(STAR, nodes=slow)
    fabric = Fabric(network, seed=3)
    table = watched(fabric)
    pairs = held(fabric, "B", "C")
    fabric.cancel(pairs[1].request)
    fuse(fabric, pairs)
    one, two = (table.view.pairs[each.pair] for each in pairs)
    assert (one.state, two.state) == (PairState.HELD, PairState.LOST)
    assert one.usable


@pytest.mark.parametrize("wrong", ["busy", "one slot twice", "another half", "two pairs of one node"])
def test_commands_that_make_no_sense_change_nothing(wrong: str) -> None:
    fabric = Fabric(STAR, seed=4)
    table = watched(fabric)
    pairs = held(fabric, "B", "C", "B")
    a, b, c = (each.slots[0] for each in pairs if each.slots)
    left = [each.pair.left for each in pairs]
    command = {
        "busy": Measure("A", a, "Z", left[1]),
        "one slot twice": Fuse("A", a, (a,)),
        "another half": Fuse("A", a, (b,), (left[0], left[2])),
        "two pairs of one node": Fuse("A", a, (c,), (left[0], left[2])),
    }[wrong]
    before = table.snapshot()
    with pytest.raises(ProtocolError):
        fabric.perform(command)
    assert table.view.pairs == before.pairs


def test_a_pair_that_is_turned_is_announced_as_what_it_is() -> None:
    fabric = Fabric(STAR, seed=5)
    table = watched(fabric)
    (pair,) = held(fabric, "B")
    assert pair.slots is not None
    fabric.perform(Turn("B", pair.slots[1], Bell.PSI_PLUS, pair.pair.right))
    assert table.view.pairs[pair.pair].bell is Bell(pair.bell ^ Bell.PSI_PLUS)


def test_packets_are_gathered_and_say_with_whom_they_came() -> None:
    fabric = Fabric(chain(2, link(0.02, 10 * US, 0.95), node(slots=8, t2=0.5), hop_delay=20 * US), seed=6)
    table = watched(fabric)
    seen: list[Pair] = []
    table._listener = lambda change: seen.append(change.pair) if change.pair else None
    name = fabric.submit(LinkRequest("A", "B", 0.7, pairs=3, hold=True, window=40 * MS))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    told = [each for each in fabric.replies(name) if isinstance(each, Delivered)]
    gathered = [row for row in seen if row.state is PairState.GATHERED]
    assert gathered
    for row in gathered:
        assert not row.usable
        assert row.until == min(end.born for end in row.ends) + 40 * MS
        expires = row.expires()
        assert expires is not None
        assert expires <= row.until
    for each in told:
        row = table.view.pairs[each.pair]
        assert (row.state, row.together, row.until) == (PairState.HELD, tuple(p.pair for p in told), None)
        assert row.announced == (each.fidelity, each.low, each.high)


def test_pairs_that_were_tested_say_so_and_are_nobodys() -> None:
    fabric = Fabric(STAR, seed=7, verification=Verification(share=0.3))
    table = watched(fabric)
    fabric.submit(LinkRequest("A", "B", 0.7, pairs=40, service=Service.MEASURE))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    tested = table.view.select(states=[PairState.TESTED])
    assert len(tested) > 2
    assert all(row.number == 0 and row.why.startswith("tested in ") for row in tested)
    assert len(table.view.select(states=[PairState.DELIVERED])) == 40


def test_a_slot_that_breaks_takes_its_pair_with_it() -> None:
    fabric = Fabric(STAR, seed=8)
    table = watched(fabric)
    (pair,) = held(fabric, "B")
    assert pair.slots is not None
    table(fabric.now, "A", SlotsBroken("A", (pair.slots[0], 11)))
    row = table.view.pairs[pair.pair]
    assert (row.state, row.why) == (PairState.LOST, f"memory slot {pair.slots[0]} of A broke")


def test_new_terms_count_from_when_they_are_granted() -> None:
    fabric = Fabric(chain(2, link(0.005, 10 * US, 0.95), node(slots=8, t2=0.5), hop_delay=20 * US), seed=9)
    table = watched(fabric)
    name = fabric.submit(LinkRequest("A", "B", 0.7, pairs=50, hold=True))
    fabric.run(5 * MS)
    assert {row.floor for row in table.view.select(request=name)} <= {0.7}
    fabric.inquire(Renegotiate(name, LinkRequest("A", "B", 0.8, pairs=50, hold=True)))
    fabric.run(fabric.now + 40 * MS)
    assert 0.8 in {row.floor for row in table.view.select(request=name)}


def test_word_of_pairs_that_nobody_knows_changes_nothing() -> None:
    table = EntanglementTable()
    table(0, "client", Delivered("r", 1, PairId("a", "b"), ("A", "B"), Bell.PHI_PLUS, 0.9, 0.8, 1.0, 0, 0, 1))
    table(0, "A", SlotsBroken("A", (0,)))
    table(0, "A", Turn("A", 0, Bell.PSI_PLUS))
    assert table.view.pairs == {}
