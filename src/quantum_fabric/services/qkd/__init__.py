"""Quantum key distribution as a service: clicks of a link in, key bits at both ends out, with alarms and with the books kept.

PulseSource, PairSource, MeasuredSource  clicks of a block, as both ends note them down
StationSource                            the same of a station that nobody trusts, between two senders (MDI-QKD)
Expectation, Tolerance                   what an honest link would show, and how far from it is no alarm
KeySession, Plan, Delivery               blocks, one after the other, over the classical channel of a network
stance, SIGNATURES                       which attack is seen by what, and which by nothing

Needs the extra ``server`` (for `quantum_fabric.keys`).
"""
