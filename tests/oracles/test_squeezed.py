"""One click on two squeezed sources, again: number states pushed through the optics one by one and summed.

The closed form works with 2x2 matrices in all photon numbers. Here every source emits 0 to 4 pairs, each idler is a polynomial in
the creation operators of two detectors with two temporal modes each and of the losses, and every pattern of photons is summed.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import TypeAlias

import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.links.joint import Joint
from quantum_fabric.links.single_click import Emission, single_click
from quantum_fabric.links.station import Window
from quantum_fabric.physics.optics.squeezed import Side, one_click

PAIRS = 4
Pattern: TypeAlias = tuple[int, ...]  # photons in c0, c1, d0, d1, lost of a, lost of b


def idlers(j: int, k: int, a: Side, b: Side, visibility: float) -> dict[Pattern, float]:
    """Amplitudes of the photon patterns that j idlers of a and k of b become."""
    root = math.sqrt(0.5)
    same, other = math.sqrt(visibility), math.sqrt(1.0 - visibility)
    at_a = {0: root * math.sqrt(a.eta), 2: root * math.sqrt(a.eta), 4: math.sqrt(1.0 - a.eta)}
    eta = math.sqrt(b.eta)
    at_b = {
        0: root * eta * same,
        1: root * eta * other,
        2: -root * eta * same,
        3: -root * eta * other,
        5: math.sqrt(1.0 - b.eta),
    }
    state: dict[Pattern, float] = {(0,) * 6: 1.0 / math.sqrt(math.factorial(j) * math.factorial(k))}
    for creation in [at_a] * j + [at_b] * k:
        after: dict[Pattern, float] = defaultdict(float)
        for pattern, amplitude in state.items():
            for mode, factor in creation.items():
                grown = tuple(n + (m == mode) for m, n in enumerate(pattern))
                after[grown] += amplitude * factor * math.sqrt(pattern[mode] + 1)
        state = after
    return state


def chance(pattern: Pattern, dark: float, counting: bool) -> float:
    """Probability that detector c clicks (counts one) and d stays silent."""
    at_c, at_d = pattern[0] + pattern[1], pattern[2] + pattern[3]
    if at_d:
        return 0.0
    if counting:
        return {0: dark * (1.0 - dark), 1: (1.0 - dark) ** 2}.get(at_c, 0.0)
    return (1.0 - dark) * (1.0 if at_c else dark)


def heralded(
    a: Side, b: Side, visibility: float, dark: float, counting: bool
) -> dict[tuple[int, int, int, int], float]:
    """Unnormalised density matrix of the signals in number states (j, k, j', k'), losses of the signals included."""
    numbers = list(itertools.product(range(PAIRS + 1), repeat=2))
    amplitude = {
        (j, k): math.sqrt((1 - a.excitation) * (1 - b.excitation) * a.excitation**j * b.excitation**k)
        for j, k in numbers
    }
    optics = {n: idlers(*n, a, b, visibility) for n in numbers}
    rho: dict[tuple[int, int, int, int], float] = defaultdict(float)
    for one, two in itertools.product(numbers, repeat=2):
        if sum(one) != sum(two) or sum(one) > PAIRS:
            continue
        overlap = math.fsum(
            value * optics[two].get(pattern, 0.0) * chance(pattern, dark, counting)
            for pattern, value in optics[one].items()
        )
        weight = amplitude[one] * amplitude[two] * overlap
        for lost_a, lost_b in itertools.product(range(PAIRS + 1), repeat=2):
            left = (one[0] - lost_a, one[1] - lost_b, two[0] - lost_a, two[1] - lost_b)
            if min(left) >= 0:
                rho[left] += (
                    weight
                    * thinned(one[0], lost_a, a.kept)
                    * thinned(two[0], lost_a, a.kept)
                    * thinned(one[1], lost_b, b.kept)
                    * thinned(two[1], lost_b, b.kept)
                )
    return rho


def thinned(number: int, lost: int, kept: float) -> float:
    """Kraus amplitude of losing ``lost`` of ``number`` excitations."""
    return math.sqrt(math.comb(number, lost) * (1.0 - kept) ** lost * kept ** (number - lost))


def compare(a: Side, b: Side, visibility: float, dark: float, counting: bool) -> None:
    rho = heralded(a, b, visibility, dark, counting)
    held = {(x, y): 0.0 for x in (False, True) for y in (False, True)}
    for (j, k, j2, k2), value in rho.items():
        if (j, k) == (j2, k2):
            held[bool(j), bool(k)] += value
    found = one_click(a, b, visibility, dark, counting)
    cut = 40.0 * max(a.excitation, b.excitation) ** (PAIRS + 1)
    assert found.probability == pytest.approx(sum(held.values()), abs=cut)
    assert found.none == pytest.approx(held[False, False], abs=cut)
    assert found.only_a == pytest.approx(held[True, False], abs=cut)
    assert found.only_b == pytest.approx(held[False, True], abs=cut)
    assert found.both == pytest.approx(held[True, True], abs=cut)
    assert found.coherence == pytest.approx(rho[1, 0, 0, 1], abs=cut)
    assert found.single == pytest.approx(rho[1, 0, 1, 0] + rho[0, 1, 0, 1], abs=cut)
    assert found.none + found.only_a + found.only_b + found.both == pytest.approx(
        found.probability, abs=1e-15
    )


@pytest.mark.parametrize("counting", [False, True])
@pytest.mark.parametrize(
    ("a", "b", "visibility", "dark"),
    [
        (Side(0.02, 0.5), Side(0.02, 0.5), 1.0, 0.0),
        (Side(0.01, 0.9), Side(0.03, 0.3), 0.8, 1e-3),
        (Side(0.02, 1.0), Side(0.005, 0.01), 0.0, 0.02),
        (Side(0.0, 0.5), Side(0.02, 0.5), 0.5, 0.0),
    ],
)
def test_one_click_against_fock_space(
    a: Side, b: Side, visibility: float, dark: float, counting: bool
) -> None:
    compare(a, b, visibility, dark, counting)


@pytest.mark.parametrize("counting", [False, True])
@pytest.mark.parametrize(("kept_a", "kept_b"), [(0.5, 0.9), (0.1, 1.0), (0.0, 0.3)])
def test_losses_of_the_kept_signal_against_fock_space(kept_a: float, kept_b: float, counting: bool) -> None:
    compare(Side(0.02, 0.4, kept_a), Side(0.015, 0.6, kept_b), 0.9, 1e-4, counting)


def test_weak_sources_are_two_level_emitters() -> None:
    """With λ -> 0 one excitation at most: the single-click formula with α = λ/(1+λ), to first order in λ."""
    a, b, window = Side(1e-5, 0.3), Side(2e-5, 0.15), Window(1e-7, 0.8, number_resolving=False)
    click = one_click(a, b, window.visibility, window.dark)
    emission = Emission(1e-5 / (1 + 1e-5), 2e-5 / (1 + 2e-5), a.eta, b.eta)
    p, weights = single_click(emission, window)
    mine = Joint(click.none, click.only_b, click.only_a, click.both, odd=click.coherence)
    assert 2.0 * click.probability == pytest.approx(p, rel=1e-4)
    assert mine.weights(2) == pytest.approx(weights, abs=1e-4)


def test_bad_sources_are_refused() -> None:
    for wrong in (
        {"excitation": 1.0, "eta": 0.5},
        {"excitation": 0.1, "eta": 1.1},
        {"excitation": 0.1, "eta": 0.5, "kept": -0.1},
    ):
        with pytest.raises(QuantityError):
            Side(**wrong)
    with pytest.raises(QuantityError, match="dark"):
        one_click(Side(0.1, 0.5), Side(0.1, 0.5), dark=1.0)
