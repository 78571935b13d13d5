"""The chain workload on ReQuSim, through its public interface: density matrices, geometric numbers of attempts.

Run by the benchmark in ReQuSim's own environment. Reads ``{"chain": {...}, "pairs": N}`` (see `benchmarks.workload`) on standard
input and prints one line of JSON.

ReQuSim gives events, pairs, stations and noise. The rules are this script's: an attempt every L/c, swaps as soon as possible that take
no time and are known at once; there are no messages and no control plane.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from requsim.events import EntanglementSwappingEvent
from requsim.libs import matrix
from requsim.noise import NoiseChannel
from requsim.quantum_objects import SchedulingSource, Station
from requsim.world import World


class Repeaters:
    """Stations in a row, a source for each hop, and who holds which half."""

    def __init__(self, chain: dict[str, Any], pairs: int) -> None:
        arm = chain["emission"] * chain["detector"] * 10 ** (-chain["attenuation"] * chain["hop"] / 1e3 / 20)
        self.chance = 0.5 * arm * arm
        self.period = chain["hop"] / chain["light_speed"]
        self.nodes, self.wanted = chain["nodes"], pairs
        rate = 4.0 / (3.0 * chain["coherence"])

        def depolarise(rho: Any, t: float) -> Any:
            kept = np.exp(-rate * t)
            return kept * rho + (1.0 - kept) * np.eye(2) / 2 * np.trace(rho)

        self.noise = NoiseChannel(n_qubits=1, channel_function=depolarise)
        weight = (4.0 * chain["fresh"] - 1.0) / 3.0
        self.bell = matrix.phiplus
        fresh = weight * self.bell @ matrix.H(self.bell) + (1.0 - weight) * np.eye(4) / 4
        for half in (0, 1):  # each half waits for the herald
            fresh = self.noise.apply_to(rho=fresh, qubit_indices=[half], t=self.period)
        self.fresh = fresh
        self.world = World()
        where = [number * chain["hop"] for number in range(self.nodes)]
        self.stations = [Station(self.world, position=at, memory_noise=self.noise) for at in where]
        self.sources = [
            SchedulingSource(
                self.world,
                position=where[hop],
                target_stations=self.stations[hop : hop + 2],
                time_distribution=lambda source: np.random.geometric(self.chance) * self.period,
                state_generation=lambda source: self.fresh,
            )
            for hop in range(self.nodes - 1)
        ]
        self.free = [[True] * self.nodes, [True] * self.nodes]  # memories that look left, and right
        self.held: list[list[Any]] = [[None] * self.nodes, [None] * self.nodes]  # (pair, far station)
        self.times: list[float] = []
        self.fidelities: list[float] = []

    def start(self) -> None:
        """Every hop with two free memories tries again."""
        for hop, source in enumerate(self.sources):
            if self.free[1][hop] and self.free[0][hop + 1]:
                self.free[1][hop] = self.free[0][hop + 1] = False
                source.schedule_event()

    def place(self, pair: Any, left: int, right: int) -> None:
        """A pair between two stations: deliver it, or hold it and swap where two meet."""
        if left == 0 and right == self.nodes - 1:
            pair.update_time()
            overlap = matrix.H(self.bell) @ pair.state @ self.bell
            self.fidelities.append(float(np.real(overlap[0, 0])))
            self.times.append(self.world.event_queue.current_time)
            for qubit in pair.qubits:
                qubit.destroy()
            self.free[1][left] = self.free[0][right] = True
            return
        self.held[1][left], self.held[0][right] = (pair, right), (pair, left)
        for at in (left, right):
            if self.held[0][at] and self.held[1][at]:
                self.swap(at)
                return

    def swap(self, at: int) -> None:
        """Bell measurement now, and what comes of it."""
        (one, left), (two, right) = self.held[0][at], self.held[1][at]
        self.held[0][at] = self.held[1][at] = self.held[1][left] = self.held[0][right] = None

        def done(event: Any) -> None:
            self.free[0][at] = self.free[1][at] = True
            self.place(event["output_pair"], left, right)

        queue = self.world.event_queue
        queue.add_event(
            EntanglementSwappingEvent(
                time=queue.current_time,
                pairs=[one, two],
                station=self.stations[at],
                callback_functions=[done],
            )
        )

    def run(self) -> int:
        """Until the pairs are there; returns the number of events."""
        events = 0
        self.start()
        while len(self.times) < self.wanted:
            event = self.world.event_queue.resolve_next_event()
            events += 1
            if event["event_type"] == "SourceEvent":
                hop = self.sources.index(event["source"])
                self.place(event["output_pair"], hop, hop + 1)
            self.start()
        return events


def run(chain: dict[str, Any], pairs: int, seed: int = 1) -> dict[str, Any]:
    """Deliver pairs; the CPU time is that of the event loop alone."""
    np.random.seed(seed)
    repeaters = Repeaters(chain, pairs)
    began = time.process_time()
    events = repeaters.run()
    cpu = time.process_time() - began
    times, fidelities = repeaters.times, repeaters.fidelities
    return {
        "pairs": len(times),
        "events": events,
        "cpu": cpu,
        "ms_per_pair": 1e3 * (times[-1] - times[0]) / max(1, len(times) - 1),
        "fidelity": sum(fidelities) / len(fidelities),
    }


if __name__ == "__main__":
    print(json.dumps(run(**json.load(sys.stdin))))
