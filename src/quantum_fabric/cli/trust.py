"""``qfabric trust``: who must be trusted in a network, and what a compromise of each node exposes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from quantum_fabric.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from rich.console import Console

    from quantum_fabric.documents import NetworkDocument
    from quantum_fabric.keys.relay.statement import Point
    from quantum_fabric.keys.relay.trust import Boundary, Exposure, PairTrust

MOST_PAIRS = 12
"""Pairs that a list on the screen shows; JSON has all."""

EPILOG = """\b
Examples:
  qfabric trust chicago                         memories everywhere: no repeater is trusted
  qfabric trust national.yaml                   trusted nodes: what each of them could read
  qfabric trust national.yaml --between Bregenz Wien
  qfabric trust national.yaml --end Wien --end Graz --json

\b
In a document, each node may say:
  nodes:
  - {name: Linz, trust: {operator: Telekom, trusted: true, domain: AT}}

The answer follows from the document: which links store entanglement, which nodes may relay, what is declared.
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
@click.option("--json", "as_json", is_flag=True, help="Print JSON, complete.")
def command(network: str, ends: tuple[str, ...], between: tuple[str, str] | None, as_json: bool) -> int:
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
    boundary = boundary_of(document, inventory, wanted or None)
    architectures = Counter(link.model.architecture for link in inventory.links.values())
    if as_json:
        click.echo(json.dumps(as_data(document, boundary, architectures), indent=2, ensure_ascii=False))
        return 0
    out = console()
    if between is not None:
        _show_pair(out, boundary, boundary.pairs[0])
    else:
        _show(out, document, boundary, architectures)
    return 0


def boundary_of(document: NetworkDocument, inventory: Any, ends: Sequence[str] | None = None) -> Boundary:
    """The boundary of a network as its document declares it.

    Args:
        document: with what its owner says of trust.
        inventory: of the same document: which links store entanglement, which nodes relay.
        ends: where keys are used; see `quantum_fabric.keys.relay.trust.Boundary`.
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
    ties = [Tie(link.a, link.b, link.model.stores) for link in inventory.links.values()]
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
        declared = {True: "trusted", False: "not trusted", None: "–"}[site.trusted]
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
    out.print()
    for point in points(boundary, architectures):
        _show_point(out, point)
    _show_undetectable(out)


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
