"""``qfabric keys`` against a running KME: get, status, revoke, rotate, audit; keys are shown where they were asked for only."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiohttp")

from keyserver import Server, small
from quantum_fabric.cli import main
from quantum_fabric.server import caller
from quantum_fabric.server.running import trial
from quantum_fabric.server.settings import load

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Path, Server]]:
    folder = tmp_path / "trial"
    (path,) = trial(folder, {"kme-a": ["alice", "bob"]}, 0, operators=True)
    server = Server(small(load(path)))
    server.start()
    yield folder, server
    server.stop()


@pytest.fixture
def run(running: tuple[Path, Server], capsys: pytest.CaptureFixture[str]) -> Run:
    folder, server = running
    kme = server.kmes[0]
    assert kme.operator_door is not None

    def call(who: str, *words: str) -> tuple[int, str, str]:
        assert kme.operator_door is not None
        port = kme.operator_door.port if who.startswith("operator") else kme.sae_door.port
        where = [
            "--url",
            f"https://localhost:{port}",
            "--cert",
            str(folder / f"{who}.pem"),
            "--ca",
            str(folder / "trial-ca-of-kmes.pem"),
        ]
        capsys.readouterr()
        code = main(["keys", words[0], *where, *words[1:]])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


def test_get_and_collect(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "keys.json"
    code, shown, err = run("sae-alice", "get", "bob", "--number", "2", "--out", str(out))
    assert code == 0
    assert "NOT SECRET" in err
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    kept = {one["key_ID"]: one["key"] for one in json.loads(out.read_text())["keys"]}
    assert len(kept) == 2
    assert shown.split() == list(kept)
    assert not any(key in shown + err for key in kept.values()), "not printed unless it is asked for"
    ids = [word for key_id in kept for word in ("--id", key_id)]
    code, shown, _ = run("sae-bob", "get", "--from", "alice", *ids, "--reveal", "--json")
    assert code == 0
    assert {one["key_ID"]: one["key"] for one in json.loads(shown)["keys"]} == kept
    code, _, err = run("sae-bob", "get", "--from", "alice", *ids, "--reveal")
    assert code == 1
    assert "not found on KME" in err
    assert "consumed" in err
    code, shown, _ = run("sae-alice", "get", "bob", "--size", "128", "--reveal")
    assert len(base64.b64decode(shown.split()[1])) == 16


def test_nothing_is_asked_for_before_there_is_a_place_for_it(
    run: Run, running: tuple[Path, Server], tmp_path: Path
) -> None:
    out = tmp_path / "taken.json"
    out.write_text("mine")
    before = running[1].kmes[0].kme.store.run(lambda shelf: shelf.head())
    assert run("sae-alice", "get", "bob")[0] == 2
    assert run("sae-alice", "get", "bob", "--out", str(out))[0] == 2
    assert run("sae-alice", "get", "bob", "--out", str(tmp_path / "no" / "x"))[0] == 2
    assert run("sae-alice", "get", "--reveal")[0] == 2
    assert run("sae-alice", "get", "bob", "--from", "bob", "--reveal")[0] == 2
    assert out.read_text() == "mine"
    assert running[1].kmes[0].kme.store.run(lambda shelf: shelf.head()) == before
    fresh = tmp_path / "refused.json"
    assert run("sae-alice", "get", "bob", "--size", "7", "--out", str(fresh))[0] == 1
    assert not fresh.exists(), "an empty file would look like a key"


def test_status(run: Run) -> None:
    run("sae-alice", "get", "bob", "--number", "3", "--reveal")
    code, shown, _ = run("sae-alice", "status", "bob")
    assert code == 0
    assert "key_size: 256" in shown
    code, shown, _ = run("operator-ops", "status")
    assert code == 0
    assert "keys delivered: 3" in shown
    assert "pair alice → bob: 3 of 10000 keys wait, " in shown
    assert "KEK kme-a-1" in shown
    code, shown, _ = run("operator-ops", "status", "--json")
    found = json.loads(shown)
    assert found["keys"] == {"delivered": 3}
    assert found["pools"] == [{"cutter": "kme-a", "follower": "kme-a", "octets": (1 << 16) - 96}]


def test_revoke(run: Run) -> None:
    ids = run("sae-alice", "get", "bob", "--number", "4", "--reveal", "--json")[1]
    first, second, *_ = [one["key_ID"] for one in json.loads(ids)["keys"]]
    assert run("operator-ops", "revoke", first)[:2] == (0, "1 keys destroyed\n")
    assert run("operator-ops", "revoke", first)[:2] == (1, "0 keys destroyed\n"), "destroyed before"
    assert "revoked" in run("sae-bob", "get", "--from", "alice", "--id", first, "--reveal")[2]
    assert run("operator-ops", "revoke", "--pair", "bob", "alice")[0] == 1, "the other direction has none"
    assert run("operator-ops", "revoke", "--pair", "alice", "bob")[:2] == (0, "3 keys destroyed\n")
    assert run("sae-bob", "get", "--from", "alice", "--id", second, "--reveal")[0] == 1
    run("sae-bob", "get", "alice", "--reveal")
    assert run("operator-ops", "revoke", "--sae", "alice", "--json")[1].split() == [
        "{",
        '"destroyed":',
        "1",
        "}",
    ]
    for words in ([], ["--sae", "bob", first], ["--sae", "b b"]):
        assert run("operator-ops", "revoke", *words)[0] in (1, 2)


def test_rotate(run: Run, running: tuple[Path, Server]) -> None:
    folder, server = running
    ids = json.loads(run("sae-alice", "get", "bob", "--reveal", "--json")[1])["keys"]
    code, shown, _ = run("operator-ops", "rotate", "--new")
    assert (code, shown) == (0, "KEK kme-a-2 seals; no other is needed any more\n")
    file = folder / "kme-a.kek"
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["kme-a-2", "kme-a-1"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = json.loads(
        run("sae-bob", "get", "--from", "alice", "--id", ids[0]["key_ID"], "--reveal", "--json")[1]
    )["keys"]
    assert again == ids
    file.write_text(file.read_text().splitlines()[0] + "\n")
    assert run("operator-ops", "rotate")[0] == 0, "the old line is not needed any more"
    good = file.read_text()
    file.write_text(f"kme-a-2 {'ab' * 32}\n")
    code, _, err = run("operator-ops", "rotate")
    assert code == 1, "another KEK of the same name"
    assert "ab" * 32 not in err
    file.chmod(0o644)
    assert run("operator-ops", "rotate")[0] == 1
    assert run("sae-alice", "get", "bob", "--reveal")[0] == 0, "it goes on with the KEK that it has"
    file.write_text(good)
    text = run("operator-ops", "audit", "--act", "rotated")[1]
    assert "rotated operator ops" in text
    assert server.kmes[0].kme.desk.ring.current.name == "kme-a-2"


def test_audit(run: Run, running: tuple[Path, Server]) -> None:
    run("sae-alice", "get", "bob", "--reveal")
    code, shown, _ = run("operator-ops", "audit", "--after", "1")
    assert code == 0
    *lines, last = shown.splitlines()
    assert [line.split()[2:4] for line in lines][-1] == ["issued", "alice"]
    head = last.rpartition(" ")[2]
    assert run("operator-ops", "audit", "--expect", head)[0] == 0
    run("sae-alice", "get", "bob", "--reveal")
    assert run("operator-ops", "audit", "--expect", head)[0] == 0, "it has gone on"
    number = head.partition(":")[0]
    assert run("operator-ops", "audit", "--expect", f"{number}:{'0' * 64}")[0] == 2, "written anew"
    assert run("operator-ops", "audit", "--expect", f"999:{'0' * 64}")[0] == 2, "cut off"
    assert run("operator-ops", "audit", "--expect", "x")[0] == 2
    code, shown, _ = run("operator-ops", "audit", "--json", "--act", "issued")
    assert [json.loads(line)["act"] for line in shown.splitlines()] == ["issued", "issued"]

    def forge(shelf: Any) -> None:
        shelf._do("UPDATE audit SET actor = 'nobody' WHERE number = 2")

    running[1].kmes[0].kme.store.run(forge)
    code, _, err = run("operator-ops", "audit")
    assert code == 2
    assert "entry 2 was changed" in err


def test_a_book_of_several_pages(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantum_fabric.server.operator_api.PAGE", 2)
    for _ in range(5):
        run("sae-alice", "get", "bob", "--reveal")
    assert len(run("operator-ops", "audit", "--act", "issued")[1].splitlines()) == 6


def test_who_may(run: Run, running: tuple[Path, Server], capsys: pytest.CaptureFixture[str]) -> None:
    folder, server = running
    assert server.kmes[0].operator_door is not None
    url = f"https://localhost:{server.kmes[0].operator_door.port}"
    ca = str(folder / "trial-ca-of-kmes.pem")
    for who, why in (("sae-alice", "does not accept"), ("kme-kme-a", "does not accept")):
        assert main(["keys", "status", "--url", url, "--cert", str(folder / f"{who}.pem"), "--ca", ca]) == 2
        shown = capsys.readouterr().err
        assert why in shown or "does not answer" in shown
    assert (
        main(["keys", "status", "--url", url, "--cert", str(folder / "sdn-controller.pem"), "--ca", ca]) == 1
    ), "the right CA, and no operator"
    assert (
        main(
            [
                "keys",
                "status",
                "--url",
                url,
                "--cert",
                str(folder / "operator-ops.pem"),
                "--ca",
                str(folder / "trial-ca-of-saes.pem"),
            ]
        )
        == 2
    )
    assert "not a KME of this CA" in capsys.readouterr().err
    (folder / "operator-ops.key").chmod(0o644)
    assert main(["keys", "status", "--url", url, "--cert", str(folder / "operator-ops.pem"), "--ca", ca]) == 2
    assert "nobody else may read" in capsys.readouterr().err
    assert (
        main(["keys", "status", "--url", "http://x", "--cert", str(folder / "sae-bob.pem"), "--ca", ca]) == 2
    )
    assert (
        main(
            [
                "keys",
                "status",
                "--url",
                "https://127.0.0.1:1",
                "--cert",
                str(folder / "sae-bob.pem"),
                "--ca",
                ca,
            ]
        )
        == 2
    )


def test_an_answer_does_not_print_itself() -> None:
    assert "secret" not in repr(caller.Said(200, {"keys": ["secret"]}))


def test_operators_send_nonsense(running: tuple[Path, Server]) -> None:
    folder, server = running
    door = server.kmes[0].operator_door
    assert door is not None
    who = folder / "operator-ops.pem"
    one = caller.Caller(
        f"https://localhost:{door.port}", who, who.with_suffix(".key"), folder / "trial-ca-of-kmes.pem"
    )
    base = "/qfabric/v1/operator/"
    for path, fields in (
        ("revoke", {}), ("revoke", {"sae": "alice", "pair": ["a", "b"]}), ("revoke", {"key_ids": ["x"]}), ("revoke", {"key_ids": []}),
        ("revoke", {"sae": ""}), ("revoke", {"pair": ["a"]}), ("rotate", {"new": 1}), ("rotate", {"old": True}),
    ):  # fmt: skip
        assert one.post(base + path, fields).status == 400, (path, fields)
    for path in ("audit?after=x", "audit?after=-1", "audit?before=3"):
        assert one.get(base + path).status == 400
    assert one.get(base + "keys").status == 404
    assert one.get(base + "revoke").status == 405
    assert one.get("/api/v1/keys/bob/enc_keys").status == 404, "operators get no keys"
    one.close()
