"""Planning on beliefs, pure: topology, paths, swap order, purification, cutoffs, forecast, segmentation.

Nothing here owns a clock, a file or a generator of random numbers: the same topology and request give the
same plan.
"""

from quantum_fabric.network.topology import LinkView, NodeModel, Topology

__all__ = ["LinkView", "NodeModel", "Topology"]
