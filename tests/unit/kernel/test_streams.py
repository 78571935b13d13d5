"""Random streams: what a draw depends on, and its law.

Statistical tests use fixed seeds. Limits on a sum are at six standard errors (false alarm below 2e-9), limits on a chi-square
at its quantile for 1e-7 by Wilson and Hilferty (5.2 sigma), unless a test says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quantum_fabric.kernel.streams import Stream, Streams, log_of_failure, portable_log

EPSILON = 2.0**-52
GOLDEN = [9468336816863733728, 14873465395702189815, 6497150731056200656]


def fresh(name: str = "s", seed: int = 11) -> Stream:
    return Streams(seed).stream(name)


def chi_square_is_plausible(counts: Sequence[int], chances: Sequence[float]) -> bool:
    total, freedom = sum(counts), len(counts) - 1
    assert math.isclose(sum(chances), 1.0, rel_tol=1e-9)
    statistic = sum((n - total * p) ** 2 / (total * p) for n, p in zip(counts, chances, strict=True))
    high, low = (
        freedom * (1 - 2 / (9 * freedom) + sigma * math.sqrt(2 / (9 * freedom))) ** 3 for sigma in (5.2, -5.2)
    )
    return low < statistic < high


# ------------------------------------------------------------------------------- what a draw depends on


def test_the_same_seed_and_name_give_the_same_draws_whatever_else_exists() -> None:
    alone = fresh("link A~B lane 0")
    expected = [alone.bits() for _ in range(50)]
    crowd = Streams(11)
    others = [crowd.stream(f"other {n}") for n in range(20)]
    stream = crowd.stream("link A~B lane 0")
    got = []
    for n in range(50):
        others[n % 20].uniform()
        got.append(stream.bits())
    assert got == expected


def test_streams_do_not_depend_on_the_order_in_which_they_are_opened() -> None:
    names = ["a", "b", "c/d", ""]
    there, back = Streams(5), Streams(5)
    one = {name: there.stream(name).bits() for name in names}
    two = {name: back.stream(name).bits() for name in reversed(names)}
    assert one == two
    assert len(set(one.values())) == 4


def test_asking_again_continues_the_stream() -> None:
    streams = Streams(3)
    first = streams.stream("x").bits()
    assert streams.stream("x") is streams.stream("x")
    assert streams.stream("x").draws == 1
    assert streams.stream("x").bits() != first


def test_seeds_replicas_and_names_are_all_told_apart() -> None:
    keys = [(0, 0, "x"), (0, 1, "x"), (1, 0, "x"), (-1, 0, "x"), (0, 0, "y"), (2**70, 0, "x"), (0, 0, "0/x")]
    draws = {Streams(seed, replica).stream(name).bits() for seed, replica, name in keys}
    assert len(draws) == len(keys)
    assert Streams(4).stream("x").bits() == Streams(4, replica=0).stream("x").bits()


def test_draws_are_the_same_in_every_version() -> None:
    """Journals replay: changing the generator breaks every one of them. These numbers were computed when it was fixed."""
    stream = Streams(0).stream("golden")
    assert [stream.bits() for _ in range(3)] == GOLDEN


# --------------------------------------------------------------------------------------------- uniform


def test_uniform_is_flat_and_open() -> None:
    stream, cells = fresh("flat"), 64
    counts = [0] * cells
    for _ in range(40_000):
        u = stream.uniform()
        assert 0.0 < u < 1.0
        counts[int(u * cells)] += 1
    assert chi_square_is_plausible(counts, [1 / cells] * cells)


class Fixed(Stream):
    """A stream whose bits are given."""

    def __init__(self, bits: int) -> None:
        super().__init__(0, 0)
        self.given = bits

    def bits(self) -> int:
        return self.given


def test_uniform_is_never_zero() -> None:
    assert Fixed(0).uniform() == 2.0**-53


def test_uniform_is_never_one() -> None:
    assert 1.0 - 2.0**-52 < Fixed(2**64 - 1).uniform() < 1.0


@pytest.mark.parametrize("p", [1e-9, 0.01, 0.5, 0.999999])
def test_geometric_is_at_least_one_and_finite_at_the_extreme_bits(p: float) -> None:
    assert Fixed(2**64 - 1).geometric(p) == 1
    longest = math.log(2.0**-53) / math.log1p(-p)
    assert Fixed(0).geometric(p) == pytest.approx(1 + math.floor(longest), abs=1, rel=1e-12)


@pytest.mark.parametrize("lag", [1, 2, 7])
def test_uniform_draws_are_not_correlated_with_later_ones(lag: int) -> None:
    stream, n = fresh(f"lag {lag}"), 30_000
    draws = [stream.uniform() - 0.5 for _ in range(n + lag)]
    covariance = sum(a * b for a, b in zip(draws, draws[lag:], strict=False)) / n
    assert abs(covariance * 12) < 6 / math.sqrt(n)


def test_neighbouring_streams_and_seeds_are_not_correlated() -> None:
    n = 20_000
    pairs = [
        (fresh("lane 0"), fresh("lane 1")),
        (fresh("lane", seed=0), fresh("lane", seed=1)),
        (Streams(0, replica=0).stream("lane"), Streams(0, replica=1).stream("lane")),
    ]
    for one, two in pairs:
        covariance = sum((one.uniform() - 0.5) * (two.uniform() - 0.5) for _ in range(n)) / n
        assert abs(covariance * 12) < 6 / math.sqrt(n)


def test_every_bit_is_fair() -> None:
    stream, n = fresh("bits"), 8_000
    ones = [0] * 64
    for _ in range(n):
        bits = stream.bits()
        for place in range(64):
            ones[place] += bits >> place & 1
    assert max(abs(count - n / 2) for count in ones) < 6 * math.sqrt(n) / 2  # 64 times 2e-9


# ------------------------------------------------------------------------------------------- other laws


@pytest.mark.parametrize("p", [0.5, 0.1, 0.01, 0.9, 0.2500001])
def test_geometric_law_and_mean(p: float) -> None:
    stream, n = fresh(f"geometric {p}"), 20_000
    draws = [stream.geometric(p) for _ in range(n)]
    assert min(draws) >= 1
    assert abs(sum(draws) / n - 1 / p) < 6 * math.sqrt((1 - p) / n) / p
    # cells of equal width with at least about 40 expected draws each, and one for the rest
    width = max(1, round(0.3 / p))
    cells = max(1, int(math.log(40 / n) / (width * math.log1p(-p))))
    counts = [0] * (cells + 1)
    for draw in draws:
        counts[min((draw - 1) // width, cells)] += 1
    chances = [(1 - p) ** (k * width) - (1 - p) ** ((k + 1) * width) for k in range(cells)]
    assert chi_square_is_plausible(counts, [*chances, (1 - p) ** (cells * width)])


def test_a_certain_success_takes_one_attempt_and_no_draw() -> None:
    stream = fresh()
    assert [stream.geometric(p) for p in (1.0, 1.5)] == [1, 1]
    assert stream.draws == 0


def test_choose_follows_its_table_also_when_it_sums_to_less_than_one() -> None:
    stream, counts = fresh("choose"), [0, 0, 0, 0]
    for _ in range(20_000):
        counts[stream.choose([0.1, 0.1, 0.35, 0.5])] += 1
    assert counts[1] == 0
    assert chi_square_is_plausible([counts[0], *counts[2:]], [0.2, 0.5, 0.3])


def test_choose_from_one_and_at_the_edge() -> None:
    assert fresh().choose([1e-9]) == 0
    assert Fixed(2**64 - 1).choose([0.25, 0.5]) == 1
    assert Fixed(0).choose([0.25, 0.5]) == 0


@pytest.mark.parametrize("p", [0.03, 0.5, 0.97])
def test_flip_law(p: float) -> None:
    stream, n = fresh(f"flip {p}"), 20_000
    heads = sum(stream.flip(p) for _ in range(n))
    assert abs(heads - n * p) < 6 * math.sqrt(n * p * (1 - p))


def test_a_certain_flip_draws_nothing() -> None:
    stream = fresh()
    assert [stream.flip(p) for p in (0.0, -0.1, 1.0, 1.1)] == [False, False, True, True]
    assert stream.draws == 0


# ------------------------------------------------------------------------------------------- logarithms


@settings(max_examples=400, deadline=None)
@given(st.floats(min_value=2.3e-308, max_value=1.7e308))
@example(math.sqrt(0.5))
@example(math.nextafter(math.sqrt(0.5), 0.0))
@example(math.nextafter(1.0, 0.0))
@example(math.nextafter(1.0, 2.0))
@example(2.0**-54)
def test_portable_log(x: float) -> None:
    assert portable_log(x) == pytest.approx(math.log(x), rel=4 * EPSILON, abs=1e-16)


@settings(max_examples=300, deadline=None)
@given(st.floats(min_value=0.0, max_value=1.0, exclude_min=True, exclude_max=True))
def test_portable_log_in_the_range_of_draws(u: float) -> None:
    if u >= 2.3e-308:
        assert portable_log(u) == pytest.approx(math.log(u), rel=1e-15, abs=1e-16)


def test_portable_log_grows_over_every_seam() -> None:
    for power in range(-60, 3):
        for seam in (2.0**power, math.ldexp(math.sqrt(0.5), power)):
            ladder = [seam * (1 + k * 2.0**-40) for k in range(-5, 6)]
            logs = [portable_log(x) for x in ladder]
            assert logs == sorted(logs)


@settings(max_examples=300, deadline=None)
@given(st.floats(min_value=1e-300, max_value=1.0, exclude_max=True))
@example(0.25)
@example(math.nextafter(0.25, 1.0))
@example(1e-17)
def test_log_of_failure(p: float) -> None:
    if p < 1.0 - 1e-15:
        assert log_of_failure(p) == pytest.approx(math.log1p(-p), rel=1e-15, abs=0.0)
