"""``qfabric kme``: a key server, and a trial of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantum_fabric.errors import InputError

if TYPE_CHECKING:
    from uuid import UUID

    from quantum_fabric.server.settings import KmeSettings
    from quantum_fabric.server.sql import SqlShelf

EPILOG = """\b
Examples:
  qfabric kme init trial                          certificates, KEKs and settings for trying out
  qfabric kme serve trial/kme-a.yaml              serve until it is told to stop
  qfabric kme status trial/kme-a.yaml             what is in its store
  qfabric kme audit trial/kme-a.yaml              who did what with which key
  qfabric kme new-kek trial/kme-a.yaml 2027       a new key-encryption key
  qfabric kme revoke trial/kme-a.yaml --sae bob   destroy what bob has not had yet

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
@click.option("--signed", is_flag=True, help="KMEs sign what they say to each other, with ML-DSA-65.")
@click.option(
    "--hybrid",
    type=click.Choice(["ML-KEM-768", "ML-KEM-1024"]),
    help="Every key between two KMEs is made from QKD and from this, or there is none.",
)
@click.option(
    "--empty", is_flag=True, help="Without keys from a published seed: the stores have what they are fed."
)
def init(
    folder: Path, kmes: tuple[str, ...], port: int, signed: bool, hybrid: str | None, empty: bool
) -> int:
    """Lay out a trial in FOLDER: CAs, certificates, KEKs and settings. Never for production."""
    from quantum_fabric.server.running import trial

    wanted = {}
    for text in kmes or ("kme-a=alice", "kme-b=bob"):
        name, equals, saes = text.partition("=")
        if not equals or not saes:
            raise InputError(repr(text), "NAME=SAE,SAE", "--kme")
        wanted[name] = saes.split(",")
    for path in trial(folder, wanted, port, operators=True, signed=signed, hybrid=hybrid, empty=empty):
        click.echo(f"{path}: start it with 'qfabric kme serve {path}'")
    click.echo(
        "THROW-AWAY certificates and keys from a published seed: for trials only, nothing here is secret."
    )
    return 0


@command.command("serve")
@click.argument("settings", type=click.Path(path_type=Path))
def serve(settings: Path) -> int:
    """Serve as SETTINGS say, until SIGTERM or Ctrl-C; what is being answered is finished.

    SIGHUP reads homes, pairs, limits, KEKs and the certificate again.
    """
    import logging

    loaded = _loaded(settings)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _harden()
    with asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(_serve(loaded, settings))
    return 0


@command.command("new-kek")
@click.argument("settings", type=click.Path(path_type=Path))
@click.argument("name")
def new_kek(settings: Path, name: str) -> int:
    """Make a random KEK called NAME, where SETTINGS have theirs: first in the KEK file, or inside the PKCS#11 token.

    A KME that serves takes it at SIGHUP (from a token: when NAME stands first in its settings), and seals everything anew.
    """
    loaded = _loaded(settings)
    if loaded.kek.pkcs11 is not None:
        from quantum_fabric.server.kek import pin_from
        from quantum_fabric.server.pkcs11 import create

        token = loaded.kek.pkcs11
        create(token.module, token.token, name, pin_from(token.pin_file, token.pin_environment))
        click.echo(
            f"{name} is in the token {token.token}; put it first into 'kek.pkcs11.keks', and send SIGHUP"
        )
    elif loaded.kek.file is not None:
        from quantum_fabric.server.kek import prepend

        prepend(loaded.kek.file, name)
        click.echo(f"{name} is the first in {loaded.kek.file}; send SIGHUP to a KME that serves")
    else:
        raise InputError("a KEK from a variable", "one from a file or a token", "kek")
    return 0


@command.command("status")
@click.argument("settings", type=click.Path(path_type=Path))
def status(settings: Path) -> int:
    """Say what is in the store of a KME, and check its audit book. Works while it serves."""
    from quantum_fabric.keys import verify

    loaded = _loaded(settings)
    with _reading(loaded) as shelf:
        head = verify(shelf.book())
        where = loaded.store if isinstance(loaded.store, Path) else loaded.store.postgres
        click.echo(f"{loaded.kme} ({loaded.mode.value}), store {where}")
        for pool, octets in shelf.pools():
            click.echo(f"  stock {pool.cutter} → {pool.follower}: {octets} octets")
        for state, number in shelf.states().items():
            click.echo(f"  keys {state}: {number}")
        click.echo(f"  audit book: {head.number} entries, unbroken; head {head.digest[:16]}")
    return 0


@command.command("audit")
@click.argument("settings", type=click.Path(path_type=Path))
@click.option("--after", default=0, show_default=True, help="Leave out entries up to this number.")
def audit(settings: Path, after: int) -> int:
    """Print the audit book, and check that it is unbroken. Works while the KME serves."""
    from datetime import UTC, datetime

    from quantum_fabric.keys import verify

    with _reading(_loaded(settings)) as shelf:
        book = shelf.book()
    for entry in book:
        if entry.number > after:
            when = datetime.fromtimestamp(entry.at / 1000, UTC).isoformat(timespec="milliseconds")
            click.echo(f"{entry.number} {when} {entry.act} {entry.actor} {entry.facts}")
    head = verify(book)
    click.echo(f"unbroken up to entry {head.number}, head {head.digest}")
    return 0


@command.command("revoke")
@click.argument("settings", type=click.Path(path_type=Path))
@click.argument("key_ids", metavar="[KEY_ID]...", nargs=-1, type=click.UUID)
@click.option("--sae", help="Every key that names this SAE and that is not destroyed yet.")
def revoke_keys(settings: Path, key_ids: tuple[UUID, ...], sae: str | None) -> int:
    """Destroy keys at once, here and at every KME that holds them. Works while the KME serves.

    To shut an SAE out as well, take it out of the settings.
    """
    import getpass
    from uuid import uuid4

    from quantum_fabric.keys import Desk, revoke, revoke_sae
    from quantum_fabric.server.clock import SteadyClock
    from quantum_fabric.server.store import Store

    if bool(key_ids) == bool(sae):
        raise InputError("both or neither", "key identifiers, or --sae", "revoke")
    loaded = _loaded(settings)
    policy, ring, now = loaded.policy(), loaded.ring(), SteadyClock()()
    if isinstance(loaded.store, Path):
        _existing(loaded.store)
    desk, actor = Desk(policy, ring, uuid4), f"operator {getpass.getuser()}"
    store = Store(loaded.database(), ring)
    try:
        if sae is not None:
            number = store.run(lambda shelf: revoke_sae(desk, shelf, sae, actor, now))
        else:
            number = store.run(lambda shelf: sum(revoke(desk, shelf, one, actor, now) for one in key_ids))
    finally:
        store.close()
    click.echo(f"{number} keys destroyed")
    return 0 if number else 1


def _existing(path: Path) -> None:
    if not path.exists():
        raise InputError("no store yet", "a KME that has served", str(path))


@contextmanager
def _reading(settings: KmeSettings) -> Iterator[SqlShelf]:
    """The store at one moment, while others write."""
    import sqlite3

    from quantum_fabric.server.sqlite import SqliteShelf

    if not isinstance(settings.store, Path):
        from quantum_fabric.server.postgres import PostgresDatabase

        database = settings.database()
        assert isinstance(database, PostgresDatabase)
        try:
            database.begin_reading()
            yield database.shelf
        finally:
            database.rollback()
            database.close()
        return
    _existing(settings.store)
    connection = sqlite3.connect(f"file:{settings.store}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("BEGIN")
        yield SqliteShelf(connection)
    finally:
        connection.close()


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
        for who, door, listener in (
            ("operators", running.operator_door, settings.operator_listener),
            ("SDN controllers", running.sdn_door, settings.sdn_listener),
            ("sources of keys", running.supply_door, settings.supply_listener),
        ):
            if door is not None and listener is not None:
                click.echo(f"{settings.kme} serves {who} on https://{listener.host}:{door.port}")
        await stop.wait()
    finally:
        await running.stop()
    click.echo(f"{settings.kme} has stopped; the store is closed")
