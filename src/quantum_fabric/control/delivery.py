"""What the controller says of a pair that both ends have confirmed: delivered, withheld, or dropped later."""

from __future__ import annotations

from quantum_fabric.control.estimate import fidelity, interval, lifetime
from quantum_fabric.messages import CLIENT, Confirmed, Delivered, LinkRequest, Lost, PairId, Send, Substandard


def later_of(first: Confirmed, second: Confirmed) -> Confirmed:
    """The confirmation of the end that heard last: from then on both may use the pair, and it holds the belief for then."""
    return first if first.at > second.at else second


def delivered(
    request: LinkRequest, number: int, first: Confirmed, second: Confirmed, tolerance: float
) -> Delivered:
    """The record of a pair that is good enough.

    Args:
        request: whose pair it is.
        number: within the request, from 1.
        first: confirmation of one end.
        second: confirmation of the other.
        tolerance: relative error of the believed losses, for the interval.
    """
    later = later_of(first, second)
    slots = {first.node: first.slot, second.node: second.slot}
    low, high = interval(later.quality, tolerance)
    return Delivered(
        request=request.name,
        number=number,
        pair=later.pair,
        ends=(request.source, request.destination),
        bell=later.bell,
        fidelity=fidelity(later.quality),
        low=low,
        high=high,
        created_at=min(first.born, second.born),
        delivered_at=later.at,
        expires_at=later.at
        + lifetime(later.quality, later.decay, request.fidelity, later.stretches, later.at),
        slots=(slots[request.source], slots[request.destination]) if request.hold else None,
    )


def withheld(request: LinkRequest, pair: Confirmed) -> list[Send]:
    """A pair that is worse than what was asked for is not delivered; if it is held, its ends let go of it."""
    verdict = Substandard(request.name, pair.pair, fidelity(pair.quality), request.fidelity)
    out = [Send(CLIENT, verdict)]
    if request.hold:
        out.extend(dropped(request, pair.epoch, pair.pair, "below the floor"))
    return out


def dropped(request: LinkRequest, epoch: int, pair: PairId, why: str) -> list[Send]:
    """Tell both ends to let go of a held pair (an end that has used its half already takes no notice)."""
    ends = ((request.source, pair.left), (request.destination, pair.right))
    return [Send(node, Lost(epoch, mine, why)) for node, mine in ends]
