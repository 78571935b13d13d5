"""Honest fidelity: how often intervals hold the truth, what they cost, how soon a lie is noticed and whether the right one is named.

A session has a truth that nobody tells the estimator: losses that are off by as much as calibrations may be or by far more, that
wander, grow or jump. Worlds differ in how many sessions of each kind they have; in every world the intervals are to hold the truth in
93 to 97 % of the sessions. The estimator is told nothing of the world: it begins with the same weights in each, and learns.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.control import fidelity_jumps
from benchmarks.records import Goal, Row
from quantum_fabric import Fabric, documents
from quantum_fabric.control.verification import Verification
from quantum_fabric.control.verification.estimator import Estimator
from quantum_fabric.control.verification.experience import Experience
from quantum_fabric.control.verification.liar import Lie, left_over
from quantum_fabric.control.verification.readout import Contrast
from quantum_fabric.control.verification.segments import segment
from quantum_fabric.control.verification.suspects import Suspects, tests_until
from quantum_fabric.messages import Delivered, LinkRequest, Tested, Truth, Verified
from quantum_fabric.units import SECOND

if TYPE_CHECKING:
    from benchmarks.run import Run

TOLERANCE = 0.05
POLICY = Verification()
KEPT, SPREAD = 0.96, 0.01
"""Contrast of the two readouts, and by how much its belief is off (relative standard deviation)."""

KINDS = {
    "as calibrated": (1.0, False), "as calibrated, wandering": (1.0, True), "4 tolerances off": (4.0, False),
    "4 tolerances off, wandering": (4.0, True), "losses of the right order": (0.0, False),
    "losses of the right order, wandering": (0.0, True), "nothing as believed": (-1.0, False), "growing steadily": (1.0, False),
    "jumping once": (1.0, False),
}  # fmt: skip
"""By kind of session: how many tolerances its losses are off (0: factors of 2; -1: any correlators), and whether they wander."""

WORLDS = {
    "mixed": (35, 25, 10, 10, 5, 5, 10, 0, 0),
    "mostly calibrated": (45, 30, 5, 5, 2, 3, 3, 5, 2),
    "mostly wrong": (15, 15, 15, 15, 10, 10, 10, 5, 5),
}
"""Percent of each kind, in the order of `KINDS`."""

PATH = ("A", "B", "C", "D", "E")
LIAR = "C"


@dataclass(frozen=True, slots=True)
class Seen:
    """One session at its end: whether the intervals held the truth, how wide they were, what was found."""

    kind: str
    held: bool
    measured_held: bool
    width: float
    measured_width: float
    tests: int
    doubts: tuple[str, ...]


def rows(run: Run) -> list[Row]:
    """Coverage in three worlds, by kind and around a sudden change, spend, and lies."""
    count = 60 if run.quick else 700
    out, everything = [], []
    for number, (world, shares) in enumerate(WORLDS.items()):
        run.progress(f"fidelity intervals: {world}")
        seen = sessions(count, shares, seed=number)
        everything += seen
        out.append(_coverage(f"control/fidelity/world/{world}", seen, goal=True))
    out += [
        _coverage(f"control/fidelity/kind/{kind}", [each for each in everything if each.kind == kind])
        for kind in KINDS
    ]
    run.progress("sudden changes")
    out += fidelity_jumps.rows(10 if run.quick else 150)
    run.progress("fidelity intervals on the twin")
    out += on_the_twin(1 if run.quick else 4)
    lied = (0.4, 1.0) if run.quick else (0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
    for lie in Lie:
        run.progress(f"a lying repeater: {lie.value}")
        out += [lying(lie, share, 5 if run.quick else 30) for share in lied]
    run.progress("honest repeaters")
    return [*out, honest(2 if run.quick else 5, 1000 if run.quick else 10_000)]


# --------------------------------------------------------------------------------------------- coverage


def sessions(count: int, shares: tuple[int, ...], seed: int) -> list[Seen]:
    """So many sessions of a world."""
    rng = np.random.default_rng([seed, 17])
    chance = np.array(shares) / sum(shares)
    experience = Experience(POLICY.jumps)
    return [one_session(str(rng.choice(list(KINDS), p=chance)), rng, experience) for _ in range(count)]


def one_session(kind: str, rng: np.random.Generator, experience: Experience) -> Seen:
    """20 to 600 tests in half an hour to eight hours, with calibrations up to four hours old."""
    believed = np.exp(-rng.uniform(0.03, 0.4, 3) * np.array([1.0, 1.0, rng.uniform(0.5, 1.0)]))
    quality = (float(believed[0]), float(believed[1]), float(believed[2]))
    tests = int(np.exp(rng.uniform(log(20), log(600))))
    hours, age = rng.uniform(0.5, 8.0), rng.uniform(0.0, 4.0)
    truth = _truth(kind, believed, hours * np.arange(tests) / tests, age, rng)
    estimator = Estimator(
        POLICY, TOLERANCE, int(age * 3600 * SECOND), 0, experience.weights, experience.jumps
    )
    kept = KEPT * (1.0 + SPREAD * rng.standard_normal())
    contrast = Contrast(KEPT, 0.0, SPREAD)
    doubts: list[str] = []
    for number, correlators in enumerate(truth):
        basis = int(rng.integers(3))
        agree = bool(rng.random() < 0.5 * (1.0 + kept * correlators[basis]))
        at = int(hours * 3600 * SECOND * number / tests)
        doubts += [found.cause for found in estimator.observe(basis, agree, quality, contrast, at)]
    now = (1.0 + float(truth[-1].sum())) / 4.0
    outlook = estimator.belief.outlook(quality)
    experience.learn(estimator)
    return Seen(
        kind,
        outlook.low <= now <= outlook.high,
        outlook.measured_low <= now <= outlook.measured_high,
        outlook.high - outlook.low,
        outlook.measured_high - outlook.measured_low,
        tests,
        tuple(doubts),
    )


def _truth(
    kind: str, believed: NDArray[np.float64], times: NDArray[np.float64], age: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """True correlators at each test, computed without anything of the estimator."""
    off, wanders = KINDS[kind]
    if off < 0.0:
        return np.tile(_bell_diagonal(rng), (len(times), 1))
    scale = sqrt((off * TOLERANCE / 2 if off else 0.7) ** 2 + POLICY.drift**2 * age)
    x = scale * _three(rng) + np.zeros((len(times), 3))
    step = times[1] - times[0]
    if wanders:
        x += np.cumsum([POLICY.drift * sqrt(step) * _three(rng) for _ in times], axis=0)
    if kind == "growing steadily":
        x += (rng.uniform(0.0, 0.6) * times / times[-1])[:, None]
    if kind == "jumping once":
        x += np.where(times > rng.uniform(0.2, 0.8) * times[-1], rng.uniform(0.5, 1.5), 0.0)[:, None]
    loss = -np.log(believed) * np.exp(x) + 0.01 * np.expm1(x)
    return np.exp(-np.maximum(loss, 0.0))


def _three(rng: np.random.Generator) -> NDArray[np.float64]:
    """Three standard normals of which every two are correlated by a half."""
    return sqrt(0.5) * (rng.standard_normal() + rng.standard_normal(3))


def _bell_diagonal(rng: np.random.Generator) -> NDArray[np.float64]:
    """Correlators of a pair whose weights are anything: even in the simplex, the announced state first among equals."""
    weights = rng.dirichlet((2.0, 1.0, 1.0, 1.0))
    signs = np.array([[1, -1, 1, -1], [1, -1, -1, 1], [1, 1, -1, -1]])
    found: NDArray[np.float64] = signs @ weights
    return found


def _coverage(name: str, seen: list[Seen], goal: bool = False) -> Row:
    share = 100.0 * sum(each.held for each in seen) / max(len(seen), 1)
    off = 100.0 * 1.96 * sqrt(max(share / 100 * (1 - share / 100), 1e-9) / max(len(seen), 1))
    return Row(
        name=name,
        quantity="points from 95 % coverage",
        ours=abs(share - 95.0),
        goal=Goal(2.0) if goal else None,
        details={
            "sessions": len(seen),
            "coverage": share,
            "error": off,
            "measured": 100.0 * sum(each.measured_held for each in seen) / max(len(seen), 1),
            "width": float(np.mean([each.width for each in seen])),
            "measured_width": float(np.mean([each.measured_width for each in seen])),
            "calibration": 100.0 * sum("calibration" in each.doubts for each in seen) / max(len(seen), 1),
            "change": 100.0 * sum("change" in each.doubts for each in seen) / max(len(seen), 1),
        },
    )


# ---------------------------------------------------------------------------------------------- the twin


def on_the_twin(runs: int) -> list[Row]:
    """Sessions of 20,000 pairs on Chicago's network: spend, and the last interval against what the last pairs truly were."""
    network = documents.inventory(documents.load_network("chicago"))
    tests = pairs = held = 0
    for seed in range(runs):
        fabric = Fabric(network, seed=seed, verification=POLICY)
        truths: list[float] = []
        fabric.watch(lambda _time, _place, record, to=truths: to.append(record.weights[0]), Truth)
        request = LinkRequest("NU", "UChicago_PME", 0.9, pairs=20_000)
        name = fabric.submit(request)
        fabric.run(100_000 * SECOND, stop=lambda fabric=fabric: not fabric.open_requests)  # type: ignore[misc]
        replies = fabric.replies(name)
        spent = sum(isinstance(each, Tested) for each in replies)
        tests += spent
        pairs += spent + sum(isinstance(each, Delivered) for each in replies)
        last = next(each for each in reversed(replies) if isinstance(each, Verified))
        held += last.low <= sum(truths[-2000:]) / len(truths[-2000:]) <= last.high
    return [
        Row(
            name="control/fidelity/spend",
            quantity="% of pairs spent on tests",
            ours=100.0 * tests / pairs,
            goal=Goal(2.0),
            details={"pairs": pairs, "tests": tests, "sessions": runs, "held": held},
        )
    ]


# ------------------------------------------------------------------------------------------------- lies


def lying(lie: Lie, share: float, runs: int) -> Row:
    """A chain of five nodes whose middle one lies: tests of random parts of it until somebody is named."""
    factors = left_over(lie, share)
    waits, right = [], 0
    for seed in range(runs):
        found, tests = _hunt(factors, seed, 100_000)
        waits.append(tests)
        right += found == ("node", LIAR)
    suspects = _suspects()
    passing = sum(LIAR in PATH[i + 1 : j] for i in range(5) for j in range(i + 1, 5)) / 10
    waited = [
        tests_until(suspects.threshold, _agreement(q, POLICY.harmless), _agreement(q, factor))
        for factor in factors
        for q in (0.95**3,)
    ]
    rate = sum(1.0 / each for each in waited) / 3
    return Row(
        name=f"control/fidelity/lie/{lie.value}/{share:g}",
        quantity="tests until named",
        ours=float(np.median(waits)),
        goal=None,
        peer=1.0 / rate / passing if rate > 0.0 else None,
        peer_name="formula",
        details={
            "right": 100.0 * right / runs,
            "p90": float(np.quantile(waits, 0.9)),
            "runs": runs,
            "share": share,
        },
    )


def honest(runs: int, tests: int) -> Row:
    """The same where nobody lies, and every link is as bad as is harmless: how often somebody is named."""
    found = [_hunt(None, seed, tests)[0] for seed in range(runs)]
    return Row(
        name="control/fidelity/lie/nobody",
        quantity="times somebody was named",
        ours=float(sum(each is not None for each in found)),
        goal=None,
        details={"tests": runs * tests, "mean_tests": POLICY.suspicion},
    )


def _suspects() -> Suspects:
    return Suspects(len(PATH) + len(PATH) - 1, POLICY.suspicion, POLICY.harmless)


def _agreement(correlator: float, factor: float) -> float:
    return Contrast(KEPT, 0.0, 0.0).agreement(factor * correlator)


def _hunt(
    factors: tuple[float, float, float] | None, seed: int, limit: int
) -> tuple[tuple[str, str] | None, int]:
    """Who is named, and after how many tests; with no factors nobody lies."""
    dice, suspects, contrast = Random(seed), _suspects(), Contrast(KEPT, 0.0, 0.0)
    key = f"{seed:064x}"
    for number in range(limit):
        one, other = segment(key, PATH, number)
        i, j = PATH.index(one), PATH.index(other)
        basis = dice.randrange(3)
        correlator = 0.95 ** (j - i)
        lies = factors is not None and LIAR in PATH[i + 1 : j]
        true = correlator * (factors[basis] if lies and factors is not None else 1.0)
        elements = [("node", name) for name in PATH[i + 1 : j]] + [("link", PATH[n]) for n in range(i, j)]
        suspects.observe(elements, dice.random() < contrast.agreement(true), correlator, contrast)
        found = suspects.named()
        if found is not None:
            return found.element, number + 1
    return None, limit
