"""Repeaters that correct errors: the same distance without a code and with two of them, and logical pairs that are measured.

Every node has 40 memories. Each station reads two blocks, decodes by itself and sends two bits; nobody waits for an answer. The true
error of each logical pair is known to the simulation only, and is counted here to check the estimate.
"""

import math

import quantum_fabric
from quantum_fabric.physics.codes.catalogue import CODES
from quantum_fabric.physics.codes.decoding import logical_error

print("a block whose qubits are flipped with probability p is read wrongly with probability")
print(f"{'p':>7}  " + "  ".join(f"{name:>12}" for name in ("repetition-3", "steane", "bacon-shor")))
for p in (0.1, 0.01, 0.001):
    rows = (logical_error(CODES[name], "x", p) for name in ("repetition-3", "steane", "bacon-shor"))
    print(f"{p:>7g}  " + "  ".join(f"{wrong:>12.2e}" for wrong in rows))

print()
for name in ("bare", "phase-repetition-3", "steane"):
    link = quantum_fabric.request_link(
        "Bob", 40, fidelity=0.97, pairs=200, error_correction=name, memories=40, seed=5
    )
    plan = link.plan
    expected = 200 * (1 - plan.logical.fidelity.value)
    with link:
        wrong = sum(pair.error != 0 for pair in link)
    agrees = abs(wrong - expected) < 5 * math.sqrt(expected) + 1
    print(f"{name}: {plan.segments.code.title}")
    print(f"  blocks of {plan.segments.code.n}; fidelity at least 0.97: {plan.logical.fidelity.low >= 0.97}")
    print(f"  true errors of 200 pairs agree with the plan: {agrees}")

print()
refused = quantum_fabric.request_link("Bob", 40, fidelity=0.97, error_correction="steane", memories=8)
print(f"with 8 memories: {refused.code.value}, {refused.reason}")
