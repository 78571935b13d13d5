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

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quantum_fabric.messages import (
    ANYWHERE,
    Code,
    Forecast,
    LinkRequest,
    Order,
    Plan,
    Promise,
    Refused,
    Survival,
)
from quantum_fabric.network.atlas import atlas
from quantum_fabric.network.candidates import Candidates, Group
from quantum_fabric.network.chain import Chain
from quantum_fabric.network.delivery import LONGEST
from quantum_fabric.network.estimate import estimate
from quantum_fabric.network.finish import CONFIDENCE, Serving, finished_by
from quantum_fabric.network.order import asap
from quantum_fabric.network.paths import Path
from quantum_fabric.network.purify import MOST_ROUNDS, Strategy, lanes_needed, spread
from quantum_fabric.network.refusal import floored, offered
from quantum_fabric.network.scheme import Scheme, to_plan
from quantum_fabric.network.surely import cautious
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
    """A scheme with what it surely gives."""

    scheme: Scheme
    forecast: Forecast


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
        chain: swapping as soon as possible, without a cutoff.

    Returns:
        ``rate`` less ``rate_error`` and ``fidelity_low`` are sure; the latency is taken as long as a gap at that rate, after the
        set-up. It has no law.
    """
    failing = any(here.swap_success < 1.0 or not here.memory.lossless for here in chain.stations[1:-1])
    uneven = failing or not all(each.memory.simple for each in chain.stations)
    purified = chain.end_rounds > 0 or any(hop.rounds for hop in chain.hops)
    if purified:
        worked = estimate(chain)
        rate, mean = worked.rate, worked.fidelity
        low = 1.0 - WORKED * (1.0 - worked.usual)
    else:
        found = cautious(chain)
        rate, mean = found.rate, found.fidelity
        waiting = FADING if uneven else WAITING
        low = 1.0 - FRESH * (1.0 - found.fresh) - waiting * (found.fresh - found.usual)
    if rate <= 0.0:
        return Forecast(0.0, 0.0, 0.0, 0.0, from_seconds(LONGEST))
    share = PURIFIED_RATE if purified else PLAIN_RATE
    if failing:
        share *= FAILING
    latency = min(LONGEST, chain.setup + 1.0 / (share * rate))
    return Forecast(rate, (1.0 - share) * rate, mean, max(0.0, min(low, mean)), from_seconds(latency))


def swift(
    topology: Topology, request: LinkRequest, free: Mapping[str, int] | None = None, now: Time = 0
) -> Plan | Refused:
    """A plan that surely serves a request, or what surely can be had.

    Args:
        topology: what is believed of the network.
        request: what is asked; `decides` says whether this function may be asked.
        free: free memory slots by node; nodes that are not named, and all for None, have all theirs.
        now: present time, from which the deadline counts (ps).

    Returns:
        The fastest sure plan, or a refusal: ``NOROUTE``, ``NORES`` (no path whose memories are free), ``UNSUPP`` or ``NOTIME``.

    Raises:
        UnknownNameError: an end is not in the topology.
    """
    topology.node(request.source, where="source")
    topology.node(request.destination, where="destination")
    looked = Look(topology, request, free, now)
    best = looked.fastest()
    if best is not None:
        # whoever reads the forecast later asks what can be promised, not what is likely
        return to_plan(topology, best.scheme, certain(best.forecast))
    return looked.refused()


def certain(forecast: Forecast) -> Forecast:
    """The forecast with the sure rate as its rate, without an error."""
    return replace(forecast, rate=forecast.rate - forecast.rate_error, rate_error=0.0)


class Look:
    """One quick look: what was seen is kept for the refusal."""

    def __init__(
        self, topology: Topology, request: LinkRequest, free: Mapping[str, int] | None, now: Time
    ) -> None:
        self.topology, self.request, self.free = topology, request, free
        self.left = None if request.deadline is None else request.deadline - now
        self.seen: list[Sure] = []
        self._room: dict[Path, tuple[list[int], list[float], list[int]]] = {}
        self.paths = self._paths([] if free is None else [name for name, slots in free.items() if slots < 2])
        self.candidates = Candidates(
            topology, request.source, request.destination, free, self.paths, whole=False
        )

    def _paths(self, busy: list[str]) -> tuple[Path, ...]:
        """A good path under each metric."""
        chart, ends = atlas(self.topology), (self.request.source, self.request.destination)
        found: dict[Path, None] = {}
        for metric in LOOKED:
            way = chart.near(metric, *ends, busy)
            if way is None:
                break
            links = tuple(chart.best_link(metric, edge) for edge in way[2])
            found[Path(tuple(chart.names[node] for node in way[1]), links)] = None
        return tuple(found)

    def fastest(self) -> Sure | None:
        """The sure scheme with the greatest rate among those without purification, else among those with it."""
        plain = [self._turned(path, 0, 0) for path in self.paths]
        good = [each for each in plain if each is not None and self._serves(each.forecast)]
        if not good:
            # where fresh pairs are best, few rounds are needed
            order = [(each.forecast.fidelity, -place) for place, each in enumerate(plain) if each is not None]
            chosen = [self.paths[-place] for _, place in sorted(order, reverse=True)[:DEEP]]
            good = [each for path in chosen if (each := self._purified(path)) is not None]
        return max(good, key=lambda each: each.forecast.rate - each.forecast.rate_error, default=None)

    def _purified(self, path: Path) -> Sure | None:
        """The fewest rounds on the links that do, or the last of them end to end instead."""
        for total in range(1, MOST_ROUNDS + 1):
            if total == 2:
                # what most rounds do not reach, fewer hardly will: looked at once, before many are
                deep = self._turned(path, MOST_ROUNDS - 1, int(len(path.links) > 1))
                if deep is not None and not self._serves(deep.forecast):
                    return None
            found = self._worked(path, total)
            if found is not None:
                return found
        return None

    def _worked(self, path: Path, total: int) -> Sure | None:
        for end in range(1 + (len(path.links) > 1)):
            found = self._turned(path, total - end, end)
            if found is not None and self._serves(found.forecast):
                return found
        return None

    def _turned(self, path: Path, rounds: int, end: int) -> Sure | None:
        """The scheme with the knobs turned for rate as far as its fidelity allows; None if it does not fit into the memories."""
        group = self._group(path, rounds, end)
        if group is None:
            return None
        last = self.candidates.steps_of(group) - 1
        coarse = sorted({last * quarter // COARSE for quarter in range(COARSE + 1)})
        tried = []
        for place, step in enumerate(coarse):
            tried.append(self._judged(group, step))
            if self._serves(tried[-1].forecast):
                return self._refined(group, coarse[place - 1] if place else step, step, tried[-1])
        return max(tried, key=lambda each: each.forecast.fidelity_low)

    def _refined(self, group: Group, low: int, high: int, best: Sure) -> Sure:
        """The fastest step that serves between one that does not and one that does."""
        while high - low > 1:
            middle = (low + high) // 2
            tried = self._judged(group, middle)
            if self._serves(tried.forecast):
                best, high = tried, middle
            else:
                low = middle
        return best

    def _group(self, path: Path, rounds: int, end: int) -> Group | None:
        strategy = Strategy(Order.ASAP, (rounds,) * len(path.links), asap(path.nodes), end, "quick")
        if path not in self._room:
            times, _, caps = self.candidates.links_on(path)
            self._room[path] = ([self.candidates.slots(name) for name in path.nodes], times, caps)
        lanes = spread(lanes_needed(path.nodes, strategy), *self._room[path])
        return None if lanes is None else Group(path, strategy, lanes)

    def _judged(self, group: Group, step: int) -> Sure:
        scheme = self.candidates.bare(group, step)
        chain = self.candidates.chain_of(group, step, scheme)
        self.seen.append(Sure(scheme, sure(chain)))
        return self.seen[-1]

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
            if self.free is not None and Look(self.topology, request, None, 0).paths:
                return Refused(
                    request.name,
                    Code.NORES,
                    f"memories between {ends}",
                    "no path has two free slots at each repeater",
                )
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
            best = max(able, key=lambda each: each.forecast.rate - each.forecast.rate_error)
            return self._offered(best, Code.NOTIME, "surely")
        best = max(self.seen, key=lambda each: (each.forecast.fidelity_low, each.forecast.rate))
        return self._offered(best, Code.UNSUPP, f"fidelity {request.fidelity:g} asked; surely")

    def _offered(self, best: Sure, code: Code, why: str) -> Refused:
        forecast = best.forecast
        rate = forecast.rate - forecast.rate_error
        surely = certain(forecast)
        low = floored(forecast.fidelity_low)
        reason = (
            f"{why} {rate:.3g} /s at fidelity {low:g} over {' - '.join(best.scheme.path)}, by a quick look; "
            "a thorough search may find more"
        )
        offer = offered(self.request, surely, fidelity_too=code is Code.UNSUPP, left=self.left)
        if offer is not None:
            left = (
                None
                if offer.deadline is None or self.left is None
                else self.left + offer.deadline - (self.request.deadline or 0)
            )
            late = left is not None and finished_by(surely, offer.pairs) > left
            offer = None if late or not Serving(offer.rate, offer.pairs, None)(surely) else offer
        return Refused(self.request.name, code, f"path {' - '.join(best.scheme.path)}", reason, offer)
