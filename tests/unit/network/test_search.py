"""The search: estimates rank, samples decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.network.believed import KnobLink, fixed, line, network, node

from quantum_fabric.messages import Forecast
from quantum_fabric.network import search as module
from quantum_fabric.network.candidates import Candidates
from quantum_fabric.network.chain import Chain
from quantum_fabric.network.forecast import Effort
from quantum_fabric.network.search import BUDGET, Search, race, sure_rate
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import MS


def any_time(forecast: Forecast) -> bool:
    return forecast.rate > 0.0


def search(topology: Topology) -> Search:
    names = sorted(topology.nodes)
    return Search(Candidates(topology, names[0], names[-1]))


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
    # a cutoff may let the knobs be turned further; the steps are the same
    at = steps.index(replace(found.scheme, cutoff=None))
    assert at > 0
    further = [
        tried
        for scheme, tried in looking.sampled.items()
        if replace(scheme, cutoff=None) in steps[:at]  # knobs turned further for rate, with any cutoff
    ]
    assert further
    for tried in further:
        assert tried.forecast.fidelity_low < 0.8 or tried.forecast.rate <= found.forecast.rate


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
    monkeypatch.setattr(looking, "trials", lambda *_: [])
    assert looking.fastest(0.6, any_time, last_resort=False) is None
    found = looking.fastest(0.6, any_time)
    assert found is not None
    assert found in list(looking.confirmed())  # the finest, or a faster one that was sampled with it


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


def test_what_is_found_was_sampled_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    efforts: dict[int, list[object]] = {}
    judge = module.judge

    def noted(chain: object, effort: object) -> Forecast:
        result = judge(chain, effort)  # type: ignore[arg-type]
        efforts.setdefault(id(result), []).append(effort)
        return result

    monkeypatch.setattr(module, "judge", noted)
    found = search(line(fixed(0.1, 0.95), fixed(0.1, 0.95), slots=8)).fastest(0.94, any_time)
    assert found is not None
    assert found.scheme.purifies
    assert efforts[id(found.forecast)] == [module.FULL]


def test_a_scheme_that_promises_too_much_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quick samples far too good: full samples fail but for one round end to end."""
    looking = search(line(fixed(0.1, 0.95), fixed(0.1, 0.95), t2=1.0, slots=8))
    judge = module.judge

    def promising(chain: Chain, effort: Effort) -> Forecast:
        found = judge(chain, effort)
        good = sum(hop.rounds for hop in chain.hops) == 0 and chain.end_rounds == 1 and chain.cutoff is None
        low = 0.9999 if effort is module.QUICK or good else 0.6
        return replace(found, fidelity=low, fidelity_low=low)

    monkeypatch.setattr(module, "judge", promising)
    found = looking.fastest(0.9, any_time, last_resort=False)
    assert found is not None
    assert (found.scheme.rounds, found.scheme.end_rounds) == ((0, 0), 1)


def test_of_all_that_was_sampled_in_full_the_best_wins() -> None:
    looking = search(line(fixed(0.1, 0.97), fixed(0.05, 0.98), t2=0.3, slots=8))
    for target in (0.95, 0.9, 0.8, 0.6):
        found = looking.fastest(target, any_time)
        assert found is not None
        good = [each for each in looking.confirmed() if each.forecast.fidelity_low >= target]
        assert sure_rate(found.forecast) == max(sure_rate(each.forecast) for each in good)


def test_searches_race_each_other() -> None:
    slow = search(line(fixed(0.05, 0.99), slots=1))
    fast = search(line(fixed(0.1, 0.95), slots=1))
    for target, winner in ((0.9, fast), (0.97, slow)):
        best = race([slow, fast], target, any_time)
        assert best is not None
        assert best[0] is winner
    assert race([], 0.9, any_time) is None


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
