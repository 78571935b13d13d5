"""A static timetable of periodic work: the baseline that online scheduling is compared with.

All windows are laid down in advance, over one hyperperiod. Work has the whole of its window whether it needs it or not, and what
fails waits for its next window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from quantum_fabric.control.scheduling.calendar import Calendar, Reservation
from quantum_fabric.errors import QuantityError
from quantum_fabric.units import Time, show_time

LONGEST = 100_000
"""Windows of one timetable."""


@dataclass(frozen=True, slots=True)
class Task:
    """Work that comes again and again.

    Attributes:
        name: unique.
        period: ps; each window lies within one period.
        length: of a window, ps.
        resources: that it has for itself meanwhile.
        release: when the first period begins (ps).
    """

    name: str
    period: Time
    length: Time
    resources: tuple[str, ...]
    release: Time = 0

    def __post_init__(self) -> None:
        if not (self.period > 0 and self.length > 0 and self.release >= 0):
            found = f"period {self.period}, length {self.length}, release {self.release} ps"
            raise QuantityError(found=found, expected="times above 0", where=f"task {self.name}")

    @property
    def utilisation(self) -> float:
        """Share of each of its resources that it needs."""
        return self.length / self.period


@dataclass(frozen=True, slots=True)
class Window:
    """One task's turn in [start, end); its period ends at `deadline`."""

    task: str
    start: Time
    end: Time
    deadline: Time


@dataclass(frozen=True, slots=True)
class Timetable:
    """Windows in order of their start, to be repeated every `cycle` (ps)."""

    windows: tuple[Window, ...]
    cycle: Time


@dataclass(frozen=True, slots=True)
class Infeasible:
    """No timetable was found. A value, not an exception.

    Attributes:
        task: the first without a place.
        resource: which binds.
        reason: one sentence.
    """

    task: str
    resource: str
    reason: str

    def __bool__(self) -> bool:
        """False, so that ``if table:`` reads as it should."""
        return False


def loads(tasks: Sequence[Task]) -> dict[str, float]:
    """Utilisation of each resource: no timetable exists where one is above 1."""
    out: dict[str, float] = {}
    for task in tasks:
        for resource in task.resources:
            out[resource] = out.get(resource, 0.0) + task.utilisation
    return out


def draw_up(tasks: Sequence[Task], gaps: bool = True) -> Timetable | Infeasible:
    """Lay down windows, earliest deadline first.

    Args:
        tasks: the work.
        gaps: whether a window may go into a gap that was left before; without, each goes behind all that were laid down on its
            resources (list scheduling, which is what the published static schedulers do).

    Returns:
        A timetable, or why there is none. Where it finds none there may still be one: the problem is NP-hard.

    Raises:
        QuantityError: more than 100,000 windows in a hyperperiod.

    Examples:
        >>> table = draw_up([Task("a", 10, 4, ("x",)), Task("b", 20, 8, ("x",))])
        >>> [(window.task, window.start) for window in table.windows]
        [('a', 0), ('b', 4), ('a', 12)]
        >>> draw_up([Task("a", 10, 6, ("x",)), Task("b", 10, 6, ("x",))]).reason
        'utilisation of x is 1.2'
    """
    for resource, load in loads(tasks).items():
        if load > 1.0 + 1e-12:
            culprit = next(task.name for task in reversed(tasks) if resource in task.resources)
            return Infeasible(culprit, resource, f"utilisation of {resource} is {load:.4g}")
    cycle = math.lcm(*(task.period for task in tasks)) if tasks else 1
    if sum(cycle // task.period for task in tasks) > LONGEST:
        raise QuantityError(
            found=f"a hyperperiod of {show_time(cycle)}",
            expected=f"at most {LONGEST} windows",
            where="timetable",
        )
    turns = sorted(
        (task.release + (k + 1) * task.period, task.release + k * task.period, n, k)
        for n, task in enumerate(tasks)
        for k in range(cycle // task.period)
    )
    book = Calendar(dict.fromkeys((r for task in tasks for r in task.resources), 1))
    behind = dict.fromkeys((r for task in tasks for r in task.resources), 0)
    windows: list[Window] = []
    for deadline, release, n, k in turns:
        task = tasks[n]
        needs = dict.fromkeys(task.resources, 1)
        if gaps and needs:
            start = book.next_available(needs, task.length, release)
            assert start is not None  # the book has an end
        else:
            start = max([release, *(behind[resource] for resource in task.resources)])
        end = start + task.length
        if end > deadline:
            late = f"window {k + 1} of {task.name} would end at {show_time(end)}, its period at {show_time(deadline)}"
            full = max(task.resources, key=lambda resource: loads(tasks)[resource], default="")
            return Infeasible(task.name, full, late)
        for resource in task.resources:
            behind[resource] = end
        if gaps and needs:
            book.reserve(Reservation(f"{task.name}#{k}", needs, start, end))
        windows.append(Window(task.name, start, end, deadline))
    return Timetable(tuple(sorted(windows, key=lambda window: (window.start, window.task))), cycle)
