"""What the data plane of a QNP would have said during a run: FORWARD, COMPLETE, TRACK and EXPIRE, folded out of our messages.

Our news runs the other way (each swap tells both ends), so a TRACK is made up here: from the head, link pair by link pair, through
the swap
records of the nodes, as the paper's message would travel (M). It sums up the Bell states of the links and of the swaps by itself;
that this
gives what both ends were told is a second computation of every Pauli frame.

Limits:
    Purification changes frames and identities on the way, and a circuit has none above the links: a chain in which pairs were
    purified, or a
    half was turned into a Bell state that was asked for, is not tracked (`Tracks.untracked` counts).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from quantum_fabric.messages import (
    CLIENT,
    Accepted,
    Bell,
    Delivered,
    Heralded,
    Lost,
    Message,
    Outcome,
    Prepare,
    Purified,
    Swap,
    Swapped,
)
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Forward:
    """A request enters its circuit: the head tells the nodes downstream. ``rate`` in pairs/s."""

    request: str
    head: str
    tail: str
    rate: float
    at: Time


@dataclass(frozen=True, slots=True)
class Complete:
    """A request leaves its circuit, and its rate is free."""

    request: str
    head: str
    tail: str
    at: Time


@dataclass(frozen=True, slots=True)
class Track:
    """One pair from end to end, as it arrives at the tail.

    Attributes:
        request: whose.
        head, tail: the ends.
        origin: link pair at the head.
        link: link pair at the tail (at each node on the way it was that of its downstream link).
        state: Bell state, by the links and the swaps of the way.
        swaps: (node, upstream link pair, downstream link pair, outcome) of each swap record that it met.
        epoch: number of the pair within the request.
        at: when both ends could know, ps.
    """

    request: str
    head: str
    tail: str
    origin: str
    link: str
    state: Bell
    swaps: tuple[tuple[str, str, str, Bell], ...]
    epoch: int
    at: Time


@dataclass(frozen=True, slots=True)
class Expire:
    """An end hears that the chain of its half is broken.

    Attributes:
        end: who hears.
        origin: link pair at that end.
        why: in words.
        at: ps.
    """

    end: str
    origin: str
    why: str
    at: Time


Record: TypeAlias = Forward | Complete | Track | Expire


@dataclass(slots=True)
class Tracks:
    """A watcher (`quantum_fabric.ports.Watcher`) that keeps records of the data plane.

    Attributes:
        records: in the order in which they would have been complete.
        untracked: deliveries whose chain holds something that a circuit does not.

    Examples:
        >>> from quantum_fabric import documents
        >>> from quantum_fabric.fabric import Fabric
        >>> from quantum_fabric.messages import LinkRequest
        >>> fabric, tracks = Fabric(documents.inventory(documents.load_network("lab")), seed=1), Tracks()
        >>> fabric.watch(tracks)
        >>> _ = fabric.submit(LinkRequest("Alice", "Bob", 0.8))
        >>> fabric.run(10**12)
        >>> [type(record).__name__ for record in tracks.records]
        ['Forward', 'Track', 'Complete']
    """

    records: list[Record] = field(default_factory=list)
    untracked: int = 0
    _bells: dict[str, Bell] = field(default_factory=dict)  # link pair -> state that was heralded
    _slots: dict[tuple[str, int], str] = field(default_factory=dict)
    _swaps: dict[tuple[str, str], tuple[str, Bell]] = field(
        default_factory=dict
    )  # (node, upstream) -> downstream, outcome
    _running: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    _nodes: dict[str, set[str]] = field(default_factory=dict)  # link pair -> its two nodes
    _purified: set[str] = field(default_factory=set)
    _ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    _at_end: dict[int, tuple[str, str]] = field(default_factory=dict)  # epoch -> ends of its request

    def __call__(self, time: Time, place: str, message: Message) -> None:
        """Note one message."""
        if isinstance(message, Heralded):
            self._bells[message.pair] = message.bell
            self._slots[place, message.slot] = message.pair
            self._nodes.setdefault(message.pair, set()).add(place)
        elif isinstance(message, Swap):
            halves = (self._slots[place, message.left], self._slots[place, message.right])
            self._running[place, message.left] = halves
        elif isinstance(message, Swapped):
            self._swapped(place, message)
        elif isinstance(message, Purified):
            self._purified |= {self._slots[place, message.keep], self._slots[place, message.sacrifice]}
        elif place == CLIENT:
            self._client(time, message)
        elif isinstance(message, Prepare) and message.request in self._ends:
            self._at_end[message.epoch] = self._ends[message.request]
        elif isinstance(message, Lost) and place in self._at_end.get(message.epoch, ()):
            self.records.append(Expire(place, message.mine, message.why, time))

    def _swapped(self, node: str, message: Swapped) -> None:
        left, right = self._running.pop((node, message.left))
        if message.outcome is not None:
            self._swaps[node, left] = (right, message.outcome)
            self._swaps[node, right] = (left, message.outcome)

    def _client(self, time: Time, message: Message) -> None:
        if isinstance(message, Accepted):
            ends = (message.plan.path[0], message.plan.path[-1])
            self._ends[message.request] = ends
            self.records.append(Forward(message.request, *ends, message.plan.forecast.rate, time))
        elif isinstance(message, Delivered):
            track = self._follow(message)
            if track is None:
                self.untracked += 1
            else:
                self.records.append(track)
        elif isinstance(message, Outcome) and message.request in self._ends:
            self.records.append(Complete(message.request, *self._ends[message.request], time))

    def _follow(self, pair: Delivered) -> Track | None:
        """From the head to the tail by the swap records; None where something else was done to the pair."""
        (here, tail), link = pair.ends, pair.pair.left
        state = Bell.PHI_PLUS
        met: list[tuple[str, str, str, Bell]] = []
        while link not in self._purified:
            state = Bell(state ^ self._bells[link])
            (here,) = self._nodes[link] - {here}
            record = self._swaps.get((here, link))
            if here == tail or record is None:
                whole = here == tail and link == pair.pair.right
                head = pair.ends[0]
                return (
                    Track(pair.request, head, tail, pair.pair.left, link, state, tuple(met), pair.number, pair.delivered_at)
                    if whole
                    else None
                )  # fmt: skip
            beyond, outcome = record
            met.append((here, link, beyond, outcome))
            state, link = Bell(state ^ outcome), beyond
        return None
