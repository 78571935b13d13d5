"""Moments of the decay of chains that swap as soon as possible: against enumeration, the exact solver and two-link formulas."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.network.believed import fixed, line, node
from tests.unit.network.schemes import chain_on

from quantum_fabric.errors import QuantityError
from quantum_fabric.network import waiting
from quantum_fabric.network.decay import asap_decay
from quantum_fabric.network.exact import solve

CHANCES = st.fractions(Fraction(1, 10), 1, max_denominator=10)
FACTORS = st.fractions(0, 1, max_denominator=10)


@given(CHANCES, FACTORS)
def test_two_links_have_a_formula_of_their_own(p: Fraction, factor: Fraction) -> None:
    """Also where nudging is needed: misses and factors share denominators here."""
    assert float(asap_decay([p, p], [factor])) == pytest.approx(float(waiting.decay(p, factor)), rel=1e-15)


@given(
    st.lists(CHANCES, min_size=1, max_size=4), st.lists(FACTORS, min_size=4, max_size=4), st.integers(1, 2)
)
@settings(max_examples=25, deadline=None)
def test_against_enumeration(chances: list[Fraction], factors: list[Fraction], moment: int) -> None:
    row = [max(float(p), 0.4) for p in chances]
    each = [float(factor) for factor in factors[: len(row) - 1]]
    total = 0.0
    for times in itertools.product(range(1, 26), repeat=len(row)) if len(row) < 4 else ():
        chance = math.prod(p * (1 - p) ** (t - 1) for p, t in zip(row, times, strict=True))
        waits = [abs(a - b) for a, b in itertools.pairwise(times)]
        total += chance * math.prod(f ** (moment * w) for f, w in zip(each, waits, strict=True))
    if len(row) < 4:
        assert float(asap_decay(row, each, moment)) == pytest.approx(total, abs=2e-5)


@pytest.mark.parametrize("links", [3, 5, 8])
def test_against_the_exact_solver(links: int) -> None:
    """Memories at the repeaters only; a half is a step old when its link is heard, at both sides of each repeater."""
    t2 = 0.05
    topology = line(
        *[fixed(p) for p, _ in zip(itertools.cycle((0.3, 0.5, 0.4)), range(links), strict=False)],
        nodes=[node(chr(ord("B") + k), t2=t2) for k in range(links - 1)],
    )
    chain = chain_on(topology)
    found = solve(chain)
    assert found is not None
    assert found.exact
    factor = math.exp(-1e-3 / t2)
    mean = float(asap_decay([hop.success for hop in chain.hops], [factor] * (links - 1)))
    assert found.first.correlators[0] == pytest.approx(mean * factor ** (2 * (links - 1)), rel=1e-7)


def test_moments_fall_and_long_chains_are_quick() -> None:
    found = [float(asap_decay([0.1] * 25, [0.99] * 24, moment)) for moment in (1, 2, 3)]
    assert found == sorted(found, reverse=True)
    assert found[1] > found[0] ** 2


def test_what_makes_no_sense() -> None:
    half = [0.5]
    wrong = (
        (half * 2, [], 1),
        ([], [], 1),
        (half * 2, [1.5], 1),
        (half * 2, half, 0),
        (half * 65, half * 64, 1),
    )
    for chances, factors, moment in wrong:
        with pytest.raises(QuantityError):
            asap_decay(chances, factors, moment)
