"""Whether what is accepted is kept: sessions over many networks, each judged against what was promised.

    python -m benchmarks.control.contract --workers 2 --out contract.jsonl       # 100,000 sessions (hours); goes on where it stopped
    python -m benchmarks.control.contract --sessions 2000                        # a few minutes
    CONTRACT_FILE=contract.jsonl qfabric bench control --keep                    # among the rest: what is in the file
    CONTRACT_SESSIONS=100000 qfabric bench control                               # among the rest: measured there and then

Each world (`benchmarks.control.contract_worlds`) is run to its end: the controller decides as ever, plant and agents are those
of the native kernel, or of the twin where pairs are held. The judge (`benchmarks.control.contract_judge`) knows no plans or forecasts.
Half of the worlds plan thoroughly, half swiftly. One in four has faults that nobody promised to survive: fibres are cut and mended,
nodes stop and start; there deadlines are not judged, all else is. In others requests must survive a failure, and links and repeaters
fail one after another, most of them under a session: there deadlines are judged too.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.control import contract_worlds as worlds
from benchmarks.control.contract_judge import Books, Failure, Verdict
from benchmarks.control.contract_worlds import Kind
from benchmarks.records import Goal, Row
from quantum_fabric.ensemble import LiveFabric
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import LinkChanged, NodeFailed, NodeRecovered, Plan
from quantum_fabric.native import look
from quantum_fabric.network.methods import Method
from quantum_fabric.units import Time

if TYPE_CHECKING:
    from benchmarks.run import Run

SESSIONS = 100_000
AMONG_OTHERS, QUICK = 10_000, 200
"""In `qfabric bench control`, where the variable CONTRACT_SESSIONS does not say another number; and in its quick version."""

EACH, HELD = 3000, 200
"""Requests of one world, and of one whose pairs are held (the twin is slower)."""

PATIENCE = 10
"""Times the length of the arrivals for which the last sessions may run."""

APART = (3, 8)
"""Times the mean of what a request takes, from one failure to the next."""


class Stop(NamedTuple):
    """One world of the tour.

    Attributes:
        name: of the network.
        seed: of devices, demands, times, plant and failures.
        kind: what goes wrong.
        method: how plans are looked for.
    """

    name: str
    seed: int
    kind: Kind
    method: Method

    @property
    def where(self) -> str:
        """For people and files; no two stops have the same."""
        return f"{self.name}/{self.seed}/{self.kind.value}/{self.method.value}"


class Found(NamedTuple):
    """What was found in one world.

    Attributes:
        verdict: of its sessions.
        leases: leaked.
        halves: left in memory after the end.
    """

    verdict: Verdict
    leases: int
    halves: int


@dataclass(slots=True)
class Table:
    """What was found.

    Attributes:
        verdict: over all worlds whose deadlines are judged and where nobody must survive anything.
        faulty: over those with faults that nobody promised to survive.
        surviving: over those where requests must survive failures.
        networks: sessions by network.
        methods: sessions by way to plan.
        leases: leaked.
        halves: left in memory after the end.
        worlds: how many were run.
        wrong: verdicts of single worlds, each in a sentence.
    """

    verdict: Verdict = field(default_factory=Verdict)
    faulty: Verdict = field(default_factory=Verdict)
    surviving: Verdict = field(default_factory=Verdict)
    networks: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    leases: int = 0
    halves: int = 0
    worlds: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def sessions(self) -> int:
        """Accepted requests."""
        return self.networks.total()

    def add(self, stop: Stop, found: Found) -> None:
        """Another world."""
        verdict = found.verdict
        whole = {Kind.SURVIVES: self.surviving, Kind.FAULTS: self.faulty, Kind.HELD_FAULTS: self.faulty}
        whole.get(stop.kind, self.verdict).merge(verdict)
        self.networks[stop.name] += verdict.counts["sessions"]
        self.methods[stop.method.value] += verdict.counts["sessions"]
        self.leases += found.leases
        self.halves += found.halves
        self.worlds += 1
        self.wrong += [f"{stop.where}: {each}" for each in verdict.judge() if each not in verdict.broken]
        if found.leases or found.halves:
            self.wrong.append(f"{stop.where}: {found.leases} leases and {found.halves} halves are left")

    def broken(self) -> list[str]:
        """Everything that is broken, beyond chance where chance has a part."""
        return [*self.verdict.judge(), *self.faulty.judge(), *self.surviving.judge()]

    def numbers(self) -> dict[str, Any]:
        """For a file."""
        return {
            "sessions": self.sessions, "worlds": self.worlds, "networks": dict(self.networks), "methods": dict(self.methods),
            "leaked leases": self.leases, "half-open pairs": self.halves, "plain": self.verdict.numbers(),
            "faults": self.faulty.numbers(), "survives": self.surviving.numbers(), "wrong": self.wrong, "broken": self.broken(),
        }  # fmt: skip


def visited(stop: Stop, quick: bool = False) -> Found | None:
    """Run one world and judge it; None where nothing can be had there.

    Examples:
        >>> found = visited(Stop("pair", 1, Kind.PLAIN, Method.SWIFT), quick=True)
        >>> found.verdict.judge(), found.leases, found.halves
        ([], 0, 0)
    """
    most = (HELD if stop.kind.held else EACH) // (40 if quick else 1)
    world = worlds.world(stop.name, stop.seed, most, stop.kind, method=stop.method)
    if world is None:
        return None
    books, failures, leases, halves = judged(world, stop.seed)
    verdict = Verdict()
    faults = stop.kind in (Kind.FAULTS, Kind.HELD_FAULTS)
    verdict.add(books.accounts.values(), stop.where, faults, failures)
    return Found(verdict, leases, halves)


def judged(world: worlds.World, seed: int) -> tuple[Books, list[Failure], int, int]:
    """Run a world to its end.

    Returns:
        The books, what failed that had to be survived, leases that are left in the ledger or at a node, and halves that are left.
    """
    native = not world.kind.held and look()[0] is not None
    kind = LiveFabric if native else Fabric
    fabric = kind(world.inventory, seed=seed, states=world.states, planning=world.method)
    books = Books(fabric)
    for at, request in world.asked:
        books.expect(request)
        fabric.submit(request, at)
    last = world.asked[-1][0]
    failures: list[Failure] = []
    if world.kind in (Kind.FAULTS, Kind.HELD_FAULTS):
        _disturb(fabric, random.Random(f"faults {world.name} {seed}"), last)
    elif world.kind is Kind.SURVIVES:
        failures = _one_by_one(fabric, random.Random(f"failures {world.name} {seed}"), last, world.usual)
    fabric.run(last + 1)
    fabric.run(PATIENCE * last + 1, stop=lambda: not fabric.open_requests)
    fabric.finish()
    return books, failures, _leases(fabric), _halves(fabric)


def _disturb(fabric: Fabric, draw: random.Random, until: int) -> None:
    links, nodes = list(fabric.inventory.links), list(fabric.inventory.nodes)
    for _ in range(draw.randint(1, 12)):
        at = draw.randint(1, until)
        after = at + draw.randint(1, max(2, until // 10))
        if draw.random() < 0.7:
            link = draw.choice(links)
            fabric.inject(LinkChanged("", link, False), at)
            fabric.inject(LinkChanged("", link, True), after)
        else:
            node = draw.choice(nodes)
            fabric.inject(NodeFailed(node), at)
            fabric.inject(NodeRecovered(node), after)


def _one_by_one(fabric: Fabric, draw: random.Random, until: Time, usual: Time) -> list[Failure]:
    """Run until the arrivals are over; links and nodes fail meanwhile, each of them back before the next one fails.

    Three in four are links or repeaters that a session runs over at that moment, the others are any.
    """
    everything = [(link, False) for link in fabric.inventory.links] + [
        (node, True) for node in fabric.inventory.nodes
    ]
    news = 2 * max(fabric.inventory.delays.values(), default=0)  # to the controller, and from it
    found: list[Failure] = []
    at = draw.randint(1, max(2, APART[1] * usual))
    while at < until:
        fabric.run(at)
        plans = [each.plan for each in fabric.controller.sessions.values() if each.open]
        used = [thing for plan in plans for thing in _things(plan)]
        what, node = draw.choice(used if used and draw.random() < 0.75 else everything)
        after = at + 1 + draw.randint(1, max(2, 2 * usual))
        fabric.inject(NodeFailed(what) if node else LinkChanged("", what, False), at + 1)
        fabric.inject(NodeRecovered(what) if node else LinkChanged("", what, True), after)
        found.append(Failure(what, node, at + 1, after + news))
        at = after + news + draw.randint(APART[0] * usual, APART[1] * usual)
    return found


def _things(plan: Plan) -> list[tuple[str, bool]]:
    return [(link.link, False) for link in plan.links] + [(node, True) for node in plan.path[1:-1]]


def _leases(fabric: Fabric) -> int:
    agents = sum(len(agent.leases) for agent in fabric.agents.values())
    return len(fabric.controller.ledger.leases()) + agents


def _halves(fabric: Fabric) -> int:
    kernel = getattr(fabric, "_run", None)  # the native kernel has the pairs of a live run
    if kernel is not None:
        return int(kernel.pairs_alive)
    return sum(slot.half is not None for node in fabric.twin.nodes.values() for slot in node.slots)


def tour(quick: bool, first: int) -> Iterator[Stop]:
    """Networks round and round, each time with other devices and demands, and in turn with thorough and with swift plans."""
    seed = first
    while True:
        for number, name in enumerate(worlds.names(quick)):
            swift = (seed + number) % 2 == 1 or name in worlds.BIG
            method = Method.SWIFT if swift else Method.THOROUGH
            yield Stop(name, seed, Kind.FAULTS if seed % 4 == 3 else Kind.PLAIN, method)
            if name in worlds.SMALL and seed % 2:
                yield Stop(name, seed, Kind.HELD_FAULTS if seed % 8 == 7 else Kind.HELD, Method.THOROUGH)
            if name in worlds.RINGED:
                yield Stop(name, seed, Kind.SURVIVES, method)
        seed += 1


def measure(
    sessions: int,
    quick: bool = False,
    first: int = 0,
    told: Callable[[str, Table], None] = lambda what, table: None,
) -> Table:
    """Worlds until so many sessions were accepted.

    Args:
        sessions: how many at least.
        quick: few networks, short runs.
        first: seed of the first round.
        told: of each world that is done.
    """
    table = Table()
    for stop in tour(quick, first):
        if table.sessions >= sessions:
            break
        found = visited(stop, quick)
        if found is not None:
            table.add(stop, found)
            told(stop.where, table)
    return table


def rows(run: Run) -> list[Row]:
    """The contract table."""
    kept = os.environ.get("CONTRACT_FILE")
    if kept and not run.quick:
        from benchmarks.control.contract_file import read

        run.progress(f"promises: sessions of {kept}")
        return lines(read(Path(kept)))
    run.progress("promises: sessions over many networks")
    table = measure(QUICK if run.quick else int(os.environ.get("CONTRACT_SESSIONS", AMONG_OTHERS)), run.quick)
    return lines(table)


def _summed(table: dict[str, list[int]]) -> tuple[int, int]:
    return sum(value[0] for value in table.values()), sum(value[1] for value in table.values())


def lines(table: Table) -> list[Row]:
    """Rows of the report."""
    numbers = table.numbers()
    plain, survives = numbers["plain"], numbers["survives"]
    counts: dict[str, int] = plain["counts"]
    faulty = numbers["faults"]["counts"].get("sessions", 0)
    missed, of = _summed(plain["deadlines"])
    allowed = sum(value[1] * (1.0 - float(key)) for key, value in plain["deadlines"].items())
    short, pairs = _summed(plain["short"])
    found = [
        Row(
            "control/contract/broken", "promises broken", len(numbers["broken"]) + len(numbers["wrong"]), Goal(0),
            count=table.leases + table.halves, counted="leases and halves left", count_goal=Goal(0), details=numbers,
        ),
        Row("control/contract/sessions", "sessions judged", table.sessions, None,
            others={"networks": len(table.networks), "worlds": table.worlds, "with faults": faulty,
                    "planned swiftly": table.methods["swift"]}),
        Row("control/contract/deadlines", "% missed", 100.0 * missed / max(1, of), Goal(100.0 * allowed / max(1, of)),
            others={"of": of, "waited for slots first": counts.get("queued", 0)}),
        Row("control/contract/fidelity", "% of pairs below", 100.0 * short / max(1, pairs), None, others={"of": pairs}),
    ]  # fmt: skip
    if plain["pace"] is not None:
        mean, error = plain["pace"]
        found.append(
            Row(
                "control/contract/rate", "time between pairs / promised", mean, Goal(1.0), others={"±": error}
            )
        )
    return [*found, *_survived(survives)]


def _survived(survives: dict[str, Any]) -> list[Row]:
    """What became of requests that had to survive a failure."""
    counts = survives["counts"]
    touched = counts.get("touched by a failure", 0)
    if not touched:
        return []
    missed, of = _summed(survives["deadlines"])
    allowed = sum(value[1] * (1.0 - float(key)) for key, value in survives["deadlines"].items())
    return [
        Row("control/contract/survived", "share that went on after the failure of its path",
            counts.get("touched by a failure, not given up", 0) / touched, Goal(0.999, at_least=True),
            others={"of": touched, "all pairs, and in time where asked": counts.get("touched by a failure, kept", 0),
                    "beside a failure": counts.get("beside a failure", 0), "sessions": counts.get("sessions", 0)}),
        Row("control/contract/survived deadlines", "% missed", 100.0 * missed / max(1, of), Goal(100.0 * allowed / max(1, of)),
            others={"of": of}),
    ]  # fmt: skip


def main() -> None:
    """Judge sessions, and say what was broken."""
    from benchmarks.control.contract_file import go_on, summary

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--first", type=int, default=0, help="seed of the first round")
    parser.add_argument("--quick", action="store_true", help="few networks, short runs")
    parser.add_argument(
        "--out", type=Path, help="one line for each world; what is in it already is not run again"
    )
    parser.add_argument("--read", action="store_true", help="only say what is in the file")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so long")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--only", choices=[each.value for each in Kind], help="one kind of worlds")
    parser.add_argument("--method", choices=[each.value for each in Method], help="worlds planned in one way")
    chosen = parser.parse_args()
    begun = time.monotonic()

    def told(where: str, table: Table) -> bool:
        spent = time.monotonic() - begun
        wrong = len(table.wrong) + len(table.broken())
        print(f"{spent:7.0f} s {table.sessions:7d} sessions, {wrong} wrong: {where}", flush=True)
        return chosen.minutes is not None and spent > 60 * chosen.minutes

    sessions = 0 if chosen.read else chosen.sessions
    stops = (
        each
        for each in tour(chosen.quick, chosen.first)
        if chosen.only in (None, each.kind.value) and chosen.method in (None, each.method.value)
    )
    table = go_on(sessions, stops, chosen.quick, chosen.out, chosen.workers, told)
    print(summary(table))


if __name__ == "__main__":
    from benchmarks.control import contract  # noqa: PLW0406 - whose classes are those of its file and of its workers

    contract.main()
