"""Drift and calibration from end to end: what truth does, what belief does not, and what crosses the seam."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Tape, nothing_left
from quantum_fabric import documents
from quantum_fabric.cli.session import Session, scenario
from quantum_fabric.errors import InputError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.messages import (
    Accepted,
    Calibrate,
    Calibrated,
    Delivered,
    Drifted,
    LinkChanged,
    LinkReport,
    LinkRequest,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Status,
    Truth,
)
from quantum_fabric.ops.journal import Header
from quantum_fabric.physics.drift import coherence
from quantum_fabric.units import SECOND, Time

SOURCE = Path(__file__).resolve().parents[2] / "src" / "quantum_fabric"
PHASE = 0.4
"""rad/√s that the lock of the phase leaves in these tests."""


def written(nodes: str = "AB", drift: Any = None, calibration: Any = None, **more: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "node": {"sheet": "lab-best", "slots": 4},
        "fibre": "smf-28",
        "detector": "snspd",
        "architecture": "single_click",
        **{
            key: value for key, value in (("drift", drift), ("calibration", calibration)) if value is not None
        },
    }
    links = [{"between": [a, b], "length": "10 km", "loss": "28 dB"} for a, b in pairwise(nodes)]
    entries = [{"name": name} for name in nodes]
    return {"kind": "network", "version": 1, "defaults": defaults, "nodes": entries, "links": links, **more}


def fabric_of(data: dict[str, Any], seed: int = 1, states: str | None = None) -> Fabric:
    return Fabric(documents.inventory(documents.network_from(data)), seed=seed, states=states)


DRIFT = {"phase": f"{PHASE} rad/sqrt(s)", "polarisation": "held", "step": "50 ms"}
SCHEDULE = {"every": "3 s", "takes": "500 ms"}


@cache
def told(
    drift: str | None, schedule: bool, seed: int = 1, until: Time = 12 * SECOND, states: str = "bell-diagonal"
) -> Tape:
    words = {"drift": DRIFT, "held": "held", None: None}[drift]
    fabric = fabric_of(written(drift=words, calibration=SCHEDULE if schedule else None), seed, states)
    tape = Tape(fabric)
    fabric.submit(LinkRequest("A", "B", 0.75, pairs=100_000))
    fabric.run(until)
    return tape


def fidelities(tape: Tape) -> list[tuple[float, float]]:
    return [(truth.at / SECOND, truth.weights[0]) for _, _, truth in tape.of(Truth)]


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


# ------------------------------------------------------------------------------------------- truth


def test_a_link_that_is_held_runs_bit_for_bit_as_before() -> None:
    """Golden: with every wander held there is no event, no draw and no message more than without a word of drift."""
    plain, held = told(None, False), told("held", False)
    assert plain.entries == held.entries
    assert len(plain.of(Truth)) > 50


@pytest.mark.parametrize("states", ["bell-diagonal", "exact"])
def test_fidelity_is_a_saw_tooth_and_the_formula_says_which(states: str) -> None:
    """Each pair has the fidelity of the phase that was revealed before it was born; a calibration brings the best one back."""
    tape = told("drift", True, states=states)
    setting = tape.of(Accepted)[0][2].plan.links[0].setting
    model = documents.inventory(documents.network_from(written())).links["A~B"].model
    changes = [(0, 0.0)] + [(one.at, one.phase) for _, _, one in tape.of(Drifted)]
    delay = max(model.heralding(setting, 4).heard)

    @cache
    def fidelity(phase: float) -> float:
        return model.under(Conditions(phase=phase)).heralding(setting, 4).fidelity

    truths = [truth for _, _, truth in tape.of(Truth)]
    assert len(truths) > 2000
    for truth in truths:
        # births are a multiple of the delay before; where a step came between, either side of it will do
        near = {phase for (at, phase), (end, _) in zip(changes, [*changes[1:], (math.inf, 0.0)], strict=True)
                if at <= truth.at and truth.at - 3 * delay <= end}  # fmt: skip
        assert any(abs(truth.weights[0] - fidelity(phase)) < 1e-5 for phase in near)
    done = sorted({at for at, _, _ in tape.of(Calibrated)})
    assert done == [7 * SECOND // 2, 13 * SECOND // 2, 19 * SECOND // 2]
    for at in done:
        first = next(truth for truth in truths if truth.at > at + 3 * delay)
        assert first.weights[0] == pytest.approx(fidelity(0.0), abs=1e-5)
    assert min(truth.weights[0] for truth in truths) < fidelity(0.0) - 0.05


def test_the_mean_truth_over_many_seeds_follows_the_mean_coherence() -> None:
    """Pairs of t = 1 s, one for each of 40 seeds: F = ½(F_0 + F_π) + ½(F_0 - F_π) exp(-σ²t/2); false alarm 4e-8."""
    model = documents.inventory(documents.network_from(written())).links["A~B"].model
    drift = {**DRIFT, "phase": "1 rad/sqrt(s)", "step": "100 ms"}
    found = []
    for seed in range(40):
        fabric = fabric_of(written(drift=drift), seed)
        tape = Tape(fabric, Truth, Accepted)
        # asked at 1 s, when the tenth step has been made; the first pair comes long before the eleventh
        fabric.submit(LinkRequest("A", "B", 0.75, pairs=1), at=SECOND)
        fabric.run(SECOND + 95 * SECOND // 1000)
        found.append(tape.of(Truth)[0][2].weights[0])
    setting = tape.of(Accepted)[0][2].plan.links[0].setting
    best, worst = (
        model.under(Conditions(phase=phase)).heralding(setting, 4).fidelity for phase in (0.0, math.pi)
    )
    expected = 0.5 * (best + worst) + 0.5 * (best - worst) * coherence(1.0, 1.0)
    spread = math.sqrt(math.fsum((value - mean(found)) ** 2 for value in found) / 39)
    assert abs(mean(found) - expected) < 5.5 * spread / math.sqrt(40)
    assert mean(found) < best - 0.03


def test_nothing_is_born_while_a_link_is_calibrated_and_much_is_afterwards() -> None:
    tape = told("drift", True)
    births = [one.created_at for _, _, one in tape.of(Delivered)]
    for start in (3, 6, 9):
        assert not any(start * SECOND < at < start * SECOND + SECOND // 2 for at in births)
        assert any(start * SECOND + SECOND // 2 < at < start * SECOND + 6 * SECOND // 10 for at in births)


def test_detectors_that_age_make_heralds_slower() -> None:
    """Heralds in the second half of a run against the first: the success falls by exp(-rt); six standard errors."""
    drift = {"phase": "held", "polarisation": "held", "detectors": "0.2 /s", "step": "50 ms"}
    fabric = fabric_of(written(drift=drift))
    tape = Tape(fabric, Truth)
    fabric.submit(LinkRequest("A", "B", 0.75, pairs=100_000))
    fabric.run(8 * SECOND)
    times = [truth.at / SECOND for _, _, truth in tape.of(Truth)]
    early, late = sum(at < 4 for at in times), sum(at >= 4 for at in times)
    ratio = math.exp(-0.2 * 4)
    total = early + late
    expected = total * ratio / (1 + ratio)
    # one detected photon makes a herald, so heralds follow the efficiency; waiting in memory adds nothing at this rate
    assert abs(late - expected) < 6 * math.sqrt(total * ratio) / (1 + ratio) + 0.03 * expected


def test_same_seed_same_run() -> None:
    again = fabric_of(written(drift=DRIFT, calibration=SCHEDULE))
    tape = Tape(again)
    again.submit(LinkRequest("A", "B", 0.75, pairs=100_000))
    again.run(12 * SECOND)
    assert tape.entries == told("drift", True).entries


def test_another_link_changes_nothing() -> None:
    """A drifting neighbour draws from streams of its own."""

    def heard(nodes: str) -> Any:
        fabric = fabric_of(written(nodes, DRIFT, SCHEDULE, controller="A"))
        tape = Tape(fabric, Truth, Drifted)
        fabric.submit(LinkRequest("A", "B", 0.75, pairs=100_000))
        fabric.run(4 * SECOND)
        return [(at, one) for at, _, one in tape.entries if not isinstance(one, Drifted) or one.link == "A~B"]

    assert heard("AB") == heard("ABC")


# ------------------------------------------------------------------------------------------- belief


def test_belief_stays_nominal_while_truth_falls() -> None:
    """The gap that an estimator would have to find."""
    plain, drifting = told(None, False), told("drift", True)
    assert plain.of(Accepted)[0][2] == drifting.of(Accepted)[0][2]
    believed = [one.fidelity for _, _, one in drifting.of(Delivered)]
    assert believed == pytest.approx([plain.of(Delivered)[0][2].fidelity] * len(believed), abs=1e-6)
    truths = [value for _, value in fidelities(drifting)]
    assert mean(believed) - mean(truths) > 0.01
    assert all(
        one.low > min(truths) for _, _, one in drifting.of(Delivered)
    )  # its interval does not know either


def test_deciders_never_see_a_condition() -> None:
    seen: set[type] = set()
    fabric = fabric_of(written("ABC", DRIFT, SCHEDULE))
    for decider in (fabric.controller, *fabric.agents.values()):
        decide = decider.handle

        def listen(message: Any, now: Time, decide: Any = decide) -> Any:
            seen.add(type(message))
            return decide(message, now)

        decider.handle = listen  # type: ignore[method-assign]
    tape = Tape(fabric, Drifted)
    fabric.submit(LinkRequest("A", "C", 0.55, pairs=5))
    fabric.run(5 * SECOND)
    assert tape.entries
    assert all(place == "twin" for _, place, _ in tape.entries)
    assert Calibrated in seen
    assert not seen & {Drifted, Truth}
    assert set(Calibrated.__dataclass_fields__) == {"node", "link", "done"}  # says that, not how far


def test_the_control_wing_does_not_name_what_it_must_not_know() -> None:
    words = re.compile(r"Drifted|Conditions\b|\.under\(|\.upkeep\.|links\.conditions|physics\.drift")
    for room in ("control", "network", "services"):
        for path in (SOURCE / room).rglob("*.py"):
            if path.name == "told.py":
                continue  # a link as its owner tells it must have the method of every link; it takes no notice of conditions
            assert not words.search(path.read_text(encoding="utf-8")), path
    believing = (SOURCE / "documents" / "assembly.py").read_text(encoding="utf-8")
    start = believing.index("def topology(")
    assert "upkeep" not in believing[start : believing.index("\ndef ", start)]


# ---------------------------------------------------------------------------------------- survival


@pytest.mark.parametrize("seed", [1, 2])
def test_requests_outlive_calibrations_and_nothing_is_left_behind(seed: int) -> None:
    """Pauses longer than a lease are no failures: nobody reports a link, no lease is lost, every pair comes."""
    network = written("ABC", DRIFT, {"every": "3 s", "takes": "2500 ms", "first": "500 ms"})
    fabric = fabric_of(network, seed)
    tape = Tape(fabric)
    fabric.submit(LinkRequest("A", "C", 0.55, pairs=150))
    fabric.submit(LinkRequest("A", "B", 0.7, pairs=300), at=SECOND // 10)
    fabric.run(60 * SECOND, stop=lambda: not fabric.open_requests)
    assert {one.status for _, _, one in tape.of(Outcome)} == {Status.COMPLETED}
    assert len(tape.of(Calibrated)) >= 4
    assert not tape.of(LinkReport)
    assert not tape.of(LinkChanged)
    fabric.finish()
    assert nothing_left(fabric)


def test_an_operator_calibrates() -> None:
    fabric = fabric_of(written(calibration={"takes": "200 ms"}))
    tape = Tape(fabric)
    fabric.inject(Calibrate("", "A~B"), at=SECOND)
    fabric.submit(LinkRequest("A", "B", 0.75, pairs=100_000))
    fabric.run(2 * SECOND)
    assert [(at, place, one.node) for at, place, one in tape.of(Calibrate)] == [(SECOND, "A", "A")]
    assert [(at, one.node) for at, _, one in tape.of(Calibrated)] == [(6 * SECOND // 5, n) for n in "AB"]
    births = [one.created_at for _, _, one in tape.of(Delivered)]
    assert not any(SECOND < at < 6 * SECOND // 5 for at in births)
    with pytest.raises(InputError, match="how long a calibration takes"):
        fabric_of(written()).inject(Calibrate("", "A~B"))


def test_a_workload_calibrates_and_its_journal_says_so() -> None:
    network = documents.network_from(written(calibration={"takes": "200 ms"}))
    ask = {"from": "A", "to": "B", "fidelity": 0.75, "pairs": 1000}
    paper = {
        "kind": "workload", "version": 1, "duration": "2 s", "requests": [ask],
        "faults": [{"at": "1 s", "calibrate": "A~B"}],
    }  # fmt: skip
    workload = documents.workload_from(paper)
    documents.check_workload(workload, documents.inventory(network))

    class Sink:
        def __init__(self) -> None:
            self.lines: list[bytes] = []

        def write(self, line: bytes, /) -> int:
            self.lines.append(line)
            return len(line)

    def run() -> list[bytes]:
        play = scenario(network, workload, seed=5)
        session, sink = Session(play), Sink()
        session.journal(sink, Header("x", 5, "requests", {}, {}))
        session.fabric.run(play.duration)
        return sink.lines

    lines = run()
    assert sum(b'"Calibrate"' in line for line in lines) == 1
    assert sum(b'"Calibrated"' in line for line in lines) == 2
    assert lines == run()


EVENTS = st.tuples(
    st.integers(0, 3000),
    st.sampled_from(["cut", "restore", "fail", "recover", "calibrate"]),
    st.sampled_from("AB"),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(EVENTS, max_size=12), st.integers(0, 5), st.sampled_from(["bell-diagonal", "exact"]))
def test_whatever_breaks_while_links_drift_and_are_calibrated(
    events: list[tuple[int, str, str]], seed: int, states: str
) -> None:
    """Nothing raises, every request has one outcome, and nothing is left behind."""
    wild = {"phase": "1 rad/sqrt(s)", "alignment": 0.5, "detectors": "0.3 /s", "step": "37 ms"}
    network = written("ABC", wild, {"every": "400 ms", "takes": "90 ms", "residual": {"phase": "5 deg"}})
    fabric = fabric_of(network, seed, states)
    tape = Tape(fabric, Outcome, Calibrated, Calibrate)
    fabric.submit(LinkRequest("A", "C", 0.55, pairs=20))
    fabric.submit(LinkRequest("B", "A", 0.6, pairs=40, deadline=2 * SECOND), at=SECOND // 10)
    for at, kind, name in events:
        link = f"{name}~{chr(ord(name) + 1)}"
        event = {
            "cut": LinkChanged("", link, up=False),
            "restore": LinkChanged("", link, up=True),
            "fail": NodeFailed(name),
            "recover": NodeRecovered(name),
            "calibrate": Calibrate("", link),
        }[kind]
        fabric.inject(event, at * SECOND // 1000)
    fabric.run(4 * SECOND)
    fabric.finish()
    assert sorted(one.request for _, _, one in tape.of(Outcome)) == ["request-1", "request-2"]
    fabric.run(fabric.now + SECOND)  # calibrations go on
    assert nothing_left(fabric)
