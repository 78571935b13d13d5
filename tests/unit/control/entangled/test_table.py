"""The fold: its stream is gap-free and gives its snapshots, its memory is bounded, its attachment changes nothing."""

from __future__ import annotations

from functools import cache

import pytest

from quantum_fabric import documents
from quantum_fabric.control.entangled import Change, PairState, fold
from quantum_fabric.control.entangled.table import EntanglementTable
from quantum_fabric.errors import InputError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Consume,
    Delivered,
    LinkRequest,
    Lost,
    Measure,
    Message,
    PairId,
    Substandard,
)
from quantum_fabric.units import MS, SECOND, Time


@cache
def chicago() -> documents.Inventory:
    return documents.inventory(documents.load_network("chicago"))


def test_the_stream_gives_every_snapshot() -> None:
    fabric, stream = Fabric(chicago(), seed=3), []
    table = EntanglementTable(ended=20, listener=stream.append)
    fabric.watch(table, *table.SEES)
    fabric.submit(LinkRequest("NU", "UChicago_HC", 0.9, pairs=20, name="far"))
    fabric.submit(LinkRequest("NU", "StarLight", 0.9, pairs=200, name="near"))
    taken = []
    for step in range(1, 30):
        fabric.run(step * 7 * MS)
        taken.append((fabric.now, table.snapshot()))
    assert [change.number for change in stream] == list(range(len(stream)))
    assert {pair.state for _, view in taken for pair in view.pairs.values()} >= {
        PairState.ATTEMPTING, PairState.ELEMENTARY, PairState.CONSUMED, PairState.DELIVERED,
    }  # fmt: skip
    for now, view in taken:
        assert fold(stream, now).pairs == view.pairs
        ended = [
            pair for pair in view.pairs.values() if not pair.alive and pair.state is not PairState.ATTEMPTING
        ]
        assert len([pair for pair in ended if not any(end.there for end in pair.ends)]) <= 20
    _, early = taken[3]
    for change in stream[early.next :]:
        early.apply(change)
    assert early.pairs == table.view.pairs


def test_what_is_forgotten_of_the_stream_is_said() -> None:
    fabric = Fabric(chicago(), seed=1)
    table = EntanglementTable(remembered=10)
    fabric.watch(table, *table.SEES)
    fabric.submit(LinkRequest("NU", "StarLight", 0.9, pairs=20))
    fabric.run(100 * MS)
    last = table.view.next
    assert last > 20
    assert [change.number for change in table.since(last - 10)] == list(range(last - 10, last))
    assert table.since(last) == []
    for number in (last - 11, last + 1):
        with pytest.raises(InputError, match="take a snapshot"):
            table.since(number)
    with pytest.raises(InputError, match="0 or more"):
        EntanglementTable(ended=-1)


def test_watching_changes_nothing() -> None:
    def told(watched: bool) -> list[tuple[Time, str, Message]]:
        fabric, seen = Fabric(chicago(), seed=5), []
        if watched:
            fabric.watch(EntanglementTable(), *EntanglementTable.SEES)
        fabric.watch(lambda time, place, message: seen.append((time, place, message)))
        fabric.submit(LinkRequest("NU", "UChicago_HC", 0.9, pairs=3))
        fabric.run(200 * MS)
        return seen

    assert told(True) == told(False)


def test_the_life_of_pairs_that_are_held() -> None:
    """Delivered and kept: held; one measured, one handed over: consumed; one that expires: lost, and why."""
    fabric, stream = Fabric(chicago(), seed=2), []
    table = EntanglementTable(listener=stream.append)
    fabric.watch(table, *table.SEES)
    name = fabric.submit(LinkRequest("NU", "StarLight", 0.9, pairs=3, hold=True))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    told = [reply for reply in fabric.replies(name) if isinstance(reply, Delivered)]
    held = table.view.select(states=[PairState.HELD], request=name)
    assert {pair.id for pair in held} == {each.pair for each in told}
    assert all(pair.usable for pair in held)
    assert {pair.number for pair in held} == {1, 2, 3}
    for each in told:
        assert table.view.pairs[each.pair].expires() == pytest.approx(each.expires_at, rel=1e-9)
    first, second, third = told
    assert first.slots is not None
    assert second.slots is not None
    for node, slot in zip(first.ends, first.slots, strict=True):
        fabric.perform(Measure(node, slot, "Z"))
    assert table.view.pairs[first.pair].state is PairState.CONSUMED
    fabric.perform(Consume(second.ends[0], second.slots[0], second.bell))
    half = table.view.pairs[second.pair]
    assert half.state is PairState.HELD
    assert not half.usable
    fabric.perform(Consume(second.ends[1], second.slots[1], second.bell))
    assert table.view.pairs[second.pair].state is PairState.CONSUMED
    fabric.run(third.expires_at + SECOND)
    lost = table.view.pairs[third.pair]
    assert (lost.state, lost.why) == (PairState.LOST, "expired")
    assert fold(stream).pairs == table.view.pairs


def test_a_pair_that_is_too_bad_says_that_it_was_withheld() -> None:
    fabric = Fabric(chicago(), seed=1)
    table = EntanglementTable()
    fabric.watch(table, *table.SEES)
    fabric.submit(LinkRequest("NU", "StarLight", 0.9, pairs=1, name="r"))
    fabric.run(SECOND, stop=lambda: not fabric.open_requests)
    (handed,) = table.view.select(states=[PairState.DELIVERED])
    table(fabric.now, "client", Substandard("r", handed.id, 0.8, 0.9))
    assert table.view.pairs[handed.id] == handed  # delivered is delivered


def test_news_of_what_it_never_heard_of_changes_nothing() -> None:
    table = EntanglementTable()
    table(0, "A", Lost(1, "A~B/0#0", "cutoff"))
    table(1, "client", Substandard("r", PairId("a", "b"), 0.5, 0.6))
    assert table.view.next == 0


def test_numbers_are_those_of_the_stream() -> None:
    change = Change(0, 0, PairId("a", "a"), None)
    assert fold([change]).next == 1
