"""Laws on a grid of ticks: probabilities and unnormalised correlators by delivery time, with a geometric tail.

Channel 0 is ``P(T = t)``; channel k is ``E[c_k; T = t]``, a correlator of the pair times the indicator of its time. In this
form swaps, storage and purification are linear in each of their inputs, so means are exact and nothing is a function of a mean.

Beyond the last tick a law repeats its last block, each time smaller by a factor of its own for each channel. That is exact for
geometric links, and for everything else what is left of a sum of exponentials when all but the slowest have died out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""Real, or complex where a channel is a characteristic function."""

BLOCKS = 8
"""The tail repeats this part of the length of a law."""

SHRINK = 4.0
"""Decades by which a circle is shrunk on its way round: against what wraps around, at the cost of as many digits squared."""

CLEAR = 1e-9
"""What is later than all but this share is left to the tail, since a transform leaves it too few digits."""

FAINT = 1e-12
"""Less probability than this beyond the stored ticks cannot be told from rounding."""

SILENT = 1e-11
"""Residues of a lattice with less probability than this are rounding noise of a transform."""


@dataclass(frozen=True, eq=False)
class Series:
    """A law on ticks 0, 1, ...

    Attributes:
        values: shape (channels, ticks).
        block: length of the block that is repeated, ticks.
        ratio: of a block to the one before it, shape (channels,).
        error: probability that is unaccounted for: what values and tail do not sum to one by.

    Examples:
        >>> import numpy as np
        >>> half = Series(np.array([[0.0, 0.5]]), 1, np.array([0.5]), 0.0)  # 1, 2, ... with halving chances
        >>> half.upto(5)[0].tolist(), half.mean()
        ([0.0, 0.5, 0.25, 0.125, 0.0625], 2.0)
    """

    values: Array
    block: int
    ratio: Array
    error: float

    @property
    def ticks(self) -> int:
        """Ticks that are stored."""
        return int(self.values.shape[1])

    def upto(self, ticks: int) -> Array:
        """Values on so many ticks, shape (channels, ticks)."""
        more = ticks - self.ticks
        if more <= 0:
            return self.values[:, :ticks]
        times = -(-more // self.block)
        powers = self.ratio[:, None] ** np.arange(1, times + 1)
        tail = powers[:, :, None] * self.values[:, None, -self.block :]
        return np.concatenate([self.values, tail.reshape(len(self.values), -1)[:, :more]], axis=1)

    def sums(self, channel: int = 0) -> tuple[Any, Any, Any]:
        """``Σ v``, ``Σ t v``, ``Σ t² v`` over all ticks, those of the tail included."""
        v, k, w = self.values[channel], self.ratio[channel], self.block
        t = np.arange(self.ticks, dtype=np.float64)
        # sums and no dot products: those start threads for long vectors, which costs more than it saves
        found = [v.sum(), (t * v).sum(), (t**2 * v).sum()]
        last, at = v[-w:], t[-w:]
        zero, one, two = last.sum(), (at * last).sum(), (at**2 * last).sum()
        g0, g1, g2 = k / (1 - k), k / (1 - k) ** 2, k * (1 + k) / (1 - k) ** 3
        return (
            found[0] + zero * g0,
            found[1] + one * g0 + w * zero * g1,
            found[2] + two * g0 + 2 * w * one * g1 + w * w * zero * g2,
        )

    def total(self, channel: int = 0) -> complex:
        """``Σ v`` over all ticks, those of the tail included."""
        k = self.ratio[channel]
        return complex(self.values[channel].sum() + self.values[channel, -self.block :].sum() * k / (1 - k))

    def mean(self) -> float:
        """Mean time, ticks."""
        return self._mean

    @cached_property
    def _mean(self) -> float:
        p, k, w = self.values[0].real, float(self.ratio[0].real), self.block
        t = np.arange(self.ticks, dtype=np.float64)
        zero, one = p[-w:].sum(), (t[-w:] * p[-w:]).sum()
        tail = one * k / (1 - k) + w * zero * k / (1 - k) ** 2
        return float(((t * p).sum() + tail) / self.total().real)

    def left(self) -> float:
        """Probability beyond the stored ticks."""
        k = self.ratio[0]
        return float((self.values[0, -self.block :].sum() * k / (1 - k)).real)

    def survival(self, ticks: int) -> Array:
        """``P(T > t)`` for t below ``ticks``; summed from the far end, so small values keep their digits."""
        p = self.upto(ticks)[0].real
        after = self.beyond(ticks - 1)
        return np.concatenate([np.cumsum(p[:0:-1])[::-1], [0.0]]) + after

    def beyond(self, tick: int) -> float:
        """``P(T > tick)``."""
        k, w = float(self.ratio[0].real), self.block
        over = tick - (self.ticks - 1)
        if over < 0:
            return float(self.values[0, tick + 1 :].sum().real) + self.left()
        whole, part = divmod(over, w)
        last = self.values[0, -w:].real
        return float(k ** (whole + 1) * (last[part:].sum() + last.sum() * k / (1 - k)))

    def shifted(self, ticks: int, factors: Array | None = None) -> Series:
        """The same law so many ticks later (earlier, where nothing is lost), each channel times a factor."""
        values = self.values if factors is None else self.values * factors[:, None]
        if ticks > 0:
            values = np.concatenate([np.zeros((len(values), ticks), values.dtype), values], axis=1)
        elif ticks < 0:
            values = values[:, -ticks:]
        return Series(values, self.block, self.ratio, self.error)


def fitted(values: Array, lattice: int = 1) -> Series:
    """A law whose tail is fitted: the ratio of its last two blocks.

    Args:
        values: shape (channels, ticks), ticks at least twice the lattice.
        lattice: blocks are multiples of this.

    Limits:
        The ratio is off by what faster exponentials still contribute to the last two eighths; `error` says what that and
        rounding do to the total probability.
    """
    ticks = values.shape[1]
    block = lattice * max(1, ticks // (BLOCKS * lattice))
    last, before = values[:, -block:].sum(axis=1), values[:, -2 * block : -block].sum(axis=1)
    big = np.abs(before) > 1e-290
    ratio = np.divide(last, before, out=np.zeros_like(last), where=big)
    if np.iscomplexobj(ratio):  # oscillating channels are not extrapolated
        ratio[1:] = 0.0
    ratio = np.where((ratio.real > 0.0) & (np.abs(ratio) < 1.0), ratio, 0.0)
    k, end = float(ratio[0].real), float(last[0].real)
    lost = 1.0 - float(values[0].sum().real)
    error = abs(lost - end * k / (1 - k))
    if lost > FAINT and end > 0.0:  # the total is known better than the ratio of two blocks
        ratio[0] = lost / (lost + end)
    return Series(values, block, ratio, error)


def faded(values: Array, rate: complex, window: int | None = None) -> Array:
    """``Σ_d v[t-d] e^(-rate d)`` over d = 1, 2, ... or up to a window: what came before and has waited since.

    Args:
        values: shape (ticks,).
        rate: loss per tick, real part 0 or more.
        window: longest wait, ticks; None for any.

    Examples:
        >>> import numpy as np
        >>> faded(np.array([1.0, 0.0, 0.0, 0.0]), 0.0, 2).tolist()
        [0.0, 1.0, 1.0, 0.0]
    """
    ticks = len(values)
    kept = _running(values, rate)
    past = np.zeros(ticks, np.result_type(kept, type(rate)))
    past[1:] = kept[:-1] * np.exp(-rate)
    if window is None or window >= ticks:
        return past
    if window <= 0:
        return np.zeros_like(past)
    result = past.copy()
    result[window:] -= past[: ticks - window] * np.exp(-rate * window)
    return result


def _running(values: Array, rate: complex) -> Array:
    """``Σ_{s <= t} v[s] e^(-rate (t-s))`` by cumulated sums over stretches in which the exponential does not overflow."""
    if rate == 0.0:
        return np.cumsum(values)
    ticks = len(values)
    loss = complex(rate).real
    length = ticks if loss * ticks < 600.0 else max(1, int(600.0 / loss))
    rows = -(-ticks // length)
    padded = np.zeros(rows * length, np.result_type(values, type(rate)))
    padded[:ticks] = values
    if length == 1:
        growth = np.ones(1)
    else:
        growth = np.exp(rate * np.arange(length))
    inside = np.cumsum(padded.reshape(rows, length) * growth, axis=1) / growth
    if rows > 1:
        fade = np.exp(-rate * np.arange(1, length + 1))
        carry = np.zeros(rows, inside.dtype)
        for row in range(1, rows):
            carry[row] = inside[row - 1, -1] + carry[row - 1] * fade[-1]
        inside = inside + carry[:, None] * fade
    found: Array = inside.reshape(-1)[:ticks]
    return found


def compounded(wins: list[Array], losses: list[list[Array | None]]) -> list[Array]:
    """Laws of trying until it works: ``G_i = A_i + Σ_j B_ij * G_j`` (convolutions).

    Equation: one division of generating functions (Brand, Coopmans, Elkouss, IEEE JSAC 38, 619 (2020), for one kind of
    restart; a linear system where a failure may lead to several).

    Limits:
        The circle of the transform is twice as long as the law, and shrunk: 1e-4 of what is later than that wraps around. A
        law that is long enough to be kept has about 1e-7 there.

    Args:
        wins: A_i, shape (channels, ticks), success and its time.
        losses: B_ij, shape (ticks,), time of a failure after which things stand as in j; None for never.
    """
    count, ticks = len(wins), wins[0].shape[1]
    size = smooth(2 * ticks)
    shrink = 10.0 ** (-SHRINK / size * np.arange(ticks))
    whole = any(np.iscomplexobj(each) for each in wins)

    def spectrum(values: Array) -> Array:
        found: Array = np.fft.fft(values * shrink, size) if whole else np.fft.rfft(values * shrink, size)
        return found

    channels = len(wins[0])
    alike = [  # of channels that are equal in all laws only the first is worked on
        next(j for j in range(k + 1) if all(j == k or np.array_equal(each[j], each[k]) for each in wins))
        for k in range(channels)
    ]
    first = sorted(set(alike))
    right = [spectrum(each if len(first) == channels else each[first]) for each in wins]
    rows: list[list[Array | None]] = [
        [None if each is None else -spectrum(each) for each in row] for row in losses
    ]
    for i in range(count):
        here = rows[i][i]
        rows[i][i] = np.ones(1) if here is None else 1.0 + here
    for i in range(
        count
    ):  # elimination; the diagonal dominates, since chances of failing sum to less than one
        pivot = rows[i][i]
        for k in range(i + 1, count):
            below = rows[k][i]
            if below is None:
                continue
            factor = below / pivot
            for j in range(i + 1, count):
                above = rows[i][j]
                if above is not None:
                    old = rows[k][j]
                    rows[k][j] = -factor * above if old is None else old - factor * above
            right[k] = right[k] - factor * right[i]
    for i in reversed(range(count)):
        for j in range(i + 1, count):
            above = rows[i][j]
            if above is not None:
                right[i] = right[i] - above * right[j]
        right[i] = right[i] / rows[i][i]
    back = np.fft.ifft if whole else np.fft.irfft
    found = [back(each, size)[:, :ticks] / shrink for each in right]
    return found if len(first) == channels else [each[[first.index(j) for j in alike]] for each in found]


def convolved(one: Array, two: Array) -> Array:
    """First ticks of a convolution.

    Args:
        one: shape (ticks,).
        two: shape (channels, ticks).

    Examples:
        >>> import numpy as np
        >>> convolved(np.array([0.0, 1.0, 0.0]), np.array([[1.0, 2.0, 3.0]])).round(12).tolist()
        [[0.0, 1.0, 2.0]]
    """
    ticks = len(one)
    size = smooth(2 * ticks)
    if np.iscomplexobj(two):
        both: Array = np.fft.ifft(np.fft.fft(one, size) * np.fft.fft(two, size), size)
    else:
        both = np.fft.irfft(np.fft.rfft(one, size) * np.fft.rfft(two, size), size)
    return both[:, :ticks]


def cleaned(values: Array, lattice: int) -> Array:
    """Without the rounding noise of a transform: no negative chances, nothing where the lattice has no points, no far end."""
    later = np.cumsum(values[0, ::-1].real)[::-1]
    keep = int(np.argmax(later < CLEAR)) if later[-1] < CLEAR else values.shape[1]
    values = values[:, : max(keep, min(values.shape[1], 4 * BLOCKS * lattice))].copy()
    chance = values[0].real
    np.maximum(chance, 0.0, out=chance)
    if lattice > 1:
        ticks = values.shape[1]
        sums = np.bincount(np.arange(ticks) % lattice, weights=chance, minlength=lattice)
        for residue in np.flatnonzero(sums < SILENT):
            values[:, residue::lattice] = 0.0
    if not np.iscomplexobj(values):
        values[0] = chance
    return values


def smooth(least: int) -> int:
    """The first number from ``least`` on with no prime factor above 5: fast to transform.

    Examples:
        >>> smooth(7), smooth(1000), smooth(1001)
        (8, 1000, 1024)
    """
    best = 1 << (least - 1).bit_length() if least > 1 else 1
    fives = 1
    while fives < best:
        threes = fives
        while threes < best:
            rest = -(-least // threes)
            found = threes << max(0, (rest - 1).bit_length())
            best = min(best, found)
            threes *= 3
        fives *= 5
    return best
