"""The heralding station: exactly one click."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Detector, Node, sheet
from quantum_fabric.links import Parts
from quantum_fabric.links.station import Window, station

CHANCE = st.floats(0.0, 1.0)


def by_hand(window: Window, arriving_a: float, arriving_b: float) -> float:
    """Sum over what arrives, where it goes and which detectors are dark-fooled."""
    total = 0.0
    for a, b in itertools.product((0, 1), repeat=2):
        arrive = (arriving_a if a else 1 - arriving_a) * (arriving_b if b else 1 - arriving_b)
        if a and b:
            bunch = (1 + window.visibility) / 2
            places = [((2, 0), bunch / 2), ((0, 2), bunch / 2), ((1, 1), 1 - bunch)]
        elif a or b:
            places = [((1, 0), 0.5), ((0, 1), 0.5)]
        else:
            places = [((0, 0), 1.0)]
        for (left, right), chance in places:
            for fooled in itertools.product((0, 1), repeat=2):
                false = 1.0
                for one in fooled:
                    false *= window.dark if one else 1 - window.dark
                counts = (left + fooled[0], right + fooled[1])
                clicks = counts if window.number_resolving else tuple(min(c, 1) for c in counts)
                total += arrive * chance * false * (sum(clicks) == 1)
    return total


@given(st.floats(0.0, 0.5), CHANCE, CHANCE, CHANCE, st.booleans())
def test_one_click_against_a_sum_over_everything(
    dark: float, visibility: float, arriving_a: float, arriving_b: float, counting: bool
) -> None:
    window = Window(dark, visibility, counting)
    expected = by_hand(window, arriving_a, arriving_b)
    assert window.one_click(arriving_a, arriving_b) == pytest.approx(expected, abs=1e-14)


def test_everything_between_emitter_and_click_multiplies() -> None:
    node = Node().build_override({"interface.efficiency": 0.5, "interface.conversion_efficiency": 0.4})
    parts = Parts(node, node, sheet("fibre", "smf-28"), (0.0, 50_000.0), Detector(efficiency=0.5))
    assert station(parts).eta_a == pytest.approx(0.1)
    assert station(parts).eta_b == pytest.approx(0.01)


def test_conversion_noise_passes_fibre_and_detector() -> None:
    noisy = Node().build_override({"interface.conversion_noise": "1 kHz"})
    detector = Detector(efficiency=0.5, dark_rate=10.0, window=1_000_000)
    parts = Parts(noisy, noisy, sheet("fibre", "smf-28"), (0.0, 50_000.0), detector)
    # half of (1000 + 100) photons per s go to each detector, which sees half of them
    assert station(parts).window.dark == pytest.approx((10.0 + 275.0) * 1e-6, rel=1e-3)


def test_unlike_nodes_interfere_less() -> None:
    good, bad = Node(), Node().build_override({"interface.visibility": 0.64})
    assert station(Parts(good, bad, sheet("fibre", "ideal"), (0.0, 0.0))).window.visibility == pytest.approx(
        0.8
    )


def test_without_a_detector_it_is_perfect() -> None:
    window = station(Parts(Node(), Node(), sheet("fibre", "ideal"), (0.0, 0.0))).window
    assert window == Window(0.0, 1.0, number_resolving=True)


def test_jitter_and_a_blinded_detector_lose_photons() -> None:
    node = Node()
    fibre = sheet("fibre", "ideal")
    blurred = Detector(efficiency=0.8, window=1000, jitter=1e-9)
    assert station(Parts(node, node, fibre, (0.0, 0.0), blurred)).eta_a == pytest.approx(
        0.8 * 0.760968, rel=1e-5
    )
    blinded = Detector(efficiency=0.8, dark_rate=1e6, dead_time=1e-6, window=1000)
    made = station(Parts(node, node, fibre, (0.0, 0.0), blinded))
    assert made.eta_a == pytest.approx(0.4)
    assert made.window.dark == pytest.approx(0.5e-3, rel=1e-3)
