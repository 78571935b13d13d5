"""Weak pulses into a receiver, sampled exactly and in blocks: which settings, which detectors, early or late in the gate.

Pulses are independent and alike but for their settings, so the number of each combination of settings and outcome is multinomial, and
given those numbers every order of the detections is equally likely. A block of 10^12 pulses therefore costs one draw of a few hundred
numbers and a shuffle of its detections; memory grows with detections only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.qkd.attacks import Attack, Blinding, TrojanHorse
from quantum_fabric.physics.qkd.fates import Fate, PulseLink, darkness, fates, outcome_chances
from quantum_fabric.physics.qkd.finite_rate import Setting

Counts: TypeAlias = NDArray[np.int64]
Small: TypeAlias = NDArray[np.uint8]

MOST_DETECTIONS: Final = 50_000_000
"""Of one block: about a gigabyte while it is shuffled."""

OUTCOMES: Final = ("0 early", "0 late", "1 early", "1 late", "both")
"""Last axis of the counts."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What sender and receiver have built in against attacks that clicks alone do not show.

    Attributes:
        self_test: share of the gates that the receiver takes from the line and lights from inside, in [0, 1); 0 for none.
        test_light: photons of such a flash at the detectors' side of the receiver's door, mean.
        back_light: chance that the sender's monitor counts a photon that comes back, in [0, 1]; 0 for no monitor.
        back_dark: its false counts for each pulse.
        timing: whether the receiver keeps a histogram of the times of clicks inside the gate.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> Watch(self_test=0.01).timing
        True
    """

    self_test: float = 0.001
    test_light: float = 1.0
    back_light: float = 0.01
    back_dark: float = 1e-7
    timing: bool = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.self_test < 1.0:
            raise QuantityError(f"{self.self_test:g}", "a share in [0, 1)", "self_test")
        check_range(self.test_light, 0.0, 100.0, "test_light")
        check_range(self.back_light, 0.0, 1.0, "back_light")
        check_range(self.back_dark, 0.0, math.inf, "back_dark")


UNWATCHED: Final = Watch(self_test=0.0, back_light=0.0, timing=False)
"""Nothing built in."""


@dataclass(frozen=True, slots=True, repr=False)
class Clicks:
    """What a block of pulses gave.

    Attributes:
        pulses: sent to the line (the receiver's own tests are not among them).
        counts: shape ``(intensities, 2, 2, 2, 5)``: intensity, sender's basis, sender's bit, receiver's basis, `OUTCOMES`.
        order: which of these combinations each detection was, flat index, in order of time, shape ``(detections,)``.
        tests, test_clicks: gates of the receiver's self-test, and those that clicked.
        returns: counts of the sender's monitor of light that comes back.

    Examples:
        >>> link, setting = PulseLink(0.1, 0.1, 1e-6, 0.01, 1e-9), Setting(0.9, (0.5, 0.1), (0.7, 0.3))
        >>> sample(link, setting, 100_000, np.random.default_rng(1))
        <380 detections of 100000 pulses>
    """

    pulses: int
    counts: Counts
    order: NDArray[np.uint16]
    tests: int = 0
    test_clicks: int = 0
    returns: int = 0

    def __repr__(self) -> str:
        return f"<{self.order.size} detections of {self.pulses} pulses>"

    def then(self, other: Clicks) -> Clicks:
        """This block and what came after it, as one."""
        return Clicks(
            self.pulses + other.pulses,
            self.counts + other.counts,
            np.concatenate([self.order, other.order]),
            self.tests + other.tests,
            self.test_clicks + other.test_clicks,
            self.returns + other.returns,
        )

    def records(self, rng: np.random.Generator) -> tuple[tuple[Small, Small, Small], tuple[Small, Small]]:
        """What the two ends write down of the detections.

        Args:
            rng: draws the receiver's bit where both detectors clicked.

        Returns:
            ((sender's bases, bits, intensities), (receiver's bases, bits)), each of shape ``(detections,)``; basis 0 is the key basis.
        """
        which, basis, bit, measured, outcome = (
            part.astype(np.uint8) for part in np.unravel_index(self.order, self.counts.shape)
        )
        both = outcome == 4
        seen = np.where(outcome >= 2, 1, 0).astype(np.uint8)
        seen[both] = rng.integers(0, 2, int(both.sum()), dtype=np.uint8)
        return (basis, bit, which), (measured, seen)

    @property
    def by_intensity(self) -> Counts:
        """Detections of each intensity, all bases."""
        return np.asarray(self.counts.sum(axis=(1, 2, 3, 4)), dtype=np.int64)

    @property
    def doubles(self) -> int:
        """Gates in which both detectors clicked."""
        return int(self.counts[..., 4].sum())

    @property
    def early(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """(early, late) single clicks of detector 0 and of detector 1."""
        s = self.counts[..., :4].reshape(-1, 4).sum(axis=0)
        return ((int(s[0]), int(s[1])), (int(s[2]), int(s[3])))


def chances(link: PulseLink, setting: Setting, what: tuple[Fate, ...]) -> Floats:
    """Chance of each combination of settings and outcome, for each pulse.

    Args:
        link: the link.
        setting: of both ends.
        what: fates whose shares add up to 1.

    Returns:
        As `Clicks.counts`; what is missing to 1 is no click.

    Limits:
        False clicks of a gate fall into the same half of it as the light of its pulse.

    Examples:
        >>> link, setting = PulseLink(0.1, 0.1, 0.0, 0.0, 1e-9), Setting(0.9, (0.5, 0.1), (0.7, 0.3))
        >>> f"{chances(link, setting, fates(link, 0.5)).sum():.6e}"
        '3.791115e-03'
    """
    q = np.array([setting.key_basis, 1.0 - setting.key_basis])
    bases = (q[:, None, None] * q[None, None, :] / 2.0)[..., None]
    out = np.zeros((len(setting.intensities), 2, 2, 2, 5))
    for k, (intensity, p) in enumerate(zip(setting.intensities, setting.probabilities, strict=True)):
        for fate in what:
            if fate.share == 0.0:
                continue
            seen = p * fate.share * bases * outcome_chances(link, fate, intensity)
            halves = np.array([fate.early, 1.0 - fate.early])
            out[k, ..., 0:2] += seen[..., 0:1] * halves
            out[k, ..., 2:4] += seen[..., 1:2] * halves
            out[k, ..., 4] += seen[..., 2]
    return out


def sample(
    link: PulseLink,
    setting: Setting,
    pulses: int,
    rng: np.random.Generator,
    attack: Attack | None = None,
    watch: Watch = UNWATCHED,
    cut: bool = False,
) -> Clicks:
    """Draw what a number of pulses gives.

    Args:
        link: the link as it is.
        setting: of both ends, the same chance of the key basis at both.
        pulses: 0 or more; those that the self-test takes from the line are among them.
        rng: source of draws; the same state gives the same clicks.
        attack: what an eavesdropper does in the meantime.
        watch: what the ends have built in.
        cut: True where no light arrives at all.

    Returns:
        The clicks.

    Raises:
        QuantityError: a negative number of pulses, or so many that more than `MOST_DETECTIONS` are expected.

    Examples:
        >>> link, setting = PulseLink(0.1, 0.1, 0.0, 0.0, 1e-9), Setting(0.9, (0.5, 0.1), (0.7, 0.3))
        >>> sample(link, setting, 10**6, np.random.default_rng(1), cut=True)
        <0 detections of 1000000 pulses>
    """
    if pulses < 0:
        raise QuantityError(str(pulses), "0 or more", "pulses")
    table = chances(link, setting, darkness() if cut else fates(link, setting.intensities[0], attack))
    if pulses * float(table.sum()) > MOST_DETECTIONS:
        expected = f"fewer than {MOST_DETECTIONS / float(table.sum()):.3g} pulses"
        raise QuantityError(f"{pulses:.3g}", expected, "pulses of one block")
    tests = int(rng.binomial(pulses, watch.self_test))
    flat = table.ravel()
    drawn = rng.multinomial(pulses - tests, [*flat, max(1.0 - float(flat.sum()), 0.0)])[:-1]
    order = np.repeat(np.arange(flat.size, dtype=np.uint16), drawn)
    rng.shuffle(order)
    blind = attack.fraction if isinstance(attack, Blinding) and not cut else 0.0
    back = watch.back_dark + (watch.back_light * attack.photons if isinstance(attack, TrojanHorse) else 0.0)
    return Clicks(
        pulses - tests,
        drawn.reshape(table.shape),
        order,
        tests,
        int(rng.binomial(tests, (1.0 - blind) * flash_chance(link, watch))),
        int(rng.poisson(back * pulses)) if watch.back_light > 0.0 else 0,
    )


def flash_chance(link: PulseLink, watch: Watch) -> float:
    """Chance that a gate of the receiver's self-test clicks, where the detectors are not blinded.

    Examples:
        >>> round(flash_chance(PulseLink(0.1, 0.5, 0.0, 0.0, 1e-9), Watch(test_light=1.0)), 6)
        0.393469
    """
    return 1.0 - (1.0 - link.dark) ** 2 * math.exp(-watch.test_light * link.receiver)
