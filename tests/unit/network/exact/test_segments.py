"""Swaps as soon as possible that may fail: states with marks against a sampled chain; conventions against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.network.exact import segments, steps
from quantum_fabric.network.exact.tree import Solver

RATE = (0.03, 0.02, 0.01)
BELL = (0.9, 0.95, 0.85)


def test_two_links_are_a_tree() -> None:
    found = segments.law(segments.row([0.4, 0.25], 0.6, RATE, BELL))
    tree = steps.swap(steps.link(0.4, BELL), steps.link(0.25, BELL), 0.6, (RATE,) * 3)
    exact = Solver().law(tree)
    assert np.abs(found.upto(60) - exact.upto(60)).max() < 1e-13


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("ahead", [True, False])
def test_states_against_a_sampled_chain(together: bool, ahead: bool) -> None:
    """Slot by slot, with every segment's own correlators; 5 standard errors, fixed seed."""
    chances, swap = (0.5, 0.3, 0.6, 0.4), 0.6
    found = segments.law(segments.row(chances, swap, RATE, BELL, together, ahead))
    random = np.random.default_rng(31)
    runs = [played(chances, swap, random, together, ahead) for _ in range(2_500)]
    times = np.array([time for time, _ in runs])
    states = np.array([state for _, state in runs])
    assert abs(times.mean() - found.mean()) < 5.0 * times.std() / math.sqrt(len(runs))
    for axis in range(3):
        column = states[:, axis]
        mean = float(found.total(1 + axis).real)
        assert abs(column.mean() - mean) < 5.0 * column.std() / math.sqrt(len(runs))


def played(
    chances: tuple[float, ...], swap: float, random: np.random.Generator, together: bool, ahead: bool
) -> tuple[int, np.ndarray]:
    links = len(chances)
    there: dict[tuple[int, int], np.ndarray] = {}
    for time in range(1, 10_000):
        for state in there.values():
            state *= np.exp(-2.0 * np.array(RATE))
        for link, chance in enumerate(chances):
            taken = any(low == link or high == link + 1 for low, high in there)
            if not ahead:
                taken = any(low <= link < high for low, high in there)
            if not taken and random.random() < chance:
                there[link, link + 1] = np.array(BELL)
        while True:
            pairs = [(one, two) for one in sorted(there) for two in sorted(there) if one[1] == two[0]]
            if not pairs:
                break
            run = [*min(pairs, key=lambda pair: pair[1])]
            while together and (more := [each for each in there if each[0] == run[-1][1]]):
                run += more
            made = np.prod([there.pop(each) for each in run], axis=0)
            if random.random() < swap ** (len(run) - 1):
                there[run[0][0], run[-1][1]] = made
        if (0, links) in there:
            return time, there[0, links]
    raise AssertionError("never delivered")


def test_running_ahead_helps_after_a_failure() -> None:
    waiting, ahead = (
        segments.law(segments.row([0.2] * 4, 0.5, together=True, ahead=each)).mean() for each in (False, True)
    )
    assert ahead < waiting


def test_chains_that_are_too_long() -> None:
    with pytest.raises(QuantityError, match="links"):
        segments.row([0.5] * 9, 0.5)
    with pytest.raises(QuantityError, match="probability"):
        segments.row([0.5] * 3, 0.0)
