"""Midpoint-source link: a source of pairs in the middle, a memory that catches photons at each end.

The source sends a train of pulses; each end keeps the first photon that it catches and knows the number of the pulse. At
the end of the round the ends tell each other these numbers; equal numbers mean success. Reference: Jones, Kim, Rakher,
Kwiat, Ladd, NJP 18, 083015 (2016).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Final

from quantum_fabric.devices import Detector, Source
from quantum_fabric.errors import QuantityError
from quantum_fabric.links.architecture import CAPTURE, EXAMPLE, FIBRE, Architecture, Parameter
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob, Weights
from quantum_fabric.links.parts import Parts, bell_diagonal
from quantum_fabric.links.timing import leave_the_middle, require_no_setting, schedule, with_modes
from quantum_fabric.physics.correlators import Correlators, product, werner


@dataclass(frozen=True, slots=True)
class Catch:
    """One end of a midpoint-source link, for one pulse.

    Attributes:
        photon: probability that a photon sent towards this end is caught (fibre, conversion, capture, herald), in [0, 1].
        false: probability of a false catch in one pulse, in [0, 1).
    """

    photon: float
    false: float = 0.0

    def catches(self, photons: int) -> float:
        """Probability that this end catches anything when 0, 1 or 2 photons are sent: L(n) = 1 − (1−f)(1−q)^n.

        Examples:
            >>> Catch(photon=0.5).catches(2)
            0.75
        """
        caught = (0.0, self.photon, self.photon * (2.0 - self.photon))[photons]
        return caught + (1.0 - caught) * self.false


def midpoint_round(source: Source, a: Catch, b: Catch) -> tuple[float, float]:
    """Success of one round, and how many successes hold a true pair.

    Equation: per pulse, with n = 0, 1, 2 pairs (probabilities p_n), S = Σ p_n L_a(n) L_b(n) that both ends catch, and
    N = Σ p_n (1-L_a(n)) (1-L_b(n)) that neither does, L(n) = 1 - (1-f)(1-q)^n. The round goes on only while neither
    has caught::

        p = S (1 - N^pulses) / (1 - N)

    For one pulse, one pair and no false catches p = p_pair eta_a eta_b p_latch². A success is true when both photons
    come from one pair: p_1 q_a q_b + 2 p_2 h_a h_b of S, h = q (1 - q/2), where an end that gets both keeps one at
    random.

    Args:
        source: the source of pairs.
        a: the end at a.
        b: the end at b.

    Returns:
        ``(p, share)``: success probability of a round in [0, 1] and share of true pairs among the successes in [0, 1].

    Limits:
        Photons of different pairs are taken for uncorrelated. In down-conversion two pairs in one pulse are
        indistinguishable, which leaves a visibility of 2/3 instead of the 1/2 found here, so the fidelity is a little
        pessimistic.

    Examples:
        >>> p, share = midpoint_round(Source(pair_probability=0.5), Catch(0.2), Catch(0.1))
        >>> round(p, 12), share
        (0.01, 1.0)
    """
    pairs = source.pair_probability
    chances = (1.0 - pairs, pairs * (1.0 - source.double_pair), pairs * source.double_pair)
    caught = [(chance, a.catches(n), b.catches(n)) for n, chance in enumerate(chances)]
    both = math.fsum(chance * at_a * at_b for chance, at_a, at_b in caught)
    if both == 0.0:
        return 0.0, 0.0
    kept_a, kept_b = a.photon * (1.0 - 0.5 * a.photon), b.photon * (1.0 - 0.5 * b.photon)
    true = chances[1] * a.photon * b.photon + 2.0 * chances[2] * kept_a * kept_b
    # (1 - N^pulses)/(1 - N) from 1 - N, which is exact for N close to one
    busy = math.fsum(chance * (at_a + at_b - at_a * at_b) for chance, at_a, at_b in caught)
    rounds = -math.expm1(source.pulses * math.log1p(-busy)) / busy if busy < 1.0 else 1.0
    return both * rounds, min(true / both, 1.0)


@dataclass(frozen=True, slots=True)
class MidpointSource:
    """A midpoint-source link made of parts; it has no knob.

    Attributes:
        parts: nodes (which must capture photons), fibre, source; the detector, where given, heralds each capture.

    Raises:
        QuantityError: no source, or a node that does not capture photons.

    Limits:
        Rounds are synchronised: an end that caught nothing waits for the news all the same, although it knows at once that
        the round is lost. Ends that restart by themselves do better by up to the ratio of round trip to round time.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node = sheet("node", "ideal")
        >>> parts = Parts(node, node, sheet("fibre", "ideal"), (5e3, 5e3), source=sheet("source", "ideal"))
        >>> point = MidpointSource(parts).heralding()
        >>> point.success, point.fidelity, point.outcomes[0].bell
        (1.0, 1.0, 0)
    """

    architecture: ClassVar[str] = "midpoint_source"
    stores: ClassVar[bool] = True
    knob: ClassVar[Knob | None] = None

    parts: Parts
    _source: Source = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a link without a source or with ends that only emit."""
        if not isinstance(self.parts.source, Source):
            found = "nothing" if self.parts.source is None else type(self.parts.source).__name__
            raise QuantityError(found, "a pair source in the middle", "source")
        require_capture("a", self.parts.a.interface.capture)
        require_capture("b", self.parts.b.interface.capture)
        object.__setattr__(self, "_source", self.parts.source)

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link; one attempt is one round of pulses.

        Args:
            setting: must be None.
            lanes: pairs of memories that the source serves in turn, at least 1.

        Raises:
            QuantityError: a setting, or no lanes.
        """
        require_no_setting(setting, self.architecture)
        source, parts = self._source, self.parts
        success, share = midpoint_round(source, self._catch(0), self._catch(1))
        pair = product(werner(source.fidelity), parts.local_errors)
        herald = HeraldOutcome(source.bell, success, mixed(share, pair))
        times = schedule(
            leave_the_middle(parts.latency(0), parts.latency(1)),
            max(parts.local_cycle, source.round_time),
            parts.modes,
            lanes,
            pulses=(source.pulses - 1) * source.pulse_period,
        )
        outcomes = with_modes((herald,), parts.tried)
        return Heralding(times.period, times.cycle, times.born, times.heard, outcomes)

    def under(self, conditions: Conditions) -> MidpointSource:
        """The same link, out of alignment."""
        return MidpointSource(self.parts.under(conditions))

    def total_transmission(self) -> float:
        """Transmission of both arms together."""
        return self.parts.total_transmission()

    def _catch(self, arm: int) -> Catch:
        node = (self.parts.a, self.parts.b)[arm]
        # No click can be told from the next one closer than the pulses are.
        chance, false = capture(
            node.interface.absorption, node.interface.conversion_noise, self.parts.detector
        )
        window = self.parts.detector.window if self.parts.detector else self._source.pulse_period
        share = min(1.0, self._source.pulse_period / window)
        return Catch(chance * self.parts.transmission(arm), -math.expm1(share * math.log1p(-false)))


def capture(absorption: float, noise: float, detector: Detector | None) -> tuple[float, float]:
    """What one heralded capture does: probability for an arriving photon, and of a false herald in one window.

    Args:
        absorption: probability that the memory stores an arriving photon and says so with a herald photon.
        noise: noise photons per s of the node's converter.
        detector: of the herald photon; None for a perfect one without dark counts.

    Examples:
        >>> capture(0.5, 0.0, None)
        (0.5, 0.0)
        >>> capture(0.5, 0.0, Detector(efficiency=0.5, dark_rate=0.0))
        (0.25, 0.0)
    """
    if detector is None:
        return absorption, 0.0
    stray = noise * detector.efficiency
    return absorption * detector.seen(detector.dark_rate + stray), detector.click_probability(stray)


def mixed(share: float, pair: Correlators) -> Weights:
    """Weights of a mixture: a pair with the given correlators in ``share`` of all cases, white noise in the rest.

    Examples:
        >>> mixed(0.5, (1.0, 1.0, 1.0))
        (0.625, 0.125, 0.125, 0.125)
    """
    return bell_diagonal((share * pair[0], share * pair[1], share * pair[2]))


def require_capture(end: str, probability: float) -> None:
    """Refuse a node that cannot store an arriving photon.

    Raises:
        QuantityError: its capture probability is 0.

    Examples:
        >>> require_capture("b", 0.0)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: b.interface.capture: found 0, expected above 0: this end must store an arriving photon
    """
    if probability == 0.0:
        raise QuantityError(
            "0", "above 0: this end must store an arriving photon", f"{end}.interface.capture"
        )


ARCHITECTURE: Final = Architecture(
    name="midpoint_source",
    title="pair source in the middle, a memory that catches photons at each end",
    make=MidpointSource,
    needs=("source", "capture at a", "capture at b"),
    bells=(0, 1, 2, 3),
    parameters=(
        *FIBRE,
        *CAPTURE,
        Parameter("node", "interface.conversion_efficiency", "", "high", (0.05, 1.0)),
        Parameter("node", "interface.spin_photon_fidelity", "high", "", (0.6, 1.0)),
        Parameter("source", "pair_probability", "", "high", (0.001, 0.05)),
        Parameter("source", "double_pair", "low", "", (0.0, 0.5)),
        Parameter("source", "fidelity", "high", "", (0.6, 1.0)),
    ),
    equation="p = S (1 - N^pulses)/(1 - N); one pulse without noise: p = p_pair η_a η_b p_latch²",
    source="Jones et al., NJP 18, 083015 (2016)",
    limits="at most two pairs in a pulse, taken for uncorrelated with each other; false catches leave white noise",
    bound="end to end",
    oracle="tests/oracles/test_link_formulas.py::test_midpoint_source_by_enumeration",
    example=EXAMPLE.format(
        name="midpoint_source", node="future", source=', sheet("source", "deterministic")'
    ),
)
"""Record of the catalogue."""
