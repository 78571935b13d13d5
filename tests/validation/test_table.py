"""The table itself: every claim holds, the frozen files are frozen, and what must fail does fail."""

from __future__ import annotations

import dataclasses
import re
import shutil
from functools import cache
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
from quantum_fabric.validation.experiment import Result, conclude
from quantum_fabric.validation.experiments import waiting_times
from quantum_fabric.validation.freezing import freeze
from quantum_fabric.validation.page import RULES

QUICK = [each.name for each in EXPERIMENTS if each.sample is None]
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "validation"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The parameter files in a folder where they may be tampered with."""
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    return folder


@cache
def quick(name: str) -> Result:
    """The result of an experiment without long work; several tests look at the same one."""
    (result,) = validate([name])
    return result


@pytest.mark.parametrize("name", QUICK)
def test_every_claim_holds(name: str) -> None:
    result = quick(name)
    failed = [row.name for row in result.claims if not row.passed]
    assert failed == []


@pytest.mark.slow
def test_every_claim_of_the_long_ones_holds() -> None:
    """Each chain with a quarter of its 100,000 runs, against the same 4 σ; half of the random links; all of the rest.

    One test, so that no work is done twice; `qfabric validate` does all of it, which takes twice as long.
    """
    left_out = {
        "waiting-times": lambda piece: piece % waiting_times.PARTS,
        "bounds": lambda piece: piece in (2, 3),
    }
    for experiment in (each for each in EXPERIMENTS if each.sample is not None):
        assert experiment.sample is not None
        file = load(experiment.name)
        skipped = left_out.get(experiment.name, lambda _: False)
        pieces = [piece for piece in range(experiment.pieces) if not skipped(piece)]
        samples = [experiment.sample(file.values(), piece) for piece in pieces]
        result = conclude(experiment, file, samples)
        failed = [row.name for row in result.claims if not row.passed]
        assert failed == (
            ["cases"] if experiment.name == "bounds" else []
        )  # fewer than in the file, which says 320,000
        assert result.claims


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
    assert result.verdict == "disagrees"
    assert [row.name for row in result.comparisons if not row.passed] == ["rate"]


def test_a_wrong_prediction_fails() -> None:
    experiment = next(each for each in EXPERIMENTS if each.name == "gys-decoy")

    def wrong(values, samples):
        right = experiment.predict(values, samples)
        return {**right, "rate_50": Predicted((1.0 + 1e-5) * right["rate_50"].value)}

    result = conclude(dataclasses.replace(experiment, predict=wrong), load("gys-decoy"))
    assert not result.row("rate_50").passed
    assert result.row("rate_100").passed
    assert not result.passed
    assert result.verdict == "FAIL"


def test_more_than_one_fitted_parameter_is_refused(copy: Path) -> None:
    path = copy / "tokyo-dps.yaml"
    text = path.read_text()
    entry = text[text.index("  - parameter: efficiency") : text.index("measured:")]
    path.write_text(text.replace("measured:", entry.replace("efficiency", "intensity", 1) + "measured:", 1))
    freeze(copy)
    with pytest.raises(InputError, match=r"tokyo-dps\.yaml: fitted: found 2 fitted parameters"):
        load("tokyo-dps", copy)


def test_what_was_fitted_is_no_test_and_the_rest_is() -> None:
    result = quick("tokyo-dps")
    assert result.row("sifted").standing is Standing.FITTED
    assert result.row("sifted").predicted == pytest.approx(11e3, rel=1e-6)
    assert result.row("sifted") not in (*result.claims, *result.soft)
    assert result.row("secret") in result.soft
    assert result.row("secret") not in result.claims  # photons per pulse are recalled


def test_one_rule_for_all_rows() -> None:
    """Only the tolerances in sigmas know errors; the rule is at the top of the page."""
    for name in QUICK:
        for row in quick(name).comparisons:
            number, tolerance = row.measured.number, row.measured.tolerance
            if tolerance.kind != "sigmas":
                assert row.passed is bool(tolerance.met(row.predicted, 0.0, number.value, 0.0))
    assert any(rule.startswith("One rule for every row") for rule in RULES)


@pytest.mark.parametrize(
    ("name", "row", "covered"),
    [
        ("korzh2015", "rate", False),
        ("boaron2018", "rate_421", False),
        ("boaron2018", "error_421", False),
        ("malta-sicily", "fidelity_192", False),
        ("tokyo-dps", "secret", True),
        ("humphreys2018", "rate_low", True),
        ("micius", "chsh_first", True),
        ("pompili2021", "ghz", False),
        ("pompili2021", "swap_rate", False),
    ],
)
def test_what_disagrees_stays_in_the_table(name: str, row: str, covered: bool) -> None:
    """A change that makes one of these agree has to say in the parameter file what was changed after looking."""
    result = quick(name)
    found = result.row(row)
    assert found.verdict == "disagrees"
    assert found.within_errors is covered
    assert result.against
    assert result.passed
    assert result.file.chosen_after


def test_no_recalled_number_is_a_claim() -> None:
    for name in QUICK:
        for row in quick(name).comparisons:
            if row.measured.number.letter == "M":
                assert row.standing in (Standing.RECALLED, Standing.FITTED)
                assert not row.claims
            if row.claims:
                used = row.measured.uses
                parameters = quick(name).parameters
                letters = {p.letter for n, p in parameters.items() if used is None or n in used}
                assert not letters & {"M", "P"}


def test_the_number_of_workers_changes_nothing() -> None:
    one, two = (validate(["networks"], workers=count) for count in (1, 3))
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
