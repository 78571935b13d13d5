"""Keys across networks of trusted nodes: relayed hop by hop under one-time pads, over paths that no declared coalition covers.

KeyLink, KeyNetwork                what link key there is, as believed
Wanted, Guard, plan                which ways a key goes (Route), or why none and what could be had (NoRoute)
Demand, share_out                  who gets how much where supply is short
learns, exposing                   who knows a key, computed
RelayNode                          one node: source, relay and target
Start, Tick, Delivered, Failed, Alarm   what a node and its house say to each other
MemoryPads, ShelfPads              link key, each octet once
relayed_block                      a delivered key as bits for the stock of a KME
Site, Tie, Boundary, points        what is trusted in a network, what each node would expose, what its owner must state
"""

from quantum_fabric.keys.relay.bundle import noise_octets
from quantum_fabric.keys.relay.custody import Custody, Form
from quantum_fabric.keys.relay.delivery import relayed_block
from quantum_fabric.keys.relay.knowledge import Learned, exposing, learns
from quantum_fabric.keys.relay.messages import (
    Ack,
    Alarm,
    Carry,
    Delivered,
    Envelope,
    Failed,
    Outcome,
    Start,
    Tick,
)
from quantum_fabric.keys.relay.node import RelayNode
from quantum_fabric.keys.relay.pads import MemoryPads, PadStore, ShelfPads
from quantum_fabric.keys.relay.rationing import Demand, Ration, share_out, uses_of
from quantum_fabric.keys.relay.routing import Guard, NoRoute, Route, Short, Wanted, plan
from quantum_fabric.keys.relay.statement import Point, points
from quantum_fabric.keys.relay.supply import KeyLink, KeyNetwork
from quantum_fabric.keys.relay.trust import Boundary, Exposure, Need, PairTrust, Site, Tie

__all__ = [
    "Ack",
    "Alarm",
    "Boundary",
    "Carry",
    "Custody",
    "Delivered",
    "Demand",
    "Envelope",
    "Exposure",
    "Failed",
    "Form",
    "Guard",
    "KeyLink",
    "KeyNetwork",
    "Learned",
    "MemoryPads",
    "Need",
    "NoRoute",
    "Outcome",
    "PadStore",
    "PairTrust",
    "Point",
    "Ration",
    "RelayNode",
    "Route",
    "ShelfPads",
    "Short",
    "Site",
    "Start",
    "Tick",
    "Tie",
    "Wanted",
    "exposing",
    "learns",
    "noise_octets",
    "plan",
    "points",
    "relayed_block",
    "share_out",
    "uses_of",
]
