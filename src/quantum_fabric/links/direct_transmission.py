"""Photons sent straight to a detector: prepare and measure, no memories and no pairs.

The sender at a prepares each photon in one of the states of two bases. That is the same as keeping half of a pair and
measuring it at once (Bennett, Brassard, Mermin, PRL 68, 557 (1992)), so the link is described by the pair that it *would* be:
its Z error is the error rate, its X error the phase error, to which pulses with several photons add a half, because any photon that
is lost may have told its state to somebody (Gottesman, Lo, Lütkenhaus, Preskill, QIC 4, 325 (2004)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final

from quantum_fabric.devices import Detector, Emitter, WeakPulse
from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.links.architecture import FIBRE, Architecture, Parameter
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob
from quantum_fabric.links.parts import Parts, bell_diagonal
from quantum_fabric.links.photonic import PERFECT, End, end, misaligned, stream, unturned
from quantum_fabric.links.timing import require_no_setting, send_across, with_modes
from quantum_fabric.physics.optics.pair_source import within_window
from quantum_fabric.units import SECOND

PHI_PLUS: Final = 0


@dataclass(frozen=True, slots=True)
class Received:
    """What the receiver sees of one kind of pulse.

    Attributes:
        gain: probability of a result (any click, or exactly one where double clicks are discarded), in [0, 1].
        signed: probability of the right result minus that of the wrong one.
    """

    gain: float
    signed: float


def received(some: float, wrong: float, right: float, dark: float, double_clicks: str = "random") -> Received:
    """Gain and sign of two detectors, one for each result.

    Equation: with c, c_w, c_r the probabilities that photons make any, the wrong, the right detector click::

        random   gain = 1 - (1-d)² (1-c)
        discard  gain = (1-d) [2c - c_w - c_r + 2 d (1-c)]
        signed = (1-d) (c_r - c_w)

    Args:
        some: probability that photons make any detector click, in [0, 1].
        wrong: probability that they make the wrong one click, in [0, 1].
        right: probability that they make the right one click, in [0, 1].
        dark: probability of a false click of one detector, in [0, 1].
        double_clicks: ``random`` or ``discard``.

    Examples:
        >>> received(some=0.5, wrong=0.0, right=0.5, dark=0.0)
        Received(gain=0.5, signed=0.5)
    """
    quiet = 1.0 - dark
    signed = quiet * (right - wrong)
    if double_clicks == "discard":
        return Received(quiet * ((some - wrong) + (some - right) + 2.0 * dark * (1.0 - some)), signed)
    return Received(some + (1.0 - some) * dark * (2.0 - dark), signed)


def counted(none: float, right: float, wrong: float, dark: float) -> Received:
    """Gain and sign of two detectors that count photons and want exactly one in all.

    Equation: with p_0, p_r, p_w the probabilities that no photon is counted, exactly one by the right, by the wrong detector::

        gain = (1-d)² (p_r + p_w) + 2 d (1-d) p_0,   signed = (1-d)² (p_r - p_w)

    Args:
        none: p_0, in [0, 1].
        right: p_r, in [0, 1].
        wrong: p_w, in [0, 1].
        dark: d, probability of a false count of one detector, in [0, 1].

    Examples:
        >>> counted(none=0.5, right=0.5, wrong=0.0, dark=0.0)
        Received(gain=0.5, signed=0.5)
    """
    quiet = 1.0 - dark
    return Received(
        quiet * quiet * (right + wrong) + 2.0 * dark * quiet * none, quiet * quiet * (right - wrong)
    )


@dataclass(frozen=True, slots=True)
class DirectTransmission:
    """A link from a sender of photons at a to a receiver at b; it has no knob. Both arms together are the fibre.

    Attributes:
        parts: carrier, source (an `Emitter` or a `WeakPulse`) and detector; the nodes play no part. The receiver has two detectors.

    Raises:
        QuantityError: no source of photons.

    Limits:
        The Z error is what the receiver sees. The X error is what a pair would have if every pulse of several photons gave its state
        away, and if the share of such pulses among the clicks were known as well as infinitely many decoys tell it. Signal pulses
        only. Afterpulses and dead time act through mean rates.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node, fibre = sheet("node", "ideal"), sheet("fibre", "smf-28")
        >>> link = DirectTransmission(Parts(node, node, fibre, (50_000.0, 0.0), source=Emitter()))
        >>> point = link.heralding()
        >>> round(point.success, 12), point.fidelity
        (0.1, 1.0)
    """

    architecture: ClassVar[str] = "direct_transmission"
    stores: ClassVar[bool] = False
    knob: ClassVar[Knob | None] = None

    parts: Parts

    def __post_init__(self) -> None:
        """Refuse a link without a source of photons."""
        _ = self.source

    @property
    def source(self) -> Emitter | WeakPulse:
        """What sends the photons."""
        if not isinstance(self.parts.source, Emitter | WeakPulse):
            found = "nothing" if self.parts.source is None else type(self.parts.source).__name__
            raise QuantityError(found, "an emitter or a weak_pulse at a", "source")
        return self.parts.source

    @property
    def detector(self) -> Detector:
        """Either of the two detectors."""
        return self.parts.detector or PERFECT

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link; one attempt is one pulse (or as many as there are modes).

        Args:
            setting: must be None.
            lanes: attempts that take turns, at least 1.

        Raises:
            QuantityError: a setting, or no lanes.
        """
        require_no_setting(setting, self.architecture)
        parts, receiver = self.parts, self._receiver()
        every, single = self._every(receiver), self._single(receiver)
        straight = _share(every.signed, every.gain)
        phase = _share(single.signed, every.gain)
        herald = HeraldOutcome(PHI_PLUS, every.gain, bell_diagonal((phase, phase, straight)))
        table = send_across(parts.fibre.latency(sum(parts.arms)))
        times = stream(table, self.source.pulse_period, parts.modes, lanes)
        outcomes = with_modes((herald,), parts.tried)
        cautions = receiver.cautions + self._cautions(every)
        return Heralding(times.period, times.cycle, times.born, times.heard, outcomes, cautions)

    def under(self, conditions: Conditions) -> DirectTransmission:
        """The same link, out of alignment."""
        return DirectTransmission(misaligned(self.parts, conditions))

    def total_transmission(self) -> float:
        """Transmission of the whole fibre, which is one stretch: its fixed loss counts once."""
        return self.parts.fibre.transmission(sum(self.parts.arms), sum(self.parts.extra_loss))

    @property
    def multiphoton(self) -> float:
        """Probability that a pulse leaves the sender with two or more photons."""
        if isinstance(self.source, WeakPulse):
            mean = self.source.signal
            return -math.expm1(-mean) - mean * math.exp(-mean)
        return self.source.photons.two

    def _receiver(self) -> End:
        sent = self.source.signal if isinstance(self.source, WeakPulse) else self.source.photons.one
        sent += 0.0 if isinstance(self.source, WeakPulse) else 2.0 * self.source.photons.two
        rate = sent * SECOND / self.source.pulse_period * self.total_transmission()
        return end(self.detector, rate, self.parts.fibre.noise(sum(self.parts.arms)), "b")

    def _eta(self, receiver: End) -> float:
        return (
            self.total_transmission()
            * receiver.registers
            * float(within_window(self._window, self.detector.jitter))
        )

    def _dark(self, receiver: End) -> float:
        return -math.expm1(-receiver.false * self._window)

    @property
    def _window(self) -> float:
        """Seconds in which a click counts for a pulse: no click can be told from the next one closer than the pulses are."""
        return min(self.detector.window, self.source.pulse_period) / SECOND

    def _turned(self) -> float:
        """Probability that a photon goes to the wrong detector."""
        return 0.5 * (1.0 - (1.0 - 2.0 * self.source.state_error) * unturned(self.parts)[0])

    def _every(self, receiver: End) -> Received:
        """Clicks of pulses as they come."""
        eta, flip, dark = self._eta(receiver), self._turned(), self._dark(receiver)
        if self.detector.number_resolving:
            none, one = self._counts(eta)
            return counted(none, one * (1.0 - flip), one * flip, dark)
        if isinstance(self.source, WeakPulse):
            mean = self.source.signal
            some, wrong, right = (-math.expm1(-mean * eta * share) for share in (1.0, flip, 1.0 - flip))
        else:
            few = self.source.photons
            some, wrong, right = (
                few.one * x + few.two * x * (2.0 - x) for x in (eta, eta * flip, eta * (1.0 - flip))
            )
        return received(some, wrong, right, dark, self.detector.double_click)

    def _counts(self, eta: float) -> tuple[float, float]:
        """Probabilities that none and that exactly one photon of a pulse is registered."""
        if isinstance(self.source, WeakPulse):
            mean = self.source.signal * eta
            return math.exp(-mean), mean * math.exp(-mean)
        few, dim = self.source.photons, 1.0 - eta
        return few.none + few.one * dim + few.two * dim * dim, few.one * eta + 2.0 * few.two * eta * dim

    def _single(self, receiver: End) -> Received:
        """Clicks of pulses that left with one photon, together with their probability."""
        eta, flip, dark = self._eta(receiver), self._turned(), self._dark(receiver)
        if isinstance(self.source, WeakPulse):
            one = self.source.signal * math.exp(-self.source.signal)
        else:
            one = self.source.photons.one
        right, wrong = eta * (1.0 - flip), eta * flip
        if self.detector.number_resolving:
            alone = counted(1.0 - eta, right, wrong, dark)
        else:
            alone = received(eta, wrong, right, dark, self.detector.double_click)
        return Received(one * alone.gain, one * alone.signed)

    def _cautions(self, every: Received) -> tuple[Caution, ...]:
        if self.multiphoton < every.gain or (isinstance(self.source, WeakPulse) and self.source.has_decoys):
            return ()
        effect = (
            "without decoys nobody can tell whether only pulses of several photons arrived; the phase error assumes that "
            "somebody can"
        )
        limit = f"below the gain, {every.gain:.3g}"
        return (Caution("pulses of several photons", f"{self.multiphoton:.3g}", limit, effect),)


def _share(part: float, whole: float) -> float:
    return min(part / whole, 1.0) if whole > 0.0 else 0.0


ARCHITECTURE: Final = Architecture(
    name="direct_transmission",
    title="photons sent straight to a detector, no memories and no pairs",
    make=DirectTransmission,
    needs=("photon source",),
    bells=(PHI_PLUS,),
    parameters=(
        *FIBRE,
        Parameter("detector", "efficiency", "high", "high", (0.1, 1.0)),
        Parameter("detector", "dark_rate", "low", "high", (0.0, 1e4)),
        Parameter("detector", "jitter", "low", "low", (0.0, 40e-9)),
        Parameter("detector", "dead_time", "", "low", (0.0, 1e-5)),
        Parameter("detector", "afterpulse", "low", "high", (0.0, 0.2)),
        Parameter("emitter", "brightness", "", "high", (0.1, 1.0)),
        Parameter("emitter", "g2", "low", "", (0.0, 0.4)),
        Parameter("emitter", "state_error", "low", "", (0.0, 0.3)),
    ),
    equation=(
        "gain Q = 1 - (1-d)² G(1-η); 1 - 2 e_Z = (1-d)[G(1-ηe) - G(1-η(1-e))]/Q; 1 - 2 e_X = the same of single photons "
        "only, over Q; weak pulses: G(x) = e^(-μ(1-x))"
    ),
    source="Bennett, Brassard, Mermin, PRL 68, 557 (1992); Gottesman, Lo, Lütkenhaus, Preskill, QIC 4, 325 (2004)",
    limits="the equivalent pair of prepare-and-measure: every pulse of several photons counts as read by somebody",
    bound="end to end",
    oracle="tests/oracles/test_photonic_links.py::test_direct_transmission_by_photon_sum",
    example="""\
from quantum_fabric.devices import sheet
from quantum_fabric.links import build

node, fibre, detector = sheet("node", "ideal"), sheet("fibre", "smf-28"), sheet("detector", "snspd-fast")
source = sheet("emitter", "quantum-dot")
link = build("direct_transmission", node, node, fibre, (12_500.0, 12_500.0), detector, source)
""",
)
"""Record of the catalogue."""
