"""What a data sheet says of a memory: how a stored qubit fades, and whether it is found again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.noise import MemoryNoise
from quantum_fabric.units import show


@dataclass(frozen=True, slots=True)
class Memory:
    """How long a stored qubit lives.

    Attributes:
        t1: relaxation time in s, above 0; inf for none.
        t2: time in s after which 1/e of the coherence is left, above 0 and at most 2 t1; inf for none.
        decay: exponent n of the dephasing exp(-(t/T)^n), from 1 (exponential) over 2 (Gaussian) to 3 (decoupled).
        attempt_dephasing: share of the coherence that one entangling attempt at the same node destroys, in [0, 1).
            `dephasing_of_detuning` and `dephasing_of_attempts` give it from what papers say.
        retrieval: probability that a readout finds the qubit at all, right after it was stored, in (0, 1].
        retrieval_lifetime: time in s in which the retrieval falls to 1/e of that; inf for never. A photon that does not
            come out again is a loss, heralded only at readout; it is no dephasing.
        modes: modes (in time, frequency or space) that one slot stores at once; a whole number, inf for no limit.
        temperature: at which the device was measured, in K, at least 0; 0 where it is not said.

    Raises:
        QuantityError: outside the domain, t2 > 2 t1, or a fraction of a mode.

    Limits:
        No number here follows from the temperature: it says under which condition the others hold. How ``t1``, ``t2`` and
        ``decay`` act together is written in `quantum_fabric.physics.noise.MemoryNoise`.

    Examples:
        >>> Memory(t1=1.0, t2=2.0).t2
        2.0
        >>> Memory(t1=1.0, t2=2.5)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: t2: found 2.5 s, expected at most 2 t1 = 2 s
    """

    t1: float = quantity("time", 0.0, math.inf, "relaxation time", default=math.inf, open_low=True)
    t2: float = quantity("time", 0.0, math.inf, "dephasing time", default=math.inf, open_low=True)
    decay: float = quantity("number", 1.0, 3.0, "exponent of the dephasing", default=1.0)
    attempt_dephasing: float = quantity(
        "fraction", 0.0, 1.0, "coherence that one attempt beside it destroys", default=0.0, open_high=True
    )
    retrieval: float = quantity(
        "fraction", 0.0, 1.0, "probability that a readout finds the qubit", default=1.0, open_low=True
    )
    retrieval_lifetime: float = quantity(
        "time", 0.0, math.inf, "time in which the retrieval falls to 1/e", default=math.inf, open_low=True
    )
    modes: float = quantity("number", 1.0, math.inf, "modes that one slot stores", default=math.inf)
    temperature: float = quantity(
        "temperature", 0.0, math.inf, "temperature of the device; 0 K where it is not said", default=0.0
    )

    def __post_init__(self) -> None:
        """Refuse what no qubit can do."""
        check(self)
        if self.t2 > 2.0 * self.t1:
            raise QuantityError(show(self.t2, "time"), f"at most 2 t1 = {show(2.0 * self.t1, 'time')}", "t2")
        if math.isfinite(self.modes) and not float(self.modes).is_integer():
            raise QuantityError(f"{self.modes:g}", "a whole number of modes, or inf", "modes")

    def noise(self) -> MemoryNoise:
        """As physics wants it.

        Examples:
            >>> Memory(t1=1.0, t2=0.5, decay=2.0).noise().exponent
            2.0
        """
        return MemoryNoise(
            t1=self.t1,
            t2=self.t2,
            exponent=self.decay,
            attempt_dephasing=self.attempt_dephasing,
            retrieval=self.retrieval,
            retrieval_lifetime=self.retrieval_lifetime,
        )


def dephasing_of_detuning(coupling: float, spread: float) -> float:
    """Share of the coherence of a nuclear spin that one entangling attempt on the electron beside it destroys.

    The electron is for a random time in another state than the one for which the nuclear spin was set up. The phase that the
    nucleus then picks up is the coupling times that time.

    Args:
        coupling: difference of the angular precession frequencies of the nucleus for the two electron states (rad/s), at
            least 0. A frequency of 77 kHz is 2 pi x 77e3.
        spread: standard deviation of the time that the electron spends in the other state in one attempt (s), at least 0.

    Returns:
        The share in [0, 1], ``Memory.attempt_dephasing``. A phase flip has half this probability.

    Raises:
        QuantityError: a negative or undefined number.

    Equation:
        For a Gaussian spread of the time the mean phase factor is exp(-(dw tau)^2/2). The flip probability
        (1 - exp(-(dw tau)^2/2))/2 is that of Kalb et al., PRA 97, 062330 (2018); the share is 1 minus the phase factor.

    Limits:
        One dominant channel; no errors of the control of the electron beside it.

    Examples:
        >>> round(dephasing_of_detuning(2 * math.pi * 77e3, 163e-9), 6)
        0.003105
    """
    for name, value in (("coupling", coupling), ("spread", spread)):
        if not 0.0 <= value < math.inf:
            raise QuantityError(repr(value), "a finite number of at least 0", name)
    return -math.expm1(-((coupling * spread) ** 2) / 2.0)


def dephasing_of_attempts(attempts: float) -> float:
    """Share of the coherence that one attempt destroys, where 1/e of it is left after a number of attempts.

    Args:
        attempts: number N of attempts to 1/e, above 0; inf for a memory that does not mind.

    Returns:
        1 - exp(-1/N), ``Memory.attempt_dephasing``.

    Raises:
        QuantityError: not above 0.

    Examples:
        >>> round(dephasing_of_attempts(1800.0), 9)
        0.000555401
        >>> dephasing_of_attempts(math.inf)
        0.0
    """
    if not attempts > 0.0:
        raise QuantityError(repr(attempts), "a number of attempts above 0", "attempts")
    return -math.expm1(-1.0 / attempts)
