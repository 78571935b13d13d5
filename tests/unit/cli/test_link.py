"""`qfabric link`: pairs over a distance, and refusals that can be typed again."""

from __future__ import annotations

import re

import pytest


def test_pairs_are_printed_as_they_come(qfabric) -> None:
    result = qfabric("link", "Bob", "--distance", "20 km", "--fidelity", "0.8", "--pairs", "3")
    assert result.code == 0
    assert "expected:" in result.out
    lines = re.findall(r"^ +(\d)  ([ΦΨ][+−])  fidelity (0\.\d+)", result.out, re.MULTILINE)
    assert [number for number, _, _ in lines] == ["1", "2", "3"]
    assert all(float(fidelity) >= 0.8 for _, _, fidelity in lines)
    assert "completed: 3 of 3 pairs" in result.words


def test_on_a_network(qfabric) -> None:
    result = qfabric("link", "Bob", "--network", "lab", "-f", "0.6", "-n", "1")
    assert result.code == 0
    assert "Alice – Bob" in result.out


def test_several_paths_at_once(qfabric) -> None:
    ask = ("link", "UChicago_PME", "--source", "Fermilab_1", "--network", "chicago", "-f", "0.9", "-n", "3")
    result = qfabric(*ask, "--paths", "2")
    assert result.code == 0
    assert "Fermilab_1 – Argonne_1 – UChicago_PME" in result.out
    assert "Fermilab_1 – StarLight – UChicago_PME" in result.out
    one, two, both = re.findall(r"together: ([0-9.]+) \+ ([0-9.]+) = ([0-9.]+) pairs/s", result.words)[0]
    assert float(both) == pytest.approx(float(one) + float(two), rel=0.01)
    assert "completed: 3 of 3 pairs" in result.words
    refused = qfabric(*ask, "--paths", "7")
    assert refused.code == 1
    line = next(line for line in refused.out.splitlines() if line.strip().startswith("qfabric link"))
    assert "--paths 2" in line
    assert qfabric(*line.split()[1:]).code == 0


def test_a_refusal_can_be_typed_again(qfabric) -> None:
    result = qfabric("link", "Bob", "--network", "lab", "-f", "0.99", "-n", "1")
    assert result.code == 1
    assert "refused" in result.out
    line = next(line for line in result.out.splitlines() if line.strip().startswith("qfabric link"))
    assert qfabric(*line.split()[1:]).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Bob"], "--distance: found neither"),
        (["Bob", "-l", "20"], "expected a length such as '25 km'"),
        (["Bob", "-l", "-20 km"], "expected more than 0"),
        (["Bob", "-l", "20 km", "-f", "0.3"], "fidelity"),
        (["Alice", "-l", "20 km"], "destination"),
        (["Bob", "-l", "20 km", "-n", "0"], "pairs"),
        (["Bob", "-l", "20 km", "--network", "lab"], "distance"),
        (["Bob", "-l", "20 km", "--hardware", "magic"], "magic"),
        (["Bob", "-l", "20 km", "--paths", "2"], "paths: found 2, expected 1 path"),
        (["Bob", "--network", "lab", "--paths", "0"], "route.paths"),
    ],
)
def test_what_is_wrong_is_said(qfabric, arguments: list[str], message: str) -> None:
    result = qfabric("link", *arguments)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err
