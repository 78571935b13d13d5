"""What a workload document says of its requests beyond pairs and fidelity."""

from __future__ import annotations

from typing import Any

import pytest

from quantum_fabric.documents import inventory, load_network, workload_from
from quantum_fabric.documents.workload import check_workload
from quantum_fabric.errors import DocumentError
from quantum_fabric.messages import Bell, Promise, Route, Service
from quantum_fabric.units import MS

ASK = {"from": "NU", "to": "Argonne_1", "fidelity": 0.9}


def workload(**more: Any) -> Any:
    return workload_from({"kind": "workload", "version": 1, "duration": "1 s", "requests": [ASK | more]})


def test_every_term_reaches_the_request() -> None:
    made = workload(
        confidence="99 %", jitter="5 ms", service="prepare", bell="Ψ−", promise="average", window="20 ms", tenant="physics",
        avoid=["StarLight"], trusted=["UChicago_PME"], disjoint=["other"], key="k-1",
    )  # fmt: skip
    request = made.requests[0].request
    assert (request.confidence, request.jitter, request.window) == (0.99, 5 * MS, 20 * MS)
    assert (request.service, request.bell, request.promise) == (
        Service.PREPARE,
        Bell.PSI_MINUS,
        Promise.AVERAGE,
    )
    assert (request.tenant, request.key) == ("physics", "k-1")
    assert request.route == Route(("StarLight",), ("UChicago_PME",), ("other",))


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"confidence": 1}, "requests[0].confidence"),
        ({"jitter": "5 km"}, "requests[0].jitter"),
        ({"service": "teleport"}, "requests[0].service"),
        ({"key": "k", "every": "1 ms"}, "key beside every"),
    ],
)
def test_terms_that_make_no_sense(more: dict[str, Any], where: str) -> None:
    with pytest.raises(DocumentError) as error:
        workload(**more)
    assert where in str(error.value)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"avoid": ["Starlight"]}, "requests[0].avoid[0]: found 'Starlight'"),
        ({"avoid": ["NU"]}, "requests[0].avoid[0]: found 'NU', expected nodes other than the ends"),
        ({"trusted": ["NU~StarLight"]}, "requests[0].trusted[0]"),
        ({"trusted": ["StarLight"], "avoid": ["StarLight"]}, "requests[0].trusted[0]"),
    ],
)
def test_names_are_looked_up_in_the_network(more: dict[str, Any], where: str) -> None:
    with pytest.raises(DocumentError) as error:
        check_workload(workload(**more), inventory(load_network("chicago")))
    assert where in str(error.value)
