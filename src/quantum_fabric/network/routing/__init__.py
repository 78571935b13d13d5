"""Concurrent multipath routing in time slots, pure: our router and the published family it is compared with.

slotted     the network, what is free of it, what a slot reserves and delivers
waxman      random networks and demands as in the evaluation of Q-CAST
throughput  EXT, the expected throughput of a path with parallel channels
search      the path of most expected throughput: exactly, and as Q-CAST does
slot        one slot, sampled
qcast, qpass, simple   the family
windows     ours
"""

from quantum_fabric.network.routing.qcast import QCast
from quantum_fabric.network.routing.qpass import QPass
from quantum_fabric.network.routing.simple import Greedy, Metric, SinglePath
from quantum_fabric.network.routing.slot import Luck, Router, SlotResult, run_slot
from quantum_fabric.network.routing.slotted import Connection, Demand, Edge, SlotPlan, SlottedNetwork
from quantum_fabric.network.routing.throughput import expected_throughput
from quantum_fabric.network.routing.waxman import random_demands, waxman
from quantum_fabric.network.routing.windows import Windowed

__all__ = [
    "Connection", "Demand", "Edge", "Greedy", "Luck", "Metric", "QCast", "QPass", "Router", "SinglePath", "SlotPlan",
    "SlotResult", "SlottedNetwork", "Windowed", "expected_throughput", "random_demands", "run_slot", "waxman",
]  # fmt: skip
