"""What the planner has answered, and when an old answer still holds: streams ask the same question again and again.

A plan that was the best of all that fit into some free slots is still the best of all that fit into fewer, as long as it fits
itself: taking slots away only takes plans away. So an answer is looked up by its question, and holds if it was found with at least
the slots that are free now and still fits. The idle network, where nothing is taken, answers most questions of a busy one. A refusal
holds for fewer slots as well.

Limits:
    The planner is a heuristic that spreads lanes over the slots that it is given. So the plan for fewer slots may be another, and
    by the margin of its search a better one, than the plan for more slots that is used again. A refusal that is used again names what
    was short when it was found.
"""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple

from quantum_fabric.messages import Plan, Refused

REMEMBERED = 4096
"""Questions whose answers are kept; the one that was asked longest ago goes first."""

LOADS = 8
"""Answers that are kept of one question, for different free slots, beside that of the idle network."""


class Known(NamedTuple):
    """One answer of the planner, and the free slots that it was found with, in the order of the nodes."""

    free: tuple[int, ...]
    answer: Plan | Refused


class PlanMemory:
    """Answers by question.

    Args:
        slots: all slots of each node.

    Examples:
        >>> from quantum_fabric.messages import Code
        >>> memory = PlanMemory({"A": 2, "B": 2})
        >>> refusals = iter([Refused("", code, "memory of B", "too few") for code in Code])
        >>> ask = lambda free, fits: memory.recall("A to B", free, lambda plan: fits, lambda: next(refusals))
        >>> first = ask({"A": 1, "B": 2}, True)
        >>> ask({"A": 1, "B": 1}, True) is first, ask({"A": 2, "B": 1}, True) is first
        (True, False)
    """

    def __init__(self, slots: Mapping[str, int]) -> None:
        self._slots = dict(slots)
        self._all = tuple(self._slots.values())
        self._known: OrderedDict[Hashable, list[Known]] = OrderedDict()

    def recall(
        self,
        question: Hashable,
        free: Mapping[str, int] | None,
        fits: Callable[[Plan], bool],
        ask: Callable[[], Plan | Refused],
    ) -> Plan | Refused:
        """The answer to a question, remembered or new.

        Args:
            question: all that the answer depends on beside the free slots.
            free: free slots of each node; None for an idle network.
            fits: whether a plan fits into the free slots.
            ask: the planner.
        """
        now = self._all if free is None else self._in_order(free)
        answers = self._known.get(question)
        if answers is None:
            if len(self._known) >= REMEMBERED:
                self._known.popitem(last=False)
            answers = self._known[question] = []
        else:
            self._known.move_to_end(question)
        for known in answers:
            if known.free == now or (
                all(map(operator.ge, known.free, now))
                and (isinstance(known.answer, Refused) or fits(known.answer))
            ):
                return known.answer
        found = ask()
        if len(answers) > LOADS:
            # the idle network's answer, if it was ever asked, stays
            del answers[1 if answers[0].free == self._all else 0]
        answers.insert(0 if now == self._all else len(answers), Known(now, found))
        return found

    def _in_order(self, free: Mapping[str, int]) -> tuple[int, ...]:
        """Free slots in the order of the nodes, in which a ledger tells them anyway."""
        if len(free) == len(self._slots) and all(map(operator.eq, free, self._slots)):
            return tuple(free.values())
        return tuple(free[name] for name in self._slots)
