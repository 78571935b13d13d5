"""Cutoffs that the planner tries: no cutoff first, then shorter and shorter ones.

A cutoff throws away halves that have waited too long in a repeater: it buys fidelity with rate. For two segments in steps
(physics §3), s = 1 - (1-p)^m: ``E[T] = (1 + 2(1-p)s) / (p (p + 2(1-p)s))``, see `quantum_fabric.network.waiting`.
"""

from __future__ import annotations

from quantum_fabric.network.chain import Chain
from quantum_fabric.units import Time, from_seconds

FRACTIONS = (4.0, 2.0, 1.0, 0.5, 0.25, 0.12)
"""Cutoffs in units of the mean time of the slowest link: beyond 4 a cutoff hardly acts, below 0.1 hardly a pair meets
its partner."""


def choices(chain: Chain) -> tuple[Time | None, ...]:
    """Cutoffs worth trying on a chain, in ps, the gentlest first; ``(None,)`` where nothing waits in a repeater.

    A half is not heard of before ``heard - born``, so the cutoff counts from there.

    Args:
        chain: its cutoff is ignored.

    Returns:
        None and then cutoffs, rounded to three digits for people.

    Examples:
        >>> from quantum_fabric.network.chain import Hop
        >>> from types import SimpleNamespace
        >>> hop = Hop(0.5, 1.0, 0.0, (0.0, 0.0), (0.0, 0.0), (1.0, 1.0, 1.0), 1, 0)
        >>> choices(SimpleNamespace(hops=(hop, hop)))[:3]
        (None, 8000000000000, 4000000000000)
    """
    if len(chain.hops) < 2:
        return (None,)
    slowest = max(hop.mean_time / hop.lanes for hop in chain.hops)
    news = max(max(hop.heard[0] - hop.born[0], hop.heard[1] - hop.born[1]) for hop in chain.hops)
    return (None, *(from_seconds(float(f"{news + fraction * slowest:.3g}")) for fraction in FRACTIONS))
