"""``qfabric qkd run``: one session between two nodes, block by block."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quantum_fabric.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from quantum_fabric.documents import Inventory
    from quantum_fabric.fabric import Fabric
    from quantum_fabric.messages import Message
    from quantum_fabric.physics.qkd.attacks import InterceptResend
    from quantum_fabric.physics.qkd.ledger import Security
    from quantum_fabric.services.qkd.session import Hand, KeySession
    from quantum_fabric.units import Time

AFTERWARDS = 3600 * 10**12
"""Time for the classical work of the last block, ps; attacks last as long."""

EPILOG = """\b
Examples:
  qfabric qkd run town.yaml --between Office Depot --block "8 ms"
  qfabric qkd run town.yaml --between Office Depot --attack intercept_resend=0.4
  qfabric qkd run town.yaml --between Office Depot --memories --pairs 10000 --fidelity 0.96
  qfabric qkd run town.yaml --between Office Depot --station Mast --protocol twin_field --block "100 s"
  qfabric qkd run town.yaml --between Office Depot --feed trial/kme-a.yaml --feed trial/kme-b.yaml

\b
A link of weak pulses runs BB84 with decoys, a link of pairs of photons BBM92, E91 or the six-state protocol. With --station
both ends send weak pulses to a node between them that nobody trusts: MDI or twin field. Where memories hold the pairs, over
any path, they are asked for, delivered and measured one by one (--pairs for each block).
"""


@click.command("run", epilog=EPILOG)
@click.argument("network")
@click.option("--between", nargs=2, required=True, metavar="A B", help="The two nodes; A sends.")
@click.option("--link", metavar="NAME", help="The link of photons between them, where there are several.")
@click.option(
    "--protocol",
    type=click.Choice(["bb84", "bbm92", "e91", "six_state", "mdi", "twin_field"]),
    help="As the link suggests without one; mdi and twin_field with --station.",
)
@click.option("--station", metavar="NODE", help="The node to which both ends send: mdi or twin_field.")
@click.option(
    "--block", default="20 ms", show_default=True, metavar="T", help="How long the photons of a block take."
)
@click.option("--blocks", type=click.IntRange(1, 1000), default=3, show_default=True, help="How many blocks.")
@click.option(
    "--key-basis", default="0.7", show_default=True, metavar="P", help="Chance of the basis that gives key."
)
@click.option(
    "--secrecy", type=float, default=1e-9, show_default=True, help="Failure probability asked of each block."
)
@click.option("--correctness", type=float, default=1e-12, show_default=True, help="The same for equal keys.")
@click.option(
    "--attack",
    metavar="KIND[=NUMBER]",
    help="Somebody attacks all the time; 'qfabric qkd attacks' lists them.",
)
@click.option(
    "--unwatched", is_flag=True, help="Nothing is built in against attacks but decoys and counting errors."
)
@click.option(
    "--pairs",
    type=click.IntRange(1),
    default=3000,
    show_default=True,
    help="Pairs of a block, where memories hold them.",
)
@click.option("--fidelity", type=float, default=0.9, show_default=True, help="Least fidelity of those pairs.")
@click.option(
    "--memories", is_flag=True, help="Pairs from memories, even where a link of photons joins the two."
)
@click.option("--seed", "-s", type=int, default=1, show_default=True, help="Of every random draw.")
@click.option(
    "--feed", multiple=True, metavar="FEED", type=click.Path(path_type=Path),
    help="Who takes the keys at A, then at B: a feed document of 'qfabric kme init' (a KME that serves, over TLS), or the "
    "settings of a KME (into its store).",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Blocks, alarms and totals as JSON, for programs.")
def run(
    network: str, between: tuple[str, str], link: str | None, protocol: str | None, station: str | None, block: str, blocks: int,
    key_basis: str, secrecy: float, correctness: float, attack: str | None, unwatched: bool, pairs: int,
    fidelity: float, memories: bool, seed: int, feed: tuple[Path, ...], as_json: bool,
) -> int:  # fmt: skip
    """Run a QKD session between two nodes of NETWORK: clicks, sifting, error correction, privacy amplification, books.

    Exit code 1 where no block gave key.
    """
    from quantum_fabric import documents
    from quantum_fabric.cli.key_feed import feeder
    from quantum_fabric.cli.keying import need_keys
    from quantum_fabric.cli.screen import console
    from quantum_fabric.fabric import Fabric
    from quantum_fabric.physics.qkd.ledger import Security
    from quantum_fabric.units import parse

    need_keys()
    inventory = documents.inventory(documents.load_network(network))
    a, b = between
    for name in between:
        if name not in inventory.nodes:
            raise InputError(
                repr(name), f"one of the nodes {', '.join(sorted(inventory.nodes))}", "--between"
            )
    hand = feeder(feed, between) if feed else None
    fabric = Fabric(inventory, seed=seed)
    out = console(stderr=as_json)
    seen = _Seen(fabric, out, quiet=as_json)
    if station is not None and (memories or link is not None):
        raise InputError("--station with --memories or --link", "one of them", "run")
    photons = None if memories or station is not None else _photon_link(inventory, between, link)
    if photons is None and station is None:
        wish = _Wish(
            between, protocol or "bbm92", pairs, blocks, fidelity, parse(key_basis, "fraction"), attack
        )
        session = _over_memories(fabric, wish, Security(secrecy, correctness), hand, out)
    else:
        chosen = protocol or ("twin_field" if photons is None else _usual(inventory, photons))
        over = {"station": station} if photons is None else {"link": photons}
        entry: dict[str, Any] = {
            "name": f"{a}-{b}", "from": a, "to": b, **over, "protocol": chosen, "block": block,
            "key_basis": key_basis, "secrecy": secrecy, "correctness": correctness,
            **({"watch": []} if unwatched else {}),
        }  # fmt: skip
        session = _over_photons(fabric, entry, blocks, attack, hand, out)
    if as_json:
        click.echo(json.dumps(seen.shape(session), indent=1))
    else:
        _account(out, session, seen)
    return 0 if session.total.delivered else 1


class _Seen:
    """Blocks and alarms as they come."""

    def __init__(self, fabric: Fabric, out: Console, quiet: bool) -> None:
        from quantum_fabric.messages import KeyAlarm, KeyBlock
        from quantum_fabric.ops.key_supply import KeySupply

        self.supply, self._out, self._quiet = KeySupply(), out, quiet
        fabric.watch(self, KeyBlock, KeyAlarm)

    def __call__(self, time: Time, place: str, message: Message) -> None:
        """Note one and say it."""
        from quantum_fabric.cli.key_screen import alarm_line, block_line
        from quantum_fabric.messages import KeyAlarm, KeyBlock

        self.supply(time, place, message)
        if isinstance(message, KeyBlock) and not self._quiet:
            self._out.print(block_line(message), soft_wrap=True)
        elif isinstance(message, KeyAlarm) and not self._quiet:
            self._out.print(alarm_line(time, message), soft_wrap=True)

    def shape(self, session: KeySession) -> dict[str, Any]:
        """Everything, JSON-shaped."""
        from dataclasses import asdict

        from quantum_fabric import wire

        made = list(self.supply.sessions.values())
        total = session.total
        return {
            "blocks": [wire.encode(block) for each in made for block in each.blocks],
            "alarms": [wire.encode(alarm) for each in made for _, alarm in each.alarms],
            "bits": total.bits, "delivered": total.delivered, "ended": total.ended, "ledger": asdict(total.ledger),
            "authentication": [{"purpose": e.purpose, "bits": e.bits} for e in session.budgets[0].entries],
        }  # fmt: skip


def _photon_link(inventory: Inventory, between: tuple[str, str], link: str | None) -> str | None:
    """The link of photons between two nodes; None where memories have to do it."""
    found = [
        entry.name
        for entry in inventory.links.values()
        if {entry.a, entry.b} == set(between) and not entry.model.stores and link in (None, entry.name)
    ]
    if link is not None and not found:
        raise InputError(repr(link), "a link of photons between the two nodes", "--link")
    if len(found) > 1:
        raise InputError(f"{len(found)} links of photons: {', '.join(found)}", "one of them", "--link")
    return found[0] if found else None


def _usual(inventory: Inventory, link: str) -> str:
    return "bb84" if inventory.links[link].model.architecture == "direct_transmission" else "bbm92"


def _over_photons(
    fabric: Fabric, entry: dict[str, Any], blocks: int, attack: str | None, hand: Hand | None, out: Console
) -> KeySession:
    """A session as a workload would ask for it, so that every number is checked in the same way."""
    from quantum_fabric import documents
    from quantum_fabric.cli.keying import begin, stances
    from quantum_fabric.cli.screen import progress_bar
    from quantum_fabric.messages import KeyBlock
    from quantum_fabric.units import parse_time

    length = parse_time(entry["block"])
    photons = blocks * length
    data: dict[str, Any] = {
        "kind": "workload",
        "version": 1,
        "duration": f"{photons + AFTERWARDS} ps",
        "qkd": [{**entry, "until": f"{photons} ps"}],
    }
    if attack is not None:
        data["attacks"] = [_attack(attack, entry)]
    workload = documents.workload_from(data, "options")
    documents.check_workload(workload, fabric.inventory)
    for _, found in stances(workload, fabric.inventory):
        what = (
            f"shown by: {', '.join(found.alarms)}"
            if found.detectable
            else f"[yellow]no alarm can show it:[/] {found.why}"
        )
        out.print(f"attack {found.attack}; {what}", soft_wrap=True)
    session = begin(fabric, workload.qkd[0], workload, photons, hand)
    session.begin()
    with progress_bar(out) as progress:
        task = progress.add_task("blocks", total=blocks)
        # after each block: its clicks are drawn in one go, and how many rounds of messages follow is not known before
        fabric.watch(lambda *_: progress.advance(task), KeyBlock)
        fabric.run(photons)
        while not session.idle:
            fabric.run(fabric.now + length, stop=lambda: session.idle)
    return session


def _attack(text: str, entry: dict[str, Any]) -> dict[str, Any]:
    """``KIND`` or ``KIND=NUMBER`` on the link or on the session."""
    from quantum_fabric.documents.qkd_entries import TARGETS

    kind, equals, number = text.partition("=")
    if kind not in TARGETS:
        raise InputError(repr(kind), f"one of {', '.join(TARGETS)}", "--attack")
    station = entry.get("station")
    # with a station there is no link between the ends: what can be done to messages is, and the rest at the station
    target = TARGETS[kind][-1] if station is not None else TARGETS[kind][0]
    node = station if station is not None else entry["to"]
    on = {"link": entry.get("link"), "session": entry["name"], "node": node}[target]
    if on is None:
        raise InputError(
            repr(kind),
            "false_announcement, invented_clicks or an attack on messages, with a station",
            "--attack",
        )
    found: dict[str, Any] = {"kind": kind, target: on, "at": "0 s"}
    if equals:
        value = _number(number)
        found["photons" if kind == "trojan_horse" else "mismatch" if kind == "time_shift" else "fraction"] = (
            value
        )
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(repr(text), "a number, as in intercept_resend=0.4", "--attack") from None


@dataclass(frozen=True, slots=True)
class _Wish:
    """A session over memories, as it was typed."""

    between: tuple[str, str]
    protocol: str
    pairs: int
    blocks: int
    fidelity: float
    key_basis: float
    attack: str | None

    def eavesdropper(self) -> InterceptResend | None:
        """Who measures the halves of the second end on their way.

        Raises:
            InputError: another attack, or no number.
        """
        from quantum_fabric.physics.qkd.attacks import InterceptResend

        if self.attack is None:
            return None
        kind, _, number = self.attack.partition("=")
        if kind != "intercept_resend":
            raise InputError(repr(kind), "intercept_resend, on pairs from memories", "--attack")
        return InterceptResend(_number(number) if number else 1.0)


def _over_memories(
    fabric: Fabric, wish: _Wish, security: Security, hand: Hand | None, out: Console
) -> KeySession:
    """Ask for pairs, measure them, and work on them block by block."""
    from quantum_fabric.cli.keying import FabricWires, generator, worst_weights
    from quantum_fabric.cli.screen import progress_bar
    from quantum_fabric.messages import LinkRequest, Refused
    from quantum_fabric.services.link import open_link
    from quantum_fabric.services.qkd.measuring import measure_link
    from quantum_fabric.services.qkd.session import KeySession, Plan
    from quantum_fabric.services.qkd.sources import MeasuredSource

    a, b = wish.between
    eve = wish.eavesdropper()
    link = open_link(fabric, LinkRequest(a, b, wish.fidelity, pairs=wish.pairs * wish.blocks, hold=True))
    if isinstance(link, Refused):
        raise InputError(f"a refusal: {link.reason}", "a request that can be served; see --fidelity", "run")
    out.print(f"pairs over {' – '.join(link.plan.path)}", highlight=False, soft_wrap=True)
    rng = generator(fabric.streams.stream("qkd/measured").bits())
    source = MeasuredSource(worst_weights(wish.fidelity), rng, wish.protocol, attack=eve)
    plan = Plan(f"{a}-{b}", a, b, 0, 10**18, 1, 1, security, replenish=384)
    session = KeySession(plan, source, FabricWires(fabric), rng, hand=hand, tell=fabric.tell)
    with link, progress_bar(out) as progress:
        for turn in range(wish.blocks):
            start = fabric.now
            task = progress.add_task(f"pairs of block {turn}", total=wish.pairs)
            source.pairs = measure_link(
                link, wish.pairs, rng, wish.protocol, wish.key_basis, partial(_advance, progress, task)
            )
            session.take(source.block(start, fabric.now), start, fabric.now)
            while not session.idle:
                fabric.run(fabric.now + 10**12, stop=lambda: session.idle)
    return session


def _advance(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done)


def _account(out: Console, session: KeySession, seen: _Seen) -> None:
    """Totals, failure probabilities line by line, and the books of authentication."""
    from dataclasses import asdict

    from quantum_fabric.cli.screen import plain, table

    total = session.total
    out.print()
    if total.ended:
        out.print(f"[red]the session ended:[/] {plain(total.ended)}", soft_wrap=True)
    out.print(f"{total.bits:,} bits of key at each end, from {total.delivered} of {total.blocks} blocks")
    if not total.delivered:
        return
    made = table("Failure probability of all keys together", "at most", right=("at most",))
    for name, value in asdict(total.ledger).items():
        made.add_row(name, f"{value:.2e}")
    made.add_row("[bold]total[/]", f"[bold]{total.ledger.total:.2e}[/]")
    out.print(made)
    entries = session.budgets[0].entries
    put = sum(entry.bits for entry in entries if entry.bits > 0)
    out.print(
        f"authentication: {entries[0].bits:,} bits at the start, {put - entries[0].bits:,} put back from keys, "
        f"{session.budgets[0].spent:,} spent, {session.budgets[0].balance:,} left"
    )
    told = sum(block.told for made_ in seen.supply.sessions.values() for block in made_.blocks)
    out.print(f"announced about the keys, and paid for: {told:,} bits")
    out.print("made on a twin: nothing about these keys is secret", style="dim")
