"""Several controllers in one fabric: each seated in its domain, with the classical delays between them, and nobody above them.

A `Federation` is a `Fabric` whose one controller's seat is many. Nodes talk to the controller of their domain; a request goes to the
controller of its source. Plant, node agents, clock and watchers are the same.

Limits:
    Letters inside a domain arrive once and in time. Those between domains may be lost, doubled or cut off, because what is said there
    ends by itself; there are no endpoints (`quantum_fabric.control.transport`), no wrong clocks, no scheduling disciplines here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from quantum_fabric.control.distributed.domain import DomainController, numbered
from quantum_fabric.control.distributed.flooding import REFRESH, TELL
from quantum_fabric.control.distributed.territory import Territory
from quantum_fabric.control.ledger import Lease
from quantum_fabric.control.recovery import Journal
from quantum_fabric.documents import Inventory
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.fabric import FAULT, MESSAGE, TIMER, Fabric
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Accept,
    Ask,
    Calibrate,
    Cancel,
    Client,
    ClockStep,
    ControllerFailed,
    ControllerRecovered,
    DryRun,
    Event,
    Explain,
    LinkRequest,
    Message,
    Partition,
    Renegotiate,
    Send,
    Wake,
    WhatIf,
)
from quantum_fabric.messages import Asking as Answers
from quantum_fabric.network.topology import Topology
from quantum_fabric.ports import Action
from quantum_fabric.units import MS, Time

ASKS_AGAIN: Time = 10 * MS
"""After which a client asks again where no controller is, ps."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A part of a network with a controller of its own.

    Attributes:
        nodes: of the domain.
        home: node where its controller is; the first where none is named.
        public: nodes that others may ask for, besides those at the border; all of its nodes where None.
    """

    nodes: tuple[str, ...]
    home: str = ""
    public: tuple[str, ...] | None = None


class Commons:
    """What the books of all controllers say together, for whoever looks from outside."""

    def __init__(self, deciders: Mapping[str, DomainController]) -> None:
        self._deciders = deciders

    @property
    def ledger(self) -> Commons:
        """The ledgers of all."""
        return self

    def leases(self) -> list[Lease]:
        """Every lease that is out."""
        return [lease for decider in self._deciders.values() for lease in decider.ledger.leases()]


class Federation(Fabric):
    """A quantum network of several domains, in virtual time.

    Args:
        inventory: the plant as it is.
        domains: by name; each node is in exactly one.
        believed: the plant as the controllers take it to be.
        seed: of every random draw.
        states: as for `Fabric`.
        replica: as for `Fabric`.
        refresh: how often a domain tells the others of itself, ps.
        loss: probability that a letter between domains is lost.
        duplication: probability that it comes twice.

    Attributes:
        deciders: the controllers, by the name of their domain.
        letters: how many were sent between domains, by type; ``"lost"`` and ``"doubled"`` among them.

    Raises:
        InputError: a node in no domain or in two, a home outside of its domain, a name that a node or the fabric has.

    Examples:
        >>> from quantum_fabric import documents
        >>> lab = documents.inventory(documents.load_network("lab"))
        >>> both = Federation(lab, {"one": Domain(("Alice",)), "two": Domain(("Bob",))}, seed=1)
        >>> sorted(both.deciders), both.deciders["one"].territory.ports
        (['one', 'two'], ('Alice',))
    """

    def __init__(
        self, inventory: Inventory, domains: Mapping[str, Domain], *, believed: Inventory | None = None, seed: int = 0,
        states: str | None = None, replica: int = 0, refresh: Time = REFRESH, loss: float = 0.0, duplication: float = 0.0,
    ) -> None:  # fmt: skip
        for name, share in (("loss", loss), ("duplication", duplication)):
            if not 0.0 <= share < 1.0:
                raise InputError(str(share), "a probability in [0, 1)", name)
        self._seat_of = _seats(inventory, domains)
        super().__init__(inventory, believed=believed, seed=seed, states=states, replica=replica)
        territories = split(self.topology, domains, self._seat_of)
        numbers = numbered(territories)
        dice = self.streams.stream("domains/secret")
        self.deciders: dict[str, DomainController] = {}
        for seat, territory in sorted(territories.items()):
            secret = b"".join(dice.bits().to_bytes(8, "little") for _ in range(4))
            self.deciders[seat] = DomainController(territory, numbers[seat], secret, refresh)
            self.clock.schedule(0, TIMER, self._wake, (seat, Wake(0, TELL, 0, seat)))
        self.controller = Commons(self.deciders)  # type: ignore[assignment]
        self.letters: Counter[str] = Counter()
        self._loss, self._duplication = loss, duplication
        self._homes = {seat: each.topology.controller for seat, each in territories.items()}
        self._where: dict[str, str] = {}
        self._partitions: list[Partition] = []
        self._journals: dict[str, Journal] = {}
        self._down: set[str] = set()
        self._missed: defaultdict[str, list[Wake]] = defaultdict(list)
        self._lives: Counter[str] = Counter()

    # ------------------------------------------------------------------------------------------ outside

    def submit(self, request: LinkRequest | Ask, at: Time | None = None) -> str:
        """Ask the controller of the source for a link (`Fabric.submit`)."""
        wish = request if isinstance(request, LinkRequest) else request.request
        name = super().submit(request, at)
        self._where[name] = self._seat_of[wish.source]
        return name

    def inquire(self, message: Accept | DryRun | Explain | Renegotiate | WhatIf) -> Client | Answers | None:
        """Tell a controller something that it answers at once (`Fabric.inquire`).

        Raises:
            InputError: a change, or a supposition, that concerns several domains.
        """
        if isinstance(message, WhatIf | Renegotiate):
            wishes = (*message.requests, *message.load) if isinstance(message, WhatIf) else (message.wish,)
            seats = {self._seat_of.get(end) for each in wishes for end in (each.source, each.destination)}
            if len(seats) > 1:
                raise InputError(type(message).__name__, "requests within one domain", "request")
            self._where.setdefault(message.request, next(iter(seats)) or "")
        return super().inquire(message)

    def inject(self, event: Event | Calibrate | Partition | ClockStep, at: Time | None = None) -> None:
        """Let a fault happen (`Fabric.inject`). A `Partition` names nodes, or domains by their names.

        Raises:
            InputError: a clock that is wrong.
            UnknownNameError: no such node, link or domain.
        """
        if isinstance(event, ClockStep):
            raise InputError("ClockStep", "a fault that a federation has (clocks are right in it)")
        if not isinstance(event, Partition):
            super().inject(event, at)
            return
        nodes: list[str] = []
        for name in event.nodes:
            if name not in self.deciders and name not in self._seat_of:
                raise UnknownNameError(found=repr(name), expected="a node or a domain", where="partition")
            nodes += [node for node, seat in self._seat_of.items() if seat == name] or [name]
        parted = Partition(tuple(nodes), event.until)
        self._faults.append(self.clock.schedule(self.now if at is None else at, FAULT, self._part, parted))

    def restart_domain(self, domain: str, down_for: Time, at: Time | None = None) -> None:
        """Let the controller of a domain stop at a time and come back from its journal; nobody hears it meanwhile.

        Args:
            domain: its name.
            down_for: for how long, ps.
            at: when, ps; now where it is not given.

        Raises:
            UnknownNameError: no such domain.
            InputError: a negative time.
        """
        if domain not in self.deciders:
            known = ", ".join(sorted(self.deciders))
            raise UnknownNameError(found=repr(domain), expected=f"one of {known}", where="domain")
        if down_for < 0:
            raise InputError(f"{down_for} ps", "a time that is not negative", "down_for")
        if domain not in self._journals:
            self._journals[domain] = self._journal(domain)
        self.clock.schedule(self.now if at is None else at, FAULT, self._stop, (domain, down_for))

    # ------------------------------------------------------------------------------------------- inside

    def _part(self, event: Partition) -> None:
        self.tell("plant", event)
        self._partitions.append(event)

    def _place(self, seat: str) -> str:
        return self._homes.get(seat, seat)

    def _cut(self, one: str, two: str) -> bool:
        a, b = self._place(one), self._place(two)
        return any(
            self.now < each.until and (a in each.nodes) != (b in each.nodes) for each in self._partitions
        )

    def _carry(self, seat: str, send: Send) -> None:
        to = self._seat_of[seat] if send.to == CONTROLLER else send.to
        if to == CLIENT:
            self.clock.schedule(self.now, MESSAGE, self._arrive, (CLIENT, send.message))
            return
        copies = 1
        if seat in self.deciders and to in self.deciders and seat != to:
            self.letters[type(send.message).__name__] += 1
            stream = self.streams.stream(f"letters {seat}>{to}")
            copies = 0 if stream.flip(self._loss) else 1 + stream.flip(self._duplication)
            self.letters["lost"] += copies == 0
            self.letters["doubled"] += copies == 2
        if self._cut(seat, to):
            self.letters["lost"] += copies > 0
            return
        at = self.now + self.delay(seat, to)
        for _ in range(copies):
            self.clock.schedule(at, MESSAGE, self._arrive, (to, send.message))

    def delay(self, sender: str, receiver: str) -> Time:
        """One-way classical delay between two seats (nodes, domains); a client is where the controller of its source is, ps."""
        if CLIENT in (sender, receiver):
            return 0
        one, two = self._place(sender), self._place(receiver)
        return 0 if one == two else self.inventory.delays[one, two]

    def _arrive(self, letter: tuple[str, Any]) -> None:
        seat, message = letter
        if seat == CONTROLLER:
            seat = self._concerns(message)
            if isinstance(message, LinkRequest | Ask):
                name = message.name if isinstance(message, LinkRequest) else message.request.name
                if seat in self._down:  # its client tries until somebody is there
                    self._coming[name] = self.clock.schedule(
                        self.now + ASKS_AGAIN, MESSAGE, self._arrive, (CONTROLLER, message)
                    )
                    return
                self._coming.pop(name, None)
        if seat not in self.deciders:
            super()._arrive((seat, message))
        elif seat in self._down:
            self.letters["lost"] += 1
        else:
            self.tell(seat, message)
            self.act(seat, self.ask(seat, message))

    def _concerns(self, message: Message) -> str:
        """The seat that a message of a client is for."""
        match message:
            case LinkRequest(source=source):
                return self._seat_of[source]
            case Ask(request=wish) | DryRun(request=wish) | Explain(request=wish):
                return self._seat_of[wish.source]
            case (
                Cancel(request=name) | Accept(request=name) | Renegotiate(request=name) | WhatIf(request=name)
            ):
                return self._where.get(name) or next(iter(sorted(self.deciders)))
        raise InputError(type(message).__name__, "a message of a client")

    def ask(self, seat: str, message: Message) -> Sequence[Action]:
        """What a seat's decider answers."""
        decider = self.deciders.get(seat)
        if decider is None:
            return self.agents[seat].handle(message, self.now)
        journal = self._journals.get(seat)
        if journal is None:
            return decider.handle(message, self.now)
        journal.write(message, self.now)
        actions = decider.handle(message, self.now)
        journal.acted(cast("Any", decider), message, actions)
        return actions

    def _wake(self, reminder: tuple[str, Wake]) -> None:
        seat, wake = reminder
        if seat not in self.deciders:
            super()._wake(reminder)
        elif seat in self._down:
            self._missed[seat].append(wake)
        else:
            self.act(seat, self.ask(seat, wake))

    def _journal(self, seat: str) -> Journal:
        decider = self.deciders[seat]
        return Journal(cast("Any", decider), decider.configuration)

    def _stop(self, fault: tuple[str, Time]) -> None:
        seat, down_for = fault
        if seat in self._down:
            return
        self._down.add(seat)
        self._lives[seat] += 1
        self.tell(seat, ControllerFailed(self._lives[seat]))
        self.clock.schedule(self.now + down_for, FAULT, self._back, seat)

    def _back(self, seat: str) -> None:
        journal = self._journals[seat]
        replayed = journal.inputs
        restored, _ = journal.restored()  # its reminders are still with the clock
        self.deciders[seat] = cast("DomainController", restored)
        self._journals[seat] = self._journal(seat)
        self._down.discard(seat)
        news = ControllerRecovered(self._lives[seat] + 1, replayed)
        self.tell(seat, news)
        self.act(seat, self.ask(seat, news))
        for wake in self._missed.pop(seat, ()):
            self.act(seat, self.ask(seat, wake))


def _seats(inventory: Inventory, domains: Mapping[str, Domain]) -> dict[str, str]:
    """The domain of each node."""
    found: dict[str, str] = {}
    for seat, domain in domains.items():
        if seat in inventory.nodes or seat in (CONTROLLER, CLIENT, ""):
            raise InputError(repr(seat), "a name that nothing else has", "domains")
        for name in domain.nodes:
            if name not in inventory.nodes:
                raise UnknownNameError(
                    found=repr(name), expected="a node of this network", where=f"domain {seat}"
                )
            if name in found:
                raise InputError(
                    repr(name), f"a node of one domain, not of {found[name]} too", f"domain {seat}"
                )
            found[name] = seat
        if domain.home and domain.home not in domain.nodes:
            raise InputError(repr(domain.home), "one of its nodes", f"home of domain {seat}")
    left = sorted(set(inventory.nodes) - found.keys())
    if left:
        raise InputError(f"{left[0]} in no domain", "each node in one", "domains")
    return found


def split(
    topology: Topology, domains: Mapping[str, Domain], seat_of: Mapping[str, str]
) -> dict[str, Territory]:
    """What each domain knows from the start: its own nodes and links, and the links that leave it.

    Args:
        topology: the believed network.
        domains: by name.
        seat_of: the domain of each node.

    Examples:
        >>> from quantum_fabric import documents
        >>> lab = documents.topology(documents.inventory(documents.load_network("lab")))
        >>> parts = {"one": Domain(("Alice",)), "two": Domain(("Bob",))}
        >>> list(split(lab, parts, {"Alice": "one", "Bob": "two"})["one"].crossings)
        ['Alice~Bob']
    """
    found = {}
    for seat, domain in domains.items():
        own = set(domain.nodes)
        nodes = {name: topology.nodes[name] for name in domain.nodes}
        inner = {name: link for name, link in topology.links.items() if {link.a, link.b} <= own}
        crossings = {name: link for name, link in topology.links.items() if len({link.a, link.b} & own) == 1}
        beside = {seat_of[end] for link in crossings.values() for end in (link.a, link.b)} - {seat}
        home = domain.home or domain.nodes[0]
        mine = Topology(nodes, inner, topology.delays, home)
        public = frozenset(domain.nodes if domain.public is None else domain.public)
        found[seat] = Territory(seat, mine, crossings, public, tuple(sorted(beside)))
    return found
