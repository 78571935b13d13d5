"""The one room where the wings meet: seats the deciders, carries messages with their delay, runs the clock.

Nothing here decides and nothing here is quantum. Every message passes the watchers before it reaches its receiver, so that
what a caller hears is in the journal already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from quantum_fabric.control import Controller, NodeAgent
from quantum_fabric.control.choosing import Policy
from quantum_fabric.control.scheduling.turns import DEFAULT, Scheduling
from quantum_fabric.control.sense import check_request
from quantum_fabric.control.verification import Verification
from quantum_fabric.documents import Inventory, topology
from quantum_fabric.errors import Caution, InputError, UnknownNameError
from quantum_fabric.faults import fault
from quantum_fabric.hands import Hands
from quantum_fabric.kernel import Clock, Handle, Priority, Streams
from quantum_fabric.kernel.order import ranked
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Accept,
    Ask,
    Asking,
    Calibrate,
    Cancel,
    Client,
    ClockStep,
    Command,
    Drifted,
    DryRun,
    Event,
    Explain,
    Letter,
    LinkRequest,
    Message,
    Outcome,
    Partition,
    Receipt,
    Renegotiate,
    Send,
    SharedTruth,
    Stale,
    Status,
    Truth,
    Wake,
    WhatIf,
)
from quantum_fabric.network.methods import Method
from quantum_fabric.plant import build_twin
from quantum_fabric.ports import Action, Answer, Watcher
from quantum_fabric.post import Channel, Post
from quantum_fabric.twin import Twin
from quantum_fabric.units import Time

MESSAGE = ranked(Priority.MESSAGE)
TIMER = ranked(Priority.TIMER)
FAULT = ranked(Priority.FAULT)


class Fabric:
    """A quantum network with its control plane, in virtual time.

    Args:
        inventory: the plant as it is.
        believed: the plant as the control plane takes it to be; the same where it is not given.
        seed: of every random draw.
        states: how the states of pairs are kept (`quantum_fabric.twin.STATES`); as the inventory says where it is not given.
        replica: number of the repetition; each has its own draws.
        policy: chooses what repeaters swap, instead of the rules.
        channel: the classical plane, where it is not perfect: then letters are numbered, acknowledged and sent again.
        scheduling: whose turn it is when slots are short, what tenants may have, and what is closed for upkeep when.
        verification: how pairs are tested, and how sure an alarm must be; None for no tests.
        planning: how plans are looked for; thoroughly up to `quantum_fabric.network.methods.SWIFT_ABOVE` nodes and swiftly above
            where it is not given.

    Raises:
        UnknownNameError: another way to keep states.

    Examples:
        >>> from quantum_fabric import documents
        >>> fabric = Fabric(documents.inventory(documents.load_network("lab")), seed=1)
        >>> fabric.now
        0
    """

    def __init__(
        self,
        inventory: Inventory,
        *,
        believed: Inventory | None = None,
        seed: int = 0,
        states: str | None = None,
        replica: int = 0,
        policy: Policy | None = None,
        channel: Channel | None = None,
        scheduling: Scheduling = DEFAULT,
        verification: Verification | None = None,
        planning: Method | None = None,
    ) -> None:
        self.inventory = inventory
        self.states = inventory.states if states is None else states
        self.topology = topology(believed or inventory)
        self.streams = Streams(seed, replica)
        self.clock, self.twin = self._plant()
        dice = self.streams.stream("controller/secret")
        secret = b"".join(dice.bits().to_bytes(8, "little") for _ in range(4))
        self.controller = Controller(
            self.topology, secret=secret, scheduling=scheduling, verification=verification, planning=planning
        )
        self.agents = {name: NodeAgent(name, node.slots, policy) for name, node in inventory.nodes.items()}
        self._delays: dict[tuple[str, str], Time] = {}
        self._watchers: dict[type, list[Watcher]] = {}
        self._watch_all: list[Watcher] = []
        self._replies: dict[str, list[Client]] = {}
        self._names = 0
        self._keys: dict[str, LinkRequest] = {}
        self._open: set[str] = set()
        self._holding: set[str] = set()  # requests that may keep pairs after their outcome
        self._coming: dict[str, Handle] = {}  # requests that are yet to be asked
        self._faults: list[Handle] = []
        self._hands = Hands(self)
        self._post: Post | None = None
        if channel is not None:
            self.imperfect(channel)

    # ------------------------------------------------------------------------------------------ outside

    @property
    def now(self) -> Time:
        """Virtual time, ps."""
        return self.clock.now

    @property
    def open_requests(self) -> frozenset[str]:
        """Requests that have had no outcome yet."""
        return frozenset(self._open)

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """Where the run so far has used a model outside its validity; empty where all is well."""
        return self.twin.cautions

    def watch(self, watcher: Watcher, *types: type) -> None:
        """Show every message of these types (all, where none is given) to a watcher as it happens."""
        if not types:
            self._watch_all.append(watcher)
        for kind in types:
            self._watchers.setdefault(kind, []).append(watcher)

    def submit(self, request: LinkRequest | Ask, at: Time | None = None) -> str:
        """Ask for a link at a time (now, where none is given), or for an offer of one; returns the request's name.

        A request that repeats a key is the same request: its name is returned, and the controller says again what it said.

        Raises:
            InputError: the request makes no sense on any network.
            UnknownNameError: a node that is not in this one.
            CausalityError: the time is past.
        """
        at = self.now if at is None else at
        wish = request if isinstance(request, LinkRequest) else request.request
        for end, node in (("source", wish.source), ("destination", wish.destination)):
            if node not in self.agents:
                known = ", ".join(sorted(self.agents))
                raise UnknownNameError(found=repr(node), expected=f"one of the nodes {known}", where=end)
        check_request(wish, at)
        same = self._keys.get(wish.key)
        if same is not None and replace(same, name=wish.name) == wish:
            self.clock.schedule(at, MESSAGE, self._arrive, (CONTROLLER, same))
            return same.name
        name = wish.name or self._name("request")
        if name in self._replies:
            raise InputError(found=repr(name), expected="a name that no other request has", where="name")
        named = replace(wish, name=name)
        letter = named if isinstance(request, LinkRequest) else Ask(named)
        self._coming[name] = self.clock.schedule(at, MESSAGE, self._arrive, (CONTROLLER, letter))
        if wish.key and same is None:
            self._keys[wish.key] = named
        self._replies[name] = []
        self._open.add(name)
        if wish.hold:
            self._holding.add(name)
        return name

    def _name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}-{self._names}"

    def inquire(self, message: Accept | DryRun | Explain | Renegotiate | WhatIf) -> Client | Asking | None:
        """Tell the controller something that it answers at once, and run until it has; None where it has nothing to say.

        A `Renegotiate` that needs another plan is answered when its nodes are prepared: look for that in `replies`.
        """
        match message:
            case DryRun(request) | Explain(request):
                name = request.name or self._name("question")
                message = replace(message, request=replace(request, name=name))
            case _:
                name = message.request
        heard = self._replies.setdefault(name, [])
        before = len(heard)
        self.clock.schedule(self.now, MESSAGE, self._arrive, (CONTROLLER, message))
        self.run(self.now, stop=lambda: len(heard) > before)
        return heard[before] if len(heard) > before else None

    def cancel(self, name: str) -> None:
        """Withdraw a request, or let go of the pairs that it holds."""
        self.clock.schedule(self.now, MESSAGE, self._arrive, (CONTROLLER, Cancel(name)))

    def inject(self, event: Event | Calibrate | Partition | ClockStep, at: Time | None = None) -> None:
        """Let a fault happen (a link, a node, a `Partition`, a `ClockStep`), or let an operator `Calibrate` a link.

        Raises:
            UnknownNameError: no such link or node.
            InputError: another kind of event, or a link that cannot be calibrated.
        """
        verb = fault(self, event)
        self._faults.append(self.clock.schedule(self.now if at is None else at, FAULT, verb, event))

    def restart_controller(self, down_for: Time, at: Time | None = None, survives: bool = False) -> None:
        """Let the controller stop at a time (now, where none is given) and come back from its journal.

        Args:
            down_for: for how long nobody hears it, ps. What clients ask meanwhile waits for it.
            at: when, ps.
            survives: whether the old one goes on, although it was taken for dead. Nobody obeys it once the new one was heard.

        Raises:
            InputError: a negative time.
        """
        self.imperfect().restart_controller(self.now if at is None else at, down_for, survives)

    def run(self, until: Time, stop: Callable[[], bool] | None = None) -> None:
        """Let the network live until a time, or until ``stop`` says so after an event."""
        self.clock.run(until, stop)

    def finish(self) -> None:
        """End the run: nothing is asked any more, no fault comes, what is open is withdrawn, and every lease comes home."""
        for name, letter in self._coming.items():
            self.clock.cancel(letter)
            self._open.discard(name)
            self._replies[name].append(
                Outcome(name, Status.CANCELLED, 0, "the run ended before it was asked")
            )
        self._coming.clear()
        for event in self._faults:
            self.clock.cancel(event)
        self._faults.clear()
        for name in sorted(self._open | self._holding):
            self.cancel(name)
        if self._post is not None:
            self.run(max(self.now, self._post.last_back))
        self.run(self.now + 2 * self.topology.longest_delay() + 1, stop=lambda: self._at_rest)
        while (
            leases := self.controller.ledger.leases()
        ):  # a node that failed never answers; its leases run out
            end = max(lease.until for lease in leases)
            self.run(max(end, self.now), stop=lambda: self._at_rest)

    @property
    def _at_rest(self) -> bool:
        return not self._open and not self.controller.ledger.leases()

    def replies(self, name: str) -> list[Client]:
        """Everything that was answered to a request so far, in order.

        Raises:
            UnknownNameError: no such request.
        """
        found = self._replies.get(name)
        if found is None:
            expected = "the name of a request that was submitted"
            raise UnknownNameError(found=repr(name), expected=expected, where="request")
        return found

    def perform(self, command: Command) -> Answer | None:
        """Do something with a held half, as an application would, and run until the plant has answered.

        Returns:
            What the plant reports of it (None for `Consume` and `Turn`, and where the node has failed).

        Raises:
            StateError: not a command for applications.
            ProtocolError: the command makes no sense in the present state.
        """
        return self._hands.perform(command)

    def tell(self, place: str, message: Message) -> None:
        """Show the watchers a message, at once: what happens here, or what a service has to tell."""
        for watcher in self._watchers.get(type(message), ()):
            watcher(self.clock.now, place, message)
        for watcher in self._watch_all:
            watcher(self.clock.now, place, message)

    _watch = tell

    # ------------------------------------------------------------------------------------------- inside

    def _plant(self) -> tuple[Clock, Twin]:
        """What keeps the time, and what is out there."""
        clock = Clock()
        return clock, build_twin(self.inventory, clock, self.streams, self._emit, self._reveal, self.states)

    def act(self, seat: str, actions: Sequence[Action]) -> None:
        """Do, carry and remember what a decider answered."""
        for action in actions:
            if isinstance(action, Send):
                self._carry(seat, action)
            elif isinstance(action, Wake):
                if self._post is None:
                    self.clock.schedule(action.at, TIMER, self._wake, (seat, action))
                else:
                    self._post.remind(seat, action)
            elif isinstance(action, Stale):
                self._watch(seat, action)
            else:
                self._watch(seat, action)
                self.twin.execute(action, self.clock.now)

    def ask(self, seat: str, message: Message) -> Sequence[Action]:
        """What a seat's decider answers."""
        if self._post is not None:
            return self._post.ask(seat, message)
        decider = self.controller if seat == CONTROLLER else self.agents[seat]
        return decider.handle(message, self.clock.now)

    def imperfect(self, channel: Channel | None = None) -> Post:
        """From now on letters are numbered, acknowledged and sent again, and the controller has a journal."""
        if self._post is None:
            seats: dict[str, NodeAgent | Controller] = {CONTROLLER: self.controller, **self.agents}
            self._post = Post(self, channel or Channel(), seats)
        return self._post

    def _carry(self, seat: str, send: Send) -> None:
        if self._post is not None and isinstance(send.message, Letter | Receipt):
            self._post.carry(seat, send)
            return
        key = (seat, send.to)
        delay = self._delays.get(key)
        if delay is None:
            delay = self._delays[key] = self.delay(*key)
        self.clock.schedule(self.clock.now + delay, MESSAGE, self._arrive, (send.to, send.message))

    def delay(self, sender: str, receiver: str) -> Time:
        """One-way classical delay between two seats (nodes, the controller, the client), ps."""
        home = self.inventory.controller
        places = [home if seat in (CONTROLLER, CLIENT) else seat for seat in (sender, receiver)]
        return 0 if places[0] == places[1] else self.inventory.delays[places[0], places[1]]

    def _arrive(self, letter: tuple[str, Any]) -> None:
        seat, message = letter
        if seat == CLIENT:
            self._watch(CLIENT, message)
            self._replies[message.request].append(message)
            if isinstance(message, Outcome):
                self._open.discard(message.request)
            return
        if seat == CONTROLLER:
            if isinstance(message, LinkRequest | Ask):
                name = message.name if isinstance(message, LinkRequest) else message.request.name
                self._coming.pop(name, None)
            self._watch(CONTROLLER, message)
            self.act(CONTROLLER, self.ask(CONTROLLER, message))
            return
        if not self.twin.nodes[seat].alive:
            self._watch(seat, Stale(seat, type(message).__name__, getattr(message, "epoch", 0)))
            return
        self._watch(seat, message)
        self.act(seat, self.ask(seat, message))

    def _wake(self, reminder: tuple[str, Wake]) -> None:
        seat, wake = reminder
        if seat == CONTROLLER or self.twin.nodes[seat].alive:
            self.act(seat, self.ask(seat, wake))

    def _emit(self, node: str, event: Event) -> None:
        self._watch(node, event)
        self._hands.heard(event)
        self.act(node, self.ask(node, event))

    def _reveal(self, truth: Truth | SharedTruth | Drifted) -> None:
        self._watch("twin", truth)
