"""Run pages and examples: ``python docs/execute.py [FILE ...]``; ``--update`` writes the outputs that were seen.

An example is a program whose output stands in a file of the same name that ends in ``.out``.

A page is run from top to bottom in an empty folder:

* Each ``python`` block runs in one namespace. A ``text`` block right below it is what it prints.
* In a ``console`` block, each ``$ qfabric ...`` line runs; the lines below it are what it prints. ``> FILE`` is understood,
  and so is ``$ make TARGET``, of which only the name of the target is checked. Other commands are not run.
* ``...`` in an output stands for anything.

A comment right above a block changes this:

* ``<!-- skip: REASON -->`` does not run it;
* ``<!-- exit: 2 -->`` is the exit code of the last command of a console block (0 where nothing is said);
* ``<!-- file: NAME -->`` writes the block to a file of that name.
"""

from __future__ import annotations

import contextlib
import difflib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
FENCE: Final = re.compile(r"^```(\w*)\s*$")
MARK: Final = re.compile(r"<!--\s*(skip|exit|file):\s*(.*?)\s*-->")
FLAGS: Final = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class MismatchError(AssertionError):
    """A block did not do what its page says."""


@dataclass
class Block:
    """A fenced block.

    Attributes:
        language: after the opening fence.
        lines: of the block, without the fences.
        start: number of its first line in the page, from 1.
        marks: from the comment above it.
        output: the ``text`` block right below a ``python`` block.
    """

    language: str
    lines: list[str]
    start: int
    marks: dict[str, str] = field(default_factory=dict)
    output: Block | None = None

    @property
    def text(self) -> str:
        """The block as one text."""
        return "\n".join(self.lines) + "\n"


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, outputs attached to what prints them."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    apart = False
    lines = iter(enumerate(page.splitlines(), start=1))
    for number, line in lines:
        fence = FENCE.match(line)
        if fence:
            block = Block(fence[1], _until_fence(lines), number + 1, marks)
            if (
                block.language == "text"
                and found
                and found[-1].language == "python"
                and not apart
                and not marks
            ):
                found[-1].output = block
            else:
                found.append(block)
            marks, apart = {}, False
        elif line.strip():
            marks = dict(MARK.findall(line)) if line.startswith("<!--") else {}
            apart = True
    return found


def _until_fence(lines: Iterator[tuple[int, str]]) -> list[str]:
    taken: list[str] = []
    for _, line in lines:
        if line.rstrip() == "```":
            return taken
        taken.append(line)
    raise MismatchError("a fenced block without an end")


def run_page(path: Path, update: bool = False) -> int:
    """Run a page in a folder of its own.

    Args:
        path: of the page.
        update: write the outputs that were seen into the page, where an output has no ``...``.

    Returns:
        Number of blocks that were run.

    Raises:
        MismatchError: a block failed or printed something else; says where.
    """
    page = path.read_text(encoding="utf-8")
    todo = [
        block for block in blocks(page) if block.language in ("python", "console") or "file" in block.marks
    ]
    todo = [block for block in todo if "skip" not in block.marks]
    edits: list[tuple[Block, list[str]]] = []
    namespace: dict[str, Any] = {"__name__": path.stem}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), terminal():
        for block in todo:
            place = f"{path.name}:{block.start}"
            if "file" in block.marks:
                Path(block.marks["file"]).write_text(block.text, encoding="utf-8")
            elif block.language == "python":
                seen = run_python(block, namespace, place)
                edits += _hold(block.output, seen, place, update) if block.output else []
            else:
                edits += run_console(block, place, update)
    if edits:
        path.write_text(_edited(page, edits), encoding="utf-8")
    return len(todo)


@contextlib.contextmanager
def terminal() -> Iterator[None]:
    """A terminal of a known width without colours."""
    before = dict(os.environ)
    os.environ.update(COLUMNS="110", NO_COLOR="1", TERM="dumb")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run_python(block: Block, namespace: dict[str, Any], place: str) -> str:
    """Run a Python block; returns what it prints."""
    out = io.StringIO()
    code = compile("\n" * (block.start - 1) + block.text, place, "exec")
    with contextlib.redirect_stdout(out):
        try:
            exec(code, namespace)
        except Exception as error:
            raise MismatchError(f"{place}: {type(error).__name__}: {error}") from error
    return out.getvalue()


def run_console(block: Block, place: str, update: bool) -> list[tuple[Block, list[str]]]:
    """Run the commands of a console block; returns what has to be written into the page."""
    wanted = int(block.marks.get("exit", "0"))
    commands = commands_of(block)
    lines: list[str] = []
    changed = False
    for number, (command, output) in enumerate(commands):
        code, seen = run_command(command, place)
        expected = wanted if number == len(commands) - 1 else 0
        if code is not None and code != expected:
            raise MismatchError(f"{place}: $ {command}\nexit code {code}, expected {expected}\n{seen}")
        lines.append(f"$ {command}")
        fits = code is None or not output or _fits(output, seen)
        if not fits and not (update and "..." not in "\n".join(output)):
            raise MismatchError(
                f"{place}: $ {command}\n--- printed\n{seen}\n--- in the page\n" + "\n".join(output)
            )
        changed = changed or not fits
        lines += output if fits else _trimmed(seen)
    return [(block, lines)] if changed else []


def commands_of(block: Block) -> list[tuple[str, list[str]]]:
    """Commands of a console block, each with the lines of its output."""
    found: list[tuple[str, list[str]]] = []
    for line in block.lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return found


def run_command(command: str, place: str) -> tuple[int | None, str]:
    """Run one command of the program; (None, "") for one that is not run."""
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        missing = [word for word in words[1:] if word not in targets and "=" not in word]
        if missing:
            raise MismatchError(f"{place}: the Makefile has no target {missing[0]}")
        return None, ""
    if words[0] != "qfabric":
        return None, ""
    from quantum_fabric.cli import main

    target = Path(words[-1]) if len(words) > 2 and words[-2] == ">" else None
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err if target else out):
        code = main(words[1:-2] if target else words[1:])
    if target:
        target.write_text(out.getvalue(), encoding="utf-8")
    return code, err.getvalue() if target else out.getvalue()


def _fits(expected: list[str], seen: str) -> bool:
    return doctest.OutputChecker().check_output("\n".join(expected) + "\n", seen, FLAGS)


def _hold(output: Block, seen: str, place: str, update: bool) -> list[tuple[Block, list[str]]]:
    if _fits(output.lines, seen):
        return []
    if update and "..." not in output.text:
        return [(output, _trimmed(seen))]
    raise MismatchError(f"{place}: printed\n{seen}\n--- in the page\n{output.text}")


def _trimmed(seen: str) -> list[str]:
    return [line.rstrip() for line in seen.strip("\n").splitlines()]


def _edited(page: str, edits: list[tuple[Block, list[str]]]) -> str:
    lines = page.splitlines()
    for block, text in sorted(edits, key=lambda edit: -edit[0].start):
        lines[block.start - 1 : block.start - 1 + len(block.lines)] = text
    return "\n".join(lines) + "\n"


def pages() -> list[Path]:
    """Every page with blocks that can be run: the README and what lies below docs, the generated reference left out."""
    below = [path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "reference"]
    return [ROOT / "README.md", *sorted(below)]


def examples() -> list[Path]:
    """Every example."""
    return sorted((ROOT / "examples").glob("*.py"))


def run_example(path: Path, update: bool = False) -> int:
    """Run an example in a process and a folder of its own.

    Args:
        path: of the example.
        update: write what it printed into its golden file.

    Returns:
        1, the number of programs that were run.

    Raises:
        MismatchError: it failed or printed something else.
    """
    golden = path.with_suffix(".out")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-W", "error", str(path)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise MismatchError(f"{path.name}: exit code {done.returncode}\n{done.stderr}")
    if update:
        golden.write_text(done.stdout, encoding="utf-8")
    elif done.stdout != golden.read_text(encoding="utf-8"):
        known = golden.read_text(encoding="utf-8").splitlines()
        difference = difflib.unified_diff(
            known, done.stdout.splitlines(), golden.name, "printed", lineterm=""
        )
        raise MismatchError("\n".join(difference))
    return 1


def main(arguments: list[str]) -> int:
    """Run pages and examples, all of them where none is named."""
    update = "--update" in arguments
    named = [Path(word).resolve() for word in arguments if word != "--update"]
    failures = 0
    for path in named or [*pages(), *examples()]:
        try:
            run = run_example if path.suffix == ".py" else run_page
            print(f"{path.relative_to(ROOT)}: {run(path, update)} run", flush=True)
        except MismatchError as error:
            failures += 1
            print(error)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
