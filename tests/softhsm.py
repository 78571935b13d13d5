"""A SoftHSM2 token of a test's own, from the Debian package; nothing of the machine's configuration is used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

MODULES = [
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    *Path("/usr/lib").glob("*/softhsm/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
]
PIN, LABEL = "4711-pin-of-a-test", "qf-test"


def missing() -> str:
    """Why there can be none here; empty where there can."""
    if shutil.which("softhsm2-util") is None or module() is None:
        return "needs the Debian package softhsm2"
    try:
        import pkcs11  # noqa: F401
    except ImportError:
        return "needs python-pkcs11 (extra 'pkcs11')"
    return ""


def module() -> Path | None:
    return next((one for one in MODULES if one.exists()), None)


def environment(folder: Path) -> dict[str, str]:
    return {"SOFTHSM2_CONF": str(folder / "softhsm2.conf")}


def token(folder: Path, label: str = LABEL) -> None:
    """Make a token in a folder. The library reads its configuration once in a process, when it is opened."""
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    conf = folder / "softhsm2.conf"
    conf.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    command = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        label,
        "--pin",
        PIN,
        "--so-pin",
        "12345678",
    ]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment(folder)})


def run(folder: Path, program: str, *arguments: str) -> str:
    """Run a program in a process of its own, so that no test shares the library's state with another."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment(folder), "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
