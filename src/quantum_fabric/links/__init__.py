"""Devices composed into heralded links: attempt period, success probability, state given a herald.

One file for each architecture, one record for each of them in the `catalogue`. Everybody else sees a `LinkModel`.
"""

from quantum_fabric.links.architecture import Architecture, Parameter
from quantum_fabric.links.catalogue import CATALOGUE, build
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.links.model import Heralding, HeraldOutcome, Knob, LinkModel, Weights
from quantum_fabric.links.parts import Parts

__all__ = [
    "CATALOGUE",
    "Architecture",
    "FixedLink",
    "HeraldOutcome",
    "Heralding",
    "Knob",
    "LinkModel",
    "Parameter",
    "Parts",
    "Weights",
    "build",
]
