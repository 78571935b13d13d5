"""Chains that swap as soon as they can, where swaps may fail and halves that wait too long are cut off: events, but few and short.

With one memory for each end of a link, and every partner allowed, a repeater swaps when both its halves are heralded, whoever their
partners are. What it knows of the rest of the chain decides only where it sends word when the chain breaks. News is sent on by those
that have swapped, and delays add up along the path, so that word comes to the outermost half of what is left as if it had been sent
there, wherever it was sent first. What remains of the process:

    emission     i: as in `max_plus`, from when both its memories were let go
    swap         k: after both heralds, plus its duration; it fails with its probability, or if word of a loss came meanwhile
    cutoff       of a repeater's half that still waits
    word         of a loss, to the other end of what was a chain: that half is let go, at once, at the end of its swap, or when
                 it is heralded; where it was swapped before word came, word goes on
    delivery     at an end: after its herald, and the news of every swap

Word of success is not sent: when the last swap is done, the times at which both ends know all of the chain follow from those of its
swaps. No word of a loss can be on its way in a whole chain, since each break has two sides and the chain has neither. What heralds and
swaps announce of the state is drawn when a pair is whole.

The kernel's order of classes is kept where moments are the same (word, heralds, swaps, cutoffs). Events of one class at one moment
commute here: two swaps at neighbours, without delays, of which one fails, let go of the same halves in either order.
"""

from __future__ import annotations

from typing import Any, Final

from quantum_fabric.montecarlo.results import Results
from quantum_fabric.montecarlo.samplers.chain import (
    EVERY,
    NOISE,
    Asked,
    announced_by_link,
    announced_by_swap,
    answered,
    armed,
    path_of,
    products,
    question,
    shared_objections,
    success,
    unlike,
)
from quantum_fabric.montecarlo.scenario import Scenario

TITLE: Final = "short events"

CONDITION: Final = f"{EVERY}; repeaters, 1 to 127 of them, that swap as soon as they can"

MOST_LINKS: Final = 128

RAREST: Final = 2.0**44
"""ps that a link may need for a pair on average: times are counted in 51 bits."""


def objections(scenario: Scenario) -> tuple[str, ...]:
    """What keeps short events from being this scenario, in words."""
    found = shared_objections(scenario, cutoffs=True)
    if found:
        return found
    path = path_of(scenario)
    if not 2 <= path.links <= MOST_LINKS:
        return ("no repeater" if path.links < 2 else f"more than {MOST_LINKS} links",)
    if any(path.partners(k) != (0, k, k + 1, path.links + 1) for k in range(1, path.links)):
        return ("swaps that wait for a partner",)
    if (path.noise[1:-1, NOISE["swap_success"]] <= 0.0).any():
        return ("a swap that never succeeds",)
    if any(
        row[1] > RAREST * row[0] or min(row[5] - row[3], row[6] - row[4]) < 0.0 for row in path.link_rows()
    ):
        return ("links that hardly ever succeed, or are heard of before they emit",)
    return ()


def tables(scenario: Scenario, asked: Asked) -> dict[str, Any]:
    """The chain of a scenario without `objections`, as the kernel takes it."""
    path = path_of(scenario)
    begin, swaps, cutoffs = armed(scenario, path), path.swap_times(), path.column("cutoff")
    alike = next(unlike(path), None) is None
    true, believed = products(path) if alike else ([1.0] * 3, [1.0] * 3)
    return {
        **question(scenario, path, asked),
        "stations": [
            [
                *path.rates(k),
                begin[k],
                float(swaps[k]),
                success(path, k),
                float(path.along[k]),
                float(cutoffs[k]),
            ]
            for k in range(path.links + 1)
        ],
        "heralds": [announced_by_link(path, link) for link in range(path.links)],
        "swaps": [announced_by_swap(path, k) for k in range(path.links + 1)],
        "alike": alike,
        "factors": true,
        "believed": believed,
    }


def run(scenario: Scenario, asked: Asked) -> Results:
    """Sample a scenario without `objections`.

    Raises:
        StateError: the native kernel is not installed.
    """
    return answered("asap", TITLE, scenario, asked, tables(scenario, asked))
