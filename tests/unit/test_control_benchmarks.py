"""The evidence of routing: what is measured and how it is told, without a clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.control import page, paths, purification, routing
from benchmarks.page import keep
from benchmarks.records import Row
from benchmarks.report import as_json
from benchmarks.run import Run
from benchmarks.suites import SUITES

from quantum_fabric.network.routing.decoherence import Decay


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    run = Run(quick=True, progress=lambda text: None)
    found = routing.sweep((2,), 3, 1, routing._plain, None, run.progress)
    decay = Decay(routing.COHERENCE)
    floored = routing.sweep((2,), 3, 1, routing._floored(decay), decay, run.progress)
    return [
        routing._row("plain", 2, found[2], 3),
        routing._row("decay", 2, floored[2], 3),
        *paths.rows(run),
    ]


def test_it_is_registered() -> None:
    assert "control" in SUITES


def test_a_line_says_who_is_best_and_how_sure_that_is(rows: list[Row]) -> None:
    plain, decayed, *searches = rows
    means = {plain.peer_name: plain.peer, **plain.others}
    assert plain.goal is not None
    assert plain.peer == plain.goal.limit
    assert not plain.peer_name.startswith("ours")
    assert plain.peer == max(
        value for name, value in means.items() if value is not None and not name.startswith("ours")
    )
    assert plain.details["ahead"] == pytest.approx((plain.ours or 0.0) - (plain.peer or 0.0))
    assert plain.details["interval"] > 0
    assert decayed.sound  # none of ours is below the floor
    assert max(decayed.details["below"].values()) > 0
    assert all(row.ratio is not None and row.ratio >= 1 for row in searches)


def test_the_page_tells_what_was_kept(
    rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = as_json(rows, Run(quick=True))
    kept = keep(told["rows"], told["machine"], tmp_path / "measured.json")
    text = page.page(kept)
    assert f"| 2 | {rows[0].ours:.2f} ±" in text
    assert "% below" in text
    monkeypatch.setattr(page, "FIGURE", tmp_path / "routing.png")
    page.figure(kept)
    assert (tmp_path / "routing.png").read_bytes().startswith(b"\x89PNG")


def test_the_backbone_is_whole() -> None:
    names, edges = purification.backbone()
    assert (len(names), len(edges)) == (39, 61)
    assert all(0.8 < fidelity < 1 for *_, fidelity in edges)


def test_the_kept_page_is_the_page_of_the_docs() -> None:
    kept = json.loads(page.KEPT.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == page.page(kept)
