"""``qfabric completion``: how to switch on completion in a shell."""

from __future__ import annotations

from typing import Final

import click

LINES: Final = {
    "bash": ("~/.bashrc", 'eval "$(_QFABRIC_COMPLETE=bash_source qfabric)"'),
    "zsh": ("~/.zshrc", 'eval "$(_QFABRIC_COMPLETE=zsh_source qfabric)"'),
    "fish": ("~/.config/fish/completions/qfabric.fish", "_QFABRIC_COMPLETE=fish_source qfabric | source"),
}
"""Shell -> the file to edit and the line to put there."""


@click.command("completion")
@click.argument("shell", type=click.Choice(list(LINES)))
def command(shell: str) -> int:
    """Say how to complete commands and options with the Tab key in SHELL."""
    file, line = LINES[shell]
    click.echo(f"# add this line to {file} and open a new shell:")
    click.echo(line)
    return 0
