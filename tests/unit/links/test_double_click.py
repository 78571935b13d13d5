"""Double-click links of parts; the formula itself is in the oracles."""

from __future__ import annotations

import pytest

from quantum_fabric.devices import Node, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.double_click import DoubleClick, double_click
from quantum_fabric.links.station import Window


def test_half_of_the_photon_pairs_herald() -> None:
    window = Window(0.0, 1.0, number_resolving=False)
    assert double_click(1.0, 1.0, window) == (0.5, (1.0, 0.0, 0.0, 0.0))


def test_dark_counts_alone_give_white_noise() -> None:
    success, weights = double_click(0.0, 0.0, Window(1e-3, 1.0, number_resolving=False))
    assert success == pytest.approx(4e-6, rel=0.01)
    assert weights == pytest.approx((0.25, 0.25, 0.25, 0.25))


def test_nothing_at_all() -> None:
    assert double_click(0.0, 0.0, Window(0.0, 1.0, number_resolving=False)) == (0.0, (0.25,) * 4)


def test_the_optical_phase_does_not_matter() -> None:
    fibre, noisy = sheet("fibre", "ideal"), Node().build_override({"interface.phase_noise": "180 deg"})
    assert DoubleClick(Parts(noisy, noisy, fibre, (0.0, 0.0))).heralding().fidelity == 1.0


def test_a_distinguishable_photon_costs_half() -> None:
    window = Window(0.0, 0.0, number_resolving=False)
    assert double_click(0.1, 0.1, window)[1][:2] == pytest.approx((0.5, 0.5))


def test_the_ion_sheets_give_the_ion_link() -> None:
    """Stephenson 2020: 2.18e-4 per attempt, 182 /s, fidelity 0.94; 2 m arms cost a few per cent in the blue."""
    ion = sheet("node", "trapped-ion-422")
    link = DoubleClick(Parts(ion, ion, sheet("fibre", "blue"), (2.0, 2.0), sheet("detector", "ion-station")))
    point = link.heralding()
    assert point.success == pytest.approx(2.18e-4, rel=0.05)
    assert point.success / point.period * 1e12 == pytest.approx(182.0, rel=0.05)
    assert point.fidelity == pytest.approx(0.94, abs=0.02)


def test_there_is_no_knob() -> None:
    link = DoubleClick(Parts(Node(), Node(), sheet("fibre", "ideal"), (0.0, 0.0)))
    assert link.knob is None
    with pytest.raises(QuantityError, match="no setting: a double_click link has no knob"):
        link.heralding(0.1)


def test_timing_of_unequal_arms() -> None:
    fibre = sheet("fibre", "smf-28")
    point = DoubleClick(Parts(Node(), Node(), fibre, (10_000.0, 30_000.0))).heralding()
    near, far = fibre.latency(10_000.0), fibre.latency(30_000.0)
    assert point.born == (far - near, 0)
    assert point.heard == (far + near, 2 * far)
    assert point.period == 2 * far
