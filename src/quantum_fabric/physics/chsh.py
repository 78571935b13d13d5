"""Measurements half-way between Z and X, and the Bell test of Clauser, Horne, Shimony and Holt (CHSH) from bits.

One end measures in Z and X, the other in W = (Z + X)/√2 and V = (Z − X)/√2. No local hidden variables give more than 2; a perfect
pair gives 2√2. With polarisation these are the angles 0°, 45° and 22.5°, −22.5°.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Final, NamedTuple

from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.physics.correlators import Correlators
from quantum_fabric.physics.frames import expected_parity

BETWEEN: Final = ("W", "V")
"""Bases half-way between Z and X."""

DIRECTIONS: Final[Mapping[str, tuple[float, float, float]]] = {
    "X": (1.0, 0.0, 0.0),
    "Y": (0.0, 1.0, 0.0),
    "Z": (0.0, 0.0, 1.0),
    "W": (sqrt(0.5), 0.0, sqrt(0.5)),
    "V": (-sqrt(0.5), 0.0, sqrt(0.5)),
}
"""On the Bloch sphere."""

Shot = tuple[tuple[str, str], tuple[int, int], int]
"""(bases, bits, label of the announced Bell state) of one pair."""


class BellTest(NamedTuple):
    """Of many pairs.

    Attributes:
        value: S; at most 2 without entanglement, 2√2 for perfect pairs.
        error: one standard deviation.
        pairs: in one of the settings.
    """

    value: float
    error: float
    pairs: int


def correlation(one: str, two: str, correlators: Correlators, label: int) -> float:
    """Mean product of two signs (+1 for bit 0) of a Bell-diagonal pair.

    Args:
        one: basis of one end.
        two: of the other.
        correlators: relative to the announced state.
        label: of that state, 0 to 3.

    Raises:
        UnknownNameError: a basis that is none of `DIRECTIONS`.

    Equation: ``Σ aᵢ bᵢ sᵢ cᵢ``, s the signs of the announced state; exact, because products of two different Pauli operators have
    mean 0.

    Examples:
        >>> [round(correlation(*bases, (1.0, 1.0, 1.0), 0), 4) for bases in ("ZW", "ZV", "XW", "XV")]
        [0.7071, 0.7071, 0.7071, -0.7071]
    """
    for each in (one, two):
        if each not in DIRECTIONS:
            raise UnknownNameError(found=repr(each), expected="X, Y, Z, W or V", where="basis")
    parts = zip("XYZ", DIRECTIONS[one], DIRECTIONS[two], correlators, strict=True)
    return sum(a * b * c * (1 - 2 * expected_parity(axis, label)) for axis, a, b, c in parts)


def chsh(shots: Iterable[Shot]) -> BellTest:
    """The value S of a Bell test, with the signs that suit the announced state of each pair.

    Pairs of other settings than {Z, X} at one end and {W, V} at the other are left out; either end may be the one.

    Raises:
        InputError: fewer than two pairs in one of the four settings.

    Equation: ``S = Σ ± ⟨product⟩`` over the four settings, with the sign of the perfect pair: three alike and one other for each
    label, so the bound of 2 holds for each label and, as no label depends on a setting, for every mixture of them.

    Limits: independent pairs are assumed for the error. It closes no loophole: pairs that are lost are not counted.

    Examples:
        >>> shots = [((a, b), (0, 0), 0) for a in "ZX" for b in "WV"]  # two ends that always say 0
        >>> chsh(2 * shots).value
        2.0
    """
    sums: dict[tuple[str, str], tuple[int, int]] = {(a, b): (0, 0) for a in "ZX" for b in BETWEEN}
    for bases, bits, label in shots:
        setting = bases if bases in sums else (bases[1], bases[0])
        if setting not in sums:
            continue
        perfect = correlation(*setting, (1.0, 1.0, 1.0), label)
        product = (1 - 2 * (bits[0] ^ bits[1])) * (1 if perfect > 0.0 else -1)
        total, count = sums[setting]
        sums[setting] = (total + product, count + 1)
    least = min(count for _, count in sums.values())
    if least < 2:
        raise InputError(str(least), "two pairs or more in each of ZW, ZV, XW and XV", "shots")
    value = variance = 0.0
    for total, count in sums.values():
        mean = total / count
        value += mean
        variance += (1.0 - mean**2) / (count - 1)
    return BellTest(value, sqrt(variance), sum(count for _, count in sums.values()))
