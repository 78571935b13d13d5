"""Double-click link (Barrett-Kok): two photons in two time bins herald entanglement.

Each node entangles its memory with the time bin (or polarisation) of one photon. One click in each bin heralds Ψ+ when it
was twice the same detector and Ψ− when both clicked. References: Barrett & Kok, PRA 71, 060310 (2005); Duan & Kimble, PRL 90,
253601 (2003).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from quantum_fabric.links.architecture import EMITTER, EXAMPLE, FIBRE, PHOTON, STATION, Architecture
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob, Weights
from quantum_fabric.links.parts import Parts, bell_diagonal
from quantum_fabric.links.station import Station, Window, station
from quantum_fabric.links.timing import require_no_setting, schedule, with_modes
from quantum_fabric.physics.correlators import from_weights, product

PSI_PLUS: Final = 2
PSI_MINUS: Final = 3


def double_click(
    eta_a: float, eta_b: float, window: Window, double_a: float = 0.0, double_b: float = 0.0
) -> tuple[float, Weights]:
    """Probability of a herald and the pair that it leaves.

    Equation: x(e) is the probability of exactly one click in a bin in which one photon may arrive, and V the
    Hong-Ou-Mandel visibility. Memories of odd parity send one photon into each bin (A), memories of even parity both into
    the same one (C)::

        A = x(eta_a) x(eta_b)        C = P(one click | both photons) · P(one click | none)
        p = (A + C)/2                F = [A + V eta_a eta_b (1-p2_a)(1-p2_b) P(lone photon)²] / [2 (A + C)]

    For bucket detectors x(e) = (e + (1-e) 2 p_d)(1 - p_d).

    Args:
        eta_a: probability that a photon emitted by a is detected, in [0, 1].
        eta_b: the same for b.
        window: the station in one time bin.
        double_a: double-excitation probability of a, in [0, 1).
        double_b: the same for b.

    Returns:
        ``(p, weights)``: p for both signs together; weights relative to the announced Ψ+ or Ψ−.

    Limits:
        * The pair is exactly Bell-diagonal here: even parities are shared equally by Φ+ and Φ−, |11> and |00> alike.
        * The optical phase drops out as long as it is stable from one bin to the next.
        * A double excitation dephases its node and leaves the rate as it is.

    Examples:
        >>> p, weights = double_click(0.02, 0.02, Window(dark=1e-6, visibility=0.95, number_resolving=False))
        >>> f"{p:.9e}", round(weights[0], 8)
        ('2.000783937e-04', 0.974714)
    """
    odd = window.one_click(eta_a, 0.0) * window.one_click(0.0, eta_b)
    even = window.one_click(eta_a, eta_b) * window.one_click(0.0, 0.0)
    total = odd + even
    if total == 0.0:
        return 0.0, (0.25, 0.25, 0.25, 0.25)
    # Both photons were there and nothing else clicked: only then do the two ways to one click per bin interfere.
    interfering = window.visibility * eta_a * eta_b * (1.0 - double_a) * (1.0 - double_b)
    coherence = interfering * window.lone_photon**2
    wrong_sign = max(odd - coherence, 0.0)
    halves = 2.0 * total
    return 0.5 * total, ((odd + coherence) / halves, wrong_sign / halves, even / halves, even / halves)


@dataclass(frozen=True, slots=True)
class DoubleClick:
    """A double-click link made of parts; it has no knob.

    Attributes:
        parts: nodes, fibre, detector.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node = sheet("node", "ideal")
        >>> link = DoubleClick(Parts(node, node, sheet("fibre", "ideal"), (10_000.0, 10_000.0)))
        >>> point = link.heralding()
        >>> point.success, point.fidelity, point.period == point.heard[0]
        (0.5, 1.0, True)
    """

    architecture: ClassVar[str] = "double_click"
    stores: ClassVar[bool] = True
    knob: ClassVar[Knob | None] = None

    parts: Parts
    _station: Station = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Reduce the parts once."""
        object.__setattr__(self, "_station", station(self.parts))

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link.

        Args:
            setting: must be None.
            lanes: pairs of memories that take turns, at least 1.

        Raises:
            QuantityError: a setting, or no lanes.
        """
        require_no_setting(setting, self.architecture)
        a, b = self.parts.a.interface, self.parts.b.interface
        success, weights = double_click(
            self._station.eta_a,
            self._station.eta_b,
            self._station.window,
            a.double_excitation,
            b.double_excitation,
        )
        weights = bell_diagonal(product(from_weights(weights), self.parts.local_errors))
        heralds = tuple(HeraldOutcome(bell, 0.5 * success, weights) for bell in (PSI_PLUS, PSI_MINUS))
        times = schedule(self._station.table, self.parts.local_cycle, self.parts.modes, lanes)
        outcomes = with_modes(heralds, self.parts.tried)
        return Heralding(times.period, times.cycle, times.born, times.heard, outcomes)

    def under(self, conditions: Conditions) -> DoubleClick:
        """The same link, out of alignment."""
        return DoubleClick(self.parts.under(conditions))

    def total_transmission(self) -> float:
        """Transmission of both arms together."""
        return self.parts.total_transmission()


ARCHITECTURE: Final = Architecture(
    name="double_click",
    title="two photons in two time bins (Barrett-Kok)",
    make=DoubleClick,
    needs=("detector",),
    bells=(2, 3),
    parameters=(*FIBRE, *EMITTER, *PHOTON, *STATION),
    equation="p = (A + C)/2; F = [A + V η_a η_b (1-p2)² (1-p_d)²]/[2(A + C)]",
    source="Barrett & Kok, PRA 71, 060310 (2005)",
    limits="exactly Bell-diagonal; optical phase stable between the bins; double excitation only dephases",
    bound="end to end",
    oracle="tests/oracles/test_link_formulas.py::test_double_click_against_fock_space",
    example=EXAMPLE.format(name="double_click", node="lab-best", source=""),
)
"""Record of the catalogue."""
