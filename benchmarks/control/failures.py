"""Single failures on random networks: every link and every node in turn, at random times, under requests that must survive them.

Networks, requests and times are drawn from a seed. What is a failure and what is not is decided by the plant; what is kept is
counted from what the callers were told, and from what the plant says the delivered pairs truly were.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from quantum_fabric.control.plan_memory import PlanMemory
from quantum_fabric.devices import Gates, Memory, Node
from quantum_fabric.documents.assembly import Inventory, LinkEntry
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import (
    Accepted,
    Commit,
    Confirmed,
    Delivered,
    DryRun,
    Judged,
    LinkChanged,
    LinkReport,
    LinkRequest,
    NodeFailed,
    Outcome,
    Refused,
    Rerouted,
    Status,
    Survival,
    Truth,
    Unkept,
)
from quantum_fabric.network.finish import finished_by
from quantum_fabric.units import MS, SECOND, US, Time

LIGHT = 200.0
"""km per ms in fibre."""

CONFIDENCE = 0.99
"""Of the promises that are asked for: the most that laws of plans tell."""

SLACK = (2.5, 6.0)
"""Deadlines, in times that the plan without failures needs with that confidence."""


@dataclass
class Tally:
    """What was counted.

    Attributes:
        networks: topologies.
        runs: networks with one failure each.
        touched: requests whose first path failed, of those that had to survive that.
        counts: by what became of requests.
        broken: what was promised and not kept, in words.
        leaked: leases that were out and halves that were left when all was over.
        half_open: pairs that were delivered though not both ends had said so.
        offers: refusals, and how many of their offers would have been accepted.
        times: of restored requests: whether something stood ready, detection, signalling, first pair, path round trip; ps.
    """

    networks: int = 0
    runs: int = 0
    touched: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    leaked: int = 0
    half_open: int = 0
    offers: list[int] = field(default_factory=lambda: [0, 0])
    times: list[tuple[bool, Time, Time, Time | None, Time]] = field(default_factory=list)


def network(seed: int) -> Inventory:
    """A random network: a ring with chords, and one or two nodes that hang on one link."""
    draw = random.Random(seed)
    count = draw.randint(6, 12)
    places = {f"n{k}": (draw.uniform(0.0, 60.0), draw.uniform(0.0, 60.0)) for k in range(count)}
    ring = sorted(places, key=lambda name: math.atan2(places[name][1] - 30.0, places[name][0] - 30.0))
    edges = {tuple(sorted((ring[k], ring[k - 1]))) for k in range(count)}
    others = [pair for pair in combinations(sorted(places), 2) if pair not in edges]
    edges |= set(draw.sample(others, draw.randint(1, count // 2)))
    for k in range(draw.randint(0, 2)):
        name, at = f"leaf{k}", draw.choice(ring)
        places[name] = (places[at][0] + 5.0, places[at][1] + 5.0)
        edges.add((name, at))
    delays = {
        (a, b): round(math.dist(places[a], places[b]) * 1.2 / LIGHT * MS) for a in places for b in places
    }
    links = {}
    for a, b in sorted(edges):
        light = max(US, delays[a, b])
        fidelity = draw.uniform(0.97, 0.995)
        rest = (1.0 - fidelity) / 3.0
        model = FixedLink(
            draw.uniform(0.05, 0.3), (fidelity, rest, rest, rest), 2 * light, heard=(light, light), born=(light // 2, light // 2)
        )  # fmt: skip
        links[f"{a}~{b}"] = LinkEntry(f"{a}~{b}", a, b, model, 0.0, light)
    slots = draw.choice((4, 6))
    node = Node(memory=Memory(math.inf, 0.5), gates=Gates(), slots=slots)
    nodes = dict.fromkeys(places, node)
    return Inventory(
        nodes=nodes, links=links, delays=delays, controller=draw.choice(ring), positions={}, title=f"random {seed}",
        relays=frozenset(nodes),
    )  # fmt: skip


def wishes(seed: int, inventory: Inventory, memory: PlanMemory, count: int = 4) -> list[LinkRequest]:
    """Requests that must survive something, most of them with a deadline and a rate that can be had."""
    draw = random.Random(seed + 10**6)
    asker = Fabric(inventory, seed=seed)
    asker.controller.admission.memory = memory
    names, made = sorted(inventory.nodes), []
    for number in range(count):
        a, b = draw.sample(names, 2)
        survives = draw.choice((Survival.LINK, Survival.NODE))
        wish = LinkRequest(
            a, b, draw.choice((0.6, 0.75, 0.85)), pairs=draw.randint(2, 25), name=f"r{number}", survives=survives,
            confidence=CONFIDENCE, priority=draw.randint(0, 2),
        )  # fmt: skip
        told = asker.inquire(DryRun(replace(wish, name="")))
        if isinstance(told, Judged) and isinstance(told.answer, Accepted):
            plan = told.answer.plan
            if draw.random() < 0.8:
                slack = draw.uniform(*SLACK)
                wish = replace(
                    wish, deadline=round(slack * finished_by(plan.forecast, wish.pairs, CONFIDENCE))
                )
            if draw.random() < 0.5:
                wish = replace(wish, rate=plan.forecast.rate * draw.uniform(0.2, 0.7))
        made.append(wish)
    return made


def failures(inventory: Inventory) -> Iterator[LinkChanged | NodeFailed]:
    """Every single one."""
    for link in sorted(inventory.links):
        yield LinkChanged("", link, False)
    for node in sorted(inventory.nodes):
        yield NodeFailed(node)


class Trial:
    """One network, its requests, one failure.

    Args:
        inventory: the network.
        asked: requests.
        event: what fails.
        seed: of the plant, and of the time of the failure.
        memory: what was planned for this network in other trials.
        tally: takes what is counted.
        watch: sees the fabric before it runs.
    """

    def __init__(
        self, inventory: Inventory, asked: list[LinkRequest], event: LinkChanged | NodeFailed, seed: int,
        memory: PlanMemory, tally: Tally,
        watch: Callable[[Fabric, dict[str, LinkRequest]], Any] | None = None,
    ) -> None:  # fmt: skip
        self.tally, self.event = tally, event
        self.fabric = fabric = Fabric(inventory, seed=seed)
        fabric.controller.admission.memory = memory
        self.asked = {wish.name: wish for wish in asked}
        self.truth: dict[Any, float] = {}
        self.said: dict[Any, set[str]] = defaultdict(set)
        self.heard: Time | None = None
        self.commits: list[tuple[Time, int]] = []
        self.delivered: dict[str, list[Time]] = defaultdict(list)
        self.reports: list[Time] = []
        fabric.watch(self._see, Confirmed, Delivered, Commit, LinkReport, Truth)
        if watch is not None:
            watch(fabric, self.asked)
        for wish in asked:
            fabric.submit(wish)
        fabric.run(2 * max(inventory.delays.values()) + 1)
        accepted = [x for name in self.asked if isinstance(x := fabric.replies(name)[0], Accepted)]
        longest = max((each.plan.forecast.latency for each in accepted), default=MS)
        span = max(
            (finished_by(each.plan.forecast, self.asked[each.request].pairs, 0.5) for each in accepted),
            default=longest,
        )
        self.at: Time = random.Random(seed).randint(fabric.now, fabric.now + span)
        fabric.inject(event, self.at)

    def _see(self, time: Time, place: str, message: Any) -> None:
        match message:
            case Confirmed():
                self.said[message.pair].add(message.node)
            case Delivered():
                self.delivered[message.request].append(time)
                self.tally.half_open += self.said[message.pair] != set(message.ends)
            case Commit():
                self.commits.append((time, message.epoch))
            case LinkReport():
                self.reports.append(time)

    def run(self) -> None:
        """Let it live to its end, and count."""
        fabric, tally = self.fabric, self.tally
        last = max((wish.deadline or 0 for wish in self.asked.values()), default=0)
        horizon = max(last, fabric.now) + 60 * SECOND
        fabric.run(horizon, stop=lambda: not fabric.open_requests and fabric.now > self.at)
        for name, wish in self.asked.items():
            self._judge(wish, fabric.replies(name))
        self._restored()
        fabric.finish()
        tally.runs += 1
        tally.leaked += len(fabric.controller.ledger.leases())
        tally.leaked += sum(fabric.controller.ledger.aside.values())
        tally.leaked += sum(
            slot.half is not None or slot.lane is not None
            for node in fabric.twin.nodes.values()
            for slot in node.slots
        )
        tally.leaked += sum(len(agent.leases) for agent in fabric.agents.values())

    def _judge(self, wish: LinkRequest, replies: list[Any]) -> None:
        tally, first = self.tally, replies[0]
        if isinstance(first, Refused):
            tally.counts["refused"] += 1
            return
        outcome = next((each for each in replies if isinstance(each, Outcome)), None)
        survivable = self._survivable(wish, first)
        kind = "untouched" if not self._touches(first) else "survivable" if survivable else "not survivable"
        if kind == "survivable":
            tally.touched += 1
        poor = [each for each in replies if isinstance(each, Delivered) and each.fidelity < wish.fidelity]
        slow = [
            each for each in replies if isinstance(each, Rerouted) and each.plan.forecast.rate < wish.rate
        ]
        if outcome is None or poor or slow:
            how = "no outcome" if outcome is None else "poor pairs" if poor else "slow plan"
        elif outcome.status is Status.COMPLETED:
            how = "kept"
        else:
            told = any(isinstance(each, Unkept) for each in replies)
            how = f"{outcome.status.value}{'' if outcome.code is None else ' ' + outcome.code.value}{', offer' if told else ''}"
        tally.counts[f"{kind}: {how}"] += 1
        if how != "kept" and (kind != "not survivable" or how in ("no outcome", "poor pairs", "slow plan")):
            tally.broken.append(f"{self.fabric.inventory.title}, {self.event}, {self.at}: {wish}: {outcome}")

    def _touches(self, first: Accepted) -> bool:
        event = self.event
        if isinstance(event, LinkChanged):
            return any(link.link == event.link for link in first.plan.links)
        return event.node in first.plan.path or event.node in (first.plan.path[0], first.plan.path[-1])

    def _survivable(self, wish: LinkRequest, first: Accepted) -> bool:
        if isinstance(self.event, LinkChanged):
            return True
        return wish.survives is Survival.NODE and self.event.node in first.plan.path[1:-1]

    def _restored(self) -> None:
        """Times of what was moved by the first report of the failure."""
        reports = [time for time in self.reports if time >= self.at]
        if not reports:
            return
        fabric, heard = self.fabric, reports[0]
        for name in self.asked:
            moved = [each for each in fabric.replies(name) if isinstance(each, Rerouted)]
            if len(moved) != 1:
                continue
            plan = moved[0].plan
            session = fabric.controller.sessions[name]
            epochs = {
                epoch
                for time, epoch in self.commits
                if time > heard and fabric.controller.installations.session(epoch) is session
            }
            done = [time for time, epoch in self.commits if epoch in epochs]
            if not done or session.plan is not plan:
                continue
            first = next((time for time in self.delivered[name] if time > max(done)), None)
            trip = fabric.delay(plan.path[0], plan.path[-1]) + fabric.delay(plan.path[-1], plan.path[0])
            self.tally.times.append(
                (
                    moved[0].ready,
                    heard - self.at,
                    max(done) - heard,
                    None if first is None else first - heard,
                    trip,
                )
            )


def measure(
    seeds: Iterable[int],
    repeats: int = 1,
    progress: Callable[[str], None] = lambda _: None,
    watch: Any = None,
) -> Tally:
    """Every single failure on every network.

    Args:
        seeds: of the networks.
        repeats: how often a failure that touches a request is tried, each time at another moment and with other draws.
        progress: told what is being done.
        watch: see `Trial`.
    """
    tally = Tally()
    for seed in seeds:
        made = network(seed)
        memory = PlanMemory({name: node.slots for name, node in made.nodes.items()})
        asked = wishes(seed, made, memory)
        tally.networks += 1
        progress(f"failures on random network {seed}")
        for number, event in enumerate(failures(made)):
            for again in range(repeats):
                before = tally.touched
                Trial(made, asked, event, 10**6 * seed + 1000 * number + again, memory, tally, watch).run()
                if tally.touched == before:
                    break
        _resubmit(made, asked, memory, tally)
    return tally


def _resubmit(made: Inventory, asked: list[LinkRequest], memory: PlanMemory, tally: Tally) -> None:
    """What refusals offer is asked for on the unchanged network."""
    fabric = Fabric(made)
    fabric.controller.admission.memory = memory
    for wish in asked:
        name = fabric.submit(wish)
        fabric.run(fabric.now)
        first = fabric.replies(name)[0]
        if isinstance(first, Refused) and first.offer is not None:
            told = fabric.inquire(DryRun(first.offer))
            tally.offers[0] += 1
            tally.offers[1] += isinstance(told, Judged) and isinstance(told.answer, Accepted)
