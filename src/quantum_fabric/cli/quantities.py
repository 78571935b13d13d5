"""Options that carry a unit: ``--duration "20 s"``, ``--distance "200 km"``."""

from __future__ import annotations

from typing import Any

import click

from quantum_fabric.errors import QuantityError


class Quantity(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.5 on
    """An option of one kind of quantity; what it gives is in base units (a time in integer picoseconds).

    Args:
        kind: a key of `quantum_fabric.units.UNITS`.
        least: the smallest value that makes sense, which is left out itself.

    Examples:
        >>> Quantity("length").convert("200 km", None, None)
        200000.0
    """

    def __init__(self, kind: str, least: float = 0.0) -> None:
        self.kind = kind
        self.least = least
        self.name = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read what was typed; complain as other options do."""
        from quantum_fabric.units import parse, parse_time

        if not isinstance(value, str):
            return value
        try:
            number = parse_time(value) if self.kind == "time" else parse(value, self.kind)
        except QuantityError as error:
            self.fail(str(error), param, ctx)
        if not number > self.least:
            self.fail(f"found {value!r}, expected more than {self.least:g}", param, ctx)
        return number


TIME = Quantity("time")
LENGTH = Quantity("length")
