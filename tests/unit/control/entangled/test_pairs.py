"""Rows, the stream and its fold, estimates against densities of both halves, and questions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.control.entangled import Change, End, Pair, PairState, View, fold
from quantum_fabric.control.entangled.shapes import COLUMNS, change_of, flat, plain
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.messages import Bell, PairId, Stretch
from quantum_fabric.units import MS, SECOND


def end(node: str, **changed: Any) -> End:
    return End(node, "A~B/0#0", 0, True, True, 0, 0, (1.0, 1.0, 0.5), None, None)._replace(**changed)


def pair(number: int = 0, **changed: Any) -> Pair:
    name = f"A~B/0#{number}"
    whole = Pair(
        PairId(name, name), PairState.ELEMENTARY, (end("A"), end("B")), "r", 1, Bell.PSI_PLUS, (0.9, 0.8, 0.95), 0.5, (name,), (), 0,
        0, number, number,
    )  # fmt: skip
    return replace(whole, **changed)


def test_an_estimate_ages_both_halves_from_their_own_times() -> None:
    one, two = end("A", since=SECOND // 4), end("B", rates=(2.0, 2.0, 0.0), stretch=Stretch(1.0, 2.0, 0))
    at = SECOND // 2
    coherence = math.exp(-0.25 * 1.0) * math.exp(-0.5 * 2.0) * math.exp(-(0.5**2))
    x, y, z = 0.9 * coherence, 0.8 * coherence, 0.95 * math.exp(-0.25 * 0.5)
    found = pair(ends=(one, two)).estimate(at, tolerance=0.1)
    assert found.fidelity == pytest.approx((1 + x + y + z) / 4, rel=1e-12)
    assert found.low == pytest.approx((1 + x**1.1 + y**1.1 + z**1.1) / 4, rel=1e-12)
    assert found.high == pytest.approx((1 + x**0.9 + y**0.9 + z**0.9) / 4, rel=1e-12)


def test_before_its_last_moment_a_pair_does_not_age_backwards() -> None:
    row = pair(ends=(end("A", since=SECOND), end("B", since=SECOND)))
    assert row.correlators(0) == row.quality


def test_an_attempt_has_no_fidelity() -> None:
    with pytest.raises(StateError, match="no pair yet"):
        pair(state=PairState.ATTEMPTING).estimate(0)


def test_it_expires_when_the_estimate_reaches_the_floor_or_at_a_cutoff() -> None:
    row = pair(floor=0.7)
    when = row.expires()
    assert when is not None
    assert row.estimate(when).fidelity == pytest.approx(0.7, abs=1e-9)
    assert replace(row, ends=(end("A", cutoff=MS), end("B"))).expires() == MS
    still = end("A", rates=(0.0, 0.0, 0.0))
    assert replace(row, ends=(still, still)).expires() is None
    assert replace(row, state=PairState.LOST).expires() is None


@pytest.mark.parametrize(
    ("changed", "usable"),
    [
        ({}, True),
        ({"ends": (end("A", knows=False), end("B"))}, False),
        ({"ends": (end("A"), end("B", there=False))}, False),
        ({"state": PairState.SWAPPING}, False),
        ({"state": PairState.HELD}, True),
        ({"state": PairState.LOST}, False),
    ],
)
def test_half_open_pairs_are_not_usable(changed: dict[str, Any], usable: bool) -> None:
    assert pair(**changed).usable is usable


def test_questions() -> None:
    rows = [
        pair(0),
        pair(
            1,
            ends=(end("A", born=9), end("C", born=9, knows=False)),
            state=PairState.JOINED,
            request="s",
            epoch=2,
        ),
        pair(2, state=PairState.LOST, why="cutoff"),
        pair(3, quality=(0.4, 0.4, 0.4)),
        pair(4, state=PairState.ATTEMPTING),
    ]
    view = fold(Change(n, n, row.id, row) for n, row in enumerate(rows))

    def ask(**what: Any) -> list[int]:
        return [rows.index(row) for row in view.select(**what)]

    assert ask() == [0, 1, 3]
    assert ask(node="C") == [1]
    assert ask(between=("B", "A")) == [0, 3]
    assert ask(request="s") == [1]
    assert ask(epoch=1) == [0, 3]
    assert ask(states=[PairState.LOST]) == [2]
    assert ask(usable=True) == [0, 3]
    assert ask(fidelity=0.8) == [0, 1]
    assert ask(fidelity=0.8, at=SECOND) == []
    assert ask(younger=5, at=12) == [1]
    assert ask(states=list(PairState), fidelity=0.1) == [0, 1, 2, 3]
    assert view.by_node() == {"A": 3, "B": 2, "C": 1}
    with pytest.raises(InputError, match="or later"):
        ask(at=1)


def test_a_gap_a_repetition_or_an_earlier_time_is_refused_and_changes_nothing() -> None:
    view = View()
    view.apply(Change(0, 5, pair().id, pair()))
    before = view.copy()
    for wrong in (
        Change(0, 6, pair().id, None),
        Change(2, 6, pair().id, None),
        Change(1, 4, pair().id, None),
    ):
        with pytest.raises(InputError):
            view.apply(wrong)
    assert view == before


names = st.sampled_from([PairId("a", "a"), PairId("a", "b"), PairId("c", "c")])
steps = st.lists(
    st.tuples(names, st.integers(0, 5), st.none() | st.sampled_from(list(PairState))), max_size=40
)


@given(steps=steps, split=st.integers(0, 40), until=st.integers(0, 200))
def test_folding_is_the_same_in_one_go_from_a_snapshot_and_up_to_a_time(
    steps: list[tuple[PairId, int, PairState | None]], split: int, until: int
) -> None:
    time, changes = 0, []
    for number, (name, wait, state) in enumerate(steps):
        time += wait
        changes.append(Change(number, time, name, None if state is None else pair(id=name, state=state)))
    whole = fold(changes)
    view = fold(changes[:split])
    for change in changes[split:]:
        view.apply(change)
    assert view.pairs == whole.pairs
    assert fold(changes, until).pairs == fold([c for c in changes if c.time <= until]).pairs


ends = st.builds(
    End, node=st.text(max_size=5), half=st.text(max_size=5), slot=st.integers(-1, 9), there=st.booleans(), knows=st.booleans(),
    born=st.integers(-9, 10**15), since=st.integers(-9, 10**15), rates=st.tuples(*[st.floats(0, 1e9)] * 3),
    stretch=st.none() | st.builds(Stretch, st.floats(0, 1e6), st.floats(1, 3), st.integers(0, 10**15)),
    cutoff=st.none() | st.integers(0, 10**15),
)  # fmt: skip


@given(
    one=ends,
    two=ends,
    quality=st.tuples(*[st.floats(-1, 1)] * 3),
    why=st.text(),
    state=st.sampled_from(PairState),
)
def test_shapes_read_back(
    one: End, two: End, quality: tuple[float, float, float], why: str, state: PairState
) -> None:
    row = pair(
        ends=(one, two), quality=quality, why=why, state=state, swaps=("C",), into=PairId("x", "y"), number=3
    )
    change = Change(7, 8, row.id, row)
    assert change_of(plain(change)) == change


def test_shapes_that_are_no_changes() -> None:
    good = plain(Change(0, 0, pair().id, pair()))
    for field, wrong in (
        ("state", "ALIVE"),
        ("bell", 3),
        ("ends", []),
        ("quality", [1.0, 2.0]),
        ("epoch", -1),
        ("why", None),
        ("floor", True),
    ):
        bad = {**good, "pair": {**good["pair"], field: wrong}}
        with pytest.raises(InputError, match=rf"pair\.{field}"):
            change_of(bad)
    with pytest.raises(InputError, match="fields"):
        change_of({**good, "more": 1})
    with pytest.raises(InputError, match="an object"):
        change_of([])


def test_flat_rows_have_all_columns() -> None:
    row = pair()
    assert list(flat(Change(0, 5, row.id, row))) == list(COLUMNS)
    assert flat(Change(0, 5, row.id, row))["fidelity"] == row.estimate(5).fidelity
    assert flat(Change(1, 5, row.id, None))["state"] is None
    assert flat(Change(1, 5, row.id, replace(row, state=PairState.ATTEMPTING)))["fidelity"] is None


def test_a_cutoff_that_has_passed_without_effect_does_not_count() -> None:
    """A half that was in an operation at its cutoff is not asked again."""
    still = end("A", rates=(0.0, 0.0, 0.0), cutoff=MS)
    assert pair(ends=(still, still), changed=MS).expires() == MS
    assert pair(ends=(still, still), changed=2 * MS).expires() is None
