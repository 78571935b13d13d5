"""The Chicago network of the SeQUeNCe studies: memory allocation and memory parameters, theirs beside ours.

Wu et al., Quantum Sci. Technol. 6, 045027 (2021); programs, network and raw results: GitHub
sequence-toolbox/Chicago-metropolitan-quantum-network (provenance S, read, not copied). Nine routers, each with an application that
asks for a random other router, 10 to m/2 - 1 of its own m memories, a fidelity uniform in 0.8 to 1, from 1 to 2 s ahead for 10 to
19 s; what is rejected is asked again after a second with a new time and number, and after the end of one request comes the next, for
1000 s. So part of what *weighted* memories gain comes from smaller requests: a router with 24 memories asks for 10 or 11,
not for up to 24.

Four ways to serve the same demands, drawn with the same generators and seeds, so that all is paired by seed:

    their rules       shortest fibre path, as many memories as asked at the ends and twice as many between, whatever the fidelity
    ..., with decay   letters take half of the measured round trips, and memories dephase with T2 = 1.3 s
    ours              our planner decides: path and lanes within those memories, purification; who has to wait waits in a queue; what
                      cannot have its fidelity is refused, and the application asks for something else
    ours, with decay  likewise

Pairs come from the native engine, each request on its own path and memories (they are reserved, so requests do not meet).

Limits:
    Their emission takes two rounds, each with a negotiation, and a failed first round is not followed by a second. Here an attempt
    has the mean length of that (`benchmarks.control.chicago_network.attempt`) and is one step with success η²/2. Their resource
    manager's pairing of free memories is counted as one round trip. Their memories do not decay until they expire after 1.3 s;
    here that is the cutoff. They purify where a pair is too bad; by *their rules* it does not count here.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.control.chicago_network import (
    COHERENCE,
    EFFICIENCIES,
    EFFICIENCY,
    MEMORIES,
    OURS,
    PARAMETERS,
    PUBLISHED,
    ROUND_TRIPS,
    ROUTERS,
    SAMPLE,
    SECONDS,
    WAYS,
    inventory,
    raw_fidelity,
    shortest,
)
from benchmarks.networks import Job, plan_by_hand
from benchmarks.records import Row
from quantum_fabric import documents, ensemble
from quantum_fabric.documents import Inventory
from quantum_fabric.messages import LinkRequest, Plan, Refused
from quantum_fabric.network import plan as planned
from quantum_fabric.units import SECOND, Time

if TYPE_CHECKING:
    from benchmarks.run import Run

# --------------------------------------------------------------------------------------------------- demands


@dataclass(slots=True)
class Served:
    """A request that was served, or (``plan`` None) one that was refused.

    Attributes:
        source, target, size, fidelity: what was asked.
        begun, ended: ps.
        waited: ps, from the first time that it was asked.
        plan: how it is served.
    """

    source: str
    target: str
    size: int
    fidelity: float
    begun: Time
    ended: Time
    waited: Time
    plan: Plan | None


class Application:
    """One router's demands, drawn as theirs are: the same generator, the same order of draws."""

    def __init__(self, router: str, seed: int, memories: int) -> None:
        self.router = router
        self._others = [name for name in ROUTERS if name != router]
        self._draw = np.random.default_rng(seed)
        self._most = memories // 2
        self.target, self.fidelity, self.asked = "", 0.0, 0

    def ask(self, now: Time, anew: bool) -> tuple[Time, Time, int]:
        """Begin, end, and number of memories of the next request, or of the same one asked again."""
        if anew:
            self.target, self.asked = str(self._draw.choice(self._others)), now
        begin = now + int(self._draw.integers(10, 20)) * SECOND // 10
        end = begin + int(self._draw.integers(10, 20)) * SECOND
        size = int(self._draw.integers(10, self._most))
        if anew:
            self.fidelity = float(self._draw.uniform(0.8, 1.0))
        return begin, end, size


def needs(path: tuple[str, ...], size: int) -> dict[str, int]:
    """Memories of a request at each node."""
    return {name: size if name in (path[0], path[-1]) else 2 * size for name in path}


class Calendar:
    """Who has how many memories of a node when."""

    def __init__(self, memories: dict[str, int]) -> None:
        self._cards: dict[str, list[list[tuple[Time, Time]]]] = {
            name: [[] for _ in range(n)] for name, n in memories.items()
        }

    def book(self, wanted: dict[str, int], begin: Time, end: Time) -> str:
        """Take memories that are free all the time; the first node that has too few, or an empty name."""
        chosen = []
        for name, count in wanted.items():
            free = [
                card for card in self._cards[name] if all(to < begin or end < since for since, to in card)
            ]
            if len(free) < count:
                return name
            chosen += free[:count]
        for card in chosen:
            card[:] = [each for each in card if each[1] >= begin - 30 * SECOND]
            card.append((begin, end))
        return ""


def theirs(policy: str, seed: int) -> list[Served]:
    """Their applications and their reservation: which requests are served when."""
    memories = MEMORIES[policy]
    book = Calendar(memories)
    apps = [Application(name, number + seed, memories[name]) for number, name in enumerate(ROUTERS)]
    events: list[tuple[Time, int, bool]] = [(0, number, True) for number in range(len(apps))]
    found = []
    while events:
        now, number, anew = heapq.heappop(events)
        if now >= SECONDS * SECOND:
            continue
        app = apps[number]
        begin, end, size = app.ask(now, anew)
        path = shortest(app.router, app.target)
        full = book.book(needs(path, size), begin, end)
        if full:
            back = 2 * _letters(path[: path.index(full) + 1])
            heapq.heappush(events, (now + back + SECOND, number, False))
            continue
        found.append(
            Served(
                app.router,
                app.target,
                size,
                app.fidelity,
                begin,
                end,
                begin - app.asked,
                _by_hand(path, size),
            )
        )
        heapq.heappush(events, (end + 1, number, True))
    return found


def _letters(path: tuple[str, ...]) -> Time:
    trips = {**ROUND_TRIPS, **{(b, a): trip for (a, b), trip in ROUND_TRIPS.items()}}
    return sum(round(0.5e-3 * trips[a, b] * SECOND) for a, b in pairwise(path))


def _by_hand(path: tuple[str, ...], size: int) -> Plan:
    found = plan_by_hand(_plain(), path, size, cutoff=round(COHERENCE * SECOND))
    # whatever the fidelity: pairs that are too bad are withheld when they are there
    return replace(found, forecast=replace(found.forecast, fidelity=1.0, fidelity_low=1.0))


@cache
def _plain() -> Inventory:
    return inventory(MEMORIES["even"], EFFICIENCY, raw_fidelity(500), False)


def ours(policy: str, seed: int, decay: bool) -> list[Served]:
    """The same applications at our door: a plan within the memories that they ask for, a queue, refusals.

    The memories of a plan are taken when all are free, oldest request first, others that fit before it (as the controller serves).
    """
    memories = MEMORIES[policy]
    apps = [Application(name, number + seed, memories[name]) for number, name in enumerate(ROUTERS)]
    events: list[tuple[Time, int, str, Any]] = [(0, number, "ask", None) for number in range(len(apps))]
    free, queue, found = dict(memories), [], []  # type: ignore[var-annotated]

    def begin(now: Time, served: Served, length: Time, number: int) -> bool:
        assert served.plan is not None
        wanted = _slots(served.plan)
        if any(free[name] < count for name, count in wanted.items()):
            return False
        for name, count in wanted.items():
            free[name] -= count
        found.append(replace(served, begun=now, ended=now + length, waited=now - served.begun))
        heapq.heappush(events, (now + length, number, "end", wanted))
        return True

    while events:
        now, number, what, wanted = heapq.heappop(events)
        if now >= SECONDS * SECOND:
            continue
        app = apps[number]
        if what == "end":
            for name, count in wanted.items():
                free[name] += count
            queue = [each for each in queue if not begin(now, *each)]
            heapq.heappush(events, (now + 1, number, "ask", None))
            continue
        start, end, size = app.ask(now, True)
        answer = _planned(policy, decay, app.router, app.target, size, _cut(app.fidelity))
        wish = Served(
            app.router,
            app.target,
            size,
            app.fidelity,
            now,
            now,
            0,
            answer if isinstance(answer, Plan) else None,
        )
        if isinstance(answer, Refused):
            found.append(wish)
            heapq.heappush(events, (now + SECOND, number, "ask", None))
        elif not begin(max(now, start), replace(wish, begun=now), end - start, number):
            queue.append((wish, end - start, number))
    return found


def _cut(fidelity: float) -> float:
    return math.floor(1000 * fidelity) / 1000


def _slots(plan: Plan) -> dict[str, int]:
    out: dict[str, int] = {}
    for link in plan.links:
        for end in (link.left, link.right):
            out[end] = out.get(end, 0) + link.lanes
    return out


@cache
def _planned(
    policy: str, decay: bool, source: str, target: str, size: int, fidelity: float
) -> Plan | Refused:
    memories = MEMORIES[policy]
    network = documents.topology(inventory(memories, EFFICIENCY, raw_fidelity(500), decay))
    room = {
        name: min(count, size if name in (source, target) else 2 * size) for name, count in memories.items()
    }
    return planned(network, LinkRequest(source, target, fidelity, pairs=1000), room)


# ------------------------------------------------------------------------------------------------------ pairs


def rate(served: Served, network: Inventory, seed: int) -> float:
    """Pairs per second that reach the fidelity asked for, from the native engine."""
    if served.plan is None:
        return 0.0
    plan = served.plan
    lanes = 2 * max(link.lanes for link in plan.links)
    nodes = {name: replace(node, slots=max(node.slots, lanes)) for name, node in network.nodes.items()}
    # below the fidelity that was planned for, which is cut to three digits
    request = LinkRequest(served.source, served.target, _cut(served.fidelity), pairs=10**9, name="r")
    job = Job(replace(network, nodes=nodes), [(0, request)], {(plan.path[0], plan.path[-1]): plan})
    with job.planned():
        found = ensemble.run(job.inventory, job.requests, seed=seed, until=SAMPLE, workers=1, sampler="none")
    return found.pairs / (SAMPLE / SECOND)


@dataclass(frozen=True, slots=True)
class Season:
    """1000 s: completed requests, pairs per second, mean wait in s, mean rate of a request, and how many were refused."""

    completed: int
    pairs: float
    wait: float
    flow: float
    refused: int


def season(served: list[Served], network: Inventory, seed: int) -> Season:
    """What came of it."""
    done = [each for each in served if each.plan is not None]
    rates = [rate(each, network, seed) for each in done]
    total = sum(speed * (each.ended - each.begun) / SECOND for speed, each in zip(rates, done, strict=True))
    completed = sum(each.ended < SECONDS * SECOND for each in done)
    return Season(
        completed,
        total / SECONDS,
        mean(each.waited for each in done) / SECOND,
        mean(rates),
        len(served) - len(done),
    )


def seasons(quick: bool) -> Iterator[tuple[str, str, int, Season]]:
    """Every policy, way and seed. Planning for each demand takes long, so ours is asked for the first seeds only."""
    for policy, memories in MEMORIES.items():
        for seed in range(1 if quick else 10):
            for way in WAYS if seed < OURS and not quick else WAYS[:2]:
                decay = way.endswith("decay")
                network = inventory(memories, EFFICIENCY, raw_fidelity(500), decay)
                served = ours(policy, seed, decay) if way.startswith("ours") else theirs(policy, seed)
                yield policy, way, seed, season(served, network, seed)


def rows(run: Run) -> list[Row]:
    """Tables 3.1 (memory allocation) and 3.2 (memory parameters)."""
    found: dict[tuple[str, str], list[Season]] = {}
    for policy, way, seed, one in seasons(run.quick):
        run.progress(f"Chicago, {policy} memories, {way}, seed {seed}")
        found.setdefault((policy, way), []).append(one)
    made = []
    for (policy, way), all_of in found.items():
        completed, sd, pairs, pairs_sd, wait = PUBLISHED[policy]
        for name, quantity, values, published in (
            ("completed", "requests", [each.completed for each in all_of], completed),
            ("pairs", "pairs/s", [each.pairs for each in all_of], pairs),
            ("wait", "s", [each.wait for each in all_of], wait),
        ):
            others = {"sd": stdev(values) if len(values) > 1 else 0.0, "seeds": float(len(values))}
            if name == "completed":
                others |= {"published sd": sd, "refused": mean(each.refused for each in all_of)}
            if name == "pairs":
                others["published sd"] = pairs_sd
            made.append(
                Row(f"control/chicago/{policy}/{way}/{name}", quantity, mean(values), None, peer=published,
                    peer_name="SeQUeNCe (published)", others=others)
            )  # fmt: skip
    return made + _parameters(run)


def _parameters(run: Run) -> list[Row]:
    made = []
    demands = theirs("even", 0)  # their program for this table gives router i the generator i
    for cooperativity, published in PARAMETERS.items():
        for efficiency, theirs_is in zip(EFFICIENCIES, published, strict=True):
            if run.quick and (cooperativity, efficiency) != (500, 0.75):
                continue
            run.progress(f"Chicago, cooperativity {cooperativity}, efficiency {efficiency}")
            network = {
                way: inventory(MEMORIES["even"], efficiency, raw_fidelity(cooperativity), way == "decay")
                for way in ("", "decay")
            }
            plain, faded = (season(demands, each, 1) for each in network.values())
            name = f"control/chicago/cooperativity {cooperativity}, efficiency {efficiency:g}"
            made.append(
                Row(name, "pairs/s of a request", plain.flow, None, peer=theirs_is, peer_name="SeQUeNCe (published)",
                    others={"with delay and decay": faded.flow})
            )  # fmt: skip
    return made
