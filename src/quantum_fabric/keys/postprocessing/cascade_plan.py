"""What both ends of Cascade must agree on before they start: permutations, block sizes, groups, final subsets.

Everything follows from a few numbers and one announced seed. The seed is drawn after the photons were measured, so that nobody can
put errors where the permutations would hide them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import QuantityError

_WEYL, _FIRST, _SECOND = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)


def mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One step of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): public randomness, the same in the compiled kernel.

    Examples:
        >>> hex(int(mix(np.array([0], dtype=np.uint64))[0]))
        '0xe220a8397b1dcdaf'
    """
    x = numbers + _WEYL
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    return np.asarray(x ^ (x >> np.uint64(31)), dtype=np.uint64)


def stream(seed: int, number: int, size: int) -> NDArray[np.uint64]:
    """``size`` words of the announced stream ``number`` of a seed.

    Examples:
        >>> stream(7, 0, 3).shape, bool((stream(7, 0, 3) == stream(7, 1, 3)).any())
        ((3,), False)
    """
    key = mix(np.array([(seed + number) % 2**64], dtype=np.uint64))[0]
    return mix(np.arange(size, dtype=np.uint64) + key)


@dataclass(frozen=True, slots=True)
class CascadePlan:
    """The agreement about frames of one length.

    Attributes:
        length: bits of a frame, 64 or more.
        blocks: number of blocks in each pass; every block has 2 bits or more.
        waves: in how many groups the odd blocks of each pass are searched. Two errors that hid in one block of an earlier pass are
            both looked for at full price when their new blocks are searched at once; groups make that rarer and rounds more.
        checks: random subsets that must all be even in the end, 1 to 63.
        batches: a frame is given up after so many sets of subsets.
        seed: announced, 64 bits.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> CascadePlan(1000, (20, 4), (1, 2), 11, 40, seed=5).failure
        0.00048828125
    """

    length: int
    blocks: tuple[int, ...]
    waves: tuple[int, ...]
    checks: int
    batches: int
    seed: int

    def __post_init__(self) -> None:
        if self.length < 64:
            raise QuantityError(found=str(self.length), expected="64 bits or more", where="length")
        if not self.blocks or any(not 1 <= b <= self.length // 2 for b in self.blocks):
            raise QuantityError(
                found=f"{self.blocks}", expected="1 to half the length for each pass", where="blocks"
            )
        if len(self.waves) != len(self.blocks) or any(w < 1 for w in self.waves):
            raise QuantityError(found=f"{self.waves}", expected="1 or more for each pass", where="waves")
        if not 1 <= self.checks <= 63 or self.batches < 1 or not 0 <= self.seed < 2**64:
            raise QuantityError(
                found=f"{self.checks}, {self.batches}, {self.seed}",
                expected="1 to 63 checks, a batch or more, a seed of 64 bits",
                where="plan",
            )

    @property
    def failure(self) -> float:
        """Chance that errors which are left pass one set of subsets: each subset misses them with 1/2, whatever they are."""
        return math.ldexp(1.0, -self.checks)

    def edges(self, number: int) -> NDArray[np.int64]:
        """Where the blocks of a pass begin, and the end: shape ``(blocks + 1,)``; sizes differ by 1 at most.

        Examples:
            >>> CascadePlan(70, (4, 1), (1, 1), 11, 40, seed=5).edges(0).tolist()
            [0, 17, 35, 52, 70]
        """
        count = self.blocks[number]
        return np.arange(count + 1, dtype=np.int64) * self.length // count

    def tables(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """(pass, place -> bit) and (pass, bit -> place), each of shape ``(passes, length)``.

        Examples:
            >>> order, place = CascadePlan(70, (4, 1), (1, 1), 11, 40, seed=5).tables()
            >>> bool((place[1][order[1]] == np.arange(70)).all())
            True
        """
        return _tables(self.length, len(self.blocks), self.seed)

    def subsets(self, batch: int) -> NDArray[np.uint8]:
        """The random subsets of a batch: zeros and ones, shape ``(checks, length)``.

        Examples:
            >>> CascadePlan(70, (4, 1), (1, 1), 3, 40, seed=5).subsets(0).shape
            (3, 70)
        """
        words = (self.length + 63) // 64
        rows = [stream(self.seed, batch * self.checks + t, words) for t in range(self.checks)]
        packed = np.stack(rows).astype("<u8").view(np.uint8)
        return np.unpackbits(packed, axis=1, count=self.length, bitorder="little")


@lru_cache(maxsize=4)
def _tables(length: int, passes: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    order = np.empty((passes, length), dtype=np.uint32)
    place = np.empty_like(order)
    for p in range(passes):
        keys = stream(seed ^ 0x5DEECE66D, (p + 1) << 32, length)
        order[p] = np.argsort(keys, kind="stable")
        place[p, order[p]] = np.arange(length, dtype=np.uint32)
    order.setflags(write=False)
    place.setflags(write=False)
    return order, place


LEAN, QUICK = 4, 1
"""Groups of odd blocks: fewer parities, or fewer rounds."""


def plan_for(length: int, error_rate: float, seed: int, waves: int = LEAN, checks: int = 11) -> CascadePlan:
    """Block sizes for frames of a length at an error rate that is about right: a wrong guess costs parities, never correctness.

    Three passes with blocks of about 0.8/Q, eight times as much and 4096 bits, then random subsets (the rule of Brassard and Salvail,
    EUROCRYPT 1993, for the end). Blocks are powers of two, or just below where the frame is none: a search by halves asks for
    ``log2`` of their size in parities, and for one more from there on. The factors were found by simulation of frames of 131,072 bits
    at 1 to 5 %.

    Args:
        length: bits of a frame, 64 or more.
        error_rate: Q as guessed, in [0, 0.5); taken as 1e-4 at least.
        seed: announced, 64 bits.
        waves: groups in which the odd blocks of the second and third pass are searched.
        checks: random subsets in the end.

    Raises:
        QuantityError: an argument outside its domain.

    Examples:
        >>> plan_for(131072, 0.02, seed=1).blocks
        (4096, 512, 32)
    """
    if not 0.0 <= error_rate < 0.5:
        raise QuantityError(found=f"{error_rate:g}", expected="a rate in [0, 0.5)", where="error_rate")
    first = 2 ** max(round(math.log2(0.8 / max(error_rate, 1e-4))), 1)
    sizes = (first, 8 * first, max(4096, 16 * first))
    blocks = tuple(min(-(-length // size), length // 2) for size in sizes)
    return CascadePlan(length, blocks, (1, waves, waves), checks, 40, seed)
