"""The command line: one file for each command, thin. Parse, call, shape.

Nothing heavy is imported before a command needs it, so ``qfabric --help`` answers at once.
"""

from quantum_fabric.cli.app import main

__all__ = ["main"]
