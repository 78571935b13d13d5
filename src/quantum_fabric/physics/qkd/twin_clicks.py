"""What the station of a twin field announces, from the interference itself: two faint pulses, two detectors, a phase that drifts.

Pulses of both ends meet on a balanced beam splitter with a detector behind each output. In key windows their phases differ by 0 or π
and by what the lock of the two lasers and fibres leaves; in all others the phases are random. The closed forms of `twin_field` and
`coherent_twin_field` are another way to the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.qkd.attacks import FalseAnnouncement, InventedClicks
from quantum_fabric.physics.qkd.twin_key import TwinSetting

PHASES: Final = 64
"""Points of the average over a random phase; exact to rounding, because the integrand is smooth and periodic."""

STEPS: Final = 4
"""Points at which the phase between two locks is looked at."""

MOST_LOCKS: Final = 1_000_000
"""Locks of a block, at most."""

MOST_ANNOUNCED: Final = 50_000_000
"""Windows of a block that are kept in memory, at most."""

COMPARED: Final = 3
"""Stands for the intensity of key windows whose bits are compared; 0 to 2 are those of test windows."""


@dataclass(frozen=True, slots=True)
class TwinStation:
    """A station and the way to it, as they are.

    Attributes:
        transmissions: from each end to the detectors, in [0, 1].
        dark: false counts for each window of one detector, in [0, 1).
        misalignment: chance that interfering photons of equal phase leave by the wrong output, in [0, 0.5]: what is left of the
            contrast when the phase is right (polarisation, mode and spectrum).

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> TwinStation((1e-3, 1e-3), 1e-9, 0.01).contrast
        0.98
    """

    transmissions: tuple[float, float]
    dark: float
    misalignment: float

    def __post_init__(self) -> None:
        for eta in self.transmissions:
            check_range(eta, 0.0, 1.0, "transmission")
        check_range(self.dark, 0.0, 1.0, "dark")
        check_range(self.misalignment, 0.0, 0.5, "misalignment")

    @property
    def contrast(self) -> float:
        """Of the interference: ``1 - 2 e``."""
        return 1.0 - 2.0 * self.misalignment

    def clicks(self, first: float, second: float, phase: Floats) -> tuple[Floats, Floats]:
        """Chances that only the one, or only the other detector clicks, for pulses of given mean photons and phase between them.

        Equation: means ``(a + b)/2 ± V sqrt(a b) cos φ`` with ``a = η_a μ_a``, ``b = η_b μ_b``; a detector stays silent with
        ``(1-d) e^-mean``.

        Args:
            first: mean photons as the first end sends them, at least 0.
            second: as the second end does.
            phase: φ, rad, shape ``(...)``.

        Examples:
            >>> [f"{float(p):.4f}" for p in TwinStation((1.0, 1.0), 0.0, 0.0).clicks(0.5, 0.5, np.zeros(()))]
            ['0.6321', '0.0000']
        """
        a, b = (eta * mu for eta, mu in zip(self.transmissions, (first, second), strict=True))
        cross = self.contrast * math.sqrt(a * b) * np.cos(phase)
        quiet = [(1.0 - self.dark) * np.exp(-((a + b) / 2.0 + side)) for side in (cross, -cross)]
        loud = [self.dark - (1.0 - self.dark) * np.expm1(-((a + b) / 2.0 + side)) for side in (cross, -cross)]
        return (np.asarray(loud[0] * quiet[1]), np.asarray(loud[1] * quiet[0]))


@dataclass(frozen=True, slots=True)
class PhaseLock:
    """How well the phases of two distant lasers and fibres are held together.

    Attributes:
        spread: rms of the phase that a lock leaves, rad, at least 0.
        drift: rms of how far the phase runs until the next lock, rad, at least 0; evenly in time.
        interval: from one lock to the next, s, above 0.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> PhaseLock(0.1, 0.2, 1e-3).phases(3, np.random.default_rng(1)).shape
        (3, 4)
    """

    spread: float = 0.0
    drift: float = 0.0
    interval: float = 1e-3

    def __post_init__(self) -> None:
        check_range(self.spread, 0.0, math.inf, "spread")
        check_range(self.drift, 0.0, math.inf, "drift")
        check_range(self.interval, 1e-12, math.inf, "interval")

    def phases(self, locks: int, rng: np.random.Generator) -> Floats:
        """Draw the phase between two ends at `STEPS` times after each lock: shape ``(locks, STEPS)``, rad.

        Args:
            locks: how many, 0 or more.
            rng: source of draws.
        """
        left = rng.normal(0.0, 1.0, (locks, 1)) * self.spread
        speed = rng.normal(0.0, 1.0, (locks, 1)) * self.drift
        return np.asarray(left + speed * (np.arange(STEPS) + 0.5) / STEPS)

    @property
    def error(self) -> float:
        """Share of interfering photons that the phase sends to the wrong output, on average.

        Equation: ``[1 - E cos φ]/2``, ``E cos φ = e^(-σ²/2) mean_t e^(-(ω t)²/2)``.

        Examples:
            >>> round(PhaseLock(0.2, 0.0).error, 5)
            0.0099
        """
        after = (np.arange(STEPS) + 0.5) / STEPS
        kept = math.exp(-(self.spread**2) / 2.0) * float(np.exp(-((self.drift * after) ** 2) / 2.0).mean())
        return (1.0 - kept) / 2.0


def decoy_table(station: TwinStation, setting: TwinSetting) -> Floats:
    """Chances that a window is a test window at both ends, of these intensities, and announced: shape ``(3, 3)``.

    Args:
        station: as it is.
        setting: of both ends.

    Examples:
        >>> setting = TwinSetting(0.5, 0.02, (0.4, 0.1, 0.0), (0.3, 0.3, 0.4))
        >>> decoy_table(TwinStation((0.01, 0.01), 0.0, 0.0), setting).round(7).tolist()
        [[0.0001791, 0.0001121, 0.0001196], [0.0001121, 4.49e-05, 3e-05], [0.0001196, 3e-05, 0.0]]
    """
    phase = 2.0 * np.pi * (np.arange(PHASES) + 0.5) / PHASES
    table = np.array(
        [
            [p * q * sum(float(side.mean()) for side in station.clicks(mu, nu, phase))
             for nu, q in zip(setting.intensities, setting.probabilities, strict=True)]
            for mu, p in zip(setting.intensities, setting.probabilities, strict=True)
        ]
    )  # fmt: skip
    return np.asarray((1.0 - setting.key_basis) ** 2 * table)


@dataclass(frozen=True, slots=True, repr=False)
class TwinBlock:
    """What a station said of a block, with what both ends had chosen: never printed. Shape ``(n,)`` each.

    Attributes:
        keyed: where both ends had a key window.
        strong: intensities of both ends in test windows, 0 for the strongest; 0 in key windows: shape ``(2, n)``.
        first, second: bits of both ends in key windows, as they were sent; 0 elsewhere.
        detector: which one clicked, as it was announced.
    """

    keyed: NDArray[np.bool_]
    strong: NDArray[np.uint8]
    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    detector: NDArray[np.uint8]

    @property
    def turned(self) -> NDArray[np.uint8]:
        """Bits of the second end after it has followed the announcement."""
        return np.asarray(self.second ^ (self.detector & self.keyed), dtype=np.uint8)


def sample_twin(
    station: TwinStation,
    setting: TwinSetting,
    lock: PhaseLock,
    period: float,
    windows: int,
    rng: np.random.Generator,
    attack: FalseAnnouncement | InventedClicks | None = None,
) -> TwinBlock:
    """Draw what the station announces of so many windows.

    Between two locks the phase is followed at `STEPS` times; clicks of key windows are drawn for each stretch on its own. Windows in
    which one end had a key window and the other a test window are announced too and thrown away at sifting; they are left out.

    Args:
        station: as it is.
        setting: of both ends.
        lock: of the phases.
        period: from one window to the next, s.
        windows: 0 or more.
        rng: source of draws.
        attack: what the station does beside its duty.

    Raises:
        QuantityError: more announced windows than `MOST_ANNOUNCED`, more locks than `MOST_LOCKS`.

    Examples:
        >>> setting = TwinSetting(0.8, 0.02, (0.68, 0.17, 0.0), (0.1, 0.3, 0.6))
        >>> station, lock = TwinStation((0.1, 0.1), 1e-8, 0.01), PhaseLock(0.1)
        >>> seen = sample_twin(station, setting, lock, 1e-9, 10**7, np.random.default_rng(1))
        >>> seen.keyed.size, int(seen.keyed.sum()), f"{(seen.first != seen.turned).sum() / seen.keyed.sum():.3f}"
        (34704, 25677, '0.011')
    """
    cells = decoy_table(station, setting)
    key = setting.key_basis**2
    locks = max(math.ceil(windows * period / lock.interval), 1)
    if windows < 0 or locks > MOST_LOCKS:
        raise QuantityError(f"{locks} locks", f"at most {MOST_LOCKS}: a longer interval", "lock")
    right, wrong = station.clicks(setting.intensity, setting.intensity, lock.phases(locks, rng))
    expected = windows * (float(cells.sum()) + key * float((right + wrong).mean()))
    made_up = attack.fraction if isinstance(attack, InventedClicks) else 0.0
    if expected / max(1.0 - made_up, 1e-9) > MOST_ANNOUNCED:
        found = f"{expected:.3g} announced windows"
        raise QuantityError(found, f"at most {MOST_ANNOUNCED}: shorter blocks", "block")
    each = np.full(right.size, windows // right.size)
    each[: windows % right.size] += 1
    good = rng.binomial(each, key * right.ravel())
    bad = rng.binomial(each - good, key * wrong.ravel() / (1.0 - key * right.ravel()))
    rest = 1.0 - key * (right + wrong).ravel()
    tests = int(rng.binomial(each - good - bad, float(cells.sum()) / rest).sum())
    shares = cells.ravel() / cells.sum() if cells.sum() > 0.0 else np.full(9, 1.0 / 9.0)
    counts = [int(good.sum()), int(bad.sum()), *(int(n) for n in rng.multinomial(tests, shares))]
    kind = np.repeat(np.arange(11, dtype=np.uint8), counts)
    kind = np.concatenate([kind, _invented(setting, made_up, kind.size, rng)])
    rng.shuffle(kind)
    return _noted(kind, rng, attack)


def _invented(setting: TwinSetting, share: float, real: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Announcements made up where nothing clicked: such a window is of any kind, and its bits agree with nothing."""
    if share == 0.0:
        return np.zeros(0, dtype=np.uint8)
    p = np.array(setting.probabilities)
    both = setting.key_basis**2
    table = np.concatenate(
        [[both / 2.0, both / 2.0], ((1.0 - setting.key_basis) ** 2 * np.outer(p, p)).ravel()]
    )
    number = rng.binomial(round(real / (1.0 - share)), share) if share < 1.0 else real
    return rng.choice(11, size=number, p=table / table.sum()).astype(np.uint8)


def _noted(
    kind: NDArray[np.uint8], rng: np.random.Generator, attack: FalseAnnouncement | InventedClicks | None
) -> TwinBlock:
    """Give each announced window its bits and its detector."""
    keyed = kind < 2
    strong = np.where(keyed, 0, np.stack([(kind - np.uint8(2)) // 3, (kind - np.uint8(2)) % 3]))
    first = rng.integers(0, 2, kind.size, dtype=np.uint8) & keyed
    detector = rng.integers(0, 2, kind.size, dtype=np.uint8)
    # equal signs light the first detector, opposite ones the second, where the interference is right
    second = (first ^ detector ^ (kind == 1)) & keyed
    if isinstance(attack, FalseAnnouncement):
        detector = detector ^ (rng.random(kind.size) < attack.fraction)
    return TwinBlock(
        keyed, strong.astype(np.uint8), first, second.astype(np.uint8), detector.astype(np.uint8)
    )
