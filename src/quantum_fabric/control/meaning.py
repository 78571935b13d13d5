"""What a request means for its pairs: what the ends do with them, when its fidelity must hold, and what it cannot mean."""

from __future__ import annotations

from dataclasses import replace

from quantum_fabric.control.reading import check_bases
from quantum_fabric.control.rules import segments_purified
from quantum_fabric.errors import InputError
from quantum_fabric.messages import (
    Code,
    DeliverRule,
    LinkRequest,
    Plan,
    Promise,
    Reading,
    Refused,
    Service,
)
from quantum_fabric.physics.chsh import BETWEEN

WORTHLESS = 0.5
"""A Bell-diagonal pair of this fidelity may hold no entanglement: no promise makes such a pair good enough."""


def gathers(request: LinkRequest) -> bool:
    """Whether pairs wait in memory until the last of their set is there, and are delivered together."""
    return request.window is not None or request.promise is Promise.END


def floor_of(request: LinkRequest) -> float:
    """Fidelity below which one pair is of no use to a request, whatever the others are."""
    return WORTHLESS if request.promise is Promise.AVERAGE else request.fidelity


def check_meaning(request: LinkRequest) -> None:
    """Refuse a request whose words contradict each other.

    Raises:
        InputError: says which, and what would do.

    Examples:
        >>> check_meaning(LinkRequest("A", "B", 0.9, window=10**9))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: hold: found False, expected True: pairs that are delivered together wait in memory
    """
    measured, read = request.service is Service.MEASURE, request.service is not Service.KEEP
    if read:
        check_bases(request.bases, "bases")
    window, between = request.window, read and any(each in BETWEEN for each in request.bases)
    rules = (
        (not between or measured, "bases", request.bases, "X, Y or Z: W and V are for pairs that are measured at both ends"),
        (not between or request.bell is None, "bell", request.bell, "None: bits in W and V say nothing of another Bell state"),
        (window is None or (type(window) is int and window > 0), "window", window, "a time above 0"),
        (not (measured and request.hold), "hold", True, "False: of a pair that is measured at both ends nothing is left"),
        (not (read and window is not None), "window", window, "None: pairs that are measured are never alive together"),
        (
            not (read and request.promise is Promise.END), "promise", "end",
            "'delivery' or 'average': a pair that is measured does not wait for others",
        ),
        (not gathers(request) or request.hold, "hold", False, "True: pairs that are delivered together wait in memory"),
    )  # fmt: skip
    for good, where, found, expected in rules:
        if not good:
            raise InputError(found=repr(found), expected=expected, where=where)


def end_rules(
    request: LinkRequest, key: str = "", tests: Reading | None = None
) -> tuple[DeliverRule, DeliverRule]:
    """What the source and the destination of a request do with complete pairs.

    Args:
        request: whose pairs.
        key: of the installation (`quantum_fabric.control.reading.epoch_key`); needed where anything is measured.
        tests: of which pairs are measured at both ends as a test, and how; its key is replaced by ``key``.

    Examples:
        >>> source, destination = end_rules(LinkRequest("A", "B", 0.9, service=Service.PREPARE), "00" * 32)
        >>> source.reading.bases, destination.reading
        (('X', 'Z'), None)
    """
    common = None if tests is None else replace(tests, key=key, own="")
    readings: list[Reading | None] = [None, None]
    if request.service is not Service.KEEP:
        readings[0] = Reading(request.bases, 1.0, key, "source")
    if request.service is Service.MEASURE:
        readings[1] = Reading(request.bases, 1.0, key, "destination")
    return (
        DeliverRule(request.destination, request.hold, readings[0], common, request.bell, False),
        DeliverRule(
            request.source, request.hold, readings[1], common, request.bell, request.bell is not None
        ),
    )


def capacity(plan: Plan) -> int:
    """How many complete pairs can wait at the ends of a plan while the last of them is being made.

    An end has one slot for each lane. Each round of purification there may keep one more of them busy: with pairs of every number
    of rounds below r waiting for an equal, one more fresh pair sets off all of them, so r + 1 slots make a pair.
    """
    source, destination = plan.path[0], plan.path[-1]
    busy = [0, 0]
    for left, right, rounds in segments_purified(plan):
        busy[0] += rounds * (left == source)
        busy[1] += rounds * (right == destination)
    return min(plan.links[0].lanes - busy[0], plan.links[-1].lanes - busy[1])


def too_small(request: LinkRequest, plan: Plan) -> Refused | None:
    """The refusal of a set of pairs that a plan cannot hold; None where it can."""
    room = capacity(plan)
    if not gathers(request) or request.pairs <= room:
        return None
    ends = f"{request.source} and {request.destination}"
    reason = f"{request.pairs} pairs are to be alive together; the ends can hold {max(room, 0)} while they make them"
    offer = replace(request, pairs=room, name="", key="") if room >= 1 else None
    return Refused(request.name, Code.NORES, f"memory of {ends}", reason, offer)
