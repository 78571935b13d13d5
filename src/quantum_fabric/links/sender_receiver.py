"""Sender-receiver link: the memory at a emits a photon that travels the whole fibre into the memory at b.

The receiver's memory heralds the arrival, so there is no station in between. Success is proportional to the full
transmission, once. Reference for the scheme: Ritter et al., Nature 484, 195 (2012); a relative with ensembles: Luo et al.,
PRL 129, 050503 (2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from quantum_fabric.links.architecture import CAPTURE, EMITTER, EXAMPLE, FIBRE, PHOTON, Architecture
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.midpoint_source import capture, mixed, require_capture
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob
from quantum_fabric.links.parts import Parts
from quantum_fabric.links.timing import require_no_setting, schedule, send_across, with_modes
from quantum_fabric.physics.correlators import product

PHI_PLUS: Final = 0


def sender_receiver(arriving: float, stored: float, false: float) -> tuple[float, float]:
    """Success of one attempt, and how many successes hold a true pair.

    Equation: with e = eta · p_store the probability that the photon is stored and f that of a false herald,
    p = e + (1-e) f, of which e/p are true.

    Args:
        arriving: probability that the photon arrives (emission, conversion, fibre), in [0, 1].
        stored: probability that an arriving photon is stored and heralded, in [0, 1].
        false: probability of a false herald, in [0, 1).

    Returns:
        ``(p, share)``: success probability and share of true pairs, both in [0, 1].

    Limits:
        After a false herald the pair counts as white noise.

    Examples:
        >>> sender_receiver(0.5, 0.5, 0.0)
        (0.25, 1.0)
    """
    true = arriving * stored
    success = true + (1.0 - true) * false
    return success, (true / success if success > 0.0 else 0.0)


@dataclass(frozen=True, slots=True)
class SenderReceiver:
    """A sender-receiver link made of parts, from a to b; it has no knob. Both arms together are the fibre.

    Attributes:
        parts: nodes (b must capture photons), fibre; the detector, where given, heralds the capture.

    Raises:
        QuantityError: b does not capture photons.

    Limits:
        A double excitation of the sender dephases the pair. The receiver's false heralds are those of one detector.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node = sheet("node", "ideal")
        >>> point = SenderReceiver(Parts(node, node, sheet("fibre", "smf-28"), (50_000.0, 0.0))).heralding()
        >>> round(point.success, 12), point.born, point.heard == (2 * point.born[1], point.born[1])
        (0.1, (0, 244836046), True)
    """

    architecture: ClassVar[str] = "sender_receiver"
    stores: ClassVar[bool] = True
    knob: ClassVar[Knob | None] = None

    parts: Parts

    def __post_init__(self) -> None:
        """Refuse a receiver that only emits."""
        require_capture("b", self.parts.b.interface.capture)

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link.

        Args:
            setting: must be None.
            lanes: pairs of memories that take turns, at least 1.

        Raises:
            QuantityError: a setting, or no lanes.
        """
        require_no_setting(setting, self.architecture)
        parts, sender, receiver = self.parts, self.parts.a.interface, self.parts.b.interface
        arriving = sender.emission * self.total_transmission()
        # Noise of the sender's converter passes the fibre and the receiver's converter.
        noise = receiver.conversion_noise
        noise += sender.conversion_noise * self.total_transmission() * receiver.conversion_efficiency
        stored, false = capture(receiver.absorption, noise, parts.detector)
        success, share = sender_receiver(arriving, stored, false)
        phase = 1.0 - sender.double_excitation
        pair = product(parts.local_errors, (phase, phase, 1.0))
        herald = HeraldOutcome(PHI_PLUS, success, mixed(share, pair))
        latency = parts.fibre.latency(sum(parts.arms))
        times = schedule(send_across(latency), parts.local_cycle, parts.modes, lanes)
        outcomes = with_modes((herald,), parts.tried)
        return Heralding(times.period, times.cycle, times.born, times.heard, outcomes)

    def under(self, conditions: Conditions) -> SenderReceiver:
        """The same link, out of alignment."""
        return SenderReceiver(self.parts.under(conditions))

    def total_transmission(self) -> float:
        """Transmission of the whole fibre, which is one stretch: its fixed loss counts once."""
        return self.parts.fibre.transmission(sum(self.parts.arms), sum(self.parts.extra_loss))


ARCHITECTURE: Final = Architecture(
    name="sender_receiver",
    title="from the sender's memory through the whole fibre into the receiver's",
    make=SenderReceiver,
    needs=("capture at b",),
    bells=(0,),
    parameters=(*FIBRE, *EMITTER, *PHOTON, *CAPTURE),
    equation="p = e + (1-e) f, e = η p_store; F = ¼ + ¾ (e/p) w_a w_b (without double excitation)",
    source="Ritter et al., Nature 484, 195 (2012)",
    limits="false heralds leave white noise; a double excitation of the sender only dephases",
    bound="end to end",
    oracle="tests/oracles/test_link_formulas.py::test_sender_receiver_by_enumeration",
    example=EXAMPLE.format(name="sender_receiver", node="future", source=""),
)
"""Record of the catalogue."""
