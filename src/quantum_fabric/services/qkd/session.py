"""A QKD session: block after block of clicks, post-processed by two machines over the classical channel, until somebody stops it.

A block under an alarm is thrown away before any of it is corrected or hashed. A forged message ends the session: both ends would have
to be given a new bootstrap key. A block without enough key ends with its reason and the next one begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

import numpy as np

from quantum_fabric.errors import QuantityError
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.postprocessing.authentication import Budget, KeyShortageError
from quantum_fabric.keys.postprocessing.line import Line
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.keys.postprocessing.session import Receiver, Sender
from quantum_fabric.keys.postprocessing.terms import Outcome, Terms
from quantum_fabric.messages import KeyAlarm, KeyBlock
from quantum_fabric.physics.qkd.ledger import Ledger, Security
from quantum_fabric.services.qkd.alarms import Alarm, correction_alarm
from quantum_fabric.services.qkd.sources import Raw, Source
from quantum_fabric.services.qkd.wires import Conversation, Talk, Wires, Wiretap, enemy_of
from quantum_fabric.units import Time

NOT_CORRECTED: Final = ("verification found a difference", "error correction gave")
"""How the reasons of blocks begin whose strings still differ after error correction."""

REMEMBERED: Final = 10
"""Blocks that count when error correction fails again and again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What two ends agree on for a session; public.

    Attributes:
        name: of the session, the same at both ends.
        sender, receiver: nodes.
        start, until: of the session, ps.
        block: how long the photons of a block take, ps, above 0.
        every: from one block to the next, ps; at least `block`.
        security: asked of each block.
        replenish: bits of each key that go to authentication.
        bootstrap: bits of authentication key that both have beforehand; 384 are spent for a block that gives key.
        engine: ``cascade`` or ``ldpc``.

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> Plan("ab", "A", "B", 0, 10**12, 10**11, 10**11, Security(1e-9, 1e-12)).bootstrap
        2048
    """

    name: str
    sender: str
    receiver: str
    start: Time
    until: Time
    block: Time
    every: Time
    security: Security
    replenish: int = 512
    bootstrap: int = 2048
    engine: str = "cascade"

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.until:
            raise QuantityError(f"[{self.start}, {self.until})", "times that follow each other", "session")
        if not 0 < self.block <= self.every:
            raise QuantityError(f"{self.block} of {self.every} ps", "a block within its period", "block")


@dataclass(slots=True)
class Delivery:
    """The key of one block, at both ends.

    Attributes:
        name: the same at both ends, made of the session and the number of the block.
        session, number: of which block.
        ends: nodes, sender first.
        keys: whole octets at each end; equal.
        ledger: failure probabilities of the block.
    """

    name: UUID
    session: str
    number: int
    ends: tuple[str, str]
    keys: tuple[KeyMaterial, KeyMaterial]
    ledger: Ledger


Hand: TypeAlias = Callable[[Delivery], None]
Tell: TypeAlias = Callable[[str, KeyBlock | KeyAlarm], None]


@dataclass(slots=True)
class Total:
    """What a session has made so far.

    Attributes:
        blocks, delivered: how many blocks there were, and how many gave key.
        bits: of key, at each end.
        alarms: raised.
        ledger: of all delivered blocks together.
        ended: why the session ended before its time; empty where it did not.
    """

    blocks: int = 0
    delivered: int = 0
    bits: int = 0
    alarms: list[Alarm] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    ended: str = ""


class _Span(NamedTuple):
    """A block: its number, and when its photons began and ended (ps)."""

    number: int
    start: Time
    end: Time


class KeySession:
    """One session between two nodes of a network.

    Args:
        plan: what was agreed on.
        source: of clicks.
        wires: clock, delays and the future of the network.
        rng: source of announced randomness and of the bootstrap key. Seeded: keys of a simulation are not secret.
        hand: takes each key; None for nobody.
        tell: shows blocks and alarms to watchers; None for nobody.
        tap: somebody on the classical line, or None.

    Attributes:
        total: what was made so far.
        budgets: authentication key of the two ends.
        line: the classical line, with what was counted on it.

    Limits:
        Blocks are worked on one after the other: where the classical work of one takes longer than the photons of the next, the next
        waits.
        The light needs no time of its own to arrive; it is short of a block by orders of magnitude.

    Examples:
        See `tests/unit/services/qkd`; ``qfabric qkd run`` runs one.
    """

    def __init__(
        self,
        plan: Plan,
        source: Source,
        wires: Wires,
        rng: np.random.Generator,
        *,
        hand: Hand | None = None,
        tell: Tell | None = None,
        tap: Wiretap | None = None,
    ) -> None:
        self.plan, self.source, self.total = plan, source, Total()
        self._wires, self._rng, self._hand, self._tell, self._tap = wires, rng, hand, tell, tap
        shared = SecretBits(rng.bytes((plan.bootstrap + 7) // 8), plan.bootstrap)
        self.budgets = (Budget(shared), Budget(shared))
        self.line = Line(enemy=enemy_of(tap) if tap is not None else None)
        self.stopped = False
        self._busy = False
        self._failed: deque[bool] = deque(maxlen=REMEMBERED)
        self._waiting: list[tuple[_Span, Callable[[], Raw]]] = []

    def begin(self) -> None:
        """Put the first block into the future of the network."""
        self._expect(0)

    def take(self, raw: Raw, start: Time, end: Time) -> None:
        """Work on a block that was measured elsewhere, as soon as those before it are done.

        Args:
            raw: what the ends noted down.
            start: when its photons began, ps.
            end: when they ended.
        """
        number = self.total.blocks + len(self._waiting)
        self._waiting.append((_Span(number, start, end), lambda: raw))
        self._next()

    def stop(self) -> None:
        """Begin nothing any more; what is under way comes to nothing."""
        self.stopped = True

    @property
    def idle(self) -> bool:
        """Whether no block is being worked on."""
        return self.stopped or (not self._busy and not self._waiting)

    def _expect(self, number: int) -> None:
        start = self.plan.start + number * self.plan.every
        end = start + self.plan.block
        if end <= self.plan.until and not self.stopped:
            self._wires.later(end, lambda: self._measured(_Span(number, start, end)))

    def _measured(self, span: _Span) -> None:
        """The photons of a block are there."""
        if self.stopped:
            return
        self._waiting.append((span, lambda: self.source.block(span.start, span.end)))
        self._expect(span.number + 1)
        self._next()

    def _next(self) -> None:
        if self._busy or not self._waiting or self.stopped:
            return
        self._busy = True
        span, measure = self._waiting.pop(0)
        raw = measure()
        self.total.blocks += 1
        self._raise(span.number, raw.alarms)
        if raw.alarms:
            # both ends have announced what they saw, and throw it away
            self._close(span, raw, None, f"alarm: {', '.join(dict.fromkeys(a.name for a in raw.alarms))}")
            return
        if self._tap is not None:
            self._tap.next_block()
        self._talk(span, raw)

    def _talk(self, span: _Span, raw: Raw) -> None:
        plan = self.plan
        terms = Terms(
            f"{plan.name}/{span.number}".encode(),
            self.source.formula(plan.security),
            plan.security.correctness,
            intensities=self.source.intensities,
            engine=plan.engine,
            replenish=plan.replenish,
            error_rate=self.source.guess,
            joint=self.source.joint,
        )
        try:
            ends = (
                Sender(raw.sender, terms, self.budgets[0], self._rng.bytes),
                Receiver(raw.receiver, terms, self.budgets[1], self._rng.bytes),
            )
        except KeyShortageError as error:
            self._talked(span, raw, Talk(None, None, "spent", str(error)))
            return
        names = (plan.sender, plan.receiver)
        self.line = Line(enemy=self.line.enemy)
        Conversation(ends, names, self._wires, self.line, lambda talk: self._talked(span, raw, talk)).start()

    def _talked(self, span: _Span, raw: Raw, talk: Talk) -> None:
        if self.stopped:
            return
        sender, receiver = talk.sender, talk.receiver
        if talk.fault:
            self._fault(span, raw, talk)
            return
        assert sender is not None
        assert receiver is not None
        self._notice(span.number, sender.reason or receiver.reason)
        if sender.reason or receiver.reason or not len(sender.key):
            self._close(
                span, raw, sender, sender.reason or receiver.reason or "all of the key went to authentication"
            )
            return
        self._deliver(span.number, sender, receiver)
        self._close(span, raw, sender, "")

    def _notice(self, number: int, reason: str) -> None:
        """Correction that fails now and then is bad luck, again and again it is somebody's work."""
        failed = reason.startswith(NOT_CORRECTED)
        if not failed and reason and reason != "no key after error correction":
            return  # it was never corrected
        self._failed.append(failed)
        alarm = correction_alarm(self._failed) if failed else None
        if alarm is not None:
            self._raise(number, (alarm,))

    def _fault(self, span: _Span, raw: Raw, talk: Talk) -> None:
        """The conversation did not come to an end: an alarm, and the end of the session where the ends can no longer agree."""
        name = {"forged": "authentication", "silent": "silence", "spent": "authentication key"}[talk.fault]
        self._raise(span.number, (Alarm(name, 1.0, 0.0, 0.0, 1, 0.0, talk.detail),))
        if talk.fault != "silent":
            self.total.ended = f"{name}: {talk.detail}"
        elif self.budgets[0].balance != self.budgets[1].balance:
            self.total.ended = "silence: the ends have spent different amounts of authentication key"
        self.stopped = bool(self.total.ended)
        self._close(span, raw, None, f"alarm: {name}")

    def _deliver(self, number: int, sender: Outcome, receiver: Outcome) -> None:
        octets = len(sender.key) // 8
        self.total.delivered += 1
        self.total.bits += 8 * octets
        self.total.ledger = self.total.ledger.and_then(sender.ledger)
        if self._hand is not None and octets:
            keys = (
                KeyMaterial(sender.key.part(0, 8 * octets).reveal()),
                KeyMaterial(receiver.key.part(0, 8 * octets).reveal()),
            )
            ends = (self.plan.sender, self.plan.receiver)
            self._hand(
                Delivery(name_of(self.plan, number), self.plan.name, number, ends, keys, sender.ledger)
            )

    def _raise(self, number: int, alarms: tuple[Alarm, ...]) -> None:
        self.total.alarms.extend(alarms)
        for alarm in alarms:
            self._say(
                KeyAlarm(
                    self.plan.name, number, alarm.name, alarm.found, alarm.low, alarm.high, alarm.samples, alarm.chance,
                    alarm.evidence,
                )
            )  # fmt: skip

    def _close(self, span: _Span, raw: Raw, outcome: Outcome | None, reason: str) -> None:
        plan = self.plan
        got = outcome is not None and not reason
        self._say(
            KeyBlock(
                plan.name, span.number, plan.sender, plan.receiver, self.source.protocol, span.start, span.end,
                raw.detections,
                outcome.sifted if outcome else raw.sifted,
                raw.error_rate,
                8 * (len(outcome.key) // 8) if outcome is not None and got else 0,
                outcome.told if outcome is not None else 0,
                outcome.ledger.total if outcome is not None and got else 1.0,
                self.budgets[0].balance,
                reason,
            )
        )  # fmt: skip
        self._busy = False
        self._next()

    def _say(self, message: KeyBlock | KeyAlarm) -> None:
        if self._tell is not None:
            self._tell(self.plan.receiver, message)


def name_of(plan: Plan, number: int) -> UUID:
    """The name of a block, which both ends can work out for themselves.

    Examples:
        >>> plan = Plan("ab", "A", "B", 0, 10**12, 10**11, 10**11, Security(1e-9, 1e-12))
        >>> name_of(plan, 0) == name_of(plan, 0), name_of(plan, 0) == name_of(plan, 1)
        (True, False)
    """
    label = "\0".join((plan.name, plan.sender, plan.receiver, str(number)))
    return UUID(bytes=blake2b(label.encode(), digest_size=16).digest(), version=4)
