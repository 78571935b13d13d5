"""What a study can put into its table: every output with its unit, what it means, and which way is better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from quantum_fabric.documents.findings import nearest
from quantum_fabric.errors import UnknownNameError
from quantum_fabric.ops.summary import show_number
from quantum_fabric.units import UNITS, parse, show


@dataclass(frozen=True, slots=True)
class Output:
    """One output.

    Attributes:
        name: in documents.
        kind: of quantity, a key of `quantum_fabric.units.UNITS`.
        doc: what it means.
        better: ``"high"``, ``"low"``, or empty where neither is.
        quantile: of `of` over the runs of a point; None for a mean over the runs.
        of: output of which it is a quantile.
        column: of tables, with the unit.
    """

    name: str
    kind: str
    doc: str
    better: str = ""
    quantile: float | None = None
    of: str = ""
    column: str = ""

    def text(self, value: float) -> str:
        """A value for people, with its unit.

        Examples:
            >>> OUTPUTS["first_delivery"].text(0.0031), OUTPUTS["key_rate"].text(12.0), OUTPUTS["rate"].text(float("nan"))
            ('3.1 ms', '12 bit/s', '–')
        """
        if not math.isfinite(value):
            return "–"
        if self.kind == "frequency":
            return f"{show_number(value)} {'bit/s' if self.name == 'key_rate' else '/s'}"
        return show(value, self.kind) if value or self.kind != "fraction" else "0"

    def read(self, value: str | float) -> float:
        """A value as a document writes it, in base units.

        Raises:
            QuantityError: not of its kind.

        Examples:
            >>> OUTPUTS["rate"].read("2 kHz"), OUTPUTS["fidelity"].read(0.98)
            (2000.0, 0.98)
        """
        return parse(value, self.kind)


def _named(*outputs: Output) -> dict[str, Output]:
    assert all(output.kind in UNITS for output in outputs)
    return {output.name: output for output in outputs}


OUTPUTS: Final = _named(
    Output("accepted", "fraction", "share of the requests that were accepted", "high", column="accepted"),
    Output("rate", "frequency", "delivered pairs per second", "high", column="rate_per_s"),
    Output("fidelity", "fraction", "mean fidelity of a delivered pair", "high", column="fidelity"),
    Output("fidelity_low", "fraction", "fidelity that nineteen in twenty pairs reach, less the margin of admission",
           "high", column="fidelity_low"),
    Output("finest_fidelity", "fraction", "highest fidelity_low that any plan promises, at whatever rate", "high",
           column="finest_fidelity"),
    Output("first_delivery", "time", "mean time from the request to the first pair", "low", column="first_delivery_s"),
    Output("first_p50", "time", "time by which half of the runs have their first pair", "low", 0.5, "first_delivery",
           "first_p50_s"),
    Output("first_p90", "time", "time by which nine in ten runs have their first pair", "low", 0.9, "first_delivery",
           "first_p90_s"),
    Output("first_p99", "time", "time by which 99 in 100 runs have their first pair", "low", 0.99, "first_delivery",
           "first_p99_s"),
    Output("wait_p50", "time", "median time between the pairs of a run, averaged over the runs", "low", column="wait_p50_s"),
    Output("wait_p99", "time", "99th percentile of the time between the pairs of a run, averaged over the runs", "low",
           column="wait_p99_s"),
    Output("key_rate", "frequency", "secret bits per second by BBM92, asymptotic", "high", column="key_rate_bit_per_s"),
    Output("completed", "fraction", "share of the requests that got all their pairs", "high", column="completed"),
    Output("pairs", "fraction", "pairs that a run delivered", "high", column="pairs"),
    Output("segments", "fraction", "links on the path of the plan", column="segments"),
)  # fmt: skip
"""Name -> output, in the order of tables."""


def output(name: str) -> Output:
    """One output by its name.

    Raises:
        UnknownNameError: there is none of that name.

    Examples:
        >>> output("rate").column
        'rate_per_s'
    """
    if name not in OUTPUTS:
        raise UnknownNameError(repr(name), nearest("an output", name, OUTPUTS), "output")
    return OUTPUTS[name]
