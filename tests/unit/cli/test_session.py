"""A scenario is everything that a run depends on; a session runs it, whole or in part, always the same."""

from __future__ import annotations

from typing import Any

import pytest

from quantum_fabric import documents
from quantum_fabric.cli.session import Scenario, Session, scenario, scenario_of
from quantum_fabric.errors import DocumentError, InputError
from quantum_fabric.ops.journal import Header
from quantum_fabric.units import MS, SECOND


def workload(**changes: Any) -> documents.Workload:
    ask = {"from": "Alice", "to": "Bob", "fidelity": 0.65, "pairs": 3}
    return documents.workload_from(
        {"kind": "workload", "version": 1, "duration": "1 s", "requests": [ask], **changes}
    )


def lab(seed: int = 1, duration: int | str | None = None, **changes: Any) -> Scenario:
    if isinstance(duration, str):
        changes["duration"], duration = duration, None
    return scenario(documents.load_network("lab"), workload(**changes), seed, duration)


class Lines(list[bytes]):
    """A sink that keeps what is written."""

    def write(self, line: bytes) -> None:
        self.append(line)


def ran(plan: Scenario, keeps: str = "requests", stop: Any = lambda: False) -> tuple[Session, Lines]:
    session, lines = Session(plan), Lines()
    session.journal(lines, plan.header(keeps))
    session.run(stop)
    return session, lines


def test_a_run_folds_and_writes() -> None:
    session, lines = ran(lab())
    assert (session.requests, session.interrupted, session.reached) == (1, False, SECOND)
    (history,) = session.histories
    assert [pair.number for pair in history.pairs] == [1, 2, 3]
    assert len(history.true_fidelities) == 3
    assert session.metrics.total("pairs_delivered") == 3
    assert session.losses.time["Alice-Bob"].pairs == 3
    assert session.losses.fidelity["Alice-Bob"].pairs == 3
    assert lines[0].startswith(b'{"journal":1')
    assert b'"interrupted":false' in lines[-1]


def test_the_same_scenario_gives_the_same_bytes_and_another_seed_does_not() -> None:
    assert ran(lab(), "full")[1] == ran(lab(), "full")[1]
    assert ran(lab(seed=2))[1][1:] != ran(lab())[1][1:]


def test_the_folds_account_for_all_time_and_fidelity() -> None:
    session, _ = ran(lab())
    (history,) = session.histories
    time = session.losses.time["Alice-Bob"]
    assert sum(time.seconds) == pytest.approx((history.pairs[-1].delivered_at - history.submitted) / SECOND)
    loss = session.losses.fidelity["Alice-Bob"]
    missing = sum(1.0 - value for value in history.true_fidelities)
    assert loss.elementary + loss.memory + loss.operations == pytest.approx(missing)


def test_a_shorter_run_leaves_out_what_comes_later() -> None:
    late = {"from": "Alice", "to": "Bob", "fidelity": 0.65, "at": "900 ms", "name": "late"}
    both = [{"from": "Alice", "to": "Bob", "fidelity": 0.65, "name": "soon"}, late]
    assert [h.request.name for h in ran(lab(requests=both))[0].histories] == ["soon", "late"]
    assert [h.request.name for h in ran(lab(duration=500 * MS, requests=both))[0].histories] == ["soon"]


def test_a_longer_run_gives_streams_more_time() -> None:
    stream = [{"from": "Alice", "to": "Bob", "fidelity": 0.65, "every": "100 ms", "name": "calls"}]
    assert lab(duration=3 * SECOND, requests=stream).duration == 3 * SECOND
    short, long = ran(lab(requests=stream))[0], ran(lab(duration=3 * SECOND, requests=stream))[0]
    assert long.requests > 2 * short.requests


def test_a_request_that_is_open_at_the_end_says_so_and_every_lease_comes_home() -> None:
    session, _ = ran(lab(requests=[{"from": "Alice", "to": "Bob", "fidelity": 0.65, "pairs": 100000}]))
    (history,) = session.histories
    assert history.unfinished
    assert history.outcome is not None
    assert not session.fabric.open_requests
    assert not session.fabric.controller.ledger.leases()


def test_faults_of_the_workload_happen() -> None:
    session, lines = ran(lab(faults=[{"cut": "Alice~Bob", "at": "20 ms"}]))
    assert session.metrics.total("link_losses") == 1
    assert any(b'"LinkChanged"' in line for line in lines)


def test_an_interrupted_run_replays_to_the_same_place() -> None:
    calls = iter(range(10**9))
    session, lines = ran(lab(), "full", stop=lambda: next(calls) > 12)
    assert session.interrupted
    assert b'"interrupted":true' in lines[-1]
    again = scenario_of(lab().header("full"), session.reached)
    assert again.until == session.reached
    assert ran(again, "full")[1] == lines


def test_a_header_holds_all_that_a_replay_needs() -> None:
    plan = lab(seed=5)
    again = scenario_of(plan.header("requests"))
    assert (again.seed, again.duration, again.network) == (plan.seed, plan.duration, plan.network)
    assert ran(again)[1] == ran(plan)[1]


def test_a_fault_of_the_program_leaves_a_marked_journal() -> None:
    def fail() -> bool:
        raise RuntimeError("a bug")

    session, lines = Session(lab()), Lines()
    session.journal(lines, session.scenario.header("requests"))
    with pytest.raises(RuntimeError, match="a bug"):
        session.run(fail)
    assert session.interrupted
    assert b'"interrupted":true' in lines[-1]


@pytest.mark.parametrize(("seed", "duration"), [(-1, None), (1, 0), (1, -5)])
def test_numbers_that_make_no_sense(seed: int, duration: int | None) -> None:
    with pytest.raises(InputError):
        lab(seed, duration)


def test_a_workload_for_another_network_is_refused_before_anything_is_built() -> None:
    with pytest.raises(DocumentError, match="expected a node of Laboratory link"):
        Session(lab(requests=[{"from": "NU", "to": "Bob", "fidelity": 0.7}]))


def test_a_header_without_a_duration_is_refused() -> None:
    good = lab().header("requests")
    with pytest.raises(InputError, match="duration in ps"):
        scenario_of(Header(good.program, 1, "requests", good.documents, {}))


def test_watching_more_does_not_change_what_happens() -> None:
    few, many = ran(lab(), "requests")[1], ran(lab(), "full")[1]
    assert set(few[1:-1]) <= set(many)
    assert len(many) > 1.5 * len(few)
    silent = Session(lab())
    silent.run(lambda: False)
    watched, _ = ran(lab())
    assert [history.pairs for history in silent.histories] == [history.pairs for history in watched.histories]


def test_streams_of_a_workload_do_not_depend_on_each_other() -> None:
    one = {"from": "Alice", "to": "Bob", "fidelity": 0.65, "every": "200 ms", "name": "one"}
    two = {**one, "name": "two", "every": "70 ms"}

    def arrivals(*requests: dict[str, Any]) -> list[int]:
        session, _ = ran(lab(requests=list(requests)))
        return [h.submitted for h in session.histories if h.request.name.startswith("one#")]

    assert arrivals(one) == arrivals(one, two)


def test_a_failed_node_recovers_and_everything_comes_home() -> None:
    """What the dead node cannot release comes home when its lease runs out; who asks meanwhile waits in the queue."""
    endless = {"from": "Alice", "to": "Bob", "fidelity": 0.65, "pairs": 100000, "name": "endless"}
    later = {"from": "Alice", "to": "Bob", "fidelity": 0.65, "pairs": 2, "at": "600 ms", "name": "later"}
    faults = [{"fail": "Bob", "at": "300 ms"}, {"recover": "Bob", "at": "500 ms"}]
    session, _ = ran(lab(requests=[endless, later], faults=faults, duration="5 s"))
    assert session.metrics.total("node_failures") == 1
    outcomes = {h.request.name: h.outcome.status.value for h in session.histories if h.outcome is not None}
    assert outcomes["endless"] == "failed"
    assert outcomes["later"] == "completed"
    assert not session.fabric.controller.ledger.leases()


@pytest.mark.parametrize("name", [entry.name for entry in documents.bundled()])
def test_every_bundled_network_runs_its_workload_for_a_moment(name: str) -> None:
    (first, *_) = next(entry.workloads for entry in documents.bundled() if entry.name == name)
    plan = scenario(documents.load_network(name), documents.load_workload(first), 3, 20 * MS)
    session, lines = ran(plan)
    assert session.reached == 20 * MS
    assert session.requests >= 1 or plan.workload.qkd, "pairs or keys are asked for"
    assert lines[-1].startswith(b'{"end":')
    assert not session.fabric.open_requests
