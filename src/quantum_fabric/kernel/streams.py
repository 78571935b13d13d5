"""Named random streams: one for each physical thing, all from one seed.

A draw is a pure function of (seed, name of the stream, number of the draw), so it depends on what it is for and not on when
it is made, in which process, or what other things exist. A new link in a network leaves every other link's draws as they were.

The generator is counter-based: the draw's number, spread by an odd constant and keyed by 128 bits, goes twice through
the 64-bit finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014; constants of Stafford's variant 13). It needs only 64-bit
integer arithmetic, so a compiled engine gives the same bits. The logarithm is computed from + − × ÷ alone, because ``libm``
differs between machines in the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from math import frexp

_MASK = (1 << 64) - 1
_WEYL = 0x9E3779B97F4A7C15
_LN2_HIGH = 0.6931471803691238
_LN2_LOW = 1.9082149292705877e-10
_SQRT_HALF = 0.7071067811865476


def portable_log(x: float) -> float:
    """Natural logarithm of a positive normal number, the same bits on every IEEE 754 machine.

    ``x = m·2^e`` with m in [√½, √2), then ``ln m = 2 artanh((m−1)/(m+1))`` by its series to the 21st power.

    Args:
        x: above 0 and finite.

    Returns:
        ln x, within 4 units in the last place of the true value (or 1e-16 absolute near x = 1).

    Examples:
        >>> import math
        >>> abs(portable_log(10.0) - math.log(10.0)) < 1e-15
        True
    """
    m, e = frexp(x)
    if m < _SQRT_HALF:
        m *= 2.0
        e -= 1
    s = (m - 1.0) / (m + 1.0)
    s2 = s * s
    series = 1.0 / 23.0 * s2 + 1.0 / 21.0
    series = ((series * s2 + 1.0 / 19.0) * s2 + 1.0 / 17.0) * s2 + 1.0 / 15.0
    series = ((series * s2 + 1.0 / 13.0) * s2 + 1.0 / 11.0) * s2 + 1.0 / 9.0
    series = ((series * s2 + 1.0 / 7.0) * s2 + 1.0 / 5.0) * s2 + 1.0 / 3.0
    return e * _LN2_HIGH + (2.0 * s + (2.0 * s * s2 * series + e * _LN2_LOW))


class Stream:
    """The random draws of one thing.

    Examples:
        >>> stream = Streams(7).stream("link A~B lane 0")
        >>> 0.0 < stream.uniform() < 1.0
        True
        >>> Streams(7).stream("link A~B lane 0").uniform() == Streams(7).stream("link A~B lane 0").uniform()
        True
    """

    __slots__ = ("_key", "_spread", "draws")

    def __init__(self, key: int, spread: int) -> None:
        self._key = key
        self._spread = spread
        self.draws = 0

    def bits(self) -> int:
        """The next 64 random bits."""
        n = self.draws
        self.draws = n + 1
        z = (self._key + n * _WEYL) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        z ^= (z >> 31) ^ self._spread
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def uniform(self) -> float:
        """A number in the open interval (0, 1): one of the 2^52 midpoints (k + ½)/2^52, which are all doubles."""
        return ((self.bits() >> 12) + 0.5) * 2.220446049250313e-16

    def geometric(self, p: float) -> int:
        """Number of the first success in independent trials of probability ``p`` (1, 2, 3, ...).

        By inversion: ``G = 1 + floor(ln U / ln(1−p))``. Values beyond 37/p are not reached (U has 52 bits).

        Args:
            p: success probability in (0, 1].
        """
        if p >= 1.0:
            return 1
        u = self.uniform()
        return 1 + int(portable_log(u) / log_of_failure(p))

    def choose(self, cumulative: Sequence[float]) -> int:
        """Index of the first entry of ``cumulative`` that exceeds a uniform draw; the last where none does.

        Args:
            cumulative: non-decreasing, the last entry being the total (normally 1).
        """
        u = self.uniform() * cumulative[-1]
        for index, edge in enumerate(cumulative):
            if u < edge:
                return index
        return len(cumulative) - 1

    def flip(self, p: float) -> bool:
        """True with probability ``p``. Draws nothing when ``p`` is 0 or 1."""
        if p <= 0.0:
            return False
        if p >= 1.0:
            return True
        return self.uniform() < p


@lru_cache(maxsize=1024)
def log_of_failure(p: float) -> float:
    """ln(1−p) from + − × ÷, without cancellation for small p: −2 artanh(p/(2−p)).

    Examples:
        >>> log_of_failure(0.5)
        -0.6931471805599453
    """
    if p > 0.25:
        return portable_log(1.0 - p)
    s = p / (2.0 - p)
    s2 = s * s
    series = 0.0
    for k in (19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0):
        series = series * s2 + 1.0 / k
    return -2.0 * s * series


class Streams:
    """All streams of one run.

    Args:
        seed: any integer; the same seed gives the same run.
        replica: number of the repetition; each has its own draws.
    """

    __slots__ = ("_open", "replica", "seed")

    def __init__(self, seed: int, replica: int = 0) -> None:
        self.seed = seed
        self.replica = replica
        self._open: dict[str, Stream] = {}

    def stream(self, name: str) -> Stream:
        """The stream of that name; asking again gives the same object, not a fresh start."""
        found = self._open.get(name)
        if found is None:
            digest = blake2b(f"{self.seed}/{self.replica}/{name}".encode(), digest_size=16).digest()
            key, spread = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
            found = self._open[name] = Stream(key, spread)
        return found
