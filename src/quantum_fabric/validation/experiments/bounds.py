"""Row 3: bounds that must never break, over random links, states, networks, and the messages of a running network."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from quantum_fabric import documents
from quantum_fabric.devices import Detector, Fibre, Interface, Node, Source
from quantum_fabric.fabric import Fabric
from quantum_fabric.links import LinkModel, build
from quantum_fabric.messages import CLIENT, CONTROLLER, Delivered, Heralded, LinkRequest, Send
from quantum_fabric.network import waiting
from quantum_fabric.physics import bounds, merit
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.units import SPEED_OF_LIGHT, Time, from_seconds
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import FAILED, MODEL, NULL
from quantum_fabric.validation.experiment import Experiment
from quantum_fabric.validation.watching import watcher

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.experiment import Result

KINDS: Final = ("links", "links", "links", "links", "states", "networks", "messages")
"""What each piece of the work looks at."""

ARCHITECTURES: Final = ("single_click", "double_click", "midpoint_source", "sender_receiver")
ARMED: Final = frozenset({"single_click", "double_click", "midpoint_source"})
"""Architectures with a station or a source in the middle: the poorer arm is the cut."""

SLACK: Final = 1e-12
"""Relative rounding that counts as no violation."""


def sample(values: Values, piece: int) -> dict[str, Any]:
    """Violations that one piece of the work found, and points for the figure."""
    kind = KINDS[piece]
    rng = np.random.default_rng([int(values["seed"]), piece])
    count = int(values[kind]) // KINDS.count(kind)
    return {"links": _links, "states": _states, "networks": _networks, "messages": _messages}[kind](
        rng, count
    )


def random_link(rng: np.random.Generator) -> tuple[LinkModel, float | None, float, int, tuple[Time, Time]]:
    """A link of random parts: the model, its setting, the transmission that bounds it, its modes, latencies of its arms."""
    name = (
        ARCHITECTURES[min(int(rng.integers(0, 10)), 3)]
        if rng.random() < 0.1
        else ARCHITECTURES[int(rng.integers(1, 4))]
    )
    u = rng.random(16).tolist()
    bad = rng.random() ** 4  # mostly near-perfect parts: noisy ones come nowhere near a bound
    attenuation = 10.0 ** (-5.0 + 2.0 * u[0])
    fibre = Fibre(attenuation=attenuation, group_index=1.0 + 0.6 * u[1], fixed_loss=3.0 * bad * u[2])
    arms = (1e5 * u[3] ** 2, 1e5 * u[4] ** 2)
    modes = int(rng.integers(1, 6))
    node = Node(
        interface=Interface(
            efficiency=1.0 - 0.99 * bad * u[5], capture=1.0 - bad * u[6], visibility=1.0 - bad * u[7],
            phase_noise=bad * u[8], double_excitation=0.3 * bad * u[9],
            spin_photon_fidelity=1.0 - 0.5 * bad * u[10],
        )
    )  # fmt: skip
    dark = bad * (10.0 ** (6.0 * u[11]) - 1.0)
    detector = Detector(
        efficiency=1.0 - 0.95 * bad * u[12], dark_rate=dark, number_resolving=bool(u[13] < 0.5)
    )
    pulses = int(rng.integers(1, 20))
    source = Source(
        pair_probability=0.001 + 0.9 * u[14] ** 2, fidelity=1.0 - 0.75 * bad * u[15], pulses=pulses
    )
    middle = name == "midpoint_source"
    model = build(name, node, node, fibre, arms, detector, source if middle else None, modes)
    setting = float(rng.uniform(0.01, 0.5)) if name == "single_click" else None
    arm = min(fibre.transmission(length) for length in arms)
    bound = arm if name in ARMED else fibre.transmission(sum(arms))
    used = modes * (pulses if middle else 1) * (2 if name == "double_click" else 1)
    return model, setting, bound, used, (fibre.latency(arms[0]), fibre.latency(arms[1]))


def _links(rng: np.random.Generator, count: int) -> dict[str, Any]:
    found: Counter[str] = Counter(cases=count)
    all_weights, numbers = np.empty((count, 4)), np.empty((count, 3))
    for number in range(count):
        model, setting, bound, modes, (left, right) = random_link(rng)
        heralding = model.heralding(setting)
        all_weights[number] = heralding.weights
        numbers[number] = heralding.success, bound, modes
        across = left + right
        # a pair has both halves when light has crossed; each end hears when news from the far end can have come
        least = (
            across if model.architecture in ("midpoint_source", "sender_receiver") else 2 * max(left, right)
        )
        heard = max(h - b for h, b in zip(heralding.heard, heralding.born, strict=True))
        found["herald"] += heard < least - 2 or heralding.period < heard
    success, bound_, modes_ = numbers.T
    sums = np.abs(all_weights.sum(axis=1) - 1.0)
    good = (all_weights.min(axis=1) >= 0.0) & (sums <= 1e-12) & (success >= 0.0) & (success <= 1.0 + SLACK)
    found["weights"] += int((~good).sum())
    # hashing: what is surely there
    secret = success[good] * np.maximum(0.0, 1.0 - merit.entropy(all_weights[good]))
    capacity, modes_ = bounds.plob(bound_[good]), modes_[good]
    found["plob"] += int((secret > modes_ * capacity * (1.0 + SLACK)).sum())
    found["plob_null"] += int((secret > capacity * (1.0 + SLACK)).sum())
    points = list(zip(bound_[good][:400].tolist(), (secret / modes_)[:400].tolist(), strict=True))
    return {**found, "points": points}


def _states(rng: np.random.Generator, count: int) -> dict[str, Any]:
    half = count // 2
    raw = rng.standard_normal((half, 4, 4)) + 1j * rng.standard_normal((half, 4, 4))
    raw[: half // 2, :, 1:] = 0.0  # pure states come nearest to the bound
    rho = raw @ raw.conj().transpose(0, 2, 1)
    rho /= np.trace(rho, axis1=1, axis2=2).real[:, None, None]
    paulis = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    pairs = np.array([[np.kron(a, b) for b in paulis] for a in paulis])
    correlation = np.einsum("nij,abji->nab", rho, pairs).real
    singular = np.linalg.svd(correlation, compute_uv=False)
    general = 2.0 * np.sqrt(singular[:, 0] ** 2 + singular[:, 1] ** 2)
    weights = rng.dirichlet(np.full(4, 0.3), size=half)
    largest = merit.chsh_max(weights)
    reader, other = (
        OperationNoise(readout_error_0=float(a), readout_error_1=float(b))
        for a, b in rng.uniform(0, 0.2, (2, 2))
    )
    fixed = merit.chsh_fixed(weights, reader, other)
    broken = (
        int((general > merit.TSIRELSON + 1e-9).sum())
        + int((largest > merit.TSIRELSON + 1e-9).sum())
        + int((fixed > largest + 1e-9).sum())
    )
    null = int((2.0 * (singular[:, 0] + singular[:, 1]) > merit.TSIRELSON + 1e-9).sum())
    return {"tsirelson": broken, "tsirelson_null": null, "cases": 2 * half, "states": general[:4000]}


def _networks(rng: np.random.Generator, count: int) -> dict[str, Any]:
    found: Counter[str] = Counter(cases=count)
    for _ in range(count):
        names = "ABCDEFG"[: int(rng.integers(3, 8))]
        edges = [
            bounds.Edge(a, b, float(10.0 ** (-4.0 * rng.random())), int(rng.integers(1, 4)))
            for a, b in itertools.combinations(names, 2)
            if rng.random() < 0.6
        ]
        start, end = names[0], names[-1]
        path_bound, path = bounds.widest_path(edges, start, end)
        cut_bound, _ = bounds.min_cut(edges, start, end)
        least = _least_cut(edges, names)
        best = _best_path(edges, names)
        found["cuts"] += (
            path_bound > cut_bound * (1.0 + SLACK)
            or not math.isclose(cut_bound, least, rel_tol=1e-9, abs_tol=1e-15)
            or not math.isclose(path_bound, best, rel_tol=1e-9, abs_tol=1e-15)
        )
        if len(path) > 1:
            found["chains"] += _chain_breaks(edges, path)
            found["cuts_null"] += sum(edge.capacity for edge in edges) > cut_bound * (1.0 + SLACK)
    return dict(found)


def _chain_breaks(edges: Sequence[bounds.Edge], path: Sequence[str]) -> bool:
    """The exact rate of ideal links along the path (one photon per use and mode) must stay below the path's capacity."""
    joined: list[tuple[float, float]] = []
    for a, b in itertools.pairwise(path):
        misses, capacity = 1.0, 0.0
        for edge in edges:
            if {edge.a, edge.b} == {a, b}:
                misses *= (1.0 - edge.transmission) ** edge.modes
                capacity += edge.capacity
        joined.append((min(max(1.0 - misses, 1e-12), 1.0), capacity))
    rate = 1.0 / float(waiting.heterogeneous_mean([success for success, _ in joined]))
    return rate > min(capacity for _, capacity in joined) * (1.0 + 1e-9)


def _least_cut(edges: Sequence[bounds.Edge], names: str) -> float:
    """The least capacity across any of the 2^(n-2) ways to part the first node from the last, all tried."""
    inside = _partings(len(names))
    across = np.zeros(len(inside))
    for edge in edges:
        across += edge.capacity * (inside[:, names.index(edge.a)] != inside[:, names.index(edge.b)])
    return float(across.min())


@cache
def _partings(size: int) -> np.ndarray:
    middle = list(itertools.product((False, True), repeat=size - 2))
    return np.array([(True, *each, False) for each in middle])


def _best_path(edges: Sequence[bounds.Edge], names: str) -> float:
    """The widest path by closing the table of all pairs (Floyd and Warshall), another way than the one under test."""
    index = {name: place for place, name in enumerate(names)}
    width = np.zeros((len(names), len(names)))
    for edge in edges:
        width[index[edge.a], index[edge.b]] += edge.capacity
        width[index[edge.b], index[edge.a]] += edge.capacity
    for middle in range(len(names)):
        width = np.maximum(width, np.minimum(width[:, middle, None], width[None, middle, :]))
    return float(width[0, -1])


class _Timed(Fabric):
    """A fabric that times every letter from the moment it leaves to the moment it arrives."""

    def __init__(
        self, inventory: documents.Inventory, seed: int, light: Mapping[tuple[str, str], Time]
    ) -> None:
        super().__init__(inventory, seed=seed)
        self.found: Counter[str] = Counter()
        self.light = light
        self._left: dict[tuple[int, str], tuple[Time, str, Any]] = {}

    def _home(self, seat: str) -> str:
        return self.inventory.controller if seat in (CONTROLLER, CLIENT) else seat

    def _carry(self, seat: str, send: Send) -> None:
        self._left[id(send.message), send.to] = (
            self.now,
            seat,
            send.message,
        )  # kept, so that no id is used again
        super()._carry(seat, send)

    def _arrive(self, letter: tuple[str, Any]) -> None:
        seat, message = letter
        left = self._left.pop((id(message), seat), None)
        if left is not None:
            least = self.light[self._home(left[1]), self._home(seat)]
            self.found["cases"] += 1
            self.found["causality"] += self.now - left[0] < least - 2
            self.found["causality_null"] += least > 0  # instant letters would break all of these
        super()._arrive(letter)


def _messages(rng: np.random.Generator, count: int) -> dict[str, Any]:
    """Watch the Chicago network carry messages: none may beat light in the fibre, no pair its own heralds."""
    document = documents.load_network("chicago")
    shortest = _light_times(document)
    fabric = _Timed(documents.inventory(document), int(rng.integers(1 << 30)), shortest)
    found = fabric.found
    births: dict[str, Time] = {}

    def heralded(time: Time, _place: str, event: Any) -> None:
        link = fabric.inventory.links[event.link]
        found["cases"] += 1
        found["causality"] += time - min(event.born, event.partner_born) < link.light_time - 2
        births[event.pair] = min(event.born, event.partner_born)

    def delivered(_time: Time, _place: str, message: Any) -> None:
        a, b = message.ends
        found["cases"] += 1
        first = min(births.get(pair, message.created_at) for pair in message.pair)
        found["causality"] += message.delivered_at - first < shortest[a, b] // 2 - 2

    fabric.watch(watcher(heralded), Heralded)
    fabric.watch(watcher(delivered), Delivered)
    for a, b in (("NU", "UChicago_PME"), ("Argonne_1", "Fermilab_2"), ("Argonne_2", "UChicago_HC")):
        fabric.submit(LinkRequest(a, b, 0.6, pairs=1_000_000))
    fabric.run(10**18, stop=lambda: found["cases"] >= count)
    return dict(found)


def _light_times(document: Any) -> dict[tuple[str, str], Time]:
    """Light time of the shortest fibre route, from the lengths in the document and nothing of the inventory."""
    names = [node.name for node in document.nodes]
    index = {name: place for place, name in enumerate(names)}
    far = np.full((len(names), len(names)), math.inf)
    np.fill_diagonal(far, 0.0)
    for link in document.links:
        number, unit = str(link.length).split()
        length = float(number) * {"km": 1e3, "m": 1.0}[unit]
        a, b = (index[name] for name in link.between)
        far[a, b] = far[b, a] = min(far[a, b], length)
    for middle in range(len(names)):
        far = np.minimum(far, far[:, middle, None] + far[None, middle, :])
    return {
        (a, b): from_seconds(1.468 * float(far[index[a], index[b]]) / SPEED_OF_LIGHT)
        for a in names
        for b in names
    }


def predict(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """Violations of each bound."""
    names = ("plob", "weights", "herald", "tsirelson", "cuts", "chains", "causality", "cases")
    return {name: Predicted(float(sum(int(each.get(name, 0)) for each in samples))) for name in names}


def null(values: Values) -> Mapping[str, float]:  # noqa: ARG001 (the protocol)
    """Nothing: what the null models break is counted by the samples and shown in the figure."""
    return {}


def draw(result: Result, figure: Figure) -> None:
    """Links below their capacity, CHSH values below Tsirelson's bound, and what careless counting would break."""
    axes = figure.add_subplot(1, 3, 1)
    points = np.array([each for sample_ in result.samples for each in sample_.get("points", ())])
    shown = points[points[:, 1] > 0.0]
    eta = np.logspace(-4, -0.001, 100)
    axes.loglog(shown[:, 0], shown[:, 1], ".", ms=3, color=MODEL, alpha=0.6)
    axes.loglog(eta, bounds.plob(eta), color=FAILED, lw=1.6)
    axes.set_xlim(1e-4, 1.2)
    axes.set_ylim(1e-9, 20)
    axes.set_xlabel("transmission of the arm or fibre")
    axes.set_ylabel("ebit per mode used")
    axes.set_title("random links, and their capacity")
    axes = figure.add_subplot(1, 3, 2)
    states = np.concatenate([each["states"] for each in result.samples if "states" in each])
    axes.hist(states, bins=60, color=MODEL, alpha=0.7)
    axes.axvline(merit.TSIRELSON, color=FAILED, lw=1.6)
    axes.set_xlabel("largest CHSH value of a random state")
    axes.set_title("random states, and Tsirelson's bound")
    axes = figure.add_subplot(1, 3, 3)
    labels = {
        "plob_null": "one mode counted\nfor many", "tsirelson_null": "CHSH by summing\ncorrelators",
        "cuts_null": "all edges for\nthe cut", "causality_null": "instant\nmessages",
    }  # fmt: skip
    broken = [sum(int(each.get(name, 0)) for each in result.samples) for name in labels]
    axes.barh(range(len(labels)), broken, color=NULL, height=0.6)
    axes.set_yticks(range(len(labels)), labels.values(), fontsize=8)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlabel("violations")
    axes.set_title("what careless counting breaks")


EXPERIMENTS: Final = (
    Experiment(
        name="bounds",
        model=(
            "links.build over random parts against bounds.plob of the poorer arm or the whole fibre times every mode used; "
            "merit.chsh_max and chsh_fixed; bounds.widest_path and min_cut against enumeration; the messages of a running Fabric"
        ),
        null_model="careless counting: one mode for many, sums of correlators, all edges for the cut, messages that take no time",
        predict=predict,
        null=null,
        draw=draw,
        sample=sample,
        pieces=len(KINDS),
    ),
)
