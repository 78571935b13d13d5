"""Pairs of photons for two detectors: a down-conversion source between two ends that measure at once.

No memory holds the pair, so it exists only in post-selection: a success is a coincidence, and the state is what such
coincidences show. The source stands in the middle, or at one end (an arm of length 0).

References: Ma, Fung, Lo, PRA 76, 012307 (2007) (pulsed); Neumann et al., PRA 104, 022406 (2021) (continuous).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Final

from quantum_fabric.devices import Detector, PairSource
from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.links.architecture import FIBRE, Architecture, Parameter
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob
from quantum_fabric.links.parts import Parts, bell_diagonal
from quantum_fabric.links.photonic import PERFECT, End, end, misaligned, stream, unturned
from quantum_fabric.links.timing import leave_the_middle, require_no_setting, with_modes
from quantum_fabric.physics.correlators import product, werner
from quantum_fabric.physics.optics.counted_pairs import counted_pulse, counted_window
from quantum_fabric.physics.optics.pair_source import (
    Coincidences,
    cw_cautions,
    pulsed_coincidences,
    timing_width,
    window_coincidences,
    within_window,
)
from quantum_fabric.units import SECOND, Time, show


@dataclass(frozen=True, slots=True)
class PairDistribution:
    """A link of a pair source and detectors at both ends; it has no knob.

    An attempt is a pulse of a pulsed source, or one coincidence window (the detector's window) of a continuous one.

    Attributes:
        parts: carrier, source (a `PairSource`) and detector; the nodes only measure. Four detectors are alike, two at each end;
            where they count photons, an end drops what is more than one.

    Raises:
        QuantityError: no pair source.

    Limits:
        Single-pair errors, accidentals and turned polarisation are white. A continuous source is taken for Poissonian and windows
        for independent. Photons that jitter out of a pulse's window are lost, not noise in the next one. Dead times of both ends are
        taken for independent; pairs that both ends see start them together, so that a few coincidences more survive.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node, fibre = sheet("node", "ideal"), sheet("fibre", "smf-28")
        >>> source = PairSource(pair_rate=1e6, drive="continuous")
        >>> link = PairDistribution(Parts(node, node, fibre, (50_000.0, 0.0), Detector(window=1000), source))
        >>> point = link.heralding()
        >>> round(point.success / 1e-9), round(point.fidelity, 4)  # coincidences per s, fidelity
        (99995, 0.9996)
    """

    architecture: ClassVar[str] = "pair_distribution"
    stores: ClassVar[bool] = False
    knob: ClassVar[Knob | None] = None

    parts: Parts
    _source: PairSource = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a link without a source of pairs for detectors."""
        if not isinstance(self.parts.source, PairSource):
            found = "nothing" if self.parts.source is None else type(self.parts.source).__name__
            raise QuantityError(found, "a pair_source between the ends", "source")
        object.__setattr__(self, "_source", self.parts.source)

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link; one attempt is one pulse or window (or as many as there are modes).

        Args:
            setting: must be None.
            lanes: attempts that take turns, at least 1.

        Raises:
            QuantityError: a setting, or no lanes.
        """
        require_no_setting(setting, self.architecture)
        parts, source = self.parts, self._source
        seen, cautions = self._pulsed() if source.drive == "pulsed" else self._continuous()
        left = float(seen.contrast)
        pair = product(product(werner(source.fidelity), unturned(parts)), (left, left, left))
        herald = HeraldOutcome(source.bell, float(seen.probability), bell_diagonal(pair))
        table = leave_the_middle(parts.latency(0), parts.latency(1))
        times = stream(table, self.attempt, parts.modes, lanes)
        outcomes = with_modes((herald,), parts.tried)
        return Heralding(times.period, times.cycle, times.born, times.heard, outcomes, cautions)

    @property
    def attempt(self) -> Time:
        """Picoseconds of one pulse or one coincidence window."""
        return self._source.pulse_period if self._source.drive == "pulsed" else self.detector.window

    @property
    def detector(self) -> Detector:
        """Any of the four detectors."""
        return self.parts.detector or PERFECT

    def under(self, conditions: Conditions) -> PairDistribution:
        """The same link, out of alignment."""
        return PairDistribution(misaligned(self.parts, conditions))

    def total_transmission(self) -> float:
        """Transmission of both arms together."""
        return self.parts.total_transmission()

    def arriving(self, arm: int) -> float:
        """Share of the photons towards an end that reach its detectors: collection and carrier."""
        collected = (self._source.collection_a, self._source.collection_b)[arm]
        return collected * self.parts.transmission(arm)

    def broadening(self, arms: tuple[int, ...]) -> float:
        """Full width, s, by which the dispersion of some arms blurs arrival times.

        The two wavelengths of a pair shift in opposite directions, so in the *difference* of both times the arms add up, D Δλ L.
        """
        blur = getattr(self.parts.fibre, "broadening", None)  # a beam through air or vacuum has none
        if blur is None:
            return 0.0
        return sum(float(blur(self.parts.arms[arm], self._source.linewidth)) for arm in arms)

    def ends(self) -> tuple[End, End]:
        """Both ends in the stream of light that reaches them."""
        first, second = (
            end(
                self.detector,
                self._source.pair_rate * self.arriving(arm),
                self.parts.fibre.noise(self.parts.arms[arm]),
                "ab"[arm],
            )
            for arm in (0, 1)
        )
        return first, second

    def _pulsed(self) -> tuple[Coincidences, tuple[Caution, ...]]:
        source, ends = self._source, self.ends()
        window = min(self.detector.window, source.pulse_period) / SECOND
        widths = [float(timing_width(self.detector.jitter, 0.0, self.broadening((arm,)))) for arm in (0, 1)]
        eta = [
            self.arriving(arm) * ends[arm].registers * float(within_window(window, widths[arm]))
            for arm in (0, 1)
        ]
        dark = [_clicks(one.false * window) for one in ends]
        mean, modes, policy = source.squeezed_mean, source.schmidt_modes, self.detector.double_click
        if self.detector.number_resolving:
            seen = counted_pulse(mean, eta[0], eta[1], dark[0], dark[1], modes=modes)
        else:
            seen = pulsed_coincidences(
                mean, eta[0], eta[1], dark[0], dark[1], modes=modes, double_clicks=policy
            )
        late = max(widths) * SECOND > source.pulse_period
        return seen, ends[0].cautions + ends[1].cautions + (self._overlapping(max(widths)) if late else ())

    def _continuous(self) -> tuple[Coincidences, tuple[Caution, ...]]:
        source, ends = self._source, self.ends()
        window = self.detector.window / SECOND
        jitter = self.detector.jitter
        kept = float(within_window(window, timing_width(jitter, jitter, self.broadening((0, 1)))))
        pairs = source.pair_rate * window
        caught = [self.arriving(arm) * ends[arm].registers for arm in (0, 1)]
        singles = [pairs * caught[arm] + 2.0 * ends[arm].false * window for arm in (0, 1)]
        tied = pairs * caught[0] * caught[1] * kept
        if self.detector.number_resolving:
            seen = counted_window(singles[0], singles[1], tied)
        else:
            seen = window_coincidences(singles[0], singles[1], tied, double_clicks=self.detector.double_click)
        # the windows here do fill up; what is left out is their overlap with neighbours
        return seen, ends[0].cautions + ends[1].cautions + cw_cautions(singles[0], singles[1])

    def _overlapping(self, width: float) -> tuple[Caution, ...]:
        period = show(self._source.pulse_period / SECOND, "time")
        effect = "photons fall into windows of other pulses, which is counted as loss but not as noise"
        return (Caution("width of arrival times", show(width, "time"), f"at most {period}, a pulse", effect),)


def _clicks(mean: float) -> float:
    """Probability of at least one click of a Poissonian mean."""
    return -math.expm1(-mean)


ARCHITECTURE: Final = Architecture(
    name="pair_distribution",
    title="pair source between two ends that measure at once, no memories",
    make=PairDistribution,
    needs=("pair source",),
    bells=(0, 1, 2, 3),
    parameters=(
        *FIBRE,
        Parameter("detector", "efficiency", "", "high", (0.1, 1.0)),
        Parameter("detector", "dark_rate", "low", "", (0.0, 1e4)),
        Parameter("detector", "jitter", "low", "low", (0.0, 40e-9)),
        Parameter("detector", "dead_time", "", "low", (0.0, 1e-5)),
        Parameter("detector", "afterpulse", "low", "", (0.0, 0.2)),
        Parameter("pair_source", "pair_rate", "", "high", (1e4, 1e7)),
        Parameter("pair_source", "fidelity", "high", "", (0.6, 1.0)),
        Parameter("pair_source", "collection_a", "", "high", (0.1, 1.0)),
        Parameter("pair_source", "collection_b", "", "high", (0.1, 1.0)),
    ),
    equation=(
        "pulsed: gain and error of two two-mode squeezed vacua; continuous: true B η_a η_b erf(√ln2 t/FWHM), accidental "
        "(B η_a + d_a)(B η_b + d_b) t; F = ¼ + ¾ (1 - 2 QBER)"
    ),
    source="Ma, Fung, Lo, PRA 76, 012307 (2007); Neumann et al., PRA 104, 022406 (2021)",
    limits="white noise; dead time and afterpulses through mean rates; a pair that is never kept",
    bound="end to end",
    oracle="tests/oracles/test_photonic_links.py::test_pulsed_pairs_by_fock_sum",
    example="""\
from quantum_fabric.devices import sheet
from quantum_fabric.links import build

node, fibre, detector = sheet("node", "ideal"), sheet("fibre", "smf-28"), sheet("detector", "snspd-fast")
source = sheet("pair_source", "sagnac-cw")
link = build("pair_distribution", node, node, fibre, (12_500.0, 12_500.0), detector, source)
""",
)
"""Record of the catalogue."""
