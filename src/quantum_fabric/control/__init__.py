"""Deciders: the controller (slow path) and the node agents (fast path). They own no clock, socket, file or random number."""

from quantum_fabric.control.agent import NodeAgent
from quantum_fabric.control.controller import Controller
from quantum_fabric.control.ledger import Lease, Ledger

__all__ = ["Controller", "Lease", "Ledger", "NodeAgent"]
