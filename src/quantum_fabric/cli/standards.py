"""``qfabric standards``: networks, plans and messages in the words of others (EGP, QNP circuits, RuleSets, ETSI 015)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from quantum_fabric.messages import Plan
    from quantum_fabric.network import Topology

EPILOG = """\b
Examples:
  qfabric standards rulesets chicago NU StarLight --fidelity 0.7 > rulesets.json
  qfabric standards circuit chicago NU UChicago_PME --fidelity 0.7
  qfabric standards etsi015 chicago NU
  qfabric standards egp 400055800004000600000002
  qfabric standards egp --bell PSI_PLUS 200053000001000700000002ee1305dc

What a standard has no words for is refused with the part that it cannot say (exit code 2); a request that cannot be
served is refused with the reason (exit code 1).
"""


@click.group("standards", epilog=EPILOG)
def command() -> None:
    """Say a plan, a network or a message in the words of others, as JSON.

    EGP is the service of the link layer (Dahlberg et al. 2019), a circuit is the virtual circuit of the quantum network
    protocol (Kozlowski et al. 2020), RuleSets are those of AQUA, ETSI 015 is the model that SDN controllers of QKD
    networks read.
    """


def _planned(network: str, source: str, destination: str, fidelity: float) -> tuple[Topology, Plan] | None:
    """The network and the plan of a request; None where it is refused, which was said."""
    from quantum_fabric import documents
    from quantum_fabric.cli.plan import check_request
    from quantum_fabric.cli.screen import console, show_refusal
    from quantum_fabric.messages import LinkRequest, Refused
    from quantum_fabric.network import plan

    request = LinkRequest(source, destination, fidelity)
    check_request(request)
    topology = documents.topology(documents.inventory(documents.load_network(network)))
    found = plan(topology, request)
    if isinstance(found, Refused):
        show_refusal(console(), found, "")
        return None
    return topology, found


def _print(shape: Any) -> int:
    click.echo(json.dumps(shape, indent=1, ensure_ascii=False))
    return 0


_NETWORK = click.argument("network")
_SOURCE = click.argument("source")
_DESTINATION = click.argument("destination")
_FIDELITY = click.option(
    "--fidelity", "-f", type=float, required=True, help="Least fidelity of each pair, in (0.5, 1)."
)


@command.command("circuit")
@_NETWORK
@_SOURCE
@_DESTINATION
@_FIDELITY
@click.option("--id", "number", type=click.IntRange(0, 65535), default=0, help="Name of the circuit.")
def circuit(network: str, source: str, destination: str, fidelity: float, number: int) -> int:
    """The virtual circuit that would serve a request: one entry for each node."""
    from quantum_fabric.standards.qnp import circuit_of, plain

    found = _planned(network, source, destination, fidelity)
    return 1 if found is None else _print([plain(entry) for entry in circuit_of(found[1], number)])


@command.command("rulesets")
@_NETWORK
@_SOURCE
@_DESTINATION
@_FIDELITY
@click.option("--id", "number", type=click.IntRange(0), default=0, help="Name of the connection.")
def rulesets(network: str, source: str, destination: str, fidelity: float, number: int) -> int:
    """The RuleSets that would serve a request: one for each node of its path."""
    from quantum_fabric.control.rules import compile_rules, lanes_wanted, slots_wanted
    from quantum_fabric.standards.rulesets import ruleset

    found = _planned(network, source, destination, fidelity)
    if found is None:
        return 1
    topology, plan = found
    slots = {name: tuple(range(count)) for name, count in slots_wanted(plan).items()}
    lanes = {name: tuple(range(count)) for name, count in lanes_wanted(plan).items()}
    rules = compile_rules(plan, topology, slots, lanes, hold=False)
    return _print([ruleset(rules[name], name, number) for name in plan.path])


@command.command("etsi015")
@_NETWORK
@click.argument("node", required=False)
def etsi015(network: str, node: str | None) -> int:
    """A node of a network in the tree of ETSI GS QKD 015 (RFC 7951); all nodes by name where none is given."""
    from quantum_fabric import __version__, documents
    from quantum_fabric.standards.etsi015 import tree

    topology = documents.topology(documents.inventory(documents.load_network(network)))
    if node is not None:
        return _print(tree(topology, node, __version__))
    return _print({name: tree(topology, name, __version__) for name in sorted(topology.nodes)})


@command.command("egp")
@click.argument("octets")
@click.option(
    "--bell", default="PHI_PLUS", show_default=True, help="Bell state that an OK stands for; its bits cannot say it."
)  # fmt: skip
def egp(octets: str, bell: str) -> int:
    """What octets (hexadecimal) of the link layer's protocol say: a CREATE, or an ACK, OK or ERR.

    The bits are those of draft-dahlberg-ll-quantum-03; 24 octets are a CREATE.
    """
    from quantum_fabric.errors import InputError
    from quantum_fabric.messages import Bell
    from quantum_fabric.standards.egp_bits import answer_of, create_of
    from quantum_fabric.standards.egp_shapes import plain
    from quantum_fabric.standards.reading import named, shown

    agreed = named(Bell, bell, "--bell")
    try:
        data = bytes.fromhex(octets)
    except ValueError:
        raise InputError(shown(octets), "hexadecimal digits, two for each octet", "OCTETS") from None
    return _print(plain(create_of(data) if len(data) == 24 else answer_of(data, agreed)))
