"""What to expect of a plan: rate, fidelity, and the law of the time to the first pair.

Two steps. A search compares many candidates by quick forecasts (`judge`), each by the best method that applies:

    exact       one link, nothing purified: the delivered pair is always equally old, and a lane delivers every
                ``rest + period / success`` on average, where ``rest`` is the time from herald to delivery
    pipeline    nothing purified, cut off or failing: exact law of the pipeline, averages by a fixed sample of arrays
    rehearsal   everything else: the executor's rules on a bare event queue, with a fixed sample

What it chooses is completed (`completed`): the law of the first delivery, exact wherever a method applies
(`quantum_fabric.network.delivery`), and exact rate and fidelity where every delivery is a fresh start.

Both samplers draw from Philox with a fixed key, so they are deterministic quadratures: the same chain gives the same
forecast on every machine. Their standard errors are reported and kept as part of the margin.

Limits:
    Beliefs are taken at their word; no other request shares the slots; deliveries are consumed at once. A request that
    holds its pairs stops when the slots at its ends are full, which no forecast can know.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from quantum_fabric.messages import Forecast, Plan
from quantum_fabric.network import delivery, pipeline, rehearsal
from quantum_fabric.network.chain import Chain, Route
from quantum_fabric.network.chain import chain as numbers
from quantum_fabric.network.delivery import LONGEST, Stream
from quantum_fabric.network.pipeline import Sample
from quantum_fabric.network.scheme import Scheme, from_plan
from quantum_fabric.network.topology import Topology
from quantum_fabric.physics.correlators import fidelity
from quantum_fabric.units import from_seconds

ERRORS = 3.0
"""Standard errors of the quadrature that `Forecast.fidelity_low` keeps below what nineteen in twenty pairs reach."""

MODEL_MARGIN = 0.02
"""Share of the infidelity that it keeps besides, for what sampled forecasts leave out."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is sampled: deliveries of a plain chain; deliveries, events and cold starts of a rehearsal.

    Few cold starts will do for comparing: what is chosen gets its time to the first pair from its law.
    """

    plain: int = 6_000
    deliveries: int = 500
    events: int = 40_000
    starts: int = 10


FULL = Effort()
QUICK = Effort(plain=1_500, deliveries=120, events=10_000, starts=1)


def forecast(
    topology: Topology, scheme: Scheme | Plan, effort: Effort = FULL, along: Route | None = None
) -> Forecast:
    """Forecast of a scheme, or of a plan (whose own forecast is ignored).

    Args:
        topology: what is believed.
        scheme: what is to be done.
        effort: how much to sample.
        along: the route of its path, where it is known already.

    Returns:
        Rate in the steady state (pairs/s), fidelity at delivery, margin, latency from the request to the first pair and its
        law.

    Raises:
        UnknownNameError: the scheme uses what the topology does not have.

    Limits:
        Against the twin: rate within 15 %, fidelity within 0.005. The rate is the steady one; pairs of the first few
        deliveries come no slower, since links ahead of them are empty, and are no older.

    Examples:
        >>> import math
        >>> from quantum_fabric.links.ideal import FixedLink
        >>> from quantum_fabric.network.scheme import simple
        >>> from quantum_fabric.network.topology import LinkView, NodeModel
        >>> from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
        >>> nodes = {n: NodeModel(n, 2, MemoryNoise(math.inf, 1.0), OperationNoise(), 0) for n in "ABC"}
        >>> ms = 1_000_000_000
        >>> model = FixedLink(0.1, (1.0, 0.0, 0.0, 0.0), period=ms, heard=(ms, ms))
        >>> links = {n: LinkView(n, n[0], n[1], model, 0, 0.0) for n in ("AB", "BC")}
        >>> delays = {("A", "B"): 0, ("B", "C"): 0, ("A", "C"): 0}
        >>> network = Topology(nodes, links, delays, "A")
        >>> found = forecast(network, simple(("A", "B", "C"), ("AB", "BC")))
        >>> round(found.rate, 6), round(19e3 / 280, 6), found.rate_error  # 280/19 steps of 1 ms
        (67.857143, 67.857143, 0.0)
    """
    scheme = from_plan(scheme) if isinstance(scheme, Plan) else scheme
    chain = numbers(topology, scheme, along)
    light = [topology.link(name).model.total_transmission() for name in scheme.links]
    return completed(chain, judge(chain, effort), light)


def judge(chain: Chain, effort: Effort = FULL) -> Forecast:
    """Quick forecast of a chain, without the law: see `forecast`."""
    if any(hop.success <= 0.0 for hop in chain.hops):
        return Forecast(0.0, 0.0, 0.0, 0.0, from_seconds(LONGEST))
    if len(chain.hops) == 1 and chain.plain:
        return single(chain)
    return _record(chain, _full(chain) if effort == FULL else _sample(chain, effort))


def completed(chain: Chain, quick: Forecast, transmissions: Sequence[float] = ()) -> Forecast:
    """A forecast with its law, and with exact numbers where there are any.

    Args:
        chain: that was judged.
        quick: what `judge` said of it.
        transmissions: of the light of each hop, for the bound that they set.

    Returns:
        What admission keeps as a margin (`fidelity_low`) stays, so that a choice is not undone; it never exceeds the mean.
    """
    if quick.rate <= 0.0 or quick.law is not None:
        return quick
    hop = chain.hops[0]
    if len(chain.hops) == 1 and chain.plain:
        spread = hop.period * math.sqrt(1.0 - hop.success) / hop.success / hop.lanes
        stream = Stream(spread, (quick.fidelity,) * 3)
    else:
        sample = _full(chain)
        stream = Stream(sample.gap_deviation, sample.lows)
    found = delivery.delivered(chain, stream, transmissions)
    better = replace(quick, law=found.law, latency=from_seconds(min(LONGEST, found.mean)))
    if found.rate is None or found.fidelity is None:
        return better
    low = min(quick.fidelity_low, found.fidelity)
    return replace(better, rate=found.rate, rate_error=0.0, fidelity=found.fidelity, fidelity_low=low)


@lru_cache(maxsize=64)
def _full(chain: Chain) -> Sample:
    return _sample(chain, FULL)


def _sample(chain: Chain, effort: Effort) -> Sample:
    if chain.plain:
        return pipeline.run(chain, effort.plain)
    # long chains need more events for a delivery
    longer = max(1.0, len(chain.hops) / 24)
    return rehearsal.run(chain, effort.deliveries, round(effort.events * longer), effort.starts)


def single(chain: Chain) -> Forecast:
    """Exact forecast of one link without purification.

    A lane starts its next attempt when both ends have heard, on its grid, so it delivers once in (1/success - 1) periods
    and the whole periods that the herald takes. Both halves age from birth until the later end hears.

    Args:
        chain: one hop, nothing purified.
    """
    hop = chain.hops[0]
    done = max(hop.heard)
    # the next attempt starts on the first grid point at which both ends are free again
    blocked = max(heard - born for heard, born in zip(hop.heard, hop.born, strict=True)) / hop.period
    whole = max(1, _ceil(blocked))
    cycle = (1.0 / hop.success - 1.0 + whole) * hop.period
    state = hop.fresh
    for station, born in zip(chain.stations, hop.born, strict=True):
        state = station.faded(state, done - born)
    first = _first(chain) + done
    mean = fidelity(state)
    return Forecast(
        rate=hop.lanes / cycle,
        rate_error=0.0,
        fidelity=mean,
        fidelity_low=mean,
        latency=from_seconds(min(LONGEST, chain.origin + first)),
    )


def _first(chain: Chain) -> float:
    """Mean start of the first successful attempt over the lanes of one hop, s."""
    hop = chain.hops[0]
    starts = sorted(chain.begun(0, lane) for lane in range(hop.lanes))
    # lane after lane, period after period: the first of so many independent tries that succeeds
    miss = 1.0 - hop.success
    rounds = miss**hop.lanes
    head = sum((start - starts[0]) * hop.success * miss**index for index, start in enumerate(starts))
    return starts[0] + ((head + rounds * hop.period) / (1.0 - rounds) if rounds > 0.0 else head)


def _ceil(value: float) -> int:
    return -int(-(value - 1e-9) // 1)


def _record(chain: Chain, sample: Sample) -> Forecast:
    margin = ERRORS * sample.fidelity_error + MODEL_MARGIN * (1.0 - sample.fidelity)
    return Forecast(
        rate=sample.rate,
        rate_error=sample.rate_error,
        fidelity=sample.fidelity,
        fidelity_low=max(0.0, min(sample.fidelity, sample.usual) - margin),
        latency=from_seconds(min(LONGEST, chain.origin + sample.first)),
    )
