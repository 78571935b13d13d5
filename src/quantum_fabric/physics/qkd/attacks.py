"""What an eavesdropper may do to a quantum key link: plain records, for the twin to act out.

An attack is acted out on sampled clicks (`clicks`, `pair_clicks`), or on messages; nothing here knows a detector or a channel.
Attacks on pulses take a *fraction*: each pulse is attacked with that chance, independently.

Sources: Bennett, Brassard, Proc. IEEE ICCSSP (1984) (intercept and resend); Lütkenhaus, PRA 61, 052304 (2000) (photon-number
splitting); Lydersen et al., Nat. Photon. 4, 686 (2010) (blinding); Gisin et al., PRA 73, 022320 (2006) (Trojan horse); Qi, Fung,
Lo, Ma, Quantum Inf. Comput. 7, 73 (2007) (time shift).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import check_range


@dataclass(frozen=True, slots=True)
class InterceptResend:
    """Measure in a basis chosen at random, send on what was found, photon for photon.

    Attributes:
        fraction: of the pulses or pairs, in (0, 1].

    Raises:
        QuantityError: a field outside its domain.

    Equation:
        Error rate of the sifted bits rises by ``fraction/4``; the CHSH value falls to ``2√2 (1 - fraction/2)``.

    Examples:
        >>> InterceptResend(0.5)
        InterceptResend(fraction=0.5)
    """

    fraction: float = 1.0

    def __post_init__(self) -> None:
        _check_fraction(self.fraction)


@dataclass(frozen=True, slots=True)
class NumberSplitting:
    """Count the photons of a pulse, stop single ones, keep one of several and send the others on without loss.

    So many of the pulses with several photons are let through that the signal gain stays as it was; where they are too few, single
    photons pass as well.

    Attributes:
        fraction: of the pulses, in (0, 1].

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> NumberSplitting().fraction
        1.0
    """

    fraction: float = 1.0

    def __post_init__(self) -> None:
        _check_fraction(self.fraction)


@dataclass(frozen=True, slots=True)
class Blinding:
    """Blind the detectors with bright light and dictate their clicks: only where the receiver takes the attacker's basis.

    The attacker measures every pulse, as often as keeps the gain of each intensity, and sends a trigger.

    Attributes:
        fraction: of the time, in (0, 1].

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> Blinding().fraction
        1.0
    """

    fraction: float = 1.0

    def __post_init__(self) -> None:
        _check_fraction(self.fraction)


@dataclass(frozen=True, slots=True)
class TimeShift:
    """Send pulses on earlier or later, at random, to where one of the two detectors is the less sensitive one.

    Attributes:
        fraction: of the pulses, in (0, 1].
        mismatch: efficiency of the worse detector over that of the better one there, in [0, 1).

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> TimeShift(mismatch=0.2).fraction
        1.0
    """

    fraction: float = 1.0
    mismatch: float = 0.1

    def __post_init__(self) -> None:
        _check_fraction(self.fraction)
        if not 0.0 <= self.mismatch < 1.0:
            raise QuantityError(f"{self.mismatch:g}", "a ratio in [0, 1)", "mismatch")


@dataclass(frozen=True, slots=True)
class TrojanHorse:
    """Shine light into the sender and read its settings from what comes back.

    Attributes:
        photons: that come back for each pulse, on average, above 0.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> round(TrojanHorse(1e-3).told, 6)
        0.001
    """

    photons: float = 0.01

    def __post_init__(self) -> None:
        check_range(self.photons, 1e-300, math.inf, "photons")

    @property
    def told(self) -> float:
        """Share of the pulses whose setting may be known: those from which a photon came back, ``1 - exp(-photons)``."""
        return -math.expm1(-self.photons)


@dataclass(frozen=True, slots=True)
class Jamming:
    """Denial of service: the quantum channel loses its light, or the classical one its messages.

    Attributes:
        channel: ``quantum`` or ``classical``.
        fraction: of the light or of the messages that is lost, in (0, 1].

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> Jamming("classical").fraction
        1.0
    """

    channel: str = "quantum"
    fraction: float = 1.0

    def __post_init__(self) -> None:
        _check_fraction(self.fraction)
        if self.channel not in ("quantum", "classical"):
            raise QuantityError(repr(self.channel), "quantum or classical", "channel")


@dataclass(frozen=True, slots=True)
class ManInTheMiddle:
    """Change messages on the classical channel, each with a chance.

    Attributes:
        fraction: of the messages, in (0, 1].

    Raises:
        QuantityError: a field outside its domain.
    """

    fraction: float = 1.0

    def __post_init__(self) -> None:
        _check_fraction(self.fraction)


@dataclass(frozen=True, slots=True)
class Replay:
    """Put recorded messages of an earlier block in the place of those of this one."""


@dataclass(frozen=True, slots=True)
class CompromisedNode:
    """Somebody reads the keys of a trusted node."""


@dataclass(frozen=True, slots=True)
class FalseAnnouncement:
    """A station between two senders says another result than it has: the other detector (twin field), the other Bell state (MDI).

    Attributes:
        fraction: of the windows that it announces, in (0, 1].

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> FalseAnnouncement(0.1).fraction
        0.1
    """

    fraction: float = 0.5

    def __post_init__(self) -> None:
        _check_fraction(self.fraction)


@dataclass(frozen=True, slots=True)
class InventedClicks:
    """A station between two senders announces windows in which nothing clicked, with results out of the air.

    Attributes:
        fraction: of the windows that it announces, in (0, 1].

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> InventedClicks(0.1).fraction
        0.1
    """

    fraction: float = 0.5

    def __post_init__(self) -> None:
        _check_fraction(self.fraction)


Attack: TypeAlias = (
    InterceptResend
    | NumberSplitting
    | Blinding
    | TimeShift
    | TrojanHorse
    | Jamming
    | ManInTheMiddle
    | Replay
    | CompromisedNode
    | FalseAnnouncement
    | InventedClicks
)

ATTACKS: Final[dict[str, type]] = {
    "intercept_resend": InterceptResend,
    "photon_number_splitting": NumberSplitting,
    "blinding": Blinding,
    "time_shift": TimeShift,
    "trojan_horse": TrojanHorse,
    "denial_of_service": Jamming,
    "man_in_the_middle": ManInTheMiddle,
    "replay": Replay,
    "compromised_node": CompromisedNode,
    "false_announcement": FalseAnnouncement,
    "invented_clicks": InventedClicks,
}
"""Every attack by the name that documents and commands use."""


def name_of(attack: Attack) -> str:
    """The name of an attack in documents.

    Examples:
        >>> name_of(Blinding())
        'blinding'
    """
    return next(name for name, kind in ATTACKS.items() if kind is type(attack))


def _check_fraction(fraction: float) -> None:
    if not 0.0 < fraction <= 1.0:
        raise QuantityError(f"{fraction:g}", "a fraction in (0, 1]", "fraction")
