"""A refusal is a value: it says what binds and what can be had, and its offer is accepted when it is asked for.

No hardware that has been shown today gives fidelity 0.98 over 50 km of fibre.
"""

import quantum_fabric
from quantum_fabric.units import show_time

answer = quantum_fabric.request_link(destination="Bob", distance=50, fidelity=0.98, hardware="today")
print("a link" if answer else "no link")
print("code:    ", answer.code.value)
print("binding: ", answer.resource)
print("reason:  ", answer.reason)

offer = answer.offer
print(f"offer:    fidelity {offer.fidelity:g}, {offer.pairs} pair")
print()

link = quantum_fabric.request_link(
    destination=offer.destination, distance=50, fidelity=offer.fidelity, pairs=offer.pairs, hardware="today"
)
print("asked again:", link)
with link:
    pair = next(link)
print(f"one pair of fidelity {pair.fidelity:.4f} after {show_time(pair.delivered_at)}")
plan = link.plan.links[0]
print(f"one attempt takes {show_time(plan.period)} and succeeds with probability {plan.success:.2e}")
