"""From photons to a VPN: examples/vpn/end_to_end.sh as it is, and the policy of examples/vpn/keep_fresh.sh for itself."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

import vpnlab
from keyserver import free_ports

WHY = vpnlab.missing("wg", "wireguard-go", "ip", "python3")
QFABRIC = Path(sys.executable).parent / "qfabric"
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "-")


def whole(text: str, who: str, words: str) -> list[float]:
    """When somebody said something, in seconds."""
    return [float(at) for at in re.findall(rf"^ *([0-9.]+) s +{who} +.*{words}", text, re.MULTILINE)]


@pytest.mark.timeout(300)
def test_photons_become_keys_of_a_tunnel_until_somebody_listens(tmp_path: Path) -> None:
    """Keys from the first block on; an alarm; no key; closed at both ends; open again when keys come again."""
    qfabric = str(QFABRIC) if QFABRIC.exists() else shutil.which("qfabric")
    if qfabric is None:
        pytest.skip("needs the command qfabric")
    port = str(free_ports(4))
    done = subprocess.run(
        [vpnlab.EXAMPLES / "end_to_end.sh", tmp_path / "all"],
        env={**os.environ, "QFABRIC": qfabric, "PORT": port, "AFTERWARDS": "1"},
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    text = done.stdout
    assert done.returncode == 0, text + done.stderr
    alarms = whole(text, "fabric", r"alarm error rate at \d+ min, .* 2[789]\.\d+% of the bits")
    made = [whole(text, "fabric", rf"{240 * (n + 1)} min .* bits of key") for n in range(12)]
    assert [len(times) for times in made] == [1] * 6 + [0] * 3 + [1] * 3, (
        "no key from the blocks of the attack"
    )
    first, again = made[0][0], made[9][0]
    assert whole(text, "alice", "returned error: 503")[0] < first, "no photons yet, no key yet"
    for who in ("alice", "bob"):
        keys = whole(text, who, "new key ")
        # a machine that is busy may close the tunnel before too; and when no more photons come it is closed again
        shut = [
            at for at in whole(text, who, "tunnel closed: no new key for 5 s") if alarms[0] < at < again + 1.0
        ]
        assert shut, "closed by the attack"
        assert len([at for at in keys if at < shut[-1]]) >= 10
        assert max(keys) > shut[-1], "and open again afterwards"
    used = re.findall(r"new key (\S{36})", text)
    assert len(set(used)) >= 20
    assert all(used.count(name) <= 2 for name in used), "a key is used once at each end"
    answers, silent = whole(text, "user", "the other site answers"), whole(text, "user", "does not answer")
    assert answers[0] > first
    assert [at for at in silent if alarms[0] < at], "nothing goes through a closed tunnel"
    assert max(answers) >= again
    for kme in ("kme-a", "kme-b"):
        assert whole(text, kme, "unbroken")
    report = (tmp_path / "all" / "run" / "report.html").read_text(encoding="utf-8")
    assert "intercept resend" in report or "intercept_resend" in report
    left = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    assert "qfe" not in left, "it tidies up"


@contextmanager
def policy(site: vpnlab.Site, *words: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [vpnlab.EXAMPLES / "keep_fresh.sh", *words], env={**site.environment, **more}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with vpnlab.ended(process):
        yield process


@pytest.mark.timeout(120)
@pytest.mark.parametrize("end", ["in order", "killed"])
def test_a_tunnel_does_not_outlive_what_keeps_it_fresh(tmp_path: Path, end: str) -> None:
    with vpnlab.two_sites(tmp_path, network="10.94.0") as (alice, bob):
        a, b = vpnlab.Tunnel(alice, 0), vpnlab.Tunnel(bob, 1)
        with a.up(), b.up():
            more = {"ALLOWED_IPS": f"{b.address}/32", "ENDPOINT": f"{bob.address}:51820", "LIFETIME": "3"}
            with policy(alice, "master", "bob", a.name, b.public, EVERY="60", **more) as kept:
                assert kept.stdout is not None
                assert re.fullmatch(r"\S{36}\n", kept.stdout.readline())
                assert b.public in a.wg("show", a.name, "peers").stdout
                kept.send_signal(signal.SIGTERM if end == "in order" else signal.SIGKILL)
                # the guard outlives it: at the end of the key's lifetime nothing of the peer is left
                vpnlab.until(
                    lambda: a.wg("show", a.name, "peers").stdout == "", "the end of the tunnel", 15.0
                )


@pytest.mark.timeout(120)
def test_a_slave_without_a_key_closes_at_the_end_of_the_last_ones_lifetime(tmp_path: Path) -> None:
    with vpnlab.two_sites(tmp_path, network="10.93.0") as (alice, bob):
        b = vpnlab.Tunnel(bob, 1)
        with b.up():
            public = vpnlab.run("wg", "pubkey", input=vpnlab.run("wg", "genkey").stdout).stdout.strip()
            more = {"ALLOWED_IPS": "10.96.0.1/32", "ENDPOINT": f"{alice.address}:51820", "LIFETIME": "3"}
            key_id = vpnlab.run(
                "sh", "-c", f". {vpnlab.EXAMPLES}/keys.sh; new_key bob | cut -d' ' -f1", env=alice.environment
            ).stdout.strip()
            with policy(bob, "slave", "alice", b.name, public, **more) as kept:
                assert kept.stdin is not None
                kept.stdin.write(f"{key_id}\n")
                kept.stdin.flush()
                vpnlab.until(lambda: public in b.wg("show", b.name, "peers").stdout, "the peer")
                kept.stdin.write(f"{key_id}\n")  # a key is handed over once: the second time there is none
                kept.stdin.flush()
                vpnlab.until(
                    lambda: b.wg("show", b.name, "peers").stdout == "", "the end of the tunnel", 15.0
                )
                assert kept.poll() is None, "and it waits for the next key"
                kept.stdin.close()
                kept.wait(10)
                said = kept.stderr.read() if kept.stderr is not None else ""
                kept.stdin = None
            assert f"no key for {key_id}" in said
            assert "tunnel closed: no new key for 3 s" in said
