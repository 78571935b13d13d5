"""Options with units say what is wrong as other options do."""

from __future__ import annotations

import click
import pytest

from quantum_fabric.cli.quantities import LENGTH, TIME


def test_values_are_in_base_units() -> None:
    assert TIME.convert("20 ms", None, None) == 20_000_000_000
    assert LENGTH.convert("1.5 km", None, None) == 1500.0
    assert TIME.convert(5, None, None) == 5


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (TIME, "3", "found '3', expected a time such as '10 ms'"),
        (TIME, "-3 s", "found '-3 s', expected more than 0"),
        (TIME, "0 s", "expected more than 0"),
        (LENGTH, "3 s", "expected a length such as '25 km'"),
        (LENGTH, "nan km", "expected a length"),
    ],
)
def test_what_is_wrong_is_said(kind: click.ParamType, text: str, message: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        kind.convert(text, None, None)
    assert message in str(caught.value)
