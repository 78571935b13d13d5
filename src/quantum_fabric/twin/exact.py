"""Pairs as 4 × 4 density matrices: nothing is twirled."""

from __future__ import annotations

from quantum_fabric.kernel.streams import Stream
from quantum_fabric.links.model import HeraldOutcome
from quantum_fabric.messages import Weights
from quantum_fabric.physics.chsh import BETWEEN
from quantum_fabric.physics.frames import (
    expected_parity,
    purify_frame,
    rotation_of,
    swap_frame,
    teleport_correction,
)
from quantum_fabric.physics.instruments import (
    Array,
    bell_effects,
    bell_mixture,
    beside,
    bit_chance,
    corrected,
    faded,
    from_entries,
    half_purifiers,
    marginal,
    purified,
    reading,
    reversed_ends,
    swap_chances,
    swapped,
    teleport_chances,
    teleported,
    turned,
    twirled,
    weights_of,
    without,
)
from quantum_fabric.twin.bell_diagonal import draw_label
from quantum_fabric.twin.qubits import Density, Half, Pair, Purification, Sent, TwinNode


class Exact(Pair):
    """Any state of two qubits.

    What a link heralds is taken whole (``HeraldOutcome.state``), a memory damps towards |0>, announced bits condition the state,
    and the correction of a teleportation is a Pauli operator that acts.

    Attributes:
        rho: shape (2, 2, 2, 2): kets of the first and second of ``ends``, then bras; each half aged up to its own ``since``.

    Limits:
        Decay between two looks at a half is amplitude damping and dephasing; the gates and readouts are depolarising and
        classical errors, as for `BellDiagonal`. A purification acts at both ends when the second one's gate is done, which is
        the same as at two times, since nothing else is done to the four halves in between.
    """

    __slots__ = ("rho",)

    def __init__(self, first: Half, second: Half, frame: int, state: Array) -> None:
        super().__init__(first, second, frame)
        self.rho = state

    @classmethod
    def prepare(cls, outcome: HeraldOutcome) -> Array:
        """State of a pair that this herald announces; the Bell-diagonal one where the link says no more."""
        if outcome.state is None:
            return bell_mixture(outcome.weights, int(outcome.bell))
        return from_entries(outcome.state)

    def _place(self, half: Half) -> int:
        return 0 if half is self.ends[0] else 1

    def _from(self, half: Half) -> Array:
        """The state with this half first."""
        return self.rho if half is self.ends[0] else reversed_ends(self.rho)

    def _at(self, node: TwinNode) -> Half:
        return self.ends[0] if self.ends[0].node is node else self.ends[1]

    def fade(self, half: Half, coherence: float, population: float) -> None:
        """Amplitude damping and dephasing."""
        self.rho = faded(self.rho, self._place(half), coherence, population)

    def spoil(self, lost: Half | None = None) -> None:
        """The lost half is traced out; a pair of which nothing is known is maximally mixed."""
        if lost is None:
            self.rho = bell_mixture((0.25, 0.25, 0.25, 0.25), 0)
        else:
            self.rho = without(self.rho, self._place(lost))

    def weights(self, told: int) -> Weights:
        """Fidelities to the four Bell states, relative to the one that somebody was told."""
        a, b, c, d = weights_of(self.rho, told).tolist()
        return (a, b, c, d)

    def twirl_error(self) -> float:
        """Nothing is twirled."""
        return 0.0

    def swapped(self, left: Half, right: Half, draws: Stream) -> int:
        """The announced label is drawn from this very state, and the outer halves are left in what it says."""
        other = right.pair
        assert isinstance(other, Exact)
        effects = bell_effects(left.node.operations)
        far, near = self.other(left), other.other(right)
        one, two = self._from(far), other._from(right)
        label = _drawn(swap_chances(one, two, effects), draws)
        Exact(far, near, swap_frame(self.frame, other.frame, label), swapped(one, two, effects[label]))
        return label

    def half_purified(self, waiting: Purification, draws: Stream) -> int:
        """The bit is drawn from what this end's two qubits are."""
        purifiers = _purifiers(waiting, waiting.node, conjugate=False)
        keep, spent = (marginal(pair._from(pair._at(waiting.node)), 0) for pair in _both(waiting))
        return int(draws.flip(_settled(bit_chance(keep, spent, purifiers[1]))))

    def purified(self, waiting: Purification, node: TwinNode, draws: Stream) -> int:
        """Success is drawn given the first end's bit, and the kept pair is what both bits leave of it."""
        first = self._at(waiting.node)
        keep, spent = (pair._from(pair._at(waiting.node)) for pair in _both(waiting))
        kind = waiting.distillation.value
        frame, flip = purify_frame(kind, self.frame, waiting.sacrifice.frame, waiting.rotation)
        here = _purifiers(waiting, waiting.node, conjugate=False)[waiting.bit]
        there = _purifiers(waiting, node, conjugate=True)
        branches = [purified(keep, spent, here, there[bit]) for bit in (0, 1)]
        good = waiting.bit ^ flip
        total = branches[0][0] + branches[1][0]
        success = draws.flip(_settled(branches[good][0] / total))
        bit = good if success else good ^ 1
        state = branches[bit][1]
        if success and kind == "bbpssw":
            ends = (waiting.node.operations, node.operations)
            state = twirled(state, frame, (1.0 - ends[0].depolarising_1) * (1.0 - ends[1].depolarising_1))
        self.frame = frame
        self.rho = state if first is self.ends[0] else reversed_ends(state)
        return bit

    def measure(self, half: Half, basis: str, draws: Stream) -> int:
        """The bit is drawn from what the half is now, after any earlier readout of the other one."""
        turned = 1.0 if basis == "Z" else 1.0 - half.node.operations.depolarising_1
        one, rest = reading(self.rho, self._place(half), basis, turned)
        # what a perfect pair would say, so that the same draw means the same as for Bell-diagonal pairs
        usual = 0
        if self.measured is not None and self.measured[0] == basis and basis not in BETWEEN:
            usual = self.measured[1] ^ expected_parity(basis, self.frame)
        bit = usual ^ int(draws.flip(1.0 - one if usual else one))
        self.measured = self.measured or (basis, bit, turned)
        self.rho = beside(rest[bit] / rest[bit].trace().real, self._place(half))
        return bit

    def density(self, half: Half) -> Array:
        """As it is."""
        return self._from(half).reshape(4, 4)

    def turn(self, half: Half, label: int) -> None:
        """The operator acts on the state; what is announced goes with it."""
        self.rho = turned(self.rho, self._place(half), label)
        self.frame ^= label

    def send(self, half: Half, amplitudes: tuple[complex, complex], draws: Stream) -> int:
        """The announced label is drawn from the two qubits that are measured."""
        chances = teleport_chances(
            amplitudes, marginal(self.rho, self._place(half)), bell_effects(half.node.operations)
        )
        return _drawn(chances, draws)

    def receive(self, sent: Sent, wrong: int) -> Density:
        """What the sender's measurement made of this half, after the Pauli operator of the correction."""
        effect = bell_effects(sent.half.node.operations)[sent.label]
        qubit = teleported(sent.amplitudes, self._from(sent.half), effect)
        qubit = corrected(qubit, teleport_correction(sent.told, sent.label) ^ wrong)
        (a, b), (c, d) = qubit.tolist()
        return (a, b, c, d)


def _both(waiting: Purification) -> tuple[Exact, Exact]:
    keep, sacrifice = waiting.keep, waiting.sacrifice
    assert isinstance(keep, Exact)
    assert isinstance(sacrifice, Exact)
    return keep, sacrifice


def _purifiers(waiting: Purification, node: TwinNode, conjugate: bool) -> Array:
    axes = rotation_of(waiting.distillation.value, waiting.rotation)
    return half_purifiers(node.operations, axes, conjugate)


def _settled(chance: float) -> float:
    """A certain event draws nothing, so rounding must not make it uncertain: other engines round in another order."""
    return 0.0 if chance < 1e-12 else 1.0 if chance > 1.0 - 1e-12 else chance


def _drawn(chances: list[float], draws: Stream) -> int:
    label = draw_label(draws.uniform(), [(chance, None) for chance in chances])
    # rounding may leave a sliver of the draw to a label that cannot be announced
    return label if chances[label] > 0.0 else chances.index(max(chances))
