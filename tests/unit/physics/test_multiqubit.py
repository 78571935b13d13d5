"""What may be asked of states of many qubits."""

from __future__ import annotations

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics import multipartite, multiqubit
from quantum_fabric.physics.noise import NOISELESS

BELL = multiqubit.pure(multiqubit.ghz_vector(2))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: multiqubit.qubits_of(np.eye(3)),
        lambda: multiqubit.qubits_of(np.zeros((2, 4))),
        lambda: multiqubit.ghz_vector(11),
        lambda: multiqubit.graph_vector(3, [(0, 3)]),
        lambda: multiqubit.graph_vector(3, [(1, 1)]),
        lambda: multiqubit.apply(BELL, "CX", (0,)),
        lambda: multiqubit.apply(BELL, "X", (2,)),
        lambda: multiqubit.depolarised(BELL, (0,), 1.2),
        lambda: multiqubit.pauli_channel(BELL, 0, (0.5, 0.5, 0.5, -0.5)),
        lambda: multiqubit.measured(np.eye(2) / 2, 0, NOISELESS),
        lambda: multiqubit.measured(BELL, 0, NOISELESS, "W"),
        lambda: multiqubit.fidelity(BELL, multiqubit.ghz_vector(3)),
        lambda: multiqubit.joined(np.eye(2**6) / 64, np.eye(2**5) / 32),
        lambda: multipartite.expectation(BELL, "XXX"),
        lambda: multipartite.ghz_from_pairs([], []),
        lambda: multipartite.graph_from_pairs(3, [(0, 1)], [BELL], [NOISELESS] * 3),
        lambda: multipartite.ghz_decay(3, multipartite.NO_DECAY, -1.0),
    ],
)
def test_what_makes_no_sense_is_refused(wrong) -> None:
    with pytest.raises(QuantityError):
        wrong()


def test_ten_qubits_are_within_reach() -> None:
    """Nine pairs in a line would need eleven qubits on the way; eight give nine nodes."""
    rho = multipartite.ghz_from_pairs([BELL] * 8, [NOISELESS] * 7)
    assert rho.shape == (512, 512)
    assert multiqubit.fidelity(rho, multiqubit.ghz_vector(9)) == pytest.approx(1.0, abs=1e-12)


def test_depolarising_all_qubits_leaves_the_mixed_state() -> None:
    assert np.allclose(multiqubit.depolarised(BELL, (0, 1), 1.0), np.eye(4) / 4)
