"""Whether what is accepted is kept: sessions over many networks, each judged against what was promised.

    python -m benchmarks.control.contract                       # 100,000 sessions (hours); written as it goes with --out
    python -m benchmarks.control.contract --sessions 2000       # a few minutes
    CONTRACT_SESSIONS=100000 qfabric bench control              # among the rest

Each world (`benchmarks.control.contract_worlds`) is run to its end: the controller decides as ever, plant and agents are those
of the native kernel, or of the twin where pairs are held. The judge (`benchmarks.control.contract_judge`) knows no plans or forecasts.
One world in four has faults: fibres are cut and mended, nodes stop and start. There deadlines are not judged, all else is.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.control import contract_worlds as worlds
from benchmarks.control.contract_judge import Books, Verdict
from benchmarks.records import Goal, Row
from quantum_fabric.ensemble import LiveFabric
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import LinkChanged, NodeFailed, NodeRecovered
from quantum_fabric.native import look

if TYPE_CHECKING:
    from benchmarks.suites import Run

SESSIONS = 100_000
AMONG_OTHERS, QUICK = 10_000, 200
"""In `qfabric bench control`, where the variable CONTRACT_SESSIONS does not say another number; and in its quick version."""

EACH, HELD = 3000, 200
"""Requests of one world, and of one whose pairs are held (the twin is slower)."""

PATIENCE = 10
"""Times the length of the arrivals for which the last sessions may run."""


@dataclass(slots=True)
class Table:
    """What was found.

    Attributes:
        verdict: over all worlds.
        networks: sessions by network.
        leases: leaked.
        halves: left in memory after the end.
        worlds: how many were run.
        wrong: verdicts of single worlds, each in a sentence.
    """

    verdict: Verdict = field(default_factory=Verdict)
    faulty: Verdict = field(default_factory=Verdict)
    networks: Counter[str] = field(default_factory=Counter)
    leases: int = 0
    halves: int = 0
    worlds: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def sessions(self) -> int:
        """Accepted requests."""
        return self.networks.total()

    def numbers(self) -> dict[str, Any]:
        """For a file."""
        return {
            "sessions": self.sessions, "worlds": self.worlds, "networks": dict(self.networks), "leaked leases": self.leases,
            "half-open pairs": self.halves, "plain": self.verdict.numbers(), "faults": self.faulty.numbers(), "wrong": self.wrong,
            "broken": [*self.verdict.judge(), *self.faulty.judge()],
        }  # fmt: skip


def judged(world: worlds.World, seed: int, faults: bool = False) -> tuple[Books, int, int]:
    """Run a world to its end.

    Returns:
        The books, leases that are left in the ledger or at a node, and halves that are left in memories.
    """
    native = not world.held and look()[0] is not None
    fabric = (LiveFabric if native else Fabric)(world.inventory, seed=seed, states=world.states)
    books = Books(fabric)
    for at, request in world.asked:
        books.expect(request)
        fabric.submit(request, at)
    last = world.asked[-1][0]
    if faults:
        _disturb(fabric, random.Random(f"faults {world.name} {seed}"), last)
    fabric.run(last + 1)
    fabric.run(PATIENCE * last + 1, stop=lambda: not fabric.open_requests)
    fabric.finish()
    return books, _leases(fabric), _halves(fabric)


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


def _leases(fabric: Fabric) -> int:
    agents = sum(len(agent.leases) for agent in fabric.agents.values())
    return len(fabric.controller.ledger.leases()) + agents


def _halves(fabric: Fabric) -> int:
    kernel = getattr(fabric, "_run", None)  # the native kernel has the pairs of a live run
    if kernel is not None:
        return int(kernel.pairs_alive)
    return sum(slot.half is not None for node in fabric.twin.nodes.values() for slot in node.slots)


def tour(quick: bool, first: int) -> Iterator[tuple[str, int, bool, bool]]:
    """Networks round and round, each time with other devices and demands: name, seed, held, with faults."""
    seed = first
    while True:
        for name in worlds.names(quick):
            yield name, seed, False, seed % 4 == 3
            if name in worlds.SMALL and seed % 2:
                yield name, seed, True, seed % 8 == 7
        seed += 1


def measure(
    sessions: int,
    quick: bool = False,
    first: int = 0,
    told: Callable[[str, Table], None] = lambda what, table: None,
    table: Table | None = None,
) -> Table:
    """Worlds until so many sessions were accepted.

    Args:
        sessions: how many at least.
        quick: few networks, short runs.
        first: seed of the first round.
        told: of each world that is done.
        table: to add to.
    """
    table = Table() if table is None else table
    for name, seed, held, faults in tour(quick, first):
        if table.sessions >= sessions:
            break
        count = (HELD if held else EACH) // (40 if quick else 1)
        world = worlds.world(name, seed, count, held)
        if world is None:
            continue
        where = f"{name}/{seed}{'/held' if held else ''}{'/faults' if faults else ''}"
        books, leases, halves = judged(world, seed, faults)
        verdict = Verdict()
        verdict.add(books.accounts.values(), where, faults)
        (table.faulty if faults else table.verdict).merge(verdict)
        table.networks[name] += verdict.counts["sessions"]
        table.leases += leases
        table.halves += halves
        table.worlds += 1
        table.wrong += [f"{where}: {each}" for each in verdict.judge() if each not in verdict.broken]
        if leases or halves:
            table.wrong.append(f"{where}: {leases} leases and {halves} halves are left")
        told(where, table)
    return table


def rows(run: Run) -> list[Row]:
    """The contract table."""
    run.progress("promises: sessions over many networks")
    table = measure(QUICK if run.quick else int(os.environ.get("CONTRACT_SESSIONS", AMONG_OTHERS)), run.quick)
    return lines(table)


def lines(table: Table) -> list[Row]:
    """Rows of the report."""
    numbers = table.numbers()
    plain = numbers["plain"]
    counts: dict[str, int] = plain["counts"]
    faulty = numbers["faults"]["counts"].get("sessions", 0)
    missed, of = (
        (sum(column) for column in zip(*plain["deadlines"].values(), strict=True))
        if plain["deadlines"]
        else (0, 0)
    )
    allowed = sum(value[1] * (1.0 - float(key)) for key, value in plain["deadlines"].items())
    short, pairs = (
        (sum(column) for column in zip(*plain["short"].values(), strict=True)) if plain["short"] else (0, 0)
    )
    found = [
        Row(
            "control/contract/broken", "promises broken", len(numbers["broken"]) + len(numbers["wrong"]), Goal(0),
            count=table.leases + table.halves, counted="leases and halves left", count_goal=Goal(0), details=numbers,
        ),
        Row("control/contract/sessions", "sessions judged", table.sessions, None,
            others={"networks": len(table.networks), "worlds": table.worlds, "with faults": faulty}),
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
    return found


def main() -> None:
    """Judge sessions, and say what was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--first", type=int, default=0, help="seed of the first round")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, help="write what was found after each world")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so long")
    chosen = parser.parse_args()
    begun = time.monotonic()

    def told(where: str, table: Table) -> None:
        if chosen.out is not None and table.worlds % 5 == 0:
            chosen.out.write_text(json.dumps(table.numbers(), indent=1))
        spent = time.monotonic() - begun
        print(
            f"{spent:7.0f} s {table.sessions:7d} sessions, {len(table.wrong) + len(table.verdict.broken)} wrong: {where}",
            flush=True,
        )
        if chosen.minutes is not None and spent > 60 * chosen.minutes:
            raise KeyboardInterrupt

    table = Table()
    with suppress(KeyboardInterrupt):
        measure(chosen.sessions, chosen.quick, chosen.first, told, table)
    print(json.dumps(table.numbers(), indent=1))


if __name__ == "__main__":
    main()
