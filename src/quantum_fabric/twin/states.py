"""How the joint states of pairs are kept in a run: as mixtures of Bell states, as density matrices, or each as what it is.

Everything that happens to a pair goes through its class (`quantum_fabric.twin.qubits.Pair`), so the plant does not know which it is.
All draw the same random numbers for the same purposes: a run whose noise is Pauli noise is the same run in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from quantum_fabric.errors import Caution
from quantum_fabric.links.model import HeraldOutcome
from quantum_fabric.twin.bell_diagonal import BellDiagonal
from quantum_fabric.twin.exact import Exact
from quantum_fabric.twin.promoted import Promoted
from quantum_fabric.twin.qubits import Half, Pair


class Representation(Protocol):
    """A way to keep the joint state of two halves."""

    def prepare(self, outcome: HeraldOutcome) -> Any:
        """The state that a herald announces, as this representation keeps it."""

    def __call__(self, first: Half, second: Half, frame: int, state: Any) -> Pair:
        """A pair in such a state."""


STATES: Final[Mapping[str, Representation]] = MappingProxyType(
    {"bell-diagonal": BellDiagonal, "exact": Exact, "auto": Promoted}
)
"""By the name that documents and commands use."""

TWIRL_LIMIT: Final = 1e-3
"""Error of a fidelity, by twirling amplitude damping, above which a run carries a `Caution`."""


def twirl_cautions(error: float) -> tuple[Caution, ...]:
    """What a run says whose worst pair is off by about so much because amplitude damping was twirled.

    Examples:
        >>> len(twirl_cautions(1e-4)), len(twirl_cautions(0.02))
        (0, 1)
    """
    if error <= TWIRL_LIMIT:
        return ()
    found = f"fidelities off by up to about {error:.1g}"
    effect = "relaxation (T1) is twirled in Bell-diagonal states; run with states exact"
    return (Caution("states", found, f"off by at most {TWIRL_LIMIT:g}", effect),)
