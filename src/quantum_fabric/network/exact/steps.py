"""Trees in steps, as the literature has them.

A link needs Geometric(p) steps, swaps and messages take no time, what fails starts anew at the next step.
The convention of physics textbooks and of the regression tables: Shchukin, Schmidt, van Loock, PRA 100, 032322 (2019); Brand,
Coopmans, Elkouss, IEEE JSAC 38, 619 (2020). A tick is one step.
"""

from __future__ import annotations

from collections.abc import Sequence

from quantum_fabric.errors import InputError
from quantum_fabric.network.exact.nodes import Link, Node, Purify, Round, Swap
from quantum_fabric.physics.correlators import PERFECT, Correlators
from quantum_fabric.physics.frames import AXES, Rotation, rotation_of
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.physics.purification import acceptance

STILL: Correlators = (0.0, 0.0, 0.0)
"""A memory that keeps everything."""

NOISELESS = OperationNoise()


def link(success: float, fresh: Correlators = PERFECT, lanes: int = 1) -> Link:
    """A link that is there after Geometric(p) steps; with several lanes, as soon as one of them is.

    Examples:
        >>> link(0.5, lanes=2).success
        0.75
    """
    return Link(1.0 - (1.0 - success) ** lanes, 1, 1, fresh)


def swap(
    left: Node,
    right: Node,
    success: float = 1.0,
    rates: tuple[Correlators, Correlators, Correlators] = (STILL, STILL, STILL),
    cutoff: int | None = None,
    factors: Correlators = PERFECT,
) -> Swap:
    """Two parts joined.

    Args:
        left: from the left end to the repeater.
        right: from the repeater to the right end.
        success: of the swap.
        rates: decay of a half in a step, at the left end, the repeater and the right end.
        cutoff: steps that the earlier one may wait; then both are thrown away (two links: the other is not there anyway).
        factors: of the swap itself.
    """
    a, b, c = rates
    return Swap(
        left,
        right,
        success,
        factors,
        tuple(p + q for p, q in zip(a, b, strict=True)),
        tuple(p + q for p, q in zip(b, c, strict=True)),
        windows=None if cutoff is None else (cutoff, cutoff),
    )


def purify(
    part: Node,
    kind: str = "dejmps",
    rates: tuple[Correlators, Correlators] = (STILL, STILL),
    ends: tuple[OperationNoise, OperationNoise] = (NOISELESS, NOISELESS),
    rotation: Rotation | None = None,
    rounds: int = 1,
) -> Node:
    """Rounds of recurrence purification: two copies side by side for each, four for two rounds, and so on.

    Args:
        part: what is purified.
        kind: ``"dejmps"`` or ``"bbpssw"``.
        rates: decay of a half in a step at both ends.
        ends: noise of the operations at both ends.
        rotation: before each round; None for the protocol's own.
        rounds: how many.

    Raises:
        UnknownNameError: another kind or rotation.

    Examples:
        >>> from quantum_fabric.network.exact.tree import Solver
        >>> from quantum_fabric.physics.correlators import werner
        >>> law = Solver().law(purify(link(1.0, werner(0.8))))
        >>> round(law.mean(), 9), round(1 / 0.768888889, 9)  # one try in a step, which works with 0.7689
        (1.300578035, 1.300578034)
    """
    for _ in range(rounds):
        part = Purify(part, recurrence(kind, ends, rotation), wait=_sum(rates))
    return part


def recurrence(
    kind: str, ends: tuple[OperationNoise, OperationNoise], rotation: Rotation | None = None
) -> Round:
    """The numbers of a round; the circuit is that of `correlators.purified`.

    Args:
        kind: ``"dejmps"`` or ``"bbpssw"``.
        ends: noise of the operations at both ends.
        rotation: before the round; None for the protocol's own.

    Raises:
        UnknownNameError: another kind or rotation.

    Examples:
        >>> recurrence("bbpssw", (NOISELESS, NOISELESS)).accept
        (0.5, 0.5)
    """
    a, b = ends
    right, wrong = acceptance(a, b)
    one, two = rotation_of(kind, rotation)
    turn = (1.0 - a.depolarising_1) * (1.0 - b.depolarising_1)
    return Round(
        accept=((right + wrong) / 2.0, (right - wrong) / 2.0),
        gate=(1.0 - a.depolarising_2) * (1.0 - b.depolarising_2),
        turns=(AXES[one], AXES[two]),
        turned=(1.0 if one == "xyz" else turn, 1.0 if two == "xyz" else turn),
        twirl=turn if kind == "bbpssw" else None,
    )


def nested(
    parts: Sequence[Node],
    success: float = 1.0,
    rate: Correlators = STILL,
    cutoffs: Sequence[int | None] = (),
    rounds: Sequence[int] = (),
    kind: str = "dejmps",
    noise: OperationNoise = NOISELESS,
    factors: Correlators = PERFECT,
) -> Node:
    """A balanced tree over elementary pairs, with equal stations.

    Args:
        parts: elementary pairs from left to right, 1 or more; unequal ones are welcome.
        success: of each swap.
        rate: decay of a half in a step at each station.
        cutoffs: by height of the swap, the lowest first; heights that are not named have none.
        rounds: of purification by height, elementary pairs first.
        kind: of purification.
        noise: of the operations of purification.
        factors: of each swap.

    Raises:
        InputError: no part.

    Examples:
        >>> from quantum_fabric.network.exact.tree import Solver
        >>> round(Solver().law(nested([link(0.5)] * 8, success=0.75)).mean(), 9)
        11.760871123
    """
    if not parts:
        raise InputError(found="nothing", expected="one part or more", where="nested")

    def finished(node: Node, height: int) -> Node:
        count = rounds[height] if height < len(rounds) else 0
        return purify(node, kind, (rate, rate), (noise, noise), rounds=count)

    row = [finished(part, 0) for part in parts]
    height = 0
    while len(row) > 1:
        cutoff = cutoffs[height] if height < len(cutoffs) else None
        height += 1
        pairs = [
            finished(swap(one, two, success, (rate, rate, rate), cutoff, factors), height)
            for one, two in zip(row[0::2], row[1::2], strict=False)
        ]
        row = pairs + row[2 * len(pairs) :]
    return row[0]


def _sum(rates: tuple[Correlators, Correlators]) -> Correlators:
    (a, b, c), (d, e, f) = rates
    return (a + d, b + e, c + f)
