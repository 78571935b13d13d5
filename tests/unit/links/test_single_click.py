"""Single-click links of parts; the formula itself is in the oracles."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Detector, Node, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.single_click import Emission, SingleClick, balanced, single_click
from quantum_fabric.links.station import Window

NV = sheet("node", "nv-electron")


def humphreys() -> SingleClick:
    return SingleClick(Parts(NV, NV, sheet("fibre", "visible"), (1.0, 1.0), sheet("detector", "nv-station")))


@pytest.mark.parametrize(("setting", "rate", "fidelity"), [(0.05, 6.55, 0.845), (0.3, 38.4, 0.638)])
def test_the_nv_sheets_give_the_nv_link(setting: float, rate: float, fidelity: float) -> None:
    """The computed values for Humphreys 2018; balanced arms gain up to 0.01 over the unbalanced ones."""
    point = humphreys().heralding(setting)
    assert point.success / point.period * 1e12 == pytest.approx(rate, rel=0.01)
    assert point.fidelity == pytest.approx(fidelity, abs=0.01)


@given(st.floats(0.001, 0.5), st.floats(0.001, 1.0), st.floats(0.001, 1.0))
def test_balance(setting: float, eta_a: float, eta_b: float) -> None:
    alpha_a, alpha_b = balanced(setting, eta_a, eta_b)
    assert alpha_a * eta_a == pytest.approx(alpha_b * eta_b, rel=1e-12)
    assert max(alpha_a, alpha_b) == setting


@given(st.floats(1e-4, 0.3), st.floats(0.05, 0.3))
def test_balance_helps(alpha: float, eta: float) -> None:
    """With unequal paths the balanced populations beat equal ones of the same mean photon number."""
    window = Window(0.0, 1.0, number_resolving=False)
    alphas = balanced(alpha, eta, 3.0 * eta)
    mean = 0.5 * (alphas[0] * eta + alphas[1] * 3.0 * eta) / (2.0 * eta)
    even = single_click(Emission(mean, mean, eta, 3.0 * eta), window)
    fair = single_click(Emission(*alphas, eta, 3.0 * eta), window)
    assert fair[1][0] > even[1][0]


def test_the_knob_starts_where_the_fidelity_is_best() -> None:
    link = humphreys()
    best = link.heralding(link.knob.low).fidelity
    for factor in (0.5, 0.9, 1.1, 2.0):
        assert link.heralding(link.knob.low * factor).fidelity <= best


def test_without_dark_counts_less_is_better() -> None:
    link = SingleClick(Parts(Node(), Node(), sheet("fibre", "ideal"), (1.0, 1.0)))
    assert link.knob.low < 1e-5
    assert link.knob.good_end == "low"


def test_the_sheet_sets_the_default() -> None:
    link = humphreys()
    assert link.heralding() == link.heralding(NV.interface.bright_population)


def test_the_poorer_path_takes_the_setting() -> None:
    """Swapping the ends swaps the roles, and nothing else."""
    bright = NV.build_override({"interface.efficiency": 0.01, "interface.bright_population": 0.3})
    ways = [
        SingleClick(Parts(a, b, sheet("fibre", "visible"), (1.0, 1.0), Detector())).heralding()
        for a, b in ((NV, bright), (bright, NV))
    ]
    assert ways[0].success == pytest.approx(ways[1].success, rel=1e-12)
    expected = SingleClick(Parts(NV, bright, sheet("fibre", "visible"), (1.0, 1.0), Detector())).heralding(
        0.05
    )
    assert ways[0] == expected


def test_both_signs_are_announced_alike() -> None:
    plus, minus = humphreys().heralding().outcomes
    assert (plus.bell, minus.bell) == (2, 3)
    assert (plus.probability, plus.weights) == (minus.probability, minus.weights)


@pytest.mark.parametrize("setting", [0.0, -0.1, 0.51, math.nan])
def test_settings_have_a_domain(setting: float) -> None:
    with pytest.raises(QuantityError, match=r"setting: found .* expected a bright population in \(0, 0.5\]"):
        humphreys().heralding(setting)


def test_phase_noise_of_both_ends_adds_in_quadrature() -> None:
    quiet = NV.build_override({"interface.phase_noise": "0 deg"})
    loud = NV.build_override({"interface.phase_noise": "15 deg"})
    fibre, detector = sheet("fibre", "visible"), sheet("detector", "nv-station")
    one = SingleClick(Parts(quiet, loud, fibre, (1.0, 1.0), detector)).heralding()
    assert one.fidelity == pytest.approx(humphreys().heralding().fidelity, abs=1e-5)


def test_a_dark_station_without_photons_says_nothing() -> None:
    assert single_click(Emission(0.1, 0.1, 0.0, 0.0), Window(0.0, 1.0, False)) == (0.0, (0.25,) * 4)
