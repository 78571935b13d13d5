"""Load a study: read it, read what it is based on, try out every place, and say all that is wrong before anything runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from quantum_fabric import __version__, documents
from quantum_fabric.documents.checking import check_form
from quantum_fabric.documents.findings import Findings, kind_of, nearest
from quantum_fabric.documents.reading import Place as Field
from quantum_fabric.documents.reading import Plain, compose, quoted, read_text
from quantum_fabric.documents.study_document import StudyDocument, Vary
from quantum_fabric.errors import DocumentError, Finding, InputError
from quantum_fabric.studies.design import Axis, Design, evenly
from quantum_fabric.studies.engine import Engine, chosen
from quantum_fabric.studies.outputs import OUTPUTS, Output, output
from quantum_fabric.studies.papers import Papers
from quantum_fabric.studies.places import place
from quantum_fabric.studies.quantities import SUFFIX, Span, Value, common_kind, read, span
from quantum_fabric.studies.trying import try_out
from quantum_fabric.units import UNITS, parse

FOLDER: Final = Path(__file__).parent / "bundled"
FORMAT: Final = 1
"""Of chunks and tables; another one is never mixed with it."""


@dataclass(frozen=True)
class Study:
    """A study that has been checked, with all that it depends on.

    Attributes:
        document: as it was written.
        base: what does not vary: the documents that it names, JSON-shaped.
        design: its points.
        engine: that answers.
        outputs: of its table.
        file: it came from.
    """

    document: StudyDocument
    base: dict[str, Plain]
    design: Design
    engine: Engine
    outputs: tuple[Output, ...]
    file: str

    @cached_property
    def essence(self) -> dict[str, Plain]:
        """All that the table depends on."""
        plain = self.document.plain()
        for idle in ("title", "description", "limits"):
            plain.pop(idle, None)
        return {
            "format": FORMAT,
            "version": __version__,
            "engine": self.engine.name,
            "study": plain,
            "base": self.base,
            "outputs": [out.name for out in self.outputs],
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its essence: two studies with the same one have the same table."""
        return digest(self.essence)

    @property
    def wanted(self) -> frozenset[str]:
        """Outputs that rows of the engine must have."""
        return needed(self.outputs, self.engine)

    def papers(self, point: int) -> Papers:
        """The documents of one point."""
        return Papers(self.base, self.design.settings(point))


def digest(data: Plain) -> str:
    """SHA-256 of JSON-shaped data in its one canonical form.

    Examples:
        >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
        True
    """
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(text.encode()).hexdigest()


def needed(outputs: Iterable[Output], engine: Engine) -> frozenset[str]:
    """Outputs that an engine's rows must have for a table: a quantile over runs needs what it is a quantile of.

    Examples:
        >>> from quantum_fabric.studies.engine import engine
        >>> needed([OUTPUTS["first_p90"]], engine("twin")), needed([OUTPUTS["first_p90"]], engine("forecast"))
        (frozenset({'first_delivery'}), frozenset({'first_p90'}))
    """
    return frozenset(out.of if out.of and out.name not in engine.outputs else out.name for out in outputs)


def bundled() -> list[str]:
    """Names of the studies that come with the package.

    Examples:
        >>> "distance" in bundled()
        True
    """
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_study(path_or_name: str | Path) -> Study:
    """Load a study document with what it is based on.

    Args:
        path_or_name: of a file, or the name of a bundled study.

    Raises:
        DocumentError: with every fault that was found: file, line, field, what was found and what was expected.

    Examples:
        >>> study = load_study("distance")
        >>> study.engine.name, study.design.points > 10
        ('forecast', True)
    """
    name = str(path_or_name)
    if isinstance(path_or_name, str) and name in bundled():
        return parse_study(read_text(FOLDER / f"{name}.yaml"), f"{name}.yaml", FOLDER)
    path = Path(path_or_name)
    try:
        text = read_text(path)
    except DocumentError as error:
        first = error.findings[0]
        if first.found != "no such file":
            raise
        expected = nearest(f"{first.expected}, or a bundled study", name, bundled())
        raise DocumentError([Finding(first.file, 0, "", first.found, expected)]) from None
    return parse_study(text, name, path.parent)


def parse_study(text: str, file: str = "study", folder: Path | None = None) -> Study:
    """Read a study from text.

    Args:
        text: YAML or JSON.
        file: its name, for findings.
        folder: from which paths in it are seen; the working one where None.

    Raises:
        DocumentError: with every fault that was found.

    Examples:
        >>> page = '''kind: study
        ... version: 1
        ... base: {link: {distance: 40 km, segments: 2}, request: {fidelity: 0.9}}
        ... vary:
        ... - {path: link.distance, grid: [20 km, 3 ms]}
        ... '''
        >>> parse_study(page, "my.yaml")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.DocumentError: my.yaml:5: vary[0].grid: found '3 ms' beside '20 km', expected values of one kind: \
a length
    """
    tree, already = compose(text, file)
    findings = Findings(file, tree, already)
    data = tree.plain()
    if kind_of(data) != "study":
        found = quoted(data.get("kind")) if isinstance(data, dict) else quoted(data)
        findings.report(("kind",), found, "'study'")
        findings.stop()
    document = check_form(StudyDocument, data, findings)
    findings.stop()
    assert document is not None, "its faults were reported"
    base = _base(document, folder or Path(), findings)
    axes = [_axis(entry, number, findings) for number, entry in enumerate(document.vary)]
    _improvable(document, findings)
    _bounds(document, findings)
    findings.stop()
    assert base is not None, "its faults were reported"
    engine, outputs = _engine(document, base, findings)
    _unique([axis for axis in axes if axis is not None], outputs, findings)
    findings.stop()
    design = Design(
        tuple(axis for axis in axes if axis is not None),
        document.sampling.method if document.sampling else "sobol",
        document.sensitivity.base
        if document.sensitivity
        else document.sampling.count
        if document.sampling
        else 1,
        document.seed,
        document.sensitivity is not None,
    )
    try_out(document, base, design.axes, findings)
    findings.stop()
    assert engine is not None, "its faults were reported"
    return Study(document, base, design, engine, outputs, file)


# ------------------------------------------------------------------------------------------------ its parts


def _base(document: StudyDocument, folder: Path, findings: Findings) -> dict[str, Plain] | None:
    """The documents that a study names, whole."""
    base = document.base
    found: dict[str, Plain] = {"network_time": document.limits.network_time}
    if base.link is not None:
        found["link"] = base.link.plain()
    if base.request is not None:
        found["request"] = base.request.plain()
    for field, load in (("network", documents.load_network), ("workload", documents.load_workload)):
        name = getattr(base, field)
        if name is None:
            continue
        beside = folder / name
        try:
            found[field] = load(beside if beside.is_file() else name).plain()
        except DocumentError as error:
            first = error.findings[0]
            if first.line:  # a fault inside that file is worth more than the place of its name
                findings.include(error.findings)
            else:
                findings.report(("base", field), f"{quoted(name)}, {first.found}", first.expected)
    if findings:
        return None
    try:
        Papers(found).check()
    except DocumentError as error:
        first = error.findings[0]
        findings.report(("base",), f"{first.found} at {first.field}", first.expected)
    except InputError as error:
        where = f" at {error.where}" if error.where else ""
        findings.report(("base",), f"{error.found}{where}", error.expected)
    return found


def _axis(entry: Vary, number: int, findings: Findings) -> Axis | None:
    here: Field = ("vary", number)
    try:
        where = place(entry.path)
    except InputError as error:
        findings.report((*here, "path"), error.found, error.expected)
        return None
    part = "grid" if entry.grid is not None else "range" if entry.range is not None else "sample"
    values: tuple[Value, ...] | None = None
    between: Span | None = None
    log = False
    try:
        if entry.grid is not None:
            values = entry.grid
            kind = common_kind(values)
            unit = read(values[0]).unit
        else:
            ends = entry.range or entry.sample
            assert ends is not None, "there is a grid, a range or a sample"
            log = ends.scale == "log"
            between = span(ends.first, ends.last, log=log, whole=ends.whole)
            kind, unit = between.kind, between.unit
            values = evenly(between, entry.range.count) if entry.range is not None else None
    except InputError as error:
        findings.report((*here, part), error.found, error.expected)
        return None
    if values is not None and len(set(values)) < len(values):
        twice = next(value for value in values if values.count(value) > 1)
        findings.report((*here, part), f"{quoted(twice)} twice", "each value once")
    name = entry.name or where.slug
    column = f"{name}_{SUFFIX[kind]}" if SUFFIX.get(kind) else name
    label = f"{entry.name or entry.path}{f' / {unit}' if unit else ''}"
    factor = UNITS[kind][unit] if kind else 1.0
    return Axis(entry.path, column, label, kind, values, between if part == "sample" else None, log, factor)


def _improvable(document: StudyDocument, findings: Findings) -> None:
    for number, entry in enumerate(document.improve):
        here: Field = ("improve", number)
        try:
            place(entry.path)
        except InputError as error:
            findings.report((*here, "path"), error.found, error.expected)
        try:
            between = span(entry.now, entry.best, log=entry.scale == "log", whole=entry.whole)
            if entry.cost.per is None and not (between.low > 0.0 and between.high > 0.0):
                raise InputError("a price for a factor of ten", "ends above 0, or cost: {per: STEP}")
            if entry.cost.per is not None and not parse(entry.cost.per, between.kind) > 0.0:
                raise InputError(quoted(entry.cost.per), "a step above 0")
        except InputError as error:
            findings.report(here, error.found, error.expected)


def _bounds(document: StudyDocument, findings: Findings) -> None:
    """Names and units of outputs in `repeat`, `goal`, `sensitivity` and `outputs`."""
    named: list[tuple[Field, str, Value | None]] = [
        (("outputs", n), name, None) for n, name in enumerate(document.outputs)
    ]
    named += [(("goal", n), goal.output, goal.at_least if goal.at_least is not None else goal.at_most)
              for n, goal in enumerate(document.goal)]  # fmt: skip
    if document.sensitivity is not None:
        named += [
            (("sensitivity", "outputs", n), name, None) for n, name in enumerate(document.sensitivity.outputs)
        ]
    if document.repeat is not None and document.repeat.interval is not None:
        interval = document.repeat.interval
        named.append((("repeat", "interval"), interval.of, interval.absolute))
        if OUTPUTS.get(interval.of, OUTPUTS["rate"]).of:
            found = f"{interval.of}, which is a quantile"
            findings.report(("repeat", "interval", "of"), found, "an output whose mean is taken")
    for here, name, bound in named:
        try:
            known = output(name)
            if bound is not None:
                known.read(bound)
        except InputError as error:
            findings.report(here, error.found, error.expected)


def _engine(
    document: StudyDocument, base: dict[str, Plain], findings: Findings
) -> tuple[Engine | None, tuple[Output, ...]]:
    asked = list(dict.fromkeys(document.outputs))
    extra = [goal.output for goal in document.goal]
    if document.repeat is not None and document.repeat.interval is not None:
        extra.append(document.repeat.interval.of)
    extra += document.sensitivity.outputs if document.sensitivity is not None else ()
    listed = [OUTPUTS[name] for name in dict.fromkeys((*asked, *extra))]
    varied = [*(entry.path for entry in document.vary), *(entry.path for entry in document.improve)]
    plans = any(place(path).document == "plan" for path in varied)
    # a quantile over runs can be had of any engine that repeats; the forecast needs a law of its own for it
    law = document.repeat is None and not base.get("workload")
    wanted = frozenset(out.of if out.of and not law else out.name for out in listed)
    try:
        engine = chosen(document.engine, wanted, document.repeat is not None, "workload" in base, plans)
    except InputError as error:
        findings.report(("engine",), error.found, error.expected)
        return None, ()
    if document.repeat is not None and not engine.repeats:
        found = f"repeat beside the engine {engine.name}, whose runs are all the same"
        findings.report(("repeat",), found, "no repeat, or the engine twin")
    if document.repeat is None and engine.repeats:
        findings.report(("repeat",), "nothing", f"repeat: {{runs: 20}}, since the engine {engine.name} draws")
    if document.goal and engine.repeats:
        findings.report(("engine",), quoted(engine.name), "forecast: plans are made backwards on it")
    if not asked:
        rare = {"finest_fidelity"} | {out.name for out in OUTPUTS.values() if out.of}
        listed = [out for out in OUTPUTS.values() if out.name in engine.outputs - rare or out in listed]
    return engine, tuple(out for out in OUTPUTS.values() if out in listed)


def _unique(axes: Sequence[Axis], outputs: Sequence[Output], findings: Findings) -> None:
    seen = {out.column for out in outputs} | {"point", "run", "runs"}
    for number, axis in enumerate(axes):
        if any(other.path == axis.path for other in axes[:number]):
            findings.report(("vary", number, "path"), f"{quoted(axis.path)} a second time", "each path once")
        elif axis.column in seen:
            findings.report(("vary", number), f"the column {axis.column!r} twice", "name: another name")
        seen.add(axis.column)


def with_changes(study: Study, **changes: Any) -> Study:
    """A study whose document has other fields, without reading anything again.

    Examples:
        >>> with_changes(load_study("distance"), seed=7).document.seed
        7
    """
    document = study.document.model_copy(update=changes)
    return replace(study, document=document, design=replace(study.design, seed=document.seed))
