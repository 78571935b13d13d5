"""Chains in which nothing fails: every delivery is the latest of earlier times plus constants and geometric waits.

With one memory for each end of a link, pairs pass in strict order: the j-th pair of each link goes into the j-th delivery. So the
times of round j follow from those of round j-1 by maxima and sums alone (max-plus algebra), in any order of swaps and with messages
that take time:

    emission      i: on the grid of link i, G_i periods after both its ends were armed, G_i geometric
    swap          k: after both heralds, and after the news that its rule waits for, plus the duration of the swap
    delivery at an end: after its herald, and the news of every swap
    armed again:  a repeater's two memories at its swap, an end's memory at its delivery

Correlators multiply along the way, so the logarithm of each is a sum of waiting times.

Reference: Baccelli, Cohen, Olsder, Quadrat, *Synchronization and Linearity* (1992), for the algebra; the recurrence is this project's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from quantum_fabric.errors import StateError
from quantum_fabric.montecarlo.results import COMPLETED, DELIVERIES, STATES, Results
from quantum_fabric.montecarlo.scenario import PLANT, RULES, Scenario, integers, reals
from quantum_fabric.native import look

TITLE: Final = "max-plus recurrence"

CONDITION: Final = (
    "one request without a deadline, on a path with one memory for each end of a link, in which swaps always succeed and leave the "
    "same state whatever they announce, memories decay exponentially, nothing is cut off, purified, held or lost, delays add up "
    "along the path, and states are Bell-diagonal"
)

LONGEST: Final = 2.0**49
"""ps that a run may be expected to take: three bits short of where doubles are no longer whole picoseconds."""

_CIRCUIT = {name: column for column, name in enumerate(RULES["circuits"])}
_QUBIT = {name: column for column, name in enumerate(RULES["qubits"])}
_NODE = {name: column for column, name in enumerate(PLANT["nodes"])}
_POINT = {name: column for column, name in enumerate(PLANT["points"])}
_NOISE = {name: column for column, name in enumerate(PLANT["node_noise"])}
_FIRST_CHANCE = _NOISE["chance_0"]
_FIRST_FACTOR = _NOISE["x_0"]


@dataclass(frozen=True, slots=True)
class _Path:
    """Tables of the one installation and its plant."""

    circuits: Any
    qubits: Any
    home: Any
    nodes: Any
    noise: Any
    plant: Any

    @property
    def links(self) -> int:
        """How many."""
        return len(self.circuits) - 1


def _path(scenario: Scenario) -> _Path:
    rules = scenario.installations[scenario.sessions[0].installation]
    circuits: Any = rules["circuits"]
    plant: Any = scenario.plant
    where = circuits[:, _CIRCUIT["node"]]
    return _Path(
        circuits, rules["qubits"], rules["home"], plant["nodes"][where], plant["node_noise"][where], plant
    )


def objections(scenario: Scenario) -> tuple[str, ...]:
    """What keeps the recurrence from being this scenario, in words."""
    if len(scenario.sessions) != 1:
        return (f"{len(scenario.sessions)} requests",)
    if scenario.states != "bell-diagonal":
        return (f"states are kept as {scenario.states!r}",)
    path = _path(scenario)
    found = [*_of_rules(scenario, path), *_of_nodes(path)]
    if not found:
        found += _of_order(path)
    if not found and _expected(scenario, path) > LONGEST:
        found.append("a run may take longer than doubles can count in picoseconds")
    return tuple(found)


def _of_rules(scenario: Scenario, path: _Path) -> Iterator[str]:
    def column(name: str) -> Any:
        return path.circuits[:, _CIRCUIT[name]]

    rules: Any = scenario.installations[scenario.sessions[0].installation]
    if scenario.sessions[0].deadline is not None:
        yield "a deadline"
    count = np.full(len(path.circuits), 2)
    count[[0, -1]] = 1
    if len(count) < 2 or (column("qubits") != count).any() or len(path.qubits) != 2 * path.links:
        yield "several memories for an end of a link"
    ends = column("delivers_with")[[0, -1]].tolist()
    if column("swaps").tolist() != [0, *[1] * (path.links - 1), 0] or ends != [path.links, 0]:
        yield "rules that are not those of a chain"
    if column("holds").any():
        yield "pairs that are held"
    if (column("cutoff")[1:-1] >= 0).any():
        yield "a cutoff"
    if column("purifications").any():
        yield "purification"
    if len(rules["along"]) != len(path.circuits):
        yield "delays that do not add up along the path"


def _of_nodes(path: _Path) -> Iterator[str]:
    def flag(name: str) -> Any:
        return path.nodes[:, _NODE[name]]

    if not flag("simple").all() or flag("disturbed").any():
        yield "memories that do not decay exponentially, or are disturbed by attempts"
    if not flag("lossless").all():
        yield "memories that lose qubits"
    inner = path.noise[1:-1]
    if (inner[:, _NOISE["swap_success"]] < 1.0).any():
        yield "swaps that may fail"
    for row in inner:
        if len({tuple(each) for each in _factors(row)}) != 1:
            yield "swaps whose outcomes leave different states"
            break
    for row in path.qubits:
        states, success = _heralds(path, int(row[_QUBIT["point"]]))
        if success <= 0.0:
            yield "a link that never succeeds"
            break
        if len(np.unique(states, axis=0)) != 1:
            yield "heralds that prepare different states"
            break


def _of_order(path: _Path) -> Iterator[str]:
    """A rule must wait for its news only, and the partner that it has then must be one that it allows."""
    for k in range(1, path.links):
        row = path.circuits[k]
        low, high = int(row[_CIRCUIT["lefts_from"]]), int(row[_CIRCUIT["rights_to"]]) - 1
        allowed = low == 0 or k in _waits(path, low)
        if not allowed or not (high == path.links or k in _waits(path, high)):
            yield "swaps that may come too late for their own rule"
            return
    if _order(path) is None:
        yield "swaps that wait for each other"


def _factors(row: Any) -> Any:
    """Correlator factors of the outcomes that a swap may have, shape (outcomes, 3)."""
    chances = row[_FIRST_CHANCE : _FIRST_CHANCE + 4]
    return row[_FIRST_FACTOR : _FIRST_FACTOR + 12].reshape(4, 3)[chances > 0.0]


def _heralds(path: _Path, point: int) -> tuple[Any, float]:
    row = path.plant["points"][point]
    first, count = int(row[_POINT["first_outcome"]]), int(row[_POINT["outcomes"]])
    outcomes = path.plant["outcomes"][first : first + count]
    return outcomes[:, 1:], float(outcomes[-1, 0])


def _waits(path: _Path, k: int) -> range | list[int]:
    """The repeaters whose news a repeater's rule waits for."""
    row = path.circuits[k]
    return [*range(int(row[_CIRCUIT["lefts_to"]]), k), *range(k + 1, int(row[_CIRCUIT["rights_from"]]))]


def _order(path: _Path) -> list[int] | None:
    """Repeaters, each after those that it waits for; None where there is no such order."""
    left = {k: set(_waits(path, k)) for k in range(1, path.links)}
    found: list[int] = []
    while left:
        free = [k for k, waits in left.items() if waits.isdisjoint(left)]
        if not free:
            return None
        found += free
        for k in free:
            del left[k]
    return found


def _links(path: _Path) -> list[list[float]]:
    """For each link: success, period, phase, born left and right, heard left and right."""
    rows = []
    for i in range(path.links):
        mine = path.qubits[
            (path.qubits[:, _QUBIT["circuit"]] == i) & (path.qubits[:, _QUBIT["to_the_right"]] == 1)
        ][0]
        point = path.plant["points"][mine[_QUBIT["point"]]]
        link = path.plant["links"][point[_POINT["link"]]]
        turned = link[0] != path.circuits[i, _CIRCUIT["node"]]
        born = point[[_POINT["born_a"], _POINT["born_b"]]]
        heard = point[[_POINT["heard_a"], _POINT["heard_b"]]]
        if turned:
            born, heard = born[::-1], heard[::-1]
        period = int(point[_POINT["period"]])
        phase = int(mine[_QUBIT["lane"]]) * int(point[_POINT["cycle"]]) % period
        _, success = _heralds(path, int(mine[_QUBIT["point"]]))
        rows.append([success, float(period), float(phase), *map(float, born), *map(float, heard)])
    return rows


def _expected(scenario: Scenario, path: _Path) -> float:
    """More than a run takes on average, ps."""
    along: Any = scenario.installations[scenario.sessions[0].installation]["along"]
    swaps = float(path.nodes[:, _NODE["swap_time"]].sum())
    fixed = 4.0 * float(along.max() + path.home.max()) + swaps
    each = fixed + sum(row[1] * (1.0 + 1.0 / row[0]) + row[5] + row[6] for row in _links(path))
    return scenario.sessions[0].at + scenario.sessions[0].pairs * each


def _news(path: _Path, along: Any) -> list[list[tuple[int, float]]]:
    """For each station: whose news it waits for, and how long that travels."""
    repeaters = list(range(1, path.links))
    needed = [repeaters, *(_waits(path, k) for k in repeaters), repeaters]
    return [[(m, float(abs(along[m] - along[k]))) for m in waits] for k, waits in enumerate(needed)]


def run(scenario: Scenario, seed: int, first: int, replicas: int, threads: int) -> Results:
    """Sample a scenario without `objections`.

    Args:
        scenario: which.
        seed: of the draws, which have nothing to do with the kernel's.
        first: number of the first replica; each has draws of its own.
        replicas: how many.
        threads: how many; they change no bit.

    Raises:
        StateError: the native kernel is not installed.
    """
    module, said = look()
    if module is None:
        raise StateError(f"a sampler needs the native kernel; {said}")
    path = _path(scenario)
    session = scenario.sessions[0]
    along: Any = scenario.installations[session.installation]["along"]
    along = along[:, 0]
    out, home = path.home[:, 0], path.home[:, 1]
    committed = session.at + int((out + home).max())
    stations = [
        [float(noise[_NOISE["rate_xy"]]), float(noise[_NOISE["rate_z"]]), float(committed + delay), float(node[_NODE["swap_time"]])]
        for noise, delay, node in zip(path.noise, out, path.nodes, strict=True)
    ]  # fmt: skip
    factors = np.ones(3)
    for row in path.noise[1:-1]:
        factors *= _factors(row)[0]
    for qubit in path.qubits[path.qubits[:, _QUBIT["to_the_right"]] == 1]:
        factors *= _heralds(path, int(qubit[_QUBIT["point"]]))[0][0]
    found = module.max_plus(
        _links(path), stations, _news(path, along), _order(path), [float(home[0]), float(home[-1])], factors.tolist(),
        float(session.at), session.pairs, str(seed), first, replicas, threads,
    )  # fmt: skip
    return _results(scenario, seed, first, replicas, found, path.links)


def _results(scenario: Scenario, seed: int, first: int, replicas: int, found: Any, links: int) -> Results:
    pairs = scenario.sessions[0].pairs
    times = found["times"].reshape(replicas, 2)
    sums = found["sums"].reshape(replicas, 5)  # fidelity, its square, gap, its square, doubt
    zeros = np.zeros(replicas, dtype=np.int64)
    sessions = np.stack(
        [first + np.arange(replicas), zeros, zeros + COMPLETED, zeros + pairs, zeros, times[:, 1], times[:, 0]], axis=1
    )  # fmt: skip
    believed = np.full(replicas, pairs / 4.0)  # nothing is believed: as the kernel without beliefs
    table = np.stack([sums[:, 0], sums[:, 1], believed, sums[:, 2], sums[:, 3]], axis=1)
    counts = dict.fromkeys(
        ("events", "heralds", "swaps", "failed_swaps", "purifications", "letters", "cutoffs", "stale", "deliveries", "withheld"), 0
    )  # fmt: skip
    total = pairs * replicas
    counts |= {"heralds": links * total, "swaps": (links - 1) * total, "deliveries": total}
    return Results(
        scenario.digest, seed, first, replicas, f"native, sampler: {TITLE}", scenario.sessions, sessions.astype(np.int64), table,
        found["latencies"].reshape(1, -1), found["intervals"].reshape(1, -1), integers([], len(DELIVERIES)),
        reals([], len(STATES)), counts, float(sums[:, 4].max()),
    )  # fmt: skip
