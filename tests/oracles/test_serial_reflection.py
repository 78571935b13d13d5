"""Serial reflection, again: photon by photon instead of coherent amplitudes.

A pulse holds n photons with Poisson probability. Each photon is a superposition of the modes that it can end in, which depends on the
two spins; n photons in the same superposition make every pattern of numbers with a multinomial amplitude. All patterns are summed.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest

from quantum_fabric.devices import Cavity
from quantum_fabric.links.joint import Joint
from quantum_fabric.links.serial_reflection import Way, serial_reflection

PHOTONS = 4
SPINS = list(itertools.product((0, 1), repeat=2))


def one_photon(way: Way, spins: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Amplitudes of one photon in (detector +, detector -, every way to get lost)."""
    bins = np.full(2, math.sqrt(0.5))
    lost: list[float] = []
    for cavity, spin, onward in ((way.a, spins[0], way.between), (way.b, spins[1], way.after)):
        lost += list(bins * math.sqrt(1 - cavity.insertion))
        bins = bins * math.sqrt(cavity.insertion)
        coupled = np.array([spin == 1, spin == 0])
        power = np.where(coupled, cavity.bright, cavity.dark)
        lost += list(np.where(coupled, bins * np.sqrt(1 - power), 0.0))
        lost += list(np.where(coupled, 0.0, bins * np.sqrt(1 - power)))
        bins = bins * np.sqrt(power)
        lost += list(bins * math.sqrt(1 - onward))
        bins = bins * math.sqrt(onward)
    vector = np.array([(bins[0] + bins[1]) / math.sqrt(2), (bins[0] - bins[1]) / math.sqrt(2), *lost])
    assert vector @ vector == pytest.approx(1.0)
    return vector


def density(way: Way, mean: float, clicker: int) -> npt.NDArray[np.float64]:
    """4x4 matrix of the spins, together with a click of one detector and silence of the other."""
    photon = [one_photon(way, spins) for spins in SPINS]
    rho = np.zeros((4, 4))
    for n in range(PHOTONS + 1):
        poisson = math.exp(-mean) * mean**n / math.factorial(n)
        for i, j in itertools.product(range(4), repeat=2):
            # lost photons can be anywhere; only their overlap counts
            away = float(photon[i][2:] @ photon[j][2:])
            for plus in range(n + 1):
                for minus in range(n + 1 - plus):
                    ways = math.factorial(n) / (
                        math.factorial(plus) * math.factorial(minus) * math.factorial(n - plus - minus)
                    )
                    amplitude = (
                        (photon[i][0] * photon[j][0]) ** plus
                        * (photon[i][1] * photon[j][1]) ** minus
                        * away ** (n - plus - minus)
                    )
                    seen, silent = (plus, minus) if clicker == 0 else (minus, plus)
                    if silent:
                        continue
                    chance = (1 - way.dark) * (1.0 if seen else way.dark)
                    rho[i, j] += poisson * ways * amplitude * chance / 4
    return rho


def matrix(joint: Joint) -> npt.NDArray[np.float64]:
    return np.array(joint.entries()).real.reshape(4, 4) * joint.probability


@pytest.mark.parametrize(
    ("way", "mean"),
    [
        (Way(Cavity(bright=1.0), Cavity(bright=1.0), 0.1, 1.0), 0.01),
        (Way(Cavity(bright=0.9, dark=0.02, insertion=0.7), Cavity(bright=0.8, dark=0.05), 0.3, 0.6, 1e-3), 0.02),
        (Way(Cavity(bright=0.5, dark=0.5), Cavity(bright=0.9), 1.0, 0.9, 0.01), 0.01),
    ],
)  # fmt: skip
def test_against_number_states(way: Way, mean: float) -> None:
    for clicker, joint in enumerate(serial_reflection(way, mean)):
        expected = density(way, mean, clicker)
        found = matrix(joint)
        cut = mean ** (PHOTONS + 1)
        kept = np.eye(4, dtype=bool) | np.fliplr(np.eye(4, dtype=bool))
        assert found[kept] == pytest.approx(expected[kept], abs=cut)


def test_one_photon_and_a_leaky_dark_state() -> None:
    """p = η R²/4 and F = (1+ρ²)²/((1+ρ²)²+4ρ²) for Φ+, exact for Φ−, with ρ the ratio of the amplitudes."""
    bright, dark = 0.9, 0.9 * 0.04
    way = Way(Cavity(bright=bright, dark=dark), Cavity(bright=bright, dark=dark), 0.2, 0.5)
    plus, minus = serial_reflection(way, 1e-9)
    ratio = math.sqrt(dark / bright)
    leak = (1 + ratio**2) ** 2
    assert plus.weights(0)[0] == pytest.approx(leak / (leak + 4 * ratio**2), abs=1e-7)
    assert minus.weights(1)[0] == pytest.approx(1.0, abs=1e-7)
    perfect = Way(Cavity(bright=bright), Cavity(bright=bright), 0.2, 0.5)
    total = sum(joint.probability for joint in serial_reflection(perfect, 1e-9))
    assert total == pytest.approx(1e-9 * 0.1 * bright**2 / 4, rel=1e-6)


def test_more_light_is_more_rate_and_less_fidelity() -> None:
    way = Way(Cavity(bright=0.95, dark=0.005), Cavity(bright=0.95, dark=0.005), 0.01, 0.5)
    points = [serial_reflection(way, mean) for mean in (0.001, 0.01, 0.1, 0.5)]
    rates = [plus.probability + minus.probability for plus, minus in points]
    fidelities = [plus.weights(0)[0] for plus, _ in points]
    assert rates == sorted(rates)
    assert fidelities == sorted(fidelities, reverse=True)
