"""The part of a report that speaks of keys: what each session made, error rate and supply over time, attacks and alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from quantum_fabric.ops.key_supply import KeySupply, Made, show_rate
from quantum_fabric.ops.plots import COLOURS, FLOOR, _figure, _time_unit, svg
from quantum_fabric.units import Time, seconds, show_time

HOUR: Final = 3600.0
"""In s."""


@dataclass(frozen=True, slots=True)
class Assault:
    """An attack of the workload, as the report shows it.

    Attributes:
        kind: its name.
        on: name of the link, session or node.
        at, until: ps.
        alarms: that are meant to show it; empty where nothing does.
        why: in words, where nothing does.
    """

    kind: str
    on: str
    at: Time
    until: Time
    alarms: tuple[str, ...]
    why: str


def section(supply: KeySupply, assaults: Sequence[Assault], until: Time) -> str:
    """Make the section.

    Args:
        supply: the fold over the run.
        assaults: attacks of the workload, in order of time.
        until: end of the run, ps.

    Returns:
        HTML, or an empty string where no session made a block.

    Examples:
        >>> section(KeySupply(), [], until=0)
        ''
    """
    if not supply.sessions:
        return ""
    note = (
        "Bits that both ends hold after error correction, verification and privacy amplification, in whole octets. ε bounds the "
        "chance that all of it together is not secret or not equal. These keys were made on a twin: nothing about them is secret."
    )
    rows = "\n".join(_row(name, made, supply.rate(name, until)) for name, made in supply.sessions.items())
    head = (
        "<tr><th>Session</th><th class=n>Blocks</th><th class=n>Key / bits</th><th class=n>Rate / bit s<sup>−1</sup></th>"
        "<th class=n>Error rate</th><th class=n>ε</th><th>Blocks without key</th></tr>"
    )
    table = f'<div class="scroll"><table><thead>{head}</thead><tbody>\n{rows}\n</tbody></table></div>'
    picture = over_time(supply, assaults, until)
    caption = "Error rate of the test bits of each block, and key made so far. Attacks are shaded; crosses are blocks under an alarm."
    plot = (
        f'<figure><h2>Keys over time</h2><p class="note">{caption}</p>{picture}</figure>' if picture else ""
    )
    return f'<h2>Keys</h2>\n<p class="note">{note}</p>\n{table}{_attacks(supply, assaults)}{plot}'


def over_time(supply: KeySupply, assaults: Sequence[Assault], until: Time) -> str:
    """Error rate and key against time, one colour a session, as an ``<svg>`` element.

    Examples:
        >>> over_time(KeySupply(), [], until=0)
        ''
    """
    shown = {name: made for name, made in supply.sessions.items() if made.blocks}
    if not shown:
        return ""
    factor, unit = _time_unit(seconds(until) or 1.0)
    if seconds(until) > 2 * HOUR:  # sessions last days
        factor, unit = 1.0 / HOUR, "h"
    with _figure(height=4.6, salt="keys") as (figure, first):
        first.remove()
        above, below = figure.subplots(2, 1, sharex=True)
        for axes in (above, below):
            axes.patch.set_alpha(0.0)
            for assault in assaults:
                axes.axvspan(
                    seconds(assault.at) * factor,
                    seconds(assault.until) * factor,
                    color=FLOOR,
                    alpha=0.10,
                    lw=0,
                )
        for number, (name, made) in enumerate(shown.items()):
            colour = COLOURS[number % len(COLOURS)]
            times = [seconds(block.ended) * factor for block in made.blocks]
            # a block's error rate is that of all of its time: a bar, and no line to the next
            spans = [
                (seconds(block.started) * factor, end) for block, end in zip(made.blocks, times, strict=True)
            ]
            rates = [100.0 * block.error_rate for block in made.blocks]
            above.hlines(rates, *zip(*spans, strict=True), color=colour, lw=2.2, label=name)
            alarmed = {alarm.block for _, alarm in made.alarms}
            crosses = [
                ((start + end) / 2.0, rate)
                for (start, end), rate, block in zip(spans, rates, made.blocks, strict=True)
                if block.number in alarmed
            ]
            if crosses:
                above.plot(*zip(*crosses, strict=True), ls="", marker="x", ms=8.0, mew=1.8, color=FLOOR)
            total, sums = 0, [0.0]
            for block in made.blocks:
                total += block.length
                sums.append(total / 1000.0)
            known = [0.0, *times, seconds(until) * factor]
            below.step(known, [*sums, sums[-1]], where="post", color=colour, lw=1.8)
        for assault in assaults:
            middle = (seconds(assault.at) + seconds(assault.until)) / 2.0 * factor
            label = assault.kind.replace("_", " ")
            place = above.get_xaxis_transform()
            above.text(
                middle, 1.02, label, transform=place, ha="center", va="bottom", fontsize=8, color=FLOOR
            )
        above.set_ylabel("error rate / %")
        above.set_ylim(
            0.0,
            1.12 * max((b.error_rate for m in shown.values() for b in m.blocks), default=0.0) * 100.0 or 1.0,
        )
        below.set_ylabel("key / kbit")
        below.set_ylim(bottom=0.0)
        below.set_xlabel(f"time / {unit}")
        below.set_xlim(0.0, seconds(until) * factor)
        above.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize=9, ncols=4)
        return svg(figure)


def _row(name: str, made: Made, rate: float) -> str:
    ends = (
        f"{made.blocks[0].source} → {made.blocks[0].destination}, {made.blocks[0].protocol}"
        if made.blocks
        else ""
    )
    reasons: dict[str, int] = {}
    for block in made.blocks:
        if block.reason:
            reasons[block.reason] = reasons.get(block.reason, 0) + 1
    why = "; ".join(f"{count} × {reason}" for reason, count in reasons.items())
    error = f"{made.error_rate:.2%}" if made.error_rate is not None else "–"
    return (
        f"<tr><td><strong>{escape(name)}</strong><small>{escape(ends)}</small></td>"
        f"<td class=n>{made.delivered}<small>of {len(made.blocks)}</small></td><td class=n>{made.bits:,}</td>"
        f"<td class=n>{show_rate(rate)}</td><td class=n>{error}</td><td class=n>{made.epsilon:.1e}</td><td>{escape(why)}</td></tr>"
    )


def _attacks(supply: KeySupply, assaults: Sequence[Assault]) -> str:
    """Attacks and how they stand, then each alarm with its evidence."""
    text = ""
    if assaults:
        head = "<tr><th>Attack</th><th>On</th><th>From</th><th>Until</th><th>Shown by</th></tr>"
        rows = "".join(
            f"<tr><td>{escape(a.kind)}</td><td>{escape(a.on)}</td><td>{show_time(a.at)}</td><td>{show_time(a.until)}</td>"
            f"<td>{escape(', '.join(a.alarms)) or 'nothing: ' + escape(a.why)}</td></tr>"
            for a in assaults
        )
        text += f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
    alarms = [(time, alarm) for made in supply.sessions.values() for time, alarm in made.alarms]
    if alarms:
        head = "<tr><th>Alarm</th><th>Session, block</th><th>At</th><th>Evidence</th><th class=n>Chance without cause</th></tr>"
        rows = "".join(
            f"<tr><td>{escape(alarm.alarm)}</td><td>{escape(alarm.session)}, {alarm.block}</td><td>{show_time(time)}</td>"
            f"<td>{escape(alarm.evidence)}</td><td class=n>≤ {alarm.chance:.0e}</td></tr>"
            for time, alarm in alarms
        )
        text += f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
    return text
