"""Link state by flooding: every seat tells its neighbours what it knows of its own part, and they pass on what is news to them.

No acknowledgement is needed: what a lost letter would have told is told again at the next refresh, with a later number, and what is
not refreshed runs out. So after the last change and the last lost letter, all seats that are connected agree within one refresh and
the time that a letter takes across the network.

Cost: a change is sent at most twice over each adjacency, once each way: O(E) letters (`Flood.sent` counts them).

References:
    J. M. McQuillan, I. Richer, E. C. Rosen, IEEE Trans. Commun. 28 (1980) 711; OSPF: RFC 2328 (ages, numbers, lives).
"""

from __future__ import annotations

from collections.abc import Sequence

from quantum_fabric.messages import LinkNews, LinkState, NodeNews, Send, Wake
from quantum_fabric.units import SECOND, Time

REFRESH: Time = 10 * SECOND
"""After which a seat tells again what it has told, changed or not."""

OUTLASTS = 3.5
"""A link state is valid for this many refreshes: three may be lost."""

TELL = "tell"
"""Purpose of the reminder to refresh."""


class Flood:
    """What one seat has heard of all others, and what it passes on.

    Args:
        seat: its name.
        neighbours: seats that it exchanges letters with.
        refresh: how often it tells its own state, ps.

    Attributes:
        heard: the latest link state of each origin, its own among them; some may have run out (`valid`).
        sent: letters so far.

    Examples:
        >>> west, east = Flood("west", ("east",)), Flood("east", ("west",))
        >>> (letter,) = west.tell((), (), now=0)
        >>> letter.to, east.hear(letter.message, now=5), east.hear(letter.message, now=6)
        ('east', [], [])
        >>> sorted(east.valid(now=7)), sorted(east.valid(now=36 * SECOND))
        (['west'], [])
    """

    def __init__(self, seat: str, neighbours: Sequence[str], refresh: Time = REFRESH) -> None:
        self.seat = seat
        self.neighbours = tuple(neighbours)
        self.refresh = refresh
        self.heard: dict[str, LinkState] = {}
        self.sent = 0
        self.life = 1
        self._sequence = 0

    def tell(self, nodes: Sequence[NodeNews], links: Sequence[LinkNews], now: Time) -> list[Send]:
        """Tell everybody what the own part is like now."""
        self._sequence += 1
        until = now + int(OUTLASTS * self.refresh)
        own = LinkState(self.seat, self.life, self._sequence, until, tuple(nodes), tuple(links))
        self.heard[self.seat] = own
        return self._pass_on(own, "")

    def hear(self, state: LinkState, now: Time, sender: str = "") -> list[Send]:
        """Take in a link state; what is news goes on to all other neighbours.

        Args:
            state: as it arrived.
            now: ps.
            sender: neighbour that it came from, which needs not be told; "" where that is not known.

        Returns:
            Letters to neighbours; none for what is old, or too old.
        """
        if state.until <= now or not self.is_news(state):
            return []
        if state.origin == self.seat:
            # told by an earlier life of this seat, which the others still believe: outdo it
            self.life = max(self.life, state.life + 1)
            own = self.heard.get(self.seat)
            if own is None:
                return []
            self._sequence = 0
            return self.tell(own.nodes, own.links, now)
        self.heard[state.origin] = state
        return self._pass_on(state, sender)

    def is_news(self, state: LinkState) -> bool:
        """Whether it is later than what is known."""
        known = self.heard.get(state.origin)
        return known is None or (state.life, state.sequence) > (known.life, known.sequence)

    def restart(self, life: int) -> None:
        """Begin another life, in which nothing is known."""
        self.life, self._sequence = max(life, self.life + 1), 0
        self.heard.clear()

    def valid(self, now: Time) -> dict[str, LinkState]:
        """What counts now, by origin; what has run out long ago is forgotten."""
        for origin, state in list(self.heard.items()):
            if state.until + int(OUTLASTS * self.refresh) <= now:
                del self.heard[origin]
        return {origin: state for origin, state in self.heard.items() if state.until > now}

    def again(self, now: Time) -> Wake:
        """The reminder to refresh."""
        return Wake(now + self.refresh, TELL, 0, self.seat)

    def _pass_on(self, state: LinkState, sender: str) -> list[Send]:
        letters = [
            Send(name, state) for name in self.neighbours if name not in (sender, state.origin, self.seat)
        ]
        self.sent += len(letters)
        return letters
