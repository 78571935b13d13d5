"""The row of a request, and the statistics in it against values from tables."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.messages import LinkRequest, Message
from quantum_fabric.ops.requests import Histories, History
from quantum_fabric.ops.summary import mean, pool, quantile, show_number, show_wait, summarise
from quantum_fabric.units import MS

Stream = list[tuple[int, str, Message]]


@pytest.fixture
def histories(stream: Stream) -> Histories:
    histories = Histories()
    for item in stream:
        histories(*item)
    return histories


def test_a_request_that_expired(histories: Histories) -> None:
    row = summarise(histories["video"], 999 * MS)
    assert (row.asked_pairs, row.asked_fidelity, row.asked_rate, row.deadline) == (3, 0.88, 10.0, 200 * MS)
    assert (row.delivered, row.status, row.reason) == (2, "expired", "2 of 3 pairs by the deadline")
    assert row.fidelity is not None
    assert row.fidelity.value == pytest.approx(0.9)
    assert row.fidelity.samples == 2
    assert row.estimate == pytest.approx(0.91)
    assert row.rate == pytest.approx(2 / 0.1)
    assert (row.expected_rate, row.expected_fidelity) == (25.0, 0.92)
    assert (row.latency_p50, row.latency_p99) == (41 * MS, round(41.98 * MS))


def test_a_request_that_was_refused(histories: Histories) -> None:
    row = summarise(histories["greedy"], 999 * MS)
    assert row.status == "refused"
    assert row.reason == "UNSUPP: 0.97 < 0.995 needed"
    assert row.offer == "fidelity 0.93, 2 pairs, 1.5 pairs/s, deadline 0.4 s"
    assert (row.fidelity, row.estimate, row.latency_p50, row.rate) == (None, None, None, 0.0)


def test_a_request_that_is_open_counts_to_now(histories: Histories) -> None:
    history = histories["video"]
    history.outcome = history.ended = None
    row = summarise(history, 300 * MS)
    assert row.status == "open"
    assert row.rate == pytest.approx(2 / 0.2)
    assert summarise(History(LinkRequest("A", "B", 0.9), 5), 5).rate == 0.0


@pytest.mark.parametrize(
    ("count", "quantile_of_t"),
    [
        (2, 12.7062),
        (3, 4.3027),
        (10, 2.2622),
        (11, 2.2281),
        (15, 2.1448),
        (31, 2.0423),
        (61, 2.0003),
        (100001, 1.96),
    ],
)
def test_the_interval_is_students(count: int, quantile_of_t: float) -> None:
    values = [0.5 + 0.01 * math.sin(i) for i in range(count)]
    result = mean(values)
    assert result is not None
    centre = sum(values) / count
    error = math.sqrt(sum((value - centre) ** 2 for value in values) / (count - 1) / count)
    assert result.value == pytest.approx(centre)
    assert (result.high - result.low) / 2 / error == pytest.approx(quantile_of_t, abs=2e-4)


def test_the_interval_covers() -> None:
    """2,000 sets of 8 normal numbers: the miss rate of 5 % is met within 6 standard errors (false alarm 2e-9)."""
    draws = random.Random(7)
    missed = 0
    for _ in range(2000):
        result = mean([draws.gauss(0.5, 0.05) for _ in range(8)])
        assert result is not None
        missed += not result.low <= 0.5 <= result.high
    assert abs(missed - 100) < 6 * math.sqrt(2000 * 0.05 * 0.95)


def test_few_samples_and_the_ends_of_the_scale() -> None:
    assert mean([]) is None
    one = mean([0.7])
    assert one is not None
    assert (one.low, one.high, one.samples) == (0.7, 0.7, 1)
    wide = mean([0.0, 1.0])
    assert wide is not None
    assert (wide.low, wide.high) == (0.0, 1.0)


def test_quantiles() -> None:
    assert quantile([5], 0.99) == 5
    assert quantile([1, 2, 3], 0.5) == 2
    assert quantile([0, 10], 0.99) == pytest.approx(9.9)
    assert quantile([0, 10], 1.0) == 10


def test_an_offer_is_put_in_words() -> None:
    asked = LinkRequest("A", "B", 0.9, rate=5.0, deadline=10)
    history = History(asked, 0)
    from dataclasses import replace

    from quantum_fabric.messages import Code, Refused

    for changes, words in [
        ({"rate": 0.0}, "no least rate"),
        ({"deadline": None}, "no deadline"),
        ({}, "the same request again"),
    ]:
        history.refused = Refused("r", Code.NOTIME, "x", "y", replace(asked, **changes))
        assert summarise(history, 1).offer == words
    history.refused = Refused("r", Code.NOTIME, "x", "y")
    assert summarise(history, 1).offer == ""


def test_requests_of_one_stream_share_a_row() -> None:
    from quantum_fabric.messages import Outcome, Status

    histories = [
        History(LinkRequest("A", "B", 0.9, pairs=2, name=name), at * MS)
        for at, name in enumerate(["calls#1", "alone", "calls#2", "few#1", "calls#3", "few#2", "calls#4"])
    ]
    for history, status in zip(histories, [Status.COMPLETED, Status.COMPLETED, Status.EXPIRED], strict=False):
        history.outcome = Outcome(
            history.request.name, status, 0, "too late" if status is Status.EXPIRED else ""
        )
        history.ended = 100 * MS
    rows = pool(histories, 200 * MS)
    assert [row.name for row in rows] == ["calls (4 requests)", "alone", "few#1", "few#2"]
    assert (rows[0].asked_pairs, rows[0].status, rows[0].reason) == (
        8,
        "1 completed, 1 expired, 2 open",
        "too late",
    )
    assert rows[0].fidelity is None
    assert rows[1].status == "completed"


def test_a_request_that_the_end_of_the_run_cut_off_is_open(histories: Histories) -> None:
    history = histories["video"]
    history.unfinished = True
    row = summarise(history, 300 * MS)
    assert (row.status, row.reason) == ("open", "the run ended first")
    assert row.rate == pytest.approx(2 / 0.2)


UNIT = st.floats(0.0, 1.0)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(UNIT, min_size=1, max_size=30))
def test_a_mean_lies_in_its_interval_and_in_its_sample(values: list[float]) -> None:
    result = mean(values)
    assert result is not None
    assert 0.0 <= result.low <= result.value + 1e-12
    assert result.value - 1e-12 <= result.high <= 1.0
    assert min(values) - 1e-12 <= result.value <= max(values) + 1e-12
    assert result.samples == len(values)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=30), UNIT, UNIT)
def test_quantiles_rise_and_stay_inside(values: list[int], one: float, two: float) -> None:
    ordered = sorted(values)
    low, high = sorted((one, two))
    assert ordered[0] <= quantile(ordered, low) <= quantile(ordered, high) <= ordered[-1]
    assert quantile(ordered, 0.0) == ordered[0]
    assert quantile(ordered, 1.0) == ordered[-1]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["a#", "b#", ""]), st.integers(1, 9)), max_size=20))
def test_pooling_loses_no_request_and_no_pair(kinds: list[tuple[str, int]]) -> None:
    histories = [
        History(LinkRequest("A", "B", 0.9, pairs=pairs, name=f"{stem}{number}"), number)
        for number, (stem, pairs) in enumerate(kinds)
    ]
    rows = pool(histories, 100)
    assert sum(row.asked_pairs for row in rows) == sum(pairs for _, pairs in kinds)
    for stem in ("a#", "b#"):
        members = sum(kind == stem for kind, _ in kinds)
        shared = [row for row in rows if row.name == f"{stem[0]} ({members} requests)"]
        assert len(shared) == (members >= 4)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (999.4, "999"),
        (1000.0, "1,000"),
        (23339.2, "23,339"),
        (1e6, "1e+06"),
        (0.00421, "0.00421"),
    ],
)
def test_numbers_for_people(value: float, shown: str) -> None:
    assert show_number(value) == shown


@pytest.mark.parametrize(
    ("time", "shown"),
    [(0, "0 s"), (1, "1 ps"), (34_700_000, "34.7 µs"), (10**12, "1 s"), (120 * 10**12, "2 min")],
)
def test_durations_for_people(time: int, shown: str) -> None:
    assert show_wait(time) == shown
