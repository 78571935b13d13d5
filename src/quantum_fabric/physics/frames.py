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

from typing import Final

from quantum_fabric.errors import UnknownNameError

PAULI: Final = ("I", "Z", "X", "Y")
"""Label -> the Pauli operator (up to a phase) that turns Φ+ into this Bell state, and back."""


def swap_frame(a: int, b: int, outcome: int) -> int:
    """Label of the pair that a swap makes out of pairs announced ``a`` and ``b``, by the announced Bell outcome.

    Examples:
        >>> [swap_frame(0, 0, outcome) for outcome in range(4)]
        [0, 1, 2, 3]
    """
    return a ^ b ^ outcome


def purify_frame(kind: str, keep: int, sacrifice: int) -> tuple[int, int]:
    """What purifying pairs announced ``keep`` and ``sacrifice`` must give if both are perfect.

    Equation: DEJMPS first maps each label (parity, phase) to (parity ⊕ phase, phase), BBPSSW does not. The bilateral CNOT
    from the kept to the sacrificed pair then adds the kept parity to the other and the other's phase to the kept.

    Args:
        kind: ``"dejmps"`` or ``"bbpssw"``.
        keep: label of the kept pair, 0 to 3.
        sacrifice: label of the measured pair, 0 to 3.

    Returns:
        (label of the kept pair afterwards, XOR of the two announced bits that means success).

    Raises:
        UnknownNameError: another kind.

    Examples:
        >>> purify_frame("dejmps", 0, 0), purify_frame("dejmps", 1, 0), purify_frame("bbpssw", 2, 3)
        ((0, 0), (3, 1), (3, 0))
    """
    if kind == "dejmps":
        keep ^= (keep & 1) << 1
        sacrifice ^= (sacrifice & 1) << 1
    elif kind != "bbpssw":
        raise UnknownNameError(found=repr(kind), expected="'dejmps' or 'bbpssw'", where="kind")
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
