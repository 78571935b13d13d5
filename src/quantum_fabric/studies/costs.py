"""What improvements cost, and how far a point is from what has to be reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from quantum_fabric.documents.study_document import Goal, Improve
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.outputs import OUTPUTS, Output
from quantum_fabric.studies.places import place
from quantum_fabric.studies.quantities import Span, Value, span
from quantum_fabric.units import parse

REFUSED = 1.0
"""Shortfall of a request that is refused, on top of what its fidelity lacks: more than that of any request that is served."""


@dataclass(frozen=True)
class Knob:
    """One parameter that may be improved.

    Attributes:
        path: where it stands.
        name: for people.
        span: from what it is (share 0) to the best that can be had (share 1).
        price, per, power: of `Improve.cost`; ``per`` is 0 for a price of each factor of ten.

    Examples:
        >>> memory = knob(Improve.model_validate({"path": "nodes.*.memory.t2", "from": "1 s", "to": "100 s", "scale": "log",
        ...                                       "cost": {"price": 3.0}}))
        >>> memory.cost(0.5), memory.at(0.5)
        (3.0, '10.0 s')
    """

    path: str
    name: str
    span: Span
    price: float
    per: float
    power: float

    def at(self, share: float) -> Value:
        """The value at a share of the way, as it is written into a document."""
        return self.span.at(share)

    def cost(self, share: float) -> float:
        """What it costs to go that far."""
        now, value = self.span.number(0.0), self.span.number(share)
        steps = abs(value - now) / self.per if self.per else abs(math.log10(value / now))
        return float(self.price * steps**self.power)

    def back(self, share: float, by: float) -> float:
        """A share that is less by so much, or by one whole step where values are whole.

        Examples:
            >>> slots = Knob("link.memories", "slots", span(2, 10, whole=True), 1.0, 1.0, 1.0)
            >>> slots.at(slots.back(0.5, 0.01))
            5
        """
        if not self.span.whole:
            return max(0.0, share - by)
        here, first = self.span.number(share), self.span.number(0.0)
        step = self._unit if here > first else -self._unit
        return max(0.0, self.span.share(here - step)) if here != first else 0.0

    @property
    def _unit(self) -> float:
        from quantum_fabric.units import UNITS

        return UNITS[self.span.kind][self.span.unit]


def knob(entry: Improve) -> Knob:
    """A parameter from its entry in a document."""
    between = span(entry.now, entry.best, log=entry.scale == "log", whole=entry.whole)
    per = parse(entry.cost.per, between.kind) if entry.cost.per is not None else 0.0
    name = entry.name or place(entry.path).slug.replace("_", " ")
    return Knob(entry.path, name, between, entry.cost.price, per, entry.cost.power)


@dataclass(frozen=True)
class Target:
    """One thing that has to be reached.

    Attributes:
        out: which output.
        bound: in base units.
        least: whether it is a lower bound.
    """

    out: Output
    bound: float
    least: bool

    def shortfall(self, value: float) -> float:
        """How much is lacking, relative to the bound (for fidelities, to what the bound lacks to 1); 0 or less where it is met.

        Examples:
            >>> round(Target(OUTPUTS["fidelity"], 0.98, True).shortfall(0.97), 9)
            0.5
        """
        if not math.isfinite(value):
            return math.inf
        scale = (
            1.0 - self.bound if "fidelity" in self.out.name and self.bound < 1.0 else abs(self.bound) or 1.0
        )
        return (self.bound - value if self.least else value - self.bound) / scale

    @property
    def text(self) -> str:
        """In words.

        Examples:
            >>> Target(OUTPUTS["rate"], 100.0, True).text
            'rate at least 100 /s'
        """
        return (
            f"{self.out.name} {'at least' if self.least else 'at most'} {self.out.text(self.bound).strip()}"
        )


def targets(goals: Sequence[Goal]) -> list[Target]:
    """The goals of a document in base units.

    Examples:
        >>> targets([Goal(output="rate", at_least="1 kHz")])[0].bound
        1000.0
    """
    found = []
    for goal in goals:
        bound = goal.at_least if goal.at_least is not None else goal.at_most
        assert bound is not None, "a document has one of both"
        out = OUTPUTS[goal.output]
        found.append(Target(out, out.read(bound), goal.at_least is not None))
    return found


def shortfall(row: Row, wanted: Sequence[Target], fidelity: float) -> float:
    """How much of what is wanted a point lacks, at worst; 0 or less where it has all.

    Args:
        row: of the forecast.
        wanted: what has to be reached.
        fidelity: that is asked for; a refused request is measured by how far its offer is from it.

    Examples:
        >>> round(shortfall({"accepted": 0.0, "offered_fidelity": 0.85}, [Target(OUTPUTS["rate"], 10.0, True)], 0.9), 9)
        1.5
    """
    lacks = []
    for target in wanted:
        value = row.get(target.out.name, math.nan)
        if row.get("accepted") == 0.0 and target.out.name not in ("finest_fidelity", "accepted"):
            offered = row.get("offered_fidelity", math.nan)
            missing = (fidelity - offered) / (1.0 - fidelity) if math.isfinite(offered) else 10.0
            lacks.append(REFUSED + max(0.0, missing))
        else:
            lacks.append(min(target.shortfall(value), 100.0))
    return max(lacks)
