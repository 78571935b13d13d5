"""Reservation and delivery, every interleaving of small scenes: on the deciders that run.

What is proved, and within which bounds, is told in docs/explanation/reservation.md.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.mutants import MUTANTS, Mutant
from model.scenes import CHAIN, HOP, LONG, MIXED, QUICK, SETTLED, WIDE
from model.search import explore, wander
from quantum_fabric.units import MS


@pytest.mark.parametrize("name", QUICK)
def test_every_interleaving_of_a_small_scene_is_good(name: str) -> None:
    found = explore(QUICK[name])
    assert found.wrong is None, found.wrong
    assert found.complete


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", LONG)
def test_every_interleaving_of_a_larger_scene_is_good(name: str) -> None:
    found = explore(LONG[name], budget=3_000_000, seconds=150)
    assert found.wrong is None, found.wrong
    assert found.states > 40_000


@pytest.mark.parametrize("name", MIXED)
def test_schedules_drawn_at_random_are_good(name: str) -> None:
    found = wander(MIXED[name], range(500))
    assert found.wrong is None, found.wrong
    assert found.ends == 500


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", WIDE)
def test_schedules_of_a_wide_scene_are_good(name: str) -> None:
    found = wander(WIDE[name], range(300))
    assert found.wrong is None, found.wrong


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_a_decider_with_one_thing_wrong_is_found(mutant: Mutant) -> None:
    with mutant:
        found = explore(mutant.scene, budget=100_000)
    assert found.wrong is not None
    assert mutant.symptom in found.wrong.splitlines()[0], found.wrong
    assert "controller" in found.wrong or "plant" in found.wrong  # the way there is told


# ------------------------------------------------------------------------- what the protocols do not promise


def test_without_a_deadline_a_lost_commit_is_waited_for_for_ever() -> None:
    """Nothing is sent again: the classical plane is trusted to deliver, once or more often, what it is given to carry."""
    found = explore(replace(HOP, deadlines=(None,), until=0, lose=1, only=frozenset({"Commit"})))
    assert found.wrong is not None
    assert found.wrong.startswith("stuck: r1")


def test_without_a_deadline_lost_news_of_a_swap_is_waited_for_for_ever() -> None:
    found = explore(replace(CHAIN, heralds=2, lose=1, only=frozenset({"Joined"}), **SETTLED))
    assert found.wrong is not None
    assert found.wrong.startswith("stuck: r1")


def test_a_controller_that_starts_again_knows_nothing_of_its_leases() -> None:
    """Its books are not kept over a restart; nor are the numbers of its epochs."""
    found = explore(replace(HOP, restart=1, until=4 * MS))
    assert found.wrong is not None
    assert "in the ledger: None" in found.wrong
