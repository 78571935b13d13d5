"""The max-plus recurrence on the devices that JAX sees, beside one core of the native sampler: ``python -m benchmarks.gpu``.

Prints pairs per second of each, and on JAX's devices the share of what their memory would allow if nothing else cost anything: each
round reads and writes the state of a replica once. Without JAX it says how to get it.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from benchmarks import networks
from benchmarks.workload import Chain
from quantum_fabric import ensemble
from quantum_fabric.montecarlo import Scenario, simulate
from quantum_fabric.montecarlo.running import FOREVER
from quantum_fabric.montecarlo.samplers import Asked, arrays

PAIRS = 100

STATE = 4 + 16
"""Numbers of eight bytes that a replica carries besides one for each link and station: its generator, times, counts and sums."""


def chain(links: int) -> Scenario:
    """W2's chain, statistics only."""
    job = networks.chain(Chain(links + 1), "instant", PAIRS)
    with job.planned():
        return ensemble.scenario(job.inventory, job.requests)


def native_rate(what: Scenario, replicas: int) -> float:
    """Pairs per second of one core."""
    start = time.perf_counter()
    found = simulate(what, replicas=replicas, workers=1, sampler="max-plus", beliefs=False)
    return found.pairs / (time.perf_counter() - start)


def array_rate(what: Scenario, replicas: int, device: Any) -> float:
    """Pairs per second of a device, once the program is compiled."""
    asked = Asked(1, 0, replicas, 1, FOREVER, beliefs=False)
    arrays.run(what, asked, device)
    start = time.perf_counter()
    found = arrays.run(what, asked, device)
    return found.pairs / (time.perf_counter() - start)


def bandwidth(jax: Any, device: Any) -> float:
    """Bytes per second that a device reads and writes when it scales a large array."""
    scale = jax.jit(lambda x: x * 1.000001)
    x = jax.device_put(jax.numpy.ones(1 << 24, dtype="float32"), device)
    scale(x).block_until_ready()
    start = time.perf_counter()
    for _ in range(10):
        x = scale(x)
    x.block_until_ready()
    return 10 * 2 * float(x.nbytes) / (time.perf_counter() - start)


def main() -> int:
    """Print the table."""
    jax, said = arrays.look()
    for links in (2, 8):
        what = chain(links)
        print(f"{links} links: native, one core: {native_rate(what, 20_000):.3g} pairs/s")
        if jax is None:
            continue
        for device in jax.devices():
            replicas = 20_000 if device.platform == "cpu" else arrays.CHUNK
            rate = array_rate(what, replicas, device)
            limit = bandwidth(jax, device) / (2 * 8 * (STATE + 2 * links + 1))
            print(
                f"{links} links: JAX, {device}: {rate:.3g} pairs/s, {rate / limit:.0%} of what its memory allows ({limit:.3g})"
            )
    if jax is None:
        print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
