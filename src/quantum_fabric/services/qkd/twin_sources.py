"""Keys over a twin field: both ends send faint pulses, a station that nobody trusts announces which of its detectors clicked.

The protocol is that of Curty, Azuma and Lo (2019): see `quantum_fabric.physics.qkd.twin_key`. After the station has announced, the
ends compare the bits of a few key windows, drawn at random, and throw them away: they show that somebody lies and say nothing of the
secrecy, which rests on the decoys alone. From there on the same machines work as for any other block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.keys.postprocessing.estimation import KeyFormula, Tally, Worth
from quantum_fabric.keys.postprocessing.sifting import KEY, TEST, Record
from quantum_fabric.physics.checks import check_range
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.twin_clicks import (
    COMPARED,
    PhaseLock,
    TwinBlock,
    TwinStation,
    decoy_table,
    sample_twin,
)
from quantum_fabric.physics.qkd.twin_key import TwinSetting, twin_key
from quantum_fabric.services.qkd.alarms import Tolerance
from quantum_fabric.services.qkd.sources import Happening, Raw, stretches
from quantum_fabric.services.qkd.station_sources import check_happenings, compared_alarms, joined, under
from quantum_fabric.units import SECOND, Time


def twin_formula(setting: TwinSetting, security: Security) -> KeyFormula:
    """Coherent twin field in finite blocks, by `quantum_fabric.physics.qkd.twin_key`.

    Counts come by pairs of labels, the first end's before the second's, shape ``(16,)``: 0 to 2 for the decoys, 3 for compared
    windows; key windows all have the label 0.

    Args:
        setting: of both ends.
        security: what is asked.

    Examples:
        >>> formula = twin_formula(TwinSetting(0.88, 0.017, (0.68, 0.17, 0.0), (0.08, 0.27, 0.65)), Security(1e-9, 1e-12))
        >>> formula(Tally(np.zeros(16), np.zeros(16), np.zeros(16)), 0.0).length
        0
    """

    def worth(tally: Tally, told: float) -> Worth:
        counts = tally.test.reshape(4, 4)[:COMPARED, :COMPARED]
        key = twin_key(float(tally.key[0]), counts, setting, security, told)
        return Worth(int(key.length), float(key.phase_error), key.ledger)

    return worth


def noted_down(seen: TwinBlock, compared: float, rng: np.random.Generator) -> tuple[Record, Record]:
    """What both ends have of a block: bits of the second one turned as announced, some key windows named for comparison.

    Args:
        seen: what was announced.
        compared: share of the key windows whose bits are shown.
        rng: draws them, after the announcement.

    Examples:
        >>> none = np.zeros(3, dtype=np.uint8)
        >>> seen = TwinBlock(np.array([True, True, False]), np.array([[0, 0, 2], [0, 0, 1]], dtype=np.uint8), none, none, none)
        >>> noted_down(seen, 0.0, np.random.default_rng(1))[0].bases.tolist()
        [0, 0, 1]
    """
    shown = seen.keyed & (rng.random(seen.keyed.size) < compared)
    bases = np.where(seen.keyed & ~shown, KEY, TEST).astype(np.uint8)
    labels = [np.where(shown, COMPARED, row).astype(np.uint8) for row in seen.strong]
    return Record(bases, seen.first, labels[0]), Record(bases, seen.turned, labels[1])


def shown(first: Record, second: Record) -> tuple[int, int]:
    """Wrong and all among the bits that both ends show each other.

    Examples:
        >>> shown(Record([1, 1], [0, 1], [3, 0]), Record([1, 1], [1, 1], [3, 1]))
        (1, 1)
    """
    assert first.intensities is not None
    where = first.intensities == COMPARED
    return int((first.bits != second.bits)[where].sum()), int(where.sum())


@dataclass(slots=True)
class TwinSource:
    """Twin-field QKD with key in coherent states.

    Attributes:
        station: as it is, with the way to it.
        setting: of both ends.
        lock: of the phases, as it is.
        period: from one window to the next, s.
        rng: source of draws.
        declared: the station as the ends know it; as it is where None.
        tolerance: of the alarms.
        happenings: cuts, light that is lost, and what the station does beside its duty.

    Raises:
        QuantityError: a period of 0, or an attack that no station is needed for.

    Examples:
        >>> setting = TwinSetting(0.8, 0.02, (0.68, 0.17, 0.0), (0.1, 0.3, 0.6))
        >>> source = TwinSource(TwinStation((0.1, 0.1), 1e-8, 0.01), setting, PhaseLock(0.1), 1e-9, np.random.default_rng(1))
        >>> raw = source.block(0, SECOND // 10)
        >>> raw.detections, raw.alarms, f"{raw.error_rate:.3f} {source.guess:.3f}"
        (347112, (), '0.014 0.012')
    """

    station: TwinStation
    setting: TwinSetting
    lock: PhaseLock
    period: float
    rng: np.random.Generator
    declared: TwinStation | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    happenings: Sequence[Happening] = ()
    protocol: str = "twin_field"
    intensities: int = 4
    joint: bool = True

    def __post_init__(self) -> None:
        check_range(self.period, 1e-15, math.inf, "period")
        check_happenings(self.happenings)

    @property
    def guess(self) -> float:
        """Error rate of the key windows, as declared: where error correction begins."""
        right, wrong = self._declared_key()
        return wrong / (right + wrong) if right + wrong > 0.0 else 0.5

    @property
    def honest(self) -> float:
        """Error rate of the compared bits, as declared."""
        return self.guess

    def block(self, start: Time, end: Time) -> Raw:
        """What the ends noted down between two times, ps.

        Raises:
            QuantityError: no time, or more announced windows than fit into memory.
        """
        if end <= start:
            raise QuantityError(f"[{start}, {end})", "a time that lasts", "block")
        records = []
        for length, what in stretches(start, end, self.happenings):
            transmissions, attack = under(self.station.transmissions, what)
            seen = sample_twin(
                replace(self.station, transmissions=transmissions), self.setting, self.lock, self.period,
                math.floor(length / SECOND / self.period), self.rng, attack,
            )  # fmt: skip
            records.append(noted_down(seen, self.setting.compared, self.rng))
        first, second = (joined([pair[k] for pair in records]) for k in (0, 1))
        windows = math.floor((end - start) / SECOND / self.period)
        checked = shown(first, second)
        right, wrong = self._declared_key()
        station = self.declared or self.station
        share = self.setting.key_basis**2 * (right + wrong) + float(decoy_table(station, self.setting).sum())
        alarms = compared_alarms(
            (len(first), windows, share), (*checked, wrong / max(right + wrong, 1e-300)), self.tolerance
        )
        facts = {"announced": len(first) / max(windows, 1)}
        return Raw(first, second, len(first), tuple(alarms), facts, checked)

    def formula(self, security: Security) -> KeyFormula:
        """How much key such a block is worth."""
        return twin_formula(self.setting, security)

    def _declared_key(self) -> tuple[float, float]:
        """Chances of a right and of a wrong click in a key window, the loss of contrast by the lock included."""
        station = self.declared or self.station
        contrast = station.contrast * (1.0 - 2.0 * self.lock.error)
        station = replace(station, misalignment=(1.0 - contrast) / 2.0)
        mu = self.setting.intensity
        right, wrong = station.clicks(mu, mu, np.zeros(()))
        return (float(right), float(wrong))
