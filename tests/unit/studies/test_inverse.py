"""Planning backwards: optima against closed forms and scans, certificates, refusals, resuming."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from quantum_fabric.studies import Question, backwards, parse_study
from quantum_fabric.studies.costs import Target, shortfall, targets
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.outputs import OUTPUTS
from quantum_fabric.studies.question import Shares

pytest.importorskip("scipy")

HEAD = """kind: study
version: 1
base: {link: {distance: 20 km, segments: 1}, request: {fidelity: 0.8, pairs: 20}}
"""

TWO = (
    HEAD
    + """goal: {output: rate, at_least: 250 Hz}
improve:
- {path: defaults.detector.efficiency, from: 0.1, to: 0.9, cost: {price: 4, per: 0.8}}
- {path: nodes.*.memory.t2, from: 1 s, to: 101 s, cost: {price: 1, per: 100 s}}
"""
)


class Product(Question):
    """A forecast with a closed form: rate = 1000 · s1 · s2 for the shares of the two ways."""

    def many(self, points: Sequence[Shares]) -> list[float]:
        rows: list[Row] = [{"accepted": 1.0, "rate": 1000.0 * a * b} for a, b in points]
        for point, row in zip(points, rows):
            self._known[str(point)] = row
        found = [shortfall(row, self.targets, self.fidelity) for row in rows]
        self.asked += len(points)
        self.best = min([self.best, *(self.cost(p) for p, lack in zip(points, found) if lack <= 0.0)])
        return found

    def row(self, shares: Sequence[float]) -> Row:
        self.many([tuple(shares)])  # type: ignore[list-item]
        return self._known[str(tuple(shares))]

    def again(self, shares: Sequence[float]) -> Row:
        return self.row(shares)


def test_the_optimum_has_the_closed_form() -> None:
    """Minimise 4 s1 + s2 with s1 s2 = 1/4: s1 = 1/4, s2 = 1, cost 2 (on the edge of the box); with 0.16: s2 = 0.8, cost 1.6."""
    answer = backwards(Product(parse_study(TWO)), simulate=0)
    assert answer.feasible
    assert answer.cost == pytest.approx(2.0, rel=0.02)
    inside = backwards(Product(parse_study(TWO.replace("250 Hz", "160 Hz"))), simulate=0)
    assert inside.cost == pytest.approx(2.0 * math.sqrt(4.0 * 0.16), rel=0.02)
    assert [step.share for step in inside.steps] == pytest.approx([0.2, 0.8], rel=0.15)
    assert all(check.good for check in inside.checks)
    assert inside.asked < 1000


def test_a_goal_out_of_reach_is_refused_with_the_best() -> None:
    answer = backwards(Product(parse_study(TWO.replace("250 Hz", "1.5 kHz"))))
    assert not answer.feasible
    assert "cannot be reached" in answer.sentence
    assert "1,000 /s" in answer.sentence
    assert answer.checks == ()


def test_nothing_to_do() -> None:
    answer = backwards(Product(parse_study(TWO.replace("at_least: 250 Hz", "at_most: 2 kHz"))), simulate=0)
    assert answer.cost == 0.0
    assert answer.sentence.startswith("Nothing has to improve")


ONE = (
    HEAD
    + """goal: {output: rate, at_least: 10 kHz}
improve:
- {path: defaults.detector.efficiency, from: 0.2, to: 0.98, cost: {price: 1, per: 0.1}}
"""
)


def test_one_parameter_against_a_scan(tmp_path: Path) -> None:
    """The real forecast: the least detector efficiency, and the same by looking at every step of 1/400 of the way."""
    study = parse_study(ONE)
    question = Question(study, tmp_path)
    high = question.row((1.0,))["rate"]
    low = question.row((0.0,))["rate"]
    bound = (low + high) / 2.0
    study = parse_study(ONE.replace("10 kHz", f"{bound:.6g} Hz"))
    question = Question(study)
    answer = backwards(question, simulate=12)
    scan = next(k / 400 for k in range(401) if question.lacks((k / 400,)) <= 0.0)
    assert answer.steps[0].share == pytest.approx(scan, abs=0.006)
    assert all(check.good for check in answer.checks), answer.checks
    assert [check.what for check in answer.checks][-1] == "12 simulated runs"


def test_what_was_asked_is_not_asked_again(tmp_path: Path) -> None:
    """After a crash: a cut-off last line is asked anew, everything else is read; the answer is the same."""
    study = parse_study(ONE.replace("10 kHz", "2 kHz"))
    first = backwards(Question(study, tmp_path), simulate=0)
    path = tmp_path / "asked.jsonl"
    text = path.read_text()
    assert text.count("\n") == first.asked
    path.write_text(text[:-30])
    again = Question(study, tmp_path)
    assert again.asked == first.asked - 1
    second = backwards(again, simulate=0)
    assert (second.sentence, second.steps, second.asked) == (first.sentence, first.steps, first.asked)


def test_whole_numbers() -> None:
    text = (
        HEAD.replace("20 km, segments: 1", "60 km")
        + """goal: {output: rate, at_least: 1 Hz}
improve:
- {path: link.segments, from: 1, to: 4, whole: true, cost: {price: 1, per: 1}}
"""
    )
    study = parse_study(text)
    question = Question(study)
    rates = [question.row((k / 3,))["rate"] for k in range(4)]
    bound = sorted(rates)[1] * 1.0001
    study = parse_study(text.replace("1 Hz", f"{bound!r} Hz"))
    answer = backwards(Question(study), simulate=0)
    least = next(k for k, rate in enumerate(rates) if rate >= bound)
    assert answer.steps[0].value == 1 + least
    assert all(check.good for check in answer.checks)


def test_too_many_questions() -> None:
    study = parse_study(ONE.replace("10 kHz", "2 kHz") + "limits: {runs: 3}\n")
    with pytest.raises(ValueError, match=r"limits\.runs"):
        backwards(Question(study), simulate=0)


def test_shortfalls() -> None:
    rate = Target(OUTPUTS["rate"], 100.0, True)
    assert shortfall({"accepted": 1.0, "rate": 150.0}, [rate], 0.9) < 0.0
    served = shortfall({"accepted": 1.0, "rate": 1.0}, [rate], 0.9)
    near = shortfall({"accepted": 0.0, "offered_fidelity": 0.89}, [rate], 0.9)
    far = shortfall({"accepted": 0.0, "offered_fidelity": 0.80}, [rate], 0.9)
    assert 0.0 < served < near < far
    late = Target(OUTPUTS["first_p99"], 1.0, False)
    assert shortfall({"accepted": 1.0, "first_p99": 0.5}, [late], 0.9) < 0.0
    assert targets([])[:] == []
