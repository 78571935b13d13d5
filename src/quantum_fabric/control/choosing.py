"""Which pairs a repeater swaps where it has several on each side: by its rules, or by a policy of the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from quantum_fabric.control.qubit import Qubit
from quantum_fabric.errors import ProtocolError
from quantum_fabric.messages import Choice
from quantum_fabric.units import Time


class Candidate(NamedTuple):
    """A half that may be swapped, as a policy sees it.

    Attributes:
        slot: where it is.
        age: ps since its birth or its last purification.
        fidelity: that its pair is believed to have now.
        rounds: of purification on its present segment.
    """

    slot: int
    age: Time
    fidelity: float
    rounds: int


Policy: TypeAlias = Callable[[str, Sequence[Candidate], Sequence[Candidate]], tuple[int, int] | None]
"""(node, halves to the left, halves to the right) -> places in the two lists of what is swapped, or None to wait.

Both lists have at least one entry and are in the order of the slots. It is asked again until it waits or a list is empty.
"""


def by_rule(choice: Choice, ready: Iterable[tuple[Qubit, float]]) -> Qubit | None:
    """The half that a rule takes; of equals, the one in the slot with the lower number.

    Args:
        choice: the rule.
        ready: halves and the fidelities that their pairs are believed to have now (asked for by `Choice.BEST` only).
    """
    best: tuple[float, int] | None = None
    found: Qubit | None = None
    for qubit, fidelity in ready:
        value: float
        if choice is Choice.BEST:
            value = -fidelity
        else:
            value = qubit.born if choice is Choice.OLDEST else -qubit.born
        if best is None or (value, qubit.slot) < best:
            best, found = (value, qubit.slot), qubit
    return found


def by_policy(
    policy: Policy,
    node: str,
    lefts: Sequence[tuple[Qubit, float]],
    rights: Sequence[tuple[Qubit, float]],
    now: Time,
) -> tuple[Qubit, Qubit] | None:
    """The two halves that a policy takes; None where it waits.

    Raises:
        ProtocolError: it answered with a place that there is not.
    """
    sides = []
    for side in (lefts, rights):
        side = sorted(side, key=lambda each: each[0].slot)
        sides.append(side)
    views = [
        [Candidate(qubit.slot, now - qubit.born, fidelity, qubit.rounds) for qubit, fidelity in side] for side in sides
    ]  # fmt: skip
    answer = policy(node, *views)
    if answer is None:
        return None
    left, right = answer
    if not (0 <= left < len(views[0]) and 0 <= right < len(views[1])):
        raise ProtocolError(
            f"the policy at {node} chose {answer} of {len(views[0])} and {len(views[1])} halves"
        )
    return sides[0][left][0], sides[1][right][0]


def choose(
    policy: Policy | None,
    choice: Choice,
    node: str,
    lefts: Sequence[tuple[Qubit, float]],
    rights: Sequence[tuple[Qubit, float]],
    now: Time,
) -> tuple[Qubit, Qubit] | None:
    """The two halves that a policy takes, or, without one, the rules; None where it waits.

    Raises:
        ProtocolError: the policy answered with a place that there is not.
    """
    if policy is not None:
        return by_policy(policy, node, lefts, rights, now)
    left, right = by_rule(choice, lefts), by_rule(choice, rights)
    return None if left is None or right is None else (left, right)
