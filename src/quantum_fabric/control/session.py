"""What the controller keeps of one request, and of each installation that serves it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple, Protocol

from quantum_fabric.messages import Code, Confirmed, LinkRequest, PairId, Plan, Status
from quantum_fabric.ports import Action
from quantum_fabric.units import SECOND, Time, from_seconds

WAITS = 4.0
"""A lease lasts at least this many mean waiting times of its plan,"""

LONGEST_LEASE: Time = 600 * SECOND
"""but no longer than this."""


class Ends(Protocol):
    """What can end a session: a controller, to those who serve a part of it."""

    def end(
        self, session: Session, status: Status, reason: str, now: Time, out: list[Action], code: Code | None = None,
    ) -> None:  # fmt: skip
        """Tell the one outcome of a session and give back what it holds."""


class Phase(Enum):
    """Where a request stands."""

    QUEUED = auto()
    """Accepted; waits for memory slots."""
    PREPARING = auto()
    """Leases are taken; the nodes have not all answered."""
    RUNNING = auto()
    """Every node acts on its rules."""
    HOLDING = auto()
    """The outcome was told; some delivered pairs are kept in memory for the application."""
    ENDED = auto()
    """Over; the outcome was told."""


class Gathered(NamedTuple):
    """A complete pair that waits for the others of its set.

    Attributes:
        first, second: the confirmations of its ends.
        until: when it is of no use any more, ps.
    """

    first: Confirmed
    second: Confirmed
    until: Time


@dataclass(slots=True)
class Installation:
    """One epoch: a plan on its nodes.

    Attributes:
        epoch: its number.
        plan: what was installed.
        waiting: nodes that have not yet said `Prepared`.
        halves: confirmations of one end that wait for the other's.
        met: pairs that both ends have confirmed, and when, for as long as a letter may come twice.
        held_until: latest expiry of a pair that it has delivered and holds for the application.
        lease: for how long its slots are lent at a time, ps.
        gathered: complete pairs that wait for the others of their set; the application has not been told of them.
        since: when its nodes were told to prepare, ps.
    """

    epoch: int
    plan: Plan
    waiting: set[str]
    halves: dict[PairId, Confirmed] = field(default_factory=dict)
    met: OrderedDict[PairId, Time] = field(default_factory=OrderedDict)  # a dict is slow to give its first
    held_until: Time = 0
    lease: Time = 0
    gathered: dict[PairId, Gathered] = field(default_factory=dict)
    since: Time = 0


@dataclass(slots=True)
class Session:
    """One request from its admission to its outcome.

    Attributes:
        request: what was asked.
        plan: the plan in force.
        phase: where it stands.
        installation: the epoch in force; None while queued.
        kept: epochs that generate no more and only keep delivered pairs until these expire.
        delivered: pairs so far.
        credit: by how much the sum of their estimates exceeds what was asked for; kept where the fidelity is promised on average.
    """

    request: LinkRequest
    plan: Plan
    phase: Phase = Phase.QUEUED
    installation: Installation | None = None
    kept: list[Installation] = field(default_factory=list)
    delivered: int = 0
    credit: float = 0.0

    @property
    def open(self) -> bool:
        """Whether it has had no outcome yet."""
        return self.phase in (Phase.QUEUED, Phase.PREPARING, Phase.RUNNING)


def lease_length(plan: Plan, least: Time) -> Time:
    """For how long slots are lent at a time, ps: longer for a slow plan, so that renewals stay rare beside its pairs.

    Args:
        plan: that they are for.
        least: ps.
    """
    waits = from_seconds(WAITS / plan.forecast.rate) if plan.forecast.rate > 0.0 else LONGEST_LEASE
    return max(least, min(waits, LONGEST_LEASE))
