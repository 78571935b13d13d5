"""The entanglement table's estimates, with what tests have shown of the request that a pair belongs to."""

from __future__ import annotations

from quantum_fabric.control.entangled import TOLERANCE, Estimate, Pair
from quantum_fabric.control.estimate import fidelity
from quantum_fabric.control.verification.verifier import powered
from quantum_fabric.messages import LinkRequest, Message, Verified
from quantum_fabric.units import Time


class Sight:
    """A watcher that answers for pairs of the table.

    Let it see `SEES`: ``fabric.watch(sight, *Sight.SEES)``.

    Examples:
        >>> sight = Sight()
        >>> sight(0, "controller", LinkRequest("A", "C", 0.9, name="r"))
        >>> sight(5, "client", Verified("r", 0.8, 0.7, 0.9, 0.6, 1.0, (2.0, 3.0, 1.0), 0.1, 90, 90, 5000, 5))
        >>> sight.losses("r")
        (2.0, 3.0, 1.0)
    """

    SEES = (LinkRequest, Verified)
    """What it wants to be shown."""

    def __init__(self) -> None:
        self._ends: dict[str, frozenset[str]] = {}
        self._losses: dict[str, tuple[float, float, float]] = {}

    def __call__(self, time: Time, place: str, message: Message) -> None:
        """Note one message."""
        match message:
            case LinkRequest():
                self._ends[message.name] = frozenset((message.source, message.destination))
            case Verified():
                self._losses[message.request] = message.losses

    def losses(self, request: str) -> tuple[float, float, float] | None:
        """Powers of the believed correlators for (estimate, low, high); None where nothing was tested."""
        return self._losses.get(request)

    def estimate(self, pair: Pair, at: Time, tolerance: float = TOLERANCE) -> Estimate:
        """Fidelity of a pair at a time, with its interval: from tests where its two ends are those of a request that was tested.

        Raises:
            StateError: it is no pair yet.
        """
        believed = pair.estimate(at, tolerance)
        losses = self._losses.get(pair.request)
        if losses is None or self._ends.get(pair.request) != frozenset(pair.nodes):
            return believed
        quality = pair.correlators(at)
        return Estimate(*(fidelity(powered(quality, each)) for each in losses))
