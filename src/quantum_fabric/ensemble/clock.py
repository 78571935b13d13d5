"""The clock of a run whose events are kept by the native kernel: callbacks in Python take their turn among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from quantum_fabric.errors import CausalityError
from quantum_fabric.kernel import Clock, Handle
from quantum_fabric.kernel.order import RANKS
from quantum_fabric.units import Time

NEVER: Final = (1 << 63) - 1
"""The kernel's times have 64 bits, and no run ends after 2^61 ps, some 26 days."""


class NativeClock(Clock):
    """`quantum_fabric.kernel.Clock` on the queue of a native run.

    Args:
        run: the native run; its calls and letters to the controller's seat come here.
        mail: told of each letter that arrives at the controller's seat.
    """

    __slots__ = ("_calls", "_run", "_stop")

    def __init__(self, run: Any, mail: Callable[..., None]) -> None:
        self._run = run
        self._calls: dict[int, Handle] = {}
        self._stop: Callable[[], bool] | None = None
        super().__init__()

        def heard(*letter: Any) -> None:
            mail(*letter)
            self.ask_to_stop()

        run.seat(heard, self._due)

    @property
    def now(self) -> Time:
        """Virtual time, ps."""
        return int(self._run.now)

    @now.setter
    def now(self, at: Time) -> None:
        """Nobody but the kernel moves the time."""

    @property
    def events(self) -> int:
        """How many events have run, native ones included."""
        return int(self._run.counts["events"])

    @events.setter
    def events(self, count: int) -> None:
        """Nobody but the kernel counts."""

    def schedule(
        self, at: Time, priority: int, callback: Callable[[Any], None], argument: Any = None
    ) -> Handle:
        """Run ``callback(argument)`` at time ``at``, among the native events of that time.

        Raises:
            CausalityError: ``at`` is in the past.
        """
        if at < self.now:
            raise CausalityError(f"an event for {at} ps was scheduled at {self.now} ps, which is later")
        self._sequence += 1
        handle = [at, priority, self._sequence, callback, argument]
        self._calls[self._sequence] = handle
        at = min(at, NEVER)  # as the life of a perfect pair in a perfect memory: no run goes on for so long
        self._run.call_at(at, priority // RANKS, priority % RANKS, self._sequence)
        return handle

    def peek(self) -> Time | None:
        """Time of the next event, None when nothing is scheduled."""
        found = int(self._run.next)
        return None if found < 0 else found

    def run(self, until: Time, stop: Callable[[], bool] | None = None) -> None:
        """Run every event up to and including time ``until``; ``stop`` is asked after each event that Python hears of.

        Raises:
            CausalityError: ``until`` is in the past.
        """
        if until < self.now:
            raise CausalityError(f"cannot run until {until} ps: it is {self.now} ps already")
        self._stop = stop
        self._run.pauses = stop is not None  # pairs that the kernel counts by itself are heard of too
        try:
            self._run.run(until)
        finally:
            self._stop = None

    def _due(self, number: int) -> None:
        _, _, _, callback, argument = self._calls.pop(number)
        if callback is not None:
            callback(argument)
            self.ask_to_stop()

    def ask_to_stop(self) -> None:
        """Something that Python hears of has happened: end the run, if that was what it waited for."""
        if self._stop is not None and self._stop():
            self._run.halt()
