"""A link of weak pulses as its clicks see it: device models reduced to the numbers of `quantum_fabric.physics.qkd.fates.PulseLink`."""

from __future__ import annotations

import math

from quantum_fabric.devices import WeakPulse
from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.links.direct_transmission import DirectTransmission
from quantum_fabric.links.photonic import end, unturned
from quantum_fabric.physics.optics.pair_source import within_window
from quantum_fabric.physics.qkd.fates import PulseLink
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.units import SECOND


def pulse_link(link: DirectTransmission) -> tuple[PulseLink, tuple[Caution, ...]]:
    """The numbers that clicks depend on, and where the device models are used outside their validity.

    Light of all intensities loads the detectors, each with its share of the pulses: dead time and afterpulses follow from the mean.

    Args:
        link: with a `WeakPulse` as its source.

    Returns:
        (the link, cautions).

    Raises:
        QuantityError: a source of another kind, or detectors that count photons or drop double clicks: the sampled receiver has two
            click detectors and gives a double click a random bit.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> from quantum_fabric.links import build
        >>> node, fibre, detector = sheet("node", "ideal"), sheet("fibre", "smf-28"), sheet("detector", "snspd-fast")
        >>> link = build("direct_transmission", node, node, fibre, (25e3, 25e3), detector, sheet("weak_pulse", "gigahertz"))
        >>> numbers, cautions = pulse_link(link)
        >>> f"{numbers.channel:.3f} {numbers.receiver:.2f}"
        '0.100 0.92'
    """
    source, detector, fibre = link.source, link.detector, link.parts.fibre
    if not isinstance(source, WeakPulse):
        raise QuantityError(type(source).__name__, "a weak_pulse", "source")
    if detector.number_resolving or detector.double_click != "random":
        found = "counts photons" if detector.number_resolving else f"double_click: {detector.double_click}"
        raise QuantityError(found, "click detectors with double_click: random", "detector")
    channel = link.total_transmission()
    mean = sum(mu * share for mu, share in zip(*intensities(source), strict=True))
    seen = end(
        detector, mean * channel * SECOND / source.pulse_period, fibre.noise(sum(link.parts.arms)), "b"
    )
    window = min(detector.window, source.pulse_period) / SECOND
    receiver = seen.registers * float(within_window(window, detector.jitter))
    wrong = 0.5 * (1.0 - (1.0 - 2.0 * source.state_error) * unturned(link.parts)[0])
    dark = -math.expm1(-seen.false * window)
    return (PulseLink(channel, receiver, dark, wrong, source.pulse_period / SECOND), seen.cautions)


def intensities(source: WeakPulse) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Intensities that are sent and their shares, strongest first.

    Examples:
        >>> intensities(WeakPulse(signal=0.5, decoy=0.1, signal_share=0.7, decoy_share=0.3))
        ((0.5, 0.1), (0.7, 0.3))
    """
    rest = 1.0 - source.signal_share - source.decoy_share
    every = (
        (source.signal, source.signal_share),
        (source.decoy, source.decoy_share),
        (source.vacuum, rest if rest > 1e-12 else 0.0),
    )
    sent = [(mu, share) for mu, share in every if share > 0.0]
    total = sum(share for _, share in sent)
    return (tuple(mu for mu, _ in sent), tuple(share / total for _, share in sent))


def decoy_setting(source: WeakPulse, key_basis: float) -> Setting:
    """What sender and receiver choose.

    Args:
        source: with decoys.
        key_basis: chance of the key basis at both ends, in (0, 1).

    Raises:
        QuantityError: a source without decoys: weak pulses alone give no secret key at useful distance, and none here.

    Examples:
        >>> decoy_setting(WeakPulse(signal=0.5, decoy=0.1, signal_share=0.7, decoy_share=0.3), 0.8).key_basis
        0.8
    """
    mu, p = intensities(source)
    if len(mu) < 2:
        raise QuantityError("one intensity", "a weak_pulse with decoy and decoy_share", "source")
    return Setting(key_basis, mu, p)
