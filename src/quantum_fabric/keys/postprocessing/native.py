"""The compiled kernels, where they are installed."""

from __future__ import annotations

import importlib
import logging
import os
from functools import cache
from types import ModuleType

_LOG = logging.getLogger("quantum_fabric.keys")

SWITCH = "QUANTUM_FABRIC_NATIVE"
"""Environment variable: ``off`` keeps to NumPy even where the kernels are installed."""


@cache
def native() -> ModuleType | None:
    """The module of compiled kernels, or None where there is none; the log says so, once.

    Examples:
        >>> native() is native()
        True
    """
    if os.environ.get(SWITCH, "").lower() == "off":
        _LOG.info("compiled kernels are switched off (%s=off): NumPy does the same, slower", SWITCH)
        return None
    try:
        return importlib.import_module("quantum_fabric_native")
    except ImportError as error:
        _LOG.warning("no compiled kernels (%s): NumPy does the same, slower", error)
        return None
