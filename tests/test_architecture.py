"""The house rules, enforced: the import table of docs/explanation/architecture.md, no circles, no long rooms."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "quantum_fabric"
TABLE = ROOT / "docs" / "explanation" / "architecture.md"
ALWAYS = {"units", "errors", "native"}
LONGEST_FILE = 420
LONGEST_BODY = 60


@cache
def modules() -> dict[str, Path]:
    """Module name below the package -> file."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path
    return found


@cache
def imports(name: str) -> frozenset[str]:
    """Modules of the package that a module imports, typing imports and imports inside functions included."""
    path = modules()[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                climb = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join(
                    ["quantum_fabric", *filter(None, climb), *([node.module] if node.module else [])]
                )
            names = {base} | {f"{base}.{alias.name}" for alias in node.names}
        else:
            continue
        ours = {
            n.removeprefix("quantum_fabric").removeprefix(".")
            for n in names
            if n.split(".")[0] == "quantum_fabric"
        }
        known = {n for n in ours if n in modules() and n not in (name, "")}
        # `from package import module` names the package only on the way to the module
        found |= {n for n in known if not any(other.startswith(n + ".") for other in known)}
    return frozenset(found)


def room(name: str) -> str:
    return name.split(".")[0]


@cache
def allowed() -> dict[str, set[str]]:
    """The import table, read from the architecture page."""
    table: dict[str, set[str]] = {}
    rows = TABLE.read_text(encoding="utf-8").partition("| Room | may import")[2].partition("\n\n")[0]
    for line in rows.splitlines():
        match = re.fullmatch(r"\| ((?:`\w+`(?:, )?)+) \| (.*) \|", line)
        if match is None:
            continue
        may = set(re.findall(r"`(\w+)`", match[2].split(";")[0]))
        for name in re.findall(r"`(\w+)`", match[1]):
            table[name] = may
    return table


def test_every_room_is_in_the_table() -> None:
    rooms = {room(name) for name in modules() if name} - ALWAYS - {"__main__"}
    assert rooms == set(allowed()), "docs/explanation/architecture.md and src/ disagree about the rooms"


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_follow_the_table(name: str) -> None:
    if room(name) in ("", "__main__"):
        return
    if name in ALWAYS:
        assert {room(target) for target in imports(name)} <= ALWAYS
        return
    here = room(name)
    wrong = {target for target in imports(name) if room(target) not in allowed()[here] | ALWAYS | {here}}
    assert not wrong, f"{name} may not import {sorted(wrong)}; {here} may import {sorted(allowed()[here])}"


def circles() -> list[list[str]]:
    """Strongly connected sets of more than one module (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(v: str) -> None:
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in imports(v):
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            component = []
            while component[-1:] != [v]:
                component.append(stack.pop())
            if len(component) > 1:
                found.append(sorted(component))

    for name in modules():
        if name not in index:
            visit(name)
    return found


def test_no_circles() -> None:
    assert circles() == []


def test_the_test_would_see_a_forbidden_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checker itself: a decider that imports the twin is caught."""
    assert "twin" not in allowed()["control"]
    assert "control" not in allowed()["twin"]
    assert any(room(target) == "physics" for target in imports("control.circuit"))


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_long_rooms(name: str) -> None:
    text = modules()[name].read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE, f"{name} is too long: look for the missing noun"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            start = first.end_lineno + 1 if documented and first.end_lineno else first.lineno
            length = (node.end_lineno or start) - start + 1
            assert length <= LONGEST_BODY, f"{name}.{node.name} has {length} lines: look for the missing noun"


def test_no_vague_rooms() -> None:
    vague = {"utils", "common", "core", "helpers", "manager", "misc"}
    assert not {name for name in modules() if vague & set(name.split("."))}


def test_public_docstrings() -> None:
    """Every public module, class and function says what it is."""
    silent = []
    for name, path in modules().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if ast.get_docstring(tree) is None:
            silent.append(name)
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and ast.get_docstring(node) is None:
                silent.append(f"{name}.{node.name}")
    assert silent == []


def test_nothing_refers_to_a_registry_or_to_the_drawing_board() -> None:
    hosts = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian\.org")
    here = Path(__file__)
    texts = [p for p in ROOT.rglob("*") if p.suffix in {".py", ".md", ".toml", ".yaml", ".txt", ".yml"}]
    own = [
        p for p in texts if not any(part.startswith(".") for part in p.relative_to(ROOT).parts) and p != here
    ]
    assert own
    bad = [str(p.relative_to(ROOT)) for p in own if hosts.search(p.read_text(encoding="utf-8"))]
    assert bad == []
    board = [
        str(p.relative_to(ROOT))
        for p in (*SOURCE.rglob("*.py"), *SOURCE.rglob("*.yaml"), *(ROOT / "docs").rglob("*.md"))
        if "shared/" in p.read_text(encoding="utf-8")
    ]
    assert board == []
