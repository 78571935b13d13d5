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
    return validate(["stephenson2020", "tokyo-dps", "pompili2021", "gys-decoy"])


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
    assert "with a recalled value: no claim" in text
    assert "no claim: disagrees" in text  # the GHZ state of three NV nodes
    assert re.search(r"\d+ of \d+ claims hold", text)


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
    with duckdb.connect() as database:
        rows = database.execute(
            f"SELECT count(*), bool_and(passed) FROM '{parquet}' WHERE standing = 'soft'"
        ).fetchall()
    assert rows == [(len([r for x in results for r in x.comparisons if r.standing.value == "soft"]), True)]
    with comma.open() as lines:
        assert len(list(csv.DictReader(lines))) == count
