"""One block from detections to key: two machines, a line between them, and nothing else in common.

::

    receiver: BASES ─────────────────────────────► sender
    sender:   SETTINGS (bases, intensities), TEST_BITS ► receiver
    receiver: TEST_BITS ─────────────────────────►       both: tally, expected worth
    sender:   START (seed of permutations) ──────►
    both:     PARITIES ... or SYNDROME / NEED             both: one string
    sender:   HASH, TAG ─────────────────────────►
    receiver: VERDICT ───────────────────────────►
    sender:   SEED, SEAL ────────────────────────►       the receiver's key is free
    receiver: SEAL ──────────────────────────────►       the sender's key is free

The length of the key is what `estimation.KeyFormula` allows for the bits that the sender *told* (and the tag of verification, all
of it); the line counts the same bits on its own.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import ProtocolError
from quantum_fabric.keys.postprocessing.authentication import Authenticator, Budget
from quantum_fabric.keys.postprocessing.cascade import CascadeEnd
from quantum_fabric.keys.postprocessing.estimation import Tally, Worth, with_authentication
from quantum_fabric.keys.postprocessing.ldpc import LdpcReceiver, LdpcSender
from quantum_fabric.keys.postprocessing.messages import Kind, Message, message
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.keys.postprocessing.sifting import Record, packed, same_basis, unpacked
from quantum_fabric.keys.postprocessing.terms import Outcome, Random, Terms
from quantum_fabric.keys.postprocessing.toeplitz import hashed
from quantum_fabric.keys.postprocessing.verification import VerificationHash

Bits: TypeAlias = NDArray[np.uint8]
_Out: TypeAlias = list[Message]
_Script: TypeAlias = Generator[_Out, Message, tuple[Outcome, _Out]]
_Heard: TypeAlias = Generator[_Out, Message, Message]
_Corrected: TypeAlias = Generator[_Out, Message, tuple[SecretBits, Outcome, _Out]]


class _End:
    """What both ends do alike.

    Args:
        record: what this end knows of the detections.
        terms: the agreement.
        budget: authentication key.
        random: source of announced randomness.
    """

    role = 0

    def __init__(self, record: Record, terms: Terms, budget: Budget, random: Random = os.urandom) -> None:
        self._record, self._terms, self._random = record, terms, random
        self._budget = budget
        self._seals = Authenticator(budget, self.role, terms.session)
        self._running = self._script()
        self.outcome: Outcome | None = None

    def _script(self) -> _Script:
        raise NotImplementedError

    def start(self) -> list[bytes]:
        """What this end says first."""
        return self._write(next(self._running))

    def handle(self, written: bytes) -> list[bytes]:
        """Take one message, say what follows from it.

        Raises:
            ProtocolError: not a message, or not the one that is due. `ForgeryError` where a seal does not fit.
        """
        if self.outcome is not None:
            raise ProtocolError("a message after the end of the session")
        heard = Message.read(written)
        if heard.kind is not Kind.SEAL:
            self._seals.heard(written)
        try:
            return self._write(self._running.send(heard))
        except StopIteration as end:
            self.outcome, last = end.value
            return self._write(last)

    @staticmethod
    def _write(messages: _Out) -> list[bytes]:
        return [each.written() for each in messages]

    def _say(self, *messages: Message) -> _Out:
        """Messages on their way out, in the book at once, so that a seal that follows covers them."""
        for each in messages:
            self._seals.said(each.written())
        return list(messages)

    def _tally(self, mine: Bits, theirs: Bits, key: Bits, test: Bits, which: Bits) -> Tally:
        size = self._terms.intensities ** (2 if self._terms.joint else 1)
        chosen = test.astype(bool)
        counts = [
            np.bincount(which[key.astype(bool)], minlength=size),
            np.bincount(which[chosen], minlength=size),
            np.bincount(which[chosen][mine != theirs], minlength=size),
        ]
        if any(count.size != size for count in counts):
            raise ProtocolError("an intensity that was not agreed on")
        return Tally(*(count.astype(np.float64) for count in counts))

    def _nothing(self, reason: str, so_far: Outcome) -> tuple[Outcome, _Out]:
        return replace(so_far, key=SecretBits(b"", 0), reason=reason), []

    def _first(self, tally: Tally) -> tuple[str, Outcome]:
        """Why the block is not worth working on, and the beginning of the outcome."""
        sifted = int(tally.key[0] if self._terms.joint else tally.key.sum())
        worth = self._terms.formula(tally, 0.0)
        outcome = Outcome(SecretBits(b"", 0), "", worth.ledger, sifted, tally.error_rate)
        if sifted < self._terms.least:
            return f"{sifted} sifted bits, {self._terms.least} wanted", outcome
        return ("" if worth.length else "no key even with free error correction"), outcome

    def _worth(self, tally: Tally, told: int, tag: int) -> Worth:
        """The formula's own term for the tag, log2(2/ε), is not a whole number of bits; the difference counts as told."""
        return self._terms.formula(tally, told + tag - math.log2(2.0 / self._terms.correctness))

    def _pairs(self, sender: Bits, receiver: Bits) -> Bits:
        """Which pair of intensities each window had, the sender's first; the sender's alone where only it chooses."""
        size = self._terms.intensities
        if self._terms.joint and any(each.size and each.max() >= size for each in (sender, receiver)):
            raise ProtocolError("an intensity that was not agreed on")
        return sender * np.uint8(size) + receiver if self._terms.joint else sender

    def _raw(self, key: Bits, which: Bits) -> SecretBits:
        """The bits that the key is made of."""
        taken = key.astype(bool) & (which == 0) if self._terms.joint else key.astype(bool)
        return SecretBits.of(self._record.bits[taken])

    def _guess(self, tally: Tally) -> float:
        guess = tally.error_rate if self._terms.error_rate is None else self._terms.error_rate
        return min(max(guess, 1e-4), 0.25)

    def _finish(self, raw: SecretBits, seed: Message, worth: Worth, so_far: Outcome) -> Callable[[], Outcome]:
        """The key, for when both seals were accepted."""
        if seed.bits != len(raw) + worth.length - 1:
            raise ProtocolError("a seed of another length than the key allows")
        terms = self._terms
        whole = hashed(seed.data, raw.reveal(), len(raw), worth.length, terms.compiled)
        renewed = min(terms.replenish, worth.length)

        def free() -> Outcome:
            key = SecretBits(whole, worth.length)
            if renewed:
                self._budget.replenish(key.part(0, renewed))
            ledger = with_authentication(worth, self._seals.failure).ledger
            return replace(so_far, key=key.part(renewed, worth.length), ledger=ledger, renewed=renewed)

        return free

    def _cascade(self, raw: SecretBits, tally: Tally, seed: bytes, so_far: Outcome) -> _Corrected:
        """Both ends speak at the same time, so a round takes one delay of the line."""
        end = CascadeEnd(
            raw, self._guess(tally), int.from_bytes(seed, "little"), self.role == 1,
            self._terms.waves, self._terms.compiled,
        )  # fmt: skip
        first = self._say(message(Kind.START, seed)) if self.role == 0 else []
        while not end.done:
            data = end.speak()
            said = self._say(Message(Kind.PARITIES, end.spoken, data))
            heard = yield from _hear(Kind.PARITIES, [*first, *said])
            first = []
            end.hear(heard.data)
        reason = f"error correction gave {end.failed} frames up" if end.failed else ""
        found = replace(so_far, reason=reason, corrected=end.corrections, told=end.told, rounds=end.rounds)
        return end.result(), found, []


def _hear(kind: Kind, out: _Out) -> _Heard:
    heard = yield out
    if heard.kind is not kind:
        raise ProtocolError(f"{heard.kind.name} where {kind.name} was due")
    return heard


class Sender(_End):
    """The end that prepared the photons; its string is the one that counts.

    Examples:
        >>> from quantum_fabric.keys.postprocessing.exchange import Line, run
        >>> from quantum_fabric.keys.postprocessing.estimation import pair_formula
        >>> from quantum_fabric.physics.qkd.ledger import Security
        >>> rng = np.random.default_rng(4)
        >>> bases, bits = (rng.random(20_000) < 0.3).astype(int), rng.integers(0, 2, 20_000)
        >>> wrong = bits ^ (rng.random(20_000) < 0.01)
        >>> terms = Terms(b"doc", pair_formula(Security(1e-9, 1e-12)), 1e-12)
        >>> shared = SecretBits(bytes(range(80)), 640)
        >>> a = Sender(Record(bases, bits), terms, Budget(shared), rng.bytes)
        >>> b = Receiver(Record(bases, wrong), terms, Budget(shared), rng.bytes)
        >>> ours, theirs, _ = run(a, b, Line())
        >>> ours.key == theirs.key, ours.key
        (True, <6553 secret bits>)
    """

    role = 0

    def _script(self) -> _Script:
        mine, terms = self._record, self._terms
        theirs = yield from _hear(Kind.BASES, [])
        bases = packed(mine.bases)
        if theirs.bits != (8 * (len(bases) + len(mine)) if terms.joint else len(mine)):
            raise ProtocolError("another number of detections")
        key, test = same_basis(bases, theirs.data[: len(bases)], len(mine))
        which = np.zeros_like(mine.bases) if mine.intensities is None else mine.intensities
        settings = Message(Kind.SETTINGS, 8 * (len(bases) + which.size), bases + which.tobytes())
        pairs = self._pairs(which, np.frombuffer(theirs.data[len(bases) :], dtype=np.uint8))
        shown = mine.bits[test.astype(bool)]
        said = self._say(settings, Message(Kind.TEST_BITS, shown.size, packed(shown)))
        answer = yield from _hear(Kind.TEST_BITS, said)
        if answer.bits != shown.size:
            raise ProtocolError("another number of test bits")
        tally = self._tally(shown, unpacked(answer.data, shown.size), key, test, pairs)
        reason, so_far = self._first(tally)
        if reason:
            return self._nothing(reason, so_far)
        raw = self._raw(key, pairs)
        raw, so_far, _ = yield from self._correct(raw, tally, so_far)
        if so_far.reason:
            return self._nothing(so_far.reason, so_far)
        chance = self._random(VerificationHash.random_bytes(terms.correctness))
        chosen = VerificationHash.drawn(chance, terms.correctness)
        tag = chosen.tag(raw).to_bytes((chosen.length + 7) // 8, "little")
        said = self._say(message(Kind.HASH, chance), Message(Kind.TAG, chosen.length, tag))
        verdict = yield from _hear(Kind.VERDICT, said)
        worth = self._worth(tally, so_far.told, chosen.length)
        so_far = replace(so_far, told=so_far.told + chosen.length)
        if verdict.data != b"\x01":
            return self._nothing("verification found a difference", so_far)
        if not worth.length:
            return self._nothing("no key after error correction", so_far)
        size = len(raw) + worth.length - 1
        seed = Message(Kind.SEED, size, SecretBits(self._random((size + 7) // 8), size).reveal())
        free = self._finish(raw, seed, worth, so_far)
        said = self._say(seed)
        seal = yield from _hear(Kind.SEAL, [*said, message(Kind.SEAL, self._seals.seal(last=True))])
        self._seals.check(seal.data, last=True)
        return free(), []

    def _correct(self, raw: SecretBits, tally: Tally, so_far: Outcome) -> _Corrected:
        seed = self._random(8)
        if self._terms.engine == "cascade":
            return (yield from self._cascade(raw, tally, seed, so_far))
        end = LdpcSender(raw, self._guess(tally), int.from_bytes(seed, "little"))
        first = self._say(message(Kind.START, seed))
        while not end.done:
            data = end.speak()
            said = self._say(Message(Kind.SYNDROME, end.spoken, data))
            heard = yield from _hear(Kind.NEED, [*first, *said])
            first = []
            end.hear(heard.data)
        reason = f"error correction gave {end.failed} frames up" if end.failed else ""
        return raw, replace(so_far, reason=reason, told=end.told, rounds=end.rounds), []


class Receiver(_End):
    """The end that measured; it takes over the sender's string."""

    role = 1

    def _script(self) -> _Script:
        mine, terms = self._record, self._terms
        bases = packed(mine.bases)
        ours = np.zeros_like(mine.bases) if mine.intensities is None else mine.intensities
        opening = (
            message(Kind.BASES, bases + ours.tobytes())
            if terms.joint
            else Message(Kind.BASES, len(mine), bases)
        )
        settings = yield from _hear(Kind.SETTINGS, self._say(opening))
        if settings.bits != 8 * (len(bases) + len(mine)):
            raise ProtocolError("another number of detections")
        which = self._pairs(np.frombuffer(settings.data[len(bases) :], dtype=np.uint8), ours)
        key, test = same_basis(bases, settings.data[: len(bases)], len(mine))
        shown = mine.bits[test.astype(bool)]
        theirs = yield from _hear(Kind.TEST_BITS, [])
        if theirs.bits != shown.size:
            raise ProtocolError("another number of test bits")
        tally = self._tally(shown, unpacked(theirs.data, shown.size), key, test, which)
        reason, so_far = self._first(tally)
        answer = self._say(Message(Kind.TEST_BITS, shown.size, packed(shown)))
        if reason:
            outcome, _ = self._nothing(reason, so_far)
            return outcome, answer
        start = yield from _hear(Kind.START, answer)
        raw = self._raw(key, which)
        raw, so_far, last = yield from self._correct(raw, tally, start.data, so_far)
        if so_far.reason:
            return self._nothing(so_far.reason, so_far)[0], last
        chance = yield from _hear(Kind.HASH, last)
        chosen = VerificationHash.drawn(chance.data, terms.correctness)
        tag = yield from _hear(Kind.TAG, [])
        worth = self._worth(tally, so_far.told, chosen.length)
        so_far = replace(so_far, told=so_far.told + chosen.length)
        if int.from_bytes(tag.data, "little") != chosen.tag(raw):
            outcome, _ = self._nothing("verification found a difference", so_far)
            return outcome, self._say(message(Kind.VERDICT, b"\x00"))
        good = self._say(message(Kind.VERDICT, b"\x01"))
        if not worth.length:
            outcome, _ = self._nothing("no key after error correction", so_far)
            return outcome, good
        seed = yield from _hear(Kind.SEED, good)
        free = self._finish(raw, seed, worth, so_far)
        seal = yield from _hear(Kind.SEAL, [])
        self._seals.check(seal.data, last=True)
        # before the budget grows, as at the other end
        ending = message(Kind.SEAL, self._seals.seal(last=True))
        return free(), [ending]

    def _correct(self, raw: SecretBits, tally: Tally, seed: bytes, so_far: Outcome) -> _Corrected:
        if self._terms.engine == "cascade":
            return (yield from self._cascade(raw, tally, seed, so_far))
        end = LdpcReceiver(
            raw, self._guess(tally), int.from_bytes(seed, "little"), compiled=self._terms.compiled
        )
        out: _Out = []
        while not end.done:
            heard = yield from _hear(Kind.SYNDROME, out)
            end.hear(heard.data)
            data = end.speak()
            out = self._say(Message(Kind.NEED, end.spoken, data))
        reason = f"error correction gave {end.failed} frames up" if end.failed else ""
        found = replace(so_far, reason=reason, corrected=end.corrections, told=end.told, rounds=end.rounds)
        return end.result(), found, out
