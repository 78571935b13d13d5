"""The page: self-contained, complete, escaped, the same for the same run."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from quantum_fabric.messages import LinkRequest, Message, Outcome, Status
from quantum_fabric.ops.drawing import Drawing
from quantum_fabric.ops.losses import Losses
from quantum_fabric.ops.metrics import Metrics
from quantum_fabric.ops.report import Report, lead, render
from quantum_fabric.ops.requests import Histories
from quantum_fabric.units import MS, SECOND

Stream = list[tuple[int, str, Message]]


@pytest.fixture
def report(stream: Stream) -> Report:
    folds = Histories(), Metrics(), Losses()
    for item in stream:
        for fold in folds:
            fold(*item)
    histories, metrics, losses = folds
    drawing = Drawing(
        {"A": (0, 0), "R": (1, 0), "B": (2, 0)}, {"A~R": ("A", "R", 1e4), "R~B": ("R", "B", 2e4)}
    )
    return Report(
        "Toy", [("seed", "7")], drawing, list(histories), metrics, losses, 200 * MS, again="qfabric replay x"
    )


class Balanced(HTMLParser):
    """Counts what is open; complains about what asks for something from elsewhere."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert name != "src"
            if name.endswith("href"):
                assert value is not None
                assert value.startswith("#")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_for_nothing(report: Report) -> None:
    page = render(report)
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert "http" not in page
    assert "@import" not in page
    assert "<script" not in page
    assert not re.search(r"url\((?!#)", page)


def test_what_the_issue_asks_for_is_on_it(report: Report) -> None:
    page = render(report)
    for heading in (
        "Network", "Requests", "Delivery over time", "Fidelity against the floor", "Where time was lost",
        "Where fidelity was lost", "Counters",
    ):  # fmt: skip
        assert f"<h2>{heading}</h2>" in page
    assert "2<small>of 3</small>" in page
    assert "2 of 3 pairs by the deadline" in page
    assert "would be accepted: fidelity 0.93" in page
    assert 'class="badge expired"' in page
    assert "qfabric replay x" in page
    assert "no hardware was involved" in page
    assert page.count("<svg") >= 6


def test_the_same_run_gives_the_same_page(report: Report) -> None:
    assert render(report) == render(report)


def test_names_from_outside_have_no_power(report: Report) -> None:
    evil = "<script>alert(1)</script>"
    report.histories[0].request = replace(report.histories[0].request, name=evil, source=evil)
    page = render(replace(report, title=evil, notes=[evil], again=evil, facts=[(evil, evil)]))
    assert "<script" not in page


def test_an_interrupted_run_says_so(report: Report) -> None:
    assert "The run was interrupted at 200 ms of network time." in render(replace(report, interrupted=True))
    assert "interrupted" not in render(report)


def test_streams_are_pooled_and_every_request_is_still_there(stream: Stream) -> None:
    histories = Histories()
    for i in range(1, 6):
        histories(i, "controller", LinkRequest("A", "B", 0.8, name=f"calls#{i}"))
    histories(9, "client", Outcome("calls#2", Status.FAILED, 0, "the node failed"))
    page = render(Report("Toy", [], Drawing({}, {}), list(histories), Metrics(), Losses(), SECOND))
    assert "calls (5 requests)" in page
    assert "4 open, 1 failed" in page
    assert "Each of the 5 requests" in page
    assert "<strong>calls#2</strong>" in page


def test_a_run_without_anything_is_a_page_too() -> None:
    page = render(Report("Empty", [], Drawing({}, {}), [], Metrics(), Losses(), 0))
    assert "No requests in" in page


def test_the_sentence(report: Report) -> None:
    assert lead(report.histories, report.until) == (
        "2 entangled pairs delivered to 2 requests in 200 ms of network time: 1 expired, 1 refused."
    )


def test_fidelity_over_time_is_shown_where_links_drift(report: Report) -> None:
    assert "Fidelity over time" not in render(report)
    page = render(replace(report, calibrations=[]))
    assert ("Fidelity over time" in page) == any(history.true_fidelities for history in report.histories)
    assert "Fidelity over time" in page
