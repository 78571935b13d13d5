"""WireGuard in two namespaces under preshared keys from two KMEs: examples/vpn/wireguard.sh as it is."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

import vpnlab

WHY = vpnlab.missing("wg", "wireguard-go", "ip")
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "-")


@pytest.mark.timeout(180)
def test_a_tunnel_whose_preshared_keys_come_from_two_kmes(tmp_path: Path) -> None:
    with ExitStack() as stack:
        alice, bob = stack.enter_context(vpnlab.two_sites(tmp_path))
        a, b = vpnlab.Tunnel(alice, 0), vpnlab.Tunnel(bob, 1)
        stack.enter_context(a.up())
        stack.enter_context(b.up())
        stack.enter_context(vpnlab.echoing(bob, b.address))
        seen = set()
        for _ in range(3):  # a first key and two new ones
            key_id = alice.script("wireguard.sh", "master", "bob", a.name, b.public).stdout.strip()
            bob.script("wireguard.sh", "slave", "alice", b.name, a.public, key_id)
            assert a.psk() == b.psk()
            seen.add(a.psk())
            a.peer(b)
            b.peer(a)
            assert vpnlab.crosses(alice, a.address, b.address), "a handshake under the new key"
        assert len(seen) == 3
        again = bob.script("wireguard.sh", "slave", "alice", b.name, a.public, key_id, check=False)
        assert again.returncode != 0, "a key is handed over once"
        assert "400" in again.stderr
        assert again.stdout == ""
        assert b.psk() == a.psk(), "and what there was stays: no key is never an empty one"
        before = b.psk()
        alice.script("wireguard.sh", "master", "bob", a.name, b.public)
        a.peer(b)
        b.peer(a)
        assert b.psk() == before != a.psk()
        assert not vpnlab.crosses(alice, a.address, b.address, 6.0), "one end with another key: no handshake"
