"""The compiled kernels, where they are installed: one place to ask for them, and one switch to do without."""

from __future__ import annotations

import importlib
import logging
import os
from functools import cache
from types import ModuleType

_LOG = logging.getLogger("quantum_fabric.native")

SWITCH = "QUANTUM_FABRIC_NATIVE"
"""Environment variable: ``off`` keeps to Python and NumPy even where the kernels are installed."""

MODULE = "quantum_fabric_native"


@cache
def native() -> ModuleType | None:
    """The module of compiled kernels, or None where there is none; the log says so, once.

    Examples:
        >>> native() is native()
        True
    """
    found, why = look()
    if found is None:
        _LOG.warning("%s: Python does the same, slower", why)
    return found


def look() -> tuple[ModuleType | None, str]:
    """The kernels, and in a few words why there are none or where they are.

    Examples:
        >>> module, said = look()
        >>> (module is None) == said.startswith("no compiled kernels")
        True
    """
    if os.environ.get(SWITCH, "").lower() == "off":
        return None, f"no compiled kernels: switched off by {SWITCH}=off"
    try:
        module = importlib.import_module(MODULE)
    except ImportError as error:
        return None, f"no compiled kernels ({error})"
    return module, str(module.__file__)
