"""What a data sheet says of a wavelength converter, and what a node becomes behind one."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from quantum_fabric.devices.node import Node
from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.errors import QuantityError
from quantum_fabric.units import SPEED_OF_LIGHT, show


@dataclass(frozen=True, slots=True)
class Converter:
    """A quantum frequency converter: three-wave mixing with a strong pump in a crystal.

    Attributes:
        input_wavelength: of the node's photon, m.
        output_wavelength: of the photon in the fibre, m.
        efficiency: external (fibre to fibre, filters included) at ``pump_power``.
        noise: photons per s that the pump makes in the filter band, at the output, at ``pump_power``.
        pump_power: W at which ``efficiency`` and ``noise`` hold.
        best_pump: W at which the conversion is complete and the efficiency highest; infinite where unknown (then
            the efficiency is linear in the pump, up to ``pump_power``).
        filter_bandwidth: full width of the filter behind it, Hz; 0 where unknown.

    Raises:
        QuantityError: outside the domain, or a pump at which nothing is converted.

    Equation:
        efficiency(P) = η_max sin²((π/2) sqrt(P/P_best)) (Roussev et al., Opt. Lett. 29, 1518 (2004)); noise is proportional to
        the pump power (Raman scattering and spontaneous down-conversion of the pump) and to the filter's bandwidth.

    Limits:
        Preserves the photon's polarisation and shape. The noise's own back-conversion, which flattens it near P_best, is
        left out; so the noise at high pump is an upper bound. The same efficiency both ways.

    Examples:
        >>> converter = Converter(637e-9, 1588e-9, efficiency=0.17, noise=300.0)
        >>> round(converter.pump_wavelength * 1e9, 1)  # nm
        1063.7
    """

    input_wavelength: float = quantity(
        "length", 0.0, math.inf, "wavelength of the node's photon", open_low=True
    )
    output_wavelength: float = quantity("length", 0.0, math.inf, "wavelength in the fibre", open_low=True)
    efficiency: float = quantity("fraction", 0.0, 1.0, "external efficiency", open_low=True)
    noise: float = quantity(
        "frequency", 0.0, math.inf, "noise photons in the filter band", default=0.0, open_high=True
    )
    pump_power: float = quantity(
        "power", 0.0, math.inf, "pump at which the numbers hold", default=1.0, open_low=True
    )
    best_pump: float = quantity(
        "power", 0.0, math.inf, "pump of complete conversion", default=math.inf, open_low=True
    )
    filter_bandwidth: float = quantity(
        "frequency", 0.0, math.inf, "width of the filter behind it", default=0.0
    )

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)
        if self._share(self.pump_power) <= 0.0 or self.efficiency > self._share(self.pump_power):
            least = f"at most {self._share(self.pump_power):.4g}, what this pump converts of a perfect device"
            raise QuantityError(f"{self.efficiency:g}", least, "efficiency")

    @property
    def pump_wavelength(self) -> float:
        """Wavelength of the pump, m: the difference of the two photons' energies."""
        return 1.0 / abs(1.0 / self.input_wavelength - 1.0 / self.output_wavelength)

    @property
    def spectral_noise(self) -> float:
        """Noise photons per s and Hz of filter; infinite where the filter is unknown."""
        return self.noise / self.filter_bandwidth if self.filter_bandwidth else math.inf

    def at(self, pump_power: float) -> Converter:
        """The same converter at another pump power.

        Args:
            pump_power: W, above 0.

        Raises:
            QuantityError: no pump, or a stronger one where the best pump is unknown.

        Examples:
            >>> half = Converter(637e-9, 1588e-9, 0.4, noise=100.0, pump_power=0.2, best_pump=0.2).at(0.05)
            >>> round(half.efficiency, 12), half.noise
            (0.2, 25.0)
        """
        highest = self.pump_power if math.isinf(self.best_pump) else math.inf
        if not 0.0 < pump_power <= highest or math.isinf(pump_power):
            expected = "a power above 0 W"
            if math.isfinite(highest):
                expected += (
                    f" and up to {show(highest, 'power')}: beyond it nothing is known without best_pump"
                )
            raise QuantityError(f"{pump_power:g} W", expected, "pump_power")
        scale = self._share(pump_power) / self._share(self.pump_power)
        noise = self.noise * pump_power / self.pump_power
        return dataclasses.replace(
            self, efficiency=self.efficiency * scale, noise=noise, pump_power=pump_power
        )

    def filtered(self, bandwidth: float) -> Converter:
        """The same converter behind another filter: the noise goes with its bandwidth.

        Args:
            bandwidth: full width, Hz, above 0, wide enough for the photon.

        Raises:
            QuantityError: no bandwidth, or a converter whose own filter is unknown.

        Examples:
            >>> Converter(637e-9, 1588e-9, 0.4, noise=100.0, filter_bandwidth=1e10).filtered(1e9).noise
            10.0
        """
        if not self.filter_bandwidth:
            raise QuantityError("0 Hz", "the bandwidth for which its noise holds", "filter_bandwidth")
        if not 0.0 < bandwidth < math.inf:
            raise QuantityError(f"{bandwidth:g} Hz", "a bandwidth above 0 Hz", "bandwidth")
        return dataclasses.replace(
            self, noise=self.noise * bandwidth / self.filter_bandwidth, filter_bandwidth=bandwidth
        )

    def _share(self, pump_power: float) -> float:
        """Internal conversion, up to a constant where the best pump is unknown."""
        if math.isinf(self.best_pump):
            return pump_power / self.pump_power
        return math.sin(0.5 * math.pi * math.sqrt(pump_power / self.best_pump)) ** 2


def converted(node: Node, converter: Converter) -> Node:
    """A node behind a wavelength converter.

    Equation: the interface's ``wavelength`` becomes the converter's output, its ``conversion_efficiency`` is multiplied, and its
    ``conversion_noise`` is that of the converter on top of what an earlier one made, converted with the photons.

    Args:
        node: its photons have the converter's input wavelength.
        converter: at its pump power.

    Returns:
        A new node.

    Raises:
        QuantityError: the wavelengths do not match.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node = converted(sheet("node", "nv-electron"), Converter(637e-9, 1588e-9, 0.17, noise=300.0))
        >>> round(node.interface.wavelength * 1e9), node.interface.conversion_efficiency, node.interface.conversion_noise
        (1588, 0.17, 300.0)
        >>> converted(node, Converter(780e-9, 1522e-9, 0.57))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: interface.wavelength: found 1588 nm, expected 780 nm, what the converter takes
    """
    before = node.interface
    tolerance = 1e-3  # photons of one species differ by less; converters are tuned to theirs
    if not math.isclose(before.wavelength, converter.input_wavelength, rel_tol=tolerance):
        expected = f"{show(converter.input_wavelength, 'length')}, what the converter takes"
        raise QuantityError(show(before.wavelength, "length"), expected, "interface.wavelength")
    after = dataclasses.replace(
        before,
        wavelength=converter.output_wavelength,
        conversion_efficiency=before.conversion_efficiency * converter.efficiency,
        conversion_noise=before.conversion_noise * converter.efficiency + converter.noise,
    )
    return dataclasses.replace(node, interface=after)


def photon_bandwidth(wavelength: float, width: float) -> float:
    """Width in Hz of a width in wavelength: c Δλ/λ².

    Args:
        wavelength: m, above 0.
        width: m, at least 0.

    Examples:
        >>> round(photon_bandwidth(1550e-9, 0.1e-9) / 1e9, 2)  # GHz
        12.48
    """
    return SPEED_OF_LIGHT * width / wavelength**2
