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

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from quantum_fabric.errors import InputError
from quantum_fabric.studies.certificate import Check, certify
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.question import Question, Shares
from quantum_fabric.studies.searching import evolved, polished, pressed

MISSING: Final = "the package scipy: pip install 'quantum-fabric[studies]'"
BACK: Final = 0.01
"""Share of the way by which the certificate steps back."""


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
        best = evolved(question, feasible=False)  # more of everything is not always better
        if question.lacks(best) > 0.0:
            return _refusal(question, best)
    found = evolved(question, feasible=True)
    found = polished(question, found)
    found = pressed(question, found)
    return _answer(question, found, "", simulate)


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
