"""Quantum Fabric: entanglement as an infrastructure service.

::

    import quantum_fabric

    link = quantum_fabric.request_link(destination="Bob", distance=200, fidelity=0.98)

The public nouns and verbs are listed in ``__all__``; they load when they are first used, so that importing the package is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quantum_fabric.api import request_link
    from quantum_fabric.errors import FabricError
    from quantum_fabric.fabric import Fabric
    from quantum_fabric.messages import Bell, Delivered, LinkRequest, Outcome, Plan, Refused
    from quantum_fabric.services.link import Link, Pair, Teleportation

__version__ = "0.1.0"

_HOME = {
    "request_link": "api",
    "Fabric": "fabric",
    "FabricError": "errors",
    "Link": "services.link",
    "Pair": "services.link",
    "Teleportation": "services.link",
    "Bell": "messages",
    "Delivered": "messages",
    "LinkRequest": "messages",
    "Outcome": "messages",
    "Plan": "messages",
    "Refused": "messages",
}

__all__ = [
    "Bell",
    "Delivered",
    "Fabric",
    "FabricError",
    "Link",
    "LinkRequest",
    "Outcome",
    "Pair",
    "Plan",
    "Refused",
    "Teleportation",
    "__version__",
    "request_link",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'quantum_fabric' has no attribute {name!r}")
    return getattr(import_module(f"quantum_fabric.{home}"), name)


def __dir__() -> list[str]:
    return __all__
