"""Transducers: thermal photons, and what noise does to a pair, once more in Fock space."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.devices import (
    Gates,
    Interface,
    Memory,
    Node,
    Transducer,
    sheet,
    sheets,
    thermal_occupation,
    transduced,
)
from quantum_fabric.devices.transducer import BOLTZMANN, PLANCK, noise_weight
from quantum_fabric.errors import QuantityError


@pytest.mark.parametrize("temperature", [0.01, 0.1, 4.0, 300.0])
def test_thermal_photons_are_those_of_a_boltzmann_sum(temperature: float) -> None:
    frequency = 5e9
    x = PLANCK * frequency / (BOLTZMANN * temperature)
    levels = np.arange(0, max(50, int(60.0 / x)))
    weights = np.exp(-x * levels)
    mean = float((levels * weights).sum() / weights.sum())
    assert thermal_occupation(frequency, temperature) == pytest.approx(mean, rel=1e-9)


def test_thermal_photons_at_the_ends() -> None:
    assert thermal_occupation(5e9, 0.0) == 0.0
    assert thermal_occupation(1e12, 1e-3) == 0.0
    assert thermal_occupation(5e9, 300.0) == pytest.approx(BOLTZMANN * 300.0 / (PLANCK * 5e9), rel=1e-3)


@pytest.mark.parametrize(
    ("frequency", "temperature"), [(0.0, 1.0), (-1.0, 1.0), (1.0, -0.1), (1.0, math.nan), (math.inf, 1.0)]
)
def test_temperatures_are_not_negative(frequency: float, temperature: float) -> None:
    with pytest.raises(QuantityError):
        thermal_occupation(frequency, temperature)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("efficiency", 0.0),
        ("efficiency", 1.2),
        ("added_noise", -0.1),
        ("temperature", -1.0),
        ("frequency", 0.0),
        ("wavelength", 0.0),
    ],
)
def test_numbers_have_domains(field: str, value: float) -> None:
    with pytest.raises(QuantityError, match=rf"^{field}: found"):
        Transducer(**{"efficiency": 0.1, field: value})


def werner_in_fock_space(efficiency: float, emission: float, noise: float, cut: int = 7) -> float:
    """Werner parameter of qubit and photon after one click, by exact sums over photon numbers.

    The qubit is with its photon in mode 0 or 1 (and with neither, where it was not emitted). Each mode is mixed with thermal
    light so that at the output there are ``efficiency * noise`` noise photons in it; exactly one photon in both modes is
    what counts. Independent of the code: loss of a Fock state and addition of noise, photon by photon.
    """
    mean = efficiency * noise

    def after(photons: int) -> np.ndarray:
        """Distribution of the number at the output: loss, then an amplifier that leaves ``mean`` photons of its own."""
        survive = np.array(
            [
                math.comb(photons, k) * efficiency**k * (1 - efficiency) ** (photons - k)
                for k in range(photons + 1)
            ]
        )
        gain = 1.0 + mean
        out = np.zeros(cut)
        for k, weight in enumerate(survive):
            for n in range(k, cut):
                out[n] += weight * math.comb(n, k) * (1 / gain) ** (k + 1) * (1 - 1 / gain) ** (n - k)
        return out

    right = wrong = 0.0
    empty = after(0)
    for photon in (0, 1):
        weight = emission if photon else 1.0 - emission
        occupied = after(photon)
        right += weight * occupied[1] * empty[0]  # one photon in the qubit's mode, none in the other
        wrong += weight * occupied[0] * empty[1]
    # correlations in the basis of the modes; noise is alike in every basis, so the Werner parameter is this one
    return (right - wrong) / (right + wrong)


@pytest.mark.parametrize("emission", [1.0, 0.6])
@pytest.mark.parametrize("noise", [0.01, 0.1, 0.5, 1.24])
def test_noise_weight_is_the_first_order_of_fock_space(emission: float, noise: float) -> None:
    for efficiency, tolerance in ((1e-3, 5e-3), (1e-5, 5e-5)):
        exact = werner_in_fock_space(efficiency, emission, noise)
        assert exact == pytest.approx(noise_weight(emission, noise), abs=tolerance)


def test_a_transduced_node() -> None:
    node = Node(Memory(1.0, 1.0), Gates(0.1), Interface(efficiency=0.8, spin_photon_fidelity=0.97), 3)
    made, cautions = transduced(node, Transducer(efficiency=0.02, added_noise=0.1, wavelength=1536e-9))
    werner = (4.0 * 0.97 - 1.0) / 3.0 * 0.8
    assert made.interface.spin_photon_fidelity == pytest.approx((1.0 + 3.0 * werner) / 4.0)
    assert made.interface.efficiency == pytest.approx(0.02)
    assert made.interface.wavelength == 1536e-9
    assert (made.memory, made.gates, made.slots) == (node.memory, node.gates, node.slots)
    assert cautions == ()


def test_an_ideal_transducer_changes_the_wavelength_alone() -> None:
    node = sheet("node", "transmon")
    made, cautions = transduced(node, sheet("transducer", "ideal"))
    assert cautions == ()
    assert made.interface.wavelength == 1550e-9
    assert made.interface.efficiency == node.interface.efficiency
    assert made.interface.spin_photon_fidelity == pytest.approx(
        node.interface.spin_photon_fidelity, abs=1e-12
    )


def test_too_much_noise_is_never_silent() -> None:
    made, cautions = transduced(Node(), sheet("transducer", "ytterbium-crystal"))
    assert [caution.where for caution in cautions] == ["transducer.noise"]
    assert "below 0.5 added photons" in str(cautions[0])
    assert made.interface.spin_photon_fidelity < 0.5
    _, warm = transduced(Node(), Transducer(efficiency=1e-3, temperature=1.0))
    assert [caution.where for caution in warm] == ["transducer.noise"]
    _, bright = transduced(Node(), Transducer(efficiency=0.5, added_noise=0.01))
    assert [caution.where for caution in bright] == ["transducer.efficiency"]


def test_two_ends_share_entanglement_up_to_the_threshold_of_the_caution() -> None:
    """F = 1/2 of the pair of both ends is w^2 = 1/3, at N = (sqrt(3) - 1)/2."""
    threshold = (math.sqrt(3.0) - 1.0) / 2.0
    assert round(threshold, 3) == 0.366
    assert noise_weight(1.0, threshold) ** 2 == pytest.approx(1.0 / 3.0)


@pytest.mark.parametrize("name", sheets("transducer"))
def test_the_sheets_are_transducers(name: str) -> None:
    made, _ = transduced(sheet("node", "transmon"), sheet("transducer", name))
    assert 0.25 <= made.interface.spin_photon_fidelity <= 1.0
