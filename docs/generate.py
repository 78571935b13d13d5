"""Write docs/reference from the code: ``python docs/generate.py``.

With ``--check`` nothing is written; the exit code is 1 where a page differs from what the code says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

from generator import code, documents, figures, hardware, program, validation

from quantum_fabric.devices import KINDS
from quantum_fabric.links import CATALOGUE

REFERENCE: Final = Path(__file__).parent / "reference"

PAGES: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "api.md": ("what `import quantum_fabric` gives", code.api),
    "rooms.md": ("the public names of every room", code.rooms),
    "messages.md": ("the records that cross the seam", code.messages),
    "errors.md": ("the tree of faults, and the codes of refusals", code.errors),
    "cli.md": ("every command and option of `qfabric`", program.commands),
    "run-files.md": ("what a run writes: journal, Parquet table, report", program.files),
    "metrics.md": ("every counter, and how losses are told apart", program.metrics),
    "documents.md": ("fields of network, workload and import documents", documents.documents),
    "units.md": ("kinds of quantity and their units", documents.units),
    "devices.md": (
        "kinds of device, with a page for each: fields, and every data sheet with the source of each number",
        hardware.devices,
    ),
    "validation.md": ("what is validated against what, with tolerances and hashes", validation.validation),
    "links.md": ("link architectures, with a page for each: equation, source, limits", hardware.links),
}
"""File name -> what it is, for the index, and what writes it."""


def pages() -> dict[str, str]:
    """Every page of the reference: file name -> text."""
    made = {name: write() for name, (_, write) in PAGES.items()}
    made |= {hardware.link_file(name): hardware.link(name) for name in CATALOGUE}
    made |= {hardware.device_file(kind): hardware.device(kind) for kind in KINDS}
    lines = [f"- [{name}]({name}): {what}" for name, (what, _) in PAGES.items()]
    intro = "These pages are written by `make docs` from the code. Do not edit them: a test compares them with the code."
    made["index.md"] = "\n".join(["# Reference", "", intro, "", *lines, ""])
    return made


def differences() -> list[str]:
    """Names of the pages in docs/reference that differ from the code, are missing, or belong to nothing."""
    made = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.glob("*.md")}
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them."""
    if arguments == ["--check"]:
        different = differences()
        for name in different:
            print(f"docs/reference/{name} is not what the code says; run: make docs")
        return 1 if different else 0
    REFERENCE.mkdir(exist_ok=True)
    made = pages()
    for name in differences():
        if name in made:
            (REFERENCE / name).write_text(made[name], encoding="utf-8")
        else:
            (REFERENCE / name).unlink()
        print(f"docs/reference/{name}")
    figures.write(REFERENCE / "figures")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
