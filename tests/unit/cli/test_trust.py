"""`qfabric trust`: what is trusted, by whom, and what a compromise exposes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = """\
kind: network
version: 1
title: Two ways from A to B
defaults: {architecture: direct_transmission, source: weak_pulse/gigahertz}
nodes:
- {name: A, relays: false}
- {name: R, trust: {operator: Telekom, trusted: true, domain: AT}}
- {name: S}
- {name: B, relays: false}
- {name: C, relays: false}
links:
- {between: [A, R], length: 40 km}
- {between: [R, B], length: 40 km}
- {between: [A, S], length: 40 km}
- {between: [S, B], length: 40 km}
- {between: [R, C], length: 40 km}
"""


@pytest.fixture
def net(tmp_path: Path) -> str:
    (tmp_path / "net.yaml").write_text(TEXT)
    return "net.yaml"


def test_trusted_nodes_are_listed_with_what_they_read(qfabric, net) -> None:
    result = qfabric("trust", net)
    assert result.code == 0
    assert "3 pairs of ends: 3 over trusted nodes" in result.out
    rows = {
        line.split()[0]: line.split()[1:]
        for line in result.out.splitlines()
        if line[:2] in ("A ", "R ", "S ", "B ", "C ") and "must" not in line
    }
    assert rows["R"] == ["Telekom", "AT", "trusted", "0", "2", "3"]
    assert rows["S"] == ["–", "–", "–", "0", "0", "0"]
    assert rows["A"][-3:] == ["2", "0", "0"]
    assert "A – C must trust R" in result.out
    assert "not declared, although keys would pass: S" in result.out
    assert (
        "operator Telekom (1 node) reads 2 pairs of others whatever the routes, 3 on single paths"
        in result.out
    )
    for number in range(1, 13):
        assert f"\n{number}. " in result.out
    assert "What nothing shows" in result.out
    assert "compromised_node" in result.out


def test_one_pair_with_its_paths(qfabric, net) -> None:
    result = qfabric("trust", net, "--between", "A", "B")
    assert result.words == (
        "A – B: trusted nodes by R (declared trusted) by S (not declared) "
        "a key over all of these paths stays secret from any 1 node"
    )
    assert "must trust R: every path passes there" in qfabric("trust", net, "--between", "A", "C").out
    assert qfabric("trust", net, "--between", "A", "R").out == "A – R: a link of their own\n"


def test_memories_make_trust_superfluous(qfabric, tmp_path: Path) -> None:
    text = TEXT.replace("defaults: {architecture: direct_transmission, source: weak_pulse/gigahertz}\n", "")
    (tmp_path / "net.yaml").write_text(text.replace("trusted: true", "trusted: false"))
    result = qfabric("trust", "net.yaml")
    assert "3 pairs of ends: 3 over entanglement from end to end" in result.out
    assert "no key needs a trusted node" in result.out
    assert "a repeater that lies is noticed" in result.out


def test_json_is_complete(qfabric, net) -> None:
    said = json.loads(qfabric("trust", net, "--json").out)
    assert (said["kind"], said["version"], said["ends"]) == ("trust-boundary", 1, ["A", "B", "C"])
    by_name = {node["name"]: node for node in said["nodes"]}
    assert by_name["R"]["reads_whatever_the_routes"] == [["A", "C"], ["B", "C"]]
    assert by_name["R"]["trusted"] is True
    assert by_name["S"]["trusted"] is None
    pairs = {tuple(pair["ends"]): pair for pair in said["pairs"]}
    assert pairs["A", "B"] == {
        "ends": ["A", "B"], "rests_on": "trusted nodes", "must_trust": [], "survives_compromised_nodes": 1,
        "single_path": ["A", "R", "B"],
    }  # fmt: skip
    assert [point["number"] for point in said["points"]] == list(range(1, 13))
    assert "compromised_node" in [one["attack"] for one in said["undetectable"]]
    assert said["undeclared"] == ["S"]
    assert json.loads(qfabric("trust", net, "--json", "--end", "A", "--end", "S").out)["ends"] == ["A", "S"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--between", "A", "A"), "two different nodes"),
        (("--between", "A", "X"), "--between: found 'X', expected a node of Two ways"),
        (("--end", "X"), "--end: found 'X'"),
        (("--end", "A", "--between", "A", "B"), "one of them"),
    ],
)
def test_bad_input(qfabric, net, arguments: tuple[str, ...], said: str) -> None:
    result = qfabric("trust", net, *arguments)
    assert result.code == 2
    assert said in result.err
    assert not result.out


def test_without_the_extra_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from quantum_fabric.cli import main; sys.exit(main(['trust', 'lab']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "quantum-fabric[server]" in done.stderr
    assert not done.stdout


def test_a_bundled_network_and_one_that_is_none(qfabric) -> None:
    assert "2 nodes" not in qfabric("trust", "lab").out
    assert qfabric("trust", "lab").code == 0
    assert qfabric("trust", "nowhere").code == 2


STATION = """\
kind: network
version: 1
title: A star
defaults:
  architecture: direct_transmission
  detector: snspd-fast
  source: {sheet: weak_pulse/gigahertz, overrides: {signal: 0.4, decoy: 0.1, vacuum: 0, signal_share: 50 %, decoy_share: 30 %}}
nodes:
- {name: A, relays: false}
- {name: B, relays: false}
- {name: C, relays: false}
- {name: M}
links:
- {name: a, between: [A, M], length: 40 km}
- {name: b, between: [B, M], length: 40 km}
- {name: c, between: [C, M], length: 40 km}
"""
SESSIONS = """\
kind: workload
version: 1
title: Keys over a star
duration: 10 s
qkd:
- {name: ab, from: A, to: B, station: M, protocol: mdi, block: 1 s}
"""


@pytest.fixture
def star(tmp_path: Path) -> str:
    (tmp_path / "star.yaml").write_text(STATION)
    (tmp_path / "keys.yaml").write_text(SESSIONS)
    return "star.yaml"


def test_a_station_that_only_measures_is_no_relay(qfabric, star) -> None:
    assert "3 pairs of ends: 3 over trusted nodes" in qfabric("trust", star).out
    result = qfabric("trust", star, "--workload", "keys.yaml")
    assert result.code == 0, result.err
    assert "3 pairs of ends: 1 over a station that nobody needs to trust, 2 without any way" in result.out
    assert "M measures for A – B: not trusted for secrecy" in result.out
    assert (
        "if it lies, it can deny keys: say nothing, too little or what is not so (shown by: error rate, gain)"
        in result.out
    )
    assert "it can never read a key" in result.out
    assert "trusted instead: the sources in the rooms of both ends (A, B)" in result.out
    assert "mdi (1 session): MDI with decoys" in result.out
    assert "mdi: must be right: the sources in the rooms of both ends" in result.out
    assert "M alone can stop 1 pair for which it measures, and reads none" in result.out
    assert "not declared, although" not in result.out
    pair = qfabric("trust", star, "-w", "keys.yaml", "--between", "A", "B").out
    assert (
        pair == "A – B: a station that nobody needs to trust\n  M measures for them and never has the key\n"
    )


def test_json_says_what_a_station_can_do(qfabric, star) -> None:
    said = json.loads(qfabric("trust", star, "-w", "keys.yaml", "--json").out)
    (station,) = said["stations"]
    assert (station["name"], station["measures_for"]) == ("M", [["A", "B"]])
    assert (station["trusted_for_secrecy"], station["also_relays"]) == (False, False)
    assert station["shown_by"] == ["error rate", "gain"]
    reads = {
        node["name"]: (node["reads_whatever_the_routes"], node["reads_on_single_paths"])
        for node in said["nodes"]
    }
    assert reads["M"] == ([], [])
    assert json.loads(qfabric("trust", star, "--json").out)["stations"] == []


def test_a_station_that_relays_as_well_reads_what_it_relays(qfabric, star, tmp_path: Path) -> None:
    (tmp_path / "star.yaml").write_text(
        STATION + "- {name: d, between: [C, M], length: 20 km}\n- {name: e, between: [B, M], length: 20 km}\n"
    )
    (tmp_path / "keys.yaml").write_text(SESSIONS + "- {name: am, from: A, to: M, link: a, block: 1 ms}\n")
    result = qfabric("trust", star, "-w", "keys.yaml")
    assert result.code == 2  # two links of B lead there: the session does not say which
    (tmp_path / "star.yaml").write_text(STATION)
    result = qfabric("trust", star, "-w", "keys.yaml")
    # the session over link a alone makes key between A and the station, so A – C are joined by it
    assert (
        "1 over a station that nobody needs to trust, 1 over trusted nodes, 1 without any way" in result.out
    )
    assert "A – C must trust M" in result.out
    assert "it relays keys of others as well" in result.out


def test_a_workload_of_another_network(qfabric, star) -> None:
    result = qfabric("trust", "lab", "--workload", "keys.yaml")
    assert result.code == 2
    assert "qkd[0].from" in result.err
    assert not result.out
