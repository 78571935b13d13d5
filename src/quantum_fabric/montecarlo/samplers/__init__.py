"""Structured samplers: the law of a scenario without its events, where its structure allows that.

Each is registered with the condition under which it is the same process in law as the kernel, and says what does not hold where it is
not. They share no draws with the kernel: means, spreads, histograms and lists of pairs agree in law, single runs do not.
"""

from quantum_fabric.montecarlo.samplers.chain import Asked
from quantum_fabric.montecarlo.samplers.registry import SAMPLERS, Sampler, chosen, named, why_not

__all__ = ["SAMPLERS", "Asked", "Sampler", "chosen", "named", "why_not"]
