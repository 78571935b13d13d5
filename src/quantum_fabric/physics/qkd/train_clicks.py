"""Pulse trains of field trials, sampled: differential phase shift and coherent one-way, as sifted rate and error rate.

For comparison with installed systems. The clicks are drawn from two detectors (DPS) or from the data line (COW), each detector
clicking on its own; the key fraction is that of `dps` and `cow`, with their cautions. No key is distilled from these clicks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.physics.checks import check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.qkd.cow import WatchedLink, watched_fraction, watched_rate
from quantum_fabric.physics.qkd.dps import INDIVIDUAL, PulseTrain, train_fraction


@dataclass(frozen=True, slots=True)
class TrainBlock:
    """What a stretch of a pulse train gave.

    Attributes:
        seconds: how long it took.
        sifted: bits before correction.
        wrong: among them.
        rate: secret bits for each second by the formula on these counts, at least 0.
        cautions: what the rate does not cover.
    """

    seconds: float
    sifted: int
    wrong: int
    rate: float
    cautions: tuple[Caution, ...]

    @property
    def error(self) -> float:
        """Error rate of the sifted bits; 0.5 where there are none."""
        return self.wrong / self.sifted if self.sifted else 0.5


def sample_train(system: PulseTrain, channel: float, seconds: float, rng: np.random.Generator) -> TrainBlock:
    """Draw what a DPS link gives in some time.

    Equation: the light of a pulse divides between the right and the wrong output as ``(1 - e_d) : e_d``; each detector clicks with
    ``1 - (1 - p_dc) e^(-light)``; slots in which both click are left out. Afterpulses and dead time act through mean rates.

    Args:
        system: sender and receiver.
        channel: transmission of the fibre, in [0, 1].
        seconds: how long, above 0.
        rng: source of draws.

    Returns:
        The block.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> link = PulseTrain(clock=1e9, intensity=0.2, efficiency=0.055, dark_rate=30.0, misalignment=0.023)
        >>> block = sample_train(link, 1e-3, 10.0, np.random.default_rng(1))
        >>> abs(block.sifted / 110_600 - 1) < 0.02, abs(block.error - 0.0256) < 0.004
        (True, True)
    """
    eta = float(check_range(channel, 0.0, 1.0, "channel")) * system.efficiency
    slots = _slots(seconds, system.clock)
    quiet = 1.0 - min(system.dark_rate * system.window / system.clock, 1.0)
    light = system.intensity * eta
    right, wrong = (
        1.0 - quiet * math.exp(-light * part) for part in (1.0 - system.misalignment, system.misalignment)
    )
    good, bad = right * (1.0 - wrong), wrong * (1.0 - right)
    again = system.afterpulse * (good + bad) / 2.0
    live = 1.0 / (1.0 + system.clock * (good + bad + 2.0 * again) * system.dead_time / 2.0)
    counts = rng.multinomial(slots, _filled(live * (good + again), live * (bad + again)))
    sifted, errors = int(counts[0] + counts[1]), int(counts[1])
    error = errors / sifted if sifted else 0.5
    fraction = float(train_fraction(error, system.intensity, system.inefficiency))
    return TrainBlock(seconds, sifted, errors, sifted / seconds * fraction, (INDIVIDUAL,))


def sample_one_way(
    system: WatchedLink, channel: float, seconds: float, rng: np.random.Generator
) -> TrainBlock:
    """Draw what a COW link gives in some time.

    Equation: a bit period holds one pulse in one of two slots; the slots click on their own, and periods with two clicks count once
    with a random bit. Decoys carry no bit.

    Args:
        system: sender and receiver.
        channel: transmission of the fibre, in [0, 1].
        seconds: how long, above 0.
        rng: source of draws.

    Returns:
        The block; its rate is 0 where the zero-error attack reproduces the clicks.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> link = WatchedLink(clock=6.25e8, intensity=0.06, efficiency=0.2, dark_rate=10.0)
        >>> block = sample_one_way(link, 0.1, 0.1, np.random.default_rng(1))
        >>> block.error < 0.015, block.rate > 0.0
        (True, True)
    """
    eta = float(check_range(channel, 0.0, 1.0, "channel")) * system.efficiency
    periods = _slots(seconds, system.clock)
    dark = min(system.dark_rate * system.window / system.clock / 2.0, 1.0)
    light = system.intensity * eta
    right, wrong = (
        1.0 - (1.0 - dark) * math.exp(-light * part)
        for part in (1.0 - system.misalignment, system.misalignment)
    )
    both = right * wrong / 2.0
    good, bad = right * (1.0 - wrong) + both, wrong * (1.0 - right) + both
    again = system.afterpulse * (good + bad) / 2.0
    live = 1.0 / (1.0 + system.clock * (good + bad + 2.0 * again) * system.dead_time)
    kept = live * (1.0 - system.decoys)
    counts = rng.multinomial(periods, _filled(kept * (good + again), kept * (bad + again)))
    sifted, errors = int(counts[0] + counts[1]), int(counts[1])
    error = errors / sifted if sifted else 0.5
    told = system.inefficiency * float(binary_entropy(error))
    fraction = float(watched_fraction(error, system.visibility, system.intensity)) - told
    claim = watched_rate(system, channel)
    rate = 0.0 if bool(np.any(claim.broken)) else sifted / seconds * max(fraction, 0.0)
    return TrainBlock(seconds, sifted, errors, rate, claim.cautions)


def _slots(seconds: float, clock: float) -> int:
    if not 0.0 < seconds * clock < 1e18:
        raise QuantityError(f"{seconds:g} s", "more than no time, and fewer than 1e18 slots", "seconds")
    return round(seconds * clock)


def _filled(good: float, bad: float) -> list[float]:
    return [good, bad, max(1.0 - good - bad, 0.0)]
