"""The workload document: who asks for what and when, and what breaks, as a person writes it down."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from quantum_fabric.documents.fields import (
    Count,
    Delay,
    Duration,
    Entry,
    Flag,
    Name,
    Rate,
    Text,
    checked_fraction,
)
from quantum_fabric.documents.findings import Report
from quantum_fabric.documents.policy import PolicyFields
from quantum_fabric.documents.qkd_entries import AttackEntry, QkdEntry
from quantum_fabric.documents.reading import Plain, quoted
from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.units import parse_time

MAX_ARRIVALS = 1_000_000
"""Most requests that one Poisson stream may be expected to make."""


def check_fidelity(value: object) -> str | float:
    """Check a fidelity to ask for.

    Raises:
        QuantityError: not a number, or outside (0.5, 1).

    Examples:
        >>> check_fidelity("95 %")
        '95 %'
        >>> check_fidelity(1)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: found 1, expected a fidelity in (0.5, 1)
    """
    return checked_fraction(value, lambda share: 0.5 < share < 1.0, "a fidelity in (0.5, 1)")


Fidelity = Annotated[
    str | int | float,
    BeforeValidator(check_fidelity),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 1},
                {"type": "string", "pattern": r"^\s*\d+\.?\d*\s*%\s*$"},
            ],
            "description": "least fidelity of each pair, between 0.5 and 1",
            "examples": [0.9, "90 %"],
        }
    ),
]


def check_confidence(value: object) -> str | float:
    """Check a probability with which promises are kept.

    Raises:
        QuantityError: not a number, or outside (0, 1).

    Examples:
        >>> check_confidence("99 %")
        '99 %'
    """
    return checked_fraction(value, lambda share: 0.0 < share < 1.0, "a probability in (0, 1)")


Confidence = Annotated[
    str | int | float,
    BeforeValidator(check_confidence),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                {"type": "string", "pattern": r"^\s*\d+\.?\d*\s*%\s*$"},
            ],
            "description": "a probability in (0, 1)",
            "examples": [0.95, "99 %"],
        }
    ),
]


class RequestEntry(Entry):
    """One request at a time, or a stream of requests that arrive as a Poisson process."""

    name: Name | None = Field(None, description="label; 'FROM-TO' without one")
    source: Name = Field(alias="from", description="from: the node that asks")
    destination: Name = Field(alias="to", description="to: the other node")
    at: Delay | None = Field(None, description="when it is asked; '0 s' without at and every")
    every: Duration | None = Field(None, description="mean time between the requests of a stream")
    start: Delay | None = Field(None, description="when the stream starts; '0 s' without one")
    until: Delay | None = Field(None, description="when the stream ends; at the end of the run without one")
    pairs: Count = Field(1, description="how many pairs")
    fidelity: Fidelity = Field(description="a fidelity in (0.5, 1)")
    rate: Rate | None = Field(None, description="least mean rate of pairs")
    deadline: Duration | None = Field(None, description="by when, counted from the request")
    hold: Flag = Field(False, description="true: keep each pair in memory until it is consumed")
    confidence: Confidence = Field(
        0.95, description="how surely fidelity and deadline are kept, a probability in (0, 1)"
    )
    jitter: Duration | None = Field(
        None, description="most that the time between two pairs may deviate from its mean"
    )
    service: Literal["keep", "measure", "prepare"] = Field(
        "keep", description="what is done with each pair at its ends"
    )
    bell: Literal["Φ+", "Φ−", "Ψ+", "Ψ−"] | None = Field(
        None, description="the Bell state that is wanted; any without one"
    )
    promise: Literal["delivery", "end", "average"] = Field(
        "delivery", description="when the fidelity must hold"
    )
    window: Duration | None = Field(
        None, description="pairs are delivered together, the oldest no older than this"
    )
    avoid: tuple[Name, ...] = Field((), description="nodes and links that the path must not use")
    trusted: tuple[Name, ...] | None = Field(
        None, description="the only nodes that may be repeaters; any without it"
    )
    disjoint: tuple[Name, ...] = Field((), description="requests whose repeaters and links it must not share")
    paths: Annotated[int, Field(ge=1, le=8, strict=True)] = Field(
        1, description="disjoint paths that serve it at once; their rates add up"
    )
    tenant: Text = Field("", description="who asks")
    priority: Annotated[int, Field(strict=True)] = Field(0, description="a higher one goes first")
    preemptible: Flag = Field(
        False,
        description="true: a request of higher priority may put it off; what it owes is delivered later",
    )
    survives: Literal["nothing", "link", "node"] = Field(
        "nothing", description="which single failure it must outlive without missing its promises"
    )
    key: Text = Field("", description="a request that repeats a key is the same request")
    note: Text | None = None

    @field_validator("destination")
    @classmethod
    def _another_node(cls, value: str, info: Any) -> str:
        if value == info.data.get("source"):
            raise InputError(found=quoted(value), expected="another node than 'from'")
        return value

    @model_validator(mode="after")
    def _one_or_many(self) -> RequestEntry:
        if self.at is not None and self.every is not None:
            raise InputError(found="at beside every", expected="at (one request) or every (a stream)")
        if self.every is None and (self.start is not None or self.until is not None):
            field = "start" if self.start is not None else "until"
            raise InputError(found=f"{field} without every", expected="every: the mean time between requests")
        if self.every is not None and self.key:
            raise InputError(
                found="key beside every", expected="no key: each request of a stream is another one"
            )
        if self.every is not None and self.until is not None and _time(self.until) <= _time(self.start):
            raise InputError(
                found=f"until {self.until!r}", expected=f"a time after the start, {self.start or '0 s'}"
            )
        return self


class FaultEntry(Entry):
    """One thing that breaks, or is mended, or is calibrated."""

    at: Delay = Field(description="at: when it happens")
    cut: Name | None = Field(None, description="name of a link that goes dark")
    restore: Name | None = Field(None, description="name of a link that comes back")
    fail: Name | None = Field(None, description="name of a node that stops")
    recover: Name | None = Field(None, description="name of a node that comes back")
    calibrate: Name | None = Field(None, description="name of a link that an operator calibrates")
    breaks: Name | None = Field(None, alias="break", description="break: name of a node whose slots break")
    slots: tuple[Annotated[int, Field(ge=0, strict=True)], ...] | None = Field(
        None, min_length=1, description="numbers of the memory slots that break, from 0"
    )
    note: Text | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> FaultEntry:
        kinds = ("cut", "restore", "fail", "recover", "calibrate", "break")
        given = [name for name in kinds if self.target(name) is not None]
        if len(given) != 1:
            found = " beside ".join(given) or "nothing"
            expected = (
                "one of cut, restore, calibrate (a link), fail, recover (a node), break (slots of a node)"
            )
            raise InputError(found=found, expected=expected)
        if (self.breaks is None) != (self.slots is None):
            missing, there = ("slots", "break") if self.slots is None else ("break", "slots")
            raise InputError(found=f"{there} without {missing}", expected="break: NODE beside slots: [0, 1]")
        return self

    def target(self, kind: str) -> str | None:
        """What a kind of fault happens to; None where this is another kind."""
        found: str | None = getattr(self, "breaks" if kind == "break" else kind)
        return found


class WorkloadDocument(PolicyFields):
    """A workload as a person writes it down."""

    kind: Literal["workload"]
    version: Literal[1]
    title: Text = Field("", description="one line for people")
    description: Text = Field("", description="what it is for")
    duration: Duration = Field(description="duration: how long the run lasts, such as '5 s'")
    requests: tuple[RequestEntry, ...] = Field((), description="a list of requests")
    faults: tuple[FaultEntry, ...] = Field((), description="a list of faults")
    qkd: tuple[QkdEntry, ...] = Field((), description="a list of QKD sessions")
    attacks: tuple[AttackEntry, ...] = Field((), description="a list of attacks on QKD sessions")


def check_workload_form(data: Plain, report: Report) -> None:
    """Report what no single entry can see: names that stand twice, things after the end, streams without measure.

    Args:
        data: the document, JSON-shaped; anything may be missing or wrong.
        report: told of each fault.
    """
    if not isinstance(data, dict):
        return
    end = _maybe(data.get("duration"))
    seen: dict[str, int] = {}
    for number, entry in enumerate(_mappings(data.get("requests"))):
        if entry is None:
            continue
        name = entry.get("name")
        if isinstance(name, str) and "#" in name:
            report(
                ("requests", number, "name"),
                quoted(name),
                "a name without '#', which numbers the requests of streams",
            )
        if isinstance(name, str) and seen.setdefault(name, number) != number:
            found = f"a second request {name!r} (first is requests[{seen[name]}])"
            report(("requests", number, "name"), found, "each name once")
        _within(entry, end, ("requests", number), data, report)
        every = _maybe(entry.get("every"))
        if every and end and end / every > MAX_ARRIVALS:
            expected = f"at most {MAX_ARRIVALS:,} requests in {data['duration']}"
            report(("requests", number, "every"), quoted(entry["every"]), expected)
    for family in ("faults", "qkd", "attacks"):
        for number, entry in enumerate(_mappings(data.get(family))):
            if entry is not None:
                _within(entry, end, (family, number), data, report)
    named: dict[str, int] = {}
    for number, entry in enumerate(_mappings(data.get("qkd"))):
        name = entry.get("name") if entry is not None else None
        if isinstance(name, str) and named.setdefault(name, number) != number:
            report(
                ("qkd", number, "name"),
                f"a second session {name!r} (first is qkd[{named[name]}])",
                "each name once",
            )


def _within(
    entry: dict[str, Any], end: int | None, place: tuple[str, int], data: Any, report: Report
) -> None:
    for field in ("at", "start"):
        time = _maybe(entry.get(field))
        if time is not None and end is not None and time >= end:
            report(
                (*place, field), quoted(entry[field]), f"a time before the end of the run, {data['duration']}"
            )


def _mappings(values: Plain) -> list[dict[str, Any] | None]:
    entries = values if isinstance(values, list) else []
    return [entry if isinstance(entry, dict) else None for entry in entries]


def _maybe(text: Plain) -> int | None:
    """A duration in ps; None for anything else, whose fault is reported by its own field."""
    try:
        return parse_time(text) if isinstance(text, str) else None
    except QuantityError:
        return None


def _time(text: str | None) -> int:
    return parse_time(text) if text is not None else 0
