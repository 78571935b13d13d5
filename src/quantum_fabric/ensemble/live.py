"""A network that lives at speed: plant and node agents in the native kernel, the controller in Python.

It is a `quantum_fabric.fabric.Fabric`: requests, replies, faults and watchers are the same, and so is every event, draw for draw. What
crosses into Python are letters to the controller's seat and what somebody watches; that is what such a run costs beside the kernel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

from quantum_fabric.control.choosing import Candidate, Policy
from quantum_fabric.control.scheduling.turns import DEFAULT, Scheduling
from quantum_fabric.documents import Inventory
from quantum_fabric.ensemble.blocks import Blocks, Pairs
from quantum_fabric.ensemble.clock import NativeClock
from quantum_fabric.ensemble.exclusive import Exclusive
from quantum_fabric.ensemble.plant import LiveCompiler, NativeLink, NativeTwin
from quantum_fabric.ensemble.telling import SEEN, Telling
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.fabric import Fabric
from quantum_fabric.kernel import Clock
from quantum_fabric.messages import (
    CLIENT,
    CONTROLLER,
    Ask,
    Calibrate,
    Client,
    ClockStep,
    Commit,
    Confirmed,
    Delivered,
    Drain,
    Event,
    LinkRequest,
    Lost,
    Measured,
    Message,
    Partition,
    Prepare,
    Received,
    Release,
    Released,
    Renegotiate,
    Renew,
    Send,
    Service,
    SlotsBroken,
    Substandard,
    Teleported,
    Truth,
)
from quantum_fabric.montecarlo.running import RUNS, plain
from quantum_fabric.native import look
from quantum_fabric.network.methods import Method
from quantum_fabric.ports import Action, Watcher
from quantum_fabric.post import Channel, Post
from quantum_fabric.twin import STATES, Twin, TwinNode
from quantum_fabric.units import Time

POSTED: Final = {Prepare: 5, Commit: 6, Renew: 7, Drain: 8, Release: 9}
"""What the controller writes to nodes, as the kernel counts its letters."""

HIDDEN: Final = (Teleported, Received)


class LiveFabric(Fabric):
    """A quantum network with its control plane, in virtual time, at the speed of the native kernel.

    Args:
        inventory: the plant as it is.
        believed: the plant as the control plane takes it to be; the same where it is not given.
        seed: of every random draw.
        states: how the states of pairs are kept; as the inventory says where it is not given.
        replica: number of the repetition.
        policy: chooses what repeaters swap, instead of the rules: a function in Python (`quantum_fabric.control.choosing.Policy`), or
            the address of a compiled one,
            ``int64 choose(int64 node, Candidate* lefts, int64 n, Candidate* rights, int64 m)``, where a ``Candidate`` is
            ``{int64 slot; int64 age; double fidelity; int64 rounds}`` and the answer is ``left << 32 | right``, negative to wait.
        scheduling: whose turn it is when slots are short, what tenants may have, and what is closed for upkeep when.
        planning: how plans are looked for; None for thoroughly in a small network and swiftly in a large one.
        letters: whether the controller hears of each pair from both ends, and tells of each by itself. Otherwise the kernel counts the
            pairs of plain requests in blocks, as long as nobody watches `Confirmed`: the same replies, at the same times.

    Raises:
        StateError: the native kernel is not installed.
        ProtocolError: while it runs: a controller gives a slot, a lane or an analyser to two at once (`exclusive.Exclusive`).
        UnknownNameError: another way to keep states.
        InputError: states ``"auto"``, which the kernel chooses for a whole scenario only: such a run is the twin's.

    Limits:
        Applications consume and measure pairs that they hold (``hold``); to teleport through them or fuse them needs the twin.
        Watchers see messages of the controller's seat and of clients, and of plant and agents what is in `telling.SEEN`. A watcher
        of plant or agents looks on: nobody may `perform` anything from within.

    Examples:
        >>> from quantum_fabric import documents
        >>> live = LiveFabric(documents.inventory(documents.load_network("lab")), seed=1)
        >>> name = live.submit(LinkRequest("Alice", "Bob", 0.8, pairs=3))
        >>> live.run(10**12, stop=lambda: not live.open_requests)
        >>> live.replies(name)[-1].status.name
        'COMPLETED'
    """

    def __init__(
        self,
        inventory: Inventory,
        *,
        believed: Inventory | None = None,
        seed: int = 0,
        states: str | None = None,
        replica: int = 0,
        policy: Policy | int | None = None,
        scheduling: Scheduling = DEFAULT,
        planning: Method | None = None,
        letters: bool = False,
    ) -> None:
        """As the class says; see there."""
        self._installations: dict[
            int, tuple[int, dict[str, int]]
        ] = {}  # epoch -> kernel's number, and positions of nodes
        super().__init__(
            inventory, believed=believed, seed=seed, states=states, replica=replica, scheduling=scheduling, planning=planning,
        )  # fmt: skip
        self._exclusive = Exclusive(inventory.stations.values())
        self._blocks = Blocks(self._run, self.controller, self._replies, self._telling.confirmed, not letters)
        self._run.desk(self._told, self._last)
        if isinstance(policy, int):
            self._run.policy(None, policy)
        elif policy is not None:
            self._run.policy(self._asked(policy))

    def _plant(self) -> tuple[Clock, Twin]:
        module, said = look()
        if module is None:
            raise StateError(f"a live run needs the native kernel; {said}. `Fabric` does the same, slower")
        if self.states not in STATES:
            return super()._plant()  # which says what there is
        if self.states not in RUNS:
            expected = f"one of {', '.join(each for each in RUNS if each in STATES)} in a live run, or a run on the twin"
            raise InputError(f"states {self.states!r}", expected, "states")
        compiler = LiveCompiler(self.inventory, self.states)
        self._run = getattr(module, RUNS[self.states])(plain(compiler.plant()))
        self._run.begin(str(self.streams.seed), self.streams.replica)
        nodes = {
            name: TwinNode(name, node.slots, node.memory_noise(), node.operation_noise(), node.swap_time, node.measure_time)
            for name, node in self.inventory.nodes.items()
        }  # fmt: skip
        links = []
        for number, each in enumerate(self.inventory.links.values()):
            ends = (nodes[each.a], nodes[each.b])
            link = NativeLink(
                each.name, *ends, each.model, each.light_time, number, STATES[self.states], each.upkeep
            )
            link.seat(self._run, number, self.states)
            links.append(link)
        compiler.seat(self._run, {link.name: link for link in links})
        self._compiler = compiler
        clock = self._native = NativeClock(self._run, self._mail)
        self._telling = Telling(self._run, self.inventory)
        self._run.watch(self._see, 0)
        twin = NativeTwin(self._run, nodes, links, clock, self.streams, self._emit, self._reveal)
        twin.name_of = self._telling.number
        return clock, twin

    def submit(self, request: LinkRequest | Ask, at: Time | None = None) -> str:
        """Ask for a link at a time (now, where none is given); returns the request's name.

        Raises:
            InputError: the request makes no sense on any network, or asks for pairs that are turned or measured by rule.
            UnknownNameError: a node that is not in this one.
            CausalityError: the time is past.
        """
        wish = request if isinstance(request, LinkRequest) else request.request
        if wish.service is not Service.KEEP or wish.bell is not None:
            found = (
                f"service {wish.service.value}, Bell state {None if wish.bell is None else wish.bell.name}"
            )
            raise InputError(found, "pairs that are handed over as they are, or a run on the twin", "service")
        return super().submit(request, at)

    def imperfect(self, channel: Channel | None = None) -> Post:  # noqa: ARG002
        """Refused: such faults run on the twin.

        Raises:
            InputError: always.
        """
        expected = "a perfect classical plane and a controller that stays up; those faults run on the twin"
        raise InputError(
            found="a fault of the classical plane, of a clock or of the controller", expected=expected
        )

    def inject(self, event: Event | Calibrate | Partition | ClockStep, at: Time | None = None) -> None:
        """Let a fault of the plant happen (`Fabric.inject`).

        Raises:
            InputError: a fault that the kernel does not know: memory slots that break, or one of the classical plane.
            UnknownNameError: no such link or node.
        """
        if isinstance(event, SlotsBroken):
            raise InputError("memory slots that break", "another fault, or a run on the twin", "event")
        super().inject(event, at)

    def watch(self, watcher: Watcher, *types: type) -> None:
        """Show every message of these types to a watcher as it happens.

        Raises:
            InputError: no types, or types that stay in the kernel.
        """
        hidden = [each.__name__ for each in types if each in HIDDEN]
        if not types or hidden:
            expected = "types of messages at the controller's seat, to clients, or " + ", ".join(
                e.__name__ for e in SEEN
            )
            raise InputError(found=", ".join(hidden) or "no types", expected=expected, where="types")
        super().watch(watcher, *types)
        mask = sum(1 << bit for kind, bit in SEEN.items() if kind in self._watchers)
        if mask:
            self._run.watch(self._see, mask)
        if Confirmed in types:
            self._blocks.stop(self._telling.letter)
        if Delivered in types or Substandard in types:
            self._run.aloud = True

    def run(self, until: Time, stop: Callable[[], bool] | None = None) -> None:
        """Let the network live until a time, or until ``stop`` says so after an event that Python, or a client, hears of."""
        try:
            super().run(until, stop)
        finally:
            self._blocks.count()

    def replies(self, name: str) -> list[Client]:
        """Everything that was answered to a request so far, in order.

        Raises:
            UnknownNameError: no such request.
        """
        found = super().replies(name)
        self._blocks.fill(name)
        return found

    def pairs(self, name: str) -> Pairs:
        """The pairs that were delivered to a request so far, as arrays.

        Raises:
            UnknownNameError: no such request.

        Examples:
            >>> from quantum_fabric import documents
            >>> live = LiveFabric(documents.inventory(documents.load_network("lab")), seed=1)
            >>> name = live.submit(LinkRequest("Alice", "Bob", 0.8, pairs=300))
            >>> live.run(10**14, stop=lambda: not live.open_requests)
            >>> pairs = live.pairs(name)
            >>> len(pairs), bool((pairs.fidelity >= 0.8).all())
            (300, True)
        """
        super().replies(name)
        return self._blocks.pairs(name)

    def _asked(self, policy: Policy) -> Callable[..., tuple[int, int] | None]:
        def choose(node: int, lefts: list[Any], rights: list[Any]) -> tuple[int, int] | None:
            return policy(
                self._telling.nodes[node],
                [Candidate(*each) for each in lefts],
                [Candidate(*each) for each in rights],
            )

        return choose

    # ------------------------------------------------------------------------------- from the controller

    def ask(self, seat: str, message: Message) -> Sequence[Action]:
        """What a seat's decider answers; the controller knows how many pairs there are before it does."""
        if seat != CONTROLLER:
            return super().ask(seat, message)
        self._blocks.count()
        actions = super().ask(seat, message)
        if isinstance(message, Renegotiate):
            self._blocks.changed(message.request)
        return actions

    def act(self, seat: str, actions: Sequence[Action]) -> None:
        """Do, carry and remember what a decider answered; what is installed goes to the kernel as a whole."""
        if seat == CONTROLLER:
            prepares: dict[int, list[Prepare]] = defaultdict(list)
            for action in actions:
                if isinstance(action, Send) and isinstance(action.message, Prepare):
                    prepares[action.message.epoch].append(action.message)
            for epoch, letters in prepares.items():
                self._install(epoch, letters)
        super().act(seat, actions)

    def _install(self, epoch: int, letters: list[Prepare]) -> None:
        self._exclusive.installed(letters, self.now)
        number = self._run.install(plain(self._compiler.installation(letters)))
        self._installations[epoch] = (number, {letter.node: place for place, letter in enumerate(letters)})
        self._telling.circuits += [(epoch, letter.node) for letter in letters]

    def _carry(self, seat: str, send: Send) -> None:
        letter: Any = send.message
        kind = POSTED.get(type(letter))
        if isinstance(letter, Lost) and seat == CONTROLLER:
            number, places = self._installations[letter.epoch]
            at = self.now + self.delay(seat, send.to)
            self._run.dismiss(number, places[send.to], self._telling.number(letter.mine), at)
            return
        if kind is None:
            super()._carry(seat, send)
            return
        number, places = self._installations[letter.epoch]
        if kind == POSTED[Commit]:
            self._exclusive.committed(letter.epoch, self.now)
            self._blocks.begin(letter.epoch, number)
        elif kind in (POSTED[Drain], POSTED[Release]):
            self._blocks.end(letter.epoch)
        until = letter.lease_until if isinstance(letter, Prepare | Renew) else -1
        if isinstance(letter, Renew):
            self._exclusive.renewed(letter.epoch, send.to, until)
        at = self.now + self.delay(seat, send.to)
        self._run.post(kind, number, places[send.to], at, until)

    # --------------------------------------------------------------------------------- to the controller

    def _mail(
        self, kind: int, circuit: int, mine: int, far: int, frame: int, quality: tuple[float, float, float], born: Time,
        at: Time, slot: int, decay: tuple[int, Time, int, Time],
    ) -> None:  # fmt: skip
        message = self._telling.mail(kind, circuit, frame, mine, far, quality, born, at, slot, decay)
        self._arrive((CONTROLLER, message))

    def _told(self, *pair: Any) -> None:
        """A pair that the kernel has counted reaches its client; what it is, where somebody watches."""
        if pair:
            self._arrive((CLIENT, self._blocks.record(*pair)))
        self._native.ask_to_stop()

    def _last(self, label: int, first: Sequence[Any], second: Sequence[Any]) -> None:
        self._blocks.last(label, self._telling.letter(*first))
        self._arrive((CONTROLLER, self._telling.letter(*second)))
        self._native.ask_to_stop()

    def _arrive(self, letter: tuple[str, Any]) -> None:
        if letter[0] == CLIENT:
            self._blocks.collect()
        elif isinstance(letter[1], Released):
            self._exclusive.released(letter[1].epoch, letter[1].node)
        super()._arrive(letter)

    def _see(
        self, what: int, node: int, slot: int, other: int, mine: int, far: int, label: int, born: Time, far_born: Time,
        weights: tuple[float, float, float, float] | None,
    ) -> None:  # fmt: skip
        telling = self._telling
        if what == SEEN[Truth]:
            self._reveal(telling.truth(node, other, mine, far, label, weights, self.now))
            return
        event = telling.sight(what, node, slot, other, mine, label, born, far_born)
        if isinstance(event, Measured):
            self._emit(event.node, event)
            self._native.ask_to_stop()
        else:
            self._watch(event.node, event)
