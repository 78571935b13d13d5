"""MDI and twin field from a network document: keys, attacks of the station, and what is said of bad input. Seeded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quantum_fabric.physics.bounds import plob

pytest.importorskip("cryptography")

MIDDLE = """\
kind: network
version: 1
defaults: {{profile: future}}
nodes: [{{name: West, slots: 1}}, {{name: Middle, slots: 1}}, {{name: East, slots: 1}}]
links:
  - name: west arm
    between: [West, Middle]
    length: {length} km
    architecture: direct_transmission
    carrier: {{sheet: fibre/smf-28, overrides: {{attenuation: 0.17 dB/km}}}}
    source: &laser {{sheet: weak_pulse/gigahertz, overrides: {{vacuum: 0, {laser}}}}}
    station: &detectors {{detector: snspd-fast}}
  - {{name: east arm, between: [East, Middle], length: {length} km, architecture: direct_transmission,
     carrier: {{sheet: fibre/smf-28, overrides: {{attenuation: 0.17 dB/km}}}}, source: *laser, station: *detectors}}
controller: West
"""
FAINT = "signal: 0.68, decoy: 0.17, signal_share: 8 %, decoy_share: 27 %"
STRONG = "signal: 0.45, decoy: 0.08, signal_share: 60 %, decoy_share: 28 %"
LIES = """\
kind: workload
version: 1
duration: 3500 ms
qkd:
  - {name: west-east, from: West, to: East, station: Middle, protocol: twin_field, key_basis: 85 %, phase_error: 8 deg, block: 1 s}
attacks:
  - {kind: false_announcement, node: Middle, at: 1 s, until: 2 s, fraction: 25 %}
  - {kind: compromised_node, node: Middle, at: 0 s}
"""
Run = Callable[..., Any]
OVER = ("qkd", "run", "middle.yaml", "--between", "West", "East", "--station", "Middle", "--blocks", "1")


def laid(folder: Path, length: float, laser: str = FAINT) -> None:
    (folder / "middle.yaml").write_text(MIDDLE.format(length=length, laser=laser))


def test_a_twin_field_beats_what_no_direct_link_can(qfabric: Run, tmp_path: Path) -> None:
    """300 km in all, 100 s: more key for each window than any protocol without a station could have over the bare fibre."""
    laid(tmp_path, 150)
    done = qfabric(*OVER, "--key-basis", "0.88", "--block", "100 s", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert (found["delivered"], found["alarms"]) == (1, [])
    channel = 10.0 ** (-0.017 * 300)
    assert found["bits"] / 1e11 > float(plob(channel)) > 1.1e-5
    assert found["ledger"]["estimation"] == pytest.approx(5e-10)


def test_mdi_makes_keys(qfabric: Run, tmp_path: Path) -> None:
    laid(tmp_path, 10, STRONG)
    done = qfabric(*OVER, "--protocol", "mdi", "--key-basis", "0.6", "--block", "3 s", "--json")
    assert done.code == 0
    assert json.loads(done.out)["bits"] > 1000


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        ("false_announcement=0.4", ["shown by: error rate", "alarm error rate", "no key"]),
        ("invented_clicks=0.4", ["shown by: error rate, gain", "no key"]),
        ("invented_clicks=0.05", ["no alarm can show it", "clicks of the vacuum", "no key"]),
        ("man_in_the_middle", ["shown by: authentication", "no key"]),
        ("compromised_node", ["nothing to read: a station never has a key"]),
    ],
)
def test_attacks_at_a_station(attack: str, said: list[str], qfabric: Run, tmp_path: Path) -> None:
    laid(tmp_path, 75)
    done = qfabric(*OVER, "--key-basis", "0.85", "--block", "400 ms", "--attack", attack)
    for words in said:
        assert words in done.words
    assert done.code == (0 if attack == "compromised_node" else 1)


def test_mdi_sees_a_station_that_lies(qfabric: Run, tmp_path: Path) -> None:
    laid(tmp_path, 10, STRONG)
    over = (*OVER, "--protocol", "mdi", "--key-basis", "0.6", "--block", "100 ms")
    done = qfabric(*over, "--attack", "false_announcement=0.5")
    assert "alarm error rate" in done.words
    assert done.code == 1


def test_a_run_shows_when_a_station_lies(qfabric: Run, tmp_path: Path) -> None:
    laid(tmp_path, 75)
    (tmp_path / "lies.yaml").write_text(LIES)
    done = qfabric("run", "middle.yaml", "--workload", "lies.yaml", "--out", "out")
    assert done.code == 0
    assert "1 × alarm: error rate" in done.words
    assert "alarm error rate at 2 s, west-east block 1" in done.words
    assert "nothing to read" in done.words
    report = (tmp_path / "out" / "report.html").read_text()
    assert "west-east" in report
    assert "twin_field" in report
    again = qfabric("replay", "out/journal.jsonl")
    assert again.code == 0
    assert "all the same" in again.words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--link", "west arm"), "one of them"),
        (("--protocol", "bb84"), "expected station with mdi and twin_field"),
        (("--attack", "blinding"), "false_announcement, invented_clicks or an attack on messages"),
    ],
)
def test_what_makes_no_sense_over_a_station(
    arguments: tuple[str, ...], said: str, qfabric: Run, tmp_path: Path
) -> None:
    laid(tmp_path, 75)
    done = qfabric(*OVER, *arguments)
    assert done.code == 2
    assert said in done.words
    assert "Traceback" not in done.err


def test_a_station_without_arms_is_one_clear_error(qfabric: Run, tmp_path: Path) -> None:
    laid(tmp_path, 75)
    done = qfabric(
        "qkd", "run", "middle.yaml", "--between", "West", "Middle", "--station", "East", "--blocks", "1"
    )
    assert done.code == 2
    assert "0 links from 'West' to 'East'" in done.words
