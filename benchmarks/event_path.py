"""The event path: the kernel alone, random draws alone, and where the CPU time of a served chain goes, by room."""

from __future__ import annotations

import cProfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from heapq import heapify, heappop, heappush
from pathlib import Path
from types import CodeType
from typing import Any, TypeAlias

import quantum_fabric
from benchmarks.chain import Service
from benchmarks.workload import Chain
from quantum_fabric.kernel import Clock, Streams

Code: TypeAlias = CodeType | str
"""A function as the profiler knows it: its code, or the name of a built-in one."""

HERE = Path(__file__).resolve().parent
PACKAGE = Path(quantum_fabric.__file__).parent

ROUNDS = 60
"""Steps that the time of a function may take from caller to caller."""

PENDING = 1_000
"""Events that wait at any time in the hold model."""


def hold(events: int) -> dict[str, Any]:
    """Jones's hold model on the kernel's clock: each event schedules one, 1 to 1000 ps later."""
    clock = Clock()
    left = events - PENDING  # how many events may still be scheduled
    state = 1

    def event(_: object) -> None:
        nonlocal left, state
        if left > 0:
            left -= 1
            state = state * 16807 % 2147483647  # any cheap spread of times will do
            clock.schedule(clock.now + 1 + state % 1000, 1, event)

    for start in range(PENDING):
        clock.schedule(start, 1, event)
    began = time.process_time()
    clock.run(until=10**15)
    return {"events": clock.events, "cpu": time.process_time() - began}


def bare_hold(events: int) -> dict[str, Any]:
    """The same with nothing but a heap: what any event queue in Python has to pay."""
    left = events - PENDING
    state = 1
    sequence = PENDING
    queue: list[tuple[int, int, int]] = [(start, 1, start) for start in range(PENDING)]
    heapify(queue)
    ran = 0
    began = time.process_time()
    while queue:
        now, _, _ = heappop(queue)
        ran += 1
        if left > 0:
            left -= 1
            state = state * 16807 % 2147483647
            sequence += 1
            heappush(queue, (now + 1 + state % 1000, 1, sequence))
    return {"events": ran, "cpu": time.process_time() - began}


def draws(number: int) -> dict[str, Any]:
    """Geometric draws of one stream: what jumping over failed attempts costs."""
    stream = Streams(1).stream("benchmark")
    began = time.process_time()
    for _ in range(number):
        stream.geometric(0.001)
    return {"events": stream.draws, "cpu": time.process_time() - began}


def profile(nodes: int, rules: str, pairs: int, top: int = 15) -> dict[str, Any]:
    """A served chain under cProfile, from the first pair to the last.

    Returns:
        ``rooms``: share of the time that each room spends in its own code, largest first, and ``functions``: those
        with the most time of their own, as ``{room, name, calls, seconds, share}``. The time of built-in functions
        and of the standard library counts for the room that called them; building frozen records has a line of its own
        (their constructors are compiled from text, so the profiler cannot tell whose they are). The profiler makes
        everything slower, and small functions most of all: shares are a guide, not a measurement.
    """
    service = Service(Chain(nodes), rules, pairs)
    service.begin()
    profiler = cProfile.Profile()
    profiler.enable()
    service.finish()
    profiler.disable()
    served = service.served(0.0, 0.0)
    own, callers, calls = tally(profiler)
    whole = sum(own.values())
    functions = [
        {
            "room": room_of(code),
            "name": code if isinstance(code, str) else f"{Path(code.co_filename).stem}.{code.co_name}",
            "calls": calls[code],
            "seconds": round(seconds, 4),
            "share": round(seconds / whole, 4),
        }
        for code, seconds in own.most_common(top)
    ]
    rooms = shares(own, callers)
    return {"pairs": served.pairs, "events": served.events, "rooms": rooms, "functions": functions}


def tally(profiler: cProfile.Profile) -> tuple[Counter[Code], dict[Code, Counter[Code]], Counter[Code]]:
    """Own seconds of each function; the part of them that is due to each caller; how often it was called.

    Not by `pstats`, which knows a function by file, line and name: all constructors of dataclasses are one to it,
    and only the last one counts.
    """
    own: Counter[Code] = Counter()
    calls: Counter[Code] = Counter()
    callers: dict[Code, Counter[Code]] = defaultdict(Counter)
    for entry in profiler.getstats():
        own[entry.code] += entry.inlinetime  # type: ignore[assignment]  # a Counter may count seconds
        calls[entry.code] += entry.callcount
        for called in entry.calls or ():
            callers[called.code][entry.code] += called.inlinetime  # type: ignore[assignment]
    return own, callers, calls


def room_of(code: Code) -> str:
    """Room of a function; empty for what is not ours.

    Examples:
        >>> room_of(Clock.schedule.__code__), room_of("<built-in method len>")
        ('kernel', '')
    """
    if isinstance(code, str):
        return ""
    path = Path(code.co_filename)
    if path.is_relative_to(PACKAGE):
        return path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if path.is_relative_to(HERE):
        return "benchmark"
    return "records" if code.co_filename == "<string>" else ""


def shares(own: Mapping[Code, float], callers: Mapping[Code, Mapping[Code, float]]) -> dict[str, float]:
    """Share of each room in the whole time, largest first; sums to 1.

    The time of a function that is not ours flows to its callers, in proportion to what they made it cost, until it reaches a
    room. Functions that call each other in a circle let it flow round; what has not arrived after `ROUNDS` is Python's.
    """
    total: Counter[str] = Counter()
    flowing = dict(own)
    for _ in range(ROUNDS):
        onwards: Counter[Code] = Counter()
        for code, seconds in flowing.items():
            costs = callers.get(code, {})
            whole = sum(costs.values())
            room = room_of(code) or ("" if whole > 0 else "python")
            if room:
                total[room] += seconds  # type: ignore[assignment]
                continue
            for caller, cost in costs.items():
                onwards[caller] += seconds * cost / whole  # type: ignore[assignment]
        flowing = dict(onwards)
    total["python"] += sum(flowing.values())  # type: ignore[assignment]
    everything = sum(total.values())
    return {room: round(seconds / everything, 4) for room, seconds in total.most_common() if seconds > 0}
