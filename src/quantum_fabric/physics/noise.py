"""What noise a memory and its operations add: plain records, with the conventions stated once.

*Depolarising* with probability ``p`` means that the qubits of a gate are, with probability ``p``, replaced by the
maximally mixed state. That is not the only convention in use: it gives an average gate fidelity of ``1 - p (d-1)/d`` and a
process fidelity of ``1 - p (d²-1)/d²`` with ``d = 2**qubits`` (Nielsen, Phys. Lett. A 303, 249 (2002)), so a two-qubit gate with
an average fidelity of 0.99 has ``p`` = 0.01333. The functions below convert.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

from quantum_fabric.errors import QuantityError


@dataclass(frozen=True, slots=True)
class MemoryNoise:
    """How a qubit fades while it waits: amplitude damping (T1), dephasing (with it T2), attempts beside it, failing readout.

    Equation: a qubit that was born at 0 keeps, at time t,

        population:   e^(-t/T1)
        coherence:    e^(-t/(2 T1)) e^(-(t/Tφ)^n) (1 - a)^N,    T2/(2 T1) + (T2/Tφ)^n = 1
        retrieval:    r e^(-t/T_r)

    with ``n`` the exponent, ``a`` the `attempt_dephasing` and ``N`` the number of entangling attempts that its node has made on
    other qubits since. For n = 1 the coherence is e^(-t/T2); without relaxation it is e^(-(t/T2)^n); always T2 is the time after
    which 1/e of it is left. A stretched decay cannot be restarted: what is lost between two times depends on the birth.

    Attributes:
        t1: relaxation time (s), above 0; ``math.inf`` for none.
        t2: coherence time (s), above 0 and at most ``2 * t1`` (a state that decays cannot keep its phase); ``math.inf`` for none.
        exponent: n of the dephasing, in [1, 3]: 1 exponential, 2 Gaussian, 3 as of a decoupled memory.
        attempt_dephasing: share of the coherence that one entangling attempt at the same node destroys, in [0, 1). N attempts to
            1/e mean ``1 - e^(-1/N)`` (Kalb et al., PRA 97, 062330 (2018)).
        retrieval: probability that a readout finds the qubit at all, right after its birth, in (0, 1]. An absorptive memory that
            fails to give its photon back has lost it: that is heralded at readout, and it is no dephasing.
        retrieval_lifetime: time (s) in which the retrieval falls to 1/e of that, above 0; ``math.inf`` for never.

    Raises:
        QuantityError: a value outside its domain, or ``t2 > 2 * t1``.

    Examples:
        >>> MemoryNoise(t1=3600.0, t2=1.58).exponent
        1.0
        >>> MemoryNoise(t1=1.0, t2=3.0)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: t2: found 3.0 s, expected at most twice t1 (2.0 s)
    """

    t1: float
    t2: float
    exponent: float = 1.0
    attempt_dephasing: float = 0.0
    retrieval: float = 1.0
    retrieval_lifetime: float = math.inf

    def __post_init__(self) -> None:
        for name in ("t1", "t2", "retrieval_lifetime"):
            value = getattr(self, name)
            if not value > 0.0:
                raise QuantityError(found=f"{value!r} s", expected="a time above 0", where=name)
        if self.t2 > 2.0 * self.t1:
            raise QuantityError(
                found=f"{self.t2!r} s", expected=f"at most twice t1 ({2.0 * self.t1!r} s)", where="t2"
            )
        for name, good, expected in (
            ("exponent", 1.0 <= self.exponent <= 3.0, "an exponent in [1, 3]"),
            ("attempt_dephasing", 0.0 <= self.attempt_dephasing < 1.0, "a share in [0, 1)"),
            ("retrieval", 0.0 < self.retrieval <= 1.0, "a probability in (0, 1]"),
        ):
            if not good:
                raise QuantityError(found=repr(getattr(self, name)), expected=expected, where=name)

    @property
    def stretched_rate(self) -> float:
        """``1/Tφ`` of the stretched part of the dephasing (1/s); 0 where the decay is exponential.

        Examples:
            >>> MemoryNoise(t1=math.inf, t2=2.0, exponent=2.0).stretched_rate
            0.5
        """
        if self.exponent == 1.0 or math.isinf(self.t2):
            return 0.0
        return float((1.0 - self.t2 / (2.0 * self.t1)) ** (1.0 / self.exponent)) / self.t2

    @property
    def steady_rate(self) -> float:
        """Rate (1/s) of the exponential part of the loss of coherence: 1/T2, or 1/(2 T1) beside a stretched part.

        Examples:
            >>> MemoryNoise(t1=4.0, t2=2.0).steady_rate, MemoryNoise(t1=4.0, t2=2.0, exponent=2.0).steady_rate
            (0.5, 0.125)
        """
        return 1.0 / self.t2 if self.exponent == 1.0 else 0.5 / self.t1

    @property
    def loss_per_attempt(self) -> float:
        """What one entangling attempt beside a qubit costs its coherence, as an exponent: ``-ln(1 - a)``.

        Examples:
            >>> round(MemoryNoise(1.0, 1.0, attempt_dephasing=0.5).loss_per_attempt, 6)
            0.693147
        """
        return -math.log1p(-self.attempt_dephasing)

    @property
    def simple(self) -> bool:
        """True if a half loses coherence at one constant rate, whatever its age and whatever happens beside it.

        Examples:
            >>> MemoryNoise(1.0, 1.0).simple, MemoryNoise(2.0, 1.0, exponent=2.0).simple
            (True, False)
        """
        return self.stretched_rate == 0.0 and self.attempt_dephasing == 0.0

    @property
    def lossless(self) -> bool:
        """True if a readout always finds the qubit."""
        return self.retrieval == 1.0 and math.isinf(self.retrieval_lifetime)

    def retrieved(self, seconds: float) -> float:
        """Probability that a readout finds a qubit of this age (s, >= 0).

        Examples:
            >>> round(MemoryNoise(math.inf, math.inf, retrieval=0.5, retrieval_lifetime=1.0).retrieved(1.0), 6)
            0.18394
        """
        return self.retrieval * math.exp(-seconds / self.retrieval_lifetime)


@dataclass(frozen=True, slots=True)
class OperationNoise:
    """What gates and readout add to a state. All fields are probabilities (fraction, 0 to 1).

    Attributes:
        depolarising_1: that the qubit of a one-qubit gate is replaced by the maximally mixed state.
        depolarising_2: that both qubits of a two-qubit gate are replaced by the maximally mixed state.
        readout_error_0: that a qubit in state 0 is read as 1.
        readout_error_1: that a qubit in state 1 is read as 0.
        swap_success: that a Bell measurement announces anything at all; 1 where it is made with gates, at most 1/2 with
            linear optics and no ancillas. It is drawn by whoever executes the swap and changes no state.

    Raises:
        QuantityError: a field outside [0, 1].

    Examples:
        >>> OperationNoise(depolarising_2=0.01, readout_error_0=0.05, readout_error_1=0.005).swap_success
        1.0
        >>> OperationNoise(depolarising_2=1.5)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: depolarising_2: found 1.5, expected a probability in [0, 1]
    """

    depolarising_1: float = 0.0
    depolarising_2: float = 0.0
    readout_error_0: float = 0.0
    readout_error_1: float = 0.0
    swap_success: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value <= 1.0:
                raise QuantityError(found=repr(value), expected="a probability in [0, 1]", where=field.name)


NO_DECAY: Final = MemoryNoise(math.inf, math.inf)
"""A memory that forgets nothing."""

NOISELESS: Final = OperationNoise()
"""Operations that add nothing and always succeed."""


def depolarising_from_average_fidelity(fidelity: float, qubits: int) -> float:
    """Turn a published average gate fidelity into the depolarising probability used here.

    Equation: ``p = (1 - F) d / (d - 1)``, ``d = 2**qubits`` (Nielsen, Phys. Lett. A 303, 249 (2002)).

    Args:
        fidelity: average gate fidelity, in ``[1/d, 1]``.
        qubits: number of qubits of the gate, 1 or 2.

    Returns:
        Probability of replacement by the maximally mixed state, in [0, 1].

    Raises:
        QuantityError: fidelity outside ``[1/d, 1]``.

    Limits:
        Exact only if the gate error *is* depolarising; a coherent error of the same average fidelity acts differently.

    Examples:
        >>> round(depolarising_from_average_fidelity(0.99, qubits=2), 5)
        0.01333
    """
    d = 2.0**qubits
    if not 1.0 / d <= fidelity <= 1.0:
        raise QuantityError(
            found=repr(fidelity), expected=f"an average gate fidelity in [{1.0 / d}, 1]", where="fidelity"
        )
    return (1.0 - fidelity) * d / (d - 1.0)


def average_fidelity_from_depolarising(probability: float, qubits: int) -> float:
    """Average gate fidelity of a gate that depolarises with this probability: ``1 - p (d-1)/d``.

    Args:
        probability: of replacement by the maximally mixed state, in [0, 1].
        qubits: number of qubits of the gate, 1 or 2.

    Raises:
        QuantityError: probability outside [0, 1].

    Examples:
        >>> average_fidelity_from_depolarising(0.02, qubits=1)
        0.99
    """
    d = 2.0**qubits
    return 1.0 - _probability(probability) * (d - 1.0) / d


def process_fidelity_from_depolarising(probability: float, qubits: int) -> float:
    """Process (entanglement) fidelity of a gate that depolarises with this probability: ``1 - p (d²-1)/d²``.

    Args:
        probability: of replacement by the maximally mixed state, in [0, 1].
        qubits: number of qubits of the gate, 1 or 2.

    Raises:
        QuantityError: probability outside [0, 1].

    Examples:
        >>> process_fidelity_from_depolarising(0.02, qubits=1)
        0.985
    """
    d2 = 4.0**qubits
    return 1.0 - _probability(probability) * (d2 - 1.0) / d2


def _probability(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise QuantityError(found=repr(value), expected="a probability in [0, 1]", where="probability")
    return value
