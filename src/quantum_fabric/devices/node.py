"""What a data sheet says of a node: its memories, its gates and its photon interface."""

# ruff: noqa: RUF009 - `quantity` and `part` return dataclass fields, which ruff cannot see.

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantum_fabric.devices.cavity import Cavity
from quantum_fabric.devices.memory import Memory
from quantum_fabric.devices.quantities import check, choice, override, part, quantity
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.units import US, Time


@dataclass(frozen=True, slots=True)
class Gates:
    """Local operations of a node.

    Attributes:
        depolarising_1: probability that a one-qubit gate replaces its qubit by the maximally mixed state.
        depolarising_2: probability that a two-qubit gate replaces both qubits by the maximally mixed state. An average
            gate fidelity F_avg means 4 (1 - F_avg)/3.
        readout_error_0: P(read 1 | state 0).
        readout_error_1: P(read 0 | state 1).
        swap_success: probability that a Bell measurement gives a result at all.
        gate_time: ps that a two-qubit gate takes.
        readout_time: ps that a readout takes.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> Gates(depolarising_2=0.0133).depolarising_2
        0.0133
    """

    depolarising_1: float = quantity("fraction", 0.0, 1.0, "one-qubit depolarising probability", default=0.0)
    depolarising_2: float = quantity("fraction", 0.0, 1.0, "two-qubit depolarising probability", default=0.0)
    readout_error_0: float = quantity("fraction", 0.0, 1.0, "P(read 1 | state 0)", default=0.0)
    readout_error_1: float = quantity("fraction", 0.0, 1.0, "P(read 0 | state 1)", default=0.0)
    swap_success: float = quantity(
        "fraction", 0.0, 1.0, "probability that a Bell measurement gives a result", default=1.0, open_low=True
    )
    gate_time: Time = quantity("duration", 0.0, math.inf, "duration of a two-qubit gate", default=0)
    readout_time: Time = quantity("duration", 0.0, math.inf, "duration of a readout", default=0)

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)


@dataclass(frozen=True, slots=True)
class Interface:
    """Where a node meets the fibre.

    Attributes:
        efficiency: probability that a bright emitter puts a photon into the node's output fibre, before conversion.
        capture: probability that an arriving photon is stored and that the node knows it; 0 for a node that only emits.
        visibility: Hong-Ou-Mandel visibility of photons from two nodes of this kind (squared overlap).
        double_excitation: probability of a second excitation in one attempt.
        phase_noise: rms optical phase in rad that this end adds to a single-click herald; ends add in quadrature.
        spin_photon_fidelity: fidelity of the memory-photon Bell pair that leaves the node, errors taken as white.
        bright_population: share of the bright state that a single-click link uses where nothing else is asked for.
        encoding: how the photon carries its qubit: ``time-bin``, ``polarisation`` or ``number`` (there or not there). Turned
            polarisation is an error of the pair for ``polarisation`` and a loss at a polariser for the others.
        alignment_wander: rms sideways motion of the coupled mode, in mode radii per square root of a second.
        cycle: ps from one local attempt to the next, preparation included.
        wavelength: of the photon in the fibre (after conversion), m.
        conversion_efficiency: external efficiency of the frequency converter; 1 for none.
        conversion_noise: noise photons per s that leave the converter inside the detection filter.

    Raises:
        QuantityError: outside the domain.

    Examples:
        >>> Interface(efficiency=0.5, conversion_efficiency=0.5).emission
        0.25
    """

    efficiency: float = quantity(
        "fraction", 0.0, 1.0, "probability of a photon in the output fibre", default=1.0, open_low=True
    )
    capture: float = quantity(
        "fraction", 0.0, 1.0, "probability that an arriving photon is stored", default=0.0
    )
    visibility: float = quantity("fraction", 0.0, 1.0, "Hong-Ou-Mandel visibility", default=1.0)
    double_excitation: float = quantity(
        "fraction", 0.0, 1.0, "probability of a second excitation", default=0.0, open_high=True
    )
    phase_noise: float = quantity("angle", 0.0, math.inf, "rms optical phase of this end", default=0.0)
    spin_photon_fidelity: float = quantity(
        "fraction", 0.25, 1.0, "fidelity of the memory-photon pair", default=1.0
    )
    bright_population: float = quantity(
        "fraction", 0.0, 0.5, "bright-state population of a single-click link", default=0.05, open_low=True
    )
    encoding: str = choice(
        ("time-bin", "polarisation", "number"), "how the photon carries its qubit", default="time-bin"
    )
    alignment_wander: float = quantity(
        "number",
        0.0,
        math.inf,
        "rms motion of the coupled mode, mode radii per square root of a second",
        default=0.0,
    )
    cycle: Time = quantity("duration", 0.0, math.inf, "local attempt cycle", default=US, open_low=True)
    wavelength: float = quantity(
        "length", 0.0, math.inf, "wavelength in the fibre", default=1550e-9, open_low=True
    )
    conversion_efficiency: float = quantity(
        "fraction", 0.0, 1.0, "efficiency of frequency conversion", default=1.0, open_low=True
    )
    conversion_noise: float = quantity(
        "frequency", 0.0, math.inf, "noise photons from the converter", default=0.0
    )

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)

    @property
    def emission(self) -> float:
        """Probability that a bright emitter puts a photon of the fibre's wavelength into the fibre."""
        return self.efficiency * self.conversion_efficiency

    @property
    def absorption(self) -> float:
        """Probability that a photon arriving through the fibre is converted back, stored and known to be stored."""
        return self.capture * self.conversion_efficiency


@dataclass(frozen=True, slots=True)
class Node:
    """A data sheet of a node.

    Attributes:
        memory: how long its qubits live.
        gates: its local operations.
        interface: its photon interface.
        cavity: from which photons are reflected, where it has one.
        slots: memory slots, at least 1.

    Limits:
        All slots are alike: communication and storage qubits are not told apart. What an attempt on one slot does to
        the others is ``memory.attempt_dephasing``.

    Examples:
        >>> Node(slots=4).swap_time
        0
    """

    memory: Memory = part(Memory, "how long its qubits live")
    gates: Gates = part(Gates, "local operations")
    interface: Interface = part(Interface, "photon interface")
    cavity: Cavity = part(Cavity, "cavity from which photons are reflected")
    slots: int = quantity("count", 1, math.inf, "memory slots", default=2)

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)

    def memory_noise(self) -> MemoryNoise:
        """What its memories do to a qubit, as physics wants it.

        Examples:
            >>> Node(memory=Memory(t1=1.0, t2=0.5)).memory_noise().t2
            0.5
        """
        return self.memory.noise()

    def operation_noise(self) -> OperationNoise:
        """Gate and readout errors as physics wants them.

        Examples:
            >>> Node(gates=Gates(readout_error_0=0.01)).operation_noise().readout_error_0
            0.01
        """
        return OperationNoise(
            depolarising_1=self.gates.depolarising_1,
            depolarising_2=self.gates.depolarising_2,
            readout_error_0=self.gates.readout_error_0,
            readout_error_1=self.gates.readout_error_1,
            swap_success=self.gates.swap_success,
        )

    @property
    def swap_time(self) -> Time:
        """Picoseconds of a Bell measurement: gate and readout.

        Examples:
            >>> Node(gates=Gates(gate_time=300, readout_time=700)).swap_time
            1000
        """
        return self.gates.gate_time + self.gates.readout_time

    @property
    def measure_time(self) -> Time:
        """Picoseconds of a readout.

        Examples:
            >>> Node(gates=Gates(gate_time=300, readout_time=700)).measure_time
            700
        """
        return self.gates.readout_time

    def build_override(self, mapping: Mapping[str, Any], where: str = "") -> Node:
        """Copy the node with single fields replaced, as a document writes them.

        Args:
            mapping: dotted field name -> text with unit.
            where: dotted path of the mapping, for errors.

        Raises:
            QuantityError: as for `quantum_fabric.devices.build`.

        Examples:
            >>> Node().build_override({"memory.t2": "20 ms", "slots": 8}).slots
            8
            >>> Node().build_override({"memory.t2": "20 m"}, where="nodes.NU")
            Traceback (most recent call last):
            ...
            quantum_fabric.errors.QuantityError: nodes.NU.memory.t2: found '20 m', expected a time such as '10 ms' \
(units: ps, ns, us, µs, μs, ms, s, min, h, d)
        """
        return override(self, mapping, where)
