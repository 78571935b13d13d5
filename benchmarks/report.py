"""The table for people and the JSON file for programs."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.records import Row
from benchmarks.run import Run


def machine() -> dict[str, Any]:
    """Where and with what this was measured."""
    return {
        "quantum-fabric": version("quantum-fabric"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def show(console: Console, rows: Sequence[Row], run: Run) -> None:
    """Print everything."""
    if rows:
        console.print(table(rows))
    physics = [row for row in rows if "fidelity" in row.details.get("ours", {})]
    if physics:
        console.print(physics_table(physics))
    if run.profile:
        console.print(profile_table(run.profile))
    for row in rows:
        for name, value in row.others.items():
            times = f" ({value / row.ours:.3g}x)" if row.ours else ""
            console.print(f"{row.name}, {name}: {_number(value)} {row.quantity}{times}")
    for note in run.notes:
        console.print(note, style="yellow")
    for row in rows:
        if row.failure:
            console.print(f"{row.name}: {row.failure}", style="red")
    if run.quick and rows:
        console.print("quick run: shows that everything works; its times mean little", style="yellow")


def table(rows: Sequence[Row]) -> Table:
    """Ours, the peer's, goals and verdicts."""
    made = Table(title="Benchmarks (CPU time; medians)", title_justify="left")
    for heading in ("benchmark", "quantity"):
        made.add_column(heading, no_wrap=True)
    for heading in ("ours", "goal", "peer", "ratio", "goal", "count", "goal"):
        made.add_column(heading, justify="right", no_wrap=True)
    made.add_column("met")
    colours = {"yes": "green", "no": "yellow", "-": "default"}
    for row in rows:
        verdict = row.verdict()
        made.add_row(
            row.name, row.quantity, _number(row.ours), str(row.goal or ""), _number(row.peer),
            f"{row.ratio:.3g}x" if row.ratio is not None else "",
            f"≥ {row.ratio_goal:g}x" if row.ratio_goal is not None and row.ratio is not None else "",
            f"{_number(row.count)} {row.counted}" if row.count is not None else "",
            str(row.count_goal) if row.count_goal else "",
            f"[{colours.get(verdict, 'red')}]{verdict}[/]",
        )  # fmt: skip
    peers = sorted({row.peer_name for row in rows if row.peer is not None})
    if peers:
        made.caption = f"peer: {', '.join(peers)}"
        made.caption_justify = "left"
    return made


def physics_table(rows: Sequence[Row]) -> Table:
    """What the two simulated: it has to be told beside the times."""
    made = Table(title="What was simulated", title_justify="left")
    made.add_column("benchmark", no_wrap=True)
    for heading in ("pairs", "events/pair", "simulated ms/pair", "mean fidelity", "least..most CPU ms/pair"):
        made.add_column(heading, justify="right")
    shown = set()
    for row in rows:
        lines = [(row.name, row.details["ours"])]
        chain = row.name.rsplit("/", 1)[0]
        if row.details.get("peer") and chain not in shown:
            shown.add(chain)
            lines.append((f"{chain}, {row.peer_name}", row.details["peer"]))
        for name, numbers in lines:
            made.add_row(
                name, f"{numbers['pairs']}", f"{numbers['events_per_pair']:.1f}",
                f"{numbers['simulated_ms_per_pair']:.4f}", f"{numbers['fidelity']:.4f}",
                f"{numbers['cpu_ms_per_pair_least']:.3g}..{numbers['cpu_ms_per_pair_most']:.3g}",
            )  # fmt: skip
    return made


def profile_table(profile: dict[str, Any]) -> Table:
    """Rooms, then functions."""
    made = Table(
        title="Profile of the event path (chain of 17, messages; under cProfile)", title_justify="left"
    )
    for heading in ("room", "function"):
        made.add_column(heading, no_wrap=True)
    for heading in ("share", "calls/pair"):
        made.add_column(heading, justify="right")
    for room, share in profile["rooms"].items():
        if share >= 0.005:
            made.add_row(room, "", f"{share:.1%}", "")
    made.add_section()
    for each in profile["functions"]:
        made.add_row(
            each["room"] or "python",
            each["name"],
            f"{each['share']:.1%}",
            f"{each['calls'] / profile['pairs']:.1f}",
        )
    return made


def as_json(rows: Sequence[Row], run: Run) -> dict[str, Any]:
    """Everything, JSON-shaped."""
    lines = [{**asdict(row), "ratio": row.ratio, "verdict": row.verdict()} for row in rows]
    return {
        "machine": machine(),
        "command": sys.argv[1:],
        "quick": run.quick,
        "rows": lines,
        "profile": run.profile,
        "notes": run.notes,
    }


def write(path: Path, rows: Sequence[Row], run: Run) -> None:
    """Write the JSON file."""
    path.write_text(json.dumps(as_json(rows, run), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
