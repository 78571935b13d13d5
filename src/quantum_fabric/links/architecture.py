"""What the catalogue says of an architecture: the record, and the groups of parameters that several share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from quantum_fabric.devices import RECORDS, Quantity, describe
from quantum_fabric.links.model import LinkModel
from quantum_fabric.links.parts import Parts


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


FIBRE: Final = (
    Parameter("fibre", "attenuation", "", "low", (0.0, 0.5e-3)),
    Parameter("fibre", "fixed_loss", "", "low", (0.0, 3.0)),
    Parameter("link", "arms", "", "low", (0.0, 60_000.0)),
)
"""Losses of both arms."""

EMITTER: Final = (
    Parameter("node", "interface.efficiency", "", "high", (0.05, 1.0)),
    Parameter("node", "interface.conversion_efficiency", "", "high", (0.05, 1.0)),
    Parameter("node", "interface.spin_photon_fidelity", "high", "", (0.6, 1.0)),
)
"""A memory that emits a photon."""

PHOTON: Final = (Parameter("node", "interface.double_excitation", "low", "", (0.0, 0.2)),)
"""Quality of one photon."""

STATION: Final = (
    Parameter("detector", "efficiency", "", "high", (0.1, 1.0)),
    Parameter("detector", "dark_rate", "low", "", (0.0, 1e4)),
    Parameter("node", "interface.conversion_noise", "low", "", (0.0, 1e4)),
    Parameter("node", "interface.visibility", "high", "", (0.3, 1.0)),
)
"""A heralding station with a beam splitter."""

CAPTURE: Final = (
    Parameter("node", "interface.capture", "high", "high", (0.05, 1.0)),
    Parameter("detector", "efficiency", "high", "high", (0.1, 1.0)),
    Parameter("detector", "dark_rate", "low", "", (0.0, 1e4)),
    Parameter("node", "interface.conversion_noise", "low", "", (0.0, 1e4)),
)
"""A memory that catches a photon."""


EXAMPLE: Final = """\
from quantum_fabric.devices import sheet
from quantum_fabric.links import build

node, fibre, detector = sheet("node", "{node}"), sheet("fibre", "smf-28"), sheet("detector", "snspd")
link = build("{name}", node, node, fibre, (12_500.0, 12_500.0), detector{source})
"""
"""Code that makes a link of bundled sheets; to be formatted with name, node and source."""
