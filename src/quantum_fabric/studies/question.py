"""The question of planning backwards: the forecast as a function of how far each parameter is improved."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantum_fabric.errors import InputError
from quantum_fabric.studies.costs import Knob, Target, knob, shortfall, targets
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.executors import Alone, Executor
from quantum_fabric.studies.loading import Study, digest
from quantum_fabric.studies.papers import Papers
from quantum_fabric.studies.store import Store
from quantum_fabric.studies.work import Chunk, Order, Task, plain_row, row_of, work

Shares = tuple[float, ...]
"""How far each parameter goes from what it is (0) to the best that can be had (1)."""


@dataclass
class Question:
    """The forecast as a function of how far each parameter is improved; every answer is kept on the disk.

    Attributes:
        study: with goals and improvements.
        folder: where answers are kept; None for nowhere.
        executor: who works them out.
        tell: hears how many questions were asked and the least cost so far.
    """

    study: Study
    folder: Path | None = None
    executor: Executor = field(default_factory=Alone)
    tell: Callable[[int, float], None] = lambda _asked, _cost: None

    def __post_init__(self) -> None:
        self.knobs: list[Knob] = [knob(entry) for entry in self.study.document.improve]
        self.targets: list[Target] = targets(self.study.document.goal)
        request = Papers(self.study.base).request
        assert request is not None, "a line or a request was checked for"
        self.fidelity = request.fidelity
        self.wanted = frozenset(target.out.name for target in self.targets) | {"accepted"}
        self.order = Order(self.study.base, self.study.engine.name, self.study.document.seed, self.wanted)
        self.best = float("inf")
        self._known: dict[str, Row] = {}
        self.asked = 0
        self._read()

    def settings(self, shares: Sequence[float]) -> tuple[tuple[str, Any], ...]:
        """The values of a point as they are written into documents."""
        return tuple((knob.path, knob.at(share)) for knob, share in zip(self.knobs, shares, strict=True))

    def cost(self, shares: Sequence[float]) -> float:
        """What a point costs."""
        return sum(knob.cost(share) for knob, share in zip(self.knobs, shares, strict=True))

    def lacks(self, shares: Sequence[float]) -> float:
        """What a point lacks; 0 or less where it meets the goal."""
        return self.many([tuple(shares)])[0]

    def row(self, shares: Sequence[float]) -> Row:
        """The forecast of a point."""
        self.many([tuple(shares)])
        return self._known[_key(self.settings(shares))]

    def many(self, points: Sequence[Shares]) -> list[float]:
        """What several points lack, worked out side by side."""
        settings = [self.settings(point) for point in points]
        fresh = {_key(each): each for each in settings if _key(each) not in self._known}
        chunks = [Chunk((Task(number, each, 0, 1),)) for number, each in enumerate(fresh.values())]
        keys = list(fresh)
        limit = self.study.document.limits.runs
        if self.asked + len(chunks) > limit:
            raise InputError(
                f"a search that needs more than {limit:,} questions",
                "a higher limit (limits.runs)",
                self.study.file,
            )
        for chunk, rows in self.executor.run(self.order, chunks):
            task = chunk.tasks[0]
            self._keep(keys[task.point], rows[task.point, 0])
        found = [shortfall(self._known[_key(each)], self.targets, self.fidelity) for each in settings]
        good = [self.cost(point) for point, lack in zip(points, found) if lack <= 0.0]
        self.best = min([self.best, *good])
        self.tell(self.asked, self.best)
        return found

    def again(self, shares: Sequence[float]) -> Row:
        """The forecast of a point, worked out anew."""
        return work(self.order, Chunk((Task(0, self.settings(shares), 0, 1),)))[0, 0]

    def _keep(self, key: str, row: Row) -> None:
        self._known[key] = row
        self.asked += 1
        if self.folder is not None:
            line = json.dumps([key, plain_row(row)])
            with (self.folder / "asked.jsonl").open("a", encoding="utf-8") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())

    def _read(self) -> None:
        """Take what was kept; a last line that was cut off by a crash is left out and asked again."""
        path = self.folder / "asked.jsonl" if self.folder is not None else None
        if path is None or not path.exists():
            return
        whole = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                key, row = json.loads(line)
                self._known[key] = row_of(row)
                whole.append(line)
            except (ValueError, TypeError, AttributeError):
                continue
        self.asked = len(whole)
        Store(path.parent, self.study).save(path, "".join(line + "\n" for line in whole))


def _key(settings: tuple[tuple[str, Any], ...]) -> str:
    return digest([list(pair) for pair in settings])
