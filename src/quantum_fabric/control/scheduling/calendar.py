"""A book of reservations over time: memory slots, lanes, stations, switches, whatever has a name and a number.

What is known in advance (calibrations, maintenance) stands in the same book as what users reserve, under a kind of its own. The book
is exact about windows; sessions whose end is a random time are dealt with in `quantum_fabric.control.scheduling.uncertain`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from quantum_fabric.control.scheduling.profile import Profile
from quantum_fabric.errors import ProtocolError, QuantityError, UnknownNameError
from quantum_fabric.units import Time, show_time


class Purpose(Enum):
    """What a reservation is for."""

    SESSION = "session"
    CALIBRATION = "calibration"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Reservation:
    """So much of some resources in a window.

    Attributes:
        name: unique in its book.
        needs: how much of each resource, at least 1 each.
        start, end: the window [start, end), ps.
        purpose: what it is for.
        tenant: for whom; "" for the operator.
    """

    name: str
    needs: Mapping[str, int] = field(hash=False)
    start: Time
    end: Time
    purpose: Purpose = Purpose.SESSION
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A reservation cannot be booked. A value, not an exception.

    Attributes:
        resource: the first that is short.
        wanted, free: how much of it, and how much there is throughout the window.
        available: the first start at which the same reservation would fit (ps); None where it never does.
    """

    resource: str
    wanted: int
    free: int
    available: Time | None

    def __bool__(self) -> bool:
        """False, so that ``if book.reserve(...)`` reads as it should."""
        return False

    def __str__(self) -> str:
        """One sentence."""
        later = "never" if self.available is None else f"from {show_time(self.available)} on"
        return f"{self.wanted} of {self.resource} wanted, {self.free} free in that window; {later}"


class Calendar:
    """Reservations of all resources.

    A reservation over r resources costs O(r log n).

    Args:
        capacities: how much there is of each resource.

    Examples:
        >>> book = Calendar({"slots of A": 2, "station": 1})
        >>> _ = book.reserve(Reservation("tuning", {"station": 1}, 100, 200, Purpose.CALIBRATION))
        >>> clash = book.reserve(Reservation("s1", {"slots of A": 1, "station": 1}, 50, 120))
        >>> clash.resource, clash.available
        ('station', 200)
        >>> book.next_available({"station": 1}, length=60, after=30)
        30
        >>> book.utilisation("station", 0, 400)
        0.25
    """

    def __init__(self, capacities: Mapping[str, int]) -> None:
        for name, count in capacities.items():
            if count < 0:
                raise QuantityError(found=str(count), expected="0 or more", where=f"capacity of {name}")
        self._capacity = dict(capacities)
        self._use = {name: Profile() for name in capacities}
        self._booked: dict[str, Reservation] = {}

    def __contains__(self, name: object) -> bool:
        """Whether a reservation of that name is booked."""
        return name in self._booked

    def reservations(self, purpose: Purpose | None = None) -> list[Reservation]:
        """What is booked, in order of its start."""
        found = [each for each in self._booked.values() if purpose is None or each.purpose is purpose]
        return sorted(found, key=lambda each: (each.start, each.name))

    def reserve(self, wanted: Reservation) -> Reservation | Conflict:
        """Book all that is wanted, or nothing.

        Raises:
            ProtocolError: a reservation of that name is booked already.
            QuantityError: an empty window or an amount below 1.
            UnknownNameError: of a resource.
        """
        if wanted.name in self._booked:
            raise ProtocolError(f"reservation {wanted.name!r} is booked already")
        self._check(wanted.needs, wanted.end - wanted.start)
        conflict = self._conflict(wanted)
        if conflict is not None:
            return conflict
        for resource, count in wanted.needs.items():
            self._use[resource].add(wanted.start, wanted.end, count)
        self._booked[wanted.name] = wanted
        return wanted

    def release(self, name: str, at: Time | None = None) -> None:
        """Give back what is left of a reservation from a moment on (all of it where None). Releasing twice changes nothing."""
        booked = self._booked.get(name)
        if booked is None:
            return
        start = booked.start if at is None else max(at, booked.start)
        for resource, count in booked.needs.items():
            self._use[resource].add(start, booked.end, -count)
        del self._booked[name]

    def extend(self, name: str, end: Time) -> Reservation | Conflict:
        """Let a reservation end later (or earlier): all of it, or nothing changes.

        Raises:
            UnknownNameError: nothing of that name is booked.
        """
        booked = self._booked.get(name)
        if booked is None:
            raise UnknownNameError(found=repr(name), expected="a reservation that is booked")
        longer = replace(booked, end=end)
        self._check(booked.needs, end - booked.start)
        if end > booked.end:
            more = replace(booked, start=booked.end, end=end)
            conflict = self._conflict(more)
            if conflict is not None:
                return conflict
        for resource, count in booked.needs.items():
            self._use[resource].add(booked.start, booked.end, -count)
            self._use[resource].add(booked.start, end, count)
        self._booked[name] = longer
        return longer

    def free(self, resource: str, start: Time, end: Time) -> int:
        """How much of a resource is free throughout [start, end)."""
        return self._capacity[resource] - self._use[resource].peak(start, end)

    def fits(self, needs: Mapping[str, int], start: Time, end: Time) -> bool:
        """Whether that much is free throughout the window."""
        return all(self.free(resource, start, end) >= count for resource, count in needs.items())

    def next_available(self, needs: Mapping[str, int], length: Time, after: Time) -> Time | None:
        """The first start of a window of this length in which all that is needed is free; None where there is none.

        Raises:
            QuantityError: a length or an amount below 1.
            UnknownNameError: of a resource.
        """
        self._check(needs, length)
        start: Time | None = after
        while start is not None:
            latest = start
            for resource, count in needs.items():
                found = self._use[resource].next_fit(latest, length, self._capacity[resource] - count)
                if found is None:
                    return None
                latest = found
            if latest == start:
                return start
            start = latest
        return None

    def utilisation(self, resource: str, start: Time, end: Time) -> float:
        """Share of a resource that is reserved in [start, end), where start < end."""
        capacity = self._capacity[resource] * (end - start)
        return self._use[resource].area(start, end) / capacity if capacity else 0.0

    def forget(self, before: Time) -> None:
        """Drop what is over; the rest of the book does not change."""
        for name in [name for name, each in self._booked.items() if each.end <= before]:
            del self._booked[name]
        for use in self._use.values():
            use.forget(before)
        # what began before and goes on is booked from here, so that its release finds what it takes back
        for name, each in self._booked.items():
            if each.start < before:
                self._booked[name] = replace(each, start=before)

    def _conflict(self, wanted: Reservation) -> Conflict | None:
        for resource, count in wanted.needs.items():
            free = self.free(resource, wanted.start, wanted.end)
            if free < count:
                available = self.next_available(wanted.needs, wanted.end - wanted.start, wanted.start)
                return Conflict(resource, count, max(0, free), available)
        return None

    def _check(self, needs: Mapping[str, int], length: Time) -> None:
        if length < 1:
            raise QuantityError(
                found=f"{length} ps", expected="a window of 1 ps or more", where="reservation"
            )
        for resource, count in needs.items():
            if resource not in self._capacity:
                raise UnknownNameError(found=repr(resource), expected="a resource of this calendar")
            if count < 1:
                raise QuantityError(found=str(count), expected="1 or more", where=f"need of {resource}")
