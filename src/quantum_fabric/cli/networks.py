"""``qfabric networks``: what networks there are, what is in one, and in and out of other formats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quantum_fabric.cli.quantities import LENGTH

if TYPE_CHECKING:
    from quantum_fabric.documents import NetworkDocument

EPILOG = """\b
Examples:
  qfabric networks                                        list the bundled networks
  qfabric networks chicago                                nodes and links of one
  qfabric networks chicago --export chicago.graphml       to GraphML
  qfabric networks chicago --export chicago.yaml          to a document that you can edit
  qfabric networks --import mine.graphml --export mine.yaml
  qfabric networks --import topohub:sndlib/germany50 --max-span "60 km" --export germany.yaml

Graphs of topohub have great-circle lengths: they are multiplied by --detour, since fibre follows roads.
"""


@click.command("networks", epilog=EPILOG)
@click.argument("name", required=False)
@click.option("--import", "origin", metavar="SOURCE", help="A GraphML file, or topohub:COLLECTION/NAME.")
@click.option("--detour", type=float, help="Fibre length over great circle (default 1.5).")
@click.option(
    "--max-span",
    metavar="LENGTH",
    type=LENGTH,
    help='Put repeaters on fibres that are longer, such as "60 km".',
)
@click.option("--merge", is_flag=True, help="Make one node of nodes that stand at one place.")
@click.option(
    "--export",
    "target",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it: .graphml or .yaml.",
)
def command(
    name: str | None,
    origin: str | None,
    detour: float | None,
    max_span: float | None,
    merge: bool,
    target: Path | None,
) -> int:
    """List the bundled networks, show one, export and import.

    NAME is a bundled network or a document.
    """
    from quantum_fabric import documents
    from quantum_fabric.cli.screen import count
    from quantum_fabric.errors import InputError

    if origin is not None and name is not None:
        raise InputError(f"{name!r} beside --import", "a NAME or --import SOURCE", "NAME")
    if target is not None and target.suffix not in (".graphml", ".yaml", ".yml"):
        raise InputError(repr(target.name), "a name that ends in .graphml or .yaml", "--export")
    if origin is None and (detour is not None or max_span is not None or merge):
        raise InputError("none", "a SOURCE, to which --detour, --max-span and --merge apply", "--import")
    if origin is None and name is None:
        if target is not None:
            raise InputError("none", "the NAME of the network to export", "NAME")
        _list()
        return 0
    document = (
        _import(origin, detour, max_span, merge) if origin is not None else documents.load_network(name or "")
    )
    if target is None:
        _show(document)
        return 0
    if target.suffix == ".graphml":
        documents.export_graphml(document, target)
    else:
        from quantum_fabric.ops.tables import write_text

        write_text(documents.dump(document), target)
    click.echo(f"{target}: {count(len(document.nodes), 'node')}, {count(len(document.links), 'link')}")
    return 0


def _import(origin: str, detour: float | None, max_span: float | None, merge: bool) -> NetworkDocument:
    from quantum_fabric import documents

    options: dict[str, Any] = {"merge": merge}
    if detour is not None:
        options["detour"] = detour
    if max_span is not None:
        options["max_span"] = max_span
    if origin.startswith("topohub:"):
        return documents.import_topohub(origin.removeprefix("topohub:"), **options)
    return documents.import_graphml(origin, **options)


def _list() -> None:
    from quantum_fabric import documents
    from quantum_fabric.cli.screen import console, table

    rows = table("Network", "What it is", "Workloads")
    for entry in documents.bundled():
        rows.add_row(f"[bold]{entry.name}[/]", entry.title, ", ".join(entry.workloads) or "–")
    out = console()
    out.print(rows)
    out.print("[dim]qfabric networks NAME shows one; qfabric run NAME runs it.[/]")


def _show(document: NetworkDocument) -> None:
    from rich.markup import escape

    from quantum_fabric import documents
    from quantum_fabric.cli.screen import console, fleeting, show_cautions, table
    from quantum_fabric.ops.summary import show_number
    from quantum_fabric.units import show, show_time

    inventory = documents.inventory(document)
    out = console()
    out.print(f"[bold]{escape(document.title or 'A network')}[/]")
    if document.description:
        out.print(" ".join(escape(document.description).split()))
    out.print(f"controller at {escape(inventory.controller)}\n")
    nodes = table("Node", "Slots", "T1", "T2", "Relays", "Neighbours", right=("Slots", "T1", "T2"))
    neighbours: dict[str, list[str]] = {node: [] for node in inventory.nodes}
    for link in inventory.links.values():
        neighbours[link.a].append(link.b)
        neighbours[link.b].append(link.a)
    for node, device in inventory.nodes.items():
        noise = device.memory_noise()
        nodes.add_row(
            escape(node), str(device.slots), show(noise.t1, "time", 3), show(noise.t2, "time", 3),
            "yes" if node in inventory.relays else "no", escape(", ".join(neighbours[node])),
        )  # fmt: skip
    out.print(nodes)
    out.print()
    links = table(
        "Link", "Length", "Light time", "Architecture", "Success", "Attempt", "Pairs /s", "Fidelity",
        right=("Length", "Light time", "Success", "Attempt", "Pairs /s", "Fidelity"),
    )  # fmt: skip
    for name, link in inventory.links.items():
        point = link.model.heralding()
        links.add_row(
            escape(name), show(link.length, "length"), show_time(link.light_time, 3), link.model.architecture,
            f"{point.success:.3g}", show_time(point.period, 3), show_number(link.pairs_per_second), f"{point.fidelity:.4f}",
        )  # fmt: skip
    out.print(links)
    out.print(
        "[dim]Of one attempt and one lane, at the setting of the data sheet; pairs as they are born.[/]"
    )
    for line in fleeting(inventory):
        out.print(escape(line), soft_wrap=True)
    show_cautions(out, inventory.cautions)
    soft = [f"{entry.what} ({entry.standing})" for entry in document.provenance]
    if soft:
        out.print(f"[dim]Where numbers come from: {escape('; '.join(soft))}[/]")
