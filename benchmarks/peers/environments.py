"""Where peers live, and how they get there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOMES = HERE.parent / ".peers"


class PeerError(Exception):
    """A peer could not be installed."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another simulator.

    Attributes:
        name: of the project.
        folder: of its environment under ``benchmarks/.peers``.
        requirement: what pip installs; the version is pinned, so that two runs compare the same thing.
        python: least Python version that it needs.
        variable: environment variable that names an interpreter which has it already.
        driver: our script that runs it.
        size: of its environment, for whoever has to wait for it.
    """

    name: str
    folder: str
    requirement: str
    python: tuple[int, int]
    variable: str
    driver: Path
    size: str = ""


SEQUENCE = Peer(
    name="SeQUeNCe",
    folder="sequence",
    requirement="sequence==1.3.1",
    python=(3, 12),
    variable="QF_PEER_SEQUENCE",
    driver=HERE / "sequence_chain.py",
    size="about 800 MB, some minutes",
)

REQUSIM = Peer(
    name="ReQuSim",
    folder="requsim",
    requirement="requsim==0.4",
    python=(3, 10),
    variable="QF_PEER_REQUSIM",
    driver=HERE / "requsim_chain.py",
    size="about 190 MB",
)

PEERS = (SEQUENCE, REQUSIM)

ABSENT = """\
MQNS (usnistgov/mqns, GPL-3) is not on the package index and NetSquid needs an account, so neither is run here."""


def interpreter(peer: Peer) -> Path | None:
    """The Python that has the peer, None where it is not installed."""
    named = os.environ.get(peer.variable)
    found = Path(named) if named else HOMES / peer.folder / "bin" / "python"
    return found if found.exists() else None


def how_to_install(peer: Peer) -> str:
    """What to do where the peer is not there."""
    least = ".".join(map(str, peer.python))
    return (
        f"{peer.name} is not installed: run `python -m benchmarks --install-peers` (needs Python {least} or newer), "
        f"or set {peer.variable} to an interpreter that has {peer.requirement}"
    )


def said_of(peer: Peer, python: Path) -> str:
    """Name and version of the installed peer, as its environment says.

    Raises:
        PeerError: that interpreter does not have it.
    """
    package = peer.requirement.split("==")[0]
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PeerError(f"{python} does not have {peer.requirement}")
    return f"{peer.name} {done.stdout.strip()}"


def install(peer: Peer) -> Path:
    """Make the peer's environment and install it from the package index.

    Raises:
        PeerError: no Python that is new enough, or pip failed.
    """
    home = HOMES / peer.folder
    python = home / "bin" / "python"
    if not python.exists():
        _run([_new_enough(peer), "-m", "venv", str(home)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", peer.requirement])
    return python


def _new_enough(peer: Peer) -> str:
    """A Python for the peer: this one, or one that is on the path."""
    if sys.version_info >= peer.python:
        return sys.executable
    names = [f"python3.{minor}" for minor in range(peer.python[1], peer.python[1] + 4)]
    for name in [*names, "python3"]:
        found = shutil.which(name)
        if found is None:
            continue
        code = f"import sys; sys.exit(sys.version_info < {peer.python})"
        if subprocess.run([found, "-c", code], capture_output=True, check=False).returncode == 0:
            return found
    raise PeerError(
        f"{peer.name} needs Python {peer.python[0]}.{peer.python[1]} or newer and none is on the path; "
        f"set {peer.variable} to an interpreter that has {peer.requirement}"
    )


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise PeerError(f"{' '.join(command)} failed: {last[0]}")
