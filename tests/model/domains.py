"""Two controllers, each with a domain, and the letters between them: the same search, with another cast.

Letters between the controllers are what may be lost, come twice and overtake each other; within a domain all arrive. A partition is a
moment from which on nothing that one controller writes to the other arrives, and another from which on it does again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from model.parts import Shelf
from model.truth import Truth
from model.world import Choice, Letter, Scene, State, World
from quantum_fabric.control.distributed.domain import DomainController, numbered
from quantum_fabric.control.distributed.flooding import TELL
from quantum_fabric.federation import Domain, split
from quantum_fabric.messages import CONTROLLER, Send, Wake
from quantum_fabric.units import MS, SECOND

BETWEEN = frozenset(
    {
        "SegmentAsk", "SegmentOffered", "SegmentRefused", "SegmentAccept", "SegmentDown", "SegmentConfirmed", "Prepared", "Declined",
        "Commit", "Renew", "Drain", "Release", "Released",
    }
)  # fmt: skip
"""Letters that controllers write to each other, some of which nodes know too."""

MAY_PART, PARTED = 1, 2
"""What the count of restarts stands for here."""


class Domains(World):
    """Steps of a scene with several controllers."""

    def __init__(self, scene: Scene, walk: bool = False) -> None:
        super().__init__(scene, walk)
        self.seat_of = {name: seat for seat, names in scene.domains.items() for name in names}
        domains = {seat: Domain(tuple(names)) for seat, names in scene.domains.items()}
        self.territories = split(self.topology, domains, self.seat_of)
        self.names = (*sorted(self.territories), *scene.slots)
        self.place = {name: place for place, name in enumerate(self.names)}
        self.place[CONTROLLER] = self.place[self.seat_of[self.requests[0].source]]
        if not walk:
            parts = [each.topology for each in self.territories.values()]
            self.shelf = Shelf(self.topology, self._known, *parts, *self.territories.values())
        self.dark = lambda seat: frozenset[str]()  # type: ignore[assignment]

    def controllers(self) -> range:
        """Places of the controllers."""
        return range(len(self.territories))

    def start(self) -> State:
        """The controllers know each other; the requests are on their way."""
        scene = self.scene
        ends = {f"{each[0]}~{each[1]}": (each[0], each[1]) for each in scene.links}
        budget = {"crash": scene.crash, "swap": scene.swap, "purify": scene.purify, "cut": scene.cut}
        truth = self._keep(Truth(ends, scene.heralds, budget, scene.transit))
        numbers = numbered(self.territories)
        deciders = {
            seat: DomainController(each, numbers[seat]) for seat, each in sorted(self.territories.items())
        }
        told = [(seat, Wake(0, TELL, 0, seat)) for seat in deciders]
        while told:
            seat, news = told.pop(0)
            told += [
                (each.to, each.message) for each in deciders[seat].handle(news, 0) if isinstance(each, Send)
            ]  # type: ignore[arg-type]
        agents = [scene.agent(name, count) for name, count in scene.slots.items()]
        seats = tuple(self.shelf.put(each) for each in (*deciders.values(), *agents))
        asks = [
            self.letters.of(Letter(self.seat_of[each.source], each, scene.transit)) for each in self.requests
        ]
        spare = (scene.lose, scene.repeat, MAY_PART if scene.part else 0, int(scene.cancel))
        return State(0, seats, truth, tuple(sorted(asks)), (), spare)

    def choices(self, state: State) -> list[Choice]:
        """Everything that may happen next; the planes part, and come together again, at any moment."""
        lose, repeat, parts, cancel = state.spare
        found = super().choices(state._replace(spare=(lose, repeat, 0, cancel)))
        told = self.truths[state.truth].requests
        if parts and any(told.get(each.name, (0, 0, 0))[2] == 0 for each in self.requests):
            found.append(Choice("part" if parts == MAY_PART else "heal", 0))
        return found

    def step(self, state: State, choice: Choice) -> State:
        """What it leads to."""
        if choice.verb in ("part", "heal"):
            lose, repeat, _, cancel = state.spare
            return state._replace(spare=(lose, repeat, PARTED if choice.verb == "part" else 0, cancel))
        return super().step(state, choice)

    def _may_fail(self, message: Any) -> bool:
        return False  # by its type alone; see `_between`

    def _between(self, seat: str, to: str) -> bool:
        return seat in self.territories and to in self.territories and seat != to

    def _sent(self, state: State, seat: str, letters: tuple[tuple[str, Any], ...]) -> list[int]:
        seat = self.names[self.place[seat]]
        sent = [(self.seat_of[seat] if to == CONTROLLER else to, news) for to, news in letters]
        parted = state.spare[2] == PARTED
        return super()._sent(
            state, seat, tuple((to, news) for to, news in sent if not (parted and self._between(seat, to)))
        )


class Careless(Domains):
    """As above, and letters to a controller that another one wrote may be lost, or come twice."""

    def _may_fail(self, message: Any) -> bool:
        if type(message).__name__ not in BETWEEN:
            return False
        node = getattr(message, "node", None)
        # a node answers its own controller within the domain; commands to nodes carry no sender, and are told apart by `choices`
        return node is None or node in self.territories

    def choices(self, state: State) -> list[Choice]:
        """Only letters to controllers fail."""
        things = self.letters.things
        return [
            each
            for each in super().choices(state)
            if each.verb not in ("lose", "repeat") or things[each.what].to in self.territories
        ]


def world_of(scene: Scene, walk: bool = False) -> World:
    """The world that a scene takes place in."""
    if not scene.domains:
        return World(scene, walk)
    return Careless(scene, walk)


PAIR = Scene(
    {"A": 1, "B": 1},
    ("AB",),
    (("AB", {}),),
    (1,),
    (3 * MS,),
    heralds=1,
    until=60 * SECOND,
    domains={"west": ("A",), "east": ("B",)},
)
"""One request over two domains: ask, offer, accept, prepare, commit, release."""
OPEN = replace(PAIR, deadlines=(None,), until=0)

DOMAINS = {
    "two domains": PAIR,
    "two domains, without a deadline": OPEN,
    "two domains, withdrawn": replace(PAIR, cancel=True),
    "two domains, a letter lost": replace(PAIR, lose=1),
    "two domains, a letter twice": replace(PAIR, repeat=1),
    "two domains, parted and together again": replace(PAIR, part=True),
    "three domains, without a deadline": replace(
        OPEN,
        slots={"A": 1, "B": 2, "C": 1},
        links=("AB", "BC"),
        paths=(("ABC", {}),),
        domains={"west": ("A",), "mid": ("B",), "east": ("C",)},
    ),
}
"""Letters between controllers; each is explored to the end."""

LONG_DOMAINS = {
    "two domains, a letter lost and one twice, parted": replace(PAIR, lose=1, repeat=1, part=True),
    "two domains, two requests for one slot": replace(
        PAIR, paths=PAIR.paths * 2, pairs=(1, 1), deadlines=(3 * MS, 3 * MS), heralds=2
    ),
}
"""Breadth first, to a budget."""
MIXED_DOMAINS = {
    "two domains, everything": replace(
        PAIR, lose=2, repeat=2, part=True, cancel=True, heralds=2, pairs=(2,)
    ),
    "three domains, everything": replace(
        DOMAINS["three domains, without a deadline"],
        deadlines=(5 * MS,), until=60 * SECOND, lose=2, repeat=2, part=True, swap=1, heralds=4,
    ),
}  # fmt: skip
"""At random."""
