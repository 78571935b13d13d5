"""Packets on the GARR network: online scheduling beside a static timetable, idealised, and with signalling delay and decay.

After Tran et al., arXiv:2605.28795 (their figures: provenance R, their own code run at the commit of the paper, seeds 1 to 3): 100
applications ask for a packet of two pairs each second, 100 times, on Garr201201 (48 nodes). In a trial every link of a path tries 1000
times with p = 1e-3, then all repeaters swap at once, each with 0.6. A packet gets a window so long that it is complete with
probability `p_packet`; an application has the links of its path for itself meanwhile.

*Idealised* is their model: a trial takes 100 µs whatever the distance, pairs keep for ever. *Real*: a trial ends when its heralds
(light to the middle of the longest link and back, 2e8 m/s) and the outcomes of its swaps (along the path) have arrived; and the
first pair of a packet is thrown away when it is older than its memory keeps it above the floor, so both pairs of a packet are alive
together.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import numpy.typing as npt

from quantum_fabric.control.scheduling.disciplines import EarliestDeadline, Verdict, Waiting
from quantum_fabric.control.scheduling.selection import Offer, by_value
from quantum_fabric.control.scheduling.timetable import Infeasible, Task, draw_up
from quantum_fabric.documents.atlas import read_atlas
from quantum_fabric.units import SECOND, Time, from_seconds

LIGHT = 2e8
"""m/s in fibre (D)."""

KEPT = 0.99
"""Share of packets that an application must be able to complete to be admitted."""

THEIRS = {
    0.1: ((0.986, 0.920, 0.997), (0.115, 0.121, 0.120)),
    0.5: ((1.0, 0.998, 1.0), (0.519, 0.528, 0.517)),
    0.9: ((1.0, 0.9995, 1.0), (0.905, math.nan, 0.906)),
}
"""p_packet -> completed by online scheduling and by the static timetable, seeds 1 to 3 (R; nan: infeasible)."""


@dataclass(frozen=True, slots=True)
class Model:
    """How packets are made.

    Attributes:
        tries: of each link in one trial.
        generation: success probability of a try.
        swap: success probability of a swap.
        slot: duration of a trial without any delay, s.
        pairs: in a packet: 2.
        period: s.
        packets: of each application.
        delay: whether heralds and outcomes travel at the speed of light.
        link_fidelity: of a fresh link pair (Werner).
        floor: fidelity that both pairs of a packet must have when the second is there; 0 for pairs that keep for ever.
        memory: time in which the Werner parameter of a waiting pair falls by e, s.
    """

    tries: int = 1000
    generation: float = 1e-3
    swap: float = 0.6
    slot: float = 1e-4
    pairs: int = 2
    period: float = 1.0
    packets: int = 100
    delay: bool = False
    link_fidelity: float = 0.99
    floor: float = 0.0
    memory: float = 1.0


IDEAL = Model()
REAL = Model(delay=True, floor=0.75)


@dataclass(frozen=True, slots=True)
class Application:
    """Who wants packets.

    Attributes:
        name: unique.
        links: of its path, by name.
        chance: of a pair in one trial.
        cycle: duration of a trial, ps.
        alive: trials for which the first pair of a packet waits for the second.
        release: when its first period begins, ps.
    """

    name: str
    links: tuple[str, ...]
    chance: float
    cycle: Time
    alive: int
    release: Time

    def incomplete(self, trials: int) -> npt.NDArray[np.float64]:
        """Probability that a packet is not complete after 0, 1, ... so many trials.

        Equation: u(n) = q u(n-1) + p A(n-1), where A(n) = q^min(n, w) (1 if n <= w else u(n - w)) is that of a packet whose first
        pair has just come and waits w trials.
        """
        p, w = self.chance, self.alive
        q = 1.0 - p
        out = np.ones(trials + 1)
        powers = q ** np.arange(min(trials, w) + 1)
        for n in range(1, trials + 1):
            m = n - 1
            after = powers[m] if m <= w else powers[w] * out[m - w]
            out[n] = q * out[n - 1] + p * after
        return out

    def window(self, p_packet: float, most: int) -> int | None:
        """Fewest trials in which a packet is complete with a probability; None where so many are not enough."""
        if self.alive < 1:
            return None
        u = self.incomplete(most)
        enough = np.flatnonzero(u <= 1.0 - p_packet)
        return int(enough[0]) if len(enough) else None

    def trials_used(self, most: int, rng: np.random.Generator, age: int | None = None) -> Made:
        """One window.

        Args:
            most: trials in it.
            rng: draws.
            age: trials since the first pair of the packet came; None where there is none.
        """
        spent, last = 0, None if age is None else -age
        while True:
            spent += int(rng.geometric(self.chance))
            if spent > most:
                return Made(most, False, None if last is None else most - last)
            if last is not None and spent - last <= self.alive:
                return Made(spent, True, None)
            last = spent


class Made(NamedTuple):
    """What a window gave: trials that it took, whether the packet is complete, and trials since its last pair."""

    trials: int
    complete: bool
    age: int | None


def garr() -> nx.Graph:
    """Garr201201 with fibre as long as the great circle (the atlas has no lengths of cables)."""
    sketch = read_atlas("topozoo/Garr201201", 1.0, merge=True)
    graph = nx.Graph()
    for span in sketch.spans:
        graph.add_edge(span.a, span.b, length=span.length)
    return graph


def applications(graph: nx.Graph, model: Model, seed: int, count: int = 100) -> list[Application]:
    """Draw applications: two ends at random, the path of fewest links (the shortest of these), a phase in the period."""
    rng = np.random.default_rng([seed, count])
    nodes = sorted(graph)
    out = []
    for k in range(count):
        a, b = rng.choice(len(nodes), 2, replace=False)
        path = nx.shortest_path(graph, nodes[a], nodes[b], weight=lambda u, v, d: 1.0 + d["length"] * 1e-9)
        release = from_seconds(float(rng.uniform(0.0, model.period)))
        out.append(_application(f"app{k}", graph, path, model, release))
    return out


def _application(name: str, graph: nx.Graph, path: list[str], model: Model, release: Time) -> Application:
    lengths = [graph.edges[pair]["length"] for pair in pairwise(path)]
    links = tuple("~".join(sorted(pair)) for pair in pairwise(path))
    hops = len(links)
    one = 1.0 - (1.0 - model.generation) ** model.tries
    chance = one**hops * model.swap ** (hops - 1)
    travel = (max(lengths) + (sum(lengths) if hops > 1 else 0.0)) / LIGHT if model.delay else 0.0
    cycle = model.slot + travel
    alive = 1 << 40
    if model.floor > 0.0:
        fresh = ((4.0 * model.link_fidelity - 1.0) / 3.0) ** hops
        least = (4.0 * model.floor - 1.0) / 3.0
        # a pair is one trial old when its ends know of it
        room = model.memory * math.log(fresh / least) if fresh > least else 0.0
        alive = max(0, math.floor((room - travel) / cycle))
    return Application(name, links, chance, from_seconds(cycle), alive, release)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of the packets.

    Attributes:
        admitted: applications.
        alone: applications refused because they cannot keep up even with all their links for themselves.
        load: applications refused because the links are taken.
        completed: share of the packets of the admitted ones.
        rate: completed packets per second.
        makespan: s.
    """

    admitted: int
    alone: int
    load: int
    completed: float
    rate: float
    makespan: float


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whom admission takes, and why not the others."""

    taken: tuple[Application, ...]
    alone: tuple[Application, ...]
    load: tuple[Application, ...]


def admit(apps: Sequence[Application], model: Model, p_packet: float, fill: float) -> Admitted:
    """Refuse what cannot keep up with its links for itself; of the rest take as many as the links can carry.

    Args:
        apps: that ask.
        model: of packets.
        p_packet: probability that sets the window.
        fill: share of each link's time that may be promised, on average.
    """
    able, alone, offers = {}, [], []
    for app in apps:
        trials = from_seconds(model.period) // app.cycle
        u = app.incomplete(trials) if app.alive >= 1 else np.ones(2)
        if u[-1] > 1.0 - KEPT or app.window(p_packet, trials) is None:
            alone.append(app)
            continue
        able[app.name] = app
        busy = float(u[:-1].sum()) * app.cycle / from_seconds(model.period)  # mean trials of a packet
        offers.append(Offer(app.name, 1.0, dict.fromkeys(app.links, busy)))
    names = {link: fill for app in apps for link in app.links}
    taken = {offer.name for offer in by_value(offers, names, rounds=2)}
    return Admitted(
        tuple(app for name, app in able.items() if name in taken),
        tuple(alone),
        tuple(app for name, app in able.items() if name not in taken),
    )


def online(
    apps: Sequence[Application], model: Model, p_packet: float, seed: int, keep: bool = False
) -> Result:
    """Earliest deadline first, with defer, retry and drop: a packet that fails is tried again while a window fits before its deadline.

    Args:
        apps: all of them, admitted or not.
        model: of packets.
        p_packet: sets the windows.
        seed: of the draws.
        keep: the pair of an incomplete packet waits in its memories for the next window, instead of being thrown away; and the last
            window before a deadline may be shorter than the others.
    """
    rng = np.random.default_rng([seed, 7])
    period = from_seconds(model.period)
    edf = EarliestDeadline()
    windows = {app.name: app.window(p_packet, period // app.cycle) or 0 for app in apps}
    by_name = {app.name: app for app in apps}
    events: list[
        tuple[Time, int, str, int, bool]
    ] = []  # time, rank (ends first), application, packet, complete
    for app in apps:
        heapq.heappush(events, (app.release, 1, app.name, 0, False))
    waiting: list[tuple[Waiting, str, int]] = []
    kept: dict[tuple[str, int], Time] = {}  # when the pair of a packet came
    busy: set[str] = set()
    done = dropped = finish = 0
    while events:
        now, rank, name, packet, complete = heapq.heappop(events)
        app = by_name[name]
        job = _packet(app, packet, 1 if keep else windows[name], period)
        if rank == 1:
            if packet + 1 < model.packets:
                heapq.heappush(events, (now + period, 1, name, packet + 1, False))
            waiting.append((job, name, packet))
        else:
            busy.difference_update(app.links)
            if complete:
                done, finish = done + 1, max(finish, now)
            elif edf.failed(job, now) is Verdict.RETRY:
                waiting.append((job, name, packet))
            else:
                dropped += 1
        waiting.sort(key=lambda each: (each[0].deadline, each[0].arrived))
        still = []
        for each in waiting:
            job, name, packet = each
            app = by_name[name]
            if not windows[name] or edf.verdict(job, now) is Verdict.DROP:
                dropped += 1
            elif busy.isdisjoint(app.links):
                assert job.deadline is not None
                most = min(windows[name], (job.deadline - now) // app.cycle)
                came = kept.pop((name, packet), None)
                made = app.trials_used(most, rng, None if came is None else (now - came) // app.cycle)
                end = now + made.trials * app.cycle
                if keep and made.age is not None:
                    kept[name, packet] = end - made.age * app.cycle
                busy.update(app.links)
                heapq.heappush(events, (end, 0, name, packet, made.complete))
            else:
                still.append(each)
        waiting = still
    total = done + dropped
    first = min((app.release for app in apps), default=0)
    makespan = (finish - first) / SECOND
    return Result(len(apps), 0, 0, done / total if total else 1.0, done / makespan if done else 0.0, makespan)


def _packet(app: Application, number: int, window: int | None, period: Time) -> Waiting:
    released = app.release + number * period
    length = (window or 0) * app.cycle
    return Waiting(f"{app.name}#{number}", arrived=released, deadline=released + period, length=length)


def admitted_online(
    apps: Sequence[Application], model: Model, p_packet: float, seed: int, fill: float
) -> Result:
    """Admission, then `online` for those that were admitted."""
    found = admit(apps, model, p_packet, fill)
    result = online(found.taken, model, p_packet, seed, keep=True)
    return replace(result, alone=len(found.alone), load=len(found.load))


def static(
    apps: Sequence[Application], model: Model, p_packet: float, seed: int, gaps: bool
) -> Result | None:
    """One window in each period, laid down in advance, until every application has its packets; None where there is no timetable.

    `completed` is the share of windows that gave a packet.
    """
    period = from_seconds(model.period)
    tasks = []
    for app in apps:
        window = app.window(p_packet, period // app.cycle)
        if window is None:
            return None
        tasks.append(Task(app.name, period, window * app.cycle, app.links))
    table = draw_up(tasks, gaps)
    if isinstance(table, Infeasible):
        return None
    rng = np.random.default_rng([seed, 8])
    windows = used = 0
    for app in apps:
        most = app.window(p_packet, period // app.cycle) or 0
        chance = 1.0 - float(app.incomplete(most)[-1])
        tries = model.packets + int(rng.negative_binomial(model.packets, chance))
        windows += tries
        used = max(used, tries)
    total = model.packets * len(apps)
    makespan = used * model.period
    return Result(len(apps), 0, 0, total / windows, total / makespan, makespan)


def heaviest(apps: Sequence[Application], model: Model) -> float:
    """Mean share of its time for which the busiest link would be wanted, if all of these were served."""
    wanted: dict[str, float] = {}
    period = from_seconds(model.period)
    for app in apps:
        busy = float(app.incomplete(period // app.cycle)[:-1].sum()) * app.cycle / period
        for link in app.links:
            wanted[link] = wanted.get(link, 0.0) + busy
    return max(wanted.values(), default=0.0)


FILL = 0.5
"""Share of each link's time that admission promises."""


def measure(quick: bool = False, progress: Callable[[str], None] = print) -> list[dict[str, Any]]:
    """Rows of the table: model, p_packet, seed, and what each scheduler completes, beside the published figures."""
    graph = garr()
    rows: list[dict[str, Any]] = []
    for seed in (1,) if quick else (1, 2, 3):
        for p_packet in (0.1,) if quick else (0.1, 0.5, 0.9):
            for name, model in (("idealised", IDEAL), ("real", REAL)):
                progress(f"GARR, {name}, p = {p_packet}, seed {seed}")
                if quick:
                    model = replace(model, packets=10)
                apps = applications(graph, model, seed)
                every = online(apps, model, p_packet, seed)
                found = admit(apps, model, p_packet, FILL)
                ours = admitted_online(apps, model, p_packet, seed, FILL)
                table = static(apps, model, p_packet, seed, gaps=False) if name == "idealised" else None
                theirs = THEIRS[p_packet] if name == "idealised" else None
                rows.append(
                    {
                        "model": name, "p_packet": p_packet, "seed": seed,
                        "theirs_online": theirs[0][seed - 1] if theirs else None,
                        "theirs_static": theirs[1][seed - 1] if theirs else None,
                        "online": every.completed, "online_rate": every.rate,
                        "static": table.completed if table else None,
                        "ours": ours.completed, "ours_rate": ours.rate, "admitted": ours.admitted,
                        "refused_alone": ours.alone, "refused_load": ours.load,
                        "load_of_all": heaviest([*found.taken, *found.load], model),
                    }
                )  # fmt: skip
    return rows
