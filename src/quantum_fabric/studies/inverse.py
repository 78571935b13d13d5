"""Planning backwards: which parameters must improve, by how much, at least cost, to reach a goal.

Minimise the cost over the box between what is and what can be had, subject to the goal on the forecast:

    1. all at their best: where even that misses the goal, the best that can be had is looked for and the question refused
    2. differential evolution (SciPy), where a point that meets the goal beats every point that does not (Deb,
       Comput. Methods Appl. Mech. Eng. 186, 311 (2000))
    3. COBYQA (SciPy; Ragonneau and Zhang) from its best point, over what is not whole-numbered
    4. each parameter back as far as the goal allows, and each pair against each other, until nothing moves
    5. a certificate: asked again, simulated, each parameter a step back

Limits:
    The forecast is a model with stated errors, and a plan may change abruptly with a parameter, so that a minimum is local: the
    certificate says along which directions it was tried. Parameters are independent of each other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from quantum_fabric.errors import FabricError, InputError
from quantum_fabric.studies.certificate import Check, certify
from quantum_fabric.studies.costs import Knob, Target, knob, shortfall, targets
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.executors import Alone, Executor
from quantum_fabric.studies.loading import Study, digest
from quantum_fabric.studies.papers import Papers
from quantum_fabric.studies.store import Store
from quantum_fabric.studies.work import Chunk, Order, Task, plain_row, row_of, work

MISSING: Final = "the package scipy: pip install 'quantum-fabric[studies]'"
GENERATIONS: Final = 10
FINE: Final = 4e-3
"""Share of the way to which minima are found."""

BACK: Final = 0.01
"""Share of the way by which the certificate steps back."""

Shares = tuple[float, ...]


@dataclass(frozen=True)
class Step:
    """What one parameter has to do.

    Attributes:
        name, path: of the parameter.
        share: of the way from what it is to the best that can be had.
        text: its values in words.
        value: as it is written into a document.
        cost: of that.
    """

    name: str
    path: str
    share: float
    text: str
    value: str | int | float
    cost: float


@dataclass(frozen=True)
class Answer:
    """What came of planning backwards.

    Attributes:
        feasible: whether the goal can be reached; where not, `steps` are those of the best that can be had.
        sentence: the answer.
        steps: one for each parameter.
        cost: of all.
        checks: the certificate; empty where the goal cannot be reached.
        asked: questions to the forecast.
        found: the forecast at the answer.
    """

    feasible: bool
    sentence: str
    steps: tuple[Step, ...]
    cost: float
    checks: tuple[Check, ...]
    asked: int
    found: Row


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


def backwards(question: Question, simulate: int = 16) -> Answer:
    '''Answer a study with a goal.

    Args:
        question: the study, and who answers.
        simulate: runs of the twin for the certificate; 0 for none.

    Raises:
        InputError: SciPy is not installed, or the limit of questions is reached.

    Examples:
        >>> from quantum_fabric.studies.loading import parse_study
        >>> study = parse_study("""
        ... kind: study
        ... version: 1
        ... base: {link: {distance: 20 km, segments: 1}, request: {fidelity: 0.8}}
        ... goal: {output: rate, at_least: 1500 Hz}
        ... improve:
        ... - {path: defaults.detector.efficiency, from: 0.2, to: 0.98, cost: {per: 0.1}}
        ... """)
        >>> answer = backwards(Question(study), simulate=0)
        >>> answer.feasible, all(check.good for check in answer.checks)
        (True, True)
    '''
    if find_spec("scipy") is None:
        raise InputError("nothing", MISSING, "goal")
    d = len(question.knobs)
    everything = (1.0,) * d
    if question.lacks((0.0,) * d) <= 0.0:
        return _answer(question, (0.0,) * d, "Nothing has to improve", simulate)
    if question.lacks(everything) > 0.0:
        best = _evolved(question, feasible=False)  # more of everything is not always better
        if question.lacks(best) > 0.0:
            return _refusal(question, best)
    found = _evolved(question, feasible=True)
    found = _polished(question, found)
    found = _pressed(question, found)
    return _answer(question, found, "", simulate)


class _CarriedError(Exception):
    """Carries a fault of ours through SciPy, which takes a ValueError for one of its own."""

    def __init__(self, fault: FabricError) -> None:
        self.fault = fault


@contextmanager
def _carrying() -> Iterator[None]:
    try:
        yield
    except FabricError as fault:
        raise _CarriedError(fault) from fault


@contextmanager
def _unwrapped() -> Iterator[None]:
    try:
        yield
    except _CarriedError as carried:
        raise carried.fault from None


def _evolved(question: Question, *, feasible: bool) -> Shares:
    """Differential evolution over the box, from a population that holds its corners' middle ways."""
    from scipy.optimize import differential_evolution

    d = len(question.knobs)
    size = max(8, 4 * d)
    most = question.cost((1.0,) * d)
    rng = np.random.default_rng(question.study.document.seed)
    begin = rng.random((size, d))
    begin[0] = 1.0
    begin[1 : 1 + d] = 1.0 - 0.5 * np.eye(d)
    seen: dict[Shares, float] = {}

    def merit(x: Any) -> Any:
        points = [tuple(float(value) for value in column) for column in np.atleast_2d(x.T)]
        # a point that costs more than one that is good enough is not worth a question
        open_ = [point for point in points if not feasible or question.cost(point) < question.best]
        with _carrying():
            lacks = question.many(open_)
        for point, lack in zip(open_, lacks):
            cost = question.cost(point)
            seen[point] = lack if not feasible else cost if lack <= 0.0 else most + 1.0 + lack
        return np.array([seen.get(point, most + 0.5) for point in points])

    with _unwrapped():
        differential_evolution(
            merit, [(0.0, 1.0)] * d, init=begin, maxiter=GENERATIONS, rng=rng, polish=False, updating="deferred",
            vectorized=True, tol=1e-3, mutation=(0.4, 0.9), recombination=0.8,
        )  # fmt: skip
    return min(seen, key=lambda point: (seen[point], point))


def _polished(question: Question, start: Shares) -> Shares:
    """COBYQA over the parameters that are not whole-numbered."""
    from scipy.optimize import NonlinearConstraint, minimize

    free = [i for i, knob in enumerate(question.knobs) if not knob.span.whole]
    if len(free) < 2:  # one alone is pressed to its bound anyway
        return start
    scale = max(question.cost((1.0,) * len(start)), 1e-12)

    def whole(x: Any) -> Shares:
        point = list(start)
        for i, value in zip(free, x):
            point[i] = min(1.0, max(0.0, float(value)))
        return tuple(point)

    def lacks(x: Any) -> float:
        with _carrying():
            return question.lacks(whole(x))

    constraint = NonlinearConstraint(lacks, -np.inf, 0.0)
    with _unwrapped():
        result = minimize(
            lambda x: question.cost(whole(x)) / scale, np.array([start[i] for i in free]), method="COBYQA",
            bounds=[(0.0, 1.0)] * len(free), constraints=[constraint],
            options={"maxfev": 20 * len(free), "initial_tr_radius": 0.1, "final_tr_radius": FINE},
        )  # fmt: skip
    found = whole(result.x)
    better = question.lacks(found) <= 0.0 and question.cost(found) < question.cost(start)
    return found if better else start


def _pressed(question: Question, start: Shares) -> Shares:
    """Each parameter back as far as the goal allows, then each pair against each other, until nothing moves."""
    here = start
    for _ in range(6):
        before = question.cost(here)
        order = sorted(range(len(here)), key=lambda i: -question.knobs[i].cost(here[i]))
        for i in order:
            here = _least(question, here, i)
        for i in order:
            for j in range(len(here)):
                if i != j:
                    here = _exchanged(question, here, i, j)
        if question.cost(here) > before * (1.0 - 1e-3):
            break
    return here


def _least(question: Question, here: Shares, i: int) -> Shares:
    """The least value of one parameter that still meets the goal, by bisection."""

    def with_(share: float) -> Shares:
        return (*here[:i], share, *here[i + 1 :])

    if here[i] <= 0.0:
        return here
    low, high = 0.0, here[i]
    if question.lacks(with_(low)) <= 0.0:
        return with_(low)
    whole = question.knobs[i].span.whole
    while high - low > FINE and not (whole and question.knobs[i].back(high, FINE) <= low):
        middle = (low + high) / 2.0
        if question.lacks(with_(middle)) <= 0.0:
            high = middle
        else:
            low = middle
    if whole:
        high = question.knobs[i].span.share(question.knobs[i].span.number(high))
    return with_(min(1.0, max(0.0, high)))


def _exchanged(question: Question, here: Shares, i: int, j: int) -> Shares:
    """A little more of one parameter for as much less of another as the goal allows, where that is cheaper."""
    if here[i] <= 0.0 or here[j] >= 1.0:
        return here
    moved = list(here)
    moved[j] = min(1.0, here[j] + 0.05)
    budget = question.knobs[i].cost(here[i]) - (
        question.knobs[j].cost(moved[j]) - question.knobs[j].cost(here[j])
    )
    if budget <= 0.0:
        return here
    low, high = 0.0, here[i]
    for _ in range(40):  # as much of the one as the other leaves money for
        middle = (low + high) / 2.0
        low, high = (middle, high) if question.knobs[i].cost(middle) < budget else (low, middle)
    moved[i] = low
    if not question.cost(moved) < question.cost(here) or question.lacks(moved) > 0.0:
        return here
    return _least(question, tuple(moved), i)


def _steps(question: Question, shares: Shares) -> tuple[Step, ...]:
    made = []
    for knob_, share in zip(question.knobs, shares, strict=True):
        now, then = knob_.at(0.0), knob_.at(share)
        text = f"{_short(now)} as it is" if then == now else f"from {_short(now)} to {_short(then)}"
        made.append(Step(knob_.name, knob_.path, share, text, then, knob_.cost(share)))
    return tuple(made)


def _short(value: str | int | float) -> str:
    number, _, unit = str(value).partition(" ")
    try:
        return f"{float(number):.4g}{' ' if unit else ''}{unit}"
    except ValueError:
        return str(value)


def _answer(question: Question, shares: Shares, said: str, simulate: int) -> Answer:
    steps = _steps(question, shares)
    wanted = " and ".join(target.text for target in question.targets)
    cost = question.cost(shares)
    moves = "; ".join(f"{step.name} {step.text}" for step in steps if step.share > 0.0)
    sentence = f"{said}: {wanted} is there already." if said else f"For {wanted}: {moves}. Cost {cost:.4g}."
    checks = certify(question, shares, BACK, simulate)
    return Answer(True, sentence, steps, cost, tuple(checks), question.asked, question.row(shares))


def _refusal(question: Question, shares: Shares) -> Answer:
    row = question.row(shares)
    wanted = " and ".join(target.text for target in question.targets)
    if row.get("accepted") == 0.0:
        offered = row.get("offered_fidelity", float("nan"))
        best = f"no plan reaches the fidelity {question.fidelity:g} that is asked for, the best that can be had is {offered:.4g}"
    else:
        best = ", ".join(
            f"{target.out.name} {target.out.text(row.get(target.out.name, float('nan'))).strip()}"
            for target in question.targets
        )
        best = f"the best that was found is {best}"
    sentence = f"Not within these limits: {wanted} cannot be reached; {best}."
    return Answer(False, sentence, _steps(question, shares), question.cost(shares), (), question.asked, row)
