"""What is done, as a tree: links at the leaves, swaps and purification above them. Times are whole ticks.

Every node makes one pair. `Link` tries on its grid; `Swap` joins a pair of each of its two parts when both are there;
`Purify` spends one of two copies on the other. What fails starts anew: after a failure each link below the node begins at the
first point of its own grid that is at least its *lag* after the failure.

Rates are for the channels of `series` from the second on, usually the three correlators (x, y, z), per tick.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

from quantum_fabric.errors import QuantityError

Numbers: TypeAlias = tuple[complex, ...]
"""One for each channel but the first."""

Lags: TypeAlias = tuple[int | None, ...]
"""Ticks from a failure until each link may start; None for a link that just goes on."""


@dataclass(frozen=True, slots=True)
class Link:
    """An elementary pair, ready ``ready + k period`` after the first attempt starts, with probability ``p (1-p)^k``.

    Attributes:
        success: of an attempt, in (0, 1].
        period: of attempts, ticks; whole for a lattice, anything above 0 if times are spread over neighbouring ticks.
        ready: from the start of an attempt until the pair can be used, ticks.
        fresh: correlators when it can be used.
        loose: starts need not be on a grid; who uses it has put the wait for the grid into the lags.

    Raises:
        QuantityError: a number outside its domain.
    """

    success: float
    period: float
    ready: float
    fresh: Numbers
    loose: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.success <= 1.0:
            raise QuantityError(found=repr(self.success), expected="a probability in (0, 1]", where="success")
        if not (self.period > 0.0 and self.ready > 0.0):
            raise QuantityError(
                found=f"{self.period}, {self.ready}", expected="ticks above 0", where="period, ready"
            )

    @property
    def leaves(self) -> tuple[Link, ...]:
        """Itself."""
        return (self,)

    @property
    def lattice(self) -> int:
        """Its grid, in ticks; 1 where its times are spread."""
        return int(self.period) if self.whole and not self.loose else 1

    @property
    def whole(self) -> bool:
        """Whether its times are ticks."""
        return float(self.period).is_integer() and float(self.ready).is_integer()


@dataclass(frozen=True, slots=True)
class Swap:
    """Two parts joined.

    Attributes:
        left, right: the parts.
        success: of the swap.
        factors: what it, and the time until the pair can be used, leave of the product of the correlators.
        wait_left: decay per tick of the pair on the left while it waits for the other.
        wait_right: of the one on the right.
        takes: from when both are there until the joined pair can be used, ticks.
        fails: from when both are there until the failed swap is over, ticks.
        lags: for each link below, from there on until it may start.
        windows: longest wait of the pair on the left, right (a partner at that very tick is in time); None for no cutoff.
        dropped: for each link below, from the end of the left (right) one's wait until it may start; None for a link that has
            not succeeded and just goes on.
    """

    left: Node
    right: Node
    success: float
    factors: Numbers
    wait_left: Numbers
    wait_right: Numbers
    takes: float = 0
    fails: float = 0
    lags: tuple[int, ...] = ()
    windows: tuple[int, int] | None = None
    dropped: tuple[Lags, Lags] = ((), ())
    leaves: tuple[Link, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        leaves = (*self.left.leaves, *self.right.leaves)
        object.__setattr__(self, "leaves", leaves)
        none = (0,) * len(leaves)
        if not self.lags:
            object.__setattr__(self, "lags", none)
        if not self.dropped[0]:
            object.__setattr__(self, "dropped", (none, none))

    @property
    def lattice(self) -> int:
        """Common period of the grids below."""
        return math.lcm(*(link.lattice for link in self.leaves))


@dataclass(frozen=True, slots=True)
class Round:
    """The operation of a round of recurrence purification, as `correlators.purified` makes it.

    With x, y, z the turned correlators of the kept copy and x', y', z' of the other one: success has probability
    ``s + d g z z'``, and correlators times that are ``g (s x x' + d y y')``, ``g (s y x' + d x y')``, ``g (s z + d z')``.

    Attributes:
        accept: (s, d): half the sum and half the difference of the probabilities of accepting a right and a wrong parity.
        gate: g, probability that no gate depolarised.
        turns: which correlators become (x, y, z), of the kept and of the other copy.
        turned: what the gates of these turns leave of each copy.
        twirl: None, or what the gates of a final twirl leave.
    """

    accept: tuple[float, float]
    gate: float
    turns: tuple[tuple[int, int, int], tuple[int, int, int]]
    turned: tuple[float, float]
    twirl: float | None


@dataclass(frozen=True, slots=True)
class Purify:
    """Two independent copies of a part; the one that came later is kept, the other measured.

    Attributes:
        part: of which two copies are made side by side.
        round: what is done with them.
        wait: decay per tick of the copy that waits.
        before: factors of both copies from when both are there until the operation.
        after: factors of the kept copy from the operation until the pair can be used.
        takes: from when both are there until the kept one can be used, ticks.
        fails: from when both are there until a failure is known where it is decided, ticks.
        lags: for each link below, copy by copy: first those of the kept one.
    """

    part: Node
    round: Round
    wait: Numbers
    before: Numbers = (1.0, 1.0, 1.0)
    after: Numbers = (1.0, 1.0, 1.0)
    takes: float = 0
    fails: float = 0
    lags: tuple[int, ...] = ()
    leaves: tuple[Link, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        leaves = (*self.part.leaves, *self.part.leaves)
        object.__setattr__(self, "leaves", leaves)
        if not self.lags:
            object.__setattr__(self, "lags", (0,) * len(leaves))

    @property
    def lattice(self) -> int:
        """Common period of the grids below."""
        return self.part.lattice


Node: TypeAlias = Link | Swap | Purify
"""One node of the tree."""
