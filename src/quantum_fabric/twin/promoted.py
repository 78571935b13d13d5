"""Pairs kept as cheaply as is exact, each by what has become of it: mixtures of Bell states until something asks for more."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from quantum_fabric.kernel.streams import Stream
from quantum_fabric.links.model import HeraldOutcome
from quantum_fabric.messages import Correlators, Weights
from quantum_fabric.physics import correlators
from quantum_fabric.physics.correlators import from_weights, to_weights
from quantum_fabric.physics.frames import purify_frame, swap_frame
from quantum_fabric.physics.instruments import Array, bell_mixture, from_entries, purified, reversed_ends
from quantum_fabric.twin.bell_diagonal import draw_label
from quantum_fabric.twin.exact import Exact, _both, _purifiers
from quantum_fabric.twin.qubits import Half, Pair, Purification, TwinNode

Kept: TypeAlias = Correlators | Array
"""Three correlators relative to the frame, or a density matrix."""

ROUNDING = 1e-12
"""Entries of a herald's state below this are taken for rounding."""


class Promoted(Exact):
    """A pair that is three correlators as long as it is a mixture of Bell states, and a 4 × 4 density matrix from then on.

    Heralds that leave other states (single clicks) and memories that relax (T1) promote a pair. So do readouts, teleportation, and
    what a failed purification leaves. Dephasing memories, depolarising gates, swaps and purifications that succeed do not, unless
    readout is lopsided at both of their ends. A promoted pair promotes those that it is joined with, and stays promoted.

    It is `quantum_fabric.twin.exact.Exact` in all that it does: the same draws, and the same states to rounding.

    Attributes:
        plain: whether it is still three correlators.
    """

    __slots__ = ("_matrix", "x", "y", "z")

    def __init__(self, first: Half, second: Half, frame: int, state: Kept) -> None:
        Pair.__init__(self, first, second, frame)
        self._matrix: Array | None = None
        if isinstance(state, tuple):
            self.x, self.y, self.z = state
        else:
            self._matrix = state

    @classmethod
    def prepare(cls, outcome: HeraldOutcome) -> Kept:  # type: ignore[override]
        """Correlators where the herald leaves a mixture of Bell states, else its density matrix."""
        if outcome.state is None:
            return from_weights(outcome.weights)
        rho = from_entries(outcome.state)
        mixture = bell_mixture(outcome.weights, int(outcome.bell))
        return from_weights(outcome.weights) if float(np.abs(rho - mixture).max()) < ROUNDING else rho

    @property
    def plain(self) -> bool:
        """Whether it is still three correlators."""
        return self._matrix is None

    @property
    def rho(self) -> Array:
        """The density matrix; whoever asks for it promotes the pair."""
        if self._matrix is None:
            self._matrix = bell_mixture(to_weights((self.x, self.y, self.z)), self.frame)
        return self._matrix

    @rho.setter
    def rho(self, state: Array) -> None:
        self._matrix = state

    def fade(self, half: Half, coherence: float, population: float) -> None:
        """Dephasing keeps a mixture of Bell states; relaxation does not."""
        if self._matrix is None and population == 1.0:
            self.x *= coherence
            self.y *= coherence
        else:
            super().fade(half, coherence, population)

    def spoil(self, lost: Half | None = None) -> None:
        """Half of a mixture of Bell states tells nothing of the other half."""
        if self._matrix is None or lost is None:
            self._matrix = None
            self.x = self.y = self.z = 0.0
        else:
            super().spoil(lost)

    def weights(self, told: int) -> Weights:
        """Bell weights relative to the state that somebody was told."""
        if self._matrix is not None:
            return super().weights(told)
        relative = to_weights((self.x, self.y, self.z))
        shift = self.frame ^ told
        return (relative[shift], relative[shift ^ 1], relative[shift ^ 2], relative[shift ^ 3])

    def swapped(self, left: Half, right: Half, draws: Stream) -> int:
        """Two mixtures of Bell states make one; any other pair promotes the one that it is joined with."""
        other = right.pair
        if not (isinstance(other, Promoted) and self.plain and other.plain):
            return super().swapped(left, right, draws)
        label = draw_label(draws.uniform(), left.node.outcomes)
        x, y, z = left.node.outcomes[label][1]
        state = (self.x * other.x * x, self.y * other.y * y, self.z * other.z * z)
        Promoted(self.other(left), other.other(right), swap_frame(self.frame, other.frame, label), state)
        return label

    def half_purified(self, waiting: Purification, draws: Stream) -> int:
        """The measured qubit of mixtures of Bell states is maximally mixed."""
        if not _plain(waiting):
            return super().half_purified(waiting, draws)
        noise = waiting.node.operations
        return int(draws.flip(0.5 * (1.0 - noise.readout_error_1) + 0.5 * noise.readout_error_0))

    def purified(self, waiting: Purification, node: TwinNode, draws: Stream) -> int:
        """Success leaves a mixture of Bell states of two; failure is worked out with density matrices."""
        noise = (waiting.node.operations, node.operations)
        lopsided = all(each.readout_error_0 != each.readout_error_1 for each in noise)
        sacrifice = waiting.sacrifice
        if lopsided or not _plain(waiting) or not isinstance(sacrifice, Promoted):
            return super().purified(waiting, node, draws)
        kind = waiting.distillation.value
        frame, flip = purify_frame(kind, self.frame, sacrifice.frame, waiting.rotation)
        mine, its = (self.x, self.y, self.z), (sacrifice.x, sacrifice.y, sacrifice.z)
        chance, joint = correlators.purified(mine, its, kind, *noise, flip, waiting.rotation)
        good = waiting.bit ^ flip
        if draws.flip(chance):
            self.frame = frame
            self.x, self.y, self.z = joint
            return good
        self._failed(waiting, node, good ^ 1)
        self.frame = frame
        return good ^ 1

    def _failed(self, waiting: Purification, node: TwinNode, bit: int) -> None:
        first = self._at(waiting.node)
        keep, spent = (pair._from(pair._at(waiting.node)) for pair in _both(waiting))
        here = _purifiers(waiting, waiting.node, conjugate=False)[waiting.bit]
        there = _purifiers(waiting, node, conjugate=True)[bit]
        state = purified(keep, spent, here, there)[1]
        self.rho = state if first is self.ends[0] else reversed_ends(state)

    def turn(self, half: Half, label: int) -> None:
        """A mixture of Bell states stays what it is, relative to another one."""
        if self._matrix is None:
            self.frame ^= label
        else:
            super().turn(half, label)


def _plain(waiting: Purification) -> bool:
    return all(isinstance(pair, Promoted) and pair.plain for pair in (waiting.keep, waiting.sacrifice))
