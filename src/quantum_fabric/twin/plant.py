"""The plant simulated: obeys commands, reports events where and when they happen, and keeps the truth to itself.

It implements `quantum_fabric.ports.Plant`. States age lazily, when somebody looks; how they are kept is chosen for a run
(`quantum_fabric.twin.states`).

Limits:
    Those of the states: see `quantum_fabric.twin.bell_diagonal.BellDiagonal` and `quantum_fabric.twin.exact.Exact`. A half
    that is used before the other end's part of a purification, or before the swaps of its chain, is outside the
    model: the standard agents never do that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from quantum_fabric.errors import Caution, ProtocolError
from quantum_fabric.kernel.clock import Clock
from quantum_fabric.kernel.order import Priority, ranked
from quantum_fabric.kernel.streams import Streams
from quantum_fabric.messages import (
    Arm,
    Bell,
    Calibrate,
    Command,
    Discard,
    Drifted,
    Event,
    LinkChanged,
    NodeFailed,
    NodeRecovered,
    Purified,
    Purify,
    SharedTruth,
    SlotsBroken,
    Swap,
    Swapped,
    Truth,
)
from quantum_fabric.twin.applications import Applications
from quantum_fabric.twin.drift import Drifts
from quantum_fabric.twin.lanes import Lane, TwinLink
from quantum_fabric.twin.qubits import Half, Purification, Slot, TwinNode, take
from quantum_fabric.twin.states import twirl_cautions
from quantum_fabric.units import Time

BELLS = tuple(Bell)
OPERATION = ranked(Priority.OPERATION)
FAULT = ranked(Priority.FAULT)


class Twin:
    """The physics-true plant.

    Args:
        nodes: by name.
        links: in the order that ranks simultaneous heralds.
        clock: the run's clock.
        streams: the run's random streams; each lane and each node has its own.
        emit: called with (node, event) where and when an event happens.
        reveal: called with a `Truth` when both halves of a pair have been consumed, and with a `Drifted` when the conditions of a
            link have changed; for watchers only.
    """

    def __init__(
        self,
        nodes: Mapping[str, TwinNode],
        links: Sequence[TwinLink],
        clock: Clock,
        streams: Streams,
        emit: Callable[[str, Event], None],
        reveal: Callable[[Truth | SharedTruth | Drifted], None],
    ) -> None:
        self.nodes = dict(nodes)
        self.links = {link.name: link for link in links}
        self._clock = clock
        self._streams = streams
        self._emit = emit
        self._draws = {name: streams.stream(f"{name}/operations") for name in self.nodes}
        self._applications = Applications(clock, self._draws, emit, reveal, self._half)
        self._drifts = Drifts(links, clock, streams, emit, reveal)
        self._commands: dict[type, Callable[..., None]] = {
            Arm: self._arm,
            Calibrate: self._calibrate,
            Swap: self._swap,
            Purify: self._purify,
            Discard: self._discard,
            **self._applications.commands,
        }

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """Where the run so far has used a model outside its validity; empty where all is well."""
        return twirl_cautions(self.twirl_error)

    @property
    def twirl_error(self) -> float:
        """About how much the fidelity of the worst pair so far is off because amplitude damping was twirled."""
        return self._applications.twirl_error

    # ------------------------------------------------------------------------------------------- commands

    def execute(self, command: Command, now: Time) -> None:
        """Start a command; what comes of it is emitted when it is done.

        Raises:
            ProtocolError: the command makes no sense in the present state; nothing was changed.
        """
        if self.nodes[command.node].alive:
            self._commands[type(command)](command, now)

    def _slot(self, node: str, number: int) -> Slot:
        slots = self.nodes[node].slots
        if not 0 <= number < len(slots):
            raise ProtocolError(f"{node} has no memory slot {number}; it has {len(slots)}")
        return slots[number]

    def _half(self, node: str, number: int, verb: str, name: str = "") -> Half:
        slot = self._slot(node, number)
        if slot.half is None or slot.busy or (name and slot.half.elementary != name):
            state = "busy" if slot.busy else "empty" if slot.half is None else "taken by another half"
            raise ProtocolError(f"cannot {verb} slot {number} of {node}: it is {state}")
        return slot.half

    def _arm(self, command: Arm, now: Time) -> None:
        slot = self._slot(command.node, command.slot)
        if slot.half is not None or slot.lane is not None or slot.busy:
            raise ProtocolError(f"cannot arm slot {command.slot} of {command.node}: it is in use")
        if slot.broken:
            raise ProtocolError(f"cannot arm slot {command.slot} of {command.node}: it is broken")
        link = self._link_at(command.node, command.link)
        lane = link.lanes.get(command.lane)
        if lane is None:
            lane = link.lanes[command.lane] = Lane(link, command.lane, self._clock, self._streams, self._emit)
        end = 0 if link.ends[0] is slot.node else 1
        lane.arm(end, slot, link.operating_point(command.setting, command.lanes), now)

    def _link_at(self, node: str, name: str) -> TwinLink:
        link = self.links[name]
        if node not in (link.ends[0].name, link.ends[1].name):
            raise ProtocolError(f"{node} is not an end of link {name}")
        return link

    def _calibrate(self, command: Calibrate, now: Time) -> None:
        self._drifts.calibrate(self._link_at(command.node, command.link), now)

    def _discard(self, command: Discard, now: Time) -> None:
        slot = self._slot(command.node, command.slot)
        if isinstance(slot.lane, Lane):
            slot.lane.disarm(0 if slot.lane.arms[0] is slot else 1, now)
        if slot.half is not None:
            _lose(slot.half)

    def _swap(self, command: Swap, now: Time) -> None:
        left = self._half(command.node, command.left, "swap")
        right = self._half(command.node, command.right, "swap")
        if left.pair is right.pair:
            raise ProtocolError(
                f"cannot swap slots {command.left} and {command.right} of {command.node}: they are one pair"
            )
        self._begin(left, right)
        done = now + left.node.swap_time
        self._clock.schedule(done, OPERATION, self._swapped, (command, left, right))

    def _swapped(self, operation: tuple[Swap, Half, Half]) -> None:
        command, left, right = operation
        now, node = self._clock.now, left.node
        if not _both_there(left, right):
            return
        left.age(now)
        right.age(now)
        draws = self._draws[node.name]
        chance = node.operations.swap_success
        if not node.lossless:
            chance *= node.retrieves(left, now) * node.retrieves(right, now)
        take(left)
        take(right)
        if not draws.flip(chance):
            left.pair.spoil(left)
            right.pair.spoil(right)
            self._emit(node.name, Swapped(node.name, command.left, command.right, None))
            return
        outcome = left.pair.swapped(left, right, draws)
        del left.pair, right.pair  # no circle of references: nothing is left to the garbage collector
        self._emit(node.name, Swapped(node.name, command.left, command.right, BELLS[outcome]))

    def _purify(self, command: Purify, now: Time) -> None:
        keep = self._half(command.node, command.keep, "purify")
        sacrifice = self._half(command.node, command.sacrifice, "purify")
        if keep.pair is sacrifice.pair:
            raise ProtocolError(
                f"cannot purify slots {command.keep} and {command.sacrifice} of {command.node}: one pair"
            )
        self._begin(keep, sacrifice)
        done = now + keep.node.swap_time
        self._clock.schedule(done, OPERATION, self._purified, (command, keep, sacrifice))

    def _purified(self, operation: tuple[Purify, Half, Half]) -> None:
        command, keep, sacrifice = operation
        now, node = self._clock.now, keep.node
        if not _both_there(keep, sacrifice):
            return
        keep.age(now)
        sacrifice.age(now)
        take(sacrifice)
        _idle(keep)
        draws = self._draws[node.name]
        waiting, keep.pair.purification = keep.pair.purification, None
        rotation = None if command.rotation is None else command.rotation.words
        bit: int | None
        if not node.lossless and not draws.flip(node.retrieves(sacrifice, now)):
            sacrifice.pair.spoil(sacrifice)
            keep.pair.spoil()
            bit = None
        elif waiting is None:
            first = Purification(keep.pair, sacrifice.pair, command.distillation, node, rotation)
            bit = first.bit = keep.pair.half_purified(first, draws)
            keep.pair.purification = first
        elif waiting.sacrifice is not sacrifice.pair or waiting.rotation != rotation:
            # one end paired or turned them otherwise: the outcome tells nothing
            keep.pair.spoil()
            bit = int(draws.flip(0.5))
        else:
            bit = keep.pair.purified(waiting, node, draws)
        self._emit(node.name, Purified(node.name, command.keep, command.sacrifice, bit))

    @staticmethod
    def _begin(first: Half, second: Half) -> None:
        for half in (first, second):
            assert half.slot is not None
            half.slot.busy = True

    # --------------------------------------------------------------------------------------------- faults

    def change_link(self, name: str, up: bool, now: Time) -> None:
        """Cut or restore a fibre. Its ends see it after the light's time from the middle; classical messages go on."""
        link = self.links[name]
        if link.up == up:
            return
        link.up = up
        self._drifts.spoil(link)
        for lane in link.lanes.values():
            if up:
                lane.lighten(now)
            else:
                lane.darken(now)
        for end, far in (link.ends, link.ends[::-1]):
            if far.alive or not up:  # a restored fibre to a dead node stays dark
                self._notice(end, link, up, now + link.light_time // 2)

    def fail_node(self, name: str, now: Time) -> None:
        """A node stops: its qubits are lost; its neighbours lose its light."""
        node = self.nodes[name]
        if not node.alive:
            return
        for slot in node.slots:
            self._discard(Discard(name, slot.number), now)
        node.alive = False
        self._emit(name, NodeFailed(name))
        for link, far in self._links_at(node):
            self._drifts.spoil(link)
            if link.up:
                self._notice(far, link, False, now + link.light_time)

    def recover_node(self, name: str, now: Time) -> None:
        """A node starts again with empty memories and looks at its links; its neighbours see its light again."""
        node = self.nodes[name]
        if node.alive:
            return
        node.alive = True
        self._emit(name, NodeRecovered(name))
        broken = tuple(slot.number for slot in node.slots if slot.broken)
        if broken:  # they are as broken as before, and whoever starts again finds out
            self._emit(name, SlotsBroken(name, broken))
        for link, far in self._links_at(node):
            self._notice(node, link, link.up and far.alive, now)
            if link.up:
                self._notice(far, link, True, now + link.light_time)

    def break_slots(self, name: str, slots: Collection[int], now: Time) -> None:
        """Memory slots store nothing any more, for good: what is in them is lost, and they load no more. Their node sees it at once.

        A half in a broken slot stays where it is, maximally mixed, until its node lets go of it: an operation that runs on it ends,
        with an outcome that says nothing.

        Raises:
            ProtocolError: the node has no such slot; nothing was changed.
        """
        found = [self._slot(name, number) for number in sorted(set(slots))]
        fresh = [slot for slot in found if not slot.broken]
        for slot in fresh:
            slot.broken = True
            if isinstance(slot.lane, Lane):
                slot.lane.disarm(0 if slot.lane.arms[0] is slot else 1, now)
            if slot.half is not None:
                slot.half.pair.spoil(slot.half)
        if fresh and self.nodes[name].alive:
            self._emit(name, SlotsBroken(name, tuple(slot.number for slot in fresh)))

    def _links_at(self, node: TwinNode) -> list[tuple[TwinLink, TwinNode]]:
        """Links that end at a node, with their other ends."""
        return [
            (link, link.ends[1] if link.ends[0] is node else link.ends[0])
            for link in self.links.values()
            if node in link.ends
        ]

    def _notice(self, node: TwinNode, link: TwinLink, up: bool, at: Time) -> None:
        news = LinkChanged(node.name, link.name, up)
        self._clock.schedule(at, FAULT, self._see, news)

    def _see(self, news: LinkChanged) -> None:
        """The last thing that a monitor tells is true when it tells it, and no darkness, however short, goes untold."""
        if not self.nodes[news.node].alive:
            return
        link = self.links[news.link]
        far = link.ends[1] if link.ends[0].name == news.node else link.ends[0]
        lit = link.up and far.alive
        if not news.up:
            self._emit(news.node, news)
        if lit:  # also where the darkness is over before it was seen: a node that stopped and started has forgotten everything
            self._emit(news.node, LinkChanged(news.node, news.link, True))


def _both_there(first: Half, second: Half) -> bool:
    """Whether an operation can end as it began; otherwise its node failed or let go, and nobody waits for the result."""
    if first.slot is not None and second.slot is not None:
        return True
    _idle(first)
    _idle(second)
    return False


def _idle(half: Half) -> None:
    if half.slot is not None:
        half.slot.busy = False


def _lose(half: Half) -> None:
    """Remove a half from its slot without a record of its state: the other half is left maximally mixed."""
    take(half)
    half.pair.spoil(half)
