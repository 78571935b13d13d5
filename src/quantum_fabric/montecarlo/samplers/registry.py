"""Which structured samplers there are, and which one a scenario qualifies for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.montecarlo.results import Results
from quantum_fabric.montecarlo.samplers import asap, max_plus, nested
from quantum_fabric.montecarlo.samplers.chain import Asked
from quantum_fabric.montecarlo.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Sampler:
    """A way to sample the statistics of some scenarios.

    Attributes:
        name: as `quantum_fabric.montecarlo.simulate` takes it.
        title: in a few words.
        condition: when it is the same process in law as the kernel, in words.
        objections: what of that does not hold for a scenario; none where it qualifies.
        run: samples a scenario that qualifies.
    """

    name: str
    title: str
    condition: str
    objections: Callable[[Scenario], tuple[str, ...]]
    run: Callable[[Scenario, Asked], Results]


SAMPLERS: Final = (
    Sampler("max-plus", max_plus.TITLE, max_plus.CONDITION, max_plus.objections, max_plus.run),
    Sampler("nested", nested.TITLE, nested.CONDITION, nested.objections, nested.run),
    Sampler("asap", asap.TITLE, asap.CONDITION, asap.objections, asap.run),
)
"""All there are; the first that qualifies is taken."""


def chosen(scenario: Scenario) -> Sampler | None:
    """The first sampler that is the same process in law as the kernel; None where there is none.

    Examples:
        >>> from quantum_fabric import documents, ensemble
        >>> from quantum_fabric.messages import LinkRequest
        >>> lab = documents.inventory(documents.load_network("lab"))
        >>> found = chosen(ensemble.scenario(lab, [(0, LinkRequest("Alice", "Bob", 0.8))]))
        >>> found is None or found.name
        'max-plus'
    """
    return next((each for each in SAMPLERS if not each.objections(scenario)), None)


def named(name: str, scenario: Scenario) -> Sampler:
    """A sampler that was asked for.

    Raises:
        UnknownNameError: there is none of this name.
        InputError: it is not the same process for this scenario.
    """
    for each in SAMPLERS:
        if each.name == name:
            objections = each.objections(scenario)
            if objections:
                raise InputError(
                    "; ".join(objections), f"a scenario with {each.condition}", f"sampler {name!r}"
                )
            return each
    raise UnknownNameError(
        repr(name), f"one of auto, none, {', '.join(each.name for each in SAMPLERS)}", "sampler"
    )


def why_not(scenario: Scenario) -> Mapping[str, tuple[str, ...]]:
    """For each sampler, what keeps it from being the same process as this scenario; nothing where it is."""
    return {each.name: each.objections(scenario) for each in SAMPLERS}
