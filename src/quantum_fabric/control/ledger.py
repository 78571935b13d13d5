"""Who holds which memory slot, and which lane of a link, until when: the controller's book of leases.

The book is closed on both sides: a slot is leased at most once at a time, and every lease ends by release or by its
expiry, whatever happened to the node or to the messages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from quantum_fabric.errors import ProtocolError
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Lease:
    """One memory slot of one node, lent to one installation until a time."""

    node: str
    slot: int
    epoch: int
    until: Time


class Ledger:
    """Leases of all memory slots.

    Args:
        slots: how many slots each node has.

    Examples:
        >>> book = Ledger({"A": 2})
        >>> book.lease(1, {"A": 2}, until=100)
        {'A': (0, 1)}
        >>> book.free()
        {'A': 0}
        >>> book.release(1, "A"); book.free()
        {'A': 2}
    """

    def __init__(self, slots: Mapping[str, int]) -> None:
        self._free: dict[str, list[int]] = {node: list(range(count)) for node, count in slots.items()}
        self._leases: dict[int, dict[str, list[Lease]]] = {}
        self._lanes: dict[int, dict[str, tuple[int, ...]]] = {}
        self._lanes_lent: dict[str, set[int]] = {}  # the same by link
        self._aside: dict[str, int] = {}
        self._lanes_aside: dict[str, int] = {}
        self._lost: dict[str, set[int]] = {}
        self._open = {node: len(slots) for node, slots in self._free.items()}  # what `free` tells

    def free(self) -> dict[str, int]:
        """How many slots of each node anybody may have: those that are set aside are not among them."""
        return dict(self._open)

    def _counted(self, node: str) -> None:
        """The free slots of a node, or those that are set aside, have changed."""
        self._open[node] = max(0, len(self._free[node]) - self._aside.get(node, 0))

    def idle(self) -> dict[str, int]:
        """How many slots of each node are not lent, set aside or not."""
        return {node: len(slots) for node, slots in self._free.items()}

    def fits(self, wanted: Mapping[str, int], aside: bool = False) -> bool:
        """Whether that many slots are free at each node; for those whose slots were set ``aside``, these count as free."""
        kept = {} if aside else self._aside
        return all(len(self._free[node]) - kept.get(node, 0) >= count for node, count in wanted.items())

    def carries(self, lanes: Mapping[str, int], room: Mapping[str, int], aside: bool = False) -> bool:
        """Whether each link has that many lanes left, of the ``room`` that its attempt period has for lanes side by side.

        An installation that has a link for itself may take more: then its own period is longer.
        """
        for link, count in lanes.items():
            taken = self.lent(link) if aside else self.taken(link)
            if taken and taken + count > room[link]:
                return False
        return True

    def taken(self, link: str) -> int:
        """How many lanes of a link are lent or set aside."""
        return self.lent(link) + self._lanes_aside.get(link, 0)

    def lent(self, link: str) -> int:
        """How many lanes of a link are lent."""
        return len(self._lanes_lent.get(link, ()))

    def set_aside(self, slots: Mapping[str, int], lanes: Mapping[str, int]) -> None:
        """Keep so many slots of nodes and lanes of links free for failures; what is not named stays as it was.

        Where fewer are free at the time, those that come back are kept first.

        Examples:
            >>> book = Ledger({"A": 3})
            >>> book.set_aside({"A": 2}, {})
            >>> book.free(), book.fits({"A": 2}), book.fits({"A": 2}, aside=True)
            ({'A': 1}, False, True)
        """
        for kept, told in ((self._aside, slots), (self._lanes_aside, lanes)):
            for name, count in told.items():
                if count:
                    kept[name] = count
                else:
                    kept.pop(name, None)
        for node in slots:
            self._counted(node)

    def slots(self, node: str) -> int:
        """How many slots of a node work, lent or not."""
        lent = sum(
            1
            for book in self._leases.values()
            for lease in book.get(node, ())
            if lease.slot not in self._lost.get(node, ())
        )
        return len(self._free[node]) + lent

    @property
    def aside(self) -> dict[str, int]:
        """Slots of each node that are set aside."""
        return dict(self._aside)

    def withdraw(self, node: str, slots: Collection[int]) -> tuple[int, ...]:
        """Take broken slots out of the books: nobody is lent them any more. Returns the epochs that hold one of them.

        Examples:
            >>> book = Ledger({"A": 3})
            >>> _ = book.lease(1, {"A": 1}, until=100)
            >>> book.withdraw("A", [0, 2]), book.free()
            ((1,), {'A': 1})
            >>> book.release(1, "A"); book.free()
            {'A': 1}
        """
        lost = self._lost.setdefault(node, set())
        lost.update(slots)
        self._free[node] = [slot for slot in self._free[node] if slot not in lost]
        self._counted(node)
        return tuple(
            epoch
            for epoch, book in self._leases.items()
            if any(lease.slot in slots for lease in book.get(node, ()))
        )

    def lease(self, epoch: int, wanted: Mapping[str, int], until: Time) -> dict[str, tuple[int, ...]]:
        """Lend slots to an installation: all that it wants, or none. Whether it may have those set aside, its caller has asked.

        Raises:
            ProtocolError: the epoch holds leases already, or not enough slots are free.
        """
        if epoch in self._leases:
            raise ProtocolError(f"epoch {epoch} holds leases already")
        if not self.fits(wanted, aside=True):
            raise ProtocolError(f"epoch {epoch} wants {dict(wanted)} slots, free are {self.idle()}")
        given: dict[str, tuple[int, ...]] = {}
        book: dict[str, list[Lease]] = {}
        for node, count in wanted.items():
            free = self._free[node]
            slots, self._free[node] = tuple(free[:count]), free[count:]
            given[node] = slots
            book[node] = [Lease(node, slot, epoch, until) for slot in slots]
            self._counted(node)
        self._leases[epoch] = book
        return given

    def lanes(self, epoch: int, wanted: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """Lend lanes of links to an installation that holds leases; they come back with the last of its slots.

        Two installations never share a lane, so a herald always has one owner; `carries` says whether the channel has time for
        them side by side.

        Raises:
            ProtocolError: the epoch holds no leases.

        Examples:
            >>> book = Ledger({"A": 3})
            >>> for epoch, count in ((1, 2), (2, 1)):
            ...     _ = book.lease(epoch, {"A": count}, until=100)
            ...     print(book.lanes(epoch, {"A~B": count}))
            {'A~B': (0, 1)}
            {'A~B': (2,)}
        """
        if epoch not in self._leases:
            raise ProtocolError(f"epoch {epoch} holds no leases")
        given = {link: self._free_lanes(link, count) for link, count in wanted.items()}
        self._lanes_back(epoch)
        self._lanes[epoch] = given
        for link, lanes in given.items():
            self._lanes_lent.setdefault(link, set()).update(lanes)
        return given

    def _free_lanes(self, link: str, count: int) -> tuple[int, ...]:
        taken = self._lanes_lent.get(link, ())
        return tuple([lane for lane in range(count + len(taken)) if lane not in taken][:count])

    def _lanes_back(self, epoch: int) -> None:
        for link, lanes in self._lanes.pop(epoch, {}).items():
            self._lanes_lent[link].difference_update(lanes)

    def renew(self, epoch: int, until: Time) -> None:
        """Let every lease of an installation run until a later time."""
        for node, leases in self._leases.get(epoch, {}).items():
            self._leases[epoch][node] = [Lease(x.node, x.slot, x.epoch, max(x.until, until)) for x in leases]

    def release(self, epoch: int, node: str) -> None:
        """A node has let go: its slots are free. Releasing twice changes nothing."""
        book = self._leases.get(epoch)
        if book is None:
            return
        leases = book.pop(node, [])
        lost = self._lost.get(node, ())
        self._free[node] = sorted(self._free[node] + [x.slot for x in leases if x.slot not in lost])
        self._counted(node)
        if not book:
            del self._leases[epoch]
            self._lanes_back(epoch)

    def expire(self, now: Time) -> list[tuple[int, str]]:
        """Free every lease that has run out; returns the (epoch, node) pairs that it freed."""
        over = [
            (epoch, node)
            for epoch, book in self._leases.items()
            for node, leases in book.items()
            if leases and leases[0].until <= now
        ]
        for epoch, node in over:
            self.release(epoch, node)
        return over

    def leases(self) -> list[Lease]:
        """Every lease that is out."""
        return [lease for book in self._leases.values() for leases in book.values() for lease in leases]

    def holds(self, epoch: int) -> bool:
        """Whether an installation still holds any lease."""
        return epoch in self._leases
