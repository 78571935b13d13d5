"""The tree of faults and what they say."""

from __future__ import annotations

import inspect

import pytest

from quantum_fabric import errors
from quantum_fabric.errors import (
    DocumentError,
    FabricError,
    Finding,
    InputError,
    QuantityError,
    UnknownNameError,
)

TREE = {
    "FabricError": (Exception,),
    "InputError": (FabricError, ValueError),
    "QuantityError": (InputError,),
    "UnknownNameError": (InputError,),
    "DocumentError": (InputError,),
    "StateError": (FabricError, RuntimeError),
    "CausalityError": (FabricError, RuntimeError),
    "ProtocolError": (FabricError, RuntimeError),
    "JournalError": (FabricError, ValueError),
}


def test_the_tree_is_complete() -> None:
    found = {
        name: kind.__bases__
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == errors.__name__
    }
    assert found == TREE


@pytest.mark.parametrize("name", sorted(TREE))
def test_each_is_in_the_drawing_at_the_top_of_the_file_and_has_a_docstring(name: str) -> None:
    assert name in (errors.__doc__ or "")
    assert getattr(errors, name).__doc__


@pytest.mark.parametrize("kind", [InputError, QuantityError, UnknownNameError])
def test_input_errors_say_found_and_expected(kind: type[InputError]) -> None:
    bare, placed = kind("1.2", "a fidelity"), kind(found="1.2", expected="a fidelity", where="fidelity")
    assert str(bare) == "found 1.2, expected a fidelity"
    assert str(placed) == "fidelity: found 1.2, expected a fidelity"
    assert (placed.found, placed.expected, placed.where) == ("1.2", "a fidelity", "fidelity")


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (Finding("n.yaml", 7, "links[0].length", "'-3 km'", "more"), "n.yaml:7: links[0].length: found '-3 km', expected more"),
        (Finding("n.yaml", 0, "", "9 MB", "less"), "n.yaml: found 9 MB, expected less"),
        (Finding("n.yaml", 0, "nodes", "none", "one"), "n.yaml: nodes: found none, expected one"),
        (Finding("n.yaml", 2, "", "a list", "a map"), "n.yaml:2: found a list, expected a map"),
    ],
)  # fmt: skip
def test_a_finding_is_a_line_that_an_editor_can_jump_to(finding: Finding, text: str) -> None:
    assert str(finding) == text


def test_a_document_error_lists_every_finding_in_order() -> None:
    findings = [Finding("n.yaml", line, f"f{line}", "this", "that") for line in (3, 1, 2)]
    error = DocumentError(findings)
    assert str(error).splitlines() == [str(finding) for finding in findings]
    assert error.findings == tuple(findings)
    assert (error.found, error.expected, error.where) == ("this", "that", "f3")
    findings.clear()  # the error keeps its own
    assert len(error.findings) == 3


@pytest.mark.parametrize("name", ["StateError", "CausalityError", "ProtocolError", "JournalError"])
def test_the_others_are_plain(name: str) -> None:
    with pytest.raises(FabricError, match=r"^in words$"):
        raise getattr(errors, name)("in words")
