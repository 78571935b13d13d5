"""Measured pairs, sampled: what two ends note down when each measures its half in a basis of its own choice.

Bell weights are relative to the announced state, and the ends correct for it, so that the state is a mixture of Φ+ and its three
errors: its correlators are ``t_Z = 1 - 2 e_Z`` and so on. In the plane of X and Z, measuring at angles a and b to Z gives equal bits
with chance ``(1 + t_Z cos a cos b + t_X sin a sin b)/2``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats
from quantum_fabric.physics.merit import qber
from quantum_fabric.physics.qkd.attacks import Attack, InterceptResend

Small: TypeAlias = NDArray[np.uint8]

Z, X, Y, PLUS, MINUS = range(5)
"""Settings: the key basis, the test basis, the third basis, and Z turned by +45 or -45 degrees towards X."""

PROTOCOLS: Final = ("bbm92", "six_state", "e91")


@dataclass(frozen=True, slots=True, repr=False)
class MeasuredPairs:
    """What both ends have noted down, pair by pair.

    Attributes:
        settings: of each end, shape ``(2, pairs)``.
        bits: of each end, shape ``(2, pairs)``, flipped where the announced state says so.

    Examples:
        >>> sample_pairs([1.0, 0.0, 0.0, 0.0], 1000, np.random.default_rng(1)).error_rates()["Z"]
        (0, 805)
    """

    settings: Small
    bits: Small

    def __repr__(self) -> str:
        return f"<{self.bits.shape[1]} measured pairs>"

    @classmethod
    def none(cls) -> MeasuredPairs:
        """No pairs at all."""
        return cls(np.zeros((2, 0), dtype=np.uint8), np.zeros((2, 0), dtype=np.uint8))

    def then(self, other: MeasuredPairs) -> MeasuredPairs:
        """These and what came after them."""
        return MeasuredPairs(
            np.concatenate([self.settings, other.settings], axis=1),
            np.concatenate([self.bits, other.bits], axis=1),
        )

    def error_rates(self) -> dict[str, tuple[int, int]]:
        """(wrong, all) where both took the same of the bases Z, X and Y."""
        wrong = self.bits[0] != self.bits[1]
        both = {name: (self.settings == basis).all(axis=0) for name, basis in (("Z", Z), ("X", X), ("Y", Y))}
        return {name: (int(wrong[mask].sum()), int(mask.sum())) for name, mask in both.items()}

    def chsh(self) -> tuple[float, tuple[int, ...]]:
        """The CHSH value of the settings Z, X at the first end and PLUS, MINUS at the second, and the pairs behind each term.

        Equation: ``S = E(Z,+) + E(Z,-) + E(X,+) - E(X,-)``; 0 where a term was never measured.
        """
        value, sizes = 0.0, []
        for first, second, sign in ((Z, PLUS, 1), (Z, MINUS, 1), (X, PLUS, 1), (X, MINUS, -1)):
            mask = (self.settings[0] == first) & (self.settings[1] == second)
            sizes.append(int(mask.sum()))
            same = int((self.bits[0] == self.bits[1])[mask].sum())
            value += sign * (2.0 * same / sizes[-1] - 1.0) if sizes[-1] else 0.0
        return (value, tuple(sizes))

    def sifted(self) -> tuple[tuple[Small, Small], tuple[Small, Small]]:
        """((bases, bits) of the first end, of the second) of the pairs that both measured in Z or X, Z being the key basis 0."""
        mask = (self.settings <= X).all(axis=0)
        (a, b), (x, y) = self.settings[:, mask], self.bits[:, mask]
        return ((a, x), (b, y))


def choices(protocol: str, key_basis: float) -> tuple[Floats, Floats]:
    """Chances of the settings Z, X, Y, PLUS, MINUS at the two ends.

    Args:
        protocol: one of `PROTOCOLS`.
        key_basis: chance of Z, in (0, 1); with ``e91`` the second end takes Z with half of it.

    Raises:
        QuantityError: another protocol, or a chance outside (0, 1).

    Examples:
        >>> choices("six_state", 0.8)[0].round(3).tolist()
        [0.8, 0.1, 0.1, 0.0, 0.0]
    """
    if not 0.0 < key_basis < 1.0:
        raise QuantityError(f"{key_basis:g}", "a probability in (0, 1)", "key_basis")
    q, rest = key_basis, 1.0 - key_basis
    if protocol == "bbm92":
        return (np.array([q, rest, 0, 0, 0]), np.array([q, rest, 0, 0, 0]))
    if protocol == "six_state":
        both = np.array([q, rest / 2, rest / 2, 0, 0])
        return (both, both.copy())
    if protocol == "e91":
        return (np.array([q, rest, 0, 0, 0]), np.array([q / 2, rest / 2, 0, 0.25, 0.25]))
    raise QuantityError(repr(protocol), f"one of {', '.join(PROTOCOLS)}", "protocol")


def agreement(weights: ArrayLike, attack: Attack | None = None) -> Floats:
    """Chance that the two bits are equal, for each pair of settings.

    Args:
        weights: relative Bell weights, shape ``(..., 4)``.
        attack: an `InterceptResend` in Z or X changes it, others do not.

    Returns:
        Shape ``(..., 5, 5)``: setting of the first end, of the second.

    Raises:
        QuantityError: not probability distributions.

    Examples:
        >>> table = agreement([1.0, 0.0, 0.0, 0.0])
        >>> table[Z, Z].item(), round(table[Z, PLUS].item(), 6), table[Z, X].item()
        (1.0, 0.853553, 0.5)
    """
    kept = 1.0 - 2.0 * np.stack(qber(weights), axis=-1)  # t_X, t_Y, t_Z
    if isinstance(attack, InterceptResend):
        # measuring Z leaves t_Z and nothing else, measuring X leaves t_X; each half of the time
        kept = kept * (1.0 - attack.fraction * np.array([0.5, 1.0, 0.5]))
    half = math.sqrt(0.5)
    # directions (x, y, z) of the settings; Y counts with its sign turned, because Φ+ has t_YY = -1 and the ends correct for it
    ways = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [half, 0, half], [-half, 0, half]])
    expected = (ways * kept[..., None, :]) @ ways.T
    return np.asarray((1.0 + expected) / 2.0, dtype=np.float64)


def sample_pairs(
    weights: ArrayLike,
    pairs: int,
    rng: np.random.Generator,
    protocol: str = "bbm92",
    key_basis: float = 0.9,
    attack: Attack | None = None,
) -> MeasuredPairs:
    """Draw what two ends measure on pairs, of one kind or each of its own.

    Args:
        weights: relative Bell weights, shape ``(4,)``, or ``(pairs, 4)``.
        pairs: how many, 0 or more.
        rng: source of draws.
        protocol: one of `PROTOCOLS`.
        key_basis: see `choices`.
        attack: what an eavesdropper does to one half.

    Returns:
        One entry for each pair.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Bell-diagonal pairs; readout errors are in the weights, or left out.

    Examples:
        >>> seen = sample_pairs([1.0, 0.0, 0.0, 0.0], 4000, np.random.default_rng(1), "e91", 0.5)
        >>> abs(seen.chsh()[0] - 2.828) < 0.2
        True
    """
    if pairs < 0:
        raise QuantityError(str(pairs), "0 or more", "pairs")
    array = np.asarray(weights, dtype=np.float64)
    if array.ndim > 1 and array.shape != (pairs, 4):
        raise QuantityError(f"shape {array.shape}", f"shape (4,) or ({pairs}, 4)", "weights")
    settings = np.stack([rng.choice(5, pairs, p=p) for p in choices(protocol, key_basis)]).astype(np.uint8)
    table = np.broadcast_to(agreement(array, attack), (pairs, 5, 5))
    equal = rng.random(pairs) < table[np.arange(pairs), settings[0], settings[1]]
    first = rng.integers(0, 2, pairs, dtype=np.uint8)
    return MeasuredPairs(settings, np.stack([first, np.where(equal, first, 1 - first)]).astype(np.uint8))


def intercepted(pairs: MeasuredPairs, attack: InterceptResend, rng: np.random.Generator) -> MeasuredPairs:
    """The same pairs, measured by somebody else on their way to the second end.

    Measuring a half in another basis than its owner does leaves the owner's bit at random; in the same basis nothing changes.

    Args:
        pairs: as they would have been, in Z, X and Y only.
        attack: in Z or X, at random.
        rng: source of draws.

    Returns:
        What the ends note down.

    Examples:
        >>> clean = sample_pairs([1.0, 0.0, 0.0, 0.0], 4000, np.random.default_rng(1))
        >>> wrong, compared = intercepted(clean, InterceptResend(), np.random.default_rng(2)).error_rates()["Z"]
        >>> abs(wrong / compared - 0.25) < 0.05
        True
    """
    size = pairs.bits.shape[1]
    basis = rng.integers(0, 2, size)
    disturbed = (rng.random(size) < attack.fraction) & (basis != pairs.settings[1])
    flips = disturbed & (rng.random(size) < 0.5)
    return MeasuredPairs(pairs.settings, np.stack([pairs.bits[0], pairs.bits[1] ^ flips]).astype(np.uint8))
