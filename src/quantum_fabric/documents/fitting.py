"""Which parts an architecture takes: what a document gives is checked before the link is built, so that the field is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quantum_fabric import devices, links
from quantum_fabric.devices import Carrier
from quantum_fabric.documents.findings import Report
from quantum_fabric.documents.reading import Place

SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "source": ("source",),
    "pair source": ("pair_source",),
    "photon source": ("emitter", "weak_pulse"),
}
"""What an architecture says that it needs -> kinds of sheet that are one."""
CARRIERS: Final[Mapping[str, tuple[str, ...]]] = {
    "satellite_double_downlink": ("satellite",),
    "direct_transmission": ("fibre", "free_space", "satellite", "uplink"),
}
"""Architecture -> kinds of carrier, where it is not fibre and free space: only these two know a slant range."""


def sources_of(architecture: str) -> tuple[str, ...]:
    """Kinds of sheet that may be the source of an architecture's light; none where memories emit it.

    Examples:
        >>> sources_of("direct_transmission"), sources_of("single_click")
        (('emitter', 'weak_pulse'), ())
    """
    needs = links.CATALOGUE[architecture].needs
    return tuple(kind for need, kinds in SOURCES.items() if need in needs for kind in kinds)


def kind_of(record: object) -> str:
    """Kind of the sheet that fills a record.

    Examples:
        >>> kind_of(devices.sheet("fibre", "ull"))
        'fibre'
    """
    return next(kind for kind, made in devices.RECORDS.items() if type(record) is made)


def is_one(source: object, kinds: tuple[str, ...]) -> bool:
    """Say whether a device is of one of some kinds.

    Examples:
        >>> is_one(devices.sheet("emitter", "ideal"), ("emitter", "weak_pulse")), is_one(None, ("emitter",))
        (True, False)
    """
    return source is not None and kind_of(source) in kinds


def one_of(kinds: tuple[str, ...], what: str = "sheet") -> str:
    """Words for a device of one of some kinds.

    Examples:
        >>> one_of(("emitter", "weak_pulse"))
        'an emitter or weak_pulse sheet'
    """
    return f"{'an' if kinds[0][0] in 'aeio' else 'a'} {' or '.join(kinds)} {what}"


def fits(carrier: Carrier, architecture: str, place: Place, report: Report) -> bool:
    """Report a way of light that an architecture cannot be calculated with.

    Args:
        carrier: of a link.
        architecture: of it.
        place: of it.
        report: told of a fault.

    Returns:
        True where all is well.

    Examples:
        >>> fits(devices.sheet("satellite", "ideal"), "single_click", ("links", 0), print)
        ('links', 0, 'carrier') a satellite path for single_click one of satellite_double_downlink, direct_transmission
        False
    """
    kind = kind_of(carrier)
    if kind in CARRIERS.get(architecture, ("fibre", "free_space")):
        return True
    able = [name for name, kinds in CARRIERS.items() if kind in kinds]
    if architecture in CARRIERS:
        expected = f"{one_of(CARRIERS[architecture])}, which is what {architecture} takes"
    else:
        expected = f"one of {', '.join(able)}"
    report((*place, "carrier"), f"{one_of((kind,), 'path')} for {architecture}", expected)
    return False
