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
