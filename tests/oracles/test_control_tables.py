"""Tables that a control plane can be checked against without a simulator (computed for this project; provenance C).

Erlang's formula is in the tests of scheduling.
"""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from quantum_fabric.network.refusal import link_fidelity_needed
from quantum_fabric.network.waiting import cutoff_decay, cutoff_mean, parallel_mean
from quantum_fabric.physics import bell, purification

SWAP_ASAP = {  # mean slots until n links are up: {p: {n: slots}}
    "0.1": {2: 14.7368, 3: 17.9006, 4: 20.2734, 5: 22.1716, 8: 26.2958, 16: 32.5872},
    "0.01": {2: 149.7487, 3: 182.9151, 4: 207.7899, 5: 227.6898, 8: 270.9245, 16: 336.8797},
}

CUTOFF = [  # p, F of fresh pairs, T (slots), cutoff (slots), mean slots, mean fidelity
    ("0.1", 0.95, 50, 1, 42.143, 0.88686), ("0.1", 0.95, 50, 5, 20.751, 0.84339), ("0.1", 0.95, 50, 10, 17.073, 0.80431),
    ("0.1", 0.95, 50, 20, 15.353, 0.75850), ("0.1", 0.95, 50, None, 14.737, 0.72395),
    ("0.01", 0.98, 500, 10, 596.68, 0.94611), ("0.01", 0.98, 500, 50, 224.99, 0.89885),
    ("0.01", 0.98, 500, 100, 178.25, 0.85463), ("0.01", 0.98, 500, None, 149.75, 0.75826),
]  # fmt: skip

NEEDED = {  # end-to-end fidelity: {links: fidelity of each}
    0.98: {2: 0.98993, 3: 0.99327, 4: 0.99495, 5: 0.99596, 8: 0.99747},
    0.90: {2: 0.94821, 3: 0.96506, 4: 0.97364, 5: 0.97884, 8: 0.98670},
    0.80: {2: 0.89226, 3: 0.92633, 4: 0.94404, 5: 0.95489, 8: 0.97148},
}


@pytest.mark.parametrize("p", SWAP_ASAP)
def test_swaps_as_soon_as_possible(p: str) -> None:
    for links, slots in SWAP_ASAP[p].items():
        assert float(parallel_mean(Fraction(p), links)) == pytest.approx(slots, abs=6e-5)


@pytest.mark.parametrize(("p", "fresh", "memory", "cutoff", "slots", "fidelity"), CUTOFF)
def test_two_links_with_a_cutoff(
    p: str, fresh: float, memory: int, cutoff: int | None, slots: float, fidelity: float
) -> None:
    """Both memories of the earlier pair depolarise, so a slot leaves e^(-2/T) of its Werner parameter."""
    assert float(cutoff_mean(Fraction(p), cutoff)) == pytest.approx(slots, rel=3e-5)
    kept = float(cutoff_decay(Fraction(p), cutoff, math.exp(-2 / memory)))
    werner = ((4 * fresh - 1) / 3) ** 2 * kept
    assert (1 + 3 * werner) / 4 == pytest.approx(fidelity, abs=6e-6)


@pytest.mark.parametrize(("target", "links"), [(target, n) for target, row in NEEDED.items() for n in row])
def test_the_fidelity_that_each_link_needs(target: float, links: int) -> None:
    needed = NEEDED[target][links]
    assert link_fidelity_needed(target, links) == pytest.approx(needed, abs=1e-5)
    werner = ((4 * needed - 1) / 3) ** links
    assert (1 + 3 * werner) / 4 == pytest.approx(target, abs=4e-5 * links)


@pytest.mark.parametrize(("fresh", "swapped"), [(0.9, 0.81333), (0.95, 0.90333), (0.98, 0.96053)])
def test_a_swap_of_werner_pairs(fresh: float, swapped: float) -> None:
    assert fresh**2 + (1 - fresh) ** 2 / 3 == pytest.approx(swapped, abs=6e-6)
    assert bell.swap(bell.werner(fresh), bell.werner(fresh))[0] == pytest.approx(swapped, abs=6e-6)


@pytest.mark.parametrize(
    ("fresh", "kept", "chance"),
    [(0.8, 0.83815, 0.76889), (0.9, 0.92640, 0.87556), (0.95, 0.96496, 0.93556), (0.98, 0.98640, 0.97369)],
)
def test_a_round_of_bbpssw(fresh: float, kept: float, chance: float) -> None:
    probability, weights = purification.bbpssw(bell.werner(fresh), bell.werner(fresh))
    assert float(probability) == pytest.approx(chance, abs=6e-6)
    assert float(weights[0]) == pytest.approx(kept, abs=6e-6)
