"""EXT, the expected throughput of a path with several channels on every hop.

The number of pairs that a path of width W can join is the least of the numbers of channels that are up on its hops. They are
independent, so P(least ≥ i) is a product over the hops. The recursion of the paper walks from hop to hop with the law of
the least number; the product is the same in one line, and it shows why Dijkstra's algorithm is not right for this metric: each
of the W products is additive (in logarithms) and thus isotonic, their sum is not. See `quantum_fabric.network.routing.search`.

Reference: Shi, Qian, SIGCOMM 2020, section 5.3 (recursion); the product form is ours (C).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import comb, prod

from quantum_fabric.errors import QuantityError


@lru_cache(maxsize=65536)
def tails(success: float, width: int) -> tuple[float, ...]:
    """P(at least i of `width` channels are up) for i = 1 to `width`.

    Args:
        success: of one channel, in [0, 1].
        width: 1 or more.

    Examples:
        >>> tails(0.5, 2)
        (0.75, 0.25)
    """
    exactly = [comb(width, up) * success**up * (1 - success) ** (width - up) for up in range(width + 1)]
    found, left = [], 0.0
    for up in range(width, 0, -1):
        left += exactly[up]
        found.append(left)
    return tuple(reversed(found))


def expected_throughput(successes: Sequence[float], width: int, swap: float) -> float:
    """Mean number of pairs that a path delivers in a slot.

    Args:
        successes: of the channels of each hop, in [0, 1].
        width: channels on every hop.
        swap: chance that a swap succeeds, in (0, 1].

    Returns:
        Pairs per slot, 0 to `width`.

    Raises:
        QuantityError: no hop, a width below 1 or a chance outside its domain.

    Equation:
        E = q^(h-1) Σ_{i=1..W} Π_hops P(Bin(W, p) ≥ i); Shi, Qian 2020, equation (2), with the law of the minimum written out.

    Examples:
        >>> expected_throughput([0.5], 1, 0.9), expected_throughput([0.5, 0.5], 2, 1.0)
        (0.5, 0.625)
    """
    if not successes or width < 1:
        raise QuantityError(f"{len(successes)} hops, width {width}", "1 or more of each", "path")
    if not 0 < swap <= 1 or not all(0 <= success <= 1 for success in successes):
        raise QuantityError(f"{list(successes)}, {swap}", "chances in [0, 1]", "successes, swap")
    columns = zip(*(tails(success, width) for success in successes), strict=True)
    return float(swap ** (len(successes) - 1) * sum(prod(column) for column in columns))
