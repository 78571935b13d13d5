"""Single-click link: one photon, detected behind a beam splitter, heralds entanglement.

Each node prepares sqrt(1-alpha) |0, no photon> + sqrt(alpha) |1, photon>. One click at the station heralds
(|01> ± |10>)/sqrt(2), that is Ψ+ or Ψ−, depending on the detector. References: Cabrillo et al., PRA 59, 1025 (1999); Bose et
al., PRL 83, 5158 (1999); Humphreys et al., Nature 558, 268 (2018); Hermans et al., NJP 25, 013011 (2023).
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

from quantum_fabric.errors import QuantityError
from quantum_fabric.links.architecture import (
    EMITTER,
    EXAMPLE,
    FIBRE,
    PHOTON,
    STATION,
    Architecture,
    Parameter,
)
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.joint import Joint
from quantum_fabric.links.knobs import best_setting
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob, Weights
from quantum_fabric.links.parts import Parts, bell_diagonal
from quantum_fabric.links.station import Station, Window, station
from quantum_fabric.links.timing import schedule, with_modes
from quantum_fabric.physics.correlators import from_weights, product

PSI_PLUS: Final = 2
PSI_MINUS: Final = 3

_HIGHEST: Final = 0.5
"""Largest bright population: beyond one half, both rate and fidelity can only be had better below it."""

_LOWEST: Final = 1e-6
"""Smallest bright population that the search for the best fidelity looks at."""


@dataclass(frozen=True, slots=True)
class Emission:
    """Both emitters at one operating point.

    Attributes:
        alpha_a: bright-state population of a, in (0, 1).
        alpha_b: the same for b.
        eta_a: probability that a photon emitted by a reaches its detector and is detected, in [0, 1].
        eta_b: the same for b.
        phase_sigma: rms phase between the two paths that is new in each attempt, rad.
        double_a: double-excitation probability of a, in [0, 1).
        double_b: the same for b.
        phase: phase between the two paths that stays from one attempt to the next and that nobody corrects, rad.
    """

    alpha_a: float
    alpha_b: float
    eta_a: float
    eta_b: float
    phase_sigma: float = 0.0
    double_a: float = 0.0
    double_b: float = 0.0
    phase: float = 0.0


def single_click(emission: Emission, window: Window) -> tuple[float, Weights]:
    """Probability of a herald and the pair that it leaves.

    Equation: populations P_jk (j, k = 0 dark, 1 bright) by counting which photons arrive, and one coherence between |01>
    and |10>::

        P_jk = [alpha_a]_j [alpha_b]_k · P(exactly one click | j photons from a, k from b)
        c    = sqrt(alpha_a (1-alpha_a) alpha_b (1-alpha_b) eta_a eta_b V) exp(-sigma²/2) (1-p2_a)(1-p2_b) · P(lone photon)
        p    = ΣP_jk,    F = (P_01 + P_10)/(2p) + c/p

    With equal arms and bucket detectors c is alpha (1-alpha) eta sqrt(V) exp(-sigma²/2) (1-p2)² (1-p_d).

    Args:
        emission: both emitters.
        window: the station's detection window.

    Returns:
        ``(p, weights)``: p in [0, 1] for both signs together; weights relative to the announced Ψ+ or Ψ−.

    Limits:
        * The pair's Bell-diagonal part: |00> and |11> are shared equally between Φ+ and Φ−, an imbalance P_01 ≠ P_10 is
          lost, and of a phase that stays only the cosine is left. `herald_state` has all of it, for protocols that live
          on it, such as EPL.
        * A double excitation dephases its node and leaves the rate as it is.

    Examples:
        >>> point = Emission(alpha_a=0.1, alpha_b=0.1, eta_a=0.5, eta_b=0.5)
        >>> p, weights = single_click(point, Window(dark=0.0, visibility=1.0, number_resolving=False))
        >>> round(p, 10), round(weights[0], 9)  # 2 α η (1 − α η/2), (1 − α)/(1 − α η/2)
        (0.0975, 0.923076923)
    """
    joint = herald_state(emission, window)
    return joint.probability, joint.weights(PSI_PLUS)


def herald_state(emission: Emission, window: Window) -> Joint:
    """The whole state that a herald of Ψ+ leaves, with the probability of both heralds together.

    The other detector heralds Ψ−: the same with the opposite sign of ``odd``. See `single_click` for the equation; a phase θ that
    stays turns the coherence: ``<01|ρ|10> = c e^(iθ)``.

    Args:
        emission: both emitters.
        window: the station's detection window.

    Limits:
        A double excitation dephases its node and leaves the rate as it is. |00> and |11> have no coherence: the number of photons
        that were lost is not known.

    Examples:
        >>> point = Emission(alpha_a=0.1, alpha_b=0.1, eta_a=0.5, eta_b=0.5, phase=0.3)
        >>> joint = herald_state(point, Window(dark=0.0, visibility=1.0, number_resolving=False))
        >>> round(joint.p_11 / joint.probability, 6), round(abs(joint.odd) / joint.probability, 6)
        (0.076923, 0.461538)
    """
    bright_a, bright_b = emission.alpha_a, emission.alpha_b
    dark_a, dark_b = 1.0 - bright_a, 1.0 - bright_b
    coherence: complex = (
        math.sqrt(bright_a * dark_a * bright_b * dark_b * emission.eta_a * emission.eta_b * window.visibility)
        * math.exp(-0.5 * emission.phase_sigma**2)
        * (1.0 - emission.double_a)
        * (1.0 - emission.double_b)
        * window.lone_photon
    )
    if emission.phase != 0.0:
        coherence *= cmath.exp(1j * emission.phase)
    return Joint(
        p_00=dark_a * dark_b * window.one_click(0.0, 0.0),
        p_01=dark_a * bright_b * window.one_click(0.0, emission.eta_b),
        p_10=bright_a * dark_b * window.one_click(emission.eta_a, 0.0),
        p_11=bright_a * bright_b * window.one_click(emission.eta_a, emission.eta_b),
        odd=coherence,
    )


def balanced(setting: float, eta_a: float, eta_b: float) -> tuple[float, float]:
    """Bright populations with alpha_a eta_a = alpha_b eta_b, the larger one equal to ``setting``.

    Without balance the click tells which side it came from, and coherence is lost.

    Args:
        setting: bright population of the end with the poorer path, in (0, 1).
        eta_a: detection probability of a's photons, above 0.
        eta_b: the same for b.

    Returns:
        ``(alpha_a, alpha_b)``.

    Limits:
        Balances photon numbers; the best fidelity balances alpha (1 - alpha) eta, which is the same for small alpha.

    Examples:
        >>> balanced(0.25, 0.125, 0.5)
        (0.25, 0.0625)
    """
    if eta_a <= eta_b:
        return setting, setting * (eta_a / eta_b)
    return setting * (eta_b / eta_a), setting


@dataclass(frozen=True, slots=True)
class SingleClick:
    """A single-click link made of parts.

    Attributes:
        parts: nodes, fibre, detector.
        tuned: efficiencies (a, b) to which the populations are balanced; those of the parts where it is None. A link that has
            drifted is still tuned to what it was: nobody knows better before the next calibration.
        knob: ``bright_population``; its low end is the population with the best fidelity, below which dark counts win.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node = sheet("node", "lab-best")
        >>> parts = Parts(node, node, sheet("fibre", "smf-28"), (12_500.0, 12_500.0), sheet("detector", "snspd"))
        >>> link = SingleClick(parts)
        >>> careful, eager = link.heralding(0.02), link.heralding(0.2)
        >>> careful.fidelity > eager.fidelity, careful.success < eager.success
        (True, True)
    """

    architecture: ClassVar[str] = "single_click"
    stores: ClassVar[bool] = True

    parts: Parts
    tuned: tuple[float, float] | None = None
    knob: Knob = field(init=False)
    _station: Station = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Reduce the parts once and find the useful range of the knob."""
        object.__setattr__(self, "_station", station(self.parts))
        best = _LOWEST  # nobody plans with a link that has drifted
        if self.tuned is None:
            best = best_setting(lambda setting: self._at(setting)[1][0], _LOWEST, _HIGHEST)
        object.__setattr__(
            self,
            "knob",
            Knob(
                "bright_population",
                best,
                _HIGHEST,
                "low",
                "share of the bright state at the end with the poorer path; the other end is balanced to it",
            ),
        )

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link at one bright population.

        Args:
            setting: bright population of the end with the poorer path, in (0, 0.5]; None for the data sheet's.
            lanes: pairs of memories that take turns, at least 1.

        Raises:
            QuantityError: a setting outside (0, 0.5], or no lanes.
        """
        if setting is None:
            poorer = self.parts.a if self._balance[0] <= self._balance[1] else self.parts.b
            setting = poorer.interface.bright_population
        if not 0.0 < setting <= _HIGHEST:
            raise QuantityError(str(setting), f"a bright population in (0, {_HIGHEST}]", "setting")
        success, weights = self._at(setting)
        joint = herald_state(self._emission(setting), self._station.window)
        joint = joint.depolarised(*self.parts.kept_locally)
        # The detectors are alike, so both signs are equally likely.
        heralds = tuple(
            HeraldOutcome(bell, 0.5 * success, weights, replace(joint, odd=sign * joint.odd).entries())
            for bell, sign in ((PSI_PLUS, 1.0), (PSI_MINUS, -1.0))
        )
        times = schedule(self._station.table, self.parts.local_cycle, self.parts.modes, lanes)
        outcomes = with_modes(heralds, self.parts.tried)
        return Heralding(times.period, times.cycle, times.born, times.heard, outcomes)

    def under(self, conditions: Conditions) -> SingleClick:
        """The same link, out of alignment."""
        return SingleClick(self.parts.under(conditions), self._balance)

    def total_transmission(self) -> float:
        """Transmission of both arms together."""
        return self.parts.total_transmission()

    @property
    def _balance(self) -> tuple[float, float]:
        return self.tuned or (self._station.eta_a, self._station.eta_b)

    def _emission(self, setting: float) -> Emission:
        a, b = self.parts.a.interface, self.parts.b.interface
        alpha_a, alpha_b = balanced(setting, *self._balance)
        return Emission(
            alpha_a,
            alpha_b,
            self._station.eta_a,
            self._station.eta_b,
            phase_sigma=self.parts.phase_noise,
            double_a=a.double_excitation,
            double_b=b.double_excitation,
            phase=self.parts.phase,
        )

    def _at(self, setting: float) -> tuple[float, Weights]:
        success, weights = single_click(self._emission(setting), self._station.window)
        return success, bell_diagonal(product(from_weights(weights), self.parts.local_errors))


ARCHITECTURE: Final = Architecture(
    name="single_click",
    title="one photon behind a beam splitter (Cabrillo, Bose)",
    make=SingleClick,
    needs=("detector",),
    bells=(2, 3),
    parameters=(
        *FIBRE,
        *EMITTER,
        *PHOTON,
        *STATION,
        Parameter("node", "interface.phase_noise", "low", "", (0.0, 1.0)),
        Parameter("node", "interface.bright_population", "low", "high", (0.03, 0.4)),
    ),
    equation=(
        "p = Σ P_jk; F = (P_01 + P_10)/(2p) + c/p; "
        "c = sqrt(α_a(1-α_a) α_b(1-α_b) η_a η_b V) exp(-σ²/2) (1-p2)² (1-p_d); α_a η_a = α_b η_b"
    ),
    source="Cabrillo et al., PRA 59, 1025 (1999); Humphreys et al., Nature 558, 268 (2018)",
    limits="weights are the Bell-diagonal part: |00> and |11> are shared equally by Φ+ and Φ−; the exact state is kept beside them; "
    "double excitation only dephases",
    bound="arm",
    oracle="tests/oracles/test_link_formulas.py::test_single_click_against_fock_space",
    example=EXAMPLE.format(name="single_click", node="lab-best", source=""),
)
"""Record of the catalogue."""
