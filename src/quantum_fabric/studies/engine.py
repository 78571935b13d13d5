"""What answers the question of a point, and how a study finds it.

An engine is a module of this room named ``NAME_engine.py`` that has a constant ``ENGINE``. It is imported when it is
asked for; a module that is not there, or that cannot run on this machine, is an engine that is missing, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Final, Protocol, TypeAlias

from quantum_fabric.documents.findings import nearest
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.studies.papers import Papers

Row: TypeAlias = Mapping[str, float]
"""Output -> value in base units, not-a-number where there is none; ``NAME~error`` holds a standard error that the engine knows."""

NAMES: Final = ("forecast", "montecarlo", "twin")
"""Engines that a study may name."""

AUTO: Final = "auto"


class Engine(Protocol):
    """Answers the question of a point.

    Attributes:
        name: in documents.
        outputs: names of the outputs that its rows have; quantiles over runs are made of them later.
        repeats: False where each run of a point gives the same row, so that one is enough.
        plans: whether decisions of the planner (``plan.*``) can be varied with it.
        workloads: whether it can run a workload, and not one request alone.
    """

    name: str
    outputs: frozenset[str]
    repeats: bool
    plans: bool
    workloads: bool

    def rows(self, papers: Papers, seeds: Sequence[int], wanted: frozenset[str]) -> list[Row]:
        """One row for each run.

        Args:
            papers: the documents of the point.
            seeds: of each run; a run depends on the papers and its own seed and on nothing else.
            wanted: outputs that somebody wants; others may be left out.
        """
        ...

    def ready(self) -> str:
        """Empty where it can run here; else what is missing."""
        ...


def engine(name: str) -> Engine:
    """An engine by its name.

    Raises:
        UnknownNameError: no study may name it.
        InputError: it is not installed, or cannot run here.

    Examples:
        >>> engine("forecast").repeats
        False
        >>> engine("forcast")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.UnknownNameError: engine: found 'forcast', expected an engine (did you mean 'forecast'?): \
forecast, montecarlo, twin, auto
    """
    if name not in NAMES:
        raise UnknownNameError(repr(name), nearest("an engine", name, (*NAMES, AUTO)), "engine")
    missing = missing_of(name)
    if missing:
        there = ", ".join(other for other in NAMES if not missing_of(other))
        raise InputError(f"{name}, which cannot run here ({missing})", f"one of {there}", "engine")
    return _load(name)


def missing_of(name: str) -> str:
    """What keeps an engine from running here; empty where nothing does.

    Examples:
        >>> missing_of("twin")
        ''
    """
    if find_spec(f"{__package__}.{name}_engine") is None:
        return "this installation has no such engine"
    return _load(name).ready()


def chosen(name: str, wanted: frozenset[str], repeated: bool, workload: bool, plans: bool) -> Engine:
    """The engine that a study means; for ``auto`` the cheapest that has all that is wanted.

    Args:
        name: in the document.
        wanted: outputs, quantiles replaced by what they are made of where the engine has no law for them.
        repeated: the document says how often points are run.
        workload: the base has a workload.
        plans: decisions of the planner are varied.

    Raises:
        UnknownNameError: no such engine.
        InputError: it cannot run here, or lacks something that is wanted.

    Examples:
        >>> chosen("auto", frozenset({"rate"}), False, False, False).name
        'forecast'
        >>> chosen("auto", frozenset({"completed"}), False, True, False).name  # a workload
        'twin'
    """
    if name != AUTO:
        found = engine(name)
        lack = _lacks(found, wanted, workload, plans)
        if lack:
            raise InputError(*lack, where="engine")
        return found
    order = ("montecarlo", "twin") if repeated else NAMES
    for other in order:
        if not missing_of(other) and not _lacks(_load(other), wanted, workload, plans):
            return _load(other)
    raise InputError(
        "auto", f"outputs that one engine has together, not {', '.join(sorted(wanted))}", "engine"
    )


def _lacks(found: Engine, wanted: frozenset[str], workload: bool, plans: bool) -> tuple[str, str] | None:
    missing = sorted(wanted - found.outputs)
    if missing:
        return (
            f"{found.name}, which does not give {', '.join(missing)}",
            f"outputs of it: {', '.join(sorted(found.outputs))}",
        )
    if workload and not found.workloads:
        return (f"{found.name} with a workload", "a request, or the engine twin")
    if plans and not found.plans:
        return (
            f"{found.name} with a path in plan",
            "the engine forecast: in a simulation the controller plans",
        )
    return None


def _load(name: str) -> Engine:
    found: Engine = import_module(f"{__package__}.{name}_engine").ENGINE
    return found
