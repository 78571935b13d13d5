"""The value of a Bell test: beside density matrices, and beside everything that local hidden variables can do."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from quantum_fabric.errors import FabricError, InputError
from quantum_fabric.physics.chsh import chsh, correlation
from quantum_fabric.physics.correlators import to_weights
from quantum_fabric.physics.frames import PAULI
from quantum_fabric.physics.instruments import bell_mixture, reading

PAULIS = {
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0 + 0j, -1.0]),
}
OBSERVABLES = {
    **PAULIS,
    "W": (PAULIS["Z"] + PAULIS["X"]) / math.sqrt(2),
    "V": (PAULIS["Z"] - PAULIS["X"]) / math.sqrt(2),
}


@pytest.mark.parametrize("label", range(4))
def test_correlations_are_those_of_density_matrices(label: int) -> None:
    correlators = (0.7, 0.6, 0.85)
    rho = bell_mixture(to_weights(correlators), label)
    for one, two in itertools.product(OBSERVABLES, repeat=2):
        exact = np.trace(rho.reshape(4, 4) @ np.kron(OBSERVABLES[one], OBSERVABLES[two])).real
        assert math.isclose(correlation(one, two, correlators, label), exact, abs_tol=1e-12)
        _, rest = reading(rho, 0, one, 1.0)
        after = sum((1 - 2 * bit) * np.trace(rest[bit] @ OBSERVABLES[two]).real for bit in (0, 1))
        assert math.isclose(after, exact, abs_tol=1e-12)


@pytest.mark.parametrize("label", range(4))
def test_no_local_strategy_gives_more_than_two(label: int) -> None:
    """All 256 ways in which each end answers each of four settings, whatever state is announced."""
    assert PAULI[0] == "I"
    for one in itertools.product((0, 1), repeat=4):
        for two in itertools.product((0, 1), repeat=4):
            mine, theirs = dict(zip("ZXWV", one, strict=True)), dict(zip("ZXWV", two, strict=True))
            shots = [((a, b), (mine[a], theirs[b]), label) for a in "ZX" for b in "WV"]
            assert abs(chsh(2 * shots).value) <= 2.0 + 1e-12


def test_either_end_may_have_the_settings_between_and_others_are_left_out() -> None:
    shots = [((a, b), (0, 0), 0) for a in "ZX" for b in "WV"] + [
        ((b, a), (0, 0), 0) for a in "ZX" for b in "WV"
    ]
    found = chsh([*shots, (("Z", "Z"), (0, 1), 0), (("W", "V"), (0, 0), 0)])
    assert (found.value, found.error, found.pairs) == (2.0, 0.0, 8)


def test_what_makes_no_test_is_refused() -> None:
    with pytest.raises(InputError):
        chsh([(("Z", "W"), (0, 0), 0)])
    with pytest.raises(FabricError):
        correlation("Q", "Z", (1.0, 1.0, 1.0), 0)
