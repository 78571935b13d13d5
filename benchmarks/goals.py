"""The workloads that engines are judged by, each with its goal and, where one can do it, a peer: all take turns in the same run."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from benchmarks import networks, startup
from benchmarks.peers import ABSENT, REQUSIM, SEQUENCE
from benchmarks.processes import WORKER, MeasurementError, ask, middle, ours
from benchmarks.records import Goal, Row
from benchmarks.run import Run
from benchmarks.turns import Ask, beside, per_pair, simulated, turns
from benchmarks.workload import DIM, Chain

GROWTH = (100, 300, 1000, 3000, 10_000)
"""Nodes of the meshes that show how cost grows."""


def w1(run: Run) -> list[Row]:
    """One dim link of 20 km: an attempt in 2,481 succeeds; every herald is listed."""
    pairs = 20_000 if run.quick else 400_000
    question = {"chain": Chain(2, emission=DIM).numbers()}
    peers = {
        REQUSIM: {**question, "pairs": pairs // 200},
        SEQUENCE: {**question, "pairs": 2 if run.quick else 8},
    }
    run.note(ABSENT)
    row, _ = beside(
        run, "w1/dim", lambda: ours("native", kind="link", pairs=pairs, keep=True), 2.0, peers, 4.05
    )
    return [row]


def w2(run: Run) -> list[Row]:
    """A chain of 17 nodes: with messages, for its statistics alone, and on the twin in Python."""
    replicas = 10 if run.quick else 200
    question = {"chain": Chain(17).numbers(), "pairs": 20 if run.quick else 200}
    least = Chain(17).events

    def native(rules: str, beliefs: bool, sampler: str = "none", letters: bool = False) -> Ask:
        many = replicas if sampler == "none" else 20 * replicas
        return lambda: ours(
            "native",
            kind="chain",
            nodes=17,
            rules=rules,
            pairs=1000,
            replicas=many,
            beliefs=beliefs,
            sampler=sampler,
            letters=letters,
        )

    rows = [
        beside(
            run,
            "w2/17/messages",
            native("messages", True),
            50.0,
            {SEQUENCE: question, REQUSIM: question},
            1.1 * (3 * 16 + 3),
        )[0],
        beside(run, "w2/17/letters", native("messages", True, letters=True), 50.0, {}, 1.35 * least)[0],
        beside(run, "w2/17/statistics", native("instant", False, "auto"), 4.0, {REQUSIM: question})[0],
        beside(run, "w2/17/statistics/kernel", native("instant", False), 10.0, {}, float(least))[0],
    ]
    twin, _ = beside(
        run, "w2/17/twin", lambda: ours("chain", nodes=17, rules="messages", pairs=50 if run.quick else 500), 4000.0, {},
        1.4 * least,
    )  # fmt: skip
    return [*rows, twin]


def w3(run: Run) -> list[Row]:
    """50 nodes, 10 requests at once, messages on."""
    span = 1.0 if run.quick else 10.0
    told = json.loads(networks.FIFTY.read_text(encoding="utf-8"))
    question = {
        "chain": Chain(2).numbers(), "nodes": told["nodes"], "edges": told["edges"], "paths": told["paths"], "memories": 2,
        "seconds": 0.02 if run.quick else 0.1,
    }  # fmt: skip
    row, answers = beside(
        run, "w3/50", lambda: ours("native", kind="fifty", span=span), 20.0, {SEQUENCE: question}, 20.0,
        driver="sequence_network.py",
    )  # fmt: skip
    if not answers:
        return [row]
    theirs = row.details.get("peer")
    pace = None if not theirs else theirs["simulated"] / (row.peer or 1.0) / theirs["pairs"] * 1e6
    return [
        row,
        Row(
            "w3/50/pace", "simulated s/CPU s", span / middle(answers, "cpu"), Goal(3.0, at_least=True), pace,
            row.peer_name if pace else "",
        ),
        Row("w3/50/weight", "MB resident", middle(answers, "resident_mb"), Goal(150.0)),
    ]  # fmt: skip


def long(run: Run) -> list[Row]:
    """One pair over a chain of 1,000 nodes, by four sets of rules.

    With *messages* every link works on while the first pair grows together: some 101,000 heralds at two ends each, 100,000 swaps, and
    words of completion for a single pair. These are 300,000 events, whatever is done about letters (1.46 million with all of them):
    the 10 ms of the goal would be 33 ns for each, less than one takes where the records of a thousand nodes leave the fast caches.
    *asap* has the synchronised links of NetSquid's published figure, which make one pair each: 6,000 events.
    """
    kinds: dict[str, dict[str, Any]] = {
        "nested": {"kind": "synchronised", "nodes": 1000, "nested": True, "replicas": 5},
        "asap": {"kind": "synchronised", "nodes": 1000, "nested": False},
        "instant": {"kind": "long", "nodes": 1000, "rules": "instant", "replicas": 5},
        "messages": {"kind": "long", "nodes": 1000, "rules": "messages"},
    }
    asks: dict[str, Ask] = {
        name: (lambda question=question: ours("native", **question)) for name, question in kinds.items()
    }  # type: ignore[misc]
    found, trouble = turns(run, "chain of 1,000", asks)
    rows = []
    for name in kinds:
        row = found.get(name, [])
        value = per_pair(row, 1e3) if row else None
        count = row[0]["events"] / row[0]["pairs"] if row else None
        rows.append(
            Row(
                f"long/1000/{name}", "CPU ms/pair", value, Goal(10.0), count=count, counted="events/pair",
                failure=trouble.get(name, "") if not row else "", details={"ours": simulated(row)},
            )
        )  # fmt: skip
    return rows


def mesh(run: Run) -> list[Row]:
    """1,000 nodes, 500 requests at once, the controller in Python attached."""
    span = 0.05 if run.quick else 0.5
    asks: dict[str, Ask] = {
        f"emission {emission:g}": (
            lambda emission=emission: ours("live", nodes=1000, requests=500, span=span, emission=emission)
        )  # type: ignore[misc]
        for emission in (1.0, 0.3, 0.1)
    }
    asks["admission"] = lambda: ours("admission", nodes=1000, requests=3 if run.quick else 10)
    found, trouble = turns(run, "mesh of 1,000", asks, once=("admission",))
    rows = []
    for name in asks:
        row = found.get(name, [])
        if name == "admission":
            quantity, goal, value = "CPU s/request", None, middle(row, "cpu") if row else None
        else:
            quantity, goal = "simulated s/CPU s", Goal(1.0, at_least=True)
            value = span / middle(row, "cpu") if row else None
        rows.append(
            Row(
                f"mesh/1000/{name}", quantity, value, goal, details={"live": row[0] if row else {}},
                failure=trouble.get(name, "") if not row else "",
            )
        )  # fmt: skip
    return rows


def growth(run: Run) -> list[Row]:
    """Half as many requests as nodes: CPU for a virtual second by nodes, in the kernel alone and with the controller attached."""
    sizes = GROWTH[:3] if run.quick else GROWTH
    rows = []
    for who, span in (("native", 0.1), ("controller", 0.1)):
        points: list[tuple[int, float]] = []
        setups: list[tuple[int, float]] = []
        failure = ""
        for nodes in sizes:
            run.progress(f"growth, {who}, {nodes} nodes")
            try:
                if who == "native":
                    one = ours(
                        "native", kind="mesh", nodes=nodes, requests=nodes // 2, emission=0.3, span=10 * span
                    )
                    points.append((nodes, one["cpu"] / (10 * span)))
                else:
                    question = {"nodes": nodes, "requests": nodes // 2, "emission": 0.3, "span": span}
                    one = ask(WORKER, {"run": "live", **question}, timeout=3600.0)
                    points.append((nodes, one["cpu"] / span))
            except MeasurementError as error:
                failure = str(error)
                break
            setups.append((nodes, one["setup"]))
        value = exponent(points) if len(points) > 1 else None
        rows.append(
            Row(
                f"growth/{who}", "exponent", value, None, failure="" if value is not None else failure,
                details={"points": points, "setups": setups, "stopped": failure},
            )
        )  # fmt: skip
    return rows


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """Slope of the straight line through the logarithms: cost grows as nodes to this power.

    Examples:
        >>> round(exponent([(10, 1.0), (100, 10.0), (1000, 100.0)]), 6)
        1.0
    """
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def hook(run: Run) -> list[Row]:
    """A native run whose every visible event calls an empty function in Python, and the same run without."""
    pairs = 2_000 if run.quick else 40_000
    asks: dict[str, Ask] = {
        "hook/none": lambda: ours("hooked", pairs=pairs, calls=False),
        "hook/empty": lambda: ours("hooked", pairs=pairs),
    }
    found, trouble = turns(run, "hook", asks)
    rows = []
    for name in asks:
        row = found.get(name, [])
        value = float(median(one["events"] / one["cpu"] for one in row)) if row else None
        goal = None if name == "hook/none" else Goal(8e6, at_least=True)
        count = row[0]["calls"] / row[0]["events"] if row else None
        rows.append(
            Row(
                name, "events/CPU s", value, goal, count=count, counted="calls/event",
                failure="" if row else trouble.get(name, ""), details={"run": row[0] if row else {}},
            )
        )  # fmt: skip
    return rows


def weight(run: Run) -> list[Row]:
    """Start to first native result, build of the kernel, two cores against one."""
    rows = [startup.first_native(run.repetitions, run.progress), startup.build(run.progress)]
    found, trouble = turns(
        run, "two cores", {"cores": lambda: ours("cores", replicas=10 if run.quick else 200, pairs=1000)}
    )
    row = found.get("cores", [])
    value = max(one["one"] / one["two"] for one in row) if row else None
    same = float(all(one["same"] for one in row))
    rows.append(
        Row(
            "cores/two", "times one core", value, Goal(1.85, at_least=True), count=same if row else None,
            counted="(1: same bits)", count_goal=Goal(1.0, at_least=True), failure=trouble.get("cores", "") if not row else "",
            details={"runs": row},
        )
    )  # fmt: skip
    return rows


SUITES: dict[str, Callable[[Run], list[Row]]] = {
    "w1": w1,
    "w2": w2,
    "w3": w3,
    "long": long,
    "mesh": mesh,
    "growth": growth,
    "hook": hook,
    "weight": weight,
}
