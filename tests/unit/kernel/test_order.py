"""The order within one picosecond."""

from __future__ import annotations

from itertools import pairwise

import pytest

from quantum_fabric.kernel.clock import Clock
from quantum_fabric.kernel.order import RANKS, Priority, ranked

FIRST_TO_LAST = ["FAULT", "MESSAGE", "HERALD", "OPERATION", "TIMER"]


def test_the_table() -> None:
    assert [priority.name for priority in sorted(Priority)] == FIRST_TO_LAST
    assert [int(priority) for priority in sorted(Priority)] == list(range(5))


@pytest.mark.parametrize(("before", "after"), list(pairwise(FIRST_TO_LAST)))
def test_no_rank_reaches_the_next_priority(before: str, after: str) -> None:
    assert ranked(Priority[before], RANKS - 1) < ranked(Priority[after])
    assert ranked(Priority[before]) < ranked(Priority[before], 1)


def test_every_lane_of_every_link_fits_below_a_priority() -> None:
    last_link, last_lane = (1 << 20) - 1, (1 << 12) - 1  # a million links of 4096 lanes
    assert ranked(Priority.HERALD, (last_link << 12) + last_lane) < ranked(Priority.OPERATION)


def test_the_clock_keeps_it() -> None:
    clock, log = Clock(), []
    for priority in reversed(Priority):
        for rank in (2, 0, 1):
            clock.schedule(7, ranked(priority, rank), log.append, (priority, rank))
    clock.run(until=7)
    assert log == [(priority, rank) for priority in Priority for rank in (0, 1, 2)]
