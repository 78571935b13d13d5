"""Shares go hop by hop: every key is at both ends once and equal, or at neither and reported; nothing stays behind."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyrelay import World, ladder, links, stream
from quantum_fabric.errors import InputError
from quantum_fabric.keys import KeyMaterial
from quantum_fabric.keys.relay.bundle import noise_octets
from quantum_fabric.keys.relay.custody import Form
from quantum_fabric.keys.relay.messages import Alarm, Carry, Envelope, Outcome, Receipt, Settle, Start, Tick
from quantum_fabric.keys.relay.node import LONGEST_LIFE
from quantum_fabric.keys.relay.routing import Guard, Route, Wanted, plan
from quantum_fabric.keys.relay.supply import KeyNetwork, pairs

KEY = UUID(int=7)
SHORT, LONG = ("A", "R", "B"), ("A", "S", "T", "B")


def line(forward: int = 1 << 20, backward: int = 1 << 20) -> KeyNetwork:
    return KeyNetwork(links("AR RB", forward, backward), frozenset("R"))


def test_a_key_over_two_paths_is_accounted_to_the_bit() -> None:
    world = World(ladder())
    route = plan(world.network, Wanted("A", "B", 100))
    assert isinstance(route, Route)
    assert route.paths == (SHORT, LONG)
    world.start(KEY, route.paths, 100)
    world.settle()
    assert len(world.verdict(KEY, "A", "B") or b"") == 100
    assert world.spent() == dict(route.uses)
    assert not world.alarms


def test_custody_is_closed_and_in_order() -> None:
    world = World(ladder())
    world.start(KEY, (SHORT, LONG))
    world.settle()
    entries = [entry for node in world.nodes.values() for entry in node.book.drain()]
    assert all(entry.until is not None and entry.since <= entry.until for entry in entries)
    found = Counter((entry.node, entry.form, entry.share) for entry in entries)
    assert found == {
        ("A", Form.WHOLE, None): 1, ("A", Form.CIPHER, 0): 1, ("A", Form.CIPHER, 1): 1,
        ("R", Form.CLEAR, 0): 1, ("R", Form.CIPHER, 0): 1,
        ("S", Form.CLEAR, 1): 1, ("S", Form.CIPHER, 1): 1, ("T", Form.CLEAR, 1): 1, ("T", Form.CIPHER, 1): 1,
        ("B", Form.CLEAR, 0): 1, ("B", Form.CLEAR, 1): 1, ("B", Form.WHOLE, None): 1,
    }  # fmt: skip
    inner = [entry for entry in entries if entry.node in "RST" and entry.form is Form.CLEAR]
    assert all(entry.since == entry.until for entry in inner), "a relay cannot read what it has handed on"


def test_nothing_that_crosses_a_wire_is_a_share_or_the_key() -> None:
    world = World(ladder())
    world.start(KEY, (SHORT, LONG), 64)
    world.settle()
    key = world.verdict(KEY, "A", "B")
    bodies = [
        one.payload.body
        for one in world.heard
        if isinstance(one, Envelope) and isinstance(one.payload, Carry)
    ]
    assert len(bodies) == 5 == len(set(bodies)), "each hop has a pad of its own"
    assert key is not None
    assert not any(key[:16] in body for body in bodies)
    assert key.hex() not in repr(world.heard)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.1, 0.4, 0.7]), st.integers(0, 400))
def test_wires_that_lose_repeat_and_mix_up(seed: int, loss: float, steps: int) -> None:
    dice = random.Random(seed)
    world = World(ladder(), f"rough/{seed}")
    keys = [UUID(int=number + 1) for number in range(4)]
    for number, key in enumerate(keys):
        there = (SHORT, LONG) if number % 2 else (("A", "S", "R", "B"),)
        back = tuple(path[::-1] for path in there) if number > 1 else there
        world.start(key, back, 16 + number, life=dice.choice([5_000, 60_000]))
    world.rough(dice, steps, loss, again=0.2)
    world.settle()
    for number, key in enumerate(keys):
        ends = ("B", "A") if number > 1 else ("A", "B")
        world.verdict(key, *ends)
    world.spent()  # both ends agree, whatever happened
    assert not world.alarms


def test_without_losses_everything_arrives_whatever_the_order() -> None:
    for seed in range(20):
        world = World(ladder(), f"order/{seed}")
        for number in range(3):
            world.start(UUID(int=number + 1), (SHORT, LONG))
        world.rough(random.Random(seed), 300, loss=0.0, again=0.3)
        world.settle()
        assert len({world.verdict(UUID(int=number + 1), "A", "B") for number in range(3)} - {None}) == 3


def test_a_line_that_is_dead_for_long_delays_and_loses_nothing_in_silence() -> None:
    world = World(ladder())
    world.start(KEY, (SHORT, LONG), life=10_000)
    for _ in range(40):
        world.wires = [one for one in world.wires if {one.sender, one.receiver} != {"S", "T"}]
        while world.wires:
            world.deliver()
            world.wires = [one for one in world.wires if {one.sender, one.receiver} != {"S", "T"}]
        world.now += 1000
        for name in world.nodes:
            world.hand(name, Tick())
    assert [one.outcome for one in world.failed[KEY, "A"]] == [Outcome.EXPIRED]
    assert [entry.node for node in world.nodes.values() for entry in node.book.held] == ["S"], (
        "it cannot read it"
    )
    assert world.nodes["S"].book.held[0].form is Form.CIPHER
    world.settle()
    assert world.verdict(KEY, "A", "B") is None


def test_a_relay_without_link_key_refuses_and_the_source_says_who() -> None:
    network = KeyNetwork((*links("AR"), *links("RB", forward=8 * 100)), frozenset("R"))
    world = World(network)
    world.start(KEY, (SHORT,), 32)
    world.settle()
    assert world.verdict(KEY, "A", "B") is None
    (why,) = world.failed[KEY, "A"]
    assert (why.outcome, why.by) == (Outcome.DRY, "R")
    assert world.spent().keys() == {("A", "R"), ("R", "A")}, "nothing of the next link was touched"


def test_a_source_without_link_key_refuses_at_once() -> None:
    world = World(line(forward=8 * 100))
    world.start(KEY, (SHORT,), 32)
    assert [one.outcome for one in world.failed[KEY, "A"]] == [Outcome.DRY]
    assert not world.wires
    assert world.spent() == {}


def test_a_node_that_is_an_end_only_hands_nothing_on() -> None:
    world = World(KeyNetwork(links("AR RB"), frozenset()))
    world.start(KEY, (SHORT,))
    world.settle()
    assert [(one.outcome, one.by) for one in world.failed[KEY, "A"]] == [(Outcome.UNWILLING, "R")]
    assert world.verdict(KEY, "A", "B") is None


@pytest.mark.parametrize("victim", [Carry, Settle, Receipt])
def test_a_changed_message_is_noticed_and_costs_nothing(victim: type) -> None:
    world = World(line())
    world.start(KEY, (SHORT,))
    forged = 0
    for _ in range(60):
        if not world.wires:
            break
        message = world.wires[0]
        if isinstance(message, Envelope) and isinstance(message.payload, victim):
            before = {name: pads.left(message.sender, message.receiver) for name, pads in world.pads.items()}
            payload = message.payload
            changed = (
                replace(payload, body=bytes(len(payload.body)))
                if isinstance(payload, Carry)
                else replace(payload, password=bytes(16))
            )
            world.hand(message.receiver, replace(message, payload=changed))
            world.hand(message.receiver, replace(message, number=message.number + 1))
            after = {name: pads.left(message.sender, message.receiver) for name, pads in world.pads.items()}
            assert before == after
            forged += 2
        world.deliver()
    world.settle()
    assert world.verdict(KEY, "A", "B") is not None
    assert [one.what for one in world.alarms] == ["a message whose tag does not fit"] * forged
    assert forged == 4
    assert sum(line.forgeries for node in world.nodes.values() for line in node.lines.values()) == forged
    assert all(0.0 < line.failure < 1e-25 for node in world.nodes.values() for line in node.lines.values())


def test_a_relay_that_changes_a_share_is_found_out_by_the_target() -> None:
    """R is compromised: it has all its link keys and may tag what it likes. The other share is not its to know."""
    world = World(ladder())
    world.start(KEY, (SHORT, LONG))
    evil = world.nodes["R"]
    plain = evil._uncover

    def twisted(peer: str, carry: Carry) -> KeyMaterial | None:
        share = plain(peer, carry)
        return None if share is None else KeyMaterial(bytes([share.octets[0] ^ 1]) + bytes(share.octets[1:]))

    evil._uncover = twisted  # type: ignore[method-assign]
    world.settle()
    assert [(one.outcome, one.by) for one in world.failed[KEY, "A"]] == [(Outcome.CHANGED, "B")]
    assert world.verdict(KEY, "A", "B") is None


def test_a_relay_cannot_write_a_receipt_nor_a_release() -> None:
    world = World(ladder())
    world.start(KEY, (SHORT, LONG), life=20_000)
    world.lie("R", "A", Receipt(KEY, 0, SHORT, Outcome.ARRIVED, "B", bytes(16)))
    world.lie("R", "B", Settle(KEY, 0, SHORT, 20_000, True, bytes(16)))
    world.drain()
    assert "a receipt that the target did not write" in [one.what for one in world.alarms]
    world.settle()
    assert world.verdict(KEY, "A", "B") is not None or world.failed[KEY, "A"]

    world = World(ladder())
    world.start(KEY, (SHORT, LONG))
    while not world.nodes["B"].book.holds(KEY, None, Form.WHOLE):
        world.deliver()
    for release in (True, False):
        world.lie("R", "B", Settle(KEY, 0, SHORT, 60_000, release, bytes(16)))
    world.settle()
    assert world.verdict(KEY, "A", "B") is not None
    assert [one.what for one in world.alarms] == ["a settlement that the source did not write"] * 2


def test_a_share_that_comes_twice_under_two_pads_goes_on_once() -> None:
    world = World(line())
    world.start(KEY, (SHORT,))
    again = Carry(KEY, 0, 1, 32, SHORT, 60_000, (), b"")
    pad = world.pads["A"].cut("R", 112)
    assert pad is not None
    again = replace(again, pad=pad.places, body=bytes(112))
    world.deliver()
    world.deliver()  # A has R's acknowledgement, R waits for B's
    world.lie("A", "R", again)
    world.hand("R", world.wires.pop())
    world.settle()
    assert world.verdict(KEY, "A", "B") is not None
    assert [one.what for one in world.alarms] == ["a share that is here already"]


@pytest.mark.parametrize(
    "change",
    [
        {"path": ("A", "R", "R", "B")}, {"path": ("A", "B")}, {"path": ("B", "R", "A")}, {"path": ("R",)},
        {"path": ()}, {"path": ("A", "R", *map(str, range(80)), "B")}, {"body": b"x"}, {"octets": 1 << 40},
        {"pad": ()},
    ],
)  # fmt: skip
def test_payloads_that_make_no_sense_are_alarms(change: dict[str, object]) -> None:
    world = World(line())
    pad = world.pads["A"].cut("R", 112)
    assert pad is not None
    good = Carry(KEY, 0, 1, 32, SHORT, 60_000, pad.places, bytes(112))
    world.lie("A", "R", replace(good, **change))  # type: ignore[arg-type]
    world.drain()
    assert len(world.alarms) == 1
    assert world.nodes["R"].quiet
    assert not world.delivered


def test_messages_for_others_are_alarms() -> None:
    world = World(line())
    world.start(KEY, (SHORT,))
    (message,) = world.wires
    world.hand("B", message)
    assert [one.what for one in world.alarms] == ["a message for somebody else"]
    assert isinstance(world.alarms[0], Alarm)


def test_nobody_makes_a_node_keep_something_for_ever() -> None:
    world = World(line())
    world.start(KEY, (SHORT,), life=LONGEST_LIFE + 1)
    assert world.failed[KEY, "A"][0].outcome is Outcome.EXPIRED
    pad = world.pads["A"].cut("R", 112)
    assert pad is not None
    late = Carry(KEY, 0, 1, 32, SHORT, LONGEST_LIFE + 1, pad.places, bytes(112))
    world.lie("A", "R", late)
    world.settle()
    assert world.nodes["R"].quiet
    assert world.nodes["R"].refused
    world.now = 3 * LONGEST_LIFE
    world.hand("R", Tick())
    assert not world.nodes["R"].refused


@pytest.mark.parametrize(
    ("paths", "octets", "noise"),
    [
        ((("A",),), 32, 96), ((("A", "R", "A"),), 32, 96), ((("R", "B"),), 32, 96), ((), 32, 96),
        ((SHORT, ("A", "R")), 32, 208), ((SHORT,), 0, 64), ((SHORT,), 32, 95), ((SHORT,), 1 << 21, 96),
    ],
)  # fmt: skip
def test_a_start_that_cannot_be_changes_nothing(
    paths: tuple[tuple[str, ...], ...], octets: int, noise: int
) -> None:
    world = World(line())
    random_octets = KeyMaterial(bytes(noise))
    with pytest.raises(InputError):
        world.hand("A", Start(KEY, paths, octets, random_octets, 60_000))
    assert random_octets.bits == 8 * noise, "it was not wiped"
    assert world.spent() == {}
    assert world.nodes["A"].quiet


def test_a_share_that_comes_after_its_key_was_withdrawn_is_destroyed() -> None:
    world = World(line())
    world.start(KEY, (SHORT,), life=500)
    late = None
    while world.wires:
        message = world.wires.pop(0)
        if message.receiver == "B" and late is None:
            late = message
        else:
            world.hand(message.receiver, message)
    assert late is not None
    world.now = 600
    world.hand("A", Tick())
    world.drain()
    assert world.failed[KEY, "A"][0].outcome is Outcome.EXPIRED
    world.now = 100  # a clock that went back: only the withdrawal itself can tell
    world.hand("B", late)
    assert not world.nodes["B"].book.held
    world.settle()
    assert world.verdict(KEY, "A", "B") is None


def test_a_name_is_used_once() -> None:
    world = World(line())
    world.start(KEY, (SHORT,))
    for _ in range(2):
        with pytest.raises(InputError, match="never used"):
            world.start(KEY, (SHORT,))
        world.settle()


def test_paths_may_share_accepted_relays() -> None:
    network = KeyNetwork(links("AX XR XS RY SY YB"), frozenset("XRSY"))
    world = World(network)
    route = plan(network, Wanted("A", "B", 48, Guard(1, accepted=frozenset("XY"))))
    assert isinstance(route, Route)
    assert route.paths == (tuple("AXRYB"), tuple("AXSYB"))
    world.start(KEY, route.paths, 48)
    world.settle()
    assert world.verdict(KEY, "A", "B")
    assert world.spent() == dict(route.uses)


def test_secrets_stay_out_of_what_is_printed() -> None:
    world = World(ladder())
    world.start(KEY, (SHORT, LONG))
    noise = stream(f"world/{KEY}", noise_octets(32, 2))
    shown = repr(world.nodes["A"].sending) + repr(vars(world.nodes["A"])) + repr(world.wires)
    assert not any(piece in shown for piece in (noise[:16].hex(), repr(noise[:16])[2:-1], noise[32:48].hex()))


def test_every_hop_of_every_path_is_in_the_uses() -> None:
    route = plan(ladder(), Wanted("A", "B"))
    assert isinstance(route, Route)
    hops = {hop for path in route.paths for hop in pairs(path)}
    assert set(route.uses) == hops | {hop[::-1] for hop in hops}
