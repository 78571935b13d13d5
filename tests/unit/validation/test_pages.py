"""The page, the Markdown and the tables of results."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import duckdb
import pytest

from quantum_fabric.validation import not_comparable, validate
from quantum_fabric.validation import results as tables
from quantum_fabric.validation.drawing import figure
from quantum_fabric.validation.experiment import Result
from quantum_fabric.validation.markdown import render as markdown
from quantum_fabric.validation.markdown import write
from quantum_fabric.validation.page import render


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return validate(["stephenson2020", "tokyo-dps", "pompili2021", "gys-decoy", "micius"])


def test_the_page_needs_nothing_else(results: list[Result]) -> None:
    text = render(results, not_comparable(), [("program", "x")])
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert text.count("<svg") == len(results)
    for result in results:
        assert result.file.digest in text
        assert f'id="{result.file.name}"' in text
    assert "not comparable" in text
    assert "Fitted: efficiency" in text


def test_recalled_results_are_no_facts(results: list[Result]) -> None:
    text = render(results, (), [])
    assert '<span class="badge soft">agrees</span><small>recalled (M): no claim</small>' in text
    assert "no claim: disagrees" in text  # the GHZ state of three NV nodes
    assert re.search(r"\d+ of \d+ claims hold", text)
    assert re.search(
        r'badge pass">PASS</span> <span class="badge fail">no claim: 1 disagrees', text
    )  # Micius


def test_a_failure_within_its_error_bar_says_both(results: list[Result]) -> None:
    text = render(results, (), [])
    both = '<span class="badge fail">disagrees</span><small>soft: no claim<br>within 2 σ of the error bars</small>'
    assert both in text  # the secret key of Tokyo: 1.98 against 1.1(5) kbit/s, and a factor of 1.5
    assert "disagrees; within 2 σ of the error bars<br>soft: no claim" in markdown(results, ())


def test_what_was_chosen_after_looking_is_on_both_pages(results: list[Result]) -> None:
    for text in (render(results, (), []), markdown(results, ())):
        assert text.count("What was chosen after looking") == len(results)
        assert "counted from the end of the measured error bar" in text
        assert "Nothing on record." in text


def test_figures_are_the_same_each_time(results: list[Result]) -> None:
    assert figure(results[0]) == figure(results[0])


def test_markdown_has_every_comparison(results: list[Result], tmp_path: Path) -> None:
    text = markdown(results, not_comparable())
    for result in results:
        assert f"figures/{result.file.name}.svg" in text
        for row in result.comparisons:
            assert row.measured.label in text
    path = write(results, (), tmp_path)
    assert path.read_text(encoding="utf-8").startswith("# Validation")
    assert {each.stem for each in (tmp_path / "figures").iterdir()} == {each.file.name for each in results}


def test_tables(results: list[Result], tmp_path: Path) -> None:
    parquet, comma = tables.write(results, tmp_path)
    count = sum(len(result.comparisons) for result in results)
    soft = [row for result in results for row in result.soft]
    with duckdb.connect() as database:
        rows = database.execute(
            f"SELECT count(*), count_if(passed), count_if(claim) FROM '{parquet}' WHERE standing = 'soft'"
        ).fetchall()
    assert rows == [(len(soft), sum(row.passed for row in soft), 0)]
    with comma.open() as lines:
        assert len(list(csv.DictReader(lines))) == count
