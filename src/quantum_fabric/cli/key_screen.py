"""What commands say of QKD sessions: a row for each, its alarms, and the attacks that nothing can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantum_fabric.cli.screen import plain, table
from quantum_fabric.ops.key_supply import show_rate
from quantum_fabric.units import Time, show_time

if TYPE_CHECKING:
    from rich.console import Console

    from quantum_fabric.cli.session import Session
    from quantum_fabric.messages import KeyAlarm, KeyBlock
    from quantum_fabric.ops.key_supply import KeySupply

MOST_ALARMS = 8
"""Alarms that the screen shows; the report has all."""


def show_keys(out: Console, session: Session) -> None:
    """Print what the sessions of a run made, what they noticed, and what nobody can notice."""
    from quantum_fabric.cli.keying import stances

    out.print(key_table(session.supply, session.reached))
    show_alarms(out, session.supply)
    workload = session.scenario.workload
    for spec, found in stances(workload, session.fabric.inventory) if workload.attacks else []:
        if not found.detectable and spec.at < session.reached:
            out.print(
                f"[yellow]no alarm can show[/] {found.attack} on {plain(spec.on)}: {found.why}",
                soft_wrap=True,
            )


def key_table(supply: KeySupply, until: Time) -> object:
    """A row for each session."""
    made = table(
        "Session", "Blocks", "Key bits", "Bit/s", "Error rate", "Failure", "Blocks without key",
        right=("Blocks", "Key bits", "Bit/s", "Error rate", "Failure"),
    )  # fmt: skip
    for name, session in supply.sessions.items():
        reasons: dict[str, int] = {}
        for block in session.blocks:
            if block.reason:
                reasons[block.reason] = reasons.get(block.reason, 0) + 1
        ends = f"{session.blocks[0].source} → {session.blocks[0].destination}" if session.blocks else ""
        made.add_row(
            f"[bold]{plain(name)}[/]\n[dim]{plain(ends)}[/]",
            f"{session.delivered}\n[dim]of {len(session.blocks)}[/]",
            f"{session.bits:,}",
            show_rate(supply.rate(name, until)),
            f"{session.error_rate:.2%}" if session.error_rate is not None else "–",
            f"{session.epsilon:.1e}",
            "\n".join(f"{count} × {reason}" for reason, count in reasons.items()),
        )
    return made


def show_alarms(out: Console, supply: KeySupply) -> None:
    """One line for each alarm, the first ones of all."""
    alarms = [(time, alarm) for made in supply.sessions.values() for time, alarm in made.alarms]
    for time, alarm in alarms[:MOST_ALARMS]:
        out.print(alarm_line(time, alarm), soft_wrap=True)
    if len(alarms) > MOST_ALARMS:
        out.print(f"… and {len(alarms) - MOST_ALARMS} more alarms; the report has all")


def alarm_line(time: Time, alarm: KeyAlarm) -> str:
    """An alarm with its evidence."""
    chance = f" (chance without cause ≤ {alarm.chance:.0e})" if alarm.chance > 0.0 else ""
    return (
        f"[red]alarm[/] {alarm.alarm} at {show_time(time)}, {plain(alarm.session)} block {alarm.block}: "
        f"{plain(alarm.evidence)}{chance}"
    )


def key_line(time: Time, message: object) -> str:
    """A block or an alarm of a session as it comes, with its time."""
    from quantum_fabric.messages import KeyAlarm, KeyBlock

    if isinstance(message, KeyBlock):
        return f"{show_time(time)} {plain(message.session)} {block_line(message)}"
    assert isinstance(message, KeyAlarm)
    return alarm_line(time, message)


def block_line(block: KeyBlock) -> str:
    """A block as it comes."""
    head = f"block {block.number}: {block.detections:,} detections, {block.sifted:,} sifted, error rate {block.error_rate:.2%}"
    if block.reason:
        return f"{head}; [yellow]no key[/]: {plain(block.reason)}"
    return f"{head}; [green]{block.length:,} bits of key[/], {block.told:,} told, ε {block.epsilon:.1e}"
