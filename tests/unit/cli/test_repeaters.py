"""`qfabric repeaters` and encoded links on the command line."""

from __future__ import annotations

import pytest

from quantum_fabric.cli.repeaters import verdicts
from quantum_fabric.network.crossover import TWO_WAY, Point, crossings


def test_a_table_a_verdict_and_a_figure(qfabric, tmp_path) -> None:
    result = qfabric(
        "repeaters", "-l", "20 km", "-l", "30 km", "-f", "0.9", "-m", "24", "-c", "bare", "-o", "figure.svg"
    )
    assert result.code == 0
    assert "two-way" in result.out
    assert "bare never overtakes" in result.words
    text = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert "pairs delivered per second" in text
    assert "bare (no code)" in text


def test_every_verdict() -> None:
    points = [
        Point(scheme, km * 1e3, rate, 0.01, 1)
        for scheme, rates in {
            TWO_WAY: (9.0, 1.0),
            "late": (1.0, 9.0),
            "never": (1.0, 0.5),
            "always": (10.0, 2.0),
        }.items()
        for km, rate in zip((10, 20), rates, strict=True)
    ]
    text = verdicts(points, crossings(points))
    assert text == [
        "late overtakes the two-way scheme between 10 km and 20 km, at about 15 km",
        "never never overtakes the two-way scheme up to 20 km",
        "always is ahead of the two-way scheme from the shortest distance on",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-l", "20"], "expected a length such as '25 km'"),
        (["-l", "0 km"], "expected a distance above 0"),
        (["-f", "0.3"], "fidelity"),
        (["-c", "turbo", "-l", "20 km"], "expected one of bare"),
        (["-o", "figure.doc"], "expected a file that ends with"),
        (["-l", "20 km", "--t2", "5 parsec"], "memory.t2"),
    ],
)
def test_what_is_wrong_is_said(qfabric, arguments: list[str], message: str) -> None:
    result = qfabric("repeaters", *arguments)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


def test_logical_pairs_are_printed_as_they_come(qfabric) -> None:
    result = qfabric(
        "link",
        "Bob",
        "-l",
        "20 km",
        "-f",
        "0.9",
        "-n",
        "2",
        "-m",
        "24",
        "--error-correction",
        "phase-repetition-3",
    )
    assert result.code == 0
    assert "repetition of 3 qubits against phase flips" in result.words
    assert "completed: 2 of 2 pairs" in result.words


def test_a_refusal_can_be_typed_again(qfabric) -> None:
    result = qfabric(
        "link", "Bob", "-l", "20 km", "-f", "0.99999", "-n", "1", "-m", "24", "--error-correction", "bare"
    )
    assert result.code == 1
    assert "--memories 24 --error-correction bare" in result.words
