"""States of several nodes (GHZ) that were fused out of pairs, as the entanglement table knows them."""

from __future__ import annotations

from typing import NamedTuple

from quantum_fabric.control.entangled.pairs import PairState, View
from quantum_fabric.messages import PairId
from quantum_fabric.units import Time


class Shared(NamedTuple):
    """One state of several nodes, of which not all halves were handed over.

    Attributes:
        nodes: who share it, the centre first.
        pairs: that it was fused of, the one whose half the centre kept first.
        least: believed of its fidelity at least (the union bound over the pairs; perfect gates), see `shared`.
        waiting: nodes whose halves are still in memory.
    """

    nodes: tuple[str, ...]
    pairs: tuple[PairId, ...]
    least: float
    waiting: tuple[str, ...]


def shared(view: View, at: Time | None = None) -> list[Shared]:
    """States of several nodes that were fused and not wholly handed over.

    Args:
        view: the table.
        at: when their fidelities are asked for, ps; the view's own time where None.

    Equation: a pair that is not in its Bell state costs at most all of the state, so ``F >= 1 - Σ (1 - F_i)`` (union bound).

    Limits:
        Gates at the centre are taken for perfect. A state of which the table has forgotten a pair is left out.

    Examples:
        >>> shared(View())
        []
    """
    when = view.time if at is None else at
    found = []
    for names in sorted({pair.together for pair in view.pairs.values() if pair.state is PairState.FUSED}):
        parts = [view.pairs[name] for name in names if name in view.pairs]
        near = set(parts[0].nodes).intersection(*(part.nodes for part in parts))
        if len(parts) < len(names) or len(near) != 1:
            continue
        (centre,) = near
        far = [next(end for end in part.ends if end.node != centre) for part in parts]
        lost = sum(1.0 - part.estimate(when if part.alive else part.changed).fidelity for part in parts)
        waiting = tuple(end.node for end in far if end.there)
        found.append(Shared((centre, *(end.node for end in far)), names, max(0.0, 1.0 - lost), waiting))
    return found
