"""The kinds of data sheet: one line for each, and the record that such a sheet fills.

A new kind of device is a record of its own file, a line here, an overload of `quantum_fabric.devices.sheet` for those
who like their types exact, and a folder ``sheets/<kind>/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from quantum_fabric.devices.converter import Converter
from quantum_fabric.devices.detector import Detector
from quantum_fabric.devices.emitter import Emitter
from quantum_fabric.devices.fibre import Fibre
from quantum_fabric.devices.free_space import FreeSpacePath
from quantum_fabric.devices.node import Node
from quantum_fabric.devices.pair_source import PairSource
from quantum_fabric.devices.satellite import Downlink, Uplink
from quantum_fabric.devices.source import Source
from quantum_fabric.devices.station import Station
from quantum_fabric.devices.switch import Coupler, Switch
from quantum_fabric.devices.transducer import Transducer
from quantum_fabric.devices.weak_pulse import WeakPulse

RECORDS: Final[Mapping[str, type[Any]]] = {
    "node": Node,
    "fibre": Fibre,
    "detector": Detector,
    "source": Source,
    "pair_source": PairSource,
    "emitter": Emitter,
    "weak_pulse": WeakPulse,
    "station": Station,
    "transducer": Transducer,
    "free_space": FreeSpacePath,
    "satellite": Downlink,
    "uplink": Uplink,
    "switch": Switch,
    "coupler": Coupler,
    "converter": Converter,
}
"""Kind of sheet -> class of its record; a profile is no device."""

KINDS: Final = (*RECORDS, "profile")


@dataclass(frozen=True, slots=True)
class Profile:
    """Sheets that go together: what a link or a chain is made of when nothing else is said.

    Attributes:
        node: name of a node sheet.
        fibre: name of a fibre sheet.
        detector: name of a detector sheet.
        architecture: name of a link architecture.
        source: name of a source sheet; empty where the architecture has none.
        modes: time bins of one attempt.
        status: ``published``, ``projected`` or ``ideal``, as for sheets.
    """

    node: str
    fibre: str
    detector: str
    architecture: str
    source: str = ""
    modes: int = 1
    status: str = "projected"
