"""A station between two senders, sampled: measurement-device-independent QKD and twin-field QKD (sending or not sending).

The chances come from the optics themselves: coherent pulses meet on a beam splitter, each detector clicks on its own for a given phase
between them, and the phase is averaged over by quadrature. The closed forms of `mdi` and `twin_field` are another way to the same
numbers.

Limits:
    What single photons did is known to the simulation (it tags them), as infinitely many decoys would tell the ends. So the rates are
    asymptotic, and no key is distilled from these clicks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.qkd.mdi import BellStation, photon_pair
from quantum_fabric.physics.qkd.twin_field import MiddleStation

PHASES: Final = 64
"""Points of the average over a phase; exact to rounding, because the integrand is smooth and periodic."""

TAGGED: Final = Caution(
    "qkd.station",
    "photon numbers known to the simulation",
    "decoys that bound them from finite counts",
    "the rate is asymptotic; no key is distilled",
)
"""Travels with every result of this module."""


@dataclass(frozen=True, slots=True)
class StationBlock:
    """What a number of windows gave.

    Attributes:
        windows: in which both ends were in the key basis.
        reported: announced by the station.
        wrong: bits that differ, among them.
        single: announced ones in which the photon numbers were those that give key.
        single_wrong: phase errors among as many windows of the test basis.
        rate: secret bits for each window, by the asymptotic formula on these counts, at least 0.
        cautions: what the rate does not cover.
    """

    windows: int
    reported: int
    wrong: int
    single: int
    single_wrong: int
    rate: float
    cautions: tuple[Caution, ...] = (TAGGED,)

    @property
    def error(self) -> float:
        """Error rate of the announced windows; 0.5 where there are none."""
        return self.wrong / self.reported if self.reported else 0.5


def meeting(a: float, b: float) -> tuple[Floats, Floats]:
    """Mean photons at the two outputs of a balanced beam splitter for `PHASES` phases between two coherent pulses.

    Args:
        a: mean photons at one input.
        b: at the other.

    Examples:
        >>> c, d = meeting(0.2, 0.1)
        >>> round(float(c.mean()), 9), round(float((c + d)[0]), 9)
        (0.15, 0.3)
    """
    phase = 2.0 * np.pi * (np.arange(PHASES) + 0.5) / PHASES
    cross = math.sqrt(a * b) * np.cos(phase)
    return ((a + b) / 2.0 + cross, (a + b) / 2.0 - cross)


def bell_chances(station: BellStation, a: float, b: float, intensity: float) -> tuple[float, float]:
    """Chances that a Bell measurement is announced and the bits are right, or wrong, in the key basis.

    Both ends send one of two polarisations; behind the beam splitter stand two detectors for each. Announced is where exactly two
    detectors of different polarisation click, which says that the bits differ.

    Args:
        station: noise; its misalignment swaps right and wrong.
        a: transmission from one end with the detector, in [0, 1].
        b: from the other.
        intensity: of each end, >= 0.

    Returns:
        (right, wrong) for each window.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> right, wrong = bell_chances(BellStation(3e-6, 0.015), 0.0145, 0.0145, 0.5)
        >>> f"{right + wrong:.4e} {wrong / (right + wrong):.5f}"
        '2.6083e-05 0.01660'
    """
    mu_a, mu_b = (float(check_range(each, 0.0, 1.0, "transmission")) * intensity for each in (a, b))
    quiet = 1.0 - station.dark
    lone_a, lone_b = (quiet * np.exp(-np.array([mu / 2.0, mu / 2.0])) for mu in (mu_a, mu_b))
    c, d = (quiet * np.exp(-light) for light in meeting(mu_a, mu_b))
    dark = np.array([quiet, quiet])

    def announced(one: list[Floats], other: list[Floats]) -> float:
        """One polarisation gives its two detectors silence with these chances, the other one with those."""
        first = one[0] * (1.0 - one[1]) + one[1] * (1.0 - one[0])
        second = other[0] * (1.0 - other[1]) + other[1] * (1.0 - other[0])
        return float(np.mean(first * second))

    differ = announced([lone_a[0], lone_a[1]], [lone_b[0], lone_b[1]])
    agree = announced([c, d], [dark[0], dark[1]])
    right, wrong = differ / 2.0, agree / 2.0
    e = station.misalignment
    return ((1.0 - e) * right + e * wrong, e * right + (1.0 - e) * wrong)


def sample_bell(
    station: BellStation, a: float, b: float, intensity: float, windows: int, rng: np.random.Generator
) -> StationBlock:
    """Draw what a Bell station announces of windows in the key basis, and the rate that follows (Lo, Curty, Qi 2012).

    Args:
        station: noise and cost.
        a: transmission from one end with the detector.
        b: from the other.
        intensity: of each end.
        windows: in which both ends took the key basis; 0 or more.
        rng: source of draws.

    Returns:
        The block.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> block = sample_bell(BellStation(3e-6, 0.015), 0.0145, 0.0145, 0.5, 10**8, np.random.default_rng(1))
        >>> block.reported, round(block.error, 3), f"{block.rate:.1e}"
        (2573, 0.014, '2.5e-06')
    """
    _check_windows(windows)
    right, wrong = bell_chances(station, a, b, intensity)
    y, e = (float(v) for v in photon_pair(station, a, b))
    counts = rng.multinomial(windows, [right, wrong, 1.0 - right - wrong])
    single = int(rng.binomial(windows, intensity**2 * math.exp(-2.0 * intensity) * y))
    bad = int(rng.binomial(single, e))
    reported, errors = int(counts[0] + counts[1]), int(counts[1])
    phase = min(bad / single, 0.5) if single else 0.5
    bit = min(errors / reported, 0.5) if reported else 0.5
    key = single * (1.0 - float(binary_entropy(phase)))
    cost = station.inefficiency * reported * float(binary_entropy(bit))
    rate = max(station.sifting * (key - cost) / windows, 0.0) if windows else 0.0
    return StationBlock(windows, reported, errors, single, bad, rate)


def sending_chances(
    station: MiddleStation, transmission: float, intensity: float
) -> tuple[float, float, float]:
    """Chances that exactly one of two detectors clicks where one end sends, both send with random phases, or none.

    Args:
        station: noise.
        transmission: of one arm with its detector, in [0, 1].
        intensity: of a pulse, >= 0.

    Returns:
        (one, both, none).

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> [f"{p:.3e}" for p in sending_chances(MiddleStation(1e-9, 0.03), 1e-4, 0.4)]
        ['4.000e-05', '8.000e-05', '2.000e-09']
    """
    light = float(check_range(transmission, 0.0, 1.0, "transmission")) * intensity
    quiet = 1.0 - station.dark

    def once(c: Floats, d: Floats) -> float:
        loud_c, loud_d = (station.dark - quiet * np.expm1(-each) for each in (c, d))
        return float(np.mean(loud_c * (1.0 - loud_d) + loud_d * (1.0 - loud_c)))

    half, zero = np.full(1, light / 2.0), np.zeros(1)
    return (once(half, half), once(*meeting(light, light)), once(zero, zero))


def sample_sending(
    station: MiddleStation,
    transmission: float,
    intensity: float,
    sending: float,
    windows: int,
    rng: np.random.Generator,
) -> StationBlock:
    """Draw what the station of sending-or-not-sending announces of key windows, and the rate without pairing (Wang 2018).

    Args:
        station: noise and cost.
        transmission: of one arm with its detector.
        intensity: of a pulse.
        sending: chance that an end sends, in [0, 1].
        windows: 0 or more.
        rng: source of draws.

    Returns:
        The block; a bit is wrong where both sent or none did.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> block = sample_sending(MiddleStation(1e-10, 0.03), 1e-2, 0.4, 0.05, 10**8, np.random.default_rng(1))
        >>> block.reported, round(block.error, 3), f"{block.rate:.1e}"
        (39691, 0.048, '7.4e-05')
    """
    _check_windows(windows)
    check_range(sending, 0.0, 1.0, "sending")
    one, both, none = sending_chances(station, transmission, intensity)
    alone = 2.0 * sending * (1.0 - sending)
    wrong = sending**2 * both + (1.0 - sending) ** 2 * none
    counts = rng.multinomial(windows, [alone * one, wrong, 1.0 - alone * one - wrong])
    d, eta = station.dark, transmission
    y = (1.0 - d) * (eta + 2.0 * d * (1.0 - eta))
    e = (1.0 - d) * (eta * station.misalignment + d * (1.0 - eta)) / y if y > 0.0 else 0.5
    # of the windows that count, those in which the one sender emitted one photon
    share = min(intensity * math.exp(-intensity) * y / one, 1.0) if one > 0.0 else 0.0
    single = int(rng.binomial(int(counts[0]), share))
    bad = int(rng.binomial(single, e))
    reported, errors = int(counts[0] + counts[1]), int(counts[1])
    key = single * (1.0 - float(binary_entropy(min(bad / single, 0.5) if single else 0.5)))
    cost = (
        station.inefficiency
        * reported
        * float(binary_entropy(min(errors / reported, 0.5) if reported else 0.5))
    )
    return StationBlock(
        windows, reported, errors, single, bad, max((key - cost) / windows, 0.0) if windows else 0.0
    )


def _check_windows(windows: int) -> None:
    if windows < 0:
        raise QuantityError(str(windows), "0 or more", "windows")
