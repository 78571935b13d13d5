"""The protocols that join the rooms, and who keeps them."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import pytest

import builders
from quantum_fabric import ports
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Command, Fused, Measured, Received, Send, Stale, Teleported, Wake
from quantum_fabric.ports import Action, Answer, Decider, Network, Plant, Watcher


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return Fabric(builders.chain(3, builders.link()))


def test_who_decides_who_executes_and_who_watches(fabric: Fabric) -> None:
    deciders: list[Any] = [fabric.controller, *fabric.agents.values()]
    assert len(deciders) == 4
    assert all(isinstance(decider, Decider) for decider in deciders)
    assert isinstance(fabric.twin, Plant)
    assert isinstance(builders.Tape(fabric), Watcher)


def test_nobody_plays_two_parts(fabric: Fabric) -> None:
    assert not isinstance(fabric.controller, Plant)
    assert not isinstance(fabric.twin, Decider)
    assert not isinstance(object(), Watcher)


def parameters(function: Any) -> list[tuple[str, Any]]:
    return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize(
    "name", [n for n, v in vars(Network).items() if inspect.isfunction(v) and n[0] != "_"]
)
def test_the_fabric_is_the_network_that_services_need(name: str) -> None:
    assert parameters(getattr(Fabric, name)) == parameters(getattr(Network, name))


def test_the_fabric_tells_the_time(fabric: Fabric) -> None:
    assert isinstance(vars(Network)["now"], property)
    assert fabric.now == 0


@pytest.mark.parametrize(("port", "method"), [(Decider, "handle"), (Plant, "execute")])
def test_the_signatures_of_the_seam(fabric: Fabric, port: Any, method: str) -> None:
    players = (
        [type(fabric.controller), *map(type, fabric.agents.values())]
        if port is Decider
        else [type(fabric.twin)]
    )
    for player in players:
        assert parameters(getattr(player, method)) == parameters(getattr(port, method))


def test_what_a_decider_may_answer_with() -> None:
    assert set(get_args(Action)) == {*get_args(Command), Send, Wake, Stale}
    assert set(get_args(Answer)) == {Measured, Teleported, Received, Fused}


def test_every_port_says_what_it_is() -> None:
    for name, port in inspect.getmembers(ports, inspect.isclass):
        if port.__module__ == ports.__name__:
            assert port.__doc__, name
