"""Scenarios, and the kernel that runs many replicas of them: flat arrays in, tables out."""

from quantum_fabric.montecarlo.compiling import Compiler, compiled
from quantum_fabric.montecarlo.results import Results
from quantum_fabric.montecarlo.running import letters_needed, opened, simulate
from quantum_fabric.montecarlo.scenario import Scenario, Session
from quantum_fabric.montecarlo.tails import Tail, tail

__all__ = [
    "Compiler",
    "Results",
    "Scenario",
    "Session",
    "Tail",
    "compiled",
    "letters_needed",
    "opened",
    "simulate",
    "tail",
]
