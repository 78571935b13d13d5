"""The group of commands, found by name when they are needed, and the one place where errors become exit codes.

Exit codes: 0 done · 1 refused, or a replay that differs · 2 the input cannot be used · 3 a fault of the program
itself · 130 interrupted.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

import click

from quantum_fabric.errors import (
    CausalityError,
    DocumentError,
    FabricError,
    JournalError,
    ProtocolError,
    UnknownNameError,
)

COMMANDS: Final = {
    "run": "run a workload of requests on a network; journal, table and report come out",
    "plan": "show how a request would be served, and what lost against it",
    "link": "ask for entanglement over a distance, without any document",
    "sample": "repeat a request many times on all cores: rates, fidelities, waiting times with errors",
    "study": "vary what is in documents, on all cores or a cluster; plan backwards from a goal",
    "repeaters": "compare two-way with encoded repeaters over distance; table and figure",
    "check": "validate documents without running anything",
    "networks": "list, show, export and import networks",
    "devices": "list and show data sheets of devices, check one of your own",
    "validate": "compare predictions with exact theory and published experiments",
    "bench": "measure speed beside other simulators, with goals (in a checkout)",
    "trust": "state who must be trusted, and what a compromise of each node exposes",
    "qkd": "make keys from photons: rates over distance, sessions, attacks and alarms",
    "kme": "serve keys to applications (ETSI GS QKD 014)",
    "keys": "get keys from a running key server, and look after them",
    "entanglement": "say where entanglement was at a time, how fresh, and whether it could be used",
    "standards": "say plans, networks and messages in the words of others: EGP, QNP, RuleSets, ETSI 015",
    "replay": "run a journal again and compare it, bit for bit",
    "doctor": "say what is installed here, and what is missing",
    "schema": "print the JSON Schema of the documents, for editors",
    "completion": "say how to switch on completion in a shell",
}
"""Every command and its one line; ``qfabric run`` is in ``cli/run.py``."""

EXAMPLES: Final = """\b
Examples:
  qfabric run                                   the bundled Chicago network
  qfabric run chicago --workload chicago-cut    a fibre is cut on the way
  qfabric plan chicago NU UChicago_PME --fidelity 0.9
  qfabric link Bob --distance "200 km" --fidelity 0.98
  qfabric check my-network.yaml my-workload.yaml

Every command explains itself: qfabric run --help
"""


class Commands(click.Group):
    """A group that imports a command's file when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names of the commands, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"quantum_fabric.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed; where there is none, say which one may have been meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            meant = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {meant[0]!r}?" if meant else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="quantum-fabric", prog_name="qfabric")
def app() -> None:
    """Quantum Fabric: the control plane of a quantum network, on a physics-true twin of the plant.

    Ask for entanglement between two nodes; the control plane plans a path, generates, purifies and swaps pairs,
    delivers them, and accounts for every one.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what was typed after ``qfabric``; from the process where None.

    Returns:
        The exit code.

    Examples:
        >>> main(["completion", "fish"])
        # add this line to ~/.config/fish/completions/qfabric.fish and open a new shell:
        _QFABRIC_COMPLETE=fish_source qfabric | source
        0
    """
    try:
        result = app.main(args=arguments, prog_name="qfabric", standalone_mode=False)
    except FabricError as error:
        return complain(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        # somebody closed the pipe (qfabric networks | head): no fault of ours; keep Python from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {place}{error.strerror or error}", err=True)
        return 2
    return result if isinstance(result, int) else 0


def complain(error: FabricError) -> int:
    """Say what is wrong on stderr, with a hint where to go from there; returns the exit code."""
    for line in str(error).splitlines():
        click.echo(f"error: {line}", err=True)
    hint = _hint(error)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    return 3 if isinstance(error, ProtocolError | CausalityError) else 2


def _hint(error: FabricError) -> str:
    match error:
        case DocumentError() if any(finding.line for finding in error.findings):
            return "nothing was run. 'qfabric check FILE' checks a document, 'qfabric schema' describes one to your editor."
        case DocumentError():
            return "'qfabric networks' lists the networks that come with the program."
        case UnknownNameError() if error.where in ("sheet", "kind of sheet"):
            return "'qfabric devices' lists the data sheets."
        case UnknownNameError() if error.where in ("source", "destination"):
            return "'qfabric networks NAME' shows the nodes of a network."
        case ProtocolError() | CausalityError():
            return "this is a fault of Quantum Fabric and not of your documents; the journal of the run shows the way to it."
        case JournalError():
            return "a journal is the file journal.jsonl that 'qfabric run' writes."
        case _:
            return ""
