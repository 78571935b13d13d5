"""What links without memories share: ends that measure photons as they come, attempt after attempt.

Each end has two detectors, one for each result, and tells the other when it clicked. Nothing waits, so attempts follow each other at
the pace of the source however far the ends are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from quantum_fabric.devices import Detector
from quantum_fabric.errors import Caution
from quantum_fabric.links.conditions import Conditions, turned
from quantum_fabric.links.parts import Parts
from quantum_fabric.links.timing import Schedule, Timetable, require_lanes
from quantum_fabric.physics.correlators import Correlators
from quantum_fabric.units import Time

PERFECT = Detector()
"""Detector of a link for which none is given."""


@dataclass(frozen=True, slots=True)
class End:
    """Two alike detectors at one end, in a steady stream of light.

    Attributes:
        registers: probability that a photon that arrives is registered: efficiency x live fraction.
        false: false clicks per s of *one* detector (dark counts, noise, afterpulses).
        rate: would-be clicks per s of one detector, photons and false ones.
        cautions: where mean rates no longer describe the detectors.
    """

    registers: float
    false: float
    rate: float
    cautions: tuple[Caution, ...]


def end(detector: Detector, arriving: float, noise: float, where: str) -> End:
    """Reduce two detectors and what reaches them to the numbers of an `End`.

    Args:
        detector: either of the two.
        arriving: photons of the source per s that reach the end, both detectors together, at least 0.
        noise: photons per s of the carrier (Raman light, background), both together, at least 0.
        where: name of the end.

    Examples:
        >>> half = end(Detector(efficiency=0.5, dark_rate=100.0), 4000.0, 400.0, "a")
        >>> half.registers, half.false, half.rate
        (0.5, 200.0, 1200.0)
    """
    stray = 0.5 * detector.efficiency * noise
    rate = 0.5 * detector.efficiency * arriving + stray + detector.dark_rate
    return End(
        registers=detector.efficiency * detector.live_fraction(rate),
        false=detector.false_rate(rate, stray),
        rate=rate,
        cautions=detector.cautions(rate, f"detectors of {where}"),
    )


def unturned(parts: Parts) -> Correlators:
    """Correlators of a perfect pair after both arms have turned the polarisation.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node = sheet("node", "ideal")
        >>> unturned(Parts(node, node, sheet("fibre", "ideal"), (0.0, 0.0)))
        (1.0, 1.0, 1.0)
    """
    kept = turned(parts.turned[0]) * turned(parts.turned[1])
    return (kept, kept, kept)


def misaligned(parts: Parts, conditions: Conditions) -> Parts:
    """The same parts out of alignment, the qubit being the polarisation whatever the nodes would use.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node = sheet("node", "ideal")
        >>> aligned = Parts(node, node, sheet("fibre", "ideal"), (0.0, 0.0))
        >>> misaligned(aligned, Conditions(polarisation=(0.1, 0.2), loss=(1.0, 0.0))).turned
        (0.1, 0.2)
    """
    moved = parts.under(replace(conditions, polarisation=(0.0, 0.0)))
    first, second = (old + new for old, new in zip(parts.turned, conditions.polarisation, strict=True))
    return replace(moved, turned=(first, second))


def stream(table: Timetable, attempt: Time, modes: int, lanes: int) -> Schedule:
    """Attempts that follow each other without waiting for news.

    Args:
        table: when the photons are measured and when the ends hear, for one pulse or window.
        attempt: ps from one pulse or window to the next, at least 1.
        modes: pulses or windows that count as one attempt, at least 1.
        lanes: attempts that take turns, at least 1.

    Raises:
        QuantityError: no lanes.

    Examples:
        >>> stream(Timetable((0, 0), (100, 100)), attempt=1, modes=5, lanes=2)
        Schedule(period=10, cycle=5, born=(0, 0), heard=(104, 104))
    """
    require_lanes(lanes)
    last = (modes - 1) * attempt
    cycle = modes * attempt
    return Schedule(lanes * cycle, cycle, table.born, (table.heard[0] + last, table.heard[1] + last))
