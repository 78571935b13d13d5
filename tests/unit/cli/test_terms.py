"""Options of `qfabric plan` for what a request may ask beyond pairs, fidelity and rate."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from quantum_fabric.cli.plan import command
from quantum_fabric.errors import InputError

PLAN = ["lab", "Alice", "Bob", "--fidelity", "0.8"]


def typed(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(command, [*PLAN, *words], standalone_mode=False)
    assert result.return_value == code, result.output
    return result.output


def test_an_explanation_says_what_binds_and_what_is_guaranteed() -> None:
    said = typed("--explain", "--direct", "--confidence", "0.9")
    for words in ("what binds: link ", "guaranteed: ", "90 %"):
        assert words in said


def test_what_binds_may_be_a_term() -> None:
    said = typed("--pairs", "5", "--jitter", "1 ns", code=1)
    assert "refused (UNSUPP)" in said
    assert "--jitter" in said  # in the command that would be accepted


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("--avoid", "Alice"), "route.avoid"),
        (("--confidence", "2"), "confidence"),
        (("--direct", "--trusted", "X"), "--trusted"),
    ],
)
def test_contradictions(words: tuple[str, ...], where: str) -> None:
    result = CliRunner().invoke(command, [*PLAN, *words], standalone_mode=False)
    assert isinstance(result.exception, InputError)
    assert where in (str(result.exception) + result.output)


def test_terms_are_asked_and_typed_again() -> None:
    """What a refusal offers is typed with every term that was asked for."""
    words = ("--service", "measure", "--bell", "psi-", "--tenant", "physics", "--paths", "2")
    said = typed(*words, code=1)
    assert "2 paths without a common link or repeater are asked, and there is 1" in said
    for word in ("--service measure", "--bell psi-", '--tenant "physics"'):
        assert word in " ".join(said.split())
    assert "--paths" not in said.split("would be accepted", 1)[1]
    assert "refused (OTHER)" in typed(
        "--bell", "phi+", "--service", "keep", "--tenant", "x", "--avoid", "Nowhere", code=1
    )


def test_several_paths_are_shown_with_what_they_give_together() -> None:
    words = [
        "chicago",
        "Fermilab_1",
        "UChicago_PME",
        "--fidelity",
        "0.9",
        "--paths",
        "2",
        "--deadline",
        "1 s",
    ]
    result = CliRunner().invoke(command, words, standalone_mode=False)
    assert result.return_value == 0
    for text in ("path 1 of 2", "path 2 of 2", "together: ", "by the deadline: probability "):
        assert text in result.output
    asked = CliRunner().invoke(command, [*words, "--json"], standalone_mode=False)
    shape = json.loads(asked.output)
    assert shape["request"]["route"]["paths"] == 2
    assert len(shape["others"]) == 1


def test_a_refusal_says_what_the_best_would_give() -> None:
    said = typed("--rate", "1e9", code=1)
    assert "best that was found: " in said
