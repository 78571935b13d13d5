"""Jobs of a C++ program of ours that can do nothing else, as near as our rules allow: our rate as a share of its.

The program does not ship; its figures are constants here, measured once, another day, on an idle machine (provenance C). A chain is
asked for as a user asks: any engine may answer that has the same law, which is a structured sampler. Its row ``/kernel`` is the event
kernel, which answers where no sampler does; it has no goal of its own.

Networks are given in events and in pairs. An event of the program is not one of ours: it counts timers that mean nothing any more,
and hears of a herald once. A pair is a pair, so that is what counts for who waits for a result.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import Any, Final

from benchmarks.processes import ours
from benchmarks.records import Goal, Row
from benchmarks.run import Run
from benchmarks.turns import Answers, Ask, simulated, turns

CHAINS: Final[dict[str, tuple[dict[str, Any], float]]] = {
    "tower/8/0.1": ({"links": 8, "success": 0.1}, 2.5e6),
    "tower/8/0.01": ({"links": 8, "success": 0.01}, 2.4e6),
    "tower/4/0.01/q": ({"links": 4, "success": 0.01, "swap": 0.5}, 1.1e6),
    "tower/4/0.01/q/cutoff": ({"links": 4, "success": 0.01, "swap": 0.5, "cutoff": 100}, 1.8e5),
}
"""Jobs, and pairs per CPU second of the program."""

EVENTS: Final = {100: 35e6, 1000: 34e6}
"""Events per CPU second of the program on a Waxman network of so many nodes, with half as many requests."""

EVENTS_OF_A_PAIR: Final = 23.0
"""Events of the program for a delivered pair: 35 million events and 1.5 million pairs per CPU second on a grid of 1,000 nodes, whose
requests are as long as here. It was not counted on Waxman networks."""


def rows(run: Run) -> list[Row]:
    """Chains by any engine and by the event kernel; networks by the event kernel."""
    asks: dict[str, Ask] = {}
    for name, (job, _) in CHAINS.items():
        asks[name] = _chain(job, "auto", 10 if run.quick else 400)
        asks[f"{name}/kernel"] = _chain(job, "none", 2 if run.quick else 40)
    for nodes in EVENTS:
        asks[f"waxman/{nodes}"] = _network(nodes, (0.1 if run.quick else 2.0) * 100 / nodes)
    found, trouble = turns(run, "prototype", asks)
    made = []
    for name, (_, base) in CHAINS.items():
        for which, goal in ((name, Goal(0.65, at_least=True)), (f"{name}/kernel", None)):
            made.append(share(which, "pairs", found.get(which, []), base, goal, trouble.get(which, "")))
    for nodes, base in EVENTS.items():
        which = f"waxman/{nodes}"
        goal, why = Goal(0.5, at_least=True), trouble.get(which, "")
        made.append(share(which, "events", found.get(which, []), base, goal, why))
        pairs = share(which, "pairs", found.get(which, []), base / EVENTS_OF_A_PAIR, None, why)
        made.append(replace(pairs, name=f"prototype/{which}/pairs"))
    return made


def share(name: str, counted: str, answers: Answers, base: float, goal: Goal | None, why: str) -> Row:
    """What answers give of something for a CPU second, as a share of the program's figure.

    Args:
        name: of the job.
        counted: ``"pairs"`` or ``"events"``.
        answers: of the worker.
        base: the program's figure.
        goal: none where it is told for what it tells only.
        why: there are no answers.
    """
    row = Row(f"prototype/{name}", f"share of {counted}/s", None, goal, counted="events/pair")
    if not answers:
        return replace(row, failure=why or "not measured")
    rate = float(median(one[counted] / one["cpu"] for one in answers))
    first = answers[0]
    events = first["events"] / first["pairs"] if first["events"] else None
    told = {**simulated(answers), "engine": first.get("engine", "native"), "rate": rate, "prototype": base}
    return replace(row, ours=rate / base, count=events, details={"ours": told})


def _chain(job: dict[str, Any], sampler: str, replicas: int) -> Ask:
    return lambda: ours("native", kind="tower", replicas=replicas, sampler=sampler, **job)


def _network(nodes: int, span: float) -> Ask:
    return lambda: ours("native", kind="waxman", nodes=nodes, requests=nodes // 2, span=span)
