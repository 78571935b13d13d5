"""Copies and names of states of the deciders that run, so that a search can go back to any of them.

A decider is a function of (its state, message, time). So each state of each decider is kept once, under a number, and each answer is
worked out once: a search over interleavings meets the same few thousand answers again and again.
"""

from __future__ import annotations

import io
import pickle
from collections import deque
from collections.abc import Callable, Hashable
from enum import Enum
from typing import Any

from quantum_fabric import messages
from quantum_fabric.control.distributed.composing import Composition
from quantum_fabric.control.ledger import Lease

CONSTANT = frozenset({
    "_handlers", "topology", "_known", "memory", "noise", "_outcomes", "_partner_noise", "ageing", "_policy", "_keeper", "_waits",
    "territory", "_territory", "_surveyor", "_delays", "_states",
})  # fmt: skip
"""Attributes that no message changes, or that only remember what is worked out anew in the same way."""

UNORDERED = frozenset(
    {"_by_name", "_beyond", "_unborn", "_by_epoch", "halves", "_circuits", "_leases", "_lanes"}
)
"""Dictionaries that are looked up, or gone through in an order that decides nothing of what is checked here."""

RECORDS = [each for each in vars(messages).values() if isinstance(each, type) and not issubclass(each, Enum)]
FROZEN: tuple[type, ...] = (*RECORDS, Lease)
PLAIN = frozenset({type(None), str, bytes, int, float, bool, *FROZEN})
CONSTANTS = frozenset((*FROZEN, Composition))


def frozen(thing: Any, seen: dict[int, int], name: str = "") -> Hashable:
    """A value that is equal for equal states.

    Args:
        thing: part of a decider.
        seen: objects met so far, for those that are met twice.
        name: of the attribute that holds it.
    """
    if type(thing) in PLAIN or isinstance(thing, Enum):
        return thing
    if isinstance(thing, dict):
        items = thing.items()
        if name in UNORDERED:
            items = sorted(items, key=lambda item: repr(item[0]))  # type: ignore[assignment]
        return tuple([(frozen(key, seen), frozen(value, seen)) for key, value in items])
    if isinstance(thing, set | frozenset):
        return frozenset(thing)
    if isinstance(thing, list | tuple | deque):
        return tuple([frozen(each, seen) for each in thing])
    if isinstance(thing, Composition):
        return (thing.plan, thing.seats)
    if id(thing) in seen:
        return ("again", seen[id(thing)])
    seen[id(thing)] = len(seen)
    slots = [each for kind in type(thing).__mro__ for each in getattr(kind, "__slots__", ())]
    names = slots or list(vars(thing))
    return (
        type(thing).__name__,
        *[frozen(getattr(thing, each), seen, each) for each in names if each not in CONSTANT],
    )


class Shelf:
    """States of deciders, each kept once; what cannot change is shared by all of them."""

    def __init__(self, *shared: object) -> None:
        self._shared: dict[int, object] = {id(each): each for each in shared}
        self._kept: list[bytes] = []
        self._numbers: dict[Hashable, int] = {}

    def put(self, decider: object) -> int:
        """Number of its state."""
        key = frozen(decider, {})
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._kept)
            self._kept.append(self._written(decider))
        return number

    def take(self, number: int) -> Any:
        """A decider in that state, to be changed freely."""
        reader = pickle.Unpickler(io.BytesIO(self._kept[number]))
        reader.persistent_load = self._shared.__getitem__  # type: ignore[method-assign, assignment]
        return reader.load()

    def __len__(self) -> int:
        return len(self._kept)

    def _written(self, decider: object) -> bytes:
        file = io.BytesIO()
        writer = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
        writer.persistent_id = self._name  # type: ignore[method-assign]
        writer.dump(decider)
        return file.getvalue()

    def _name(self, thing: Any) -> int | None:
        place = id(thing)
        if place in self._shared:
            return place
        if type(thing) in CONSTANTS or isinstance(thing, Enum):
            self._shared[place] = thing
            return place
        return None


class Table(Shelf):
    """Deciders as they are, for a walk that never goes back: nothing is written, compared or kept."""

    def __init__(self, *shared: object) -> None:
        super().__init__(*shared)
        self._here: dict[int, object] = {}
        self._next = 0

    def put(self, decider: object) -> int:
        """A number of its own."""
        self._next += 1
        self._here[self._next] = decider
        return self._next

    def take(self, number: int) -> Any:
        """The decider itself."""
        return self._here[number]

    def copied(self, number: int) -> int:
        """Number of a copy of it."""
        reader = pickle.Unpickler(io.BytesIO(self._written(self._here[number])))
        reader.persistent_load = self._shared.__getitem__  # type: ignore[method-assign, assignment]
        return self.put(reader.load())

    def clear(self) -> None:
        """Forget them all."""
        self._here.clear()


class Once:
    """Remembers what a function answered."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self._work = work
        self.known: dict[Hashable, Any] = {}

    def __call__(self, *question: Hashable) -> Any:
        try:
            return self.known[question]
        except KeyError:
            found = self.known[question] = self._work(*question)
            return found
