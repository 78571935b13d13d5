"""Serial reflection: one time-bin photon is reflected from the spin at a, travels to b, is reflected there and then detected.

At each end a spin in (|0> + |1>)/√2 sits in a cavity that reflects the early bin if the spin is 1 and, after a flip, the late bin if
it was 0. A detection behind an interferometer that hides the bin heralds (|00> ± |11>)/√2. The photon crosses the fibre once; no
second photon, no station. References: Nguyen et al., PRL 123, 183602 (2019); Bhaskar et al., Nature 580, 60 (2020);
Knaut et al., Nature 629, 573 (2024).
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass, field
from typing import ClassVar, Final

from quantum_fabric.devices import Cavity
from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.links.architecture import FIBRE, Architecture, Parameter
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.joint import Joint
from quantum_fabric.links.knobs import best_setting
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob
from quantum_fabric.links.parts import Parts
from quantum_fabric.links.station import PERFECT
from quantum_fabric.links.timing import schedule, send_across, with_modes

PHI_PLUS: Final = 0
PHI_MINUS: Final = 1

_MODERATE: Final = 0.3
"""Above this mean photon number most heralds come with a second photon that nobody saw."""

_SPINS: Final = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True, slots=True)
class Way:
    """The way of the light through both nodes.

    Attributes:
        a: cavity at the first node; its ``mean_photons`` is not used here.
        b: cavity at the second node.
        between: transmission from behind the first cavity to the second, in [0, 1].
        after: transmission from behind the second cavity to a click, detector included, in [0, 1].
        dark: probability of a false click of one detector in both bins together, in [0, 1).
    """

    a: Cavity
    b: Cavity
    between: float
    after: float
    dark: float = 0.0


def serial_reflection(
    way: Way, mean_photons: float, phase_sigma: float = 0.0, phase: float = 0.0
) -> tuple[Joint, Joint]:
    """Joint states (with their probabilities) of a click of the first detector only, and of the second only.

    Equation: light in a coherent state stays one, whatever the spins (s, t) are, so every mode has an amplitude for each of the
    four spin states, and the density matrix is ``ρ_ss' = ¼ Π_lost <γ_s'|γ_s> <β_s'|Π|β_s>``, the product over lost light and
    the two detectors, ``Π = 1 - (1-p_d)|0><0|`` for a click. One photon alone and a perfectly dark state give
    ``p = η/4`` and ``F = 1``; a dark state of reflectivity R_0 adds |01> and |10> of order R_0.

    Args:
        way: cavities and losses.
        mean_photons: of the pulse that enters the first cavity, both bins together, above 0.
        phase_sigma: rms phase between the two bins, rad; it multiplies the coherence by ``exp(-σ²/2)``.
        phase: phase between the two bins that nobody corrects, rad.

    Returns:
        (first detector, second detector): they announce Φ+ and Φ−.

    Limits:
        Light lost at a cavity is taken to tell the spin state. Phase noise acts on the coherence of one photon. Bucket
        detectors that look at both bins together; pulses with a click in each detector are thrown away.

    Examples:
        >>> perfect = Way(Cavity(bright=1.0), Cavity(bright=1.0), between=0.1, after=1.0)
        >>> plus, minus = serial_reflection(perfect, 1e-6)
        >>> round(plus.weights(0)[0], 6), round((plus.probability + minus.probability) / 1e-6, 5)
        (1.0, 0.025)
    """
    light = {spins: _amplitudes(way, mean_photons, *spins) for spins in _SPINS}
    fade = cmath.exp(complex(-0.5 * phase_sigma**2, phase))
    joints = []
    for clicker in (0, 1):
        populations = [_element(light[spins], light[spins], clicker, way.dark) for spins in _SPINS]
        # between |01> and |10> the phase cancels; letting it fade like the other coherence can only understate the pair
        odd = abs(fade) * _element(light[0, 1], light[1, 0], clicker, way.dark)
        even = fade * _element(light[0, 0], light[1, 1], clicker, way.dark)
        p_00, p_01, p_10, p_11 = populations
        joints.append(Joint(p_00, p_01, p_10, p_11, odd, even))
    return joints[0], joints[1]


def _amplitudes(way: Way, mean_photons: float, spin_a: int, spin_b: int) -> tuple[list[float], list[float]]:
    """Coherent amplitudes at the two detectors, and in every mode of lost light, for one pair of spin states."""
    lost: list[float] = []
    arriving = []
    for late in (0, 1):
        amplitude = math.sqrt(mean_photons / 2.0)
        for cavity, spin, onward in ((way.a, spin_a, way.between), (way.b, spin_b, way.after)):
            entering = amplitude * math.sqrt(cavity.insertion)
            lost.append(amplitude * math.sqrt(1.0 - cavity.insertion))
            couples = spin != late  # early light meets the spin as it is, late light meets it flipped
            reflected = cavity.bright if couples else cavity.dark
            # what is not reflected leaves by another door in each spin state
            away = entering * math.sqrt(1.0 - reflected)
            lost += [away, 0.0] if couples else [0.0, away]
            amplitude = entering * math.sqrt(reflected)
            lost.append(amplitude * math.sqrt(1.0 - onward))
            amplitude *= math.sqrt(onward)
        arriving.append(amplitude)
    early, late_ = arriving
    return [(early + late_) * math.sqrt(0.5), (early - late_) * math.sqrt(0.5)], lost


def _element(
    one: tuple[list[float], list[float]], two: tuple[list[float], list[float]], clicker: int, dark: float
) -> float:
    """Entry of the density matrix between two pairs of spin states, together with the click."""
    distance = math.fsum((x - y) ** 2 for x, y in zip(one[1], two[1], strict=True))
    value = 0.25 * math.exp(-0.5 * distance)
    for detector in (0, 1):
        x, y = one[0][detector], two[0][detector]
        empty = math.exp(-0.5 * (x * x + y * y))  # <y|0><0|x>
        if detector == clicker:
            # <y|x> - (1-p_d) <y|0><0|x> without the cancellation of two numbers close to one
            value *= empty * (math.expm1(x * y) + dark)
        else:
            value *= empty * (1.0 - dark)
    return value


@dataclass(frozen=True, slots=True)
class SerialReflection:
    """A serial-reflection link made of parts, from a to b; both arms together are the fibre.

    Attributes:
        parts: nodes with a ``cavity``, fibre, detector (at b). ``interface.conversion_efficiency`` counts at both ends.
        knob: ``mean_photons`` of the probing pulse.

    Raises:
        QuantityError: a node without a cavity.

    Examples:
        >>> from quantum_fabric.devices import Node, sheet
        >>> node = Node(cavity=Cavity(bright=1.0))
        >>> point = SerialReflection(Parts(node, node, sheet("fibre", "smf-28"), (50_000.0, 0.0))).heralding(0.001)
        >>> round(point.fidelity, 3), point.outcomes[0].bell
        (1.0, 0)
    """

    architecture: ClassVar[str] = "serial_reflection"
    stores: ClassVar[bool] = True

    parts: Parts
    knob: Knob = field(init=False)

    def __post_init__(self) -> None:
        """Refuse nodes without a cavity; find the useful range of the knob, below whose low end dark counts win."""
        for name, node in (("a", self.parts.a), ("b", self.parts.b)):
            if node.cavity.bright <= 0.0:
                raise QuantityError("0", "above 0, a cavity that reflects", f"{name}.cavity.bright")
        doc = "mean photon number of the pulse that probes the first cavity"
        object.__setattr__(
            self, "knob", Knob("mean_photons", best_setting(self._fidelity, 1e-6, 1.0), 1.0, "low", doc)
        )

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link at one mean photon number.

        Args:
            setting: mean photon number in (0, 1]; None for the data sheet's of the node at a.
            lanes: pairs of memories that take turns, at least 1.

        Raises:
            QuantityError: a setting outside (0, 1], or no lanes.
        """
        parts = self.parts
        setting = parts.a.cavity.mean_photons if setting is None else setting
        if not 0.0 < setting <= 1.0:
            raise QuantityError(str(setting), "a mean photon number in (0, 1]", "setting")
        heralds = with_modes(self._heralds(setting), parts.tried)
        times = schedule(
            send_across(parts.latency(0) + parts.latency(1)), parts.local_cycle, parts.modes, lanes
        )
        cautions: tuple[Caution, ...] = ()
        if setting > _MODERATE:
            effect = "phase noise is applied to the coherence of one photon only"
            cautions = (Caution("mean_photons", f"{setting:g}", f"at most {_MODERATE:g}", effect),)
        return Heralding(times.period, times.cycle, times.born, times.heard, heralds, cautions)

    def under(self, conditions: Conditions) -> SerialReflection:
        """The same link, out of alignment."""
        return SerialReflection(self.parts.under(conditions))

    def total_transmission(self) -> float:
        """Transmission of both arms together."""
        return self.parts.total_transmission()

    def _heralds(self, mean_photons: float) -> tuple[HeraldOutcome, ...]:
        parts = self.parts
        detector = parts.detector or PERFECT
        a, b = parts.a.interface, parts.b.interface
        length = parts.arms[0] + parts.arms[1]
        noise = (
            a.conversion_noise * parts.total_transmission() + parts.fibre.noise(length)
        ) * b.conversion_efficiency + b.conversion_noise
        stray = 0.5 * noise * detector.efficiency  # each of the two detectors sees half of it
        way = Way(
            parts.a.cavity,
            parts.b.cavity,
            between=a.conversion_efficiency * parts.total_transmission() * b.conversion_efficiency,
            after=detector.seen(detector.dark_rate + stray),
            dark=detector.click_probability(stray),
        )
        plus, minus = serial_reflection(way, mean_photons, parts.phase_noise, parts.phase)
        local = parts.kept_locally
        return plus.depolarised(*local).herald(PHI_PLUS), minus.depolarised(*local).herald(PHI_MINUS)

    def _fidelity(self, mean_photons: float) -> float:
        heralds = self._heralds(mean_photons)
        total = math.fsum(herald.probability for herald in heralds)
        return (
            math.fsum(herald.probability * herald.weights[0] for herald in heralds) / total if total else 0.0
        )


ARCHITECTURE: Final = Architecture(
    name="serial_reflection",
    title="one time-bin photon reflected from a spin at each end (Bhaskar; Knaut)",
    make=SerialReflection,
    needs=("detector", "cavity at a", "cavity at b"),
    bells=(0, 1),
    parameters=(
        *FIBRE,
        Parameter("node", "cavity.bright", "", "high", (0.3, 1.0)),
        Parameter("node", "cavity.dark", "low", "", (0.0, 0.2)),
        Parameter("node", "cavity.insertion", "", "high", (0.1, 1.0)),
        Parameter("node", "cavity.mean_photons", "", "high", (0.02, 0.3)),
        Parameter("node", "interface.conversion_efficiency", "", "high", (0.05, 1.0)),
        Parameter("node", "interface.spin_photon_fidelity", "high", "", (0.6, 1.0)),
        Parameter("node", "interface.phase_noise", "low", "", (0.0, 1.0)),
        Parameter("node", "interface.conversion_noise", "low", "", (0.0, 1e4)),
        Parameter("detector", "efficiency", "", "high", (0.1, 1.0)),
        Parameter("detector", "dark_rate", "low", "", (0.0, 1e4)),
    ),
    equation=(
        "ρ_ss' = ¼ Π_lost <γ_s'|γ_s> Π_detectors <β_s'|Π|β_s>, coherent amplitudes for each spin state; "
        "one photon: p = η R²/4, F = (1+ρ²)²/((1+ρ²)² + 4ρ²) for Φ+ with ρ² = R_dark/R_bright"
    ),
    source="Nguyen et al., PRL 123, 183602 (2019); Bhaskar et al., Nature 580, 60 (2020); Knaut et al., Nature 629, 573 (2024)",
    limits=(
        "real reflection amplitudes; light that is not reflected tells the spin; phase noise on the coherence of one photon; one "
        "detector pair at b that looks at both bins"
    ),
    bound="end to end",
    oracle="tests/oracles/test_serial_reflection.py::test_against_number_states",
    example="""\
from quantum_fabric.devices import Cavity, Node, sheet
from quantum_fabric.links import build

node = Node(cavity=Cavity(bright=0.9, dark=0.01, insertion=0.8))
fibre, detector = sheet("fibre", "smf-28"), sheet("detector", "snspd")
link = build("serial_reflection", node, node, fibre, (12_500.0, 12_500.0), detector)
""",
)
"""Record of the catalogue."""
