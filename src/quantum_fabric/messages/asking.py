"""Asking before taking: offers, trials without effect, explanations, changes of what is running: caller <-> controller.

A `LinkRequest` is admitted at once. Everything here is for callers who want to know first, or who change their mind. Each is a message
to the controller like any other, so it passes the watchers and stands in the journal.
"""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.messages.requests import Accepted, Forecast, LinkRequest, Plan, Refused
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What a plan promises, at the confidence that was asked for.

    Attributes:
        confidence: probability of each of the promises.
        rate: mean rate of deliveries, pairs per second.
        fidelity: at least that share of the completed pairs reach this.
        mean_fidelity: of a completed pair.
        finish: (probability, time from the start until the last pair, ps), rising; only what the forecast can tell.
    """

    confidence: float
    rate: float
    fidelity: float
    mean_fidelity: float
    finish: tuple[tuple[float, Time], ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for an offer: slots are kept for it until it is accepted or runs out."""

    request: LinkRequest


@dataclass(frozen=True, slots=True)
class Offered:
    """What would be served, and until when it can be had.

    Attributes:
        request: name of the request.
        plan: that would serve it.
        guaranteed: what that gives; times count from the acceptance.
        expires: the offer and its slots are kept until then.
        backup: what would take over where the plan fails, for a request that must survive that.
        others: plans of the other paths that would serve it at the same time.
    """

    request: str
    plan: Plan
    guaranteed: Guarantee
    expires: Time
    backup: Plan | None = None
    others: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True)
class Accept:
    """Take an offer."""

    request: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """Ask what would be answered now, without any effect."""

    request: LinkRequest


@dataclass(frozen=True, slots=True)
class Judged:
    """What would be answered.

    Attributes:
        request: name of the question.
        answer: to it.
        guaranteed: by the plan; None for a refusal.
    """

    request: str
    answer: Accepted | Refused
    guaranteed: Guarantee | None = None


@dataclass(frozen=True, slots=True)
class Explain:
    """Ask why a request is answered as it would be now, without any effect."""

    request: LinkRequest


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A plan that lost.

    Attributes:
        path: node names from source to destination.
        label: its strategy, for people.
        reason: why it lost, with the numbers.
        forecast: what it would have given.
    """

    path: tuple[str, ...]
    label: str
    reason: str
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a request is answered so.

    Attributes:
        request: name of the question.
        answer: to it.
        label: strategy of the plan, for people; empty for a refusal.
        binding: what keeps the answer from being better, in words that name it.
        lost: plans that lost, the best first.
        waits_for: requests that hold what the plan has to wait for.
    """

    request: str
    answer: Accepted | Refused
    label: str
    binding: str
    lost: tuple[PassedOver, ...] = ()
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Renegotiate:
    """Change a running request; what was delivered stays delivered and counts.

    Attributes:
        request: name of the running request.
        wish: what is asked instead, between the same ends; its ``pairs`` include those that were delivered, its name is not used.
    """

    request: str
    wish: LinkRequest


@dataclass(frozen=True, slots=True)
class Renegotiated:
    """The running request is served on the new terms from now on.

    Attributes:
        request: its name.
        plan: that serves it.
        replaced: whether that is another plan than before.
    """

    request: str
    plan: Plan
    replaced: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """The wish of a `Renegotiate` cannot be met: the request goes on as before.

    Attributes:
        request: its name.
        refusal: of the wish.
    """

    request: str
    refusal: Refused


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Ask what would be on a changed network, without any effect.

    Attributes:
        request: name of the question.
        requests: asked one after the other, each beside those before it that got a plan.
        without: names of nodes and links that are taken away.
        load: requests that are served before (added load); those that no plan serves are left out.
    """

    request: str
    requests: tuple[LinkRequest, ...] = ()
    without: tuple[str, ...] = ()
    load: tuple[LinkRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Supposed:
    """What would be.

    Attributes:
        request: name of the question.
        answers: to its requests, in their order.
        moved: running requests that would be served by another plan.
        lost: running requests that no plan could serve.
    """

    request: str
    answers: tuple[Accepted | Refused, ...]
    moved: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
