"""How a scenario keeps the states of pairs, and which way is exact for it.

Three representations draw the same random numbers for the same purposes and differ in what they can hold:

=================  =======  =====================================================================================
``bell-diagonal``  3 reals  mixtures of the four Bell states
``x``              7 reals  density matrices with entries on the diagonal and the anti-diagonal alone
``exact``          16 reals any state of two qubits
=================  =======  =====================================================================================

A state is kept as mean values of Pauli operators. Those of an X-state are the ones that commute with Z ⊗ Z, so it stays one under
all that a node does, with one exception: relaxation, which gives single halves a mean value of Z, together with a purification
that turns both pairs off the Z axis, as DEJMPS does: after the measurement there are mean values of X.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.links.model import HeraldOutcome
from quantum_fabric.montecarlo.scenario import PLANT, PREPARED, RULES, Tables
from quantum_fabric.physics.correlators import from_weights
from quantum_fabric.physics.frames import AXES, ROTATIONS, expected_parity
from quantum_fabric.physics.instruments import PAULIS

AUTO: Final = "auto"
"""The cheapest representation that is exact for the scenario."""

TOLERANCE: Final = 1e-12
"""Mean values below this are taken for rounding."""

_PAULI: Final = (PAULIS[0], PAULIS[2], 1j * PAULIS[3], PAULIS[1])
_PAIRS: Final = np.array([np.kron(p, q) for p in _PAULI for q in _PAULI])
_WITHIN_X: Final = tuple(PREPARED["exact"].index(name) for name in PREPARED["x"])
_KEEPS_Z: Final = tuple(number for number, axes in enumerate(AXES.values()) if axes[2] == 2)
_OWN: Final = {False: ROTATIONS["dejmps"], True: ROTATIONS["bbpssw"]}


def prepared(outcome: HeraldOutcome, states: str) -> tuple[float, ...]:
    """What a herald announces, as one representation keeps it: the columns `PREPARED`.

    Args:
        outcome: the herald.
        states: ``"bell-diagonal"``, ``"x"`` or ``"exact"``.

    Raises:
        InputError: a state that is no density matrix, or one that has more to it than an X-state holds.

    Examples:
        >>> prepared(HeraldOutcome(3, 0.1, (1.0, 0.0, 0.0, 0.0)), "x")
        (0.0, 0.0, -1.0, -1.0, 0.0, 0.0, -1.0)
    """
    if states == "bell-diagonal":
        return from_weights(outcome.weights)
    values = mean_values(outcome)
    if states == "exact":
        return tuple(values.tolist())
    if not _is_x(values):
        raise InputError(found="a herald that leaves another state", expected="an X-state", where="states")
    return tuple(values[list(_WITHIN_X)].tolist())


def mean_values(outcome: HeraldOutcome) -> NDArray[np.float64]:
    """``Tr ρ P⊗Q`` of the state that a herald leaves, for P, Q = I, X, Y, Z with the second one running faster: shape (16,).

    Raises:
        InputError: a state that is not Hermitian, or whose trace is not 1.

    Examples:
        >>> mean_values(HeraldOutcome(0, 0.1, (1.0, 0.0, 0.0, 0.0))).round(9)[[0, 5, 10, 15]].tolist()
        [1.0, 1.0, -1.0, 1.0]
    """
    if outcome.state is None:
        mixture = np.zeros(16)
        signs = [1 - 2 * expected_parity(basis, int(outcome.bell)) for basis in "XYZ"]
        mixture[[0, 5, 10, 15]] = (1.0, *np.multiply(signs, from_weights(outcome.weights)))
        return mixture
    rho = np.array(outcome.state, dtype=np.complex128).reshape(4, 4)
    if not np.allclose(rho, rho.conj().T, rtol=0.0, atol=1e-9) or abs(rho.trace() - 1.0) > 1e-9:
        raise InputError(
            found=f"a herald's state of trace {rho.trace():.6g}",
            expected="a Hermitian matrix of trace 1",
            where="HeraldOutcome.state",
        )
    values = np.einsum("kij,ji->k", _PAIRS, rho).real
    values = values / values[0]
    return np.asarray(np.where(np.abs(values) > TOLERANCE, values, 0.0), dtype=np.float64)


def x_states_suffice(installations: Sequence[Tables], heralds: Sequence[HeraldOutcome]) -> bool:
    """Whether X-states are exact for a scenario.

    Equation: let all states commute with Z ⊗ Z. Waiting, lost halves, depolarising gates and Bell measurements with any readout
    keep that. A round of purification does unless its rotations carry ±Z elsewhere for both pairs: Z ⊗ Z of the kept pair commutes
    with CNOTs that it controls; Z ⊗ Z of the sacrificed one becomes that of both, of which the readout fixes the second factor.

    Args:
        installations: the tables of the rules.
        heralds: what the links can announce.

    Examples:
        >>> x_states_suffice([], [HeraldOutcome(0, 1.0, (0.9, 0.1, 0.0, 0.0))])
        True
    """
    return not _against_x(installations, heralds)


def bell_diagonal_suffices(
    plant: Tables, installations: Sequence[Tables], heralds: Sequence[HeraldOutcome]
) -> bool:
    """Whether mixtures of Bell states are exact for a scenario: no relaxation where pairs wait, and heralds that leave such mixtures.

    Nor may readout be lopsided at both ends of a purification, where a first announced bit tells something of the second.

    Args:
        plant: its tables; the one of the heralds may be missing.
        installations: the tables of the rules.
        heralds: what the links can announce.

    Examples:
        >>> bell_diagonal_suffices({}, [], [HeraldOutcome(0, 1.0, (1.0, 0.0, 0.0, 0.0), (1, *[0] * 15))])
        False
    """
    for herald in heralds:
        if herald.state is not None:
            plain = HeraldOutcome(herald.bell, herald.probability, herald.weights)
            if np.abs(mean_values(herald) - mean_values(plain)).max() > TOLERANCE:
                return False
    for rules in installations:
        if any(_noise(plant, node, "rate_z") > 0.0 for node in _column(rules, "circuits", "node")):
            return False
        for place, partner, rounds in zip(
            *(_column(rules, "purify", name) for name in ("circuit", "partner", "rounds")), strict=True
        ):
            nodes = _column(rules, "circuits", "node")
            if rounds and all(_lopsided(plant, nodes[each]) for each in (place, partner)):
                return False
    return True


def chosen(
    states: str, plant: Tables, installations: Sequence[Tables], heralds: Sequence[HeraldOutcome]
) -> str:
    """The representation that a scenario is to use: what was asked for, or with ``"auto"`` the cheapest that is exact.

    Args:
        states: one of `PREPARED`, or ``"auto"``.
        plant: its tables; the one of the heralds may be missing.
        installations: the tables of the rules.
        heralds: what the links can announce.

    Raises:
        UnknownNameError: another name.
        InputError: X-states were asked for, and cannot hold what comes up.

    Examples:
        >>> chosen("auto", {}, [], [HeraldOutcome(0, 1.0, (1.0, 0.0, 0.0, 0.0), (1, *[0] * 15))])
        'x'
    """
    if states != AUTO and states not in PREPARED:
        raise UnknownNameError(
            found=repr(states), expected=f"one of {', '.join(PREPARED)} or {AUTO}", where="states"
        )
    if states == AUTO:
        if bell_diagonal_suffices(plant, installations, heralds):
            return "bell-diagonal"
        return "x" if x_states_suffice(installations, heralds) else "exact"
    if states == "x":
        against = _against_x(installations, heralds)
        if against:
            raise InputError(
                found=f"states x, but {against}", expected="states exact or auto", where="states"
            )
    return states


def _against_x(installations: Sequence[Tables], heralds: Sequence[HeraldOutcome]) -> str:
    """Why X-states are not enough; empty where they are."""
    if not all(herald.state is None or _is_x(mean_values(herald)) for herald in heralds):
        return "a herald leaves a state that has other entries"
    for rules in installations:
        for keep, sacrifice in _rotations(rules):
            if keep not in _KEEPS_Z and sacrifice not in _KEEPS_Z:
                names = list(AXES)
                return f"pairs are turned ({names[keep]}, {names[sacrifice]}) before they are purified"
    return ""


def _is_x(values: NDArray[np.float64]) -> bool:
    other = np.delete(values, [0, *_WITHIN_X])
    return bool(np.abs(other).max() <= TOLERANCE)


def _rotations(rules: Tables) -> Iterator[tuple[int, int]]:
    """Numbers of the axes to which (the kept, the sacrificed) pair is turned in each round that the rules may make."""
    axes = {words: number for number, words in enumerate(AXES)}
    listed = _column(rules, "rotations", "rotation")
    columns = ("rounds", "bbpssw", "rotations", "first_rotation")
    for rounds, bbpssw, count, first in zip(
        *(_column(rules, "purify", name) for name in columns), strict=True
    ):
        for turn in listed[first : first + count]:
            yield divmod(turn, 6)
        if rounds > count:
            keep, sacrifice = _OWN[bool(bbpssw)]
            yield axes[keep], axes[sacrifice]


def _column(rules: Tables, table: str, column: str) -> list[int]:
    rows: Any = rules[table]
    return [int(value) for value in rows[:, RULES[table].index(column)]]


_NODE_NOISE: Final[Mapping[str, int]] = {name: number for number, name in enumerate(PLANT["node_noise"])}


def _noise(plant: Tables, node: int, column: str) -> float:
    rows: Any = plant["node_noise"]
    return float(rows[node, _NODE_NOISE[column]])


def _lopsided(plant: Tables, node: int) -> bool:
    return _noise(plant, node, "readout_error_0") != _noise(plant, node, "readout_error_1")
