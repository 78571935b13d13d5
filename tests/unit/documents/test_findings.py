"""From what pydantic says to what a person can use."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field, ValidationError

from quantum_fabric.documents.fields import Entry, Length, Name
from quantum_fabric.documents.findings import Findings, kind_of, nearest, translate
from quantum_fabric.documents.reading import compose
from quantum_fabric.errors import DocumentError, Finding


class Inner(Entry):
    name: Name = Field(description="a name")
    lengths: tuple[Length, ...] = ()
    source: str | None = Field(None, alias="from")


class Outer(Entry):
    kind: Literal["outer"]
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    pair: tuple[float, float] = (0.0, 0.0)
    share: float = Field(0.5, gt=0, lt=1)


def told(data: object) -> dict[str, str]:
    """Field -> what was found and expected."""
    findings = Findings("f")
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    translate(Outer, caught.value, findings.report)
    with pytest.raises(DocumentError) as raised:
        findings.stop()
    return {f.field: f"{f.found} / {f.expected}" for f in raised.value.findings}


def test_what_is_missing_is_described() -> None:
    assert told({"kind": "outer", "inner": {}, "many": [{"name": "A"}, {}]}) == {
        "inner.name": "nothing / a name",
        "many[1].name": "nothing / a name",
    }
    assert told({}) == {"kind": "nothing / the field 'kind'"}
    assert told({"kind": "outer", "pair": [1]}) == {"pair[1]": "nothing / a list of 2"}


def test_unknown_fields_come_with_the_known_ones() -> None:
    assert told({"kind": "outer", "inner": {"name": "A", "fro": "B"}, "shar": 1}) == {
        "inner.fro": "the unknown field 'fro' / a field (did you mean 'from'?): name, lengths, from",
        "shar": "the unknown field 'shar' / a field (did you mean 'share'?): kind, inner, many, pair, share",
    }


def test_our_own_checks_speak_for_themselves() -> None:
    said = told({"kind": "outer", "many": [{"name": "A", "lengths": ["1 km", "-1 km"]}]})
    assert said == {"many[0].lengths[1]": "'-1 km' / a length above 0 such as '25 km'"}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("kind", "inner", "'inner' / 'outer'"),
        ("inner", 5, "5 / a mapping with name, lengths, from"),
        ("many", 5, "5 / a list"),
        ("pair", [1, 2, 3], "a list of 3 / a list of 2"),
        ("share", 0, "0 / a number above 0"),
        ("share", 1, "1 / a number below 1"),
        ("share", "half", "'half' / a number"),
        ("share", [], "a list of 0 / a number"),
    ],
)
def test_types_and_bounds(field: str, value: object, said: str) -> None:
    assert told({"kind": "outer", field: value}) == {field: said}


def test_findings_come_in_the_order_of_the_file_and_once() -> None:
    tree, already = compose("a: 1\nb: 2\nc: 3\n", "f.yaml")
    findings = Findings("f.yaml", tree, already)
    assert not findings
    findings.stop()
    for key in ("c", "a", "b", "c"):
        findings.report((key,), "x", "y")
    assert findings
    with pytest.raises(DocumentError) as caught:
        findings.stop()
    assert [finding.line for finding in caught.value.findings] == [1, 2, 3]


def test_data_that_was_never_a_file_has_no_lines() -> None:
    findings = Findings("journal")
    findings.report(("a", 0), "x", "y")
    with pytest.raises(DocumentError) as caught:
        findings.stop()
    assert caught.value.findings == (Finding("journal", 0, "a[0]", "x", "y"),)
    assert str(caught.value) == "journal: a[0]: found x, expected y"


def test_a_long_list_of_names_is_cut() -> None:
    said = nearest("a node", "n300", [f"n{number}" for number in range(273)])
    assert said.startswith("a node (did you mean 'n30'?): n0, n1,")
    assert said.endswith("n19 and 253 more")


@pytest.mark.parametrize(
    ("data", "kind"), [({"kind": "network"}, "network"), ({}, ""), ({"kind": 1}, ""), ([], ""), (None, "")]
)
def test_kinds(data: object, kind: str) -> None:
    assert kind_of(data) == kind
