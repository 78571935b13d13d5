"""Counts, not clocks: what a benchmark measures must not depend on the machine's mood."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # the benchmarks are no part of the installed package

from benchmarks import event_path, processes, report, startup, suites  # noqa: E402
from benchmarks.__main__ import main  # noqa: E402
from benchmarks.chain import RULES, Service, _halves, inventory, serve  # noqa: E402
from benchmarks.peers import SEQUENCE, Peer, PeerError, environments, how_to_install, interpreter, said_of  # noqa: E402
from benchmarks.records import Goal, Row  # noqa: E402
from benchmarks.run import Run  # noqa: E402
from benchmarks.workload import LENGTHS, Chain  # noqa: E402

from quantum_fabric.documents import topology  # noqa: E402
from quantum_fabric.messages import Plan, Truth  # noqa: E402

# ------------------------------------------------------------------------------------------------- workload


def test_workload_numbers() -> None:
    chain = Chain(17)
    # 0.5 (0.9 x 10^-0.2)^2
    assert chain.success == pytest.approx(0.5 * (0.9 * 0.6309573444801932) ** 2, rel=1e-12)
    assert chain.delay == 100_000_000
    assert chain.memory_time == 0.75
    assert chain.names[0] == "n00"
    assert chain.names[-1] == "n16"


def test_peer_is_asked_for_the_same_numbers() -> None:
    told = Chain(9).numbers()
    assert Chain(**told) == Chain(9)
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("rules", RULES)
def test_inventory_is_the_workload(rules: str) -> None:
    chain = Chain(5)
    network = topology(inventory(chain, rules))
    assert network.neighbours("n02") == ("n01", "n03")
    assert network.delay("n00", "n04") == (0 if rules == "instant" else 4 * chain.delay)
    heralding = network.links["n00~n01"].model.heralding()
    assert heralding.success == chain.success
    assert heralding.fidelity == pytest.approx(chain.fresh, abs=1e-12)
    assert heralding.period == chain.delay * (4 if rules == "nested" else 1)
    assert heralding.heard == (chain.delay, chain.delay)


# ---------------------------------------------------------------------------------------------- event counts


@pytest.mark.parametrize("nodes", [3, 5, 9])
def test_instant_chain_costs_five_events_for_each_link_and_pair(nodes: int) -> None:
    pairs = 40
    served = serve(Chain(nodes), "instant", pairs)
    least = Chain(nodes).events * pairs
    # above it: admission, installation, and links that were under way when the last pair came
    assert least <= served.events <= least + 20 * nodes


@pytest.mark.parametrize("rules", ["messages", "nested"])
def test_delays_cost_a_third_more_events_at_most(rules: str) -> None:
    chain, pairs = Chain(9), 60
    served = serve(chain, rules, pairs)
    assert chain.events * pairs <= served.events <= 1.35 * chain.events * pairs + 20 * chain.nodes


def test_same_seed_same_run() -> None:
    first, second = (serve(Chain(5), "messages", 20, seed=5) for _ in range(2))
    timeless = ("pairs", "events", "ms_per_pair", "fidelity", "estimated")
    assert [getattr(first, name) for name in timeless] == [getattr(second, name) for name in timeless]


def test_hold_model_runs_every_event_once() -> None:
    assert event_path.hold(5_000)["events"] == 5_000
    assert event_path.bare_hold(5_000)["events"] == 5_000


def test_draws_are_counted() -> None:
    assert event_path.draws(1_000)["events"] == 1_000


def test_import_loads_nothing_heavy() -> None:
    loaded = f"import quantum_fabric, sys; print([n for n in {startup.HEAVY!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---------------------------------------------------------------------------------------------- equal physics


def test_three_nodes_wait_for_the_slower_of_two_links() -> None:
    """Without delays both links start anew together, so waits are maxima of two geometric numbers of attempts.

    False-alarm rate: 5 standard errors, 6e-7.
    """
    chain, pairs = Chain(3), 2_000
    p, q = chain.success, 1 - chain.success
    mean = (3 - 2 * p) / (p * (2 - p))
    # E[max^2] = 2 E[G^2] - E[min^2], where a geometric number has E[G^2] = (1+q)/p^2 and the minimum has failure q^2
    square = 2 * (1 + q) / p**2 - (1 + q * q) / (1 - q * q) ** 2
    error = math.sqrt((square - mean * mean) / (pairs - 1))
    served = serve(chain, "instant", pairs)
    period = chain.delay / 1e9  # ms
    assert abs(served.ms_per_pair / period - mean) < 5 * error


def test_fidelity_of_instant_chain_follows_from_idle_times() -> None:
    """Three nodes: x = y = z = c0^2 exp(-2 (T_a + T_b)/T1), and the estimate is the truth when belief is truth."""
    chain, pairs = Chain(3), 50
    service = Service(chain, "instant", pairs)
    seen: list[Truth] = []
    service.fabric.watch(lambda time, place, message: seen.append(message), Truth)
    service.begin()
    service.finish()
    served = service.served(0.0, 0.0)
    assert served.fidelity == pytest.approx(served.estimated, abs=1e-12)
    best = (4 * chain.fresh - 1) / 3
    # each half of both links waits for its herald at least
    idle = math.exp(-4 * chain.delay * 1e-12 / chain.memory_time)
    assert max(truth.weights[0] for truth in seen) == pytest.approx((1 + 3 * best**2 * idle) / 4, rel=1e-9)


def test_nested_rules_swap_in_halves() -> None:
    path = tuple(Chain(5).names)
    joins = _halves(path)
    assert [(join.at, join.left, join.right) for join in joins] == [
        ("n01", "n00", "n02"),
        ("n03", "n02", "n04"),
        ("n02", "n00", "n04"),
    ]


def test_chain_that_is_planned_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import chain as module

    real = module.planned

    def other(*args: object, **named: object) -> object:
        found = real(*args, **named)  # type: ignore[arg-type]
        assert isinstance(found, Plan)
        return module.replace(found, cutoff=1_000)

    monkeypatch.setattr(module, "planned", other)
    with pytest.raises(RuntimeError, match="another scheme"):
        serve(Chain(3), "messages", 2)


# ---------------------------------------------------------------------------------------------------- goals


def test_goals() -> None:
    assert Goal(2.0).met(2.0)
    assert not Goal(2.0).met(2.1)
    assert Goal(2.0, at_least=True).met(2.0)
    assert Goal(2.0).decibels(0.2) == pytest.approx(10.0)
    assert Goal(2.0, at_least=True).decibels(0.2) == pytest.approx(-10.0)
    assert str(Goal(2.0)) == "≤ 2"


def test_ratio_says_how_many_times_better() -> None:
    assert Row("a", "ms", 1.0, Goal(2.0), peer=20.0).ratio == 20.0
    assert Row("a", "events/s", 20.0, Goal(2.0, at_least=True), peer=10.0).ratio == 2.0
    assert Row("a", "ms", 1.0, Goal(2.0)).ratio is None


@pytest.mark.parametrize(
    ("row", "verdict", "sound"),
    [
        (Row("a", "ms", 1.0, Goal(2.0)), "yes", True),
        (Row("slow", "ms", 3.0, Goal(2.0)), "no", True),
        (Row("peer too near", "ms", 1.0, Goal(2.0), peer=5.0, ratio_goal=10.0), "no", True),
        (Row("peer far", "ms", 1.0, Goal(2.0), peer=15.0, ratio_goal=10.0), "yes", True),
        (Row("count", "ms", 1.0, Goal(2.0), count=5.0, count_goal=Goal(4.0)), "no: count", False),
        (Row("broken", "ms", None, Goal(2.0), failure="why"), "failed", False),
    ],
    ids=lambda value: value.name if isinstance(value, Row) else None,
)
def test_verdicts(row: Row, verdict: str, sound: bool) -> None:
    assert row.verdict() == verdict
    assert row.sound is sound


def test_chain_row_takes_medians() -> None:
    numbers = {"pairs": 100, "events": 1_000, "ms_per_pair": 1.0, "fidelity": 0.9, "setup": 0.1}
    mine = [{**numbers, "cpu": cpu} for cpu in (0.9, 0.02, 0.03)]
    theirs = [{**numbers, "cpu": cpu, "pairs": 10} for cpu in (0.1, 0.05, 0.9)]
    row = suites.chain_row(3, "instant", mine, theirs, "peer 1.0", "")
    assert row.ours == pytest.approx(0.3)
    assert row.peer == pytest.approx(10.0)
    assert row.count == 10.0
    assert row.details["peer"]["fidelity"] == 0.9
    assert row.verdict() == "yes"


def test_chain_row_without_measurement_says_why() -> None:
    row = suites.chain_row(3, "messages", [], [], "not installed", "exit code 1: boom")
    assert row.verdict() == "failed"
    assert "boom" in row.failure


# --------------------------------------------------------------------------------------------------- profile


def test_profile_shares_are_a_whole() -> None:
    found = event_path.profile(3, "messages", 20)
    assert sum(found["rooms"].values()) == pytest.approx(1.0, abs=1e-2)
    assert {"control", "twin", "kernel", "fabric"} <= set(found["rooms"])
    assert found["functions"][0]["share"] >= found["functions"][-1]["share"]


def test_time_of_builtins_flows_to_the_rooms_that_called_them() -> None:
    ours, theirs = event_path.Clock.schedule.__code__, json.dumps.__code__
    own = Counter({ours: 1.0, theirs: 1.0, "<built-in method len>": 2.0})
    callers = {"<built-in method len>": {theirs: 3.0}, theirs: {ours: 1.0}}
    assert event_path.shares(own, callers) == {"kernel": 1.0}


def test_time_in_a_circle_outside_the_rooms_is_pythons() -> None:
    own = Counter({"a": 1.0, "b": 1.0, event_path.Clock.schedule.__code__: 2.0})
    callers = {"a": {"b": 1.0}, "b": {"a": 1.0}}
    assert event_path.shares(own, callers) == {"kernel": 0.5, "python": 0.5}


# ----------------------------------------------------------------------------------------- peers, processes


@pytest.fixture
def no_peer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(SEQUENCE.variable, str(tmp_path / "nowhere"))


@pytest.mark.usefixtures("no_peer")
def test_without_peer_it_says_how_to_get_it() -> None:
    run = Run(quick=True)
    assert interpreter(SEQUENCE) is None
    assert suites._peer(run) == (None, "not installed")
    assert run.notes == [how_to_install(SEQUENCE)]
    assert "--install-peers" in run.notes[0]
    assert SEQUENCE.variable in run.notes[0]


def test_interpreter_without_the_peer_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SEQUENCE.variable, sys.executable)
    assert interpreter(SEQUENCE) == Path(sys.executable)
    with pytest.raises(PeerError, match="does not have"):
        said_of(SEQUENCE, Path(sys.executable))
    run = Run()
    assert suites._peer(run) == (None, "not installed")
    assert "does not have" in run.notes[0]


def test_python_that_is_too_old_for_the_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer("Future", "future", "future==1", (9, 0), "QF_PEER_FUTURE", Path("none.py"))
    monkeypatch.setattr(environments.shutil, "which", lambda name: sys.executable)
    with pytest.raises(PeerError, match=r"Python 9\.0 or newer"):
        environments._new_enough(peer)
    assert (
        environments._new_enough(Peer("Now", "now", "now==1", (3, 11), "X", Path("none.py")))
        == sys.executable
    )


@pytest.mark.slow
@pytest.mark.skipif(interpreter(SEQUENCE) is None, reason="SeQUeNCe is not installed")
def test_sequence_driver_delivers() -> None:
    python = interpreter(SEQUENCE)
    served = processes.ask([str(python), str(SEQUENCE.driver)], {"chain": Chain(3).numbers(), "pairs": 20})
    assert served["pairs"] == 20
    assert 0.95 < served["fidelity"] < 0.985
    assert served["events"] > 1_000


def test_worker_answers() -> None:
    assert processes.ours("draws", number=10)["events"] == 10


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit('no luck')", "exit code 1: no luck"),
        ("print('hello')", "not JSON"),
        ("print(3)", "not an object"),
        ("pass", "not JSON"),
    ],
)
def test_process_that_does_not_measure(code: str, message: str) -> None:
    with pytest.raises(processes.MeasurementError, match=message):
        processes.ask([sys.executable, "-c", code], {})


def test_process_that_takes_too_long() -> None:
    with pytest.raises(processes.MeasurementError, match="timed out"):
        processes.ask([sys.executable, "-c", "import time; time.sleep(60)"], {}, timeout=0.3)


def test_cpu_of_a_process() -> None:
    cpu, said = processes.cpu_of([sys.executable, "-c", "import sys; print(7, file=sys.stderr)"])
    assert 0.0 < cpu < 5.0
    assert said == "7"
    with pytest.raises(processes.MeasurementError, match="boom"):
        processes.cpu_of([sys.executable, "-c", "raise SystemExit('boom')"])


# ---------------------------------------------------------------------------------------------- command line


@pytest.mark.usefixtures("no_peer")
def test_quick_run_writes_results(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    done = CliRunner().invoke(main, ["kernel", "profile", "--quick", "--json", str(out)])
    assert done.exit_code == 0, done.output
    assert "kernel/hold" in done.output
    assert "Profile of the event path" in done.output
    results = json.loads(out.read_text(encoding="utf-8"))
    assert [row["name"] for row in results["rows"]] == ["kernel/hold", "kernel/draws"]
    assert results["quick"] is True
    assert results["machine"]["python"]
    assert results["profile"]["rooms"]["control"] > 0


def test_failure_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **question: object) -> dict[str, object]:
        raise processes.MeasurementError("exit code 1: boom")

    monkeypatch.setattr(suites, "ours", broken)
    done = CliRunner().invoke(main, ["kernel", "--quick"])
    assert done.exit_code == 1
    assert "boom" in done.output


def test_unknown_name_is_refused() -> None:
    done = CliRunner().invoke(main, ["warp"])
    assert done.exit_code == 2
    assert "kernel" in done.output


def test_every_length_has_its_numbers() -> None:
    assert set(LENGTHS) == set(suites.PEER_PAIRS) == set(suites.CPU_GOALS)


def test_report_of_a_chain_says_what_was_simulated() -> None:
    numbers = {
        "pairs": 100,
        "events": 1_000,
        "cpu": 0.1,
        "ms_per_pair": 1.25,
        "fidelity": 0.9876,
        "setup": 0.1,
    }
    row = suites.chain_row(3, "messages", [numbers], [numbers], "Peer 1.0", "")
    console = report.Console(width=200, record=True, file=io.StringIO())
    report.show(console, [row], Run())
    text = console.export_text()
    assert "chain/3, Peer 1.0" in text
    assert "0.9876" in text
    assert "1.2500" in text
