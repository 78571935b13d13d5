"""When links were calibrated: a fold over the run, for the report."""

from __future__ import annotations

from typing import Final

from quantum_fabric.messages import Calibrated, Message
from quantum_fabric.units import Time


class Calibrations:
    """A watcher that remembers calibrations. Subscribe it to `SEES`.

    Attributes:
        done: (end, link) of each one that succeeded, in order.
        failed: (end, link) of each one that came to nothing.

    Examples:
        >>> seen = Calibrations()
        >>> for node in "AB":
        ...     seen(7, node, Calibrated(node, "A~B", True))
        >>> seen.done, seen.failed
        ([(7, 'A~B')], [])
    """

    SEES: Final = (Calibrated,)

    def __init__(self) -> None:
        self.done: list[tuple[Time, str]] = []
        self.failed: list[tuple[Time, str]] = []
        self._seen: set[tuple[Time, str]] = set()

    def __call__(self, time: Time, place: str, message: Message) -> None:  # noqa: ARG002 (the port)
        """Note one message; both ends of a link hear of a calibration, which counts once."""
        assert isinstance(message, Calibrated)
        entry = (time, message.link)
        if entry not in self._seen:
            self._seen.add(entry)
            (self.done if message.done else self.failed).append(entry)
