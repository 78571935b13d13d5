"""Chains in which nothing fails: every delivery is the latest of earlier times plus constants and geometric waits.

With one memory for each end of a link, pairs pass in strict order: the j-th pair of each link goes into the j-th delivery. So the
times of round j follow from those of round j-1 by maxima and sums alone (max-plus algebra), in any order of swaps and with messages
that take time:

    emission      i: on the grid of link i, G_i periods after both its ends were armed, G_i geometric
    swap          k: after both heralds, and after the news that its rule waits for, plus the duration of the swap
    delivery at an end: after its herald, and the news of every swap
    armed again:  a repeater's two memories at its swap, an end's memory at its delivery

Correlators multiply along the way, so the logarithm of each is a sum of waiting times, of what is true and of what is believed.

Reference: Baccelli, Cohen, Olsder, Quadrat, *Synchronization and Linearity* (1992), for the algebra; the recurrence is this project's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from quantum_fabric.montecarlo.results import Results
from quantum_fabric.montecarlo.samplers.chain import (
    LONGEST,
    NOISE,
    SHARED,
    Asked,
    Path,
    answered,
    armed,
    path_of,
    products,
    question,
    shared_objections,
    unlike,
)
from quantum_fabric.montecarlo.scenario import Scenario

TITLE: Final = "max-plus recurrence"

CONDITION: Final = (
    f"{SHARED}; swaps always succeed, and swaps and heralds leave the same state whatever they announce"
)


def objections(scenario: Scenario) -> tuple[str, ...]:
    """What keeps the recurrence from being this scenario, in words."""
    found = [*shared_objections(scenario)]
    if len(scenario.sessions) != 1 or scenario.states != "bell-diagonal":
        return tuple(found)
    path = path_of(scenario)
    found += _of_states(path)
    if not found:
        found += _of_order(path)
    if not found and _expected(scenario, path) > LONGEST:
        found.append("a run may take longer than doubles can count in picoseconds")
    return tuple(found)


def _of_states(path: Path) -> Iterator[str]:
    if (path.noise[1:-1, NOISE["swap_success"]] < 1.0).any():
        yield "swaps that may fail"
    yield from unlike(path)


def _of_order(path: Path) -> Iterator[str]:
    """A rule must wait for its news only, and the partner that it has then must be one that it allows."""
    for k in range(1, path.links):
        low, _, _, past = path.partners(k)
        allowed = low == 0 or k in _waits(path, low)
        if not allowed or not (past - 1 == path.links or k in _waits(path, past - 1)):
            yield "swaps that may come too late for their own rule"
            return
    if _order(path) is None:
        yield "swaps that wait for each other"


def _waits(path: Path, k: int) -> list[int]:
    """The repeaters whose news a repeater's rule waits for."""
    _, lefts_to, rights_from, _ = path.partners(k)
    return [*range(lefts_to, k), *range(k + 1, rights_from)]


def _order(path: Path) -> list[int] | None:
    """Repeaters, each after those that it waits for; None where there is no such order."""
    left = {k: set(_waits(path, k)) for k in range(1, path.links)}
    found: list[int] = []
    while left:
        free = [k for k, waits in left.items() if waits.isdisjoint(left)]
        if not free:
            return None
        found += free
        for k in free:
            del left[k]
    return found


def _expected(scenario: Scenario, path: Path) -> float:
    """More than a run takes on average, ps."""
    fixed = 4.0 * float(path.along.max() + path.home.max()) + float(path.swap_times().sum())
    each = fixed + sum(row[1] * (1.0 + 1.0 / row[0]) + row[5] + row[6] for row in path.link_rows())
    return scenario.sessions[0].at + scenario.sessions[0].pairs * each


def _news(path: Path) -> list[list[tuple[int, float]]]:
    """For each station: whose news it waits for, and how long that travels."""
    repeaters = list(range(1, path.links))
    needed = [repeaters, *(_waits(path, k) for k in repeaters), repeaters]
    return [[(m, float(abs(path.along[m] - path.along[k]))) for m in waits] for k, waits in enumerate(needed)]


def tables(scenario: Scenario, asked: Asked) -> dict[str, Any]:
    """The recurrence of a scenario without `objections`, as the kernel and `quantum_fabric.montecarlo.samplers.arrays` take it.

    Rows of ``links`` are success, period, phase, born and heard at both ends; of ``stations`` true and believed rates per ps across
    and along the Z axis, when memories are armed first, and how long a swap takes; times in ps.
    """
    path = path_of(scenario)
    begin = armed(scenario, path)
    swaps = path.swap_times()
    true, believed = products(path)
    return {
        **question(scenario, path, asked),
        "stations": [[*path.rates(k), begin[k], float(swaps[k])] for k in range(path.links + 1)],
        "news": _news(path),
        "order": _order(path),
        "factors": true,
        "believed": believed,
    }


def run(scenario: Scenario, asked: Asked) -> Results:
    """Sample a scenario without `objections`.

    Raises:
        StateError: the native kernel is not installed, or a run takes longer than times are exact for.
    """
    return answered("max_plus", TITLE, scenario, asked, tables(scenario, asked))
