"""No model is used outside its validity in silence: what is cautioned is said by every face, once, with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import quantum_fabric
from quantum_fabric import documents, wire
from quantum_fabric.cli import main
from quantum_fabric.errors import Caution
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Accepted, LinkRequest, Plan, Refused
from quantum_fabric.network.planning import plan
from quantum_fabric.ops.journal import read

SAID = "Node A~Node B.mean_photons: 1 is outside the model's validity (at most 0.3)"
"""The planner turns the light of the serial reflection up to one photon, where the model is rough."""

NOISY = """\
kind: network
version: 1
nodes:
- {name: A, sheet: transmon, transducer: {sheet: ideal, overrides: {added_noise: 1}}}
- {name: B, sheet: transmon, transducer: ideal}
- {name: C, sheet: transmon, transducer: ideal}
links:
- {between: [A, B], length: 10 m, carrier: {sheet: free_space/ideal, overrides: {turbulence: 1e-9, wavelength: 1550 nm, band: 90 %}}}
- {between: [B, C], length: 10 m, fibre: ideal}
"""


def boston(fidelity: float = 0.6) -> Plan | Refused:
    network = documents.topology(documents.inventory(documents.load_network("boston")))
    return plan(network, LinkRequest("Node A", "Node B", fidelity))


def test_a_plan_carries_the_cautions_of_its_settings_and_no_others() -> None:
    found = boston()
    assert isinstance(found, Plan)
    assert [str(caution).startswith(SAID) for caution in found.cautions] == [True]
    modest = boston(0.72)
    assert isinstance(modest, Plan)
    assert modest.links[0].setting is not None
    assert modest.links[0].setting < 0.3
    assert modest.cautions == ()
    # at the setting of the sheet there is nothing to say
    assert documents.inventory(documents.load_network("boston")).cautions == ()


def test_cautions_cross_the_wire() -> None:
    found = boston()
    assert isinstance(found, Plan)
    accepted = Accepted("r", found)
    again = wire.decode(json.loads(json.dumps(wire.encode(accepted))))
    assert isinstance(again, Accepted)
    assert again == accepted
    assert isinstance(again.plan.cautions[0], Caution)


def test_every_part_of_a_path_is_heard() -> None:
    """Of the node A and of the air from A to B, and nothing of them between B and C."""
    network = documents.parse_document(NOISY)
    assert isinstance(network, documents.NetworkDocument)
    inventory = documents.inventory(network)
    places = [caution.where for caution in inventory.cautions]
    assert any(place.startswith("A.transducer") for place in places)
    assert any(place.startswith("A~B.turbulence") for place in places)
    assert len(places) == len(set(places))
    topology = documents.topology(inventory)
    assert topology.node("A").cautions
    assert topology.link("A~B").cautions
    assert not topology.node("B").cautions
    assert not topology.link("B~C").cautions
    clean = plan(topology, LinkRequest("B", "C", 0.55))
    assert not isinstance(clean, Plan) or clean.cautions == ()


def test_python_hears_it() -> None:
    fabric = Fabric(documents.inventory(documents.load_network("boston")), seed=1)
    link = quantum_fabric.request_link("Node B", fidelity=0.6, source="Node A", network=fabric)
    assert not isinstance(link, Refused)
    assert str(link.plan.cautions[0]).startswith(SAID)
    link.close()


def test_every_command_says_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    load = "kind: workload\nversion: 1\nduration: 5 s\nrequests:\n"
    load += "".join(f"- {{from: Node A, to: Node B, at: {n} s, fidelity: 0.6, pairs: 1}}\n" for n in range(3))
    Path("load.yaml").write_text(load)
    Path("noisy.yaml").write_text(NOISY)

    def words(*arguments: str) -> str:
        main(list(arguments))
        return " ".join(capsys.readouterr().out.split())

    for arguments in (
        ("plan", "boston", "Node A", "Node B", "--fidelity", "0.6"),
        ("link", "Node B", "--source", "Node A", "--network", "boston", "--fidelity", "0.6", "--pairs", "1"),
        ("run", "boston", "--workload", "load.yaml", "--out", "out"),
    ):
        assert words(*arguments).count(SAID) == 1, arguments
    assert (Path("out") / "report.html").read_text().count("Caution: Node A~Node B.mean_photons") == 1
    end = read(Path("out") / "journal.jsonl").end
    assert end is not None
    assert [str(caution).startswith(SAID) for caution in end.cautions] == [True]
    for command in ("check", "networks"):
        said = words(command, "noisy.yaml")
        assert said.count("A.transducer.noise") == 1
        assert said.count("A~B.turbulence") == 1
    # a refusal says it too: what the model cannot say may be why
    assert words("plan", "noisy.yaml", "A", "C", "--fidelity", "0.99").count("A.transducer.noise") == 1
    assert main(["replay", "out/journal.jsonl"]) == 0


def test_a_spoilt_last_line_is_no_caution(tmp_path: Path) -> None:
    from quantum_fabric.errors import JournalError
    from quantum_fabric.ops.journal import Header, JournalWriter

    said = Caution("x", "1", "at most 0", "nothing")
    with JournalWriter(tmp_path / "j", Header("0", 1, "full", {}, {})) as journal:
        journal.close(until=3, cautions=(said,))
    end = read(tmp_path / "j").end
    assert end is not None
    assert end.cautions == (said,)
    text = (tmp_path / "j").read_text()
    (tmp_path / "j").write_text(text.replace('"effect"', '"affect"'))
    with pytest.raises(JournalError, match="no usable 'cautions'"):
        read(tmp_path / "j")
