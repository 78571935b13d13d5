"""TLS 1.3 under an external preshared key from two KMEs: examples/vpn/tls_psk.sh as it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

import vpnlab
from keyserver import free_ports

WHY = vpnlab.missing("openssl", "base64", "od", root=False)
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "-")


def meet(alice: vpnlab.Site, bob: vpnlab.Site, key_id: str, line: str) -> tuple[str, str]:
    """A server of bob's and a client of alice's; what each of them said."""
    port = str(free_ports(1))
    server = subprocess.Popen(
        [vpnlab.EXAMPLES / "tls_psk.sh", "server", "alice", key_id, port],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=bob.environment,
    )  # fmt: skip
    with vpnlab.ended(server):
        vpnlab.until(lambda: listens(int(port)), "the server")
        client = subprocess.run(
            [vpnlab.EXAMPLES / "tls_psk.sh", "client", "127.0.0.1", port],
            input=f"{line}\nfrom alice\n", capture_output=True, text=True, check=False, env=alice.environment, timeout=30,
        )  # fmt: skip
        heard, _ = server.communicate("", timeout=20)
    return client.stdout + client.stderr, heard


def listens(port: int) -> bool:
    state = f":{port:04X} 00000000:0000 0A"
    return any(state in Path(f"/proc/net/{name}").read_text() for name in ("tcp",)) or any(
        f":{port:04X} " in line and " 0A " in line for line in Path("/proc/net/tcp6").read_text().splitlines()
    )


@pytest.mark.timeout(120)
def test_a_session_under_a_key_from_two_kmes(tmp_path: Path) -> None:
    with vpnlab.two_sites(tmp_path, spaces=False) as (alice, bob):
        sessions = []
        for _ in range(2):
            line = alice.script("tls_psk.sh", "key", "bob").stdout.strip()
            key_id, key = line.split()
            assert len(bytes.fromhex(key)) == 32
            said, heard = meet(alice, bob, key_id, line)
            assert "TLSv1.3" in said, said
            assert "Reused" in said, "the session rests on the preshared key: there is no certificate"
            assert "no peer certificate available" in said
            assert heard.strip() == "from alice"
            sessions.append(key)
        assert len(set(sessions)) == 2
        line = alice.script("tls_psk.sh", "key", "bob").stdout.strip()
        key_id, key = line.split()
        said, heard = meet(alice, bob, key_id, f"{key_id} {'0' * 64}")
        assert "from alice" not in heard, "another key: no session"
        assert "Reused" not in said


def test_the_scripts_are_good_shell() -> None:
    for path in sorted(vpnlab.EXAMPLES.glob("*.sh")):
        done = subprocess.run(["sh", "-n", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert os.access(path, os.X_OK) or path.name == "keys.sh"


KEY = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
ID = "9a6f4c0e-4b1d-4c55-9a0e-6a0f0a3d8c11"


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        (f'{{"keys":[{{"key_ID":"{ID}","key":"{KEY}"}}]}}', True),
        ("", False),
        ('{"message":"one or more keys specified are not found on KME"}', False),
        ('{"keys":[]}', False),
        (f'{{"keys":[{{"key_ID":"{ID}","key":"{KEY}"}},{{"key_ID":"{ID}","key":"{KEY}"}}]}}', False),
        (f'{{"keys":[{{"key_ID":"x;}} secrets {{","key":"{KEY}"}}]}}', False),
        (f'{{"keys":[{{"key_ID":"{ID}","key":"c2hvcnQ="}}]}}', False),
        (f'{{"keys":[{{"key_ID":"evil\\n{ID}","key":"{KEY}"}}]}}', False),
        (f'{{"keys":[{{"key_ID":"{ID}","key":"{KEY}\\n"}}]}}', False),
    ],
)
def test_an_answer_that_is_none_stops_a_script(answer: str, good: bool) -> None:
    program = f'. {vpnlab.EXAMPLES}/keys.sh; found=$(one_key); echo "got $found"'
    done = subprocess.run(["sh", "-c", program], input=answer, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is good
    assert done.stdout == (f"got {ID} {KEY}\n" if good else "")
