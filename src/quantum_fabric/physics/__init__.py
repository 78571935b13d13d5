"""Physics: pure functions that say what a state is worth and what each operation does to it.

No clock, no file, no random generator, and nothing of ours imported but units and errors. Two representations of a Bell-diagonal pair
live side by side and test each other: `correlators` (three plain floats, for the event path) and `bell`, `memory`, `purification`
(arrays of weights, batch axes first). `density` and `circuits` are the oracle that knows neither: density matrices, gates, Kraus
operators. `frames` keeps the announced Bell labels, `teleport` moves a qubit, `merit` says what a pair is good for, `bounds` what no
protocol can beat, `noise` holds the records of memories and operations.

The modules are the interface: import from them, so that ``correlators.purified`` and ``purification.purify`` stay told apart.
What is re-exported here are the records that other rooms pass around; importing them loads no arrays.
"""

from quantum_fabric.physics.noise import NO_DECAY, NOISELESS, MemoryNoise, OperationNoise

__all__ = ["NOISELESS", "NO_DECAY", "MemoryNoise", "OperationNoise"]
