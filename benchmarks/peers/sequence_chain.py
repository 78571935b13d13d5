"""The chain workload on SeQUeNCe, through its public interface: single-heralded links, Bell-diagonal states.

Run by the benchmark in SeQUeNCe's own environment. Reads ``{"chain": {...}, "pairs": N}`` (see `benchmarks.workload`) on
standard input and prints one line of JSON.

SeQUeNCe decides these things itself: every attempt is negotiated anew between the ends of a link, which makes an attempt
every 4 L/c; repeaters swap in nested order, and each swap is preceded by messages that pair the protocol
instances of three nodes.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from sequence.app.request_app import RequestApp
from sequence.constants import BELL_DIAGONAL_STATE_FORMALISM, SINGLE_HERALDED
from sequence.entanglement_management.generation import EntanglementGenerationA, EntanglementGenerationB
from sequence.entanglement_management.swapping import EntanglementSwappingA, EntanglementSwappingB
from sequence.topology.router_net_topo import RouterNetTopo

SECOND = 10**12
BEGIN = SECOND // 20  # reservations have long been answered by then
END = 10**6 * SECOND


class Deliveries(RequestApp):
    """Notes time and fidelity of every pair that the initiator gets; stops the clock at the last one wanted."""

    def __init__(self, node: Any, wanted: int) -> None:
        super().__init__(node)
        self.wanted = wanted
        self.times: list[int] = []
        self.fidelities: list[float] = []

    def get_memory(self, info: Any) -> None:
        # the memory is reset while the pair is taken, so its fidelity is read before
        fidelity, before = float(info.fidelity), self.memory_counter
        super().get_memory(info)
        if self.memory_counter > before:
            self.times.append(self.node.timeline.now())
            self.fidelities.append(fidelity)
            if len(self.times) >= self.wanted:
                self.node.timeline.stop()


def configuration(chain: dict[str, Any], seed: int) -> dict[str, Any]:
    """The chain in SeQUeNCe's own terms."""
    routers = [f"r{number:02d}" for number in range(chain["nodes"])]
    last = len(routers) - 1
    delay = chain["hop"] / chain["light_speed"] * SECOND
    detector = {"efficiency": chain["detector"], "dark_count": 0, "time_resolution": 150, "count_rate": 25e6}
    memories = {
        "fidelity": chain["fresh"],
        "coherence_time": chain["coherence"],
        "efficiency": chain["emission"],
        "frequency": 8e7,
        "cutoff_flag": False,
    }
    return {
        "templates": {
            "router": {"MemoryArray": memories, "EntanglementSwapping": {"swapping_success_prob": 1}},
            "analyser": {
                "encoding_type": "single_heralded",
                "SingleHeraldedBSM": {"detectors": [detector, detector]},
            },
        },
        "nodes": [
            {
                "name": router,
                "type": "QuantumRouter",
                "seed": seed * 1000 + number,
                "memo_size": 1 if number in (0, last) else 2,
                "template": "router",
            }
            for number, router in enumerate(routers)
        ],
        "qconnections": [
            {
                "node1": routers[number],
                "node2": routers[number + 1],
                "attenuation": chain["attenuation"] / 1000,
                "distance": int(chain["hop"]),
                "type": "meet_in_the_middle",
                "template": "analyser",
                "seed": seed * 1000 + 500 + number,
            }
            for number in range(last)
        ],
        "cconnections": [
            {"node1": routers[a], "node2": routers[b], "delay": int((b - a) * delay)}
            for a in range(last)
            for b in range(a + 1, last + 1)
        ],
        "stop_time": END,
        "formalism": BELL_DIAGONAL_STATE_FORMALISM,
    }


def run(chain: dict[str, Any], pairs: int, seed: int = 1) -> dict[str, Any]:
    """Serve one request until the pairs are there; the CPU time is that of the event loop alone."""
    for protocol in (EntanglementGenerationA, EntanglementGenerationB):
        protocol.set_global_type(SINGLE_HERALDED)
    for protocol in (EntanglementSwappingA, EntanglementSwappingB):
        protocol.set_formalism(BELL_DIAGONAL_STATE_FORMALISM)
    network = RouterNetTopo(configuration(chain, seed))
    timeline = network.get_timeline()
    apps = [Deliveries(node, pairs) for node in network.get_nodes_by_type(RouterNetTopo.QUANTUM_ROUTER)]
    apps.sort(key=lambda app: app.node.name)
    timeline.init()
    apps[0].start(apps[-1].node.name, BEGIN, END - 1, 1, 0.1)
    began = time.process_time()
    timeline.run()
    cpu = time.process_time() - began
    times, fidelities = apps[0].times, apps[0].fidelities
    return {
        "pairs": len(times),
        "events": timeline.run_counter,
        "cpu": cpu,
        "ms_per_pair": (times[-1] - times[0]) / (len(times) - 1) / 1e9,
        "fidelity": sum(fidelities) / len(fidelities),
    }


if __name__ == "__main__":
    print(json.dumps(run(**json.load(sys.stdin))))
