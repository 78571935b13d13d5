"""Which measurements each benchmark makes, in which order, and the goals.

Time goals are for one core of a shared server of about 2020 and about twice what it needs when it is otherwise idle.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from benchmarks import exact_forecast, goals, prototype, startup
from benchmarks.control import PARTS, control
from benchmarks.peers import SEQUENCE, PeerError, how_to_install, interpreter, said_of
from benchmarks.processes import MeasurementError, ask, middle, ours
from benchmarks.records import Goal, Row
from benchmarks.run import Run
from benchmarks.workload import LENGTHS, Chain

Answers: TypeAlias = list[dict[str, Any]]

PEER_PAIRS = {3: 1000, 5: 500, 9: 300, 17: 200}
"""Pairs that the peer delivers in one repetition: a few seconds for each length."""

OURS_FACTOR = 5
"""We deliver this many times more in ours, so that its time can be resolved. Both costs per pair are flat in the number."""

CPU_GOALS = {3: 0.5, 5: 0.8, 9: 1.2, 17: 2.2}
"""ms of CPU for a delivered pair, with messages."""

RATIO_GOAL = 10.0
"""At least this many times less CPU for a delivered pair than the peer."""

EVENT_RATE_GOAL = 40_000.0
"""Events per CPU second of a served chain of 17 nodes."""


# ---------------------------------------------------------------------------------------------------- chain


def chain(run: Run) -> list[Row]:
    """The chain workload, ours and the peer's turn by turn, so that a busy machine is unfair to neither."""
    python, version = _peer(run)
    found: dict[tuple[int, str], Answers] = {}
    trouble: dict[tuple[int, str], str] = {}
    for repetition in range(run.repetitions):
        for nodes in LENGTHS:
            for who in ("messages", "peer", "instant", "nested"):
                if who == "peer" and python is None:
                    continue
                run.progress(f"chain of {nodes}, {who}, repetition {repetition + 1} of {run.repetitions}")
                try:
                    found.setdefault((nodes, who), []).append(_served(nodes, who, python, run.quick))
                except MeasurementError as error:
                    trouble[nodes, who] = str(error)
    rows = []
    for nodes in LENGTHS:
        for rules in ("messages", "instant", "nested"):
            theirs = found.get((nodes, "peer"), [])
            said = trouble.get((nodes, "peer"), "") or version
            rows.append(
                chain_row(
                    nodes, rules, found.get((nodes, rules), []), theirs, said, trouble.get((nodes, rules), "")
                )
            )
    if found.get((17, "messages")):
        rows.append(_event_rate(found[17, "messages"], found.get((17, "peer"), []), version))
    return rows


def _served(nodes: int, who: str, python: Path | None, quick: bool) -> dict[str, Any]:
    pairs = PEER_PAIRS[nodes] // (10 if quick else 1)
    if who == "peer":
        question = {"chain": Chain(nodes).numbers(), "pairs": pairs}
        return ask([str(python), str(SEQUENCE.driver)], question)
    return ours("chain", nodes=nodes, rules=who, pairs=pairs * OURS_FACTOR)


def chain_row(nodes: int, rules: str, mine: Answers, theirs: Answers, peer_name: str, failure: str) -> Row:
    """What repetitions of one chain gave.

    The event goal is what an event costs in principle (`Chain.events`), and for the rest: installation and leases, some
    20 events for a node, and with delays a third more for news that has to follow a half that was swapped in the meantime.
    """
    name = f"chain/{nodes}/{rules}"
    slack = 1.0 if rules == "instant" else 1.35
    goal = Goal(CPU_GOALS[nodes])
    if not mine:
        return Row(name, "CPU ms/pair", None, goal, peer_name=peer_name, failure=failure or "not measured")
    pairs = mine[0]["pairs"]
    return Row(
        name=name,
        quantity="CPU ms/pair",
        ours=1e3 * middle(mine, "cpu") / pairs,
        goal=goal,
        peer=1e3 * middle(theirs, "cpu") / theirs[0]["pairs"] if theirs else None,
        peer_name=peer_name,
        ratio_goal=RATIO_GOAL,
        count=mine[0]["events"] / pairs,
        counted="events/pair",
        count_goal=Goal(slack * Chain(nodes).events + 20 * nodes / pairs),
        details={"ours": _physics(mine), "peer": _physics(theirs)},
    )


def _physics(answers: Answers) -> dict[str, float]:
    """What does not depend on the machine, and the spread of what does."""
    if not answers:
        return {}
    first = answers[0]
    cpu = sorted(1e3 * answer["cpu"] / answer["pairs"] for answer in answers)
    return {
        "pairs": first["pairs"],
        "events_per_pair": first["events"] / first["pairs"],
        "simulated_ms_per_pair": first["ms_per_pair"],
        "fidelity": first["fidelity"],
        "cpu_ms_per_pair_least": cpu[0],
        "cpu_ms_per_pair_most": cpu[-1],
        **({"setup_cpu_s": middle(answers, "setup")} if "setup" in first else {}),
    }


def _event_rate(mine: Answers, theirs: Answers, peer_name: str) -> Row:
    def rate(answers: Answers) -> float:
        return float(median(answer["events"] / answer["cpu"] for answer in answers))

    return Row(
        name="chain/17/events",
        quantity="events/CPU s",
        ours=rate(mine),
        goal=Goal(EVENT_RATE_GOAL, at_least=True),
        peer=rate(theirs) if theirs else None,
        peer_name=peer_name,
    )


def _peer(run: Run) -> tuple[Path | None, str]:
    """The peer's interpreter and its name with version; without one, how to get it is noted."""
    python = interpreter(SEQUENCE)
    if python is None:
        run.note(how_to_install(SEQUENCE))
        return None, "not installed"
    try:
        return python, said_of(SEQUENCE, python)
    except PeerError as error:
        run.note(f"{error}; {how_to_install(SEQUENCE)}")
        return None, "not installed"


# ------------------------------------------------------------------------------------------------- the rest


def kernel(run: Run) -> list[Row]:
    """Events per second of the bare clock, against a bare heap; draws per second."""
    number = 20_000 if run.quick else 200_000
    found: dict[str, Answers] = {"hold": [], "bare": [], "draws": []}
    try:
        for repetition in range(run.repetitions):
            run.progress(f"kernel, repetition {repetition + 1} of {run.repetitions}")
            found["hold"].append(ours("hold", events=number))
            found["bare"].append(ours("bare", events=number))
            found["draws"].append(ours("draws", number=number))
    except MeasurementError as error:
        goal = Goal(250_000, at_least=True)
        return [Row("kernel", "events/CPU s", None, goal, failure=str(error))]
    hold, bare, draws = (number / middle(found[key], "cpu") for key in ("hold", "bare", "draws"))
    exactly = Goal(number)
    return [
        Row(
            "kernel/hold", "events/CPU s", hold, Goal(250_000, at_least=True), bare, "a bare heapq loop", 0.3,
            found["hold"][0]["events"], "events", exactly,
        ),
        Row(
            "kernel/draws", "draws/CPU s", draws, Goal(150_000, at_least=True),
            count=found["draws"][0]["events"], counted="draws", count_goal=exactly,
        ),
    ]  # fmt: skip


def profile(run: Run) -> list[Row]:
    """Where the CPU time of the event path goes. It has no row of its own: the report shows it below the table."""
    run.progress("profile of the event path")
    try:
        run.profile = ours("profile", nodes=17, rules="messages", pairs=100 if run.quick else 500)
    except MeasurementError as error:
        run.note(f"no profile: {error}")
    return []


def start(run: Run) -> list[Row]:
    """CPU of starting, and loaded modules."""
    python, version = _peer(run)
    return [_start(run, each, python, version) for each in startup.STARTS]


def _start(run: Run, each: startup.Start, python: Path | None, version: str) -> Row:
    mine: list[float] = []
    theirs: list[float] = []
    modules, goal = 0, Goal(each.goal)
    try:
        for repetition in range(3 if run.quick else 7):
            run.progress(f"{each.what}, repetition {repetition + 1}")
            cpu, modules = startup.start(each.code)
            mine.append(cpu)
            if each.peer and python is not None and len(theirs) < 3:
                theirs.append(startup.start(each.peer, str(python))[0])
    except MeasurementError as error:
        return Row(each.name, "CPU s", None, goal, failure=str(error))
    return Row(
        each.name, "CPU s", median(mine), goal, median(theirs) if theirs else None, version if theirs else "",
        count=modules, counted="modules",
    )  # fmt: skip


def exact(run: Run) -> list[Row]:
    """Laws of delivery time and fidelity, solved."""
    run.progress("exact forecasts")
    return exact_forecast.rows(1 if run.quick else exact_forecast.REPETITIONS)


SUITES: dict[str, Callable[[Run], list[Row]]] = {
    "kernel": kernel,
    "startup": start,
    "chain": chain,
    "exact": exact,
    **goals.SUITES,
    "prototype": prototype.rows,
    "control": control,
    "profile": profile,
}

SINGLE: dict[str, Callable[[Run], list[Row]]] = {
    f"control/{part.__name__.rpartition('.')[2]}": part.rows for part in PARTS
}
"""Parts of a suite, to be asked for by name."""
