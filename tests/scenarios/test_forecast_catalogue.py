"""The forecast that admission uses against the twin with its agents, over a catalogue of generated scenarios.

Every scenario is run from an empty network, request after request with seeds of their own, until the first pair; the times are
compared with the points of the law that is in the forecast (Kolmogorov-Smirnov, at these points), and the mean of the told fidelities
with its mean. Where the forecast is itself a sample, its size counts, too. What a law says of itself is allowed on top: the rounding
of its times (`grain`), and the stated error of an approximation.

False alarms: seeds are fixed, so none can occur by chance. With fresh seeds a right forecast of all 240 scenarios would fail with a
probability of 1e-6 (Bonferroni over scenarios and over the two comparisons of each; fidelities by a normal law).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from quantum_fabric import documents
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Delivered, DeliveryLaw, Forecast
from quantum_fabric.network.forecast import forecast
from quantum_fabric.units import SECOND
from scenario_catalogue import COUNT, SEED, Scenario, catalogue, scenario

RUNS = 150
ALARM = 1e-6 / (2 * COUNT)
SIGMAS = NormalDist().inv_cdf(1.0 - ALARM / 2.0)
DOUBT = 0.05
"""Share of samples that stray further than a sampled law states (`network.delivery`)."""

QUICKLY = range(0, COUNT, 7)
"""Scenarios that are run each time; the others are slow."""

EXACT = ("closed form", "convolution", "Markov chain")


def firsts(each: Scenario, number: int, use: Callable[[Any], None]) -> tuple[np.ndarray, np.ndarray]:
    """Times (ps) and told fidelities of the first deliveries of so many runs, sorted by time."""
    inventory = each.inventory()
    use(each.plan(inventory))
    found: list[tuple[int, float]] = []
    for run in range(RUNS):
        fabric = Fabric(inventory, seed=10_000 * number + run)
        before = len(found)
        fabric.watch(
            lambda time, _place, message: found.append((message.delivered_at, message.fidelity)), Delivered
        )
        fabric.submit(each.request())
        fabric.run(10**4 * SECOND, stop=lambda before=before: len(found) > before)
        assert len(found) == before + 1
    found.sort()
    times, fidelities = zip(*found, strict=True)
    return np.array(times, dtype=np.int64), np.array(fidelities)


def distance(times: np.ndarray, law: DeliveryLaw) -> float:
    """Most by which the shares of the sample differ from those of a law at its points, times free by its grain."""
    worst = 0.0
    for at, share in zip(law.times, law.shares, strict=True):
        least = np.searchsorted(times, at - law.grain, side="right") / len(times)
        most = np.searchsorted(times, at + law.grain, side="right") / len(times)
        worst = max(worst, least - share, share - most)
    return worst


def allowed(law: DeliveryLaw) -> float:
    """What a right law may differ by."""
    root = 1.0 / RUNS
    stated = law.error
    if law.method not in EXACT:
        root += 2.0 * law.error**2 / math.log(2.0 / DOUBT)
        stated = 0.0
    return math.sqrt(math.log(2.0 / ALARM) / 2.0 * root) + stated


def mean_fidelity(law: DeliveryLaw) -> float:
    """Mean over the law; its tail is like its last points."""
    weights = np.diff([0.0, *law.shares[:-1], 1.0])
    return float(weights @ np.array(law.fidelities))


def agrees(number: int, use: Callable[[Any], None]) -> None:
    each = scenario(number)
    inventory = each.inventory()
    expected: Forecast = forecast(documents.topology(inventory), each.plan(inventory))
    law = expected.law
    if law is None:
        pytest.skip("delivers nothing in its rehearsal, so there is nothing to compare")
    times, fidelities = firsts(each, number, use)
    assert distance(times, law) < allowed(law), (each.name, law.method, law.reasons)
    error = float(fidelities.std(ddof=1)) / math.sqrt(RUNS)
    sampled = 0.0
    if law.method == "rehearsal" or each.path[2:]:  # states by time may be a sample of a few hundred
        sampled = float(fidelities.std(ddof=1)) * math.sqrt(2.0 * law.error**2 / math.log(2.0 / DOUBT) + 1e-3)
    model = 0.006 if law.reasons else 1e-4
    assert abs(float(fidelities.mean()) - mean_fidelity(law)) < SIGMAS * math.hypot(error, sampled) + model


@pytest.mark.parametrize("number", QUICKLY, ids=lambda number: scenario(number).name)
def test_the_twin_delivers_as_the_law_says(number: int, planned: Callable[[Any], None]) -> None:
    agrees(number, planned)


@pytest.mark.soak
@pytest.mark.parametrize("number", [n for n in range(COUNT) if n not in QUICKLY])
def test_every_other_scenario_of_the_catalogue(number: int, planned: Callable[[Any], None]) -> None:
    agrees(number, planned)


def test_the_catalogue_covers_what_it_says() -> None:
    """At least 200 scenarios; every value of every choice, and every pair of topology and link."""
    made = catalogue()
    assert len(made) == COUNT >= 200
    assert catalogue(5) == made[:5] == catalogue(5, SEED)
    assert catalogue(5, SEED + 1) != made[:5]
    words = [set(each.name.split(", ")[1:]) for each in made]
    for word in ("line", "star", "ring", "grid", "tree", "asap", "nested", "swaps fail", "cutoff 0.7", "1 end_rounds",
                 "1 inner", "2 rounds", "alike", "unequal", "memory.decay", "memory.retrieval", "3 lanes"):  # fmt: skip
        assert sum(word in each for each in words) >= 3, word
    kinds = {
        (next(iter(each.name.split(", ")[1:2])), each.name.split(" x ")[1].split(",")[0]) for each in made
    }
    assert len(kinds) == 25


def test_the_comparison_can_fail(planned: Callable[[Any], None]) -> None:
    """A law that is wrong by a quarter of its times is found out."""
    each = scenario(10)
    inventory = each.inventory()
    law = forecast(documents.topology(inventory), each.plan(inventory)).law
    assert law is not None
    times, _ = firsts(each, 10, planned)
    assert distance(times, law) < allowed(law)
    assert distance((times * 1.6).astype(np.int64), law) > allowed(law)
