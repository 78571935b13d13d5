"""``qfabric keys``: ask a running key server for keys, and look after them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from quantum_fabric.errors import InputError, JournalError

if TYPE_CHECKING:
    from uuid import UUID

    from quantum_fabric.keys import Head
    from quantum_fabric.server.caller import Caller, Said

F = TypeVar("F", bound=Callable[..., Any])
OPERATOR = "/qfabric/v1/operator/"

EPILOG = """\b
Examples, in the folder that 'qfabric kme init trial' made, while 'qfabric kme serve' runs:
  export QFABRIC_CA=trial/trial-ca-of-kmes.pem
  qfabric keys get bob --url https://localhost:8443 --cert trial/sae-alice.pem --out key.json
  qfabric keys get --from alice --id KEY_ID --url https://localhost:8445 --cert trial/sae-bob.pem --reveal
  qfabric keys status --url https://localhost:8447 --cert trial/operator-ops.pem
  qfabric keys revoke --pair alice bob --url https://localhost:8447 --cert trial/operator-ops.pem
  qfabric keys rotate --new --url https://localhost:8447 --cert trial/operator-ops.pem
  qfabric keys audit --url https://localhost:8447 --cert trial/operator-ops.pem

'get' is for applications (SAEs), at the listener for SAEs; 'status' is for both; 'revoke', 'rotate' and 'audit' are for operators,
at the operators' listener. Who asks is what the certificate says. A key is shown only where --reveal asks for it; --out puts
it into a new file that nobody else can read.
"""


def connected(command: F) -> F:
    """The options of every command here."""
    path = click.Path(path_type=Path)
    options = (
        click.option(
            "--url",
            envvar="QFABRIC_KME_URL",
            required=True,
            help="https://HOST:PORT.  [env: QFABRIC_KME_URL]",
        ),
        click.option(
            "--cert",
            envvar="QFABRIC_CERT",
            required=True,
            type=path,
            help="Our certificate, PEM.  [env: QFABRIC_CERT]",
        ),
        click.option(
            "--key",
            envvar="QFABRIC_KEY",
            type=path,
            help="Its private key.  [default: the certificate's name with .key]",
        ),
        click.option(
            "--ca",
            envvar="QFABRIC_CA",
            required=True,
            type=path,
            help="The CA of the KMEs, PEM.  [env: QFABRIC_CA]",
        ),
        click.option("--json", "as_json", is_flag=True, help="For programs: JSON."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group("keys", epilog=EPILOG)
def command() -> None:
    """Get keys from a running key server, and look after them: status, revoke, rotate, audit."""


@command.command("status")
@click.argument("slave", required=False)
@connected
def status(slave: str | None, url: str, cert: Path, key: Path | None, ca: Path, as_json: bool) -> int:
    """Say what there is.

    With the name of an SAE: as an application, what there is to share with it (ETSI GS QKD 014 "Get status"). Without: as an
    operator, stock, keys, quotas of all pairs, key streams, KEKs and the end of the audit book.
    """
    from quantum_fabric.server.caller import keys_path

    with closing(_caller(url, cert, key, ca)) as caller:
        found = _good(caller.get(keys_path(slave, "status") if slave else OPERATOR + "status"))
    if as_json:
        return _json(found)
    if slave:
        for name, value in found.items():
            click.echo(f"{name}: {value}")
        return 0
    click.echo(f"{found['kme']} ({found['mode']})")
    for pool in found["pools"]:
        click.echo(f"  stock {pool['cutter']} → {pool['follower']}: {pool['octets']} octets")
    for state, number in found["keys"].items():
        click.echo(f"  keys {state}: {number}")
    for pair in found["pairs"]:
        quota = pair["quota"]
        click.echo(
            f"  pair {pair['master']} → {pair['slave']}: {pair['waiting']} of {quota['waiting']} keys wait,"
            f" {pair['tokens']:g} of {quota['burst']} may be asked for at once, {quota['rate']:g} per s"
        )
    for stream in found["streams"]:
        ends = ", ".join(f"{sae} {state}" for sae, state in stream["ends"].items())
        click.echo(
            f"  stream {stream['key_stream_id']}: {ends}; {stream['cut']} chunks of {stream['qos']['chunk']} octets"
        )
    kek, head = found["kek"], found["audit"]
    old = [name for name in kek["needed"] if name != kek["current"]]
    click.echo(f"  KEK {kek['current']}" + (f"; still needed: {', '.join(old)}" if old else ""))
    click.echo(f"  audit book: {head['number']} entries, head {head['digest'][:16]}")
    return 0


@command.command("get")
@click.argument("slave", required=False)
@click.option("--from", "master", metavar="SAE", help="Collect keys that this SAE has asked for; with --id.")
@click.option(
    "--id",
    "key_ids",
    metavar="KEY_ID",
    multiple=True,
    type=click.UUID,
    help="Which key to collect; may be repeated.",
)
@click.option("--number", default=1, show_default=True, help="How many new keys.")
@click.option("--size", type=int, help="Bits of each.  [default: the KME's]")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the keys to this new file (mode 0600), as JSON."
)
@click.option("--reveal", is_flag=True, help="Print the keys, in base64. Terminals and logs remember.")
@connected
def get(
    slave: str | None,
    master: str | None,
    key_ids: tuple[UUID, ...],
    number: int,
    size: int | None,
    out: Path | None,
    reveal: bool,
    url: str,
    cert: Path,
    key: Path | None,
    ca: Path,
    as_json: bool,
) -> int:
    """Get new keys to share with SLAVE, or collect those of a master with --from and --id.

    A key is handed out once: nothing is asked for before the place where it goes is sure.
    """
    from quantum_fabric.server.caller import keys_path

    if (slave is None) is (master is None) or (master is None) is bool(key_ids):
        raise InputError("something else", "SLAVE, or --from SAE with one --id or more", "get")
    if out is None and not reveal:
        raise InputError("nowhere for the keys to go", "--out FILE, or --reveal", "get")
    with closing(_caller(url, cert, key, ca)) as caller:
        file = _private_file(out) if out is not None else None
        taken = False
        try:
            if slave is not None:
                wanted: dict[str, Any] = {"number": number} | ({} if size is None else {"size": size})
                found = _good(caller.post(keys_path(slave, "enc_keys"), wanted))
            else:
                named = {"key_IDs": [{"key_ID": str(one)} for one in key_ids]}
                found = _good(caller.post(keys_path(str(master), "dec_keys"), named))
            taken = True
            if file is not None:
                json.dump(found, file)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
        finally:
            if file is not None:
                file.close()
                if not taken and out is not None:
                    out.unlink()
    return _show(found, reveal, out, as_json)


def _show(found: dict[str, Any], reveal: bool, out: Path | None, as_json: bool) -> int:
    extension = found.get("key_container_extension", {})
    keys = [one if reveal else {"key_ID": one["key_ID"]} for one in found["keys"]]
    if as_json:
        return _json({"keys": keys, "key_container_extension": extension})
    for one in keys:
        click.echo(" ".join(one[name] for name in ("key_ID", "key") if name in one))
    if out is not None:
        click.echo(f"{len(keys)} written to {out}", err=True)
    if extension.get("qfabric_secret") is False:
        click.echo(f"NOT SECRET: these bits come from '{extension.get('qfabric_origin')}'", err=True)
    return 0


@command.command("revoke")
@click.argument("key_ids", metavar="[KEY_ID]...", nargs=-1, type=click.UUID)
@click.option("--sae", help="Every key that names this SAE and that is not destroyed yet.")
@click.option(
    "--pair", nargs=2, metavar="MASTER SLAVE", help="Every key of this pair that is not destroyed yet."
)
@connected
def revoke(
    key_ids: tuple[UUID, ...],
    sae: str | None,
    pair: tuple[str, str] | None,
    url: str,
    cert: Path,
    key: Path | None,
    ca: Path,
    as_json: bool,
) -> int:
    """Destroy keys at once, here and at every KME that holds them; as an operator.

    Whoever has had a key already keeps it: tell the application. To shut an SAE out, take it out of the settings too.
    """
    if bool(key_ids) + bool(sae) + bool(pair) != 1:
        raise InputError("none or several", "key identifiers, --sae, or --pair", "revoke")
    wanted: dict[str, Any] = {"key_ids": [str(one) for one in key_ids]}
    if sae or pair:
        wanted = {"sae": sae} if sae else {"pair": list(pair or ())}
    with closing(_caller(url, cert, key, ca)) as caller:
        found = _good(caller.post(OPERATOR + "revoke", wanted))
    if as_json:
        _json(found)
    else:
        click.echo(f"{found['destroyed']} keys destroyed")
    return 0 if found["destroyed"] else 1


@command.command("rotate")
@click.option("--new", is_flag=True, help="Put a new random KEK first into the KEK file of the KME.")
@click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Until everything stored is sealed anew."
)
@connected
def rotate(new: bool, wait: bool, url: str, cert: Path, key: Path | None, ca: Path, as_json: bool) -> int:
    """Change the key-encryption key while keys are handed out; as an operator.

    The KME reads its KEKs again, seals under the first from now on, and everything stored in the background. After that the
    older lines may be taken out of the KEK file.
    """
    import time

    from quantum_fabric.cli.screen import console

    with closing(_caller(url, cert, key, ca)) as caller:
        current = _good(caller.post(OPERATOR + "rotate", {"new": new}))["kek"]
        old = _old(caller, current)
        if wait and old:
            with console().status(f"sealing anew under KEK {current}"):
                while old := _old(caller, current):
                    time.sleep(0.2)
    if as_json:
        return _json({"kek": current, "still_needed": old})
    click.echo(
        f"KEK {current} seals; "
        + (f"still needed: {', '.join(old)}" if old else "no other is needed any more")
    )
    return 0


def _old(caller: Caller, current: str) -> list[str]:
    needed = _good(caller.get(OPERATOR + "status"))["kek"]["needed"]
    return [name for name in needed if name != current]


@command.command("audit")
@click.option(
    "--after",
    default=0,
    show_default=True,
    help="Leave out entries up to this number (they are still checked).",
)
@click.option(
    "--act", "acts", multiple=True, help="Only this act, as 'issued' or 'revoked'; may be repeated."
)
@click.option(
    "--expect", metavar="NUMBER:DIGEST", help="A head that was kept elsewhere: the book must still hold it."
)
@connected
def audit(
    after: int,
    acts: tuple[str, ...],
    expect: str | None,
    url: str,
    cert: Path,
    key: Path | None,
    ca: Path,
    as_json: bool,
) -> int:
    """Print the audit book, and check it from its first entry; as an operator.

    Keep the head that the last line shows somewhere else, and name it with --expect the next time: that shows whether entries
    were cut off or all of it was written anew.
    """
    from datetime import UTC, datetime

    kept = _kept(expect)
    seen = None
    with closing(_caller(url, cert, key, ca)) as caller:
        for entry, head in _book(caller):
            seen = head
            if kept is not None and head.number == kept.number and head.digest != kept.digest:
                raise JournalError(
                    f"audit entry {head.number} is not the one that was kept: the book was written anew"
                )
            if entry["number"] <= after or (acts and entry["act"] not in acts):
                continue
            if as_json:
                click.echo(json.dumps(entry, sort_keys=True))
                continue
            when = datetime.fromtimestamp(entry["at"] / 1000, UTC).isoformat(timespec="milliseconds")
            click.echo(f"{entry['number']} {when} {entry['act']} {entry['actor']} {entry['facts']}")
    number = seen.number if seen is not None else 0
    if kept is not None and number < kept.number:
        raise JournalError(
            f"the book ends at entry {number}, and entry {kept.number} was there: its end was cut off"
        )
    if not as_json and seen is not None:
        click.echo(f"unbroken up to entry {seen.number}, head {seen.number}:{seen.digest}")
    return 0


def _kept(expect: str | None) -> Head | None:
    from quantum_fabric.keys import Head

    if expect is None:
        return None
    number, _, digest = expect.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise InputError(repr(expect), "NUMBER:DIGEST, as the last line of 'audit' shows", "--expect")
    return Head(int(number), digest.lower())


def _book(caller: Caller) -> Any:
    """Entries in order, each with the head that it makes; every one is checked."""
    from quantum_fabric.keys import Act, Entry, verify
    from quantum_fabric.keys.audit import EMPTY

    head = EMPTY
    while True:
        page = _good(caller.get(f"{OPERATOR}audit?after={head.number}"))["entries"]
        if not page:
            return
        for fields in page:
            entry = Entry(**{**fields, "act": Act(fields["act"])})
            head = verify([entry], head)
            yield fields, head


# ------------------------------------------------------------------------------------------------------- one call


def _caller(url: str, cert: Path, key: Path | None, ca: Path) -> Caller:
    try:
        import aiohttp  # noqa: F401
        import cryptography  # noqa: F401
    except ImportError:
        raise InputError(
            "no aiohttp or cryptography", "the extra 'server': pip install 'quantum-fabric[server]'", "keys"
        ) from None
    from quantum_fabric.server.caller import Caller

    return Caller(url, cert, key or cert.with_suffix(".key"), ca)


def _good(said: Said) -> dict[str, Any]:
    if said.status == 200:
        return said.fields
    details = said.fields.get("details", [])
    more = f" ({json.dumps(details)})" if details else ""
    click.echo(
        f"refused: the KME answers {said.status}: {said.fields.get('message', 'no reason')}{more}", err=True
    )
    raise click.exceptions.Exit(1)


def _private_file(path: Path) -> TextIO:
    """A new file of mode 0600; an existing one is left as it is, and refused."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return os.fdopen(handle, "w", encoding="utf-8")


def _json(fields: dict[str, Any]) -> int:
    json.dump(fields, sys.stdout, indent=2, sort_keys=True)
    click.echo()
    return 0
