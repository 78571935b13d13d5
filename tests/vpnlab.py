"""Two sites for the VPN examples: network namespaces, two key servers on loopback, and the scripts of examples/vpn as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from keyserver import Server, free_ports, small
from quantum_fabric.server.running import trial
from quantum_fabric.server.settings import load

EXAMPLES = Path(__file__).parents[1] / "examples" / "vpn"


def missing(*programs: str, root: bool = True) -> str:
    """Why an example cannot run here; empty where it can."""
    for name in ("curl", "jq", *programs):
        if shutil.which(name) is None and not Path(name).exists():
            return f"needs {name} (see docs/how-to/serve-keys-to-a-vpn.md for the Debian packages)"
    if not root:
        return ""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    probe = f"qfprobe{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    if made.returncode != 0:
        return "needs network namespaces, which this machine does not allow"
    return "" if Path("/dev/net/tun").exists() else "needs /dev/net/tun"


def run(*command: str | Path, check: bool = True, **more: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(one) for one in command], capture_output=True, text=True, check=False, timeout=60, **more
    )
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


def until(look: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.1)


class Site:
    """One end: an SAE at its own KME, and a network namespace."""

    def __init__(self, folder: Path, sae: str, port: int, space: str, address: str) -> None:
        self.sae, self.space, self.address = sae, space, address
        self.folder = folder
        self.environment = {
            **os.environ,
            "KME": f"https://localhost:{port}",
            "KME_CA": str(folder / "trial-ca-of-kmes.pem"),
            "SAE_CERT": str(folder / f"sae-{sae}.pem"),
            "SAE_KEY": str(folder / f"sae-{sae}.key"),
        }

    def script(
        self, name: str, *arguments: str, check: bool = True, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run an example as this site. It talks to the KME on loopback, so it runs outside of the namespace."""
        return run(EXAMPLES / name, *arguments, check=check, env={**self.environment, **more})

    def inside(
        self, *command: str | Path, check: bool = True, **more: object
    ) -> subprocess.CompletedProcess[str]:
        return run("ip", "netns", "exec", self.space, *command, check=check, **more)

    def begin(self, *command: str | Path, **more: object) -> subprocess.Popen[str]:
        words = ["ip", "netns", "exec", self.space, *(str(one) for one in command)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def two_sites(folder: Path, network: str = "10.97.0", spaces: bool = True) -> Iterator[tuple[Site, Site]]:
    """Alice at kme-a and bob at kme-b, who share keys; their namespaces joined by a cable."""
    port = free_ports(4)
    files = trial(folder / "kme", {"kme-a": ["alice"], "kme-b": ["bob"]}, port)
    server = Server(*(small(load(path)) for path in files))
    with ExitStack() as stack:
        server.start()
        stack.callback(server.stop)
        sites = [
            Site(folder / "kme", sae, port + 2 * index, f"qf{os.getpid()}{index}", f"{network}.{index + 1}")
            for index, sae in enumerate(("alice", "bob"))
        ]
        if spaces:
            for site in sites:
                run("ip", "netns", "add", site.space)
                stack.callback(run, "ip", "netns", "del", site.space, check=False)
            ends = [f"qfv{os.getpid() % 100000}{index}" for index in range(2)]
            run("ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
            for site, end in zip(sites, ends, strict=True):
                run("ip", "link", "set", end, "netns", site.space)
                site.inside("ip", "link", "set", "lo", "up")
                site.inside("ip", "address", "add", f"{site.address}/24", "dev", end)
                site.inside("ip", "link", "set", end, "up")
        yield sites[0], sites[1]


class Tunnel:
    """A site's end: userspace WireGuard, because a test must not need a kernel module."""

    def __init__(self, site: Site, index: int) -> None:
        self.site = site
        self.name, self.address = f"qfwg{os.getpid() % 100000}{index}", f"10.96.0.{index + 1}"
        self.private = run("wg", "genkey").stdout
        self.public = run("wg", "pubkey", input=self.private).stdout.strip()

    @contextmanager
    def up(self) -> Iterator[None]:
        with ended(self.site.begin("wireguard-go", "-f", self.name)):
            until(lambda: self.wg("show", self.name, check=False).returncode == 0, "the interface")
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


ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 9999)); print("ready", flush=True)
while True:
    data, peer = s.recvfrom(2000); s.sendto(data[::-1], peer)
"""
CALL = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((sys.argv[1], 0)); s.settimeout(0.5)
until = time.monotonic() + float(sys.argv[3])
while time.monotonic() < until:
    s.sendto(b"across", (sys.argv[2], 9999))
    try:
        print(s.recvfrom(2000)[0].decode()); break
    except OSError:
        pass
"""


@contextmanager
def echoing(site: Site, address: str) -> Iterator[None]:
    """Something that answers UDP at an address of a site."""
    process = site.begin(sys.executable, "-c", ECHO, address)
    with ended(process):
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield


def crosses(site: Site, mine: str, other: str, seconds: float = 15.0) -> bool:
    """Whether a packet comes there and back."""
    return site.inside(sys.executable, "-c", CALL, mine, other, str(seconds)).stdout == "ssorca\n"


def listening(process: subprocess.Popen[str], words: Sequence[str]) -> str:
    """Read what a process prints until one of some words comes."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if any(word in line for word in words):
            break
    return text
