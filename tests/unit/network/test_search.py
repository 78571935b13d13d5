"""The search: estimates rank, samples decide."""

from __future__ import annotations

import pytest
from tests.unit.network.believed import KnobLink, fixed, line, network, node

from quantum_fabric.messages import Forecast
from quantum_fabric.network import search as module
from quantum_fabric.network.candidates import Candidates
from quantum_fabric.network.search import BUDGET, Search, sure_rate
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import MS


def any_time(forecast: Forecast) -> bool:
    return forecast.rate > 0.0


def search(topology: Topology, **how: bool) -> Search:
    names = sorted(topology.nodes)
    return Search(Candidates(topology, names[0], names[-1]), **how)


def test_what_is_found_reaches_the_target() -> None:
    topology = line(fixed(0.1, 0.97), fixed(0.1, 0.97), t2=1.0, slots=8)
    for target in (0.6, 0.9, 0.94, 0.96):
        found = search(topology).fastest(target, any_time)
        assert found is not None
        assert found.forecast.fidelity_low >= target


def test_a_lower_target_is_never_slower() -> None:
    topology = line(fixed(0.1, 0.97), fixed(0.1, 0.97), t2=1.0, slots=8)
    rates = []
    for target in (0.6, 0.9, 0.94, 0.96):
        found = search(topology).fastest(target, any_time)
        assert found is not None
        rates.append(found.forecast.rate)
    assert rates == sorted(rates, reverse=True)


def test_nothing_serves_what_cannot_be_served() -> None:
    topology = line(fixed(0.1, 0.97), fixed(0.1, 0.97))
    assert search(topology).fastest(0.9, lambda forecast: forecast.rate > 1e9) is None
    assert search(topology).fastest(0.99999, any_time) is None


def test_knobs_end_at_the_fastest_setting_that_reaches() -> None:
    looking = search(line(KnobLink(0.5), KnobLink(0.5), t2=1.0, slots=2))  # type: ignore[arg-type]
    found = looking.fastest(0.8, any_time)
    assert found is not None
    group = next(each for each in looking.candidates.groups if each.strategy.total == 0)
    steps = [looking.candidates.scheme(group, step) for step in range(looking.candidates.steps)]
    at = steps.index(found.scheme)
    assert at > 0
    faster = looking.sampled.get(steps[at - 1])
    assert faster is not None  # one step faster was tried
    assert faster.forecast.fidelity_low < 0.8


def test_a_cutoff_is_tried_where_waiting_spoils_the_pairs() -> None:
    topology = line(*[fixed(0.01, 0.98, wait=0)] * 2, t2=0.3, slots=2)
    without = search(topology).fastest(0.52, any_time)
    with_one = search(topology).fastest(0.9, any_time)
    assert without is not None
    assert with_one is not None
    assert without.scheme.cutoff is None
    assert with_one.scheme.cutoff is not None
    assert with_one.forecast.rate < without.forecast.rate


def test_the_finest_is_at_least_as_good_as_the_fastest() -> None:
    looking = search(line(fixed(0.1, 0.95), fixed(0.1, 0.95), t2=1.0))
    finest = looking.finest()
    fastest = looking.fastest(0.6, any_time)
    assert finest is not None
    assert fastest is not None
    assert finest.forecast.fidelity_low >= fastest.forecast.fidelity_low
    assert looking.finest() is finest


def test_without_candidates_there_is_no_finest() -> None:
    looking = search(line(fixed(), slots=0))
    assert looking.finest() is None
    assert looking.fastest(0.6, any_time) is None


def test_the_last_resort_is_the_finest(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = search(line(fixed(0.1, 0.95), fixed(0.1, 0.95)))
    monkeypatch.setattr(looking, "ranked", lambda _: [])
    assert looking.fastest(0.6, any_time, last_resort=False) is None
    assert looking.fastest(0.6, any_time) is looking.finest()


def test_each_scheme_is_sampled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    judge = module.judge

    def counted(*arguments: object) -> Forecast:
        calls.append(arguments[0])
        return judge(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "judge", counted)
    looking = search(line(fixed(0.1, 0.97), fixed(0.1, 0.97)))
    looking.fastest(0.9, any_time)
    before = len(calls)
    looking.fastest(0.9, any_time)
    assert len(calls) == before == len(looking.sampled)


def test_the_budget_bounds_the_work() -> None:
    edges = {
        (a, b): fixed(0.01 * (1 + i), 0.93)
        for i, (a, b) in enumerate([("A", "B"), ("B", "C"), ("A", "D"), ("D", "C")])
    }
    looking = search(network(edges, t2=0.05))
    looking.fastest(0.93, any_time, last_resort=False)
    assert len(looking.sampled) <= 2 * BUDGET


def test_quick_searches_confirm_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "forecast", lambda *_: pytest.fail("a full forecast was made"))
    looking = search(line(fixed(0.1, 0.95), fixed(0.1, 0.95), slots=8), quick=True)
    assert looking.fastest(0.94, any_time) is not None


def test_ranked_groups_come_by_estimated_rate() -> None:
    ranked = search(line(fixed(0.1, 0.97), fixed(0.1, 0.97), t2=1.0)).ranked(0.9)
    rates = [rate for rate, _, _ in ranked]
    assert rates == sorted(rates, reverse=True)


def test_a_lucky_sample_does_not_win_by_its_luck() -> None:
    assert sure_rate(Forecast(10.0, 3.0, 0.9, 0.9, 0)) < sure_rate(Forecast(8.0, 0.1, 0.9, 0.9, 0))


def test_cover_samples_every_path() -> None:
    topology = network(
        {("A", "B"): fixed(0.5, 0.99), ("B", "C"): fixed(0.5, 0.99), ("A", "C"): fixed(0.5, 0.99)},
        nodes=[node("B", t2=1.0)],
        delay=MS,
    )
    looking = search(topology)
    looking.fastest(0.6, any_time)
    looking.cover()
    assert {found.scheme.path for found in looking.sampled.values()} == {("A", "C"), ("A", "B", "C")}
