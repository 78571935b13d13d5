"""``qfabric trust``: who must be trusted in a network, and what a compromise of each node exposes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from quantum_fabric.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from rich.console import Console

    from quantum_fabric.documents import Inventory, NetworkDocument
    from quantum_fabric.documents.qkd_entries import QkdSpec
    from quantum_fabric.keys.relay.statement import Point
    from quantum_fabric.keys.relay.trust import Boundary, Exposure, PairTrust

MOST_PAIRS = 12
"""Pairs that a list on the screen shows; JSON has all."""

STATION_CAN = "deny keys: say nothing, too little or what is not so"
STATION_CANNOT = "read a key, whatever it announces and whatever its detectors are"
STATION_ROOMS = "the sources in the rooms of both ends"
"""What a station of MDI or twin-field sessions is to those for whom it measures."""

EPILOG = """\b
Examples:
  qfabric trust chicago                         memories everywhere: no repeater is trusted
  qfabric trust national.yaml                   trusted nodes: what each of them could read
  qfabric trust national.yaml --between Bregenz Wien
  qfabric trust national.yaml --end Wien --end Graz --json
  qfabric trust star.yaml --workload keys.yaml   stations of MDI and twin field are no relays

\b
In a document, each node may say:
  nodes:
  - {name: Linz, trust: {operator: Telekom, trusted: true, domain: AT}}

The answer follows from the document: which links store entanglement, which nodes may relay, what is declared; and from the
QKD sessions of --workload: which links end at a station that only measures.
It is about secrecy only; whether a path has enough key or fidelity is what 'qfabric plan' and the key servers say.
"""


@click.command("trust", epilog=EPILOG)
@click.argument("network")
@click.option(
    "--end",
    "-e",
    "ends",
    multiple=True,
    metavar="NODE",
    help="Where keys are used; may be repeated.  [default: nodes with 'relays: false', or all]",
)
@click.option("--between", nargs=2, metavar="NODE NODE", help="Only these two, with their paths.")
@click.option(
    "--workload",
    "-w",
    metavar="FILE",
    help="With its QKD sessions: a file or a bundled name.  [default: that of a bundled network]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, complete.")
def command(
    network: str, ends: tuple[str, ...], between: tuple[str, str] | None, workload: str | None, as_json: bool
) -> int:
    """State the trust boundary of NETWORK, a document or a bundled one.

    Says which ends need nobody else (a link of their own, or entanglement from end to end) and which need trusted nodes; what each
    node, operator and domain could read if it were compromised; the twelve points that an owner must state; and what nothing
    would show.
    """
    import json

    from quantum_fabric import documents
    from quantum_fabric.cli.screen import console

    try:
        import quantum_fabric.keys.relay  # noqa: F401
    except ModuleNotFoundError as error:
        needed = "the extra 'server': pip install 'quantum-fabric[server]'"
        raise InputError(f"no package '{error.name}'", needed, "qfabric trust") from None
    if between is not None and ends:
        raise InputError("--between beside --end", "one of them", "--between")
    if between is not None and between[0] == between[1]:
        raise InputError(f"{between[0]!r} twice", "two different nodes", "--between")
    document = documents.load_network(network)
    wanted = between or ends
    known = [node.name for node in document.nodes]
    for name in wanted:
        if name not in known:
            raise UnknownNameError(
                repr(name), f"a node of {document.title or network}", "--between" if between else "--end"
            )
    inventory = documents.inventory(document)
    sessions = _sessions(network, workload, inventory)
    boundary = boundary_of(document, inventory, wanted or None, sessions)
    architectures = kinds_of(inventory, sessions)
    if as_json:
        click.echo(json.dumps(as_data(document, boundary, architectures), indent=2, ensure_ascii=False))
        return 0
    out = console()
    if between is not None:
        _show_pair(out, boundary, boundary.pairs[0])
    else:
        _show(out, document, boundary, architectures)
    return 0


def _sessions(network: str, workload: str | None, inventory: Inventory) -> tuple[QkdSpec, ...]:
    """QKD sessions of the workload that was named, or of the one that a bundled network is run with."""
    from quantum_fabric import documents

    if workload is None:
        own = {entry.name: entry.workloads for entry in documents.bundled()}.get(network)
        if not own:
            return ()
        workload = own[0]
    chosen = documents.load_workload(workload)
    documents.check_workload(chosen, inventory)
    return chosen.qkd


def _arms(inventory: Inventory, sessions: Sequence[QkdSpec]) -> set[str]:
    """Links that end at a station of these sessions and make no key of their own: no other session runs over them alone."""
    from quantum_fabric.documents.qkd_checks import arms_of

    arms = {
        name
        for spec in sessions
        if spec.station is not None
        for side in arms_of(spec, inventory)
        for name in side
    }
    return arms - {spec.link for spec in sessions if spec.link is not None}


def kinds_of(inventory: Inventory, sessions: Sequence[QkdSpec] = ()) -> Counter[str]:
    """How many links there are of each architecture, and how many sessions over a station of each protocol in place of their links.

    Args:
        inventory: of the network.
        sessions: of the workload.
    """
    arms = _arms(inventory, sessions)
    kinds = Counter(link.model.architecture for name, link in inventory.links.items() if name not in arms)
    kinds.update(spec.protocol for spec in sessions if spec.station is not None)
    return kinds


def boundary_of(
    document: NetworkDocument,
    inventory: Inventory,
    ends: Sequence[str] | None = None,
    sessions: Sequence[QkdSpec] = (),
) -> Boundary:
    """The boundary of a network as its document declares it.

    Args:
        document: with what its owner says of trust.
        inventory: of the same document: which links store entanglement, which nodes relay.
        ends: where keys are used; see `quantum_fabric.keys.relay.trust.Boundary`.
        sessions: of the workload: where a station measures for two ends, its links make no key with the station.
    """
    from quantum_fabric.keys.relay.trust import Boundary, Site, Tie

    sites = []
    for node in document.nodes:
        said = node.trust
        sites.append(
            Site(
                node.name,
                node.name in inventory.relays,
                said.trusted if said else None,
                (said.operator if said else None) or "",
                (said.domain if said else None) or "",
            )
        )
    arms = _arms(inventory, sessions)
    ties = [
        Tie(link.a, link.b, link.model.stores) for name, link in inventory.links.items() if name not in arms
    ]
    ties += [Tie(spec.source, spec.destination, False, spec.station) for spec in sessions if spec.station]
    return Boundary(sites, ties, ends)


# ---------------------------------------------------------------------------------------------------------- JSON


def as_data(document: NetworkDocument, boundary: Boundary, architectures: Counter[str]) -> dict[str, Any]:
    """Everything, in JSON shapes."""
    from quantum_fabric.keys.relay.statement import points
    from quantum_fabric.services.qkd.signatures import ASSUMPTIONS, SIGNATURES

    def exposure(one: Exposure) -> dict[str, Any]:
        return {
            "name": one.name, "nodes": one.nodes, "own_pairs": one.own, "reads_whatever_the_routes": one.certain,
            "reads_on_single_paths": one.single,
        }  # fmt: skip

    return {
        "kind": "trust-boundary",
        "version": 1,
        "title": document.title,
        "ends": boundary.ends,
        "nodes": [
            {
                "operator": site.operator or None, "domain": site.domain or None, "trusted": site.trusted,
                "relays": site.relays, **exposure(boundary.of_node(name)),
            }
            for name, site in boundary.sites.items()
        ],
        "pairs": [
            {
                "ends": pair.ends, "rests_on": pair.need.value, "must_trust": pair.must_trust,
                "survives_compromised_nodes": pair.survives, "single_path": pair.single,
            }
            for pair in boundary.pairs
        ],
        "operators": [exposure(one) for one in boundary.operators()],
        "domains": [exposure(one) for one in boundary.domains()],
        "stations": [
            {
                "name": name, "measures_for": pairs, "trusted_for_secrecy": False, "can": STATION_CAN, "cannot": STATION_CANNOT,
                "must_be_trusted_instead": STATION_ROOMS, "also_relays": bool(boundary.of_node(name).single),
                "shown_by": _shown(),
            }
            for name, pairs in boundary.served.items()
        ],
        "undeclared": boundary.undeclared,
        "points": [
            {"number": point.number, "title": point.title, "known": point.known, "to_state": point.yours}
            for point in points(boundary, architectures)
        ],
        "undetectable": [{"attack": one.attack, "what": one.consequence} for one in SIGNATURES if not one.alarms],
        "assumptions": [{"about": about, "stands": stands} for about, stands in ASSUMPTIONS],
    }  # fmt: skip


# --------------------------------------------------------------------------------------------------------- screen


def _show(out: Console, document: NetworkDocument, boundary: Boundary, architectures: Counter[str]) -> None:
    from quantum_fabric.cli.screen import count, plain, table
    from quantum_fabric.keys.relay.statement import points
    from quantum_fabric.keys.relay.trust import Need

    out.print(f"[bold]{plain(document.title or 'A network')}[/]: trust boundary")
    out.print(f"{count(len(boundary.pairs), 'pair')} of ends: {_needs(boundary)}\n")
    rows = table("Node", "Operator", "Domain", "Declared", "Own pairs", "Reads in any case", "On single paths",
                 right=("Own pairs", "Reads in any case", "On single paths"))  # fmt: skip
    for name, site in boundary.sites.items():
        one = boundary.of_node(name)
        none = "only measures" if name in boundary.served else "–"
        declared = {True: "trusted", False: "not trusted", None: none}[site.trusted]
        rows.add_row(
            plain(name), plain(site.operator or "–"), plain(site.domain or "–"), declared, f"{len(one.own):,}",
            f"{len(one.certain):,}", f"{len(one.single):,}",
        )  # fmt: skip
    out.print(rows)
    out.print(
        "[dim]Pairs of ends whose keys a compromise of the node exposes: its own, those of others whatever the routes, "
        "and those of others where keys take one path of fewest nodes.[/]",
        soft_wrap=True,
    )
    for what, hands in (("operator", boundary.operators()), ("domain", boundary.domains())):
        for one in hands:
            out.print(
                f"{what} {plain(one.name)} ({count(len(one.nodes), 'node')}) reads {count(len(one.certain), 'pair')} of others "
                f"whatever the routes, {len(one.single):,} on single paths",
                soft_wrap=True,
            )
    bare = [pair for pair in boundary.pairs if pair.must_trust]
    for pair in bare[:MOST_PAIRS]:
        a, b = map(plain, pair.ends)
        out.print(f"{a} – {b} must trust {plain(', '.join(pair.must_trust))}", soft_wrap=True)
    if len(bare) > MOST_PAIRS:
        out.print(f"… and {count(len(bare) - MOST_PAIRS, 'pair')} more (--json has all)")
    if boundary.undeclared:
        out.print(
            f"[yellow]not declared[/], although keys would pass: {plain(', '.join(boundary.undeclared))}",
            soft_wrap=True,
        )
    if boundary.count(Need.ENTANGLED):
        out.print(
            "Entanglement from end to end: a repeater that lies is noticed by the test of the ends, and learns nothing."
        )
    _show_stations(out, boundary)
    out.print()
    for point in points(boundary, architectures):
        _show_point(out, point)
    _show_undetectable(out)


def _show_stations(out: Console, boundary: Boundary) -> None:
    from quantum_fabric.cli.screen import plain

    for name, pairs in boundary.served.items():
        ends = ", ".join(f"{a} – {b}" for a, b in pairs)
        out.print(
            f"[bold]{plain(name)}[/] measures for {plain(ends)}: not trusted for secrecy", soft_wrap=True
        )
        for said in (
            f"if it lies, it can {STATION_CAN} (shown by: {', '.join(_shown())})",
            f"it can never {STATION_CANNOT}",
            f"trusted instead: {STATION_ROOMS} ({plain(', '.join(dict.fromkeys(end for pair in pairs for end in pair)))})",
        ):
            out.print(f"   {said}", soft_wrap=True)
        if boundary.of_node(name).single:
            out.print(
                f"   it relays keys of others as well: there it reads what the table says of {plain(name)}",
                soft_wrap=True,
            )


def _shown() -> list[str]:
    """Alarms of what a station can do, from the program's own list of attacks."""
    from quantum_fabric.services.qkd.signatures import SIGNATURES

    own = ("false_announcement", "invented_clicks")  # a silent one lacks gain as well
    return list(dict.fromkeys(alarm for one in SIGNATURES if one.attack in own for alarm in one.alarms))


def _needs(boundary: Boundary) -> str:
    from quantum_fabric.keys.relay.trust import Need

    said = []
    for need in Need:
        many = boundary.count(need)
        if many:
            said.append(f"{many:,} {'without any way' if need is Need.NONE else f'over {need.value}'}")
    return ", ".join(said)


def _show_point(out: Console, point: Point) -> None:
    from quantum_fabric.cli.screen import plain

    out.print(f"[bold]{point.number}. {point.title}[/]")
    for line in point.known:
        out.print(f"   {plain(line)}", soft_wrap=True)
    for line in point.yours:
        out.print(f"   [dim]to state:[/] {plain(line)}", soft_wrap=True)


def _show_undetectable(out: Console) -> None:
    from quantum_fabric.cli.screen import plain
    from quantum_fabric.services.qkd.signatures import ASSUMPTIONS, SIGNATURES

    out.print("[bold]What nothing shows[/]")
    for one in SIGNATURES:
        if not one.alarms:
            out.print(f"   {plain(one.attack)}: {plain(one.acts)}; {plain(one.consequence)}", soft_wrap=True)
    for about, stands in ASSUMPTIONS:
        out.print(f"   {plain(about)}: {plain(stands)}", soft_wrap=True)


def _show_pair(out: Console, boundary: Boundary, pair: PairTrust) -> None:
    from quantum_fabric.cli.screen import count, plain
    from quantum_fabric.keys.relay.trust import Need

    a, b = map(plain, pair.ends)
    out.print(f"[bold]{a} – {b}[/]: {pair.need.value}")
    if pair.need is Need.STATION:
        stations = [name for name, pairs in boundary.served.items() if pair.ends in pairs]
        out.print(f"  {plain(' or '.join(stations))} measures for them and never has the key", soft_wrap=True)
    if pair.need is not Need.RELAYED:
        return
    for path in boundary.ways(pair):
        said = [f"{node} ({_word(boundary.sites[node].trusted)})" for node in path[1:-1]]
        out.print(f"  by {plain(', '.join(said))}", soft_wrap=True)
    if pair.must_trust:
        out.print(f"must trust {plain(', '.join(pair.must_trust))}: every path passes there", soft_wrap=True)
    else:
        out.print(f"a key over all of these paths stays secret from any {count(pair.survives, 'node')}")


def _word(trusted: bool | None) -> str:
    return {True: "declared trusted", False: "declared not trusted", None: "not declared"}[trusted]
