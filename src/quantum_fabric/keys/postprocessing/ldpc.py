"""Error correction with few messages: the sender tells a syndrome, and more of it where that is not enough.

Blind and rateless: the first syndrome is short for the guessed error rate; each frame that does not decode gets some combined
rows taken apart, until it does or all is told (Martinez-Mateo, Elkouss, Martin, Quantum Inf. Comput. 12, 791 (2012), with
combined rows instead of punctured bits). What the receiver answers is one bit for each frame, which says nothing about the key
that the syndrome did not say.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import ProtocolError, QuantityError
from quantum_fabric.keys.postprocessing.ldpc_code import COLUMNS, MOTHERS, Code, mother
from quantum_fabric.keys.postprocessing.ldpc_decoder import combine, decode
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.physics.merit import binary_entropy

ROUNDS = 50
"""Of decoding, before more is asked for."""

MOST = 0.06
"""Largest error rate: beyond it about a third of the frames ends in a trapping set of these codes, however much is told."""

_BELIEF = 16


def first_length(error_rate: float) -> float:
    """Bits of the first syndrome for each bit of key: where about half of the frames decode, as found by simulation.

    Args:
        error_rate: Q as guessed, in [0, 0.5); taken as 1e-4 at least.

    Examples:
        >>> round(first_length(0.05), 3), round(first_length(0.01), 3)
        (0.341, 0.108)
    """
    rate = max(error_rate, 1e-4)
    return (1.19 + 0.09 * max(0.0, math.log(0.05 / rate))) * float(binary_entropy(rate))


class _Frames:
    """What both ends count alike.

    Args:
        bits: of this end.
        error_rate: as guessed, the same at both ends.
        seed: announced; where bits go in the frames.

    Raises:
        QuantityError: an error rate above `MOST`.
    """

    def __init__(self, bits: SecretBits, error_rate: float, seed: int) -> None:
        if not 0.0 <= error_rate <= MOST:
            raise QuantityError(
                found=f"{error_rate:g}",
                expected=f"a rate in [0, {MOST}]; Cascade goes on",
                where="error_rate",
            )
        self._size = len(bits)
        z = min(256, max(16, 1 << max(0, (self._size // COLUMNS).bit_length() - 1)))
        self.frames = max(1, math.ceil(self._size / (COLUMNS * z)))
        wanted = first_length(error_rate) * COLUMNS
        # the mother that could tell half as much again
        rows = next((m for m in MOTHERS if m >= 1.3 * wanted), MOTHERS[-1])
        self.code: Code = mother(rows, z)
        half = rows // 2
        self._pairs = [min(half, max(0, rows - math.ceil(wanted)))] * self.frames
        self._step = max(1, rows // 48)
        self._order = np.random.default_rng(seed).permutation(self.frames * self.code.length)
        self._live = list(range(self.frames))
        self._apart_before: list[int | None] = [None] * self.frames
        self.told = self.rounds = self.spoken = 0
        self.failed = 0

    @property
    def done(self) -> bool:
        """Whether every frame is decoded or given up."""
        return not self._live

    def _spread(self, bits: SecretBits) -> NDArray[np.uint8]:
        padded = np.zeros(self._order.size, dtype=np.uint8)
        padded[: self._size] = bits.array()
        return padded[self._order].reshape(self.frames, self.code.length)

    def _new_rows(self, frame: int) -> tuple[int, int, bool]:
        """Which pairs the next message takes apart (first, last), and whether it is the first message of the frame."""
        half = len(self.code.rows) // 2
        before = self._apart_before[frame]
        return (0 if before is None else before, half - self._pairs[frame], before is None)

    def _bits_for(self, frame: int) -> int:
        start, stop, first = self._new_rows(frame)
        half = len(self.code.rows) // 2
        return ((half + stop) if first else (stop - start)) * self.code.z

    def _judge(self, decoded: list[bool]) -> None:
        still = []
        half = len(self.code.rows) // 2
        for frame, good in zip(self._live, decoded):
            self._apart_before[frame] = half - self._pairs[frame]
            if good:
                continue
            if self._pairs[frame] == 0:
                self.failed += 1
                continue
            self._pairs[frame] = max(0, self._pairs[frame] - self._step)
            still.append(frame)
        self._live = still


class LdpcSender(_Frames):
    """The end whose string counts.

    Args:
        bits: of this end.
        error_rate: as guessed.
        seed: announced.

    Examples:
        >>> rng = np.random.default_rng(2)
        >>> ours = rng.integers(0, 2, 9000)
        >>> wrong = (rng.random(9000) < 0.03).astype(int)
        >>> a = LdpcSender(SecretBits.of(ours), 0.03, seed=1)
        >>> b = LdpcReceiver(SecretBits.of(ours ^ wrong), 0.03, seed=1)
        >>> while not a.done:
        ...     b.hear(a.speak())
        ...     a.hear(b.speak())
        >>> b.result() == SecretBits.of(ours), b.corrections == wrong.sum(), a.told == b.told
        (True, np.True_, True)
    """

    def __init__(self, bits: SecretBits, error_rate: float, seed: int) -> None:
        super().__init__(bits, error_rate, seed)
        self._syndromes = [self.code.syndrome(frame) for frame in self._spread(bits)]

    def speak(self) -> bytes:
        """Syndrome bits of the frames that are not decoded yet, packed; `spoken` says how many."""
        pieces = []
        half = len(self.code.rows) // 2
        for frame in self._live:
            start, stop, first = self._new_rows(frame)
            syndrome = self._syndromes[frame]
            if first:
                pieces.append(syndrome[:half] ^ syndrome[half:])  # sums of all pairs
            pieces.append(syndrome[start:stop])  # one of each pair that is taken apart: the other follows
        said = np.concatenate([piece.reshape(-1) for piece in pieces])
        self.spoken = said.size
        self.told += self.spoken
        self.rounds += 1
        return np.packbits(said, bitorder="little").tobytes()

    def hear(self, need: bytes) -> None:
        """One bit for each of those frames: 1 where more is needed.

        Raises:
            ProtocolError: another length.
        """
        if len(need) != (len(self._live) + 7) // 8:
            raise ProtocolError("an answer about another number of frames")
        bits = np.unpackbits(np.frombuffer(need, np.uint8), count=len(self._live), bitorder="little")
        self._judge([not bit for bit in bits.tolist()])


class LdpcReceiver(_Frames):
    """The end that takes over the other's string.

    Args:
        bits: of this end.
        error_rate: as guessed.
        seed: announced.
        compiled: False for NumPy.
    """

    def __init__(self, bits: SecretBits, error_rate: float, seed: int, compiled: bool = True) -> None:
        super().__init__(bits, error_rate, seed)
        self._own = self._spread(bits)
        self._syndromes = [self.code.syndrome(frame) for frame in self._own]
        self._heard = [np.zeros_like(syndrome) for syndrome in self._syndromes]
        self._compiled = compiled
        self._answer: list[bool] = []
        self.corrections = 0

    def hear(self, syndrome: bytes) -> None:
        """Take what the sender tells and try to decode.

        Raises:
            ProtocolError: another length.
        """
        total = sum(self._bits_for(frame) for frame in self._live)
        if len(syndrome) != (total + 7) // 8:
            raise ProtocolError("a syndrome of another length")
        bits = np.unpackbits(np.frombuffer(syndrome, np.uint8), count=total, bitorder="little")
        self.told += total
        self.rounds += 1
        at = 0
        self._answer = []
        for frame in self._live:
            size = self._bits_for(frame)
            self._take(frame, bits[at : at + size].reshape(-1, self.code.z))
            at += size
            self._answer.append(self._decoded(frame))

    def speak(self) -> bytes:
        """One bit for each frame that was worked on: 1 where more is needed."""
        self.spoken = len(self._answer)
        need = np.packbits([not good for good in self._answer], bitorder="little").tobytes()
        self._judge(self._answer)
        return need

    def result(self) -> SecretBits:
        """The bits of this end now.

        Raises:
            ProtocolError: not done.
        """
        if not self.done:
            raise ProtocolError("error correction is under way")
        out = np.empty(self._order.size, dtype=np.uint8)
        out[self._order] = self._own.reshape(-1)
        return SecretBits.of(out[: self._size])

    def _take(self, frame: int, rows: NDArray[np.uint8]) -> None:
        """First halves as far as they are known; second halves hold the sums until the first is known."""
        start, stop, first = self._new_rows(frame)
        half = len(self.code.rows) // 2
        heard = self._heard[frame]
        if first:
            heard[half:] = rows[:half]
            rows = rows[half:]
        heard[start:stop] = rows
        heard[half + start : half + stop] ^= rows

    def _decoded(self, frame: int) -> bool:
        pairs = self._pairs[frame]
        odd = combine(self._syndromes[frame], pairs) ^ combine(self._heard[frame], pairs)
        belief = np.full(self.code.length, _BELIEF, dtype=np.int16)
        where = self._order[frame * self.code.length : (frame + 1) * self.code.length]
        belief[where >= self._size] = 1000  # filled up, at both ends
        rows = self.code.combined(pairs)
        needed, wrong = decode(self.code, rows, belief, odd, ROUNDS, self._compiled)
        if needed < 0:
            return False
        self._own[frame] ^= wrong
        self.corrections += int(wrong.sum())
        return True
