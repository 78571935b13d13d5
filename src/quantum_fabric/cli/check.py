"""``qfabric check``: validate documents offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quantum_fabric.errors import DocumentError, InputError

if TYPE_CHECKING:
    from quantum_fabric import documents

EPILOG = """\b
Examples:
  qfabric check network.yaml                     one document on its own
  qfabric check network.yaml workload.yaml       and whether the workload fits the network
  qfabric check chicago my-workload.yaml         a bundled network by name

Every fault is named with file, line, field, what was found and what was expected. Nothing is run or written.
A caution is no fault: it names a model that is used outside of what it can say.
Exit code 0 when all is well, 2 otherwise.
"""


@click.command("check", epilog=EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def command(files: tuple[str, ...]) -> int:
    """Validate network, workload and import documents.

    Where networks and workloads are given together, each workload is also checked against the network before it.
    """
    from quantum_fabric import documents
    from quantum_fabric.cli.app import complain
    from quantum_fabric.cli.screen import count, fleeting

    network: documents.NetworkDocument | None = None
    name, faults = "", 0
    for file in files:
        try:
            document = documents.load(file)
            if isinstance(document, documents.NetworkDocument):
                network, name = document, file
                inventory = documents.inventory(document)
                detail = f"{count(len(inventory.nodes), 'node')}, {count(len(inventory.links), 'link')}"
                click.echo(f"{file}: a sound network: {document.title or 'no title'} ({detail})")
                for line in fleeting(inventory):
                    click.echo(f"{file}: {line}")
                for caution in inventory.cautions:
                    click.echo(f"{file}: caution: {caution}")
            else:
                if network is not None:
                    documents.check_workload(document, documents.inventory(network))
                fits = f", fits {name}" if network is not None else ""
                click.echo(f"{file}: a sound workload: {document.title or 'no title'}{fits}")
        except (DocumentError, InputError) as error:
            faults += 1
            complain(error)
    return 2 if faults else 0
