"""Cutoffs that are worth trying."""

from __future__ import annotations

from tests.unit.network.believed import fixed, line
from tests.unit.network.schemes import chain_on

from quantum_fabric.network.cutoff import FRACTIONS, choices
from quantum_fabric.units import MS


def test_one_link_has_no_repeater_to_wait_in() -> None:
    assert choices(chain_on(line(fixed()))) == (None,)


def test_none_comes_first_and_the_gentlest_next() -> None:
    none, *cutoffs = choices(chain_on(line(fixed(0.1), fixed(0.01))))
    assert none is None
    assert len(cutoffs) == len(FRACTIONS)
    assert all(isinstance(cutoff, int) for cutoff in cutoffs)
    assert cutoffs == sorted(cutoffs, key=lambda cutoff: -(cutoff or 0))


def test_cutoffs_scale_with_the_slowest_link_and_its_lanes() -> None:
    slow = choices(chain_on(line(fixed(0.1, wait=0), fixed(0.01, wait=0))))
    assert slow[FRACTIONS.index(1.0) + 1] == 100 * MS
    shared = choices(chain_on(line(fixed(0.1, wait=0), fixed(0.01, wait=0)), lanes=2))
    assert shared[FRACTIONS.index(1.0) + 1] == 50 * MS


def test_nothing_is_cut_before_it_is_heard_of() -> None:
    cutoffs = choices(chain_on(line(fixed(0.5, wait=70 * MS), fixed(0.5))))
    assert all(cutoff is None or cutoff > 70 * MS for cutoff in cutoffs)


def test_numbers_are_round() -> None:
    for cutoff in choices(chain_on(line(fixed(0.0123), fixed(0.0456)))):
        assert cutoff is None or len(str(cutoff).rstrip("0")) <= 3
