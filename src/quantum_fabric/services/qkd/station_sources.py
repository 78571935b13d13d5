"""Keys over a station that nobody trusts (measurement-device-independent QKD): both ends send, the station announces, both ends sift.

What the station does is sampled from the optics (`quantum_fabric.physics.qkd.untrusted_key`): how many windows of each basis and each
pair of intensities it announces, as which state, with which bits. Both ends hear all of it; the second one turns its bits as the
state says. From there on the same machines work as for any other block, with one difference: both ends choose intensities, and both
say them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError
from quantum_fabric.keys.postprocessing.estimation import KeyFormula, untrusted_formula
from quantum_fabric.keys.postprocessing.sifting import Record
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.qkd.attacks import FalseAnnouncement, InventedClicks, Jamming, name_of
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.mdi import BellStation
from quantum_fabric.physics.qkd.untrusted_key import announced_chances
from quantum_fabric.services.qkd.alarms import ALARM_CHANCE, Alarm, Tolerance, tail
from quantum_fabric.services.qkd.sources import Happening, Raw, stretches
from quantum_fabric.units import SECOND, Time

MOST_ANNOUNCED: Final = 50_000_000
"""Windows of a block that are kept in memory, at most."""


@dataclass(frozen=True, slots=True, repr=False)
class Announced:
    """What a station said of a block, with what both ends had chosen: never printed. Shape ``(n,)`` each.

    Attributes:
        bases: 0 for the key basis, 1 for the test basis; both ends took the same.
        states: 0 for ψ+, 1 for ψ-.
        first, second: bits of both ends, as they were sent.
        strong: intensities of both ends, 0 for the strongest: shape ``(2, n)``.
    """

    bases: NDArray[np.uint8]
    states: NDArray[np.uint8]
    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    strong: NDArray[np.uint8]

    def records(self) -> tuple[Record, Record]:
        """What both ends note down: the second one turns its bits where the announced state says that they differ.

        In the key basis both states say so, in the test basis ψ- only.
        """
        turned = (self.bases == 0) | (self.states == 1)
        return (
            Record(self.bases, self.first, self.strong[0]),
            Record(self.bases, self.second ^ turned.astype(np.uint8), self.strong[1]),
        )


def announced_table(station: BellStation, transmissions: tuple[float, float], setting: Setting) -> Floats:
    """Chances for each window: shape ``(3, 3, 2, 2, 2)``: intensities of both ends, basis, state, bits (agree, differ).

    Windows in which the ends took different bases are announced too, and thrown away at sifting; they are left out here.

    Examples:
        >>> setting = Setting(0.7, (0.25, 0.07, 0.0), (0.2, 0.3, 0.5))
        >>> announced_table(BellStation(1e-7, 0.005), (0.5, 0.5), setting).shape
        (3, 3, 2, 2, 2)
    """
    size = len(setting.intensities)
    table = np.zeros((size, size, 2, 2, 2))
    taken = np.array([setting.key_basis**2, (1.0 - setting.key_basis) ** 2])[:, None, None]
    for i, mu in enumerate(setting.intensities):
        for j, nu in enumerate(setting.intensities):
            chosen = setting.probabilities[i] * setting.probabilities[j]
            table[i, j] = chosen * taken * announced_chances(station, transmissions, (mu, nu))
    return table


def announce(
    table: Floats,
    windows: int,
    rng: np.random.Generator,
    setting: Setting | None = None,
    attack: FalseAnnouncement | InventedClicks | None = None,
) -> Announced:
    """Draw what a station announces of so many windows, in the order of time.

    Args:
        table: see `announced_table`.
        windows: 0 or more.
        rng: source of draws.
        setting: of both ends, for clicks that are made up: such a window is of any kind.
        attack: what the station does beside its duty.

    Raises:
        QuantityError: more announced windows than `MOST_ANNOUNCED`.

    Examples:
        >>> table = announced_table(BellStation(1e-7, 0.005), (0.5, 0.5), Setting(0.7, (0.25, 0.07, 0.0), (0.2, 0.3, 0.5)))
        >>> seen = announce(table, 10**7, np.random.default_rng(1))
        >>> seen.bases.size
        4492
    """
    expected = windows * float(table.sum())
    if windows < 0 or expected > MOST_ANNOUNCED:
        raise QuantityError(
            f"{expected:.3g} announced windows", f"at most {MOST_ANNOUNCED}: shorter blocks", "block"
        )
    flat = table.ravel()
    counts = rng.multinomial(windows, np.append(flat, max(1.0 - flat.sum(), 0.0)))[:-1]
    which = np.repeat(np.arange(flat.size, dtype=np.uint16), counts)
    if isinstance(attack, InventedClicks) and setting is not None:
        which = np.concatenate([which, _invented(setting, attack.fraction, which.size, rng)])
    rng.shuffle(which)
    i, j, basis, state, differ = (each.astype(np.uint8) for each in np.unravel_index(which, table.shape))
    first = rng.integers(0, 2, which.size, dtype=np.uint8)
    if isinstance(attack, FalseAnnouncement):
        state = state ^ (rng.random(which.size) < attack.fraction)
    return Announced(basis, state, first, first ^ differ, np.stack([i, j]))


def _invented(setting: Setting, share: float, real: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Announcements made up where nothing clicked: any kind of window, either state, bits that have nothing to do with each other."""
    p, key = np.array(setting.probabilities), setting.key_basis
    taken = np.multiply.outer(np.outer(p, p), np.array([key**2, (1.0 - key) ** 2]))
    table = np.multiply.outer(taken, np.full((2, 2), 0.25)).ravel()
    number = real if share >= 1.0 else rng.binomial(round(real / (1.0 - share)), share)
    return rng.choice(table.size, size=number, p=table / table.sum()).astype(np.uint16)


def under(
    transmissions: tuple[float, float], what: Happening | None
) -> tuple[tuple[float, float], FalseAnnouncement | InventedClicks | None]:
    """The way to a station and the station itself, while something happens.

    Args:
        transmissions: from each end, as they are otherwise.
        what: happens; None for nothing.

    Returns:
        (transmissions, what the station does beside its duty).

    Examples:
        >>> under((0.5, 0.5), Happening(0, 1, arm=1))
        ((0.5, 0.0), None)
    """
    if what is None:
        return transmissions, None
    if isinstance(what.attack, FalseAnnouncement | InventedClicks):
        return transmissions, what.attack
    left = 1.0 - what.attack.fraction if isinstance(what.attack, Jamming) else 0.0
    first, second = (
        eta * (left if what.arm in (None, arm) else 1.0) for arm, eta in enumerate(transmissions)
    )
    return (first, second), None


def joined(records: Sequence[Record]) -> Record:
    """Records one after the other.

    Examples:
        >>> joined([Record([0], [1], [0]), Record([1], [0], [2])])
        <record of 2 detections>
    """
    which = [each.intensities for each in records if each.intensities is not None]
    return Record(
        np.concatenate([each.bases for each in records]),
        np.concatenate([each.bits for each in records]),
        np.concatenate(which) if which else None,
    )


def check_happenings(happenings: Sequence[Happening]) -> None:
    """Refuse attacks on clicks that a station in the middle would have to act out anyway.

    Raises:
        QuantityError: another attack than denial of service and a lying station.

    Examples:
        >>> check_happenings([Happening(0, 1, InventedClicks(0.1))])
    """
    for each in happenings:
        if each.attack is not None and not isinstance(
            each.attack, FalseAnnouncement | InventedClicks | Jamming
        ):
            raise QuantityError(
                name_of(each.attack), "denial_of_service, false_announcement or invented_clicks", "happenings"
            )


def compared_alarms(
    gain: tuple[int, int, float], errors: tuple[int, int, float], tolerance: Tolerance
) -> list[Alarm]:
    """What both ends notice of a station: how much it announces, and how many of the compared bits are wrong.

    Args:
        gain: announced windows, all windows, declared share.
        errors: wrong bits, compared bits, declared share.
        tolerance: how far from it is no alarm.

    Examples:
        >>> [alarm.name for alarm in compared_alarms((1000, 10**6, 1e-3), (400, 1000, 0.02), Tolerance())]
        ['error rate']
    """
    seen, windows, share = gain
    wrong, size, honest = errors
    low, high = (min(share * factor, 1.0) for factor in tolerance.gain)
    top = min(honest + tolerance.error, 1.0)
    said = f"{seen} announced windows, {share * windows:.0f} declared"
    told = f"{wrong} of {size} compared bits are wrong, {honest:.2%} declared"
    found = [("gain", seen, windows, low, high, said), ("error rate", wrong, size, 0.0, top, told)]
    return [
        Alarm(name, count / n, lo, hi, n, tail(count, n, lo, hi), says)
        for name, count, n, lo, hi, says in found
        if n and tail(count, n, lo, hi) <= ALARM_CHANCE
    ]


@dataclass(slots=True)
class StationSource:
    """MDI-QKD with two decoys at each end.

    Attributes:
        station: as it is.
        transmissions: from each end to the detectors, as they are.
        setting: of both ends: share of the key basis, three intensities, their probabilities.
        period: from one window to the next, s.
        rng: source of draws.
        declared: the station as the ends know it; as it is where None.
        tolerance: of the alarms.
        happenings: cuts, light that is lost, and what the station does beside its duty.

    Raises:
        QuantityError: another number of intensities, or a period of 0.

    Limits:
        The error rate that is shown is that of the test basis, over all intensities. Coherent pulses bring it to 25 % and empty ones
        to 50 %: it is no sign of anybody, and the single photons' own is bounded from the decoys.

    Examples:
        >>> setting = Setting(0.7, (0.25, 0.07, 0.0), (0.2, 0.3, 0.5))
        >>> source = StationSource(BellStation(1e-7, 0.005), (0.5, 0.5), setting, 1e-9, np.random.default_rng(1))
        >>> raw = source.block(0, SECOND // 10)
        >>> raw.detections, raw.alarms
        (45652, ())
    """

    station: BellStation
    transmissions: tuple[float, float]
    setting: Setting
    period: float
    rng: np.random.Generator
    declared: BellStation | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    happenings: Sequence[Happening] = ()
    protocol: str = "mdi"
    intensities: int = 3
    joint: bool = True

    def __post_init__(self) -> None:
        if len(self.setting.intensities) != 3:
            raise QuantityError(str(len(self.setting.intensities)), "three", "intensities")
        check_range(self.period, 1e-15, math.inf, "period")
        check_happenings(self.happenings)

    @property
    def guess(self) -> float:
        """Error rate of the windows that the key is made of, as declared: where error correction begins."""
        table = self._declared()[0, 0, 0]
        return float(table[:, 0].sum() / table.sum()) if table.sum() > 0.0 else 0.5

    @property
    def honest(self) -> float:
        """Error rate of the compared bits, as declared."""
        test = self._declared()[:, :, 1]
        # after the second end has turned its bits, ψ+ is wrong where bits differ and ψ- where they agreed
        return float((test[..., 0, 1].sum() + test[..., 1, 0].sum()) / max(float(test.sum()), 1e-300))

    def block(self, start: Time, end: Time) -> Raw:
        """What the ends noted down between two times, ps.

        Raises:
            QuantityError: no time, or more announced windows than fit into memory.
        """
        if end <= start:
            raise QuantityError(f"[{start}, {end})", "a time that lasts", "block")
        records = []
        for length, what in stretches(start, end, self.happenings):
            transmissions, attack = under(self.transmissions, what)
            table = announced_table(self.station, transmissions, self.setting)
            windows = math.floor(length / SECOND / self.period)
            records.append(announce(table, windows, self.rng, self.setting, attack).records())
        first, second = (joined([pair[k] for pair in records]) for k in (0, 1))
        windows = math.floor((end - start) / SECOND / self.period)
        alarms = self._alarms(first, second, windows)
        return Raw(first, second, len(first), tuple(alarms), {"announced": len(first) / max(windows, 1)})

    def formula(self, security: Security) -> KeyFormula:
        """How much key such a block is worth."""
        return untrusted_formula(self.setting.intensities, self.setting.probabilities, security)

    def _declared(self) -> Floats:
        return announced_table(self.declared or self.station, self.transmissions, self.setting)

    def _alarms(self, first: Record, second: Record, windows: int) -> list[Alarm]:
        compared = first.bases == 1
        wrong, size = int((first.bits != second.bits)[compared].sum()), int(compared.sum())
        return compared_alarms(
            (len(first), windows, float(self._declared().sum())), (wrong, size, self.honest), self.tolerance
        )
