"""The plant of a live run: what happens often is the native kernel's, what happens seldom is the twin's own code.

Drift, calibrations and failures are the twin's (`quantum_fabric.twin.drift`, `quantum_fabric.twin.plant`); here they are told to the
kernel, which has the lanes, memories and pairs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from quantum_fabric.documents import Inventory
from quantum_fabric.ensemble.telling import BASES
from quantum_fabric.errors import Caution, ProtocolError
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.model import Heralding
from quantum_fabric.messages import Bell, Calibrate, Command, Consume, Discard, Measure, Prepare
from quantum_fabric.montecarlo import Compiler
from quantum_fabric.montecarlo.points import point_tables
from quantum_fabric.twin import Twin, TwinLink, TwinNode
from quantum_fabric.twin.states import twirl_cautions
from quantum_fabric.units import Time


class NativeLink(TwinLink):
    """A link as it truly is, whose lanes are in the kernel.

    Attributes:
        keys: the operating points that somebody has asked for: (setting, lanes) and the kernel's number.
    """

    __slots__ = ("kept", "keys", "number", "run")

    run: Any
    number: int
    kept: str
    keys: dict[tuple[float | None, int], int]

    def seat(self, run: Any, number: int, states: str) -> None:
        """Say who has the lanes, and how states are kept there."""
        self.run, self.number, self.kept, self.keys = run, number, states, {}
        self.lanes = {0: _Lanes(self)}  # type: ignore[dict-item]

    def heralding(self, setting: float | None, lanes: int) -> Heralding:
        """What it is at this setting, under the conditions that hold."""
        if self._present is None:
            self._present = self.model.under(self._conditions)
        return self._present.heralding(setting, lanes)

    def drift(self, conditions: Conditions, now: Time) -> None:
        """Conditions are these from now on."""
        lanes, self.lanes = self.lanes, {}
        super().drift(conditions, now)
        self.lanes = lanes
        for (setting, count), key in self.keys.items():
            self.run.change_point(key, point_tables(self.number, self.heralding(setting, count), self.kept))
        self.run.renew_link(self.number)

    def pause(self, now: Time) -> None:  # noqa: ARG002 (the kernel has the time)
        """No attempt starts from now on; those on their way go on."""
        self.calibrating = True
        self.run.pause_link(self.number)

    def resume(self, now: Time) -> None:  # noqa: ARG002 (the kernel has the time)
        """Attempts start again."""
        self.calibrating = False
        self.run.resume_link(self.number)


class _Lanes:
    """All lanes of a link at once, as the twin's plant speaks to them."""

    def __init__(self, link: NativeLink) -> None:
        self._link = link

    def darken(self, now: Time) -> None:  # noqa: ARG002 (the kernel has the time)
        """The fibre is cut."""
        self._link.run.set_link(self._link.number, False)

    def lighten(self, now: Time) -> None:  # noqa: ARG002 (the kernel has the time)
        """The fibre is back."""
        self._link.run.set_link(self._link.number, True)


class NativeTwin(Twin):
    """A plant whose pairs are in the kernel, as node agents are. It obeys operators, and applications that hold a half.

    Attributes:
        name_of: the kernel's number of an elementary pair; -2 for one that it never told of.
    """

    name_of: Callable[[str], int]

    def __init__(self, run: Any, nodes: dict[str, TwinNode], links: list[NativeLink], *rest: Any) -> None:
        self._run = run
        self._numbers = {name: number for number, name in enumerate(nodes)}
        firsts = itertools.accumulate((len(node.slots) for node in nodes.values()), initial=0)
        self._first = dict(zip(nodes, firsts, strict=False))
        super().__init__(nodes, links, *rest)

    @property
    def twirl_error(self) -> float:
        """About how much the fidelity of the worst pair so far is off because amplitude damping was twirled."""
        return float(self._run.twirl_error)

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """Where the run so far has used a model outside its validity; empty where all is well."""
        return twirl_cautions(self.twirl_error)

    def execute(self, command: Command, now: Time) -> None:
        """Calibrate a link, or hand over or read a half that is held.

        Raises:
            ProtocolError: any other command, or one that makes no sense in the present state.
        """
        match command:
            case Calibrate():
                super().execute(command, now)
            case Consume(node, _, bell):
                if self.nodes[node].alive:
                    place = self._held(command, "consume")
                    told = self._run.told(place)
                    if told not in (-1, int(bell)):
                        said = f"{Bell(told).name} and {bell.name}"
                        raise ProtocolError(f"the ends of a pair were told different Bell states: {said}")
                    self._run.hand_over(place, int(bell))
            case Measure(node, _, basis):
                if basis not in BASES:
                    raise ProtocolError(f"cannot measure in basis {basis!r}; expected X, Y or Z")
                if self.nodes[node].alive:
                    self._run.read_out(self._held(command, "measure"), BASES.index(basis) + 1)
            case _:
                raise ProtocolError(
                    f"{type(command).__name__}: in a live run applications consume and measure; the rest runs on the twin"
                )

    def _held(self, command: Consume | Measure, verb: str) -> int:
        """The kernel's number of the slot whose half is meant."""
        self._slot(command.node, command.slot)  # which says what there is
        place = self._first[command.node] + command.slot
        against = self._run.why_not_held(place, self.name_of(command.half) if command.half else -1)
        if against:
            raise ProtocolError(f"cannot {verb} slot {command.slot} of {command.node}: it is {against}")
        return place

    def fail_node(self, name: str, now: Time) -> None:
        """A node stops: its qubits are lost; its neighbours lose its light."""
        if self.nodes[name].alive:
            self._run.fail_node(self._numbers[name])
        super().fail_node(name, now)

    def recover_node(self, name: str, now: Time) -> None:
        """A node starts again with empty memories."""
        if not self.nodes[name].alive:
            self._run.recover_node(self._numbers[name])
        super().recover_node(name, now)

    def _discard(self, command: Discard, now: Time) -> None:
        """The kernel has lost them already."""


class LiveCompiler(Compiler):
    """Tables for a kernel that runs: it is told of new operating points as they are asked for."""

    def __init__(self, inventory: Inventory, states: str) -> None:
        super().__init__(inventory.nodes, inventory.links, inventory.delays, inventory.controller, states)
        self._live: dict[str, NativeLink] = {}
        self._numbers = itertools.count()

    def seat(self, run: Any, links: dict[str, NativeLink]) -> None:
        """From now on, speak to this run."""
        self._run, self._live = run, links

    def installation(self, prepares: Sequence[Prepare]) -> Any:
        """Tables of the rules that these letters carry."""
        found = super().installation(prepares)
        self._installed.clear()  # nobody will choose another representation any more
        return found

    def _point(self, link: str, setting: float | None, lanes: int) -> int:
        where = self._live[link]
        key = (setting, lanes)
        if key not in where.keys:
            tables = point_tables(where.number, where.heralding(setting, lanes), where.kept)
            self._run.add_points(tables)
            where.keys[key] = next(self._numbers)
        return where.keys[key]
