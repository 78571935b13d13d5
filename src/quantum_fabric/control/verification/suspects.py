"""Which repeater or link makes pairs worse than what is believed of it: tests of many paths, each repeater in some and not in others.

A pair between two honest ends, measured in bases that follow from a key which nobody between them has, cannot be made to look better
than it is. So whoever spoils pairs and cannot know which of them are tested, shows (Satoh et al. 2020, "Attacking the Quantum
Internet"). One path alone does not say who it is: all its tests pass the same repeaters. Tests of random parts of it do
(`quantum_fabric.control.verification.segments`): what passes the liar is below the product of its segments, the segments are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import exp, inf, log, log1p
from typing import Final, NamedTuple, TypeAlias

from quantum_fabric.control.verification.readout import Contrast

FACTORS: Final = (0.85, 0.7, 0.5, 0.25, 0.0, -0.33)
"""Lies that are weighed, evenly: factors that they leave of the correlators of a pair."""

SURE: Final = 0.99
"""Probability among all suspects from which on one is named."""

Element: TypeAlias = tuple[str, str]
"""("node", name) of a repeater that has swapped the pair, or ("link", name)."""


class Suspicion(NamedTuple):
    """Somebody is named.

    Attributes:
        element: who.
        weight: probability that it is this one, if it is exactly one.
        evidence: natural logarithm of how many times likelier the tests are with it.
        tests: that it had part in.
    """

    element: Element
    weight: float
    evidence: float
    tests: int


@dataclass(slots=True)
class _Record:
    """Of one element: logarithms of R by factor, and tests."""

    ratios: list[float] = field(default_factory=lambda: [-inf] * len(FACTORS))
    tests: int = 0

    @property
    def evidence(self) -> float:
        top = max(self.ratios)
        return top + log(sum(exp(each - top) for each in self.ratios) / len(self.ratios))


class Suspects:
    """What all tests of a controller say of its repeaters and links.

    Args:
        elements: how many there are to suspect.
        mean_tests: tests until somebody is named falsely, at least, in the mean, while nobody costs more than ``harmless``.
        harmless: factor on the correlators that is within what is believed.

    Equation:
        For each element and each factor f, with L the likelihood ratio of a test that it had part in, at f to that at ``harmless``:
        ``R ← (1 + R) L`` (Shiryaev 1963, Roberts 1966). Agreement is the less likely the smaller the factor, so the mean of L is
        at most 1 for every true factor from ``harmless`` up, and that of R at most the number of tests. So the mean time until
        the mean of R over f reaches (elements)·(mean_tests) for any element is at least ``mean_tests``, and a liar that was honest
        for long is not found later for it. A lie that leaves f is found after about ``log(threshold) / D`` tests that pass it,
        D the relative entropy of the two chances of agreement (`tests_until`).

    Limits:
        One culprit is looked for at a time. With two, the one with more evidence is named first.

    Examples:
        >>> suspects = Suspects(3, 1e4, 0.95)
        >>> perfect = Contrast(1.0, 0.0, 0.0)
        >>> for number in range(60):
        ...     suspects.observe([("node", "B"), ("node", "C")], number % 2 == 0, 0.95, perfect)
        ...     suspects.observe([("node", "C")], True, 0.95, perfect)
        >>> suspects.named().element
        ('node', 'B')
    """

    def __init__(self, elements: int, mean_tests: float, harmless: float) -> None:
        self.threshold = log(max(1, elements) * mean_tests)
        self._harmless = harmless
        self._records: dict[Element, _Record] = {}
        self._told: set[Element] = set()

    def observe(self, elements: Iterable[Element], agree: bool, correlator: float, seen: Contrast) -> None:
        """One test.

        Args:
            elements: repeaters that have swapped the pair, and its links.
            agree: its result.
            correlator: that was believed, of the basis of the test.
            seen: contrast of the two measurements.
        """
        chances = [seen.agreement(factor * correlator) for factor in (self._harmless, *FACTORS)]
        logs = [log(each if agree else 1.0 - each) for each in chances]
        for element in elements:
            record = self._records.setdefault(element, _Record())
            record.tests += 1
            record.ratios = [
                min(_one_more(old) + new - logs[0], 1e6)
                for old, new in zip(record.ratios, logs[1:], strict=True)
            ]

    def evidence(self, element: Element) -> float:
        """Natural logarithm of the evidence against an element; 0 where nothing is known."""
        record = self._records.get(element)
        return 0.0 if record is None else record.evidence

    def weights(self) -> dict[Element, float]:
        """Probability of each element, if it is exactly one of them."""
        evidence = {element: record.evidence for element, record in self._records.items()}
        top = max(evidence.values(), default=-inf)
        raw = {element: exp(each - top) for element, each in evidence.items()}
        return {element: each / sum(raw.values()) for element, each in raw.items()}

    def named(self) -> Suspicion | None:
        """Whoever has to be named now and has not been; None where it is nobody, or not clear who."""
        if not any(record.evidence >= self.threshold for record in self._records.values()):
            return None
        element, weight = max(self.weights().items(), key=lambda each: each[1])
        record = self._records[element]
        if weight < SURE or record.evidence < self.threshold or element in self._told:
            return None
        self._told.add(element)
        return Suspicion(element, weight, record.evidence, record.tests)

    @property
    def accused(self) -> tuple[str, ...]:
        """Names of whoever was named and not cleared since."""
        return tuple(sorted(name for _, name in self._told))

    def clear(self, element: Element) -> None:
        """It was looked after: what was found against it counts no more."""
        self._records.pop(element, None)
        self._told.discard(element)

    @property
    def alarmed(self) -> bool:
        """Whether there is enough evidence against somebody, be it clear against whom or not."""
        return any(record.evidence >= self.threshold for record in self._records.values())


def _one_more(value: float) -> float:
    """log(1 + exp(value))."""
    return max(value, 0.0) + log1p(exp(-abs(value)))


def tests_until(threshold: float, honest: float, lying: float) -> float:
    """About how many tests that pass a liar it takes to suspect it.

    Args:
        threshold: natural logarithm (`Suspects.threshold`).
        honest: chance of agreement at the edge of what is harmless.
        lying: chance of agreement with the lie.

    Equation: Wald 1945, ``log A / D(lying ‖ honest)``, D the relative entropy of two biased coins.

    Examples:
        >>> round(tests_until(10.3, 0.93, 0.75))
        66
    """
    entropy = 0.0
    for one, other in ((lying, honest), (1.0 - lying, 1.0 - honest)):
        entropy += one * log(one / other) if one > 0.0 else 0.0
    return threshold / entropy if entropy > 0.0 else inf
