"""The table itself: every claim holds, the frozen files are frozen, and what must fail does fail."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import pytest

from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.validation import (
    DATA,
    EXPERIMENTS,
    ParameterFile,
    Predicted,
    Standing,
    load,
    names,
    not_comparable,
    validate,
    verify,
)
from quantum_fabric.validation.experiment import conclude
from quantum_fabric.validation.freezing import freeze

LONG = [each.name for each in EXPERIMENTS if each.sample is not None]
QUICK = [each.name for each in EXPERIMENTS if each.sample is None]
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "validation"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The parameter files in a folder where they may be tampered with."""
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    return folder


@pytest.mark.parametrize("name", QUICK)
def test_every_claim_holds(name: str) -> None:
    (result,) = validate([name])
    failed = [row.name for row in result.claims if not row.passed]
    assert failed == []


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_every_claim_of_the_long_ones_holds(name: str) -> None:
    (result,) = validate([name], workers=2)
    failed = [(row.name, row.predicted) for row in result.claims if not row.passed]
    assert failed == []


def test_every_row_of_the_table_is_there() -> None:
    assert {load(name).row for name in names()} >= set(range(1, 13))
    assert not {entry.name for entry in not_comparable()} & set(names())


def test_the_lock_names_every_file_with_its_hash() -> None:
    assert set(verify()) == set(names())


def test_a_tampered_file_is_refused_by_name_and_with_both_hashes(copy: Path) -> None:
    path = copy / "stephenson2020.yaml"
    before = verify(copy)["stephenson2020"]
    path.write_text(path.read_text().replace("value: 182 Hz", "value: 183 Hz"))
    with pytest.raises(InputError) as refused:
        validate(["humphreys2018"], folder=copy)  # another experiment: nothing at all is computed
    text = str(refused.value)
    hashes = re.findall(r"[0-9a-f]{64}", text)
    assert "stephenson2020.yaml" in text
    assert hashes[1] == before != hashes[0]
    with pytest.raises(InputError, match=r"stephenson2020\.yaml"):
        load("stephenson2020", copy)


def test_a_file_that_the_lock_does_not_name_is_refused(copy: Path) -> None:
    (copy / "mine.yaml").write_text("name: mine\n")
    with pytest.raises(InputError, match=r"mine\.yaml"):
        verify(copy)


def test_a_missing_file_is_refused(copy: Path) -> None:
    (copy / "bounds.yaml").unlink()
    with pytest.raises(InputError, match=r"bounds\.yaml: found no such file"):
        verify(copy)


def test_freezing_anew_is_a_deliberate_act(copy: Path) -> None:
    path = copy / "stephenson2020.yaml"
    path.write_text(path.read_text().replace("value: 182 Hz", "value: 300 Hz"))
    freeze(copy)
    (result,) = validate(["stephenson2020"], folder=copy)
    assert not result.passed
    assert result.verdict == "FAIL"
    assert [row.name for row in result.comparisons if not row.passed] == ["rate"]


def test_a_wrong_prediction_fails() -> None:
    experiment = next(each for each in EXPERIMENTS if each.name == "stephenson2020")

    def wrong(values, samples):
        right = experiment.predict(values, samples)
        return {**right, "rate": Predicted(2.0 * right["rate"].value)}

    result = conclude(dataclasses.replace(experiment, predict=wrong), load("stephenson2020"))
    assert not result.row("rate").passed
    assert result.row("success").passed
    assert not result.passed


def test_more_than_one_fitted_parameter_is_refused(copy: Path) -> None:
    path = copy / "tokyo-dps.yaml"
    text = path.read_text()
    entry = text[text.index("  - parameter: efficiency") : text.index("measured:")]
    path.write_text(text.replace("measured:", entry.replace("efficiency", "intensity", 1) + "measured:", 1))
    freeze(copy)
    with pytest.raises(InputError, match=r"tokyo-dps\.yaml: fitted: found 2 fitted parameters"):
        load("tokyo-dps", copy)


def test_what_was_fitted_is_no_test_and_the_rest_is() -> None:
    (result,) = validate(["tokyo-dps"])
    assert result.row("sifted").standing is Standing.FITTED
    assert result.row("sifted").predicted == pytest.approx(11e3, rel=1e-6)
    assert result.row("sifted") not in result.claims
    assert result.row("secret") in result.claims


def test_no_recalled_number_is_a_claim() -> None:
    for name in QUICK:
        (result,) = validate([name])
        for row in result.comparisons:
            if row.measured.number.letter == "M":
                assert row.standing in (Standing.RECALLED, Standing.FITTED)
                assert row not in result.claims


def test_the_number_of_workers_changes_nothing() -> None:
    one, two = (validate(["state-algebra", "networks"], workers=count) for count in (1, 2))
    assert [result.comparisons for result in one] == [result.comparisons for result in two]


def test_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match="humphreys2018"):
        validate(["humphrey"])


def test_the_page_of_the_docs_shows_the_frozen_files() -> None:
    """It is written by `qfabric validate --out`, which takes minutes: here only that it belongs to these parameters."""
    text = (PAGE / "validation.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"SHA-256 of the parameter file: `([0-9a-f]{64})`", text))
    assert shown == set(verify().values()), "run: qfabric validate --out docs/validation"
    figures = {path.stem for path in (PAGE / "figures").glob("*.svg")}
    assert figures == set(names())


def files() -> list[ParameterFile]:
    return [load(name) for name in names()]


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_every_number_says_where_it_is_from(file: ParameterFile) -> None:
    for number in (*file.parameters.values(), *(each.number for each in file.measured.values())):
        assert number.source
        assert number.letter in "SRMCPD"
    if file.fit is not None:
        assert file.parameters[file.fit.parameter].letter == "P"
