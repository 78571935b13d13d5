"""DLCZ links of parts; the formula itself is in the oracles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantum_fabric.devices import Detector, Fibre, Node
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.dlcz import Dlcz
from quantum_fabric.links.single_click import SingleClick

NODE = Node().build_override({"interface.efficiency": "30 %", "interface.visibility": "95 %"})
PARTS = Parts(
    NODE, NODE, Fibre(attenuation=0.2e-3), (10_000.0, 15_000.0), Detector(efficiency=0.9, dark_rate=10.0)
)


def test_weak_ensembles_are_single_emitters() -> None:
    ensemble, emitter = Dlcz(PARTS).heralding(1e-4), SingleClick(PARTS).heralding(1e-4)
    assert ensemble.success == pytest.approx(emitter.success, rel=3e-4)
    assert ensemble.fidelity == pytest.approx(emitter.fidelity, abs=3e-4)
    assert (ensemble.period, ensemble.born, ensemble.heard) == (emitter.period, emitter.born, emitter.heard)


def test_strong_ensembles_emit_more_and_worse_than_emitters() -> None:
    """Thermal numbers bunch: twice the double pairs of two levels."""
    ensemble, emitter = Dlcz(PARTS).heralding(0.1), SingleClick(PARTS).heralding(0.1)
    assert ensemble.success > emitter.success
    assert ensemble.fidelity < emitter.fidelity


def test_strong_excitation_carries_a_caution() -> None:
    link = Dlcz(PARTS)
    assert link.heralding(0.1).cautions == ()
    (caution,) = link.heralding(0.4).cautions
    assert (caution.where, caution.found) == ("excitation", "0.4")


def test_local_errors_and_phase_noise_cost_fidelity() -> None:
    clean = Dlcz(PARTS).heralding(0.01).fidelity
    for change in ({"interface.spin_photon_fidelity": "95 %"}, {"interface.phase_noise": "20 deg"}):
        worse = NODE.build_override(change)
        assert Dlcz(replace(PARTS, a=worse, b=worse)).heralding(0.01).fidelity < clean - 0.01


def test_settings_outside_are_refused() -> None:
    for wrong in (0.0, 0.6, -0.1):
        with pytest.raises(QuantityError, match="excitation ratio"):
            Dlcz(PARTS).heralding(wrong)
