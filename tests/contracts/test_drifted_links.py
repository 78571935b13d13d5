"""What every link of the catalogue keeps when it is out of alignment."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.test_link_catalogue import EVERY, parts

from quantum_fabric.links import Architecture
from quantum_fabric.links.conditions import ALIGNED, Conditions
from quantum_fabric.links.upkeep import TWO_PATHS

ANGLE = st.floats(-7.0, 7.0)
LOSS = st.floats(0.0, 100.0)
CONDITIONS = st.builds(Conditions, ANGLE, st.tuples(ANGLE, ANGLE), st.tuples(LOSS, LOSS), st.floats(0.0, 1.0))
BELL = np.array([[1, 0, 0, 1], [1, 0, 0, -1], [0, 1, 1, 0], [0, 1, -1, 0]]) / math.sqrt(2)


@EVERY
def test_aligned_is_as_the_sheets_say(architecture: Architecture) -> None:
    link = architecture.make(parts(architecture))
    assert link.under(ALIGNED).heralding() == link.heralding()


@EVERY
@settings(max_examples=12, deadline=None)
@given(conditions=CONDITIONS)
def test_heralds_stay_probabilities_and_states_stay_states(
    architecture: Architecture, conditions: Conditions
) -> None:
    """However far it has drifted; the weights are those of the whole state where there is one."""
    point = architecture.make(parts(architecture)).under(conditions).heralding()
    assert 0.0 <= point.success <= 1.0 + 1e-12
    for outcome in point.outcomes:
        assert outcome.probability >= 0.0
        assert math.fsum(outcome.weights) == pytest.approx(1.0, abs=1e-9)
        assert min(outcome.weights) >= 0.0
        if outcome.state is not None:
            rho = np.array(outcome.state).reshape(4, 4)
            assert np.allclose(rho, rho.conj().T, atol=1e-12)
            assert np.trace(rho).real == pytest.approx(1.0, abs=1e-9)
            assert np.linalg.eigvalsh(rho)[0] > -1e-9
            for label, weight in enumerate(outcome.weights):
                vector = BELL[outcome.bell ^ label]
                assert (vector @ rho @ vector).real == pytest.approx(weight, abs=1e-9)


@EVERY
def test_times_do_not_drift(architecture: Architecture) -> None:
    """The twin keeps the grid of a lane from step to step."""
    link = architecture.make(parts(architecture))
    here = Conditions(0.3, (0.4, 0.5), (2.0, 3.0), 0.6)
    one, two = link.heralding(None, 3), link.under(here).heralding(None, 3)
    assert (one.period, one.cycle, one.born, one.heard) == (two.period, two.cycle, two.born, two.heard)


@EVERY
def test_detectors_and_arms_that_darken_make_a_link_slower(architecture: Architecture) -> None:
    if architecture.name == "ideal":
        pytest.skip("fixed numbers do not drift")
    link = architecture.make(parts(architecture))
    rates = [link.under(Conditions(loss=(loss, loss))).heralding().success for loss in (0.0, 0.5, 1.0, 3.0)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > rates[-1]


@EVERY
def test_only_light_of_two_paths_feels_the_phase_of_the_fibre(architecture: Architecture) -> None:
    link = architecture.make(parts(architecture))
    straight, turned = link.heralding(), link.under(Conditions(phase=1.0)).heralding()
    if architecture.name in TWO_PATHS:
        assert turned.fidelity < straight.fidelity
        assert turned.success == pytest.approx(straight.success, rel=1e-12)
    elif (
        architecture.name != "serial_reflection"
    ):  # its phase is that of its interferometer, not of the fibre
        assert turned == straight
