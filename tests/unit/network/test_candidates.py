"""Groups of candidates and the steps of their knobs."""

from __future__ import annotations

import pytest
from tests.unit.network.believed import KnobLink, fixed, line, network, node

from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Axes, Rotation, Turning
from quantum_fabric.network.candidates import MOST_LANES, Candidates, Group
from quantum_fabric.network.chain import chain
from quantum_fabric.network.paths import Path
from quantum_fabric.units import MS


def plain_group(candidates: Candidates) -> Group:
    return next(group for group in candidates.groups if group.strategy.total == 0)


def test_groups_fit_into_the_slots() -> None:
    topology = line(*[fixed(0.1, 0.95)] * 3, slots=4)
    candidates = Candidates(topology, "A", "D")
    assert candidates.groups
    for group in candidates.groups:
        used = [0] * 4
        for hop, lanes in enumerate(group.lanes):
            used[hop] += lanes
            used[hop + 1] += lanes
        assert max(used) <= 4


def test_free_slots_limit_the_groups() -> None:
    topology = line(fixed(), fixed(), slots=8)
    whole = Candidates(topology, "A", "C")
    less = Candidates(topology, "A", "C", {"B": 2})
    assert max(group.lanes[0] for group in whole.groups) == 4
    assert {group.lanes for group in less.groups} == {(1, 1)}
    assert Candidates(topology, "A", "C", {"B": 1}).paths == ()
    assert Candidates(topology, "A", "C", {"A": 0}).groups == ()
    assert len(Candidates(topology, "A", "C", {}).groups) == len(whole.groups)


def test_more_free_slots_than_there_are_count_for_nothing() -> None:
    topology = line(fixed(), slots=2)
    assert max(group.lanes for group in Candidates(topology, "A", "B", {"A": 99}).groups) == (2,)


def test_lanes_are_capped() -> None:
    assert (
        max(group.lanes[0] for group in Candidates(line(fixed(), slots=500), "A", "B").groups) == MOST_LANES
    )
    shared = line(fixed(0.1, period=10 * MS, cycle=3 * MS), slots=50)
    assert (
        max(group.lanes[0] for group in Candidates(shared, "A", "B").groups) == 4
    )  # as many as three rounds need
    assert (
        max(plain.lanes[0] for plain in Candidates(shared, "A", "B").groups if plain.strategy.total == 0) == 3
    )


def test_the_numbers_are_those_of_the_scheme() -> None:
    topology = network(
        {("A", "B"): KnobLink(), ("B", "C"): fixed(0.2, 0.9), ("C", "D"): KnobLink(0.3)},  # type: ignore[dict-item]
        delay=MS,
        nodes=[node("B", t2=1.0)],
    )
    candidates = Candidates(topology, "A", "D")
    for group in candidates.groups:
        for step in (0, 5, candidates.steps - 1):
            assert candidates.numbers(group, step) == chain(topology, candidates.scheme(group, step))


def test_all_knobs_turn_together_and_the_rest_stay() -> None:
    topology = network({("A", "B"): KnobLink(), ("B", "C"): fixed(0.2, 0.9)})  # type: ignore[dict-item]
    candidates = Candidates(topology, "A", "C")
    group = plain_group(candidates)
    assert candidates.scheme(group, 0).settings == (0.5, None)
    assert candidates.scheme(group, candidates.steps - 1).settings == (0.001, None)


@pytest.mark.parametrize("target", [0.6, 0.8, 0.95, 0.99])
def test_the_first_step_is_the_fastest_that_may_reach(target: float) -> None:
    candidates = Candidates(line(KnobLink(0.5)), "A", "B")  # type: ignore[arg-type]
    group = plain_group(candidates)
    step = candidates.first_step(group, target)
    assert step is not None
    good = [
        candidates.estimate(group, each).fidelity >= target - 0.11 * (1 - target)
        for each in range(candidates.steps)
    ]
    assert good[step]
    assert not any(good[: max(0, step - 1)])


def test_no_step_reaches_the_impossible() -> None:
    candidates = Candidates(line(KnobLink(0.5)), "A", "B")  # type: ignore[arg-type]
    assert candidates.first_step(plain_group(candidates), 0.99999) is None


def test_dark_counts_spoil_the_far_end() -> None:
    candidates = Candidates(line(KnobLink(0.5, dark=0.05)), "A", "B")  # type: ignore[arg-type]
    group = plain_group(candidates)
    finest = candidates.finest_step(group)
    assert 0 < finest < candidates.steps - 1
    reachable = candidates.estimate(group, finest).fidelity
    assert candidates.first_step(group, reachable - 0.02) is not None


def test_links_without_a_knob_have_one_step() -> None:
    candidates = Candidates(line(fixed(0.1, 0.9)), "A", "B")
    group = plain_group(candidates)
    assert candidates.steps == 1
    assert candidates.finest_step(group) == 0
    assert candidates.first_step(group, 0.85) == 0


def test_cutoffs_make_groups_of_their_own_once() -> None:
    candidates = Candidates(line(fixed(), fixed(), t2=1.0), "A", "C")
    group = plain_group(candidates)
    cuts = candidates.with_cutoffs(group, 0)
    assert cuts
    assert all(cut.cutoff is not None and cut.lanes == group.lanes for cut in cuts)
    assert candidates.with_cutoffs(group, 0) is cuts
    single = Candidates(line(fixed()), "A", "B")
    assert single.with_cutoffs(plain_group(single), 0) == ()


def test_paths_may_be_given() -> None:
    topology = network({("A", "B"): fixed(), ("B", "C"): fixed(), ("A", "C"): fixed()})
    only = Path(("A", "B", "C"), ("A~B", "B~C"))
    candidates = Candidates(topology, "A", "C", paths=(only,))
    assert {group.path for group in candidates.groups} == {only}


def test_estimates_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = Candidates(line(fixed(), fixed()), "A", "C")
    first = candidates.estimate(candidates.groups[0], 0)
    assert candidates.estimate(candidates.groups[0], 0) is first


def test_pumping_takes_the_place_of_what_does_not_fit() -> None:
    topology = line(fixed(0.1, 0.9), slots=2)
    found = {group.strategy.label: group for group in Candidates(topology, "A", "B").groups}
    assert set(found) == {
        "direct",
        "direct, 1 round on links",
        "direct, 2 rounds on links, pumped",
        "direct, 3 rounds on links, pumped",
    }
    assert found["direct, 3 rounds on links, pumped"].lanes == (2,)
    roomy = Candidates(line(fixed(0.1, 0.9), slots=4), "A", "B")
    assert not any(group.strategy.pumped for group in roomy.groups)


def test_schemes_carry_the_rotations_that_were_found() -> None:
    lossy = FixedLink(0.1, (0.8, 0.0, 0.1, 0.1), MS, heard=(MS, MS))
    candidates = Candidates(line(lossy, fixed(0.1, 0.9), slots=4), "A", "C")
    group = next(g for g in candidates.groups if g.strategy.label == "swap-asap, 1 round on links")
    scheme = candidates.scheme(group, 0)
    assert scheme.turnings == (
        Turning("A", "B", (Rotation(Axes.XYZ, Axes.XYZ),)),
    )  # Werner pairs do not care
    assert candidates.numbers(group, 0) == chain(candidates.topology, scheme)
    assert candidates.scheme(plain_group(candidates), 0).turnings == ()
