"""What a parameter file holds: numbers with unit, error and provenance, results to compare with, and one fit at most."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from quantum_fabric.errors import InputError
from quantum_fabric.units import UNITS

LETTERS: Final = {
    "S": "found in the primary text",
    "R": "found in a secondary text",
    "M": "recalled, unverified: not a fact",
    "C": "computed from other numbers",
    "P": "projected: assumed here",
    "D": "holds by definition",
}
"""Letter of provenance -> its meaning."""

FACTORS: Final[Mapping[str, float]] = {
    **{unit: factor for kind in UNITS.values() for unit, factor in kind.items()},
    "bit": 1.0, "Gbit": 1e9, "bit/s": 1.0, "kbit/s": 1e3, "Mbit/s": 1e6, "bit/pulse": 1.0, "pairs": 1.0, "pairs/s": 1.0,
    "pairs/h": 1 / 3600, "steps": 1.0, "cases": 1.0, "ebit": 1.0, "m^2": 1.0,
}  # fmt: skip
"""Unit -> factor to the SI base unit; dB stay dB."""

TOLERANCES: Final = ("absolute", "relative", "factor", "sigmas", "at_least", "at_most", "exact")
"""Ways in which a prediction may be asked to agree with a result (see `Tolerance`)."""

_NUMBER: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a parameter file.

    Attributes:
        value: in SI base units.
        error: one standard deviation in SI base units; 0 where none is given.
        rounding: half of the interval that the printed digits leave (SI); 0 where an error is quoted or the number is exact.
        text: as the file writes it, with unit.
        factor: of its unit to the SI base unit.
        unit: as the file writes it.
        letter: provenance, one of `LETTERS`.
        source: in words.
        note: how it was obtained; empty where there is nothing to say.

    Examples:
        >>> entry = {"value": "39 Hz", "rounding": "0.5 Hz", "letter": "S", "source": "abstract"}
        >>> rate = number(entry, {"abstract": "first page"}, "rate")
        >>> rate.value, round(rate.error, 3), rate.rounding, rate.text, rate.source
        (39.0, 0.289, 0.5, '39 Hz', 'first page')
    """

    value: float
    error: float
    rounding: float
    text: str
    factor: float
    unit: str
    letter: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How near a prediction has to come.

    Attributes:
        kind: ``absolute`` (difference, in the unit of the result), ``relative`` (difference over the result), ``factor``
            (ratio, either way), ``sigmas`` (difference over both errors in quadrature), ``at_least`` and ``at_most`` (the result
            is a bound, which may be missed by so much), ``exact`` (equal to the last bit).
        value: the number that goes with it; SI for a difference.

    One rule for all: the central values are compared. Error bars and missing digits of a result widen no tolerance but
    ``sigmas``; `Comparison.within_errors` says beside every verdict whether they cover the difference.

    Examples:
        >>> Tolerance("relative", 0.05).met(105.0, 0.0, 100.0, 0.0), Tolerance("factor", 2.0).met(49.0, 0.0, 100.0, 0.0)
        (True, False)
        >>> Tolerance("relative", 0.05).met(6.55, 0.0, 6.0, 0.3)  # an error bar of the result widens nothing
        False
    """

    kind: str
    value: float

    def met(self, predicted: float, predicted_error: float, measured: float, measured_error: float) -> bool:
        """Say whether a prediction is near enough."""
        if not math.isfinite(predicted):
            return False
        distance = abs(predicted - measured)
        match self.kind:
            case "absolute":
                return distance <= self.value
            case "relative":
                return distance <= self.value * abs(measured)
            case "factor":
                return measured / self.value <= predicted <= measured * self.value
            case "sigmas":
                return distance <= self.value * math.hypot(predicted_error, measured_error)
            case "at_least":
                return predicted >= measured - self.value
            case "at_most":
                return predicted <= measured + self.value
            case _:
                return predicted == measured

    def __str__(self) -> str:
        """For people."""
        match self.kind:
            case "relative":
                return f"{100 * self.value:.3g} %"
            case "factor":
                return f"factor {self.value:g}"
            case "sigmas":
                return f"{self.value:g} σ"
            case "at_least":
                return f"at least, less {self.value:g}" if self.value else "at least"
            case "at_most":
                return f"at most, plus {self.value:g}" if self.value else "at most"
            case "exact":
                return "equal"
            case _:
                return f"± {self.value:g}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A published (or exact) result and how near a prediction has to come.

    Attributes:
        label: for people.
        number: the result.
        tolerance: of the comparison.
        uses: names of the parameters that its prediction depends on; None for all of them.
    """

    label: str
    number: Number
    tolerance: Tolerance
    uses: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """The one parameter of an experiment that may be fitted.

    Attributes:
        parameter: its name; it must be one of the parameters.
        low, high: where it is looked for (SI).
        on: results that it is fitted to; they are no test.
        predicts: results that it must then predict.
        why: what physics the parameter stands for.
    """

    parameter: str
    low: float
    high: float
    on: tuple[str, ...]
    predicts: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class ParameterFile:
    """One frozen file.

    Attributes:
        name: of the experiment.
        title: one line for people.
        row: of the table of validations; 0 for a further experiment.
        cite: the paper, or the theory.
        parameters: name -> number.
        measured: name -> result.
        fit: the fitted parameter; None where nothing is fitted.
        missing: what would be needed for a stronger comparison.
        chosen_after: what was chosen after a result had been looked at: parameters, tolerances, what is compared with what.
        digest: SHA-256 of the file.
    """

    name: str
    title: str
    row: int
    cite: str
    parameters: Mapping[str, Number]
    measured: Mapping[str, Measured]
    fit: Fit | None
    missing: tuple[str, ...]
    chosen_after: tuple[str, ...]
    digest: str

    def values(self) -> dict[str, float]:
        """The parameters in SI base units."""
        return {name: each.value for name, each in self.parameters.items()}


def parameter_file(plain: Any, digest: str, where: str) -> ParameterFile:
    """Read a parameter file from plain data.

    Args:
        plain: dictionaries, lists and scalars of the file.
        digest: its SHA-256.
        where: its name, for errors.

    Raises:
        InputError: a field that is missing or unknown, an unknown letter, source or unit, more than one fitted parameter, or a fit
            that would be tested on what it was fitted to.
    """
    optional = {"fitted", "missing", "chosen_after"}
    known = {"name", "title", "row", "cite", "sources", "parameters", "measured", *optional}
    _only(plain, known, known - optional, where)
    sources = plain["sources"]
    parameters = {
        name: number(entry, sources, f"{where}: {name}")
        for name, entry in (plain["parameters"] or {}).items()
    }
    measured = {
        name: _measured(entry, sources, parameters, f"{where}: {name}")
        for name, entry in plain["measured"].items()
    }
    fit = _fit(plain.get("fitted"), parameters, measured, where)
    missing, chosen = (
        tuple(str(line) for line in plain.get(key) or ()) for key in ("missing", "chosen_after")
    )
    return ParameterFile(
        str(plain["name"]), str(plain["title"]), int(plain["row"]), str(plain["cite"]), parameters, measured, fit,
        missing, chosen, digest,
    )  # fmt: skip


def number(entry: Any, sources: Mapping[str, str], where: str) -> Number:
    """Read one number.

    Raises:
        InputError: a field that is missing or unknown, an unknown letter, source or unit.
    """
    _only(
        entry,
        {"value", "error", "rounding", "letter", "source", "note"},
        {"value", "letter", "source"},
        where,
    )
    if entry["letter"] not in LETTERS:
        raise InputError(repr(entry["letter"]), f"one of {', '.join(LETTERS)}", f"{where}.letter")
    if entry["source"] not in sources:
        raise InputError(repr(entry["source"]), f"one of {', '.join(sources)}", f"{where}.source")
    value, unit = quantity(entry["value"], where)
    error, rounding = (
        abs(quantity(entry.get(key, 0), where)[0]) if key in entry else 0.0 for key in ("error", "rounding")
    )
    if error and rounding:
        raise InputError("error and rounding", "one of the two", where)
    return Number(
        value,
        error or rounding / math.sqrt(3.0),  # a flat distribution over what the digits leave
        rounding,
        str(entry["value"]),
        FACTORS[unit],
        unit,
        str(entry["letter"]),
        str(sources[entry["source"]]),
        str(entry.get("note", "")),
    )


def quantity(text: str | float, where: str = "") -> tuple[float, str]:
    """Read ``"5.5 us"`` or a bare number: value in SI base units, and its unit.

    Raises:
        InputError: no number, or an unknown unit.

    Examples:
        >>> quantity("5.5 us"), quantity(0.83)
        ((5.5e-06, 'us'), (0.83, ''))
    """
    match = None if isinstance(text, bool) else _NUMBER.fullmatch(str(text))
    if match is None or (match[2] or "") not in FACTORS:
        raise InputError(repr(text), "a number with a known unit such as '5.5 us'", where)
    unit = match[2] or ""
    return float(Decimal(match[1]) * Decimal(repr(FACTORS[unit]))), unit


def _measured(
    entry: Any, sources: Mapping[str, str], parameters: Mapping[str, Number], where: str
) -> Measured:
    fields = dict(entry)
    uses = fields.pop("uses", None)
    if uses is not None and not set(uses) <= set(parameters):
        raise InputError(repr(uses), "names of parameters", f"{where}.uses")
    label = fields.pop("label", None)
    tolerance = fields.pop("tolerance", None)
    if not isinstance(label, str) or not isinstance(tolerance, dict) or len(tolerance) != 1:
        raise InputError(repr(entry), "a label and a tolerance such as {relative: 0.05}", where)
    ((kind, value),) = tolerance.items()
    if kind not in TOLERANCES:
        raise InputError(repr(kind), f"one of {', '.join(TOLERANCES)}", f"{where}.tolerance")
    tolerated = Tolerance(kind, quantity(value, where)[0])
    return Measured(label, number(fields, sources, where), tolerated, None if uses is None else tuple(uses))


def _fit(
    plain: Any, parameters: Mapping[str, Number], measured: Mapping[str, Measured], where: str
) -> Fit | None:
    if not plain:
        return None
    if not isinstance(plain, list) or len(plain) != 1:
        found = f"{len(plain)} fitted parameters" if isinstance(plain, list) else repr(plain)
        raise InputError(
            found, "a list with one entry at most: one experiment, one fitted parameter", f"{where}: fitted"
        )
    entry = plain[0]
    wanted = {"parameter", "low", "high", "on", "predicts", "why"}
    _only(entry, wanted, wanted, f"{where}: fitted")
    fit = Fit(
        str(entry["parameter"]),
        quantity(entry["low"], where)[0],
        quantity(entry["high"], where)[0],
        tuple(entry["on"]),
        tuple(entry["predicts"]),
        str(entry["why"]),
    )
    if fit.parameter not in parameters:
        raise InputError(repr(fit.parameter), f"one of {', '.join(parameters)}", f"{where}: fitted.parameter")
    unknown = sorted({*fit.on, *fit.predicts} - set(measured))
    if unknown or not fit.on or not fit.predicts or set(fit.on) & set(fit.predicts):
        raise InputError(
            f"on {list(fit.on)}, predicts {list(fit.predicts)}",
            "two parts of the results that share nothing, each with one at least",
            f"{where}: fitted",
        )
    return fit


def _only(plain: Any, known: set[str], needed: set[str], where: str) -> None:
    if not isinstance(plain, Mapping):
        raise InputError(repr(plain), "a mapping", where)
    wrong: Sequence[str] = sorted(set(plain) - known)
    if wrong:
        raise InputError(f"the field {wrong[0]!r}", f"one of {', '.join(sorted(known))}", where)
    lacking = sorted(needed - set(plain))
    if lacking:
        raise InputError(f"no field {lacking[0]!r}", "a value", where)
