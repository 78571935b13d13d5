"""One excitation shared by two ends with squeezed sources: what ensembles and absorptive memories have in common.

The light is in `quantum_fabric.physics.optics.squeezed`; here it meets nodes, fibre and station.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.joint import Joint
from quantum_fabric.links.knobs import best_setting
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob
from quantum_fabric.links.parts import Parts
from quantum_fabric.links.station import Station, station
from quantum_fabric.links.timing import Schedule, schedule, with_modes
from quantum_fabric.physics.optics.squeezed import Kept, Side, one_click

PSI_PLUS: Final = 2
PSI_MINUS: Final = 3

HIGHEST: Final = 0.5
"""Largest excitation ratio that a setting may name; useful ones are far below."""

LOWEST: Final = 1e-6
"""Smallest excitation ratio that the search for the best fidelity looks at."""

_MODERATE: Final = 0.2
"""Above this ratio, states with several excitations are no longer a correction."""


def shared_excitation(
    a: Side,
    b: Side,
    station: Station,
    phase_sigma: float = 0.0,
    local: tuple[float, float] = (1.0, 1.0),
    phase: float = 0.0,
) -> tuple[HeraldOutcome, HeraldOutcome]:
    """Both heralds (Ψ+ and Ψ−) of two squeezed sources and a station.

    Args:
        a: source at a; its ``eta`` includes everything up to the click.
        b: source at b.
        station: visibility and dark counts of the detection window.
        phase_sigma: rms phase between the two paths, rad.
        local: share of halves at a and b that local errors leave alone, each in [0, 1].
        phase: phase between the two paths that nobody corrects, rad.

    Examples:
        >>> from quantum_fabric.links.station import Window
        >>> from quantum_fabric.links.timing import meet_in_the_middle
        >>> table = meet_in_the_middle(0, 0)
        >>> quiet = Station(0.5, 0.5, Window(0.0, 1.0, number_resolving=True), table)
        >>> plus, minus = shared_excitation(Side(0.01, 0.5), Side(0.01, 0.5), quiet)
        >>> round(plus.weights[0], 4), minus.bell
        (0.99, 3)
    """
    window = station.window
    kept: Kept = one_click(a, b, window.visibility, window.dark, window.number_resolving)
    odd = kept.coherence * cmath.exp(complex(-0.5 * phase_sigma**2, phase))
    plus = Joint(kept.none, kept.only_b, kept.only_a, kept.both, odd=odd).depolarised(*local)
    minus = Joint(kept.none, kept.only_b, kept.only_a, kept.both, odd=-odd).depolarised(*local)
    return plus.herald(PSI_PLUS), minus.herald(PSI_MINUS)


@dataclass(frozen=True, slots=True)
class SharedExcitation:
    """A link of two squeezed sources made of parts; `Dlcz` and `Absorptive` say what keeps the signal.

    Attributes:
        parts: nodes, fibre, detector.
        tuned: efficiencies (a, b) to which the sources are balanced; those of the parts where it is None. A link that has drifted
            is still tuned to what it was.
        knob: λ, ratio of the probabilities of n+1 and n pairs; its low end has the best fidelity, below it dark counts win.
    """

    architecture: ClassVar[str]
    stores: ClassVar[bool] = True
    ratio: ClassVar[str]  # what λ is called

    parts: Parts
    tuned: tuple[float, float] | None = None
    knob: Knob = field(init=False)
    _station: Station = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Reduce the parts once and find the useful range of the knob."""
        object.__setattr__(self, "_station", station(self.parts))
        doc = f"{self.ratio} ratio at the end with the poorer path; the other end is balanced to it"
        # nobody plans with a link that has drifted
        best = LOWEST if self.tuned else best_setting(self._fidelity, LOWEST, HIGHEST)
        object.__setattr__(self, "knob", Knob(self.ratio, best, HIGHEST, "low", doc))

    @property
    def kept(self) -> tuple[float, float]:
        """Probability that the signal is kept at a, at b."""
        return (1.0, 1.0)

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        """Numbers of the link at one ratio.

        Args:
            setting: λ at the end with the poorer path, in (0, 0.5]; None for the data sheet's.
            lanes: pairs of memories that take turns, at least 1.

        Raises:
            QuantityError: a setting outside (0, 0.5], or no lanes.
        """
        if setting is None:
            poorer = self.parts.a if self._balance[0] <= self._balance[1] else self.parts.b
            setting = poorer.interface.bright_population
        if not 0.0 < setting <= HIGHEST:
            raise QuantityError(str(setting), f"an {self.ratio} ratio in (0, {HIGHEST}]", "setting")
        times = schedule(self._station.table, self.parts.local_cycle, self.parts.modes, lanes)
        heralds = with_modes(self._heralds(setting), self.parts.tried)
        cautions = (*strong(setting, self.ratio), *self._cautions(times))
        return Heralding(times.period, times.cycle, times.born, times.heard, heralds, cautions)

    def under(self, conditions: Conditions) -> Self:
        """The same link, out of alignment."""
        return type(self)(self.parts.under(conditions), self._balance)

    def total_transmission(self) -> float:
        """Transmission of both arms together."""
        return self.parts.total_transmission()

    @property
    def _balance(self) -> tuple[float, float]:
        return self.tuned or (self._station.eta_a, self._station.eta_b)

    def _heralds(self, setting: float) -> tuple[HeraldOutcome, ...]:
        a, b = sides(setting, self._station, self.kept, self._balance)
        return shared_excitation(
            a, b, self._station, self.parts.phase_noise, self.parts.kept_locally, self.parts.phase
        )

    def _fidelity(self, setting: float) -> float:
        return self._heralds(setting)[0].weights[0]

    def _cautions(self, times: Schedule) -> tuple[Caution, ...]:  # noqa: ARG002 - some memories have none
        return ()


def sides(
    setting: float,
    station: Station,
    kept: tuple[float, float] = (1.0, 1.0),
    tuned: tuple[float, float] | None = None,
) -> tuple[Side, Side]:
    """Both sources, with λ_a η_a = λ_b η_b so that a click does not tell where its photon is from.

    Args:
        setting: λ at the end with the poorer path, in (0, 1).
        station: the efficiencies of both paths.
        kept: probability that the signal is kept at a, at b.
        tuned: efficiencies to which the sources are balanced; those of the station where it is None.

    Examples:
        >>> from quantum_fabric.links.station import Window
        >>> from quantum_fabric.links.timing import meet_in_the_middle
        >>> uneven = Station(0.1, 0.2, Window(0.0, 1.0, number_resolving=True), meet_in_the_middle(0, 0))
        >>> [side.excitation for side in sides(0.04, uneven)]
        [0.04, 0.02]
    """
    eta_a, eta_b = station.eta_a, station.eta_b
    here, there = tuned or (eta_a, eta_b)
    less = min(here, there)
    if less <= 0.0:
        return Side(setting, eta_a, kept[0]), Side(setting, eta_b, kept[1])
    return Side(setting * less / here, eta_a, kept[0]), Side(setting * less / there, eta_b, kept[1])


def strong(setting: float, name: str) -> tuple[Caution, ...]:
    """Say so when the excitation is so strong that several pairs at once are no longer a correction.

    Examples:
        >>> strong(0.1, "excitation"), len(strong(0.3, "excitation"))
        ((), 1)
    """
    if setting <= _MODERATE:
        return ()
    effect = "coherences between states of several excitations are left out, about the square of the ratio"
    return (Caution(name, f"{setting:g}", f"at most {_MODERATE:g}", effect),)
