"""What a node believes of how the two halves of its pairs fade."""

from __future__ import annotations

from collections.abc import Mapping

from quantum_fabric.control.estimate import stretched
from quantum_fabric.control.qubit import Qubit
from quantum_fabric.messages import Calibration, Correlators, GenerateRule, Stretch
from quantum_fabric.physics.correlators import added_rates, aged
from quantum_fabric.physics.fading import steady_rates
from quantum_fabric.physics.noise import MemoryNoise
from quantum_fabric.units import Time, seconds


class Ageing:
    """The believed ageing of the halves of one installation at one node.

    A half ages by the law of `quantum_fabric.physics.fading`, from its own birth. Attempts beside it are believed to come at a rate
    (`quantum_fabric.control.rules.attempts_beside`), since nobody tells a node when the other end of a lane is ready.

    Args:
        calibration: what is believed of this node.
        rules: by slot, for what happens beside a half there.
    """

    def __init__(self, calibration: Calibration, rules: Mapping[int, GenerateRule]) -> None:
        memory = MemoryNoise(calibration.t1, calibration.t2, calibration.exponent)
        self._stretched, self._exponent = memory.stretched_rate, memory.exponent
        steady, _, relaxation = steady_rates(memory)
        self._rates: dict[int, Correlators] = {}
        for slot, rule in rules.items():
            rate = steady + rule.disturbance
            self._rates[slot] = (rate, rate, relaxation)

    def here(self, qubit: Qubit, now: Time) -> Correlators:
        """Factor of this node's half, from its birth or last purification to now."""
        factors = aged((1.0, 1.0, 1.0), self._rates[qubit.slot], seconds(now - qubit.born))
        if self._stretched > 0.0:
            factors = stretched(factors, self._stretch(qubit), qubit.born, now)
        return factors

    def there(self, qubit: Qubit, now: Time) -> Correlators:
        """Factor of the far half, taken to wait until now."""
        factors = aged((1.0, 1.0, 1.0), qubit.far_decay, max(0.0, seconds(now - qubit.far_born)))
        if qubit.far_stretch is not None:
            factors = stretched(factors, qubit.far_stretch, qubit.far_born, max(now, qubit.far_born))
        return factors

    def rates(self, qubit: Qubit) -> Correlators:
        """Decay rates of both halves together (x, y, z; 1/s), without what is stretched."""
        return added_rates(self._rates[qubit.slot], qubit.far_decay)

    def stretches(self, qubit: Qubit) -> tuple[Stretch, ...]:
        """The stretched parts of the decay of both halves."""
        far = (qubit.far_stretch,) if qubit.far_stretch is not None else ()
        return (self._stretch(qubit), *far) if self._stretched > 0.0 else far

    def _stretch(self, qubit: Qubit) -> Stretch:
        return Stretch(self._stretched, self._exponent, qubit.birth)
