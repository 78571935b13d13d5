"""DLCZ link: two atomic ensembles, one Stokes photon detected behind a beam splitter.

A weak write pulse leaves ``n`` spin-wave excitations and ``n`` Stokes photons in an ensemble, with probability
``(1-λ) λ^n``. One click at the station heralds one excitation shared by both ensembles, (|01> ± |10>)/√2 in excitation
numbers. Reference: Duan, Lukin, Cirac, Zoller, Nature 414, 413 (2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from quantum_fabric.links.architecture import EMITTER, EXAMPLE, FIBRE, STATION, Architecture, Parameter
from quantum_fabric.links.excitation import SharedExcitation


@dataclass(frozen=True, slots=True)
class Dlcz(SharedExcitation):
    """A DLCZ link made of parts.

    Attributes:
        parts: nodes (ensembles), fibre, detector. ``interface.bright_population`` is the excitation ratio λ,
            ``interface.efficiency`` the probability that a Stokes photon gets into the fibre.
        tuned: efficiencies (a, b) to which the sources are balanced; those of the parts where it is None. A link that has drifted
            is still tuned to what it was.
        knob: ``excitation``; its low end is the ratio with the best fidelity, below which dark counts win.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> from quantum_fabric.links.parts import Parts
        >>> node = sheet("node", "lab-best")
        >>> parts = Parts(node, node, sheet("fibre", "smf-28"), (12_500.0, 12_500.0), sheet("detector", "snspd"))
        >>> careful, eager = Dlcz(parts).heralding(0.002), Dlcz(parts).heralding(0.05)
        >>> careful.fidelity > eager.fidelity, careful.success < eager.success
        (True, True)
    """

    architecture: ClassVar[str] = "dlcz"
    ratio: ClassVar[str] = "excitation"


ARCHITECTURE: Final = Architecture(
    name="dlcz",
    title="one Stokes photon of two atomic ensembles behind a beam splitter (Duan, Lukin, Cirac, Zoller)",
    make=Dlcz,
    needs=("detector",),
    bells=(2, 3),
    parameters=(
        *FIBRE,
        *EMITTER,
        *STATION,
        Parameter("node", "interface.phase_noise", "low", "", (0.0, 1.0)),
        Parameter("node", "interface.bright_population", "low", "high", (0.03, 0.2)),
    ),
    equation=(
        "two sources Σ λ^(n/2)|n,n>; detectors silent with Γ(M), M = √λ(1-E)√λ; p = Tr of (1-p_d)Γ_d - (1-p_d)²Γ_cd for "
        "each detector; λ_a η_a = λ_b η_b"
    ),
    source="Duan, Lukin, Cirac, Zoller, Nature 414, 413 (2001)",
    limits=(
        "several excitations in one ensemble count as one; excitation numbers are qubits (|0>, |1>), so a lost excitation is "
        "relaxation (T1), not dephasing"
    ),
    bound="arm",
    oracle="tests/oracles/test_squeezed.py::test_one_click_against_fock_space",
    example=EXAMPLE.format(name="dlcz", node="lab-best", source=""),
)
"""Record of the catalogue."""
