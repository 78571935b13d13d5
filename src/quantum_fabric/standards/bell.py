"""The four Bell states, named on the wire; and the two public numberings, which differ.

===========  ===============================  =====================================================================================
numbering    0, 1, 2, 3                       read in
===========  ===============================  =====================================================================================
`QLINK`      Φ+, Φ−, Ψ+, Ψ−                   ``qlink_interface`` 1.0.0, ``interface.py`` (S)
`NETQASM`    Φ+, Ψ+, Ψ−, Φ−                   ``netqasm`` 2.3.0, ``qlink_compat.py`` (S); at commit 4fcfab7 it had QLink's order
===========  ===============================  =====================================================================================

Two programs that exchange the numbers agree on Φ+ and on nothing else. Here a Bell state goes by its name, and a number is only read
together with the numbering that it is in.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from quantum_fabric.errors import InputError
from quantum_fabric.messages import Bell
from quantum_fabric.standards.reading import shown

QLINK: Final[tuple[Bell, ...]] = (Bell.PHI_PLUS, Bell.PHI_MINUS, Bell.PSI_PLUS, Bell.PSI_MINUS)
"""The states in the order of QLink-Interface. It is the order of our own labels."""

NETQASM: Final[tuple[Bell, ...]] = (Bell.PHI_PLUS, Bell.PSI_PLUS, Bell.PSI_MINUS, Bell.PHI_MINUS)
"""The states in the order of NetQASM 2."""

NUMBERINGS: Final[Mapping[str, tuple[Bell, ...]]] = MappingProxyType({"qlink": QLINK, "netqasm": NETQASM})
"""By name."""


def bell_of(number: object, numbering: str) -> Bell:
    """The Bell state that a number means in a numbering.

    Args:
        number: from outside.
        numbering: ``"qlink"`` or ``"netqasm"``; there is no default, because either would be wrong half of the time.

    Raises:
        InputError: an unknown numbering, or no number from 0 to 3.

    Examples:
        >>> bell_of(1, "qlink").name, bell_of(1, "netqasm").name
        ('PHI_MINUS', 'PSI_PLUS')
        >>> bell_of(4, "qlink")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: Bell state: found 4, expected an integer from 0 to 3
    """
    states = _states(numbering)
    if type(number) is not int or not 0 <= number < 4:
        raise InputError(shown(number), "an integer from 0 to 3", "Bell state")
    return states[number]


def number_of(bell: Bell, numbering: str) -> int:
    """The number of a Bell state in a numbering.

    Raises:
        InputError: an unknown numbering.

    Examples:
        >>> [number_of(bell, "netqasm") for bell in Bell]
        [0, 3, 1, 2]
    """
    return _states(numbering).index(bell)


def _states(numbering: str) -> tuple[Bell, ...]:
    states = NUMBERINGS.get(numbering)
    if states is None:
        raise InputError(shown(numbering), f"one of {', '.join(NUMBERINGS)}", "numbering of Bell states")
    return states
