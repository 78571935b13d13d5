"""What a data sheet says: frozen records with units, domain and provenance.

A record knows the domain of each of its numbers and refuses anything else; `build` reads one from texts with units.
Named devices lie in ``sheets/`` with the source of every number; `sheet` fetches one.
"""

from quantum_fabric.devices.carrier import Carrier
from quantum_fabric.devices.cavity import Cavity
from quantum_fabric.devices.converter import Converter, converted
from quantum_fabric.devices.detector import Detector
from quantum_fabric.devices.emitter import Emitter
from quantum_fabric.devices.fibre import Fibre
from quantum_fabric.devices.free_space import FreeSpacePath
from quantum_fabric.devices.kinds import KINDS, RECORDS, Profile
from quantum_fabric.devices.memory import Memory, dephasing_of_attempts, dephasing_of_detuning
from quantum_fabric.devices.node import Gates, Interface, Node
from quantum_fabric.devices.page import LETTERS, STANDINGS, Provenance, Sheet, read_page
from quantum_fabric.devices.pair_source import PairSource
from quantum_fabric.devices.quantities import Quantity, build, check, describe, override
from quantum_fabric.devices.satellite import Downlink, SatellitePath, Uplink
from quantum_fabric.devices.sheets import citation, data_sheet, provenance, sheet, sheets, status, title
from quantum_fabric.devices.source import Source
from quantum_fabric.devices.station import Station
from quantum_fabric.devices.switch import Coupler, Switch
from quantum_fabric.devices.transducer import Transducer, thermal_occupation, transduced
from quantum_fabric.devices.weak_pulse import WeakPulse

__all__ = [
    "KINDS",
    "LETTERS",
    "RECORDS",
    "STANDINGS",
    "Carrier",
    "Cavity",
    "Converter",
    "Coupler",
    "Detector",
    "Downlink",
    "Emitter",
    "Fibre",
    "FreeSpacePath",
    "Gates",
    "Interface",
    "Memory",
    "Node",
    "PairSource",
    "Profile",
    "Provenance",
    "Quantity",
    "SatellitePath",
    "Sheet",
    "Source",
    "Station",
    "Switch",
    "Transducer",
    "Uplink",
    "WeakPulse",
    "build",
    "check",
    "citation",
    "converted",
    "data_sheet",
    "dephasing_of_attempts",
    "dephasing_of_detuning",
    "describe",
    "override",
    "provenance",
    "read_page",
    "sheet",
    "sheets",
    "status",
    "thermal_occupation",
    "title",
    "transduced",
]
