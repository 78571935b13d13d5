"""Reading of parameter files, and tolerances."""

from __future__ import annotations

import math

import pytest

from quantum_fabric.errors import InputError
from quantum_fabric.validation.parameters import Tolerance, number, parameter_file, quantity

NUMBER = {"value": "5.5 us", "letter": "R", "source": "set"}
GOOD = {
    "name": "x",
    "title": "t",
    "row": 0,
    "cite": "c",
    "sources": {"set": "a set"},
    "parameters": {"time": NUMBER},
    "measured": {"rate": {**NUMBER, "label": "a rate", "tolerance": {"relative": 0.05}}},
}


def test_a_file() -> None:
    file = parameter_file(GOOD, "0" * 64, "x.yaml")
    assert file.values() == {"time": 5.5e-6}
    assert file.measured["rate"].tolerance == Tolerance("relative", 0.05)
    assert file.fit is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "x.yaml: found the field 'extra'"),
        ({"parameters": {"time": {**NUMBER, "letter": "X"}}}, "time.letter: found 'X'"),
        ({"parameters": {"time": {**NUMBER, "source": "nobody"}}}, "time.source: found 'nobody'"),
        ({"parameters": {"time": {**NUMBER, "value": "5 parsec"}}}, "found '5 parsec'"),
        ({"parameters": {"time": {**NUMBER, "sigma": 1}}}, "the field 'sigma'"),
        ({"parameters": {"time": {"value": 1}}}, "no field 'letter'"),
        (
            {"parameters": {"time": {**NUMBER, "error": "1 us", "rounding": "1 us"}}},
            "found error and rounding",
        ),
        ({"measured": {"rate": NUMBER}}, "a label and a tolerance"),
        ({"measured": {"rate": {**NUMBER, "label": "l", "tolerance": {"about": 1}}}}, "found 'about'"),
        (
            {"measured": {"rate": {**NUMBER, "label": "l", "tolerance": {"exact": 0}, "uses": ["z"]}}},
            "rate.uses",
        ),
    ],
)
def test_what_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as refused:
        parameter_file({**GOOD, **change}, "", "x.yaml")
    assert message in str(refused.value)


FIT = {"parameter": "time", "low": 0, "high": 1, "on": ["rate"], "predicts": ["other"], "why": "w"}


@pytest.mark.parametrize(
    ("fitted", "message"),
    [
        ([FIT, FIT], "found 2 fitted parameters"),
        ([{**FIT, "parameter": "speed"}], "fitted.parameter: found 'speed'"),
        ([{**FIT, "predicts": ["rate"]}], "share nothing"),
        ([{**FIT, "predicts": []}], "share nothing"),
        ([{**FIT, "on": ["nothing"]}], "share nothing"),
    ],
)
def test_fits_that_are_refused(fitted: list[object], message: str) -> None:
    plain = {**GOOD, "measured": {**GOOD["measured"], "other": GOOD["measured"]["rate"]}, "fitted": fitted}
    with pytest.raises(InputError) as refused:
        parameter_file(plain, "", "x.yaml")
    assert message in str(refused.value)


@pytest.mark.parametrize("kind", ["absolute", "relative", "factor", "at_least", "at_most", "exact"])
def test_an_error_bar_of_the_result_widens_no_tolerance(kind: str) -> None:
    tolerance = Tolerance(kind, 1.5 if kind == "factor" else 0.1)
    for predicted in (0.3, 0.85, 1.15, 1.6):
        assert tolerance.met(predicted, 0.0, 1.0, 0.0) is tolerance.met(predicted, 0.5, 1.0, 0.5)


def test_digits_stand_for_an_interval() -> None:
    rate = number({"value": "39 Hz", "rounding": "0.5 Hz", "letter": "S", "source": "s"}, {"s": "s"}, "")
    assert rate.error == pytest.approx(0.5 / math.sqrt(3))
    assert quantity("-1.5e-3 km") == (-1.5, "km")


@pytest.mark.parametrize(
    ("tolerance", "good", "bad"),
    [
        (Tolerance("absolute", 0.1), 1.09, 1.11),
        (Tolerance("relative", 0.1), 0.91, 0.89),
        (Tolerance("factor", 2.0), 0.51, 0.49),
        (Tolerance("sigmas", 2.0), 1.19, 1.21),
        (Tolerance("at_least", 0.0), 7.0, 0.99),
        (Tolerance("at_most", 0.1), -3.0, 1.11),
        (Tolerance("exact", 0.0), 1.0, 1.0 + 1e-15),
    ],
)
def test_tolerances(tolerance: Tolerance, good: float, bad: float) -> None:
    error = 0.1 if tolerance.kind == "sigmas" else 0.0
    assert tolerance.met(good, 0.0, 1.0, error)
    assert not tolerance.met(bad, 0.0, 1.0, error)
    assert not tolerance.met(math.nan, 0.0, 1.0, error)
    assert not tolerance.met(math.inf, 0.0, 1.0, error)
