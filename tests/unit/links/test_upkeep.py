"""How fast links wander by their data sheets, and how long a step of that is."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from quantum_fabric.devices import Cavity, Node, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import CATALOGUE, build
from quantum_fabric.links.conditions import ALIGNED, Conditions
from quantum_fabric.links.parts import Parts
from quantum_fabric.links.serial_reflection import SerialReflection
from quantum_fabric.links.single_click import SingleClick
from quantum_fabric.links.upkeep import (
    NO_UPKEEP,
    TWO_PATHS,
    Calibrations,
    Residual,
    Upkeep,
    held,
    usual_step,
    wander,
)
from quantum_fabric.physics.drift import STILL, Magnitudes
from quantum_fabric.units import SECOND

NODE = sheet("node", "lab-best")
GLASS = sheet("fibre", "smf-28")
DETECTOR = sheet("detector", "snspd")


def test_variances_of_stretches_add() -> None:
    arms = (9_000.0, 16_000.0)
    found = wander(NODE, NODE, GLASS, arms, DETECTOR, "single_click")
    assert found.phase == pytest.approx(GLASS.phase_wander(25_000.0), rel=1e-12)
    assert found.polarisation == (GLASS.polarisation_wander(9_000.0), GLASS.polarisation_wander(16_000.0))


def test_the_names_of_two_path_architectures_exist() -> None:
    assert set(CATALOGUE) >= TWO_PATHS


def test_nodes_and_detectors_wander_where_their_sheets_say_so() -> None:
    shaky = replace(NODE, interface=replace(NODE.interface, alignment_wander=0.01))
    old = replace(DETECTOR, ageing=1e-6)
    found = wander(NODE, shaky, sheet("free_space", "rooftop"), (50.0, 50.0), old, "single_click")
    assert found == Magnitudes(pointing=(NODE.interface.alignment_wander, 0.01), detectors=1e-6)
    assert wander(NODE, shaky, GLASS, (1.0, 1.0), None, "ideal").detectors == 0.0


@pytest.mark.parametrize(
    ("magnitudes", "seconds"),
    [
        (Magnitudes(phase=0.1), 1.0),
        (Magnitudes(polarisation=(0.01, 0.1)), 1.0),
        (Magnitudes(pointing=(0.0, 0.05)), 1.0),
        (Magnitudes(detectors=0.01), 1.0),
        (Magnitudes(phase=0.1, detectors=0.1), 0.1),
        (Magnitudes(phase=1e9), 1e-3),
    ],
)
def test_the_usual_step(magnitudes: Magnitudes, seconds: float) -> None:
    assert usual_step(magnitudes) == pytest.approx(seconds * SECOND, rel=1e-9)


def test_there_are_ten_steps_between_two_calibrations() -> None:
    assert usual_step(Magnitudes(phase=1e-6), every=20 * SECOND) == 2 * SECOND
    assert usual_step(STILL, every=20 * SECOND) is None


def test_a_step_that_is_too_long_is_said() -> None:
    long = Upkeep(Magnitudes(polarisation=(0.0, 1.0)), SECOND)
    [caution] = long.cautions()
    assert caution.found.startswith("1 rad of rms polarisation")
    assert caution.limit == "at most 0.5 rad"
    assert not Upkeep(Magnitudes(polarisation=(0.0, 1.0)), SECOND // 10).cautions()
    assert not NO_UPKEEP.cautions()


def test_what_moves() -> None:
    assert not NO_UPKEEP.moves
    assert not Upkeep(calibrations=Calibrations(takes=1)).moves
    assert Upkeep(calibrations=Calibrations(takes=1, residual=Residual(phase=0.1))).moves
    assert Upkeep(Magnitudes(phase=0.1)).moves


def test_holding_some() -> None:
    all_ = Magnitudes(0.1, (0.1, 0.2), (0.3, 0.4), 0.5)
    assert held(all_, "phase", "polarisation", "pointing", "detectors").still
    assert held(all_, "pointing").polarisation == (0.1, 0.2)


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: Calibrations(takes=0), "takes"),
        (lambda: Calibrations(takes=10, every=10), "every"),
        (lambda: Calibrations(takes=10, first=3), "first"),
        (lambda: Calibrations(takes=10, every=11, first=-1), "first"),
        (lambda: Residual(phase=-1.0), "residual.phase"),
        (lambda: Residual(pointing=math.inf), "residual.pointing"),
    ],
)
def test_what_makes_no_sense(make: object, where: str) -> None:
    with pytest.raises(QuantityError) as caught:
        make()  # type: ignore[operator]
    assert caught.value.where == where


# ---------------------------------------------------------------------------- links out of alignment


@pytest.mark.parametrize("phase", [0.0, 0.4, 2.0, math.pi, -3.0])
def test_a_phase_that_stays_turns_the_coherence_of_a_single_click(phase: float) -> None:
    """Bell-diagonal: times its cosine; whole state: times e^(iθ), so that turning one spin back mends it."""
    link = build("single_click", NODE, NODE, GLASS, (5000.0, 5000.0), DETECTOR)
    straight, turned = link.heralding(0.05), link.under(Conditions(phase=phase)).heralding(0.05)
    for one, two in zip(straight.outcomes, turned.outcomes, strict=True):
        assert two.probability == pytest.approx(one.probability, rel=1e-12)
        assert one.state is not None
        assert two.state is not None
        coherence = 0.5 * (one.weights[0] - one.weights[1])
        assert 0.5 * (two.weights[0] - two.weights[1]) == pytest.approx(
            coherence * math.cos(phase), abs=1e-12
        )
        odd, moved = one.state[4 * 1 + 2], two.state[4 * 1 + 2]
        assert moved == pytest.approx(odd * complex(math.cos(phase), math.sin(phase)), abs=1e-12)


def test_a_drifted_link_stays_balanced_for_what_it_was() -> None:
    """Who does not know that an arm has darkened does not balance it: both coherence and rate suffer more."""
    parts = Parts(NODE, NODE, GLASS, (5000.0, 9000.0), DETECTOR)
    link, dark = SingleClick(parts), Conditions(loss=(6.0, 0.0))
    drifted, known = link.under(dark), SingleClick(parts.under(dark))
    assert known.heralding(0.05).fidelity > drifted.heralding(0.05).fidelity
    straight = link.heralding(0.05).outcomes[0]
    # b sends as many photons as before, a's are four times fewer: exact in the limit of few photons
    assert drifted.heralding(0.05).success == pytest.approx(
        2 * straight.probability * (1 + 10**-0.6) / 2, rel=0.05
    )
    assert link.under(ALIGNED).heralding(0.05) == link.heralding(0.05)


@pytest.mark.parametrize("name", ["dlcz", "absorptive"])
def test_sources_stay_balanced_for_what_they_were(name: str) -> None:
    interface = replace(NODE.interface, capture=0.5)
    node = replace(NODE, interface=interface)
    link = build(name, node, node, GLASS, (5000.0, 5000.0), DETECTOR)
    dark = Conditions(loss=(6.0, 0.0))
    known = build(name, node, node, GLASS, (5000.0, 5000.0), DETECTOR, extra_loss=(6.0, 0.0))
    assert known.heralding(0.02).fidelity > link.under(dark).heralding(0.02).fidelity
    assert link.under(ALIGNED).heralding(0.02) == link.heralding(0.02)
    turned = link.under(Conditions(phase=1.0)).heralding(0.02).outcomes[0]
    straight = link.heralding(0.02).outcomes[0]
    assert (turned.weights[0] - turned.weights[1]) == pytest.approx(
        (straight.weights[0] - straight.weights[1]) * math.cos(1.0), abs=1e-9
    )


def test_a_double_click_does_not_feel_a_phase_that_stays() -> None:
    link = build("double_click", NODE, NODE, GLASS, (5000.0, 5000.0), DETECTOR)
    assert link.under(Conditions(phase=1.0)).heralding() == link.heralding()


def test_serial_reflection_counts_the_jitter_and_the_dead_time_of_its_detectors() -> None:
    cavity = Node(cavity=Cavity(bright=0.9, dark=0.01))
    sharp = replace(DETECTOR, dark_rate=0.0, jitter=0.0, dead_time=0.0)
    blurred = replace(sharp, jitter=2.0 * sharp.window / SECOND)
    one, two = (
        SerialReflection(Parts(cavity, cavity, GLASS, (500.0, 500.0), detector)).heralding(1e-3)
        for detector in (sharp, blurred)
    )
    assert two.success / one.success == pytest.approx(blurred.in_window, rel=1e-3)
