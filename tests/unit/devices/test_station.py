"""Stations: what a Bell measurement can do at best."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.devices import Station, sheet, sheets
from quantum_fabric.devices.station import SUCCESS_LIMITS
from quantum_fabric.errors import QuantityError


@pytest.mark.parametrize("measurement", SUCCESS_LIMITS)
def test_no_kind_does_more_than_it_can(measurement: str) -> None:
    limit = SUCCESS_LIMITS[measurement]
    assert Station(measurement, limit).success == limit
    if limit < 1.0:
        with pytest.raises(
            QuantityError, match=f"success: found .*, expected at most {limit:g} for {measurement}"
        ):
            Station(measurement, limit + 0.01)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("measurement", "magic"),
        ("success", 0.0),
        ("success", 1.5),
        ("insertion_loss", -1.0),
        ("reflectance", 0.0),
        ("reflectance", 1.0),
        ("detectors", -1),
    ],
)
def test_numbers_have_domains(field: str, value: object) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        Station(**{field: value})  # type: ignore[arg-type]


def coincidence(reflectance: float, overlap: float) -> float:
    """Two photons, one into each port, by their amplitudes: how often one comes out of each."""
    r, t = math.sqrt(reflectance), math.sqrt(1.0 - reflectance)
    scatter = np.array([[t, 1j * r], [1j * r, t]])
    both_through = scatter[0, 0] * scatter[1, 1]
    both_back = scatter[0, 1] * scatter[1, 0]
    like = abs(both_through + both_back) ** 2
    unlike = abs(both_through) ** 2 + abs(both_back) ** 2
    return float(overlap * like + (1.0 - overlap) * unlike)


@pytest.mark.parametrize("reflectance", [0.5, 0.45, 0.3, 0.9])
def test_interference_is_that_of_two_photons_at_a_beam_splitter(reflectance: float) -> None:
    visibility = 1.0 - coincidence(reflectance, 1.0) / coincidence(reflectance, 0.0)
    assert Station(reflectance=reflectance).interference == pytest.approx(visibility, abs=1e-12)


def bell_states_told_apart() -> float:
    """Enumerate the clicks of the four Bell states at a balanced splitter: the share with clicks of no other state."""
    amplitudes = {
        0: {(0, 0): 1.0, (1, 1): 1.0},
        1: {(0, 0): 1.0, (1, 1): -1.0},
        2: {(0, 1): 1.0, (1, 0): 1.0},
        3: {(0, 1): 1.0, (1, 0): -1.0},
    }
    seen: dict[int, dict[tuple[int, ...], float]] = {}
    for bell, state in amplitudes.items():
        clicks: dict[tuple[int, ...], complex] = {}
        for (left, right), amplitude in state.items():
            # a photon in mode m enters by port 0 (left) or 1 (right) and leaves by port 0 or 1
            for p, x in ((0, 1.0), (1, 1j)):
                for q, y in ((0, 1j), (1, 1.0)):
                    key = tuple(sorted((2 * p + left, 2 * q + right)))
                    clicks[key] = clicks.get(key, 0.0) + amplitude * x * y / 2.0 / math.sqrt(2.0)
        seen[bell] = {
            key: abs(a) ** 2 * (2.0 if key[0] == key[1] else 1.0)
            for key, a in clicks.items()
            if abs(a) > 1e-12
        }
    for probabilities in seen.values():
        assert sum(probabilities.values()) == pytest.approx(1.0)
    alone = [
        sum(p for key, p in mine.items() if not any(key in other for b, other in seen.items() if b != bell))
        for bell, mine in seen.items()
    ]
    return sum(alone) / 4.0


def test_the_half_of_linear_optics_by_enumeration() -> None:
    assert bell_states_told_apart() == pytest.approx(0.5, abs=1e-12)
    assert SUCCESS_LIMITS["linear-optics"] == 0.5


def test_loss_counts_once_for_each_photon() -> None:
    station = Station(insertion_loss=10.0 * math.log10(2.0))
    assert station.transmission == pytest.approx(0.5)
    assert station.swap_success(0.5) == pytest.approx(0.5 * 0.25 * 0.25)
    with pytest.raises(QuantityError, match="efficiency: found"):
        station.swap_success(1.1)


@pytest.mark.parametrize("name", sheets("station"))
def test_the_sheets_are_stations(name: str) -> None:
    station = sheet("station", name)
    assert station.success <= SUCCESS_LIMITS[station.measurement]


def coherence_of_two_clicks(reflectance: float) -> float:
    """Early-late and late-early by their amplitudes: the coherence that is left, averaged over which detectors click."""
    r, t = 1j * math.sqrt(reflectance), math.sqrt(1.0 - reflectance)
    ways = {(0, 0): t, (0, 1): r, (1, 0): r, (1, 1): t}  # (from, to)
    total = left = 0.0
    for early in (0, 1):
        for late in (0, 1):
            one = ways[0, early] * ways[1, late]  # a early, b late
            other = ways[1, early] * ways[0, late]
            total += abs(one) ** 2 + abs(other) ** 2
            left += 2.0 * abs(one) * abs(other)
    return left / total


def coherence_of_one_click(reflectance: float) -> float:
    r, t = math.sqrt(reflectance), math.sqrt(1.0 - reflectance)
    return 2.0 * sum(one * other for one, other in ((t, r), (r, t))) / 2.0


@pytest.mark.parametrize("reflectance", [0.5, 0.45, 0.3, 0.9])
def test_contrast_is_what_amplitudes_leave_of_the_coherence(reflectance: float) -> None:
    """Links take the visibility itself for two clicks, and its root for one."""
    contrast = Station(reflectance=reflectance).contrast
    assert contrast == pytest.approx(coherence_of_two_clicks(reflectance), abs=1e-12)
    assert math.sqrt(contrast) == pytest.approx(coherence_of_one_click(reflectance), abs=1e-12)
