"""Row 1: the Bell-diagonal algebra against density matrices, and both against printed tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from quantum_fabric.physics import bell, circuits, correlators, density, memory, merit, purification
from quantum_fabric.physics.checks import Floats
from quantum_fabric.physics.frames import purify_frame
from quantum_fabric.physics.noise import NOISELESS, MemoryNoise, OperationNoise
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import ratios
from quantum_fabric.validation.experiment import Experiment

PIECES: Final = 4


def random_noise(rng: np.random.Generator) -> OperationNoise:
    """Gates and lopsided readout, each drawn from [0, 0.1)."""
    return OperationNoise(*(float(x) for x in rng.uniform(0.0, 0.1, 4)))


def sample(values: Values, piece: int) -> dict[str, float]:
    """Largest deviation of each operation from its density matrix over a share of the random cases."""
    rng = np.random.default_rng([int(values["seed"]), piece])
    worst: dict[str, float] = {}
    for _ in range(int(values["cases"]) // PIECES):
        for name, deviation in _deviations(rng):
            worst[name] = max(worst.get(name, 0.0), deviation)
    return worst


def _deviations(rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    left, right = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))
    noise, other = random_noise(rng), random_noise(rng)
    yield "swap", _swap(left, right, NOISELESS)
    yield "noisy_swap", _swap(left, right, noise)
    for kind in ("dejmps", "bbpssw"):
        yield kind, _purification(kind, left, right, noise, other)
    yield "epl", _epl(rng.uniform(0.0, 1.0, 4), float(rng.uniform(-math.pi, math.pi)))
    t1, t2, time = float(rng.uniform(0.2, 5.0)), 0.0, float(rng.uniform(0.0, 2.0))
    t2 = float(rng.uniform(0.05, 2.0)) * t1
    yield "memory_one", _one_waits(MemoryNoise(t1, t2), time)
    yield "memory_two", _two_wait(MemoryNoise(t1, t2), time)
    yield "chsh", abs(float(merit.chsh_max(left)) - density.chsh_max(density.pair(left)))


def _swap(left: Floats, right: Floats, noise: OperationNoise) -> float:
    worst = 0.0
    for outcome in range(4):
        chance, rho = circuits.swap(density.pair(left), density.pair(right), noise, outcome)
        p, weights = bell.noisy_swap(left, right, noise, outcome)
        exact = density.bell_weights(rho)[[label ^ outcome for label in range(4)]]
        worst = max(worst, abs(float(p) - chance), float(np.abs(weights - exact).max()))
        if noise == NOISELESS:
            worst = max(worst, float(np.abs(bell.swap(left, right) - exact).max()))
    return worst


def _purification(kind: str, keep: Floats, other: Floats, a: OperationNoise, b: OperationNoise) -> float:
    frame, flip = purify_frame(kind, 0, 0)
    branches = [
        circuits.purify(kind, density.pair(keep), density.pair(other), a, b, (bit, bit ^ flip))
        for bit in (0, 1)
    ]
    chance = sum(p for p, _ in branches)
    rho = np.asarray(sum(p * state for p, state in branches) / chance, dtype=np.complex128)
    if kind == "bbpssw":
        rho = circuits.twirled(rho, frame, a, b)
    exact = density.bell_weights(rho)[[label ^ frame for label in range(4)]]
    p, weights = purification.purify(kind, keep, other, a, b, flip=flip)
    return max(abs(float(p) - chance), float(np.abs(weights - exact).max()))


def _epl(numbers: Floats, phase: float) -> float:
    share_a, share_b, one, two = (float(x) for x in numbers)
    p, weights = purification.epl(share_a, share_b, one, two, phase)
    keep = circuits.single_click_pair(share_a, one, phase)
    chance, rho = circuits.epl(keep, circuits.single_click_pair(share_b, two), NOISELESS, NOISELESS)
    return max(abs(float(p) - chance), abs(float(weights[0]) - density.fidelity(rho, 2)))


def _one_waits(noise: MemoryNoise, time: float) -> float:
    closed = float(memory.one_half_fidelity(noise, time))
    worst = 0.0
    for label in range(4):
        rho = density.damped(density.projector(density.bell_vector(label)), 0, noise, time)
        worst = max(worst, abs(density.fidelity(rho, label) - closed))
    return worst


def _two_wait(noise: MemoryNoise, time: float) -> float:
    """The twirl and the exact state differ by exactly ±γ²/4: so says the documentation, so it must be."""
    twirled = float(memory.idle([1.0, 0.0, 0.0, 0.0], noise, noise, time)[0])
    gamma = -math.expm1(-time / noise.t1)
    worst = 0.0
    for label in range(4):
        rho = density.projector(density.bell_vector(label))
        rho = density.damped(density.damped(rho, 0, noise, time), 1, noise, time)
        sign = 1.0 if label < 2 else -1.0
        worst = max(worst, abs(density.fidelity(rho, label) - twirled - sign * gamma**2 / 4.0))
    return worst


def predict(values: Values, samples: Sequence[Any]) -> Prediction:
    """Largest deviations: from density matrices (sampled) and from the tables."""
    worst = {name: max(each[name] for each in samples) for name in samples[0]}
    worst |= {f"{name}_table": max(found) for name, found in tables(values).items()}
    return {name: Predicted(value) for name, value in worst.items()}


def tables(values: Values) -> dict[str, list[float]]:
    """Deviation of every table entry from what is computed here: table -> deviations, in the order of the file."""
    found: dict[str, list[float]] = {
        name: [] for name in ("werner", "noisy_swap", "purification", "epl", "memory", "threshold")
    }
    for name, value in values.items():
        for table, compute in _TABLES.items():
            if name.startswith(f"{table}_"):
                key = "purification" if table in ("dejmps", "bbpssw") else table
                found[key].append(abs(compute(name.split("_")) - value))
    return found


def _werner_chain(words: list[str]) -> float:
    link = correlators.werner(float(words[1]))
    chain = link
    for _ in range(int(words[3]) - 1):
        chain = correlators.product(chain, link)
    return correlators.fidelity(chain)


def _noisy_swap_entry(words: list[str]) -> float:
    fidelity, gate, reader = float(words[2]), float(words[4]), float(words[6])
    noise = OperationNoise(depolarising_2=1 - gate, readout_error_0=1 - reader, readout_error_1=1 - reader)
    return float(bell.noisy_swap(bell.werner(fidelity), bell.werner(fidelity), noise, 0)[1][0])


def _round_entry(words: list[str]) -> float:
    state, chance = bell.werner(float(words[1])), 1.0
    for _ in range(int(words[3])):
        p, state = purification.purify(words[0], state, state, NOISELESS, NOISELESS)
        chance = float(p)
    return float(state[0]) if words[4] == "fidelity" else chance


def _epl_entry(words: list[str]) -> float:
    share, coherence, phase = (float(word) for word in words[1:4])
    p, weights = purification.epl(share, share, coherence, coherence, phase)
    return float(weights[0]) if words[4] == "fidelity" else float(p)


def _memory_entry(words: list[str]) -> float:
    time, t1, t2 = (float(word) for word in words[1:4])
    noise = MemoryNoise(t1, t2)
    if words[4] == "twirled":
        return float(memory.idle([1.0, 0.0, 0.0, 0.0], noise, noise, time)[0])
    label = 0 if words[4] == "phi" else 2
    rho = density.projector(density.bell_vector(label))
    return density.fidelity(density.damped(density.damped(rho, 0, noise, time), 1, noise, time), label)


def _threshold_entry(words: list[str]) -> float:
    return float(getattr(merit.thresholds(), "_".join(words[1:])))


_TABLES: Final = {
    "werner": _werner_chain,
    "noisy_swap": _noisy_swap_entry,
    "dejmps": _round_entry,
    "bbpssw": _round_entry,
    "epl": _epl_entry,
    "memory": _memory_entry,
    "threshold": _threshold_entry,
}


def null(values: Values) -> Mapping[str, float]:
    """How far one is off with what a naive calculation would take: products of fidelities, no noise, pure dephasing."""
    swap = max(
        abs(value - float(name.split("_")[1]) ** int(name.split("_")[3]))
        for name, value in values.items()
        if name.startswith("werner_")
    )
    noisy = max(
        abs(_noisy_swap_entry(["", "", name.split("_")[2], "", "1", "", "1"]) - value)
        for name, value in values.items()
        if name.startswith("noisy_swap_")
    )
    rounds = max(
        abs(values[f"dejmps_{f}_round_{n}_fidelity"] - values[f"bbpssw_{f}_round_{n}_fidelity"])
        for f, n in itertools.product((0.6, 0.7, 0.8, 0.9), (1, 2, 3))
    )
    waiting = max(
        abs(value - 0.5 * (1.0 + math.exp(-2.0 * float(name.split("_")[1]) / float(name.split("_")[3]))))
        for name, value in values.items()
        if name.startswith("memory_") and name.endswith("twirled")
    )
    return {
        "werner_table": swap, "noisy_swap_table": noisy, "purification_table": rounds, "memory_table": waiting,
    }  # fmt: skip


EXPERIMENTS: Final = (
    Experiment(
        name="state-algebra",
        model=(
            "bell.noisy_swap, purification.purify, purification.epl, memory.idle, merit.chsh_max (Bell-diagonal) "
            "against circuits and density (2^n x 2^n matrices, gate by gate, readout by readout)"
        ),
        null_model=(
            "fidelities of a chain multiply; a swap without its noise; every round is BBPSSW; waiting is pure dephasing: "
            "how far each is off in its table"
        ),
        predict=predict,
        null=null,
        draw=ratios,
        height=4.6,
        sample=sample,
        pieces=PIECES,
    ),
)
