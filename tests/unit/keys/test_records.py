"""Names, provenance and the clock's tolerance."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import InputError
from quantum_fabric.keys import Cell, KeyRecord, Origin, Pool, Provenance, Slice
from quantum_fabric.keys.records import CLOCK_TOLERANCE, entity, weakest

GOOD = Provenance(Origin.QKD, "a", 1e-10)
origins = st.sampled_from(list(Origin))
provenances = st.builds(Provenance, origins, st.sampled_from("abc"), st.floats(0, 1))


@pytest.mark.parametrize("name", ["alice", "a@b", "x" * 64, "urn:uuid:1", "a%2Fb", "~._-!$&'()*+,;=:/"])
def test_names(name: str) -> None:
    assert entity(name, "SAE") == name


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "é", "a\n", "a\0", '"', "<", "a#b", "a?b", "a\\b"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InputError):
        entity(name, "SAE")


@given(st.lists(provenances, min_size=1, max_size=5))
def test_a_joined_key_is_as_good_as_its_worst_part(found: list[Provenance]) -> None:
    joined = weakest(found)
    order = [Origin.TEST, Origin.TWIN, Origin.QKD]
    assert order.index(joined.origin) == min(order.index(one.origin) for one in found)
    assert joined.epsilon <= 1.0
    assert joined.epsilon >= max(one.epsilon for one in found) - 1e-15
    assert joined.epsilon <= sum(one.epsilon for one in set(found)) + 1e-12
    assert weakest([joined]) == joined


def test_only_qkd_is_secret() -> None:
    assert [origin.secret for origin in Origin] == [True, False, False]


@pytest.mark.parametrize("epsilon", [-0.1, 1.1, float("nan"), float("inf")])
def test_epsilon_is_a_probability(epsilon: float) -> None:
    with pytest.raises(InputError):
        Provenance(Origin.QKD, "x", epsilon)


def test_cells_have_names_of_their_own() -> None:
    cells = [
        Cell(Pool(*pool), UUID(int=block), offset, 32, GOOD)
        for pool in (("a", "b"), ("b", "a"), ("ab", ""), ("", "ab"))
        for block in (1, 2)
        for offset in (0, 1, 10)
    ]
    names = {cell.identifier for cell in cells}
    assert len(names) == len(cells)
    assert {name.version for name in names} == {8}
    assert cells[0].identifier == replace(cells[0], octets=5).identifier


@pytest.mark.parametrize(("offset", "octets"), [(-1, 5), (0, 0), (0, -1)])
def test_slices(offset: int, octets: int) -> None:
    with pytest.raises(InputError):
        Slice(UUID(int=1), offset, octets)


def test_expiry_at_the_edges() -> None:
    record = KeyRecord(UUID(int=1), 256, "a", ("b",), ("a",), (), 10_000, 20_000, GOOD)
    times = {
        10_000: False,
        19_999: False,
        20_000: True,
        10_000 - CLOCK_TOLERANCE: False,
        9_999 - CLOCK_TOLERANCE: True,
    }
    assert {now: record.expired(now) for now in times} == times
