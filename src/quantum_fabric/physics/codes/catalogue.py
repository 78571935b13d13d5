"""The catalogue of codes: checks, logical operators, and circuits that prepare the logical |0> and |+>.

All are CSS codes of one logical qubit, so that the CNOT gate between two blocks and the logical measurements are transversal: qubit
by qubit, which never spreads one error over a block. A *bit flip* is an X error, seen by ``z_checks``; a *phase flip* is a Z error,
seen by ``x_checks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.errors import UnknownNameError

Bools: TypeAlias = NDArray[np.bool_]
Support: TypeAlias = tuple[int, ...]
Step: TypeAlias = tuple[str, Support]
"""``H`` or ``CX`` on qubits of the block; ``CHECK_Z`` or ``CHECK_X`` measures a parity by one more qubit, and the block is thrown
away and prepared again where it is odd."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code.

    Attributes:
        name: as requests write it.
        title: for people.
        n: physical qubits of a block.
        z_checks: supports of the parities of Z that every code word has even; they see bit flips.
        x_checks: supports of the parities of X; they see phase flips.
        logical_x: support of a logical X.
        logical_z: support of a logical Z.
        zero: steps from n qubits in |0> to the logical |0>.
        plus: steps from n qubits in |0> to the logical |+>.
        corrects: (bit flips, phase flips) in any places that are put right for sure.
        matchable: True if each error is seen by at most two checks, so that matching decodes it.
        source: where it is from.
    """

    name: str
    title: str
    n: int
    z_checks: tuple[Support, ...]
    x_checks: tuple[Support, ...]
    logical_x: Support
    logical_z: Support
    zero: tuple[Step, ...]
    plus: tuple[Step, ...]
    corrects: tuple[int, int]
    matchable: bool
    source: str

    @property
    def helpers(self) -> int:
        """Further qubits that a block needs while it is prepared.

        Examples:
            >>> CODES["steane"].helpers, CODES["bacon-shor"].helpers
            (1, 0)
        """
        return int(any(step[0].startswith("CHECK") for step in (*self.zero, *self.plus)))


def matrix(supports: tuple[Support, ...], n: int) -> Bools:
    """Supports as rows of a parity-check matrix, shape (rows, n).

    Examples:
        >>> matrix(((0, 1), (1, 2)), 3).astype(int).tolist()
        [[1, 1, 0], [0, 1, 1]]
    """
    out = np.zeros((len(supports), n), dtype=np.bool_)
    for row, support in enumerate(supports):
        out[row, list(support)] = True
    return out


def _repetition(n: int, phase: bool) -> Code:
    """Copies of one bit (or of one sign): corrects (n-1)/2 errors of that kind and none of the other."""
    checks = tuple((k, k + 1) for k in range(n - 1))
    whole = tuple(range(n))
    ghz: tuple[Step, ...] = (("H", (0,)), *(("CX", (0, k)) for k in range(1, n)))
    even: tuple[Step, ...] = (("H", whole[1:]), *(("CX", (k, 0)) for k in range(1, n)))
    good = (n - 1) // 2
    return Code(
        name=f"phase-repetition-{n}" if phase else f"repetition-{n}",
        title=f"repetition of {n} qubits against {'phase' if phase else 'bit'} flips",
        n=n,
        z_checks=() if phase else checks,
        x_checks=checks if phase else (),
        logical_x=(0,) if phase else whole,
        logical_z=whole if phase else (0,),
        zero=even if phase else (),
        plus=(("H", whole),) if phase else ghz,
        corrects=(0, good) if phase else (good, 0),
        matchable=True,
        source="Jiang et al., PRA 79, 032325 (2009), section II (three qubits)",
    )


def _bare() -> Code:
    return Code(
        name="bare", title="no code at all: the null model", n=1, z_checks=(), x_checks=(), logical_x=(0,), logical_z=(0,),
        zero=(), plus=(("H", (0,)),), corrects=(0, 0), matchable=True, source="by definition",
    )  # fmt: skip


def _bacon_shor() -> Code:
    """Qubit 3r + c of a square. Phase flips of a row are copies of each other, bit flips of a column are."""
    rows = tuple(tuple(3 * r + c for c in range(3)) for r in range(3))
    columns = tuple(zip(*rows, strict=True))
    even: list[Step] = [("H", tuple(q for column in columns for q in column[1:]))]
    even += [("CX", (column[k], column[0])) for column in columns for k in (1, 2)]
    ghz: list[Step] = [("H", tuple(row[0] for row in rows))]
    ghz += [("CX", (row[0], row[k])) for row in rows for k in (1, 2)]
    return Code(
        name="bacon-shor",
        title="Bacon-Shor code [[9,1,3]]: Shor's parity code with its gauge left free",
        n=9,
        z_checks=tuple(columns[c] + columns[c + 1] for c in (0, 1)),
        x_checks=tuple(rows[r] + rows[r + 1] for r in (0, 1)),
        logical_x=rows[0],
        logical_z=columns[0],
        zero=tuple(even),
        plus=tuple(ghz),
        corrects=(1, 1),
        matchable=True,
        source="Shor, PRA 52, R2493 (1995); Bacon, PRA 73, 012340 (2006); Aliferis & Cross, PRL 98, 220502 (2007)",
    )


def _steane() -> Code:
    checks = ((3, 4, 5, 6), (1, 2, 5, 6), (0, 2, 4, 6))
    order = ((1, 6), (3, 4), (3, 5), (1, 5), (1, 2), (0, 2), (3, 6), (0, 4), (0, 6))
    # found by search and proved by the tests: no single fault leaves two errors that the check lets through
    zero: tuple[Step, ...] = (("H", (0, 1, 3)), *(("CX", pair) for pair in order), ("CHECK_Z", (1, 4, 6)))
    turned: tuple[Step, ...] = (
        ("H", (2, 4, 5, 6)),
        *(("CX", (b, a)) for a, b in order),
        ("CHECK_X", (1, 4, 6)),
    )
    return Code(
        name="steane",
        title="Steane code [[7,1,3]]",
        n=7,
        z_checks=checks,
        x_checks=checks,
        logical_x=(0, 1, 2),
        logical_z=(0, 1, 2),
        zero=zero,
        plus=turned,
        corrects=(1, 1),
        matchable=False,
        source="Steane, Proc. R. Soc. A 452, 2551 (1996); one check of the preparation as in Goto, Sci. Rep. 6, 19578 (2016)",
    )


CODES: Final[Mapping[str, Code]] = {
    each.name: each
    for each in (
        _bare(),
        _repetition(3, phase=False),
        _repetition(5, phase=False),
        _repetition(3, phase=True),
        _repetition(5, phase=True),
        _steane(),
        _bacon_shor(),
    )
}
"""Every code by its name."""


def code(name: str) -> Code:
    """The code of a name.

    Raises:
        UnknownNameError: there is none; the message lists the known ones.

    Examples:
        >>> code("steane").n, code("repetition-3").corrects
        (7, (1, 0))
    """
    found = CODES.get(name)
    if found is None:
        raise UnknownNameError(
            found=repr(name), expected=f"one of {', '.join(CODES)}", where="error_correction"
        )
    return found
