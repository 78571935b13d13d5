"""Open offers, and answers that are remembered by their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from quantum_fabric.messages import Accepted, LinkRequest, Message, Plan
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Offer:
    """An open offer.

    Attributes:
        request: what was asked.
        plan: that is kept for it.
        epoch: under which its slots are lent.
        expires: ps.
        backup: that is kept for it too.
        plans: of its paths, where it is for several; `plan` is all of them together then.
    """

    request: LinkRequest
    plan: Plan
    epoch: int
    expires: Time
    backup: Plan | None = None
    plans: tuple[Plan, ...] = ()

    def uses(self, what: str) -> bool:
        """Whether a node or link is part of it."""
        plans = (self.plan,) if self.backup is None else (self.plan, self.backup)
        return any(what in (*each.path, *(hop.link for hop in each.links)) for each in plans)

    def taken(self) -> Accepted:
        """The answer to who accepts it."""
        first, *others = self.plans or (self.plan,)
        return Accepted(self.request.name, first, False, self.backup, tuple(others))


class Keyed(NamedTuple):
    """What was answered to a key, and to which request."""

    request: LinkRequest
    answer: Message
