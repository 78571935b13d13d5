"""Error correction with few messages: the sender tells a syndrome, and more of it where that is not enough.

Blind and rateless: the first syndrome is short for the guessed error rate; for each frame that does not decode some later rows are
told, until it does or all is told (Martinez-Mateo, Elkouss, Martin, Quantum Inf. Comput. 12, 791 (2012), with later rows instead of
punctured bits). With the first syndrome goes a check sum of each frame (CRC-32, linear in the bits, so it tells 32 of them and is
counted): a decoder may end in another word that fits. What the receiver answers is one bit for each frame, which says nothing about
the key that the syndrome did not say.
"""

from __future__ import annotations

import math
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import ProtocolError, QuantityError
from quantum_fabric.keys.postprocessing.ldpc_code import COLUMNS, FEWEST, MOST_ROWS, Code, mother
from quantum_fabric.keys.postprocessing.ldpc_decoder import LIMIT, SCALE, decode
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.physics.merit import binary_entropy

ROUNDS = 40
"""Of decoding, before more is asked for."""

MOST = 0.06
"""Largest error rate: beyond it these codes were not tried."""

CHECK = 32
"""Bits of a check sum."""


def first_length(error_rate: float) -> float:
    """Bits of the first syndrome for each bit of key: where most frames of 131,072 bits decode, as found by simulation.

    Args:
        error_rate: Q as guessed, in [0, 0.5); taken as 1e-4 at least.

    Examples:
        >>> round(first_length(0.05), 3), round(first_length(0.01), 3)
        (0.324, 0.097)
    """
    rate = max(error_rate, 1e-4)
    return (1.13 + 0.045 * max(0.0, math.log(0.05 / rate))) * float(binary_entropy(rate))


def check_sum(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The check sum of a frame: ``(length,)`` -> ``(CHECK,)``.

    Examples:
        >>> check_sum(np.zeros(64, dtype=np.uint8)).shape, int(check_sum(np.eye(1, 64, 3, dtype=np.uint8)[0]).sum()) > 0
        ((32,), True)
    """
    value = crc32(np.packbits(bits).tobytes())
    return np.unpackbits(np.frombuffer(value.to_bytes(4, "little"), np.uint8), bitorder="little")


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
        proper = min(MOST_ROWS, max(FEWEST, round(first_length(error_rate) * COLUMNS)))
        self.code: Code = mother(proper, z)
        self._believed = round(SCALE * math.log(1.0 / max(error_rate, 1e-4) - 1.0))
        self._step = max(1, proper // 32)
        self._rows = [proper] * self.frames
        self._order = np.random.default_rng(seed).permutation(self.frames * self.code.length)
        self._live = list(range(self.frames))
        self._rows_before = [0] * self.frames
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

    def _new_rows(self, frame: int) -> slice:
        """Which rows the next message tells of a frame."""
        return slice(self._rows_before[frame], self._rows[frame])

    def _bits_for(self, frame: int) -> int:
        check = 0 if self._rows_before[frame] else CHECK
        return check + (self._rows[frame] - self._rows_before[frame]) * self.code.z

    def _judge(self, decoded: list[bool]) -> None:
        still = []
        for frame, good in zip(self._live, decoded):
            self._rows_before[frame] = self._rows[frame]
            if good:
                continue
            if self._rows[frame] == len(self.code.rows):
                self.failed += 1
                continue
            self._rows[frame] = min(len(self.code.rows), self._rows[frame] + self._step)
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
        self._own = self._spread(bits)

    def speak(self) -> bytes:
        """Syndrome bits of the frames that are not decoded yet, packed; `spoken` says how many."""
        pieces = []
        for frame in self._live:
            if not self._rows_before[frame]:
                pieces.append(check_sum(self._own[frame]))
            pieces.append(self.code.syndrome(self._own[frame], self._new_rows(frame)))
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
        self._odd = np.zeros((self.frames, len(self.code.rows), self.code.z), dtype=np.uint8)
        self._checks = np.zeros((self.frames, CHECK), dtype=np.uint8)
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
            self._take(frame, bits[at : at + size])
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

    def _take(self, frame: int, told: NDArray[np.uint8]) -> None:
        if not self._rows_before[frame]:
            self._checks[frame], told = told[:CHECK], told[CHECK:]
        new = self._new_rows(frame)
        self._odd[frame, new] = told.reshape(-1, self.code.z) ^ self.code.syndrome(self._own[frame], new)

    def _decoded(self, frame: int) -> bool:
        rows = self._rows[frame]
        odd = self._odd[frame, :rows]
        belief = np.full(self.code.length, self._believed, dtype=np.int16)
        where = self._order[frame * self.code.length : (frame + 1) * self.code.length]
        belief[where >= self._size] = LIMIT  # filled up, at both ends
        needed, wrong = decode(self.code, self.code.rows[:rows], belief, odd, ROUNDS, self._compiled)
        if needed < 0 or (check_sum(self._own[frame] ^ wrong) != self._checks[frame]).any():
            return False
        self._own[frame] ^= wrong
        self.corrections += int(wrong.sum())
        return True
