"""Link formulas against a second computation that shares no code with them.

Single- and double-click: the complete optical state (two memories, two emitters, loss, beam splitter, two internal
degrees of freedom of the photons) in Fock space, with every click pattern summed. Midpoint source and sender-receiver: exhaustive
enumeration of who emits, who catches and who is fooled, pulse by pulse. Agreement to 1e-10 or better.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest

from quantum_fabric.devices import Source
from quantum_fabric.links.double_click import double_click
from quantum_fabric.links.midpoint_source import Catch, midpoint_round
from quantum_fabric.links.sender_receiver import sender_receiver
from quantum_fabric.links.single_click import Emission, single_click
from quantum_fabric.links.station import Window

TIGHT = 1e-10

# A branch of the optical state: (spin a, spin b) -> {occupation of (c, c', d, d') -> amplitude}, where c and d are the
# outputs of the beam splitter and the prime marks the internal mode that is orthogonal to a's photon.
Fock = dict[tuple[int, ...], complex]


def _create(state: Fock, mode: int, amplitude: complex) -> Fock:
    """One creation operator on one mode, with its square root."""
    result: Fock = {}
    for occupation, value in state.items():
        raised = tuple(n + (index == mode) for index, n in enumerate(occupation))
        result[raised] = result.get(raised, 0.0) + value * amplitude * math.sqrt(raised[mode])
    return result


def _photon(state: Fock, amplitudes: tuple[complex, ...]) -> Fock:
    """A photon in a superposition of modes."""
    result: Fock = {}
    for mode, amplitude in enumerate(amplitudes):
        if amplitude:
            for occupation, value in _create(state, mode, amplitude).items():
                result[occupation] = result.get(occupation, 0.0) + value
    return result


def _behind_splitter(from_a: bool, from_b: bool, visibility: float, phase: float) -> Fock:
    """Fock state of (c, c', d, d') when photons from a and b meet on a balanced beam splitter."""
    state: Fock = {(0, 0, 0, 0): 1.0}
    root = math.sqrt(0.5)
    if from_a:
        state = _photon(state, (root, 0.0, root, 0.0))
    if from_b:
        same, other = math.sqrt(visibility), math.sqrt(1.0 - visibility)
        turn = complex(math.cos(phase), math.sin(phase))
        state = _photon(
            state, (root * same * turn, root * other * turn, -root * same * turn, -root * other * turn)
        )
    return state


def _pattern(occupation: tuple[int, ...], dark: float, counting: bool) -> dict[str, float]:
    """Probability that exactly one detector reports exactly one click: "c" or "d"."""
    photons = {"c": occupation[0] + occupation[1], "d": occupation[2] + occupation[3]}

    def reports_one(count: int) -> float:
        if count == 0:
            return dark
        if counting:
            return (1.0 - dark) if count == 1 else 0.0
        return 1.0

    def silent(count: int) -> float:
        return (1.0 - dark) if count == 0 else 0.0

    return {
        "c": reports_one(photons["c"]) * silent(photons["d"]),
        "d": reports_one(photons["d"]) * silent(photons["c"]),
    }


def _click_matrix(
    lit: dict[int, tuple[bool, bool]], visibility: float, phase: float, dark: float, counting: bool
) -> dict[str, np.ndarray]:
    """Operator on the spins, entry (s, s') = sum over occupations of amplitude x conjugate x P(pattern)."""
    size = len(lit)
    result = {"c": np.zeros((size, size), complex), "d": np.zeros((size, size), complex)}
    states = {s: _behind_splitter(*photons, visibility, phase) for s, photons in lit.items()}
    for s, t in itertools.product(range(size), repeat=2):
        for occupation, amplitude in states[s].items():
            other = states[t].get(occupation, 0.0)
            for name, chance in _pattern(occupation, dark, counting).items():
                result[name][s, t] += amplitude * np.conj(other) * chance
    return result


def _bell_weights(rho: np.ndarray, sign: float) -> tuple[float, ...]:
    """Weights relative to Ψ with this sign, in the order fidelity, phase, parity, both."""
    root = math.sqrt(0.5)
    psi = {s: np.array([0, root, s * root, 0]) for s in (1.0, -1.0)}
    phi = {s: np.array([root, 0, 0, s * root]) for s in (1.0, -1.0)}
    states = (psi[sign], psi[-sign], phi[sign], phi[-sign])
    return tuple(float(np.real(state.conj() @ rho @ state)) for state in states)


def _gauss(sigma: float, nodes: int = 30) -> Iterator[tuple[float, float]]:
    """Points and weights of the average over a Gaussian phase."""
    if sigma == 0.0:
        yield 0.0, 1.0
        return
    points, weights = np.polynomial.hermite.hermgauss(nodes)
    for point, weight in zip(points, weights, strict=True):
        yield math.sqrt(2.0) * sigma * float(point), float(weight) / math.sqrt(math.pi)


def _lost(eta: float) -> tuple[tuple[np.ndarray, bool], ...]:
    """What loss does to a spin whose state 1 goes with a photon: operator on the spin, and whether a photon can arrive.

    Kraus operators of loss in the basis (dark, bright): the photon arrives with amplitude sqrt(eta), or the environment
    takes it, which projects the spin on its bright state.
    """
    return (
        (np.diag([1.0, math.sqrt(eta)]), True),
        (np.diag([0.0, math.sqrt(1.0 - eta)]), False),
    )


def _dephased(rho: np.ndarray, spin: int, probability: float) -> np.ndarray:
    """With this probability the environment learns whether the spin is bright."""
    shape = rho.reshape(2, 2, 2, 2)
    kept = shape.copy()
    for i, j in itertools.product(range(2), repeat=2):
        if spin == 0 and i != j:
            kept[i, :, j, :] = 0.0
        if spin == 1 and i != j:
            kept[:, i, :, j] = 0.0
    return (1.0 - probability) * rho + probability * kept.reshape(4, 4)


def fock_single_click(emission: Emission, window: Window) -> tuple[float, tuple[float, ...]]:
    spins = [
        np.array([math.sqrt(1.0 - alpha), math.sqrt(alpha)]) for alpha in (emission.alpha_a, emission.alpha_b)
    ]
    start = np.kron(np.outer(spins[0], spins[0]), np.outer(spins[1], spins[1]))
    start = _dephased(_dephased(start, 0, emission.double_a), 1, emission.double_b)
    total, weights = 0.0, np.zeros(4)
    for phase, share in _gauss(emission.phase_sigma):
        for (k_a, sent_a), (k_b, sent_b) in itertools.product(_lost(emission.eta_a), _lost(emission.eta_b)):
            kraus = np.kron(k_a, k_b)
            rho = kraus @ start @ kraus.T
            lit = {2 * i + j: (sent_a and i == 1, sent_b and j == 1) for i in (0, 1) for j in (0, 1)}
            clicks = _click_matrix(lit, window.visibility, phase, window.dark, window.number_resolving)
            for detector, sign in (("c", 1.0), ("d", -1.0)):
                after = rho * clicks[detector]
                total += share * float(np.real(np.trace(after)))
                weights += share * np.array(_bell_weights(after, sign))
    return total, tuple(weights / total)


def fock_double_click(eta_a: float, eta_b: float, window: Window) -> tuple[float, tuple[float, ...]]:
    start = np.full((4, 4), 0.25)
    total, weights = 0.0, np.zeros(4)
    for (a, sent_a), (b, sent_b) in itertools.product(_bins(eta_a), _bins(eta_b)):
        kraus = np.kron(a, b)
        rho = kraus @ start @ kraus.T
        # spin 0 sends its photon early, spin 1 late
        early = {2 * i + j: (sent_a and i == 0, sent_b and j == 0) for i in (0, 1) for j in (0, 1)}
        late = {2 * i + j: (sent_a and i == 1, sent_b and j == 1) for i in (0, 1) for j in (0, 1)}
        first = _click_matrix(early, window.visibility, 0.3, window.dark, window.number_resolving)
        second = _click_matrix(late, window.visibility, 0.3, window.dark, window.number_resolving)
        for one, two in itertools.product("cd", repeat=2):
            after = rho * first[one] * second[two]
            total += float(np.real(np.trace(after)))
            weights += np.array(_bell_weights(after, 1.0 if one == two else -1.0))
    return total, tuple(weights / total)


def _bins(eta: float) -> tuple[tuple[np.ndarray, bool], ...]:
    """Loss of a photon that goes with either state of the spin: it arrives, or the environment finds its time bin."""
    lost = math.sqrt(1.0 - eta)
    return (
        (math.sqrt(eta) * np.eye(2), True),
        (np.diag([lost, 0.0]), False),
        (np.diag([0.0, lost]), False),
    )


SINGLE = [
    Emission(0.1, 0.1, 0.01, 0.01),
    Emission(0.1, 0.1, 0.5, 0.5),
    Emission(0.05, 0.05, 2.8e-4, 4.2e-4, math.radians(15), 0.04, 0.04),
    Emission(0.3, 0.3, 2.8e-4, 4.2e-4, math.radians(15), 0.04, 0.04),
    Emission(0.4, 0.15, 0.2, 0.7, 0.5, 0.1, 0.02),
    Emission(0.02, 0.5, 0.9, 1.0, 0.0, 0.0, 0.3),
]
WINDOWS = [
    Window(dark, visibility, counting)
    for dark, visibility in ((0.0, 1.0), (5e-7, 0.9), (0.03, 0.6), (0.2, 0.0))
    for counting in (False, True)
]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("emission", SINGLE, ids=range(len(SINGLE)))
def test_single_click_against_fock_space(emission: Emission, window: Window) -> None:
    success, weights = single_click(emission, window)
    exact, exact_weights = fock_single_click(emission, window)
    # Phase averages differ by the quadrature, far below the tolerance.
    assert success == pytest.approx(exact, rel=TIGHT)
    assert weights[:2] == pytest.approx(exact_weights[:2], abs=TIGHT)
    # The twirl shares the even part equally; its sum is exact.
    assert weights[2] + weights[3] == pytest.approx(exact_weights[2] + exact_weights[3], abs=TIGHT)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize(
    ("eta_a", "eta_b"), [(0.02, 0.02), (0.001, 0.001), (0.02, 0.005), (1.0, 0.3), (0.9, 0.9)]
)
def test_double_click_against_fock_space(eta_a: float, eta_b: float, window: Window) -> None:
    success, weights = double_click(eta_a, eta_b, window)
    exact, exact_weights = fock_double_click(eta_a, eta_b, window)
    assert success == pytest.approx(exact, rel=TIGHT)
    # Nothing is twirled away here: all four weights agree.
    assert weights == pytest.approx(exact_weights, abs=TIGHT)


SINGLE_ROWS = [
    ((0.1, 0.01, 0.01, 1.0, 0.0, 0.0, 0.0), (1.999e-3, 0.900450225)),
    ((0.1, 0.5, 0.5, 1.0, 0.0, 0.0, 0.0), (0.0975, 0.923076923)),
    ((0.05, 2.8e-4, 4.2e-4, 0.9, 15.0, 5e-7, 0.04), (3.59996e-5, 0.845407219)),
    ((0.3, 2.8e-4, 4.2e-4, 0.9, 15.0, 5e-7, 0.04), (2.109886e-4, 0.637721183)),
]
DOUBLE_ROWS = [
    ((0.02, 0.02, 0.95, 1e-6), (2.000783937e-4, 0.974713997)),
    ((0.001, 0.001, 0.9, 1e-5), (5.403578931e-7, 0.897701513)),
    ((0.02, 0.005, 0.95, 1e-6), (5.004960130e-5, 0.974279558)),
]


@pytest.mark.parametrize(("given", "expected"), SINGLE_ROWS)
def test_single_click_against_computed_rows(given: tuple[float, ...], expected: tuple[float, float]) -> None:
    """Rows computed elsewhere: (alpha, eta_a, eta_b, V, phase in degrees, p_d, p2) with bucket detectors, no balancing."""
    alpha, eta_a, eta_b, visibility, phase, dark, double = given
    emission = Emission(alpha, alpha, eta_a, eta_b, math.radians(phase), double, double)
    success, weights = single_click(emission, Window(dark, visibility, number_resolving=False))
    assert success == pytest.approx(expected[0], rel=2e-6)  # six digits are given
    assert weights[0] == pytest.approx(expected[1], abs=1e-9)


@pytest.mark.parametrize(("given", "expected"), DOUBLE_ROWS)
def test_double_click_against_computed_rows(given: tuple[float, ...], expected: tuple[float, float]) -> None:
    """Rows computed elsewhere: (eta_a, eta_b, V, p_d) with bucket detectors."""
    eta_a, eta_b, visibility, dark = given
    success, weights = double_click(eta_a, eta_b, Window(dark, visibility, number_resolving=False))
    assert success == pytest.approx(expected[0], rel=1e-9)
    assert weights[0] == pytest.approx(expected[1], abs=1e-9)


def _one_pulse(source: Source, a: Catch, b: Catch) -> Iterator[tuple[float, str | None, str | None]]:
    """Everything that can happen in one pulse: probability, and whose photon each end holds ("1", "2", "?" or None)."""
    pairs = source.pair_probability
    for count, chance in (
        (0, 1.0 - pairs),
        (1, pairs * (1.0 - source.double_pair)),
        (2, pairs * source.double_pair),
    ):
        ends = []
        for end in (a, b):
            kept: dict[str | None, float] = {}
            for caught in itertools.product((False, True), repeat=count):
                weight = math.prod(end.photon if hit else 1.0 - end.photon for hit in caught)
                names = [str(number + 1) for number, hit in enumerate(caught) if hit]
                if names:
                    for name in names:
                        kept[name] = kept.get(name, 0.0) + weight / len(names)
                else:
                    kept["?"] = kept.get("?", 0.0) + weight * end.false
                    kept[None] = kept.get(None, 0.0) + weight * (1.0 - end.false)
            ends.append(kept)
        for (at_a, p_a), (at_b, p_b) in itertools.product(ends[0].items(), ends[1].items()):
            yield chance * p_a * p_b, at_a, at_b


@pytest.mark.parametrize("pulses", [1, 2, 5, 40])
@pytest.mark.parametrize(
    ("pair", "double", "a", "b"),
    [
        (0.5, 0.0, Catch(0.2), Catch(0.1)),
        (0.01, 0.0075, Catch(0.05, 1e-6), Catch(0.4, 1e-7)),
        (0.9, 0.3, Catch(0.7, 0.1), Catch(1.0, 0.02)),
        (1.0, 1.0, Catch(1.0), Catch(0.5)),
    ],
)
def test_midpoint_source_by_enumeration(pulses: int, pair: float, double: float, a: Catch, b: Catch) -> None:
    source = Source(pair_probability=pair, double_pair=double, pulses=pulses)
    success, share = midpoint_round(source, a, b)
    events = list(_one_pulse(source, a, b))
    assert math.fsum(chance for chance, _, _ in events) == pytest.approx(1.0, abs=1e-12)
    both = true = open_ = 0.0
    still = 1.0
    for _ in range(pulses):
        open_ = still
        still = 0.0
        for chance, at_a, at_b in events:
            if at_a is not None and at_b is not None:
                both += open_ * chance
                true += open_ * chance * (at_a == at_b != "?")
            elif at_a is None and at_b is None:
                still += open_ * chance
    assert success == pytest.approx(both, rel=TIGHT)
    assert share == pytest.approx(true / both, abs=TIGHT)


@pytest.mark.parametrize(
    ("arriving", "stored", "false"), [(0.3, 0.5, 0.0), (1e-4, 0.2, 1e-5), (1.0, 1.0, 0.3)]
)
def test_sender_receiver_by_enumeration(arriving: float, stored: float, false: float) -> None:
    herald = true = 0.0
    for arrives, stores, fooled in itertools.product((False, True), repeat=3):
        chance = math.prod(
            p if hit else 1.0 - p
            for p, hit in zip((arriving, stored, false), (arrives, stores, fooled), strict=True)
        )
        kept = arrives and stores
        herald += chance * (kept or fooled)
        true += chance * kept
    success, share = sender_receiver(arriving, stored, false)
    assert success == pytest.approx(herald, rel=TIGHT)
    assert share == pytest.approx(true / herald, abs=TIGHT)


def test_pure_formulas_without_noise() -> None:
    """The textbook limits: 2 α η (1 − α η) and (1 − α)/(1 − α η) with counting detectors; η²/2 and (1+V)/2."""
    alpha, eta = 0.2, 0.4
    success, weights = single_click(Emission(alpha, alpha, eta, eta), Window(0.0, 1.0, number_resolving=True))
    assert success == pytest.approx(2 * alpha * eta * (1 - alpha * eta), rel=1e-14)
    assert weights[0] == pytest.approx((1 - alpha) / (1 - alpha * eta), rel=1e-14)
    success, weights = double_click(eta, eta, Window(0.0, 0.9, number_resolving=False))
    assert success == pytest.approx(eta**2 / 2, rel=1e-14)
    assert weights[0] == pytest.approx(0.95, rel=1e-14)
