"""Pauli frames: which Bell state a pair is announced to be in, as a label that composes by XOR.

A label is ``(parity bit << 1) | phase bit``: Φ+ 0, Φ− 1, Ψ+ 2, Ψ− 3. The Pauli operator with the same label (I, Z, X, Y up to a
global phase) turns Φ+ into that Bell state when applied to either half, so labels of pairs, of errors and of corrections are
the same numbers. Nobody applies a correction while a pair travels: ends keep the label and correct once, or flip bits.

Examples:
    Swapping Φ− and Ψ+ with announced outcome Ψ−:

    >>> swap_frame(1, 2, outcome=3)
    0
"""

from __future__ import annotations

from typing import Final, TypeAlias

from quantum_fabric.errors import UnknownNameError

Rotation: TypeAlias = tuple[str, str]
"""What both ends do to (the kept pair, the sacrificed pair) before a round of purification: two of `AXES`."""

AXES: Final = {
    "xyz": (0, 1, 2), "xzy": (0, 2, 1), "yxz": (1, 0, 2), "yzx": (1, 2, 0), "zxy": (2, 0, 1), "zyx": (2, 1, 0),
}  # fmt: skip
"""The six bilateral rotations U ⊗ U* (U a Clifford gate; Φ+ stays), by which of the old correlators become x, y and z.

The 24 one-qubit Clifford gates are these six and their products with Paulis, which change nothing but signs: U ⊗ U* leaves none.
"""

ROTATIONS: Final[dict[str, Rotation]] = {"dejmps": ("xzy", "xzy"), "bbpssw": ("xyz", "xyz")}
"""The rotation that a protocol makes if nothing else is said."""

PAULI: Final = ("I", "Z", "X", "Y")
"""Label -> the Pauli operator (up to a phase) that turns Φ+ into this Bell state, and back."""


def swap_frame(a: int, b: int, outcome: int) -> int:
    """Label of the pair that a swap makes out of pairs announced ``a`` and ``b``, by the announced Bell outcome.

    Examples:
        >>> [swap_frame(0, 0, outcome) for outcome in range(4)]
        [0, 1, 2, 3]
    """
    return a ^ b ^ outcome


def rotation_of(kind: str, rotation: Rotation | None = None) -> Rotation:
    """The rotation of a round: the one that is stated, or else the protocol's own.

    Args:
        kind: ``"dejmps"`` or ``"bbpssw"``.
        rotation: two of `AXES`, or None.

    Raises:
        UnknownNameError: another kind, or axes that are none of the six.

    Examples:
        >>> rotation_of("dejmps"), rotation_of("dejmps", ("xyz", "zyx"))
        (('xzy', 'xzy'), ('xyz', 'zyx'))
    """
    if kind not in ROTATIONS:
        raise UnknownNameError(found=repr(kind), expected="'dejmps' or 'bbpssw'", where="kind")
    if rotation is None:
        return ROTATIONS[kind]
    for axes in rotation:
        if axes not in AXES:
            raise UnknownNameError(found=repr(axes), expected=f"one of {', '.join(AXES)}", where="rotation")
    return rotation


def turned_label(label: int, axes: str) -> int:
    """Bell label of a pair after a bilateral rotation.

    Equation: the signs of (x, y, z) are the bits (phase, parity ⊕ phase, parity); a rotation permutes them.

    Args:
        label: 0 to 3.
        axes: one of `AXES`.

    Examples:
        >>> [turned_label(label, "xzy") for label in range(4)], [turned_label(label, "zyx") for label in range(4)]
        ([0, 3, 2, 1], [0, 2, 1, 3])
    """
    bits = (label & 1, (label >> 1) ^ (label & 1), label >> 1)
    first, _, last = AXES[axes]
    return (bits[last] << 1) | bits[first]


def purify_frame(kind: str, keep: int, sacrifice: int, rotation: Rotation | None = None) -> tuple[int, int]:
    """What purifying pairs announced ``keep`` and ``sacrifice`` must give if both are perfect.

    Equation: the rotation first moves each label (DEJMPS: (parity, phase) to (parity ⊕ phase, phase); BBPSSW has none). The
    bilateral CNOT from the kept to the sacrificed pair then adds the kept parity to the other and the other's phase to the kept.

    Args:
        kind: ``"dejmps"`` or ``"bbpssw"``.
        keep: label of the kept pair, 0 to 3.
        sacrifice: label of the measured pair, 0 to 3.
        rotation: of the two pairs; None for the protocol's own.

    Returns:
        (label of the kept pair afterwards, XOR of the two announced bits that means success).

    Raises:
        UnknownNameError: another kind, or axes that are none of `AXES`.

    Examples:
        >>> purify_frame("dejmps", 0, 0), purify_frame("dejmps", 1, 0), purify_frame("bbpssw", 2, 3)
        ((0, 0), (3, 1), (3, 0))
        >>> purify_frame("dejmps", 2, 3, ("xyz", "xyz"))
        (3, 0)
    """
    one, two = rotation_of(kind, rotation)
    keep, sacrifice = turned_label(keep, one), turned_label(sacrifice, two)
    return (keep ^ (sacrifice & 1), (keep ^ sacrifice) >> 1)


def teleport_correction(frame: int, outcome: int) -> int:
    """Label of the Pauli operator that the receiver applies after teleportation over a pair announced ``frame``.

    Examples:
        >>> PAULI[teleport_correction(frame=2, outcome=1)]
        'Y'
    """
    return frame ^ outcome


def expected_parity(basis: str, label: int) -> int:
    """XOR of the two bits that a perfect pair in this Bell state gives when both ends measure in the same basis.

    Args:
        basis: ``"X"``, ``"Y"`` or ``"Z"``.
        label: Bell label, 0 to 3.

    Raises:
        UnknownNameError: another basis.

    Examples:
        >>> [[expected_parity(basis, label) for label in range(4)] for basis in "XYZ"]
        [[0, 1, 0, 1], [1, 0, 0, 1], [0, 0, 1, 1]]
    """
    parity, phase = label >> 1, label & 1
    if basis == "Z":
        return parity
    if basis == "X":
        return phase
    if basis == "Y":
        return 1 ^ parity ^ phase
    raise UnknownNameError(found=repr(basis), expected="'X', 'Y' or 'Z'", where="basis")
