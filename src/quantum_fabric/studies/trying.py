"""Trying out every place of a study before anything runs: a value that fits nowhere is found here and not at the last point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from quantum_fabric.documents.findings import Findings
from quantum_fabric.documents.reading import Place as Field
from quantum_fabric.documents.reading import Plain, quoted
from quantum_fabric.documents.study_document import StudyDocument
from quantum_fabric.errors import DocumentError, InputError
from quantum_fabric.studies.design import Axis
from quantum_fabric.studies.papers import Papers
from quantum_fabric.studies.places import place
from quantum_fabric.studies.quantities import Value

TRIED: Final = 12
"""Values of an axis that are tried out when a study is loaded; the others come between them or are as good."""


def try_out(
    document: StudyDocument, base: dict[str, Plain], axes: Sequence[Axis], findings: Findings
) -> None:
    """Put values of each axis where they belong, alone, and see whether the documents are sound then.

    Args:
        document: of the study.
        base: what does not vary.
        axes: what is varied.
        findings: told of each axis that does not fit.
    """
    trials: list[tuple[Field, str, Sequence[Value]]] = []
    for number, axis in enumerate(axes):
        values: Sequence[Value] = (
            axis.values or (axis.span.at(0.0), axis.span.at(1.0)) if axis.span else axis.values or ()
        )
        step = max(1, len(values) // TRIED)
        trials.append((("vary", number), axis.path, [*values[::step], *values[-1:]]))
    for number, entry in enumerate(document.improve):
        trials.append((("improve", number), entry.path, [entry.now, entry.best]))
    for here, path, tried in trials:
        for value in dict.fromkeys(tried):
            fault = _fault(base, path, value)
            if fault is not None:
                findings.report(here, *fault)
                break


def _fault(base: dict[str, Plain], path: str, value: Value) -> tuple[str, str] | None:
    """What is wrong with a value in a place: found and expected."""
    where = place(path)
    there = {name for name in ("network", "workload", "link", "request") if name in base} | {"plan"}
    if where.document not in there | ({"network"} if "link" in base else set()):
        found = f"{path!r}, which is in a {where.document}"
        return found, f"a path in the base: {', '.join(sorted(there))}"
    if where.document == "network" and "link" in base and "segments" not in base["link"] and "*" not in path:
        indexed = where.parts[0] in ("nodes", "links")
        if indexed:
            return f"{path!r} of a line whose segments are not given", "'*' for all, or base.link.segments"
    try:
        Papers(base, ((path, value),)).check()
    except DocumentError as error:
        first = error.findings[0]
        return f"{first.found} at {first.field}", first.expected
    except InputError as error:
        text = f"{error.found} in {path!r}" if error.found != quoted(value) else f"{error.found} at {path!r}"
        return text, error.expected
    return None
