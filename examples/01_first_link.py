"""Your first entangled link: ask for it, look at its plan, take its pairs.

Nothing is configured: how many repeaters, where to purify, when to swap, all that is planned for the distance.
"""

import quantum_fabric
from quantum_fabric.units import show_time

link = quantum_fabric.request_link(destination="Bob", distance=200, fidelity=0.98, pairs=5)

plan, forecast = link.plan, link.plan.forecast
print(
    f"{len(plan.links)} links of {200 / len(plan.links):.1f} km, {len(plan.path) - 2} repeaters between Alice and Bob"
)
print(
    f"swap order: {plan.order.value}; purification rounds on each link: {plan.links[0].rounds}, end to end: {plan.end_rounds}"
)
print(f"a fresh pair on a link has fidelity {plan.links[0].fidelity:.4f}")
print(
    f"forecast: {forecast.rate:.0f} ± {forecast.rate_error:.0f} pairs/s at fidelity {forecast.fidelity:.4f}"
)
print()

with link:
    for pair in link:
        low, high = pair.interval
        print(
            f"{pair.delivered.number}: {pair.bell} between {' and '.join(pair.ends)}, "
            f"fidelity {pair.fidelity:.4f} [{low:.4f}, {high:.4f}], delivered after {show_time(pair.delivered_at)}, "
            f"good until {show_time(pair.expires_at)}"
        )
        pair.measure("Z")  # use the pair, so that its memories are free for the next one

print()
print(link.outcome.status.value, "-", link.outcome.reason)
