"""The experiments, in the order of the table."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.validation.experiment import Experiment

_FILES: Final = (
    "state_algebra", "waiting_times", "bounds", "humphreys2018", "stephenson2020", "key_distribution", "long_fibres",
    "pairs", "pompili2021", "networks", "ion_links", "hensen2015",
)  # fmt: skip
"""Files of `quantum_fabric.validation.experiments`; each has a tuple ``EXPERIMENTS``."""

_ROWS: Final = (
    "state-algebra", "waiting-times", "bounds", "humphreys2018", "humphreys2018-detailed", "stephenson2020", "gys-decoy",
    "tokyo-dps", "korzh2015", "boaron2018", "pair-source", "malta-sicily", "pompili2021", "liu2023-tf", "micius", "networks",
)  # fmt: skip
"""The order of the table; further experiments follow."""


def _experiments() -> tuple[Experiment, ...]:
    found = {
        each.name: each
        for name in _FILES
        for each in import_module(f"quantum_fabric.validation.experiments.{name}").EXPERIMENTS
    }
    rest = [name for name in found if name not in _ROWS]
    return tuple(found[name] for name in (*_ROWS, *rest))


EXPERIMENTS: Final[tuple[Experiment, ...]] = _experiments()
"""Every experiment that can be compared."""


def names() -> tuple[str, ...]:
    """Names of all experiments, in the order of the table.

    Examples:
        >>> names()[0]
        'state-algebra'
    """
    return tuple(each.name for each in EXPERIMENTS)


def experiment(name: str) -> Experiment:
    """The experiment of a name.

    Raises:
        UnknownNameError: there is none.

    Examples:
        >>> experiment("stephenson2020").name
        'stephenson2020'
    """
    for each in EXPERIMENTS:
        if each.name == name:
            return each
    raise UnknownNameError(repr(name), f"one of {', '.join(names())}", "experiment")
