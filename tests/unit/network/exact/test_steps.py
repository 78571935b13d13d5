"""Trees in steps: purification against the scalar map, for every kind, rotation and noise."""

from __future__ import annotations

import itertools

import pytest

from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.network.exact import steps
from quantum_fabric.network.exact.nodes import Link, Swap
from quantum_fabric.network.exact.tree import Solver
from quantum_fabric.physics import correlators
from quantum_fabric.physics.frames import AXES
from quantum_fabric.physics.noise import OperationNoise

NOISE = OperationNoise(depolarising_1=0.01, depolarising_2=0.03, readout_error_0=0.02, readout_error_1=0.05)
ROTATIONS = [None, *itertools.islice(itertools.product(AXES, AXES), 0, None, 7)]


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
def test_a_round_on_two_equal_pairs_is_the_scalar_map(kind: str, rotation: tuple[str, str] | None) -> None:
    pair = (0.8, 0.75, 0.9)
    ends = (NOISE, OperationNoise(readout_error_0=0.01))
    law = Solver().law(steps.purify(steps.link(1.0, pair), kind, ends=ends, rotation=rotation))
    chance, state = correlators.purified(pair, pair, kind, *ends, None, rotation)
    assert law.upto(2)[0, 1] == pytest.approx(chance, rel=1e-12)
    assert law.upto(2)[1:, 1] / chance == pytest.approx(state, rel=1e-12)
    assert [law.total(k).real for k in (1, 2, 3)] == pytest.approx(state, rel=1e-9)
    assert law.mean() == pytest.approx(1.0 / chance, rel=1e-9)


def test_the_later_copy_is_kept() -> None:
    """Sure to be asymmetric: the earlier one has lost z, and DEJMPS treats y of the two differently."""
    pair, rate = (0.9, 0.6, 0.95), (0.0, 0.3, 0.0)
    law = Solver().law(steps.purify(steps.link(0.5, pair), "dejmps", (rate, (0.0, 0.0, 0.0))))
    chance, state = 0.0, [0.0, 0.0, 0.0]
    for s, t in ((2, 2), (2, 1), (1, 2)):
        weight = 0.5**s * 0.5**t
        old = correlators.aged(pair, rate, abs(s - t))
        p, c = correlators.purified(pair, old, "dejmps", steps.NOISELESS, steps.NOISELESS)
        chance += weight * p
        state = [value + weight * p * each for value, each in zip(state, c, strict=True)]
    p, c = correlators.purified(pair, pair, "dejmps", steps.NOISELESS, steps.NOISELESS)
    again = 0.25 * (1.0 - p) * 0.25 * p  # a failure at 1, then both at once
    found = law.upto(3)[:, 2]
    assert found[0] == pytest.approx(chance + again, rel=1e-12)
    assert found[1:] == pytest.approx([a + again * b for a, b in zip(state, c, strict=True)], rel=1e-12)


def test_shapes_of_trees() -> None:
    assert isinstance(steps.nested([steps.link(0.5)]), Link)
    five = steps.nested([steps.link(0.5)] * 5, rounds=(1,))
    assert isinstance(five, Swap)
    assert len(five.leaves) == 10
    assert steps.link(0.5, lanes=3).success == pytest.approx(0.875)


def test_what_there_is_not() -> None:
    with pytest.raises(InputError):
        steps.nested([])
    with pytest.raises(UnknownNameError):
        steps.purify(steps.link(0.5), "magic")
