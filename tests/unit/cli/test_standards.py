"""``qfabric standards``: what it prints can be read back, and what cannot be said is refused with an exit code."""

from __future__ import annotations

import json

import pytest

from quantum_fabric.cli.app import main
from quantum_fabric.standards.egp_shapes import message_of
from quantum_fabric.standards.qnp import entry_of


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["standards", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_circuit(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "circuit", "chicago", "NU", "UChicago_PME", "-f", "0.7", "--id", "5")
    entries = [entry_of(shape) for shape in json.loads(out)]
    assert code == 0
    assert (entries[0].node, entries[-1].node, entries[0].circuit_id) == ("NU", "UChicago_PME", 5)


def test_rulesets(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "rulesets", "chicago", "NU", "UChicago_PME", "-f", "0.7")
    shapes = json.loads(out)
    assert code == 0
    assert shapes[0]["owner_address"] == "NU"
    assert any(
        rule["name"] == "swap" for shape in shapes for stage in shape["stages"] for rule in stage["rules"]
    )


def test_etsi015(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "etsi015", "lab", "Alice")
    assert code == 0
    assert list(json.loads(out)) == ["etsi-qkd-sdn-node:qkd_node"]
    code, out, _ = said(capsys, "etsi015", "lab")
    assert sorted(json.loads(out)) == ["Alice", "Bob"]


def test_egp(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "egp", "--bell", "PSI_PLUS", "200053000001000700000002ee1305dc")
    assert code == 0
    shape = json.loads(out)
    assert shape["bell"] == "PSI_PLUS"
    assert message_of(shape)
    code, out, _ = said(capsys, "egp", "00000002" + "ffff41f4" + "00030001" + "20000000" + "0" * 16)
    assert json.loads(out)["type"] == "CREATE_K"


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("circuit", "chicago", "NU", "UChicago_PME", "-f", "0.9999"), 1, ""),
        (("circuit", "chicago", "NU", "UChicago_PME", "-f", "1.5"), 2, "fidelity"),
        (("rulesets", "chicago", "NU", "Atlantis", "-f", "0.7"), 2, "Atlantis"),
        (("etsi015", "lab", "Atlantis"), 2, "Atlantis"), (("egp", "xyz"), 2, "hexadecimal"), (("egp", "00"), 2, "type 0"),
        (("egp", "10009000", "--bell", "GHZ"), 2, "PHI_PLUS"),
    ],
)  # fmt: skip
def test_refusals(
    arguments: tuple[str, ...], code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, err = said(capsys, *arguments)
    assert found == code
    assert word in err
    assert not out.startswith("{")
