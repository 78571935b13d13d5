"""Trees with grids and news, by hand; refusals. The laws themselves are in `oracles/test_exact_forecast.py`."""

from __future__ import annotations

import numpy as np
import pytest

from quantum_fabric.errors import InputError
from quantum_fabric.network.exact import steps
from quantum_fabric.network.exact.nodes import Link, Swap
from quantum_fabric.network.exact.tree import Solver, UnsuitableError, restarts

ONE = (1.0, 1.0, 1.0)
STILL = (0.0, 0.0, 0.0)


def test_a_link_on_its_grid() -> None:
    law = Solver().law(Link(0.5, 4, 3, (0.9, 0.8, 0.7)), (2,))
    values = law.upto(20)
    assert values[0].nonzero()[0].tolist() == [5, 9, 13, 17]
    assert values[:, 9] == pytest.approx([0.25, 0.225, 0.2, 0.175])


def test_a_link_between_the_ticks_keeps_its_mean() -> None:
    for period, ready, start in ((0.3, 0.7, 0), (2.6, 1.9, 3), (1.0, 0.25, 1)):
        link = Link(0.2, period, ready, ONE)
        assert Solver().law(link, (start,)).mean() == pytest.approx(start + ready + 4 * period, rel=1e-6)


def test_what_fails_waits_for_its_grid() -> None:
    """Sure links every 10 ticks, ready after 10; a swap that fails half the time; word needs 3 ticks to one end."""
    link = Link(1.0, 10, 10, ONE)
    node = Swap(link, link, 0.5, ONE, STILL, STILL, takes=5, lags=(3, 0))
    values = Solver().law(node).upto(60)[0]
    # ready at 10; what failed starts at 20 and 10, the later one is ready at 30
    assert {int(tick): float(values[tick]) for tick in np.flatnonzero(values > 1e-9)} == pytest.approx(
        {15: 0.5, 35: 0.25, 55: 0.125}
    )


def test_the_pair_that_is_early_ages() -> None:
    soon, late = Link(1.0, 1, 2, (0.9, 0.9, 0.9)), Link(1.0, 1, 7, ONE)
    node = Swap(soon, late, 1.0, (0.5, 0.5, 0.5), (0.1, 0.2, 0.0), (9.0, 9.0, 9.0))
    values = Solver().law(node).upto(8)[:, 7]
    assert values == pytest.approx([1.0, 0.45 * 0.60653066, 0.45 * 0.36787944, 0.45])


def test_a_link_that_goes_on_is_not_drawn_back() -> None:
    """It had not heard of any attempt yet: the case that makes ways to start differ tick by tick."""
    link = Link(0.5, 1, 3, ONE)
    node = Swap(link, link, 1.0, ONE, STILL, STILL, windows=(0, 0), dropped=((0, None), (None, 0)))
    chances = np.zeros(12)
    chances[1], chances[6] = 0.2, 0.3
    found = restarts(node, (0, -2), [(chances, (None, 0))])
    # failed at 1: its attempts from 0 on are heard from 3 on; at 6: those from 4 on, heard from 7 on, are still open
    assert {way: float(part.sum()) for way, part in found.items()} == {(-1, 0): 0.2, (-2, 0): 0.3}


def test_equal_parts_are_solved_once() -> None:
    solver = Solver()
    node = steps.nested([steps.link(0.3)] * 8, 0.5)
    first = solver.law(node)
    assert solver.law(node) is first
    assert len(solver._known) == 3


def test_laws_that_are_too_long_are_refused() -> None:
    with pytest.raises(UnsuitableError, match="a law of"):
        Solver(most=1_000).law(steps.nested([steps.link(0.001)] * 4, 0.5))
    assert issubclass(UnsuitableError, InputError)


@pytest.mark.parametrize("bad", [(0.0, 1, 1), (1.1, 1, 1), (0.5, 0, 1), (0.5, 1, 0)])
def test_links_that_there_are_not(bad: tuple[float, float, float]) -> None:
    with pytest.raises(InputError):
        Link(*bad, ONE)
