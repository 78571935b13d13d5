"""An agent that lies about its swaps, for drills on the twin: does anybody notice, how soon, and do they name the right one?"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from random import Random

from quantum_fabric.control.agent import NodeAgent
from quantum_fabric.errors import InputError
from quantum_fabric.messages import Bell, Discard, Message, Swap, Swapped
from quantum_fabric.ports import Action
from quantum_fabric.units import Time


class Lie(Enum):
    """What it does instead of the truth."""

    OUTCOME = "outcome"
    """It swaps and tells another outcome than it got."""
    PHASE = "phase"
    """It swaps and turns the phase bit of the outcome: X and Y suffer, Z does not."""
    CLAIM = "claim"
    """It does not swap at all: it throws both halves away and tells an outcome that it has made up."""


class LyingAgent(NodeAgent):
    """A node agent that now and then lies about a swap, and else does all that its rules say.

    It is a fault and no decider of the network: it has dice. Put it in the place of an honest one, ``fabric.agents["B"] =
    LyingAgent("B", slots, ...)``, before the run begins.

    Args:
        name: of its node.
        slots: memory slots of the node.
        lie: what it does.
        share: of its swaps.
        seed: of its dice.

    Raises:
        InputError: a share outside of [0, 1].

    Attributes:
        lies: so far.
        swaps: so far, the lies included.
    """

    def __init__(self, name: str, slots: int, lie: Lie, share: float = 1.0, seed: int = 0) -> None:
        super().__init__(name, slots)
        if not 0.0 <= share <= 1.0:
            raise InputError(repr(share), "a share in [0, 1]", "share")
        self._lie, self._share, self._dice = lie, share, Random(seed)
        self.lies = self.swaps = 0

    def handle(self, message: Message, now: Time) -> Sequence[Action]:
        """Answer one message."""
        if isinstance(message, Swapped) and self._lie is not Lie.CLAIM and message.outcome is not None:
            self.swaps += 1
            if self._dice.random() < self._share:
                self.lies += 1
                turn = Bell(1) if self._lie is Lie.PHASE else Bell(1 + self._dice.randrange(3))
                message = Swapped(message.node, message.left, message.right, Bell(message.outcome ^ turn))
        out = super().handle(message, now)
        return out if self._lie is not Lie.CLAIM else self._claimed(out, now)

    def _claimed(self, actions: Sequence[Action], now: Time) -> list[Action]:
        """Some of the swaps are not done, but told."""
        out: list[Action] = []
        for action in actions:
            if not isinstance(action, Swap):
                out.append(action)
                continue
            self.swaps += 1
            if self._dice.random() >= self._share:
                out.append(action)
                continue
            self.lies += 1
            out += [Discard(self.name, action.left), Discard(self.name, action.right)]
            made_up = Swapped(self.name, action.left, action.right, Bell(self._dice.randrange(4)))
            out += self._claimed(super().handle(made_up, now), now)
        return out


def left_over(lie: Lie, share: float) -> tuple[float, float, float]:
    """What a lie leaves of the three correlators of a pair, in the mean over its pairs.

    Equation: a wrong label turns the signs of two of the three correlators. Each of the three wrong labels as likely: each
    correlator keeps its sign in one case of three. The phase: x and y turn. Halves that were never joined: nothing is left.

    Examples:
        >>> left_over(Lie.PHASE, 0.25)
        (0.5, 0.5, 1.0)
    """
    match lie:
        case Lie.OUTCOME:
            each = 1.0 - share * 4.0 / 3.0
            return (each, each, each)
        case Lie.PHASE:
            return (1.0 - 2.0 * share, 1.0 - 2.0 * share, 1.0)
        case _:
            return (1.0 - share,) * 3
