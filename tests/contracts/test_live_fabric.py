"""A live run in the native kernel, with the same controller in its seat, is the same run as on the twin."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass, fields, replace

import pytest

from compared_runs import close
from quantum_fabric.control.choosing import Candidate
from quantum_fabric.ensemble import LiveFabric
from quantum_fabric.errors import InputError, ProtocolError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.links.upkeep import NO_UPKEEP, Calibrations, Residual, Upkeep
from quantum_fabric.messages import (
    CLIENT,
    Calibrate,
    Confirmed,
    Delivered,
    Drifted,
    Heralded,
    LinkChanged,
    LinkReport,
    Message,
    NodeFailed,
    NodeRecovered,
    Outcome,
    Prepared,
    Purified,
    Released,
    Renew,
    Restarted,
    Substandard,
    Swapped,
    Truth,
)
from quantum_fabric.native import look
from quantum_fabric.physics.drift import Magnitudes
from quantum_fabric.units import SECOND, Time
from random_networks import Case, case

pytestmark = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")

HORIZON = SECOND // 20
TOLD = (
    Delivered,
    Substandard,
    Outcome,
    Truth,
    Heralded,
    Swapped,
    Purified,
    Confirmed,
    Prepared,
    Released,
    Drifted,
    LinkReport,
    Restarted,
)


def told(
    fabric: Fabric, drawn: object, faults: list[tuple[Time, object]], until: Time = HORIZON
) -> list[tuple[Time, str, Message]]:
    """Everything that watchers see of a run."""
    seen: list[tuple[Time, str, Message]] = []
    fabric.watch(lambda time, place, message: seen.append((time, place, message)), *TOLD)
    for at, request in drawn.requests:  # type: ignore[attr-defined]
        fabric.submit(request, at)
    for at, event in faults:
        fabric.inject(event, at)  # type: ignore[arg-type]
    fabric.run(until)
    return seen


def compare(drawn: object, faults: list[tuple[Time, object]], seed: int, until: Time = HORIZON) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)  # type: ignore[attr-defined]
        inventory = drawn.inventory  # type: ignore[attr-defined]
        one = told(Fabric(inventory, seed=seed), drawn, faults, until)
        two = told(LiveFabric(inventory, seed=seed), drawn, faults, until)
    for mine, other in zip(one, two, strict=False):
        assert close(mine, other), (mine, other)
    assert len(one) == len(two)
    return len(one)


@pytest.mark.parametrize("seed", range(400, 430))
def test_the_same_run_as_on_the_twin(seed: int) -> None:
    assert compare(case(seed), [], seed) > 0


@pytest.mark.parametrize("seed", range(430, 460))
def test_the_same_run_with_faults(seed: int) -> None:
    """A fibre is cut and mended, a node stops and starts: who is touched is served anew, or told why not."""
    drawn = case(seed, hops=3)
    links, nodes = list(drawn.inventory.links), list(drawn.inventory.nodes)
    at = HORIZON // 8
    faults: list[tuple[Time, object]] = [
        (at, LinkChanged("", links[seed % 3], False)),
        (3 * at, LinkChanged("", links[seed % 3], True)),
        (2 * at + seed, NodeFailed(nodes[seed % 4])),
        (5 * at, NodeRecovered(nodes[seed % 4])),
    ]
    assert compare(drawn, faults, seed) > 0


@pytest.mark.parametrize("seed", [430, 433, 447])
def test_a_renewal_that_finds_nothing_to_renew(seed: int) -> None:
    """A node stops and starts just before its lease is renewed: it says that it holds nothing."""
    drawn = case(seed, hops=3)
    rare = {
        name: replace(link, model=replace(link.model, success=1e-4))  # type: ignore[type-var]
        for name, link in drawn.inventory.links.items()
    }
    endless = [(0, replace(request, pairs=10**6, deadline=None)) for _, request in drawn.requests[:1]]
    drawn = replace(drawn, inventory=replace(drawn.inventory, links=rare), requests=endless)
    node = drawn.requests[0][1].source
    at = renewal(drawn, node, seed)
    faults: list[tuple[Time, object]] = [(at - 2, NodeFailed(node)), (at - 1, NodeRecovered(node))]
    assert compare(drawn, faults, seed, at + SECOND // 100) > 0


def renewal(drawn: Case, node: str, seed: int) -> Time:
    """When a node is first told to renew a lease."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        fabric = Fabric(drawn.inventory, seed=seed)
        renewed: list[Time] = []
        fabric.watch(lambda time, place, message: renewed.append(time) if place == node else None, Renew)
        fabric.submit(drawn.requests[0][1], 0)
        fabric.run(3 * SECOND, stop=lambda: bool(renewed))
    return renewed[0]


@dataclass(frozen=True, slots=True)
class Fading(FixedLink):
    """A link whose success and state follow its conditions."""

    def under(self, conditions: Conditions) -> Fading:
        share = conditions.detectors * math.exp(-abs(conditions.phase))
        one, *rest = self.weights
        weights = (one * share, *(each + one * (1.0 - share) / 3 for each in rest))
        return replace(self, success=self.success * share, weights=weights)


@pytest.mark.parametrize("seed", range(460, 475))
def test_the_same_run_with_drift_and_calibrations(seed: int) -> None:
    """Links wander at steps, are calibrated in turn and on demand, and one is cut meanwhile."""
    drawn = case(seed, hops=3)
    upkeep = Upkeep(
        Magnitudes(phase=4.0, detectors=3.0),
        HORIZON // 200,
        Calibrations(
            takes=HORIZON // 100, every=HORIZON // 4, first=HORIZON // 9, residual=Residual(phase=0.05)
        ),
    )
    links = {}
    for number, (name, link) in enumerate(drawn.inventory.links.items()):
        assert isinstance(link.model, FixedLink)
        plain = {each.name: getattr(link.model, each.name) for each in fields(FixedLink)}
        links[name] = replace(link, model=Fading(**plain), upkeep=upkeep if number != 1 else NO_UPKEEP)
    moved = replace(drawn, inventory=replace(drawn.inventory, links=links))
    first = next(iter(links))
    faults: list[tuple[Time, object]] = [
        (HORIZON // 3, Calibrate("", first)),
        (HORIZON // 2, LinkChanged("", first, False)),
        (2 * HORIZON // 3, LinkChanged("", first, True)),
    ]
    assert compare(moved, faults, seed) > 200


def youngest_unless_rare(
    node: str, lefts: list[Candidate], rights: list[Candidate]
) -> tuple[int, int] | None:
    """The youngest on each side; where there is one of each only, wait until they are old."""
    if len(lefts) == len(rights) == 1 and min(lefts[0].age, rights[0].age) < 10**7 and len(node) % 2:
        return None
    return tuple(min(range(len(side)), key=lambda k: (side[k].age, side[k].slot)) for side in (lefts, rights))  # type: ignore[return-value]


class Seen(ctypes.Structure):
    """A candidate, as a compiled policy sees it."""

    _fields_ = [
        ("slot", ctypes.c_int64),
        ("age", ctypes.c_int64),
        ("fidelity", ctypes.c_double),
        ("rounds", ctypes.c_int64),
    ]


@pytest.mark.parametrize("rung", ["python", "compiled"])
@pytest.mark.parametrize("seed", [404, 420, 424, 449, 471])
def test_a_policy_gives_the_same_run_on_every_rung(seed: int, rung: str) -> None:
    """A policy in Python on the twin, in Python on the kernel, and behind a C pointer."""
    drawn = case(seed, hops=3)
    asked = []

    def policy(node: str, lefts: list[Candidate], rights: list[Candidate]) -> tuple[int, int] | None:
        asked.append(node)
        return youngest_unless_rare(node, lefts, rights)

    side = ctypes.POINTER(Seen)

    @ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, side, ctypes.c_int64, side, ctypes.c_int64)
    def compiled(node: int, lefts: object, n: int, rights: object, m: int) -> int:
        lists = [
            [Candidate(each.slot, each.age, each.fidelity, each.rounds) for each in both[:count]]  # type: ignore[index]
            for both, count in ((lefts, n), (rights, m))
        ]
        answer = youngest_unless_rare(list(drawn.inventory.nodes)[node], *lists)
        return -1 if answer is None else answer[0] << 32 | answer[1]

    address = ctypes.cast(compiled, ctypes.c_void_p).value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        one = told(Fabric(drawn.inventory, seed=seed, policy=policy), drawn, [])
        before = len(asked)
        two = told(
            LiveFabric(drawn.inventory, seed=seed, policy=policy if rung == "python" else address), drawn, []
        )
    assert before > 5
    if rung == "python":
        assert asked[:before] == asked[before:]
    assert len(one) == len(two)
    for mine, other in zip(one, two, strict=True):
        assert close(mine, other), (mine, other)


def test_a_policy_that_chooses_nothing_that_there_is() -> None:
    drawn = case(420, hops=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        with pytest.raises(ProtocolError, match="chose"):
            told(Fabric(drawn.inventory, seed=1, policy=lambda *seen: (7, 0)), drawn, [])
        with pytest.raises(IndexError, match="chose a half that there is not"):
            told(LiveFabric(drawn.inventory, seed=1, policy=lambda *seen: (7, 0)), drawn, [])


def test_watchers_are_told_what_they_cannot_see() -> None:
    fabric = LiveFabric(case(1).inventory)
    with pytest.raises(InputError, match="found no types"):
        fabric.watch(lambda *seen: None)


def test_an_error_in_a_watcher_is_raised_where_the_run_was_started() -> None:
    drawn = case(2)

    def angry(time: Time, place: str, message: Message) -> None:
        raise ValueError("no")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", drawn.planner)
        fabric = LiveFabric(drawn.inventory, seed=2)
        fabric.watch(angry, Heralded)
        for at, request in drawn.requests:
            fabric.submit(request, at)
        with pytest.raises(ValueError, match="no"):
            fabric.run(HORIZON)
    assert fabric.now > 0
    assert CLIENT
