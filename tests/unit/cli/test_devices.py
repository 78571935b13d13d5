"""`qfabric devices`: list, show, check, new."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from quantum_fabric import devices
from quantum_fabric.cli.app import app
from quantum_fabric.cli.devices import found
from quantum_fabric.errors import UnknownNameError


def test_the_list_names_every_sheet_with_its_standing(qfabric) -> None:
    result = qfabric("devices")
    assert result.code == 0
    for name in devices.sheets():
        kind, _, plain = name.partition("/")
        assert kind in result.out
        assert plain in result.out
    assert "tuned one experiment, cited" in result.words


@pytest.mark.parametrize("arguments", [("node",), ("list", "node")])
def test_one_kind(qfabric, arguments: tuple[str, ...]) -> None:
    result = qfabric("devices", *arguments)
    assert result.code == 0
    assert "nv-electron" in result.out
    assert "smf-28" not in result.out


def test_the_list_as_json(qfabric) -> None:
    rows = json.loads(qfabric("devices", "list", "--json").out)
    assert [f"{row['kind']}/{row['name']}" for row in rows] == list(devices.sheets())
    assert all(row["status"] == devices.status(row["kind"], row["name"]) for row in rows)
    only = json.loads(qfabric("devices", "list", "transducer", "--json").out)
    assert {row["kind"] for row in only} == {"transducer"}


@pytest.mark.parametrize("name", devices.sheets())
def test_every_sheet_can_be_shown(qfabric, name: str) -> None:
    result = qfabric("devices", "show", name)
    assert result.code == 0
    kind, _, plain = name.partition("/")
    assert " ".join(devices.title(kind, plain).split()[:3]) in result.words
    assert devices.status(kind, plain) in result.words
    for field, origin in devices.provenance(kind, plain).items():
        assert field in result.out
        assert origin.value in result.out
    for letter in {origin.letter for origin in devices.provenance(kind, plain).values()}:
        assert devices.LETTERS[letter].split()[0] in result.words


def test_a_sheet_says_what_is_not_a_fact(qfabric) -> None:
    result = qfabric("devices", "show", "node/nv-telecom")
    assert "tuned" in result.words
    assert "are recalled and unverified: they are no facts" in result.words
    assert "a time above 0 s" in result.words
    assert "are recalled" not in qfabric("devices", "show", "node/ideal").words


def test_a_sheet_as_json(qfabric) -> None:
    page = json.loads(qfabric("devices", "show", "trapped-ion-dual", "--json").out)
    assert page["sheet"] == "node/trapped-ion-dual"
    decay = page["numbers"]["memory.decay"]
    assert (decay["value"], decay["provenance"], decay["domain"]) == ("2", "S", "a number in [1, 3]")
    assert "provenance" not in page["numbers"]["interface.alignment_wander"], "a default has no source"
    assert set(page["numbers"]) == set(devices.describe(devices.Node))
    profile = json.loads(qfabric("devices", "show", "profile/today", "--json").out)
    assert profile["node"] == devices.sheet("profile", "today").node


def test_an_unknown_sheet_is_guessed(qfabric) -> None:
    result = qfabric("devices", "show", "nv-elektron")
    assert result.code == 2
    assert "did you mean 'nv-electron'" in result.err
    assert "'qfabric devices' lists the data sheets." in result.err
    with pytest.raises(UnknownNameError, match="one of node/ideal, fibre/ideal"):
        found("ideal")
    assert qfabric("devices", "list", "lamp").code == 2


def test_an_unknown_subcommand_is_guessed(qfabric) -> None:
    result = qfabric("devices", "detectr")
    assert result.code == 2
    assert "No such command or kind of device 'detectr'. Did you mean 'detector'?" in result.err


def test_a_new_sheet_is_sound_and_can_be_shown(qfabric, tmp_path: Path) -> None:
    for kind in devices.RECORDS:
        (tmp_path / f"{kind}.yaml").write_text(qfabric("devices", "new", kind).out)
    result = qfabric("devices", "check", *(f"{kind}.yaml" for kind in devices.RECORDS))
    assert result.code == 0, result.err
    for kind in devices.RECORDS:
        assert f"{kind}.yaml: a sound {kind} sheet (projected)" in result.out
    assert "an attenuation of at least 0 dB/km" in qfabric("devices", "show", "fibre.yaml").words
    assert qfabric("devices", "new", "lamp").code == 2


def test_faults_are_named_with_file_and_line(qfabric, tmp_path: Path) -> None:
    text = qfabric("devices", "new", "transducer").out
    bad = text.replace("efficiency: {value: 0.01", "efficiency: {value: 1.2")
    assert bad != text
    (tmp_path / "good.yaml").write_text(text)
    (tmp_path / "bad.yaml").write_text(bad)
    line = bad.splitlines().index(next(one for one in bad.splitlines() if "1.2" in one)) + 1
    result = qfabric("devices", "check", "bad.yaml", "good.yaml", "none.yaml")
    assert result.code == 2
    expected = f"error: bad.yaml:{line}: numbers.efficiency.value: found 1.2, expected a fraction in (0, 1]"
    assert expected in result.err
    assert "none.yaml: found no such file" in result.err
    assert "good.yaml: a sound transducer sheet" in result.out


def completions(*typed: str) -> list[str]:
    complete = ShellComplete(app, {}, "qfabric", "_QFABRIC_COMPLETE")
    return [item.value for item in complete.get_completions(list(typed[:-1]), typed[-1])]


def test_names_are_completed() -> None:
    assert completions("devices", "show", "node/nv") == [
        "node/nv-carbon",
        "node/nv-electron",
        "node/nv-telecom",
    ]
    assert completions("devices", "new", "tr") == ["transducer"]
    assert "show" in completions("devices", "sh")
