"""From a session to a report: positions in one unit, faults marked, assumptions said."""

from __future__ import annotations

import math

import pytest

from quantum_fabric import documents
from quantum_fabric.cli.page import broken, notes, page, positions
from quantum_fabric.cli.session import Session, scenario


def test_degrees_are_made_equal_and_metres_left_alone() -> None:
    chicago = documents.load_network("chicago")
    given = documents.inventory(chicago).positions
    shown = positions(chicago, given)
    (a, b) = ("NU", "Fermilab_1")
    width = (shown[a][0] - shown[b][0]) / (given[a][0] - given[b][0])
    assert width == pytest.approx(math.cos(math.radians(41.8)), abs=0.01)
    assert shown[a][1] == given[a][1]
    assert positions(documents.load_network("lab"), {"Alice": (0.0, 5.0)}) == {"Alice": (0.0, 5.0)}
    assert positions(chicago, {}) == {}


def test_what_is_assumed_is_said() -> None:
    (note,) = notes(documents.load_network("chicago"))
    assert note.startswith("Assumed or recalled, not measured: ")


def test_a_page_of_a_run_with_faults() -> None:
    load = documents.workload_from(
        {
            "kind": "workload",
            "version": 1,
            "duration": "200 ms",
            "requests": [{"from": "Alice", "to": "Bob", "fidelity": 0.6, "pairs": 2}],
            "faults": [{"cut": "Alice~Bob", "at": "100 ms"}, {"fail": "Bob", "at": "150 ms"}],
        }
    )
    session = Session(scenario(documents.load_network("lab"), load, 1))
    session.run(lambda: False)
    assert broken(session, documents.FaultKind.CUT) == {"Alice~Bob"}
    assert broken(session, documents.FaultKind.FAIL) == {"Bob"}
    text = page(session, "qfabric replay x")
    for part in ("Laboratory link", "Alice~Bob", "cut for some time", "controller at", "qfabric replay x"):
        assert part in text
