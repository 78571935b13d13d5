"""Teleport the six Pauli eigenstates over a link and compare with what the fidelity of the pairs promises.

Over a pair of fidelity F the mean teleportation fidelity is (2F + 1)/3 (Horodecki, Horodecki, Horodecki, Phys. Rev. A 60, 1888
(1999)); without entanglement nobody does better than 2/3. The receiver's half waits in memory for the two bits, and gates
have errors too, so a little less comes out.
"""

import quantum_fabric
from quantum_fabric.units import show_time

STATES = ("0", "1", "+", "-", "+i", "-i")

link = quantum_fabric.request_link("Bob", 100, 0.95, pairs=len(STATES))
fidelities, promised = [], []
with link:
    for state, pair in zip(STATES, link):
        got = pair.teleport(state)
        fidelities.append(got.fidelity)
        promised.append((2 * pair.fidelity + 1) / 3)
        bits = "".join(map(str, got.bits))
        print(
            f"|{state:>2}>  bits {bits}  took {show_time(got.received_at - got.sent_at)}  fidelity {got.fidelity:.4f}"
        )

mean = sum(fidelities) / len(fidelities)
print(
    f"mean over the six states {mean:.4f}, promised by the pairs {sum(promised) / len(promised):.4f}, classical limit {2 / 3:.4f}"
)
assert mean > 2 / 3
