"""The time of a KME: the wall clock once, at the start, and from there a clock that nobody can set.

Keys expire by it. A wall clock that jumps while the server runs neither revives nor kills a key; one that is wrong at a start
is met by the rule that a key from the future is refused.
"""

from __future__ import annotations

import time

from quantum_fabric.keys import Instant


class SteadyClock:
    """Milliseconds of Unix time that never go back while the process lives.

    Examples:
        >>> clock = SteadyClock()
        >>> 0 <= clock() <= clock()
        True
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def __call__(self) -> Instant:
        """Now."""
        return (time.monotonic_ns() + self._offset) // 1_000_000
