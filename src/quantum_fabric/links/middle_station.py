"""Two links of weak pulses that meet at a station: device models reduced to the numbers of a station in the middle.

Each link brings the pulses of one end to the same station. The detectors there see the light of both, so that dead time and
afterpulses follow from the sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices import WeakPulse
from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.links.direct_transmission import DirectTransmission
from quantum_fabric.links.photonic import end, unturned
from quantum_fabric.links.weak_pulses import intensities
from quantum_fabric.physics.optics.pair_source import within_window
from quantum_fabric.units import SECOND


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two ends and a station.

    Attributes:
        intensities: of the sources, strongest first, alike at both ends.
        probabilities: of each.
        transmissions: from each end to the detectors, these included.
        dark: false counts for each window of one detector.
        misalignment: chance that interfering photons of both ends leave by the wrong output.
        period: from one window to the next, s.
        cautions: where device models are used outside their validity.
    """

    intensities: tuple[float, ...]
    probabilities: tuple[float, ...]
    transmissions: tuple[float, float]
    dark: float
    misalignment: float
    period: float
    cautions: tuple[Caution, ...]


def meeting(first: DirectTransmission, second: DirectTransmission, mean: float, detectors: int) -> Meeting:
    """The numbers of a station where two links meet.

    Args:
        first: from one end to the station.
        second: from the other.
        mean: mean photons of a pulse as it is sent, over all kinds of windows, at least 0.
        detectors: that share the light: 2 for single photons, 4 for two polarisations.

    Raises:
        QuantityError: sources or detectors that differ, a source of another kind, or detectors that count photons.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> from quantum_fabric.links import build
        >>> node, fibre, detector = sheet("node", "ideal"), sheet("fibre", "smf-28"), sheet("detector", "snspd-fast")
        >>> laser = sheet("weak_pulse", "gigahertz")
        >>> arms = [build("direct_transmission", node, node, fibre, (l, l), detector, laser) for l in (25e3, 50e3)]
        >>> found = meeting(arms[0], arms[1], 0.3, 2)
        >>> [f"{eta:.4f}" for eta in found.transmissions]
        ['0.0920', '0.0092']
    """
    a, b = (_laser(link) for link in (first, second))
    for name in ("signal", "decoy", "vacuum", "signal_share", "decoy_share", "pulse_period", "wavelength"):
        if getattr(a, name) != getattr(b, name):
            found = f"{getattr(a, name):g} and {getattr(b, name):g}"
            raise QuantityError(found, "the same at both ends: they send alike", name)
    detector = first.detector
    if detector != second.detector:
        raise QuantityError("two kinds", "one kind of detectors at the station", "detector")
    if detector.number_resolving:
        raise QuantityError("counts photons", "click detectors", "detector")
    channels = [link.total_transmission() for link in (first, second)]
    noise = sum(link.parts.fibre.noise(sum(link.parts.arms)) for link in (first, second))
    arriving = mean * sum(channels) * SECOND / a.pulse_period
    seen = end(detector, arriving * 2.0 / detectors, noise * 2.0 / detectors, "station")
    window = min(detector.window, a.pulse_period) / SECOND
    receiver = seen.registers * float(within_window(window, detector.jitter))
    kept = math.prod((1.0 - 2.0 * x.state_error) * unturned(y.parts)[0] for x, y in ((a, first), (b, second)))
    mu, p = intensities(a)
    return Meeting(
        mu, p, (channels[0] * receiver, channels[1] * receiver), -math.expm1(-seen.false * window),
        0.5 * (1.0 - kept), a.pulse_period / SECOND, seen.cautions,
    )  # fmt: skip


def _laser(link: DirectTransmission) -> WeakPulse:
    if not isinstance(link.source, WeakPulse):
        raise QuantityError(type(link.source).__name__, "a weak_pulse", "source")
    return link.source
