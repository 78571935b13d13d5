"""Who shares a network and how: workload documents, and what a controller makes of them."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from quantum_fabric.control.scheduling.catalogue import DISCIPLINES
from quantum_fabric.control.scheduling.limits import Shedding
from quantum_fabric.control.scheduling.maintenance import Upkeep
from quantum_fabric.control.scheduling.tenancy import Tenant
from quantum_fabric.control.scheduling.turns import DEFAULT
from quantum_fabric.documents import check_workload, inventory, load_network, workload_from
from quantum_fabric.documents.policy import Discipline
from quantum_fabric.errors import DocumentError
from quantum_fabric.policies import scheduling_of
from quantum_fabric.units import MS, SECOND

LAB = inventory(load_network("lab"))


def written(**changes: Any) -> dict[str, Any]:
    request = {
        "from": "Alice",
        "to": "Bob",
        "fidelity": 0.8,
        "tenant": "gold",
        "priority": 2,
        "preemptible": True,
    }
    made: dict[str, Any] = {
        "kind": "workload", "version": 1, "duration": "2 s", "requests": [request], "discipline": "weighted fair",
        "tenants": [
            {"name": "gold", "weight": 3, "asks": "20 Hz", "burst": 4},
            {"name": "iron", "slots": 4, "rate": "100 Hz", "requests": 2, "preempts": 1, "put_off": 2,
             "put_off_for": "500 ms", "window": "30 s"},
        ],
        "upkeep": [{"of": "Alice~Bob", "start": "1 s", "end": "1.5 s", "notice": "10 ms", "purpose": "calibration"}],
        "shedding": {"most": 8, "within": "2 s"},
    }  # fmt: skip
    return made | changes


def test_a_controller_gets_what_the_document_says() -> None:
    workload = workload_from(written())
    check_workload(workload, LAB)
    made = scheduling_of(workload.policy)
    assert (made.discipline, made.preempts, made.tenancy.closed) == ("weighted fair", True, True)
    assert made.tenancy.tenants == {
        "gold": Tenant("gold", weight=3.0, asks=20.0, burst=4.0),
        "iron": Tenant(
            "iron",
            slots=4,
            rate=100.0,
            requests=2,
            preempts=1,
            put_off=2,
            put_off_for=500 * MS,
            window=30 * SECOND,
        ),
    }
    (window,) = made.upkeep
    assert (window.target, window.start, window.end, window.notice) == (
        "Alice~Bob",
        SECOND,
        1500 * MS,
        10 * MS,
    )
    assert isinstance(window, Upkeep)
    assert window.purpose.value == "calibration"
    assert made.shedding == Shedding(8, 2 * SECOND)
    (arrival,) = workload.requests
    assert (arrival.request.priority, arrival.request.preemptible) == (2, True)
    assert workload_from(workload.plain()).policy == workload.policy


def test_a_document_that_says_nothing_changes_nothing() -> None:
    assert (
        scheduling_of(workload_from({"kind": "workload", "version": 1, "duration": "1 s"}).policy) == DEFAULT
    )


def test_the_disciplines_are_those_of_the_controller() -> None:
    assert set(get_args(Discipline)) == set(DISCIPLINES)


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        ({"discipline": "lottery"}, "discipline", "lottery"),
        ({"tenants": [{"name": "gold", "weight": 0}]}, "tenants[0].weight", "0"),
        ({"tenants": [{"name": "gold", "requests": -1}]}, "tenants[0].requests", "-1"),
        ({"tenants": [{"name": "gold", "asks": "0 Hz"}]}, "tenants[0].asks", "0 Hz"),
        ({"tenants": [{"name": "gold", "wait": 3}]}, "tenants[0].wait", "did you mean"),
        ({"upkeep": [{"of": "Alice~Bob", "start": "2 s", "end": "1 s"}]}, "upkeep[0]", "after the start"),
        ({"shedding": {"most": 8, "by": "lot"}}, "shedding.by", "lot"),
    ],
)
def test_faults_of_form_are_told_with_their_place(change: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        workload_from(written(**change))
    assert where in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        ({"tenants": [{"name": "golt"}]}, "requests[0].tenant", "did you mean 'golt'"),
        ({"tenants": [{"name": "gold"}, {"name": "gold"}]}, "tenants[1].name", "second tenant"),
        (
            {"upkeep": [{"of": "Alice~Rob", "start": "1 s", "end": "2 s"}]},
            "upkeep[0].of",
            "did you mean 'Alice~Bob'",
        ),
    ],
)
def test_names_that_nobody_has_are_told(change: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        check_workload(workload_from(written(**change)), LAB)
    assert where in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(("strangers", "knows"), [("welcome", True), ("refused", False)])
def test_strangers(strangers: str, knows: bool) -> None:
    workload = workload_from(written(tenants=[{"name": "iron"}], strangers=strangers))
    check_workload(workload, LAB)
    assert scheduling_of(workload.policy).tenancy.knows("gold") is knows
