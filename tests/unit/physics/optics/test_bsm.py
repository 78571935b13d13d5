"""Edges of the Bell measurement between two pair sources; oracles are in tests/oracles/test_pair_source.py."""

from __future__ import annotations

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.optics.bsm import balanced_splitter, two_source_bsm


@pytest.mark.parametrize("total", [0, 1, 2, 5, 12])
def test_the_splitter_is_orthogonal(total: int) -> None:
    splitter = balanced_splitter(total)
    assert splitter @ splitter.T == pytest.approx(np.eye(total + 1), abs=1e-10)


def test_shares_of_the_heralds() -> None:
    herald = two_source_bsm(0.05, 0.03, 0.5, 1e-3)
    assert 0.0 < herald.fidelity <= herald.one_each <= 1.0
    assert herald.one_each + herald.double + herald.dark <= 1.0 + 1e-12
    assert herald.fidelity < herald.postselected <= 1.0


def test_nothing_heralds_nothing() -> None:
    herald = two_source_bsm(0.0, 0.0, 0.5)
    assert (herald.probability, herald.fidelity, herald.postselected) == (0.0, 0.25, 0.25)
    assert two_source_bsm(0.0, 0.0, 0.5, dark=0.1).dark == pytest.approx(1.0)


def test_a_short_sum_is_warned_of() -> None:
    assert two_source_bsm(0.01, 0.01, 0.5).cautions == ()
    (caution,) = two_source_bsm(0.5, 0.5, 0.5, largest=3).cautions
    assert caution.where == "pairs beyond the largest number"


def test_counting_detectors_do_not_mend_it() -> None:
    bucket, counting = (two_source_bsm(0.02, 0.02, 0.9, counting=flag) for flag in (False, True))
    assert counting.probability < bucket.probability
    assert bucket.fidelity < counting.fidelity < 0.5


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ((-0.1, 0.1), "mean_a"),
        ((0.1, float("inf")), "mean_b"),
        ((0.1, 0.1, 1.1), "eta"),
        ((0.1, 0.1, 1.0, -0.1), "dark"),
    ],
)
def test_domains(arguments: tuple[float, ...], where: str) -> None:
    with pytest.raises(QuantityError, match=rf"^{where}: found"):
        two_source_bsm(*arguments)
    with pytest.raises(QuantityError, match=r"^largest: found"):
        two_source_bsm(0.1, 0.1, largest=0)
