"""Pairs that a running network delivers, handed to a QKD session block by block.

Both ends measure each pair as it is handed over; its outcome is drawn from the true state that the twin reveals of it to watchers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from quantum_fabric.documents.qkd_entries import AttackSpec, QkdSpec
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Delivered, LinkRequest, Message, Truth
from quantum_fabric.physics.qkd.pair_clicks import MeasuredPairs, sample_pairs
from quantum_fabric.units import Time

if TYPE_CHECKING:
    from quantum_fabric.services.qkd.session import KeySession
    from quantum_fabric.services.qkd.sources import MeasuredSource

MOST_PAIRS: Final = 10_000_000
"""That one session may ask for; the run ends before."""


class PairFeed:
    """Asks for pairs, watches them arrive, and gives each full block to the session.

    Args:
        fabric: the network, before the session's start.
        spec: the session, without a link.
        session: takes the blocks.
        source: makes a block of what was measured.
        rng: draws settings and outcomes.
        attacks: on the session's pairs.
    """

    def __init__(
        self, fabric: Fabric, spec: QkdSpec, session: KeySession, source: MeasuredSource, rng: np.random.Generator,
        attacks: list[AttackSpec],
    ) -> None:  # fmt: skip
        self._spec, self._session, self._source, self._rng, self._attacks = (
            spec,
            session,
            source,
            rng,
            attacks,
        )
        self._mine: set[frozenset[tuple[str, str]]] = set()
        self._early: dict[frozenset[tuple[str, str]], Truth] = {}
        self._weights: list[tuple[float, ...]] = []
        self._hit: list[int] = []
        self._since: Time = spec.start
        name = f"pairs for {spec.name}"
        request = LinkRequest(spec.source, spec.destination, spec.fidelity, pairs=MOST_PAIRS, name=name)
        self._name = fabric.submit(request, spec.start)
        fabric.watch(self, Delivered, Truth)
        fabric.clock.schedule(spec.until, 0, lambda _: fabric.cancel(name))

    def __call__(self, time: Time, place: str, message: Message) -> None:  # noqa: ARG002 (the port)
        """Note a delivery or the truth of a pair; they come in either order."""
        if self._session.stopped:
            return
        if isinstance(message, Delivered) and message.request == self._name:
            key = frozenset(zip(message.ends, message.pair, strict=True))
            if key in self._early:
                self._measured(self._early.pop(key), time)
            else:
                self._mine.add(key)
        elif isinstance(message, Truth):
            key = frozenset(message.ends)
            if key in self._mine:
                self._mine.remove(key)
                self._measured(message, time)
            elif {node for node, _ in message.ends} == {self._spec.source, self._spec.destination}:
                self._early[key] = message

    def _measured(self, truth: Truth, now: Time) -> None:
        self._weights.append(truth.weights)
        on = (k for k, each in enumerate(self._attacks) if each.at <= truth.at < each.until)
        self._hit.append(next(on, -1))
        if len(self._weights) == self._spec.pairs:
            start, self._since = self._since, now
            self._source.pairs = self._outcomes()
            self._session.take(self._source.block(start, now), start, now)

    def _outcomes(self) -> MeasuredPairs:
        weights, hit = np.array(self._weights), np.array(self._hit)
        self._weights, self._hit = [], []
        seen = MeasuredPairs.none()
        for k in np.unique(hit):
            part = weights[hit == k]
            attack = self._attacks[k].attack if k >= 0 else None
            spec = self._spec
            seen = seen.then(sample_pairs(part, len(part), self._rng, spec.protocol, spec.key_basis, attack))
        order = self._rng.permutation(seen.bits.shape[1])
        return MeasuredPairs(seen.settings[:, order], seen.bits[:, order])
