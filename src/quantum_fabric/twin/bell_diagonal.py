"""Pairs as mixtures of Bell states: three plain floats each, which is what makes long runs possible."""

from __future__ import annotations

from collections.abc import Sequence

from quantum_fabric.kernel.streams import Stream
from quantum_fabric.links.model import HeraldOutcome
from quantum_fabric.messages import Correlators, Weights
from quantum_fabric.physics.chsh import BETWEEN, correlation
from quantum_fabric.physics.correlators import from_weights, purified, to_weights
from quantum_fabric.physics.frames import expected_parity, purify_frame, swap_frame
from quantum_fabric.physics.instruments import Array, bell_mixture
from quantum_fabric.physics.teleport import teleported_density
from quantum_fabric.twin.qubits import Density, Half, Pair, Purification, Sent, TwinNode


class BellDiagonal(Pair):
    """A mixture of the four Bell states: correlators relative to ``frame``.

    Attributes:
        x, y, z: correlators, each half aged up to its own ``since``.
        damped, doubt: sum of the damping probabilities of the halves that were swapped away, and of their products in pairs.

    Limits:
        Pauli noise is exact. Amplitude damping is twirled: two halves that each relaxed with probabilities γ and γ' leave the
        fidelity wrong by γγ'/4 (see `quantum_fabric.physics.memory`); `twirl_error` adds that up over all halves of a chain.
        With readout that is lopsided at both ends of a purification, success is drawn with its mean over the first
        announced bit instead of given it. A pair whose purification failed is taken to be maximally mixed, since the
        protocol throws it away.
    """

    __slots__ = ("damped", "doubt", "x", "y", "z")

    def __init__(self, first: Half, second: Half, frame: int, state: Correlators) -> None:
        super().__init__(first, second, frame)
        self.x, self.y, self.z = state
        self.damped = self.doubt = 0.0

    @classmethod
    def prepare(cls, outcome: HeraldOutcome) -> Correlators:
        """Correlators of a pair that this herald announces."""
        return from_weights(outcome.weights)

    @property
    def correlators(self) -> Correlators:
        """(x, y, z) as they stand."""
        return (self.x, self.y, self.z)

    def fade(self, half: Half, coherence: float, population: float) -> None:  # noqa: ARG002 (the port)
        """Pauli-twirled, so it does not matter which half waited."""
        self.x *= coherence
        self.y *= coherence
        self.z *= population

    def spoil(self, lost: Half | None = None) -> None:  # noqa: ARG002 (the port)
        """What remains is maximally mixed."""
        self.x = self.y = self.z = 0.0

    def weights(self, told: int) -> Weights:
        """Bell weights relative to the state that somebody was told; the first is the fidelity to it."""
        relative = to_weights((self.x, self.y, self.z))
        shift = self.frame ^ told
        return (relative[shift], relative[shift ^ 1], relative[shift ^ 2], relative[shift ^ 3])

    def twirl_error(self) -> float:
        """About how much the fidelity is off because amplitude damping was twirled."""
        first, second = map(_relaxed, self.ends)
        return (self.doubt + self.damped * (first + second) + first * second) / 4.0

    def swapped(self, left: Half, right: Half, draws: Stream) -> int:
        """The announced label is drawn from the node's table; correlators multiply."""
        node, one, two = left.node, self, right.pair
        assert isinstance(two, BellDiagonal)
        label = draw_label(draws.uniform(), node.outcomes)
        x, y, z = node.outcomes[label][1]
        joint = (one.x * two.x * x, one.y * two.y * y, one.z * two.z * z)
        whole = BellDiagonal(
            one.other(left), two.other(right), swap_frame(one.frame, two.frame, label), joint
        )
        if node.rate_z > 0.0 or one.damped > 0.0 or two.damped > 0.0:
            here, there = _relaxed(left), _relaxed(right)
            whole.doubt = one.doubt + one.damped * here + two.doubt + two.damped * there
            whole.doubt += (one.damped + here) * (two.damped + there)
            whole.damped = one.damped + here + two.damped + there
        return label

    def half_purified(self, waiting: Purification, draws: Stream) -> int:
        """The measured qubit is maximally mixed, so its true bit is fair; the readout may be lopsided."""
        noise = waiting.node.operations
        one = 0.5 * (1.0 - noise.readout_error_1) + 0.5 * noise.readout_error_0
        return int(draws.flip(one))

    def purified(self, waiting: Purification, node: TwinNode, draws: Stream) -> int:
        """The map of `quantum_fabric.physics.correlators.purified`; success is drawn."""
        sacrifice = waiting.sacrifice
        assert isinstance(sacrifice, BellDiagonal)
        kind = waiting.distillation.value
        frame, flip = purify_frame(kind, self.frame, sacrifice.frame, waiting.rotation)
        noise = (waiting.node.operations, node.operations)
        chance, joint = purified(
            self.correlators, sacrifice.correlators, kind, *noise, flip, waiting.rotation
        )
        success = draws.flip(chance)
        self.frame = frame
        if success:
            self.x, self.y, self.z = joint
        else:
            self.spoil()
        return waiting.bit ^ flip ^ (0 if success else 1)

    def measure(self, half: Half, basis: str, draws: Stream) -> int:
        """One half alone is fair, and so is any other of X, Y and Z than the partner's."""
        turned = 1.0 if basis == "Z" else 1.0 - half.node.operations.depolarising_1
        if self.measured is not None and (basis in BETWEEN or self.measured[0] in BETWEEN):
            both = correlation(self.measured[0], basis, (self.x, self.y, self.z), self.frame)
            return self.measured[1] ^ int(draws.flip((1.0 - both * turned * self.measured[2]) / 2.0))
        if self.measured is None or self.measured[0] != basis:
            true = int(draws.flip(0.5))
            self.measured = self.measured or (basis, true, turned)
            return true
        size = {"X": self.x, "Y": self.y, "Z": self.z}[basis] * turned * self.measured[2]
        return self.measured[1] ^ expected_parity(basis, self.frame) ^ int(draws.flip((1.0 - size) / 2.0))

    def density(self, half: Half) -> Array:  # noqa: ARG002 (the port)
        """A mixture of Bell states is the same from both ends."""
        return bell_mixture(to_weights((self.x, self.y, self.z)), self.frame).reshape(4, 4)

    def turn(self, half: Half, label: int) -> None:  # noqa: ARG002 (the port)
        """A mixture of Bell states stays what it is, relative to another one."""
        self.frame ^= label

    def send(self, half: Half, amplitudes: tuple[complex, complex], draws: Stream) -> int:  # noqa: ARG002 (the port)
        """The sender's half is maximally mixed, so the label does not depend on what is sent."""
        return draw_label(draws.uniform(), half.node.outcomes)

    def receive(self, sent: Sent, wrong: int) -> Density:
        """Other bits than the announced ones ask for another Pauli operator: the same as a pair in another state."""
        bits = (sent.label >> 1, sent.label & 1)
        noise = sent.half.node.operations
        density = teleported_density(sent.amplitudes, self.weights(sent.told ^ wrong), noise, bits)
        (a, b), (c, d) = ((complex(entry) for entry in row) for row in density)
        return (a, b, c, d)


def _relaxed(half: Half) -> float:
    """Probability that a half has relaxed since its birth, or a little more than that."""
    return min(1.0, half.node.rate_z * (half.since - half.born))


def draw_label(u: float, table: Sequence[tuple[float, object]]) -> int:
    """Announced label for a uniform draw, from a table of (probability, factors)."""
    for label in (0, 1, 2):
        u -= table[label][0]
        if u < 0.0:
            return label
    return 3
