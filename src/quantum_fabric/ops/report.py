"""The report of a run: one HTML page that needs nothing else, made to be read, printed and sent to somebody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from typing import Final

from quantum_fabric.ops.drawing import Drawing, draw
from quantum_fabric.ops.losses import Losses
from quantum_fabric.ops.metrics import METRICS, Metrics
from quantum_fabric.ops.requests import History
from quantum_fabric.ops.summary import Summary, pool, show_number, show_wait, summarise
from quantum_fabric.units import Time, seconds, show_time

SHOWN: Final = 8
"""Most groups that the plots tell apart."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that the page is made from.

    Attributes:
        title: of the network.
        facts: labels and values for the head of the page.
        drawing: the network.
        histories: what became of each request, in order of submission.
        metrics, losses: the folds over the run.
        until: simulated time that was reached, in ps.
        interrupted: somebody stopped the run.
        again: the command that gives the same run again.
        calibrations: seconds at which a link had been calibrated; None for a run without drift and calibration.
        sections: further ones, as HTML, after the requests.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    drawing: Drawing
    histories: Sequence[History]
    metrics: Metrics
    losses: Losses
    until: Time
    interrupted: bool = False
    again: str = ""
    notes: Sequence[str] = field(default_factory=tuple)
    calibrations: Sequence[float] | None = None
    sections: Sequence[str] = ()


def render(report: Report) -> str:
    """Make the page.

    Returns:
        A whole HTML document: styles and pictures inline, no script, no request to anywhere. The same run gives the
        same text.

    Examples:
        >>> from quantum_fabric.ops.losses import Losses
        >>> page = render(Report("Two nodes", [("seed", "7")], Drawing({}, {}), [], Metrics(), Losses(), until=0))
        >>> "<h1>Two nodes</h1>" in page, "http" in page
        (True, False)
    """
    css = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    body = "\n".join(
        [
            _head(report),
            _network(report),
            _requests(report),
            *report.sections,
            *_plots(report),
            _counters(report.metrics),
            _foot(report),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)} – Quantum Fabric</title>\n<style>\n{css}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


# ------------------------------------------------------------------------------------------------- sections


def _head(report: Report) -> str:
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in report.facts
    )
    warnings = [*report.notes]
    if report.interrupted:
        reached = f"The run was interrupted at {show_time(report.until)} of network time."
        warnings.insert(0, f"{reached} What follows is complete up to then.")
    only = not report.histories and any(report.sections)
    said = "" if only else lead(report.histories, report.until)
    return (
        '<header><p class="kicker">Quantum Fabric · report of a run</p>'
        f'<h1>{escape(report.title)}</h1><p class="lead">{escape(said)}</p></header>'
        + "".join(f'<p class="warning">{escape(text)}</p>' for text in warnings)
        + f'<dl class="facts">{facts}</dl>'
    )


def lead(histories: Iterable[History], until: Time) -> str:
    """The run in one sentence.

    Examples:
        >>> lead([], 2_000_000_000_000)
        'No requests in 2 s of network time.'
    """
    time = f"{show_time(until)} of network time"
    rows = [summarise(history, until) for history in histories]
    if not rows:
        return f"No requests in {time}."
    pairs = sum(row.delivered for row in rows)
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.status] = counts.get(row.status, 0) + 1
    fates = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    noun = "request" if len(rows) == 1 else "requests"
    return f"{pairs:,} entangled {'pair' if pairs == 1 else 'pairs'} delivered to {len(rows):,} {noun} in {time}: {fates}."


_KEY: Final = (
    ("end", '<circle cx="8" cy="6" r="5" fill="#1d2733"/>', "asked for pairs"),
    ("node", '<circle cx="8" cy="6" r="4.4" fill="#fff" stroke="#1d2733" stroke-width="2"/>', "other node"),
    (
        "used",
        '<path d="M3 6h24" stroke="#184e77" stroke-width="6" stroke-linecap="round"/>',
        "many elementary pairs",
    ),
    ("some", '<path d="M3 6h24" stroke="#b2cde1" stroke-width="3" stroke-linecap="round"/>', "few"),
    ("idle", '<path d="M3 6h24" stroke="#cfd4da" stroke-width="2"/>', "none"),
    (
        "cut",
        '<path d="M10 2l8 8m0 -8l-8 8" stroke="#b4341f" stroke-width="2.6"/>',
        "cut or failed for some time",
    ),
)


def _network(report: Report) -> str:
    if not report.drawing.links:
        return ""
    entries = [entry for name, *entry in _KEY if name != "cut" or report.drawing.cut or report.drawing.failed]
    key = "".join(f'<span><svg viewBox="0 0 30 12">{shape}</svg>{text}</span>' for shape, text in entries)
    note = '<p class="note">Nodes that stand close together are drawn apart.</p>'
    return f'<h2>Network</h2>{note}\n<figure>{draw(report.drawing)}</figure><p class="key">{key}</p>'


def _requests(report: Report) -> str:
    if not report.histories:
        return ""
    rows = pool(report.histories, report.until)
    paths = {history.request.name: history for history in report.histories}
    every = ""
    if len(rows) < len(report.histories):
        singles = [summarise(history, report.until) for history in report.histories]
        every = f"<details><summary>Each of the {len(singles):,} requests</summary>{_table(singles, paths)}</details>"
    return (
        "<h2>Requests</h2>\n"
        '<p class="note">Large: what was delivered. Small: what was asked for, and what the control plane forecast or '
        "estimated. Fidelity is the true one, known to the twin alone, with the 95 % interval of its mean; latency is the "
        "time since the pair before (for the first: since the submission), median and 99th percentile.</p>\n"
        f"{_table(rows, paths)}{every}"
    )


def _table(rows: Sequence[Summary], histories: Mapping[str, History]) -> str:
    head = (
        "<tr><th>Request</th><th>Path</th><th class=n>Pairs</th><th class=n>Fidelity</th>"
        "<th class=n>Rate / s<sup>−1</sup></th><th class=n>Latency</th><th>Outcome</th></tr>"
    )
    body = "\n".join(_row(row, histories.get(row.name)) for row in rows)
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>\n{body}\n</tbody></table></div>'


def _row(row: Summary, history: History | None) -> str:
    plan = history.plan if history is not None else None
    path = escape(" – ".join(plan.path)) if plan is not None else "–"
    if history is not None and history.plans > 1:
        path += f"<small>planned {history.plans} times</small>"
    said = row.reason if row.status != "completed" else ""
    reason = said + (f" – would be accepted: {row.offer}." if row.offer else "")
    deadline = f"<small>by {show_wait(row.deadline)}</small>" if row.deadline is not None else ""
    kind = ' class="has-reason"' if reason else ""
    badge = row.status if row.status.isalpha() else "mixed"
    line = (
        f"<tr{kind}>"
        f"<td><strong>{escape(row.name)}</strong><small>{escape(row.source)} → {escape(row.destination)}</small></td>"
        f"<td>{path}</td>"
        f"<td class=n>{row.delivered:,}<small>of {row.asked_pairs:,}</small>{deadline}</td>"
        f'{_numbers(row)}<td><span class="badge {badge}">{row.status}</span></td></tr>'
    )
    return line + (f'<tr class="reason"><td colspan="7">{escape(reason)}</td></tr>' if reason else "")


def _numbers(row: Summary) -> str:
    """The three cells that hold what was measured, with what was asked or expected beneath."""
    fidelity, small = "–", [f"at least {row.asked_fidelity:.4g}"]
    if row.fidelity is not None:
        fidelity = f"{row.fidelity.value:.4f}"
        small.insert(0, f"[{row.fidelity.low:.4f}, {row.fidelity.high:.4f}]")
    if row.estimate is not None:
        small.append(f"estimated {row.estimate:.4f}")
    rates = [f"at least {show_number(row.asked_rate)}"] if row.asked_rate else []
    rates += [f"forecast {show_number(row.expected_rate)}"] if row.expected_rate is not None else []
    latency, tail = "–", []
    if row.latency_p50 is not None and row.latency_p99 is not None:
        latency, tail = show_wait(row.latency_p50), [f"p99 {show_wait(row.latency_p99)}"]
    cells = ((fidelity, small), (show_number(row.rate), rates), (latency, tail))
    return "".join(
        f"<td class=n>{large}{''.join(f'<small>{text}</small>' for text in lines)}</td>"
        for large, lines in cells
    )


def _plots(report: Report) -> Iterable[str]:
    from quantum_fabric.ops import plots
    from quantum_fabric.ops.grouping import group

    groups, remark = group(report.histories, report.losses, SHOWN)
    yield _plot("Delivery over time", remark, plots.delivery(groups, seconds(report.until)))
    yield _plot(
        "Fidelity against the floor",
        "Each row is scaled to its own highest bar. Only pairs that were handed over and used have a known truth.",
        plots.fidelities(groups),
    )
    if report.calibrations is not None:
        yield _plot(
            "Fidelity over time",
            "Mean, lowest and highest true fidelity. Links drift out of alignment, and a calibration brings them back; the "
            "control plane sees neither.",
            plots.drift(groups, report.calibrations),
        )
    yield _plot(
        "Where time was lost",
        "Time since the pair before, in shares; the mean time of a pair stands beside its bar. Queue: waiting for "
        "memory slots. Set-up: rules on their way to the nodes. Attempting: no half of the pair exists yet. Storing: some "
        "of its elementary pairs wait in memory for the others. Finishing: swaps, purification and classical messages "
        "after the last herald.",
        plots.time_lost(groups),
    )
    yield _plot(
        "Where fidelity was lost",
        "The parts add up to one minus the true mean fidelity. Elementary pairs and memory are what the control "
        "plane's beliefs (fresh pairs; T1 and T2 over the times really waited) account for. Operations is the "
        "remainder: gates, readout, and whatever the beliefs have wrong; where purification gained, it is negative.",
        plots.fidelity_lost(groups),
    )


def _plot(title: str, note: str, svg: str) -> str:
    if not svg:
        return ""
    caption = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<figure><h2>{escape(title)}</h2>{caption}{svg}</figure>"


def _counters(metrics: Metrics) -> str:
    rows = []
    for metric in METRICS:
        labels = metrics.labels(metric.name)
        if not labels:
            continue
        top = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
        shown = ", ".join(f"{escape(label)} {count:,}" for label, count in top[:12] if label)
        more = f" and {len(top) - 12} more" if len(top) > 12 else ""
        rows.append(
            f"<tr><td><strong>{metric.name.replace('_', ' ')}</strong><small>{escape(metric.doc)}</small></td>"
            f"<td class=n>{metrics.total(metric.name):,}</td><td>{shown}{more}</td></tr>"
        )
    if not rows:
        return ""
    head = "<tr><th>Counter</th><th class=n>Total</th><th>By label, largest first</th></tr>"
    return (
        f"<h2>Counters</h2>\n<table><thead>{head}</thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>"
    )


def _foot(report: Report) -> str:
    again = f"The same run again: <code>{escape(report.again)}</code>. " if report.again else ""
    return (
        f"<footer>{again}The numbers come from a simulated plant (the twin); no hardware was involved. Every message "
        "behind them that changed a request is in the journal beside this page.</footer>"
    )
