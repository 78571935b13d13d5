"""Wegman-Carter authentication with a budget: every message is under a tag, every tag costs key, and the books are kept.

**Tag.** ``t = h_r(what was said) + s mod 2^128`` with `polynomial_hash`, a secret r that stays and a fresh secret s of 128 bits
for each tag. Whoever sees any number of tags and tries D forgeries succeeds with at most ``D·8 ceil(L/16)/2^106`` (Wegman,
Carter, J. Comput. Syst. Sci. 22, 265 (1981); Bernstein, FSE 2005), L the bytes under the tag. One refused tag ends the session: D
is 1.

**What is under a tag.** Each end writes down everything it says and hears, with direction and running number. A *seal* is the tag
over all that was said by *one* end since its last seal. A message that was changed, dropped, repeated, moved or sent back gives
another text, and the seal is refused. Nothing that rests on unsealed messages leaves the session.

**Budget.** The two ends start with the same secret bits (`Budget`), spend them in the same order, and put a part of each new key
back. With a pad that is ε-close to uniform the error of each round adds ε (composability); r should be renewed now and then,
because what partly known pads give away about r adds up (Abidin, Larsson, arXiv:1109.5168): `Authenticator.renew`.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass

import numpy as np

from quantum_fabric.errors import ProtocolError, QuantityError, StateError
from quantum_fabric.keys.postprocessing.polynomial import collision_bound, polynomial_hash
from quantum_fabric.keys.postprocessing.secret import SecretBits

TAG_BITS = 128
POINT_BITS = 128


class ForgeryError(ProtocolError):
    """A tag does not fit what was heard. The session ends; no key comes out of it."""


class KeyShortageError(StateError):
    """The authentication key is spent. Nothing was taken."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the books.

    Attributes:
        purpose: what for.
        bits: put in (above 0) or taken out (below 0).
        balance: afterwards.
    """

    purpose: str
    bits: int
    balance: int


class Budget:
    """Secret bits for authentication, the same at both ends, taken once each and from the front.

    Args:
        bootstrap: shared beforehand.
        reserve: bits that only `take(..., last=True)` may touch, to end a session in order.

    Examples:
        >>> budget = Budget(SecretBits(bytes(range(64)), 512), reserve=128)
        >>> len(budget.take(128, "tag")), budget.balance
        (16, 384)
        >>> budget.take(300, "tag")
        Traceback (most recent call last):
        ...
        quantum_fabric.keys.postprocessing.authentication.KeyShortageError: 300 bits wanted for tag, 256 to spend
        >>> budget.replenish(SecretBits(bytes(16), 128))
        >>> [entry.bits for entry in budget.entries], budget.spent
        ([512, -128, 128], 128)
    """

    def __init__(self, bootstrap: SecretBits, reserve: int = 0) -> None:
        if reserve < 0:
            raise QuantityError(found=str(reserve), expected="0 or more", where="reserve")
        self._bits = SecretBits(bootstrap.reveal(), len(bootstrap))
        self._reserve = reserve
        self.entries: list[Entry] = []
        self._book("bootstrap", len(bootstrap))

    @property
    def balance(self) -> int:
        """Bits that are left, the reserve included."""
        return len(self._bits)

    @property
    def spent(self) -> int:
        """Bits that were taken."""
        return -sum(entry.bits for entry in self.entries if entry.bits < 0)

    def take(self, bits: int, purpose: str, last: bool = False) -> bytes:
        """The next bits, packed; they are gone.

        Raises:
            KeyShortageError: there are too few; nothing is taken.
        """
        free = self.balance - (0 if last else self._reserve)
        if bits > free:
            raise KeyShortageError(f"{bits} bits wanted for {purpose}, {max(free, 0)} to spend")
        taken, rest = self._bits.part(0, bits), self._bits.part(bits, len(self._bits))
        self._bits.wipe()
        self._bits = rest
        self._book(purpose, -bits)
        return taken.reveal()

    def replenish(self, bits: SecretBits, purpose: str = "from the new key") -> None:
        """Put new secret bits at the end."""
        whole = SecretBits.of(np.concatenate([self._bits.array(), bits.array()]))
        self._bits.wipe()
        self._bits = whole
        self._book(purpose, len(bits))

    def _book(self, purpose: str, bits: int) -> None:
        self.entries.append(Entry(purpose, bits, self.balance))

    def __repr__(self) -> str:
        return f"<authentication key, {self.balance} bits left>"


_LINE = struct.Struct("<BQQ")


class Authenticator:
    """One end's book of what was said, and the seals on it.

    Args:
        budget: this end's copy of the shared bits. Both ends take from it in the same order: the order of seals.
        role: 0 or 1, different at the two ends.
        session: bytes that name the session, under every seal.

    Raises:
        KeyShortageError: too few bits for the hash key.

    Examples:
        >>> shared = SecretBits(bytes(range(96)), 768)
        >>> alice, bob = Authenticator(Budget(shared), 0, b"s1"), Authenticator(Budget(shared), 1, b"s1")
        >>> alice.said(b"hello")
        >>> bob.heard(b"hello")
        >>> seal = alice.seal()
        >>> bob.check(seal)
        >>> bob.heard(b"hullo")
        >>> alice.said(b"hello")
        >>> bob.check(alice.seal())
        Traceback (most recent call last):
        ...
        quantum_fabric.keys.postprocessing.authentication.ForgeryError: seal 2 does not fit what was heard
    """

    def __init__(self, budget: Budget, role: int, session: bytes) -> None:
        self._budget, self._role, self._session = budget, role, session
        self._open: list[bytearray] = [bytearray(), bytearray()]
        self._numbers = [0, 0]
        self._seals = 0
        self._broken = False
        self.failure = 0.0
        self._point = budget.take(POINT_BITS, "hash key")

    def said(self, written: bytes) -> None:
        """Write down what this end sends."""
        self._note(self._role, written)

    def heard(self, written: bytes) -> None:
        """Write down what arrives."""
        self._note(1 - self._role, written)

    def seal(self, last: bool = False) -> bytes:
        """The tag, 16 bytes, over all that this end said since its last seal.

        Raises:
            KeyShortageError: the key is spent.
            ForgeryError: an earlier seal was refused.
        """
        self._check_whole()
        return self._tag(self._role, last)

    def check(self, tag: bytes, last: bool = False) -> None:
        """Compare the other end's seal with what was heard, in constant time.

        Raises:
            ForgeryError: they differ, now or before.
            KeyShortageError: the key is spent.
        """
        self._check_whole()
        if not hmac.compare_digest(self._tag(1 - self._role, last), tag):
            self._broken = True
            raise ForgeryError(f"seal {self._seals} does not fit what was heard")

    def renew(self) -> None:
        """A new hash key out of the budget, at both ends at the same place of the protocol.

        Raises:
            KeyShortageError: the key is spent.
            ProtocolError: something is not sealed yet.
        """
        if any(self._open):
            raise ProtocolError("the hash key changes between seals only")
        self._point = self._budget.take(POINT_BITS, "hash key")

    @property
    def sealed(self) -> bool:
        """Whether everything that was said and heard is under a seal that was accepted."""
        return not self._broken and not any(self._open)

    def _note(self, role: int, written: bytes) -> None:
        self._open[role] += _LINE.pack(role, self._numbers[role], len(written)) + written
        self._numbers[role] += 1

    def _tag(self, role: int, last: bool) -> bytes:
        head = self._session + _LINE.pack(role, self._seals, len(self._session))
        text = head + bytes(self._open[role])
        pad = int.from_bytes(self._budget.take(TAG_BITS, "seal", last), "little")
        self._seals += 1
        self._open[role].clear()
        self.failure += collision_bound(len(text))
        return ((polynomial_hash(self._point, text) + pad) % 2**128).to_bytes(16, "little")

    def _check_whole(self) -> None:
        if self._broken:
            raise ForgeryError("an earlier seal was refused")
