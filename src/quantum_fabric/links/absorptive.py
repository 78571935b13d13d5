"""Absorptive memories with down-conversion sources, heralded by one photon and multiplexed over time, frequency and space.

At each end a source makes photon pairs: the signal is absorbed by a memory next to it, the idler travels to a station. One
click heralds one photon stored at one of the two ends. Many modes are tried in one round trip, and the memories hold them all.
References: Simon et al., PRL 98, 190503 (2007); Lago-Rivera et al., Nature 594, 37 (2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.links.architecture import FIBRE, STATION, Architecture, Parameter
from quantum_fabric.links.excitation import SharedExcitation
from quantum_fabric.links.timing import Schedule
from quantum_fabric.units import seconds, show, show_time


@dataclass(frozen=True, slots=True)
class Absorptive(SharedExcitation):
    """A link of absorptive memories made of parts.

    Attributes:
        parts: nodes, fibre, detector. ``interface.bright_population`` is the pair ratio λ of the source,
            ``interface.efficiency`` the probability that an idler gets into the fibre, ``interface.capture`` the
            probability that the signal is absorbed, ``memory.modes`` how many modes the memory holds.
        tuned: efficiencies (a, b) to which the sources are balanced; those of the parts where it is None. A link that has drifted
            is still tuned to what it was.
        knob: ``emission``, the pair ratio; its low end is the ratio with the best fidelity, below which dark counts win.

    Raises:
        QuantityError: a node that stores no photons, or more modes than its memory holds.

    Examples:
        >>> from dataclasses import replace
        >>> from quantum_fabric.links.parts import Parts
        >>> from quantum_fabric.devices import Memory, Node, sheet
        >>> node = Node(memory=Memory(modes=62)).build_override({"interface.capture": "30 %"})
        >>> parts = Parts(node, node, sheet("fibre", "smf-28"), (5e3, 5e3), sheet("detector", "snspd"), modes=62)
        >>> many, one = Absorptive(parts).heralding(0.001), Absorptive(replace(parts, modes=1)).heralding(0.001)
        >>> round(many.success / one.success)
        59
    """

    architecture: ClassVar[str] = "absorptive"
    ratio: ClassVar[str] = "emission"

    def __post_init__(self) -> None:
        """Refuse memories that cannot do it, then reduce the parts."""
        for name, node in (("a", self.parts.a), ("b", self.parts.b)):
            if node.interface.capture <= 0.0:
                raise QuantityError(
                    "0", "above 0, the memory must absorb photons", f"{name}.interface.capture"
                )
            if node.memory.modes < self.parts.tried:
                expected = f"at most {node.memory.modes:g}, what the memory at {name} holds"
                raise QuantityError(str(self.parts.tried), expected, "modes")
        SharedExcitation.__post_init__(self)

    @property
    def kept(self) -> tuple[float, float]:
        """Probability that the signal is absorbed at a, at b."""
        return (self.parts.a.interface.capture, self.parts.b.interface.capture)

    def _cautions(self, times: Schedule) -> tuple[Caution, ...]:
        waits = max(heard - born for heard, born in zip(times.heard, times.born, strict=True))
        shortest = min(self.parts.a.memory.retrieval_lifetime, self.parts.b.memory.retrieval_lifetime)
        if seconds(waits) <= shortest:
            return ()
        effect = "most stored photons are lost before the herald is heard"
        return (Caution("round trip", show_time(waits), f"at most {show(shortest, 'time')}", effect),)


ARCHITECTURE: Final = Architecture(
    name="absorptive",
    title="pair sources with absorptive memories, one click, many modes (Simon; Lago-Rivera)",
    make=Absorptive,
    needs=("detector", "capture at a", "capture at b"),
    bells=(2, 3),
    parameters=(
        *FIBRE,
        *STATION,
        Parameter("node", "interface.efficiency", "", "high", (0.05, 1.0)),
        Parameter("node", "interface.conversion_efficiency", "", "high", (0.05, 1.0)),
        Parameter("node", "interface.spin_photon_fidelity", "high", "", (0.6, 1.0)),
        Parameter("node", "interface.capture", "high", "", (0.05, 1.0)),
        Parameter("node", "interface.phase_noise", "low", "", (0.0, 1.0)),
        Parameter("node", "interface.bright_population", "low", "high", (0.03, 0.2)),
    ),
    equation=(
        "as dlcz, with signals thinned by their absorption: N = M/(1-M) -> √s N √s; "
        "p_M = 1 - (1-p)^M with M = time x frequency x space modes, all held by the memory"
    ),
    source="Simon et al., PRL 98, 190503 (2007); Lago-Rivera et al., Nature 594, 37 (2021)",
    limits=(
        "photon numbers are qubits (|0>, |1>), so a signal that was not absorbed is an error of the pair that nobody heralds; the "
        "memory is read on demand; modes are equal and independent"
    ),
    bound="arm",
    oracle="tests/oracles/test_squeezed.py::test_losses_of_the_kept_signal_against_fock_space",
    example="""\
from quantum_fabric.devices import Memory, Node, sheet
from quantum_fabric.links import build

node = Node(memory=Memory(modes=100)).build_override({"interface.capture": "90 %", "interface.efficiency": "50 %"})
fibre, detector = sheet("fibre", "smf-28"), sheet("detector", "snspd")
link = build("absorptive", node, node, fibre, (12_500.0, 12_500.0), detector, modes=100)
""",
)
"""Record of the catalogue."""
