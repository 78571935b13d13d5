"""What a plan must promise beyond a fidelity at delivery: confidence, even pace, packets, a set that is good at its end.

The planner knows one number of the fidelity (`Forecast.fidelity_low`, what nineteen pairs in twenty reach). What is asked beyond that
is checked here on the law of the plan that it found, and where a better pair would do, the planner is asked for one.
"""

from __future__ import annotations

import math
from dataclasses import replace

from quantum_fabric.control.meaning import gathers
from quantum_fabric.control.rules import attempts_beside
from quantum_fabric.messages import Code, Forecast, LinkRequest, Plan, Promise, Refused
from quantum_fabric.network.finish import NEVER, chance_of_gaps, gaps_by
from quantum_fabric.network.refusal import floored
from quantum_fabric.network.topology import NodeModel, Topology
from quantum_fabric.physics.fading import disturbance, steady_rates
from quantum_fabric.units import SECOND, Time, show_time

USUAL = 0.95
"""Share of the pairs that reaches `Forecast.fidelity_low`: fewer are never promised."""

SUREST = 0.99
"""Greatest share of the pairs for which the law of a plan tells the fidelity."""


def foremost(*found: Refused | None) -> Refused | None:
    """The first refusal among what may be none. A refusal is false in a condition, so ``or`` would pass it over.

    Examples:
        >>> foremost(None, Refused("r", Code.OTHER, "", "first"), Refused("r", Code.OTHER, "", "second")).reason
        'first'
    """
    return next((each for each in found if each is not None), None)


def unsure(request: LinkRequest) -> Refused | None:
    """A refusal of more confidence than any law tells; None where it can be had."""
    if request.confidence <= SUREST:
        return None
    reason = (
        f"confidence {request.confidence:.6g} asked; of the worst pair in a hundred at most the fidelity is known, "
        f"so {SUREST:g} is the most"
    )
    offer = replace(request, name="", key="", confidence=SUREST)
    return Refused(request.name, Code.UNSUPP, "confidence", reason, offer)


def reached(forecast: Forecast, confidence: float) -> float:
    """Fidelity that a share of the completed pairs reaches, less the margin of admission.

    Args:
        forecast: of the plan.
        confidence: the share; below `USUAL` it counts as that.

    Examples:
        >>> from quantum_fabric.messages import DeliveryLaw
        >>> law = DeliveryLaw("closed form", (), (), (), (), 0.0, 0.0, (0.90, 0.92, 0.95), 0.0, 0, 1.0, 0.0)
        >>> forecast = Forecast(1.0, 0.0, 0.95, 0.915, 0, law)
        >>> reached(forecast, 0.5), round(reached(forecast, 0.99), 3)
        (0.915, 0.895)
    """
    if confidence <= USUAL or forecast.law is None:
        return forecast.fidelity_low
    worst, usual, _ = forecast.law.low_fidelities
    return min(forecast.fidelity_low, worst - max(0.0, usual - forecast.fidelity_low))


def needed(request: LinkRequest, plan: Plan, topology: Topology) -> float:
    """Fidelity that this plan's pairs must reach when they are complete, so that they have what is asked for when it counts.

    Args:
        request: what is asked.
        plan: that would serve it.
        topology: what is believed of the ends.

    Equation:
        With the promise at the end: a pair waits at most T for the last of its set (with the confidence asked for); with k
        the greatest rate at which a correlator of the pair decays in both memories together,
        ``F(T) >= (1 + (4 F(0) - 1) e^(-k T)) / 4``, which is solved for F(0). Memories whose decay is stretched lose
        ``(r T)^n`` in the exponent beside.

    Limits:
        A bound from below: every correlator is taken to decay as fast as the fastest.
    """
    if request.promise is not Promise.END or request.pairs == 1:
        return request.fidelity
    wait = gaps_by(plan.forecast, request.pairs - 1, request.confidence)
    if wait >= NEVER:
        return 1.0
    loss = sum(
        _loss(topology.nodes[name], plan, topology, wait / SECOND) for name in (plan.path[0], plan.path[-1])
    )
    return min(1.0, (1.0 + (4.0 * request.fidelity - 1.0) * math.exp(min(loss, 50.0))) / 4.0)


def _loss(node: NodeModel, plan: Plan, topology: Topology, seconds: float) -> float:
    memory = node.memory
    link = plan.links[0] if node.name == plan.path[0] else plan.links[-1]
    steady, _, relaxation = steady_rates(memory)
    steady += disturbance(memory, attempts_beside(plan, topology, node.name, link))
    stretched = (memory.stretched_rate * seconds) ** memory.exponent if memory.stretched_rate > 0.0 else 0.0
    return max(steady, relaxation) * seconds + stretched


def missed(request: LinkRequest, plan: Plan, topology: Topology) -> Refused | None:
    """Which promise a plan does not keep, with what it would keep; None where it keeps all.

    Args:
        request: what is asked.
        plan: that was found for it.
        topology: what is believed.
    """
    forecast = plan.forecast
    return foremost(
        _uneven(request, forecast),
        _scattered(request, forecast),
        _too_poor(request, plan, needed(request, plan, topology)),
    )


def _too_poor(request: LinkRequest, plan: Plan, least: float) -> Refused | None:
    have = reached(plan.forecast, request.confidence)
    if have >= least:
        return None
    share = max(request.confidence, USUAL)
    at_end = request.promise is Promise.END and request.pairs > 1
    when = f", {least:.4f} so that {request.fidelity:g} is left at the end of the set" if at_end else ""
    reason = f"{100 * share:.6g}% of the pairs reach {have:.4f}; {request.fidelity:g} is asked{when}"
    resource = f"path {' - '.join(plan.path)}"
    if at_end:
        offer = replace(
            request, name="", key="", promise=Promise.DELIVERY, confidence=min(request.confidence, USUAL)
        )
    else:
        offer = replace(request, name="", key="", confidence=USUAL)
    return Refused(request.name, Code.UNSUPP, resource, reason, offer, plan.forecast)


def _uneven(request: LinkRequest, forecast: Forecast) -> Refused | None:
    if request.jitter is None or request.pairs == 1:
        return None
    deviation = 1.0 / forecast.rate if forecast.law is None else forecast.law.gap_deviation
    have: Time = math.ceil(deviation * SECOND)
    if have <= request.jitter:
        return None
    reason = f"the time between two deliveries deviates by {show_time(have)} from its mean; {show_time(request.jitter)} is asked"
    offer = replace(request, name="", key="", jitter=have)
    return Refused(request.name, Code.UNSUPP, "pace of the deliveries", reason, offer, forecast)


def _scattered(request: LinkRequest, forecast: Forecast) -> Refused | None:
    if request.window is None or request.pairs == 1:
        return None
    gaps = request.pairs - 1
    chance = chance_of_gaps(forecast, gaps, request.window)
    if chance >= request.confidence:
        return None
    reason = (
        f"{request.pairs} pairs come within {show_time(request.window)} with probability {chance:.3g}, "
        f"{request.confidence:.6g} is asked"
    )
    window = gaps_by(forecast, gaps, request.confidence)
    offer = None if window >= NEVER else replace(request, name="", key="", window=window + window // 100 + 1)
    return Refused(request.name, Code.UNSUPP, "pace of the deliveries", reason, offer, forecast)


def stricter(request: LinkRequest, plan: Plan, topology: Topology) -> float | None:
    """The fidelity to ask the planner for instead, where a better pair may keep the promise; None where none can."""
    least, have = needed(request, plan, topology), reached(plan.forecast, request.confidence)
    if have >= least:
        return None
    target = plan.forecast.fidelity_low + (least - have)
    target = -floored(-target, 4)
    return target if max(target, request.fidelity) < 1.0 - 1e-6 and target > request.fidelity else None


def special(request: LinkRequest) -> bool:
    """Whether a request asks for promises beyond what the planner looks at."""
    return request.confidence > USUAL or request.jitter is not None or gathers(request)
