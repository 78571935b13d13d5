"""Quantum Fabric: entanglement as an infrastructure service."""
