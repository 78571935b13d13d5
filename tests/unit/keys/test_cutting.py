"""Every octet of a stock is used once, in order, whatever the sizes: against plain slicing of bytes."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

import keydesk
from quantum_fabric.keys import Cell, KeyMaterial, MemoryShelf, Origin, Pool, Provenance, Slice, TestSource
from quantum_fabric.keys.cutting import cut, plan, xor

POOL = Pool("kme-a", "kme-a")
SOME = Provenance(Origin.TEST, "x")


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(1, 60), st.integers(1, 8))
def test_a_plan_covers_the_front_without_gap_or_overlap(sizes: list[int], octets: int, number: int) -> None:
    cells = [Cell(POOL, UUID(int=index), 7, size, SOME) for index, size in enumerate(sizes)]
    keys = plan(cells, octets, number)
    if keys is None:
        assert sum(sizes) < octets * number
        return
    there = [(cell.block, cell.offset + place) for cell in cells for place in range(cell.octets)]
    used = [
        (piece.block, piece.offset + place)
        for key in keys
        for _, piece in key
        for place in range(piece.octets)
    ]
    assert used == there[: octets * number]
    assert all(sum(piece.octets for _, piece in key) == octets for key in keys)
    assert all(len({piece.block for _, piece in key}) == len(key) for key in keys)


@given(st.lists(st.tuples(st.integers(0, 199), st.integers(1, 80)), max_size=12))
def test_any_cuts_in_any_order(cuts: list[tuple[int, int]]) -> None:
    """A cut gives exactly the octets that it names, if they lie in one cell and none of them was used; else it changes nothing."""
    desk, shelf = keydesk.desk(), MemoryShelf()
    plain = keydesk.stock(desk, shelf, "kme-a", "kme-a", octets=200)
    block = TestSource("tests").block(POOL, 0, 200).name
    used: set[int] = set()
    for offset, octets in cuts:
        wanted = set(range(offset, offset + octets))
        found = cut(shelf, desk.ring, POOL, (Slice(block, offset, octets),))
        free = not wanted & used and max(wanted) < 200 and len({place // 32 for place in wanted}) == 1
        assert (found is not None) == free
        if found is not None:
            used |= wanted
            assert bytes(found.material.octets) == plain[offset : offset + octets]
        assert shelf.stock(POOL) == 200 - len(used)


@given(st.binary(min_size=1, max_size=50), st.data())
def test_the_pad_comes_off_again(key: bytes, data: st.DataObject) -> None:
    pad = data.draw(st.binary(min_size=len(key), max_size=len(key)))
    masked = xor(KeyMaterial(key), KeyMaterial(pad))
    assert masked == bytes(a ^ b for a, b in zip(key, pad, strict=True))
    assert xor(KeyMaterial(masked), KeyMaterial(pad)) == key


def test_two_slices_of_one_cell_take_nothing() -> None:
    desk, shelf = keydesk.desk(), MemoryShelf()
    keydesk.stock(desk, shelf, "kme-a", "kme-a", octets=64)
    block = TestSource("tests").block(POOL, 0, 64).name
    for second in (0, 4, 8):
        assert cut(shelf, desk.ring, POOL, (Slice(block, 0, 8), Slice(block, second, 8))) is None
    assert shelf.stock(POOL) == 64
