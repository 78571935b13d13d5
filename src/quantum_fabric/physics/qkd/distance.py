"""Key rate against distance for one set of hardware and many protocols: what `qfabric qkd rate` draws.

Every rate is in secret bits for each pulse (or pair of pulses, or symbol) that is sent, each protocol at its best setting, so that the
curves can be compared with each other and with the bound of channels without repeaters (`quantum_fabric.physics.bounds.plob`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from quantum_fabric.errors import QuantityError, UnknownNameError
from quantum_fabric.physics.bounds import equal_chain, plob
from quantum_fabric.physics.checks import check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.optimum import golden
from quantum_fabric.physics.qkd.coherent_twin_field import best_sign_rate
from quantum_fabric.physics.qkd.continuous_variable import Homodyne, best_modulation
from quantum_fabric.physics.qkd.cow import WatchedLink, watched_rate
from quantum_fabric.physics.qkd.decoy import (
    PulseReceiver,
    best_intensity,
    infinite_decoy_rate,
    no_decoy_rate,
    vacuum_weak_rate,
)
from quantum_fabric.physics.qkd.dps import PulseTrain, train_rate
from quantum_fabric.physics.qkd.entanglement import PairReceivers, source_gain
from quantum_fabric.physics.qkd.finite_rate import GatedReceiver, best_setting
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.mdi import BellStation, best_untrusted_rate
from quantum_fabric.physics.qkd.twin_field import MiddleStation, best_sending
from quantum_fabric.physics.qkd.twin_rate import best_twin


@dataclass(frozen=True, slots=True)
class Hardware:
    """Fibre, detectors and error correction, the same for all protocols.

    Attributes:
        attenuation: of the fibre, dB for each m, >= 0.
        efficiency: of a receiver with its detectors, in (0, 1].
        dark: false clicks of one detector for each gate, in [0, 1).
        misalignment: chance that a photon ends in the wrong detector, in [0, 0.5].
        afterpulse: chance that a click is followed by a false one; the finite-key curves count it, the asymptotic ones do not.
        interference: the same as ``misalignment`` for two distant lasers that must interfere (twin field), in [0, 0.5].
        inefficiency: f of error correction, at least 1.
        block: detections in the key basis for the finite-key curves, at least 1.
        weak: intensity of the weak decoy of ``vacuum-weak``, above 0.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> HARDWARE["gys"].efficiency
        0.045
    """

    attenuation: float = 0.2e-3
    efficiency: float = 0.1
    dark: float = 6e-7
    misalignment: float = 0.005
    afterpulse: float = 0.04
    interference: float = 0.03
    inefficiency: float = 1.16
    block: float = 1e7
    weak: float = 0.05

    def __post_init__(self) -> None:
        check_range(self.attenuation, 0.0, math.inf, "attenuation")
        check_range(self.efficiency, 1e-300, 1.0, "efficiency")
        for name in ("dark", "afterpulse"):
            check_range(getattr(self, name), 0.0, 1.0, name)
        for name in ("misalignment", "interference"):
            check_range(getattr(self, name), 0.0, 0.5, name)
        check_range(self.inefficiency, 1.0, math.inf, "inefficiency")
        check_range(self.block, 1.0, 1e18, "block")
        check_range(self.weak, 1e-300, 1.0, "weak")

    def channel(self, metres: float) -> float:
        """Transmission of the fibre."""
        return float(10.0 ** (-self.attenuation * metres / 10.0))

    @property
    def receiver(self) -> PulseReceiver:
        """Both detectors together, as asymptotic formulas take them."""
        return PulseReceiver(2.0 * self.dark, self.misalignment, self.inefficiency)

    @property
    def gated(self) -> GatedReceiver:
        """As finite-key formulas take them."""
        return GatedReceiver(self.dark, self.afterpulse, self.misalignment, self.inefficiency)


HARDWARE: Final[Mapping[str, Hardware]] = {
    "lim2014": Hardware(),
    "gys": Hardware(0.21e-3, 0.045, 8.5e-7, 0.033, 0.0, 0.033, 1.22),
    "lo2012": Hardware(0.2e-3, 0.145, 3e-6, 0.015, 0.0, 0.015, 1.16),
    "nanowire": Hardware(0.17e-3, 0.8, 1e-9, 0.01, 0.0, 0.03, 1.16),
}
"""Sets of numbers: Lim 2014; Gobby, Yuan, Shields 2004 as in Ma 2005; Lo, Curty, Qi 2012; and, assumed here, good nanowires on
low-loss fibre."""

Rate: TypeAlias = Callable[[Hardware, float], float]


@dataclass(frozen=True, slots=True)
class Protocol:
    """A curve.

    Attributes:
        title: for people.
        unit: of what is sent.
        finite: whether blocks are finite; asymptotic otherwise.
        bound: True for what no protocol without a repeater may exceed.
        rate: secret bits for each unit at a distance in m.
    """

    title: str
    unit: str
    rate: Rate
    finite: bool = False
    bound: bool = False


def rate(protocol: str, hardware: Hardware, metres: float) -> float:
    """Secret bits for each pulse at a distance.

    Args:
        protocol: a name in `PROTOCOLS`.
        hardware: fibre and detectors.
        metres: of fibre between the ends, >= 0; a station stands in the middle where there is one.

    Returns:
        At least 0.

    Raises:
        UnknownNameError: no such protocol.
        QuantityError: a negative distance.

    Examples:
        >>> f"{rate('bb84', HARDWARE['gys'], 50e3):.4e}"
        '2.2260e-04'
        >>> f"{rate('bb84-finite', HARDWARE['lim2014'], 100e3):.2e}"
        '4.81e-05'
    """
    if protocol not in PROTOCOLS:
        raise UnknownNameError(repr(protocol), f"one of {', '.join(PROTOCOLS)}", "protocol")
    if not metres >= 0.0:
        raise QuantityError(f"{metres:g} m", "a distance of 0 or more", "distance")
    return max(PROTOCOLS[protocol].rate(hardware, metres), 0.0)


def _decoys(hardware: Hardware, metres: float) -> float:
    eta = hardware.channel(metres) * hardware.efficiency
    return float(infinite_decoy_rate(hardware.receiver, eta, best_intensity(hardware.receiver, eta)))


def _vacuum_weak(hardware: Hardware, metres: float) -> float:
    eta = hardware.channel(metres) * hardware.efficiency
    mu = best_intensity(hardware.receiver, eta, hardware.weak)
    return float(vacuum_weak_rate(hardware.receiver, eta, mu, hardware.weak))


def _without(hardware: Hardware, metres: float) -> float:
    eta = hardware.channel(metres) * hardware.efficiency
    exponent = golden(lambda x: float(no_decoy_rate(hardware.receiver, eta, eta * math.exp(x))), -4.0, 2.0)
    return float(no_decoy_rate(hardware.receiver, eta, eta * math.exp(exponent)))


def _finite(decoys: int) -> Rate:
    def found(hardware: Hardware, metres: float) -> float:
        eta = hardware.channel(metres) * hardware.efficiency
        _, key, pulses = best_setting(hardware.gated, eta, hardware.block, decoys=decoys)
        return float(key.length) / pulses

    return found


def _pairs(hardware: Hardware, metres: float) -> float:
    receivers = PairReceivers(2.0 * hardware.dark, hardware.misalignment, hardware.inefficiency)
    arm = hardware.channel(metres / 2.0) * hardware.efficiency

    def signed(exponent: float) -> float:
        gain, wrong = (float(v) for v in source_gain(receivers, arm, arm, math.exp(exponent)))
        error = min(wrong / gain, 0.5) if gain > 0.0 else 0.5
        return (
            receivers.sifting * gain * (1.0 - (1.0 + receivers.inefficiency) * float(binary_entropy(error)))
        )

    return signed(golden(signed, math.log(1e-5), math.log(2.0)))


def _middle(hardware: Hardware, metres: float) -> tuple[MiddleStation, float]:
    station = MiddleStation(hardware.dark, hardware.interference, hardware.inefficiency)
    return station, hardware.channel(metres / 2.0) * hardware.efficiency


def _sending(hardware: Hardware, metres: float) -> float:
    return best_sending(*_middle(hardware, metres))[2]


def _signs(hardware: Hardware, metres: float) -> float:
    return best_sign_rate(*_middle(hardware, metres))[1]


def _signs_finite(hardware: Hardware, metres: float) -> float:
    return best_twin(*_middle(hardware, metres), hardware.block, Security(1e-10, 1e-15))[1]


def _untrusted(hardware: Hardware, metres: float) -> float:
    station = BellStation(hardware.dark, hardware.misalignment, hardware.inefficiency)
    arm = hardware.channel(metres / 2.0) * hardware.efficiency
    return best_untrusted_rate(station, arm, arm)[1]


def _gaussian(hardware: Hardware, metres: float) -> float:
    """Homodyne detection has numbers of its own: those of the golden values (efficiency 0.6, noise 0.01 and 0.01, β 0.95)."""
    return best_modulation(Homodyne(0.6, 0.01, 0.01), hardware.channel(metres))[1]


def _train(hardware: Hardware, metres: float) -> float:
    def bits(mu: float) -> float:
        link = PulseTrain(
            1.0,
            mu,
            hardware.efficiency,
            hardware.dark,
            1.0,
            hardware.misalignment,
            0.0,
            0.0,
            hardware.inefficiency,
        )
        return float(train_rate(link, hardware.channel(metres)).secret)

    return bits(golden(bits, 0.01, 0.45))


def _one_way(hardware: Hardware, metres: float) -> float:
    link = WatchedLink(
        1.0,
        0.06,
        hardware.efficiency,
        2.0 * hardware.dark,
        1.0,
        hardware.misalignment,
        inefficiency=hardware.inefficiency,
    )
    return float(watched_rate(link, hardware.channel(metres)).secret)


PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "bb84": Protocol("BB84, decoys without number (Ma 2005)", "pulse", _decoys),
    "vacuum-weak": Protocol("BB84, vacuum and weak decoy (Ma 2005)", "pulse", _vacuum_weak),
    "no-decoy": Protocol("BB84, no decoys (GLLP)", "pulse", _without),
    "bb84-finite": Protocol("BB84, two decoys, finite blocks (Lim 2014)", "pulse", _finite(2), finite=True),
    "one-decoy": Protocol("BB84, one decoy, finite blocks (Rusca 2018)", "pulse", _finite(1), finite=True),
    "bbm92": Protocol("BBM92, pair source in the middle (Ma 2007)", "pulse", _pairs),
    "mdi": Protocol("MDI-QKD (Lo 2012)", "pair of pulses", _untrusted),
    "sns": Protocol("twin field, sending or not sending (Wang 2018, Xu 2020)", "window", _sending),
    "cal": Protocol("twin field, coherent key windows (Curty 2019)", "window", _signs),
    "cal-finite": Protocol(
        "twin field, coherent, finite blocks (Currás-Lorenzo 2021)", "window", _signs_finite, finite=True
    ),
    "cv": Protocol("GG02, trusted homodyne (Lodewyck 2007)", "symbol", _gaussian),
    "dps": Protocol("DPS, individual attacks only (Waks 2006)", "pulse", _train),
    "cow": Protocol("COW, after the zero-error attack", "bit period", _one_way),
    "plob": Protocol(
        "bound without repeaters (PLOB)", "mode", lambda h, m: float(plob(h.channel(m))), bound=True
    ),
    "one-repeater": Protocol(
        "bound with one perfect repeater",
        "mode",
        lambda h, m: float(equal_chain(h.channel(m), 1)),
        bound=True,
    ),
}
"""Every curve by its name."""
