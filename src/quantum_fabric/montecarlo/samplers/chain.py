"""What the structured samplers of a chain share: the tables of its one installation, the conditions that all of them have, results.

A sampler works out what the plant does to a pair and what its nodes believe of it, as the kernel would, and withholds what falls below
the floor of its session. What it does not work out are single events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from quantum_fabric.errors import StateError
from quantum_fabric.montecarlo.results import DELIVERIES, SESSIONS, STATES, SUMS, Results
from quantum_fabric.montecarlo.scenario import PLANT, RULES, Scenario
from quantum_fabric.native import look
from quantum_fabric.units import Time

LONGEST: Final = 2.0**49
"""ps that a run may be expected to take: three bits short of where doubles are no longer whole picoseconds."""

EVERY: Final = (
    "one request without a deadline, on a path with one memory for each end of a link, memories that decay exponentially, "
    "nothing purified, held or lost, delays that add up along the path, and Bell-diagonal states"
)
"""What every sampler of a chain asks for, in words."""

SHARED: Final = EVERY.replace("nothing purified", "nothing cut off, purified")
"""What those ask for that have no cutoffs."""

_CIRCUIT = {name: column for column, name in enumerate(RULES["circuits"])}
_QUBIT = {name: column for column, name in enumerate(RULES["qubits"])}
_BELIEF = {name: column for column, name in enumerate(RULES["qubit_beliefs"])}
_NODE = {name: column for column, name in enumerate(PLANT["nodes"])}
_POINT = {name: column for column, name in enumerate(PLANT["points"])}
NOISE: Final = {name: column for column, name in enumerate(PLANT["node_noise"])}
BELIEVED: Final = {name: column for column, name in enumerate(RULES["circuit_noise"])}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be sampled of a scenario.

    Attributes:
        seed: of the draws, which have nothing to do with the kernel's.
        first: number of the first replica; each has draws of its own.
        replicas: how many.
        threads: how many; they change no bit.
        until: ps at which a replica ends at the latest.
        keep_pairs: list every pair.
        beliefs: work out what nodes believe, and withhold what is below the floor.
        seeds: where given, one for each replica, which is then replica 0 of its seed.
    """

    seed: int
    first: int
    replicas: int
    threads: int
    until: Time
    keep_pairs: bool = False
    beliefs: bool = True
    seeds: tuple[int, ...] = ()

    def names(self) -> tuple[str, list[str]]:
        """How the native samplers are told of seeds: one for all replicas, or one for each."""
        return str(self.seed), [str(each) for each in self.seeds]


@dataclass(frozen=True, slots=True)
class Path:
    """Tables of the one installation and its plant.

    Attributes:
        circuits, qubits, beliefs, home: of the installation.
        nodes, noise, believed: a row for each node of the path: whole numbers, true noise, and what it takes its operations to do.
        along: time of light from the first node, ps.
        plant: of the scenario.
    """

    circuits: Any
    qubits: Any
    beliefs: Any
    home: Any
    nodes: Any
    noise: Any
    believed: Any
    along: Any
    plant: Any

    @property
    def links(self) -> int:
        """How many."""
        return len(self.circuits) - 1

    def column(self, name: str) -> Any:
        """A column of the circuits."""
        return self.circuits[:, _CIRCUIT[name]]

    def partners(self, k: int) -> tuple[int, int, int, int]:
        """Of a repeater: the first partner to its left that its rule takes, one past the last, and the same to its right."""
        row = self.circuits[k]
        return tuple(
            int(row[_CIRCUIT[name]]) for name in ("lefts_from", "lefts_to", "rights_from", "rights_to")
        )  # type: ignore[return-value]

    def swap_times(self) -> Any:
        """Of each node, ps."""
        return self.nodes[:, _NODE["swap_time"]]

    def end(self, link: int, right: bool) -> int:
        """The qubit at the right or left end of a link, by number."""
        mine = (self.qubits[:, _QUBIT["circuit"]] == link + right) & (
            self.qubits[:, _QUBIT["to_the_right"]] != right
        )
        return int(np.flatnonzero(mine)[0])

    def heralds(self, link: int) -> tuple[Any, Any, Any]:
        """Of a link: cumulative chances, correlators and labels of what a herald may announce."""
        return self._heralds(int(self.qubits[self.end(link, False)][_QUBIT["point"]]))

    def _heralds(self, point: int) -> tuple[Any, Any, Any]:
        row = self.plant["points"][point]
        first, count = int(row[_POINT["first_outcome"]]), int(row[_POINT["outcomes"]])
        outcomes = self.plant["outcomes"][first : first + count]
        return outcomes[:, 0], outcomes[:, 1:], self.plant["labels"][first : first + count, 0]

    def fresh(self, link: int) -> Any:
        """What is believed of a fresh pair: three correlators."""
        return self.beliefs[self.end(link, False)][:3]

    def rates(self, k: int) -> tuple[float, float, float, float]:
        """Of a half at a node, per ps: true rates across and along the Z axis, and the believed ones."""
        qubit = self.end(min(k, self.links - 1), k == self.links)
        own = self.beliefs[qubit]
        return (
            float(self.noise[k][NOISE["rate_xy"]]), float(self.noise[k][NOISE["rate_z"]]),
            float(own[_BELIEF["own_rate_x"]]) * 1e-12, float(own[_BELIEF["own_rate_z"]]) * 1e-12,
        )  # fmt: skip

    def link_rows(self) -> list[list[float]]:
        """For each link: success, period, phase, born left and right, heard left and right."""
        return [self._link(link) for link in range(self.links)]

    def _link(self, link: int) -> list[float]:
        mine = self.qubits[self.end(link, False)]
        point = self.plant["points"][mine[_QUBIT["point"]]]
        ends = self.plant["links"][point[_POINT["link"]]]
        born = point[[_POINT["born_a"], _POINT["born_b"]]]
        heard = point[[_POINT["heard_a"], _POINT["heard_b"]]]
        if ends[0] != self.circuits[link, _CIRCUIT["node"]]:
            born, heard = born[::-1], heard[::-1]
        period = int(point[_POINT["period"]])
        phase = int(mine[_QUBIT["lane"]]) * int(point[_POINT["cycle"]]) % period
        cumulative, _, _ = self.heralds(link)
        return [float(cumulative[-1]), float(period), float(phase), *map(float, born), *map(float, heard)]


def path_of(scenario: Scenario) -> Path:
    """The path of the first session's installation."""
    rules: Any = scenario.installations[scenario.sessions[0].installation]
    circuits, plant = rules["circuits"], scenario.plant
    where = circuits[:, _CIRCUIT["node"]]
    along = rules["along"][:, 0] if len(rules["along"]) == len(circuits) else None
    nodes: Any = plant["nodes"]
    noise: Any = plant["node_noise"]
    return Path(
        circuits, rules["qubits"], rules["qubit_beliefs"], rules["home"], nodes[where], noise[where],
        rules["circuit_noise"], along, plant,
    )  # fmt: skip


def shared_objections(scenario: Scenario, cutoffs: bool = False) -> tuple[str, ...]:
    """What of `SHARED`, or of `EVERY` where there may be cutoffs, a scenario does not have, in words."""
    if len(scenario.sessions) != 1:
        return (f"{len(scenario.sessions)} requests",)
    if scenario.states != "bell-diagonal":
        return (f"states are kept as {scenario.states!r}",)
    if scenario.sessions[0].deadline is not None:
        return ("a deadline",)
    path = path_of(scenario)
    found = [*_of_rules(path, cutoffs), *_of_nodes(path)]
    return tuple(found or _of_beliefs(path))


def _of_rules(path: Path, cutoffs: bool) -> Iterator[str]:
    count = np.full(len(path.circuits), 2)
    count[[0, -1]] = 1
    if len(count) < 2 or (path.column("qubits") != count).any() or len(path.qubits) != 2 * path.links:
        yield "several memories for an end of a link"
    ends = path.column("delivers_with")[[0, -1]].tolist()
    if path.column("swaps").tolist() != [0, *[1] * (path.links - 1), 0] or ends != [path.links, 0]:
        yield "rules that are not those of a chain"
    if path.column("holds").any():
        yield "pairs that are held"
    if not cutoffs and (path.column("cutoff")[1:-1] >= 0).any():
        yield "a cutoff"
    if path.column("purifications").any():
        yield "purification"
    if path.along is None:
        yield "delays that do not add up along the path"


def _of_nodes(path: Path) -> Iterator[str]:
    def flag(name: str) -> Any:
        return path.nodes[:, _NODE[name]]

    if not flag("simple").all() or flag("disturbed").any():
        yield "memories that do not decay exponentially, or are disturbed by attempts"
    if not flag("lossless").all():
        yield "memories that lose qubits"
    if not all(path._heralds(int(row[_QUBIT["point"]]))[0][-1] > 0.0 for row in path.qubits):
        yield "a link that never succeeds"


def _of_beliefs(path: Path) -> Iterator[str]:
    """All that hear of a pair must believe the same of it, or more would have to be followed than one number."""
    decay = [name.removeprefix("own_") for name in _BELIEF if name.startswith("own_")]
    own = [_BELIEF[f"own_{name}"] for name in decay]
    far = [_BELIEF[f"far_{name}"] for name in decay]
    rows = path.beliefs
    for link in range(path.links):
        left, right = rows[path.end(link, False)], rows[path.end(link, True)]
        if not np.array_equal(left[:3], right[:3]):
            yield "ends that believe different things of a link"
            return
        if not (np.array_equal(left[own], right[far]) and np.array_equal(left[far], right[own])):
            yield "nodes that believe different things of a memory"
            return
    for k in range(1, path.links):
        if not np.array_equal(rows[path.end(k - 1, True)][own], rows[path.end(k, False)][own]):
            yield "nodes that believe different things of a memory"
            return
    x, y, stretched = (rows[:, _BELIEF[f"own_{name}"]] for name in ("rate_x", "rate_y", "stretched"))
    if not np.array_equal(x, y) or stretched.any():
        yield "memories that are believed not to decay exponentially"


def factors(row: Any, columns: dict[str, int] = NOISE) -> tuple[Any, Any]:
    """Of a row of operations: chances of what a swap announces, shape (4,), and its factors of correlators, shape (4, 3)."""
    chance, factor = columns["chance_0"], columns["x_0"]
    return row[chance : chance + 4], row[factor : factor + 12].reshape(4, 3)


def unlike(path: Path) -> Iterator[str]:
    """Where what is announced says something of the state, in words."""
    for k in range(1, path.links):
        chances, true = factors(path.noise[k])
        _, believed = factors(path.believed[k], BELIEVED)
        if len(np.unique(np.hstack([true, believed])[chances > 0.0], axis=0)) != 1:
            yield "swaps whose outcomes leave different states"
            break
    if any(len(np.unique(path.heralds(link)[1], axis=0)) != 1 for link in range(path.links)):
        yield "heralds that prepare different states"


def products(path: Path) -> tuple[list[float], list[float]]:
    """Of all heralds and swaps, where none is `unlike`: factors of correlators, true and believed."""
    true, believed = np.ones(3), np.ones(3)
    for k in range(1, path.links):
        chances, each = factors(path.noise[k])
        one = int(np.flatnonzero(chances > 0.0)[0])
        true *= each[one]
        believed *= factors(path.believed[k], BELIEVED)[1][one]
    for link in range(path.links):
        true *= path.heralds(link)[1][0]
        believed *= path.fresh(link)
    return true.tolist(), believed.tolist()


def announced_by_link(path: Path, link: int) -> list[list[float]]:
    """What a herald of a link may announce: cumulative chance, correlators, those that are believed, and the label."""
    cumulative, states, labels = path.heralds(link)
    fresh = path.fresh(link).tolist()
    return [
        [float(edge), *state.tolist(), *fresh, float(label)]
        for edge, state, label in zip(cumulative, states, labels, strict=True)
    ]


def announced_by_swap(path: Path, k: int) -> list[list[float]]:
    """What a swap may announce: cumulative chance, factors of correlators, those that are believed, and the label."""
    chances, true = factors(path.noise[k])
    _, believed = factors(path.believed[k], BELIEVED)
    edges = np.cumsum(chances)
    return [
        [float(edges[label]), *true[label].tolist(), *believed[label].tolist(), float(label)]
        for label in range(4)
    ]


def success(path: Path, k: int) -> float:
    """That a swap at a node succeeds; 1 at the ends, which do not swap."""
    return float(path.noise[k, NOISE["swap_success"]]) if 0 < k < path.links else 1.0


def armed(scenario: Scenario, path: Path) -> list[float]:
    """When each node of the path arms its memories first, ps."""
    out, home = path.home[:, 0], path.home[:, 1]
    committed = scenario.sessions[0].at + int((out + home).max())
    return [float(committed + int(delay)) for delay in out]


def question(scenario: Scenario, path: Path, asked: Asked) -> dict[str, Any]:
    """What all samplers are told."""
    session = scenario.sessions[0]
    return {
        "links": path.link_rows(),
        "home": [float(path.home[0, 1]), float(path.home[-1, 1])],
        "at": float(session.at),
        "until": float(asked.until),
        "pairs": session.pairs,
        "floor": session.floor,
        "beliefs": asked.beliefs,
        "keep": asked.keep_pairs,
        "labels": _labels(path),
    }


def _labels(path: Path) -> list[float]:
    """Cumulative chances of what the ends are told that a pair is: the sum modulo 2 of all that is announced on the way."""
    law = np.array([1.0, 0.0, 0.0, 0.0])
    announced = [_shares(path, link) for link in range(path.links)]
    announced += [factors(row)[0] for row in path.noise[1:-1]]
    for shares in announced:
        law = np.array([sum(law[a] * shares[a ^ b] for a in range(4)) for b in range(4)])
    return np.cumsum(law).tolist()  # type: ignore[no-any-return]


def _shares(path: Path, link: int) -> Any:
    cumulative, _, labels = path.heralds(link)
    shares = np.zeros(4)
    np.add.at(shares, labels, np.diff(cumulative, prepend=0.0) / cumulative[-1])
    return shares


def answered(sampler: str, title: str, scenario: Scenario, asked: Asked, tables: dict[str, Any]) -> Results:
    """What a native sampler makes of a scenario.

    Args:
        sampler: its name in the native module.
        title: its name for people.
        scenario: which.
        asked: of it.
        tables: the scenario as that sampler takes it.

    Raises:
        StateError: the native kernel is not installed, or a run takes longer than times are exact for: its floor is hardly ever met.
    """
    module, said = look()
    if module is None:
        raise StateError(f"a sampler needs the native kernel; {said}")
    try:
        native = getattr(module, sampler)
        found = native(tables, *asked.names(), asked.first, asked.replicas, asked.threads)
    except ValueError as error:
        raise StateError(
            f"{error}: pairs that are good enough are too rare. Limit the time, or take no sampler"
        ) from error
    return results(scenario, asked, found, title, "native")


def results(scenario: Scenario, asked: Asked, found: Any, title: str, engine: str) -> Results:
    """Tables as the kernel has them.

    Args:
        scenario: which.
        asked: of it.
        found: what a sampler answered: columns of ``sessions``, ``sums`` (with the doubt of states at the end), ``latencies``,
            ``intervals``, ``deliveries`` and ``states``.
        title: of the sampler.
        engine: where it ran.
    """
    sessions = found["sessions"].reshape(asked.replicas, len(SESSIONS))
    sums = found["sums"].reshape(asked.replicas, len(SUMS) + 1)
    counts = dict.fromkeys(
        ("events", "heralds", "swaps", "failed_swaps", "purifications", "letters", "cutoffs", "stale"), 0
    )
    counts |= {"deliveries": int(sessions[:, 3].sum()), "withheld": int(sessions[:, 4].sum())}
    return Results(
        scenario.digest, asked.seed, asked.first, asked.replicas, f"{engine} (sampler: {title})", scenario.sessions, sessions,
        np.ascontiguousarray(sums[:, :-1]), found["latencies"].reshape(1, -1), found["intervals"].reshape(1, -1),
        found["deliveries"].reshape(-1, len(DELIVERIES)), found["states"].reshape(-1, len(STATES)), counts,
        float(sums[:, -1].max()),
    )  # fmt: skip
