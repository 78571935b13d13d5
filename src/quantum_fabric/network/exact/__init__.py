"""Exact forecasts: the whole joint law of delivery time and state, without sampling.

solve       the one entry point: a chain as the twin runs it -> its law, or None
timed       a chain as a tree, with grids, heralds, news and slots
steps       trees in the literature's convention of integer steps
product     the closed form where nothing fails
tree        the law of a tree: links, swaps, cutoffs, purification
star        arms that are fused into a GHZ state at a hub
asap        swaps as soon as possible; `segments`: where they may fail
ages        the law of the fidelity of pairs whose whole history is known
nodes, series, law   what a tree is made of; laws on ticks; laws in seconds
"""

from quantum_fabric.network.exact.law import Law
from quantum_fabric.network.exact.solve import Bounds, Solution, bounds, solve, why_not

__all__ = ["Bounds", "Law", "Solution", "bounds", "solve", "why_not"]
