"""Sheets of down-conversion sources."""

from __future__ import annotations

import pytest

from quantum_fabric.devices import PairSource, build, sheet
from quantum_fabric.errors import QuantityError


def test_reading() -> None:
    made = build(
        PairSource,
        {
            "pair_rate": "5.9 MHz",
            "drive": "continuous",
            "fidelity": "93 %",
            "wavelength_a": "810 nm",
            "linewidth": "3 nm",
        },
    )
    assert (made.pair_rate, made.drive, made.linewidth) == (5.9e6, "continuous", 3e-9)
    assert made.contrast == pytest.approx(4 * 0.93 / 3 - 1 / 3)


def test_a_pulse_holds_two_polarisations() -> None:
    source = PairSource(pair_rate=1e8, pulse_period=1000)
    assert source.mean_pairs == pytest.approx(0.1)
    assert source.squeezed_mean == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pair_rate", 0.0),
        ("pair_rate", float("inf")),
        ("drive", "steam"),
        ("fidelity", 0.2),
        ("bell", 4),
        ("collection_a", 0.0),
        ("collection_b", 1.1),
        ("wavelength_b", 0.0),
        ("linewidth", 2e-6),
        ("schmidt_modes", 0.5),
        ("pulse_period", 0),
    ],
)
def test_domains(field: str, value: object) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        PairSource(**{"pair_rate": 1e6, field: value})  # type: ignore[arg-type]


def test_bundled_sources() -> None:
    assert sheet("pair_source", "micius").pair_rate == 5.9e6
    assert sheet("pair_source", "rubidium-1324").wavelength_b == 1324e-9
    assert sheet("pair_source", "ideal").mean_pairs == pytest.approx(1e-6)
