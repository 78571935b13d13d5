"""The law of a tree of links, swaps and purification, from the leaves up.

For each node, from the laws of its parts: when both pairs are there and what is left of them (the earlier one has waited), the
chance that the operation works, and when each kind of failure happens. One linear system of generating functions then gives
the law of trying until it works.

References: Brand, Coopmans, Elkouss, IEEE JSAC 38, 619 (2020) for swaps and distillation; Li, Coopmans, Elkouss, IEEE Trans.
Quantum Eng. 2, 4103015 (2021) for cutoffs. New here: grids with period and phase, restarts after news has travelled (which
may put links out of step: then there are several laws, one for each way to start), Bell-diagonal states.
"""

from __future__ import annotations

import math

import numpy as np

from quantum_fabric.errors import InputError
from quantum_fabric.network.exact.nodes import Lags, Link, Node, Numbers, Purify, Round, Swap
from quantum_fabric.network.exact.series import Array, Series, cleaned, compounded, convolved, faded, fitted

Starts = tuple[int, ...]
"""First allowed start of each link, ticks from the reference time."""

Cause = tuple[Array, Lags]
"""Chances of failing at each tick, and the lags of the links after that."""

REACH = 10.0
"""A law is stored for this many of its mean times at first."""

MOST_TICKS = 1 << 20
"""Longer laws are refused."""

MOST_STARTS = 12
"""Ways to start anew that are told apart; with more the work is refused."""

LEFT = 3e-4
"""Most probability that may lie in the fitted tail."""

WRONG = 1e-12
"""Probability unaccounted for with which a law is long enough."""

WORST = 1e-8
"""Most probability that may be unaccounted for where a longer law does not help."""


class UnsuitableError(InputError):
    """The tree cannot be solved within bounds on time and memory."""


class Solver:
    """Laws of trees, remembered: equal parts are solved once.

    Args:
        most: ticks; longer laws are refused.
        reach: mean times that are stored at first.

    Examples:
        >>> link = Link(0.1, 1, 1, (1.0, 1.0, 1.0))
        >>> still = (0.0, 0.0, 0.0)
        >>> two = Swap(link, link, 0.5, (1.0, 1.0, 1.0), still, still)
        >>> round(Solver().law(two).mean(), 9), round(560 / 19, 9)
        (29.473684211, 29.473684211)
    """

    def __init__(self, most: int = MOST_TICKS, reach: float = REACH) -> None:
        self.most = most
        self.reach = reach
        self._known: dict[tuple[Node, Starts], Series] = {}

    def law(self, node: Node, starts: Starts | None = None) -> Series:
        """Law of one pair, from when its links may start.

        Args:
            node: the tree.
            starts: of each link, from 0 if not given.

        Raises:
            UnsuitableError: the law is too long or has too many ways to start.
        """
        starts = starts or (0,) * len(node.leaves)
        if isinstance(node, Link):
            return _link_law(node, starts[0], self.reach)
        shift = max(0, min(starts))
        base = tuple(start - shift for start in starts)
        if (node, base) not in self._known:
            self._solve(node, base)
        found = self._known[node, base]
        return found.shifted(shift) if shift else found

    def _solve(self, node: Swap | Purify, starts: Starts) -> None:
        ticks = self._guess(node, starts)
        parts = (node.part, node.part) if isinstance(node, Purify) else (node.left, node.right)
        inherited = 4.0 * sum(self.law(part).error for part in parts)
        before = math.inf
        while True:
            if ticks > self.most:
                raise UnsuitableError(
                    found=f"a law of {ticks} ticks or more",
                    expected=f"up to {self.most}",
                    where="exact forecast",
                )
            laws = self._try(node, starts, ticks)
            error = max(law.error for law in laws.values())
            short = all(law.left() < LEFT for law in laws.values())
            if short and (error < WRONG + inherited or (error < WORST and error > 0.5 * before)):
                break
            # laws end exponentially: aim at what is missing
            left = max(law.left() for law in laws.values())
            more = 2.0 if short or left > 0.5 else min(2.0, 1.05 * math.log(LEFT) / math.log(left))
            before, ticks = error, math.ceil(more * ticks)
        self._known |= {(node, each): law for each, law in laws.items()}

    def _guess(self, node: Swap | Purify, starts: Starts) -> int:
        """Ticks to begin with: memoryless parts, never too few by much."""
        count = len(node.leaves) // 2 if isinstance(node, Purify) else len(node.left.leaves)
        if isinstance(node, Purify):
            part = self.law(node.part)
            one = two = part.mean()
            z = [node.round.turned[i] * abs(part.total(1 + node.round.turns[i][2])) for i in (0, 1)]
            chance = node.round.accept[0] + 0.9 * node.round.accept[1] * node.round.gate * z[0] * z[1]
        else:
            one, two = self.law(node.left).mean(), self.law(node.right).mean()
            chance = node.success
            if node.windows is not None:
                first = one / (one + two)
                inside = (1.0 - first) * -math.expm1(-(node.windows[0] + node.lattice) / two)
                inside += first * -math.expm1(-(node.windows[1] + node.lattice) / one)
                chance *= inside
        later = one + two - one * two / (one + two)
        waste = min(max(node_windows(node) or (0, 0)), 4.0 * later)
        extra = max(starts) + count + node.takes + node.fails + waste
        return max(64, 16 * node.lattice, math.ceil(self.reach * later / chance + 4 * extra))

    def _try(self, node: Swap | Purify, starts: Starts, ticks: int) -> dict[Starts, Series]:
        """Laws of a node for all ways to start that lead from one to another, on so many ticks."""
        ways: list[Starts] = [starts]
        wins: list[Array] = []
        after: list[dict[Starts, Array]] = []
        for way in ways:
            win, causes = self._round(node, way, ticks)
            found = restarts(node, way, causes)
            for each in [each for each in found if each != starts and (node, each) in self._known]:
                win = win + convolved(found.pop(each), self._known[node, each].upto(ticks))
            wins.append(win)
            after.append(found)
            ways += [each for each in found if each not in ways]
            if len(ways) > MOST_STARTS:
                raise UnsuitableError(
                    found=f"more than {MOST_STARTS} ways to start anew",
                    expected="links that stay in step",
                    where="exact forecast",
                )
        if any(after):
            wins = compounded(wins, [[found.get(way) for way in ways] for found in after])
        laws = [fitted(cleaned(win, node.lattice) if fails(node) else win, node.lattice) for win in wins]
        return dict(zip(ways, laws, strict=True))

    def _round(self, node: Swap | Purify, way: Starts, ticks: int) -> tuple[Array, list[Cause]]:
        """One try: chances and states of success by its time, and the causes of failure."""
        if isinstance(node, Purify):
            half = len(way) // 2
            if way[:half] != way[half:]:
                return self._purify(
                    node, self.law(node.part, way[:half]), self.law(node.part, way[half:]), ticks
                )
            one = self.law(node.part, way[:half])
            return self._purify(node, one, one, ticks)
        half = len(node.left.leaves)
        return _swap(node, self.law(node.left, way[:half]), self.law(node.right, way[half:]), ticks)

    def _purify(self, node: Purify, one: Series, two: Series, ticks: int) -> tuple[Array, list[Cause]]:
        u, v = one.upto(ticks), two.upto(ticks)
        same = one is two
        before = np.array([1.0, *node.before])[:, None]
        past_u = np.stack([faded(each, rate) for each, rate in zip(u, (0.0, *node.wait), strict=True)])
        past_v = (
            past_u
            if same
            else np.stack([faded(each, rate) for each, rate in zip(v, (0.0, *node.wait), strict=True)])
        )
        u, v, past_u, past_v = u * before, v * before, past_u * before, past_v * before
        win = _recurrence(node.round, u, past_v) * (2.0 if same else 1.0)
        if not same:
            win += _recurrence(node.round, v, past_u)
        # two at the same tick: either is kept
        win += (
            _recurrence(node.round, u, v)
            if same
            else 0.5 * (_recurrence(node.round, u, v) + _recurrence(node.round, v, u))
        )
        both = u[0] * past_v[0] + past_u[0] * v[0] + u[0] * v[0]
        lost = np.maximum(both - win[0], 0.0)
        win[1:] *= np.array(node.after)[:, None]
        return _later(win, node.takes), [(_later(lost, node.fails), node.lags)]


def fails(node: Swap | Purify) -> bool:
    """Whether a node may have to try again."""
    return isinstance(node, Purify) or node.success < 1.0 or node.windows is not None


def node_windows(node: Node) -> tuple[int, int] | None:
    """The cutoff of a node, None where it has none."""
    return node.windows if isinstance(node, Swap) else None


def _link_law(link: Link, start: int, reach: float) -> Series:
    miss = 1.0 - link.success
    state = np.array([1.0, *link.fresh])
    first = start + link.ready
    if first < 0:
        raise UnsuitableError(
            found="a link that is ready before its time", expected="one that is not", where="exact forecast"
        )
    if link.whole:
        values = np.zeros((len(state), int(first + link.period)), state.dtype)
        values[:, int(first)] = link.success * state
        return Series(values, int(link.period), np.full(len(state), miss), 0.0)
    ticks = 64 + math.ceil(first + reach * link.period / link.success)
    edges = np.arange(-1, ticks + 1, dtype=np.float64)
    gone = np.maximum(np.floor((edges - first) / link.period + 1e-12) + 1.0, 0.0)
    power = miss**gone
    # mean of (t - T)+ by tick; its second difference spreads each time over the two ticks around it and keeps the mean
    short = (edges - first) * (1.0 - power) - link.period * (
        miss * (1.0 - power) / link.success - gone * power
    )
    chance = np.maximum(np.diff(np.maximum(short, 0.0), 2), 0.0)
    return fitted(chance * state[:, None])


def _swap(node: Swap, one: Series, two: Series, ticks: int) -> tuple[Array, list[Cause]]:
    u, v = one.upto(ticks), two.upto(ticks)
    left, right = node.windows or (None, None)
    same = one is two and node.wait_left == node.wait_right and left == right
    factors = (1.0, *node.factors)
    rates_left, rates_right = (0.0, *node.wait_left), (0.0, *node.wait_right)
    win = np.empty((len(u), ticks), np.result_type(u, v, np.array(factors), np.array(rates_left)))
    for k, factor in enumerate(factors):
        twin = _twin(k, u, v, factors, rates_left, rates_right)
        if twin is not None:
            win[k] = win[twin]
            continue
        past_u = faded(u[k], rates_left[k], left)
        past_v = past_u if same else faded(v[k], rates_right[k], right)
        win[k] = factor * (u[k] * past_v + past_u * v[k] + u[k] * v[k])
    causes: list[Cause] = []
    if node.success < 1.0:
        causes.append((_later((1.0 - node.success) * win[0].real, node.fails), node.lags))
        win *= node.success
    if node.windows is not None:
        for own, other, window, lags in (
            (u, two, node.windows[0], node.dropped[0]),
            (v, one, node.windows[1], node.dropped[1]),
        ):
            late = other.survival(ticks)
            window = min(window, ticks)  # a cutoff beyond the horizon never comes
            late[window:] *= own[0].real[: ticks - window]
            late[:window] = 0.0
            causes.append((late, lags))
    return _later(win, node.takes), causes


def _twin(k: int, u: Array, v: Array, factors: Numbers, left: Numbers, right: Numbers) -> int | None:
    """An earlier channel with the same numbers: Werner pairs and equal T1 and T2 need one channel and not three."""
    for j in range(1, k):
        numbers = all(each[j] == each[k] for each in (factors, left, right))
        if numbers and np.array_equal(u[j], u[k]) and np.array_equal(v[j], v[k]):
            return j
    return None


def _recurrence(round_: Round, keep: Array, spent: Array) -> Array:
    """The kept pair times its chance, from unnormalised pairs: bilinear, as every operation on two pairs is."""
    s, d = round_.accept
    g = round_.gate
    n1, n2 = keep[0], spent[0]
    x1, y1, z1 = (round_.turned[0] * keep[1 + axis] for axis in round_.turns[0])
    x2, y2, z2 = (round_.turned[1] * spent[1 + axis] for axis in round_.turns[1])
    x, y, z = (
        g * (s * x1 * x2 + d * y1 * y2),
        g * (s * y1 * x2 + d * x1 * y2),
        g * (s * z1 * n2 + d * n1 * z2),
    )
    if round_.twirl is not None:
        x = y = z = (x + y + z) * (round_.twirl / 3.0)
    return np.stack([s * n1 * n2 + d * g * z1 * z2, x, y, z])


def _later(values: Array, ticks: float) -> Array:
    """So many ticks later; a part of a tick is spread over the two ticks around it."""
    whole = math.floor(ticks)
    part = ticks - whole
    if part:
        return (1.0 - part) * _later(values, whole) + part * _later(values, whole + 1)
    if whole == 0:
        return values
    moved = np.zeros_like(values)
    moved[..., whole:] = values[..., : values.shape[-1] - whole]
    return moved


def restarts(node: Node, way: Starts, causes: list[Cause]) -> dict[Starts, Array]:
    """Chances of failing at each tick, by how the links then start, counted from the failure."""
    lattice = node.lattice
    found: dict[Starts, Array] = {}
    for chances, lags in causes:
        ticks = len(chances)
        # a link that goes on may have heard of no attempt yet: until all have, every tick is a case of its own
        begun = max(
            (
                start + math.ceil(link.ready)
                for lag, start, link in zip(lags, way, node.leaves, strict=True)
                if lag is None
            ),
            default=0,
        )
        begun = min(max(begun, 0), ticks)
        cases = [(tick, slice(tick, tick + 1)) for tick in np.flatnonzero(chances[:begun]).tolist()]
        cases += [(tick, slice(tick, None, lattice)) for tick in range(begun, min(begun + lattice, ticks))]
        for tick, which in cases:
            if not chances[which].any():
                continue
            then = tuple(
                _start(tick, lag, start, link) - tick
                for lag, start, link in zip(lags, way, node.leaves, strict=True)
            )
            if then not in found:
                found[then] = np.zeros_like(chances)
            found[then][which] += chances[which]
    return found


def _start(tick: int, lag: int | None, start: int, link: Link) -> int:
    """When a link starts again after a failure at this tick."""
    if lag is not None:
        return _next(tick + lag, start, link.lattice)
    # it goes on: the first attempt whose success is heard later than now
    return max(start, _next(tick + 1 - math.ceil(link.ready), start, link.lattice))


def _next(earliest: int, phase: int, period: int) -> int:
    """First point of a grid from there on."""
    return earliest + (phase - earliest) % period
