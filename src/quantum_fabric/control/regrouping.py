"""Changing a request that runs on several paths: on the plans that it has, else on others that are made before these are left.

All of the new paths run before any of the old ones stops. If one of them comes to nothing before that, the request goes on as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Protocol

from quantum_fabric.control.admission import Admission
from quantum_fabric.control.constraints import broken_by, unknown
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.meaning import too_small
from quantum_fabric.control.multipath import merged, several, too_slow
from quantum_fabric.control.promises import foremost, missed, unsure
from quantum_fabric.control.renegotiation import same_rules
from quantum_fabric.control.scheduling.dispatch import Dispatch
from quantum_fabric.control.scheduling.turns import excess_of
from quantum_fabric.control.sense import contradiction
from quantum_fabric.control.session import Session
from quantum_fabric.control.telling import telling
from quantum_fabric.messages import Code, LinkRequest, Outcome, Plan, Refused
from quantum_fabric.units import Time


class Books(Protocol):
    """What is needed of the controller."""

    ledger: Ledger
    admission: Admission
    dispatch: Dispatch
    sessions: dict[str, Session]

    def beside(self, request: LinkRequest) -> dict[str, Plan]:
        """Plans that a request must not meet."""


@dataclass(slots=True)
class Regrouping:
    """New paths that are being made for a request.

    Attributes:
        wish: the new terms.
        coming: names of the new sessions that do not run yet.
        made: names of all of them.
        lost: the end of the last old path, where none is left to go on.
    """

    wish: LinkRequest
    coming: set[str]
    made: tuple[str, ...]
    lost: Outcome | None = field(default=None)


def part_of(request: LinkRequest, name: str) -> LinkRequest:
    """What one path of a request serves: the rate and the deadline are kept by all together."""
    return replace(request, name=name, key="", rate=0.0, deadline=None)


def senseless(old: LinkRequest, wish: LinkRequest, delivered: int, now: Time) -> Refused | None:
    """Why new terms make no sense for a request on several paths; None where they do.

    Args:
        old: the terms that hold.
        wish: the new ones, under the same name.
        delivered: pairs so far.
        now: ps.
    """
    name = wish.name
    if (wish.source, wish.destination) != (old.source, old.destination):
        reason = f"{name} is between {old.source} and {old.destination}; other ends need another request"
        return Refused(name, Code.OTHER, "ends", reason)
    if wish.pairs <= delivered:
        reason = f"{delivered} pairs were delivered already, {wish.pairs} are asked in all"
        return Refused(name, Code.OTHER, "pairs", reason)
    refused = foremost(contradiction(wish, now), unsure(wish))
    if refused is None and not same_rules(old, wish):
        reason = (
            f"{name} runs on several paths, and what their ends do with pairs (hold, service, bell, bases, promise) stays: "
            "ask for that in another request"
        )
        same = replace(wish, name="", key="", hold=old.hold, service=old.service, bell=old.bell, bases=old.bases,
                       promise=old.promise, window=old.window)  # fmt: skip
        return Refused(name, Code.UNSUPP, "what is done with pairs", reason, same)
    return refused


def serving(
    books: Books, plans: Mapping[str, Plan], wish: LinkRequest, owed: LinkRequest
) -> tuple[str, ...] | None:
    """Of the paths that a request has, those that keep new terms together; None where no set of them does.

    Args:
        books: of the controller.
        plans: by the names of the sessions.
        wish: new terms.
        owed: the same without what was delivered; its deadline counts from now.
    """
    topology, beside = books.admission.topology, books.beside(wish)
    if unknown(topology, wish, beside) is not None:
        return None
    part = part_of(owed, "")
    good = [
        name
        for name, plan in plans.items()
        if foremost(too_small(part, plan), missed(part, plan, topology)) is None
        and not broken_by(plan, wish, beside)
    ]
    found: tuple[str, ...] | None = None
    best = -1.0
    for names in combinations(good, wish.route.paths):
        chosen = [plans[name] for name in names]
        rate = sum(plan.forecast.rate for plan in chosen)
        if rate > best and too_slow(owed, chosen, telling(wish, topology)) is None:
            found, best = names, rate
    return found


def over_quota(
    books: Books, wish: LinkRequest, members: Sequence[str], plans: Sequence[Plan]
) -> Refused | None:
    """Why the tenant of a request may not have these plans instead of those of its present paths; None where it may."""
    refused = books.dispatch.stranger(wish)
    if refused is not None:
        return refused
    usage = books.dispatch.usage()
    for name in members:
        usage.closed(name)
    return excess_of(usage, wish, merged(plans))


def found_beside(books: Books, owed: LinkRequest) -> tuple[Plan, ...] | Refused:
    """Plans for new terms beside those that run, for the slots that are free now; else why there are none.

    Args:
        books: of the controller.
        owed: new terms without what was delivered; the deadline counts from now.
    """
    admission, beside = books.admission, books.beside(owed)
    found: tuple[Plan, ...] | Refused
    if owed.route.paths > 1:
        found = several(admission, owed, beside)
    else:
        one = admission.planned(owed, books.ledger.free(), beside)
        found = one if isinstance(one, Refused) else (one,)
    if isinstance(found, Refused) or admission.fits(merged(found)):
        return found
    reason = (
        "its new plans have too few free slots beside the old ones, which go on; to have them, cancel it and ask anew for "
        f"the {owed.pairs} pairs that are owed"
    )
    return Refused(owed.name, Code.NORES, "memory", reason, None, merged(found).forecast)


def with_offer(
    books: Books, refused: Refused, plans: Mapping[str, Plan], delivered: int, now: Time
) -> Refused:
    """The refusal of new terms with an offer that would be taken now, on the paths that there are; without one where none would.

    Args:
        books: of the controller.
        refused: its offer leaves out what was delivered, and its deadline counts from now.
        plans: of the present paths.
        delivered: pairs so far.
        now: ps.
    """
    offer = refused.offer
    if offer is None:
        return refused
    wish = replace(offer, name=refused.request)
    if serving(books, plans, wish, wish) is None:
        return replace(refused, offer=None)
    deadline = None if offer.deadline is None else offer.deadline + now
    return replace(refused, offer=replace(offer, deadline=deadline, pairs=offer.pairs + delivered))
