"""Deciders with one thing wrong each, to see that the checks would find it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from model.domains import DOMAINS
from model.scenes import (
    CHAIN,
    CHANGED,
    CHANGES,
    COORDINATION,
    CRASHING,
    HOP,
    QUICK,
    REPORTED,
    RIVALS,
    ROUND,
    SETTLED,
    SURE,
    UNREACHED,
)
from model.world import Scene
from quantum_fabric.control import Controller, NodeAgent
from quantum_fabric.control.circuit import Circuit
from quantum_fabric.control.delivery import Deliveries
from quantum_fabric.control.distil import Distiller
from quantum_fabric.control.distributed.head import Head
from quantum_fabric.control.distributed.segments import Segments
from quantum_fabric.control.installations import Installations
from quantum_fabric.control.recovery import Recovery
from quantum_fabric.control.renegotiation import Renegotiation
from quantum_fabric.control.transport import Endpoint
from quantum_fabric.messages import Bell, Commit, Joined, Lost, Release, Send

PREPARED, RETIRE, CONFIRMED = Installations.prepared, Controller.retire, Deliveries.confirmed
RELEASE, WAKE, SWAPPED = NodeAgent._release, NodeAgent._wake, Circuit.swapped
EXTENSION, JOINED, DELIVER = Circuit._extension, Circuit.joined, Circuit._deliver_what_can


@dataclass(frozen=True)
class Mutant:
    """One thing wrong.

    Attributes:
        owner, method, wrong: what is put in the place of what.
        scene: where it shows.
        symptom: what the search says of it.
        name: its own.
    """

    owner: type
    method: str
    wrong: Callable[..., Any]
    scene: Scene
    symptom: str
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.wrong.__name__)

    def __enter__(self) -> None:
        self.wrong.__name__ = self.method  # copies of deciders look their handlers up by name
        patcher = patch.object(self.owner, self.method, self.wrong)
        patcher.start()
        object.__setattr__(self, "_patcher", patcher)

    def __exit__(self, *_: object) -> None:
        self.__dict__["_patcher"].stop()


def commits_at_once(self: Any, message: Any, now: Any) -> Sequence[Any]:
    """Does not wait until every node is prepared (the second phase is no barrier)."""
    out = PREPARED(self, message, now)
    session = self.current(message.epoch)
    if not out and session is not None and session.phase.name == "PREPARING":
        session.installation.waiting.clear()
        session.phase = type(session.phase).RUNNING
        return [Send(node, Commit(message.epoch)) for node in session.plan.path]
    return out


def frees_too_early(self: Any, session: Any, now: Any, out: list[Any]) -> None:
    """Takes the slots back when it says so, not when the node does."""
    installation = session.installation
    RETIRE(self, session, now, out)
    for node in installation.plan.path:
        self.ledger.release(installation.epoch, node)


def delivers_half(self: Any, message: Any, now: Any) -> Sequence[Any]:
    """One end's word is enough."""
    out = CONFIRMED(self, message, now)
    return out or CONFIRMED(self, replace(message, node={"A": "B", "B": "A"}[message.node]), now)


def commits_any_epoch(self: Any, message: Any, now: Any) -> Sequence[Any]:
    """Starts whatever it has been told to prepare."""
    return [action for circuit in self._circuits.values() for action in circuit.start()]


def forgets_releases(self: Any, message: Any, now: Any) -> Sequence[Any]:
    """Would lease again for an epoch that is over."""
    out = RELEASE(self, message, now)
    self._over.clear()
    return out


def keeps_leases(self: Any, message: Any, now: Any) -> Sequence[Any]:
    """Takes no notice of the end of a lease."""
    return () if message.purpose == "lease" else WAKE(self, message, now)


def delivers_anything(self: Any, rule: Any, now: Any, out: list[Any]) -> None:
    """Uses a half before it has heard of the other end."""
    for qubit in self.qubits.values():
        if qubit.state.name == "LIVE":
            DELIVER(self, replace(rule, partner=qubit.partner), now, out)


def forgets_frames(self: Any, *given: Any) -> Joined:
    """Tells the ends nothing of the outcome of its Bell measurement."""
    return replace(EXTENSION(self, *given), frame=Bell.PHI_PLUS)


def hides_losses(self: Any, event: Any, now: Any) -> list[Any]:
    """Says nothing of a Bell measurement that failed."""
    return [
        each
        for each in SWAPPED(self, event, now)
        if not (isinstance(each, Send) and isinstance(each.message, Lost))
    ]


def swaps_labels_twice(self: Any, news: Joined, now: Any) -> list[Any]:
    """Follows news that does not follow on what it knows."""
    qubit = self._by_name.get(news.mine)
    return JOINED(self, news if qubit is None else replace(news, was=qubit.far), now)


def answers_twice(self: Any, ask: Any, now: Any) -> bool:
    """Judges an ask that comes twice anew."""
    return False


def believes_old_answers(self: Any, answer: Any, now: Any, out: list[Any]) -> None:
    """Drops the kept pair of an ask where its answer comes, whatever it says."""
    ANSWERED(self, replace(answer, success=False), now, out)


def follows_before_the_answer(self: Any, news: Joined, now: Any) -> list[Any]:
    """Follows news of a pair whose purification it has not heard the end of; the answer then overwrites the label."""
    qubit = self._by_name.get(news.mine)
    if qubit is not None and qubit.state.name == "ASKED" and news.was == qubit.far:
        qubit.follow(news)
        return []
    return JOINED(self, news, now)


def frees_at_once(self: Any, message: Any, now: Any) -> Sequence[Any]:
    """Takes the slots of a node that lives again for free, whatever may be on its way to it."""
    epochs = {lease.epoch for lease in self._books.ledger.leases() if lease.node == message.node}
    out = RESTARTED(self, message, now)
    for epoch in epochs:
        self._books.ledger.release(epoch, message.node)
    return out


def gives_up_at_once(self: Any, wake: Any, now: Any) -> Any:
    """Never sends a letter again."""
    return [], []


def keeps_no_guard(self: Any, tardy: Any, guard: Any) -> None:
    """Takes the clocks of nodes to be right."""
    BEAR(self, tardy, 0)


def believes_old_reports(self: Any, report: Any) -> bool:
    """Takes whatever comes last for the latest."""
    return False


def counts_anew(self: Any, old: Any, new: Any, now: Any, out: list[Any]) -> None:
    """Forgets on new terms what was delivered on the old ones."""
    SUCCEED(self, old, new, now, out)
    new.delivered = 0


def keeps_the_old(self: Any, old: Any, new: Any, now: Any, out: list[Any]) -> None:
    """Makes, and never breaks: the old installation stays beside the new one."""
    new.delivered = old.delivered
    self.sessions[new.request.name] = new


def breaks_before_it_makes(self: Any, successor: Any, change: Any, now: Any, out: list[Any]) -> None:
    """Stops the old installation when it begins the new one."""
    old = self._books.sessions[change.name].installation
    out.extend(Send(node, Release(old.epoch)) for node in old.plan.path)
    MAKE(self, successor, change, now, out)


def keeps_offers(self: Any, epoch: Any, now: Any) -> list[Any]:
    """Keeps the slots of an offer that nobody took."""
    return []


def gives_back_at_once(self: Any, message: Any, now: Any) -> list[Any]:
    """A domain that takes the slots of a segment back when it is told to, not when its nodes let go."""
    segment = self.open.get(message.epoch)
    out = RELEASED_BY_HEAD(self, message, now)
    if segment is not None and segment.waiting is not None:
        for name in segment.slots:
            self._ledger.release(message.epoch, name)
    return out


def begins_with_the_first(self: Any, message: Any, now: Any) -> list[Any]:
    """Lets everybody act when the first domain is ready."""
    out = READY(self, message, now)
    session = self.current(message.epoch)
    if not out and session is not None and session.phase.name == "PREPARING":
        session.installation.waiting = {message.node}
        return READY(self, message, now)
    return out


def hides_the_dark(self: Any, event: Any, now: Any) -> Sequence[Any]:
    """Tells nobody that a link has gone dark."""
    return LINK_CHANGED(self, event, now) if event.up else ()


MAKE, RELEASED_BY_HEAD, READY = Renegotiation._make, Segments._released_by_head, Head.prepared
SUCCEED, LINK_CHANGED = Controller.succeed, NodeAgent._link_changed
RESTARTED, BEAR = Recovery.restarted, Controller.bear
ANSWERED = Distiller.answered
OPEN = {"deadlines": (None,), "until": 0}

MUTANTS = [
    Mutant(Installations, "prepared", commits_at_once, replace(HOP, **OPEN), "stuck"),
    Mutant(Controller, "retire", frees_too_early, HOP, "in the ledger: None"),
    Mutant(Deliveries, "confirmed", delivers_half, HOP, "have not both confirmed"),
    Mutant(
        NodeAgent, "_commit", commits_any_epoch,
        replace(RIVALS, heralds=0, repeat=1, only=frozenset({"Commit"}), cancel=True, until=0), "of another epoch",
    ),
    Mutant(NodeAgent, "_release", forgets_releases, replace(HOP, cancel=True), "in the ledger: None"),
    Mutant(NodeAgent, "_wake", keeps_leases, replace(HOP, lose=1), "keeps leases for ever"),
    Mutant(Circuit, "_deliver_what_can", delivers_anything, replace(CHAIN, **SETTLED), "has been used"),
    Mutant(Circuit, "_extension", forgets_frames, replace(CHAIN, **SETTLED), "wrongly"),
    Mutant(Circuit, "swapped", hides_losses, replace(CHAIN, swap=1, heralds=2, **SETTLED), "stuck"),
    Mutant(
        Circuit, "joined", swaps_labels_twice,
        replace(CHAIN, slots={"A": 1, "B": 2, "C": 2, "D": 1}, links=("AB", "BC", "CD"), paths=(("ABCD", {}),), **SETTLED),
        "",
    ),
    Mutant(Distiller, "_twice", answers_twice, replace(ROUND, repeat=1, only=COORDINATION, **SETTLED), "half-open"),
    Mutant(Circuit, "joined", follows_before_the_answer, QUICK["rounds on the links of a chain"], "wrongly"),
    Mutant(Distiller, "answered", believes_old_answers, replace(ROUND, **SETTLED), "half-open"),
    Mutant(Recovery, "restarted", frees_at_once, CRASHING, "in the ledger: None"),
    Mutant(Endpoint, "woken", gives_up_at_once, SURE["one hop, a letter lost, without a deadline"], "stuck"),
    Mutant(Controller, "bear", keeps_no_guard, UNREACHED, "in the ledger: None"),
    Mutant(Controller, "succeed", counts_anew, CHANGED, "is delivered after 1 pairs"),
    Mutant(Controller, "succeed", keeps_the_old, CHANGED, ""),
    Mutant(Renegotiation, "_make", breaks_before_it_makes, CHANGES["other terms, when all is running"], "broken before"),
    Mutant(Renegotiation, "_make", breaks_before_it_makes, CHANGES["a link wears out, another path"], "broken before"),
    Mutant(Segments, "ran_out", keeps_offers, DOMAINS["two domains, parted and together again"], "keeps leases for ever"),
    Mutant(Segments, "_released_by_head", gives_back_at_once, DOMAINS["two domains, withdrawn"], "in the ledger: None"),
    Mutant(Head, "prepared", begins_with_the_first, DOMAINS["two domains, without a deadline"], "stuck"),
    Mutant(NodeAgent, "_link_changed", hides_the_dark, CHANGES["a link is cut, a backup stands ready"], "light comes"),
    Mutant(Recovery, "is_old", believes_old_reports, replace(REPORTED, heralds=0), "believes"),
]  # fmt: skip
