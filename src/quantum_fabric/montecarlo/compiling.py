"""Documents, plans and installed rules, compiled into a scenario.

The rules come from the control plane itself: whoever decides is asked for each request in turn, and what it would install is taken
down. So a scenario acts on the same rules, slots and lanes as a run with that controller in its seat.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.links.model import HeraldOutcome, LinkModel
from quantum_fabric.messages import (
    Accepted,
    Calibration,
    Choice,
    CutoffRule,
    DeliverRule,
    Distillation,
    GenerateRule,
    LinkRequest,
    Prepare,
    Promise,
    PurifyRule,
    Refused,
    Send,
    Side,
    SwapRule,
)
from quantum_fabric.montecarlo.representations import AUTO, chosen, prepared
from quantum_fabric.montecarlo.scenario import (
    PLANT,
    PREPARED,
    RULES,
    Scenario,
    Session,
    Table,
    Tables,
    integers,
    reals,
)
from quantum_fabric.physics.correlators import swap_table
from quantum_fabric.physics.fading import steady_rates
from quantum_fabric.physics.frames import AXES, ROTATIONS
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.ports import Decider
from quantum_fabric.units import Time

_CHOICES = tuple(Choice)

_AXES = {words: number for number, words in enumerate(AXES)}


class Device(Protocol):
    """What a scenario needs to know of a node."""

    @property
    def slots(self) -> int:
        """Memory slots."""

    @property
    def swap_time(self) -> Time:
        """Duration of a two-qubit gate with readout, ps."""

    @property
    def measure_time(self) -> Time:
        """Duration of a readout, ps."""

    def memory_noise(self) -> MemoryNoise:
        """Noise of its memories."""

    def operation_noise(self) -> OperationNoise:
        """Noise of its operations."""


class Span(Protocol):
    """What a scenario needs to know of a link."""

    @property
    def a(self) -> str:
        """One end."""

    @property
    def b(self) -> str:
        """The other end."""

    @property
    def model(self) -> LinkModel:
        """What makes the entanglement."""

    @property
    def light_time(self) -> Time:
        """From end to end, ps."""


class Compiler:
    """Collects plant and installations.

    Args:
        nodes: by name, in the order of the network.
        links: by name, in the order that ranks simultaneous heralds.
        delays: one-way classical delays (ps) between nodes.
        controller: the node where the controller sits.
        states: how the states of pairs are kept; ``"auto"`` for the cheapest way that is exact for what is installed.
    """

    def __init__(
        self,
        nodes: Mapping[str, Device],
        links: Mapping[str, Span],
        delays: Mapping[tuple[str, str], Time],
        controller: str,
        states: str = "bell-diagonal",
    ) -> None:
        self._nodes, self._links = nodes, links
        self._delays, self._controller = delays, controller
        self._node_numbers = {name: number for number, name in enumerate(nodes)}
        self._link_numbers = {name: number for number, name in enumerate(links)}
        self._points: dict[tuple[str, float | None, int], int] = {}
        self._point_rows: list[tuple[int, ...]] = []
        self._labels: list[tuple[int]] = []
        self._cumulative: list[float] = []
        self._heralds: list[HeraldOutcome] = []
        self._installed: list[Tables] = []
        self._asked_states = states

    def plant(self) -> Tables:
        """Tables of the plant, with the operating points that the installations so far have asked for.

        Raises:
            UnknownNameError: states are to be kept in a way that there is not.
            InputError: they are to be kept in a way that cannot hold them.
        """
        tables = self._plant()
        states = chosen(self._asked_states, tables, self._installed, self._heralds)
        rows = [
            (total, *prepared(herald, states))
            for total, herald in zip(self._cumulative, self._heralds, strict=True)
        ]
        return {**tables, "outcomes": reals(rows, 1 + len(PREPARED[states]))}

    def states(self) -> str:
        """How the states of pairs are kept, given the installations so far.

        Raises:
            UnknownNameError: as `plant`.
            InputError: as `plant`.
        """
        tables = self._plant() if self._asked_states == AUTO else {}
        return chosen(self._asked_states, tables, self._installed, self._heralds)

    def _plant(self) -> dict[str, Table]:
        noises = [(node.memory_noise(), node.operation_noise()) for node in self._nodes.values()]
        numbers = [
            (node.slots, node.swap_time, node.measure_time, memory.simple, memory.lossless, memory.attempt_dephasing > 0.0)
            for node, (memory, _) in zip(self._nodes.values(), noises, strict=True)
        ]  # fmt: skip
        links = [
            (self._node_numbers[link.a], self._node_numbers[link.b], link.light_time) for link in self._links.values()
        ]  # fmt: skip
        return {
            "nodes": integers(numbers, len(PLANT["nodes"])),
            "node_noise": reals([_noise_row(*noise) for noise in noises], len(PLANT["node_noise"])),
            "links": integers(links, 3),
            "points": integers(self._point_rows, len(PLANT["points"])),
            "labels": integers(self._labels, 1),
            "node_names": tuple(self._nodes),
            "link_names": tuple(self._links),
        }

    def _point(self, link: str, setting: float | None, lanes: int) -> int:
        """Number of an operating point; its row is written when somebody asks for it first."""
        key = (link, setting, lanes)
        found = self._points.get(key)
        if found is None:
            found = self._points[key] = len(self._point_rows)
            heralding = self._links[link].model.heralding(setting, lanes)
            first, total = len(self._labels), 0.0
            for outcome in heralding.outcomes:
                total += outcome.probability
                self._labels.append((int(outcome.bell),))
                self._cumulative.append(total)
                self._heralds.append(outcome)
            self._point_rows.append(
                (self._link_numbers[link], heralding.period, heralding.cycle, *heralding.born, *heralding.heard,
                 len(heralding.outcomes), first)
            )  # fmt: skip
        return found

    def installation(self, prepares: Sequence[Prepare]) -> Tables:
        """Tables of the rules that these letters carry.

        Args:
            prepares: one for each node of a path, in its order.
        """
        path = [each.node for each in prepares]
        place = {name: position for position, name in enumerate(path)}
        rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in RULES}
        for position, prepare in enumerate(prepares):
            self._circuit(rows, position, prepare, place)
        home = [(self._delay(self._controller, node), self._delay(node, self._controller)) for node in path]
        rows["home"] = list(home)
        tables: dict[str, object] = {}
        for name, columns in RULES.items():
            make = reals if columns == OPERATION_COLUMNS or name == "qubit_beliefs" else integers
            tables[name] = make(rows[name], len(columns))
        whole: Tables = {**tables, **self._path_delays(path)}  # type: ignore[dict-item]
        self._installed.append(whole)
        return whole

    def _delay(self, a: str, b: str) -> Time:
        return 0 if a == b else self._delays[a, b]

    def _path_delays(self, path: Sequence[str]) -> Tables:
        """Delays along a path add up where they are the light's along its fibres; then n numbers say what n² would."""
        nodes = len(path)
        rows = [[self._delay(a, b) for b in path] for a in path]
        along = rows[0]
        additive = all(rows[i][j] == abs(along[i] - along[j]) for i in range(nodes) for j in range(nodes))
        return {
            "delays": integers([] if additive else rows, nodes),
            "along": integers([(time,) for time in along] if additive else [], 1),
        }

    def _circuit(
        self,
        rows: dict[str, list[tuple[float, ...]]],
        position: int,
        prepare: Prepare,
        place: Mapping[str, int],
    ) -> None:
        belief = prepare.calibration
        memory = MemoryNoise(belief.t1, belief.t2, belief.exponent)
        steady, _, relaxation = steady_rates(memory)
        qubits = purifications = 0
        swaps, lefts, rights, cutoff, deliver = False, (0, 0), (0, 0), -1, (-1, False)
        choice = Choice.OLDEST
        for rule in prepare.rules:
            match rule:
                case GenerateRule():
                    point = self._point(rule.link, rule.setting, len(rule.slots))
                    own = (steady + rule.disturbance, steady + rule.disturbance, relaxation)
                    stretch = rule.partner_stretch
                    far = (0.0, 1.0) if stretch is None else (stretch.rate, stretch.exponent)
                    beliefs = (
                        *rule.fresh,
                        *own,
                        memory.stretched_rate,
                        memory.exponent,
                        *rule.partner_decay,
                        *far,
                    )
                    for slot, lane in zip(rule.slots, rule.lanes, strict=True):
                        neighbour = place[rule.partner]
                        link = self._link_numbers[rule.link]
                        to_the_right = rule.side is Side.RIGHT
                        rows["qubits"].append((slot, link, lane, point, to_the_right, neighbour, position))
                        rows["qubit_beliefs"].append(beliefs)
                        qubits += 1
                case PurifyRule():
                    self._purify(rows, position, rule, place)
                    purifications += 1
                case SwapRule():
                    swaps, lefts, rights = True, _range(rule.left, place), _range(rule.right, place)
                    choice = rule.choice
                case CutoffRule():
                    cutoff = rule.age
                case DeliverRule():
                    if rule.reading or rule.tests or rule.bell is not None:
                        found = "halves that are measured or turned by rule"
                        raise InputError(
                            found, "pairs that are handed over as they are; the twin does more", rule.partner
                        )
                    deliver = (place[rule.partner], rule.hold)
        node = self._node_numbers[prepare.node]
        rows["circuits"].append(
            (
                node,
                swaps,
                *lefts,
                *rights,
                *deliver,
                cutoff,
                prepare.retention,
                qubits,
                purifications,
                _CHOICES.index(choice),
            )
        )
        rows["circuit_noise"].append(operations_row(believed(belief)))

    @staticmethod
    def _purify(
        rows: dict[str, list[tuple[float, ...]]], position: int, rule: PurifyRule, place: Mapping[str, int]
    ) -> None:
        kind = rule.distillation.value
        first = len(rows["rotations"])
        for rotation in rule.rotations:
            one, two = rotation.words if rotation is not None else ROTATIONS[kind]
            rows["rotations"].append((6 * _AXES[one] + _AXES[two],))
        rows["purify"].append(
            (position, place[rule.partner], rule.rounds, rule.distillation is Distillation.BBPSSW, rule.initiator,
             rule.pumped, len(rule.rotations), first)
        )  # fmt: skip
        rows["purify_noise"].append(operations_row(believed(rule.partner_calibration)))


OPERATION_COLUMNS = RULES["circuit_noise"]


def _range(names: Iterable[str], place: Mapping[str, int]) -> tuple[int, int]:
    """Positions of nodes that stand side by side, as (first, one past the last)."""
    positions = sorted(place[name] for name in names)
    if positions != list(range(positions[0], positions[-1] + 1)):
        raise StateError(f"a swap rule for nodes that do not stand side by side on the path: {positions}")
    return positions[0], positions[-1] + 1


def believed(calibration: Calibration) -> OperationNoise:
    """The believed noise of a node's operations.

    Examples:
        >>> believed(Calibration(1.0, 1.0, 0.0, 0.01, 0.0, 0.0)).depolarising_2
        0.01
    """
    return OperationNoise(
        depolarising_1=calibration.depolarising_1,
        depolarising_2=calibration.depolarising_2,
        readout_error_0=calibration.readout_error_0,
        readout_error_1=calibration.readout_error_1,
    )


def operations_row(noise: OperationNoise) -> tuple[float, ...]:
    """The columns `quantum_fabric.montecarlo.scenario.OPERATIONS` of a node's operations.

    Examples:
        >>> operations_row(OperationNoise())[4:9]
        (1.0, 0.25, 0.25, 0.25, 0.25)
    """
    table = swap_table(noise)
    factors = [factor for _, row in table for factor in row]
    return (
        noise.depolarising_1, noise.depolarising_2, noise.readout_error_0, noise.readout_error_1, noise.swap_success,
        *(chance for chance, _ in table), *factors,
    )  # fmt: skip


def _noise_row(memory: MemoryNoise, operations: OperationNoise) -> tuple[float, ...]:
    steady, _, relaxation = steady_rates(memory)
    lifetime = memory.retrieval_lifetime if math.isfinite(memory.retrieval_lifetime) else math.inf
    return (
        steady * 1e-12, relaxation * 1e-12, memory.stretched_rate * 1e-12, memory.exponent, memory.loss_per_attempt,
        memory.retrieval, lifetime, *operations_row(operations),
    )  # fmt: skip


def compiled(
    nodes: Mapping[str, Device],
    links: Mapping[str, Span],
    delays: Mapping[tuple[str, str], Time],
    controller: str,
    requests: Iterable[tuple[Time, LinkRequest]],
    decider: Decider,
    states: str = "bell-diagonal",
) -> Scenario:
    """The scenario of a network that serves these requests.

    Args:
        nodes: by name, in the order of the network.
        links: by name, in the order that ranks simultaneous heralds.
        delays: one-way classical delays (ps) between nodes.
        controller: the node where the controller sits.
        requests: when each is asked (ps), and what.
        decider: a fresh controller. Each request is put to it in the order of time, as if all before were still being served.
        states: how the states of pairs are kept; ``"auto"`` for the cheapest way that is exact for this scenario.

    Raises:
        StateError: a request has to wait for memory that another one holds; only a live run can say for how long.
        InputError: pairs are to be held in memory for an application, of which a scenario knows nothing; or their states are to
            be kept in a way that cannot hold them.
        UnknownNameError: states are to be kept in a way that there is not.
    """
    compiler = Compiler(nodes, links, delays, controller, states)
    installations: list[Tables] = []
    sessions: list[Session] = []
    refusals: dict[str, str] = {}
    for number, (at, request) in enumerate(sorted(requests, key=lambda each: each[0])):
        name = request.name or f"request-{number + 1}"
        if request.hold:
            raise InputError(found="hold=True", expected="pairs that are handed over at once", where=name)
        if request.route.paths > 1:
            raise InputError(
                f"{request.route.paths} paths", "one path; `Fabric` and `LiveFabric` serve several", name
            )
        if request.promise is not Promise.DELIVERY:
            raise InputError(
                request.promise.value, "a promise of each pair at its delivery; `Fabric` keeps others", name
            )
        named = replace(request, name=name)
        answers = [action.message for action in decider.handle(named, at) if isinstance(action, Send)]
        refused = next((each for each in answers if isinstance(each, Refused)), None)
        if refused is not None:
            refusals[name] = refused.reason
            continue
        accepted = next(each for each in answers if isinstance(each, Accepted))
        if accepted.queued:
            raise StateError(
                f"{name} has to wait for memory that requests before it hold; compile fewer requests, or run them live"
            )
        prepares = [each for each in answers if isinstance(each, Prepare)]
        sessions.append(
            Session(name, len(installations), at, request.pairs, request.fidelity, request.deadline)
        )
        installations.append(compiler.installation(prepares))
    return Scenario(compiler.plant(), tuple(installations), tuple(sessions), compiler.states(), refusals)
