"""Time and order, named random streams. Nothing quantum lives here."""

from quantum_fabric.kernel.clock import Clock, Handle
from quantum_fabric.kernel.order import Priority
from quantum_fabric.kernel.streams import Stream, Streams

__all__ = ["Clock", "Handle", "Priority", "Stream", "Streams"]
