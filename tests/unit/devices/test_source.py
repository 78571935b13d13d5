"""Source sheets."""

from __future__ import annotations

import pytest

from quantum_fabric.devices import Source, build
from quantum_fabric.errors import QuantityError


def test_reading() -> None:
    made = build(Source, {"pair_probability": "1 %", "bell": 3, "pulse_period": "1 ns", "pulses": 1000})
    assert made == Source(0.01, bell=3, pulse_period=1000, pulses=1000)
    assert made.round_time == 1_000_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pair_probability", 0.0),
        ("pair_probability", 1.1),
        ("double_pair", -0.1),
        ("fidelity", 0.1),
        ("bell", 4),
        ("pulse_period", 0),
        ("pulses", 0),
        ("wavelength", 0.0),
    ],
)
def test_domains(field: str, value: float) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        Source(**{"pair_probability": 0.5, field: value})  # type: ignore[arg-type]
