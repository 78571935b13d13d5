"""QKD sessions and attacks in a workload: what they come to, and every fault with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantum_fabric.documents import check_workload, inventory, load_workload, network_from
from quantum_fabric.errors import DocumentError
from quantum_fabric.physics.qkd.attacks import (
    ATTACKS,
    FalseAnnouncement,
    InventedClicks,
    Jamming,
    TimeShift,
    TrojanHorse,
)
from quantum_fabric.units import MS, SECOND

SHARES = {"signal_share": 0.1, "decoy_share": 0.3}
NETWORK = {
    "kind": "network", "version": 1, "controller": "A", "defaults": {"profile": "future"},
    "nodes": [{"name": name} for name in "ABCSTU"],
    "links": [
        {"name": "weak", "between": ["A", "B"], "length": "25 km", "architecture": "direct_transmission",
         "source": {"sheet": "weak_pulse/gigahertz"}, "station": {"detector": "snspd-fast"}},
        {"name": "bare", "between": ["A", "B"], "length": "25 km", "architecture": "direct_transmission",
         "source": {"sheet": "weak_pulse/gigahertz", "overrides": {"signal_share": 1.0, "decoy_share": 0.0}}},
        {"name": "pairs", "between": ["B", "C"], "length": "5 km", "architecture": "pair_distribution",
         "source": "pair_source/sagnac-cw"},
        {"name": "memories", "between": ["A", "C"], "length": "5 km"},
        *({"name": f"to {at} from {end}", "between": [end, at], "length": "25 km", "architecture": "direct_transmission",
           "source": {"sheet": "weak_pulse/gigahertz", "overrides": {"vacuum": 0.0, "decoy": decoy, **SHARES}},
           "station": {"detector": "snspd-fast"}} for at, end, decoy in
          (("S", "A", 0.1), ("S", "B", 0.1), ("T", "A", 0.1), ("T", "B", 0.2), ("U", "A", 0.1))),
    ],
}  # fmt: skip
GOOD = """\
kind: workload
version: 1
duration: 4 s
qkd:
  - {name: keys, from: A, to: B, link: weak, block: 20 ms, every: 1 s, key_basis: 80 %, watch: [timing]}
  - {name: more, from: C, to: B, link: pairs, protocol: e91, block: 1 s, start: 1 s, until: 9 s}
attacks:
  - {kind: time_shift, link: weak, at: 1 s, until: 2 s, fraction: 50 %, mismatch: 0.3}
  - {kind: denial_of_service, link: weak, at: 2 s, fraction: 0.9}
  - {kind: denial_of_service, session: keys, at: 0 s}
  - {kind: compromised_node, node: B, at: 3 s}
"""


def findings(text: str, folder: Path) -> list[str]:
    path = folder / "w.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        workload = load_workload(str(path))
        check_workload(workload, inventory(network_from(NETWORK)))
    except DocumentError as error:
        return [str(each).partition("w.yaml:")[2] for each in error.findings]
    return []


def test_base_units(tmp_path: Path) -> None:
    assert findings(GOOD, tmp_path) == []
    workload = load_workload(str(tmp_path / "w.yaml"))
    keys, more = workload.qkd
    assert (keys.key_basis, keys.block, keys.every, keys.until) == (0.8, 20 * MS, SECOND, 4 * SECOND)
    assert (keys.watch.timing, keys.watch.self_test, keys.watch.back_light) == (True, 0.0, 0.0)
    assert (more.protocol, more.every, more.start, more.until) == ("e91", SECOND, SECOND, 4 * SECOND)
    assert more.watch.self_test > 0.0
    shift, dark, silent, node = workload.attacks
    assert shift.attack == TimeShift(0.5, 0.3)
    assert (dark.attack, silent.attack) == (Jamming("quantum", 0.9), Jamming("classical", 1.0))
    assert (node.target, node.on, node.until) == ("node", "B", 4 * SECOND)


@pytest.mark.parametrize("kind", ATTACKS)
def test_every_attack_can_be_written(kind: str, tmp_path: Path) -> None:
    target = {
        "man_in_the_middle": "session: keys", "replay": "session: keys", "compromised_node": "node: A",
        "false_announcement": "node: S", "invented_clicks": "node: S",
    }  # fmt: skip
    text = (
        GOOD.partition("attacks:")[0]
        + "  - {name: twin, from: A, to: B, station: S, protocol: twin_field, block: 1 s}\n"
        + f"attacks:\n  - {{kind: {kind}, {target.get(kind, 'link: weak')}, at: 0 s}}\n"
    )
    assert findings(text, tmp_path) == []
    made = load_workload(str(tmp_path / "w.yaml")).attacks[0]
    assert type(made.attack) is ATTACKS[kind]
    if kind == "trojan_horse":
        assert made.attack == TrojanHorse()


CASES = [
    ("to: B, link: weak", "to: A, link: weak", ["5: qkd[0].to: found 'A', expected another node than 'from'"]),
    ("from: A,", "from: D,", ["5: qkd[0].from: found 'D', expected a node of the network: A, B, C, S, T, U",
                              "5: qkd[0].link: found 'weak' from 'A' to 'B', expected a link from 'D' to 'B', sender first"]),
    ("link: weak, block", "link: week, block",
     ["5: qkd[0].link: found 'week', expected a link of the network (did you mean 'weak'?): bare, memories, pairs, to S from A, "
      "to S from B, to T from A, to T from B, to U from A, weak",
      *[f"{8 + n}: attacks[{n}].link: found 'weak', expected a link that a QKD session uses (did you mean 'week'?): pairs, week"
        for n in (0, 1)]]),
    ("every: 1 s", "every: 1 ms", ["5: qkd[0]: found '1 ms', expected every: at least the block, 20 ms"]),
    ("80 %", "100 %", ["5: qkd[0]: found '100 %', expected key_basis: a fraction in (0, 1)"]),
    ("80 %", "eighty", ["5: qkd[0].key_basis: found 'eighty', expected a fraction such as 0.2 or '20 %'"]),
    ("until: 9 s", "until: 1 s", ["6: qkd[1]: found '1 s', expected until: a time after start"]),
    ("name: more", "name: keys", ["6: qkd[1].name: found a second session 'keys' (first is qkd[0]), expected each name once"]),
    ("protocol: e91, ", "", ["6: qkd[1].link: found 'pairs' from 'B' to 'C', expected a link from 'C' to 'B', sender first"]),
    ("from: C, to: B, link: pairs, protocol: e91", "from: A, to: C, link: memories, protocol: e91",
     ["6: qkd[1].protocol: found e91 over double_click, expected a link of pairs of photons: pair_distribution or "
      "satellite_double_downlink"]),
    ("link: pairs, protocol: e91", "link: pairs, protocol: sarg",
     ["6: qkd[1].protocol: found 'sarg', expected 'bb84', 'bbm92', 'e91', 'six_state', 'mdi' or 'twin_field'"]),
    ("until: 2 s, fraction", "until: 3 s, fraction",
     ["9: attacks[1].link: found denial_of_service while time_shift lasts, expected one attack at a time on a link"]),
    ("kind: time_shift, link: weak", "kind: time_shift, link: pairs",
     ["8: attacks[0].link: found time_shift on 'pairs', expected a link of weak pulses"]),
    ("link: pairs, protocol: e91, block: 1 s, start: 1 s, until: 9 s", "protocol: e91, pairs: 900, fidelity: 0.9", []),
    ("link: pairs, protocol: e91, block: 1 s, start: 1 s, until: 9 s", "protocol: bb84, pairs: 900, fidelity: 0.9",
     ["6: qkd[1]: found bb84 without link, expected bbm92, e91 or six_state over pairs, block after block"]),
    ("link: pairs, protocol: e91, block: 1 s, start", "protocol: e91, pairs: 900, block: 1 s, start",
     ["6: qkd[1]: found no fidelity, block, expected link and block (photons), station and block (mdi, twin_field), or pairs and "
      "fidelity (memories)"]),
    ("link: pairs, protocol: e91, block: 1 s, start", "protocol: e91, pairs: 900, fidelity: 40 %, start",
     ["6: qkd[1]: found '40 %', expected fidelity: in (0.5, 1)"]),
    ("{kind: denial_of_service, session: keys", "{kind: intercept_resend, session: keys",
     ["10: attacks[2].session: found intercept_resend on session 'keys', expected its link: 'weak'"]),
    ("mismatch: 0.3", "mismatch: 1", ["8: attacks[0]: found mismatch 1, expected a ratio in [0, 1)"]),
    ("fraction: 0.9", "photons: 3", ["9: attacks[1]: found photons of denial_of_service, expected fraction"]),
    ("kind: time_shift, link", "kind: time_shift, node",
     ["8: attacks[0]: found node, expected time_shift: link, and nothing else"]),
    ("session: keys, at: 0 s", "at: 0 s",
     ["10: attacks[2]: found denial_of_service without a target, expected denial_of_service: link or session, and nothing else"]),
    ("session: keys", "session: locks", ["10: attacks[2].session: found 'locks', expected a QKD session: keys, more"]),
    ("at: 3 s", "at: 5 s", ["11: attacks[3].at: found '5 s', expected a time before the end of the run, 4 s"]),
    ("node: B", "node: Bob", ["11: attacks[3].node: found 'Bob', expected a node of the network: A, B, C, S, T, U"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), CASES)
def test_faults_with_their_line(old: str, new: str, said: list[str], tmp_path: Path) -> None:
    assert old in GOOD
    assert findings(GOOD.replace(old, new, 1), tmp_path) == said


def test_pulses_without_decoys_make_no_keys(tmp_path: Path) -> None:
    text = GOOD.partition("attacks:")[0].replace("link: weak", "link: bare")
    assert findings(text, tmp_path) == [
        "5: qkd[0].link: found source: one intensity, expected a weak_pulse with decoy and decoy_share"
    ]


STATION = """\
kind: workload
version: 1
duration: 9 s
qkd:
  - {name: twin, from: A, to: B, station: S, protocol: twin_field, block: 1 s, intensity: 0.02, phase_error: 10 deg, lock: 2 ms}
  - {name: bells, from: A, to: B, station: S, protocol: mdi, block: 1 s, key_basis: 60 %}
attacks:
  - {kind: false_announcement, node: S, at: 1 s, until: 2 s, fraction: 20 %}
  - {kind: invented_clicks, node: S, at: 2 s, fraction: 0.1}
  - {kind: denial_of_service, link: to S from B, at: 0 s, fraction: 0.9}
  - {kind: compromised_node, node: S, at: 3 s}
"""


def test_a_station_in_base_units(tmp_path: Path) -> None:
    assert findings(STATION, tmp_path) == []
    twin, bells = load_workload(str(tmp_path / "w.yaml")).qkd
    assert (twin.station, twin.link, twin.intensity, twin.lock) == ("S", None, 0.02, 2 * MS)
    assert twin.phase_error == pytest.approx(0.174533, rel=1e-5)
    assert (twin.phase_drift, twin.over_memories, bells.protocol, bells.key_basis) == (0.0, False, "mdi", 0.6)
    first, second, dark, _ = load_workload(str(tmp_path / "w.yaml")).attacks
    assert (first.attack, second.attack) == (FalseAnnouncement(0.2), InventedClicks(0.1))
    assert dark.attack == Jamming("quantum", 0.9)


STATION_CASES = [
    ("station: S, protocol: mdi", "station: T, protocol: mdi",
     ["6: qkd[1].station: found decoy: 0.1 and 0.2, expected the same at both ends: they send alike"]),
    ("station: S, protocol: mdi", "station: U, protocol: mdi",
     ["6: qkd[1].station: found 0 links from 'B' to 'U', expected one link 'direct_transmission' from each end to the station, the "
      "end first"]),
    ("station: S, protocol: mdi", "station: X, protocol: mdi",
     ["6: qkd[1].station: found 'X', expected a node of the network: A, B, C, S, T, U"]),
    ("station: S, protocol: mdi", "protocol: mdi, link: weak",
     ["6: qkd[1]: found mdi without station, expected station with mdi and twin_field, and with these only"]),
    ("station: S, protocol: mdi", "station: S, protocol: bb84",
     ["6: qkd[1]: found bb84 with station, expected station with mdi and twin_field, and with these only"]),
    ("station: S, protocol: mdi", "station: S, link: weak, protocol: mdi",
     ["6: qkd[1]: found station, expected link and block (photons), station and block (mdi, twin_field), or pairs and fidelity "
      "(memories)"]),
    ("station: S, protocol: mdi", "station: A, protocol: mdi",
     ["6: qkd[1]: found 'A', expected station: another node than both ends"]),
    ("key_basis: 60 %", "lock: 1 ms", ["6: qkd[1]: found lock of mdi, expected lock: with twin_field only"]),
    ("intensity: 0.02", "intensity: 2", ["5: qkd[0].intensity: found 2, expected a number of at most 1"]),
    ("false_announcement, node: S", "false_announcement, node: T",
     ["8: attacks[0].node: found false_announcement at 'T', expected the station of a QKD session"]),
    ("at: 2 s, fraction: 0.1", "at: 1.5 s, fraction: 0.1",
     ["9: attacks[1].node: found invented_clicks while false_announcement lasts, expected one attack at a time on a node"]),
    ("denial_of_service, link: to S from B", "intercept_resend, link: to S from B",
     ["10: attacks[2].link: found intercept_resend on the way to a station, expected denial_of_service, or an attack at the station"]),
    ("denial_of_service, link: to S from B", "intercept_resend, session: twin",
     ["10: attacks[2].session: found intercept_resend on session 'twin', expected an attack at its station, 'S'"]),
    ("denial_of_service, link: to S from B, at: 0 s, fraction: 0.9", "blinding, link: to S from B, at: 0 s",
     ["10: attacks[2].link: found blinding on 'to S from B', expected a link of weak pulses"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), STATION_CASES)
def test_faults_of_stations_with_their_line(old: str, new: str, said: list[str], tmp_path: Path) -> None:
    assert old in STATION
    assert findings(STATION.replace(old, new, 1), tmp_path) == said
