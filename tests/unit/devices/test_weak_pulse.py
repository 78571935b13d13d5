"""Sheets of weak coherent pulses."""

from __future__ import annotations

import pytest

from quantum_fabric.devices import WeakPulse, build, sheet
from quantum_fabric.errors import QuantityError


def test_reading() -> None:
    made = build(WeakPulse, {"signal": 0.48, "decoy": 0.05, "signal_share": "90 %", "decoy_share": "5 %"})
    assert made.has_decoys
    assert not WeakPulse(signal=0.1).has_decoys
    assert sheet("weak_pulse", "gys-decoy").state_error == 0.033


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"signal": 0.0}, "^signal: found"),
        ({"signal": 0.1, "decoy": 0.2}, r"^decoy: found 0\.2, expected below the signal, 0\.1"),
        ({"decoy": 0.1, "vacuum": 0.1}, r"^vacuum: found 0\.1, expected below the decoy"),
        ({"signal_share": 0.9, "decoy_share": 0.2}, r"^decoy_share: found 0\.2, expected at most 0\.1"),
        ({"state_error": 0.7}, "^state_error: found"),
    ],
)
def test_domains(fields: dict[str, float], message: str) -> None:
    with pytest.raises(QuantityError, match=message):
        WeakPulse(**fields)  # type: ignore[arg-type]
