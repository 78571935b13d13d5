"""The group of commands: help that teaches, errors without tracebacks, a quick start."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import click
import pytest

from quantum_fabric import errors
from quantum_fabric.cli import app as module
from quantum_fabric.cli.app import COMMANDS, app, complain, main


def command(name: str) -> click.Command:
    found = app.get_command(click.Context(app), name)
    assert found is not None
    return found


def test_help_lists_every_command_with_its_line(qfabric) -> None:
    result = qfabric("--help")
    assert result.code == 0
    for name, line in COMMANDS.items():
        assert re.search(rf"^  {name} +", result.out, re.MULTILINE)
        assert line in result.words


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(qfabric, name: str) -> None:
    result = qfabric(name, "--help")
    assert result.code == 0
    assert f"Usage: qfabric {name}" in result.out
    found = command(name)
    assert found.help
    for parameter in found.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.help, f"{name} {parameter.opts} says nothing"


def examples() -> list[str]:
    texts = [module.EXAMPLES] + [command(name).epilog or "" for name in COMMANDS]
    lines = [line.strip() for text in texts for line in text.splitlines() if line.startswith("  qfabric")]
    return [re.split(r"\s{3,}|\s+[>|]\s+", line)[0] for line in lines]


@pytest.mark.parametrize("line", examples())
def test_the_examples_in_the_help_parse(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    with command(name).make_context(name, arguments) as context:
        assert context.params is not None


def test_there_are_examples() -> None:
    assert len(examples()) >= 20


def test_a_mistyped_command_is_guessed(qfabric) -> None:
    result = qfabric("netwroks")
    assert result.code == 2
    assert "No such command 'netwroks'. Did you mean 'networks'?" in result.err
    assert "Did you mean" not in qfabric("zzzzz").err


def test_version(qfabric) -> None:
    assert "qfabric, version 0.1.0" in qfabric("--version").out


@pytest.mark.parametrize(
    ("error", "code", "hint"),
    [
        (errors.DocumentError([errors.Finding("f.yaml", 3, "nodes", "x", "y")]), 2, "qfabric check"),
        (errors.DocumentError([errors.Finding("f.yaml", 0, "", "no such file", "y")]), 2, "qfabric networks"),
        (errors.UnknownNameError("'X'", "a node", "source"), 2, "qfabric networks NAME"),
        (errors.InputError("1", "2"), 2, ""),
        (errors.JournalError("x:1: not JSON"), 2, "journal.jsonl"),
        (errors.ProtocolError("impossible"), 3, "a fault of Quantum Fabric"),
        (errors.CausalityError("impossible"), 3, "a fault of Quantum Fabric"),
    ],
)
def test_every_fault_has_its_code_and_hint(
    capsys: pytest.CaptureFixture[str], error, code: int, hint: str
) -> None:
    assert complain(error) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert ("hint: " in captured.err) == bool(hint)
    assert hint in captured.err


@pytest.mark.parametrize(
    ("raised", "code", "text"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (PermissionError(13, "Permission denied", "/out"), 2, "error: /out: Permission denied"),
        (errors.InputError("1", "2", "x"), 2, "error: x: found 1, expected 2"),
    ],
)
def test_exceptions_become_exit_codes(
    monkeypatch, capsys, raised: BaseException, code: int, text: str
) -> None:
    def fail(**_: object) -> None:
        raise raised

    monkeypatch.setattr(app, "main", fail)
    assert main([]) == code
    assert text in capsys.readouterr().err


def test_help_starts_quickly_because_nothing_heavy_is_loaded() -> None:
    program = (
        "import sys; from quantum_fabric.cli import main; main(['--help']); main(['run', '--help'])\n"
        "heavy = {'numpy', 'networkx', 'pydantic', 'matplotlib', 'duckdb', 'topohub', 'ruamel', 'rich'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_package_is_a_program_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "quantum_fabric", "--version"], capture_output=True, text=True, check=True
    )
    assert "qfabric, version" in done.stdout


def test_a_closed_pipe_is_no_error() -> None:
    done = subprocess.run(
        f"set -o pipefail; {shlex.quote(sys.executable)} -m quantum_fabric schema network | head -c 5",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == '{\n  "'
    assert done.stderr == ""


def test_completion_works_in_a_shell() -> None:
    import os

    environment = {
        **os.environ,
        "_QFABRIC_COMPLETE": "bash_complete",
        "COMP_WORDS": "qfabric repl",
        "COMP_CWORD": "1",
    }
    program = "import sys; from quantum_fabric.cli import main; sys.exit(main([]))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert done.stdout.split() == ["plain,replay"]
