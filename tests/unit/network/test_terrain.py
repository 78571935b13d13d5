"""A path for the quick look: what is kept of it, and the lanes that change its numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.unit.network.believed import KnobLink, fixed, line, node

from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.network.chain import chain
from quantum_fabric.network.paths import Path
from quantum_fabric.network.surely import track
from quantum_fabric.network.terrain import MOST_KEPT, terrain
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics.noise import MemoryNoise
from quantum_fabric.units import MS

ROW = Path(("A", "B", "C"), ("A~B", "B~C"))


def taking_turns() -> Topology:
    """Two lanes of a link fit into its period, a third makes it longer."""
    weights = (0.95, 0.03, 0.02, 0.0)
    return line(FixedLink(0.1, weights, MS, cycle=MS // 2), FixedLink(0.2, weights, MS), t2=1.0)


@pytest.mark.parametrize("lanes", [(1, 1), (2, 9), (3, 1), (7, 7)])
def test_lanes_that_take_turns_change_the_period(lanes: tuple[int, int]) -> None:
    topology = taking_turns()
    along = terrain(topology, ROW)
    found = along.track(lanes, 0).cautious(lanes)
    told = track(chain(topology, along.scheme(lanes, 0))).cautious(lanes)
    assert found.rate == pytest.approx(told.rate, rel=1e-12)
    assert found.usual == pytest.approx(told.usual, abs=1e-12)


def test_lanes_that_fit_share_the_arrays() -> None:
    along = terrain(taking_turns(), ROW)
    assert along.track((1, 1), 0) is along.track((2, 9), 0)
    assert along.track((3, 1), 0) is not along.track((2, 9), 0)
    assert along.caps == [2, 32]


def test_memories_that_do_not_decay_exponentially_are_asked_with_their_lanes() -> None:
    noise = MemoryNoise(math.inf, 1.0, attempt_dephasing=1e-3)
    nodes = [replace(node(name), memory=noise) for name in "ABC"]
    topology = line(fixed(), fixed(), nodes=nodes)
    along = terrain(topology, ROW)
    assert along.uneven
    slow, busy = (along.track(lanes, 0).cautious(lanes) for lanes in ((1, 1), (2, 2)))
    assert slow.usual != busy.usual


def test_all_links_turn_their_knobs_together() -> None:
    topology = line(KnobLink(0.5), fixed(), t2=5.0)  # type: ignore[arg-type]
    along = terrain(topology, ROW)
    first, last = (along.scheme((1, 1), step).settings for step in (0, along.steps - 1))
    assert first[0] != last[0]
    assert first[1] is last[1] is None


def test_no_more_paths_are_kept_than_so_many() -> None:
    topology = taking_turns()
    kept = terrain(topology, ROW)
    assert terrain(topology, Path(ROW.nodes, ROW.links)) is kept
    book = topology.kept["terrain"]
    assert isinstance(book, dict)
    book.update(dict.fromkeys(range(MOST_KEPT)))
    assert terrain(topology, Path(("A", "B"), ("A~B",))) is not kept
    assert len(book) == 1
