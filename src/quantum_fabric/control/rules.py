"""A plan, turned into the rules that each node of its path acts on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from quantum_fabric.messages import (
    Calibration,
    Correlators,
    CutoffRule,
    DeliverRule,
    GenerateRule,
    LinkPlan,
    Order,
    Plan,
    PurifyRule,
    Rule,
    Side,
    Stretch,
    SwapRule,
)
from quantum_fabric.network.topology import NodeModel, Topology
from quantum_fabric.physics.correlators import from_weights
from quantum_fabric.physics.fading import disturbance, steady_rates
from quantum_fabric.units import SECOND, Time

UNBOUNDED = 1 << 30
"""Lanes of a link whose attempts take no time of the channel."""


def slots_wanted(plan: Plan) -> dict[str, int]:
    """How many memory slots the plan needs at each node of its path."""
    wanted = dict.fromkeys(plan.path, 0)
    for link in plan.links:
        wanted[link.left] += link.lanes
        wanted[link.right] += link.lanes
    return wanted


def calibration(node: NodeModel) -> Calibration:
    """What is believed of a node's noise, as it travels to the nodes."""
    noise, memory = node.operations, node.memory
    return Calibration(
        memory.t1,
        memory.t2,
        noise.depolarising_1,
        noise.depolarising_2,
        noise.readout_error_0,
        noise.readout_error_1,
        memory.exponent,
    )


def lanes_wanted(plan: Plan) -> dict[str, int]:
    """How many lanes the plan needs of each link of its path."""
    return {link.link: link.lanes for link in plan.links}


def lane_room(plan: Plan, topology: Topology) -> dict[str, int]:
    """How many lanes fit side by side into the attempt period of each link: no channel carries more attempts than one a cycle."""
    room = {}
    for link in plan.links:
        heralding = topology.links[link.link].model.heralding(link.setting, 1)
        room[link.link] = heralding.period // heralding.cycle if heralding.cycle else UNBOUNDED
    return room


def compile_rules(
    plan: Plan,
    topology: Topology,
    slots: Mapping[str, tuple[int, ...]],
    lanes: Mapping[str, tuple[int, ...]],
    hold: bool,
    ends: tuple[DeliverRule, DeliverRule] | None = None,
) -> dict[str, tuple[Rule, ...]]:
    """Rules for each node of the path.

    Args:
        plan: what was decided.
        topology: what is believed of the nodes and links on the path.
        slots: the leased slots of each node, as many as `slots_wanted` says.
        lanes: the leased lanes of each link, as many as `lanes_wanted` says.
        hold: whether delivered pairs stay in memory until they are consumed.
        ends: what source and destination do with complete pairs, where there is more to say of it than ``hold``
            (`quantum_fabric.control.meaning.end_rules`).

    Returns:
        Node name -> its rules. The first slots of a node serve the link to its left.
    """
    rules: dict[str, list[Rule]] = {node: [] for node in plan.path}
    used = dict.fromkeys(plan.path, 0)
    for link in plan.links:
        for node, partner, side in ((link.left, link.right, Side.RIGHT), (link.right, link.left, Side.LEFT)):
            start = used[node]
            used[node] += link.lanes
            mine = slots[node][start : start + link.lanes]
            beside = Beside(
                attempts_beside(plan, topology, node, link), attempts_beside(plan, topology, partner, link)
            )
            rules[node].append(_generate(link, topology, partner, side, mine, lanes[link.link], beside))
    turnings = {(turning.left, turning.right): turning.rotations for turning in plan.turnings}
    for left, right, rounds in segments_purified(plan):
        for node, partner in ((left, right), (right, left)):
            far = calibration(topology.nodes[partner])
            turns = turnings.get((left, right), ())
            rule = PurifyRule(partner, rounds, plan.distillation, node == left, far, turns, plan.pumped)
            rules[node].append(rule)
    for join in plan.joins:
        place = plan.path.index(join.at)
        if plan.order is Order.ASAP:
            rules[join.at].append(SwapRule(plan.path[:place], plan.path[place + 1 :], plan.choice))
        else:
            rules[join.at].append(SwapRule((join.left,), (join.right,), plan.choice))
        if plan.cutoff is not None:
            rules[join.at].append(CutoffRule(plan.cutoff))
    source, destination = plan.path[0], plan.path[-1]
    at_source, at_destination = ends or (DeliverRule(destination, hold), DeliverRule(source, hold))
    rules[source].append(at_source)
    rules[destination].append(at_destination)
    return {node: tuple(those) for node, those in rules.items()}


def segments_purified(plan: Plan) -> list[tuple[str, str, int]]:
    """(left, right, rounds) of every segment that is purified."""
    segments = {(link.left, link.right): link.rounds for link in plan.links}
    if plan.order is Order.NESTED:
        segments.update({(join.left, join.right): join.rounds for join in plan.joins})
    if len(plan.links) > 1:
        segments[plan.path[0], plan.path[-1]] = plan.end_rounds
    return [(left, right, rounds) for (left, right), rounds in segments.items() if rounds > 0]


def _generate(
    link: LinkPlan,
    topology: Topology,
    partner: str,
    side: Side,
    slots: tuple[int, ...],
    lanes: tuple[int, ...],
    beside: Beside,
) -> GenerateRule:
    heralding = topology.links[link.link].model.heralding(link.setting, link.lanes)
    fresh: Correlators = from_weights(heralding.weights)
    node = link.left if partner == link.right else link.right
    here, there = topology.nodes[node].memory, topology.nodes[partner].memory
    steady, _, relaxation = steady_rates(there)
    steady += disturbance(there, beside.there)
    stretch = Stretch(there.stretched_rate, there.exponent) if there.stretched_rate > 0.0 else None
    return GenerateRule(
        link=link.link,
        partner=partner,
        side=side,
        slots=slots,
        lanes=lanes,
        setting=link.setting,
        fresh=fresh,
        partner_decay=(steady, steady, relaxation),
        partner_stretch=stretch,
        disturbance=disturbance(here, beside.here),
    )


class Beside(NamedTuple):
    """Attempts per second beside a half, at the node that a rule is for and at its partner."""

    here: float
    there: float


def attempts_beside(plan: Plan, topology: Topology, node: str, link: LinkPlan) -> float:
    """Attempts per second that a node makes beside a half on this link, as long as its other lanes are all trying.

    Limits:
        In a repeater with one lane on each side that is what happens while a half waits, to within an attempt or two. Where there
        are more lanes, some rest: the belief is too low then, never too high. Lanes of other installations are not counted.
    """
    if topology.nodes[node].memory.attempt_dephasing == 0.0:
        return 0.0
    total = 0.0
    for each in plan.links:
        if node in (each.left, each.right):
            period = topology.links[each.link].model.heralding(each.setting, each.lanes).period / SECOND
            total += (each.lanes - (each is link)) / period
    return total


def retention(plan: Plan, topology: Topology) -> Time:
    """How long a repeater remembers where the chain of a swapped half went on.

    News about a consumed half is sent by somebody who has not yet heard of the swap. Word of the swap reaches everybody on the
    path within one pass of the path's delays, and what was sent before that arrives within another; twice that is kept. News can
    also be early: the far end of a link may have acted on a herald that is still on its way here.
    """
    along = topology.along(plan.path)
    if along is not None:  # nothing takes longer than to be passed on from node to node
        hops = longest = along[-1]
    else:
        hops = sum(topology.delay(a, b) for a, b in zip(plan.path, plan.path[1:], strict=False))
        longest = max((topology.delay(a, b) for a in plan.path for b in plan.path if a != b), default=0)
    swaps = sum(topology.nodes[node].swap_time for node in plan.path)
    heralds = 0
    for link in plan.links:
        heard = topology.links[link.link].model.heralding(link.setting, link.lanes).heard
        heralds += abs(heard[0] - heard[1])
    return 4 * (hops + longest + swaps + heralds)
