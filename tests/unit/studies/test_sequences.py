"""Samples: the Sobol sequence against SciPy's, strata of the Latin hypercube, evenness, names of streams."""

from __future__ import annotations

import numpy as np
import pytest

from quantum_fabric.errors import InputError
from quantum_fabric.kernel import Streams
from quantum_fabric.studies.sequences import METHODS, MOST_DIMENSIONS, sample, sobol


def test_sobol_is_the_published_sequence() -> None:
    """All dimensions against an independent implementation of the same table, bit for bit."""
    qmc = pytest.importorskip("scipy.stats.qmc")
    theirs = qmc.Sobol(MOST_DIMENSIONS, scramble=False, bits=32).random(512)
    assert (sobol(512, MOST_DIMENSIONS) == (theirs * 2**32).astype(np.uint64)).all()


@pytest.mark.parametrize("dimension", range(MOST_DIMENSIONS))
def test_each_dimension_is_a_net(dimension: int) -> None:
    """The first 2^k points have one in each of 2^k equal intervals, shifted or not."""
    plain = sobol(256, MOST_DIMENSIONS)[:, dimension] / 2**32
    moved = sample("sobol", 256, MOST_DIMENSIONS, Streams(5))[:, dimension]
    for column in (plain, moved):
        assert sorted((256 * column).astype(int)) == list(range(256))


def test_latin_hypercube_has_one_point_in_each_stratum() -> None:
    points = sample("latin-hypercube", 100, 3, Streams(3))
    for column in points.T:
        assert sorted((100 * column).astype(int)) == list(range(100))
    assert abs(np.corrcoef(points.T)[0, 1]) < 0.5


@pytest.mark.parametrize("method", METHODS)
def test_samples_are_inside_and_repeatable(method: str) -> None:
    first, again, other = (sample(method, 64, 4, Streams(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert ((first > 0.0) & (first < 1.0)).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_dimension_more_leaves_the_others(method: str) -> None:
    assert (sample(method, 32, 2, Streams(1)) == sample(method, 32, 3, Streams(1))[:, :2]).all()


def test_too_many_dimensions() -> None:
    with pytest.raises(InputError, match="dimensions"):
        sobol(4, MOST_DIMENSIONS + 1)


def test_sobol_is_more_even_than_chance() -> None:
    """Mean of a product over the cube, exactly 2^-d: the error of the sequence is far below that of a plain sample."""
    exact = 0.5**5
    error = {m: abs(sample(m, 1024, 5, Streams(9)).prod(axis=1).mean() - exact) for m in METHODS}
    assert error["sobol"] < 2e-4
