"""GHZ states over held pairs: what the twin says of them, worked out a second time with full matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
import pytest

from builders import Tape, inventory, link, node, nothing_left
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.errors import InputError, ProtocolError, StateError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Bell, Code, Consume, Fuse, Heralded, Refused, SharedTruth
from quantum_fabric.services.multipartite import Shared, least_fidelity, share_ghz
from quantum_fabric.units import MS, US

T2, FRESH, ERRORS, GATE = 0.002, 0.95, (0.01, 0.03), 0.02
DELAYS = {"A": 50 * US, "B": 20 * US, "D": 400 * US, "E": 100 * US}


def star(parties: str = "AB", slots: int = 16, **centre: Any) -> Inventory:
    noise = {"readout_error_0": ERRORS[0], "readout_error_1": ERRORS[1], "depolarising_2": GATE}
    middle = node(slots, **{"swap_time": 5 * US, **noise, **centre})
    nodes = {"C": middle, **{name: node(2, t2=T2) for name in parties}}
    links = [("C", name, link(0.3, 10 * US, FRESH)) for name in parties]
    return inventory(nodes, links, lambda a, b: max(DELAYS.get(a, 0), DELAYS.get(b, 0)))


# ------------------------------------------------------------------------------ the same with full matrices

I2, X, Z = np.eye(2), np.array([[0, 1], [1, 0]]), np.diag([1, -1])
PAULIS = [I2, X, 1j * X @ Z, Z]


def on(n: int, acts: dict[int, Any]) -> Any:
    return reduce(np.kron, [acts.get(qubit, I2) for qubit in range(n)])


def cx(n: int, control: int, target: int) -> Any:
    zero, one = np.diag([1, 0]), np.diag([0, 1])
    return on(n, {control: zero}) + on(n, {control: one, target: X})


def expected(waits: Sequence[float], bits: Sequence[int]) -> tuple[float, list[float]]:
    """Fidelity and stabilisers of the state: all pairs at once, every gate on all qubits, corrections last.

    Qubits: the centre's half and the far half of each pair in turn. A far half has waited so many seconds.
    """
    k = len(waits)
    n = 2 * k
    c = (4 * FRESH - 1) / 3
    phi = np.array([1, 0, 0, 1]) / math.sqrt(2)
    rho = np.eye(1)
    for wait in waits:
        werner = c * np.outer(phi, phi) + (1 - c) * np.eye(4) / 4
        flip = (1 - math.exp(-wait / T2)) / 2
        phase = np.kron(I2, Z)
        rho = np.kron(rho, (1 - flip) * werner + flip * phase @ werner @ phase)
    for number in range(1, k):
        gate, drop = cx(n, 0, 2 * number), 2 * number
        rho = gate @ rho @ gate.T
        mixed = sum(
            on(n, {0: a, drop: b}) @ rho @ on(n, {0: a, drop: b}).conj().T for a, b in product(PAULIS, PAULIS)
        )
        rho = (1 - GATE) * rho + GATE * mixed / 16
        right = [1 - ERRORS[0], ERRORS[1]] if bits[number - 1] == 0 else [ERRORS[0], 1 - ERRORS[1]]
        seen = on(n, {drop: np.diag(np.sqrt(right))})
        rho = seen @ rho @ seen
        # what was read is spent: forget its coherence
        rho = sum(on(n, {drop: np.diag(v)}) @ rho @ on(n, {drop: np.diag(v)}) for v in ([1, 0], [0, 1]))
    rho = rho / rho.trace()
    for number in range(1, k):
        if bits[number - 1]:
            act = on(n, {2 * number + 1: X})
            rho = act @ rho @ act
    kept = [0, *range(1, n, 2)]
    words = ["X" * (k + 1), *("Z" + "I" * i + "Z" + "I" * (k - 1 - i) for i in range(k))]
    letters = {"X": X, "Z": Z, "I": I2}

    def mean(word: str) -> float:
        acts = {qubit: letters[letter] for qubit, letter in zip(kept, word, strict=True)}
        return float(np.trace(on(n, acts) @ rho).real)

    # fidelity to a GHZ state: the mean of its 2^(k+1) stabilisers
    group = list(product((0, 1), repeat=k + 1))
    total = 0.0
    for powers in group:
        operator = np.eye(2**n)
        for word, power in zip(words, powers, strict=True):
            if power:
                acts = {qubit: letters[letter] for qubit, letter in zip(kept, word, strict=True)}
                operator = operator @ on(n, acts)
        total += float(np.trace(operator @ rho).real)
    return total / len(group), [mean(word) for word in words]


@pytest.mark.parametrize("states", ["bell-diagonal", "exact"])
@pytest.mark.parametrize("parties", ["AB", "BAD"])
@pytest.mark.parametrize("seed", range(3))
def test_the_state_is_that_of_an_independent_calculation(states: str, parties: str, seed: int) -> None:
    fabric = Fabric(star(parties), seed=seed, states=states)
    truths, heralds = Tape(fabric, SharedTruth), Tape(fabric, Heralded)
    shared = share_ghz(fabric, "C", list(parties), 0.6)
    assert isinstance(shared, Shared)
    ((at, _, truth),) = truths.entries
    assert isinstance(truth, SharedTruth)
    assert truth.nodes == shared.nodes == ("C", *parties)
    assert at == shared.ready_at == shared.fused_at + max(DELAYS[name] for name in parties)
    born = {
        (place, message.pair): message.born
        for _, place, message in heralds.entries
        if isinstance(message, Heralded)
    }
    waits = [
        (shared.fused_at + DELAYS[name] - born[name, pair.pair.right]) * 1e-12
        for name, pair in zip(parties, shared.pairs, strict=True)
    ]
    fidelity, stabilisers = expected(waits, shared.bits)
    assert truth.fidelity == pytest.approx(fidelity, abs=1e-9)
    assert truth.stabilisers == pytest.approx(stabilisers, abs=1e-9)
    assert 0.3 < truth.fidelity < 0.95  # neither noise nor ageing is lost on it
    fabric.finish()
    assert nothing_left(fabric)


def test_perfect_pairs_make_a_perfect_state_of_eight() -> None:
    parties = "ABDEFGH"
    nodes = {"C": node(16), **{name: node(2) for name in parties}}
    net = inventory(nodes, [("C", name, link(0.5, 10 * US, 1.0)) for name in parties])
    seen = set()
    for seed in range(3):
        fabric = Fabric(net, seed=seed)
        tape = Tape(fabric, SharedTruth)
        shared = share_ghz(fabric, "C", list(parties), 0.9)
        assert isinstance(shared, Shared)
        ((_, _, truth),) = tape.entries
        assert isinstance(truth, SharedTruth)
        assert truth.fidelity == pytest.approx(1.0)
        assert truth.stabilisers == pytest.approx([1.0] * 8)
        assert shared.least == pytest.approx(1.0)
        seen.add(shared.bits)
    assert len(seen) == 3  # the bits are not always the same


@pytest.mark.parametrize("wrong", [["A"], ["A", "A"], ["A", "C"], [*"ABDEFGHI"]])
def test_who_cannot_share_a_state(wrong: list[str]) -> None:
    with pytest.raises(InputError, match="different nodes"):
        share_ghz(Fabric(star()), "C", wrong, 0.8)


def test_a_refusal_is_handed_over_and_nothing_kept() -> None:
    fabric = Fabric(star())
    refused = share_ghz(fabric, "C", ["A", "B"], 0.999)
    assert isinstance(refused, Refused)
    assert refused.code is Code.UNSUPP
    fabric.run(fabric.now + MS)
    assert nothing_left(fabric)


def test_a_centre_without_room_for_all_pairs() -> None:
    fabric = Fabric(star(slots=2))
    refused = share_ghz(fabric, "C", ["A", "B"], 0.8)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.resource) == (Code.NORES, "memory of C")
    fabric.finish()
    assert nothing_left(fabric)


def test_gates_that_fail_leave_nothing() -> None:
    fabric = Fabric(star(swap_success=1e-9), seed=1)
    with pytest.raises(StateError, match="the gates at C failed"):
        share_ghz(fabric, "C", ["A", "B"], 0.8)
    fabric.run(fabric.now + 10 * MS)
    assert nothing_left(fabric)


def test_what_cannot_be_fused() -> None:
    fabric = Fabric(star())
    for command in (Fuse("C", 0, ()), Fuse("C", 0, (0,)), Fuse("C", 0, (1,)), Fuse("C", 0, (1,), ("a",))):
        with pytest.raises(ProtocolError, match=r"cannot fuse|is empty"):
            fabric.perform(command)
    with pytest.raises(ProtocolError):
        fabric.perform(Consume("C", 0, Bell.PHI_PLUS))


def test_the_least_fidelity() -> None:
    assert least_fidelity([1.0, 1.0]) == 1.0
    assert least_fidelity([0.5, 0.4, 0.9]) == 0.0
