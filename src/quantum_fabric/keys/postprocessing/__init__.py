"""From detections at two places to one secret key: sifting, estimation, correction, verification, amplification, authentication.

The two ends are separate machines (`session.Sender`, `session.Receiver`) that see nothing of each other but messages; the line
between them counts every bit about the key that crosses it. Hot loops exist twice: in NumPy, and compiled
(`quantum_fabric_native`, built where there is a compiler); the two agree bit for bit.

Randomness that is announced (permutations, hash seeds) comes from a source that is handed in; keys never print themselves.
"""
