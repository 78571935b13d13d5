"""How a link wanders out of alignment, and how it is brought back.

What wanders, and how fast, follows from the data sheets of its parts; how often somebody calibrates is the owner's choice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from quantum_fabric.devices import Detector, Fibre, Node
from quantum_fabric.devices.carrier import Carrier
from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.physics.drift import STILL, Magnitudes
from quantum_fabric.units import SECOND, Time, from_seconds, show_time

TWO_PATHS: Final = frozenset({"single_click", "dlcz", "absorptive"})
"""Architectures in which the phase between the light of two arms is in the pair; elsewhere both ways of it share their fibre."""

STEP_ANGLE: Final = 0.1
"""rms angle (rad), or twice the rms motion of a mode in its radii, that a step of the usual length changes."""

STEP_SHARE: Final = 0.01
"""Share of the efficiency that a detector loses in a step of the usual length."""

SHORTEST: Final = 1e-3
"""Shortest step that is chosen by itself, s: what wanders faster is noise, and belongs into the phase noise of the nodes."""

_LONGEST: Final = 1e10


@dataclass(frozen=True, slots=True)
class Residual:
    """What a calibration leaves behind, drawn anew each time: rms values.

    Attributes:
        phase: rad.
        polarisation: rad about each of three axes, each arm.
        pointing: mode radii in each of two directions, each arm.

    Raises:
        QuantityError: negative or not finite.
    """

    phase: float = 0.0
    polarisation: float = 0.0
    pointing: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no calibration leaves."""
        for name in ("phase", "polarisation", "pointing"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise QuantityError(str(value), "an rms value of at least 0", f"residual.{name}")


EXACT: Final = Residual()
"""A calibration that leaves nothing."""


@dataclass(frozen=True, slots=True)
class Calibrations:
    """When a link is calibrated, and what that costs and leaves.

    Attributes:
        takes: ps during which the link attempts nothing, above 0.
        every: ps from the start of one to the start of the next, more than ``takes``; None: only when told.
        first: ps at which the first of the schedule starts; ``every`` where it is None.
        residual: what is left.

    Raises:
        QuantityError: times that make no schedule.

    Examples:
        >>> Calibrations(takes=5 * 10**12, every=4 * 10**12)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: every: found 4 s, expected a time above that of one calibration, 5 s
    """

    takes: Time
    every: Time | None = None
    first: Time | None = None
    residual: Residual = EXACT

    def __post_init__(self) -> None:
        """Refuse times that make no schedule."""
        if self.takes <= 0:
            raise QuantityError(show_time(self.takes), "a time above 0", "takes")
        if self.every is not None and self.every <= self.takes:
            expected = f"a time above that of one calibration, {show_time(self.takes)}"
            raise QuantityError(show_time(self.every), expected, "every")
        if self.first is not None and (self.every is None or self.first < 0):
            raise QuantityError(show_time(self.first), "a time of at least 0 beside every", "first")


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How one link drifts and is calibrated.

    Attributes:
        wander: how fast.
        step: ps for which its conditions are held before they change; None where nothing wanders.
        calibrations: None where nobody calibrates.
    """

    wander: Magnitudes = STILL
    step: Time | None = None
    calibrations: Calibrations | None = None

    @property
    def moves(self) -> bool:
        """Whether its conditions ever differ from those of the data sheets.

        Examples:
            >>> Upkeep().moves, Upkeep(Magnitudes(detectors=1e-6)).moves
            (False, True)
        """
        return not self.wander.still or (
            self.calibrations is not None and self.calibrations.residual != EXACT
        )

    def cautions(self, where: str = "drift") -> tuple[Caution, ...]:
        """Say where a step is too long for what happens in it.

        Args:
            where: of what.

        Examples:
            >>> [one.found for one in Upkeep(Magnitudes(phase=150.0), step=10**9).cautions()]
            ['4.74 rad of rms phase in a step of 1 ms']
        """
        if self.step is None:
            return ()
        root = math.sqrt(self.step / SECOND)
        found = []
        for name, rate in (("phase", self.wander.phase), ("polarisation", max(self.wander.polarisation))):
            if rate * root > 0.5:
                text = f"{rate * root:.3g} rad of rms {name} in a step of {show_time(self.step)}"
                effect = "pairs that are born within one step of the drift share their errors for too long"
                found.append(Caution(where, text, "at most 0.5 rad", effect))
        return tuple(found)


NO_UPKEEP: Final = Upkeep()
"""A link that is held in alignment for nothing."""


def wander(
    a: Node,
    b: Node,
    carrier: Carrier,
    arms: tuple[float, float],
    detector: Detector | None,
    architecture: str,
) -> Magnitudes:
    """How fast a link wanders if nothing is stabilised, by the data sheets of its parts.

    Args:
        a: first node.
        b: second node.
        carrier: of the light; only fibre turns phase and polarisation.
        arms: m of it from a to the middle and on to b.
        detector: of the station; None for one that does not age.
        architecture: name; the phase between two arms matters to `TWO_PATHS` only.

    Equation:
        Sections of fibre are independent, so variances grow with the length and those of two arms add for the phase between them.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node, glass = sheet("node", "ideal"), sheet("fibre", "smf-28")
        >>> round(wander(node, node, glass, (12_500.0, 12_500.0), None, "single_click").phase, 9)
        147.5
        >>> wander(node, node, glass, (12_500.0, 12_500.0), None, "double_click").phase
        0.0
    """
    phase, turning = 0.0, (0.0, 0.0)
    if isinstance(carrier, Fibre):
        turning = (carrier.polarisation_wander(arms[0]), carrier.polarisation_wander(arms[1]))
        if architecture in TWO_PATHS:
            phase = math.hypot(carrier.phase_wander(arms[0]), carrier.phase_wander(arms[1]))
    return Magnitudes(
        phase=phase,
        polarisation=turning,
        pointing=(a.interface.alignment_wander, b.interface.alignment_wander),
        detectors=detector.ageing if detector is not None else 0.0,
    )


def usual_step(magnitudes: Magnitudes, every: Time | None = None) -> Time | None:
    """Length of a step in which nothing changes by much, ps: see `STEP_ANGLE` and `STEP_SHARE`.

    Args:
        magnitudes: how fast the link wanders.
        every: ps between calibrations; there are at least ten steps between two.

    Returns:
        At least `SHORTEST`; None where nothing wanders.

    Limits:
        Conditions are those of the start of a step, so a pair sees them half a step too young on average: a mean coherence
        exp(-σ²t/2) comes out too high by at most a quarter of a percent of itself.

    Examples:
        >>> usual_step(Magnitudes(phase=0.1)), usual_step(Magnitudes())
        (1000000000000, None)
    """
    if magnitudes.still:
        return None
    rates = (magnitudes.phase, *magnitudes.polarisation, *(2.0 * rate for rate in magnitudes.pointing))
    lengths = [(STEP_ANGLE / rate) ** 2 for rate in rates if rate > 0.0]
    if magnitudes.detectors > 0.0:
        lengths.append(STEP_SHARE / magnitudes.detectors)
    if every is not None:
        lengths.append(0.1 * every / SECOND)
    return from_seconds(min(max(min(lengths), SHORTEST), _LONGEST))


def held(magnitudes: Magnitudes, *names: str) -> Magnitudes:
    """The same with some quantities held by a servo that never fails.

    Args:
        magnitudes: of the parts as they are.
        names: ``phase``, ``polarisation``, ``pointing``, ``detectors``.

    Examples:
        >>> held(Magnitudes(phase=0.1, detectors=1e-6), "phase").phase
        0.0
    """
    return replace(magnitudes, **{name: getattr(STILL, name) for name in names})
