"""The form of a workload document."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from quantum_fabric.documents.reading import dotted
from quantum_fabric.documents.workload_document import (
    MAX_ARRIVALS,
    FaultEntry,
    RequestEntry,
    WorkloadDocument,
    check_fidelity,
    check_workload_form,
)
from quantum_fabric.errors import QuantityError

ASK = {"from": "A", "to": "B", "fidelity": 0.9}


@pytest.mark.parametrize("value", [0.500001, 0.9, 0.999999, "0.9", "90 %", "50.1%"])
def test_fidelities(value: str | float) -> None:
    assert check_fidelity(value) == value


@pytest.mark.parametrize(
    "value", [0.5, 1.0, 0, 1, -0.9, 90, "90", "0.9 dB", "high", True, None, [0.9], {}, "nan", "inf"]
)
def test_what_is_no_fidelity(value: object) -> None:
    with pytest.raises(QuantityError, match=r"expected a fidelity in \(0.5, 1\)"):
        check_fidelity(value)


def test_requests_are_written_as_they_were() -> None:
    full = {
        **ASK,
        "fidelity": "90 %",
        "at": "1 s",
        "pairs": 3,
        "rate": "2 Hz",
        "deadline": "1 s",
        "hold": True,
        "note": "n",
    }
    entry = RequestEntry.model_validate(full)
    assert entry.plain() == full
    assert RequestEntry.model_validate(ASK).plain() == ASK


@pytest.mark.parametrize(
    "fields",
    [
        {"source": "A"},
        {"pairs": 0},
        {"pairs": "3"},
        {"hold": "no"},
        {"deadline": "-1 s"},
        {"rate": "-1 Hz"},
        {"every": "0 s"},
        {"every": "1 s", "at": "1 s"},
        {"start": "1 s"},
        {"until": "1 s"},
        {"every": "1 s", "start": "1 s", "until": "1 s"},
        {"to": "A"},
    ],
)
def test_what_is_no_request(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RequestEntry.model_validate(ASK | fields)


def test_what_is_no_fault() -> None:
    slots = [
        {"break": "B"}, {"slots": [0]}, {"break": "B", "slots": []}, {"break": "B", "slots": [-1]}, {"break": "B", "slots": [True]},
        {"fail": "B", "slots": [0]}, {"breaks": "B", "slots": [0]},
    ]  # fmt: skip
    for fields in ({}, {"cut": "x", "restore": "x"}, {"cut": 5}, {"at": "-1 s", "cut": "x"}, *slots):
        with pytest.raises(ValidationError):
            FaultEntry.model_validate({"at": "1 s", **fields})
    assert FaultEntry.model_validate({"at": "1 s", "fail": "B"}).fail == "B"
    assert FaultEntry.model_validate({"at": "1 s", "break": "B", "slots": [0, 2]}).target("break") == "B"


def test_the_least_workload() -> None:
    document = WorkloadDocument.model_validate({"kind": "workload", "version": 1, "duration": "1 s"})
    assert (document.requests, document.faults) == ((), ())


def told(**fields: Any) -> list[str]:
    found: list[str] = []
    check_workload_form(
        {"duration": "10 s", **fields}, lambda place, what, expected: found.append(dotted(place))
    )
    return found


def test_what_no_single_entry_can_see() -> None:
    assert told(requests=[{"name": "a"}, {"name": "b"}, {"name": "a"}]) == ["requests[2].name"]
    assert told(requests=[{"at": "9999 ms"}, {"at": "10 s"}, {"every": "1 s", "start": "11 s"}]) == [
        "requests[1].at",
        "requests[2].start",
    ]
    assert told(faults=[{"at": "1 h"}]) == ["faults[0].at"]


def test_streams_without_measure() -> None:
    assert told(requests=[{"every": f"{10_000_000 // MAX_ARRIVALS} us"}]) == []
    assert told(requests=[{"every": "9 us"}]) == ["requests[0].every"]


@pytest.mark.parametrize("data", [None, 5, [], {}, {"duration": 5}, {"requests": 5}, {"requests": [5, None, []], "faults": {}},
                                  {"duration": "1 s", "requests": [{"at": 5, "every": [], "name": 3}]}])  # fmt: skip
def test_junk_is_left_to_the_checks_of_single_fields(data: Any) -> None:
    found: list[Any] = []
    check_workload_form(data, lambda *fault: found.append(fault))
    assert found == []
