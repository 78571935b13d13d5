"""Reservation and delivery, every interleaving of small scenes: on the deciders that run.

What is proved, and within which bounds, is told in docs/explanation/reservation.md.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.domains import DOMAINS, LONG_DOMAINS, MIXED_DOMAINS, PAIR
from model.mutants import MUTANTS, Mutant
from model.scenes import (
    CHAIN,
    CHANGES,
    FOURS,
    HOP,
    LONG,
    LONG_CHANGES,
    LONG_SURE,
    MIXED,
    MIXED_SURE,
    QUICK,
    SETTLED,
    SURE,
    WIDE,
    WIDE_SURE,
)
from model.search import explore, reached, wander
from quantum_fabric.units import MS


@pytest.mark.parametrize("name", QUICK)
def test_every_interleaving_of_a_small_scene_is_good(name: str) -> None:
    found = explore(QUICK[name])
    assert found.wrong is None, found.wrong
    assert found.complete


@pytest.mark.parametrize("name", CHANGES)
def test_every_interleaving_of_a_change_is_good(name: str) -> None:
    """New terms beside the old ones, and the way around a link that goes dark."""
    found = explore(CHANGES[name])
    assert found.wrong is None, found.wrong
    assert found.complete


@pytest.mark.parametrize("name", DOMAINS)
def test_every_interleaving_of_letters_between_two_controllers_is_good(name: str) -> None:
    """Ask, offer, accept, prepare, commit, release and the end of an offer: lost, twice, in any order, and a plane that parts."""
    found = explore(DOMAINS[name])
    assert found.wrong is None, found.wrong
    assert found.complete


def test_requests_over_two_domains_are_served_in_the_search() -> None:
    """What is searched is no empty story: there are ends with the pair delivered, and ends without."""
    counts = {truth.requests["r1"][1] for truth in reached(PAIR) if "r1" in truth.requests}
    assert counts == {0, 1}


@pytest.mark.parametrize("name", SURE)
def test_every_interleaving_is_good_where_letters_are_sent_again(name: str) -> None:
    """What is lost holds up nobody, with a deadline or without."""
    found = explore(SURE[name])
    assert found.wrong is None, found.wrong
    assert found.complete


def test_every_interleaving_of_four_nodes_and_three_requests_is_good() -> None:
    found = explore(FOURS["four nodes, three requests"])
    assert found.wrong is None, found.wrong
    assert found.complete


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind, scenes in (
            ("domains", LONG_DOMAINS),
            ("", LONG),
            ("reliable", LONG_SURE),
            ("four", FOURS),
            ("change", LONG_CHANGES),
        )
        for name in scenes
    ],
)
def test_every_interleaving_of_a_larger_scene_is_good(kind: str, name: str) -> None:
    scenes = {
        "domains": LONG_DOMAINS,
        "": LONG,
        "reliable": LONG_SURE,
        "four": FOURS,
        "change": LONG_CHANGES,
    }[kind]
    found = explore(scenes[name], budget=3_000_000, seconds=150)
    assert found.wrong is None, found.wrong
    assert found.complete or found.states > 40_000


@pytest.mark.parametrize("name", MIXED | MIXED_SURE | MIXED_DOMAINS)
def test_schedules_drawn_at_random_are_good(name: str) -> None:
    found = wander((MIXED | MIXED_SURE | MIXED_DOMAINS)[name], range(200))
    assert found.wrong is None, found.wrong
    assert found.ends == 200


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", WIDE | WIDE_SURE)
def test_schedules_of_a_wide_scene_are_good(name: str) -> None:
    found = wander((WIDE | WIDE_SURE)[name], range(300))
    assert found.wrong is None, found.wrong


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_a_decider_with_one_thing_wrong_is_found(mutant: Mutant) -> None:
    with mutant:
        found = explore(mutant.scene, budget=100_000)
    assert found.wrong is not None
    assert mutant.symptom in found.wrong.splitlines()[0], found.wrong
    assert any(who in found.wrong for who in ("controller", "plant", "west"))  # the way there is told


# ------------------------------------------------------------------------- what the protocols do not promise


def test_without_a_deadline_a_lost_commit_is_waited_for_for_ever() -> None:
    """Without endpoints nothing is sent again: a plane that is taken for perfect has to deliver what it is given to carry."""
    found = explore(replace(HOP, deadlines=(None,), until=0, lose=1, only=frozenset({"Commit"})))
    assert found.wrong is not None
    assert found.wrong.startswith("stuck: r1")


def test_without_a_deadline_lost_news_of_a_swap_is_waited_for_for_ever() -> None:
    found = explore(replace(CHAIN, heralds=2, lose=1, only=frozenset({"Joined"}), **SETTLED))
    assert found.wrong is not None
    assert found.wrong.startswith("stuck: r1")


def test_a_controller_that_starts_again_without_a_journal_knows_nothing_of_its_leases() -> None:
    """Nor of the numbers of its epochs."""
    found = explore(replace(HOP, restart=1, until=4 * MS))
    assert found.wrong is not None
    assert "in the ledger: None" in found.wrong
