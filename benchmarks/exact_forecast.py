"""Exact forecasts: CPU of a whole law, and how many points it takes; CPU of the answer that admission gets.

    python -m benchmarks.exact_forecast        the table
    python -m benchmarks.exact_forecast --json the same as JSON

Every case is solved from nothing, nothing is remembered between repetitions; the median counts. What is counted are ticks that are
kept: they depend on the method and not on the machine.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from statistics import median
from time import process_time

from benchmarks.records import Goal, Row
from quantum_fabric.network.chain import Chain, Hop, Station
from quantum_fabric.network.exact import Law, solve, steps
from quantum_fabric.network.exact.nodes import Node
from quantum_fabric.network.exact.tree import Solver
from quantum_fabric.network.forecast import completed, judge
from quantum_fabric.physics.correlators import swap_table, werner
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise

REPETITIONS = 7

RATE = (1e-3, 1e-3, 5e-4)
"""Decay of a half in a step: T2 of a thousand steps."""


@dataclass(frozen=True, slots=True)
class Case:
    """One law.

    Attributes:
        name: for the report.
        make: what is to be solved.
        goal: CPU ms.
        ticks: most ticks that may be kept.
    """

    name: str
    make: Callable[[], Node | Chain]
    goal: float
    ticks: int


def nested(
    success: float,
    swap: float,
    cutoffs: tuple[int, ...] = (),
    rounds: tuple[int, ...] = (),
    rate: tuple[float, float, float] = RATE,
) -> Node:
    """Eight equal segments, in steps."""
    return steps.nested([steps.link(success, werner(0.95))] * 8, swap, rate, cutoffs, rounds)


def timed() -> Chain:
    """Eight segments of 20 km with messages at the speed of light, as admission meets them: cutoff, a round on each link."""
    light = 97_934_000e-12
    noise = OperationNoise(depolarising_2=0.004, swap_success=0.5)
    memory = MemoryNoise(math.inf, 0.1)
    table = swap_table(noise)
    x, y, z = (math.fsum(chance * factors[axis] for chance, factors in table) for axis in range(3))
    station = Station((10.0, 10.0, 0.0), 20e-6, 0.5, (x, y, z), noise, memory, (10.0, 10.0, 0.0))
    hop = Hop(0.05, light, 0.0, (0.0, 0.0), (light, light), werner(0.97), 2, 1)
    joins = ((1, 0, 2, 0), (3, 2, 4, 0), (5, 4, 6, 0), (7, 6, 8, 0), (2, 0, 4, 0), (6, 4, 8, 0), (4, 0, 8, 0))
    delay = tuple(tuple(light * abs(a - b) for b in range(9)) for a in range(9))
    return Chain((hop,) * 8, (station,) * 9, delay, joins, True, 0, "dejmps", 20e-3, 0.0)


CASES = (
    Case("forecast/8/swaps p=.1", lambda: nested(0.1, 0.5), 5.0, 6_000),
    Case("forecast/8/swaps p=.01", lambda: nested(0.01, 0.5, rate=(1e-4, 1e-4, 5e-5)), 100.0, 60_000),
    Case("forecast/8/cutoffs, 1 round", lambda: nested(0.1, 0.5, (40, 80, 160), (1,)), 100.0, 12_000),
    Case(
        "forecast/8/cutoffs, rounds everywhere",
        lambda: nested(0.1, 0.5, (40, 80, 160), (1, 1, 1, 1)),
        100.0,
        140_000,
    ),
    Case("forecast/8/twin's timing", timed, 100.0, 80_000),
)


def law_of(what: Node | Chain) -> Law:
    """Solve one case.

    Raises:
        RuntimeError: there is no law.
    """
    if not isinstance(what, Chain):
        return Law(Solver().law(what), 1.0)
    found = solve(what)
    if found is None:
        raise RuntimeError("the chain has no exact law")
    return found.first


def measure(case: Case, repetitions: int = REPETITIONS) -> Row:
    """CPU ms of one law, and the ticks that it keeps."""
    law_of(case.make())
    times = []
    for _ in range(repetitions):
        what = case.make()
        began = process_time()
        found = law_of(what)
        times.append(1e3 * (process_time() - began))
    return Row(
        case.name,
        "CPU ms",
        median(times),
        Goal(case.goal),
        count=found.series.ticks,
        counted="ticks",
        count_goal=Goal(case.ticks),
        details={
            "mean": found.mean,
            "fidelity": found.fidelity,
            "truncation": found.truncation,
            "least": min(times),
        },
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What admission asks of one plan: its quick forecast completed with the law.

    Attributes:
        name: for the report.
        hops: links of 20 km.
        success: of an attempt.
        goal: CPU ms.
        swap: success of a swap.
        delay: whether messages take time.
    """

    name: str
    hops: int
    success: float
    goal: float
    swap: float = 1.0
    delay: bool = True


ANSWERS = (
    Answer("admission/1 link", 1, 0.01, 10.0),
    Answer("admission/2 links", 2, 0.01, 20.0),
    Answer("admission/8 links, swaps at once", 8, 0.01, 50.0),
    Answer("admission/32 links, swaps at once", 32, 0.01, 200.0),
    Answer("admission/2 links, swaps fail", 2, 0.01, 20.0, swap=0.5),
    Answer("admission/4 links, nothing exact", 4, 0.01, 400.0, swap=0.5),
)


def plan_of(answer: Answer) -> Chain:
    """Its chain: swaps as soon as possible, messages at the speed of light."""
    light = 97_934_000e-12 if answer.delay else 0.0
    noise = OperationNoise(depolarising_2=0.004, swap_success=answer.swap)
    table = swap_table(noise)
    x, y, z = (math.fsum(chance * factors[axis] for chance, factors in table) for axis in range(3))
    station = Station(
        (1.0, 1.0, 0.0), 20e-6, answer.swap, (x, y, z), noise, MemoryNoise(math.inf, 1.0), (1.0, 1.0, 0.0)
    )
    hop = Hop(answer.success, 97_934_000e-12, 0.0, (0.0, 0.0), (97_934_000e-12,) * 2, werner(0.98), 1, 0)
    n = answer.hops
    delay = tuple(tuple(light * abs(a - b) for b in range(n + 1)) for a in range(n + 1))
    joins = tuple((at, 0, n, 0) for at in range(1, n))
    return Chain((hop,) * n, (station,) * (n + 1), delay, joins, False, 0, "dejmps", None, 0.0)


def answered(answer: Answer, repetitions: int = REPETITIONS) -> Row:
    """CPU ms from a quick forecast to the completed one, and the points of its law."""
    times = []
    for number in range(repetitions + 1):
        # a chain of its own each time, since answers are remembered
        chain = replace(plan_of(answer), setup=1e-12 * number)
        quick = judge(chain)
        began = process_time()
        found = completed(chain, quick)
        times.append(1e3 * (process_time() - began))
    law = found.law
    if law is None:
        raise RuntimeError("the chain has no law")
    return Row(
        answer.name,
        "CPU ms",
        median(times[1:]),
        Goal(answer.goal),
        count=len(law.times),
        counted="points",
        count_goal=Goal(40),
        details={
            "mean": found.latency / 1e12,
            "fidelity": found.fidelity,
            "truncation": law.error,
            "least": min(times),
        },
    )


def rows(repetitions: int = REPETITIONS) -> list[Row]:
    """All cases."""
    return [
        *(measure(case, repetitions) for case in CASES),
        *(answered(answer, repetitions) for answer in ANSWERS),
    ]


def main() -> None:
    """Print the table."""
    found = rows()
    if "--json" in sys.argv:
        print(json.dumps([asdict(row) for row in found], indent=1))
        return
    for row in found:
        print(
            f"{row.name:40s} {row.ours:8.2f} {row.quantity} (goal {row.goal})  {row.count:8.0f} {row.counted} "
            f"(goal {row.count_goal})  {row.verdict()}  mean {row.details['mean']:.6g}, fidelity {row.details['fidelity']:.5f}, "
            f"unaccounted {row.details['truncation']:.1e}"
        )


if __name__ == "__main__":
    main()
