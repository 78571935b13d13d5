"""Every link architecture in one place.

`build` makes a link of any of them. A new architecture is one new file, with its record at the end, and one word here; the
contract test loops over the records, so it is tested from the moment it is listed.
"""

from __future__ import annotations

from typing import Final

from quantum_fabric.devices import Carrier, Detector, Node
from quantum_fabric.errors import UnknownNameError
from quantum_fabric.links import (
    absorptive,
    direct_transmission,
    dlcz,
    double_click,
    midpoint_source,
    pair_distribution,
    satellite,
    sender_receiver,
    serial_reflection,
    single_click,
)
from quantum_fabric.links.architecture import Architecture
from quantum_fabric.links.model import LinkModel
from quantum_fabric.links.parts import Light, Parts

_FILES: Final = (
    single_click,
    double_click,
    midpoint_source,
    sender_receiver,
    dlcz,
    absorptive,
    serial_reflection,
    pair_distribution,
    direct_transmission,
    satellite,
)

CATALOGUE: Final[dict[str, Architecture]] = {file.ARCHITECTURE.name: file.ARCHITECTURE for file in _FILES}
"""Name -> architecture, for everything that can be built of parts."""


def build(
    architecture: str,
    a: Node,
    b: Node,
    fibre: Carrier,
    arms: tuple[float, float],
    detector: Detector | None = None,
    source: Light | None = None,
    modes: int = 1,
    extra_loss: tuple[float, float] = (0.0, 0.0),
    frequency_modes: int = 1,
    space_modes: int = 1,
) -> LinkModel:
    """Make a link of an architecture and its parts.

    Args:
        architecture: a name in `CATALOGUE`.
        a: data sheet of the first node (the sender of a sender-receiver link).
        b: data sheet of the second node.
        fibre: of both arms (any carrier of light).
        arms: m of fibre from a to the middle and from there to b, at least 0.
        detector: of the station; None for a perfect one.
        source: of pairs or of photons, where the architecture has one.
        modes: time bins of one attempt, at least 1.
        extra_loss: dB on top of the fibre in each arm, at least 0.
        frequency_modes: colours tried side by side, at least 1.
        space_modes: paths tried side by side, at least 1.

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
double_click, midpoint_source, sender_receiver, dlcz, absorptive, serial_reflection, \
pair_distribution, direct_transmission, satellite_double_downlink
    """
    if architecture not in CATALOGUE:
        raise UnknownNameError(repr(architecture), f"one of {', '.join(CATALOGUE)}", "architecture")
    parts = Parts(a, b, fibre, arms, detector, source, modes, extra_loss, frequency_modes, space_modes)
    return CATALOGUE[architecture].make(parts)
