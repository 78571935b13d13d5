"""Study documents: sound ones mean what they say, unsound ones are refused with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

import studybench
from quantum_fabric.errors import DocumentError
from quantum_fabric.studies import bundled, load_study, parse_study
from quantum_fabric.studies.loading import with_changes

HEAD = "kind: study\nversion: 1\n" + studybench.LINE


def refusal(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        parse_study(text, "my.yaml")
    assert all(finding.line > 0 for finding in caught.value.findings), "a fault without its line"
    return str(caught.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        # contradictory units
        ("- {path: link.distance, grid: [20 km, 3 ms]}", "my.yaml:5: vary[0].grid: found '3 ms' beside '20 km'"),
        ("- {path: link.distance, range: {from: 20 km, to: 3 ms, count: 4}}", "my.yaml:5: vary[0].range: found '3 ms'"),
        ("- {path: link.distance, grid: [20 ms]}", "expected a length"),
        ("- {path: nodes.*.memory.t2, grid: [20 km]}", "expected a time"),
        # unknown parameters
        ("- {path: link.distanse, grid: [20 km]}", "did you mean 'distance'"),
        ("- {path: nodes.*.memory.t3, grid: [1 s]}", "expected a field of memory"),
        ("- {path: 'nodes[Carol].slots', grid: [1]}", "an entry of nodes"),
        ("- {path: links.7.length, grid: [1 km]}", "there are 2 links"),
        ("- {path: 'requests[0].pairs', grid: [1]}", "which is in a workload"),
        ("- {path: speed, grid: [1]}", "a path that starts with"),
        ("- {path: plan.speed, grid: [1]}", "a decision of the planner"),
        # empty and impossible ranges
        ("- {path: link.distance, grid: []}", "found an empty grid, expected at least one value"),
        ("- {path: link.distance, range: {from: 20 km, to: 20 km, count: 4}}", "two different ends"),
        ("- {path: link.distance, range: {from: 20 km, to: 40 km, count: 1}}", "at least 2"),
        ("- {path: link.distance, range: {from: 0 km, to: 40 km, count: 4, scale: log}}", "ends above 0"),
        ("- {path: link.distance, grid: [20 km, 20 km]}", "each value once"),
        ("- {path: link.distance}", "nothing to vary it over"),
        ("- {path: link.distance, grid: [-3 km]}", "expected"),
        ("- {path: request.fidelity, grid: [1.2]}", "a fidelity in (0.5, 1)"),
        ("- {path: link.segments, grid: [2, 2.5]}", "a whole number"),
        # sampling
        ("- {path: link.distance, sample: {from: 20 km, to: 40 km}}", "sample without sampling"),
        ("- {path: link.distance, grid: [20 km]}\nsampling: {count: 5}", "sampling without sample"),
        ("- {path: link.distance, grid: [20 km]}\nsensitivity: {base: 8}", "a grid or range beside sensitivity"),
        # the same twice
        ("- {path: link.distance, grid: [20 km]}\n- {path: link.distance, grid: [30 km]}", "each path once"),
        # engines, outputs, repetition
        ("- {path: link.distance, grid: [20 km]}\nengine: telepathy", "an engine"),
        ("- {path: link.distance, grid: [20 km]}\noutputs: [rait]", "did you mean 'rate'"),
        ("- {path: link.distance, grid: [20 km]}\nengine: forecast\noutputs: [completed]", "does not give completed"),
        ("- {path: link.distance, grid: [20 km]}\nengine: twin", "repeat: {runs: 20}"),
        ("- {path: link.distance, grid: [20 km]}\nengine: forecast\nrepeat: {runs: 3}", "whose runs are all the same"),
        ("- {path: link.distance, grid: [20 km]}\nrepeat: {interval: {of: rate, absolute: 3 km}}", "expected a frequency"),
        ("- {path: link.distance, grid: [20 km]}\nrepeat: {interval: {of: rate}}", "one of relative"),
        ("- {path: link.distance, grid: [20 km]}\nrepeat: {interval: {of: rate, relative: 200 %}}", "a share between"),
        ("- {path: plan.cutoff, grid: [1 ms]}\nengine: twin\nrepeat: {runs: 3}", "a path in plan"),
        ("- {path: plan.order, grid: [sideways]}", "one of"),
        ("- {path: link.distance, grid: [20 km]}\ngoal: {output: rate, at_least: 1 Hz}", "goal without improve"),
        ("- {path: link.distance, grid: [20 km]}\nsead: 3", "did you mean 'seed'"),
    ],
)  # fmt: skip
def test_faults_have_a_line_and_say_what_was_expected(entry: str, words: str) -> None:
    assert words in refusal(HEAD + f"vary:\n{entry}\n")


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("{request: {fidelity: 0.9}}", "neither network nor link"),
        ("{network: lab}", "neither request nor workload"),
        ("{network: lab, request: {fidelity: 0.9}}", "a request without 'from' and 'to'"),
        ("{network: labb, workload: lab}", "did you mean 'lab'"),
        ("{network: lab, request: {from: Alice, to: Carol, fidelity: 0.9}}", "found 'Carol'"),
        ("{link: {distance: 40 s}, request: {fidelity: 0.9}}", "a length"),
        ("{link: {distance: 40 km, devices: futur}, request: {fidelity: 0.9}}", "futur"),
        ("{network: lab, workload: chicago}", "expected a node of Laboratory link"),
    ],
)
def test_faults_of_the_base(base: str, words: str) -> None:
    text = f"kind: study\nversion: 1\nbase: {base}\nvary:\n- {{path: controller, grid: [Alice]}}\n"
    assert words in refusal(text)


def test_all_faults_at_once() -> None:
    said = refusal(HEAD + "vary:\n- {path: link.distanse, grid: [20 km]}\n- {path: speed, grid: [1]}\n")
    assert "my.yaml:6" in said


def test_paths_in_a_study_are_seen_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quantum_fabric import documents

    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "mine.yaml").write_text(documents.dump(documents.load_network("lab")))
    (tmp_path / "nets" / "s.yaml").write_text(
        "kind: study\nversion: 1\nbase: {network: mine.yaml, request: {from: Alice, to: Bob, fidelity: 0.7}}\n"
        "vary:\n- {path: request.fidelity, grid: [0.6, 0.7]}\n"
    )
    monkeypatch.chdir(tmp_path)
    study = load_study(tmp_path / "nets" / "s.yaml")
    assert study.base["network"]["title"] == "Laboratory link"


@pytest.mark.parametrize("name", bundled())
def test_bundled_studies_are_sound(name: str) -> None:
    study = load_study(name)
    assert study.document.title
    assert study.document.description


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(DocumentError, match="did you mean 'distance'"):
        load_study("distanse")


def test_what_the_table_depends_on_is_in_the_digest() -> None:
    first = studybench.study()
    assert first.digest == studybench.study(file="other.yaml").digest
    assert first.digest != with_changes(first, seed=8).digest
    longer = studybench.SIMULATED.replace("40 km, segments", "41 km, segments")
    assert first.digest != studybench.study(longer).digest
    assert first.digest == studybench.study(studybench.SIMULATED + "limits: {runs: 99}\n").digest
    assert first.digest == studybench.study(studybench.SIMULATED + "title: Another\n").digest


def test_engine_and_outputs_are_chosen() -> None:
    assert parse_study(studybench.FORECAST).engine.name == "forecast"
    assert studybench.study().wanted == {"rate", "fidelity", "first_delivery"}
