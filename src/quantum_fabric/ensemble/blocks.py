"""Deliveries in blocks: the kernel matches and judges the pairs that nobody looks at one by one.

It does for plain requests what `quantum_fabric.control.delivery.Deliveries` does, at the controller's seat and at the same moments.
The controller itself hears of the last pair of a request, is told how many were delivered before it answers anything else, and its
records of single pairs are written when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.control import Controller
from quantum_fabric.control.meaning import gathers
from quantum_fabric.control.session import Session
from quantum_fabric.messages import Client, Confirmed, Delivered, LinkRequest, Promise, Service, Substandard

Reader = Callable[..., Confirmed]

LABEL, NUMBER, LEFT, RIGHT, FRAME, BORN, AT, OWN, BIRTH, FAR, FAR_BIRTH = range(11)
"""Columns of the kernel's pairs."""

NO_SLOT: Final = 0


def plain(request: LinkRequest) -> bool:
    """Whether each pair of a request is handed over as it is, and judged by itself."""
    return (
        request.service is Service.KEEP
        and request.promise is Promise.DELIVERY
        and request.bell is None
        and not request.hold
        and not gathers(request)
        and request.route.paths == 1
    )


@dataclass(frozen=True, slots=True)
class Pairs:
    """The delivered pairs of a request, as columns of one length.

    Attributes:
        number: within the request, from 1.
        bell: number of the Bell state that each is announced in.
        fidelity: estimate at `delivered_at`.
        created_at: birth of the older half, ps.
        delivered_at: from when both ends may use it, ps.
    """

    number: NDArray[np.int64]
    bell: NDArray[np.int64]
    fidelity: NDArray[np.float64]
    created_at: NDArray[np.int64]
    delivered_at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.number)

    @classmethod
    def of(cls, records: Sequence[Delivered]) -> Pairs:
        """Columns of records."""
        whole = [(each.number, each.bell, each.created_at, each.delivered_at) for each in records]
        number, bell, created, delivered = np.array(whole, np.int64).reshape(-1, 4).T
        return cls(number, bell, np.array([each.fidelity for each in records]), created, delivered)

    @classmethod
    def joined(cls, parts: Sequence[Pairs]) -> Pairs:
        """One after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))


class _Terms(NamedTuple):
    """On which the kernel counts pairs."""

    session: Session
    request: LinkRequest
    epoch: int
    node: str


class _Block(NamedTuple):
    """Pairs of one request, told one after the other."""

    before: int  # so many other replies were told before them
    terms: _Terms
    whole: NDArray[np.int64]
    real: NDArray[np.float64]

    def columns(self) -> Pairs:
        good = self.whole[:, NUMBER] > 0
        whole, (x, y, z) = self.whole[good], self.real[good].T
        fidelity = (1.0 + x + y + z) / 4.0
        return Pairs(whole[:, NUMBER], whole[:, FRAME], fidelity, whole[:, BORN], whole[:, AT])


@dataclass(slots=True)
class Blocks:
    """What the kernel has counted, and for whom.

    Args:
        run: the native run.
        controller: whose deliveries these are.
        replies: what was told of each request; blocks belong between these.
        read: makes a confirmation of epoch, node and what the kernel knows of a pair.

    Attributes:
        allowed: whether requests may be counted from now on.
    """

    run: Any
    controller: Controller
    replies: dict[str, list[Client]]
    read: Reader
    allowed: bool = True
    _terms: list[_Terms] = field(default_factory=list)
    _open: dict[int, int] = field(default_factory=dict)  # epoch -> the kernel's number
    _blocks: dict[str, list[_Block]] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------- counting

    def begin(self, epoch: int, number: int) -> None:
        """The nodes of an installation (and its number in the kernel) are told to act: count its pairs, if they are plain."""
        session = self.controller.current(epoch)
        if not self.allowed or epoch in self._open or session is None or self.controller.verifier is not None:
            return
        if self.controller.bundles.serves(session.request.name):
            return  # pairs of several paths are counted together
        if plain(session.request) and session.delivered < session.request.pairs:
            self._open[epoch] = number
            self._agree(session, epoch, number)

    def _agree(self, session: Session, epoch: int, number: int) -> None:
        request, label = session.request, len(self._terms)
        self._terms.append(_Terms(session, request, epoch, request.source))
        patience = self.controller.deliveries.patience
        self.run.tally(number, label, request.fidelity, request.pairs, session.delivered, patience)

    def changed(self, name: str) -> None:
        """A request may be another one now."""
        session = self.controller.sessions.get(name)
        if session is None or session.installation is None:
            return
        epoch = session.installation.epoch
        number = self._open.get(epoch)
        if number is not None:
            self._agree(session, epoch, number)

    def end(self, epoch: int) -> None:
        """The nodes of an installation are told to stop."""
        number = self._open.pop(epoch, None)
        if number is not None:
            self.run.untally(number)

    def stop(self, letter: Callable[..., Confirmed]) -> None:
        """From now on the controller hears of each pair from both ends; what one end has said already is handed to it.

        Args:
            letter: makes a confirmation of a letter as the kernel keeps it.
        """
        self.allowed = False
        self.count()
        for epoch, number in self._open.items():
            self._hand_over(epoch, (letter(*each) for each in self.run.untally(number)))
        self._open.clear()

    def last(self, label: int, first: Confirmed) -> None:
        """The last pair of a request is complete: the controller is to decide, and knows what one end has said."""
        self.count()
        self._hand_over(self._terms[label].epoch, [first])

    def _hand_over(self, epoch: int, halves: Any) -> None:
        session = self.controller.current(epoch)
        if session is not None and session.installation is not None:
            session.installation.halves.update((each.pair, each) for each in halves)

    def count(self) -> None:
        """Tell the controller's books how many pairs were delivered."""
        for label, given in self.run.counted():
            self._terms[label].session.delivered = given

    # -------------------------------------------------------------------------------------------- telling

    def collect(self) -> None:
        """Take over what was told since the last time, so that what is told now comes after it."""
        whole, real = self.run.matched()
        if not len(whole):
            return
        order = np.argsort(whole[:, LABEL], kind="stable")
        whole, real = whole[order], real[order]
        edges = [0, *(np.flatnonzero(np.diff(whole[:, LABEL])) + 1).tolist(), len(whole)]
        for start, stop in pairwise(edges):
            terms = self._terms[int(whole[start, LABEL])]
            name = terms.request.name
            block = _Block(len(self.replies[name]), terms, whole[start:stop], real[start:stop])
            self._blocks.setdefault(name, []).append(block)

    def fill(self, name: str) -> None:
        """Write the records of all pairs of a request that were told, in their places."""
        self.collect()
        blocks = self._blocks.pop(name, None)
        if not blocks:
            return
        heard = self.replies[name]
        late = heard[blocks[0].before :]
        place = blocks[0].before
        del heard[place:]
        for number, block in enumerate(blocks):
            heard.extend(self._records(block))
            upto = blocks[number + 1].before if number + 1 < len(blocks) else place + len(late)
            heard.extend(late[block.before - place : upto - place])

    def _records(self, block: _Block) -> list[Client]:
        terms = block.terms
        return [
            self.record(
                terms, row[NUMBER], row[LEFT], row[RIGHT], row[FRAME], tuple(quality), row[BORN], row[AT],
                (row[OWN], row[BIRTH], row[FAR], row[FAR_BIRTH]),
            )
            for row, quality in zip(block.whole.tolist(), block.real.tolist(), strict=True)
        ]  # fmt: skip

    def record(
        self, terms: _Terms | int, number: int, left: int, right: int, frame: int, quality: tuple[float, ...], born: int,
        at: int, decay: tuple[int, int, int, int],
    ) -> Delivered | Substandard:  # fmt: skip
        """What is told of one pair, from what the kernel has kept of it."""
        _, request, epoch, node = self._terms[terms] if isinstance(terms, int) else terms
        pair = self.read(epoch, node, left, right, frame, quality, born, at, NO_SLOT, decay)
        return self.controller.deliveries.verdict(request, number, pair)

    def pairs(self, name: str) -> Pairs:
        """The delivered pairs of a request, without writing a record of each."""
        self.collect()
        heard, place = self.replies[name], 0
        parts: list[Pairs] = []
        for block in self._blocks.get(name, ()):
            parts += [_told(heard[place : block.before]), block.columns()]
            place = block.before
        return Pairs.joined([*parts, _told(heard[place:])])


def _told(heard: Sequence[Client]) -> Pairs:
    return Pairs.of([each for each in heard if isinstance(each, Delivered)])
