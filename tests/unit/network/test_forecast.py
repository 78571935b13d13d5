"""Forecasts: which method answers, what it keeps as a margin, and that the methods agree."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.unit.network.believed import fixed, line, names_of
from tests.unit.network.schemes import chain_on, scheme_on

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.network import pipeline, rehearsal
from quantum_fabric.network.chain import route
from quantum_fabric.network.forecast import ERRORS, FULL, MODEL_MARGIN, QUICK, Effort, forecast, judge, single
from quantum_fabric.network.scheme import simple, to_plan
from quantum_fabric.units import MS, SECOND, US, seconds

SIGMAS = 5.0

SINGLES = [
    (fixed(0.1, 0.95), 1),
    (fixed(0.1, 0.95), 4),
    (fixed(0.3, 0.95, wait=0), 1),
    (fixed(0.3, 0.95, wait=5 * MS // 2), 2),
    (fixed(1.0, 0.95, wait=3 * MS), 1),
    (fixed(0.2, 0.95, period=10 * MS, wait=2 * MS, cycle=MS), 3),
    (fixed(0.2, 0.95, born=(0, 3 * MS), heard=(4 * MS, 3 * MS)), 2),
]


@pytest.mark.parametrize(("model", "lanes"), SINGLES)
def test_the_exact_method_agrees_with_both_samplers(model: FixedLink, lanes: int) -> None:
    numbers = chain_on(line(model, t2=0.1), lanes=lanes)
    exact = single(numbers)
    assert (exact.rate_error, exact.fidelity_low) == (0.0, exact.fidelity)
    for sample in (pipeline.run(numbers, 50_000), rehearsal.run(numbers, 20_000, 500_000)):
        assert sample.rate == pytest.approx(exact.rate, abs=SIGMAS * sample.rate_error + 1e-3 * exact.rate)
        assert sample.fidelity == pytest.approx(exact.fidelity)
    many = pipeline.run(numbers, 200_000)
    assert seconds(exact.latency) == pytest.approx(many.first, rel=0.03)


def test_one_link_is_exact() -> None:
    found = forecast(line(fixed(0.25, 0.9)), simple(("A", "B"), ("A~B",)))
    assert (found.rate, found.rate_error) == (250.0, 0.0)
    assert found.fidelity_low == found.fidelity == pytest.approx(0.9)
    assert found.latency == 4 * MS


def test_set_up_counts_into_the_latency() -> None:
    near, far = (
        forecast(line(fixed(0.25), delay=delay), simple(("A", "B"), ("A~B",))) for delay in (0, 7 * MS)
    )
    assert far.latency - near.latency == 3 * 7 * MS


def test_sampled_forecasts_keep_a_margin() -> None:
    topology = line(fixed(0.1, 0.97), fixed(0.1, 0.97), fixed(0.1, 0.97), t2=0.5)
    found = forecast(topology, scheme_on(topology))
    sample = pipeline.run(chain_on(topology), FULL.plain)
    assert (found.rate, found.fidelity) == (sample.rate, sample.fidelity)
    kept = ERRORS * sample.fidelity_error + MODEL_MARGIN * (1.0 - sample.fidelity)
    assert found.fidelity_low == pytest.approx(sample.usual - kept)
    assert 0.0 < found.fidelity - found.fidelity_low < 0.05


def test_where_every_delivery_is_a_fresh_start_the_numbers_are_exact_and_the_margin_stays() -> None:
    """Two links in steps of 1 ms: 280/19 steps between deliveries (Shchukin, Schmidt, van Loock 2019)."""
    topology = line(fixed(0.1, 0.97), fixed(0.1, 0.97), t2=0.5)
    quick, whole = judge(chain_on(topology)), forecast(topology, scheme_on(topology))
    assert (whole.rate, whole.rate_error) == (pytest.approx(19e3 / 280, rel=1e-9), 0.0)
    assert quick.rate == pytest.approx(whole.rate, abs=SIGMAS * quick.rate_error)
    assert abs(quick.fidelity - whole.fidelity) < 0.002
    assert whole.fidelity_low == quick.fidelity_low < whole.fidelity


def test_perfect_pairs_need_no_margin() -> None:
    topology = line(fixed(0.1), fixed(0.1))
    assert forecast(topology, scheme_on(topology)).fidelity_low == pytest.approx(1.0)


def test_what_is_not_plain_is_rehearsed() -> None:
    topology = line(fixed(0.1, 0.97), fixed(0.1, 0.97))
    found = forecast(topology, scheme_on(topology, rounds=1))
    sample = rehearsal.run(chain_on(topology, rounds=1), FULL.deliveries, FULL.events)
    assert (found.rate, found.fidelity) == (sample.rate, sample.fidelity)


def test_a_plan_is_judged_like_its_scheme() -> None:
    topology = line(fixed(0.1, 0.97), fixed(0.1, 0.97), t2=1.0)
    for scheme in (scheme_on(topology), scheme_on(topology, end=1)):
        first = forecast(topology, scheme)
        assert forecast(topology, to_plan(topology, scheme, first)) == first


def test_a_known_route_changes_nothing() -> None:
    topology = line(fixed(0.1, 0.97), fixed(0.1, 0.97), t2=1.0)
    scheme = scheme_on(topology)
    assert forecast(topology, scheme, along=route(topology, scheme.path)) == forecast(topology, scheme)


def test_forecasts_are_deterministic() -> None:
    topology = line(*[fixed(0.1, 0.97)] * 4, t2=1.0)
    for how in ({}, {"rounds": 1}, {"cutoff": 20 * MS}):
        scheme = scheme_on(topology, **how)  # type: ignore[arg-type]
        assert forecast(topology, scheme) == forecast(topology, scheme)


def test_less_effort_agrees_within_its_errors() -> None:
    topology = line(*[fixed(0.1, 0.97)] * 3, t2=1.0)
    for how in ({}, {"rounds": 1}):
        numbers = chain_on(topology, **how)
        quick, full = judge(numbers, QUICK), judge(numbers, FULL)
        assert quick.rate == pytest.approx(
            full.rate, abs=SIGMAS * math.hypot(quick.rate_error, full.rate_error)
        )
        assert quick.fidelity == pytest.approx(full.fidelity, abs=0.01)


def test_a_link_that_never_succeeds_is_never_served() -> None:
    class Dark(FixedLink):
        def heralding(self, setting: float | None = None, lanes: int = 1):  # type: ignore[no-untyped-def]
            return FixedLink.heralding(self, setting, lanes).__class__(MS, 0, (0, 0), (MS, MS), ())

    topology = line(Dark(0.5, (1.0, 0.0, 0.0, 0.0), MS))
    found = forecast(topology, simple(*names_of(topology)))
    assert (found.rate, found.fidelity_low) == (0.0, 0.0)
    assert found.latency >= 1_000_000 * SECOND


def test_latencies_are_bounded() -> None:
    topology = line(fixed(1e-15, 0.9), fixed(1e-15, 0.9))
    found = forecast(topology, scheme_on(topology), Effort(plain=100))
    assert found.latency == 1_000_000 * SECOND
    assert found.rate > 0.0


def test_long_chains_get_more_events(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def run(_: object, deliveries: int, events: int, starts: int) -> pipeline.Sample:
        asked.append(events)
        return pipeline.Sample(1.0, 1.0, 0.1, 0.9, 0.01, deliveries, 0.9)

    monkeypatch.setattr(rehearsal, "run", run)
    for hops in (2, 48):
        judge(chain_on(line(*[fixed(0.5, 0.97)] * hops), rounds=1), QUICK)
    assert asked == [QUICK.events, 2 * QUICK.events]


def test_unknown_parts_are_a_fault() -> None:
    topology = line(fixed())
    with pytest.raises(UnknownNameError):
        forecast(topology, simple(("A", "Z"), ("A~B",)))


def test_time_to_swap_and_to_tell_cost_rate() -> None:
    def rate(**times: int) -> float:
        topology = line(fixed(0.5), fixed(0.5), **times)
        return forecast(topology, scheme_on(topology)).rate

    assert rate() > rate(swap_time=500 * US) > rate(swap_time=500 * US, delay=MS)


def test_usual_is_what_nineteen_in_twenty_reach() -> None:
    fidelities = np.linspace(0.0, 1.0, 1001)
    assert pipeline.usual(fidelities) == pytest.approx(0.05)
    assert pipeline.usual(np.full(40, 0.9)) == 0.9


def test_most_sampled_deliveries_reach_the_low_end() -> None:
    """Admission promises `fidelity_low`: in a sample of its own, at most one pair in twenty stays below."""
    topology = line(fixed(0.1, 0.97), fixed(0.1, 0.97), t2=0.05)
    found = forecast(topology, scheme_on(topology))
    line_of_pairs = pipeline._Line(chain_on(topology), 400)
    quality = np.array([line_of_pairs.deliver()[1] for _ in range(40)])[10:]
    assert np.mean(quality < found.fidelity_low) <= pipeline.UNLUCKY
    assert found.fidelity_low < found.fidelity - 0.005  # the spread is real here
