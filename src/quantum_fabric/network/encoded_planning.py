"""From a request to a line of encoded repeaters, or to the reason why there is none.

Schemes are ranked by their exact rate; those whose rough fidelity may do are sampled, the fastest first, until one meets the request
with the lower end of its interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from quantum_fabric.messages import Code as Reason
from quantum_fabric.messages import LinkRequest, Refused
from quantum_fabric.network.encoded import EncodedPlan, Segments, evaluated, schemes, slots_needed
from quantum_fabric.network.refusal import floored, significant
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics.codes.catalogue import Code
from quantum_fabric.physics.codes.repeater import rough_fidelity

COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64)
"""Numbers of segments that are tried."""

SAMPLED = 6
"""Schemes that are sampled before the finest one is taken instead."""

SLACK = 0.35
"""A scheme is not sampled if its rough infidelity, cut by this share, is still too much."""

QUICK, FULL = 10_000, 60_000
"""Shots: to choose, and of the plan that is handed out."""


@dataclass(frozen=True, slots=True)
class _Option:
    rate: float
    rough: float
    window: float
    segments: Segments


def plan_line(
    topology: Topology, path: Sequence[str], links: Sequence[str], request: LinkRequest, code: Code
) -> EncodedPlan | Refused:
    """The fastest encoded scheme on one path that meets a request.

    Args:
        topology: the believed network.
        path: names of the nodes.
        links: names of the links between them.
        request: fidelity, rate and number of pairs that are asked for.
        code: of the blocks.

    Returns:
        A plan, or a refusal: ``UNSUPP`` if memories are too few or the fidelity is out of reach, ``NOTIME`` if only the rate or
        the deadline is.

    Raises:
        InputError: Stim (or PyMatching) is not installed.
    """
    return _decided(_options(topology, path, links, code), topology, path, request, code)


def plan_distance(
    make: Callable[[int], Topology], request: LinkRequest, code: Code, most: int = 64
) -> EncodedPlan | Refused:
    """The fastest encoded scheme over a distance, the number of segments being free.

    Args:
        make: builds the chain with so many segments, its nodes in order from the source.
        request: fidelity, rate and number of pairs that are asked for; its ends are the chain's.
        code: of the blocks.
        most: segments at most.

    Raises:
        InputError: Stim (or PyMatching) is not installed.
    """
    options: list[_Option] = []
    for count in COUNTS:
        if count > most:
            break
        topology = make(count)
        path = tuple(topology.nodes)
        links = [topology.between(a, b)[0].name for a, b in pairwise(path)]
        found = _options(topology, path, links, code)
        options += found
        fastest = max((option.rate for option in options), default=0.0)
        if found and max(option.rate for option in found) < 0.2 * fastest:
            break  # shorter segments only add gates from here on
    return _decided(options, topology, path, request, code)


def _options(topology: Topology, path: Sequence[str], links: Sequence[str], code: Code) -> list[_Option]:
    found = []
    for segments in schemes(topology, path, links, code):
        best = segments.best_window()
        for window in (best, segments.tail + (best - segments.tail) / 3.0):
            rough = rough_fidelity(code, segments.line(window))
            found.append(_Option(segments.rate(window), rough, window, segments))
    return found


def _decided(
    options: list[_Option], topology: Topology, path: Sequence[str], request: LinkRequest, code: Code
) -> EncodedPlan | Refused:
    options = [option for option in options if option.rate > 0.0]
    if not options:
        return _too_few(topology, path, request, code)
    found = _first([option for option in options if option.rate >= request.rate], request.fidelity)
    if found is not None:
        return found
    slower = _first(options, request.fidelity) if request.rate > 0.0 else None
    if slower is not None:
        return _too_slow(slower, request)
    finest = max(options, key=lambda option: option.rough)
    return _too_coarse(evaluated(finest.segments, finest.window, FULL), request)


def _first(options: list[_Option], target: float) -> EncodedPlan | None:
    """The fastest of the schemes whose sampled fidelity is surely enough, among those that are sampled; the finest one always is."""
    if not options:
        return None
    allowed = (1.0 - target) / (1.0 - SLACK)
    hopeful = sorted((o for o in options if 1.0 - o.rough <= allowed), key=lambda o: -o.rate)
    finest = max(options, key=lambda o: o.rough)
    for option in [*hopeful[:SAMPLED], *_spread(hopeful[SAMPLED:]), finest]:
        if option is not finest:
            quick = evaluated(option.segments, option.window, QUICK)
            if quick.logical.fidelity.high < target:
                continue
        plan = evaluated(option.segments, option.window, FULL)
        if plan.logical.fidelity.low >= target:
            return plan
    return None


def _spread(options: list[_Option]) -> list[_Option]:
    """A few of many, the finest of each stretch."""
    size = max(1, -(-len(options) // SAMPLED))
    return [max(options[k : k + size], key=lambda o: o.rough) for k in range(0, len(options), size)]


def _too_slow(plan: EncodedPlan, request: LinkRequest) -> Refused:
    reason = (
        f"rate {request.rate:.4g} /s asked, {plan.rate:.4g} /s is the most with {plan.segments.code.title}"
    )
    offer = replace(request, rate=significant(plan.rate))
    return Refused(request.name, Reason.NOTIME, f"path {' - '.join(plan.path)}", reason, offer)


def _too_coarse(best: EncodedPlan, request: LinkRequest) -> Refused:
    logical, code = best.logical, best.segments.code
    reason = (
        f"fidelity {request.fidelity:g} asked; physical pairs of {best.pair_fidelity:.4f} give logical pairs of "
        f"{logical.fidelity.value:.4f} (at least {logical.fidelity.low:.4f}) with {code.title} "
        f"over {len(best.path) - 1} segments"
    )
    target = min(floored(logical.fidelity.low), request.fidelity)
    offer = None
    if target > 0.5:
        offer = replace(request, fidelity=target, rate=min(request.rate, significant(best.rate)))
    return Refused(request.name, Reason.UNSUPP, f"code {code.name}", reason, offer)


def _too_few(topology: Topology, path: Sequence[str], request: LinkRequest, code: Code) -> Refused:
    short = min(path[1:-1] or path, key=lambda name: topology.node(name).slots)
    need = slots_needed(code)
    reason = (
        f"{code.title} needs {need} memory slots in a repeater (a block and as many pairs on each side), "
        f"{short} has {topology.node(short).slots}"
    )
    return Refused(request.name, Reason.UNSUPP, f"memory of {short}", reason)
