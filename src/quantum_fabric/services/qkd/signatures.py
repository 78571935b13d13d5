"""Which attack is seen by what, and which by nothing: the program's own account, under what is declared of a link.

Attacks that can be injected are in `SIGNATURES`; what no test of the twin can show, because it lies outside the model, is in
`ASSUMPTIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quantum_fabric.physics.qkd.attacks import (
    Attack,
    Blinding,
    FalseAnnouncement,
    InterceptResend,
    InventedClicks,
    Jamming,
    NumberSplitting,
    TimeShift,
    TrojanHorse,
    name_of,
)
from quantum_fabric.physics.qkd.clicks import Watch
from quantum_fabric.services.qkd.alarms import ALARM_CHANCE, Tolerance, tail


@dataclass(frozen=True, slots=True)
class Signature:
    """What an attack does and what shows it.

    Attributes:
        attack: its name in documents.
        acts: what it changes in the clicks or messages.
        alarms: names of the alarms that it may raise.
        wants: what must be built in or declared for them.
        otherwise: what is so where that is missing.
        consequence: for the keys, where the alarm works.
    """

    attack: str
    acts: str
    alarms: tuple[str, ...]
    wants: str
    otherwise: str
    consequence: str


SIGNATURES: Final = (
    Signature(
        "intercept_resend",
        "a share p of the pulses or halves is measured in a random basis and sent on: the error rate rises by p/4, S falls by √2 p",
        ("error rate", "CHSH value"),
        "a rise above the tolerance; below it nothing is seen, and privacy amplification takes out what was learnt",
        "the key gets shorter and stays secret: the estimate of the phase errors contains the attack",
        "no key while the alarm lasts",
    ),
    Signature(
        "photon_number_splitting",
        "single photons are stopped, pulses of several give one away and arrive more often; signal gain and error rate stay",
        ("decoy yields",),
        "decoy intensities",
        "not seen; a key from weak pulses without decoys is not secret at this loss",
        "the bound on single photons collapses: no key",
    ),
    Signature(
        "blinding",
        "detectors click where the attacker says, with the right basis only; gains and error rate stay",
        ("self-test", "double clicks"),
        "a receiver that flashes its detectors from inside",
        "seen only where so many double clicks are due that their absence tells; the attacker has the whole key",
        "no key while the alarm lasts",
    ),
    Signature(
        "time_shift",
        "clicks move to the edges of the gate, where one detector is the better one: when tells which",
        ("arrival times", "gain"),
        "a histogram of arrival times at the receiver",
        "not seen; up to 1 - h(mismatch/(1 + mismatch)) of each bit is known",
        "no key while the alarm lasts",
    ),
    Signature(
        "trojan_horse",
        "light that comes back from the sender carries its settings; no click changes",
        ("back light",),
        "a monitor of light at the sender's exit",
        "not seen; up to 1 - exp(-photons) of the settings are known",
        "no key while the alarm lasts",
    ),
    Signature(
        "denial_of_service",
        "light is lost on the quantum channel, or messages on the classical one",
        ("gain", "silence"),
        "nothing",
        "a loss inside the tolerance of the gain costs rate and is no alarm",
        "no key; what was made before serves on",
    ),
    Signature(
        "man_in_the_middle",
        "bits of announced settings, compared bits or hash seeds are changed on the way",
        ("authentication", "verification"),
        "authentication key that the attacker does not know",
        "with a known authentication key every message may be forged, and nothing is seen",
        "the session ends, both ends need a new bootstrap key; what only spoils error correction costs a block; four raise an alarm",
    ),
    Signature(
        "replay",
        "messages of an earlier block arrive in place of those of this one",
        ("authentication",),
        "authentication key that the attacker does not know",
        "as with a man in the middle",
        "the session ends; both ends need a new bootstrap key",
    ),
    Signature(
        "compromised_node",
        "somebody reads the keys that end or are relayed at a trusted node",
        (),
        "nothing that a protocol could have",
        "never seen: every key of the node is known",
        "bounded by other means: keys over disjoint paths, a post-quantum layer from end to end",
    ),
    Signature(
        "false_announcement",
        "a station between two senders says another result than it has",
        ("error rate",),
        "bits that are compared, and a rise above the tolerance",
        "the key gets shorter: more errors are corrected; the station learns nothing by it",
        "no key while the alarm lasts",
    ),
    Signature(
        "invented_clicks",
        "a station between two senders announces windows in which nothing clicked",
        ("error rate", "gain"),
        "bits that are compared, and a rise above the tolerance",
        "the key gets shorter or none is left: invented clicks are clicks of the vacuum, which the decoys count",
        "no key while the alarm lasts",
    ),
)
"""One for each attack that can be injected."""

ASSUMPTIONS: Final = (
    ("beam splitting", "covered: a lost photon is taken for the attacker's, in every rate formula"),
    (
        "unambiguous discrimination of states",
        "excluded by random phases of the pulses, which are assumed and not measured",
    ),
    (
        "laser seeding and laser damage",
        "not modelled: intensities are taken as calibrated; decoy yields show a change of their ratio",
    ),
    ("light that detectors emit (back-flash)", "not modelled"),
    (
        "superlinear detectors, clicks outside the gate",
        "not modelled; the histogram of arrival times would show some of it",
    ),
    ("random numbers of the ends", "assumed to be perfect"),
    ("the rooms of the two ends", "assumed to be closed"),
)
"""What the twin cannot show: the assumption, and how it stands."""


@dataclass(frozen=True, slots=True)
class Stance:
    """How a link stands to an attack.

    Attributes:
        attack: its name.
        detectable: whether some alarm is meant to show it.
        alarms: which.
        why: in words, where none is.
    """

    attack: str
    detectable: bool
    alarms: tuple[str, ...]
    why: str


def stance(
    attack: Attack,
    *,
    watch: Watch,
    decoys: bool,
    pulses: bool = True,
    chsh: bool = False,
    doubles: float = 0.0,
    tolerance: Tolerance | None = None,
    honest: float = 0.0,
) -> Stance:
    """Say what would show an attack on a link, or that nothing would.

    Args:
        attack: as injected.
        watch: what the ends have built in.
        decoys: whether more than one intensity is sent.
        pulses: whether the link sends weak pulses; a link of pairs knows no photon-number splitting.
        chsh: whether a CHSH value is measured.
        doubles: double clicks that a block of the sound link has, on average.
        tolerance: of the alarms.
        honest: with a station in the middle, the declared error rate of the bits that are compared.

    Returns:
        The stance.

    Examples:
        >>> from quantum_fabric.physics.qkd.clicks import UNWATCHED
        >>> stance(Blinding(), watch=Watch(), decoys=True).alarms
        ('self-test',)
        >>> stance(Blinding(), watch=UNWATCHED, decoys=True).detectable
        False
        >>> stance(Blinding(), watch=UNWATCHED, decoys=True, doubles=1000.0).alarms
        ('double clicks',)
        >>> stance(InterceptResend(0.05), watch=Watch(), decoys=True).why[:35]
        'the key gets shorter and stays secr'
    """
    tolerance = tolerance or Tolerance()
    name = name_of(attack)
    signature = next(entry for entry in SIGNATURES if entry.attack == name)
    alarms: tuple[str, ...]
    match attack:
        case InterceptResend(fraction=p):
            alarms = ("error rate",) if p / 4.0 > tolerance.error else ()
            alarms += ("CHSH value",) if chsh and 2.0**0.5 * p > tolerance.chsh else ()
        case NumberSplitting():
            alarms = ("decoy yields",) if decoys and pulses else ()
        case Blinding(fraction=p):
            alarms = ("self-test",) if watch.self_test > 0.0 and 1.0 - p < tolerance.flashes else ()
            low = tolerance.doubles[0] * tolerance.gain[0] - (1.0 - p)
            alarms += (
                ("double clicks",)
                if low > 0.0 and tail(0, 1e12, low * doubles / 1e12, 1.0) < ALARM_CHANCE
                else ()
            )
        case TimeShift(mismatch=r, fraction=p):
            # clicks of a detector that fall into its half of the gate, less a half
            skew = 0.5 / ((1.0 - p) + p * (1.0 + r) / 2.0) - 0.5
            alarms = ("arrival times",) if watch.timing and skew > tolerance.balance else ()
        case TrojanHorse(photons=n):
            back = watch.back_dark + watch.back_light * n
            alarms = (
                ("back light",)
                if watch.back_light > 0.0 and back > tolerance.returns * watch.back_dark
                else ()
            )
        case FalseAnnouncement(fraction=p):
            alarms = ("error rate",) if p * (1.0 - 2.0 * honest) > tolerance.error else ()
        case InventedClicks(fraction=p):
            alarms = ("error rate",) if p * (0.5 - honest) > tolerance.error else ()
            alarms += ("gain",) if 1.0 - p < 1.0 / tolerance.gain[1] else ()
        case Jamming(channel="quantum", fraction=p):
            alarms = ("gain",) if 1.0 - p < tolerance.gain[0] else ()
        case Jamming():
            alarms = ("silence",)
        case _:
            alarms = signature.alarms
    return Stance(name, bool(alarms), alarms, "" if alarms else signature.otherwise)
