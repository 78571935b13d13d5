"""What the native kernel says in numbers, as messages: letters to the controller's seat, and what watchers may see."""

from __future__ import annotations

from typing import Any, Final

from quantum_fabric.documents import Inventory
from quantum_fabric.messages import (
    Bell,
    Confirmed,
    Declined,
    Heralded,
    Measured,
    Message,
    PairId,
    Prepared,
    Purified,
    Released,
    Swapped,
    Truth,
)
from quantum_fabric.messages.states import Stretch
from quantum_fabric.units import Time

PREPARED, DECLINED, CONFIRMED, RELEASED = 10, 11, 12, 13
"""Letters to the controller, as the kernel counts them."""

SEEN: Final = {Heralded: 0, Swapped: 1, Purified: 2, Truth: 10, Measured: 12}
"""What watchers may see of plant and agents, as the kernel counts it."""

BASES: Final = ("X", "Y", "Z")
"""In which halves are read, as the kernel counts them from 1."""

BELLS: Final = tuple(Bell)

NUMBER_BITS: Final = 38
"""Bits of the kernel's name of an elementary pair that count the heralds of its lane."""

NUMBERS: Final = (1 << NUMBER_BITS) - 1

NOT_KNOWN: Final = -2
"""In place of a name."""


class Telling:
    """Names for the numbers of one native run.

    Args:
        run: the native run.
        inventory: the network that it holds.

    Attributes:
        circuits: epoch and node of each of the kernel's circuits.
        slots: number within its node of each of the kernel's slots.
    """

    def __init__(self, run: Any, inventory: Inventory) -> None:
        self._run = run
        self.circuits: list[tuple[int, str]] = []
        self.slots = [slot for node in inventory.nodes.values() for slot in range(node.slots)]
        self.nodes = list(inventory.nodes)
        self._links = list(inventory.links)
        self._lanes: dict[int, str] = {}
        self._prefixes: dict[str, int] = {}  # the other way round
        self._decays: dict[int, tuple[float, float, float, float, float]] = {}

    def pair(self, name: int) -> str:
        """The name of an elementary pair: the kernel's number of its lane is in the upper bits."""
        lane = name >> NUMBER_BITS
        prefix = self._lanes.get(lane)
        if prefix is None:
            link, number, _ = self._run.lane(name)
            prefix = self._lanes[lane] = f"{self._links[link]}/{number}#"
            self._prefixes[prefix] = lane
        return f"{prefix}{name & NUMBERS}"

    def number(self, pair: str) -> int:
        """The kernel's name of an elementary pair that somebody was told of; `NOT_KNOWN` for another one."""
        prefix, sign, number = pair.rpartition("#")
        lane = self._prefixes.get(prefix + sign)
        return NOT_KNOWN if lane is None or not number.isdecimal() else lane << NUMBER_BITS | int(number)

    def mail(self, kind: int, circuit: int, frame: int, *rest: Any) -> Message:
        """A letter to the controller; ``rest`` is what `confirmed` takes after node and epoch, without the frame."""
        epoch, node = self.circuits[circuit]
        if kind == PREPARED:
            return Prepared(epoch, node)
        if kind == RELEASED:
            return Released(epoch, node)
        if kind == DECLINED:
            why = "the lease is over before it began" if frame else "its slots are leased already"
            return Declined(epoch, node, why)
        mine, far, *more = rest
        return self.confirmed(epoch, node, mine, far, frame, *more)

    def letter(self, circuit: int, *rest: Any) -> Confirmed:
        """A confirmation as the kernel keeps it."""
        return self.confirmed(*self.circuits[circuit], *rest)

    def confirmed(
        self, epoch: int, node: str, mine: int, far: int, frame: int, quality: tuple[float, float, float], born: Time,
        at: Time, slot: int, decay: tuple[int, Time, int, Time],
    ) -> Confirmed:  # fmt: skip
        """What an end says of a pair that is complete."""
        own, birth, partner, far_birth = decay
        here, there = self._decay(own), self._decay(partner)
        rates = (here[0] + there[0], here[1] + there[1], here[2] + there[2])
        stretches = tuple(
            Stretch(each[3], each[4], since) for each, since in ((here, birth), (there, far_birth)) if each[3] > 0.0
        )  # fmt: skip
        pair = PairId(self.pair(mine), self.pair(far))
        return Confirmed(
            epoch, node, pair, BELLS[frame], quality, rates, born, at, self.slots[slot], stretches
        )

    def sight(
        self,
        what: int,
        node: int,
        slot: int,
        other: int,
        mine: int,
        label: int,
        born: Time,
        far_born: Time,
    ) -> Heralded | Swapped | Purified | Measured:
        """What watchers may see, but for a `Truth`."""
        place, here = self.nodes[node], self.slots[slot]
        if what == SEEN[Heralded]:
            link = self._links[self._run.lane(mine)[0]]
            return Heralded(place, here, link, self.pair(mine), Bell(label), born, far_born)
        if what == SEEN[Measured]:
            return Measured(place, here, BASES[other - 1], None if label < 0 else label)
        there = self.slots[other]
        if what == SEEN[Swapped]:
            return Swapped(place, here, there, None if label < 0 else Bell(label))
        return Purified(place, here, there, None if label < 0 else label)

    def truth(self, node: int, other: int, mine: int, far: int, label: int, weights: Any, now: Time) -> Truth:
        """What a pair truly is."""
        ends = ((self.nodes[node], self.pair(mine)), (self.nodes[other], self.pair(far)))
        return Truth(ends, Bell(label), weights, now)

    def _decay(self, index: int) -> tuple[float, float, float, float, float]:
        found = self._decays.get(index)
        if found is None:
            found = self._decays[index] = self._run.decay(index)
        return found
