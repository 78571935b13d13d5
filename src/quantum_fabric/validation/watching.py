"""Watchers made of plain functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quantum_fabric.messages import Message
from quantum_fabric.ports import Watcher
from quantum_fabric.units import Time


def watcher(function: Callable[[Time, str, Any], object]) -> Watcher:
    """A watcher that calls a function with time, place and message, and forgets what it returns.

    Examples:
        >>> seen = []
        >>> watcher(lambda time, place, message: seen.append((time, place)))(3, "A", None)
        >>> seen
        [(3, 'A')]
    """

    def watch(time: Time, place: str, message: Message) -> None:
        function(time, place, message)

    return watch
