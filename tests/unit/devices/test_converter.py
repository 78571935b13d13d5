"""Wavelength converters, and nodes behind them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Converter, build, converted, sheet, sheets
from quantum_fabric.devices.converter import photon_bandwidth
from quantum_fabric.errors import QuantityError

DEVICE = Converter(
    637e-9, 1588e-9, efficiency=0.4, noise=200.0, pump_power=0.2, best_pump=0.25, filter_bandwidth=1e10
)


@pytest.mark.parametrize("name", sheets("converter"))
def test_energy_is_kept(name: str) -> None:
    device = sheet("converter", name)
    pump = 1.0 / device.input_wavelength - 1.0 / device.output_wavelength
    assert 1.0 / device.pump_wavelength == pytest.approx(abs(pump), rel=1e-12)


def test_a_node_behind_a_converter() -> None:
    node = sheet("node", "nv-electron")
    behind = converted(node, sheet("converter", "nv-637-1588"))
    assert behind.interface.wavelength == pytest.approx(1588e-9)
    assert behind.interface.conversion_efficiency == 0.17
    assert behind.interface.emission == pytest.approx(0.17 * node.interface.emission)
    assert behind.interface.conversion_noise > 0.0
    assert behind.memory == node.memory


def test_two_converters_in_a_row() -> None:
    node = converted(sheet("node", "nv-electron"), Converter(637e-9, 1064e-9, 0.5, noise=100.0))
    last = converted(node, Converter(1064e-9, 1550e-9, 0.8, noise=10.0))
    assert last.interface.conversion_efficiency == pytest.approx(0.4)
    assert last.interface.conversion_noise == pytest.approx(0.8 * 100.0 + 10.0)


def test_the_wrong_colour_is_refused() -> None:
    with pytest.raises(QuantityError, match=r"interface.wavelength: found 637 nm, expected 780 nm"):
        converted(sheet("node", "nv-electron"), sheet("converter", "rb-780-1522"))


@given(st.floats(1e-3, 0.25))
def test_more_pump_more_light_and_more_noise(power: float) -> None:
    weaker = DEVICE.at(power)
    assert weaker.noise == pytest.approx(200.0 * power / 0.2)
    assert weaker.efficiency <= 0.4 / math.sin(math.pi / 2 * math.sqrt(0.8)) ** 2 + 1e-12
    assert weaker.at(0.2).efficiency == pytest.approx(0.4, rel=1e-9)


def test_beyond_the_best_pump_light_goes_back() -> None:
    assert DEVICE.at(0.25).efficiency > DEVICE.at(0.4).efficiency
    assert DEVICE.at(0.4).noise > DEVICE.at(0.25).noise


def test_weak_pump_is_linear() -> None:
    ratio = DEVICE.at(1e-4).efficiency / DEVICE.at(1e-5).efficiency
    assert ratio == pytest.approx(10.0, rel=1e-3)


def test_unknown_best_pump_does_not_extrapolate() -> None:
    device = sheet("converter", "nv-637-1588")
    assert device.at(device.pump_power / 2).efficiency == pytest.approx(0.085)
    with pytest.raises(QuantityError, match=r"pump_power: found .* W, expected a power above 0 W and up to"):
        device.at(device.pump_power * 2)


def test_filters() -> None:
    assert DEVICE.filtered(1e9).noise == pytest.approx(20.0)
    assert DEVICE.filtered(1e9).spectral_noise == pytest.approx(DEVICE.spectral_noise)
    assert photon_bandwidth(1550e-9, 1e-9) == pytest.approx(124.8e9, rel=1e-3)
    with pytest.raises(QuantityError, match="filter_bandwidth"):
        sheet("converter", "nv-637-1588").filtered(1e9)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("efficiency", "1.2"),
        ("efficiency", "0"),
        ("noise", "-1 Hz"),
        ("pump_power", "100"),
        ("input_wavelength", "0 nm"),
    ],
)
def test_bad_sheets_name_the_field(field: str, text: str) -> None:
    good = {"input_wavelength": "637 nm", "output_wavelength": "1588 nm", "efficiency": "17 %"}
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        build(Converter, {**good, field: text})


def test_more_than_the_pump_allows() -> None:
    with pytest.raises(QuantityError, match=r"efficiency: found 0.9, expected at most 0.5"):
        Converter(637e-9, 1588e-9, efficiency=0.9, pump_power=0.1, best_pump=0.4)
