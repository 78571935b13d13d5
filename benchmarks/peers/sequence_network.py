"""The network of 50 nodes on SeQUeNCe, through its public interface; see ``sequence_chain.py`` for what it decides itself.

Reads ``{"chain": {...}, "nodes": [...], "edges": [...], "paths": [...], "memories": M, "seconds": S}``. It routes for itself: only the
ends of the paths are used, which its shortest routes join by as many links.
"""

from __future__ import annotations

import heapq
import json
import sys
import time
from typing import Any

from sequence.constants import BELL_DIAGONAL_STATE_FORMALISM, SINGLE_HERALDED
from sequence.entanglement_management.generation import EntanglementGenerationA, EntanglementGenerationB
from sequence.entanglement_management.swapping import EntanglementSwappingA, EntanglementSwappingB
from sequence.topology.router_net_topo import RouterNetTopo
from sequence_chain import BEGIN, SECOND, Deliveries, configuration


def hops_from(start: str, around: dict[str, list[str]]) -> dict[str, int]:
    """Links to every node."""
    found, row = {start: 0}, [(0, start)]
    while row:
        hops, here = heapq.heappop(row)
        for other in around[here]:
            if other not in found:
                found[other] = hops + 1
                heapq.heappush(row, (hops + 1, other))
    return found


def whole(chain: dict[str, Any], nodes: list[str], edges: list[list[str]], seconds: float) -> dict[str, Any]:
    """The network in SeQUeNCe's own terms: the parts of a chain of two, put together otherwise."""
    part = configuration({**chain, "nodes": 2}, 1)
    around: dict[str, list[str]] = {name: [] for name in nodes}
    for a, b in edges:
        around[a].append(b)
        around[b].append(a)
    light = chain["hop"] / chain["light_speed"] * SECOND
    part["nodes"] = [
        {"name": name, "type": "QuantumRouter", "seed": number, "memo_size": 50, "template": "router"}
        for number, name in enumerate(nodes)
    ]
    part["qconnections"] = [
        {**part["qconnections"][0], "node1": a, "node2": b, "seed": 1000 + number}
        for number, (a, b) in enumerate(edges)
    ]
    part["cconnections"] = [
        {"node1": a, "node2": b, "delay": int(hops * light)}
        for number, a in enumerate(nodes)
        for b, hops in hops_from(a, around).items()
        if b in nodes[number + 1 :]
    ]
    part["stop_time"] = int(BEGIN + seconds * SECOND)
    return part


def run(
    chain: dict[str, Any],
    nodes: list[str],
    edges: list[list[str]],
    paths: list[list[str]],
    memories: int,
    seconds: float,
) -> dict[str, Any]:
    """So many virtual seconds of all requests at once; the CPU time is that of the event loop alone."""
    for protocol in (EntanglementGenerationA, EntanglementGenerationB):
        protocol.set_global_type(SINGLE_HERALDED)
    for protocol in (EntanglementSwappingA, EntanglementSwappingB):
        protocol.set_formalism(BELL_DIAGONAL_STATE_FORMALISM)
    network = RouterNetTopo(whole(chain, nodes, edges, seconds))
    timeline = network.get_timeline()
    routers = network.get_nodes_by_type(RouterNetTopo.QUANTUM_ROUTER)
    apps = {node.name: Deliveries(node, 10**9) for node in routers}
    timeline.init()
    for path in paths:
        apps[path[0]].start(path[-1], BEGIN, int(BEGIN + seconds * SECOND) - 1, memories, 0.1)
    began = time.process_time()
    timeline.run()
    cpu = time.process_time() - began
    fidelities = [each for path in paths for each in apps[path[0]].fidelities]
    spans = [apps[path[0]].times for path in paths if len(apps[path[0]].times) > 1]
    gaps = sum(len(times) - 1 for times in spans)
    return {
        "pairs": len(fidelities),
        "events": timeline.run_counter,
        "cpu": cpu,
        "simulated": seconds,
        "ms_per_pair": sum(times[-1] - times[0] for times in spans) / max(1, gaps) / 1e9,
        "fidelity": sum(fidelities) / max(1, len(fidelities)),
    }


if __name__ == "__main__":
    print(json.dumps(run(**json.load(sys.stdin))))
