"""The law that crosses the seam: which method answers and says so, what its points must be, and that samples agree with exact laws."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.network.believed import fixed, line, node
from tests.unit.network.schemes import chain_on, scheme_on

from quantum_fabric.messages import DeliveryLaw, Forecast
from quantum_fabric.network import rehearsal, waiting
from quantum_fabric.network.chain import Chain
from quantum_fabric.network.delivery import DOUBT, Stream, ceiling, delivered
from quantum_fabric.network.exact import bounds
from quantum_fabric.network.finish import quantile
from quantum_fabric.network.forecast import completed, forecast, judge
from quantum_fabric.physics.noise import MemoryNoise
from quantum_fabric.units import MS

STREAM = Stream(1e-3, (0.9, 0.91, 0.92))


def law_of(chain: Chain) -> DeliveryLaw:
    return delivered(chain, STREAM).law


def two(swap: float = 1.0, **how: object) -> Chain:
    topology = line(fixed(0.2, 0.97), fixed(0.2, 0.97), t2=0.1, nodes=[node("B", t2=0.1, swap_success=swap)])
    return chain_on(topology, **how)


METHODS = {
    "one link": (chain_on(line(fixed(0.2, 0.97), t2=0.1), lanes=3), "closed form", ""),
    "two links": (two(), "closed form", ""),
    "nine links": (chain_on(line(*[fixed(0.2, 0.97)] * 9, t2=0.1)), "closed form", ""),
    "a failing swap": (two(0.5), "convolution", ""),
    "a cutoff": (two(cutoff=5 * MS), "convolution", ""),
    "a round": (chain_on(line(fixed(0.2, 0.97)), rounds=1), "convolution", ""),
    "swaps at once that fail": (chain_on(line(*[fixed(0.2, 0.97)] * 3, swap_success=0.5)), "Markov chain", ""),
    "the same with messages": (
        chain_on(line(*[fixed(0.2, 0.97)] * 3, delay=MS // 5, swap_success=0.5)), "rehearsal", "messages or swaps",
    ),
    "lanes and failures": (two(0.5, lanes=2), "rehearsal", "lanes run ahead"),
    "links that run ahead": (
        chain_on(line(*[fixed(0.2, 0.97)] * 8, swap_success=0.7), middle=0), "convolution", "run ahead of a swap",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(METHODS))
def test_the_method_that_applies_answers_and_gives_its_reasons(name: str) -> None:
    chain, method, reason = METHODS[name]
    law = law_of(chain)
    assert law.method == method
    assert bool(law.reasons) == bool(reason)
    assert reason in " ".join(law.reasons)
    if method == "rehearsal":
        assert 0.02 < law.error < 0.3
    else:
        assert law.error == pytest.approx(0.02 if law.reasons else 1e-9, rel=0.1)


@pytest.mark.parametrize("name", list(METHODS))
def test_points_are_a_law_and_agree_with_cold_starts(name: str) -> None:
    """Kolmogorov-Smirnov at the points, at a false-alarm rate of 1e-7 with fresh keys (starts other than those of the law)."""
    chain, _, _ = METHODS[name]
    law = law_of(chain)
    assert list(law.times) == sorted(set(law.times))
    assert list(law.shares) == sorted(law.shares)
    assert 0.0 < law.shares[0] < law.shares[-1] <= 1.0
    assert all(0.25 <= value <= 1.0 for value in law.fidelities)
    firsts = []
    for number in range(500, 1_300):
        stage = rehearsal.Stage(chain, number)
        stage.play(1, 10**6)
        firsts.append(round((chain.origin + stage.delivered[0][0]) * 1e12))
    times = np.sort(firsts)
    shares = np.searchsorted(times, np.array(law.times), side="right") / len(times)
    parts = 1.0 / len(times)
    stated = law.error
    if law.method == "rehearsal":
        parts, stated = parts + 2.0 * law.error**2 / math.log(2.0 / DOUBT), 0.0
    assert np.abs(shares - law.shares).max() < math.sqrt(math.log(2e7) / 2.0 * parts) + stated


def test_quantiles_and_deep_tails_of_two_links() -> None:
    """P(T > t) = 1 - (1 - 0.8^t)^2, in steps of 1 ms."""
    law = law_of(two())
    for level in (0.5, 0.9, 0.99, 0.999, 0.999999):
        at = quantile(law, level)
        assert at is not None
        step = at // MS
        assert (
            float(waiting.parallel_cdf(0.2, 2, step)) >= level > float(waiting.parallel_cdf(0.2, 2, step - 1))
        )
    assert quantile(law, 0.9999999) is None


def test_fading_that_is_no_exponential_leaves_the_times_exact() -> None:
    """A stretched decay has no part in when a pair comes; its states are then sampled."""
    plain, chain = two(0.5), two(0.5)
    memory = MemoryNoise(math.inf, 0.1, exponent=2.0)
    chain = replace(chain, stations=tuple(replace(each, memory=memory) for each in chain.stations))
    one, two_ = law_of(plain), law_of(chain)
    assert two_.method == "convolution"
    assert (one.times, one.shares) == (two_.times, two_.shares)
    assert one.fidelities != two_.fidelities
    assert delivered(chain, STREAM).fidelity is None


def test_a_memory_that_loses_qubits_is_rehearsed() -> None:
    memory = MemoryNoise(math.inf, 0.1, retrieval=0.9)
    chain = two()
    chain = replace(chain, stations=tuple(replace(each, memory=memory) for each in chain.stations))
    law = law_of(chain)
    assert law.method == "rehearsal"
    assert "loses qubits" in law.reasons[0]


@given(
    st.integers(1, 4), st.floats(0.05, 0.9), st.sampled_from([1.0, 0.6]), st.integers(1, 2), st.booleans(),
    st.sampled_from([0, MS // 5]),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_rates_are_between_their_bounds(
    hops: int, p: float, swap: float, lanes: int, nested: bool, delay: int
) -> None:
    chain = chain_on(
        line(*[fixed(p, 0.97)] * hops, delay=delay, swap_success=swap), lanes=lanes, middle=0 if nested and hops > 1 else None
    )  # fmt: skip
    found = completed(chain, judge(chain))
    law = found.law
    assert law is not None
    assert law.ceiling == ceiling(chain)
    assert found.rate - 4 * found.rate_error <= law.ceiling * (1 + 1e-12)
    assert law.floor <= (found.rate + 4 * found.rate_error) * (1 + 1e-12)
    assert law.floor == pytest.approx(1.0 / bounds(chain).three_over_two)
    assert found.latency >= law.times[0] - 1


def test_completing_is_done_once_and_keeps_the_margin() -> None:
    chain = two(0.5)
    quick = judge(chain)
    once = completed(chain, quick)
    assert quick.law is None
    assert completed(chain, once) is once
    assert completed(chain, quick) == once
    assert once.fidelity_low == min(quick.fidelity_low, once.fidelity)
    never = Forecast(0.0, 0.0, 0.0, 0.0, MS)
    assert completed(chain, never) is never


def test_capacity_of_the_light_bounds_the_rate() -> None:
    topology = line(fixed(0.2, 0.97, transmission=0.01), fixed(0.2, 0.97, transmission=0.5))
    law = forecast(topology, scheme_on(topology)).law
    assert law is not None
    assert law.ceiling == pytest.approx(-1e3 * math.log2(0.99))
