"""How much is tested, what calibrations are worth, and how sure an alarm must be."""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.errors import InputError
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Verification:
    """Policy of a controller that tests what it delivers.

    Attributes:
        share: of the pairs, at most this many are measured as tests (`quantum_fabric.control.verification.budget`).
        confidence: of every interval.
        calibrated_at: when the beliefs were measured, ps; before the start of the run it is negative.
        drift: by how much the losses of a pair wander, relative, in one hour; grows with the square root of the time.
        jumps: sudden changes per hour that are expected at first; how many there are is learnt (`Experience`).
        readout_tolerance: relative error of the believed readout errors, one standard deviation.
        doubt: chance per request that a model which is right is dropped for good.
        change: a sudden change is reported falsely once in this many tests, at most.
        alarm: chance that the mean is below what was asked for, from which on it is reported.
        suspicion: somebody is suspected falsely once in this many tests, at most.
        harmless: factor on a pair's correlators that a repeater or link may cost beyond what is believed, without being suspected.

    Raises:
        InputError: a number outside of its range.

    Examples:
        >>> Verification(share=0.01).confidence
        0.95
        >>> Verification(share=1.5)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: verification.share: found 1.5, expected a number in (0, 1]
    """

    share: float = 0.02
    confidence: float = 0.95
    calibrated_at: Time = 0
    drift: float = 0.05
    jumps: float = 0.01
    readout_tolerance: float = 0.1
    doubt: float = 1e-4
    change: float = 1e4
    alarm: float = 0.99
    suspicion: float = 1e5
    harmless: float = 0.95

    def __post_init__(self) -> None:
        inside = {
            "share": 0.0 < self.share <= 1.0,
            "confidence": 0.0 < self.confidence < 1.0,
            "drift": 0.0 <= self.drift <= 10.0,
            "jumps": 0.0 <= self.jumps <= 1000.0,
            "readout_tolerance": 0.0 <= self.readout_tolerance <= 1.0,
            "doubt": 0.0 < self.doubt < 1.0,
            "change": 1.0 < self.change < 1e300,
            "alarm": 0.5 <= self.alarm < 1.0,
            "suspicion": 1.0 < self.suspicion < 1e300,
            "harmless": 0.0 < self.harmless <= 1.0,
        }
        expected = {
            "share": "(0, 1]", "drift": "[0, 10]", "jumps": "[0, 1000]", "readout_tolerance": "[0, 1]", "change": "(1, 1e300)",
            "suspicion": "(1, 1e300)", "alarm": "[0.5, 1)", "harmless": "(0, 1]",
        }  # fmt: skip
        for name, good in inside.items():
            if not good:
                wanted = f"a number in {expected.get(name, '(0, 1)')}"
                raise InputError(repr(getattr(self, name)), wanted, f"verification.{name}")
