"""A decision in milliseconds: what surely can be had, by the estimate and known bounds on its error.

The thorough planner (`quantum_fabric.network.planning.plan`) samples its candidates, which takes some tenths of a second. Here
nothing is sampled. A few best paths are looked at, with swaps as soon as possible, first without purification and then with the
fewest rounds that do; what the mean-field estimate says is made worse by as much as it was ever seen to err (`sure`), and a request is
admitted if that is still enough. So an admitted request is one that the thorough planner would admit, at no lower a
rate; a refusal may be too careful, and says so. Its offer is accepted by the same rule.

Limits:
    The margins are read off samples, not proved: of random chains, fewer than one in a hundred samples falls below the rate or the
    fidelity that is promised (`tests/unit/network/test_swift.py`). What asks for more than pairs of a fidelity at a rate by a
    deadline with the usual confidence is left to the thorough planner.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from quantum_fabric.messages import (
    ANYWHERE,
    Code,
    Forecast,
    LinkRequest,
    Plan,
    Promise,
    Refused,
    Survival,
)
from quantum_fabric.network.atlas import atlas
from quantum_fabric.network.chain import Chain
from quantum_fabric.network.delivery import LONGEST
from quantum_fabric.network.finish import CONFIDENCE, Serving, finished_by
from quantum_fabric.network.paths import Path
from quantum_fabric.network.purify import MOST_ROUNDS, spread
from quantum_fabric.network.refusal import floored, offered
from quantum_fabric.network.scheme import Scheme, to_plan
from quantum_fabric.network.shortcuts import DETOUR, shortcuts
from quantum_fabric.network.surely import Track, track
from quantum_fabric.network.terrain import Terrain, repeaters, terrain
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import Time, from_seconds

PLAIN_RATE, PURIFIED_RATE = 0.9, 0.55
"""Share of the estimated rate that is sure, without purification and with it."""

FAILING = 0.55
"""Share of that where swaps fail or memories lose what they hold."""

FRESH = 1.05
"""The infidelity of fresh pairs, swapped at once, counts so many times: sampled forecasts keep 1.04 times as their margin."""

WAITING, WORKED, FADING = 3.2, 2.5, 4.0
"""The infidelity that waiting adds counts so many times, and all the infidelity of what was purified; where swaps fail or memories are
no simple exponentials, waiting counts as `FADING`."""

LOOKED = ("fidelity", "both")
"""Metrics under which a path is looked for."""

COARSE = 4
"""Parts of the knobs' range between which the fidelity is taken to grow or fall steadily."""

DEEP = 1
"""Paths on which purification is looked at: those whose pairs are best without."""


@dataclass(frozen=True, slots=True)
class Sure:
    """A way to use a path, with what it surely gives.

    Attributes:
        along: the path.
        lanes: of each hop.
        step: of the knobs.
        rounds: of purification, on the pairs of each hop and end to end.
        forecast: ``rate`` less ``rate_error`` and ``fidelity_low`` are sure.
    """

    along: Terrain
    lanes: tuple[int, ...]
    step: int
    rounds: tuple[int, int]
    forecast: Forecast

    @property
    def rate(self) -> float:
        """What is sure of it, 1/s."""
        return self.forecast.rate - self.forecast.rate_error

    def scheme(self) -> Scheme:
        """All that is decided."""
        return self.along.scheme(self.lanes, self.step, *self.rounds)


def decides(request: LinkRequest) -> bool:
    """Whether a quick look can answer all that is asked.

    Examples:
        >>> decides(LinkRequest("A", "B", 0.9, rate=5.0)), decides(LinkRequest("A", "B", 0.9, confidence=0.999))
        (True, False)
    """
    return (
        request.confidence <= CONFIDENCE
        and request.promise is Promise.DELIVERY
        and request.window is None
        and request.jitter is None
        and request.survives is Survival.NOTHING
        and request.route == ANYWHERE
    )


def sure(chain: Chain) -> Forecast:
    """What a chain surely gives.

    Args:
        chain: swapping as soon as possible, without a cutoff, with the same rounds of DEJMPS on each hop.

    Returns:
        ``rate`` less ``rate_error`` and ``fidelity_low`` are sure; the latency is taken as long as a gap at that rate, after the
        set-up. It has no law.
    """
    failing, uneven = repeaters(chain.stations)
    lanes = [hop.lanes for hop in chain.hops]
    return _surely(
        track(chain), lanes, (chain.hops[0].rounds, chain.end_rounds), chain.setup, failing, uneven
    )


def _surely(
    along: Track, lanes: Sequence[int], rounds: tuple[int, int], setup: float, failing: bool, uneven: bool
) -> Forecast:
    purified = any(rounds)
    if purified:
        worked = along.worked(lanes, *rounds)
        rate, mean = worked.rate, worked.fidelity
        low = 1.0 - WORKED * (1.0 - worked.usual)
    else:
        found = along.cautious(lanes)
        rate, mean = found.rate, found.fidelity
        waiting = FADING if uneven else WAITING
        low = 1.0 - FRESH * (1.0 - found.fresh) - waiting * (found.fresh - found.usual)
    if rate <= 0.0:
        return Forecast(0.0, 0.0, 0.0, 0.0, from_seconds(LONGEST))
    share = PURIFIED_RATE if purified else PLAIN_RATE
    if failing:
        share *= FAILING
    latency = min(LONGEST, setup + 1.0 / (share * rate))
    return Forecast(rate, (1.0 - share) * rate, mean, max(0.0, min(low, mean)), from_seconds(latency))


def swift(
    topology: Topology,
    request: LinkRequest,
    free: Mapping[str, int] | None = None,
    now: Time = 0,
    detour: float = DETOUR,
) -> Plan | Refused:
    """A plan that surely serves a request, or what surely can be had.

    Args:
        topology: what is believed of the network.
        request: what is asked; `decides` says whether this function may be asked.
        free: free memory slots by node; nodes that are not named, and all for None, have all theirs.
        now: present time, from which the deadline counts (ps).
        detour: so many times what the way of the idle network costs may one around busy repeaters.

    Returns:
        The fastest sure plan, or a refusal: ``NOROUTE``, ``NORES`` (no path whose memories are free), ``UNSUPP`` or ``NOTIME``.

    Raises:
        UnknownNameError: an end is not in the topology.
    """
    topology.node(request.source, where="source")
    topology.node(request.destination, where="destination")
    looked = Look(topology, request, free, now, detour)
    best = looked.fastest()
    if best is not None:
        # whoever reads the forecast later asks what can be promised, not what is likely
        return to_plan(topology, best.scheme(), certain(best.forecast))
    return looked.refused()


def certain(forecast: Forecast) -> Forecast:
    """The forecast with the sure rate as its rate, without an error."""
    return replace(forecast, rate=forecast.rate - forecast.rate_error, rate_error=0.0)


class Look:
    """One quick look: what was seen is kept for the refusal."""

    def __init__(
        self,
        topology: Topology,
        request: LinkRequest,
        free: Mapping[str, int] | None,
        now: Time,
        detour: float = DETOUR,
    ) -> None:
        self.topology, self.request, self.free, self.detour = topology, request, free, detour
        self.bounded = (
            False  # whether a way was looked for around busy repeaters, and none found within the bound
        )
        self.left = None if request.deadline is None else request.deadline - now
        self.seen: list[Sure] = []
        self.paths = self._paths()

    def _paths(self) -> tuple[Terrain, ...]:
        """A good path under each metric."""
        chart, ends = atlas(self.topology), (self.request.source, self.request.destination)
        ways = shortcuts(self.topology)
        found: dict[Path, None] = {}
        for metric in LOOKED:
            way = ways.near(metric, *ends)
            if way is not None and any(self._slots(chart.names[node]) < 2 for node in way[1][1:-1]):
                way = ways.near(metric, *ends, self._busy, self.detour)
                self.bounded |= way is None
            if way is None:
                break
            links = tuple(chart.best_link(metric, edge) for edge in way[2])
            found[Path(tuple(chart.names[node] for node in way[1]), links)] = None
        return tuple(terrain(self.topology, path) for path in found)

    @cached_property
    def _busy(self) -> list[str]:
        """Nodes that cannot relay now."""
        return [name for name, slots in (self.free or {}).items() if slots < 2]

    def fastest(self) -> Sure | None:
        """The sure scheme with the greatest rate among those without purification, else among those with it."""
        plain = [self._turned(path, 0, 0) for path in self.paths]
        good = [each for each in plain if each is not None and self._serves(each.forecast)]
        if not good:
            # where fresh pairs are best, few rounds are needed
            order = [(each.forecast.fidelity, -place) for place, each in enumerate(plain) if each is not None]
            chosen = [self.paths[-place] for _, place in sorted(order, reverse=True)[:DEEP]]
            good = [each for path in chosen if (each := self._purified(path)) is not None]
        return max(good, key=lambda each: each.rate, default=None)

    def _purified(self, path: Terrain) -> Sure | None:
        """The fewest rounds on the links that do, or the last of them end to end instead."""
        for total in range(1, MOST_ROUNDS + 1):
            if total == 2:
                # what most rounds do not reach, fewer hardly will: looked at once, before many are
                deep = self._turned(path, MOST_ROUNDS - 1, int(len(path.times) > 1))
                if deep is not None and not self._serves(deep.forecast):
                    return None
            found = self._worked(path, total)
            if found is not None:
                return found
        return None

    def _worked(self, path: Terrain, total: int) -> Sure | None:
        for end in range(1 + (len(path.times) > 1)):
            found = self._turned(path, total - end, end)
            if found is not None and self._serves(found.forecast):
                return found
        return None

    def _turned(self, path: Terrain, rounds: int, end: int) -> Sure | None:
        """The scheme with the knobs turned for rate as far as its fidelity allows; None if it does not fit into the memories."""
        lanes = self._lanes(path, rounds, end)
        if lanes is None:
            return None

        def judged(step: int) -> Sure:
            along, more = path.track(lanes, step), (path.setup, path.failing, path.uneven)
            self.seen.append(
                Sure(path, lanes, step, (rounds, end), _surely(along, lanes, (rounds, end), *more))
            )
            return self.seen[-1]

        coarse = sorted({(path.steps - 1) * quarter // COARSE for quarter in range(COARSE + 1)})
        tried = []
        for place, step in enumerate(coarse):
            tried.append(judged(step))
            if self._serves(tried[-1].forecast):
                return self._refined(judged, coarse[place - 1] if place else step, tried[-1])
        return max(tried, key=lambda each: each.forecast.fidelity_low)

    def _refined(self, judged: Callable[[int], Sure], low: int, best: Sure) -> Sure:
        """The fastest step that serves between one that does not and one that does."""
        while best.step - low > 1:
            tried = judged((low + best.step) // 2)
            if self._serves(tried.forecast):
                best = tried
            else:
                low = tried.step
        return best

    def _lanes(self, path: Terrain, rounds: int, end: int) -> tuple[int, ...] | None:
        """All lanes that help and fit; None where not even those fit that are needed."""
        needs = [1 + rounds] * len(path.times)
        if len(needs) > 1:
            needs[0] += end
            needs[-1] += end
        return spread(needs, [self._slots(name) for name in path.path.nodes], path.times, path.caps)

    def _slots(self, name: str) -> int:
        """Free slots of a node."""
        whole = self.topology.nodes[name].slots
        return whole if self.free is None else min(whole, max(0, self.free.get(name, whole)))

    def _serves(self, forecast: Forecast) -> bool:
        return forecast.fidelity_low >= self.request.fidelity and self._in_time(forecast)

    def _in_time(self, forecast: Forecast) -> bool:
        rate = forecast.rate - forecast.rate_error
        if rate <= 0.0 or rate < self.request.rate:
            return False
        return self.left is None or finished_by(certain(forecast), self.request.pairs) <= self.left

    # ------------------------------------------------------------------------------------------- refusals

    def refused(self) -> Refused:
        """Why not, and what instead."""
        request = self.request
        ends = f"{request.source} and {request.destination}"
        if not self.paths:
            if shortcuts(self.topology).near(LOOKED[0], request.source, request.destination) is not None:
                return Refused(request.name, Code.NORES, f"memories between {ends}", self._bound())
            return Refused(
                request.name, Code.NOROUTE, f"links between {ends}", f"no path of working links joins {ends}"
            )
        if not self.seen:
            code = Code.UNSUPP if self.free is None else Code.NORES
            return Refused(
                request.name, code, f"memories of {ends}", "the paths that were looked at have too few slots"
            )
        able = [each for each in self.seen if each.forecast.fidelity_low >= request.fidelity]
        if able:
            best = max(able, key=lambda each: each.rate)
            return self._offered(best, Code.NOTIME, "surely")
        best = max(self.seen, key=lambda each: (each.forecast.fidelity_low, each.forecast.rate))
        return self._offered(best, Code.UNSUPP, f"fidelity {request.fidelity:g} asked; surely")

    def _bound(self) -> str:
        """In words: no way around what is busy."""
        if self.detour == math.inf:
            return "no path has two free slots at each repeater"
        return (
            f"no path of at most {self.detour:g} times the least cost has two free slots at each repeater, and a quick look takes "
            "no longer detour"
        )

    def _offered(self, best: Sure, code: Code, why: str) -> Refused:
        forecast = best.forecast
        surely = certain(forecast)
        low = floored(forecast.fidelity_low)
        reason = (
            f"{why} {best.rate:.3g} /s at fidelity {low:g} over {' - '.join(best.along.path.nodes)}, by a quick look; "
            "a thorough search may find more"
        )
        if self.bounded:
            reason += f"; under another metric {self._bound()}"
        offer = offered(self.request, surely, fidelity_too=code is Code.UNSUPP, left=self.left)
        if offer is not None:
            left = (
                None
                if offer.deadline is None or self.left is None
                else self.left + offer.deadline - (self.request.deadline or 0)
            )
            late = left is not None and finished_by(surely, offer.pairs) > left
            offer = None if late or not Serving(offer.rate, offer.pairs, None)(surely) else offer
        return Refused(self.request.name, code, f"path {' - '.join(best.along.path.nodes)}", reason, offer)
