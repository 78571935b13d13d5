"""WireGuard in two namespaces under preshared keys from two KMEs: examples/vpn/wireguard.sh as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

import vpnlab

WHY = vpnlab.missing("wg", "wireguard-go", "ip")
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "-")


class Tunnel:
    """A site's end: userspace WireGuard, because a test must not need a kernel module."""

    def __init__(self, site: vpnlab.Site, index: int) -> None:
        self.site = site
        self.name, self.address = f"qfwg{os.getpid() % 100000}{index}", f"10.96.0.{index + 1}"
        self.private = vpnlab.run("wg", "genkey").stdout
        self.public = vpnlab.run("wg", "pubkey", input=self.private).stdout.strip()

    @contextmanager
    def up(self) -> Iterator[None]:
        with vpnlab.ended(self.site.begin("wireguard-go", "-f", self.name)):
            vpnlab.until(lambda: self.wg("show", self.name, check=False).returncode == 0, "the interface")
            self.site.inside(
                "wg",
                "set",
                self.name,
                "private-key",
                "/dev/stdin",
                "listen-port",
                "51820",
                input=self.private,
            )
            self.site.inside("ip", "address", "add", f"{self.address}/24", "dev", self.name)
            self.site.inside("ip", "link", "set", self.name, "up")
            yield

    def wg(self, *words: str, check: bool = True):
        return self.site.inside("wg", *words, check=check)

    def peer(self, other: Tunnel) -> None:
        """Meet the other, anew: whatever session there was is gone, only the preshared key stays."""
        shown = self.wg("show", self.name, "preshared-keys").stdout.split()
        self.wg("set", self.name, "peer", other.public, "remove")
        psk = shown[1] if len(shown) == 2 and shown[1] != "(none)" else ""
        more = ["preshared-key", "/dev/stdin"] if psk else []
        where = ["allowed-ips", f"{other.address}/32", "endpoint", f"{other.site.address}:51820"]
        self.site.inside("wg", "set", self.name, "peer", other.public, *where, *more, input=psk)

    def psk(self) -> str:
        return self.wg("show", self.name, "preshared-keys").stdout.split()[1]


@pytest.mark.timeout(180)
def test_a_tunnel_whose_preshared_keys_come_from_two_kmes(tmp_path: Path) -> None:
    with ExitStack() as stack:
        alice, bob = stack.enter_context(vpnlab.two_sites(tmp_path))
        a, b = Tunnel(alice, 0), Tunnel(bob, 1)
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
