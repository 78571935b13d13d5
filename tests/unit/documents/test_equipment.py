"""Which device stands where."""

from __future__ import annotations

import pytest

from quantum_fabric import devices
from quantum_fabric.documents.equipment import attempt, chosen, equipment, known_architecture
from quantum_fabric.documents.network_document import (
    Choice,
    Defaults,
    LinkDocument,
    NodeDefaults,
    NodeEntry,
    Station,
)
from quantum_fabric.documents.reading import Place
from quantum_fabric.units import parse


class Told(list[tuple[Place, str, str]]):
    def __call__(self, place: Place, found: str, expected: str) -> None:
        self.append((place, found, expected))


@pytest.fixture
def told() -> Told:
    return Told()


def test_nothing_said_means_hardware_of_today(told: Told) -> None:
    kit = equipment(Defaults(), told)
    assert kit is not None
    assert kit.node == devices.sheet("node", devices.sheet("profile", "today").node)
    assert (kit.modes, kit.slots, kit.relays, kit.source) == (1, None, True, None)
    assert told == []


@pytest.mark.parametrize("name", devices.sheets("profile"))
def test_every_profile_gives_a_kit(name: str, told: Told) -> None:
    kit = equipment(Defaults(profile=name), told)
    profile = devices.sheet("profile", name)
    assert kit is not None
    assert kit.architecture == profile.architecture
    assert kit.fibre == devices.sheet("fibre", profile.fibre)


def test_defaults_are_stronger_than_the_profile(told: Told) -> None:
    defaults = Defaults(
        profile="future",
        node=NodeDefaults(overrides={"memory.t2": "3 s"}, slots=5, relays=False),
        fibre=Choice(sheet="ideal"),
        source=Choice(sheet="spdc"),
        architecture="sender_receiver",
        modes=7,
    )
    kit = equipment(defaults, told)
    assert kit is not None
    future = devices.sheet("node", "future")
    assert kit.node == devices.override(future, {"memory.t2": "3 s"})
    assert kit.fibre.attenuation == 0.0
    assert (kit.architecture, kit.modes, kit.slots, kit.relays) == ("sender_receiver", 7, 5, False)
    assert kit.source == devices.sheet("source", "spdc")


def node_of(defaults: Defaults, entry: NodeEntry) -> devices.Node:
    told = Told()
    kit = equipment(defaults, told)
    assert kit is not None
    node = kit.node_of(entry, ("nodes", 0), told)
    assert told == []
    assert node is not None
    return node


def test_overrides_belong_to_the_sheet_beside_which_they_stand() -> None:
    defaults = Defaults(node=NodeDefaults(sheet="lab-best", overrides={"memory.t2": "3 s"}))
    assert node_of(defaults, NodeEntry(name="A")).memory.t2 == 3.0
    own = node_of(defaults, NodeEntry(name="A", overrides={"memory": {"t1": "4 s"}}))
    assert (own.memory.t1, own.memory.t2) == (4.0, 3.0)
    other = node_of(defaults, NodeEntry(name="A", sheet="future"))
    assert other == devices.sheet("node", "future")


def test_slots_from_weak_to_strong() -> None:
    few = Defaults(node=NodeDefaults(slots=3))
    assert (
        node_of(Defaults(profile="future"), NodeEntry(name="A")).slots
        == devices.sheet("node", "future").slots
    )
    assert node_of(few, NodeEntry(name="A")).slots == 3
    assert node_of(few, NodeEntry(name="A", overrides={"slots": 4})).slots == 4
    assert node_of(few, NodeEntry(name="A", overrides={"slots": 4}, slots=5)).slots == 5


def test_fibres_and_detectors_of_a_link(told: Told) -> None:
    kit = equipment(Defaults(profile="lab-best"), told)
    assert kit is not None
    plain = LinkDocument(between=("A", "B"), length="1 km")
    assert kit.carrier_of(plain, (), told) == kit.fibre
    assert kit.detector_of(plain, (), told) == kit.detector
    own = LinkDocument(
        between=("A", "B"),
        length="1 km",
        fibre=Choice(sheet="ull"),
        attenuation="0.3 dB/km",
        fixed_loss="1 dB",
        station=Station(detector=Choice(overrides={"efficiency": "50 %"})),
    )
    fibre, detector = kit.carrier_of(own, (), told), kit.detector_of(own, (), told)
    assert fibre is not None
    assert detector is not None
    assert fibre.attenuation == pytest.approx(3e-4)
    assert fibre.fixed_loss == 1.0
    assert fibre.group_index == devices.sheet("fibre", "ull").group_index
    assert (detector.efficiency, detector.dark_rate) == (0.5, kit.detector.dark_rate)
    assert told == []


def test_each_wrong_override_is_told_where_it_stands(told: Told) -> None:
    overrides = {
        "memory": {"t2": "5 km", "t3": "1 s"},
        "gates.swap_success": 2,
        "slots": "two",
        "memory.t1": "1 s",
    }
    assert chosen("node", Choice(sheet="ideal", overrides=overrides), None, ("nodes", 3), told) is None
    assert sorted(str(place[3:]) for place, _, _ in told) == [
        "('gates.swap_success',)",
        "('memory', 't2')",
        "('memory', 't3')",
        "('slots',)",
    ]


def test_fields_that_contradict_each_other(told: Told) -> None:
    choice = Choice(sheet="ideal", overrides={"memory.t1": "1 s", "memory.t2": "3 s"})
    assert chosen("node", choice, None, (), told) is None
    assert told == [(("overrides", "memory.t2"), "3 s", "at most 2 t1 = 2 s")]


def test_unknown_names(told: Told) -> None:
    assert equipment(Defaults(profile="yesterday"), told) is None
    assert chosen("fibre", Choice(sheet="copper"), None, (), told) is None
    assert chosen("source", Choice(overrides={"fidelity": 1}), None, (), told) is None
    assert known_architecture("telepathy", (), told) is None
    assert known_architecture("sender_receiver", (), told) == "sender_receiver"
    assert [place for place, _, _ in told] == [("defaults", "profile"), ("sheet",), (), ("architecture",)]


def test_every_wrong_default_is_told(told: Told) -> None:
    wrong = Defaults(node=NodeDefaults(sheet="x"), detector=Choice(sheet="y"), source=Choice(sheet="z"))
    assert equipment(wrong, told) is None
    assert [place[1] for place, _, _ in told] == ["node", "detector", "source"]


def test_attempts(told: Told) -> None:
    assert attempt(lambda: parse("1 km", "length"), (), told) == 1000.0
    assert attempt(lambda: parse("1 kg", "length"), ("a",), told) is None
    assert told[0][:2] == (("a",), "'1 kg'")
