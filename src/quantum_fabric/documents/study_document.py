"""The study document: what is varied, how often it is repeated and what comes out, as a person writes it down."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from quantum_fabric.documents.fields import (
    Count,
    Duration,
    Entry,
    Flag,
    Length,
    Name,
    Rate,
    Text,
    checked_fraction,
)
from quantum_fabric.documents.reading import quoted
from quantum_fabric.documents.workload_document import Fidelity
from quantum_fabric.errors import InputError

MOST_GRID = 100_000
"""Values that one list or range may have."""


def check_share(value: object) -> str | float:
    """Check a share strictly between 0 and 1.

    Raises:
        QuantityError: not a number, or outside (0, 1).

    Examples:
        >>> check_share("5 %"), check_share(0.95)
        ('5 %', 0.95)
    """
    return checked_fraction(value, lambda share: 0.0 < share < 1.0, "a share between 0 and 1, such as '5 %'")


def check_value(value: object) -> str | int | float:
    """Check a value that is to be put into a document: text (with a unit, or a name) or a number.

    Raises:
        InputError: a list, a mapping, a yes or no, nothing.

    Examples:
        >>> check_value("25 km")
        '25 km'
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(found=quoted(value), expected="a number, a quantity such as '25 km', or a name")
    return value


_SHARE_SCHEMA = WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}], "examples": ["5 %", 0.95]})
Share = Annotated[str | int | float, BeforeValidator(check_share), _SHARE_SCHEMA]
Value = Annotated[
    str | int | float,
    BeforeValidator(check_value),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}], "examples": ["25 km", 0.95]}),
]
Scale = Literal["linear", "log"]


class LinkQuestion(Entry):
    """A chain of repeaters over a distance, as ``qfabric link`` asks for it."""

    source: Name = Field("Alice", description="name of the near end")
    destination: Name = Field("Bob", description="name of the far end")
    distance: Length = Field(description="distance: a length such as '200 km'")
    devices: Name = Field("future", description="hardware profile of nodes and fibres")
    segments: Count | None = Field(None, description="number of fibres; chosen for the best rate without it")
    memories: Count | None = Field(
        None, description="memory slots of each node; as its sheet says without it"
    )


class Ask(Entry):
    """One request for pairs: the question of each point of a study."""

    source: Name | None = Field(None, alias="from", description="from: the node that asks")
    destination: Name | None = Field(None, alias="to", description="to: the other node")
    fidelity: Fidelity = Field(description="a fidelity in (0.5, 1)")
    pairs: Count = Field(100, description="how many pairs a simulated run delivers")
    rate: Rate | None = Field(None, description="least mean rate of pairs")


class Base(Entry):
    """What is varied: a network with a request or a workload, or a chain over a distance with a request."""

    network: Text | None = Field(None, description="a bundled name, or the path of a document")
    workload: Text | None = Field(None, description="a bundled name, or the path of a document")
    link: LinkQuestion | None = None
    request: Ask | None = None

    @model_validator(mode="after")
    def _one_question(self) -> Base:
        if (self.network is None) == (self.link is None):
            found = "neither network nor link" if self.network is None else "network beside link"
            raise InputError(found=found, expected="one of network (a name or a path) and link (a distance)")
        if self.link is not None and self.workload is not None:
            raise InputError(found="workload beside link", expected="request: what is asked over the link")
        if (self.workload is None) == (self.request is None):
            found = "neither request nor workload" if self.request is None else "request beside workload"
            raise InputError(found=found, expected="one of request and workload")
        if (
            self.network is not None
            and self.request is not None
            and (self.request.source is None or self.request.destination is None)
        ):
            raise InputError(found="a request without 'from' and 'to'", expected="two nodes of the network")
        return self


class Range(Entry):
    """Equally spaced values, both ends included."""

    first: Value = Field(alias="from", description="from: the first value")
    last: Value = Field(alias="to", description="to: the last value")
    count: Annotated[int, Field(strict=True, ge=2, le=MOST_GRID)] = Field(
        description="count: how many values"
    )
    scale: Scale = "linear"
    whole: Flag = Field(False, description="true: round to whole numbers")


class Sample(Entry):
    """Values that are drawn: one dimension of the joint sample that `sampling` describes."""

    first: Value = Field(alias="from", description="from: the lowest value")
    last: Value = Field(alias="to", description="to: the highest value")
    scale: Scale = "linear"
    whole: Flag = Field(False, description="true: round to whole numbers")


class Vary(Entry):
    """One thing that is varied."""

    path: Text = Field(description="path: where the value stands, such as 'links[0].length'")
    name: Name | None = Field(None, description="name of its column; made from the path without one")
    grid: tuple[Value, ...] | None = Field(None, max_length=MOST_GRID, description="a list of values")
    range: Range | None = None
    sample: Sample | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Vary:
        given = [name for name in ("grid", "range", "sample") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " beside ".join(given) or "nothing to vary it over"
            raise InputError(found=found, expected="one of grid (a list), range and sample")
        if self.grid is not None and not self.grid:
            raise InputError(found="an empty grid", expected="at least one value")
        return self


class Sampling(Entry):
    """How the sampled dimensions are filled."""

    method: Literal["uniform", "latin-hypercube", "sobol"] = "sobol"
    count: Annotated[int, Field(strict=True, ge=1)] = Field(description="count: number of samples")


class Interval(Entry):
    """A confidence interval that is to be reached: runs are added until it is narrow enough."""

    of: Name = Field(description="of: the output whose mean it is about")
    relative: Share | None = Field(None, description="half its width over the mean")
    absolute: Value | None = Field(None, description="half its width, with unit")
    level: Share = Field(0.95, description="confidence level")

    @model_validator(mode="after")
    def _one_measure(self) -> Interval:
        if (self.relative is None) == (self.absolute is None):
            found = "neither" if self.relative is None else "relative beside absolute"
            raise InputError(found=found, expected="one of relative (such as '5 %') and absolute")
        return self


class Repeat(Entry):
    """How often each point is simulated."""

    runs: Count | None = Field(None, description="runs of each point")
    interval: Interval | None = Field(None, description="a confidence interval to be reached instead")
    least: Annotated[int, Field(strict=True, ge=2)] = Field(
        8, description="runs before an interval is believed"
    )
    most: Annotated[int, Field(strict=True, ge=2)] = Field(1000, description="runs of a point at most")

    @model_validator(mode="after")
    def _one_rule(self) -> Repeat:
        if (self.runs is None) == (self.interval is None):
            found = "neither runs nor interval" if self.runs is None else "runs beside interval"
            raise InputError(found=found, expected="one of runs (a number) and interval (a target)")
        if self.most < self.least:
            raise InputError(found=f"most {self.most}", expected=f"at least {self.least}, the least number")
        return self


class Limits(Entry):
    """What a study may cost. Beyond it nothing is started."""

    runs: Count = Field(1_000_000, description="runs of engines")
    time: Duration | None = Field(None, description="computing time, as it is estimated")
    network_time: Duration = Field("1 h", description="time in the network after which a simulated run ends")


class Sensitivity(Entry):
    """Which of the sampled things matter: Sobol indices."""

    outputs: tuple[Name, ...] = Field((), description="outputs; all numbers among the study's where empty")
    base: Annotated[int, Field(strict=True, ge=8)] = Field(
        64, description="base samples N, best a power of two: N (d + 2) points for d things"
    )
    bootstrap: Annotated[int, Field(strict=True, ge=20, le=10_000)] = Field(
        500, description="resamples for the intervals"
    )
    level: Share = Field(0.95, description="confidence level of the intervals")


class Goal(Entry):
    """One thing that has to be reached."""

    output: Name = Field(description="output: which output")
    at_least: Value | None = None
    at_most: Value | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Goal:
        if (self.at_least is None) == (self.at_most is None):
            found = "neither" if self.at_least is None else "at_least beside at_most"
            raise InputError(found=found, expected="one of at_least and at_most")
        return self


class Cost(Entry):
    """What an improvement costs: so much for each step, or for each factor of ten, to a power."""

    price: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = Field(
        1.0, description="of one step or decade"
    )
    per: Value | None = Field(None, description="the step, with unit; a factor of ten without one")
    power: Annotated[float, Field(ge=1.0, le=4.0)] = Field(
        1.0, description="1 for proportional, above for steeper"
    )


class Improve(Entry):
    """One parameter that may be improved, from what it is now to the best that can be had."""

    path: Text = Field(description="path: where the value stands")
    name: Name | None = Field(None, description="name for tables; made from the path without one")
    now: Value = Field(alias="from", description="from: what it is now")
    best: Value = Field(alias="to", description="to: the best that can be had")
    scale: Scale = "linear"
    whole: Flag = Field(False, description="true: whole numbers only")
    cost: Cost = Field(default_factory=Cost, description="what an improvement costs")  # type: ignore[arg-type]


class StudyDocument(Entry):
    """A study as a person writes it down."""

    kind: Literal["study"]
    version: Literal[1]
    title: Text = Field("", description="one line for people")
    description: Text = Field("", description="what it is for")
    base: Base = Field(description="base: a network or a link, with a request or a workload")
    vary: tuple[Vary, ...] = Field((), description="what is varied")
    sampling: Sampling | None = None
    engine: Name = Field("auto", description="forecast, twin, montecarlo or auto")
    repeat: Repeat | None = None
    outputs: tuple[Name, ...] = Field((), description="outputs; what the engine has where empty")
    seed: Annotated[int, Field(strict=True, ge=0)] = Field(1, description="of every random draw")
    limits: Limits = Field(default_factory=Limits)  # type: ignore[arg-type]
    sensitivity: Sensitivity | None = None
    goal: tuple[Goal, ...] = Field((), description="what has to be reached, for planning backwards")
    improve: tuple[Improve, ...] = Field((), description="what may be improved for it")

    @field_validator("goal", mode="before")
    @classmethod
    def _one_goal(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _fits_together(self) -> StudyDocument:
        sampled = [entry for entry in self.vary if entry.sample is not None]
        if bool(self.goal) != bool(self.improve):
            raise InputError(
                found="goal without improve" if self.goal else "improve without goal",
                expected="both, to plan backwards; or neither",
            )
        if self.goal and (self.vary or self.sensitivity):
            raise InputError(
                found="vary beside goal", expected="a study that varies, or one that plans backwards"
            )
        if not self.goal and not self.vary:
            raise InputError(found="nothing that is varied", expected="vary: a list, or goal and improve")
        if self.sensitivity is not None and len(sampled) != len(self.vary):
            raise InputError(
                found="a grid or range beside sensitivity", expected="sample in every entry of vary"
            )
        if self.sensitivity is not None and self.sampling is not None:
            raise InputError(
                found="sampling beside sensitivity", expected="sensitivity alone: it makes its sample"
            )
        if sampled and self.sampling is None and self.sensitivity is None:
            raise InputError(found="sample without sampling", expected="sampling: {method: sobol, count: 64}")
        if self.sampling is not None and not sampled:
            raise InputError(found="sampling without sample", expected="an entry of vary with sample")
        return self
