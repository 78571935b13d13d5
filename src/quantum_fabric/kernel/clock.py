"""The event queue: integer time, total order, no event lost.

The order is (time, priority, sequence), as in SimPy's scheduler; a callback in the past raises. Pacing against a wall clock
is not the kernel's business.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, TypeAlias

from quantum_fabric.errors import CausalityError
from quantum_fabric.units import Time

Callback: TypeAlias = Callable[[Any], None]
Handle: TypeAlias = list[Any]
"""A scheduled event: [time, priority, sequence, callback, argument]; the callback is None once cancelled."""


class Clock:
    """Runs callbacks in the order (time, priority, sequence).

    Attributes:
        now: time of the event that runs or ran last, in picoseconds.
        events: how many events have run (cancelled ones not counted).

    Examples:
        >>> clock, log = Clock(), []
        >>> _ = clock.schedule(5, 1, log.append, "late")
        >>> _ = clock.schedule(5, 0, log.append, "early")
        >>> clock.run(until=10)
        >>> log, clock.now, clock.events
        (['early', 'late'], 10, 2)
    """

    __slots__ = ("_queue", "_sequence", "events", "now")

    def __init__(self) -> None:
        self.now: Time = 0
        self.events = 0
        self._sequence = 0
        self._queue: list[Handle] = []

    def schedule(self, at: Time, priority: int, callback: Callback, argument: Any = None) -> Handle:
        """Run ``callback(argument)`` at time ``at``.

        Raises:
            CausalityError: ``at`` is in the past.
        """
        if at < self.now:
            raise CausalityError(f"an event for {at} ps was scheduled at {self.now} ps, which is later")
        self._sequence += 1
        handle = [at, priority, self._sequence, callback, argument]
        heappush(self._queue, handle)
        return handle

    @staticmethod
    def cancel(handle: Handle) -> None:
        """Make sure a scheduled event never runs; cancelling twice is harmless.

        Examples:
            >>> clock, log = Clock(), []
            >>> Clock.cancel(clock.schedule(1, 0, log.append, "never"))
            >>> clock.run(until=2); log
            []
        """
        handle[3] = None

    def peek(self) -> Time | None:
        """Time of the next event, None when nothing is scheduled."""
        queue = self._queue
        while queue and queue[0][3] is None:
            heappop(queue)
        return queue[0][0] if queue else None

    def run(self, until: Time, stop: Callable[[], bool] | None = None) -> None:
        """Run every event up to and including time ``until``, then set the clock to it.

        Args:
            until: picoseconds; not before `now`.
            stop: asked after each event; True ends the run early, at the time of that event.

        Raises:
            CausalityError: ``until`` is in the past.
        """
        if until < self.now:
            raise CausalityError(f"cannot run until {until} ps: it is {self.now} ps already")
        queue = self._queue
        while queue and queue[0][0] <= until:
            at, _, _, callback, argument = heappop(queue)
            if callback is None:
                continue
            self.now = at
            self.events += 1
            callback(argument)
            if stop is not None and stop():
                return
        self.now = until
