"""Options of `qfabric plan` for what a request may ask beyond pairs, fidelity and rate."""

from __future__ import annotations

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
