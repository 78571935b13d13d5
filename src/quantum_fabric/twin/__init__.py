"""The plant simulated: obeys commands, reports events where they happen, keeps the truth."""

from quantum_fabric.twin.lanes import Lane, TwinLink
from quantum_fabric.twin.plant import Twin
from quantum_fabric.twin.qubits import TwinNode
from quantum_fabric.twin.states import STATES

__all__ = ["STATES", "Lane", "Twin", "TwinLink", "TwinNode"]
