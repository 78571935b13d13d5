"""``qfabric devices``: what devices there are, where each number comes from, and sheets of one's own."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from quantum_fabric.devices import Sheet

EPILOG = """\b
Examples:
  qfabric devices                          all data sheets
  qfabric devices node                     those of one kind
  qfabric devices show node/nv-electron    every number with its unit, domain and source
  qfabric devices new node > my-node.yaml  a sheet to start from, with every field explained
  qfabric devices check my-node.yaml       what is wrong with it, by file, line and field

A sheet of your own is used by its path, as seen from the network document: nodes: [{name: Alice, sheet:
./my-node.yaml}]. A letter beside each number says where it is from (S found in the paper itself, R in another
text, M recalled, C computed, P assumed, D by definition); 'qfabric devices show' explains the letters that it uses.
"""
LETTER_STYLE = {"S": "green", "R": "green", "C": "cyan", "M": "yellow", "P": "magenta", "D": "dim"}
STANDING_STYLE = {"published": "green", "tuned": "yellow", "recalled": "yellow", "projected": "magenta"}


def complete_kind(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Kinds of sheet that start like this."""
    from click.shell_completion import CompletionItem

    from quantum_fabric import devices

    return [CompletionItem(kind) for kind in devices.KINDS if kind.startswith(incomplete)]


def complete_sheet(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Sheets that start like this, with their titles."""
    from click.shell_completion import CompletionItem

    from quantum_fabric import devices

    names = [name for name in devices.sheets() if name.startswith(incomplete)]
    return [CompletionItem(name, help=devices.title(*name.split("/"))) for name in names]


class Devices(click.Group):
    """A group in which the name of a kind stands for the list of that kind."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed; a kind of sheet is short for its list."""
        from quantum_fabric import devices

        if args and args[0] in devices.KINDS:
            return "list", self.commands["list"], args
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            meant = difflib.get_close_matches(args[0], [*self.commands, *devices.KINDS], n=1)
            hint = f" Did you mean {meant[0]!r}?" if meant else ""
            ctx.fail(f"No such command or kind of device {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group("devices", cls=Devices, invoke_without_command=True, epilog=EPILOG)
@click.pass_context
def command(ctx: click.Context) -> int:
    """List and show data sheets of devices, and check those of one's own.

    A data sheet names a device (a memory node, a fibre, a detector, ...) and says where each of its numbers comes from.
    Network documents name sheets, and may change single numbers of them.
    """
    if ctx.invoked_subcommand is None:
        return list_sheets(None, as_json=False)
    return 0


@command.command("list")
@click.argument("kind", required=False, shell_complete=complete_kind)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def list_command(kind: str | None, as_json: bool) -> int:
    """List the data sheets, or those of one KIND."""
    return list_sheets(kind, as_json=as_json)


@command.command("show")
@click.argument("sheet", metavar="KIND/NAME", shell_complete=complete_sheet)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def show_command(sheet: str, as_json: bool) -> int:
    """Show every number of a sheet: value, domain, where it is from.

    KIND/NAME is a bundled sheet (a NAME alone will do where it is the only one), or the path of a file with a sheet.
    """
    from quantum_fabric import devices, documents

    if sheet.endswith((".yaml", ".yml")):
        own = documents.load_sheet(sheet)
        show_sheet(sheet, own, as_json=as_json)
        return 0
    kind, name = found(sheet)
    if kind == "profile":
        show_profile(name, as_json=as_json)
    else:
        show_sheet(f"{kind}/{name}", devices.data_sheet(kind, name), as_json=as_json)
    return 0


@command.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
def check_command(files: tuple[str, ...]) -> int:
    """Check data sheets of one's own; every fault is named with file, line, field, found and expected."""
    from quantum_fabric import documents
    from quantum_fabric.cli.app import complain
    from quantum_fabric.cli.screen import count
    from quantum_fabric.errors import DocumentError

    faults = 0
    for file in files:
        try:
            made = documents.load_sheet(file)
        except DocumentError as error:
            faults += 1
            complain(error)
            continue
        recalled = sum(one.letter == "M" for one in made.numbers.values())
        soft = f", {recalled} of them recalled" if recalled else ""
        numbers = count(len(made.numbers), "number")
        click.echo(f"{file}: a sound {made.kind} sheet ({made.status}): {made.title} ({numbers}{soft})")
    return 2 if faults else 0


@command.command("new")
@click.argument("kind", shell_complete=complete_kind)
def new_command(kind: str) -> int:
    """Print a sheet of one KIND to start from: every field with its meaning, domain and default."""
    from quantum_fabric import documents

    click.echo(documents.sheet_template(kind), nl=False)
    return 0


def found(text: str) -> tuple[str, str]:
    """The kind and name that were meant.

    Raises:
        UnknownNameError: no such sheet, or several of that name.

    Examples:
        >>> found("nv-electron"), found("fibre/ideal")
        (('node', 'nv-electron'), ('fibre', 'ideal'))
    """
    from quantum_fabric import devices
    from quantum_fabric.errors import UnknownNameError

    known = devices.sheets()
    fits = [one for one in known if one == text or one.partition("/")[2] == text]
    if len(fits) == 1:
        kind, _, name = fits[0].partition("/")
        return kind, name
    if fits:
        raise UnknownNameError(repr(text), f"one of {', '.join(fits)}", "sheet")
    names = [*known, *(one.partition("/")[2] for one in known)]
    close = list(dict.fromkeys(difflib.get_close_matches(text, names, n=3)))
    meant = f" (did you mean {' or '.join(map(repr, close))}?)" if close else ""
    raise UnknownNameError(repr(text), f"KIND/NAME as 'qfabric devices' lists them{meant}", "sheet")


def list_sheets(kind: str | None, *, as_json: bool) -> int:
    """Print the sheets of one kind, or of all."""
    from quantum_fabric import devices

    names = devices.sheets() if kind is None else tuple(f"{kind}/{name}" for name in devices.sheets(kind))
    rows = [
        (*name.split("/"), devices.status(*name.split("/")), devices.title(*name.split("/")))
        for name in names
    ]
    if as_json:
        keys = ("kind", "name", "status", "title")
        click.echo(
            json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2, ensure_ascii=False)
        )
        return 0
    from quantum_fabric.cli.screen import console, plain, table

    out = console()
    page = table("Kind", "Name", "Standing", "What it is")
    before = ""
    for of, name, status, title in rows:
        if before and of != before:
            page.add_section()
        page.add_row(
            of if of != before else "",
            f"[bold]{plain(name)}[/]",
            _styled(status, STANDING_STYLE),
            plain(title),
        )
        before = of
    out.print(page)
    _legend(out, "standing", devices.STANDINGS, {row[2] for row in rows})
    out.print(
        "[dim]qfabric devices show KIND/NAME shows the numbers of one and where each of them is from.[/]"
    )
    return 0


def show_sheet(name: str, sheet: Sheet, *, as_json: bool) -> None:
    """Print one device sheet."""
    from quantum_fabric import devices

    if as_json:
        click.echo(json.dumps(plain_sheet(name, sheet), indent=2, ensure_ascii=False))
        return
    from quantum_fabric.cli.screen import console, plain, table

    out = console()
    out.print(f"[bold]{plain(name)}[/]  {plain(sheet.title)}")
    out.print(
        f"standing: {_styled(sheet.status, STANDING_STYLE)} [dim]({devices.STANDINGS[sheet.status]})[/]"
    )
    if sheet.cite:
        out.print(f"source: {plain(sheet.cite)}")
    out.print()
    page = table("Field", "Value", "", "Where it is from", "Domain", right=("Value",))
    for field, quantity in devices.describe(devices.RECORDS[sheet.kind]).items():
        given = sheet.numbers.get(field)
        if given is None:
            value = quantity.write(_value(sheet.record, field))
            page.add_row(
                f"[dim]{field}[/]",
                f"[dim]{value}[/]",
                "",
                "[dim]not given: default[/]",
                f"[dim]{quantity.domain}[/]",
            )
            continue
        words = plain(given.source) + (f"\n[dim]{plain(given.note)}[/]" if given.note else "")
        letter = _styled(given.letter, LETTER_STYLE)
        page.add_row(field, plain(given.value), letter, words, f"[dim]{quantity.domain}[/]")
    out.print(page)
    used = {one.letter for one in sheet.numbers.values()}
    _legend(out, "letters", devices.LETTERS, used, LETTER_STYLE)
    recalled = sum(one.letter == "M" for one in sheet.numbers.values())
    if recalled:
        out.print(
            f"[yellow]{recalled} of {len(sheet.numbers)} numbers are recalled and unverified: they are no facts.[/]"
        )


def plain_sheet(name: str, sheet: Sheet) -> dict[str, Any]:
    """A sheet as JSON-shaped data: what it says, and the value that holds for every field."""
    from quantum_fabric import devices

    numbers = {}
    for field, quantity in devices.describe(devices.RECORDS[sheet.kind]).items():
        given = sheet.numbers.get(field)
        value = given.value if given else quantity.write(_value(sheet.record, field))
        numbers[field] = {"value": value, "domain": quantity.domain, "meaning": quantity.doc}
        if given:
            numbers[field] |= {"provenance": given.letter, "source": given.source, "note": given.note}
    return {
        "sheet": name, "kind": sheet.kind, "title": sheet.title, "status": sheet.status, "cite": sheet.cite,
        "numbers": numbers,
    }  # fmt: skip


def show_profile(name: str, *, as_json: bool) -> None:
    """Print the sheets that go together in a profile."""
    from quantum_fabric import devices

    profile = devices.sheet("profile", name)
    parts = {
        part: getattr(profile, part)
        for part in ("node", "fibre", "detector", "source", "architecture", "modes")
    }
    title = devices.title("profile", name)
    if as_json:
        page = {
            "sheet": f"profile/{name}",
            "kind": "profile",
            "title": title,
            "status": profile.status,
            **parts,
        }
        click.echo(json.dumps(page, indent=2, ensure_ascii=False))
        return
    from quantum_fabric.cli.screen import console, plain, table

    out = console()
    out.print(f"[bold]profile/{plain(name)}[/]  {plain(title)}")
    out.print(f"standing: {_styled(profile.status, STANDING_STYLE)}\n")
    rows = table("Part", "Sheet", "Standing")
    for part, value in parts.items():
        status = devices.status(part, value) if part in devices.RECORDS and value else ""
        rows.add_row(part, plain(str(value)) or "–", _styled(status, STANDING_STYLE) if status else "")
    out.print(rows)


def _value(record: Any, field: str) -> Any:
    for part in field.split("."):
        record = getattr(record, part)
    return record


def _styled(word: str, styles: dict[str, str]) -> str:
    return f"[{styles[word]}]{word}[/]" if word in styles else word


def _legend(
    out: Any, what: str, meanings: Any, used: Iterable[str], styles: dict[str, str] | None = None
) -> None:
    """What the words mean that were used."""
    used = set(used)
    lines = [
        f"  {_styled(word, styles or STANDING_STYLE)}  {meaning}"
        for word, meaning in meanings.items()
        if word in used
    ]
    out.print(f"[dim]{what}:[/]")
    for line in lines:
        out.print(line)
