"""The page of a validation: one HTML file that needs nothing else, a section with a figure for each experiment."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import Final

from quantum_fabric.ops import report
from quantum_fabric.validation import wording
from quantum_fabric.validation.comparison import MEANING, Comparison, Standing
from quantum_fabric.validation.drawing import figure
from quantum_fabric.validation.experiment import Result
from quantum_fabric.validation.frozen import NotComparable
from quantum_fabric.validation.parameters import LETTERS, ParameterFile

MANY: Final = 24
"""More parameters than this are folded away."""

_STYLE: Final = """\
.badge.pass { background: #dff1e8; color: #1c6145; } .badge.fail { background: #fadfd9; color: #8d2715; }
.badge.soft { background: #fdeccd; color: #7b4b06; } .hash { font-size: 11px; color: var(--muted); overflow-wrap: anywhere; }
.scroll td:first-child { min-width: 130px; } .scroll td:nth-child(4) { min-width: 120px; }
section { border-top: 1px solid var(--line); margin-top: 34px; } section h2 { margin-top: 22px; }
.rules { columns: 2; column-gap: 40px; font-size: 13.5px; padding-left: 18px; } .rules li { margin: 0 0 6px; break-inside: avoid; }
figure svg { margin: 14px 0; }
@media (max-width: 720px) { .rules { columns: 1; } }
"""

RULES: Final = (
    "The SHA-256 of every parameter file was compared with a committed lock before anything was computed. Tolerances are in the file.",
    "At most one parameter of an experiment is fitted, to a declared part of the results; those are no test.",
    "Error bars of predictions carry the quoted errors of the parameters (first order) and of the sampling. A parameter without a "
    "quoted error counts as exact, so they are lower bounds.",
    "One rule for every row: the central values are compared, and no error bar or missing digit of a result widens its tolerance. "
    "Beside a verdict against a prediction stands whether the difference is within 2 σ of both error bars together: a measurement "
    "with a wide bar can be missed by its tolerance and contradict nothing. Tolerances in σ, for Monte Carlo and for Bell tests with "
    "few events, are the only ones that errors enter. A first version counted error bars and missing digits in favour of the "
    "prediction, and was dropped.",
    "Published results were known to whoever wrote the parameters down. Freezing proves that nothing was changed since, and not that "
    "nothing was chosen in view of them.",
    "A result that is known by its printed digits alone has half of the last digit for its error (“digits”).",
    "What was chosen after a result had been looked at is said for each experiment, under that heading.",
    "A null model stands beside each comparison. Where it passes too, the comparison does not tell it from the model.",
    "Only exact theory, and sourced results (S, R) with sourced parameters, make a claim, which passes or fails. With a recalled or "
    "assumed parameter (M, P: soft), or for a recalled result (M), a prediction agrees or disagrees and claims nothing.",
    "A comparison that fails or disagrees stays in the table. The exit code counts claims alone.",
)
"""Rules of evidence, as the page says them."""


def render(
    results: Sequence[Result], missing: Sequence[NotComparable], facts: Sequence[tuple[str, str]]
) -> str:
    """Make the page.

    Args:
        results: of the experiments, in order.
        missing: experiments that cannot be compared.
        facts: labels and values for its head.

    Returns:
        A whole HTML document: styles and pictures inline, no script, no request to anywhere.

    Examples:
        >>> "<svg" in render([], [], [])
        False
    """
    css = resources.files(report.__package__).joinpath("report.css").read_text(encoding="utf-8")
    shown = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in facts)
    body = "\n".join(
        [
            '<header><p class="kicker">Quantum Fabric · validation</p><h1>Predicted against measured</h1>'
            f'<p class="lead">{escape(wording.lead(list(results)))}</p></header><dl class="facts">{shown}</dl>',
            '<h2>Rules of evidence</h2><ul class="rules">'
            + "".join(f"<li>{escape(rule)}</li>" for rule in RULES)
            + "</ul>",
            _overview(results),
            *(_section(result) for result in results),
            _missing(missing),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Validation – Quantum Fabric</title>\n<style>\n{css}{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _overview(results: Sequence[Result]) -> str:
    rows = "".join(
        f"<tr><td class=n>{result.file.row or '+'}</td>"
        f'<td><a href="#{escape(result.file.name)}">{escape(result.file.name)}</a>'
        f"<small>{escape(result.file.title)}</small></td>"
        + "".join(f"<td class=n>{escape(cell)}</td>" for cell in wording.columns(result))
        + f"<td>{_badge(result)}</td></tr>"
        for result in results
    )
    head = (
        "<tr><th class=n>Row</th><th>Experiment</th><th class=n>Claims that hold</th><th class=n>Soft: agree</th>"
        "<th class=n>Recalled: agree</th><th>Verdict</th></tr>"
    )
    key = "; ".join(f"<b>{wording.STANDINGS[each]}</b>: {escape(text)}" for each, text in MEANING.items())
    return f"<h2>Table</h2><table><thead>{head}</thead><tbody>{rows}</tbody></table><p class=note>{key}.</p>"


def _badge(result: Result) -> str:
    if not result.claims:
        kind = "fail" if result.against else "soft"
        return f'<span class="badge {kind}">{wording.standing(result)}</span>'
    against = (
        f' <span class="badge fail">{wording.disagreeing(result.against)}</span>' if result.against else ""
    )
    return f'<span class="badge {result.verdict.lower()}">{result.verdict}</span>{against}'


def _section(result: Result) -> str:
    file, experiment = result.file, result.experiment
    numbered = f"Row {file.row}" if file.row else "Further experiment"
    return (
        f'<section id="{escape(file.name)}"><h2>{escape(file.title)} {_badge(result)}</h2>'
        f"<p class=note>{numbered} · {escape(file.name)} · {escape(file.cite)}<br>"
        f"<b>Model.</b> {escape(experiment.model)}. <b>Null model.</b> {escape(experiment.null_model)}. "
        f"{escape(fit_text(result))}</p>"
        f"<figure>{figure(result)}</figure>{_comparisons(result.comparisons)}{_parameters(result)}"
        + f"<h3>What was chosen after looking</h3><p class=note>{escape(wording.chosen_after(file))}</p>"
        + (f"<p class=note><b>Missing.</b> {escape('; '.join(file.missing))}.</p>" if file.missing else "")
        + f"<p class=hash>SHA-256 of {escape(file.name)}.yaml, verified before the run: {file.digest}</p></section>"
    )


def fit_text(result: Result) -> str:
    """What was fitted, in a sentence or two."""
    fit = result.file.fit
    if fit is None:
        return "Nothing is fitted."
    number = result.parameters[fit.parameter]
    value = wording.with_error(number.value, number.error, number.factor, number.unit)
    return (
        f"Fitted: {fit.parameter} = {value}, to {', '.join(fit.on)} alone, and then used to predict "
        f"{', '.join(fit.predicts)}. {fit.why[:1].upper()}{fit.why[1:]}."
    )


def _comparisons(rows: Sequence[Comparison]) -> str:
    head = (
        "<tr><th>Result</th><th class=n>Predicted</th><th class=n>Measured</th><th>From</th><th class=n>Residual</th>"
        "<th class=n>Tolerance</th><th class=n>Null model</th><th>Verdict</th></tr>"
    )
    body = "".join(
        f"<tr><td>{escape(row.measured.label)}"
        + (f"<small>{escape(row.measured.number.note)}</small>" if row.measured.number.note else "")
        + f"</td><td class=n>{_broken(wording.predicted(row))}</td><td class=n>{_broken(wording.measured(row.measured.number))}</td>"
        f"<td><b>{row.measured.number.letter}</b><small>{escape(row.measured.number.source)}</small></td>"
        f"<td class=n>{_broken(wording.residual(row))}</td><td class=n>{escape(wording.tolerance(row))}</td>"
        f"<td class=n>{_broken(wording.null_of(row))}</td><td>{_verdict(row)}</td></tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'


_BREAKS: Final = (" ± ", " (fails", " (passes", ", ")


def _broken(text: str) -> str:
    """A cell in two lines where it has two parts, so that the words beside it keep their room."""
    for mark in _BREAKS:
        head, found, rest = text.partition(mark)
        if found:
            return f"{escape(head)}{',' * (mark == ', ')}<br>{escape((mark + rest).lstrip(' ,'))}"
    return escape(text)


def _verdict(row: Comparison) -> str:
    kind = "fail" if not row.passed else "pass" if row.claims else "soft"
    if row.standing is Standing.FITTED:
        kind = ""
    _, _, errors = wording.verdict(row).partition("; ")
    words = wording.STANDINGS[row.standing] + (f"<br>{escape(errors)}" if errors else "")
    return f'<span class="badge {kind}">{row.verdict}</span><small>{words}</small>'


def _parameters(result: Result) -> str:
    if not result.parameters:
        return ""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td class=n>{escape(wording.measured(number))}</td>"
        f'<td title="{escape(LETTERS[number.letter])}">{number.letter}</td>'
        f"<td>{escape(number.source)}{'<small>' + escape(number.note) + '</small>' if number.note else ''}</td></tr>"
        for name, number in result.parameters.items()
    )
    head = "<tr><th>Parameter</th><th class=n>Value</th><th>Letter</th><th>Source</th></tr>"
    opened = " open" if len(result.parameters) <= MANY else ""
    return (
        f"<details{opened}><summary>{len(result.parameters)} parameters</summary>"
        f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div></details>'
    )


def _missing(missing: Sequence[NotComparable]) -> str:
    if not missing:
        return ""
    rows = "".join(
        f"<tr><td>{escape(each.name)}<small>{escape(each.cite)}</small></td><td>not comparable: {escape(each.missing)}</td></tr>"
        for each in missing
    )
    head = "<tr><th>Experiment</th><th>What is missing</th></tr>"
    letters = "; ".join(f"<b>{letter}</b> {escape(meaning)}" for letter, meaning in LETTERS.items())
    return (
        f"<section><h2>Not comparable</h2><table><thead>{head}</thead><tbody>{rows}</tbody></table></section>"
        f"<footer>Letters of provenance: {letters}.</footer>"
    )


def frozen_facts(files: Sequence[ParameterFile]) -> list[tuple[str, str]]:
    """How many files, parameters and results there are, for the head of the page.

    Examples:
        >>> frozen_facts([])
        [('frozen files', '0'), ('parameters', '0'), ('results', '0')]
    """
    return [
        ("frozen files", str(len(files))),
        ("parameters", f"{sum(len(file.parameters) for file in files):,}"),
        ("results", f"{sum(len(file.measured) for file in files):,}"),
    ]
