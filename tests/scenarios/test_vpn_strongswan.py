"""IPsec in two namespaces whose IKE SAs take in PPKs (RFC 8784) from two KMEs: examples/vpn/strongswan.sh as it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

import vpnlab

CHARON = "/usr/sbin/charon-systemd"
PLUGINS = [
    f"/usr/lib/ipsec/plugins/libstrongswan-{name}.so" for name in ("kernel-libipsec", "openssl", "gcm")
]
WHY = vpnlab.missing("swanctl", CHARON, *PLUGINS, "ip")
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "-")

DAEMON = """
charon-systemd {{
  load = random nonce openssl pem pkcs1 kdf hmac sha2 aes gcm curve25519 kernel-libipsec kernel-netlink socket-default vici updown
  install_virtual_ip = no
  plugins {{
    vici {{ socket = unix://{folder}/vici }}
    kernel-libipsec {{ allow_peer_ts = yes }}
  }}
  filelog {{ stderr {{ default = 1 }} }}
}}
"""
SECRET = '  ike-site {\n    id-1 = alice\n    id-2 = bob\n    secret = "the classical preshared key of a test"\n  }\n'
CONNECTION = """
connections {{
  {name} {{
    version = 2
    local_addrs = {mine}
    remote_addrs = {other}
    proposals = aes256-sha384-x25519
    ppk_required = yes
    {ppk}
    unique = replace
    local {{ auth = psk
      id = {me} }}
    remote {{ auth = psk
      id = {you} }}
    children {{
      net {{
        local_ts = {inner}/32
        remote_ts = {outer}/32
        esp_proposals = aes256gcm16
      }}
    }}
  }}
}}
"""


class Gateway:
    """strongSwan at a site, with folders of its own, and ESP in user space."""

    def __init__(self, site: vpnlab.Site, folder: Path, inner: str) -> None:
        self.site, self.folder, self.inner = site, folder, inner
        (folder / "conf.d").mkdir(parents=True)
        (folder / "strongswan.conf").write_text(DAEMON.format(folder=folder))
        self.environment = {"SWANCTL_DIR": str(folder), "VICI": f"unix://{folder}/vici"}

    def configure(self, other: Gateway, begins: bool) -> None:
        names = {
            "mine": self.site.address, "other": other.site.address, "me": self.site.sae, "you": other.site.sae,
            "inner": self.inner, "outer": other.inner,
        }  # fmt: skip
        include = f"include {self.folder}/conf.d/*.conf\n"
        (self.folder / "swanctl.conf").write_text(f"secrets {{\n{SECRET}}}\n" + include)
        if begins:
            template = CONNECTION.format(name="site-@KEY_ID@", ppk="ppk_id = @KEY_ID@", **names)
            (self.folder / "initiator.conf").write_text(template)
        else:
            (self.folder / "conf.d" / "responder.conf").write_text(
                CONNECTION.format(name="site", ppk="", **names)
            )

    @contextmanager
    def up(self) -> Iterator[None]:
        # a packet for the other's inner network must have a source in ours
        self.site.inside("ip", "address", "add", f"{self.inner}/32", "dev", "lo")
        environment = {**self.site.environment, "STRONGSWAN_CONF": str(self.folder / "strongswan.conf")}
        with vpnlab.ended(self.site.begin(CHARON, env=environment)) as self.process:
            vpnlab.until(self.answers, "charon")
            self.swanctl("--load-all", "--noprompt")
            yield

    def answers(self) -> bool:
        assert self.process.poll() is None, self.process.stdout.read()
        return (
            vpnlab.run("swanctl", "--stats", "--uri", self.environment["VICI"], check=False).returncode == 0
        )

    def swanctl(self, *words: str) -> str:
        more = {"env": {**self.site.environment, **self.environment}}
        return vpnlab.run("swanctl", *words, "--uri", self.environment["VICI"], **more).stdout

    def script(self, *words: str, check: bool = True):
        return self.site.script("strongswan.sh", *words, check=check, **self.environment)

    def associations(self) -> str:
        return self.swanctl("--list-sas")


@pytest.fixture
def gateways(tmp_path: Path):
    short = Path(f"/tmp/qfss{tmp_path.name[-4:]}")  # the path of a Unix socket must be short
    shutil.rmtree(short, ignore_errors=True)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, short, ignore_errors=True)
        alice, bob = stack.enter_context(vpnlab.two_sites(tmp_path, "10.95.0"))
        a, b = Gateway(alice, short / "a", "10.94.1.1"), Gateway(bob, short / "b", "10.94.2.1")
        a.configure(b, begins=True)
        b.configure(a, begins=False)
        stack.enter_context(a.up())
        stack.enter_context(b.up())
        yield a, b


@pytest.mark.timeout(240)
def test_a_tunnel_under_ppks_from_two_kmes_is_renewed(gateways) -> None:
    a, b = gateways
    with vpnlab.echoing(b.site, b.inner):
        used = []
        for _ in range(3):
            key_id = a.script("master", "bob").stdout.strip()
            b.script("slave", "alice", key_id)
            a.script("connect", key_id)
            used.append(key_id)
            shown = a.associations()
            assert f"site-{key_id}: #" in shown
            assert "/PPK" in shown, f"the IKE SA has taken the key in: {shown}"
            assert "INSTALLED" in shown
            assert vpnlab.crosses(a.site, a.inner, b.inner), "ESP carries it"
        assert len(set(used)) == 3
        vpnlab.until(lambda: b.associations().count("ESTABLISHED") == 1, "the end of the older associations")
    left = [one for gateway in (a, b) for one in gateway.folder.rglob("*ppk*")]
    assert left == [], "no key is left in a file"


@pytest.mark.timeout(240)
def test_ends_with_different_keys_have_no_tunnel(gateways) -> None:
    a, b = gateways
    key_id = a.script("master", "bob").stdout.strip()
    refused = a.script("connect", key_id, check=False)
    assert refused.returncode != 0, "bob has no such PPK, and goes on with none"
    assert "PPK required but peer does not support PPK" in attempt(a, key_id)
    wrong = b.folder / "conf.d" / "ppk.conf"
    wrong.write_text(f"secrets {{\n  ppk-qkd {{\n    id = {key_id}\n    secret = 0x{'00' * 32}\n  }}\n}}\n")
    b.swanctl("--load-creds", "--noprompt")
    wrong.unlink()
    assert a.script("connect", key_id, check=False).returncode != 0
    said = attempt(a, key_id)
    assert "AUTHENTICATION_FAILED" in said, said
    assert "N(PPK_ID)" in said, "it was asked for"
    assert "ESTABLISHED" not in a.associations() + b.associations()
    b.script("slave", "alice", key_id)
    a.script("connect", key_id)
    assert "ESTABLISHED" in a.associations(), "with the right one it goes: nothing else was wrong"


def attempt(gateway: Gateway, key_id: str) -> str:
    """What charon says while it tries."""
    words = ["--initiate", "--ike", f"site-{key_id}", "--child", "net", "--uri", gateway.environment["VICI"]]
    return vpnlab.run("swanctl", *words, check=False).stdout
