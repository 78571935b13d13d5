"""What becomes of a weak pulse between the sender's door and the receiver's clicks: the honest channel, and attacks on it.

Every pulse meets one of a few *fates*, independently. A fate fixes the light at the receiver's door by its generating function
``G(x) = Σ P(n) x^n`` (so that ``G(1 - η)`` is the chance that no photon is registered where each one is with chance η), the state
in which it arrives, and how well the two detectors see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.qkd.attacks import (
    Attack,
    Blinding,
    InterceptResend,
    Jamming,
    NumberSplitting,
    TimeShift,
)

Light: TypeAlias = Callable[[float, float], float]
"""(intensity at the sender's door, x) -> G(x) of the photons at the receiver's door."""

AS_SENT, TURNED, DICTATED = "as sent", "turned", "dictated"
"""State at the receiver: the sender's; one of the other basis, at random; a click that the attacker dictates."""

PHOTONS = 60
"""Photon numbers that are summed over; a pulse of 10 photons has more with a chance of 1e-27."""


@dataclass(frozen=True, slots=True)
class PulseLink:
    """A prepare-and-measure link of weak pulses, reduced to what its clicks depend on. The receiver has two detectors.

    Attributes:
        channel: transmission from the sender's door to the receiver's, in [0, 1].
        receiver: chance that a photon at the receiver's door is registered, in [0, 1].
        dark: chance of a false click of one detector in one gate (dark counts, stray light, afterpulses), in [0, 1).
        misalignment: chance that a photon goes to the wrong detector where the bases agree, in [0, 0.5].
        period: of the pulses (s), above 0.

    Raises:
        QuantityError: a field outside its domain.

    Limits:
        Dead time and afterpulses act through mean rates, in ``receiver`` and ``dark``: one gate does not depend on another.

    Examples:
        >>> PulseLink(channel=0.01, receiver=0.1, dark=1e-6, misalignment=0.01, period=1e-9).transmission
        0.001
    """

    channel: float
    receiver: float
    dark: float
    misalignment: float
    period: float

    def __post_init__(self) -> None:
        for name in ("channel", "receiver", "dark"):
            check_range(getattr(self, name), 0.0, 1.0, name)
        check_range(self.misalignment, 0.0, 0.5, "misalignment")
        check_range(self.period, 1e-300, math.inf, "period")

    @property
    def transmission(self) -> float:
        """From the sender's door to the click."""
        return self.channel * self.receiver


@dataclass(frozen=True, slots=True)
class Fate:
    """What a share of the pulses meets.

    Attributes:
        share: chance that a pulse meets it.
        light: photons at the receiver's door.
        state: `AS_SENT`, `TURNED` or `DICTATED`.
        seen: by how much each detector registers less than usual: (detector 0, detector 1), in [0, 1].
        early: chance that a click falls into the early half of its gate.
    """

    share: float
    light: Light
    state: str = AS_SENT
    seen: tuple[float, float] = (1.0, 1.0)
    early: float = 0.5


def fates(link: PulseLink, signal: float, attack: Attack | None = None) -> tuple[Fate, ...]:
    """The fates of pulses on a link, with at most one attack on them.

    Args:
        link: the link.
        signal: intensity whose gain the attacker keeps, where the attack has to choose.
        attack: None, or any; one that leaves pulses alone (Trojan horse, classical ones) changes nothing here.

    Returns:
        Fates whose shares add up to 1.

    Raises:
        QuantityError: an intensity outside [0, 20].

    Examples:
        >>> link = PulseLink(0.01, 0.1, 1e-6, 0.01, 1e-9)
        >>> [fate.share for fate in fates(link, 0.5, InterceptResend(0.4))]
        [0.8, 0.2]
    """
    check_range(signal, 0.0, 20.0, "signal")
    honest = _lossy(link.channel)
    match attack:
        case InterceptResend(fraction=p):
            # in the sender's basis, half of the time, the attacker learns the state and passes it on as it was
            return (Fate(1.0 - p / 2.0, honest), Fate(p / 2.0, honest, TURNED))
        case NumberSplitting(fraction=p):
            return (Fate(1.0 - p, honest), Fate(p, _split(link, signal)))
        case Blinding(fraction=p):
            return (Fate(1.0 - p, honest), Fate(p, honest, DICTATED))
        case TimeShift(fraction=p, mismatch=r):
            shifted = (
                Fate(p / 2, honest, seen=(1.0, r), early=1.0),
                Fate(p / 2, honest, seen=(r, 1.0), early=0.0),
            )
            return (Fate(1.0 - p, honest), *shifted)
        case Jamming(channel="quantum", fraction=p):
            return (Fate(1.0, _lossy(link.channel * (1.0 - p))),)
        case _:
            return (Fate(1.0, honest),)


def darkness() -> tuple[Fate, ...]:
    """No light at all: a fibre that is cut.

    Examples:
        >>> darkness()[0].light(0.5, 0.0)
        1.0
    """
    return (Fate(1.0, lambda intensity, x: 1.0),)  # noqa: ARG005 (the shape of Light)


def outcome_chances(link: PulseLink, fate: Fate, intensity: float) -> Floats:
    """Chances of what a receiver sees of a pulse that met a fate.

    Equation: with s the share of the light that goes to detector 0, ``none = (1-d)² G(1 - s r0 - (1-s) r1)``,
    ``0 silent = (1-d) G(1 - s r0)``, ``1 silent = (1-d) G(1 - (1-s) r1)``, and the rest by inclusion and exclusion.

    Args:
        link: the link.
        fate: what the pulse met.
        intensity: mean photon number at the sender's door.

    Returns:
        Shape ``(2, 2, 2, 3)``: sender's basis, sender's bit, receiver's basis; only detector 0, only detector 1, both. What is
        missing to 1 is no click.

    Examples:
        >>> link = PulseLink(0.01, 0.1, 0.0, 0.0, 1e-9)
        >>> fate = fates(link, 0.5)[0]
        >>> chances = outcome_chances(link, fate, 0.5)
        >>> f"{chances[0, 0, 0].sum():.6e} {chances[0, 1, 0, 0]:.1f}"
        '4.998750e-04 0.0'
    """
    out = np.zeros((2, 2, 2, 3))
    wrong = link.misalignment
    if fate.state == DICTATED:
        # the attacker detects so often that the gain stays; half of the triggers meet the other basis and do nothing
        gain = 1.0 - _silence(link, fate, intensity)
        for basis in (0, 1):
            out[basis, 0, basis, 0] = out[basis, 1, basis, 1] = gain
            out[basis, :, 1 - basis, :2] = gain / 2.0
        return out
    same, other = ((1.0 - wrong, wrong), (0.5, 0.5))
    if fate.state == TURNED:  # prepared in the basis that the sender did not use, one of two states at random
        same, other = other, same
    for sent in (0, 1):
        for basis in (0, 1):
            straight = _clicks(link, fate, intensity, same[sent])
            crossed = _clicks(link, fate, intensity, other[sent])
            if fate.state == TURNED:
                crossed = (crossed + _clicks(link, fate, intensity, other[1 - sent])) / 2.0
            out[basis, sent, basis], out[basis, sent, 1 - basis] = straight, crossed
    return out


def _clicks(link: PulseLink, fate: Fate, intensity: float, share: float) -> Floats:
    """(only 0, only 1, both) where a share of the light goes to detector 0."""
    r0, r1 = (link.receiver * factor for factor in fate.seen)
    quiet = 1.0 - link.dark
    none = quiet * quiet * fate.light(intensity, 1.0 - share * r0 - (1.0 - share) * r1)
    silent_0 = quiet * fate.light(intensity, 1.0 - share * r0)
    silent_1 = quiet * fate.light(intensity, 1.0 - (1.0 - share) * r1)
    both = 1.0 - silent_0 - silent_1 + none
    seen: Floats = np.maximum(np.array([silent_1 - none, silent_0 - none, both]), 0.0)
    return seen


def _silence(link: PulseLink, fate: Fate, intensity: float) -> float:
    return (1.0 - link.dark) ** 2 * fate.light(intensity, 1.0 - link.receiver)


def _lossy(channel: float) -> Light:
    return lambda intensity, x: math.exp(-intensity * channel * (1.0 - x))


def poisson(mean: float) -> Floats:
    """Chances of 0, 1, ... `PHOTONS` photons.

    Examples:
        >>> poisson(0.5)[:2].round(6).tolist()
        [0.606531, 0.303265]
    """
    numbers = np.arange(PHOTONS + 1)
    logs = np.array([math.lgamma(n + 1.0) for n in numbers])
    if mean == 0.0:
        return np.where(numbers == 0, 1.0, 0.0)
    return np.asarray(np.exp(numbers * math.log(mean) - mean - logs), dtype=np.float64)


def _split(link: PulseLink, signal: float) -> Light:
    """Light after photon-number splitting with the signal gain kept: of n photons, n - 1 arrive or none."""
    chance = poisson(signal)
    numbers = np.arange(PHOTONS + 1)
    caught = 1.0 - (1.0 - link.receiver) ** np.maximum(numbers - 1, 0)
    wanted = -math.expm1(-signal * link.transmission)
    several = float((chance[2:] * caught[2:]).sum())
    let = min(wanted / several, 1.0) if several > 0.0 else 0.0
    single = link.receiver * float(chance[1])
    ones = min(max(wanted - several, 0.0) / single, 1.0) if single > 0.0 else 0.0
    passed = np.where(numbers >= 2, let, np.where(numbers == 1, ones, 0.0))
    arriving = np.where(numbers >= 2, numbers - 1, np.minimum(numbers, 1))

    def light(intensity: float, x: float) -> float:
        if intensity > 20.0:
            raise QuantityError(f"{intensity:g}", "at most 20 photons", "intensity")
        through = passed * x**arriving + (1.0 - passed)
        return float((poisson(intensity) * through).sum())

    return light
