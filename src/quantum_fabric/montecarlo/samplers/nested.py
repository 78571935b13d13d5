"""Chains whose swaps form a tree and may fail: each part's next pair is worked out when the swap above it asks for it.

With one memory for each end of a link, and one partner allowed on each side of every swap, the j-th pair of a part goes into the j-th
attempt of the swap above it, whatever becomes of that. So a pair of the whole chain is a recursion down the tree:

    a link's pair:    on its grid, G periods after both its memories were let go, G geometric
    a part's pair:    the pairs of its two halves, a swap once the repeater knows of both; if it fails, both halves anew
    memories let go:  a repeater's two at its swap, an end's when it is told of a failure or delivers

Links in the middle may start long before the part above them asks: both their memories are free from the swaps on. The textbook
recursion (all of a part starts anew when the swap above it fails: Brand, Coopmans, Elkouss, IEEE JSAC 38, 619, 2020) leaves this out.
It is the same process up to four links, where every link of a waiting part has a memory that is held; from five on it is slower, by 1
to 3 % in the mean at 8 and 16 links (``tests/unit/montecarlo/test_nested.py``). This recursion keeps for each memory when it was let
go, and is the agents' process for any number of links.
"""

from __future__ import annotations

from typing import Any, Final

from quantum_fabric.montecarlo.results import Results
from quantum_fabric.montecarlo.samplers.chain import (
    LONGEST,
    NOISE,
    SHARED,
    Asked,
    Path,
    announced_by_link,
    announced_by_swap,
    answered,
    armed,
    path_of,
    question,
    shared_objections,
    success,
)
from quantum_fabric.montecarlo.scenario import Scenario

TITLE: Final = "nested recursion"

CONDITION: Final = f"{SHARED}; each swap takes one partner on each side, so that swaps form a tree"

Part = tuple[int, int, int, int, int]
"""First and last station, the station that joins (-1 for a link), and the two parts that it joins, by number."""


def objections(scenario: Scenario) -> tuple[str, ...]:
    """What keeps the recursion from being this scenario, in words."""
    found = shared_objections(scenario)
    if found:
        return found
    path = path_of(scenario)
    parts = _parts(path)
    if parts is None:
        return ("swaps that take more than one partner",)
    if (path.noise[1:-1, NOISE["swap_success"]] <= 0.0).any():
        return ("a swap that never succeeds",)
    if _expected(scenario, path, parts) > LONGEST:
        return ("a run may take longer than doubles can count in picoseconds",)
    return ()


def _parts(path: Path) -> list[Part] | None:
    """The tree, each part after those that it joins; None where the rules make none."""
    joints: dict[tuple[int, int], int] = {}
    for k in range(1, path.links):
        lefts_from, lefts_to, rights_from, rights_to = path.partners(k)
        if lefts_to != lefts_from + 1 or rights_to != rights_from + 1:
            return None
        joints[lefts_from, rights_from] = k
    if len(joints) != path.links - 1:
        return None
    found: list[Part] = []
    todo = [(0, path.links, False)]
    places: dict[tuple[int, int], int] = {}
    while todo:
        low, high, ready = todo.pop()
        joint = joints.get((low, high), -1)
        if high > low + 1 and not low < joint < high:
            return None
        if joint >= 0 and not ready:
            todo += [(low, high, True), (low, joint, False), (joint, high, False)]
            continue
        halves = (places[low, joint], places[joint, high]) if joint >= 0 else (-1, -1)
        places[low, high] = len(found)
        found.append((low, high, joint, *halves))
    return found


def _expected(scenario: Scenario, path: Path, parts: list[Part]) -> float:
    """More than a run takes on average, ps: as if halves were made one after the other."""
    rows = path.link_rows()
    fixed = 4.0 * float(path.along.max() + path.home.max()) + float(path.swap_times().sum())
    spans: list[float] = []
    for low, _, joint, left, right in parts:
        if joint < 0:
            row = rows[low]
            spans.append(fixed + row[1] * (1.0 + 1.0 / row[0]) + row[5] + row[6])
        else:
            spans.append(
                (spans[left] + spans[right] + fixed) / float(path.noise[joint, NOISE["swap_success"]])
            )
    return scenario.sessions[0].at + scenario.sessions[0].pairs * spans[-1]


def tables(scenario: Scenario, asked: Asked) -> dict[str, Any]:
    """The recursion of a scenario without `objections`, as the kernel takes it."""
    path = path_of(scenario)
    begin, swaps = armed(scenario, path), path.swap_times()
    return {
        **question(scenario, path, asked),
        "stations": [
            [*path.rates(k), begin[k], float(swaps[k]), success(path, k), float(path.along[k])]
            for k in range(path.links + 1)
        ],
        "heralds": [announced_by_link(path, link) for link in range(path.links)],
        "swaps": [announced_by_swap(path, k) for k in range(path.links + 1)],
        "parts": _parts(path),
    }


def run(scenario: Scenario, asked: Asked) -> Results:
    """Sample a scenario without `objections`.

    Raises:
        StateError: the native kernel is not installed, or a run takes longer than times are exact for.
    """
    return answered("nested", TITLE, scenario, asked, tables(scenario, asked))
