"""The records of the seam: what all of them have in common, and the algebra of Bell labels."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args, get_type_hints

import pytest

from quantum_fabric import messages
from quantum_fabric.messages import Bell, Distillation, Message, Order, PairId, Send, Side
from quantum_fabric.physics import frames

MODULES = [
    importlib.import_module(f"{messages.__name__}.{found.name}")
    for found in pkgutil.iter_modules(messages.__path__)
]


def defined() -> Iterator[tuple[str, type]]:
    for module in (messages, *MODULES):
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__:
                yield name, kind


RECORDS = sorted((name, kind) for name, kind in defined() if dataclasses.is_dataclass(kind))


@pytest.mark.parametrize(("name", "kind"), RECORDS)
def test_every_record_is_frozen_has_slots_a_docstring_and_plain_fields(name: str, kind: Any) -> None:
    assert kind.__dataclass_params__.frozen
    assert kind.__dataclass_params__.eq
    assert "__slots__" in vars(kind)
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{name}(")  # what dataclass writes when nobody did
    hints = get_type_hints(kind)
    assert set(hints) == {field.name for field in dataclasses.fields(kind)}
    behaviour = [n for n, v in vars(kind).items() if inspect.isfunction(v) and not n.startswith("_")]
    assert behaviour == []


def blank(kind: Any) -> Any:
    """A record with a stand-in in every field."""
    return kind(**{field.name: f"a {field.name}" for field in dataclasses.fields(kind)})


@pytest.mark.parametrize(("name", "kind"), RECORDS)
def test_every_record_is_a_value(name: str, kind: Any) -> None:
    one, two = blank(kind), blank(kind)
    assert one == two
    assert hash(one) == hash(two)
    assert pickle.loads(pickle.dumps(one)) == one
    for field in dataclasses.fields(kind):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, field.name, 1)
        assert dataclasses.replace(one, **{field.name: "other"}) != two
    with pytest.raises((AttributeError, TypeError)):  # slots: nothing can be added
        one.extra = 1


def test_all_names_everything_public_and_nothing_else() -> None:
    public = {name for name, _ in defined()}
    assert public <= set(messages.__all__)
    assert all(hasattr(messages, name) for name in messages.__all__)
    assert messages.__all__ == sorted(messages.__all__, key=lambda n: (not n.isupper(), n))
    aliases = {
        "Asking",
        "Carriage",
        "Client",
        "Command",
        "Coordination",
        "Domains",
        "Event",
        "Installation",
        "Keys",
        "Message",
        "Rule",
    }
    numbers = {"Correlators", "Weights"}
    assert set(messages.__all__) == public | aliases | numbers | {"ANYWHERE", "CLIENT", "CONTROLLER"}


def test_each_message_is_in_the_union_and_each_record_is_a_message_or_a_part_of_one() -> None:
    parts = {
        "Calibration", "CurvePoint", "DeliveryLaw", "Duty", "Forecast", "Guarantee", "Join", "LinkNews", "LinkPlan",
        "NodeNews", "PassedOver", "Plan", "Read", "Reading", "Route", "Send", "Turning",
    }  # fmt: skip
    rules = {kind.__name__ for kind in get_args(messages.Rule)}
    union = [kind.__name__ for kind in get_args(Message)]
    assert len(union) == len(set(union))
    assert set(union) == {name for name, _ in RECORDS} - parts - rules


@pytest.mark.parametrize("kind", [kind for _, kind in defined() if issubclass(kind, Enum)])
def test_every_choice_has_a_docstring_and_distinct_values(kind: type[Enum]) -> None:
    assert kind.__doc__
    assert len({member.value for member in kind}) == len(kind.__members__)


SYMBOLS = ["Φ+", "Φ−", "Ψ+", "Ψ−"]
XOR = [["Φ+", "Φ−", "Ψ+", "Ψ−"], ["Φ−", "Φ+", "Ψ−", "Ψ+"], ["Ψ+", "Ψ−", "Φ+", "Φ−"], ["Ψ−", "Ψ+", "Φ−", "Φ+"]]


def test_bell_labels() -> None:
    assert [(bell.name, int(bell), bell.symbol) for bell in Bell] == [
        ("PHI_PLUS", 0, "Φ+"), ("PHI_MINUS", 1, "Φ−"), ("PSI_PLUS", 2, "Ψ+"), ("PSI_MINUS", 3, "Ψ−"),
    ]  # fmt: skip


@pytest.mark.parametrize("a", Bell)
@pytest.mark.parametrize("b", Bell)
def test_bell_labels_compose_by_xor(a: Bell, b: Bell) -> None:
    assert Bell(a ^ b).symbol == XOR[a][b]
    assert (Bell(a ^ b) >> 1, Bell(a ^ b) & 1) == ((a >> 1) ^ (b >> 1), (a & 1) ^ (b & 1))
    assert frames.swap_frame(a, b, Bell.PHI_PLUS) == a ^ b


def test_choices_go_by_name_on_paper() -> None:
    assert {member.value for member in Order} == {"asap", "nested"}
    assert {member.value for member in Side} == {"left", "right"}
    assert {member.value for member in Distillation} == {"dejmps", "bbpssw"}
    for kind in Distillation:
        frames.purify_frame(kind.value, 0, 0)  # physics knows each by that name


def test_a_refusal_reads_as_false_and_nothing_else_does() -> None:
    refused = blank(messages.Refused)
    assert not refused
    assert all(blank(kind) for name, kind in RECORDS if name != "Refused")


def test_a_pair_is_named_by_its_two_ends_and_a_letter_by_its_seat() -> None:
    assert PairId("A~B/0#1", "B~C/0#4") == ("A~B/0#1", "B~C/0#4")
    assert PairId(left="l", right="r")._fields == ("left", "right")
    assert Send("A", messages.Cancel("r")).to == "A"
    assert (messages.CONTROLLER, messages.CLIENT) == ("controller", "client")
