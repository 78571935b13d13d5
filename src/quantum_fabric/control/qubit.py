"""What a node agent knows of one of its memory slots, and the moves that are legal."""

from __future__ import annotations

from enum import Enum, auto

from quantum_fabric.errors import ProtocolError
from quantum_fabric.messages import Bell, Correlators, Joined, Side, Stretch
from quantum_fabric.physics.correlators import product
from quantum_fabric.units import Time

BELLS = tuple(Bell)


class State(Enum):
    """Life of a slot under a rule set."""

    IDLE = auto()
    """Leased, not trying."""
    ARMED = auto()
    """Trying to generate an elementary pair."""
    LIVE = auto()
    """Holds a half that may be used."""
    SWAPPING = auto()
    """A Bell measurement on it is running."""
    ASKING = auto()
    """The initiator's gate of a purification is running."""
    ASKED = auto()
    """The initiator waits for the other end's answer."""
    ANSWERING = auto()
    """The responder's gate of a purification is running."""
    READING = auto()
    """The end of a complete pair measures its half, as the rules say."""
    HELD = auto()
    """Delivered and kept for the application."""

    __hash__ = object.__hash__  # members are single objects; Enum would hash their names, in Python


MOVES: dict[State, frozenset[State]] = {
    State.IDLE: frozenset({State.ARMED}),
    State.ARMED: frozenset({State.LIVE, State.IDLE}),
    State.LIVE: frozenset(
        {State.SWAPPING, State.ASKING, State.ANSWERING, State.READING, State.HELD, State.IDLE}
    ),
    State.SWAPPING: frozenset({State.IDLE}),
    State.ASKING: frozenset({State.ASKED, State.IDLE}),
    State.ASKED: frozenset({State.LIVE, State.IDLE}),
    State.ANSWERING: frozenset({State.LIVE, State.IDLE}),
    State.READING: frozenset({State.IDLE}),
    State.HELD: frozenset({State.IDLE}),
}
"""Every legal move; anything else is a bug and raises."""

ENTANGLED = frozenset(
    {State.LIVE, State.SWAPPING, State.ASKING, State.ASKED, State.ANSWERING, State.READING, State.HELD}
)

RUNNING = frozenset({State.SWAPPING, State.ASKING, State.ANSWERING, State.READING})
"""An operation on the half is running: whatever happens to its pair is acted on when that ends."""


class Qubit:
    """A leased slot and what the agent believes of the half in it.

    Attributes:
        slot, side, link, lane: the lease.
        state: where it stands in `MOVES`.
        mine, far: elementary pairs at this end and at the other end of the chain.
        partner: node at the other end.
        frame: Bell label of the chain.
        quality: believed correlators, without the ageing of the two end halves since ``born`` and ``far_born``.
        born, far_born: from when the two end halves age: their birth, or the purification that is in ``quality``.
        birth: of this half; a stretched decay counts from there.
        far_decay: believed decay rates of the far half (x, y, z; 1/s).
        far_stretch: the stretched part of its decay, from its own birth; None for none.
        rounds: purification rounds on the present segment.
        broken: news came, while an operation was running, that the chain is gone.
        early: news that follows on news which has not come yet.
    """

    __slots__ = (
        "birth", "born", "broken", "early", "far", "far_born", "far_decay", "far_stretch", "frame", "lane", "link", "mine",
        "partner", "quality", "rounds", "side", "slot", "state",
    )  # fmt: skip

    def __init__(self, slot: int, side: Side, link: str, lane: int) -> None:
        self.slot = slot
        self.side = side
        self.link = link
        self.lane = lane
        self.state = State.IDLE
        self.clear()

    def clear(self) -> None:
        """Forget the half."""
        self.mine = self.far = self.partner = ""
        self.frame = Bell.PHI_PLUS
        self.quality: Correlators = (1.0, 1.0, 1.0)
        self.born: Time = 0
        self.far_born: Time = 0
        self.birth: Time = 0
        self.far_decay: Correlators = (0.0, 0.0, 0.0)
        self.far_stretch: Stretch | None = None
        self.rounds = 0
        self.broken = False
        self.early: tuple[Joined, ...] = ()

    def follow(self, news: Joined) -> None:
        """The chain is longer now, by this news and all that follows on it."""
        follows: Joined | None = news
        while follows is not None:
            self.partner, self.far = follows.partner, follows.far
            self.frame = BELLS[self.frame ^ follows.frame]
            self.quality = product(self.quality, follows.quality)
            self.far_born, self.far_decay = follows.far_born, follows.far_decay
            self.far_stretch = follows.far_stretch
            self.rounds = 0
            follows = self._waited() if self.early else None

    def catch_up(self) -> None:
        """Follow the news that waited for an answer."""
        waited = self._waited()
        if waited is not None:
            self.follow(waited)

    def _waited(self) -> Joined | None:
        """Early news that may be followed now; it waits no longer."""
        found = next((each for each in self.early if each.was == self.far), None)
        self.early = tuple(each for each in self.early if each is not found)
        return found

    def move(self, state: State) -> None:
        """Go to another state.

        Raises:
            ProtocolError: the move is not in `MOVES`; nothing was changed.

        Examples:
            >>> qubit = Qubit(0, Side.LEFT, "A~B", 0)
            >>> qubit.move(State.ARMED)
            >>> qubit.move(State.HELD)
            Traceback (most recent call last):
            ...
            quantum_fabric.errors.ProtocolError: slot 0 cannot go from ARMED to HELD
        """
        if state not in MOVES[self.state]:
            raise ProtocolError(f"slot {self.slot} cannot go from {self.state.name} to {state.name}")
        self.state = state
