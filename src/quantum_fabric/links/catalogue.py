"""Every link architecture in one place: what it needs, what it claims, where it is tested.

`build` makes a link of any of them. A new architecture is one new file and one new record here; the contract test loops
over the records, so it is tested from the moment it is listed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from quantum_fabric.devices import RECORDS, Detector, Fibre, Node, Quantity, Source, describe
from quantum_fabric.errors import UnknownNameError
from quantum_fabric.links.direct import Direct
from quantum_fabric.links.double_click import DoubleClick
from quantum_fabric.links.midpoint_source import MidpointSource
from quantum_fabric.links.model import LinkModel
from quantum_fabric.links.parts import Parts
from quantum_fabric.links.single_click import SingleClick


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that an architecture depends on, and what it does.

    Attributes:
        part: ``node``, ``fibre``, ``detector``, ``source``, or ``link`` for the geometry.
        field: dotted name in that part.
        fidelity: the end of its domain that is good for the fidelity: ``low``, ``high``, or empty where it has no
            effect or none in one direction.
        success: the same for the success probability.
        within: where in the domain the claims are made, as ``(from, to)`` in base units.
    """

    part: str
    field: str
    fidelity: str
    success: str
    within: tuple[float, float]

    @property
    def quantity(self) -> Quantity:
        """Unit and domain of the field; of one arm's length for the geometry of a link.

        Examples:
            >>> Parameter("node", "memory.t2", "", "", (0.0, 1.0)).quantity.domain
            'a time above 0 s'
        """
        if self.part == "link":
            return Quantity("length", 0.0, math.inf, "fibre from a node to the middle")
        return describe(RECORDS[self.part])[self.field]


@dataclass(frozen=True, slots=True)
class Architecture:
    """One way to make heralded pairs between neighbours.

    Attributes:
        name: as documents write it.
        title: one line for people.
        make: makes the link of its parts.
        needs: parts without which it cannot be built: ``detector``, ``source``, ``capture at a``, ``capture at b``.
        bells: the Bell labels that it can announce.
        parameters: what it depends on.
        equation: success probability and fidelity, in short.
        source: where the equation is from.
        limits: what the model leaves out.
        bound: whose capacity bounds the pairs of one attempt: ``end to end`` (the whole fibre) or ``arm`` (the poorer
            arm; a single click at a station scales with the square root of the whole transmission).
        oracle: the test that computes it a second way.
        example: code that makes a ``link``; run by the tests.
    """

    name: str
    title: str
    make: Callable[[Parts], LinkModel]
    needs: tuple[str, ...]
    bells: tuple[int, ...]
    parameters: tuple[Parameter, ...]
    equation: str
    source: str
    limits: str
    bound: str
    oracle: str
    example: str


_FIBRE: Final = (
    Parameter("fibre", "attenuation", "", "low", (0.0, 0.5e-3)),
    Parameter("fibre", "fixed_loss", "", "low", (0.0, 3.0)),
    Parameter("link", "arms", "", "low", (0.0, 60_000.0)),
)
_EMITTER: Final = (
    Parameter("node", "interface.efficiency", "", "high", (0.05, 1.0)),
    Parameter("node", "interface.conversion_efficiency", "", "high", (0.05, 1.0)),
    Parameter("node", "interface.spin_photon_fidelity", "high", "", (0.6, 1.0)),
)
_PHOTON: Final = (Parameter("node", "interface.double_excitation", "low", "", (0.0, 0.2)),)
_STATION: Final = (
    Parameter("detector", "efficiency", "", "high", (0.1, 1.0)),
    Parameter("detector", "dark_rate", "low", "", (0.0, 1e4)),
    Parameter("node", "interface.conversion_noise", "low", "", (0.0, 1e4)),
    Parameter("node", "interface.visibility", "high", "", (0.3, 1.0)),
)
_CAPTURE: Final = (
    Parameter("node", "interface.capture", "high", "high", (0.05, 1.0)),
    Parameter("detector", "efficiency", "high", "high", (0.1, 1.0)),
    Parameter("detector", "dark_rate", "low", "", (0.0, 1e4)),
    Parameter("node", "interface.conversion_noise", "low", "", (0.0, 1e4)),
)

_EXAMPLE: Final = """\
from quantum_fabric.devices import sheet
from quantum_fabric.links import build

node, fibre, detector = sheet("node", "{node}"), sheet("fibre", "smf-28"), sheet("detector", "snspd")
link = build("{name}", node, node, fibre, (12_500.0, 12_500.0), detector{source})
"""

SINGLE_CLICK: Final = Architecture(
    name="single_click",
    title="one photon behind a beam splitter (Cabrillo, Bose)",
    make=SingleClick,
    needs=("detector",),
    bells=(2, 3),
    parameters=(
        *_FIBRE,
        *_EMITTER,
        *_PHOTON,
        *_STATION,
        Parameter("node", "interface.phase_noise", "low", "", (0.0, 1.0)),
        Parameter("node", "interface.bright_population", "low", "high", (0.03, 0.4)),
    ),
    equation=(
        "p = Σ P_jk; F = (P_01 + P_10)/(2p) + c/p; "
        "c = sqrt(α_a(1-α_a) α_b(1-α_b) η_a η_b V) exp(-σ²/2) (1-p2)² (1-p_d); α_a η_a = α_b η_b"
    ),
    source="Cabrillo et al., PRA 59, 1025 (1999); Humphreys et al., Nature 558, 268 (2018)",
    limits="Bell-diagonal part only: |00> and |11> are shared equally by Φ+ and Φ−; double excitation only dephases",
    bound="arm",
    oracle="tests/oracles/test_link_formulas.py::test_single_click_against_fock_space",
    example=_EXAMPLE.format(name="single_click", node="lab-best", source=""),
)

DOUBLE_CLICK: Final = Architecture(
    name="double_click",
    title="two photons in two time bins (Barrett-Kok)",
    make=DoubleClick,
    needs=("detector",),
    bells=(2, 3),
    parameters=(*_FIBRE, *_EMITTER, *_PHOTON, *_STATION),
    equation="p = (A + C)/2; F = [A + V η_a η_b (1-p2)² (1-p_d)²]/[2(A + C)]",
    source="Barrett & Kok, PRA 71, 060310 (2005)",
    limits="exactly Bell-diagonal; optical phase stable between the bins; double excitation only dephases",
    bound="end to end",
    oracle="tests/oracles/test_link_formulas.py::test_double_click_against_fock_space",
    example=_EXAMPLE.format(name="double_click", node="lab-best", source=""),
)

MIDPOINT_SOURCE: Final = Architecture(
    name="midpoint_source",
    title="pair source in the middle, a memory that catches photons at each end",
    make=MidpointSource,
    needs=("source", "capture at a", "capture at b"),
    bells=(0, 1, 2, 3),
    parameters=(
        *_FIBRE,
        *_CAPTURE,
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
    example=_EXAMPLE.format(
        name="midpoint_source", node="future", source=', sheet("source", "deterministic")'
    ),
)

DIRECT: Final = Architecture(
    name="direct",
    title="from the sender's memory through the whole fibre into the receiver's",
    make=Direct,
    needs=("capture at b",),
    bells=(0,),
    parameters=(*_FIBRE, *_EMITTER, *_PHOTON, *_CAPTURE),
    equation="p = e + (1-e) f, e = η p_store; F = ¼ + ¾ (e/p) w_a w_b (without double excitation)",
    source="Ritter et al., Nature 484, 195 (2012)",
    limits="false heralds leave white noise; a double excitation of the sender only dephases",
    bound="end to end",
    oracle="tests/oracles/test_link_formulas.py::test_direct_by_enumeration",
    example=_EXAMPLE.format(name="direct", node="future", source=""),
)

CATALOGUE: Final = {one.name: one for one in (SINGLE_CLICK, DOUBLE_CLICK, MIDPOINT_SOURCE, DIRECT)}
"""Name -> architecture, for everything that can be built of parts."""


def build(
    architecture: str,
    a: Node,
    b: Node,
    fibre: Fibre,
    arms: tuple[float, float],
    detector: Detector | None = None,
    source: Source | None = None,
    modes: int = 1,
    extra_loss: tuple[float, float] = (0.0, 0.0),
) -> LinkModel:
    """Make a link of an architecture and its parts.

    Args:
        architecture: a name in `CATALOGUE`.
        a: data sheet of the first node (the sender of a direct link).
        b: data sheet of the second node.
        fibre: of both arms.
        arms: m of fibre from a to the middle and from there to b, at least 0.
        detector: of the station; None for a perfect one.
        source: of pairs, where the architecture has one.
        modes: time bins of one attempt, at least 1.
        extra_loss: dB on top of the fibre in each arm, at least 0.

    Raises:
        UnknownNameError: no such architecture.
        QuantityError: parts that do not fit or are missing.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> node, fibre, detector = sheet("node", "future"), sheet("fibre", "ull"), sheet("detector", "snspd-future")
        >>> link = build("double_click", node, node, fibre, (12_500.0, 12_500.0), detector)
        >>> round(link.heralding().fidelity, 3)
        0.993
        >>> build("triple_click", node, node, fibre, (0.0, 0.0))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.UnknownNameError: architecture: found 'triple_click', expected one of single_click, \
double_click, midpoint_source, direct
    """
    if architecture not in CATALOGUE:
        raise UnknownNameError(repr(architecture), f"one of {', '.join(CATALOGUE)}", "architecture")
    return CATALOGUE[architecture].make(Parts(a, b, fibre, arms, detector, source, modes, extra_loss))
