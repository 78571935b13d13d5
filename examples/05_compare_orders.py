"""Swap as soon as possible, or nested? A chain built by hand, where every number is known.

Segments of 25 km. A link succeeds once in ten attempts of 1 ms; its pairs have fidelity 0.98; memories dephase with T2 = 0.5 s.
First a check: for two segments without delays the mean waiting time is an exact number, and the forecast has to come near to
it. With more segments, links that are free again start before the pair is delivered, so the rate is above that of the formula.
"""

import math
from dataclasses import replace
from itertools import pairwise

from quantum_fabric.links import FixedLink
from quantum_fabric.messages import LinkRequest, Order
from quantum_fabric.network import LinkView, NodeModel, Topology, forecast, survey
from quantum_fabric.network.order import nested
from quantum_fabric.network.scheme import Scheme, simple
from quantum_fabric.network.waiting import parallel_mean
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.units import MS, show_time

P = 0.1
LIGHT = 122_418_023  # ps that light takes for 25 km of fibre


def chain(names: str, swap_success: float, t2: float, light_time: int) -> Topology:
    noise = OperationNoise(swap_success=swap_success)
    nodes = {name: NodeModel(name, 2, MemoryNoise(math.inf, t2), noise, 0) for name in names}
    model = FixedLink(success=P, weights=(0.98, 0.02, 0.0, 0.0), period=MS, heard=(MS, MS))
    views = {f"{a}~{b}": LinkView(f"{a}~{b}", a, b, model, light_time, 25e3) for a, b in pairwise(names)}
    delays = {(a, b): light_time * abs(names.index(a) - names.index(b)) for a in names for b in names}
    return Topology(nodes, views, delays, names[0])


def asap(names: str) -> Scheme:
    return simple(tuple(names), tuple(f"{a}~{b}" for a, b in pairwise(names)))


exact = 1000 / float(parallel_mean(P, 2))
found = forecast(chain("ABC", 1.0, math.inf, 0), asap("ABC"))
print(f"two segments: forecast {found.rate:.2f} ± {found.rate_error:.2f} pairs/s, exactly {exact:.2f}")
assert (
    abs(found.rate - exact) < 1e-9 * exact
)  # every delivery is a fresh start here, so the forecast is exact

print()
print("four segments:")
print(f"{'swaps work':>10}  {'order':<22} {'pairs/s':>8} {'fidelity':>9}")
names = "ABCDE"
free = asap(names)
tree = replace(free, order=Order.NESTED, joins=nested(tuple(names)))
cut = replace(free, cutoff=30 * MS)
for swap_success in (1.0, 0.5):
    for name, scheme in (("as soon as possible", free), ("nested", tree), ("asap, cutoff 30 ms", cut)):
        found = forecast(chain(names, swap_success, 0.5, LIGHT), scheme)
        print(f"{swap_success:>10.0%}  {name:<22} {found.rate:>8.2f} {found.fidelity:>9.4f}")

print()
seen = survey(chain(names, 1.0, 0.5, LIGHT), LinkRequest("A", "E", 0.88))
print(f"the planner, asked for fidelity 0.88, takes: {seen.label}, {seen.chosen.forecast.rate:.2f} pairs/s,")
cutoff = show_time(seen.chosen.cutoff) if seen.chosen.cutoff else "none"
print(f"fidelity {seen.chosen.forecast.fidelity:.4f}, cutoff {cutoff}; what lost:")
for other in seen.alternatives[:4]:
    print(f"  {other.label}: {other.reason}")
