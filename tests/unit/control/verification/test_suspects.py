"""Who spoils pairs: found, named rightly, and nobody else."""

from __future__ import annotations

from random import Random

import pytest

from quantum_fabric.control.verification.readout import Contrast
from quantum_fabric.control.verification.segments import segment
from quantum_fabric.control.verification.suspects import Element, Suspects, Suspicion
from quantum_fabric.control.verification.suspects import tests_until as foretold_tests
from quantum_fabric.errors import InputError

PATH = "ABCDE"
SEEN = Contrast(0.96, 0.0, 0.0)
KEY = "5c" * 32


def elements(i: int, j: int) -> list[Element]:
    return [("node", name) for name in PATH[i + 1 : j]] + [
        ("link", PATH[n] + PATH[n + 1]) for n in range(i, j)
    ]


def hunt(
    factors: dict[Element, float], seed: int, limit: int, honest: int = 0
) -> tuple[Suspicion | None, int]:
    dice, suspects = Random(seed), Suspects(9, 1e5, 0.95)
    for number in range(limit):
        i, j = (PATH.index(end) for end in segment(KEY, PATH, number + 1000 * seed))
        correlator = true = 0.95 ** (j - i)
        for element in elements(i, j):
            true *= factors.get(element, 1.0) if number >= honest else 1.0
        suspects.observe(elements(i, j), dice.random() < SEEN.agreement(true), correlator, SEEN)
        found = suspects.named()
        if found is not None:
            return found, number
    return None, limit


@pytest.mark.parametrize("culprit", [("node", "B"), ("node", "C"), ("node", "D"), ("link", "BC")])
def test_the_right_one_is_named(culprit: Element) -> None:
    """A wrong name has a chance below 1 % each (`SURE`); with these seeds there is none."""
    for seed in range(5):
        found, _ = hunt({culprit: 0.3}, seed, 3000)
        assert found is not None
        assert found.element == culprit


def test_nobody_is_named_while_all_is_as_believed_or_harmless() -> None:
    for factors in ({}, {("node", "C"): 0.95}):
        for seed in range(3):
            assert hunt(factors, seed, 2000)[0] is None


def test_a_liar_that_was_honest_for_long_is_found_as_soon() -> None:
    at_once = sum(hunt({("node", "C"): 0.0}, seed, 3000)[1] for seed in range(5)) / 5
    later = sum(hunt({("node", "C"): 0.0}, seed, 6000, honest=4000)[1] - 4000 for seed in range(5)) / 5
    assert 0 < later < 2 * at_once


def test_delay_is_near_the_formula() -> None:
    """Median of 25 hunts within a factor of 2; the formula knows nothing of overshoot, nor that the liar must stand out."""
    delays = sorted(hunt({("node", "C"): 0.4}, seed, 9000)[1] for seed in range(25))
    passing = 4 / 10  # parts of the path in which C swaps
    threshold = Suspects(9, 1e5, 0.95).threshold
    kinds = [(i, j) for i in range(2) for j in range(3, 5)]
    expected = (
        sum(
            foretold_tests(
                threshold, SEEN.agreement(0.95 * 0.95 ** (j - i)), SEEN.agreement(0.4 * 0.95 ** (j - i))
            )
            for i, j in kinds
        )
        / len(kinds)
        / passing
    )
    assert expected / 2 < delays[12] < 2 * expected


def test_one_path_alone_shows_that_something_is_wrong_but_not_who_it_is() -> None:
    dice, suspects = Random(1), Suspects(9, 1e5, 0.95)
    for _ in range(400):
        suspects.observe(elements(0, 4), dice.random() < 0.6, 0.8, SEEN)
    assert suspects.alarmed
    assert suspects.named() is None
    assert max(suspects.weights().values()) == pytest.approx(1 / 7)


def test_who_was_named_is_named_once_and_may_be_cleared() -> None:
    suspects = Suspects(3, 1e3, 0.95)
    bad: Element = ("node", "B")

    def feed() -> list[Suspicion]:
        found = []
        for number in range(100):
            suspects.observe([bad], number % 2 == 0, 0.95, SEEN)
            found.append(suspects.named())
        return [each for each in found if each is not None]

    assert [each.element for each in feed()] == [bad]
    assert feed() == []
    suspects.clear(bad)
    assert suspects.evidence(bad) == 0.0
    assert len(feed()) == 1


def test_segments_are_even_and_need_a_key() -> None:
    drawn = [segment(KEY, "ABCD", number) for number in range(6000)]
    for part in set(drawn):
        # five standard deviations of a count with chance 1/6: by chance once in 1.7 million
        assert abs(drawn.count(part) - 1000) < 5 * (6000 * 5 / 36) ** 0.5
    assert len(set(drawn)) == 6
    assert drawn != [segment("5d" * 32, "ABCD", number) for number in range(6000)]
    for key, path in (("xy", "AB"), ("00", "AB"), (KEY, "A")):
        with pytest.raises(InputError):
            segment(key, path, 0)
