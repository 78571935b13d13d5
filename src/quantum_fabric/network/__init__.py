"""Planning on beliefs, pure: topology, paths, swap order, purification, cutoffs, forecast, segmentation.

Nothing here owns a clock, a file or a generator of random numbers: the same topology and request give the
same plan.
"""

from quantum_fabric.network.forecast import forecast
from quantum_fabric.network.planning import Alternative, Survey, plan, survey
from quantum_fabric.network.topology import LinkView, NodeModel, Topology

__all__ = ["Alternative", "LinkView", "NodeModel", "Survey", "Topology", "forecast", "plan", "survey"]
