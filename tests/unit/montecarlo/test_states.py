"""The kernel's representations one operation at a time, held to matrices and to each other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from quantum_fabric.links.model import HeraldOutcome
from quantum_fabric.montecarlo.compiling import operations_row
from quantum_fabric.montecarlo.representations import mean_values
from quantum_fabric.native import look
from quantum_fabric.physics import instruments
from quantum_fabric.physics.frames import AXES, purify_frame
from quantum_fabric.physics.instruments import Array, reversed_ends
from quantum_fabric.physics.noise import OperationNoise

native: Any = look()[0]
pytestmark = pytest.mark.skipif(native is None, reason="the native kernel is not installed")

WORDS = list(AXES)
KEEPS_Z = {0, 2}  # nothing is turned, or X and Y are exchanged
CLOSED = [rotation for rotation in range(36) if KEEPS_Z & {rotation // 6, rotation % 6}]
CASES = range(200)


def density_matrix(draw: np.random.Generator, x_shaped: bool = False) -> Array:
    """A random pair of full rank."""
    square = draw.normal(size=(4, 4)) + 1j * draw.normal(size=(4, 4))
    rho = square @ square.conj().T
    if x_shaped:
        parity = np.diag([1.0, -1.0, -1.0, 1.0])
        rho = rho + parity @ rho @ parity
    return (rho / np.trace(rho)).reshape(2, 2, 2, 2)


def values(rho: Array) -> list[float]:
    """Mean values of Pauli operators, by the function that compiles heralds."""
    entries = tuple(complex(entry) for entry in rho.reshape(16))
    return [float(each) for each in mean_values(HeraldOutcome(0, 1.0, (1.0, 0.0, 0.0, 0.0), entries))]


def exact(rho: Array) -> Any:
    return native.ExactState(values(rho))


def narrow(state: Any) -> list[float]:
    """The numbers of an X-state out of those of an exact one."""
    return [state.numbers[place] for place in (12, 3, 15, 5, 6, 9, 10)]


def within_x(state: Any) -> bool:
    return all(abs(state.numbers[place]) < 1e-12 for place in (1, 2, 4, 7, 8, 11, 13, 14))


def noise(draw: np.random.Generator) -> OperationNoise:
    one, two, zero, first = draw.uniform(0.0, 0.3, 4)
    return OperationNoise(float(one), float(two), float(zero), float(first))


def row(operations: OperationNoise) -> list[float]:
    return list(operations_row(operations))


def cases(x_shaped: bool = False) -> Iterator[tuple[int, np.random.Generator, Array, Array]]:
    for number in CASES:
        draw = np.random.default_rng(number)
        yield number, draw, density_matrix(draw, x_shaped), density_matrix(draw, x_shaped)


def test_waiting_and_loss() -> None:
    for _, draw, rho, _ in cases():
        for end in (0, 1):
            population = draw.uniform()
            coherence = math.sqrt(population) * draw.uniform()
            state = exact(rho)
            state.fade(end, coherence, population)
            assert state.numbers == pytest.approx(
                values(instruments.faded(rho, end, coherence, population)), abs=1e-13
            )
            state = exact(rho)
            state.lose(end)
            assert state.numbers == pytest.approx(values(instruments.without(rho, end)), abs=1e-13)
        told = int(draw.integers(4))
        assert exact(rho).weights(0, told) == pytest.approx(instruments.weights_of(rho, told), abs=1e-13)
        state.forget()
        assert state.numbers == [1.0] + 15 * [0.0]


def test_waiting_is_a_semigroup() -> None:
    """However a wait is cut, both ends in any order: the same state to 1e-12."""
    for number, draw, rho, _ in cases():
        rates = (draw.uniform(0.5, 2.0), draw.uniform(0.0, 1.0))
        whole, parts = exact(rho), exact(rho)
        for end in (0, 1):
            whole.fade(end, math.exp(-rates[0]), math.exp(-rates[1]))
        cuts = [np.diff(np.sort(draw.uniform(size=number % 50)), prepend=0.0, append=1.0) for _ in (0, 1)]
        steps = [(end, float(step)) for end in (0, 1) for step in cuts[end]]
        for place in draw.permutation(len(steps)):
            end, step = steps[place]
            parts.fade(end, math.exp(-rates[0] * step), math.exp(-rates[1] * step))
        assert np.allclose(whole.numbers, parts.numbers, rtol=0.0, atol=1e-12)


def test_a_bell_measurement() -> None:
    for number, draw, left, right in cases():
        node, one, two = noise(draw), int(draw.integers(2)), int(draw.integers(2))
        label, whole, _ = native.ExactState.swapped(
            exact(left), one, exact(right), two, row(node), f"s{number}"
        )
        far_near = left if one == 1 else reversed_ends(left)
        near_far = right if two == 0 else reversed_ends(right)
        effects = instruments.bell_effects(node)
        edges = np.cumsum(instruments.swap_chances(far_near, near_far, effects))[:3]
        assert label == int((native.stream(f"s{number}", 1)[0] >= edges).sum())
        assert whole.numbers == pytest.approx(
            values(instruments.swapped(far_near, near_far, effects[label])), abs=1e-12
        )


def test_half_a_purification() -> None:
    for number, draw, keep, spent in cases():
        node, end, other = noise(draw), int(draw.integers(2)), int(draw.integers(2))
        rotation, draws = int(draw.integers(36)), f"h{number}"
        axes = (WORDS[rotation // 6], WORDS[rotation % 6])
        purifier = instruments.half_purifiers(node, axes, False)[1]
        qubits = (instruments.marginal(keep, end), instruments.marginal(spent, other))
        chance = instruments.bit_chance(*qubits, purifier)
        bit, _ = native.ExactState.half_purified(
            exact(keep), end, exact(spent), other, row(node), False, rotation, draws
        )
        assert bit == (native.stream(draws, 1)[0] < chance)


@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
def test_a_purification(kind: str) -> None:
    succeeded = 0
    for number, draw, keep, spent in cases():
        first, second = noise(draw), noise(draw)
        end, other = int(draw.integers(2)), int(draw.integers(2))  # of the second gate
        rotation, bit, draws = number % 36, int(draw.integers(2)), f"p{number}"
        frames = [int(label) for label in draw.integers(4, size=2)]
        bbpssw = kind == "bbpssw"
        mine, found, drawn = native.ExactState.purified(
            exact(keep),
            end,
            exact(spent),
            other,
            row(first),
            row(second),
            bbpssw,
            rotation,
            *frames,
            bit,
            draws,
        )
        axes = (WORDS[rotation // 6], WORDS[rotation % 6])
        here = instruments.half_purifiers(first, axes, False)[bit]
        there = instruments.half_purifiers(second, axes, True)
        kept = keep if end == 1 else reversed_ends(keep)
        gone = spent if other == 1 else reversed_ends(spent)
        branches = [instruments.purified(kept, gone, here, there[each]) for each in (0, 1)]
        frame, flip = purify_frame(kind, *frames, axes)
        good = bit ^ flip
        success = native.stream(draws, 1)[0] < branches[good][0] / (branches[0][0] + branches[1][0])
        assert mine == (good if success else 1 - good)
        state = branches[mine][1]
        if success and bbpssw:
            state = instruments.twirled(
                state, frame, (1 - first.depolarising_1) * (1 - second.depolarising_1)
            )
        assert found.numbers == pytest.approx(values(state if end == 1 else reversed_ends(state)), abs=1e-12)
        succeeded += success
        assert drawn == 1
    assert 0.2 * len(CASES) < succeeded < 0.8 * len(CASES)


def test_x_states_are_closed() -> None:
    """Everything that a node does to exact states of this shape leaves them in it, and X-states follow number by number."""
    for number, draw, one, two in cases(x_shaped=True):
        pair = [exact(one), exact(two)]
        slim = [native.XState(narrow(state)) for state in pair]
        for states in (pair, slim):
            states[0].fade(number % 2, 0.8, 0.7)
            states[1].fade(1, 0.5, 0.3)
        assert within_x(pair[0])
        first, second = row(noise(draw)), row(noise(draw))
        ends = [int(end) for end in draw.integers(2, size=2)]
        frames = [int(label) for label in draw.integers(4, size=2)]
        rotation, bit, draws = CLOSED[number % len(CLOSED)], int(draw.integers(2)), f"x{number}"
        for bbpssw in (False, True):
            arguments = (first, second, bbpssw, rotation, *frames, bit, draws)
            ours = native.XState.purified(slim[0], ends[0], slim[1], ends[1], *arguments)
            whole = native.ExactState.purified(pair[0], ends[0], pair[1], ends[1], *arguments)
            assert ours[0] == whole[0]
            assert within_x(whole[1])
            assert ours[1].numbers == pytest.approx(narrow(whole[1]), abs=1e-12)
        bits = [
            kind.half_purified(states[0], ends[0], states[1], ends[1], first, False, rotation, draws)
            for kind, states in ((native.XState, slim), (native.ExactState, pair))
        ]
        assert bits[0] == bits[1]
        label, slender, _ = native.XState.swapped(slim[0], ends[0], slim[1], ends[1], first, draws)
        same, whole, _ = native.ExactState.swapped(pair[0], ends[0], pair[1], ends[1], first, draws)
        assert label == same
        assert within_x(whole)
        assert slender.numbers == pytest.approx(narrow(whole), abs=1e-12)
        told = int(draw.integers(4))
        assert slender.weights(0, told) == pytest.approx(whole.weights(0, told), abs=1e-12)
        for state in (slender, whole):
            state.lose(number % 2)
        assert slender.numbers == pytest.approx(narrow(whole), abs=1e-12)
        slender.forget()
        assert slender.numbers == 7 * [0.0]


def test_turned_purifications_leave_x_states() -> None:
    """Exactly those that `closed` denies: on pairs of that shape each of the 16 others makes mean
    values that an X-state has not."""
    pair = exact(density_matrix(np.random.default_rng(1), x_shaped=True))
    clean = row(OperationNoise(0.0, 0.01, 0.0, 0.02))
    for rotation in range(36):
        _, found, _ = native.ExactState.purified(
            pair, 0, pair, 0, clean, clean, False, rotation, 0, 0, 0, "t"
        )
        assert native.XState.closed(rotation) == (rotation in CLOSED) == within_x(found), rotation
        assert native.ExactState.closed(rotation)
    slim = native.XState(narrow(pair))
    with pytest.raises(ValueError, match="leaves the representation"):
        native.XState.purified(slim, 0, slim, 0, clean, clean, False, 7, 0, 0, 0, "t")


@pytest.mark.parametrize("kind", ["ExactState", "XState"])
@pytest.mark.parametrize(("short", "draws"), [(0.0, 0), (1e-14, 0), (1e-9, 1)])
def test_a_certain_purification_draws_nothing(kind: str, short: float, draws: int) -> None:
    """Rounding must not decide whether a draw is made: what falls short of certainty by rounding is certain, also of failure."""
    state = exact(instruments.bell_mixture((1.0 - short, 0.0, short, 0.0), 0))
    pair = state if kind == "ExactState" else native.XState(narrow(state))
    ideal = row(OperationNoise())
    for number in range(20):
        frame = 2 * (
            number % 2
        )  # of the spent pair, as it is or as it is not: the round is certain to succeed, or to fail
        bit, after, drawn = type(pair).purified(
            pair, 1, pair, 1, ideal, ideal, False, 0, 0, frame, 0, f"d{number}"
        )
        assert (bit, drawn) == (0, draws)
        assert after.weights(0, 0)[0] == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: native.ExactState([1.0] * 7), "16 numbers"),
        (lambda: native.XState([0.0] * 16), "7 numbers"),
        (lambda: native.XState([0.0] * 7).fade(2, 1.0, 1.0), "an end"),
        (lambda: native.XState([0.0] * 7).weights(0, 4), "Bell label"),
        (lambda: native.XState.closed(36), "from 0 to 35"),
    ],
)
def test_nonsense_is_refused(call: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()
