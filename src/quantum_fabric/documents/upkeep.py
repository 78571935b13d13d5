"""What a network document says of drift and calibration, and what that comes to for one link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from quantum_fabric.documents.fields import Angle, Delay, Duration, Entry, Quantity
from quantum_fabric.documents.reading import quoted
from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.links.upkeep import Calibrations, Residual, Upkeep, usual_step
from quantum_fabric.physics.drift import Magnitudes
from quantum_fabric.units import parse, parse_time

HELD: Final = "held"
SHEET: Final = "sheet"


def _walk(kind: str) -> Callable[[object], str]:
    check = Quantity(kind)

    def read(value: object) -> str:
        if value in (HELD, SHEET):
            return str(value)
        try:
            return check(value)
        except QuantityError as error:
            expected = f"{error.expected}, or held (by a servo), or sheet (as the data sheets say)"
            raise InputError(found=error.found, expected=expected) from None

    return read


def _radii(value: object) -> str | float:
    """Mode radii, alone or per square root of a second: a bare number, for there is no unit."""
    if value in (HELD, SHEET):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < 1e6:
        raise InputError(
            found=quoted(value), expected="a number of mode radii per sqrt(s) of at least 0, held, or sheet"
        )
    return value


_WORDS: Final = {"type": "string", "enum": [HELD, SHEET]}


def _schema(kind: str) -> Any:
    return WithJsonSchema({"anyOf": [_WORDS, Quantity(kind).schema()]})


Wander = Annotated[str, BeforeValidator(_walk("wander")), _schema("wander")]
Ageing = Annotated[str, BeforeValidator(_walk("drift")), _schema("drift")]
Radii = Annotated[
    str | float,
    BeforeValidator(_radii),
    WithJsonSchema({"anyOf": [_WORDS, {"type": "number", "minimum": 0}]}),
]


class DriftEntry(Entry):
    """How a link drifts between calibrations. ``drift: sheet`` is short for nothing but defaults, ``drift: held`` for no drift."""

    phase: Wander = Field(
        HELD,
        description="random walk of the optical phase that is left by whatever locks it; sheet is the free fibre",
    )
    polarisation: Wander = Field(SHEET, description="random walk of the polarisation, of each arm")
    alignment: Radii = Field(
        SHEET, description="random walk of the coupled modes, in mode radii per square root of a second"
    )
    detectors: Ageing = Field(SHEET, description="share of the efficiency that detectors lose per time")
    step: Duration | None = Field(
        None, description="for how long conditions are held; without one, so long that little changes in it"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        if value == SHEET:
            return {}
        if value == HELD:
            return dict.fromkeys(("phase", "polarisation", "alignment", "detectors"), HELD)
        return value


def drift_field(description: str) -> Any:
    """A field for a `DriftEntry` whose JSON Schema knows the two words that are short for one."""

    def also_words(schema: dict[str, Any]) -> None:
        schema["anyOf"] = [_WORDS, *(option for option in schema["anyOf"] if option != {"type": "null"})]

    return Field(None, description=description, json_schema_extra=also_words)


class ResidualEntry(Entry):
    """What a calibration leaves behind: rms values, drawn anew each time."""

    phase: Angle = Field("0 rad", description="rms optical phase")
    polarisation: Angle = Field(
        "0 rad", description="rms angle about each axis of the Poincaré sphere, each arm"
    )
    alignment: float = Field(
        0.0, strict=True, ge=0.0, lt=1e3, description="rms offset in each direction, each arm, in mode radii"
    )

    @model_validator(mode="after")
    def _sizes(self) -> ResidualEntry:
        for name in ("phase", "polarisation"):
            if parse(getattr(self, name), "angle") < 0.0:
                found = f"{name} {getattr(self, name)!r}"
                raise InputError(found=found, expected="an rms angle of at least 0 such as '2 deg'")
        return self


class CalibrationEntry(Entry):
    """When a link is calibrated, what that costs and what it leaves."""

    takes: Duration = Field(description="takes: for how long the link attempts nothing")
    every: Duration | None = Field(None, description="from one to the next; without it only when told")
    first: Delay | None = Field(
        None, description="when the first one starts, so that links take turns; after every without one"
    )
    residual: ResidualEntry = Field(default_factory=ResidualEntry, description="what it leaves behind")  # type: ignore[arg-type]

    @model_validator(mode="after")
    def _a_schedule(self) -> CalibrationEntry:
        if self.every is None and self.first is not None:
            raise InputError(found="first without every", expected="every: the time from one to the next")
        if self.every is not None and parse_time(self.every) <= parse_time(self.takes):
            found = f"every {self.every!r}"
            raise InputError(found=found, expected=f"a time above that of one calibration, {self.takes}")
        return self


def upkeep(drift: DriftEntry | None, calibration: CalibrationEntry | None, sheets: Magnitudes) -> Upkeep:
    """What a document's words come to for one link.

    Args:
        drift: None for a link that is held in alignment, as its data sheets assume.
        calibration: None where nobody calibrates.
        sheets: how fast its parts wander by their data sheets.

    Examples:
        >>> words = DriftEntry(phase="0.01 rad/sqrt(s)", detectors="held")
        >>> upkeep(words, None, Magnitudes(phase=150.0, detectors=1e-6)).wander
        Magnitudes(phase=0.01, polarisation=(0.0, 0.0), pointing=(0.0, 0.0), detectors=0.0)
        >>> upkeep(None, None, Magnitudes(phase=150.0)) == Upkeep()
        True
    """
    plan = _calibrations(calibration) if calibration is not None else None
    if drift is None:
        return Upkeep(calibrations=plan)
    wander = replace(
        sheets,
        phase=_value(drift.phase, "wander", sheets.phase),
        polarisation=_both(drift.polarisation, "wander", sheets.polarisation),
        pointing=_both(drift.alignment, "number", sheets.pointing),
        detectors=_value(drift.detectors, "drift", sheets.detectors),
    )
    step = usual_step(wander, plan.every if plan else None)
    if step is not None and drift.step is not None:
        step = parse_time(drift.step)
    return Upkeep(wander, step, plan)


def _value(word: str | float, kind: str, sheet: float) -> float:
    if word == SHEET:
        return sheet
    if word == HELD:
        return 0.0
    return float(word) if kind == "number" else parse(word, kind)


def _both(word: str | float, kind: str, sheets: tuple[float, float]) -> tuple[float, float]:
    return _value(word, kind, sheets[0]), _value(word, kind, sheets[1])


def _calibrations(entry: CalibrationEntry) -> Calibrations:
    left = entry.residual
    return Calibrations(
        takes=parse_time(entry.takes),
        every=parse_time(entry.every) if entry.every is not None else None,
        first=parse_time(entry.first) if entry.first is not None else None,
        residual=Residual(parse(left.phase, "angle"), parse(left.polarisation, "angle"), left.alignment),
    )
