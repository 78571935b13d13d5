"""A pair counts when the controller knows of it: word of it travels from both ends, and a deadline waits for nobody."""

from __future__ import annotations

from dataclasses import replace

from quantum_fabric.messages import LinkRequest
from quantum_fabric.network.topology import Topology
from quantum_fabric.units import Time


def telling(request: LinkRequest, topology: Topology) -> Time:
    """For how long word of a complete pair is on its way from the ends of a request to the controller, ps.

    Args:
        request: whose pairs.
        topology: what is believed.
    """
    return max(topology.delays[end, topology.controller] for end in (request.source, request.destination))


def told_by(request: LinkRequest, topology: Topology) -> LinkRequest:
    """A request whose pairs must be complete early enough that the controller knows of them by its deadline.

    Args:
        request: whose deadline counts from now.
        topology: what is believed.

    Returns:
        The same with a deadline for the ends, at least 1 ps: nothing is ever done by then.
    """
    if request.deadline is None:
        return request
    return replace(request, deadline=max(1, request.deadline - telling(request, topology)))


def untold(offer: LinkRequest, topology: Topology) -> LinkRequest:
    """The inverse, for what is offered."""
    if offer.deadline is None:
        return offer
    return replace(offer, deadline=offer.deadline + telling(offer, topology))
