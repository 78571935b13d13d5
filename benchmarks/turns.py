"""Ours and the peers take turns within one run, so that a busy machine is unfair to none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from benchmarks.peers import SEQUENCE, Peer, PeerError, how_to_install, interpreter, said_of
from benchmarks.processes import MeasurementError, ask
from benchmarks.records import Goal, Row
from benchmarks.run import Run

Answers: TypeAlias = list[dict[str, Any]]
Ask: TypeAlias = Callable[[], dict[str, Any]]


def peer_of(run: Run, peer: Peer) -> tuple[Path | None, str]:
    """A peer's interpreter and its name with version; without one, how to get it is noted."""
    python = interpreter(peer)
    if python is not None:
        try:
            return python, said_of(peer, python)
        except PeerError as error:
            run.note(f"{error}; {how_to_install(peer)}")
            return None, "not installed"
    run.note(how_to_install(peer))
    return None, "not installed"


def turns(
    run: Run, name: str, asks: dict[str, Ask], once: Sequence[str] = ()
) -> tuple[dict[str, Answers], dict[str, str]]:
    """Ask each in turn, as often as the run repeats (those in `once` a single time); answers, and why there are none."""
    found: dict[str, Answers] = {}
    trouble: dict[str, str] = {}
    for repetition in range(run.repetitions):
        for who, question in asks.items():
            if repetition and who in once:
                continue
            run.progress(f"{name}, {who}, repetition {repetition + 1} of {run.repetitions}")
            try:
                found.setdefault(who, []).append(question())
            except MeasurementError as error:
                trouble[who] = str(error)
    return found, trouble


def per_pair(answers: Answers, scale: float = 1e6) -> float:
    """Median CPU for a pair, µs."""
    return scale * float(median(each["cpu"] / each["pairs"] for each in answers))


def simulated(answers: Answers) -> dict[str, Any]:
    """What does not depend on the machine, and the spread of what does."""
    if not answers or "pairs" not in answers[0]:
        return {}
    first = answers[0]
    each = sorted(1e3 * one["cpu"] / max(1, one["pairs"]) for one in answers)
    told: dict[str, Any] = {
        key: first[key] for key in ("pairs", "resident_mb", "setup", "simulated") if key in first
    }
    return {
        **told,
        "events_per_pair": first.get("events", 0) / max(1, first["pairs"]),
        "simulated_ms_per_pair": first.get("ms_per_pair", 0.0),
        "fidelity": first.get("fidelity", 0.0),
        "cpu_ms_per_pair_least": each[0],
        "cpu_ms_per_pair_most": each[-1],
    }


def beside(
    run: Run,
    name: str,
    mine: Ask,
    goal: float,
    peers: dict[Peer, dict[str, Any]],
    count: float | None = None,
    driver: str = "",
    once: Sequence[str] = (),
    who: str = "ours",
) -> tuple[Row, Answers]:
    """Ours beside the peers: µs of CPU for a delivered pair. The first peer that answers is the one in the row."""  # fmt: skip
    asks: dict[str, Ask] = {who: mine}
    versions: dict[str, str] = {}
    for peer, question in peers.items():
        python, version = peer_of(run, peer)
        if python is not None:
            script = peer.driver.with_name(driver) if driver and peer is SEQUENCE else peer.driver
            command = [str(python), str(script)]
            asks[peer.name] = lambda command=command, question=question: ask(command, question)  # type: ignore[misc]
            versions[peer.name] = version
    found, trouble = turns(run, name, asks, once)
    quantity, limit = "CPU µs/pair", Goal(goal)
    answers = found.pop(who, [])
    if not answers:
        return Row(name, quantity, None, limit, failure=trouble.get(who, "not measured")), []
    named = {versions[each]: per_pair(row) for each, row in found.items()}
    first = next(iter(named), None)
    details = {
        "ours": simulated(answers),
        **{f"peer {versions[each]}": simulated(row) for each, row in found.items()},
    }
    if first is not None:
        details["peer"] = details.pop(f"peer {first}")
    for each, why in trouble.items():
        run.note(f"{name}, {each}: {why}")
    row = Row(
        name, quantity, per_pair(answers), limit, named.pop(first) if first else None, first or "not installed",
        count=answers[0]["events"] / answers[0]["pairs"], counted="events/pair", count_goal=None if count is None else Goal(count),
        details=details, others=named,
    )  # fmt: skip
    return row, answers
