"""The parts a link is made of, and whether they fit together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

from quantum_fabric.devices import Carrier, Detector, Emitter, Node, PairSource, Source, WeakPulse
from quantum_fabric.errors import QuantityError
from quantum_fabric.links.conditions import Conditions, analysed, turned
from quantum_fabric.links.model import Weights
from quantum_fabric.physics.correlators import Correlators, depolarised, product, to_weights, werner
from quantum_fabric.units import Time, show

Light: TypeAlias = "Source | PairSource | Emitter | WeakPulse"
"""What makes light that is not of a memory: pairs for two memories, pairs for two detectors, single photons, weak pulses."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Two nodes and what stands between them.

    Attributes:
        a: data sheet of the first node.
        b: data sheet of the second node.
        fibre: of both arms; any carrier of light.
        arms: m of fibre from a to the middle and from the middle to b, at least 0. A link without a middle uses the sum.
        detector: of the station (or of the heralds of arrival); None for a perfect one without dark counts.
        source: of pairs in the middle, or of photons at a; None where the architecture has none.
        modes: time bins of one attempt, at least 1.
        extra_loss: dB on top of the fibre in each arm, at least 0.
        frequency_modes: colours tried side by side in each time bin, at least 1.
        space_modes: paths (fibres, cores, beams) tried side by side, at least 1.
        phase: optical phase between the two paths that nobody corrects, rad.
        turned: angle by which each arm has turned the polarisation, rad.

    Raises:
        QuantityError: a length, a loss or a number of modes that no link has, or wavelengths that do not fit.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> ion, fibre = sheet("node", "lab-best"), sheet("fibre", "smf-28")
        >>> round(Parts(ion, ion, fibre, (10_000.0, 40_000.0)).total_transmission(), 12)
        0.1
        >>> Parts(ion, ion, sheet("fibre", "visible"), (10.0, 10.0))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: a.interface.wavelength: found 1550 nm, expected 600 nm to 700 nm, the band of the fibre
    """

    a: Node
    b: Node
    fibre: Carrier
    arms: tuple[float, float]
    detector: Detector | None = None
    source: Light | None = None
    modes: int = 1
    extra_loss: tuple[float, float] = (0.0, 0.0)
    frequency_modes: int = 1
    space_modes: int = 1
    phase: float = 0.0
    turned: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        """Refuse parts that do not fit."""
        for arm, length in zip("ab", self.arms, strict=True):
            if not 0.0 <= length < math.inf:
                raise QuantityError(f"{length:g} m", "a length of at least 0 m", f"arm {arm}")
        for arm, loss in zip("ab", self.extra_loss, strict=True):
            if not 0.0 <= loss < math.inf:
                raise QuantityError(f"{loss:g} dB", "a loss of at least 0 dB", f"extra loss of arm {arm}")
        for name in ("modes", "frequency_modes", "space_modes"):
            if getattr(self, name) < 1:
                raise QuantityError(str(getattr(self, name)), "at least 1", name)
        self._require_wavelengths()

    def under(self, conditions: Conditions) -> Parts:
        """The same parts, out of alignment.

        Turned polarisation is kept as an angle where photons carry their qubit in it, and is a loss at a polariser elsewhere.

        Args:
            conditions: how far off they are; they count from these parts as they are.

        Examples:
            >>> from quantum_fabric.devices import sheet
            >>> node = sheet("node", "lab-best")
            >>> parts = Parts(node, node, sheet("fibre", "smf-28"), (0.0, 0.0))
            >>> round(parts.under(Conditions(loss=(3.0, 0.0))).transmission(0), 3)
            0.501
        """
        losses, turned = list(self.extra_loss), list(self.turned)
        for arm, (node, angle) in enumerate(zip((self.a, self.b), conditions.polarisation, strict=True)):
            losses[arm] += conditions.loss[arm]
            if node.interface.encoding == "polarisation":
                turned[arm] += angle
            else:
                losses[arm] += analysed(angle)
        detector = self.detector
        if detector is not None and conditions.detectors != 1.0:
            # a detector that sees nothing is outside the domain of a sheet; one in a billion is close enough
            share = max(conditions.detectors, 1e-9)
            detector = replace(detector, efficiency=detector.efficiency * share)
        return replace(
            self,
            detector=detector,
            extra_loss=(losses[0], losses[1]),
            phase=self.phase + conditions.phase,
            turned=(turned[0], turned[1]),
        )

    def total_transmission(self) -> float:
        """Transmission of all fibre from a to b, extra losses included."""
        return self.transmission(0) * self.transmission(1)

    def transmission(self, arm: int) -> float:
        """Transmission of the fibre of arm 0 (at a) or 1 (at b)."""
        return self.fibre.transmission(self.arms[arm], self.extra_loss[arm])

    def latency(self, arm: int) -> Time:
        """Picoseconds that light needs for arm 0 (at a) or 1 (at b)."""
        return self.fibre.latency(self.arms[arm])

    @property
    def tried(self) -> int:
        """Modes that one attempt tries: time bins x colours x paths."""
        return self.modes * self.frequency_modes * self.space_modes

    @property
    def local_cycle(self) -> Time:
        """Picoseconds that the slower node needs for one local attempt."""
        return max(self.a.interface.cycle, self.b.interface.cycle)

    @property
    def phase_noise(self) -> float:
        """Rms optical phase between the two paths, new in each attempt, rad."""
        return math.hypot(self.a.interface.phase_noise, self.b.interface.phase_noise)

    @property
    def local_errors(self) -> Correlators:
        """White noise that both memory-photon interfaces, and turned polarisation, leave on the pair, as correlators."""
        return product(self._local(0), self._local(1))

    @property
    def kept_locally(self) -> tuple[float, float]:
        """Share of halves at a and at b that these errors leave alone."""
        return self._local(0)[0], self._local(1)[0]

    def _local(self, end: int) -> Correlators:
        interface = (self.a, self.b)[end].interface
        pair = werner(interface.spin_photon_fidelity)
        return depolarised(pair, 1.0 - turned(self.turned[end])) if self.turned[end] else pair

    def _require_wavelengths(self) -> None:
        for name, wavelength in self._wavelengths():
            if not self.fibre.carries(wavelength):
                band = f"{show(self.fibre.band_low, 'length')} to {show(self.fibre.band_high, 'length')}"
                raise QuantityError(show(wavelength, "length"), f"{band}, the band of the fibre", name)
        if isinstance(self.source, PairSource | Emitter | WeakPulse):
            return  # light that no memory emits: it meets no other light
        first = self.a.interface.wavelength
        for name, wavelength in self._wavelengths()[1:]:
            if not math.isclose(wavelength, first, rel_tol=1e-6):
                expected = f"{show(first, 'length')} as at a: photons of different colour do not interfere"
                raise QuantityError(show(wavelength, "length"), expected, name)

    def _wavelengths(self) -> list[tuple[str, float]]:
        """Light that enters the carrier; where there are no memories, what stays in the room may have any colour."""
        if isinstance(self.source, PairSource):
            both = [
                ("source.wavelength_a", self.source.wavelength_a),
                ("source.wavelength_b", self.source.wavelength_b),
            ]
            return [one for one, length in zip(both, self.arms, strict=True) if length > 0.0]
        if isinstance(self.source, Emitter | WeakPulse):
            return [("source.wavelength", self.source.wavelength)]
        named = [
            ("a.interface.wavelength", self.a.interface.wavelength),
            ("b.interface.wavelength", self.b.interface.wavelength),
        ]
        return named if self.source is None else [*named, ("source.wavelength", self.source.wavelength)]


def bell_diagonal(correlators: Correlators) -> Weights:
    """Weights of correlators, free of the rounding that would leave a weight of -1e-17.

    Examples:
        >>> bell_diagonal((1.0, 1.0, 1.0))
        (1.0, 0.0, 0.0, 0.0)
    """
    a, b, c, d = (max(weight, 0.0) for weight in to_weights(correlators))
    total = a + b + c + d
    return (a / total, b / total, c / total, d / total)
