"""``qfabric kme``: a trial from nothing to a key, in another process, with Ctrl-C at the end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

from keyserver import Client
from quantum_fabric.cli import main


def bob_had(folder: Path) -> str:
    """What the audit book says that bob collected."""
    lines = subprocess.run(
        [sys.executable, "-m", "quantum_fabric", "kme", "audit", str(folder / "kme-a.yaml")],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return "".join(line for line in lines if " collected bob " in line)


def test_init_serve_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "trial"
    assert main(["kme", "init", str(folder), "--kme", "kme-a=alice,bob", "--port", "0"]) == 0
    assert "THROW-AWAY" in capsys.readouterr().out
    assert folder.stat().st_mode & 0o777 == 0o700
    private = [path for path in folder.iterdir() if path.suffix in (".key", ".kek")]
    assert len(private) == 11
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert main(["kme", "status", str(folder / "kme-a.yaml")]) == 2
    command = [sys.executable, "-m", "quantum_fabric", "kme", "serve", str(folder / "kme-a.yaml")]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline().rpartition(":")[2])
        client = Client(folder, port, "sae-alice")
        status, body = client.get("bob/enc_keys?number=3")
        assert status == 200
        client.close()
        capsys.readouterr()
        assert main(["kme", "status", str(folder / "kme-a.yaml")]) == 0
        shown = capsys.readouterr().out
        assert "keys delivered: 3" in shown
        assert "stock kme-a → kme-a: 1048480 octets" in shown
        assert "unbroken" in shown
        first, second, third = (one["key_ID"] for one in body["keys"])
        assert main(["kme", "revoke", str(folder / "kme-a.yaml"), first]) == 0, "while it serves"
        assert main(["kme", "revoke", str(folder / "kme-a.yaml"), first]) == 1, "destroyed before"
        bob = Client(folder, port, "sae-bob")
        assert bob.get(f"alice/dec_keys?key_ID={first}")[1]["details"][0]["reason"] == "revoked"
        assert bob.get(f"alice/dec_keys?key_ID={second}")[0] == 200
        bob.close()
        assert main(["kme", "revoke", str(folder / "kme-a.yaml"), "--sae", "bob"]) == 0
        assert main(["kme", "revoke", str(folder / "kme-a.yaml")]) == 2
        capsys.readouterr()
        assert main(["kme", "audit", str(folder / "kme-a.yaml"), "--after", "1"]) == 0
        acts = [line.split()[2] for line in capsys.readouterr().out.splitlines()[:-1]]
        assert [act for act in acts if act != "fed"] == [
            "issued",
            "revoked",
            "refused",
            "collected",
            "revoked",
        ]
        assert third not in bob_had(folder)
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=20)
    finally:
        server.kill()
    assert server.returncode == 0
    assert "has stopped" in out
    assert "TRIAL" in err
    for one in body["keys"]:
        assert one["key"] not in out + err
    assert main(["kme", "init", str(folder), "--kme", "kme-a=alice,bob"]) == 2, "nothing is overwritten"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("mode: trial", "mode: production"), "test_supply"),
        (("mode: trial", "mode: lax"), "mode"),
        (("kme: kme-a\n", "kme: kme-a\ncolour: red\n"), "colour"),
        (("alice: kme-a", "alice: kme-x"), "homes"),
    ],
)
def test_settings_that_do_not_hold_are_refused_before_anything_listens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], field: str
) -> None:
    folder = tmp_path / "trial"
    main(["kme", "init", str(folder), "--kme", "kme-a=alice,bob", "--port", "0"])
    path = folder / "kme-a.yaml"
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    assert main(["kme", "serve", str(path)]) == 2
    assert field in capsys.readouterr().err
    assert not (folder / "kme-a.sqlite").exists()


def test_a_kek_that_others_can_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "trial"
    main(["kme", "init", str(folder), "--kme", "kme-a=alice,bob", "--port", "0"])
    (folder / "kme-a.kek").chmod(0o640)
    assert main(["kme", "serve", str(folder / "kme-a.yaml")]) == 2
    assert "nobody else may read" in capsys.readouterr().err
    assert main(["kme", "init", str(tmp_path / "x"), "--kme", "nonsense"]) == 2
