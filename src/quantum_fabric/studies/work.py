"""What travels to a worker and what comes back: small, whole, and the same whoever does it and when.

A run's draws depend on (seed of the study, point, number of the run) alone, so chunks may be cut anywhere, done in any order, by
anybody, twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantum_fabric.errors import DocumentError, FabricError, InputError, StateError
from quantum_fabric.kernel import Streams
from quantum_fabric.studies.engine import Row, engine
from quantum_fabric.studies.papers import Papers
from quantum_fabric.studies.quantities import Value

Key = tuple[int, int]
"""A point and the number of a run."""


@dataclass(frozen=True, slots=True)
class Order:
    """What all chunks of a study share.

    Attributes:
        base: documents that do not vary, JSON-shaped.
        engine: by name, since a worker imports its own.
        seed: of the study.
        wanted: outputs that rows must have.
    """

    base: Mapping[str, Any]
    engine: str
    seed: int
    wanted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Task:
    """Some runs of one point: those from `first` up to, not including, `last`."""

    point: int
    settings: tuple[tuple[str, Value], ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tasks that are done together."""

    tasks: tuple[Task, ...]

    @property
    def runs(self) -> int:
        """How many runs it has."""
        return sum(task.last - task.first for task in self.tasks)


def seed_of(study: int, point: int, run: int) -> int:
    """Seed of one run, 63 bits.

    Examples:
        >>> seed_of(1, 0, 0) == seed_of(1, 0, 0), seed_of(1, 0, 0) != seed_of(1, 0, 1)
        (True, True)
    """
    return Streams(study, run).stream(f"study/point {point}").bits() >> 1


def work(order: Order, chunk: Chunk) -> dict[Key, Row]:
    """Do a chunk.

    Raises:
        InputError: a point makes no sense; says which and with what values.
        StateError: the engine failed there.

    Examples:
        >>> order = Order({"link": {"distance": "40 km", "segments": 2}, "request": {"fidelity": 0.9}}, "forecast", 1, frozenset())
        >>> sorted(work(order, Chunk((Task(3, (("link.distance", "50 km"),), 0, 1),))))
        [(3, 0)]
    """
    found: dict[Key, Row] = {}
    for task in chunk.tasks:
        runs = range(task.first, task.last)
        seeds = [seed_of(order.seed, task.point, run) for run in runs]
        try:
            rows = engine(order.engine).rows(Papers(order.base, task.settings), seeds, order.wanted)
        except InputError as error:
            raise _placed(error, task) from error
        except FabricError:
            raise
        except Exception as error:  # a fault of an engine: say where, and let the rest of the study be
            where = f"point {task.point} ({_values(task)})"
            raise StateError(
                f"{where}: the engine {order.engine} failed: {type(error).__name__}: {error}"
            ) from error
        found.update({(task.point, run): row for run, row in zip(runs, rows, strict=True)})
    return found


def _placed(error: InputError, task: Task) -> InputError:
    first = error.findings[0] if isinstance(error, DocumentError) else error
    where = f"point {task.point} ({_values(task)})"
    return InputError(first.found, first.expected, where)


def _values(task: Task) -> str:
    return ", ".join(f"{path} = {value}" for path, value in task.settings)


def cut(tasks: Sequence[Task], runs: int) -> Iterator[Chunk]:
    """Cut tasks into chunks of so many runs.

    Examples:
        >>> whole = [Task(0, (), 0, 5), Task(1, (), 0, 2)]
        >>> [[(task.point, task.first, task.last) for task in chunk.tasks] for chunk in cut(whole, 3)]
        [[(0, 0, 3)], [(0, 3, 5), (1, 0, 1)], [(1, 1, 2)]]
    """
    held: list[Task] = []
    room = max(1, runs)
    for task in tasks:
        first = task.first
        while first < task.last:
            last = min(task.last, first + room)
            held.append(Task(task.point, task.settings, first, last))
            room -= last - first
            first = last
            if room == 0:
                yield Chunk(tuple(held))
                held, room = [], max(1, runs)
    if held:
        yield Chunk(tuple(held))


def plain_row(row: Row) -> dict[str, float | str | None]:
    """A row as JSON has it: None for not-a-number, text for infinities.

    Examples:
        >>> plain_row({"rate": 1.5, "fidelity": float("nan")})
        {'rate': 1.5, 'fidelity': None}
    """
    return {
        name: None if math.isnan(value) else value if math.isfinite(value) else repr(value)
        for name, value in row.items()
    }


def row_of(plain: Mapping[str, Any]) -> Row:
    """The inverse of `plain_row`.

    Examples:
        >>> row_of({"rate": "inf"})
        {'rate': inf}
    """
    return {name: math.nan if value is None else float(value) for name, value in plain.items()}
