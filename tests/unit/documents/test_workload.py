"""Workloads: who asks for what and when, and what breaks."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest

from quantum_fabric import documents
from quantum_fabric.documents import Fault, FaultKind, Workload
from quantum_fabric.documents.workload import joined
from quantum_fabric.errors import DocumentError
from quantum_fabric.messages import LinkRequest
from quantum_fabric.units import MS, SECOND

ASK = {"from": "A", "to": "C", "fidelity": 0.9}


def workload(*requests: dict[str, Any], **fields: Any) -> Workload:
    data = {"kind": "workload", "version": 1, "duration": "10 s", "requests": list(requests)}
    return documents.workload_from(data | fields)


def network(**fields: Any) -> documents.Inventory:
    """A - B - C."""
    data = {
        "kind": "network",
        "version": 1,
        "title": "line",
        "nodes": [{"name": "A"}, {"name": "B"}, {"name": "C"}],
        "links": [{"between": ["A", "B"], "length": "1 km"}, {"between": ["B", "C"], "length": "1 km"}],
    }
    return documents.inventory(documents.network_from(data | fields))


def half(_: str) -> Any:
    return lambda: 0.5


def test_a_request_in_full() -> None:
    entry = {
        **ASK,
        "at": "2 s",
        "pairs": 3,
        "fidelity": "95 %",
        "rate": "5 Hz",
        "deadline": "500 ms",
        "hold": True,
    }
    [arrival] = workload({**entry, "name": "mine"}).arrivals(half)
    assert arrival.at == 2 * SECOND
    assert arrival.request == LinkRequest(
        "A", "C", 0.95, 3, 5.0, 2 * SECOND + 500 * MS, hold=True, name="mine"
    )


def test_a_request_in_short() -> None:
    [arrival] = workload(ASK).arrivals(half)
    assert (arrival.at, arrival.request) == (0, LinkRequest("A", "C", 0.9, name="A-C"))


def test_requests_without_a_name_get_one_that_nobody_has() -> None:
    made = workload(
        ASK,
        {**ASK, "name": "A-C"},
        ASK,
        {**ASK, "name": "A-C.3"},
        {**ASK, "from": "B#1"},
        {**ASK, "every": "9 s"},
    )
    names = [arrival.request.name for arrival in made.requests]
    assert names == ["A-C.2", "A-C", "A-C.4", "A-C.3", "B.1-C"]
    assert [stream.name for stream in made.streams] == ["A-C.5"]


def test_requests_come_in_order_of_time() -> None:
    made = workload(
        {**ASK, "at": "3 s"}, {**ASK, "at": "1 s"}, {**ASK, "every": "1 s", "start": "500 ms", "until": "3 s"}
    )
    times = [arrival.at for arrival in made.arrivals(half)]
    drawn = [SECOND // 2 + round(n * math.log(2) * SECOND) for n in (1, 2, 3)]
    assert times == sorted([SECOND, 3 * SECOND, *drawn])


def test_requests_of_a_stream_are_numbered_and_have_absolute_deadlines() -> None:
    made = workload({**ASK, "name": "s", "every": "3 s", "deadline": "1 s"})
    arrivals = made.arrivals(half)
    assert [arrival.request.name for arrival in arrivals] == [f"s#{n}" for n in range(1, len(arrivals) + 1)]
    assert all(arrival.request.deadline == arrival.at + SECOND for arrival in arrivals)


def test_a_stream_is_poisson() -> None:
    """Count and gaps of 20,000 expected arrivals; each bound is 6 standard deviations (false alarms below 1e-8)."""
    [stream] = workload({**ASK, "every": "10 ms"}, duration="200 s").streams
    arrivals = stream.draw(random.Random(5).random)
    assert abs(len(arrivals) - 20_000) < 6 * math.sqrt(20_000)
    times = [0, *(arrival.at for arrival in arrivals)]
    gaps = [(b - a) / MS / 10 for a, b in itertools.pairwise(times)]
    count = len(gaps)
    assert abs(sum(gaps) / count - 1) < 6 / math.sqrt(count)
    longer = sum(gap > 2 for gap in gaps) / count
    assert abs(longer - math.exp(-2)) < 6 * math.sqrt(math.exp(-2) / count)


def test_streams_do_not_disturb_each_other() -> None:
    def source(name: str) -> Any:
        return random.Random(f"1/{name}").random

    one = {**ASK, "name": "one", "every": "100 ms"}
    other = {**ASK, "name": "other", "every": "30 ms"}
    alone = workload(one).arrivals(source)
    beside = [a for a in workload(other, one).arrivals(source) if a.request.name.startswith("one")]
    assert alone == beside


def test_streams_end_with_the_run() -> None:
    made = workload({**ASK, "every": "1 s", "until": "1 h"})
    assert made.streams[0].until == 10 * SECOND
    assert all(arrival.at < 10 * SECOND for arrival in made.arrivals(half))


def test_a_number_of_zero_means_no_gap_and_stops_in_the_end() -> None:
    numbers = iter([0.0, 0.0, 0.9999999999])
    [stream] = workload({**ASK, "every": "1 s"}).streams
    assert [arrival.at for arrival in stream.draw(lambda: next(numbers))] == [0, 0]


def test_faults_in_order() -> None:
    faults = [{"at": "2 s", "restore": "A~B"}, {"at": "1 s", "cut": "A~B"}]
    made = workload(faults=[*faults, {"at": "3 s", "fail": "B"}, {"at": "4 s", "recover": "B"}])
    assert made.faults == (
        Fault(SECOND, FaultKind.CUT, "A~B"),
        Fault(2 * SECOND, FaultKind.RESTORE, "A~B"),
        Fault(3 * SECOND, FaultKind.FAIL, "B"),
        Fault(4 * SECOND, FaultKind.RECOVER, "B"),
    )
    documents.check_workload(made, network())


def test_slots_that_break() -> None:
    made = workload(faults=[{"at": "1 s", "break": "B", "slots": [1, 0]}])
    assert made.faults == (Fault(SECOND, FaultKind.BREAK, "B", (1, 0)),)
    assert documents.workload_from(made.plain()) == made
    documents.check_workload(made, network())


def test_round_trip() -> None:
    made = workload({**ASK, "every": "1 s"}, faults=[{"at": "1 s", "cut": "A~B"}], title="t")
    assert documents.workload_from(made.plain()) == made
    again = documents.parse_document(documents.dump(made))
    assert again == made
    assert isinstance(again, Workload)
    assert again.plain()["requests"][0]["from"] == "A"


def said_of(made: Workload, inventory: documents.Inventory) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        documents.check_workload(made, inventory)
    return [str(finding) for finding in caught.value.findings]


def test_names_that_the_network_does_not_have() -> None:
    made = workload(
        {**ASK, "to": "D"},
        {**ASK, "from": "Ax"},
        faults=[{"at": "1 s", "cut": "A~Bb"}, {"at": "1 s", "fail": "Z"}],
    )
    assert said_of(made, network()) == [
        "workload: requests[0].to: found 'D', expected a node of line: A, B, C",
        "workload: requests[1].from: found 'Ax', expected a node of line (did you mean 'A'?): A, B, C",
        "workload: faults[0].cut: found 'A~Bb', expected a link of the network (did you mean 'A~B'?): A~B, B~C",
        "workload: faults[1].fail: found 'Z', expected a node of the network: A, B, C",
    ]


def test_lines_come_from_the_file() -> None:
    text = "kind: workload\nversion: 1\nduration: 1 s\nrequests:\n- from: A\n  to: Q\n  fidelity: 0.9\n"
    made = documents.parse_document(text, "w.yaml")
    assert isinstance(made, Workload)
    assert said_of(made, network())[0].startswith("w.yaml:6: requests[0].to: found 'Q'")


def test_ends_that_no_path_joins() -> None:
    nodes = [{"name": "A"}, {"name": "B", "relays": False}, {"name": "C"}]
    assert said_of(workload(ASK), network(nodes=nodes)) == [
        "workload: requests[0]: found 'A' and 'C', which no path joins, "
        "expected two nodes that are joined by links and relaying nodes"
    ]
    documents.check_workload(workload({**ASK, "to": "B"}), network(nodes=nodes))


def test_ends_in_two_parts_of_a_network() -> None:
    islands = network(
        links=[{"between": ["A", "B"], "length": "1 km"}],
        classical=[{"between": ["A", "C"], "delay": "1 ms"}, {"between": ["B", "C"], "delay": "1 ms"}],
    )
    assert len(said_of(workload(ASK), islands)) == 1
    assert joined(islands, "A", "B")
    assert not joined(islands, "B", "C")


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ([{"at": "1 s", "restore": "A~B"}], "faults[0].restore: found 'A~B', which is working at 1 s"),
        (
            [{"at": "1 s", "cut": "A~B"}, {"at": "2 s", "cut": "A~B"}],
            "faults[1].cut: found 'A~B', which is down at 2 s",
        ),
        (
            [{"at": "2 s", "recover": "B"}, {"at": "3 s", "fail": "B"}],
            "faults[0].recover: found 'B', which is working at 2 s",
        ),
        (
            [{"at": "1 s", "break": "B", "slots": [0, 99]}],
            "faults[0].slots[1]: found 99, expected a memory slot of B: 0 to ",
        ),
        ([{"at": "1 s", "break": "Z", "slots": [0]}], "faults[0].break: found 'Z', expected a node"),
    ],
)
def test_faults_that_cannot_happen(faults: list[dict[str, Any]], said: str) -> None:
    assert said_of(workload(faults=faults), network())[0].startswith(f"workload: {said}")
