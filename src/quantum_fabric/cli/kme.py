"""``qfabric kme``: a key server, and a trial of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantum_fabric.errors import InputError

if TYPE_CHECKING:
    from quantum_fabric.server.settings import KmeSettings

EPILOG = """\b
Examples:
  qfabric kme init trial                          certificates, KEKs and settings for trying out
  qfabric kme serve trial/kme-a.yaml              serve until it is told to stop
  qfabric kme status trial/kme-a.yaml             what is in its store

The certificates of 'init' are throw-aways: whoever can read the folder can be anybody.
"""


@click.group("kme", epilog=EPILOG)
def command() -> None:
    """Serve keys to applications over ETSI GS QKD 014, with mutual TLS."""


@command.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--kme",
    "kmes",
    multiple=True,
    metavar="NAME=SAE,SAE",
    help="A KME and the SAEs that live there; may be repeated.  [default: kme-a=alice, kme-b=bob]",
)
@click.option("--port", default=8443, show_default=True, help="Of the first KME; the next ports follow.")
def init(folder: Path, kmes: tuple[str, ...], port: int) -> int:
    """Lay out a trial in FOLDER: CAs, certificates, KEKs and settings. Never for production."""
    from quantum_fabric.server.running import trial

    wanted = {}
    for text in kmes or ("kme-a=alice", "kme-b=bob"):
        name, equals, saes = text.partition("=")
        if not equals or not saes:
            raise InputError(repr(text), "NAME=SAE,SAE", "--kme")
        wanted[name] = saes.split(",")
    for path in trial(folder, wanted, port):
        click.echo(f"{path}: start it with 'qfabric kme serve {path}'")
    click.echo(
        "THROW-AWAY certificates and keys from a published seed: for trials only, nothing here is secret."
    )
    return 0


@command.command("serve")
@click.argument("settings", type=click.Path(path_type=Path))
def serve(settings: Path) -> int:
    """Serve as SETTINGS say, until SIGTERM or Ctrl-C; what is being answered is finished.

    SIGHUP reads homes, pairs, limits and the certificate again.
    """
    import logging

    loaded = _loaded(settings)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _harden()
    with asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(_serve(loaded, settings))
    return 0


@command.command("status")
@click.argument("settings", type=click.Path(path_type=Path))
def status(settings: Path) -> int:
    """Say what is in the store of a KME, and check its audit book. Works while it serves."""
    import sqlite3

    from quantum_fabric.keys import verify
    from quantum_fabric.server.sqlite import SqliteShelf

    loaded = _loaded(settings)
    if not loaded.store.exists():
        raise InputError("no store yet", "a KME that has served", str(loaded.store))
    connection = sqlite3.connect(f"file:{loaded.store}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("BEGIN")  # one moment for all that follows
        head = verify(SqliteShelf(connection).book())
        click.echo(f"{loaded.kme} ({loaded.mode.value}), store {loaded.store}")
        for cutter, follower, octets in connection.execute(
            "SELECT cutter, follower, octets FROM pools ORDER BY 1, 2"
        ):
            click.echo(f"  stock {cutter} → {follower}: {octets} octets")
        for state, number in connection.execute("SELECT state, count(*) FROM keys GROUP BY state ORDER BY 1"):
            click.echo(f"  keys {state}: {number}")
        click.echo(f"  audit book: {head.number} entries, unbroken; head {head.digest[:16]}")
    finally:
        connection.close()
    return 0


def _loaded(path: Path) -> KmeSettings:
    try:
        import aiohttp  # noqa: F401
    except ImportError:
        raise InputError(
            "no aiohttp", "the extra 'server': pip install 'quantum-fabric[server]'", "kme"
        ) from None
    from quantum_fabric.server.settings import load

    return load(path)


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster event loop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _harden() -> None:
    """No core dumps with keys in them, and no file that others can read."""
    import os
    import resource

    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


async def _serve(settings: KmeSettings, path: Path) -> None:
    import signal

    from quantum_fabric.errors import FabricError
    from quantum_fabric.server.running import Running

    running = Running(settings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def again() -> None:
        try:
            running.reload(_loaded(path))
        except (FabricError, OSError) as error:
            click.echo(f"the new settings are not taken, the old ones stay: {error}", err=True)

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, again)
    try:
        await running.start()
        host = settings.sae_listener.host
        click.echo(f"{settings.kme} serves SAEs on https://{host}:{running.sae_door.port}")
        await stop.wait()
    finally:
        await running.stop()
    click.echo(f"{settings.kme} has stopped; the store is closed")
