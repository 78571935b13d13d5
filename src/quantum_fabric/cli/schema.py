"""``qfabric schema``: JSON Schema of the documents, for editors."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  qfabric schema network > network.schema.json
  qfabric schema workload > workload.schema.json

\b
In VS Code with the YAML extension, the first line of a document then gives completion and checks:
  # yaml-language-server: $schema=network.schema.json
"""


@click.command("schema", epilog=EPILOG)
@click.argument("kind", type=click.Choice(["network", "workload", "import", "study"]), default="network")
def command(kind: str) -> int:
    """Print the JSON Schema (draft 2020-12) of one kind of document.

    An editor completes and checks documents with it; what it cannot say (that a name exists, that links join up) is
    checked by 'qfabric check'.
    """
    import json

    from quantum_fabric.documents import json_schema

    click.echo(json.dumps(json_schema(kind), indent=2, ensure_ascii=False))
    return 0
