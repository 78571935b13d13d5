"""Cascade as the session uses it: one long string cut into frames, compiled where that is possible."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import ProtocolError
from quantum_fabric.keys.postprocessing.cascade_plan import LEAN, CascadePlan, plan_for
from quantum_fabric.keys.postprocessing.cascade_reference import ReferenceCascade
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.native import native

FRAME = 131_072
"""Bits of a frame, about: shorter ones waste parities, longer ones leave the cache."""


def frames_for(bits: int, frame: int = FRAME) -> tuple[int, int]:
    """(number of frames, bits of each) for a string; the last one is filled up with zeros, fewer than there are frames.

    Examples:
        >>> frames_for(1_000_003)
        (8, 125001)
    """
    count = max(1, round(bits / frame))
    return count, max(64, math.ceil(bits / count))


class CascadeEnd:
    """One end of error correction by Cascade.

    Args:
        bits: of this end.
        error_rate: as guessed, the same at both ends.
        seed: announced, 64 bits.
        corrects: whether this end takes over the other's bits.
        waves: see `cascade_plan.plan_for`.
        compiled: False for the reference in NumPy.
        frame: bits of a frame, about.

    Examples:
        >>> ours = SecretBits.of(np.arange(2000) % 2)
        >>> theirs = SecretBits.of((np.arange(2000) % 2) ^ (np.arange(2000) % 97 == 0))
        >>> a = CascadeEnd(ours, 0.01, seed=3, corrects=False)
        >>> b = CascadeEnd(theirs, 0.01, seed=3, corrects=True)
        >>> while not a.done:
        ...     said, answered = a.speak(), b.speak()
        ...     a.hear(answered)
        ...     b.hear(said)
        >>> b.result() == ours, b.corrections, a.told > 21 * 6
        (True, 21, True)
    """

    def __init__(
        self,
        bits: SecretBits,
        error_rate: float,
        seed: int,
        corrects: bool,
        waves: int = LEAN,
        compiled: bool = True,
        frame: int = FRAME,
    ) -> None:
        self._size = len(bits)
        count, length = frames_for(self._size, frame)
        self.plan: CascadePlan = plan_for(length, error_rate, seed, waves)
        padded = np.zeros(count * length, dtype=np.uint8)
        padded[: self._size] = bits.array()
        kernel = native() if compiled else None
        self._machine: Any
        if kernel is None:
            self._machine = ReferenceCascade(self.plan, padded.reshape(count, length), corrects)
        else:
            order, place = self.plan.tables()
            self._machine = kernel.Cascade(
                _words(padded.reshape(count, length)), length, list(self.plan.blocks),
                list(self.plan.waves), self.plan.checks, self.plan.batches, seed, order, place, corrects,
            )  # fmt: skip
        self._compiled = kernel is not None
        self.told = 0
        self.rounds = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to say: at both ends after the same round."""
        return bool(self._machine.done)

    @property
    def spoken(self) -> int:
        """Parities in the last message."""
        return int(self._machine.spoken)

    @property
    def corrections(self) -> int:
        """Errors found."""
        return sum(self._machine.corrections())

    @property
    def failed(self) -> int:
        """Frames that were given up."""
        return sum(self._machine.failed())

    @property
    def failure(self) -> float:
        """Bound on the chance that a frame is believed right and is not."""
        return self.plan.failure

    def speak(self) -> bytes:
        """Parities of this round, packed; `spoken` says how many.

        Raises:
            ProtocolError: far more was told than there are bits: the ends do not follow one plan, or their strings have nothing
                in common.
        """
        if self.told > 2 * self._size + 1000:
            raise ProtocolError("more parities than bits: the ends do not follow one plan")
        said = self._machine.speak()
        self.told += self.spoken
        self.rounds += self.spoken > 0
        return bytes(said)

    def hear(self, other: bytes) -> None:
        """The other end's parities of this round.

        Raises:
            ProtocolError: another length than ours.
        """
        if len(other) != (self.spoken + 7) // 8:
            raise ProtocolError("message of another length than ours")
        self._machine.hear(other)

    def result(self) -> SecretBits:
        """The bits of this end now.

        Raises:
            ProtocolError: the machine is not done.
        """
        if not self.done:
            raise ProtocolError("error correction is under way")
        if self._compiled:
            packed = np.ascontiguousarray(self._machine.bits()).astype("<u8").view(np.uint8)
            frames = np.unpackbits(packed, axis=1, count=self.plan.length, bitorder="little")
        else:
            frames = self._machine.frames()
        return SecretBits.of(frames.reshape(-1)[: self._size])


def _words(bits: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Zeros and ones, shape ``(frames, length)`` -> words of 64, shape ``(frames, words)``."""
    words = (bits.shape[1] + 63) // 64
    packed = np.zeros((bits.shape[0], 8 * words), dtype=np.uint8)
    packed[:, : (bits.shape[1] + 7) // 8] = np.packbits(bits, axis=1, bitorder="little")
    return packed.view("<u8").astype(np.uint64)
