"""Slots and lanes that are set aside for failures, and shared by those that no single failure can touch together.

A request that must survive a failure has a second plan, whose slots nobody else may have. Two requests whose first paths have nothing
in common never need theirs at once, as long as one thing fails at a time: then the greater of the two is enough for both.

Equation: at each node and link, ``max over failures f of the sum over requests that f touches`` is set aside (shared path protection;
    Ramamurthy, Sahasrabuddhe, Mukherjee, J. Lightwave Technol. 21, 870 (2003)).

Limits:
    For one failure at a time. After it, those that shared with whoever took the slots have less until something comes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.rules import lanes_wanted, slots_wanted
from quantum_fabric.messages import Plan

Thing: TypeAlias = tuple[str, str]
"""What is set aside: ("slots", node) or ("lanes", link)."""


class Spare(NamedTuple):
    """A plan that stands ready.

    Attributes:
        plan: what takes over.
        risks: links and repeaters of the plan in force, each of which may fail.
        ends: of the path. Their failure ends the request, but for a moment it may seem to be their links that failed.
        wanted: slots and lanes of the plan that takes over.
    """

    plan: Plan
    risks: frozenset[str]
    ends: frozenset[str]
    wanted: Mapping[Thing, int]


def risks(plan: Plan) -> frozenset[str]:
    """Links and repeaters of a plan."""
    return frozenset({*plan.path[1:-1], *(link.link for link in plan.links)})


def spare(primary: Plan, backup: Plan) -> Spare:
    """A second plan with what it stands ready for."""
    wanted = {("slots", node): count for node, count in slots_wanted(backup).items()}
    wanted |= {("lanes", link): count for link, count in lanes_wanted(backup).items()}
    return Spare(backup, risks(primary), frozenset({primary.path[0], primary.path[-1]}), wanted)


class Spares:
    """All that stands ready.

    Args:
        ledger: told what is to be set aside.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._spares: dict[str, Spare] = {}
        self._at: dict[Thing, dict[str, Spare]] = {}
        self._ending: dict[str, dict[str, Spare]] = {}
        self._risks: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many plans stand ready."""
        return len(self._spares)

    def __getitem__(self, name: str) -> Plan:
        """The plan that stands ready for a request.

        Raises:
            KeyError: none does.
        """
        return self._spares[name].plan

    def __contains__(self, name: str) -> bool:
        """Whether a plan stands ready for a request."""
        return name in self._spares

    def over(self, link: str) -> tuple[str, ...]:
        """Requests whose second plan uses a link."""
        return tuple(self._at.get(("lanes", link), ()))

    def at(self, node: str) -> tuple[str, ...]:
        """Requests whose second plan uses a node."""
        return tuple(self._at.get(("slots", node), ()))

    def put(self, name: str, primary: Plan, backup: Plan) -> None:
        """Let a plan stand ready for a request, in place of what did before."""
        self.drop(name)
        made = self._spares[name] = spare(primary, backup)
        for thing in made.wanted:
            self._at.setdefault(thing, {})[name] = made
        for end in made.ends:
            self._ending.setdefault(end, {})[name] = made
        self._risks.update(made.risks)
        self._settle(made)

    def drop(self, name: str) -> Plan | None:
        """Nothing stands ready for a request any more; returns what did."""
        gone = self._spares.pop(name, None)
        if gone is None:
            return None
        for thing in gone.wanted:
            del self._at[thing][name]
        for end in gone.ends:
            del self._ending[end][name]
        self._risks.subtract(gone.risks)
        self._settle(gone)
        return gone.plan

    def shared(self, thing: Thing, primary: Plan) -> int:
        """What is set aside of something for failures that touch this plan too; what is set aside beyond that, it may share.

        Args:
            thing: slots of a node or lanes of a link.
            primary: for whose failure something may come to stand ready.
        """
        if not self._at.get(thing):
            return 0
        sums = self._sums(thing)
        return max((sums[risk] for risk in risks(primary)), default=0)

    def affects(self, new: Spare) -> set[Thing]:
        """What may be needed more of than before if this stood ready too."""
        things = set(new.wanted)
        for risk in new.risks:
            for other in self._ending.get(risk, {}).values():
                things |= set(other.wanted)
        return things

    def needed(self, thing: Thing, new: Spare | None = None) -> int:
        """What must be set aside of something, with a new request or without one."""
        sums, known = self._sums(thing), self._risks
        if new is not None:
            for risk in (*new.risks, *new.ends):
                sums[risk] += new.wanted.get(thing, 0)
            known = known + Counter(new.risks)
        return max((count for risk, count in sums.items() if known[risk] > 0), default=0)

    def _sums(self, thing: Thing) -> Counter[str]:
        sums: Counter[str] = Counter()
        for each in self._at.get(thing, {}).values():
            for risk in (*each.risks, *each.ends):
                sums[risk] += each.wanted[thing]
        return sums

    def _settle(self, changed: Spare) -> None:
        """Tell the ledger, of what is used and of what may now be wanted by others who end where it passes."""
        slots: dict[str, int] = {}
        lanes: dict[str, int] = {}
        for kind, name in self.affects(changed):
            (slots if kind == "slots" else lanes)[name] = self.needed((kind, name))
        self._ledger.set_aside(slots, lanes)
