"""What became of each request: a fold that puts requests, answers, deliveries and the truth about them together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from quantum_fabric.messages import (
    Accepted,
    Delivered,
    LinkRequest,
    Message,
    Outcome,
    Plan,
    Refused,
    Truth,
)
from quantum_fabric.units import Time

PairKey = frozenset[tuple[str, str]]
"""A pair by its two (node, elementary pair), in no order: `Truth` does not say which end is the source's."""


@dataclass(slots=True)
class History:
    """One request from submission to outcome.

    Attributes:
        request: what was asked.
        submitted: when.
        plan: the newest accepted plan; `plans` counts them (more than one after a repair).
        refused: the refusal, where there was one.
        pairs: deliveries in the order in which they became known.
        truths: for each of `pairs` what it really was, None where it was not consumed (yet).
        outcome, ended: how it ended and when; None while it is open.
        unfinished: it was withdrawn because the run came to its end, not because anybody wanted it withdrawn.
    """

    request: LinkRequest
    submitted: Time
    plan: Plan | None = None
    plans: int = 0
    queued: bool = False
    refused: Refused | None = None
    pairs: list[Delivered] = field(default_factory=list)
    truths: list[Truth | None] = field(default_factory=list)
    outcome: Outcome | None = None
    ended: Time | None = None
    unfinished: bool = False

    @property
    def true_fidelities(self) -> list[float]:
        """True fidelities (to the announced state) of the delivered pairs that were consumed."""
        return [truth.weights[0] for truth in self.truths if truth is not None]

    @property
    def waits(self) -> list[Time]:
        """For each delivered pair, in order of delivery, the time since the one before (the first: since submission)."""
        moments = [self.submitted, *sorted(pair.delivered_at for pair in self.pairs)]
        return [max(0, after - before) for before, after in pairwise(moments)]


class Histories:
    """A watcher that keeps a `History` of each request, in order of submission.

    Subscribe it to `SEES`. Deliveries and truths may come in either order; they are matched by the identity of the pair.

    Examples:
        >>> histories = Histories()
        >>> histories(0, "controller", LinkRequest("Alice", "Bob", 0.9, name="video"))
        >>> histories["video"].request.pairs, histories["video"].outcome
        (1, None)
    """

    SEES: Final = (LinkRequest, Accepted, Refused, Delivered, Truth, Outcome)

    def __init__(self) -> None:
        self._by_name: dict[str, History] = {}
        self._untold: dict[PairKey, tuple[History, int]] = {}
        self._early: dict[PairKey, Truth] = {}

    def __iter__(self) -> Iterator[History]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __getitem__(self, name: str) -> History:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __call__(self, time: Time, place: str, message: Message) -> None:  # noqa: ARG002 (the port)
        """Note one message."""
        match message:
            case LinkRequest():
                self._by_name.setdefault(message.name, History(message, time))
            case Truth():
                self._tell(message)
            case Accepted() | Refused() | Delivered() | Outcome() if message.request in self._by_name:
                self._follow(self._by_name[message.request], time, message)
            case _:
                pass

    def _follow(
        self, history: History, time: Time, message: Accepted | Refused | Delivered | Outcome
    ) -> None:
        match message:
            case Accepted():
                history.plan = message.plan
                history.plans += 1
                history.queued = history.queued or message.queued
            case Refused():
                history.refused = message
                history.ended = time if history.ended is None else history.ended
            case Delivered():
                self._deliver(history, message)
            case Outcome():
                history.outcome = message
                history.ended = time

    def _deliver(self, history: History, pair: Delivered) -> None:
        key = pair_key(pair)
        history.pairs.append(pair)
        history.truths.append(self._early.pop(key, None))
        if history.truths[-1] is None:
            self._untold[key] = (history, len(history.pairs) - 1)

    def _tell(self, truth: Truth) -> None:
        key = frozenset(truth.ends)
        if key in self._untold:
            history, index = self._untold.pop(key)
            history.truths[index] = truth
        else:
            self._early[key] = truth


def pair_key(pair: Delivered) -> PairKey:
    """The identity of a delivered pair that its `Truth` has too.

    Examples:
        >>> from quantum_fabric.messages import Bell, PairId
        >>> pair = Delivered("r", 1, PairId("x#1", "y#2"), ("A", "B"), Bell.PHI_PLUS, 1.0, 1.0, 1.0, 0, 5, 9)
        >>> pair_key(pair) == frozenset({("B", "y#2"), ("A", "x#1")})
        True
    """
    return frozenset(zip(pair.ends, pair.pair))
