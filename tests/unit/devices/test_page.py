"""What is written on a sheet: any data is read or refused, never more."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import LETTERS, RECORDS, STANDINGS, Fibre, Sheet, data_sheet, read_page, sheets
from quantum_fabric.devices.sheets import _written

PAGE = {
    "kind": "fibre",
    "title": "Glass",
    "status": "published",
    "cite": "Us (2026)",
    "sources": {"paper": "abstract"},
    "numbers": {
        "attenuation": {"value": "0.2 dB/km", "provenance": "S", "source": "paper", "note": "measured"},
        "group_index": {"value": 1.4682, "provenance": "M", "source": "paper"},
    },
}
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner)),
    max_leaves=8,
)


class Told(list[tuple[tuple[str | int, ...], str, str]]):
    def __call__(self, place: tuple[str | int, ...], found: str, expected: str) -> None:
        self.append((place, found, expected))


def test_a_sound_page() -> None:
    told = Told()
    sheet = read_page(PAGE, told)
    assert sheet is not None
    assert told == []
    assert (sheet.kind, sheet.title, sheet.status) == ("fibre", "Glass", "published")
    assert sheet.record == Fibre(attenuation=2e-4, group_index=1.4682)
    assert sheet.numbers["attenuation"].note == "measured"
    assert sheet.numbers["group_index"].value == "1.4682"


@given(JUNK, st.sampled_from([None, "node", "fibre"]))
def test_any_data_is_read_or_refused(page: Any, kind: str | None) -> None:
    told = Told()
    sheet = read_page(page, told, kind)
    assert (sheet is None) == bool(told)


PLACES = [
    ("kind",), ("title",), ("status",), ("cite",), ("sources",), ("sources", "paper"), ("numbers",), ("numbers", "attenuation"),
    ("numbers", "attenuation", "value"), ("numbers", "attenuation", "provenance"), ("numbers", "attenuation", "source"),
    ("numbers", "attenuation", "note"), ("numbers", "group_index", "value"),
]  # fmt: skip


@given(st.sampled_from(PLACES), JUNK)
def test_one_wrong_thing_is_found_where_it_stands(place: tuple[str, ...], junk: Any) -> None:
    page = copy.deepcopy(PAGE)
    here: Any = page
    for part in place[:-1]:
        here = here[part]
    here[place[-1]] = junk
    told = Told()
    sheet = read_page(page, told)
    assert isinstance(sheet, Sheet) != bool(told)
    if told and place not in (("sources",), ("kind",), ("numbers",)):  # on these much else depends
        around = {place[:length] for length in range(1, len(place) + 1)}
        assert any(fault[0][: len(place)] == place or fault[0] in around for fault in told)


@pytest.mark.parametrize("name", [name for name in sheets() if not name.startswith("profile")])
def test_a_bundled_sheet_is_read_as_one_of_ones_own(name: str) -> None:
    """The same form: with its kind in it, a bundled sheet could be a user's file."""
    kind, _, plain = name.partition("/")
    told = Told()
    assert read_page({"kind": kind, **_written(kind, plain)}, told) == data_sheet(kind, plain)
    assert told == []


def test_standings_and_letters_are_explained() -> None:
    used = {data_sheet(*name.split("/")).status for name in sheets() if not name.startswith("profile")}
    assert used == set(STANDINGS)
    assert set(LETTERS) == set("SRMCPD")
    assert set(RECORDS) >= {"node", "fibre", "detector", "source", "station", "transducer"}
