"""What a data sheet says of a transducer: from the microwave photon of a superconducting qubit to an optical one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from quantum_fabric.devices.node import Node
from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.errors import Caution, QuantityError

PLANCK: Final = 6.62607015e-34
"""J s, exact (SI 2019)."""
BOLTZMANN: Final = 1.380649e-23
"""J/K, exact (SI 2019)."""
NOISE_THRESHOLD: Final = 0.5
"""Added photons above which transduced ends are not expected to share entanglement (model of arXiv:2503.10842)."""
_FEW_PHOTONS: Final = 0.1


def thermal_occupation(frequency: float, temperature: float) -> float:
    """Mean number of thermal photons in a mode.

    Args:
        frequency: of the mode, in Hz, above 0.
        temperature: in K, at least 0.

    Returns:
        1 / (exp(h f / k T) - 1); 0 at 0 K.

    Raises:
        QuantityError: outside the domain.

    Equation:
        Planck, Ann. Phys. 309, 553 (1901).

    Examples:
        >>> round(thermal_occupation(5e9, 0.1), 6)
        0.09981
        >>> thermal_occupation(5e9, 0.0)
        0.0
    """
    if not 0.0 < frequency < math.inf:
        raise QuantityError(f"{frequency!r} Hz", "a frequency above 0 Hz", "frequency")
    if not 0.0 <= temperature < math.inf:
        raise QuantityError(f"{temperature!r} K", "a temperature of at least 0 K", "temperature")
    if temperature == 0.0:
        return 0.0
    energy = PLANCK * frequency / (BOLTZMANN * temperature)
    return 0.0 if energy > 700.0 else 1.0 / math.expm1(energy)


@dataclass(frozen=True, slots=True)
class Transducer:
    """A converter from microwave to optical photons.

    Attributes:
        efficiency: probability that a microwave photon leaves as an optical one in the output fibre, in (0, 1].
        added_noise: noise photons of one mode that the transducer adds, referred to its input, at least 0; without those
            that the temperature puts there.
        frequency: of the microwave photon, in Hz.
        temperature: of the microwave mode, in K, at least 0.
        wavelength: of the optical photon, in m.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> Transducer(efficiency=0.01, added_noise=0.2).noise
        0.2
    """

    efficiency: float = quantity("fraction", 0.0, 1.0, "microwave to optical, in the fibre", open_low=True)
    added_noise: float = quantity(
        "number", 0.0, math.inf, "noise photons of a mode at its input", default=0.0
    )
    frequency: float = quantity(
        "frequency", 0.0, math.inf, "of the microwave photon", default=5e9, open_low=True, open_high=True
    )
    temperature: float = quantity(
        "temperature", 0.0, math.inf, "of the microwave mode", default=0.0, open_high=True
    )
    wavelength: float = quantity(
        "length", 0.0, math.inf, "of the optical photon", default=1550e-9, open_low=True
    )

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)

    @property
    def thermal(self) -> float:
        """Thermal photons in the microwave mode.

        Examples:
            >>> Transducer(efficiency=0.1, temperature=0.02).thermal < 1e-5
            True
        """
        return thermal_occupation(self.frequency, self.temperature)

    @property
    def noise(self) -> float:
        """All noise photons of a mode, referred to the input: added and thermal."""
        return self.added_noise + self.thermal

    def cautions(self) -> tuple[Caution, ...]:
        """Say where the noise is too large for entanglement.

        Examples:
            >>> len(Transducer(efficiency=0.01, added_noise=1.24).cautions())
            1
        """
        if self.noise < NOISE_THRESHOLD:
            return ()
        found = f"{self.noise:.4g} photons"
        effect = (
            "two transduced ends are not expected to share entanglement (threshold of the model of arXiv:2503.10842; "
            "with photons in two modes and clicks of single photons it lies at 0.366)"
        )
        return (Caution("transducer.noise", found, f"below {NOISE_THRESHOLD:g} added photons", effect),)


def noise_weight(emission: float, noise: float) -> float:
    """Share of the clicks of a transduced photon that are of the photon and not of noise.

    Args:
        emission: probability that the qubit put a photon into the transducer, in [0, 1].
        noise: noise photons of a mode at the input, at least 0.

    Returns:
        emission / (emission + 2 noise), in [0, 1]: by this factor the Werner parameter of the pair of qubit and photon shrinks.

    Equation:
        A photon in one of two modes (time bins or polarisations), a qubit that knows in which. Each mode holds ``noise``
        further photons that know nothing. To first order in the efficiency a click comes from the photon with weight
        ``emission`` and from noise with weight ``2 noise``, and noise leaves qubit and photon maximally mixed (calculated
        here; a test repeats it with thermal states in Fock space).

    Limits:
        First order in the photons that leave the transducer.

    Examples:
        >>> noise_weight(1.0, 0.5)
        0.5
    """
    return emission / (emission + 2.0 * noise) if emission > 0.0 else 0.0


def transduced(node: Node, transducer: Transducer) -> tuple[Node, tuple[Caution, ...]]:
    """The node as the fibre sees it: with a transducer between its microwave photon and the fibre.

    Args:
        node: whose interface describes the microwave photon.
        transducer: behind it.

    Returns:
        The node with ``interface.efficiency``, ``spin_photon_fidelity`` and ``wavelength`` of what leaves the transducer, and
        cautions: noise above the threshold, and more than 0.1 photons in an attempt (the model is of first order).

    Equation:
        efficiency' = eta (emission + 2 N), w' = w emission / (emission + 2 N), F = (1 + 3 w)/4; see `noise_weight`.

    Limits:
        Photons in two modes (double click). In a single-click link noise heralds in another way: keep ``N`` far below
        ``bright_population`` times the emission.

    Examples:
        >>> made, cautions = transduced(Node(), Transducer(efficiency=0.01, added_noise=0.1))
        >>> round(made.interface.spin_photon_fidelity, 6), round(made.interface.efficiency, 6), cautions
        (0.875, 0.012, ())
    """
    face = node.interface
    noise = transducer.noise
    werner = (4.0 * face.spin_photon_fidelity - 1.0) / 3.0 * noise_weight(face.efficiency, noise)
    photons = transducer.efficiency * (face.efficiency + 2.0 * noise)
    cautions = list(transducer.cautions())
    if photons > _FEW_PHOTONS and noise > 0.0:
        effect = "attempts with two photons are left out, of the order of the square"
        cautions.append(Caution("transducer.efficiency", f"{photons:.4g} photons", "at most 0.1", effect))
    changed = replace(
        face,
        efficiency=min(photons, 1.0),
        spin_photon_fidelity=(1.0 + 3.0 * werner) / 4.0,
        wavelength=transducer.wavelength,
    )
    return replace(node, interface=changed), tuple(cautions)
