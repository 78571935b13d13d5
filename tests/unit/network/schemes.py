"""Schemes and chains on a `believed.line`, for the tests of the forecast engines."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.network.believed import names_of

from quantum_fabric.messages import Distillation, Order
from quantum_fabric.network.chain import Chain, chain
from quantum_fabric.network.order import asap, leveled, nested
from quantum_fabric.network.purify import Strategy, lanes_needed
from quantum_fabric.network.scheme import Scheme
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import Time


def scheme_on(
    topology: Topology,
    lanes: int = 1,
    rounds: int = 0,
    end: int = 0,
    middle: int | None = None,
    cutoff: Time | None = None,
    distillation: Distillation = Distillation.DEJMPS,
) -> Scheme:
    """As soon as possible; nested with so many rounds on each level where ``middle`` is given."""
    path, links = names_of(topology)
    if middle is None:
        strategy = Strategy(Order.ASAP, (rounds,) * len(links), asap(path), end, "")
    else:
        joins = leveled(nested(path), (middle,) * len(links))
        joins = (*joins[:-1], replace(joins[-1], rounds=end))
        strategy = Strategy(Order.NESTED, (rounds,) * len(links), joins, end, "")
    needed = lanes_needed(path, strategy)
    return Scheme(
        path=path,
        links=links,
        lanes=tuple(max(lanes, need) for need in needed),
        settings=(None,) * len(links),
        rounds=strategy.rounds,
        order=strategy.order,
        joins=strategy.joins,
        end_rounds=end,
        distillation=distillation,
        cutoff=cutoff,
    )


def chain_on(topology: Topology, **how: object) -> Chain:
    return chain(topology, scheme_on(topology, **how))  # type: ignore[arg-type]
