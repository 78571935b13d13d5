"""Midpoint-source links of parts; the formula itself is in the oracles."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Detector, Node, Source, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.midpoint_source import Catch, MidpointSource, capture, midpoint_round, mixed

CATCHER = Node().build_override({"interface.capture": 0.5})
FIBRE = sheet("fibre", "smf-28")


def link(source: Source, detector: Detector | None = None, node: Node = CATCHER) -> MidpointSource:
    return MidpointSource(Parts(node, node, FIBRE, (10_000.0, 30_000.0), detector, source))


def test_one_pulse_is_a_product() -> None:
    point = link(Source(pair_probability=0.1)).heralding()
    assert point.success == pytest.approx(0.1 * 0.25 * 10**-0.8, rel=1e-12)
    assert point.fidelity == 1.0


@given(st.integers(1, 10_000))
def test_a_long_round_never_beats_one_end_in_luck(pulses: int) -> None:
    """However long the round, the first photon that is caught at either end decides."""
    source = Source(pair_probability=0.01, pulses=pulses)
    success, share = midpoint_round(source, Catch(0.3), Catch(0.4))
    limit = 0.12 / (0.3 + 0.4 - 0.12)
    assert 0.0 < success <= limit * (1 + 1e-12)
    assert share == 1.0


def test_false_catches_spoil_the_pair() -> None:
    source = Source(pair_probability=0.01)
    shares = [midpoint_round(source, Catch(0.1, f), Catch(0.1, f))[1] for f in (0.0, 1e-4, 1e-2)]
    assert shares[0] == 1.0 > shares[1] > shares[2]
    assert midpoint_round(Source(pair_probability=0.5), Catch(0.0), Catch(0.0)) == (0.0, 0.0)


def test_false_catches_count_once_a_pulse() -> None:
    """A detection window that is longer than the pulse period is shared by the pulses in it."""
    source = Source(pair_probability=0.1, pulse_period=1_000)
    long = link(source, Detector(dark_rate=1e5, window=1_000_000)).heralding()
    short = link(source, Detector(dark_rate=1e5, window=1_000)).heralding()
    assert long.fidelity == pytest.approx(short.fidelity, abs=1e-12)
    assert short.fidelity < 1.0


def test_the_source_announces_its_state() -> None:
    (herald,) = link(Source(pair_probability=0.1, bell=3, fidelity=0.9)).heralding().outcomes
    assert herald.bell == 3
    assert herald.weights[0] == pytest.approx(0.9)


def test_news_crosses_the_whole_link_after_the_last_pulse() -> None:
    source = Source(pair_probability=0.1, pulses=100, pulse_period=10_000)
    point = link(source).heralding()
    near, far = FIBRE.latency(10_000.0), FIBRE.latency(30_000.0)
    assert point.born == (0, far - near)
    assert point.heard == (2 * far + 990_000, near + far + 990_000)
    assert point.period == 2 * far + 990_000
    assert point.cycle == 1_000_000


def test_a_long_round_sets_the_cycle() -> None:
    slow = Source(pair_probability=0.1, pulses=1000, pulse_period=1_000_000)
    assert link(slow).heralding().cycle == 1_000_000_000


def test_parts_that_are_needed() -> None:
    with pytest.raises(QuantityError, match="source: found nothing, expected a pair source in the middle"):
        MidpointSource(Parts(CATCHER, CATCHER, FIBRE, (1.0, 1.0)))
    deaf = Parts(CATCHER, Node(), FIBRE, (1.0, 1.0), source=Source(pair_probability=0.1))
    with pytest.raises(QuantityError, match=r"b\.interface\.capture: found 0"):
        MidpointSource(deaf)
    with pytest.raises(QuantityError, match=r"a\.interface\.capture: found 0"):
        MidpointSource(dataclasses.replace(deaf, a=Node(), b=CATCHER))


def test_capture_and_its_herald() -> None:
    detector = Detector(efficiency=0.5, dark_rate=100.0, window=1_000_000)
    chance, false = capture(0.4, 200.0, detector)
    assert chance == 0.2
    assert false == pytest.approx(200e-6, rel=1e-3)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_mixture_is_linear(share: float, correlator: float) -> None:
    weights = mixed(share, (correlator, correlator, correlator))
    assert weights[0] == pytest.approx(share * (1 + 3 * correlator) / 4 + (1 - share) / 4, abs=1e-12)
