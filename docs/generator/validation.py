"""The page of the frozen experiments: what is compared with what, before anything is run."""

from __future__ import annotations

from collections.abc import Iterator

from generator.markdown import code, page, plain, table
from quantum_fabric import validation as room
from quantum_fabric.validation import wording
from quantum_fabric.validation.comparison import MEANING
from quantum_fabric.validation.page import RULES


def validation() -> str:
    """The page of the frozen experiments."""
    intro = (
        "`qfabric validate` compares what the models predict with exact theory and published experiments. This page says what is "
        "compared and was written without running anything; [the results](../validation/validation.md) have the figures."
    )
    files = [room.load(name) for name in room.names()]
    rows = [
        (str(file.row or "+"), f"[{file.name}](#{file.name})", file.title, str(len(file.measured)))
        for file in files
    ]
    standings = [(words, MEANING[each]) for each, words in wording.STANDINGS.items()]
    missing = [(f"{each.name}: {each.cite}", each.missing) for each in room.not_comparable()]
    return page(
        "Validation",
        intro,
        ["## Rules of evidence", "", *(f"- {plain(rule)}" for rule in RULES), ""],
        ["## What a comparison is worth", *table(("standing", "meaning"), standings)],
        ["## Experiments", *table(("row", "name", "what", "results"), rows)],
        *(_file(file) for file in files),
        ["## Not comparable", *table(("experiment", "what is missing"), missing)],
    )


def _file(file: room.ParameterFile) -> Iterator[str]:
    experiment = room.experiment(file.name)
    yield f"### {file.name}"
    yield ""
    yield f"{file.title}. Source: {plain(file.cite)}."
    yield ""
    yield f"**Model.** {plain(experiment.model)}. **Null model.** {plain(experiment.null_model)}."
    yield ""
    if file.fit is not None:
        on, predicts = ", ".join(map(code, file.fit.on)), ", ".join(map(code, file.fit.predicts))
        yield f"**Fitted.** {code(file.fit.parameter)} to {on}; then it predicts {predicts}: {plain(file.fit.why)}."
        yield ""
    rows = [
        (
            each.label,
            wording.measured(each.number),
            each.number.letter,
            wording.allowed(each),
            each.number.source,
        )
        for each in file.measured.values()
    ]
    yield from table(("result", "value", "letter", "tolerance", "source"), rows)
    if file.chosen_after:
        yield f"**What was chosen after looking.** {plain(wording.chosen_after(file))}"
        yield ""
    yield f"{len(file.parameters)} parameters, frozen: SHA-256 `{file.digest}`."
    yield ""
