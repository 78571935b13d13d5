"""How long pairs have waited for each other: against plain sums, and what has no such law."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.network import waiting
from quantum_fabric.network.exact import ages, steps
from quantum_fabric.network.exact.law import Law
from quantum_fabric.network.exact.nodes import Link, Swap
from quantum_fabric.network.exact.tree import Solver
from quantum_fabric.physics.correlators import werner

RATE = (0.02, 0.02, 0.01)


def test_two_links_wait_for_their_difference() -> None:
    chances = ages.waits(steps.swap(steps.link(0.3), steps.link(0.3)))
    assert chances is not None
    assert chances[:30] == pytest.approx(
        [float(waiting.difference_chance(0.3, k)) for k in range(30)], abs=1e-8
    )


def test_waits_of_a_tree_against_the_sum() -> None:
    """Four sure-to-swap links: waits below and above add up."""
    chances = ages.waits(steps.nested([steps.link(0.6)] * 4))
    assert chances is not None
    exact = np.zeros(80)
    times = range(1, 16)
    for a in times:
        for b in times:
            for c in times:
                for d in times:
                    wait = abs(a - b) + abs(c - d) + abs(max(a, b) - max(c, d))
                    exact[wait] += 0.6**4 * 0.4 ** (a + b + c + d - 4)
    assert np.abs(chances[:20] - exact[:20]).max() < 1e-5


@pytest.mark.parametrize("cutoffs", [(), (6, 12)])
def test_the_mean_is_that_of_the_law(cutoffs: tuple[int, ...]) -> None:
    node = steps.nested([steps.link(0.3, werner(0.95))] * 4, 0.6, RATE, cutoffs)
    found = ages.fidelity_law(node)
    assert found is not None
    assert found.mean == pytest.approx(Law(Solver().law(node), 1.0).fidelity, abs=1e-7)
    assert found.deviation > 0.0
    assert (np.diff(found.values) <= 0.0).all()


def test_waits_on_a_grid_are_counted_by_its_period() -> None:
    link = Link(0.3, 50, 20, (1.0, 1.0, 1.0))
    rates = (1e-3,) * 3
    node = Swap(link, link, 1.0, (1.0,) * 3, rates, rates, takes=7)
    assert ages.unit(node) == 50
    found = ages.fidelity_law(node)
    assert found is not None
    assert 4.0 * found.mean == pytest.approx(1.0 + 3.0 * float(waiting.decay(0.3, math.exp(-0.05))), abs=1e-7)


def test_what_is_not_known_by_one_number() -> None:
    assert ages.fidelity_law(steps.link(0.5)) is None
    assert ages.fidelity_law(steps.purify(steps.link(0.5))) is None
    two = steps.swap(steps.link(0.5), steps.link(0.5), rates=(RATE, RATE, (0.5, 0.5, 0.5)))
    assert ages.fidelity_law(two) is None  # the ends decay differently
    long = steps.swap(steps.link(1e-4), steps.link(1e-4), rates=(RATE,) * 3)
    assert ages.fidelity_law(long) is None  # too many different waits


def test_levels_outside_their_domain() -> None:
    law = ages.FidelityLaw(np.array([0.9, 0.8]), np.array([0.5, 0.5]))
    with pytest.raises(QuantityError, match="level"):
        law.quantile(-0.1)
