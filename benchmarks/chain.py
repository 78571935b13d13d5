"""Our side of the chain workload: a fabric serves one long request from end to end.

The whole of it runs: admission, planning, two-phase installation, agents acting on rules, messages with their delay,
leases renewed, each pair estimated, delivered and accounted for. Three sets of rules:

    messages    attempts every L/c; every message takes the light's time; swaps as soon as possible
    instant     the same, but messages take no time: swaps are known everywhere at once (a lower bound of the waiting time)
    nested      attempts every 4 L/c and swaps in nested order, as SeQUeNCe does them
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from time import process_time
from typing import Any
from unittest.mock import patch

from benchmarks.workload import Chain
from quantum_fabric.devices import Memory, Node
from quantum_fabric.documents import Inventory, LinkEntry
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Delivered, Join, LinkRequest, Message, Order, Outcome, Plan, Status, Truth
from quantum_fabric.network import Topology
from quantum_fabric.network import plan as planned
from quantum_fabric.units import SECOND, Time

RULES = ("messages", "instant", "nested")

FOREVER: Time = 10**6 * SECOND


@dataclass(frozen=True, slots=True)
class Served:
    """What serving one request took.

    Attributes:
        pairs: delivered.
        events: that the clock ran.
        cpu: seconds, from the request to its outcome.
        setup: the part of `cpu` until the first pair was used: admission, planning, installation.
        ms_per_pair: simulated time between deliveries, ms.
        fidelity: mean true fidelity of the delivered pairs.
        estimated: mean fidelity that the control plane told the client.
    """

    pairs: int
    events: int
    cpu: float
    setup: float
    ms_per_pair: float
    fidelity: float
    estimated: float


def inventory(chain: Chain, rules: str) -> Inventory:
    """The chain as documents would describe it."""
    names = chain.names
    rest = (1.0 - chain.fresh) / 3
    period = 4 * chain.delay if rules == "nested" else chain.delay
    # a photon needs L/2c to the middle, and word of the click as long again: an end hears after L/c, whatever the period
    model = FixedLink(
        success=chain.success,
        weights=(chain.fresh, rest, rest, rest),
        period=period,
        heard=(chain.delay, chain.delay),
    )
    hops = list(pairwise(names))
    links = {f"{a}~{b}": LinkEntry(f"{a}~{b}", a, b, model, chain.hop, chain.delay) for a, b in hops}
    node = Node(memory=Memory(t1=chain.memory_time, t2=chain.memory_time), slots=2)
    step = 0 if rules == "instant" else chain.delay
    delays = {(a, b): step * abs(i - j) for i, a in enumerate(names) for j, b in enumerate(names)}
    return Inventory(
        nodes=dict.fromkeys(names, node),
        links=links,
        delays=delays,
        controller=names[0],
        positions={},
        title=f"chain of {chain.nodes}",
        relays=frozenset(names),
    )


class Service:
    """A fabric that serves one long request, in two legs: to the first pair, and to the outcome.

    Args:
        chain: the workload.
        rules: one of `RULES`.
        pairs: how many to ask for.
        seed: of the run.
    """

    def __init__(self, chain: Chain, rules: str, pairs: int, seed: int = 1) -> None:
        self.fabric = Fabric(inventory(chain, rules), seed=seed)
        self.pairs = pairs
        self._rules = rules
        self._truths: list[Truth] = []
        self._ended = False
        self.fabric.watch(self._see, Truth, Outcome)
        self._name = self.fabric.submit(
            LinkRequest(chain.names[0], chain.names[-1], fidelity=0.51, pairs=pairs)
        )

    def _see(self, time: Time, place: str, message: Message) -> None:
        if isinstance(message, Truth):
            self._truths.append(message)
        else:
            self._ended = True

    def begin(self) -> None:
        """Admit, plan, install, and deliver the first pair."""
        with _planning(self._rules):
            self.fabric.run(FOREVER, stop=lambda: self._ended or bool(self._truths))

    def finish(self) -> None:
        """Deliver the rest."""
        self.fabric.run(FOREVER, stop=lambda: self._ended)

    def served(self, setup: float, cpu: float) -> Served:
        """The result, with the CPU seconds of the first leg and of both.

        Raises:
            RuntimeError: the request did not end well.
        """
        replies = self.fabric.replies(self._name)
        last = replies[-1]
        if not isinstance(last, Outcome) or last.status is not Status.COMPLETED:
            raise RuntimeError(f"the chain's request ended so: {last}")
        told = [reply for reply in replies if isinstance(reply, Delivered)]
        span = told[-1].delivered_at - told[0].delivered_at
        return Served(
            pairs=len(told),
            events=self.fabric.clock.events,
            cpu=cpu,
            setup=setup,
            ms_per_pair=span / (len(told) - 1) / 1e9,
            fidelity=sum(truth.weights[0] for truth in self._truths[: self.pairs]) / self.pairs,
            estimated=sum(pair.fidelity for pair in told) / len(told),
        )


def serve(chain: Chain, rules: str, pairs: int, seed: int = 1) -> Served:
    """Ask for pairs from end to end and run until they are there.

    Raises:
        RuntimeError: the request was not served as the workload wants it.
    """
    service = Service(chain, rules, pairs, seed)
    began = process_time()
    service.begin()
    first = process_time()
    service.finish()
    return service.served(first - began, process_time() - began)


def measure(nodes: int, rules: str, pairs: int, seed: int = 1) -> dict[str, Any]:
    """`serve`, for the worker, when everything is imported that is imported late (so it is for the peer as well)."""
    serve(Chain(3), rules, 2)
    return asdict(serve(Chain(nodes), rules, pairs, seed))


@contextmanager
def _planning(rules: str) -> Iterator[None]:
    """Let the controller plan for itself, hold it to the workload, and change the order where the rules say so."""

    def plan(topology: Topology, request: LinkRequest, *rest: Any, **named: Any) -> Plan:
        found = planned(topology, request, *rest, **named)
        if not isinstance(found, Plan):
            raise RuntimeError(f"the chain's request was refused: {found}")
        plain = found.cutoff is None and found.end_rounds == 0 and found.order is Order.ASAP
        if not plain or any(link.lanes != 1 or link.rounds for link in found.links):
            raise RuntimeError(f"the planner chose another scheme than the workload's: {found}")
        return replace(found, order=Order.NESTED, joins=_halves(found.path)) if rules == "nested" else found

    with patch("quantum_fabric.control.controller.make_plan", plan):
        yield


def _halves(path: tuple[str, ...]) -> tuple[Join, ...]:
    """The swap tree that joins neighbours, then neighbouring pairs, and so on."""
    last = len(path) - 1
    joins: list[Join] = []
    reach = 1
    while reach < last:
        middles = range(reach, last, 2 * reach)
        joins += (Join(path[m], path[m - reach], path[min(m + reach, last)]) for m in middles)
        reach *= 2
    return tuple(joins)
