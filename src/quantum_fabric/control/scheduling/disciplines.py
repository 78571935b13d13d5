"""Who goes next: queueing disciplines behind one protocol.

A discipline is told what arrives, what begins and what ends, and is asked two things: in which order to try what waits
(`Discipline.order`), and whether something is worth trying at all (`Discipline.verdict`). Whether it fits is not its business. It
says too whether one that does not fit holds up those behind it (`Discipline.overtakes`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from quantum_fabric.units import Time


class Verdict(Enum):
    """What becomes of something that waits."""

    GO = "go"
    """Begin it where it fits."""
    RETRY = "retry"
    """It failed, and there is time for another attempt."""
    DROP = "drop"
    """It cannot be in time any more."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for its turn.

    Attributes:
        name: unique among what waits.
        tenant: for whom; "" for nobody in particular.
        priority: a higher one goes first, where the discipline looks at it.
        arrived: when it came (ps).
        deadline: when it must be done (ps); None without one.
        length: how long it is expected to take (ps).
        cost: what it takes of the network, in units that all share (slot seconds); above 0.
        queue: where it waits (a link, a station), for disciplines that look at queues.
    """

    name: str
    tenant: str = ""
    priority: int = 0
    arrived: Time = 0
    deadline: Time | None = None
    length: Time = 0
    cost: float = 1.0
    queue: str = ""


class Discipline(Protocol):
    """See the module."""

    @property
    def overtakes(self) -> bool:
        """Whether what is behind may go where what is ahead does not fit."""
        ...

    def arrived(self, job: Waiting, now: Time) -> None:
        """Something begins to wait."""
        ...

    def order(self, waiting: Sequence[Waiting], now: Time) -> list[Waiting]:
        """All that waits, in the order in which it is to be tried."""
        ...

    def verdict(self, job: Waiting, now: Time) -> Verdict:
        """Whether it is worth beginning."""
        ...

    def failed(self, job: Waiting, now: Time) -> Verdict:
        """Whether to try again what was begun and did not succeed."""
        ...

    def started(self, job: Waiting, now: Time) -> None:
        """Something has begun."""
        ...

    def ended(self, job: Waiting, now: Time) -> None:
        """Something that had begun is over, or was taken back."""
        ...


@dataclass
class Fifo:
    """Oldest first.

    Args:
        overtakes: whether a later one may go where the oldest does not fit.

    Examples:
        >>> [job.name for job in Fifo().order([Waiting("late", arrived=9), Waiting("early", arrived=1)], now=10)]
        ['early', 'late']
    """

    overtakes: bool = True

    def arrived(self, job: Waiting, now: Time) -> None:
        """Nothing to remember."""

    def order(self, waiting: Sequence[Waiting], now: Time) -> list[Waiting]:
        """By arrival; what arrived together keeps its order."""
        return sorted(waiting, key=lambda job: job.arrived)

    def verdict(self, job: Waiting, now: Time) -> Verdict:
        """Always worth trying."""
        return Verdict.GO

    def failed(self, job: Waiting, now: Time) -> Verdict:
        """Again until its deadline."""
        return Verdict.DROP if job.deadline is not None and now >= job.deadline else Verdict.RETRY

    def started(self, job: Waiting, now: Time) -> None:
        """Nothing to remember."""

    def ended(self, job: Waiting, now: Time) -> None:
        """Nothing to remember."""


@dataclass
class StrictPriority(Fifo):
    """Higher priority first, then oldest first. A lower one starves where a higher one always waits."""

    def order(self, waiting: Sequence[Waiting], now: Time) -> list[Waiting]:
        """By priority, then by arrival."""
        return sorted(waiting, key=lambda job: (-job.priority, job.arrived))


@dataclass
class EarliestDeadline(Fifo):
    """Earliest deadline first, with defer, retry and drop.

    What does not fit is deferred: it keeps its place. What failed is tried again as long as another attempt ends in time. What
    cannot end in time any more is dropped before it takes anything. What has no deadline goes last, oldest first.

    Equation: Liu and Layland, J. ACM 20, 46 (1973), here without preemption; on one resource, with all work there from the
    beginning, no order has a smaller greatest lateness (Jackson 1955).

    Examples:
        >>> edf = EarliestDeadline()
        >>> edf.verdict(Waiting("late", deadline=100, length=60), now=50)
        <Verdict.DROP: 'drop'>
    """

    def order(self, waiting: Sequence[Waiting], now: Time) -> list[Waiting]:
        """By deadline, then by arrival."""
        return sorted(waiting, key=lambda job: (job.deadline is None, job.deadline or 0, job.arrived))

    def verdict(self, job: Waiting, now: Time) -> Verdict:
        """Worth it where it is expected to end in time."""
        late = job.deadline is not None and now + job.length > job.deadline
        return Verdict.DROP if late else Verdict.GO

    def failed(self, job: Waiting, now: Time) -> Verdict:
        """Again where another attempt ends in time."""
        return Verdict.DROP if self.verdict(job, now) is Verdict.DROP else Verdict.RETRY


@dataclass
class LongestQueue(Fifo):
    """From the queue in which most waits, oldest first; every turn makes that queue shorter by one.

    Examples:
        >>> jobs = [Waiting("a", queue="x"), Waiting("b", queue="y", arrived=1), Waiting("c", queue="y", arrived=2)]
        >>> [job.name for job in LongestQueue().order(jobs, now=3)]
        ['b', 'a', 'c']
    """

    def order(self, waiting: Sequence[Waiting], now: Time) -> list[Waiting]:
        """Longest first; equally long ones by the arrival of their oldest."""
        lines: dict[str, deque[Waiting]] = {}
        for job in sorted(waiting, key=lambda job: job.arrived):
            lines.setdefault(job.queue, deque()).append(job)
        out: list[Waiting] = []
        while lines:
            name = min(lines, key=lambda queue: (-len(lines[queue]), lines[queue][0].arrived))
            out.append(lines[name].popleft())
            if not lines[name]:
                del lines[name]
        return out


@dataclass(frozen=True, slots=True)
class Round:
    """What one pass over a queue did.

    Attributes:
        begun: what fitted and was begun, in order.
        dropped: what is not worth trying any more.
    """

    begun: tuple[Waiting, ...]
    dropped: tuple[Waiting, ...]


def serve(
    discipline: Discipline, waiting: Sequence[Waiting], begin: Callable[[Waiting], bool], now: Time
) -> Round:
    """Try everything that waits, in order.

    Args:
        discipline: who goes next.
        waiting: the queue.
        begin: begins one where it fits, and says whether it did.
        now: ps.

    Examples:
        >>> room = [2]
        >>> def begin(job):
        ...     fits = job.cost <= room[0]
        ...     room[0] -= job.cost if fits else 0
        ...     return fits
        >>> jobs = [Waiting("wide", cost=3), Waiting("thin", cost=1, arrived=1)]
        >>> [job.name for job in serve(Fifo(), jobs, begin, 5).begun]
        ['thin']
        >>> serve(Fifo(overtakes=False), jobs, begin, 5).begun
        ()
    """
    begun: list[Waiting] = []
    dropped: list[Waiting] = []
    for job in discipline.order(waiting, now):
        if discipline.verdict(job, now) is Verdict.DROP:
            dropped.append(job)
        elif begin(job):
            begun.append(job)
            discipline.started(job, now)
        elif not discipline.overtakes:
            break
    return Round(tuple(begun), tuple(dropped))
