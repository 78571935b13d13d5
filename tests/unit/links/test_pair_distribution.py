"""Pair distribution: timing, placement, units; sums over photon numbers are in tests/oracles/test_photonic_links.py."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.devices import Detector, PairSource, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.pair_distribution import PairDistribution

NODE = sheet("node", "ideal")
FIBRE = sheet("fibre", "smf-28")
SOURCE = PairSource(pair_rate=1e7, fidelity=0.98, pulse_period=10_000)
PARTS = Parts(
    NODE, NODE, FIBRE, (10_000.0, 30_000.0), Detector(efficiency=0.8, dark_rate=100.0, window=1000), SOURCE
)


def test_attempts_follow_each_other_at_the_pace_of_the_source() -> None:
    point = PairDistribution(PARTS).heralding()
    assert point.period == point.cycle == 10_000
    arms = (FIBRE.latency(10_000.0), FIBRE.latency(30_000.0))
    assert point.born == (0, arms[1] - arms[0])
    assert point.heard == (arms[1] - arms[0] + sum(arms), sum(arms))
    continuous = dataclasses.replace(PARTS, source=dataclasses.replace(SOURCE, drive="continuous"))
    assert PairDistribution(continuous).heralding().period == 1000  # one coincidence window


def test_many_pulses_make_one_attempt() -> None:
    one = PairDistribution(PARTS).heralding()
    many = PairDistribution(dataclasses.replace(PARTS, modes=1000)).heralding()
    assert many.period == 1000 * one.period
    assert many.success == pytest.approx(1.0 - (1.0 - one.success) ** 1000)
    assert many.heard[0] - one.heard[0] == 999 * one.period


def test_a_source_at_one_end() -> None:
    dim = dataclasses.replace(PARTS, source=dataclasses.replace(SOURCE, pair_rate=1e4))
    point = PairDistribution(dataclasses.replace(dim, arms=(0.0, 40_000.0))).heralding()
    middle = PairDistribution(dim).heralding()
    assert point.success == pytest.approx(
        middle.success, rel=2e-3
    )  # the loss is the same, the singles are not
    assert point.born == (0, FIBRE.latency(40_000.0))


def test_no_memory_holds_the_pair() -> None:
    link = PairDistribution(PARTS)
    assert not link.stores
    assert link.knob is None
    with pytest.raises(QuantityError, match="setting"):
        link.heralding(0.1)
    with pytest.raises(QuantityError, match="lanes"):
        link.heralding(lanes=0)


def test_turned_polarisation_costs_fidelity() -> None:
    link = PairDistribution(PARTS)
    straight, bent = link.heralding(), link.under(Conditions(polarisation=(0.4, 0.0))).heralding()
    left, before = (4.0 * point.fidelity - 1.0 for point in (bent, straight))
    assert left / before == pytest.approx((1.0 + 2.0 * math.cos(0.4)) / 3.0)
    assert bent.success == pytest.approx(straight.success)
    assert link.under(Conditions(loss=(3.0, 0.0))).heralding().success < straight.success


@settings(max_examples=50)
@given(
    st.floats(1e3, 1e10),
    st.floats(0.0, 2e5),
    st.floats(0.0, 2e5),
    st.floats(0.0, 1e7),
    st.floats(0.0, 1e-8),
    st.sampled_from(["pulsed", "continuous"]),
    st.sampled_from(["random", "discard"]),
)
def test_every_point_is_a_distribution(
    rate: float, arm_a: float, arm_b: float, dark: float, jitter: float, drive: str, policy: str
) -> None:
    source = PairSource(pair_rate=rate, fidelity=0.9, drive=drive, pulse_period=2000)
    detector = Detector(
        efficiency=0.7, dark_rate=dark, jitter=jitter, window=1000, dead_time=1e-7, double_click=policy
    )
    point = PairDistribution(Parts(NODE, NODE, FIBRE, (arm_a, arm_b), detector, source)).heralding()
    assert 0.0 <= point.success <= 1.0
    assert min(point.weights) >= 0.0
    assert sum(point.weights) == pytest.approx(1.0)
    assert 0.25 - 1e-9 <= point.fidelity <= 0.9 + 1e-9


def test_jitter_longer_than_a_pulse_is_warned_of() -> None:
    blurred = dataclasses.replace(PARTS, detector=Detector(window=1000, jitter=20e-9))
    assert [caution.where for caution in PairDistribution(blurred).heralding().cautions] == [
        "width of arrival times"
    ]
    assert PairDistribution(PARTS).heralding().cautions == ()
