"""``qfabric doctor``: what is installed here, what is missing, and what that costs."""

from __future__ import annotations

from typing import Any, Final

import click

EXTRAS: Final = {
    "topologies": (("topohub",), "national networks"),
    "codes": (("scipy", "stim", "pymatching"), "encoded repeaters"),
    "server": (("aiohttp", "cryptography"), "key servers"),
    "postgres": (("asyncpg",), "key servers with several workers"),
    "pkcs11": (("pkcs11",), "key-encryption keys in a token"),
    "studies": (("scipy",), "planning backwards"),
    "cluster": (("dask", "distributed"), "studies on a cluster"),
}
"""Optional parts of the package: the modules they need, and what they are for."""

EPILOG = """\b
Examples:
  qfabric doctor               a table; exit code 1 where the compiled kernels are missing
  qfabric doctor --json        the same for programs

\b
No compiled kernels? Install a C++17 compiler (Debian: apt install g++) and install the package again.
QUANTUM_FABRIC_NATIVE=off in the environment keeps to Python on purpose.
"""


@click.command("doctor", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def command(as_json: bool) -> int:
    """Say what is installed here, and what is missing.

    Everything works without the compiled kernels and without the extras, or says what it needs; many replicas, large networks and
    post-processing of keys are slower without the kernels.
    """
    import json

    from quantum_fabric.cli.screen import console, table

    found = examination()
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return int(not found["native"]["installed"])
    out = console()
    rows = table("What", "Here", "Means")
    rows.add_row("Quantum Fabric", found["version"], f"Python {found['python']}, {found['cores']} cores")
    native = found["native"]
    good = "[green]in use[/]" if native["installed"] else "[yellow]missing[/]"
    effect = native["where"] if native["installed"] else f"{native['where']}; Python does the same, slower"
    rows.add_row("compiled kernels", good, effect)
    for name, extra in found["extras"].items():
        here = "[green]installed[/]" if not extra["missing"] else "[dim]not installed[/]"
        how = "" if not extra["missing"] else f" (pip install 'quantum-fabric\\[{name}]')"
        rows.add_row(f"extra {name}", here, extra["purpose"] + how)
    out.print(rows)
    return int(not native["installed"])


def examination() -> dict[str, Any]:
    """What is installed: versions, kernels, extras.

    Examples:
        >>> sorted(examination())
        ['cores', 'extras', 'native', 'python', 'version']
    """
    import os
    import platform
    from importlib.metadata import version
    from importlib.util import find_spec

    from quantum_fabric.native import look

    module, said = look()
    extras = {
        name: {"purpose": purpose, "missing": [each for each in modules if find_spec(each) is None]}
        for name, (modules, purpose) in EXTRAS.items()
    }
    return {
        "version": version("quantum-fabric"),
        "python": platform.python_version(),
        "cores": os.cpu_count() or 1,
        "native": {"installed": module is not None, "where": said},
        "extras": extras,
    }
