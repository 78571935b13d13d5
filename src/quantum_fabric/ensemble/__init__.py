"""Networks at speed: many replicas of one (`run`), or one that lives with its controller in Python (`LiveFabric`)."""

from quantum_fabric.ensemble.live import LiveFabric
from quantum_fabric.ensemble.replicas import run, scenario

__all__ = ["LiveFabric", "run", "scenario"]
