"""What is said is run: pages, examples and docstrings are executed, and the reference is compared with the code."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import inspect
import os
import pkgutil
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))

import execute  # noqa: E402
import generate  # noqa: E402
from generator import code, figures, hardware  # noqa: E402

import quantum_fabric  # noqa: E402
from quantum_fabric import devices, messages  # noqa: E402
from quantum_fabric.cli.app import COMMANDS, app  # noqa: E402
from quantum_fabric.links import CATALOGUE  # noqa: E402
from quantum_fabric.ops.metrics import METRICS  # noqa: E402
from quantum_fabric.ops.tables import COLUMNS  # noqa: E402

PAGES = execute.pages()
MARKDOWN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
EXAMPLES = execute.examples()
MODULES = sorted(found.name for found in pkgutil.walk_packages(quantum_fabric.__path__, "quantum_fabric."))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --------------------------------------------------------------------------------------------- what is run


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_page_does_what_it_says(page: Path) -> None:
    execute.run_page(page)


@pytest.mark.parametrize("example", EXAMPLES, ids=relative)
def test_example_prints_its_golden_file(example: Path) -> None:
    execute.run_example(example)


@pytest.mark.parametrize("name", ["quantum_fabric", *MODULES])
def test_doctests(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "quantum_fabric.__main__":
        pytest.skip("runs the program when it is imported")
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE, report=True)
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples of {name} failed; see above"


# ----------------------------------------------------------------------------------------------- reference


def test_reference_is_what_the_code_says() -> None:
    assert generate.differences() == [], "run: make docs"


def test_pages_are_the_same_each_time() -> None:
    assert generate.pages() == generate.pages()


def reference(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def test_reference_names_every_command_and_option() -> None:
    page = reference("cli.md")
    context = execute_context()
    for name in COMMANDS:
        assert f"## qfabric {name}\n" in page
        command = app.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert option in page, (name, option)


def execute_context() -> Any:
    import click

    return click.Context(app, info_name="qfabric")


def records() -> list[type[Any]]:
    named = [getattr(messages, name) for name in messages.__all__]
    return [
        thing
        for thing in named
        if inspect.isclass(thing) and thing.__module__.startswith("quantum_fabric.messages")
    ]


@pytest.mark.parametrize("record", records(), ids=lambda record: record.__name__)
def test_reference_names_every_message_and_field(record: type[Any]) -> None:
    section = reference("messages.md").split(f"### {record.__name__}\n", 1)
    assert len(section) == 2
    text = section[1].split("\n### ")[0]
    assert inspect.getdoc(record).split("\n")[0].split("``")[0][:30] in text  # type: ignore[union-attr]
    for field in dataclasses.fields(record) if dataclasses.is_dataclass(record) else ():
        assert f"| `{field.name}` |" in text


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_reference_names_every_architecture(name: str) -> None:
    text = reference(hardware.link_file(name))
    assert f"]({hardware.link_file(name)})" in reference("links.md")
    record = CATALOGUE[name]
    for told in (record.source, record.oracle, record.example.strip(), *(p.field for p in record.parameters)):
        assert told in text


@pytest.mark.parametrize("sheet", devices.sheets())
def test_reference_names_every_sheet_with_the_source_of_each_number(sheet: str) -> None:
    kind, name = sheet.split("/")
    assert f"]({hardware.device_file(kind)})" in reference("devices.md")
    text = reference(hardware.device_file(kind)).split(f"### {kind} {name}\n")[1].split("\n### ")[0]
    assert devices.status(kind, name) in text.split("Standing:")[1].split("\n")[0]
    for field, entry in devices.provenance(kind, name).items():
        assert f"| `{field}` | {entry.value} | {entry.letter} | {entry.source} |" in text


@pytest.mark.parametrize(
    "name", [*map(figures.link_figure, CATALOGUE), *map(figures.device_figure, devices.RECORDS)]
)
def test_every_link_and_device_has_a_figure(name: str) -> None:
    """There, drawn with curves or dots, and shown by its page."""
    drawing = (DOCS / "reference" / "figures" / name).read_text(encoding="utf-8")
    assert drawing.count("<path") + drawing.count("<use") > 20
    assert f"(figures/{name})" in reference(name.replace(".svg", ".md"))


def test_letters_of_provenance_are_explained() -> None:
    assert set(hardware.LETTERS) == hardware.letters_in_sheets()


def test_reference_names_every_metric_column_and_public_name() -> None:
    for metric in METRICS:
        assert f"`{metric.name}`" in reference("metrics.md")
    for column in COLUMNS:
        assert f"`{column}`" in reference("run-files.md")
    for name in quantum_fabric.__all__:
        assert name == "__version__" or f"## {name}\n" in reference("api.md")


def test_every_room_of_the_package_has_a_section() -> None:
    package = Path(quantum_fabric.__file__).parent
    rooms = {path.stem for path in package.glob("*.py") if not path.stem.startswith("_")}
    rooms |= {path.parent.name for path in package.glob("*/__init__.py")}
    assert rooms == set(code.ROOMS)


# ---------------------------------------------------------------------------------------------- docstrings

WITHOUT_EXAMPLE: dict[str, str] = {
    "api.check_request": "a part of request_link, whose example runs it",
    "plant.build_twin": "a part of Fabric, whose example runs it",
    "documents.assembly.inventory": "the examples of Inventory, topology and Fabric run it",
    "network.planning.survey": "needs a network: docs/how-to/plan-a-path.md runs it",
    "ops.journal.read": "needs a journal: docs/how-to/replay-a-run.md runs it",
    "services.link.open_link": "needs a running network: request_link runs it",
    "montecarlo.compiling.compiled": "a part of ensemble.scenario, whose example runs it",
    "montecarlo.running.opened": "needs a scenario: tests and LiveFabric run it",
    "montecarlo.running.simulate": "a part of ensemble.run, whose example runs it",
    **dict.fromkeys(
        (
            "keys.audit.verify", "keys.consignment.accept", "keys.consignment.confirmed", "keys.consignment.forget",
            "keys.supply.feed", "keys.upkeep.reseal", "keys.upkeep.revoke", "keys.upkeep.revoke_sae", "keys.upkeep.sweep",
            "keys.upkeep.void",
        ),
        "needs a desk with a shelf: docs/how-to/run-a-key-server.md runs one",
    ),
}  # fmt: skip
"""Public functions that need no example of their own, with the reason."""

NOT_CALLED = {
    "server": "started by `qfabric kme`, never called by users: docs/how-to/run-a-key-server.md runs it"
}
"""Rooms that offer a program and no functions, with where it is run."""


def public_functions() -> list[tuple[str, Any]]:
    """Functions that a room offers in its ``__all__``, and public functions of all modules of rooms that list none."""
    found = {}
    for room in code.ROOMS:
        if room in NOT_CALLED:
            continue
        module = import_module(f"quantum_fabric.{room}")
        modules = (
            [module] if not is_empty(module) else [import_module(name) for name in code.submodules(room)]
        )
        for one in modules:
            for name in code.public_names(one):
                thing = getattr(one, name)
                if inspect.isfunction(thing) or hasattr(thing, "__wrapped__"):
                    found[f"{thing.__module__.removeprefix('quantum_fabric.')}.{thing.__name__}"] = thing
    return sorted(found.items())


def is_empty(module: ModuleType) -> bool:
    return hasattr(module, "__path__") and not code.public_names(module)


@pytest.mark.parametrize(
    ("name", "function"), public_functions(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_public_verb_has_a_running_example(name: str, function: Any) -> None:
    has_example = ">>>" in (inspect.getdoc(function) or "")
    if name in WITHOUT_EXAMPLE:
        assert not has_example, f"{name} has an example now: take it off the list"
    else:
        assert has_example, f"{name} has no example in its docstring"


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_has_a_docstring(name: str) -> None:
    if name == "quantum_fabric.__main__":
        return
    module = import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    for key, thing in vars(module).items():
        if key.startswith("_") or getattr(thing, "__module__", None) != name:
            continue
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert code.read(thing).prose, f"{name}.{key} has no docstring"


# -------------------------------------------------------------------------------------------------- pages

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as code hosts make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).strip()
        anchor, number = words.replace(" ", "-"), 0
        while anchor in found:
            number += 1
            anchor = f"{words.replace(' ', '-')}-{number}"
        found.add(anchor)
    return found


@pytest.mark.parametrize("page", MARKDOWN, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in LINK.findall(re.sub(r"`[^`\n]*`", "", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{relative(page)} links to {target}"
        if anchor:
            assert anchor in anchors(other), f"{relative(page)} links to {target}: no such heading"


@pytest.mark.parametrize(
    "page", [page for page in MARKDOWN if page.parent != DOCS / "reference"], ids=relative
)
def test_every_page_can_be_reached(page: Path) -> None:
    if page.parent == ROOT:
        return
    others = [other.read_text(encoding="utf-8") for other in MARKDOWN if other != page]
    assert any(page.name in target for text in others for target in LINK.findall(text)), "no page links to it"


@pytest.mark.parametrize("page", MARKDOWN, ids=relative)
def test_skipped_blocks_say_why(page: Path) -> None:
    for block in execute.blocks(page.read_text(encoding="utf-8")):
        if "skip" in block.marks:
            assert len(block.marks["skip"]) > 5, f"{relative(page)}:{block.start} is skipped without a reason"


def test_first_screen_of_the_readme_states_the_limits() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines.index("## Limits") < 40
    for words in ("make run", "make test", "request_link("):
        assert any(words in line for line in lines[: lines.index("## Limits")])


# -------------------------------------------------------------------------------------- the runner of pages


def test_runner_sees_what_fails(tmp_path: Path) -> None:
    for text, wrong in (
        ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", "printed"),
        ("```console\n$ qfabric schema nonsense\n```\n", "exit code 2"),
        ("```console\n$ qfabric --version\nqfabric, version nine\n```\n", "in the page"),
        ("```console\n$ make nonsense\n```\n", "no target"),
        ("```python\n", "without an end"),
    ):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        with pytest.raises(execute.MismatchError, match=wrong):
            execute.run_page(page)


def test_runner_understands_marks_and_outputs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- file: note.txt -->\n```text\nhello\n```\n\nThen:\n\n"
        "```python\nimport pathlib\nprint(pathlib.Path('note.txt').read_text())\n```\n\n"
        "```text\nhel...\n```\n\n<!-- skip: needs a quantum computer -->\n```python\nraise SystemExit\n```\n\n"
        "<!-- exit: 2 -->\n```console\n$ qfabric schema network > s.json\n$ qfabric schema nonsense\n```\n",
        encoding="utf-8",
    )
    assert execute.run_page(page) == 3


def test_runner_updates_outputs_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n\n```python\nprint(1)\n```\n\n```text\n2\n```\n\nEnd.\n", encoding="utf-8")
    execute.run_page(page, update=True)
    assert page.read_text(encoding="utf-8") == "# A\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\nEnd.\n"


def test_examples_need_no_files_and_have_golden_ones() -> None:
    assert len(EXAMPLES) >= 5
    assert {path.stem for path in EXAMPLES} == {path.stem for path in (ROOT / "examples").glob("*.out")}
    for example in EXAMPLES:
        assert ast.get_docstring(ast.parse(example.read_text(encoding="utf-8"))), (
            f"{example.name} says what it is for"
        )
        assert "open(" not in example.read_text(encoding="utf-8")
        assert os.sep + "shared" not in example.read_text(encoding="utf-8")
