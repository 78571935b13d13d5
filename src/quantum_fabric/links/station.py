"""A heralding station: a balanced beam splitter with a detector at each output.

Single-click and double-click links share it. A herald is *exactly one click* in a time window, and the detector that
clicked sets the sign of the state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from quantum_fabric.devices import Detector, Node
from quantum_fabric.links.parts import Parts
from quantum_fabric.links.timing import Timetable, meet_in_the_middle

PERFECT: Final = Detector(number_resolving=True)
"""Detector of a link for which none is given."""


@dataclass(frozen=True, slots=True)
class Window:
    """One detection window of the station.

    Attributes:
        dark: probability of a false click of one detector, in [0, 1).
        visibility: Hong-Ou-Mandel visibility V of the two photons, in [0, 1].
        number_resolving: True for detectors that tell one photon from two.

    Limits:
        A false click is one dark count or noise photon; two in one detector and window are taken for one.

    Examples:
        >>> Window(dark=0.0, visibility=1.0, number_resolving=False).one_click(1.0, 1.0)
        1.0
    """

    dark: float
    visibility: float
    number_resolving: bool

    @property
    def lone_photon(self) -> float:
        """Probability that one arriving photon makes exactly one click.

        The other detector must stay silent, and a counting detector must not add a dark count to the photon.

        Examples:
            >>> Window(dark=0.1, visibility=1.0, number_resolving=False).lone_photon
            0.9
        """
        silent = 1.0 - self.dark
        return silent * silent if self.number_resolving else silent

    def one_click(self, arriving_a: float, arriving_b: float) -> float:
        """Probability of exactly one click when photons arrive independently from both sides.

        Two photons leave by the same output with probability (1+V)/2 (Hong, Ou, Mandel, PRL 59, 2044 (1987)); bucket
        detectors take them for one.

        Args:
            arriving_a: probability that a photon from a is detected-to-be, in [0, 1].
            arriving_b: the same from b.

        Examples:
            >>> window = Window(dark=0.01, visibility=0.9, number_resolving=False)
            >>> round(window.one_click(0.2, 0.0), 12)  # (e + (1-e) 2 p_d)(1 - p_d)
            0.21384
        """
        both = arriving_a * arriving_b
        one = arriving_a * (1.0 - arriving_b) + arriving_b * (1.0 - arriving_a)
        none = (1.0 - arriving_a) * (1.0 - arriving_b)
        silent = 1.0 - self.dark
        bunched = 0.0 if self.number_resolving else 0.5 * (1.0 + self.visibility) * silent
        return both * bunched + one * self.lone_photon + none * 2.0 * self.dark * silent


@dataclass(frozen=True, slots=True)
class Station:
    """The optics of a link with a station in the middle, reduced to the numbers that the formulas want.

    Attributes:
        eta_a: probability that a photon which a emits makes its detector click.
        eta_b: the same for b.
        window: detection window with its false clicks.
        table: births and heralds of an attempt.
    """

    eta_a: float
    eta_b: float
    window: Window
    table: Timetable


def station(parts: Parts) -> Station:
    """Reduce nodes, fibre and detector to the numbers of a `Station`.

    Equations (physics of conversion and losses): eta = emission x conversion x fibre x detector, the latter with its share of
    clicks inside the window (jitter) and of live time under dark counts and noise. Pump noise of the
    converters passes the fibre and the detector, noise of the carrier the detector only; both add to the dark rate of
    both detectors in equal parts. The visibility of unlike nodes is the geometric mean of theirs.

    Args:
        parts: the parts of the link; without a detector a perfect counting one.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> ideal = Parts(sheet("node", "ideal"), sheet("node", "ideal"), sheet("fibre", "smf-28"), (50_000.0, 0.0))
        >>> round(station(ideal).eta_a, 12), station(ideal).eta_b
        (0.1, 1.0)
    """
    detector = parts.detector or PERFECT
    a, b = parts.a.interface, parts.b.interface
    noise = 0.5 * detector.efficiency * (_noise(parts.a, parts, 0) + _noise(parts.b, parts, 1))
    seen = detector.seen(detector.dark_rate + noise)
    return Station(
        eta_a=a.emission * parts.transmission(0) * seen,
        eta_b=b.emission * parts.transmission(1) * seen,
        window=Window(
            dark=detector.click_probability(noise),
            visibility=math.sqrt(a.visibility * b.visibility),
            number_resolving=detector.number_resolving,
        ),
        table=meet_in_the_middle(parts.latency(0), parts.latency(1)),
    )


def _noise(node: Node, parts: Parts, arm: int) -> float:
    """Noise photons per s that reach the station through one arm: of the converter, and of the carrier itself."""
    return node.interface.conversion_noise * parts.transmission(arm) + parts.fibre.noise(parts.arms[arm])
