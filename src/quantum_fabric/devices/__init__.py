"""What a data sheet says: frozen records with units, domain and provenance.

A record knows the domain of each of its numbers and refuses anything else; `build` reads one from texts with units.
Named devices lie in ``sheets/`` with the source of every number; `sheet` fetches one.
"""

from quantum_fabric.devices.carrier import Carrier
from quantum_fabric.devices.detector import Detector
from quantum_fabric.devices.fibre import Fibre
from quantum_fabric.devices.kinds import KINDS, RECORDS, Profile
from quantum_fabric.devices.node import Gates, Interface, Memory, Node
from quantum_fabric.devices.quantities import Quantity, build, check, describe, override
from quantum_fabric.devices.sheets import (
    Provenance,
    citation,
    provenance,
    sheet,
    sheets,
    status,
    title,
)
from quantum_fabric.devices.source import Source

__all__ = [
    "KINDS",
    "RECORDS",
    "Carrier",
    "Detector",
    "Fibre",
    "Gates",
    "Interface",
    "Memory",
    "Node",
    "Profile",
    "Provenance",
    "Quantity",
    "Source",
    "build",
    "check",
    "citation",
    "describe",
    "override",
    "provenance",
    "sheet",
    "sheets",
    "status",
    "title",
]
