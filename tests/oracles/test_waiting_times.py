"""Exact waiting times against the published tables, the Markov chains against each other, and the forecast against both.

The tables are those of the project's regression data: closed forms, and twelve nested values that were reproduced with the
public implementation of the Brand-Coopmans-Elkouss algorithm.
"""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from quantum_fabric.network import absorption, waiting

HALF, QUARTER, TENTH, HUNDREDTH = Fraction(1, 2), Fraction(1, 4), Fraction(1, 10), Fraction(1, 100)

PARALLEL = {
    HALF: {
        1: (2, 1.4142136), 2: (2.6666666667, 1.6329932), 3: (3.1428571429, 1.7103129), 4: (3.5047619048, 1.7469896),
        8: (4.4210777258, 1.8060930), 16: (5.3773779018, 1.8386988), 32: (6.3551758451, 1.8555271),
        64: (7.3439903348, 1.8640727),
    },
    QUARTER: {
        1: (4, 3.4641016), 2: (5.7142857143, 3.8966233), 3: (6.8725868726, 4.0659506), 4: (7.7417760618, 4.1575314),
        8: (9.9474329302, 4.3057127), 16: (12.2516151223, 4.3848576), 32: (14.6075707667, 4.4257541),
        64: (16.9900470275, 4.4465408),
    },
    TENTH: {
        1: (10, 9.4868330), 2: (14.7368421053, 10.6154124), 3: (17.9005632162, 11.0768692),
        4: (20.2733781918, 11.3281467), 8: (26.2957843684, 11.7336496), 16: (32.5872479801, 11.9501664),
        32: (39.0200771854, 12.0620407), 64: (45.5253197233, 12.1189021),
    },
    HUNDREDTH: {
        1: (100, 99.4987437), 2: (149.7487437186, 111.2438204), 3: (182.9151311928, 116.0827152),
        4: (207.7899218196, 118.7179513), 8: (270.9245094367, 122.9702766), 16: (336.8797033759, 125.2407523),
        32: (404.3168728483, 126.4138996), 64: (472.5131717840, 127.0101613),
    },
}  # fmt: skip

EXACT = {
    HALF: {2: "8/3", 3: "22/7", 4: "368/105", 5: "2470/651", 8: "13315424/3011805"},
    QUARTER: {2: "40/7", 3: "1780/259", 4: "50128/6475", 5: "8533148/1011395"},
    TENTH: {2: "280/19", 3: "92170/5149", 4: "18894160/931969"},
    HUNDREDTH: {2: "29800/199", 3: "1081119700/5910499", 4: "24318442219600/117033790699"},
}

NESTED = {
    (Fraction(1), HALF): [2, 2.666666667, 3.504761905, 4.421077726],
    (Fraction(1), QUARTER): [4, 5.714285714, 7.741776062, 9.947432930],
    (Fraction(1), TENTH): [10, 14.736842105, 20.273378192, 26.295784368],
    (Fraction(1), HUNDREDTH): [100, 149.748743719, 207.789921820, 270.924509437],
    (Fraction(3, 4), HALF): [2, 3.555555556, 6.479994975, 11.760871123],
    (Fraction(3, 4), QUARTER): [4, 7.619047619, 14.154984252, 25.844251110],
    (Fraction(3, 4), TENTH): [10, 19.649122807, 36.875997075, 67.558497496],
    (Fraction(3, 4), HUNDREDTH): [100, 199.664991625, 376.904413654, 691.887478155],
    (HALF, HALF): [2, 5.333333333, 15.093906810, 42.999865225],
    (HALF, QUARTER): [4, 11.428571429, 32.694332123, 93.312813678],
    (HALF, TENTH): [10, 29.473684211, 84.817580410, 242.348372423],
    (HALF, HUNDREDTH): [100, 299.497487437, 864.882094397, 2472.889735581],
}

NESTED_EXACT = {
    (Fraction(3, 4), HALF): "103168/15921",
    (Fraction(3, 4), QUARTER): "31464704/2222871",
    (Fraction(3, 4), TENTH): "31605489920/857074857",
    (HALF, HALF): "21056/1395",
    (HALF, QUARTER): "6185408/189189",
    (HALF, TENTH): "6108244160/72016251",
}

ASAP_3 = {
    (HALF, Fraction(1)): "22/7",
    (HALF, Fraction(3, 4)): "11080/2187",
    (HALF, HALF): "1204/117",
    (TENTH, Fraction(1)): "92170/5149",
    (TENTH, Fraction(3, 4)): "96521320/3381867",
    (TENTH, HALF): "10276100/180101",
}


@pytest.mark.parametrize(("p", "links"), [(p, n) for p, row in PARALLEL.items() for n in row])
def test_parallel_links(p: Fraction, links: int) -> None:
    mean, std = PARALLEL[p][links]
    assert float(waiting.parallel_mean(p, links)) == pytest.approx(mean, rel=1e-10)
    assert waiting.parallel_std(p, links) == pytest.approx(std, rel=1e-7)


@pytest.mark.parametrize(("p", "links"), [(p, n) for p, row in EXACT.items() for n in row])
def test_parallel_links_as_fractions(p: Fraction, links: int) -> None:
    assert waiting.parallel_mean(p, links) == Fraction(EXACT[p][links])


def test_a_float_is_taken_at_its_binary_value() -> None:
    assert float(waiting.parallel_mean(0.1, 64)) == pytest.approx(45.5253197233, rel=1e-10)


def test_heterogeneous_links() -> None:
    assert waiting.heterogeneous_mean([HALF, QUARTER]) == Fraction("22/5")
    assert waiting.heterogeneous_mean([HALF, Fraction(1, 3), Fraction(1, 5)]) == Fraction("2797/462")
    assert waiting.heterogeneous_mean([TENTH] * 4) == waiting.parallel_mean(TENTH, 4)


@pytest.mark.parametrize(("q", "p"), NESTED)
def test_nested_chains(q: Fraction, p: Fraction) -> None:
    found = [waiting.nested_mean(float(p), float(q), levels) for levels in range(4)]
    assert found == pytest.approx(NESTED[q, p], rel=1e-9)


@pytest.mark.parametrize(("q", "p"), NESTED_EXACT)
def test_four_nested_segments_as_fractions(q: Fraction, p: Fraction) -> None:
    exact = absorption.nested_four_mean(p, q)
    assert exact == Fraction(NESTED_EXACT[q, p])
    assert waiting.nested_mean(float(p), float(q), 2) == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize(("p", "q"), ASAP_3)
def test_three_segments_as_soon_as_possible(p: Fraction, q: Fraction) -> None:
    assert absorption.swap_asap_mean([p] * 3, q) == Fraction(ASAP_3[p, q])


def test_two_segments_three_ways() -> None:
    for p, q in ASAP_3:
        assert absorption.swap_asap_mean([p, p], q) == waiting.two_segments_mean(p, q)
        assert waiting.nested_mean(float(p), float(q), 1) == pytest.approx(
            float(waiting.two_segments_mean(p, q))
        )


def test_without_failures_the_order_of_swaps_does_not_matter() -> None:
    for p in (HALF, TENTH):
        assert (
            absorption.swap_asap_mean([p] * 4, 1)
            == absorption.nested_four_mean(p, 1)
            == waiting.parallel_mean(p, 4)
        )
    unequal = [HALF, QUARTER, Fraction(1, 3)]
    assert absorption.swap_asap_mean(unequal, 1) == waiting.heterogeneous_mean(unequal)


@pytest.mark.parametrize(
    ("p", "factor", "expected"),
    [
        (HALF, HALF, "5/9"),
        (HALF, Fraction(9, 10), "29/33"),
        (TENTH, HALF, "29/209"),
        (TENTH, Fraction(9, 10), "181/361"),
    ],
)
def test_decay_while_two_links_wait_for_each_other(p: Fraction, factor: Fraction, expected: str) -> None:
    assert waiting.decay(p, factor) == Fraction(expected)
    law = sum(waiting.difference_chance(p, k) * factor**k for k in range(200))
    assert float(law) == pytest.approx(float(Fraction(expected)), rel=1e-9)


@pytest.mark.parametrize(
    ("p", "tau", "expected"),
    [
        (0.5, 10, 0.884141912161),
        (0.1, 100, 0.913482994401),
        (0.1, 20, 0.678903513077),
        (0.01, 1000, 0.909506612191),
        (0.01, 100, 0.501267810387),
    ],
)
def test_decay_with_a_memory_time(p: float, tau: int, expected: float) -> None:
    assert float(waiting.decay(p, math.exp(-1 / tau))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("p", "tau", "cutoff", "mean", "kept"),
    [
        (TENTH, 20, 0, 100.0, 1.0),
        (TENTH, 20, 1, 42.142857143, 0.968647487),
        (TENTH, 20, 5, 20.751172475, 0.887216432),
        (TENTH, 20, 20, 15.353439992, 0.735620350),
        (TENTH, 20, None, 14.736842105, 0.678903513),
        (HUNDREDTH, 100, 10, 596.680041392, 0.950286439),
        (HUNDREDTH, 100, 50, 224.986114695, 0.801863858),
        (HUNDREDTH, 100, 200, 157.400613437, 0.567986029),
    ],
)
def test_two_segments_with_a_cutoff(
    p: Fraction, tau: int, cutoff: int | None, mean: float, kept: float
) -> None:
    assert float(waiting.cutoff_mean(p, cutoff)) == pytest.approx(mean, rel=1e-10)
    assert float(waiting.cutoff_decay(p, cutoff, math.exp(-1 / tau))) == pytest.approx(kept, abs=1e-9)


def test_the_cutoff_formula_against_a_markov_chain() -> None:
    p, cutoff = Fraction(1, 3), 4

    def step(age: int) -> dict[int, Fraction]:
        if age < 0:  # nothing there
            return {-1: (1 - p) ** 2, 0: 2 * p * (1 - p), 99: p * p}
        after = -1 if age + 1 == cutoff else age + 1
        return {99: p, after: 1 - p}

    assert absorption.absorption_mean(step, -1, lambda state: state == 99) == waiting.cutoff_mean(p, cutoff)


@pytest.mark.parametrize(("q", "p"), NESTED)
def test_three_over_two_is_a_bound(q: Fraction, p: Fraction) -> None:
    for levels, mean in enumerate(NESTED[q, p]):
        assert mean <= float(waiting.three_over_two(p, q, levels)) * (1 + 1e-9)
    if q == HALF and p == HUNDREDTH:
        assert NESTED[q, p][3] / float(waiting.three_over_two(p, q, 3)) == pytest.approx(0.916, abs=5e-4)
