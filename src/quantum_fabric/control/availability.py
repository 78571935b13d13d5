"""When slots may be free again: what holds them, and how long that may take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from quantum_fabric.control.rules import slots_wanted
from quantum_fabric.control.session import Session
from quantum_fabric.messages import LinkRequest, Plan
from quantum_fabric.network.finish import NEVER, finished_by
from quantum_fabric.units import Time


class Holder(NamedTuple):
    """Something that holds slots.

    Attributes:
        name: of the request.
        slots: by node.
        until: when it may let go of them (ps); None where that cannot be told.
    """

    name: str
    slots: Mapping[str, int]
    until: Time | None


def holders(
    sessions: Iterable[Session], now: Time, confidence: float, at: Collection[str] | None = None
) -> list[Holder]:
    """What sessions hold, and until when with some confidence.

    Args:
        sessions: all of them.
        now: present time, ps.
        confidence: that each has let go by its time, in (0, 1).
        at: nodes of which something must be held; None for any.

    Limits:
        The law of a plan is taken to start anew now, for the pairs that are still owed. Pairs that an application holds may be kept
        until they expire; when such a request lets go cannot be told before they are there.
    """
    found = []
    for session in sessions:
        if session.installation is None and not session.kept:
            continue  # most of those that were ever made
        if at is not None and not any(name in at for name in session.plan.path) and not session.kept:
            continue
        if session.installation is not None and session.open:
            owed = max(1, session.request.pairs - session.delivered)
            time = finished_by(session.plan.forecast, owed, confidence)
            until = None if time >= NEVER or session.request.hold else now + time
            deadline = session.request.deadline
            if deadline is not None and not session.request.hold:
                until = deadline if until is None else min(until, deadline)
            found.append(Holder(session.request.name, slots_wanted(session.plan), until))
        for kept in session.kept:
            wanted = slots_wanted(kept.plan)
            ends = {name: wanted[name] for name in (kept.plan.path[0], kept.plan.path[-1])}
            found.append(Holder(session.request.name, ends, kept.held_until))
    return found


def free_at(plan: Plan, free: Mapping[str, int], held: Sequence[Holder]) -> Time | None:
    """When the slots of a plan are free, if nobody else takes them (ps); None where that cannot be told.

    Args:
        plan: that waits.
        free: free slots by node.
        held: what is not free.

    Examples:
        >>> from quantum_fabric.documents import inventory, load_network, topology
        >>> from quantum_fabric.messages import LinkRequest
        >>> from quantum_fabric.network import plan as make_plan
        >>> made = make_plan(topology(inventory(load_network("lab"))), LinkRequest("Alice", "Bob", 0.8))
        >>> wanted = slots_wanted(made)
        >>> free_at(made, dict.fromkeys(wanted, 0), [Holder("r", wanted, 7), Holder("s", wanted, None)])
        7
    """
    wanted = slots_wanted(plan)
    left = dict(free)
    for each in sorted((each for each in held if each.until is not None), key=lambda each: each.until or 0):
        for name, count in each.slots.items():
            left[name] = left.get(name, 0) + count
        if all(left.get(name, 0) >= count for name, count in wanted.items()):
            return each.until
    return None


def short_of(plan: Plan, free: Mapping[str, int]) -> tuple[str, ...]:
    """Nodes at which a plan has too few free slots, in the order of its path."""
    return tuple(name for name, count in slots_wanted(plan).items() if free.get(name, 0) < count)


def too_few(what: str) -> str:
    """What a resource lacks, in words."""
    if what == "the queue":
        return "others wait already, who go first"
    if what.startswith("station "):
        return f"{what} has too few free analysers"
    return f"{what.removeprefix('memory of ')} has too few free memory slots"


def besides(why: str) -> str:
    """What was said of the slots that are free now, as the end of a sentence.

    Examples:
        >>> besides("no path is short enough"), besides("")
        ('; of what is free now: no path is short enough', '')
    """
    return f"; of what is free now: {why}" if why else ""


def from_now(request: LinkRequest, now: Time) -> LinkRequest:
    """The request with its deadline counted from now, as planning, which knows no clock, counts it."""
    return request if request.deadline is None else replace(request, deadline=request.deadline - now)
